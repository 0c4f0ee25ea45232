/* A trace as JSON: the Trace Event Format of Chrome, which Perfetto and others read. Times are microseconds since the
 * first run began. */
#include "core/observe/trace.h"
#include "core/base/file.h"
#include "core/observe/write.h"

#include <inttypes.h>
#include <string.h>

enum {
    RUNS_TRACK = 0, /* "tid"s; worker 0 has */
    FIRST_WORKER = 1,
    LEAST_WAIT = 10000 / RK_TRACE_STEP_NS, /* shorter ones are the lock's, and no slices of their own */
};

typedef struct writer {
    FILE *out;
    const rask_trace *trace;
    uint64_t origin_ns;
    uint32_t worker, workers; /* the one whose track is written; all but lanes */
    bool begun;
} writer;

static uint64_t since(const writer *w, uint64_t ns)
{
    return ns > w->origin_ns ? ns - w->origin_ns : 0;
}

/* "{", the members that all events have, and no end. */
static void begin(writer *w, const char *phase, uint64_t track, uint64_t ns)
{
    fprintf(w->out, "%s\n{\"ph\":\"%s\",\"pid\":1,\"tid\":%" PRIu64 ",\"ts\":", w->begun ? "," : "", phase,
            track);
    w->begun = true;
    rk_put_us(w->out, since(w, ns));
}

static void put_name(writer *w, const char *category, const char *name)
{
    fprintf(w->out, ",\"cat\":\"%s\",\"name\":", category);
    rk_put_string(w->out, name);
}

static void put_duration(writer *w, uint64_t ns)
{
    fputs(",\"dur\":", w->out);
    rk_put_us(w->out, ns);
}

/* What viewers call a track. */
static void name_track(writer *w, const char *what, uint64_t track, const char *text)
{
    begin(w, "M", track, w->origin_ns);
    fprintf(w->out, ",\"name\":\"%s\",\"args\":{\"name\":", what);
    rk_put_string(w->out, text);
    fputs("}}", w->out);
}

static void put_memory(writer *w, uint64_t ns, uint64_t live, uint64_t on_disk)
{
    begin(w, "C", 0, ns);
    put_name(w, "memory", "memory");
    fprintf(w->out, ",\"args\":{\"live\":%" PRIu64 ",\"spilled\":%" PRIu64 "}}", live, on_disk);
}

static void put_wait(writer *w, uint32_t worker, const rk_trace_task *t)
{
    uint64_t ns = (uint64_t)t->waited * RK_TRACE_STEP_NS;
    begin(w, "X", (uint64_t)worker + FIRST_WORKER, t->start_ns - ns);
    put_name(w, "wait", "waiting for memory");
    put_duration(w, ns);
    fprintf(w->out, ",\"args\":{\"task\":%" PRIu32 "}}", t->task);
}

static void put_arguments(writer *w, const rk_trace_task *t)
{
    fputs(",\"args\":{\"label\":", w->out);
    rk_put_string(w->out, t->label);
    if (t->task != RASK_NO_TASK)
        fprintf(w->out, ",\"task\":%" PRIu32, t->task);
    fprintf(w->out, ",\"node\":%" PRIu32 ",\"status\":\"%s\",\"attempt\":%u", t->node,
            rask_status_name((int)t->status), (unsigned)t->attempt);
    fprintf(w->out,
            ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"waited_for_worker_us\":", t->bytes_in,
            t->bytes_out);
    rk_put_us(w->out, (uint64_t)t->queued * RK_TRACE_STEP_NS);
    fputs(",\"waited_for_memory_us\":", w->out);
    rk_put_us(w->out, (uint64_t)t->waited * RK_TRACE_STEP_NS);
    fputs("}}", w->out);
}

static void name_worker(writer *w, uint32_t worker)
{
    char name[40];
    bool lane = worker >= w->workers;
    snprintf(name, sizeof name, "%s %" PRIu32, lane ? "I/O lane" : "worker",
             lane ? worker - w->workers : worker);
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
    put_name(w, t->status ? "failed" : "task", t->name);
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
    begin(w, "X", RUNS_TRACK, run->start_ns);
    fprintf(w->out, ",\"cat\":\"run\",\"name\":\"run %" PRIu64 "\"", run->run);
    put_duration(w, run->end_ns - run->start_ns);
    fprintf(w->out,
            ",\"args\":{\"scheduler\":\"%s\",\"workers\":%" PRIu32 ",\"tasks\":%" PRIu32
            ",\"status\":\"%s\",\"peak_bytes\":%" PRIu64 ",\"memory\":%" PRIu64 "}}",
            run->scheduler, run->workers, run->tasks, rask_status_name(run->status), run->peak_bytes,
            run->memory);
}

/* Moves overlap each other, which slices of one track may not: pairs of events that an id holds together. */
static void put_move(writer *w, const rask_move_info *move, size_t id)
{
    static const char *const names[] = {"to disk", "from disk", "made again"};
    for (int end = 0; end < 2; end++) {
        begin(w, end ? "e" : "b", RUNS_TRACK, end ? move->end_ns : move->start_ns);
        put_name(w, "move", names[move->move]);
        fprintf(w->out,
                ",\"id\":%zu,\"args\":{\"task\":%" PRIu32 ",\"bytes\":%" PRIu64 ",\"status\":\"%s\"}}", id,
                move->task, move->bytes, rask_status_name(move->status));
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
        fprintf(w->out, ",\"id\":%zu%s,\"args\":{\"task\":%" PRIu32 ",\"bytes\":%" PRIu64 "}}", id,
                end ? ",\"bp\":\"e\"" : "", flow->task, flow->bytes);
    }
}

static void put_worker(writer *w, const char *name, uint32_t worker)
{
    if (worker == RASK_NO_WORKER)
        fprintf(w->out, ",\"%s\":null", name);
    else
        fprintf(w->out, ",\"%s\":%" PRIu32, name, worker);
}

static void put_transfer(writer *w, const rask_transfer_info *t, size_t id)
{
    for (int end = 0; end < 2; end++) {
        begin(w, end ? "e" : "b", RUNS_TRACK, end ? t->end_ns : t->start_ns);
        put_name(w, "transfer", "sent");
        fprintf(w->out, ",\"id\":%zu,\"args\":{\"task\":%" PRIu32 ",\"bytes\":%" PRIu64, id, t->task,
                t->bytes);
        put_worker(w, "from", t->from);
        put_worker(w, "to", t->to);
        fprintf(w->out, ",\"status\":\"%s\"}}", rask_status_name(t->status));
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

static void put_trace(FILE *out, const rask_trace *trace)
{
    const rask_run_info *runs = trace->runs.data;
    rask_trace_counts counts = rask_trace_get_counts(trace);
    writer w = {.out = out, .trace = trace, .worker = UINT32_MAX};
    for (size_t i = 0; i < trace->runs.count; i++)
        w.workers = runs[i].workers > w.workers ? runs[i].workers : w.workers;
    w.origin_ns = trace->runs.count ? runs[0].start_ns : 0;
    fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[", out);
    put_events(&w);
    fprintf(out,
            "\n],\"otherData\":{\"version\":1,\"runs\":%" PRIu64 ",\"tasks\":%" PRIu64 ",\"dropped\":%" PRIu64
            ",\"skipped\":%" PRIu64 ",\"moves\":%" PRIu64 ",\"left_out\":%" PRIu64
            ",\"transfers\":%zu,\"arrows\":%zu,\"arrows_dropped\":%" PRIu64 ",\"origin_ns\":\"%" PRIu64
            "\"}}\n",
            counts.runs, counts.tasks, counts.dropped, counts.skipped, counts.moves, counts.left_out,
            trace->transfers.count, trace->flows.count, trace->flows_dropped, w.origin_ns);
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
