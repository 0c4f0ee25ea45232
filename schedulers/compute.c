/* From targets to results: plan, run, report. */
#include "schedulers/checkpoint/checkpoint.h"
#include "schedulers/limits.h"
#include "schedulers/scheduler.h"
#include "schedulers/shown.h"

#include <string.h>

/* In the order in which they are named to people. */
static const rk_scheduler *const schedulers[] = {&rk_threads, &rk_processes, &rk_serial, &rk_cluster};

enum { SCHEDULERS = sizeof schedulers / sizeof *schedulers };

const rk_scheduler *rk_scheduler_find(const char *name)
{
    for (size_t i = 0; i < SCHEDULERS; i++)
        if (!strcmp(schedulers[i]->name, name))
            return schedulers[i];
    return NULL;
}

const char *const *rask_schedulers(void)
{
    static const char *const names[] = {"threads", "processes", "serial", "cluster", NULL};
    _Static_assert(sizeof names / sizeof *names == SCHEDULERS + 1, "every scheduler is named");
    return names;
}

bool rask_scheduler_shares_memory(const char *name)
{
    const rk_scheduler *scheduler = name ? rk_scheduler_find(name) : NULL;
    return scheduler && !scheduler->apart;
}

bool rask_scheduler_sees_memory(const char *name)
{
    const rk_scheduler *scheduler = name ? rk_scheduler_find(name) : NULL;
    return scheduler && !scheduler->remote;
}

/* limits becomes the run's. */
static int run_within(rask_plan *plan, const rask_options *options, rk_limits *limits,
                      const rk_checkpoint *checkpoint, rask_value *results)
{
    const rk_scheduler *scheduler = rk_scheduler_find(options->scheduler);
    rk_run *run = rk_alloc(sizeof *run);
    int status = run ? rk_run_init(run, plan, options, scheduler->name) : RASK_ENOMEM;
    if (status) {
        rk_free(run);
        rk_limits_free(limits);
        return rk_plan_fail(plan, status, "run: out of memory");
    }
    run->limits = limits;
    run->checkpoint = checkpoint;
    void *handle;
    status = scheduler->start(run, &handle);
    if (status)
        rk_run_abandon(run, status);
    else
        scheduler->wait(run, handle);
    status = rk_run_fini(run, plan, results);
    rk_free(run);
    rk_limits_free(limits);
    const char *message = plan->error ? plan->error : rask_status_text(status);
    return rk_graph_report(plan->graph, status, "%s", message);
}

int rk_plan_execute(rask_plan *plan, const rask_options *options, const rk_checkpoint *checkpoint,
                    rask_value *results)
{
    rk_limits *limits;
    char reason[RK_MAX_MESSAGE];
    int status = rk_limits_new(plan, options->limits, &limits, reason, sizeof reason);
    return status ? rk_plan_fail(plan, status, "%s", reason)
                  : run_within(plan, options, limits, checkpoint, results);
}

/* Plans are run with resolved options. */
static int run(rask_plan *plan, const rask_options *options, rask_value *results)
{
    return options->checkpoint ? rk_checkpoint_run(plan, options, results)
                               : rk_plan_execute(plan, options, NULL, results);
}

int rask_plan_run(rask_plan *plan, const rask_options *options, rask_value *results)
{
    if (!plan)
        return RASK_EINVAL;
    if (!results)
        return rk_plan_fail(plan, RASK_EINVAL, "run: nowhere to put the results");
    rask_options resolved;
    char reason[RK_MAX_MESSAGE];
    int status = rk_options_resolve(options, &resolved, reason, sizeof reason);
    if (status)
        return rk_plan_fail(plan, status, "%s", reason);
    rk_shown shown;
    status = rk_shown_run(&resolved, &shown, reason, sizeof reason);
    if (status)
        return rk_plan_fail(plan, status, "%s", reason);
    status = run(plan, &resolved, results);
    rk_shown_close(&shown);
    return status;
}

/* For calls that fail before there is a plan: what is wrong with the targets comes first. */
static int nowhere(rask_node *const *nodes, size_t count)
{
    rask_graph *graph;
    int status = rk_graph_of(nodes, count, &graph);
    return status ? status : rk_graph_report(graph, RASK_EINVAL, "compute: nowhere to put the result");
}

int rask_compute_values(rask_node *const *nodes, size_t count, const rask_options *options,
                        rask_value *results)
{
    rask_plan *plan;
    if (!results)
        return nowhere(nodes, count);
    int status = rask_plan_new(nodes, count, &plan);
    if (status)
        return status;
    status = rask_plan_run(plan, options, results);
    rask_plan_free(plan);
    return status;
}

int rask_compute_value(rask_node *node, const rask_options *options, rask_value *result)
{
    return rask_compute_values(&node, 1, options, result);
}

int rask_compute_out(rask_node *node, const rask_options *options, rask_out_kind kind, void *out)
{
    static const char *const names[] = {"bool", "i64", "f64", "value"};
    static const char *const types[] = {"bool", "int64_t", "double", "rask_value"};
    if (!out || (unsigned)kind > RASK_OUT_VALUE)
        return nowhere(&node, 1);
    rask_value value = rask_value_none();
    int status = rask_compute_value(node, options, &value);
    if (status)
        return status;
    status = rk_out_put(&value, kind, out);
    if (status)
        rk_graph_report(node->graph, status, "compute: the result of %s is %s, not %s: no %s takes it",
                        rask_node_name(node), rask_type_name(value.type), names[kind], types[kind]);
    rask_value_unref(&value);
    return status;
}
