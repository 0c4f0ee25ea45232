/* schedulers/futures/future: a task that was submitted, or that a task grew: from then until nobody refers to its result.
 *
 *   state     who changes it to what                                                       in a queue   result
 *   WAITING   READY, by who counts the last argument; ENDING, by who ends it before            no          no
 *   READY     RUNNING, by a worker; ENDING                                                     yes         no
 *   RUNNING   GROWN or ENDING, by that worker, or who sows for it (piece.h)       while put off          no
 *             READY, by that worker: it rests until its next call (resting.h)
 *   GROWN     its result is to be another's: ENDING, by who has that or ends it before         no          no
 *   ENDING    DONE, by who made it ENDING                                                      no          written
 *   DONE                                                                                       no          yes
 *
 * References: the program's, the executor's until it is done, one of all its edges until they have come, one of each that has it
 * for an argument. Memory ends with the last. What it has of arguments ends when it has run.
 *
 * wants counts who needs the result: who submitted it, and futures that wait for it. When nobody does it is ended: at once
 * when it waits, by its cancel token while it runs. Nobody may want a future again that nobody wanted.
 *
 * Who makes several makes them in order of their nodes, and starts them in that order, so that none ends that is yet to be
 * started; what is ready is queued when all are. As long as nobody else knows any of them, there is nobody to count against: they are alone.
 *
 * Ending one future may end many. A list of those, rk_endings, is worked off by rk_futures_end(): no recursion. */
#ifndef RASK_SCHEDULERS_FUTURES_FUTURE_H
#define RASK_SCHEDULERS_FUTURES_FUTURE_H

#include "core/task/task.h"
#include "schedulers/call.h"

#include <rask/client.h>

typedef struct rk_executor rk_executor;
typedef struct rk_seat rk_seat;

enum rk_future_state {
    RK_FUTURE_WAITING,
    RK_FUTURE_READY,
    RK_FUTURE_RUNNING,
    RK_FUTURE_GROWN,
    RK_FUTURE_ENDING,
    RK_FUTURE_DONE
};

typedef struct rk_endings rk_endings;

/* Futures in a row, through themselves (queue.h). Zeroed: empty. */
typedef struct rk_queue {
    rask_future *first, *last;
} rk_queue;

/* What is told when a future is done: once, and not after that. What it is part of belongs to who is told. */
typedef struct rk_waiter {
    struct rk_waiter *next;
    void (*tell)(struct rk_waiter *waiter, rask_future *done, rk_endings *endings);
} rk_waiter;

/* An argument that is the result of another, or something that has to come first. */
typedef struct rk_edge {
    rk_waiter waiter;
    rask_future *owner; /* that it is an edge of */
    rask_future *from;  /* NULL: it was let go of */
    uint64_t number;    /* of from */
    uint32_t argument;  /* UINT32_MAX: it is only waited for */
} rk_edge;

/* By what later submissions find it (meet.h). */
typedef struct rk_meeting {
    struct rk_meeting *next;
    uint64_t key;
    rask_future *future;
} rk_meeting;

enum rk_future_flag {
    RK_FUTURE_CHECK = 1 << 0,   /* types of arguments are to be checked */
    RK_FUTURE_IO = 1 << 1,      /* runs in a lane */
    RK_FUTURE_NO_TASK = 1 << 2, /* it failed before there was one */
    RK_FUTURE_PURE = 1 << 3,    /* met by its call */
    RK_FUTURE_NESTED = 1 << 4,  /* a task grew it */
    RK_FUTURE_REFUSED = 1 << 5, /* it cannot have what it takes: status and message say why */
    RK_FUTURE_HOLDS = 1 << 6,   /* it refers to its executor */
    RK_FUTURE_LEAF = 1 << 7,    /* nodes that it returns are its result, as a value (core/task/grow.h) */
    RK_FUTURE_STAYS = 1 << 8,   /* it is not lent (lend.h) */
};

/* Behind it in its memory are its arguments, its edges, numbers of its arguments where they are many, and its meetings. */
struct rask_future {
    rk_atomic_u32 refs, state, wants;
    rk_atomic_u32 pending; /* edges that have not come; after that the attempt that its call has come to */
    rk_atomic_u32 handles; /* wants of who submitted it */
    rk_atomic_u32 reason;  /* why it is told to end while it runs; RK_FUTURE_TOO_LATE: it has its result */
    struct rask_cancel_token cancel;
    rk_atomic_bool started;  /* its edges are all there: not before does it fail */
    rk_atomic_bool watched;  /* who waits for it sleeps (rk_executor_wait()) */
    rk_atomic_bool searched; /* somebody looks at its edges (circle.h) */
    _Atomic(uint8_t) listed; /* how many of its meetings are: written under their lock */
    uint32_t flags;          /* of who makes it, and of who runs it */
    uint32_t nargs, edge_count;
    _Atomic(rk_waiter *) waiters; /* the last first; RK_NO_MORE: it is done */
    rask_future *next, *previous; /* in a queue */
    rk_executor *executor;        /* referenced by those that may come into the program's hands */
    const rask_task_def *def;
    uint64_t number;
    rask_future *next_ending;
    rk_edge *grown; /* for whose result it stands; NULL: its own */
    struct rk_piece *
        put_off; /* it is RUNNING, and in a queue: pieces of it, to be gone on with (piece.h); NULL: it is not */
    rask_value result; /* by holding.h only: the store may take it out of memory */
    int status;

    uint32_t retries;
    uint64_t limit_ns, backoff_ns;
    struct rk_admission *admission; /* what it takes of what is counted; NULL: nothing */
    uint64_t ready_ns;              /* when somebody observes */
    int32_t priority;
    uint32_t origin; /* the task of a plan that it grew from; RASK_NO_TASK: it comes from a client */
    uint32_t node;   /* that it was */
    int line;
    const char *file; /* NULL: not known */

    char *message;        /* of its own failure; NULL: none, or no memory for it */
    _Atomic(char *) text; /* all that is to be said, once somebody asked */
    rask_future
        *cause; /* it failed because this one did, or has the result that this one holds; referenced */
    _Atomic(rask_future *) failed_by; /* the first argument that failed; referenced */

    rask_value args[];
};

#define RK_NO_MORE         ((rk_waiter *)-1)
#define RK_FUTURE_TOO_LATE UINT32_MAX

/* Numbers of more arguments than this are its own; those of fewer are everybody's. */
enum { RK_FUTURE_FEW = 16 };

static inline rk_edge *rk_future_edges(const rask_future *future)
{
    return (rk_edge *)(future->args + future->nargs);
}

static inline uint32_t *rk_future_own_words(const rask_future *future)
{
    return (uint32_t *)(rk_future_edges(future) + future->edge_count);
}

/* Bytes of them, in whole pairs. */
static inline size_t rk_future_words_size(uint32_t nargs)
{
    return nargs <= RK_FUTURE_FEW ? 0 : (nargs + (size_t)(nargs & 1)) * sizeof(uint32_t);
}

/* The first: by its call when it is pure. */
static inline rk_meeting *rk_future_meetings(const rask_future *future)
{
    return (rk_meeting *)((char *)rk_future_own_words(future) + rk_future_words_size(future->nargs));
}

/* Futures that are ENDING with their outcome written, each with a reference of the list's: the executor's own, but for those that
 * were READY, which a queue still has; and those that became ready by it, which nobody else sees yet. Zeroed: none. */
struct rk_endings {
    rask_future *first;
    rk_queue ready;
};

/* One of the executor's, in WAITING, with a reference for it and one for the caller, wanted by nobody, and with so many edges, each
 * of which is given what it waits for, and then it is started. ways: in which it may be listed (meet.h). NULL: no memory. */
rask_future *rk_future_new(rk_executor *executor, const rask_task_def *def, uint32_t nargs, uint32_t edges,
                           uint32_t ways);

/* It may be in the program's hands, and so outlive its client. Others, which tasks grew, end before or belong to one that may. */
void rk_future_hold(rask_future *future);

/* Its edge waits for from, which it wants and refers to from here on. alone: nobody else knows either. */
void rk_future_wait_for(rask_future *future, uint32_t edge, rask_future *from, uint32_t argument, bool alone);

/* All its edges are there: true: they have come, and it is the caller's to queue; else it is queued by who brings the last.
 * alone: nobody else knows it, or what it waits for. */
bool rk_future_start(rask_future *future, bool alone);

/* It is READY, alone, was given none of its arguments, and is being called with those of another place: RUNNING. */
void rk_future_start_running(rask_future *future);

/* Instead of that: it ends, and so does the caller's reference. */
void rk_future_abandon(rask_future *future);

/* It has this result, and never ran; instead of rk_future_start(). */
void rk_future_settle(rask_future *future, const rask_value *value);

/* One more refers to it, unless nobody did. */
bool rk_future_try_ref(rask_future *future);
/* One more wants it; false: nobody did any more. */
bool rk_future_want(rask_future *future);
/* One less does. */
void rk_future_unwant(rask_future *future, rk_endings *endings);

/* From one state to ENDING, with a failure; false: it was in another. message: copied; NULL: none. cause: may be NULL. */
bool rk_future_fail(rask_future *future, uint32_t from, int status, const char *message, rask_future *cause,
                    rk_endings *endings);
/* Whatever waits, or stands for another, fails; what runs is told to end. */
void rk_future_abort(rask_future *future, int status, const char *message, rk_endings *endings);

/* All on the list, and what ends with them; what became ready is queued. */
void rk_futures_end(rk_endings *endings);

/* What a call came to. */
typedef struct rk_call_outcome {
    int status;
    uint32_t attempt; /* that it was the last of */
    uint64_t rest_ns; /* how long it has to rest before the next; 0: there is none */
    rask_value result;
    bool counted;    /* the result, in the store */
    rask_node *node; /* in place of a result, with a reference to its graph; NULL: none */
    char message[RK_MAX_MESSAGE + 1];
} rk_call_outcome;

/* How its task is called: its own terms, and those of its executor. */
rk_call_terms rk_future_terms(const rask_future *future);

/* A worker has taken it from a queue: it is run, unless it has ended meanwhile. What became ready by that is queued, but for one that
 * the worker is to run, or to queue, at once: nobody else sees it. NULL: there is none. */
rask_future *rk_future_run(rask_future *future, const rk_seat *seat);

/* It is RUNNING, its call has returned, and its result will be that of root, of which a reference and a want are its own from now on:
 * it is GROWN, or who stood for it stands for root and it ends. edge: for that, its own. met: some of what it waits for by that was
 * not made for it. A reference to future is the caller's. */
void rk_future_become(rask_future *future, rask_future *root, rk_edge *edge, bool met, rk_endings *endings);

/* Calls elsewhere (lend.h), of futures that were taken from a queue, where the executor's store is another's: it is RUNNING from here
 * on, its arguments are in its memory, and it takes nothing that is counted. False: it has ended meanwhile. */
bool rk_future_depart(rask_future *future);
/* That came to this there, and *result is the future's. */
void rk_future_conclude(rask_future *future, int status, const char *message, const rask_value *result);
/* That came to nothing: it is READY again, and is called here. */
void rk_future_come_home(rask_future *future);

/* Adds a waiter; false: it is done already. */
bool rk_future_add_waiter(rask_future *future, rk_waiter *waiter);

/* One more, or less. alone: nobody else counts. */
static inline void rk_count_up(rk_atomic_u32 *count, bool alone)
{
    if (alone)
        rk_store_relaxed(count, rk_load_relaxed(count) + 1);
    else
        rk_add_relaxed(count, 1);
}

static inline void rk_count_down_alone(rk_atomic_u32 *count)
{
    rk_store_relaxed(count, rk_load_relaxed(count) - 1);
}

static inline bool rk_future_is_done(const rask_future *future)
{
    return rk_load_acquire(&future->state) == RK_FUTURE_DONE;
}

#endif
