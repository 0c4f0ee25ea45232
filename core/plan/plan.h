/* core/plan: a graph made ready to run, in dense form.
 *
 * Tasks are numbered in plan order: the order one worker runs them in. Schedulers hand out units: runs of
 * tasks that were fused and are executed one after another by the same worker. Unit u holds the tasks
 * unit_start[u] … unit_start[u + 1] - 1; units are in plan order, too. Behind the units that hold tasks come
 * joins: units without tasks through which a unit with very many predecessors is counted down, so that no
 * counter is shared by more than RK_JOIN_FAN_IN predecessors. The last unit is the end: everything precedes
 * it.
 *
 * All arrays are immutable while the plan exists, but for constants. Edges and arguments may name the same
 * task twice. */
#ifndef RASK_CORE_PLAN_PLAN_H
#define RASK_CORE_PLAN_PLAN_H

#include "core/base/print.h"
#include "core/graph/graph.h"

#include <rask/plan.h>

/* Bits of a task's def word, above the definition's index. */
#define RK_TASK_CHECK    ((uint32_t)1 << 31) /* argument types are to be checked before the call */
#define RK_TASK_EXTRA    ((uint32_t)1 << 30) /* the node has an rk_extra */
#define RK_TASK_DEF_MASK (RK_TASK_EXTRA - 1)

struct rask_plan {
    rask_graph *graph; /* referenced */
    uint32_t tasks;
    uint32_t units;     /* that hold tasks */
    uint32_t all_units; /* with joins and the end, which is all_units - 1 */
    uint32_t io_tasks;  /* tasks of I/O definitions */
    uint32_t target_count;
    uint32_t *targets; /* words as in args */

    uint32_t *def;       /* per task: bits above, and index into the graph's definitions */
    uint32_t *node;      /* per task: the node it came from */
    uint32_t *arg_start; /* tasks + 1 */
    uint32_t *args;      /* words: a task, or RK_CONSTANT | index of a constant; order-only ones last */
    uint32_t *uses;      /* per task: how often its result is taken, by arguments and targets */

    uint32_t *unit_start; /* units + 1 */
    uint32_t *join;       /* per unit of all: predecessors, with repetitions */
    uint32_t *succ_start; /* all_units + 1 */
    uint32_t *succ;       /* units, ascending */
    uint32_t *roots;      /* units without predecessors, ascending */
    uint32_t root_count;

    uint32_t culled, merged; /* nodes not needed; calls merged into others */
    uint64_t edges;          /* between tasks */

    rask_value *constants;   /* own copies of the graph's, once an input was bound; NULL: the graph's serve */
    uint32_t constant_count; /* of the graph when the plan was made, */
    uint32_t def_count;      /* and its definitions */
    char *error;             /* of the last run; NULL: none */
    rask_failure *failures;  /* of the last run, in plan order; NULL: none */
    uint32_t failure_count;
    void *spare; /* memory of the last run, for the next one (schedulers/run.c) */
};

/* Real arguments of a task, without the order-only words. */
uint32_t rk_plan_nargs(const rask_plan *plan, uint32_t task);

static inline const rask_task_def *rk_plan_def(const rask_plan *plan, uint32_t task)
{
    return ((const rask_task_def *const *)plan->graph->definitions.data)[plan->def[task] & RK_TASK_DEF_MASK];
}

/* Notes why a call with this plan failed, for rask_plan_error() and rask_graph_error(). Returns status. */
int rk_plan_fail(rask_plan *plan, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Of the last run, which failed with this status: the first failing task's own message where that says all (which file and
 * line, and not who needed it), else rask_plan_error(). */
const char *rk_plan_own_message(const rask_plan *plan, int status);

/* Forgets the outcome of the last run. */
void rk_plan_forget(rask_plan *plan);

/* The unit that holds a task, in logarithmic time. */
uint32_t rk_plan_unit(const rask_plan *plan, uint32_t task);

/* By index: the graph's constants, with bound inputs in their place. Valid until the graph is extended. */
static inline const rask_value *rk_plan_constants(const rask_plan *plan)
{
    return plan->constants ? plan->constants : plan->graph->constants.data;
}

/* Appends rask_plan_explain(), the task that takes most memory, and the budget, of options that are in effect. */
void rk_plan_explain(rk_print *out, const rask_plan *plan, const rask_options *options);

/* A value into the variable of the caller's that kind says. RASK_ETYPE: it is of another type; RASK_EINVAL: no kind. */
int rk_out_put(const rask_value *value, rask_out_kind kind, void *out);

#endif
