/* Scenes: what goes wrong is told with its task and its reason, and hurts only what depends on it. */
#include "play.h"

#include <pthread.h>
#include <sys/stat.h>

static int64_t count_fields(const rask_value *line)
{
    (void)line;
    return 0;
}
RASK_TASK(count_fields, i64, value);

static int64_t total_fields(int64_t fields)
{
    return fields;
}
RASK_TASK(total_fields, i64, i64);

static void a_failure_names_task_label_place_reason_and_who_needed_it(const house *h)
{
    rask_graph *g = rask_graph_new();
    char place[100];
    rask_node *line = rask_set_label(rask_delayed(g, refuse), "line 17 of a.csv");
    snprintf(place, sizeof place, "play_failures.c:%d", __LINE__ - 1);
    play_failure(rask_delayed(g, total_fields, rask_delayed(g, count_fields, line)), &h->options, RASK_EIO,
                 WORDS("task refuse (node 0, line 17 of a.csv", place, "): nothing to read",
                       "needed by count_fields < total_fields"));
    rask_graph_free(g);
}

static void a_run_that_keeps_going_tells_all_failures_in_plan_order(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_node *all[7];
    rask_options o = h->options;
    rask_report report;
    for (int i = 0; i < 7; i++)
        all[i] = i % 2 ? rask_delayed(g, refuse) : rask_delayed(g, total_fields, i);
    o.keep_going = true;
    o.report = &report;
    play_failure(rask_list(g, all, 7), &o, RASK_EIO,
                 WORDS("3 tasks failed", "refuse (node 1", "refuse (node 3", "refuse (node 5"));
    const char *text = rask_graph_error(g);
    cr_assert(strstr(text, "(node 1") < strstr(text, "(node 3") &&
              strstr(text, "(node 3") < strstr(text, "(node 5"));
    cr_assert(report.finished == 4 && report.failed == 3 && report.skipped == 1);
    rask_graph_free(g);
}

/* (board): begins, and fails when observers know that the other has. */
static int fail_behind(rask_task *t)
{
    board *b = board_of(t);
    atomic_store(&b->counts[0], 1);
    for (int i = 0; i < 10000 && !atomic_load(&b->flag); i++)
        sleep_ms(1); /* who asks whether it is cancelled does not fail */
    return rask_fail(t, RASK_EFORMAT, "the second failure");
}
RASK_SLOTS(fail_behind);

static int fail_before(rask_task *t)
{
    while (!atomic_load(&board_of(t)->counts[0]) && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_fail(t, RASK_EIO, "the first failure");
}
RASK_SLOTS(fail_before);

static void hear_first_failure(void *context, const rask_task_info *info)
{
    if (!strcmp(info->name, "fail_before"))
        atomic_store(&((board *)context)->flag, true);
}

static void the_failure_that_ends_a_run_is_the_one_that_is_told(const house *h)
{
    const rask_observer observer = {
        .size = sizeof observer, .context = h->board, .task_finished = hear_first_failure};
    const rask_observer *observers[] = {&observer};
    rask_graph *g = rask_graph_new();
    rask_options o = h->options;
    rask_node *both[2] = {rask_delayed(g, fail_behind, h->id), rask_delayed(g, fail_before, h->id)};
    o.observers = observers;
    o.observer_count = 1;
    play_failure(rask_list(g, both, 2), &o, RASK_EIO, WORDS("task fail_before", "the first failure"));
    rask_graph_free(g);
}

static void after_failures_just_what_needs_them_is_missing(const house *h)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        rask_report report;
        rask_options o = h->options;
        random_graph *g = random_graph_new(seed);
        random_graph_add_failures(g, 12, GRAPH_FAILS_ALWAYS);
        o.keep_going = seed % 2;
        o.retries = seed % 3;
        random_graph_compute_with_failures(g, o, &report);
        random_graph_free(g);
    }
    cr_assert_eq(random_graph_live_customs(), 0);
}

static void what_fails_less_often_than_it_may_be_repeated_succeeds(const house *h)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        rask_options o = h->options;
        random_graph *g = random_graph_new(seed);
        random_graph_add_failures(g, 3, 2);
        o.retries = 2;
        random_graph_must_compute(g, o);
        random_graph_free(g);
    }
}

/* Fails in its first calls, as many as its argument says, and then tells which attempt it was. */
static int stubborn(rask_task *t)
{
    if (rask_task_attempt(t) < rask_arg_i64(t, 0))
        return rask_fail(t, RASK_EIO, "not yet");
    return rask_return_i64(t, rask_task_attempt(t));
}
RASK_SLOTS_WITH(stubborn, (.retries = 2));

static void retries_are_the_larger_of_the_tasks_own_and_the_runs(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_options o = h->options;
    rask_report report;
    o.report = &report;
    cr_assert_eq(play_i64(rask_delayed(g, stubborn, 2), &o), 2);
    cr_assert_eq(report.retries, 2);
    play_failure(rask_delayed(g, stubborn, 3), &o, RASK_EIO, WORDS("task stubborn", "not yet"));
    cr_assert_eq(play_i64(rask_set_retries(rask_delayed(g, stubborn, 3), 3), &o), 3);
    o.retries = 4;
    cr_assert_eq(play_i64(rask_set_retries(rask_delayed(g, stubborn, 4), 0), &o), 4);
    rask_graph_free(g);
}

/* Long enough to be lent. */
static int stubborn_for_long(rask_task *t)
{
    sleep_ms(1);
    return stubborn(t);
}
RASK_SLOTS_WITH(stubborn_for_long, (.retries = 2));

static int grow_stubborn(rask_task *t);
RASK_SLOTS(grow_stubborn);

/* (levels): 6 in each that are called three times, some after a rest. */
static int grow_stubborn(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    int64_t levels = rask_arg_i64(t, 0);
    rask_node *all[7];
    for (int64_t i = 0; i < 6; i++) {
        all[i] = i < 4 ? rask_delayed(g, stubborn_for_long, 2) : rask_delayed(g, stubborn, 2);
        if (i % 2)
            rask_set_backoff(all[i], 0.001);
        if (i % 3 == 2)
            rask_set_timeout(all[i], 100);
    }
    all[6] = levels > 1 ? rask_delayed(g, grow_stubborn, levels - 1) : rask_delayed(g, stubborn, 0);
    return rask_return_node(t, rask_sum(rask_list(g, all, 7)));
}

static void retries_of_what_tasks_grow_are_in_the_report(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_options o = h->options;
    rask_report report;
    rask_node *both[2] = {rask_delayed(g, grow_stubborn, 4), rask_delayed(g, grow_stubborn, 1)};
    o.report = &report;
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(play_i64(rask_sum(rask_list(g, both, 2)), &o), 60);
        cr_assert_eq(report.retries, 60, "%d", (int)report.retries);
    }
    cr_assert_eq(play_i64(rask_delayed(g, total_fields, both[0]), &o), 48);
    cr_assert_eq(report.retries, 48, "%d", (int)report.retries);
    rask_graph_free(g);
}

/* -- Injected */

static void compute_injected(uint64_t seed, rask_options o, char message[1024])
{
    rask_value results[GRAPH_MAX_TARGETS];
    random_graph *g = random_graph_new(seed);
    o.seed = seed;
    o.inject_failures = 100000;
    o.keep_going = true;
    int status = rask_compute_values(g->targets, g->target_count, &o, results);
    snprintf(message, 1024, "%s", rask_graph_error(g->graph));
    for (uint32_t i = 0; !status && i < g->target_count; i++)
        rask_value_unref(&results[i]);
    random_graph_free(g);
}

static void injected_failures_are_drawn_by_task_and_the_same_as_on_threads(const house *h)
{
    char here[1024], there[1024];
    int failed = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        compute_injected(seed, threads(2), here);
        compute_injected(seed, h->options, there);
        cr_assert_str_eq(here, there, "%s, not %s", there, here);
        failed += *here != 0;
    }
    cr_assert_gt(failed, 0);
}

/* -- Wrong uses */

static rask_value make_text(void)
{
    rask_value text;
    if (rask_value_bytes_new("text", 4, &text))
        text = rask_value_none();
    return text;
}
RASK_TASK(make_text, value);

static void a_result_of_the_wrong_type_is_told_by_who_takes_it(const house *h)
{
    rask_graph *g = rask_graph_new();
    play_failure(rask_delayed(g, total_fields, rask_delayed(g, make_text)), &h->options, RASK_ETYPE,
                 WORDS("task total_fields", "argument 0 is bytes, not i64"));
    play_failure(rask_delayed(g, make_text), &h->options, RASK_ETYPE,
                 WORDS("the result of make_text is bytes, not i64"));
    rask_graph_free(g);
}

static void results_stay_untouched_when_the_run_fails_which_spoils_no_later_one(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_node *targets[] = {rask_delayed(g, total_fields, 3), rask_delayed(g, refuse)};
    rask_value results[2] = {rask_value_i64(77), rask_value_i64(78)};
    cr_assert_eq(rask_compute_values(targets, 2, &h->options, results), RASK_EIO);
    cr_assert(results[0].as.i64 == 77 && results[1].as.i64 == 78);
    cr_assert_eq(play_i64(targets[0], &h->options), 3);
    cr_assert_str_eq(rask_graph_error(g), "");
    rask_graph_free(g);
}

static void wrong_options_are_refused_before_anything_runs(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_delayed(g, total_fields, 1);
    rask_options o = h->options;
    rask_value result;
    o.timeout = -1;
    play_failure(node, &o, RASK_EINVAL, WORDS("timeout"));
    o = h->options;
    o.inject_failures = 1;
    play_failure(node, &o, RASK_EINVAL, WORDS("need a seed"));
    o = h->options;
    o.size = 0;
    play_failure(node, &o, RASK_EINVAL, WORDS("RASK_OPTIONS_INIT"));
    cr_assert_eq(rask_compute_values(&node, 1, &h->options, NULL), RASK_EINVAL);
    cr_assert_eq(rask_compute_value(NULL, &h->options, &result), RASK_EGRAPH);
    cr_assert_eq(play_i64(node, &h->options), 1);
    rask_graph_free(g);
}

static void no_destroy(void *data)
{
    (void)data;
}
static const rask_class mute_class = {.name = "mute", .destroy = no_destroy};

static void what_cannot_travel_is_named_with_its_task(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_value mute;
    cr_assert_eq(rask_value_custom_new(&mute_class, g, &mute), RASK_OK);
    play_failure(rask_delayed(g, count_fields, rask_const(g, &mute)), &h->options, RASK_EUNSUPPORTED,
                 WORDS("task count_fields", "class mute: its values cannot go"));
    rask_value_unref(&mute);
    rask_graph_free(g);
}

/* -- Workers that end */

static void a_task_that_crashes_is_blamed_and_others_are_done(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_options o = h->options;
    rask_report report;
    rask_node *all[20];
    for (int i = 0; i < 20; i++)
        all[i] = i == 11 ? rask_delayed(g, crash) : rask_delayed(g, total_fields, i);
    o.keep_going = true;
    o.report = &report;
    play_failure(rask_list(g, all, 20), &o, RASK_EDIED, WORDS("task crash"));
    cr_assert(report.failed == 1 && report.finished == 19, "%u failed, %u finished", report.failed,
              report.finished);
    rask_graph_free(g);
}

/* (board, number): ends its process, by a signal or by leaving, when it is called for the first time. */
static int end_once(rask_task *t)
{
    int64_t number = rask_arg_i64(t, 1);
    if (!atomic_fetch_add(&board_of(t)->counts[number], 1)) {
        signal(SIGSEGV, SIG_DFL);
        if (number % 2)
            _exit(0);
        raise(SIGSEGV);
    }
    return rask_return_i64(t, number);
}
RASK_SLOTS(end_once);

/* While results are under way. */
static void tasks_that_end_their_process_take_no_other_with_them(const house *h)
{
    enum {
        ENDS = 2,
        NAPS = 1000
    }; /* a worker that dies takes news with it, so more would count for tasks before */
    rask_graph *g = rask_graph_new();
    rask_node *ends[ENDS + 1];
    for (int i = 0; i < ENDS; i++)
        ends[i] = rask_delayed(g, end_once, h->id, i);
    ends[ENDS] = sum_of_naps(g, NAPS, 0);
    cr_assert_eq(play_i64(rask_sum(rask_list(g, ends, ENDS + 1)), &h->options), NAPS * (NAPS - 1) / 2 + 1);
    rask_graph_free(g);
}

/* -- Time */

static void a_task_that_does_not_return_in_its_time_is_ended(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_node *node = rask_delayed(g, nap, 60000, 1);
    rask_set_timeout(node, 0.1);
    play_failure(node, &h->options, RASK_ETIMEDOUT, WORDS("task nap"));
    cr_assert_eq(play_i64(sum_of_naps(g, 50, 0), &h->options), 50 * 49 / 2);
    rask_graph_free(g);
}

/* Until it is told to stop; (board, the first attempt that is in time). */
static int wait_for_stop(rask_task *t)
{
    atomic_fetch_add(&board_of(t)->counts[0], 1);
    while (rask_task_attempt(t) < rask_arg_i64(t, 1) && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, rask_task_attempt(t));
}
RASK_SLOTS(wait_for_stop);

static void a_task_over_its_time_fails_or_is_repeated_as_its_retries_say(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_options o = h->options;
    rask_report report;
    o.report = &report;
    rask_node *once = rask_delayed(g, wait_for_stop, h->id, 9),
              *again = rask_delayed(g, wait_for_stop, h->id, 1);
    play_failure(rask_set_timeout(once, 0.05), &o, RASK_ETIMEDOUT, WORDS("task wait_for_stop", "0.05"));
    int64_t attempt = play_i64(rask_set_retries(rask_set_timeout(again, 0.05), 9), &o);
    cr_assert(attempt >= 1); /* more on a slow machine */
    cr_assert_eq(report.retries, (uint64_t)attempt);
    rask_graph_free(g);
}

static void a_run_that_is_out_of_time_ends_when_its_tasks_have_returned(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_options o = h->options;
    rask_node *waits = rask_delayed(g, wait_for_stop, h->id, 9);
    o.timeout = 0.2;
    play_failure(rask_delayed(g, total_fields, waits), &o, RASK_ETIMEDOUT,
                 WORDS("longer than its 0.2 seconds"));
    cr_assert_eq(play_i64(rask_delayed(g, total_fields, 4), &h->options), 4);
    rask_graph_free(g);
}

typedef struct canceller {
    board *board;
    rask_cancel_token *token;
} canceller;

static void *cancel_when_begun(void *context)
{
    const canceller *c = context;
    while (!atomic_load(&c->board->counts[0]))
        sleep_ms(1);
    rask_cancel(c->token);
    return NULL;
}

static void another_thread_cancels_a_run(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_options o = h->options;
    pthread_t thread;
    canceller c = {h->board, rask_cancel_token_new()};
    o.cancel = c.token;
    cr_assert_eq(pthread_create(&thread, NULL, cancel_when_begun, &c), 0);
    play_failure(rask_delayed(g, total_fields, rask_delayed(g, wait_for_stop, h->id, 9)), &o, RASK_ECANCELLED,
                 WORDS("cancelled"));
    pthread_join(thread, NULL);
    atomic_store(&h->board->counts[0], 0);
    play_failure(rask_delayed(g, wait_for_stop, h->id, 0), &o, RASK_ECANCELLED, WORDS("cancelled"));
    cr_assert_eq(atomic_load(&h->board->counts[0]), 0, "it was called");
    rask_cancel_token_free(c.token);
    rask_graph_free(g);
}

const scene play_failures[] = {
    {"a failure names task, label, place, reason and who needed it", 0,
     a_failure_names_task_label_place_reason_and_who_needed_it},
    {"a run that keeps going tells all failures in plan order", 0,
     a_run_that_keeps_going_tells_all_failures_in_plan_order},
    {"after failures just what needs them is missing", 0, after_failures_just_what_needs_them_is_missing},
    {"what fails less often than it may be repeated succeeds", 0,
     what_fails_less_often_than_it_may_be_repeated_succeeds},
    {"the failure that ends a run is the one that is told", NEEDS_TWO,
     the_failure_that_ends_a_run_is_the_one_that_is_told},
    {"retries are the larger of the task's own and the run's", 0,
     retries_are_the_larger_of_the_tasks_own_and_the_runs},
    {"retries of what tasks grow are in the report", 0, retries_of_what_tasks_grow_are_in_the_report},
    {"injected failures are drawn by task, and the same as on threads", 0,
     injected_failures_are_drawn_by_task_and_the_same_as_on_threads},
    {"a result of the wrong type is told by who takes it", 0,
     a_result_of_the_wrong_type_is_told_by_who_takes_it},
    {"results stay untouched when the run fails, which spoils no later one", 0,
     results_stay_untouched_when_the_run_fails_which_spoils_no_later_one},
    {"wrong options are refused before anything runs", 0, wrong_options_are_refused_before_anything_runs},
    {"what cannot travel is named with its task", NEEDS_TRAVEL, what_cannot_travel_is_named_with_its_task},
    {"a task that crashes is blamed, and others are done", NEEDS_OTHERS,
     a_task_that_crashes_is_blamed_and_others_are_done},
    {"tasks that end their process take no other with them", NEEDS_OTHERS,
     tasks_that_end_their_process_take_no_other_with_them},
    {"a task that does not return in its time is ended", NEEDS_OTHERS,
     a_task_that_does_not_return_in_its_time_is_ended},
    {"a task over its time fails, or is repeated, as its retries say", 0,
     a_task_over_its_time_fails_or_is_repeated_as_its_retries_say},
    {"a run that is out of time ends when its tasks have returned", 0,
     a_run_that_is_out_of_time_ends_when_its_tasks_have_returned},
    {"another thread cancels a run", 0, another_thread_cancels_a_run},
    {NULL},
};
