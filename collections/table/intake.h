/* collections/table/intake: the records of a text through a pipeline into a sink: what every task does that reads files. */
#ifndef RASK_COLLECTIONS_TABLE_INTAKE_H
#define RASK_COLLECTIONS_TABLE_INTAKE_H

#include "collections/table/csv_source.h"
#include "collections/table/sink.h"

/* What all tasks of a stage that reads files share. Belongs to the lowering. */
typedef struct rk_scan_job {
    rk_csv_source *source;
    rk_pipeline pipeline;
    rk_table_sink_plan sink;
    rask_node **others; /* what the joins of the pipeline need, as rk_pipeline_run_init() takes it */
    rk_csv_part *parts;
    uint32_t part_count;
    uint32_t workers;
    uint32_t before; /* pieces of the jobs whose rows come before these */
    rk_atomic_u32 *
        last_wanted; /* number of a part behind which no row is wanted any more, once that is known: written by
                                 * tasks that count rows, read by those that are about to read; where they share no memory,
                                 * rows are read that nobody looks at */
} rk_scan_job;

/* Arguments of a task with this job, behind the job and a number, that are for its joins. */
uint32_t rk_scan_others(const rk_scan_job *job);
/* A call of such a task: args[0] and args[1] are the job and the number, the others follow what is for the joins. */
rask_node *rk_scan_call(rask_graph *graph, const rask_task_def *def, const rk_scan_job *job,
                        const rask_arg *args, size_t count);
/* In such a task: the run of the job's pipeline. RASK_OK, RASK_ENOMEM. */
int rk_scan_begin(rask_task *task, const rk_scan_job *job, rk_pipeline_run *run);

/* One task's memory. */
typedef struct rk_intake {
    const rk_scan_job *job;
    rk_csv_scanner scanner;
    rk_batch batch;
    rk_pipeline_run run;
    rk_table_sink sink;
    uint64_t part;      /* among all pieces: rows are in order by it, then by their number in it */
    rk_csv_wrong place; /* of the text, for values that may be wrong */
    rask_bytes *wrong;  /* of the rows of a batch */
    rk_arena wrong_texts;
    bool most_stay; /* of the last batch filters let more than half of the rows through */
} rk_intake;

/* For the text that is piece number of the job's, in a task of it. RASK_OK, RASK_ENOMEM, RASK_EINVAL, RASK_ELIMIT: the source's format or schema. */
int rk_intake_init(rk_intake *rows, rask_task *task, const rk_scan_job *job, uint32_t number);
/* What comes is of another piece, behind those before. */
void rk_intake_turn(rk_intake *rows, uint32_t number);
void rk_intake_fini(rk_intake *rows); /* legal for a zeroed one */

/* Takes whole records as rk_csv_scan() does, a batch at most or, when nothing of them matters but that they are there, all
 * of them. RASK_OK, *used bytes: or nothing when the sink is full, which it may be before the text is wrong. Other statuses are
 * the sink's, or, and then error->status is set, which is 0 before, of wrong text: the rows before it were taken. */
int rk_intake_take(rk_intake *rows, const char *text, size_t len, bool last, size_t *used,
                   rk_csv_error *error);

/* Bytes that it holds. */
uint64_t rk_intake_bytes(const rk_scan_job *job);

#endif
