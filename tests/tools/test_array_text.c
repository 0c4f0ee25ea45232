/* How arrays are printed: every expected text is what NumPy gives for the same array. */
#include "array_text.h"
#include "number_text.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof array / sizeof *array)

typedef void (*print)(FILE *out, const array_edges *edges);

static void check_edges(print how, const array_edges *edges, const char *wanted)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    how(out, edges);
    fclose(out);
    cr_expect_str_eq(text, wanted, "%s is not %s", text, wanted);
    free(text);
}

/* An array that is small enough to be printed all. */
static void check(rask_dtype dtype, uint32_t ndim, const int64_t *shape, const void *data, const char *wanted)
{
    array_edges edges;
    array_edges_init(&edges, dtype, ndim, shape);
    edges.data = data;
    check_edges(array_text_print, &edges, wanted);
}

static void check_f64(const double *data, int64_t count, const char *wanted)
{
    check(RASK_DT_F64, 1, &count, data, wanted);
}

static void check_f32(const float *data, int64_t count, const char *wanted)
{
    check(RASK_DT_F32, 1, &count, data, wanted);
}

#define F64(wanted, ...) check_f64((const double[]){__VA_ARGS__}, COUNT(((double[]){__VA_ARGS__})), wanted)
#define F32(wanted, ...) check_f32((const float[]){__VA_ARGS__}, COUNT(((float[]){__VA_ARGS__})), wanted)

Test(array_text, integers_and_bools_are_aligned)
{
    check(RASK_DT_I64, 1, (int64_t[]){3}, (int64_t[]){1, -20, 300}, "[  1 -20 300]\n");
    check(RASK_DT_U64, 1, (int64_t[]){2}, (uint64_t[]){UINT64_MAX, 0},
          "[18446744073709551615                    0]\n");
    check(RASK_DT_I8, 1, (int64_t[]){2}, (int8_t[]){-128, 127}, "[-128  127]\n");
    check(RASK_DT_BOOL, 1, (int64_t[]){3}, (bool[]){true, false, true}, "[ True False  True]\n");
}

Test(array_text, floats_have_what_digits_they_need_up_to_eight)
{
    F64("[ 1.5    2.25  -3.125]\n", 1.5, 2.25, -3.125);
    F64("[1. 2. 3.]\n", 1, 2, 3);
    F64("[0.         0.33333333 0.66666667 1.        ]\n", 0, 1. / 3, 2. / 3, 1);
    F64("[-0.  0.]\n", -0., 0.);
    F32("[0.1        0.2        0.33333334]\n", 0.1f, 0.2f, 1 / 3.f);
}

Test(array_text, a_wide_range_of_floats_is_in_scientific_notation)
{
    F64("[1.e-05 1.e+00]\n", 1e-5, 1);
    F64("[1.e+08 1.e+00]\n", 1e8, 1);
    F64("[1.0000e+00 1.0005e+03]\n", 1, 1000.5);
    F64("[   1. 1000.]\n", 1, 1000);
    F64("[1.e-300 1.e+300]\n", 1e-300, 1e300);
    F32("[3.4028235e+38 1.1754944e-38]\n", 3.4028235e38f, 1.1754944e-38f);
    F32("[6.1941110e-02 4.1773598e+01 9.9999997e-06]\n", 0.0619411096f, 41.7735977f, 0.00001f);
}

Test(array_text, nan_and_infinity_fit_in)
{
    F64("[ nan  1.5 -2. ]\n", NAN, 1.5, -2);
    F64("[ inf -inf   1.]\n", INFINITY, -INFINITY, 1);
    F64("[nan nan]\n", NAN, NAN);
    F64("[-inf  nan]\n", -INFINITY, NAN);
}

Test(array_text, complex_numbers_have_two_formats)
{
    int64_t two = 2, three = 3;
    check(RASK_DT_C128, 1, &two, (double[]){1, 2, -1.5, -0.25}, "[ 1. +2.j   -1.5-0.25j]\n");
    check(RASK_DT_C128, 1, &two, (double[]){NAN, 1, 0, -INFINITY}, "[nan +1.j  0.-infj]\n");
    check(RASK_DT_C64, 1, &two, (float[]){0.1f, 1e-5f, 2, 0}, "[0.1+1.e-05j 2. +0.e+00j]\n");
    double wide = 1.23456789012e-100;
    check(RASK_DT_C128, 1, &three, (double[]){wide, wide, wide, wide, wide, wide},
          "[1.23456789e-100+1.23456789e-100j 1.23456789e-100+1.23456789e-100j\n"
          " 1.23456789e-100+1.23456789e-100j]\n");
}

Test(array_text, rows_and_lines_are_broken_as_by_numpy)
{
    int64_t numbers[40];
    for (int i = 0; i < 40; i++)
        numbers[i] = i;
    check(RASK_DT_I64, 2, (int64_t[]){3, 4}, numbers, "[[ 0  1  2  3]\n [ 4  5  6  7]\n [ 8  9 10 11]]\n");
    check(RASK_DT_I64, 3, (int64_t[]){2, 2, 2}, numbers, "[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]\n");
    for (int i = 0; i < 40; i++)
        numbers[i] = i * 1000;
    check(RASK_DT_I64, 1, (int64_t[]){40}, numbers,
          "[    0  1000  2000  3000  4000  5000  6000  7000  8000  9000 10000 11000\n"
          " 12000 13000 14000 15000 16000 17000 18000 19000 20000 21000 22000 23000\n"
          " 24000 25000 26000 27000 28000 29000 30000 31000 32000 33000 34000 35000\n"
          " 36000 37000 38000 39000]\n");
    check(RASK_DT_F64, 1, (int64_t[]){0}, numbers, "[]\n");
    check(RASK_DT_F64, 2, (int64_t[]){0, 3}, numbers, "[]\n");
}

/* The kept elements of an array that counts 0, 1, 2, … */
static void check_counting(uint32_t ndim, const int64_t *shape, const char *wanted)
{
    array_edges edges;
    int64_t data[216], kept = array_edges_init(&edges, RASK_DT_I64, ndim, shape);
    cr_assert(edges.cut);
    cr_assert_leq(kept, 216);
    for (int64_t i = 0; i < kept; i++) {
        int64_t rest = i, step = 1;
        data[i] = 0;
        for (uint32_t axis = ndim; axis-- > 0; step *= shape[axis]) {
            int64_t index = rest % edges.kept[axis];
            rest /= edges.kept[axis];
            bool behind = edges.kept[axis] < shape[axis] && index >= ARRAY_TEXT_EDGE;
            data[i] += step * (behind ? index + shape[axis] - edges.kept[axis] : index);
        }
    }
    edges.data = data;
    check_edges(array_text_print, &edges, wanted);
}

Test(array_text, of_more_than_1000_elements_the_ends_are_printed)
{
    check_counting(1, (int64_t[]){1001}, "[   0    1    2 ...  998  999 1000]\n");
    check_counting(
        2, (int64_t[]){501, 2},
        "[[   0    1]\n [   2    3]\n [   4    5]\n ...\n [ 996  997]\n [ 998  999]\n [1000 1001]]\n");
    check_counting(3, (int64_t[]){2, 3, 1000},
                   "[[[   0    1    2 ...  997  998  999]\n"
                   "  [1000 1001 1002 ... 1997 1998 1999]\n"
                   "  [2000 2001 2002 ... 2997 2998 2999]]\n"
                   "\n"
                   " [[3000 3001 3002 ... 3997 3998 3999]\n"
                   "  [4000 4001 4002 ... 4997 4998 4999]\n"
                   "  [5000 5001 5002 ... 5997 5998 5999]]]\n");
    check_counting(
        3, (int64_t[]){500, 2, 2},
        "[[[   0    1]\n  [   2    3]]\n\n [[   4    5]\n  [   6    7]]\n\n [[   8    9]\n  [  10   11]]\n\n"
        " ...\n\n"
        " [[1988 1989]\n  [1990 1991]]\n\n [[1992 1993]\n  [1994 1995]]\n\n [[1996 1997]\n  [1998 1999]]]\n");
}

Test(array_text, how_much_is_kept)
{
    array_edges edges;
    cr_expect_eq(array_edges_init(&edges, RASK_DT_F64, 1, (int64_t[]){1000}), 1000);
    cr_expect_eq(array_edges_init(&edges, RASK_DT_F64, 1, (int64_t[]){1001}), 6);
    cr_expect_eq(array_edges_init(&edges, RASK_DT_F64, 2, (int64_t[]){1000000, 4}), 24);
    cr_expect_eq(array_edges_init(&edges, RASK_DT_F64, 2, (int64_t[]){INT64_MAX, 0}), 0);
    cr_expect_eq(array_edges_init(&edges, RASK_DT_F64, 0, NULL), 1);
}

Test(array_text, a_number_alone_reads_back_exactly)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0., "-0.0"},
        {0.1, "0.1"},
        {1, "1.0"},
        {1e-5, "1e-05"},
        {1e-4, "0.0001"},
        {123456789, "123456789.0"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e+16"},
        {1.5e300, "1.5e+300"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {0.30000000000000004, "0.30000000000000004"},
        {-1234.5678, "-1234.5678"},
        {0.0650378, "0.0650378"},
        {5.684341886080802e-14, "5.684341886080802e-14"},
        {9007199254740993, "9007199254740992.0"},
        {NAN, "nan"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
    };
    char text[NUMBER_TEXT];
    for (size_t i = 0; i < COUNT(cases); i++) {
        cr_expect_str_eq(number_text(cases[i].value, false, text), cases[i].text);
        if (!isnan(cases[i].value))
            cr_expect_eq(strtod(text, NULL), cases[i].value);
    }
    cr_expect_str_eq(number_text((double)0.1f, true, text), "0.1");
    cr_expect_str_eq(number_text((double)16777216.f, true, text), "16777216.0");
    cr_expect_str_eq(number_text((double)1e-4f, true, text), "1e-04");
}

Test(array_text, a_complex_number_alone)
{
    char text[NUMBER_COMPLEX];
    cr_expect_str_eq(number_complex_text(1, 2, false, text), "(1+2j)");
    cr_expect_str_eq(number_complex_text(0, 2, false, text), "2j");
    cr_expect_str_eq(number_complex_text(-0., -2, false, text), "(-0-2j)");
    cr_expect_str_eq(number_complex_text(1e16, 0.1, false, text), "(1e+16+0.1j)");
    cr_expect_str_eq(number_complex_text(NAN, -INFINITY, false, text), "(nan-infj)");
    cr_expect_str_eq(number_complex_text(-1.5, NAN, false, text), "(-1.5+nanj)");
    cr_expect_str_eq(number_complex_text((double)0.1f, 0, true, text), "(0.1+0j)");
}

Test(array_text, random_floats_read_back)
{
    char text[NUMBER_TEXT];
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        double value;
        state = state * 6364136223846793005u + 1442695040888963407u;
        memcpy(&value, &state, sizeof value);
        float single = (float)value;
        if (isfinite(value))
            cr_assert_eq(strtod(number_text(value, false, text), NULL), value, "%s", text);
        if (isfinite(single))
            cr_assert_eq(strtof(number_text((double)single, true, text), NULL), single, "%s", text);
    }
}

Test(array_text, json_has_all_elements)
{
    array_edges edges;
    array_edges_init(&edges, RASK_DT_F64, 2, (int64_t[]){2, 2});
    edges.data = (double[]){1.5, NAN, -INFINITY, 1e300};
    check_edges(array_text_json, &edges,
                "{\"dtype\":\"float64\",\"shape\":[2,2],\"data\":[[1.5,\"nan\"],[\"-inf\",1e+300]]}\n");
    array_edges_init(&edges, RASK_DT_C64, 0, NULL);
    edges.data = (float[]){0.1f, 2};
    check_edges(array_text_json, &edges, "{\"dtype\":\"complex64\",\"shape\":[],\"data\":[0.1,2.0]}\n");
    array_edges_init(&edges, RASK_DT_BOOL, 1, (int64_t[]){2});
    edges.data = (bool[]){true, false};
    check_edges(array_text_json, &edges, "{\"dtype\":\"bool\",\"shape\":[2],\"data\":[true,false]}\n");
    array_edges_init(&edges, RASK_DT_I32, 3, (int64_t[]){1, 0, 5});
    check_edges(array_text_json, &edges, "{\"dtype\":\"int32\",\"shape\":[1,0,5],\"data\":[[]]}\n");
}
