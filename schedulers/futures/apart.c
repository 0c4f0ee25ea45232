/* Calls in worker processes: a plan of one task, run on processes. What that does for tasks is done here, too: deaths, hangs,
 * set-up of workers, results that are read where they were written. */
#include "schedulers/futures/apart.h"

#include "core/plan/plan.h"
#include "schedulers/futures/executor.h"

#include <stdio.h>
#include <string.h>

static rask_node *node_of(rask_graph *graph, const rask_future *future)
{
    rask_arg *args = rk_alloc_array(future->nargs + 1, sizeof *args);
    if (!args)
        return NULL;
    for (uint32_t i = 0; i < future->nargs; i++)
        args[i] = (rask_arg){.kind = RASK_ARG_VALUE, .as.value = &future->args[i]};
    rask_node *node = rask_call_at(graph, future->def, args, future->nargs, future->file, future->line);
    rk_free(args);
    rask_set_retries(node, future->retries);
    rask_set_backoff(node, (double)future->backoff_ns / 1e9);
    return future->limit_ns ? rask_set_timeout(node, (double)future->limit_ns / 1e9) : node;
}

static void say(char *message, const char *text)
{
    snprintf(message, RK_MAX_MESSAGE, "%s", text);
}

int rk_apart_call(rask_future *future, rask_value *result, char *message)
{
    rask_options options = future->executor->options;
    rask_graph *graph = rask_graph_new();
    rask_node *node = graph ? node_of(graph, future) : NULL;
    rask_plan *plan;
    int status = node ? rask_plan_new(&node, 1, &plan) : graph ? rask_graph_status(graph) : RASK_ENOMEM;
    if (status || !node) {
        say(message, graph ? rask_graph_error(graph) : rask_status_text(RASK_ENOMEM));
        rask_graph_free(graph);
        return status ? status : RASK_ENOMEM;
    }
    options.workers = 1;
    options.timeout = 0;
    options.cancel = &future->cancel;
    options.report = NULL;
    options.progress = options.keep_going = false;
    status = rask_plan_run(plan, &options, result);
    if (status) {
        const rask_failure *failures;
        uint32_t count = rask_plan_failures(plan, &failures);
        say(message, count && failures->message ? failures->message : rask_plan_error(plan));
    }
    rask_plan_free(plan);
    rask_graph_free(graph);
    return status;
}
