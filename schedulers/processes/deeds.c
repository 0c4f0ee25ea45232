/* Carrying out what the coordinator says. */
#include "schedulers/processes/away.h"

#include <stdio.h>

void rk_hands_say_refused(const rk_hands *h, const rk_posted *posted, char *text, size_t capacity)
{
    rk_print out = {text, capacity, 0};
    rk_store_need need = {posted->needed - posted->wanted, posted->wanted - posted->apart, posted->apart};
    if (posted->refused != RASK_EBUDGET && *h->mover.message)
        rk_print_add(&out, "%s", h->mover.message);
    else
        rk_store_say_too_large(&out, need, posted->budget);
}

void rk_hands_say_late(double seconds, char *text, size_t capacity)
{
    snprintf(text, capacity, "took longer than its %g seconds, did not return, and was ended with its worker",
             seconds);
}

static void blame(rk_hands *h, const rk_instruction *in)
{
    char text[RK_MAX_MESSAGE + 1];
    uint32_t task;
    int status = rk_units_blame(&h->units, in, rk_staff_last_words(h, in->task), h->mover.message, &task,
                                text, sizeof text);
    rk_hands_fail(h, task, status, text);
    rk_units_tell_failed(&h->units, in->task);
}

static void move(rk_hands *h, const rk_instruction *in, bool back)
{
    int status = RASK_OK;
    if (rk_result_move(h, in->task, in->attempt, back, &status))
        return;
    if (back)
        rk_coordinator_loaded(h->coordinator, h->now, 0, in->task, in->attempt, status);
    else
        rk_coordinator_spilled(h->coordinator, h->now, 0, in->task, in->attempt, status, 0);
}

/* When every task is over, what comes back are targets, which stay: all of them have to fit before the first does. */
static void bring_back(rk_hands *h, const rk_instruction *in)
{
    if (h->run->finished + h->run->failed < h->run->plan->tasks || h->targets_fit) {
        move(h, in, true);
        return;
    }
    h->targets_fit = rk_result_targets_fit(h);
    if (h->targets_fit) {
        move(h, in, true);
    } else {
        h->ended = true;
        h->end_status = RASK_ETASK;
    }
}

static void recall(rk_hands *h, rk_staff *staff, const rk_instruction *in)
{
    if (in->gives_up && rk_staff_deny(staff, in->task))
        return; /* its news are the answer */
    rk_coordinator_recalled(h->coordinator, h->now, in->worker, in->epoch, in->task, in->attempt,
                            rk_staff_take_back(h, staff, in->task));
}

static void obey(rk_hands *h, const rk_instruction *in)
{
    bool at_worker = in->kind == RK_DO_RUN || in->kind == RK_DO_RECALL || in->kind == RK_DO_GRANT ||
                     in->kind == RK_DO_REFUSE || in->kind == RK_DO_KILL;
    if (at_worker && rk_away_obey(h, in))
        return;
    rk_staff *staff = at_worker ? &h->staff[h->by_number[in->worker]] : NULL;
    switch (in->kind) {
    case RK_DO_RUN: rk_staff_post(h, staff, in); break;
    case RK_DO_RECALL: recall(h, staff, in); break;
    case RK_DO_GRANT:
    case RK_DO_REFUSE: rk_staff_answer(staff, in); break;
    case RK_DO_SPILL: move(h, in, false); break;
    case RK_DO_LOAD: bring_back(h, in); break;
    case RK_DO_DROP:
        rk_result_drop(h, in->task);
        rk_result_tell_alone(h);
        break;
    case RK_DO_KILL: rk_staff_kill(staff); break;
    case RK_DO_BLAME: blame(h, in); break;
    case RK_DO_END:
        h->ended = true;
        h->end_status = in->status;
        break;
    case RK_DO_FETCH:  /* there is one home, */
    case RK_DO_RETIRE: /* nobody is asked to leave, */
    case RK_DO_DONE:   /* and nothing is added to a plan that runs */
    case RK_DO_FORGET: break;
    }
}

bool rk_hands_obey_all(rk_hands *h)
{
    rk_instruction in;
    bool any = false;
    while (!h->ended && rk_coordinator_next(h->coordinator, &in)) {
        obey(h, &in);
        any = true;
    }
    return any;
}
