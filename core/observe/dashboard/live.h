/* core/observe/dashboard/live: what a live page tells, counted while runs go on.
 *
 * Each worker counts in a track of its own, which nobody else writes: a task costs a few stores, no lock, and no line of memory
 * that another core wants. Who asks (rk_live_gather) adds the tracks up, at most some times a second; what it makes of them
 * stands under the lock. Names and labels of tasks are the run's: what is kept of them is copied before run_ended returns. */
#ifndef RASK_CORE_OBSERVE_DASHBOARD_LIVE_H
#define RASK_CORE_OBSERVE_DASHBOARD_LIVE_H

#include "core/base/array.h"
#include "core/base/atomic.h"
#include "core/plan/plan.h"

#include <pthread.h>
#include <rask/observe.h>

enum {
    RK_LIVE_TRACKS = 4096, /* more than there are threads that run tasks at once */
    RK_LIVE_SLOTS = 64,   /* names that a worker tells apart, in a table that is never full; a power of two */
    RK_LIVE_SLICES = 256, /* that a worker is ahead of whoever gathers; a power of two */
    RK_LIVE_NAMES = 128,  /* told apart; all further ones are one */
    RK_LIVE_LINKED = 48,  /* of more names nobody could follow who takes from whom */
    RK_LIVE_FAILURES = 100,          /* kept with their messages; all are counted */
    RK_LIVE_TEXT = 120,              /* bytes of a name or label that are kept, */
    RK_LIVE_MESSAGE = 400,           /* and of a message */
    RK_LIVE_HISTORY = 600,           /* samples over the time of the page; a power of two is not needed */
    RK_LIVE_CHUNKS = 300,            /* of slices that a page which comes late is given, */
    RK_LIVE_CHUNK_BYTES = 512 << 10, /* and their bytes together */
    RK_LIVE_HOST = 64,
};

typedef _Atomic(const char *) rk_atomic_text;

/* Tasks of one name on one worker. */
typedef struct rk_live_slot {
    rk_atomic_text name; /* NULL: free */
    rk_atomic_u64 done, failed, total_ns, bytes;
} rk_live_slot;

/* Something that a worker did: a task, or short ones that came one after the other, as the longest of them. */
typedef struct rk_live_slice {
    rk_atomic_text name, label;
    rk_atomic_u64 start_ns, end_ns, busy_ns;
    rk_atomic_u32 count, failed;
} rk_live_slice;

/* Of one worker, which alone writes it, but for what the gatherer has. */
typedef struct rk_live_track {
    char before[RK_CACHE_LINE];
    rk_atomic_u64 done, failed, retries, grown, busy_ns, bytes;
    rk_atomic_text running, running_label; /* NULL: idle, or told of when it is over */
    rk_atomic_u64 since_ns;
    rk_atomic_bool lane;  /* for tasks that wait */
    rk_atomic_u32 thread; /* its number for the system; 0: not known */
    rk_atomic_u32 slice;  /* the next that will be whole; those before it, as far as they fit, are */
    bool open;            /* that one has begun */
    uint64_t longest_ns;  /* of its tasks the longest */
    rk_live_slot slots[RK_LIVE_SLOTS];
    rk_live_slot others;
    uint32_t used; /* slots */
    rk_live_slice slices[RK_LIVE_SLICES];
    char behind[RK_CACHE_LINE];
    /* The gatherer's. */
    uint32_t seen; /* slices */
    uint64_t busy_then, cpu_then;
    float busy, cpu; /* shares of a core lately; -1: not known */
} rk_live_track;

typedef struct rk_live_name {
    char text[RK_LIVE_TEXT];
    uint64_t expected;                                    /* by plans */
    uint64_t past_done, past_failed, past_ns, past_bytes; /* of runs that are over */
    uint64_t done, failed, running, total_ns, bytes;      /* of all */
} rk_live_name;

typedef struct rk_live_link {
    uint32_t from, to; /* names */
    uint64_t count;
} rk_live_link;

typedef struct rk_live_failure {
    char name[RK_LIVE_TEXT], label[RK_LIVE_TEXT], message[RK_LIVE_MESSAGE];
    uint64_t run, ns;
    uint32_t task, node, worker;
    int status;
} rk_live_failure;

/* Of worker processes of the last run: what schedulers tell of them. */
typedef struct rk_live_worker {
    uint32_t first, count; /* threads, as tasks name them; 0: not known */
    uint32_t numbers;      /* with lanes and helpers */
    uint64_t process;      /* 0: elsewhere */
    char host[RK_LIVE_HOST];
    bool lost;
    char reason[RK_LIVE_TEXT];
    uint64_t rss, cpu_then;
    float cpu;
} rk_live_worker;

typedef struct rk_live_sample {
    uint64_t ns, done, live_bytes, spilled_bytes, rss;
} rk_live_sample;

/* Slices as JSON, as they came together. */
typedef struct rk_live_chunk {
    char *text; /* "[…],[…]", open_memstream's */
    size_t len;
    uint64_t number; /* from 1 */
} rk_live_chunk;

typedef struct rk_live {
    rask_observer observer;
    rk_atomic_u64 current; /* the run that is told of; 0: none */
    rk_atomic_u64 live_bytes, spilled_bytes, skipped, untracked, left_out, moves, moved_bytes;
    rk_atomic_u64 died;         /* tasks that failed, and no worker could say so */
    rk_atomic_u32 failure_room; /* failures that are still kept */
    rk_atomic_u64 least_ns;     /* a slice is not shorter when another one follows */
    rk_atomic_bool own_threads; /* workers are threads of this process, and tell of tasks themselves */
    _Atomic(rk_live_track *) tracks[RK_LIVE_TRACKS];

    pthread_mutex_t lock; /* of all that follows */
    uint64_t origin_ns;
    uint64_t runs, tasks; /* begun; in their plans */
    rask_run_info run;    /* the last; plan is NULL once it was looked at */
    uint64_t budget;
    int status; /* of the last run that ended with a failure; RASK_OK: none did */
    char message[RK_LIVE_MESSAGE];
    bool finished; /* no run will follow */
    rk_live_name *names;
    uint32_t name_count;
    rk_live_link *links;
    uint32_t link_count;
    uint64_t plans; /* looked at: links are others then */
    rk_live_failure *failures;
    uint32_t failure_count;
    rk_array workers;      /* rk_live_worker */
    uint64_t joined, lost; /* of all runs */
    rk_live_sample *history;
    uint32_t history_count;
    uint64_t history_every_ns, history_next_ns;
    rk_live_chunk chunks[RK_LIVE_CHUNKS];
    uint64_t chunk_last; /* number of the newest; 0: none */
    size_t chunk_bytes;
    /* As last gathered. */
    uint64_t gathered_ns, looked_ns, done, failed, retries, grown, bytes, running, rss, peak_bytes;
    double per_second;
    uint64_t rate_ns, rate_done;
} rk_live;

/* RASK_OK or RASK_ENOMEM; fini is legal all the same. */
int rk_live_init(rk_live *live);
void rk_live_fini(rk_live *live);

/* Adds up what is there. Under the lock. */
void rk_live_gather(rk_live *live);

/* The place of a name, made when it is new. Under the lock. */
uint32_t rk_live_place(rk_live *live, const char *name);

/* Counts names of a plan, and who takes from whom. Under the lock. Without memory: no links. */
void rk_live_walk(rk_live *live, const rask_plan *plan);

/* A copy with at most capacity - 1 bytes, cut between characters. */
void rk_live_copy(char *to, size_t capacity, const char *text);

#endif
