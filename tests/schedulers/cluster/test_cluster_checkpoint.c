/* Runs on a cluster that resume: the program that computes has the folder. */
#include "../graphs.h"
#include "../journal.h"
#include "workers.h"

enum { LAYERS = 4, WIDTH = 8, STEPS = LAYERS * WIDTH };

Test(cluster_checkpoint, what_was_computed_once_is_read)
{
    cluster c;
    rask_report report;
    int64_t first, again;
    count_from_here();
    journal_begin();
    cluster_begin(&c, 2, 1);
    rask_options o = with_journal(on(&c), &report);
    cr_assert_eq(compute_net(o, LAYERS, WIDTH, 0, &first), STEPS);
    cr_assert_geq(report.kept, STEPS);
    cr_assert_eq(compute_net(o, LAYERS, WIDTH, 0, &again), 0);
    cr_assert_eq(report.from_checkpoint, 1);
    cr_assert_eq(first, again);
    cr_assert_eq(compute_net(o, LAYERS + 1, WIDTH, 0, &again), WIDTH, "one layer more");
    cluster_end(&c);
    journal_end();
}

Test(cluster_checkpoint, random_graphs_come_to_the_same_each_time)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        cluster c;
        rask_report report;
        rask_value results[GRAPH_MAX_TARGETS];
        random_graph *g = random_graph_new(seed);
        journal_begin();
        cluster_begin(&c, 2, 1);
        rask_options o = with_journal(on(&c), &report);
        random_graph_must_compute(g, o);
        cr_assert_eq(rask_compute_values(g->targets, g->target_count, &o, results), RASK_OK, "%s",
                     rask_graph_error(g->graph));
        cr_assert(random_graph_equal(g, results), "seed %llu: another result", (unsigned long long)seed);
        for (uint32_t i = 0; i < g->target_count; i++)
            rask_value_unref(&results[i]);
        cluster_end(&c);
        random_graph_free(g);
        journal_end();
    }
}

/* A program that computes and is killed; its workers are somebody else's, and come to the next one. */
static void compute_and_kill_on(const cluster *c, long at)
{
    compute_and_kill(with_journal(on(c), NULL), LAYERS, WIDTH, at);
}

Test(cluster_checkpoint, after_the_death_of_the_program_another_goes_on_where_it_was)
{
    rask_report report;
    int64_t expected, value;
    count_from_here();
    compute_net(threads(1), LAYERS, WIDTH, 0, &expected);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        uint64_t random = seed * 0x9e3779b97f4a7c15u;
        cluster c;
        journal_begin();
        cluster_begin(&c, 2, 1);
        atomic_store(&counted->slow_us, 500);
        compute_and_kill_on(&c, 1 + (long)draw_below(&random, STEPS - 4));
        atomic_store(&counted->slow_us, 0);
        cluster_end(&c);
        cluster_begin(&c, 2, 1);
        compute_net(with_journal(on(&c), &report), LAYERS, WIDTH, 0, &value);
        cr_assert_eq(value, expected);
        cr_assert_eq(compute_net(with_journal(on(&c), &report), LAYERS, WIDTH, 0, &value), 0);
        cr_assert_eq(value, expected);
        cluster_end(&c);
        journal_end();
    }
}
