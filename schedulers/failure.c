/* What a run that failed says: which task, where it was built, why, and who needed it. */
#include "core/base/print.h"
#include "schedulers/run.h"

#include <string.h>

static bool takes(const rask_plan *plan, uint32_t task, uint32_t argument)
{
    for (uint32_t i = plan->arg_start[task]; i < plan->arg_start[task + 1]; i++)
        if (plan->args[i] == argument)
            return true;
    return false;
}

/* The tasks that would have taken the failed one's result, each the first to need the one before: consumers
 * come later in plan order, so that one pass finds them. */
static void add_chain(rk_print *out, const rask_plan *plan, uint32_t failed)
{
    uint32_t shown = 0;
    for (uint32_t task = failed + 1; task < plan->tasks; task++) {
        if (!takes(plan, task, failed))
            continue;
        failed = task;
        if (shown++ < RK_MAX_CHAIN)
            rk_print_add(out, shown == 1 ? "; needed by %s" : " < %s", rk_plan_def(plan, task)->name);
    }
    if (shown > RK_MAX_CHAIN)
        rk_print_add(out, " < … (%u more)", shown - RK_MAX_CHAIN);
}

/* Labels may be long; a message shows their beginning. */
enum { SHOWN_LABEL = 60 };

static void add_failure(rk_print *out, const rask_plan *plan, const rk_failure *failure)
{
    const rask_node *node = rk_graph_node(plan->graph, plan->node[failure->task]);
    rk_site site = rk_node_site(node);
    const char *label = rask_node_label(node);
    rk_print_add(out, "task %s (node %u", rask_node_name(node), node->id);
    if (*label)
        rk_print_add(out, ", %.*s", SHOWN_LABEL, label);
    if (site.file)
        rk_print_add(out, ", %s:%d", site.file, site.line);
    rk_print_add(out, "): %s", failure->message ? failure->message : rask_status_text(failure->status));
    add_chain(out, plan, failure->task);
}

static void add_failures(rk_print *out, const rk_run *run, const rask_plan *plan)
{
    if (run->failed > 1 && run->options.keep_going)
        rk_print_add(out, "%u tasks failed:\n  ", run->failed);
    add_failure(out, plan, &run->failures[0]);
    for (uint32_t i = 1; i < run->failure_count && run->options.keep_going; i++) {
        if (rk_print_room(out) < RK_MAX_ERROR / 4) {
            rk_print_add(out, "\n  … and %u more", run->failed - i);
            break;
        }
        rk_print_add(out, "\n  ");
        add_failure(out, plan, &run->failures[i]);
    }
}

static rask_failure describe(const rk_run *run, const rk_failure *failure)
{
    const rask_node *node = rk_graph_node(run->plan->graph, run->plan->node[failure->task]);
    const rk_extra *extra = rk_run_extra(run, failure->task);
    return (rask_failure){.status = failure->status,
                          .task = failure->task,
                          .node = node->id,
                          .name = rask_node_name(node),
                          .message = failure->message,
                          .label = extra && extra->label ? extra->label : ""};
}

/* The plan keeps the failures; without memory for the list, only what its error says of them. */
static void keep_failures(rk_run *run, rask_plan *plan)
{
    rask_failure *kept = run->failure_count ? rk_alloc_array(run->failure_count, sizeof *kept) : NULL;
    for (uint32_t i = 0; i < run->failure_count; i++) {
        if (kept)
            kept[i] = describe(run, &run->failures[i]);
        else
            rk_free(run->failures[i].message);
    }
    plan->failures = kept;
    plan->failure_count = kept ? run->failure_count : 0;
}

/* What went wrong, in words, to plan->error. */
static int explain(rk_run *run, rask_plan *plan)
{
    uint32_t stop = rk_load_relaxed(&run->env.stop);
    if (!stop && !run->failure_count)
        return RASK_OK;
    char text[RK_MAX_ERROR];
    rk_print out = {text, sizeof text, 0};
    int status = (int)stop;
    if (stop == RASK_ETIMEDOUT)
        rk_print_add(&out, "the run took longer than its %g seconds: %u of %u tasks finished%s%s",
                     run->options.timeout, run->finished, plan->tasks,
                     *run->reason ? "; then there were running " : "", run->reason);
    else if (stop == RASK_ECANCELLED)
        rk_print_add(&out, "cancelled: %u of %u tasks finished", run->finished, plan->tasks);
    else if (stop && *run->reason)
        rk_print_add(&out, "%s", run->reason);
    else if (stop == RASK_ENOMEM)
        rk_print_add(&out, "run: no memory for %u tasks", plan->tasks);
    else if (stop && stop != RASK_ETASK)
        rk_print_add(&out, "run: %s", rask_status_text(status));
    if (run->failure_count && (stop == RASK_OK || stop == RASK_ETASK))
        status = run->failures[0].status;
    else if (run->failure_count)
        rk_print_add(&out, "; before that ");
    if (run->failure_count)
        add_failures(&out, run, plan);
    plan->error = rk_strndup(text, strnlen(text, sizeof text));
    return status;
}

int rk_run_outcome(rk_run *run, rask_plan *plan)
{
    rk_plan_forget(plan);
    int status = explain(run, plan);
    keep_failures(run, plan);
    return status;
}
