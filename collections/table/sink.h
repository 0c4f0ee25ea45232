/* collections/table/sink: what becomes of the rows that a task's pipeline lets through: kept, printed, counted, grouped,
 * or only the first ones of an order. Each task has a sink of its own, whose value others merge. */
#ifndef RASK_COLLECTIONS_TABLE_SINK_H
#define RASK_COLLECTIONS_TABLE_SINK_H

#include "collections/table/chunk.h"
#include "collections/table/pipeline.h"
#include "collections/table/print.h"

typedef enum rk_table_sink_kind {
    RK_SINK_CHUNK,  /* a chunk (chunk.h) */
    RK_SINK_RANGES, /* chunks, one for each range of an order's first column */
    RK_SINK_TEXT,   /* bytes as a file has them, without a header */
    RK_SINK_GROUPS, /* packed groups (groups.h) */
    RK_SINK_TOP,    /* the packed first rows of an order (order.h) */
} rk_table_sink_kind;

/* What all tasks of a stage do; immutable. */
typedef struct rk_table_sink_plan {
    rk_table_sink_kind kind;
    const rk_schema *schema; /* of the pipeline's outputs */
    const rk_schema *result; /* GROUPS, TOP: of what comes of the merged ones */
    uint64_t limit;          /* CHUNK, TEXT: rows of a task that are enough; TOP: rows to keep */
    rk_print_format format;  /* TEXT */
    char delimiter;          /* TEXT */
    int (*flush)(void *writer, const char *text,
                 size_t len); /* TEXT: takes some before the end; a status; NULL: no */
    void *writer;
    const rk_grouping *grouping; /* GROUPS */
    uint64_t seed;               /* GROUPS */
    const rk_order *keys;        /* RANGES, TOP: by number of output */
    uint32_t key_count;
    const uint64_t
        *splitters; /* RANGES, GROUPS: ranks of the first key at which all but the first value begin */
    uint32_t splitter_count;
} rk_table_sink_plan;

struct rk_groups;
struct rk_top;

typedef struct rk_table_sink {
    const rk_table_sink_plan *plan;
    uint64_t rows;              /* taken */
    rk_chunk_builder *builders; /* CHUNK, RANGES */
    uint32_t builder_count;
    uint32_t *chosen; /* RANGES */
    rk_array text;
    struct rk_groups *groups;
    struct rk_top *top;
    rk_column *views;   /* TOP: the outputs side by side */
    rk_expr_run **runs; /* of the aggregates' arguments */
    const rk_column **keys, **arguments;
} rk_table_sink;

/* RASK_OK, RASK_ENOMEM. */
int rk_table_sink_init(rk_table_sink *sink, const rk_table_sink_plan *plan);
void rk_table_sink_fini(rk_table_sink *sink); /* legal for a zeroed one */

/* Takes rows that a pipeline made, the first of which is number position of all: order within ties goes by it. */
int rk_table_sink_add(rk_table_sink *sink, const rk_pipeline_run *run, uint64_t position);
/* No more rows are needed. */
bool rk_table_sink_is_full(const rk_table_sink *sink);
/* Values that a sink of this plan ends with. */
uint32_t rk_table_sink_values(const rk_table_sink_plan *plan);
/* They are the caller's; on failure there are none. */
int rk_table_sink_end(rk_table_sink *sink, rask_value *values);

/* Which of the outputs a sink of this plan looks at: needed[0 … outputs - 1] is set. */
void rk_table_sink_needs(const rk_table_sink_plan *plan, bool *needed);

/* Groups as the sink makes them. NULL: *status says why. */
struct rk_groups *rk_table_sink_new_groups(const rk_table_sink_plan *plan, int *status);

#endif
