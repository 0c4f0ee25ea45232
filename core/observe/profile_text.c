/* A profile in words and as JSON. */
#include "core/base/alloc.h"
#include "core/base/file.h"
#include "core/observe/profile.h"
#include "core/observe/write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 40, NAME_WIDTH = 28 };

static double share(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

/* "1.25 ms" */
static const char *time_text(double ns, char text[16])
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    int unit = 0;
    for (; ns >= 999.5 && unit < 3; unit++)
        ns /= 1000;
    snprintf(text, 16,
             ns < 9.995 && unit   ? "%.2f %s"
             : ns < 99.95 && unit ? "%.1f %s"
                                  : "%.0f %s",
             ns, units[unit]);
    return text;
}

static const char *bytes_text(uint64_t bytes, char text[24])
{
    rk_print out = {text, 24, 0};
    rk_print_bytes(&out, bytes);
    return text;
}

/* -- What it was bound by */

/* Of the time that tasks ran, how much no core worked for them; negative: not known. */
static double idle_in_tasks(const rk_profile_whole *w)
{
    double running = w->busy_ns + w->lane_ns;
    return w->cpu_ns < 0 || running <= 0 ? -1 : w->cpu_ns < running ? share(running - w->cpu_ns, running) : 0;
}

/* More than all of it where threads beyond the workers computed, too: those of the program, for RASK_HERE. */
static double busy_share(const rk_profile_whole *w)
{
    double busy = share(w->busy_ns, w->worker_ns);
    return busy < 100 ? busy : 100;
}

void rk_profile_say_bound(rk_print *out, const rask_profile *profile)
{
    enum { MUCH = 30, HALF = 50, NEARLY_ALL = 75 };
    const rk_profile_whole *w = &profile->whole;
    double busy = busy_share(w), memory = share(w->memory_ns, w->worker_ns), idle = idle_in_tasks(w),
           chain = share(w->critical_ns, w->wall_ns);
    double lanes = share(w->lane_ns, w->lane_ns + w->busy_ns);
    char mean[16];
    time_text(w->tasks ? (w->busy_ns + w->lane_ns) / (double)w->tasks : 0, mean);
    if (!w->tasks)
        rk_print_add(out, "nothing: no task ran");
    else if (memory >= MUCH)
        rk_print_add(out,
                     "memory: %.0f %% of worker time waits for room in the budget; more memory would help",
                     memory);
    else if (idle >= HALF && (lanes >= HALF || busy >= MUCH))
        rk_print_add(out,
                     "I/O: %.0f %% of the time of tasks waits for reads, writes, or a core that others have",
                     idle);
    else if (lanes >= HALF && busy < MUCH)
        rk_print_add(out, "I/O: %.0f %% of the time of tasks is spent in tasks that read and write", lanes);
    else if (busy >= NEARLY_ALL)
        rk_print_add(out, "computing: workers run tasks %.0f %% of the time; more cores would help", busy);
    else if (chain >= NEARLY_ALL)
        rk_print_add(out, "one chain of tasks: it takes %.0f %% of the time, with however many workers",
                     chain);
    else if (w->busy_ns / (double)w->tasks < 2000)
        rk_print_add(out, "overhead: a task takes %s; fewer and longer ones would help", mean);
    else
        rk_print_add(out, "too little that could run at once: workers find nothing to do %.0f %% of the time",
                     100 - busy - memory < 0 ? 0 : 100 - busy - memory);
}

/* -- Text */

static void add_row(rk_print *out, const rask_profile *profile, const rk_profile_name *n)
{
    const rk_profile_sums *s = &n->sums;
    char total[16], mean[16], p50[16], p99[16], queue[16], memory[16], in[24], given[24];
    rk_print_add(out, "%-*.*s %9" PRIu64 " %8s %8s %8s %8s %10s %10s %8s %8s", NAME_WIDTH, NAME_WIDTH,
                 n->name, s->count, time_text((double)s->total_ns, total),
                 time_text((double)s->total_ns / (double)s->count, mean),
                 time_text(rk_profile_quantile(s, 50), p50), time_text(rk_profile_quantile(s, 99), p99),
                 bytes_text(s->bytes_in, in), bytes_text(s->bytes_out, given),
                 time_text((double)s->queue_ns, queue), time_text((double)s->memory_ns, memory));
    if (profile->whole.critical_ns > 0)
        rk_print_add(out, " %7.1f %%", share(n->critical_ns, profile->whole.critical_ns));
    rk_print_add(out, "\n");
}

/* There each has a budget of its own. */
static bool is_cluster(const rk_profile_whole *w)
{
    return w->scheduler && !strcmp(w->scheduler, "cluster");
}

static void add_whole(rk_print *out, const rask_profile *profile)
{
    const rk_profile_whole *w = &profile->whole;
    char wall[16], chain[16], moving[16], peak[24], moved[24];
    rk_print_add(out,
                 "%" PRIu64 " tasks in %" PRIu64 " run%s, %s; %" PRIu32 " worker%s busy %.0f %% of the time",
                 w->tasks, w->runs, w->runs == 1 ? "" : "s", time_text(w->wall_ns, wall), w->workers,
                 w->workers == 1 ? "" : "s", busy_share(w));
    if (w->critical_ns > 0)
        rk_print_add(out, "; longest chain %s", time_text(w->critical_ns, chain));
    rk_print_add(out, "; at most %s held%s", bytes_text(w->peak_bytes, peak),
                 is_cluster(w) ? " by one worker" : "");
    if (w->moves)
        rk_print_add(out, "; %s to and from disk in %s", bytes_text(w->moved_bytes, moved),
                     time_text(w->moving_ns, moving));
    rk_print_add(out, "\nBound by ");
    rk_profile_say_bound(out, profile);
    rk_print_add(out, ".\n");
}

size_t rask_profile_text(const rask_profile *profile, char *text, size_t capacity)
{
    rk_print out = {text, capacity, 0};
    uint32_t *places;
    if (!profile || !profile->whole.runs)
        return 0;
    uint32_t count = rk_profile_order(profile, &places);
    rk_print_add(&out, "%-*s %9s %8s %8s %8s %8s %10s %10s %8s %8s%s\n", NAME_WIDTH, "task", "count", "total",
                 "mean", "p50", "p99", "bytes in", "out", "queued", "no room",
                 profile->whole.critical_ns > 0 ? "     chain" : "");
    for (uint32_t i = 0; i < count && i < MOST_ROWS; i++)
        add_row(&out, profile, rk_profile_at(profile, places[i]));
    if (count > MOST_ROWS)
        rk_print_add(&out, "and %u names more\n", count - MOST_ROWS);
    add_whole(&out, profile);
    rk_free(places);
    return out.len;
}

/* -- JSON */

static void put_number(FILE *out, const char *name, double value)
{
    fprintf(out, ",\"%s\":%" PRId64, name, (int64_t)value);
}

static void put_name(FILE *out, const rk_profile_name *n)
{
    const rk_profile_sums *s = &n->sums;
    fputs("{\"name\":", out);
    rk_put_string(out, n->name);
    put_number(out, "count", (double)s->count);
    put_number(out, "failed", (double)s->failed);
    put_number(out, "retries", (double)s->retries);
    put_number(out, "total_ns", (double)s->total_ns);
    put_number(out, "p50_ns", rk_profile_quantile(s, 50));
    put_number(out, "p99_ns", rk_profile_quantile(s, 99));
    put_number(out, "longest_ns", (double)s->longest_ns);
    put_number(out, "bytes_in", (double)s->bytes_in);
    put_number(out, "bytes_out", (double)s->bytes_out);
    put_number(out, "queued_ns", (double)s->queue_ns);
    put_number(out, "no_room_ns", (double)s->memory_ns);
    put_number(out, "critical_ns", n->critical_ns);
    fputs("}", out);
}

static void put_whole(FILE *out, const rask_profile *profile)
{
    const rk_profile_whole *w = &profile->whole;
    char bound[256];
    rk_print print = {bound, sizeof bound, 0};
    rk_profile_say_bound(&print, profile);
    fprintf(out, "{\"version\":1,\"scheduler\":\"%s\"", w->scheduler ? w->scheduler : "");
    put_number(out, "runs", (double)w->runs);
    put_number(out, "tasks", (double)w->tasks);
    put_number(out, "skipped", (double)w->skipped);
    put_number(out, "workers", w->workers);
    put_number(out, "wall_ns", w->wall_ns);
    put_number(out, "worker_ns", w->worker_ns);
    put_number(out, "busy_ns", w->busy_ns);
    put_number(out, "lane_ns", w->lane_ns);
    put_number(out, "queued_ns", w->queue_ns);
    put_number(out, "no_room_ns", w->memory_ns);
    put_number(out, "critical_ns", w->critical_ns);
    put_number(out, "cpu_ns", w->cpu_ns);
    put_number(out, "peak_bytes", (double)w->peak_bytes);
    put_number(out, "moves", (double)w->moves);
    put_number(out, "moved_bytes", (double)w->moved_bytes);
    put_number(out, "moving_ns", w->moving_ns);
    fputs(",\"bound_by\":", out);
    rk_put_string(out, bound);
}

void rk_profile_put(FILE *out, const rask_profile *profile)
{
    uint32_t *places, count = rk_profile_order(profile, &places);
    const rk_profile_link *links = profile->links.data;
    put_whole(out, profile);
    fputs(",\"names\":[", out);
    for (uint32_t i = 0; i < count; i++) {
        fputs(i ? "," : "", out);
        put_name(out, rk_profile_at(profile, places[i]));
    }
    fputs("],\"links\":[", out);
    for (size_t i = 0; i < profile->links.count; i++) {
        fprintf(out, "%s{\"from\":", i ? "," : "");
        rk_put_string(out, rk_profile_at(profile, links[i].from)->name);
        fputs(",\"to\":", out);
        rk_put_string(out, rk_profile_at(profile, links[i].to)->name);
        put_number(out, "count", (double)links[i].count);
        fputs("}", out);
    }
    fputs("]}", out);
    rk_free(places);
}

size_t rask_profile_json(const rask_profile *profile, char *text, size_t capacity)
{
    char *whole = NULL;
    size_t len = 0;
    FILE *out = profile && profile->whole.runs ? open_memstream(&whole, &len) : NULL;
    if (!out)
        return 0;
    rk_profile_put(out, profile);
    if (fclose(out))
        len = 0;
    if (capacity)
        snprintf(text, capacity, "%s", len ? whole : "");
    free(whole); // open_memstream's, which knows no other allocator
    return len;
}

static int refuse(int status, const char *why, char *error, size_t capacity)
{
    snprintf(error, capacity, "profile: %s", why);
    return status;
}

int rask_profile_write(const rask_profile *profile, const char *path, char *error, size_t capacity)
{
    char unread[1];
    if (!error || !capacity) {
        error = unread;
        capacity = sizeof unread;
    }
    if (!profile || !path || !profile->whole.runs)
        return refuse(RASK_EINVAL,
                      !profile ? "no profile"
                      : !path  ? "no path"
                               : "no run ended",
                      error, capacity);
    size_t len = rask_profile_json(profile, NULL, 0);
    char *text = len ? rk_alloc(len + 2) : NULL;
    int status = text && rask_profile_json(profile, text, len + 1) == len ? RASK_OK : RASK_ENOMEM;
    if (!status) {
        text[len] = '\n';
        status = rk_write_file(path, text, len + 1, error, capacity);
    } else
        refuse(status, rask_status_text(status), error, capacity);
    rk_free(text);
    return status;
}
