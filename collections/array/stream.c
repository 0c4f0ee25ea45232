#include "collections/array/stream.h"

#include "core/base/alloc.h"
#include "core/task/task.h"

static int64_t clip(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* -- Lowering */

void rk_region_all(const rask_array *a, rk_region *region)
{
    *region = (rk_region){.ndim = a->ndim};
    for (uint32_t i = 0; i < a->ndim; i++)
        region->count[i] = a->shape[i];
}

void rk_parts_cut(rk_lowering *l, rask_array *a, const rk_region *box, rk_parts *parts)
{
    rk_parts p = {.total = 1};
    if (box)
        p.box = *box;
    else
        rk_region_all(a, &p.box);
    rk_grid_choose(l, a, p.length);
    for (uint32_t i = 0; i < a->ndim; i++) {
        p.length[i] = clip(p.length[i], 1, p.box.count[i] ? p.box.count[i] : 1);
        p.count[i] = p.box.count[i] ? (p.box.count[i] + p.length[i] - 1) / p.length[i] : 1;
        p.total *= (uint64_t)p.count[i];
    }
    *parts = p;
}

void rk_parts_region(const rk_parts *p, uint64_t number, rk_region *region)
{
    *region = (rk_region){.ndim = p->box.ndim};
    for (uint32_t i = p->box.ndim; i-- > 0;) {
        int64_t start = (int64_t)(number % (uint64_t)p->count[i]) * p->length[i];
        number /= (uint64_t)p->count[i];
        region->start[i] = p->box.start[i] + start;
        region->count[i] = clip(p->length[i], 0, p->box.count[i] - start);
    }
}

int64_t rk_parts_largest(const rk_parts *p)
{
    rk_region first;
    rk_parts_region(p, 0, &first);
    return rk_shape_size(first.count, first.ndim);
}

static rask_node *call_of(rk_lowering *l, const rask_task_def *def, const rk_program *program,
                          const rk_region *region, const void *params, size_t size, rask_node *with,
                          uint64_t result_bytes, uint64_t scratch_bytes)
{
    return rk_job_call_with(l, def, program, region->start, region->count, params, size / sizeof(int64_t),
                            &with, with ? 1 : 0, result_bytes, scratch_bytes + rk_execute_scratch(program));
}

rask_node *rk_stream_call(rk_lowering *l, rask_array *a, const rask_task_def *def, const rk_region *region,
                          const void *params, size_t size, rask_node *with, uint64_t result_bytes,
                          uint64_t scratch_bytes)
{
    const rk_program *program = rk_lower_program(l, a, NULL, false);
    return program ? call_of(l, def, program, region, params, size, with, result_bytes, scratch_bytes) : NULL;
}

rask_node *rk_stream_call_along(rk_lowering *l, rask_array *a, uint32_t axis, const rask_task_def *def,
                                const rk_region *region, const void *params, size_t size, rask_node *with,
                                uint64_t result_bytes, uint64_t scratch_bytes)
{
    uint8_t axes[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i + 1 < a->ndim; i++)
        axes[i] = (uint8_t)(i < axis ? i : i + 1);
    axes[a->ndim - 1] = (uint8_t)axis;
    const rk_program *program = rk_lower_program(l, a, axes, false);
    return program ? call_of(l, def, program, region, params, size, with, result_bytes, scratch_bytes) : NULL;
}

/* Nodes become fewer, until one is left. */
static rask_node *merge_all(rk_lowering *l, const rk_gathering *how, rask_node **nodes, uint64_t count)
{
    while (count > 1) {
        uint64_t made = 0;
        for (uint64_t i = 0; i < count; i += RK_FAN_IN, made++) {
            uint64_t few = count - i < RK_FAN_IN ? count - i : RK_FAN_IN;
            nodes[made] = few == 1 ? nodes[i]
                                   : rk_lower_call(l, how->merge, how->params, how->size, nodes + i, few,
                                                   how->merge_bytes, how->merge_scratch);
            if (!nodes[made])
                return NULL;
        }
        count = made;
    }
    return nodes[0];
}

rask_node *rk_gather_parts(rk_lowering *l, rask_array *a, const rk_parts *parts, const rk_gathering *how)
{
    rask_node **nodes = rk_alloc_array(parts->total, sizeof *nodes), *all = NULL;
    if (!nodes) {
        rk_graph_fail(rk_lowering_graph(l), RASK_ENOMEM, NULL, 0, "no memory for %llu nodes",
                      (unsigned long long)parts->total);
        return NULL;
    }
    uint64_t i = 0;
    for (; i < parts->total; i++) {
        rk_region region;
        rk_parts_region(parts, i, &region);
        nodes[i] = rk_stream_call(l, a, how->part, &region, how->params, how->size, how->with,
                                  how->part_bytes, how->part_scratch);
        if (!nodes[i])
            break;
    }
    if (i == parts->total)
        all = merge_all(l, how, nodes, parts->total);
    rk_free(nodes);
    return all;
}

int rk_chunks_single(rk_lowering *l, const rask_array *a, rask_node *node, rk_chunks *chunks)
{
    int64_t lengths[RASK_MAX_DIMENSIONS];
    if (!node)
        return rask_graph_status(rk_lowering_graph(l));
    for (uint32_t i = 0; i < a->ndim; i++)
        lengths[i] = clip(a->shape[i], 1, INT64_MAX);
    int status = rk_grid_regular(l, chunks, a->ndim, a->shape, lengths);
    if (!status)
        chunks->nodes[0] = node;
    return status;
}

/* As much of an axis as keeps the whole within most elements. Returns what the chunk has then. */
static int64_t extend(int64_t *length, int64_t shape, int64_t size, int64_t most)
{
    *length = clip(most / size, 1, shape ? shape : 1);
    return size * *length;
}

void rk_lengths_along(uint32_t ndim, const int64_t *shape, uint32_t axis, size_t element, uint64_t run,
                      uint64_t bytes, int64_t least, int64_t *lengths)
{
    int64_t most = clip((int64_t)(bytes / element), 1, INT64_MAX);
    int64_t most_run = clip((int64_t)(run / element), 1, clip(most / clip(least, 1, most), 1, most));
    int64_t size = 1;
    for (uint32_t i = 0; i < ndim; i++)
        lengths[i] = 1;
    for (uint32_t i = ndim; i-- > axis + 1;)
        size = extend(&lengths[i], shape[i], size, most_run);
    size = extend(&lengths[axis], shape[axis], size, most);
    if (lengths[axis] < least && least <= shape[axis]) {
        size = size / lengths[axis] * least;
        lengths[axis] = least;
    }
    for (uint32_t i = ndim; i-- > 0;)
        if (i != axis)
            size = extend(&lengths[i], shape[i], size / lengths[i], most);
}

/* -- In the task */

int rk_stream_open(rask_task *task, size_t params_size, rk_stream *stream)
{
    *stream = (rk_stream){0};
    int status = rk_job_open(task, params_size / sizeof(int64_t), &stream->job);
    if (status)
        return status;
    const rk_execution *e = &stream->job.execution;
    stream->params = stream->job.extra;
    stream->ndim = e->program->ndim;
    stream->count = e->count;
    stream->size = (size_t)rk_shape_size(e->count, e->program->ndim);
    stream->dtype = e->program->dtype;
    return RASK_OK;
}

void rk_stream_close(rk_stream *stream)
{
    rk_job_close(&stream->job);
}

typedef struct stream_taker {
    void (*take)(void *context, size_t n, const void *elements);
    void *context;
} stream_taker;

static void take_strip(void *context, const rk_strip_at *at, const void *elements)
{
    const stream_taker *t = context;
    t->take(t->context, at->length, elements);
}

int rk_stream_run(rask_task *task, rk_stream *stream,
                  void (*take)(void *context, size_t n, const void *elements), void *context)
{
    stream_taker taker = {take, context};
    stream->job.execution.taker = (rk_taker){.context = &taker, .take = take_strip};
    return rk_execute(task, &stream->job.execution);
}

/* Rows of strips in C order. */
typedef struct stream_place {
    char *data;
    size_t row_bytes, strip_bytes;
} stream_place;

static void *place_strip(void *context, const rk_strip_at *at)
{
    const stream_place *p = context;
    return p->data + (size_t)at->row * p->row_bytes + (size_t)at->segment * p->strip_bytes;
}

/* Elements that lie in a file as they are wanted, without a detour through strips. False: they do not. */
static bool read_directly(rask_task *task, const rk_stream *stream, void *out, int *status)
{
    const rk_execution *e = &stream->job.execution;
    const rk_program *p = e->program;
    const rk_leaf *leaf = &p->leaves[p->result];
    int64_t strides[RASK_MAX_DIMENSIONS], size = (int64_t)rask_dtype_size(p->dtype), step = size;
    rk_source view = {.kind = RK_SOURCE_FILE, .dtype = p->dtype, .ndim = p->ndim};
    if (p->instruction_count || leaf->kind != RK_LEAF_FILE || !p->ndim || !stream->size ||
        leaf->strides[p->ndim - 1] != size)
        return false;
    for (uint32_t i = p->ndim; i-- > 0; step *= e->count[i]) {
        if (leaf->strides[i] < step)
            return false;
        strides[i] = step;
        view.shape[i] = p->shape[i];
        view.strides[i] = leaf->strides[i];
    }
    view.fd = leaf->source->fd;
    view.offset = leaf->offset;
    view.swapped = leaf->source->swapped;
    view.path = leaf->source->path;
    view.absent = leaf->source->absent;
    char message[RK_MAX_MESSAGE];
    *status = rk_source_read(&view, e->start, e->count, out, strides, message, sizeof message);
    if (*status)
        rask_fail(task, *status, message);
    return true;
}

int rk_stream_read(rask_task *task, rk_stream *stream, void *out)
{
    int status;
    if (read_directly(task, stream, out, &status))
        return status;
    const int64_t one = 1, *count = stream->ndim ? stream->count : &one;
    size_t size = rask_dtype_size(stream->dtype);
    rk_striping s = rk_striping_of(count, stream->ndim ? stream->ndim : 1, 0);
    stream_place place = {.data = out,
                          .row_bytes = (size_t)(count[s.segmented] * s.inner) * size,
                          .strip_bytes = (size_t)(s.segment * s.inner) * size};
    stream->job.execution.taker = (rk_taker){.context = &place, .place = place_strip};
    return rk_execute(task, &stream->job.execution);
}

size_t rk_stream_with(const rask_task *task)
{
    return rask_arg_count(task) - 1;
}
