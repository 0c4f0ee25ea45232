/* Graphs on workers of other processes: the same values as anywhere. */
#include "../graphs.h"
#include "schedulers/cluster/worker.h"
#include "tasks.h"
#include "workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

enum { PIECES = 12, PIECE = 1 << 20, NAPS = 400 };

/* -- Random graphs */

static void compute_random(uint64_t seed, uint32_t workers, uint32_t threads_each)
{
    cluster c;
    random_graph *g = random_graph_new(seed);
    cluster_begin(&c, workers, threads_each);
    random_graph_must_compute(g, on(&c));
    cluster_end(&c);
    random_graph_free(g);
    cr_assert_eq(random_graph_live_customs(), 0);
}

Test(cluster, random_graphs_give_the_values_of_one_worker)
{
    for (uint64_t seed = 1; seed <= 12; seed++)
        compute_random(seed, 1 + seed % 3, 1 + seed % 2);
}

Test(cluster, after_failures_of_tasks_just_what_needs_them_is_missing)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        cluster c;
        rask_report report;
        random_graph *g = random_graph_new(seed);
        random_graph_add_failures(g, 12, GRAPH_FAILS_ALWAYS);
        cluster_begin(&c, 2, 2);
        rask_options o = on(&c);
        o.keep_going = seed % 2;
        random_graph_compute_with_failures(g, o, &report);
        cluster_end(&c);
        random_graph_free(g);
    }
}

/* -- Larger results */

Test(cluster, large_results_go_from_worker_to_worker_and_home)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_node *targets[] = {list_of_pieces(g, PIECES, PIECE), NULL};
    rask_value results[2];
    targets[1] = rask_delayed(g, add_up, targets[0]);
    cluster_begin(&c, 3, 1);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_values(targets, 2, &o, results), RASK_OK, "%s", rask_graph_error(g));
    cluster_end(&c);
    cr_assert_eq(results[1].as.i64, (int64_t)PIECE * PIECES * (PIECES - 1) / 2);
    cr_assert(are_pieces(&results[0], PIECES, PIECE));
    rask_value_unref(&results[0]);
    rask_graph_free(g);
}

/* -- Where tasks run */

Test(cluster, tasks_run_in_workers_but_those_that_want_the_program)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t pid = 0;
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(rask_delayed(g, tell_pid), &o, &pid), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(pid, c.pids[0]);
    cr_assert_eq(rask_compute_with(rask_delayed(g, tell_own_pid), &o, &pid), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(pid, getpid());
    cluster_end(&c);
    rask_graph_free(g);
}

static _Atomic int *met; /* shared with workers */

static int look_up(rask_task *t)
{
    return rask_return_i64(t, rask_arg_i64(t, 0));
}
RASK_SLOTS_WITH(look_up, (.flags = RASK_HERE));

/* Waits until another has begun, for long enough. */
static int meet(rask_task *t)
{
    atomic_fetch_add(met, 1);
    for (int i = 0; i < 20000 && atomic_load(met) < 2; i++)
        sleep_ms(1);
    return atomic_load(met) < 2 ? rask_fail(t, RASK_ETIMEDOUT, "nobody came")
                                : rask_return_i64(t, rask_arg_i64(t, 0));
}
RASK_SLOTS(meet);

/* What they take is in the program, which looked it up in no time. */
Test(cluster, long_tasks_do_not_wait_for_each_other_while_a_worker_is_idle)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t sum = 0;
    met = shared_calloc(sizeof *met);
    cluster_begin(&c, 2, 1);
    rask_options o = on(&c);
    rask_node *both = rask_delayed(g, add, rask_delayed(g, meet, rask_delayed(g, look_up, 1)),
                                   rask_delayed(g, meet, rask_delayed(g, look_up, 2)));
    cr_assert_eq(rask_compute_with(both, &o, &sum), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(sum, 3);
    cluster_end(&c);
    shared_free((void *)met, sizeof *met);
    rask_graph_free(g);
}

/* Computes a graph of its own, by the scheduler that it was told. */
static int compute_within(rask_task *t)
{
    rask_graph *g = rask_graph_new();
    rask_options o = RASK_OPTIONS_INIT;
    int64_t sum = 0;
    o.scheduler = "cluster";
    o.cluster = "tcp://127.0.0.1:1";
    o.workers = 2;
    int status =
        rask_compute_with(rask_delayed(g, add, rask_arg_i64(t, 0), rask_delayed(g, add, 1, 2)), &o, &sum);
    rask_graph_free(g);
    return status ? rask_fail(t, status, "within") : rask_return_i64(t, sum);
}
RASK_SLOTS(compute_within);

Test(cluster, tasks_grow_and_compute_where_they_run)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t answer = 0;
    rask_node *sum = rask_delayed(g, add, rask_delayed(g, fibonacci, 20), rask_delayed(g, compute_within, 4));
    cluster_begin(&c, 2, 2);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(sum, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, 6765 + 7);
    cluster_end(&c);
    rask_graph_free(g);
}

/* What is taken of "gpu" and "licence", in memory that workers share. */
typedef struct taking {
    atomic_int running[2], most[2], calls, deaths, killed;
} taking;

static taking *taken;

static void take(int what, int count)
{
    int now = atomic_fetch_add(&taken->running[what], count) + count, most = atomic_load(&taken->most[what]);
    while (most < now && !atomic_compare_exchange_weak(&taken->most[what], &most, now)) {
    }
}

static void spend(int64_t number)
{
    if (number % 2)
        take(0, 1);
    take(1, number % 2 ? 1 : 2);
    sleep_ms(number % 3);
    take(1, number % 2 ? -1 : -2);
    if (number % 2)
        take(0, -1);
    atomic_fetch_add(&taken->calls, 1);
}

static const char *tags_of(int64_t number)
{
    return number % 2 ? "gpu,licence" : "licence:2";
}

static int64_t user(int64_t number)
{
    spend(number);
    return number;
}
RASK_TASK(user, i64, i64);

/* (number, children): takes what it grows takes, and the second half of them grows no more. */
static int grow_users(rask_task *t)
{
    int64_t number = rask_arg_i64(t, 0), children = rask_arg_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    rask_node *all[16];
    spend(number);
    for (int64_t i = 0; i < children; i++)
        all[i] = rask_set_tags(rask_delayed(g, user, i), tags_of(i));
    return rask_return_node(t, rask_sum(rask_list(g, all, (size_t)children)));
}
RASK_SLOTS(grow_users);

enum { GROWERS = 8, USERS = 10 };

/* Of every other grower, another that takes the same is in one unit with it. */
static rask_node *users_that_grow(rask_graph *g)
{
    rask_node *all[GROWERS];
    for (int64_t i = 0; i < GROWERS; i++) {
        all[i] = rask_set_tags(rask_delayed(g, grow_users, i, USERS), tags_of(i));
        if (i % 4 < 2)
            all[i] = rask_set_tags(rask_delayed(g, user, all[i]), tags_of(45));
    }
    return rask_sum(rask_list(g, all, GROWERS));
}

static void forget_taken(void)
{
    memset((void *)taken, 0, sizeof *taken);
}

static void must_have_kept_limits(void)
{
    cr_expect_eq(atomic_load(&taken->most[0]), 1);
    cr_expect_leq(atomic_load(&taken->most[1]), 3);
    cr_expect_eq(atomic_load(&taken->running[0]), 0);
    cr_expect_eq(atomic_load(&taken->running[1]), 0);
}

Test(cluster, what_grows_in_workers_never_takes_more_than_there_is)
{
    taken = shared_calloc(sizeof *taken);
    for (uint32_t workers = 1; workers <= 3; workers++) {
        cluster c;
        rask_graph *g = rask_graph_new();
        int64_t sum = 0;
        forget_taken();
        cluster_begin(&c, workers, 3 - workers / 2);
        rask_options o = on(&c);
        o.limits = "gpu=1,licence=3";
        cr_assert_eq(rask_compute_with(users_that_grow(g), &o, &sum), RASK_OK, "%s", rask_graph_error(g));
        cr_expect_eq(sum, GROWERS * (USERS * (USERS - 1) / 2));
        cr_expect_eq(atomic_load(&taken->calls), GROWERS * (USERS + 1) + GROWERS / 2);
        must_have_kept_limits();
        cluster_end(&c);
        rask_graph_free(g);
    }
}

Test(cluster, limits_that_are_too_long_to_tell_workers_are_refused)
{
    char limits[6000];
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t sum = 0;
    memset(limits, ' ', sizeof limits);
    memcpy(limits + sizeof limits - 6, "gpu=1", 6);
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    o.limits = limits;
    cr_expect_eq(rask_compute_with(rask_delayed(g, user, 1), &o, &sum), RASK_ELIMIT);
    cr_expect_not_null(strstr(rask_graph_error(g), "limits of more than"), "%s", rask_graph_error(g));
    cluster_end(&c);
    rask_graph_free(g);
}

/* Ends its worker, the first time, with what others wait for. */
static int64_t deadly_user(int64_t number)
{
    if (!atomic_fetch_add(&taken->deaths, 1))
        raise(SIGKILL);
    return number;
}
RASK_TASK_WITH(deadly_user, (.tags = "gpu"), i64, i64);

static int grow_deadly(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[4];
    for (int64_t i = 0; i < 4; i++)
        all[i] = rask_delayed(g, deadly_user, i);
    return rask_return_node(t, rask_sum(rask_list(g, all, 4)));
}
RASK_SLOTS_WITH(grow_deadly, (.tags = "gpu"));

Test(cluster, what_a_lost_worker_took_is_there_for_others)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_node *both[2];
    int64_t sum = 0;
    taken = shared_calloc(sizeof *taken);
    for (int i = 0; i < 2; i++)
        both[i] = rask_delayed(g, grow_deadly);
    cluster_begin(&c, 2, 1);
    rask_options o = on(&c);
    o.limits = "gpu=1";
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(sum, 12);
    cluster_end(&c);
    rask_graph_free(g);
}

/* Its call is short, and what it grows takes longer than that may. */
static int grow_slowly(rask_task *t)
{
    return rask_return_node(t, rask_delayed(rask_task_graph(t), nap, 1200, 1));
}
RASK_SLOTS_WITH(grow_slowly,
                (.timeout = 0.2, .retries = 3)); /* a slow machine may be late, but not for ever */

Test(cluster, the_time_of_a_task_is_its_calls_and_not_that_of_what_it_grew)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t answer = 0;
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(rask_delayed(g, grow_slowly), &o, &answer), RASK_OK, "%s",
                 rask_graph_error(g));
    cluster_end(&c);
    rask_graph_free(g);
}

static int64_t process_of(int64_t i)
{
    return i + (int64_t)getpid() * 1000;
}
RASK_TASK(process_of, i64, i64);

Test(cluster, futures_of_a_client_are_computed_there)
{
    enum { FUTURES = 8 };
    cluster c;
    rask_client *client;
    rask_future *futures[FUTURES];
    rask_graph *g = rask_graph_new();
    cluster_begin(&c, 2, 1);
    rask_options o = on(&c);
    o.timeout = 0;
    cr_assert_eq(rask_client_open(&o, &client), RASK_OK);
    for (int i = 0; i < FUTURES; i++)
        futures[i] = rask_submit(client, rask_delayed(g, process_of, i));
    for (int i = 0; i < FUTURES; i++) {
        rask_value value;
        cr_assert_eq(rask_future_result(futures[i], &value), RASK_OK, "%s", rask_future_error(futures[i]));
        cr_assert_eq(value.as.i64 % 1000, i);
        cr_assert(value.as.i64 / 1000 == c.pids[0] || value.as.i64 / 1000 == c.pids[1]);
        rask_future_unref(futures[i]);
    }
    rask_client_close(client);
    cluster_end(&c);
    rask_graph_free(g);
}

/* -- Limits, failures, observers */

Test(cluster, results_beyond_the_budget_of_a_worker_go_to_its_disk)
{
    enum { MANY = 40 };
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_node *pieces[MANY], *sums[MANY];
    rask_report report;
    int64_t answer = 0, wanted = 0;
    cluster_begin(&c, 0, 1);
    c.count = 1;
    c.memory = 8 << 20;
    cluster_hire(&c, 0);
    for (int i = 0; i < MANY; i++) {
        pieces[i] = rask_delayed(g, fill, PIECE, i);
        rask_set_result_bytes(pieces[i], PIECE + 64);
        wanted += (int64_t)PIECE * i;
    }
    rask_node *last = rask_delayed(g, nap, 0, 0);
    rask_after(last, pieces, MANY);
    for (int i = 0; i < MANY; i++) {
        sums[i] = rask_delayed(g, add_up, rask_list(g, &pieces[i], 1));
        rask_after(sums[i], &last, 1);
    }
    rask_options o = on(&c);
    o.report = &report;
    int status = rask_compute_with(rask_sum(rask_list(g, sums, MANY)), &o, &answer);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, wanted);
    cr_assert_gt(report.spilled_bytes, 16 << 20);
    cluster_end(&c);
    rask_graph_free(g);
}

static int64_t sleep_long(int64_t x)
{
    sleep_ms(20000);
    return x;
}
RASK_TASK(sleep_long, i64, i64);

Test(cluster, a_task_that_does_not_return_in_its_time_ends_with_its_worker)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t answer;
    rask_node *node = rask_delayed(g, sleep_long, 1);
    rask_set_timeout(node, 0.1);
    cluster_begin(&c, 2, 1);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(node, &o, &answer), RASK_ETIMEDOUT);
    cr_assert_not_null(strstr(rask_graph_error(g), "task sleep_long"), "%s", rask_graph_error(g));
    cluster_end(&c);
    rask_graph_free(g);
}

Test(cluster, a_run_that_is_out_of_time_ends)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t answer;
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    o.timeout = 0.2;
    cr_assert_eq(rask_compute_with(rask_delayed(g, sleep_long, 1), &o, &answer), RASK_ETIMEDOUT);
    cluster_end(&c);
    rask_graph_free(g);
}

/* Until it is told to stop. */
static int wait_for_stop(rask_task *t)
{
    while (!rask_task_cancelled(t))
        sleep_ms(2);
    return rask_return_i64(t, 0);
}
RASK_SLOTS(wait_for_stop);

Test(cluster, tasks_see_that_their_run_is_stopped)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t answer;
    pid_t pid;
    cluster_begin(&c, 1, 1);
    pid = c.pids[0];
    rask_options o = on(&c);
    o.timeout = 0.3;
    cr_assert_eq(rask_compute_with(rask_delayed(g, wait_for_stop), &o, &answer), RASK_ETIMEDOUT);
    cr_assert_eq(waitpid(pid, NULL, WNOHANG), 0, "the worker was not ended for it");
    cluster_end(&c);
    rask_graph_free(g);
}

Test(cluster, a_failure_says_which_task_and_why)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t answer;
    rask_node *node = rask_delayed(g, nap, 0, rask_delayed(g, refuse));
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(node, &o, &answer), RASK_EIO);
    cr_assert_not_null(strstr(rask_graph_error(g), "task refuse"), "%s", rask_graph_error(g));
    cr_assert_not_null(strstr(rask_graph_error(g), "nothing to read"), "%s", rask_graph_error(g));
    cluster_end(&c);
    rask_graph_free(g);
}

static void count_finished(void *context, const rask_task_info *info)
{
    uint32_t *finished = context;
    if (!info->status && info->start_ns && info->end_ns >= info->start_ns)
        ++*finished;
}

Test(cluster, observers_are_told_of_every_task_once)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_report report;
    uint32_t finished = 0;
    int64_t answer;
    rask_observer observer = {.size = sizeof observer, .context = &finished, .task_finished = count_finished};
    const rask_observer *observers[] = {&observer};
    rask_node *sum = sum_of_naps(g, NAPS, 0);
    cluster_begin(&c, 2, 2);
    rask_options o = on(&c);
    o.observers = observers;
    o.observer_count = 1;
    o.report = &report;
    cr_assert_eq(rask_compute_with(sum, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(finished, report.tasks);
    cr_assert_geq(report.workers, 2);
    cluster_end(&c);
    rask_graph_free(g);
}

/* -- What they are told while it goes on */

static atomic_int *known; /* in memory that the workers share */

/* Fails once observers know that it began. */
static int fail_when_known(rask_task *t)
{
    for (int i = 0; i < 20000 && !atomic_load(known); i++)
        sleep_ms(1);
    return rask_fail(t, RASK_ERANGE, atomic_load(known) ? "known, and wrong" : "nobody knows");
}
RASK_SLOTS(fail_when_known);

typedef struct overheard {
    char message[100];
    uint64_t sent, bytes;
} overheard;

static void hear_start(void *context, const rask_task_info *info)
{
    (void)context;
    if (!strcmp(info->name, "fail_when_known"))
        atomic_store(known, 1);
}

static void hear_end(void *context, const rask_task_info *info)
{
    overheard *h = context;
    if (info->status && info->message)
        snprintf(h->message, sizeof h->message, "%s", info->message);
}

static void hear_sent(void *context, const rask_transfer_info *transfer)
{
    overheard *h = context;
    cr_assert(transfer->from != transfer->to && transfer->end_ns >= transfer->start_ns);
    h->sent += transfer->status == RASK_OK;
    h->bytes += transfer->bytes;
}

Test(cluster, long_tasks_failures_and_transfers_are_told_of_in_time)
{
    cluster c;
    overheard h = {0};
    rask_observer observer = {.size = sizeof observer,
                              .context = &h,
                              .task_started = hear_start,
                              .task_finished = hear_end,
                              .result_sent = hear_sent};
    const rask_observer *observers[] = {&observer};
    rask_graph *g = rask_graph_new();
    rask_value result;
    int64_t answer;
    known = mmap(NULL, sizeof *known, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)known, MAP_FAILED);
    cluster_begin(&c, 2, 1);
    rask_options o = on(&c);
    o.observers = observers;
    o.observer_count = 1;
    cr_expect_eq(rask_compute_with(rask_delayed(g, fail_when_known), &o, &answer), RASK_ERANGE, "%s",
                 rask_graph_error(g));
    cr_expect_str_eq(h.message, "known, and wrong");
    cr_assert_eq(rask_compute_value(list_of_pieces(g, PIECES, PIECE), &o, &result), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_geq(h.sent, 1);
    cr_expect_geq(h.bytes, (uint64_t)PIECE);
    rask_value_unref(&result);
    cluster_end(&c);
    munmap((void *)known, sizeof *known);
    rask_graph_free(g);
}

/* Its process, and the number that its thread has. */
static int see_worker(rask_task *t)
{
    sleep_ms(20);
    return rask_return_i64(t, (int64_t)getpid() << 32 | rask_task_worker(t));
}
RASK_SLOTS(see_worker);

static int see_lane(rask_task *t)
{
    return see_worker(t);
}
RASK_SLOTS_WITH(see_lane, (.flags = RASK_IO));

Test(cluster, threads_and_lanes_of_all_workers_have_numbers_of_their_own)
{
    enum { LOOKS = 160, MOST = 256 };
    cluster c;
    int64_t pid_of[MOST] = {0};
    const rask_value *seen;
    size_t count;
    rask_value result;
    rask_node *looks[LOOKS];
    rask_graph *g = rask_graph_new();
    cluster_begin(&c, 1, 1);
    c.threads = 3;
    cluster_hire(&c, c.count++);
    for (int i = 0; i < LOOKS; i++)
        looks[i] = i % 2 ? rask_delayed(g, see_lane) : rask_delayed(g, see_worker);
    rask_options o = on(&c);
    rask_node *list = rask_list(g, looks, LOOKS);
    cr_assert_eq(rask_compute_values(&list, 1, &o, &result), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_value_get_list(&result, &seen, &count), RASK_OK);
    for (size_t i = 0; i < count; i++) {
        int64_t pid = seen[i].as.i64 >> 32, worker = seen[i].as.i64 & UINT32_MAX;
        cr_assert_lt(worker, MOST);
        cr_assert(!pid_of[worker] || pid_of[worker] == pid, "two processes have worker %d", (int)worker);
        pid_of[worker] = pid;
    }
    cluster_end(&c);
    rask_value_unref(&result);
    rask_graph_free(g);
}

static void no_destroy(void *data)
{
    (void)data;
}
static const rask_class mute_class = {.name = "mute", .destroy = no_destroy};

static int take_mute(rask_task *t)
{
    return rask_return_i64(t, 1);
}
RASK_SLOTS(take_mute);

Test(cluster, an_argument_that_cannot_travel_is_named_with_its_task)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_value mute;
    int64_t answer;
    cr_assert_eq(rask_value_custom_new(&mute_class, g, &mute), RASK_OK);
    rask_node *node = rask_delayed(g, take_mute, rask_const(g, &mute));
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(node, &o, &answer), RASK_EUNSUPPORTED);
    cr_assert_not_null(strstr(rask_graph_error(g), "task take_mute"), "%s", rask_graph_error(g));
    cr_assert_not_null(strstr(rask_graph_error(g), "class mute: its values cannot go"), "%s",
                       rask_graph_error(g));
    cluster_end(&c);
    rask_value_unref(&mute);
    rask_graph_free(g);
}

/* Its values are encoded by the program, and no worker can decode them. */
static int encode_riddle(const void *data, rask_value *bytes)
{
    (void)data;
    return rask_value_bytes_new("riddle", 6, bytes);
}

static int decode_riddle(rask_bytes bytes, void **data)
{
    (void)bytes, (void)data;
    return RASK_ETASK;
}
static const rask_class riddle_class = {
    .name = "riddle", .destroy = no_destroy, .encode = encode_riddle, .decode = decode_riddle};

Test(cluster, a_worker_that_cannot_take_part_says_so)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_value riddle;
    int64_t answer;
    cr_assert_eq(rask_value_custom_new(&riddle_class, g, &riddle), RASK_OK);
    rask_node *node = rask_delayed(g, take_mute, rask_const(g, &riddle));
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(node, &o, &answer), RASK_EDIED);
    cr_assert_not_null(strstr(rask_graph_error(g), "cannot take part"), "%s", rask_graph_error(g));
    cluster_end(&c);
    rask_value_unref(&riddle);
    rask_graph_free(g);
}

/* As if another thread began to work while the run begins. */
static int encode_and_become(const void *data, rask_value *bytes)
{
    rk_worker_become(true);
    return encode_riddle(data, bytes);
}

static int decode_nothing(rask_bytes bytes, void **data)
{
    (void)bytes;
    *data = NULL;
    return RASK_OK;
}
static const rask_class turn_class = {
    .name = "turn", .destroy = no_destroy, .encode = encode_and_become, .decode = decode_nothing};

Test(cluster, a_run_that_has_begun_ends_as_it_began_when_its_process_becomes_a_worker)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_value turn;
    int64_t answer = 1;
    cr_assert_eq(rask_value_custom_new(&turn_class, g, &turn), RASK_OK);
    rask_node *node = rask_delayed(g, take_mute, rask_const(g, &turn));
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(node, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert(rk_worker_is());
    rk_worker_become(false);
    cluster_end(&c);
    rask_value_unref(&turn);
    rask_graph_free(g);
}

/* -- Who belongs to it */

static void make_keys(char *path, size_t capacity)
{
    char reason[256] = "";
    snprintf(path, capacity, "/tmp/rask-test-keys-%d", (int)getpid());
    unlink(path);
    cr_assert_eq(rask_cluster_make_keys(path, reason, sizeof reason), RASK_OK, "%s", reason);
    cr_assert_eq(rask_cluster_make_keys(path, reason, sizeof reason), RASK_EEXIST);
}

Test(cluster, an_address_that_others_reach_takes_keys)
{
    rask_graph *g = rask_graph_new();
    rask_options o = RASK_OPTIONS_INIT;
    int64_t answer;
    o.scheduler = "cluster";
    o.cluster = "tcp://0.0.0.0:7077";
    cr_assert_eq(rask_compute_with(rask_delayed(g, tell_pid), &o, &answer), RASK_EINVAL);
    cr_assert_not_null(strstr(rask_graph_error(g), "takes a key file"), "%s", rask_graph_error(g));
    o.cluster = "nowhere";
    cr_assert_eq(rask_compute_with(rask_delayed(g, tell_pid), &o, &answer), RASK_EINVAL);
    o.cluster = NULL;
    cr_assert_eq(rask_compute_with(rask_delayed(g, tell_pid), &o, &answer), RASK_EINVAL);
    rask_graph_free(g);
}

Test(cluster, workers_with_the_key_file_are_let_in_and_reach_each_other)
{
    cluster c;
    char path[64];
    rask_graph *g = rask_graph_new();
    rask_node *sum = rask_delayed(g, add_up, list_of_pieces(g, PIECES, PIECE));
    int64_t answer;
    make_keys(path, sizeof path);
    cluster_begin(&c, 0, 1);
    c.key_file = path;
    for (c.count = 0; c.count < 2; c.count++)
        cluster_hire(&c, c.count);
    rask_options o = on(&c);
    o.cluster_keys = path;
    cr_assert_eq(rask_compute_with(sum, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, (int64_t)PIECE * PIECES * (PIECES - 1) / 2);
    cluster_end(&c);
    unlink(path);
    rask_graph_free(g);
}

static void on_own_signal(int number)
{
    (void)number;
}

Test(cluster, a_worker_leaves_what_signals_do_as_it_was)
{
    static const int heard[] = {SIGTERM, SIGINT};
    char reason[256] = "";
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    struct sigaction own = {.sa_handler = on_own_signal}, after;
    o.address = "tcp://127.0.0.1:1";
    o.patience = 0.05;
    for (int i = 0; i < 2; i++)
        cr_assert_eq(sigaction(heard[i], &own, NULL), 0);
    cr_assert_eq(rask_cluster_worker(&o, reason, sizeof reason), RASK_EIO, "%s", reason);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(sigaction(heard[i], NULL, &after), 0);
        cr_assert_eq(after.sa_handler, on_own_signal);
    }
}

Test(cluster, the_address_of_a_cluster_implies_it)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t pid = 0;
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    o.scheduler = NULL;
    cr_assert_eq(rask_compute_with(rask_delayed(g, tell_pid), &o, &pid), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(pid, c.pids[0]);
    o.scheduler = "threads";
    cr_assert_eq(rask_compute_with(rask_delayed(g, tell_pid), &o, &pid), RASK_OK);
    cr_assert_eq(pid, getpid());
    cluster_end(&c);
    rask_graph_free(g);
}

Test(cluster, runs_go_on_side_by_side_and_one_after_the_other_on_the_same_workers)
{
    enum { SIDES = 3 };
    cluster c;
    pthread_t threads[SIDES];
    side sides[SIDES];
    cluster_begin(&c, 2, 1);
    rask_options o = on(&c);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < SIDES; i++) {
            sides[i] = (side){.options = &o, .naps = NAPS};
            cr_assert_eq(pthread_create(&threads[i], NULL, compute_aside, &sides[i]), 0);
        }
        for (int i = 0; i < SIDES; i++) {
            pthread_join(threads[i], NULL);
            cr_assert_eq(sides[i].status, RASK_OK);
            cr_assert_eq(sides[i].answer, NAPS * (NAPS - 1) / 2);
        }
    }
    cluster_end(&c);
}
