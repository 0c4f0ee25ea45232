/* Large graphs of very short tasks, which one worker may run alone in bursts: a long task among them must not
 * hold the others up, and however a burst is broken, each task runs once and after its predecessors. */
#include "graphs.h"
#include "schedulers/chaos.h"
#include "schedulers/threads.h"
#include "support.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CELLS = 3000, SEEDS = 8, BREAKS = 150, GATHERINGS = 40 };
#else
enum { CELLS = 6000, SEEDS = 24, BREAKS = 300, GATHERINGS = 150 };
#endif

enum { SUCCEEDS, FAILS, CANCELS, MEETS, COMPUTES };

/* A random graph of small sums; all cells are needed. */
typedef struct mesh {
    rask_graph *graph;
    rask_node *total;
    int64_t expected;
    rask_cancel_token *cancel;
    atomic_int arrived; /* cells that meet others and are there */
    struct {
        uint8_t does;
        uint16_t sleep_us;
        atomic_uint calls;
    } cells[CELLS];
} mesh;

static void sleep_us(long us)
{
    struct timespec rest = {0, us * 1000};
    nanosleep(&rest, NULL);
}

/* Until two are there; false after some seconds. */
static bool meet(mesh *m)
{
    atomic_fetch_add(&m->arrived, 1);
    for (int i = 0; i < 8000; i++) {
        if (atomic_load(&m->arrived) >= 2)
            return true;
        sleep_us(1000);
    }
    return false;
}

static int64_t one(int64_t unused)
{
    (void)unused;
    return 1;
}
RASK_TASK(one, i64, i64);

static bool computes_another(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[2000];
    rask_options o = RASK_OPTIONS_INIT;
    int64_t sum = 0;
    o.workers = 2;
    for (int i = 0; i < 2000; i++)
        nodes[i] = rask_delayed(g, one, i);
    bool right = !rask_compute_with(rask_sum(rask_list(g, nodes, 2000)), &o, &sum) && sum == 2000;
    rask_graph_free(g);
    return right;
}

/* (mesh, number of the cell, values…): their sum and its number. */
static int cell(rask_task *t)
{
    mesh *m = (mesh *)(intptr_t)rask_arg_i64(t, 0);
    int64_t number = rask_arg_i64(t, 1);
    uint64_t sum = (uint64_t)number;
    atomic_fetch_add(&m->cells[number].calls, 1);
    for (size_t i = 2; i < rask_arg_count(t); i++)
        sum += (uint64_t)rask_arg_i64(t, i);
    if (m->cells[number].sleep_us)
        sleep_us(m->cells[number].sleep_us);
    switch (m->cells[number].does) {
    case FAILS: return rask_fail(t, RASK_EIO, "drawn to fail");
    case CANCELS: rask_cancel(m->cancel); break;
    case MEETS:
        if (!meet(m))
            return rask_fail(t, RASK_ETIMEDOUT, "the other task did not come");
        break;
    case COMPUTES:
        if (!computes_another())
            return rask_fail(t, RASK_EIO, "another graph failed");
        break;
    default: break;
    }
    return rask_return_i64(t, (int64_t)sum);
}
RASK_SLOTS(cell);

/* While somebody breaks bursts of its run, the total waits: the run must not end before. */
static atomic_bool breaking, at_total;

static int64_t total(const rask_value *cells)
{
    atomic_store(&at_total, true);
    while (atomic_load(&breaking))
        sched_yield();
    const rask_value *items;
    size_t count;
    uint64_t sum = 0;
    if (!rask_value_get_list(cells, &items, &count))
        for (size_t i = 0; i < count; i++)
            sum += (uint64_t)items[i].as.i64;
    return (int64_t)sum;
}
RASK_TASK(total, i64, value);

/* Each cell takes up to three of the reach cells before it. */
static mesh *mesh_new(uint64_t seed, uint32_t reach)
{
    uint64_t random = seed * 0x9e3779b97f4a7c15u + 1, sums[CELLS], whole = 0;
    rask_node *nodes[CELLS];
    mesh *m = calloc(1, sizeof *m);
    m->graph = rask_graph_new();
    for (uint32_t i = 0; i < CELLS; i++) {
        uint32_t count = i ? draw_below(&random, 4) : 0;
        rask_arg args[5] = {RASK_ARG((intptr_t)m), RASK_ARG(i)};
        sums[i] = i;
        for (uint32_t k = 0; k < count; k++) {
            uint32_t from = i - 1 - draw_below(&random, i < reach ? i : reach);
            args[k + 2] = RASK_ARG(nodes[from]);
            sums[i] += sums[from];
        }
        nodes[i] = rask_call(m->graph, RASK_DEF(cell), args, count + 2);
        whole += sums[i];
    }
    m->total = rask_delayed(m->graph, total, rask_list(m->graph, nodes, CELLS));
    m->expected = (int64_t)whole;
    cr_assert_not_null(m->total);
    return m;
}

static void mesh_free(mesh *m)
{
    rask_graph_free(m->graph);
    free(m);
}

/* So many cells, anywhere, do this and take so long. */
static void mesh_mark(mesh *m, uint64_t seed, uint32_t count, uint8_t does, uint16_t us)
{
    uint64_t random = seed + 77;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = draw_below(&random, CELLS);
        m->cells[at].does = does;
        m->cells[at].sleep_us = us;
    }
}

static void must_compute(mesh *m, uint32_t workers)
{
    rask_options o = threads(workers);
    rask_report report;
    int64_t sum = 0;
    o.report = &report;
    for (uint32_t i = 0; i < CELLS; i++)
        atomic_store(&m->cells[i].calls, 0);
    cr_assert_eq(rask_compute_with(m->total, &o, &sum), RASK_OK, "%s", rask_graph_error(m->graph));
    cr_assert_eq(sum, m->expected);
    cr_assert_eq(report.finished, report.tasks);
    for (uint32_t i = 0; i < CELLS; i++)
        cr_assert_eq(atomic_load(&m->cells[i].calls), 1, "cell %u was called %u times", i, m->cells[i].calls);
}

static void seed_chaos(uint64_t seed)
{
#ifdef RASK_WITH_CHAOS
    rk_chaos_seed(seed);
#else
    (void)seed;
#endif
}

static const uint32_t reaches[] = {2, 20, 1000};

Test(burst, short_tasks_alone_are_computed_once_each)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        mesh *m = mesh_new(seed, reaches[seed % 3]);
        must_compute(m, 2);
        must_compute(m, 8);
        mesh_free(m);
    }
}

Test(burst, a_few_long_tasks_among_them_change_nothing)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        mesh *m = mesh_new(seed, reaches[seed % 3]);
        mesh_mark(m, seed, 1 + (uint32_t)seed % 6, SUCCEEDS, 3000);
        must_compute(m, 2);
        must_compute(m, 4);
        mesh_free(m);
    }
}

Test(burst, long_tasks_break_bursts_however_threads_are_delayed)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        mesh *m = mesh_new(seed, reaches[seed % 3]);
        mesh_mark(m, seed, 5, SUCCEEDS, (uint16_t)(1000 * (seed % 8)));
        seed_chaos(seed);
        must_compute(m, 2 + (uint32_t)seed % 3);
        seed_chaos(0);
        mesh_free(m);
    }
}

/* Of all lengths around the time after which a burst is broken, so that some end right then. */
Test(burst, long_tasks_may_end_just_when_their_burst_is_broken)
{
    uint64_t random = 1;
    mesh *m = mesh_new(1, 1000);
    for (uint32_t i = 0; i < BREAKS; i++) {
        uint32_t at = CELLS / 4 + draw_below(&random, CELLS / 8);
        m->cells[at].sleep_us = (uint16_t)(400 + draw_below(&random, 1000));
        must_compute(m, 2);
        m->cells[at].sleep_us = 0;
    }
    mesh_free(m);
}

/* In the sentinel's place, but without waiting: breaks the run's burst after some turns of a loop. */
typedef struct breaker {
    rk_session *session;
    uint32_t turns;
    bool broke;
} breaker;

static void *break_burst(void *context)
{
    breaker *b = context;
    while (!atomic_load(&at_total) && !b->broke) {
        if (rk_load_acquire(&b->session->phase) != RK_BURST)
            continue;
        for (uint32_t i = 0; i < b->turns; i++)
            rk_relax();
        if (rk_pool_end_burst(b->session)) {
            rk_burst_break(b->session);
            b->broke = true;
        }
    }
    atomic_store(&breaking, false);
    return NULL;
}

/* As rask_plan_run() does it, with a breaker; whether it came to break a burst. */
static bool run_broken(mesh *m, rask_plan *plan, uint32_t turns)
{
    rask_options o = threads(2), resolved;
    char reason[256];
    rk_run run;
    void *handle;
    rask_value result;
    pthread_t id;
    cr_assert_eq(rk_options_resolve(&o, &resolved, reason, sizeof reason), RASK_OK);
    cr_assert_eq(rk_run_init(&run, plan, &resolved, rk_threads.name), RASK_OK);
    atomic_store(&at_total, false);
    atomic_store(&breaking, true);
    cr_assert_eq(rk_threads.start(&run, &handle), RASK_OK);
    breaker b = {.session = handle, .turns = turns};
    cr_assert_eq(pthread_create(&id, NULL, break_burst, &b), 0);
    rk_threads.wait(&run, handle);
    pthread_join(id, NULL);
    cr_assert_eq(rk_run_fini(&run, plan, &result), RASK_OK, "%s", rask_plan_error(plan));
    cr_assert_eq(result.as.i64, m->expected);
    return b.broke;
}

Test(burst, a_burst_may_be_broken_between_any_two_tasks)
{
    uint64_t random = 1;
    uint32_t broken = 0;
    mesh *m = mesh_new(1, 1000);
    rask_plan *plan;
    cr_assert_eq(rask_plan_new(&m->total, 1, &plan), RASK_OK);
    for (uint32_t i = 0; i < 2 * BREAKS; i++)
        broken += run_broken(m, plan, draw_below(&random, 2000));
    for (uint32_t i = 0; i < CELLS; i++)
        cr_assert_eq(atomic_load(&m->cells[i].calls), 2 * BREAKS);
    cr_log_info("%u of %u runs were broken", broken, 2 * BREAKS);
    rask_plan_free(plan);
    mesh_free(m);
}

/* Two independent chains of short calls, and between them, far apart in plan order, two tasks that must meet.
 */
Test(burst, two_long_tasks_far_apart_run_together)
{
    for (uint32_t place = CELLS / 8; place < CELLS / 2; place += CELLS / 16) {
        mesh *m = calloc(1, sizeof *m);
        m->graph = rask_graph_new();
        rask_node *nodes[CELLS];
        for (uint32_t i = 0; i < CELLS; i++) {
            rask_arg args[4] = {RASK_ARG((intptr_t)m), RASK_ARG(i)};
            bool chained = i % (CELLS / 2) > 1;
            args[2] = args[3] = chained ? RASK_ARG(nodes[i - 1]) : args[1];
            if (chained)
                args[3] = RASK_ARG(nodes[i - 2]);
            nodes[i] = rask_call(m->graph, RASK_DEF(cell), args, chained ? 4 : 2);
        }
        m->total = rask_delayed(m->graph, total, rask_list(m->graph, nodes, CELLS));
        m->cells[place].does = m->cells[CELLS / 2 + place].does = MEETS;
        rask_options o = threads(2);
        int64_t sum;
        cr_assert_eq(rask_compute_with(m->total, &o, &sum), RASK_OK, "%s", rask_graph_error(m->graph));
        mesh_free(m);
    }
}

/* Independent short tasks, with which gathering begins soon, anywhere: one among them, which may be the owner's
 * last before he gathers, waits for the very last. */
static atomic_bool last_came;

static int64_t step(int64_t waits, int64_t is_last)
{
    if (is_last)
        atomic_store(&last_came, true);
    for (int ms = 0; waits && ms < 8000 && !atomic_load(&last_came); ms++)
        sleep_us(1000);
    return !waits || atomic_load(&last_came);
}
RASK_TASK(step, i64, i64, i64);

static void must_reach_the_last(uint32_t waiting)
{
    enum { STEPS = 3000 };
    rask_graph *g = rask_graph_new();
    rask_node *nodes[STEPS];
    rask_value results[STEPS];
    rask_options o = threads(2);
    atomic_store(&last_came, false);
    for (uint32_t i = 0; i < STEPS; i++)
        nodes[i] = rask_delayed(g, step, i == waiting, i == STEPS - 1);
    cr_assert_eq(rask_compute_values(nodes, STEPS, &o, results), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(results[waiting].as.i64, 1, "task %u kept the others from running", waiting);
    rask_graph_free(g);
}

Test(burst, a_long_task_found_while_gathering_does_not_hold_the_others_up)
{
    for (uint32_t i = 0; i < GATHERINGS; i++)
        must_reach_the_last(40 + 37 * i % 1460);
}

/* On one core with others, the worker in a burst loses it at any place, for long. */
static atomic_bool enough;

static void *spin(void *unused)
{
    while (!atomic_load(&enough)) {
    }
    return unused;
}

static void share_one_core(void)
{
    cpu_set_t all, first;
    CPU_ZERO(&first);
    cr_assert_eq(sched_getaffinity(0, sizeof all, &all), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&first); cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &first);
    cr_assert_eq(sched_setaffinity(0, sizeof first, &first), 0);
}

Test(burst, losing_the_core_in_a_burst_does_no_harm)
{
    pthread_t spinning;
    share_one_core();
    cr_assert_eq(pthread_create(&spinning, NULL, spin, NULL), 0);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        mesh *m = mesh_new(seed, reaches[seed % 3]);
        for (int i = 0; i < 4; i++)
            must_compute(m, 2);
        mesh_free(m);
    }
    atomic_store(&enough, true);
    pthread_join(spinning, NULL);
}

static void *compute_meshes(void *seed)
{
    for (uint64_t i = 0; i < SEEDS / 4; i++) {
        mesh *m = mesh_new((uintptr_t)seed + i, reaches[i % 3]);
        mesh_mark(m, i, 2, SUCCEEDS, 1000);
        must_compute(m, 3);
        mesh_free(m);
    }
    return NULL;
}

Test(burst, several_threads_have_bursts_at_once)
{
    pthread_t ids[4];
    for (uintptr_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&ids[i], NULL, compute_meshes, (void *)(100 * i)), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(ids[i], NULL);
}

Test(burst, tasks_in_a_burst_may_compute_other_graphs)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        mesh *m = mesh_new(seed, reaches[seed % 3]);
        mesh_mark(m, seed, 4, COMPUTES, 0);
        must_compute(m, 2);
        mesh_free(m);
    }
}

/* A run that fails or is cancelled somewhere in it: no cell twice, and the report adds up. */
static void must_end_early(mesh *m, int wanted, bool keep_going)
{
    rask_options o = threads(2);
    rask_report report;
    int64_t sum;
    unsigned calls = 0;
    o.keep_going = keep_going;
    o.cancel = m->cancel;
    o.report = &report;
    cr_assert_eq(rask_compute_with(m->total, &o, &sum), wanted, "%s", rask_graph_error(m->graph));
    for (uint32_t i = 0; i < CELLS; i++) {
        cr_assert_leq(atomic_load(&m->cells[i].calls), 1);
        calls += atomic_load(&m->cells[i].calls);
    }
    cr_assert_eq(report.finished + report.failed, calls);
    cr_assert_eq(report.finished + report.failed + report.skipped, report.tasks);
    cr_assert_eq(report.live_bytes, 0);
}

Test(burst, a_failure_in_a_burst_ends_the_run_whole)
{
    for (uint64_t seed = 0; seed < 2 * SEEDS; seed++) {
        mesh *m = mesh_new(seed, reaches[seed % 3]);
        mesh_mark(m, seed, 3, FAILS, seed % 4 ? 0 : 2000);
        must_end_early(m, RASK_EIO, seed % 2);
        mesh_free(m);
    }
}

Test(burst, a_cancel_in_a_burst_ends_the_run_whole)
{
    for (uint64_t seed = 0; seed < 2 * SEEDS; seed++) {
        mesh *m = mesh_new(seed, reaches[seed % 3]);
        m->cancel = rask_cancel_token_new();
        mesh_mark(m, seed, 1, CANCELS, seed % 4 ? 0 : 2000);
        must_end_early(m, RASK_ECANCELLED, false);
        rask_cancel_token_free(m->cancel);
        mesh_free(m);
    }
}
