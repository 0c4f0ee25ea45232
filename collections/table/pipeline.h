/* collections/table/pipeline: operations row by row, as the task that reads runs them, batch by batch.
 *
 * Every column that is read or made has a slot. Only what the outputs and the filters need is read and made. */
#ifndef RASK_COLLECTIONS_TABLE_PIPELINE_H
#define RASK_COLLECTIONS_TABLE_PIPELINE_H

#include "collections/table/table.h"

struct rk_probe;

/* Rows meet those of another table, which wait in memory by key. */
typedef struct rk_join_step {
    const rk_join *join;
    uint32_t number; /* of it among the pipeline's joins */
    uint32_t *keys;  /* slots */
    uint32_t
        *payload; /* columns of the other table that are needed, ascending; and the slots that they go to */
    uint32_t *slots;
    uint32_t payload_count;
    uint32_t *live; /* slots from before that are needed behind */
    uint32_t live_count;
} rk_join_step;

/* A filter, a new column, or a join. */
typedef struct rk_step {
    rk_join_step *join; /* NULL: it is none, else nothing of the following counts */
    const rk_expr *expr;
    const uint32_t *slots; /* of the columns that expr may speak of; UINT32_MAX: it does not */
    uint32_t slot_count;
    uint32_t out;     /* slot of the new column; UINT32_MAX: it filters */
    const char *name; /* of the new column */
} rk_step;

typedef struct rk_pipeline {
    rask_table *source; /* the first table beneath that is no PICK, WITH, FILTER or small JOIN */
    uint32_t wanted_count;
    uint32_t *wanted; /* columns of the source, ascending: what is to be read, in the batches' order */
    uint32_t slot_count;
    uint32_t step_count, early; /* early: the first so many steps need no late column */
    rk_step *steps;
    uint32_t join_count; /* of the steps */
    uint64_t seed;       /* of their keys */
    uint64_t memo_room;  /* that expressions of a run share; the caller's, 0: none */
    bool *late; /* of the wanted columns: nobody needs them before the rows are chosen; NULL: none is */
    uint32_t output_count;
    uint32_t *outputs; /* slots of the table's columns; UINT32_MAX: not needed */
} rk_pipeline;

/* The first table beneath that is no step of a table's pipeline. */
rask_table *rk_pipeline_source(rask_table *table, uint64_t room);

/* The pipeline of a table for those of its columns that needed[] says (NULL: all). room: bytes of text that the other table
 * of a join may be of to be a step. RASK_OK, RASK_ENOMEM. */
int rk_pipeline_init(rk_pipeline *p, rask_table *table, const bool *needed, uint64_t room);
void rk_pipeline_fini(rk_pipeline *p); /* legal for a zeroed one */

/* The column of the chunks that a source makes which is number i of the wanted ones: joins and distinct rows are made of
 * these alone. */
static inline uint32_t rk_pipeline_column(const rk_pipeline *p, uint32_t i)
{
    bool alone = p->source->kind == RK_TABLE_JOIN || p->source->kind == RK_TABLE_DISTINCT;
    return alone ? i : p->wanted[i];
}

/* Decides which wanted columns are late: those that neither a filter needs nor output first (UINT32_MAX: none), by which a sink
 * chooses rows. A value of theirs that does not fit its type is an error of the rows that were chosen only. None is beside joins. Once. RASK_OK,
 * RASK_ENOMEM. */
int rk_pipeline_delay(rk_pipeline *p, uint32_t first);

/* One thread's memory. */
typedef struct rk_pipeline_run {
    const rk_pipeline *pipeline;
    rk_expr_run **runs;       /* of the steps */
    rk_column *slots;         /* as the steps left them */
    const rk_column **inputs; /* of one expression */
    const rk_column **outputs;
    uint32_t *chosen;
    uint32_t *origins;       /* the rows that are left, by number in the batch */
    struct rk_probe *probes; /* of the joins */
    uint64_t room;           /* of memo_room, what is left: the run stays where it is */
    uint32_t rows;           /* that are left */
    bool eager;              /* the caller's: no column of this batch is late */
} rk_pipeline_run;

/* others: for each join by its number the index of the other table (join/index.h), and the chunk that it is of, whose
 * first columns are the keys and the others the payload; they outlive the run. RASK_OK, RASK_ENOMEM. */
int rk_pipeline_run_init(rk_pipeline_run *run, const rk_pipeline *p, const rask_bytes *others);
void rk_pipeline_run_fini(rk_pipeline_run *run); /* legal for a zeroed one */

/* Takes a batch of the wanted columns, which it may write to; outputs and rows are what came of it first, until the next
 * call. RASK_OK, RASK_ENOMEM. */
int rk_pipeline_take(rk_pipeline_run *run, rk_batch *batch);
/* Whether more comes of the batch, and that. */
bool rk_pipeline_more(const rk_pipeline_run *run);
int rk_pipeline_next(rk_pipeline_run *run);

/* The same in three steps, while late columns are missing: up to the filters, after which outputs that need them mean nothing;
 * with only rows chosen[0 … count - 1] of those that are left, which ascend; and to the end, when the late columns of the
 * batch begin with the values of the rows that are left, which are origins. */
int rk_pipeline_begin(rk_pipeline_run *run, rk_batch *batch);
void rk_pipeline_choose(rk_pipeline_run *run, const uint32_t *chosen, uint32_t count);
int rk_pipeline_end(rk_pipeline_run *run, rk_batch *batch);

/* Bytes that a run holds. */
uint64_t rk_pipeline_bytes(const rk_pipeline *p);

#endif
