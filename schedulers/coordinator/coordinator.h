/* schedulers/coordinator: who runs what where, decided by one pure state machine.
 *
 * Events go in (a worker joined, a task finished, a transfer failed, time passed), instructions come out (run this
 * task there, fetch that result from there, put it on disk). There is no I/O here, no thread and no clock: hands do
 * what the instructions say and tell what came of it. Hands are schedulers/processes, schedulers/cluster and
 * tests/simulate.
 *
 * Words. A home is memory that results live in, with a budget, and workers beside it: a machine. A worker lives in
 * one home and has slots for tasks that compute and lanes for tasks that wait. A copy is a result in one home.
 *
 * How to drive it: tell events as they come, and after each draw instructions with rk_coordinator_next() until it
 * says false. Instructions are to be carried out in the order drawn, as far as one home is concerned: a DROP or a
 * SPILL makes the room that a later RUN of that home counts on.
 *
 * News may come late, twice, or in another order. A worker's number is used again after it is gone, its epoch never,
 * and whatever is to be answered carries an attempt that the answer gives back; news that do not fit what is known
 * are ignored. A home that was lost does not return: its number is not used again. Home 0 is where the targets go,
 * and is not lost before the end.
 *
 * Every FETCH, SPILL and LOAD is answered, unless its home is lost.
 *
 * Memory. RUN says how many bytes a task may hold: what it was expected to. One that turns out to need more asks before
 * it takes them, and waits. Room is made for who asks, nothing later in plan order is let in meanwhile, and when all who
 * run in a home wait for room, the last of them gives up what it holds and is run again. So the first one goes on in the end,
 * or it alone is too large. A result that is larger all the same counts, and nothing is let in until others have made room.
 *
 * Growing. A task may return with tasks that it has made, one of which it becomes: grown(). Others may be submitted from
 * outside, and results be wanted and not wanted any more: rk_coordinator_options.open. What nobody needs vanishes, and numbers of
 * tasks that nobody can ask for again are used again, so that what is known is in proportion to what goes on.
 *
 * Not thread-safe: one caller at a time. No call blocks. Only new(), home() and joined() allocate, and finished()
 * and next() when more results are alive than ever before; if that fails the run ends with RASK_ENOMEM. */
#ifndef RASK_SCHEDULERS_COORDINATOR_COORDINATOR_H
#define RASK_SCHEDULERS_COORDINATOR_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#define RK_NO_TASK UINT32_MAX
#define RK_NO_HOME UINT32_MAX
#define RK_NOBODY  UINT32_MAX

#define RK_MAX_NEEDS   8  /* tags that one task needs */
#define RK_MAX_TAGS    32 /* of a run */
#define RK_MAX_CLASSES 64 /* kinds of tasks by io, here and needs */
#define RK_MAX_RETRIES 255
#define RK_MAX_DEATHS  63

/* In inputs: the task only has to be over, its result is not taken. */
#define RK_INPUT_ORDER ((uint32_t)1 << 31)
/* In inputs of tasks that are added: the number is an index into those that are added at once. */
#define RK_INPUT_NEW ((uint32_t)1 << 30)

typedef struct rk_coordinator rk_coordinator;

/* So many of a tag, for example 1 of "gpu"; tags are numbers below rk_coordinator_options.tags. */
typedef struct rk_need {
    uint32_t tag, count;
} rk_need;

/* Of a task. */
typedef struct rk_traits {
    uint32_t group;         /* its definition: what durations and sizes are learned by */
    bool io;                /* takes a lane, no slot */
    bool here;              /* only on workers that joined with .here */
    bool source;            /* its result may be dropped and the task run again; it has no inputs */
    bool target;            /* its result is wanted in the end, in home 0 */
    bool sure;              /* result_bytes is exact, or an upper bound */
    uint64_t result_bytes;  /* expected; 0 and not sure: unknown, learned by group */
    uint64_t scratch_bytes; /* besides, while it runs */
    uint64_t timeout_ns;    /* 0: none; when it runs longer, and the grace besides, its worker is killed */
    uint32_t retries;       /* after failed(), backs_off(), and timeouts; at most RK_MAX_RETRIES */
    uint64_t backoff_ns;    /* before the first retry, doubled each time up to a minute */
    rk_need needs[RK_MAX_NEEDS];
    uint32_t need_count;
} rk_traits;

/* What is to be run; borrowed until rk_coordinator_free(). */
typedef struct rk_coordinator_graph {
    uint32_t tasks;              /* numbered in plan order: inputs have lower numbers; below 2^30 */
    const uint64_t *input_start; /* tasks + 1 offsets into inputs */
    const uint32_t *inputs;      /* tasks, with RK_INPUT_ORDER or without; may name a task twice */
    void *context;
    void (*describe)(void *context, uint32_t task,
                     rk_traits *out); /* pure; called often; *out is zeroed before */
} rk_coordinator_graph;

typedef struct rk_coordinator_options {
    uint32_t most_workers, most_homes; /* at once, and ever; 0: 1 */
    uint32_t groups;                   /* every rk_traits.group is below */
    uint32_t deaths;                   /* workers that a task may take with it before it is blamed; 0: 3 */
    uint64_t grace_ns;                 /* between a task's timeout and the end of its worker; 0: none */
    bool keep_going;                   /* after a failure, whatever does not depend on it still runs */
    uint64_t bytes_per_second;         /* first guess of transfers; 0: 1 GB/s */
    uint64_t latency_ns;               /* first guess of what a message takes; 0: 50 µs */
    uint32_t window;                   /* most tasks in flight per slot; 0: 64 */
    bool open;                         /* tasks may be submitted: no END before rk_coordinator_close() */
    uint32_t tags;
    const uint32_t
        *tag_counts; /* by tag: how many the run has altogether; 0: workers bring them. NULL: all 0 */
} rk_coordinator_options;

/* RASK_OK; RASK_ENOMEM; RASK_EINVAL: an input, group or tag is out of range; RASK_ELIMIT: too many tasks, edges, homes,
 * workers, tags or classes. Linear time. */
int rk_coordinator_new(const rk_coordinator_graph *graph, const rk_coordinator_options *options,
                       rk_coordinator **out);
void rk_coordinator_free(rk_coordinator *c);

/* Events. now: nanoseconds, by any clock that does not go back. */

typedef struct rk_worker_offer {
    uint32_t home;
    uint32_t slots, lanes;
    bool here, only_here;       /* only_here: takes no other tasks than those that want .here */
    uint32_t tags[RK_MAX_TAGS]; /* how many of each it brings; of those that workers bring */
} rk_worker_offer;

/* A home exists from here on, or has another budget. RASK_EINVAL: no such number, or it was lost. RASK_ENOMEM. */
int rk_coordinator_home(rk_coordinator *c, uint64_t now, uint32_t home, uint64_t budget);

/* A worker is ready. RASK_EINVAL: its home does not exist, or it has neither slots nor lanes; RASK_ELIMIT: there are
 * most_workers; RASK_ENOMEM. */
int rk_coordinator_joined(rk_coordinator *c, uint64_t now, const rk_worker_offer *offer, uint32_t *worker,
                          uint32_t *epoch);

/* The worker began with a task; may be left out. Timeouts count from here, or else from when it came first in the
 * worker's queue; it is not recalled any more. In these five: attempt as RUN said. */
void rk_coordinator_started(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                            uint32_t attempt);
/* It began anew, after a failure that the worker makes good itself: its timeout counts from here. */
void rk_coordinator_renewed(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                            uint32_t attempt);
/* It returned; its result is in the memory of the worker's home and takes so many bytes there. */
void rk_coordinator_finished(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                             uint32_t attempt, uint64_t bytes, uint64_t duration_ns);
/* It failed. final: no use to try again. */
void rk_coordinator_failed(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                           uint32_t attempt, int status, bool final);
/* It failed, and who ran it says that it is tried again, when so much time has passed, by anybody. It holds nothing meanwhile but
 * what it takes of tags of the run, which it gives back when it is ready again. False: the news came late or twice. */
bool rk_coordinator_backs_off(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                              uint32_t attempt, uint64_t rest_ns);
/* It runs, and needs so many bytes altogether, more than it may hold; it waits until GRANT gives them, RECALL asks for it
 * back (and is answered when it has given up, which is legal here), or REFUSE says that they are never to be had. */
void rk_coordinator_asked(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                          uint32_t attempt, uint64_t bytes);
/* It returned with tasks that its worker runs by itself: what it took of tags is given back, and its time is not up any more. */
void rk_coordinator_rests(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                          uint32_t attempt);
/* It goes on, with what it takes, of tags of the run only, borrowed for it. False: it does not rest there, and what was borrowed is to be
 * given back. */
bool rk_coordinator_resumes(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                            uint32_t attempt);
/* Tasks that are added to a running graph. */
typedef struct rk_growth {
    uint32_t tasks;              /* at least one */
    const uint64_t *input_start; /* tasks + 1 offsets into inputs */
    const uint32_t *inputs;  /* with RK_INPUT_NEW: of these, with a lower index; else tasks that are known */
    const rk_traits *traits; /* .target: it is wanted, once; groups may be new */
    uint32_t result;         /* of grown(): the one whose result is to be the task's */
} rk_growth;

/* It returned with tasks instead of a result: it becomes the one that growth says, keeps its number, and is said to RUN again as
 * that, with .grown. *numbers: of all of them. Inputs that are not new are the task's own, or were over already. When what it grew
 * is lost it is said to RUN as it was at first. In all failures nothing has changed, but for RASK_ECANCELLED: nobody waits for that,
 * the news came late or twice, or the run ends, and the worker is through with it. RASK_EINVAL, RASK_ELIMIT, RASK_ENOMEM: the
 * task is yet to be answered for. */
int rk_coordinator_grown(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                         uint32_t attempt, const rk_growth *growth, uint32_t *numbers);
/* More tasks, from outside. Inputs that are not new are wanted tasks, or of the graph. RASK_EINVAL, RASK_ELIMIT, RASK_ENOMEM;
 * RASK_ECANCELLED: the run ends. */
int rk_coordinator_submit(rk_coordinator *c, uint64_t now, const rk_growth *growth, uint32_t *numbers);
/* One more wants a task's result, that somebody wants or needs already; DONE is said of it. */
void rk_coordinator_want(rk_coordinator *c, uint64_t now, uint32_t task);
/* And one less: when it was the last, and nobody else needs the task, it vanishes. */
void rk_coordinator_unwant(rk_coordinator *c, uint64_t now, uint32_t task);
/* Nothing more will be submitted. */
void rk_coordinator_close(rk_coordinator *c, uint64_t now);

/* RECALL is answered. given_back: the worker has not begun with it and will not, or it
 * asked for memory and has given up; else it runs or has run. */
void rk_coordinator_recalled(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                             uint32_t attempt, bool given_back);

/* A worker is gone. culprit: the task that it was running, RK_NO_TASK: not known, then all that it may have been
 * running share the blame, and whatever it was told to run has no others beside it in a queue from here on, until it returns. home_lost: its home is gone too, with all results and workers in it. */
void rk_coordinator_lost(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t culprit,
                         bool home_lost);
/* A worker is to go: nothing new is given to it, RETIRE comes when it has nothing left to do. When all workers of a home but home 0
 * are to go, what others need and only that home has is fetched to homes that stay, and dropped there. */
void rk_coordinator_leaving(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch);

/* The home that a FETCH which is not answered yet was to get its copy from; RK_NO_HOME: that is lost, or there is no such FETCH.
 * A failure is then nobody's fault, so one that may be by a loss had better be told when that is known. */
uint32_t rk_coordinator_source(const rk_coordinator *c, uint32_t home, uint32_t task);

/* FETCH, SPILL and LOAD are answered. attempt: as the instruction said. status: RASK_OK, or why it was not done: then
 * everything is as it was before, but what cannot be loaded is taken for lost, and no DROP of it comes. bytes: what it
 * takes in memory, respectively what left memory, and comes back by a LOAD. */
void rk_coordinator_transferred(rk_coordinator *c, uint64_t now, uint32_t home, uint32_t task,
                                uint32_t attempt, int status, uint64_t bytes, uint64_t duration_ns);
void rk_coordinator_spilled(rk_coordinator *c, uint64_t now, uint32_t home, uint32_t task, uint32_t attempt,
                            int status, uint64_t bytes);
void rk_coordinator_loaded(rk_coordinator *c, uint64_t now, uint32_t home, uint32_t task, uint32_t attempt,
                           int status);

/* So many bytes of a home's budget are used by others than results and tasks. */
void rk_coordinator_memory(rk_coordinator *c, uint64_t now, uint32_t home, uint64_t bytes_used_otherwise);

/* Others want so many of a tag of the run: as many as are free, at most, are theirs; how many. They are counted as taken until they
 * are given back. */
uint32_t rk_coordinator_borrow(rk_coordinator *c, uint64_t now, uint32_t tag, uint32_t count);
void rk_coordinator_give_back(rk_coordinator *c, uint64_t now, uint32_t tag, uint32_t count);

/* Time has passed. To be called at the time that wants_tick() says, which may change with every event and
 * instruction; UINT64_MAX: never. */
void rk_coordinator_tick(rk_coordinator *c, uint64_t now);
uint64_t rk_coordinator_wants_tick(const rk_coordinator *c);

/* Nothing new runs; END comes when what runs has returned. */
void rk_coordinator_cancel(rk_coordinator *c, uint64_t now, int status);

/* Instructions. */

typedef enum rk_instruction_kind {
    RK_DO_RUN, /* worker, epoch, task, attempt, bytes: its inputs are in the worker's home, in memory, and stay there
                   * until it is over; it may hold so many bytes besides; answered by finished() or failed() */
    RK_DO_RECALL, /* worker, epoch, task, attempt, gives_up: give it back unless begun, or, with gives_up, when it waits for
                   * memory; answered by recalled() */
    RK_DO_GRANT, /* worker, epoch, task, attempt, bytes: it may hold so many; no answer */
    RK_DO_REFUSE, /* worker, epoch, task, attempt, status, why (NO_ROOM or NO_DISK), and figures: with its inputs it needs so
                   * many bytes; answered by failed(), or by finished() if it does without */
    RK_DO_FETCH, /* home, task, attempt, from, bytes: get a copy from home from, where it stays meanwhile, in memory or
                   * on disk; answered by transferred(). from: RK_NO_HOME: it was lost meanwhile, and the answer is a failure */
    RK_DO_SPILL, /* home, task, attempt, bytes: to disk and out of memory; answered by spilled() */
    RK_DO_LOAD, /* home, task, attempt, bytes: from disk into memory; what is on disk may stay there, then the next SPILL
                   * of it is cheap; answered by loaded() */
    RK_DO_DROP, /* home, task: needed nowhere in that home any more, neither in memory nor on disk; no answer */
    RK_DO_KILL, /* worker, epoch, task: the task is over its time; answered by lost() */
    RK_DO_DONE, /* task, that is wanted: it is over, as rk_coordinator_outcome() says. If it finished, its result is in home 0, in
                   * memory, counts no more, and stays until DROP; no answer */
    RK_DO_FORGET, /* task, that was added: nobody will hear of it again, and its number is another's from here on; no answer */
    RK_DO_RETIRE, /* worker, epoch: it has nothing left to do, and gets nothing more; no answer */
    RK_DO_BLAME, /* task, status, why, and figures: it failed for good, by the coordinator's judgement; no answer */
    RK_DO_END, /* status: the run is over, nothing comes after; what was not dropped is the hands' to free. With
                   * RASK_OK all targets are in home 0, in memory */
} rk_instruction_kind;

typedef enum rk_reason {
    RK_WHY_NOTHING,
    RK_WHY_DEATHS,    /* so many (bytes) workers died of it */
    RK_WHY_TIMEOUT,   /* it ran longer than its timeout and the grace */
    RK_WHY_NO_ROOM,   /* it needs so many bytes, and no home has more than budget */
    RK_WHY_NO_WORKER, /* no worker has what it needs */
    RK_WHY_NO_DISK, /* it needs so many bytes of budget, and nothing more can be put on disk; status says why */
    RK_WHY_LOST,    /* its result could not be moved or read back, again and again; status says why */
} rk_reason;

typedef struct rk_instruction {
    rk_instruction_kind kind;
    rk_reason why;
    int status;
    uint32_t worker, epoch, task, attempt, home, from;
    uint64_t bytes, budget;
    uint32_t
        tries; /* RUN: how often it was tried since it returned, as far as that counts for its retries; RK_MAX_RETRIES:
                     * or more often */
    bool gives_up;
    bool grown; /* RUN: what it has grown into; else what it was at first */
    bool ends;  /* RECALL: nobody needs the task; if it runs, it is told to end, and killed after the grace */
} rk_instruction;

/* The next instruction; false: nothing to do now. Drawing one may decide the next. */
bool rk_coordinator_next(rk_coordinator *c, rk_instruction *out);

/* Questions. */

typedef enum rk_outcome {
    RK_NOT_OVER, /* after END: it was given up */
    RK_FINISHED,
    RK_FAILED,
    RK_SKIPPED, /* something that it depends on failed */
} rk_outcome;

rk_outcome rk_coordinator_outcome(const rk_coordinator *c, uint32_t task);

typedef struct rk_coordinator_figures {
    uint64_t decisions; /* RUN said */
    uint64_t retries, recalls, deaths;
    uint64_t recomputed; /* tasks run again because their results were lost or dropped */
    uint64_t transfers, transferred_bytes, spilled_bytes, loaded_bytes;
    uint64_t finished, failed, skipped;
    uint64_t added,
        vanished; /* tasks: by others or from outside; and of them, those that nobody needed any more */
} rk_coordinator_figures;

rk_coordinator_figures rk_coordinator_get_figures(const rk_coordinator *c);

typedef struct rk_home_figures {
    uint64_t budget, live, reserved; /* bytes: of results in memory; and promised to tasks and movements */
    uint64_t peak;                   /* of both together */
    uint64_t other;
    uint32_t workers;
    bool empty; /* of results, in memory and on disk, and of what is on its way in */
} rk_home_figures;

rk_home_figures rk_coordinator_get_home(const rk_coordinator *c, uint32_t home);

/* Verifies every invariant, in time linear in tasks, workers and copies; NULL, or what is wrong (static). */
const char *rk_coordinator_check(const rk_coordinator *c);

#endif
