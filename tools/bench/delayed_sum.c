/* Builds and runs many delayed calls under one rask_sum(), and tells how long each took.
 * usage: delayed_sum [CALLS] */
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int64_t increment(int64_t i)
{
    return i + 1;
}
RASK_TASK(increment, i64, i64);

int main(int argc, char **argv)
{
    long calls = argc > 1 ? strtol(argv[1], NULL, 10) : 50000;
    rask_node **parts = calls > 0 ? malloc((size_t)calls * sizeof *parts) : NULL;
    if (!parts)
        return 2;
    double start = now();
    rask_graph *g = rask_graph_new();
    for (long i = 0; i < calls; i++)
        parts[i] = rask_delayed(g, increment, i);
    rask_node *total = rask_sum(rask_list(g, parts, (size_t)calls));
    double built = now();
    int64_t sum = 0;
    int status = rask_compute(total, &sum);
    double ran = now();
    if (status || sum != calls * (calls + 1) / 2)
        fprintf(stderr, "delayed_sum: %s\n", status ? rask_graph_error(g) : "wrong sum");
    else
        printf("%ld calls: built in %.2f ms, computed in %.2f ms\n", calls, (built - start) * 1e3,
               (ran - built) * 1e3);
    rask_graph_free(g);
    free(parts);
    return status != RASK_OK;
}
