/* Counters and who waits for them.
 *
 * Invariants, whenever the lock is free:
 *   1. free[c] + what those that passed have of c = total[c], or less where others count, too.
 *   2. Nobody waits who could pass: going through the first of each class, best first, each that fits has passed, and each
 *      that does not has its needs subtracted from what is left for those behind it.
 * So the best of all that wait only waits for those that passed, who wait for nobody here: every wait ends.
 *
 * Those of a class are alike but for their order, so only the first of each can matter: a class is a pairing heap (M. Fredman,
 * R. Sedgewick, D. Sleator, R. Tarjan, 1986) through the waiters themselves, and waiting takes no memory that could be missing. */
#include "schedulers/gate.h"

#include "core/base/alloc.h"
#include "core/task/tags.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct rk_gate {
    pthread_mutex_t lock;
    uint32_t counters, classes; /* classes: with 0, which needs nothing */
    uint32_t total[RK_MAX_LIMITS], free[RK_MAX_LIMITS];
    char *names[RK_MAX_LIMITS];
    rk_needs needs[RK_MAX_NEED_KINDS + 1];
    rk_gate_waiter *first[RK_MAX_NEED_KINDS + 1]; /* by class: the root of its heap */
    uint64_t waiting[RK_MAX_NEED_KINDS + 1];      /* by class: how many */
};

/* -- Names */

static uint32_t find_counter(const rk_gate *gate, const char *name, size_t len)
{
    uint32_t i = 0;
    while (i < gate->counters && (strlen(gate->names[i]) != len || memcmp(gate->names[i], name, len) != 0))
        i++;
    return i;
}

static int complain(char *reason, size_t capacity, int status, const char *limits, const char *what)
{
    snprintf(reason, capacity, "limits: \"%.100s\" %s", limits, what);
    return status;
}

static int read_limits(rk_gate *gate, const char *limits, char *reason, size_t capacity)
{
    const char *rest = limits;
    for (rk_tag tag; rk_tag_next(&rest, '=', &tag);) {
        if (!tag.counted)
            return complain(reason, capacity, RASK_EINVAL, limits, "is no list such as \"gpu=1,licence=4\"");
        if (find_counter(gate, tag.name, tag.len) < gate->counters)
            return complain(reason, capacity, RASK_EINVAL, limits, "has a name twice");
        if (gate->counters == RK_MAX_LIMITS)
            return complain(reason, capacity, RASK_ELIMIT, limits, "has too many names: 32 are possible");
        if (!(gate->names[gate->counters] = rk_strndup(tag.name, tag.len)))
            return complain(reason, capacity, RASK_ENOMEM, limits, "found no memory");
        gate->total[gate->counters] = gate->free[gate->counters] = tag.count;
        gate->counters++;
    }
    while (*rest == ' ' || *rest == '\t')
        rest++;
    if (*rest)
        return complain(reason, capacity, RASK_EINVAL, limits, "is no list such as \"gpu=1,licence=4\"");
    return RASK_OK;
}

_Static_assert(RK_MAX_LIMITS == 32, "a message says so");

int rk_gate_new(const char *limits, rk_gate **out, char *reason, size_t capacity)
{
    rk_gate *gate = rk_calloc(1, sizeof *gate);
    if (!gate)
        return complain(reason, capacity, RASK_ENOMEM, limits, "found no memory");
    pthread_mutex_init(&gate->lock, NULL);
    gate->classes = 1;
    int status = read_limits(gate, limits, reason, capacity);
    if (status)
        rk_gate_free(gate);
    else
        *out = gate;
    return status;
}

void rk_gate_free(rk_gate *gate)
{
    if (!gate)
        return;
    for (uint32_t i = 0; i < gate->counters; i++)
        rk_free(gate->names[i]);
    pthread_mutex_destroy(&gate->lock);
    rk_free(gate);
}

uint32_t rk_gate_counters(const rk_gate *gate)
{
    return gate->counters;
}

uint32_t rk_gate_total(const rk_gate *gate, uint32_t counter)
{
    return gate->total[counter];
}

/* -- Needs */

bool rk_gate_can_give(const rk_gate *gate, const rk_needs *needs)
{
    for (uint32_t i = 0; i < needs->count; i++) {
        uint32_t counter = needs->of[i].counter;
        if (counter >= rk_gate_counters(gate) || (i && counter <= needs->of[i - 1].counter) ||
            !needs->of[i].count || needs->of[i].count > rk_gate_total(gate, counter))
            return false;
    }
    return true;
}

/* In its place, the larger number; false: no room. */
static bool add_need(rk_needs *needs, uint32_t counter, uint32_t count)
{
    uint32_t at = 0;
    while (at < needs->count && needs->of[at].counter < counter)
        at++;
    if (at < needs->count && needs->of[at].counter == counter) {
        needs->of[at].count = count > needs->of[at].count ? count : needs->of[at].count;
        return true;
    }
    if (needs->count == RK_MAX_GATE_NEEDS)
        return false;
    memmove(&needs->of[at + 1], &needs->of[at], (needs->count - at) * sizeof needs->of[0]);
    needs->of[at].counter = counter;
    needs->of[at].count = count;
    needs->count++;
    return true;
}

static int need_one(const rk_gate *gate, const rk_tag *tag, rk_needs *needs, char *reason, size_t capacity)
{
    uint32_t counter = find_counter(gate, tag->name, tag->len);
    if (counter == gate->counters) {
        snprintf(reason, capacity,
                 "takes %u of \"%.*s\", and the limits do not say how many there are: \"%.*s=…\"", tag->count,
                 (int)tag->len, tag->name, (int)tag->len, tag->name);
        return RASK_EINVAL;
    }
    if (tag->count > gate->total[counter]) {
        snprintf(reason, capacity, "takes %u of \"%s\", and the limits say that there %s %u", tag->count,
                 gate->names[counter], gate->total[counter] == 1 ? "is" : "are", gate->total[counter]);
        return RASK_EINVAL;
    }
    add_need(needs, counter, tag->count);
    return RASK_OK;
}

_Static_assert(RK_MAX_TASK_TAGS + 1 <= RK_MAX_GATE_NEEDS, "a task's tags and its name find room");

int rk_gate_need(const rk_gate *gate, const char *name, const char *tags, rk_needs *out, char *reason,
                 size_t capacity)
{
    rk_needs needs = {0};
    rk_tag tag;
    bool named = false;
    int status = RASK_OK;
    while (!status && rk_tag_next(&tags, ':', &tag)) {
        named |= tag.len == strlen(name) && !memcmp(tag.name, name, tag.len);
        status = need_one(gate, &tag, &needs, reason, capacity);
    }
    tag = (rk_tag){.name = name, .len = strlen(name), .count = 1};
    if (!status && !named && find_counter(gate, name, tag.len) < gate->counters)
        status = need_one(gate, &tag, &needs, reason, capacity);
    if (!status)
        *out = needs;
    return status;
}

int rk_needs_join(rk_needs *these, const rk_needs *those)
{
    for (uint32_t i = 0; i < those->count; i++)
        if (!add_need(these, those->of[i].counter, those->of[i].count))
            return RASK_ELIMIT;
    return RASK_OK;
}

static bool same_needs(const rk_needs *a, const rk_needs *b)
{
    return a->count == b->count && !memcmp(a->of, b->of, a->count * sizeof a->of[0]);
}

int rk_gate_class(rk_gate *gate, const rk_needs *needs, uint32_t *class)
{
    uint32_t k = 0;
    pthread_mutex_lock(&gate->lock);
    while (k < gate->classes && !same_needs(&gate->needs[k], needs))
        k++;
    if (k == gate->classes && k <= RK_MAX_NEED_KINDS)
        gate->needs[gate->classes++] = *needs;
    pthread_mutex_unlock(&gate->lock);
    if (k > RK_MAX_NEED_KINDS)
        return RASK_ELIMIT;
    *class = k;
    return RASK_OK;
}

const rk_needs *rk_gate_needs(const rk_gate *gate, uint32_t class)
{
    return &gate->needs[class];
}

/* -- The heap of a class: a waiter's children are linked by next, and previous is the one before, or for the first child the
 * parent. */

static bool goes_before(const rk_gate_waiter *a, const rk_gate_waiter *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->place < b->place;
}

static rk_gate_waiter *meld(rk_gate_waiter *a, rk_gate_waiter *b)
{
    if (!a || !b)
        return a ? a : b;
    if (goes_before(b, a)) {
        rk_gate_waiter *swap = a;
        a = b;
        b = swap;
    }
    b->previous = a;
    b->next = a->child;
    if (b->next)
        b->next->previous = b;
    a->child = b;
    return a;
}

/* Children without their parent: in pairs, and the pairs from the last to the first. */
static rk_gate_waiter *meld_all(rk_gate_waiter *child)
{
    rk_gate_waiter *pairs = NULL, *all = NULL;
    while (child) {
        rk_gate_waiter *a = child, *b = child->next;
        child = b ? b->next : NULL;
        a->next = a->previous = NULL;
        if (b)
            b->next = b->previous = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        rk_gate_waiter *next = pairs->next;
        pairs->next = NULL;
        all = meld(all, pairs);
        pairs = next;
    }
    return all;
}

static void remove_waiter(rk_gate *gate, rk_gate_waiter *waiter)
{
    rk_gate_waiter **root = &gate->first[waiter->class], *rest = meld_all(waiter->child);
    if (*root == waiter) {
        *root = rest;
    } else {
        if (waiter->previous->child == waiter)
            waiter->previous->child = waiter->next;
        else
            waiter->previous->next = waiter->next;
        if (waiter->next)
            waiter->next->previous = waiter->previous;
        *root = meld(*root, rest);
    }
    waiter->child = waiter->next = waiter->previous = NULL;
    gate->waiting[waiter->class]--;
}

static bool is_waiting(const rk_gate *gate, const rk_gate_waiter *waiter)
{
    return waiter->previous || gate->first[waiter->class] == waiter;
}

/* -- Passing; all under the lock */

/* Of the classes that are open, the one whose first goes before all others; 0: nobody waits. */
static uint32_t best_class(const rk_gate *gate, uint32_t closed)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < gate->classes; k++)
        if (gate->first[k] && !(closed >> k & 1) && (!best || goes_before(gate->first[k], gate->first[best])))
            best = k;
    return best;
}

_Static_assert(RK_MAX_NEED_KINDS < 32, "classes are bits of a word");

static bool fits(const rk_needs *needs, const uint32_t *left)
{
    for (uint32_t i = 0; i < needs->count; i++)
        if (left[needs->of[i].counter] < needs->of[i].count)
            return false;
    return true;
}

/* Takes from left, or what there is of it. */
static void take(const rk_needs *needs, uint32_t *left)
{
    for (uint32_t i = 0; i < needs->count; i++) {
        uint32_t *at = &left[needs->of[i].counter];
        *at -= needs->of[i].count < *at ? needs->of[i].count : *at;
    }
}

/* Everybody passes who can: the list of them. */
static rk_gate_waiter *let_pass(rk_gate *gate)
{
    rk_gate_waiter *list = NULL, **end = &list;
    uint32_t left[RK_MAX_LIMITS], closed = 0, class;
    memcpy(left, gate->free, sizeof left);
    while ((class = best_class(gate, closed))) {
        const rk_needs *needs = &gate->needs[class];
        if (fits(needs, left)) {
            rk_gate_waiter *waiter = gate->first[class];
            remove_waiter(gate, waiter);
            take(needs, gate->free);
            waiter->inside = true;
            *end = waiter;
            end = &waiter->next;
        } else {
            closed |= (uint32_t)1 << class;
        }
        take(needs, left);
    }
    return list;
}

bool rk_gate_enter(rk_gate *gate, rk_gate_waiter *waiter)
{
    waiter->child = waiter->next = waiter->previous = NULL;
    pthread_mutex_lock(&gate->lock);
    assert(waiter->class && waiter->class < gate->classes);
    gate->first[waiter->class] = meld(gate->first[waiter->class], waiter);
    gate->waiting[waiter->class]++;
    rk_gate_waiter *passed = let_pass(gate);
    pthread_mutex_unlock(&gate->lock);
    assert(!passed || (passed == waiter && !waiter->next)); /* by invariant 2 nobody else can */
    return passed;
}

rk_gate_waiter *rk_gate_leave(rk_gate *gate, uint32_t class)
{
    pthread_mutex_lock(&gate->lock);
    const rk_needs *needs = &gate->needs[class];
    for (uint32_t i = 0; i < needs->count; i++) {
        gate->free[needs->of[i].counter] += needs->of[i].count;
        assert(gate->free[needs->of[i].counter] <= gate->total[needs->of[i].counter]);
    }
    rk_gate_waiter *passed = let_pass(gate);
    pthread_mutex_unlock(&gate->lock);
    return passed;
}

/* -- What others count, too */

/* Under the lock. */
static uint64_t wanted(const rk_gate *gate, uint32_t counter)
{
    uint64_t all = 0;
    for (uint32_t k = 1; k < gate->classes; k++)
        for (uint32_t i = 0; i < gate->needs[k].count; i++)
            if (gate->needs[k].of[i].counter == counter)
                all += gate->waiting[k] * gate->needs[k].of[i].count;
    return all < gate->total[counter] ? all : gate->total[counter];
}

void rk_gate_wanted(rk_gate *gate, uint32_t *more)
{
    pthread_mutex_lock(&gate->lock);
    for (uint32_t i = 0; i < gate->counters; i++) {
        uint64_t all = wanted(gate, i);
        more[i] = all > gate->free[i] ? (uint32_t)all - gate->free[i] : 0;
    }
    pthread_mutex_unlock(&gate->lock);
}

rk_gate_waiter *rk_gate_add(rk_gate *gate, const uint32_t *more)
{
    pthread_mutex_lock(&gate->lock);
    for (uint32_t i = 0; i < gate->counters; i++) {
        gate->free[i] += more[i];
        assert(gate->free[i] <= gate->total[i]);
    }
    rk_gate_waiter *passed = let_pass(gate);
    pthread_mutex_unlock(&gate->lock);
    return passed;
}

bool rk_gate_remove_spare(rk_gate *gate, uint32_t *spare)
{
    bool any = false;
    pthread_mutex_lock(&gate->lock);
    for (uint32_t i = 0; i < gate->counters; i++) {
        spare[i] = wanted(gate, i) ? 0 : gate->free[i];
        gate->free[i] -= spare[i];
        any |= spare[i] > 0;
    }
    pthread_mutex_unlock(&gate->lock);
    return any;
}

bool rk_gate_forget(rk_gate *gate, rk_gate_waiter *waiter, rk_gate_waiter **others)
{
    pthread_mutex_lock(&gate->lock);
    bool waits = is_waiting(gate, waiter);
    if (waits)
        remove_waiter(gate, waiter);
    *others = waits ? let_pass(gate) : NULL;
    pthread_mutex_unlock(&gate->lock);
    return waits;
}
