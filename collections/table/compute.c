#include "collections/table/compute.h"

#include "collections/table/rows.h"
#include "core/plan/plan.h"

#include <sys/random.h>

/* -- Runs */

/* So that nobody can prepare keys that collide; what comes out does not depend on it. */
static uint64_t draw_seed(const rask_options *options)
{
    uint64_t seed = 0;
    if (options->seed || getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
        seed ^= options->seed * 0x9e3779b97f4a7c15u + 1;
    return seed;
}

static void set_lowering(rk_table_lowering *l, rask_graph *graph, struct rk_join_built **built,
                         const rask_options *options)
{
    *l = (rk_table_lowering){.graph = graph,
                             .budget = options->memory,
                             .workers = options->workers,
                             .seed = draw_seed(options),
                             .apart = !rask_scheduler_shares_memory(options->scheduler),
                             .built = built};
}

int rk_table_run_begin(rk_table_run *run, rask_table *table, const rask_options *options)
{
    *run = (rk_table_run){0};
    if (!table)
        return RASK_EGRAPH;
    run->graph = table->graph;
    if (table->graph->status)
        return table->graph->status;
    rk_graph_report(run->graph, RASK_OK, "%s", "");
    int status = rask_options_effective(options, &run->options);
    rask_graph *graph = status ? NULL : rask_graph_new();
    if (!status && !graph)
        status = RASK_ENOMEM;
    set_lowering(&run->lowering, graph, &run->built, &run->options);
    return status;
}

int rk_table_run_node(rk_table_run *run, rask_node *node, rask_value *value)
{
    rask_plan *plan = NULL;
    if (!node)
        return run->lowering.graph->status;
    int status = rask_plan_new(&node, 1, &plan);
    if (!status && (status = rask_plan_run(plan, &run->options, value)))
        rk_graph_report(run->graph, status, "%s", rk_plan_own_message(plan, status));
    rask_plan_free(plan);
    return status;
}

int rk_table_run_end(rk_table_run *run, int status)
{
    const char *message = run->lowering.graph ? rask_graph_error(run->lowering.graph) : "";
    bool said = run->graph && rask_graph_status(run->graph) == status;
    if (run->graph && status && !said)
        rk_graph_report(run->graph, status, "%s", *message ? message : rask_status_text(status));
    rask_graph_free(run->lowering.graph);
    return status;
}

rask_node *rask_table_node_at(rask_table *table, const rask_options *options, const char *file, int line)
{
    rask_options effective;
    rk_table_lowering l;
    struct rk_join_built *built = NULL;
    if (!table || table->graph->status)
        return NULL;
    int status = rask_options_effective(options, &effective);
    if (status)
        return rk_table_fail(table, status, file, line, "rask_table_node: %s", rask_status_text(status));
    set_lowering(&l, table->graph, &built, &effective);
    return rk_lower_table(&l, table);
}

int rask_table_compute(rask_table *table, const rask_options *options, rask_rows **out)
{
    rk_table_run run;
    rask_value value = rask_value_none();
    rask_rows *rows = NULL;
    int status = rk_table_run_begin(&run, table, options);
    if (!status)
        status = rk_table_run_node(&run, rk_lower_table(&run.lowering, table), &value);
    if (!status && !(rows = rk_rows_new(&table->schema, value)))
        status = RASK_ENOMEM;
    status = rk_table_run_end(&run, status);
    if (!status)
        *out = rows;
    return status;
}
