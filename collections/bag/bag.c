#include "collections/bag/bag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void *rk_bag_refuse(rask_graph *graph, int status, const rk_bag_site *site, const char *format, ...)
{
    char text[RK_MAX_MESSAGE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return rk_graph_fail(graph, status, site->file, site->line, "%s: %s", site->what, text);
}

void *rk_bag_keep(rask_graph *graph, const void *data, size_t size, const rk_bag_site *site)
{
    void *memory = rk_arena_alloc(&graph->arena, size ? size : 1);
    if (!memory)
        return rk_bag_refuse(graph, RASK_ENOMEM, site, "out of memory");
    if (data && size)
        memcpy(memory, data, size);
    else
        memset(memory, 0, size);
    return memory;
}

const char *rk_bag_keep_text(rask_graph *graph, const char *text, const rk_bag_site *site)
{
    return rk_bag_keep(graph, text, strlen(text) + 1, site);
}

/* -- Contexts */

typedef struct ending {
    void (*release)(void *context);
    void *context;
} ending;

static void end_context(void *what)
{
    const ending *e = what;
    e->release(e->context);
}

int rk_bag_release_at_end(rask_graph *graph, void (*release)(void *), void *context, const rk_bag_site *site)
{
    if (!release)
        return RASK_OK;
    ending *e = rk_bag_keep(graph, &(ending){release, context}, sizeof *e, site);
    if (e && rk_graph_at_end(graph, end_context, e))
        rk_bag_refuse(graph, RASK_ENOMEM, site, "out of memory");
    return graph->status;
}

int rk_bag_result_shape(rask_graph *graph, const rk_shape *in, const char *result, size_t struct_size,
                        rk_shape *out, const rk_bag_site *site)
{
    *out = *in;
    if (result && rk_shape_init(out, result, struct_size))
        rk_bag_refuse(graph, RASK_EINVAL, site,
                      "result \"%.20s\" is no 1 to %d letters of \"yidx\", or an 'x' of no size", result,
                      RASK_MAX_FIELDS);
    return graph->status;
}

const rask_bag_gathering *rk_bag_keep_gathering(rask_bag *bag, const rask_bag_gathering *g, rk_shape *shape,
                                                const rk_bag_site *site)
{
    rask_graph *graph = bag->graph;
    if (!g || g->size != sizeof *g || !g->call)
        return rk_bag_refuse(graph, RASK_EINVAL, site, "no function, or its size is not set");
    if (rk_bag_result_shape(graph, &bag->shape, g->result, g->struct_size, shape, site))
        return NULL;
    rask_bag_gathering *kept = rk_bag_keep(graph, g, sizeof *g, site);
    if (!kept || rk_bag_release_at_end(graph, g->release, g->context, site))
        return NULL;
    kept->name = rk_bag_keep_text(graph, g->name ? g->name : site->what, site);
    return kept->name ? kept : NULL;
}

/* -- Bags */

/* Inputs there are, of this graph. */
static bool check_inputs(rask_graph *graph, rask_bag *const *inputs, uint32_t count, const rk_bag_site *site)
{
    for (uint32_t i = 0; i < count; i++) {
        if (inputs[i] && inputs[i]->graph == graph)
            continue;
        if (inputs[i])
            rk_bag_refuse(graph, RASK_EINVAL, site, "bags of different graphs");
        return false;
    }
    return true;
}

static bool is_too_high(const rask_bag *bag)
{
    return bag->depth > RK_BAG_DEPTH || bag->steps > RK_BAG_STEPS;
}

static void add_input(rask_bag *bag, const rask_bag *input)
{
    bag->depth = input->depth > bag->depth ? input->depth : bag->depth;
    bag->steps = input->steps > bag->steps ? input->steps : bag->steps;
    if (__builtin_add_overflow(bag->bytes, input->bytes, &bag->bytes))
        bag->bytes = UINT64_MAX;
}

rask_bag *rk_bag_new(rask_graph *graph, rk_bag_kind kind, rask_bag *const *inputs, uint32_t count,
                     const rk_shape *shape, const rk_bag_site *site)
{
    if (!graph || graph->status || !check_inputs(graph, inputs, count, site))
        return NULL;
    bool step = kind == RK_BAG_STEP;
    rask_bag *bag = rk_bag_keep(graph, NULL, sizeof *bag, site);
    if (!bag)
        return NULL;
    bag->graph = graph;
    bag->kind = kind;
    bag->shape = shape ? *shape : inputs[0]->shape;
    bag->input_count = count;
    for (uint32_t i = 0; i < count; i++)
        add_input(bag, inputs[i]);
    bag->depth += !step;
    bag->steps = step || kind == RK_BAG_CONCAT ? bag->steps + step : 0; /* a concat's inputs' steps go on */
    if (is_too_high(bag))
        return rk_bag_refuse(graph, RASK_ELIMIT, site,
                             "more than %d steps, or %d other operations, one above the other", RK_BAG_STEPS,
                             RK_BAG_DEPTH);
    bag->inputs = rk_bag_keep(graph, inputs, count * sizeof(rask_bag *), site);
    return bag->inputs ? bag : NULL;
}

rask_bag *rk_bag_base(rask_bag *bag)
{
    while (bag->kind == RK_BAG_STEP)
        bag = bag->inputs[0];
    return bag;
}

const char *rask_bag_types(const rask_bag *bag)
{
    return bag ? bag->shape.types : "";
}

rask_graph *rask_bag_graph(const rask_bag *bag)
{
    return bag ? bag->graph : NULL;
}
