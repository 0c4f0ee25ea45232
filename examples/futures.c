/* The smallest factors of numbers: most are found in no time, one is a prime of 63 bits, which is given up.
 * Shows: a client, futures, a call when one is done, results in the order in which they come, cancelling. */
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdio.h>

static const int64_t numbers[] = {1000036000099, 15,      25000450002021,     10403,
                                  4000048000063, 1022117, 9223372036854775783};
enum { COUNT = sizeof numbers / sizeof *numbers, HOPELESS = COUNT - 1 };

/* A task that may take long asks now and then whether anybody still wants its result. */
static int smallest_factor(rask_task *t)
{
    int64_t n = rask_arg_i64(t, 0), factor = 2;
    while (factor <= n / factor && n % factor) {
        if (factor % 4096 == 0 && rask_task_cancelled(t))
            return RASK_ECANCELLED;
        factor++;
    }
    return rask_return_i64(t, n % factor ? n : factor);
}
RASK_SLOTS(smallest_factor);

/* Called by whichever thread has found it. */
static void count_one(void *done, rask_future *future)
{
    (void)future;
    atomic_fetch_add((atomic_int *)done, 1);
}

/* As they come: easy ones first, whatever their place. Returns how many were right. */
static int print_as_they_come(rask_future *const *futures)
{
    int right = 0;
    rask_completion *completion = rask_as_completed(futures, HOPELESS);
    if (!completion)
        return 0;
    for (size_t i; (i = rask_completion_next(completion)) < HOPELESS;) {
        int64_t factor;
        if (rask_future_get(futures[i], &factor)) { /* it is there: this waits for nothing */
            fprintf(stderr, "futures: %s\n", rask_future_error(futures[i]));
            continue;
        }
        printf("%lld = %lld * %lld\n", (long long)numbers[i], (long long)factor,
               (long long)(numbers[i] / factor));
        right += factor > 1 && numbers[i] % factor == 0;
    }
    rask_completion_free(completion);
    return right;
}

int main(void)
{
    rask_client *client;
    rask_future *futures[COUNT];
    atomic_int done = 0;
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler =
        "threads"; /* whatever the environment says: on serial there would be nothing left to cancel */
    if (rask_client_open(&o, &client)) /* workers that stay */
        return 1;
    rask_graph *g = rask_graph_new();
    for (int i = 0; i < COUNT; i++) {
        futures[i] =
            rask_submit(client, rask_delayed(g, smallest_factor, numbers[i])); /* it may run already */
        rask_future_on_done(futures[i], count_one, &done);
    }
    rask_graph_free(g); /* futures need it no more */

    int right = print_as_they_come(futures);
    bool early = rask_future_done(futures[HOPELESS]);
    rask_future_cancel(futures[HOPELESS]);
    int64_t factor;
    int status = rask_future_get(futures[HOPELESS], &factor);
    printf("%lld: %s\n", (long long)numbers[HOPELESS], rask_status_text(status));

    rask_client_close(client); /* waits for what still runs */
    for (int i = 0; i < COUNT; i++)
        rask_future_unref(futures[i]);
    printf("%d futures are done\n", atomic_load(&done));
    return right == HOPELESS && !early && status == RASK_ECANCELLED && done == COUNT ? 0 : 1;
}
