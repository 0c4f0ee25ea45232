/* core/task: what a task function sees, and how functions are known across processes.
 *
 * A rask_task lives on its worker's stack and is reused from call to call. */
#ifndef RASK_CORE_TASK_TASK_H
#define RASK_CORE_TASK_TASK_H

#include "core/base/atomic.h"
#include "core/graph/graph.h"

#include <rask/options.h>

struct rask_cancel_token {
    rk_atomic_bool cancelled;
    rk_atomic_bool enough; /* by who began the run and will begin another: observers are told of no failure */
    rask_cancel_token *whole; /* cancelled by this one, and cancels it; NULL: none */
};

/* Ends runs as rask_cancel() does, though not those of the whole. */
void rk_cancel_for_now(rask_cancel_token *token);
/* Whether that alone ended them. token may be NULL. */
bool rk_cancelled_for_now(const rask_cancel_token *token);

/* What all tasks of a run share; read-only for them but for stop. */
typedef struct rk_task_env {
    const rask_value *results;                 /* by task */
    const rask_value *constants;               /* by constant */
    _Atomic(const rask_cancel_token *) cancel; /* may be another's later, while that one is there as well */
    uint64_t deadline_ns;                      /* of the run; 0: none */
    rk_atomic_u32 stop;                        /* a status: nothing new starts; 0: go on */
    const struct rk_task_env *outer;           /* what stops that stops this; NULL: nothing else does */
} rk_task_env;

/* Where an empty graph may lie for the next task that grows; NULL in it: none does. */
typedef _Atomic(rask_graph *) rk_spare_graph;

struct rask_task {
    const rk_task_env *env;
    const uint32_t *args; /* words, as in rask_plan.args */
    uint32_t nargs;
    int status; /* the first failure, with its message */
    rask_value result;
    const rask_task_def *def;
    uint64_t deadline_ns; /* of this call; 0: none */
    uint32_t worker, attempt;
    bool told_to_stop;     /* rask_task_cancelled() said so during this call */
    bool takes_nodes;      /* who calls takes a node as it is (grown), not in a value */
    char *message;         /* RK_MAX_MESSAGE + 1 bytes of the worker's */
    rask_graph *graph;     /* of this call, for nodes that it returns; NULL: it asked for none */
    rask_graph *lent;      /* an empty one, for that: the caller's as long as it is here; NULL: none */
    rk_spare_graph *spare; /* where there may be one otherwise; NULL: nowhere */
    rask_node *grown;      /* that it returned, with a reference to its graph; NULL: a value */
};

static inline const rask_value *rk_env_value(const rk_task_env *env, uint32_t word)
{
    return word & RK_CONSTANT ? &env->constants[word & ~RK_CONSTANT] : &env->results[word];
}

/* Two definitions of what is one task to people: the first runs anywhere, the second in the program's own process. */
#define RK_DEFS_BY_PLACE(...)                                                                                \
    {                                                                                                        \
        {.size = sizeof(rask_task_def), __VA_ARGS__},                                                        \
        {                                                                                                    \
            .size = sizeof(rask_task_def), __VA_ARGS__, .flags = RASK_HERE                                   \
        }                                                                                                    \
    }

/* The same, where the first is pure: its result comes of its arguments, and of files that these tell by size and time. */
#define RK_PURE_DEFS_BY_PLACE(...)                                                                           \
    {                                                                                                        \
        {.size = sizeof(rask_task_def), __VA_ARGS__, .flags = RASK_PURE},                                    \
        {                                                                                                    \
            .size = sizeof(rask_task_def), __VA_ARGS__, .flags = RASK_HERE                                   \
        }                                                                                                    \
    }

/* Types of the arguments against the signature, when they were not known to fit. 0, or the task's status. */
int rk_task_check(rask_task *task);

/* As rask_fail(), with conversions. */
int rk_task_fail(rask_task *task, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The call is over: what it built is of no use but for the node that it returned, unless it failed. RASK_OK, or the task's
 * failure. */
int rk_task_end_graph(rask_task *task, bool failed);

/* A reference to the graph ends; when it was the last the graph lies there for the next task, where it can. spare may be NULL. */
void rk_spare_put(rk_spare_graph *spare, rask_graph *graph);

/* Ends a task whose result is a list: returns values as one, or status where that is not RASK_OK. Takes values, which may be
 * NULL then and none where they were not made, and their memory. */
int rk_return_values(rask_task *task, int status, rask_value *values, size_t count);

/* Which function: the same for the same function in every process of the same program, however it is loaded.
 */
typedef struct rk_identity {
    uint8_t module[20]; /* build-id of the program or library; a hash of its path where it has none */
    uint64_t offset;    /* in that module */
} rk_identity;

/* RASK_OK, or RASK_ENOENT for a function in no loaded module (made at run time): offset is its address then
 * and module is zero. */
int rk_identity_of(void (*function)(void), rk_identity *out);

/* Where that is in this process: size bytes of a loaded module, of its code where code is asked for. RASK_ENOENT: there is no
 * such module here, or no such place in it. */
int rk_identity_find(const rk_identity *identity, size_t size, bool code, uintptr_t *address);

/* The program's own build-id, with offset 0. RASK_ENOENT: it has none. */
int rk_identity_of_program(rk_identity *out);

#endif
