/* schedulers/cluster/transport: how processes of a cluster reach each other: messages, and objects that are pulled.
 *
 * The scheduler knows this interface only; engines that exist already carry it (ZeroMQ, MPI), each in a module loaded on first
 * use. One endpoint belongs to one thread, which makes all calls and gets all events, from inside progress().
 * No call blocks, but open() and close().
 *
 * Peers. Whoever dialled or was dialled is a peer, and has a number from joined() to lost(), which is never used again by this
 * endpoint. A contact is how an endpoint is dialled: opaque printable text, with the key that it proves itself with where the
 * engine encrypts; it travels in messages.
 *
 * Messages are small, whole, and in order between two peers; each arrives once or its peer is lost. Objects are large: who has
 * one offers it by a number of its own choice, a peer pulls it into memory of its own, and every pull ends, by pulled(), with
 * the bytes or with a status. Pulls do not hold messages up.
 *
 * Waiting. send() and pull() only note what is to be done: many small messages to a peer go as one. progress() does it. So:
 * call progress() until it answers false, then wait for the descriptor, or for what else the thread waits for, and again.
 *
 * Bytes from peers are hostile until the scheduler has looked at them: an engine bounds sizes and counts before it takes
 * memory, and a peer that breaks the engine's own protocol is lost, with a reason, and nothing else happens. */
#ifndef RASK_SCHEDULERS_CLUSTER_TRANSPORT_H
#define RASK_SCHEDULERS_CLUSTER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RK_NO_PEER UINT32_MAX

enum {
    RK_MAX_CONTACT = 511,          /* bytes of a contact, without the 0 */
    RK_MAX_KEY = 127,              /* bytes of a key in printable form, without the 0 */
    RK_MAX_PARCEL = 65536,         /* bytes of a message */
    RK_MAX_PEERS = 65536,          /* at once, of one endpoint */
    RK_MAX_PULLS = 1024,           /* under way at once, of one endpoint */
    RK_MAX_QUEUED_BYTES = 8 << 20, /* messages that wait for one slow peer */
};

typedef struct rk_transport rk_transport;
typedef struct rk_transport_engine rk_transport_engine;

typedef struct rk_transport_events {
    void *context;
    /* A peer is there: dialled by this endpoint, or come by itself. */
    void (*joined)(void *context, uint32_t peer, bool dialled);
    /* bytes are valid during the call, and aligned to nothing. */
    void (*message)(void *context, uint32_t peer, const void *bytes, size_t size);
    /* Nothing more comes from it; its pulls have ended before. It came by joined() or was dialled by this endpoint. why: a text
     * for people. RASK_EIO: it died, left, was cut off or was never reached; RASK_EINVAL: it does not accept this endpoint's
     * key, or has not the key of its contact; RASK_EUNSUPPORTED: it speaks another version of this protocol; RASK_EFORMAT: it
     * broke the protocol; RASK_ENOENT: it has ended for good, and nobody will be at its contact again; RASK_ENOMEM. */
    void (*lost)(void *context, uint32_t peer, int status, const char *why);
    /* A peer wants bytes begin … begin + size - 1 of an object. Their address, valid until this endpoint's next
     * progress(); NULL: there is no such object, or it is not that large. *total: size of the whole. A large object is asked
     * for piece by piece. Of an object of 0 bytes any address but NULL. */
    const void *(*object)(void *context, uint32_t peer, uint64_t object, uint64_t begin, size_t size,
                          uint64_t *total);
    /* Somebody was refused before it was a peer. RASK_EINVAL: it has another key, or only one side has one; RASK_EFORMAT: it
     * speaks no such protocol, or nothing. Who has no key can do both. NULL: not wanted. */
    void (*refused)(void *context, int status, const char *why);
    /* A pull of this endpoint has ended. RASK_OK: all bytes are there. RASK_ENOENT: the peer has no such object, or not of that
     * size; RASK_EIO: the peer was lost; RASK_ECANCELLED: dropped, or the endpoint was closed. */
    void (*pulled)(void *context, uint64_t ticket, int status);
} rk_transport_events;

/* Who may speak to whom. Keys are in the engine's printable form (ZeroMQ: 64 hexadecimal digits). */
typedef struct rk_transport_keys {
    const char *secret;         /* of this endpoint; NULL: one is made */
    const char *const *allowed; /* public keys of peers that may come; count 0 and not open_door: nobody */
    size_t allowed_count;
    /* Whoever comes is let in, and nothing is encrypted: for this machine only. Only such endpoints reach each other. */
    bool open_door;
} rk_transport_keys;

typedef struct rk_transport_setup {
    /* Where peers can dial this endpoint, as the engine writes addresses ("tcp://host:port", port * is any; ZeroMQ takes the
     * port given and the next one); NULL: any address of this machine that the peers reach, with open_door loopback. */
    const char *listen;
    rk_transport_keys keys;
    rk_transport_events events;
} rk_transport_setup;

typedef struct rk_transport_abilities {
    bool elastic;      /* peers may come and go while others stay */
    bool encrypted;    /* and peers prove who they are */
    bool notices_loss; /* lost() comes for a peer that died or was cut off; else the job dies with it */
} rk_transport_abilities;

struct rk_transport_engine {
    const char *name;
    rk_transport_abilities abilities;

    /* engine: this one. RASK_EINVAL: an address or a key cannot be read; RASK_EIO: the address is not to be had;
     * RASK_EUNSUPPORTED: not in this environment; RASK_ENOMEM; with a text in reason (capacity bytes). setup is copied.
     * MPI: all ranks open together, one endpoint at a time. */
    int (*open)(const rk_transport_engine *engine, const rk_transport_setup *setup, rk_transport **out,
                char *reason, size_t capacity);
    /* Ends all pulls, tells no peer's loss, waits at most a second for messages on their way. NULL is legal. */
    void (*close)(rk_transport *transport);

    /* This endpoint's own, valid as long as it is. */
    const char *(*contact)(const rk_transport *transport);
    /* joined() or lost() follows, unless it came by itself and is a peer already (MPI), which *peer is then; a host's name,
     * which no contact of an endpoint has, is looked up here and may take its time. RASK_EINVAL: not a contact of this
     * engine, or of one that does not encrypt as this endpoint does; RASK_EEXIST: dialled already and not lost or dropped
     * since; RASK_ENOENT: as for lost(); RASK_ELIMIT: RK_MAX_PEERS; RASK_ENOMEM. */
    int (*dial)(rk_transport *transport, const char *contact, uint32_t *peer);
    /* Copies bytes. RASK_ENOENT: no such peer, or not joined; RASK_ELIMIT: larger than RK_MAX_PARCEL, or RK_MAX_QUEUED_BYTES
     * wait for the peer already, and nothing was sent; RASK_ENOMEM. They go by progress(). */
    int (*send)(rk_transport *transport, uint32_t peer, const void *bytes, size_t size);
    /* into: size bytes, the engine's until pulled(ticket). RASK_ENOENT: no such peer, or not joined; RASK_ELIMIT: RK_MAX_PULLS;
     * RASK_ENOMEM. */
    int (*pull)(rk_transport *transport, uint32_t peer, uint64_t object, void *into, uint64_t size,
                uint64_t *ticket);
    /* Pulls of the peer end, it is not heard any more, lost() does not come. The peer hears of it. */
    void (*drop)(rk_transport *transport, uint32_t peer);
    /* Readable when progress() has something to do, if it was called since and answered false; -1: none, look often. */
    int (*descriptor)(const rk_transport *transport);
    /* Sends and takes what there is, and calls events. True when there was something. Events may call everything but progress()
     * and close(). */
    bool (*progress)(rk_transport *transport);

    /* Lets peers with one more public key come. RASK_EINVAL: not a key; RASK_ELIMIT: RK_MAX_PEERS keys; RASK_ENOMEM;
     * RASK_EUNSUPPORTED: the engine, or this endpoint, does not encrypt. */
    int (*allow)(rk_transport *transport, const char *key);
    /* A new secret key, then the public one that belongs to a secret one. RASK_EINVAL: not a secret key; RASK_EUNSUPPORTED. */
    int (*make_secret)(char secret[RK_MAX_KEY + 1]);
    int (*public_key)(const char *secret, char key[RK_MAX_KEY + 1]);
};

/* The engine of that name, which lives for good: "zmq"; "openmpi", "mpich"; "mpi": the MPI that started this process, by the
 * marks that launchers leave in the environment (OMPI_COMM_WORLD_SIZE, PMI_RANK, HYDI_CONTROL_FD, PMIX_RANK), and in a child
 * of a rank the rank. Loads its module. RASK_EINVAL: no such name; RASK_EUNSUPPORTED: its module or a library of it is not
 * there: reason names the package; RASK_ENOMEM. Thread-safe. */
int rk_transport_find(const char *name, const rk_transport_engine **engine, char *reason, size_t capacity);

/* What carries packets for an engine that was found. */
typedef struct rk_wire_module rk_wire_module;
const rk_wire_module *rk_transport_wire(const rk_transport_engine *engine);

#endif
