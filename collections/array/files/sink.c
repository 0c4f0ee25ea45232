/* Opening sinks by format, and the linear ones: files in which every element has its place from the beginning. */
#include "collections/array/files/sink.h"

#include "collections/array/files/box.h"
#include "collections/array/files/layout.h"
#include "collections/array/files/npy.h"
#include "collections/array/source.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    STAGE = 256 << 10,     /* bytes put in the order of the file before they are written */
    CHUNK_BYTES = 4 << 20, /* of a chunk that nobody asked for */
};

typedef struct linear_sink {
    rk_sink sink;
    rk_temporary temporary;
    int64_t offset;
    int64_t strides[RASK_MAX_DIMENSIONS];
} linear_sink;

static int fail_write(const linear_sink *s, int64_t place, char *message, size_t capacity)
{
    int status = rk_errno_status(errno);
    snprintf(message, capacity, "%s: writing at byte %" PRId64 ": %s", s->temporary.path, place,
             strerror(errno));
    return status;
}

/* The fastest axis is contiguous in both places. */
static int write_runs(linear_sink *s, const rk_box *box, const char *data, char *message, size_t capacity)
{
    uint32_t outer = box->ndim - 1;
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, file, memory;
    size_t len = (size_t)box->axes[outer].count * box->size;
    do {
        rk_box_locate(box, outer, index, &file, &memory);
        if (rk_file_write(s->temporary.fd, data + memory, len, box->first + file))
            return fail_write(s, box->first + file, message, capacity);
    } while (rk_box_next(box, outer, 1, index));
    return RASK_OK;
}

static int write_pieces(linear_sink *s, const rk_box *box, const char *data, char *stage, char *message,
                        size_t capacity)
{
    int64_t step, extent, file, memory, index[RASK_MAX_DIMENSIONS] = {0};
    uint32_t split = rk_box_split(box, STAGE, 0, &step, &extent);
    do {
        int64_t left = box->axes[split].count - index[split], count = left < step ? left : step;
        size_t span = (size_t)((count - 1) * box->axes[split].file + extent);
        rk_box_locate(box, split + 1, index, &file, &memory);
        rk_box_pack(box, split, count, stage, data + memory);
        if (rk_file_write(s->temporary.fd, stage, span, box->first + file))
            return fail_write(s, box->first + file, message, capacity);
    } while (rk_box_next(box, split + 1, step, index));
    return RASK_OK;
}

static int write_staged(linear_sink *s, const rk_box *box, const char *data, char *message, size_t capacity)
{
    char *stage = rk_alloc(STAGE);
    int status = stage ? write_pieces(s, box, data, stage, message, capacity) : RASK_ENOMEM;
    if (!stage)
        snprintf(message, capacity, "%s: %s", s->temporary.path, rask_status_text(status));
    rk_free(stage);
    return status;
}

static int linear_write(rk_sink *sink, const int64_t *start, const int64_t *count, const void *data,
                        char *message, size_t capacity)
{
    linear_sink *s = (linear_sink *)sink;
    int64_t memory[RASK_MAX_DIMENSIONS];
    rk_box box;
    for (uint32_t i = 0; i < sink->ndim; i++)
        if (!count[i])
            return RASK_OK;
    rk_file_strides(sink->dtype, sink->ndim, count, false, memory);
    rk_box_init(&box, rask_dtype_size(sink->dtype), sink->ndim, s->offset, s->strides, start, count, memory);
    const rk_box_axis *run = &box.axes[box.ndim - 1];
    if (run->file == (int64_t)box.size && run->memory == (int64_t)box.size)
        return write_runs(s, &box, data, message, capacity);
    return write_staged(s, &box, data, message, capacity);
}

static int linear_commit(rk_sink *sink, char *message, size_t capacity)
{
    linear_sink *s = (linear_sink *)sink;
    int status = rk_temporary_commit(&s->temporary, message, capacity);
    rk_free(s);
    return status;
}

static void linear_abort(rk_sink *sink)
{
    linear_sink *s = (linear_sink *)sink;
    rk_temporary_abort(&s->temporary);
    rk_free(s);
}

/* Room on the disk for size bytes, so that a disk that is too full is known before anything is computed. Not all file
 * systems can do that; a file that is as long without having the room is all right there. */
static int reserve(int fd, int64_t size)
{
    if (rk_file_allow(size))
        return -1;
    if (size == 0 || fallocate(fd, 0, 0, size) == 0)
        return 0;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO)
        return -1;
    return ftruncate(fd, size);
}

rk_sink *rk_linear_sink(const rk_sink_form *form, rk_temporary *temporary, int64_t offset,
                        rk_open_error *error)
{
    linear_sink *s = rk_calloc(1, sizeof *s);
    if (!s || reserve(temporary->fd, offset + form->bytes)) {
        if (s)
            rk_open_fail_errno(error, form->path);
        else
            rk_open_fail(error, RASK_ENOMEM, "%s: %s", form->path, rask_status_text(RASK_ENOMEM));
        rk_temporary_abort(temporary);
        rk_free(s);
        return NULL;
    }
    rk_sink_describe(&s->sink, form);
    s->sink.scratch = STAGE;
    s->sink.write = linear_write;
    s->sink.commit = linear_commit;
    s->sink.abort = linear_abort;
    s->temporary = *temporary;
    s->offset = offset;
    rk_file_strides(form->dtype, form->ndim, form->shape, form->options->fortran, s->strides);
    return &s->sink;
}

/* Elements that have their places from the beginning are not compressed. */
static bool is_plain(const rk_sink_form *form, rk_open_error *error)
{
    const char *asked = form->options->compressor;
    if (!asked || strcmp(asked, "none") == 0)
        return true;
    return rk_open_fail(error, RASK_EINVAL,
                        "%s: compressor '%s': .npy and raw files are not compressed, Zarr and HDF5 are",
                        form->path, asked);
}

rk_sink *rk_raw_sink(const rk_sink_form *form, rk_open_error *error)
{
    rk_temporary temporary;
    return is_plain(form, error) && rk_temporary_open(&temporary, form->path, false, error)
               ? rk_linear_sink(form, &temporary, 0, error)
               : NULL;
}

rk_sink *rk_npy_sink(const rk_sink_form *form, rk_open_error *error)
{
    char header[RK_NPY_HEADER_ROOM];
    rk_temporary temporary;
    size_t len = rk_npy_format(form->dtype, form->ndim, form->shape, form->options->fortran, header);
    if (!is_plain(form, error) || !rk_temporary_open(&temporary, form->path, false, error))
        return NULL;
    if (rk_file_write(temporary.fd, header, len, 0)) {
        rk_open_fail_errno(error, form->path);
        rk_temporary_abort(&temporary);
        return NULL;
    }
    return rk_linear_sink(form, &temporary, (int64_t)len, error);
}

/* -- All formats */

void rk_sink_describe(rk_sink *sink, const rk_sink_form *form)
{
    sink->dtype = form->dtype;
    sink->ndim = form->ndim;
    if (form->ndim)
        memcpy(sink->shape, form->shape, form->ndim * sizeof *form->shape);
}

bool rk_sink_chunks(const rk_sink_form *form, int64_t *chunk, rk_open_error *error)
{
    const int64_t *asked = form->options->chunks;
    int64_t room = CHUNK_BYTES / (int64_t)rask_dtype_size(form->dtype);
    for (uint32_t i = form->ndim; i-- > 0;) {
        int64_t length = form->shape[i] ? form->shape[i] : 1;
        if (asked && asked[i] < 0) {
            rk_open_fail(error, RASK_EINVAL, "%s: options.chunks has a negative length", form->path);
            return false;
        }
        chunk[i] = asked && asked[i] ? asked[i] : room;
        if (chunk[i] > length)
            chunk[i] = length;
        room = room / chunk[i] ? room / chunk[i] : 1;
    }
    return true;
}

static const struct {
    const char *ending, *name;
    rk_sink *(*open)(const rk_sink_form *form, rk_open_error *error);
    int zarr;
} formats[] = {
    {".npy", "npy", rk_npy_sink, 0}, {".h5", "hdf5", rk_hdf5_sink, 0}, {".hdf5", "hdf5", rk_hdf5_sink, 0},
    {".zarr", "zarr", NULL, 2},      {NULL, "zarr3", NULL, 3},         {".raw", "raw", rk_raw_sink, 0},
    {".bin", "raw", rk_raw_sink, 0},
};

static rk_sink *open_format(const rk_sink_form *form, rk_open_error *error)
{
    const char *asked = form->options->format;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (asked ? strcmp(asked, formats[i].name) != 0
                  : !formats[i].ending || !rk_path_ends(form->path, formats[i].ending))
            continue;
        return formats[i].zarr ? rk_zarr_sink(form, formats[i].zarr, error) : formats[i].open(form, error);
    }
    if (asked)
        return rk_open_fail(error, RASK_EINVAL,
                            "%s: '%s' is no format to write (npy, raw, hdf5, zarr, zarr3)", form->path,
                            asked);
    return rk_open_fail(error, RASK_EINVAL,
                        "%s: which format to write is not known by its ending (.npy, .raw, .bin, "
                        ".h5, .hdf5, .zarr)",
                        form->path);
}

rk_sink *rk_sink_open(const char *path, const rask_store_options *options, rask_dtype dtype, uint32_t ndim,
                      const int64_t *shape, rk_open_error *error)
{
    rask_store_options own = {.size = sizeof own};
    rk_sink_form form = {path, &own, dtype, ndim, shape, 0};
    if (!path || !*path)
        return rk_open_fail(error, RASK_EINVAL, "the path to write to is empty");
    if (options && (!options->size || options->size > sizeof own))
        return rk_open_fail(error, RASK_EINVAL,
                            "%s: options.size is %zu: it must be sizeof(rask_store_options)", path,
                            options->size);
    if (options)
        memcpy(&own, options, options->size);
    if (rk_shape_bytes(dtype, ndim, shape, &form.bytes))
        return rk_open_fail(error, RASK_ELIMIT, "%s: an array of this shape is too large", path);
    return open_format(&form, error);
}
