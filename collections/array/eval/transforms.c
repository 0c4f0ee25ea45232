/* Fourier transforms. */
#include "collections/array/eval/function.h"

static rk_eval_value failed(void)
{
    return (rk_eval_value){.kind = RK_EVAL_FAILED};
}

/* Along an axis n elements: cut, or filled up with zeros. */
static rask_array *resized(rk_call *c, rask_array *a, int axis, int64_t n)
{
    int64_t before[RASK_MAX_DIMENSIONS] = {0}, after[RASK_MAX_DIMENSIONS] = {0};
    rask_operand zero = {.kind = RASK_OPERAND_I64};
    if (n == a->shape[axis])
        return a;
    if (n < a->shape[axis])
        return rk_call_part(c, a, axis, 0, n);
    after[axis] = n - a->shape[axis];
    return rask_array_pad_at(a, before, after, RASK_PAD_CONSTANT, zero, RK_EVAL_SITE(c->eval));
}

enum { FORWARD, INVERSE, REAL, REAL_INVERSE };

static rask_array *transform(rk_call *c, rask_array *a, int axis, int64_t n)
{
    rk_eval *e = c->eval;
    switch (c->function->code) {
    case REAL: return rask_array_rfft_at(a, axis, RK_EVAL_SITE(e));
    case REAL_INVERSE: return rask_array_irfft_at(a, axis, n, RK_EVAL_SITE(e));
    default: return rask_array_fft_at(a, axis, c->function->code == INVERSE, RK_EVAL_SITE(e));
    }
}

static bool plain_norm(rk_call *c)
{
    const rk_eval_value *norm = rk_call_value(c, "norm");
    if (!rk_eval_given(norm) || rk_eval_text_is(norm, "backward"))
        return true;
    rk_call_fail(c, "norm", RASK_EUNSUPPORTED, "the one norm is \"backward\"");
    return false;
}

static rk_eval_value one_axis(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    int axis = a ? rk_call_axis_of(c, a, rk_call_axis(c, "axis", -1)) : -1;
    if (axis < 0 || !plain_norm(c) || c->eval->graph->status)
        return failed();
    bool back = c->function->code == REAL_INVERSE;
    int64_t n = rk_call_i64(c, "n", back ? 2 * (a->shape[axis] - 1) : a->shape[axis]);
    if (n < 1)
        return rk_call_fail(c, "n", RASK_EINVAL, "a transform of %lld elements", (long long)n);
    a = resized(c, a, axis, back ? n / 2 + 1 : n);
    return rk_eval_array(transform(c, a, axis, n));
}

/* Along some axes: all, or for "fft2" the last two. */
static rk_eval_value some_axes(rk_call *c, uint32_t usual)
{
    int axes[RASK_MAX_DIMENSIONS];
    rask_array *a = rk_call_array(c, "a");
    uint32_t count = usual && a && usual < a->ndim ? usual : a ? a->ndim : 0;
    for (uint32_t i = 0; i < count; i++)
        axes[i] = (int)i - (int)count;
    if (rk_call_given(c, "axes"))
        count = rk_eval_to_axes(c->eval, rk_call_value(c, "axes"), axes);
    if (!a || !plain_norm(c) || c->eval->graph->status)
        return failed();
    if (a->ndim < usual)
        return rk_call_fail(c, "a", RASK_EINVAL, "an array of at least two dimensions expected");
    for (uint32_t i = count; i-- > 0;)
        a = transform(c, a, axes[i], 0);
    return rk_eval_array(a);
}

static rk_eval_value two_axes(rk_call *c)
{
    return some_axes(c, 2);
}

static rk_eval_value all_axes(rk_call *c)
{
    return some_axes(c, 0);
}

/* code: 0: zero frequency to the middle; 1: and back. */
static rk_eval_value shift(rk_call *c)
{
    int axes[RASK_MAX_DIMENSIONS];
    rask_array *a = rk_call_array(c, "x");
    uint32_t count = a ? a->ndim : 0;
    for (uint32_t i = 0; i < count; i++)
        axes[i] = (int)i;
    if (rk_call_given(c, "axes"))
        count = rk_eval_to_axes(c->eval, rk_call_value(c, "axes"), axes);
    for (uint32_t i = 0; a && i < count; i++) {
        int axis = rk_call_axis_of(c, a, axes[i]);
        if (axis < 0)
            return failed();
        int64_t by = a->shape[axis] / 2;
        a = rask_array_roll_at(a, c->function->code ? -by : by, axis, RK_EVAL_SITE(c->eval));
    }
    return rk_eval_array(a);
}

static rask_array *range_over(rk_call *c, int64_t start, int64_t stop, double divisor)
{
    rask_operand from = {.kind = RASK_OPERAND_I64, .as.i64 = start},
                 to = {.kind = RASK_OPERAND_I64, .as.i64 = stop};
    rask_operand one = {.kind = RASK_OPERAND_I64, .as.i64 = 1};
    rask_array *a = rask_array_arange_at(c->eval->graph, from, to, one, RASK_DT_I64, RK_EVAL_SITE(c->eval));
    return rk_call_with(c, RASK_BINARY_MUL, a, 1 / divisor);
}

/* code: 0: all frequencies; 1: those of a real transform. */
static rk_eval_value frequencies(rk_call *c)
{
    int64_t n = rk_call_i64(c, "n", 1);
    double d = rk_call_f64(c, "d", 1);
    if (n < 1 || n > (int64_t)1 << 52 || d == 0)
        return rk_call_fail(c, n < 1 || d != 0 ? "n" : "d", RASK_EINVAL, "a positive number expected");
    if (c->function->code)
        return rk_eval_array(range_over(c, 0, n / 2 + 1, (double)n * d));
    rask_array *halves[2] = {range_over(c, 0, (n + 1) / 2, (double)n * d),
                             range_over(c, -(n / 2), 0, (double)n * d)};
    return rk_eval_array(rask_array_concatenate_at(halves, 2, 0, RK_EVAL_SITE(c->eval)));
}

static const rk_eval_function rows[] = {
    {"fft.fft", "a; n axis norm", one_axis, FORWARD, 0},
    {"fft.ifft", "a; n axis norm", one_axis, INVERSE, 0},
    {"fft.rfft", "a; n axis norm", one_axis, REAL, 0},
    {"fft.irfft", "a; n axis norm", one_axis, REAL_INVERSE, 0},
    {"fft.fft2", "a; * axes norm", two_axes, FORWARD, 0},
    {"fft.ifft2", "a; * axes norm", two_axes, INVERSE, 0},
    {"fft.fftn", "a; * axes norm", all_axes, FORWARD, 0},
    {"fft.ifftn", "a; * axes norm", all_axes, INVERSE, 0},
    {"fft.fftshift", "x; axes", shift, 0, 0},
    {"fft.ifftshift", "x; axes", shift, 1, 0},
    {"fft.fftfreq", "n; d", frequencies, 0, 0},
    {"fft.rfftfreq", "n; d", frequencies, 1, 0},
};

const rk_eval_table rk_eval_transforms = {rows, sizeof rows / sizeof *rows};
