/* What was submitted is met: a hash table of chains. */
#include "schedulers/futures/meet.h"

#include "core/base/alloc.h"

enum { FIRST_BUCKETS = 64 };

int rk_meetings_init(rk_meetings *meetings)
{
    meetings->buckets = rk_calloc(FIRST_BUCKETS, sizeof *meetings->buckets);
    meetings->mask = FIRST_BUCKETS - 1;
    meetings->count = 0;
    return meetings->buckets ? RASK_OK : RASK_ENOMEM;
}

void rk_meetings_fini(rk_meetings *meetings)
{
    rk_free(meetings->buckets);
}

/* Under the lock, which keeps it from being freed. A result that is there is met whoever wanted it; one to come must be wanted
 * by somebody. */
static bool take(rask_future *future)
{
    if (!rk_future_is_done(future))
        return rk_future_want(future) && rk_future_try_ref(future);
    rk_add_relaxed(&future->wants, 1);
    return !future->status && rk_future_try_ref(future);
}

static bool is_by_call(const rk_meeting *m)
{
    return m->future->flags & RK_FUTURE_PURE && m == rk_future_meetings(m->future);
}

static bool is_sought(const rk_meeting *m, bool (*same)(const rask_future *future, const void *what),
                      const void *what)
{
    return is_by_call(m) ? same && same(m->future, what) : !same;
}

/* Under the lock. */
static rask_future *search(rk_meetings *meetings, uint64_t key,
                           bool (*same)(const rask_future *future, const void *what), const void *what)
{
    rk_meeting *m = meetings->buckets[key & meetings->mask];
    for (; m; m = m->next)
        if (m->key == key && is_sought(m, same, what) && take(m->future))
            return m->future;
    return NULL;
}

rask_future *rk_meet(rk_meetings *meetings, uint64_t key,
                     bool (*same)(const rask_future *future, const void *what), const void *what)
{
    rk_spin_lock(&meetings->lock);
    rask_future *found = search(meetings, key, same, what);
    rk_spin_unlock(&meetings->lock);
    return found;
}

static void link_in(rk_meetings *meetings, rk_meeting *m)
{
    rk_meeting **bucket = &meetings->buckets[m->key & meetings->mask];
    m->next = *bucket;
    *bucket = m;
}

/* Under the lock: moves all to twice as many buckets; the old ones are the caller's to free. */
static rk_meeting **widen(rk_meetings *meetings, rk_meeting **wider)
{
    uint64_t old = meetings->mask + 1;
    rk_meeting **before = meetings->buckets;
    meetings->buckets = wider;
    meetings->mask = 2 * old - 1;
    for (uint64_t i = 0; i < old; i++)
        for (rk_meeting *m = before[i], *next; m; m = next) {
            next = m->next;
            link_in(meetings, m);
        }
    return before;
}

/* How many buckets there should be, to be made without the lock; 0: there are enough, or somebody makes some already. */
static uint64_t ask_for_buckets(rk_meetings *meetings)
{
    uint64_t buckets = meetings->mask + 1;
    if (meetings->count <= buckets || meetings->widening)
        return 0;
    meetings->widening = true;
    return 2 * buckets;
}

/* Without the lock. Without memory chains only get longer. */
static void add_buckets(rk_meetings *meetings, uint64_t buckets)
{
    if (!buckets)
        return;
    rk_meeting **spare = rk_calloc(buckets, sizeof(rk_meeting *));
    rk_spin_lock(&meetings->lock);
    if (spare)
        spare = widen(meetings, spare);
    meetings->widening = false;
    rk_spin_unlock(&meetings->lock);
    rk_free(spare);
}

void rk_meet_keep(rk_meetings *meetings, rask_future *future)
{
    rask_future *gone = NULL;
    rask_future **spare = rk_meet_keeps(meetings) ? NULL : rk_calloc(RK_MEETINGS_KEPT, sizeof(rask_future *));
    rk_spin_lock(&meetings->lock);
    if (!meetings->kept) {
        meetings->kept = spare;
        spare = NULL;
    }
    if (meetings->kept) {
        uint32_t next = rk_load_relaxed(&meetings->next_kept);
        rask_future **place = &meetings->kept[next % RK_MEETINGS_KEPT];
        rk_store_relaxed(&meetings->next_kept, next + 1 ? next + 1 : RK_MEETINGS_KEPT);
        gone = *place;
        *place = rask_future_ref(future);
    }
    rk_spin_unlock(&meetings->lock);
    rk_free(spare);
    rask_future_unref(gone);
}

void rk_meet_keep_none(rk_meetings *meetings)
{
    if (!rk_meet_keeps(meetings))
        return;
    rk_spin_lock(&meetings->lock);
    rask_future **kept = meetings->kept;
    uint32_t count = rk_load_relaxed(&meetings->next_kept);
    meetings->kept = NULL;
    rk_store_relaxed(&meetings->next_kept, 0);
    rk_spin_unlock(&meetings->lock);
    for (uint32_t i = 0; i < count && i < RK_MEETINGS_KEPT; i++)
        rask_future_unref(kept[i]);
    rk_free(kept);
}

/* Under the lock. As ask_for_buckets(). */
static uint64_t list(rk_meetings *meetings, rask_future *future, uint64_t key)
{
    uint8_t listed = rk_load_relaxed(&future->listed);
    rk_meeting *meeting = &rk_future_meetings(future)[listed];
    rk_store_relaxed(&future->listed, listed + 1);
    *meeting = (rk_meeting){.key = key, .future = future};
    link_in(meetings, meeting);
    meetings->count++;
    return ask_for_buckets(meetings);
}

void rk_meet_list(rk_meetings *meetings, rask_future *future, uint64_t key)
{
    rk_spin_lock(&meetings->lock);
    uint64_t buckets = list(meetings, future, key);
    rk_spin_unlock(&meetings->lock);
    add_buckets(meetings, buckets);
}

rask_future *rk_meet_or_list(rk_meetings *meetings, rask_future *future, uint64_t key,
                             bool (*same)(const rask_future *future, const void *what), const void *what)
{
    rk_spin_lock(&meetings->lock);
    rask_future *found = search(meetings, key, same, what);
    uint64_t buckets = found ? 0 : list(meetings, future, key);
    rk_spin_unlock(&meetings->lock);
    add_buckets(meetings, buckets);
    return found;
}

static void unlink_one(rk_meetings *meetings, const rk_meeting *meeting)
{
    rk_meeting **at = &meetings->buckets[meeting->key & meetings->mask];
    while (*at != meeting)
        at = &(*at)->next;
    *at = meeting->next;
    meetings->count--;
}

void rk_meet_forget(rk_meetings *meetings, const rask_future *future)
{
    rk_spin_lock(&meetings->lock);
    for (uint32_t i = 0; i < rk_load_relaxed(&future->listed); i++)
        unlink_one(meetings, &rk_future_meetings(future)[i]);
    rk_spin_unlock(&meetings->lock);
}
