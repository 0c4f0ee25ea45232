/* The coordinator, event by event. tests/simulate has whole runs with everything that may go wrong. */
#include "../failing_allocator.h"
#include "coordinator_support.h"

TestSuite(coordinator, .init = reset);

Test(coordinator, refuses_what_is_no_graph)
{
    task(0, UINT32_MAX);
    cr_expect_eq(make(), RASK_EINVAL, "a task cannot take its own result");
    reset();
    task(UINT32_MAX, UINT32_MAX)->group = 4;
    cr_expect_eq(make(), RASK_EINVAL, "there are four groups");
    reset();
    *task(UINT32_MAX, UINT32_MAX) = (rk_traits){.needs = {{0, 1}}, .need_count = 1};
    cr_expect_eq(make(), RASK_EINVAL, "there are no tags");
    reset();
    task(UINT32_MAX, UINT32_MAX);
    task(0, UINT32_MAX)->source = true;
    cr_expect_eq(make(), RASK_EINVAL, "a source takes nothing");
}

Test(coordinator, ends_an_empty_run_at_once)
{
    begin(1, UINT64_MAX);
    draw();
    expect_end(RASK_OK);
    done();
}

Test(coordinator, runs_in_plan_order_and_drops_what_nobody_needs)
{
    task(UINT32_MAX, UINT32_MAX);
    task(0, UINT32_MAX);
    task(1, UINT32_MAX)->target = true;
    begin(1, UINT64_MAX);
    draw();
    cr_expect_eq(times_said(RK_DO_RUN), 1);
    finish(0);
    cr_expect_null(said(RK_DO_DROP, 0), "task 1 takes it");
    finish(1);
    cr_expect_not_null(said(RK_DO_DROP, 0));
    finish(2);
    cr_expect_not_null(said(RK_DO_DROP, 1));
    expect_end(RASK_OK);
    cr_expect_eq(rk_coordinator_outcome(s.c, 2), RK_FINISHED);
    done();
}

Test(coordinator, gives_many_short_tasks_and_few_long_ones_ahead)
{
    many_tasks(200);
    begin(1, UINT64_MAX);
    draw();
    cr_expect_eq(times_said(RK_DO_RUN), 2, "nothing is known of how long they take");
    rk_instruction first = s.said[0], second = s.said[1];
    finish_as(&first, 0, 100);
    finish_as(&second, 0, 100);
    draw();
    cr_expect_geq(times_said(RK_DO_RUN), 10, "they take less than a message");
    done();
}

Test(coordinator, asks_back_what_waits_behind_a_long_task)
{
    many_tasks(3);
    begin(1, UINT64_MAX);
    draw();
    cr_assert_eq(times_said(RK_DO_RUN), 2);
    rk_instruction second = s.said[1];
    finish_as(&second, 0, 50000000);
    draw();
    cr_assert_not_null(said(RK_DO_RUN, 2));
    rk_instruction third = *said(RK_DO_RUN, 2);
    join(1, (rk_worker_offer){.home = 0, .slots = 1});
    draw();
    cr_assert_not_null(said(RK_DO_RECALL, 2), "the new worker has nothing to do");
    rk_coordinator_recalled(s.c, s.now, third.worker, third.epoch, 2, third.attempt, true);
    draw();
    cr_assert_not_null(said(RK_DO_RUN, 2));
    cr_expect_eq(said(RK_DO_RUN, 2)->worker, s.worker[1]);
    done();
}

/* Home 0 runs what is to be run here, and is never busy with it. */
static void begin_with_only_here(uint32_t homes)
{
    cr_assert_eq(make(), RASK_OK);
    for (uint32_t home = 0; home < homes; home++)
        cr_assert_eq(rk_coordinator_home(s.c, s.now, home, UINT64_MAX), RASK_OK);
    join(0, (rk_worker_offer){.home = 0, .slots = 2, .here = true, .only_here = true});
}

Test(coordinator, what_only_takes_tasks_of_the_program_is_no_place_to_wait_for_others)
{
    task(UINT32_MAX, UINT32_MAX)->here = true;
    task(UINT32_MAX, UINT32_MAX)->here = true;
    task(0, UINT32_MAX);
    task(1, UINT32_MAX);
    begin_with_only_here(3);
    draw();
    rk_instruction checks[] = {*said(RK_DO_RUN, 0), *said(RK_DO_RUN, 1)};
    join(1, (rk_worker_offer){.home = 1, .slots = 1});
    join(2, (rk_worker_offer){.home = 2, .slots = 1});
    for (int i = 0; i < 2; i++) {
        finish_as(&checks[i], 10, 100); /* by what these take nothing is worth a move */
        draw();
        cr_expect_eq(times_said(RK_DO_FETCH), 1, "task %d waits where its input is", i + 2);
    }
    done();
}

Test(coordinator, who_only_takes_tasks_of_the_program_has_nothing_asked_back_for_it)
{
    task(UINT32_MAX, UINT32_MAX)->here = true;
    many_tasks(2);
    begin_with_only_here(2);
    join(1, (rk_worker_offer){.home = 1, .slots = 1});
    draw();
    cr_assert_eq(times_said(RK_DO_RUN), 3);
    finish(0);
    cr_expect_eq(times_said(RK_DO_RECALL), 0);
    s.now += 1000000000;
    rk_coordinator_tick(s.c, s.now);
    draw();
    cr_expect_eq(times_said(RK_DO_RECALL), 0);
    done();
}

/* A task that takes what is in home 1 was sent to wait behind one that turned out to be long. */
Test(coordinator, what_was_given_back_is_moved_and_does_not_wait_there_again)
{
    task(UINT32_MAX, UINT32_MAX);
    task(UINT32_MAX, UINT32_MAX);
    task(0, UINT32_MAX);
    cr_assert_eq(make(), RASK_OK);
    for (uint32_t home = 0; home < 3; home++)
        cr_assert_eq(rk_coordinator_home(s.c, s.now, home, UINT64_MAX), RASK_OK);
    join(1, (rk_worker_offer){.home = 1, .slots = 1});
    draw();
    rk_instruction first = *said(RK_DO_RUN, 0);
    finish_as(&first, 10, 100);
    draw();
    cr_assert_not_null(said(RK_DO_RUN, 2), "there is room behind the second");
    rk_instruction third = *said(RK_DO_RUN, 2);
    join(2, (rk_worker_offer){.home = 2, .slots = 1});
    draw();
    s.now += 1000000;
    rk_coordinator_tick(s.c, s.now);
    draw();
    cr_assert_not_null(said(RK_DO_RECALL, 2));
    rk_coordinator_recalled(s.c, s.now, third.worker, third.epoch, 2, third.attempt, true);
    draw();
    cr_expect_null(said(RK_DO_RUN, 2));
    cr_assert_not_null(said(RK_DO_FETCH, 0), "the other worker has nothing to do");
    cr_expect_eq(said(RK_DO_FETCH, 0)->home, 2);
    done();
}

Test(coordinator, gives_waiting_tasks_lanes_and_no_slots)
{
    task(UINT32_MAX, UINT32_MAX)->io = true;
    task(UINT32_MAX, UINT32_MAX)->io = true;
    task(UINT32_MAX, UINT32_MAX);
    begin(1, UINT64_MAX);
    draw();
    cr_expect_not_null(said(RK_DO_RUN, 0));
    cr_expect_null(said(RK_DO_RUN, 1), "there is one lane");
    cr_expect_not_null(said(RK_DO_RUN, 2));
    done();
}

Test(coordinator, counts_tags_of_workers_and_of_the_run)
{
    const uint32_t counts[2] = {0, 1};
    s.options.tags = 2;
    s.options.tag_counts = counts;
    for (uint32_t i = 0; i < 4; i++) {
        rk_traits *t = task(UINT32_MAX, UINT32_MAX);
        t->needs[0] = (rk_need){i / 2, 1};
        t->need_count = 1;
    }
    cr_assert_eq(make(), RASK_OK);
    cr_assert_eq(rk_coordinator_home(s.c, 0, 0, UINT64_MAX), RASK_OK);
    join(0, (rk_worker_offer){.home = 0, .slots = 4});
    join(1, (rk_worker_offer){.home = 0, .slots = 4, .tags = {1}});
    draw();
    cr_assert_not_null(said(RK_DO_RUN, 0));
    cr_expect_eq(said(RK_DO_RUN, 0)->worker, s.worker[1], "only this one has it");
    cr_expect_null(said(RK_DO_RUN, 1));
    cr_expect_not_null(said(RK_DO_RUN, 2));
    cr_expect_null(said(RK_DO_RUN, 3), "the run has one of it");
    finish(2);
    cr_expect_not_null(said(RK_DO_RUN, 3));
    done();
}

Test(coordinator, lends_tags_and_blames_nobody_who_waits_for_them)
{
    begin_tagged();
    cr_expect_eq(rk_coordinator_borrow(s.c, s.now, 0, 5), 1, "there is one");
    join(0, (rk_worker_offer){.home = 0, .slots = 4});
    draw();
    cr_expect_eq(s.count, 0);
    rk_coordinator_give_back(s.c, s.now, 0, 1);
    draw();
    cr_expect_not_null(said(RK_DO_RUN, 0));
    finish(0);
    finish(1);
    done();
}

Test(coordinator, a_task_that_rests_takes_nothing_and_resumes_with_what_is_borrowed)
{
    begin_tagged();
    join(0, (rk_worker_offer){.home = 0, .slots = 4});
    draw();
    const rk_instruction first = *said(RK_DO_RUN, 0);
    cr_expect_not(rk_coordinator_resumes(s.c, s.now, s.worker[0], s.epoch[0], 0, first.attempt),
                  "it does not rest");
    rk_coordinator_rests(s.c, s.now, s.worker[0], s.epoch[0], 0, first.attempt);
    draw();
    cr_expect_not_null(said(RK_DO_RUN, 1), "it may take what the other gave back");
    finish(1);
    cr_expect_eq(rk_coordinator_borrow(s.c, s.now, 0, 1), 1);
    cr_expect(rk_coordinator_resumes(s.c, s.now, s.worker[0], s.epoch[0], 0, first.attempt));
    cr_expect_eq(rk_coordinator_borrow(s.c, s.now, 0, 1), 0, "it has it again");
    finish_as(&first, 10, 1000000);
    draw();
    done();
}

Test(coordinator, blames_a_task_that_no_worker_can_run)
{
    task(UINT32_MAX, UINT32_MAX)->here = true;
    begin(1, UINT64_MAX);
    draw();
    cr_assert_not_null(said(RK_DO_BLAME, 0));
    cr_expect_eq(said(RK_DO_BLAME, 0)->why, RK_WHY_NO_WORKER);
    expect_end(RASK_EUNSUPPORTED);
    done();
}

Test(coordinator, holds_producers_back_while_their_results_do_not_fit)
{
    many_tasks(4);
    for (uint32_t i = 0; i < 4; i++)
        s.traits[i].result_bytes = 40;
    begin(1, 100);
    join(1, (rk_worker_offer){.home = 0, .slots = 4});
    draw();
    cr_expect_eq(times_said(RK_DO_RUN), 2, "two fit");
    cr_expect_eq(rk_coordinator_get_home(s.c, 0).reserved, 80);
    finish(0);
    cr_expect_eq(times_said(RK_DO_RUN), 1, "nobody takes the result, so there is room again");
    done();
}

static void ask(const rk_instruction *run, uint64_t bytes)
{
    rk_coordinator_asked(s.c, s.now, run->worker, run->epoch, run->task, run->attempt, bytes);
    draw();
}

/* Two tasks of which nobody knows the size, side by side in 100 bytes. */
static void begin_unknown(rk_instruction *runs)
{
    for (int i = 0; i < 2; i++) {
        *task(UINT32_MAX, UINT32_MAX) = (rk_traits){.target = true, .group = (uint32_t)i};
    }
    begin(1, 100);
    join(1, (rk_worker_offer){.home = 0, .slots = 1});
    draw();
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert_not_null(said(RK_DO_RUN, i), "nothing is reserved for them");
        runs[i] = *said(RK_DO_RUN, i);
    }
}

Test(coordinator, grants_what_there_is_and_lets_others_wait_for_it)
{
    rk_instruction runs[2];
    begin_unknown(runs);
    ask(&runs[1], 60);
    cr_expect_eq(said(RK_DO_GRANT, 1)->bytes, 60);
    ask(&runs[0], 60);
    cr_expect_eq(s.count, 0, "the other one will return");
    finish_as(&runs[1], 40, 1000);
    draw();
    cr_expect_eq(said(RK_DO_GRANT, 0)->bytes, 60, "it came out smaller");
    cr_expect_eq(rk_coordinator_get_home(s.c, 0).peak, 100);
    done();
}

Test(coordinator, takes_back_the_last_of_those_who_wait_for_each_other)
{
    rk_instruction runs[2];
    begin_unknown(runs);
    ask(&runs[0], 50);
    ask(&runs[1], 50);
    ask(&runs[0], 70);
    cr_expect_eq(s.count, 0);
    ask(&runs[1], 60);
    cr_assert_not_null(said(RK_DO_RECALL, 1));
    rk_coordinator_recalled(s.c, s.now, runs[1].worker, runs[1].epoch, 1, runs[1].attempt, true);
    draw();
    cr_expect_eq(said(RK_DO_GRANT, 0)->bytes, 70);
    cr_expect_null(said(RK_DO_RUN, 1), "it is known to need 60");
    finish_as(&runs[0], 30, 1000);
    draw();
    cr_expect_eq(said(RK_DO_RUN, 1)->bytes, 60);
    done();
}

Test(coordinator, refuses_what_does_not_fit_even_alone)
{
    rk_instruction runs[2];
    begin_unknown(runs);
    finish_as(&runs[1], 0, 1000);
    draw();
    ask(&runs[0], 101);
    const rk_instruction *refusal = said(RK_DO_REFUSE, 0);
    cr_assert_not_null(refusal);
    cr_expect_eq(refusal->status, RASK_EBUDGET);
    cr_expect_eq(refusal->bytes, 101);
    cr_expect_eq(refusal->budget, 100);
    done();
}

Test(coordinator, puts_on_disk_what_is_needed_last_and_back_before_it_is_used)
{
    task(UINT32_MAX, UINT32_MAX)->result_bytes = 60;
    task(UINT32_MAX, UINT32_MAX)->result_bytes = 30;
    task(1, UINT32_MAX)->result_bytes = 60;
    task(0, UINT32_MAX)->result_bytes = 5;
    s.options.window = 1;
    begin(1, 100);
    draw();
    rk_instruction run = *said(RK_DO_RUN, 0);
    finish_as(&run, 60, 1000);
    draw();
    run = *said(RK_DO_RUN, 1);
    finish_as(&run, 30, 1000);
    draw();
    cr_assert_not_null(said(RK_DO_SPILL, 0), "task 2 does not fit beside it");
    cr_expect_null(said(RK_DO_RUN, 2));
    rk_coordinator_spilled(s.c, s.now, 0, 0, said(RK_DO_SPILL, 0)->attempt, RASK_OK, 60);
    draw();
    run = *said(RK_DO_RUN, 2);
    finish_as(&run, 60, 1000);
    draw();
    cr_assert_not_null(said(RK_DO_LOAD, 0));
    cr_expect_null(said(RK_DO_RUN, 3));
    rk_coordinator_loaded(s.c, s.now, 0, 0, said(RK_DO_LOAD, 0)->attempt, RASK_OK);
    draw();
    run = *said(RK_DO_RUN, 3);
    finish_as(&run, 5, 1000);
    draw();
    expect_end(RASK_OK);
    cr_expect_leq(rk_coordinator_get_home(s.c, 0).peak, 100);
    done();
}

Test(coordinator, blames_what_can_never_fit_with_the_figures)
{
    task(UINT32_MAX, UINT32_MAX)->result_bytes = 60;
    task(0, UINT32_MAX)->result_bytes = 60;
    begin(1, 100);
    draw();
    rk_instruction run = *said(RK_DO_RUN, 0);
    finish_as(&run, 60, 1000);
    draw();
    const rk_instruction *blame = said(RK_DO_BLAME, 1);
    cr_assert_not_null(blame);
    cr_expect(blame->why == RK_WHY_NO_ROOM && blame->bytes == 120 && blame->budget == 100);
    expect_end(RASK_EBUDGET);
    done();
}

Test(coordinator, brings_targets_to_home_0)
{
    task(UINT32_MAX, UINT32_MAX)->target = true;
    cr_assert_eq(make(), RASK_OK);
    cr_assert_eq(rk_coordinator_home(s.c, 0, 0, 100), RASK_OK);
    cr_assert_eq(rk_coordinator_home(s.c, 0, 1, 100), RASK_OK);
    join(1, (rk_worker_offer){.home = 1, .slots = 1});
    draw();
    finish(0);
    const rk_instruction *fetch = said(RK_DO_FETCH, 0);
    cr_assert_not_null(fetch);
    cr_expect(fetch->home == 0 && fetch->from == 1);
    uint32_t first = fetch->attempt;
    rk_coordinator_transferred(s.c, s.now, 0, 0, first, RASK_EIO, 0, 0);
    draw();
    cr_assert_not_null(said(RK_DO_FETCH, 0), "it is tried again");
    rk_instruction again = *said(RK_DO_FETCH, 0);
    rk_coordinator_transferred(s.c, s.now, 0, 0, first, RASK_OK, 10, 1000);
    cr_expect_eq(draw(), 0, "that attempt has failed");
    rk_coordinator_transferred(s.c, s.now, 0, 0, again.attempt, RASK_OK, 10, 1000);
    draw();
    expect_end(RASK_OK);
    done();
}

Test(coordinator, drops_results_of_sources_and_calls_them_again)
{
    task(UINT32_MAX, UINT32_MAX)->source = true;
    task(UINT32_MAX, UINT32_MAX);
    task(0, 1)->target = true;
    s.traits[0].result_bytes = s.traits[2].result_bytes = 30;
    s.traits[1].scratch_bytes = 70;
    s.options.window = 1;
    begin(1, 100);
    draw();
    rk_instruction run = *said(RK_DO_RUN, 0);
    finish_as(&run, 30, 1000);
    draw();
    cr_expect_eq(times_said(RK_DO_SPILL), 0);
    cr_expect_not_null(said(RK_DO_DROP, 0));
    run = *said(RK_DO_RUN, 1);
    finish_as(&run, 10, 1000);
    draw();
    run = *said(RK_DO_RUN, 0);
    finish_as(&run, 30, 1000);
    draw();
    cr_expect_not_null(said(RK_DO_RUN, 2));
    done();
}

Test(coordinator, kills_a_worker_whose_task_is_over_its_time)
{
    *task(UINT32_MAX, UINT32_MAX) = (rk_traits){.timeout_ns = 5000};
    s.options.grace_ns = 500;
    begin(1, UINT64_MAX);
    draw();
    s.now = rk_coordinator_wants_tick(s.c);
    cr_expect_eq(s.now, 5500);
    rk_coordinator_tick(s.c, s.now);
    draw();
    cr_assert_not_null(said(RK_DO_KILL, 0));
    lose(0, RK_NO_TASK, false);
    cr_assert_not_null(said(RK_DO_BLAME, 0));
    cr_expect_eq(said(RK_DO_BLAME, 0)->why, RK_WHY_TIMEOUT);
    expect_end(RASK_ETIMEDOUT);
    done();
}

Test(coordinator, ends_a_cancelled_run_when_what_runs_has_returned)
{
    many_tasks(3);
    begin(1, UINT64_MAX);
    draw();
    rk_instruction first = s.said[0], second = s.said[1];
    rk_coordinator_cancel(s.c, s.now, RASK_ECANCELLED);
    draw();
    cr_assert_eq(s.count, 1);
    cr_expect_eq(s.said[0].kind, RK_DO_RECALL, "what has not begun is asked back");
    rk_coordinator_recalled(s.c, s.now, second.worker, second.epoch, second.task, second.attempt, true);
    cr_expect_eq(draw(), 0);
    finish_as(&first, 10, 1000);
    draw();
    expect_end(RASK_ECANCELLED);
    cr_expect_eq(rk_coordinator_outcome(s.c, 2), RK_NOT_OVER);
    done();
}

Test(coordinator, lets_a_worker_leave_when_it_has_nothing_left_to_do)
{
    many_tasks(3);
    begin(1, UINT64_MAX);
    draw();
    rk_instruction first = s.said[0], second = s.said[1];
    rk_coordinator_leaving(s.c, s.now, s.worker[0], s.epoch[0]);
    draw();
    rk_coordinator_recalled(s.c, s.now, second.worker, second.epoch, second.task, second.attempt, true);
    cr_expect_eq(draw(), 0);
    finish_as(&first, 10, 1000);
    draw();
    cr_expect_eq(times_said(RK_DO_RETIRE), 1);
    cr_expect_eq(times_said(RK_DO_RUN), 0);
    done();
}

Test(coordinator, takes_what_is_needed_out_of_a_home_whose_worker_leaves)
{
    task(UINT32_MAX, UINT32_MAX);
    task(0, UINT32_MAX)->target = true;
    cr_assert_eq(make(), RASK_OK);
    for (uint32_t home = 0; home < 3; home++)
        cr_assert_eq(rk_coordinator_home(s.c, 0, home, UINT64_MAX), RASK_OK);
    join(1, (rk_worker_offer){.home = 1, .slots = 1});
    draw();
    finish(0);
    rk_instruction run = *said(RK_DO_RUN, 1);
    join(2, (rk_worker_offer){.home = 2, .slots = 1});
    rk_coordinator_leaving(s.c, s.now, s.worker[1], s.epoch[1]);
    draw();
    const rk_instruction *fetch = said(RK_DO_FETCH, 0);
    cr_assert(fetch && fetch->home == 2 && fetch->from == 1);
    rk_instruction moved = *fetch;
    rk_coordinator_transferred(s.c, s.now, 2, 0, moved.attempt, RASK_OK, 10, 1000);
    draw();
    cr_expect_null(said(RK_DO_DROP, 0), "the task that runs there takes it");
    cr_expect(!rk_coordinator_get_home(s.c, 1).empty);
    finish_as(&run, 10, 1000);
    draw();
    cr_expect_eq(times_said(RK_DO_RETIRE), 1);
    fetch = said(RK_DO_FETCH, 1);
    cr_assert(fetch && fetch->home == 0, "a target goes where it goes in the end");
    moved = *fetch;
    rk_coordinator_transferred(s.c, s.now, 0, 1, moved.attempt, RASK_OK, 10, 1000);
    draw();
    expect_end(RASK_OK);
    cr_expect_eq(rk_coordinator_get_figures(s.c).recomputed, 0);
    done();
}

Test(coordinator, skips_what_depends_on_a_failure_and_runs_the_rest)
{
    many_tasks(2);
    task(0, UINT32_MAX);
    task(2 | RK_INPUT_ORDER, UINT32_MAX);
    s.traits[1].target = true;
    s.options.keep_going = true;
    begin(1, UINT64_MAX);
    draw();
    rk_instruction run = *said(RK_DO_RUN, 0), other = *said(RK_DO_RUN, 1);
    rk_coordinator_failed(s.c, s.now, run.worker, run.epoch, 0, run.attempt, RASK_ETASK, true);
    finish_as(&other, 10, 1000);
    draw();
    expect_end(RASK_ETASK);
    cr_expect_eq(rk_coordinator_outcome(s.c, 0), RK_FAILED);
    cr_expect_eq(rk_coordinator_outcome(s.c, 1), RK_FINISHED);
    cr_expect_eq(rk_coordinator_outcome(s.c, 2), RK_SKIPPED);
    cr_expect_eq(rk_coordinator_outcome(s.c, 3), RK_SKIPPED);
    done();
}

/* Twelve tasks in two homes, one of which is short of room; whatever is said is done at once. */
static int run_some_tasks(void)
{
    rk_instruction i;
    reset();
    for (uint32_t k = 0; k < 12; k++)
        *task(k > 3 ? k - 4 : UINT32_MAX, k > 4 ? k - 5 : UINT32_MAX) =
            (rk_traits){.sure = true, .result_bytes = 10, .target = k == 11, .retries = 1, .backoff_ns = 1};
    int status = make();
    for (uint32_t home = 0; home < 2 && !status; home++) {
        rk_worker_offer offer = {.home = home, .slots = 1};
        status = rk_coordinator_home(s.c, 0, home, home ? UINT64_MAX : 60);
        if (!status)
            status = rk_coordinator_joined(s.c, 0, &offer, &s.worker[home], &s.epoch[home]);
    }
    bool ended = false;
    while (!status && !ended && rk_coordinator_next(s.c, &i)) {
        bool fails = i.kind == RK_DO_RUN && i.task == 2 && !rk_coordinator_get_figures(s.c).retries;
        s.now += 10;
        if (fails)
            rk_coordinator_failed(s.c, s.now, i.worker, i.epoch, i.task, i.attempt, RASK_ETASK, false);
        else if (i.kind == RK_DO_RUN)
            finish_as(&i, 10, 1000);
        else if (i.kind == RK_DO_FETCH)
            rk_coordinator_transferred(s.c, s.now, i.home, i.task, i.attempt, RASK_OK, 10, 10);
        else if (i.kind == RK_DO_SPILL)
            rk_coordinator_spilled(s.c, s.now, i.home, i.task, i.attempt, RASK_OK, 10);
        else if (i.kind == RK_DO_LOAD)
            rk_coordinator_loaded(s.c, s.now, i.home, i.task, i.attempt, RASK_OK);
        else if (i.kind == RK_DO_END)
            status = i.status;
        ended = i.kind == RK_DO_END;
        rk_coordinator_tick(s.c, s.now);
    }
    rk_coordinator_free(s.c);
    return status || ended ? status : RASK_EINVAL; /* it stands still */
}

Test(coordinator, survives_a_lack_of_memory_anywhere)
{
    sweep(run_some_tasks, 0);
}
