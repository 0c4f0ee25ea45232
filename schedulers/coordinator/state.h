/* schedulers/coordinator/state: what the files of the coordinator share. Three machines: a task, a copy of a result in
 * a home, a worker. Each has its states in a table here and one function that changes them.
 *
 *  task     left when, and where to
 *  WAITING  nothing is left that it waits for: READY; something it depends on failed: SKIPPED
 *  READY    picked: STAGING; an input was lost: WAITING; blamed: FAILED
 *  STAGING  all inputs are in its home: STAGED; one cannot come, or its worker was lost: READY
 *  STAGED   RUN was drawn: SENT; its worker was lost: READY
 *  SENT     finished: OVER; failed, or backed off: WAITING for the time of a retry, or FAILED; given back, or its worker was lost:
 *           READY or FAILED
 *  OVER     its result is needed and nowhere: LOST
 *  LOST     at once: WAITING or READY; or OVER, when it turned out not to be needed
 *  FAILED, SKIPPED: never
 *  FREE     its number is a task's again: WAITING
 * STAGING, STAGED and SENT tasks have an errand: what a task holds between being picked and being over.
 *
 * Tasks that were added (grow.c), by other tasks or from outside, have numbers behind those of the graph, and leave them:
 *  - What nobody needs any more vanishes: a task that is WAITING or READY is OVER without a result; one that has an errand
 *    gives it back, or is told to end and killed after the grace.
 *  - A task is forgotten, and FREE, when it is over, nobody wants its result, it has no copies, and no task that is
 *    remembered has it as an input. So what may have to run again stays known with all that it was made of. With one
 *    home, which is not lost, a task that is over is cut off from its inputs instead: what each step of a stream takes from the
 *    step before would else be remembered for ever. Only a disk that cannot be read back costs such a result.
 *
 * A task that grew does not wait for what it returned: it becomes that. It keeps its number, its users, its place in the
 * order, and has another script, with other inputs. Its own script, its origin, rests meanwhile, and is in force again
 * when it is over: then the tasks that it grew are forgotten, and if its result is lost it grows anew. So a chain of
 * tasks that return one another takes the place of one, however long.
 *
 *  script of a task   its edges count as uses   left when, and where to
 *  origin             yes                       grown: the new one; forgotten
 *  another            yes                       over, run again, grown: freed
 *  origin, resting    no, but are remembered    see above
 *
 *  copy      in memory  counts as  left when, and where to
 *  FETCHING  no         reserved   transferred: HELD; failed: again, or gone
 *  HELD      yes        live       evicted: SPILLING, or gone when it can be had again; the end: HANDED
 *  SPILLING  yes        live       spilled: ON_DISK; failed, or wanted meanwhile: HELD
 *  ON_DISK   no         nothing    wanted: LOADING
 *  LOADING   no         reserved   loaded: HELD; failed: gone
 *  HANDED    yes        nothing    wanted no more: HELD, or gone; a target, that is where it is wanted in the end: never
 * A copy that nobody needs any more while it moves, or while others read it, is doomed: dropped as soon as that is over.
 *
 *  worker   gets tasks  left when, and where to
 *  GONE     no          joined: HERE
 *  HERE     yes         leaving: LEAVING; KILL said: KILLED; lost: GONE
 *  LEAVING  no          nothing left to do: RETIRED; lost: GONE
 *  RETIRED  no          lost: GONE
 *  KILLED   no          lost: GONE
 *
 * Invariants, which check.c verifies:
 *   - A task waits for as many things as: inputs whose results it takes and that are nowhere; inputs that it only
 *     follows and that were never over; one more while it waits for the time of a retry.
 *   - A result has as many uses as inputs of tasks that are not over (finished, failed or skipped) take it, and one more
 *     when it is a target. One without uses has no copies but doomed ones.
 *   - What a home has live are its copies in memory; what it has reserved is what errands and copies on their way in
 *     say. Nothing is admitted that does not fit: live + reserved <= budget less what others use, unless a result was
 *     larger than expected or others used more; then nothing is admitted at all.
 *   - A result has a use more for each who wants it from outside; followers are tasks not over that only follow it.
 *   - An edge of a script that was added is in the list of its task's inputs and in its input's list of users; it is in
 *     force when the script is.
 *   - Inputs of errands that are STAGED or SENT are in memory, and pinned. */
#ifndef RASK_SCHEDULERS_COORDINATOR_STATE_H
#define RASK_SCHEDULERS_COORDINATOR_STATE_H

#include "core/base/array.h"
#include "schedulers/coordinator/bitmap.h"
#include "schedulers/coordinator/coordinator.h"
#include "schedulers/heap.h"

#include <assert.h>
#include <rask/base.h>

#define RK_NONE      UINT32_MAX
#define RK_NEVER     UINT64_MAX
#define RK_UNLIMITED UINT64_MAX

typedef struct rk_list {
    uint32_t first, last, count;
} rk_list;

typedef enum rk_task_state {
    RK_TASK_WAITING,
    RK_TASK_READY,
    RK_TASK_STAGING,
    RK_TASK_STAGED,
    RK_TASK_SENT,
    RK_TASK_OVER,
    RK_TASK_LOST,
    RK_TASK_FAILED,
    RK_TASK_SKIPPED,
    RK_TASK_FREE,
} rk_task_state;

typedef struct rk_co_task {
    uint32_t state : 4, class : 6, target : 1, source : 1;
    uint32_t once_over : 1; /* it was over before: who only follows it does not wait again */
    uint32_t bound : 1;     /* READY: in the queue of tasks that fit nowhere else */
    uint32_t
        delayed : 1; /* WAITING for the time of a retry, too; link: its place among those. It keeps tags of the run */
    uint32_t listed : 1; /* link: the next in a list of lineage's */
    uint32_t
        given_back : 1; /* it was asked back once, and is not again: there may be nobody else who can run it */
    uint32_t
        suspect : 1; /* it was in the queue of a worker that was lost, by whose fault is not known: others do not wait behind it,
                           * nor it behind others, so that the next time it is */
    uint32_t deaths : 6, retries : 8;
    uint32_t waits; /* READY in a home's queue, or added and in nobody's: its place there */
    uint32_t uses;
    uint32_t
        link; /* READY: home whose queue, RK_NO_HOME: anybody's; with an errand: that; OVER: its first copy; LOST,
                    * FAILED: the next of these */
} rk_co_task;

/* What an added task is, or what a task has become. */
typedef struct rk_co_script {
    uint64_t result_bytes, scratch_bytes, timeout_ns, backoff_ns;
    uint32_t group, class;
    uint32_t inputs, last_input; /* edges; inputs: of free ones the next */
    uint8_t retries;
    bool sure, source;
} rk_co_script;

/* An input of such a script. */
typedef struct rk_co_edge {
    uint32_t word; /* the input, with RK_INPUT_ORDER or without */
    uint32_t user, script;
    uint32_t next_input; /* of the script; of free ones the next */
    uint32_t next, prev; /* of the input's users */
} rk_co_edge;

/* Which elements of an array that grows are in use. */
typedef struct rk_pool {
    uint32_t count, room;
    uint32_t free, spare; /* the first that is free again, RK_NONE, and how many there are */
} rk_pool;

/* What is only known of tasks when some were added. */
typedef struct rk_co_more {
    uint64_t rank;                 /* of an added one: its place in plan order */
    rk_list users;                 /* edges: added tasks that have it for an input */
    uint32_t script, origin;       /* RK_NONE: the graph's */
    uint32_t wants;                /* from outside */
    uint32_t followers, copies;    /* copies: in whatever state but GONE */
    uint32_t tidy_next, done_next; /* in lists; done_next: of FREE ones, too */
    bool cut;                      /* what it was made of is forgotten: its result cannot be made again */
    bool untidy;                   /* in the list of those that are looked at */
    uint8_t sends;                 /* movements to where it is wanted, that came to nothing */
    bool told, queued, awaited;    /* DONE was said; is to be; and when a copy has come */
} rk_co_more;

typedef enum rk_copy_state {
    RK_COPY_FETCHING,
    RK_COPY_HELD,
    RK_COPY_SPILLING,
    RK_COPY_ON_DISK,
    RK_COPY_LOADING,
    RK_COPY_HANDED,
    RK_COPY_GONE, /* DROP is yet to be said */
} rk_copy_state;

typedef struct rk_co_copy {
    uint64_t bytes;
    uint32_t task, home;
    uint32_t next, prev;           /* of the task's; not of one that is FETCHING. next: of free ones */
    uint32_t home_next, home_prev; /* of the home's */
    uint32_t hash_next;            /* of the same hash */
    uint32_t link;                 /* of those that an instruction is to be said of */
    uint32_t pins;                 /* errands that take it, as often as their inputs name it */
    uint32_t readers;              /* copies that are fetched from it */
    uint32_t place;                /* in the home's heap of what may be evicted */
    uint32_t waiters;              /* first errand that waits for it to come */
    uint32_t edge;                 /* successors of the task before need it no more */
    uint32_t from;                 /* FETCHING: the home */
    uint32_t attempt;              /* of the movement */
    uint32_t seen;                 /* the last look at inputs that counted it */
    uint8_t state, failures;
    bool linked, image; /* image: it is on disk, too */
} rk_co_copy;

/* Which list of its worker an errand is in. */
typedef enum rk_errand_list {
    RK_LIST_STAGING,
    RK_LIST_STAGED,
    RK_LIST_SLOTS,
    RK_LIST_LANES,
    RK_LISTS
} rk_errand_list;

/* How far one has come with a task's inputs, or its users. */
typedef struct rk_walk {
    uint64_t at, end;
    uint32_t edge, word; /* word: the input, or the user, with RK_INPUT_ORDER or without */
} rk_walk;

typedef struct rk_errand {
    uint64_t reserved; /* for its result and while it runs */
    uint64_t asked;    /* while it waits, and when it was refused: so many it would need instead */
    uint64_t expected_ns, timeout_ns;
    uint32_t task, worker, home, attempt;
    uint32_t group;
    uint32_t next, prev;           /* in a list of the worker; next: of free ones */
    uint32_t copy;                 /* the one it waits for, RK_NONE */
    uint32_t wait_next, wait_prev; /* others that wait for it */
    rk_walk in;                    /* STAGING: inputs before are there */
    uint32_t place;                /* among the deadlines */
    uint32_t ask_place;            /* among those of its home that ask */
    uint8_t list;                  /* of rk_errand_list */
    bool io;
    bool begun, started;   /* begun: it should be running; started: it is known to */
    bool guilty;           /* of the end of its worker */
    bool suspect;          /* its task was when it began */
    bool stays;            /* it is not asked back for the sake of others who have nothing to do */
    bool recalled, asking; /* asking: RECALL is yet to be said */
    bool answering;        /* GRANT or REFUSE is yet to be said */
    bool refused;          /* REFUSE it is, or was */
    bool abandoned;        /* nobody needs it: it is told to end, or killed */
    bool gives_up;         /* it was asked back while it asked, */
    bool rests;            /* it has given back its tags, and is not timed */
    uint32_t better;       /* to run in this home; RK_NO_HOME: in any */
} rk_errand;

typedef enum rk_worker_state {
    RK_WORKER_GONE,
    RK_WORKER_HERE,
    RK_WORKER_LEAVING,
    RK_WORKER_RETIRED,
    RK_WORKER_KILLED,
} rk_worker_state;

typedef struct rk_co_worker {
    rk_list lists[RK_LISTS];
    uint32_t next_up[2];   /* of slots and lanes: the first errand that should not be running yet */
    uint32_t begun[2];     /* errands that should be */
    uint32_t in_flight[2]; /* errands by what they take: slots, lanes */
    uint32_t width[2];     /* slots, lanes */
    uint32_t home, epoch;
    uint32_t recallable;           /* errands in slots that neither run nor are recalled */
    uint32_t free_slots;           /* counted in the coordinator's */
    uint64_t load_ns;              /* expected of its errands that take slots */
    uint64_t progress_ns;          /* when something last began in a slot */
    uint32_t next, prev;           /* in the outbox; next: of free ones */
    uint32_t back_next, back_prev; /* among the backlogged */
    uint32_t home_next, home_prev; /* of the home's */
    uint32_t culprit;              /* KILLED: the task it is killed for */
    uint32_t suspects;             /* errands of tasks that are */
    uint8_t state;
    bool here, only_here, backlogged;
} rk_co_worker;

/* How much of a class a worker would take. */
typedef enum rk_room { RK_ROOM_NOW, RK_ROOM_AHEAD, RK_ROOMS, RK_ROOM_NONE = RK_ROOMS } rk_room;

/* A worker's place in the list of its home's workers with the same room for a class. */
typedef struct rk_seat_link {
    uint32_t next, prev;
    uint8_t room;
    bool suits; /* it is a worker that may run tasks of this class */
} rk_seat_link;

/* Tasks that any worker with a free slot (lane) can run need no list of what they need. */
typedef struct rk_class {
    bool io, here;
    uint32_t need_count;
    rk_need needs[RK_MAX_NEEDS];
    rk_bitmap ready;           /* tasks in nobody's queue, of the graph */
    rk_heap grown;             /* and those that were added */
    rk_bitmap homes[RK_ROOMS]; /* with room for it */
} rk_class;

/* Tasks that had better run in a home, by what they take, and tasks that fit nowhere else. */
enum { RK_QUEUE_SLOTS, RK_QUEUE_LANES, RK_QUEUE_BOUND, RK_QUEUES };

typedef enum rk_home_state { RK_HOME_NONE, RK_HOME_HERE, RK_HOME_LOST } rk_home_state;

typedef struct rk_co_home {
    uint64_t budget, other, live, reserved, peak;
    uint64_t leaving;         /* live bytes of copies that are SPILLING */
    uint64_t wanted;          /* bytes that the task which does not fit needs */
    uint64_t score;           /* bytes of a task's inputs that are here, */
    uint32_t scored;          /* if it is this task */
    rk_heap queue[RK_QUEUES]; /* READY tasks by number */
    rk_heap cold;             /* copies that may be evicted, the last needed on top */
    rk_heap asks;             /* errands that wait for more memory, the first in plan order on top */
    uint64_t open[RK_ROOMS];  /* classes that some worker has room for */
    uint32_t copies;          /* first of its copies */
    uint32_t workers, first_worker;
    uint32_t width[2]; /* slots, lanes of all workers */
    uint32_t plain[2]; /* and of those that are not only_here: who is runs nothing of the first two queues */
    uint32_t errands, moving;
    uint32_t blocked; /* the task that does not fit; RK_NO_TASK */
    uint32_t busy_place[2];
    uint8_t state;
    int disk_status; /* why the last SPILL failed; RASK_OK after something left the disk */
} rk_co_home;

typedef struct rk_group {
    uint64_t duration_ns;
    uint64_t bytes; /* most that a result took, or its task asked for */
    bool timed;     /* duration_ns was learned */
} rk_group;

struct rk_coordinator {
    rk_coordinator_graph graph;
    rk_coordinator_options options;
    uint64_t now;

    rk_co_task *tasks;
    uint32_t *succ_start, *succ; /* successors, ascending; with RK_INPUT_ORDER as in the input */
    uint32_t *targets;
    uint32_t target_count;
    uint32_t left; /* tasks neither over, failed nor skipped */
    rk_group *groups;
    uint32_t group_count;

    /* What was added; NULL: nothing ever. */
    rk_co_more *more;                   /* by task */
    uint32_t numbers, number_room;      /* of tasks: used, and those that there is room for */
    uint32_t free_number, free_numbers; /* through done_next */
    rk_co_script *scripts;
    rk_co_edge *edges;
    rk_pool script_pool, edge_pool;
    uint64_t submitted; /* tasks from outside, ever */
    uint64_t grown;     /* and by tasks */
    uint32_t untidy;    /* tasks that are to be looked at */
    rk_list done;       /* wanted ones that are over, or failed, and not handed over, */
    rk_list stuck;      /* and those of them that there is no room for */
    rk_list forgotten;  /* FORGET is to be said */
    uint32_t awaited;   /* copies of wanted results on their way */
    bool open;

    rk_class *classes;
    uint32_t class_count, plain[2];   /* plain: classes of tasks without needs, of slots and lanes; RK_NONE */
    uint64_t loose;                   /* classes of which some READY task is in nobody's queue */
    uint64_t starved;                 /* classes that wait for tags of the run */
    uint32_t tags[RK_MAX_TAGS];       /* of the run, free */
    uint32_t tag_totals[RK_MAX_TAGS]; /* 0: workers bring them */
    uint32_t lent[RK_MAX_TAGS];       /* of the run */
    uint32_t *worker_tags;            /* worker × (free, brought) × tag */

    rk_co_worker *workers;
    rk_seat_link *seats;   /* class × worker */
    uint32_t *seat_heads;  /* (class × home) × room: first and last */
    uint32_t worker_count; /* without those that are only_here: others may come */
    uint32_t used_workers, free_worker, last_epoch;
    rk_list outbox;      /* workers with something STAGED */
    rk_list backlogged;  /* workers with something to recall, least recent progress first */
    rk_bitmap farewells; /* workers of which KILL or RETIRE is to be said */
    uint32_t
        free_slots; /* of workers that get tasks which others have in their queues: not those that are only_here */
    uint32_t last_attempt;

    rk_co_home *homes;
    rk_bitmap look[RK_ROOMS]; /* homes where something may be decided */
    rk_bitmap blocked;        /* homes with a task that does not fit */
    rk_bitmap lacking;        /* homes where somebody asks for memory, */
    rk_bitmap answerable;     /* of them, where there may be some now, */
    rk_bitmap unsettled;      /* and where there was none, and nothing was done about it */
    rk_heap busy[2];          /* homes with queues, longest wait first */

    rk_co_copy *copies;
    uint32_t copy_count, copy_room, free_copy;
    uint32_t *hash; /* of copies by task and home */
    uint32_t hash_mask;
    rk_list outgoing; /* copies that an instruction is to be said of */
    uint32_t last_look;
    uint32_t lost;   /* tasks whose results are to be made again */
    uint32_t spared; /* and tasks whose results need not be, after all */
    rk_array blames; /* rk_instruction, said from told on */
    size_t told;

    rk_errand *errands;
    uint64_t capacity; /* errands that all workers may have */
    uint32_t errand_room, free_errand, errands_out;
    uint32_t prompt; /* an errand that is STAGED and in no list: RUN is said before anything else happens */
    uint32_t sent;   /* tasks */
    uint32_t moving; /* copies FETCHING, SPILLING, LOADING */
    rk_heap deadlines, retries;
    rk_list recalls;          /* errands of which RECALL is to be said */
    rk_list answers;          /* and those of which GRANT or REFUSE is */
    uint32_t recalling;       /* errands asked back */
    uint64_t recall_ns;       /* when to look whether one should be, RK_NEVER */
    uint64_t average_ns;      /* of tasks of all groups */
    uint32_t gathered, asked; /* targets before are in place, and sent for */

    rk_array loads, loading; /* results that are to go elsewhere, and those that are seen to */
    uint32_t leavers;        /* workers that were asked to leave, ever */
    bool look_at_loads;      /* something has happened since */

    double bytes_per_ns;
    int status;        /* of the run */
    bool hears_starts; /* workers tell what they begin with */
    bool stopping, gathering, ended;
    rk_coordinator_figures figures;
};

/* Tasks (task.c, lineage.c). */

/* An added task, or one with users that were: it is to be seen to what follows from its state before anything is decided. */
void rk_co_tidy_later(rk_coordinator *c, uint32_t task);

/* The only place where states of tasks change. */
static inline void rk_co_task_move(rk_coordinator *c, uint32_t task, rk_task_state from, rk_task_state to)
{
    rk_co_task *t = &c->tasks[task];
    assert(t->state == from);
    if (c->more && to >= RK_TASK_OVER && to != RK_TASK_LOST && to != RK_TASK_FREE)
        rk_co_tidy_later(c, task);
    c->left += (to < RK_TASK_OVER) - (from < RK_TASK_OVER);
    c->sent += (to == RK_TASK_SENT) - (from == RK_TASK_SENT);
    t->state = to;
}
/* A task that is neither over nor in a queue nor has an errand: counts what it waits for; WAITING, READY, or SKIPPED
 * when something that it depends on failed. later: it waits for one thing more. */
void rk_co_task_settle(rk_coordinator *c, uint32_t task, bool later);
/* Nothing is left that it waits for: into a queue. */
void rk_co_task_ready(rk_coordinator *c, uint32_t task);
/* READY: out of its queue. */
void rk_co_task_unqueue(rk_coordinator *c, uint32_t task);
/* READY in a home's queue: it is anybody's. */
void rk_co_task_loosen(rk_coordinator *c, uint32_t task);
/* READY tasks in queues of a home where nobody can run them any more are anybody's. */
void rk_co_home_deserted(rk_coordinator *c, uint32_t home);
/* Into the queue of tasks that fit nowhere but in this home. */
void rk_co_task_bind(rk_coordinator *c, uint32_t task, uint32_t home);
/* SENT: it returned, and its result is in home. */
void rk_co_task_over(rk_coordinator *c, uint32_t task, uint32_t home, uint64_t bytes);
/* It failed for good: whatever depends on it is skipped, or with it the run stops. */
void rk_co_task_fail(rk_coordinator *c, uint32_t task, int status);
/* The same, by the coordinator's judgement. */
void rk_co_task_blame(rk_coordinator *c, uint32_t task, const rk_instruction *blame);
/* WAITING, not settled: whatever depends on it is skipped. */
void rk_co_skip_from(rk_coordinator *c, uint32_t task);
/* WAITING or READY, only to make a result again that nobody needs any more: it need not run, which is seen to when
 * skipping is through. */
void rk_co_task_spare(rk_coordinator *c, uint32_t task);
/* WAITING, not settled, or over: a worker died of it, or its inputs or its result could not be had; true when that
 * happened too often, and it is blamed. */
bool rk_co_task_died(rk_coordinator *c, uint32_t task, rk_reason why, int status);
/* WAITING, not settled: tried again after a while, or failed when it was tried often enough; with a reason, blamed. */
void rk_co_task_retry(rk_coordinator *c, uint32_t task, int status, rk_reason why);
/* The same, but it is tried again, after so long. */
void rk_co_task_rest(rk_coordinator *c, uint32_t task, uint64_t rest_ns);
/* The first that waits for the time of a retry waits no more. */
void rk_co_task_retry_now(rk_coordinator *c);
void rk_co_describe(const rk_coordinator *c, uint32_t task, rk_traits *out);

/* A result is nowhere: it is made again, and what that needs and is nowhere either. */
void rk_co_lineage_add(rk_coordinator *c, uint32_t task);
void rk_co_lineage_follow(rk_coordinator *c);
/* Results of sources that task takes and that were dropped are made again; true when there were any, and task is
 * WAITING. */
bool rk_co_lineage_wake_sources(rk_coordinator *c, uint32_t task);
/* The same for a task whose own result was dropped. */
bool rk_co_lineage_wake(rk_coordinator *c, uint32_t task);

static inline bool rk_co_has_copy(const rk_co_task *t)
{
    return t->state == RK_TASK_OVER && t->link != RK_NONE;
}

/* The result of a task that is over is nowhere, though not yet known to be needed at once. */
static inline bool rk_co_is_dropped(const rk_co_task *t)
{
    return t->state == RK_TASK_OVER && t->link == RK_NONE;
}

/* News (news.c). */

void rk_co_pass_time(rk_coordinator *c, uint64_t now);
/* The errand that news of a task are about; RK_NONE: none that is still out. */
uint32_t rk_co_find_errand(const rk_coordinator *c, uint32_t worker, uint32_t epoch, uint32_t task,
                           uint32_t attempt);

/* Copies (copy.c). i is the number of a copy, and below of an errand. */

int rk_co_copies_init(rk_coordinator *c);
/* RK_NONE: there is none. With one home there is no hash. */
uint32_t rk_co_copy_find_hashed(const rk_coordinator *c, uint32_t task, uint32_t home);
static inline uint32_t rk_co_copy_find(const rk_coordinator *c, uint32_t task, uint32_t home)
{
    if (c->hash)
        return rk_co_copy_find_hashed(c, task, home);
    return c->tasks[task].state == RK_TASK_OVER ? c->tasks[task].link : RK_NONE;
}
/* FETCHING or HELD. RK_NONE: no memory, the run stops. */
uint32_t rk_co_copy_new(rk_coordinator *c, uint32_t task, uint32_t home, rk_copy_state state, uint64_t bytes);
/* The only place where states of copies change, counted and listed by what they are. */
void rk_co_copy_move(rk_coordinator *c, uint32_t i, rk_copy_state from, rk_copy_state to);
/* It moves: an instruction of it is to be said. */
void rk_co_copy_send(rk_coordinator *c, uint32_t i);
/* Nobody pins, reads or moves it: DROP is to be said. Who waits for room is the caller's to tell. */
void rk_co_copy_drop(rk_coordinator *c, uint32_t i);
/* It is no more, and nothing need be said. The task may have no other then. */
void rk_co_copy_lose(rk_coordinator *c, uint32_t i);
/* Drops it when nobody needs it and nothing is in the way. */
void rk_co_copy_leave(rk_coordinator *c, uint32_t i);
void rk_co_copy_free(rk_coordinator *c, uint32_t i);
void rk_co_copy_pin(rk_coordinator *c, uint32_t i);
void rk_co_copy_unpin(rk_coordinator *c, uint32_t i);
/* It takes so many bytes. */
void rk_co_copy_resize(rk_coordinator *c, uint32_t i, uint64_t bytes);
/* A copy to fetch task's result from has been chosen for copy, or RK_NONE. */
void rk_co_copy_read(rk_coordinator *c, uint32_t i, uint32_t from);
void rk_co_copy_unread(rk_coordinator *c, uint32_t i);
/* A home has a budget now that had none. */
void rk_co_home_chill(rk_coordinator *c, uint32_t home);
/* The rank of the first task that takes it and is not over; UINT64_MAX: none but the end. */
uint64_t rk_co_copy_next_use(rk_coordinator *c, uint32_t i);
/* The same for a task's result: of users in the graph from *edge on, which moves on. */
uint64_t rk_co_next_use(const rk_coordinator *c, uint32_t task, uint32_t *edge);
/* One that takes the result of task less. */
void rk_co_release(rk_coordinator *c, uint32_t task);
/* A task that has nobody left who needs it, and need not run, is spared, or given up. */
void rk_co_spare_unneeded(rk_coordinator *c, uint32_t task);
/* The same for all that a task takes, and follows. */
void rk_co_let_inputs_go(rk_coordinator *c, uint32_t task);
/* Tasks that turned out not to be needed are over. */
void rk_co_let_spared_go(rk_coordinator *c);

static inline bool rk_co_copy_moves(const rk_co_copy *copy)
{
    return copy->state == RK_COPY_FETCHING || copy->state == RK_COPY_SPILLING ||
           copy->state == RK_COPY_LOADING;
}
/* And stays there as long as it is pinned. */
static inline bool rk_co_copy_is_in_memory(const rk_co_copy *copy)
{
    return copy->state == RK_COPY_HELD || copy->state == RK_COPY_HANDED;
}

/* Errands (errand.c). */

/* The order in which one worker would visit tasks: the graph's in plan order, then those from outside as they come; what a
 * task grew comes right behind it, the last grown first. */
enum { RK_RANK_BITS = 20 };
static inline uint64_t rk_co_rank(const rk_coordinator *c, uint32_t task)
{
    if (task == RK_NO_TASK)
        return UINT64_MAX;
    if (task < c->graph.tasks)
        return (uint64_t)task << RK_RANK_BITS;
    assert(c->more);
    return c->more[task].rank;
}

/* The first of two in plan order; RK_NO_TASK is none. */
static inline uint32_t rk_co_sooner(const rk_coordinator *c, uint32_t a, uint32_t b)
{
    return rk_co_rank(c, a) < rk_co_rank(c, b) ? a : b;
}

static inline bool rk_co_is_added(const rk_coordinator *c, uint32_t task)
{
    return task >= c->graph.tasks;
}

/* It became something else. */
static inline bool rk_co_is_grown(const rk_coordinator *c, uint32_t task)
{
    return c->more && c->more[task].script != c->more[task].origin;
}

/* Somebody takes its result, or follows it, who is not over. */
static inline bool rk_co_is_needed(const rk_coordinator *c, uint32_t task)
{
    const rk_co_task *t = &c->tasks[task];
    return t->uses || (!t->once_over && (!rk_co_is_added(c, task) || c->more[task].followers));
}

/* Over a task's inputs, or its users, of the scripts that are in force. */
static inline rk_walk rk_co_inputs(const rk_coordinator *c, uint32_t task)
{
    if (c->more && c->more[task].script != RK_NONE)
        return (rk_walk){.edge = c->scripts[c->more[task].script].inputs};
    return (rk_walk){c->graph.input_start[task], c->graph.input_start[task + 1], RK_NONE, 0};
}

/* False: there are no more. */
static inline bool rk_co_next_input(const rk_coordinator *c, rk_walk *walk)
{
    if (walk->at != walk->end) {
        walk->word = c->graph.inputs[walk->at++];
        return true;
    }
    if (walk->edge == RK_NONE)
        return false;
    walk->word = c->edges[walk->edge].word;
    walk->edge = c->edges[walk->edge].next_input;
    return true;
}

static inline rk_walk rk_co_users(const rk_coordinator *c, uint32_t task)
{
    bool added = rk_co_is_added(c, task);
    return (rk_walk){added ? 0 : c->succ_start[task], added ? 0 : c->succ_start[task + 1],
                     c->more ? c->more[task].users.first : RK_NONE, 0};
}

/* Edges may not end while they are walked over. */
static inline bool rk_co_next_user(const rk_coordinator *c, rk_walk *walk)
{
    while (walk->at != walk->end) {
        walk->word = c->succ[walk->at++];
        if (!c->more || c->more[walk->word & ~RK_INPUT_ORDER].script == RK_NONE)
            return true;
    }
    while (walk->edge != RK_NONE) {
        const rk_co_edge *edge = &c->edges[walk->edge];
        walk->edge = edge->next;
        walk->word = edge->user | (edge->word & RK_INPUT_ORDER);
        if (c->more[edge->user].script == edge->script)
            return true;
    }
    return false;
}

/* What was added (grow.c). */

/* Sees to tasks that were left for later; false: there were none. */
bool rk_co_tidy(rk_coordinator *c);
/* FORGET, or DONE; false: nothing to say. */
bool rk_co_say_of_added(rk_coordinator *c, rk_instruction *out);
/* A task that grew is what it was at first. */
void rk_co_revert(rk_coordinator *c, uint32_t task);
/* A copy of a result has come to a home, or will not. */
void rk_co_copy_came(rk_coordinator *c, uint32_t task, uint32_t home);

/* Classes (class.c): the class of tasks with these traits, which may be new. RASK_ELIMIT, RASK_EINVAL, RASK_ENOMEM. */
int rk_co_classify(rk_coordinator *c, const rk_traits *traits, uint32_t *class);
/* The first task in plan order in nobody's queue; RK_NO_TASK. */
uint32_t rk_co_first_loose(const rk_coordinator *c, uint32_t class);

/* A READY task that is in no queue any more gets an errand of worker; its inputs are pinned and sent for. */
void rk_co_errand_start(rk_coordinator *c, uint32_t task, uint32_t worker, const rk_traits *traits,
                        uint64_t reserved);
/* Everything that it holds is given back; its task is the caller's. */
void rk_co_errand_end(rk_coordinator *c, uint32_t i);
/* Ends it, and its task is as it was before. */
void rk_co_errand_undo(rk_coordinator *c, uint32_t i);
/* RUN is said: it is on its worker. */
void rk_co_errand_send(rk_coordinator *c, uint32_t i);
/* A copy came: those that wait for it look for what else is missing. */
void rk_co_errand_arrived(rk_coordinator *c, uint32_t copy);
/* A copy cannot come: errands that take it are undone, or their tasks blamed when that happens too often.
 * status: RASK_OK: it is nobody's fault. */
void rk_co_errand_give_up(rk_coordinator *c, uint32_t copy, int status);
/* The clock for its timeout starts, or starts again. */
void rk_co_errand_set_deadline(rk_coordinator *c, uint32_t i);
void rk_co_errand_forget_deadline(rk_coordinator *c, uint32_t i);
void rk_co_errand_started(rk_coordinator *c, uint32_t i);
int rk_co_errands_reserve(rk_coordinator *c, uint64_t count);
/* It is asked back. */
void rk_co_errand_recall(rk_coordinator *c, uint32_t i);
/* Nobody needs what its task, which is SENT, makes: asked back, told to end, and killed after the grace. */
void rk_co_errand_abandon(rk_coordinator *c, uint32_t i);

/* Workers (worker.c). */

/* So many of a tag a worker has free. */
static inline uint32_t *rk_co_worker_tag(const rk_coordinator *c, uint32_t worker, uint32_t tag)
{
    return &c->worker_tags[(uint64_t)2 * worker * c->options.tags + tag];
}
/* And so many it brought. */
static inline uint32_t *rk_co_worker_brought(const rk_coordinator *c, uint32_t worker, uint32_t tag)
{
    return rk_co_worker_tag(c, worker, tag) + c->options.tags;
}

/* Its room for each class may have changed. more: it got one task more, and goes behind others with room ahead, so that all
 * get the same. */
void rk_co_worker_refresh(rk_coordinator *c, uint32_t worker, bool more);
void rk_co_worker_move(rk_coordinator *c, uint32_t worker, rk_worker_state from, rk_worker_state to);
/* First worker of a home with this room for a class; RK_NOBODY. */
uint32_t rk_co_seat_first(const rk_coordinator *c, uint32_t home, uint32_t class, rk_room room);
/* A home's classes with room count, or do not, for who looks for a home. */
void rk_co_home_show(rk_coordinator *c, uint32_t home, bool shown);
/* A worker's backlog may have changed. moved: it made progress. */
void rk_co_worker_backlog(rk_coordinator *c, uint32_t worker, bool moved);
/* A task takes the tags of its class, or gives them back; worker: RK_NOBODY: those of the run. */
void rk_co_tags_take(rk_coordinator *c, uint32_t worker, const rk_class *class);
void rk_co_tags_give(rk_coordinator *c, uint32_t worker, const rk_class *class);
/* A LEAVING worker may have nothing left to do. */
void rk_co_worker_farewell(rk_coordinator *c, uint32_t worker);
/* Can it ever run tasks of this class? */
bool rk_co_worker_suits(const rk_coordinator *c, uint32_t worker, const rk_class *class);

/* Room (room.c). */

typedef struct rk_demand {
    uint64_t missing; /* bytes of inputs that are to come */
    uint64_t inputs;  /* of all */
    uint64_t result, surely, scratch;
} rk_demand;

typedef enum rk_verdict { RK_FITS, RK_WAITS, RK_NEVER_FITS } rk_verdict;

static inline uint64_t rk_co_limit(const rk_co_home *h)
{
    return h->budget == RK_UNLIMITED ? RK_UNLIMITED
                                     : h->budget - (h->other < h->budget ? h->other : h->budget);
}
static inline uint64_t rk_co_used(const rk_co_home *h)
{
    return h->live + h->reserved;
}
static inline bool rk_co_has_room(const rk_co_home *h, uint64_t bytes)
{
    uint64_t limit = rk_co_limit(h), used = rk_co_used(h);
    return limit == RK_UNLIMITED || (used <= limit && bytes <= limit - used);
}
static inline bool rk_co_is_quiet(const rk_co_home *h)
{
    return !h->errands && !h->moving;
}
rk_demand rk_co_demand(rk_coordinator *c, uint32_t home, uint32_t task, const rk_traits *traits);
/* Makes room in a home for a task, as far as it goes; WAITS: the home is blocked until there may be. *reserve: for its
 * result and while it runs. */
rk_verdict rk_co_make_room(rk_coordinator *c, uint32_t home, uint32_t task, const rk_demand *demand,
                           uint64_t *reserve);
/* Nothing fits in this home that it might take: another one gets the task, or it is blamed. */
void rk_co_refuse(rk_coordinator *c, uint32_t home, uint32_t task, const rk_demand *demand);
/* The same for a target in the end, in home 0. */
/* A home where somebody can run the task and so many bytes fit, which do not fit in this one; RK_NO_HOME. */
uint32_t rk_co_larger_home(const rk_coordinator *c, uint32_t home, uint32_t task, uint64_t bytes);
/* So many bytes do not fit in a home, or nothing can leave it because its disk is full: why, and the figures. */
void rk_co_say_no_room(const rk_co_home *h, uint64_t bytes, rk_instruction *out);
void rk_co_refuse_target(rk_coordinator *c, uint32_t task);
/* More is used than there is: evicts what goes. */
void rk_co_relieve(rk_coordinator *c, uint32_t home);
/* Something in the home came free, or moved: what did not fit may fit now. */
void rk_co_freed_blocked(rk_coordinator *c, uint32_t home);
/* Tasks later in plan order than who waits there are not let in. */
static inline bool rk_co_is_closed(const rk_co_home *h)
{
    return h->blocked != RK_NO_TASK || h->asks.count;
}
static inline void rk_co_freed(rk_coordinator *c, uint32_t home)
{
    if (rk_co_is_closed(&c->homes[home]))
        rk_co_freed_blocked(c, home);
}
static inline void rk_co_note_peak(rk_co_home *h)
{
    uint64_t used = rk_co_used(h) + h->other;
    h->peak = used > h->peak ? used : h->peak;
}
/* Takes copies out of a home's memory until bytes more will fit, or as far as it goes; for a task that runs there: what is
 * needed before its result stays, unless desperate. */
void rk_co_press_for(rk_coordinator *c, uint32_t home, uint32_t task, uint64_t bytes, bool desperate);
/* The same for a task's result, in home 0, where it is wanted. */
void rk_co_press_for_result(rk_coordinator *c, uint32_t task, uint64_t bytes, bool desperate);
/* Somebody in the home waits no more: it looks for tasks. */
void rk_co_reopen(rk_coordinator *c, uint32_t home);
void rk_co_unblock(rk_coordinator *c, uint32_t home);

/* Homes whose workers leave (vacate.c). */

void rk_co_vacate_init(rk_coordinator *c);
void rk_co_vacate_fini(rk_coordinator *c);
/* A worker of the home leaves. */
void rk_co_vacate_begin(rk_coordinator *c, uint32_t home);
/* A result has come to be in the home. */
void rk_co_vacate_result(rk_coordinator *c, uint32_t home, uint32_t task);
/* Moves what is to go elsewhere; false: there is nothing to be done now. */
bool rk_co_vacate(rk_coordinator *c);

/* Who asks for memory (ask.c). */

void rk_co_ask(rk_coordinator *c, uint32_t i, uint64_t bytes);
/* It asks no more, for whatever reason, and is answered no more. */
void rk_co_ask_end(rk_coordinator *c, uint32_t i);
/* Gives what there is to those who ask; false: nothing was given. */
bool rk_co_serve(rk_coordinator *c);
/* When nothing else is to be decided: somebody has to give up if all wait. False: nothing came of it. */
bool rk_co_settle_asks(rk_coordinator *c);
/* Bytes that a task which asks needs at once, with its inputs. */
uint64_t rk_co_asked_bytes(rk_coordinator *c, const rk_errand *e);
/* Who asks gives back what it holds, and is run again, in home better when that is not RK_NO_HOME. */
void rk_co_give_up(rk_coordinator *c, uint32_t i, uint32_t better);
/* Nothing is given any more: all who ask give up. */
void rk_co_give_up_all(rk_coordinator *c);
/* The first task in plan order that asks; RK_NO_TASK. */
static inline uint32_t rk_co_first_ask(const rk_coordinator *c, const rk_co_home *h)
{
    return h->asks.count ? c->errands[h->asks.entries[0].item].task : RK_NO_TASK;
}

/* Policy (choose.c). */

/* Decides something in some home; false: nothing is to be decided now. */
bool rk_co_choose(rk_coordinator *c);
/* A task of this class is READY and in nobody's queue, or in one that others may take from: somebody with room looks. */
void rk_co_wake(rk_coordinator *c, uint32_t class, uint32_t task);
/* A home that was to look for tasks in nobody's queue will not: others look. */
void rk_co_wake_others(rk_coordinator *c);
/* When nothing moves and nothing will, some task cannot run: it is blamed, and true. */
bool rk_co_resolve(rk_coordinator *c);
/* Asks back what waits behind others while workers have nothing to do, if that pays. */
void rk_co_recall_some(rk_coordinator *c);
/* Asks a worker back for the last in its queue that can be. */
void rk_co_recall_one(rk_coordinator *c, uint32_t worker);
/* Targets into home 0; true: all are there. */
bool rk_co_gather(rk_coordinator *c);
/* A result into home 0, or out of the budget when it is there: HANDED. */
typedef enum rk_delivery {
    RK_DELIVERED,
    RK_ON_ITS_WAY,
    RK_NO_ROOM_NOW,
    RK_NO_ROOM_EVER,
    RK_MADE_AGAIN
} rk_delivery;
rk_delivery rk_co_deliver(rk_coordinator *c, uint32_t task);
/* A copy of a target could not come. */
void rk_co_gather_again(rk_coordinator *c, uint32_t task, int status);

/* A task that returned tells what its group is like. */
void rk_co_learn_task(rk_coordinator *c, uint32_t group, uint64_t bytes, uint64_t duration_ns);
/* So many bytes took so long from home to home. */
void rk_co_learn_transfer(rk_coordinator *c, uint64_t bytes, uint64_t duration_ns);

/* The run ends with this status: nothing new is begun. */
void rk_co_stop(rk_coordinator *c, int status);

static inline uint64_t rk_co_estimate_ns(const rk_coordinator *c, uint32_t group)
{
    return c->groups[group].timed ? c->groups[group].duration_ns : c->average_ns;
}

static inline rk_places rk_co_queue_places(rk_coordinator *c)
{
    return (rk_places){&c->tasks->waits, sizeof(rk_co_task) / sizeof(uint32_t)};
}

/* Appends, prepends and removes in doubly linked lists whose links are members of an array's elements. */
#define RK_LINK_LAST(list, array, item, next, prev)                                                          \
    do {                                                                                                     \
        (array)[item].next = RK_NONE;                                                                        \
        (array)[item].prev = (list)->last;                                                                   \
        *((list)->count++ ? &(array)[(list)->last].next : &(list)->first) = (item);                          \
        (list)->last = (item);                                                                               \
    } while (0)
#define RK_UNLINK(list, array, item, next, prev)                                                             \
    do {                                                                                                     \
        *((array)[item].prev != RK_NONE ? &(array)[(array)[item].prev].next : &(list)->first) =              \
            (array)[item].next;                                                                              \
        *((array)[item].next != RK_NONE ? &(array)[(array)[item].next].prev : &(list)->last) =               \
            (array)[item].prev;                                                                              \
        (list)->count--;                                                                                     \
    } while (0)
#define RK_EMPTY_LIST ((rk_list){RK_NONE, RK_NONE, 0})

#endif
