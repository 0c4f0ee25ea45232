#include "simulate.h"

#include <string.h>

uint64_t dice_draw(dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t dice_below(dice *d, uint64_t limit)
{
    return dice_draw(d) % limit;
}

bool dice_permille(dice *d, uint32_t chance)
{
    return dice_below(d, 1000) < chance;
}

uint64_t dice_spread(dice *d, uint64_t least, uint64_t most)
{
    uint64_t decades = 0, base = least;
    while (base * 10 <= most) {
        base *= 10;
        decades++;
    }
    base = least;
    for (uint64_t k = dice_below(d, decades + 1); k > 0; k--)
        base *= 10;
    uint64_t end = base * 10 < most ? base * 10 : most;
    return base + dice_below(d, end - base + 1);
}

/* A chance that is 0 in most scenarios. */
static uint32_t seldom(dice *d, uint32_t most)
{
    return dice_below(d, 3) ? 0 : (uint32_t)dice_below(d, most + 1);
}

static void add_inputs(scenario *s, uint32_t task, uint32_t *edges)
{
    uint32_t count = task ? (uint32_t)dice_below(&s->dice, 5) : 0;
    bool near = dice_below(&s->dice, 2);
    for (uint32_t i = 0; i < count && *edges < MOST_EDGES; i++) {
        uint32_t reach = near && task > 6 ? 6 : task;
        uint32_t input = task - 1 - (uint32_t)dice_below(&s->dice, reach);
        s->inputs[(*edges)++] = input | (dice_permille(&s->dice, 100) ? RK_INPUT_ORDER : 0);
    }
}

static bool takes_something(const scenario *s, uint32_t task)
{
    for (uint64_t at = s->input_start[task]; at < s->input_start[task + 1]; at++)
        if (!(s->inputs[at] & RK_INPUT_ORDER))
            return true;
    return false;
}

void scenario_script(const scenario *s, dice *d, script *x, bool source)
{
    rk_traits *t = &x->traits;
    x->bytes = dice_below(d, 4) ? dice_spread(d, 1, 100000) : 0;
    x->duration_ns = dice_spread(d, 1000, 100000000);
    x->fails = s->faults && dice_permille(d, 30) ? 1 + (uint32_t)dice_below(d, 2) : 0;
    x->fatal = s->faults && dice_permille(d, 5);
    x->poison = s->faults && dice_permille(d, 4);
    x->hangs = s->faults && dice_permille(d, 4);
    t->group = (uint32_t)dice_below(d, s->options.groups);
    t->io = dice_permille(d, 100);
    t->here = s->needs && dice_permille(d, 50);
    t->source = source && dice_below(d, 2);
    t->sure = s->sure;
    t->result_bytes = s->sure ? x->bytes : 0;
    t->scratch_bytes = s->sure && dice_permille(d, 200) ? dice_spread(d, 1, 10000) : 0;
    t->timeout_ns = x->hangs || dice_permille(d, 30) ? 400000000 : 0;
    t->retries = (uint32_t)dice_below(d, 4);
    t->backoff_ns = dice_below(d, 2) ? dice_spread(d, 1000, 10000000) : 0;
    for (uint32_t tag = 0; s->needs && tag < TAGS; tag++)
        if (dice_permille(d, 50))
            t->needs[t->need_count++] = (rk_need){tag, 1 + (uint32_t)dice_below(d, 2)};
    x->backs_off = dice_below(d, 2);
    x->grows = !t->source && dice_permille(d, s->grows);
}

static void write_script(scenario *s, uint32_t task)
{
    script *x = &s->scripts[task];
    scenario_script(s, &s->dice, x, !takes_something(s, task));
    x->traits.target = task + 1 == s->tasks || dice_permille(&s->dice, 100);
}

static uint64_t most_needed(const scenario *s)
{
    uint64_t most = 0;
    for (uint32_t task = 0; task < s->tasks; task++) {
        uint64_t bytes = s->scripts[task].bytes + s->scripts[task].traits.scratch_bytes;
        for (uint64_t at = s->input_start[task]; at < s->input_start[task + 1]; at++)
            if (!(s->inputs[at] & RK_INPUT_ORDER))
                bytes += s->scripts[s->inputs[at]].bytes;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static void plan_site(scenario *s, uint32_t home, uint64_t most)
{
    dice *d = &s->dice;
    site *x = &s->sites[home];
    bool tight = dice_below(d, 2);
    x->budget = tight ? most + dice_below(d, most / 2 + 1) : UINT64_MAX;
    if (tight && dice_permille(d, 60))
        x->budget = most / 2;
    x->disk = dice_permille(d, 150) ? dice_below(d, most + 1) : UINT64_MAX;
    x->arrives_ns = home ? dice_below(d, 30000000) * dice_below(d, 2) : 0;
    x->workers = 1 + (uint32_t)dice_below(d, 4);
    x->slots = dice_below(d, 3) ? 1 : 1 + (uint32_t)dice_below(d, 3);
    x->lanes = home && dice_permille(d, 100) ? 0 : 1 + (uint32_t)dice_below(d, 2);
    x->here = !home;
    x->disk_ns = dice_spread(d, 1000, 10000000);
    for (uint32_t tag = 0; tag < TAGS; tag++)
        x->tags[tag] = home && dice_below(d, 2) ? 0 : 2;
}

static void plan_troubles(scenario *s, bool faults)
{
    dice *d = &s->dice;
    s->message_ns = dice_spread(d, 1000, 1000000);
    s->quiet_from_ns = 2000000000;
    s->repeats = seldom(d, 200);
    s->late = seldom(d, 300);
    s->losses = faults ? seldom(d, 20) : 0;
    s->deaths = faults ? seldom(d, 40) : 0;
    s->home_deaths = faults ? seldom(d, 500) : 0;
    s->stalls = seldom(d, 50);
    s->bad_transfers = faults ? seldom(d, 200) : 0;
    s->bad_spills = faults ? seldom(d, 100) : 0;
    s->bad_loads = faults ? seldom(d, 100) : 0;
    s->memory_reports = seldom(d, 100);
    s->leavers = seldom(d, 10);
    s->cancel_ns = faults && dice_permille(d, 30) ? dice_spread(d, 1000, 100000000) : 0;
    s->starts_are_told = dice_below(d, 2);
}

void scenario_make(scenario *s, uint64_t seed)
{
    *s = (scenario){.seed = seed, .dice = {seed * 0x2545f4914f6cdd1du + 1}};
    dice *d = &s->dice;
    uint32_t edges = 0;
    s->faults = dice_below(d, 2);
    s->needs = !dice_below(d, 4);
    s->grows = dice_below(d, 2) ? 0 : 50 + (uint32_t)dice_below(d, 250);
    s->submits = dice_below(d, 4) ? 0 : 1 + (uint32_t)dice_below(d, 20);
    s->tasks = 1 + (uint32_t)dice_below(d, MOST_TASKS);
    s->homes = dice_below(d, 2) ? 1 : 1 + (uint32_t)dice_below(d, MOST_HOMES);
    s->sure = dice_below(d, 4);
    s->options = (rk_coordinator_options){.most_workers = MOST_LIVES,
                                          .most_homes = s->homes,
                                          .groups = 1 + (uint32_t)dice_below(d, 4),
                                          .keep_going = s->submits || dice_below(d, 2),
                                          .open = s->submits != 0,
                                          .grace_ns = 1000000,
                                          .window = dice_below(d, 3) ? 8 : 2,
                                          .tags = TAGS,
                                          .tag_counts = s->tag_counts};
    s->tag_counts[1] = 2;
    for (uint32_t task = 0; task < s->tasks; task++) {
        s->input_start[task] = edges;
        add_inputs(s, task, &edges);
        s->input_start[task + 1] = edges;
        write_script(s, task);
    }
    uint64_t most = most_needed(s);
    for (uint32_t home = 0; home < s->homes; home++)
        plan_site(s, home, most);
    plan_troubles(s, s->faults);
    s->sites[0].only_here = s->homes > 1 && !s->faults && dice_below(d, 2); /* others stay */
    s->options.latency_ns = s->message_ns;
}
