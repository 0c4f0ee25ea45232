/* The state as JSON. docs/observing.md lists its members. */
#include "core/observe/dashboard/tell.h"

#include "core/observe/write.h"

#include <inttypes.h>
#include <unistd.h>

enum { MOST_WORKERS = 256 }; /* in a list */

static void put_number(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, "\"%s\":%" PRIu64, name, value);
}

static void put_text(FILE *out, const char *name, const char *text)
{
    fprintf(out, "\"%s\":", name);
    rk_put_string(out, text);
}

/* Thousandths, whatever the locale has for a point; null: not known. */
static void put_share(FILE *out, const char *name, float share)
{
    unsigned thousandths = share > 0 ? (unsigned)(share * 1000 + .5F) : 0;
    if (share < 0)
        fprintf(out, "\"%s\":null", name);
    else
        fprintf(out, "\"%s\":%u.%03u", name, thousandths / 1000, thousandths % 1000);
}

static uint64_t since_origin(const rk_live *live, uint64_t ns)
{
    return ns > live->origin_ns ? ns - live->origin_ns : 0;
}

static const char *phase_of(const rk_live *live)
{
    if (live->finished)
        return "finished";
    return rk_load_relaxed(&live->current) ? "running" : live->runs ? "between" : "waiting";
}

static void put_run(FILE *out, const rk_live *live)
{
    const rask_run_info *run = &live->run;
    uint64_t end_ns = run->end_ns ? run->end_ns : live->gathered_ns;
    fputs(",\"run\":{", out);
    put_number(out, "number", run->run);
    fputc(',', out);
    put_text(out, "scheduler", run->scheduler ? run->scheduler : "");
    fprintf(out, ",\"workers\":%" PRIu32 ",\"tasks\":%" PRIu32 ",", run->workers, run->tasks);
    put_number(out, "start_ns", since_origin(live, run->start_ns));
    fputc(',', out);
    put_number(out, "elapsed_ns", end_ns > run->start_ns && run->run ? end_ns - run->start_ns : 0);
    fprintf(out, ",\"over\":%s}", run->end_ns ? "true" : "false");
}

static void put_tasks(FILE *out, const rk_live *live)
{
    uint64_t known = live->tasks + live->grown;
    fputs(",\"tasks\":{", out);
    put_number(out, "known", known > live->done ? known : live->done);
    fputc(',', out);
    put_number(out, "done", live->done);
    fputc(',', out);
    put_number(out, "failed", live->failed);
    fputc(',', out);
    put_number(out, "skipped", rk_load_relaxed(&live->skipped));
    fputc(',', out);
    put_number(out, "running", live->running);
    fputc(',', out);
    put_number(out, "retries", live->retries);
    fputc(',', out);
    put_number(out, "bytes", live->bytes);
    fputc(',', out);
    put_number(out, "per_second", (uint64_t)(live->per_second + .5));
    fputc('}', out);
}

static void put_memory(FILE *out, const rk_live *live)
{
    fputs(",\"memory\":{", out);
    put_number(out, "budget", live->budget);
    fputc(',', out);
    put_number(out, "live", rk_load_relaxed(&live->live_bytes));
    fputc(',', out);
    put_number(out, "spilled", rk_load_relaxed(&live->spilled_bytes));
    fputc(',', out);
    put_number(out, "peak", live->peak_bytes);
    fputc(',', out);
    put_number(out, "resident", live->rss);
    fputc(',', out);
    put_number(out, "moves", rk_load_relaxed(&live->moves));
    fputc(',', out);
    put_number(out, "moved", rk_load_relaxed(&live->moved_bytes));
    fputc('}', out);
}

static void put_names(FILE *out, const rk_live *live)
{
    fputs(",\"names\":[", out);
    for (uint32_t i = 0; i < live->name_count; i++) {
        const rk_live_name *n = &live->names[i];
        fputs(i ? ",{" : "{", out);
        put_text(out, "name", n->text);
        fprintf(out,
                ",\"known\":%" PRIu64 ",\"done\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"running\":%" PRIu64
                ",\"total_ns\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
                n->expected > n->done ? n->expected : n->done, n->done, n->failed, n->running, n->total_ns,
                n->bytes);
    }
    fputc(']', out);
}

/* The process that a worker's thread is in; NULL: this one, or not known. */
static const rk_live_worker *home_of(const rk_live *live, uint32_t worker)
{
    const rk_live_worker *workers = live->workers.data;
    for (size_t i = live->workers.count; i-- > 0;)
        if (worker >= workers[i].first && worker - workers[i].first < workers[i].numbers)
            return &workers[i];
    return NULL;
}

static void put_running(FILE *out, const rk_live *live, const rk_live_track *track)
{
    char name[RK_LIVE_TEXT], label[RK_LIVE_TEXT];
    const char *running = rk_load_acquire(&track->running), *text = rk_load_relaxed(&track->running_label);
    /* Pointers into a run that is over are taken back under the lock. */
    if (!running)
        return;
    rk_live_copy(name, sizeof name, running);
    rk_live_copy(label, sizeof label, text ? text : "");
    fputc(',', out);
    put_text(out, "task", name);
    fputc(',', out);
    put_text(out, "label", label);
    fputc(',', out);
    put_number(out, "since_ns", since_origin(live, rk_load_relaxed(&track->since_ns)));
}

static void put_worker(FILE *out, const rk_live *live, uint32_t number, const rk_live_track *track)
{
    const rk_live_worker *home = home_of(live, number);
    bool lane = rk_load_relaxed(&track->lane);
    fprintf(out, "{\"worker\":%" PRIu32 ",\"lane\":%s,", number, lane ? "true" : "false");
    put_number(out, "done", rk_load_relaxed(&track->done));
    fputc(',', out);
    put_number(out, "failed", rk_load_relaxed(&track->failed));
    fputc(',', out);
    put_share(out, "busy", track->busy);
    fputc(',', out);
    put_share(out, "cpu", home ? home->cpu : track->cpu);
    if (home) {
        fprintf(out, ",\"process\":%" PRIu64 ",\"resident\":%" PRIu64 ",\"lost\":%s,", home->process,
                home->rss, home->lost ? "true" : "false");
        put_text(out, "host", home->host);
    }
    put_running(out, live, track);
    fputc('}', out);
}

static void put_workers(FILE *out, const rk_live *live)
{
    uint32_t count = 0;
    fputs(",\"workers\":[", out);
    for (uint32_t i = 0; i < RK_LIVE_TRACKS; i++) {
        const rk_live_track *track = rk_load_acquire(&live->tracks[i]);
        if (!track || count++ >= MOST_WORKERS)
            continue;
        if (count > 1)
            fputc(',', out);
        put_worker(out, live, i, track);
    }
    fprintf(out, "],\"worker_count\":%" PRIu32 ",\"joined\":%" PRIu64 ",\"lost\":%" PRIu64, count,
            live->joined, live->lost);
}

static void put_processes(FILE *out, const rk_live *live)
{
    const rk_live_worker *workers = live->workers.data;
    size_t count = live->workers.count, first = count > MOST_WORKERS ? count - MOST_WORKERS : 0;
    fputs(",\"processes\":[", out);
    for (size_t i = first; i < count; i++) {
        const rk_live_worker *w = &workers[i];
        fprintf(out,
                "%s{\"process\":%" PRIu64 ",\"first\":%" PRIu32 ",\"count\":%" PRIu32 ",\"resident\":%" PRIu64
                ",\"lost\":%s,",
                i > first ? "," : "", w->process, w->first, w->count, w->rss, w->lost ? "true" : "false");
        put_share(out, "cpu", w->cpu);
        fputc(',', out);
        put_text(out, "host", w->host);
        fputc(',', out);
        put_text(out, "reason", w->reason);
        fputc('}', out);
    }
    fputc(']', out);
}

static void put_failures(FILE *out, const rk_live *live)
{
    fputs(",\"failures\":[", out);
    for (uint32_t i = 0; i < live->failure_count; i++) {
        const rk_live_failure *f = &live->failures[i];
        fputs(i ? ",{" : "{", out);
        put_text(out, "name", f->name);
        fputc(',', out);
        put_text(out, "label", f->label);
        fputc(',', out);
        put_text(out, "message", f->message);
        fputc(',', out);
        put_text(out, "status", rask_status_name(f->status));
        fprintf(out, ",\"run\":%" PRIu64 ",\"worker\":%" PRIu32 ",\"at_ns\":%" PRIu64 "}", f->run, f->worker,
                since_origin(live, f->ns));
    }
    fputc(']', out);
}

static void put_links(FILE *out, const rk_live *live)
{
    fputs("\"links\":[", out);
    for (uint32_t i = 0; i < live->link_count; i++) {
        const rk_live_link *l = &live->links[i];
        fprintf(out, "%s[%" PRIu32 ",%" PRIu32 ",%" PRIu64 "]", i ? "," : "", l->from, l->to, l->count);
    }
    fputc(']', out);
}

static void put_history(FILE *out, const rk_live *live)
{
    fputs("\"history\":[", out);
    for (uint32_t i = 0; i < live->history_count; i++) {
        const rk_live_sample *s = &live->history[i];
        fprintf(out, "%s[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", i ? "," : "",
                since_origin(live, s->ns) / 1000000, s->done, s->live_bytes, s->spilled_bytes, s->rss);
    }
    fputc(']', out);
}

static void put_members(FILE *out, const rk_live *live, const char *title, bool can_cancel)
{
    fprintf(out, "\"version\":%d,", RK_LIVE_VERSION);
    put_text(out, "rask", rask_version());
    fputc(',', out);
    put_text(out, "title", title);
    fprintf(out, ",\"process\":%ld,", (long)getpid());
    put_number(out, "now_ns", since_origin(live, live->gathered_ns));
    fputc(',', out);
    put_text(out, "phase", phase_of(live));
    fputc(',', out);
    put_text(out, "status", live->status ? rask_status_name(live->status) : "");
    fputc(',', out);
    put_text(out, "message", live->message);
    fprintf(out, ",\"can_cancel\":%s,", can_cancel ? "true" : "false");
    put_number(out, "runs", live->runs);
    fputc(',', out);
    put_number(out, "left_out", rk_load_relaxed(&live->left_out));
    put_run(out, live);
    put_tasks(out, live);
    put_memory(out, live);
    put_names(out, live);
    put_workers(out, live);
    put_processes(out, live);
    put_failures(out, live);
}

void rk_tell_state(FILE *out, const rk_live *live, const char *title, bool can_cancel)
{
    fputc('{', out);
    put_members(out, live, title, can_cancel);
    fputc('}', out);
}

void rk_tell_whole(FILE *out, const rk_live *live, const char *title, bool can_cancel)
{
    fputc('{', out);
    put_members(out, live, title, can_cancel);
    fputc(',', out);
    put_links(out, live);
    fputc(',', out);
    put_history(out, live);
    fputs("}\n", out);
}

static void put_chunks(FILE *out, const rk_live *live, uint64_t after)
{
    bool first = true;
    fputs(",\"slices\":[", out);
    uint64_t oldest = live->chunk_last < RK_LIVE_CHUNKS ? 1 : live->chunk_last - RK_LIVE_CHUNKS + 1;
    for (uint64_t i = after >= oldest ? after + 1 : oldest; i <= live->chunk_last; i++) {
        const rk_live_chunk *chunk = &live->chunks[i % RK_LIVE_CHUNKS];
        if (chunk->number != i)
            continue;
        if (!first)
            fputc(',', out);
        (void)fwrite(chunk->text, 1, chunk->len, out);
        first = false;
    }
    fputc(']', out);
}

void rk_tell_event(FILE *out, const rk_live *live, const char *state, rk_live_reader *reader)
{
    fprintf(out, "data: {\"state\":%s", state);
    put_chunks(out, live, reader->chunk);
    if (!reader->begun || reader->plans != live->plans) {
        fputc(',', out);
        put_links(out, live);
    }
    if (!reader->begun) {
        fputc(',', out);
        put_history(out, live);
    }
    fputs("}\n\n", out);
    *reader = (rk_live_reader){.chunk = live->chunk_last, .plans = live->plans, .begun = true};
}
