#include "core/store/store.h"

#include "core/base/alloc.h"

/* refs: one for the run and one for every object counted, so that an object that outlives its run can still
 * sign off. */
struct rk_store {
    rk_atomic_u64 live, peak, refs;
    uint64_t budget;
};

rk_store *rk_store_new(uint64_t budget)
{
    rk_store *store = rk_alloc(sizeof *store);
    if (!store)
        return NULL;
    rk_init(&store->live, 0);
    rk_init(&store->peak, 0);
    rk_init(&store->refs, 1);
    store->budget = budget;
    return store;
}

static void unref(rk_store *store)
{
    if (rk_sub_acq_rel(&store->refs, 1) == 1)
        rk_free(store);
}

void rk_store_end(rk_store *store)
{
    if (store)
        unref(store);
}

int rk_store_admit(rk_store *store, uint64_t expected)
{
    (void)expected;
    return store->budget && rk_load_relaxed(&store->live) > store->budget ? RASK_EBUDGET : RASK_OK;
}

/* Takes the object over when no store counts it yet. */
static bool claim(rk_store *store, rask_object *object)
{
    rk_store *nobody = NULL;
    if (rk_load_relaxed(&object->store) || !rk_cas_acq_rel(&object->store, &nobody, store))
        return false;
    rk_add_relaxed(&store->refs, 1);
    uint64_t live = rk_add_relaxed(&store->live, object->own) + object->own;
    rk_raise_relaxed(&store->peak, live);
    return true;
}

/* Counts lists that a walk hands out, until it no longer needs their next_dead: nobody else may take them
 * yet. */
static rk_store leaving = {.refs = 1};

/* Gives the object back to nobody; a list in two steps. */
static bool release(rk_store *store, rask_object *object)
{
    rk_store *mine = store;
    if (!rk_cas_acq_rel(&object->store, &mine, object->type == RASK_LIST ? &leaving : NULL))
        return false;
    rk_store_forget(store, object->own);
    return true;
}

/* Visits object and, where visit says so, what it holds. Nested lists are walked by turning to the items of
 * the most deeply nested list first, with the way back kept in next_dead: the objects are alive, so it is
 * free. Only lists that visit() has just taken are descended into, and they belong to store or to leaving as
 * long as the field is in use, which makes this walk its only user. */
static void walk(rk_store *store, rask_object *object, bool (*visit)(rk_store *, rask_object *))
{
    if (!visit(store, object) || object->type != RASK_LIST)
        return;
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
            if (!visit(store, item) || item->type != RASK_LIST)
                continue;
            item->next_dead = pending;
            pending = item;
        }
    }
}

int rk_store_add(rk_store *store, const rask_value *result)
{
    if (!rk_value_is_object(result))
        return RASK_OK;
    walk(store, result->as.object, claim);
    return store->budget && rk_load_relaxed(&store->live) > store->budget ? RASK_EBUDGET : RASK_OK;
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
        walk(&outside, value->as.object, claim);
}

void rk_store_forget(rk_store *store, size_t bytes)
{
    rk_sub_relaxed(&store->live, bytes);
    unref(store);
}

uint64_t rk_store_live(const rk_store *store)
{
    return rk_load_relaxed(&store->live);
}

uint64_t rk_store_peak(const rk_store *store)
{
    return rk_load_relaxed(&store->peak);
}

uint64_t rk_store_budget(const rk_store *store)
{
    return store->budget;
}
