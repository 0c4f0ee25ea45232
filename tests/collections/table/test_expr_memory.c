/* Expressions when there is no memory: compiling and evaluating end with RASK_ENOMEM and leave nothing behind. */
#include "collections/table/expr/expr.h"
#include "failing_allocator.h"

#include <string.h>

enum { ROWS = 300 };

static const char *const names[] = {"i", "f", "t", "d"};
static const rask_column_type types[] = {RASK_COL_I64, RASK_COL_F64, RASK_COL_TEXT, RASK_COL_DATE};
static int64_t i_values[ROWS], d_values[ROWS];
static double f_values[ROWS];
static rask_bytes t_values[ROWS];

static void make_values(void)
{
    for (int i = 0; i < ROWS; i++) {
        i_values[i] = d_values[i] = i;
        f_values[i] = i / 7.0;
        t_values[i] = (rask_bytes){"some text", (size_t)i % 9};
    }
}

static int evaluate(const rk_expr *e)
{
    const rk_column columns[] = {{.type = RASK_COL_I64, .i64 = i_values},
                                 {.type = RASK_COL_F64, .f64 = f_values},
                                 {.type = RASK_COL_TEXT, .text = t_values},
                                 {.type = RASK_COL_DATE, .i64 = d_values}};
    const rk_column *const places[] = {&columns[0], &columns[1], &columns[2], &columns[3]}, *out = NULL;
    rk_expr_run *run = NULL;
    uint64_t room = RK_EXPR_MEMO_BYTES;
    int status = rk_expr_run_new(e, &room, &run);
    for (int again = 0; !status && again < 2; again++)
        status = rk_expr_evaluate(e, run, places, ROWS, &out);
    cr_assert(status || out->type == rk_expr_type(e));
    rk_expr_run_free(run);
    return status;
}

static int compile_and_evaluate(const char *text)
{
    rk_syntax_error error;
    rk_expr *e = NULL;
    int status = rk_expr_compile(text, strlen(text), names, types, 4, &e, &error);
    cr_assert((status == RASK_OK) == (e != NULL));
    cr_assert(status == RASK_OK || status == RASK_ENOMEM, "%s", error.message);
    if (!status)
        status = evaluate(e);
    rk_expr_free(e);
    return status;
}

static int numbers(void)
{
    return compile_and_evaluate(
        "i * 2 > f + 1 and d - '2020-01-01' < 0 or i in (1, 2, 3, 4, 5, 6, 7, 8, 9, null)");
}

static int texts(void)
{
    return compile_and_evaluate("upper(replace(t + str(f) + str(i) + str(d), 's', \"two\" + 'words'))");
}

static int patterns(void)
{
    return compile_and_evaluate("if(matches(t, '^(a|s)'), extract(t, '(o)(m)', 2), extract('ab', 'a(b)'))");
}

TestSuite(expr_memory, .init = make_values);

Test(expr_memory, numbers_run_out_of_it)
{
    sweep(numbers, 0);
}

Test(expr_memory, text_runs_out_of_it)
{
    sweep(texts, 0);
}

Test(expr_memory, patterns_run_out_of_it)
{
    rk_syntax_error error;
    rk_expr *e;
    if (rk_expr_compile("matches(t, 'a')", 15, names, types, 4, &e, &error) == RASK_EUNSUPPORTED)
        cr_skip_test("no module rask-pcre2");
    rk_expr_free(e);
    sweep(patterns, 0);
}
