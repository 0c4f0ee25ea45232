/* schedulers/processes/hands: what the program's process does in a run on processes: it carries out what the coordinator
 * (schedulers/coordinator) says and tells it what came of it.
 *
 * All of it happens in the thread that waits for the run, but for what the mover does (mover.h). */
#ifndef RASK_SCHEDULERS_PROCESSES_HANDS_H
#define RASK_SCHEDULERS_PROCESSES_HANDS_H

#include "schedulers/coordinator/coordinator.h"
#include "schedulers/processes/crew.h"
#include "schedulers/processes/mover.h"

/* An order that was not answered. */
typedef struct rk_posted {
    uint32_t unit, attempt;
    uint32_t place; /* in the mailbox, once it is there */
    bool sent;
} rk_posted;

/* A seat, as seen from the program's process. */
typedef struct rk_post {
    rk_mailbox *box;
    rk_posted posted[RK_ORDERS];
    uint32_t count, sent; /* those in the mailbox come first */
} rk_post;

typedef struct rk_staff {
    rk_child child; /* pid 0: nobody is there, or it is the program's own process */
    bool here, joined, ready, stopped, was_stopped, doomed; /* doomed: it was killed by us */
    bool absent;                                            /* and that because it did not come up */
    uint32_t number, epoch;                                 /* the coordinator's */
    uint32_t life;
    uint32_t failed_starts;           /* processes in a row that ended before they were ready */
    uint64_t stopped_since, up_since; /* up_since: it was forked, then it was ready */
    rk_array unsent;                  /* void *: freed extents that its mailbox had no room for */
    rk_post *posts;
    uint32_t post_count;
} rk_staff;

/* A result that is a parcel: the extents it is made of, its own first. */
typedef struct rk_result {
    const rk_parcel *parcel;
    bool away; /* in the scratch file */
    uint64_t count;
    void *extents[];
} rk_result;

typedef struct rk_hands {
    rk_crew crew;
    rk_run *run;
    rk_coordinator *coordinator;
    uint64_t now;
    bool ended;
    int end_status;
    uint64_t stopping_since; /* 0: the run goes on */

    /* By unit. */
    rk_coordinator_graph graph;
    uint64_t *input_start;
    uint32_t *inputs;
    uint8_t *is_target, *told; /* told: observers know; NULL: there are none */
    uint8_t *is_suspect;       /* it ran when a worker died, and so did others; NULL: nothing is */
    rk_result **results;
    rk_array pinned; /* void *: extents that stay as long as the run */

    /* By worker; the last is the program's own process. */
    rk_staff *staff;
    uint32_t staff_count;
    uint32_t *by_number; /* the coordinator's numbers */
    rk_squad *own;       /* executes what runs nowhere else; NULL: nothing does */
    rk_run own_run;
    rk_array deaths; /* rk_death: what workers died of */

    rk_mover mover;
} rk_hands;

/* A unit that a worker died of, and how. */
typedef struct rk_death {
    uint32_t unit;
    char how[320];
} rk_death;

/* The task that a unit's result is the result of. */
static inline uint32_t rk_hands_last(const rk_hands *h, uint32_t unit)
{
    return h->run->plan->unit_start[unit + 1] - 1;
}

/* news.c. True: there was something. */

/* What a worker told. */
bool rk_hands_hear(rk_hands *h, rk_staff *staff);
/* What all workers told, and what the mover has done. */
bool rk_hands_hear_all(rk_hands *h);
/* At the end: observers learn of units that nothing was told of. */
void rk_hands_tell_rest(rk_hands *h);
/* A task failed for good. */
void rk_hands_fail(rk_hands *h, uint32_t task, int status, const char *message);

/* deeds.c: carries out what the coordinator says; true: there was something. */
bool rk_hands_obey_all(rk_hands *h);

/* graph.c: the plan's units as the coordinator sees them. RASK_ENOMEM. */
int rk_hands_describe(rk_hands *h);

/* staff.c */

/* Starts the worker's process. RASK_OK; or a status, with run->reason. */
int rk_staff_hire(rk_hands *h, uint32_t worker);
/* An order, for the seat of the unit's kind that has the fewest. */
void rk_staff_post(rk_hands *h, rk_staff *staff, const rk_instruction *run);
/* What found no room before, or had to wait for others. */
void rk_staff_send(const rk_hands *h, rk_staff *staff);
/* Wakes seats that sleep and have orders. */
void rk_staff_wake(rk_hands *h);
/* True: the order is taken back. */
bool rk_staff_take_back(const rk_hands *h, rk_staff *staff, uint32_t unit);
/* The order that news of a unit answer, which is forgotten; false: there is none. */
bool rk_post_answered(rk_post *post, uint32_t unit, uint32_t *attempt);
/* The extent with this content is free again. */
void rk_staff_send_freed(rk_hands *h, void *content);
/* Looks after workers that ended, were stopped or did not come up, and replaces them. */
void rk_staff_look_after(rk_hands *h, bool all);
/* Its process, if it has one; what it was at is not blamed for it. */
void rk_staff_kill(rk_staff *staff);
/* The run is over: everybody leaves. */
void rk_staff_dismiss(rk_hands *h);
/* How the last worker ended that died of a unit, in words. */
const char *rk_staff_last_words(const rk_hands *h, uint32_t unit);

/* results.c */

/* A result has come: into its place. *bytes: what it takes. RASK_ENOMEM. */
int rk_result_accept(rk_hands *h, uint32_t unit, const rk_news *news, uint64_t *bytes);
void rk_result_drop(rk_hands *h, uint32_t unit);
/* The unit's arguments stay as long as the run. */
void rk_result_pin_arguments(rk_hands *h, uint32_t unit);
/* What was written in a range whose owner died and no result refers to: its pages go. */
void rk_result_tidy(rk_hands *h, uint32_t range);
/* Texts and stories of news: an extent that is read and freed. */
void rk_result_free_note(rk_hands *h, uint64_t address);
/* Before the first: the run's table has no targets. */
void rk_result_expect(rk_hands *h);
/* The targets into the run's table, for its end, which was good. */
void rk_result_gather(rk_hands *h);
/* Everything that is left. */
void rk_result_end_all(rk_hands *h);

#endif
