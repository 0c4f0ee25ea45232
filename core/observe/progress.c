/* A line on stderr that tells how far a run is: an observer that counts, and a thread that prints. */
#include "core/base/alloc.h"
#include "core/base/atomic.h"

#include <rask/observe.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { INTERVAL_MS = 200, PATIENCE_MS = 1000 };

struct rask_progress {
    rask_observer observer;
    char title[64];
    unsigned long waited_ms; /* by the thread alone */
    bool at_once, shown;
    rk_atomic_u32 tasks, finished; /* written by workers, read by the thread; nothing hangs on their order */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* under lock */
};

static void on_plan(void *context, const rask_run_info *run)
{
    rask_progress *p = context;
    rk_store_relaxed(&p->tasks, run->tasks);
    rk_store_relaxed(&p->finished, 0);
}

static void on_finished(void *context, const rask_task_info *task)
{
    rask_progress *p = context;
    (void)task;
    rk_add_relaxed(&p->finished, 1);
}

static void show(rask_progress *p)
{
    uint32_t tasks = rk_load_relaxed(&p->tasks);
    uint32_t finished = rk_load_relaxed(&p->finished);
    if (tasks == 0 || (!p->at_once && p->waited_ms < PATIENCE_MS))
        return;
    fprintf(stderr, "\r%s: %u of %u tasks, %u %%, %lu s\033[K", p->title, finished, tasks,
            (uint32_t)((uint64_t)finished * 100 / tasks), p->waited_ms / 1000);
    p->shown = true;
}

static struct timespec soon(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += INTERVAL_MS * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}

static void *tell(void *context)
{
    rask_progress *p = context;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        struct timespec until = soon();
        show(p);
        while (!p->stop && pthread_cond_timedwait(&p->wake, &p->lock, &until) == 0)
            continue;
        p->waited_ms += INTERVAL_MS;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void init_wake(pthread_cond_t *wake)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
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
    p->observer = (rask_observer){
        .size = sizeof(rask_observer), .context = p, .plan_made = on_plan, .task_finished = on_finished};
    pthread_mutex_init(&p->lock, NULL);
    init_wake(&p->wake);
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
