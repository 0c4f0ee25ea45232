/* Futures that wait for their next call. */
#include "schedulers/futures/resting.h"

#include <assert.h>

enum { MANY = 1024 };

void rk_resting_init(rk_resting *resting)
{
    pthread_mutex_init(&resting->lock, NULL);
    resting->futures = (rk_ranking)RK_RANKING;
    resting->many = MANY;
    rk_init(&resting->next_ns, 0);
}

void rk_resting_fini(rk_resting *resting)
{
    assert(!rk_ranking_first(&resting->futures).future);
    rk_ranking_fini(&resting->futures);
    pthread_mutex_destroy(&resting->lock);
}

/* Under the lock. */
static void note_next(rk_resting *resting)
{
    rk_ranked first = rk_ranking_first(&resting->futures);
    rk_store_seq_cst(&resting->next_ns, first.future ? (uint64_t)first.key : 0);
}

/* Under the lock: what was cancelled may be due in hours only. How many are in *ended, the caller's to let go of. */
static size_t take_ended(rk_resting *resting, rask_future ***ended)
{
    size_t count = resting->futures.items.count;
    *ended = count >= resting->many ? rk_alloc_array(count, sizeof **ended) : NULL;
    if (!*ended)
        return 0;
    size_t taken = rk_ranking_take_done(&resting->futures, *ended);
    resting->many = 2 * (count - taken) > MANY ? 2 * (count - taken) : MANY;
    return taken;
}

bool rk_resting_add(rk_resting *resting, rask_future *future, uint64_t due_ns, bool *first)
{
    rask_future **ended;
    int64_t key = due_ns < INT64_MAX ? (int64_t)due_ns : INT64_MAX;
    pthread_mutex_lock(&resting->lock);
    bool added = rk_ranking_push(&resting->futures, key, future);
    *first = added && rk_ranking_first(&resting->futures).future == future;
    if (added) {
        assert(rk_load_relaxed(&future->state) == RK_FUTURE_RUNNING);
        rk_store_seq_cst(&future->state, RK_FUTURE_READY);
    }
    size_t count = take_ended(resting, &ended);
    note_next(resting);
    pthread_mutex_unlock(&resting->lock);
    for (size_t i = 0; i < count; i++)
        rask_future_unref(ended[i]);
    rk_free(ended);
    return added;
}

rask_future *rk_resting_pop(rk_resting *resting, uint64_t now_ns)
{
    pthread_mutex_lock(&resting->lock);
    rk_ranked first = rk_ranking_first(&resting->futures);
    bool due = first.future && (uint64_t)first.key <= now_ns;
    if (due) {
        rk_ranking_pop(&resting->futures);
        note_next(resting);
    }
    pthread_mutex_unlock(&resting->lock);
    return due ? first.future : NULL;
}

/* One that has ended, and would be the next; NULL: there is none. */
static rask_future *pop_ended(rk_resting *resting)
{
    pthread_mutex_lock(&resting->lock);
    rask_future *first = rk_ranking_first(&resting->futures).future;
    bool ended = first && rk_future_is_done(first);
    if (ended) {
        rk_ranking_pop(&resting->futures);
        note_next(resting);
    }
    pthread_mutex_unlock(&resting->lock);
    return ended ? first : NULL;
}

bool rk_resting_any(rk_resting *resting)
{
    rask_future *ended;
    while (rk_load_seq_cst(&resting->next_ns) && (ended = pop_ended(resting)))
        rask_future_unref(ended);
    return rk_load_seq_cst(&resting->next_ns);
}
