/* A task that waits before it is called again holds no worker: others run on it meanwhile, and all that ends tasks ends it at once. */
#include "backing_off.h"

#include <signal.h>

static int try_gate_io(rask_task *t)
{
    return try_gate(t);
}
RASK_SLOTS_WITH(try_gate_io, (.flags = RASK_IO));

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

Test(backoff, a_compute_whose_tasks_all_rest_is_cancelled_at_once, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++)
        must_be_cancelled(alone(i));
}

Test(backoff, a_compute_whose_tasks_all_rest_runs_out_of_time, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++)
        must_run_out_of_time(alone(i));
}

Test(backoff, a_compute_whose_tasks_rest_fails_when_another_does, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++)
        must_fail_meanwhile(alone(i));
}

Test(backoff, a_task_fails_with_its_last_call_wherever_it_rested, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++)
        for (int calls = 1; calls <= 4; calls++)
            must_fail_after(alone(i), calls);
}

Test(backoff, a_task_of_a_compute_that_rests_keeps_its_tags, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++)
        must_keep_tags(alone(i));
}

Test(backoff, tasks_grow_while_one_that_has_their_tag_rests, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++)
        must_grow_meanwhile(alone(i));
}

Test(backoff, tasks_that_run_in_the_program_leave_its_threads_to_others, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++)
        must_pass_here(alone(i));
}

Test(backoff, a_task_of_a_compute_that_rests_holds_no_memory, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++) {
        rask_options o = alone(i);
        o.memory = 4 << 20;
        must_pass_through_memory(o);
    }
}

/* (counts): fails until the gate is open, and counts its calls by attempts. */
static int try_gate_by_turns(rask_task *t)
{
    counts *c = counts_of(t);
    atomic_fetch_add(&c->calls[rask_task_attempt(t)], 1);
    return try_gate(t);
}
RASK_SLOTS(try_gate_by_turns);

/* (counts): ends its worker, the first time; then it opens the gate. */
static int die_then_open(rask_task *t)
{
    if (!atomic_fetch_add(&counts_of(t)->order, 1))
        raise(SIGKILL);
    return open_gate(t);
}
RASK_SLOTS(die_then_open);

Test(backoff, what_rests_outlives_the_worker_that_it_was_tried_on, .timeout = 60)
{
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    rask_options o = processes(1);
    int64_t sum = 0;
    rask_node *both[2] = {patient(rask_delayed(g, try_gate_by_turns, address(c))),
                          rask_delayed(g, die_then_open, address(c))};
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(sum, 2);
    for (int attempt = 0; attempt < atomic_load(&c->begun); attempt++)
        cr_expect_eq(atomic_load(&c->calls[attempt]), 1, "attempt %d", attempt);
    rask_graph_free(g);
    free_counts(c);
}

/* (counts): the first call does not return. */
static int hang_at_first(rask_task *t)
{
    atomic_fetch_add(&counts_of(t)->begun, 1);
    while (!rask_task_attempt(t))
        sleep_ms(1000);
    return rask_return_i64(t, rask_task_attempt(t));
}
RASK_SLOTS_WITH(hang_at_first, (.timeout = 0.1, .retries = 9, .backoff = 0.001));

/* On a slow machine, later calls may be too late as well. */
Test(backoff, a_call_that_was_ended_with_its_worker_counts_as_one, .timeout = 60)
{
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    rask_options o = processes(1);
    rask_report report;
    int64_t attempt = 0;
    o.report = &report;
    cr_assert_eq(rask_compute_with(rask_delayed(g, hang_at_first, address(c)), &o, &attempt), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_geq(attempt, 1);
    cr_expect_leq(atomic_load(&c->begun), attempt + 1);
    cr_expect_eq(report.retries, (uint64_t)attempt);
    rask_graph_free(g);
    free_counts(c);
}
