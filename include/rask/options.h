/* rask/options.h: how a graph is computed: scheduler, workers, limits, observers. Options, never globals. */
#ifndef RASK_OPTIONS_H
#define RASK_OPTIONS_H

#include <rask/observe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Lets any thread, or a signal handler, end runs. */
typedef struct rask_cancel_token rask_cancel_token;

/* NULL when there is no memory. */
RASK_API rask_cancel_token *rask_cancel_token_new(void);
/* Not while a run uses it. NULL is legal. */
RASK_API void rask_cancel_token_free(rask_cancel_token *token);
/* Tasks that have not started never do; running ones may ask rask_task_cancelled(). For any number of runs,
 * and for good. Safe in signal handlers and from any thread. */
RASK_API void rask_cancel(rask_cancel_token *token);
RASK_API bool rask_cancelled(const rask_cancel_token *token);

/* What a run came to. */
typedef struct rask_report {
    uint32_t tasks;    /* in the plan */
    uint32_t finished; /* came to their result */
    uint32_t failed;   /* failed for good */
    uint32_t skipped;  /* never called: they needed a failed one, or the run ended before */
    uint64_t retries;  /* calls repeated after a failure */
    uint64_t stolen;   /* batches that an idle worker took from another */
    uint64_t
        peak_bytes; /* high-water mark of the budget: bytes of results in memory, and reserved for tasks under way
                          * and for what comes back from disk; never more than the budget. On clusters each
                          * worker has its own: the highest there was */
    uint64_t live_bytes; /* result bytes still held when the run ended, without those handed out: 0 */
    double seconds;      /* from plan to result */
    uint32_t workers;
    uint64_t spilled_bytes;   /* of results written to the scratch file */
    uint64_t read_back_bytes; /* and read from it */
    uint32_t dropped;         /* results of sources dropped, */
    uint32_t remade;          /* and sources called again for them */
    uint64_t peak_rss; /* most resident memory the program's own process ever had, without its workers; 0: the
                               * system does not tell */
    uint32_t
        from_checkpoint; /* results read from options.checkpoint instead of computed, a task of the run each */
    uint64_t kept, kept_bytes; /* results put there, and their bytes */
    /* What is wrong with that folder: something there is not used, or nothing can be kept any more; "": nothing. */
    char checkpoint_note[256];
} rask_report;

typedef struct rask_options {
    size_t size; /* sizeof(rask_options), set by RASK_OPTIONS_INIT */
    const char *
        scheduler; /* "threads", "processes", "serial", "cluster"; NULL: RASK_SCHEDULER from the environment, else
                            * cluster where an address of one is given, else threads */
    uint32_t
        workers; /* threads, or processes. 0: RASK_WORKERS, else the cores this process may use (affinity, cgroup quota) */
    uint64_t
        memory; /* the budget: most bytes at once of results, of what tasks under way were said to use beside
                      * them (rask_set_scratch_bytes), and of what comes back from disk. A task starts when what it will
                      * hold fits; what is needed last goes to a scratch file meanwhile, or is dropped when it can be
                      * asked for again (RASK_SOURCE). A run inside a task has a budget of its own.
                      * 0: RASK_MEMORY, else rask_default_memory() */
    double timeout;           /* seconds for the run; 0: none */
    uint32_t retries;         /* least number for every task */
    bool keep_going;          /* run everything that does not depend on a failure, then report all failures */
    bool progress;            /* a line on stderr after one second, when that is a terminal */
    uint64_t seed;            /* serial: a random legal order drawn from it; 0: plan order */
    uint32_t inject_failures; /* with a seed: so many calls in a million fail, for tests */
    uint32_t inject_delays;   /* with a seed: before so many calls in a million up to 100 microseconds pass */
    uint32_t io_lanes;        /* I/O tasks at once; 0: 4 per core, at least 16 */
    rask_cancel_token *cancel;
    const rask_observer *const *observers;
    size_t observer_count;
    rask_report *report; /* filled in when the run ends; NULL: not wanted */
    const char *scratch; /* folder for results that memory has no room for; NULL: RASK_SCRATCH, else TMPDIR,
                          * else /tmp. One that is named is tried before anything runs: RASK_EIO */
    uint32_t worker_threads; /* processes: threads of each worker that run tasks; 0: 1 */
    /* processes: called in each worker, also in one that takes a dead one's place, before its first task. Anything
     * but 0 ends the run. worker: 0 … workers - 1. NULL: nothing to do */
    int (*worker_init)(void *context, uint32_t worker);
    void *worker_context; /* for it */
    const char *
        limits; /* how many there are of what tasks take while they run (rask_task_def.tags), and how many tasks of a
                         * name run at once: "gpu=1,licence=4,download=2". A tag without a limit, or a task that takes more
                         * than there is, is RASK_EINVAL before anything runs. Each run counts for itself. NULL:
                         * RASK_LIMITS, else there are none. See docs/limits.md */
    /* cluster: where workers come to, "tcp://127.0.0.1:7077", or "mpi:", the ranks that mpirun started; NULL: RASK_CLUSTER,
     * else the ranks where there are such. Stays from run to run. See rask/cluster.h. */
    const char *cluster;
    /* cluster, at tcp: the key file (rask_cluster_make_keys) that workers have, too; NULL: RASK_CLUSTER_KEYS, else the user's own
     * (rask_cluster_own_keys), unless it is said that there are none: cluster_insecure. */
    const char *cluster_keys;
    /* A folder that results of pure calls are kept in as they come, and are read from when a later run has the same calls: a run
     * that was ended goes on where it was. Made when it is not there; for one process at a time, RASK_EIO for others. A disk
     * that becomes full ends the keeping, not the run: the report's note says so; one that has no room from the beginning is
     * RASK_EIO. NULL: RASK_CHECKPOINT, else nothing is kept; "": nothing. See docs/checkpoint.md. */
    const char *checkpoint;
    /* Shows what is computed in a browser while it goes on, at this address as in rask_dashboard_options; "": 127.0.0.1 and a port
     * that is free. Where it is, with the token that it takes to look, is said in one line on stderr. Its button cancels by cancel; a
     * run without one gets its own. It ends with the run, or with the client. What rask_dashboard_open() returns when it cannot
     * be had, before anything runs. NULL: none. rask/dashboard.h has more. */
    const char *dashboard;
    /* cluster, at tcp: nothing is encrypted, and whoever reaches the address is let in and can run anything; workers have to say so,
     * too. Not with cluster_keys. false: RASK_CLUSTER_INSECURE=1 says it where no key file is named. */
    bool cluster_insecure;
} rask_options;

/* Everything at its default. */
#ifdef __cplusplus
static inline rask_options rask_options_init()
{
    rask_options options = rask_options();
    options.size = sizeof options;
    return options;
}
#    define RASK_OPTIONS_INIT rask_options_init()
#else
#    define RASK_OPTIONS_INIT ((rask_options){.size = sizeof(rask_options)})
#endif

/* Names of the schedulers in this build, ending with NULL. */
RASK_API const char *const *rask_schedulers(void);

/* Whether tasks that the scheduler of this name runs see what others of the run change in memory; false also where there is
 * none of that name. Where they do not, tasks share what they are given and what they return, and those that are RASK_HERE
 * also what they change. */
RASK_API bool rask_scheduler_shares_memory(const char *name);

/* Whether tasks that the scheduler of this name runs see what was there when the run began: false where they run in processes
 * that were not forked from the program, as on a cluster, and for names of none. Pointers are worth nothing there, but to tasks that are RASK_HERE. */
RASK_API bool rask_scheduler_sees_memory(const char *name);

/* Options (NULL: none) with every default filled in, as a run would use them: from the environment, then from the
 * machine. RASK_EINVAL, RASK_ERANGE: effective is untouched. */
RASK_API int rask_options_effective(const rask_options *options, rask_options *effective);

/* A number that is drawn when a folder is first used as rask_options.checkpoint, and stays: for what pure tasks draw at random, so
 * that a later run draws the same. 0: NULL, "", or a folder that cannot be used. */
RASK_API uint64_t rask_checkpoint_seed(const char *folder);

/* What is used where options and environment say nothing: cores allowed by affinity mask and cgroup quota. */
RASK_API uint32_t rask_default_workers(void);

/* The budget where options and environment say nothing: 60 % of what the machine has available or the cgroup's
 * limits leave, whichever is less. A run asks when its results become large, not before. */
RASK_API uint64_t rask_default_memory(void);

#ifdef __cplusplus
}
#endif

#endif
