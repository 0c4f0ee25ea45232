/* Gates: who may take counted things, and in which order. */
#include "graphs.h"
#include "schedulers/gate.h"

#include <criterion/criterion.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { GATES = 40 };
#else
enum { GATES = 200 };
#endif

static rk_gate *gate_of(const char *limits)
{
    rk_gate *gate;
    char reason[256] = "";
    cr_assert_eq(rk_gate_new(limits, &gate, reason, sizeof reason), RASK_OK, "%s", reason);
    return gate;
}

static uint32_t class_of(rk_gate *gate, const char *tags)
{
    rk_needs needs;
    uint32_t class;
    char reason[256] = "";
    cr_assert_eq(rk_gate_need(gate, "name", tags, &needs, reason, sizeof reason), RASK_OK, "%s", reason);
    cr_assert_eq(rk_gate_class(gate, &needs, &class), RASK_OK);
    return class;
}

Test(gate, lets_nobody_wait_for_ever_who_needs_much)
{
    rk_gate *gate = gate_of("gpu=2,disk=1");
    uint32_t one = class_of(gate, "gpu"), two = class_of(gate, "gpu:2"), disk = class_of(gate, "disk");
    rk_gate_waiter a = {.class = one, .place = 1}, b = {.class = one, .place = 2},
                   big = {.class = two, .place = 3}, late = {.class = one, .place = 4},
                   other = {.class = disk, .place = 5};
    cr_assert(rk_gate_enter(gate, &a) && rk_gate_enter(gate, &b));
    cr_assert(!rk_gate_enter(gate, &big) && !rk_gate_enter(gate, &late));
    cr_assert(rk_gate_enter(gate, &other), "what nobody waits for is there for all");
    cr_assert_null(rk_gate_leave(gate, a.class), "what is given back is kept for who needs two");
    cr_assert_eq(rk_gate_leave(gate, b.class), &big);
    cr_assert_null(big.next);
    cr_assert_eq(rk_gate_leave(gate, big.class), &late);
    rk_gate_free(gate);
}

Test(gate, hands_out_to_others_when_somebody_gives_up)
{
    rk_gate *gate = gate_of("gpu=2");
    uint32_t one = class_of(gate, "gpu"), two = class_of(gate, "gpu:2");
    rk_gate_waiter a = {.class = one}, big = {.class = two, .place = 1}, late = {.class = one, .place = 2},
                   *others;
    cr_assert(rk_gate_enter(gate, &a));
    cr_assert(!rk_gate_enter(gate, &big) && !rk_gate_enter(gate, &late));
    cr_assert(rk_gate_forget(gate, &big, &others));
    cr_assert_eq(others, &late);
    cr_assert(!rk_gate_forget(gate, &late, &others), "it is on its way");
    cr_assert_null(others);
    rk_gate_free(gate);
}

Test(gate, has_what_others_lend_and_gives_back_what_nobody_waits_for)
{
    rk_gate *gate = gate_of("gpu=2,disk=3");
    uint32_t one = class_of(gate, "gpu"), two = class_of(gate, "gpu:2,disk");
    rk_gate_waiter a = {.class = one, .place = 1}, big = {.class = two, .place = 2};
    uint32_t all[2], more[2];
    cr_assert(rk_gate_remove_spare(gate, all));
    cr_expect(all[0] == 2 && all[1] == 3);
    cr_assert(!rk_gate_remove_spare(gate, all), "there is nothing any more");
    cr_assert(!rk_gate_enter(gate, &a) && !rk_gate_enter(gate, &big));
    rk_gate_wanted(gate, more);
    cr_expect(more[0] == 2 && more[1] == 1, "not more than there is: %u, %u", more[0], more[1]);
    cr_assert_eq(rk_gate_add(gate, (uint32_t[]){1, 1}), &a);
    cr_expect(a.inside && !big.inside);
    rk_gate_wanted(gate, more);
    cr_expect(more[0] == 2 && more[1] == 0);
    cr_assert(!rk_gate_remove_spare(gate, all), "who waits may want it");
    cr_assert_null(rk_gate_leave(gate, a.class));
    cr_assert_eq(rk_gate_add(gate, (uint32_t[]){1, 0}), &big);
    cr_assert_null(rk_gate_leave(gate, big.class));
    cr_assert(rk_gate_remove_spare(gate, all));
    cr_expect(all[0] == 2 && all[1] == 1);
    rk_gate_free(gate);
}

Test(gate, a_name_takes_one_unless_the_tags_say_how_many)
{
    rk_gate *gate = gate_of("name=5,gpu=1");
    rk_needs needs;
    char reason[256];
    cr_assert_eq(rk_gate_need(gate, "name", "", &needs, reason, sizeof reason), RASK_OK);
    cr_assert(needs.count == 1 && needs.of[0].count == 1);
    cr_assert_eq(rk_gate_need(gate, "name", "gpu,name:3", &needs, reason, sizeof reason), RASK_OK);
    cr_assert(needs.count == 2 && needs.of[0].count == 3 && needs.of[1].count == 1);
    cr_assert_eq(rk_gate_need(gate, "other", "", &needs, reason, sizeof reason), RASK_OK);
    cr_assert_eq(needs.count, 0);
    rk_gate_free(gate);
}

/* Beside a gate, what it should do, the slow way. */
typedef struct judge {
    rk_gate_waiter waiters[40];
    enum { OUTSIDE, WAITING, INSIDE } state[40];
    uint32_t free[3];
} judge;

static bool judge_before(const judge *j, int a, int b)
{
    const rk_gate_waiter *x = &j->waiters[a], *y = &j->waiters[b];
    return x->priority != y->priority ? x->priority > y->priority : x->place < y->place;
}

/* Who may pass now, best first; each is marked. */
static size_t judge_pass(judge *j, const rk_gate *gate, int *passed)
{
    uint32_t left[3];
    bool seen[40] = {false};
    size_t count = 0;
    memcpy(left, j->free, sizeof left);
    for (;;) {
        int best = -1;
        for (int i = 0; i < 40; i++)
            if (j->state[i] == WAITING && !seen[i] && (best < 0 || judge_before(j, i, best)))
                best = i;
        if (best < 0)
            return count;
        const rk_needs *needs = rk_gate_needs(gate, j->waiters[best].class);
        bool fits = true, behind = false;
        for (int i = 0; i < 40; i++) /* alike, and waiting before it in vain */
            behind |= seen[i] && j->state[i] == WAITING && j->waiters[i].class == j->waiters[best].class;
        seen[best] = true;
        if (behind)
            continue;
        for (uint32_t k = 0; k < needs->count; k++)
            fits &= left[needs->of[k].counter] >= needs->of[k].count;
        for (uint32_t k = 0; k < needs->count; k++) {
            uint32_t c = needs->of[k].counter, n = needs->of[k].count;
            left[c] -= n < left[c] ? n : left[c];
            j->free[c] -= fits ? n : 0;
        }
        if (fits) {
            j->state[best] = INSIDE;
            passed[count++] = best;
        }
    }
}

static void judge_list(judge *j, const rk_gate *gate, const rk_gate_waiter *list)
{
    int passed[40];
    size_t count = judge_pass(j, gate, passed);
    for (size_t i = 0; i < count; i++, list = list->next)
        cr_assert_eq(list, &j->waiters[passed[i]]);
    cr_assert_null(list);
}

static void play_gate(uint64_t seed)
{
    static const char *const tags[] = {"a", "a:2", "a,b", "b:3", "b,c:4", "a:2,b:3,c:4", "c"};
    rk_gate *gate = gate_of("a=2,b=3,c=4");
    judge j = {.free = {2, 3, 4}};
    uint64_t random = seed * 77 + 1;
    uint32_t classes[7];
    for (int i = 0; i < 7; i++)
        classes[i] = class_of(gate, tags[i]);
    for (int round = 0; round < 1500; round++) {
        int i = (int)draw_below(&random, 40), passed[40];
        rk_gate_waiter *waiter = &j.waiters[i], *others;
        if (j.state[i] == OUTSIDE) {
            *waiter = (rk_gate_waiter){.class = classes[draw_below(&random, 7)],
                                       .priority = (int32_t)draw_below(&random, 3),
                                       .place = (uint64_t)round};
            bool entered = rk_gate_enter(gate, waiter);
            j.state[i] = WAITING;
            cr_assert_eq(judge_pass(&j, gate, passed), entered);
            cr_assert_eq(j.state[i] == INSIDE, entered);
        } else if (j.state[i] == WAITING && !draw_below(&random, 4)) {
            cr_assert(rk_gate_forget(gate, waiter, &others));
            j.state[i] = OUTSIDE;
            judge_list(&j, gate, others);
        } else if (j.state[i] == INSIDE) {
            const rk_needs *needs = rk_gate_needs(gate, waiter->class);
            for (uint32_t k = 0; k < needs->count; k++)
                j.free[needs->of[k].counter] += needs->of[k].count;
            j.state[i] = OUTSIDE;
            judge_list(&j, gate, rk_gate_leave(gate, waiter->class));
        }
    }
    rk_gate_free(gate);
}

Test(gate, lets_pass_whom_it_should_in_any_order_of_events)
{
    for (uint64_t seed = 1; seed <= GATES; seed++)
        play_gate(seed);
}
