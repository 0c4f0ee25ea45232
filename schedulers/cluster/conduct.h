/* schedulers/cluster/conduct: one run on a cluster: the hands of its coordinator (schedulers/coordinator).
 *
 * Homes: 0 is the program's own process, which executes what runs nowhere else; each worker that joins the run is a home of its
 * own, with as many slots and lanes as it brings. Made and ended by the thread that waits for the run, and in between the hub
 * thread's alone. */
#ifndef RASK_SCHEDULERS_CLUSTER_CONDUCT_H
#define RASK_SCHEDULERS_CLUSTER_CONDUCT_H

#include "schedulers/cluster/detour.h"
#include "schedulers/cluster/exchange.h"
#include "schedulers/cluster/hub.h"
#include "schedulers/cluster/permits.h"
#include "schedulers/cluster/shop.h"
#include "schedulers/cluster/transfers.h"
#include "schedulers/units.h"

/* A worker in this run. */
typedef struct rk_hand {
    rk_member *member; /* NULL: it was lost, or is the program's own process */
    bool joined;       /* the coordinator knows it */
    bool turned_away;  /* the coordinator did not take it */
    bool retired;      /* it leaves, and has returned from all that it was told to run */
    uint32_t worker, epoch;
    uint32_t first, threads; /* as tasks see them, */
    uint32_t numbers;        /* and with lanes and helpers behind the threads */
    rk_array transfers;      /* to its home (transfers.h) */
    rk_permits_of_home permits;
    uint32_t under_way;   /* units that it was told to run and has not answered for */
    rk_dealings dealings; /* calls that it lends, and borrows (exchange.h) */
} rk_hand;

enum { RK_CONDUCT_WORKERS = 1024, RK_CONDUCT_HOMES = 4096 /* workers that come and go, in one run */ };

/* A unit's result. */
typedef struct rk_outcome_note {
    uint64_t size;   /* encoded */
    uint64_t bytes;  /* in memory, of a small one */
    char *inlined;   /* encoded; NULL: it is an object of the homes that have it */
    char few[16];    /* where that is, when it is a number */
    uint32_t copies; /* homes that have it */
    uint32_t tries;  /* calls of the unit's first task, that is to be called again */
    bool missing;    /* it failed or was skipped, in a run that goes on */
    bool counted;    /* in the run's figures */
} rk_outcome_note;

typedef struct rk_conduct {
    struct rk_conduct *next; /* of the hub's */
    rk_hub *hub;
    rk_run *run;
    uint32_t number;
    rk_units units;
    rk_coordinator *coordinator;
    rk_pack_out plan;
    rk_shop *own;
    rk_outcome_note *notes; /* by unit */
    rk_hand *hands;         /* by home */
    uint32_t home_count;
    uint32_t next_worker; /* number of the next worker's first thread, as tasks see it */
    uint32_t *homes;      /* by the coordinator's numbers of workers */
    rk_detours detours;
    rk_permit_office permits;
    rk_exchange exchange;
    uint64_t stopping_since, looked_at, lonely_since, ended_since;
    uint64_t mistaken_since; /* somebody came that should have been a worker; 0: nobody did */
    bool ended, over;        /* over: under the hub's lock */
    int end_status;
    uint32_t lost;         /* workers that were not asked to leave, */
    char last_words[256];  /* and of the last of them: where, and why */
    char turned_away[256]; /* why the last one was that was not taken; "": none was */
    char refused[512];     /* why the last one was not let in of which observers were told, */
    uint32_t refusals;     /* and of how many they were */
} rk_conduct;

/* It is not in the news of it any more. */
void rk_outcome_forget(rk_outcome_note *note);

/* Fails with run->reason, or a failure of a task of the run. */
int rk_conduct_new(rk_hub *hub, rk_run *run, rk_conduct **out);
/* A worker's threads come first, then its lanes, and behind them the second ones of its threads (helpers.h). */
bool rk_conduct_is_lane(const rk_conduct *conduct, uint32_t home, uint32_t worker);
/* The run is over: results and figures into it. Ends conduct. */
void rk_conduct_finish(rk_conduct *conduct);
void rk_conduct_free(rk_conduct *conduct);

/* The hub has let somebody not in. */
void rk_conduct_refused(rk_conduct *conduct);
/* Says something of the run to a worker. */
void rk_conduct_order(rk_conduct *conduct, uint32_t home, rk_message message);
/* A worker is there. */
void rk_conduct_admit(rk_conduct *conduct, rk_member *member);
void rk_conduct_hear(rk_conduct *conduct, rk_member *member, const rk_message *message);
/* fetch->into is the caller's, unless it was taken and is NULL then. */
void rk_conduct_pulled(rk_conduct *conduct, rk_fetch *fetch);
void rk_conduct_leaving(rk_conduct *conduct, const rk_member *member);
/* It runs nothing, and nothing that others need is there alone. */
bool rk_conduct_spares(const rk_conduct *conduct, const rk_member *member);
void rk_conduct_lost(rk_conduct *conduct, const rk_member *member, const char *why);
/* That nobody has come for a while, and what became of those that came before. */
void rk_conduct_say_lonely(const rk_conduct *conduct, char *text, size_t capacity);
const void *rk_conduct_object(rk_conduct *conduct, uint32_t unit, uint64_t begin, uint64_t size,
                              uint64_t *total);
/* It has ended, and all that it ran has returned. */
bool rk_conduct_is_through(const rk_conduct *conduct);
/* Hears the own process, and does what the coordinator says. True: there was something. */
bool rk_conduct_turn(rk_conduct *conduct);
/* Nanoseconds until it wants its next turn, though nothing happened. */
uint64_t rk_conduct_patience(const rk_conduct *conduct);

#endif
