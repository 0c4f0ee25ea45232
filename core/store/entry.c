/* Entries of managed results: lists, states, and which is taken out or brought back next.
 *
 * Choosing walks a list once for up to RK_PICKED entries, so that a choice costs little however many there
 * are; what has become wrong with a choice by the time its turn comes is looked at again then. */
#include "core/store/state.h"

#include <stdlib.h>

rk_entry *rk_entry_at(rk_store *store, const rask_value *place)
{
    assert(place->reserved && place->reserved <= store->entries.count);
    return ((rk_entry **)store->entries.data)[place->reserved - 1];
}

static bool is_resident(rk_entry_state state)
{
    return state == RK_IN_MEMORY || state == RK_SPILLING;
}

static void link_entry(rk_store *store, rk_entry *entry)
{
    bool resident = is_resident(entry->state);
    rk_entry **list = resident ? &store->resident : &store->away;
    entry->next = *list;
    entry->previous = NULL;
    if (*list)
        (*list)->previous = entry;
    *list = entry;
    store->resident_count += resident;
    store->mapped += resident && entry->bytes >= RK_ALLOC_LARGE ? entry->bytes : 0;
    store->on_disk += entry->state == RK_ON_DISK;
    if (entry->state == RK_ON_DISK)
        rk_add_relaxed(&store->on_disk_bytes, entry->bytes);
}

static void unlink_entry(rk_store *store, rk_entry *entry)
{
    bool resident = is_resident(entry->state);
    rk_entry **list = resident ? &store->resident : &store->away;
    *(entry->previous ? &entry->previous->next : list) = entry->next;
    if (entry->next)
        entry->next->previous = entry->previous;
    store->resident_count -= resident;
    store->mapped -= resident && entry->bytes >= RK_ALLOC_LARGE ? entry->bytes : 0;
    store->scattered += resident && entry->bytes < RK_ALLOC_LARGE ? entry->bytes : 0;
    store->on_disk -= entry->state == RK_ON_DISK;
    if (entry->state == RK_ON_DISK)
        rk_sub_relaxed(&store->on_disk_bytes, entry->bytes);
}

void rk_entry_move(rk_store *store, rk_entry *entry, rk_entry_state from, rk_entry_state to)
{
    static const uint8_t allowed[] = {
        [RK_IN_MEMORY] = 1 << RK_SPILLING | 1 << RK_ON_DISK | 1 << RK_DROPPED,
        [RK_SPILLING] = 1 << RK_IN_MEMORY | 1 << RK_ON_DISK,
        [RK_ON_DISK] = 1 << RK_LOADING,
        [RK_DROPPED] = 1 << RK_LOADING,
        [RK_LOADING] = 1 << RK_IN_MEMORY | 1 << RK_ON_DISK | 1 << RK_DROPPED,
    };
    assert(entry->state == from && allowed[from] & 1 << to);
    (void)allowed;
    unlink_entry(store, entry);
    entry->state = to;
    if (to == RK_LOADING)
        entry->origin = from;
    link_entry(store, entry);
}

void rk_entry_resize(rk_store *store, rk_entry *entry, uint64_t bytes)
{
    unlink_entry(store, entry);
    entry->bytes = bytes;
    link_entry(store, entry);
}

void rk_entry_give_up(rk_store *store, rk_entry *entry)
{
    rk_entry_move(store, entry, RK_LOADING, entry->origin);
    rk_sub_relaxed(&store->used, entry->bytes);
}

/* A free index, with room in the tables so that giving it back cannot fail. */
static int take_index(rk_store *store, uint32_t *index)
{
    rk_array *freed = &store->free_indices;
    if (freed->count) {
        *index = ((uint32_t *)freed->data)[--freed->count];
        return RASK_OK;
    }
    size_t all = store->entries.count;
    int status = rk_array_reserve(freed, all + 1);
    if (status || !rk_array_push(&store->entries))
        return RASK_ENOMEM;
    *index = (uint32_t)all;
    return RASK_OK;
}

static uint32_t next_use(rk_store *store, uint32_t task, uint32_t *edge)
{
    return store->run.next_use ? store->run.next_use(store->run.context, task, store->position, edge)
                               : UINT32_MAX;
}

/* Who takes a list takes its items. */
uint32_t rk_entry_next_use(rk_store *store, rk_entry *entry)
{
    bool displaced = entry->place == &entry->own;
    uint32_t own = displaced ? UINT32_MAX : next_use(store, entry->task, &entry->edge),
             listed = entry->listed ? next_use(store, entry->lister, &entry->list_edge) : UINT32_MAX;
    return own < listed ? own : listed;
}

/* Later is colder, or what was used before, where nobody knows what comes; what can be had again without the file goes before
 * what cannot. */
static uint64_t coldness(rk_store *store, rk_entry *entry)
{
    uint32_t age = store->run.next_use ? rk_entry_next_use(store, entry) : UINT32_MAX - entry->seen;
    return ((uint64_t)entry->source << 32) | age;
}

/* A new entry that is colder than all that were chosen is the next one. */
static void choose_new(rk_store *store, rk_entry *entry)
{
    rk_picks *picks = &store->coldest;
    if (!picks->count)
        return;
    uint64_t key = coldness(store, entry);
    if (key < picks->picked[picks->count - 1].key)
        return;
    if (picks->count == RK_PICKED) {
        picks->count = 0;
        return;
    }
    picks->picked[picks->count].index = entry->index;
    picks->picked[picks->count++].key = key;
}

rk_entry *rk_entry_new(rk_store *store, uint32_t task, rask_value *place, const rask_value *result,
                       uint64_t bytes)
{
    uint32_t index;
    rk_entry *entry = rk_calloc(1, sizeof *entry);
    if (!entry || take_index(store, &index)) {
        rk_free(entry);
        return NULL;
    }
    *place = *result;
    place->reserved = index + 1;
    entry->place = place;
    entry->bytes = bytes;
    entry->index = index;
    entry->task = task;
    entry->seen = ++store->look;
    entry->state = RK_IN_MEMORY;
    ((rk_entry **)store->entries.data)[index] = entry;
    link_entry(store, entry);
    rk_store_relaxed(&store->managed, true);
    choose_new(store, entry);
    return entry;
}

void rk_entry_free(rk_store *store, rk_entry *entry, rask_value *object)
{
    *object = rask_value_none();
    rk_entry_unlink(store, entry);
    if (is_resident(entry->state))
        *object = *entry->place;
    object->reserved = 0;
    unlink_entry(store, entry);
    ((rk_entry **)store->entries.data)[entry->index] = NULL;
    *(uint32_t *)rk_array_push(&store->free_indices) = entry->index;
    rk_image_fini(&entry->image, &store->scratch);
    rk_free(entry);
}

/* What the program has taken is its own. What a list holds may be others' as well. */
static bool is_given_away(const rk_entry *entry)
{
    return entry->handed && entry->place->type != RASK_LIST;
}

static bool is_alone(rk_entry *entry)
{
    return entry->alone = rk_image_is_alone(entry->place, entry->parts, entry->link_count, &entry->look);
}

bool rk_entry_may_leave(rk_entry *entry)
{
    return is_given_away(entry) || is_alone(entry);
}

/* Taking it out of memory is possible, and would bring something if nobody else holds what is in it. */
static bool may_leave(rk_store *store, rk_entry *entry)
{
    if (entry->state != RK_IN_MEMORY || entry->pins ||
        (!is_given_away(entry) && rk_load_acquire(&entry->place->as.object->refs) > 1))
        return false;
    return entry->source || rk_image_exists(&entry->image) || (rk_image_fits(entry->place) && !store->error);
}

/* It does bring something. A large list may have to be walked for that. */
static bool is_victim(rk_store *store, rk_entry *entry)
{
    return may_leave(store, entry) && (entry->alone || rk_entry_may_leave(entry));
}

static bool is_wanted(rk_store *store, rk_entry *entry)
{
    (void)store;
    return entry->state == RK_ON_DISK && !entry->link_count;
}

/* Puts a choice among the others, of which the largest key is last, when it is larger than the smallest of most. */
static void pick(rk_picks *picks, uint32_t most, uint32_t index, uint64_t key)
{
    uint32_t at = picks->count;
    if (at == most) {
        if (key <= picks->picked[0].key)
            return;
        for (at = 1; at < most && picks->picked[at].key < key; at++)
            picks->picked[at - 1] = picks->picked[at];
        at--;
    } else {
        for (picks->count++; at && picks->picked[at - 1].key > key; at--)
            picks->picked[at] = picks->picked[at - 1];
    }
    picks->picked[at].index = index;
    picks->picked[at].key = key;
}

typedef bool suitable(rk_store *, rk_entry *);

/* The last choice that is still suitable. */
static rk_entry *take_pick(rk_store *store, rk_picks *picks, suitable *fits)
{
    while (picks->count) {
        uint32_t index = picks->picked[--picks->count].index;
        rk_entry *entry = ((rk_entry **)store->entries.data)[index];
        if (entry && fits(store, entry))
            return entry;
    }
    return NULL;
}

/* Few of few: a choice made long ago is a bad one. */
static uint32_t most_picks(uint32_t entries)
{
    uint32_t part = entries / 8 + 1;
    return part < RK_PICKED ? part : RK_PICKED;
}

static void choose_coldest(rk_store *store, suitable *fits)
{
    uint32_t most = most_picks(store->resident_count);
    for (rk_entry *entry = store->resident; entry; entry = entry->next)
        if (fits(store, entry))
            pick(&store->coldest, most, entry->index, coldness(store, entry));
}

/* Lists are walked when their turn comes, and all of them only when those that were chosen cannot go. */
rk_entry *rk_entry_coldest(rk_store *store)
{
    suitable *const tests[] = {may_leave, is_victim};
    rk_entry *entry = take_pick(store, &store->coldest, is_victim);
    for (size_t i = 0; i < sizeof tests / sizeof *tests && !entry; i++) {
        choose_coldest(store, tests[i]);
        entry = take_pick(store, &store->coldest, is_victim);
    }
    return entry;
}

rk_entry *rk_entry_nearest(rk_store *store)
{
    rk_entry *entry = take_pick(store, &store->nearest, is_wanted);
    if (entry)
        return entry;
    uint32_t most = most_picks(store->on_disk);
    for (entry = store->away; entry; entry = entry->next)
        if (is_wanted(store, entry))
            pick(&store->nearest, most, entry->index, UINT32_MAX - rk_entry_next_use(store, entry));
    return take_pick(store, &store->nearest, is_wanted);
}

bool rk_entry_coldest_use(rk_store *store, uint32_t *next_use)
{
    rk_entry *entry = rk_entry_coldest(store);
    store->coldest.count += entry != NULL;
    *next_use = entry ? rk_entry_next_use(store, entry) : 0;
    return entry;
}

bool rk_entry_nearest_use(rk_store *store, uint32_t *next_use)
{
    rk_entry *entry = store->on_disk ? rk_entry_nearest(store) : NULL;
    store->nearest.count += entry != NULL;
    *next_use = entry ? rk_entry_next_use(store, entry) : 0;
    return entry;
}
