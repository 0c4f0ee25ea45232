/* rask/plan.h: a graph made ready to run, and running it.
 *
 * A plan holds only what its targets need, equal pure calls once, chains fused, in an order that keeps few
 * bytes alive. It is immutable but for rask_plan_bind() and keeps what it needs of the graph alive. */
#ifndef RASK_PLAN_H
#define RASK_PLAN_H

#include <rask/graph.h>
#include <rask/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rask_plan rask_plan;

/* Plans count targets of one graph. The code latched in the graph, when some target leads to it; RASK_EGRAPH: a target
 * is NULL, which is what failed builders return; RASK_EINVAL: no targets, or targets of different graphs; RASK_ENOMEM. The message is in rask_graph_error(). *out is the caller's to free. */
RASK_API int rask_plan_new(rask_node *const *targets, size_t count, rask_plan **out);
RASK_API void rask_plan_free(rask_plan *plan);

/* Replaces the value of an input for the runs that follow; the plan takes a reference. RASK_EINVAL: not a
 * rask_input() node that the plan's graph had when the plan was made; RASK_ETYPE: another type than before.
 * An input that no target needs is bound without effect. */
RASK_API int rask_plan_bind(rask_plan *plan, const rask_node *input, const rask_value *value);

/* Runs the plan: results[i] is the value of target i, and the caller's to unref; untouched on failure.
 * options may be NULL. A plan runs in one thread at a time; different plans at once. May be called inside a
 * task. */
RASK_API int rask_plan_run(rask_plan *plan, const rask_options *options, rask_value *results);

/* What went wrong in the last call with this plan; "" when nothing did. */
RASK_API const char *rask_plan_error(const rask_plan *plan);

/* A task that failed for good. The strings are valid as long as the plan, message until it runs again. */
typedef struct rask_failure {
    int status;
    uint32_t task; /* number in the plan */
    uint32_t node; /* rask_node_id() */
    const char *name;
    const char *message; /* the task's own, without what rask_plan_error() adds; NULL: no memory for it */
    const char *label;   /* of the node; "" when it has none */
} rask_failure;

/* The failures of the last run, those of the first RASK_MAX_FAILURES tasks in plan order; how many there are. Of a run that does not
 * keep going the one that ended it comes first, before others that were under way then.
 * They are valid until the plan runs again or is freed. */
#define RASK_MAX_FAILURES 100
RASK_API uint32_t rask_plan_failures(const rask_plan *plan, const rask_failure **failures);

typedef struct rask_plan_stats {
    uint32_t nodes;        /* in the graph */
    uint32_t culled;       /* not needed by the targets */
    uint32_t merged;       /* calls that another, equal one stands for */
    uint32_t tasks;        /* that will run */
    uint32_t units;        /* what schedulers hand out: tasks after fusion */
    uint64_t edges;        /* between tasks */
    uint32_t longest_path; /* tasks one after another that no number of workers can shorten */
    uint64_t peak_bytes;   /* expected peak of live results on one worker; without size hints 16 bytes each */
    size_t memory;         /* bytes of the plan itself */
} rask_plan_stats;

/* Linear in the size of the plan. */
RASK_API rask_plan_stats rask_plan_get_stats(const rask_plan *plan);

/* The expected peak of live result bytes with so many workers, each unit taking the same time; results
 * without a size hint count 16 bytes. RASK_EINVAL, RASK_ENOMEM. */
RASK_API int rask_plan_expected_peak(const rask_plan *plan, uint32_t workers, uint64_t *bytes);

/* In words and numbers what will run, on workers workers (0: the default). At most capacity bytes with the
 * NUL; returns the length it would like, as snprintf; 0 when there is no memory. */
RASK_API size_t rask_plan_explain(const rask_plan *plan, uint32_t workers, char *buffer, size_t capacity);

/* Plans, runs and forgets: value of one node (or of count nodes of one graph). options may be NULL.
 * RASK_EGRAPH when a node is NULL. The caller unrefs the results; they are untouched on failure. The message
 * of a failure is in rask_graph_error(): the task's name and message and the chain of tasks that needed it.
 */
RASK_API int rask_compute_value(rask_node *node, const rask_options *options, rask_value *result);
RASK_API int rask_compute_values(rask_node *const *nodes, size_t count, const rask_options *options,
                                 rask_value *results);

/* The same, into a C variable: out points to a bool, int64_t, double (by type) or rask_value. RASK_ETYPE when
 * the result is of another type. */
typedef enum rask_out_kind { RASK_OUT_BOOL, RASK_OUT_I64, RASK_OUT_F64, RASK_OUT_VALUE } rask_out_kind;
RASK_API int rask_compute_out(rask_node *node, const rask_options *options, rask_out_kind kind, void *out);

#ifdef __cplusplus
}
#endif

#endif
