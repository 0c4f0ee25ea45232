/* Sorting, the k largest, distinct elements: NumPy's order with NaN last, the same whatever the budget. */
#include "statistics.h"

#include "collections/array/keys.h"

#include <math.h>

static rask_graph *g;

static void set_up(void)
{
    g = rask_graph_new();
}
static void tear_down(void)
{
    rask_graph_free(g);
}
TestSuite(sort, .init = set_up, .fini = tear_down);
TestSuite(topk, .init = set_up, .fini = tear_down);
TestSuite(unique, .init = set_up, .fini = tear_down);

/* -- Keys */

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Random keys, as they are; nearly equal; and ascending. */
static uint32_t key_like(int kind, uint64_t *state, size_t i)
{
    return kind == 0 ? next_random(state) : kind == 1 ? next_random(state) % 3 : (uint32_t)i;
}

Test(keys, sorting_and_selecting_agree_with_qsort)
{
    enum { MOST = 3000 };
    static uint32_t keys[MOST], sorted[MOST], scratch[MOST], copy[MOST];
    uint64_t state = 1;
    for (int kind = 0; kind < 3; kind++)
        for (size_t n = 0; n < MOST; n += n < 60 ? 1 : 331) {
            for (size_t i = 0; i < n; i++)
                sorted[i] = keys[i] = copy[i] = key_like(kind, &state, i);
            qsort(sorted, n, sizeof *sorted, compare_u32);
            rk_keys_sort(4, n, keys, scratch);
            cr_assert(!memcmp(keys, sorted, n * sizeof *keys), "kind %d, %zu keys", kind, n);
            for (size_t k = 0; k < n; k += 1 + n / 5) {
                rk_keys_select(4, n, copy, k, scratch);
                cr_assert_eq(copy[k], sorted[k], "kind %d, %zu of %zu", kind, k, n);
                for (size_t i = 0; i < n; i++)
                    cr_assert(i < k ? copy[i] <= copy[k] : copy[i] >= copy[k]);
            }
        }
}

Test(keys, complex_order_puts_numbers_with_nan_last)
{
    const double ascending[][2] = {{-INFINITY, 5}, {0, -1},  {0, 1},    {2, -INFINITY}, {INFINITY, 0},
                                   {-1, NAN},      {1, NAN}, {NAN, -2}, {NAN, 3},       {NAN, NAN}};
    rk_u128 keys[10];
    float narrow[10][2];
    uint64_t narrow_keys[10];
    double back[10][2];
    rk_keys_make(RASK_DT_C128, 10, ascending, false, keys);
    for (int i = 0; i < 10; i++)
        for (int k = 0; k < 2; k++)
            narrow[i][k] = (float)ascending[i][k];
    rk_keys_make(RASK_DT_C64, 10, narrow, false, narrow_keys);
    rk_keys_back(RASK_DT_C128, 10, keys, back);
    for (int i = 0; i < 10; i++) {
        cr_expect(!i || (keys[i - 1] < keys[i] && narrow_keys[i - 1] < narrow_keys[i]), "%d", i);
        cr_expect_eq(rk_key_is_nan(RASK_DT_C128, &keys[i]), i >= 5);
        cr_expect_eq(rk_key_is_nan(RASK_DT_C64, &narrow_keys[i]), i >= 5);
        for (int k = 0; k < 2; k++)
            cr_expect(back[i][k] == ascending[i][k] || (isnan(back[i][k]) && isnan(ascending[i][k])), "%d",
                      i);
    }
}

/* -- Sorting */

static int compare_f64(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

Test(sort, along_each_axis)
{
    const int64_t shape[] = {300, 50, 21};
    const size_t size = 300 * 50 * 21, strides[] = {50 * 21, 21, 1};
    double *x = malloc(size * sizeof *x), *y = malloc(size * sizeof *y), line[300];
    uint64_t state = 4;
    for (size_t i = 0; i < size; i++)
        x[i] = next_real(&state);
    for (int axis = 0; axis < 3; axis++) {
        size_t n = (size_t)shape[axis];
        for (size_t start = 0; start < size; start++) {
            if (start / strides[axis] % n)
                continue;
            for (size_t i = 0; i < n; i++)
                line[i] = x[start + i * strides[axis]];
            qsort(line, n, sizeof *line, compare_f64);
            for (size_t i = 0; i < n; i++)
                y[start + i * strides[axis]] = line[i];
        }
        expect_bytes(rask_array_sort_at(array_of(g, RASK_DT_F64, x, 3, shape), axis, HERE), y,
                     size * sizeof *y, "sort");
    }
    free(x);
    free(y);
}

Test(sort, nan_come_last_and_infinities_before)
{
    const float x[] = {NAN, 2, -INFINITY, -NAN, INFINITY, -1, 0};
    rask_block out = computed(rask_array_sort_at(vector_of(g, RASK_DT_F32, x, 7), 0, HERE), NULL);
    const float *y = out.data, expected[] = {-INFINITY, -1, 0, 2, INFINITY};
    cr_expect(!memcmp(y, expected, sizeof expected));
    cr_expect(isnan(y[5]) && isnan(y[6]));
    release(&out);
}

Test(sort, indices_of_equal_elements_stay_in_order)
{
    const double x[] = {0.0, -0.0, 3, -1, 3, 0.0, NAN, -NAN};
    const int64_t expected[] = {3, 0, 1, 5, 2, 4, 6, 7};
    rask_array *a = rask_array_argsort_at(vector_of(g, RASK_DT_F64, x, 8), -1, HERE);
    cr_expect_eq(rask_array_dtype(a), RASK_DT_I64);
    expect_bytes(a, expected, sizeof expected, "argsort");
}

Test(sort, a_negative_zero_as_real_part_is_a_zero)
{
    const double z[] = {-0.0, 3, 0, 1, -0.0, -2}, sorted[] = {0, -2, 0, 1, 0, 3};
    expect_bytes(rask_array_sort_at(vector_of(g, RASK_DT_C128, z, 3), 0, HERE), sorted, sizeof sorted,
                 "c128");
}

Test(sort, all_axes_become_one)
{
    const int16_t x[] = {5, -3, 2, 9}, y[] = {-3, 2, 5, 9};
    const int64_t shape[] = {2, 2};
    rask_array *a = rask_array_sort_at(array_of(g, RASK_DT_I16, x, 2, shape), RASK_ALL, HERE);
    cr_assert_eq(rask_array_ndim(a), 1);
    expect_bytes(a, y, sizeof y, "flat");
}

/* A line that is sorted by several tasks: integers in a random order that is known. */
Test(sort, one_long_line)
{
    const size_t n = 1500007;
    int64_t *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
    for (size_t i = 0; i < n; i++) {
        x[i] = (int64_t)(i * 1234577 % n) / 3;
        y[i] = (int64_t)i / 3;
    }
    rask_array *a = vector_of(g, RASK_DT_I64, x, (int64_t)n);
    expect_bytes_within(rask_array_sort_at(a, 0, HERE), 96, y, n * sizeof *y, "long");
    for (size_t i = 0; i < n; i++)
        y[i * 1234577 % n] = (int64_t)i; /* where the inverse is */
    int64_t *where = malloc(n * sizeof *where);
    for (size_t i = 0; i < n; i++) {
        x[i] = y[i];
        where[y[i]] = (int64_t)i;
    }
    expect_bytes_within(rask_array_argsort_at(a, 0, HERE), 96, where, n * sizeof *where, "indices");
    free(where);
    free(x);
    free(y);
}

/* Few distinct elements: which of the equal ones go where must not depend on the runs. */
Test(sort, long_lines_of_equal_elements_stay_in_order)
{
    const int64_t shape[] = {2, 2000003};
    const size_t n = 2000003;
    float *x = malloc(2 * n * sizeof *x);
    int64_t *where = malloc(2 * n * sizeof *where);
    for (size_t line = 0; line < 2; line++) {
        size_t at[2] = {line * n, line * n + n / 2 + 1};
        for (size_t i = 0; i < n; i++) {
            x[line * n + i] = (float)(i % 2);
            where[at[i % 2]++] = (int64_t)i;
        }
    }
    expect_bytes_within(rask_array_argsort_at(array_of(g, RASK_DT_F32, x, 2, shape), 1, HERE), 96, where,
                        2 * n * sizeof *where, "equal");
    free(x);
    free(where);
}

/* Lines whose keys and indices are more than half of the budget: few distinct elements, and as many as there are places. */
Test(sort, lines_that_do_not_fit_memory_go_through_a_file)
{
    enum { LENGTH = 300007 };
    const int64_t shape[] = {2, LENGTH};
    double *x = malloc(2 * LENGTH * sizeof *x), *y = malloc(2 * LENGTH * sizeof *y);
    int64_t *where = malloc(2 * LENGTH * sizeof *where);
    size_t odd = LENGTH + LENGTH / 2 + 1, even = LENGTH;
    for (size_t i = 0; i < LENGTH; i++) {
        x[i] = (double)(i * 123457 % LENGTH);
        y[i] = x[i];
        where[(size_t)x[i]] = (int64_t)i;
        x[LENGTH + i] = (double)(i % 2);
        y[LENGTH + i] = x[LENGTH + i];
        where[i % 2 ? odd++ : even++] = (int64_t)i;
    }
    qsort(y, 2 * LENGTH, sizeof *y, compare_f64);
    rask_array *a = array_of(g, RASK_DT_F64, x, 2, shape);
    const char *schedulers[] = {"serial", "threads", "processes"};
    for (int i = 0; i < 3; i++) {
        rask_options o = options_of(9 << 20, 2);
        o.scheduler = schedulers[i];
        o.memory = 8 << 20;
        rask_block sorted = computed(rask_array_sort_at(a, RASK_ALL, HERE), &o);
        cr_expect(!memcmp(sorted.data, y, 2 * LENGTH * sizeof *y), "%s", schedulers[i]);
        release(&sorted);
        o.memory = 9 << 20;
        rask_block places = computed(rask_array_argsort_at(a, 1, HERE), &o);
        cr_expect(!memcmp(places.data, where, 2 * LENGTH * sizeof *where), "%s", schedulers[i]);
        release(&places);
    }
    free(x);
    free(y);
    free(where);
}

Test(sort, of_a_line_longer_than_memory_may_be_a_node)
{
    enum { LENGTH = 1 << 20 };
    const int64_t shape[] = {LENGTH};
    rask_options o = options_of(4 << 20, 2);
    const char *name = "x";
    rask_array *x = rask_array_uniform_at(g, 1, 0, 1, 1, shape, HERE);
    rask_array *steps = rask_eval(g, "y = sort(x); y[1:] - y[:-1]", &name, &x, 1);
    rask_node *least = rask_array_node_at(rask_array_min(steps, RASK_ALL), &o, HERE);
    double answer = -1;
    cr_expect_eq(rask_compute_with(least, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_expect_geq(answer, 0);
}

Test(sort, without_a_folder_for_the_file_says_so)
{
    enum { LENGTH = 1 << 18 };
    const int64_t shape[] = {LENGTH};
    rask_options o = options_of(3 << 20, 1);
    unsetenv("RASK_SCRATCH");
    setenv("TMPDIR", "/no such folder", 1); /* one that is named is looked at before anything runs */
    rask_array *a = rask_array_sort_at(rask_array_uniform_at(g, 1, 0, 1, 1, shape, HERE), 0, HERE);
    double answer = 0;
    cr_expect_eq(rask_array_compute_out(rask_array_max(a, RASK_ALL), &o, RASK_OUT_F64, &answer), RASK_EIO);
    cr_expect_not_null(strstr(rask_graph_error(g), "/no such folder"), "%s", rask_graph_error(g));
    o.memory = 64 << 20;
    cr_expect_eq(rask_array_compute_out(rask_array_max(a, RASK_ALL), &o, RASK_OUT_F64, &answer), RASK_OK,
                 "%s", rask_graph_error(g));
}

/* -- The largest and the smallest */

static void expect_topk(const double *x, size_t n, int64_t k)
{
    double *y = malloc((n + 1) * sizeof *y);
    size_t kept = (size_t)(k < 0 ? -k : k) < n ? (size_t)(k < 0 ? -k : k) : n;
    memcpy(y, x, n * sizeof *y);
    qsort(y, n, sizeof *y, compare_f64);
    for (size_t i = 0; k > 0 && i < n / 2; i++) {
        double swap = y[i];
        y[i] = y[n - 1 - i];
        y[n - 1 - i] = swap;
    }
    rask_array *a = rask_array_topk_at(vector_of(g, RASK_DT_F64, x, (int64_t)n), k, HERE);
    cr_assert_eq(rask_array_size(a), (int64_t)kept);
    expect_bytes(a, y, kept * sizeof *y, "topk");
    free(y);
}

Test(topk, largest_come_first_and_smallest_come_first)
{
    const size_t n = 400000;
    double *x = malloc(n * sizeof *x);
    uint64_t state = 8;
    for (size_t i = 0; i < n; i++)
        x[i] = next_real(&state);
    const int64_t ks[] = {1, 10, 1000, 150000, -1, -10, -150000, 400000, 500000, 0};
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++)
        expect_topk(x, n, ks[i]);
    for (size_t i = 0; i < n; i++)
        x[i] = (double)i; /* each better than all before */
    expect_topk(x, n, 20);
    expect_topk(x, n, -20);
    free(x);
}

Test(topk, nan_are_larger_than_numbers)
{
    const double x[] = {1, NAN, INFINITY, 3};
    rask_block out = computed(rask_array_topk_at(vector_of(g, RASK_DT_F64, x, 4), 2, HERE), NULL);
    cr_expect(isnan(((double *)out.data)[0]) && ((double *)out.data)[1] == INFINITY);
    release(&out);
}

Test(topk, small_integers_and_complex_numbers)
{
    const int8_t x[] = {-128, 127, 0, -1}, largest[] = {127, 0}, smallest[] = {-128, -1};
    const double z[] = {1, 5, 2, 0, 1, 7}, z_largest[] = {2, 0, 1, 7};
    expect_bytes(rask_array_topk_at(vector_of(g, RASK_DT_I8, x, 4), 2, HERE), largest, sizeof largest, "i8");
    expect_bytes(rask_array_topk_at(vector_of(g, RASK_DT_I8, x, 4), -2, HERE), smallest, sizeof smallest,
                 "i8");
    expect_bytes(rask_array_topk_at(vector_of(g, RASK_DT_C128, z, 3), 2, HERE), z_largest, sizeof z_largest,
                 "c128");
}

Test(topk, two_dimensions_are_refused)
{
    const int64_t shape[] = {1, 1};
    cr_expect_null(rask_array_topk_at(array_of(g, RASK_DT_F64, (double[]){1}, 2, shape), 1, HERE));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
}

/* -- Distinct elements */

static void expect_unique(rask_array *a, const void *elements, const int64_t *counts, size_t n, size_t size,
                          const rask_options *options)
{
    rask_array *often, *distinct = rask_array_unique_at(a, &often, options, HERE);
    cr_assert_not_null(distinct, "%s", rask_graph_error(g));
    cr_assert_eq(rask_array_size(distinct), (int64_t)n);
    expect_bytes(distinct, elements, n * size, "elements");
    expect_bytes(often, counts, n * sizeof *counts, "counts");
}

Test(unique, elements_ascend_and_counts_tell_how_often)
{
    const int16_t x[] = {3, -1, 3, 3, 200, -1}, e[] = {-1, 3, 200};
    const int64_t c[] = {2, 3, 1};
    expect_unique(vector_of(g, RASK_DT_I16, x, 6), e, c, 3, sizeof *e, NULL);
    const bool b[] = {true, true, true}, yes[] = {true};
    const int64_t three[] = {3};
    expect_unique(vector_of(g, RASK_DT_BOOL, b, 3), yes, three, 1, sizeof *yes, NULL);
}

Test(unique, zeros_are_one_and_nan_are_one)
{
    const double x[] = {-0.0, NAN, 0.0, 1, -NAN}, zero = 0;
    rask_array *counts, *a = rask_array_unique_at(vector_of(g, RASK_DT_F64, x, 5), &counts, NULL, HERE);
    const int64_t c[] = {2, 1, 2};
    rask_block out = computed(a, NULL);
    cr_assert_eq(out.shape[0], 3);
    cr_expect(!memcmp(out.data, &zero, sizeof zero) && isnan(((double *)out.data)[2]));
    release(&out);
    expect_bytes(counts, c, sizeof c, "counts");
}

Test(unique, complex_numbers_with_nan_are_one)
{
    const double z[] = {NAN, 1, 1, 2, 1, NAN, 1, 2};
    rask_array *counts, *a = rask_array_unique_at(vector_of(g, RASK_DT_C128, z, 4), &counts, NULL, HERE);
    const int64_t c[] = {2, 2};
    cr_assert_eq(rask_array_size(a), 2);
    expect_bytes(counts, c, sizeof c, "counts");
}

Test(unique, many_parts_meet)
{
    const size_t n = 700001;
    uint32_t *x = malloc(n * sizeof *x), e[5000];
    int64_t counts[5000] = {0};
    uint64_t state = 6;
    for (size_t i = 0; i < n; i++)
        counts[(x[i] = next_random(&state) % 5000 * 99991) / 99991]++;
    for (uint32_t i = 0; i < 5000; i++)
        e[i] = i * 99991;
    rask_options usual = options_of(256 << 20, 2), small = options_of(24 << 20, 2);
    expect_unique(vector_of(g, RASK_DT_U32, x, (int64_t)n), e, counts, 5000, sizeof *e, &usual);
    expect_unique(vector_of(g, RASK_DT_U32, x, (int64_t)n), e, counts, 5000, sizeof *e, &small);
    free(x);
}

Test(unique, does_not_mind_that_a_computation_failed_before)
{
    const int16_t x[] = {5};
    const int64_t once[] = {1};
    rask_array *a = vector_of(g, RASK_DT_I16, x, 1);
    rask_block out = {.dtype = RASK_DT_BOOL, .data = &out};
    cr_assert_eq(rask_array_compute(&a, 1, NULL, &out), RASK_EINVAL);
    expect_unique(a, x, once, 1, sizeof *x, NULL);
}

Test(unique, nothing_has_no_elements)
{
    expect_unique(vector_of(g, RASK_DT_F64, "", 0), "", (int64_t[]){0}, 0, 8, NULL);
}

/* -- Later: nodes whose values have the length that is found */

static void expect_node(rask_node *node, const void *expected, int64_t n, size_t size)
{
    rask_value value;
    rask_block block;
    cr_assert_eq(rask_compute_value(node, NULL, &value), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_value_get_block(&value, &block), RASK_OK);
    cr_expect_eq(block.ndim, 1);
    cr_assert_eq(block.shape[0], n);
    cr_expect(!memcmp(block.data, expected, (size_t)n * size));
    rask_value_unref(&value);
}

Test(unique, as_nodes_is_found_when_it_is_computed)
{
    const double x[] = {3, -0.0, NAN, 0, 3, NAN}, e[] = {0, 3};
    const int64_t c[] = {2, 2, 2};
    rask_node *counts,
        *distinct = rask_array_unique_node_at(vector_of(g, RASK_DT_F64, x, 6), &counts, NULL, HERE);
    rask_value value;
    rask_block block;
    expect_node(counts, c, 3, sizeof *c);
    cr_assert_eq(rask_compute_value(distinct, NULL, &value), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_value_get_block(&value, &block), RASK_OK);
    const double *found = block.data;
    cr_expect(block.shape[0] == 3 && found[0] == e[0] && found[1] == e[1] && isnan(found[2]));
    rask_value_unref(&value);
}

Test(unique, compress_as_a_node_gives_what_the_mask_has)
{
    enum { N = 300001 };
    int32_t *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    int64_t n = 0;
    rask_options o = options_of(4 << 20, 2);
    for (int i = 0; i < N; i++) {
        x[i] = i * 7 % 1000;
        if (x[i] < 400)
            y[n++] = x[i];
    }
    rask_array *a = vector_of(g, RASK_DT_I32, x, N);
    expect_node(rask_array_compress_node_at(a, rask_array_lt(a, 400.), &o, HERE), y, n, sizeof *y);
    expect_node(rask_array_compress_node_at(a, rask_array_lt(a, -1.), &o, HERE), y, 0, sizeof *y);
    cr_expect_null(rask_array_compress_node_at(a, a, &o, HERE));
    cr_expect_eq(rask_graph_status(g), RASK_ETYPE);
    free(x);
    free(y);
}
