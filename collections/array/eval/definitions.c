/* Functions that the language itself has the words for: each is a text over its arguments. What was not given is None, or what
 * another text says first. (x, y)[condition] is y where the condition, a number known by now, holds. */
#include "collections/array/eval/function.h"

typedef struct definition {
    const char *otherwise, *text;
} definition;

/* In the order of the rows below. */
enum {
    APPEND,
    CORRCOEF,
    CORRELATE,
    COV,
    DIGITIZE,
    FLATNONZERO,
    GEOMSPACE,
    HEAVISIDE,
    ISCOMPLEX,
    ISIN,
    ISREAL,
    LOGADDEXP,
    LOGSPACE,
    SEARCHSORTED,
    SEARCHSORTED_RIGHT,
    SINC,
    TRAPEZOID,
    COND,
    DET,
    MATRIX_RANK,
    PINV,
};

static const definition definitions[] = {
    [APPEND] = {NULL, "concatenate([arr, values], axis)"},
    [CORRCOEF] = {"rowvar = True; None",
                  "c = atleast_2d(cov(x, rowvar)); d = sqrt(real(diagonal(c))); squeeze(c / d[:, None] / d)"},
    /* The shorter one goes along the longer one; from which end the middle is counted follows from that. */
    [CORRELATE] = {"mode = 'valid'; None",
                   "a = asarray(a); v = asarray(v); (convolve(a, conj(flip(v)), mode),"
                   "flip(conj(convolve(v, conj(flip(a)), mode))))[a.size < v.size]"},
    [COV] = {"rowvar = True; ddof = 1; None",
             "x = atleast_2d((m.T, m)[rowvar]); x = x - mean(x, axis=1, keepdims=True);"
             "squeeze(x @ conj(x.T) / (x.shape[1] - ddof))"},
    [DIGITIZE] = {NULL, "x = expand_dims(x, -1); b = asarray(bins);"
                        "sum(where(b[0] <= b[-1], ~(x < b), x < b), axis=-1)"},
    [FLATNONZERO] = {NULL, "compress(ravel(a) != 0, arange(asarray(a).size))"},
    /* Between the logarithms: the quotient of the ends need not be a number that there is. The ends are what they are. */
    [GEOMSPACE] = {"num = 50; endpoint = True; None",
                   "s = start / abs(start); i = arange(num); a = log10(start / s); b = log10(stop / s);"
                   "y = s * 10.0 ** (a + (b - a) * linspace(0, 1, num, endpoint));"
                   "where(i == 0, start, where((i == num - 1) & endpoint, stop, y))"},
    [HEAVISIDE] = {NULL, "where(x1 == 0, x2, (sign(x1) + 1) / 2)"},
    [ISCOMPLEX] = {NULL, "imag(x) != 0"},
    [ISIN] = {NULL, "any(expand_dims(element, -1) == ravel(asarray(test_elements)), axis=-1)"},
    [ISREAL] = {NULL, "imag(x) == 0"},
    [LOGADDEXP] = {NULL, "where(x1 == x2, x1 + 0.6931471805599453,"
                         "maximum(x1, x2) + log1p(exp(-abs(x1 - x2))))"},
    [LOGSPACE] = {"num = 50; endpoint = True; base = 10.0; None",
                  "base ** linspace(start, stop, num, endpoint)"},
    /* What is no number is behind all numbers. */
    [SEARCHSORTED] = {NULL, "v = expand_dims(v, -1); sum((a < v) | ((v != v) & (a == a)), axis=-1)"},
    [SEARCHSORTED_RIGHT] = {NULL, "v = expand_dims(v, -1); sum(~((v < a) | ((a != a) & (v == v))), axis=-1)"},
    [SINC] = {NULL, "y = pi * where(x == 0, 1e-20, x); sin(y) / y"},
    [TRAPEZOID] = {"dx = 1.0; axis = -1; None",
                   "b = moveaxis(y, axis, -1); sum(b[..., 1:] + b[..., :-1], axis=-1) * dx / 2"},
    [COND] = {NULL, "s = svdvals(x); max(s) / min(s)"},
    /* The sign of a permutation is that of its inversions. */
    [DET] = {NULL, "f = lu(a); p = f[0]; d = prod(diagonal(f[2]));"
                   "where(count_nonzero(triu(p[:, None] > p, 1)) % 2 == 0, d, -d)"},
    [MATRIX_RANK] = {NULL, "s = svdvals(A); e = (2.220446049250313e-16, 1.1920929e-07)[s.itemsize == 4];"
                           "count_nonzero(s > max(s) * (max(A.shape) * e))"},
    [PINV] = {"rcond = 1e-15; None", "f = svd(a); s = f[1];"
                                     "(conj(f[2].T) * where(s > rcond * max(s), 1 / s, 0)) @ conj(f[0].T)"},
};

static rk_eval_value determinant(rk_call *c)
{
    char shape[RK_SHAPE_TEXT];
    const rask_array *a = rk_call_array(c, "a");
    if (a && (a->ndim != 2 || a->shape[0] != a->shape[1]))
        return rk_call_fail(c, "a", RASK_EINVAL, "a square matrix expected, not shape %s",
                            rk_shape_text(a->shape, a->ndim, shape));
    return rk_call_text(c, NULL, definitions[DET].text);
}

static rk_eval_value searchsorted(rk_call *c)
{
    const rk_eval_value *side = rk_call_value(c, "side");
    bool right = rk_eval_text_is(side, "right");
    if (rk_eval_given(side) && !right && !rk_eval_text_is(side, "left"))
        return rk_call_fail(c, "side", RASK_EINVAL, "\"left\" or \"right\" expected");
    return rk_call_text(c, NULL, definitions[right ? SEARCHSORTED_RIGHT : SEARCHSORTED].text);
}

static bool is_zero(const rk_eval_value *value)
{
    rask_operand number =
        value->kind == RK_EVAL_NUMBER ? value->as.number : (rask_operand){.kind = RASK_OPERAND_ARRAY};
    return number.kind == RASK_OPERAND_I64 ? number.as.i64 == 0
                                           : number.kind == RASK_OPERAND_F64 && number.as.f64 == 0;
}

static rk_eval_value geomspace(rk_call *c)
{
    static const char *const ends[] = {"start", "stop"};
    for (int i = 0; i < 2; i++)
        if (is_zero(rk_call_value(c, ends[i])))
            return rk_call_fail(c, ends[i], RASK_EINVAL, "0 is in no geometric sequence");
    return rk_call_text(c, definitions[GEOMSPACE].otherwise, definitions[GEOMSPACE].text);
}

static rk_eval_value defined(rk_call *c)
{
    const definition *d = &definitions[c->function->code];
    return rk_call_text(c, d->otherwise, d->text);
}

static const rk_eval_function rows[] = {
    {"append", "arr values; axis", defined, APPEND, 0},
    {"corrcoef", "x; * rowvar", defined, CORRCOEF, 0},
    {"correlate", "a v; mode", defined, CORRELATE, 0},
    {"cov", "m; rowvar * ddof", defined, COV, 0},
    {"digitize", "x bins", defined, DIGITIZE, 0},
    {"flatnonzero", "a", defined, FLATNONZERO, 0},
    {"geomspace", "start stop; num endpoint", geomspace, 0, 0},
    {"heaviside", "x1 x2", defined, HEAVISIDE, 0},
    {"iscomplex", "x", defined, ISCOMPLEX, 0},
    {"isin", "element test_elements", defined, ISIN, 0},
    {"isreal", "x", defined, ISREAL, 0},
    {"logaddexp", "x1 x2", defined, LOGADDEXP, 0},
    {"logspace", "start stop; num endpoint base", defined, LOGSPACE, 0},
    {"searchsorted", "a v; side", searchsorted, 0, 0},
    {"sinc", "x", defined, SINC, 0},
    {"trapezoid", "y; * dx axis", defined, TRAPEZOID, 0},
    {"trapz", "y; * dx axis", defined, TRAPEZOID, 0},
    {"linalg.cond", "x", defined, COND, 0},
    {"linalg.det", "a", determinant, 0, 0},
    {"linalg.matrix_rank", "A", defined, MATRIX_RANK, 0},
    {"linalg.pinv", "a; rcond", defined, PINV, 0},
};

const rk_eval_table rk_eval_definitions = {rows, sizeof rows / sizeof *rows};
