/* rask_bag_write(): tasks print, and others write what they printed: one after the other into one file, or each into its own. */
#include "collections/bag/compressor.h"
#include "collections/bag/compute.h"
#include "collections/bag/recipe.h"
#include "collections/bag/task.h"
#include "collections/files/file.h"
#include "collections/files/temporary.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct writing {
    const char *path;
    size_t star;   /* where it stands in path; len of path: nowhere */
    int digits;    /* of parts' numbers */
    bool standard; /* output */
    rk_temporary file;
    int64_t end; /* bytes written */
    char message[1200];
} writing;

static int fail_writing(writing *w, int number)
{
    snprintf(w->message, sizeof w->message, "%s: %s", w->standard ? "standard output" : w->path,
             strerror(number));
    return rk_errno_status(number);
}

/* -- One file: (file, text, what was written before) */

static int run_append(rask_task *task)
{
    writing *w = rk_shared_arg(task, 0, &rk_bag_shared_class);
    rask_bytes text = rask_arg_bytes(task, 1);
    if (!w)
        return RASK_ETYPE;
    int failed = w->standard ? rk_standard_write(text.data, text.len)
                             : rk_file_write(w->file.fd, text.data, text.len, w->end);
    if (failed)
        return rk_bag_task_fail(task, fail_writing(w, errno), w->message);
    w->end += (int64_t)text.len;
    return rask_return_none(task);
}

static const rask_task_def append_def = {
    .size = sizeof append_def, .name = "write", .call = run_append, .flags = RASK_HERE};

static int write_one(rk_bag_computation *c, writing *w, const rk_bag_nodes *texts)
{
    rask_node *args[2] = {NULL, NULL};
    rask_value value = rask_value_none();
    for (uint32_t i = 0; i < texts->count; i++) {
        args[0] = texts->nodes[i];
        args[1] = rk_bag_call_nodes(c->lowering.graph, &append_def, w, args, args[1] ? 2 : 1, 0, 0);
    }
    int status = c->lowering.graph->status;
    if (!status)
        status = rk_own_run_nodes(&c->run, &args[1], 1, &value);
    rask_value_unref(&value);
    return status;
}

static int write_one_file(rk_bag_computation *c, writing *w, const rk_bag_nodes *texts)
{
    rk_open_error error = {0};
    char message[1200];
    if (!w->standard && !rk_temporary_open(&w->file, w->path, false, &error)) {
        rk_graph_report(c->run.user, error.status, "%s", error.message);
        return error.status;
    }
    int status = write_one(c, w, texts);
    if (w->standard)
        return status;
    if (status)
        rk_temporary_abort(&w->file);
    else if ((status = rk_temporary_commit(&w->file, message, sizeof message)))
        rk_graph_report(c->run.user, status, "%s", message);
    return status;
}

/* -- A file for each part: (files, number, text) */

static int write_part(const char *path, rask_bytes text, char *message, size_t capacity)
{
    rk_temporary file = {.fd = -1};
    rk_open_error error = {0};
    if (!rk_temporary_open(&file, path, false, &error)) {
        snprintf(message, capacity, "%s", error.message);
        return error.status;
    }
    if (!rk_file_write(file.fd, text.data, text.len, 0))
        return rk_temporary_commit(&file, message, capacity);
    int number = errno;
    rk_temporary_abort(&file);
    snprintf(message, capacity, "%s: %s", path, strerror(number));
    return rk_errno_status(number);
}

static int run_part(rask_task *task)
{
    const writing *w = rk_shared_arg(task, 0, &rk_bag_shared_class);
    long long number = rask_arg_i64(task, 1);
    char message[1200] = "";
    if (!w)
        return RASK_ETYPE;
    size_t capacity = strlen(w->path) + 32;
    char *path = rk_alloc(capacity);
    if (!path)
        return rk_bag_task_fail(task, RASK_ENOMEM, "");
    snprintf(path, capacity, "%.*s%0*lld%s", (int)w->star, w->path, w->digits, number, w->path + w->star + 1);
    int status = write_part(path, rask_arg_bytes(task, 2), message, sizeof message);
    rk_free(path);
    return status ? rk_bag_task_fail(task, status, message) : rask_return_none(task);
}

/* Here where tasks do not know what is written. */
static const rask_task_def part_defs[] = RK_DEFS_BY_PLACE(.name = "write", .call = run_part);

static int write_parts(rk_bag_computation *c, writing *w, const rk_bag_nodes *texts)
{
    rask_value *values = rk_calloc((size_t)texts->count + 1, sizeof *values);
    bool here = !rask_scheduler_sees_memory(c->run.options.scheduler);
    int status = values ? RASK_OK : RASK_ENOMEM;
    w->digits = texts->count > 1000 ? snprintf(NULL, 0, "%u", texts->count - 1) : 3;
    for (uint32_t i = 0; i < texts->count && !status; i++) {
        const rask_arg args[] = {{.kind = RASK_ARG_I64, .as.i64 = i},
                                 {.kind = RASK_ARG_NODE, .as.node = texts->nodes[i]}};
        texts->nodes[i] = rk_bag_call(c->lowering.graph, &part_defs[here], w, args, 2, 0, 0);
        status = c->lowering.graph->status;
    }
    if (!status)
        status = rk_own_run_nodes(&c->run, texts->nodes, texts->count, values);
    rk_free(values); /* which are none */
    return status;
}

/* -- The call */

int rk_bag_lower_text(const rk_bag_lowering *l, rask_bag *bag, const char *path, rk_bag_nodes *texts,
                      char *message, size_t capacity)
{
    rk_bag_sink_plan sink = {.kind = RK_BAG_SINK_PRINTED, .shape = bag->shape};
    int status = path ? rk_compressor_find(path, &sink.compressor, message, capacity) : RASK_OK;
    return status ? status : rk_bag_lower_stage(l, bag, &sink, texts);
}

static int print(rk_bag_computation *c, rask_bag *bag, writing *w)
{
    const char *path = w->standard ? NULL : w->path;
    rk_bag_nodes texts;
    rk_recipe *recipe = rk_bag_recipe_begin(&c->lowering, bag, RK_BAG_AS_TEXT, path);
    int status = rk_bag_lower_text(&c->lowering, bag, path, &texts, w->message, sizeof w->message);
    rk_recipe_end(recipe);
    if (status) {
        if (!c->lowering.graph->status)
            rk_graph_report(c->run.user, status, "%s", w->message);
        return status;
    }
    return w->path[w->star] ? write_parts(c, w, &texts) : write_one_file(c, w, &texts);
}

int rask_bag_write(rask_bag *bag, const char *path, const rask_options *options)
{
    rk_bag_computation c;
    writing w = {.path = path, .standard = path && strcmp(path, "-") == 0, .file = {.fd = -1}};
    int status = rk_bag_begin(&c, bag, options);
    if (!status && (!path || !*path))
        status = RASK_EINVAL;
    w.star = status ? 0 : strcspn(path, "*");
    if (!status && w.star > INT32_MAX)
        status = RASK_ELIMIT;
    if (!status)
        status = print(&c, bag, &w);
    return rk_own_run_end(&c.run, status);
}
