/* core/store: holds a run's results within its memory budget, and admits tasks.
 *
 * What is counted is objects, not values: an object that a list and a result share counts once. An object
 * belongs to the first store that a task of it returned the object to; its bytes leave when it dies or when
 * the run hands it out. Scalars live in the run's own table of results and count nothing.
 *
 * Small results are counted by atomics and stay in memory. Results of rk_store_threshold() bytes and more are
 * managed: each has an entry, and while no task uses it the store may take it out of memory, to a scratch file
 * or, when its task can be called again, nowhere. Which entry a result has stands in the field reserved of its place
 * in the run's table; type and reserved of a place never change while the run goes on, the object comes and goes.
 *
 * A task that takes managed results or makes large ones goes through the door: rk_store_enter() reserves what
 * it will hold, brings its arguments back and keeps them (pins them); rk_store_unpin() lets them go and
 * rk_store_leave() gives back what was reserved. What is used, that is counted and reserved, never exceeds
 * the budget.
 *
 * All calls are thread-safe. Only calls that say so block. */
#ifndef RASK_CORE_STORE_STORE_H
#define RASK_CORE_STORE_STORE_H

#include "core/base/print.h"
#include "core/value/value.h"

/* In words that stand for arguments: no task, but a constant. */
#define RK_STORE_CONSTANT ((uint32_t)1 << 31)

typedef struct rk_store rk_store;
typedef struct rk_pass rk_pass;

typedef enum rk_store_direction { RK_STORE_OUT, RK_STORE_BACK, RK_STORE_AGAIN } rk_store_direction;

/* A result of a task that was written to disk, read from it, or made again. */
typedef struct rk_store_move {
    rk_store_direction direction;
    uint32_t task;
    int status;
    uint64_t start_ns, end_ns, bytes;
} rk_store_move;

/* What a store must know of the run. The calls come from any thread. */
typedef struct rk_store_run {
    void *context;
    /* Number of the first task at or after `now` that takes the result of task; 0: one before it still waits
     * for it; UINT32_MAX: none but the end of the run. Called with the store locked. *edge: 0 at first, then the call's
     * own note. NULL: nobody knows what comes, and there may be no end: what was used longest ago goes first, nothing is read
     * before it is asked for, and the scratch file is tried again after an error. */
    uint32_t (*next_use)(void *context, uint32_t task, uint32_t now, uint32_t *edge);
    /* Calls a source again, for a pass: its result, or a failure with its message (RK_MAX_MESSAGE + 1 bytes). */
    int (*remake)(void *context, const rk_pass *pass, uint32_t task, rask_value *result, char *message);
    /* Nothing new is to start. */
    bool (*stopped)(void *context);
    /* A result was moved, or could not be; called without a lock. NULL: nobody wants to know. */
    void (*moved)(void *context, const rk_store_move *move);
} rk_store_run;

/* budget: most bytes at once; 0: rask_default_memory(), asked for when it first matters.
 * scratch: folder for the scratch file. Both structures are copied, the folder's name is not. run may be NULL when
 * nothing is managed. NULL when there is no memory. */
rk_store *rk_store_new(uint64_t budget, const char *scratch, const rk_store_run *run);

/* No task will come to the door any more: returns when the store's own thread is through, so that the figures are
 * final. May be left out. */
void rk_store_finish(rk_store *store);

/* The run ended, and no thread is in a call. The memory goes when the last object it counts has died: a task
 * may have kept a reference. */
void rk_store_end(rk_store *store);

/* What a task asks for at the door, and what it got. The caller fills in the first part. */
struct rk_pass {
    uint32_t task;             /* number in plan order */
    const uint32_t *words;     /* its arguments, as in rask_plan.args */
    rask_value *const *places; /* where they are, in place of words and results; NULL: those say it */
    uint32_t count;            /* of them */
    rask_value *results;       /* the run's table, */
    const rk_atomic_u32 *uses; /* and takers of each result yet to come; NULL: not known */
    uint64_t result, surely;   /* bytes to reserve for its result, and those of them known before the call */
    uint64_t scratch;          /* bytes it uses while it runs */
    bool lane;                 /* it is I/O, on a thread that keeps nobody else from running */
    bool others;               /* somebody else may run tasks while this one waits */
    void *worker;              /* for remake() */

    /* The store's. */
    uint64_t reserved, extra;    /* bytes to give back: of the result, and others */
    uint64_t arguments, missing; /* bytes of its managed arguments, and of those that were not in memory */
    uint64_t frees;              /* bytes of those that nobody else is going to take */
    uint64_t working; /* bytes used while it runs or arguments are made again before, whichever is more */
    bool inside, pinned, last, quiet;
    rk_pass *next; /* waiting */
};

/* The door. Returns when the task may start: at once when it holds little and takes nothing managed, else with
 * its arguments in memory and what it needs reserved; may write and read the scratch file and wait for other
 * tasks to leave. Tasks that wait are let in in plan order, lanes last. On failure nothing is held and message has a
 * text: RASK_EBUDGET: it cannot fit, whatever is taken out of memory; RASK_EIO: the scratch file; what
 * remake() or a class's functions returned. RASK_ECANCELLED, without a text: stopped() said so. */
int rk_store_enter(rk_store *store, rk_pass *pass, char *message, size_t capacity);

/* Bytes that a task holds at once; and what is told of one for which the budget is too small. */
typedef struct rk_store_need {
    uint64_t arguments, result, scratch;
} rk_store_need;
void rk_store_say_too_large(rk_print *out, rk_store_need need, uint64_t budget);

/* The task has returned and needs its arguments no more. */
void rk_store_unpin(rk_store *store, rk_pass *pass);

/* Everything the pass still holds is given back. Both are for passes that were let in, and legal twice. */
void rk_store_leave(rk_store *store, rk_pass *pass);

/* Puts the result of a task that somebody takes into its place, in the run's table or elsewhere, counted, and managed when it is
 * large. source: the task may be called again. pass may be NULL. May wait and write the scratch file.
 * RASK_EBUDGET, RASK_EIO: there is no room for it, with a text in message; the result still belongs to the caller.
 * *bytes: what it added to the store, in any case. */
int rk_store_keep(rk_store *store, rk_pass *pass, uint32_t task, bool source, rask_value *place,
                  const rask_value *result, uint64_t *bytes, char *message, size_t capacity);

/* A managed result for somebody who is no task, who keeps the place from being dropped meanwhile. What has to be read is counted when
 * there is room for it, and else belongs to the caller as if it had been handed out; what is in memory is handed out when its room
 * is needed. May wait, and read the scratch file. RASK_EIO and others, with a message. */
int rk_store_read(rk_store *store, const rask_value *place, rask_value *value, char *message,
                  size_t capacity);

/* A task that was let in waits, for what may take others that have to be let in, too; and goes on. */
void rk_store_pause(rk_store *store, const rk_pass *pass);
void rk_store_resume(rk_store *store, const rk_pass *pass);

/* The last that took a managed result has let go of it: the place is free. */
void rk_store_drop(rk_store *store, rask_value *place);

/* Is this place of a run's table managed? */
static inline bool rk_store_is_managed(const rask_value *place)
{
    return place->reserved && rk_value_is_object(place);
}

/* Counts a result, with what its lists hold and no store counts yet. RASK_EBUDGET when that went over the
 * budget (it is counted all the same). */
int rk_store_add(rk_store *store, const rask_value *result);

/* No longer counts what value holds: it is handed out. */
void rk_store_hand_out(rk_store *store, const rask_value *value);

/* A constant: what it holds belongs to the graph, and no run counts it. */
void rk_store_exempt(const rask_value *value);

/* An object that the store counted died. */
void rk_store_forget(rk_store *store, size_t bytes);

/* From so many bytes on a result is managed, and its task goes through the door. */
uint64_t rk_store_threshold(const rk_store *store);
/* Some result is managed, or was. */
bool rk_store_has_managed(const rk_store *store);

typedef struct rk_store_figures {
    uint64_t budget;             /* 0: never asked for */
    uint64_t live;               /* counted now, without what is reserved */
    uint64_t peak;               /* most that was ever counted and reserved at once */
    uint64_t spilled, read_back; /* bytes written to and read from the scratch file */
    uint32_t dropped, remade;    /* results of sources */
} rk_store_figures;

rk_store_figures rk_store_get_figures(rk_store *store);
uint64_t rk_store_live(const rk_store *store);
uint64_t rk_store_peak(const rk_store *store);
/* Bytes of the budget that are taken, counted and reserved, and bytes of results that are on disk and not in memory: at
 * some moment about now, without a lock. */
uint64_t rk_store_used(const rk_store *store);
uint64_t rk_store_on_disk(const rk_store *store);
uint64_t rk_store_budget(const rk_store *store);

#endif
