/* schedulers/cluster/wire/wire: what an engine's module gives to the library: packets between two processes, no more.
 *
 * What all engines share (who is a peer, messages in batches, objects in pieces) is written once, in the library, by endpoint.h;
 * a wire finds others, tells who came and who went, and carries packets on two channels that do not hold each other up. Packets
 * of a channel are whole and in order. All calls come from the endpoint's thread; upcalls go out of poll() only. */
#ifndef RASK_SCHEDULERS_CLUSTER_WIRE_WIRE_H
#define RASK_SCHEDULERS_CLUSTER_WIRE_WIRE_H

#include "core/base/module.h"
#include "schedulers/cluster/transport.h"

/* Of all that both sides must know alike, wires' own greetings included: raised with each change of it. */
#define RK_WIRE_VERSION 2

enum {
    RK_MAX_BATCH = RK_MAX_PARCEL + 4, /* bytes of a packet on RK_CONTROL */
    RK_PIECE = 512 << 10,             /* most bytes of an object in a packet */
    RK_PIECE_HEAD = 40,               /* what stands before them */
    RK_MAX_PIECES = 8,                /* that an endpoint asks a peer for before the first has come */
};

typedef enum rk_channel { RK_CONTROL, RK_BULK } rk_channel;

typedef struct rk_wire rk_wire; /* an engine's endpoint */
typedef struct rk_link rk_link; /* and its way to one peer */

/* What a wire calls. The first four are thread-safe. Upcalls may call all of a wire but poll(), settle() and close(). */
typedef struct rk_wire_host {
    void *(*alloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *ptr, size_t size);
    void (*free)(void *ptr);

    void *context;
    /* Somebody came by itself, with which packets can be exchanged from now on: its number, or RK_NO_PEER: no room. It may have been
     * cut when this returns. */
    uint32_t (*came)(void *context, rk_link *link);
    /* The same of one that was dialled. */
    void (*reached)(void *context, uint32_t peer);
    void (*packet)(void *context, uint32_t peer, rk_channel channel, const void *bytes, size_t size);
    /* The link is not used any more and the wire's to free. Status and text as rk_transport_events.lost() has them. */
    void (*lost)(void *context, uint32_t peer, int status, const char *why);
    /* As rk_transport_events has it. */
    void (*refused)(void *context, int status, const char *why);
    /* Called by poll() of a wire without a descriptor where nothing came: waits so long for what else the thread has to do; NULL: there
     * is nothing else. */
    void (*rest)(void *context, uint64_t nanoseconds);
    /* Asked by poll(): whether packets on RK_BULK are taken now; NULL: always. Where they are not they stay on their way, and keep
     * room of their sender's. Wires may pass over it. */
    bool (*takes_bulk)(void *context);
} rk_wire_host;

struct rk_wire_module {
    rk_module_head head;

    /* These as the transport's. host and setup are copied; what setup points to is not. */
    int (*open)(const rk_wire_host *host, const rk_transport_setup *setup, rk_wire **out, char *reason,
                size_t capacity);
    const char *(*contact)(const rk_wire *wire);
    int (*descriptor)(const rk_wire *wire);
    int (*allow)(rk_wire *wire, const char *key);
    /* NULL, both: the engine has no keys. */
    int (*make_secret)(char secret[RK_MAX_KEY + 1]);
    int (*public_key)(const char *secret, char key[RK_MAX_KEY + 1]);

    /* Waits at most so many milliseconds for packets on their way. */
    void (*close)(rk_wire *wire, int milliseconds);
    /* peer: what its upcalls shall have. RASK_EEXIST: *link is the one that there is, or NULL; RASK_ENOENT: whoever was there has
     * ended for good. */
    int (*dial)(rk_wire *wire, const char *contact, uint32_t peer, rk_link **link);
    /* How the other end is dialled; NULL: engines whose links do not tell. */
    void (*name)(const rk_wire *wire, const rk_link *link, char contact[RK_MAX_CONTACT + 1]);
    /* A packet of two parts, which are copied. RASK_ELIMIT: no room now; RASK_ENOMEM; RASK_EIO: the peer is gone, and lost() will
     * come. */
    int (*send)(rk_wire *wire, rk_link *link, rk_channel channel, const void *head, size_t head_size,
                const void *body, size_t body_size);
    /* Whether send() of a piece may find room. */
    bool (*has_room)(const rk_wire *wire, const rk_link *link);
    /* No upcall has this peer any more; the link ends. */
    void (*cut)(rk_wire *wire, rk_link *link);
    /* Takes what there is; true when there was something. */
    bool (*poll)(rk_wire *wire);
    /* After all was sent that could be: the descriptor tells of what comes from here on, and wakes soon when something waits for
     * room. True: something came meanwhile. */
    bool (*settle)(rk_wire *wire, bool waiting);
};

#endif
