/* schedulers/cluster/zmq/links: connections to others, and how they are found. */
#ifndef RASK_SCHEDULERS_CLUSTER_ZMQ_LINKS_H
#define RASK_SCHEDULERS_CLUSTER_ZMQ_LINKS_H

#include "schedulers/cluster/wire/wire.h"
#include "schedulers/cluster/zmq/address.h"

/* A link begins CALLING, and is GREETING when the control connection has been answered; it is UP, and its peer known to the
 * library, when the bulk connection has, too. One that was cut is MUTE until its connections have ended. */
typedef enum link_state { LINK_CALLING, LINK_GREETING, LINK_UP, LINK_MUTE } link_state;

typedef struct link_side {
    uint64_t id;   /* of the connection, 0: none yet */
    int fd;        /* ZeroMQ's, to know its events by; -1: unknown */
    uint16_t port; /* dialled; 0: not yet, or no more */
    rk_link *next; /* in the map */
} link_side;

typedef struct rk_link_secret {
    uint8_t bytes[16];
} rk_link_secret;

struct rk_link {
    rk_link *next, *previous;
    link_state state;
    bool dialled, gone;
    bool limps; /* its bulk connection has ended: in doubt, and gone when that ends or the other one does */
    uint32_t peer;
    link_side sides[2];
    rk_address address;    /* dialled: the host, and the key if there is one */
    rk_link_secret secret; /* says that the bulk connection is of the same peer as the control connection */
    uint64_t deadline;     /* to be UP */
    uint64_t doubt;        /* until then; 0: not */
    uint32_t probed;       /* channels that are in doubt, as bits */
    int status;            /* why it is gone */
    char why[120];
};

/* From the number of a connection to its link. Zeroed: empty. */
typedef struct rk_link_map {
    rk_link **heads;
    size_t size, count;
} rk_link_map;

typedef struct rk_link_list {
    rk_link *first, *last;
    size_t count, young, doubted, gone; /* all; neither UP nor MUTE; with doubt; gone */
} rk_link_list;

/* RASK_OK; RASK_ENOMEM. side: which of the link's, with its id set. */
int rk_link_map_add(const rk_wire_host *host, rk_link_map *map, rk_link *link, rk_channel side);
void rk_link_map_remove(rk_link_map *map, rk_link *link, rk_channel side);
rk_link *rk_link_map_get(const rk_link_map *map, uint64_t id, rk_channel side);
void rk_link_map_fini(const rk_wire_host *host, rk_link_map *map);

/* A link that calls, in the list. NULL: RK_MAX_PEERS there are, or no memory. */
rk_link *rk_link_new(const rk_wire_host *host, rk_link_list *list, uint32_t peer, bool dialled);
/* It is in no map. */
void rk_link_free(const rk_wire_host *host, rk_link_list *list, rk_link *link);
void rk_link_become(rk_link_list *list, rk_link *link, link_state state);
void rk_link_doubt(rk_link_list *list, rk_link *link, uint64_t until);
void rk_link_is_gone(rk_link_list *list, rk_link *link);

#endif
