/* collections/table/sink: what becomes of the rows that a task's pipeline lets through: kept, printed, counted, grouped,
 * or only the first ones of an order. Each task has a sink of its own, whose value others merge. */
#ifndef RASK_COLLECTIONS_TABLE_SINK_H
#define RASK_COLLECTIONS_TABLE_SINK_H

#include "collections/table/chunk.h"
#include "collections/table/join/index.h"
#include "collections/table/pipeline.h"
#include "collections/table/print.h"

#include <locale.h>

typedef enum rk_table_sink_kind {
    RK_SINK_CHUNK,    /* a chunk (chunk.h) */
    RK_SINK_RANGES,   /* chunks, one for each range of an order's first column */
    RK_SINK_PARTS,    /* chunks, one for each part of all hashes */
    RK_SINK_DISTINCT, /* the same of the first row of each key only */
    RK_SINK_TEXT,     /* bytes as a file has them, without a header: a block, whose memory is the sink's */
    RK_SINK_GROUPS,   /* packed groups (groups.h) */
    RK_SINK_TOP,      /* the packed first rows of an order (order.h) */
    RK_SINK_SUMMARY, /* entries by range (summary/summary.h), then counts of these, then packed groups when there are facts */
    RK_SINK_TYPES, /* an rk_csv_guess of each column, which is text */
} rk_table_sink_kind;

/* What all tasks of a stage do; immutable. */
typedef struct rk_table_sink_plan {
    rk_table_sink_kind kind;
    const rk_schema *schema; /* of the pipeline's outputs */
    const rk_schema *result; /* GROUPS, TOP: of what comes of the merged ones */
    uint64_t limit;          /* CHUNK, TEXT: rows of a task that are enough; TOP: rows to keep */
    uint64_t last;           /* CHUNK: rows of a task that are kept, the last ones; 0: all */
    rk_print_format format;  /* TEXT */
    char delimiter;          /* TEXT */
    int (*flush)(void *writer, const char *text,
                 size_t len); /* TEXT: takes some before the end; a status; NULL: no */
    void *writer;
    const rk_grouping *grouping; /* GROUPS */
    uint64_t seed;               /* GROUPS */
    uint64_t memo_room;          /* that the aggregates' arguments share (expr.h); 0: none */
    const rk_order *keys;        /* RANGES, TOP: by number of output */
    uint32_t key_count;
    struct rk_csv_source *source; /* TOP: whose values may be wrong; NULL: nobody's */
    const uint64_t
        *splitters; /* RANGES, GROUPS: ranks of the first key at which all but the first value begin */
    uint32_t splitter_count;
    uint32_t parts;         /* PARTS, DISTINCT: how many; GROUPS: when there are several, by hash */
    rk_join_by by;          /* PARTS, DISTINCT: how keys are compared */
    const uint32_t *hashed; /* PARTS, DISTINCT: the outputs that they are made of */
    bool positions;         /* PARTS, DISTINCT: the chunks have one more column, of the rows' positions */
    uint32_t dropped;       /* of the last columns of chunks when they are merged for the last time */
    const struct rk_summary
        *summary;   /* SUMMARY: whose splitters are those of all its columns, column by column */
    uint32_t slots; /* SUMMARY: of the table that values are counted in */
    double kept;    /* SUMMARY: bytes of entries for a byte of text, about */
    char quote;     /* TYPES: what no number and no date has in it; 0: nothing */
    double growth;  /* SUMMARY: bytes that sorting the entries of a range takes for a byte of them */
} rk_table_sink_plan;

struct rk_groups;
struct rk_spread;
struct rk_csv_guess;
struct rk_top;

typedef struct rk_table_sink {
    const rk_table_sink_plan *plan;
    uint64_t rows;            /* taken */
    uint64_t passed;          /* that rk_table_sink_pass() was given */
    rk_chunk_builder builder; /* CHUNK, RANGES, PARTS, DISTINCT */
    rk_array part;         /* RANGES, PARTS, DISTINCT: uint32_t, of each row in it, when there are several */
    uint32_t *chosen;      /* DISTINCT */
    rk_join_finder finder; /* PARTS */
    rk_keys seen;          /* DISTINCT */
    uint64_t *hashes;      /* PARTS, DISTINCT: of a batch */
    rk_column position;    /* PARTS, DISTINCT */
    const rk_column **columns; /* PARTS, DISTINCT: of the chunks */
    rk_array text;
    struct rk_groups *groups;
    struct rk_top *top;
    struct rk_spread *spread;
    struct rk_csv_guess *guesses; /* TYPES */
    locale_t locale;
    rk_column *views;        /* TOP: the outputs side by side */
    const rask_bytes *wrong; /* TOP: what the rows to add are errors for (top.h) */
    rk_expr_run **runs;      /* of the aggregates' arguments */
    uint64_t room;           /* of memo_room, what is left: the sink stays where it is */
    const rk_column **keys, **arguments;
} rk_table_sink;

/* RASK_OK, RASK_ENOMEM. */
int rk_table_sink_init(rk_table_sink *sink, const rk_table_sink_plan *plan);
void rk_table_sink_fini(rk_table_sink *sink); /* legal for a zeroed one */

/* Takes rows that a pipeline made, the first of which is number position of all: order within ties goes by it. */
int rk_table_sink_add(rk_table_sink *sink, const rk_pipeline_run *run, uint64_t position);
/* All that comes of what a pipeline took last; part: of all rows that it is of. RASK_OK, RASK_ENOMEM; RASK_ELIMIT: 2^32 rows have
 * come of a part. */
int rk_table_sink_pass(rk_table_sink *sink, rk_pipeline_run *run, uint64_t part);
/* Which of the rows of a pipeline that has not ended yet it may keep, by the output that rk_table_sink_first() says: they go to
 * chosen, which ascends. How many. */
uint32_t rk_table_sink_choose(const rk_table_sink *sink, const rk_pipeline_run *run, uint32_t *chosen);
/* The output that rows are chosen by; UINT32_MAX: all are taken. */
uint32_t rk_table_sink_first(const rk_table_sink_plan *plan);
/* No more rows are needed. */
bool rk_table_sink_is_full(const rk_table_sink *sink);
/* Values that a sink of this plan ends with. */
uint32_t rk_table_sink_values(const rk_table_sink_plan *plan);
/* Bytes that a sink of this plan takes before there are rows; 0: few. */
uint64_t rk_table_sink_bytes(const rk_table_sink_plan *plan);
/* So much of the input has come, a part of it from 0 to 1: makes room for what comes of the rest, if it comes at the same rate. May be
 * left out. */
void rk_table_sink_expect(rk_table_sink *sink, double part);
/* They are the caller's; on failure there are none. */
int rk_table_sink_end(rk_table_sink *sink, rask_value *values);
/* The bytes of such a value, valid as long as it. RASK_OK, RASK_ETYPE. */
int rk_table_sink_bytes_of(const rask_value *value, rask_bytes *out);
/* retry_if of tasks that give rows away (flush): the next call would give those before the failure once more. False. */
bool rk_table_sink_never_again(int status, uint32_t attempt);

/* Which of the outputs a sink of this plan looks at: needed[0 … outputs - 1] is set. */
void rk_table_sink_needs(const rk_table_sink_plan *plan, bool *needed);

/* Whether what comes of the sinks depends on the order of the rows. */
bool rk_table_sink_is_ordered(const rk_table_sink_plan *plan);

/* Groups as the sink makes them. NULL: *status says why. */
struct rk_groups *rk_table_sink_new_groups(const rk_table_sink_plan *plan, int *status);

#endif
