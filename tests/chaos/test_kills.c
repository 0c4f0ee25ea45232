/* Workers are killed, stopped and ended by their own tasks at random moments, as a seed says, while random graphs run:
 * the values stay the same, and nothing is left.
 *
 * No run has more than two deaths: a task that three workers died of is blamed, whoever killed them. RASK_CHAOS_KILLS
 * is how many kills a case is to see, RASK_CHAOS_SEED the first seed. */
#include "../schedulers/graphs.h"
#include "../schedulers/leftovers.h"
#include "../schedulers/support.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST_WORKERS = 4, DEATHS = 2, KILLS = 20, SLOW_STOPS = 25 };

/* What the run and its killer share. */
typedef struct hunt {
    atomic_int pids[MOST_WORKERS]; /* 0: nobody has begun */
    atomic_int kills;              /* of this run */
    atomic_bool over;
    uint32_t workers;
    uint64_t random; /* the killer's */
    int planned, signals[DEATHS], pauses_us[DEATHS];
} hunt;

static int begin(void *context, uint32_t worker)
{
    hunt *h = context;
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    atomic_store(&h->pids[worker], getpid());
    return RASK_OK;
}

static void pause_us(int us)
{
    struct timespec rest = {0, us * 1000L};
    nanosleep(&rest, NULL);
}

/* A worker that has begun and was not killed yet; 0: none is to be had before the run is over. */
static pid_t draw_victim(hunt *h)
{
    for (;;) {
        pid_t pid = atomic_exchange(&h->pids[draw_below(&h->random, h->workers)], 0);
        if (pid || atomic_load(&h->over))
            return pid;
        pause_us(20);
    }
}

/* A number may be that of a worker that has just left: the system does not give it to another so soon. */
static void *kill_some(void *context)
{
    hunt *h = context;
    for (int i = 0; i < h->planned; i++) {
        pause_us(h->pauses_us[i]);
        pid_t pid = draw_victim(h);
        if (pid && !kill(pid, h->signals[i]))
            atomic_fetch_add(&h->kills, 1);
    }
    return NULL;
}

/* SIGSTOP is noticed after a second: seldom. */
static int draw_signal(hunt *h)
{
    static const int signals[] = {SIGKILL, SIGKILL, SIGSEGV, SIGABRT, SIGTERM, SIGBUS};
    return draw_below(&h->random, SLOW_STOPS) ? signals[draw_below(&h->random, 6)] : SIGSTOP;
}

static void plan_hunt(hunt *h, uint64_t seed)
{
    h->random = seed * 0x9e3779b97f4a7c15u + 1;
    h->workers = 1 + draw_below(&h->random, MOST_WORKERS);
    h->planned = 1 + (int)draw_below(&h->random, DEATHS);
    for (int i = 0; i < h->planned; i++) {
        h->signals[i] = draw_signal(h);
        h->pauses_us[i] = (int)draw_below(&h->random, 8000);
    }
    for (int i = 0; i < MOST_WORKERS; i++)
        atomic_store(&h->pids[i], 0);
    atomic_store(&h->kills, 0);
    atomic_store(&h->over, false);
}

static rask_options options_of(hunt *h, uint64_t seed)
{
    rask_options o = processes(h->workers);
    o.seed = seed;
    o.inject_delays = 1000000; /* a pause before every call: there is time for a kill */
    o.worker_init = begin;
    o.worker_context = h;
    o.worker_threads = 1 + draw_below(&h->random, 2);
    o.io_lanes = 1 + draw_below(&h->random, 8);
    return o;
}

/* The kills of one run on one graph. */
static int hunt_once(hunt *h, uint64_t seed)
{
    rask_value results[GRAPH_MAX_TARGETS];
    pthread_t killer;
    rask_report report;
    random_graph *g = random_graph_new(seed);
    plan_hunt(h, seed);
    rask_options o = options_of(h, seed);
    o.report = &report;
    cr_assert_eq(pthread_create(&killer, NULL, kill_some, h), 0);
    int status = rask_compute_values(g->targets, g->target_count, &o, results);
    atomic_store(&h->over, true);
    pthread_join(killer, NULL);
    cr_assert_eq(status, RASK_OK, "seed %llu: %s", (unsigned long long)seed, rask_graph_error(g->graph));
    cr_assert(random_graph_equal(g, results), "seed %llu: another result", (unsigned long long)seed);
    cr_assert_eq(report.finished, report.tasks, "seed %llu", (unsigned long long)seed);
    cr_assert_eq(report.live_bytes, 0, "seed %llu", (unsigned long long)seed);
    for (uint32_t i = 0; i < g->target_count; i++)
        rask_value_unref(&results[i]);
    random_graph_free(g);
    return atomic_load(&h->kills);
}

static int64_t from_environment(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoll(text, NULL, 10) : otherwise;
}

static void no_core_files(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

TestSuite(kills, .init = no_core_files);

ParameterizedTestParameters(kills, at_random_moments_change_no_result_and_leave_nothing)
{
    static uint64_t cases[] = {0, 1, 2};
    return cr_make_param_array(uint64_t, cases, 3);
}

ParameterizedTest(uint64_t *number, kills, at_random_moments_change_no_result_and_leave_nothing)
{
    leftovers before = look_around();
    hunt *h = shared_calloc(sizeof *h);
    int64_t wanted = from_environment("RASK_CHAOS_KILLS", KILLS);
    uint64_t seed = (uint64_t)from_environment("RASK_CHAOS_SEED", 1) + *number * 1000000;
    for (int64_t kills = 0; kills < wanted; seed++)
        kills += hunt_once(h, seed);
    shared_free(h, sizeof *h);
    cr_assert_eq(random_graph_live_customs(), 0);
    nothing_is_left_since(before);
}

/* (graph's number, deaths, where they are counted, way): a task that ends its worker a few times, then gives its number. */
static int die_sometimes(rask_task *t)
{
    atomic_int *calls = (atomic_int *)(intptr_t)rask_arg_i64(t, 2);
    if (atomic_fetch_add(calls, 1) >= rask_arg_i64(t, 1))
        return rask_return_i64(t, rask_arg_i64(t, 0));
    switch (rask_arg_i64(t, 3)) {
    case 0: exit(0);
    case 1: _exit(3);
    case 2: kill(getpid(), SIGKILL); break;
    default: abort();
    }
    return RASK_OK;
}
RASK_SLOTS_WITH(die_sometimes, (.result_bytes = 8));

/* Tasks, each of which may end its worker up to twice, in chains and side by side. */
static void run_deadly(uint64_t seed)
{
    enum { TASKS = 30 };
    uint64_t random = seed + 1;
    atomic_int *calls = shared_calloc(TASKS * sizeof *calls);
    rask_graph *g = rask_graph_new();
    rask_node *nodes[TASKS];
    rask_options o = processes(1 + draw_below(&random, MOST_WORKERS));
    int64_t sum = -1;
    for (int i = 0; i < TASKS; i++) {
        int deaths = draw_below(&random, 4) ? 0 : 1 + (int)draw_below(&random, DEATHS);
        nodes[i] =
            rask_delayed(g, die_sometimes, i, deaths, (int64_t)(intptr_t)&calls[i], draw_below(&random, 4));
        if (i && draw_below(&random, 2))
            rask_after(nodes[i], &nodes[draw_below(&random, (uint32_t)i)], 1);
    }
    o.worker_threads = 1 + draw_below(&random, 3);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, TASKS)), &o, &sum), RASK_OK, "seed %llu: %s",
                 (unsigned long long)seed, rask_graph_error(g));
    cr_assert_eq(sum, TASKS * (TASKS - 1) / 2);
    rask_graph_free(g);
    shared_free(calls, TASKS * sizeof *calls);
}

Test(kills, tasks_that_end_their_workers_twice_are_not_blamed_and_nor_are_others)
{
    leftovers before = look_around();
    int64_t runs = from_environment("RASK_CHAOS_KILLS", KILLS) / 4;
    uint64_t seed = (uint64_t)from_environment("RASK_CHAOS_SEED", 1);
    for (int64_t i = 0; i < runs; i++)
        run_deadly(seed + (uint64_t)i);
    nothing_is_left_since(before);
}

/* With this seed workers of several threads end at once, three times in a row, by the first task of a thread. */
Test(kills, a_worker_that_its_first_task_ends_has_come_up)
{
    leftovers before = look_around();
    run_deadly(10);
    nothing_is_left_since(before);
}
