#include "progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { INTERVAL_MS = 200, PATIENCE_MS = 1000 };

struct progress {
    rask_observer observer;
    const char *command;
    unsigned long waited_ms; /* by the thread alone */
    bool at_once, shown;
    _Atomic uint32_t tasks,
        finished; /* written by workers, read by the thread; nothing hangs on their order */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* under lock */
};

static void on_plan(void *context, const rask_run_info *run)
{
    progress *p = context;
    atomic_store_explicit(&p->tasks, run->tasks, memory_order_relaxed);
}

static void on_finished(void *context, const rask_task_info *task)
{
    progress *p = context;
    (void)task;
    atomic_fetch_add_explicit(&p->finished, 1, memory_order_relaxed);
}

static void show(progress *p)
{
    uint32_t tasks = atomic_load_explicit(&p->tasks, memory_order_relaxed);
    uint32_t finished = atomic_load_explicit(&p->finished, memory_order_relaxed);
    if (tasks == 0 || (!p->at_once && p->waited_ms < PATIENCE_MS))
        return;
    fprintf(stderr, "\rrask %s: %u of %u tasks, %u %%, %lu s\033[K", p->command, finished, tasks,
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
    progress *p = context;
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

progress *progress_start(const char *command, bool at_once)
{
    progress *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->command = command;
    p->at_once = at_once;
    p->observer = (rask_observer){
        .size = sizeof(rask_observer), .context = p, .plan_made = on_plan, .task_finished = on_finished};
    pthread_mutex_init(&p->lock, NULL);
    init_wake(&p->wake);
    if (pthread_create(&p->thread, NULL, tell, p) != 0) {
        pthread_cond_destroy(&p->wake);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return NULL;
    }
    return p;
}

const rask_observer *progress_observer(const progress *p)
{
    return &p->observer;
}

void progress_stop(progress *p)
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
    free(p);
}
