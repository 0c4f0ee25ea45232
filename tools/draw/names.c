#include "tools/draw/names.h"

#include <string.h>
#include <xxhash.h>

static const char *def_name(const rask_graph *graph, uint32_t def)
{
    const char *name = ((const rask_task_def *const *)graph->definitions.data)[def]->name;
    return name ? name : "?";
}

/* The name's number, which is a new one when no definition before had it. slots: numbers + 1; 0 is empty. */
static uint32_t intern(rk_names *names, uint32_t *slots, size_t mask, const char *text)
{
    size_t at = XXH3_64bits(text, strlen(text)) & mask;
    for (; slots[at]; at = (at + 1) & mask)
        if (!strcmp(names->text[slots[at] - 1], text))
            return slots[at] - 1;
    names->text[names->count++] = text;
    slots[at] = names->count;
    return names->count - 1;
}

int rk_names_init(rk_names *names, const rask_graph *graph)
{
    *names = (rk_names){.count = RK_NAME_FIRST_TASK};
    size_t defs = graph->definitions.count, slots_count = 16;
    while (slots_count < 2 * defs)
        slots_count *= 2;
    uint32_t *slots = rk_calloc(slots_count, sizeof *slots);
    names->text = rk_alloc_array(defs + RK_NAME_FIRST_TASK + 1, sizeof *names->text);
    names->of_def = rk_alloc_array(defs + 1, sizeof *names->of_def);
    if (!slots || !names->text || !names->of_def) {
        rk_free(slots);
        return RASK_ENOMEM;
    }
    names->text[RK_NAME_CONSTANT] = "constant";
    names->text[RK_NAME_INPUT] = "input";
    for (uint32_t def = 0; def < defs; def++)
        names->of_def[def] = intern(names, slots, slots_count - 1, def_name(graph, def));
    names->text[names->count] = "other tasks";
    rk_free(slots);
    return RASK_OK;
}

void rk_names_fini(rk_names *names)
{
    rk_free(names->text);
    rk_free(names->of_def);
    *names = (rk_names){0};
}
