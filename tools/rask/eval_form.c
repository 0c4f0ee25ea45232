#include "eval_form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends(const char *path, size_t len, const char *ending)
{
    size_t end = strlen(ending);
    return len > end && strncmp(path + len - end, ending, end) == 0;
}

static bool is_hdf5(const char *path, size_t len)
{
    return ends(path, len, ".h5") || ends(path, len, ".hdf5");
}

static void split_member(eval_output *output)
{
    char *colon = strrchr(output->path, ':');
    if (colon && is_hdf5(output->path, (size_t)(colon - output->path))) {
        *colon = 0;
        output->options.member = colon + 1;
    }
}

/* As many lengths as there are axes. */
static bool read_lengths(const char *text, uint32_t count, int64_t *lengths)
{
    for (uint32_t i = 0; i < count; i++) {
        char *end;
        errno = 0;
        long long length = strtoll(text, &end, 10);
        if (end == text || errno || length < 1 || *end != (i + 1 < count ? ',' : 0))
            return false;
        lengths[i] = length;
        text = end + 1;
    }
    return count;
}

static int wrong_lengths(const char *path, const char *option, const char *text, const rask_array *array,
                         char *message, size_t capacity)
{
    snprintf(
        message, capacity,
        "%s: --%s '%s': as many lengths as the array has axes, %u, are expected, with commas between them",
        path, option, text, rask_array_ndim(array));
    return RASK_EINVAL;
}

static int check_ending(const eval_form *form, const char *path, char *message, size_t capacity)
{
    size_t len = strlen(path);
    bool zarr = ends(path, len, ".zarr"), own = form->chunks || form->level;
    const char *option = form->shards ? "shards" : form->zarr_version ? "zarr-version" : NULL;
    if (option && !zarr)
        snprintf(message, capacity, "%s: --%s is for outputs that end in .zarr", path, option);
    else if (own && !zarr && !is_hdf5(path, len))
        snprintf(message, capacity, "%s: --%s is for outputs that end in .zarr, .h5 or .hdf5", path,
                 form->chunks ? "chunks" : "level");
    else if (form->shards && form->zarr_version == 2)
        snprintf(message, capacity, "%s: --shards is for Zarr version 3, not --zarr-version 2", path);
    else if (form->level && form->compressor && !strcmp(form->compressor, "none"))
        snprintf(message, capacity, "%s: --level is for a compressor, not --compressor none", path);
    else
        return RASK_OK;
    return RASK_EINVAL;
}

int eval_output_init(eval_output *output, const char *text, const eval_form *form, const rask_array *array,
                     char *message, size_t capacity)
{
    rask_store_options *o = &output->options;
    uint32_t ndim = rask_array_ndim(array);
    *o = (rask_store_options){.size = sizeof *o, .compressor = form->compressor, .level = (int)form->level};
    if (!(output->path = strdup(text))) {
        snprintf(message, capacity, "%s", rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    split_member(output);
    int status = check_ending(form, output->path, message, capacity);
    if (status)
        return status;
    if (form->chunks && !read_lengths(form->chunks, ndim, output->chunks))
        return wrong_lengths(output->path, "chunks", form->chunks, array, message, capacity);
    if (form->shards && !read_lengths(form->shards, ndim, output->shards))
        return wrong_lengths(output->path, "shards", form->shards, array, message, capacity);
    o->chunks = form->chunks ? output->chunks : NULL;
    o->shards = form->shards ? output->shards : NULL;
    o->format = form->shards || form->zarr_version == 3 ? "zarr3" : NULL;
    return RASK_OK;
}

void eval_output_fini(eval_output *output)
{
    free(output->path);
}
