/* Sums are correctly rounded, whatever the order, the batches and the merges; hard cases by an independent method. */
#include "collections/sums/sum.h"

#include "../../failing_allocator.h"
#include "slow_sum.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double one_sum(const double *x, size_t n)
{
    rk_sums sums;
    rk_sums_init(&sums, false);
    cr_assert_eq(rk_sums_resize(&sums, 1), RASK_OK);
    uint32_t *groups = calloc(n + 1, sizeof *groups);
    cr_assert_eq(rk_sums_add(&sums, groups, x, NULL, (uint32_t)n), RASK_OK);
    double sum = rk_sums_get(&sums, 0);
    free(groups);
    rk_sums_fini(&sums);
    return sum;
}

static void shuffle(double *x, size_t n, uint64_t *state)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = next(state) % i;
        double swap = x[i - 1];
        x[i - 1] = x[k];
        x[k] = swap;
    }
}

static void expect_bits(double a, double b, const char *what)
{
    cr_assert(memcmp(&a, &b, sizeof a) == 0, "%s: %a, expected %a", what, a, b);
}

Test(sums, cancellation_and_extremes_are_exact)
{
    const struct {
        double x[6];
        size_t n;
        double sum;
    } cases[] = {
        {{1e308, -1e308, 1}, 3, 1},
        {{1, 1e308, -1e308}, 3, 1},
        {{1e308, 1e308, -1e308, -1e308, 5e-324}, 5, 5e-324},
        {{1e308, 1e308, -1e308}, 3, 1e308},
        {{1e16, 1, -1e16, 1, 1, 1}, 6, 4},
        {{0.1, 0.2, -0.3}, 3, 0x1p-55},
        {{5e-324, 5e-324, -5e-324}, 3, 5e-324},
        {{0x1p-1022, -5e-324}, 2, 0x0.fffffffffffffp-1022},
        {{0x1p53, 1, 0x1p-1074}, 3, 0x1.0000000000001p53},
        {{0x1p53, 1}, 2, 0x1p53},
        {{0x1p53, 1, -0x1p-1074}, 3, 0x1p53},
        {{0x1.fffffffffffffp1023, 0x1p970}, 2, INFINITY},
        {{0x1.fffffffffffffp1023, 0x1p969}, 2, 0x1.fffffffffffffp1023},
        {{1e300, 1e-300, -1e300, 1, -1e-300, -1}, 6, 0},
        {{-0.0, -0.0}, 2, 0},
        {{0}, 0, 0},
        {{1e-310, 1, 1e10, -1e10, -1}, 5, 1e-310},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char what[32];
        snprintf(what, sizeof what, "case %zu", i);
        double x[6];
        memcpy(x, cases[i].x, sizeof x);
        uint64_t state = i;
        for (int round = 0; round < 20; round++) {
            expect_bits(one_sum(x, cases[i].n), cases[i].sum, what);
            shuffle(x, cases[i].n, &state);
        }
    }
}

Test(sums, infinities_and_nan_come_out_as_in_addition)
{
    const double plus[] = {1, INFINITY, -1e308}, minus[] = {-INFINITY, 1e308},
                 both[] = {INFINITY, 2, -INFINITY}, nan[] = {1, NAN, INFINITY};
    cr_assert_eq(one_sum(plus, 3), INFINITY);
    cr_assert_eq(one_sum(minus, 2), -INFINITY);
    cr_assert(isnan(one_sum(both, 3)));
    cr_assert(isnan(one_sum(nan, 3)));
}

/* Random numbers over a range of exponents. */
static void fill(double *x, size_t n, int exponents, int middle, uint64_t *state)
{
    for (size_t i = 0; i < n; i++) {
        double m = (double)(int64_t)next(state) * 0x1p-63;
        x[i] = ldexp(m, middle + (int)(next(state) % (uint64_t)exponents) - exponents / 2);
    }
}

Test(sums, random_sums_are_correctly_rounded_in_any_order)
{
    static double x[2000];
    uint64_t state = 5;
    const int ranges[][2] = {{1, 0},      {10, 3},   {60, -7},    {70, 0},    {130, 9},  {300, 0},
                             {40, -1040}, {40, 990}, {600, -500}, {600, 400}, {1900, 0}, {100, 60}};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        for (size_t n = 1; n <= 2000; n = n * 3 + 1) {
            fill(x, n, ranges[r][0], ranges[r][1], &state);
            if (n > 4)
                for (size_t i = 0; i < n / 2; i++)
                    x[i] = -x[n - 1 - i] * (i % 7 ? 1 : 1 + 0x1p-40);
            double expected = slow_sum(x, n);
            for (int round = 0; round < 3; round++) {
                expect_bits(one_sum(x, n), expected, "random");
                shuffle(x, n, &state);
            }
        }
    }
}

/* The window's top is passed, up and down. */
Test(sums, long_sums_of_one_sign_are_exact)
{
    enum { N = 100000 };
    static double x[N];
    for (int i = 0; i < N; i++)
        x[i] = i ? 0x1.fffffffffffffp40 : 0x1p0;
    expect_bits(one_sum(x, N), slow_sum(x, N), "up");
    for (int i = 0; i < N; i++)
        x[i] = -x[i];
    expect_bits(one_sum(x, N), slow_sum(x, N), "down");
    for (int i = 0; i < N; i++)
        x[i] = i ? -0x1.8p-20 : 0x1.0000000000001p20;
    expect_bits(one_sum(x, N), slow_sum(x, N), "small");
}

enum { GROUPS = 7, TERMS = 3000 };

/* Adds terms to groups, by parts that are merged one into the other in turn. */
static void sum_in_parts(const double *x, const uint32_t *groups, const uint8_t *valid, uint32_t parts,
                         bool squares, rk_sums *out)
{
    rk_sums_init(out, squares);
    cr_assert_eq(rk_sums_resize(out, GROUPS), RASK_OK);
    uint32_t each = TERMS / parts + 1;
    for (uint32_t from = 0; from < TERMS; from += each) {
        uint32_t n = TERMS - from < each ? TERMS - from : each;
        rk_sums part;
        rk_sums_init(&part, squares);
        cr_assert_eq(rk_sums_resize(&part, GROUPS), RASK_OK);
        cr_assert_eq(rk_sums_add(&part, groups + from, x + from, valid + from, n), RASK_OK);
        for (size_t g = 0; g < GROUPS; g++) {
            const rk_sum *s = (const rk_sum *)part.sums.data + g;
            cr_assert_eq(rk_sums_merge(out, g, s, rk_sums_wide(&part, s)), RASK_OK);
        }
        rk_sums_fini(&part);
    }
}

Test(sums, merged_parts_equal_the_whole)
{
    static double x[TERMS], own[TERMS];
    static uint32_t groups[TERMS];
    static uint8_t valid[TERMS];
    uint64_t state = 77;
    const int ranges[] = {4, 50, 90, 200, 1500};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        fill(x, TERMS, ranges[r], 3, &state);
        for (int i = 0; i < TERMS; i++) {
            groups[i] = (uint32_t)(next(&state) % GROUPS);
            valid[i] = next(&state) % 5 != 0;
        }
        for (uint32_t parts = 1; parts < 3000; parts *= 6) {
            rk_sums sums;
            sum_in_parts(x, groups, valid, parts, false, &sums);
            for (uint32_t g = 0; g < GROUPS; g++) {
                size_t n = 0;
                for (int i = 0; i < TERMS; i++)
                    if (groups[i] == g && valid[i])
                        own[n++] = x[i];
                expect_bits(rk_sums_get(&sums, g), slow_sum(own, n), "group");
            }
            rk_sums_fini(&sums);
        }
    }
}

static double variance(const double *x, uint32_t n)
{
    rk_sums sums, squares;
    uint32_t *groups = calloc(n, sizeof *groups);
    rk_sums_init(&sums, false);
    rk_sums_init(&squares, true);
    cr_assert_eq(rk_sums_resize(&sums, 1) | rk_sums_resize(&squares, 1), RASK_OK);
    cr_assert_eq(rk_sums_add(&sums, groups, x, NULL, n) | rk_sums_add(&squares, groups, x, NULL, n), RASK_OK);
    double result = rk_sums_variance(&sums, &squares, 0, n);
    rk_sums_fini(&sums);
    rk_sums_fini(&squares);
    free(groups);
    return result;
}

Test(sums, variance_does_not_cancel)
{
    double x[1000], d[1000];
    for (int i = 0; i < 1000; i++) {
        d[i] = i % 2 ? 1 : -1;
        x[i] = 4503599627370496.0 + d[i];
    }
    double expected = 1000.0 / 999;
    cr_assert_float_eq(variance(x, 1000), expected, 1e-15);
    cr_assert_float_eq(variance(d, 1000), expected, 1e-15);
    for (int i = 0; i < 1000; i++)
        x[i] = 0.1;
    cr_assert_eq(variance(x, 1000), 0);
    const double huge[] = {1e308, -1e308}, tiny[] = {5e-324, 0}, mixed[] = {1e150, 1e-150, 3};
    cr_assert_eq(variance(huge, 2), INFINITY);
    cr_assert_eq(variance(tiny, 2), 0);
    cr_assert_float_eq(variance(mixed, 3) / (1e300 / 3), 1, 1e-15);
    const double infinite[] = {INFINITY, 1};
    cr_assert(isnan(variance(infinite, 2)));
}

Test(sums, variance_agrees_with_two_passes_in_any_parts)
{
    static double x[TERMS];
    static uint32_t groups[TERMS];
    static uint8_t valid[TERMS];
    uint64_t state = 9;
    const int ranges[] = {3, 30, 80, 250};
    memset(valid, 1, sizeof valid);
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        fill(x, TERMS, ranges[r], 2, &state);
        double first = 0;
        for (uint32_t parts = 1; parts < 3000; parts *= 11) {
            rk_sums sums, squares;
            sum_in_parts(x, groups, valid, parts, false, &sums);
            sum_in_parts(x, groups, valid, parts, true, &squares);
            double got = rk_sums_variance(&sums, &squares, 0, TERMS);
            long double mean = (long double)slow_sum(x, TERMS) / TERMS, m2 = 0;
            for (int i = 0; i < TERMS; i++)
                m2 += (x[i] - mean) * (x[i] - mean);
            cr_assert_float_eq(got / (double)(m2 / (TERMS - 1)), 1, 1e-14);
            if (parts == 1)
                first = got;
            expect_bits(got, first, "parts");
            rk_sums_fini(&sums);
            rk_sums_fini(&squares);
        }
    }
}

/* Wide sums take memory. */
static int add_wide_sums(void)
{
    rk_sums sums;
    rk_sums_init(&sums, false);
    int status = rk_sums_resize(&sums, 60);
    for (uint32_t g = 0; g < 60 && !status; g++) {
        const uint32_t groups[] = {g, g, g};
        const double x[] = {1e300, 1, -1e300};
        status = rk_sums_add(&sums, groups, x, NULL, 3);
        if (!status)
            cr_assert_eq(rk_sums_get(&sums, g), 1);
    }
    rk_sums_fini(&sums);
    return status;
}

Test(sums, out_of_memory_is_an_error)
{
    sweep(add_wide_sums, 0);
}
