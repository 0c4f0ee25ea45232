/* core/observe/trace: what a trace keeps, for what is written of it. */
#ifndef RASK_CORE_OBSERVE_TRACE_H
#define RASK_CORE_OBSERVE_TRACE_H

#include "core/base/array.h"
#include "core/base/atomic.h"

#include <pthread.h>
#include <rask/trace.h>

enum {
    RK_TRACE_TRACKS = 4096,     /* more than there are threads that run tasks at once */
    RK_TRACE_RUNS = 65536,      /* kept */
    RK_TRACE_MOVES = 1 << 18,   /* kept, and as many transfers */
    RK_TRACE_FLOWS = 1 << 18,   /* kept */
    RK_TRACE_FLOW_BYTES = 1024, /* of a result that is worth an arrow */
    RK_TRACE_SAMPLES = 1 << 17, /* of memory, kept of a track */
    RK_TRACE_KNOWN = 256,       /* texts that a track knows by their addresses */
};
#define RK_TRACE_TASKS ((uint64_t)1 << 20)
/* Bytes of the tasks of one worker that are kept in one piece of memory: a huge page, where there are some. */
#define RK_TRACE_CHUNK_BYTES ((size_t)2 << 20)

/* What is kept of a task, in a cache line. Name and label are its track's. */
typedef struct rk_trace_task {
    const char *name, *label;
    uint64_t start_ns;
    uint64_t duration_ns : 48, status : 8, attempt : 8; /* the largest there are stand for all beyond */
    uint64_t bytes_in, bytes_out;
    uint32_t task, node;
    uint32_t queued, waited; /* for a worker, then for memory, in steps of RK_TRACE_STEP_NS */
} rk_trace_task;

_Static_assert(sizeof(rk_trace_task) == 64, "a task is a cache line");

enum { RK_TRACE_STEP_NS = 64 };

/* The memory of a run at the end of a task, kept where it is not what it was. */
typedef struct rk_trace_memory {
    uint64_t ns, live_bytes, on_disk;
} rk_trace_memory;

/* A result that a task took in another process than the one where it was made. */
typedef struct rk_trace_flow {
    uint64_t made_ns, taken_ns; /* within the slices of both */
    uint64_t bytes;
    uint32_t from, to; /* workers */
    uint32_t task;     /* whose result */
} rk_trace_flow;

typedef struct rk_trace_chunk {
    struct rk_trace_chunk *next;
    uint32_t count;
    rk_trace_task tasks[(RK_TRACE_CHUNK_BYTES - 64) / sizeof(rk_trace_task)];
} rk_trace_chunk;

/* A text of the graph, and the copy of it. */
typedef struct rk_trace_text {
    const char *from, *to;
} rk_trace_text;

/* Written by the one worker that has its number, without a lock; after the run by whoever ends it. */
typedef struct rk_trace_track {
    rk_trace_chunk *first, *last;
    uint64_t dropped;
    rk_array memory; /* rk_trace_memory */
    rk_trace_memory last_memory;
    rk_trace_chunk *run_chunk; /* where the tasks of the run begin; NULL: with the first, */
    uint32_t run_at;           /* and with which task of it */
    rk_trace_text name, label; /* of the task before */
    rk_trace_text known[RK_TRACE_KNOWN];
    rk_arena strings;
    bool lane; /* for tasks that wait */
    char apart[RK_CACHE_LINE];
} rk_trace_track;

struct rask_trace {
    rask_observer observer;
    rk_atomic_u64 current;     /* the run that is observed; 0: none */
    rk_atomic_u64 free_chunks; /* that may still be taken */
    rk_atomic_u64 skipped, left_out;
    rk_trace_track *tracks[RK_TRACE_TRACKS]; /* by worker; NULL: ran nothing */
    rk_array runs;                           /* rask_run_info, without plans */
    pthread_mutex_t lock;                    /* of moves */
    rk_array moves;                          /* rask_move_info */
    uint64_t moves_dropped;
    rk_array transfers;         /* rask_transfer_info; also under the lock */
    rk_array workers;           /* rask_worker_info of the run, of those that came; under the lock */
    rk_array flows;             /* rk_trace_flow */
    uint64_t flows_dropped;     /* and transfers */
    rk_atomic_u64 string_bytes; /* of all tracks; above a ceiling texts are question marks */
};

/* Calls see for every task that is kept, track by track. */
typedef void rk_trace_visit(void *context, uint32_t worker, const rk_trace_task *task);
void rk_trace_each(const rask_trace *trace, rk_trace_visit *visit, void *context);

/* Before what the run's tasks point to ends: adds what went from process to process. Without memory: less. */
void rk_trace_add_flows(rask_trace *trace, const rask_run_info *run);

static inline uint64_t rk_trace_end(const rk_trace_task *task)
{
    return task->start_ns + task->duration_ns;
}

#endif
