#include "schedulers/cluster/wire/outbox.h"

#include "core/base/alloc.h"
#include "schedulers/cluster/wire/wire.h"

#include <string.h>

enum {
    FIRST_ROOM = 1000,      /* bytes of a batch at first */
    JOINED_BYTES = 32000,   /* batches longer than this take no more */
    SPARE_ROOM = 4 << 10,   /* larger batches are not kept */
    SIZE = sizeof(uint32_t) /* of the size before a message */
};

_Static_assert(RK_MAX_BATCH == RK_MAX_PARCEL + SIZE, "the largest message has a packet");

static void free_all(rk_batch *batch)
{
    while (batch) {
        rk_batch *next = batch->next;
        rk_free(batch);
        batch = next;
    }
}

void rk_outbox_fini(rk_outbox *outbox)
{
    free_all(outbox->first);
    rk_free(outbox->spare);
    *outbox = (rk_outbox){0};
}

/* The same batch (NULL: a new one) with room for wanted bytes; NULL: no memory, and it is as it was. */
static rk_batch *resize(rk_batch *batch, size_t wanted)
{
    rk_batch *larger = rk_realloc(batch, sizeof *larger + wanted);
    if (larger)
        larger->capacity = (uint32_t)wanted;
    return larger;
}

/* The last batch, if it takes need more bytes without being moved while others point to it. */
static bool takes(const rk_outbox *outbox, size_t need)
{
    const rk_batch *last = outbox->last;
    return last && last->used + need <= JOINED_BYTES &&
           (last->used + need <= last->capacity || last == outbox->first);
}

static rk_batch *extend_last(rk_outbox *outbox, size_t need)
{
    rk_batch *last = outbox->last;
    if (last->used + need <= last->capacity)
        return last;
    size_t wanted = (size_t)last->capacity * 2;
    rk_batch *larger = resize(last, wanted < last->used + need ? last->used + need : wanted);
    if (larger)
        outbox->first = outbox->last = larger;
    return larger;
}

/* One behind others has all its room at once. */
static rk_batch *add_batch(rk_outbox *outbox, size_t need)
{
    size_t wanted = outbox->first ? JOINED_BYTES : FIRST_ROOM;
    rk_batch *batch = outbox->first ? NULL : outbox->spare;
    if (wanted < need)
        wanted = need;
    if (batch && batch->capacity >= wanted)
        outbox->spare = NULL;
    else
        batch = resize(NULL, wanted);
    if (!batch)
        return NULL;
    batch->used = 0;
    batch->next = NULL;
    *(outbox->last ? &outbox->last->next : &outbox->first) = batch;
    outbox->last = batch;
    return batch;
}

int rk_outbox_push(rk_outbox *outbox, const void *bytes, size_t size)
{
    size_t need = SIZE + size;
    if (size > RK_MAX_PARCEL || outbox->bytes + need > RK_MAX_QUEUED_BYTES)
        return RASK_ELIMIT;
    rk_batch *batch = takes(outbox, need) ? extend_last(outbox, need) : add_batch(outbox, need);
    if (!batch)
        return RASK_ENOMEM;
    uint32_t len = (uint32_t)size;
    memcpy(batch->bytes + batch->used, &len, SIZE);
    if (size)
        memcpy(batch->bytes + batch->used + SIZE, bytes, size);
    batch->used += (uint32_t)need;
    outbox->bytes += need;
    return RASK_OK;
}

void rk_outbox_pop(rk_outbox *outbox)
{
    rk_batch *batch = outbox->first;
    outbox->bytes -= batch->used;
    outbox->first = batch->next;
    if (!outbox->first)
        outbox->last = NULL;
    if (outbox->spare || batch->capacity > SPARE_ROOM)
        rk_free(batch);
    else
        outbox->spare = batch;
}

bool rk_batch_next(const char *packet, size_t size, size_t *at, const char **bytes, size_t *len)
{
    uint32_t announced;
    if (size - *at < SIZE)
        return false;
    memcpy(&announced, packet + *at, SIZE);
    if (announced > size - *at - SIZE || announced > RK_MAX_PARCEL)
        return false;
    *bytes = packet + *at + SIZE;
    *len = announced;
    *at += SIZE + announced;
    return true;
}
