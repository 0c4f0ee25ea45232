/* Tasks that come while a run goes on: from other tasks, and from somebody outside who submits, wants and wants no more. */
#include "simulate.h"

#include <inttypes.h>

/* A task that was added has this number now. */
static void know(world *w, uint32_t number, const node *n, const uint32_t *numbers)
{
    if (number >= MOST_NUMBERS) {
        world_wrong(w, "numbers are not used again");
        return;
    }
    node *now = &w->nodes[number];
    *now = *n;
    for (uint32_t k = 0; k < n->input_count; k++)
        if (n->inputs[k] & RK_INPUT_NEW)
            now->inputs[k] =
                numbers[n->inputs[k] & ~(RK_INPUT_NEW | RK_INPUT_ORDER)] | (n->inputs[k] & RK_INPUT_ORDER);
    w->numbers = number < w->numbers ? w->numbers : number + 1;
    w->returned[number] = w->failures[number] = 0;
    w->added++;
}

static void know_new(world *w, uint32_t number, const node *n, const uint32_t *numbers)
{
    know(w, number, n, numbers);
    if (w->wrong)
        return;
    if (w->known[number])
        world_wrong(w, "number %" PRIu32 " is given twice", number);
    w->origins[number] = w->nodes[number];
    w->runs[number] = w->ends[number] = 0;
    w->blamed[number] = w->told[number] = false;
    w->known[number] = true;
    w->wants[number] = n->x.traits.target;
}

/* As the coordinator is told. */
typedef struct order {
    rk_growth growth;
    uint64_t start[MOST_SPROUT + 1];
    uint32_t inputs[MOST_SPROUT * MOST_INPUTS];
    rk_traits traits[MOST_SPROUT];
} order;

static void write_order(order *o, const sprout *s)
{
    uint32_t edges = 0;
    for (uint32_t k = 0; k < s->count; k++) {
        o->start[k] = edges;
        o->traits[k] = s->nodes[k].x.traits;
        for (uint32_t i = 0; i < s->nodes[k].input_count; i++)
            o->inputs[edges++] = s->nodes[k].inputs[i];
    }
    o->start[s->count] = edges;
    o->growth = (rk_growth){s->count, o->start, o->inputs, o->traits, s->result};
}

void client_grow(world *w, const event *e)
{
    const life *l = &w->lives[e->life];
    sprout s;
    order o;
    uint32_t numbers[MOST_SPROUT];
    if (!w->known[e->task] || !w->nodes[e->task].x.grows)
        return; /* the same news, again */
    sprout_of(&w->s, &w->nodes[e->task], &s);
    write_order(&o, &s);
    int status =
        rk_coordinator_grown(w->c, w->now, l->number, l->epoch, e->task, e->attempt, &o.growth, numbers);
    if (status && status != RASK_ECANCELLED)
        world_wrong(w, "task %" PRIu32 " cannot grow: %s", e->task, rask_status_name(status));
    for (uint32_t k = 0; k < s.count && !status; k++) {
        if (k == s.result)
            know(w, e->task, &s.nodes[k], numbers);
        else
            know_new(w, numbers[k], &s.nodes[k], numbers);
    }
}

/* A task whose result may be taken: of the graph, or one that somebody wants; RK_NO_TASK. */
static uint32_t some_known(world *w)
{
    uint32_t task = (uint32_t)dice_below(&w->s.dice, w->numbers);
    return w->known[task] && (task < w->s.tasks || w->wants[task]) ? task : RK_NO_TASK;
}

void client_submit(world *w)
{
    node outside = {.identity = mix_hash(99, ++w->submissions), .x.grows = true};
    sprout s;
    order o;
    uint32_t numbers[MOST_SPROUT];
    for (uint32_t k = 0; k < 3; k++) {
        uint32_t task = some_known(w);
        if (task == RK_NO_TASK)
            continue;
        outside.inputs[outside.input_count] = task;
        outside.input_truth[outside.input_count++] = w->origins[task].truth;
    }
    sprout_of(&w->s, &outside, &s);
    for (uint32_t k = 0; k < s.count; k++)
        s.nodes[k].x.traits.target = k == s.result || dice_permille(&w->s.dice, 300);
    write_order(&o, &s);
    int status = rk_coordinator_submit(w->c, w->now, &o.growth, numbers);
    if (status && !(status == RASK_ECANCELLED && w->cancelled))
        world_wrong(w, "nothing can be submitted: %s", rask_status_name(status));
    for (uint32_t k = 0; k < s.count && !status; k++)
        know_new(w, numbers[k], &s.nodes[k], numbers);
}

void client_change(world *w)
{
    uint32_t task = (uint32_t)dice_below(&w->s.dice, w->numbers);
    for (uint32_t k = 0; k < w->numbers && !(w->known[task] && w->wants[task]); k++)
        task = (task + 1) % w->numbers;
    if (!w->known[task] || !w->wants[task])
        return;
    if (dice_below(&w->s.dice, 4)) {
        if (!--w->wants[task])
            w->told[task] = false;
        rk_coordinator_unwant(w->c, w->now, task);
    } else {
        w->wants[task]++;
        rk_coordinator_want(w->c, w->now, task);
    }
}

void client_forget(world *w, uint32_t task)
{
    if (!w->known[task] || w->wants[task] || task < w->s.tasks)
        world_wrong(w, "task %" PRIu32 " is forgotten, and wanted", task);
    for (uint32_t home = 0; home < w->s.homes; home++)
        if (w->home_here[home] && !w->home_known_lost[home] &&
            (w->cells[home][task].memory || w->cells[home][task].disk || w->cells[home][task].moving))
            world_wrong(w, "task %" PRIu32 " is forgotten, and home %" PRIu32 " has its result", task, home);
    w->known[task] = false;
}
