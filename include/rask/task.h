/* rask/task.h: functions as tasks: how they are described, and what they may call while they run.
 *
 * Ordinary functions become tasks with RASK_TASK in rask/sugar.h. What it makes is a rask_task_def, which
 * other languages fill in by hand. A definition must stay valid and unchanged as long as any graph uses it.
 */
#ifndef RASK_TASK_H
#define RASK_TASK_H

#include <rask/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A task while it runs. Valid only inside its function and only on its thread. */
typedef struct rask_task rask_task;

/* Returns 0 after one of rask_return_*(), or what rask_fail() returned. Anything else counts as that failure.
 */
typedef int (*rask_function)(rask_task *task);

enum {
    RASK_PURE = 1 << 0, /* same arguments, same result, no other effect: equal calls may be merged into one */
    RASK_IO = 1 << 1,   /* mostly waits: runs in a lane of its own and occupies no core's worker. Lanes run
                          * ahead of who takes their results, as far as three quarters of the memory budget: say how
                          * large results are (result_bytes, rask_set_result_bytes), or the first are a surprise */
    RASK_CHEAP = 1 << 2, /* costs less than handing it to a worker: fused into its only consumer */
    RASK_SOURCE =
        1 << 3, /* its result is read from a place where it stays and may be asked for again: under memory
                           * pressure the result is dropped and the task called again, when its arguments are
                           * constants only */
    RASK_HERE =
        1 << 4, /* runs in the process that computes, whatever the scheduler: it uses something that only this
                           * process has, such as a file that several calls write to, or a count they share.
                           * Threads and serial run everything there */
};

/* Letters of signatures. */
#define RASK_SIG_BOOL  'b'
#define RASK_SIG_I64   'i'
#define RASK_SIG_F64   'd'
#define RASK_SIG_STR   's' /* bytes without a NUL inside */
#define RASK_SIG_BYTES 'y'
#define RASK_SIG_VALUE 'v' /* any value */
#define RASK_SIG_NONE  'n' /* as a result only */

typedef struct rask_task_def {
    size_t size;            /* sizeof(rask_task_def): lets the structure grow */
    const char *name;       /* for people */
    rask_function call;     /* what runs */
    void (*identity)(void); /* the user's own function: what "the same function" means; NULL: call */
    const char *arguments;  /* one letter each, checked before the call; NULL: any number of anything */
    char result;            /* a letter; 0: anything */
    uint32_t flags;         /* RASK_PURE | … */
    uint32_t retries;       /* times it is called again after it failed; the run's default when larger */
    double timeout;         /* seconds; 0: none. Asked by rask_task_cancelled() and checked at its return */
    int32_t priority;       /* among tasks that are ready, larger first: see rask_set_priority() */
    uint64_t
        result_bytes; /* size of its result: what orders go by, and what is reserved in the budget before a
                             * call; 0: unknown, the largest so far counts */

    /* Programs built before these fields were there give a smaller size. */
    double backoff; /* seconds to wait before it is called again for the first time, doubled each time up to a
                             * minute, or to itself when that is longer; the wait is between half of that and the whole,
                             * drawn from the run's seed, the task and the attempt. 0: none. The task keeps its tags and does
                             * not count it as time of its own, others have its worker (docs/limits.md); a run
                             * that ends ends the wait */
    bool (*retry_if)(int status,
                     uint32_t attempt); /* whether this failure of this attempt (0, 1, …) is worth repeating,
                             * as far as retries allow; asked where the task ran. NULL: each is */
    const char *tags; /* what it takes while it runs of what options.limits say how many there are: "gpu" or
                             * "gpu:1,licence:2"; NULL: nothing. See docs/limits.md */
} rask_task_def;

/* Arguments, by position. A wrong type or position is a failure of the task that names the argument: it is
 * latched, 0 or an empty value is returned, and the task fails whatever it returns. What is returned by
 * pointer is valid until the task returns. i64 takes bool; f64 takes i64 and bool; bool takes the i64 0 and 1. */
RASK_API size_t rask_arg_count(const rask_task *task);
RASK_API bool rask_arg_bool(rask_task *task, size_t index);
RASK_API int64_t rask_arg_i64(rask_task *task, size_t index);
RASK_API double rask_arg_f64(rask_task *task, size_t index);
RASK_API const char *rask_arg_str(rask_task *task, size_t index); /* "" on failure */
RASK_API rask_bytes rask_arg_bytes(rask_task *task, size_t index);
RASK_API const rask_value *rask_arg_value(rask_task *task, size_t index); /* borrowed; none on failure */
RASK_API const rask_value *rask_arg_list(rask_task *task, size_t index, size_t *count);
RASK_API int rask_arg_block(rask_task *task, size_t index, rask_block *out);
RASK_API void *rask_arg_custom(rask_task *task, size_t index, const rask_class *cls); /* NULL on failure */

/* The result; the last one counts. Each returns 0, or the code of a latched failure, for the task to return.
 */
RASK_API int rask_return_none(rask_task *task);
RASK_API int rask_return_bool(rask_task *task, bool b);
RASK_API int rask_return_i64(rask_task *task, int64_t i);
RASK_API int rask_return_f64(rask_task *task, double f);
RASK_API int rask_return_str(rask_task *task, const char *text);               /* copied; NULL is a failure */
RASK_API int rask_return_bytes(rask_task *task, const void *data, size_t len); /* copied */
RASK_API int rask_return_list(rask_task *task, const rask_value *values, size_t count);
RASK_API int rask_return_custom(rask_task *task, const rask_class *cls,
                                void *data);                       /* destroys data on failure */
RASK_API int rask_return_value(rask_task *task, rask_value value); /* takes over the caller's reference */

/* Fails the task: code is a status (RASK_OK counts as RASK_ETASK), message is copied, cut at 1,000 bytes.
 * The first failure of a call is the one reported. Returns the code. */
RASK_API int rask_fail(rask_task *task, int code, const char *message);

/* True when the run was cancelled or timed out, or this task is over its own timeout: return soon, with whatever:
 * a task that was told so has no result. Cheap. */
RASK_API bool rask_task_cancelled(rask_task *task);

RASK_API const char *rask_task_name(const rask_task *task);
RASK_API uint32_t
rask_task_worker(const rask_task *task); /* 0 … workers * worker_threads - 1; I/O lanes, then threads of
                                                         * the program that run RASK_HERE, count on from there */
RASK_API uint32_t rask_task_attempt(const rask_task *task); /* 0 at first, then 1 … retries */

#ifdef __cplusplus
}
#endif

#endif
