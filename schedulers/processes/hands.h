/* schedulers/processes/hands: what the program's process does in a run on processes: it carries out what the coordinator
 * (schedulers/coordinator) says and tells it what came of it.
 *
 * All of it happens in the thread that waits for the run, but for what the mover does (mover.h). */
#ifndef RASK_SCHEDULERS_PROCESSES_HANDS_H
#define RASK_SCHEDULERS_PROCESSES_HANDS_H

#include "schedulers/processes/crew.h"
#include "schedulers/processes/mover.h"
#include "schedulers/units.h"

/* An order that was not answered. */
typedef struct rk_posted {
    uint32_t unit, attempt;
    uint32_t place; /* in the mailbox, once it is there */
    bool sent;
    int refused;             /* REFUSE said why it cannot have more memory */
    uint64_t allowed;        /* bytes of shared memory that it may hold, */
    uint64_t apart;          /* of what the coordinator reserved but for what it uses elsewhere */
    uint64_t wanted;         /* bytes that it asked for, with those */
    uint64_t needed, budget; /* the figures of REFUSE */
} rk_posted;

/* A seat, as seen from the program's process. */
typedef struct rk_post {
    rk_mailbox *box;
    rk_posted posted[RK_ORDERS];
    uint32_t count, sent; /* those in the mailbox come first */
    bool asked;           /* it asks for memory, and the coordinator knows */
    uint64_t since_ns;    /* when its last call began that the coordinator knows of */
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
    uint64_t freed;                   /* bytes of those that it was sent */
    rk_post *posts;
    uint32_t post_count;
} rk_staff;

/* A result that is a parcel: the extents it is made of, its own first. */
typedef struct rk_result {
    const rk_parcel *parcel;
    bool away;   /* in the scratch file */
    bool moving; /* there, or back */
    uint64_t count;
    void *extents[];
} rk_result;

typedef struct rk_away rk_away;

typedef struct rk_hands {
    rk_crew crew;
    rk_run *run;
    rk_coordinator *coordinator;
    uint64_t now;
    bool ended;
    bool targets_fit; /* it is known that they do */
    int end_status;
    uint64_t stopping_since; /* 0: the run goes on */

    /* By unit. */
    rk_units units;
    uint8_t *is_suspect; /* it ran when a worker died, and so did others; NULL: nothing is */
    rk_result **results;
    rk_array pinned; /* void *: extents that stay as long as the run */
    uint64_t
        alone; /* bytes of extents that count by themselves: the result that they counted with is gone, or away, and
                      * others refer to them */
    uint64_t told_alone; /* the coordinator */

    /* By worker; the last is the program's own process. */
    rk_staff *staff;
    uint32_t staff_count;
    uint32_t *by_number; /* the coordinator's numbers */
    rk_squad *own;       /* executes what runs nowhere else; NULL: nothing does */
    rk_run own_run;
    rk_array deaths; /* rk_death: what workers died of */

    rk_mover mover;
    rk_modules modules; /* that all processes have */
    rk_away *away;      /* what units grew, and is run elsewhere (away.h); NULL: nothing */
} rk_hands;

/* A unit that a worker died of, and how. */
typedef struct rk_death {
    uint32_t unit;
    char how[320];
} rk_death;

/* processes.c */

/* The crew and its staff, with nobody in it yet; h is zeroed but for run. A status, with run->reason; then rk_hands_end(), too. */
int rk_hands_assemble(rk_hands *h);
/* Everybody leaves, and what is left is let go of. */
void rk_hands_end(rk_hands *h);

/* news.c. True: there was something. */

/* What a worker told. */
bool rk_hands_hear(rk_hands *h, rk_staff *staff);
/* What all workers told, and what the mover has done. */
bool rk_hands_hear_all(rk_hands *h);
/* News that answer an order which is forgotten: what became of the unit. */
void rk_hands_conclude(rk_hands *h, rk_staff *staff, rk_news *news, const rk_posted *posted);
/* The unit goes on elsewhere: observers are told what its tasks did so far. */
void rk_hands_tell_part(rk_hands *h, const rk_news *news);
/* Observers are told what seats are at. */
void rk_hands_tell_begun(rk_hands *h);
/* A task failed for good. */
void rk_hands_fail(rk_hands *h, uint32_t task, int status, const char *message);

/* deeds.c: carries out what the coordinator says; true: there was something. */
bool rk_hands_obey_all(rk_hands *h);
/* A task was killed for its time: in words. */
void rk_hands_say_late(double seconds, char *text, size_t capacity);
/* A unit was refused memory: why, in words. */
void rk_hands_say_refused(const rk_hands *h, const rk_posted *posted, char *text, size_t capacity);

/* staff.c */

/* Starts the worker's process. RASK_OK; or a status, with run->reason. */
int rk_staff_hire(rk_hands *h, uint32_t worker);
/* An order, for the seat of the unit's kind that has the fewest. */
void rk_staff_post(rk_hands *h, rk_staff *staff, const rk_instruction *run);
/* What found no room before, or had to wait for others. */
void rk_staff_send(const rk_hands *h, rk_staff *staff);
/* Wakes seats that sleep and have orders. */
void rk_staff_wake(rk_hands *h);
/* GRANT or REFUSE, for the seat that waits for it. */
void rk_staff_answer(rk_staff *staff, const rk_instruction *in);
/* True: the unit was asking for memory; it will give up. */
bool rk_staff_deny(rk_staff *staff, uint32_t unit);
/* A unit that asks for memory, which the coordinator does not know yet; NULL: none. */
const rk_posted *rk_post_asking(rk_post *post);
/* True: the order is taken back. */
bool rk_staff_take_back(const rk_hands *h, rk_staff *staff, uint32_t unit);
/* The order that news of a unit answer, which is forgotten; false: there is none. */
bool rk_post_answered(rk_post *post, uint32_t unit, rk_posted *answered);
/* The extent with this content is free again. */
void rk_staff_send_freed(rk_hands *h, void *content);
/* Looks after workers that ended, were stopped or did not come up, and replaces them. */
void rk_staff_look_after(rk_hands *h, bool all);
/* Calls that began anew, to the coordinator: before it looks at the time. */
void rk_staff_renew(rk_hands *h);
/* Tasks that are running, in words, for the run's reason. */
void rk_staff_name_running(rk_hands *h);
/* One that somebody stopped, or that does not come up, is killed. */
void rk_staff_watch(const rk_hands *h, rk_staff *staff);
/* Its process, if it has one; what it was at is not blamed for it. */
void rk_staff_kill(rk_staff *staff);
/* Tells observers that a worker came, or how it was lost (lost: not NULL). */
void rk_staff_tell(rk_hands *hands, const rk_staff *staff, pid_t pid, const char *lost);
/* The run is over: everybody leaves. */
void rk_staff_dismiss(rk_hands *h);
/* How the last worker ended that died of a unit, in words. */
const char *rk_staff_last_words(const rk_hands *h, uint32_t unit);

/* results.c */

/* A result has come: into its place. *bytes: what it takes. RASK_ENOMEM. */
int rk_result_accept(rk_hands *h, uint32_t unit, const rk_news *news, uint64_t *bytes);
void rk_result_drop(rk_hands *h, uint32_t unit);
/* To the scratch file, or back; what other results refer to, too, stays in memory. False: it is there already, or *status
 * says what is missing. */
bool rk_result_move(rk_hands *h, uint32_t unit, uint32_t attempt, bool back, int *status);
/* The mover is through: bytes of memory that went, or came back. */
uint64_t rk_result_moved(rk_hands *h, const rk_move *move);
/* The coordinator is told of memory that counts by itself, when that changed. */
void rk_result_tell_alone(rk_hands *h);
/* The unit's arguments stay as long as the run. */
void rk_result_pin_arguments(rk_hands *h, uint32_t unit);
/* What was written in a range whose owner died and no result refers to: its pages go. */
void rk_result_tidy(rk_hands *h, uint32_t range);
/* Texts and stories of news: an extent that is read and freed. */
void rk_result_free_note(rk_hands *h, uint64_t address);
/* Before the first: the run's table has no targets. */
void rk_result_expect(rk_hands *h);
/* All are there. False, and the run has failed: they have to be in memory at once, like arguments, and the budget is less. */
bool rk_result_targets_fit(rk_hands *h);
/* The targets into the run's table, for its end, which was good. */
void rk_result_gather(rk_hands *h);
/* Everything that is left. */
void rk_result_end_all(rk_hands *h);

#endif
