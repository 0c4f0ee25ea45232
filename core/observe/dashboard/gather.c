/* Adding the tracks up. What is read may be a moment old, and of two figures one newer than the other: it is for eyes. */
#include "core/base/clock.h"
#include "core/observe/dashboard/live.h"
#include "core/observe/dashboard/system.h"
#include "core/observe/write.h"

#include <inttypes.h>
#include <rask/options.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_NS = 500000000,        /* between two looks at shares of cores, and rates */
    FIRST_EVERY_NS = 100000000, /* between samples, until there are too many */
    LEAST_LABELLED_NS = 20000000,
    THREADS_LOOKED_AT = 128,
};

/* -- Slices, as [worker, name, start, duration, tasks, per cent of it that they took, failed, label], in microseconds */

typedef struct weaver {
    rk_live *live;
    FILE *out; /* NULL: no slice yet, or no memory */
    char *text;
    size_t len;
} weaver;

/* A slice, read from where a worker may write the next but some. */
typedef struct seen {
    const char *name, *label;
    uint64_t start_ns, end_ns, busy_ns;
    uint32_t count, failed;
} seen;

static seen read_slice(const rk_live_slice *s)
{
    return (seen){.name = rk_load_relaxed(&s->name),
                  .label = rk_load_relaxed(&s->label),
                  .start_ns = rk_load_relaxed(&s->start_ns),
                  .end_ns = rk_load_relaxed(&s->end_ns),
                  .busy_ns = rk_load_relaxed(&s->busy_ns),
                  .count = rk_load_relaxed(&s->count),
                  .failed = rk_load_relaxed(&s->failed)};
}

static void put_slice(weaver *w, uint32_t worker, const seen *s)
{
    uint64_t ns = s->end_ns > s->start_ns ? s->end_ns - s->start_ns : 1;
    fprintf(w->out, "%s[%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%" PRIu64 ",%" PRIu32,
            ftell(w->out) ? "," : "", worker, rk_live_place(w->live, s->name),
            (s->start_ns > w->live->origin_ns ? s->start_ns - w->live->origin_ns : 0) / 1000, ns / 1000,
            s->count, s->busy_ns < ns ? s->busy_ns * 100 / ns : 100, s->failed);
    if (s->count == 1 && ns >= LEAST_LABELLED_NS && s->label && *s->label) {
        char text[RK_LIVE_TEXT];
        rk_live_copy(text, sizeof text, s->label);
        putc(',', w->out);
        rk_put_string(w->out, text);
    }
    putc(']', w->out);
}

static void gather_slices(weaver *w, uint32_t worker, rk_live_track *track)
{
    uint32_t head = rk_load_acquire(&track->slice);
    if (head - track->seen >= RK_LIVE_SLICES)
        track->seen = head - RK_LIVE_SLICES + 1;
    if (head != track->seen && !w->out)
        w->out = open_memstream(&w->text, &w->len);
    for (; w->out && track->seen != head; track->seen++) {
        seen slice = read_slice(&track->slices[track->seen % RK_LIVE_SLICES]);
        /* The worker may be that far ahead meanwhile; what was read then may be parts of two. */
        if (rk_load_acquire(&track->slice) - track->seen < RK_LIVE_SLICES)
            put_slice(w, worker, &slice);
    }
}

static void drop_chunk(rk_live *live, rk_live_chunk *chunk)
{
    live->chunk_bytes -= chunk->len;
    free(chunk->text); // open_memstream's
    *chunk = (rk_live_chunk){0};
}

static void keep_chunk(weaver *w)
{
    rk_live *live = w->live;
    if (!w->out)
        return;
    if (fclose(w->out) || !w->len) {
        free(w->text); // open_memstream's
        return;
    }
    rk_live_chunk *place = &live->chunks[++live->chunk_last % RK_LIVE_CHUNKS];
    drop_chunk(live, place);
    *place = (rk_live_chunk){w->text, w->len, live->chunk_last};
    live->chunk_bytes += w->len;
    for (uint64_t i = 1; i < RK_LIVE_CHUNKS && live->chunk_bytes > RK_LIVE_CHUNK_BYTES; i++)
        drop_chunk(live, &live->chunks[(live->chunk_last + i) % RK_LIVE_CHUNKS]);
}

/* -- Sums */

static void forget_sums(rk_live *live)
{
    live->failed = rk_load_relaxed(&live->died);
    live->done = rk_load_relaxed(&live->untracked) + live->failed;
    live->retries = live->grown = live->bytes = live->running = 0;
    for (uint32_t i = 0; i < live->name_count; i++) {
        rk_live_name *n = &live->names[i];
        n->done = n->past_done;
        n->failed = n->past_failed;
        n->total_ns = n->past_ns;
        n->bytes = n->past_bytes;
        n->running = 0;
    }
}

static void add_slot(rk_live *live, const rk_live_slot *slot, const char *name)
{
    uint64_t done = rk_load_relaxed(&slot->done);
    if (!name || !done)
        return;
    rk_live_name *n = &live->names[rk_live_place(live, name)];
    n->done += done;
    n->failed += rk_load_relaxed(&slot->failed);
    n->total_ns += rk_load_relaxed(&slot->total_ns);
    n->bytes += rk_load_relaxed(&slot->bytes);
}

static void add_track(rk_live *live, const rk_live_track *track)
{
    const char *running = rk_load_acquire(&track->running);
    live->done += rk_load_relaxed(&track->done);
    live->failed += rk_load_relaxed(&track->failed);
    live->retries += rk_load_relaxed(&track->retries);
    live->grown += rk_load_relaxed(&track->grown);
    live->bytes += rk_load_relaxed(&track->bytes);
    for (uint32_t i = 0; i < RK_LIVE_SLOTS; i++)
        add_slot(live, &track->slots[i], rk_load_acquire(&track->slots[i].name));
    add_slot(live, &track->others, "all others");
    if (running) {
        live->running++;
        live->names[rk_live_place(live, running)].running++;
    }
}

/* -- Looks, which are rarer */

static float share_of(uint64_t now, uint64_t then, uint64_t ns)
{
    double share = now > then && ns ? (double)(now - then) / (double)ns : 0;
    return (float)(share < 1 ? share : 1);
}

/* With what a task that still runs took until now. */
static uint64_t busy_until(const rk_live_track *track, uint64_t now)
{
    uint64_t since = rk_load_relaxed(&track->since_ns);
    bool running = rk_load_relaxed(&track->running) && now > since;
    return rk_load_relaxed(&track->busy_ns) + (running ? now - since : 0);
}

static void look_at_track(rk_live_track *track, uint64_t now, uint64_t ns, bool close)
{
    uint32_t thread = rk_load_relaxed(&track->thread);
    uint64_t busy = busy_until(track, now), cpu = close && thread ? rk_system_thread_ns(thread) : 0;
    track->busy = share_of(busy, track->busy_then, ns);
    track->busy_then = busy;
    track->cpu = cpu && track->cpu_then ? share_of(cpu, track->cpu_then, ns) : -1;
    track->cpu_then = cpu;
}

static void look_at_workers(rk_live *live, uint64_t ns)
{
    rk_live_worker *workers = live->workers.data;
    for (size_t i = 0; i < live->workers.count && i < THREADS_LOOKED_AT; i++) {
        rk_live_worker *w = &workers[i];
        uint64_t cpu = w->process && !w->lost ? rk_system_process_ns(w->process) : 0;
        w->rss = cpu ? rk_system_resident(w->process) : 0;
        w->cpu = cpu && w->cpu_then && ns ? (float)((double)(cpu - w->cpu_then) / (double)ns) : -1;
        w->cpu_then = cpu;
    }
}

static void look(rk_live *live, uint64_t now)
{
    uint64_t ns = now - live->looked_ns;
    uint32_t tracks = 0;
    for (uint32_t i = 0; i < RK_LIVE_TRACKS; i++) {
        rk_live_track *track = rk_load_acquire(&live->tracks[i]);
        if (track)
            look_at_track(track, now, ns, tracks++ < THREADS_LOOKED_AT);
    }
    look_at_workers(live, ns);
    live->rss = rk_system_resident(0);
    live->per_second =
        live->rate_ns ? (double)(live->done - live->rate_done) * 1e9 / (double)(now - live->rate_ns) : 0;
    live->rate_ns = now;
    live->rate_done = live->done;
    live->looked_ns = now;
}

/* -- History: few samples however long it takes, by leaving out every other one */

static void thin_out(rk_live *live)
{
    uint32_t kept = 0;
    for (uint32_t i = 1; i < live->history_count; i += 2)
        live->history[kept++] = live->history[i];
    live->history_count = kept;
    live->history_every_ns *= 2;
}

static void sample(rk_live *live, uint64_t now)
{
    if (now < live->history_next_ns)
        return;
    if (live->history_count == RK_LIVE_HISTORY)
        thin_out(live);
    if (!live->history_every_ns)
        live->history_every_ns = FIRST_EVERY_NS;
    live->history[live->history_count++] =
        (rk_live_sample){.ns = now,
                         .done = live->done,
                         .live_bytes = rk_load_relaxed(&live->live_bytes),
                         .spilled_bytes = rk_load_relaxed(&live->spilled_bytes),
                         .rss = live->rss};
    live->history_next_ns = now + live->history_every_ns;
}

void rk_live_gather(rk_live *live)
{
    uint64_t now = rk_clock_now(), held = rk_load_relaxed(&live->live_bytes);
    weaver w = {.live = live};
    if (live->run.plan) {
        rk_live_walk(live, live->run.plan);
        live->run.plan = NULL;
        live->budget = live->budget ? live->budget : rask_default_memory();
    }
    forget_sums(live);
    for (uint32_t i = 0; i < RK_LIVE_TRACKS; i++) {
        rk_live_track *track = rk_load_acquire(&live->tracks[i]);
        if (!track)
            continue;
        add_track(live, track);
        gather_slices(&w, i, track);
    }
    keep_chunk(&w);
    live->peak_bytes = held > live->peak_bytes ? held : live->peak_bytes;
    if (now - live->looked_ns >= LOOK_NS)
        look(live, now);
    sample(live, now);
    live->gathered_ns = now;
}
