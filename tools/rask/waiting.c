#include "waiting.h"

#include "say.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 1 };

struct waiting {
    rask_observer observer;
    const char *command;
    char *address;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool begun, over; /* a run; and it has ended */
    uint32_t there;   /* workers of it, */
    uint64_t came;    /* and how many have been there */
};

/* -- What is told, by any thread */

static void note(waiting *w, bool *what)
{
    pthread_mutex_lock(&w->lock);
    *what = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void plan_made(void *context, const rask_run_info *run)
{
    waiting *w = context;
    (void)run;
    note(w, &w->begun);
}

static void worker_changed(void *context, const rask_worker_info *worker)
{
    waiting *w = context;
    pthread_mutex_lock(&w->lock);
    w->there += worker->lost ? -1U : 1U;
    w->came += !worker->lost;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* The worker says so, too, but to somebody else. */
static void worker_refused(void *context, const rask_worker_info *worker)
{
    const waiting *w = context;
    say_error(w->command, "somebody was not let in at %s: %s", w->address, worker->reason);
}

static void run_ended(void *context, const rask_run_info *run)
{
    waiting *w = context;
    (void)run;
    note(w, &w->over);
}

/* -- The thread */

/* Under the lock, as the next. Until there are workers, or have been none for a while, which is true. */
static bool is_alone(waiting *w)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    while (!w->there && !w->over && !pthread_cond_timedwait(&w->changed, &w->lock, &until))
        continue;
    return !w->there && !w->over;
}

static void say_alone(const waiting *w)
{
    say_error(w->command, "%swaiting for %s at %s: rask worker, or rask cluster start, brings some",
              w->came ? "all workers are gone; " : "", w->came ? "others" : "workers", w->address);
}

static void *watch(void *context)
{
    waiting *w = context;
    pthread_mutex_lock(&w->lock);
    while (!w->begun && !w->over)
        pthread_cond_wait(&w->changed, &w->lock);
    while (!w->over) {
        bool alone = is_alone(w);
        uint64_t came = w->came;
        if (alone)
            say_alone(w);
        while (!w->over && (w->there || (alone && w->came == came)))
            pthread_cond_wait(&w->changed, &w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* -- Life */

static waiting *make(const char *command, const char *address)
{
    waiting *w = calloc(1, sizeof *w);
    char *copy = w ? strdup(address) : NULL;
    if (!copy) {
        free(w);
        return NULL;
    }
    *w = (waiting){.command = command, .address = copy};
    w->observer = (rask_observer){.size = sizeof w->observer,
                                  .context = w,
                                  .plan_made = plan_made,
                                  .run_ended = run_ended,
                                  .worker_changed = worker_changed,
                                  .worker_refused = worker_refused};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    return w;
}

static void end(waiting *w)
{
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w->address);
    free(w);
}

/* Ranks are there from the beginning. */
static bool waits(const rask_options *run)
{
    return strcmp(run->scheduler, "cluster") == 0 && run->cluster && strncmp(run->cluster, "tcp:", 4) == 0;
}

waiting *waiting_new(const char *command, const rask_options *run)
{
    rask_options effective = RASK_OPTIONS_INIT;
    if (rask_options_effective(run, &effective) || !waits(&effective))
        return NULL;
    waiting *w = make(command, effective.cluster);
    if (!w || !pthread_create(&w->thread, NULL, watch, w))
        return w;
    end(w);
    return NULL;
}

const rask_observer *waiting_observer(const waiting *w)
{
    return w ? &w->observer : NULL;
}

void waiting_free(waiting *w)
{
    if (!w)
        return;
    note(w, &w->over);
    pthread_join(w->thread, NULL);
    end(w);
}
