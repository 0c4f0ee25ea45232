/* A table's file of four columns, in a folder of the test's own, and how tests read it. */
#ifndef RASK_TESTS_TABLE_SUPPORT_H
#define RASK_TESTS_TABLE_SUPPORT_H

#include "../../failing_allocator.h"
#include "../../folder.h"

#include <stdio.h>
#include <string.h>

static inline void enter(void)
{
    enter_folder(".csv", "name,amount,qty,day\n"
                         "ann,10.5,2,2024-01-31\n"
                         "bob,3,,2024-02-01\n"
                         "ann,7.25,4,\n"
                         "\"\",-1,1,2024-02-01\n");
}

static inline rask_table *read_blocks(rask_graph *g, uint64_t bytes)
{
    rask_csv_options csv = RASK_CSV_OPTIONS_INIT;
    csv.block_bytes = bytes;
    return rask_read_csv(g, path, &csv);
}

static inline rask_column column_of(const rask_rows *rows, uint32_t index)
{
    rask_column column;
    cr_assert_eq(rask_rows_column(rows, index, &column), RASK_OK);
    return column;
}

static inline void expect_text(const rask_column *c, uint64_t row, const char *text)
{
    uint64_t from = c->as.offsets[row], len = c->as.offsets[row + 1] - from;
    cr_assert(len == strlen(text) && memcmp(c->bytes + from, text, len) == 0, "%.*s is not %s", (int)len,
              c->bytes + from, text);
}

static inline rask_table *read_both(rask_graph *g, const char *first, const char *second,
                                    const rask_csv_options *options)
{
    write_text(path, first);
    write_text(other, second);
    return rask_read_csv_files(g, ((const char *const[]){path, other}), 2, options);
}

#endif
