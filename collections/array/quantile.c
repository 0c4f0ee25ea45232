/* Quantiles, exact: of lines that fit a task by gathering them, of what does not in passes over it. */
#include "collections/array/quantile.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

enum {
    SMALL_BYTES = 256 << 10, /* elements that one task takes whole */
    LARGE_LINE = 16 << 20,   /* bytes of a line that is better read in passes */
    GATHER_BYTES = 4 << 20,  /* of lines for one task */
    GATHER_RUN = 4 << 10,
};

uint64_t rk_quantile_bytes(const rk_quantiles *q, const int64_t *shape)
{
    return (uint64_t)rk_shape_size(shape, q->a->ndim) * rask_dtype_size(q->a->dtype);
}

void *rk_quantile_with(const rk_quantiles *q, const void *head, size_t size)
{
    size_t bytes = rk_ranks_bytes(q->count);
    char *params = rk_lowering_memory(q->l, size + bytes);
    if (params) {
        memcpy(params, head, size);
        memcpy(params + size, &q->p->wanted, bytes);
    }
    return params;
}

void *rk_quantile_ending_for(const rk_quantiles *q, const int64_t *shape, int64_t n)
{
    rk_quantile_ending_head head = {.ndim = q->a->ndim, .n = n};
    memcpy(head.shape, shape, q->a->ndim * sizeof *shape);
    return rk_quantile_with(q, &head, sizeof head);
}

const rk_quantile_ending *rk_quantile_ending_of(rask_task *task, rask_bytes params)
{
    const rk_quantile_ending *e = (const rk_quantile_ending *)(const void *)params.data;
    if (params.len >= sizeof *e && params.len == rk_quantile_ending_bytes((size_t)e->wanted.count))
        return e;
    rk_task_fail(task, RASK_EINVAL, "its parameters are %zu bytes", params.len);
    return NULL;
}

static int lower_all(const rk_quantiles *q, rk_chunks *chunks)
{
    rk_region box;
    int64_t n = rask_array_size(q->in);
    rk_region_all(q->in, &box);
    bool small = n * (int64_t)rask_dtype_size(q->in->dtype) <= SMALL_BYTES;
    return rk_chunks_single(q->l, q->a,
                            small ? rk_quantile_lines(q, &box, n, q->a->shape)
                                  : rk_quantile_passes(q, &box, q->a->shape),
                            chunks);
}

/* Whether a task may have a whole line at once. */
static bool line_fits(const rk_quantiles *q, int64_t n)
{
    uint64_t bytes = (uint64_t)n * rask_dtype_size(q->in->dtype);
    return bytes <= SMALL_BYTES ||
           (bytes <= LARGE_LINE && rk_quantile_lines_scratch(q->in->dtype, (uint64_t)n, (uint64_t)n) <=
                                       rk_lowering_chunk_bytes(q->l));
}

/* Chunks of the results: along their own axis whole, along the others as lines are gathered, or one line each. */
static int choose_grid(const rk_quantiles *q, bool fits, rk_chunks *chunks)
{
    uint32_t axis = (uint32_t)q->p->axis, first = q->p->has_axis ? 1 : 0;
    int64_t lines[RASK_MAX_DIMENSIONS], lengths[RASK_MAX_DIMENSIONS];
    uint64_t most = rk_lowering_chunk_bytes(q->l) / 2;
    int64_t n = q->in->shape[axis];
    rk_lengths_along(q->in->ndim, q->in->shape, axis, rask_dtype_size(q->in->dtype), GATHER_RUN,
                     most < GATHER_BYTES ? most : GATHER_BYTES, n ? n : 1, lines);
    lengths[0] = (int64_t)q->count;
    for (uint32_t i = 0, to = first; i < q->in->ndim; i++)
        if (i != axis)
            lengths[to++] = fits ? lines[i] : 1;
    return rk_grid_regular(q->l, chunks, q->a->ndim, q->a->shape, lengths);
}

/* One chunk of the results. */
static rask_node *lower_chunk(const rk_quantiles *q, bool fits, const rk_region *results)
{
    uint32_t axis = (uint32_t)q->p->axis, from = q->p->has_axis ? 1 : 0;
    rk_region box = {.ndim = q->in->ndim};
    for (uint32_t i = 0; i < q->in->ndim; i++) {
        uint32_t to = !fits      ? i
                      : i < axis ? i
                      : i > axis ? i - 1
                                 : q->in->ndim - 1; /* gathering wants the axis last */
        box.start[to] = i == axis ? 0 : results->start[from];
        box.count[to] = i == axis ? q->in->shape[i] : results->count[from];
        from += i != axis;
    }
    return fits ? rk_quantile_lines(q, &box, q->in->shape[axis], results->count)
                : rk_quantile_passes(q, &box, results->count);
}

static int lower_along(const rk_quantiles *q, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    bool fits = line_fits(q, q->in->shape[q->p->axis]);
    int status = choose_grid(q, fits, chunks);
    size_t at = 0;
    if (status)
        return status;
    do {
        rk_region results;
        rk_chunks_region(chunks, index, &results);
        chunks->nodes[at] = lower_chunk(q, fits, &results);
        if (!chunks->nodes[at++])
            return rask_graph_status(rk_lowering_graph(q->l));
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

static int lower_quantile(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    rk_quantiles q = {.l = l, .a = a, .in = a->inputs[0], .p = a->params};
    q.count = (size_t)q.p->wanted.count;
    return q.p->axis == RASK_ALL ? lower_all(&q, chunks) : lower_along(&q, chunks);
}

static const rk_opaque quantile_class = {.name = "quantile", .lower = lower_quantile},
                       median_class = {.name = "median", .lower = lower_quantile};

/* -- Builders */

/* What is asked for. */
typedef struct request {
    const char *who;
    const double *q; /* NULL: the median */
    size_t count;    /* 0: one without an axis of its own */
    double scale;    /* that q counts to */
    bool skip_nan;
} request;

static bool fail(rask_array *a, int status, const request *r, const char *what, const char *file, int line)
{
    rk_graph_fail(a->graph, status, file, line, "%s: %s", r->who, what);
    return false;
}

static bool check_request(rask_array *a, const request *r, int axis, const char *file, int line)
{
    if (rk_dtype_is_complex(a->dtype))
        return fail(a, RASK_ETYPE, r, "complex numbers have no order", file, line);
    if (a->dtype == RASK_DT_BOOL && r->q)
        return fail(a, RASK_ETYPE, r, "there is nothing between bools", file, line);
    if (r->count > INT32_MAX)
        return fail(a, RASK_ELIMIT, r, "too many quantiles", file, line);
    for (size_t i = 0; r->q && i < (r->count ? r->count : 1); i++)
        if (!(r->q[i] >= 0 && r->q[i] <= r->scale)) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: %g is not in 0 … %g", r->who, r->q[i],
                          r->scale);
            return false;
        }
    if (!(axis == RASK_ALL ? rask_array_size(a) : a->shape[axis]) && r->q && !r->skip_nan)
        return fail(a, RASK_EINVAL, r, "there are no elements", file, line);
    return true;
}

/* The parameters, for rk_free(). */
static rk_quantile_params *new_params(rask_array *a, const request *r, int axis, const char *file, int line)
{
    size_t count = r->count ? r->count : 1;
    rk_quantile_params *p = rk_calloc(1, offsetof(rk_quantile_params, wanted) + rk_ranks_bytes(count));
    if (!p) {
        fail(a, RASK_ENOMEM, r, "no memory", file, line);
        return NULL;
    }
    p->axis = axis;
    p->has_axis = r->count > 0;
    p->wanted.dtype = a->dtype;
    p->wanted.median = !r->q;
    p->wanted.skip_nan = r->skip_nan;
    p->wanted.count = (int64_t)count;
    for (size_t i = 0; r->q && i < count; i++)
        p->wanted.q[i] = r->q[i] / r->scale;
    return p;
}

static rask_array *quantile(rask_array *a, const request *r, int axis, const char *file, int line)
{
    int64_t shape[RASK_MAX_DIMENSIONS + 1] = {(int64_t)r->count};
    uint32_t ndim = r->count ? 1 : 0;
    if (a && axis != RASK_ALL && (axis = rk_axis(a, axis, r->who, file, line)) < 0)
        return NULL;
    if (!a || !check_request(a, r, axis, file, line))
        return NULL;
    for (uint32_t i = 0; axis != RASK_ALL && i < a->ndim; i++)
        if ((int)i != axis)
            shape[ndim++] = a->shape[i];
    rk_quantile_params *p = new_params(a, r, axis, file, line);
    if (!p)
        return NULL;
    size_t size = offsetof(rk_quantile_params, wanted) + rk_ranks_bytes((size_t)p->wanted.count);
    rask_array *made = rk_array_opaque(a->graph, r->q ? &quantile_class : &median_class, p, size,
                                       rk_ranks_dtype(!r->q, a->dtype), ndim, shape, &a, 1, file, line);
    rk_free(p);
    return made;
}

/* q NULL would mean the median. */
static rask_array *quantile_of(rask_array *a, const request *r, int axis, const char *file, int line)
{
    if (a && !r->q) {
        fail(a, RASK_EINVAL, r, "no quantiles are given", file, line);
        return NULL;
    }
    return quantile(a, r, axis, file, line);
}

rask_array *rask_array_quantile_at(rask_array *a, const double *q, size_t count, int axis, const char *file,
                                   int line)
{
    request r = {.who = "rask_array_quantile", .q = q, .count = count, .scale = 1};
    return quantile_of(a, &r, axis, file, line);
}

rask_array *rask_array_nanquantile_at(rask_array *a, const double *q, size_t count, int axis,
                                      const char *file, int line)
{
    request r = {.who = "rask_array_nanquantile", .q = q, .count = count, .scale = 1, .skip_nan = true};
    return quantile_of(a, &r, axis, file, line);
}

rask_array *rask_array_percentile_at(rask_array *a, const double *q, size_t count, int axis, const char *file,
                                     int line)
{
    request r = {.who = "rask_array_percentile", .q = q, .count = count, .scale = 100};
    return quantile_of(a, &r, axis, file, line);
}

rask_array *rask_array_median_at(rask_array *a, int axis, const char *file, int line)
{
    return quantile(a, &(request){.who = "rask_array_median"}, axis, file, line);
}

rask_array *rask_array_nanmedian_at(rask_array *a, int axis, const char *file, int line)
{
    return quantile(a, &(request){.who = "rask_array_nanmedian", .skip_nan = true}, axis, file, line);
}
