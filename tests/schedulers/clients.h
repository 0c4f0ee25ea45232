/* tests/schedulers/clients: what tests of clients and futures write alike: setups, what tasks count, and tasks that do. */
#ifndef RASK_TESTS_SCHEDULERS_CLIENTS_H
#define RASK_TESTS_SCHEDULERS_CLIENTS_H

#include "support.h"

#include <stdatomic.h>
#include <string.h>

enum { CLIENT_SETUPS = 5, CLIENT_PLACES = 128 };

static inline rask_options setup(size_t i)
{
    rask_options all[CLIENT_SETUPS] = {threads(1), threads(2), threads(4), processes(2), threads(1)};
    all[4].scheduler = "serial";
    return all[i];
}

static inline bool is(const rask_options *o, const char *scheduler)
{
    return !strcmp(o->scheduler, scheduler);
}

static inline rask_client *open_client(rask_options o)
{
    rask_client *client = NULL;
    cr_assert_eq(rask_client_open(&o, &client), RASK_OK);
    return client;
}

/* What tasks count and wait for, in memory that worker processes share. */
typedef struct counts {
    atomic_int calls[CLIENT_PLACES], gate, begun, order;
} counts;

static inline counts *new_counts(void)
{
    return shared_calloc(sizeof(counts));
}

static inline void free_counts(counts *c)
{
    shared_free(c, sizeof *c);
}

static inline int64_t address(const counts *c)
{
    return (int64_t)(intptr_t)c;
}

static inline counts *counts_of(rask_task *t)
{
    return (counts *)(intptr_t)rask_arg_i64(t, 0);
}

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK(add, i64, i64, i64);

/* (counts, place): counts its call, gives place. */
static int count(rask_task *t)
{
    int64_t place = rask_arg_i64(t, 1);
    atomic_fetch_add(&counts_of(t)->calls[place], 1);
    return rask_return_i64(t, place);
}
RASK_SLOTS(count);
/* (counts): begins, and waits until the gate is open or it is cancelled. */
static int stay(rask_task *t)
{
    counts *c = counts_of(t);
    atomic_fetch_add(&c->begun, 1);
    while (!atomic_load(&c->gate) && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, 1);
}
RASK_SLOTS(stay);

static int fail(rask_task *t)
{
    return rask_fail(t, RASK_EIO, "no luck");
}
RASK_SLOTS(fail);

static inline int64_t result_of(rask_future *future)
{
    int64_t i = -1;
    cr_assert_eq(rask_future_get(future, &i), RASK_OK, "%s", rask_future_error(future));
    rask_future_unref(future);
    return i;
}

static inline void must_begin(counts *c, int tasks)
{
    while (atomic_load(&c->begun) < tasks)
        sleep_ms(1);
}

#endif
