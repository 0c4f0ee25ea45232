/* Fibonacci numbers by their definition, which takes a lifetime where every call computes its own: here equal calls are one
 * call, whoever made them and whenever.
 * Shows: tasks that answer with nodes, and pure calls that meet. */
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdio.h>

enum { MOST = 92 }; /* the last one with 63 bits */

static atomic_int calls;

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK_WITH(add, (.flags = RASK_CHEAP), i64, i64, i64);

static int fibonacci(rask_task *t);
RASK_SLOTS_WITH(fibonacci, (.flags = RASK_PURE));

static int fibonacci(rask_task *t)
{
    int64_t n = rask_arg_i64(t, 0);
    atomic_fetch_add(&calls, 1);
    if (n < 2)
        return rask_return_i64(t, n);
    rask_graph *g = rask_task_graph(t); /* of this call */
    return rask_return_node(
        t, rask_delayed(g, add, rask_delayed(g, fibonacci, n - 1), rask_delayed(g, fibonacci, n - 2)));
}

/* All of them, the smallest first. What is held is met: their futures are, so that each is there for those after it. */
static void submit_all(rask_client *client, rask_future **futures)
{
    rask_graph *g = rask_graph_new();
    for (int n = 0; n <= MOST; n++)
        futures[n] = rask_submit(client, rask_delayed(g, fibonacci, n));
    rask_graph_free(g);
}

/* Returns how many are right. */
static int check(rask_future *const *futures)
{
    int64_t before = 1, expected = 0, number;
    int right = 0;
    for (int n = 0; n <= MOST; n++) {
        if (rask_future_get(futures[n], &number))
            fprintf(stderr, "grow_fibonacci: %s\n", rask_future_error(futures[n]));
        else
            right += number == expected;
        int64_t next = n < MOST ? before + expected : 0;
        before = expected;
        expected = next;
    }
    printf("fibonacci(%d) = %lld\n", MOST, (long long)number);
    return right;
}

int main(void)
{
    rask_future *futures[MOST + 1];
    rask_client *client;
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "threads"; /* whatever the environment says: calls are counted in this process */
    if (rask_client_open(&o, &client))
        return 1;
    submit_all(client, futures);
    int right = check(futures);
    rask_client_close(client);
    for (int n = 0; n <= MOST; n++)
        rask_future_unref(futures[n]);
    printf("%d numbers by %d calls\n", right, calls);
    return right == MOST + 1 && calls == MOST + 1 ? 0 : 1;
}
