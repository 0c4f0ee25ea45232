/* HDF5 files as sinks. Without chunks libhdf5 makes the file and says where the elements go; they are then written as
 * into any file. Chunks are encoded here, by several threads at once, and handed over. */
#include "collections/array/files/hdf5.h"
#include "collections/array/files/packer.h"
#include "collections/array/files/sink.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    USUAL_LEVEL = 4,
    MOST_LEVEL = 9,
    OVERHEAD = 1 << 20 /* bytes of a file beside its chunks, for a check */
};

typedef struct hdf5_sink {
    rk_sink sink;
    rk_packer packer;
    const rk_hdf5_module *module;
    rk_hdf5_data *data;
    rk_temporary temporary;
    rk_atomic_i64 written; /* bytes of chunks */
} hdf5_sink;

static int put_chunk(void *sink, const int64_t *index, const void *data, size_t len, char *message,
                     size_t capacity)
{
    hdf5_sink *s = sink;
    int64_t start[RASK_MAX_DIMENSIONS];
    char reason[400] = "";
    int status = RASK_EIO;
    for (uint32_t i = 0; i < s->sink.ndim; i++)
        start[i] = index[i] * s->sink.chunk[i];
    if (rk_file_allow(rk_add_relaxed(&s->written, (int64_t)len) + (int64_t)len + OVERHEAD))
        snprintf(reason, sizeof reason, "%s", strerror(errno));
    else
        status = s->module->write_chunk(s->data, start, data, len, reason, sizeof reason);
    if (status)
        snprintf(message, capacity, "%s: %s", s->temporary.path, reason);
    return status;
}

static int hdf5_write(rk_sink *sink, const int64_t *start, const int64_t *count, const void *data,
                      char *message, size_t capacity)
{
    return rk_packer_write(&((hdf5_sink *)sink)->packer, start, count, data, message, capacity);
}

static void hdf5_abort(rk_sink *sink)
{
    hdf5_sink *s = (hdf5_sink *)sink;
    char ignored[1];
    s->module->close(s->data, ignored, sizeof ignored);
    rk_temporary_abort(&s->temporary);
    rk_free(s);
}

static int hdf5_commit(rk_sink *sink, char *message, size_t capacity)
{
    hdf5_sink *s = (hdf5_sink *)sink;
    char reason[400] = "";
    int status = s->module->close(s->data, reason, sizeof reason);
    s->data = NULL;
    if (!status) {
        status = rk_temporary_commit(&s->temporary, message, capacity);
        rk_free(s);
        return status;
    }
    snprintf(message, capacity, "%s: %s", s->temporary.path, reason);
    hdf5_abort(sink);
    return status;
}

/* -- Opening */

/* The level to compress with; 0: not. -1: an error. */
static int choose_level(const rk_sink_form *form, rk_open_error *error)
{
    const char *asked = form->options->compressor;
    int level = form->options->level ? form->options->level : USUAL_LEVEL;
    if (!asked || strcmp(asked, "none") == 0)
        return 0;
    if (strcmp(asked, "gzip") != 0)
        rk_open_fail(error, RASK_EINVAL, "%s: '%s' is no compressor of HDF5 here (gzip, none)", form->path,
                     asked);
    else if (level < 1 || level > MOST_LEVEL)
        rk_open_fail(error, RASK_EINVAL, "%s: levels of gzip are 1 to %d", form->path, MOST_LEVEL);
    else
        return level;
    return -1;
}

static rk_sink *make_sink(const rk_sink_form *form, const rk_hdf5_module *module, int level,
                          rk_hdf5_data *data, rk_temporary *temporary, const rk_hdf5_form *made,
                          rk_open_error *error)
{
    hdf5_sink *s = rk_calloc(1, sizeof *s);
    const rk_codecs_module *codecs = level ? rk_codecs_load(form->path, error) : NULL;
    if (!s)
        rk_open_fail(error, RASK_ENOMEM, "%s: %s", form->path, rask_status_text(RASK_ENOMEM));
    if (!s || (level && !codecs)) {
        rk_free(s);
        return NULL;
    }
    rk_sink_describe(&s->sink, form);
    memcpy(s->sink.chunk, made->chunk, sizeof s->sink.chunk);
    s->module = module;
    s->data = data;
    s->temporary = *temporary;
    s->packer = (rk_packer){.sink = &s->sink,
                            .path = s->temporary.path,
                            .codecs = codecs,
                            .codec = RK_CODEC_ZLIB,
                            .level = level,
                            .put = put_chunk,
                            .context = s};
    s->sink.scratch = rk_packer_scratch(&s->packer);
    s->sink.bound = true; /* libhdf5 keeps what it knows of the file in memory */
    s->sink.write = hdf5_write;
    s->sink.commit = hdf5_commit;
    s->sink.abort = hdf5_abort;
    return &s->sink;
}

/* Only a file with this one dataset, or an empty one, is replaced: with the file its other datasets would go. */
static bool may_replace(const char *path, const char *member, const rk_hdf5_module *module,
                        rk_open_error *error)
{
    char reason[400] = "";
    struct stat file;
    if (stat(path, &file) || !S_ISREG(file.st_mode) || file.st_size == 0)
        return true; /* what it is else has its own errors */
    int status = module->survey(path, member, reason, sizeof reason);
    if (!status)
        return true;
    return rk_open_fail(error, status == RASK_EFORMAT ? RASK_EEXIST : status,
                        "%s: is there and %s: only an HDF5 file that holds %s%s alone is replaced", path,
                        reason, *member == '/' ? "" : "/", member);
}

static rk_sink *create(const rk_sink_form *form, const rk_hdf5_module *module, int level, rk_hdf5_form *made,
                       rk_open_error *error)
{
    char reason[400] = "";
    const char *member = form->options->member ? form->options->member : "data";
    rk_temporary temporary;
    rk_hdf5_data *data = NULL;
    if (!member[strspn(member, "/")])
        return rk_open_fail(error, RASK_EINVAL, "%s: '%s' is no path of a dataset", form->path, member);
    if (!may_replace(form->path, member, module, error) ||
        !rk_temporary_open(&temporary, form->path, true, error))
        return NULL;
    int status = module->create(temporary.name, member, made, level, &data, reason, sizeof reason);
    if (status) {
        rk_temporary_abort(&temporary);
        return rk_open_fail(error, status, "%s: %s", form->path, reason);
    }
    if (!data)
        return rk_linear_sink(form, &temporary, made->offset, error);
    rk_sink *sink = make_sink(form, module, level, data, &temporary, made, error);
    if (!sink) {
        module->close(data, reason, sizeof reason);
        rk_temporary_abort(&temporary);
    }
    return sink;
}

rk_sink *rk_hdf5_sink(const rk_sink_form *form, rk_open_error *error)
{
    rask_store_options options = *form->options;
    rk_sink_form own = *form;
    rk_hdf5_form made = {.dtype = form->dtype, .ndim = form->ndim};
    int level = choose_level(form, error);
    const rk_hdf5_module *module = level < 0 ? NULL : rk_hdf5_load(form->path, error);
    if (!module)
        return NULL;
    options.fortran = false; /* HDF5 knows no other order than C's */
    own.options = &options;
    for (uint32_t i = 0; i < form->ndim; i++)
        made.shape[i] = form->shape[i];
    /* a single number and an empty array have no chunks */
    if (form->ndim && form->bytes && (level || options.chunks) && !rk_sink_chunks(form, made.chunk, error))
        return NULL;
    return create(&own, module, made.chunk[0] ? level : 0, &made, error);
}
