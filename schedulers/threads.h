/* schedulers/threads: what the scheduler (threads.c) and its threads (pool.c) know of each other. */
#ifndef RASK_SCHEDULERS_THREADS_H
#define RASK_SCHEDULERS_THREADS_H

#include "schedulers/deque.h"
#include "schedulers/heap.h"
#include "schedulers/scheduler.h"

typedef struct rk_seat {
    rk_deque deque;
    rk_atomic_u64 unit_ns; /* estimate of a unit's length; 0: none yet. Written by who sits here */
    uint32_t overflow;     /* ready units that found no room in the deque */
    uint32_t countdown, interval;
    uint64_t mark_ns;
    uint64_t random;
    bool taken; /* under the pool's lock */
    rk_worker worker;
} rk_seat;

/* What a session is doing. Changed under the pool's lock, but for SHARED to GATHERING by the owner. */
enum rk_phase {
    RK_SHARED,    /* work stealing */
    RK_GATHERING, /* the cursor stands still: what it has passed is finished, and guests leave; the sentinel
                   * ends it when that takes long */
    RK_BURST,     /* the owner alone, in plan order */
    RK_BREAKING,  /* the sentinel is ending a burst in which nothing moves */
};

typedef struct rk_session {
    rk_run *run;
    rk_seat *seats;
    uint32_t seat_count;
    void *seat_memory;
    rk_atomic_bool done;   /* the end was reached */
    rk_atomic_u64 wake_ns; /* work worth waking somebody for */
    rk_atomic_u32
        injected; /* units that lanes made ready, linked through join; changed under the pool's lock */
    rk_atomic_bool owner_parked;
    char apart[RK_CACHE_LINE]; /* what all read above is not disturbed by what all write below */
    rk_atomic_u32 cursor;      /* units below were passed */
    rk_atomic_u32 phase;

    /* Of a burst. */
    rk_atomic_u32 position; /* the unit that runs or is about to; units below are finished */
    rk_atomic_bool broken;  /* the sentinel wants it to end */
    uint32_t broken_at;     /* the position it found; set before phase is SHARED again */
    uint32_t seen_position; /* the sentinel's, from its last look: position, or cursor when GATHERING */
    uint64_t trust;         /* units that must have been short before the next burst */
    uint64_t shared_since;  /* cursor when sharing began */
    bool bursting;          /* the owner's: it is at it, and none of its units may be put off */
    rk_atomic_u32 away;     /* units that are put off, where none passes a gate: then there is no burst */

    rk_atomic_u64 next_due_ns; /* when the first of the units that rest is due; 0: there is none */

    /* Under the pool's lock. */
    rk_heap rests;              /* units by the time at which they are due */
    uint32_t io_first, io_last; /* I/O units that are ready, linked through join */
    uint32_t io_running;
    uint32_t guests;  /* threads of the pool that know the session */
    uint32_t helpers; /* those of them that have no seat, and run what its tasks grew */
    pthread_cond_t owner_wake;
    struct rk_session *next, *previous;
} rk_session;

static inline bool rk_session_is_done(const rk_session *session)
{
    return rk_load_acquire(&session->done);
}

/* threads.c, called by the pool and bursts. */

/* The end was reached. */
void rk_session_finish(rk_session *session);
/* Releases what waits for unit. The first unit in plan order that became ready, for the worker to run next,
 * or RK_NO_UNIT; the others are in its deque. */
uint32_t rk_session_release(rk_session *session, rk_seat *seat, uint32_t unit);
/* Puts a unit that is ready into the deque of who sits in seat, and calls this. */
void rk_session_hold(rk_session *session, rk_seat *seat, uint32_t unit);
/* Makes the cursor one more predecessor of every unit from … on. */
void rk_session_count_cursor(rk_session *session, uint32_t from);

/* Executes units until none is found for a while; how many it were. */
uint64_t rk_session_work(rk_session *session, rk_seat *seat);
/* Executes a unit; false: it is put off, or rests, and is released later. */
bool rk_session_run_unit(rk_session *session, rk_worker *worker, uint32_t unit);
/* Releases what waits for a unit that a lane executed, or that was put off. */
void rk_session_release_from_lane(rk_session *session, uint32_t unit);
bool rk_session_has_work(const rk_session *session);
/* Some unit that rests is to be executed again. */
bool rk_session_has_due(const rk_session *session);
/* A woken thread found so many units and was here so long. */
void rk_session_judge_wake(rk_session *session, uint64_t units, uint64_t ns);

/* burst.c */

/* Units are so short, and so many are left, that the owner had better run them alone. */
bool rk_burst_pays(const rk_session *session, uint64_t unit_ns);
/* The owner, in phase BURST: runs units in plan order until all are done, or until sharing pays again. */
void rk_burst(rk_session *session);
/* A burst did not pay, or did not come about: the next needs twice as many short units before it. */
void rk_session_distrust(rk_session *session);
/* The sentinel, who took the session from BURST to BREAKING: back to SHARED, while the owner is in a long
 * unit. */
void rk_burst_break(rk_session *session);

/* pool.c, called by the scheduler. */

/* The session is open for threads of the pool. */
void rk_pool_enter(rk_session *session);
/* It is done: returns when no thread of the pool knows it any more. */
void rk_pool_leave(rk_session *session);
/* Sleeps until the session is done or may have work for its owner. Executes an I/O unit itself when no lane
 * can be had. */
void rk_pool_park_owner(rk_session *session);
/* The owner, in phase GATHERING and out of work: waits a little for the guests to leave, and changes to
 * BURST. False when it did not: a guest is in a long unit, then the phase is SHARED again; or there is work
 * again. */
bool rk_pool_gather(rk_session *session);
/* The owner, in a burst: to BREAKING, so that the sentinel keeps away; false when he has it already. */
bool rk_pool_end_burst(rk_session *session);
/* From BREAKING back to SHARED. */
void rk_pool_share(rk_session *session);
/* Somebody sleeps who could help, or could be created. Call after making work visible. */
bool rk_pool_may_wake(const rk_session *session);
void rk_pool_wake(rk_session *session);
/* The same after making visible what tasks grew, which takes no seat. */
void rk_pool_wake_for_growth(rk_session *session);
/* Somebody asleep looks around on his own: a wake-up may be held back. */
bool rk_pool_has_sentinel(void);
void rk_pool_wake_owner(rk_session *session);
void rk_pool_push_io(rk_session *session, uint32_t unit);
void rk_pool_push_injected(rk_session *session, uint32_t unit);
/* A unit is to be executed again when this is due; without memory for that, at once. */
void rk_pool_push_rest(rk_session *session, uint32_t unit, uint64_t due_ns);
/* One that is due, or all are because the run is to stop. RK_NO_UNIT when there is none. */
uint32_t rk_pool_pop_due(rk_session *session);
/* RK_NO_UNIT when there is none. */
uint32_t rk_pool_pop_injected(rk_session *session);

#endif
