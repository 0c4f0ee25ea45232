/* What a future costs: one work, once. tools/bench/futures runs it beside other engines.
 * usage: futures_rask WORK WORKERS COUNT
 *
 *   submit   so many empty tasks are submitted by one thread, which then waits for all of them
 *   trip     a task is submitted and waited for, so many times
 *   tree     a task that grows two of its kind, and so on, down to 1; COUNT is how many they are, a power of two
 *
 * Prints nanoseconds a task: of tree, of those that grow; their sums, as many again, count with them. */
#include "measure.h"

#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t nothing(int64_t i)
{
    return i;
}
RASK_TASK(nothing, i64, i64);

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK_WITH(add, (.flags = RASK_CHEAP), i64, i64, i64);

static int grow(rask_task *t);
RASK_SLOTS(grow);

/* A tree of so many leaves: how many they are. */
static int grow(rask_task *t)
{
    int64_t leaves = rask_arg_i64(t, 0);
    if (leaves == 1)
        return rask_return_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(
        t, rask_delayed(g, add, rask_delayed(g, grow, leaves / 2), rask_delayed(g, grow, leaves / 2)));
}

static bool submit_all(rask_client *client, rask_graph *g, long count)
{
    rask_future **futures = calloc((size_t)count, sizeof *futures);
    int64_t last = -1;
    for (long i = 0; futures && i < count; i++)
        futures[i] = rask_submit(client, rask_delayed(g, nothing, i));
    bool right =
        futures && !rask_wait_all(futures, (size_t)count, -1) && !rask_future_get(futures[count - 1], &last);
    for (long i = 0; futures && i < count; i++)
        rask_future_unref(futures[i]);
    free(futures);
    return right && last == count - 1;
}

static bool go_and_come(rask_client *client, rask_graph *g, long count)
{
    for (int64_t i = 0, came = -1; i < count; i++) {
        rask_future *future = rask_submit(client, rask_delayed(g, nothing, i));
        int status = rask_future_get(future, &came);
        rask_future_unref(future);
        if (status || came != i)
            return false;
    }
    return true;
}

static bool grow_tree(rask_client *client, rask_graph *g, long count)
{
    int64_t leaves = 0;
    rask_future *future = rask_submit(client, rask_delayed(g, grow, count / 2));
    int status = rask_future_get(future, &leaves);
    rask_future_unref(future);
    return !status && leaves == count / 2;
}

static bool (*work_named(const char *name))(rask_client *, rask_graph *, long)
{
    return !strcmp(name, "submit") ? submit_all
           : !strcmp(name, "trip") ? go_and_come
           : !strcmp(name, "tree") ? grow_tree
                                   : NULL;
}

int main(int argc, char **argv)
{
    rask_client *client;
    rask_options o = RASK_OPTIONS_INIT;
    bool (*work)(rask_client *, rask_graph *, long) = argc == 4 ? work_named(argv[1]) : NULL;
    long count = work ? strtol(argv[3], NULL, 10) : 0;
    if (count < 2) {
        fprintf(stderr, "usage: futures_rask submit|trip|tree WORKERS COUNT\n");
        return 2;
    }
    o.workers = (uint32_t)strtoul(argv[2], NULL, 10);
    if (rask_client_open(&o, &client))
        return 1;
    rask_graph *warm = rask_graph_new();
    go_and_come(client, warm, 100);
    rask_graph_free(warm);
    double start = bench_now_ns();
    rask_graph *g = rask_graph_new();
    bool right = work(client, g, count);
    rask_graph_free(g);
    double ns = bench_now_ns() - start;
    rask_client_close(client);
    if (!right)
        fprintf(stderr, "futures_rask: %s: another result\n", argv[1]);
    else
        printf("%.1f\n", ns / (double)count);
    return right ? 0 : 1;
}
