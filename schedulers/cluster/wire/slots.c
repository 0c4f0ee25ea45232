/* A number is its slot plus a multiple of the number of slots, which grows by one whenever the slot is used again. */
#include "schedulers/cluster/wire/slots.h"

#include <assert.h>
#include <rask/base.h>

typedef struct slot {
    void *thing;
    uint64_t number; /* of thing, or of the next one here */
    uint64_t next;   /* free slot, as rk_slots.free */
} slot;

void rk_slots_init(rk_slots *slots, uint64_t most, uint64_t end)
{
    *slots = (rk_slots){.array = RK_ARRAY(slot, most), .most = most, .end = end};
}

void rk_slots_fini(rk_slots *slots)
{
    rk_array_fini(&slots->array);
    slots->free = 0;
}

int rk_slots_add(rk_slots *slots, void *thing, uint64_t *number)
{
    if (!slots->free) {
        int status = rk_array_reserve(&slots->array, 1);
        if (status)
            return status;
        uint64_t fresh = slots->array.count;
        *(slot *)rk_array_push(&slots->array) = (slot){.number = fresh};
        slots->free = fresh + 1;
    }
    slot *s = (slot *)slots->array.data + (slots->free - 1);
    slots->free = s->next;
    s->thing = thing;
    *number = s->number;
    return RASK_OK;
}

static slot *find(const rk_slots *slots, uint64_t number)
{
    uint64_t place = number % slots->most;
    slot *s = place < slots->array.count ? (slot *)slots->array.data + place : NULL;
    return s && s->thing && s->number == number ? s : NULL;
}

void *rk_slots_get(const rk_slots *slots, uint64_t number)
{
    const slot *s = find(slots, number);
    return s ? s->thing : NULL;
}

void rk_slots_remove(rk_slots *slots, uint64_t number)
{
    slot *s = find(slots, number);
    assert(s);
    s->thing = NULL;
    if (slots->end - s->number <= slots->most)
        return; /* its numbers are used up */
    s->number += slots->most;
    s->next = slots->free;
    slots->free = number % slots->most + 1;
}

void *rk_slots_next(const rk_slots *slots, size_t *at)
{
    const slot *all = slots->array.data;
    while (*at < slots->array.count) {
        const slot *s = &all[(*at)++];
        if (s->thing)
            return s->thing;
    }
    return NULL;
}
