/* The coordinator when workers are lost and when calls fail, event by event: who is blamed, what is made again, and what rests. */
#include "coordinator_support.h"

TestSuite(coordinator_losses, .init = reset);

Test(coordinator_losses, ignores_news_that_come_twice_or_from_a_life_that_is_over)
{
    task(UINT32_MAX, UINT32_MAX)->retries = 2;
    task(0, UINT32_MAX);
    begin(1, UINT64_MAX);
    draw();
    rk_instruction run = *said(RK_DO_RUN, 0);
    for (int i = 0; i < 3; i++) /* one failure, told three times */
        rk_coordinator_failed(s.c, s.now, run.worker, run.epoch, 0, run.attempt, RASK_ETASK, false);
    draw();
    cr_expect_eq(rk_coordinator_get_figures(s.c).retries, 1);
    rk_instruction again = *said(RK_DO_RUN, 0);
    finish_as(&run, 10, 1000);
    draw();
    cr_expect_eq(s.count, 0, "that attempt has failed");
    lose(0, RK_NO_TASK, false);
    finish_as(&again, 10, 1000);
    draw();
    cr_expect_eq(s.count, 0, "the worker is gone");
    join(1, (rk_worker_offer){.home = 0, .slots = 1});
    draw();
    cr_expect_eq(s.worker[1], s.worker[0], "numbers are used again");
    cr_expect_neq(s.epoch[1], s.epoch[0]);
    finish_as(&again, 10, 1000);
    draw();
    cr_expect_eq(s.count, 0, "the same number, but another life");
    done();
}

Test(coordinator_losses, blames_a_task_that_three_workers_died_of)
{
    many_tasks(2);
    s.traits[1].target = true;
    s.options.keep_going = true;
    begin(1, UINT64_MAX);
    draw();
    for (uint32_t k = 0; k < 3; k++) {
        cr_assert_null(said(RK_DO_BLAME, 0));
        rk_coordinator_lost(s.c, s.now, s.worker[0], s.epoch[0], 0, false);
        join(0, (rk_worker_offer){.home = 0, .slots = 1});
        draw();
    }
    cr_assert_not_null(said(RK_DO_BLAME, 0));
    cr_expect_eq(said(RK_DO_BLAME, 0)->why, RK_WHY_DEATHS);
    finish(1);
    expect_end(RASK_ETASK);
    cr_expect_eq(rk_coordinator_outcome(s.c, 1), RK_FINISHED, "only the culprit is blamed");
    done();
}

/* Two tasks in a worker's queue: the second ends it, and the first is taken for it once. */
Test(coordinator_losses, finds_out_which_task_in_a_queue_ends_workers)
{
    many_tasks(2);
    s.options.keep_going = true;
    s.traits[0].target = s.traits[1].target = true;
    begin(1, UINT64_MAX);
    draw();
    cr_assert_eq(times_said(RK_DO_RUN), 2);
    lose(0, RK_NO_TASK, false);
    for (uint32_t k = 0; k < 3; k++) {
        join(0, (rk_worker_offer){.home = 0, .slots = 1});
        draw();
        cr_assert_eq(times_said(RK_DO_RUN), 1, "nothing waits behind a suspect");
        if (!k)
            finish(0);
        cr_assert_not_null(said(RK_DO_RUN, 1));
        lose(0, RK_NO_TASK, false);
    }
    cr_expect_not_null(said(RK_DO_BLAME, 1));
    cr_expect_null(said(RK_DO_BLAME, 0));
    expect_end(RASK_ETASK);
    done();
}

/* A home with a worker, which runs the task and is lost; as the next one. */
static void run_and_lose(uint32_t home, uint32_t number, bool return_first)
{
    cr_assert_eq(rk_coordinator_home(s.c, s.now, home, UINT64_MAX), RASK_OK);
    join(1, (rk_worker_offer){.home = home, .slots = 1});
    draw();
    cr_assert_not_null(said(RK_DO_RUN, number));
    if (return_first)
        finish(number);
    lose(1, return_first ? RK_NO_TASK : number, true);
}

Test(coordinator_losses, blames_no_task_that_has_returned_before)
{
    task(UINT32_MAX, UINT32_MAX)->target = true;
    s.options.most_homes = 8;
    cr_assert_eq(make(), RASK_OK);
    cr_assert_eq(rk_coordinator_home(s.c, 0, 0, UINT64_MAX), RASK_OK);
    run_and_lose(1, 0, true);
    for (uint32_t home = 2; home < 7; home++) {
        run_and_lose(home, 0, false);
        cr_assert_eq(times_said(RK_DO_BLAME), 0);
    }
    done();
}

Test(coordinator_losses, blames_nobody_for_a_copy_whose_home_is_lost)
{
    task(UINT32_MAX, UINT32_MAX)->target = true;
    s.options.most_homes = 8;
    cr_assert_eq(make(), RASK_OK);
    cr_assert_eq(rk_coordinator_home(s.c, 0, 0, UINT64_MAX), RASK_OK);
    for (uint32_t home = 1; home < 7; home++) {
        cr_assert_eq(rk_coordinator_home(s.c, s.now, home, UINT64_MAX), RASK_OK);
        join(1, (rk_worker_offer){.home = home, .slots = 1});
        draw();
        finish(0);
        cr_assert_not_null(said(RK_DO_FETCH, 0));
        rk_instruction fetch = *said(RK_DO_FETCH, 0);
        cr_expect_eq(rk_coordinator_source(s.c, 0, 0), home);
        lose(1, RK_NO_TASK, true);
        cr_expect_eq(rk_coordinator_source(s.c, 0, 0), RK_NO_HOME);
        rk_coordinator_transferred(s.c, s.now, 0, 0, fetch.attempt, RASK_EIO, 0, 0);
        draw();
        cr_assert_eq(times_said(RK_DO_BLAME), 0);
    }
    done();
}

Test(coordinator_losses, recomputes_a_chain_whose_home_is_lost)
{
    task(UINT32_MAX, UINT32_MAX);
    task(0, UINT32_MAX);
    task(1, UINT32_MAX)->target = true;
    cr_assert_eq(make(), RASK_OK);
    cr_assert_eq(rk_coordinator_home(s.c, 0, 0, UINT64_MAX), RASK_OK);
    cr_assert_eq(rk_coordinator_home(s.c, 0, 1, UINT64_MAX), RASK_OK);
    join(1, (rk_worker_offer){.home = 1, .slots = 1});
    draw();
    finish(0);
    finish(1);
    cr_expect_not_null(said(RK_DO_DROP, 0), "nobody needs it any more");
    lose(1, RK_NO_TASK, true);
    join(0, (rk_worker_offer){.home = 0, .slots = 1});
    draw();
    cr_expect_not_null(said(RK_DO_RUN, 0), "but now they do");
    finish(0);
    finish(1);
    finish(2);
    expect_end(RASK_OK);
    cr_expect_eq(rk_coordinator_get_figures(s.c).recomputed, 2);
    done();
}

Test(coordinator_losses, waits_longer_before_each_retry)
{
    *task(UINT32_MAX, UINT32_MAX) = (rk_traits){.retries = 2, .backoff_ns = 1000};
    begin(1, UINT64_MAX);
    draw();
    for (uint64_t rest = 1000; rest <= 2000; rest *= 2) {
        rk_instruction run = *said(RK_DO_RUN, 0);
        rk_coordinator_failed(s.c, s.now, run.worker, run.epoch, 0, run.attempt, RASK_ETASK, false);
        cr_expect_eq(draw(), 0);
        cr_expect_eq(rk_coordinator_wants_tick(s.c), s.now + rest);
        s.now += rest;
        rk_coordinator_tick(s.c, s.now);
        draw();
    }
    rk_instruction run = *said(RK_DO_RUN, 0);
    rk_coordinator_failed(s.c, s.now, run.worker, run.epoch, 0, run.attempt, RASK_ETASK, false);
    draw();
    expect_end(RASK_ETASK);
    done();
}

static void back_off(const rk_instruction *run, uint64_t rest_ns)
{
    cr_expect(
        rk_coordinator_backs_off(s.c, s.now, run->worker, run->epoch, run->task, run->attempt, rest_ns));
}

Test(coordinator_losses, others_run_where_a_task_backs_off)
{
    many_tasks(2);
    s.traits[0].result_bytes = s.traits[1].result_bytes = 100;
    s.traits[0].target = true;
    begin(1, 100);
    draw();
    rk_instruction first = *said(RK_DO_RUN, 0);
    cr_expect_eq(first.tries, 0);
    cr_expect_null(said(RK_DO_RUN, 1), "there is room for one");
    back_off(&first, 5000);
    draw();
    finish(1);
    cr_expect_eq(times_said(RK_DO_RUN), 0);
    cr_expect_eq(rk_coordinator_wants_tick(s.c), 5000);
    cr_expect_not(rk_coordinator_backs_off(s.c, s.now, first.worker, first.epoch, 0, first.attempt, 1),
                  "once is enough");
    s.now = 5000;
    rk_coordinator_tick(s.c, s.now);
    draw();
    cr_assert_not_null(said(RK_DO_RUN, 0));
    cr_expect_eq(said(RK_DO_RUN, 0)->tries, 1);
    cr_expect_eq(rk_coordinator_get_figures(s.c).retries, 1);
    finish(0);
    expect_end(RASK_OK);
    done();
}

Test(coordinator_losses, a_task_that_backs_off_outlives_its_worker)
{
    many_tasks(1);
    s.traits[0].timeout_ns = 100;
    s.traits[0].retries = 2;
    begin(1, UINT64_MAX);
    join(1, (rk_worker_offer){.home = 0, .slots = 1});
    draw();
    rk_instruction run = *said(RK_DO_RUN, 0);
    back_off(&run, UINT64_MAX);
    lose(run.worker, RK_NO_TASK, false);
    cr_expect_eq(s.count, 0);
    cr_expect_lt(rk_coordinator_wants_tick(s.c), UINT64_MAX, "it is not forgotten");
    rk_coordinator_cancel(s.c, s.now, RASK_ECANCELLED);
    draw();
    expect_end(RASK_ECANCELLED);
    cr_expect_eq(rk_coordinator_get_figures(s.c).retries, 0, "it never came to that");
    done();
}

Test(coordinator_losses, a_task_that_backs_off_counts_what_was_tried_before_and_after)
{
    *task(UINT32_MAX, UINT32_MAX) = (rk_traits){.retries = 2, .timeout_ns = 1000};
    begin(1, UINT64_MAX);
    for (uint32_t tries = 0; tries < 2; tries++) {
        draw();
        rk_instruction run = *said(RK_DO_RUN, 0);
        cr_expect_eq(run.tries, tries);
        back_off(&run, 0);
    }
    draw();
    cr_expect_eq(said(RK_DO_RUN, 0)->tries, 2);
    s.now = rk_coordinator_wants_tick(s.c);
    rk_coordinator_tick(s.c, s.now);
    draw();
    cr_assert_not_null(said(RK_DO_KILL, 0));
    lose(0, RK_NO_TASK, false);
    cr_assert_not_null(said(RK_DO_BLAME, 0));
    expect_end(RASK_ETIMEDOUT);
    done();
}

Test(coordinator_losses, a_task_that_backs_off_keeps_tags_of_the_run)
{
    begin_tagged();
    join(0, (rk_worker_offer){.home = 0, .slots = 4});
    draw();
    rk_instruction first = *said(RK_DO_RUN, 0);
    cr_expect_null(said(RK_DO_RUN, 1));
    back_off(&first, 1000);
    cr_expect_eq(draw(), 0);
    cr_expect_eq(rk_coordinator_borrow(s.c, s.now, 0, 1), 0, "it has it");
    s.now += 1000;
    rk_coordinator_tick(s.c, s.now);
    draw();
    cr_assert_not_null(said(RK_DO_RUN, 0));
    finish(0);
    finish(1);
    expect_end(RASK_OK);
    done();
}
