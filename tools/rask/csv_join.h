/* Other files joined to the rows of `rask csv`. */
#ifndef RASK_TOOLS_CSV_JOIN_H
#define RASK_TOOLS_CSV_JOIN_H

#include "options.h"

#include <rask/table.h>

/* What the options say: the n-th of each belongs to the n-th file; where there is but one, to all of them. */
typedef struct csv_joins {
    option_texts files, on, how, types;
    const char *method;
} csv_joins;

/* What --how and --join-method can be, in the order of rask_join_how and rask_join_method, NULL at the end. */
extern const char *const csv_join_hows[], *const csv_join_methods[];

/* False, said: the options do not make sense. */
bool csv_joins_check(const tool_command *command, const csv_joins *joins);

/* The table with the files joined to it one after the other, which are read as read_as says but for the types. NULL: the
 * table's graph tells. */
rask_table *csv_joins_add(rask_table *table, const csv_joins *joins, const rask_csv_options *read_as);

#endif
