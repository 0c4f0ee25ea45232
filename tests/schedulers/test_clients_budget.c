/* Results that a client's futures hold within its memory budget: what does not fit is on disk until it is asked for. */
#include "clients.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BUDGET = 1 << 20, CHUNK = BUDGET / 8, MANY = 80, SMALL_CHUNK = 16 << 10 };

/* (number, bytes): as many that only this number has. */
static int make(rask_task *t)
{
    int64_t number = rask_arg_i64(t, 0), len = rask_arg_i64(t, 1);
    char *data;
    rask_value value;
    int status = rask_value_bytes_alloc((size_t)len, &data, &value);
    for (int64_t i = 0; !status && i < len; i++)
        data[i] = (char)(number * 31 + i % 251);
    return status ? status : rask_return_value(t, value);
}
RASK_SLOTS(make);

static bool is_made(rask_bytes bytes, int64_t number, int64_t len)
{
    bool ok = bytes.len == (size_t)len;
    for (int64_t i = 0; ok && i < len; i++)
        ok = bytes.data[i] == (char)(number * 31 + i % 251);
    return ok;
}

static void must_be_made(rask_future *future, int64_t number, int64_t len)
{
    rask_value value;
    rask_bytes bytes;
    cr_assert_eq(rask_future_result(future, &value), RASK_OK, "%s", rask_future_error(future));
    cr_assert_eq(rask_value_get_bytes(&value, &bytes), RASK_OK);
    cr_assert(is_made(bytes, number, len), "result %d", (int)number);
    rask_value_unref(&value);
}

/* (bytes, number): 1 when they are those of that number. */
static int check(rask_task *t)
{
    rask_bytes bytes = rask_arg_bytes(t, 0);
    return rask_return_i64(t, is_made(bytes, rask_arg_i64(t, 1), (int64_t)bytes.len));
}
RASK_SLOTS(check);

static rask_options in_budget(size_t i)
{
    rask_options o = setup(i);
    o.memory = BUDGET;
    return o;
}

static void submit_many(rask_client *client, rask_future **futures)
{
    rask_graph *g = rask_graph_new();
    for (int64_t k = 0; k < MANY; k++)
        futures[k] = rask_submit(client, rask_delayed(g, make, k, CHUNK));
    rask_graph_free(g);
}

static void let_go_of_many(rask_future **futures)
{
    for (int64_t k = 0; k < MANY; k++)
        rask_future_unref(futures[k]);
}

Test(clients_budget, futures_hold_ten_times_the_budget_and_give_the_same_bytes)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(in_budget(i));
        rask_future *futures[MANY];
        submit_many(client, futures);
        for (int round = 0; round < 2; round++)
            for (int64_t k = 0; k < MANY; k++)
                must_be_made(futures[k], k, CHUNK);
        let_go_of_many(futures);
        rask_client_close(client);
    }
}

Test(clients_budget, results_outlive_their_client_on_disk)
{
    rask_client *client = open_client(in_budget(1));
    rask_future *futures[MANY];
    submit_many(client, futures);
    cr_assert_eq(rask_wait_all(futures, MANY, -1), RASK_OK);
    rask_client_close(client);
    for (int64_t k = 0; k < MANY; k++)
        must_be_made(futures[k], k, CHUNK);
    let_go_of_many(futures);
}

Test(clients_budget, a_program_may_take_all_results_and_tasks_go_on)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(in_budget(i));
        rask_future *futures[MANY];
        rask_value values[MANY];
        submit_many(client, futures);
        for (int64_t k = 0; k < MANY; k++)
            cr_assert_eq(rask_future_result(futures[k], &values[k]), RASK_OK);
        rask_graph *g = rask_graph_new();
        for (int64_t k = 0; k < 4; k++) {
            rask_node *node = rask_delayed(g, make, MANY + k, BUDGET / 2);
            cr_assert_eq(result_of(rask_submit(client, rask_delayed(g, check, node, MANY + k))), 1);
        }
        for (int64_t k = 0; k < MANY; k++)
            rask_value_unref(&values[k]);
        rask_graph_free(g);
        let_go_of_many(futures);
        rask_client_close(client);
    }
}

Test(clients_budget, tasks_and_later_graphs_take_what_is_on_disk)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(in_budget(i));
        rask_graph *g = rask_graph_new(), *later = rask_graph_new();
        rask_node *kept[MANY];
        for (int64_t k = 0; k < MANY; k++)
            kept[k] = rask_persist(client, rask_delayed(g, make, k, CHUNK), later);
        rask_graph_free(g);
        for (int round = 0; round < 2; round++) {
            rask_node *checks[MANY];
            for (int64_t k = 0; k < MANY; k++)
                checks[k] = rask_delayed(later, check, kept[k], k);
            cr_assert_eq(result_of(rask_submit(client, rask_sum(rask_list(later, checks, MANY)))), MANY);
        }
        int64_t sum = 0;
        rask_node *checks[3];
        for (int64_t k = 0; k < 3; k++)
            checks[k] = rask_delayed(later, check, kept[30 * k], 30 * k);
        cr_assert_eq(rask_compute(rask_sum(rask_list(later, checks, 3)), &sum), RASK_OK, "%s",
                     rask_graph_error(later));
        cr_expect_eq(sum, 3);
        rask_graph_free(later);
        rask_client_close(client);
    }
}

/* (number, bytes): a node that has them. */
static int make_below(rask_task *t)
{
    int64_t number = rask_arg_i64(t, 0), len = rask_arg_i64(t, 1);
    return rask_return_node(t, rask_delayed(rask_task_graph(t), make, number, len));
}
RASK_SLOTS(make_below);

/* (number, bytes): 1 when a node that it grows has them. */
static int check_below(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    int64_t number = rask_arg_i64(t, 0), len = rask_arg_i64(t, 1);
    return rask_return_node(t, rask_delayed(g, check, rask_delayed(g, make_below, number, len), number));
}
RASK_SLOTS(check_below);

Test(clients_budget, what_tasks_grow_goes_to_disk_as_well)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(in_budget(i));
        rask_graph *g = rask_graph_new();
        rask_future *futures[MANY];
        for (int64_t k = 0; k < MANY; k++)
            futures[k] = rask_submit(client, rask_delayed(g, make_below, k, CHUNK));
        for (int64_t k = 0; k < MANY; k++)
            cr_assert_eq(result_of(rask_submit(client, rask_delayed(g, check_below, k, CHUNK))), 1);
        rask_graph_free(g);
        for (int64_t k = 0; k < MANY; k++)
            must_be_made(futures[k], k, CHUNK);
        let_go_of_many(futures);
        rask_client_close(client);
    }
}

Test(clients_budget, one_result_that_is_larger_says_what_it_needs)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(in_budget(i));
        rask_graph *g = rask_graph_new();
        rask_future *large = rask_submit(client, rask_delayed(g, make, 1, 2 * BUDGET));
        cr_assert_eq(rask_future_result(large, NULL), RASK_EBUDGET);
        const char *error = rask_future_error(large);
        cr_expect(strstr(error, "task make") && strstr(error, " 2097") && strstr(error, "1048576"), "%s",
                  error);
        cr_assert_eq(result_of(rask_submit(client, rask_delayed(g, add, 40, 2))), 42);
        rask_future_unref(large);
        rask_graph_free(g);
        rask_client_close(client);
    }
}

static size_t most_of_it(const void *data)
{
    (void)data;
    return BUDGET / 8 * 5;
}

static void end_nothing(void *data)
{
    (void)data;
}

static const rask_class stays = {.name = "what has no bytes", .destroy = end_nothing, .size = most_of_it};

static int make_what_stays(rask_task *t)
{
    static int nothing;
    rask_value value;
    int status = rask_value_custom_new(&stays, &nothing, &value);
    return status ? status : rask_return_value(t, value);
}
RASK_SLOTS(make_what_stays);

Test(clients_budget, what_cannot_go_to_disk_leaves_no_room_until_it_is_let_go_of)
{
    rask_client *client = open_client(in_budget(1));
    rask_graph *g = rask_graph_new();
    rask_future *first = rask_submit(client, rask_delayed(g, make_what_stays));
    cr_assert_eq(rask_future_result(first, NULL), RASK_OK);
    rask_future *second = rask_submit(client, rask_delayed(g, make_what_stays));
    cr_assert_eq(rask_future_result(second, NULL), RASK_EBUDGET);
    cr_expect(strstr(rask_future_error(second), "hold what cannot go to disk"), "%s",
              rask_future_error(second));
    rask_future_unref(second);
    alarm(60);
    do { /* the worker may be about to let go of it */
        rask_future_unref(first);
        first = rask_submit(client, rask_delayed(g, make_what_stays));
    } while (rask_future_result(first, NULL) == RASK_EBUDGET);
    cr_assert_eq(rask_future_result(first, NULL), RASK_OK, "%s", rask_future_error(first));
    rask_future_unref(first);
    rask_client_close(client);
    rask_graph_free(g);
}

/* (a, b) */
static int take_two(rask_task *t)
{
    return rask_return_i64(t, (int64_t)(rask_arg_bytes(t, 0).len + rask_arg_bytes(t, 1).len));
}
RASK_SLOTS(take_two);

Test(clients_budget, arguments_that_are_larger_together_say_what_they_need)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_client *client = open_client(in_budget(i));
        rask_graph *g = rask_graph_new();
        rask_node *a = rask_delayed(g, make, 1, BUDGET / 8 * 5),
                  *b = rask_delayed(g, make, 2, BUDGET / 8 * 5);
        rask_future *both = rask_submit(client, rask_delayed(g, take_two, a, b));
        cr_assert_eq(rask_future_result(both, NULL), RASK_EBUDGET);
        cr_expect(strstr(rask_future_error(both), "task take_two") &&
                      strstr(rask_future_error(both), "at once"),
                  "%s", rask_future_error(both));
        rask_future_unref(both);
        rask_graph_free(g);
        rask_client_close(client);
    }
}

/* (bytes, client): waits for another that needs room for its own. */
static int hold_and_wait(rask_task *t)
{
    rask_client *client = (rask_client *)(intptr_t)rask_arg_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    rask_node *other = rask_delayed(g, make, 7, BUDGET / 8 * 3);
    rask_future *future = rask_submit(client, rask_delayed(g, check, other, 7));
    int64_t ok = 0;
    int status = rask_future_get(future, &ok);
    rask_future_unref(future);
    return status ? status : rask_return_i64(t, ok);
}
RASK_SLOTS(hold_and_wait);

Test(clients_budget, a_task_that_waits_holds_its_arguments_and_keeps_nobody_out)
{
    for (size_t i = 0; i < CLIENT_SETUPS; i++) {
        rask_options o = in_budget(i);
        if (is(&o, "processes")) /* tasks there do not submit */
            continue;
        rask_client *client = open_client(o);
        rask_graph *g = rask_graph_new();
        rask_future *first = rask_submit(client, rask_delayed(g, make, 1, BUDGET / 2)), *futures[8];
        for (int64_t k = 0; k < 8; k++)
            futures[k] = rask_submit(client, rask_delayed(g, hold_and_wait, rask_future_node(g, first),
                                                          (int64_t)(intptr_t)client));
        for (int64_t k = 0; k < 8; k++)
            cr_assert_eq(result_of(futures[k]), 1);
        must_be_made(first, 1, BUDGET / 2);
        rask_future_unref(first);
        rask_graph_free(g);
        rask_client_close(client);
    }
}

/* As many bytes as files may have. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(clients_budget, a_full_disk_fails_the_future_that_could_not_be_kept_and_no_other)
{
    rask_client *client = open_client(in_budget(1));
    rask_graph *g = rask_graph_new();
    rask_future *futures[32];
    int failed = 0;
    limit_files(4 * CHUNK);
    for (int64_t k = 0; k < 32; k++)
        futures[k] = rask_submit(client, rask_delayed(g, make, k, CHUNK));
    for (int64_t k = 0; k < 32; k++) {
        int status = rask_future_wait(futures[k], -1);
        cr_assert_eq(status, RASK_OK);
        if (rask_future_result(futures[k], NULL) == RASK_OK) {
            must_be_made(futures[k], k, CHUNK);
            continue;
        }
        failed++;
        cr_expect_eq(rask_future_result(futures[k], NULL), RASK_EIO);
        cr_expect(strstr(rask_future_error(futures[k]), "writing to a scratch file in"), "%s",
                  rask_future_error(futures[k]));
    }
    cr_expect(failed > 0 && failed < 32, "%d failed", failed);
    limit_files(RLIM_INFINITY);
    rask_future *after = rask_submit(client, rask_delayed(g, make, 99, BUDGET / 2));
    must_be_made(after, 99, BUDGET / 2);
    rask_future_unref(after);
    for (int64_t k = 0; k < 32; k++)
        rask_future_unref(futures[k]);
    rask_graph_free(g);
    rask_client_close(client);
}

typedef struct moves {
    atomic_int out, back;
} moves;

static void note_move(void *context, const rask_move_info *move)
{
    moves *m = context;
    atomic_fetch_add(move->move == RASK_MOVE_SPILLED ? &m->out : &m->back, 1);
    cr_expect(!move->status && move->bytes >= CHUNK && move->run);
}

Test(clients_budget, observers_are_told_what_goes_to_disk_and_comes_back)
{
    moves m = {0};
    const rask_observer observer = {.size = sizeof observer, .context = &m, .result_moved = note_move};
    const rask_observer *observers[] = {&observer};
    rask_options o = in_budget(1);
    o.observers = observers;
    o.observer_count = 1;
    rask_client *client = open_client(o);
    rask_graph *g = rask_graph_new();
    rask_future *futures[MANY];
    submit_many(client, futures);
    for (int64_t k = 0; k < MANY; k++)
        cr_assert_eq(
            result_of(rask_submit(client, rask_delayed(g, check, rask_future_node(g, futures[k]), k))), 1);
    rask_client_close(client);
    cr_expect(atomic_load(&m.out) >= MANY / 2 && atomic_load(&m.back) > 0, "%d %d", atomic_load(&m.out),
              atomic_load(&m.back));
    let_go_of_many(futures);
    rask_graph_free(g);
}

/* Threads that submit, take and let go at random, many of them of the same futures. */
typedef struct visitor {
    rask_client *client;
    rask_future **shared;
    unsigned seed;
} visitor;

static void *visit(void *context)
{
    visitor *v = context;
    for (int round = 0; round < 40; round++) {
        v->seed = v->seed * 1664525 + 1013904223;
        int64_t k = v->seed >> 16 & 15;
        rask_graph *g = rask_graph_new();
        rask_node *node = rask_future_node(g, v->shared[k]);
        rask_future *future = rask_submit(v->client, rask_delayed(g, check, node, k));
        if (round % 3)
            must_be_made(v->shared[k], k, SMALL_CHUNK);
        cr_assert(round % 5 == 0 || result_of(rask_future_ref(future)) == 1);
        rask_future_unref(future);
        rask_future_unref(rask_submit(v->client, rask_delayed(g, make, 16 + k, SMALL_CHUNK)));
        rask_graph_free(g);
    }
    return NULL;
}

Test(clients_budget, many_threads_take_and_let_go_of_what_comes_and_goes)
{
    rask_options o = threads(3);
    o.memory = 4 * SMALL_CHUNK + SMALL_CHUNK / 2;
    rask_client *client = open_client(o);
    rask_graph *g = rask_graph_new();
    rask_future *shared[16];
    for (int64_t k = 0; k < 16; k++)
        shared[k] = rask_submit(client, rask_delayed(g, make, k, SMALL_CHUNK));
    pthread_t threads[3];
    visitor visitors[3];
    for (unsigned i = 0; i < 3; i++) {
        visitors[i] = (visitor){client, shared, i};
        pthread_create(&threads[i], NULL, visit, &visitors[i]);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (int64_t k = 0; k < 16; k++)
        rask_future_unref(shared[k]);
    rask_graph_free(g);
    rask_client_close(client);
}
