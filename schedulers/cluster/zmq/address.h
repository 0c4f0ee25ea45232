/* schedulers/cluster/zmq/address: where an endpoint is: tcp://HOST:PORT, with /KEY behind it in a contact. */
#ifndef RASK_SCHEDULERS_CLUSTER_ZMQ_ADDRESS_H
#define RASK_SCHEDULERS_CLUSTER_ZMQ_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KEY_BYTES = 32,
    KEY_DIGITS = 64,
    MAX_HOST = 63,     /* bytes of a numeric address, in brackets if it is IPv6's */
    MAX_ENDPOINT = 127 /* bytes of tcp://HOST:PORT */
};

typedef struct rk_address {
    char host[MAX_HOST + 1]; /* numeric or *, or an interface's name */
    uint16_t port;           /* 0: any */
    bool has_key;
    uint8_t key[KEY_BYTES];
} rk_address;

/* Names of hosts are looked up, which may take its time. False: it cannot be read or found. */
bool rk_address_read(const char *text, rk_address *address);
/* Of a connection that ZeroMQ names so; no lookup. 0: it has none. */
uint16_t rk_address_port(const char *endpoint);
/* tcp://HOST:PORT, as ZeroMQ itself would write it. */
void rk_address_endpoint(const rk_address *address, uint16_t port, char endpoint[MAX_ENDPOINT + 1]);
bool rk_address_is_ipv6(const rk_address *address);
/* Every address of this machine is meant. */
bool rk_address_is_any(const rk_address *address);
/* The one of this machine that others reach best; loopback if there is no other. */
void rk_address_own_host(char host[MAX_HOST + 1]);

/* Keys as 64 hexadecimal digits. */
bool rk_key_read(const char *text, uint8_t key[KEY_BYTES]);
void rk_key_write(const uint8_t key[KEY_BYTES], char text[KEY_DIGITS + 1]);

#endif
