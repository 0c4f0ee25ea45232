/* Calls that shops lend each other, in one process: what is said goes from one to the other at once, as the program would have it. */
#include "../support.h"
#include "core/base/clock.h"
#include "core/plan/plan.h"
#include "schedulers/cluster/lent.h"
#include "schedulers/cluster/loans.h"
#include "schedulers/scheduler.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SIDES = 2, MOST_THREADS = 2, MOST_SAID = 4096, FIRST = 100 };

typedef struct side {
    struct stage *stage;
    int number; /* tasks see FIRST times that, and more */
    rk_shop *shop;
    rk_loans *loans;
    bool spare;
    uint32_t idle;  /* threads that wait for what is lent */
    uint32_t asked; /* calls that are to come from there, and have not */
    uint32_t out;   /* and that are at the other's */
    uint32_t told;  /* calls of meet() that ended there, as observers see them */
} side;

typedef struct stage {
    rask_graph *graph;
    rask_plan *plan;
    rk_run *model;
    side sides[SIDES];
    uint32_t threads, numbered, lent, held, gives;
    uint32_t retries; /* calls repeated, as is said of what was lent */
    bool holds;       /* nobody is told of objects that are given back, nor lets go of them */
    bool observed;
} stage;

static atomic_int seen[SIDES], refusals, losses; /* losses: so many of the next calls are lost on their way */

/* -- What is said */

static side *other_of(const side *s)
{
    return &s->stage->sides[1 - s->number];
}

static void say(void *context, rk_message m)
{
    side *s = context, *other = other_of(s);
    switch (m.kind) {
    case RK_SAY_SPARE: s->spare = m.flag; break;
    case RK_SAY_IDLE: s->idle = m.threads; break;
    case RK_SAY_KEEPS:
        s->asked--;
        s->spare = false;
        break;
    case RK_SAY_LENT:
        s->asked--;
        s->out++;
        s->stage->lent++;
        m.kind = RK_SAY_TAKE;
        if (atomic_load(&losses)) {
            s->out--;
            m = (rk_message){.kind = RK_SAY_BACK, .unit = m.unit, .flag = RK_LENT_LOST};
            rk_loans_hear(s->loans, &m);
            atomic_fetch_sub(&losses, 1);
        } else {
            rk_loans_hear(other->loans, &m);
        }
        break;
    case RK_SAY_GIVES:
        s->stage->gives++;
        s->stage->retries += m.retries;
        if (s->stage->holds && !m.blob.len && !m.flag) {
            s->stage->held++;
            break;
        }
        other->out -= other->out > 0;
        m.kind = RK_SAY_BACK;
        rk_loans_hear(other->loans, &m);
        break;
    case RK_SAY_LET_GO:
        if (!s->stage->holds)
            rk_loans_hear(other->loans, &m);
        break;
    default: break;
    }
}

static void pull(void *context, uint32_t number, uint64_t size, rask_bytes contact)
{
    side *s = context;
    uint64_t total = 0;
    const char *bytes = rk_loans_object(other_of(s)->loans, number, 0, size, &total);
    rk_fetch f = {.unit = number, .size = size, .status = bytes ? RASK_OK : RASK_EIO};
    (void)contact;
    if (bytes) {
        cr_assert_eq(total, size);
        f.into = rk_strndup(bytes, size);
    }
    rk_loans_pulled(s->loans, &f);
    rk_free(f.into);
}

static void hear_grown(void *context, const rk_grown_news *news)
{
    side *s = context;
    bool is_meet = !strcmp(news->info.name, "meet");
    cr_expect_eq(news->info.worker / FIRST, (uint32_t)s->number);
    cr_expect_eq(news->info.grown_by, 0);
    s->told += is_meet && news->event == RK_GROWN_ENDED;
}

static void tell(void *context)
{
    rk_shop_tell_grown_begun(((side *)context)->shop, hear_grown, context);
    rk_shop_tell_grown(((side *)context)->shop, hear_grown, context);
}

static void nothing(void *context)
{
    (void)context;
}

/* -- The stage */

static void open_side(stage *st, int number, uint32_t threads)
{
    side *s = &st->sides[number];
    *s = (side){.stage = st, .number = number};
    rk_shop_setup shop = {.model = st->model,
                          .threads = threads,
                          .first_worker = (uint32_t)(FIRST * number),
                          .shares = true,
                          .observed = st->observed,
                          .wake = nothing,
                          .context = s};
    cr_assert_eq(rk_shop_new(&shop, &s->shop), RASK_OK);
    rk_loans_setup loans = {
        .shop = s->shop, .say = say, .pull = pull, .tell = tell, .wake = nothing, .context = s};
    cr_assert_not_null(s->loans = rk_loans_new(&loans));
}

static void stage_open_as(stage *st, rask_graph *g, rask_node *node, uint32_t threads, bool observed)
{
    char reason[256];
    rask_options o = RASK_OPTIONS_INIT, resolved;
    o.scheduler = "threads";
    o.workers = threads;
    *st = (stage){.graph = g, .threads = threads, .observed = observed};
    cr_assert_eq(rk_options_resolve(&o, &resolved, reason, sizeof reason), RASK_OK, "%s", reason);
    cr_assert_eq(rask_plan_new(&node, 1, &st->plan), RASK_OK);
    cr_assert_not_null(st->model = calloc(1, sizeof *st->model));
    cr_assert_eq(rk_run_init(st->model, st->plan, &resolved, "cluster"), RASK_OK);
    for (int i = 0; i < SIDES; i++) {
        atomic_store(&seen[i], 0);
        open_side(st, i, threads);
    }
    atomic_store(&refusals, 0);
    atomic_store(&losses, 0);
}

static void stage_open(stage *st, rask_graph *g, rask_node *node, uint32_t threads)
{
    stage_open_as(st, g, node, threads, false);
}

static void stage_close(stage *st)
{
    rask_value nothing;
    for (int i = 0; i < SIDES; i++)
        rk_loans_close(st->sides[i].loans);
    for (int i = 0; i < SIDES; i++)
        rk_shop_free(st->sides[i].shop);
    for (int i = 0; i < SIDES; i++)
        rk_loans_free(st->sides[i].loans);
    rk_run_abandon(st->model, RASK_ECANCELLED);
    if (!rk_run_fini(st->model, st->plan, &nothing))
        rask_value_unref(&nothing);
    free(st->model);
    rask_plan_free(st->plan);
    rask_graph_free(st->graph);
}

/* As the program counts. The only unit is the first side's: what went back to it while that is under way would wait there for good. */
static bool has_time(const side *s)
{
    const side *lender = other_of(s);
    uint32_t has = s->stage->threads + s->idle, busy = (s->number == 0) + lender->asked + lender->out;
    return !s->spare && has > busy;
}

static void turn(stage *st)
{
    uint64_t now = rk_clock_now();
    for (int i = 0; i < SIDES; i++) {
        side *s = &st->sides[i];
        rk_loans_turn(s->loans, now);
        while (s->spare && has_time(other_of(s))) {
            s->asked++;
            rk_loans_hear(s->loans, &(rk_message){.kind = RK_SAY_LEND, .unit = RK_LENT_BIT | ++st->numbered});
        }
    }
    const struct timespec shortly = {0, 100000};
    nanosleep(&shortly, NULL);
}

/* Of the only unit, on the first side. The caller's to end. */
static rk_shop_news await_news(stage *st)
{
    rk_permit_news permit;
    rk_shop_news news;
    while (rk_shop_next(st->sides[0].shop, &permit, &news) != RK_SHOP_UNIT)
        turn(st);
    return news;
}

static rk_shop_news play(stage *st)
{
    cr_assert_eq(rk_shop_run(st->sides[0].shop, 0, 1, 0), RASK_OK);
    return await_news(st);
}

static void must_play(stage *st, int64_t wanted)
{
    rk_shop_news news = play(st);
    cr_expect_eq(news.outcome, RK_SHOP_FINISHED, "%s", news.text ? news.text : "");
    cr_expect_eq(rk_shop_result(st->sides[0].shop, 0)->as.i64, wanted);
    rk_shop_news_end(&news);
}

static void must_stop(stage *st)
{
    rk_shop_stop(st->sides[0].shop);
    rk_loans_stop(st->sides[0].loans);
    rk_shop_news news = await_news(st);
    cr_expect_neq(news.outcome, RK_SHOP_FINISHED);
    rk_shop_news_end(&news);
}

/* -- Tasks */

/* A task that grows count calls, each of its number, and returns what is made of the list of all. */
#define GROWS(id, task, count, returned)                                                                     \
    static int id(rask_task *t)                                                                              \
    {                                                                                                        \
        rask_node *calls[count], *all;                                                                       \
        for (int i = 0; i < (count); i++)                                                                    \
            calls[i] = rask_delayed(rask_task_graph(t), task, i);                                            \
        all = rask_list(rask_task_graph(t), calls, count);                                                   \
        return rask_return_node(t, returned);                                                                \
    }                                                                                                        \
    RASK_SLOTS(id);

static void be_seen(const rask_task *t)
{
    atomic_store(&seen[rask_task_worker(t) / FIRST], 1);
}

static bool all_are_seen(void)
{
    return atomic_load(&seen[0]) && atomic_load(&seen[1]) && !atomic_load(&losses);
}

/* (number): returns it when both sides have been there, and what was to be lost was. */
static int meet(rask_task *t)
{
    be_seen(t);
    while (!all_are_seen() && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, rask_arg_i64(t, 0));
}
RASK_SLOTS(meet);

GROWS(grow_meetings, meet, 30, rask_sum(all))

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK(add, i64, i64, i64);

static int tree(rask_task *t);
RASK_SLOTS(tree);

/* (depth, pause): 2 to the power of depth, and each leaf takes a while. */
static int tree(rask_task *t)
{
    int64_t depth = rask_arg_i64(t, 0), pause = rask_arg_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    be_seen(t);
    if (depth)
        return rask_return_node(t, rask_delayed(g, add, rask_delayed(g, tree, depth - 1, pause),
                                                rask_delayed(g, tree, depth - 1, pause)));
    if (pause)
        sleep_ms(pause);
    return rask_return_i64(t, 1);
}

/* Both threads, and those that help, see to the same pieces. */
Test(loans, shops_run_what_grew_in_the_other)
{
    for (uint32_t threads = 1; threads <= MOST_THREADS; threads++) {
        stage st;
        rask_graph *g = rask_graph_new();
        stage_open(&st, g, rask_delayed(g, grow_meetings), threads);
        must_play(&st, 30 * 29 / 2);
        cr_expect(all_are_seen());
        stage_close(&st);
    }
}

Test(loans, observers_are_told_of_each_call_by_who_has_made_it)
{
    for (uint32_t threads = 1; threads <= MOST_THREADS; threads++) {
        stage st;
        rask_graph *g = rask_graph_new();
        stage_open_as(&st, g, rask_delayed(g, grow_meetings), threads, true);
        must_play(&st, 30 * 29 / 2);
        tell(&st.sides[0]); /* the other has told what it gave back */
        cr_expect(st.sides[0].told && st.sides[1].told);
        cr_expect_eq(st.sides[0].told + st.sides[1].told, 30);
        stage_close(&st);
    }
}

Test(loans, a_tree_has_the_same_leaves_wherever_they_are)
{
    for (uint32_t threads = 1; threads <= MOST_THREADS; threads++) {
        stage st;
        rask_graph *g = rask_graph_new();
        stage_open(&st, g, rask_delayed(g, tree, 7, 1), threads);
        must_play(&st, 1 << 7);
        stage_close(&st);
    }
}

Test(loans, what_is_lost_on_its_way_is_called_at_home)
{
    stage st;
    rask_graph *g = rask_graph_new();
    stage_open(&st, g, rask_delayed(g, grow_meetings), 1);
    atomic_store(&losses, 3);
    must_play(&st, 30 * 29 / 2);
    stage_close(&st);
}

static int go_on_until_told(rask_task *t)
{
    be_seen(t);
    while (!rask_task_cancelled(t))
        sleep_ms(1);
    return RASK_ECANCELLED;
}
RASK_SLOTS(go_on_until_told);

GROWS(grow_endless, go_on_until_told, 20, rask_sum(all))

/* A shop that is stopped waits for nothing that it has lent. */
Test(loans, stopping_ends_what_was_lent)
{
    stage st;
    rask_graph *g = rask_graph_new();
    stage_open(&st, g, rask_delayed(g, grow_endless), 2);
    cr_assert_eq(rk_shop_run(st.sides[0].shop, 0, 1, 0), RASK_OK);
    while (!st.lent)
        turn(&st);
    must_stop(&st);
    stage_close(&st);
}

static atomic_int first_there, others_there;

/* At home: 1, when two have been elsewhere. There the first fails until another has come, and rests in between. */
static int need_another(rask_task *t)
{
    bool home = rask_task_worker(t) < FIRST;
    while (home && !atomic_load(&others_there) && !rask_task_cancelled(t))
        sleep_ms(1);
    if (!home && (rask_task_attempt(t) || !atomic_fetch_add(&first_there, 1))) {
        if (!atomic_load(&others_there))
            return rask_fail(t, RASK_EIO, "nobody else has come");
    } else if (!home) {
        atomic_store(&others_there, 1);
    }
    return rask_return_i64(t, 1);
}
RASK_SLOTS_WITH(need_another, (.retries = 9, .backoff = 0.01));

GROWS(grow_needy, need_another, 8, rask_sum(all))

/* What rests between two calls holds no thread. */
Test(loans, more_is_lent_to_where_a_lent_call_rests)
{
    stage st;
    rask_graph *g = rask_graph_new();
    atomic_store(&first_there, 0);
    atomic_store(&others_there, 0);
    stage_open(&st, g, rask_delayed(g, grow_needy), 1);
    must_play(&st, 8);
    stage_close(&st);
}

/* Large, when both sides have been there; and then one of them waits. */
static int return_much(rask_task *t)
{
    static const char much[1 << 20];
    bool first = rask_task_worker(t) < FIRST;
    be_seen(t);
    while ((first || !all_are_seen()) && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_bytes(t, much, sizeof much);
}
RASK_SLOTS(return_much);

GROWS(grow_much, return_much, 2, all)

/* As when the program is lost, and the worker lives on. */
Test(loans, results_that_nobody_comes_for_end_with_the_loans)
{
    stage st;
    rask_graph *g = rask_graph_new();
    stage_open(&st, g, rask_delayed(g, grow_much), 1);
    st.holds = true;
    cr_assert_eq(rk_shop_run(st.sides[0].shop, 0, 1, 0), RASK_OK);
    while (!st.held)
        turn(&st);
    must_stop(&st);
    stage_close(&st);
}

static int refuse_once_seen(rask_task *t)
{
    be_seen(t);
    while (!all_are_seen() && !rask_task_cancelled(t))
        sleep_ms(1);
    atomic_fetch_add(&refusals, 1);
    return rask_fail(t, RASK_EIO, "nothing to read");
}
RASK_SLOTS(refuse_once_seen);

static int grow_failure(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[2] = {rask_delayed(g, go_on_until_told), rask_delayed(g, refuse_once_seen)};
    return rask_return_node(t, rask_sum(rask_list(g, all, 2)));
}
RASK_SLOTS(grow_failure);

/* Whichever of the two was lent. */
Test(loans, what_failed_ends_what_nobody_needs_any_more)
{
    stage st;
    rask_graph *g = rask_graph_new();
    stage_open(&st, g, rask_delayed(g, grow_failure), 1);
    rk_shop_news news = play(&st);
    cr_expect_eq(news.outcome, RK_SHOP_FAILED);
    cr_expect_eq(news.status, RASK_EIO);
    cr_expect_not_null(strstr(news.text, "nothing to read"), "%s", news.text);
    rk_shop_news_end(&news);
    stage_close(&st);
}

static atomic_int repeated;

/* Where it was lent to: fails once, and goes on until nobody needs it. At home it fails when the other has been repeated. */
static int fail_and_go_on(rask_task *t)
{
    bool home = rask_task_worker(t) < FIRST;
    be_seen(t);
    while (!all_are_seen() && !rask_task_cancelled(t))
        sleep_ms(1);
    if (!home && !rask_task_attempt(t))
        return rask_fail(t, RASK_EIO, "not yet");
    if (!home)
        atomic_store(&repeated, 1);
    while ((!home || !atomic_load(&repeated)) && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_fail(t, RASK_EIO, "nothing to read");
}
RASK_SLOTS_WITH(fail_and_go_on, (.retries = 1));

GROWS(grow_repeated, fail_and_go_on, 2, all)

Test(loans, what_was_repeated_counts_though_nobody_needs_it_any_more)
{
    stage st;
    rask_graph *g = rask_graph_new();
    atomic_store(&repeated, 0);
    stage_open(&st, g, rask_delayed(g, grow_repeated), 1);
    rk_shop_news news = play(&st);
    cr_expect_eq(news.outcome, RK_SHOP_FAILED);
    rk_shop_news_end(&news);
    while (!st.gives)
        turn(&st);
    cr_expect_eq(st.retries, 1);
    stage_close(&st);
}
