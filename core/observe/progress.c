/* A line on stderr that tells how far a run is: an observer that counts, and a thread that prints.
 *
 * Workers count in slots of their own; the thread adds them up. Of several runs at once the first is told of. */
#include "core/base/atomic.h"
#include "core/base/clock.h"
#include "core/base/cond.h"
#include "core/base/print.h"
#include "core/plan/plan.h"

#include <rask/observe.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    INTERVAL_MS = 200,
    PATIENCE_MS = 1000,
    SLOTS = 16,
    NAMES = 8, /* told apart: those of which there are most tasks */
    NAME_SHOWN = 24,
    LINE = 400,
    USUAL_WIDTH = 80,
    LEAST_FOR_RATE_MS = 500,
};

/* Of workers whose number is the same but for multiples of SLOTS. */
typedef struct slot {
    rk_atomic_u64 done, bytes;
    rk_atomic_u32 by_name[NAMES];
    char apart[RK_CACHE_LINE];
} slot;

/* Written before the run's first task, under the lock. */
typedef struct name_count {
    const char *name; /* the plan's: for comparing */
    char text[NAME_SHOWN + 1];
    uint32_t tasks;
} name_count;

struct rask_progress {
    rask_observer observer;
    char title[64];
    unsigned long waited_ms; /* by the thread alone */
    bool at_once, shown;
    rk_atomic_u64 current; /* the run that is told of; 0: none */
    rk_atomic_u64 live_bytes, on_disk;
    slot slots[SLOTS];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* under lock, as all below */
    uint32_t tasks;
    uint64_t start_ns;
    name_count names[NAMES];
    uint32_t name_count;
};

/* -- Counting */

/* In its place among those that are told apart, the most frequent first. */
static void insert_name(rask_progress *p, const char *name, uint32_t tasks)
{
    uint32_t at = p->name_count < NAMES ? p->name_count++ : NAMES - 1;
    if (p->names[at].name && p->names[at].tasks >= tasks)
        return;
    for (; at && p->names[at - 1].tasks < tasks; at--)
        p->names[at] = p->names[at - 1];
    p->names[at] = (name_count){.name = name, .tasks = tasks};
    snprintf(p->names[at].text, sizeof p->names[at].text, "%s", name);
}

/* Without memory none is told apart. */
static void count_names(rask_progress *p, const rask_plan *plan)
{
    uint32_t *counts = plan ? rk_calloc((size_t)plan->def_count + 1, sizeof *counts) : NULL;
    memset(p->names, 0, sizeof p->names);
    p->name_count = 0;
    for (uint32_t task = 0; counts && task < plan->tasks; task++)
        counts[plan->def[task] & RK_TASK_DEF_MASK]++;
    for (uint32_t i = 0; counts && i < plan->def_count; i++)
        if (counts[i])
            insert_name(p, ((const rask_task_def *const *)plan->graph->definitions.data)[i]->name, counts[i]);
    rk_free(counts);
}

static void forget_counts(rask_progress *p)
{
    rk_store_relaxed(&p->live_bytes, 0);
    rk_store_relaxed(&p->on_disk, 0);
    for (uint32_t i = 0; i < SLOTS; i++) {
        rk_store_relaxed(&p->slots[i].done, 0);
        rk_store_relaxed(&p->slots[i].bytes, 0);
        for (uint32_t k = 0; k < NAMES; k++)
            rk_store_relaxed(&p->slots[i].by_name[k], 0);
    }
}

static void on_plan(void *context, const rask_run_info *run)
{
    rask_progress *p = context;
    uint64_t none = 0;
    if (!rk_cas_acq_rel(&p->current, &none, run->run))
        return;
    pthread_mutex_lock(&p->lock);
    forget_counts(p);
    count_names(p, run->plan);
    p->tasks = run->tasks;
    p->start_ns = run->start_ns;
    pthread_mutex_unlock(&p->lock);
}

/* Most tasks change nothing here, and then nothing is written. */
static void note(rk_atomic_u64 *place, uint64_t value)
{
    if (rk_load_relaxed(place) != value)
        rk_store_relaxed(place, value);
}

static void on_finished(void *context, const rask_task_info *task)
{
    rask_progress *p = context;
    slot *s = &p->slots[task->worker % SLOTS];
    if (rk_load_relaxed(&p->current) != task->run || task->worker == UINT32_MAX) /* it was never begun */
        return;
    rk_add_relaxed(&s->done, 1);
    if (task->bytes)
        rk_add_relaxed(&s->bytes, task->bytes);
    for (uint32_t i = 0; i < NAMES && p->names[i].name; i++)
        if (p->names[i].name == task->name)
            rk_add_relaxed(&s->by_name[i], 1);
    note(&p->live_bytes, task->live_bytes);
    note(&p->on_disk, task->spilled_bytes);
}

static void on_end(void *context, const rask_run_info *run)
{
    rask_progress *p = context;
    if (rk_load_relaxed(&p->current) == run->run)
        rk_store_release(&p->current, 0);
}

/* -- Telling */

static uint64_t done_of(const rask_progress *p)
{
    uint64_t done = 0;
    for (uint32_t i = 0; i < SLOTS; i++)
        done += rk_load_relaxed(&p->slots[i].done);
    return done;
}

static uint64_t bytes_of(const rask_progress *p)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < SLOTS; i++)
        bytes += rk_load_relaxed(&p->slots[i].bytes);
    return bytes;
}

static uint32_t done_by_name(const rask_progress *p, uint32_t name)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < SLOTS; i++)
        done += rk_load_relaxed(&p->slots[i].by_name[name]);
    return done;
}

static void add_seconds(rk_print *out, double seconds)
{
    if (seconds < 120)
        rk_print_add(out, "%.0f s", seconds);
    else if (seconds < 7200)
        rk_print_add(out, "%.0f min", seconds / 60);
    else
        rk_print_add(out, "%.1f h", seconds / 3600);
}

/* How fast, and how long it will take if all tasks are like those before. */
static void add_rate(rk_print *out, const rask_progress *p, uint64_t done)
{
    double seconds = (double)(rk_clock_now() - p->start_ns) / 1e9;
    rk_print_add(out, ", ");
    add_seconds(out, seconds);
    if (!done || seconds * 1000 < LEAST_FOR_RATE_MS)
        return;
    rk_print_add(out, (double)done < 10 * seconds ? ", %.1f/s, about " : ", %.0f/s, about ",
                 (double)done / seconds);
    add_seconds(out, seconds * (double)(p->tasks - done) / (double)done);
    rk_print_add(out, " left");
}

static void add_memory(rk_print *out, const rask_progress *p)
{
    enum { WORTH_TELLING = 1 << 20 };
    uint64_t live = rk_load_relaxed(&p->live_bytes), away = rk_load_relaxed(&p->on_disk), bytes = bytes_of(p);
    if (bytes >= WORTH_TELLING) {
        rk_print_add(out, ", ");
        rk_print_bytes(out, bytes);
        rk_print_add(out, " made");
    }
    if (live >= WORTH_TELLING || away) {
        rk_print_add(out, ", ");
        rk_print_bytes(out, live);
        rk_print_add(out, " held");
    }
    if (away) {
        rk_print_add(out, ", ");
        rk_print_bytes(out, away);
        rk_print_add(out, " on disk");
    }
}

/* Of those that are under way. */
static void add_names(rk_print *out, const rask_progress *p)
{
    const char *before = "; ";
    for (uint32_t i = 0; i < p->name_count && p->name_count > 1; i++) {
        uint32_t done = done_by_name(p, i);
        if (!done || done >= p->names[i].tasks)
            continue;
        rk_print_add(out, "%s%s %u of %u", before, p->names[i].text, done, p->names[i].tasks);
        before = ", ";
    }
}

static size_t width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : USUAL_WIDTH;
}

/* A line that is too long would be two, of which one stays. Names may be cut within a character, and have what moves the
 * cursor. */
static void make_fit(char *line)
{
    size_t len = strlen(line), most = width() - 1;
    if (len > most)
        len = most;
    while (len && ((unsigned char)line[len] & 0xc0) == 0x80)
        len--;
    line[len] = 0;
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

static void show(rask_progress *p)
{
    char line[LINE];
    rk_print out = {line, sizeof line, 0};
    if (p->tasks == 0 || (!p->at_once && p->waited_ms < PATIENCE_MS) || !rk_load_relaxed(&p->current))
        return;
    uint64_t done = done_of(p);
    done = done < p->tasks ? done : p->tasks;
    rk_print_add(&out, "%s: %llu of %u tasks, %u %%", p->title, (unsigned long long)done, p->tasks,
                 (uint32_t)(done * 100 / p->tasks));
    add_rate(&out, p, done);
    add_memory(&out, p);
    add_names(&out, p);
    make_fit(line);
    fprintf(stderr, "\r%s\033[K", line);
    p->shown = true;
}

static void *tell(void *context)
{
    rask_progress *p = context;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        struct timespec until = rk_cond_in(INTERVAL_MS * UINT64_C(1000000));
        show(p);
        while (!p->stop && rk_cond_wait_until(&p->wake, &p->lock, &until))
            continue;
        p->waited_ms += INTERVAL_MS;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static bool on_a_terminal(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

rask_progress *rask_progress_new(const char *title, bool at_once)
{
    rask_progress *p = on_a_terminal() ? rk_calloc(1, sizeof *p) : NULL;
    if (!p)
        return NULL;
    snprintf(p->title, sizeof p->title, "%s", title ? title : "rask");
    p->at_once = at_once;
    p->observer = (rask_observer){.size = sizeof(rask_observer),
                                  .context = p,
                                  .plan_made = on_plan,
                                  .task_finished = on_finished,
                                  .run_ended = on_end};
    pthread_mutex_init(&p->lock, NULL);
    rk_cond_init(&p->wake);
    if (pthread_create(&p->thread, NULL, tell, p) != 0) {
        pthread_cond_destroy(&p->wake);
        pthread_mutex_destroy(&p->lock);
        rk_free(p);
        return NULL;
    }
    return p;
}

const rask_observer *rask_progress_observer(const rask_progress *p)
{
    return p ? &p->observer : NULL;
}

void rask_progress_free(rask_progress *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    if (p->shown)
        fputs("\r\033[K", stderr);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    rk_free(p);
}
