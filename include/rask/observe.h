/* rask/observe.h: being told what runs. Progress, traces, profiles, reports and coloured drawings are made of
 * these callbacks and nothing else. docs/observing.md is the guide. */
#ifndef RASK_OBSERVE_H
#define RASK_OBSERVE_H

#include <rask/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Instead of a number: the task stands in no plan. */
#define RASK_NO_TASK UINT32_MAX
/* Instead of a number: it was no worker. */
#define RASK_NO_WORKER UINT32_MAX

/* A task as observers see it. Strings are valid until run_ended has returned. Later versions may add fields at the
 * end of this and the next two structures, which only the library makes. */
typedef struct rask_task_info {
    uint32_t task; /* number in the plan: 0 … tasks - 1, in the order one worker would run them. RASK_NO_TASK:
                    * no plan has it, since a client was given it or another task grew it; what is told of
                    * such a task belongs together by node */
    uint32_t node; /* rask_node_id() of the node it came from, in whatever graph that is; UINT32_MAX: none */
    const char *name;
    const char *label; /* "" when it has none */
    uint32_t worker;   /* who ran it; UINT32_MAX before it started */
    int status; /* RASK_OK, or why it failed; RASK_ECANCELLED when it was never called or, on other processes, given up */
    uint32_t attempt;
    uint64_t ready_ns, start_ns, end_ns; /* monotonic clock; 0: not yet */
    uint64_t bytes;                      /* size of its result */
    uint64_t run;                        /* rask_run_info.run of the run it belongs to */
    uint64_t bytes_in;                   /* sizes of its arguments that other tasks made, together */
    uint64_t waited_ns;  /* of the time before its start: its worker was held up for want of memory */
    uint64_t live_bytes; /* when it finished: of the budget, what results in memory and running tasks took, */
    uint64_t
        spilled_bytes; /* and of results, what was on disk and not in memory; both 0 on clusters: not known */
    uint32_t
        grown_by; /* where task is RASK_NO_TASK: the task of the plan that it grew from, itself or by what that
                             * grew; RASK_NO_TASK: a client was given it, or what it grew from */
    const char *message; /* of one that failed, valid during the call; NULL, or "": none is known yet */
    bool lane; /* the worker is a lane for tasks that wait (RASK_IO): none of rask_run_info.workers */
} rask_task_info;

typedef struct rask_run_info {
    uint32_t tasks;   /* in the plan */
    uint32_t workers; /* threads that compute: lanes are not counted, and no range of numbers is theirs */
    const char *scheduler;
    uint64_t start_ns, end_ns; /* end is 0 until the run ended */
    int status; /* of the run, at its end; RASK_OK, too, of one that is begun anew: with tasks never called */
    uint64_t
        peak_bytes; /* high-water mark of the memory budget, at the end; on clusters of the worker that held most */
    uint64_t run; /* its number among the runs of this process, from 1 */
    const struct rask_plan
        *plan;       /* what runs, valid until run_ended has returned; NULL: no plan, but a client */
    uint64_t memory; /* the budget that was asked for; 0: the default */
} rask_run_info;

/* A result went to disk, came back, or was made again after it had been dropped. */
typedef enum rask_move { RASK_MOVE_SPILLED, RASK_MOVE_READ_BACK, RASK_MOVE_REMADE } rask_move;

typedef struct rask_move_info {
    uint64_t run;
    rask_move move;
    uint32_t task; /* whose result */
    int status;    /* RASK_OK, or why it failed */
    uint64_t start_ns, end_ns;
    uint64_t bytes;
    uint64_t live_bytes, spilled_bytes; /* as of tasks, about when it was done */
} rask_move_info;

/* Of schedulers whose workers are processes: one of them came, was lost, or was not let in. */
typedef struct rask_worker_info {
    uint64_t run;
    bool lost;             /* with what it ran; false: it came */
    uint32_t first, count; /* threads that compute, as tasks have them: first … first + count - 1 */
    uint64_t process;      /* its number for the system; 0: it is on another machine, or may be */
    const char *host;      /* "": this one. Both texts are valid during the call */
    const char *reason;    /* of one that was lost, or not let in; "" */
    uint32_t numbers;      /* with lanes and helpers: first … first + numbers - 1 are no other's */
} rask_worker_info;

/* Of schedulers whose workers do not share memory: a result went from where it was to where it is needed. */
typedef struct rask_transfer_info {
    uint64_t run;
    uint32_t task; /* whose result */
    /* First threads of both workers, as tasks have them; RASK_NO_WORKER: the program's own process. */
    uint32_t from, to;
    int status; /* RASK_OK, or why it failed */
    uint64_t start_ns, end_ns;
    uint64_t bytes; /* that it takes where it came to */
} rask_transfer_info;

/* Any callback may be NULL. They are called from workers, at once from several, without a lock held; all of
 * one task come in order. They must not call back into the run. Of tasks that run one directly after the other the
 * end of one is the start of the next, and what one makes ready is ready at its end: with an observer a short task
 * costs one reading of the clock more. Where workers are processes, a task that takes long is told of as started within a
 * fraction of a second, once more when it starts anew on another worker, and a short one when it is over. A task that rests until its
 * next call leaves its worker, and so may one that has returned a node, until that has a result: it is told of by task_rested, and started
 * once more, perhaps on another. It is finished once. Where workers are processes, what a task grew may be told of before that
 * task is told of as started (rask_task_info.grown_by). */
typedef struct rask_observer {
    size_t size; /* sizeof(rask_observer) of the program's; members behind it are not there */
    void *context;
    void (*plan_made)(void *context, const rask_run_info *run);
    void (*task_ready)(void *context, const rask_task_info *task);
    void (*task_started)(void *context, const rask_task_info *task);
    void (*task_finished)(void *context, const rask_task_info *task);
    void (*run_ended)(void *context, const rask_run_info *run);
    void (*result_moved)(void *context, const rask_move_info *move);
    void (*worker_changed)(void *context, const rask_worker_info *worker);
    void (*result_sent)(void *context, const rask_transfer_info *transfer);
    /* Of another build, or with another key: it is nobody's (first, count and process are 0), and the run waits for others, which
     * have three seconds to come if there was none. Told for each reason that is not the last one's, of a run at most 16 times. */
    void (*worker_refused)(void *context, const rask_worker_info *worker);
    /* A call of it failed, and the next is due only later: status, message, attempt and times are those of what was called since it
     * started. Or its function returned a node, of which its worker leaves the rest to others: status is RASK_OK, and its next start is the
     * end. Told of every task whose end is told. */
    void (*task_rested)(void *context, const rask_task_info *task);
} rask_observer;

/* What a run did, kept for drawings and reports: an observer of its own. */
typedef struct rask_recording rask_recording;

/* NULL when there is no memory. */
RASK_API rask_recording *rask_recording_new(void);
RASK_API void rask_recording_free(rask_recording *recording);

/* Give this to rask_options.observers. A recording holds one run: a later one replaces it, but one that
 * begins while another is recorded is passed over. The pointer is valid as long as the recording. */
RASK_API const rask_observer *rask_recording_observer(rask_recording *recording);

/* The finished tasks by number, 0 … *count - 1; those that never finished have end_ns 0. Call it after the
 * run. Names and labels are valid as long as the plan or the graph. */
RASK_API const rask_task_info *rask_recording_tasks(const rask_recording *recording, uint32_t *count);
RASK_API rask_run_info rask_recording_run(const rask_recording *recording);

/* Finished tasks of one name that a task of the plan grew, itself or by what it grew. */
typedef struct rask_grown {
    const char *name;
    uint64_t count, nanoseconds;
} rask_grown;

/* What that task of the plan grew, by name: at most capacity of them into out; how many there are. 0, too, where it ran in
 * a process of the scheduler "processes", or when there was no memory for it. Call it after the run. */
RASK_API uint32_t rask_recording_grown(const rask_recording *recording, uint32_t task, rask_grown *out,
                                       uint32_t capacity);

/* A line on stderr that tells how far a run is, five times a second, from its first second on or at once: an
 * observer of its own, and what rask_options.progress uses. NULL, and no line, when stderr is no terminal, or
 * without memory or a thread. title (NULL: "rask") begins the line; it is copied. */
typedef struct rask_progress rask_progress;
RASK_API rask_progress *rask_progress_new(const char *title, bool at_once);
RASK_API const rask_observer *rask_progress_observer(const rask_progress *progress);
/* Takes the line away again. NULL is legal. */
RASK_API void rask_progress_free(rask_progress *progress);

#ifdef __cplusplus
}
#endif

#endif
