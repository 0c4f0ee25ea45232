#include "collections/array/files/packer.h"

#include "collections/array/copy.h"
#include "collections/array/files/layout.h"
#include "collections/array/lower.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <stdio.h>
#include <string.h>

/* What one write works with. */
typedef struct packing {
    const rk_packer *packer;
    size_t len; /* bytes of a chunk */
    unsigned char *plain, *packed;
    char *message;
    size_t capacity;
} packing;

static size_t chunk_bytes(const rk_packer *p)
{
    return rask_dtype_size(p->sink->dtype) * (size_t)rk_shape_size(p->sink->chunk, p->sink->ndim);
}

static size_t bound(const rk_packer *p, size_t len)
{
    return p->codecs ? p->codecs->bound(p->codec, len) : 0;
}

uint64_t rk_packer_scratch(const rk_packer *packer)
{
    size_t len = chunk_bytes(packer);
    return (uint64_t)len + bound(packer, len);
}

static int put(const packing *w, const int64_t *index)
{
    const rk_packer *p = w->packer;
    const char *reason = "";
    size_t len = w->len;
    if (!p->codecs)
        return p->put(p->context, index, w->plain, len, w->message, w->capacity);
    int status = p->codecs->encode(p->codec, p->level, rask_dtype_size(p->sink->dtype), w->plain, len,
                                   w->packed, &len, &reason);
    if (!status)
        return p->put(p->context, index, w->packed, len, w->message, w->capacity);
    snprintf(w->message, w->capacity, "%s: a chunk %s", p->path, reason);
    return status;
}

/* The chunk with number index[], out of a box that begins at start[]. */
static int write_chunk(const packing *w, const int64_t *index, const int64_t *start,
                       const int64_t *box_strides, const char *data)
{
    const rk_sink *s = w->packer->sink;
    int64_t count[RASK_MAX_DIMENSIONS], strides[RASK_MAX_DIMENSIONS];
    bool whole = true;
    for (uint32_t i = 0; i < s->ndim; i++) {
        int64_t left = s->shape[i] - index[i] * s->chunk[i];
        count[i] = left < s->chunk[i] ? left : s->chunk[i];
        whole &= count[i] == s->chunk[i];
        data += (index[i] * s->chunk[i] - start[i]) * box_strides[i];
    }
    if (!whole)
        memset(w->plain, 0, w->len);
    rk_file_strides(s->dtype, s->ndim, s->chunk, false, strides);
    rk_copy_box(s->ndim, count, rask_dtype_size(s->dtype), w->plain, strides, data, box_strides);
    return put(w, index);
}

static int write_chunks(const packing *w, const rk_packer_box *box)
{
    const rk_sink *s = w->packer->sink;
    int64_t first[RASK_MAX_DIMENSIONS], chunks[RASK_MAX_DIMENSIONS], strides[RASK_MAX_DIMENSIONS];
    int64_t at[RASK_MAX_DIMENSIONS] = {0}, index[RASK_MAX_DIMENSIONS];
    rk_file_strides(s->dtype, s->ndim, box->count, false, strides);
    for (uint32_t i = 0; i < s->ndim; i++) {
        first[i] = box->part_start[i] / s->chunk[i];
        chunks[i] = (box->part_start[i] + box->part_count[i] - 1) / s->chunk[i] + 1 - first[i];
    }
    do {
        for (uint32_t i = 0; i < s->ndim; i++)
            index[i] = first[i] + at[i];
        int status = write_chunk(w, index, box->start, strides, box->data);
        if (status)
            return status;
    } while (rk_index_next(at, chunks, s->ndim));
    return RASK_OK;
}

int rk_packer_write_part(const rk_packer *packer, const rk_packer_box *box, char *message, size_t capacity)
{
    size_t len = chunk_bytes(packer), room = bound(packer, len);
    if (rk_shape_size(box->part_count, packer->sink->ndim) == 0)
        return RASK_OK;
    packing w = {packer, len, rk_alloc(len), room ? rk_alloc(room) : NULL, message, capacity};
    int status = RASK_ENOMEM;
    if (w.plain && (w.packed || !room))
        status = write_chunks(&w, box);
    else
        snprintf(message, capacity, "%s: %s", packer->path, rask_status_text(status));
    rk_free(w.plain);
    rk_free(w.packed);
    return status;
}

int rk_packer_write(const rk_packer *packer, const int64_t *start, const int64_t *count, const void *data,
                    char *message, size_t capacity)
{
    return rk_packer_write_part(packer, &(rk_packer_box){start, count, start, count, data}, message,
                                capacity);
}
