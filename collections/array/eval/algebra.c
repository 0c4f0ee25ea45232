/* Linear algebra. */
#include "collections/array/eval/function.h"

#include <math.h>
#include <string.h>

static rk_eval_value failed(void)
{
    return (rk_eval_value){.kind = RK_EVAL_FAILED};
}

enum { MATMUL, DOT, OUTER, INNER, VDOT };

static rask_array *product(rk_call *c, rask_array *a, rask_array *b)
{
    rk_eval *e = c->eval;
    const int last = -1;
    bool scalars = (a && a->ndim == 0) || (b && b->ndim == 0);
    switch (c->function->code) {
    case MATMUL: return rask_array_matmul_at(a, b, RK_EVAL_SITE(e));
    case OUTER: return rask_array_outer_at(a, b, RK_EVAL_SITE(e));
    case DOT:
        return scalars ? rk_call_binary(c, RASK_BINARY_MUL, a, b) : rask_array_dot_at(a, b, RK_EVAL_SITE(e));
    case INNER:
        return scalars ? rk_call_binary(c, RASK_BINARY_MUL, a, b)
                       : rask_array_tensordot_at(a, b, &last, &last, 1, RK_EVAL_SITE(e));
    default:
        a = rask_array_ravel_at(rk_call_unary(c, RASK_UNARY_CONJ, a), RK_EVAL_SITE(e));
        return rask_array_dot_at(a, rask_array_ravel_at(b, RK_EVAL_SITE(e)), RK_EVAL_SITE(e));
    }
}

static rk_eval_value multiply(rk_call *c)
{
    return rk_eval_array(product(c, rk_call_array(c, "a"), rk_call_array(c, "b")));
}

/* axes: how many, the last of a with the first of b; or the axes of each. */
static rk_eval_value tensordot(rk_call *c)
{
    int a_axes[RASK_MAX_DIMENSIONS], b_axes[RASK_MAX_DIMENSIONS];
    const rk_eval_value *axes = rk_call_value(c, "axes");
    rask_array *a = rk_call_array(c, "a"), *b = rk_call_array(c, "b");
    uint32_t count = 2;
    if (rk_eval_is_list(axes) && axes->as.list.count == 2) {
        count = rk_eval_to_axes(c->eval, &axes->as.list.items[0], a_axes);
        if (rk_eval_to_axes(c->eval, &axes->as.list.items[1], b_axes) != count && !c->eval->graph->status)
            return rk_call_fail(c, "axes", RASK_EINVAL, "as many axes of a as of b expected");
    } else {
        int64_t given = rk_call_i64(c, "axes", 2);
        if (given < 0 || given > RASK_MAX_DIMENSIONS)
            return rk_call_fail(c, "axes", RASK_EINVAL, "%lld axes", (long long)given);
        count = (uint32_t)given;
        for (int i = 0; i < (int)count; i++) {
            a_axes[i] = i - (int)count;
            b_axes[i] = i;
        }
    }
    if (c->eval->graph->status)
        return failed();
    return rk_eval_array(rask_array_tensordot_at(a, b, a_axes, b_axes, count, RK_EVAL_SITE(c->eval)));
}

static rk_eval_value einsum(rk_call *c)
{
    uint32_t count;
    const rk_eval_value *labels = rk_call_value(c, "subscripts");
    if (labels->kind != RK_EVAL_STRING)
        return rk_call_fail(c, "subscripts", RASK_ETYPE, "labels such as 'ij,jk->ik' expected, not %s",
                            rk_eval_kind_text(labels));
    char *text = rk_eval_memory(c->eval, labels->as.text.len + 1);
    if (!text)
        return failed();
    memcpy(text, labels->as.text.data, labels->as.text.len);
    text[labels->as.text.len] = 0;
    const rk_eval_value *operands = rk_call_value(c, "operands");
    rk_eval_value one = {.kind = RK_EVAL_TUPLE, .at = operands->at, .as.list = {operands, 1}};
    rask_array **arrays =
        rk_eval_to_arrays(c->eval, operands->kind == RK_EVAL_TUPLE ? operands : &one, &count);
    return rk_eval_array(arrays ? rask_array_einsum_at(text, arrays, count, RK_EVAL_SITE(c->eval)) : NULL);
}

static rk_eval_value kron(rk_call *c)
{
    return rk_eval_array(
        rask_array_kron_at(rk_call_array(c, "a"), rk_call_array(c, "b"), RK_EVAL_SITE(c->eval)));
}

static rk_eval_value cross(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a"), *b = rk_call_array(c, "b");
    int axis = rk_call_axis(c, "axis", -1);
    if (c->eval->graph->status)
        return failed();
    return rk_eval_array(rask_array_cross_at(a, b, axis, RK_EVAL_SITE(c->eval)));
}

/* --- factors */

static rk_eval_value qr(rk_call *c)
{
    rask_array *q = NULL, *r = NULL;
    const rk_eval_value *mode = rk_call_value(c, "mode");
    bool only_r = rk_eval_text_is(mode, "r");
    if (rk_eval_given(mode) && !only_r && !rk_eval_text_is(mode, "reduced"))
        return rk_call_fail(c, "mode", RASK_EUNSUPPORTED, "\"reduced\" or \"r\" expected");
    if (rask_array_qr_at(rk_call_array(c, "a"), only_r ? NULL : &q, &r, RK_EVAL_SITE(c->eval)))
        return failed();
    rk_eval_value parts[2] = {rk_eval_array(q), rk_eval_array(r)};
    return only_r ? parts[1] : rk_eval_tuple(c->eval, parts, 2);
}

static rk_eval_value svd(rk_call *c)
{
    rask_array *u = NULL, *s = NULL, *vt = NULL;
    bool all = c->function->code == 0 && rk_call_bool(c, "compute_uv", true);
    if (rk_call_bool(c, "full_matrices", false))
        return rk_call_fail(c, "full_matrices", RASK_EUNSUPPORTED,
                            "the thin factors are computed: leave it out");
    if (rask_array_svd_at(rk_call_array(c, "a"), all ? &u : NULL, &s, all ? &vt : NULL,
                          RK_EVAL_SITE(c->eval)))
        return failed();
    rk_eval_value parts[3] = {rk_eval_array(u), rk_eval_array(s), rk_eval_array(vt)};
    return all ? rk_eval_tuple(c->eval, parts, 3) : parts[1];
}

enum { EIG, EIGVALS, EIGH, EIGVALSH };

static rk_eval_value eigen(rk_call *c)
{
    rask_array *values = NULL, *vectors = NULL;
    int code = c->function->code;
    bool all = code == EIG || code == EIGH;
    const rk_eval_value *uplo = rk_call_value(c, "UPLO");
    bool upper = rk_eval_text_is(uplo, "U") || rk_eval_text_is(uplo, "u");
    if (rk_eval_given(uplo) && !upper && !rk_eval_text_is(uplo, "L") && !rk_eval_text_is(uplo, "l"))
        return rk_call_fail(c, "UPLO", RASK_EINVAL, "\"L\" or \"U\" expected");
    rask_array *a = rk_call_array(c, "a"), **wanted = all ? &vectors : NULL;
    if (code >= EIGH ? rask_array_eigh_at(a, upper, &values, wanted, RK_EVAL_SITE(c->eval))
                     : rask_array_eig_at(a, &values, wanted, RK_EVAL_SITE(c->eval)))
        return failed();
    rk_eval_value parts[2] = {rk_eval_array(values), rk_eval_array(vectors)};
    return all ? rk_eval_tuple(c->eval, parts, 2) : parts[0];
}

static rk_eval_value lu(rk_call *c)
{
    rask_array *p = NULL, *l = NULL, *u = NULL;
    if (rask_array_lu_at(rk_call_array(c, "a"), &p, &l, &u, RK_EVAL_SITE(c->eval)))
        return failed();
    rk_eval_value parts[3] = {rk_eval_array(p), rk_eval_array(l), rk_eval_array(u)};
    return rk_eval_tuple(c->eval, parts, 3);
}

static rk_eval_value cholesky(rk_call *c)
{
    return rk_eval_array(rask_array_cholesky_at(rk_call_array(c, "a"), RK_EVAL_SITE(c->eval)));
}

static rk_eval_value solve(rk_call *c)
{
    return rk_eval_array(
        rask_array_solve_at(rk_call_array(c, "a"), rk_call_array(c, "b"), RK_EVAL_SITE(c->eval)));
}

static rk_eval_value inverse(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    if (a && a->ndim != 2)
        return rk_call_fail(c, "a", RASK_EINVAL, "a matrix expected, not %u dimensions", a->ndim);
    rask_dtype dtype =
        a && (rk_dtype_is_float(a->dtype) || rk_dtype_is_complex(a->dtype)) ? a->dtype : RASK_DT_F64;
    rask_array *one =
        a ? rask_array_eye_at(a->graph, a->shape[0], a->shape[0], 0, dtype, RK_EVAL_SITE(c->eval)) : NULL;
    return rk_eval_array(rask_array_solve_at(a, one, RK_EVAL_SITE(c->eval)));
}

/* NumPy gives four results; the first is the solution, and the one that is computed here. */
static rk_eval_value lstsq(rk_call *c)
{
    rask_array *x = rask_array_lstsq_at(rk_call_array(c, "a"), rk_call_array(c, "b"), RK_EVAL_SITE(c->eval));
    rk_eval_value part = rk_eval_array(x);
    return rk_eval_tuple(c->eval, &part, 1);
}

/* Sum of the diagonal: of the array where an identity has its ones. */
static rk_eval_value trace(rk_call *c)
{
    rask_array *a = rk_call_array(c, "a");
    rask_operand zero = {.kind = RASK_OPERAND_BOOL}, all = {.kind = RASK_OPERAND_ARRAY, .as.array = a};
    if (!a || a->ndim != 2)
        return a ? rk_call_fail(c, "a", RASK_EINVAL, "a matrix expected, not %u dimensions", a->ndim)
                 : failed();
    rask_array *diagonal = rask_array_eye_at(a->graph, a->shape[0], a->shape[1], rk_call_i64(c, "offset", 0),
                                             RASK_DT_BOOL, RK_EVAL_SITE(c->eval));
    rask_array *kept = rask_array_where_at(diagonal, all, zero, RK_EVAL_SITE(c->eval));
    return rk_eval_array(rk_call_reduce(c, RASK_REDUCE_SUM, kept, RASK_ALL));
}

/* --- norms */

enum { VECTOR, FROBENIUS, NUCLEAR };

/* Norms of a matrix as a whole, which are no vector norm of its elements. */
static rask_array *matrix_norm(rk_call *c, rask_array *a, int kind, double ord)
{
    rask_array *s = NULL;
    bool largest = ord > 0;
    if (!rk_dtype_is_float(a->dtype) && !rk_dtype_is_complex(a->dtype))
        a = rk_call_cast(c, a, RASK_DT_F64);
    if (kind == VECTOR && (fabs(ord) == 1 || isinf(ord))) {
        rask_array *sums =
            rk_call_reduce(c, RASK_REDUCE_SUM, rk_call_unary(c, RASK_UNARY_ABSOLUTE, a), isinf(ord) ? 1 : 0);
        return rk_call_reduce(c, largest ? RASK_REDUCE_MAX : RASK_REDUCE_MIN, sums, RASK_ALL);
    }
    if (kind == VECTOR && fabs(ord) != 2) {
        rk_call_fail(c, "ord", RASK_EINVAL, "no such norm of a matrix");
        return NULL;
    }
    if (rask_array_svd_at(a, NULL, &s, NULL, RK_EVAL_SITE(c->eval)))
        return NULL;
    return rk_call_reduce(c,
                          kind == NUCLEAR ? RASK_REDUCE_SUM
                          : largest       ? RASK_REDUCE_MAX
                                          : RASK_REDUCE_MIN,
                          s, RASK_ALL);
}

static int norm_kind(const rk_eval_value *ord)
{
    return rk_eval_text_is(ord, "fro") ? FROBENIUS : rk_eval_text_is(ord, "nuc") ? NUCLEAR : VECTOR;
}

static rk_eval_value norm(rk_call *c)
{
    rask_array *a = rk_call_array(c, "x"), *result;
    const rk_eval_value *given = rk_call_value(c, "ord");
    int kind = norm_kind(given), axis = rk_call_axis(c, "axis", RASK_ALL);
    bool all = axis == RASK_ALL, keep = rk_call_bool(c, "keepdims", false);
    double ord = kind == VECTOR ? rk_call_f64(c, "ord", 2) : 2;
    bool matrix = a && all && a->ndim == 2 && rk_eval_given(given) && kind != FROBENIUS;
    if (!a || c->eval->graph->status)
        return failed();
    if (all && rk_eval_given(given) && a->ndim != 1 && a->ndim != 2)
        return rk_call_fail(c, "ord", RASK_EINVAL, "of %u dimensions only without ord, or along an axis",
                            a->ndim);
    if (kind != VECTOR && !(all && a->ndim == 2))
        return rk_call_fail(c, "ord", RASK_EINVAL, "a norm of matrices only");
    result = matrix ? matrix_norm(c, a, kind, ord) : rask_array_norm_at(a, ord, axis, RK_EVAL_SITE(c->eval));
    if (keep && !all)
        return rk_eval_array(rask_array_expand_dims_at(result, axis, RK_EVAL_SITE(c->eval)));
    for (uint32_t i = 0; keep && i < a->ndim; i++)
        result = rask_array_expand_dims_at(result, 0, RK_EVAL_SITE(c->eval));
    return rk_eval_array(result);
}

static const rk_eval_function rows[] = {
    {"dot", "a b", multiply, DOT, RK_EVAL_METHOD},
    {"cross", "a b; * axis", cross, 0, 0},
    {"einsum", "subscripts operands...; * optimize", einsum, 0, 0},
    {"inner", "a b", multiply, INNER, 0},
    {"kron", "a b", kron, 0, 0},
    {"matmul", "a|x1 b|x2", multiply, MATMUL, 0},
    {"outer", "a b", multiply, OUTER, 0},
    {"tensordot", "a b; axes", tensordot, 0, 0},
    {"trace", "a; offset", trace, 0, RK_EVAL_METHOD},
    {"vdot", "a b", multiply, VDOT, 0},
    {"linalg.cholesky", "a", cholesky, 0, 0},
    {"linalg.cross", "a|x1 b|x2; * axis", cross, 0, 0},
    {"linalg.eig", "a", eigen, EIG, 0},
    {"linalg.eigh", "a; UPLO", eigen, EIGH, 0},
    {"linalg.eigvals", "a", eigen, EIGVALS, 0},
    {"linalg.eigvalsh", "a; UPLO", eigen, EIGVALSH, 0},
    {"linalg.inv", "a", inverse, 0, 0},
    {"linalg.lstsq", "a b; rcond", lstsq, 0, 0},
    {"linalg.lu", "a", lu, 0, 0},
    {"linalg.matmul", "a|x1 b|x2", multiply, MATMUL, 0},
    {"linalg.norm", "x; ord axis keepdims", norm, VECTOR, 0},
    {"linalg.outer", "a b", multiply, OUTER, 0},
    {"linalg.qr", "a; mode", qr, 0, 0},
    {"linalg.solve", "a b", solve, 0, 0},
    {"linalg.svd", "a; full_matrices compute_uv", svd, 0, 0},
    {"linalg.svdvals", "a|x", svd, 1, 0},
    {"linalg.tensordot", "a b; * axes", tensordot, 0, 0},
    {"linalg.trace", "a|x; * offset", trace, 0, 0},
};

const rk_eval_table rk_eval_algebra = {rows, sizeof rows / sizeof *rows};
