/* rask/exchange.h: columns as arrays, and arrays as columns or records. */
#ifndef RASK_EXCHANGE_H
#define RASK_EXCHANGE_H

#include <rask/array.h>
#include <rask/bag.h>
#include <rask/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A column of computed rows as an array of one axis: bool, int64 (also of dates, in days, and timestamps, in microseconds) or
 * float64, where the rows have it: nothing is copied, and the graph keeps the rows, which may be freed. The nulls of a float64
 * column, and those of one that has no value and no type of its own, become NaN, in a copy. RASK_ENOENT: no column of that name; RASK_ETYPE: it is string; RASK_ERANGE: nulls that are not
 * float64.
 *
 * There is no such call for tables: how many rows one has is known once it was computed, and an array has a shape at once. */
RASK_API rask_array *rask_rows_array_at(rask_graph *graph, rask_rows *rows, const char *column,
                                        const char *file, int line);
#define rask_rows_array(graph, rows, column) rask_rows_array_at(graph, rows, column, __FILE__, __LINE__)

/* A table whose columns are arrays of one axis, of one graph and equally long: bool, integers (int64) and floats (float64). As the
 * arrays, it is computed when something is asked of it, slice by slice, and only the columns that are needed. A uint64 over
 * 2^63 - 1 fails the run. RASK_EINVAL: another shape or graph, no arrays, two of one name; RASK_ETYPE: complex numbers;
 * RASK_EUNSUPPORTED: an array that is made of nodes. */
RASK_API rask_table *rask_table_from_arrays_at(rask_graph *graph, const char *const *names,
                                               rask_array *const *arrays, uint32_t count, const char *file,
                                               int line);
#define rask_table_from_arrays(graph, names, arrays, count)                                                  \
    rask_table_from_arrays_at(graph, names, arrays, count, __FILE__, __LINE__)

/* A bag with a record for each row of an array of two axes, which has 1 to RASK_MAX_FIELDS fields, or for each element of one of one
 * axis: "i" of bools and integers, "d" of floats, as many letters as there are columns. As the array, it is computed when something
 * is asked of it, some rows at a time. A uint64 over 2^63 - 1 fails the run with RASK_ERANGE and the record's number.
 * RASK_EINVAL: another number of axes or columns; RASK_ETYPE: complex numbers; RASK_EUNSUPPORTED: an array that is made of
 * nodes. */
RASK_API rask_bag *rask_bag_from_array_at(rask_array *array, const char *file, int line);
#define rask_bag_from_array(array) rask_bag_from_array_at(array, __FILE__, __LINE__)

#ifdef __cplusplus
}
#endif

#endif
