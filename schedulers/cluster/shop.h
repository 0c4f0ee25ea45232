/* schedulers/cluster/shop: what executes units of one run in one process of a cluster, and holds results there.
 *
 * Every process that takes part in a run has a shop for it: workers, and the program's own process, where the targets go and
 * what runs nowhere else is executed. Threads of the shop, its seats, execute units; all calls come from one other thread, and
 * none waits for a seat but free().
 *
 * Results are values in the table of a run of the shop's own, from when they are finished or taken in until they are dropped.
 * The coordinator sees to it that arguments are there while a unit is queued or runs, so that seats read the table without a
 * lock. A result is encoded when a peer wants it, and that is kept until all of it was read. */
#ifndef RASK_SCHEDULERS_CLUSTER_SHOP_H
#define RASK_SCHEDULERS_CLUSTER_SHOP_H

#include "core/task/pack.h"
#include "schedulers/gate.h"
#include "schedulers/run.h"
#include "schedulers/told.h"

typedef struct rk_shop rk_shop;

typedef struct rk_shop_setup {
    const rk_run *model; /* a run, or a guest's model: outlives the shop */
    uint32_t threads, lanes;
    uint32_t first_worker;       /* number of the first seat, as tasks see it */
    bool observed;               /* somebody wants to know what tasks did */
    bool shares;                 /* what grows may be lent to others, and be borrowed (loans.h) */
    void (*wake)(void *context); /* there are news; from any thread */
    void *context;
} rk_shop_setup;

/* RASK_ENOMEM. */
int rk_shop_new(const rk_shop_setup *setup, rk_shop **out);
/* Nothing new is called; what runs may see it. */
void rk_shop_stop(rk_shop *shop);
/* Nobody is at a unit, or helps. */
bool rk_shop_is_quiet(const rk_shop *shop);
/* Stops, waits for what runs, and ends all results. NULL is legal. */
void rk_shop_free(rk_shop *shop);

/* A unit for a seat; tries: calls of its first task before. RASK_ENOMEM. */
int rk_shop_run(rk_shop *shop, uint32_t unit, uint32_t attempt, uint32_t tries);
/* True: no seat has begun with it, and none will. */
bool rk_shop_recall(rk_shop *shop, uint32_t unit);

typedef enum rk_shop_outcome {
    RK_SHOP_FINISHED,
    RK_SHOP_FAILED,
    RK_SHOP_SKIPPED,
    RK_SHOP_BACKS_OFF, /* it is to be run again, with its tries and when it has rested: that its first task rests is told */
} rk_shop_outcome;

/* What came of a unit. */
typedef struct rk_shop_news {
    rk_shop_outcome outcome;
    uint32_t unit, attempt;
    uint32_t task; /* that failed, or rests */
    int status;
    uint32_t done, retries; /* tasks that came to their result; calls repeated */
    uint64_t bytes, size;   /* of its result: in memory, and encoded */
    uint64_t duration_ns, rest_ns;
    uint32_t tries;
    char *text;           /* of a failure, and where somebody observes, of one before a rest; NULL: none */
    rask_task_info *told; /* what its tasks did; NULL: nobody observes */
    uint32_t told_count;
} rk_shop_news;

void rk_shop_news_end(rk_shop_news *news);

/* What tasks that grew here take of what is counted: the program counts. */
typedef enum rk_permit_kind {
    RK_PERMIT_NONE,
    RK_PERMIT_WANTED, /* by a task: needs and priority */
    RK_PERMIT_AGAIN,  /* by a unit that rested, and has a next task */
    RK_PERMIT_GIVEN,  /* back; or it is not wanted any more */
    RK_PERMIT_RESTS,  /* a unit takes nothing from here on: what grew from it runs */
} rk_permit_kind;

typedef struct rk_permit_news {
    rk_permit_kind kind;
    uint64_t number; /* of what is wanted, or given back */
    uint32_t unit, attempt;
    int32_t priority;
    rk_needs needs;
} rk_permit_news;

typedef enum rk_shop_heard { RK_SHOP_NOTHING, RK_SHOP_PERMIT, RK_SHOP_UNIT } rk_shop_heard;

/* The next, into one of the two: permits in their order, and what comes of a unit behind what that wanted, gave or said. */
rk_shop_heard rk_shop_next(rk_shop *shop, rk_permit_news *wanted, rk_shop_news *news);
/* What is wanted by that number may be taken; or it may not: who wants it fails, for such a reason. */
void rk_shop_granted(rk_shop *shop, uint64_t number);
void rk_shop_denied(rk_shop *shop, uint64_t number, int status, const char *why);

/* Of a shop that shares. */

/* Set when something grows, of which others may have to be told: then wake() is called once. */
rk_atomic_bool *rk_shop_grows(rk_shop *shop);
/* What runs it; made when there is none yet. NULL: no memory. */
struct rk_executor *rk_shop_executor(rk_shop *shop);
/* NULL: nothing has grown. */
struct rk_executor *rk_shop_find_executor(rk_shop *shop);
/* Threads that have nothing to do help with what grows from here on. False: there are none to be had. */
bool rk_shop_help(rk_shop *shop);
/* How many do so at the moment. */
uint32_t rk_shop_helping(const rk_shop *shop);
bool rk_shop_is_stopped(const rk_shop *shop);

/* Calls of units that began since the last time this was asked, for those that have a time limit: each is told. */
void rk_shop_renewed(rk_shop *shop, void (*tell)(void *context, uint32_t unit, uint32_t attempt),
                     void *context);

/* Tasks that seats have been at for a moment, when somebody observes: each is told once. */
typedef void rk_shop_tell_begun(void *context, uint32_t task, uint32_t worker, uint64_t since_ns);
void rk_shop_begun(rk_shop *shop, rk_shop_tell_begun *tell, void *context);

/* What has become of calls that grew here, or were lent to here. */
typedef struct rk_grown_news {
    rk_grown_event event;
    bool begun; /* that it began was told of */
    rask_task_info info;
    char *text; /* the shop's: info.message */
} rk_grown_news;
typedef void rk_shop_tell_of_grown(void *context, const rk_grown_news *news);
/* When somebody observes: each that rests or has ended since this was asked last. What was called for a unit, or for a call that was
 * lent, is there when that is over. */
void rk_shop_tell_grown(rk_shop *shop, rk_shop_tell_of_grown *tell, void *context);
/* And those that have been going on for a moment: each once. */
void rk_shop_tell_grown_begun(rk_shop *shop, rk_shop_tell_of_grown *tell, void *context);

/* A unit's result from elsewhere. *bytes: what it takes in memory. RASK_EFORMAT, RASK_ENOMEM, or what decode() returned; with a
 * message. */
int rk_shop_take(rk_shop *shop, uint32_t unit, const char *encoded, uint64_t size, uint64_t *bytes,
                 char *message, size_t capacity);
/* The same in memory of rk_alloc() with a NUL behind; *encoded is NULL when that became the result's. */
int rk_shop_adopt(rk_shop *shop, uint32_t unit, char **encoded, uint64_t size, uint64_t *bytes, char *message,
                  size_t capacity);
/* The unit has none, so that who needs it is skipped. */
void rk_shop_miss(rk_shop *shop, uint32_t unit);
/* Appends the unit's result, encoded; nothing when it is not here. RASK_ENOENT, RASK_ENOMEM. */
int rk_shop_put_result(rk_shop *shop, uint32_t unit, rk_pack_out *out);
/* Bytes begin … of the unit's result, encoded, valid until the next call. *total: of all. NULL: it is not here, not that large,
 * or there is no memory. */
const char *rk_shop_object(rk_shop *shop, uint32_t unit, uint64_t begin, uint64_t size, uint64_t *total);
void rk_shop_drop(rk_shop *shop, uint32_t unit);
/* To the scratch file, and back. *bytes: of memory that came free. RASK_ENOENT: it is not here; RASK_EIO, RASK_ENOMEM, or what a
 * class's functions returned. What cannot be read back is gone. */
int rk_shop_spill(rk_shop *shop, uint32_t unit, uint64_t *bytes);
int rk_shop_load(rk_shop *shop, uint32_t unit);
/* Why the last of these failed, "" when none did; and bytes that went, and came back. */
const char *rk_shop_disk_message(const rk_shop *shop);
void rk_shop_disk_bytes(const rk_shop *shop, uint64_t *written, uint64_t *read);
/* The unit's result, or none where it is not here; the shop's. */
rask_value *rk_shop_result(rk_shop *shop, uint32_t unit);

#endif
