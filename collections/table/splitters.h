/* collections/table/splitters: where to cut the values of a column so that ranges have about as many rows each. */
#ifndef RASK_COLLECTIONS_TABLE_SPLITTERS_H
#define RASK_COLLECTIONS_TABLE_SPLITTERS_H

#include "collections/table/lower.h"

/* Sets the splitters of a plan of RANGES over what sorted sorts, from samples of the files beneath: as many as are needed
 * for a range's rows to be sorted in a part of the budget. None where nothing is known. *wanted: the ranges that there
 * should be. RASK_OK, or latched. */
int rk_splitters_choose(const rk_table_lowering *l, const rask_table *sorted, rk_table_sink_plan *plan,
                        uint32_t *wanted);

/* The same of a plan of GROUPS over input, with keys: as many as are needed for a range's groups to be merged in a part of the
 * budget; none when there are few. */
int rk_splitters_group(const rk_table_lowering *l, rask_table *input, rk_table_sink_plan *plan,
                       uint32_t *wanted);

/* How many different keys the rows of input have in these columns, about, from samples of the files beneath, the bytes of
 * a row, and those of the text that it comes of; where nothing is known: so many as there may be, and 0 bytes of text.
 * RASK_OK, or latched. */
int rk_splitters_different(const rk_table_lowering *l, rask_table *input, const uint32_t *keys,
                           uint32_t key_count, double *different, double *row_bytes, double *row_text);

/* Into how many parts to divide rows of so many bytes, each of which is put into a table, so that this takes a part of the
 * budget: one where they are few. */
uint32_t rk_splitters_parts(const rk_table_lowering *l, double bytes);

/* The same of a plan of SUMMARY over input, for each of its columns: as many for all as are needed for a range's values to be
 * sorted in a part of the budget. Also sets kept. */
int rk_splitters_summary(const rk_table_lowering *l, rask_table *input, rk_table_sink_plan *plan);

#endif
