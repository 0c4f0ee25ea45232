/* Futures in the order in which they are done.
 *
 * Who completes a future pushes its slot onto a list, the last first; who takes turns the list round. Slots that wait may
 * be told after the program has let go of the completion: each of them holds a reference. */
#include "schedulers/futures/completion.h"

#include "schedulers/futures/several.h"

typedef struct slot {
    rk_waiter waiter;
    struct slot *next; /* told */
    rask_completion *completion;
    size_t number;
} slot;

struct rask_completion {
    rk_atomic_u32 refs;
    _Atomic(slot *) told; /* the last first */
    slot *ready;          /* the first first; the taker's */
    size_t count, given;
    rk_several executors; /* of the futures */
    slot slots[];
};

rask_completion *rk_completion_new(size_t slots)
{
    rask_completion *c =
        slots < SIZE_MAX / sizeof(slot) - 2 ? rk_calloc(1, sizeof *c + slots * sizeof *c->slots) : NULL;
    if (!c)
        return NULL;
    rk_init(&c->refs, 1);
    rk_several_init(&c->executors);
    c->count = slots;
    for (size_t i = 0; i < slots; i++) {
        c->slots[i].completion = c;
        c->slots[i].number = i;
    }
    return c;
}

void rask_completion_free(rask_completion *c)
{
    if (!c || rk_sub_acq_rel(&c->refs, 1) != 1)
        return;
    rk_several_fini(&c->executors);
    rk_free(c);
}

static void push(slot *s)
{
    slot *last = rk_load_relaxed(&s->completion->told);
    do
        s->next = last;
    while (!rk_cas_seq_cst(&s->completion->told, &last, s));
}

static void tell(rk_waiter *waiter, rask_future *done, rk_endings *endings)
{
    slot *s = (slot *)waiter;
    rask_completion *c = s->completion;
    (void)done;
    (void)endings;
    push(s);
    rask_completion_free(c);
}

void rk_completion_watch(rask_completion *c, size_t number, rask_future *future)
{
    slot *s = &c->slots[number];
    s->waiter.tell = tell;
    if (future) {
        rk_several_add(&c->executors, future);
        rk_store_seq_cst(&future->watched, true);
    }
    rk_add_relaxed(&c->refs, 1);
    if (!future || !rk_future_add_waiter(future, &s->waiter))
        tell(&s->waiter, future, NULL);
}

static bool is_told(void *completion)
{
    rask_completion *c = completion;
    return rk_load_seq_cst(&c->told);
}

/* What was told in the meantime, in its order. */
static void turn_round(rask_completion *c)
{
    slot *last = rk_exchange_acq_rel(&c->told, NULL), *before;
    for (; last; last = before) {
        before = last->next;
        last->next = c->ready;
        c->ready = last;
    }
}

size_t rk_completion_take(rask_completion *c, uint64_t deadline_ns)
{
    bool mixed = rk_several_are(&c->executors);
    rk_executor *executor = rk_several_first(&c->executors);
    rk_awaited awaited = {
        .holds = is_told, .what = c, .shortly = mixed, .several = mixed ? &c->executors : NULL};
    if (!c->ready && (is_told(c) || (executor && rk_executor_await(executor, &awaited, deadline_ns))))
        turn_round(c);
    slot *first = c->ready;
    if (!first)
        return c->count;
    c->ready = first->next;
    return first->number;
}

rask_completion *rask_as_completed(rask_future *const *futures, size_t count)
{
    rask_completion *c = rk_completion_new(count);
    for (size_t i = 0; c && i < count; i++)
        rk_completion_watch(c, i, futures[i]);
    return c;
}

size_t rask_completion_next(rask_completion *c)
{
    if (!c || c->given == c->count)
        return c ? c->count : 0;
    c->given++;
    return rk_completion_take(c, 0);
}
