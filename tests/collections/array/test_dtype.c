/* Element types: names, promotion, and what numbers become among arrays. */
#include "collections/array/array.h"

#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdio.h>
#include <string.h>

Test(dtype, names_are_read_back)
{
    for (int i = 0; i < RASK_DT_COUNT; i++) {
        rask_dtype back = RASK_DT_COUNT;
        cr_assert_eq(rask_dtype_parse(rask_dtype_name((rask_dtype)i), &back), RASK_OK);
        cr_assert_eq((int)back, i);
    }
    cr_assert_null(rask_dtype_name(RASK_DT_COUNT));
    cr_assert_null(rask_dtype_name((rask_dtype)-1));
}

Test(dtype, numpys_other_names_are_known)
{
    static const struct {
        const char *text;
        rask_dtype dtype;
    } known[] = {
        {"f8", RASK_DT_F64},    {"<f8", RASK_DT_F64},  {"=f4", RASK_DT_F32},      {"|u1", RASK_DT_U8},
        {"?", RASK_DT_BOOL},    {"|b1", RASK_DT_BOOL}, {"int", RASK_DT_I64},      {"i8", RASK_DT_I64},
        {"i1", RASK_DT_I8},     {"f64", RASK_DT_F64},  {"c16", RASK_DT_C128},     {"c64", RASK_DT_C64},
        {"float", RASK_DT_F64}, {"B", RASK_DT_U8},     {"complex", RASK_DT_C128}, {">i1", RASK_DT_I8}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        rask_dtype dtype = RASK_DT_COUNT;
        cr_assert_eq(rask_dtype_parse(known[i].text, &dtype), RASK_OK, "%s", known[i].text);
        cr_assert_eq(dtype, known[i].dtype, "%s", known[i].text);
    }
}

Test(dtype, what_is_no_name_leaves_the_result_alone)
{
    static const char *const unknown[] = {"",        "f", ">f8", "f16", "<",  "<<f8",
                                          "float80", "O", "S10", "i3",  "f8 "};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        rask_dtype dtype = RASK_DT_U16;
        if (!strcmp(unknown[i], "f"))
            continue; /* a letter of NumPy's */
        cr_assert_eq(rask_dtype_parse(unknown[i], &dtype), RASK_EINVAL, "%s", unknown[i]);
        cr_assert_eq(dtype, RASK_DT_U16);
    }
    cr_assert_eq(rask_dtype_parse(NULL, &(rask_dtype){0}), RASK_EINVAL);
    cr_assert_eq(rask_dtype_parse("f8", NULL), RASK_EINVAL);
}

/* numpy.promote_types, a letter for each dtype. */
static const char letters[] = "?1248abcdfgyz";
static const char *const promoted[RASK_DT_COUNT] = {
    "?1248abcdfgyz", "11248248gfgyz", "22248248gfgyz", "44448448gggzz", "88888888gggzz",
    "a2248abcdfgyz", "b4448bbcdfgyz", "c8888cccdggzz", "dggggddddggzz", "fffggffggfgyz",
    "gggggggggggzz", "yyyzzyyzzyzyz", "zzzzzzzzzzzzz"};

Test(dtype, promotion_is_numpys)
{
    for (int a = 0; a < RASK_DT_COUNT; a++)
        for (int b = 0; b < RASK_DT_COUNT; b++)
            cr_assert_eq(letters[rask_dtype_promote((rask_dtype)a, (rask_dtype)b)], promoted[a][b],
                         "%s and %s", rask_dtype_name((rask_dtype)a), rask_dtype_name((rask_dtype)b));
    cr_assert_eq(rask_dtype_promote(RASK_DT_COUNT, RASK_DT_I8), RASK_DT_COUNT);
}

/* The dtype of array + number. */
static rask_dtype meets(rask_dtype array, rask_operand number)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_zeros(g, array, 3);
    rask_dtype dtype = rask_array_dtype(rask_array_add(a, number));
    cr_assert_eq(rask_array_dtype(rask_array_add(number, a)), dtype);
    cr_assert_eq(rask_graph_status(g), RASK_OK, "%s", rask_graph_error(g));
    rask_graph_free(g);
    return dtype;
}

Test(weak, a_number_keeps_to_the_width_of_the_array)
{
    cr_assert_eq(meets(RASK_DT_I8, RASK_OPERAND(100)), RASK_DT_I8);
    cr_assert_eq(meets(RASK_DT_U64, RASK_OPERAND(1)), RASK_DT_U64);
    cr_assert_eq(meets(RASK_DT_F32, RASK_OPERAND(1)), RASK_DT_F32);
    cr_assert_eq(meets(RASK_DT_F32, RASK_OPERAND(0.1)), RASK_DT_F32);
    cr_assert_eq(meets(RASK_DT_C64, RASK_OPERAND(0.1)), RASK_DT_C64);
    cr_assert_eq(meets(RASK_DT_I16, RASK_OPERAND(true)), RASK_DT_I16);
}

Test(weak, a_number_of_a_higher_kind_lifts_the_array)
{
    cr_assert_eq(meets(RASK_DT_BOOL, RASK_OPERAND(1)), RASK_DT_I64);
    cr_assert_eq(meets(RASK_DT_BOOL, RASK_OPERAND(0.5)), RASK_DT_F64);
    cr_assert_eq(meets(RASK_DT_I8, RASK_OPERAND(0.5)), RASK_DT_F64);
    rask_operand i = {.kind = RASK_OPERAND_C128, .as.c128 = {0, 1}};
    cr_assert_eq(meets(RASK_DT_I8, i), RASK_DT_C128);
    cr_assert_eq(meets(RASK_DT_F32, i), RASK_DT_C64);
    cr_assert_eq(meets(RASK_DT_F64, i), RASK_DT_C128);
}

Test(weak, an_array_without_axes_is_an_array)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_zeros(g, RASK_DT_F32, 3),
               *number = rask_array_full_at(g, RASK_DT_F64, 0, NULL, RASK_OPERAND(1), NULL, 0);
    cr_assert_eq(rask_array_dtype(rask_array_add(a, number)), RASK_DT_F64);
    cr_assert_eq(rask_graph_status(g), RASK_OK);
    rask_graph_free(g);
}

static void expect_range_error(rask_dtype array, rask_operand number, const char *message)
{
    rask_graph *g = rask_graph_new();
    cr_assert_null(rask_array_mul(rask_array_ones(g, array, 3), number));
    cr_assert_eq(rask_graph_status(g), RASK_ERANGE);
    cr_assert_not_null(strstr(rask_graph_error(g), message), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(weak, an_integer_that_does_not_fit_is_an_error)
{
    expect_range_error(RASK_DT_I8, RASK_OPERAND(128), "rask_array_mul: 128 is out of bounds for int8");
    expect_range_error(RASK_DT_I8, RASK_OPERAND(-129), "rask_array_mul: -129 is out of bounds for int8");
    expect_range_error(RASK_DT_U16, RASK_OPERAND(-1), "rask_array_mul: -1 is out of bounds for uint16");
    expect_range_error(RASK_DT_I64, RASK_OPERAND(UINT64_MAX), "is out of bounds for int64");
    expect_range_error(RASK_DT_BOOL, RASK_OPERAND(UINT64_MAX), "is out of bounds for int64");
}

/* The value that a comparison is known to have without looking at elements; -1: it is not. */
static int known(const rask_array *a)
{
    if (!a || a->kind != RK_VIEW || a->inputs[0]->kind != RK_SCALAR || a->dtype != RASK_DT_BOOL)
        return -1;
    return a->inputs[0]->as.scalar.as.boolean;
}

Test(weak, comparing_with_an_integer_that_does_not_fit_is_no_error)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_ones(g, RASK_DT_U8, 3);
    cr_assert_eq(known(rask_array_lt(a, 300)), 1);
    cr_assert_eq(known(rask_array_ge(a, 300)), 0);
    cr_assert_eq(known(rask_array_eq(a, 300)), 0);
    cr_assert_eq(known(rask_array_ne(300, a)), 1);
    cr_assert_eq(known(rask_array_lt(300, a)), 0);
    cr_assert_eq(known(rask_array_gt(300, a)), 1);
    cr_assert_eq(known(rask_array_lt(a, -1)), 0);
    cr_assert_eq(known(rask_array_gt(a, -1)), 1);
    cr_assert_eq(known(rask_array_le(-1, a)), 1);
    cr_assert_eq(known(rask_array_lt(a, 255)), -1);
    cr_assert_eq(rask_graph_status(g), RASK_OK);
    rask_graph_free(g);
}

Test(weak, an_integer_that_does_not_fit_can_still_be_divided_by)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_ones(g, RASK_DT_I8, 3), *half = rask_array_div(a, 300);
    cr_assert_eq(rask_array_dtype(half), RASK_DT_F64);
    cr_assert_eq(half->inputs[1]->inputs[0]->as.scalar.as.f64, 300.0);
    cr_assert_not_null(rask_array_and(a, 300));
    cr_assert_eq(rask_graph_status(g), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_null(rask_array_pow(a, -1));
    cr_assert_eq(rask_graph_status(g), RASK_EINVAL);
    cr_assert_not_null(strstr(rask_graph_error(g), "rask_array_pow: integers to a negative power, -1"));
    rask_graph_free(g);
}

Test(operand, of_no_kind_is_an_error)
{
    rask_graph *g = rask_graph_new();
    rask_operand bad = {.kind = 99};
    cr_assert_null(rask_array_bitwise_and(rask_array_ones(g, RASK_DT_F32, 3), bad));
    cr_assert_eq(rask_graph_status(g), RASK_EINVAL);
    rask_graph_free(g);
}

Test(operand, numbers_are_stored_as_the_dtype_has_them)
{
    rask_graph *g = rask_graph_new();
    rask_operand tenth = RASK_OPERAND(0.1), minus = RASK_OPERAND(-1);
    rask_array *f32 = rk_operand_array(g, &tenth, RASK_DT_F32, "test", NULL, 0);
    cr_assert_eq(f32->as.scalar.as.f64, (double)0.1f);
    rask_array *i16 = rk_operand_array(g, &minus, RASK_DT_I16, "test", NULL, 0);
    cr_assert_eq(i16->as.scalar.as.i64, -1);
    cr_assert_eq(rk_array_cast(i16, RASK_DT_U8, NULL, 0)->as.scalar.as.u64, 255);
    cr_assert_eq(rk_array_cast(i16, RASK_DT_BOOL, NULL, 0)->as.scalar.as.boolean, true);
    cr_assert_eq(rk_array_cast(f32, RASK_DT_I32, NULL, 0)->as.scalar.as.i64, 0);
    cr_assert_eq(rk_array_cast(i16, RASK_DT_C64, NULL, 0)->as.scalar.as.c128[0], -1.0);
    rask_graph_free(g);
}
