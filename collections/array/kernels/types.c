/* Which dtypes operations take and give.
 *
 * NumPy's rules, but for one: it has 16-bit floats, and Rask takes f32 where it would. */
#include "collections/array/kernels/kernels.h"

/* The float that all values fit into. */
static rask_dtype float_of(rask_dtype a)
{
    if (a >= RASK_DT_F32)
        return a;
    return rask_dtype_size(a) <= 2 ? RASK_DT_F32 : RASK_DT_F64;
}

/* Of one half, or the dtype itself. */
static rask_dtype real_of(rask_dtype a)
{
    return a == RASK_DT_C64 ? RASK_DT_F32 : a == RASK_DT_C128 ? RASK_DT_F64 : a;
}

/* Numbers that a truth value is where an operation is not made for them. */
static rask_dtype number_of(rask_dtype a)
{
    return a == RASK_DT_BOOL ? RASK_DT_I8 : a;
}

typedef enum unary_rule {
    SAME,        /* as the argument; not for bool */
    NUMBER,      /* the same, bool as i8 */
    FLOATING,    /* in floats or complex numbers */
    REAL_FLOATS, /* in floats; not for complex numbers */
    PART,        /* of complex numbers one half, else the same */
    FLOAT_PART,  /* of complex numbers one half, else floats */
    WHOLE,       /* bool and integers */
    QUESTION,    /* any to bool */
    FLOAT_QUESTION,
} unary_rule;

static const uint8_t unary_rules[RASK_UNARY_COUNT] = {
    [RASK_UNARY_NEGATIVE] = SAME,
    [RASK_UNARY_POSITIVE] = SAME,
    [RASK_UNARY_ABSOLUTE] = PART,
    [RASK_UNARY_SIGN] = SAME,
    [RASK_UNARY_SQUARE] = NUMBER,
    [RASK_UNARY_SQRT] = FLOATING,
    [RASK_UNARY_CBRT] = REAL_FLOATS,
    [RASK_UNARY_RECIPROCAL] = NUMBER,
    [RASK_UNARY_EXP] = FLOATING,
    [RASK_UNARY_EXP2] = FLOATING,
    [RASK_UNARY_EXPM1] = FLOATING,
    [RASK_UNARY_LOG] = FLOATING,
    [RASK_UNARY_LOG2] = FLOATING,
    [RASK_UNARY_LOG10] = FLOATING,
    [RASK_UNARY_LOG1P] = FLOATING,
    [RASK_UNARY_SIN] = FLOATING,
    [RASK_UNARY_COS] = FLOATING,
    [RASK_UNARY_TAN] = FLOATING,
    [RASK_UNARY_ARCSIN] = FLOATING,
    [RASK_UNARY_ARCCOS] = FLOATING,
    [RASK_UNARY_ARCTAN] = FLOATING,
    [RASK_UNARY_SINH] = FLOATING,
    [RASK_UNARY_COSH] = FLOATING,
    [RASK_UNARY_TANH] = FLOATING,
    [RASK_UNARY_ARCSINH] = FLOATING,
    [RASK_UNARY_ARCCOSH] = FLOATING,
    [RASK_UNARY_ARCTANH] = FLOATING,
    [RASK_UNARY_FLOOR] = REAL_FLOATS,
    [RASK_UNARY_CEIL] = REAL_FLOATS,
    [RASK_UNARY_TRUNC] = REAL_FLOATS,
    [RASK_UNARY_RINT] = FLOATING,
    [RASK_UNARY_INVERT] = WHOLE,
    [RASK_UNARY_LOGICAL_NOT] = QUESTION,
    [RASK_UNARY_ISNAN] = QUESTION,
    [RASK_UNARY_ISINF] = QUESTION,
    [RASK_UNARY_ISFINITE] = QUESTION,
    [RASK_UNARY_SIGNBIT] = FLOAT_QUESTION,
    [RASK_UNARY_REAL] = PART,
    [RASK_UNARY_IMAG] = PART,
    [RASK_UNARY_CONJ] = NUMBER,
    [RASK_UNARY_ANGLE] = FLOAT_PART,
    [RASK_UNARY_DEG2RAD] = REAL_FLOATS,
    [RASK_UNARY_RAD2DEG] = REAL_FLOATS,
};

int rk_unary_types(rask_unary op, rask_dtype a, rask_dtype *in, rask_dtype *out)
{
    if ((unsigned)op >= RASK_UNARY_COUNT)
        return RASK_ETYPE;
    unary_rule rule = unary_rules[op];
    bool complex = rk_dtype_is_complex(a), floating = rk_dtype_is_float(a) || complex;
    if ((rule == SAME && a == RASK_DT_BOOL) || (rule == WHOLE && floating) ||
        (complex && (rule == REAL_FLOATS || rule == FLOAT_QUESTION)))
        return RASK_ETYPE;
    bool in_floats = rule == FLOATING || rule == REAL_FLOATS || rule == FLOAT_PART || rule == FLOAT_QUESTION;
    if (rule == FLOAT_PART && a == RASK_DT_BOOL) /* an arc tangent of it and of 0, an i64 */
        a = RASK_DT_I64;
    rask_dtype taken = in_floats ? float_of(a) : rule == NUMBER ? number_of(a) : a;
    *in = taken;
    *out = rule == QUESTION || rule == FLOAT_QUESTION ? RASK_DT_BOOL
           : rule == PART || rule == FLOAT_PART       ? real_of(taken)
                                                      : taken;
    return RASK_OK;
}

typedef enum binary_rule {
    COMMON,     /* in what both fit into */
    ARITHMETIC, /* the same; not for bool */
    QUOTIENT,   /* integers in f64 */
    WHOLE_PART, /* bool as i8; not for complex numbers */
    EXPONENT,   /* bool as i8 */
    TWO_FLOATS, /* in floats; not for complex numbers */
    COMPARISON, /* to bool */
    LOGIC,      /* from bool to bool */
    BITS,       /* bool and integers */
    SHIFT,      /* integers, bool as i8 */
} binary_rule;

static const uint8_t binary_rules[RASK_BINARY_COUNT] = {
    [RASK_BINARY_ADD] = COMMON,
    [RASK_BINARY_SUB] = ARITHMETIC,
    [RASK_BINARY_MUL] = COMMON,
    [RASK_BINARY_DIV] = QUOTIENT,
    [RASK_BINARY_FLOOR_DIVIDE] = WHOLE_PART,
    [RASK_BINARY_REMAINDER] = WHOLE_PART,
    [RASK_BINARY_FMOD] = WHOLE_PART,
    [RASK_BINARY_POWER] = EXPONENT,
    [RASK_BINARY_MINIMUM] = COMMON,
    [RASK_BINARY_MAXIMUM] = COMMON,
    [RASK_BINARY_FMIN] = COMMON,
    [RASK_BINARY_FMAX] = COMMON,
    [RASK_BINARY_ARCTAN2] = TWO_FLOATS,
    [RASK_BINARY_HYPOT] = TWO_FLOATS,
    [RASK_BINARY_COPYSIGN] = TWO_FLOATS,
    [RASK_BINARY_EQUAL] = COMPARISON,
    [RASK_BINARY_NOT_EQUAL] = COMPARISON,
    [RASK_BINARY_LESS] = COMPARISON,
    [RASK_BINARY_LESS_EQUAL] = COMPARISON,
    [RASK_BINARY_GREATER] = COMPARISON,
    [RASK_BINARY_GREATER_EQUAL] = COMPARISON,
    [RASK_BINARY_LOGICAL_AND] = LOGIC,
    [RASK_BINARY_LOGICAL_OR] = LOGIC,
    [RASK_BINARY_LOGICAL_XOR] = LOGIC,
    [RASK_BINARY_BITWISE_AND] = BITS,
    [RASK_BINARY_BITWISE_OR] = BITS,
    [RASK_BINARY_BITWISE_XOR] = BITS,
    [RASK_BINARY_LEFT_SHIFT] = SHIFT,
    [RASK_BINARY_RIGHT_SHIFT] = SHIFT,
};

static bool refused(binary_rule rule, rask_dtype common)
{
    bool complex = rk_dtype_is_complex(common), floating = rk_dtype_is_float(common) || complex;
    return (rule == ARITHMETIC && common == RASK_DT_BOOL) ||
           (complex && (rule == WHOLE_PART || rule == TWO_FLOATS)) ||
           (floating && (rule == BITS || rule == SHIFT));
}

int rk_binary_types(rask_binary op, rask_dtype a, rask_dtype b, rask_dtype *in, rask_dtype *out)
{
    if ((unsigned)op >= RASK_BINARY_COUNT)
        return RASK_ETYPE;
    binary_rule rule = binary_rules[op];
    rask_dtype taken = rask_dtype_promote(a, b);
    if (refused(rule, taken))
        return RASK_ETYPE;
    if (rule == WHOLE_PART || rule == EXPONENT || rule == SHIFT)
        taken = number_of(taken);
    else if (rule == QUOTIENT && !rk_dtype_is_float(taken) && !rk_dtype_is_complex(taken))
        taken = RASK_DT_F64;
    else if (rule == TWO_FLOATS)
        taken = rask_dtype_promote(float_of(a), float_of(b));
    else if (rule == LOGIC)
        taken = RASK_DT_BOOL;
    *in = taken;
    *out = rule == COMPARISON || rule == LOGIC ? RASK_DT_BOOL : taken;
    return RASK_OK;
}

/* Sums and products of integers are made in 64 bits. */
static rask_dtype wide_of(rask_dtype a)
{
    if (a >= RASK_DT_F32)
        return a;
    return rk_dtype_is_unsigned(a) ? RASK_DT_U64 : RASK_DT_I64;
}

int rk_reduction_types(rask_reduction op, rask_dtype a, rask_dtype *in, rask_dtype *out)
{
    rask_dtype mean = a >= RASK_DT_F32 ? a : RASK_DT_F64;
    switch (op) {
    case RASK_REDUCE_SUM:
    case RASK_REDUCE_PROD:
    case RASK_REDUCE_NANSUM:
    case RASK_REDUCE_NANPROD: *in = *out = wide_of(a); break;
    case RASK_REDUCE_MIN:
    case RASK_REDUCE_MAX:
    case RASK_REDUCE_NANMIN:
    case RASK_REDUCE_NANMAX: *in = *out = a; break;
    case RASK_REDUCE_MEAN:
    case RASK_REDUCE_NANMEAN: *in = *out = mean; break;
    case RASK_REDUCE_VAR:
    case RASK_REDUCE_STD:
    case RASK_REDUCE_NANVAR:
    case RASK_REDUCE_NANSTD: *in = mean, *out = real_of(mean); break;
    case RASK_REDUCE_ANY:
    case RASK_REDUCE_ALL: *in = *out = RASK_DT_BOOL; break;
    case RASK_REDUCE_COUNT_NONZERO: *in = RASK_DT_BOOL, *out = RASK_DT_I64; break;
    case RASK_REDUCE_ARGMIN:
    case RASK_REDUCE_ARGMAX:
    case RASK_REDUCE_NANARGMIN:
    case RASK_REDUCE_NANARGMAX: *in = a, *out = RASK_DT_I64; break;
    default: return RASK_ETYPE;
    }
    return RASK_OK;
}
