/* Workflows of WfCommons: JSON files that say which tasks ran, for how long, after which others, and what they wrote. */
#ifndef BENCH_WORKFLOW_H
#define BENCH_WORKFLOW_H

#include <stdint.h>

/* Tasks in an order in which each comes after those that it takes from. */
typedef struct bench_workflow {
    uint32_t tasks;
    uint64_t *input_start; /* tasks + 1 */
    uint32_t *inputs;
    uint64_t *duration_ns, *bytes; /* bytes: of all files that a task wrote */
} bench_workflow;

/* Reads a file: 0; or -1, with a line on the standard error when it is none. */
int bench_workflow_read(const char *path, bench_workflow *out);
void bench_workflow_free(bench_workflow *w);

#endif
