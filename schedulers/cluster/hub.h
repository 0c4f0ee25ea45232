/* schedulers/cluster/hub: where workers come to: the endpoint of a program that computes, and the thread that it belongs to.
 *
 * A hub stays from run to run, and its workers with it. Its thread is the hands of the coordinators of all runs that go on
 * (conduct.h). Other threads add a run and wait for its end, nothing else. */
#ifndef RASK_SCHEDULERS_CLUSTER_HUB_H
#define RASK_SCHEDULERS_CLUSTER_HUB_H

#include "schedulers/cluster/line.h"
#include "schedulers/cluster/setup.h"

#include <pthread.h>

struct rk_conduct;

/* A worker that was let in. */
typedef struct rk_member {
    uint32_t peer;
    uint32_t threads, lanes;
    uint64_t memory;
    char contact[RK_MAX_CONTACT + 1];
    char name[128];               /* its host's */
    bool welcome;                 /* it said HELLO, and that was good */
    uint32_t last_run, last_home; /* the last run that it was told of, and its home there */
    bool leaving;
    const char
        *doom; /* it was told to end, for this reason, and is dropped when it does not; NULL: it was not */
    uint64_t since_ns;  /* it came, is leaving, or doomed */
    uint64_t joined_ns; /* it came */
    uint64_t done;      /* tasks that came to their result there, in all runs */
    rk_mouth mouth;
} rk_member;

typedef struct rk_hub {
    struct rk_hub *next; /* of the process's */
    char address[RK_MAX_CONTACT + 1];
    char *key_file; /* "": everybody is let in */
    rk_cluster_ids ids;
    rk_line line;
    rk_array members; /* rk_member * */
    rk_fetches fetches;
    uint64_t now, opened_ns;
    struct rk_conduct *conducts; /* the thread's */
    char refused[512];           /* why the last who came was not let in; "": it was, or nobody came */
    uint64_t refused_ns;         /* when that was */
    uint64_t mistaken_ns; /* and when it seemed to be meant for here: its key or its build is another */

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t over;
    struct rk_conduct *coming; /* under the lock */
    uint32_t last_run;
    bool ending;
    bool kept;         /* until the program ends */
    uint32_t expected; /* workers of a launch, which that waits for, to tell them */
} rk_hub;

/* The process's hub at an address, opened when there is none. key_file: NULL: everybody is let in. Fails with a reason. It is closed when the program ends, or by rk_hub_close_all(). */
int rk_hub_get(const char *address, const char *key_file, rk_hub **out, char *reason, size_t capacity);
/* Not while a run goes on. Workers are told nothing: they look for the next program. Those that are kept stay open. */
void rk_hub_close_all(void);
/* It stays open until the program ends, and its workers end with it; so many, which are waited for a little if they have not come yet. */
void rk_hub_keep(rk_hub *hub, uint32_t workers);
/* Where workers dial, of the hub that was opened last; "" when there is none. The text stays valid until it is closed. */
const char *rk_hub_contact(void);

/* A number for a run. */
uint32_t rk_hub_number_run(rk_hub *hub);
/* The run begins, and is the thread's. */
void rk_hub_add(rk_hub *hub, struct rk_conduct *conduct);
/* Until it has ended; it is the caller's again. */
void rk_hub_wait(rk_hub *hub, struct rk_conduct *conduct);

/* By the thread: */
void rk_hub_say(rk_hub *hub, rk_member *member, const rk_message *message);
/* A task of it is over its time: it ends, or is dropped when it does not. */
void rk_hub_kill(rk_hub *hub, rk_member *member);

#endif
