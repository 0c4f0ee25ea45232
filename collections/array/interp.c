/* Interpolation: a table of a function, looked up for each element. */
#include "collections/array/cuts.h"
#include "collections/array/lowering.h"
#include "collections/array/pad.h"
#include "core/task/task.h"

#include <math.h>
#include <string.h>

/* What is outside of the table; not given: its first and its last value. */
typedef struct outside {
    double left[2], right[2]; /* real and imaginary parts */
    int64_t left_given, right_given;
} outside;

/* Params of a call. */
typedef struct interp_params {
    int64_t dtype, ndim;
    int64_t count[RASK_MAX_DIMENSIONS];
    outside outside;
} interp_params;

/* Values are parts numbers each: 1, or of complex ones 2. */
typedef struct table {
    const double *x, *f;
    int64_t count;
    int parts;
    const double *left, *right;
} table;

/* -- Tasks -- */

/* The last place that is not above x; -1: before the table. NaN is nowhere and behind all. */
static int64_t place_of(const table *t, double x)
{
    int64_t low = -1, high = t->count;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (t->x[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Between i and i + 1, from whichever end gives a number, as NumPy does. */
static double between(const table *t, int64_t i, int part, double x)
{
    double from = t->f[i * t->parts + part], to = t->f[(i + 1) * t->parts + part];
    double slope = (to - from) / (t->x[i + 1] - t->x[i]), value = slope * (x - t->x[i]) + from;
    if (isnan(value))
        value = slope * (x - t->x[i + 1]) + to;
    return isnan(value) && from == to ? from : value;
}

static void look_up(const table *t, double x, double *out)
{
    int64_t i = place_of(t, x), last = t->count - 1;
    const double *value = i < 0 ? t->left : x > t->x[last] ? t->right : t->f + i * t->parts;
    for (int part = 0; part < t->parts; part++) {
        if (isnan(x))
            out[part] = part ? 0 : x;
        else
            out[part] = i < 0 || i == last || x == t->x[i] ? value[part] : between(t, i, part, x);
    }
}

static int check_table(rask_task *task, const rask_block *xp, const rask_block *fp, rask_dtype dtype)
{
    const double *x = xp->data;
    if (xp->dtype != RASK_DT_F64 || xp->ndim != 1 || fp->dtype != dtype || fp->ndim != 1 ||
        fp->shape[0] != xp->shape[0] || !xp->shape[0])
        return rk_task_fail(task, RASK_EINVAL, "another table than expected");
    for (int64_t i = 1; i < xp->shape[0]; i++)
        if (!(x[i - 1] <= x[i]))
            return rk_task_fail(task, RASK_EINVAL, "xp[%lld] is %g and the next one %g: xp must ascend",
                                (long long)i - 1, x[i - 1], x[i]);
    return RASK_OK;
}

static table table_of(const interp_params *p, const rask_block *xp, const rask_block *fp)
{
    table t = {xp->data, fp->data, xp->shape[0], rk_dtype_is_complex(fp->dtype) ? 2 : 1, NULL, NULL};
    t.left = p->outside.left_given ? p->outside.left : t.f;
    t.right = p->outside.right_given ? p->outside.right : t.f + (t.count - 1) * t.parts;
    return t;
}

/* (params, x, xp, fp) */
static int call_interp(rask_task *task)
{
    const interp_params *p = rk_task_params(task, sizeof *p);
    rask_block x, xp, fp, out;
    rask_value value;
    if (!p || rask_arg_block(task, 1, &x) || rask_arg_block(task, 2, &xp) || rask_arg_block(task, 3, &fp) ||
        check_table(task, &xp, &fp, (rask_dtype)p->dtype))
        return task->status;
    int64_t n = rk_shape_size(p->count, (uint32_t)p->ndim);
    if (x.dtype != RASK_DT_F64 || rk_shape_size(x.shape, x.ndim) != n)
        return rk_task_fail(task, RASK_EINVAL, "other elements than expected");
    if (rk_task_result(task, fp.dtype, (uint32_t)p->ndim, p->count, &out, &value))
        return task->status;
    table t = table_of(p, &xp, &fp);
    const double *in = x.data;
    double *to = out.data;
    for (int64_t i = 0; i < n; i++, to += t.parts)
        look_up(&t, in[i], to);
    return rask_return_value(task, value);
}

static const rask_task_def interp_def = {
    .size = sizeof(rask_task_def), .name = "interp", .call = call_interp, .flags = RASK_PURE};

/* -- Lowering -- */

/* Chunks as x has them, or as many as there are to be tasks. */
static int make_grid(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    rask_array *x = array->inputs[0];
    int64_t lengths[RASK_MAX_DIMENSIONS];
    if (rk_array_has_wish(x) || rk_array_is_chunked(x)) {
        int status = rk_grid_of(l, x, chunks);
        return status ? status : rk_grid_bounded(l, chunks, array->ndim, chunks->count, chunks->bounds);
    }
    size_t element = rask_dtype_size(array->dtype);
    uint64_t bytes = (uint64_t)rk_shape_size(array->shape, array->ndim) * element;
    rk_grid_auto(rk_lowering_part_bytes(l, bytes), element, array->ndim, array->shape, NULL, lengths);
    return rk_grid_regular(l, chunks, array->ndim, array->shape, lengths);
}

static rask_node *whole(rk_lowering *l, rask_array *vector)
{
    return rk_lower_region(l, vector, &(rk_region){.ndim = 1, .count = {vector->shape[0]}});
}

static rask_node *lower_chunk(rk_lowering *l, rask_array *array, const rk_region *chunk, rask_node **nodes)
{
    interp_params p;
    memset(&p, 0, sizeof p);
    p.dtype = array->dtype;
    p.ndim = array->ndim;
    memcpy(p.count, chunk->count, array->ndim * sizeof *p.count);
    memcpy(&p.outside, array->params, sizeof p.outside);
    nodes[0] = rk_lower_region(l, array->inputs[0], chunk);
    uint64_t bytes = (uint64_t)rk_shape_size(p.count, array->ndim) * rask_dtype_size(array->dtype);
    return nodes[0] ? rk_lower_call(l, &interp_def, &p, sizeof p, nodes, 3, bytes, 0) : NULL;
}

/* inputs: x, xp, fp. */
static int lower_interp(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, number = 0;
    rk_region region;
    rask_node *nodes[3] = {NULL, whole(l, array->inputs[1]), whole(l, array->inputs[2])};
    if (!nodes[1] || !nodes[2])
        return rk_lowering_failure(l);
    int status = make_grid(l, array, chunks);
    if (status)
        return status;
    do {
        rk_chunks_region(chunks, index, &region);
        chunks->nodes[number] = lower_chunk(l, array, &region, nodes);
        if (!chunks->nodes[number++])
            return rk_lowering_failure(l);
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

static const rk_opaque interp_class = {.name = "interp", .lower = lower_interp};

/* -- Builder -- */

static bool check(rask_array *x, rask_array *xp, rask_array *fp, const char *file, int line)
{
    static const char who[] = "rask_array_interp";
    char left[RK_SHAPE_TEXT], right[RK_SHAPE_TEXT];
    if (x->graph != xp->graph || x->graph != fp->graph)
        rk_graph_fail(x->graph, RASK_EINVAL, file, line, "%s: arrays of two graphs", who);
    else if (xp->ndim != 1 || fp->ndim != 1 || xp->shape[0] != fp->shape[0] || !xp->shape[0])
        rk_graph_fail(x->graph, RASK_EINVAL, file, line,
                      "%s: xp and fp are vectors of as many elements, one at least, not of shapes %s and %s",
                      who, rk_shape_text(xp->shape, xp->ndim, left),
                      rk_shape_text(fp->shape, fp->ndim, right));
    else if (rk_dtype_is_complex(x->dtype) || rk_dtype_is_complex(xp->dtype))
        rk_graph_fail(x->graph, RASK_ETYPE, file, line, "%s: %s is complex", who,
                      rk_dtype_is_complex(x->dtype) ? "x" : "xp");
    else
        return true;
    return false;
}

/* A number outside of the table; false, latched, when it is none, or complex where values are not. */
static bool take_outside(rask_graph *graph, const rask_operand *given, rask_dtype dtype, double *value,
                         int64_t *is_given, const char *file, int line)
{
    if (!given)
        return true;
    bool complex_ = given->kind == RASK_OPERAND_C128 && !rk_dtype_is_complex(dtype);
    if (complex_ || rk_operand_element(given, dtype, value)) {
        rk_graph_fail(graph, RASK_ETYPE, file, line, "rask_array_interp: %s outside of xp",
                      complex_ ? "a complex number" : "an array");
        return false;
    }
    *is_given = true;
    return true;
}

rask_array *rask_array_interp_at(rask_array *x, rask_array *xp, rask_array *fp, const rask_operand *left,
                                 const rask_operand *right, const char *file, int line)
{
    outside o;
    if (!x || !xp || !fp || x->graph->status || !check(x, xp, fp, file, line))
        return NULL;
    rask_dtype dtype = rk_dtype_is_complex(fp->dtype) ? RASK_DT_C128 : RASK_DT_F64;
    memset(&o, 0, sizeof o);
    if (!take_outside(x->graph, left, dtype, o.left, &o.left_given, file, line) ||
        !take_outside(x->graph, right, dtype, o.right, &o.right_given, file, line))
        return NULL;
    rask_array *inputs[3] = {rk_array_cast(x, RASK_DT_F64, file, line),
                             rk_array_cast(xp, RASK_DT_F64, file, line),
                             rk_array_cast(fp, dtype, file, line)};
    for (int i = 0; i < 3; i++)
        if (!inputs[i])
            return NULL;
    return rk_array_opaque(x->graph, &interp_class, &o, sizeof o, dtype, x->ndim, x->shape, inputs, 3, file,
                           line);
}
