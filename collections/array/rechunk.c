#include "collections/array/rechunk.h"

#include "collections/array/assemble.h"
#include "collections/array/cuts.h"
#include "collections/array/lowering.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const rask_task_def rechunk_def = RK_ASSEMBLE_DEF("rechunk");

/* -- The plan */

static int64_t between(double value, int64_t low, int64_t high)
{
    return value <= (double)low ? low : value >= (double)high ? high : (int64_t)value;
}

/* A multiple of step near target. */
static int64_t multiple_near(int64_t step, double target)
{
    return step * between(round(target / (double)step), 1, INT64_MAX / step);
}

/* Lengths of one axis before and after each of p passes: where they grow each is a multiple of the one before, where they
 * shrink of the one after, so that chunks fit into one another. */
static void interpolate(rk_rechunk_plan *plan, uint32_t axis, uint32_t p, int64_t from, int64_t to)
{
    double ratio = pow((double)to / (double)from, 1.0 / p);
    plan->lengths[0][axis] = from;
    plan->lengths[p][axis] = to;
    for (uint32_t t = 1; t < p && from < to; t++)
        plan->lengths[t][axis] =
            multiple_near(plan->lengths[t - 1][axis], fmin((double)from * pow(ratio, t), (double)to));
    for (uint32_t t = p - 1; t > 0 && from >= to; t--)
        plan->lengths[t][axis] =
            multiple_near(plan->lengths[t + 1][axis], fmin((double)from * pow(ratio, t), (double)from));
}

/* Elements of an axis that hang together when chunks of a become chunks of b. */
static double group_axis(int64_t length, int64_t a, int64_t b)
{
    int64_t large = a > b ? a : b, small = a > b ? b : a;
    double group = large % small ? (double)large + (double)small : (double)large;
    return fmin(group, (double)length);
}

static double largest_group(const rk_rechunk_plan *plan, uint32_t ndim, const int64_t *shape)
{
    double largest = 0;
    for (uint32_t t = 0; t < plan->passes; t++) {
        double group = 1;
        for (uint32_t i = 0; i < ndim; i++)
            group *= group_axis(shape[i], plan->lengths[t][i], plan->lengths[t + 1][i]);
        largest = fmax(largest, group);
    }
    return largest;
}

void rk_rechunk_find(uint32_t ndim, const int64_t *shape, const int64_t *from, const int64_t *to, double most,
                     rk_rechunk_plan *plan)
{
    rk_rechunk_plan tried = {0};
    *plan = (rk_rechunk_plan){.group = INFINITY};
    for (uint32_t p = 1; p <= RK_RECHUNK_PASSES && plan->group > most; p++) {
        tried.passes = p;
        for (uint32_t i = 0; i < ndim; i++)
            interpolate(&tried, i, p, from[i], to[i]);
        tried.group = largest_group(&tried, ndim, shape);
        if (tried.group < plan->group)
            *plan = tried;
    }
}

/* -- Chunks that are one run each */

bool rk_grid_is_flat(const rk_chunks *grid)
{
    bool cut = false;
    for (uint32_t i = grid->ndim; i-- > 0;) {
        if (cut && rk_grid_longest(grid, i) > 1)
            return false;
        cut |= grid->count[i] > 1;
    }
    return true;
}

void rk_grid_flat(uint64_t bytes, size_t element, uint32_t ndim, const int64_t *shape, int64_t *lengths)
{
    int64_t most = (int64_t)(bytes / element), fit = most > 0 ? most : 1; /* what of the run is left */
    bool cut = false;
    for (uint32_t i = ndim; i-- > 0;) {
        int64_t length = shape[i] > 0 ? shape[i] : 1;
        assert(fit > 0);
        lengths[i] = cut ? 1 : length < fit ? length : fit;
        cut |= fit < length;
        fit /= lengths[i];
    }
}

/* -- Lowering */

/* What is asked for: elements per axis, or chunks that are one run each. */
typedef struct rechunk_params {
    int64_t flat;                         /* no padding: params are compared byte by byte */
    int64_t lengths[RASK_MAX_DIMENSIONS]; /* 0: chosen */
} rechunk_params;

/* Lengths of all axes: those asked for, the others as a chunk of a good size has them. */
static void wanted_lengths(rk_lowering *l, const rask_array *a, const rechunk_params *params,
                           int64_t *lengths)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    bool whole[RASK_MAX_DIMENSIONS];
    size_t element = rask_dtype_size(a->dtype);
    uint64_t bytes = rk_lowering_part_bytes(l, (uint64_t)rk_shape_size(a->shape, a->ndim) * element);
    if (params->flat) {
        rk_grid_flat(bytes, element, a->ndim, a->shape, lengths);
        return;
    }
    for (uint32_t i = 0; i < a->ndim; i++) {
        whole[i] = params->lengths[i] > 0;
        shape[i] = whole[i] && params->lengths[i] < a->shape[i] ? params->lengths[i] : a->shape[i];
    }
    rk_grid_auto(bytes, element, a->ndim, shape, whole, lengths);
}

/* One pass: chunks of these lengths from the chunks before. */
static int pass(rk_lowering *l, const rask_array *a, const rk_chunks *before, const int64_t *lengths,
                rk_chunks *after)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, number = 0;
    rk_region region;
    int status = rk_grid_regular(l, after, a->ndim, a->shape, lengths);
    if (status)
        return status;
    do {
        rk_chunks_region(after, index, &region);
        after->nodes[number] = rk_chunks_take(l, &rechunk_def, before, a->dtype, &region);
        if (!after->nodes[number++])
            return rk_lowering_graph(l)->status;
    } while (rk_index_next(index, after->count, after->ndim));
    return RASK_OK;
}

/* The input's chunks as they come. */
static int first_chunks(rk_lowering *l, rask_array *input, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, number = 0;
    rk_region region;
    int status = rk_grid_of(l, input, chunks);
    if (!status)
        status = rk_grid_bounded(l, chunks, input->ndim, chunks->count, chunks->bounds);
    if (status)
        return status;
    do {
        rk_chunks_region(chunks, index, &region);
        chunks->nodes[number] = rk_lower_region(l, input, &region);
        if (!chunks->nodes[number++])
            return rk_lowering_graph(l)->status;
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

/* From these chunks of a to others, in passes. */
static int move(rk_lowering *l, const rask_array *a, const int64_t *to, rk_chunks *chunks)
{
    int64_t from[RASK_MAX_DIMENSIONS];
    rk_rechunk_plan plan;
    int status = RASK_OK;
    for (uint32_t i = 0; i < a->ndim; i++)
        from[i] = rk_grid_longest(chunks, i) > 0 ? rk_grid_longest(chunks, i) : 1;
    rk_rechunk_find(a->ndim, a->shape, from, to,
                    (double)rk_lowering_budget(l) / 4 / (double)rask_dtype_size(a->dtype), &plan);
    for (uint32_t t = 1; t <= plan.passes && !status; t++) {
        rk_chunks last = *chunks;
        status = pass(l, a, &last, plan.lengths[t], chunks);
    }
    return status;
}

static int rechunk_lower(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    int64_t to[RASK_MAX_DIMENSIONS];
    const rechunk_params *params = array->params;
    int status = first_chunks(l, array->inputs[0], chunks);
    if (status || (params->flat && rk_grid_is_flat(chunks)))
        return status;
    wanted_lengths(l, array, params, to);
    return move(l, array, to, chunks);
}

int rk_rechunk_lower(rk_lowering *l, rask_array *a, const int64_t *lengths, rk_chunks *chunks)
{
    int status = first_chunks(l, a, chunks);
    return status ? status : move(l, a, lengths, chunks);
}

static const rk_opaque rechunk_opaque = {.name = "rechunk", .lower = rechunk_lower};

/* -- What the user wished */

static const rask_array *same_elements(const rask_array *a)
{
    for (uint32_t i = 0; a->kind == RK_ELEMENTWISE && i < a->input_count; i++) {
        const rask_array *input = a->inputs[i];
        if (rk_array_has_wish(input) || (input->kind != RK_VIEW && input->kind != RK_SCALAR))
            return input;
    }
    return NULL;
}

const int64_t *rk_rechunk_wish(const rask_array *a)
{
    for (; a && a->ndim; a = same_elements(a)) {
        const rechunk_params *params = a->params;
        if (rk_array_has_wish(a))
            return a->chunks;
        if (a->kind == RK_OPAQUE && a->as.opaque == &rechunk_opaque && !params->flat)
            return params->lengths;
    }
    return NULL;
}

/* -- Builders */

rask_array *rk_rechunk_flat(rask_array *a, const char *file, int line)
{
    rechunk_params params = {.flat = 1};
    if (!a || !rk_array_is_chunked(a))
        return a;
    return rk_array_opaque(a->graph, &rechunk_opaque, &params, sizeof params, a->dtype, a->ndim, a->shape, &a,
                           1, file, line);
}

/* The same expression as an array of its own, which other chunks are wished for. */
static rask_array *same_in_chunks(rask_array *a, const int64_t *lengths, const char *file, int line)
{
    rask_array *same =
        rk_array_new(a->graph, a->kind, a->dtype, a->ndim, a->shape, a->inputs, a->input_count, file, line);
    if (!same)
        return NULL;
    same->op = a->op;
    same->as = a->as;
    same->params = a->params;
    same->params_size = a->params_size;
    same->chunks = rk_array_memory(a->graph, RASK_MAX_DIMENSIONS * sizeof *lengths);
    if (!same->chunks)
        return NULL;
    memcpy(same->chunks, lengths, RASK_MAX_DIMENSIONS * sizeof *lengths);
    return same;
}

rask_array *rask_array_rechunk_at(rask_array *a, const int64_t *chunks, uint32_t count, const char *file,
                                  int line)
{
    static const char who[] = "rask_array_rechunk";
    rechunk_params params = {0};
    if (!a)
        return NULL;
    if (count != a->ndim) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: %u lengths for an array of %u axes", who, count,
                      a->ndim);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (chunks[i] < 0) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: chunks of %lld elements along axis %u", who,
                          (long long)chunks[i], i);
            return NULL;
        }
        params.lengths[i] = chunks[i];
    }
    if (!count)
        return a;
    if (!rk_array_is_chunked(a))
        return same_in_chunks(a, params.lengths, file, line);
    return rk_array_opaque(a->graph, &rechunk_opaque, &params, sizeof params, a->dtype, a->ndim, a->shape, &a,
                           1, file, line);
}
