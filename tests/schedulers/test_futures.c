/* Clients and futures: the same meaning on every scheduler. */
#include "clients.h"
#include "graphs.h"
#include "leftovers.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

static int count_pure(rask_task *t)
{
    return count(t);
}
RASK_SLOTS_WITH(count_pure, (.flags = RASK_PURE));

Test(futures, what_is_submitted_gives_its_result)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        leftovers before = look_around();
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        rask_node *seven = rask_delayed(g, add, 3, 4);
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(g, add, seven, rask_const(g, 5)))), 12);
        cr_assert_eq(result_of(rask_submit(client, seven)), 7);
        cr_assert_eq(result_of(rask_submit(client, rask_const(g, 9))), 9);
        rask_node *twice[] = {seven, seven};
        cr_assert_eq(result_of(rask_submit(client, rask_sum(rask_list(g, twice, 2)))), 14);
        rask_client_close(client);
        rask_graph_free(g);
        nothing_is_left_since(before);
    }
}

Test(futures, random_graphs_come_to_what_computing_them_gives)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        rask_client *client = open_client(o);
        random_graph *graphs[60]; /* their addresses are arguments of pure calls: no two may have the same */
        uint64_t count = is(&o, "processes") ? 2 : 60;
        for (uint64_t seed = 0; seed < count; seed++) {
            random_graph *g = graphs[seed] = random_graph_new(seed);
            rask_future *futures[GRAPH_MAX_TARGETS];
            for (uint32_t k = 0; k < g->target_count; k++)
                futures[k] = rask_submit(client, g->targets[k]);
            for (uint32_t k = 0; k < g->target_count; k++) {
                rask_value value;
                cr_assert_eq(rask_future_result(futures[k], &value), RASK_OK, "seed %lu: %s",
                             (unsigned long)seed, rask_future_error(futures[k]));
                cr_assert(rask_value_equal(&value, &g->steps[g->target_steps[k]].expected), "seed %lu, %s",
                          (unsigned long)seed, o.scheduler);
                rask_value_unref(&value);
                rask_future_unref(futures[k]);
            }
        }
        rask_client_close(client);
        for (uint64_t seed = 0; seed < count; seed++)
            random_graph_free(graphs[seed]);
    }
}

Test(futures, a_failure_is_told_with_who_needed_it)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        rask_node *node = rask_delayed(g, fail);
        rask_future *first = rask_submit(client, node);
        for (int k = 0; k < 20; k++)
            node = rask_delayed(g, add, node, 1);
        rask_future *last = rask_submit(client, node);
        int64_t none = 77;
        cr_assert_eq(rask_future_get(last, &none), RASK_EIO);
        cr_assert_eq(none, 77);
        cr_assert_not_null(strstr(rask_future_error(last), "task fail (node 0"), "%s",
                           rask_future_error(last));
        cr_assert_not_null(strstr(rask_future_error(last), "no luck; needed by add < add"), "%s",
                           rask_future_error(last));
        cr_assert_not_null(strstr(rask_future_error(last), "more)"));
        cr_assert_eq(rask_future_get(first, &none), RASK_EIO);
        rask_future_unref(first);
        rask_future_unref(last);
        rask_client_close(client);
        rask_graph_free(g);
    }
}

Test(futures, what_could_not_be_built_gives_a_future_that_says_so)
{
    rask_client *client = open_client(threads(1));
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_delayed(g, add, rask_const(g, "text"), 1);
    rask_future *future = rask_submit(client, node);
    cr_assert_null(node);
    cr_assert_eq(rask_future_result(future, NULL), RASK_EGRAPH);
    cr_assert_not_null(strstr(rask_future_error(future), "could not be built"));
    rask_future_unref(future);
    cr_assert_eq(rask_future_result(NULL, NULL), RASK_ENOMEM);
    cr_assert(rask_future_done(NULL));
    rask_client_close(client);
    rask_graph_free(g);
}

Test(futures, a_node_is_done_once_and_equal_pure_calls_meet_what_is_held)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        counts *c = new_counts();
        rask_graph *g = rask_graph_new(), *h = rask_graph_new();
        rask_node *node = rask_delayed(g, count, address(c), 3),
                  *pure = rask_delayed(g, count_pure, address(c), 4);
        rask_future *held[] = {rask_submit(client, node), rask_submit(client, pure)};
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(g, add, node, pure))), 7);
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(h, count_pure, address(c), 4))), 4);
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(h, count, address(c), 5))), 5);
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(h, count, address(c), 5))), 5);
        cr_assert_eq(atomic_load(&c->calls[3]), 1);
        cr_assert_eq(atomic_load(&c->calls[4]), 1);
        cr_assert_eq(atomic_load(&c->calls[5]), 2, "calls that are not pure are not the same");
        rask_future_unref(held[0]);
        rask_future_unref(held[1]);
        rask_client_close(client);
        rask_graph_free(g);
        rask_graph_free(h);
        free_counts(c);
    }
}

/* (counts, numbers): their sum. */
static int sum_up_pure(rask_task *t)
{
    int64_t sum = 0;
    atomic_fetch_add(&counts_of(t)->calls[0], 1);
    for (size_t i = 1; i < rask_arg_count(t); i++)
        sum += rask_arg_i64(t, i);
    return rask_return_i64(t, sum);
}
RASK_SLOTS_WITH(sum_up_pure, (.flags = RASK_PURE));

Test(futures, calls_of_many_arguments_meet_like_those_of_few)
{
    enum { MOST = 21 };
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        for (size_t nargs = 14; nargs <= MOST; nargs++) {
            rask_arg args[MOST] = {RASK_ARG(address(c)), RASK_ARG(rask_delayed(g, add, 1, 2))};
            for (size_t k = 2; k < nargs; k++)
                args[k] = (rask_arg)RASK_ARG((int64_t)k);
            atomic_store(&c->calls[0], 0);
            rask_future *first = rask_submit(client, rask_call(g, RASK_DEF(sum_up_pure), args, nargs));
            args[1] = (rask_arg)RASK_ARG((int64_t)3);
            rask_future *other = rask_submit(client, rask_call(g, RASK_DEF(sum_up_pure), args, nargs)),
                        *same = rask_submit(client, rask_call(g, RASK_DEF(sum_up_pure), args, nargs));
            cr_assert_eq(other, same);
            int64_t sum = (int64_t)(nargs * (nargs - 1) / 2) + 2;
            cr_assert_eq(result_of(first), sum);
            cr_assert_eq(result_of(other), sum);
            rask_future_unref(same);
            cr_assert_eq(atomic_load(&c->calls[0]), 2,
                         "one with the result of another, and one with a number");
        }
        rask_client_close(client);
        rask_graph_free(g);
        free_counts(c);
    }
}

/* -- Cancelling */

Test(futures, what_nobody_else_needs_vanishes_when_it_is_cancelled)
{
    for (size_t i = 0; i < CLIENT_SETUPS - 1; i++) {
        rask_options o = setup(i);
        rask_client *client = open_client(o);
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_future *busy[8];
        for (uint32_t k = 0; k < o.workers; k++)
            busy[k] = rask_submit(client, rask_delayed(g, stay, address(c)));
        must_begin(c, (int)o.workers);
        rask_node *shared = rask_delayed(g, count, address(c), 1);
        rask_node *own = rask_delayed(g, count, address(c), 2);
        rask_future *doomed = rask_submit(client, rask_delayed(g, add, shared, own));
        rask_future *other = rask_submit(client, rask_delayed(g, add, shared, 10));
        cr_assert(rask_future_cancel(doomed));
        cr_assert(rask_future_done(doomed));
        cr_assert_eq(rask_future_result(doomed, NULL), RASK_ECANCELLED);
        cr_assert_not(rask_future_cancel(doomed), "once");
        atomic_store(&c->gate, 1);
        cr_assert_eq(result_of(other), 11);
        cr_assert_eq(rask_client_drain(client, -1), RASK_OK);
        cr_assert_eq(atomic_load(&c->calls[1]), 1);
        cr_assert_eq(atomic_load(&c->calls[2]), 0);
        for (uint32_t k = 0; k < o.workers; k++)
            cr_assert_eq(result_of(busy[k]), 1);
        rask_future_unref(doomed);
        rask_client_close(client);
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(futures, what_runs_sees_that_it_is_cancelled)
{
    for (size_t i = 0; i < CLIENT_SETUPS - 1; i++) {
        rask_client *client = open_client(setup(i));
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_future *future = rask_submit(client, rask_delayed(g, add, rask_delayed(g, stay, address(c)), 1));
        must_begin(c, 1);
        cr_assert(rask_future_cancel(future));
        cr_assert_eq(rask_future_result(future, NULL), RASK_ECANCELLED);
        cr_assert_eq(rask_client_drain(client, -1), RASK_OK, "though the gate is closed");
        rask_future_unref(future);
        rask_client_close(client);
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(futures, what_others_submitted_goes_on)
{
    rask_client *client = open_client(threads(2));
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_delayed(g, stay, address(c));
    rask_future *mine = rask_submit(client, node), *yours = rask_submit(client, node);
    cr_assert_not(rask_future_cancel(mine));
    atomic_store(&c->gate, 1);
    cr_assert_eq(result_of(yours), 1);
    cr_assert_eq(result_of(mine), 1);
    rask_client_close(client);
    rask_graph_free(g);
    free_counts(c);
}

Test(futures, a_cancelled_node_may_be_submitted_again)
{
    rask_client *client = open_client(threads(1));
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    rask_future *busy = rask_submit(client, rask_delayed(g, stay, address(c)));
    rask_node *node = rask_delayed(g, count, address(c), 1);
    must_begin(c, 1);
    rask_future *future = rask_submit(client, node);
    cr_assert(rask_future_cancel(future));
    rask_future *again = rask_submit(client, node);
    atomic_store(&c->gate, 1);
    cr_assert_eq(result_of(again), 1);
    rask_future_unref(future);
    rask_future_unref(busy);
    rask_client_close(client);
    rask_graph_free(g);
    free_counts(c);
}

Test(futures, a_deadline_ends_what_was_submitted)
{
    for (size_t i = 0; i < CLIENT_SETUPS - 1; i++) {
        rask_client *client = open_client(setup(i));
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_submission soon = {.size = sizeof soon, .deadline = 0.02};
        rask_future *future =
            rask_submit_with(client, rask_delayed(g, add, rask_delayed(g, stay, address(c)), 1), &soon);
        rask_submission late = {.size = sizeof late, .deadline = 1000};
        rask_future *other = rask_submit_with(client, rask_delayed(g, add, 1, 2), &late);
        cr_assert_eq(rask_future_result(future, NULL), RASK_ETIMEDOUT);
        cr_assert_not_null(strstr(rask_future_error(future), "deadline"), "%s", rask_future_error(future));
        cr_assert_eq(result_of(other), 3);
        rask_future_unref(future);
        rask_client_close(client);
        rask_graph_free(g);
        free_counts(c);
    }
}

/* -- Waiting and being told */

typedef struct diary {
    pthread_mutex_t lock;
    int told[8], count;
} diary;

typedef struct line {
    diary *diary;
    int number;
} line;

static void note(void *context, rask_future *future)
{
    line *l = context;
    cr_assert(rask_future_done(future));
    pthread_mutex_lock(&l->diary->lock);
    l->diary->told[l->diary->count++] = l->number;
    pthread_mutex_unlock(&l->diary->lock);
}

Test(futures, callbacks_come_once_in_the_order_they_were_asked_for)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        rask_client *client = open_client(o);
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        diary d = {.lock = PTHREAD_MUTEX_INITIALIZER};
        line lines[4] = {{&d, 0}, {&d, 1}, {&d, 2}, {&d, 3}};
        atomic_store(&c->gate, is(&o, "serial"));
        rask_future *future = rask_submit(client, rask_delayed(g, stay, address(c)));
        for (int k = 0; k < 3; k++)
            cr_assert_eq(rask_future_on_done(future, note, &lines[k]), RASK_OK);
        atomic_store(&c->gate, 1);
        cr_assert_eq(rask_client_drain(client, -1), RASK_OK);
        cr_assert_eq(rask_future_on_done(future, note, &lines[3]), RASK_OK);
        cr_assert_eq(d.count, 4);
        for (int k = 0; k < 4; k++)
            cr_assert_eq(d.told[k], k);
        rask_future_unref(future);
        rask_client_close(client);
        rask_graph_free(g);
        free_counts(c);
    }
}

typedef struct follow_up {
    rask_client *client;
    rask_graph *graph;
    _Atomic(rask_future *) future;
} follow_up;

static void submit_more(void *context, rask_future *future)
{
    follow_up *f = context;
    rask_node *first = rask_future_node(f->graph, future);
    atomic_store(&f->future, rask_submit(f->client, rask_delayed(f->graph, add, first, 100)));
}

Test(futures, a_callback_may_submit)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        follow_up f = {.client = open_client(setup(i)), .graph = rask_graph_new()};
        rask_future *future = rask_submit(f.client, rask_delayed(g, add, 1, 2));
        cr_assert_eq(rask_future_on_done(future, submit_more, &f), RASK_OK);
        while (!atomic_load(&f.future))
            sleep_ms(1);
        cr_assert_eq(result_of(atomic_load(&f.future)), 103);
        rask_future_unref(future);
        rask_client_close(f.client);
        rask_graph_free(f.graph);
        rask_graph_free(g);
    }
}

static void wait_for_others(void *context, rask_future *future)
{
    follow_up *f = context;
    (void)future;
    cr_expect_eq(rask_future_wait(atomic_load(&f->future), -1), RASK_OK);
}

Test(futures, a_callback_may_wait_for_what_became_ready_with_it)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        if (is(&o, "serial"))
            continue; /* it has all run when it was submitted */
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        follow_up f = {.client = open_client(o)};
        rask_node *node = rask_delayed(g, stay, address(c));
        rask_future *future = rask_submit(f.client, node);
        atomic_store(&f.future, rask_submit(f.client, rask_delayed(g, add, node, 1)));
        cr_assert_eq(rask_future_on_done(future, wait_for_others, &f), RASK_OK);
        atomic_store(&c->gate, 1);
        cr_assert_eq(rask_future_wait(atomic_load(&f.future), -1), RASK_OK);
        cr_assert_eq(rask_client_drain(f.client, -1), RASK_OK);
        rask_future_unref(future);
        rask_future_unref(atomic_load(&f.future));
        rask_client_close(f.client);
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(futures, waiting_ends_in_time)
{
    rask_client *client = open_client(threads(1));
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    rask_future *futures[] = {rask_submit(client, rask_delayed(g, stay, address(c))),
                              rask_submit(client, rask_delayed(g, add, 1, 2))};
    cr_assert_eq(rask_future_wait(futures[0], 0.01), RASK_ETIMEDOUT);
    cr_assert_eq(rask_wait_all(futures, 2, 0.01), RASK_ETIMEDOUT);
    cr_assert_eq(rask_wait_any(futures, 2, 0.01), 2);
    cr_assert_eq(rask_client_drain(client, 0.01), RASK_ETIMEDOUT);
    cr_assert_not(rask_future_done(futures[1]));
    atomic_store(&c->gate, 1);
    cr_assert_lt(rask_wait_any(futures, 2, -1), 2);
    cr_assert_eq(rask_wait_all(futures, 2, -1), RASK_OK);
    cr_assert_eq(result_of(futures[0]), 1);
    cr_assert_eq(result_of(futures[1]), 3);
    rask_client_close(client);
    rask_graph_free(g);
    free_counts(c);
}

Test(futures, each_is_given_once_as_they_complete)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        rask_client *client = open_client(o);
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_future *futures[20];
        bool seen[20] = {false};
        atomic_store(&c->gate, is(&o, "serial") || o.workers < 2);
        futures[0] = rask_submit(client, rask_delayed(g, stay, address(c)));
        for (int k = 1; k < 20; k++)
            futures[k] = rask_submit(client, rask_delayed(g, add, k, k));
        rask_completion *completion = rask_as_completed(futures, 20);
        for (int k = 0; k < 20; k++) {
            atomic_store(&c->gate, k == 19 || atomic_load(&c->gate));
            size_t next = rask_completion_next(completion);
            cr_assert_lt(next, 20);
            cr_assert_not(seen[next]);
            cr_assert(rask_future_done(futures[next]));
            seen[next] = true;
        }
        cr_assert_eq(rask_completion_next(completion), 20);
        rask_completion_free(completion);
        for (int k = 0; k < 20; k++)
            rask_future_unref(futures[k]);
        rask_client_close(client);
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(futures, a_descriptor_says_when_there_is_one_done)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        struct pollfd fd = {.fd = rask_client_fd(client), .events = POLLIN};
        int64_t sum = 0, i64;
        cr_assert_geq(fd.fd, 0);
        cr_assert_eq(poll(&fd, 1, 0), 0);
        for (int k = 0; k < 10; k++)
            rask_future_unref(rask_submit(client, rask_delayed(g, add, k, 1)));
        for (int k = 0; k < 10;) {
            cr_assert_eq(poll(&fd, 1, -1), 1);
            for (rask_future *future; (future = rask_client_next(client)); k++) {
                cr_assert_eq(rask_future_get(future, &i64), RASK_OK);
                rask_future_unref(future);
                sum += i64;
            }
        }
        cr_assert_eq(sum, 55);
        cr_assert_eq(poll(&fd, 1, 0), 0);
        rask_client_close(client);
        rask_graph_free(g);
    }
}

/* (counts): submits to its own client and waits. */
static rask_client *the_client;

static int wait_within(rask_task *t)
{
    rask_graph *g = rask_graph_new();
    rask_future *future = rask_submit(the_client, rask_delayed(g, add, 20, 1));
    int64_t i = 0;
    int status = rask_future_get(future, &i);
    rask_future_unref(future);
    rask_graph_free(g);
    return status ? rask_fail(t, status, "inner") : rask_return_i64(t, 2 * i);
}
RASK_SLOTS(wait_within);

Test(futures, a_task_may_wait_for_what_it_submits_though_it_has_the_only_worker)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        if (is(&o, "processes"))
            continue;
        the_client = open_client(o);
        rask_graph *g = rask_graph_new();
        cr_assert_eq(result_of(rask_submit(the_client, rask_delayed(g, wait_within))), 42);
        rask_client_close(the_client);
        rask_graph_free(g);
    }
}

/* -- Maps and streams */

static int64_t square(int64_t i)
{
    return i * i;
}
RASK_TASK(square, i64, i64);

Test(futures, a_map_calls_with_each_input)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        rask_value numbers[30], pair[2] = {rask_value_i64(30), rask_value_i64(12)}, list;
        rask_future *futures[30], *one;
        for (int k = 0; k < 30; k++)
            numbers[k] = rask_value_i64(k);
        cr_assert_eq(rask_map(client, RASK_DEF(square), numbers, 30, futures), RASK_OK);
        for (int64_t k = 0; k < 30; k++)
            cr_assert_eq(result_of(futures[k]), k * k);
        cr_assert_eq(rask_value_list_new(pair, 2, &list), RASK_OK);
        cr_assert_eq(rask_map(client, RASK_DEF(add), &list, 1, &one), RASK_OK);
        cr_assert_eq(result_of(one), 42);
        cr_assert_eq(rask_map(client, RASK_DEF(add), numbers, 30, futures), RASK_EINVAL, "add takes two");
        rask_value_unref(&list);
        rask_client_close(client);
    }
}

typedef struct tape {
    int64_t next, end, sum, stop_at;
    uint64_t last, most_ahead;
    int failures;
    bool ordered;
} tape;

static bool read_tape(void *context, rask_value *input)
{
    tape *t = context;
    if (t->next == t->end)
        return false;
    *input = rask_value_i64(t->next++);
    return true;
}

static int write_tape(void *context, uint64_t index, int status, const rask_value *value, const char *message)
{
    tape *t = context;
    int64_t i = 0;
    cr_assert(!t->ordered || index == t->last);
    t->last++;
    t->failures += status != RASK_OK;
    cr_assert_eq(*message != 0, status != RASK_OK);
    if (!status)
        cr_assert_eq(rask_value_get_i64(value, &i), RASK_OK);
    t->sum += i;
    if ((uint64_t)t->next - t->last > t->most_ahead)
        t->most_ahead = (uint64_t)t->next - t->last;
    return t->stop_at && (int64_t)t->last == t->stop_at ? RASK_ELIMIT : RASK_OK;
}

static int odd_fails(rask_task *t)
{
    int64_t i = rask_arg_i64(t, 0);
    return i % 2 ? rask_fail(t, RASK_EFORMAT, "odd") : rask_return_i64(t, i);
}
RASK_SLOTS(odd_fails);

static int run_stream(rask_client *client, const rask_task_def *def, tape *t)
{
    rask_stream how = {.size = sizeof how,
                       .next = read_tape,
                       .sink = write_tape,
                       .context = t,
                       .in_flight = 7,
                       .as_completed = !t->ordered};
    return rask_map_stream(client, def, &how);
}

Test(futures, a_stream_goes_through_a_window)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        for (int ordered = 0; ordered < 2; ordered++) {
            tape t = {.end = 100, .ordered = ordered};
            cr_assert_eq(run_stream(client, RASK_DEF(square), &t), RASK_OK);
            cr_assert_eq(t.last, 100);
            cr_assert_eq(t.sum, 328350);
            cr_assert_leq(t.most_ahead, 7);
            t = (tape){.end = 10, .ordered = ordered};
            cr_assert_eq(run_stream(client, RASK_DEF(odd_fails), &t), RASK_EFORMAT);
            cr_assert_eq(t.failures, 5);
            cr_assert_eq(t.sum, 20);
            t = (tape){.end = INT64_MAX, .ordered = ordered, .stop_at = 20};
            cr_assert_eq(run_stream(client, RASK_DEF(square), &t), RASK_ELIMIT);
            cr_assert_eq(t.last, 20);
        }
        rask_client_close(client);
    }
}
