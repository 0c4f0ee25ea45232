/* schedulers/cluster/wire/outbox: messages that wait for a peer, several to a packet. */
#ifndef RASK_SCHEDULERS_CLUSTER_WIRE_OUTBOX_H
#define RASK_SCHEDULERS_CLUSTER_WIRE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A packet: each message behind its size, in four bytes. */
typedef struct rk_batch {
    struct rk_batch *next;
    uint32_t used, capacity;
    char bytes[];
} rk_batch;

/* Zeroed: empty. */
typedef struct rk_outbox {
    rk_batch *first, *last;
    rk_batch *spare; /* small, for the next message */
    size_t bytes;    /* of all messages */
} rk_outbox;

void rk_outbox_fini(rk_outbox *outbox);

/* RASK_OK; RASK_ELIMIT: too long, or too much waits; RASK_ENOMEM. */
int rk_outbox_push(rk_outbox *outbox, const void *bytes, size_t size);
/* Ends the first batch, which there is. */
void rk_outbox_pop(rk_outbox *outbox);

/* The message at *at of a packet, and *at behind the last one at size. False: there is none, or the packet is malformed, and
 * *at is before size. */
bool rk_batch_next(const char *packet, size_t size, size_t *at, const char **bytes, size_t *len);

#endif
