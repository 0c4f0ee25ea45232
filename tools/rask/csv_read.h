/* The files of a table, as rask csv reads them: CSV, or Arrow files, which are known by what the first begins with. */
#ifndef CSV_READ_H
#define CSV_READ_H

#include <rask/table.h>

/* NULL, latched in the graph. */
rask_table *csv_read(rask_graph *graph, const char *const *paths, size_t count, const rask_csv_options *csv);

#endif
