/* Functions that count the elements of one array differently, or take some of them. */
#include "collections/array/eval/function.h"

static rk_eval_value failed(void)
{
    return (rk_eval_value){.kind = RK_EVAL_FAILED};
}

static rk_eval_value reshape(rk_call *c)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    rask_array *a = rk_call_array(c, "a");
    if (!rk_call_given(c, "shape"))
        return rk_call_fail(c, "shape", RASK_EINVAL, "reshape() needs argument \"shape\"");
    uint32_t ndim = rk_eval_to_integers(c->eval, rk_call_value(c, "shape"), shape, RASK_MAX_DIMENSIONS);
    return c->eval->graph->status
               ? failed()
               : rk_eval_array(rask_array_reshape_at(a, ndim, shape, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value ravel(rk_call *c)
{
    return rk_eval_array(rask_array_ravel_at(rk_call_array(c, "a"), RK_EVAL_SITE(c->eval)));
}

static rk_eval_value transpose(rk_call *c)
{
    int axes[RASK_MAX_DIMENSIONS];
    uint32_t count = 0;
    rask_array *a = rk_call_array(c, "a");
    if (rk_call_given(c, "axes"))
        count = rk_eval_to_axes(c->eval, rk_call_value(c, "axes"), axes);
    if (c->eval->graph->status)
        return failed();
    return rk_eval_array(
        rask_array_transpose_at(a, rk_call_given(c, "axes") ? axes : NULL, count, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value matrix_transpose(rk_call *c)
{
    return rk_eval_array(rask_array_swapaxes_at(rk_call_array(c, "x"), -1, -2, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value swapaxes(rk_call *c)
{
    int first = rk_call_axis(c, "axis1", 0), second = rk_call_axis(c, "axis2", 0);
    return rk_eval_array(rask_array_swapaxes_at(rk_call_array(c, "a"), first, second, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value moveaxis(rk_call *c)
{
    int from = rk_call_axis(c, "source", 0), to = rk_call_axis(c, "destination", 0);
    return rk_eval_array(rask_array_moveaxis_at(rk_call_array(c, "a"), from, to, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value squeeze(rk_call *c)
{
    int axis = rk_call_axis(c, "axis", RASK_ALL);
    return rk_eval_array(rask_array_squeeze_at(rk_call_array(c, "a"), axis, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value expand_dims(rk_call *c)
{
    int axis = rk_call_axis(c, "axis", 0);
    return rk_eval_array(rask_array_expand_dims_at(rk_call_array(c, "a"), axis, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value broadcast_to(rk_call *c)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    rask_array *a = rk_call_array(c, "a");
    uint32_t ndim = rk_eval_to_integers(c->eval, rk_call_value(c, "shape"), shape, RASK_MAX_DIMENSIONS);
    if (c->eval->graph->status)
        return failed();
    return rk_eval_array(rask_array_broadcast_to_at(a, ndim, shape, RK_EVAL_SITE(c->eval)));
}

/* At least so many dimensions, the new ones in front. */
static rk_eval_value at_least(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    while (a && a->ndim < (uint32_t)c->function->code)
        a = rask_array_expand_dims_at(a, 0, RK_EVAL_SITE(c->eval));
    return rk_eval_array(a);
}

/* --- elements moved along axes */

static rk_eval_value flip(rk_call *c)
{
    int axes[RASK_MAX_DIMENSIONS];
    rask_array *a = rk_call_array(c, "a");
    if (!rk_call_given(c, "axis"))
        return rk_eval_array(rask_array_flip_at(a, RASK_ALL, RK_EVAL_SITE(c->eval)));
    uint32_t count = rk_eval_to_axes(c->eval, rk_call_value(c, "axis"), axes);
    for (uint32_t i = 0; i < count; i++)
        a = rask_array_flip_at(a, axes[i], RK_EVAL_SITE(c->eval));
    return rk_eval_array(a);
}

static rk_eval_value flip_axis(rk_call *c)
{
    return rk_eval_array(rask_array_flip_at(rk_call_array(c, "a"), c->function->code, RK_EVAL_SITE(c->eval)));
}

/* Without an axis the array is rolled as one row. */
static rask_array *roll_flat(rk_call *c, rask_array *a)
{
    rask_array *flat = rask_array_ravel_at(a, RK_EVAL_SITE(c->eval));
    flat = rask_array_roll_at(flat, rk_call_i64(c, "shift", 0), 0, RK_EVAL_SITE(c->eval));
    return a ? rask_array_reshape_at(flat, a->ndim, a->shape, RK_EVAL_SITE(c->eval)) : NULL;
}

static rk_eval_value roll(rk_call *c)
{
    int axes[RASK_MAX_DIMENSIONS];
    int64_t shifts[RASK_MAX_DIMENSIONS];
    rask_array *a = rk_call_array(c, "a");
    if (!rk_call_given(c, "axis"))
        return rk_eval_array(roll_flat(c, a));
    uint32_t count = rk_eval_to_axes(c->eval, rk_call_value(c, "axis"), axes);
    uint32_t given = rk_eval_to_integers(c->eval, rk_call_value(c, "shift"), shifts, RASK_MAX_DIMENSIONS);
    if (given != count && given != 1 && !c->eval->graph->status)
        return rk_call_fail(c, "shift", RASK_EINVAL, "as many shifts as axes expected");
    for (uint32_t i = 0; i < count && given; i++)
        a = rask_array_roll_at(a, shifts[given == 1 ? 0 : i], axes[i], RK_EVAL_SITE(c->eval));
    return rk_eval_array(a);
}

static rk_eval_value repeat(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    int64_t times = rk_call_i64(c, "repeats", 1);
    if (!rk_call_given(c, "axis"))
        a = rask_array_ravel_at(a, RK_EVAL_SITE(c->eval));
    return rk_eval_array(rask_array_repeat_at(a, times, rk_call_axis(c, "axis", 0), RK_EVAL_SITE(c->eval)));
}

static rk_eval_value tile(rk_call *c)
{
    int64_t times[RASK_MAX_DIMENSIONS];
    rask_array *a = rk_call_array(c, "A");
    uint32_t count = rk_eval_to_integers(c->eval, rk_call_value(c, "reps"), times, RASK_MAX_DIMENSIONS);
    if (c->eval->graph->status)
        return failed();
    return rk_eval_array(rask_array_tile_at(a, times, count, RK_EVAL_SITE(c->eval)));
}

/* --- pad */

static bool pad_mode(rk_call *c, rask_pad_mode *mode)
{
    static const char *const names[] = {
        [RASK_PAD_CONSTANT] = "constant",   [RASK_PAD_EDGE] = "edge", [RASK_PAD_REFLECT] = "reflect",
        [RASK_PAD_SYMMETRIC] = "symmetric", [RASK_PAD_WRAP] = "wrap",
    };
    const rk_eval_value *given = rk_call_value(c, "mode");
    *mode = RASK_PAD_CONSTANT;
    if (!rk_eval_given(given))
        return true;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (rk_eval_text_is(given, names[i])) {
            *mode = (rask_pad_mode)i;
            return true;
        }
    }
    rk_call_fail(c, "mode", RASK_EUNSUPPORTED, "constant, edge, reflect, symmetric or wrap expected");
    return false;
}

/* n, (n,), (before, after), ((n,),) and ((before, after), …): of one axis, or of the first for all. */
static bool pad_pair(rk_call *c, const rk_eval_value *width, uint32_t axis, int64_t pair[2])
{
    if (rk_eval_is_list(width) && width->as.list.count && rk_eval_is_list(width->as.list.items)) {
        if (width->as.list.count > 1 && axis >= width->as.list.count) {
            rk_call_fail(c, "pad_width", RASK_EINVAL, "a pair for each axis expected");
            return false;
        }
        width = &width->as.list.items[width->as.list.count > 1 ? axis : 0];
    }
    uint32_t count = rk_eval_to_integers(c->eval, width, pair, 2);
    if (count == 1)
        pair[1] = pair[0];
    if (count == 0 && !c->eval->graph->status)
        rk_call_fail(c, "pad_width", RASK_EINVAL, "a width or a pair of them expected");
    return count > 0;
}

static rk_eval_value pad(rk_call *c)
{
    int64_t before[RASK_MAX_DIMENSIONS], after[RASK_MAX_DIMENSIONS], pair[2];
    rask_pad_mode mode;
    rask_array *a = rk_call_array(c, "array");
    rask_operand value = {.kind = RASK_OPERAND_I64};
    const rk_eval_value *constant = rk_call_value(c, "constant_values");
    for (uint32_t i = 0; a && i < a->ndim; i++) {
        if (!pad_pair(c, rk_call_value(c, "pad_width"), i, pair))
            return failed();
        before[i] = pair[0];
        after[i] = pair[1];
    }
    if (!a || !pad_mode(c, &mode))
        return failed();
    if (rk_eval_given(constant) && constant->kind != RK_EVAL_NUMBER)
        return rk_call_fail(c, "constant_values", RASK_EUNSUPPORTED, "one number for all ends expected");
    if (rk_eval_given(constant))
        value = constant->as.number;
    return rk_eval_array(rask_array_pad_at(a, before, after, mode, value, RK_EVAL_SITE(c->eval)));
}

/* --- some of the elements */

static rk_eval_value take(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    const rk_eval_value *indices = rk_call_value(c, "indices");
    rk_eval_value subscripts[RASK_MAX_DIMENSIONS];
    if (!rk_call_given(c, "axis"))
        a = rask_array_ravel_at(a, RK_EVAL_SITE(c->eval));
    int axis = rk_call_axis_of(c, a, rk_call_axis(c, "axis", 0));
    if (axis < 0)
        return failed();
    for (int i = 0; i < axis; i++)
        subscripts[i] = (rk_eval_value){
            .kind = RK_EVAL_SLICE,
            .as.slice = {RASK_SLICE_RANGE, RASK_DEFAULT, RASK_DEFAULT, RASK_DEFAULT},
        };
    subscripts[axis] = *indices;
    if (indices->kind == RK_EVAL_TUPLE)
        subscripts[axis].kind = RK_EVAL_LIST;
    rk_eval_value whole = rk_eval_array(a);
    return rk_eval_subscript(c->eval, &whole, subscripts, (uint32_t)axis + 1);
}

static rk_eval_value compress(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a"), *mask = rk_call_array(c, "condition");
    if (mask && mask->dtype != RASK_DT_BOOL)
        mask = rk_call_cast(c, mask, RASK_DT_BOOL);
    if (!rk_call_given(c, "axis")) {
        a = rask_array_ravel_at(a, RK_EVAL_SITE(c->eval));
        mask = rask_array_ravel_at(mask, RK_EVAL_SITE(c->eval));
    }
    int axis = rk_call_axis(c, "axis", 0);
    if (c->eval->graph->status)
        return failed();
    return rk_eval_array(rask_array_compress_at(a, mask, axis, c->eval->options, RK_EVAL_SITE(c->eval)));
}

/* 0, 1, 2, … as a column or a row. */
static rask_array *counting(rk_call *c, int64_t count, bool column)
{
    rask_operand zero = {.kind = RASK_OPERAND_I64}, stop = {.kind = RASK_OPERAND_I64, .as.i64 = count},
                 one = {.kind = RASK_OPERAND_I64, .as.i64 = 1};
    rask_array *numbers =
        rask_array_arange_at(c->eval->graph, zero, stop, one, RASK_DT_I64, RK_EVAL_SITE(c->eval));
    return column ? rask_array_expand_dims_at(numbers, 1, RK_EVAL_SITE(c->eval)) : numbers;
}

/* A matrix with a vector on its k-th diagonal. */
static rask_array *matrix_of(rk_call *c, rask_array *a, int64_t k)
{
    int64_t before = k > 0 ? k : 0, after = k < 0 ? -k : 0, n = a->shape[0] + before + after;
    rask_operand zero = {.kind = RASK_OPERAND_BOOL}, row = {.kind = RASK_OPERAND_ARRAY, .as.array = a};
    rask_array *ones = rask_array_eye_at(c->eval->graph, n, n, k, RASK_DT_BOOL, RK_EVAL_SITE(c->eval));
    if (k)
        row.as.array = rask_array_pad_at(a, &before, &after, RASK_PAD_CONSTANT, zero, RK_EVAL_SITE(c->eval));
    return rask_array_where_at(ones, row, zero, RK_EVAL_SITE(c->eval));
}

enum { DIAGONAL, DIAG };

static rk_eval_value diagonal(rk_call *c)
{
    static const int64_t most = (int64_t)1 << 40;
    rask_array *a = rk_call_array(c, "a");
    int64_t k = rk_call_i64(c, "offset", 0);
    int axis1 = rk_call_axis(c, "axis1", 0), axis2 = rk_call_axis(c, "axis2", 1);
    if (!a || c->eval->graph->status)
        return failed();
    if (k < -most || k > most)
        return rk_call_fail(c, "offset", RASK_EINVAL, "no diagonal is %lld away", (long long)k);
    if (c->function->code == DIAG && a->ndim == 1)
        return rk_eval_array(matrix_of(c, a, k));
    if (a->ndim < 2 || (c->function->code == DIAG && a->ndim > 2))
        return rk_call_fail(c, "a", RASK_EINVAL, "a matrix expected, not %u dimensions", a->ndim);
    return rk_eval_array(rask_array_diagonal_at(a, k, axis1, axis2, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value same(rk_call *c)
{
    return rk_eval_array(rk_call_array(c, "a"));
}

/* The only element. */
static rk_eval_value item(rk_call *c)
{
    char shape[RK_SHAPE_TEXT];
    rask_array *a = rk_call_array(c, "a");
    if (a && rask_array_size(a) != 1)
        return rk_call_fail(c, "", RASK_EINVAL, "item() of shape %s: one element expected",
                            rk_shape_text(a->shape, a->ndim, shape));
    return rk_eval_array(rask_array_reshape_at(a, 0, NULL, RK_EVAL_SITE(c->eval)));
}

enum { LOWER, UPPER };

/* Zeros above (below) the k-th diagonal. */
static rk_eval_value triangle(rk_call *c)
{
    rask_array *a = rk_call_array(c, "m");
    rask_operand zero = {.kind = RASK_OPERAND_BOOL};
    int64_t k = rk_call_i64(c, "k", 0);
    if (a && a->ndim < 2)
        return rk_call_fail(c, "m", RASK_EINVAL, "an array of two dimensions or more expected");
    if (!a || c->eval->graph->status)
        return failed();
    rask_array *rows = counting(c, a->shape[a->ndim - 2], true);
    rask_array *columns = counting(c, a->shape[a->ndim - 1], false);
    rask_operand above = {.kind = RASK_OPERAND_ARRAY,
                          .as.array = rk_call_binary(c, RASK_BINARY_SUB, columns, rows)};
    rask_operand diagonal = {.kind = RASK_OPERAND_I64, .as.i64 = k};
    rask_binary inside = c->function->code == LOWER ? RASK_BINARY_LESS_EQUAL : RASK_BINARY_GREATER_EQUAL;
    rask_array *kept = rask_array_binary_at(inside, above, diagonal, RK_EVAL_SITE(c->eval));
    rask_operand element = {.kind = RASK_OPERAND_ARRAY, .as.array = a};
    return rk_eval_array(rask_array_where_at(kept, element, zero, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value rechunk(rk_call *c)
{
    int64_t chunks[RASK_MAX_DIMENSIONS];
    rask_array *a = rk_call_array(c, "a");
    uint32_t count = rk_eval_to_integers(c->eval, rk_call_value(c, "chunks"), chunks, RASK_MAX_DIMENSIONS);
    if (c->eval->graph->status)
        return failed();
    return rk_eval_array(rask_array_rechunk_at(a, chunks, count, RK_EVAL_SITE(c->eval)));
}

static const rk_eval_function rows[] = {
    {"atleast_1d", "a", at_least, 1, 0},
    {"atleast_2d", "a", at_least, 2, 0},
    {"broadcast_to", "a|array shape", broadcast_to, 0, 0},
    {"compress", "condition a; axis", compress, 0, 0},
    {"compress", "a condition; axis", compress, 0, RK_EVAL_METHOD_ONLY},
    {"copy", "a", same, 0, RK_EVAL_METHOD},
    {"diag", "a|v; offset|k", diagonal, DIAG, 0},
    {"diagonal", "a; offset axis1 axis2", diagonal, DIAGONAL, RK_EVAL_METHOD},
    {"expand_dims", "a axis", expand_dims, 0, 0},
    {"extract", "condition a|arr", compress, 0, 0},
    {"flatten", "a", ravel, 0, RK_EVAL_METHOD_ONLY},
    {"flip", "a|m; axis", flip, 0, 0},
    {"fliplr", "a|m", flip_axis, 1, 0},
    {"flipud", "a|m", flip_axis, 0, 0},
    {"item", "a", item, 0, RK_EVAL_METHOD_ONLY},
    {"matrix_transpose", "x", matrix_transpose, 0, 0},
    {"moveaxis", "a source destination", moveaxis, 0, 0},
    {"pad", "array pad_width; mode * constant_values", pad, 0, 0},
    {"permute_dims", "a axes", transpose, 0, 0},
    {"ravel", "a", ravel, 0, RK_EVAL_METHOD},
    {"rechunk", "a chunks...", rechunk, 0, RK_EVAL_METHOD},
    {"repeat", "a repeats; axis", repeat, 0, RK_EVAL_METHOD},
    {"reshape", "a; shape...", reshape, 0, RK_EVAL_METHOD},
    {"roll", "a shift; axis", roll, 0, 0},
    {"squeeze", "a; axis", squeeze, 0, RK_EVAL_METHOD},
    {"swapaxes", "a axis1 axis2", swapaxes, 0, RK_EVAL_METHOD},
    {"take", "a indices; axis", take, 0, RK_EVAL_METHOD},
    {"tile", "A reps", tile, 0, 0},
    {"transpose", "a; axes...", transpose, 0, RK_EVAL_METHOD},
    {"tril", "m; k", triangle, LOWER, 0},
    {"triu", "m; k", triangle, UPPER, 0},
};

const rk_eval_table rk_eval_shapes = {rows, sizeof rows / sizeof *rows};
