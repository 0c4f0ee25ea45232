/* collections/table/scan: a part of a file through a pipeline into a sink, in one task.
 *
 * A part has the records that begin in it. Where its first one begins can only be guessed: a newline may stand inside of
 * quotes. So a task that begins in the middle of a file says where it began and where its last record ended, and keeps
 * what is wrong with the text to itself; a second one, in the order of the parts, compares its beginning with the end
 * of the part before, and does the work again from there in the rare case that they differ. By induction from the
 * file's beginning all parts are right. */
#ifndef RASK_COLLECTIONS_TABLE_SCAN_H
#define RASK_COLLECTIONS_TABLE_SCAN_H

#include "collections/table/csv_source.h"
#include "collections/table/sink.h"

/* What all tasks of a stage that reads files share. Belongs to the lowering. */
typedef struct rk_scan_job {
    rk_csv_source *source;
    rk_pipeline pipeline;
    rk_table_sink_plan sink;
    rk_csv_part *parts;
    uint32_t part_count;
} rk_scan_job;

/* Nodes of the sinks' values, part by part: part_count times rk_table_sink_values() of them go to nodes. scratch: bytes that a
 * task uses beside its result, result: bytes of that, 0: not known. RASK_OK, or latched. */
int rk_scan_lower(rask_graph *graph, rk_scan_job *job, uint64_t scratch, uint64_t result, rask_node **nodes);

/* Bytes that reading a part takes. */
uint64_t rk_scan_bytes(const rk_scan_job *job);

#endif
