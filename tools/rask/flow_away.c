#include "flow_away.h"

#include "flow_command.h"
#include "flow_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    const flow *flow;
    flow_manner manner;     /* outcomes are written by the calling process alone */
    char folder[FLOW_PATH]; /* where it runs */
    uint32_t *task_of;      /* by node; a task each has one that works */
    uint32_t node_count;
    rask_observer observer;
} away;

/* -- Orders: what a worker needs to know, as texts one behind the other, each ending with NUL. Lists end with an empty one. */

enum {
    FOLDER,
    OUT,
    ERR,
    SECONDS,
    SPINS,
    SHELL,
    FIXED
}; /* SECONDS: of a simulation, SPINS: of one that computes */

typedef struct order {
    const char *fixed[FIXED];
    const char **outputs, **arguments;
} order;

static bool put(FILE *out, const char *text)
{
    return fwrite(text, 1, strlen(text) + 1, out) == strlen(text) + 1;
}

/* A mark before each: texts may be empty. */
static bool put_list(FILE *out, const char *const *list)
{
    for (; list && *list; list++)
        if (putc('+', out) == EOF || !put(out, *list))
            return false;
    return put(out, "");
}

static bool put_path(FILE *out, const flow_task *what, const char *kind)
{
    char path[FLOW_PATH], whole[2 * FLOW_PATH];
    if (away.manner.scale >= 0)
        return put(out, "");
    flow_state_path(away.manner.folder, what, kind, path);
    snprintf(whole, sizeof whole, *path == '/' ? "%.0s%s" : "%s/%s", away.folder, path);
    return put(out, whole);
}

static int give_order(rask_task *t, const flow_task *what)
{
    char *text = NULL, seconds[32] = "";
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (away.manner.scale >= 0)
        snprintf(seconds, sizeof seconds, "%.9g", what->seconds * away.manner.scale);
    bool whole = out && put(out, away.folder) && put_path(out, what, "out") && put_path(out, what, "err") &&
                 put(out, seconds) && put(out, away.manner.spins ? "yes" : "") &&
                 put(out, what->shell ? what->shell : "") && put_list(out, what->outputs) &&
                 put_list(out, what->arguments);
    if (out && fclose(out))
        whole = false;
    int status = whole ? rask_return_bytes(t, text, len)
                       : rask_fail(t, RASK_ENOMEM, "no memory for the order to run its command");
    free(text);
    return status;
}

static const char *take(const char **at, const char *end)
{
    const char *text = *at, *nul = memchr(text, 0, (size_t)(end - text));
    if (!nul)
        return NULL;
    *at = nul + 1;
    return text;
}

/* NULL: what is there is no list, or there is no memory. */
static const char **take_list(const char **at, const char *end)
{
    const char **list = calloc((size_t)(end - *at) / 2 + 1, sizeof *list), *text = NULL;
    for (size_t i = 0; list && (text = take(at, end)) && *text == '+'; i++)
        list[i] = text + 1;
    if (text && !*text)
        return list;
    free(list);
    return NULL;
}

static void free_order(const order *o)
{
    free(o->outputs);
    free(o->arguments);
}

static bool read_order(order *o, rask_bytes bytes)
{
    const char *at = bytes.data, *end = at + bytes.len;
    *o = (order){0};
    for (int i = 0; i < FIXED; i++)
        if (!(o->fixed[i] = take(&at, end)))
            return false;
    o->outputs = take_list(&at, end);
    o->arguments = o->outputs ? take_list(&at, end) : NULL;
    return o->arguments != NULL;
}

/* -- The stages of a task */

static int fail(rask_task *t, int status, const char *what, const char *which)
{
    char message[400], tried[FLOW_ATTEMPTS];
    flow_command_say_attempts(t, tried);
    snprintf(message, sizeof message, "%s%s%.300s", tried, what, which ? which : "");
    return rask_fail(t, status, message);
}

/* Here: an order, or nothing when it is done. */
static int check(rask_task *t)
{
    int64_t number = rask_arg_i64(t, 0);
    const flow_task *what = &away.flow->tasks[number];
    char key[FLOW_KEY];
    const char *which;
    if (!flow_state_key(what, away.manner.scale, key, &which)) {
        away.manner.outcomes[number] = FLOW_BEGUN;
        return fail(t, RASK_ENOENT, "no such input: ", which);
    }
    if (!away.manner.again && flow_state_is_done(away.manner.folder, what, away.manner.scale, key)) {
        away.manner.outcomes[number] = FLOW_WAS_DONE;
        return rask_return_bytes(t, "", 0);
    }
    return give_order(t, what);
}

/* Outputs are looked for where the command ran, so that it is tried again. */
static int check_outputs(rask_task *t, const order *o)
{
    char path[2 * FLOW_PATH];
    for (const char **output = o->outputs; *output; output++) {
        snprintf(path, sizeof path, **output == '/' ? "%.0s%s" : "%s/%s", o->fixed[FOLDER], *output);
        if (access(path, F_OK))
            return fail(t, RASK_ENOENT, "it did not make its output ", *output);
    }
    return RASK_OK;
}

static int carry_out(rask_task *t, const order *o)
{
    flow_task what = {.shell = *o->fixed[SHELL] ? o->fixed[SHELL] : NULL};
    if (*o->fixed[SECONDS])
        return flow_command_simulate(t, strtod(o->fixed[SECONDS], NULL), *o->fixed[SPINS]);
    what.arguments = !what.shell && *o->arguments ? o->arguments : NULL;
    if (access(o->fixed[FOLDER], X_OK))
        return fail(t, RASK_ENOENT, "its worker does not have the folder ", o->fixed[FOLDER]);
    int status = RASK_OK;
    if (what.shell || what.arguments)
        status = flow_command_run(t, &what, o->fixed[FOLDER], o->fixed[OUT], o->fixed[ERR]);
    return status ? status : check_outputs(t, o);
}

/* On a worker. */
static int work(rask_task *t)
{
    rask_bytes bytes = rask_arg_bytes(t, 0);
    order o;
    if (!bytes.len)
        return rask_return_i64(t, 0);
    int status = read_order(&o, bytes) ? carry_out(t, &o) : rask_fail(t, RASK_EFORMAT, "no order to work on");
    free_order(&o);
    return status ? status : rask_return_i64(t, 0);
}

/* Here. */
static int note(rask_task *t)
{
    int64_t number = rask_arg_i64(t, 0);
    const flow_task *what = &away.flow->tasks[number];
    char key[FLOW_KEY];
    const char *which;
    if (away.manner.outcomes[number] == FLOW_WAS_DONE)
        return rask_return_i64(t, 0);
    away.manner.outcomes[number] = FLOW_BEGUN;
    if (!flow_state_key(what, away.manner.scale, key, &which))
        return fail(t, RASK_ENOENT, "no such input: ", which);
    if (!flow_state_set_done(away.manner.folder, what, away.manner.scale, key, &which))
        return which ? fail(t, RASK_ENOENT, "it did not make its output ", which)
                     : flow_command_not_noted(t, away.manner.folder);
    away.manner.outcomes[number] = FLOW_RAN;
    return rask_return_i64(t, 0);
}

static const rask_task_def check_def = {.size = sizeof check_def,
                                        .name = "look whether it is done",
                                        .call = check,
                                        .arguments = "i",
                                        .result = 'y',
                                        .flags = RASK_HERE};
static const rask_task_def note_def = {.size = sizeof note_def,
                                       .name = "note that it is done",
                                       .call = note,
                                       .arguments = "ii",
                                       .result = 'i',
                                       .flags = RASK_HERE};
const flow_stages flow_away_stages = {
    .work = work, .arguments = "y", .before = &check_def, .behind = &note_def};

/* -- What failed, which no task comes back to tell */

static void task_finished(void *context, const rask_task_info *info)
{
    (void)context;
    if (info->status && info->status != RASK_ECANCELLED && info->node < away.node_count &&
        away.task_of[info->node] != UINT32_MAX)
        away.manner.outcomes[away.task_of[info->node]] = FLOW_BEGUN;
}

static bool map_nodes(void)
{
    for (uint32_t i = 0; i < away.flow->count; i++)
        if (rask_node_id(away.flow->works[i]) >= away.node_count)
            away.node_count = rask_node_id(away.flow->works[i]) + 1;
    away.task_of = malloc((away.node_count + 1) * sizeof *away.task_of);
    for (uint32_t i = 0; away.task_of && i < away.node_count; i++)
        away.task_of[i] = UINT32_MAX;
    for (uint32_t i = 0; away.task_of && i < away.flow->count; i++)
        away.task_of[rask_node_id(away.flow->works[i])] = i;
    return away.task_of;
}

const rask_observer *flow_away_observer(void)
{
    away.observer = (rask_observer){.size = sizeof away.observer, .task_finished = task_finished};
    return map_nodes() ? &away.observer : NULL;
}

bool flow_away_begin(const flow *f, const flow_manner *manner, char error[FLOW_ERROR])
{
    memset(&away, 0, sizeof away);
    away.flow = f;
    away.manner = *manner;
    if (getcwd(away.folder, sizeof away.folder))
        return true;
    snprintf(error, FLOW_ERROR, "the folder where it runs has no name that workers could use");
    return false;
}

void flow_away_end(void)
{
    free(away.task_of);
    memset(&away, 0, sizeof away);
}
