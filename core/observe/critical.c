/* Walking a plan that has run: the longest chain of its tasks, by what each took, and which names took from which. */
#include "core/observe/profile.h"

#include <string.h>

/* By task. */
typedef struct walk {
    rask_profile *profile;
    const rask_plan *plan;
    double *ends;      /* of the longest chain that ends with it */
    uint32_t *befores; /* who comes before it in that; UINT32_MAX: nobody */
    uint32_t *places;  /* by definition: of its name in the profile; UINT32_MAX: not looked up */
    uint64_t *counts;  /* by pairs of names; NULL: too many names, or no memory */
    uint32_t names;
} walk;

static uint32_t place_of(walk *w, uint32_t task)
{
    uint32_t def = w->plan->def[task] & RK_TASK_DEF_MASK;
    if (w->places[def] == UINT32_MAX)
        w->places[def] = rk_profile_place(w->profile, rk_plan_def(w->plan, task)->name);
    return w->places[def];
}

/* Arguments have smaller numbers: those before task are done. */
static void visit(walk *w, uint32_t task)
{
    const rask_plan *plan = w->plan;
    double longest = 0;
    w->befores[task] = UINT32_MAX;
    uint32_t to = place_of(w, task);
    for (uint32_t i = plan->arg_start[task]; i < plan->arg_start[task + 1]; i++) {
        uint32_t before = plan->args[i];
        if (before & RK_CONSTANT)
            continue;
        uint32_t from = place_of(w, before);
        if (w->counts && from < w->names && to < w->names)
            w->counts[(uint64_t)from * w->names + to]++;
        if (w->ends[before] > longest || w->befores[task] == UINT32_MAX) {
            longest = w->ends[before];
            w->befores[task] = before;
        }
    }
    w->ends[task] = longest + (double)w->profile->seconds[task] * 1e9;
}

static void add_chain(walk *w)
{
    uint32_t last = UINT32_MAX;
    for (uint32_t task = 0; task < w->plan->tasks; task++)
        if (last == UINT32_MAX || w->ends[task] > w->ends[last])
            last = task;
    for (uint32_t task = last; task != UINT32_MAX; task = w->befores[task]) {
        double ns = (double)w->profile->seconds[task] * 1e9;
        uint32_t place = place_of(w, task);
        w->profile->whole.critical_ns += ns;
        if (place != UINT32_MAX)
            rk_profile_at(w->profile, place)->critical_ns += ns;
    }
}

static rk_profile_link *link_between(rask_profile *profile, uint32_t from, uint32_t to)
{
    rk_profile_link *links = profile->links.data;
    for (size_t i = 0; i < profile->links.count; i++)
        if (links[i].from == from && links[i].to == to)
            return &links[i];
    rk_profile_link *link = rk_array_push(&profile->links);
    if (link)
        *link = (rk_profile_link){from, to, 0};
    return link;
}

static void add_links(walk *w)
{
    for (uint32_t from = 0; w->counts && from < w->names; from++)
        for (uint32_t to = 0; to < w->names; to++) {
            uint64_t count = w->counts[(uint64_t)from * w->names + to];
            rk_profile_link *link = count ? link_between(w->profile, from, to) : NULL;
            if (link)
                link->count += count;
        }
}

/* Every name of the plan gets its place before pairs of them are counted. */
static void walk_all(walk *w)
{
    for (uint32_t i = 0; i < w->plan->def_count; i++)
        w->places[i] = UINT32_MAX;
    for (uint32_t task = 0; task < w->plan->tasks; task++)
        place_of(w, task);
    w->names = (uint32_t)w->profile->names.count;
    if (w->names <= RK_PROFILE_LINKED)
        w->counts = rk_calloc((size_t)w->names * w->names, sizeof *w->counts);
    for (uint32_t task = 0; task < w->plan->tasks; task++)
        visit(w, task);
    add_chain(w);
    add_links(w);
}

void rk_profile_walk(rask_profile *profile, const rask_plan *plan)
{
    walk w = {.profile = profile, .plan = plan};
    size_t tasks = (size_t)plan->tasks + 1;
    w.ends = rk_alloc_array(tasks, sizeof *w.ends);
    w.befores = rk_alloc_array(tasks, sizeof *w.befores);
    w.places = rk_alloc_array((size_t)plan->def_count + 1, sizeof *w.places);
    if (w.ends && w.befores && w.places && profile->whole.critical_ns >= 0)
        walk_all(&w);
    else
        profile->whole.critical_ns = -1;
    rk_free(w.ends);
    rk_free(w.befores);
    rk_free(w.places);
    rk_free(w.counts);
}
