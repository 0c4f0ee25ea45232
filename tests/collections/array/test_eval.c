/* Expressions: what they build, and which character a failure is about. Their syntax has tests of its own, their results
 * are compared with NumPy's in test_numpy.py. */
#include <criterion/criterion.h>
#include <math.h>
#include <rask/rask.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof array / sizeof *array)

static rask_graph *g;
static const char *const names[] = {"a", "b", "i", "n", "x"};
static rask_operand operands[5];

static rask_operand counting(rask_dtype dtype, uint32_t ndim, const int64_t *shape)
{
    int64_t size = 1;
    for (uint32_t i = 0; i < ndim; i++)
        size *= shape[i];
    rask_operand zero = {.kind = RASK_OPERAND_I64}, stop = {.kind = RASK_OPERAND_I64, .as.i64 = size};
    rask_operand one = {.kind = RASK_OPERAND_I64, .as.i64 = 1};
    rask_array *flat = rask_array_arange_at(g, zero, stop, one, dtype, NULL, 0);
    return (rask_operand){.kind = RASK_OPERAND_ARRAY,
                          .as.array = rask_array_reshape_at(flat, ndim, shape, NULL, 0)};
}

/* a: f64[3, 4], b: f64[4], i: i64[3, 4], n: 2.5, x: f32[2]; each counts from 0. */
static void begin(void)
{
    g = rask_graph_new();
    operands[0] = counting(RASK_DT_F64, 2, (int64_t[]){3, 4});
    operands[1] = counting(RASK_DT_F64, 1, (int64_t[]){4});
    operands[2] = counting(RASK_DT_I64, 2, (int64_t[]){3, 4});
    operands[3] = (rask_operand){.kind = RASK_OPERAND_F64, .as.f64 = 2.5};
    operands[4] = counting(RASK_DT_F32, 1, (int64_t[]){2});
}

static void end(void)
{
    rask_graph_free(g);
}

TestSuite(eval, .init = begin, .fini = end);

static rask_array *build(const char *text)
{
    return rask_eval_operands_at(g, text, names, operands, COUNT(operands), NULL, NULL, 0);
}

static void check_number(const char *text, double wanted)
{
    double value = 0;
    rask_array *array = build(text);
    cr_assert_not_null(array, "%s: %s", text, rask_graph_error(g));
    cr_assert_eq(rask_array_compute_out(array, NULL, RASK_OUT_F64, &value), RASK_OK, "%s: %s", text,
                 rask_graph_error(g));
    cr_expect_float_eq(value, wanted, 1e-12, "%s is %.17g, not %.17g", text, value, wanted);
}

static void check_type(const char *text, rask_dtype dtype, uint32_t ndim, const int64_t *shape)
{
    rask_array *array = build(text);
    cr_assert_not_null(array, "%s: %s", text, rask_graph_error(g));
    cr_expect_eq(rask_array_dtype(array), dtype, "%s is %s", text, rask_dtype_name(rask_array_dtype(array)));
    cr_assert_eq(rask_array_ndim(array), ndim, "%s has %u dimensions", text, rask_array_ndim(array));
    for (uint32_t i = 0; i < ndim; i++)
        cr_expect_eq(rask_array_shape(array)[i], shape[i], "%s: axis %u", text, i);
}

static void check_error(const char *text, int status, const char *message)
{
    cr_expect_null(build(text), "%s", text);
    cr_expect_eq(rask_graph_status(g), status, "%s: %s", text, rask_status_name(rask_graph_status(g)));
    cr_expect_str_eq(rask_graph_error(g), message, "%s: %s", text, rask_graph_error(g));
    end();
    begin();
}

/* The place, and how the message goes on. */
static void check_place(const char *text, const char *place)
{
    cr_expect_null(build(text), "%s", text);
    cr_expect_eq(strncmp(rask_graph_error(g), place, strlen(place)), 0, "%s: %s", text, rask_graph_error(g));
    end();
    begin();
}

Test(eval, the_first_example_of_the_manual)
{
    double sum = 0;
    for (int row = 0; row < 3; row++)
        for (int k = 0; k < 4; k++)
            sum += pow((row * 4 + k) * 2.5 + k, 2);
    check_number("mean((a * 2.5 + b) ** 2)", sum / 12);
    check_number("m = mean(a, axis=0); sum(a - m)", 0);
}

Test(eval, names_mean_arrays_and_weak_numbers)
{
    check_type("x * n", RASK_DT_F32, 1, (int64_t[]){2});
    check_type("x * 2", RASK_DT_F32, 1, (int64_t[]){2});
    check_type("x * float64(n)", RASK_DT_F64, 1, (int64_t[]){2});
    check_type("i * n", RASK_DT_F64, 2, (int64_t[]){3, 4});
    check_type("i + True", RASK_DT_I64, 2, (int64_t[]){3, 4});
    check_type("x * 2j", RASK_DT_C64, 1, (int64_t[]){2});
    check_number("n * 2", 5);
}

Test(eval, what_the_text_assigns_hides_what_was_there)
{
    check_number("a = 3; a * a", 9);
    check_number("sum = 4; sum + 1", 5);
    check_number("pi = 3; np.pi - pi + 3", M_PI);
    check_number("k = 1; k = k + 1; k", 2);
}

Test(eval, shapes_are_values)
{
    check_type("a.reshape(a.shape[1], -1)", RASK_DT_F64, 2, (int64_t[]){4, 3});
    check_type("zeros(a.shape + (2,))", RASK_DT_F64, 3, (int64_t[]){3, 4, 2});
    check_type("zeros(a.shape[::-1])", RASK_DT_F64, 2, (int64_t[]){4, 3});
    check_type("a.shape", RASK_DT_I64, 1, (int64_t[]){2});
    check_number("a.size * a.ndim + len(a) + a.itemsize", 35);
}

Test(eval, dtypes_are_values)
{
    check_type("a.astype(x.dtype)", RASK_DT_F32, 2, (int64_t[]){3, 4});
    check_type("a.astype('i2')", RASK_DT_I16, 2, (int64_t[]){3, 4});
    check_type("np.uint8(a)", RASK_DT_U8, 2, (int64_t[]){3, 4});
    check_type("zeros(2, dtype=complex64)", RASK_DT_C64, 1, (int64_t[]){2});
    check_type("sum(x, dtype=float)", RASK_DT_F64, 0, NULL);
}

Test(eval, subscripts_follow_numpy)
{
    check_type("a[1:, None, ::2]", RASK_DT_F64, 3, (int64_t[]){2, 1, 2});
    check_type("a[..., -1]", RASK_DT_F64, 1, (int64_t[]){3});
    check_type("a[[0, 2]]", RASK_DT_F64, 2, (int64_t[]){2, 4});
    check_type("a[:, [[0], [2], [1]]]", RASK_DT_F64, 3, (int64_t[]){3, 3, 1});
    check_type("zeros((2, 3, 4))[0, :, [1, 2]]", RASK_DT_F64, 2, (int64_t[]){2, 3});
    check_type("zeros((2, 3, 4))[:, 0, [1, 2]]", RASK_DT_F64, 2, (int64_t[]){2, 2});
    check_type("a[[]]", RASK_DT_F64, 2, (int64_t[]){0, 4});
    check_type("a[(1, 2)]", RASK_DT_F64, 0, NULL);
    check_type("b[b > 0]", RASK_DT_F64, 1, (int64_t[]){3});
    check_type("a[a > 5]", RASK_DT_F64, 1, (int64_t[]){6});
}

Test(eval, the_place_of_a_builders_failure_is_the_operator)
{
    check_place("2 * a + ones(5)", "1:7: rask_array_add: shapes (3, 4) and (5,)");
    check_place("a\\\n", "1:2: ");
    check_place("b +\n\n\nones(5)", "1:4: an expression expected");
    check_place("(b +\n\n\nones(5))", "1:4: rask_array_add");
    check_place("m = 1\n a @ a", "2:4: rask_array_matmul");
    check_place("a.sum(axis=2)", "1:3: ");
    check_place("sum(a, axis=2)", "1:1: ");
    check_place("1 + a[3]", "1:6: ");
    check_place("a & 1", "1:3: ");
    check_place("uint8([1]) + 300", "1:12: ");
    check_place("# \xc3\xa9\xc3\xa9\n'\xc3\xa9\xc3\xa9' + a", "2:6: ");
}

Test(eval, the_callers_line_stands_before_the_place)
{
    const char *name = "a";
    rask_array *array = operands[0].as.array;
    cr_expect_null(rask_eval_at(g, "a + ones(5)", &name, &array, 1, "prog.c", 7));
    cr_expect_eq(strncmp(rask_graph_error(g), "prog.c:7: 1:3: rask_array_add: ", 31), 0, "%s",
                 rask_graph_error(g));
}

Test(eval, arguments_are_checked)
{
    check_error("mean()", RASK_EINVAL, "1:1: mean() needs argument \"a\"");
    check_error("sum(a, axes=1)", RASK_ENOENT, "1:8: sum() takes no argument \"axes\"");
    check_error("sum(a, axis=1, axis=2)", RASK_EEXIST, "1:16: argument \"axis\" is given twice");
    check_error("sum(a, 0, axis=1)", RASK_EEXIST, "1:11: argument \"axis\" is given twice");
    check_error("sqrt(a, b)", RASK_EINVAL, "1:9: sqrt() takes at most 1 argument");
    check_error("sum(a, axis='x')", RASK_ETYPE,
                "1:13: an integer or a tuple of integers expected, not a string");
    check_error("sum(a, keepdims=2.5)", RASK_ETYPE, "1:17: True or False expected, not a float");
    check_error("a.astype('q9')", RASK_EINVAL, "1:10: no such dtype: \"q9\"");
    check_error("pad(a, 1, 'what')", RASK_EUNSUPPORTED,
                "1:11: constant, edge, reflect, symmetric or wrap expected");
    check_error("sum(axis=0)", RASK_EINVAL, "1:1: sum() needs argument \"a\"");
}

Test(eval, unknown_names_get_a_suggestion)
{
    check_error("maen(a)", RASK_ENOENT, "1:1: unknown name \"maen\": did you mean \"mean\"?");
    check_error("np.linalg.nrom(a)", RASK_ENOENT, "1:11: unknown function \"nrom\": did you mean \"norm\"?");
    check_error("a.reshap(2, 6)", RASK_ENOENT,
                "1:3: unknown attribute of arrays \"reshap\": did you mean \"reshape\"?");
    check_error("total = 1; totl", RASK_ENOENT, "1:12: unknown name \"totl\": did you mean \"total\"?");
    check_error("a.astype(f4)", RASK_ENOENT, "1:10: unknown name \"f4\": did you mean 'f4', in quotes?");
    check_error("xyzzyplugh", RASK_ENOENT, "1:1: unknown name \"xyzzyplugh\"");
}

Test(eval, kinds_that_do_not_go_together)
{
    check_error("[1, 2] * 2", RASK_ETYPE,
                "1:8: '*' does not go with a list and an integer: write array([1, 2])");
    check_error("2 - (7, [']', 8])", RASK_ETYPE,
                "1:3: '-' does not go with an integer and a tuple: write array((7, [']', 8]))");
    check_error(
        "l = [1, 2]; l * 2", RASK_ETYPE,
        "1:15: '*' does not go with a list and an integer: write array(\xe2\x80\xa6), with the list in it");
    check_error("'a' + 1", RASK_ETYPE, "1:5: '+' does not go with a string and an integer");
    check_error("-sum", RASK_ETYPE, "1:1: '-' does not go with a function");
    check_error("a(1)", RASK_ETYPE, "1:1: an array is no function");
    check_error("2[0]", RASK_ETYPE, "1:2: an integer takes no subscripts");
    check_error("a[1.5]", RASK_ETYPE,
                "1:3: a float is no subscript: an integer, a slice, None, ... or an array is");
    check_error("a[..., ...]", RASK_EINVAL, "1:8: only one subscript may be ...");
    check_error("a[[True, False, True], [1]]", RASK_EUNSUPPORTED,
                "1:3: a mask is the only subscript that is an array");
    check_error("np", RASK_ETYPE, "1:1: an array expected, not a module");
    check_error("sum", RASK_ETYPE, "1:1: sum is a function: call it, as in sum(\xe2\x80\xa6)");
    check_error("x.dtype", RASK_ETYPE, "1:3: this gives the dtype float32, not an array");
    check_error("divmod(i, 2)", RASK_ETYPE,
                "1:1: this gives 2 arrays: take one of them, such as the first by [0]");
}

Test(eval, two_numbers_are_pythons)
{
    check_number("7 // 2", 3);
    check_number("-7 // 2", -4);
    check_number("-7 % 3", 2);
    check_number("7 % -3", -2);
    check_number("-7.5 % 2", 0.5);
    check_number("7.5 // -2", -4);
    check_number("2 ** -1", 0.5);
    check_number("2 ** 62 - 1 + 2 ** 62", 9223372036854775807.);
    check_number("True + True", 2);
    check_number("(-1) ** 3", -1);
    check_number("1 << 4 | 3", 19);
    check_number("-1 >> 70", -1);
    check_error("1 / 0", RASK_EINVAL, "1:3: division by zero");
    check_error("1.5 % 0", RASK_EINVAL, "1:5: division by zero");
    check_error("2 ** 64", RASK_ERANGE, "1:3: an integer of more than 64 bits comes out");
    check_error("3 ** 10000000", RASK_ERANGE, "1:3: an integer of more than 64 bits comes out");
    check_error("18446744073709551615 * 18446744073709551615", RASK_ERANGE,
                "1:22: an integer of more than 64 bits comes out");
    check_error("1 << 10000", RASK_ERANGE, "1:3: an integer of more than 64 bits comes out");
    check_error("1 << -1", RASK_EINVAL, "1:3: a shift by a negative number");
    check_error("10.0 ** 400", RASK_ERANGE, "1:6: a number too large for a float comes out");
    check_error("1j < 2", RASK_ETYPE, "1:4: '<' is not defined for complex numbers");
    check_error("1.5 & 1", RASK_ETYPE, "1:5: '&' is not defined for floats");
}

Test(eval, lists_that_are_too_much)
{
    check_error("array([[1, 2], [3]])", RASK_EINVAL, "1:16: lists of one length expected: 2 elements");
    check_error("array([1, 'x'])", RASK_ETYPE, "1:11: a number or an array expected, not a string");
    check_error("array([18446744073709551615, -1])", RASK_ERANGE,
                "1:30: a negative integer beside one of more than 63 bits");
    char text[4000] = "l = [1, 1, 1, 1, 1, 1, 1, 1];";
    for (int i = 0; i < 15; i++)
        strcat(text, "l = [l, l, l, l, l, l, l, l];");
    check_place(strcat(text, "array(l)"), "1:");
    strcpy(text, "l = [1];");
    for (int i = 0; i < 200; i++)
        strcat(text, "l = [l];");
    check_place(strcat(text, "array(l)"), "1:");
    strcpy(text, "l = [1];");
    for (int i = 0; i < 60; i++)
        strcat(text, "l = l + l;");
    check_place(strcat(text, "array(l)"), "1:");
}

Test(eval, functions_in_its_own_words_fail_at_the_call)
{
    check_number("1 + linalg.cond(eye(3) * 2)", 2);
    check_number("x = 5; m = 2; cov(a)[0, 0] + x * m", 10 + 5.0 / 3);
    check_error("1 + cov(a, rowvar='no')", RASK_ETYPE, "1:5: an integer expected, not a string");
    check_number("a[1:2, 2:3].item() + sum(random.rand(2, 3, seed=4) - random.random((2, 3), seed=4))", 6);
    check_error("a.item()", RASK_EINVAL, "1:3: item() of shape (3, 4): one element expected");
    check_error("a + det(a)", RASK_EINVAL, "1:9: a square matrix expected, not shape (3, 4)");
    check_error(
        "append(a, x, axis=0)", RASK_EINVAL,
        "1:1: rask_array_concatenate: array 0 has shape (3, 4) and array 1 has (2,): not as many axes");
    check_error("a.det()", RASK_ENOENT, "1:3: unknown attribute of arrays \"det\": did you mean \"dot\"?");
    check_error("a.sort()", RASK_ENOENT, "1:3: sort is a function here, and no method: write sort(…)");
    check_error("where(a, 1)", RASK_EINVAL, "1:7: where() takes both x and y, or neither");
    check_error("geomspace(1, 0.0)", RASK_EINVAL, "1:14: 0 is in no geometric sequence");
    check_error("gradient(a)", RASK_EUNSUPPORTED, "1:10: of 2 dimensions along one axis only: axis=0");
}

Test(eval, several_arrays_are_subscripts_of_places)
{
    check_number("sum(a[[0, -1], [1, 3]])", 1 + 11);
    check_type("a[[[0], [1]], [1, 2, 3]]", RASK_DT_F64, 2, (int64_t[]){2, 3});
    check_error("a[[0, 1], [1, 4]]", RASK_ERANGE, "1:15: index 4 is out of bounds for axis 1 of 4 elements");
    check_error("a[None, [0, -4], ..., [1, 3]]", RASK_ERANGE,
                "1:13: index -4 is out of bounds for axis 0 of 3 elements");
    rask_array *outside = build("a[[0, 1], arange(1, 7, 3)]");
    rask_block block = {0};
    cr_expect_eq(rask_array_compute(&outside, 1, NULL, &block), RASK_ERANGE);
    cr_expect_not_null(strstr(rask_graph_error(g), "index 12, at place 1, is out of bounds"), "%s",
                       rask_graph_error(g));
}

Test(eval, random_numbers_differ_between_calls_and_not_between_runs)
{
    check_number("sum(abs(random.normal(size=9) - random.normal(size=9))) > 0", 1);
    check_number("sum(abs(random.normal(size=9, seed=5) - random.normal(size=9, seed=5)))", 0);
    check_error("random.uniform(size=3, seed=-1)", RASK_EINVAL, "1:29: a seed is 0 or more, not -1");
    double first, again;
    cr_assert_eq(rask_array_compute_out(build("sum(random.random(100))"), NULL, RASK_OUT_F64, &first),
                 RASK_OK);
    cr_assert_eq(rask_array_compute_out(build("sum(random.random(100))"), NULL, RASK_OUT_F64, &again),
                 RASK_OK);
    cr_expect_eq(first, again);
}

Test(eval, a_graph_in_error_builds_nothing)
{
    cr_expect_null(build("a +"));
    cr_expect_null(build("a"));
    cr_expect_str_eq(rask_graph_error(g), "1:4: an expression expected, not the end");
    cr_expect_null(rask_eval_at(NULL, "1", NULL, NULL, 0, NULL, 0));
}

Test(eval, arguments_of_the_call_itself)
{
    const char *name = NULL;
    cr_expect_null(rask_eval_at(g, NULL, NULL, NULL, 0, NULL, 0));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
    end();
    begin();
    cr_expect_null(rask_eval_at(g, "1", &name, &operands[0].as.array, 1, NULL, 0));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
    end();
    begin();
    cr_expect_null(rask_eval_at(g, "1", names, NULL, 1, NULL, 0));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
}

Test(eval, a_module_that_is_called_names_its_function)
{
    check_error("fft(x)", RASK_ETYPE, "1:1: fft is a module: did you mean fft.fft?");
    check_error("linalg(x)", RASK_ETYPE, "1:1: a module is no function");
}

Test(eval, results_that_numpy_has_in_floats)
{
    check_type("fabs(i)", RASK_DT_F64, 2, (int64_t[]){3, 4});
    check_type("fabs(a > 1)", RASK_DT_F32, 2, (int64_t[]){3, 4}); /* NumPy: float16, which there is not */
    check_type("fabs(x)", RASK_DT_F32, 1, (int64_t[]){2});
    check_error("fabs(x * 1j)", RASK_ETYPE, "1:8: fabs() of complex numbers: take abs()");
    check_type("linalg.norm(i, 1)", RASK_DT_F64, 0, NULL);
    check_type("linalg.norm(i, inf)", RASK_DT_F64, 0, NULL);
    check_number("linalg.norm(i, inf)", 38);
}

Test(eval, closeness_is_measured_in_floats)
{
    check_number("sum(isclose(a > 2, a > 3))", 11);
    check_number("sum(isclose(uint8([0, 255]), uint8([1, 0])))", 0);
    check_number("allclose(i, i)", 1);
}

Test(eval, bools_have_no_quantiles_but_a_median)
{
    check_place("quantile(a > 2, 0.5)", "1:1: rask_array_quantile: there is nothing between bools");
    check_place("nanpercentile(a > 2, 50)", "1:1: rask_array_nanquantile: there is nothing between bools");
    check_number("median(a > 2)", 1);
}
