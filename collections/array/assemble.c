/* Params of an assemble call are 64-bit words: a head, then the parts one after another:
 *   dtype, ndim, shape[16], fill (2 words), parts
 *   each part: source, ndim, in, out, then count, in, out of each axis */
#include "collections/array/assemble.h"

#include "core/base/ascending.h"
#include "core/task/task.h"

#include <string.h>

enum {
    HEAD_DTYPE,
    HEAD_NDIM,
    HEAD_SHAPE,
    HEAD_FILL = HEAD_SHAPE + RASK_MAX_DIMENSIONS,
    HEAD_WORDS = HEAD_FILL + 2,
    PART_WORDS = 4, /* without its axes */
    LONG_RUN = 32,  /* bytes from which on memcpy() beats a loop */
};

/* -- Copying */

typedef struct wide {
    uint64_t half[2];
} wide;

/* Two axes, a inside b. Elements may be anywhere: sources borrowed from users need not be aligned. */
#define COPY_2D(name, type)                                                                                  \
    static void name(const rk_part_axis *b, const rk_part_axis *a, const char *in, char *out)                \
    {                                                                                                        \
        int64_t in_step = a->in * (int64_t)sizeof(type), out_step = a->out * (int64_t)sizeof(type);          \
        for (int64_t i = 0; i < b->count; i++) {                                                             \
            const char *from = in + i * b->in * (int64_t)sizeof(type);                                       \
            char *to = out + i * b->out * (int64_t)sizeof(type);                                             \
            for (int64_t j = 0; j < a->count; j++, from += in_step, to += out_step)                          \
                memcpy(to, from, sizeof(type));                                                              \
        }                                                                                                    \
    }
COPY_2D(copy_1, uint8_t)
COPY_2D(copy_2, uint16_t)
COPY_2D(copy_4, uint32_t)
COPY_2D(copy_8, uint64_t)
COPY_2D(copy_16, wide)

static void copy_rows(const rk_part_axis *b, const rk_part_axis *a, size_t size, const char *in, char *out)
{
    int64_t in_step = b->in * (int64_t)size, out_step = b->out * (int64_t)size;
    size_t run = (size_t)a->count * size;
    for (int64_t i = 0; i < b->count; i++)
        memcpy(out + i * out_step, in + i * in_step, run);
}

static void copy_plane(const rk_part_axis *b, const rk_part_axis *a, size_t size, const char *in, char *out)
{
    if (a->in == 1 && a->out == 1 && (uint64_t)a->count * size >= LONG_RUN) {
        copy_rows(b, a, size, in, out);
        return;
    }
    if (a->count < b->count && a->count < 8) { /* short rows: count the long axis inside */
        const rk_part_axis *swapped = a;
        a = b;
        b = swapped;
    }
    switch (size) {
    case 1: copy_1(b, a, in, out); break;
    case 2: copy_2(b, a, in, out); break;
    case 4: copy_4(b, a, in, out); break;
    case 8: copy_8(b, a, in, out); break;
    default: copy_16(b, a, in, out);
    }
}

void rk_part_copy(const rk_part *part, size_t size, const void *in, void *out)
{
    static const rk_part_axis one = {1, 0, 0};
    int64_t index[RK_PART_AXES] = {0}, from = part->in, to = part->out;
    uint32_t outer = part->ndim < 2 ? 0 : part->ndim - 2;
    const rk_part_axis *a = part->ndim ? &part->axes[part->ndim - 1] : &one;
    const rk_part_axis *b = part->ndim > 1 ? &part->axes[outer] : &one;
    for (uint32_t i = 0; i < part->ndim; i++)
        if (!part->axes[i].count)
            return;
    for (;;) {
        copy_plane(b, a, size, (const char *)in + from * (int64_t)size, (char *)out + to * (int64_t)size);
        uint32_t k = outer;
        for (; k > 0; k--) {
            const rk_part_axis *axis = &part->axes[k - 1];
            from += axis->in;
            to += axis->out;
            if (++index[k - 1] < axis->count)
                break;
            from -= axis->in * axis->count;
            to -= axis->out * axis->count;
            index[k - 1] = 0;
        }
        if (!k)
            return;
    }
}

void rk_part_simplify(rk_part *part)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < part->ndim; i++) {
        rk_part_axis axis = part->axes[i];
        if (axis.count == 1)
            continue;
        rk_part_axis *above = kept ? &part->axes[kept - 1] : NULL;
        if (above && above->in == axis.in * axis.count && above->out == axis.out * axis.count)
            *above = (rk_part_axis){above->count * axis.count, axis.in, axis.out};
        else
            part->axes[kept++] = axis;
    }
    part->ndim = kept;
}

void rk_part_box(rk_part *part, uint32_t source, uint32_t ndim, const int64_t *count, const int64_t *in_shape,
                 const int64_t *in_start, const int64_t *out_shape, const int64_t *out_start)
{
    int64_t in_stride = 1, out_stride = 1;
    *part = (rk_part){.source = source, .ndim = ndim};
    for (uint32_t i = ndim; i-- > 0;) {
        part->axes[i] = (rk_part_axis){count[i], in_stride, out_stride};
        part->in += in_start[i] * in_stride;
        part->out += out_start[i] * out_stride;
        in_stride *= in_shape[i];
        out_stride *= out_shape[i];
    }
}

/* -- The task */

/* Words of params, read in order. */
typedef struct reader {
    const char *data;
    size_t left; /* words */
} reader;

static bool read_words(reader *r, int64_t *out, size_t count)
{
    if (r->left < count)
        return false;
    memcpy(out, r->data, count * sizeof *out);
    r->data += count * sizeof *out;
    r->left -= count;
    return true;
}

static bool read_part(reader *r, rk_part *part)
{
    int64_t head[PART_WORDS];
    if (!read_words(r, head, PART_WORDS) || head[1] < 0 || head[1] > RK_PART_AXES)
        return false;
    *part = (rk_part){.source = (uint32_t)head[0], .ndim = (uint32_t)head[1], .in = head[2], .out = head[3]};
    _Static_assert(sizeof(rk_part_axis) == 3 * sizeof(int64_t), "axes are read as words");
    return read_words(r, (int64_t *)part->axes, 3 * (size_t)part->ndim);
}

/* Whether all of a run of strides stays within 0 … elements - 1. */
static bool within(const rk_part *part, bool in, int64_t elements)
{
    int64_t low = in ? part->in : part->out, high = low;
    for (uint32_t i = 0; i < part->ndim; i++) {
        int64_t reach, stride = in ? part->axes[i].in : part->axes[i].out;
        if (part->axes[i].count <= 0)
            return part->axes[i].count == 0;
        if (__builtin_mul_overflow(part->axes[i].count - 1, stride, &reach) ||
            __builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high))
            return false;
    }
    return low >= 0 && high < elements;
}

/* Where source number `number` has its elements; NULL after failing the task. */
static const char *source_of(rask_task *task, const rk_part *part, rask_dtype dtype, const int64_t *fill)
{
    rask_block block;
    int64_t elements = 1;
    const char *data = (const char *)fill;
    if (part->source != RK_PART_FILL) {
        if (rask_arg_block(task, 1 + (size_t)part->source, &block))
            return NULL;
        if (block.dtype != dtype) {
            rk_task_fail(task, RASK_ETYPE, "source %u has another dtype than the result", part->source);
            return NULL;
        }
        elements = rk_shape_size(block.shape, block.ndim);
        data = block.data;
    }
    if (!within(part, true, elements)) {
        rk_task_fail(task, RASK_EINVAL, "source %u has only %lld elements", part->source,
                     (long long)elements);
        return NULL;
    }
    return data;
}

static int copy_parts(rask_task *task, reader *r, const int64_t *head, const rask_block *result)
{
    rk_part part;
    int64_t elements = rk_shape_size(result->shape, result->ndim);
    while (r->left) {
        if (!read_part(r, &part) || !within(&part, false, elements))
            return rk_task_fail(task, RASK_EINVAL, "malformed parameters");
        const char *in = source_of(task, &part, result->dtype, head + HEAD_FILL);
        if (!in)
            return task->status;
        rk_part_copy(&part, rask_dtype_size(result->dtype), in, result->data);
    }
    return RASK_OK;
}

int rk_assemble_call(rask_task *task)
{
    rask_bytes bytes = rask_arg_bytes(task, 0);
    reader r = {bytes.data, bytes.len / sizeof(int64_t)};
    int64_t head[HEAD_WORDS];
    rask_block block;
    rask_value value;
    if (!read_words(&r, head, HEAD_WORDS))
        return rk_task_fail(task, RASK_EINVAL, "malformed parameters");
    int status = rk_task_result(task, (rask_dtype)head[HEAD_DTYPE], (uint32_t)head[HEAD_NDIM],
                                head + HEAD_SHAPE, &block, &value);
    if (status)
        return status;
    status = copy_parts(task, &r, head, &block);
    if (!status)
        return rask_return_value(task, value);
    rask_value_unref(&value);
    return status;
}

/* -- Building the call */

static void push_words(rk_assembly *a, const int64_t *words, size_t count)
{
    if (a->failed || rk_array_reserve(&a->words, count)) {
        a->failed = true;
        return;
    }
    memcpy((int64_t *)a->words.data + a->words.count, words, count * sizeof *words);
    a->words.count += count;
}

void rk_assembly_init(rk_assembly *a, rk_lowering *lowering, const rask_task_def *def, rask_dtype dtype,
                      uint32_t ndim, const int64_t *shape, const void *fill)
{
    int64_t head[HEAD_WORDS] = {[HEAD_DTYPE] = dtype, [HEAD_NDIM] = ndim};
    *a = (rk_assembly){.lowering = lowering,
                       .def = def,
                       .nodes = RK_ARRAY(rask_node *, UINT32_MAX / 2),
                       .words = RK_ARRAY(int64_t, SIZE_MAX / 16)};
    for (uint32_t i = 0; i < ndim; i++)
        head[HEAD_SHAPE + i] = shape[i];
    if (fill)
        memcpy(head + HEAD_FILL, fill, rask_dtype_size(dtype));
    a->result_bytes = (uint64_t)rk_shape_size(shape, ndim) * rask_dtype_size(dtype);
    push_words(a, head, HEAD_WORDS);
}

uint32_t rk_assembly_source(rk_assembly *a, rask_node *node)
{
    rask_node **place = a->failed || !node ? NULL : rk_array_push(&a->nodes);
    if (!place) {
        a->failed = true;
        return 0;
    }
    *place = node;
    return (uint32_t)(a->nodes.count - 1);
}

void rk_assembly_part(rk_assembly *a, const rk_part *part)
{
    rk_part simple = *part;
    rk_part_simplify(&simple);
    int64_t head[PART_WORDS] = {simple.source, simple.ndim, simple.in, simple.out};
    push_words(a, head, PART_WORDS);
    push_words(a, (const int64_t *)simple.axes, 3 * (size_t)simple.ndim);
}

rask_node *rk_assembly_finish(rk_assembly *a)
{
    rask_node *node = NULL;
    if (!a->failed)
        node = rk_lower_call(a->lowering, a->def, a->words.data, a->words.count * sizeof(int64_t),
                             a->nodes.data, a->nodes.count, a->result_bytes, 0);
    else /* a NULL source has latched its own failure before */
        rk_graph_fail(rk_lowering_graph(a->lowering), RASK_ENOMEM, NULL, 0, "%s: no memory for its parts",
                      a->def->name);
    rk_array_fini(&a->nodes);
    rk_array_fini(&a->words);
    return node;
}

/* -- Regions of chunks */

/* The chunks that a region meets: numbers first … first + count - 1 of each axis. */
static void chunks_met(const rk_chunks *chunks, const rk_region *region, int64_t *first, int64_t *count)
{
    for (uint32_t i = 0; i < chunks->ndim; i++) {
        int64_t end = region->start[i] + region->count[i];
        size_t chunk_count = (size_t)chunks->count[i];
        first[i] = (int64_t)rk_last_at(chunks->bounds[i], chunk_count, region->start[i]);
        int64_t last =
            (int64_t)rk_last_at(chunks->bounds[i], chunk_count, end > region->start[i] ? end - 1 : end);
        count[i] = last - first[i] + 1;
    }
}

static int64_t number_of(const rk_chunks *chunks, const int64_t *index)
{
    int64_t number = 0;
    for (uint32_t i = 0; i < chunks->ndim; i++)
        number = number * chunks->count[i] + index[i];
    return number;
}

/* Adds the part that chunk and region have in common. */
static void add_common(rk_assembly *a, const rk_region *chunk, rask_node *node, const rk_region *region)
{
    int64_t count[RASK_MAX_DIMENSIONS], in[RASK_MAX_DIMENSIONS], out[RASK_MAX_DIMENSIONS];
    rk_part part;
    for (uint32_t i = 0; i < region->ndim; i++) {
        int64_t start = chunk->start[i] > region->start[i] ? chunk->start[i] : region->start[i];
        int64_t chunk_end = chunk->start[i] + chunk->count[i], end = region->start[i] + region->count[i];
        count[i] = (chunk_end < end ? chunk_end : end) - start;
        if (count[i] <= 0)
            return;
        in[i] = start - chunk->start[i];
        out[i] = start - region->start[i];
    }
    uint32_t source = rk_assembly_source(a, node);
    rk_part_box(&part, source, region->ndim, count, chunk->count, in, region->count, out);
    rk_assembly_part(a, &part);
}

rask_node *rk_chunks_take(rk_lowering *lowering, const rask_task_def *def, const rk_chunks *chunks,
                          rask_dtype dtype, const rk_region *region)
{
    int64_t first[RASK_MAX_DIMENSIONS], count[RASK_MAX_DIMENSIONS], step[RASK_MAX_DIMENSIONS] = {0};
    int64_t index[RASK_MAX_DIMENSIONS];
    rk_region chunk;
    rk_assembly a;
    chunks_met(chunks, region, first, count);
    rk_chunks_region(chunks, first, &chunk);
    if (!memcmp(chunk.start, region->start, chunks->ndim * sizeof *chunk.start) &&
        !memcmp(chunk.count, region->count, chunks->ndim * sizeof *chunk.count))
        return chunks->nodes[number_of(chunks, first)];
    rk_assembly_init(&a, lowering, def, dtype, region->ndim, region->count, NULL);
    do {
        for (uint32_t i = 0; i < chunks->ndim; i++)
            index[i] = first[i] + step[i];
        rk_chunks_region(chunks, index, &chunk);
        add_common(&a, &chunk, chunks->nodes[number_of(chunks, index)], region);
    } while (rk_index_next(step, count, chunks->ndim));
    return rk_assembly_finish(&a);
}
