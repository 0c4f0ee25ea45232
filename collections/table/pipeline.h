/* collections/table/pipeline: operations row by row, as the task that reads runs them, batch by batch.
 *
 * Every column that is read or made has a slot. Only what the outputs and the filters need is read and made. */
#ifndef RASK_COLLECTIONS_TABLE_PIPELINE_H
#define RASK_COLLECTIONS_TABLE_PIPELINE_H

#include "collections/table/table.h"

/* A filter, or a new column. */
typedef struct rk_step {
    const rk_expr *expr;
    const uint32_t *slots; /* of the columns that expr may speak of; UINT32_MAX: it does not */
    uint32_t slot_count;
    uint32_t out; /* slot of the new column; UINT32_MAX: it filters */
} rk_step;

typedef struct rk_pipeline {
    rask_table *source; /* the first table beneath that is no PICK, WITH or FILTER */
    uint32_t wanted_count;
    uint32_t *wanted; /* columns of the source, ascending: what is to be read, in the batches' order */
    uint32_t slot_count;
    uint32_t step_count;
    rk_step *steps;
    uint32_t output_count;
    uint32_t *outputs; /* slots of the table's columns; UINT32_MAX: not needed */
} rk_pipeline;

/* The pipeline of a table for those of its columns that needed[] says (NULL: all). RASK_OK, RASK_ENOMEM. */
int rk_pipeline_init(rk_pipeline *p, rask_table *table, const bool *needed);
void rk_pipeline_fini(rk_pipeline *p); /* legal for a zeroed one */

/* One thread's memory. */
typedef struct rk_pipeline_run {
    const rk_pipeline *pipeline;
    rk_expr_run **runs;       /* of the steps */
    rk_column *slots;         /* as the steps left them */
    const rk_column **inputs; /* of one expression */
    const rk_column **outputs;
    uint32_t *chosen;
    uint32_t rows; /* that are left */
} rk_pipeline_run;

int rk_pipeline_run_init(rk_pipeline_run *run, const rk_pipeline *p);
void rk_pipeline_run_fini(rk_pipeline_run *run); /* legal for a zeroed one */

/* Takes a batch of the wanted columns, which it may write to; outputs and rows are what came of it, until the next call.
 * RASK_OK, RASK_ENOMEM. */
int rk_pipeline_take(rk_pipeline_run *run, rk_batch *batch);

/* Bytes that a run holds. */
uint64_t rk_pipeline_bytes(const rk_pipeline *p);

#endif
