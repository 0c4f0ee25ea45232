/* Arrays made of nothing: what their fill functions write. */
#include "collections/array/array.h"
#include "collections/array/fill.h"

#include <criterion/criterion.h>
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const rask_array *filled(const rask_array *a)
{
    cr_assert_not_null(a);
    cr_assert_eq(a->kind, RK_FILL);
    return a;
}

/* Elements index … index + count - 1, in new memory. */
static void *elements(const rask_array *a, int64_t index, int64_t count)
{
    size_t size = rask_dtype_size(filled(a)->dtype);
    void *out = malloc((size_t)(count ? count : 1) * size);
    a->as.fill->function(a->as.fill->params, a->shape, a->ndim, index, (size_t)count, out);
    return out;
}

/* However a run is cut, its elements are the same. */
static void expect_same_in_pieces(const rask_array *a)
{
    size_t size = rask_dtype_size(a->dtype);
    int64_t total = rask_array_size(a);
    char *whole = elements(a, 0, total);
    for (int64_t start = 0; start < total; start += 1 + total / 50)
        for (int64_t count = 1; start + count <= total; count = 2 * count + 1) {
            char *part = elements(a, start, count);
            cr_assert_eq(memcmp(part, whole + (size_t)start * size, (size_t)count * size), 0, "%d of %d",
                         (int)start, (int)count);
            free(part);
        }
    free(whole);
}

static double f64_at(const rask_array *a, int64_t index)
{
    double *one = elements(a, index, 1), value = *one;
    free(one);
    return value;
}

Test(arange, counts_as_numpy)
{
    static const struct {
        double start, stop, step;
        int64_t count;
        double last;
    } cases[] = {{0, 1, 0.1, 10, 0x1.ccccccccccccdp-1},
                 {1, 2, 0.3, 4, 0x1.e666666666667p+0},
                 {0.5, -3, -0.7, 5, -0x1.2666666666666p+1},
                 {0, 0.3, 0.1, 3, 0x1.999999999999ap-3},
                 {0, -1, 0.1, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rask_graph *g = rask_graph_new();
        rask_array *a = rask_array_arange(g, cases[i].start, cases[i].stop, cases[i].step);
        cr_assert_eq(rask_array_size(a), cases[i].count);
        cr_assert_eq(a->dtype, RASK_DT_F64);
        if (cases[i].count)
            cr_assert_eq(f64_at(a, cases[i].count - 1), cases[i].last);
        expect_same_in_pieces(a);
        rask_graph_free(g);
    }
}

Test(arange, integers_are_exact)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_arange(g, INT64_MAX - 10, INT64_MAX, 3);
    int64_t *last = elements(a, 3, 1);
    cr_assert_eq(rask_array_size(a), 4);
    cr_assert_eq(*last, INT64_MAX - 1);
    free(last);
    a = rask_array_arange(g, UINT64_MAX - 5, UINT64_MAX, 1);
    uint64_t *u = elements(a, 4, 1);
    cr_assert_eq(a->dtype, RASK_DT_U64);
    cr_assert_eq(*u, UINT64_MAX - 1);
    free(u);
    a = rask_array_arange(g, INT64_MIN, INT64_MAX, INT64_MAX);
    cr_assert_eq(rask_array_size(a), 3);
    rask_graph_free(g);
}

Test(arange, every_dtype_counts)
{
    for (int t = RASK_DT_I8; t <= RASK_DT_F64; t++) {
        rask_graph *g = rask_graph_new();
        rask_array *a = rask_array_arange_at(g, RASK_OPERAND(100), RASK_OPERAND(3), RASK_OPERAND(-7),
                                             (rask_dtype)t, NULL, 0);
        cr_assert_eq(rask_array_size(a), 14);
        expect_same_in_pieces(a);
        rask_array *same = rask_array_arange_at(g, RASK_OPERAND(100), RASK_OPERAND(3), RASK_OPERAND(-7),
                                                (rask_dtype)t, NULL, 0);
        cr_assert_eq(a, same);
        rask_graph_free(g);
    }
}

Test(arange, f32_counts_in_f32)
{
    static const float last = 0x1.ccccce0000000p-1f;
    rask_graph *g = rask_graph_new();
    rask_array *a =
        rask_array_arange_at(g, RASK_OPERAND(0), RASK_OPERAND(1), RASK_OPERAND(0.1), RASK_DT_F32, NULL, 0);
    float *all = elements(a, 0, 10);
    cr_assert_eq(rask_array_size(a), 10);
    cr_assert_eq(all[9], last);
    free(all);
    rask_graph_free(g);
}

static void expect_no_range(rask_operand start, rask_operand stop, rask_operand step, rask_dtype dtype,
                            int status)
{
    rask_graph *g = rask_graph_new();
    cr_assert_null(rask_array_arange_at(g, start, stop, step, dtype, "here.c", 7));
    cr_assert_eq(rask_graph_status(g), status, "%s", rask_graph_error(g));
    cr_assert_eq(strncmp(rask_graph_error(g), "here.c:7: rask_array_arange: ", 29), 0, "%s",
                 rask_graph_error(g));
    rask_graph_free(g);
}

Test(arange, what_cannot_be_counted_is_an_error)
{
    rask_operand zero = RASK_OPERAND(0), one = RASK_OPERAND(1), many = RASK_OPERAND(1000);
    expect_no_range(zero, many, zero, RASK_DT_COUNT, RASK_EINVAL);
    expect_no_range(zero, many, one, RASK_DT_I8, RASK_ERANGE);
    expect_no_range(RASK_OPERAND(-1), one, one, RASK_DT_U8, RASK_ERANGE);
    expect_no_range(zero, many, one, RASK_DT_BOOL, RASK_ETYPE);
    expect_no_range(zero, RASK_OPERAND((double)INFINITY), one, RASK_DT_COUNT, RASK_ERANGE);
    expect_no_range(zero, RASK_OPERAND((double)NAN), one, RASK_DT_COUNT, RASK_ERANGE);
    expect_no_range(zero, RASK_OPERAND(1.0), RASK_OPERAND(0.0), RASK_DT_COUNT, RASK_EINVAL);
    expect_no_range(RASK_OPERAND(INT64_MIN), RASK_OPERAND(UINT64_MAX), one, RASK_DT_COUNT, RASK_ELIMIT);
}

Test(linspace, is_numpys_and_ends_where_it_should)
{
    static const double expected[] = {0x1.999999999999ap-4, 0x1.999999999999ap-3, 0x1.3333333333333p-2,
                                      0x1.999999999999ap-2, 0x1.0000000000000p-1, 0x1.3333333333333p-1,
                                      0x1.6666666666666p-1};
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_linspace(g, 0.1, 0.7, 7);
    for (int i = 0; i < 7; i++)
        cr_assert_eq(f64_at(a, i), expected[i], "%d", i);
    expect_same_in_pieces(a);
    for (int64_t n = 2; n < 200; n++)
        cr_assert_eq(f64_at(rask_array_linspace(g, 0.1, 1.0 / 3, n), n - 1), 1.0 / 3);
    cr_assert_eq(f64_at(rask_array_linspace(g, 5, 9, 1), 0), 5);
    cr_assert_eq(rask_array_size(rask_array_linspace(g, 5, 9, 0)), 0);
    cr_assert_eq(f64_at(rask_array_linspace_at(g, 3, -1, 5, false, NULL, 0), 4), -0x1.99999999999a0p-3);
    cr_assert_eq(f64_at(rask_array_linspace(g, 2, 2, 3), 1), 2);
    rask_graph_free(g);
}

Test(eye, has_ones_on_one_diagonal)
{
    for (int64_t diagonal = -6; diagonal <= 6; diagonal++)
        for (int t = 0; t < RASK_DT_COUNT; t++) {
            rask_graph *g = rask_graph_new();
            rask_array *a = rask_array_eye_at(g, 4, 5, diagonal, (rask_dtype)t, NULL, 0);
            size_t size = rask_dtype_size((rask_dtype)t);
            char *all = elements(a, 0, 20), zero[16] = {0};
            for (int64_t i = 0; i < 20; i++)
                cr_assert_eq(memcmp(all + (size_t)i * size, zero, size) != 0, i % 5 == i / 5 + diagonal);
            if (t == RASK_DT_F64 && diagonal == 1)
                cr_assert_eq(((double *)all)[1], 1.0);
            expect_same_in_pieces(a);
            free(all);
            rask_graph_free(g);
        }
}

Test(eye, takes_any_diagonal_and_no_rows)
{
    rask_graph *g = rask_graph_new();
    int64_t *all = elements(rask_array_eye_at(g, 2, 2, INT64_MAX, RASK_DT_I64, NULL, 0), 0, 4);
    cr_assert_eq(all[0] | all[1] | all[2] | all[3], 0);
    free(all);
    free(elements(rask_array_eye_at(g, 0, 5, 0, RASK_DT_I64, NULL, 0), 0, 0));
    free(elements(rask_array_eye_at(g, 5, 0, 0, RASK_DT_I64, NULL, 0), 0, 0));
    rask_graph_free(g);
}

Test(full, is_one_number_seen_everywhere)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_full(g, RASK_DT_F32, 2.5, 1000, 1000, 1000);
    cr_assert_eq(a->kind, RK_VIEW);
    cr_assert_eq(a->inputs[0]->kind, RK_SCALAR);
    cr_assert_eq(a->inputs[0]->as.scalar.as.f64, 2.5);
    cr_assert_eq(rask_array_full(g, RASK_DT_F32, 2.5, 1000, 1000, 1000), a);
    rask_array *cast = rask_array_astype(a, RASK_DT_I32);
    cr_assert_eq(cast->inputs[0]->kind, RK_SCALAR);
    cr_assert_eq(rask_array_reshape(a, 1000000, 1000)->inputs[0], a->inputs[0]);
    rask_graph_free(g);
}

static void expect_not_full(rask_dtype dtype, rask_operand value, int status)
{
    rask_graph *g = rask_graph_new();
    cr_assert_null(rask_array_full(g, dtype, value, 2));
    cr_assert_eq(rask_graph_status(g), status, "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(full, of_a_number_that_does_not_fit_is_an_error)
{
    rask_operand i = {.kind = RASK_OPERAND_C128, .as.c128 = {0, 1}};
    expect_not_full(RASK_DT_U8, RASK_OPERAND(256), RASK_ERANGE);
    expect_not_full(RASK_DT_U8, RASK_OPERAND(-1.0), RASK_ERANGE);
    expect_not_full(RASK_DT_I64, RASK_OPERAND((double)NAN), RASK_ERANGE);
    expect_not_full(RASK_DT_I64, RASK_OPERAND(1e19), RASK_ERANGE);
    expect_not_full(RASK_DT_F64, i, RASK_ETYPE);
    expect_not_full((rask_dtype)77, RASK_OPERAND(1), RASK_EINVAL);
}

/* The vectors that come with Random123, for ten rounds. */
Test(philox, gives_the_published_answers)
{
    static const struct {
        uint32_t counter[4], key[2], words[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t words[4];
        rk_philox(known[i].counter, known[i].key, words);
        cr_assert_eq(memcmp(words, known[i].words, sizeof words), 0, "vector %zu", i);
    }
}

Test(philox, runs_of_elements_are_words_of_consecutive_blocks)
{
    rask_graph *g = rask_graph_new();
    uint64_t seed = 0x299f31d0a4093822;
    rask_array *a = rask_array_uniform(g, seed, 0, 1, 1000);
    double *all = elements(a, 0, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        const uint32_t counter[4] = {i / 2, 0, 0, 0}, key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
        uint32_t words[4];
        rk_philox(counter, key, words);
        uint64_t word = (uint64_t)words[i % 2 * 2 + 1] << 32 | words[i % 2 * 2];
        cr_assert_eq(all[i], (double)(word >> 11) * 0x1p-53, "%u", i);
    }
    free(all);
    rask_graph_free(g);
}

Test(philox, counts_beyond_32_bits)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_integers(g, 3, 0, 1 << 20, INT64_C(1) << 40);
    int64_t *low = elements(a, 0, 100), *high = elements(a, INT64_C(1) << 35, 100), same = 0;
    for (int i = 0; i < 100; i++)
        same += low[i] == high[i];
    cr_assert_lt(same, 5);
    int64_t *across = elements(a, (INT64_C(1) << 33) - 50, 100);
    for (int i = 0; i < 100; i++) {
        int64_t *one = elements(a, (INT64_C(1) << 33) - 50 + i, 1);
        cr_assert_eq(*one, across[i]);
        free(one);
    }
    free(low);
    free(high);
    free(across);
    rask_graph_free(g);
}

enum { MANY = 200000 };

Test(uniform, is_uniform_and_below_its_end)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_uniform(g, 1, -2, 3, MANY);
    expect_same_in_pieces(rask_array_uniform(g, 1, -2, 3, 300));
    double *x = elements(a, 0, MANY), counts[10] = {0}, chi = 0;
    for (int i = 0; i < MANY; i++) {
        cr_assert(x[i] >= -2 && x[i] < 3);
        counts[(int)((x[i] + 2) * 2)]++;
    }
    for (int i = 0; i < 10; i++)
        chi += (counts[i] - MANY / 10) * (counts[i] - MANY / 10) / (MANY / 10);
    cr_assert_lt(chi, 27.9, "chi squared %g with 9 degrees of freedom", chi); /* one in a thousand */
    free(x);
    rask_array *narrow = rask_array_uniform(g, 1, 1, 1 + 0x1p-52, 1000);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(f64_at(narrow, i), 1.0);
    rask_graph_free(g);
}

Test(normal, is_normal)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_normal(g, 1, 10, 2, MANY);
    expect_same_in_pieces(rask_array_normal(g, 1, 10, 2, 300));
    double *x = elements(a, 0, MANY), mean = 0, square = 0, fourth = 0, beyond = 0;
    for (int i = 0; i < MANY; i++) {
        double z = (x[i] - 10) / 2;
        mean += z / MANY;
        square += z * z / MANY;
        fourth += z * z * z * z / MANY;
        beyond += fabs(z) > 1.959963984540054;
    }
    cr_assert_lt(fabs(mean), 4 / sqrt(MANY));
    cr_assert_lt(fabs(square - 1), 4 * sqrt(2.0 / MANY));
    cr_assert_lt(fabs(fourth - 3), 4 * sqrt(96.0 / MANY));
    cr_assert_lt(fabs(beyond / MANY - 0.05), 4 * sqrt(0.05 * 0.95 / MANY));
    free(x);
    rask_graph_free(g);
}

Test(normal, quantiles_are_accurate_to_the_last_bits)
{
    for (double p = 0.5; p > 1e-300; p *= 0.83) {
        double z = rk_normal_quantile(p), density = exp(-z * z / 2) / sqrt(2 * acos(-1));
        double off = (erfc(-z / sqrt(2)) / 2 - p) / density;
        double argument_rounds = fabs(z) * 0x1p-52 + p / density * 0x1p-51;
        cr_assert_leq(fabs(off), 3e-16 * (1 + fabs(z)) + 4 * argument_rounds, "p %g: off by %g", p, off);
        if (p > 1e-10)
            cr_assert_float_eq(rk_normal_quantile(1 - p), -z, 1e-15 / density + 1e-14);
    }
    cr_assert_eq(rk_normal_quantile(0.5), 0);
}

Test(integers, are_uniform_over_their_range)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_integers(g, 1, -3, 4, MANY);
    expect_same_in_pieces(rask_array_integers(g, 1, -3, 4, 300));
    int64_t *x = elements(a, 0, MANY);
    double counts[7] = {0}, chi = 0;
    for (int i = 0; i < MANY; i++) {
        cr_assert(x[i] >= -3 && x[i] < 4);
        counts[x[i] + 3]++;
    }
    for (int i = 0; i < 7; i++)
        chi += (counts[i] - MANY / 7.0) * (counts[i] - MANY / 7.0) / (MANY / 7.0);
    cr_assert_lt(chi, 22.5, "chi squared %g with 6 degrees of freedom", chi);
    free(x);
    rask_graph_free(g);
}

/* Of 3 * 2^62 numbers a quarter of all words are rejected: without that, every third result would be twice as frequent. */
Test(integers, are_unbiased_where_words_are_rejected)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_integers(g, 5, INT64_MIN, INT64_C(1) << 62, MANY);
    expect_same_in_pieces(rask_array_integers(g, 5, INT64_MIN, INT64_C(1) << 62, 300));
    int64_t *x = elements(a, 0, MANY);
    double counts[3] = {0}, odd = 0;
    for (int i = 0; i < MANY; i++) {
        cr_assert_lt(x[i], INT64_C(1) << 62);
        counts[((uint64_t)x[i] - (uint64_t)INT64_MIN) >> 62]++;
        odd += x[i] & 1;
    }
    for (int i = 0; i < 3; i++)
        cr_assert_lt(fabs(counts[i] / MANY - 1.0 / 3), 4 * sqrt(2.0 / 9 / MANY), "%d: %g", i, counts[i]);
    cr_assert_lt(fabs(odd / MANY - 0.5), 4 * sqrt(0.25 / MANY));
    free(x);
    rask_graph_free(g);
}

Test(random, other_seeds_and_other_kinds_have_other_numbers)
{
    rask_graph *g = rask_graph_new();
    double *one = elements(rask_array_uniform(g, 1, 0, 1, 1000), 0, 1000),
           *two = elements(rask_array_uniform(g, 2, 0, 1, 1000), 0, 1000),
           *normal = elements(rask_array_normal(g, 1, 0, 1, 1000), 0, 1000), products = 0, kinds = 0;
    for (int i = 0; i < 1000; i++) {
        products += (one[i] - 0.5) * (two[i] - 0.5) * 12 / 1000;
        kinds += (one[i] - 0.5) * normal[i] * sqrt(12) / 1000;
    }
    cr_assert_lt(fabs(products), 4 / sqrt(1000));
    cr_assert_lt(fabs(kinds), 4 / sqrt(1000));
    free(one);
    free(two);
    free(normal);
    rask_graph_free(g);
}

Test(random, ranges_that_are_none_are_errors)
{
    rask_graph *g = rask_graph_new();
    cr_assert_null(rask_array_uniform(g, 1, 1, 1, 10));
    cr_assert_eq(rask_graph_status(g), RASK_EINVAL);
    rask_graph_free(g);
    g = rask_graph_new();
    cr_assert_null(rask_array_uniform(g, 1, 0, (double)INFINITY, 10));
    cr_assert_eq(rask_graph_status(g), RASK_EINVAL);
    rask_graph_free(g);
    g = rask_graph_new();
    cr_assert_null(rask_array_normal(g, 1, 0, -1, 10));
    cr_assert_eq(rask_graph_status(g), RASK_EINVAL);
    rask_graph_free(g);
    g = rask_graph_new();
    cr_assert_null(rask_array_integers(g, 1, 5, 5, 10));
    cr_assert_not_null(strstr(rask_graph_error(g), "rask_array_integers: from 5 to below 5"));
    rask_graph_free(g);
}
