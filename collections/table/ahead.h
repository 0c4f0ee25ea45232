/* collections/table/ahead: a file that can only be read from its beginning to its end, as blocks of whole records.
 *
 * A stream and most compressed files are such. One task after the other reads, or decompresses, the next block; another
 * task for each block parses it, so that the next one is made meanwhile. How many blocks there are nobody knows before:
 * where the text ends early the last ones are empty, and the last of all reads whatever is left. */
#ifndef RASK_COLLECTIONS_TABLE_AHEAD_H
#define RASK_COLLECTIONS_TABLE_AHEAD_H

#include "collections/table/intake.h"
#include "core/graph/graph.h"

typedef struct rk_ahead rk_ahead;

/* For part number of the job, which has blocks; it lives as long as the graph. NULL, latched. */
rk_ahead *rk_ahead_new(rask_graph *graph, const rk_scan_job *job, uint32_t number);

/* The next block, to be called for each of the part's: the list of its head (scan.h), which begins where the block before
 * ended, and of its values; where the part has lanes, nothing to look at. scratch, result: as of rk_scan_lower(). NULL,
 * latched. */
rask_node *rk_ahead_lower(rk_ahead *ahead, uint64_t scratch, uint64_t result);

/* Behind all blocks: such a list for lane number of the part, whose text is all right. NULL, latched. */
rask_node *rk_ahead_end(rk_ahead *ahead, uint32_t number, uint64_t result);

#endif
