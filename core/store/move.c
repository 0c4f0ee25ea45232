/* Taking results out of memory and bringing them back. */
#include "core/base/clock.h"
#include "core/store/state.h"

#include <stdio.h>
#include <string.h>

enum { SCATTERED = 8 << 20 };

/* Takes the object out of its place: to be unreferenced without the lock. Who has it outside keeps it. */
static rask_value detach(rk_store *store, rk_entry *entry)
{
    rask_value object = *entry->place;
    object.reserved = 0;
    rk_image_look look = {0};
    entry->place->as.object = NULL;
    if (entry->handed && !rk_image_is_alone(&object, entry->parts, entry->link_count, &look))
        rk_store_hand_out(store, &object);
    entry->handed = false;
    return object;
}

/* Lets the object go, and tells who waits for room; until it is gone its bytes count as being moved. Small blocks that threads left behind, each in a place of
 * its own, would add up beside the budget. */
static void let_go(rk_store *store, rask_value object)
{
    bool tidy = store->scattered > SCATTERED && rk_load_relaxed(&store->used) > store->budget / 2;
    store->scattered = tidy ? 0 : store->scattered;
    store->moving++;
    pthread_mutex_unlock(&store->lock);
    rask_value_unref(&object);
    if (tidy)
        rk_alloc_trim();
    pthread_mutex_lock(&store->lock);
    store->moving--;
    pthread_cond_broadcast(&store->changed);
}

void rk_entry_bury(rk_store *store)
{
    rask_value object;
    for (rk_entry *entry; (entry = store->dead);) {
        store->dead = entry->dead;
        if (entry->state == RK_SPILLING || entry->state == RK_LOADING) {
            entry->orphan = true;
            continue;
        }
        rk_entry_free(store, entry, &object);
        let_go(store, object);
    }
}

static void note_error(rk_store *store, int status, const char *message)
{
    if (store->error)
        return;
    store->error = status;
    snprintf(store->message, sizeof store->message, "%s", message);
}

/* The entry was written, or could not be. */
static void end_spilling(rk_store *store, rk_entry *entry)
{
    rask_value object = rask_value_none();
    store->moving--;
    if (entry->orphan) {
        rk_entry_free(store, entry, &object);
    } else if (!rk_image_exists(&entry->image) || entry->pins || !rk_entry_may_leave(entry)) {
        rk_entry_move(store, entry, RK_SPILLING, RK_IN_MEMORY);
    } else {
        rk_entry_move(store, entry, RK_SPILLING, RK_ON_DISK);
        object = detach(store, entry);
    }
    let_go(store, object);
    rk_entry_bury(store);
}

/* When a move begins that somebody wants to know of; else 0. */
static uint64_t begin_move(const rk_store *store)
{
    return store->run.moved ? rk_clock_now() : 0;
}

/* Without the lock. */
static void tell_move(const rk_store *store, rk_store_direction direction, uint32_t task, int status,
                      uint64_t start_ns, uint64_t bytes)
{
    rk_store_move move = {direction, task, status, start_ns, 0, bytes};
    if (!store->run.moved)
        return;
    move.end_ns = rk_clock_now();
    store->run.moved(store->run.context, &move);
}

/* What it will take when it comes back is no less than what is known: the owner of adopted memory may have said less than
 * there was, and what a list holds may have been counted before the list was there. */
static void correct_bytes(rk_store *store, rk_entry *entry, const rask_value *value, uint64_t written)
{
    uint64_t bytes = value->type == RASK_LIST ? rask_value_size(value) : 0;
    for (uint32_t i = 0; i < entry->link_count; i++)
        bytes -= rask_value_size(&entry->parts[i]);
    bytes = bytes < written ? written : bytes;
    if (value->type != RASK_CUSTOM && bytes > entry->bytes)
        rk_entry_resize(store, entry, bytes);
}

static void spill(rk_store *store, rk_entry *entry)
{
    char message[sizeof store->message];
    rask_value value = *entry->place;
    uint32_t task = entry->task;
    rk_image image;
    rk_entry_move(store, entry, RK_IN_MEMORY, RK_SPILLING);
    store->moving++;
    pthread_mutex_unlock(&store->lock);
    uint64_t start_ns = begin_move(store);
    int status = rk_image_write(&image, &store->scratch, &value, entry->parts, entry->link_count, message,
                                sizeof message);
    tell_move(store, RK_STORE_OUT, task, status, start_ns, status ? 0 : rk_image_bytes(&image));
    pthread_mutex_lock(&store->lock);
    entry->image = image;
    uint64_t bytes = rk_image_bytes(&image);
    store->spilled += bytes;
    if (status)
        note_error(store, status, message);
    else
        correct_bytes(store, entry, &value, bytes);
    end_spilling(store, entry);
}

void rk_entry_evict(rk_store *store, rk_entry *entry)
{
    assert(!entry->pins);
    if (!entry->source && !rk_image_exists(&entry->image)) {
        spill(store, entry);
        return;
    }
    rk_entry_move(store, entry, RK_IN_MEMORY, rk_image_exists(&entry->image) ? RK_ON_DISK : RK_DROPPED);
    store->dropped += entry->state == RK_DROPPED;
    let_go(store, detach(store, entry));
}

/* The object of an entry that was LOADING is here: charged for with entry->bytes, which may be not quite
 * what it takes. */
static void put_back(rk_store *store, rk_entry *entry, const rask_value *value)
{
    uint64_t bytes = rk_store_claim(store, value);
    rk_add_relaxed(&store->used, bytes - entry->bytes);
    if (bytes)
        entry->bytes = bytes;
    entry->place->as.object = value->as.object;
    entry->alone = false;
    entry->look = (rk_image_look){0};
    rk_entry_move(store, entry, RK_LOADING, RK_IN_MEMORY);
}

/* A source may have changed its mind about what it returns. */
static int check_type(uint32_t type, rask_value *value, char *message, size_t capacity)
{
    if (value->type == type)
        return RASK_OK;
    snprintf(message, capacity, "a source that was called again returned %s, not %s",
             rask_type_name(value->type), rask_type_name(type));
    rask_value_unref(value);
    return RASK_ETYPE;
}

/* Without the lock. type: what is to come. */
static int fetch(rk_store *store, rk_entry *entry, uint32_t type, const rk_pass *pass, rask_value *value,
                 char *message, size_t capacity)
{
    if (entry->origin == RK_ON_DISK)
        return rk_image_read(&entry->image, &store->scratch, entry->parts, entry->link_count, value, message,
                             capacity);
    char reason[RK_MAX_MESSAGE + 1] = "";
    int status = store->run.remake(store->run.context, pass, entry->task, value, reason);
    if (status) {
        snprintf(message, capacity, "%s", reason);
        return status;
    }
    return check_type(type, value, message, capacity);
}

int rk_entry_bring_back(rk_store *store, rk_entry *entry, const rk_pass *pass, char *message, size_t capacity)
{
    rask_value value = rask_value_none();
    bool read = entry->origin == RK_ON_DISK;
    uint32_t task = entry->task, type = entry->place->type;
    uint64_t bytes = read ? rk_image_bytes(&entry->image) : entry->bytes, start_ns = begin_move(store);
    rk_entry_see_parts(entry);
    pthread_mutex_unlock(&store->lock);
    int status = fetch(store, entry, type, pass, &value, message, capacity);
    tell_move(store, read ? RK_STORE_BACK : RK_STORE_AGAIN, task, status, start_ns, bytes);
    pthread_mutex_lock(&store->lock);
    if (status) {
        rk_entry_give_up(store, entry);
    } else {
        store->read_back += read ? rk_image_bytes(&entry->image) : 0;
        store->remade += !read;
        put_back(store, entry, &value);
    }
    if (entry->orphan) {
        rk_entry_free(store, entry, &value);
        let_go(store, value);
        rk_entry_bury(store);
    }
    pthread_cond_broadcast(&store->changed);
    return status;
}
