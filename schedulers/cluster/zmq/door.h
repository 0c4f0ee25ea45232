/* schedulers/cluster/zmq/door: who may come: the keys of one endpoint, and ZeroMQ's questions about the keys of others. */
#ifndef RASK_SCHEDULERS_CLUSTER_ZMQ_DOOR_H
#define RASK_SCHEDULERS_CLUSTER_ZMQ_DOOR_H

#include "schedulers/cluster/wire/wire.h"
#include "schedulers/cluster/zmq/address.h"

/* Zeroed: closed, and legal to end. */
typedef struct rk_door {
    bool encrypted;
    uint8_t secret[KEY_BYTES], own[KEY_BYTES]; /* own: the public key */
    uint8_t (*allowed)[KEY_BYTES];
    size_t count, capacity;
    void *socket; /* REP: ZeroMQ asks here (RFC 27) */
} rk_door;

/* RASK_EINVAL: a key cannot be read. */
int rk_door_open(rk_door *door, const rk_wire_host *host, void *context, const rk_transport_keys *keys,
                 char *reason, size_t capacity);
void rk_door_close(rk_door *door, const rk_wire_host *host);
/* As rk_wire_module.allow(); text: the key. */
int rk_door_allow(rk_door *door, const rk_wire_host *host, const char *text);
/* Answers what is asked. True: something was. */
bool rk_door_answer(rk_door *door, const rk_wire_host *host);

/* As rk_wire_module. */
int rk_door_make_secret(char secret[RK_MAX_KEY + 1]);
int rk_door_public_key(const char *secret, char key[RK_MAX_KEY + 1]);

#endif
