/* Into files: a task for each box that computes it and one that writes it, and the file's name at the end. */
#include "collections/array/computation.h"
#include "collections/array/cuts.h"
#include "collections/array/rechunk.h"
#include "collections/array/source.h"
#include "collections/array/storing.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

static void keep_sink(void *sink)
{
    (void)sink; /* it ends with the storing */
}

/* No other process has the sink, unless it was forked from this one. */
static const rask_class sink_class = {.name = "array file", .destroy = keep_sink};

static int run_write(rask_task *task)
{
    const rk_region *region = rk_task_params(task, sizeof *region);
    rk_sink *sink = region ? rask_arg_custom(task, 1, &sink_class) : NULL;
    rask_block block;
    char message[RK_MAX_MESSAGE];
    if (!sink)
        return task->status;
    int status = rask_arg_block(task, 2, &block);
    if (status)
        return status;
    status = sink->write(sink, region->start, region->count, block.data, message, sizeof message);
    return status ? rask_fail(task, status, message) : rask_return_none(task);
}

static const rask_task_def write_defs[] =
    RK_DEFS_BY_PLACE(.name = "write", .call = run_write, .result = RASK_SIG_NONE);

enum { LONG_RUN = 32 << 10, LARGE_BOX = 64 << 10 };

/* Own chunks that are worth a write each, with runs that are long in the file. */
static bool suit_files(const rask_array *a, const int64_t *lengths)
{
    int64_t size = (int64_t)rask_dtype_size(a->dtype), run = lengths[a->ndim - 1];
    return rk_shape_size(lengths, a->ndim) * size >= LARGE_BOX &&
           (run * size >= LONG_RUN || run == a->shape[a->ndim - 1]);
}

/* The lengths of a's own chunks; RASK_OK, or latched. */
static int own_lengths(rk_lowering *l, rask_array *a, int64_t *lengths)
{
    rk_chunks grid;
    int status = rk_grid_of(l, a, &grid);
    for (uint32_t i = 0; i < a->ndim && !status; i++)
        lengths[i] = rk_grid_longest(&grid, i) > 0 ? rk_grid_longest(&grid, i) : 1;
    return status;
}

/* Chunks of these lengths are unions of whole chunks of the sink, and no more than bytes. */
static bool suit_chunks(const rk_sink *sink, const rask_array *a, const int64_t *lengths, uint64_t bytes)
{
    double size = (double)rask_dtype_size(a->dtype);
    for (uint32_t i = 0; i < a->ndim; i++) {
        size *= (double)lengths[i];
        if (lengths[i] % sink->chunk[i] && lengths[i] < a->shape[i])
            return false;
    }
    return size <= (double)bytes;
}

/* Boxes for a file in chunks: one of its chunks, or as many as a task works on. */
static int choose_chunks(rk_lowering *l, const rk_sink *sink, rask_array *a, int64_t *lengths)
{
    size_t element = rask_dtype_size(a->dtype);
    if (rk_array_is_chunked(a)) {
        int status = own_lengths(l, a, lengths);
        if (status || suit_chunks(sink, a, lengths, rk_lowering_chunk_bytes(l)))
            return status;
    }
    memcpy(lengths, sink->chunk, a->ndim * sizeof *lengths);
    rk_grid_multiply(rk_lowering_part_bytes(l, (uint64_t)rk_shape_size(a->shape, a->ndim) * element), element,
                     a->ndim, a->shape, lengths);
    return RASK_OK;
}

/* Lengths of the boxes to write: a's own chunks where they suit. */
static int choose_boxes(rk_lowering *l, const rk_sink *sink, rask_array *a, int64_t *lengths)
{
    if (a->ndim && sink->chunk[0])
        return choose_chunks(l, sink, a, lengths);
    rk_grid_choose(l, a, lengths);
    if (a->ndim && rk_array_is_chunked(a)) {
        int64_t own[RASK_MAX_DIMENSIONS];
        int status = own_lengths(l, a, own);
        if (status)
            return status;
        if (suit_files(a, own))
            memcpy(lengths, own, a->ndim * sizeof *own);
    }
    return RASK_OK;
}

/* The boxes to write, with the nodes that make them. */
static int lower_boxes(rk_lowering *l, const rk_sink *sink, rask_array *a, rk_chunks *boxes)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, lengths[RASK_MAX_DIMENSIONS];
    rk_region region;
    int status = choose_boxes(l, sink, a, lengths);
    if (status)
        return status;
    if (a->ndim && rk_array_is_chunked(a))
        return rk_rechunk_lower(l, a, lengths, boxes);
    status = rk_grid_regular(l, boxes, a->ndim, a->shape, lengths);
    for (int64_t i = 0; !status && i < rk_chunks_total(boxes); i++) {
        rk_chunks_region(boxes, index, &region);
        boxes->nodes[i] = rk_lower_region(l, a, &region);
        status = boxes->nodes[i] ? RASK_OK : rk_lowering_failure(l);
        rk_index_next(index, boxes->count, boxes->ndim);
    }
    return status;
}

static int lower_write(rk_computation *c, rask_array *a, rk_sink *sink)
{
    rk_lowering *l = c->lowering;
    rk_chunks boxes;
    rk_region region;
    rask_node *nodes[2] = {rk_lower_constant(l, &sink_class, sink)};
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    bool bound = sink->bound || !rask_scheduler_sees_memory(c->options.scheduler);
    int status = nodes[0] ? lower_boxes(l, sink, a, &boxes) : rk_lowering_failure(l);
    for (int64_t i = 0; !status && i < rk_chunks_total(&boxes); i++) {
        memset(&region, 0, sizeof region);
        rk_chunks_region(&boxes, index, &region);
        uint64_t bytes = (uint64_t)rk_shape_size(region.count, a->ndim) * rask_dtype_size(a->dtype);
        nodes[1] = boxes.nodes[i];
        status =
            rk_computation_add_target(c, rk_lower_call(l, &write_defs[bound], &region, sizeof region, nodes,
                                                       2, 0, sink->scratch < bytes ? sink->scratch : bytes));
        rk_index_next(index, boxes.count, boxes.ndim);
    }
    return status;
}

/* The options, with the chunks that the user wished for the array where they say nothing of chunks. */
static const rask_store_options *with_wish(const rask_store_options *options, const rask_array *a,
                                           rask_store_options *own)
{
    const int64_t *wish = rk_rechunk_wish(a);
    if (!wish || (options && (!options->size || options->size > sizeof *own)))
        return options;
    *own = (rask_store_options){0};
    if (options)
        memcpy(own, options, options->size);
    own->size = sizeof *own;
    own->chunks = own->chunks ? own->chunks : wish;
    return own;
}

static int open_sink(rk_computation *c, const rask_store_target *target, rk_sink **sink)
{
    rk_open_error error = {0};
    rask_store_options own;
    const rask_array *a = target->array;
    if (!target->path)
        return rk_graph_report(c->graph, RASK_EINVAL, "store: no path");
    *sink =
        rk_sink_open(target->path, with_wish(target->options, a, &own), a->dtype, a->ndim, a->shape, &error);
    return *sink ? RASK_OK : rk_graph_report(c->graph, error.status, "store: %s", error.message);
}

/* Each sink ends here: with its file in place, or without a trace. A file that cannot be put in place is an error, but
 * those before it stay. */
static int close_sinks(rk_computation *c, rk_sink **sinks, uint32_t count, int status)
{
    char message[RK_MAX_MESSAGE];
    for (uint32_t i = 0; i < count; i++) {
        if (!sinks[i])
            continue;
        if (status) {
            sinks[i]->abort(sinks[i]);
            continue;
        }
        status = sinks[i]->commit(sinks[i], message, sizeof message);
        if (status)
            rk_graph_report(c->graph, status, "store: %s", message);
    }
    return status;
}

int rk_storing_begin(rk_storing *s, const rask_store_target *targets, uint32_t count,
                     const rask_options *options)
{
    *s = (rk_storing){.count = count};
    rask_array **arrays = rk_alloc_array(count, sizeof *arrays);
    s->sinks = rk_calloc(count, sizeof *s->sinks);
    bool room = arrays && s->sinks;
    for (uint32_t i = 0; room && i < count; i++)
        arrays[i] = targets[i].array;
    int status = RASK_ENOMEM;
    if (room)
        status = rk_computation_begin(&s->computation, arrays, count, options);
    else if (targets[0].array)
        rk_graph_report(targets[0].array->graph, status, "store: no memory for %u targets", count);
    s->begun = room;
    for (uint32_t i = 0; i < count && !status; i++)
        status = open_sink(&s->computation, &targets[i], &s->sinks[i]);
    for (uint32_t i = 0; i < count && !status; i++)
        status = lower_write(&s->computation, targets[i].array, s->sinks[i]);
    rk_free((void *)arrays);
    return status;
}

int rk_storing_end(rk_storing *s, bool ran, int status)
{
    rk_computation *c = &s->computation;
    if (s->begun) {
        int before = status;
        status = close_sinks(c, s->sinks, s->count, ran || status ? status : RASK_ECANCELLED);
        if (!ran)
            status = before;
        else if (!before && status) { /* the message is of the closing */
            rask_graph_free(c->own);
            c->own = NULL;
        }
        status = rk_computation_end(c, status);
    }
    rk_free((void *)s->sinks);
    return status;
}

int rask_array_store(const rask_store_target *targets, uint32_t count, const rask_options *options)
{
    rk_storing s;
    if (!targets || !count)
        return RASK_EINVAL;
    int status = rk_storing_begin(&s, targets, count, options);
    bool ran = !status;
    if (ran)
        status = rk_computation_run(&s.computation);
    return rk_storing_end(&s, ran, status);
}

int rask_array_write(rask_array *array, const char *path, const rask_options *options)
{
    const rask_store_target target = {.array = array, .path = path};
    return rask_array_store(&target, 1, options);
}
