/* Primes below two million, counted by trial division: dear where numbers are large, and how dear nobody says. A task that has
 * worked for long enough hands on what is left, in halves.
 * Shows: a graph that splits on demand, so that a single call keeps all cores busy. */
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { LIMIT = 2000000, PRIMES = 148933, LONG_ENOUGH_NS = 2000000, SMALL = 1000 };

static atomic_int tasks;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int is_prime(int64_t n)
{
    for (int64_t i = 3; i * i <= n; i += 2)
        if (n % i == 0)
            return 0;
    return n == 2 || (n > 2 && n % 2);
}

static int count_primes(rask_task *t);
RASK_SLOTS(count_primes);

/* What was found so far, and two halves of what is left, which other workers may take. */
static int hand_on(rask_task *t, int64_t found, int64_t from, int64_t to)
{
    rask_graph *g = rask_task_graph(t);
    int64_t middle = from + (to - from) / 2;
    rask_node *parts[3] = {rask_const(g, found), rask_delayed(g, count_primes, from, middle),
                           rask_delayed(g, count_primes, middle, to)};
    return rask_return_node(t, rask_sum(rask_list(g, parts, 3)));
}

/* (from, to): how many primes are from from to below to. */
static int count_primes(rask_task *t)
{
    int64_t from = rask_arg_i64(t, 0), to = rask_arg_i64(t, 1), found = 0, start = now_ns();
    atomic_fetch_add(&tasks, 1);
    while (from < to) {
        found += is_prime(from++);
        if (from % 64 == 0 && to - from > SMALL && now_ns() - start > LONG_ENOUGH_NS)
            return hand_on(t, found, from, to);
    }
    return rask_return_i64(t, found);
}

int main(void)
{
    rask_report report;
    rask_options o = RASK_OPTIONS_INIT;
    o.report = &report;
    rask_graph *g = rask_graph_new();
    int64_t found = 0;
    int status = rask_compute_with(rask_delayed(g, count_primes, 0, LIMIT), &o, &found);
    if (status)
        fprintf(stderr, "grow_primes: %s\n", rask_graph_error(g));
    else
        printf("%lld primes below %d: one call became %d, on %u workers, in %.2f s\n", (long long)found,
               LIMIT, tasks, report.workers, report.seconds);
    rask_graph_free(g);
    return found != PRIMES;
}
