#include "collections/runs/own.h"

#include "core/graph/graph.h"
#include "core/plan/plan.h"

#include <sys/random.h>

int rk_own_run_begin(rk_own_run *run, rask_graph *user, const rask_options *options)
{
    *run = (rk_own_run){.user = user};
    if (!user)
        return RASK_EGRAPH;
    if (user->status)
        return user->status;
    rk_graph_report(user, RASK_OK, "%s", "");
    int status = rask_options_effective(options, &run->options);
    if (status)
        return status;
    run->own = rask_graph_new();
    return run->own ? RASK_OK : RASK_ENOMEM;
}

int rk_own_run_nodes(rk_own_run *run, rask_node *const *nodes, uint32_t count, rask_value *values)
{
    rask_plan *plan = NULL;
    int status = rask_plan_new(nodes, count, &plan);
    if (!status && (status = rask_plan_run(plan, &run->options, values)))
        rk_graph_report(run->user, status, "%s", rk_plan_own_message(plan, status));
    rask_plan_free(plan);
    return status;
}

int rk_own_run_end(rk_own_run *run, int status)
{
    const char *message = run->own ? rask_graph_error(run->own) : "";
    bool said = run->user && rask_graph_status(run->user) == status;
    if (run->user && status && !said)
        rk_graph_report(run->user, status, "%s", *message ? message : rask_status_text(status));
    rask_graph_free(run->own);
    return status;
}

uint64_t rk_draw_seed(uint64_t given, const char *checkpoint)
{
    uint64_t seed = given ? 0 : rask_checkpoint_seed(checkpoint);
    if (seed)
        return seed;
    if (given || getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
        seed ^= given * 0x9e3779b97f4a7c15u + 1;
    return seed;
}
