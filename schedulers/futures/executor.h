/* schedulers/futures/executor: where futures that are ready wait for a worker, and find one.
 *
 * An executor has a bench for each worker, and queues of what was submitted from outside: one for each thread that submits,
 * taken from in turn, so that nobody waits for another's million. A worker takes what it made ready itself last (depth
 * first, so that few results are held), now and then something from outside in between, and when it has nothing, from the other end
 * of another's bench. What has a priority of its own is in a heap that is asked first, or, below zero, last.
 *
 * Who wakes whom: what is ready is made visible, and then, unless somebody seeks, a sleeper is made a seeker and woken. Who
 * seeks no more, to sleep or with something found, says so and then looks once more: for something to do, or for more than it
 * can do alone, which is another's to be woken for (all sequentially consistent). */
#ifndef RASK_SCHEDULERS_FUTURES_EXECUTOR_H
#define RASK_SCHEDULERS_FUTURES_EXECUTOR_H

#include "core/base/slab.h"
#include "core/store/store.h"
#include "schedulers/futures/admission.h"
#include "schedulers/futures/circle.h"
#include "schedulers/futures/future.h"
#include "schedulers/futures/meet.h"
#include "schedulers/futures/ranking.h"
#include "schedulers/futures/resting.h"
#include "schedulers/futures/sources.h"

#define RK_NO_WORKER UINT32_MAX

/* How many futures came to be, and how many of them are done, by who counts. */
typedef struct rk_tally {
    rk_atomic_u64 made, ended;
} rk_tally;

/* Sizes of futures: up to the first, the second, … */
enum { RK_SLABS = 3, RK_SLAB_LEAST = 264, RK_SLAB_STEP = 120 };

/* What lies ready for what grows: no more than a pile is high of each. */
typedef struct rk_spares {
    struct rk_piece *pieces;
    rask_graph *graphs;
    uint32_t piece_count, graph_count;
} rk_spares;

typedef struct rk_bench {
    rk_tally tally;
    pthread_mutex_t lock;
    rk_queue ready;
    rk_atomic_u32 count;
    rk_atomic_u32 turn; /* of its worker */
    rask_future *apart; /* that is being called apart */
    rk_spare_graph spare;

    /* What grew there and is called there (piece.h); under piles_lock, but for open, which others look at. */
    pthread_mutex_t sowing; /* of who makes futures of it, outside of piles_lock, which is taken within */
    rk_spin piles_lock;
    rk_atomic_u32 open; /* pieces of which others could do some */
    struct rk_pile *piles;
    rk_spares spares;
    rk_slabs slabs[RK_SLABS]; /* for futures that its worker makes */
    char padding[RK_CACHE_LINE];
} rk_bench;

/* What is waited for. */
typedef struct rk_awaited {
    bool (*holds)(void *what);
    void (*watch)(void *what); /* sees to it that futures which make it hold are watched; NULL: they are */
    void *what;
    bool shortly;               /* it may come to hold unnoticed, so that it is to be asked often */
    struct rk_several *several; /* whose executors are helped meanwhile; NULL: the one that is awaited is */
} rk_awaited;

struct rk_executor {
    rk_tally tally;     /* of all who are no workers */
    rk_atomic_u32 refs; /* of futures that hold it, too */
    char padding[RK_CACHE_LINE];

    rask_options options; /* resolved */
    rask_run_info info;   /* what observers are told of it */
    rk_task_env env;      /* of all: closing stops it */
    rk_store *store;
    bool own_store;
    char *scratch; /* the folder of its own store, which is read from as long as there are futures */
    rk_gate *gate; /* of what is counted; the executor's from when it is set, unless it is shared */
    bool shares_gate;
    bool counted_elsewhere;    /* the gate knows names, and nothing of what others take: */
    const rk_permits *permits; /* who is asked; NULL: nobody can be */
    uint32_t bench_count;
    rk_bench *benches;
    char read_only[RK_CACHE_LINE];

    rk_meetings meetings;
    rk_circles circles;
    rk_resting resting;
    rk_sources sources;       /* what was submitted from outside */
    rk_slabs slabs[RK_SLABS]; /* and what it is made of */

    pthread_mutex_t lock;        /* of what follows */
    pthread_cond_t work, io;     /* for sleepers */
    rk_ranking ranked;           /* by priority, */
    rk_atomic_u32 express, late; /* how many of them above zero, and below */
    rk_queue io_ready;
    uint32_t io_waiting;
    rk_atomic_u32 sleepers, seekers; /* workers without work: asleep, or awake and looking for some */
    uint32_t woken;                  /* seekers that do not know yet that they are no sleepers any more */
    uint32_t io_sleepers, lanes;
    uint64_t watch_ns; /* until when one of them sleeps at most, for the sake of what rests; 0: nobody does */
    rk_atomic_bool closed;
    rk_atomic_bool
        may_circle;         /* a pure call has grown: others may be waiting for themselves by it (circle.h) */
    rk_atomic_u32 watching; /* who waits for a future, and has nothing to do meanwhile */
    rk_atomic_u64 retries;  /* calls repeated that nobody has taken account of */

    /* Who waits for futures. */
    pthread_mutex_t done_lock;
    pthread_cond_t done;
    rk_atomic_bool drain_watched;

    /* Set by who has threads or others to wake (something is ready, or rests), lanes, or other places for calls; may be NULL. Called without a lock. */
    void (*wake)(void *context);
    void (*want_lane)(void *context);
    /* Set where nobody works but who waits: runs something that is ready, and what becomes ready by it, unless that holds. False:
     * there is nothing, or another thread is at it. */
    bool (*run_some)(void *context, const rk_awaited *until);
    void (*let_in)(void *context, uint32_t unit); /* a unit that waited at the same gate may run */
    void (*gate_changed)(void *context);          /* more is wanted there, or less: others count, too */
    void *gate_context;
    void *context;
    void (*call_apart)(rask_future *future, rk_call_outcome *outcome);
    uint32_t first_number; /* of workers, as tasks that are called apart see them */
};

/* options are resolved. store: somebody's, which outlives it; NULL: one of its own. outer: stops it, too; may be NULL. NULL: no
 * memory. */
rk_executor *rk_executor_new(const rask_options *options, uint32_t workers, rk_store *store,
                             const rk_task_env *outer);
rk_executor *rk_executor_ref(rk_executor *executor);
void rk_executor_unref(rk_executor *executor);

/* Who runs a future: whose bench it takes from (RK_NO_WORKER: none), and as whom tasks know it. until: what it waits for
 * meanwhile; NULL: nothing. */
struct rk_seat {
    uint32_t bench, number;
    const rk_awaited *until;
};

/* The number of one more future, which no other of its futures has; of those that one thread makes it ascends. */
uint64_t rk_executor_number(rk_executor *executor);

/* Memory for a future that the calling thread makes: rk_slab_free(). */
void *rk_executor_alloc(rk_executor *executor, size_t size);

/* A future is ready: to the worker's own bench, or to the caller's queue when it is none (RK_NO_WORKER). */
void rk_executor_push(rk_executor *executor, rask_future *future);
/* All of these, the first of which is to run first. */
void rk_executor_push_all(rk_executor *executor, rk_queue *ready);
/* The same, but for the first, if the caller is a worker who may run it next; else NULL. */
rask_future *rk_executor_take_next(rk_executor *executor, rk_queue *ready);
/* It is RUNNING, and its next call is due only then, or as soon as nothing is called any more: it is READY, and may be anybody's from
 * here on. False: no memory; nothing happened. */
bool rk_executor_rest(rk_executor *executor, rask_future *future, uint64_t due_ns);
/* One that was let in where things are counted has run, or will not; and one has ended that may not have been let in yet. */
void rk_executor_leave(rk_executor *executor, rask_future *future);
void rk_executor_withdraw(rk_executor *executor, rask_future *future);
/* Those who were let in by somebody who left its gate, linked by next. */
void rk_executor_let_in(rk_executor *executor, rk_gate_waiter *first);
/* Runs one that is ready, as this worker, and of what that grows what begins within some microseconds: for who has other things to do.
 * False: there is none. */
bool rk_executor_run_one(rk_executor *executor, uint32_t worker);
/* And then what becomes ready by it, and so on for a while, unless others come first. until: not when it holds; NULL: nothing. */
bool rk_executor_run_on(rk_executor *executor, uint32_t worker, const rk_awaited *until);
/* One that is I/O. */
bool rk_executor_run_io(rk_executor *executor, uint32_t worker);
/* How many are ready, or more: some of a pile count for one. */
uint32_t rk_executor_backlog(rk_executor *executor);
static inline bool rk_executor_has_work(rk_executor *executor)
{
    return rk_executor_backlog(executor);
}
/* For somebody who is no worker: of what is ready, and would be taken last by the worker that made it ready, the first that may go
 * elsewhere. NULL: there is none. */
rask_future *rk_executor_take_oldest(rk_executor *executor,
                                     bool (*may)(const void *context, const rask_future *future),
                                     const void *context);
/* The worker may go on with what it made ready itself: it is not the turn of others. */
bool rk_executor_may_go_on(rk_executor *executor, uint32_t worker, const rk_awaited *until);
/* Nothing new is called any more: RASK_ECANCELLED, and why (RK_MAX_MESSAGE + 1 bytes); else RASK_OK. */
int rk_executor_stopped(rk_executor *executor, char *message);
/* So many calls were repeated; and how many since this was asked last. */
static inline void rk_executor_note_retries(rk_executor *executor, uint64_t count)
{
    if (__builtin_expect(count != 0, 0))
        rk_add_relaxed(&executor->retries, count);
}
uint64_t rk_executor_take_retries(rk_executor *executor);
/* Something is ready, where all can see it: somebody who sleeps is to look. */
void rk_executor_wake(rk_executor *executor);
/* There are several workers, and soon some will have nothing to do. */
bool rk_executor_is_hungry(rk_executor *executor);

/* The calling thread is this worker of the executor, or in one of its lanes, until it is told otherwise; what it was before. */
typedef struct rk_place {
    rk_executor *executor;
    uint32_t worker; /* whose bench it takes from; RK_NO_WORKER: a lane */
    uint32_t number; /* as tasks and observers know the thread: no other has it */
    bool lane;       /* as observers know it: for tasks that wait */
} rk_place;
rk_place rk_executor_sit(rk_place place);
/* The calling thread's; its executor is NULL when it has none in this one. */
rk_place rk_executor_place(const rk_executor *executor);
/* The calling thread's number in the executor, or RK_NO_WORKER. */
uint32_t rk_executor_worker(const rk_executor *executor);
/* Where a graph may lie for tasks that the calling thread runs; NULL: nowhere. */
rk_spare_graph *rk_executor_spare(rk_executor *executor);

/* Sleeps until there is something to run, or to run in a lane, or until it is closed. */
void rk_executor_sleep(rk_executor *executor);
void rk_executor_sleep_io(rk_executor *executor);
/* The worker calls this future apart; NULL: it has returned. */
void rk_executor_note_apart(rk_executor *executor, uint32_t worker, rask_future *future);
/* What runs is told to end; what has not begun fails when it is to be run. */
void rk_executor_close(rk_executor *executor);

/* That the future is done. */
rk_awaited rk_awaited_future(rask_future *future);
/* Returns when the future is done; deadline_ns 0: whenever that is. False: it was too late. */
bool rk_executor_wait(rk_executor *executor, rask_future *future, uint64_t deadline_ns);
/* Nothing is live any more. */
bool rk_executor_drain(rk_executor *executor, uint64_t deadline_ns);
/* Where nobody works but who waits: returns when the future is done, nothing is ready and nothing rests. */
void rk_executor_settle(rk_executor *executor, rask_future *future);
/* One of its futures is done. watched: somebody sleeps until then. */
void rk_executor_note_end(rk_executor *executor, bool watched);

/* Whoever waits until then (NULL: for nothing) runs something here, where it may: as a worker, or where nobody works but who waits.
 * False: there is nothing to be run. */
bool rk_executor_help(rk_executor *executor, const rk_awaited *awaited, uint64_t deadline_ns);
/* Returns when it holds; a worker works meanwhile. False: deadline_ns (0: none) came first. */
bool rk_executor_await(rk_executor *executor, const rk_awaited *awaited, uint64_t deadline_ns);

/* The futures of a node of a graph (sow.c), with this added to their priorities. origin: of the task that grew it; NULL: it was
 * submitted. A reference and a want are the caller's, and a handle when it was submitted, as are, to queue, those that are added to ready. NULL: no memory. */
rask_future *rk_executor_sow(rk_executor *executor, rask_node *node, const uint32_t *origin, int32_t priority,
                             rk_queue *ready);
/* The same. *met: set when some of them were there before, and are not done. */
rask_future *rk_executor_sow_grown(rk_executor *executor, rask_node *node, const uint32_t *origin,
                                   int32_t priority, rk_queue *ready, bool *met);

#endif
