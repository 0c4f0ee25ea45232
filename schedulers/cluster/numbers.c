/* Finds who has a number. */
#include "schedulers/cluster/numbers.h"

#include "core/base/alloc.h"

#include <rask/base.h>

enum { FIRST_SLOTS = 64 };

static rk_numbered **slot_of(rk_numbered **slots, size_t capacity, uint32_t home, uint64_t number)
{
    uint64_t mixed = (number ^ (uint64_t)home << 40) * 0x9e3779b97f4a7c15u;
    return &slots[(mixed >> 32) & (capacity - 1)];
}

static void put(rk_numbered **slots, size_t capacity, rk_numbered *one)
{
    rk_numbered **slot = slot_of(slots, capacity, one->home, one->number);
    one->next = *slot;
    *slot = one;
}

static void move_chain(rk_numbered **slots, size_t capacity, rk_numbered *chain)
{
    for (rk_numbered *next; chain; chain = next) {
        next = chain->next;
        put(slots, capacity, chain);
    }
}

/* Without memory for more slots, chains become longer. */
static int make_room(rk_numbers *n)
{
    if (n->count < n->capacity)
        return RASK_OK;
    size_t capacity = n->capacity ? 2 * n->capacity : FIRST_SLOTS;
    rk_numbered **slots = rk_calloc(capacity, sizeof(rk_numbered *));
    if (!slots)
        return n->capacity ? RASK_OK : RASK_ENOMEM;
    for (size_t i = 0; i < n->capacity; i++)
        move_chain(slots, capacity, n->slots[i]);
    rk_free(n->slots);
    n->slots = slots;
    n->capacity = capacity;
    return RASK_OK;
}

int rk_numbers_add(rk_numbers *n, rk_numbered *one)
{
    int status = make_room(n);
    if (status)
        return status;
    put(n->slots, n->capacity, one);
    n->count++;
    return RASK_OK;
}

rk_numbered *rk_numbers_find(const rk_numbers *n, uint32_t home, uint64_t number)
{
    rk_numbered *one = n->capacity ? *slot_of(n->slots, n->capacity, home, number) : NULL;
    while (one && (one->home != home || one->number != number))
        one = one->next;
    return one;
}

void rk_numbers_remove(rk_numbers *n, rk_numbered *one)
{
    rk_numbered **at = slot_of(n->slots, n->capacity, one->home, one->number);
    while (*at != one)
        at = &(*at)->next;
    *at = one->next;
    n->count--;
}

void rk_numbers_fini(rk_numbers *n)
{
    rk_free(n->slots);
    *n = (rk_numbers){0};
}
