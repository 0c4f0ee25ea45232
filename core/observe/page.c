/* A page for a browser: what stands in page/page.html, with the data where it says so. */
#include "core/base/file.h"
#include "core/observe/profile.h"
#include "core/observe/told.h"
#include "core/observe/trace.h"
#include "core/observe/write.h"
#include "core/page_html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_DRAWN = 50000,   /* tasks; the longest ones */
    MOST_SAMPLES = 20000, /* of memory */
    MOST_NAMES = 4096,
    BITS = 64,
};

typedef struct writer {
    FILE *out;
    const rask_trace *trace;
    uint64_t origin_ns, least_ns, hidden, drawn;
    uint64_t by_bits[BITS + 1]; /* tasks by the bits of their durations */
    const char **names;         /* MOST_NAMES: as they come; texts of the trace */
    uint32_t name_count;
    rk_trace_memory *samples;
    size_t sample_count, every;
} writer;

static uint64_t since(const writer *w, uint64_t ns)
{
    return ns > w->origin_ns ? ns - w->origin_ns : 0;
}

/* -- Which tasks are drawn */

static uint32_t bits_of(uint64_t ns)
{
    return ns ? BITS - (uint32_t)__builtin_clzll(ns) : 0;
}

static void count_bits(void *context, uint32_t worker, const rk_trace_task *t)
{
    (void)worker;
    ((writer *)context)->by_bits[bits_of(t->duration_ns)]++;
}

/* All, or those from some power of two on. */
static void choose_least(writer *w)
{
    uint64_t drawn = 0;
    rk_trace_each(w->trace, count_bits, w);
    uint32_t bits = BITS + 1;
    while (bits && drawn + w->by_bits[bits - 1] <= MOST_DRAWN)
        drawn += w->by_bits[--bits];
    bits = bits < BITS ? bits : BITS;
    w->least_ns = bits ? (uint64_t)1 << (bits - 1) : 0;
}

/* -- Tasks */

/* Few names, each of which has one text in the trace but for the runs it is in. */
static uint32_t name_of(writer *w, const char *name)
{
    for (uint32_t i = w->name_count; i-- > 0;)
        if (w->names[i] == name || !strcmp(w->names[i], name))
            return i;
    if (w->name_count == MOST_NAMES)
        return MOST_NAMES - 1;
    w->names[w->name_count] = name;
    return w->name_count++;
}

static void put_task(void *context, uint32_t worker, const rk_trace_task *t)
{
    writer *w = context;
    if (t->duration_ns < w->least_ns) {
        w->hidden++;
        return;
    }
    fprintf(w->out, "%s[%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",",
            w->drawn++ ? "," : "", worker, name_of(w, t->name), since(w, t->start_ns),
            (uint64_t)t->duration_ns, t->bytes_in, t->bytes_out);
    rk_put_string(w->out, t->status ? rask_status_text((int)t->status) : "");
    putc(',', w->out);
    rk_put_string(w->out, t->label);
    fprintf(w->out, ",%d]", rk_has_failed((int)t->status));
}

/* Workers that are lanes, by number. */
static void put_lanes(writer *w)
{
    uint32_t count = 0;
    fputs("],\"lanes\":[", w->out);
    for (uint32_t i = 0; i < RK_TRACE_TRACKS; i++)
        if (w->trace->tracks[i] && w->trace->tracks[i]->lane)
            fprintf(w->out, "%s%" PRIu32, count++ ? "," : "", i);
}

/* -- Memory */

static int by_time(const void *a, const void *b)
{
    const rk_trace_memory *x = a, *y = b;
    return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static size_t count_samples(const rask_trace *trace)
{
    size_t count = trace->moves.count;
    for (uint32_t i = 0; i < RK_TRACE_TRACKS; i++)
        count += trace->tracks[i] ? trace->tracks[i]->memory.count : 0;
    return count;
}

/* Of all tracks, in the order of time. Without memory: none. */
static void gather_samples(writer *w)
{
    const rask_trace *trace = w->trace;
    const rask_move_info *moves = trace->moves.data;
    w->samples = rk_alloc_array(count_samples(trace) + 1, sizeof *w->samples);
    for (uint32_t i = 0; w->samples && i < RK_TRACE_TRACKS; i++) {
        const rk_array *memory = trace->tracks[i] ? &trace->tracks[i]->memory : NULL;
        if (memory && memory->count)
            memcpy(w->samples + w->sample_count, memory->data, memory->count * sizeof *w->samples);
        w->sample_count += memory ? memory->count : 0;
    }
    for (size_t i = 0; w->samples && i < trace->moves.count; i++)
        w->samples[w->sample_count++] =
            (rk_trace_memory){moves[i].end_ns, moves[i].live_bytes, moves[i].spilled_bytes};
    if (w->samples)
        qsort(w->samples, w->sample_count, sizeof *w->samples, by_time);
}

/* Of neighbours that share a place the largest. */
static void put_samples(writer *w)
{
    size_t every = w->sample_count / MOST_SAMPLES + 1;
    for (size_t i = 0; i < w->sample_count; i += every) {
        rk_trace_memory s = w->samples[i];
        for (size_t k = i + 1; k < i + every && k < w->sample_count; k++) {
            s.live_bytes = w->samples[k].live_bytes > s.live_bytes ? w->samples[k].live_bytes : s.live_bytes;
            s.on_disk = w->samples[k].on_disk > s.on_disk ? w->samples[k].on_disk : s.on_disk;
        }
        fprintf(w->out, "%s[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", i ? "," : "", since(w, s.ns), s.live_bytes,
                s.on_disk);
    }
}

/* -- The page */

static void put_data(writer *w, const rask_profile *profile, const char *title)
{
    const rask_run_info *runs = w->trace->runs.data;
    uint64_t end_ns = 0;
    for (size_t i = 0; i < w->trace->runs.count; i++)
        end_ns = runs[i].end_ns > end_ns ? runs[i].end_ns : end_ns;
    fputs("{\"title\":", w->out);
    rk_put_string(w->out, title);
    fprintf(w->out, ",\"end_ns\":%" PRIu64 ",\"tasks\":[", since(w, end_ns));
    rk_trace_each(w->trace, put_task, w);
    fprintf(w->out, "],\"hidden\":%" PRIu64 ",\"least_ns\":%" PRIu64 ",\"names\":[", w->hidden, w->least_ns);
    for (uint32_t i = 0; i < w->name_count; i++) {
        fputs(i ? "," : "", w->out);
        rk_put_string(w->out, w->names[i]);
    }
    put_lanes(w);
    fputs("],\"memory\":[", w->out);
    put_samples(w);
    fputs("],\"profile\":", w->out);
    rk_profile_put(w->out, profile);
    fputs("}", w->out);
}

static int write_page(writer *w, const rask_profile *profile, const char *title, const char *path,
                      char *error, size_t capacity)
{
    const rask_run_info *runs = w->trace->runs.data;
    rk_new_file file;
    int status = rk_new_file_open(&file, path, error, capacity);
    if (status)
        return status;
    w->out = file.stream;
    w->origin_ns = w->trace->runs.count ? runs[0].start_ns : 0;
    choose_least(w);
    gather_samples(w);
    (void)fwrite(page_before, 1, sizeof page_before, w->out);
    put_data(w, profile, title ? title : "rask");
    (void)fwrite(page_behind, 1, sizeof page_behind, w->out);
    return rk_new_file_close(&file, true, error, capacity);
}

int rask_page_write(const rask_trace *trace, const rask_profile *profile, const char *title, const char *path,
                    char *error, size_t capacity)
{
    char unread[1];
    writer w = {.trace = trace};
    if (!error || !capacity) {
        error = unread;
        capacity = sizeof unread;
    }
    if (!trace || !profile || !path) {
        snprintf(error, capacity, "report: no %s", !trace ? "trace" : !profile ? "profile" : "path");
        return RASK_EINVAL;
    }
    w.names = rk_alloc_array(MOST_NAMES, sizeof *w.names);
    int status = w.names ? write_page(&w, profile, title, path, error, capacity) : RASK_ENOMEM;
    if (!w.names)
        snprintf(error, capacity, "report: %s", rask_status_text(RASK_ENOMEM));
    rk_free((void *)w.names);
    rk_free(w.samples);
    return status;
}
