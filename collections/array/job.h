/* collections/array/job: a program, a box and chunks, as the arguments of a task and back.
 *
 * Arguments: 0 the program, 1 words, 2 … the chunks. The words are int64_t: what the box is, then extra words of the
 * task's own, then for each leaf its first argument, how many pieces, and their boxes. */
#ifndef RASK_COLLECTIONS_ARRAY_JOB_H
#define RASK_COLLECTIONS_ARRAY_JOB_H

#include "collections/array/execute.h"
#include "collections/array/lower.h"

/* A call of def over start … start + count of program (which belongs to the lowering), with extra words. NULL, latched. */
rask_node *rk_job_call(rk_lowering *l, const rask_task_def *def, const rk_program *program,
                       const int64_t *start, const int64_t *count, const int64_t *extra, size_t extra_count,
                       uint64_t result_bytes, uint64_t scratch_bytes);

/* The same with the values of more nodes, as the task's last arguments. */
rask_node *rk_job_call_with(rk_lowering *l, const rask_task_def *def, const rk_program *program,
                            const int64_t *start, const int64_t *count, const int64_t *extra,
                            size_t extra_count, rask_node *const *with, size_t with_count,
                            uint64_t result_bytes, uint64_t scratch_bytes);

/* The same in the task. What it points to is valid until the task returns. */
typedef struct rk_job {
    rk_execution execution; /* without striping and taker */
    const int64_t *extra;
    rk_pieces *pieces; /* of this job */
} rk_job;

/* RASK_OK, or the task's status. extra_count: words that must be there. */
int rk_job_open(rask_task *task, size_t extra_count, rk_job *job);
void rk_job_close(rk_job *job);

/* The compiled program of a, kept by the lowering. NULL, latched. */
const rk_program *rk_lower_program(rk_lowering *l, rask_array *a, const uint8_t *axes, bool cut);

#endif
