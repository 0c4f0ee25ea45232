/* A graph's life, and its errors. */
#include "core/graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_RENEWED = 1024, MOST_KNOWN = 64, SERIALS = 64 };

/* Threads take many at once, so that those whose tasks grow need not count together. */
static uint64_t next_serial(void)
{
    static rk_atomic_u64 taken;
    static _Thread_local uint64_t next, end;
    if (next == end) {
        next = rk_add_relaxed(&taken, SERIALS);
        end = next + SERIALS;
    }
    return next++;
}

rask_graph *rask_graph_new(void)
{
    rask_graph *graph = rk_calloc(1, sizeof *graph);
    if (!graph)
        return NULL;
    rk_init(&graph->refs, 1);
    graph->serial = next_serial();
    graph->args = (rk_array)RK_ARRAY(uint32_t, RK_MAX_ARGUMENTS);
    graph->constants = (rk_array)RK_ARRAY(rask_value, RK_MAX_CONSTANTS);
    graph->definitions = (rk_array)RK_ARRAY(const rask_task_def *, RK_MAX_DEFINITIONS);
    graph->sites = (rk_array)RK_ARRAY(rk_site, RK_MAX_SITES - 1);
    graph->extras = (rk_array)RK_ARRAY(rk_extra, RK_MAX_NODES);
    graph->contexts = (rk_array)RK_ARRAY(rk_context, RK_MAX_NODES);
    pthread_mutex_init(&graph->lock, NULL);
    return graph;
}

rask_graph *rk_graph_ref(rask_graph *graph)
{
    rk_add_relaxed(&graph->refs, 1);
    return graph;
}

struct rk_graph_end {
    struct rk_graph_end *next;
    void (*end)(void *what);
    void *what;
};

int rk_graph_at_end(rask_graph *graph, void (*end)(void *what), void *what)
{
    struct rk_graph_end *item = rk_arena_alloc(&graph->arena, sizeof *item);
    if (!item)
        return RASK_ENOMEM;
    *item = (struct rk_graph_end){graph->ends, end, what};
    graph->ends = item;
    return RASK_OK;
}

static void end_constants(rask_graph *graph)
{
    rask_value *constants = graph->constants.data;
    for (size_t i = 0; i < graph->constants.count; i++)
        if (constants[i].type >= RASK_BYTES)
            rask_value_unref(&constants[i]);
    graph->constants.count = 0;
}

/* Nothing in it is more than a few pages, and nothing ends with it. */
static bool is_slight(const rask_graph *graph)
{
    return graph->count <= 1u << RK_SEGMENT_FIRST && graph->args.capacity <= MOST_RENEWED &&
           graph->constants.capacity <= MOST_RENEWED && graph->definitions.count <= MOST_KNOWN &&
           graph->sites.count <= MOST_KNOWN && !graph->extras.count && !graph->arena.total && !graph->ends &&
           !graph->arrays;
}

bool rk_graph_renew(rask_graph *graph)
{
    if (rk_load_acquire(&graph->refs) != 1 || !is_slight(graph) || graph->message)
        return false;
    end_constants(graph);
    graph->serial = next_serial();
    graph->count = 0;
    graph->args.count = 0;
    graph->status = graph->last_status = RASK_OK;
    return true;
}

void rask_graph_free(rask_graph *graph)
{
    if (!graph || rk_sub_acq_rel(&graph->refs, 1) != 1)
        return;
    for (struct rk_graph_end *item = graph->ends; item; item = item->next)
        item->end(item->what);
    end_constants(graph);
    for (int i = 0; i < RK_SEGMENTS; i++)
        rk_free(graph->segments[i]);
    rk_array_fini(&graph->args);
    rk_array_fini(&graph->constants);
    rk_array_fini(&graph->definitions);
    rk_array_fini(&graph->sites);
    rk_array_fini(&graph->extras);
    rk_array_fini(&graph->contexts);
    rk_arena_fini(&graph->arena);
    rk_free(graph->def_slots);
    rk_free(graph->extra_slots);
    rk_free(graph->context_slots);
    rk_free(graph->message);
    pthread_mutex_destroy(&graph->lock);
    rk_free(graph);
}

/* Without memory for the message the status's own text must do. */
static void set_message(rask_graph *graph, const char *where, const char *format, va_list args)
{
    char text[RK_MAX_ERROR];
    int used = snprintf(text, sizeof text, "%s", where);
    vsnprintf(text + used, sizeof text - (size_t)used, format, args);
    rk_free(graph->message);
    graph->message = rk_strndup(text, strlen(text));
}

rask_node *rk_graph_fail(rask_graph *graph, int status, const char *file, int line, const char *format, ...)
{
    if (graph->status)
        return NULL;
    char where[512] = "";
    if (file)
        snprintf(where, sizeof where, "%s:%d: ", file, line);
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&graph->lock);
    graph->status = status;
    set_message(graph, where, format, args);
    pthread_mutex_unlock(&graph->lock);
    va_end(args);
    return NULL;
}

int rk_graph_report(rask_graph *graph, int status, const char *format, ...)
{
    if (!graph)
        return status;
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&graph->lock);
    if (!graph->status) {
        graph->last_status = status;
        if (status) {
            set_message(graph, "", format, args);
        } else {
            rk_free(graph->message);
            graph->message = NULL;
        }
    }
    pthread_mutex_unlock(&graph->lock);
    va_end(args);
    return status;
}

int rask_graph_status(const rask_graph *graph)
{
    if (!graph)
        return RASK_ENOMEM;
    return graph->status ? graph->status : graph->last_status;
}

const char *rask_graph_error(const rask_graph *graph)
{
    int status = rask_graph_status(graph);
    if (!status)
        return "";
    return graph && graph->message ? graph->message : rask_status_text(status);
}

uint32_t rask_graph_size(const rask_graph *graph)
{
    return graph ? graph->count : 0;
}

int rk_graph_of(rask_node *const *targets, size_t count, rask_graph **graph)
{
    *graph = NULL;
    if (!targets || !count)
        return RASK_EINVAL;
    for (size_t i = 0; i < count && !*graph; i++)
        *graph = targets[i] ? targets[i]->graph : NULL;
    if (*graph && (*graph)->status)
        return (*graph)->status;
    for (size_t i = 0; i < count; i++) {
        if (!targets[i])
            return rk_graph_report(*graph, RASK_EGRAPH, "target %zu is NULL: it could not be built", i);
        if (targets[i]->graph != *graph)
            return rk_graph_report(*graph, RASK_EINVAL,
                                   "target %zu (%s) belongs to another graph than target 0", i,
                                   rask_node_name(targets[i]));
    }
    return RASK_OK;
}
