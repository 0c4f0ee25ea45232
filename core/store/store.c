/* Counting, and a store's birth and end.
 *
 * used is what is counted plus what is reserved, in one atomic: it is charged by an addition that is taken back when
 * it went over the budget, so that it never says more than the budget but for a moment nobody acts upon. Only
 * the result of a call that was larger than what was reserved for it is counted without asking, while it is
 * being taken out of memory again. */
#include "core/base/cond.h"
#include "core/store/available.h"
#include "core/store/state.h"

#include <string.h>

/* Before the budget is known. */
enum { FIRST_LINE = 16 << 20, LEAST_THRESHOLD = 1 << 10, MOST_THRESHOLD = 64 << 10, PARTS = 65536 };

static uint64_t threshold_of(uint64_t budget)
{
    uint64_t part = budget / PARTS;
    return part < LEAST_THRESHOLD ? LEAST_THRESHOLD : part > MOST_THRESHOLD ? MOST_THRESHOLD : part;
}

static void set_budget(rk_store *store, uint64_t budget)
{
    store->budget = budget;
    rk_store_relaxed(&store->line, budget ? budget : FIRST_LINE);
    rk_store_relaxed(&store->threshold, budget ? threshold_of(budget) : MOST_THRESHOLD);
}

void rk_store_know_budget(rk_store *store)
{
    if (store->budget)
        return;
    uint64_t budget = rask_default_memory();
    set_budget(store, budget > FIRST_LINE ? budget : FIRST_LINE);
}

/* Slack: a block or two that go from task to task. Small results do not come from mapped blocks, but use up the budget
 * as well. */
enum { SLACK = 8 << 20, WORTH_TELLING = 1 << 20 };

void rk_store_bound_alloc(rk_store *store)
{
    uint64_t held = rk_load_relaxed(&store->used) - store->reserved,
             unmapped = held > store->mapped ? held - store->mapped : 0,
             room = unmapped < store->budget ? store->budget - unmapped : 0,
             most = store->mapped_before + SLACK + room, bounded = store->bounded;
    if (most > bounded ? most - bounded < WORTH_TELLING : bounded - most < WORTH_TELLING)
        return;
    store->bounded = most;
    rk_alloc_bound_set(&store->bound, most);
}

rk_store *rk_store_new(uint64_t budget, const char *scratch, const rk_store_run *run)
{
    rk_store *store = rk_calloc(1, sizeof *store);
    if (!store)
        return NULL;
    rk_init(&store->refs, 1);
    store->folder = scratch;
    store->mapped_before = rk_alloc_mapped();
    store->entries = (rk_array)RK_ARRAY(rk_entry *, RK_MAX_NODES);
    store->free_indices = (rk_array)RK_ARRAY(uint32_t, RK_MAX_NODES);
    if (run)
        store->run = *run;
    set_budget(store, budget);
    pthread_mutex_init(&store->lock, NULL);
    rk_cond_init(&store->changed);
    pthread_cond_init(&store->work, NULL);
    rk_scratch_init(&store->scratch, scratch ? scratch : "/tmp");
    return store;
}

static void unref(rk_store *store)
{
    if (rk_sub_acq_rel(&store->refs, 1) == 1)
        rk_free(store);
}

/* Runs end with every result let go of; what a scheduler left behind that could not start goes here. */
static void end_entries(rk_store *store)
{
    rk_entry **entries = store->entries.data;
    for (size_t i = 0; i < store->entries.count; i++)
        if (entries[i])
            rk_entry_unlink(store, entries[i]);
    for (size_t i = 0; i < store->entries.count; i++) {
        rk_entry *entry = entries[i];
        rask_value object = rask_value_none();
        if (entry)
            rk_entry_free(store, entry, &object);
        rask_value_unref(&object);
    }
}

void rk_store_finish(rk_store *store)
{
    rk_helper_end(store);
}

void rk_store_end(rk_store *store)
{
    if (!store)
        return;
    rk_store_finish(store);
    rk_alloc_bound_end(&store->bound);
    end_entries(store);
    rk_scratch_fini(&store->scratch);
    rk_array_fini(&store->entries);
    rk_array_fini(&store->free_indices);
    pthread_mutex_destroy(&store->lock);
    pthread_cond_destroy(&store->changed);
    pthread_cond_destroy(&store->work);
    unref(store);
}

/* Takes the object over when no store counts it yet. */
static bool claim(rk_store *store, rask_object *object, uint64_t *bytes)
{
    rk_store *nobody = NULL;
    if (rk_load_relaxed(&object->store) || !rk_cas_acq_rel(&object->store, &nobody, store))
        return false;
    rk_add_relaxed(&store->refs, 1);
    *bytes += object->own;
    return true;
}

/* Counts lists that a walk hands out, until it no longer needs their next_dead: nobody else may take them
 * yet. */
static rk_store leaving = {.refs = 1};

/* Gives the object back to nobody; a list in two steps. */
static bool release(rk_store *store, rask_object *object, uint64_t *bytes)
{
    rk_store *mine = store;
    if (!rk_cas_acq_rel(&object->store, &mine, object->type == RASK_LIST ? &leaving : NULL))
        return false;
    rk_store_forget(store, object->own);
    *bytes += object->own;
    return true;
}

typedef bool visitor(rk_store *, rask_object *, uint64_t *bytes);

/* Visits object and, where visit says so, what it holds; the bytes of what was visited. Nested lists are walked by
 * turning to the items of the most deeply nested list first, with the way back kept in next_dead: the objects are
 * alive, so it is free. Only lists that visit() has just taken are descended into, and they belong to store or to
 * leaving as long as the field is in use, which makes this walk its only user. */
static uint64_t walk(rk_store *store, rask_object *object, visitor *visit)
{
    uint64_t bytes = 0;
    if (!visit(store, object, &bytes) || object->type != RASK_LIST)
        return bytes;
    rask_object *pending = object;
    object->next_dead = NULL;
    while (pending) {
        rk_list *list = (rk_list *)pending;
        pending = pending->next_dead;
        if (rk_load_relaxed(&list->head.store) == &leaving)
            rk_store_release(&list->head.store, NULL);
        for (size_t i = 0; i < list->count; i++) {
            if (!rk_value_is_object(&list->items[i]))
                continue;
            rask_object *item = list->items[i].as.object;
            if (!visit(store, item, &bytes) || item->type != RASK_LIST)
                continue;
            item->next_dead = pending;
            pending = item;
        }
    }
    return bytes;
}

uint64_t rk_store_claim(rk_store *store, const rask_value *value)
{
    return rk_value_is_object(value) ? walk(store, value->as.object, claim) : 0;
}

bool rk_store_charge(rk_store *store, uint64_t bytes)
{
    uint64_t used = rk_add_relaxed(&store->used, bytes) + bytes;
    if (used <= rk_load_relaxed(&store->line)) {
        rk_raise_relaxed(&store->peak, used);
        return true;
    }
    rk_sub_relaxed(&store->used, bytes);
    return false;
}

int rk_store_add(rk_store *store, const rask_value *result)
{
    uint64_t used, bytes = rk_store_claim(store, result);
    used = rk_add_relaxed(&store->used, bytes) + bytes;
    rk_raise_relaxed(&store->peak, used);
    return store->budget && used > store->budget ? RASK_EBUDGET : RASK_OK;
}

void rk_store_hand_out(rk_store *store, const rask_value *value)
{
    if (rk_value_is_object(value))
        walk(store, value->as.object, release);
}

/* What no run counts is counted here, where nobody asks. */
static rk_store outside = {.refs = 1};

void rk_store_exempt(const rask_value *value)
{
    if (rk_value_is_object(value))
        rk_add_relaxed(&outside.used, walk(&outside, value->as.object, claim));
}

void rk_store_forget(rk_store *store, size_t bytes)
{
    rk_sub_relaxed(&store->used, bytes);
    unref(store);
}

uint64_t rk_store_threshold(const rk_store *store)
{
    return rk_load_relaxed(&store->threshold);
}

bool rk_store_has_managed(const rk_store *store)
{
    return rk_load_relaxed(&store->managed);
}

uint64_t rk_store_live(const rk_store *store)
{
    return rk_load_relaxed(&store->used) - store->reserved;
}

/* What was just charged for and will be refused is no part of it. */
uint64_t rk_store_used(const rk_store *store)
{
    uint64_t used = rk_load_relaxed(&store->used), peak = rk_load_relaxed(&store->peak);
    return used < peak ? used : peak;
}

uint64_t rk_store_on_disk(const rk_store *store)
{
    return rk_load_relaxed(&store->on_disk_bytes);
}

uint64_t rk_store_peak(const rk_store *store)
{
    return rk_load_relaxed(&store->peak);
}

uint64_t rk_store_budget(const rk_store *store)
{
    return store->budget;
}

rk_store_figures rk_store_get_figures(rk_store *store)
{
    pthread_mutex_lock(&store->lock);
    rk_store_figures figures = {.budget = store->budget,
                                .live = rk_store_live(store),
                                .peak = rk_store_peak(store),
                                .spilled = store->spilled,
                                .read_back = store->read_back,
                                .dropped = store->dropped,
                                .remade = store->remade};
    pthread_mutex_unlock(&store->lock);
    return figures;
}
