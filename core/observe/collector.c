/* Collecting a trace.
 *
 * A worker writes into chunks of its own, so that no task takes a lock or waits for another core: a task is told of by
 * the worker that ran it, and a worker runs one task at a time. What tells of worker processes does so from one thread.
 * Names and labels are the trace's own from the start, so that nobody has to go through all tasks again while whoever ran
 * them waits for the run to end: a text that a track has copied is known by its address until then. */
#include "core/base/limits.h"
#include "core/observe/trace.h"

#include <string.h>

_Static_assert(RK_TRACE_TRACKS > RK_MAX_WORKERS + RK_MAX_LANES, "a track for each thread");

enum {
    MOST_TEXT = 200,
    MOST_STRINGS = 64 << 20,
    IN_A_CHUNK = sizeof((rk_trace_chunk){0}.tasks) / sizeof(rk_trace_task),
};

/* -- Strings */

static const char *copy_text(rask_trace *trace, rk_trace_track *track, const char *text)
{
    size_t len = strnlen(text, MOST_TEXT);
    bool fits = rk_add_relaxed(&trace->string_bytes, len + 1) + len + 1 <= MOST_STRINGS;
    char *copy = fits ? rk_arena_alloc(&track->strings, len + 1) : NULL;
    if (!copy)
        return "?";
    memcpy(copy, text, len);
    copy[len] = 0;
    return copy;
}

static const char *own(rask_trace *trace, rk_trace_track *track, const char *text)
{
    if (!text || !*text)
        return "";
    rk_trace_text *known = &track->known[((uintptr_t)text >> 4 ^ (uintptr_t)text >> 12) % RK_TRACE_KNOWN];
    if (known->from != text)
        *known = (rk_trace_text){text, copy_text(trace, track, text)};
    return known->to;
}

/* Of tasks that follow each other on a worker most have the texts of the one before. */
static inline const char *own_again(rask_trace *trace, rk_trace_track *track, const char *text,
                                    rk_trace_text *last)
{
    if (__builtin_expect(text != last->from, 0))
        *last = (rk_trace_text){text, own(trace, track, text)};
    return last->to;
}

/* Addresses mean something else from here on. */
static void forget_texts(rk_trace_track *track)
{
    memset(track->known, 0, sizeof track->known);
    track->name = track->label = (rk_trace_text){"", ""}; /* NULL is told apart */
}

static void end_tracks(rask_trace *trace)
{
    for (size_t i = 0; i < RK_TRACE_TRACKS; i++) {
        rk_trace_track *track = trace->tracks[i];
        if (!track)
            continue;
        forget_texts(track);
        track->run_chunk = track->last;
        track->run_at = track->last ? track->last->count : 0;
    }
}

/* -- What is told */

static void plan_made(void *context, const rask_run_info *run)
{
    rask_trace *trace = context;
    uint64_t none = 0;
    if (!rk_cas_acq_rel(&trace->current, &none, run->run)) {
        rk_add_relaxed(&trace->left_out, 1);
        return;
    }
    pthread_mutex_lock(&trace->lock);
    trace->workers.count = 0;
    pthread_mutex_unlock(&trace->lock);
}

/* One that was told of nothing is no track's. */
static bool add_chunk(rask_trace *trace, rk_trace_track *track)
{
    uint64_t left = rk_load_relaxed(&trace->free_chunks);
    while (left && !rk_cas_relaxed(&trace->free_chunks, &left, left - 1)) {
    }
    rk_trace_chunk *chunk = left ? rk_alloc(RK_TRACE_CHUNK_BYTES) : NULL;
    if (!chunk)
        return false;
    chunk->next = NULL;
    chunk->count = 0;
    *(track->last ? &track->last->next : &track->first) = chunk;
    track->last = chunk;
    return true;
}

static rk_trace_track *track_of(rask_trace *trace, uint32_t worker)
{
    rk_trace_track **place = &trace->tracks[worker % RK_TRACE_TRACKS];
    if (__builtin_expect(!*place, 0))
        if ((*place = rk_calloc(1, sizeof **place))) {
            (*place)->memory = (rk_array)RK_ARRAY(rk_trace_memory, RK_TRACE_SAMPLES);
            forget_texts(*place);
        }
    return *place;
}

static uint32_t steps(uint64_t ns)
{
    uint64_t count = ns / RK_TRACE_STEP_NS;
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

static inline void keep_task(rask_trace *trace, rk_trace_track *track, const rask_task_info *t)
{
    uint64_t came_ns = t->start_ns - t->waited_ns;
    track->last->tasks[track->last->count++] =
        (rk_trace_task){.name = own_again(trace, track, t->name, &track->name),
                        .label = own_again(trace, track, t->label, &track->label),
                        .start_ns = t->start_ns,
                        .duration_ns = t->end_ns - t->start_ns,
                        .status = (unsigned)t->status < 255 ? (unsigned)t->status : 255,
                        .attempt = t->attempt < 255 ? t->attempt : 255,
                        .bytes_in = t->bytes_in,
                        .bytes_out = t->bytes,
                        .task = t->task,
                        .node = t->node,
                        .queued = t->ready_ns && came_ns > t->ready_ns ? steps(came_ns - t->ready_ns) : 0,
                        .waited = steps(t->waited_ns)};
}

static void keep_memory(rk_trace_track *track, const rask_task_info *t)
{
    rk_trace_memory *place = rk_array_push(&track->memory);
    track->last_memory = (rk_trace_memory){t->end_ns, t->live_bytes, t->spilled_bytes};
    if (place)
        *place = track->last_memory;
}

static void task_finished(void *context, const rask_task_info *task)
{
    rask_trace *trace = context;
    if (rk_load_relaxed(&trace->current) != task->run)
        return;
    if (task->worker == UINT32_MAX) {
        rk_add_relaxed(&trace->skipped, 1);
        return;
    }
    rk_trace_track *track = track_of(trace, task->worker);
    if (!track)
        return;
    if (task->live_bytes != track->last_memory.live_bytes ||
        task->spilled_bytes != track->last_memory.on_disk)
        keep_memory(track, task);
    track->lane = task->lane;
    bool full = !track->last || track->last->count == IN_A_CHUNK;
    if (__builtin_expect(full, 0) && !add_chunk(trace, track))
        track->dropped++;
    else
        keep_task(trace, track, task);
}

/* What was called until then is one more line of the trace. */
static void task_rested(void *context, const rask_task_info *task)
{
    task_finished(context, task);
}

static void result_moved(void *context, const rask_move_info *move)
{
    rask_trace *trace = context;
    if (rk_load_relaxed(&trace->current) != move->run)
        return;
    pthread_mutex_lock(&trace->lock);
    rask_move_info *place = rk_array_push(&trace->moves);
    if (place)
        *place = *move;
    else
        trace->moves_dropped++;
    pthread_mutex_unlock(&trace->lock);
}

static void result_sent(void *context, const rask_transfer_info *transfer)
{
    rask_trace *trace = context;
    if (rk_load_relaxed(&trace->current) != transfer->run)
        return;
    pthread_mutex_lock(&trace->lock);
    rask_transfer_info *place = rk_array_push(&trace->transfers);
    if (place)
        *place = *transfer;
    else
        trace->flows_dropped++;
    pthread_mutex_unlock(&trace->lock);
}

static void worker_changed(void *context, const rask_worker_info *worker)
{
    rask_trace *trace = context;
    if (rk_load_relaxed(&trace->current) != worker->run || worker->lost)
        return;
    pthread_mutex_lock(&trace->lock);
    rask_worker_info *place = rk_array_push(&trace->workers);
    if (place) {
        *place = *worker;
        place->host = place->reason = ""; /* valid during the call */
    }
    pthread_mutex_unlock(&trace->lock);
}

static void run_ended(void *context, const rask_run_info *run)
{
    rask_trace *trace = context;
    if (rk_load_relaxed(&trace->current) != run->run)
        return;
    rk_trace_add_flows(trace, run);
    end_tracks(trace);
    rask_run_info *place = rk_array_push(&trace->runs);
    if (place) {
        *place = *run;
        place->plan = NULL;
    }
    rk_store_release(&trace->current, 0);
}

/* -- The trace */

rask_trace *rask_trace_new(uint64_t tasks)
{
    rask_trace *trace = rk_calloc(1, sizeof *trace);
    if (!trace)
        return NULL;
    tasks = tasks ? tasks : RK_TRACE_TASKS;
    rk_init(&trace->free_chunks, tasks / IN_A_CHUNK + (tasks % IN_A_CHUNK != 0));
    pthread_mutex_init(&trace->lock, NULL);
    trace->runs = (rk_array)RK_ARRAY(rask_run_info, RK_TRACE_RUNS);
    trace->moves = (rk_array)RK_ARRAY(rask_move_info, RK_TRACE_MOVES);
    trace->transfers = (rk_array)RK_ARRAY(rask_transfer_info, RK_TRACE_MOVES);
    trace->workers = (rk_array)RK_ARRAY(rask_worker_info, RK_TRACE_TRACKS);
    trace->flows = (rk_array)RK_ARRAY(rk_trace_flow, RK_TRACE_FLOWS);
    trace->observer = (rask_observer){.size = sizeof(rask_observer),
                                      .context = trace,
                                      .plan_made = plan_made,
                                      .task_finished = task_finished,
                                      .run_ended = run_ended,
                                      .result_moved = result_moved,
                                      .worker_changed = worker_changed,
                                      .result_sent = result_sent,
                                      .task_rested = task_rested};
    return trace;
}

static void free_track(rk_trace_track *track)
{
    for (rk_trace_chunk *chunk = track ? track->first : NULL, *next; chunk; chunk = next) {
        next = chunk->next;
        rk_free(chunk);
    }
    if (track) {
        rk_array_fini(&track->memory);
        rk_arena_fini(&track->strings);
    }
    rk_free(track);
}

void rask_trace_free(rask_trace *trace)
{
    if (!trace)
        return;
    for (size_t i = 0; i < RK_TRACE_TRACKS; i++)
        free_track(trace->tracks[i]);
    rk_array_fini(&trace->runs);
    rk_array_fini(&trace->moves);
    rk_array_fini(&trace->transfers);
    rk_array_fini(&trace->workers);
    rk_array_fini(&trace->flows);
    pthread_mutex_destroy(&trace->lock);
    rk_free(trace);
}

const rask_observer *rask_trace_observer(rask_trace *trace)
{
    return trace ? &trace->observer : NULL;
}

void rk_trace_each(const rask_trace *trace, rk_trace_visit *visit, void *context)
{
    for (uint32_t i = 0; i < RK_TRACE_TRACKS; i++)
        for (const rk_trace_chunk *c = trace->tracks[i] ? trace->tracks[i]->first : NULL; c; c = c->next)
            for (uint32_t k = 0; k < c->count; k++)
                visit(context, i, &c->tasks[k]);
}

rask_trace_counts rask_trace_get_counts(const rask_trace *trace)
{
    rask_trace_counts counts = {0};
    if (!trace)
        return counts;
    counts.runs = trace->runs.count;
    counts.skipped = rk_load_relaxed(&trace->skipped);
    counts.left_out = rk_load_relaxed(&trace->left_out);
    counts.moves = trace->moves.count;
    for (uint32_t i = 0; i < RK_TRACE_TRACKS; i++) {
        const rk_trace_track *track = trace->tracks[i];
        counts.dropped += track ? track->dropped : 0;
        for (const rk_trace_chunk *c = track ? track->first : NULL; c; c = c->next)
            counts.tasks += c->count;
    }
    return counts;
}
