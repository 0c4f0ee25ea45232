/* What is inside of a shop (shop.h), for the files that it is made of: shop.c, seats and the way of units; shop_counted.c, what
 * tasks take of what is counted; shop_results.c, results.
 *
 * One lock guards the queues of orders and of news, and nothing else: what a unit's result was before it was queued, seats see
 * by it, and what a seat wrote is seen by who takes the news. A seat writes the results of the unit that it executes only. */
#ifndef RASK_SCHEDULERS_CLUSTER_SHOP_PARTS_H
#define RASK_SCHEDULERS_CLUSTER_SHOP_PARTS_H

#include "core/store/scratch.h"
#include "schedulers/cluster/helpers.h"
#include "schedulers/cluster/numbers.h"
#include "schedulers/cluster/shop.h"

/* What is to be told of something that is counted. Those that admissions have are theirs until it is given back. */
typedef struct rk_shop_permit {
    rk_permit_news news;
    struct rk_shop_permit *next;
    bool queued, own;     /* own: it is told last, and ends then */
    rk_admission *asked;  /* that waits; NULL: it does not, or did not */
    rk_numbered numbered; /* while it does */
} rk_shop_permit;

/* A unit from its order to its news. */
typedef struct rk_shop_job {
    rk_shop_news news;
    rk_shop_permit rests; /* told before the news are: it is free by then */
    struct rk_shop_job *next;
} rk_shop_job;

/* First come, first served. */
typedef struct rk_shop_queue {
    rk_shop_job *first, **last;
    pthread_cond_t work;
} rk_shop_queue;

typedef struct rk_shop_seat {
    rk_shop *shop;
    rk_shop_queue *queue;
    rk_worker worker;
    rk_atomic_u64 began_ns; /* its last call that may be timed */
    uint64_t told_ns;       /* as far as was told */
    rk_atomic_u64 task_ns;  /* when somebody observes: since when it is at */
    rk_atomic_u32 task;     /* one less than this; 0: none */
    uint64_t begun_ns;      /* of the last one that was told of */
    rk_shop_job *now;       /* under the lock; NULL: none */
    pthread_t thread;
    bool started;
    rk_array told; /* rask_task_info */
    rk_shop_permit again;
    bool answered; /* under the lock, as all that follows */
    int denied;    /* the answer: a status, and why */
    char why[RK_MAX_MESSAGE + 1];
} rk_shop_seat;

/* Calls of what grew, when somebody observes. */
typedef struct rk_shop_grown {
    pthread_mutex_t lock;
    rk_array running, told; /* rk_grown_news: that go on, and that are to be told of */
} rk_shop_grown;

/* Of a unit: its result, other than as a value. */
typedef struct rk_shop_form {
    char *encoded; /* NULL: not, or in the file */
    uint64_t size; /* of it */
    uint64_t place;
    bool customs; /* it was encoded once and for all: encode() is asked once */
} rk_shop_form;

struct rk_shop {
    const rask_plan *plan;
    rk_run run;
    rask_cancel_token stop;
    rk_shop_setup setup;
    rk_shop_form *forms; /* by unit */
    rk_pack_out piece;   /* that is put together of an object */
    uint32_t served;     /* unit whose encoded result was read to its end; RK_NO_UNIT */
    rk_scratch scratch;
    uint64_t written, read;
    char message[RK_MAX_MESSAGE + 1];

    pthread_mutex_t lock;
    rk_shop_queue queues[2]; /* what computes, what waits */
    rk_shop_queue done;      /* jobs with news */
    rk_shop_job *heard;      /* of them, the caller's */
    rk_shop_job *spare;      /* the caller's, without news: as many as there were at once */
    uint32_t unheard;        /* of them, since the caller was woken */
    bool ending;
    rk_shop_permit *first_permit, *last_permit;
    rk_admission *asked, *last_asked; /* that wait, in their order, */
    rk_numbers numbers;               /* and by the numbers of their permits */
    uint64_t permits_numbered;
    pthread_cond_t answered;
    rk_permits permits;  /* written at first */
    rk_seat_count busy;  /* of the seats that compute */
    rk_helpers *helpers; /* the caller's; NULL: none */
    rk_atomic_bool grows;
    rk_shop_grown grown;

    rask_observer observer;
    const rask_observer *observers[1];
    uint32_t seat_count;
    rk_shop_seat seats[];
};

/* Of the calling thread; NULL: it is none. */
extern _Thread_local rk_shop_seat *rk_shop_sitting;

static inline uint32_t rk_shop_last(const rk_shop *shop, uint32_t unit)
{
    return shop->plan->unit_start[unit + 1] - 1;
}

/* shop_counted.c */

/* Fills in what the shop's run asks. */
void rk_shop_count(rk_shop *shop);
/* Under the lock: the next that is to be told. False: there is none. */
bool rk_shop_pop_permit(rk_shop *shop, rk_permit_news *news);
/* Nothing is called any more: who waits fails. */
void rk_shop_let_all_in(rk_shop *shop);
/* Nobody is told. */
void rk_shop_end_permits(rk_shop *shop);

/* shop_grown.c */

void rk_shop_grown_init(rk_shop_grown *grown);
void rk_shop_grown_fini(rk_shop_grown *grown);
/* From any thread. Such a call begins; and it rests, or has ended. */
void rk_shop_note_grown_start(rk_shop *shop, const rask_task_info *info);
void rk_shop_note_grown(rk_shop *shop, const rask_task_info *info, rk_grown_event event);

/* shop_results.c */

/* How large a unit's result is when encoded. Customs are encoded to know. */
int rk_shop_measure(rk_shop *shop, uint32_t unit, char *message, size_t capacity);

#endif
