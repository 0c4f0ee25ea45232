/* One program on all processors of a job: rank 0 goes on from rask_cluster_init(), the others run its tasks.
 *
 *   mpirun -n 4 ./ranks          started alone it computes on its own threads */
#include <rask/cluster.h>
#include <rask/rask.h>
#include <stdio.h>

enum { RANGES = 40, RANGE = 5000 };

static int is_prime(int64_t n)
{
    if (n < 2)
        return 0;
    for (int64_t d = 2; d * d <= n; d++)
        if (n % d == 0)
            return 0;
    return 1;
}

static int64_t count_primes(int64_t begin, int64_t end)
{
    int64_t count = 0;
    for (int64_t n = begin; n < end; n++)
        count += is_prime(n);
    return count;
}
RASK_TASK(count_primes, i64, i64, i64);

int main(int argc, char **argv)
{
    rask_report report;
    rask_options options = RASK_OPTIONS_INIT;
    rask_node *counts[RANGES];
    int64_t primes;

    rask_cluster_init(&argc, &argv); /* ranks but 0 do not come back */
    rask_graph *g = rask_graph_new();
    for (int i = 0; i < RANGES; i++)
        counts[i] = rask_delayed(g, count_primes, (int64_t)i * RANGE, (int64_t)(i + 1) * RANGE);
    options.report = &report;
    rask_status status = rask_compute_with(rask_sum(rask_list(g, counts, RANGES)), &options, &primes);
    if (status)
        fprintf(stderr, "ranks: %s\n", rask_graph_error(g));
    else
        printf("%lld primes below %d, by %u tasks\n", (long long)primes, RANGES * RANGE, report.tasks);
    rask_graph_free(g);
    return status != RASK_OK;
}
