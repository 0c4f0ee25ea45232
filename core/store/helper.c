/* The store's own thread: writes results out before somebody has to wait for it, and reads back what is needed next
 * while there is room. It is started when room was first short, and everything works without it. */
#include "core/store/state.h"

enum { STACK_BYTES = 8 << 20, LOOKS = 256, HASTE = 16 };

/* A little room is kept free, and what is brought back leaves some more: so that one does not undo the other. */
static uint64_t high(const rk_store *store)
{
    return store->budget / 8 * 7;
}

static uint64_t low(const rk_store *store)
{
    return store->budget / 4 * 3;
}

/* The door was short of room not long ago, and nobody inside is about to free some. */
static bool may_spill_ahead(const rk_store *store)
{
    return !store->error && !store->promised && store->traffic - store->pressed < HASTE &&
           rk_load_relaxed(&store->used) > high(store);
}

static bool spill_ahead(rk_store *store)
{
    rk_entry *entry = may_spill_ahead(store) ? rk_entry_coldest(store) : NULL;
    if (!entry || entry->source || !rk_entry_next_use(store, entry))
        return false;
    rk_entry_evict(store, entry);
    return true;
}

static bool may_read_ahead(const rk_store *store)
{
    return store->run.next_use && !store->waiting && store->on_disk &&
           rk_load_relaxed(&store->used) < low(store);
}

static bool read_ahead(rk_store *store)
{
    char message[sizeof store->message];
    rk_entry *entry = may_read_ahead(store) ? rk_entry_nearest(store) : NULL;
    if (!entry || rk_load_relaxed(&store->used) + entry->bytes > low(store) ||
        !rk_store_charge(store, entry->bytes))
        return false;
    rk_entry_move(store, entry, RK_ON_DISK, RK_LOADING);
    entry->mover = NULL;
    store->moving++;
    int status = rk_entry_bring_back(store, entry, NULL, message, sizeof message);
    store->moving--;
    return !status;
}

static void *helper_body(void *argument)
{
    rk_store *store = argument;
    pthread_mutex_lock(&store->lock);
    while (!store->ending) {
        if (spill_ahead(store) || read_ahead(store))
            continue;
        /* A look costs a walk over the entries: not again before some tasks have come and gone. */
        store->rest = store->traffic + (store->resident_count + store->on_disk) / LOOKS;
        store->idle = true;
        pthread_cond_wait(&store->work, &store->lock);
        store->idle = false;
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

void rk_helper_notice(rk_store *store)
{
    if (store->idle && store->traffic >= store->rest && (may_read_ahead(store) || may_spill_ahead(store)))
        pthread_cond_signal(&store->work);
}

void rk_helper_wake(rk_store *store)
{
    if (store->helping || store->refused) {
        rk_helper_notice(store);
        return;
    }
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    store->helping = !pthread_create(&store->helper, &attributes, helper_body, store);
    store->refused = !store->helping;
    pthread_attr_destroy(&attributes);
}

void rk_helper_end(rk_store *store)
{
    if (!store->helping)
        return;
    pthread_mutex_lock(&store->lock);
    store->ending = true;
    pthread_cond_signal(&store->work);
    pthread_mutex_unlock(&store->lock);
    pthread_join(store->helper, NULL);
    store->helping = false;
}
