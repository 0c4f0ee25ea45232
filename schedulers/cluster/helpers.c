/* Who counts a seat as free that is not any more has begun too early, and stops after one call. Who is barred says so before it looks once
 * more at how many are busy, and a seat that is free says that before it looks for who is barred: nobody is forgotten. */
#include "schedulers/cluster/helpers.h"

#include <pthread.h>

typedef struct helper {
    rk_helpers *all;
    uint32_t number; /* of them */
    pthread_t thread;
} helper;

struct rk_helpers {
    rk_executor *executor;
    rk_seat_count *seats;
    uint32_t count, first_number, started;
    pthread_mutex_t lock;
    pthread_cond_t free;
    rk_atomic_u32 active; /* written under the lock */
    bool ending;
    helper of[];
};

static bool is_crowded(void *context)
{
    rk_helpers *h = context;
    return rk_load_relaxed(&h->seats->busy) + rk_load_relaxed(&h->active) > h->count;
}

/* False: it is to end. */
static bool enter(rk_helpers *h)
{
    pthread_mutex_lock(&h->lock);
    rk_add_seq_cst(&h->seats->barred, 1);
    while (!h->ending && rk_load_seq_cst(&h->seats->busy) + rk_load_relaxed(&h->active) >= h->count)
        pthread_cond_wait(&h->free, &h->lock);
    rk_sub_seq_cst(&h->seats->barred, 1);
    bool enters = !h->ending;
    if (enters)
        rk_add_relaxed(&h->active, 1);
    pthread_mutex_unlock(&h->lock);
    return enters;
}

static void leave(rk_helpers *h)
{
    pthread_mutex_lock(&h->lock);
    rk_sub_relaxed(&h->active, 1);
    pthread_cond_signal(&h->free);
    pthread_mutex_unlock(&h->lock);
}

void rk_helpers_let_in(rk_seat_count *seats)
{
    rk_helpers *h = rk_load_acquire(&seats->helpers);
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    pthread_cond_signal(&h->free);
    pthread_mutex_unlock(&h->lock);
}

static void *work(void *context)
{
    const helper *self = context;
    rk_helpers *h = self->all;
    rk_executor *e = h->executor;
    const rk_awaited crowded = {.holds = is_crowded, .what = h};
    rk_place place = {e, self->number % e->bench_count, h->first_number + self->number, false};
    rk_executor_sit(place);
    while (!rk_load_acquire(&e->closed) && enter(h)) {
        while (!is_crowded(h) && rk_executor_run_on(e, place.worker, &crowded)) {
        }
        leave(h);
        if (!rk_executor_has_work(e))
            rk_executor_sleep(e);
    }
    return NULL;
}

rk_helpers *rk_helpers_new(rk_executor *executor, uint32_t count, uint32_t first_number, rk_seat_count *seats)
{
    rk_helpers *h = rk_calloc(1, sizeof *h + count * sizeof *h->of);
    if (!h)
        return NULL;
    h->executor = executor;
    h->seats = seats;
    h->count = count;
    h->first_number = first_number;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->free, NULL);
    rk_store_release(&seats->helpers, h);
    for (; h->started < count; h->started++) {
        helper *one = &h->of[h->started];
        *one = (helper){.all = h, .number = h->started};
        if (pthread_create(&one->thread, NULL, work, one))
            break;
    }
    if (h->started)
        return h;
    rk_helpers_free(h);
    return NULL;
}

uint32_t rk_helpers_active(const rk_helpers *h)
{
    return h ? rk_load_acquire(&h->active) : 0;
}

void rk_helpers_free(rk_helpers *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->ending = true;
    pthread_cond_broadcast(&h->free);
    pthread_mutex_unlock(&h->lock);
    for (uint32_t i = 0; i < h->started; i++)
        pthread_join(h->of[i].thread, NULL);
    rk_store_release(&h->seats->helpers, NULL);
    pthread_cond_destroy(&h->free);
    pthread_mutex_destroy(&h->lock);
    rk_free(h);
}
