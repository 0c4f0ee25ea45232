/* Options with every default filled in. */
#include "core/store/scratch.h"
#include "schedulers/checkpoint/checkpoint.h"
#include "schedulers/cluster/ranks/launch.h"
#include "schedulers/cluster/worker.h"
#include "schedulers/scheduler.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

/* "512", "64K", "64KiB", "2G", "1.5GiB": bytes, by powers of 1024. */
static bool parse_bytes(const char *text, uint64_t *bytes)
{
    static const char letters[] = "KMGTP";
    char *end;
    double number = strtod(text, &end);
    if (end == text || !(number >= 0))
        return false;
    const char *letter = *end ? strchr(letters, *end) : NULL;
    if (letter) {
        number *= (double)(1ull << (10 * (letter - letters + 1)));
        end++;
        if (!strcmp(end, "iB") || !strcmp(end, "B"))
            end = "";
    }
    if (*end || number >= 0x1p63)
        return false;
    *bytes = (uint64_t)number;
    return true;
}

static bool parse_count(const char *text, uint32_t most, uint32_t *count)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (end == text || *end || errno || *text == '-' || !number || number > most)
        return false;
    *count = (uint32_t)number;
    return true;
}

static int complain(char *reason, size_t capacity, int status, const char *what, const char *value,
                    const char *wanted)
{
    snprintf(reason, capacity, "%s: \"%.100s\" is not %s", what, value, wanted);
    return status;
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    return a && *a ? a : b && *b ? b : c;
}

/* Nobody asked for it, and a run that does without goes without. */
static const char *unnamed_scratch(void)
{
    return first_of(getenv("TMPDIR"), "/tmp", NULL);
}

bool rk_options_say_insecure(void)
{
    const char *said = getenv("RASK_CLUSTER_INSECURE");
    return said && *said && strcmp(said, "0") != 0;
}

/* What is said of keys, and that there are none, goes together. */
static void keys_from_environment(rask_options *o)
{
    if (!o->cluster_keys && !o->cluster_insecure) {
        o->cluster_keys = getenv("RASK_CLUSTER_KEYS");
        o->cluster_insecure = rk_options_say_insecure();
    }
    if (o->cluster_keys && !*o->cluster_keys)
        o->cluster_keys = NULL;
}

/* Environment: RASK_SCHEDULER, RASK_WORKERS, RASK_MEMORY, RASK_SCRATCH, TMPDIR, RASK_LIMITS, RASK_CLUSTER, RASK_CLUSTER_KEYS, RASK_CLUSTER_INSECURE, RASK_CHECKPOINT, for what the options leave open; RASK_WORKER_OF. */
static int from_environment(rask_options *o, char *reason, size_t capacity)
{
    const char *scheduler = getenv("RASK_SCHEDULER"), *workers = getenv("RASK_WORKERS"),
               *memory = getenv("RASK_MEMORY");
    if (!o->scheduler && scheduler && *scheduler)
        o->scheduler = scheduler;
    if (!o->workers && workers && *workers && !parse_count(workers, RK_MAX_WORKERS, &o->workers))
        return complain(reason, capacity, RASK_EINVAL, "RASK_WORKERS", workers, "a number from 1 to 1024");
    if (!o->memory && memory && *memory && !parse_bytes(memory, &o->memory))
        return complain(reason, capacity, RASK_EINVAL, "RASK_MEMORY", memory, "a size such as 512M or 2GiB");
    if (!o->limits)
        o->limits = getenv("RASK_LIMITS");
    if (!o->cluster)
        o->cluster = getenv("RASK_CLUSTER");
    keys_from_environment(o);
    if (!o->checkpoint && !rk_worker_is()) /* workers compute within the run of another process */
        o->checkpoint = getenv("RASK_CHECKPOINT");
    if (o->checkpoint && !*o->checkpoint)
        o->checkpoint = NULL;
    if (!o->scratch)
        o->scratch = first_of(getenv("RASK_SCRATCH"), unnamed_scratch(), NULL);
    return RASK_OK;
}

enum { LANES_PER_CORE = 4, LEAST_LANES = 16 };

static void from_machine(rask_options *o)
{
    if (!o->scheduler)
        o->scheduler = o->cluster && *o->cluster ? rk_cluster.name : rk_threads.name;
    uint32_t cores = o->workers && o->io_lanes ? 1 : rask_default_workers();
    if (!o->workers)
        o->workers = cores;
    if (o->scheduler && !strcmp(o->scheduler, rk_serial.name))
        o->workers = 1;
    if (!o->io_lanes)
        o->io_lanes = LANES_PER_CORE * cores > LEAST_LANES ? LANES_PER_CORE * cores : LEAST_LANES;
    if (o->io_lanes > RK_MAX_LANES)
        o->io_lanes = RK_MAX_LANES;
}

/* At once, and not when memory has no room any more, which is hours later, or never until the data grow. Making a file costs as much as a
 * small run: where the last one could be made, which one number says to all threads and to forked processes, it is only asked
 * whether another may be. */
static int check_scratch(const char *folder, char *reason, size_t capacity)
{
    static rk_atomic_u64 tried;
    uint64_t name = XXH3_64bits(folder, strlen(folder));
    if (rk_load_relaxed(&tried) == name && !faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS))
        return RASK_OK;
    rk_scratch scratch;
    rk_scratch_init(&scratch, folder);
    int status = rk_scratch_open(&scratch, reason, capacity);
    rk_scratch_fini(&scratch);
    if (!status)
        rk_store_relaxed(&tried, name);
    return status;
}

/* Of programs built before results were told of. */
#define LEAST_OBSERVER offsetof(rask_observer, result_moved)

static int check(const rask_options *o, char *reason, size_t capacity)
{
    if (!rk_scheduler_find(o->scheduler))
        return complain(reason, capacity, RASK_EINVAL, "scheduler", o->scheduler,
                        "threads, processes, serial or cluster");
    if (o->workers > RK_MAX_WORKERS) {
        snprintf(reason, capacity, "workers: %u, at most %d are possible", o->workers, RK_MAX_WORKERS);
        return RASK_ERANGE;
    }
    if (o->worker_threads > RK_MAX_WORKER_THREADS) {
        snprintf(reason, capacity, "worker_threads: %u, at most %d are possible", o->worker_threads,
                 RK_MAX_WORKER_THREADS);
        return RASK_ERANGE;
    }
    if (!(o->timeout >= 0)) {
        snprintf(reason, capacity, "timeout: %g seconds is negative or no number", o->timeout);
        return RASK_EINVAL;
    }
    if ((o->inject_failures || o->inject_delays) && !o->seed) {
        snprintf(reason, capacity, "inject_failures and inject_delays need a seed");
        return RASK_EINVAL;
    }
    for (size_t i = 0; i < o->observer_count; i++)
        if (!o->observers || !o->observers[i] || o->observers[i]->size < LEAST_OBSERVER) {
            snprintf(reason, capacity, "observers: number %zu is NULL or has no size", i);
            return RASK_EINVAL;
        }
    return RASK_OK;
}

static int resolve(const rask_options *options, rask_options *resolved, char *reason, size_t capacity)
{
    *resolved = (rask_options)RASK_OPTIONS_INIT;
    if (options) {
        if (!options->size || options->size > sizeof *resolved) {
            snprintf(reason, capacity, "options: size is %zu: start from RASK_OPTIONS_INIT", options->size);
            return RASK_EINVAL;
        }
        memcpy(resolved, options, options->size);
    }
    int status = from_environment(resolved, reason, capacity);
    if (status)
        return status;
    rk_launch_fill(resolved);
    from_machine(resolved);
    return check(resolved, reason, capacity);
}

/* A program that was meant to be a worker, and is not. */
static int check_process(char *reason, size_t capacity)
{
    const char *worker_of = getenv("RASK_WORKER_OF");
    if (!worker_of || !*worker_of || rk_worker_is())
        return RASK_OK;
    snprintf(
        reason, capacity,
        "RASK_WORKER_OF=%.100s makes workers of programs whose main() begins with rask_cluster_init(), and "
        "this one's does not; of rask: rask worker",
        worker_of);
    return RASK_EINVAL;
}

int rk_options_resolve(const rask_options *options, rask_options *resolved, char *reason, size_t capacity)
{
    int status = resolve(options, resolved, reason, capacity);
    if (!status)
        status = check_process(reason, capacity);
    if (status || !strcmp(resolved->scratch, unnamed_scratch()))
        return status;
    return check_scratch(resolved->scratch, reason, capacity);
}

int rask_options_effective(const rask_options *options, rask_options *effective)
{
    rask_options resolved;
    char reason[256];
    int status = resolve(options, &resolved, reason, sizeof reason);
    if (status)
        return status;
    if (!resolved.memory && !rk_checkpoint_memory(resolved.checkpoint, &resolved.memory))
        resolved.memory = rask_default_memory();
    *effective = resolved;
    return RASK_OK;
}

rask_options rk_options_within(const rask_options *options)
{
    rask_options own = *options;
    own.observer_count = 0;
    own.timeout = 0;
    own.cancel = NULL;
    own.report = NULL;
    own.checkpoint = NULL;
    own.dashboard = NULL;
    own.progress = own.keep_going = false;
    return own;
}
