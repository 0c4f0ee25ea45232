/* Adding up. */
#include "core/observe/profile.h"

#include "core/base/limits.h"
#include "core/observe/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

_Static_assert(RK_PROFILE_TRACKS > RK_MAX_WORKERS + RK_MAX_LANES, "a track for each thread");

enum { FIRST_SLOTS = 16 };

typedef struct slot {
    const char *name; /* NULL: free */
    rk_profile_sums sums;
} slot;

/* Of one worker; nobody else touches it while the run goes on. */
struct rk_profile_track {
    slot *slots; /* a hash table by address, never full */
    uint32_t count, capacity;
    slot others; /* for which there is no room */
    uint64_t busy_ns, lane_ns;
    bool used;
    char apart[RK_CACHE_LINE];
};

/* -- A worker's own table */

static slot *find(slot *slots, uint32_t capacity, const char *name)
{
    uint64_t hash = (uint64_t)(uintptr_t)name * 0x9e3779b97f4a7c15u;
    uint32_t at = (uint32_t)(hash >> 32) & (capacity - 1);
    while (slots[at].name && slots[at].name != name)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool grow(rk_profile_track *track)
{
    uint32_t capacity = track->capacity ? 2 * track->capacity : FIRST_SLOTS;
    slot *slots = capacity <= 2 * RK_PROFILE_NAMES ? rk_calloc(capacity, sizeof *slots) : NULL;
    if (!slots)
        return false;
    for (uint32_t i = 0; i < track->capacity; i++)
        if (track->slots[i].name)
            *find(slots, capacity, track->slots[i].name) = track->slots[i];
    rk_free(track->slots);
    track->slots = slots;
    track->capacity = capacity;
    return true;
}

static rk_profile_sums *sums_of(rk_profile_track *track, const char *name)
{
    if (2 * track->count >= track->capacity && !grow(track))
        return &track->others.sums;
    slot *s = find(track->slots, track->capacity, name);
    track->count += !s->name;
    s->name = name;
    return &s->sums;
}

static uint32_t bucket_of(uint64_t ns)
{
    if (ns < RK_PROFILE_FINE)
        return (uint32_t)ns;
    uint32_t bit = 63 - (uint32_t)__builtin_clzll(ns);
    return bit * RK_PROFILE_FINE + (uint32_t)(ns >> (bit - 2) & (RK_PROFILE_FINE - 1));
}

/* The middle of a bucket. */
static double bucket_ns(uint32_t bucket)
{
    if (bucket < 2 * RK_PROFILE_FINE)
        return bucket;
    double low = (double)((uint64_t)1 << bucket / RK_PROFILE_FINE), step = low / RK_PROFILE_FINE;
    return low + step * (bucket % RK_PROFILE_FINE) + step / 2;
}

double rk_profile_quantile(const rk_profile_sums *sums, double percent)
{
    double rank = (double)sums->count * percent / 100;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < RK_PROFILE_BUCKETS; i++) {
        seen += sums->buckets[i];
        if (seen == sums->count)
            break;
        if (sums->buckets[i] && (double)seen >= rank)
            return bucket_ns(i);
    }
    return (double)sums->longest_ns;
}

static uint64_t queue_ns(const rask_task_info *task)
{
    uint64_t came = task->start_ns - task->waited_ns;
    return task->ready_ns && came > task->ready_ns ? came - task->ready_ns : 0;
}

static void add_time(rk_profile_track *track, const rask_task_info *task)
{
    *(task->lane ? &track->lane_ns : &track->busy_ns) += task->end_ns - task->start_ns;
    track->used = true;
}

static void add_task(rk_profile_track *track, const rask_task_info *task)
{
    rk_profile_sums *s = sums_of(track, task->name);
    uint64_t ns = task->end_ns - task->start_ns;
    s->count++;
    s->failed += rk_has_failed(task->status);
    s->retries += task->attempt;
    s->total_ns += ns;
    s->longest_ns = ns > s->longest_ns ? ns : s->longest_ns;
    s->bytes_in += task->bytes_in;
    s->bytes_out += task->bytes;
    s->queue_ns += queue_ns(task);
    s->memory_ns += task->waited_ns;
    s->buckets[bucket_of(ns)]++;
    add_time(track, task);
}

/* -- What is told */

static uint64_t cpu_time_of(int who)
{
    struct rusage usage;
    if (getrusage(who, &usage))
        return 0;
    return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * 1000000000u +
           ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000u;
}

/* With that of the programs that tasks started. */
static uint64_t cpu_time(void)
{
    return cpu_time_of(RUSAGE_SELF) + cpu_time_of(RUSAGE_CHILDREN);
}

static void plan_made(void *context, const rask_run_info *run)
{
    rask_profile *profile = context;
    uint64_t none = 0;
    if (!rk_cas_acq_rel(&profile->current, &none, run->run))
        return;
    profile->tasks = run->tasks;
    profile->seconds = run->plan ? rk_calloc((size_t)run->tasks + 1, sizeof *profile->seconds) : NULL;
    profile->cpu_ns = cpu_time();
}

/* NULL: no memory for it. */
static rk_profile_track *track_of(rask_profile *profile, uint32_t worker)
{
    rk_profile_track **place = &profile->tracks[worker % RK_PROFILE_TRACKS];
    if (__builtin_expect(!*place, 0))
        *place = rk_calloc(1, sizeof **place);
    return *place;
}

static void add_seconds(rask_profile *profile, const rask_task_info *task)
{
    if (profile->seconds && task->task < profile->tasks)
        profile->seconds[task->task] += (float)(task->end_ns - task->start_ns) * 1e-9F;
}

/* What it took counts, and it is counted when it is finished. */
static void task_rested(void *context, const rask_task_info *task)
{
    rask_profile *profile = context;
    rk_profile_track *track =
        rk_load_relaxed(&profile->current) == task->run ? track_of(profile, task->worker) : NULL;
    if (!track)
        return;
    sums_of(track, task->name)->total_ns += task->end_ns - task->start_ns;
    add_time(track, task);
    add_seconds(profile, task);
}

static void task_finished(void *context, const rask_task_info *task)
{
    rask_profile *profile = context;
    if (rk_load_relaxed(&profile->current) != task->run)
        return;
    if (task->worker == UINT32_MAX) {
        rk_add_relaxed(&profile->skipped, 1);
        return;
    }
    rk_profile_track *track = track_of(profile, task->worker);
    if (!track)
        return;
    add_task(track, task);
    add_seconds(profile, task);
}

static void result_moved(void *context, const rask_move_info *move)
{
    rask_profile *profile = context;
    if (rk_load_relaxed(&profile->current) != move->run)
        return;
    rk_add_relaxed(&profile->moves, 1);
    rk_add_relaxed(&profile->moved_bytes, move->bytes);
    rk_add_relaxed(&profile->moving_ns, move->end_ns - move->start_ns);
}

/* -- Adding a run to the profile */

uint32_t rk_profile_place(rask_profile *profile, const char *name)
{
    bool full = profile->names.count >= RK_PROFILE_NAMES;
    const rk_profile_name *names = profile->names.data;
    for (uint32_t i = 0; names && i < profile->names.count; i++)
        if (!strncmp(names[i].name, name, RK_PROFILE_NAME_BYTES - 1) ||
            (full && i + 1 == profile->names.count))
            return i;
    rk_profile_name *place = rk_array_push(&profile->names);
    if (!place)
        return UINT32_MAX;
    memset(place, 0, sizeof *place);
    snprintf(place->name, sizeof place->name, "%s",
             profile->names.count == RK_PROFILE_NAMES ? "all others" : name);
    return (uint32_t)profile->names.count - 1;
}

static void add_sums(rk_profile_sums *to, const rk_profile_sums *from)
{
    to->count += from->count;
    to->failed += from->failed;
    to->retries += from->retries;
    to->total_ns += from->total_ns;
    to->longest_ns = from->longest_ns > to->longest_ns ? from->longest_ns : to->longest_ns;
    to->bytes_in += from->bytes_in;
    to->bytes_out += from->bytes_out;
    to->queue_ns += from->queue_ns;
    to->memory_ns += from->memory_ns;
    for (uint32_t i = 0; i < RK_PROFILE_BUCKETS; i++)
        to->buckets[i] += from->buckets[i];
}

static void add_slot(rask_profile *profile, const slot *s)
{
    uint32_t place = rk_profile_place(profile, s->name ? s->name : "all others");
    profile->whole.tasks += s->sums.count;
    profile->whole.memory_ns += (double)s->sums.memory_ns;
    profile->whole.queue_ns += (double)s->sums.queue_ns;
    if (place != UINT32_MAX)
        add_sums(&rk_profile_at(profile, place)->sums, &s->sums);
}

static void add_track(rask_profile *profile, rk_profile_track *track)
{
    for (uint32_t i = 0; i < track->capacity; i++)
        if (track->slots[i].name)
            add_slot(profile, &track->slots[i]);
    if (track->others.sums.count)
        add_slot(profile, &track->others);
    profile->whole.busy_ns += (double)track->busy_ns;
    profile->whole.lane_ns += (double)track->lane_ns;
    rk_free(track->slots);
    memset(track, 0, sizeof *track);
}

static void add_run(rask_profile *profile, const rask_run_info *run)
{
    rk_profile_whole *w = &profile->whole;
    double wall = (double)(run->end_ns - run->start_ns);
    w->runs++;
    w->wall_ns += wall;
    w->worker_ns += wall * run->workers;
    w->workers = run->workers > w->workers ? run->workers : w->workers;
    w->peak_bytes = run->peak_bytes > w->peak_bytes ? run->peak_bytes : w->peak_bytes;
    w->cpu_ns = !rk_runs_here(run) || w->cpu_ns < 0 ? -1 : w->cpu_ns + (double)(cpu_time() - profile->cpu_ns);
    w->scheduler = run->scheduler;
    w->skipped = rk_load_relaxed(&profile->skipped);
    w->moves = rk_load_relaxed(&profile->moves);
    w->moved_bytes = rk_load_relaxed(&profile->moved_bytes);
    w->moving_ns = (double)rk_load_relaxed(&profile->moving_ns);
}

static void run_ended(void *context, const rask_run_info *run)
{
    rask_profile *profile = context;
    if (rk_load_relaxed(&profile->current) != run->run)
        return;
    add_run(profile, run);
    for (uint32_t i = 0; i < RK_PROFILE_TRACKS; i++)
        if (profile->tracks[i] && profile->tracks[i]->used)
            add_track(profile, profile->tracks[i]);
    if (profile->seconds)
        rk_profile_walk(profile, run->plan);
    else
        profile->whole.critical_ns = -1;
    rk_free(profile->seconds);
    profile->seconds = NULL;
    rk_store_release(&profile->current, 0);
}

/* -- The profile */

rask_profile *rask_profile_new(void)
{
    rask_profile *profile = rk_calloc(1, sizeof *profile);
    if (!profile)
        return NULL;
    profile->names = (rk_array)RK_ARRAY(rk_profile_name, RK_PROFILE_NAMES);
    profile->links = (rk_array)RK_ARRAY(rk_profile_link, (size_t)RK_PROFILE_LINKED * RK_PROFILE_LINKED);
    profile->observer = (rask_observer){.size = sizeof(rask_observer),
                                        .context = profile,
                                        .plan_made = plan_made,
                                        .task_finished = task_finished,
                                        .run_ended = run_ended,
                                        .result_moved = result_moved,
                                        .task_rested = task_rested};
    return profile;
}

void rask_profile_free(rask_profile *profile)
{
    if (!profile)
        return;
    for (uint32_t i = 0; i < RK_PROFILE_TRACKS; i++) {
        rk_free(profile->tracks[i] ? profile->tracks[i]->slots : NULL);
        rk_free(profile->tracks[i]);
    }
    rk_free(profile->seconds);
    rk_array_fini(&profile->names);
    rk_array_fini(&profile->links);
    rk_free(profile);
}

const rask_observer *rask_profile_observer(rask_profile *profile)
{
    return profile ? &profile->observer : NULL;
}

static int by_time(const void *a, const void *b, void *profile)
{
    uint64_t x = rk_profile_at(profile, *(const uint32_t *)a)->sums.total_ns,
             y = rk_profile_at(profile, *(const uint32_t *)b)->sums.total_ns;
    return x < y ? 1 : x > y ? -1 : *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

uint32_t rk_profile_order(const rask_profile *profile, uint32_t **places)
{
    uint32_t count = 0;
    *places = rk_alloc_array(profile->names.count + 1, sizeof **places);
    for (uint32_t i = 0; *places && i < profile->names.count; i++)
        if (rk_profile_at(profile, i)->sums.count)
            (*places)[count++] = i;
    if (count > 1)
        qsort_r(*places, count, sizeof **places, by_time, (void *)profile);
    return count;
}
