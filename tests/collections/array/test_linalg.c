/* Factorisations: what they are made for holds, in all dtypes, in one block and in many. */
#include "collections/array/linalg/linalg.h"
#include "linalg_support.h"

#include <sys/mman.h>

#define HERE __FILE__, __LINE__

static const rask_dtype dtypes[] = {RASK_DT_F32, RASK_DT_F64, RASK_DT_C64, RASK_DT_C128};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

static void free_all(dense *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i].x);
}

static void expect_adjoint_is_inverse(const dense *q, double close)
{
    dense one = identity(q->columns), square = times(q, true, q);
    cr_expect_leq(distance(&square, &one), close);
    free_all((dense[]){one, square}, 2);
}

/* Rows of l conjugated and transposed: l l^H comes of times(&adjoint, true, &adjoint). */
static dense adjoint_of(const dense *l)
{
    dense d = dense_new(l->columns, l->rows);
    for (int64_t i = 0; i < l->rows; i++)
        for (int64_t j = 0; j < l->columns; j++)
            *at(&d, j, i) = conj(*at(l, i, j));
    return d;
}

/* -- QR -- */

static void expect_qr(rask_dtype dtype, int64_t m, int64_t n, int64_t range)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = random_dense(1, m, n, dtype, range);
    rask_array *q = NULL, *r = NULL;
    cr_assert_eq(rask_array_qr_at(matrix_of(g, dtype, &a), &q, &r, HERE), RASK_OK, "%s", rask_graph_error(g));
    int64_t k = m < n ? m : n;
    cr_expect_arr_eq(rask_array_shape(q), SHAPE(m, k), 2 * sizeof(int64_t));
    cr_expect_arr_eq(rask_array_shape(r), SHAPE(k, n), 2 * sizeof(int64_t));
    dense found_q = values_of(q), found_r = values_of(r), product = times(&found_q, false, &found_r);
    double close = tolerance(dtype) * (double)range * sqrt((double)m);
    cr_expect_leq(distance(&product, &a), close, "%lld x %lld", (long long)m, (long long)n);
    expect_adjoint_is_inverse(&found_q, tolerance(dtype));
    for (int64_t i = 0; i < k; i++) {
        cr_expect(creal(*at(&found_r, i, i)) >= 0 && cimag(*at(&found_r, i, i)) == 0);
        for (int64_t j = 0; j < i; j++)
            cr_expect_eq(*at(&found_r, i, j), 0);
    }
    free_all((dense[]){a, found_q, found_r, product}, 4);
    rask_graph_free(g);
}

Test(qr, is_orthogonal_times_triangular)
{
    const int64_t sizes[][2] = {{1, 1}, {3, 3}, {7, 4}, {4, 7}, {50, 1}, {90, 60}};
    for (size_t i = 0; i < DTYPES; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
            expect_qr(dtypes[i], sizes[j][0], sizes[j][1], 9);
}

Test(qr, goes_up_and_down_a_tree)
{
    expect_qr(RASK_DT_F64, 50000, 40, 9); /* 15 blocks, one level above them */
    expect_qr(RASK_DT_C64, 9000, 100, 9);
    expect_qr(RASK_DT_F64, 270000, 20, 3); /* 41 blocks, 2, 1 */
}

Test(qr, works_in_f64_for_integers)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *r = NULL;
    rask_array *a = array_of(g, RASK_DT_I32, 2, SHAPE(2, 1), (double complex[]){-3, 4});
    cr_assert_eq(rask_array_qr_at(a, NULL, &r, HERE), RASK_OK);
    cr_expect_eq(rask_array_dtype(r), RASK_DT_F64);
    dense found = values_of(r);
    cr_expect_leq(fabs(creal(found.x[0]) - 5), 1e-14);
    free(found.x);
    rask_graph_free(g);
}

/* Reflectors of q, and their factors behind them, which nobody may write: LAPACK's own routine for q does, and puts back
 * what was there, while other tasks read the block. */
static void expect_only_reads(rask_dtype dtype, int64_t m, int64_t k)
{
    const rk_lapack_module *lapack = rk_lapack();
    size_t size = rask_dtype_size(dtype), bytes = (size_t)((m + 1) * k) * size;
    dense a = random_dense(1, k, m, dtype, 9), q = dense_new(k, m), r = dense_new(k, k);
    char *v = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *c = calloc((size_t)(m * k), size), *work = malloc((size_t)rk_qr_work(k) * size);
    cr_assert(v != MAP_FAILED && c && work);
    for (int64_t i = 0; i < m * k; i++)
        store_element(dtype, v, i, a.x[i]);
    cr_assert_eq(lapack->geqrf(dtype, m, k, v, m, rk_at(v, m * k, size), work), 0);
    for (int64_t j = 0; j < k; j++) {
        store_element(dtype, c, j * m + j, 1);
        for (int64_t i = 0; i <= j; i++)
            *at(&r, j, i) = load_element(dtype, v, j * m + i);
    }
    cr_assert_eq(mprotect(v, bytes, PROT_READ), 0);
    cr_assert_eq(lapack->ormqr(dtype, m, k, k, v, m, rk_at(v, m * k, size), c, m, work), 0);
    for (int64_t i = 0; i < m * k; i++)
        q.x[i] = load_element(dtype, c, i);
    dense product = times(&r, false, &q);
    cr_expect_leq(distance(&product, &a), tolerance(dtype) * 9 * sqrt((double)m));
    free_all((dense[]){a, q, r, product}, 4);
    free(c);
    free(work);
    munmap(v, bytes);
}

Test(qr, only_reads_reflectors_that_other_tasks_read_too)
{
    rask_graph_free(LAPACK_GRAPH());
    for (size_t i = 0; i < DTYPES; i++) {
        expect_only_reads(dtypes[i], 20, 12);
        expect_only_reads(dtypes[i], 70, 70); /* more reflectors than are applied in one go */
    }
}

static rask_array *tall(rask_graph *g)
{
    return rask_array_uniform_at(g, 1, -1, 1, 2, SHAPE(100003, 12), HERE);
}

static rask_array *tall_q(rask_graph *g)
{
    rask_array *q = NULL;
    rask_array_qr_at(tall(g), &q, NULL, HERE);
    return q;
}

/* -- SVD -- */

/* Three computations whose results must fit each other: when they do not, whether each one repeats says if the
 * factorisation or its bits are to be doubted. */
static const char *repeats(rask_array *a, const dense *found)
{
    dense again = values_of(a);
    bool same = !memcmp(again.x, found->x, (size_t)(found->rows * found->columns) * sizeof *found->x);
    free(again.x);
    return same ? "repeats" : "differs when computed again";
}

static void expect_svd(rask_dtype dtype, int64_t m, int64_t n)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = random_dense(2, m, n, dtype, 9);
    rask_array *u = NULL, *s = NULL, *vt = NULL;
    cr_assert_eq(rask_array_svd_at(matrix_of(g, dtype, &a), &u, &s, &vt, HERE), RASK_OK, "%s",
                 rask_graph_error(g));
    int64_t k = m < n ? m : n;
    dense found_u = values_of(u), found_s = values_of(s), found_vt = values_of(vt), scaled = dense_new(m, k),
          v = adjoint_of(&found_vt);
    cr_expect_eq(rask_array_dtype(s),
                 dtype == RASK_DT_F32 || dtype == RASK_DT_C64 ? RASK_DT_F32 : RASK_DT_F64);
    cr_assert_eq(found_s.rows * found_s.columns, k);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < k; j++)
            *at(&scaled, i, j) = *at(&found_u, i, j) * found_s.x[j];
    for (int64_t j = 0; j < k; j++)
        cr_expect(creal(found_s.x[j]) >= 0 && (!j || creal(found_s.x[j - 1]) >= creal(found_s.x[j])));
    dense product = times(&scaled, false, &found_vt);
    double off = distance(&product, &a);
    cr_expect(off <= tolerance(dtype) * 10 * sqrt((double)m), "%s %lld x %lld: off by %g; u %s, s %s, vt %s",
              rask_dtype_name(dtype), (long long)m, (long long)n, off, repeats(u, &found_u),
              repeats(s, &found_s), repeats(vt, &found_vt));
    expect_adjoint_is_inverse(&found_u, tolerance(dtype));
    expect_adjoint_is_inverse(&v, tolerance(dtype));
    free_all((dense[]){a, found_u, found_s, found_vt, scaled, v, product}, 7);
    rask_graph_free(g);
}

Test(svd, gives_the_matrix_back)
{
    const int64_t sizes[][2] = {{1, 1}, {5, 5}, {9, 4}, {4, 9}, {60, 33}};
    for (size_t i = 0; i < DTYPES; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
            expect_svd(dtypes[i], sizes[j][0], sizes[j][1]);
    expect_svd(RASK_DT_F64, 30000, 16);
}

Test(svd, of_a_diagonal_matrix_is_its_diagonal)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *s = NULL;
    rask_array *a = array_of(g, RASK_DT_F64, 2, SHAPE(3, 3), (double complex[]){0, 2, 0, -7, 0, 0, 0, 0, 3});
    cr_assert_eq(rask_array_svd_at(a, NULL, &s, NULL, HERE), RASK_OK);
    dense found = values_of(s);
    const double expected[] = {7, 3, 2};
    for (int i = 0; i < 3; i++)
        cr_expect_leq(fabs(creal(found.x[i]) - expected[i]), 1e-13);
    free(found.x);
    rask_graph_free(g);
}

static rask_array *tall_singular(rask_graph *g)
{
    rask_array *u = NULL, *vt = NULL;
    rask_array_svd_at(tall(g), &u, NULL, &vt, HERE);
    return rask_array_concatenate_at((rask_array *[]){u, vt}, 2, 0, HERE);
}

static void expect_failure(rask_graph *g, rask_array *a, int status, const char *message)
{
    rask_block out = {0};
    rask_options o = with(2, 0);
    cr_assert_not_null(a, "%s", rask_graph_error(g));
    cr_expect_eq(rask_array_compute(&a, 1, &o, &out), status);
    cr_expect_not_null(strstr(rask_graph_error(g), message), "%s", rask_graph_error(g));
    drop(&out);
}

Test(svd, of_nan_fails)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *s = NULL;
    rask_array_svd_at(array_of(g, RASK_DT_F64, 2, SHAPE(2, 2), (double complex[]){1, NAN, 2, 3}), NULL, &s,
                      NULL, HERE);
    expect_failure(g, s, RASK_ERANGE, "NaN");
    rask_graph_free(g);
}

/* -- Cholesky -- */

/* b b^H + n, which is positive definite; b is narrow, as n * n * n multiplications take their time. */
static dense positive(rask_dtype dtype, int64_t n)
{
    dense b = random_dense(3, n, n < 20 ? n : 20, dtype, 1), adjoint = adjoint_of(&b),
          a = times(&b, false, &adjoint);
    for (int64_t i = 0; i < n; i++)
        *at(&a, i, i) += (double)n;
    free_all((dense[]){b, adjoint}, 2);
    return a;
}

static void expect_cholesky(rask_dtype dtype, int64_t n)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = positive(dtype, n), found = values_of(rask_array_cholesky_at(matrix_of(g, dtype, &a), HERE));
    dense vectors = random_dense(8, n, 3, dtype, 1), halfway = times(&found, true, &vectors),
          there = times(&found, false, &halfway), wanted = times(&a, false, &vectors);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++)
            cr_assert_eq(*at(&found, i, j), 0);
    cr_expect_leq(distance(&there, &wanted), tolerance(dtype) * (double)n);
    free_all((dense[]){a, found, vectors, halfway, there, wanted}, 6);
    rask_graph_free(g);
}

Test(cholesky, gives_the_matrix_back)
{
    for (size_t i = 0; i < DTYPES; i++) {
        expect_cholesky(dtypes[i], 1);
        expect_cholesky(dtypes[i], 70);
    }
    expect_cholesky(RASK_DT_F64, 1100); /* in blocks */
    expect_cholesky(RASK_DT_C128, 1030);
}

Test(cholesky, names_the_minor_that_is_not_positive)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *a = array_of(g, RASK_DT_F64, 2, SHAPE(2, 2), (double complex[]){1, 2, 2, 1});
    expect_failure(g, rask_array_cholesky_at(a, HERE), RASK_ERANGE, "order 2");
    rask_graph_free(g);
}

Test(cholesky, counts_minors_over_the_whole_matrix)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = identity(1100);
    *at(&a, 1050, 1050) = -1;
    expect_failure(g, rask_array_cholesky_at(matrix_of(g, RASK_DT_F64, &a), HERE), RASK_ERANGE, "order 1051");
    free(a.x);
    rask_graph_free(g);
}

/* -- Eigenvalues -- */

/* Columns of length 1, and of hermitian matrices at right angles to each other. */
static void expect_unit_columns(const dense *v, int64_t n, bool orthogonal, double within)
{
    dense products = adjoint_of(v), all = times(&products, false, v);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = orthogonal ? 0 : i; k < (orthogonal ? n : i + 1); k++)
            cr_expect_leq(cabs(all.x[i * n + k] - (i == k)), within, "%lld, %lld", (long long)i,
                          (long long)k);
    free_all((dense[]){products, all}, 2);
}

/* a v = v diag(w), and for hermitian matrices v^H v = 1 and w ascends. */
static void expect_eigen(rask_dtype dtype, int64_t n, bool hermitian)
{
    rask_graph *g = LAPACK_GRAPH();
    dense half = random_dense(9, n, n, dtype, 9), other = adjoint_of(&half), a = dense_new(n, n);
    for (int64_t i = 0; i < n * n; i++)
        a.x[i] = half.x[i] + (hermitian ? other.x[i] : 0);
    rask_array *w = NULL, *v = NULL, *m = matrix_of(g, dtype, &a);
    int status = hermitian ? rask_array_eigh(m, &w, &v) : rask_array_eig(m, &w, &v);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
    cr_expect_eq(is_complex(rask_array_dtype(w)), !hermitian);
    dense values = values_of(w), vectors = values_of(v), left = times(&a, false, &vectors);
    expect_unit_columns(&vectors, n, hermitian, tolerance(dtype) * 20 * (double)n);
    for (int64_t i = 0; i < n * n; i++)
        vectors.x[i] *= values.x[i % n];
    cr_expect_leq(distance(&left, &vectors), tolerance(dtype) * 20 * (double)n, "%lld", (long long)n);
    for (int64_t i = 1; hermitian && i < n; i++)
        cr_expect_leq(creal(values.x[i - 1]), creal(values.x[i]));
    free_all((dense[]){half, other, a, values, vectors, left}, 6);
    rask_graph_free(g);
}

Test(eig, vectors_are_only_made_longer)
{
    for (size_t i = 0; i < DTYPES; i++)
        for (int hermitian = 0; hermitian < 2; hermitian++) {
            expect_eigen(dtypes[i], 1, hermitian);
            expect_eigen(dtypes[i], 40, hermitian);
        }
}

Test(eig, one_triangle_is_looked_at)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *w = NULL, *a = array_of(g, RASK_DT_F64, 2, SHAPE(2, 2), (double complex[]){2, 0, NAN, 3});
    cr_assert_eq(rask_array_eigh_at(a, true, &w, NULL, HERE), RASK_OK);
    dense values = values_of(w);
    cr_expect_eq(creal(values.x[0]), 2);
    cr_expect_eq(creal(values.x[1]), 3);
    free(values.x);
    rask_array_eigh_at(a, false, &w, NULL, HERE);
    expect_failure(g, w, RASK_ERANGE, "row 1 of the matrix, column 0, is not finite");
    rask_graph_free(g);
}

Test(eig, a_matrix_that_does_not_fit_the_budget_fails_before_it_is_made)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *w = NULL;
    rask_options o = with(2, (uint64_t)32 << 20);
    rask_block out = {0};
    cr_assert_eq(rask_array_eigh(rask_array_eye(g, RASK_DT_F64, 1500), &w, NULL), RASK_OK);
    cr_expect_eq(rask_array_compute(&w, 1, &o, &out), RASK_EBUDGET);
    cr_expect_not_null(strstr(rask_graph_error(g), "eigh"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(eig, what_is_not_square_is_refused)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *w = NULL;
    cr_expect_eq(rask_array_eig(rask_array_ones(g, RASK_DT_F64, 3, 4), &w, NULL), RASK_EINVAL);
    cr_expect_null(w);
    cr_expect_not_null(strstr(rask_graph_error(g), "shape (3, 4) is not square"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

/* -- LU -- */

static void expect_lu(rask_dtype dtype, int64_t m, int64_t n)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = random_dense(4, m, n, dtype, 9), permuted = dense_new(m, n);
    rask_array *p = NULL, *l = NULL, *u = NULL;
    cr_assert_eq(rask_array_lu_at(matrix_of(g, dtype, &a), &p, &l, &u, HERE), RASK_OK, "%s",
                 rask_graph_error(g));
    dense found_p = values_of(p), found_l = values_of(l), found_u = values_of(u),
          product = times(&found_l, false, &found_u);
    cr_assert_eq(found_p.columns, m);
    for (int64_t i = 0; i < m; i++)
        memcpy(at(&permuted, i, 0), at(&a, (int64_t)creal(found_p.x[i]), 0), (size_t)n * sizeof *a.x);
    cr_expect_leq(distance(&product, &permuted), tolerance(dtype) * 9 * (double)n, "%lld x %lld",
                  (long long)m, (long long)n);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < found_l.columns; j++) {
            double size = cabs(*at(&found_l, i, j));
            cr_expect(i < j ? size == 0 : i == j ? size == 1 : size <= 1.5);
            cr_expect(j >= found_u.columns || i >= found_u.rows || i <= j || *at(&found_u, i, j) == 0);
        }
    free_all((dense[]){a, permuted, found_p, found_l, found_u, product}, 6);
    rask_graph_free(g);
}

Test(lu, gives_the_permuted_matrix_back)
{
    const int64_t sizes[][2] = {{1, 1}, {6, 6}, {9, 4}, {4, 9}};
    for (size_t i = 0; i < DTYPES; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
            expect_lu(dtypes[i], sizes[j][0], sizes[j][1]);
}

Test(lu, goes_panel_by_panel)
{
    expect_lu(RASK_DT_F64, 700, 700);
    expect_lu(RASK_DT_C64, 600, 300);
    expect_lu(RASK_DT_F64, 300, 900);
    expect_lu(RASK_DT_F64, 512, 512);
}

static rask_array *square(rask_graph *g)
{
    return rask_array_uniform_at(g, 2, -1, 1, 2, SHAPE(1400, 1400), HERE);
}

static rask_array *square_u(rask_graph *g)
{
    rask_array *u = NULL;
    rask_array_lu_at(square(g), NULL, NULL, &u, HERE);
    return u;
}

/* -- Equations -- */

static void expect_solution(rask_dtype dtype, int64_t n, int64_t columns)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = random_dense(5, n, n, dtype, 9), x = random_dense(6, n, columns, dtype, 9);
    for (int64_t i = 0; i < n; i++)
        *at(&a, i, (i * 7 + 3) % n) += 20.0 * (double)n; /* well conditioned, and far from its diagonal */
    dense b = times(&a, false, &x);
    rask_array *right = columns == 1 ? array_of(g, dtype, 1, &n, b.x) : matrix_of(g, dtype, &b);
    rask_array *solution = rask_array_solve_at(matrix_of(g, dtype, &a), right, HERE);
    cr_assert_not_null(solution, "%s", rask_graph_error(g));
    cr_expect_eq(rask_array_ndim(solution), columns == 1 ? 1 : 2);
    dense found = values_of(solution);
    cr_expect_leq(distance(&found, &x), tolerance(dtype) * 10, "%s %lld", rask_dtype_name(dtype),
                  (long long)n);
    free_all((dense[]){a, x, b, found}, 4);
    rask_graph_free(g);
}

Test(solve, finds_what_was_multiplied)
{
    for (size_t i = 0; i < DTYPES; i++) {
        expect_solution(dtypes[i], 8, 1);
        expect_solution(dtypes[i], 40, 3);
    }
    expect_solution(RASK_DT_F64, 600, 1);
    expect_solution(RASK_DT_F64, 520, 300);
    expect_solution(RASK_DT_C128, 300, 4);
}

Test(solve, names_the_pivot_of_a_singular_matrix)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *a = array_of(g, RASK_DT_F64, 2, SHAPE(2, 2), (double complex[]){1, 2, 2, 4});
    rask_array *b = array_of(g, RASK_DT_F64, 1, SHAPE(2), (double complex[]){1, 1});
    expect_failure(g, rask_array_solve_at(a, b, HERE), RASK_ERANGE, "pivot 1");
    rask_graph_free(g);
}

Test(solve, refuses_shapes_that_do_not_fit)
{
    const struct {
        int64_t a[2], b;
        const char *message;
    } cases[] = {{{2, 3}, 2, "not square"}, {{2, 2}, 3, "do not fit"}};
    for (size_t i = 0; i < 2; i++) {
        rask_graph *g = LAPACK_GRAPH();
        dense a = dense_new(cases[i].a[0], cases[i].a[1]), b = dense_new(1, cases[i].b);
        cr_expect_null(rask_array_solve_at(matrix_of(g, RASK_DT_F64, &a),
                                           array_of(g, RASK_DT_F64, 1, &cases[i].b, b.x), HERE));
        cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
        cr_expect_not_null(strstr(rask_graph_error(g), cases[i].message), "%s", rask_graph_error(g));
        free_all((dense[]){a, b}, 2);
        rask_graph_free(g);
    }
}

Test(factorisations, do_not_mind_that_a_computation_failed_before)
{
    rask_graph *g = LAPACK_GRAPH();
    dense one = identity(3);
    rask_array *a = matrix_of(g, RASK_DT_F64, &one), *x, *y, *z;
    fail_to_compute(a);
    cr_expect_eq(rask_array_qr_at(a, &x, &y, HERE), RASK_OK);
    cr_expect_eq(rask_array_lu_at(a, &x, &y, &z, HERE), RASK_OK);
    cr_expect_eq(rask_array_svd_at(a, &x, &y, &z, HERE), RASK_OK);
    cr_expect_not_null(rask_array_node(y));
    x = rask_array_solve_at(a, a, HERE);
    cr_assert_not_null(x);
    cr_expect_not_null(rask_array_node(x));
    x = rask_array_lstsq_at(a, a, HERE);
    cr_assert_not_null(x);
    cr_expect_not_null(rask_array_node(x));
    free(one.x);
    rask_graph_free(g);
}

Test(factorisations, refuse_what_is_no_matrix)
{
    for (int i = 0; i < 2; i++) {
        rask_graph *g = LAPACK_GRAPH();
        rask_array *q = NULL, *a = i ? array_of(g, RASK_DT_F64, 2, SHAPE(0, 3), NULL)
                                     : array_of(g, RASK_DT_F64, 1, SHAPE(2), (double complex[]){1, 2});
        cr_expect_eq(rask_array_qr_at(a, &q, NULL, HERE), RASK_EINVAL);
        cr_expect_null(q);
        cr_expect_not_null(strstr(rask_graph_error(g), "is no matrix"), "%s", rask_graph_error(g));
        rask_graph_free(g);
    }
}

/* -- Least squares -- */

static void expect_fit(rask_dtype dtype, int64_t m, int64_t n, int64_t columns)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = random_dense(7, m, n, dtype, 9), b = random_dense(8, m, columns, dtype, 9);
    rask_array *right = columns == 1 ? array_of(g, dtype, 1, &m, b.x) : matrix_of(g, dtype, &b);
    dense x = values_of(rask_array_lstsq_at(matrix_of(g, dtype, &a), right, HERE));
    x.columns = columns;
    x.rows = n;
    dense rest = times(&a, false, &x);
    for (int64_t i = 0; i < m * columns; i++)
        rest.x[i] -= b.x[i];
    dense normal = times(&a, true, &rest),
          zero = dense_new(n, columns); /* no direction is left to improve in */
    cr_expect_leq(distance(&normal, &zero), tolerance(dtype) * 100 * (double)m);
    free_all((dense[]){a, b, x, rest, normal, zero}, 6);
    rask_graph_free(g);
}

Test(lstsq, leaves_a_rest_that_no_column_explains)
{
    for (size_t i = 0; i < DTYPES; i++) {
        expect_fit(dtypes[i], 30, 4, 1);
        expect_fit(dtypes[i], 30, 4, 3);
    }
    expect_fit(RASK_DT_F64, 60000, 12, 1);
    expect_fit(RASK_DT_F64, 6, 5, 4); /* more columns together than rows */
}

Test(lstsq, finds_a_line)
{
    rask_graph *g = LAPACK_GRAPH();
    double complex a[8], b[4];
    for (int i = 0; i < 4; i++) {
        a[2 * i] = 1;
        a[2 * i + 1] = i;
        b[i] = 3 - 2 * i;
    }
    dense x = values_of(rask_array_lstsq_at(array_of(g, RASK_DT_F64, 2, SHAPE(4, 2), a),
                                            array_of(g, RASK_DT_F64, 1, SHAPE(4), b), HERE));
    cr_expect(fabs(creal(x.x[0]) - 3) < 1e-13 && fabs(creal(x.x[1]) + 2) < 1e-13);
    free(x.x);
    rask_graph_free(g);
}

Test(lstsq, names_a_column_that_depends_on_others)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *a = array_of(g, RASK_DT_F64, 2, SHAPE(3, 2), (double complex[]){1, 2, 2, 4, 3, 6});
    rask_array *b = array_of(g, RASK_DT_F64, 1, SHAPE(3), (double complex[]){1, 2, 3});
    expect_failure(g, rask_array_lstsq_at(a, b, HERE), RASK_ERANGE, "column 1");
    rask_graph_free(g);
}

Test(lstsq, wants_a_tall_matrix)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = dense_new(2, 3);
    cr_expect_null(rask_array_lstsq_at(matrix_of(g, RASK_DT_F64, &a), matrix_of(g, RASK_DT_F64, &a), HERE));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
    free(a.x);
    rask_graph_free(g);
}

/* -- The same bits -- */

static rask_array *square_solution(rask_graph *g)
{
    return rask_array_solve_at(square(g), rask_array_uniform_at(g, 3, -1, 1, 2, SHAPE(1400, 300), HERE),
                               HERE);
}

static rask_array *square_cholesky(rask_graph *g)
{
    rask_array *a = square(g),
               *gram = rask_array_matmul_at(rask_array_transpose_at(a, NULL, 0, HERE), a, HERE);
    rask_operand little = {.kind = RASK_OPERAND_ARRAY,
                           .as.array = rask_array_eye_at(g, 1400, 1400, 0, RASK_DT_F64, HERE)};
    rask_operand left = {.kind = RASK_OPERAND_ARRAY, .as.array = gram};
    return rask_array_cholesky_at(rask_array_binary_at(RASK_BINARY_ADD, left, little, HERE), HERE);
}

Test(factorisations, give_the_same_bits_whatever_budget_and_workers)
{
    rask_graph_free(LAPACK_GRAPH());
    expect_same_bits(tall_q);
    expect_same_bits(tall_singular);
    expect_same_bits(square_u);
    expect_same_bits(square_solution);
    expect_same_bits(square_cholesky);
}
