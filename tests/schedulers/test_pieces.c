/* What grows small and plain is called where it grew: nobody may tell that from what is queued and taken by others. */
#include "growing.h"
#include "schedulers/futures/executor.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct marks {
    atomic_int begun, met, stop, saw;
} marks;

static marks *marks_of(rask_task *t)
{
    return (marks *)(intptr_t)rask_arg_i64(t, 0);
}

static int64_t place_of(const marks *m)
{
    return (int64_t)(intptr_t)m;
}

/* (n): n, as one more than what it grows for n - 1; -1: it fails. */
static int climb(rask_task *t);
RASK_SLOTS(climb);

static int climb(rask_task *t)
{
    int64_t n = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    return n == 0 ? rask_return_i64(t, 0)
                  : rask_return_node(t, rask_delayed(g, add, rask_delayed(g, climb, n - 1), 1));
}

static int climb_and_fall(rask_task *t);
RASK_SLOTS(climb_and_fall);

static int climb_and_fall(rask_task *t)
{
    int64_t n = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    return n == 0 ? rask_fail(t, RASK_EIO, "fell at the top")
                  : rask_return_node(t, rask_delayed(g, add, rask_delayed(g, climb_and_fall, n - 1), 1));
}

Test(pieces, a_task_may_wait_for_thousands_that_grew_one_from_another)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        cr_assert_eq(submit(setup(i), rask_delayed(g, climb, 5000)), 5000);
        rask_graph_free(g);
    }
}

/* (marks): waits until there are two of them. */
static int meet(rask_task *t)
{
    marks *m = marks_of(t);
    atomic_fetch_add(&m->met, 1);
    while (atomic_load(&m->met) < 2)
        sleep_ms(1);
    return rask_return_i64(t, 1);
}
RASK_SLOTS(meet);

/* (marks, steps): after so many calls of itself two that meet. */
static int part(rask_task *t);
RASK_SLOTS(part);

static int part(rask_task *t)
{
    int64_t where = rask_arg_i64(t, 0), steps = rask_arg_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(
        t, steps ? rask_delayed(g, add, rask_delayed(g, part, where, steps - 1), 0)
                 : rask_delayed(g, add, rask_delayed(g, meet, where), rask_delayed(g, meet, where)));
}

Test(pieces, others_take_what_is_ready_while_a_call_goes_on)
{
    for (int steps = 0; steps < 200; steps = 2 * steps + 1) {
        marks *m = shared_calloc(sizeof *m);
        rask_graph *g = rask_graph_new();
        cr_assert_eq(submit(threads(2), rask_delayed(g, part, place_of(m), steps)), 2);
        rask_graph_free(g);
        shared_free(m, sizeof *m);
    }
}

Test(pieces, a_failure_is_told_with_all_who_needed_it)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        rask_future *future = rask_submit(client, rask_delayed(g, climb_and_fall, 3));
        cr_assert_eq(rask_future_wait(future, -1), RASK_OK);
        cr_assert_eq(rask_future_result(future, NULL), RASK_EIO);
        const char *text = rask_future_error(future);
        cr_expect_not_null(strstr(text, "task climb_and_fall (node 0, "), "%s", text);
        cr_expect_not_null(strstr(text, "test_pieces.c:"), "%s", text);
        cr_expect_not_null(strstr(text, "fell at the top; needed by add < climb_and_fall < add < "
                                        "climb_and_fall < add < climb_and_fall"),
                           "%s: %s", setup(i).scheduler, text);
        rask_future_unref(future);
        rask_graph_free(g);
        rask_client_close(client);
    }
}

/* (marks): begins, and returns when it is cancelled. */
static int linger(rask_task *t)
{
    marks *m = marks_of(t);
    atomic_fetch_add(&m->begun, 1);
    while (!rask_task_cancelled(t))
        sleep_ms(1);
    atomic_fetch_add(&m->saw, 1);
    return rask_fail(t, RASK_ECANCELLED, NULL);
}
RASK_SLOTS(linger);

/* (marks, depth): at the bottom one of them. */
static int dig(rask_task *t);
RASK_SLOTS(dig);

static int dig(rask_task *t)
{
    int64_t where = rask_arg_i64(t, 0), depth = rask_arg_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(
        t, depth ? rask_delayed(g, add, rask_delayed(g, dig, where, depth - 1), rask_delayed(g, tree, 3))
                 : rask_delayed(g, add, rask_delayed(g, linger, where), 1));
}

Test(pieces, what_runs_deep_within_sees_that_the_future_is_cancelled)
{
    for (size_t i = 0; i < CLIENT_SETUPS - 1; i++) {
        marks *m = shared_calloc(sizeof *m);
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        rask_future *future = rask_submit(client, rask_delayed(g, dig, place_of(m), 20));
        while (!atomic_load(&m->begun))
            sleep_ms(1);
        cr_assert(rask_future_cancel(future));
        cr_assert_eq(rask_client_drain(client, -1), RASK_OK);
        cr_assert_eq(rask_future_result(future, NULL), RASK_ECANCELLED);
        cr_assert_eq(atomic_load(&m->saw), 1);
        rask_future_unref(future);
        rask_graph_free(g);
        rask_client_close(client);
        shared_free(m, sizeof *m);
    }
}

static rask_cancel_token *stop_button;

static int64_t stop_all(int64_t a)
{
    rask_cancel(stop_button);
    return a;
}
RASK_TASK(stop_all, i64, i64);

/* (n): at the top one that stops everything, and returns as if nothing were. */
static int tower(rask_task *t);
RASK_SLOTS(tower);

static int tower(rask_task *t)
{
    int64_t n = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(
        t, rask_delayed(g, add, n ? rask_delayed(g, tower, n - 1) : rask_delayed(g, stop_all, 1), 1));
}

Test(pieces, when_all_is_stopped_what_had_not_begun_is_named)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        if (!strcmp(o.scheduler, "processes"))
            continue;
        o.cancel = stop_button = rask_cancel_token_new();
        rask_client *client = open_client(o);
        rask_graph *g = rask_graph_new();
        rask_future *future = rask_submit(client, rask_delayed(g, tower, 2));
        cr_assert_eq(rask_future_result(future, NULL), RASK_ECANCELLED);
        const char *text = rask_future_error(future);
        cr_expect(strstr(text, "task add (node ") == text, "%s", text);
        cr_expect_not_null(strstr(text,
                                  "it had not begun when its scheduler was stopped; needed by tower < add < "
                                  "tower < add < tower"),
                           "%s", text);
        rask_future_unref(future);
        rask_graph_free(g);
        rask_client_close(client);
        rask_cancel_token_free(stop_button);
    }
}

Test(pieces, a_client_closes_in_the_middle_of_them)
{
    for (size_t i = 0; i < CLIENT_SETUPS - 1; i++) {
        marks *m = shared_calloc(sizeof *m);
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        rask_future *future = rask_submit(client, rask_delayed(g, dig, place_of(m), 20));
        while (!atomic_load(&m->begun))
            sleep_ms(1);
        rask_client_close(client);
        cr_assert_eq(rask_future_result(future, NULL), RASK_ECANCELLED);
        rask_future_unref(future);
        rask_graph_free(g);
        shared_free(m, sizeof *m);
    }
}

/* (marks, depth): a tree without an end, until it is told to stop. */
static int weed(rask_task *t);
RASK_SLOTS(weed);

static int weed(rask_task *t)
{
    int64_t where = rask_arg_i64(t, 0), depth = rask_arg_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    atomic_fetch_add(&marks_of(t)->begun, 1);
    if (!depth || atomic_load(&marks_of(t)->stop))
        return rask_return_i64(t, 1);
    return rask_return_node(t, rask_delayed(g, add, rask_delayed(g, weed, where, depth - 1),
                                            rask_delayed(g, weed, where, depth - 1)));
}

Test(pieces, what_others_submit_gets_its_turn)
{
    for (uint32_t workers = 1; workers < 3; workers++) {
        marks *m = shared_calloc(sizeof *m);
        rask_client *client = open_client(threads(workers));
        rask_graph *g = rask_graph_new();
        rask_future *many[2];
        for (uint32_t i = 0; i < workers; i++)
            many[i] = rask_submit(client, rask_delayed(g, weed, place_of(m), 60));
        while (atomic_load(&m->begun) < 1000)
            sleep_ms(1);
        int64_t sum = 0;
        rask_future *one = rask_submit(client, rask_delayed(g, add, 40, 2));
        cr_assert_eq(rask_future_get(one, &sum), RASK_OK);
        cr_assert_eq(sum, 42);
        rask_future_unref(one);
        atomic_store(&m->stop, 1);
        for (uint32_t i = 0; i < workers; i++) {
            cr_assert_eq(rask_future_get(many[i], &sum), RASK_OK);
            rask_future_unref(many[i]);
        }
        rask_graph_free(g);
        rask_client_close(client);
        shared_free(m, sizeof *m);
    }
}

static rask_future *doomed;

static int64_t cancel_it(int64_t a)
{
    cr_assert(rask_future_cancel(doomed));
    return a;
}
RASK_TASK(cancel_it, i64, i64);

/* (marks, client, n): itself with one less, ten times; in the middle something comes that goes before it. */
static int burrow(rask_task *t);
RASK_SLOTS(burrow);

static int burrow(rask_task *t)
{
    marks *m = marks_of(t);
    int64_t client = rask_arg_i64(t, 1), n = rask_arg_i64(t, 2);
    rask_graph *g = rask_task_graph(t);
    atomic_fetch_add(&m->begun, 1);
    if (n == 5) {
        rask_submission first = {sizeof first, 1, 0};
        rask_graph *other = rask_graph_new();
        rask_future_unref(
            rask_submit_with((rask_client *)(intptr_t)client, rask_delayed(other, cancel_it, 0), &first));
        rask_graph_free(other);
    }
    return n == 0 ? rask_return_i64(t, 0)
                  : rask_return_node(
                        t, rask_delayed(g, add, rask_delayed(g, burrow, place_of(m), client, n - 1), 1));
}

Test(pieces, what_was_put_off_is_not_called_once_it_is_cancelled)
{
    marks *m = shared_calloc(sizeof *m);
    rask_client *client = open_client(threads(1));
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_delayed(g, burrow, place_of(m), (int64_t)(intptr_t)client, 10);
    rask_node *wait = rask_delayed(g, meet, place_of(m)); /* until doomed is known */
    atomic_store(&m->met, -1);
    rask_future *waiting = rask_submit(client, wait);
    doomed = rask_submit(client, node);
    atomic_store(&m->met, 2);
    cr_assert_eq(rask_future_result(doomed, NULL), RASK_ECANCELLED);
    cr_assert_eq(rask_client_drain(client, -1), RASK_OK);
    cr_assert_eq(atomic_load(&m->begun), 6);
    rask_future_unref(waiting);
    rask_future_unref(doomed);
    rask_graph_free(g);
    rask_client_close(client);
    shared_free(m, sizeof *m);
}

/* (marks, n): takes milliseconds, and itself with one less. */
static int crawl(rask_task *t);
RASK_SLOTS(crawl);

static int crawl(rask_task *t)
{
    int64_t where = rask_arg_i64(t, 0), n = rask_arg_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    atomic_fetch_add(&marks_of(t)->begun, 1);
    sleep_ms(3);
    return n == 0 ? rask_return_i64(t, 0)
                  : rask_return_node(t, rask_delayed(g, add, rask_delayed(g, crawl, where, n - 1), 1));
}

/* (marks, client): does not wait for long. */
static int lose_patience(rask_task *t)
{
    marks *m = marks_of(t);
    rask_graph *g = rask_graph_new();
    rask_future *future =
        rask_submit((rask_client *)(intptr_t)rask_arg_i64(t, 1), rask_delayed(g, crawl, place_of(m), 30));
    int status = rask_future_wait(future, 0.002);
    atomic_store(&m->saw, atomic_load(&m->begun));
    rask_future_cancel(future);
    rask_future_unref(future);
    rask_graph_free(g);
    return rask_return_i64(t, status);
}
RASK_SLOTS(lose_patience);

Test(pieces, a_wait_with_a_deadline_in_a_task_goes_on_between_their_calls)
{
    marks *m = shared_calloc(sizeof *m);
    rask_client *client = open_client(threads(1));
    rask_graph *g = rask_graph_new();
    int64_t status = -1;
    rask_future *future =
        rask_submit(client, rask_delayed(g, lose_patience, place_of(m), (int64_t)(intptr_t)client));
    cr_assert_eq(rask_future_get(future, &status), RASK_OK);
    cr_expect_eq(status, RASK_ETIMEDOUT);
    cr_expect_leq(atomic_load(&m->saw), 1, "%d calls", atomic_load(&m->saw));
    rask_future_unref(future);
    rask_graph_free(g);
    rask_client_close(client);
    shared_free(m, sizeof *m);
}

Test(pieces, who_has_other_things_to_do_is_let_go_between_their_calls)
{
    marks *m = shared_calloc(sizeof *m);
    rask_options o = threads(1);
    o.scratch = "/tmp";
    char why[100];
    rk_executor *executor = rk_executor_new(&o, 1, NULL, NULL);
    cr_assert_eq(rk_gate_new("", &executor->gate, why, sizeof why), RASK_OK);
    rk_place before = rk_executor_sit((rk_place){executor, 0, 0, false});
    rk_queue ready = {NULL, NULL};
    uint32_t origin = 0;
    rask_graph *g = rask_graph_new();
    rask_future *future =
        rk_executor_sow(executor, rask_delayed(g, crawl, place_of(m), 10), &origin, 0, &ready);
    rk_executor_push_all(executor, &ready);
    cr_assert(rk_executor_run_one(executor, 0));
    cr_expect_eq(atomic_load(&m->begun), 1);
    while (rk_executor_run_one(executor, 0)) {
    }
    cr_expect_eq(atomic_load(&m->begun), 11);
    cr_expect(rk_future_is_done(future));
    rask_future_unref(future);
    rk_executor_sit(before);
    rk_executor_unref(executor);
    rask_graph_free(g);
    shared_free(m, sizeof *m);
}

/* (depth, bytes): a text as long as the longest of its leaves. */
static int longer(rask_task *t)
{
    rask_bytes a = rask_arg_bytes(t, 0), b = rask_arg_bytes(t, 1);
    return a.len > b.len ? rask_return_bytes(t, a.data, a.len) : rask_return_bytes(t, b.data, b.len);
}
RASK_SLOTS(longer);

static int texts(rask_task *t);
RASK_SLOTS(texts);

static int texts(rask_task *t)
{
    static const char text[100000];
    int64_t depth = rask_arg_i64(t, 0), bytes = rask_arg_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    if (!depth)
        return rask_return_bytes(t, text, (size_t)bytes);
    return rask_return_node(t, rask_delayed(g, longer, rask_delayed(g, texts, depth - 1, bytes),
                                            rask_delayed(g, texts, depth - 1, bytes)));
}

Test(pieces, a_result_is_counted_until_all_who_take_it_have_it)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = setup(i);
        o.memory = 100000 * 40; /* of 256 leaves */
        rask_client *client = open_client(o);
        rask_graph *g = rask_graph_new();
        rask_future *future = rask_submit(client, rask_delayed(g, texts, 8, 100000));
        rask_value text = rask_value_none();
        cr_assert_eq(rask_future_result(future, &text), RASK_OK, "%s: %s", o.scheduler,
                     rask_future_error(future));
        rask_bytes bytes = {NULL, 0};
        cr_assert_eq(rask_value_get_bytes(&text, &bytes), RASK_OK);
        cr_assert_eq(bytes.len, 100000);
        rask_value_unref(&text);
        rask_future_unref(future);
        rask_graph_free(g);
        rask_client_close(client);
    }
}

/* (client): waits for what it submits, in the middle of what grew. */
static int ask(rask_task *t)
{
    rask_client *client = (rask_client *)(intptr_t)rask_arg_i64(t, 0);
    rask_graph *g = rask_graph_new();
    int64_t leaves = 0;
    rask_future *future = rask_submit(client, rask_delayed(g, tree, 6));
    int status = rask_future_get(future, &leaves);
    rask_future_unref(future);
    rask_graph_free(g);
    return status ? rask_fail(t, status, NULL) : rask_return_i64(t, leaves);
}
RASK_SLOTS(ask);

static int ask_twice(rask_task *t)
{
    int64_t client = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t,
                            rask_delayed(g, add, rask_delayed(g, ask, client), rask_delayed(g, ask, client)));
}
RASK_SLOTS(ask_twice);

Test(pieces, a_task_in_one_may_wait_for_others_that_grow)
{
    for (uint32_t workers = 1; workers < 4; workers++) {
        rask_client *client = open_client(threads(workers));
        rask_graph *g = rask_graph_new();
        int64_t leaves = 0;
        rask_future *future = rask_submit(client, rask_delayed(g, ask_twice, (int64_t)(intptr_t)client));
        cr_assert_eq(rask_future_get(future, &leaves), RASK_OK);
        cr_assert_eq(leaves, 128);
        rask_future_unref(future);
        rask_graph_free(g);
        rask_client_close(client);
    }
}

/* (marks): fails the first time. */
static int stumble(rask_task *t)
{
    return atomic_fetch_add(&marks_of(t)->begun, 1) ? rask_return_i64(t, 7) : rask_fail(t, RASK_EIO, "once");
}
RASK_SLOTS_WITH(stumble, (.retries = 1));

static int note(rask_task *t)
{
    atomic_fetch_add(&marks_of(t)->met, 1);
    return rask_return_none(t);
}
RASK_SLOTS(note);

/* (marks, waits): a constant, one that is not needed, one that is tried again; and one that is only waited for. */
static int mix(rask_task *t)
{
    int64_t where = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    rask_node *three = rask_const(g, 3), *noted = rask_delayed(g, note, where);
    rask_delayed(g, climb_and_fall, 0);
    rask_node *sum = rask_delayed(g, add, rask_delayed(g, stumble, where), three);
    if (rask_arg_i64(t, 1))
        rask_after(sum, &noted, 1);
    return rask_return_node(t, rask_delayed(g, add, sum, three));
}
RASK_SLOTS(mix);

Test(pieces, their_nodes_are_of_all_kinds)
{
    for (size_t i = 0; i < 2 * (size_t)CLIENT_SETUPS; i++) {
        marks *m = shared_calloc(sizeof *m);
        rask_graph *g = rask_graph_new();
        int waits = i % 2;
        cr_assert_eq(submit(setup(i / 2), rask_delayed(g, mix, place_of(m), waits)), 13);
        cr_assert_eq(atomic_load(&m->met), waits);
        cr_assert_eq(atomic_load(&m->begun), 2);
        rask_graph_free(g);
        shared_free(m, sizeof *m);
    }
}

/* (kind): returns a node, and then something else. */
static int change_mind(rask_task *t)
{
    rask_return_node(t, rask_delayed(rask_task_graph(t), tree, 3));
    return rask_arg_i64(t, 0) ? rask_return_i64(t, 5) : rask_return_none(t);
}
RASK_SLOTS(change_mind);

Test(pieces, what_is_returned_last_is_the_result)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(setup(i));
        rask_graph *g = rask_graph_new();
        for (int kind = 0; kind < 2; kind++) {
            rask_value result = rask_value_i64(1);
            rask_future *future = rask_submit(client, rask_delayed(g, change_mind, kind));
            cr_assert_eq(rask_future_result(future, &result), RASK_OK);
            cr_assert_eq(result.type, kind ? RASK_I64 : RASK_NONE);
            rask_future_unref(future);
        }
        rask_graph_free(g);
        rask_client_close(client);
    }
}

/* A chain of calls that is too long for a piece. */
static int link_up(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *sum = rask_delayed(g, add, 1, 0);
    for (int i = 1; i < 20; i++)
        sum = rask_delayed(g, add, sum, 1);
    return rask_return_node(t, sum);
}
RASK_SLOTS(link_up);

static int link_up_one_more(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_delayed(g, add, rask_delayed(g, link_up), 1));
}
RASK_SLOTS(link_up_one_more);

/* A constant, where a call is expected. */
static int seven(rask_task *t)
{
    return rask_return_node(t, rask_const(rask_task_graph(t), 7));
}
RASK_SLOTS(seven);

static int one_more_than_seven(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_delayed(g, add, rask_delayed(g, seven), 1));
}
RASK_SLOTS(one_more_than_seven);

Test(pieces, what_is_none_grows_in_one_all_the_same)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        cr_expect_eq(submit(setup(i), rask_delayed(g, link_up_one_more)), 21);
        cr_expect_eq(submit(setup(i), rask_delayed(g, one_more_than_seven)), 8);
        rask_graph_free(g);
    }
}

/* Counts blocks, and fails once when it is asked to. */
static atomic_long left, live;

static void *scant_alloc(void *context, size_t size)
{
    (void)context;
    void *at = atomic_fetch_sub(&left, 1) == 1 ? NULL : malloc(size);
    atomic_fetch_add(&live, at != NULL);
    return at;
}

static void *scant_realloc(void *context, void *at, size_t size)
{
    (void)context;
    void *moved = atomic_fetch_sub(&left, 1) == 1 ? NULL : realloc(at, size);
    atomic_fetch_add(&live, !at && moved);
    return moved;
}

static void scant_free(void *context, void *at)
{
    (void)context;
    atomic_fetch_sub(&live, at != NULL);
    free(at);
}

static void be_scant(void)
{
    rask_allocator scant = {scant_alloc, scant_realloc, scant_free, NULL};
    atomic_store(&left, -1);
    cr_assert_eq(rask_set_allocator(&scant), RASK_OK);
}

static void climb_often(rask_client *client, int times)
{
    for (int i = 0; i < times; i++) {
        rask_graph *g = rask_graph_new();
        int64_t height = -1;
        rask_future *future = rask_submit(client, rask_delayed(g, climb, i % 3 + 1));
        cr_assert_eq(rask_future_get(future, &height), RASK_OK);
        cr_assert_eq(height, i % 3 + 1);
        rask_future_unref(future);
        rask_graph_free(g);
    }
    cr_assert_eq(rask_client_drain(client, -1), RASK_OK);
}

Test(pieces, what_they_lie_in_is_used_again)
{
    enum { TIMES = 500 };
    be_scant();
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        if (!strcmp(setup(i).scheduler, "processes"))
            continue;
        rask_client *client = open_client(setup(i));
        climb_often(client, 50);
        long before = atomic_load(&live), asked = atomic_load(&left);
        climb_often(client, TIMES);
        cr_expect_lt(atomic_load(&live), before + TIMES);
        cr_expect_lt(asked - atomic_load(&left), (long)TIMES * 12, "%ld", asked - atomic_load(&left));
        rask_client_close(client);
    }
    rask_set_allocator(NULL);
}

static long nth;
static atomic_int begun;

/* Until another has begun, or memory was short. */
static int64_t loiter(int64_t a)
{
    for (atomic_fetch_add(&begun, 1); atomic_load(&begun) < 2 && atomic_load(&left) > 0;)
        sleep_ms(1);
    return a;
}
RASK_TASK(loiter, i64, i64);

/* From when it has returned on memory is short. */
static int loiter_twice(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *sum = rask_delayed(g, add, rask_delayed(g, loiter, 1), rask_delayed(g, loiter, 2));
    atomic_store(&begun, 0);
    atomic_store(&left, nth);
    return rask_return_node(t, sum);
}
RASK_SLOTS(loiter_twice);

static int loiter_within(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_delayed(g, add, rask_delayed(g, loiter_twice), 1));
}
RASK_SLOTS(loiter_within);

/* It stands for the one that it grows, which is no piece for its label. */
static int loiter_deeper(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_set_label(rask_delayed(g, loiter_within), "it"));
}
RASK_SLOTS(loiter_deeper);

/* False: there was not enough memory for it. */
static bool go_short(rask_client *client, rask_node *node, long fails, int64_t expected)
{
    int64_t i = 0;
    atomic_store(&left, fails);
    rask_future *future = rask_submit(client, node);
    int status = rask_future_get(future, &i);
    cr_assert_eq(rask_client_drain(client, 60), RASK_OK, "%ld", nth);
    atomic_store(&left, -1);
    cr_assert(status ? status == RASK_ENOMEM : i == expected, "%s", rask_status_name(status));
    rask_future_unref(future);
    return !status;
}

Test(pieces, without_memory_they_fail_or_do_without)
{
    int failed = 0;
    be_scant();
    for (nth = 1; nth < 200; nth++) {
        long before = atomic_load(&live);
        rask_client *client = open_client(threads(2));
        rask_graph *g = rask_graph_new();
        rask_node *node = nth % 2 ? rask_delayed(g, climb, 100) : rask_delayed(g, link_up_one_more);
        failed += !go_short(client, node, (nth + 1) / 2, nth % 2 ? 100 : 21);
        rask_graph_free(g);
        rask_client_close(client);
        cr_assert_eq(atomic_load(&live), before, "%ld: %ld blocks more", nth, atomic_load(&live) - before);
    }
    rask_set_allocator(NULL);
    cr_assert_gt(failed, 0);
}

Test(pieces, without_memory_who_takes_some_loses_nothing)
{
    be_scant();
    for (nth = 1; nth < 16; nth++) {
        long before = atomic_load(&live);
        rask_client *client = open_client(threads(2));
        rask_graph *g = rask_graph_new();
        go_short(client, rask_delayed(g, loiter_deeper), -1, 4);
        rask_graph_free(g);
        rask_client_close(client);
        cr_assert_eq(atomic_load(&live), before, "%ld: %ld blocks more", nth, atomic_load(&live) - before);
    }
    rask_set_allocator(NULL);
}
