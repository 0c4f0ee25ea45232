/* A stage for tests of the coordinator, event by event: a graph that is written, and what was said last. */
#ifndef RASK_TESTS_COORDINATOR_SUPPORT_H
#define RASK_TESTS_COORDINATOR_SUPPORT_H

#include "schedulers/coordinator/coordinator.h"

#include <criterion/criterion.h>
#include <rask/base.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256 };

/* A graph being written, a coordinator on it, and what it said last. */
typedef struct stage {
    uint32_t tasks, edges;
    uint64_t start[MOST + 1];
    uint32_t inputs[MOST];
    rk_traits traits[MOST];
    rk_coordinator_options options;
    rk_coordinator *c;
    uint64_t now;
    uint32_t worker[8], epoch[8];
    rk_instruction said[MOST];
    uint32_t count;
} stage;

static stage s;

static inline void describe(void *context, uint32_t task, rk_traits *out)
{
    *out = ((const stage *)context)->traits[task];
}

static inline void reset(void)
{
    memset(&s, 0, sizeof s);
    s.options = (rk_coordinator_options){.most_workers = 8, .most_homes = 4, .groups = 4, .latency_ns = 1000};
}

/* A task with up to two inputs, UINT32_MAX: none. */
static inline rk_traits *task(uint32_t a, uint32_t b)
{
    uint32_t number = s.tasks++;
    if (a != UINT32_MAX)
        s.inputs[s.edges++] = a;
    if (b != UINT32_MAX)
        s.inputs[s.edges++] = b;
    s.start[s.tasks] = s.edges;
    s.traits[number] = (rk_traits){.sure = true, .result_bytes = 10};
    return &s.traits[number];
}

static inline void many_tasks(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        task(UINT32_MAX, UINT32_MAX);
}

static inline int make(void)
{
    rk_coordinator_graph graph = {s.tasks, s.start, s.inputs, &s, describe};
    return rk_coordinator_new(&graph, &s.options, &s.c);
}

static inline void join(uint32_t k, rk_worker_offer offer)
{
    cr_assert_eq(rk_coordinator_joined(s.c, s.now, &offer, &s.worker[k], &s.epoch[k]), RASK_OK);
}

/* Homes with a budget each, and one worker with a slot in each home. */
static inline void begin(uint32_t homes, uint64_t budget)
{
    cr_assert_eq(make(), RASK_OK);
    for (uint32_t home = 0; home < homes; home++) {
        cr_assert_eq(rk_coordinator_home(s.c, s.now, home, budget), RASK_OK);
        join(home, (rk_worker_offer){.home = home, .slots = 1, .lanes = 1});
    }
}

/* Draws all that is to be said; how much it was. */
static inline uint32_t draw(void)
{
    s.count = 0;
    while (s.count < MOST && rk_coordinator_next(s.c, &s.said[s.count])) {
        s.count++;
        const char *wrong = rk_coordinator_check(s.c);
        cr_assert_null(wrong, "%s", wrong);
    }
    return s.count;
}

/* What was said of a task, if it is of this kind. */
static inline const rk_instruction *said(rk_instruction_kind kind, uint32_t number)
{
    for (uint32_t i = 0; i < s.count; i++)
        if (s.said[i].kind == kind && s.said[i].task == number)
            return &s.said[i];
    return NULL;
}

static inline uint32_t times_said(rk_instruction_kind kind)
{
    uint32_t times = 0;
    for (uint32_t i = 0; i < s.count; i++)
        times += s.said[i].kind == kind;
    return times;
}

static inline void finish_as(const rk_instruction *run, uint64_t bytes, uint64_t duration_ns)
{
    s.now += 1000;
    rk_coordinator_finished(s.c, s.now, run->worker, run->epoch, run->task, run->attempt, bytes, duration_ns);
}

/* A task that was just said to run returns; what follows is drawn. */
static inline void finish(uint32_t number)
{
    const rk_instruction *run = said(RK_DO_RUN, number);
    cr_assert_not_null(run, "task %u was not said to run", number);
    rk_instruction copy = *run;
    finish_as(&copy, 10, 1000000);
    draw();
}

static inline void lose(uint32_t k, uint32_t culprit, bool home)
{
    rk_coordinator_lost(s.c, s.now, s.worker[k], s.epoch[k], culprit, home);
    draw();
}

static inline void expect_end(int status)
{
    cr_assert_gt(s.count, 0);
    cr_expect_eq(s.said[s.count - 1].kind, RK_DO_END);
    cr_expect_eq(s.said[s.count - 1].status, status);
}

static inline void done(void)
{
    rk_coordinator_free(s.c);
}

/* Two tasks that take all that the run has of a tag, and a worker for both. */
static inline void begin_tagged(void)
{
    static const uint32_t counts[1] = {1};
    s.options.tags = 1;
    s.options.tag_counts = counts;
    for (uint32_t i = 0; i < 2; i++) {
        rk_traits *t = task(UINT32_MAX, UINT32_MAX);
        t->needs[0] = (rk_need){0, 1};
        t->need_count = 1;
    }
    cr_assert_eq(make(), RASK_OK);
    cr_assert_eq(rk_coordinator_home(s.c, 0, 0, UINT64_MAX), RASK_OK);
}

#endif
