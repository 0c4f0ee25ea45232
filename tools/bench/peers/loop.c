/*
 * A bare loop over counters: how little a task can cost when nothing but the order is asked for.
 *
 * A sketch to measure against, not a scheduler: no errors, no cancelling, no memory budget, values in one
 * array. Each worker keeps a private stack of ready tasks. When another worker is idle, it gives the older
 * half of its stack to the shared stack, under the only lock. A worker goes idle under that lock too, so the
 * last one to find the shared stack empty knows that all work is done.
 */
#define _POSIX_C_SOURCE 200809L /* sched_yield, pthread_barrier_t */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

/* Less than this is not worth the lock. */
enum { SHARE_AT_LEAST = 16 };

/* Tasks first .. end - 1 of list; the owner takes the last, others are given the first. */
typedef struct stack {
    uint32_t *list;
    uint32_t first;
    uint32_t end;
} stack;

typedef struct engine {
    const bench_shape *shape;
    uint32_t threads;
    uint64_t *values;
    uint32_t *succ_start;
    uint32_t *succ;
    atomic_uint *missing; /* by task: predecessors not yet done */
    stack *stacks;        /* one a worker, who works on a copy of its own */
    stack shared;         /* under lock */
    atomic_uint idle;     /* written under lock, read by all */
    pthread_mutex_t lock;
} engine;

typedef struct worker {
    engine *e;
    stack *ready;
} worker;

static void stack_move(stack *from, stack *to, uint32_t count)
{
    memcpy(to->list + to->end, from->list + from->first, count * sizeof *to->list);
    to->end += count;
    from->first += count;
    if (from->first == from->end)
        from->first = from->end = 0;
}

static void share_half(engine *e, stack *ready)
{
    pthread_mutex_lock(&e->lock);
    if (e->shared.end == 0)
        stack_move(ready, &e->shared, (ready->end - ready->first) / 2);
    pthread_mutex_unlock(&e->lock);
}

/* Takes a worker's part of what is shared. */
static bool take_shared(engine *e, stack *ready)
{
    uint32_t count = e->shared.end - e->shared.first;
    if (count > 0)
        stack_move(&e->shared, ready, (count + e->threads - 1) / e->threads);
    return count > 0;
}

/* Waits for shared tasks; false: every worker waits, so there are none to come. */
static bool refill(engine *e, stack *ready)
{
    bool taken = false;
    bool waits = false;
    while (!taken) {
        pthread_mutex_lock(&e->lock);
        taken = take_shared(e, ready);
        if (taken == waits)
            atomic_fetch_add_explicit(&e->idle, taken ? -1U : 1U, memory_order_relaxed);
        waits = !taken;
        bool over = atomic_load_explicit(&e->idle, memory_order_relaxed) == e->threads;
        pthread_mutex_unlock(&e->lock);
        if (over)
            return false;
        if (waits)
            sched_yield();
    }
    return true;
}

static void run_task(engine *e, stack *ready, uint32_t task)
{
    e->values[task] = bench_shape_value(e->shape, e->values, task);
    for (uint32_t i = e->succ_start[task]; i < e->succ_start[task + 1]; i++) {
        uint32_t next = e->succ[i];
        if (atomic_fetch_sub_explicit(&e->missing[next], 1, memory_order_acq_rel) == 1)
            ready->list[ready->end++] = next;
    }
}

static void *work(void *argument)
{
    worker *w = argument;
    engine *e = w->e;
    stack ready = *w->ready; /* so that no two workers write to one cache line */
    while (refill(e, &ready)) {
        while (ready.first < ready.end) {
            run_task(e, &ready, ready.list[--ready.end]);
            if (ready.end - ready.first >= SHARE_AT_LEAST &&
                atomic_load_explicit(&e->idle, memory_order_relaxed) > 0)
                share_half(e, &ready);
        }
        ready.first = ready.end = 0;
    }
    return NULL;
}

static void make_ready(engine *e)
{
    atomic_store_explicit(&e->idle, 0, memory_order_relaxed);
    e->shared.first = e->shared.end = 0;
    for (uint32_t task = 0; task < e->shape->n; task++) {
        uint32_t count = bench_shape_pred_count(e->shape, task);
        atomic_store_explicit(&e->missing[task], count, memory_order_relaxed);
        if (count == 0)
            e->shared.list[e->shared.end++] = task;
    }
}

static void engine_run(void *self)
{
    engine *e = self;
    worker *workers = bench_peer_zeroed(e->threads, sizeof *workers);
    pthread_t *threads = bench_peer_zeroed(e->threads, sizeof *threads);
    make_ready(e);
    for (uint32_t i = 0; i < e->threads; i++) {
        workers[i] = (worker){.e = e, .ready = &e->stacks[i]};
        if (i > 0 && pthread_create(&threads[i], NULL, work, &workers[i]))
            bench_peer_die("a thread cannot be started");
    }
    work(&workers[0]);
    for (uint32_t i = 1; i < e->threads; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    free(workers);
}

static void make_successors(engine *e)
{
    const bench_shape *shape = e->shape;
    uint32_t *end = e->succ_start + 1; /* while filling: where the next successor of a task goes */
    for (uint32_t i = 0; i < shape->pred_start[shape->n]; i++)
        end[shape->pred[i] + 1]++; /* stays inside: the last task is nobody's predecessor */
    for (uint32_t task = 1; task < shape->n; task++)
        end[task] += end[task - 1];
    for (uint32_t task = 0; task < shape->n; task++) {
        for (uint32_t i = shape->pred_start[task]; i < shape->pred_start[task + 1]; i++)
            e->succ[end[shape->pred[i]]++] = task;
    }
}

static void engine_build(void *self)
{
    engine *e = self;
    size_t n = e->shape->n;
    e->values = bench_peer_zeroed(n, sizeof *e->values);
    e->succ_start = bench_peer_zeroed(n + 1, sizeof *e->succ_start);
    e->succ = bench_peer_zeroed((size_t)e->shape->pred_start[n] + 1, sizeof *e->succ);
    e->missing = bench_peer_zeroed(n, sizeof *e->missing);
    e->shared.list = bench_peer_zeroed(n, sizeof *e->shared.list);
    e->stacks = bench_peer_zeroed(e->threads, sizeof *e->stacks);
    for (uint32_t i = 0; i < e->threads; i++)
        e->stacks[i].list = bench_peer_zeroed(n, sizeof *e->stacks[i].list);
    make_successors(e);
}

static void engine_free(void *self)
{
    engine *e = self;
    for (uint32_t i = 0; i < e->threads; i++)
        free(e->stacks[i].list);
    free(e->stacks);
    free(e->shared.list);
    free(e->missing);
    free(e->succ);
    free(e->succ_start);
    free(e->values);
}

static void *engine_open(const bench_shape *shape, uint32_t threads)
{
    engine *e = bench_peer_zeroed(1, sizeof *e);
    e->shape = shape;
    e->threads = threads;
    pthread_mutex_init(&e->lock, NULL);
    return e;
}

static void engine_close(void *self)
{
    engine *e = self;
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static uint64_t *engine_values(void *self)
{
    return ((engine *)self)->values;
}

int main(int argc, char **argv)
{
    static const bench_engine loop = {
        .name = "loop",
        .open = engine_open,
        .build = engine_build,
        .run = engine_run,
        .again = engine_run,
        .free = engine_free,
        .close = engine_close,
        .values = engine_values,
    };
    return bench_peer_main(&loop, argc, argv);
}
