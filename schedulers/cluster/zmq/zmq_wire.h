/* schedulers/cluster/zmq/zmq_wire: the wire over ZeroMQ, as its files see it. The README says how it works. */
#ifndef RASK_SCHEDULERS_CLUSTER_ZMQ_ZMQ_WIRE_H
#define RASK_SCHEDULERS_CLUSTER_ZMQ_ZMQ_WIRE_H

#include "core/base/atomic.h"
#include "schedulers/cluster/wire/wire.h"
#include "schedulers/cluster/zmq/address.h"
#include "schedulers/cluster/zmq/door.h"
#include "schedulers/cluster/zmq/links.h"

#include <zmq.h>

enum {
    HANDSHAKE_MS = 2000, /* a connection that has not said who it is by then is closed */
    GREETING_MS = 5000,  /* and one that is no peer by then */
    HEARTBEAT_MS = 500,
    SILENCE_MS = 1400,       /* behind a heartbeat: with the one before it, a cut is noticed within 2 s */
    LIMP_MS = 1200,          /* that a link may outlive its bulk connection: longer than close() waits */
    DOUBT_MS = 300,          /* that a link is probed when its connection may have ended */
    SOON_MS = 5,             /* between two tries of what waits for room, and two probes */
    PACKETS_QUEUED = 64,     /* on RK_CONTROL, of one peer, in the library */
    PIECES_QUEUED = 16,      /* on RK_BULK */
    PIECES_BYTES = 64 << 20, /* of all pieces on their way to all peers */
    EVENTS_QUEUED = 65536,
};

/* What can be looked at, as bits. */
enum {
    LOOK_CONTROL = 1 << RK_CONTROL,
    LOOK_BULK = 1 << RK_BULK,
    LOOK_WATCH = 1 << 2,
    LOOK_DOOR = 1 << 3,
    LOOK_TIMER = 1 << 4
};

typedef struct zmq_channel {
    void *socket; /* ROUTER: takes what comes, and dials */
    void *watch;  /* PAIR: what happens to the connections of socket */
    uint16_t port;
    rk_link_map links;
} zmq_channel;

struct rk_wire {
    rk_wire_host host;
    void *context;
    zmq_channel channels[2];
    rk_door door;
    rk_link_list links;
    char contact[RK_MAX_CONTACT + 1];
    int epoll, timer;
    uint32_t look;           /* at what something may have come since it was looked at last */
    uint64_t due;            /* of the timer; 0: it is not set */
    rk_atomic_u64 in_flight; /* bytes of pieces that the library holds; other threads give them back */
};

/* -- sockets.c */

/* Sockets, bound, with their watches. */
int rk_zmq_open_channels(rk_wire *wire, const char *listen, char *reason, size_t capacity);
void rk_zmq_close_channels(rk_wire *wire);

/* Dials a link on a channel. RASK_EINVAL: not an address; RASK_ENOMEM. */
int rk_zmq_connect(rk_wire *wire, rk_link *link, rk_channel channel);
/* Ends what that began. Legal for links that came by themselves, and then nothing. */
void rk_zmq_disconnect(rk_wire *wire, rk_link *link);

/* A packet: a byte that says what it is, and two parts. As rk_wire_module.send(). */
int rk_zmq_send(rk_wire *wire, rk_link *link, rk_channel channel, uint8_t kind, const void *head,
                size_t head_size, const void *body, size_t body_size);
/* Finds out whether the peer still has the connection; RASK_EIO as above. */
int rk_zmq_probe(rk_wire *wire, rk_link *link, rk_channel channel);

typedef struct rk_zmq_packet {
    zmq_msg_t message; /* to be closed */
    uint64_t id;       /* of the connection; 0: of one that no Rask endpoint would have */
    int fd;
} rk_zmq_packet;

/* The next packet; false: there is none now. */
bool rk_zmq_receive(rk_wire *wire, rk_channel channel, rk_zmq_packet *packet);

/* -- greet.c */

enum packet_kind { PACKET_HELLO = 1, PACKET_WELCOME, PACKET_BYE, PACKET_DATA };

/* The first word of a link that was dialled. */
int rk_zmq_greet(rk_wire *wire, rk_link *link);
/* Nothing that comes of the link counts any more, and it ends when its connections do. */
void rk_zmq_hang_up(rk_wire *wire, rk_link *link);
/* The last word to a peer, behind all that was sent: the link ends when it has been heard. */
void rk_zmq_leave(rk_wire *wire, rk_link *link);
/* What came on a channel. */
void rk_zmq_take(rk_wire *wire, rk_channel channel, const rk_zmq_packet *packet);

/* -- watch.c */

/* Events of connections. True: there were some. */
bool rk_zmq_watch(rk_wire *wire);
/* Tells of links that are gone, when all packets that had come have been taken. True: there were some. */
bool rk_zmq_bury(rk_wire *wire);
/* Now and then: looks after links in doubt, and links that should be peers by now. */
void rk_zmq_look_after(rk_wire *wire);
/* The link is gone: its peer is told so when all that came of it has been taken. The first reason counts. */
void rk_zmq_give_up(rk_wire *wire, rk_link *link, int status, const char *why);
/* Its bulk connection has ended. The other one will, too, but may still bring what was sent before. */
void rk_zmq_limp(rk_wire *wire, rk_link *link);

#endif
