/* Scenes: runs one after the other and side by side, what they are asked and tell, what grows in them, futures. */
#include "play.h"

#include <pthread.h>
#include <rask/client.h>
#include <rask/cluster.h>
#include <rask/grow.h>

/* -- Where tasks run */

/* Long enough that all workers have some. */
static int tell_pid_later(rask_task *t)
{
    sleep_ms(15);
    return tell_pid(t);
}
RASK_SLOTS(tell_pid_later);

static bool is_among(const rask_value *values, size_t count, int64_t number)
{
    for (size_t i = 0; i < count; i++)
        if (values[i].as.i64 == number)
            return true;
    return false;
}

static void tasks_run_in_all_workers_and_not_in_the_program(const house *h)
{
    enum { LOOKS = 60 };
    rask_graph *g = rask_graph_new();
    rask_node *looks[LOOKS];
    const rask_value *pids;
    size_t count;
    uint32_t different = 0;
    for (int i = 0; i < LOOKS; i++)
        looks[i] = rask_delayed(g, tell_pid_later);
    rask_value list = play_value(rask_list(g, looks, LOOKS), &h->options);
    cr_assert_eq(rask_value_get_list(&list, &pids, &count), RASK_OK);
    for (size_t i = 0; i < count; i++)
        different += !is_among(pids, i, pids[i].as.i64);
    cr_assert_not(is_among(pids, count, getpid()));
    cr_assert_eq(different, h->workers);
    rask_value_unref(&list);
    rask_graph_free(g);
}

/* Computes a graph of its own, by whatever scheduler there is. */
static int compute_within(rask_task *t)
{
    rask_graph *g = rask_graph_new();
    int64_t sum = 0;
    int status = rask_compute(rask_delayed(g, add, rask_arg_i64(t, 0), rask_delayed(g, add, 1, 2)), &sum);
    rask_graph_free(g);
    return status ? rask_fail(t, status, "within") : rask_return_i64(t, sum);
}
RASK_SLOTS(compute_within);

static void a_task_may_compute(const house *h)
{
    rask_graph *g = rask_graph_new();
    cr_assert_eq(play_i64(rask_delayed(g, compute_within, 4), &h->options), 7);
    rask_graph_free(g);
}

/* -- One after the other, and side by side */

enum { NAPS = 300, SIDES = 3, ROUNDS = 2 };

static void runs_go_on_side_by_side_and_one_after_the_other(const house *h)
{
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[SIDES];
        side sides[SIDES];
        for (int i = 0; i < SIDES; i++) {
            sides[i] = (side){.options = &h->options, .naps = NAPS};
            cr_assert_eq(pthread_create(&threads[i], NULL, compute_aside, &sides[i]), 0);
        }
        for (int i = 0; i < SIDES; i++)
            pthread_join(threads[i], NULL);
        for (int i = 0; i < SIDES; i++)
            cr_assert(!sides[i].status && sides[i].answer == NAPS * (NAPS - 1) / 2);
    }
}

static void what_was_kept_is_not_computed_again(const house *h)
{
    char folder[] = "/tmp/rask-test-play-XXXXXX", command[64];
    rask_options o = h->options;
    rask_report report;
    rask_graph *g = rask_graph_new();
    rask_node *pure = rask_delayed(g, fibonacci, 9), *sum = rask_delayed(g, add, pure, 1);
    cr_assert_not_null(mkdtemp(folder));
    o.checkpoint = folder;
    o.report = &report;
    cr_assert_eq(play_i64(sum, &o), 35);
    cr_assert_geq(report.kept, 1);
    cr_assert_eq(play_i64(sum, &o), 35);
    cr_assert_geq(report.from_checkpoint, 1);
    rask_graph_free(g);
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

/* -- What grows */

static void tasks_grow_where_they_run(const house *h)
{
    rask_graph *g = rask_graph_new();
    cr_assert_eq(play_i64(rask_delayed(g, fibonacci, 16), &h->options), 987);
    rask_graph_free(g);
}

static uint32_t count_different(board *b)
{
    int noted = atomic_load(&b->noted);
    uint32_t different = 0;
    for (int i = 0; i < noted && i < BOARD_NOTES; i++) {
        int k = 0;
        while (b->notes[k] != b->notes[i])
            k++;
        different += k == i;
    }
    return different;
}

/* (board, workers): waits until so many have called it. */
static int be_seen(rask_task *t)
{
    board *b = board_of(t);
    board_note(b, getpid());
    while (count_different(b) < (uint32_t)rask_arg_i64(t, 1) && !rask_task_cancelled(t))
        sleep_ms(2);
    return rask_return_i64(t, 1);
}
RASK_SLOTS(be_seen);

enum { LEAVES = 40 };

/* (board, workers) */
static int grow_leaves(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *leaves[LEAVES];
    for (int i = 0; i < LEAVES; i++)
        leaves[i] = rask_delayed(g, be_seen, rask_arg_i64(t, 0), rask_arg_i64(t, 1));
    return rask_return_node(t, rask_sum(rask_list(g, leaves, LEAVES)));
}
RASK_SLOTS(grow_leaves);

static void what_one_task_grows_is_run_by_all_workers(const house *h)
{
    rask_graph *g = rask_graph_new();
    cr_assert_eq(play_i64(rask_delayed(g, grow_leaves, h->id, (int64_t)h->workers), &h->options), LEAVES);
    rask_graph_free(g);
}

static int grow_what_fails(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_delayed(g, add, 1, rask_delayed(g, refuse)));
}
RASK_SLOTS(grow_what_fails);

static void a_failure_of_what_grew_is_told_with_its_reason(const house *h)
{
    rask_graph *g = rask_graph_new();
    play_failure(rask_delayed(g, add, 1, rask_delayed(g, grow_what_fails)), &h->options, RASK_EIO,
                 WORDS("grow_what_fails", "refuse", "nothing to read"));
    rask_graph_free(g);
}

/* -- Observers */

typedef struct heard {
    atomic_uint plans, ready, started, finished, ended, wrong;
    atomic_uint tasks, workers;
    atomic_ullong bytes_in;
} heard;

static void hear_plan(void *context, const rask_run_info *run)
{
    heard *h = context;
    atomic_fetch_add(&h->plans, 1);
    atomic_store(&h->tasks, run->tasks);
}

static void hear_ready(void *context, const rask_task_info *info)
{
    heard *h = context;
    atomic_fetch_add(&h->ready, 1);
    atomic_fetch_add(&h->wrong, info->task >= atomic_load(&h->tasks) || !info->name);
}

static void hear_start(void *context, const rask_task_info *info)
{
    heard *h = context;
    atomic_fetch_add(&h->started, 1);
    atomic_fetch_add(&h->wrong, info->worker == RASK_NO_WORKER);
}

static void hear_end(void *context, const rask_task_info *info)
{
    heard *h = context;
    atomic_fetch_add(&h->finished, 1);
    atomic_fetch_add(&h->wrong, info->status || !info->start_ns || info->end_ns < info->start_ns);
    atomic_fetch_add(&h->wrong, info->lane); /* none of them is I/O */
    atomic_fetch_add(&h->bytes_in, info->bytes_in);
}

static void hear_run_end(void *context, const rask_run_info *run)
{
    heard *h = context;
    atomic_fetch_add(&h->ended, 1);
    atomic_store(&h->workers, run->workers);
}

static void observers_are_told_of_every_task_once_and_of_the_run(const house *h)
{
    heard told = {0};
    rask_observer observer = {.size = sizeof observer,
                              .context = &told,
                              .plan_made = hear_plan,
                              .task_ready = hear_ready,
                              .task_started = hear_start,
                              .task_finished = hear_end,
                              .run_ended = hear_run_end};
    const rask_observer *observers[] = {&observer};
    rask_options o = h->options;
    rask_report report;
    rask_graph *g = rask_graph_new();
    o.observers = observers;
    o.observer_count = 1;
    o.report = &report;
    cr_assert_eq(play_i64(sum_of_naps(g, 100, 0), &o), 100 * 99 / 2);
    cr_assert(report.tasks && report.finished == report.tasks && told.tasks == report.tasks);
    cr_assert(told.plans == 1 && told.ended == 1 && told.workers == report.workers);
    cr_assert(told.ready == report.tasks && told.started == report.tasks && told.finished == report.tasks,
              "of %u tasks %u ready, %u started, %u finished", report.tasks, told.ready, told.started,
              told.finished);
    cr_assert_eq(told.wrong, 0);
    cr_assert_gt(told.bytes_in, 100 * sizeof(int64_t), "results went from task to task");
    rask_graph_free(g);
}

/* Of one task whose calls rest between them, in the order in which it is told. */
typedef struct rests {
    atomic_uint started, rested, finished, wrong;
} rests;

/* Two calls fail, and each takes long enough that it may be told of while it goes on. */
static int succeed_at_third(rask_task *t)
{
    sleep_ms(30);
    return rask_task_attempt(t) == 2 ? rask_return_i64(t, 3) : rask_fail(t, RASK_EIO, "not yet");
}
RASK_SLOTS_WITH(succeed_at_third, (.retries = 2, .backoff = 0.002));

static void hear_start_of_call(void *context, const rask_task_info *info)
{
    rests *r = context;
    bool in_order = atomic_fetch_add(&r->started, 1) == atomic_load(&r->rested);
    atomic_fetch_add(&r->wrong, !in_order || info->worker == RASK_NO_WORKER);
}

static void hear_rest(void *context, const rask_task_info *info)
{
    rests *r = context;
    uint32_t before = atomic_fetch_add(&r->rested, 1);
    bool right = atomic_load(&r->started) == before + 1 && info->attempt == before &&
                 info->status == RASK_EIO && info->message && !strcmp(info->message, "not yet") &&
                 info->ready_ns && info->start_ns && info->end_ns >= info->start_ns;
    atomic_fetch_add(&r->wrong, !right);
}

static void hear_end_of_calls(void *context, const rask_task_info *info)
{
    rests *r = context;
    atomic_fetch_add(&r->finished, 1);
    atomic_fetch_add(&r->wrong, info->status || info->attempt != 2 || !info->start_ns);
}

static void observers_are_told_when_a_task_rests_and_when_it_is_called_again(const house *h)
{
    rests told = {0};
    const rask_observer observer = {.size = sizeof observer,
                                    .context = &told,
                                    .task_started = hear_start_of_call,
                                    .task_finished = hear_end_of_calls,
                                    .task_rested = hear_rest};
    const rask_observer *observers[] = {&observer};
    rask_options o = h->options;
    rask_graph *g = rask_graph_new();
    o.observers = observers;
    o.observer_count = 1;
    cr_assert_eq(play_i64(rask_delayed(g, succeed_at_third), &o), 3);
    cr_assert(told.started == 3 && told.rested == 2 && told.finished == 1 && !told.wrong,
              "%u started, %u rested, %u finished, %u wrong", told.started, told.rested, told.finished,
              told.wrong);
    rask_graph_free(g);
}

/* (board): goes on until its flag is set. */
static int await_flag(rask_task *t)
{
    while (!atomic_load(&board_of(t)->flag) && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, 1);
}
RASK_SLOTS(await_flag);

static int third_time(rask_task *t)
{
    return rask_task_attempt(t) == 2 ? rask_return_i64(t, 1) : rask_fail(t, RASK_EIO, "not yet");
}
RASK_SLOTS_WITH(third_time, (.retries = 2, .backoff = 0.002));

/* (board, workers) */
static int grow_all_kinds(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[LEAVES];
    for (int i = 0; i < LEAVES; i++)
        all[i] = i % 10 == 0   ? rask_delayed(g, third_time)
                 : i % 10 == 1 ? rask_delayed(g, await_flag, rask_arg_i64(t, 0))
                               : rask_delayed(g, be_seen, rask_arg_i64(t, 0), rask_arg_i64(t, 1));
    return rask_return_node(t, rask_sum(rask_list(g, all, LEAVES)));
}
RASK_SLOTS(grow_all_kinds);

typedef struct heard_grown {
    board *board;
    atomic_uint started, rested, finished, wrong;
    atomic_bool workers[1024];
} heard_grown;

/* One of those that the leaves are: what sums them up is left out. */
static bool is_leaf(const rask_task_info *info)
{
    return !strcmp(info->name, "third_time") || !strcmp(info->name, "await_flag") ||
           !strcmp(info->name, "be_seen");
}

static void hear_grown_start(void *context, const rask_task_info *info)
{
    heard_grown *h = context;
    if (!is_leaf(info))
        return;
    atomic_fetch_add(&h->started, 1);
    atomic_fetch_add(&h->wrong, info->task != RASK_NO_TASK || info->grown_by != 0 || info->worker >= 1024 ||
                                    !info->start_ns || info->end_ns);
    atomic_store(&h->workers[info->worker % 1024], true);
    if (!strcmp(info->name, "await_flag"))
        atomic_store(&h->board->flag, true);
}

static void hear_grown_rest(void *context, const rask_task_info *info)
{
    heard_grown *h = context;
    if (!is_leaf(info)) /* what has returned a node leaves its worker, too */
        return;
    atomic_fetch_add(&h->rested, 1);
    atomic_fetch_add(&h->wrong, strcmp(info->name, "third_time") || info->status != RASK_EIO ||
                                    strcmp(info->message, "not yet") || info->end_ns < info->start_ns);
}

static void hear_grown_end(void *context, const rask_task_info *info)
{
    heard_grown *h = context;
    if (!is_leaf(info))
        return;
    atomic_fetch_add(&h->finished, 1);
    atomic_fetch_add(&h->wrong, info->status || info->grown_by != 0 || info->end_ns < info->start_ns ||
                                    info->start_ns < info->ready_ns ||
                                    info->attempt != (strcmp(info->name, "third_time") ? 0 : 2));
}

/* That something goes on is told before it is over, and the run waits for that. */
static void observers_are_told_of_what_tasks_grow(const house *h)
{
    static heard_grown told;
    const rask_observer observer = {.size = sizeof observer,
                                    .context = &told,
                                    .task_started = hear_grown_start,
                                    .task_finished = hear_grown_end,
                                    .task_rested = hear_grown_rest};
    const rask_observer *observers[] = {&observer};
    const int64_t meeting = h->has & NEEDS_TRAVEL ? h->workers : 1;
    rask_options o = h->options;
    rask_graph *g = rask_graph_new();
    uint32_t workers = 0;
    o.observers = observers;
    o.observer_count = 1;
    told.board = h->board;
    cr_assert_eq(play_i64(rask_delayed(g, add, 0, rask_delayed(g, grow_all_kinds, h->id, meeting)), &o),
                 LEAVES);
    for (int i = 0; i < 1024; i++)
        workers += atomic_load(&told.workers[i]);
    cr_assert(told.started == LEAVES + LEAVES / 10 * 2 && told.rested == LEAVES / 10 * 2 &&
                  told.finished == LEAVES,
              "%u started, %u rested, %u finished", told.started, told.rested, told.finished);
    cr_assert_geq(workers, (uint32_t)meeting);
    cr_assert_eq(told.wrong, 0, "%u", told.wrong);
    rask_graph_free(g);
}

static void a_recording_has_failures_attempts_and_who_ran_what(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_recording *recording = rask_recording_new();
    const rask_observer *observer = rask_recording_observer(recording);
    rask_options o = h->options;
    uint32_t count, failed = 0;
    o.observers = &observer;
    o.observer_count = 1;
    o.keep_going = true;
    rask_node *both[] = {rask_set_retries(rask_delayed(g, refuse), 2), rask_delayed(g, add, 1, 2)};
    play_failure(rask_list(g, both, 2), &o, RASK_EIO, WORDS("task refuse"));
    const rask_task_info *tasks = rask_recording_tasks(recording, &count);
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(tasks[i].name, "refuse")) {
            cr_assert(tasks[i].status == RASK_EIO && tasks[i].attempt == 2);
            failed++;
        } else if (!strcmp(tasks[i].name, "add")) {
            cr_assert(!tasks[i].status && tasks[i].end_ns && tasks[i].worker != RASK_NO_WORKER);
        }
    cr_assert(count == 3 && failed == 1, "%u tasks, %u failed", count, failed);
    rask_recording_free(recording);
    rask_graph_free(g);
}

/* -- Futures */

static rask_client *open_client(const house *h)
{
    rask_client *client;
    rask_options o = h->options;
    o.timeout = 0;
    cr_assert_eq(rask_client_open(&o, &client), RASK_OK, "%s", rask_client_open_error());
    return client;
}

static void futures_come_to_results_failures_and_sums_of_each_other(const house *h)
{
    enum { FUTURES = 6 };
    rask_graph *g = rask_graph_new();
    rask_client *client = open_client(h);
    rask_future *futures[FUTURES], *bad = rask_submit(client, rask_delayed(g, refuse));
    rask_node *nodes[FUTURES];
    int64_t sum = 0;
    for (int i = 0; i < FUTURES; i++) {
        futures[i] = rask_submit(client, rask_delayed(g, add, i, 1));
        nodes[i] = rask_future_node(g, futures[i]);
    }
    rask_future *all = rask_submit(client, rask_sum(rask_list(g, nodes, FUTURES)));
    cr_assert_eq(rask_future_out(all, RASK_OUT_I64, &sum), RASK_OK, "%s", rask_future_error(all));
    cr_assert_eq(sum, FUTURES * (FUTURES + 1) / 2);
    cr_assert_eq(rask_future_out(bad, RASK_OUT_I64, &sum), RASK_EIO);
    cr_assert(strstr(rask_future_error(bad), "refuse") && strstr(rask_future_error(bad), "nothing to read"),
              "%s", rask_future_error(bad));
    for (int i = 0; i < FUTURES; i++)
        rask_future_unref(futures[i]);
    rask_future_unref(all);
    rask_future_unref(bad);
    rask_graph_free(g);
    rask_client_close(client);
}

static int wait_long(rask_task *t)
{
    atomic_store(&board_of(t)->flag, true);
    while (!rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, 0);
}
RASK_SLOTS(wait_long);

static void a_future_is_cancelled_while_it_runs(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_client *client = open_client(h);
    rask_future *future = rask_submit(client, rask_delayed(g, wait_long, h->id));
    rask_value value;
    while (!atomic_load(&h->board->flag))
        sleep_ms(1);
    cr_assert(rask_future_cancel(future));
    cr_assert_eq(rask_future_result(future, &value), RASK_ECANCELLED);
    rask_future_unref(future);
    rask_graph_free(g);
    rask_client_close(client);
}

/* -- Ranks */

static void ranks_stay_when_the_cluster_is_closed(const house *h)
{
    rask_cluster_close();
    tasks_run_in_all_workers_and_not_in_the_program(h);
}

static void a_scheduler_that_is_named_is_the_one(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_options o = h->options;
    o.scheduler = "threads";
    cr_assert_eq(play_i64(rask_delayed(g, tell_pid), &o), getpid());
    rask_graph_free(g);
}

const scene play_runs[] = {
    {"tasks run in all workers, and not in the program", NEEDS_OTHERS,
     tasks_run_in_all_workers_and_not_in_the_program},
    {"a task may compute", 0, a_task_may_compute},
    {"runs go on side by side, and one after the other", 0, runs_go_on_side_by_side_and_one_after_the_other},
    {"what was kept is not computed again", 0, what_was_kept_is_not_computed_again},
    {"tasks grow where they run", 0, tasks_grow_where_they_run},
    {"what one task grows is run by all workers", NEEDS_TRAVEL | NEEDS_TWO,
     what_one_task_grows_is_run_by_all_workers},
    {"a failure of what grew is told with its reason", 0, a_failure_of_what_grew_is_told_with_its_reason},
    {"observers are told of every task once, and of the run", 0,
     observers_are_told_of_every_task_once_and_of_the_run},
    {"observers are told when a task rests, and when it is called again", 0,
     observers_are_told_when_a_task_rests_and_when_it_is_called_again},
    {"observers are told of what tasks grow", NEEDS_GROWN_TOLD, observers_are_told_of_what_tasks_grow},
    {"a recording has failures, attempts, and who ran what", 0,
     a_recording_has_failures_attempts_and_who_ran_what},
    {"futures come to results, failures, and sums of each other", 0,
     futures_come_to_results_failures_and_sums_of_each_other},
    {"a future is cancelled while it runs", NEEDS_TWO, a_future_is_cancelled_while_it_runs},
    {"ranks stay when the cluster is closed", NEEDS_RANKS, ranks_stay_when_the_cluster_is_closed},
    {"a scheduler that is named is the one", NEEDS_OTHERS, a_scheduler_that_is_named_is_the_one},
    {NULL},
};
