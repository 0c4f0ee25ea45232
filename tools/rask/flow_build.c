/* The graph of a workflow. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const rask_task_def *)a)->name, ((const rask_task_def *)b)->name);
}

/* A definition a name, sorted. */
static bool make_defs(flow *f, const flow_stages *stages)
{
    uint32_t kept = 0;
    f->defs = calloc(f->count, sizeof *f->defs);
    for (uint32_t i = 0; f->defs && i < f->count; i++)
        f->defs[i] = (rask_task_def){.size = sizeof *f->defs,
                                     .name = f->tasks[i].name,
                                     .call = stages->work,
                                     .arguments = stages->arguments,
                                     .result = 'i'};
    if (f->defs)
        qsort(f->defs, f->count, sizeof *f->defs, by_name);
    for (uint32_t i = 0; f->defs && i < f->count; i++)
        if (!kept || by_name(&f->defs[kept - 1], &f->defs[i]) != 0)
            f->defs[kept++] = f->defs[i];
    f->def_count = kept;
    return f->defs;
}

/* A graph in the making. */
typedef struct builder {
    flow *flow;
    rask_graph *graph;
    const flow_stages *stages;
    uint32_t retries;
    const char *file;
    rask_node **before; /* room for what a task comes after */
} builder;

static rask_node *call(const builder *b, const flow_task *t, const rask_task_def *def, const rask_arg *args,
                       size_t count)
{
    return rask_set_label(rask_call_at(b->graph, def, args, count, t->line ? b->file : NULL, t->line), t->id);
}

static rask_node *come_after(const builder *b, const flow_task *t, rask_node *node)
{
    for (uint32_t i = 0; i < t->before_count; i++)
        b->before[i] = b->flow->nodes[t->before[i]];
    if (t->before_count)
        node = rask_after_at(node, b->before, t->before_count, t->line ? b->file : NULL, t->line);
    return node;
}

static rask_node *build_work(const builder *b, const flow_task *t, const rask_arg *argument)
{
    const rask_task_def key = {.name = t->name};
    const rask_task_def *def = bsearch(&key, b->flow->defs, b->flow->def_count, sizeof key, by_name);
    rask_node *node = call(b, t, def, argument, 1);
    if (!b->stages->before)
        node = come_after(b, t, node);
    if (t->retries || b->retries)
        node = rask_set_retries(node, t->retries ? t->retries : b->retries);
    if (t->timeout > 0)
        node = rask_set_timeout(node, t->timeout);
    return t->tags ? rask_set_tags(node, t->tags) : node;
}

static rask_node *build_task(const builder *b, uint32_t number)
{
    const flow_task *t = &b->flow->tasks[number];
    rask_arg args[2] = {{.kind = RASK_ARG_I64, .as.i64 = number}, {.kind = RASK_ARG_NODE}}, first = args[0];
    if (b->stages->before)
        first = (rask_arg){.kind = RASK_ARG_NODE,
                           .as.node = come_after(b, t, call(b, t, b->stages->before, args, 1))};
    rask_node *work = b->flow->works[number] = build_work(b, t, &first);
    args[1].as.node = work;
    return b->stages->behind ? call(b, t, b->stages->behind, args, 2) : work;
}

/* What the graph says, without the place, which is said already. */
static bool fail_to_build(const flow_task *t, const rask_graph *graph, const char *file,
                          char error[FLOW_ERROR])
{
    const char *why = graph ? rask_graph_error(graph) : "";
    char place[FLOW_ERROR];
    int len = snprintf(place, sizeof place, "%s:%d: ", file, t->line);
    if (len > 0 && (size_t)len < sizeof place && strncmp(why, place, (size_t)len) == 0)
        why += len;
    snprintf(error, FLOW_ERROR, "task \"%.150s\": %.400s", t->id, *why ? why : rask_status_text(RASK_ENOMEM));
    return false;
}

bool flow_build(flow *f, rask_graph *graph, const flow_stages *stages, uint32_t retries, const char *file,
                char error[FLOW_ERROR])
{
    builder b = {.flow = f, .graph = graph, .stages = stages, .retries = retries, .file = file};
    b.before = calloc(f->count, sizeof *b.before);
    f->nodes = calloc(f->count, sizeof *f->nodes);
    f->works = calloc(f->count, sizeof *f->works);
    bool good = b.before && f->nodes && f->works && make_defs(f, stages);
    if (!good)
        snprintf(error, FLOW_ERROR, "%s", rask_status_text(RASK_ENOMEM));
    for (uint32_t i = 0; good && i < f->count; i++) {
        uint32_t number = f->order[i];
        f->nodes[number] = build_task(&b, number);
        good = f->nodes[number] || fail_to_build(&f->tasks[number], graph, file, error);
    }
    free(b.before);
    return good;
}
