/* Numbers among arrays: what dtype they take, and casts. */
#include "collections/array/operand.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The dtype that a number's kind has by itself. */
static rask_dtype natural(const rask_operand *number)
{
    switch ((rask_operand_kind)number->kind) {
    case RASK_OPERAND_BOOL: return RASK_DT_BOOL;
    case RASK_OPERAND_I64: return RASK_DT_I64;
    case RASK_OPERAND_U64: return number->as.u64 > INT64_MAX ? RASK_DT_U64 : RASK_DT_I64;
    case RASK_OPERAND_F64: return RASK_DT_F64;
    case RASK_OPERAND_C128: return RASK_DT_C128;
    default: return RASK_DT_COUNT;
    }
}

/* The dtype of a number that meets dtype: it changes the kind (bool, integer, float, complex) only upwards, and keeps to
 * the array's width. */
static rask_dtype weak(const rask_operand *number, rask_dtype with)
{
    switch ((rask_operand_kind)number->kind) {
    case RASK_OPERAND_BOOL: return with;
    case RASK_OPERAND_I64:
    case RASK_OPERAND_U64: return with == RASK_DT_BOOL ? RASK_DT_I64 : with;
    case RASK_OPERAND_F64: return with < RASK_DT_F32 ? RASK_DT_F64 : with;
    case RASK_OPERAND_C128:
        return with == RASK_DT_F32 ? RASK_DT_C64 : rk_dtype_is_complex(with) ? with : RASK_DT_C128;
    default: return RASK_DT_COUNT;
    }
}

bool rk_integer_limits(rask_dtype dtype, int64_t *low, uint64_t *high)
{
    unsigned bits = 8 * (unsigned)rask_dtype_size(dtype);
    if (!rk_dtype_is_integer(dtype))
        return false;
    bool is_signed = rk_dtype_is_signed(dtype);
    *high = UINT64_MAX >> (64 - bits + is_signed);
    *low = is_signed ? -(int64_t)*high - 1 : 0;
    return true;
}

bool rk_operand_fits(const rask_operand *number, rask_dtype dtype)
{
    int64_t low;
    uint64_t high;
    if (!rk_integer_limits(dtype, &low, &high))
        return true;
    if (number->kind == RASK_OPERAND_U64)
        return number->as.u64 <= high;
    return number->kind != RASK_OPERAND_I64 ||
           (number->as.i64 < 0 ? number->as.i64 >= low : (uint64_t)number->as.i64 <= high);
}

/* What a number would be as any kind. The whole parts mean nothing for floats outside of them. */
typedef struct number_as {
    bool boolean;
    uint64_t bits; /* of the integer, in two's complement */
    double real, imaginary;
} number_as;

static number_as number_of(const rask_operand *n)
{
    switch ((rask_operand_kind)n->kind) {
    case RASK_OPERAND_BOOL: return (number_as){n->as.boolean, n->as.boolean, n->as.boolean, 0};
    case RASK_OPERAND_I64: return (number_as){n->as.i64 != 0, (uint64_t)n->as.i64, (double)n->as.i64, 0};
    case RASK_OPERAND_U64: return (number_as){n->as.u64 != 0, n->as.u64, (double)n->as.u64, 0};
    case RASK_OPERAND_F64: {
        double f = n->as.f64;
        return (number_as){f != 0, fabs(f) < 0x1p63 ? (uint64_t)(int64_t)f : 0, f, 0};
    }
    case RASK_OPERAND_C128: {
        double re = n->as.c128[0], im = n->as.c128[1];
        return (number_as){re != 0 || im != 0, fabs(re) < 0x1p63 ? (uint64_t)(int64_t)re : 0, re, im};
    }
    default: return (number_as){0};
    }
}

/* The low bits of an integer as dtype has them. */
static int64_t wrap(uint64_t bits, rask_dtype dtype)
{
    unsigned cut = 64 - 8 * (unsigned)rask_dtype_size(dtype);
    return rk_dtype_is_signed(dtype) ? (int64_t)(bits << cut) >> cut : (int64_t)(bits << cut >> cut);
}

/* i64 that is not exact in f64 must go to f32 in one step. */
static double to_f32(const rask_operand *n, double real)
{
    if (n->kind == RASK_OPERAND_I64)
        return (float)n->as.i64;
    return n->kind == RASK_OPERAND_U64 ? (double)(float)n->as.u64 : (double)(float)real;
}

rask_operand rk_operand_cast(const rask_operand *number, rask_dtype dtype)
{
    number_as as = number_of(number);
    rask_operand cast;
    memset(&cast, 0, sizeof cast);
    bool narrow = dtype == RASK_DT_F32 || dtype == RASK_DT_C64;
    double real = narrow ? to_f32(number, as.real) : as.real;
    if (dtype == RASK_DT_BOOL) {
        cast.kind = RASK_OPERAND_BOOL;
        cast.as.boolean = as.boolean;
    } else if (rk_dtype_is_signed(dtype)) {
        cast.kind = RASK_OPERAND_I64;
        cast.as.i64 = wrap(as.bits, dtype);
    } else if (rk_dtype_is_unsigned(dtype)) {
        cast.kind = RASK_OPERAND_U64;
        cast.as.u64 = (uint64_t)wrap(as.bits, dtype);
    } else if (rk_dtype_is_float(dtype)) {
        cast.kind = RASK_OPERAND_F64;
        cast.as.f64 = real;
    } else {
        cast.kind = RASK_OPERAND_C128;
        cast.as.c128[0] = real;
        cast.as.c128[1] = narrow ? (double)(float)as.imaginary : as.imaginary;
    }
    return cast;
}

void rk_operand_store(const rask_operand *number, rask_dtype dtype, void *out)
{
    rask_operand cast = rk_operand_cast(number, dtype);
    size_t size = rask_dtype_size(dtype);
    float halves[2] = {0};
    const char *whole = (const char *)&cast.as.u64;
    if (dtype == RASK_DT_F32)
        halves[0] = (float)cast.as.f64;
    else if (dtype == RASK_DT_C64)
        halves[0] = (float)cast.as.c128[0], halves[1] = (float)cast.as.c128[1];
    else if (rk_dtype_is_integer(dtype) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        whole += sizeof cast.as.u64 - size;
    memcpy(out, dtype == RASK_DT_F32 || dtype == RASK_DT_C64 ? (const void *)halves : whole, size);
}

rask_array *rk_array_scalar(rask_graph *graph, const rask_operand *number, rask_dtype dtype, const char *file,
                            int line)
{
    rask_array key = {
        .graph = graph, .kind = RK_SCALAR, .dtype = dtype, .as.scalar = rk_operand_cast(number, dtype)};
    return rk_array_intern(&key, file, line);
}

const char *rk_operand_text(const rask_operand *number, char *buffer, size_t capacity)
{
    switch ((rask_operand_kind)number->kind) {
    case RASK_OPERAND_BOOL: snprintf(buffer, capacity, "%s", number->as.boolean ? "true" : "false"); break;
    case RASK_OPERAND_I64: snprintf(buffer, capacity, "%" PRId64, number->as.i64); break;
    case RASK_OPERAND_U64: snprintf(buffer, capacity, "%" PRIu64, number->as.u64); break;
    case RASK_OPERAND_F64: snprintf(buffer, capacity, "%.17g", number->as.f64); break;
    case RASK_OPERAND_C128:
        snprintf(buffer, capacity, "%.17g%+.17gj", number->as.c128[0], number->as.c128[1]);
        break;
    default: snprintf(buffer, capacity, "an array"); break;
    }
    return buffer;
}

static rask_array *same_graph(rask_graph *graph, rask_array *array, const char *who, const char *file,
                              int line)
{
    if (!array || array->graph == graph)
        return array;
    rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: an array of another graph", who);
    return NULL;
}

rask_dtype rk_operand_dtype(const rask_operand *operand, rask_dtype with)
{
    if (operand->kind == RASK_OPERAND_ARRAY)
        return rask_array_dtype(operand->as.array);
    return (unsigned)with < RASK_DT_COUNT ? weak(operand, with) : natural(operand);
}

rask_array *rk_operand_array(rask_graph *graph, const rask_operand *operand, rask_dtype with, const char *who,
                             const char *file, int line)
{
    if (!graph || graph->status)
        return NULL;
    if (operand->kind == RASK_OPERAND_ARRAY)
        return same_graph(graph, operand->as.array, who, file, line);
    rask_dtype dtype = rk_operand_dtype(operand, with);
    char text[64];
    if (dtype == RASK_DT_COUNT) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: an operand of kind %" PRIu32, who, operand->kind);
        return NULL;
    }
    if (!rk_operand_fits(operand, dtype)) {
        rk_graph_fail(graph, RASK_ERANGE, file, line, "%s: %s is out of bounds for %s", who,
                      rk_operand_text(operand, text, sizeof text), rask_dtype_name(dtype));
        return NULL;
    }
    return rk_array_scalar(graph, operand, dtype, file, line);
}

/* Whether a number of this dtype has one value of the other that every machine agrees on. */
static bool casts_alike(const rask_array *scalar, rask_dtype dtype)
{
    const rask_operand *n = &scalar->as.scalar;
    double real = n->kind == RASK_OPERAND_F64 ? n->as.f64 : n->kind == RASK_OPERAND_C128 ? n->as.c128[0] : 0;
    int64_t low;
    uint64_t high;
    if (!rk_integer_limits(dtype, &low, &high))
        return true;
    double whole = trunc(real);
    return whole >= (double)low && whole <= (double)high && fabs(whole) < 0x1p63;
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by one step, from a view to its number */
rask_array *rk_array_cast(rask_array *a, rask_dtype dtype, const char *file, int line)
{
    if (!a || a->dtype == dtype)
        return a;
    if (a->kind == RK_SCALAR && casts_alike(a, dtype))
        return rk_array_scalar(a->graph, &a->as.scalar, dtype, file, line);
    if (a->kind == RK_VIEW && a->inputs[0]->kind == RK_SCALAR)
        return rk_array_view(rk_array_cast(a->inputs[0], dtype, file, line), a->as.view, a->ndim, a->shape,
                             file, line);
    rask_array key = {.graph = a->graph,
                      .kind = RK_ELEMENTWISE,
                      .op = RK_OP_CAST,
                      .dtype = dtype,
                      .ndim = a->ndim,
                      .input_count = 1,
                      .inputs = &a};
    memcpy(key.shape, a->shape, sizeof key.shape);
    return rk_array_intern(&key, file, line);
}
