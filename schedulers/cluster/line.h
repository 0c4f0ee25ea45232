/* schedulers/cluster/line: what the program and its workers need alike to talk through a transport: waiting, messages to a peer,
 * and objects that come from one. All of it belongs to the thread of the endpoint, but the bell. */
#ifndef RASK_SCHEDULERS_CLUSTER_LINE_H
#define RASK_SCHEDULERS_CLUSTER_LINE_H

#include "schedulers/cluster/protocol.h"

/* -- Waiting: for the transport, or for other threads of the process, which ring. */

typedef struct rk_bell {
    int read, write; /* -1: there is none */
} rk_bell;

/* RASK_ESYSTEM. */
int rk_bell_init(rk_bell *bell);
void rk_bell_fini(rk_bell *bell);
/* From any thread, and from signal handlers. */
void rk_bell_ring(const rk_bell *bell);

/* -- An endpoint */

typedef struct rk_line {
    const rk_transport_engine *engine;
    rk_transport *transport;
    rk_bell bell;
} rk_line;

/* How the engine of an address is called: "tcp://…" is ZeroMQ's, "mpi:…" that of a launch (ranks/launch.h). RASK_EINVAL,
 * RASK_EUNSUPPORTED, with a reason. */
int rk_line_engine(const char *address, const rk_transport_engine **engine, char *reason, size_t capacity);
/* Why dial() took address, a program's as the user has it, for none (RASK_EINVAL). */
void rk_line_tell_unusable(const char *address, char *reason, size_t capacity);
/* For tests: this engine carries addresses that begin so, from here on. NULL: none any more. */
void rk_line_use(const char *scheme, const rk_transport_engine *engine);

/* line->engine is set. RASK_ESYSTEM, or as the engine's open(). */
int rk_line_open(rk_line *line, const rk_transport_setup *setup, char *reason, size_t capacity);
/* Legal for one that is not open. */
void rk_line_close(rk_line *line);
/* Does what there is, then waits for more, or a ring, or so many nanoseconds, when there was nothing. */
void rk_line_turn(rk_line *line, uint64_t nanoseconds);

/* -- Messages to a peer */

typedef struct rk_mouth {
    rk_pack_out words; /* not sent yet */
    rk_array kept;     /* rk_pack_out: parcels that the transport had no room for */
    uint64_t kept_bytes;
    bool failed; /* no memory, or far too much is kept: the peer is of no use any more */
} rk_mouth;

void rk_mouth_init(rk_mouth *mouth);
void rk_mouth_fini(rk_mouth *mouth);
/* Goes with the next flush, or before. */
void rk_mouth_say(rk_mouth *mouth, const rk_line *line, uint32_t peer, const rk_message *message);
void rk_mouth_flush(rk_mouth *mouth, const rk_line *line, uint32_t peer);

/* -- Objects from peers */

/* The result of a unit of a run, or with RK_NO_UNIT the run's plan. */
static inline uint64_t rk_object_of(uint32_t run, uint32_t unit)
{
    return (uint64_t)run << 32 | unit;
}

typedef struct rk_fetch {
    uint32_t peer, run, unit, attempt;
    uint64_t size, began_ns, ticket;
    char *into;   /* size bytes and a NUL, when it has come */
    bool pulling; /* else it waits for the peer to join, or for others to end */
    int status;
} rk_fetch;

typedef struct rk_fetches {
    rk_array all; /* rk_fetch */
} rk_fetches;

void rk_fetches_init(rk_fetches *fetches);
/* After the transport was closed. */
void rk_fetches_fini(rk_fetches *fetches);
/* RASK_ENOMEM: no room for it. */
int rk_fetches_add(rk_fetches *fetches, uint32_t peer, uint32_t run, uint32_t unit, uint32_t attempt,
                   uint64_t size);
/* Pulls what can be pulled now. */
void rk_fetches_go(rk_fetches *fetches, const rk_line *line);
/* A pull has ended; false: of none that is known. out->into is the caller's. */
bool rk_fetches_end(rk_fetches *fetches, uint64_t ticket, int status, rk_fetch *out);
/* One that never began, of a peer that is lost; false: there is none. */
bool rk_fetches_lose(rk_fetches *fetches, uint32_t peer, rk_fetch *out);

#endif
