/* Observers are told everything, in order, and with no lock held. */
#include "graphs.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static rask_options with(const char *scheduler, uint32_t workers, uint64_t seed)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = scheduler;
    o.workers = workers;
    o.seed = seed;
    return o;
}

enum { SETUPS = 6 };

static rask_options setup(size_t i)
{
    const rask_options all[SETUPS] = {with("serial", 0, 0),  with("serial", 0, 9),  with("threads", 1, 0),
                                      with("threads", 2, 0), with("threads", 8, 0), with("processes", 2, 0)};
    return all[i];
}

/* What was told, task by task. */
typedef struct diary {
    pthread_mutex_t lock;
    uint32_t plans, ends, tasks;
    struct {
        uint32_t ready, started, finished;
        int status;
    } * of;
    bool ended;
    bool apart; /* workers are processes */
} diary;

static void on_plan(void *context, const rask_run_info *run)
{
    diary *d = context;
    d->plans++;
    d->tasks = run->tasks;
    d->apart = strcmp(run->scheduler, "processes") == 0;
    d->of = calloc(run->tasks + 1, sizeof *d->of);
    cr_assert_gt(run->start_ns, 0);
    cr_assert_eq(run->end_ns, 0);
}

static void on_ready(void *context, const rask_task_info *task)
{
    diary *d = context;
    pthread_mutex_lock(&d->lock);
    cr_assert_lt(task->task, d->tasks);
    cr_assert_eq(d->of[task->task].ready++, 0);
    cr_assert_eq(task->worker, UINT32_MAX);
    cr_assert_eq(task->start_ns, 0);
    pthread_mutex_unlock(&d->lock);
}

static void on_started(void *context, const rask_task_info *task)
{
    diary *d = context;
    pthread_mutex_lock(&d->lock);
    cr_assert_eq(d->of[task->task].ready, 1);
    cr_assert_eq(d->of[task->task].started++, 0);
    cr_assert_neq(task->worker, UINT32_MAX);
    cr_assert_leq(task->ready_ns, task->start_ns);
    cr_assert_gt(task->ready_ns, 0);
    pthread_mutex_unlock(&d->lock);
}

static void on_finished(void *context, const rask_task_info *task)
{
    diary *d = context;
    pthread_mutex_lock(&d->lock);
    cr_assert_eq(d->of[task->task].ready, 1);
    cr_assert_eq(d->of[task->task].finished++, 0);
    /* on processes what a task that had begun came to may not be waited for when the run fails */
    cr_assert(task->status == RASK_ECANCELLED || d->of[task->task].started == 1);
    cr_assert(task->status != RASK_ECANCELLED || !d->of[task->task].started || d->apart);
    cr_assert_leq(task->start_ns, task->end_ns);
    d->of[task->task].status = task->status;
    pthread_mutex_unlock(&d->lock);
}

static void on_end(void *context, const rask_run_info *run)
{
    diary *d = context;
    d->ends++;
    cr_assert_geq(run->end_ns, run->start_ns);
    cr_assert_eq(run->tasks, d->tasks);
}

static rask_observer observer_of(diary *d)
{
    *d = (diary){.lock = PTHREAD_MUTEX_INITIALIZER};
    return (rask_observer){.size = sizeof(rask_observer),
                           .context = d,
                           .plan_made = on_plan,
                           .task_ready = on_ready,
                           .task_started = on_started,
                           .task_finished = on_finished,
                           .run_ended = on_end};
}

static void must_be_complete(const diary *d)
{
    cr_assert_eq(d->plans, 1);
    cr_assert_eq(d->ends, 1);
    for (uint32_t i = 0; i < d->tasks; i++) {
        cr_assert_eq(d->of[i].ready, 1);
        cr_assert_eq(d->of[i].finished, 1);
    }
}

Test(observe, every_task_is_ready_started_and_finished_once_and_in_this_order)
{
    for (uint64_t seed = 0; seed < 40; seed++)
        for (size_t i = 0; i < SETUPS; i++) {
            diary d;
            rask_observer observer = observer_of(&d);
            const rask_observer *observers[] = {&observer};
            rask_options o = setup(i);
            random_graph *g = random_graph_new(seed);
            o.observers = observers;
            o.observer_count = 1;
            random_graph_must_compute(g, o);
            must_be_complete(&d);
            free(d.of);
            random_graph_free(g);
        }
}

Test(observe, skipped_tasks_are_told_as_cancelled_without_a_start)
{
    for (uint64_t seed = 0; seed < 40; seed++)
        for (size_t i = 0; i < SETUPS; i++) {
            diary d;
            rask_observer observer = observer_of(&d);
            const rask_observer *observers[] = {&observer};
            rask_options o = setup(i);
            rask_report report;
            random_graph *g = random_graph_new(seed);
            o.keep_going = seed % 2;
            o.observers = observers;
            o.observer_count = 1;
            random_graph_add_failures(g, 10, GRAPH_FAILS_ALWAYS);
            random_graph_compute_with_failures(g, o, &report);
            must_be_complete(&d);
            uint32_t failed = 0, skipped = 0;
            for (uint32_t k = 0; k < d.tasks; k++) {
                skipped += d.of[k].status == RASK_ECANCELLED;
                failed += d.of[k].status && d.of[k].status != RASK_ECANCELLED;
            }
            cr_assert_eq(failed, report.failed);
            cr_assert_eq(skipped, report.skipped);
            free(d.of);
            random_graph_free(g);
        }
}

/* An observer that computes: were a lock of the library held, it would wait for ever. */
static int64_t twice(int64_t i)
{
    return 2 * i;
}
RASK_TASK(twice, i64, i64);

static atomic_int nested_runs;

static void compute_another(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[3];
    rask_options o = with("threads", 2, 0);
    int64_t answer = 0;
    for (int i = 0; i < 3; i++)
        nodes[i] = rask_delayed(g, twice, i);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 3)), &o, &answer), RASK_OK);
    cr_assert_eq(answer, 6);
    rask_graph_free(g);
    atomic_fetch_add(&nested_runs, 1);
}

static void compute_at_task(void *context, const rask_task_info *task)
{
    (void)context;
    (void)task;
    compute_another();
}

static void compute_at_run(void *context, const rask_run_info *run)
{
    (void)context;
    (void)run;
    compute_another();
}

Test(observe, observers_may_compute_other_graphs)
{
    rask_observer observer = {.size = sizeof observer,
                              .plan_made = compute_at_run,
                              .task_ready = compute_at_task,
                              .task_started = compute_at_task,
                              .task_finished = compute_at_task,
                              .run_ended = compute_at_run};
    const rask_observer *observers[] = {&observer};
    for (uint64_t seed = 0; seed < 12; seed++) {
        rask_options o = setup(seed % SETUPS);
        random_graph *g = random_graph_new(seed);
        o.observers = observers;
        o.observer_count = 1;
        random_graph_must_compute(g, o);
        random_graph_free(g);
    }
    cr_assert_gt(atomic_load(&nested_runs), 24);
}

Test(observe, callbacks_may_be_missing)
{
    rask_observer none = {.size = sizeof none};
    const rask_observer *observers[] = {&none, &none};
    for (size_t i = 0; i < SETUPS; i++) {
        rask_options o = setup(i);
        random_graph *g = random_graph_new(3);
        o.observers = observers;
        o.observer_count = 2;
        random_graph_must_compute(g, o);
        random_graph_free(g);
    }
}

Test(observe, a_recording_holds_the_last_run)
{
    rask_recording *recording = rask_recording_new();
    const rask_observer *observer = rask_recording_observer(recording);
    for (uint64_t seed = 0; seed < 20; seed++) {
        rask_options o = setup(seed % SETUPS);
        random_graph *g = random_graph_new(seed);
        rask_report report;
        rask_value results[GRAPH_MAX_TARGETS];
        uint32_t count;
        o.observers = &observer;
        o.observer_count = 1;
        o.report = &report;
        cr_assert_eq(rask_compute_values(g->targets, g->target_count, &o, results), RASK_OK);
        const rask_task_info *tasks = rask_recording_tasks(recording, &count);
        rask_run_info run = rask_recording_run(recording);
        cr_assert_eq(count, report.tasks);
        cr_assert_eq(run.tasks, report.tasks);
        cr_assert_eq(run.peak_bytes, report.peak_bytes);
        cr_assert_str_eq(run.scheduler, o.scheduler);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert_eq(tasks[i].task, i);
            cr_assert_eq(tasks[i].status, RASK_OK);
            cr_assert_leq(run.start_ns, tasks[i].ready_ns);
            cr_assert_leq(tasks[i].ready_ns, tasks[i].start_ns); /* though nobody asked for the start */
            cr_assert_leq(tasks[i].end_ns, run.end_ns);
            cr_assert_lt(tasks[i].node, rask_graph_size(g->graph));
        }
        for (uint32_t i = 0; i < g->target_count; i++)
            rask_value_unref(&results[i]);
        random_graph_free(g);
    }
    rask_recording_free(recording);
}

Test(observe, a_recording_without_a_run_is_empty)
{
    rask_recording *recording = rask_recording_new();
    uint32_t count = 7;
    cr_assert_null(rask_recording_tasks(recording, &count));
    cr_assert_eq(count, 0);
    cr_assert_eq(rask_recording_run(recording).tasks, 0);
    rask_recording_free(recording);
    rask_recording_free(NULL);
}

/* The worker of each task: lanes count on from the run's workers, and no two tasks run on one worker at once.
 */
static atomic_uint busy[256];
static atomic_bool wrong_kind, shared_worker;

static void claim_worker(void *workers, const rask_task_info *task)
{
    bool io = strstr(task->name, "io") != NULL;
    if ((task->worker >= *(uint32_t *)workers) != io || task->lane != io)
        atomic_store(&wrong_kind, true);
    if (task->worker >= 256 || atomic_fetch_add(&busy[task->worker], 1))
        atomic_store(&shared_worker, true);
}

static void free_worker(void *workers, const rask_task_info *task)
{
    (void)workers;
    if (task->status != RASK_ECANCELLED)
        atomic_fetch_sub(&busy[task->worker], 1);
}

Test(observe, workers_are_numbered_by_who_runs_and_lanes_count_on_from_them)
{
    uint32_t workers = 8;
    rask_observer observer = {.size = sizeof observer,
                              .context = &workers,
                              .task_started = claim_worker,
                              .task_finished = free_worker};
    const rask_observer *observers[] = {&observer};
    for (uint64_t seed = 0; seed < 60; seed++) {
        rask_options o = with("threads", workers, 0);
        random_graph *g = random_graph_new(seed);
        o.io_lanes = 3;
        o.observers = observers;
        o.observer_count = 1;
        random_graph_must_compute(g, o);
        random_graph_free(g);
    }
    cr_assert_not(atomic_load(&wrong_kind), "a CPU task ran in a lane, or an I/O task on a worker");
    cr_assert_not(atomic_load(&shared_worker), "two tasks ran on one worker at once");
}

static int wait_a_little(rask_task *task)
{
    return rask_return_i64(task, 1);
}

static void check_lane(void *context, const rask_task_info *task)
{
    bool *seen = context;
    if (task->lane == (strcmp(task->name, "waits") != 0))
        atomic_store(&wrong_kind, true);
    *seen |= task->lane;
}

/* Numbers say nothing: with two threads each, that of the second worker's first one is 2. */
Test(observe, lanes_of_worker_processes_are_told_of_as_lanes_and_their_threads_are_not)
{
    const rask_task_def waits = {
        .size = sizeof waits, .name = "waits", .call = wait_a_little, .flags = RASK_IO};
    const rask_task_def works = {.size = sizeof works, .name = "works", .call = wait_a_little};
    bool seen = false;
    const rask_observer observer = {.size = sizeof observer, .context = &seen, .task_finished = check_lane};
    const rask_observer *observers[] = {&observer};
    rask_graph *g = rask_graph_new();
    rask_node *all[16];
    int64_t sum;
    rask_options o = with("processes", 2, 0);
    o.worker_threads = 2;
    o.observers = observers;
    o.observer_count = 1;
    for (int i = 0; i < 16; i++)
        all[i] = rask_call(g, i % 4 ? &works : &waits, NULL, 0);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, all, 16)), &o, &sum), RASK_OK);
    cr_expect(seen && !atomic_load(&wrong_kind));
    rask_graph_free(g);
}

/* -- Failures with their messages, and worker processes that come and die */

typedef struct news {
    char message[200];
    atomic_uint joined, lost;
    char reason[200];
} news;

static void keep_message(void *context, const rask_task_info *task)
{
    news *n = context;
    if (task->status && task->message)
        snprintf(n->message, sizeof n->message, "%s", task->message);
}

static void count_worker(void *context, const rask_worker_info *worker)
{
    news *n = context;
    cr_assert(worker->count && worker->process && worker->host && worker->reason);
    atomic_fetch_add(worker->lost ? &n->lost : &n->joined, 1);
    if (worker->lost)
        snprintf(n->reason, sizeof n->reason, "%s", worker->reason);
}

static int complain(rask_task *task)
{
    return rask_fail(task, RASK_ERANGE, "nine is too many");
}

static int die(rask_task *task)
{
    raise(SIGKILL);
    return rask_return_i64(task, 0);
}

static int run_told(rask_function call, rask_options o, size_t size, news *n)
{
    const rask_task_def def = {.size = sizeof def, .name = "bad", .call = call};
    rask_observer observer = {
        .size = size, .context = n, .task_finished = keep_message, .worker_changed = count_worker};
    const rask_observer *observers[] = {&observer};
    rask_graph *g = rask_graph_new();
    rask_value result = rask_value_none();
    o.observers = observers;
    o.observer_count = 1;
    int status = rask_compute_value(rask_call(g, &def, NULL, 0), &o, &result);
    rask_graph_free(g);
    return status;
}

Test(observe, a_failure_is_told_with_the_message_of_the_task)
{
    const rask_options setups[] = {with("serial", 0, 0), with("threads", 2, 0), with("processes", 2, 0)};
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        news n = {0};
        cr_assert_neq(run_told(complain, setups[i], sizeof(rask_observer), &n), RASK_OK);
        cr_expect_str_eq(n.message, "nine is too many");
    }
}

Test(observe, worker_processes_are_told_of_when_they_come_and_when_they_die)
{
    news n = {0};
    cr_assert_neq(run_told(die, with("processes", 2, 0), sizeof(rask_observer), &n), RASK_OK);
    cr_expect_geq(atomic_load(&n.joined), 2);
    cr_expect_geq(atomic_load(&n.lost), 1);
    cr_expect(strstr(n.reason, "SIGKILL"), "%s", n.reason);
    cr_expect(strstr(n.message, "SIGKILL"), "%s", n.message);
}

/* -- While it runs */

static atomic_int *told; /* in memory that worker processes share */

enum { MOST_WAITS = 20000 };

/* Ends once observers know that it began. */
static int wait_until_told(rask_task *task)
{
    for (int i = 0; i < MOST_WAITS && !atomic_load(told); i++)
        usleep(1000);
    return atomic_load(told) ? rask_return_i64(task, 1) : rask_fail(task, RASK_ETIMEDOUT, "nobody was told");
}

static void note_start(void *context, const rask_task_info *task)
{
    news *n = context;
    cr_assert(task->start_ns && !task->end_ns);
    atomic_fetch_add(&n->joined, 1);
    atomic_store(told, 1);
}

Test(observe, a_task_that_takes_long_is_told_of_while_it_runs)
{
    const rask_options setups[] = {with("serial", 0, 0), with("threads", 2, 0), with("processes", 2, 0)};
    const rask_task_def def = {.size = sizeof def, .name = "long", .call = wait_until_told};
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)told, MAP_FAILED);
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        news n = {0};
        rask_observer observer = {.size = sizeof observer, .context = &n, .task_started = note_start};
        const rask_observer *observers[] = {&observer};
        rask_options o = setups[i];
        rask_graph *g = rask_graph_new();
        int64_t answer;
        o.observers = observers;
        o.observer_count = 1;
        atomic_store(told, 0);
        cr_expect_eq(rask_compute_with(rask_call(g, &def, NULL, 0), &o, &answer), RASK_OK, "%s: %s",
                     o.scheduler, rask_graph_error(g));
        cr_expect_eq(atomic_load(&n.joined), 1, "%s: told %d times", o.scheduler, atomic_load(&n.joined));
        rask_graph_free(g);
    }
    munmap((void *)told, sizeof *told);
}

Test(observe, observers_of_programs_that_are_older_are_not_told_of_workers)
{
    news n = {0};
    cr_assert_neq(run_told(die, with("processes", 2, 0), offsetof(rask_observer, worker_changed), &n),
                  RASK_OK);
    cr_expect_eq(atomic_load(&n.joined), 0);
}
