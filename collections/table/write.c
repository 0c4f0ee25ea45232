/* rask_table_write(): tasks print, and others write what they printed, one after the other. */
#include "collections/files/file.h"
#include "collections/files/temporary.h"
#include "collections/table/compute.h"
#include "core/task/task.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct writing {
    const char *path;
    bool standard; /* output */
    rk_temporary file;
    rk_array
        head; /* of the text: written with the first rows, and not when there are none because the run failed */
    int64_t end; /* bytes written */
    char message[1200];
} writing;

static void keep_writing(void *data)
{
    (void)data; /* the caller's */
}

static const rask_class writing_class = {.name = "file", .destroy = keep_writing};

/* Behind what was written before. */
static int write_all(writing *w, const char *data, size_t len)
{
    int64_t place = w->end;
    w->end += (int64_t)len;
    if (!w->standard)
        return rk_file_write(w->file.fd, data, len, place);
    while (len) {
        ssize_t n = write(STDOUT_FILENO, data, len);
        if (n < 0 && errno != EINTR)
            return -1;
        data += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* The head before the first text. A status, with a message when it failed. */
static int append(void *what, const char *text, size_t len)
{
    writing *w = what;
    bool failed = !w->end && write_all(w, w->head.data, w->head.count);
    if (!failed && !write_all(w, text, len))
        return RASK_OK;
    int number = errno;
    snprintf(w->message, sizeof w->message, "%s: %s", w->standard ? "standard output" : w->path,
             strerror(number));
    return rk_errno_status(number);
}

/* (file, text, what was written before) */
static int run_write(rask_task *task)
{
    writing *w = rask_arg_custom(task, 0, &writing_class);
    rask_bytes text = rask_arg_bytes(task, 1);
    int status = w ? append(w, text.data, text.len) : RASK_ETYPE;
    return status ? rk_task_fail(task, status, "%s", w ? w->message : "") : rask_return_none(task);
}

static const rask_task_def write_def = {.size = sizeof write_def, .name = "write", .call = run_write};

static rask_node *lower_writes(const rk_table_lowering *l, writing *w, const rk_nodes *texts)
{
    rask_value value;
    rask_arg args[3] = {
        {.kind = RASK_ARG_VALUE, .as.value = &value}, {.kind = RASK_ARG_NODE}, {.kind = RASK_ARG_NODE}};
    rask_node *node = NULL;
    if (rask_value_custom_new(&writing_class, w, &value))
        return rk_graph_fail(l->graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    for (uint32_t i = 0; i < texts->count && !l->graph->status; i++) {
        args[1].as.node = texts->nodes[i];
        args[2].as.node = node;
        node = rask_call_at(l->graph, &write_def, args, node ? 3 : 2, NULL, 0);
    }
    rask_value_unref(&value);
    return node;
}

static rk_print_format format_of(const char *path, rask_table_format format)
{
    bool json = format == RASK_TABLE_JSON;
    if (format == RASK_TABLE_BY_ENDING)
        json = rk_path_ends(path, ".json") || rk_path_ends(path, ".jsonl") || rk_path_ends(path, ".ndjson");
    return json ? RK_PRINT_JSON : RK_PRINT_CSV;
}

static int write_rows(rk_table_run *run, rask_table *table, writing *w, rk_print_format format)
{
    rk_table_sink_plan sink = {.kind = RK_SINK_TEXT,
                               .schema = &table->schema,
                               .limit = UINT64_MAX,
                               .format = format,
                               .delimiter = ',',
                               .flush = append,
                               .writer = w};
    rask_value value = rask_value_none();
    rk_nodes texts;
    int status = rk_lower_stage(&run->lowering, table, &sink, &texts);
    if (!status && format == RK_PRINT_CSV)
        status = rk_print_header(&w->head, table->schema.names, table->schema.count, sink.delimiter);
    if (!status)
        status = rk_table_run_node(run, lower_writes(&run->lowering, w, &texts), &value);
    rask_value_unref(&value);
    if (status && *w->message)
        rk_graph_report(run->graph, status, "%s", w->message);
    return status;
}

int rask_table_write(rask_table *table, const char *path, rask_table_format format,
                     const rask_options *options)
{
    rk_table_run run;
    rk_open_error error = {0};
    char message[1200] = "";
    writing w = {.path = path, .standard = path && strcmp(path, "-") == 0, .file = {.fd = -1}};
    w.head = (rk_array){.element = 1, .ceiling = SIZE_MAX};
    int status = rk_table_run_begin(&run, table, options);
    if (!status && !path)
        status = RASK_EINVAL;
    if (!status && !w.standard && !rk_temporary_open(&w.file, path, false, &error)) {
        status = error.status;
        rk_graph_report(run.graph, status, "%s", error.message);
    }
    if (!status)
        status = write_rows(&run, table, &w, format_of(path, format));
    if (!status && !w.standard && (status = rk_temporary_commit(&w.file, message, sizeof message)))
        rk_graph_report(run.graph, status, "%s", message);
    else if (!w.standard)
        rk_temporary_abort(&w.file);
    rk_array_fini(&w.head);
    return rk_table_run_end(&run, status);
}
