/* The observer: what workers count. Of several runs at once the first is told of, as by traces. */
#include "core/observe/dashboard/live.h"

#include "core/base/clock.h"
#include "core/base/limits.h"
#include "core/json/json.h"
#include "core/observe/told.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(RK_LIVE_TRACKS > RK_MAX_WORKERS + RK_MAX_LANES, "a track for each thread");
_Static_assert((RK_LIVE_SLOTS & (RK_LIVE_SLOTS - 1)) == 0, "a mask");

enum { LEAST_SLICE_NS = 1000000, LEAST_SLICE_OF_WORKER_NS = 500000 };

void rk_live_copy(char *to, size_t capacity, const char *text)
{
    size_t len = strlen(text);
    if (len >= capacity)
        for (len = capacity - 1; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    memcpy(to, text, len);
    to[len] = 0;
}

/* -- What a worker counts; nobody else writes these */

static inline void bump(rk_atomic_u64 *place, uint64_t by)
{
    rk_store_relaxed(place, rk_load_relaxed(place) + by);
}

static inline void bump_small(rk_atomic_u32 *place, uint32_t by)
{
    rk_store_relaxed(place, rk_load_relaxed(place) + by);
}

/* Most tasks change nothing here, and then nothing is written. */
static inline void note(rk_atomic_u64 *place, uint64_t value)
{
    if (rk_load_relaxed(place) != value)
        rk_store_relaxed(place, value);
}

static rk_live_track *new_track(rk_live *live, uint32_t worker)
{
    rk_live_track *track = rk_calloc(1, sizeof *track);
    if (track) {
        track->busy = track->cpu = -1;
        rk_store_release(&live->tracks[worker % RK_LIVE_TRACKS], track);
    }
    return track;
}

static inline rk_live_track *track_of(rk_live *live, uint32_t worker)
{
    rk_live_track *track = rk_load_relaxed(&live->tracks[worker % RK_LIVE_TRACKS]);
    if (__builtin_expect(!track, 0))
        track = new_track(live, worker);
    return track;
}

static rk_live_slot *slot_of(rk_live_track *track, const char *name)
{
    uint64_t hash = (uint64_t)(uintptr_t)name * 0x9e3779b97f4a7c15u;
    for (uint32_t at = (uint32_t)(hash >> 32);; at++) {
        rk_live_slot *slot = &track->slots[at & (RK_LIVE_SLOTS - 1)];
        const char *there = rk_load_relaxed(&slot->name);
        if (there == name)
            return slot;
        if (!there && track->used == RK_LIVE_SLOTS * 3 / 4)
            return &track->others;
        if (!there) {
            track->used++;
            rk_store_release(&slot->name, name);
            return slot;
        }
    }
}

static void count(rk_live_track *track, const rask_task_info *t, uint64_t ns)
{
    rk_live_slot *slot = slot_of(track, t->name);
    bump(&slot->done, 1);
    bump(&slot->total_ns, ns);
    bump(&track->done, 1);
    bump(&track->busy_ns, ns);
    if (t->bytes) {
        bump(&slot->bytes, t->bytes);
        bump(&track->bytes, t->bytes);
    }
    if (__builtin_expect(rk_has_failed(t->status), 0)) {
        bump(&slot->failed, 1);
        bump(&track->failed, 1);
    }
    if (t->attempt)
        bump(&track->retries, t->attempt);
    if (t->task == RASK_NO_TASK)
        bump(&track->grown, 1);
}

/* -- Slices */

static void close_slice(rk_live_track *track)
{
    rk_store_release(&track->slice, rk_load_relaxed(&track->slice) + 1);
    track->open = false;
}

static rk_live_slice *open_slice(rk_live_track *track, const rask_task_info *t)
{
    rk_live_slice *s = &track->slices[rk_load_relaxed(&track->slice) % RK_LIVE_SLICES];
    rk_store_relaxed(&s->start_ns, t->start_ns);
    rk_store_relaxed(&s->busy_ns, 0);
    rk_store_relaxed(&s->count, 0);
    rk_store_relaxed(&s->failed, 0);
    track->longest_ns = 0;
    track->open = true;
    return s;
}

/* Goes on with the open slice while that is short, so that however short tasks are there are never more of them than eyes and
 * lines have use for. */
static void show(rk_live_track *track, const rask_task_info *t, uint64_t ns, uint64_t least_ns)
{
    rk_live_slice *s = &track->slices[rk_load_relaxed(&track->slice) % RK_LIVE_SLICES];
    if (!track->open || t->start_ns >= rk_load_relaxed(&s->start_ns) + least_ns) {
        if (track->open)
            close_slice(track);
        s = open_slice(track, t);
    }
    if (ns >= track->longest_ns) {
        track->longest_ns = ns;
        rk_store_relaxed(&s->name, t->name);
        rk_store_relaxed(&s->label, t->label);
    }
    rk_store_relaxed(&s->end_ns, t->end_ns);
    bump(&s->busy_ns, ns);
    bump_small(&s->count, 1);
    if (__builtin_expect(rk_has_failed(t->status), 0))
        bump_small(&s->failed, 1);
    if (ns >= least_ns)
        close_slice(track);
}

/* -- Failures: few, or nobody reads them all */

static bool take_failure_room(rk_live *live)
{
    uint32_t room = rk_load_relaxed(&live->failure_room);
    while (room && !rk_cas_relaxed(&live->failure_room, &room, room - 1)) {
    }
    return room != 0;
}

static void keep_failure(rk_live *live, const rask_task_info *t)
{
    if (!take_failure_room(live))
        return;
    pthread_mutex_lock(&live->lock);
    rk_live_failure *f = &live->failures[live->failure_count++];
    *f = (rk_live_failure){.run = t->run,
                           .ns = t->end_ns,
                           .task = t->task,
                           .node = t->node,
                           .worker = t->worker,
                           .status = t->status};
    rk_live_copy(f->name, sizeof f->name, t->name);
    rk_live_copy(f->label, sizeof f->label, t->label ? t->label : "");
    rk_live_copy(f->message, sizeof f->message,
                 t->message && *t->message ? t->message : rask_status_text(t->status));
    pthread_mutex_unlock(&live->lock);
}

/* The messages that the plan has when its run is over. */
static void name_reasons(rk_live *live, const rask_run_info *run)
{
    const rask_failure *failures;
    uint32_t count = run->plan ? rask_plan_failures(run->plan, &failures) : 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < live->failure_count; k++) {
            rk_live_failure *f = &live->failures[k];
            if (f->run == run->run && f->task == failures[i].task && failures[i].message)
                rk_live_copy(f->message, sizeof f->message, failures[i].message);
        }
}

/* -- What is told */

static void plan_made(void *context, const rask_run_info *run)
{
    rk_live *live = context;
    uint64_t none = 0, least_ns = (uint64_t)run->workers * LEAST_SLICE_OF_WORKER_NS;
    if (!rk_cas_acq_rel(&live->current, &none, run->run)) {
        rk_add_relaxed(&live->left_out, 1);
        return;
    }
    rk_store_relaxed(&live->least_ns, least_ns > LEAST_SLICE_NS ? least_ns : LEAST_SLICE_NS);
    rk_store_relaxed(&live->own_threads, rk_runs_here(run));
    pthread_mutex_lock(&live->lock);
    live->run = *run;
    live->runs++;
    live->tasks += run->tasks;
    live->budget = run->memory;
    live->workers.count = 0;
    pthread_mutex_unlock(&live->lock);
}

static void task_started(void *context, const rask_task_info *task)
{
    rk_live *live = context;
    if (rk_load_relaxed(&live->current) != task->run)
        return;
    rk_live_track *track = track_of(live, task->worker);
    if (__builtin_expect(!track, 0))
        return;
    rk_store_relaxed(&track->since_ns, task->start_ns);
    rk_store_relaxed(&track->running_label, task->label);
    if (__builtin_expect(rk_load_relaxed(&track->lane) != task->lane, 0))
        rk_store_relaxed(&track->lane, task->lane);
    rk_store_release(&track->running, task->name);
    if (__builtin_expect(!rk_load_relaxed(&track->thread), 0) && rk_load_relaxed(&live->own_threads))
        rk_store_relaxed(&track->thread, (uint32_t)gettid());
}

/* No worker came back from it, or none was at it. */
static void note_unfinished(rk_live *live, const rask_task_info *task)
{
    bool failed = rk_has_failed(task->status);
    rk_add_relaxed(failed ? &live->died : &live->skipped, 1);
    if (failed)
        keep_failure(live, task);
}

static void task_finished(void *context, const rask_task_info *task)
{
    rk_live *live = context;
    if (rk_load_relaxed(&live->current) != task->run)
        return;
    if (task->worker == UINT32_MAX) {
        note_unfinished(live, task);
        return;
    }
    rk_live_track *track = track_of(live, task->worker);
    if (__builtin_expect(!track, 0)) {
        rk_add_relaxed(&live->untracked, 1);
        return;
    }
    uint64_t ns = task->end_ns - task->start_ns;
    rk_store_relaxed(&track->running, NULL);
    count(track, task, ns);
    show(track, task, ns, rk_load_relaxed(&live->least_ns));
    note(&live->live_bytes, task->live_bytes);
    note(&live->spilled_bytes, task->spilled_bytes);
    if (__builtin_expect(rk_has_failed(task->status), 0))
        keep_failure(live, task);
}

/* The worker was busy with it, and is with others. */
static void task_rested(void *context, const rask_task_info *task)
{
    rk_live *live = context;
    rk_live_track *track = rk_load_relaxed(&live->current) == task->run ? track_of(live, task->worker) : NULL;
    if (!track)
        return;
    uint64_t ns = task->end_ns - task->start_ns;
    rk_store_relaxed(&track->running, NULL);
    bump(&slot_of(track, task->name)->total_ns, ns);
    bump(&track->busy_ns, ns);
    show(track, task, ns, rk_load_relaxed(&live->least_ns));
}

static void result_moved(void *context, const rask_move_info *move)
{
    rk_live *live = context;
    if (rk_load_relaxed(&live->current) != move->run)
        return;
    rk_add_relaxed(&live->moves, 1);
    rk_add_relaxed(&live->moved_bytes, move->bytes);
    note(&live->live_bytes, move->live_bytes);
    note(&live->spilled_bytes, move->spilled_bytes);
}

static bool is_same(const rk_live_worker *w, const rask_worker_info *info)
{
    return !w->lost && w->first == info->first && w->process == info->process &&
           !strncmp(w->host, info->host, sizeof w->host - 1);
}

/* Nobody tells of the end of what it was at. */
static void empty_tracks(rk_live *live, uint32_t first, uint32_t numbers)
{
    for (uint32_t i = 0; i < numbers && i < RK_LIVE_TRACKS; i++) {
        rk_live_track *track = rk_load_acquire(&live->tracks[(first + i) % RK_LIVE_TRACKS]);
        if (track)
            rk_store_relaxed(&track->running, NULL);
    }
}

static void note_lost(rk_live *live, const rask_worker_info *info)
{
    rk_live_worker *workers = live->workers.data;
    live->lost++;
    empty_tracks(live, info->first, info->numbers);
    for (size_t i = live->workers.count; i-- > 0;)
        if (is_same(&workers[i], info)) {
            workers[i].lost = true;
            rk_live_copy(workers[i].reason, sizeof workers[i].reason, info->reason);
            return;
        }
}

static void note_joined(rk_live *live, const rask_worker_info *info)
{
    rk_live_worker *w = rk_array_push(&live->workers);
    live->joined++;
    if (!w)
        return;
    *w = (rk_live_worker){.first = info->first,
                          .count = info->count,
                          .numbers = info->numbers,
                          .process = info->process,
                          .cpu = -1};
    rk_live_copy(w->host, sizeof w->host, info->host);
}

static void worker_changed(void *context, const rask_worker_info *info)
{
    rk_live *live = context;
    if (rk_load_relaxed(&live->current) != info->run)
        return;
    pthread_mutex_lock(&live->lock);
    if (info->lost)
        note_lost(live, info);
    else
        note_joined(live, info);
    pthread_mutex_unlock(&live->lock);
}

/* What points into the run is let go: nobody runs tasks of it any more. */
static void forget_run(rk_live_track *track)
{
    for (uint32_t i = 0; i < RK_LIVE_SLOTS; i++)
        track->slots[i] = (rk_live_slot){0};
    track->others = (rk_live_slot){0};
    track->used = 0;
    rk_store_relaxed(&track->running, NULL);
    rk_store_relaxed(&track->running_label, NULL);
    rk_store_relaxed(&track->thread, 0);
}

static void keep_names(rk_live *live)
{
    for (uint32_t i = 0; i < live->name_count; i++) {
        rk_live_name *n = &live->names[i];
        n->past_done = n->done;
        n->past_failed = n->failed;
        n->past_ns = n->total_ns;
        n->past_bytes = n->bytes;
    }
}

static void end_run(rk_live *live, const rask_run_info *run)
{
    for (uint32_t i = 0; i < RK_LIVE_TRACKS; i++) {
        rk_live_track *track = rk_load_acquire(&live->tracks[i]);
        if (track && track->open)
            close_slice(track);
    }
    rk_store_relaxed(&live->live_bytes, 0);
    rk_store_relaxed(&live->spilled_bytes, 0);
    name_reasons(live, run);
    rk_live_gather(live);
    keep_names(live);
    for (uint32_t i = 0; i < RK_LIVE_TRACKS; i++) {
        rk_live_track *track = rk_load_acquire(&live->tracks[i]);
        if (track)
            forget_run(track);
    }
    live->run.end_ns = run->end_ns;
    live->run.status = run->status;
    live->run.plan = NULL;
    live->peak_bytes = run->peak_bytes > live->peak_bytes ? run->peak_bytes : live->peak_bytes;
    if (run->status) {
        live->status = run->status;
        const char *why = run->plan ? rask_plan_error(run->plan) : "";
        rk_live_copy(live->message, sizeof live->message, *why ? why : rask_status_text(run->status));
    }
}

static void run_ended(void *context, const rask_run_info *run)
{
    rk_live *live = context;
    if (rk_load_relaxed(&live->current) != run->run)
        return;
    pthread_mutex_lock(&live->lock);
    end_run(live, run);
    pthread_mutex_unlock(&live->lock);
    rk_store_release(&live->current, 0);
}

/* -- Beginning and end */

int rk_live_init(rk_live *live)
{
    memset(live, 0, sizeof *live);
    pthread_mutex_init(&live->lock, NULL);
    live->origin_ns = rk_clock_now();
    live->workers = (rk_array)RK_ARRAY(rk_live_worker, RK_LIVE_TRACKS);
    live->names = rk_calloc(RK_LIVE_NAMES, sizeof *live->names);
    live->links = rk_calloc((size_t)RK_LIVE_LINKED * RK_LIVE_LINKED, sizeof *live->links);
    live->failures = rk_calloc(RK_LIVE_FAILURES, sizeof *live->failures);
    live->history = rk_calloc(RK_LIVE_HISTORY, sizeof *live->history);
    rk_init(&live->failure_room, RK_LIVE_FAILURES);
    live->observer = (rask_observer){.size = sizeof(rask_observer),
                                     .context = live,
                                     .plan_made = plan_made,
                                     .task_started = task_started,
                                     .task_finished = task_finished,
                                     .run_ended = run_ended,
                                     .result_moved = result_moved,
                                     .worker_changed = worker_changed,
                                     .task_rested = task_rested};
    bool enough = live->names && live->links && live->failures && live->history;
    return enough ? RASK_OK : RASK_ENOMEM;
}

void rk_live_fini(rk_live *live)
{
    for (uint32_t i = 0; i < RK_LIVE_TRACKS; i++)
        rk_free(rk_load_acquire(&live->tracks[i]));
    for (uint32_t i = 0; i < RK_LIVE_CHUNKS; i++)
        free(live->chunks[i].text); // open_memstream's
    rk_free(live->names);
    rk_free(live->links);
    rk_free(live->failures);
    rk_free(live->history);
    rk_array_fini(&live->workers);
    pthread_mutex_destroy(&live->lock);
}
