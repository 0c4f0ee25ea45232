/* Limits that users ask for mean the same on every scheduler: counted things and names, repeated calls, priorities,
 * timeouts. */
#include "core/base/clock.h"
#include "graphs.h"
#include "schedulers/call.h"
#include "schedulers/chaos.h"
#include "setups.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { GRAPHS = 8 };
#else
enum { GRAPHS = 10 };
#endif

enum { GROWING = 7, STEPS = 120, NAMES = 5 };

/* In memory that worker processes share. */
typedef struct counts {
    atomic_uint running[NAMES], most[NAMES], broken, done, calls, begun[8];
    atomic_uint order[STEPS];
} counts;

static counts *counted;

/* What a task takes, and how many there are; "named" is the name of a task. */
static const char *const names[NAMES] = {"gpu", "licence", "disk", "named", "unlimited"};
static const unsigned totals[NAMES] = {1, 3, 2, 2, UINT32_MAX};
#define LIMITS "gpu=1,licence=3, disk = 2 ,named=2,nobody=0"
static unsigned takes[STEPS][NAMES];

static void share_counts(void)
{
    counted = shared_calloc(sizeof *counted);
    unsetenv("RASK_LIMITS");
}

static void forget_counts(void)
{
    memset((void *)counted, 0, sizeof *counted);
}

TestSuite(limits, .init = share_counts, .timeout = 100);

static void take(const unsigned *what)
{
    for (int k = 0; k < NAMES; k++) {
        unsigned now = what[k] ? atomic_fetch_add(&counted->running[k], what[k]) + what[k] : 0;
        unsigned most = atomic_load(&counted->most[k]);
        while (most < now && !atomic_compare_exchange_weak(&counted->most[k], &most, now)) {
        }
    }
}

static void give_back(const unsigned *what)
{
    for (int k = 0; k < NAMES; k++)
        atomic_fetch_sub(&counted->running[k], what[k]);
}

static void must_have_kept_the_limits(void)
{
    for (int k = 0; k < NAMES; k++) {
        cr_expect_leq(atomic_load(&counted->most[k]), totals[k], "%s", names[k]);
        cr_expect_eq(atomic_load(&counted->running[k]), 0, "%s", names[k]);
    }
}

static void spend(int64_t step)
{
    take(takes[step]);
    struct timespec rest = {0, step * 7 % 5 * 20000};
    nanosleep(&rest, NULL);
    give_back(takes[step]);
}

/* Its number, then what it only adds up. */
static int use(rask_task *t)
{
    int64_t step = rask_arg_i64(t, 0), sum = step;
    spend(step);
    for (size_t i = 1; i < rask_arg_count(t); i++)
        sum += rask_arg_i64(t, i);
    atomic_fetch_add(&counted->done, 1);
    return rask_return_i64(t, sum % 1000003);
}
RASK_SLOTS(use);

static int wait_with(rask_task *t)
{
    return use(t);
}
RASK_SLOTS_WITH(wait_with, (.flags = RASK_IO));

static int use_here(rask_task *t)
{
    return use(t);
}
RASK_SLOTS_WITH(use_here, (.flags = RASK_HERE));

static int named(rask_task *t)
{
    return use(t);
}
RASK_SLOTS(named);

/* Tags by chance, in words and in takes[step]. */
static const char *draw_tags(uint64_t *random, unsigned *what)
{
    static const struct {
        const char *text;
        unsigned takes[NAMES];
    } some[] = {{"", {0}},
                {"gpu", {1}},
                {"licence", {0, 1}},
                {"licence:3", {0, 3}},
                {"gpu:1,licence:2", {1, 2}},
                {"disk:2,licence", {0, 1, 2}},
                {" licence, gpu:1 , disk ", {1, 1, 1}}};
    uint32_t k = draw_below(random, 7);
    memcpy(what, some[k].takes, sizeof some[k].takes);
    return some[k].text;
}

static rask_node *add_step(rask_graph *g, uint64_t *random, rask_node **nodes, int64_t *sums, int64_t step)
{
    const rask_task_def *defs[] = {RASK_DEF(use), RASK_DEF(wait_with), RASK_DEF(use_here), RASK_DEF(named)};
    uint32_t kind = draw_below(random, 4), inputs = step ? draw_below(random, 4) : 0;
    rask_arg args[4] = {{.kind = RASK_ARG_I64, .as.i64 = step}};
    sums[step] = step;
    for (uint32_t i = 0; i < inputs; i++) {
        uint32_t from = draw_below(random, (uint32_t)step);
        args[i + 1] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes[from]};
        sums[step] += sums[from];
    }
    sums[step] %= 1000003;
    const char *tags = draw_tags(random, takes[step]);
    takes[step][3] = kind == 3;
    rask_node *node = rask_set_tags(rask_call(g, defs[kind], args, inputs + 1), tags);
    return draw_below(random, 3) ? node : rask_set_priority(node, (int32_t)draw_below(random, 7) - 3);
}

static void compute_drawn_graph(uint64_t seed, rask_options options)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[STEPS];
    rask_value results[STEPS];
    int64_t sums[STEPS], got;
    uint64_t random = seed * 2654435761u + 1;
    for (int64_t step = 0; step < STEPS; step++)
        nodes[step] = add_step(g, &random, nodes, sums, step);
    options.limits = LIMITS;
    forget_counts();
    cr_assert_eq(rask_compute_values(nodes, STEPS, &options, results), RASK_OK, "%s", rask_graph_error(g));
    for (int64_t step = 0; step < STEPS; step++) {
        cr_assert_eq(rask_value_get_i64(&results[step], &got), RASK_OK);
        cr_assert_eq(got, sums[step]);
    }
    cr_expect_eq(atomic_load(&counted->done), STEPS);
    must_have_kept_the_limits();
    rask_graph_free(g);
}

Test(limits, random_graphs_never_take_more_than_there_is_and_all_get_done)
{
    for (size_t i = 0; i < SETUPS; i++)
        for (uint64_t seed = 1; seed <= GRAPHS; seed++)
            compute_drawn_graph(seed, setup(i));
}

/* -- The same, one by one */

/* Every third is cancelled, which those do not feel that others need. */
static void submit_drawn_graph(uint64_t seed, rask_options options, bool cancels)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[STEPS];
    rask_future *futures[STEPS];
    rask_client *client;
    int64_t sums[STEPS], got;
    uint64_t random = seed * 2654435761u + 1;
    options.limits = LIMITS;
    forget_counts();
    for (int64_t step = 0; step < STEPS; step++)
        nodes[step] = add_step(g, &random, nodes, sums, step);
    cr_assert_eq(rask_client_open(&options, &client), RASK_OK); /* its workers know what steps take */
    for (int64_t step = 0; step < STEPS; step++)
        futures[step] = rask_submit(client, nodes[step]);
    for (int64_t step = 0; cancels && step < STEPS; step += 3)
        rask_future_cancel(futures[step]);
    for (int64_t step = 0; step < STEPS; step++) {
        int status = rask_future_get(futures[step], &got);
        cr_assert(!status || (cancels && step % 3 == 0 && status == RASK_ECANCELLED), "%s",
                  rask_future_error(futures[step]));
        cr_assert(status || got == sums[step]);
        rask_future_unref(futures[step]);
    }
    rask_client_close(client);
    cr_expect(cancels || atomic_load(&counted->done) == STEPS);
    must_have_kept_the_limits();
    rask_graph_free(g);
}

Test(limits, what_is_submitted_never_takes_more_than_there_is)
{
    for (size_t i = 0; i < SETUPS; i++)
        for (uint64_t seed = 1; seed <= GRAPHS / 2; seed++)
            submit_drawn_graph(seed, setup(i), false);
}

Test(limits, who_is_cancelled_while_it_waits_for_a_tag_holds_nobody_up)
{
    for (size_t i = 2; i < 5; i++)
        for (uint64_t seed = 1; seed <= GRAPHS; seed++)
            submit_drawn_graph(seed + 50, setup(i), true);
}

/* A client that is closed over tasks that wait for a tag ends them. */
Test(limits, a_client_is_closed_though_tasks_wait_for_a_tag)
{
    for (size_t i = 2; i < 5; i++) {
        rask_options o = setup(i);
        rask_client *client;
        o.limits = "gpu=1";
        cr_assert_eq(rask_client_open(&o, &client), RASK_OK);
        rask_graph *g = rask_graph_new();
        rask_future *futures[STEPS];
        forget_counts();
        memset(takes, 0, sizeof takes);
        for (int64_t k = 0; k < STEPS; k++)
            futures[k] = rask_submit(client, rask_set_tags(rask_delayed(g, use, k), "gpu"));
        rask_client_close(client);
        for (int64_t k = 0; k < STEPS; k++) {
            int status = rask_future_result(futures[k], NULL);
            cr_expect(!status || status == RASK_ECANCELLED, "%s", rask_future_error(futures[k]));
            rask_future_unref(futures[k]);
        }
        rask_graph_free(g);
    }
}

/* Holds what its children take, until it returns them. */
static int grow_users(rask_task *t)
{
    int64_t children = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    rask_node *all[STEPS];
    for (int64_t i = 0; i < children; i++)
        all[i] = rask_set_tags(rask_delayed(g, use, i), "gpu");
    return rask_return_node(t, rask_sum(rask_list(g, all, (size_t)children)));
}
RASK_SLOTS_WITH(grow_users, (.tags = "gpu"));

Test(limits, what_tasks_of_a_client_grow_is_counted_and_a_parent_holds_nothing_back)
{
    for (size_t i = 0; i < 5; i++) {
        rask_options o = setup(i);
        rask_client *client;
        int64_t sum = 0;
        o.limits = "gpu=1";
        cr_assert_eq(rask_client_open(&o, &client), RASK_OK);
        rask_graph *g = rask_graph_new();
        forget_counts();
        for (int k = 0; k < 20; k++)
            memcpy(takes[k], (unsigned[NAMES]){1}, sizeof takes[k]);
        rask_future *future = rask_submit(client, rask_delayed(g, grow_users, 20));
        cr_assert_eq(rask_future_get(future, &sum), RASK_OK, "%s", rask_future_error(future));
        cr_expect_eq(sum, 190);
        cr_expect_eq(atomic_load(&counted->most[0]), 1);
        rask_future_unref(future);
        rask_client_close(client);
        rask_graph_free(g);
    }
}

Test(limits, what_tasks_of_a_run_grow_is_counted_and_a_parent_holds_nothing_back)
{
    for (size_t i = 0; i < GROWING; i++) {
        rask_options o = setup(i);
        int64_t sum = 0;
        o.limits = "gpu=1";
        forget_counts();
        for (int k = 0; k < 20; k++)
            memcpy(takes[k], (unsigned[NAMES]){1}, sizeof takes[k]);
        rask_graph *g = rask_graph_new();
        rask_node *all[5]; /* each takes what the children of the others wait for */
        for (int k = 0; k < 5; k++)
            all[k] = rask_delayed(g, grow_users, 20);
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, all, 5)), &o, &sum), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_expect_eq(sum, 5 * 190);
        cr_expect_eq(atomic_load(&counted->done), 100);
        must_have_kept_the_limits();
        rask_graph_free(g);
    }
}

/* What steps that are grown take, in words. */
static const char *grown_tags[STEPS];

static int grow_steps(rask_task *t);
RASK_SLOTS(grow_steps);

/* (step, first, count): takes what its step takes, and grows so many others, half of them by another that grows. */
static int grow_steps(rask_task *t)
{
    int64_t step = rask_arg_i64(t, 0), first = rask_arg_i64(t, 1), half = rask_arg_i64(t, 2) / 2;
    int64_t others = rask_arg_i64(t, 2) - half;
    rask_graph *g = rask_task_graph(t);
    rask_node *all[STEPS];
    size_t nodes = 0;
    spend(step);
    for (int64_t i = first; i < first + others; i++, nodes++) {
        all[nodes] = takes[i][3] ? rask_delayed(g, named, i) : rask_delayed(g, use, i);
        rask_set_priority(rask_set_tags(all[nodes], grown_tags[i]), (int32_t)(i % 5) - 2);
    }
    if (half)
        all[nodes++] =
            rask_set_tags(rask_delayed(g, grow_steps, step, first + others, half), grown_tags[step]);
    return rask_return_node(t, rask_sum(rask_list(g, all, nodes)));
}

enum { GROWERS = 6, GROWN = (STEPS - 2 * GROWERS) / GROWERS };

/* Of each grower another takes the result, with the same tags: they are one unit. */
static void compute_growing_graph(uint64_t seed, rask_options options)
{
    rask_graph *g = rask_graph_new();
    rask_node *all[GROWERS];
    uint64_t random = seed;
    int64_t sum = 0, expected = 0;
    for (int64_t i = 0; i < STEPS; i++) {
        grown_tags[i] = draw_tags(&random, takes[i]);
        takes[i][3] = i >= 2 * GROWERS && i % 3 == 0;
    }
    for (int64_t k = 0; k < GROWERS; k++) {
        int64_t first = 2 * GROWERS + k * GROWN, behind = GROWERS + k;
        memcpy(takes[behind], takes[k], sizeof takes[k]);
        all[k] = rask_set_tags(rask_delayed(g, grow_steps, k, first, GROWN), grown_tags[k]);
        all[k] = rask_set_tags(rask_delayed(g, use, behind, all[k]), grown_tags[k]);
        expected += behind + GROWN * first + GROWN * (GROWN - 1) / 2;
    }
    options.limits = LIMITS;
    forget_counts();
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, all, GROWERS)), &options, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(sum, expected);
    cr_expect_eq(atomic_load(&counted->done), GROWERS + GROWERS * GROWN);
    must_have_kept_the_limits();
    rask_graph_free(g);
}

Test(limits, graphs_that_grow_never_take_more_than_there_is_and_all_get_done)
{
    for (size_t i = 0; i < GROWING; i++)
        for (uint64_t seed = 1; seed <= GRAPHS; seed++)
            compute_growing_graph(seed, setup(i));
}

Test(limits, what_cannot_be_counted_fails_and_says_why)
{
    rask_client *client = NULL;
    rask_options o = threads(1);
    o.limits = "gpu";
    cr_assert_eq(rask_client_open(&o, &client), RASK_EINVAL);
    o.limits = NULL;
    cr_assert_eq(rask_client_open(&o, &client), RASK_OK);
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_set_tags(rask_delayed(g, use, 0), "gpu");
    rask_future *future = rask_submit(client, node);
    cr_expect_eq(rask_future_result(future, NULL), RASK_EINVAL);
    cr_expect_not_null(strstr(rask_future_error(future), "limits do not say how many"), "%s",
                       rask_future_error(future));
    rask_future_unref(future);
    rask_client_close(client);
    rask_graph_free(g);
}

static int grow_untold(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_set_tags(rask_delayed(g, use, rask_arg_i64(t, 0)), "gpu:2"));
}
RASK_SLOTS(grow_untold);

Test(limits, what_a_run_grows_and_nobody_counts_fails_and_says_why)
{
    static const struct {
        const char *limits, *why;
    } cases[] = {{NULL, "limits do not say how many"}, {"gpu=1", "the limits say that there is 1"}};
    for (size_t i = 0; i < GROWING; i++)
        for (size_t k = 0; k < 2; k++) {
            rask_graph *g = rask_graph_new();
            rask_options o = setup(i);
            int64_t sum;
            o.limits = cases[k].limits;
            cr_expect_eq(rask_compute_with(rask_delayed(g, grow_untold, 3), &o, &sum), RASK_EINVAL);
            cr_expect_not_null(strstr(rask_graph_error(g), cases[k].why), "%s", rask_graph_error(g));
            rask_graph_free(g);
        }
}

#ifdef RASK_WITH_CHAOS
Test(limits, random_graphs_keep_to_limits_with_pauses_at_the_racy_points)
{
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        rk_chaos_seed(seed);
        compute_drawn_graph(seed + 1000, threads(2 + (uint32_t)(seed % 3)));
    }
    rk_chaos_seed(0);
}
#endif

/* All kinds of tasks and values, with failures, and every task behind a limit. */
Test(limits, random_graphs_of_all_kinds_come_to_the_same_with_limits)
{
    for (size_t i = 0; i < SETUPS; i++)
        for (uint64_t seed = 1; seed <= GRAPHS / 2; seed++) {
            random_graph *g = random_graph_new(seed);
            rask_options o = setup(i);
            o.limits = "a=1,b=2,list=1,item=1";
            for (uint32_t step = 0; step < g->count; step++)
                if (g->steps[step].counted && step % 3)
                    rask_set_tags(g->steps[step].node, step % 3 == 1 ? "a" : step % 2 ? "b:2" : "b,a");
            if (seed % 2) {
                random_graph_must_compute(g, o);
            } else {
                random_graph_add_failures(g, 12, GRAPH_FAILS_ALWAYS);
                o.keep_going = seed % 4 == 0;
                rask_report report;
                random_graph_compute_with_failures(g, o, &report);
            }
            random_graph_free(g);
        }
    cr_assert_eq(random_graph_live_customs(), 0);
}

/* What is counted is in use as long as somebody waits for it: all of it, at some time. */
Test(limits, as_many_run_at_once_as_there_are)
{
    for (size_t i = 4; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_node *nodes[60];
        rask_options o = setup(i);
        int64_t sum;
        o.limits = LIMITS;
        forget_counts();
        for (int64_t step = 0; step < 60; step++) {
            memset(takes[step], 0, sizeof takes[step]);
            takes[step][1] = 1;
            rask_arg arg = {.kind = RASK_ARG_I64, .as.i64 = step};
            nodes[step] = rask_set_tags(rask_call(g, RASK_DEF(wait_with), &arg, 1), "licence");
        }
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 60)), &o, &sum), RASK_OK);
        cr_expect_eq(sum, 59 * 30);
        must_have_kept_the_limits();
        rask_graph_free(g);
    }
}

/* A tag is given back before what follows. */

static int64_t hold(int64_t which)
{
    atomic_store(&counted->begun[which], 1);
    return which;
}
RASK_TASK_WITH(hold, (.tags = "gpu"), i64, i64);

/* Until the other one has had its turn, but 20 seconds at most. */
static int64_t wait_for_other(int64_t which)
{
    for (int i = 0; i < 20000 && !atomic_load(&counted->begun[1 - which]); i++)
        sleep_ms(1);
    return atomic_load(&counted->begun[1 - which]);
}
RASK_TASK(wait_for_other, i64, i64);

Test(limits, a_tag_is_not_held_while_what_needs_the_result_runs)
{
    for (size_t i = 3; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        int64_t both;
        o.limits = "gpu=1";
        forget_counts();
        rask_node *a = rask_delayed(g, wait_for_other, rask_delayed(g, hold, 0)),
                  *b = rask_delayed(g, wait_for_other, rask_delayed(g, hold, 1)), *list[] = {a, b};
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, list, 2)), &o, &both), RASK_OK);
        cr_assert_eq(both, 2);
        rask_graph_free(g);
    }
}

/* Mistakes are found before anything runs. */

static int64_t note(int64_t at)
{
    counted->order[atomic_fetch_add(&counted->calls, 1) % STEPS] = (unsigned)at;
    return at;
}
RASK_TASK(note, i64, i64);

static int compute_note(const rask_options *o, const char *tags, const char *expected)
{
    rask_graph *g = rask_graph_new();
    int64_t got;
    rask_node *first = rask_delayed(g, note, 1), *tagged = rask_set_tags(rask_delayed(g, note, 2), tags),
              *list[] = {first, tagged};
    int status = rask_compute_with(rask_sum(rask_list(g, list, 2)), o, &got);
    cr_expect(strstr(rask_graph_error(g), expected), "%s", rask_graph_error(g));
    rask_graph_free(g);
    return status;
}

static const struct {
    const char *limits, *tags, *message;
} mistakes[] = {
    {NULL, "gpu", "task note (node 1, "},
    {NULL, "gpu", "takes 1 of \"gpu\", and the limits do not say how many there are: \"gpu=…\""},
    {"licence=1", "gpu:3", "takes 3 of \"gpu\""},
    {"gpu=2", "gpu:3", "takes 3 of \"gpu\", and the limits say that there are 2"},
    {"gpu=1", "gpu:2", "the limits say that there is 1"},
    {"note=0", "", "takes 1 of \"note\", and the limits say that there are 0"},
    {"gpu", "", "limits: \"gpu\" is no list"},
    {"gpu=", "", "is no list"},
    {"gpu=x", "", "is no list"},
    {"gpu=1 2", "", "is no list"},
    {"=1", "", "is no list"},
    {"gpu=1,", "", "is no list"},
    {"gpu=1,,a=1", "", "is no list"},
    {"gpu=-1", "", "is no list"},
    {"gpu=1000000001", "", "is no list"},
    {"gpu=1,gpu=1", "", "has a name twice"},
};

Test(limits, a_mistake_is_an_error_before_anything_runs)
{
    for (size_t i = 0; i < SETUPS; i++)
        for (size_t k = 0; k < sizeof mistakes / sizeof *mistakes; k++) {
            rask_options o = setup(i);
            o.limits = mistakes[k].limits;
            forget_counts();
            cr_expect_eq(compute_note(&o, mistakes[k].tags, mistakes[k].message), RASK_EINVAL, "%zu", k);
            cr_expect_eq(atomic_load(&counted->calls), 0);
        }
}

Test(limits, too_many_names_or_combinations_are_an_error)
{
    char text[4096] = "";
    rask_options o = threads(2);
    o.limits = text;
    for (int i = 0; i < 33; i++)
        sprintf(text + strlen(text), "%st%d=9", i ? "," : "", i);
    cr_expect_eq(compute_note(&o, "", "has too many names"), RASK_ELIMIT);
    *strrchr(text, ',') = '\0';
    rask_graph *g = rask_graph_new();
    rask_node *nodes[21];
    int64_t sum;
    for (int i = 0; i < 21; i++) {
        char tag[16];
        sprintf(tag, "t%d", i);
        nodes[i] = rask_set_tags(rask_delayed(g, note, i), tag);
    }
    cr_expect_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 20)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(sum, 190);
    o = processes(2);
    o.limits = text;
    cr_expect_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 20)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 21)), &o, &sum), RASK_ELIMIT);
    cr_expect(strstr(rask_graph_error(g), "combinations"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(limits, come_from_the_environment_when_the_options_say_nothing)
{
    rask_options o = RASK_OPTIONS_INIT;
    setenv("RASK_LIMITS", "gpu=2", 1);
    cr_expect_eq(compute_note(&o, "gpu", ""), RASK_OK);
    cr_expect_eq(compute_note(&o, "gpu:3", "there are 2"), RASK_EINVAL);
    o.limits = "gpu=3";
    cr_expect_eq(compute_note(&o, "gpu:3", ""), RASK_OK);
    o.limits = "";
    cr_expect_eq(compute_note(&o, "gpu", "how many there are"), RASK_EINVAL);
}

Test(limits, a_nodes_own_tags_take_the_place_of_its_definitions)
{
    rask_graph *g = rask_graph_new();
    rask_options o = threads(2);
    int64_t got;
    rask_node *node = rask_delayed(g, hold, 0);
    cr_expect_eq(rask_compute_with(node, &o, &got), RASK_EINVAL);
    cr_expect_eq(rask_compute_with(rask_set_tags(node, "licence"), &o, &got), RASK_EINVAL);
    cr_expect(strstr(rask_graph_error(g), "licence"), "%s", rask_graph_error(g));
    cr_expect_eq(rask_compute_with(rask_set_tags(node, ""), &o, &got), RASK_OK);
    cr_expect_eq(rask_compute_with(rask_set_tags(node, NULL), &o, &got), RASK_OK);
    rask_graph_free(g);
}

Test(limits, tags_and_backoffs_that_are_none_are_errors_of_building)
{
    const char *wrong[] = {" ",     ",",  "gpu,",    "gpu:0",     "gpu:",          "gpu:1x",
                           "gpu:x", ":1", "gpu,gpu", "a,b,c,d,e", "gpu:1000000001"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        rask_graph *g = rask_graph_new();
        cr_expect_null(rask_set_tags(rask_delayed(g, note, 1), wrong[i]));
        cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
        cr_expect(strstr(rask_graph_error(g), wrong[i]), "%s", rask_graph_error(g));
        rask_graph_free(g);
        rask_task_def def = *RASK_DEF(note);
        rask_arg arg = {.kind = RASK_ARG_I64, .as.i64 = 1};
        def.tags = wrong[i];
        g = rask_graph_new();
        cr_expect_null(rask_call(g, &def, &arg, 1));
        cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
        rask_graph_free(g);
    }
    rask_graph *g = rask_graph_new();
    cr_expect_null(rask_set_backoff(rask_delayed(g, note, 1), -1));
    cr_expect(strstr(rask_graph_error(g), "backoff"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

/* As a program has it that was built before there were backoffs and tags: what comes behind is none of its fields. */
Test(limits, a_definition_of_an_older_size_takes_nothing_and_waits_for_nothing)
{
    rask_task_def def = *RASK_DEF(note);
    def.size = offsetof(rask_task_def, backoff);
    def.backoff = -7;
    def.tags = "no, tags:";
    def.retry_if = (bool (*)(int, uint32_t))(uintptr_t)1;
    for (size_t i = 0; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        rask_arg arg = {.kind = RASK_ARG_I64, .as.i64 = 5};
        int64_t got;
        o.limits = "note=1";
        cr_expect_eq(rask_compute_with(rask_call(g, &def, &arg, 1), &o, &got), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_expect_eq(got, 5);
        rask_graph_free(g);
    }
    def.size--;
    rask_graph *g = rask_graph_new();
    cr_expect_null(rask_call(g, &def, NULL, 0));
    rask_graph_free(g);
}

/* Priorities. */

static void must_go_by_priority(const int32_t *priority, unsigned from, unsigned count)
{
    for (unsigned k = from + 1; k < count; k++)
        cr_expect_geq(priority[counted->order[k - 1]], priority[counted->order[k]], "call %u", k);
}

enum { RANKED = 40 };

Test(limits, one_worker_runs_tasks_by_their_priorities)
{
    const rask_options alone[] = {setup(0), threads(1), processes(1)};
    for (size_t i = 0; i < 3; i++) {
        rask_graph *g = rask_graph_new();
        rask_node *nodes[RANKED];
        rask_value results[RANKED];
        int32_t priority[RANKED];
        uint64_t random = 17;
        forget_counts();
        for (int k = 0; k < RANKED; k++) {
            priority[k] = (int32_t)draw_below(&random, 9) - 4;
            nodes[k] = rask_set_priority(rask_delayed(g, note, k), priority[k]);
        }
        cr_assert_eq(rask_compute_values(nodes, RANKED, &alone[i], results), RASK_OK);
        cr_assert_eq(atomic_load(&counted->calls), RANKED);
        must_go_by_priority(priority, 0, RANKED);
        rask_graph_free(g);
    }
}

/* Holds what all want until they are said to be ready; the others note themselves. */
static int64_t hold_long(int64_t milliseconds)
{
    sleep_ms(milliseconds);
    return 0;
}
RASK_TASK_WITH(hold_long, (.tags = "gpu", .priority = 100), i64, i64);

static int64_t note_after(int64_t at, const rask_value *value)
{
    (void)value;
    return note(at);
}
RASK_TASK_WITH(note_after, (.tags = "gpu"), i64, i64, value);

Test(limits, of_tasks_that_wait_for_a_tag_the_largest_priority_gets_it)
{
    for (size_t i = 2; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_node *nodes[RANKED + 1];
        rask_value results[RANKED + 1];
        int32_t priority[RANKED];
        uint64_t random = 23;
        rask_options o = setup(i);
        o.limits = "gpu=1";
        forget_counts();
        nodes[RANKED] = rask_delayed(g, hold_long, 200);
        for (int k = 0; k < RANKED; k++) { /* what comes last in the plan is not what is ready last */
            priority[k] = (int32_t)draw_below(&random, 9) - 4;
            nodes[k] = rask_delayed(g, note_after, k, rask_const(g, 0));
            rask_set_priority(nodes[k], priority[k]);
        }
        cr_assert_eq(rask_compute_values(nodes, RANKED + 1, &o, results), RASK_OK, "%s", rask_graph_error(g));
        cr_assert_eq(atomic_load(&counted->calls), RANKED);
        must_go_by_priority(priority, 0, RANKED);
        rask_graph_free(g);
    }
}

/* The same, grown by one task. */
static int grow_ranked(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *nodes[RANKED + 1];
    uint64_t random = 29;
    nodes[RANKED] = rask_delayed(g, hold_long, 150);
    for (int k = 0; k < RANKED; k++) {
        int32_t priority = (int32_t)draw_below(&random, 9) - 4;
        nodes[k] = rask_set_priority(rask_delayed(g, note_after, k, rask_const(g, 0)), priority);
    }
    return rask_return_node(t, rask_list(g, nodes, RANKED + 1));
}
RASK_SLOTS(grow_ranked);

Test(limits, of_grown_tasks_that_wait_for_a_tag_the_largest_priority_gets_it)
{
    for (size_t i = 2; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        int32_t priority[RANKED];
        uint64_t random = 29;
        rask_value result;
        rask_options o = setup(i);
        o.limits = "gpu=1";
        forget_counts();
        for (int k = 0; k < RANKED; k++)
            priority[k] = (int32_t)draw_below(&random, 9) - 4;
        cr_assert_eq(rask_compute_value(rask_delayed(g, grow_ranked), &o, &result), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_assert_eq(atomic_load(&counted->calls), RANKED);
        must_go_by_priority(priority, 0, RANKED);
        rask_value_unref(&result);
        rask_graph_free(g);
    }
}

/* Timeouts. */

static int late_at_first(rask_task *t)
{
    atomic_fetch_add(&counted->calls, 1);
    for (int i = 0; i < 10000 && !rask_task_attempt(t) && !rask_task_cancelled(t); i++)
        sleep_ms(1);
    return rask_return_i64(t, rask_task_attempt(t));
}
RASK_SLOTS_WITH(late_at_first, (.timeout = 0.1, .retries = 9, .backoff = 0.25));

/* The wait alone is longer than the time there is for a call. On a slow machine later ones may be late as well. */
Test(limits, a_call_that_took_too_long_is_repeated_and_waiting_takes_none_of_its_time)
{
    for (size_t i = 0; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        int64_t attempt;
        forget_counts();
        cr_expect_eq(rask_compute_with(rask_delayed(g, late_at_first), &o, &attempt), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_expect_geq(attempt, 1);
        cr_expect_eq(atomic_load(&counted->calls), attempt + 1);
        rask_graph_free(g);
    }
}

static int64_t sleep_for(int64_t milliseconds)
{
    sleep_ms(milliseconds);
    return milliseconds;
}
RASK_TASK(sleep_for, i64, i64);

/* Its call is short, and what it grows takes longer than that may, with the grace of processes. */
static int grow_slowly(rask_task *t)
{
    return rask_return_node(t, rask_delayed(rask_task_graph(t), sleep_for, 900));
}
RASK_SLOTS_WITH(grow_slowly,
                (.timeout = 0.2, .retries = 3)); /* a slow machine may be late, but not for ever */

Test(limits, the_time_of_a_call_is_not_that_of_what_it_grew)
{
    const rask_options ways[] = {threads(2), processes(1)};
    for (size_t i = 0; i < 2; i++) {
        rask_graph *g = rask_graph_new();
        int64_t slept = 0;
        cr_expect_eq(rask_compute_with(rask_delayed(g, grow_slowly), &ways[i], &slept), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_expect_eq(slept, 900);
        rask_graph_free(g);
    }
}

/* The first call of what is grown takes too long. */
static int grow_late(rask_task *t)
{
    return rask_return_node(t, rask_delayed(rask_task_graph(t), late_at_first));
}
RASK_SLOTS(grow_late);

Test(limits, what_a_run_grows_is_repeated_when_it_took_too_long)
{
    const rask_options ways[] = {setup(0), threads(2), processes(1), processes(2)};
    for (size_t i = 0; i < 4; i++) {
        rask_graph *g = rask_graph_new();
        int64_t attempt = 0;
        forget_counts();
        cr_expect_eq(rask_compute_with(rask_delayed(g, grow_late), &ways[i], &attempt), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_expect_geq(attempt, 1);
        cr_expect_eq(atomic_load(&counted->calls), attempt + 1);
        rask_graph_free(g);
    }
}

static int64_t short_turn(int64_t i)
{
    return i;
}
RASK_TASK_WITH(short_turn, (.tags = "gpu", .timeout = 0.6), i64, i64);

/* The turn of the first is longer than the time there is for a call of the others. */
Test(limits, waiting_for_a_tag_takes_none_of_a_calls_time)
{
    for (size_t i = 4; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        rask_node *nodes[5] = {rask_delayed(g, hold_long, 700)};
        int64_t sum;
        o.limits = "gpu=1";
        for (int k = 1; k < 5; k++)
            nodes[k] = rask_delayed(g, short_turn, k);
        cr_expect_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 5)), &o, &sum), RASK_OK, "%s",
                     rask_graph_error(g));
        rask_graph_free(g);
    }
}

/* Ends that come while others wait at the gate. */

static int until_told(rask_task *t)
{
    atomic_fetch_add(&counted->calls, 1);
    for (int i = 0; i < 20000 && !rask_task_cancelled(t); i++)
        sleep_ms(1);
    return rask_return_i64(t, 0);
}
RASK_SLOTS_WITH(until_told, (.tags = "gpu"));

static void compute_waiting(rask_options o, int expected)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[30];
    rask_report report;
    int64_t sum;
    o.limits = "gpu=1";
    o.report = &report;
    for (int k = 0; k < 30; k++)
        nodes[k] = rask_delayed(g, until_told);
    cr_expect_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 30)), &o, &sum), expected, "%s",
                 rask_graph_error(g));
    cr_expect_leq(atomic_load(&counted->calls), 1); /* none: its time was over before */
    cr_expect_eq(report.finished + report.failed + report.skipped, report.tasks);
    rask_graph_free(g);
}

Test(limits, a_run_that_is_out_of_time_or_cancelled_ends_though_tasks_wait_for_a_tag)
{
    for (size_t i = 0; i < SETUPS; i++) {
        rask_options o = setup(i);
        pthread_t thread;
        forget_counts();
        o.timeout = 0.05;
        compute_waiting(o, RASK_ETIMEDOUT);
        forget_counts();
        o.timeout = 0;
        o.cancel = rask_cancel_token_new();
        canceller who = {o.cancel, &counted->calls};
        cr_assert_eq(pthread_create(&thread, NULL, cancel_when_called, &who), 0);
        compute_waiting(o, RASK_ECANCELLED);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        rask_cancel_token_free(o.cancel);
    }
}
