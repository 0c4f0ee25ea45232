/* Operators: on arrays as NumPy has them, on two numbers as Python has them, at once. */
#include "collections/array/eval/value.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef __int128 wide; /* holds every sum, difference and quotient of two 64-bit integers */

enum { LIST_SHOWN = 60 }; /* bytes of a list that a message has */

/* The end of what is in brackets from byte at on, or at when that begins nothing. */
static size_t end_of_brackets(const rk_eval *e, size_t at)
{
    size_t depth = 0, i = at;
    do {
        char c = i < e->len ? e->text[i] : 0;
        if (c == '\'' || c == '"')
            for (i++; i < e->len && e->text[i] != c; i++)
                i += e->text[i] == '\\';
        depth += c == '[' || c == '(';
        depth -= (c == ']' || c == ')') && depth;
        i++;
    } while (depth && i < e->len);
    return depth || i == at + 1 ? at : i;
}

/* Tells what the list, or the first of two, would be written as: as it stands in the text where it stands there. */
static const char *list_hint(const rk_eval *e, const rk_eval_value *a, const rk_eval_value *b,
                             char hint[LIST_SHOWN + 40])
{
    const rk_eval_value *list = rk_eval_is_list(a) ? a : b;
    size_t len = end_of_brackets(e, list->at) - list->at;
    if (!rk_eval_is_list(list))
        return "";
    if (len > 0 && len <= LIST_SHOWN)
        snprintf(hint, LIST_SHOWN + 40, ": write array(%.*s)", (int)len, e->text + list->at);
    else
        snprintf(hint, LIST_SHOWN + 40, ": write array(…), with the list in it");
    return hint;
}

static rk_eval_value wrong_kinds(rk_eval *e, rk_mark mark, const rk_eval_value *a, const rk_eval_value *b)
{
    char hint[LIST_SHOWN + 40];
    return rk_eval_fail(e, e->at, RASK_ETYPE, "'%s' does not go with %s and %s%s", rk_mark_text(mark),
                        rk_eval_kind_text(a), rk_eval_kind_text(b), list_hint(e, a, b, hint));
}

static rk_eval_value undefined(rk_eval *e, rk_mark mark, const char *kind)
{
    return rk_eval_fail(e, e->at, RASK_ETYPE, "'%s' is not defined for %s", rk_mark_text(mark), kind);
}

static rk_eval_value by_zero(rk_eval *e)
{
    return rk_eval_fail(e, e->at, RASK_EINVAL, "division by zero");
}

/* --- two integers */

static wide wide_of(const rask_operand *n)
{
    return n->kind == RASK_OPERAND_BOOL  ? n->as.boolean
           : n->kind == RASK_OPERAND_I64 ? n->as.i64
                                         : (wide)n->as.u64;
}

static rk_eval_value of_wide(rk_eval *e, wide value)
{
    if (value >= INT64_MIN && value <= INT64_MAX)
        return rk_eval_i64((int64_t)value);
    if (value < 0 || value > (wide)UINT64_MAX)
        return rk_eval_fail(e, e->at, RASK_ERANGE, "an integer of more than 64 bits comes out");
    rk_eval_value big = rk_eval_i64(0);
    big.as.number.kind = RASK_OPERAND_U64;
    big.as.number.as.u64 = (uint64_t)value;
    return big;
}

/* Rounds down, as Python. */
static wide floor_quotient(wide a, wide b)
{
    wide quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

static const wide too_wide = (wide)1 << 100;

static wide product(wide a, wide b)
{
    wide value;
    return __builtin_mul_overflow(a, b, &value) ? too_wide : value;
}

static rk_eval_value integer_power(rk_eval *e, wide base, wide exponent)
{
    wide value = 1;
    if (base == 0 || base == 1 || base == -1)
        return of_wide(e, exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1 : base);
    for (wide i = 0; i < exponent && value <= (wide)UINT64_MAX && value >= INT64_MIN; i++)
        value = product(value, base);
    return of_wide(e, value);
}

static rk_eval_value shift(rk_eval *e, wide a, wide b, bool left)
{
    if (b < 0)
        return rk_eval_fail(e, e->at, RASK_EINVAL, "a shift by a negative number");
    if (!left)
        return of_wide(e, b > 64 ? (a < 0 ? -1 : 0) : a >> b);
    return of_wide(e, a == 0 ? 0 : b > 64 ? too_wide : product(a, (wide)1 << b));
}

static rk_eval_value of_integers(rk_eval *e, rk_mark mark, const rask_operand *left,
                                 const rask_operand *right)
{
    wide a = wide_of(left), b = wide_of(right);
    bool bools = left->kind == RASK_OPERAND_BOOL && right->kind == RASK_OPERAND_BOOL;
    switch (mark) {
    case RK_MARK_PLUS: return of_wide(e, a + b);
    case RK_MARK_MINUS: return of_wide(e, a - b);
    case RK_MARK_TIMES: return of_wide(e, product(a, b));
    case RK_MARK_DIVIDE: return b ? rk_eval_f64((double)a / (double)b) : by_zero(e);
    case RK_MARK_FLOOR_DIVIDE: return b ? of_wide(e, floor_quotient(a, b)) : by_zero(e);
    case RK_MARK_REMAINDER: return b ? of_wide(e, a - floor_quotient(a, b) * b) : by_zero(e);
    case RK_MARK_POWER: return integer_power(e, a, b);
    case RK_MARK_AND: return bools ? rk_eval_bool(a & b) : of_wide(e, a & b);
    case RK_MARK_OR: return bools ? rk_eval_bool(a | b) : of_wide(e, a | b);
    case RK_MARK_XOR: return bools ? rk_eval_bool(a ^ b) : of_wide(e, a ^ b);
    case RK_MARK_LEFT_SHIFT: return shift(e, a, b, true);
    case RK_MARK_RIGHT_SHIFT: return shift(e, a, b, false);
    case RK_MARK_LESS: return rk_eval_bool(a < b);
    case RK_MARK_LESS_EQUAL: return rk_eval_bool(a <= b);
    case RK_MARK_GREATER: return rk_eval_bool(a > b);
    case RK_MARK_GREATER_EQUAL: return rk_eval_bool(a >= b);
    case RK_MARK_EQUAL: return rk_eval_bool(a == b);
    case RK_MARK_NOT_EQUAL: return rk_eval_bool(a != b);
    default: return undefined(e, mark, "integers");
    }
}

/* --- two floats, two complex numbers */

static double f64_of(const rask_operand *n)
{
    return n->kind == RASK_OPERAND_F64 ? n->as.f64 : (double)wide_of(n);
}

/* With the sign of b, as Python. */
static double float_remainder(double a, double b)
{
    double rest = fmod(a, b);
    if (rest == 0)
        return copysign(0, b);
    return (b < 0) != (rest < 0) ? rest + b : rest;
}

static double float_floor_quotient(double a, double b)
{
    double quotient = (a - float_remainder(a, b)) / b, down = floor(quotient);
    if (quotient == 0)
        return copysign(0, a / b);
    return quotient - down > 0.5 ? down + 1 : down;
}

static rk_eval_value complex_power(rk_eval *e, double complex a, double complex b);

static rk_eval_value float_power(rk_eval *e, double a, double b)
{
    if (a == 0 && b < 0)
        return by_zero(e);
    if (a < 0 && isfinite(b) && b != floor(b))
        return complex_power(e, a, b);
    double value = pow(a, b);
    if (isinf(value) && isfinite(a) && isfinite(b))
        return rk_eval_fail(e, e->at, RASK_ERANGE, "a number too large for a float comes out");
    return rk_eval_f64(value);
}

static rk_eval_value of_floats(rk_eval *e, rk_mark mark, double a, double b)
{
    switch (mark) {
    case RK_MARK_PLUS: return rk_eval_f64(a + b);
    case RK_MARK_MINUS: return rk_eval_f64(a - b);
    case RK_MARK_TIMES: return rk_eval_f64(a * b);
    case RK_MARK_DIVIDE: return b != 0 ? rk_eval_f64(a / b) : by_zero(e);
    case RK_MARK_FLOOR_DIVIDE: return b != 0 ? rk_eval_f64(float_floor_quotient(a, b)) : by_zero(e);
    case RK_MARK_REMAINDER: return b != 0 ? rk_eval_f64(float_remainder(a, b)) : by_zero(e);
    case RK_MARK_POWER: return float_power(e, a, b);
    case RK_MARK_LESS: return rk_eval_bool(a < b);
    case RK_MARK_LESS_EQUAL: return rk_eval_bool(a <= b);
    case RK_MARK_GREATER: return rk_eval_bool(a > b);
    case RK_MARK_GREATER_EQUAL: return rk_eval_bool(a >= b);
    case RK_MARK_EQUAL: return rk_eval_bool(a == b);
    case RK_MARK_NOT_EQUAL: return rk_eval_bool(a != b);
    default: return undefined(e, mark, "floats");
    }
}

/* As CMPLX(), which not every compiler has. */
static double complex complex_of(const rask_operand *n)
{
    double parts[2] = {n->kind == RASK_OPERAND_C128 ? n->as.c128[0] : f64_of(n),
                       n->kind == RASK_OPERAND_C128 ? n->as.c128[1] : 0};
    double complex value;
    memcpy(&value, parts, sizeof value);
    return value;
}

static rk_eval_value of_complex_number(double complex value)
{
    rk_eval_value v = {.kind = RK_EVAL_NUMBER, .as.number = {.kind = RASK_OPERAND_C128}};
    v.as.number.as.c128[0] = creal(value);
    v.as.number.as.c128[1] = cimag(value);
    return v;
}

static rk_eval_value complex_power(rk_eval *e, double complex a, double complex b)
{
    if (b == 0)
        return of_complex_number(1);
    if (a == 0)
        return creal(b) < 0 || cimag(b) != 0 ? by_zero(e) : of_complex_number(0);
    return of_complex_number(cpow(a, b));
}

static rk_eval_value of_complex(rk_eval *e, rk_mark mark, double complex a, double complex b)
{
    switch (mark) {
    case RK_MARK_PLUS: return of_complex_number(a + b);
    case RK_MARK_MINUS: return of_complex_number(a - b);
    case RK_MARK_TIMES: return of_complex_number(a * b);
    case RK_MARK_DIVIDE: return b != 0 ? of_complex_number(a / b) : by_zero(e);
    case RK_MARK_POWER: return complex_power(e, a, b);
    case RK_MARK_EQUAL: return rk_eval_bool(a == b);
    case RK_MARK_NOT_EQUAL: return rk_eval_bool(a != b);
    default: return undefined(e, mark, "complex numbers");
    }
}

static rk_eval_value of_numbers(rk_eval *e, rk_mark mark, const rask_operand *a, const rask_operand *b)
{
    if (a->kind == RASK_OPERAND_C128 || b->kind == RASK_OPERAND_C128)
        return of_complex(e, mark, complex_of(a), complex_of(b));
    bool fraction = mark == RK_MARK_POWER && b->kind != RASK_OPERAND_F64 && wide_of(b) < 0;
    if (a->kind == RASK_OPERAND_F64 || b->kind == RASK_OPERAND_F64 || fraction)
        return of_floats(e, mark, f64_of(a), f64_of(b));
    return of_integers(e, mark, a, b);
}

/* --- arrays */

static bool binary_op(rk_mark mark, rask_binary *op)
{
    static const uint8_t table[RK_MARK_COUNT] = {
        /* one more than the operation's number */
        [RK_MARK_PLUS] = RASK_BINARY_ADD + 1,
        [RK_MARK_MINUS] = RASK_BINARY_SUB + 1,
        [RK_MARK_TIMES] = RASK_BINARY_MUL + 1,
        [RK_MARK_DIVIDE] = RASK_BINARY_DIV + 1,
        [RK_MARK_FLOOR_DIVIDE] = RASK_BINARY_FLOOR_DIVIDE + 1,
        [RK_MARK_REMAINDER] = RASK_BINARY_REMAINDER + 1,
        [RK_MARK_POWER] = RASK_BINARY_POWER + 1,
        [RK_MARK_EQUAL] = RASK_BINARY_EQUAL + 1,
        [RK_MARK_NOT_EQUAL] = RASK_BINARY_NOT_EQUAL + 1,
        [RK_MARK_LESS] = RASK_BINARY_LESS + 1,
        [RK_MARK_LESS_EQUAL] = RASK_BINARY_LESS_EQUAL + 1,
        [RK_MARK_GREATER] = RASK_BINARY_GREATER + 1,
        [RK_MARK_GREATER_EQUAL] = RASK_BINARY_GREATER_EQUAL + 1,
        [RK_MARK_AND] = RASK_BINARY_BITWISE_AND + 1,
        [RK_MARK_OR] = RASK_BINARY_BITWISE_OR + 1,
        [RK_MARK_XOR] = RASK_BINARY_BITWISE_XOR + 1,
        [RK_MARK_LEFT_SHIFT] = RASK_BINARY_LEFT_SHIFT + 1,
        [RK_MARK_RIGHT_SHIFT] = RASK_BINARY_RIGHT_SHIFT + 1,
    };
    *op = (rask_binary)(table[mark] - 1);
    return table[mark] != 0;
}

/* NumPy's ** takes shortcuts for some exponents, which give other bits than its power(): the operation that does it, or
 * RASK_UNARY_COUNT. */
static rask_unary power_shortcut(rask_dtype dtype, double exponent)
{
    if (exponent == 1)
        return RASK_UNARY_POSITIVE;
    if (exponent == 2)
        return RASK_UNARY_SQUARE;
    if (exponent == -1 && dtype >= RASK_DT_F32)
        return RASK_UNARY_RECIPROCAL;
    if (exponent == 0.5 && dtype >= RASK_DT_F32)
        return RASK_UNARY_SQRT;
    return RASK_UNARY_COUNT;
}

/* array ** number. */
static rk_eval_value power_of(rk_eval *e, rask_array *base, const rk_eval_value *exponent)
{
    const rask_operand *n = &exponent->as.number;
    bool whole = rk_dtype_is_integer(base->dtype), real = n->kind != RASK_OPERAND_C128;
    double value = real ? f64_of(n) : 0;
    if (whole && n->kind <= RASK_OPERAND_I64 && value < 0)
        return rk_eval_fail(e, e->at, RASK_EINVAL,
                            "integers to negative powers: write a float exponent, such as -1.0");
    if (whole && n->kind == RASK_OPERAND_F64)
        base = rask_array_astype_at(base, RASK_DT_F64, RK_EVAL_SITE(e));
    rask_unary shortcut = real && base && base->dtype != RASK_DT_BOOL && n->kind != RASK_OPERAND_BOOL
                              ? power_shortcut(base->dtype, value)
                              : RASK_UNARY_COUNT;
    if (shortcut != RASK_UNARY_COUNT)
        return rk_eval_array(rask_array_unary_at(shortcut, base, RK_EVAL_SITE(e)));
    rask_operand left = {.kind = RASK_OPERAND_ARRAY, .as.array = base};
    return rk_eval_array(rask_array_binary_at(RASK_BINARY_POWER, left, *n, RK_EVAL_SITE(e)));
}

static bool is_operand(const rk_eval_value *v)
{
    return v->kind == RK_EVAL_ARRAY || v->kind == RK_EVAL_NUMBER || rk_eval_is_list(v);
}

static rk_eval_value of_arrays(rk_eval *e, rk_mark mark, const rk_eval_value *a, const rk_eval_value *b)
{
    rask_binary op;
    if (mark == RK_MARK_MATMUL)
        return rk_eval_array(
            rask_array_matmul_at(rk_eval_to_array(e, a), rk_eval_to_array(e, b), RK_EVAL_SITE(e)));
    if (mark == RK_MARK_POWER && a->kind == RK_EVAL_ARRAY && b->kind == RK_EVAL_NUMBER)
        return power_of(e, a->as.array, b);
    if (!binary_op(mark, &op))
        return wrong_kinds(e, mark, a, b);
    rask_operand left = rk_eval_to_operand(e, a), right = rk_eval_to_operand(e, b);
    return rk_eval_array(rask_array_binary_at(op, left, right, RK_EVAL_SITE(e)));
}

static rk_eval_value joined(rk_eval *e, const rk_eval_value *a, const rk_eval_value *b)
{
    uint32_t left = a->as.list.count, right = b->as.list.count;
    if (left + right > RK_MAX_EVAL_LIST)
        return rk_eval_fail(e, e->at, RASK_ELIMIT, "a list of more than %d elements", RK_MAX_EVAL_LIST);
    rk_eval_value *items = rk_eval_memory(e, ((size_t)left + right) * sizeof *items);
    if (!items)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    for (uint32_t i = 0; i < left + right; i++)
        items[i] = i < left ? a->as.list.items[i] : b->as.list.items[i - left];
    return (rk_eval_value){.kind = a->kind, .as.list = {items, left + right}};
}

rk_eval_value rk_eval_binary(rk_eval *e, rk_mark mark, const rk_eval_value *a, const rk_eval_value *b)
{
    if (a->kind == RK_EVAL_NUMBER && b->kind == RK_EVAL_NUMBER)
        return of_numbers(e, mark, &a->as.number, &b->as.number);
    if (mark == RK_MARK_PLUS && rk_eval_is_list(a) && a->kind == b->kind)
        return joined(e, a, b);
    bool arrays = a->kind == RK_EVAL_ARRAY || b->kind == RK_EVAL_ARRAY;
    if (!arrays || !is_operand(a) || !is_operand(b))
        return wrong_kinds(e, mark, a, b);
    return of_arrays(e, mark, a, b);
}

static rk_eval_value unary_number(rk_eval *e, rk_mark mark, const rask_operand *a)
{
    if (a->kind == RASK_OPERAND_F64 && mark != RK_MARK_INVERT)
        return rk_eval_f64(mark == RK_MARK_MINUS ? -a->as.f64 : a->as.f64);
    if (a->kind == RASK_OPERAND_C128 && mark != RK_MARK_INVERT)
        return of_complex_number(mark == RK_MARK_MINUS ? -complex_of(a) : complex_of(a));
    if (a->kind >= RASK_OPERAND_F64)
        return undefined(e, mark, a->kind == RASK_OPERAND_F64 ? "floats" : "complex numbers");
    wide value = wide_of(a);
    return of_wide(e, mark == RK_MARK_MINUS ? -value : mark == RK_MARK_INVERT ? ~value : value);
}

rk_eval_value rk_eval_unary(rk_eval *e, rk_mark mark, const rk_eval_value *a)
{
    rask_unary op = mark == RK_MARK_MINUS    ? RASK_UNARY_NEGATIVE
                    : mark == RK_MARK_INVERT ? RASK_UNARY_INVERT
                                             : RASK_UNARY_POSITIVE;
    if (a->kind == RK_EVAL_NUMBER)
        return unary_number(e, mark, &a->as.number);
    if (a->kind != RK_EVAL_ARRAY)
        return rk_eval_fail(e, e->at, RASK_ETYPE, "'%s' does not go with %s", rk_mark_text(mark),
                            rk_eval_kind_text(a));
    return rk_eval_array(rask_array_unary_at(op, a->as.array, RK_EVAL_SITE(e)));
}
