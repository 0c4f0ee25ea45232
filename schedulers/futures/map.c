/* The same task for many inputs: all at once, or through a window. */
#include "schedulers/futures/client.h"

#include <string.h>

/* A call with one input; NULL when it could not be built, and the graph says why. */
static rask_node *call_of(rask_graph *graph, const rask_task_def *def, const rask_value *input)
{
    const rask_value *items = input;
    size_t count = 1, length = def->arguments ? strlen(def->arguments) : 1;
    if (def->arguments && length != 1 && rask_value_get_list(input, &items, &count))
        count = 1;
    rask_arg few[8], *args = count <= 8 ? few : rk_alloc_array(count, sizeof *args);
    if (!args)
        return NULL;
    for (size_t i = 0; i < count; i++)
        args[i] = (rask_arg){.kind = RASK_ARG_VALUE, .as.value = &items[i]};
    rask_node *node = rask_call_at(graph, def, args, count, NULL, 0);
    if (args != few)
        rk_free(args);
    return node;
}

static void give_up(rask_future **futures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rask_future_cancel(futures[i]);
        rask_future_unref(futures[i]);
    }
}

int rask_map(rask_client *client, const rask_task_def *def, const rask_value *inputs, size_t count,
             rask_future **futures)
{
    if (!client || !def || (count && (!inputs || !futures)))
        return RASK_EINVAL;
    rask_graph *graph = rask_graph_new();
    int status = graph ? RASK_OK : RASK_ENOMEM;
    for (size_t i = 0; i < count && !status; i++)
        if (!call_of(graph, def, &inputs[i]))
            status = rask_graph_status(graph) ? rask_graph_status(graph) : RASK_ENOMEM;
    for (size_t i = 0; i < count && !status; i++)
        if (!(futures[i] = rask_submit(client, rk_graph_node(graph, (uint32_t)i)))) {
            give_up(futures, i);
            status = RASK_ENOMEM;
        }
    rask_graph_free(graph);
    return status;
}

/* -- Streams */

typedef struct flight {
    rask_future *future;
    uint64_t index;
} flight;

typedef struct stream {
    rask_client *client;
    const rask_task_def *def;
    const rask_stream *how;
    flight *flights; /* a ring in the order of the inputs, or a set */
    size_t room, count, first;
    uint64_t taken;
    int status;
    bool over;
} stream;

/* The next input, under way; false: there is none any more. */
static bool take_off(stream *s)
{
    rask_value input = rask_value_none();
    if (!s->how->next(s->how->context, &input))
        return false;
    rask_graph *graph = rask_graph_new();
    rask_node *node = graph ? call_of(graph, s->def, &input) : NULL;
    rask_value_unref(&input);
    rask_future *future = graph ? rask_submit(s->client, node ? node : NULL) : NULL;
    if (graph && !node) {
        rask_future_unref(future);
        future = rk_client_failed(s->client, rask_graph_status(graph), rask_graph_error(graph));
    }
    rask_graph_free(graph);
    s->flights[(s->first + s->count++) % s->room] = (flight){future, s->taken++};
    return true;
}

/* Waits for one: where it is among the flights. */
static size_t next_down(stream *s)
{
    if (!s->how->as_completed)
        return s->first;
    rask_future **futures = rk_alloc_array(s->count, sizeof(rask_future *));
    size_t at = 0;
    for (size_t i = 0; futures && i < s->count; i++)
        futures[i] = s->flights[(s->first + i) % s->room].future;
    if (futures)
        at = rask_wait_any(futures, s->count, -1);
    rk_free(futures);
    return (s->first + at) % s->room;
}

static void land(stream *s)
{
    size_t at = next_down(s);
    flight f = s->flights[at];
    s->flights[at] = s->flights[s->first];
    s->first = (s->first + 1) % s->room;
    s->count--;
    rask_value value = rask_value_none();
    int status = rask_future_result(f.future, &value);
    int answer = s->how->sink(s->how->context, f.index, status, &value, rask_future_error(f.future));
    if (!s->status)
        s->status = answer ? answer : status;
    s->over = s->over || answer;
    rask_value_unref(&value);
    rask_future_unref(f.future);
}

int rask_map_stream(rask_client *client, const rask_task_def *def, const rask_stream *how)
{
    if (!client || !def || !how || how->size < sizeof *how || !how->next || !how->sink)
        return RASK_EINVAL;
    size_t room = how->in_flight ? how->in_flight : (size_t)4 * rk_client_executor(client)->options.workers;
    stream s = {.client = client, .def = def, .how = how, .room = room};
    s.flights = rk_alloc_array(room, sizeof *s.flights);
    if (!s.flights)
        return RASK_ENOMEM;
    bool more = true;
    while (!s.over && (more || s.count)) {
        while (more && s.count < room)
            more = take_off(&s);
        if (s.count)
            land(&s);
    }
    for (size_t i = 0; i < s.count; i++)
        give_up(&s.flights[(s.first + i) % room].future, 1);
    rk_free(s.flights);
    return s.status;
}

/* -- Results that stay */

rask_node *rask_persist_at(rask_client *client, rask_node *node, rask_graph *graph, const char *file,
                           int line)
{
    if (!client || !node)
        return NULL;
    rask_future *future = rask_submit(client, node);
    rask_node *stands = rask_future_node_at(graph ? graph : node->graph, future, file, line);
    rask_future_unref(future);
    return stands && *rask_node_label(node) ? rask_set_label(stands, rask_node_label(node)) : stands;
}
