/*
 * OpenMP tasks with depend clauses, created by one thread of the team while the others run them.
 *
 * OpenMP has no graph to keep: creating the tasks is running them, so there is no build and no second run.
 * Written as its users would, to its advantage:
 * - a depend(out) only where a later task's depend(in) asks for it;
 * - no depend(in) of a thousand or a million addresses for a join: the creator takes part in the work with a
 *   taskwait before it instead, since every task made so far is one the join has to wait for;
 * - the usual counts of predecessors have clauses of their own, which costs less than an iterator.
 */
#include <omp.h>
#include <stdlib.h>

#include "peer.h"

enum { DEPENDS_MAX = 8 };

typedef struct engine {
    const bench_shape *shape;
    uint64_t *values;
    unsigned char *awaited; /* by task: some task names it in a depend(in) */
    uint32_t threads;
} engine;

static void run_task(const engine *e, uint32_t task)
{
    e->values[task] = bench_shape_value(e->shape, e->values, task);
}

/* A task that no depend clause waits for. */
static void create_sink(const engine *e, uint32_t task)
{
    const uint32_t *pred = e->shape->pred + e->shape->pred_start[task];
    uint64_t *v = e->values;
    uint32_t count = bench_shape_pred_count(e->shape, task);
    (void)pred; /* named in clauses only, which not every compiler counts as a use */
    (void)v;
    if (count == 0) {
#pragma omp task firstprivate(e, task)
        run_task(e, task);
    } else if (count == 1) {
#pragma omp task firstprivate(e, task) depend(in : v[pred[0]])
        run_task(e, task);
    } else {
#pragma omp task firstprivate(e, task) depend(iterator(uint32_t k = 0 : count), in : v[pred[k]])
        run_task(e, task);
    }
}

static void create_awaited(const engine *e, uint32_t task)
{
    const uint32_t *pred = e->shape->pred + e->shape->pred_start[task];
    uint64_t *v = e->values;
    uint32_t count = bench_shape_pred_count(e->shape, task);
    (void)pred;
    (void)v;
    switch (count) {
    case 0:
#pragma omp task firstprivate(e, task) depend(out : v[task])
        run_task(e, task);
        break;
    case 1:
#pragma omp task firstprivate(e, task) depend(in : v[pred[0]]) depend(out : v[task])
        run_task(e, task);
        break;
    case 2:
#pragma omp task firstprivate(e, task) depend(in : v[pred[0]], v[pred[1]]) depend(out : v[task])
        run_task(e, task);
        break;
    case 3:
#pragma omp task firstprivate(e, task) depend(in : v[pred[0]], v[pred[1]], v[pred[2]]) depend(out : v[task])
        run_task(e, task);
        break;
    default:
#pragma omp task firstprivate(e, task) depend(iterator(uint32_t k = 0                                        \
                                                       : count),                                             \
                                              in                                                             \
                                              : v[pred[k]]) depend(out                                       \
                                                                   : v[task])
        run_task(e, task);
        break;
    }
}

static void create_join(const engine *e, uint32_t task)
{
    uint64_t *v = e->values;
    (void)v;
#pragma omp taskwait
#pragma omp task firstprivate(e, task) depend(out : v[task])
    run_task(e, task);
}

static void create_all(const engine *e)
{
    for (uint32_t task = 0; task < e->shape->n; task++) {
        if (bench_shape_pred_count(e->shape, task) > DEPENDS_MAX)
            create_join(e, task);
        else if (e->awaited[task])
            create_awaited(e, task);
        else
            create_sink(e, task);
    }
}

static void mark_awaited(engine *e)
{
    const bench_shape *shape = e->shape;
    for (uint32_t task = 0; task < shape->n; task++) {
        if (bench_shape_pred_count(shape, task) > DEPENDS_MAX)
            continue;
        for (uint32_t i = shape->pred_start[task]; i < shape->pred_start[task + 1]; i++)
            e->awaited[shape->pred[i]] = 1;
    }
}

static void *engine_open(const bench_shape *shape, uint32_t threads)
{
    engine *e = bench_peer_zeroed(1, sizeof *e);
    *e = (engine){.shape = shape, .threads = threads, .awaited = bench_peer_zeroed(shape->n, 1)};
    mark_awaited(e);
#pragma omp parallel num_threads(threads)
    (void)e; /* starts the team, which the runtime then keeps */
    return e;
}

static void engine_close(void *self)
{
    engine *e = self;
    free(e->awaited);
    free(e);
}

static void engine_run(void *self)
{
    engine *e = self;
    e->values = bench_peer_zeroed(e->shape->n, sizeof *e->values);
#pragma omp parallel num_threads(e->threads)
#pragma omp single
    create_all(e);
}

static void engine_free(void *self)
{
    engine *e = self;
    free(e->values);
    e->values = NULL;
}

static uint64_t *engine_values(void *self)
{
    return ((engine *)self)->values;
}

int main(int argc, char **argv)
{
    static const bench_engine openmp = {
        .name = "openmp",
        .open = engine_open,
        .run = engine_run,
        .free = engine_free,
        .close = engine_close,
        .values = engine_values,
    };
    return bench_peer_main(&openmp, argc, argv);
}
