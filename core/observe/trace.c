/* A trace as JSON: the Trace Event Format of Chrome, which Perfetto and others read. Times are microseconds since the
 * first run began. */
#include "core/observe/trace.h"
#include "core/base/file.h"
#include "core/observe/told.h"
#include "core/observe/write.h"

#include <inttypes.h>
#include <string.h>

enum {
    RUNS_TRACK = 0, /* "tid"s; worker 0 has */
    FIRST_WORKER = 1,
    LEAST_WAIT = 10000 / RK_TRACE_STEP_NS, /* shorter ones are the lock's, and no slices of their own */
};

typedef struct writer {
    rk_pen pen;
    const rask_trace *trace;
    uint64_t origin_ns;
    uint32_t worker, lanes; /* the one whose track is written; how many have been, up to it */
    bool begun;
} writer;

static uint64_t since(const writer *w, uint64_t ns)
{
    return ns > w->origin_ns ? ns - w->origin_ns : 0;
}

/* -- Members: before is what stands before the value, with the comma and its name */

static void put_number(writer *w, const char *before, uint64_t number)
{
    rk_pen_text(&w->pen, before);
    rk_pen_number(&w->pen, number);
}

static void put_time(writer *w, const char *before, uint64_t ns)
{
    rk_pen_text(&w->pen, before);
    rk_pen_us(&w->pen, ns);
}

static void put_text(writer *w, const char *before, const char *text)
{
    rk_pen_text(&w->pen, before);
    rk_pen_string(&w->pen, text);
}

static void put_end(writer *w, const char *braces)
{
    rk_pen_text(&w->pen, braces);
}

/* "{", the members that all events have, and no end. */
static void begin(writer *w, const char *phase, uint64_t track, uint64_t ns)
{
    put_text(w, w->begun ? ",\n{\"ph\":" : "\n{\"ph\":", phase);
    put_number(w, ",\"pid\":1,\"tid\":", track);
    put_time(w, ",\"ts\":", since(w, ns));
    w->begun = true;
}

static void put_name(writer *w, const char *category, const char *name)
{
    put_text(w, ",\"cat\":", category);
    put_text(w, ",\"name\":", name);
}

static void put_duration(writer *w, uint64_t ns)
{
    put_time(w, ",\"dur\":", ns);
}

/* -- Events */

/* What viewers call a track. */
static void name_track(writer *w, const char *what, uint64_t track, const char *text)
{
    begin(w, "M", track, w->origin_ns);
    put_text(w, ",\"name\":", what);
    put_text(w, ",\"args\":{\"name\":", text);
    put_end(w, "}}");
}

static void put_memory(writer *w, uint64_t ns, uint64_t live, uint64_t on_disk)
{
    begin(w, "C", 0, ns);
    put_name(w, "memory", "memory");
    put_number(w, ",\"args\":{\"live\":", live);
    put_number(w, ",\"spilled\":", on_disk);
    put_end(w, "}}");
}

static void put_wait(writer *w, uint32_t worker, const rk_trace_task *t)
{
    uint64_t ns = (uint64_t)t->waited * RK_TRACE_STEP_NS;
    begin(w, "X", (uint64_t)worker + FIRST_WORKER, t->start_ns - ns);
    put_name(w, "wait", "waiting for memory");
    put_duration(w, ns);
    put_number(w, ",\"args\":{\"task\":", t->task);
    put_end(w, "}}");
}

static void put_arguments(writer *w, const rk_trace_task *t)
{
    put_text(w, ",\"args\":{\"label\":", t->label);
    if (t->task != RASK_NO_TASK)
        put_number(w, ",\"task\":", t->task);
    put_number(w, ",\"node\":", t->node);
    put_text(w, ",\"status\":", rask_status_name((int)t->status));
    put_number(w, ",\"attempt\":", t->attempt);
    put_number(w, ",\"bytes_in\":", t->bytes_in);
    put_number(w, ",\"bytes_out\":", t->bytes_out);
    put_time(w, ",\"waited_for_worker_us\":", (uint64_t)t->queued * RK_TRACE_STEP_NS);
    put_time(w, ",\"waited_for_memory_us\":", (uint64_t)t->waited * RK_TRACE_STEP_NS);
    put_end(w, "}}");
}

static void name_worker(writer *w, uint32_t worker)
{
    char name[40];
    bool lane = w->trace->tracks[worker]->lane;
    snprintf(name, sizeof name, "%s %" PRIu32, lane ? "I/O lane" : "worker", lane ? w->lanes++ : worker);
    name_track(w, "thread_name", (uint64_t)worker + FIRST_WORKER, name);
    w->worker = worker;
}

static void put_task(void *context, uint32_t worker, const rk_trace_task *t)
{
    writer *w = context;
    if (w->worker != worker)
        name_worker(w, worker);
    if (t->waited >= LEAST_WAIT)
        put_wait(w, worker, t);
    begin(w, "X", (uint64_t)worker + FIRST_WORKER, t->start_ns);
    put_name(w, rk_has_failed((int)t->status) ? "failed" : "task", t->name);
    put_duration(w, t->duration_ns);
    put_arguments(w, t);
}

static void put_memory_of_tasks(writer *w)
{
    for (uint32_t i = 0; i < RK_TRACE_TRACKS; i++) {
        const rk_trace_track *track = w->trace->tracks[i];
        const rk_trace_memory *memory = track ? track->memory.data : NULL;
        for (size_t k = 0; track && k < track->memory.count; k++)
            put_memory(w, memory[k].ns, memory[k].live_bytes, memory[k].on_disk);
    }
}

static void put_run(writer *w, const rask_run_info *run)
{
    char name[40];
    snprintf(name, sizeof name, "run %" PRIu64, run->run);
    begin(w, "X", RUNS_TRACK, run->start_ns);
    put_name(w, "run", name);
    put_duration(w, run->end_ns - run->start_ns);
    put_text(w, ",\"args\":{\"scheduler\":", run->scheduler);
    put_number(w, ",\"workers\":", run->workers);
    put_number(w, ",\"tasks\":", run->tasks);
    put_text(w, ",\"status\":", rask_status_name(run->status));
    put_number(w, ",\"peak_bytes\":", run->peak_bytes);
    put_number(w, ",\"memory\":", run->memory);
    put_end(w, "}}");
}

/* Moves overlap each other, which slices of one track may not: pairs of events that an id holds together. */
static void put_move(writer *w, const rask_move_info *move, size_t id)
{
    static const char *const names[] = {"to disk", "from disk", "made again"};
    for (int end = 0; end < 2; end++) {
        begin(w, end ? "e" : "b", RUNS_TRACK, end ? move->end_ns : move->start_ns);
        put_name(w, "move", names[move->move]);
        put_number(w, ",\"id\":", id);
        put_number(w, ",\"args\":{\"task\":", move->task);
        put_number(w, ",\"bytes\":", move->bytes);
        put_text(w, ",\"status\":", rask_status_name(move->status));
        put_end(w, "}}");
    }
    put_memory(w, move->end_ns, move->live_bytes, move->spilled_bytes);
}

/* Bound to the slices of the tasks that made the result and took it. */
static void put_flow(writer *w, const rk_trace_flow *flow, size_t id)
{
    for (int end = 0; end < 2; end++) {
        begin(w, end ? "f" : "s", (uint64_t)(end ? flow->to : flow->from) + FIRST_WORKER,
              end ? flow->taken_ns : flow->made_ns);
        put_name(w, "result", "result");
        put_number(w, ",\"id\":", id);
        put_number(w, end ? ",\"bp\":\"e\",\"args\":{\"task\":" : ",\"args\":{\"task\":", flow->task);
        put_number(w, ",\"bytes\":", flow->bytes);
        put_end(w, "}}");
    }
}

static void put_worker(writer *w, const char *before, uint32_t worker)
{
    rk_pen_text(&w->pen, before);
    if (worker == RASK_NO_WORKER)
        rk_pen_text(&w->pen, "null");
    else
        rk_pen_number(&w->pen, worker);
}

static void put_transfer(writer *w, const rask_transfer_info *t, size_t id)
{
    for (int end = 0; end < 2; end++) {
        begin(w, end ? "e" : "b", RUNS_TRACK, end ? t->end_ns : t->start_ns);
        put_name(w, "transfer", "sent");
        put_number(w, ",\"id\":", id);
        put_number(w, ",\"args\":{\"task\":", t->task);
        put_number(w, ",\"bytes\":", t->bytes);
        put_worker(w, ",\"from\":", t->from);
        put_worker(w, ",\"to\":", t->to);
        put_text(w, ",\"status\":", rask_status_name(t->status));
        put_end(w, "}}");
    }
}

static void put_events(writer *w)
{
    const rask_run_info *runs = w->trace->runs.data;
    const rask_move_info *moves = w->trace->moves.data;
    const rask_transfer_info *transfers = w->trace->transfers.data;
    const rk_trace_flow *flows = w->trace->flows.data;
    size_t count = w->trace->runs.count;
    char name[64];
    snprintf(name, sizeof name, "rask, %s", count ? runs[0].scheduler : "no run");
    name_track(w, "process_name", RUNS_TRACK, name);
    name_track(w, "thread_name", RUNS_TRACK, "runs");
    for (size_t i = 0; i < count; i++)
        put_run(w, &runs[i]);
    rk_trace_each(w->trace, put_task, w);
    put_memory_of_tasks(w);
    for (size_t i = 0; i < w->trace->moves.count; i++)
        put_move(w, &moves[i], i);
    for (size_t i = 0; i < w->trace->transfers.count; i++)
        put_transfer(w, &transfers[i], i);
    for (size_t i = 0; i < w->trace->flows.count; i++)
        put_flow(w, &flows[i], i);
}

/* What is not events: counts. */
static void put_other_data(writer *w)
{
    const rask_trace *trace = w->trace;
    rask_trace_counts counts = rask_trace_get_counts(trace);
    put_number(w, "\n],\"otherData\":{\"version\":1,\"runs\":", counts.runs);
    put_number(w, ",\"tasks\":", counts.tasks);
    put_number(w, ",\"dropped\":", counts.dropped);
    put_number(w, ",\"skipped\":", counts.skipped);
    put_number(w, ",\"moves\":", counts.moves);
    put_number(w, ",\"left_out\":", counts.left_out);
    put_number(w, ",\"transfers\":", trace->transfers.count);
    put_number(w, ",\"arrows\":", trace->flows.count);
    put_number(w, ",\"arrows_dropped\":", trace->flows_dropped);
    put_number(w, ",\"origin_ns\":\"", w->origin_ns); /* a string: doubles do not hold it */
    put_end(w, "\"}}\n");
}

static void put_trace(FILE *out, const rask_trace *trace)
{
    const rask_run_info *runs = trace->runs.data;
    writer w = {.pen.out = out, .trace = trace, .worker = UINT32_MAX};
    w.origin_ns = trace->runs.count ? runs[0].start_ns : 0;
    rk_pen_text(&w.pen, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    put_events(&w);
    put_other_data(&w);
    rk_pen_flush(&w.pen);
}

int rask_trace_write(const rask_trace *trace, const char *path, char *error, size_t capacity)
{
    rk_new_file file;
    char unread[1];
    if (!error || !capacity) {
        error = unread;
        capacity = sizeof unread;
    }
    if (!trace || !path) {
        snprintf(error, capacity, "trace: no %s", trace ? "path" : "trace");
        return RASK_EINVAL;
    }
    int status = rk_new_file_open(&file, path, error, capacity);
    if (status)
        return status;
    put_trace(file.stream, trace);
    return rk_new_file_close(&file, true, error, capacity);
}
