/* What executes units in one process of a cluster, and what that says and hears of what is counted. */
#include "schedulers/cluster/shop.h"

#include "../support.h"
#include "schedulers/cluster/numbers.h"

#include <stdatomic.h>

static atomic_int rung;

static int64_t itself(int64_t number)
{
    return number;
}
RASK_TASK(itself, i64, i64);

static int64_t ring(int64_t number)
{
    atomic_fetch_add(&rung, 1);
    return number;
}
RASK_TASK(ring, i64, i64);

/* (number, children): their sum; they take what its number says. */
static int grow(rask_task *t)
{
    int64_t number = rask_arg_i64(t, 0), count = rask_arg_i64(t, 1);
    rask_node *all[64];
    for (int64_t i = 0; i < count; i++)
        all[i] = rask_set_tags(rask_delayed(rask_task_graph(t), itself, i), number ? "gpu" : "");
    return rask_return_node(t, rask_sum(rask_list(rask_task_graph(t), all, (size_t)count)));
}
RASK_SLOTS(grow);

/* A shop with one seat, for a plan of some targets. */
typedef struct stall {
    rask_graph *graph;
    rask_plan *plan;
    rk_run model;
    rk_shop *shop;
} stall;

static void wake(void *context)
{
    (void)context;
}

static void stall_open(stall *s, rask_node **targets, size_t count)
{
    rask_options o = threads(1);
    o.memory = 64 << 20;
    o.limits = "gpu=1";
    s->graph = rask_node_graph(targets[0]);
    cr_assert_eq(rask_plan_new(targets, count, &s->plan), RASK_OK, "%s", rask_graph_error(s->graph));
    cr_assert_eq(rk_run_init(&s->model, s->plan, &o, "cluster"), RASK_OK);
    const rk_shop_setup setup = {.model = &s->model, .threads = 1, .wake = wake};
    cr_assert_eq(rk_shop_new(&setup, &s->shop), RASK_OK);
}

static void stall_close(stall *s)
{
    rk_shop_free(s->shop);
    rk_run_abandon(&s->model, RASK_ECANCELLED);
    rask_value results[8];
    rk_run_fini(&s->model, s->plan, results);
    rask_plan_free(s->plan);
    rask_graph_free(s->graph);
}

static rk_shop_heard hear(const stall *s, rk_permit_news *wanted, rk_shop_news *news)
{
    rk_shop_heard heard;
    while (!(heard = rk_shop_next(s->shop, wanted, news)))
        sleep_ms(1);
    return heard;
}

static rk_permit_news must_hear_permit(const stall *s, rk_permit_kind kind)
{
    rk_permit_news wanted = {0};
    rk_shop_news news;
    cr_assert_eq(hear(s, &wanted, &news), RK_SHOP_PERMIT);
    cr_assert_eq(wanted.kind, kind);
    return wanted;
}

static rk_shop_news must_hear_unit(const stall *s, rk_shop_outcome outcome)
{
    rk_permit_news wanted;
    rk_shop_news news = {0};
    cr_assert_eq(hear(s, &wanted, &news), RK_SHOP_UNIT);
    cr_assert_eq(news.outcome, outcome, "%s", news.text);
    return news;
}

static void must_be_denied(const stall *s)
{
    rk_shop_news news = must_hear_unit(s, RK_SHOP_FAILED);
    cr_expect_eq(news.status, RASK_ELIMIT);
    cr_expect(news.text && strstr(news.text, "not today"), "%s", news.text);
    rk_shop_news_end(&news);
}

/* The seat is through with both when the third of them runs. */
Test(shop, that_units_rest_is_heard_of_each_and_before_what_came_of_them)
{
    stall s;
    rask_graph *g = rask_graph_new();
    rask_node *targets[] = {rask_delayed(g, grow, 0, 1), rask_delayed(g, grow, 0, 2),
                            rask_delayed(g, ring, 3)};
    stall_open(&s, targets, 3);
    cr_assert_eq(s.plan->units, 3);
    for (uint32_t unit = 0; unit < 3; unit++)
        cr_assert_eq(rk_shop_run(s.shop, unit, 1), RASK_OK);
    while (!atomic_load(&rung))
        sleep_ms(1);
    cr_expect_eq(must_hear_permit(&s, RK_PERMIT_RESTS).unit, 0);
    cr_expect_eq(must_hear_permit(&s, RK_PERMIT_RESTS).unit, 1);
    for (uint32_t unit = 0; unit < 3; unit++)
        cr_expect_eq(must_hear_unit(&s, RK_SHOP_FINISHED).unit, unit);
    stall_close(&s);
}

Test(shop, what_grew_fails_with_the_reason_for_which_it_is_denied_what_it_takes)
{
    stall s;
    rask_graph *g = rask_graph_new();
    rask_node *target = rask_delayed(g, grow, 1, 1);
    stall_open(&s, &target, 1);
    cr_assert_eq(rk_shop_run(s.shop, 0, 1), RASK_OK);
    must_hear_permit(&s, RK_PERMIT_RESTS);
    rk_shop_denied(s.shop, must_hear_permit(&s, RK_PERMIT_WANTED).number, RASK_ELIMIT, "not today");
    must_be_denied(&s);
    stall_close(&s);
}

Test(shop, a_unit_that_is_not_to_go_on_fails_with_the_reason)
{
    stall s;
    rask_graph *g = rask_graph_new();
    rask_node *target = rask_delayed(g, itself, rask_delayed(g, grow, 0, 1));
    stall_open(&s, &target, 1);
    cr_assert_eq(s.plan->units, 1);
    cr_assert_eq(rk_shop_run(s.shop, 0, 1), RASK_OK);
    must_hear_permit(&s, RK_PERMIT_RESTS);
    rk_shop_denied(s.shop, must_hear_permit(&s, RK_PERMIT_AGAIN).number, RASK_ELIMIT, "not today");
    must_be_denied(&s);
    stall_close(&s);
}

Test(shop, who_waits_may_be_let_in_in_any_order)
{
    enum { MANY = 64 };
    stall s;
    uint64_t numbers[MANY];
    rask_graph *g = rask_graph_new();
    rask_node *target = rask_delayed(g, grow, 1, MANY);
    stall_open(&s, &target, 1);
    cr_assert_eq(rk_shop_run(s.shop, 0, 1), RASK_OK);
    must_hear_permit(&s, RK_PERMIT_RESTS);
    for (int i = 0; i < MANY; i++)
        numbers[i] = must_hear_permit(&s, RK_PERMIT_WANTED).number;
    for (int i = MANY; i-- > 0;) {
        rk_shop_granted(s.shop, numbers[i]);
        cr_expect_eq(must_hear_permit(&s, RK_PERMIT_GIVEN).number, numbers[i]);
    }
    must_hear_unit(&s, RK_SHOP_FINISHED);
    stall_close(&s);
}

Test(shop, numbers_of_several_homes_are_told_apart)
{
    enum { HOMES = 3, EACH = 500 };
    static rk_numbered all[HOMES][EACH];
    rk_numbers numbers = {0};
    cr_expect_null(rk_numbers_find(&numbers, 0, 1));
    for (uint64_t i = 0; i < EACH; i++)
        for (uint32_t home = 0; home < HOMES; home++) {
            all[home][i] = (rk_numbered){.home = home, .number = i * i};
            cr_assert_eq(rk_numbers_add(&numbers, &all[home][i]), RASK_OK);
        }
    for (uint64_t i = 0; i < EACH; i += 2)
        rk_numbers_remove(&numbers, &all[1][i]);
    for (uint64_t i = 0; i < EACH; i++)
        for (uint32_t home = 0; home < HOMES; home++)
            cr_assert_eq(rk_numbers_find(&numbers, home, i * i),
                         home == 1 && i % 2 == 0 ? NULL : &all[home][i]);
    cr_expect_null(rk_numbers_find(&numbers, HOMES, 1));
    rk_numbers_fini(&numbers);
}
