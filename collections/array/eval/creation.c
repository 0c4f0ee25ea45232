/* Functions that make arrays of numbers alone. */
#include "collections/array/eval/function.h"

static rk_eval_value failed(void)
{
    return (rk_eval_value){.kind = RK_EVAL_FAILED};
}

/* The shape an argument gives; no dimensions when it is not there. False: latched. */
static bool shape_of(rk_call *c, const char *name, uint32_t *ndim, int64_t *shape)
{
    *ndim = 0;
    if (rk_call_given(c, name))
        *ndim = rk_eval_to_integers(c->eval, rk_call_value(c, name), shape, RASK_MAX_DIMENSIONS);
    for (uint32_t i = 0; i < *ndim; i++) {
        if (shape[i] < 0)
            rk_call_fail(c, name, RASK_EINVAL, "a length of %lld", (long long)shape[i]);
    }
    return !c->eval->graph->status;
}

/* The dtype that an array of a number has. */
static rask_dtype natural_dtype(const rask_operand *number)
{
    switch (number->kind) {
    case RASK_OPERAND_BOOL: return RASK_DT_BOOL;
    case RASK_OPERAND_I64: return RASK_DT_I64;
    case RASK_OPERAND_U64: return RASK_DT_U64;
    case RASK_OPERAND_F64: return RASK_DT_F64;
    default: return RASK_DT_C128;
    }
}

/* code: the number that fills; 2: the one that was given, which an array broadcasts. */
enum { ZEROS, ONES, GIVEN };

static rask_array *filled(rk_call *c, uint32_t ndim, const int64_t *shape, rask_dtype dtype)
{
    rk_eval *e = c->eval;
    rask_operand value = {.kind = RASK_OPERAND_I64, .as.i64 = c->function->code};
    if (c->function->code == GIVEN)
        value = rk_call_operand(c, "fill_value");
    if (value.kind == RASK_OPERAND_ARRAY) {
        if (value.as.array && dtype != RASK_DT_COUNT)
            value.as.array = rk_call_cast(c, value.as.array, dtype);
        return rask_array_broadcast_to_at(value.as.array, ndim, shape, RK_EVAL_SITE(e));
    }
    if (dtype == RASK_DT_COUNT)
        dtype = c->function->code == GIVEN ? natural_dtype(&value) : RASK_DT_F64;
    return rask_array_full_at(e->graph, dtype, ndim, shape, value, RK_EVAL_SITE(e));
}

static rk_eval_value full(rk_call *c)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    uint32_t ndim;
    rask_dtype dtype = rk_call_dtype(c, "dtype", RASK_DT_COUNT);
    return shape_of(c, "shape", &ndim, shape) ? rk_eval_array(filled(c, ndim, shape, dtype)) : failed();
}

static rk_eval_value full_like(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    rask_dtype dtype = rk_call_dtype(c, "dtype", a ? a->dtype : RASK_DT_COUNT);
    return a && !c->eval->graph->status ? rk_eval_array(filled(c, a->ndim, a->shape, dtype)) : failed();
}

static bool number_of(rk_call *c, const char *name, rask_operand *number)
{
    const rk_eval_value *value = rk_call_value(c, name);
    if (!rk_eval_given(value))
        return true;
    if (value->kind != RK_EVAL_NUMBER || value->as.number.kind == RASK_OPERAND_C128) {
        rk_call_fail(c, name, RASK_ETYPE, "a number expected, not %s", rk_eval_kind_text(value));
        return false;
    }
    *number = value->as.number;
    if (number->kind == RASK_OPERAND_BOOL) {
        number->as.i64 = number->as.boolean;
        number->kind = RASK_OPERAND_I64;
    }
    return true;
}

/* (stop), (start, stop), (start, stop, step). */
static rk_eval_value arange(rk_call *c)
{
    rask_operand start = {.kind = RASK_OPERAND_I64}, stop = start,
                 step = {.kind = RASK_OPERAND_I64, .as.i64 = 1};
    bool both = rk_call_given(c, "stop");
    if (!number_of(c, "start", both ? &start : &stop) || !number_of(c, "stop", &stop) ||
        !number_of(c, "step", &step))
        return failed();
    uint32_t kind = start.kind > stop.kind ? start.kind : stop.kind;
    rask_dtype natural = kind == RASK_OPERAND_F64 || step.kind == RASK_OPERAND_F64 ? RASK_DT_F64
                         : kind == RASK_OPERAND_U64                                ? RASK_DT_U64
                                                                                   : RASK_DT_I64;
    rask_dtype dtype = rk_call_dtype(c, "dtype", natural);
    if (c->eval->graph->status)
        return failed();
    return rk_eval_array(
        rask_array_arange_at(c->eval->graph, start, stop, step, dtype, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value linspace(rk_call *c)
{
    double start = rk_call_f64(c, "start", 0), stop = rk_call_f64(c, "stop", 0);
    int64_t count = rk_call_i64(c, "num", 50);
    bool endpoint = rk_call_bool(c, "endpoint", true);
    rask_dtype dtype = rk_call_dtype(c, "dtype", RASK_DT_F64);
    if (c->eval->graph->status)
        return failed();
    rask_array *a =
        rask_array_linspace_at(c->eval->graph, start, stop, count, endpoint, RK_EVAL_SITE(c->eval));
    return rk_eval_array(dtype == RASK_DT_F64 ? a : rk_call_cast(c, a, dtype));
}

static rk_eval_value eye(rk_call *c)
{
    int64_t rows = rk_call_i64(c, "N", 0), columns = rk_call_i64(c, "M", rows), k = rk_call_i64(c, "k", 0);
    rask_dtype dtype = rk_call_dtype(c, "dtype", RASK_DT_F64);
    if (c->eval->graph->status)
        return failed();
    return rk_eval_array(rask_array_eye_at(c->eval->graph, rows, columns, k, dtype, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value array(rk_call *c)
{
    rask_array *a = rk_call_array(c, "object");
    rask_dtype dtype = rk_call_dtype(c, "dtype", a ? a->dtype : RASK_DT_COUNT);
    return a && dtype != RASK_DT_COUNT ? rk_eval_array(rk_call_cast(c, a, dtype)) : failed();
}

static rk_eval_value length(rk_call *c)
{
    const rk_eval_value *x = rk_call_value(c, "x");
    if (rk_eval_is_list(x))
        return rk_eval_i64(x->as.list.count);
    rask_array *a = rk_call_array(c, "x");
    if (a && a->ndim == 0)
        return rk_call_fail(c, "x", RASK_ETYPE, "an array without dimensions has no length");
    return a ? rk_eval_i64(a->shape[0]) : failed();
}

static rk_eval_value shape_function(rk_call *c)
{
    rk_eval_value lengths[RASK_MAX_DIMENSIONS];
    rask_array *a = rk_call_array(c, "a");
    for (uint32_t i = 0; a && i < a->ndim; i++)
        lengths[i] = rk_eval_i64(a->shape[i]);
    return a ? rk_eval_tuple(c->eval, lengths, a->ndim) : failed();
}

/* --- random numbers: without a seed by the number of the call in the text, so that runs repeat */

static uint64_t seed_of(rk_call *c)
{
    uint64_t number = c->eval->randoms++;
    int64_t seed = rk_call_i64(c, "seed", (int64_t)number);
    if (seed < 0)
        rk_call_fail(c, "seed", RASK_EINVAL, "a seed is 0 or more, not %lld", (long long)seed);
    return (uint64_t)seed;
}

enum { UNIT, UNIFORM, NORMAL };

static rk_eval_value draw(rk_call *c)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    uint32_t ndim;
    bool normal = c->function->code == NORMAL;
    uint64_t seed = seed_of(c);
    double first = rk_call_f64(c, normal ? "loc" : "low", 0),
           second = rk_call_f64(c, normal ? "scale" : "high", 1);
    if (!shape_of(c, "size", &ndim, shape))
        return failed();
    rask_graph *graph = c->eval->graph;
    return rk_eval_array(
        normal ? rask_array_normal_at(graph, seed, first, second, ndim, shape, RK_EVAL_SITE(c->eval))
               : rask_array_uniform_at(graph, seed, first, second, ndim, shape, RK_EVAL_SITE(c->eval)));
}

/* (high), (low, high). */
static rk_eval_value integers(rk_call *c)
{
    int64_t shape[RASK_MAX_DIMENSIONS], low = rk_call_i64(c, "low", 0), high = rk_call_i64(c, "high", low);
    uint32_t ndim;
    uint64_t seed = seed_of(c);
    if (!rk_call_given(c, "high"))
        low = 0;
    rask_dtype dtype = rk_call_dtype(c, "dtype", RASK_DT_I64);
    if (!shape_of(c, "size", &ndim, shape))
        return failed();
    rask_array *a =
        rask_array_integers_at(c->eval->graph, seed, low, high, ndim, shape, RK_EVAL_SITE(c->eval));
    return rk_eval_array(dtype == RASK_DT_I64 ? a : rk_call_cast(c, a, dtype));
}

static const rk_eval_function rows[] = {
    {"arange", "start; stop step dtype", arange, 0, 0},
    {"array", "object; dtype", array, 0, 0},
    {"asarray", "object|a; dtype", array, 0, 0},
    {"empty", "shape; dtype", full, ZEROS, 0},
    {"empty_like", "a; dtype", full_like, ZEROS, 0},
    {"eye", "N; M k dtype", eye, 0, 0},
    {"full", "shape fill_value; dtype", full, GIVEN, 0},
    {"full_like", "a fill_value; dtype", full_like, GIVEN, 0},
    {"identity", "N|n; dtype", eye, 0, 0},
    {"len", "x", length, 0, 0},
    {"linspace", "start stop; num endpoint * dtype", linspace, 0, 0},
    {"ones", "shape; dtype", full, ONES, 0},
    {"ones_like", "a; dtype", full_like, ONES, 0},
    {"random.integers", "low; high size dtype * seed", integers, 0, 0},
    {"random.normal", "; loc scale size * seed", draw, NORMAL, 0},
    {"random.rand", "; size... * seed", draw, UNIT, 0},
    {"random.randint", "low; high size dtype * seed", integers, 0, 0},
    {"random.randn", "; size... * seed", draw, NORMAL, 0},
    {"random.random", "; size * seed", draw, UNIT, 0},
    {"random.standard_normal", "; size * seed", draw, NORMAL, 0},
    {"random.uniform", "; low high size * seed", draw, UNIFORM, 0},
    {"shape", "a", shape_function, 0, 0},
    {"zeros", "shape; dtype", full, ZEROS, 0},
    {"zeros_like", "a; dtype", full_like, ZEROS, 0},
};

const rk_eval_table rk_eval_creation = {rows, sizeof rows / sizeof *rows};
