/* Rows as people read them: columns side by side, numbers to the right. */
#ifndef CSV_SHOW_H
#define CSV_SHOW_H

#include <rask/table.h>

/* Prints the first most rows, and a line that says so when there are more. False: no memory. */
bool csv_show_rows(const rask_rows *rows, uint64_t most);

/* Names and types. */
void csv_show_schema(const rask_table *table, bool json);

#endif
