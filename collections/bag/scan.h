/* collections/bag/scan: what a task does: records of a part, or of a chunk, through steps into a sink. */
#ifndef RASK_COLLECTIONS_BAG_SCAN_H
#define RASK_COLLECTIONS_BAG_SCAN_H

#include "collections/bag/run.h"
#include "collections/bag/text.h"
#include "collections/text/parts.h"

/* What lines of text go to the steps, or to the sink, as. */
typedef enum rk_bag_grain {
    RK_BAG_RECORDS, /* one by one */
    RK_BAG_BLOCKS,  /* many at once, for a first step that knows */
    RK_BAG_LINES,   /* many at once, for a sink that knows: there are no steps */
    RK_BAG_WORDS,   /* the same, and the only step would make their words */
} rk_bag_grain;

/* Records begin … end - 1 of memory. */
typedef struct rk_bag_slice {
    uint64_t begin, end;
} rk_bag_slice;

/* What all tasks of a stage share. Belongs to the graph that their nodes are in. */
typedef struct rk_bag_job {
    rask_bag
        *source; /* TEXT, HELD, RANGE; PARTS: of whose input there are chunks; else it is the chunks' own */
    const rk_bag_step **steps;
    uint32_t step_count;
    rk_bag_sink_plan sink;
    rk_bag_grain grain;
    rk_text_parts text;  /* of TEXT */
    rk_bag_slice *parts; /* of HELD, RANGE */
    uint32_t part_count; /* of either */
} rk_bag_job;

/* Nodes of the sink's values, rk_bag_sink_values() of them, go to nodes. scratch: bytes that the task uses beside its result;
 * result: bytes of that, about; 0: not known. RASK_OK, or latched.
 * Of parts first … last of the job: */
int rk_bag_scan_parts(rask_graph *graph, const rk_bag_job *job, uint32_t first, uint32_t last,
                      uint64_t scratch, uint64_t result, rask_node **nodes);
/* Of a chunk; number: a node with the number of its first record, NULL: nobody asks. */
int rk_bag_scan_chunk(rask_graph *graph, const rk_bag_job *job, rask_node *chunk, rask_node *number,
                      uint64_t scratch, uint64_t result, rask_node **nodes);

/* The number of the first record behind a chunk, when that of the chunk's own first is before (NULL: 0). NULL, latched. */
rask_node *rk_bag_scan_number(rask_graph *graph, rask_node *before, rask_node *chunk);

/* Bytes that a task uses while it reads, beside what its sink keeps. */
uint64_t rk_bag_scan_bytes(const rk_bag_job *job);

#endif
