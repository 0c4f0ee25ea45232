/* What a plan has: how many tasks of each name, and which names take from which. Linear in the plan, once a run. */
#include "core/observe/dashboard/live.h"

#include <string.h>

typedef struct walk {
    rk_live *live;
    const rask_plan *plan;
    uint32_t *places; /* by definition */
    uint64_t counts[RK_LIVE_LINKED][RK_LIVE_LINKED];
} walk;

uint32_t rk_live_place(rk_live *live, const char *name)
{
    char text[RK_LIVE_TEXT];
    rk_live_copy(text, sizeof text, name);
    for (uint32_t i = 0; i < live->name_count; i++)
        if (!strcmp(live->names[i].text, text))
            return i;
    if (live->name_count == RK_LIVE_NAMES)
        return RK_LIVE_NAMES - 1;
    bool last = live->name_count == RK_LIVE_NAMES - 1;
    rk_live_copy(live->names[live->name_count].text, RK_LIVE_TEXT, last ? "all others" : text);
    return live->name_count++;
}

static uint32_t place_of(walk *w, uint32_t task)
{
    uint32_t *place = &w->places[w->plan->def[task] & RK_TASK_DEF_MASK];
    if (*place == UINT32_MAX)
        *place = rk_live_place(w->live, rk_plan_def(w->plan, task)->name);
    return *place;
}

static void count_arguments(walk *w, uint32_t task, uint32_t to)
{
    const rask_plan *plan = w->plan;
    for (uint32_t i = plan->arg_start[task]; i < plan->arg_start[task + 1]; i++) {
        uint32_t from = plan->args[i] & RK_CONSTANT ? UINT32_MAX : place_of(w, plan->args[i]);
        if (from < RK_LIVE_LINKED && to < RK_LIVE_LINKED)
            w->counts[from][to]++;
    }
}

static void keep_links(walk *w)
{
    w->live->link_count = 0;
    for (uint32_t from = 0; from < RK_LIVE_LINKED; from++)
        for (uint32_t to = 0; to < RK_LIVE_LINKED; to++)
            if (w->counts[from][to])
                w->live->links[w->live->link_count++] = (rk_live_link){from, to, w->counts[from][to]};
}

void rk_live_walk(rk_live *live, const rask_plan *plan)
{
    walk *w = rk_calloc(1, sizeof *w);
    uint32_t *places = rk_alloc_array((size_t)plan->def_count + 1, sizeof *places);
    if (w && places) {
        memset(places, 0xff, ((size_t)plan->def_count + 1) * sizeof *places);
        *w = (walk){.live = live, .plan = plan, .places = places};
        for (uint32_t task = 0; task < plan->tasks; task++) {
            uint32_t place = place_of(w, task);
            live->names[place].expected++;
            count_arguments(w, task, place);
        }
        keep_links(w);
        live->plans++;
    }
    rk_free(places);
    rk_free(w);
}
