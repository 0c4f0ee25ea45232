/* What tests of Arrow share: rows of all types, and tables as text. */
#ifndef RASK_TESTS_COLLECTIONS_TABLE_ARROW_ROWS_H
#define RASK_TESTS_COLLECTIONS_TABLE_ARROW_ROWS_H

#include "collections/table/arrow/file.h"

#include "../../failing_allocator.h"

#include <stdio.h>

/* Rows of a table over it as text: values with spaces between, null as ~. */
static inline const char *printed(rask_table *t)
{
    static char text[4096];
    rask_rows *rows = NULL;
    rask_column c;
    size_t at = 0;
    int status = rask_table_compute(t, NULL, &rows);
    cr_assert_eq(status, RASK_OK, "%s", t ? rask_graph_error(rask_table_graph(t)) : "no table");
    for (uint64_t r = 0; r < rask_rows_count(rows); r++)
        for (uint32_t k = 0; k < rask_rows_columns(rows) && at < sizeof text - 100; k++) {
            cr_assert_eq(rask_rows_column(rows, k, &c), RASK_OK);
            at += (size_t)sprintf(text + at, "%s", r || k ? " " : "");
            if (c.valid && !c.valid[r])
                at += (size_t)sprintf(text + at, "~");
            else if (c.type == RASK_COL_TEXT)
                at += (size_t)sprintf(text + at, "%.*s", (int)(c.as.offsets[r + 1] - c.as.offsets[r]),
                                      c.bytes + c.as.offsets[r]);
            else if (c.type == RASK_COL_F64)
                at += (size_t)sprintf(text + at, "%g", c.as.f64[r]);
            else
                at += (size_t)sprintf(text + at, "%lld",
                                      c.type == RASK_COL_BOOL ? (long long)c.as.boolean[r]
                                                              : (long long)c.as.i64[r]);
        }
    text[at] = 0;
    rask_rows_free(rows);
    return text;
}

static inline rask_rows *rows_of_all_types(rask_graph *g)
{
    static const uint8_t valid[] = {1, 0, 1, 1, 1, 1, 1, 1, 1}, bools[] = {1, 0, 0, 1, 0, 0, 0, 0, 1};
    static const int64_t numbers_of[] = {1, 0, -3, 4, 5, 6, 7, 8, 9};
    static const double reals[] = {0.5, 0, -1, 2, 3, 4, 5, 6, 7};
    static const uint64_t ends[] = {0, 1, 1, 3, 4, 5, 6, 7, 8, 9};
    const rask_column columns[] = {
        {.name = "b", .type = RASK_COL_BOOL, .as.boolean = bools, .valid = valid},
        {.name = "i", .type = RASK_COL_I64, .as.i64 = numbers_of, .valid = valid},
        {.name = "f", .type = RASK_COL_F64, .as.f64 = reals},
        {.name = "d", .type = RASK_COL_DATE, .as.i64 = numbers_of},
        {.name = "t", .type = RASK_COL_TIMESTAMP, .as.i64 = numbers_of, .valid = valid},
        {.name = "s", .type = RASK_COL_TEXT, .as.offsets = ends, .bytes = "abcdefghi", .valid = valid},
    };
    rask_rows *rows = NULL;
    rask_table *t = rask_table_from_columns(g, columns, 6, 9);
    return rask_table_compute(t, NULL, &rows) ? NULL : rows;
}

#endif
