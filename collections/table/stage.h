/* collections/table/stage: a chunk through a pipeline into a sink, in one task. */
#ifndef RASK_COLLECTIONS_TABLE_STAGE_H
#define RASK_COLLECTIONS_TABLE_STAGE_H

#include "collections/table/scan.h"

/* The sink's values of chunk number number, whose node is chunk, go to nodes[0 … rk_table_sink_values() - 1]. The job belongs
 * to the lowering. kept: bytes of the values together, about; 0: not known. RASK_OK, or latched. */
int rk_stage_lower(rask_graph *graph, rk_scan_job *job, uint32_t number, rask_node *chunk, uint64_t kept,
                   rask_node **nodes);

/* Rows of a chunk, bytes, through a pipeline into a sink; number: of the chunk among others. RASK_OK, RASK_ENOMEM, RASK_ELIMIT. */
int rk_stage_run(const rk_pipeline *pipeline, rask_bytes bytes, uint64_t number, rk_table_sink *sink);

#endif
