/* Tasks that tests of the cluster have in common. */
#ifndef RASK_TESTS_SCHEDULERS_CLUSTER_TASKS_H
#define RASK_TESTS_SCHEDULERS_CLUSTER_TASKS_H

#include <rask/rask.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* (bytes, what) */
static inline int fill(rask_task *t)
{
    size_t len = (size_t)rask_arg_i64(t, 0);
    char *data;
    rask_value value;
    if (rask_value_bytes_alloc(len, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    memset(data, (int)rask_arg_i64(t, 1), len);
    return rask_return_value(t, value);
}
RASK_SLOTS(fill);

/* Adds the bytes of a list's items. */
static inline int add_up(rask_task *t)
{
    int64_t sum = 0;
    size_t count;
    const rask_value *items = rask_arg_list(t, 0, &count);
    for (size_t i = 0; i < count; i++) {
        rask_bytes bytes = {NULL, 0};
        rask_value_get_bytes(&items[i], &bytes);
        for (size_t k = 0; k < bytes.len; k++)
            sum += bytes.data[k];
    }
    return rask_return_i64(t, sum);
}
RASK_SLOTS(add_up);

/* What fill() makes of 0, 1, …, so many bytes each. */
static inline rask_node *list_of_pieces(rask_graph *g, int count, int64_t bytes)
{
    rask_node **pieces = calloc((size_t)count, sizeof *pieces);
    for (int i = 0; pieces && i < count; i++)
        pieces[i] = rask_delayed(g, fill, bytes, i);
    rask_node *list = pieces ? rask_list(g, pieces, (size_t)count) : NULL;
    free(pieces);
    return list;
}

/* That is what a list has which was computed. */
static inline bool are_pieces(const rask_value *list, int wanted, size_t len)
{
    const rask_value *items;
    rask_bytes bytes;
    size_t count;
    if (rask_value_get_list(list, &items, &count) || count != (size_t)wanted)
        return false;
    for (int i = 0; i < wanted; i++)
        if (rask_value_get_bytes(&items[i], &bytes) || bytes.len != len || bytes.data[0] != i ||
            bytes.data[len - 1] != i)
            return false;
    return true;
}

/* (milliseconds, number): sleeps, and gives the number. */
static inline int nap(rask_task *t)
{
    int64_t ms = rask_arg_i64(t, 0);
    const struct timespec so_long = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&so_long, NULL);
    return rask_return_i64(t, rask_arg_i64(t, 1));
}
RASK_SLOTS(nap);

/* Of 0, 1, …, each behind a nap before. */
static inline rask_node *sum_of_naps(rask_graph *g, int count, int64_t ms)
{
    rask_node **naps = calloc((size_t)count, sizeof *naps);
    for (int i = 0; naps && i < count; i++)
        naps[i] = rask_delayed(g, nap, ms, rask_delayed(g, nap, 0, i));
    rask_node *sum = naps ? rask_sum(rask_list(g, naps, (size_t)count)) : NULL;
    free(naps);
    return sum;
}

/* A run in a thread of its own. */
typedef struct side {
    const rask_options *options;
    int naps;
    int64_t answer;
    int status;
} side;

static inline void *compute_aside(void *context)
{
    side *s = context;
    rask_graph *g = rask_graph_new();
    s->status = rask_compute_with(sum_of_naps(g, s->naps, 0), s->options, &s->answer);
    rask_graph_free(g);
    return NULL;
}

static inline int tell_pid(rask_task *t)
{
    return rask_return_i64(t, getpid());
}
RASK_SLOTS(tell_pid);

static inline int tell_own_pid(rask_task *t)
{
    return tell_pid(t);
}
RASK_SLOTS_WITH(tell_own_pid, (.flags = RASK_HERE));

static inline int refuse(rask_task *t)
{
    return rask_fail(t, RASK_EIO, "nothing to read");
}
RASK_SLOTS(refuse);

static inline int crash(rask_task *t)
{
    (void)t;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return RASK_OK;
}
RASK_SLOTS(crash);

static inline int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK(add, i64, i64, i64);

static inline int fibonacci(rask_task *t);
RASK_SLOTS_WITH(fibonacci, (.flags = RASK_PURE));

/* Grows what it is. */
static inline int fibonacci(rask_task *t)
{
    int64_t n = rask_arg_i64(t, 0);
    if (n < 2)
        return rask_return_i64(t, n);
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(
        t, rask_delayed(g, add, rask_delayed(g, fibonacci, n - 1), rask_delayed(g, fibonacci, n - 2)));
}

#endif
