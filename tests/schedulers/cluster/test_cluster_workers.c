/* Workers that are killed, crash, are told to go, or come late: results are the same. */
#include "schedulers/cluster/conduct.h"
#include "schedulers/cluster/worker.h"
#include "tasks.h"
#include "workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { PIECES = 12, PIECE = 1 << 20, NAPS = 400 };

/* What calls tell of themselves, in memory that workers share. */
typedef struct roll {
    atomic_int calls;
    atomic_int whom, calls_of_whom; /* a process, and the calls there */
    atomic_int kills;
    atomic_int stays;  /* so many first calls never return; */
    atomic_bool asked; /* none does before somebody was asked to leave */
} roll;

static roll *called;

static void begin(void)
{
    called = shared_calloc(sizeof *called);
}

static void end(void)
{
    shared_free(called, sizeof *called);
}

TestSuite(cluster_workers, .init = begin, .fini = end);

typedef struct killer {
    cluster *c;
    atomic_bool over;
} killer;

/* Naps, and elsewhere than with whom it is about until that had so many calls. */
static void await_whom(rask_task *t, int64_t ms, int64_t calls)
{
    bool is_whom = false;
    do {
        if (!is_whom && atomic_load(&called->whom) == getpid()) {
            is_whom = true;
            atomic_fetch_add(&called->calls_of_whom, 1);
        }
        sleep_ms(ms);
    } while (!is_whom && atomic_load(&called->calls_of_whom) < calls && !rask_task_cancelled(t));
}

/* (milliseconds, number, calls): the number. */
static int nap_and_tell(rask_task *t)
{
    atomic_fetch_add(&called->calls, 1);
    await_whom(t, rask_arg_i64(t, 0), rask_arg_i64(t, 2));
    return rask_return_i64(t, rask_arg_i64(t, 1));
}
RASK_SLOTS(nap_and_tell);

static rask_node *sum_of_told(rask_graph *g, int count, int64_t ms, int64_t calls)
{
    rask_node *naps[NAPS];
    for (int i = 0; i < count; i++)
        naps[i] = rask_delayed(g, nap_and_tell, ms, i, calls);
    return rask_sum(rask_list(g, naps, (size_t)count));
}

/* (kills): when there were so many. */
static int await_kills(rask_task *t)
{
    while (atomic_load(&called->kills) < rask_arg_i64(t, 0) && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, 0);
}
RASK_SLOTS(await_kills);

/* No more than that: a task that three workers died of is blamed, whoever killed them. */
enum { KILLS = 2, HUNTS = 3 };

/* One worker after the other, each when there were more calls, and each has a successor. */
static void *kill_workers(void *context)
{
    killer *k = context;
    for (uint32_t i = 0; i < KILLS; i++) {
        int before = atomic_load(&called->calls);
        while (atomic_load(&called->calls) < before + 10 && !atomic_load(&k->over))
            sleep_ms(1);
        kill(k->c->pids[i], SIGKILL);
        waitpid(k->c->pids[i], NULL, 0);
        cluster_hire(k->c, i);
        atomic_fetch_add(&called->kills, 1);
    }
    while (!atomic_load(&k->over)) /* who hires outlives whom it hired */
        sleep_ms(1);
    return NULL;
}

static void compute_while_killed(cluster *c)
{
    rask_graph *g = rask_graph_new();
    rask_node *both[2] = {sum_of_told(g, 150, 3, 0), rask_delayed(g, await_kills, KILLS)};
    int64_t answer = 0;
    pthread_t thread;
    killer k = {.c = c};
    rask_options o = on(c);
    cr_assert_eq(pthread_create(&thread, NULL, kill_workers, &k), 0);
    int status = rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &answer);
    atomic_store(&k.over, true);
    pthread_join(thread, NULL);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, 150 * 149 / 2);
    rask_graph_free(g);
}

Test(cluster_workers, workers_that_are_killed_change_no_result)
{
    for (int i = 0; i < HUNTS; i++) {
        cluster c;
        memset((void *)called, 0, sizeof *called);
        cluster_begin(&c, 3, 2);
        compute_while_killed(&c);
        cluster_end(&c);
    }
}

/* Each that dies has a successor, until told. */
static void *replace_workers(void *context)
{
    killer *k = context;
    while (!atomic_load(&k->over))
        for (uint32_t i = 0; i < k->c->count; i++, sleep_ms(2))
            if (waitpid(k->c->pids[i], NULL, WNOHANG) == k->c->pids[i])
                cluster_hire(k->c, i);
    return NULL;
}

Test(cluster_workers, a_task_that_crashes_is_blamed_after_three_workers)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_value result;
    pthread_t thread;
    rask_node *node = rask_delayed(g, crash);
    cluster_begin(&c, 1, 1);
    killer k = {.c = &c};
    rask_options o = on(&c);
    cr_assert_eq(pthread_create(&thread, NULL, replace_workers, &k), 0);
    cr_assert_eq(rask_compute_with(node, &o, &result), RASK_EDIED);
    cr_assert_not_null(strstr(rask_graph_error(g), "task crash"), "%s", rask_graph_error(g));
    cr_assert_not_null(strstr(rask_graph_error(g), "3 workers died of it"), "%s", rask_graph_error(g));
    atomic_store(&k.over, true);
    pthread_join(thread, NULL);
    cluster_end(&c);
    rask_graph_free(g);
}

/* News of tasks that have returned die with their worker, when one right behind them crashes. */
Test(cluster_workers, of_many_short_tasks_the_one_that_crashes_is_blamed)
{
    enum { AROUND = 100 };
    cluster c;
    int64_t answer;
    pthread_t thread;
    rask_node *nodes[AROUND];
    rask_graph *g = rask_graph_new();
    for (int i = 0; i < AROUND; i++)
        nodes[i] = i == AROUND / 2 ? rask_delayed(g, crash) : rask_delayed(g, nap, 0, i);
    rask_node *last = rask_delayed(g, nap, 0, 0);
    rask_after(last, nodes, AROUND);
    cluster_begin(&c, 1, 1);
    killer k = {.c = &c};
    rask_options o = on(&c);
    cr_assert_eq(pthread_create(&thread, NULL, replace_workers, &k), 0);
    cr_assert_eq(rask_compute_with(last, &o, &answer), RASK_EDIED);
    cr_assert_not_null(strstr(rask_graph_error(g), "task crash"), "%s", rask_graph_error(g));
    atomic_store(&k.over, true);
    pthread_join(thread, NULL);
    cluster_end(&c);
    rask_graph_free(g);
}

/* Whom it is about, when it has results. */
static void *ask_whom_to_go(void *calls)
{
    while (atomic_load(&called->calls_of_whom) < (intptr_t)calls)
        sleep_ms(1);
    kill(atomic_load(&called->whom), SIGTERM);
    return NULL;
}

/* Its end, which is a good one. */
static void must_leave(cluster *c, uint32_t at)
{
    int how;
    cr_assert_eq(waitpid(c->pids[at], &how, 0), c->pids[at]);
    cr_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0, "it left with %d", how);
    c->pids[at] = 0;
}

Test(cluster_workers, a_worker_that_is_told_to_go_leaves_its_results_behind)
{
    enum { RESULTS = 8 };
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_node *sum = sum_of_told(g, NAPS, 1, RESULTS);
    int64_t answer = 0;
    pthread_t thread;
    cluster_begin(&c, 2, 1);
    atomic_store(&called->whom, c.pids[0]);
    rask_options o = on(&c);
    cr_assert_eq(pthread_create(&thread, NULL, ask_whom_to_go, (void *)(intptr_t)RESULTS), 0);
    cr_assert_eq(rask_compute_with(sum, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, NAPS * (NAPS - 1) / 2);
    pthread_join(thread, NULL);
    must_leave(&c, 0);
    cluster_end(&c);
    rask_graph_free(g);
}

/* (number): the number, when somebody was asked to leave; the first calls end with their processes alone. */
static int stay_until_asked(rask_task *t)
{
    int call = atomic_fetch_add(&called->calls, 1);
    while (call < atomic_load(&called->stays) || !atomic_load(&called->asked))
        sleep_ms(1);
    sleep_ms(50); /* mostly enough for who was asked to hear it before */
    return rask_return_i64(t, rask_arg_i64(t, 0));
}
RASK_SLOTS(stay_until_asked);

/* What the program knows of its only worker. */
static bool is_leaving(const cluster *c)
{
    char reason[512];
    rask_cluster_state *state = NULL;
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    o.address = c->address;
    o.insecure = true;
    bool leaving = !rask_cluster_ask(&o, &state, reason, sizeof reason) && state->worker_count == 1 &&
                   state->workers[0].leaving;
    rask_cluster_state_free(state);
    return leaving;
}

/* The worker, once the task runs there; those whose calls never return are killed while they leave, and have successors. */
static void *ask_to_leave(void *context)
{
    killer *k = context;
    for (int i = 0; i == 0 || i < atomic_load(&called->stays); i++) {
        while (atomic_load(&called->calls) <= i)
            sleep_ms(1);
        kill(k->c->pids[0], SIGTERM);
        atomic_store(&called->asked, true);
        if (!atomic_load(&called->stays))
            break;
        while (!is_leaving(k->c))
            sleep_ms(1);
        kill(k->c->pids[0], SIGKILL);
        waitpid(k->c->pids[0], NULL, 0);
        cluster_hire(k->c, 0);
    }
    while (!atomic_load(&k->over)) /* who hires outlives whom it hired */
        sleep_ms(1);
    return NULL;
}

/* The calls that it took. */
static int compute_while_asked(cluster *c, int stays)
{
    killer k = {.c = c};
    rask_graph *g = rask_graph_new();
    rask_options o = on(c);
    int64_t answer = 0;
    pthread_t thread;
    atomic_store(&called->stays, stays);
    cr_assert_eq(pthread_create(&thread, NULL, ask_to_leave, &k), 0);
    int status = rask_compute_with(rask_delayed(g, stay_until_asked, 7), &o, &answer);
    atomic_store(&k.over, true);
    pthread_join(thread, NULL);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, 7);
    rask_graph_free(g);
    return atomic_load(&called->calls);
}

Test(cluster_workers, a_worker_that_is_told_to_go_returns_from_its_task_before)
{
    cluster c;
    cluster_begin(&c, 1, 1);
    cr_assert_eq(compute_while_asked(&c, 0), 1);
    must_leave(&c, 0);
    cluster_end(&c);
}

/* What several processes see of a worker that leaves while results are there which others need. */
typedef struct farewell {
    atomic_uint calls[PIECES];
    atomic_bool gone, over;
} farewell;

static farewell *parting;

static int fill_once(rask_task *t)
{
    await_whom(t, 0, 1); /* who is to leave has come */
    atomic_fetch_add(&parting->calls[rask_arg_i64(t, 1)], 1);
    return fill(t);
}
RASK_SLOTS(fill_once);

/* In the program: until the worker has gone. */
static int see_off(rask_task *t)
{
    while (!atomic_load(&parting->gone))
        sleep_ms(1);
    return rask_return_i64(t, 0);
}
RASK_SLOTS_WITH(see_off, (.flags = RASK_HERE));

/* Asks the first worker to leave when all pieces are made. If it was the only one, another comes when it has gone. */
static void *ask_politely(void *context)
{
    cluster *c = context;
    int how = -1;
    for (int i = 0; i < PIECES; i++)
        while (!atomic_load(&parting->calls[i]))
            sleep_ms(1);
    kill(c->pids[0], SIGTERM);
    waitpid(c->pids[0], &how, 0);
    c->pids[0] = 0;
    if (c->count == 1)
        cluster_hire(c, 0);
    atomic_store(&parting->gone, true);
    while (!atomic_load(&parting->over))
        sleep_ms(1);
    return how ? "it did not leave well" : NULL;
}

static void leave_politely(uint32_t workers)
{
    cluster c;
    pthread_t thread;
    void *wrong;
    int64_t answer = 0;
    rask_graph *g = rask_graph_new();
    rask_node *made[PIECES], *sums[PIECES];
    parting = shared_calloc(sizeof *parting);
    cluster_begin(&c, workers, 1);
    atomic_store(&called->whom, c.pids[0]);
    for (int i = 0; i < PIECES; i++)
        made[i] = rask_delayed(g, fill_once, 20000, i);
    rask_node *gate = rask_delayed(g, see_off);
    rask_after(gate, made, PIECES);
    for (int i = 0; i < PIECES; i++) {
        sums[i] = rask_delayed(g, add_up, rask_list(g, &made[i], 1));
        rask_after(sums[i], &gate, 1);
    }
    rask_options o = on(&c);
    cr_assert_eq(pthread_create(&thread, NULL, ask_politely, &c), 0);
    int status = rask_compute_with(rask_sum(rask_list(g, sums, PIECES)), &o, &answer);
    atomic_store(&parting->over, true);
    pthread_join(thread, &wrong);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
    cr_assert_null(wrong, "%s", (const char *)wrong);
    cr_assert_eq(answer, (int64_t)20000 * PIECES * (PIECES - 1) / 2);
    for (int i = 0; i < PIECES; i++)
        cr_assert_eq(parting->calls[i], 1, "piece %d was made %u times", i, parting->calls[i]);
    cluster_end(&c);
    shared_free(parting, sizeof *parting);
    rask_graph_free(g);
}

Test(cluster_workers, what_only_a_leaving_worker_has_is_moved_and_no_task_runs_twice)
{
    leave_politely(2);
}

Test(cluster_workers, what_the_last_worker_has_waits_in_the_program_for_the_next)
{
    leave_politely(1);
}

Test(cluster_workers, workers_that_were_leaving_have_not_died_of_their_tasks)
{
    enum { MORE_THAN_BLAME_TAKES = 3 };
    cluster c;
    cluster_begin(&c, 1, 1);
    cr_assert_eq(compute_while_asked(&c, MORE_THAN_BLAME_TAKES), MORE_THAN_BLAME_TAKES + 1);
    cluster_end(&c);
}

Test(cluster_workers, a_worker_that_comes_late_gets_work)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    rask_node *sum = sum_of_told(g, NAPS, 1, 1);
    int64_t answer = 0;
    cluster_begin(&c, 1, 1);
    pid_t late = fork();
    if (!late) {
        while (!atomic_load(&called->calls))
            sleep_ms(1);
        cluster_hire(&c, 1);
        atomic_store(&called->whom, c.pids[1]);
        waitpid(c.pids[1], NULL, 0);
        _exit(0);
    }
    rask_options o = on(&c);
    cr_assert_eq(rask_compute_with(sum, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, NAPS * (NAPS - 1) / 2);
    cr_assert_geq(atomic_load(&called->calls_of_whom), 1);
    kill(late, SIGKILL);
    waitpid(late, NULL, 0);
    cluster_end(&c);
    rask_graph_free(g);
}

static void expect_lonely(const rk_conduct *conduct, const char *wanted)
{
    char text[RK_MAX_MESSAGE + 1];
    rk_conduct_say_lonely(conduct, text, sizeof text);
    cr_expect_str_eq(text, wanted);
}

Test(cluster_workers, when_nobody_is_left_it_is_said_how_many_had_come_and_were_lost)
{
    rk_hub hub = {.address = "tcp://a:1", .now = 31000000000};
    rk_hand hands[4] = {{0}};
    rk_conduct c = {.hub = &hub, .hands = hands, .home_count = 1, .lonely_since = 1000000000};
    expect_lonely(&c,
                  rk_worker_may_be()
                      ? "no worker has come to tcp://a:1 for 30 seconds: RASK_WORKER_OF=tcp://a:1 makes a "
                        "worker of this program"
                      : "no worker has come to tcp://a:1 for 30 seconds: workers are processes of this "
                        "program whose main() begins with rask_cluster_init(), and this one's does not; of "
                        "rask: rask worker");
    c.home_count = 4;
    c.lost = 2;
    snprintf(c.last_words, sizeof c.last_words, "on b: gone");
    expect_lonely(&c,
                  "no other worker has come to tcp://a:1 for 30 seconds; of 3 that had come 2 were lost, the "
                  "last on b: gone");
    hands[1].turned_away = true;
    c.lost = 1;
    expect_lonely(&c,
                  "no other worker has come to tcp://a:1 for 30 seconds; of 2 that had come 1 was lost, the "
                  "last on b: gone");
    snprintf(hub.refused, sizeof hub.refused, "its key");
    expect_lonely(&c,
                  "no other worker has come to tcp://a:1 for 30 seconds; the last that came was refused: its "
                  "key");
}

/* -- What observers hear of one that is lost */

enum { MOST_NUMBERS = 1024 };

/* Numbers of workers that were told to be at something, and not yet that they no longer are. */
typedef struct tracks {
    atomic_bool running[MOST_NUMBERS];
    atomic_int starts, losses;
    cluster *c;
    atomic_bool over;
} tracks;

static void note_start(void *context, const rask_task_info *task)
{
    tracks *s = context;
    atomic_store(&s->running[task->worker % MOST_NUMBERS], true);
    atomic_fetch_add(&s->starts, 1);
}

static void note_end(void *context, const rask_task_info *task)
{
    tracks *s = context;
    atomic_store(&s->running[task->worker % MOST_NUMBERS], false);
}

static int count_running(const tracks *s)
{
    int count = 0;
    for (uint32_t i = 0; i < MOST_NUMBERS; i++)
        count += atomic_load(&s->running[i]);
    return count;
}

/* There is no other worker when one is lost. */
static void note_loss(void *context, const rask_worker_info *worker)
{
    tracks *s = context;
    if (!worker->lost)
        return;
    cr_expect_geq(count_running(s), 1);
    for (uint32_t i = 0; i < worker->numbers; i++)
        atomic_store(&s->running[(worker->first + i) % MOST_NUMBERS], false);
    cr_expect_eq(count_running(s), 0, "what nobody has is still running");
    atomic_fetch_add(&s->losses, 1);
}

/* Goes on in the first worker, until that is killed. */
static int outlast_the_first(rask_task *t)
{
    int nobody = 0, self = getpid();
    atomic_compare_exchange_strong(&called->whom, &nobody, self);
    while (atomic_load(&called->whom) == self && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, 1);
}
RASK_SLOTS(outlast_the_first);

static int grow_in_lane(rask_task *t)
{
    return rask_return_node(t, rask_delayed(rask_task_graph(t), outlast_the_first));
}
RASK_SLOTS_WITH(grow_in_lane, (.flags = RASK_IO));

/* When it is known to be at both tasks. */
static void *replace_the_first(void *context)
{
    tracks *s = context;
    while (atomic_load(&s->starts) < 2 && !atomic_load(&s->over))
        sleep_ms(1);
    kill(s->c->pids[0], SIGKILL);
    waitpid(s->c->pids[0], NULL, 0);
    cluster_hire(s->c, 0);
    while (!atomic_load(&s->over)) /* who hires outlives whom it hired */
        sleep_ms(1);
    return NULL;
}

Test(cluster_workers, a_lost_worker_takes_the_numbers_of_its_lanes_and_helpers_with_it)
{
    cluster c;
    tracks s = {.c = &c};
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_delayed(g, grow_in_lane);
    const rask_observer observer = {.size = sizeof observer,
                                    .context = &s,
                                    .task_started = note_start,
                                    .task_finished = note_end,
                                    .worker_changed = note_loss};
    const rask_observer *observers[] = {&observer};
    int64_t answer = 0;
    pthread_t thread;
    cluster_begin(&c, 1, 2);
    rask_options o = on(&c);
    o.observers = observers;
    o.observer_count = 1;
    cr_assert_eq(pthread_create(&thread, NULL, replace_the_first, &s), 0);
    int status = rask_compute_with(node, &o, &answer);
    atomic_store(&s.over, true);
    pthread_join(thread, NULL);
    cr_expect_eq(status, RASK_OK, "%s", rask_graph_error(g));
    cr_expect_eq(answer, 1);
    cr_expect_eq(atomic_load(&s.losses), 1);
    cr_expect_eq(count_running(&s), 0);
    cluster_end(&c);
    rask_graph_free(g);
}
