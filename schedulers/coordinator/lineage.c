/* Results that are needed and nowhere: the tasks they came from run again, and the tasks before these whose results were
 * let go of, and nothing else.
 *
 * A LOST task becomes WAITING again, and counts as any other. What comes first, a task or an input of its that is lost
 * too, does not matter: whichever of the two is dealt with later counts the edge between them, for a task counts inputs
 * that were dealt with before, and is counted with by inputs that are dealt with after. */
#include "schedulers/coordinator/state.h"

void rk_co_lineage_add(rk_coordinator *c, uint32_t task)
{
    rk_co_task_move(c, task, RK_TASK_OVER, RK_TASK_LOST);
    c->tasks[task].link = c->lost;
    c->lost = task;
    c->figures.recomputed++;
}

/* Who takes its result waits for it. */
static void hold_users(rk_coordinator *c, uint32_t task)
{
    for (rk_walk out = rk_co_users(c, task); rk_co_next_user(c, &out);) {
        uint32_t user = out.word;
        if (user & RK_INPUT_ORDER)
            continue;
        if (c->tasks[user].state == RK_TASK_READY) {
            rk_co_task_unqueue(c, user);
            rk_co_task_move(c, user, RK_TASK_READY, RK_TASK_WAITING);
        }
        c->tasks[user].waits += c->tasks[user].state == RK_TASK_WAITING;
    }
}

/* It takes an input once more. */
static void take_again(rk_coordinator *c, uint32_t task, uint32_t input)
{
    rk_co_task *from = &c->tasks[input];
    from->uses++;
    if (from->state == RK_TASK_OVER) {
        for (uint32_t i = from->link; i != RK_NONE; i = c->copies[i].next)
            c->copies[i].edge = rk_co_is_added(c, input) ? 0 : c->succ_start[input];
        if (from->link == RK_NONE && !from->source)
            rk_co_lineage_add(c, input);
    } else if (from->state != RK_TASK_LOST) {
        c->tasks[task].waits++;
    }
}

/* It cannot be made again, for what it takes has failed or is forgotten. */
static bool is_past_help(const rk_coordinator *c, uint32_t task)
{
    if (c->more && c->more[task].cut)
        return true;
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);)
        if (!(in.word & RK_INPUT_ORDER) && c->tasks[in.word].state > RK_TASK_LOST)
            return true;
    return false;
}

static void run_again(rk_coordinator *c, uint32_t task)
{
    rk_co_task *t = &c->tasks[task];
    rk_co_task_move(c, task, RK_TASK_LOST, RK_TASK_WAITING);
    t->waits = 0;
    t->link = RK_NONE;
    hold_users(c, task);
    if (rk_co_is_grown(c, task)) /* it grows anew */
        rk_co_revert(c, task);
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);) {
        if (!(in.word & RK_INPUT_ORDER))
            take_again(c, task, in.word);
        else if (c->more && c->more[task].script != RK_NONE)
            c->more[in.word & ~RK_INPUT_ORDER].followers++;
    }
}

/* Deals with all that are LOST; a list of them, through link. */
static uint32_t run_all_again(rk_coordinator *c)
{
    uint32_t done = RK_NONE;
    while (c->lost != RK_NONE) {
        uint32_t task = c->lost;
        c->lost = c->tasks[task].link;
        run_again(c, task);
        c->tasks[task].link = done;
        done = task;
    }
    return done;
}

static void give_up(rk_coordinator *c, uint32_t task)
{
    bool waits = c->tasks[task].state == RK_TASK_WAITING;
    if (waits && c->more && c->more[task].cut) {
        rk_co_task_blame(c, task, &(rk_instruction){.why = RK_WHY_LOST, .status = RASK_EIO});
        return;
    }
    if (waits)
        rk_co_task_move(c, task, RK_TASK_WAITING, RK_TASK_SKIPPED);
    rk_co_skip_from(c, task);
}

/* Who waits for nothing is queued when all are dealt with, so that none is found in a queue that should wait; and who
 * takes something that failed is skipped after that. */
void rk_co_lineage_follow(rk_coordinator *c)
{
    uint32_t done = run_all_again(c), hopeless = RK_NONE;
    while (done != RK_NONE) {
        uint32_t task = done;
        rk_co_task *t = &c->tasks[task];
        done = t->link;
        t->link = RK_NONE;
        if (is_past_help(c, task)) {
            t->listed = 1;
            t->link = hopeless;
            hopeless = task;
        } else if (!t->waits) {
            rk_co_task_ready(c, task);
        }
    }
    while (hopeless != RK_NONE) {
        uint32_t task = hopeless;
        hopeless = c->tasks[task].link;
        c->tasks[task].listed = 0;
        give_up(c, task);
    }
}

bool rk_co_lineage_wake_sources(rk_coordinator *c, uint32_t task)
{
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);) {
        uint32_t word = in.word;
        if (!(word & RK_INPUT_ORDER) && rk_co_is_dropped(&c->tasks[word]))
            rk_co_lineage_add(c, word);
    }
    if (c->lost == RK_NONE)
        return false;
    rk_co_lineage_follow(c);
    return true;
}

bool rk_co_lineage_wake(rk_coordinator *c, uint32_t task)
{
    if (!rk_co_is_dropped(&c->tasks[task]))
        return false;
    rk_co_lineage_add(c, task);
    rk_co_lineage_follow(c);
    return true;
}
