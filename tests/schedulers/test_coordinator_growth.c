/* Graphs that grow while a coordinator runs them, event by event. tests/simulate has whole runs with everything that may go
 * wrong. */
#include "core/base/alloc.h"
#include "schedulers/coordinator/coordinator.h"

#include <criterion/criterion.h>
#include <rask/base.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256, MOST_WORKERS = 4, STEP_NS = 1000 };

/* A coordinator on tasks without inputs, and what it said last. */
typedef struct stage {
    rk_coordinator *c;
    uint64_t now;
    uint32_t worker[MOST_WORKERS], epoch[MOST_WORKERS];
    rk_instruction said[MOST];
    uint32_t count;
} stage;

static stage s;

static void describe(void *context, uint32_t task, rk_traits *out)
{
    (void)context;
    (void)task;
    *out = (rk_traits){.sure = true, .result_bytes = 10, .target = true};
}

static int make(uint32_t tasks, uint32_t homes, bool open)
{
    static const uint64_t start[MOST];
    static const uint32_t no_inputs[1];
    rk_coordinator_graph graph = {tasks, start, no_inputs, NULL, describe};
    rk_coordinator_options options = {.most_workers = MOST_WORKERS,
                                      .most_homes = homes,
                                      .groups = 1,
                                      .keep_going = open,
                                      .open = open,
                                      .grace_ns = 100 * STEP_NS,
                                      .latency_ns = STEP_NS,
                                      .tags = 1};
    memset(&s, 0, sizeof s);
    int status = rk_coordinator_new(&graph, &options, &s.c);
    for (uint32_t home = 0; home < homes && !status; home++) {
        rk_worker_offer offer = {.home = home, .slots = 1, .lanes = 1, .tags = {1}};
        status = rk_coordinator_home(s.c, 0, home, UINT64_MAX);
        if (!status)
            status = rk_coordinator_joined(s.c, 0, &offer, &s.worker[home], &s.epoch[home]);
    }
    return status;
}

static uint32_t draw(void)
{
    s.count = 0;
    while (s.count < MOST && rk_coordinator_next(s.c, &s.said[s.count])) {
        s.count++;
        const char *wrong = rk_coordinator_check(s.c);
        cr_assert_null(wrong, "%s", wrong);
    }
    return s.count;
}

static void begin(uint32_t tasks, uint32_t homes, bool open)
{
    cr_assert_eq(make(tasks, homes, open), RASK_OK);
    draw();
}

static const rk_instruction *said(rk_instruction_kind kind, uint32_t number)
{
    for (uint32_t i = 0; i < s.count; i++)
        if (s.said[i].kind == kind && s.said[i].task == number)
            return &s.said[i];
    return NULL;
}

static rk_instruction run_of(uint32_t number)
{
    const rk_instruction *run = said(RK_DO_RUN, number);
    cr_assert_not_null(run, "task %u was not said to run", number);
    return *run;
}

static void finish(const rk_instruction *run)
{
    s.now += STEP_NS;
    rk_coordinator_finished(s.c, s.now, run->worker, run->epoch, run->task, run->attempt, 10, STEP_NS);
}

static int grow(const rk_instruction *run, const rk_growth *growth, uint32_t *numbers)
{
    s.now += STEP_NS;
    return rk_coordinator_grown(s.c, s.now, run->worker, run->epoch, run->task, run->attempt, growth,
                                numbers);
}

static const rk_traits plain = {.sure = true, .result_bytes = 10};
static const rk_traits wanted = {.sure = true, .result_bytes = 10, .target = true};

/* One task that takes another, RK_NO_TASK: none. */
static int submit(uint32_t input, const rk_traits *traits, uint32_t *number)
{
    const uint64_t start[2] = {0, input != RK_NO_TASK};
    const rk_growth one = {1, start, &input, traits, 0};
    s.now += STEP_NS;
    return rk_coordinator_submit(s.c, s.now, &one, number);
}

static void done(void)
{
    rk_coordinator_free(s.c);
    rask_set_allocator(NULL);
}

TestSuite(coordinator_growth, .fini = done);

/* -- Allocations are counted, and fail. */

static long allocations, fail_at = -1;

static bool refuses(void)
{
    return allocations++ == fail_at;
}

static void *counted_alloc(void *context, size_t size)
{
    (void)context;
    return refuses() ? NULL : malloc(size);
}

static void *counted_realloc(void *context, void *at, size_t size)
{
    (void)context;
    return refuses() ? NULL : realloc(at, size);
}

static void plain_free(void *context, void *at)
{
    (void)context;
    free(at);
}

static const rask_allocator counted = {counted_alloc, counted_realloc, plain_free, NULL};

/* -- Constant memory */

Test(coordinator_growth, a_chain_of_a_million_tail_calls_takes_the_place_of_one_task)
{
    static const uint64_t start[2];
    const rk_growth next = {1, start, NULL, &plain, 0};
    long before = 0;
    rk_instruction run;
    cr_assert_eq(rask_set_allocator(&counted), RASK_OK);
    begin(1, 1, false);
    run = run_of(0);
    for (uint32_t i = 0; i < 1000000; i++) {
        uint32_t number = RK_NO_TASK;
        before = i == 10 ? allocations : before;
        cr_assert_eq(grow(&run, &next, &number), RASK_OK);
        cr_assert_eq(number, 0);
        while (rk_coordinator_next(s.c, &s.said[0]))
            run = s.said[0];
        cr_assert(run.kind == RK_DO_RUN && run.grown);
    }
    cr_expect_eq(allocations, before);
    finish(&run);
    draw();
    cr_expect_eq(s.said[s.count - 1].kind, RK_DO_END);
    cr_expect_eq(s.said[s.count - 1].status, RASK_OK);
}

/* Submits, runs, and lets go of so many; the highest number that was given. chain: each takes the one before. */
static uint32_t stream(uint32_t count, bool chain)
{
    uint32_t highest = 0, last = RK_NO_TASK;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number, before = last;
        cr_assert_eq(submit(chain ? last : RK_NO_TASK, &wanted, &number), RASK_OK);
        highest = number > highest ? number : highest;
        last = number;
        if (before != RK_NO_TASK)
            rk_coordinator_unwant(s.c, s.now, before);
        bool told = false;
        for (rk_instruction in; rk_coordinator_next(s.c, &in);) {
            if (in.kind == RK_DO_RUN)
                finish(&in);
            told |= in.kind == RK_DO_DONE && in.task == number && !in.status;
        }
        cr_assert(told);
    }
    return highest;
}

Test(coordinator_growth, a_stream_of_tasks_uses_a_few_numbers_again)
{
    begin(0, 1, true);
    cr_expect_lt(stream(100000, false), 8);
    cr_expect_null(rk_coordinator_check(s.c));
}

Test(coordinator_growth, a_stream_in_which_each_takes_the_one_before_does_not_remember_them_all)
{
    begin(0, 1, true);
    cr_expect_lt(stream(100000, true), 8);
}

/* -- Growth */

/* Two tasks and one that takes both. */
static const uint64_t fork_start[] = {0, 0, 0, 2};
static const uint32_t fork_inputs[] = {0 | RK_INPUT_NEW, 1 | RK_INPUT_NEW};
static const rk_traits fork_traits[3];
static const rk_growth fork_growth = {3, fork_start, fork_inputs, fork_traits, 2};

Test(coordinator_growth, what_a_task_grew_comes_before_what_stands_behind_it_in_the_plan)
{
    uint32_t numbers[3], order[8], count = 0;
    begin(3, 1, false);
    rk_instruction first = run_of(0), next[2] = {run_of(1)};
    cr_assert_eq(s.count, 2, "one runs, one waits with its worker");
    cr_assert_eq(grow(&first, &fork_growth, numbers), RASK_OK);
    cr_expect_eq(numbers[2], 0);
    for (uint32_t k = 0; draw() || k; k = 0) {
        for (uint32_t i = 0; i < s.count; i++)
            if (s.said[i].kind == RK_DO_RUN)
                order[count++] = (next[1] = s.said[i]).task;
        if (s.said[s.count - 1].kind == RK_DO_END)
            break;
        finish(&next[0]);
        next[0] = next[1];
    }
    cr_assert_eq(count, 4);
    cr_expect(order[0] == numbers[0] && order[1] == numbers[1], "task 2 is ready, and comes later");
}

Test(coordinator_growth, news_of_growth_that_come_twice_make_nothing_twice)
{
    uint32_t numbers[3];
    begin(1, 1, false);
    rk_instruction run = run_of(0);
    cr_assert_eq(grow(&run, &fork_growth, numbers), RASK_OK);
    cr_expect_eq(grow(&run, &fork_growth, numbers), RASK_ECANCELLED);
    draw();
    cr_expect_eq(grow(&run, &fork_growth, numbers), RASK_ECANCELLED);
    cr_expect_eq(rk_coordinator_get_figures(s.c).added, 2);
}

Test(coordinator_growth, growth_that_makes_no_sense_changes_nothing)
{
    static const uint64_t start[] = {0, 0, 1};
    static const rk_traits two[2];
    uint32_t numbers[2], words[] = {1 | RK_INPUT_NEW, 0, 1, 77, 5 | RK_INPUT_NEW};
    begin(2, 1, false);
    rk_instruction run = run_of(0);
    for (uint32_t i = 0; i < sizeof words / sizeof *words; i++) {
        const rk_growth bad = {2, start, &words[i], two, 1};
        cr_expect_eq(grow(&run, &bad, numbers), RASK_EINVAL, "input %x", words[i]);
    }
    cr_expect_eq(grow(&run, &(rk_growth){0}, numbers), RASK_EINVAL);
    cr_expect_eq(grow(&run, &(rk_growth){2, (uint64_t[3]){0}, NULL, two, 2}, numbers), RASK_EINVAL);
    cr_expect_eq(rk_coordinator_get_figures(s.c).added, 0);
    finish(&run);
    draw();
    cr_expect_eq(rk_coordinator_outcome(s.c, 0), RK_FINISHED);
}

Test(coordinator_growth, a_result_of_what_a_task_grew_that_is_lost_is_grown_anew)
{
    static const uint64_t start[2];
    const rk_growth next = {1, start, NULL, &plain, 0};
    uint32_t number;
    begin(2, 2, false);
    rk_instruction run = run_of(0), other = run_of(1);
    if (run.worker == s.worker[0]) { /* the one in the home that will be lost */
        rk_instruction swap = run;
        run = other;
        other = swap;
    }
    cr_assert_eq(grow(&run, &next, &number), RASK_OK);
    draw();
    rk_instruction again = run_of(run.task);
    cr_expect(again.grown);
    cr_assert_eq(again.home, 1);
    finish(&again);
    draw();
    rk_coordinator_lost(s.c, s.now, s.worker[1], s.epoch[1], RK_NO_TASK, true);
    finish(&other);
    draw();
    again = run_of(run.task);
    cr_expect_not(again.grown);
}

Test(coordinator_growth, tasks_of_a_new_kind_find_workers_that_were_there_before)
{
    rk_traits tagged = wanted;
    uint32_t number;
    tagged.needs[tagged.need_count++] = (rk_need){0, 1};
    tagged.group = 9;
    begin(0, 1, true);
    cr_assert_eq(submit(RK_NO_TASK, &tagged, &number), RASK_OK);
    draw();
    rk_instruction run = run_of(number);
    finish(&run);
    draw();
    cr_expect_not_null(said(RK_DO_DONE, number));
}

/* -- What nobody needs */

Test(coordinator_growth, a_waiting_task_that_nobody_needs_vanishes_and_what_only_it_takes)
{
    uint32_t busy, first, second;
    begin(0, 1, true);
    cr_assert_eq(submit(RK_NO_TASK, &wanted, &busy), RASK_OK);
    cr_assert_eq(submit(RK_NO_TASK, &wanted, &first), RASK_OK);
    cr_assert_eq(submit(first, &wanted, &second), RASK_OK);
    rk_coordinator_unwant(s.c, s.now, first);
    draw();
    cr_expect_not_null(said(RK_DO_RUN, first), "another takes it");
    rk_coordinator_unwant(s.c, s.now, second);
    draw();
    cr_expect_not_null(said(RK_DO_FORGET, second));
    const rk_instruction *recall = said(RK_DO_RECALL, first);
    cr_assert(recall && recall->ends);
    rk_coordinator_recalled(s.c, s.now, recall->worker, recall->epoch, first, recall->attempt, true);
    draw();
    cr_expect_not_null(said(RK_DO_FORGET, first));
    cr_expect_null(said(RK_DO_RUN, first));
}

Test(coordinator_growth, a_running_task_that_nobody_needs_is_told_to_end_and_killed_after_its_grace)
{
    uint32_t number;
    begin(0, 1, true);
    cr_assert_eq(submit(RK_NO_TASK, &wanted, &number), RASK_OK);
    draw();
    rk_instruction run = run_of(number);
    rk_coordinator_started(s.c, s.now, run.worker, run.epoch, number, run.attempt);
    rk_coordinator_unwant(s.c, s.now, number);
    draw();
    const rk_instruction *recall = said(RK_DO_RECALL, number);
    cr_assert(recall && recall->ends);
    rk_coordinator_recalled(s.c, s.now, run.worker, run.epoch, number, run.attempt, false);
    s.now = rk_coordinator_wants_tick(s.c);
    cr_assert_lt(s.now, UINT64_MAX);
    rk_coordinator_tick(s.c, s.now);
    draw();
    cr_expect_not_null(said(RK_DO_KILL, number));
    rk_coordinator_lost(s.c, s.now, run.worker, run.epoch, RK_NO_TASK, false);
    draw();
    cr_expect_not_null(said(RK_DO_FORGET, number));
    cr_expect_eq(rk_coordinator_get_figures(s.c).failed, 0);
}

Test(coordinator_growth, a_task_that_two_want_stays_until_neither_does)
{
    uint32_t number;
    begin(0, 1, true);
    cr_assert_eq(submit(RK_NO_TASK, &wanted, &number), RASK_OK);
    rk_coordinator_want(s.c, s.now, number);
    draw();
    rk_instruction run = run_of(number);
    rk_coordinator_unwant(s.c, s.now, number);
    finish(&run);
    draw();
    cr_expect_not_null(said(RK_DO_DONE, number));
    cr_expect_null(said(RK_DO_DROP, number));
    rk_coordinator_unwant(s.c, s.now, number);
    draw();
    cr_expect_not_null(said(RK_DO_DROP, number));
    cr_expect_not_null(said(RK_DO_FORGET, number));
    rk_coordinator_close(s.c, s.now);
    draw();
    cr_expect_eq(s.said[s.count - 1].kind, RK_DO_END);
}

/* -- Results that are waited for where there is no room */

/* A result of so many bytes. */
static void finish_with(const rk_instruction *run, uint64_t bytes)
{
    s.now += STEP_NS;
    rk_coordinator_finished(s.c, s.now, run->worker, run->epoch, run->task, run->attempt, bytes, STEP_NS);
    draw();
}

/* Home 0 has 100 bytes and room for two tasks, which come first; what comes next runs in home 1. */
static void begin_with_little_room(void)
{
    const rk_worker_offer offer = {.home = 0, .slots = 1};
    begin(0, 2, true);
    cr_assert_eq(rk_coordinator_home(s.c, s.now, 0, 100), RASK_OK);
    cr_assert_eq(rk_coordinator_joined(s.c, s.now, &offer, &s.worker[2], &s.epoch[2]), RASK_OK);
}

static rk_instruction run_submitted(uint32_t input, const rk_traits *traits, uint32_t *number)
{
    cr_assert_eq(submit(input, traits, number), RASK_OK);
    draw();
    return run_of(*number);
}

/* A source has returned, and its result is on its way to disk: it comes back for who takes it, who finishes. */
static void expect_taken(uint32_t source, uint32_t user)
{
    cr_expect_null(said(RK_DO_DROP, source), "it would be made again, and dropped again");
    cr_assert_not_null(said(RK_DO_SPILL, source), "a result is waited for that has no room");
    rk_coordinator_spilled(s.c, s.now, 0, source, said(RK_DO_SPILL, source)->attempt, RASK_OK, 45);
    draw();
    cr_assert_not_null(said(RK_DO_LOAD, source));
    rk_coordinator_loaded(s.c, s.now, 0, source, said(RK_DO_LOAD, source)->attempt, RASK_OK);
    draw();
    const rk_instruction run = run_of(user);
    finish_with(&run, 10);
}

/* While one of the two returns the other runs: if each were made again at once, that would go on for ever. */
Test(coordinator_growth, sources_that_are_taken_are_not_dropped_for_a_result_that_is_waited_for)
{
    const rk_traits source = {.sure = true, .result_bytes = 45, .target = true, .source = true};
    uint32_t sources[2], users[2], large;
    rk_instruction runs[2];
    begin_with_little_room();
    for (int i = 0; i < 2; i++)
        runs[i] = run_submitted(RK_NO_TASK, &source, &sources[i]);
    rk_instruction other = run_submitted(RK_NO_TASK, &wanted, &large);
    cr_assert(runs[0].home == 0 && runs[1].home == 0 && other.home == 1);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(submit(sources[i], &wanted, &users[i]), RASK_OK);
        rk_coordinator_unwant(s.c, s.now, sources[i]);
    }
    finish_with(&other, 60);
    cr_expect_null(said(RK_DO_FETCH, large), "there are 10 bytes");
    finish_with(&runs[0], 45);
    expect_taken(sources[0], users[0]);
    cr_expect_null(said(RK_DO_FETCH, large), "the other one runs");
    finish_with(&runs[1], 45);
    cr_expect_not_null(said(RK_DO_FETCH, large), "nothing runs, so it comes at the cost of what was made");
}

Test(coordinator_growth, a_result_larger_than_the_budget_is_told_of_while_others_run)
{
    uint32_t running[2], large;
    begin_with_little_room();
    for (int i = 0; i < 2; i++)
        (void)run_submitted(RK_NO_TASK, &wanted, &running[i]);
    const rk_instruction other = run_submitted(RK_NO_TASK, &wanted, &large);
    finish_with(&other, 101);
    const rk_instruction *told = said(RK_DO_DONE, large);
    cr_assert_not_null(told, "it will never fit, whatever home 0 is at");
    cr_expect(told->status == RASK_EBUDGET && told->why == RK_WHY_NO_ROOM);
    cr_expect(told->bytes == 101 && told->budget == 100);
}

/* -- No memory */

/* RASK_OK: all of it went through. */
static int grow_some(void)
{
    uint32_t numbers[3];
    int status = make(1, 1, true), grown = RASK_OK;
    for (rk_instruction in; !status && !grown && rk_coordinator_next(s.c, &in);) {
        bool first = in.kind == RK_DO_RUN && !in.grown && in.task == 0;
        if (first)
            grown = grow(&in, &fork_growth, numbers);
        else if (in.kind == RK_DO_RUN)
            finish(&in);
    }
    for (uint32_t i = 0; i < 100 && !status && !grown; i++)
        grown = submit(RK_NO_TASK, &plain, numbers);
    if (!status && !grown)
        cr_expect_null(rk_coordinator_check(s.c));
    rk_coordinator_free(s.c);
    s.c = NULL;
    return status ? status : grown;
}

Test(coordinator_growth, survives_a_lack_of_memory_anywhere)
{
    cr_assert_eq(rask_set_allocator(&counted), RASK_OK);
    cr_assert_eq(grow_some(), RASK_OK);
    long needed = allocations;
    for (long at = 0; at < needed; at++) {
        allocations = 0;
        fail_at = at;
        int status = grow_some();
        cr_expect(status == RASK_ENOMEM || status == RASK_ECANCELLED, "allocation %ld: %s", at,
                  rask_status_name(status));
    }
}
