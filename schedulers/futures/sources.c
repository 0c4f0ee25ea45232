/* What threads outside have submitted. */
#include "schedulers/futures/sources.h"

#include "core/base/alloc.h"

static _Thread_local char own_address; /* which thread this is */
static _Thread_local struct {
    uint64_t serial;
    rk_source *source; /* while there is one of that serial */
} own;

void rk_sources_init(rk_sources *all)
{
    static rk_atomic_u64 serial;
    *all = (rk_sources){.serial = rk_add_relaxed(&serial, 1) + 1};
    pthread_mutex_init(&all->lock, NULL);
}

void rk_sources_fini(rk_sources *all)
{
    for (rk_source *source = all->first, *next; source; source = next) {
        next = source->next;
        rk_free(source);
    }
    pthread_mutex_destroy(&all->lock);
}

/* -- Pushing */

/* False: it is not the calling thread's. */
static bool push_into(rk_sources *all, rk_source *source, const rk_queue *futures, uint32_t count)
{
    rk_spin_lock(&source->lock);
    bool ours = source->owner == &own_address;
    if (ours) {
        rk_add_seq_cst(&all->count, count);
        rk_queue_append(&source->pushed, futures);
    }
    rk_spin_unlock(&source->lock);
    return ours;
}

/* Under the lock: it is the calling thread's from here on, if it is already or nobody needs it. */
static bool claim(rk_source *source)
{
    rk_spin_lock(&source->lock);
    bool ours = source->owner == &own_address || (!source->pushed.first && !source->ready.first);
    if (ours)
        source->owner = &own_address;
    rk_spin_unlock(&source->lock);
    return ours;
}

/* Under the lock. */
static rk_source *add(rk_sources *all)
{
    rk_source *source = rk_calloc(1, sizeof *source);
    if (!source)
        return NULL;
    source->owner = &own_address;
    source->next = all->first;
    all->first = source;
    return source;
}

static bool owns(rk_source *source)
{
    rk_spin_lock(&source->lock);
    bool ours = source->owner == &own_address;
    rk_spin_unlock(&source->lock);
    return ours;
}

/* The calling thread's, or one that it may have: what it pushed stays in its order. NULL: no memory. */
static rk_source *find(rk_sources *all)
{
    pthread_mutex_lock(&all->lock);
    rk_source *source = all->first;
    while (source && !owns(source))
        source = source->next;
    for (rk_source *s = all->first; s && !source; s = s->next)
        source = claim(s) ? s : NULL;
    if (!source)
        source = add(all);
    pthread_mutex_unlock(&all->lock);
    return source;
}

bool rk_sources_push(rk_sources *all, const rk_queue *futures, uint32_t count)
{
    while (own.serial != all->serial || !push_into(all, own.source, futures, count)) {
        rk_source *source = find(all);
        if (!source)
            return false;
        own.serial = all->serial;
        own.source = source;
    }
    return true;
}

/* -- Taking, under the lock */

static bool has_some(rk_source *source)
{
    if (source->ready.first)
        return true;
    rk_spin_lock(&source->lock);
    source->ready = source->pushed;
    source->pushed = (rk_queue){NULL, NULL};
    rk_spin_unlock(&source->lock);
    return source->ready.first;
}

/* The one whose turn it is; NULL: none has anything. */
static rk_source *next_source(rk_sources *all)
{
    rk_source *source = all->turn && all->turn->next ? all->turn->next : all->first, *start = source;
    while (source && !has_some(source)) {
        source = source->next ? source->next : all->first;
        if (source == start)
            return NULL;
    }
    all->turn = source;
    return source;
}

void rk_sources_take(rk_sources *all, uint32_t most, rk_queue *out, rk_atomic_u32 *others)
{
    uint32_t taken = 0;
    rask_future *future;
    pthread_mutex_lock(&all->lock);
    rk_source *source = next_source(all);
    while (source && taken < most && (future = rk_queue_pop_first(&source->ready))) {
        rk_queue_push_last(out, future);
        taken++;
    }
    rk_add_seq_cst(others, taken ? taken - 1 : 0);
    rk_sub_seq_cst(&all->count, taken);
    pthread_mutex_unlock(&all->lock);
}
