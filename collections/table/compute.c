#include "collections/table/compute.h"

#include "core/base/alloc.h"

#include <string.h>
#include <sys/random.h>

struct rask_rows {
    rask_value value;
    rk_chunk chunk;
    char **names;
};

/* -- Runs */

/* So that nobody can prepare keys that collide; what comes out does not depend on it. */
static uint64_t draw_seed(const rask_options *options)
{
    uint64_t seed = 0;
    if (options->seed || getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
        seed ^= options->seed * 0x9e3779b97f4a7c15u + 1;
    return seed;
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
    run->lowering.graph = status ? NULL : rask_graph_new();
    if (!status && !run->lowering.graph)
        status = RASK_ENOMEM;
    run->lowering.budget = run->options.memory;
    run->lowering.workers = run->options.workers;
    run->lowering.seed = draw_seed(&run->options);
    return status;
}

/* A task's own message says all: which file and line, and not which tasks needed it. */
static void report_failure(const rk_table_run *run, const rask_plan *plan, int status)
{
    const rask_failure *failures;
    bool own = plan && rask_plan_failures(plan, &failures) && status != RASK_EBUDGET && failures[0].message;
    if (plan)
        rk_graph_report(run->graph, status, "%s", own ? failures[0].message : rask_plan_error(plan));
}

int rk_table_run_node(rk_table_run *run, rask_node *node, rask_value *value)
{
    rask_plan *plan = NULL;
    if (!node)
        return run->lowering.graph->status;
    int status = rask_plan_new(&node, 1, &plan);
    if (!status && (status = rask_plan_run(plan, &run->options, value)))
        report_failure(run, plan, status);
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

/* -- Rows */

static void free_names(char **names, uint32_t count)
{
    for (uint32_t i = 0; names && i < count; i++)
        rk_free(names[i]);
    rk_free(names);
}

/* Takes over value. NULL: no memory. */
static rask_rows *new_rows(const rk_schema *schema, rask_value value)
{
    rask_bytes bytes;
    rask_rows *rows = rk_calloc(1, sizeof *rows);
    char **names = rk_calloc(schema->count + 1, sizeof *names);
    bool good = rows && names && rask_value_get_bytes(&value, &bytes) == RASK_OK;
    for (uint32_t i = 0; good && i < schema->count; i++)
        good = (names[i] = rk_strndup(schema->names[i], strlen(schema->names[i])));
    if (!good) {
        free_names(names, schema->count);
        rk_free(rows);
        rask_value_unref(&value);
        return NULL;
    }
    rows->value = value;
    rows->names = names;
    rk_chunk_open(&rows->chunk, bytes);
    return rows;
}

int rask_table_compute(rask_table *table, const rask_options *options, rask_rows **out)
{
    rk_table_run run;
    rask_value value = rask_value_none();
    rask_rows *rows = NULL;
    int status = rk_table_run_begin(&run, table, options);
    if (!status)
        status = rk_table_run_node(&run, rk_lower_table(&run.lowering, table), &value);
    if (!status && !(rows = new_rows(&table->schema, value)))
        status = RASK_ENOMEM;
    status = rk_table_run_end(&run, status);
    if (!status)
        *out = rows;
    return status;
}

void rask_rows_free(rask_rows *rows)
{
    if (!rows)
        return;
    free_names(rows->names, rows->chunk.count);
    rask_value_unref(&rows->value);
    rk_free(rows);
}

uint64_t rask_rows_count(const rask_rows *rows)
{
    return rows ? rows->chunk.rows : 0;
}

uint32_t rask_rows_columns(const rask_rows *rows)
{
    return rows ? rows->chunk.count : 0;
}

int rask_rows_column(const rask_rows *rows, uint32_t index, rask_column *out)
{
    if (!rows || index >= rows->chunk.count)
        return RASK_EINVAL;
    *out = rk_chunk_column_at(&rows->chunk, index);
    out->name = rows->names[index];
    return RASK_OK;
}
