/* Histograms: partial counts of pieces, added by a tree. Counts do not depend on where the pieces end.
 *
 * As numpy.histogram: bin i holds edges[i] <= x < edges[i + 1], the last one also x = its upper edge; NaN is in none. Where
 * edges are about equally far apart the bin is computed and then corrected by the edges themselves, else it is searched
 * for; the result is the same. */
#include "collections/array/histogram.h"

#include "collections/array/stream.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <math.h>
#include <string.h>

enum {
    SMALL =
        2048, /* bins of which several counters are kept, so that equal neighbours need not wait for each other */
    LANES = 4,
};

/* Edges, and how bins are guessed: (x - edges[0]) * scale. */
typedef struct binning {
    const double *edges;
    size_t count; /* of bins */
    double low, high, scale;
    bool even;
} binning;

/* Not even: some edge is more than half a bin from where it would be. */
static bool are_even(const binning *b)
{
    if (!isfinite(b->scale))
        return false;
    for (size_t i = 0; i <= b->count; i++)
        if (!(fabs((b->edges[i] - b->low) * b->scale - (double)i) <= 0.5))
            return false;
    return true;
}

static binning binning_of(const double *edges, size_t count)
{
    binning b = {.edges = edges, .count = count, .low = edges[0], .high = edges[count]};
    b.scale = (double)count / (b.high - b.low);
    b.even = count < INT32_MAX && are_even(&b);
    return b;
}

/* The last edge that is not above x, where x is within the edges. */
static size_t search(const binning *b, double x)
{
    size_t low = 0, high = b->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (b->edges[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void count_searched(const binning *b, size_t n, const double *x, int64_t *counts)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] >= b->low && x[i] <= b->high)
            counts[search(b, x[i])]++;
}

/* A strip; what is outside goes to a counter behind the last bin. stride: from one lane's counters to the next one's.
 * Guesses are never off by more than one; without branches, since nobody can predict them. */
static void count_even(const binning *b, size_t n, const double *x, size_t stride, int64_t *counts)
{
    int32_t guess[RK_STRIP], last = (int32_t)b->count - 1;
    for (size_t i = 0; i < n; i++) {
        double f = (x[i] - b->low) * b->scale;
        f = f > 0 ? f : 0; /* NaN, too */
        guess[i] = (int32_t)(f < last ? f : last);
    }
    for (size_t i = 0; i < n; i++) {
        int32_t at = guess[i];
        int below = x[i] < b->edges[at], above = (x[i] >= b->edges[at + 1]) & (at < last);
        bool inside = (x[i] >= b->low) & (x[i] <= b->high);
        counts[(size_t)(inside ? at - below + above : last + 1) + (i % LANES) * stride]++;
    }
}

static size_t lane_counters(size_t bins)
{
    return (bins + 1) * (bins <= SMALL ? LANES : 1);
}

/* A count under way. lanes: NULL where bins are searched for. */
typedef struct counting {
    binning bins;
    int64_t *counts, *lanes;
    size_t stride;
} counting;

static void take_strip(void *context, size_t n, const void *elements)
{
    counting *c = context;
    if (c->lanes)
        count_even(&c->bins, n, elements, c->stride, c->lanes);
    else
        count_searched(&c->bins, n, elements, c->counts);
}

/* Counts the stream. RASK_OK, or the task's status. */
static int count_stream(rask_task *task, rk_stream *s, const rask_block *edges, int64_t *counts)
{
    size_t bins = (size_t)edges->shape[0] - 1;
    counting c = {
        .bins = binning_of(edges->data, bins), .counts = counts, .stride = bins <= SMALL ? bins + 1 : 0};
    memset(counts, 0, bins * sizeof *counts);
    if (c.bins.even && !(c.lanes = rk_calloc(lane_counters(bins), sizeof *c.lanes)))
        return rk_task_fail(task, RASK_ENOMEM, "no memory for %zu bins", bins);
    int status = rk_stream_run(task, s, take_strip, &c);
    for (size_t lane = 0; c.lanes && lane < (c.stride ? LANES : 1); lane++)
        for (size_t i = 0; i < bins; i++)
            counts[i] += c.lanes[lane * c.stride + i];
    rk_free(c.lanes);
    return status;
}

static int check_edges(rask_task *task, const rask_block *edges)
{
    const double *e = edges->data;
    for (int64_t i = 0; i + 1 < edges->shape[0]; i++)
        if (!(e[i] <= e[i + 1]))
            return rk_task_fail(task, RASK_EINVAL, "edge %lld is %g and the next one %g: edges must ascend",
                                (long long)i, e[i], e[i + 1]);
    return RASK_OK;
}

static int histogram_stream(rask_task *task, rk_stream *s)
{
    rask_block edges, out;
    rask_value value;
    if (rask_arg_block(task, rk_stream_with(task), &edges) || check_edges(task, &edges))
        return task->status;
    int64_t count = edges.shape[0] - 1;
    if (rk_task_result(task, RASK_DT_I64, 1, &count, &out, &value))
        return task->status;
    int status = count_stream(task, s, &edges, out.data);
    if (!status)
        return rask_return_value(task, value);
    rask_value_unref(&value);
    return status;
}

/* A stream of f64, with edges: i64 counts. */
static int call_histogram(rask_task *task)
{
    rk_stream s;
    int status = rk_stream_open(task, 0, &s);
    if (!status)
        status = histogram_stream(task, &s);
    rk_stream_close(&s);
    return status;
}

/* (params, counts…): their sum. */
static int call_add_counts(rask_task *task)
{
    rask_block out, in;
    rask_value value;
    if (rask_arg_block(task, 1, &in) || rk_task_result(task, RASK_DT_I64, in.ndim, in.shape, &out, &value))
        return task->status;
    size_t n = (size_t)rk_shape_size(in.shape, in.ndim);
    int64_t *restrict to = out.data;
    memcpy(to, in.data, n * sizeof *to);
    for (size_t k = 2; k < rask_arg_count(task); k++) {
        if (rask_arg_block(task, k, &in))
            break;
        const int64_t *restrict from = in.data;
        for (size_t i = 0; i < n; i++)
            to[i] += from[i];
    }
    return rask_return_value(task, value);
}

const rask_task_def rk_add_counts_def = {
    .size = sizeof(rask_task_def), .name = "add counts", .call = call_add_counts, .flags = RASK_PURE};
static const rask_task_def histogram_def = {
    .size = sizeof(rask_task_def), .name = "histogram", .call = call_histogram, .flags = RASK_PURE};

/* inputs: elements, edges. */
static int lower_histogram(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    rk_region all;
    rk_parts parts;
    rk_gathering how = {.part = &histogram_def, .merge = &rk_add_counts_def};
    how.part_bytes = how.merge_bytes = (uint64_t)a->shape[0] * sizeof(int64_t);
    how.part_scratch = lane_counters((size_t)a->shape[0]) * sizeof(int64_t);
    rk_region_all(a->inputs[1], &all);
    how.with = rk_lower_region(l, a->inputs[1], &all);
    rk_parts_cut(l, a->inputs[0], NULL, &parts);
    return rk_chunks_single(l, a, how.with ? rk_gather_parts(l, a->inputs[0], &parts, &how) : NULL, chunks);
}

/* -- Edges from the smallest and the largest element */

typedef struct edge_params {
    int64_t bins;
    double low, high;
    int64_t given,
        single; /* bools: low and high are; edges are f32: computed in it, or given ones rounded to it */
} edge_params;

/* The smallest and the largest, as NumPy widens them; RASK_EINVAL when they are not finite. */
static int edge_range(rask_task *task, const edge_params *p, double *low, double *high)
{
    rask_block min, max;
    *low = p->low;
    *high = p->high;
    if (!p->given) {
        if (rask_arg_block(task, 1, &min) || rask_arg_block(task, 2, &max))
            return task->status;
        *low = *(const double *)min.data;
        *high = *(const double *)max.data;
    }
    if (!isfinite(*low) || !isfinite(*high))
        return rk_task_fail(task, RASK_EINVAL, "the range of the elements, %g to %g, is not finite", *low,
                            *high);
    if (*low == *high) {
        *low -= 0.5;
        *high += 0.5;
    }
    return RASK_OK;
}

/* Edge i as numpy.linspace computes it, in f32 and f64. */
static float narrow_edge(float low, float high, int64_t bins, int64_t i)
{
    float step = (high - low) / (float)bins;
    float scaled = step == 0 ? (float)i / (float)bins * (high - low) : (float)i * step;
    return i == bins ? high : scaled + low;
}

static double wide_edge(double low, double high, int64_t bins, int64_t i)
{
    double step = (high - low) / (double)bins;
    double scaled = step == 0 ? (double)i / (double)bins * (high - low) : (double)i * step;
    return i == bins ? high : scaled + low;
}

static double edge_at(const edge_params *p, double low, double high, int64_t i)
{
    if (p->single && !p->given)
        return narrow_edge((float)low, (float)high, p->bins, i);
    double edge = wide_edge(low, high, p->bins, i);
    return p->single ? (float)edge : edge;
}

/* (params[, min, max]): edges as f64. */
static int call_edges(rask_task *task)
{
    const edge_params *p = rk_task_params(task, sizeof *p);
    double low, high;
    rask_block out;
    rask_value value;
    if (!p || edge_range(task, p, &low, &high))
        return task->status;
    int64_t count = p->bins + 1;
    if (rk_task_result(task, RASK_DT_F64, 1, &count, &out, &value))
        return task->status;
    for (int64_t i = 0; i < count; i++)
        ((double *)out.data)[i] = edge_at(p, low, high, i);
    return rask_return_value(task, value);
}

static const rask_task_def edges_def = {
    .size = sizeof(rask_task_def), .name = "histogram edges", .call = call_edges, .flags = RASK_PURE};

static int lower_edges(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    rask_node *nodes[2] = {NULL, NULL};
    for (uint32_t i = 0; i < a->input_count; i++) {
        rk_region all;
        rk_region_all(a->inputs[i], &all);
        nodes[i] = rk_lower_region(l, a->inputs[i], &all);
        if (!nodes[i])
            return rask_graph_status(rk_lowering_graph(l));
    }
    uint64_t bytes = (uint64_t)a->shape[0] * sizeof(double);
    return rk_chunks_single(
        l, a, rk_lower_call(l, &edges_def, a->params, sizeof(edge_params), nodes, a->input_count, bytes, 0),
        chunks);
}

static const rk_opaque histogram_class = {.name = "histogram", .lower = lower_histogram},
                       edges_class = {.name = "histogram edges", .lower = lower_edges};

/* -- Builders */

/* a as f64; NULL, latched, when it has no order. */
static rask_array *real(rask_array *a, const char *file, int line)
{
    if (rk_dtype_is_complex(a->dtype)) {
        rk_graph_fail(a->graph, RASK_ETYPE, file, line, "rask_array_histogram: %s has no order",
                      rask_dtype_name(a->dtype));
        return NULL;
    }
    return rk_array_cast(a, RASK_DT_F64, file, line);
}

static rask_array *counts_of(rask_array *a, rask_array *edges, const char *file, int line)
{
    rask_array *inputs[2] = {real(a, file, line), edges};
    int64_t bins = edges ? edges->shape[0] - 1 : 0;
    if (!inputs[0] || !edges)
        return NULL;
    return rk_array_opaque(a->graph, &histogram_class, "", 0, RASK_DT_I64, 1, &bins, inputs, 2, file, line);
}

rask_array *rask_array_histogram_at(rask_array *a, const double *edges, size_t edge_count, const char *file,
                                    int line)
{
    if (!a)
        return NULL;
    if (!edges || edge_count < 2 || edge_count > INT64_MAX / sizeof *edges) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_histogram: %zu edges, at least 2 are needed", edges ? edge_count : 0);
        return NULL;
    }
    for (size_t i = 0; i + 1 < edge_count; i++)
        if (!(edges[i] <= edges[i + 1])) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                          "rask_array_histogram: edge %zu is %g and the next one %g: edges must ascend", i,
                          edges[i], edges[i + 1]);
            return NULL;
        }
    rask_block block = {.dtype = RASK_DT_F64,
                        .ndim = 1,
                        .shape = {(int64_t)edge_count},
                        .strides = {sizeof *edges},
                        .data = (void *)edges}; /* only read: it is copied */
    return counts_of(a, rask_array_from_block_at(a->graph, &block, false, file, line), file, line);
}

/* Inputs of the edges: the smallest and the largest element as f64. False when one could not be built. */
static bool extremes(rask_array *a, rask_array *inputs[2], const char *file, int line)
{
    const rask_reduction ops[2] = {RASK_REDUCE_MIN, RASK_REDUCE_MAX};
    for (int i = 0; i < 2; i++) {
        rask_array *found = rask_array_reduce_axis_at(ops[i], a, RASK_ALL, file, line);
        inputs[i] = found ? rk_array_cast(found, RASK_DT_F64, file, line) : NULL;
    }
    return inputs[0] && inputs[1];
}

static bool check_bins(rask_array *a, int64_t bins, const double *range, const char *file, int line)
{
    if (bins < 1 || bins > INT64_MAX / 16)
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_histogram_bins: %lld bins, at least 1 is needed", (long long)bins);
    else if (range && !(isfinite(range[0]) && isfinite(range[1]) && range[0] <= range[1]))
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_histogram_bins: a range from %g to %g: it must be finite and ascend",
                      range[0], range[1]);
    else if (rk_dtype_is_complex(a->dtype))
        rk_graph_fail(a->graph, RASK_ETYPE, file, line, "rask_array_histogram_bins: %s has no order",
                      rask_dtype_name(a->dtype));
    return !a->graph->status;
}

rask_array *rask_array_histogram_bins_at(rask_array *a, int64_t bins, const double *range, rask_array **edges,
                                         const char *file, int line)
{
    if (!a || !check_bins(a, bins, range, file, line))
        return NULL;
    edge_params params = {.bins = bins, .high = 1, .given = 1, .single = a->dtype == RASK_DT_F32};
    rask_array *inputs[2] = {NULL, NULL};
    if (range) {
        params.low = range[0];
        params.high = range[1];
    } else if (rask_array_size(a)) {
        params.given = 0;
        if (!extremes(a, inputs, file, line))
            return NULL;
    }
    int64_t count = bins + 1;
    rask_array *made = rk_array_opaque(a->graph, &edges_class, &params, sizeof params, RASK_DT_F64, 1, &count,
                                       inputs, params.given ? 0 : 2, file, line);
    rask_array *counts = counts_of(a, made, file, line);
    if (counts && edges)
        *edges = params.single ? rk_array_cast(made, RASK_DT_F32, file, line) : made;
    return counts;
}
