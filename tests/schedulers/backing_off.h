/* Runs whose tasks wait before they are called again, on any scheduler with one worker: others run there meanwhile, and all else is as
 * it is without a wait. Scenes that tests of schedulers share. */
#ifndef RASK_TESTS_SCHEDULERS_BACKING_OFF_H
#define RASK_TESTS_SCHEDULERS_BACKING_OFF_H

#include "clients.h"

#include <pthread.h>

enum { FOREVER = 1000, ALONE = 4 };

/* One worker each but the last, and one lane. */
static inline rask_options alone(size_t i)
{
    rask_options all[ALONE] = {threads(1), processes(1), threads(1), threads(2)};
    all[2].scheduler = "serial";
    for (size_t k = 0; k < ALONE; k++)
        all[k].io_lanes = 1;
    return all[i];
}

/* Where scenes count: memory that workers share which are there already; NULL: each scene has its own. */
static counts *shared_counts;

static inline counts *scene_counts(void)
{
    return shared_counts ? memset(shared_counts, 0, sizeof *shared_counts) : new_counts();
}

static inline void end_scene(rask_graph *g, counts *c)
{
    rask_graph_free(g);
    if (c != shared_counts)
        free_counts(c);
}

/* (counts): fails until its gate is open, and counts its calls. */
static int try_gate(rask_task *t)
{
    counts *c = counts_of(t);
    atomic_fetch_add(&c->begun, 1);
    return atomic_load(&c->gate) ? rask_return_i64(t, 1) : rask_fail(t, RASK_EIO, "the gate is closed");
}
RASK_SLOTS(try_gate);

/* (counts): opens it. */
static int open_gate(rask_task *t)
{
    atomic_store(&counts_of(t)->gate, 1);
    return rask_return_i64(t, 1);
}
RASK_SLOTS(open_gate);

static int open_gate_io(rask_task *t)
{
    return open_gate(t);
}
RASK_SLOTS_WITH(open_gate_io, (.flags = RASK_IO));

/* As often as it takes for others to get their turn. */
static inline rask_node *patient(rask_node *node)
{
    return rask_set_backoff(rask_set_retries(node, 15), 0.001);
}

static inline rask_node *resting(rask_node *node)
{
    return rask_set_backoff(rask_set_retries(node, 9), FOREVER);
}

/* (counts, place): fails until the gate is open, then gives its place. */
static int try_gate_at(rask_task *t)
{
    if (!atomic_load(&counts_of(t)->gate))
        return rask_fail(t, RASK_EIO, "the gate is closed");
    atomic_fetch_add(&counts_of(t)->calls[rask_arg_i64(t, 1)], 1);
    return rask_return_i64(t, rask_arg_i64(t, 1));
}
RASK_SLOTS(try_gate_at);

static int try_gate_at_io(rask_task *t)
{
    return try_gate_at(t);
}
RASK_SLOTS_WITH(try_gate_at_io, (.flags = RASK_IO));

/* Ten that rest, within chains and with followers, before the one that lets them through. */
static inline rask_node *gated(rask_graph *g, counts *c, bool io)
{
    rask_node *all[11];
    for (int64_t k = 0; k < 10; k++) {
        rask_node *first = rask_delayed(g, count, address(c), k);
        rask_node *gate = io ? rask_delayed(g, try_gate_at_io, address(c), first)
                             : rask_delayed(g, try_gate_at, address(c), first);
        all[k] = rask_delayed(g, add, patient(gate), 1);
    }
    all[10] = io ? rask_delayed(g, open_gate_io, address(c)) : rask_delayed(g, open_gate, address(c));
    return rask_sum(rask_list(g, all, 11));
}

/* What is before them in their chains is called once. */
static inline void must_pass(rask_options *o, bool io)
{
    counts *c = scene_counts();
    rask_graph *g = rask_graph_new();
    int64_t sum = 0;
    cr_assert_eq(rask_compute_with(gated(g, c, io), o, &sum), RASK_OK, "%s", rask_graph_error(g));
    cr_expect_eq(sum, 45 + 10 + 1);
    for (size_t k = 0; k < 10; k++)
        cr_expect_eq(atomic_load(&c->calls[k]), 2, "%s %u io %d obs %zu: %zu: %d", o->scheduler, o->workers,
                     io, o->observer_count, k, atomic_load(&c->calls[k]));
    end_scene(g, c);
}

/* Each of them alone takes all the memory that there is. */
static inline void must_pass_through_memory(rask_options o)
{
    counts *c = scene_counts();
    rask_graph *g = rask_graph_new();
    int64_t sum = 0;
    rask_node *both[2] = {patient(rask_delayed(g, try_gate, address(c))),
                          rask_delayed(g, open_gate, address(c))};
    for (size_t k = 0; k < 2; k++)
        rask_set_scratch_bytes(both[k], o.memory / 4 * 3);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(sum, 2);
    end_scene(g, c);
}

/* (counts): fails as it is said in calls[], by attempts, which it counts. */
static int fail_by_turns(rask_task *t)
{
    counts *c = counts_of(t);
    atomic_fetch_add(&c->begun, 1);
    static const char *const texts[] = {"number 0", "number 1", "number 2", "number 3"};
    return rask_fail(t, atomic_load(&c->calls[rask_task_attempt(t)]), texts[rask_task_attempt(t) % 4]);
}
static bool is_no_nonsense(int status, uint32_t attempt)
{
    return status != RASK_EINVAL && attempt < 7;
}
RASK_SLOTS_WITH(fail_by_turns, (.retries = 3, .backoff = 0.001, .retry_if = is_no_nonsense));

/* It fails with the error of its last call, which is its fourth, or the first that is not worth another. */
static inline void must_fail_after(rask_options o, int calls)
{
    static const char *const texts[] = {"", "number 0", "number 1", "number 2", "number 3"};
    counts *c = scene_counts();
    rask_graph *g = rask_graph_new();
    rask_report report;
    int64_t none;
    for (int k = 0; k < 4; k++)
        atomic_store(&c->calls[k], k == 3 ? RASK_EFORMAT : k + 1 == calls ? RASK_EINVAL : RASK_EIO);
    o.report = &report;
    int status = rask_compute_with(rask_delayed(g, fail_by_turns, address(c)), &o, &none);
    cr_expect_eq(status, calls == 4 ? RASK_EFORMAT : RASK_EINVAL, "%s", rask_graph_error(g));
    cr_expect(strstr(rask_graph_error(g), texts[calls]), "%s", rask_graph_error(g));
    cr_expect_eq(atomic_load(&c->begun), calls);
    cr_expect_eq(report.retries, (uint64_t)calls - 1, "%s", o.scheduler);
    end_scene(g, c);
}

static int try_gate_tagged(rask_task *t)
{
    return try_gate(t);
}
RASK_SLOTS_WITH(try_gate_tagged, (.tags = "gpu"));

/* (counts): fails until somebody has tried the gate. */
static int await_first(rask_task *t)
{
    return atomic_load(&counts_of(t)->begun) ? rask_return_i64(t, 1)
                                             : rask_fail(t, RASK_EIO, "nobody has begun");
}
RASK_SLOTS(await_first);

/* (counts): whether the gate is open. */
static int look(rask_task *t)
{
    return rask_return_i64(t, atomic_load(&counts_of(t)->gate));
}
RASK_SLOTS_WITH(look, (.tags = "gpu"));

/* Who rests keeps its tag: who needs it, too, comes after it, and that is after who opens the gate, though it could run sooner. */
static inline void must_keep_tags(rask_options o)
{
    counts *c = scene_counts();
    rask_graph *g = rask_graph_new();
    int64_t sum = 0;
    rask_node *first = patient(rask_delayed(g, await_first, address(c))),
              *all[3] = {patient(rask_delayed(g, try_gate_tagged, address(c))),
                         rask_after(rask_delayed(g, look, address(c)), &first, 1),
                         rask_after(rask_delayed(g, open_gate, address(c)), &first, 1)};
    o.limits = "gpu=1";
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, all, 3)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(sum, 3, "%s", o.scheduler);
    end_scene(g, c);
}

static int take_tag(rask_task *t)
{
    return rask_return_i64(t, 1);
}
RASK_SLOTS_WITH(take_tag, (.tags = "gpu"));

static int grow_tagged(rask_task *t)
{
    return rask_return_node(t, rask_delayed(rask_task_graph(t), take_tag));
}
RASK_SLOTS(grow_tagged);

/* Whoever waits for what grew does not wait for who rests, if nobody else could call that. */
static inline void must_grow_meanwhile(rask_options o)
{
    counts *c = scene_counts();
    rask_graph *g = rask_graph_new();
    int64_t sum = 0;
    rask_node *first = patient(rask_delayed(g, await_first, address(c))),
              *all[3] = {patient(rask_delayed(g, try_gate_tagged, address(c))),
                         rask_after(rask_delayed(g, grow_tagged), &first, 1),
                         rask_after(rask_delayed(g, open_gate, address(c)), &first, 1)};
    o.limits = "gpu=1";
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, all, 3)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(sum, 3);
    end_scene(g, c);
}

static int try_gate_here(rask_task *t)
{
    return try_gate(t);
}
RASK_SLOTS_WITH(try_gate_here, (.flags = RASK_HERE));

static int open_gate_here(rask_task *t)
{
    return open_gate(t);
}
RASK_SLOTS_WITH(open_gate_here, (.flags = RASK_HERE));

/* In the program's own process there is one thread for it. */
static inline void must_pass_here(rask_options o)
{
    counts *c = scene_counts();
    rask_graph *g = rask_graph_new();
    int64_t sum = 0;
    rask_node *both[2] = {patient(rask_delayed(g, try_gate_here, address(c))),
                          rask_delayed(g, open_gate_here, address(c))};
    o.workers = 1;
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(sum, 2);
    end_scene(g, c);
}

/* Cancels when so many have begun. */
typedef struct canceller {
    counts *c;
    int begun;
    rask_cancel_token *token;
    pthread_t thread;
} canceller;

static inline void *cancel_when_begun(void *context)
{
    const canceller *who = context;
    must_begin(who->c, who->begun);
    sleep_ms(5); /* most likely they rest */
    rask_cancel(who->token);
    return NULL;
}

static inline void begin_cancelling(canceller *who, counts *c, int begun)
{
    *who = (canceller){.c = c, .begun = begun, .token = rask_cancel_token_new()};
    cr_assert_eq(pthread_create(&who->thread, NULL, cancel_when_begun, who), 0);
}

static inline void end_cancelling(canceller *who)
{
    pthread_join(who->thread, NULL);
    rask_cancel_token_free(who->token);
}

static inline rask_node *four_that_rest(rask_graph *g, counts *c)
{
    rask_node *all[4];
    for (size_t k = 0; k < 4; k++)
        all[k] = resting(rask_delayed(g, try_gate, address(c)));
    return rask_sum(rask_list(g, all, 4));
}

static inline void must_be_cancelled(rask_options o)
{
    counts *c = scene_counts();
    canceller cancel;
    rask_graph *g = rask_graph_new();
    rask_report report;
    int64_t sum;
    begin_cancelling(&cancel, c, 4);
    o.cancel = cancel.token;
    o.report = &report;
    cr_assert_eq(rask_compute_with(four_that_rest(g, c), &o, &sum), RASK_ECANCELLED);
    end_cancelling(&cancel);
    cr_expect_eq(atomic_load(&c->begun), 4);
    cr_expect_eq(report.retries, 0);
    end_scene(g, c);
}

/* Long before anybody is due. */
static inline void must_run_out_of_time(rask_options o)
{
    counts *c = scene_counts();
    rask_graph *g = rask_graph_new();
    int64_t sum;
    o.timeout = 0.3;
    cr_assert_eq(rask_compute_with(four_that_rest(g, c), &o, &sum), RASK_ETIMEDOUT);
    cr_expect_leq(atomic_load(&c->begun), 4);
    end_scene(g, c);
}

/* A failure of another ends the run, and no wait for those that rest. */
static inline void must_fail_meanwhile(rask_options o)
{
    counts *c = scene_counts();
    rask_graph *g = rask_graph_new();
    int64_t sum;
    rask_node *both[2] = {four_that_rest(g, c), rask_delayed(g, fail)};
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &sum), RASK_EIO, "%s",
                 rask_graph_error(g));
    cr_expect(strstr(rask_graph_error(g), "no luck"), "%s", rask_graph_error(g)); /* it was first */
    end_scene(g, c);
}

#endif
