/* Arithmetic. Integers wrap in the loop (as this file is compiled) and what wrapped is made null afterwards, so that the
 * usual batch, in which nothing does, costs one test more. */
#include "collections/table/expr/kernels/loops.h"

#include <math.h>

/* --- int64 */

/* Rows where checked() says that the result has no 64 bits. */
#define NULL_WHERE(c, a, b, condition)                                                                       \
    for (uint32_t i = 0; i < (c)->rows; i++) {                                                               \
        const int64_t a = (c)->in[0]->i64[rk_row(c, 0, i)], b = (c)->in[1]->i64[rk_row(c, 1, i)];            \
        if (condition)                                                                                       \
            rk_expr_null(c, i);                                                                              \
    }

/* Whether a sum, or a difference, of two rows wrapped, by its sign. */
#define WRAPPED(name, expression, sign)                                                                      \
    RK_CLONES static bool name(uint32_t rows, int64_t *restrict o, const int64_t *restrict x,                \
                               const int64_t *restrict y, uint32_t x_step, uint32_t y_step)                  \
    {                                                                                                        \
        int64_t any = 0;                                                                                     \
        if (x_step && y_step) {                                                                              \
            for (uint32_t i = 0; i < rows; i++) {                                                            \
                const int64_t a = x[i], b = y[i], r = expression;                                            \
                o[i] = r;                                                                                    \
                any |= sign;                                                                                 \
            }                                                                                                \
            return any < 0;                                                                                  \
        }                                                                                                    \
        for (uint32_t i = 0; i < rows; i++) {                                                                \
            const int64_t a = x_step ? x[i] : *x, b = y_step ? y[i] : *y, r = expression;                    \
            o[i] = r;                                                                                        \
            any |= sign;                                                                                     \
        }                                                                                                    \
        return any < 0;                                                                                      \
    }
WRAPPED(add_wrapped, a + b, (a ^ r) & (b ^ r))
WRAPPED(sub_wrapped, a - b, (a ^ b) & (a ^ r))

int rk_expr_add_i64(const rk_expr_call *c)
{
    int64_t sum;
    if (add_wrapped(c->rows, c->out->i64, c->in[0]->i64, c->in[1]->i64, !c->fixed[0], !c->fixed[1]))
        NULL_WHERE(c, a, b, __builtin_add_overflow(a, b, &sum))
    return RASK_OK;
}

int rk_expr_sub_i64(const rk_expr_call *c)
{
    int64_t difference;
    if (sub_wrapped(c->rows, c->out->i64, c->in[0]->i64, c->in[1]->i64, !c->fixed[0], !c->fixed[1]))
        NULL_WHERE(c, a, b, __builtin_sub_overflow(a, b, &difference))
    return RASK_OK;
}

RK_ZIP(mul_wrapping, int64_t, int64_t, a *b)

/* Bits that some value has, or, where it is negative, has not. */
RK_CLONES static uint64_t bits_of(uint32_t rows, const int64_t *x)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < rows; i++)
        bits |= (uint64_t)(x[i] ^ (x[i] >> 63));
    return bits;
}

static int bit_length(uint64_t bits)
{
    return bits ? 64 - __builtin_clzll(bits) : 0;
}

int rk_expr_mul_i64(const rk_expr_call *c)
{
    int64_t product;
    int most = 0;
    for (int k = 0; k < 2; k++)
        most += bit_length(bits_of(c->fixed[k] ? 1 : c->rows, c->in[k]->i64));
    rk_expr_mul_wrapping(c);
    if (most > 62)
        NULL_WHERE(c, a, b, __builtin_mul_overflow(a, b, &product))
    return RASK_OK;
}

/* Rounded down, as Python does it; the divisor is neither 0 nor -1. */
static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - ((a % b != 0) & ((a < 0) != (b < 0)));
}

int rk_expr_floordiv_i64(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++) {
        const int64_t a = c->in[0]->i64[rk_row(c, 0, i)], b = c->in[1]->i64[rk_row(c, 1, i)];
        bool good = b && (b != -1 || a != INT64_MIN);
        c->out->i64[i] = !good ? 0 : b == -1 ? -a : floor_divide(a, b);
        if (!good)
            rk_expr_null(c, i);
    }
    return RASK_OK;
}

int rk_expr_mod_i64(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++) {
        const int64_t a = c->in[0]->i64[rk_row(c, 0, i)], b = c->in[1]->i64[rk_row(c, 1, i)];
        c->out->i64[i] = b == 0 || b == -1 ? 0 : a - floor_divide(a, b) * b;
        if (!b)
            rk_expr_null(c, i);
    }
    return RASK_OK;
}

static bool power(int64_t base, int64_t exponent, int64_t *out)
{
    int64_t result = 1;
    bool wrapped = false;
    if (base == 0 || base == 1 || base == -1)
        exponent = exponent ? 2 - exponent % 2 : 0;
    for (; exponent && !wrapped; exponent >>= 1) {
        if (exponent & 1)
            wrapped = __builtin_mul_overflow(result, base, &result);
        if (exponent > 1)
            wrapped |= __builtin_mul_overflow(base, base, &base);
    }
    *out = result;
    return !wrapped;
}

int rk_expr_pow_i64(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++) {
        if (!power(c->in[0]->i64[rk_row(c, 0, i)], c->step->number, &c->out->i64[i]))
            rk_expr_null(c, i);
    }
    return RASK_OK;
}

static void null_where_least(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++) {
        if (c->in[0]->i64[rk_row(c, 0, i)] == INT64_MIN)
            rk_expr_null(c, i);
    }
}

RK_MAP(neg_wrapping, int64_t, int64_t, -a)
RK_MAP(abs_wrapping, int64_t, int64_t, a < 0 ? -a : a)

int rk_expr_neg_i64(const rk_expr_call *c)
{
    rk_expr_neg_wrapping(c);
    null_where_least(c);
    return RASK_OK;
}

int rk_expr_abs_i64(const rk_expr_call *c)
{
    rk_expr_abs_wrapping(c);
    null_where_least(c);
    return RASK_OK;
}

RK_MAP(sign_i64, int64_t, int64_t, (a > 0) - (a < 0))
RK_MAP(not_i64, int64_t, int64_t, ~a)
RK_ZIP(and_i64, int64_t, int64_t, a &b)
RK_ZIP(or_i64, int64_t, int64_t, a | b)
RK_ZIP(xor_i64, int64_t, int64_t, a ^ b)

/* --- float64 */

/* The remainder has the sign of the divisor. */
static double modulo(double a, double b)
{
    double r = fmod(a, b);
    return r == 0 ? copysign(0, b) : (r < 0) != (b < 0) ? r + b : r;
}

RK_ZIP(add_f64, double, double, a + b)
RK_ZIP(sub_f64, double, double, a - b)
RK_ZIP(mul_f64, double, double, a *b)
RK_ZIP(div_f64, double, double, a / b)
RK_ZIP(floordiv_f64, double, double, floor(a / b))
RK_ZIP(mod_f64, double, double, modulo(a, b))
RK_ZIP(pow_f64, double, double, pow(a, b))
RK_MAP(neg_f64, double, double, -a)
RK_MAP(abs_f64, double, double, fabs(a))
RK_MAP(sign_f64, double, double, a > 0 ? 1.0 : a < 0 ? -1.0 : a)
RK_MAP(floor_f64, double, double, floor(a))
RK_MAP(ceil_f64, double, double, ceil(a))
RK_MAP(sqrt_f64, double, double, sqrt(a))
RK_MAP(exp_f64, double, double, exp(a))
RK_MAP(log_f64, double, double, log(a))
RK_MAP(log2_f64, double, double, log2(a))
RK_MAP(log10_f64, double, double, log10(a))
RK_MAP(isnan_f64, uint8_t, double, a != a)
RK_MAP(whole_f64, double, double, rint(a))

/* To a multiple of 1 / scale, or of scale when digits are before the point. What cannot be finer stays as it is. */
static double round_to(double a, bool behind, double scale)
{
    double scaled = behind ? a * scale : a / scale;
    if (!isfinite(a) || (behind && !isfinite(scaled)))
        return a;
    double whole = rint(scaled);
    return whole == 0 ? copysign(0, a) : behind ? whole / scale : whole * scale;
}

/* Halves go to the even neighbour. */
int rk_expr_round_f64(const rk_expr_call *c)
{
    int64_t digits = c->step->number;
    double scale = pow(10, fabs((double)digits));
    if (!digits)
        return rk_expr_whole_f64(c);
    for (uint32_t i = 0; i < c->rows; i++)
        c->out->f64[i] = round_to(c->in[0]->f64[rk_row(c, 0, i)], digits > 0, scale);
    return RASK_OK;
}
