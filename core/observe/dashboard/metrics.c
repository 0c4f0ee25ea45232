/* The figures in Prometheus' text format, version 0.0.4. */
#include "core/json/json.h"
#include "core/observe/dashboard/tell.h"

#include <inttypes.h>
#include <string.h>

/* In quotes. Bytes that are no UTF-8, and what is no character of text, become question marks. */
static void put_label(FILE *out, const char *text)
{
    const char *end = text + strlen(text);
    fputc('"', out);
    while (text < end) {
        size_t step = rk_utf8_length(text, end);
        unsigned char c = (unsigned char)*text;
        if (c == '\n')
            fputs("\\n", out);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (!step || c < ' ' || c == 0x7f)
            fputc('?', out);
        else
            (void)fwrite(text, 1, step, out);
        text += step ? step : 1;
    }
    fputc('"', out);
}

static void put_kind(FILE *out, const char *name, const char *kind, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void put_one(FILE *out, const char *name, const char *kind, const char *help, uint64_t value)
{
    put_kind(out, name, kind, help);
    fprintf(out, "%s %" PRIu64 "\n", name, value);
}

/* Whatever the locale has for a point. */
static void put_seconds(FILE *out, uint64_t ns)
{
    fprintf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

static void put_tasks(FILE *out, const rk_live *live)
{
    uint64_t known = live->tasks + live->grown;
    put_one(out, "rask_runs_total", "counter", "Runs begun.", live->runs);
    put_one(out, "rask_tasks_known", "gauge", "Tasks of the plans of all runs, and those that tasks grew.",
            known > live->done ? known : live->done);
    put_one(out, "rask_tasks_done_total", "counter", "Tasks that were called and returned.", live->done);
    put_one(out, "rask_tasks_failed_total", "counter", "Of these, tasks that failed for good.", live->failed);
    put_one(out, "rask_tasks_skipped_total", "counter", "Tasks that were never called.",
            rk_load_relaxed(&live->skipped));
    put_one(out, "rask_task_retries_total", "counter", "Calls repeated after a failure.", live->retries);
    put_one(out, "rask_tasks_running", "gauge", "Tasks that run now.", live->running);
    put_one(out, "rask_result_bytes_total", "counter", "Bytes of results.", live->bytes);
}

static void put_names(FILE *out, const rk_live *live)
{
    put_kind(out, "rask_task_done_total", "counter", "Tasks that returned, by name.");
    for (uint32_t i = 0; i < live->name_count; i++) {
        fputs("rask_task_done_total{name=", out);
        put_label(out, live->names[i].text);
        fprintf(out, "} %" PRIu64 "\n", live->names[i].done);
    }
    put_kind(out, "rask_task_failed_total", "counter", "Tasks that failed, by name.");
    for (uint32_t i = 0; i < live->name_count; i++) {
        fputs("rask_task_failed_total{name=", out);
        put_label(out, live->names[i].text);
        fprintf(out, "} %" PRIu64 "\n", live->names[i].failed);
    }
    put_kind(out, "rask_task_seconds_total", "counter", "Time in tasks, by name.");
    for (uint32_t i = 0; i < live->name_count; i++) {
        fputs("rask_task_seconds_total{name=", out);
        put_label(out, live->names[i].text);
        fputs("} ", out);
        put_seconds(out, live->names[i].total_ns);
    }
}

static void put_workers(FILE *out, const rk_live *live)
{
    put_kind(out, "rask_worker_busy_seconds_total", "counter", "Time in tasks that are over, by worker.");
    for (uint32_t i = 0; i < RK_LIVE_TRACKS; i++) {
        const rk_live_track *track = rk_load_acquire(&live->tracks[i]);
        if (!track)
            continue;
        fprintf(out, "rask_worker_busy_seconds_total{worker=\"%" PRIu32 "\"} ", i);
        put_seconds(out, rk_load_relaxed(&track->busy_ns));
    }
    put_one(out, "rask_workers_joined_total", "counter", "Worker processes that came.", live->joined);
    put_one(out, "rask_workers_lost_total", "counter", "Worker processes that were lost.", live->lost);
}

void rk_tell_metrics(FILE *out, const rk_live *live)
{
    put_tasks(out, live);
    put_names(out, live);
    put_workers(out, live);
    put_one(out, "rask_memory_budget_bytes", "gauge", "The budget for results and tasks.", live->budget);
    put_one(out, "rask_memory_live_bytes", "gauge", "Of the budget, what is taken.",
            rk_load_relaxed(&live->live_bytes));
    put_one(out, "rask_memory_spilled_bytes", "gauge", "Of results, what is on disk only.",
            rk_load_relaxed(&live->spilled_bytes));
    put_one(out, "rask_resident_bytes", "gauge", "Memory of this process.", live->rss);
    put_one(out, "rask_running", "gauge", "1 while a run goes on.", rk_load_relaxed(&live->current) != 0);
}
