/* The serial scheduler: the waiting thread executes everything.
 *
 * Without a seed, units run in plan order, which is a legal order. With one, the next unit is drawn from
 * those that are ready: any legal order may come out, the same for the same seed. Ready units are kept in an
 * array of their own; drawing swaps the chosen one with the last. */
#include "schedulers/scheduler.h"

#include <xxhash.h>

typedef struct serial {
    uint32_t *ready; /* with a seed; else NULL */
    uint32_t count;
    uint64_t draws;
} serial;

static int start(rk_run *run, void **handle)
{
    serial *s = rk_calloc(1, sizeof *s);
    if (s && run->options.seed &&
        !(s->ready = rk_alloc_array((size_t)run->plan->units + 1, sizeof *s->ready))) {
        rk_free(s);
        s = NULL;
    }
    *handle = s;
    return s ? RASK_OK : RASK_ENOMEM;
}

static void add_ready(serial *s, uint32_t unit)
{
    if (s->ready)
        s->ready[s->count++] = unit;
}

static void execute(rk_run *run, serial *s, rk_worker *worker, uint32_t unit)
{
    const rask_plan *plan = run->plan;
    rk_run_unit(worker, unit);
    if (!s->ready && !run->observed)
        return; /* plan order needs no counters */
    for (uint32_t e = plan->succ_start[unit]; e < plan->succ_start[unit + 1]; e++) {
        uint32_t next = rk_run_release(run, plan->succ[e]);
        if (next == RK_NO_UNIT || rk_run_is_end(run, next))
            continue;
        if (run->observed)
            rk_run_ready(run, worker, next);
        add_ready(s, next);
    }
}

static void run_drawn(rk_run *run, serial *s, rk_worker *worker)
{
    while (s->count) {
        uint64_t words[2] = {run->options.seed, s->draws++};
        uint32_t at = (uint32_t)(XXH3_64bits(words, sizeof words) % s->count);
        uint32_t unit = s->ready[at];
        s->ready[at] = s->ready[--s->count];
        execute(run, s, worker, unit);
    }
}

static void wait(rk_run *run, void *handle)
{
    serial *s = handle;
    rk_worker worker;
    rk_worker_init(&worker, run, 0);
    rk_run_roots_ready(run);
    for (uint32_t i = 0; i < run->plan->root_count && s->ready; i++)
        add_ready(s, run->plan->roots[i]);
    if (s->ready)
        run_drawn(run, s, &worker);
    else
        for (uint32_t unit = 0; unit < run->plan->units; unit++)
            execute(run, s, &worker, unit);
    rk_worker_fini(&worker);
    rk_free(s->ready);
    rk_free(s);
}

const rk_scheduler rk_serial = {.name = "serial", .start = start, .wait = wait};
