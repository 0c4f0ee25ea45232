/* Results: nodes, numbers, memory.
 *
 * What is computed at once is lowered into a graph of its own, which ends with the call, so that computing again and
 * again does not make the user's graph grow; unless the array is made of nodes of the user's. */
#include "collections/array/computation.h"

#include "collections/array/copy.h"
#include "collections/array/job.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* -- One number ----------------------------------------------------------------------------------------------- */

static int return_number(rask_task *task, rask_dtype dtype, const void *data)
{
    uint64_t large;
    int64_t whole;
    double real;
    switch (dtype) {
    case RASK_DT_BOOL: return rask_return_bool(task, *(const bool *)data);
    case RASK_DT_U64:
        memcpy(&large, data, sizeof large);
        if (large > INT64_MAX)
            return rk_task_fail(task, RASK_ERANGE, "%llu is no i64", (unsigned long long)large);
        return rask_return_i64(task, (int64_t)large);
    case RASK_DT_F32:
    case RASK_DT_F64: rk_cast_find(dtype, RASK_DT_F64)(1, &real, data); return rask_return_f64(task, real);
    default: rk_cast_find(dtype, RASK_DT_I64)(1, &whole, data); return rask_return_i64(task, whole);
    }
}

static int run_number(rask_task *task)
{
    rask_block block;
    int status = rask_arg_block(task, 0, &block);
    if (status)
        return status;
    if (rk_dtype_is_complex(block.dtype))
        return rask_return_value(task, rask_value_ref(rask_arg_value(task, 0)));
    return return_number(task, block.dtype, block.data);
}

static const rask_task_def number_def = {
    .size = sizeof(rask_task_def), .name = "number", .call = run_number, .flags = RASK_PURE | RASK_CHEAP};

rask_node *rk_lower_number(rk_lowering *l, rask_array *a)
{
    rask_node *node = rk_lower_whole(l, a);
    return node ? rask_call_at(rk_lowering_graph(l), &number_def,
                               &(rask_arg){.kind = RASK_ARG_NODE, .as.node = node}, 1, NULL, 0)
                : NULL;
}

/* -- Beginning and ending --------------------------------------------------------------------------------------- */

/* Puts an array on the list, once. */
static int reach(rk_array *list, bool *seen, rask_array *a)
{
    if (seen[a->number])
        return RASK_OK;
    rask_array **place = rk_array_push(list);
    if (!place)
        return RASK_ENOMEM;
    seen[a->number] = true;
    *place = a;
    return RASK_OK;
}

int rk_computation_reach(rask_array *const *arrays, uint32_t count, rk_array *list)
{
    uint32_t most = 0;
    *list = (rk_array)RK_ARRAY(rask_array *, UINT32_MAX);
    for (uint32_t i = 0; i < count; i++)
        most = arrays[i]->number > most ? arrays[i]->number : most;
    bool *seen =
        rk_calloc((size_t)most + 1, sizeof *seen); /* inputs have smaller numbers than what uses them */
    int status = seen ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++)
        status = reach(list, seen, arrays[i]);
    for (size_t i = 0; i < list->count && !status; i++) {
        const rask_array *a = ((rask_array **)list->data)[i];
        for (uint32_t k = 0; k < a->input_count && !status; k++)
            status = reach(list, seen, a->inputs[k]);
    }
    rk_free(seen);
    return status;
}

/* Whether some array in reach is made of nodes. */
static int uses_nodes(rask_array *const *arrays, uint32_t count, bool *uses)
{
    rk_array list;
    int status = rk_computation_reach(arrays, count, &list);
    *uses = false;
    for (size_t i = 0; i < list.count; i++) {
        const rask_array *a = ((rask_array **)list.data)[i];
        *uses |= a->kind == RK_OPAQUE && a->as.opaque->own_graph;
    }
    rk_array_fini(&list);
    return status;
}

/* Arrays there are, of one graph without errors. */
static int check_arrays(rask_array *const *arrays, uint32_t count, rask_graph **graph)
{
    *graph = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (!arrays[i])
            return RASK_EGRAPH;
        *graph = *graph ? *graph : arrays[i]->graph;
        if (arrays[i]->graph != *graph)
            return rk_graph_report(*graph, RASK_EINVAL, "compute: arrays of different graphs");
    }
    return *graph ? rask_graph_status(*graph) && (*graph)->status ? (*graph)->status : RASK_OK : RASK_EINVAL;
}

/* The graph reports status; what it has already said of it stays. */
static int report_status(const rk_computation *c, int status)
{
    bool said = c->graph && status && rask_graph_status(c->graph);
    return said ? status : rk_graph_report(c->graph, status, "compute: %s", rask_status_text(status));
}

int rk_computation_begin(rk_computation *c, rask_array *const *arrays, uint32_t count,
                         const rask_options *options)
{
    bool uses;
    *c = (rk_computation){.targets = RK_ARRAY(rask_node *, UINT32_MAX)};
    int status = check_arrays(arrays, count, &c->graph);
    if (!status) {
        rk_graph_report(c->graph, RASK_OK, "%s", "");
        status = rask_options_effective(options, &c->options);
    }
    if (!status)
        status = uses_nodes(arrays, count, &uses);
    if (!status && !uses && !(c->own = rask_graph_new()))
        status = RASK_ENOMEM;
    if (!status) {
        c->lowering = rk_lowering_new(uses ? c->graph : c->own, c->options.memory, c->options.workers);
        status = c->lowering ? RASK_OK : RASK_ENOMEM;
    }
    if (!status && rask_scheduler_sees_memory(c->options.scheduler))
        rk_lowering_share_files(c->lowering, c->options.scratch);
    return report_status(c, status);
}

int rk_computation_add_target(rk_computation *c, rask_node *node)
{
    rask_node **place = node ? rk_array_push(&c->targets) : NULL;
    if (place)
        *place = node;
    return place ? RASK_OK : node ? RASK_ENOMEM : rk_lowering_graph(c->lowering)->status;
}

/* Ends everything; what went wrong is the user's graph's error. */
int rk_computation_end(rk_computation *c, int status)
{
    int own = c->own ? rask_graph_status(c->own) : RASK_OK;
    if (status == RASK_EGRAPH && own)
        status = own; /* lowering failed, and not the user's building */
    if (status && own)
        rk_graph_report(c->graph, status, "%s", rask_graph_error(c->own));
    else
        report_status(c, status);
    rk_lowering_free(c->lowering);
    rask_graph_free(c->own);
    rk_array_fini(&c->targets);
    return status;
}

/* Runs the targets for what they do. */
int rk_computation_run(rk_computation *c)
{
    size_t count = c->targets.count;
    rask_value *results = rk_calloc(count + 1, sizeof *results);
    if (!results)
        return RASK_ENOMEM;
    int status = count ? rask_compute_values(c->targets.data, count, &c->options, results) : RASK_OK;
    for (size_t i = 0; i < count && !status; i++)
        rask_value_unref(&results[i]);
    rk_free(results);
    return status;
}

rask_node *rask_array_node_at(rask_array *array, const rask_options *options, const char *file, int line)
{
    if (!array || array->graph->status)
        return NULL;
    rk_lowering *l = rk_lowering_for_nodes(array->graph, options, "rask_array_node", file, line);
    if (!l)
        return NULL;
    rask_node *node = array->ndim ? rk_lower_whole(l, array) : rk_lower_number(l, array);
    rk_lowering_free(l);
    return node;
}

/* Before anything is computed. */
static bool may_go_into(rask_dtype dtype, rask_out_kind kind)
{
    return (unsigned)kind >= RASK_OUT_VALUE ||
           (!rk_dtype_is_complex(dtype) && (kind == RASK_OUT_F64 || !rk_dtype_is_float(dtype)));
}

int rask_array_compute_out(rask_array *array, const rask_options *options, rask_out_kind kind, void *out)
{
    static const char *const types[] = {"a bool", "an int64_t", "a double"};
    rk_computation c;
    char text[RK_SHAPE_TEXT];
    int status = rk_computation_begin(&c, &array, 1, options);
    if (!status && rask_array_size(array) != 1)
        status = rk_graph_report(c.graph, RASK_ETYPE, "compute: an array of shape %s is no single number",
                                 rk_shape_text(array->shape, array->ndim, text));
    if (!status && !may_go_into(array->dtype, kind))
        status = rk_graph_report(c.graph, RASK_ETYPE,
                                 "compute: the array is of %s: its number goes into a %s, not into %s",
                                 rask_dtype_name(array->dtype),
                                 rk_dtype_is_complex(array->dtype) ? "rask_value" : "double", types[kind]);
    if (!status) {
        rask_node *node = rk_lower_number(c.lowering, array);
        status = node ? rask_compute_out(node, &c.options, kind, out) : rk_lowering_graph(c.lowering)->status;
    }
    return rk_computation_end(&c, status);
}

/* -- Into memory ------------------------------------------------------------------------------------------------ */

typedef struct into_words {
    int64_t data;                         /* of the box's first element */
    int64_t strides[RASK_MAX_DIMENSIONS]; /* bytes */
} into_words;

enum { INTO_WORDS = sizeof(into_words) / sizeof(int64_t) };

typedef struct into {
    const rk_execution *e;
    const into_words *w;
    rk_striping strips;
    size_t size;
} into;

static void take_into(void *context, const rk_strip_at *at, const void *elements)
{
    const into *t = context;
    const int64_t *count = t->e->count;
    uint32_t ndim = t->e->program->ndim, q = t->strips.segmented, n = ndim ? ndim - q : 0;
    char *out = (char *)(intptr_t)t->w->data;
    int64_t row = at->row, box[RASK_MAX_DIMENSIONS], from[RASK_MAX_DIMENSIONS];
    for (uint32_t i = ndim ? q : 0; i-- > 0; row /= count[i])
        out += row % count[i] * t->w->strides[i];
    if (n)
        out += at->segment * t->strips.segment * t->w->strides[q];
    for (uint32_t i = 0; i < n; i++)
        box[i] = i ? count[q + i] : (int64_t)at->length / t->strips.inner;
    rk_dense_strides(n, box, t->size, from);
    rk_copy_box(n, box, t->size, out, t->w->strides + q, elements, from);
}

static int run_into(rask_task *task)
{
    rk_job job;
    const int64_t one = 1;
    int status = rk_job_open(task, INTO_WORDS, &job);
    if (status)
        return status;
    rk_execution *e = &job.execution;
    uint32_t ndim = e->program->ndim;
    into t = {.e = e,
              .w = (const into_words *)(const void *)job.extra,
              .strips = rk_striping_of(ndim ? e->count : &one, ndim ? ndim : 1, 0),
              .size = rask_dtype_size(e->program->dtype)};
    e->taker = (rk_taker){.context = &t, .take = take_into};
    status = rk_execute(task, e);
    rk_job_close(&job);
    return status ? status : rask_return_none(task);
}

/* (place, block): a box that was computed elsewhere. */
static int run_place(rask_task *task)
{
    const into_words *w = rk_task_params(task, sizeof *w);
    rask_block block;
    if (!w)
        return task->status;
    int status = rask_arg_block(task, 1, &block);
    if (status)
        return status;
    rk_copy_box(block.ndim, block.shape, rask_dtype_size(block.dtype), (void *)(intptr_t)w->data, w->strides,
                block.data, block.strides);
    return rask_return_none(task);
}

static const rask_task_def into_def = {.size = sizeof(rask_task_def),
                                       .name = "gather",
                                       .call = run_into,
                                       .result = RASK_SIG_NONE,
                                       .flags = RASK_HERE},
                           place_def = {.size = sizeof(rask_task_def),
                                        .name = "gather",
                                        .call = run_place,
                                        .result = RASK_SIG_NONE,
                                        .flags = RASK_HERE};

/* A box of a goes to its place in out: at once, by the task that computes it, or where tasks do not see out in a task of its own. */
static rask_node *lower_box(rk_computation *c, rask_array *a, const rk_program *p, const rk_region *region,
                            const into_words *w)
{
    rk_lowering *l = c->lowering;
    if (rask_scheduler_shares_memory(c->options.scheduler))
        return rk_job_call(l, &into_def, p, region->start, region->count, (const int64_t *)w, INTO_WORDS, 0,
                           rk_execute_scratch(p));
    rask_node *box = rk_lower_region(l, a, region);
    return box ? rk_lower_call(l, &place_def, w, sizeof *w, &box, 1, 0, 0) : NULL;
}

/* Tasks that write a's elements to out. */
static int lower_into(rk_computation *c, rask_array *a, const rask_block *out)
{
    rk_lowering *l = c->lowering;
    rk_chunks grid;
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    int status = rk_lower_grid(l, a, &grid);
    const rk_program *p = status ? NULL : rk_lower_root_program(l, a);
    if (!p)
        return rk_lowering_graph(l)->status;
    for (int64_t i = 0; i < rk_chunks_total(&grid) && !status; i++) {
        rk_region region;
        into_words w;
        memset(&w, 0, sizeof w);
        w.data = (int64_t)(intptr_t)out->data;
        rk_chunks_region(&grid, index, &region);
        for (uint32_t k = 0; k < a->ndim; k++) {
            w.strides[k] = out->strides[k];
            w.data += region.start[k] * out->strides[k];
        }
        status = rk_computation_add_target(c, lower_box(c, a, p, &region, &w));
        rk_index_next(index, grid.count, grid.ndim);
    }
    return status;
}

/* Checks what the caller provides, or allocates. */
static int prepare_out(rk_computation *c, const rask_array *a, rask_block *out)
{
    char wanted[RK_SHAPE_TEXT], given[RK_SHAPE_TEXT];
    uint64_t bytes = (uint64_t)rk_shape_size(a->shape, a->ndim) * rask_dtype_size(a->dtype);
    if (out->data) {
        if (out->dtype == a->dtype && out->ndim == a->ndim &&
            !memcmp(out->shape, a->shape, a->ndim * sizeof *a->shape))
            return RASK_OK;
        return rk_graph_report(
            c->graph, RASK_EINVAL, "compute: the result is %s of shape %s, out is %s of shape %s",
            rask_dtype_name(a->dtype), rk_shape_text(a->shape, a->ndim, wanted),
            rask_dtype_name(out->dtype) ? rask_dtype_name(out->dtype) : "nothing",
            rk_shape_text(out->shape, out->ndim <= RASK_MAX_DIMENSIONS ? out->ndim : 0, given));
    }
    if (bytes >= c->options.memory)
        return rk_graph_report(
            c->graph, RASK_EBUDGET,
            "compute: a result of %llu bytes does not fit the budget of %llu: store it in a file",
            (unsigned long long)bytes, (unsigned long long)c->options.memory);
    *out = (rask_block){.dtype = a->dtype, .ndim = a->ndim, .release = rk_free};
    memcpy(out->shape, a->shape, a->ndim * sizeof *a->shape);
    rk_dense_strides(a->ndim, a->shape, rask_dtype_size(a->dtype), out->strides);
    out->data = out->owner = rk_alloc(bytes ? bytes : 1);
    if (!out->data)
        return rk_graph_report(c->graph, RASK_ENOMEM, "compute: no memory for a result of %llu bytes",
                               (unsigned long long)bytes);
    c->options.memory -= bytes;
    return RASK_OK;
}

/* A task that found too little memory knows nothing of the results, which had theirs before. */
static void tell_what_is_held(const rk_computation *c, uint64_t held)
{
    rask_graph *graph = rk_lowering_graph(c->lowering);
    char message[RK_MAX_MESSAGE];
    uint64_t budget = c->options.memory + held;
    snprintf(message, sizeof message, "%s", rask_graph_error(graph));
    rk_graph_report(graph, RASK_EBUDGET,
                    "%s; the results in memory hold %" PRIu64 " bytes more, of a budget of %" PRIu64, message,
                    held, budget);
}

int rask_array_compute(rask_array *const *arrays, uint32_t count, const rask_options *options,
                       rask_block *out)
{
    rk_computation c;
    if (!arrays || !out)
        return RASK_EINVAL;
    int status = rk_computation_begin(&c, arrays, count, options);
    uint64_t budget = c.options.memory;
    rask_block *made = status ? NULL : rk_calloc((size_t)count + 1, sizeof *made);
    if (!status && !made)
        status = RASK_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++) {
        made[i] = out[i];
        status = prepare_out(&c, arrays[i], &made[i]);
    }
    for (uint32_t i = 0; i < count && !status; i++)
        status = lower_into(&c, arrays[i], &made[i]);
    if (!status) {
        status = rk_computation_run(&c);
        if (status == RASK_EBUDGET && c.options.memory < budget)
            tell_what_is_held(&c, budget - c.options.memory);
    }
    for (uint32_t i = 0; i < count && made; i++) {
        if (!status)
            out[i] = made[i];
        else if (!out[i].data && made[i].data)
            rk_free(made[i].data);
    }
    rk_free(made);
    return rk_computation_end(&c, status);
}
