/* Any bytes as an expression on columns: it is evaluated or refused with a place, and nothing leaks. With replay.c a test
 * over the corpus; with clang's -fsanitize=fuzzer,address a fuzzer. */
#include "collections/table/expr/expr.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 3, COLUMNS = 7 };

static void evaluate(const rk_expr *e, const rk_column *const *columns)
{
    rk_expr_run *run = NULL;
    uint64_t room = RK_EXPR_MEMO_BYTES;
    const rk_column *out = NULL;
    int status = rk_expr_run_new(e, &room, &run);
    assert(!status);
    status = rk_expr_evaluate(e, run, columns, ROWS, &out);
    assert(!status || status == RASK_ELIMIT || status == RASK_ENOMEM);
    for (uint32_t i = 0; !status && out->nulls && i < ROWS; i++)
        assert(out->valid[i] <= 1);
    rk_expr_run_free(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[COLUMNS] = {"i", "f", "b", "t", "d", "s", "n"};
    static const rask_column_type types[COLUMNS] = {RASK_COL_I64,  RASK_COL_F64,  RASK_COL_BOOL,
                                                    RASK_COL_TEXT, RASK_COL_DATE, RASK_COL_TIMESTAMP,
                                                    RASK_COL_I64};
    int64_t i[ROWS] = {7, INT64_MIN, -1}, d[ROWS] = {18292, INT64_MAX, 0}, n[ROWS] = {1, 0, INT64_MAX};
    double f[ROWS] = {-0.5, 1e300, 0};
    uint8_t b[ROWS] = {1, 0, 1}, valid[ROWS] = {1, 0, 1};
    rask_bytes t[ROWS] = {{"Ann", 3}, {"\xc3\xa9\xff", 3}, {NULL, 0}};
    rk_column columns[COLUMNS] = {
        {.type = types[0], .i64 = i},
        {.type = types[1], .f64 = f},
        {.type = types[2], .boolean = b},
        {.type = types[3], .text = t},
        {.type = types[4], .i64 = d},
        {.type = types[5], .i64 = i},
        {.type = types[6], .i64 = n, .nulls = true, .valid = valid},
    };
    const rk_column *places[COLUMNS];
    for (int k = 0; k < COLUMNS; k++)
        places[k] = &columns[k];
    rk_expr *e = NULL;
    rk_syntax_error error;
    int status = rk_expr_compile((const char *)data, size, names, types, COLUMNS, &e, &error);
    assert(status == error.status && (!status || (error.at <= size && *error.message)));
    if (!status)
        evaluate(e, places);
    rk_expr_free(e);
    return 0;
}
