/* A task that waits before it is called again holds no worker: others run on it meanwhile, and all that ends tasks ends it at once. */
#include "clients.h"

#include <pthread.h>

enum { ALONE = 4, FOREVER = 1000 };

/* One worker each, and one lane. */
static rask_options alone(size_t i)
{
    rask_options all[ALONE] = {threads(1), processes(1), threads(1), threads(2)};
    all[2].scheduler = "serial";
    for (size_t k = 0; k < ALONE; k++)
        all[k].io_lanes = 1;
    return all[i];
}

/* (counts): fails until its gate is open, and counts its calls. */
static int try_gate(rask_task *t)
{
    counts *c = counts_of(t);
    atomic_fetch_add(&c->begun, 1);
    return atomic_load(&c->gate) ? rask_return_i64(t, 1) : rask_fail(t, RASK_EIO, "the gate is closed");
}
RASK_SLOTS(try_gate);

static int try_gate_tagged(rask_task *t)
{
    return try_gate(t);
}
RASK_SLOTS_WITH(try_gate_tagged, (.tags = "gpu"));

static int try_gate_io(rask_task *t)
{
    return try_gate(t);
}
RASK_SLOTS_WITH(try_gate_io, (.flags = RASK_IO));

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

/* As often as it takes for others to get their turn: some tenths of a second in all. */
static rask_node *patient(rask_node *node)
{
    return rask_set_backoff(rask_set_retries(node, 9), 0.001);
}

static rask_node *resting(rask_node *node)
{
    return rask_set_backoff(rask_set_retries(node, 9), FOREVER);
}

Test(backoff, futures_leave_their_worker_to_others, .timeout = 60)
{
    for (size_t i = 0; i < 2 * ALONE; i++) {
        rask_client *client = open_client(alone(i / 2));
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_node *both[2] = {
            patient(i % 2 ? rask_delayed(g, try_gate_io, address(c)) : rask_delayed(g, try_gate, address(c))),
            i % 2 ? rask_delayed(g, open_gate_io, address(c)) : rask_delayed(g, open_gate, address(c))};
        cr_assert_eq(result_of(rask_submit(client, rask_sum(rask_list(g, both, 2)))), 2);
        cr_expect_geq(atomic_load(&c->begun), 1);
        rask_graph_free(g);
        rask_client_close(client);
        free_counts(c);
    }
}

Test(backoff, a_future_that_rests_is_cancelled_at_once, .timeout = 60)
{
    for (size_t i = 0; i < 2; i++) {
        rask_client *client = open_client(alone(i));
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_future *future = rask_submit(client, resting(rask_delayed(g, try_gate, address(c))));
        must_begin(c, 1);
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(g, add, 40, 2))), 42);
        cr_assert(rask_future_cancel(future));
        cr_assert_eq(rask_future_result(future, NULL), RASK_ECANCELLED);
        cr_expect_eq(atomic_load(&c->begun), 1);
        rask_future_unref(future);
        rask_graph_free(g);
        rask_client_close(client);
        free_counts(c);
    }
}

Test(backoff, a_deadline_passes_while_a_future_rests, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++) {
        rask_client *client = open_client(alone(i));
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_submission how = {.size = sizeof how, .deadline = 0.05};
        rask_future *future = rask_submit_with(client, resting(rask_delayed(g, try_gate, address(c))), &how);
        cr_assert_eq(rask_future_result(future, NULL), RASK_ETIMEDOUT);
        cr_expect(strstr(rask_future_error(future), "its deadline passed"), "%s", rask_future_error(future));
        rask_future_unref(future);
        rask_graph_free(g);
        rask_client_close(client);
        free_counts(c);
    }
}

Test(backoff, closing_ends_what_rests, .timeout = 60)
{
    for (size_t i = 0; i < 2; i++) {
        rask_client *client = open_client(alone(i));
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_future *futures[20];
        for (int k = 0; k < 20; k++)
            futures[k] = rask_submit(client, resting(rask_delayed(g, try_gate, address(c))));
        must_begin(c, 20);
        cr_assert_eq(rask_client_drain(client, 0.001), RASK_ETIMEDOUT);
        rask_client_close(client);
        for (int k = 0; k < 20; k++) {
            int status = rask_future_result(futures[k], NULL); /* one call may not have returned before */
            cr_assert(status == RASK_ECANCELLED || status == RASK_EIO, "%d", status);
            rask_future_unref(futures[k]);
        }
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(backoff, what_rests_keeps_its_tags_and_nothing_else, .timeout = 60)
{
    for (size_t i = 0; i < 2; i++) {
        rask_options o = alone(i);
        o.limits = "gpu=1";
        rask_client *client = open_client(o);
        counts *c = new_counts(), *other = new_counts();
        rask_graph *g = rask_graph_new();
        rask_future *first = rask_submit(client, resting(rask_delayed(g, try_gate_tagged, address(c))));
        must_begin(c, 1);
        atomic_store(&other->gate, 1);
        rask_future *second = rask_submit(client, rask_delayed(g, try_gate_tagged, address(other)));
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(g, add, 40, 2))), 42);
        cr_expect(!rask_future_done(second));
        rask_future_cancel(first);
        cr_assert_eq(result_of(second), 1);
        cr_assert_eq(rask_future_result(first, NULL), RASK_ECANCELLED);
        rask_future_unref(first);
        rask_graph_free(g);
        rask_client_close(client);
        free_counts(c);
        free_counts(other);
    }
}

/* (counts): what it grows has to wait, and lets others go on. */
static int grow_patient(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *both[2] = {patient(rask_delayed(g, try_gate, rask_arg_i64(t, 0))),
                          rask_delayed(g, open_gate, rask_arg_i64(t, 0))};
    return rask_return_node(t, rask_sum(rask_list(g, both, 2)));
}
RASK_SLOTS(grow_patient);

Test(backoff, what_a_task_grew_leaves_its_worker_to_others, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++) {
        rask_options o = alone(i);
        rask_client *client = open_client(o);
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        int64_t sum = 0;
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(g, grow_patient, address(c)))), 2);
        atomic_store(&c->gate, 0);
        cr_assert_eq(rask_compute_with(rask_delayed(g, grow_patient, address(c)), &o, &sum), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_expect_eq(sum, 2);
        rask_graph_free(g);
        rask_client_close(client);
        free_counts(c);
    }
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
static rask_node *gated(rask_graph *g, counts *c, bool io)
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

static void must_pass(rask_options *o, bool io)
{
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    int64_t sum = 0;
    cr_assert_eq(rask_compute_with(gated(g, c, io), o, &sum), RASK_OK, "%s", rask_graph_error(g));
    cr_expect_eq(sum, 45 + 10 + 1);
    for (size_t k = 0; k < 10; k++)
        cr_expect_eq(atomic_load(&c->calls[k]), 2, "%s %u io %d obs %zu: %zu: %d", o->scheduler, o->workers,
                     io, o->observer_count, k, atomic_load(&c->calls[k]));
    rask_graph_free(g);
    free_counts(c);
}

static void ignore_task(void *context, const rask_task_info *task)
{
    atomic_fetch_add((atomic_int *)context, task->status != RASK_OK);
}

Test(backoff, tasks_of_a_compute_leave_their_worker_to_others, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++) {
        atomic_int failures = 0;
        const rask_observer observer = {
            .size = sizeof observer, .context = &failures, .task_finished = ignore_task};
        const rask_observer *observers[] = {&observer};
        rask_options o = alone(i);
        must_pass(&o, false);
        must_pass(&o, true);
        o.observers = observers;
        o.observer_count = 1;
        must_pass(&o, false);
        cr_expect_eq(atomic_load(&failures), 0);
        o.memory = 1 << 20;
        o.timeout = 60;
        must_pass(&o, false);
    }
}

static void *cancel_when_begun(void *context)
{
    void **both = context;
    must_begin(both[0], 4);
    rask_cancel(both[1]);
    return NULL;
}

Test(backoff, a_compute_whose_tasks_all_rest_is_cancelled_at_once, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++) {
        rask_options o = alone(i);
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_node *all[4];
        rask_report report;
        int64_t sum;
        pthread_t thread;
        for (size_t k = 0; k < 4; k++)
            all[k] = resting(rask_delayed(g, try_gate, address(c)));
        o.cancel = rask_cancel_token_new();
        o.report = &report;
        void *both[2] = {c, o.cancel};
        cr_assert_eq(pthread_create(&thread, NULL, cancel_when_begun, both), 0);
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, all, 4)), &o, &sum), RASK_ECANCELLED);
        pthread_join(thread, NULL);
        cr_expect_eq(atomic_load(&c->begun), 4);
        cr_expect_eq(report.retries, 0);
        rask_cancel_token_free(o.cancel);
        rask_graph_free(g);
        free_counts(c);
    }
}
