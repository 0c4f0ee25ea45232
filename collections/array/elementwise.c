/* Element-wise operations: shapes and dtypes are settled here, by broadcasts and casts that come before the operation. */
#include "collections/array/kernels/kernels.h"
#include "collections/array/operand.h"
#include "collections/array/view.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the sugar calls operations: as NumPy, but where a shorter name is the usual one. */
static const char *const binary_names[RASK_BINARY_COUNT] = {
#define NUMPY_NAME(op, numpy) [RASK_BINARY_##op] = #numpy,
    RASK_BINARY_TABLE(NUMPY_NAME)
#undef NUMPY_NAME
};

static const struct {
    rask_binary op;
    const char *name;
} short_names[] = {
    {RASK_BINARY_SUB, "sub"},       {RASK_BINARY_MUL, "mul"},          {RASK_BINARY_DIV, "div"},
    {RASK_BINARY_REMAINDER, "mod"}, {RASK_BINARY_POWER, "pow"},        {RASK_BINARY_EQUAL, "eq"},
    {RASK_BINARY_NOT_EQUAL, "ne"},  {RASK_BINARY_LESS, "lt"},          {RASK_BINARY_LESS_EQUAL, "le"},
    {RASK_BINARY_GREATER, "gt"},    {RASK_BINARY_GREATER_EQUAL, "ge"}, {RASK_BINARY_LOGICAL_AND, "and"},
    {RASK_BINARY_LOGICAL_OR, "or"}, {RASK_BINARY_LOGICAL_XOR, "xor"},
};

static const char *const unary_names[RASK_UNARY_COUNT] = {
#define NUMPY_NAME(op, numpy) [RASK_UNARY_##op] = #numpy,
    RASK_UNARY_TABLE(NUMPY_NAME)
#undef NUMPY_NAME
};

enum { NAME_TEXT = 48 };

static const char *unary_name(rask_unary op, char buffer[NAME_TEXT])
{
    const char *name = op == RASK_UNARY_ABSOLUTE      ? "abs"
                       : op == RASK_UNARY_LOGICAL_NOT ? "not"
                                                      : unary_names[op];
    snprintf(buffer, NAME_TEXT, "rask_array_%s", name);
    return buffer;
}

static const char *binary_name(rask_binary op, char buffer[NAME_TEXT])
{
    const char *name = binary_names[op];
    for (size_t i = 0; i < sizeof short_names / sizeof *short_names; i++)
        if (short_names[i].op == op)
            name = short_names[i].name;
    snprintf(buffer, NAME_TEXT, "rask_array_%s", name);
    return buffer;
}

/* Inputs have one shape and are cast. */
static rask_array *operation(uint32_t op, rask_dtype dtype, rask_array **inputs, uint32_t count,
                             const char *file, int line)
{
    for (uint32_t i = 0; i < count; i++)
        if (!inputs[i])
            return NULL;
    rask_array key = {.graph = inputs[0]->graph,
                      .kind = RK_ELEMENTWISE,
                      .op = op,
                      .dtype = dtype,
                      .ndim = inputs[0]->ndim,
                      .input_count = count,
                      .inputs = inputs};
    memcpy(key.shape, inputs[0]->shape, sizeof key.shape);
    return rk_array_intern(&key, file, line);
}

/* Whether an operation leaves elements of this dtype as they are. */
static bool changes_nothing(rask_unary op, rask_dtype in)
{
    bool real = !rk_dtype_is_complex(in);
    return op == RASK_UNARY_POSITIVE || (real && (op == RASK_UNARY_REAL || op == RASK_UNARY_CONJ)) ||
           (op == RASK_UNARY_ABSOLUTE && (rk_dtype_is_unsigned(in) || in == RASK_DT_BOOL));
}

rask_array *rask_array_unary_at(rask_unary op, rask_array *a, const char *file, int line)
{
    rask_dtype in, out;
    char who[NAME_TEXT];
    if (!a || a->graph->status)
        return NULL;
    if ((unsigned)op >= RASK_UNARY_COUNT) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%d is no unary operation", (int)op);
        return NULL;
    }
    if (rk_unary_types(op, a->dtype, &in, &out)) {
        rk_graph_fail(a->graph, RASK_ETYPE, file, line, "%s: not defined for %s", unary_name(op, who),
                      rask_dtype_name(a->dtype));
        return NULL;
    }
    rask_array *cast = rk_array_cast(a, in, file, line);
    if (in == out && changes_nothing(op, in))
        return cast;
    return operation(RK_OP_UNARY + op, out, &cast, 1, file, line);
}

/* The dtypes of both, with weak promotion of one that is a number. */
static void dtypes_of(const rask_operand *a, const rask_operand *b, rask_dtype *of_a, rask_dtype *of_b)
{
    bool a_is = a->kind == RASK_OPERAND_ARRAY, b_is = b->kind == RASK_OPERAND_ARRAY;
    *of_a = rk_operand_dtype(a, b_is ? b->as.array->dtype : RASK_DT_COUNT);
    *of_b = rk_operand_dtype(b, a_is ? a->as.array->dtype : RASK_DT_COUNT);
}

/* An operand as an array of this dtype. A number goes straight there: one that only a wider type holds may well be divided
 * by, since that is done in floats. */
static rask_array *operand_as(rask_graph *graph, const rask_operand *operand, rask_dtype dtype,
                              const char *who, const char *file, int line)
{
    return rk_array_cast(rk_operand_array(graph, operand, dtype, who, file, line), dtype, file, line);
}

/* Arrays of one shape: that all broadcast to. */
static bool stretch(rask_graph *graph, rask_array **arrays, uint32_t count, const char *who, const char *file,
                    int line)
{
    int64_t shape[RASK_MAX_DIMENSIONS] = {0};
    uint32_t ndim = 0;
    char text[RK_SHAPE_TEXT], other[RK_SHAPE_TEXT];
    for (uint32_t i = 0; i < count; i++) {
        if (!arrays[i])
            return false;
        if (rk_broadcast(ndim, shape, arrays[i]->ndim, arrays[i]->shape, &ndim, shape)) {
            rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: shapes %s and %s do not broadcast", who,
                          rk_shape_text(shape, ndim, text),
                          rk_shape_text(arrays[i]->shape, arrays[i]->ndim, other));
            return false;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        arrays[i] = rk_array_broadcast(arrays[i], ndim, shape, file, line);
    return true;
}

static bool is_comparison(rask_binary op)
{
    return op >= RASK_BINARY_EQUAL && op <= RASK_BINARY_GREATER_EQUAL;
}

/* An integer that an array's dtype does not hold still compares: above or below all of it. */
static rask_array *compare_outside(rask_binary op, const rask_array *a, const rask_operand *number,
                                   bool number_first, const char *file, int line)
{
    bool above = number->kind == RASK_OPERAND_U64 || number->as.i64 > 0;
    bool less = op == RASK_BINARY_LESS || op == RASK_BINARY_LESS_EQUAL;
    bool truth = op == RASK_BINARY_NOT_EQUAL ||
                 (op != RASK_BINARY_EQUAL && (number_first ? above != less : above == less));
    rask_operand answer = {.kind = RASK_OPERAND_BOOL, .as.boolean = truth};
    return rk_array_broadcast(rk_array_scalar(a->graph, &answer, RASK_DT_BOOL, file, line), a->ndim, a->shape,
                              file, line);
}

/* The number that compares so with an array, or NULL. */
static const rask_operand *outside(rask_binary op, const rask_operand *number, const rask_operand *array)
{
    bool meet = is_comparison(op) && number->kind != RASK_OPERAND_ARRAY && array->kind == RASK_OPERAND_ARRAY;
    return meet && !rk_operand_fits(number, rk_operand_dtype(number, array->as.array->dtype)) ? number : NULL;
}

/* Powers that are faster, and more exact, as something else. RASK_UNARY_COUNT: none. */
static rask_unary power_as(const rask_operand *exponent, rask_dtype in)
{
    if (exponent->kind == RASK_OPERAND_ARRAY)
        return RASK_UNARY_COUNT;
    rask_operand number = rk_operand_cast(exponent, RASK_DT_F64);
    double e = number.as.f64;
    bool floating = in >= RASK_DT_F32;
    if (exponent->kind == RASK_OPERAND_C128 && exponent->as.c128[1] != 0)
        return RASK_UNARY_COUNT;
    return e == 2                ? RASK_UNARY_SQUARE
           : e == 1              ? RASK_UNARY_POSITIVE
           : floating && e == .5 ? RASK_UNARY_SQRT
           : floating && e == -1 ? RASK_UNARY_RECIPROCAL
                                 : RASK_UNARY_COUNT;
}

/* Integers have no powers that are fractions. */
static bool is_fraction(rask_binary op, rask_dtype in, const rask_operand *exponent)
{
    return op == RASK_BINARY_POWER && rk_dtype_is_integer(in) && exponent->kind == RASK_OPERAND_I64 &&
           exponent->as.i64 < 0;
}

static rask_array *binary(rask_graph *graph, rask_binary op, const rask_operand *a, const rask_operand *b,
                          const char *file, int line)
{
    char who[NAME_TEXT];
    rask_dtype of_a, of_b, in, out;
    binary_name(op, who);
    dtypes_of(a, b, &of_a, &of_b);
    if (rk_binary_types(op, of_a, of_b, &in, &out)) {
        rk_graph_fail(graph, RASK_ETYPE, file, line, "%s: not defined for %s and %s", who,
                      rask_dtype_name(of_a), rask_dtype_name(of_b));
        return NULL;
    }
    if (is_fraction(op, in, b)) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: integers to a negative power, %" PRId64, who,
                      b->as.i64);
        return NULL;
    }
    rask_unary instead = op == RASK_BINARY_POWER ? power_as(b, in) : RASK_UNARY_COUNT;
    rask_array *pair[2] = {operand_as(graph, a, in, who, file, line), NULL};
    if (instead != RASK_UNARY_COUNT)
        return rask_array_unary_at(instead, pair[0], file, line);
    pair[1] = operand_as(graph, b, in, who, file, line);
    if (!stretch(graph, pair, 2, who, file, line))
        return NULL;
    return operation(RK_OP_BINARY + op, out, pair, 2, file, line);
}

/* The graph of operands, of which one is an array; NULL when one that should be an array is none, or the graph has
 * failed, be it with this. */
static rask_graph *graph_of(const rask_operand *const *operands, uint32_t count, const char *file, int line)
{
    rask_graph *graph = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (operands[i]->kind == RASK_OPERAND_ARRAY && !operands[i]->as.array)
            return NULL;
        if (operands[i]->kind == RASK_OPERAND_ARRAY && !graph)
            graph = operands[i]->as.array->graph;
    }
    for (uint32_t i = 0; graph && i < count; i++)
        if (operands[i]->kind > RASK_OPERAND_C128)
            rk_graph_fail(graph, RASK_EINVAL, file, line, "operand %" PRIu32 " is of kind %" PRIu32, i,
                          operands[i]->kind);
    return graph && !graph->status ? graph : NULL;
}

rask_array *rask_array_binary_at(rask_binary op, rask_operand a, rask_operand b, const char *file, int line)
{
    rask_graph *graph = graph_of((const rask_operand *[]){&a, &b}, 2, file, line);
    if (!graph)
        return NULL;
    if ((unsigned)op >= RASK_BINARY_COUNT) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%d is no binary operation", (int)op);
        return NULL;
    }
    if (outside(op, &b, &a))
        return compare_outside(op, a.as.array, &b, false, file, line);
    if (outside(op, &a, &b))
        return compare_outside(op, b.as.array, &a, true, file, line);
    return binary(graph, op, &a, &b, file, line);
}

rask_array *rask_array_where_at(rask_array *condition, rask_operand a, rask_operand b, const char *file,
                                int line)
{
    static const char who[] = "rask_array_where";
    rask_operand asked = {.kind = RASK_OPERAND_ARRAY, .as.array = condition};
    rask_graph *graph = graph_of((const rask_operand *[]){&asked, &a, &b}, 3, file, line);
    rask_dtype of_a, of_b;
    if (!graph)
        return NULL;
    dtypes_of(&a, &b, &of_a, &of_b);
    rask_dtype dtype = rask_dtype_promote(of_a, of_b);
    rask_array *all[] = {rk_array_cast(condition, RASK_DT_BOOL, file, line),
                         operand_as(graph, &a, dtype, who, file, line),
                         operand_as(graph, &b, dtype, who, file, line)};
    if (!stretch(graph, all, 3, who, file, line))
        return NULL;
    return operation(RK_OP_WHERE, dtype, all, 3, file, line);
}

static rask_operand array_operand(rask_array *a)
{
    return (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = a};
}

/* As NumPy does it: scaled by a power of ten, rounded to whole numbers, and scaled back. */
static rask_array *round_scaled(rask_array *a, int decimals, const char *file, int line)
{
    int digits = decimals < -308 ? 308 : abs(decimals);
    rask_operand scale = {.kind = RASK_OPERAND_F64, .as.f64 = pow(10, digits)};
    rask_binary there = decimals > 0 ? RASK_BINARY_MUL : RASK_BINARY_DIV;
    rask_binary back = decimals > 0 ? RASK_BINARY_DIV : RASK_BINARY_MUL;
    rask_array *scaled = rask_array_binary_at(there, array_operand(a), scale, file, line);
    rask_array *whole = rask_array_unary_at(RASK_UNARY_RINT, scaled, file, line);
    return rask_array_binary_at(back, array_operand(whole), scale, file, line);
}

rask_array *rask_array_round_at(rask_array *a, int decimals, const char *file, int line)
{
    if (!a || a->graph->status)
        return NULL;
    bool whole = rk_dtype_is_integer(a->dtype);
    if (decimals > 308 || (whole && decimals >= 0))
        return a;
    if (!decimals)
        return rask_array_unary_at(RASK_UNARY_RINT, a, file, line);
    if (a->dtype == RASK_DT_BOOL) {
        rk_graph_fail(a->graph, RASK_ETYPE, file, line, "rask_array_round: bool has no decimals");
        return NULL;
    }
    rask_array *rounded = round_scaled(a, decimals, file, line);
    return whole ? rk_array_cast(rounded, a->dtype, file, line) : rounded;
}

rask_array *rask_array_astype_at(rask_array *a, rask_dtype dtype, const char *file, int line)
{
    if (!a || a->graph->status)
        return NULL;
    if ((unsigned)dtype >= RASK_DT_COUNT) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "rask_array_astype: %d is no dtype", (int)dtype);
        return NULL;
    }
    return rk_array_cast(a, dtype, file, line);
}
