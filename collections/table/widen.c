/* RASK_MISFIT_WIDEN: a pass over all files before anything is built, since what is built goes by the types. */
#include "collections/table/compute.h"
#include "collections/table/csv/guess.h"
#include "collections/table/csv_source.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

/* (guesses …): what they have in common. */
static int run_guesses(rask_task *task)
{
    rask_value value;
    char *data;
    rask_bytes first = rask_arg_bytes(task, 0);
    int status = rask_value_bytes_alloc(first.len, &data, &value);
    if (status)
        return rask_fail(task, status, rask_status_text(status));
    memcpy(data, first.data, first.len);
    rk_csv_guess *guesses = (rk_csv_guess *)data;
    for (size_t i = 1; i < rask_arg_count(task); i++) {
        const rk_csv_guess *some = (const rk_csv_guess *)rask_arg_bytes(task, i).data;
        for (size_t k = 0; k < first.len / sizeof *guesses; k++) {
            guesses[k].types &= some[k].types;
            guesses[k].seen |= some[k].seen;
            guesses[k].some |= some[k].some;
        }
    }
    return rask_return_value(task, value);
}

static const rask_task_def guesses_def = {.size = sizeof guesses_def, .name = "types", .call = run_guesses};

static rask_node *lower_guesses(const rk_table_lowering *l, const rk_nodes *parts)
{
    rask_arg *args = rk_alloc_array(parts->count + 1, sizeof *args);
    if (!args)
        return rk_graph_fail(l->graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    for (uint32_t i = 0; i < parts->count; i++)
        args[i] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = parts->nodes[i]};
    rask_node *node = rask_call_at(l->graph, &guesses_def, args, parts->count, NULL, 0);
    rk_free(args);
    return node;
}

/* As the program's own process can do it: other processes are told of a table when its types are known. */
static int run_options(const rask_options *given, rask_options *own)
{
    int status = rask_options_effective(given, own);
    if (!status && !rask_scheduler_sees_memory(own->scheduler))
        own->scheduler = "threads";
    return status;
}

/* Reads the columns of table, which are text, into guesses. */
static int guess_columns(rask_table *table, char quote, const rask_options *options, rk_csv_guess *guesses)
{
    rk_table_run run;
    rk_nodes parts;
    rask_bytes bytes;
    rask_value value = rask_value_none();
    rask_options own = RASK_OPTIONS_INIT;
    rk_table_sink_plan sink = {.kind = RK_SINK_TYPES, .schema = &table->schema, .quote = quote};
    if (!run_options(options, &own))
        options = &own;
    int status = rk_table_run_begin(&run, table, options);
    if (!status)
        status = rk_lower_stage(&run.lowering, table, &sink, &parts);
    if (!status)
        status = rk_table_run_node(&run, lower_guesses(&run.lowering, &parts), &value);
    if (!status && !(status = rask_value_get_bytes(&value, &bytes)))
        memcpy(guesses, bytes.data, bytes.len);
    rask_value_unref(&value);
    return rk_own_run_end(&run.own, status);
}

static bool has_streams(const rk_csv_source *source)
{
    for (size_t i = 0; i < source->files.count; i++)
        if (source->files.files[i].stream)
            return true;
    return false;
}

/* The columns that may get another type: text gets none, unless it is called so for no value. *count: of them. NULL, latched. */
static uint32_t *find_concerned(const rask_table *table, const bool *given, uint32_t *count)
{
    uint32_t *concerned = rk_table_memory(table->graph, table->schema.count * sizeof *concerned, NULL, 0);
    *count = 0;
    for (uint32_t i = 0; concerned && i < table->schema.count; i++)
        if (!given[i] && (table->schema.types[i] != RASK_COL_TEXT ||
                          (table->schema.empty[i] && !has_streams(table->as.csv))))
            concerned[(*count)++] = i;
    return concerned;
}

/* The concerned columns of table, which are text while it is looked at. NULL, latched. */
static rask_table *pick_as_text(rask_table *table, const uint32_t *concerned, uint32_t count)
{
    rask_table *pick = rk_table_new(table->graph, RK_TABLE_PICK, table, count, NULL, 0);
    for (uint32_t i = 0; pick && i < count; i++) {
        pick->schema.names[i] = table->schema.names[concerned[i]];
        pick->schema.types[i] = RASK_COL_TEXT;
        table->schema.types[concerned[i]] = RASK_COL_TEXT;
        table->as.csv->schema.types[concerned[i]] = RASK_COL_TEXT;
    }
    if (pick)
        pick->as.pick = concerned;
    return pick;
}

int rk_csv_source_widen(rask_table *table, const bool *given, const rask_options *options)
{
    rk_csv_source *source = table->as.csv;
    uint32_t count;
    uint32_t *concerned = find_concerned(table, given, &count);
    rk_csv_guess *guesses = rk_table_memory(table->graph, (count + 1) * sizeof *guesses, NULL, 0);
    if (!concerned || !guesses || !count)
        return table->graph->status;
    for (size_t i = 0; i < source->files.count; i++)
        if (source->files.files[i].stream) {
            rk_graph_report(table->graph, RASK_EUNSUPPORTED,
                            "%s: a stream can be read only once, so its types cannot be widened: give the "
                            "types, or let misfits fail or be null",
                            rk_text_path_name(source->files.files[i].path));
            return RASK_EUNSUPPORTED;
        }
    rask_table *pick = pick_as_text(table, concerned, count);
    int status = pick ? guess_columns(pick, source->format.quote, options, guesses) : table->graph->status;
    for (uint32_t i = 0; !status && i < count; i++) {
        rask_column_type type = rk_csv_guess_type(guesses[i]);
        table->schema.types[concerned[i]] = source->schema.types[concerned[i]] = type;
        table->schema.empty[concerned[i]] = source->schema.empty[concerned[i]] = !guesses[i].some;
    }
    return status;
}
