/* Sources as bytes, for tasks in other processes of a cluster: a version, dtype, shape, chunks, and by kind
 *   MEMORY   the elements, in C order
 *   FILE     strides, place of the first element, byte order; the file (collections/files/elsewhere.h)
 *   CHUNKED  the number of its format, and what that makes of it
 * with a text for messages. A source that cannot be opened is absent: whoever reads it fails with the reason. */
#include "collections/array/copy.h"
#include "collections/array/files/layout.h"
#include "collections/array/source.h"
#include "core/base/alloc.h"
#include "core/base/limits.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 1 };

static const rk_source_format *const formats[] = {&rk_format_zarr, &rk_format_hdf5, &rk_format_callback};

enum { FORMATS = sizeof formats / sizeof *formats };

/* -- Writing */

static int put_memory(const rk_source *s, rk_pack_out *out, rk_open_error *error)
{
    int64_t bytes = 0, dense[RASK_MAX_DIMENSIONS];
    rk_shape_bytes(s->dtype, s->ndim, s->shape, &bytes);
    if ((uint64_t)bytes > RK_MAX_TRAVELLING) {
        rk_open_fail(error, RASK_EUNSUPPORTED,
                     "an array in the program's memory has %lld bytes, and %zu can go: store it in a file "
                     "that workers see",
                     (long long)bytes, RK_MAX_TRAVELLING);
        return error->status;
    }
    size_t size = rask_dtype_size(s->dtype);
    char *room = rk_pack_put_room(out, (uint64_t)rk_shape_size(s->shape, s->ndim) * size);
    rk_dense_strides(s->ndim, s->shape, size, dense);
    if (room)
        rk_copy_box(s->ndim, s->shape, size, room, dense, s->data, s->strides);
    return RASK_OK;
}

static int put_file(const rk_source *s, rk_pack_out *out, rk_open_error *error)
{
    rk_pack_put(out, s->strides, s->ndim * sizeof *s->strides);
    rk_pack_put_u64(out, (uint64_t)s->offset);
    rk_pack_put_u8(out, s->swapped);
    return rk_file_put(out, s->fd, s->path, error);
}

static int put_chunked(const rk_source *s, rk_pack_out *out, rk_open_error *error)
{
    uint8_t number = 0;
    while (number < FORMATS && formats[number] != s->format)
        number++;
    rk_pack_put_u8(out, number);
    if (number < FORMATS)
        return s->format->put(s, out, error);
    rk_open_fail(error, RASK_EUNSUPPORTED, "%s: cannot be opened again elsewhere", s->path ? s->path : "it");
    return error->status;
}

int rk_source_put(const rk_source *source, rk_pack_out *out, rk_open_error *error)
{
    rk_pack_put_u8(out, VERSION);
    rk_pack_put_u8(out, (uint8_t)source->kind);
    rk_pack_put_u8(out, (uint8_t)source->dtype);
    rk_pack_put_u8(out, (uint8_t)source->ndim);
    rk_pack_put(out, source->shape, source->ndim * sizeof *source->shape);
    rk_pack_put(out, source->chunk, source->ndim * sizeof *source->chunk);
    rk_pack_put_text(out, source->path);
    if (source->absent) {
        rk_open_fail(error, RASK_EIO, "%s", source->absent);
        return error->status;
    }
    switch (source->kind) {
    case RK_SOURCE_MEMORY: return put_memory(source, out, error);
    case RK_SOURCE_FILE: return put_file(source, out, error);
    case RK_SOURCE_CHUNKED: return put_chunked(source, out, error);
    }
    return RASK_EUNSUPPORTED;
}

/* -- Reading */

/* What stands before all sources; it is copied to what is made of it. */
typedef struct reading {
    rk_pack_in *in;
    rk_source like;
    rk_open_error *error;
} reading;

static rk_source *refuse(const reading *r)
{
    r->in->failed = true;
    return rk_open_fail(r->error, RASK_EFORMAT, "what came from another process is no array");
}

static rk_source *no_memory(const reading *r)
{
    return rk_open_fail(r->error, RASK_ENOMEM, "no memory for an array");
}

static int read_absent(rk_source *source, const int64_t *index, const int64_t *count, void *data,
                       char *message, size_t capacity)
{
    (void)index;
    (void)count;
    (void)data;
    snprintf(message, capacity, "%s", source->absent);
    return RASK_EIO;
}

/* In place of one that cannot be opened; the reason is in the error. */
static rk_source *be_absent(const reading *r)
{
    const rk_source *like = &r->like;
    rk_source *s = rk_source_new(like->kind, like->path, like->dtype, like->ndim, like->shape);
    if (!s || !(s->absent = rk_strndup(r->error->message, strlen(r->error->message)))) {
        rk_source_unref(s);
        return no_memory(r);
    }
    memcpy(s->strides, like->strides, sizeof s->strides);
    memcpy(s->chunk, like->chunk, sizeof s->chunk);
    s->offset = like->offset;
    s->read_chunk = read_absent;
    return s;
}

static rk_source *get_memory(const reading *r)
{
    const rk_source *like = &r->like;
    rask_block block = {.dtype = like->dtype, .ndim = like->ndim};
    size_t size = rask_dtype_size(like->dtype);
    memcpy(block.shape, like->shape, sizeof block.shape);
    rk_dense_strides(like->ndim, like->shape, size, block.strides);
    block.data = (void *)rk_pack_get(r->in, (uint64_t)rk_shape_size(like->shape, like->ndim) * size);
    if (!block.data)
        return refuse(r);
    rk_source *source = rk_source_copy(&block);
    return source ? source : no_memory(r);
}

/* Whether every element lies at a place that a file can have. */
static bool has_places(const rk_source *s)
{
    int64_t end = s->offset;
    for (uint32_t i = 0; i < s->ndim; i++) {
        int64_t way;
        if (s->strides[i] < (s->shape[i] > 1) || __builtin_mul_overflow(s->strides[i], s->shape[i], &way) ||
            __builtin_add_overflow(end, way, &end))
            return false;
    }
    return s->offset >= 0;
}

static rk_source *get_file(reading *r)
{
    rk_source *like = &r->like;
    const char *strides = rk_pack_get(r->in, like->ndim * sizeof *like->strides);
    like->offset = (int64_t)rk_pack_get_u64(r->in);
    like->swapped = rk_pack_get_u8(r->in) != 0;
    if (r->in->failed)
        return refuse(r);
    memcpy(like->strides, strides, like->ndim * sizeof *like->strides);
    if (!has_places(like))
        return refuse(r);
    int fd = rk_file_get(r->in, NULL, r->error);
    if (fd < 0)
        return r->in->failed ? refuse(r) : be_absent(r);
    rk_source *s = rk_source_new(RK_SOURCE_FILE, like->path, like->dtype, like->ndim, like->shape);
    if (!s) {
        close(fd);
        return no_memory(r);
    }
    memcpy(s->strides, like->strides, sizeof s->strides);
    s->fd = fd;
    s->offset = like->offset;
    s->swapped = like->swapped;
    return s;
}

/* Whether what was opened is cut as what was asked for. */
static bool is_alike(const rk_source *s, const rk_source *like)
{
    return s->kind == RK_SOURCE_CHUNKED && s->dtype == like->dtype && s->ndim == like->ndim &&
           !memcmp(s->shape, like->shape, like->ndim * sizeof *like->shape) &&
           !memcmp(s->chunk, like->chunk, like->ndim * sizeof *like->chunk);
}

static rk_source *get_chunked(const reading *r)
{
    uint8_t number = rk_pack_get_u8(r->in);
    if (number >= FORMATS || r->in->failed)
        return refuse(r);
    for (uint32_t i = 0; i < r->like.ndim; i++)
        if (r->like.chunk[i] < 1)
            return refuse(r);
    rk_source *s = formats[number]->get(r->in, &r->like, r->error);
    if (s && is_alike(s, &r->like))
        return s;
    if (r->in->failed) {
        rk_source_unref(s);
        return refuse(r);
    }
    if (s) {
        rk_open_fail(r->error, RASK_EIO, "%s: is not the array that the program saw",
                     s->path ? s->path : "it");
        rk_open_error_say_where(r->error);
        rk_source_unref(s);
    }
    return be_absent(r);
}

/* dtype and shape, as far as they make sense. */
static bool get_form(reading *r)
{
    rk_source *like = &r->like;
    int64_t bytes;
    uint8_t version = rk_pack_get_u8(r->in), kind = rk_pack_get_u8(r->in), dtype = rk_pack_get_u8(r->in);
    like->ndim = rk_pack_get_u8(r->in);
    if (r->in->failed || version != VERSION || kind > RK_SOURCE_CHUNKED || dtype >= RASK_DT_COUNT ||
        like->ndim > RASK_MAX_DIMENSIONS)
        return false;
    like->kind = (rk_source_kind)kind;
    like->dtype = (rask_dtype)dtype;
    size_t size = like->ndim * sizeof *like->shape;
    const char *shape = rk_pack_get(r->in, size), *chunk = rk_pack_get(r->in, size);
    if (!shape || !chunk)
        return false;
    memcpy(like->shape, shape, size);
    memcpy(like->chunk, chunk, size);
    return !rk_shape_bytes(like->dtype, like->ndim, like->shape, &bytes);
}

rk_source *rk_source_get(rk_pack_in *in, rk_open_error *error)
{
    reading r = {.in = in, .like = {.fd = -1}, .error = error};
    rk_source *source = NULL;
    if (!get_form(&r))
        return refuse(&r);
    if (!rk_pack_get_text(in, &r.like.path))
        return in->failed ? refuse(&r) : no_memory(&r);
    switch (r.like.kind) {
    case RK_SOURCE_MEMORY: source = get_memory(&r); break;
    case RK_SOURCE_FILE: source = r.like.path ? get_file(&r) : refuse(&r); break;
    case RK_SOURCE_CHUNKED: source = get_chunked(&r); break;
    }
    rk_free(r.like.path);
    return source;
}

/* -- As values */

static void destroy(void *data)
{
    rk_source_unref(data);
}

static int encode(const void *data, rask_value *bytes)
{
    rk_pack_out out = {0};
    rk_open_error error = {0};
    int status = rk_source_put(data, &out, &error);
    return rk_encoded(&out, status, &error, bytes);
}

static int decode(rask_bytes bytes, void **data)
{
    rk_pack_in in = {bytes.data, bytes.data + bytes.len, false, NULL};
    rk_open_error error = {0};
    return (*data = rk_source_get(&in, &error)) ? RASK_OK : error.status;
}

static uint64_t hash(const void *data)
{
    return (uintptr_t)data;
}

static bool equal(const void *a, const void *b)
{
    return a == b;
}

const rask_class rk_source_class = {.name = "array source",
                                    .destroy = destroy,
                                    .encode = encode,
                                    .decode = decode,
                                    .hash = hash,
                                    .equal = equal};
