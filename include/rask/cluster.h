/* rask/cluster.h: the same program on many machines.
 *
 * The program that computes waits for workers at an address (rask_options.cluster); workers are other processes of the same
 * program, which dial it, and stay from run to run: started one by one, or all together by mpirun or srun. Functions go to
 * them by their place in the program, so all must be the very same build. A run to which no worker comes for 30 seconds fails
 * with RASK_EIO, and with RASK_EDIED when some had come and none is left; until then nothing is said: rask_observer's
 * worker_changed and worker_refused tell who comes, rask_cluster_ask() how things stand. See docs/cluster.md. */
#ifndef RASK_CLUSTER_H
#define RASK_CLUSTER_H

#include <rask/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rask_worker_options {
    size_t size;         /* sizeof(rask_worker_options), set by RASK_WORKER_OPTIONS_INIT */
    const char *address; /* of the program: "tcp://host:port" */
    /* As rask_cluster_make_keys() made it, the same one that the program has; NULL: the user's own (rask_cluster_own_keys). */
    const char *key_file;
    uint32_t threads;    /* tasks at once that compute; 0: rask_default_workers() */
    uint32_t lanes;      /* and that wait; 0: 4 a thread, at least 16 */
    uint64_t memory;     /* the budget for results; 0: rask_default_memory() */
    const char *scratch; /* folder for results that memory has no room for; NULL: as in rask_options */
    /* Seconds that it goes on looking for a program where there is none; 0: 30. Infinity: until it is told to end, and programs
     * may refuse it as often as they like, which otherwise ends it. */
    double patience;
    /* Called when no program has been there for a second, by the thread that works, and again when why is not what it was the last
     * time, as of a program that comes then and refuses the worker; not more often than once a second. why: what came of the last
     * attempt to reach one, or "", valid during the call. NULL: nobody is told. */
    void (*waiting)(void *context, const char *why);
    void *context; /* for it */
    bool insecure; /* without keys, as the program (rask_options.cluster_insecure); not with key_file */
} rask_worker_options;

#ifdef __cplusplus
static inline rask_worker_options rask_worker_options_init()
{
    rask_worker_options options = rask_worker_options();
    options.size = sizeof options;
    return options;
}
#    define RASK_WORKER_OPTIONS_INIT rask_worker_options_init()
#else
#    define RASK_WORKER_OPTIONS_INIT ((rask_worker_options){.size = sizeof(rask_worker_options)})
#endif

/* At the beginning of main(): when the environment says that this process is a worker (RASK_WORKER_OF=tcp://host:port, and
 * RASK_CLUSTER_KEYS or RASK_CLUSTER_INSECURE=1, RASK_WORKERS, RASK_MEMORY as far as they are set) it works and does not return, but ends the process
 * with 0, or with 1 after a line on stderr. Else, when mpirun, mpiexec or srun started the program several times, rank 0
 * returns and is the program, and the others are its workers and do not return, as above; from there on options of rank 0
 * that name neither a scheduler nor an address mean the cluster of the ranks ("mpi:"). A task that crashes ends no rank.
 * RASK_TRANSPORT=tcp: MPI is used to find each other and no more. It is to be called before MPI_Init, and before there are
 * threads. When the ranks do not find each other all end, with 1 after a line on stderr. Else it returns at once: RASK_OK.
 * argc and argv may be NULL. */
RASK_API int rask_cluster_init(int *argc, char ***argv);

/* Works until SIGTERM or SIGINT, or until no program has been there for as long as patience says. What it has and others need is
 * fetched before it leaves. A task that crashes takes the process with it. RASK_OK; RASK_EIO: no program was reached;
 * RASK_EINVAL: an option is wrong, or the program refused this worker (another build, a wrong key); RASK_EUNSUPPORTED: no module
 * for such addresses; with a text in reason (capacity bytes). */
RASK_API int rask_cluster_worker(const rask_worker_options *options, char *reason, size_t capacity);

/* Makes keys, and a file of them that nobody else can read. Whoever has a copy belongs to the cluster: may be its program and
 * its workers. RASK_EEXIST, RASK_EIO, RASK_EUNSUPPORTED, with a text in reason. */
RASK_API int rask_cluster_make_keys(const char *path, char *reason, size_t capacity);

/* The key file of whoever runs this process, which counts where none is named: rask/cluster.keys in XDG_STATE_HOME, else in
 * ~/.local/state, made when it is not there. So whoever has the same home belongs to the same cluster, and nobody else. Its name
 * goes to path (room bytes). RASK_ENOENT: there is no home; RASK_ELIMIT: no room for the name; as rask_cluster_make_keys(). */
RASK_API int rask_cluster_own_keys(char *path, size_t room, char *reason, size_t capacity);

/* How things stand at a program that computes on a cluster. */
typedef struct rask_cluster_worker_state {
    uint32_t id;      /* its number, which no other worker of that program ever has */
    const char *host; /* as it said itself */
    uint32_t threads, lanes;
    uint32_t running;     /* what it was told to run and has not answered for */
    uint64_t done;        /* tasks that came to their result there */
    uint64_t memory;      /* its budget, in bytes, */
    uint64_t memory_used; /* and what results take there, and was promised to tasks */
    double seconds;       /* since it came */
    uint32_t epoch;       /* which of those that had its place in the newest run it is */
    bool leaving;
} rask_cluster_worker_state;

typedef struct rask_cluster_run_state {
    uint32_t id;
    uint32_t tasks, finished, failed;
    uint32_t running; /* what workers were told to run and have not answered for */
    uint32_t queued;  /* the rest: tasks that wait for others, or for a worker */
    uint32_t workers;
    double seconds; /* since it began */
    uint64_t retries;
    bool ending;
} rask_cluster_run_state;

typedef struct rask_cluster_state {
    const char *host;                         /* of the program */
    char program[41];                         /* its build-id, in hexadecimal digits */
    double seconds;                           /* since it waits for workers */
    uint32_t protocol;                        /* version */
    const rask_cluster_worker_state *workers; /* by id */
    const rask_cluster_run_state *runs;       /* by id */
    uint32_t worker_count, run_count;
} rask_cluster_state;

/* Asks the program at options->address, with its key_file, and waits as long as patience says (0: 5 seconds, and 1 where nobody
 * listens); other options do not count. From any thread, and by any program that has the key. *out is the caller's to free. RASK_EIO: nobody answered;
 * RASK_EINVAL: an option is wrong, or the program has other keys; RASK_EUNSUPPORTED: no module, another version, or an address
 * of ranks, which tell nobody; RASK_EFORMAT: what came is no answer; RASK_ENOMEM; with a text in reason (capacity bytes). */
RASK_API int rask_cluster_ask(const rask_worker_options *options, rask_cluster_state **out, char *reason,
                              size_t capacity);
/* NULL is legal. */
RASK_API void rask_cluster_state_free(rask_cluster_state *state);

/* Lets workers go, which look for the next program then; happens by itself when the program ends. Not while a run goes on. Ranks stay
 * until the program ends. */
RASK_API void rask_cluster_close(void);

#ifdef __cplusplus
}
#endif

#endif
