/* collections/table/memory_travel: tables that are not of CSV files, for other processes of a cluster.
 *
 * Values in memory go as they are read, whatever their layout was; files of Arrow's are opened there; columns that others make are
 * the plan's, and come to its tasks as their arguments. */
#ifndef RASK_COLLECTIONS_TABLE_MEMORY_TRAVEL_H
#define RASK_COLLECTIONS_TABLE_MEMORY_TRAVEL_H

#include "collections/files/elsewhere.h"
#include "collections/table/memory.h"

/* Appends an RK_TABLE_ROWS. RASK_OK; or with error RASK_EUNSUPPORTED: it is more than can go; RASK_ENOMEM. */
int rk_memory_table_put(const rask_table *table, rk_pack_out *out, rk_open_error *error);

/* The next one; NULL: the bytes are none (error is untouched), latched, or with RASK_EIO in error: files are not as the program saw
 * them. */
rask_table *rk_memory_table_get(rask_graph *graph, rk_pack_in *in, rk_open_error *error);

#endif
