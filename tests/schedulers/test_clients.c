/* Clients as such: how they end, what they share out, and who is told. The same on every scheduler. */
#include "clients.h"
#include "leftovers.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* (counts, place): the number of calls before it. */
static int take_turn(rask_task *t)
{
    counts *c = counts_of(t);
    return rask_return_i64(t, atomic_fetch_add(&c->order, 1));
}
RASK_SLOTS(take_turn);

Test(clients, closing_ends_what_is_under_way_and_futures_outlive_it)
{
    for (size_t i = 0; i < CLIENT_SETUPS - 1; i++) {
        leftovers before = look_around();
        rask_options o = setup(i);
        rask_client *client = open_client(o);
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_future *futures[100], *done = rask_submit(client, rask_delayed(g, add, 40, 2));
        cr_assert_eq(rask_future_wait(done, -1), RASK_OK);
        for (int k = 0; k < 100; k++)
            futures[k] = rask_submit(client, rask_delayed(g, add, rask_delayed(g, stay, address(c)), 1));
        must_begin(c, (int)o.workers);
        rask_client_close(client);
        rask_graph_free(g);
        for (int k = 0; k < 100; k++) {
            cr_assert_eq(rask_future_result(futures[k], NULL), RASK_ECANCELLED);
            cr_assert_neq(*rask_future_error(futures[k]), 0);
            rask_future_unref(futures[k]);
        }
        cr_assert_eq(result_of(done), 42);
        free_counts(c);
        nothing_is_left_since(before);
    }
}

static void *open_gate_soon(void *context)
{
    counts *c = context;
    sleep_ms(2);
    atomic_store(&c->gate, 1);
    return NULL;
}

/* What tasks that take no address count, so that what they grow may go to another process: there when workers are forked. */
static counts *closing;

/* (one): as stay(), and then itself. */
static int stay_there(rask_task *t)
{
    atomic_fetch_add(&closing->begun, 1);
    while (!atomic_load(&closing->gate) && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, rask_arg_i64(t, 0));
}
RASK_SLOTS(stay_there);

/* (one): returns by itself when the gate is open, and does not ask whether it is to end: grows. */
static int stay_and_grow(rask_task *t)
{
    int64_t one = rask_arg_i64(t, 0);
    atomic_fetch_add(&closing->begun, 1);
    while (!atomic_load(&closing->gate))
        sleep_ms(1);
    rask_graph *g = rask_task_graph(t);
    rask_node *both[2] = {rask_delayed(g, stay_there, one), rask_delayed(g, stay_there, one)};
    return rask_return_node(t, rask_sum(rask_list(g, both, 2)));
}
RASK_SLOTS(stay_and_grow);

static void close_while_it_grows(rask_options o)
{
    pthread_t opener;
    closing = new_counts();
    rask_client *client = open_client(o);
    rask_graph *g = rask_graph_new();
    rask_future *future = rask_submit(client, rask_delayed(g, stay_and_grow, 1));
    must_begin(closing, 1);
    cr_assert_eq(pthread_create(&opener, NULL, open_gate_soon, closing), 0);
    rask_client_close(client);
    pthread_join(opener, NULL);
    rask_value sum = rask_value_none();
    int status = rask_future_result(future, &sum);
    cr_expect(status ? status == RASK_ECANCELLED : sum.type == RASK_I64 && sum.as.i64 == 2,
              "%s, %u: %s, a value of type %d", o.scheduler, o.workers, rask_status_name(status), sum.type);
    rask_future_unref(future);
    rask_graph_free(g);
    free_counts(closing);
}

Test(clients, what_grows_while_its_client_closes_is_cancelled_or_done)
{
    for (size_t i = 0; i < CLIENT_SETUPS - 1; i++)
        for (int round = 0; round < 4; round++)
            close_while_it_grows(setup(i));
}

Test(clients, on_serial_a_submission_has_run_when_it_returns)
{
    rask_options o = setup(4);
    rask_client *client = open_client(o);
    rask_graph *g = rask_graph_new();
    rask_future *future = rask_submit(client, rask_delayed(g, add, 1, 2));
    cr_assert(rask_future_done(future));
    cr_assert_eq(result_of(future), 3);
    rask_client_close(client);
    rask_graph_free(g);
}

Test(clients, options_that_make_no_sense_open_nothing)
{
    rask_client *client = (rask_client *)1;
    rask_options o = threads(1);
    o.scheduler = "nonsense";
    cr_assert_eq(rask_client_open(&o, &client), RASK_EINVAL);
    cr_assert_eq(client, (rask_client *)1);
    cr_assert_eq(rask_client_open(&o, NULL), RASK_EINVAL);
    rask_client_close(NULL);
    cr_assert_null(rask_client_next(NULL));
    cr_assert_eq(rask_client_fd(NULL), -1);
}

Test(clients, a_program_may_fork_while_a_client_is_open)
{
    rask_client *client = open_client(threads(2));
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    rask_future *future = rask_submit(client, rask_delayed(g, stay, address(c)));
    must_begin(c, 1);
    pid_t child = fork();
    if (!child) {
        rask_graph *h = rask_graph_new();
        int64_t i = 0;
        int status = rask_compute(rask_delayed(h, add, 1, 2), &i);
        _exit(status || i != 3);
    }
    int how;
    waitpid(child, &how, 0);
    cr_assert(WIFEXITED(how) && !WEXITSTATUS(how));
    atomic_store(&c->gate, 1);
    cr_assert_eq(result_of(future), 1);
    rask_client_close(client);
    rask_graph_free(g);
    free_counts(c);
}

/* (client, depth), in a lane: as many that wait for one another. */
static int wait_in_lane(rask_task *t);
RASK_SLOTS_WITH(wait_in_lane, (.flags = RASK_IO));

static int wait_in_lane(rask_task *t)
{
    int64_t client = rask_arg_i64(t, 0), depth = rask_arg_i64(t, 1), below = 0;
    if (!depth)
        return rask_return_i64(t, 0);
    rask_future *future = rask_submit((rask_client *)(intptr_t)client,
                                      rask_delayed(rask_task_graph(t), wait_in_lane, client, depth - 1));
    int status = rask_future_get(future, &below);
    rask_future_unref(future);
    return status ? status : rask_return_i64(t, below + 1);
}

Test(clients, a_task_in_the_only_lane_may_wait_for_another)
{
    rask_options o = threads(1);
    o.io_lanes = 1;
    rask_client *client = open_client(o);
    rask_graph *g = rask_graph_new();
    cr_expect_eq(result_of(rask_submit(client, rask_delayed(g, wait_in_lane, (int64_t)(intptr_t)client, 5))),
                 5);
    rask_client_close(client);
    rask_graph_free(g);
}

Test(clients, a_deadline_beyond_all_time_is_none)
{
    rask_client *client = open_client(threads(1));
    rask_graph *g = rask_graph_new();
    rask_submission how = {.size = sizeof how, .deadline = 1e12};
    cr_expect_eq(result_of(rask_submit_with(client, rask_delayed(g, add, 1, 2), &how)), 3);
    rask_client_close(client);
    rask_graph_free(g);
}

/* -- Being observed */

typedef struct story {
    atomic_int runs, ends, started, finished, failed;
} story;

static void run_begins(void *context, const rask_run_info *run)
{
    cr_assert_null(run->plan);
    atomic_fetch_add(&((story *)context)->runs, 1);
}
static void run_ends(void *context, const rask_run_info *run)
{
    cr_assert_geq(run->end_ns, run->start_ns);
    atomic_fetch_add(&((story *)context)->ends, 1);
}
static void task_begins(void *context, const rask_task_info *task)
{
    cr_assert_eq(task->task, RASK_NO_TASK);
    cr_assert_geq(task->start_ns, task->ready_ns);
    atomic_fetch_add(&((story *)context)->started, 1);
}
static void task_ends(void *context, const rask_task_info *task)
{
    story *s = context;
    cr_assert_geq(task->end_ns, task->start_ns);
    atomic_fetch_add(&s->finished, 1);
    atomic_fetch_add(&s->failed, task->status != RASK_OK);
    cr_assert_eq(task->grown_by, RASK_NO_TASK);
}

Test(clients, observers_are_told_of_each_that_runs)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        story s = {0};
        const rask_observer observer = {.size = sizeof observer,
                                        .context = &s,
                                        .plan_made = run_begins,
                                        .task_started = task_begins,
                                        .task_finished = task_ends,
                                        .run_ended = run_ends},
                            *observers = &observer;
        rask_options o = setup(i);
        o.observers = &observers;
        o.observer_count = 1;
        rask_client *client = open_client(o);
        rask_graph *g = rask_graph_new();
        rask_future *sum = rask_submit(client, rask_delayed(g, add, rask_delayed(g, add, 1, 2), 3));
        rask_future *failed = rask_submit(client, rask_delayed(g, fail));
        cr_expect_eq(result_of(sum), 6);
        cr_expect_eq(rask_future_result(failed, NULL), RASK_EIO);
        rask_future_unref(failed);
        rask_client_close(client);
        cr_expect_eq(atomic_load(&s.runs) + atomic_load(&s.ends), 2);
        cr_expect_eq(atomic_load(&s.started), 3);
        cr_expect_eq(atomic_load(&s.finished), 3);
        cr_expect_eq(atomic_load(&s.failed), 1);
        rask_graph_free(g);
    }
}

/* -- Who goes first */

Test(clients, what_is_ready_goes_by_priority)
{
    rask_client *client = open_client(threads(1));
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    rask_future *busy = rask_submit(client, rask_delayed(g, stay, address(c))), *futures[30];
    must_begin(c, 1);
    for (int k = 0; k < 30; k++) {
        rask_submission how = {.size = sizeof how, .priority = k % 3 - 1};
        futures[k] = rask_submit_with(client, rask_delayed(g, take_turn, address(c), k), &how);
    }
    atomic_store(&c->gate, 1);
    for (int k = 0; k < 30; k++) {
        int64_t turn = result_of(futures[k]), third = 1 - (k % 3 - 1);
        cr_assert_eq(turn / 10, third, "priority %d came at %ld", k % 3 - 1, (long)turn);
        cr_assert_eq(turn % 10, k / 3, "and equal ones as they came");
    }
    rask_future_unref(busy);
    rask_client_close(client);
    rask_graph_free(g);
    free_counts(c);
}

typedef struct crowd {
    rask_client *client;
    counts *counts;
    int tasks;
    int64_t last;
} crowd;

static void *submit_many(void *context)
{
    crowd *w = context;
    rask_graph *g = rask_graph_new();
    rask_future **futures = calloc((size_t)w->tasks, sizeof(rask_future *));
    for (int k = 0; k < w->tasks; k++)
        futures[k] = rask_submit(w->client, rask_delayed(g, take_turn, address(w->counts), k));
    atomic_fetch_add(&w->counts->calls[0], 1);
    for (int k = 0; k < w->tasks; k++)
        w->last = result_of(futures[k]);
    free(futures);
    rask_graph_free(g);
    return NULL;
}

Test(clients, nobody_waits_for_anothers_many)
{
    counts *c = new_counts();
    rask_client *client = open_client(threads(1));
    rask_graph *g = rask_graph_new();
    crowd many = {.client = client, .counts = c, .tasks = 20000},
          few = {.client = client, .counts = c, .tasks = 10};
    pthread_t threads[2];
    rask_future *busy = rask_submit(client, rask_delayed(g, stay, address(c)));
    must_begin(c, 1);
    pthread_create(&threads[0], NULL, submit_many, &many);
    while (atomic_load(&c->calls[0]) < 1)
        sleep_ms(1);
    pthread_create(&threads[1], NULL, submit_many, &few);
    while (atomic_load(&c->calls[0]) < 2)
        sleep_ms(1);
    atomic_store(&c->gate, 1);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    cr_assert_lt(few.last, 1000, "the last of ten came after %ld others", (long)few.last);
    rask_future_unref(busy);
    rask_client_close(client);
    rask_graph_free(g);
    free_counts(c);
}

Test(clients, many_threads_submit_at_once)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        counts *c = new_counts();
        rask_client *client = open_client(o);
        pthread_t threads[16];
        crowd crowds[16];
        int tasks = is(&o, "processes") ? 10 : 500;
        for (int k = 0; k < 16; k++) {
            crowds[k] = (crowd){.client = client, .counts = c, .tasks = tasks};
            pthread_create(&threads[k], NULL, submit_many, &crowds[k]);
        }
        for (int k = 0; k < 16; k++)
            pthread_join(threads[k], NULL);
        cr_assert_eq(atomic_load(&c->order), 16 * tasks);
        rask_client_close(client);
        free_counts(c);
    }
}

/* -- Results that stay */

Test(clients, a_future_is_a_node_in_later_graphs)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        rask_client *client = open_client(o);
        counts *c = new_counts();
        rask_graph *g = rask_graph_new(), *h = rask_graph_new();
        rask_node *kept =
            rask_persist(client, rask_set_label(rask_delayed(g, count, address(c), 6), "six"), h);
        int64_t sum = 0;
        cr_assert_str_eq(rask_node_label(kept), "six");
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(h, add, kept, 1))), 7);
        cr_assert_eq(rask_compute_with(rask_delayed(h, add, kept, kept), &o, &sum), RASK_OK, "%s",
                     rask_graph_error(h));
        cr_assert_eq(sum, 12);
        cr_assert_eq(atomic_load(&c->calls[6]), 1);
        rask_future *bad = rask_submit(client, rask_delayed(g, fail));
        cr_assert_eq(rask_compute_with(rask_delayed(h, add, rask_future_node(h, bad), 1), &o, &sum),
                     RASK_EIO);
        cr_assert_not_null(strstr(rask_graph_error(h), "no luck"), "%s", rask_graph_error(h));
        rask_future_unref(bad);
        rask_client_close(client);
        rask_graph_free(g);
        rask_graph_free(h);
        free_counts(c);
    }
}

/* -- Several on serial */

static rask_client *outer_client, *inner_client;

enum { ALL, ANY, IN_ORDER, EACH };

static int64_t sum_of(rask_future *const both[2])
{
    return result_of(both[0]) + result_of(both[1]);
}

/* The first is never done. */
static int64_t await_any(rask_future *const both[2])
{
    cr_expect_eq(rask_wait_any(both, 2, -1), 1);
    cr_expect(rask_future_cancel(both[0]));
    rask_future_unref(both[0]);
    return 21 + result_of(both[1]);
}

static int64_t await_in_order(rask_future *const both[2])
{
    rask_completion *c = rask_as_completed(both, 2);
    for (size_t left = 2; left; left--)
        cr_expect(rask_future_done(both[rask_completion_next(c)]));
    rask_completion_free(c);
    return sum_of(both);
}

/* (how, a future of the outer client's): with one of the inner client's. Nobody has begun with either. */
static int wait_for_both(rask_task *t)
{
    int64_t how = rask_arg_i64(t, 0);
    rask_future *both[2] = {(rask_future *)(intptr_t)rask_arg_i64(t, 1),
                            rask_submit(inner_client, rask_delayed(rask_task_graph(t), add, 20, 1))};
    cr_expect_not(rask_future_done(both[0]) || rask_future_done(both[1]));
    if (how == ALL)
        cr_expect_eq(rask_wait_all(both, 2, -1), RASK_OK);
    return rask_return_i64(t, how == ANY        ? await_any(both)
                              : how == IN_ORDER ? await_in_order(both)
                                                : sum_of(both));
}
RASK_SLOTS(wait_for_both);

static int submit_within(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    int64_t how = rask_arg_i64(t, 0);
    rask_node *never = rask_set_backoff(rask_set_retries(rask_delayed(g, fail), 1), 1000);
    rask_future *own = rask_submit(outer_client, how == ANY ? never : rask_delayed(g, add, 20, 1));
    return rask_return_i64(
        t, result_of(rask_submit(inner_client, rask_delayed(g, wait_for_both, how, (int64_t)(intptr_t)own))));
}
RASK_SLOTS(submit_within);

/* The thread that waits is at a task of either client, and waits in the inner one. */
Test(clients, who_waits_for_futures_of_several_on_serial_runs_all_of_them, .timeout = 60)
{
    rask_graph *g = rask_graph_new();
    outer_client = open_client(setup(4));
    inner_client = open_client(setup(4));
    for (int64_t how = ALL; how <= EACH; how++)
        cr_expect_eq(result_of(rask_submit(outer_client, rask_delayed(g, submit_within, how))), 42);
    rask_graph_free(g);
    rask_client_close(inner_client);
    rask_client_close(outer_client);
}
