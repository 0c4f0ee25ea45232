/* Files that are nothing but elements: what they are, options say. */
#include "collections/array/files/layout.h"
#include "collections/array/source.h"
#include "collections/files/file.h"

#include <inttypes.h>
#include <unistd.h>

#define BIG_MACHINE (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

/* Without a shape: one axis, for all that is behind the offset. */
static bool measure(const char *path, const rask_open_options *o, int64_t size, uint32_t *ndim,
                    int64_t *shape, rk_open_error *error)
{
    int64_t element = (int64_t)rask_dtype_size(o->dtype), left = size - (int64_t)o->offset;
    *ndim = o->ndim ? o->ndim : 1;
    for (uint32_t i = 0; i < o->ndim; i++)
        shape[i] = o->shape[i];
    if (o->ndim)
        return true;
    shape[0] = left / element;
    if (left % element)
        rk_open_fail(error, RASK_EFORMAT,
                     "%s: %" PRId64 " bytes behind offset %" PRIu64 " are no whole number of %s (%" PRId64
                     " bytes each)",
                     path, left, o->offset, rask_dtype_name(o->dtype), element);
    return left % element == 0;
}

static bool check_options(const char *path, const rask_open_options *o, rk_open_error *error)
{
    const char *wrong = NULL;
    if (rask_dtype_size(o->dtype) == 0)
        wrong = "options.dtype is no dtype";
    else if (o->ndim > RASK_MAX_DIMENSIONS)
        wrong = "options.ndim is too large";
    else if (o->ndim && !o->shape)
        wrong = "options.shape is missing";
    if (wrong)
        rk_open_fail(error, RASK_EINVAL, "%s: %s", path, wrong);
    return !wrong;
}

static bool check_size(const char *path, const rask_open_options *o, int64_t size, uint32_t ndim,
                       const int64_t *shape, rk_open_error *error)
{
    int64_t bytes;
    char text[RK_SHAPE_TEXT];
    for (uint32_t i = 0; i < ndim; i++)
        if (shape[i] < 0)
            return rk_open_fail(error, RASK_EINVAL, "%s: options.shape has a negative length", path) != NULL;
    if (rk_shape_bytes(o->dtype, ndim, shape, &bytes))
        return rk_open_fail(error, RASK_EINVAL, "%s: an array of options.shape is too large", path);
    if (bytes > size - (int64_t)o->offset)
        return rk_open_fail(error, RASK_EFORMAT,
                            "%s: has %" PRId64 " bytes, but %s of %s at offset %" PRIu64 " needs %" PRId64,
                            path, size, rk_shape_text(shape, ndim, text), rask_dtype_name(o->dtype),
                            o->offset, bytes + (int64_t)o->offset);
    return true;
}

static rk_source *open_file(const char *path, int fd, int64_t size, const rask_open_options *o,
                            rk_open_error *error)
{
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS];
    if (o->offset > (uint64_t)size)
        return rk_open_fail(error, RASK_EFORMAT, "%s: has %" PRId64 " bytes, but offset is %" PRIu64, path,
                            size, o->offset);
    if (!measure(path, o, size, &ndim, shape, error) || !check_size(path, o, size, ndim, shape, error))
        return NULL;
    rk_source *source = rk_source_new(RK_SOURCE_FILE, path, o->dtype, ndim, shape);
    if (!source)
        return rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
    source->fd = fd;
    source->offset = (int64_t)o->offset;
    source->swapped = o->big_endian != BIG_MACHINE;
    rk_file_strides(o->dtype, ndim, shape, o->fortran, source->strides);
    return source;
}

rk_source *rk_raw_open(const char *path, const rask_open_options *options, rk_open_error *error)
{
    int64_t size;
    if (!check_options(path, options, error))
        return NULL;
    int fd = rk_file_open(path, &size, error);
    if (fd < 0)
        return NULL;
    rk_source *source = open_file(path, fd, size, options, error);
    if (!source)
        close(fd);
    return source;
}
