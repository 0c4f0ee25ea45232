#include "collections/table/compute.h"

#include "collections/table/recipe.h"
#include "collections/table/rows.h"

/* -- Runs */

static void set_lowering(rk_table_lowering *l, rask_graph *graph, struct rk_join_built **built,
                         const rask_options *options)
{
    *l =
        (rk_table_lowering){.graph = graph,
                            .budget = options->memory,
                            .workers = options->workers,
                            .seed = rk_draw_seed(options->seed, options->checkpoint),
                            .apart = options->checkpoint || !rask_scheduler_shares_memory(options->scheduler),
                            .built = built};
}

int rk_table_run_begin(rk_table_run *run, rask_table *table, const rask_options *options)
{
    run->built = NULL;
    int status = rk_own_run_begin(&run->own, table ? table->graph : NULL, options);
    set_lowering(&run->lowering, run->own.own, &run->built, &run->own.options);
    return status;
}

int rk_table_run_node(rk_table_run *run, rask_node *node, rask_value *value)
{
    return node ? rk_own_run_nodes(&run->own, &node, 1, value) : run->lowering.graph->status;
}

/* NULL, latched. */
static rask_node *lower(const rk_table_lowering *l, rask_table *table)
{
    rk_recipe *recipe = rk_table_recipe_begin(l, table, RK_ROOT_TABLE);
    rask_node *node = rk_lower_table(l, table);
    rk_recipe_end(recipe);
    return node;
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
    return lower(&l, table);
}

int rask_table_compute(rask_table *table, const rask_options *options, rask_rows **out)
{
    rk_table_run run;
    rask_value value = rask_value_none();
    rask_rows *rows = NULL;
    int status = rk_table_run_begin(&run, table, options);
    if (!status)
        status = rk_table_run_node(&run, lower(&run.lowering, table), &value);
    if (!status && !(rows = rk_rows_new(&table->schema, value)))
        status = RASK_ENOMEM;
    status = rk_own_run_end(&run.own, status);
    if (!status)
        *out = rows;
    return status;
}
