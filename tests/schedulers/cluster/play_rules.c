/* Scenes: what a run keeps to: counted things, priorities, its memory. */
#include "play.h"

/* -- Counted things */

static void take(board *b, int what, int count)
{
    int now = atomic_fetch_add(&b->running[what], count) + count, most = atomic_load(&b->most[what]);
    while (most < now && !atomic_compare_exchange_weak(&b->most[what], &most, now)) {
    }
}

enum { GPU, LICENCE };

static void spend(board *b, int64_t number)
{
    if (number % 2)
        take(b, GPU, 1);
    take(b, LICENCE, number % 2 ? 1 : 2);
    sleep_ms(number % 3);
    take(b, LICENCE, number % 2 ? -1 : -2);
    if (number % 2)
        take(b, GPU, -1);
    atomic_fetch_add(&b->counts[0], 1);
}

static const char *tags_of(int64_t number)
{
    return number % 2 ? "gpu,licence" : "licence:2";
}

static int64_t user(int64_t id, int64_t number)
{
    spend(board_at(id), number);
    return number;
}
RASK_TASK(user, i64, i64, i64);

enum { USERS = 10, GROWERS = 6 };

/* (board, number): takes something, and grows others that do. */
static int grow_users(rask_task *t)
{
    int64_t id = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    rask_node *all[USERS];
    spend(board_of(t), rask_arg_i64(t, 1));
    for (int64_t i = 0; i < USERS; i++)
        all[i] = rask_set_tags(rask_delayed(g, user, id, i), tags_of(i));
    return rask_return_node(t, rask_sum(rask_list(g, all, USERS)));
}
RASK_SLOTS(grow_users);

static void never_more_is_taken_than_there_is_by_what_grows_either(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_options o = h->options;
    rask_node *all[GROWERS + USERS];
    o.limits = "gpu=1,licence=3";
    for (int64_t i = 0; i < GROWERS + USERS; i++) {
        all[i] = i < GROWERS ? rask_delayed(g, grow_users, h->id, i) : rask_delayed(g, user, h->id, i);
        rask_set_tags(all[i], tags_of(i));
    }
    int64_t wanted = GROWERS * (USERS * (USERS - 1) / 2);
    for (int64_t i = GROWERS; i < GROWERS + USERS; i++)
        wanted += i;
    cr_assert_eq(play_i64(rask_sum(rask_list(g, all, GROWERS + USERS)), &o), wanted);
    cr_assert_eq(atomic_load(&h->board->counts[0]), GROWERS * (USERS + 1) + USERS);
    cr_assert_leq(atomic_load(&h->board->most[GPU]), 1);
    cr_assert_leq(atomic_load(&h->board->most[LICENCE]), 3);
    cr_assert(!atomic_load(&h->board->running[GPU]) && !atomic_load(&h->board->running[LICENCE]));
    rask_graph_free(g);
}

static void what_cannot_be_counted_is_refused_before_anything_runs(const house *h)
{
    static const struct {
        const char *limits, *tags, *message;
    } mistakes[] = {
        {NULL, "gpu", "takes 1 of \"gpu\", and the limits do not say how many there are"},
        {"gpu=2", "gpu:3", "takes 3 of \"gpu\", and the limits say that there are 2"},
        {"gpu", "", "limits: \"gpu\" is no list"},
        {"gpu=1,gpu=1", "", "has a name twice"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = h->options;
        o.limits = mistakes[i].limits;
        rask_node *node = rask_set_tags(rask_delayed(g, user, h->id, 1), mistakes[i].tags);
        play_failure(node, &o, RASK_EINVAL, WORDS(mistakes[i].message));
        rask_graph_free(g);
    }
    cr_assert_eq(atomic_load(&h->board->counts[0]), 0);
}

/* -- Priorities */

enum { RANKED = 24 };

static int hold(rask_task *t)
{
    sleep_ms(rask_arg_i64(t, 0));
    return rask_return_i64(t, 0);
}
RASK_SLOTS_WITH(hold, (.tags = "gpu", .priority = 100));

static int64_t note(int64_t id, int64_t number)
{
    board_note(board_at(id), number);
    return number;
}
RASK_TASK_WITH(note, (.tags = "gpu"), i64, i64, i64);

static void of_tasks_that_wait_the_largest_priority_is_next(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_node *nodes[RANKED + 1];
    int32_t priority[RANKED];
    uint64_t random = 23;
    rask_options o = h->options;
    o.limits = "gpu=1";
    nodes[RANKED] = rask_delayed(g, hold, 100);
    for (int i = 0; i < RANKED; i++) {
        priority[i] = (int32_t)draw_below(&random, 9) - 4;
        nodes[i] = rask_set_priority(rask_delayed(g, note, h->id, i), priority[i]);
    }
    play_i64(rask_sum(rask_list(g, nodes, RANKED + 1)), &o);
    cr_assert_eq(atomic_load(&h->board->noted), RANKED);
    for (int i = 1; i < RANKED; i++)
        cr_assert_geq(priority[h->board->notes[i - 1]], priority[h->board->notes[i]], "call %d", i);
    rask_graph_free(g);
}

/* -- Memory */

/* More than all workers together may hold: first all are made, then all are taken. */
static void results_beyond_the_budget_go_to_disk_and_come_back(const house *h)
{
    enum { PIECE = 2 << 20, MOST = 64 };
    rask_graph *g = rask_graph_new();
    rask_node *pieces[MOST], *sums[MOST];
    rask_options o = h->options;
    rask_report report;
    bool each = h->has & NEEDS_TRAVEL; /* has the budget for itself */
    int count = (int)((each ? h->workers : 1) * (PLAY_BUDGET / PIECE)) + 12;
    int64_t wanted = 0;
    cr_assert_leq(count, MOST);
    for (int i = 0; i < count; i++) {
        pieces[i] = rask_set_result_bytes(rask_delayed(g, fill, PIECE, i), PIECE + 64);
        wanted += (int64_t)PIECE * i;
    }
    rask_node *last = rask_delayed(g, nap, 0, 0);
    rask_after(last, pieces, (size_t)count);
    for (int i = 0; i < count; i++)
        sums[i] = rask_after(rask_delayed(g, add_up, rask_list(g, &pieces[i], 1)), &last, 1);
    o.report = &report;
    cr_assert_eq(play_i64(rask_sum(rask_list(g, sums, (size_t)count)), &o), wanted);
    cr_assert_gt(report.spilled_bytes, 8 << 20);
    cr_assert_eq(report.live_bytes, 0);
    if (!each)
        cr_assert_leq(report.peak_bytes, PLAY_BUDGET);
    rask_graph_free(g);
}

static void a_result_that_is_larger_than_the_budget_is_an_error_with_the_figures(const house *h)
{
    rask_graph *g = rask_graph_new();
    rask_value result;
    char budget[32];
    snprintf(budget, sizeof budget, "%d", PLAY_BUDGET);
    rask_node *node = rask_delayed(g, fill, PLAY_BUDGET + 1, 1);
    int status = rask_compute_value(node, &h->options, &result);
    cr_assert_eq(status, RASK_EBUDGET, "%d, %s", status, rask_graph_error(g));
    cr_assert(strstr(rask_graph_error(g), "fill") && strstr(rask_graph_error(g), budget), "%s",
              rask_graph_error(g));
    rask_graph_free(g);
}

const scene play_rules[] = {
    {"never more is taken than there is, by what grows either", 0,
     never_more_is_taken_than_there_is_by_what_grows_either},
    {"what cannot be counted is refused before anything runs", 0,
     what_cannot_be_counted_is_refused_before_anything_runs},
    {"of tasks that wait the largest priority is next", NEEDS_TWO,
     of_tasks_that_wait_the_largest_priority_is_next},
    {"results beyond the budget go to disk, and come back", 0,
     results_beyond_the_budget_go_to_disk_and_come_back},
    {"a result that is larger than the budget is an error with the figures", 0,
     a_result_that_is_larger_than_the_budget_is_an_error_with_the_figures},
    {NULL},
};
