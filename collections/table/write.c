/* rask_table_write(): tasks make what a writer takes, one value after the other. */
#include "collections/files/file.h"
#include "collections/table/compute.h"
#include "collections/table/recipe.h"
#include "collections/table/writer.h"
#include "core/task/task.h"

#include <stdio.h>
#include <string.h>

static void keep_writer(void *data)
{
    (void)data; /* the caller's */
}

static const rask_class writer_class = {.name = "file", .destroy = keep_writer};

int rk_writer_check_empty(rk_writer *w, uint32_t index, const rask_column *column, uint64_t rows)
{
    if (!rows || (column->valid && !memchr(column->valid, 1, rows)))
        return RASK_OK;
    snprintf(w->message, sizeof w->message,
             "column \"%.200s\" has a value, and had none when files were looked at: they have changed",
             w->table->schema.names[index]);
    return RASK_EIO;
}

/* (writer, value, what was taken before) */
static int run_write(rask_task *task)
{
    rk_writer *w = rask_arg_custom(task, 0, &writer_class);
    const rask_value *value = rask_arg_value(task, 1);
    rask_bytes bytes;
    if (!w || !value || rk_table_sink_bytes_of(value, &bytes))
        return RASK_ETYPE;
    int status = w->again ? RASK_OK : w->cls->take(w, bytes);
    if (w->again)
        rk_cancel_for_now(&w->token);
    const char *message = *w->message ? w->message : rask_status_text(status);
    return status ? rk_task_fail(task, status, "%s", message) : rask_return_none(task);
}

static const rask_task_def write_def = {.size = sizeof write_def,
                                        .name = "write",
                                        .call = run_write,
                                        .flags = RASK_HERE,
                                        .retry_if = rk_table_sink_never_again};

static rask_node *lower_writes(const rk_table_lowering *l, rk_writer *w, const rk_nodes *values,
                               uint64_t scratch)
{
    rask_value value;
    rask_arg args[3] = {
        {.kind = RASK_ARG_VALUE, .as.value = &value}, {.kind = RASK_ARG_NODE}, {.kind = RASK_ARG_NODE}};
    rask_node *node = NULL;
    if (rask_value_custom_new(&writer_class, w, &value))
        return rk_graph_fail(l->graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    for (uint32_t i = 0; i < values->count && !l->graph->status; i++) {
        args[1].as.node = values->nodes[i];
        args[2].as.node = node;
        node = rask_call_at(l->graph, &write_def, args, node ? 3 : 2, NULL, 0);
        if (scratch)
            rask_set_scratch_bytes(node, scratch);
    }
    rask_value_unref(&value);
    return node;
}

/* RASK_OK, too, when again was set, which was all that ended the run. */
static int run_writes(rk_table_run *run, rk_writer *w, rask_node *node)
{
    rask_value value = rask_value_none();
    int status = rk_table_run_node(run, node, &value);
    rask_value_unref(&value);
    return status == RASK_ECANCELLED && rk_cancelled_for_now(&w->token) ? RASK_OK : status;
}

static int write_rows(rk_table_run *run, rk_writer *w)
{
    rk_nodes values = {0};
    uint64_t scratch = 0;
    w->token = (rask_cancel_token){.whole = run->own.options.cancel};
    run->own.options.cancel = &w->token;
    rk_recipe *recipe = rk_table_recipe_begin(&run->lowering, w->table, w->root);
    int status = w->cls->lower(w, &run->lowering, &values, &scratch);
    rk_recipe_end(recipe);
    if (!status)
        status = run_writes(run, w, lower_writes(&run->lowering, w, &values, scratch));
    if (!status && !w->again)
        status = w->cls->finish(w);
    if (status && *w->message)
        rk_graph_report(run->own.user, status, "%s", w->message);
    return status;
}

static rask_table_format format_of(const char *path)
{
    static const struct {
        const char *ending;
        rask_table_format format;
    } endings[] = {{".json", RASK_TABLE_JSON},     {".jsonl", RASK_TABLE_JSON},
                   {".ndjson", RASK_TABLE_JSON},   {".arrow", RASK_TABLE_ARROW},
                   {".feather", RASK_TABLE_ARROW}, {".arrows", RASK_TABLE_ARROW_STREAM},
                   {".npy", RASK_TABLE_NPY}};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (rk_path_ends(path, endings[i].ending))
            return endings[i].format;
    return RASK_TABLE_CSV;
}

static rk_writer *open_writer(rk_table_run *run, rask_table *table, const char *path,
                              rask_table_format format, int *status)
{
    char message[1200] = "";
    size_t room = sizeof message;
    rk_writer *w = NULL;
    if (format == RASK_TABLE_BY_ENDING && rk_path_ends(path, ".parquet")) {
        *status = RASK_EUNSUPPORTED;
        rk_graph_report(run->own.user, *status, "%s: Parquet is not written; Arrow is, as .arrow", path);
        return NULL;
    }
    format = format == RASK_TABLE_BY_ENDING ? format_of(path) : format;
    switch (format) {
    case RASK_TABLE_CSV: w = rk_text_writer_new(table, path, false, status, message, room); break;
    case RASK_TABLE_JSON: w = rk_text_writer_new(table, path, true, status, message, room); break;
    case RASK_TABLE_ARROW:
    case RASK_TABLE_ARROW_STREAM:
    case RASK_TABLE_ARROW_LZ4:
    case RASK_TABLE_ARROW_ZSTD: w = rk_arrow_writer_new(table, path, format, status, message, room); break;
    case RASK_TABLE_NPY: w = rk_npy_writer_new(table, path, status, message, room); break;
    default: *status = RASK_EINVAL;
    }
    if (!w && *message)
        rk_graph_report(run->own.user, *status, "%s", message);
    return w;
}

/* Once more, in a graph of its own. */
static int write_again(rk_table_run *run, rk_writer *w, const rask_options *options)
{
    rk_own_run_end(&run->own, RASK_OK);
    w->again = false;
    int status = rk_table_run_begin(run, w->table, options);
    if (!status)
        status = w->cls->restart(w);
    return status ? status : write_rows(run, w);
}

int rask_table_write(rask_table *table, const char *path, rask_table_format format,
                     const rask_options *options)
{
    rk_table_run run;
    int status = rk_table_run_begin(&run, table, options);
    if (!status && !path)
        status = RASK_EINVAL;
    rk_writer *w = status ? NULL : open_writer(&run, table, path, format, &status);
    if (w) {
        status = write_rows(&run, w);
        while (!status && w->again)
            status = write_again(&run, w, options);
        w->cls->free(w);
    }
    return rk_own_run_end(&run.own, status);
}
