/* Products of matrices, and what is made of them. */
#include "linalg_support.h"

#define HERE __FILE__, __LINE__

static void free_all(dense *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i].x);
}

static void expect_product(rask_dtype dtype, int64_t m, int64_t k, int64_t n)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = random_dense(1, m, k, dtype, 3), b = random_dense(2, k, n, dtype, 3), c = times(&a, false, &b);
    rask_array *product = rask_array_matmul_at(matrix_of(g, dtype, &a), matrix_of(g, dtype, &b), HERE);
    cr_assert_not_null(product, "%s", rask_graph_error(g));
    cr_expect_eq(rask_array_dtype(product), dtype);
    dense found = values_of(product);
    cr_expect_leq(distance(&found, &c), tolerance(dtype), "%s %lld %lld %lld", rask_dtype_name(dtype),
                  (long long)m, (long long)k, (long long)n);
    free_all((dense[]){a, b, c, found}, 4);
    rask_graph_free(g);
}

Test(matmul, is_the_product_for_floats_and_complex_numbers)
{
    const rask_dtype dtypes[] = {RASK_DT_F32, RASK_DT_F64, RASK_DT_C64, RASK_DT_C128};
    const int64_t sizes[][3] = {{1, 1, 1}, {2, 3, 4},     {5, 1, 7},     {1, 9, 6},
                                {8, 9, 1}, {65, 130, 33}, {520, 70, 530}};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
            expect_product(dtypes[i], sizes[j][0], sizes[j][1], sizes[j][2]);
}

Test(matmul, of_integers_wraps)
{
    for (int dtype = RASK_DT_I8; dtype <= RASK_DT_U64; dtype++) {
        rask_graph *g = rask_graph_new();
        uint64_t mask =
            rask_dtype_size(dtype) == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * rask_dtype_size(dtype)) - 1;
        dense a = random_dense(3, 37, 101, dtype, 100), b = random_dense(4, 101, 1030, dtype, 100);
        rask_options o = with(2, 0);
        rask_block out =
            computed(rask_array_matmul_at(matrix_of(g, dtype, &a), matrix_of(g, dtype, &b), HERE), &o);
        cr_expect_eq(out.dtype, dtype);
        int wrong = 0;
        for (int64_t i = 0; i < a.rows; i++)
            for (int64_t j = 0; j < b.columns; j++) {
                uint64_t sum = 0, found = 0;
                for (int64_t k = 0; k < a.columns; k++)
                    sum += (uint64_t)(int64_t)creal(*at(&a, i, k)) * (uint64_t)(int64_t)creal(*at(&b, k, j));
                memcpy(&found, (char *)out.data + (i * b.columns + j) * (int64_t)rask_dtype_size(dtype),
                       rask_dtype_size(dtype));
                wrong += (sum & mask) != found;
            }
        cr_expect_eq(wrong, 0, "%s", rask_dtype_name(dtype));
        drop(&out);
        free_all((dense[]){a, b}, 2);
        rask_graph_free(g);
    }
}

Test(matmul, of_bools_asks_for_any_pair)
{
    rask_graph *g = rask_graph_new();
    dense a = random_dense(5, 20, 30, RASK_DT_BOOL, 2), b = random_dense(6, 30, 25, RASK_DT_BOOL, 1);
    for (int64_t i = 0; i < 20 * 30; i++)
        a.x[i] = creal(a.x[i]) == 2; /* rare enough to leave some pairs without */
    rask_array *left = matrix_of(g, RASK_DT_BOOL, &a), *right = matrix_of(g, RASK_DT_BOOL, &b);
    dense c = times(&a, false, &b), found = values_of(rask_array_matmul_at(left, right, HERE));
    for (int64_t i = 0; i < 20 * 25; i++) {
        double complex any = 0;
        for (int64_t k = 0; k < 30; k++)
            any += *at(&a, i / 25, k) != 0 && *at(&b, k, i % 25) != 0;
        cr_expect_eq(creal(found.x[i]) != 0, creal(any) != 0);
    }
    free_all((dense[]){a, b, c, found}, 4);
    rask_graph_free(g);
}

Test(matmul, of_vectors_loses_their_axis)
{
    rask_graph *g = rask_graph_new();
    const rask_dtype dtypes[] = {RASK_DT_I8, RASK_DT_F64, RASK_DT_C64};
    for (size_t i = 0; i < 3; i++) {
        rask_dtype t = dtypes[i];
        dense a = random_dense(7, 4, 5, t, 2), v = random_dense(8, 5, 1, t, 2),
              w = random_dense(9, 1, 4, t, 2);
        rask_array *matrix = matrix_of(g, t, &a), *right = array_of(g, t, 1, SHAPE(5), v.x),
                   *left = array_of(g, t, 1, SHAPE(4), w.x);
        rask_array *av = rask_array_matmul_at(matrix, right, HERE),
                   *wa = rask_array_matmul_at(left, matrix, HERE),
                   *vv = rask_array_matmul_at(right, right, HERE);
        cr_assert(av && wa && vv, "%s", rask_graph_error(g));
        cr_expect(rask_array_ndim(av) == 1 && rask_array_shape(av)[0] == 4 && rask_array_dtype(av) == t);
        cr_expect(rask_array_ndim(wa) == 1 && rask_array_shape(wa)[0] == 5 && rask_array_dtype(wa) == t);
        cr_expect(rask_array_ndim(vv) == 0 && rask_array_dtype(vv) == t);
        dense expected[2] = {times(&a, false, &v), times(&w, false, &a)},
              found[3] = {values_of(av), values_of(wa), values_of(vv)};
        double complex square = 0;
        for (int64_t j = 0; j < 5; j++)
            square += v.x[j] * v.x[j];
        cr_expect_eq(distance(&expected[0], &found[0]), 0);
        cr_expect_eq(distance(&expected[1], &found[1]), 0);
        cr_expect_eq(found[2].x[0], square);
        free_all((dense[]){a, v, w, expected[0], expected[1], found[0], found[1], found[2]}, 8);
    }
    rask_graph_free(g);
}

Test(matmul, broadcasts_stacks)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = random_dense(10, 2 * 3, 4, RASK_DT_F64, 5), b = random_dense(11, 5 * 4, 2, RASK_DT_F64, 5);
    rask_array *left = array_of(g, RASK_DT_F64, 4, SHAPE(2, 1, 3, 4), a.x),
               *right = array_of(g, RASK_DT_F64, 3, SHAPE(5, 4, 2), b.x);
    rask_array *product = rask_array_matmul_at(left, right, HERE);
    cr_assert_not_null(product, "%s", rask_graph_error(g));
    cr_assert_eq(rask_array_ndim(product), 4);
    cr_expect_arr_eq(rask_array_shape(product), SHAPE(2, 5, 3, 2), 4 * sizeof(int64_t));
    dense found = values_of(product);
    for (int64_t s = 0; s < 2; s++)
        for (int64_t t = 0; t < 5; t++)
            for (int64_t i = 0; i < 3; i++)
                for (int64_t j = 0; j < 2; j++) {
                    double sum = 0;
                    for (int64_t k = 0; k < 4; k++)
                        sum += creal(*at(&a, s * 3 + i, k)) * creal(*at(&b, t * 4 + k, j));
                    cr_expect_eq(creal(found.x[((s * 5 + t) * 3 + i) * 2 + j]), sum);
                }
    free_all((dense[]){a, b, found}, 3);
    rask_graph_free(g);
}

/* Every other row from 1 on, columns 2 … columns - 1, perhaps backward. */
static rask_array *part_of(rask_array *a, bool backward)
{
    const rask_slice slices[2] = {
        {RASK_SLICE_RANGE, 1, RASK_DEFAULT, 2},
        {RASK_SLICE_RANGE, backward ? RASK_DEFAULT : 2, backward ? 1 : RASK_DEFAULT, backward ? -1 : 1}};
    return rask_array_slice_at(a, slices, 2, HERE);
}

static dense part_of_dense(const dense *d, bool backward)
{
    dense part = dense_new(d->rows / 2, d->columns - 2);
    for (int64_t i = 0; i < part.rows; i++)
        for (int64_t j = 0; j < part.columns; j++)
            *at(&part, i, j) = *at(d, 2 * i + 1, backward ? d->columns - 1 - j : j + 2);
    return part;
}

Test(matmul, reads_parts_and_transposes_of_memory)
{
    const rask_dtype dtypes[] = {RASK_DT_I16, RASK_DT_F32, RASK_DT_C128};
    for (int i = 0; i < 3 * 4; i++) {
        rask_graph *g = LAPACK_GRAPH();
        rask_dtype dtype = dtypes[i % 3];
        bool left_backward = i / 3 % 2, right_backward = i / 6;
        dense a = random_dense(20, 41, 33, dtype, 3), b = random_dense(21, 41, 62, dtype, 3);
        dense left = part_of_dense(&a, left_backward), right = part_of_dense(&b, right_backward);
        for (int64_t j = 0; j < left.rows * left.columns; j++)
            left.x[j] = conj(left.x[j]); /* times() conjugates what it transposes */
        dense expected = times(&left, true, &right);
        rask_array *turned =
            rask_array_transpose_at(part_of(matrix_of(g, dtype, &a), left_backward), NULL, 0, HERE);
        dense found =
            values_of(rask_array_matmul_at(turned, part_of(matrix_of(g, dtype, &b), right_backward), HERE));
        cr_expect_leq(distance(&found, &expected), tolerance(dtype));
        free_all((dense[]){a, b, left, right, expected, found}, 6);
        rask_graph_free(g);
    }
}

Test(matmul, over_nothing_is_zero)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = array_of(g, RASK_DT_F64, 2, SHAPE(3, 0), NULL),
               *b = array_of(g, RASK_DT_F64, 2, SHAPE(0, 2), NULL);
    dense found = values_of(rask_array_matmul_at(a, b, HERE));
    cr_expect_eq(found.rows * found.columns, 6);
    for (int i = 0; i < 6; i++)
        cr_expect_eq(found.x[i], 0);
    rask_array *none = rask_array_matmul_at(b, array_of(g, RASK_DT_F64, 2, SHAPE(2, 0), NULL), HERE);
    cr_assert_not_null(none);
    cr_expect_eq(rask_array_size(none), 0);
    free(found.x);
    rask_graph_free(g);
}

Test(matmul, takes_the_dtype_both_fit_into)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = random_dense(12, 3, 3, RASK_DT_F64, 5);
    const rask_dtype cases[][3] = {{RASK_DT_I32, RASK_DT_F32, RASK_DT_F64},
                                   {RASK_DT_I8, RASK_DT_U8, RASK_DT_I16},
                                   {RASK_DT_BOOL, RASK_DT_F32, RASK_DT_F32},
                                   {RASK_DT_F64, RASK_DT_C64, RASK_DT_C128}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rask_array *c =
            rask_array_matmul_at(matrix_of(g, cases[i][0], &a), matrix_of(g, cases[i][1], &a), HERE);
        cr_assert_not_null(c, "%s", rask_graph_error(g));
        cr_expect_eq(rask_array_dtype(c), cases[i][2]);
    }
    free(a.x);
    rask_graph_free(g);
}

Test(matmul, names_shapes_that_do_not_fit)
{
    const int64_t shapes[][4] = {{3, 4, 5, 6}, {2, 2, 3, 1}};
    for (size_t i = 0; i < 2; i++) {
        rask_graph *g = rask_graph_new();
        dense a = dense_new(shapes[i][0], shapes[i][1]), b = dense_new(shapes[i][2], shapes[i][3]);
        cr_expect_null(
            rask_array_matmul_at(matrix_of(g, RASK_DT_F64, &a), matrix_of(g, RASK_DT_F64, &b), HERE));
        cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
        cr_expect_not_null(strstr(rask_graph_error(g), i ? "(2, 2) and (3, 1)" : "(3, 4) and (5, 6)"), "%s",
                           rask_graph_error(g));
        free_all((dense[]){a, b}, 2);
        rask_graph_free(g);
    }
}

Test(matmul, does_not_multiply_numbers)
{
    rask_graph *g = rask_graph_new();
    rask_array *number = array_of(g, RASK_DT_F64, 0, NULL, (double complex[]){2});
    cr_expect_null(rask_array_matmul_at(number, number, HERE));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
    rask_graph_free(g);
}

static rask_array *uniform(rask_graph *g, uint64_t seed, int64_t rows, int64_t columns)
{
    return rask_array_uniform_at(g, seed, -1, 1, 2, SHAPE(rows, columns), HERE);
}

static rask_array *large_product(rask_graph *g)
{
    return rask_array_matmul_at(uniform(g, 1, 1301, 2100), uniform(g, 2, 2100, 1100), HERE);
}

/* Of blocks of columns that one worker multiplies in one call, and more workers in several. */
static rask_array *wide_product(rask_graph *g)
{
    return rask_array_astype_at(
        rask_array_matmul_at(rask_array_astype_at(uniform(g, 6, 600, 300), RASK_DT_F32, HERE),
                             rask_array_astype_at(uniform(g, 7, 300, 1100), RASK_DT_F32, HERE), HERE),
        RASK_DT_F64, HERE);
}

static rask_array *wide_complex_product(rask_graph *g)
{
    rask_array *a = rask_array_astype_at(uniform(g, 8, 600, 300), RASK_DT_C128, HERE);
    return rask_array_unary_at(RASK_UNARY_REAL, rask_array_matmul_at(a, uniform(g, 9, 300, 1100), HERE),
                               HERE);
}

static rask_array *long_product(rask_graph *g)
{
    rask_array *a = uniform(g, 3, 90001, 7);
    return rask_array_matmul_at(rask_array_transpose_at(a, NULL, 0, HERE), a, HERE);
}

static rask_array *many_products(rask_graph *g)
{
    return rask_array_matmul_at(rask_array_uniform_at(g, 4, -1, 1, 3, SHAPE(5000, 5, 6), HERE),
                                rask_array_uniform_at(g, 5, -1, 1, 3, SHAPE(5000, 6, 5), HERE), HERE);
}

Test(matmul, gives_the_same_bits_whatever_budget_and_workers)
{
    rask_graph_free(LAPACK_GRAPH());
    expect_same_bits(large_product);
    expect_same_bits(wide_product);
    expect_same_bits(wide_complex_product);
    expect_same_bits(long_product);
    expect_same_bits(many_products);
}

Test(matmul, of_long_rows_adds_all_of_them)
{
    rask_graph *g = LAPACK_GRAPH();
    const int64_t n = 90001;
    dense ones = dense_new(2, n);
    for (int64_t i = 0; i < 2 * n; i++)
        ones.x[i] = i < n ? 1 : 2;
    rask_array *a = matrix_of(g, RASK_DT_F64, &ones);
    dense found = values_of(rask_array_matmul_at(a, rask_array_transpose_at(a, NULL, 0, HERE), HERE));
    const double expected[] = {1, 2, 2, 4};
    for (int i = 0; i < 4; i++)
        cr_expect_eq(creal(found.x[i]), expected[i] * (double)n);
    free_all((dense[]){ones, found}, 2);
    rask_graph_free(g);
}

Test(dot, of_stacks_pairs_all_matrices)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = random_dense(13, 2 * 3, 4, RASK_DT_F64, 5), b = random_dense(14, 5 * 4, 2, RASK_DT_F64, 5);
    rask_array *c = rask_array_dot_at(array_of(g, RASK_DT_F64, 3, SHAPE(2, 3, 4), a.x),
                                      array_of(g, RASK_DT_F64, 3, SHAPE(5, 4, 2), b.x), HERE);
    cr_assert_not_null(c, "%s", rask_graph_error(g));
    cr_assert_eq(rask_array_ndim(c), 4);
    cr_expect_arr_eq(rask_array_shape(c), SHAPE(2, 3, 5, 2), 4 * sizeof(int64_t));
    dense found = values_of(c);
    for (int64_t i = 0; i < 6; i++)
        for (int64_t t = 0; t < 5; t++)
            for (int64_t j = 0; j < 2; j++) {
                double sum = 0;
                for (int64_t k = 0; k < 4; k++)
                    sum += creal(*at(&a, i, k)) * creal(*at(&b, t * 4 + k, j));
                cr_expect_eq(creal(found.x[(i * 5 + t) * 2 + j]), sum);
            }
    free_all((dense[]){a, b, found}, 3);
    rask_graph_free(g);
}

Test(dot, with_a_number_multiplies)
{
    rask_graph *g = rask_graph_new();
    rask_array *number = array_of(g, RASK_DT_F64, 0, NULL, (double complex[]){3});
    dense found = values_of(
        rask_array_dot_at(number, array_of(g, RASK_DT_F64, 1, SHAPE(2), (double complex[]){1, 2}), HERE));
    cr_expect(found.x[0] == 3 && found.x[1] == 6);
    free(found.x);
    rask_graph_free(g);
}

Test(tensordot, contracts_pairs_of_axes)
{
    rask_graph *g = LAPACK_GRAPH();
    dense a = random_dense(15, 3 * 4, 5, RASK_DT_I32, 5), b = random_dense(16, 4 * 3, 2, RASK_DT_I32, 5);
    rask_array *left = array_of(g, RASK_DT_I32, 3, SHAPE(3, 4, 5), a.x),
               *right = array_of(g, RASK_DT_I32, 3, SHAPE(4, 3, 2), b.x);
    dense found =
        values_of(rask_array_tensordot_at(left, right, (const int[]){1, 0}, (const int[]){0, -2}, 2, HERE));
    cr_assert_eq(found.rows * found.columns, 10);
    for (int64_t p = 0; p < 5; p++)
        for (int64_t q = 0; q < 2; q++) {
            double sum = 0;
            for (int64_t i = 0; i < 3; i++)
                for (int64_t j = 0; j < 4; j++)
                    sum += creal(*at(&a, i * 4 + j, p)) * creal(*at(&b, j * 3 + i, q));
            cr_expect_eq(creal(found.x[p * 2 + q]), sum);
        }
    cr_expect_null(rask_array_tensordot_at(left, right, (const int[]){0}, (const int[]){0}, 1, HERE));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
    free_all((dense[]){a, b, found}, 3);
    rask_graph_free(g);
}

Test(outer, multiplies_all_pairs)
{
    rask_graph *g = rask_graph_new();
    dense a = random_dense(17, 2, 3, RASK_DT_I64, 9), b = random_dense(18, 1, 4, RASK_DT_I64, 9);
    dense found = values_of(
        rask_array_outer_at(matrix_of(g, RASK_DT_I64, &a), array_of(g, RASK_DT_I64, 1, SHAPE(4), b.x), HERE));
    cr_assert(found.rows == 6 && found.columns == 4);
    for (int64_t i = 0; i < 24; i++)
        cr_expect_eq(found.x[i], a.x[i / 4] * b.x[i % 4]);
    free_all((dense[]){a, b, found}, 3);
    rask_graph_free(g);
}
