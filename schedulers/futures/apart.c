/* Calls in worker processes.
 *
 * A thread that works for a client has a process that stands by (schedulers/processes/standing.h), forked before the thread's
 * first call. What cannot go there, and what it died of, is a plan of one task, run on processes, with a worker forked for it:
 * slower by far, but it sees the program's memory as it is, and its errors have all that is to be said. */
#include "schedulers/futures/apart.h"

#include "core/graph/build.h"
#include "core/plan/plan.h"
#include "schedulers/futures/executor.h"
#include "schedulers/processes/standing.h"
#include "schedulers/scheduler.h"

#include <stdio.h>
#include <string.h>

/* It waits for its next call here, and not there. */
static bool rests(const rask_future *future)
{
    return future->backoff_ns && future->retries;
}

static rask_node *set_terms(rask_node *node, const rask_future *future, uint32_t attempt)
{
    rk_extra *extra = attempt && node ? rk_graph_extra(node) : NULL;
    if (extra)
        extra->attempt = attempt;
    rask_set_retries(node, rests(future) ? 0 : future->retries);
    return future->limit_ns ? rask_set_timeout(node, (double)future->limit_ns / 1e9) : node;
}

static rask_node *node_of(rask_graph *graph, const rask_future *future, uint32_t attempt)
{
    rask_arg *args = rk_alloc_array(future->nargs + 1, sizeof *args);
    if (!args)
        return NULL;
    for (uint32_t i = 0; i < future->nargs; i++)
        args[i] = (rask_arg){.kind = RASK_ARG_VALUE, .as.value = &future->args[i]};
    rask_node *node = rask_call_at(graph, future->def, args, future->nargs, future->file, future->line);
    rk_free(args);
    return set_terms(node, future, attempt);
}

static void say(char *message, const char *text)
{
    snprintf(message, RK_MAX_MESSAGE, "%s", text);
}

/* How long it has to rest before it is called again; 0: it is not. What its process died of comes again. */
static uint64_t rest_of(rask_future *future, int status, uint32_t attempt)
{
    uint64_t rest_ns = 0;
    rk_task_env env = {.cancel = &future->cancel, .outer = &future->executor->env};
    rask_task task = {.env = &env, .def = future->def, .status = status, .attempt = attempt};
    rk_call_terms terms = rk_future_terms(future);
    bool again =
        rests(future) && status && status != RASK_EDIED && rk_call_is_repeated(&task, &terms, &rest_ns);
    return again ? rest_ns : 0;
}

static int call_in_new_process(rask_future *future, uint32_t attempt, rask_value *result, char *message)
{
    rask_report report = {0};
    rask_options options = rk_options_within(&future->executor->options);
    rask_graph *graph = rask_graph_new();
    rask_node *node = graph ? node_of(graph, future, attempt) : NULL;
    rask_plan *plan;
    int status = node ? rask_plan_new(&node, 1, &plan) : graph ? rask_graph_status(graph) : RASK_ENOMEM;
    if (status || !node) {
        say(message, graph ? rask_graph_error(graph) : rask_status_text(RASK_ENOMEM));
        rask_graph_free(graph);
        return status ? status : RASK_ENOMEM;
    }
    options.workers = 1;
    options.retries = rests(future) ? 0 : options.retries;
    options.cancel = &future->cancel;
    options.report = &report;
    status = rask_plan_run(plan, &options, result);
    rk_executor_note_retries(future->executor, report.retries);
    if (status) {
        const rask_failure *failures;
        uint32_t count = rask_plan_failures(plan, &failures);
        say(message, count && failures->message ? failures->message : rask_plan_error(plan));
    }
    rask_plan_free(plan);
    rask_graph_free(graph);
    return status;
}

/* -- Processes that stand by, by thread */

static pthread_key_t standing_key;
static pthread_once_t standing_once = PTHREAD_ONCE_INIT;
static bool has_key;

static void end_standing(void *standing)
{
    rk_standing_free(standing);
}

static void make_key(void)
{
    has_key = !pthread_key_create(&standing_key, end_standing);
}

/* The calling thread's; NULL: it works for nobody, or there is none to be had. */
static rk_standing *own_standing(const rk_executor *executor)
{
    pthread_once(&standing_once, make_key);
    bool is_here = !strcmp(executor->options.scheduler, "processes"); /* and not another machine */
    if (!has_key || !is_here || rk_executor_worker(executor) == RK_NO_WORKER)
        return NULL;
    rk_standing *standing = pthread_getspecific(standing_key);
    if (standing)
        return standing;
    standing = rk_standing_new(&executor->options);
    if (standing && pthread_setspecific(standing_key, standing)) {
        rk_standing_free(standing);
        return NULL;
    }
    return standing;
}

void rk_apart_begin(const rk_executor *executor)
{
    own_standing(executor);
}

void rk_apart_call(rask_future *future, rk_call_outcome *outcome)
{
    rk_lone_call call = {.def = future->def,
                         .args = future->args,
                         .nargs = future->nargs,
                         .worker = future->executor->first_number + rk_executor_worker(future->executor),
                         .cancel = &future->cancel,
                         .attempt = outcome->attempt,
                         .spreads = rk_executor_is_hungry(future->executor),
                         .counts = rk_gate_counters(future->executor->gate) > 0,
                         .terms = rk_future_terms(future)};
    rk_standing *standing = own_standing(future->executor);
    bool called =
        standing && rk_standing_call(standing, &call, &outcome->status, &outcome->result, outcome->message);
    outcome->rest_ns = call.rest_ns;
    outcome->attempt = call.attempt;
    rk_executor_note_retries(future->executor, call.grown_retries);
    if (called)
        return;
    outcome->status = call_in_new_process(future, outcome->attempt, &outcome->result, outcome->message);
    outcome->rest_ns = rest_of(future, outcome->status, outcome->attempt);
}
