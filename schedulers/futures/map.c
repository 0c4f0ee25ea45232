/* The same task for many inputs: all at once, or through a window. */
#include "schedulers/futures/client.h"
#include "schedulers/futures/completion.h"

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
        futures[i] = NULL;
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
    flight *flights;
    rask_completion *completion; /* of the same slots; NULL: in the order of the inputs */
    size_t room, count, landed;  /* slots, those in use, and the one that was given back last */
    uint64_t taken, sunk;
    int status;
    bool over;
} stream;

/* The call, under way; or a future that says why it is not. */
static rask_future *start(const stream *s, const rask_value *input)
{
    rask_graph *graph = rask_graph_new();
    rask_node *node = graph ? call_of(graph, s->def, input) : NULL;
    rask_future *future =
        node ? rask_submit(s->client, node)
             : rk_client_failed(s->client, rask_graph_status(graph), graph ? rask_graph_error(graph) : NULL);
    rask_graph_free(graph);
    return future;
}

/* The next input, under way; false: there is none any more. */
static bool take_off(stream *s)
{
    rask_value input = rask_value_none();
    if (!s->how->next(s->how->context, &input))
        return false;
    size_t slot = s->taken < s->room ? (size_t)s->taken : s->landed;
    s->flights[slot] = (flight){start(s, &input), s->taken++};
    s->count++;
    if (s->completion)
        rk_completion_watch(s->completion, slot, s->flights[slot].future);
    rask_value_unref(&input);
    return true;
}

static void land(stream *s)
{
    size_t slot = s->completion ? rk_completion_take(s->completion, 0) : (size_t)(s->sunk % s->room);
    flight f = s->flights[slot];
    s->flights[slot].future = NULL;
    s->landed = slot;
    s->sunk++;
    s->count--;
    rask_value value = rask_value_none();
    int status = rask_future_result(f.future, &value);
    int answer = s->how->sink(s->how->context, f.index, status, &value, rask_future_error(f.future));
    if (!s->status)
        s->status = answer ? answer : status;
    s->over = answer;
    rask_value_unref(&value);
    rask_future_unref(f.future);
}

static void fly(stream *s)
{
    bool more = true;
    while (!s->over && (more || s->count)) {
        while (more && s->count < s->room)
            more = take_off(s);
        if (s->count)
            land(s);
    }
}

int rask_map_stream(rask_client *client, const rask_task_def *def, const rask_stream *how)
{
    if (!client || !def || !how || how->size < sizeof *how || !how->next || !how->sink)
        return RASK_EINVAL;
    stream s = {.client = client, .def = def, .how = how};
    s.room = how->in_flight ? how->in_flight : (size_t)4 * rk_client_executor(client)->options.workers;
    s.flights = s.room < SIZE_MAX / sizeof *s.flights ? rk_calloc(s.room, sizeof *s.flights) : NULL;
    s.completion = how->as_completed ? rk_completion_new(s.room) : NULL;
    if (!s.flights || (how->as_completed && !s.completion))
        s.status = RASK_ENOMEM;
    else
        fly(&s);
    for (size_t i = 0; s.flights && i < s.room; i++)
        give_up(&s.flights[i].future, 1);
    rask_completion_free(s.completion);
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
