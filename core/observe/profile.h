/* core/observe/profile: what a profile keeps.
 *
 * While a run goes on each worker adds up by the address of names, in a table of its own. At its end, while the plan is
 * still there, all tables are added to the profile's own, by the names themselves. */
#ifndef RASK_CORE_OBSERVE_PROFILE_H
#define RASK_CORE_OBSERVE_PROFILE_H

#include "core/base/array.h"
#include "core/base/atomic.h"
#include "core/plan/plan.h"

#include <rask/trace.h>
#include <stdio.h>

enum {
    RK_PROFILE_TRACKS = 4096, /* more than there are threads that run tasks at once */
    RK_PROFILE_NAMES = 1024,  /* told apart; all further ones are one */
    RK_PROFILE_LINKED = 128,  /* of more names nobody could follow who took from whom */
    /* Buckets of durations: four to each doubling, so that a quantile is right to an eighth. */
    RK_PROFILE_FINE = 4,
    RK_PROFILE_BUCKETS = 64 * RK_PROFILE_FINE,
    RK_PROFILE_NAME_BYTES = 200,
};

/* What tasks of one name came to. */
typedef struct rk_profile_sums {
    uint64_t count, failed, retries;
    uint64_t total_ns, longest_ns;
    uint64_t bytes_in, bytes_out;
    uint64_t queue_ns;  /* ready, and no worker free */
    uint64_t memory_ns; /* a worker held up until there was room */
    uint32_t buckets[RK_PROFILE_BUCKETS];
} rk_profile_sums;

typedef struct rk_profile_name {
    char name[RK_PROFILE_NAME_BYTES];
    rk_profile_sums sums;
    double critical_ns; /* of the critical paths of all runs */
} rk_profile_name;

/* Tasks of one name that took results of tasks of another. */
typedef struct rk_profile_link {
    uint32_t from, to; /* places in names */
    uint64_t count;
} rk_profile_link;

/* Of all runs together. */
typedef struct rk_profile_whole {
    uint64_t runs, tasks, skipped;
    double wall_ns;
    double worker_ns;        /* workers times wall time */
    double busy_ns, lane_ns; /* of it, of which tasks ran; and what I/O lanes spent on tasks */
    double memory_ns, queue_ns;
    double critical_ns; /* -1: not known */
    double cpu_ns;      /* that the process spent meanwhile; -1: not known, for workers are processes */
    uint64_t peak_bytes, moves, moved_bytes;
    double moving_ns;
    uint32_t workers;
    const char *scheduler; /* of the last run; static */
} rk_profile_whole;

typedef struct rk_profile_track rk_profile_track;

struct rask_profile {
    rask_observer observer;
    rk_atomic_u64 current; /* the run that is observed; 0: none */
    rk_atomic_u64 skipped, moves, moved_bytes, moving_ns;
    float *seconds; /* of each task of the run; NULL: no plan, or no memory */
    uint32_t tasks;
    uint64_t cpu_ns; /* of the process when the run began */
    rk_profile_track *tracks[RK_PROFILE_TRACKS];
    rk_array names; /* rk_profile_name */
    rk_array links; /* rk_profile_link */
    rk_profile_whole whole;
};

/* The place of a name in the profile, which is made when it is new. UINT32_MAX: no memory. */
uint32_t rk_profile_place(rask_profile *profile, const char *name);

static inline rk_profile_name *rk_profile_at(const rask_profile *profile, uint32_t place)
{
    return (rk_profile_name *)profile->names.data + place;
}

/* Adds the longest chain of the run that has ended to its names, and counts who took from whom. Without memory: neither. */
void rk_profile_walk(rask_profile *profile, const rask_plan *plan);

/* The duration that so many of a hundred were not above. */
double rk_profile_quantile(const rk_profile_sums *sums, double percent);

/* What the runs were bound by, in a sentence. */
void rk_profile_say_bound(rk_print *out, const rask_profile *profile);

/* The object that rask_profile_json() is. */
void rk_profile_put(FILE *out, const rask_profile *profile);

/* Places of names, those that took most time first. Returns how many; *places is the caller's to free. */
uint32_t rk_profile_order(const rask_profile *profile, uint32_t **places);

#endif
