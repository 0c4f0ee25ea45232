/* schedulers/cluster/wire/endpoint: a transport over a wire: what all engines share. Its calls are those of
 * rk_transport_engine; number: of a peer. */
#ifndef RASK_SCHEDULERS_CLUSTER_WIRE_ENDPOINT_H
#define RASK_SCHEDULERS_CLUSTER_WIRE_ENDPOINT_H

#include "schedulers/cluster/wire/wire.h"

int rk_endpoint_open(const rk_wire_module *wire, const rk_transport_setup *setup, rk_transport **out,
                     char *reason, size_t capacity);
void rk_endpoint_close(rk_transport *transport);
const char *rk_endpoint_contact(const rk_transport *transport);
int rk_endpoint_dial(rk_transport *transport, const char *contact, uint32_t *number);
int rk_endpoint_send(rk_transport *transport, uint32_t number, const void *bytes, size_t size);
int rk_endpoint_pull(rk_transport *transport, uint32_t number, uint64_t object, void *into, uint64_t size,
                     uint64_t *ticket);
void rk_endpoint_drop(rk_transport *transport, uint32_t number);
int rk_endpoint_descriptor(const rk_transport *transport);
bool rk_endpoint_progress(rk_transport *transport);
int rk_endpoint_allow(rk_transport *transport, const char *key);

#endif
