/* rask_array_open(): which format a path has, and globs. */
#include "collections/array/source.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum format { UNKNOWN, NPY, NPZ, HDF5, ZARR, RAW } format;

static const struct {
    const char *name;
    format format;
} names[] = {{"npy", NPY}, {"npz", NPZ}, {"hdf5", HDF5}, {"zarr", ZARR}, {"zarr3", ZARR}, {"raw", RAW}},
  endings[] = {{".npy", NPY}, {".npz", NPZ}, {".h5", HDF5}, {".hdf5", HDF5}, {".zarr", ZARR}};

/* What a file of another ending begins with. */
static format format_by_content(const char *path)
{
    char head[8] = "";
    struct stat file;
    if (stat(path, &file))
        return UNKNOWN;
    if (S_ISDIR(file.st_mode))
        return ZARR;
    int64_t size;
    rk_open_error error;
    int fd = rk_file_open(path, &size, &error);
    if (fd < 0)
        return UNKNOWN;
    int64_t got = rk_file_read(fd, head, sizeof head, 0);
    close(fd);
    if (got < (int64_t)sizeof head)
        return UNKNOWN;
    return memcmp(head, "\x93NUMPY", 6) == 0           ? NPY
           : memcmp(head, "PK\x03\x04", 4) == 0        ? NPZ
           : memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0 ? HDF5
                                                       : UNKNOWN;
}

static bool says_raw(const rask_open_options *o)
{
    return o && (o->dtype || o->ndim || o->offset || o->big_endian || o->fortran);
}

static format find_format(const char *path, const rask_open_options *o)
{
    if (o && o->format) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strcmp(o->format, names[i].name) == 0)
                return names[i].format;
        return UNKNOWN;
    }
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (rk_path_ends(path, endings[i].name))
            return endings[i].format;
    return says_raw(o) ? RAW : format_by_content(path);
}

static rk_source *fail_unknown(const char *path, const rask_open_options *o, rk_open_error *error)
{
    if (o && o->format)
        return rk_open_fail(error, RASK_EINVAL, "%s: '%s' is no format (npy, npz, raw, hdf5, zarr)", path,
                            o->format);
    if (access(path, F_OK))
        return rk_open_fail_errno(error, path);
    return rk_open_fail(
        error, RASK_EINVAL,
        "%s: its format is not known: .npy, .npz, .h5, .hdf5 and .zarr are, raw files need a dtype", path);
}

static rk_source *open_source(const char *path, const rask_open_options *o, rk_open_error *error)
{
    const char *member = o ? o->member : NULL;
    switch (find_format(path, o)) {
    case NPY: return rk_npy_open(path, error);
    case NPZ: return rk_npz_open(path, member, error);
    case HDF5: return rk_hdf5_open(path, member, error);
    case ZARR: return rk_zarr_open(path, member, error);
    case RAW:
        return o ? rk_raw_open(path, o, error)
                 : rk_open_fail(error, RASK_EINVAL, "%s: raw files need options", path);
    case UNKNOWN: break;
    }
    return fail_unknown(path, o, error);
}

/* Chunks for every axis, from those that options give for the first ones; false: there are too many. */
static bool fill_chunks(const rask_open_options *o, uint32_t ndim, int64_t chunks[RASK_MAX_DIMENSIONS])
{
    for (uint32_t i = 0; i < RASK_MAX_DIMENSIONS; i++)
        chunks[i] = o && o->chunks && i < o->chunk_count ? o->chunks[i] : 0;
    for (uint32_t i = 0; i < ndim; i++)
        if (chunks[i] < 0)
            return false;
    return !o || !o->chunks || o->chunk_count <= ndim;
}

static rask_array *open_one(rask_graph *graph, const char *path, const rask_open_options *o, const char *file,
                            int line)
{
    rk_open_error error = {0};
    int64_t chunks[RASK_MAX_DIMENSIONS];
    rk_source *source = open_source(path, o, &error);
    if (!source) {
        rk_graph_fail(graph, error.status, file, line, "rask_array_open: %s", error.message);
        return NULL;
    }
    if (!fill_chunks(o, source->ndim, chunks)) {
        rk_graph_fail(graph, RASK_EINVAL, file, line,
                      "rask_array_open: %s: options.chunks are negative or more than its %u axes", path,
                      source->ndim);
        rk_source_unref(source);
        return NULL;
    }
    return rk_array_source(graph, source, o && o->chunks ? chunks : NULL, file, line);
}

/* -- Globs */

/* A pattern, unless a file is really called so. */
static bool is_pattern(const char *path)
{
    struct stat file;
    return strpbrk(path, "*?[") && lstat(path, &file) != 0;
}

/* Whether b can follow a: same lengths, but along axis (none of them: RASK_STACK_NEW). */
static bool fit_together(const rask_array *a, const rask_array *b, int axis)
{
    uint32_t along = axis == RASK_STACK_NEW ? UINT32_MAX : (uint32_t)(axis < 0 ? axis + (int)a->ndim : axis);
    if (a->ndim != b->ndim)
        return false;
    for (uint32_t i = 0; i < a->ndim; i++)
        if (i != along && a->shape[i] != b->shape[i])
            return false;
    return true;
}

static rask_array *put_together(rask_array *const *arrays, char **paths, uint32_t count, int axis,
                                const char *file, int line)
{
    char a[RK_SHAPE_TEXT], b[RK_SHAPE_TEXT];
    for (uint32_t i = 1; i < count; i++) {
        if (fit_together(arrays[0], arrays[i], axis))
            continue;
        rk_graph_fail(arrays[0]->graph, RASK_EINVAL, file, line,
                      "rask_array_open: %s has shape %s, but %s %s: they do not fit together", paths[0],
                      rk_shape_text(arrays[0]->shape, arrays[0]->ndim, a), paths[i],
                      rk_shape_text(arrays[i]->shape, arrays[i]->ndim, b));
        return NULL;
    }
    if (axis == RASK_STACK_NEW)
        return rask_array_stack_at(arrays, count, 0, file, line);
    return rask_array_concatenate_at(arrays, count, axis, file, line);
}

static rask_array *open_paths(rask_graph *graph, char **paths, size_t count, const rask_open_options *o,
                              const char *file, int line)
{
    rask_array *whole = NULL, **arrays = rk_alloc_array(count, sizeof *arrays);
    size_t opened = 0;
    if (!arrays)
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "rask_array_open: %s", rask_status_text(RASK_ENOMEM));
    while (arrays && opened < count && (arrays[opened] = open_one(graph, paths[opened], o, file, line)))
        opened++;
    if (opened == count)
        whole = put_together(arrays, paths, (uint32_t)count, o ? o->stack_axis : 0, file, line);
    rk_free(arrays);
    return whole;
}

static rask_array *open_pattern(rask_graph *graph, const char *pattern, const rask_open_options *o,
                                const char *file, int line)
{
    glob_t found = {0};
    rask_array *whole = NULL;
    int outcome = glob(pattern, 0, NULL, &found);
    if (outcome == GLOB_NOMATCH)
        rk_graph_fail(graph, RASK_ENOENT, file, line, "rask_array_open: %s: no file matches", pattern);
    else if (outcome)
        rk_graph_fail(graph, outcome == GLOB_NOSPACE ? RASK_ENOMEM : RASK_EIO, file, line,
                      "rask_array_open: %s: the folder cannot be read", pattern);
    else
        whole = open_paths(graph, found.gl_pathv, found.gl_pathc, o, file, line);
    globfree(&found);
    return whole;
}

rask_array *rask_array_open_at(rask_graph *graph, const char *path, const rask_open_options *options,
                               const char *file, int line)
{
    rask_open_options own = {0};
    if (!graph || graph->status)
        return NULL;
    if (!path || !*path) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "rask_array_open: the path is empty");
        return NULL;
    }
    if (options && (!options->size || options->size > sizeof own)) {
        rk_graph_fail(graph, RASK_EINVAL, file, line,
                      "rask_array_open: %s: options.size is %zu: it must be sizeof(rask_open_options)", path,
                      options->size);
        return NULL;
    }
    if (options)
        memcpy(&own, options, options->size);
    const rask_open_options *o = options ? &own : NULL;
    return is_pattern(path) ? open_pattern(graph, path, o, file, line) : open_one(graph, path, o, file, line);
}
