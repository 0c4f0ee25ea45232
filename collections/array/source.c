/* Sources: their life, the array over one, and reading boxes out of linear files.
 *
 * A box is read in the order of the file, whatever the order of its axes. Axes are sorted by how far apart their
 * elements are in the file, and neighbours that lie behind one another in the file and in memory are made one. Then
 *   long runs      go straight to where they belong, in pieces;
 *   short runs     close to one another are read together with the gaps between them, up to STAGE bytes at once,
 *                  and picked out of those;
 *   short runs     far apart are read one by one. */
#include "collections/array/source.h"

#include "collections/array/files/box.h"
#include "collections/array/kernels/kernels.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIECE = 512 << 10, /* bytes of one read(2); stays in the second-level cache while bytes are swapped */
    STAGE = RK_READ_SCRATCH, /* bytes read together with gaps */
    GAP = 4 << 10,           /* bytes that are sooner read than skipped by another call */
    LONG_RUN = 16 << 10,     /* bytes from which on a run is read by itself */
};

rk_source *rk_source_new(rk_source_kind kind, const char *path, rask_dtype dtype, uint32_t ndim,
                         const int64_t *shape)
{
    rk_source *source = rk_calloc(1, sizeof *source);
    if (!source)
        return NULL;
    *source = (rk_source){.kind = kind, .dtype = dtype, .ndim = ndim, .fd = -1};
    rk_init(&source->refs, 1);
    rk_mappable_init(&source->own_parts);
    source->parts = kind == RK_SOURCE_FILE ? &source->own_parts : NULL;
    if (ndim)
        memcpy(source->shape, shape, ndim * sizeof *shape);
    if (path && !(source->path = rk_strndup(path, strlen(path)))) {
        rk_free(source);
        return NULL;
    }
    return source;
}

rk_source *rk_source_ref(rk_source *source)
{
    rk_add_relaxed(&source->refs, 1);
    return source;
}

void rk_source_unref(rk_source *source)
{
    if (!source || rk_sub_acq_rel(&source->refs, 1) != 1)
        return;
    if (source->close)
        source->close(source);
    if (source->fd >= 0)
        close(source->fd);
    rk_free(source->path);
    rk_free(source->absent);
    rk_free(source);
}

static void end_source(void *source)
{
    rk_source_unref(source);
}

/* The array, which does not hold the source yet. */
static rask_array *new_array(rask_graph *graph, rk_source *source, const int64_t *chunks, const char *file,
                             int line)
{
    rask_array *array =
        rk_array_new(graph, RK_SOURCE, source->dtype, source->ndim, source->shape, NULL, 0, file, line);
    if (!array || !chunks || !source->ndim)
        return array;
    array->chunks = rk_array_memory(graph, source->ndim * sizeof *chunks);
    if (!array->chunks)
        return NULL;
    memcpy(array->chunks, chunks, source->ndim * sizeof *chunks);
    return array;
}

rask_array *rk_array_source(rask_graph *graph, rk_source *source, const int64_t *chunks, const char *file,
                            int line)
{
    if (!source)
        return NULL;
    rask_array *array = graph ? new_array(graph, source, chunks, file, line) : NULL;
    if (!array) {
        rk_source_unref(source);
        return NULL;
    }
    array->as.source = source;
    return rk_array_at_end(graph, end_source, source) ? NULL : array;
}

/* -- Reading boxes */

typedef struct reading {
    const rk_source *source;
    rk_box box;
    char *out;
    char *message;
    size_t capacity;
} reading;

static int fail_short(const reading *r)
{
    const rk_source *s = r->source;
    int64_t end = s->offset + (int64_t)r->box.size;
    struct stat file = {0};
    for (uint32_t i = 0; i < s->ndim; i++)
        end += (s->shape[i] - 1) * s->strides[i];
    fstat(s->fd, &file);
    snprintf(r->message, r->capacity,
             "%s: ends at byte %" PRId64 ", but the array needs bytes up to %" PRId64, s->path,
             (int64_t)file.st_size, end);
    return RASK_EIO;
}

/* All len bytes from place on. */
static int read_bytes(const reading *r, void *to, size_t len, int64_t place)
{
    int64_t got = rk_file_read(r->source->fd, to, len, place);
    if (got == (int64_t)len)
        return RASK_OK;
    if (got >= 0)
        return fail_short(r);
    snprintf(r->message, r->capacity, "%s: reading at byte %" PRId64 ": %s", r->source->path, place,
             strerror(errno));
    return RASK_EIO;
}

void rk_source_mend(rask_dtype dtype, bool swapped, void *data, size_t len)
{
    size_t size = rask_dtype_size(dtype);
    if (swapped && size > 1)
        rk_swap_bytes(len / size, dtype, data);
    unsigned char *bytes = data;
    for (size_t i = 0; dtype == RASK_DT_BOOL && i < len; i++)
        bytes[i] = bytes[i] != 0;
}

/* A run that lies in memory as in the file. */
static int read_run(const reading *r, char *to, int64_t len, int64_t place)
{
    for (int64_t done = 0; done < len; done += PIECE) {
        size_t piece = (size_t)(len - done < PIECE ? len - done : PIECE);
        int status = read_bytes(r, to + done, piece, place + done);
        if (status)
            return status;
        rk_source_mend(r->source->dtype, r->source->swapped, to + done, piece);
    }
    return RASK_OK;
}

static int read_runs(const reading *r)
{
    const rk_box *box = &r->box;
    uint32_t outer = box->ndim - 1;
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, file, memory;
    do {
        rk_box_locate(box, outer, index, &file, &memory);
        int status =
            read_run(r, r->out + memory, box->axes[outer].count * (int64_t)box->size, box->first + file);
        if (status)
            return status;
    } while (rk_box_next(box, outer, 1, index));
    return RASK_OK;
}

static int read_pieces(const reading *r, char *stage)
{
    const rk_box *box = &r->box;
    int64_t step, extent, file, memory, index[RASK_MAX_DIMENSIONS] = {0};
    uint32_t split = rk_box_split(box, STAGE, GAP, &step, &extent);
    do {
        int64_t left = box->axes[split].count - index[split], count = left < step ? left : step;
        size_t span = (size_t)((count - 1) * box->axes[split].file + extent);
        rk_box_locate(box, split + 1, index, &file, &memory);
        int status = read_bytes(r, stage, span, box->first + file);
        if (status)
            return status;
        rk_source_mend(r->source->dtype, r->source->swapped, stage, span);
        rk_box_unpack(box, split, count, stage, r->out + memory);
    } while (rk_box_next(box, split + 1, step, index));
    return RASK_OK;
}

static int read_staged(const reading *r)
{
    char *stage = rk_alloc(STAGE);
    int status = stage ? read_pieces(r, stage) : RASK_ENOMEM;
    if (!stage)
        snprintf(r->message, r->capacity, "%s: %s", r->source->path, rask_status_text(status));
    rk_free(stage);
    return status;
}

/* Whether the fastest axis is a run that is best read by itself. */
static bool has_long_runs(const rk_box *box)
{
    const rk_box_axis *run = &box->axes[box->ndim - 1];
    int64_t size = (int64_t)box->size, len = run->count * size;
    if (run->file != size || run->memory != size)
        return false;
    return box->ndim == 1 || len >= LONG_RUN || run[-1].file - len > GAP;
}

int rk_source_read(const rk_source *source, const int64_t *start, const int64_t *count, void *out,
                   const int64_t *out_strides, char *message, size_t capacity)
{
    reading r = {.source = source, .out = out, .message = message, .capacity = capacity};
    if (source->absent) {
        snprintf(message, capacity, "%s", source->absent);
        return RASK_EIO;
    }
    for (uint32_t i = 0; i < source->ndim; i++)
        if (!count[i])
            return RASK_OK;
    rk_box_init(&r.box, rask_dtype_size(source->dtype), source->ndim, source->offset, source->strides, start,
                count, out_strides);
    return has_long_runs(&r.box) ? read_runs(&r) : read_staged(&r);
}
