/* collections/table/splitters: where to cut the values of a column so that ranges have about as many rows each. */
#ifndef RASK_COLLECTIONS_TABLE_SPLITTERS_H
#define RASK_COLLECTIONS_TABLE_SPLITTERS_H

#include "collections/table/lower.h"

/* Sets the splitters of a plan of RANGES over what sorted sorts, from samples of the files beneath: as many as are needed
 * for a range's rows to be sorted in a part of the budget. None where nothing is known. RASK_OK, or latched. */
int rk_splitters_choose(const rk_table_lowering *l, const rask_table *sorted, rk_table_sink_plan *plan);

/* The same of a plan of GROUPS over input, with keys: as many as are needed for a range's groups to be merged in a part of the
 * budget; none when there are few. */
int rk_splitters_group(const rk_table_lowering *l, rask_table *input, rk_table_sink_plan *plan);

#endif
