/* What cannot be counted on a cluster: who wants it fails with the reason, and nobody waits for ever or is ended. */
#include "workers.h"

static int64_t itself(int64_t number)
{
    return number;
}
RASK_TASK(itself, i64, i64);

/* (first, children, anything): takes nothing, and each of what it grows another thing. Their sum. */
static int grow_kinds(rask_task *t)
{
    int64_t first = rask_arg_i64(t, 0), count = rask_arg_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    rask_node *all[32];
    for (int64_t i = 0; i < count; i++) {
        char tag[16];
        snprintf(tag, sizeof tag, "c%d", (int)(first + i));
        all[i] = rask_set_tags(rask_delayed(g, itself, i), tag);
    }
    return rask_return_node(t, rask_sum(rask_list(g, all, (size_t)count)));
}
RASK_SLOTS(grow_kinds);

static int grow_kinds_here(rask_task *t)
{
    return grow_kinds(t);
}
RASK_SLOTS_WITH(grow_kinds_here, (.flags = RASK_HERE));

static const char *limits_of_kinds(void)
{
    static char limits[512];
    for (int i = 0; i < 30; i++)
        sprintf(limits + strlen(limits), "%sc%d=1", i ? "," : "", i);
    return limits;
}

static void must_fail_like_threads(cluster *c, rask_graph *g, rask_node *node)
{
    int64_t sum = 0;
    rask_options o = on(c);
    o.limits = limits_of_kinds();
    cr_expect_eq(rask_compute_with(node, &o, &sum), RASK_ELIMIT);
    cr_expect(strstr(rask_graph_error(g), "too many combinations of what tasks take: 20 are possible"), "%s",
              rask_graph_error(g));
    cr_expect_eq(waitpid(c->pids[0], NULL, WNOHANG), 0, "the worker has died");
    cluster_end(c);
    rask_graph_free(g);
}

Test(cluster_limits, what_the_program_grows_is_refused_when_workers_took_all_combinations)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    cluster_begin(&c, 1, 1);
    rask_node *before = rask_delayed(g, grow_kinds, 0, 12, 0);
    must_fail_like_threads(&c, g, rask_delayed(g, grow_kinds_here, 12, 12, before));
}

Test(cluster_limits, what_a_worker_grows_is_refused_when_the_program_took_all_combinations)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    cluster_begin(&c, 1, 1);
    rask_node *before = rask_delayed(g, grow_kinds_here, 0, 12, 0);
    must_fail_like_threads(&c, g, rask_delayed(g, grow_kinds, 12, 12, before));
}

/* Of the tasks of a unit the first grows, and all take the 21st combination. */
Test(cluster_limits, a_unit_fails_that_cannot_have_again_what_it_took)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    cluster_begin(&c, 1, 1);
    rask_node *before = rask_delayed(g, grow_kinds_here, 0, 20, 0);
    rask_node *first = rask_set_tags(rask_delayed(g, grow_kinds, 0, 1, before), "c25");
    must_fail_like_threads(&c, g, rask_set_tags(rask_delayed(g, itself, first), "c25"));
}
