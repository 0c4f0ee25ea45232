/* The door: who may start, and where room comes from.
 *
 * A task is let in with everything at once: the bytes of its result and scratch, and those of its arguments
 * that have to come back into memory; the arguments that are there are pinned. Who cannot be let in holds nothing while
 * he waits, and waits only while somebody inside will leave, or some entry is being moved. When nobody is
 * inside, everything that can leave memory does, and what does not fit then never will. So whoever waits is
 * let in or refused in the end: those inside wait for nobody but the disk, and for entries that others inside
 * are bringing back, who have all they need for that.
 *
 * Room is asked for by rank: tasks in plan order, then those who run ahead. I/O lanes run ahead of who takes their
 * results: they leave a quarter of the budget alone. Other tasks run ahead when they add to what is held while
 * others are draining it, and what is on disk, or would have to go there for them, is needed before their own result.
 * Both are let in when nobody else has come or gone for a while.
 *
 * A result that is larger than what was reserved for it is there before it is counted: room is made by
 * putting others out of memory, or else itself. */
#include "core/base/cond.h"
#include "core/store/state.h"

#include <inttypes.h>
#include <stdio.h>

enum { QUIET_NS = 2000000, PATIENCE = 20, RECENT = 8, MOST_PARTS = 1000 };

/* Where an argument is that is no constant, if it is managed; else NULL. */
static const rask_value *managed_place(const rk_pass *pass, uint32_t i)
{
    const rask_value *place;
    if (pass->places)
        place = pass->places[i];
    else
        place = pass->words[i] & RK_STORE_CONSTANT ? NULL : &pass->results[pass->words[i]];
    return place && rk_store_is_managed(place) ? place : NULL;
}

rk_entry *rk_pass_argument(rk_store *store, const rk_pass *pass, uint32_t i)
{
    const rask_value *place = managed_place(pass, i);
    return place ? rk_entry_at(store, place) : NULL;
}

static bool in_memory(const rk_entry *entry)
{
    return entry->state == RK_IN_MEMORY || entry->state == RK_SPILLING || entry->state == RK_LOADING;
}

/* Adds up what the arguments hold and what of it is missing. What was dropped is made again one after the other, before
 * the task begins: they and the task use one scratch. */
static void look_at_arguments(rk_store *store, rk_pass *pass)
{
    pass->arguments = pass->missing = pass->frees = 0;
    pass->working = pass->scratch;
    rk_pass_walk walk = {0};
    for (rk_entry *entry; (entry = rk_pass_next(store, pass, &walk));) {
        if (entry->state == RK_DROPPED && entry->scratch > pass->working)
            pass->working = entry->scratch;
        pass->arguments += entry->bytes;
        pass->missing += in_memory(entry) ? 0 : entry->bytes;
        if (walk.own && pass->uses && rk_load_relaxed(&pass->uses[pass->words[walk.argument]]) == 1)
            pass->frees += entry->bytes;
    }
}

static void pin(rk_store *store, rk_pass *pass)
{
    assert(!pass->pinned);
    pass->pinned = true;
    rk_pass_walk walk = {0};
    for (rk_entry *entry; (entry = rk_pass_next(store, pass, &walk));) {
        entry->pins++;
        entry->alone = false;
    }
}

static void unpin(rk_store *store, rk_pass *pass)
{
    rk_pass_walk walk = {0};
    for (rk_entry *entry; pass->pinned && (entry = rk_pass_next(store, pass, &walk));)
        entry->pins--;
    pass->pinned = false;
}

static uint64_t need_of(const rk_pass *pass)
{
    return pass->result + pass->working + pass->missing;
}

/* a goes before b. */
static bool before(const rk_pass *a, const rk_pass *b)
{
    bool a_last = a->last && !a->quiet, b_last = b->last && !b->quiet;
    return a_last != b_last ? b_last : a->task < b->task;
}

static bool is_first(const rk_store *store, const rk_pass *pass)
{
    for (const rk_pass *other = store->waiting; other; other = other->next)
        if (other != pass && before(other, pass))
            return false;
    return true;
}

static void wait_for_change(rk_store *store, rk_pass *pass)
{
    pass->next = store->waiting;
    store->waiting = pass;
    pthread_cond_wait(&store->changed, &store->lock);
    rk_pass **at = &store->waiting;
    while (*at != pass)
        at = &(*at)->next;
    *at = pass->next;
}

/* True when nothing changed for so long. */
static bool wait_shortly(rk_store *store, rk_pass *pass)
{
    struct timespec until = rk_cond_in(QUIET_NS);
    uint64_t traffic = store->traffic;
    pass->next = store->waiting;
    store->waiting = pass;
    bool in_time = rk_cond_wait_until(&store->changed, &store->lock, &until);
    rk_pass **at = &store->waiting;
    while (*at != pass)
        at = &(*at)->next;
    *at = pass->next;
    return !in_time && traffic == store->traffic;
}

/* Somebody takes results for the last time, or did so a moment ago. */
static bool is_draining(const rk_store *store)
{
    return store->promised || (store->freed && store->traffic - store->freed < RECENT);
}

/* The task only adds to what is held, more than a quarter below the budget is used, and what is on disk, or would have
 * to go there for it, is needed before its own result is. */
static bool runs_ahead(rk_store *store, const rk_pass *pass)
{
    uint32_t edge = 0, other;
    uint64_t used = rk_load_relaxed(&store->used) + need_of(pass);
    if (pass->result <= pass->frees || pass->missing || used <= store->budget / 4 * 3 || !is_draining(store))
        return false;
    if (!store->run.next_use)
        return false; /* nobody knows what is needed when */
    uint32_t own = store->run.next_use(store->run.context, pass->task, store->position, &edge);
    if (!own)
        return false;
    if (rk_entry_nearest_use(store, &other) && other < own)
        return true;
    return used > store->budget && rk_entry_coldest_use(store, &other) && other <= own;
}

/* Whoever steps back tells those who waited behind. */
static void rank(rk_store *store, rk_pass *pass, bool last)
{
    if (last && !pass->last && store->waiting)
        pthread_cond_broadcast(&store->changed);
    pass->last = last;
}

static bool runs_ahead_in_lane(const rk_store *store, const rk_pass *pass)
{
    return pass->lane && !pass->arguments &&
           (rk_load_relaxed(&store->used) + need_of(pass) > store->budget / 4 * 3 || !is_first(store, pass));
}

/* Who runs ahead of those who take results waits until nobody comes or goes for a while. */
static bool hold_back(rk_store *store, rk_pass *pass)
{
    if (pass->quiet || !pass->others)
        return false;
    bool ahead = runs_ahead(store, pass);
    rank(store, pass, ahead || (pass->lane && !pass->arguments));
    if (!ahead && !runs_ahead_in_lane(store, pass))
        return false;
    if (!is_first(store, pass))
        wait_for_change(store, pass);
    else if (wait_shortly(store, pass))
        pass->quiet = !store->running && !store->moving;
    return true;
}

/* Takes entries out of memory until there is room for so many bytes; true when some was. Lets go of the lock
 * meanwhile. */
static bool make_room(rk_store *store, uint64_t bytes)
{
    bool any = false;
    while (rk_load_relaxed(&store->used) + bytes > store->budget) {
        rk_entry *entry = rk_entry_coldest(store);
        if (!entry)
            break;
        rk_entry_evict(store, entry);
        any = true;
    }
    if (any) {
        store->pressed = store->traffic;
        rk_helper_wake(store);
    }
    return any;
}

/* Into how many parts chunks would have to be cut for the task to fit, if its scratch stays what it is; 0: no such
 * advice. */
static uint64_t parts_that_fit(rk_store_need need, uint64_t budget)
{
    if (need.scratch >= budget)
        return 0;
    uint64_t room = budget - need.scratch, shares = need.arguments + need.result;
    uint64_t parts = shares / room + (shares % room != 0);
    return parts <= MOST_PARTS ? parts : 0;
}

void rk_store_say_too_large(rk_print *out, rk_store_need need, uint64_t budget)
{
    uint64_t all = need.arguments + need.result + need.scratch, parts = parts_that_fit(need, budget);
    rk_print_add(out,
                 "needs %" PRIu64 " bytes at once (arguments %" PRIu64 ", result %" PRIu64
                 ", scratch %" PRIu64 "), and the memory budget is %" PRIu64,
                 all, need.arguments, need.result, need.scratch, budget);
    if (all > budget && parts)
        rk_print_add(out, "; arguments and results (chunks) 1/%" PRIu64 " as large may fit", parts);
}

static int refuse(const rk_store *store, const rk_pass *pass, char *message, size_t capacity)
{
    if (store->error) {
        snprintf(message, capacity, "%s", store->message);
        return store->error;
    }
    rk_print out = {message, capacity, 0};
    rk_store_need need = {pass->arguments, pass->surely, pass->working};
    rk_store_say_too_large(&out, need, store->budget);
    if (need.arguments + need.result + need.scratch <= store->budget)
        rk_print_add(&out, ", of which %" PRIu64 " hold what cannot go to disk",
                     rk_load_relaxed(&store->used) + pass->missing - pass->arguments);
    return RASK_EBUDGET;
}

/* A result whose size is a guess makes do with what is left. */
static bool charge_less(rk_store *store, rk_pass *pass)
{
    uint64_t used = rk_load_relaxed(&store->used), least = need_of(pass) - pass->result + pass->surely;
    if (pass->result == pass->surely || used + least > store->budget)
        return false;
    pass->result = pass->surely + (store->budget - used - least);
    return true;
}

/* Nothing leaves memory, and nobody inside will: small results may still be ending, which nobody tells of. */
static bool be_patient(rk_store *store, rk_pass *pass, uint32_t *waits)
{
    if ((*waits)++ >= PATIENCE)
        return false;
    uint64_t used = rk_load_relaxed(&store->used);
    bool quiet = wait_shortly(store, pass);
    return !quiet || rk_load_relaxed(&store->used) != used || *waits < 2;
}

/* One try to reserve all the pass needs. RASK_OK; -1: try again, for something changed; else why not. */
enum { TRY_AGAIN = -1 };

static int try_to_enter(rk_store *store, rk_pass *pass, uint32_t *waits, char *message, size_t capacity)
{
    look_at_arguments(store, pass);
    if (pass->surely + pass->working + pass->arguments > store->budget)
        return refuse(store, pass, message, capacity);
    if (hold_back(store, pass))
        return TRY_AGAIN;
    uint64_t need = need_of(pass);
    if (need && !is_first(store, pass)) {
        wait_for_change(store, pass);
        return TRY_AGAIN;
    }
    if (rk_store_charge(store, need))
        return RASK_OK;
    pin(store, pass);
    bool any = make_room(store, need);
    unpin(store, pass);
    if (any)
        return TRY_AGAIN;
    if (store->running || store->moving)
        wait_for_change(store, pass);
    else if (!charge_less(store, pass) && !be_patient(store, pass, waits))
        return refuse(store, pass, message, capacity);
    return TRY_AGAIN;
}

/* Charged for: what is missing is the pass's to bring back, and nobody else's from now on. */
static void begin(rk_store *store, rk_pass *pass)
{
    pin(store, pass);
    rk_pass_walk walk = {0};
    for (rk_entry *entry; (entry = rk_pass_next(store, pass, &walk));) {
        if (in_memory(entry))
            continue;
        entry->mover = pass;
        rk_entry_move(store, entry, entry->state, RK_LOADING);
    }
    pass->inside = true;
    pass->reserved = pass->result;
    pass->extra = pass->working;
    store->reserved += pass->reserved + pass->extra;
    store->promised += pass->frees;
    store->running++;
    store->traffic++;
    if (store->waiting) /* somebody else is first now */
        pthread_cond_broadcast(&store->changed);
    rk_store_bound_alloc(store);
    rk_helper_notice(store);
}

/* Everything the pass has to bring back but lists that are linked, one after the other; after a failure the others stay away. */
static int bring_back(rk_store *store, rk_pass *pass, char *message, size_t capacity)
{
    rk_pass_walk walk = {0};
    int status = RASK_OK;
    for (rk_entry *entry; (entry = rk_pass_next(store, pass, &walk));) {
        if (entry->state != RK_LOADING || entry->mover != pass || entry->link_count)
            continue;
        if (status)
            rk_entry_give_up(store, entry);
        else
            status = rk_entry_bring_back(store, entry, pass, message, capacity);
    }
    return status;
}

/* Waits for what others bring back of these; false when one of them could not. */
static bool await_others(rk_store *store, const rk_pass *pass)
{
    rk_pass_walk walk = {0};
    for (rk_entry *entry; (entry = rk_pass_next(store, pass, &walk));) {
        if (entry->link_count)
            continue;
        while (entry->state == RK_LOADING)
            pthread_cond_wait(&store->changed, &store->lock);
        if (!in_memory(entry))
            return false;
    }
    return true;
}

/* One round over the lists that the pass has to bring back: those whose items are here; after a failure, *status, the others stay
 * away. False: there was none. */
static bool bring_back_lists(rk_store *store, rk_pass *pass, int *status, char *message, size_t capacity)
{
    rk_pass_walk walk = {0};
    bool any = false;
    for (rk_entry *entry; (entry = rk_pass_next(store, pass, &walk));) {
        if (entry->state != RK_LOADING || entry->mover != pass)
            continue;
        if (*status) {
            rk_entry_give_up(store, entry);
        } else if (rk_entry_has_parts(entry)) {
            *status = rk_entry_bring_back(store, entry, pass, message, capacity);
            any = true;
        }
    }
    return any;
}

/* What is not here yet of what the pass takes: LOADING; or ON_DISK, which is something that nobody brings any more, since who was
 * to could not. IN_MEMORY: nothing. */
static rk_entry_state what_is_missing(rk_store *store, const rk_pass *pass)
{
    rk_pass_walk walk = {0};
    rk_entry_state missing = RK_IN_MEMORY;
    for (rk_entry *entry; (entry = rk_pass_next(store, pass, &walk));) {
        if (!in_memory(entry))
            return RK_ON_DISK;
        missing = entry->state == RK_LOADING ? RK_LOADING : missing;
    }
    return missing;
}

/* Lists that are linked are made of their items, so these come first, whoever brings them. Nobody waits before all is here that he
 * can bring himself; of what is missing then, whose own items are here is in the hands of somebody who brings it. */
static int bring_back_all(rk_store *store, rk_pass *pass, char *message, size_t capacity)
{
    int status = bring_back(store, pass, message, capacity);
    bool lost = !status && !await_others(store, pass);
    while (!status && !lost) {
        if (bring_back_lists(store, pass, &status, message, capacity))
            continue;
        rk_entry_state missing = what_is_missing(store, pass);
        if (missing == RK_IN_MEMORY)
            return RASK_OK;
        lost = missing == RK_ON_DISK;
        if (!lost)
            pthread_cond_wait(&store->changed, &store->lock);
    }
    status = lost ? TRY_AGAIN : status;
    bring_back_lists(store, pass, &status, message, capacity);
    return status;
}

static void leave(rk_store *store, rk_pass *pass)
{
    unpin(store, pass);
    rk_sub_relaxed(&store->used, pass->reserved + pass->extra);
    store->reserved -= pass->reserved + pass->extra;
    pass->reserved = pass->extra = 0;
    pass->inside = false;
    store->promised -= pass->frees;
    store->freed = pass->frees ? store->traffic + 1 : store->freed;
    store->running--;
    store->traffic++;
    pthread_cond_broadcast(&store->changed);
    rk_helper_notice(store);
}

static int enter(rk_store *store, rk_pass *pass, char *message, size_t capacity)
{
    uint32_t waits = 0;
    int status = TRY_AGAIN;
    while (status == TRY_AGAIN) {
        if (store->run.stopped && store->run.stopped(store->run.context))
            return RASK_ECANCELLED;
        status = try_to_enter(store, pass, &waits, message, capacity);
        if (status)
            continue;
        begin(store, pass);
        status = bring_back_all(store, pass, message, capacity);
        if (status)
            leave(store, pass);
    }
    return status;
}

/* It holds little and takes nothing that the store may have put away. */
static bool needs_nothing(const rk_store *store, const rk_pass *pass)
{
    if (pass->lane || pass->result + pass->scratch >= rk_store_threshold(store))
        return false;
    for (uint32_t i = 0; i < pass->count && rk_store_has_managed(store); i++)
        if (managed_place(pass, i))
            return false;
    return true;
}

/* Of a store that lasts: a disk that was full need not be full for ever. */
static void try_file_again(rk_store *store)
{
    if (!store->run.next_use)
        store->error = RASK_OK;
}

int rk_store_enter(rk_store *store, rk_pass *pass, char *message, size_t capacity)
{
    pass->reserved = pass->extra = 0;
    pass->inside = pass->pinned = pass->quiet = pass->last = false;
    if (needs_nothing(store, pass))
        return RASK_OK;
    pthread_mutex_lock(&store->lock);
    rk_store_know_budget(store);
    if (pass->task != UINT32_MAX && pass->task > store->position)
        store->position = pass->task;
    try_file_again(store);
    int status = enter(store, pass, message, capacity);
    if (status)
        pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
    return status;
}

void rk_store_unpin(rk_store *store, rk_pass *pass)
{
    if (!pass->pinned)
        return;
    pthread_mutex_lock(&store->lock);
    unpin(store, pass);
    pthread_mutex_unlock(&store->lock);
}

void rk_store_leave(rk_store *store, rk_pass *pass)
{
    if (!pass->inside)
        return;
    pthread_mutex_lock(&store->lock);
    leave(store, pass);
    pthread_mutex_unlock(&store->lock);
}

void rk_store_drop(rk_store *store, rask_value *place)
{
    rask_value object = rask_value_none();
    pthread_mutex_lock(&store->lock);
    rk_entry *entry = rk_entry_at(store, place);
    assert(!entry->pins || entry->listed);
    bool moves = entry->state == RK_SPILLING || entry->state == RK_LOADING;
    entry->orphan = moves && !entry->listed;
    if (moves || entry->listed)
        rk_entry_displace(entry);
    else
        rk_entry_free(store, entry, &object);
    bool bury = store->dead;
    pthread_mutex_unlock(&store->lock);
    rask_value_unref(&object);
    if (bury) {
        pthread_mutex_lock(&store->lock);
        rk_entry_bury(store);
        pthread_mutex_unlock(&store->lock);
    }
}

/* The part of what was reserved that the result takes over. */
static uint64_t take_reserved(rk_store *store, rk_pass *pass, uint64_t bytes)
{
    uint64_t taken = pass && pass->inside ? pass->reserved : 0;
    taken = taken < bytes ? taken : bytes;
    if (taken) {
        pass->reserved -= taken;
        store->reserved -= taken;
    }
    return taken;
}

/* Waits for somebody inside to leave or some entry to be moved. False when there is no such. */
static bool await_room(rk_store *store, const rk_pass *pass)
{
    uint32_t self = pass && pass->inside;
    if (store->running == self && !store->moving)
        return false;
    store->running -= self;
    pthread_cond_wait(&store->changed, &store->lock);
    store->running += self;
    return true;
}

/* Back within the budget, after something was counted without asking. False: there is no way. */
static bool settle_down(rk_store *store, const rk_pass *pass)
{
    while (rk_load_relaxed(&store->used) > store->budget)
        if (!make_room(store, 0) && !await_room(store, pass))
            return false;
    uint64_t used = rk_load_relaxed(&store->used);
    if (used <= store->budget)
        rk_raise_relaxed(&store->peak, used);
    return true;
}

static int no_room(const rk_store *store, uint64_t bytes, char *message, size_t capacity)
{
    if (store->error && bytes <= store->budget) {
        snprintf(message, capacity, "%s", store->message);
        return store->error;
    }
    int len =
        snprintf(message, capacity, "its result of %llu bytes does not fit into the memory budget of %llu",
                 (unsigned long long)bytes, (unsigned long long)store->budget);
    uint64_t others = rk_load_relaxed(&store->used) - bytes;
    if (bytes <= store->budget && len > 0 && (size_t)len < capacity)
        snprintf(message + len, capacity - (size_t)len, ", of which %llu hold what cannot go to disk",
                 (unsigned long long)others);
    return RASK_EBUDGET;
}

/* Counted as what was reserved and more; large ones get an entry, and are taken out of memory like others. */
static int keep(rk_store *store, rk_pass *pass, rk_entry *entry, uint64_t bytes, char *message,
                size_t capacity)
{
    rk_add_relaxed(&store->used, bytes - take_reserved(store, pass, bytes));
    if (bytes <= store->budget && settle_down(store, pass)) {
        rk_helper_notice(store);
        return RASK_OK;
    }
    if (entry && !in_memory(entry)) /* what is too much is others' */
        return RASK_OK;
    int status = no_room(store, bytes, message, capacity);
    rask_value object;
    if (entry)
        rk_entry_free(store, entry, &object);
    return status;
}

/* A list, or bytes that a task took out of one and passed on, may be all that still holds what others returned, and was
 * counted then: what it frees by going to disk is more than what it brought along. */
static bool is_large(const rk_store *store, const rask_value *result, uint64_t claimed)
{
    bool passed_on = result->type == RASK_LIST || result->type == RASK_BYTES;
    uint64_t bytes = passed_on ? rask_value_size(result) : claimed;
    return bytes >= rk_store_threshold(store);
}

int rk_store_keep(rk_store *store, rk_pass *pass, uint32_t task, bool source, rask_value *place,
                  const rask_value *result, uint64_t *bytes, char *message, size_t capacity)
{
    uint64_t claimed = *bytes = rk_store_claim(store, result);
    bool large = is_large(store, result, claimed);
    *place = *result;
    place->reserved = 0;
    if (!large && !(pass && pass->reserved) && rk_store_charge(store, claimed))
        return RASK_OK;
    pthread_mutex_lock(&store->lock);
    rk_store_know_budget(store);
    try_file_again(store);
    rk_entry *entry = large ? rk_entry_new(store, task, place, result, claimed) : NULL;
    if (entry) {
        entry->source = source;
        entry->scratch = pass ? pass->scratch : 0;
    }
    int status = keep(store, pass, entry, claimed, message, capacity);
    if (!status && entry && entry->state == RK_IN_MEMORY && pass && !pass->places &&
        result->type == RASK_LIST)
        rk_entry_link(store, entry, pass);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* -- Those who are no tasks */

/* Under the lock: it is on disk, and comes back if there is room for it. */
static int bring_back_if_it_fits(rk_store *store, rk_entry *entry, char *message, size_t capacity)
{
    if (!rk_store_charge(store, entry->bytes))
        return RASK_OK;
    entry->mover = NULL;
    rk_entry_move(store, entry, RK_ON_DISK, RK_LOADING);
    store->moving++;
    int status = rk_entry_bring_back(store, entry, NULL, message, capacity);
    store->moving--;
    return status;
}

/* Under the lock, which is let go of meanwhile: the image stays as long as the entry. */
static int copy_from_disk(rk_store *store, const rk_entry *entry, rask_value *value, char *message,
                          size_t capacity)
{
    const rk_image *image = &entry->image;
    store->read_back += rk_image_bytes(image);
    pthread_mutex_unlock(&store->lock);
    int status =
        rk_image_read(image, &store->scratch, entry->parts, entry->link_count, value, message, capacity);
    pthread_mutex_lock(&store->lock);
    return status;
}

int rk_store_read(rk_store *store, const rask_value *place, rask_value *value, char *message, size_t capacity)
{
    int status = RASK_OK;
    pthread_mutex_lock(&store->lock);
    rk_entry *entry = rk_entry_at(store, place);
    entry->seen = ++store->look;
    while (entry->state == RK_LOADING)
        pthread_cond_wait(&store->changed, &store->lock);
    if (entry->state == RK_ON_DISK)
        status = bring_back_if_it_fits(store, entry, message, capacity);
    if (in_memory(entry)) {
        *value = rask_value_ref(entry->place);
        value->reserved = 0;
        entry->handed = true;
        entry->alone = false;
    } else if (!status) {
        status = copy_from_disk(store, entry, value, message, capacity);
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}

void rk_store_pause(rk_store *store, const rk_pass *pass)
{
    if (!pass->inside)
        return;
    pthread_mutex_lock(&store->lock);
    store->running--;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

void rk_store_resume(rk_store *store, const rk_pass *pass)
{
    if (!pass->inside)
        return;
    pthread_mutex_lock(&store->lock);
    store->running++;
    pthread_mutex_unlock(&store->lock);
}
