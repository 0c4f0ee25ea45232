/* schedulers/processes/crew: what the program's process and its workers have in common during a run, and what
 * executes units in either.
 *
 * A worker has seats: threads that execute units, one for CPU work and some lanes for I/O. A seat has a mailbox. The program's
 * process has seats of its own for tasks that run nowhere else (RASK_HERE).
 *
 *   written before the forks            the crew itself, the plan and all it points to: copies, the same everywhere
 *   written by the program's process    places, and the ends of mailboxes that are its own
 *   written by a worker                 its range of the region, and its ends of its mailboxes */
#ifndef RASK_SCHEDULERS_PROCESSES_CREW_H
#define RASK_SCHEDULERS_PROCESSES_CREW_H

#include "schedulers/call.h"
#include "schedulers/processes/mailbox.h"
#include "schedulers/processes/parcel.h"
#include "schedulers/processes/system.h"
#include "schedulers/run.h"

/* In a place: the result is a parcel, whose address is in as.i64. */
#define RK_PLACE_PARCEL 0x100

/* Shared, and written by the program's process. */
typedef struct rk_board {
    rask_cancel_token stop;  /* the run is being stopped */
    rk_atomic_u32 listening; /* it sleeps: ring */
    rk_atomic_bool hungry;   /* nodes that units come to are run elsewhere, when they can be */
} rk_board;

typedef struct rk_crew {
    rk_run *run;
    rk_region *
        region; /* a range for each worker, one for the program's own process, and one for what is run away */
    rk_board *board;
    rk_atomic_u64 *used;       /* by range: how far */
    rk_mailbox *mailboxes;     /* by seat */
    rask_value *places;        /* by task: results that others take */
    rk_atomic_u32 *next_tasks; /* by unit: where it goes on, written before the order; 0: its first */
    rk_atomic_u32 *tries;      /* by unit: calls of its first task so far, the same; NULL: none rests */
    uint64_t shared_bytes;     /* behind board, used, mailboxes, places, next_tasks, tries */
    rk_watch watch;
    uint32_t workers;
    uint32_t threads, lanes;   /* seats of a worker: CPU first, then I/O */
    uint32_t here;             /* seats of the program's own process */
    uint64_t kept;             /* bytes of freed memory that a range may keep */
    const rk_modules *modules; /* that all have; NULL: not noted */
    bool counts;               /* the run has limits, and the program's process counts what its tasks take */
} rk_crew;

/* A single call, of a task that no plan has (standing.h): in shared memory, at the address in the first place when the order
 * comes. Written before that, but for task. */
typedef struct rk_slip {
    rask_task task; /* the thread's; attempt: which it has come to */
    const rask_task_def *def;
    rk_call_terms terms;
    uint32_t worker, attempt, nargs;
    uint64_t rest_ns;  /* the thread's: of a call that failed, as rk_call_until_rest() has it */
    bool spreads;      /* nodes that it returns are sent back, when they can be and it is worth the way */
    bool counts;       /* and always, for what is counted is counted there */
    rask_value args[]; /* scalars, or of type RK_PLACE_PARCEL as in a place */
} rk_slip;

/* What a unit's tasks did, for observers. */
typedef struct rk_story {
    uint32_t count;
    rask_task_info told[];
} rk_story;

/* The seats of worker number crew->workers are those of the program's own process. */
static inline rk_mailbox *rk_crew_mailbox(const rk_crew *crew, uint32_t worker, uint32_t seat)
{
    return &crew->mailboxes[worker * (crew->threads + crew->lanes) + seat];
}

/* The numbers of seats as tasks see them: CPU seats of all processes first, then lanes. */
uint32_t rk_crew_seat_number(const rk_crew *crew, uint32_t worker, uint32_t at);
bool rk_crew_is_lane(const rk_crew *crew, uint32_t worker, uint32_t at);

/* Everything that executes units in one process. */
typedef struct rk_squad rk_squad;

/* For worker number worker, in its life-th life; apart is a run of its own (rk_run_init_apart). NULL: no memory. */
rk_squad *rk_squad_new(const rk_crew *crew, rk_run *apart, uint32_t worker, uint32_t life);

/* In a worker process, whose whole life this is: executes what it is told to until it is told to leave. */
_Noreturn void rk_squad_work(rk_squad *squad);

/* In the program's process: seats become threads. RASK_OK or RASK_ENOMEM: no thread could be made. */
int rk_squad_start(rk_squad *squad);
/* After every seat was told to leave: returns when all have. */
void rk_squad_join(rk_squad *squad);
void rk_squad_free(rk_squad *squad);

/* This process is a worker. */
bool rk_squad_is_worker(void);

#endif
