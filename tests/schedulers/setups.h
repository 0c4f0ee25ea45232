/* The ways to run that share memory with the test. */
#ifndef RASK_TESTS_SCHEDULERS_SETUPS_H
#define RASK_TESTS_SCHEDULERS_SETUPS_H

#include "support.h"

enum { SETUPS = 7 };

/* Each of the ways to run. */
static inline rask_options setup(size_t i)
{
    rask_options all[SETUPS] = {RASK_OPTIONS_INIT, RASK_OPTIONS_INIT, threads(1),  threads(2),
                                threads(8),        processes(2),      processes(3)};
    all[0].scheduler = all[1].scheduler = "serial";
    all[1].seed = 11;
    all[6].worker_threads = 2;
    return all[i];
}

/* For a thread: cancels as soon as something was called. */
typedef struct canceller {
    rask_cancel_token *token;
    const atomic_uint *calls;
} canceller;

static inline void *cancel_when_called(void *context)
{
    const canceller *c = context;
    while (!atomic_load(c->calls))
        sleep_ms(1);
    rask_cancel(c->token);
    return NULL;
}

#endif
