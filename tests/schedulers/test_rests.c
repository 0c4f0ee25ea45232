/* What ends a wait between two calls of a task, who runs what is due on serial, and what observers are told. */
#include "backing_off.h"
#include "core/observe/dashboard/live.h"
#include "core/observe/profile.h"

/* (counts): what it grows rests for long. */
static int grow_resting(rask_task *t)
{
    return rask_return_node(t, resting(rask_delayed(rask_task_graph(t), try_gate, rask_arg_i64(t, 0))));
}
RASK_SLOTS(grow_resting);

/* The same, and it is put off meanwhile, as is what it grows. */
static int grow_resting_tagged(rask_task *t)
{
    return rask_return_node(t,
                            resting(rask_delayed(rask_task_graph(t), try_gate_tagged, rask_arg_i64(t, 0))));
}
RASK_SLOTS_WITH(grow_resting_tagged, (.tags = "gpu"));

static void hear_nothing(void *context, const rask_task_info *task)
{
    (void)context;
    (void)task;
}

/* (counts): fails as soon as the other has begun. */
static int fail_behind(rask_task *t)
{
    must_begin(counts_of(t), 1);
    sleep_ms(5); /* most likely it rests */
    return rask_fail(t, RASK_EIO, "behind it");
}
RASK_SLOTS(fail_behind);

static rask_node *grower(rask_graph *g, counts *c, const rask_options *o)
{
    return o->limits ? rask_delayed(g, grow_resting_tagged, address(c))
                     : rask_delayed(g, grow_resting, address(c));
}

enum { SOME = ALONE + 2 };

/* The last two with limits: not processes, where an address does not travel to who counts. */
static rask_options some(size_t i)
{
    rask_options o = alone(i < ALONE ? i : i - ALONE + 2);
    o.limits = i < ALONE ? NULL : "gpu=1";
    return o;
}

Test(rests, what_a_compute_grew_and_rests_ends_when_that_is_cancelled, .timeout = 60)
{
    for (size_t i = 0; i < SOME; i++) {
        rask_options o = some(i);
        counts *c = new_counts();
        canceller cancel;
        rask_graph *g = rask_graph_new();
        int64_t sum;
        begin_cancelling(&cancel, c, 1);
        o.cancel = cancel.token;
        cr_expect_eq(rask_compute_with(grower(g, c, &o), &o, &sum), RASK_ECANCELLED, "%zu: %s", i,
                     rask_graph_error(g));
        end_cancelling(&cancel);
        cr_expect_eq(atomic_load(&c->begun), 1);
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(rests, what_a_compute_grew_and_rests_ends_when_that_is_out_of_time, .timeout = 60)
{
    for (size_t i = 0; i < SOME; i++) {
        rask_options o = some(i);
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        int64_t sum;
        o.timeout = 0.1;
        cr_expect_eq(rask_compute_with(grower(g, c, &o), &o, &sum), RASK_ETIMEDOUT, "%zu: %s", i,
                     rask_graph_error(g));
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(rests, what_a_compute_grew_and_rests_ends_when_another_task_fails, .timeout = 60)
{
    for (size_t i = 0; i < SOME; i++) {
        rask_options o = some(i);
        if (o.limits && o.workers == 1)
            continue; /* nobody could fail meanwhile */
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        int64_t sum;
        o.workers = 2;
        rask_node *both[2] = {grower(g, c, &o), rask_delayed(g, fail_behind, address(c))};
        cr_expect_eq(rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &sum), RASK_EIO, "%zu", i);
        const char *error = rask_graph_error(g);
        cr_expect(strstr(error, "fail_behind") && !strstr(error, "grow_resting"), "%zu: %s", i, error);
        cr_expect_eq(atomic_load(&c->begun), 1);
        rask_graph_free(g);
        free_counts(c);
    }
}

/* (counts): what it grows fails until the gate is open; and twice as much of that. */
static int grow_patient(rask_task *t)
{
    return rask_return_node(t, patient(rask_delayed(rask_task_graph(t), try_gate, rask_arg_i64(t, 0))));
}
RASK_SLOTS(grow_patient);

static int grow_deeply(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *both[2] = {rask_delayed(g, grow_patient, rask_arg_i64(t, 0)),
                          rask_delayed(g, grow_patient, rask_arg_i64(t, 0))};
    return rask_return_node(t, rask_sum(rask_list(g, both, 2)));
}
RASK_SLOTS(grow_deeply);

/* Units with tasks before and behind the one that grows, before the one that opens the gate, which is behind others. */
Test(rests, units_of_which_something_grew_that_rests_leave_their_thread_to_others, .timeout = 60)
{
    for (size_t i = 0; i < 2 * ALONE; i++) {
        rask_options o = alone(i / 2);
        if (o.workers == 1 && is(&o, "processes"))
            continue; /* its one worker keeps what takes addresses */
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_observer nothing = {
            .size = sizeof nothing, .task_ready = hear_nothing, .task_finished = hear_nothing};
        const rask_observer *observers[] = {&nothing};
        rask_node *all[6];
        int64_t sum = 0;
        o.observers = observers;
        o.observer_count = i % 2;
        for (int64_t k = 0; k < 5; k++) {
            rask_node *first = rask_delayed(g, count, address(c), k);
            rask_node *grown = k % 2 ? rask_delayed(g, grow_deeply, address(c), first)
                                     : rask_delayed(g, grow_patient, address(c), first);
            all[k] = rask_delayed(g, add, grown, 1);
        }
        all[5] = rask_delayed(g, open_gate, address(c));
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, all, 6)), &o, &sum), RASK_OK, "%zu: %s", i,
                     rask_graph_error(g));
        cr_expect_eq(sum, 3 * 2 + 2 * 3 + 1);
        for (size_t k = 0; k < 5; k++)
            cr_expect_eq(atomic_load(&c->calls[k]), 1);
        rask_graph_free(g);
        free_counts(c);
    }
}

/* So many short units that their owner would run them alone, and the gate is opened behind them. */
Test(rests, units_that_left_their_thread_come_back_among_many_short_ones, .timeout = 60)
{
    enum { UNITS = 4000, GROWERS = 8 };
    for (size_t i = 0; i < ALONE; i++) {
        rask_options o = alone(i);
        if (is(&o, "processes"))
            continue;
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_node **all = calloc(UNITS, sizeof(rask_node *));
        int64_t sum = 0;
        cr_assert_not_null(all);
        for (int64_t k = 0; k < UNITS - 1; k++)
            all[k] = k % (UNITS / GROWERS) == 7 ? rask_delayed(g, grow_patient, address(c))
                                                : rask_delayed(g, add, k, 0);
        all[UNITS - 1] = rask_delayed(g, open_gate, address(c));
        int64_t wanted = GROWERS + 1;
        for (int64_t k = 0; k < UNITS - 1; k++)
            wanted += k % (UNITS / GROWERS) == 7 ? 0 : k;
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, all, UNITS)), &o, &sum), RASK_OK, "%zu: %s", i,
                     rask_graph_error(g));
        cr_expect_eq(sum, wanted);
        free(all);
        rask_graph_free(g);
        free_counts(c);
    }
}

Test(rests, what_rests_ends_with_the_token_of_its_client, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++) {
        rask_options o = alone(i);
        counts *c = new_counts();
        canceller cancel;
        begin_cancelling(&cancel, c, 1);
        o.cancel = cancel.token;
        rask_client *client = open_client(o);
        rask_graph *g = rask_graph_new();
        rask_future *future = rask_submit(client, resting(rask_delayed(g, try_gate, address(c))));
        int status = rask_future_result(future, NULL);
        cr_expect(status == RASK_ECANCELLED || status == RASK_EIO, "%d", status);
        cr_expect_eq(atomic_load(&c->begun), 1);
        end_cancelling(&cancel);
        rask_future_unref(future);
        rask_graph_free(g);
        rask_client_close(client);
        free_counts(c);
    }
}

/* (counts): opens the gate when it is called for the second time. */
static int open_at_second(rask_task *t)
{
    atomic_fetch_add(&counts_of(t)->begun, 1);
    return rask_task_attempt(t) ? open_gate(t) : rask_fail(t, RASK_EIO, "not yet");
}
RASK_SLOTS(open_at_second);

/* Who looked after what rests is the one that sleeps no more. */
Test(rests, a_worker_that_is_left_comes_to_what_is_due, .timeout = 60)
{
    rask_client *client = open_client(threads(2));
    for (size_t i = 0; i < 40; i++) {
        counts *c = new_counts();
        rask_graph *g = rask_graph_new();
        rask_future *both[2];
        both[0] = rask_submit(
            client,
            rask_set_backoff(rask_set_retries(rask_delayed(g, open_at_second, address(c)), 1), 0.004));
        must_begin(c, 1);
        sleep_ms((long)i % 3);
        both[1] = rask_submit(client, rask_delayed(g, stay, address(c)));
        cr_assert_eq(result_of(both[0]), 1);
        cr_assert_eq(result_of(both[1]), 1);
        rask_graph_free(g);
        free_counts(c);
    }
    rask_client_close(client);
}

/* -- Serial */

static rask_client *serial_client;
static rask_future *submitted;

/* (counts): submits one that rests, and does not wait for it. */
static int submit_resting(rask_task *t)
{
    rask_node *node = rask_delayed(rask_task_graph(t), open_at_second, rask_arg_i64(t, 0));
    submitted = rask_submit(serial_client, rask_set_backoff(rask_set_retries(node, 1), 0.002));
    return rask_return_i64(t, rask_future_done(submitted));
}
RASK_SLOTS(submit_resting);

Test(rests, on_serial_all_that_was_submitted_has_run_when_submitting_returns, .timeout = 60)
{
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    serial_client = open_client(alone(2));
    cr_assert_eq(result_of(rask_submit(serial_client, rask_delayed(g, submit_resting, address(c)))), 0);
    cr_expect(rask_future_done(submitted));
    cr_expect_eq(rask_client_drain(serial_client, -1), RASK_OK);
    cr_expect_eq(result_of(submitted), 1);
    rask_graph_free(g);
    rask_client_close(serial_client);
    free_counts(c);
}

/* (counts, how): submits one that rests, and waits for it in one of several ways. */
static int wait_for_resting(rask_task *t)
{
    int64_t how = rask_arg_i64(t, 1);
    submit_resting(t);
    if (how == 0)
        cr_expect_eq(rask_future_wait(submitted, -1), RASK_OK);
    else if (how == 1)
        cr_expect_eq(rask_wait_any(&submitted, 1, -1), 0);
    return rask_return_i64(t, result_of(submitted));
}
RASK_SLOTS(wait_for_resting);

static void *wait_and_drain(void *client)
{
    rask_future_wait(submitted, -1);
    cr_expect_eq(rask_client_drain(client, -1), RASK_OK);
    return NULL;
}

Test(rests, on_serial_whoever_waits_runs_what_is_due, .timeout = 60)
{
    rask_graph *g = rask_graph_new();
    serial_client = open_client(alone(2));
    for (int64_t how = 0; how < 3; how++) {
        counts *c = new_counts();
        cr_expect_eq(
            result_of(rask_submit(serial_client, rask_delayed(g, wait_for_resting, address(c), how))), 1);
        free_counts(c);
    }
    rask_graph_free(g);
    rask_client_close(serial_client);
}

/* A cancelled future is not waited for, and another thread's waiting goes on. */
Test(rests, on_serial_nobody_waits_for_what_was_cancelled, .timeout = 60)
{
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    rask_submission how = {.size = sizeof how, .deadline = 0.01};
    pthread_t thread;
    serial_client = open_client(alone(2));
    submitted = rask_submit_with(serial_client, resting(rask_delayed(g, try_gate, address(c))), &how);
    cr_expect_eq(rask_future_result(submitted, NULL), RASK_ETIMEDOUT);
    cr_assert_eq(pthread_create(&thread, NULL, wait_and_drain, serial_client), 0);
    cr_expect_eq(result_of(rask_submit(serial_client, rask_delayed(g, add, 40, 2))), 42);
    pthread_join(thread, NULL);
    rask_future_unref(submitted);
    rask_graph_free(g);
    rask_client_close(serial_client);
    free_counts(c);
}

/* -- Observers */

/* What is told of the task that rests, and never twice the same. */
typedef struct told {
    atomic_int started, rested, finished, wrong;
} told;

static bool is_it(const rask_task_info *task)
{
    return !strcmp(task->name, "third_time");
}

static void hear_start(void *context, const rask_task_info *task)
{
    told *t = context;
    if (is_it(task) && atomic_fetch_add(&t->started, 1) != atomic_load(&t->rested))
        atomic_fetch_add(&t->wrong, 1);
}

static void hear_rest(void *context, const rask_task_info *task)
{
    told *t = context;
    if (!task->status && !is_it(task))
        return; /* put off, for it has grown what rests */
    int before = atomic_fetch_add(&t->rested, 1);
    bool right = is_it(task) && task->attempt == (uint32_t)before && atomic_load(&t->started) == before + 1 &&
                 task->status == RASK_EIO && !strcmp(task->message, "not yet") &&
                 task->end_ns >= task->start_ns && task->start_ns;
    atomic_fetch_add(&t->wrong, !right);
}

static void hear_end(void *context, const rask_task_info *task)
{
    told *t = context;
    if (is_it(task))
        atomic_fetch_add(&t->finished, 1);
    if (task->status || (is_it(task) && task->attempt != 2))
        atomic_fetch_add(&t->wrong, 1);
}

static int third_time(rask_task *t)
{
    return rask_task_attempt(t) == 2 ? rask_return_i64(t, 3) : rask_fail(t, RASK_EIO, "not yet");
}
RASK_SLOTS_WITH(third_time, (.retries = 2, .backoff = 0.002));

static int grow_third(rask_task *t)
{
    return rask_return_node(t, rask_delayed(rask_task_graph(t), third_time));
}
RASK_SLOTS(grow_third);

/* In a client, in a compute, and grown in one: 0, 1, 2. */
static void observe(rask_options o, int how)
{
    told t = {0};
    const rask_observer observer = {.size = sizeof observer,
                                    .context = &t,
                                    .task_started = hear_start,
                                    .task_rested = hear_rest,
                                    .task_finished = hear_end};
    const rask_observer *observers[] = {&observer};
    rask_graph *g = rask_graph_new();
    rask_node *node = how == 2 ? rask_delayed(g, grow_third) : rask_delayed(g, third_time);
    int64_t three = 0;
    o.observers = observers;
    o.observer_count = 1;
    if (how) {
        cr_assert_eq(rask_compute_with(node, &o, &three), RASK_OK, "%s", rask_graph_error(g));
    } else {
        rask_client *client = open_client(o);
        three = result_of(rask_submit(client, node));
        rask_client_close(client);
    }
    cr_expect_eq(three, 3);
    cr_expect_eq(atomic_load(&t.started), 3, "%s %d: %d", o.scheduler, how, atomic_load(&t.started));
    cr_expect_eq(atomic_load(&t.rested), 2);
    cr_expect_eq(atomic_load(&t.finished), 1);
    cr_expect_eq(atomic_load(&t.wrong), 0, "%s %d", o.scheduler, how);
    rask_graph_free(g);
}

Test(rests, observers_are_told_when_a_task_leaves_its_worker_and_when_it_comes_back, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++)
        for (int how = 0; how < 3; how++)
            if (how < 2 || i != 1) /* of what grows in a worker process nobody is told */
                observe(alone(i), how);
}

static rk_live live;

static void must_be_idle(void *context, const rask_task_info *task)
{
    const rk_live_track *track = rk_load_acquire(&live.tracks[task->worker]);
    atomic_fetch_add((atomic_int *)context, track && !rk_load_relaxed(&track->running) ? 1 : 100);
}

Test(rests, the_live_page_shows_no_worker_at_a_task_that_rests, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++) {
        atomic_int idle = 0;
        const rask_observer own = {.size = sizeof own, .context = &idle, .task_rested = must_be_idle};
        const rask_observer *observers[] = {&live.observer, &own};
        rask_options o = alone(i);
        rask_graph *g = rask_graph_new();
        int64_t three = 0;
        cr_assert_eq(rk_live_init(&live), RASK_OK);
        o.observers = observers;
        o.observer_count = 2;
        cr_assert_eq(rask_compute_with(rask_delayed(g, third_time), &o, &three), RASK_OK);
        cr_expect_eq(atomic_load(&idle), 2, "%s", o.scheduler);
        rask_graph_free(g);
        rk_live_fini(&live);
    }
}

/* What workers were at, as observers are told. */
typedef struct spans {
    atomic_int started, left, finished; /* of tasks that grow */
    atomic_int count;
    rask_task_info all[256];
} spans;

static bool grows(const rask_task_info *task)
{
    return !strcmp(task->name, "grow_patient");
}

static void span_begins(void *context, const rask_task_info *task)
{
    spans *s = context;
    atomic_fetch_add(&s->started, grows(task));
}

static void add_span(spans *s, const rask_task_info *task)
{
    int at = atomic_fetch_add(&s->count, 1);
    cr_assert_lt(at, 256);
    s->all[at] = *task;
}

static void span_rests(void *context, const rask_task_info *task)
{
    spans *s = context;
    add_span(s, task);
    atomic_fetch_add(&s->left, grows(task) && !task->status && !task->message);
}

static void span_ends(void *context, const rask_task_info *task)
{
    spans *s = context;
    add_span(s, task);
    atomic_fetch_add(&s->finished, grows(task));
}

/* Who runs what a task has grown may be at that within the task, but no worker is at two things side by side. */
static bool are_side_by_side(const rask_task_info *a, const rask_task_info *b)
{
    return a->worker == b->worker && a->start_ns < b->start_ns && b->start_ns < a->end_ns &&
           a->end_ns < b->end_ns;
}

static void expect_one_thing_at_a_time(const spans *s, const rask_options *o)
{
    int count = atomic_load(&s->count);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < count; k++)
            cr_expect(!are_side_by_side(&s->all[i], &s->all[k]), "%s %u: %s and %s", o->scheduler, o->workers,
                      s->all[i].name, s->all[k].name);
}

/* Five that grow what rests until the gate is open, and behind them who opens it. */
static void observe_growers(rask_options o, spans *s, rask_profile *profile)
{
    const rask_observer observer = {.size = sizeof observer,
                                    .context = s,
                                    .task_started = span_begins,
                                    .task_rested = span_rests,
                                    .task_finished = span_ends};
    const rask_observer *observers[] = {&observer, rask_profile_observer(profile)};
    counts *c = new_counts();
    rask_graph *g = rask_graph_new();
    rask_node *all[6];
    int64_t sum = 0;
    o.observers = observers;
    o.observer_count = 2;
    for (int64_t k = 0; k < 5; k++)
        all[k] = rask_delayed(g, grow_patient, address(c));
    all[5] = rask_delayed(g, open_gate, address(c));
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, all, 6)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(sum, 6);
    rask_graph_free(g);
    free_counts(c);
}

Test(rests, a_unit_that_left_its_thread_does_not_keep_it_busy_for_observers, .timeout = 60)
{
    for (size_t i = 0; i < 2 * ALONE; i++) {
        rask_options o = alone(i / 2);
        if (is(&o, "processes"))
            continue;
        o.limits = i % 2 ? "gpu=1" : NULL;
        spans *s = calloc(1, sizeof *s);
        rask_profile *profile = rask_profile_new();
        cr_assert(s && profile);
        observe_growers(o, s, profile);
        cr_expect_eq(atomic_load(&s->finished), 5);
        cr_expect_eq(atomic_load(&s->started), 5 + atomic_load(&s->left));
        expect_one_thing_at_a_time(s, &o);
        if (o.workers == 1 && !o.limits) { /* all of them left it before the gate was open */
            cr_expect_eq(atomic_load(&s->left), 5, "%s: %d", o.scheduler, atomic_load(&s->left));
            cr_expect_leq(profile->whole.busy_ns, profile->whole.worker_ns, "%s", o.scheduler);
        }
        rask_profile_free(profile);
        free(s);
    }
}

/* -- Lanes */

static int grow_some_io(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[8];
    for (int64_t k = 0; k < 8; k++)
        all[k] = rask_delayed(g, add, rask_arg_i64(t, 0), k);
    return rask_return_node(t, rask_sum(rask_list(g, all, 8)));
}
RASK_SLOTS_WITH(grow_some_io, (.flags = RASK_IO));

typedef struct lanes_told {
    atomic_int as[2][1024]; /* by lane and worker: calls */
} lanes_told;

static void hear_lane(void *context, const rask_task_info *task)
{
    lanes_told *l = context;
    cr_assert_lt(task->worker, 1024);
    atomic_fetch_add(&l->as[task->lane][task->worker], 1);
}

Test(rests, a_worker_is_a_lane_or_is_none_whatever_it_calls, .timeout = 60)
{
    for (size_t i = 0; i < ALONE; i++) {
        rask_options o = alone(i);
        lanes_told *l = calloc(1, sizeof *l);
        const rask_observer observer = {.size = sizeof observer, .context = l, .task_finished = hear_lane};
        const rask_observer *observers[] = {&observer};
        rask_graph *g = rask_graph_new();
        int64_t sum = 0;
        rask_node *both[2] = {rask_delayed(g, grow_some_io, 1), rask_delayed(g, grow_some_io, 2)};
        cr_assert_not_null(l);
        o.observers = observers;
        o.observer_count = 1;
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &sum), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_expect_eq(sum, 8 * 3 + 2 * 28);
        for (uint32_t k = 0; k < 1024; k++)
            cr_expect(!atomic_load(&l->as[0][k]) || !atomic_load(&l->as[1][k]), "%s %u: %u", o.scheduler,
                      o.workers, k);
        rask_graph_free(g);
        free(l);
    }
}
