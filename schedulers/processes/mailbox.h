/* schedulers/processes/mailbox: how the program's process and a thread that executes units talk: queues in shared memory.
 *
 * A mailbox has a queue of orders (to the thread), one of addresses that are free again (to it), and one of news (from
 * it). Each has one writer and one reader, and a message counts from the moment its writer moves its end, so that a
 * death at any point leaves whole messages. The program's process waits for no queue: it never has more orders under
 * way than the queue holds, and keeps addresses back that find no room.
 *
 * An order is taken by changing its kind, so that the program's process can take it back as long as it waits.
 *
 * A unit may hold as many bytes of shared memory as its order says. The thread that needs more for it says how much, and
 * sleeps until that is answered. */
#ifndef RASK_SCHEDULERS_PROCESSES_MAILBOX_H
#define RASK_SCHEDULERS_PROCESSES_MAILBOX_H

#include "core/base/atomic.h"

#include <rask/value.h>

enum { RK_ORDERS = 1024, RK_FREED = 1024, RK_NEWS = 512 };

enum rk_order_kind {
    RK_ORDER_TAKEN, /* by the thread, or taken back */
    RK_ORDER_RUN,   /* a unit */
    RK_ORDER_CALL,  /* a single call: crew.h */
    RK_ORDER_LEAVE, /* no more orders: end */
};

typedef enum rk_news_kind {
    RK_NEWS_READY,     /* the worker is set up */
    RK_NEWS_FINISHED,  /* a unit came to its result */
    RK_NEWS_GROWN,     /* a unit, or a single call, came to nodes: the parcel has them (core/graph/wrap.h) */
    RK_NEWS_BACKS_OFF, /* a unit is to be run again after a while, for its first task has failed */
    RK_NEWS_FAILED,    /* a unit, or the worker's set-up (unit RK_NO_UNIT): text has the message */
    RK_NEWS_SKIPPED,   /* a unit was not called: it needs what failed, or the run is being stopped */
    RK_NEWS_GIVEN_UP,  /* a unit was given no more memory, and holds nothing: it may be run again */
} rk_news_kind;

typedef struct rk_news {
    uint32_t kind; /* a rk_news_kind */
    uint32_t unit;
    int32_t status;    /* of a failure */
    uint32_t task;     /* that failed */
    uint32_t finished; /* tasks of the unit that came to their result */
    uint32_t retries;
    bool kept;         /* somebody in the process still refers to arguments of the unit */
    rask_value result; /* a scalar, or none with a parcel */
    uint64_t parcel;   /* address of the result as a parcel; 0: it is a scalar */
    uint64_t text;     /* address of a failure's message; 0: none */
    uint64_t story;    /* address of an rk_story; 0: nobody observes */
    uint64_t duration_ns;
    uint64_t rest_ns; /* before it is run again, */
    uint32_t tries;   /* and how often its first task was called */
} rk_news;

typedef struct rk_mailbox {
    /* Written by the program's process. */
    rk_atomic_u32 orders_end, freed_end, news_begin;
    char apart1[RK_CACHE_LINE - 24];
    rk_atomic_u64 granted;           /* bytes, instead of what was asked; 0: none */
    rk_atomic_u64 orders[RK_ORDERS]; /* kind << 32 | unit; the kind is changed by who takes it */
    uint64_t allowed[RK_ORDERS];     /* bytes, of each */
    uint64_t freed[RK_FREED];
    /* Written by the thread. */
    rk_atomic_u32 orders_begin, freed_begin, news_end;
    rk_atomic_u32 asleep;    /* 1: it waits for orders; the program's process sets it to 0 and wakes it */
    rk_atomic_u64 current;   /* one more than the unit it is at; 0: none */
    rk_atomic_u64 since_ns;  /* when it began with that, or with a call of it that may be timed */
    rk_atomic_u64 wanted;    /* bytes for the unit it is at */
    rk_atomic_u64 reclaimed; /* bytes of extents that were free again, and are its heap's */
    rk_atomic_u32
        asks; /* 1: it waits for an answer to that; the program's process sets it to 0 and wakes it */
    rk_atomic_u32 present; /* the thread has come */
    rk_atomic_u32
        task; /* when somebody observes: one more than the task of its unit that it is at; 0: none, */
    rk_atomic_u64 task_ns; /* and when that began */
    char apart2[2 * RK_CACHE_LINE - 72];
    rk_news news[RK_NEWS];
} rk_mailbox;

/* -- The program's side */

/* There is room for an order. */
bool rk_mailbox_has_room(const rk_mailbox *box);
/* Adds an order; its place, for rk_mailbox_take_back(). allowed: bytes that the unit may hold. */
uint32_t rk_mailbox_order(rk_mailbox *box, uint32_t kind, uint32_t unit, uint64_t allowed);
/* Takes an order back that waits at that place; false: the thread has it. */
bool rk_mailbox_take_back(rk_mailbox *box, uint32_t place, uint32_t unit);
/* False: there is no room now. */
bool rk_mailbox_free(rk_mailbox *box, uint64_t address);
/* The oldest news; false: none. */
bool rk_mailbox_read(rk_mailbox *box, rk_news *news);
/* The bytes that the thread asks for; 0: it does not. */
uint64_t rk_mailbox_asked(const rk_mailbox *box);
/* And as many as it is allowed; 0: none more. */
void rk_mailbox_answer(rk_mailbox *box, uint64_t granted);

/* -- The thread's side */

/* The next order that was not taken back: its kind; 0: none. */
uint32_t rk_mailbox_next(rk_mailbox *box, uint32_t *unit, uint64_t *allowed);
/* An address that is free again; 0: none. */
uint64_t rk_mailbox_next_freed(rk_mailbox *box);
/* False: there is no room now. */
bool rk_mailbox_tell(rk_mailbox *box, const rk_news *news);
/* The unit needs so many bytes altogether. Then the program's process is told, and the answer waited for: */
void rk_mailbox_ask(rk_mailbox *box, uint64_t bytes);
/* The thread does without; false: it was answered. */
bool rk_mailbox_unask(rk_mailbox *box);
/* How many orders wait, with those that were taken back. */
uint32_t rk_mailbox_waiting(const rk_mailbox *box);

#endif
