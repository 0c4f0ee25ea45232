/* collections/table/stage: a chunk, or rows of memory, through a pipeline into a sink, in one task. */
#ifndef RASK_COLLECTIONS_TABLE_STAGE_H
#define RASK_COLLECTIONS_TABLE_STAGE_H

#include "collections/table/lower.h"
#include "collections/table/memory.h"
#include "collections/table/scan.h"

/* The sink's values of chunk number number, whose node is chunk, go to nodes[0 … rk_table_sink_values() - 1]. The job belongs
 * to the lowering. kept: bytes of the values together, about; 0: not known. RASK_OK, or latched. */
int rk_stage_lower(rask_graph *graph, rk_scan_job *job, uint32_t number, rask_node *chunk, uint64_t kept,
                   rask_node **nodes);

/* The same of the rows of chunks, chunks->bytes of them together, in the order of plan's keys; plan lives as long as the graph. */
int rk_stage_lower_sorted(rask_graph *graph, rk_scan_job *job, uint32_t number,
                          const rk_table_sink_plan *plan, const rk_nodes *chunks, uint64_t kept,
                          rask_node **nodes);

/* The same of a slice of the memory that the job's pipeline begins with; begun: of its feed, if it has one. */
int rk_stage_lower_memory(rask_graph *graph, rk_scan_job *job, uint32_t number, const rk_memory_slice *slice,
                          void *begun, uint64_t kept, rask_node **nodes);

#endif
