/* schedulers/cluster/ranks/tube: frames between a rank and its child: what carries packets, and tells of links, on a socket. One
 * thread has an end. Nothing blocks but what says so. */
#ifndef RASK_SCHEDULERS_CLUSTER_RANKS_TUBE_H
#define RASK_SCHEDULERS_CLUSTER_RANKS_TUBE_H

#include "schedulers/cluster/wire/wire.h"

/* What a frame says; of the link that it names. Links that the child dials have even numbers, those that come to it odd ones. */
typedef enum rk_frame_kind {
    /* to the child */
    RK_FRAME_CONTACT = 1, /* first of all: how its rank is dialled; it works over the rank */
    RK_FRAME_ADDRESS, /* or where it works: address, keys of the program and of workers, each with its 0 */
    RK_FRAME_CAME,    /* body: how it is dialled. When the child was dialling that, it is what it dialled */
    RK_FRAME_REACHED,
    RK_FRAME_LOST, /* number: the status; body: why */
    RK_FRAME_SENT, /* number: a channel on which a packet has left */
    /* to the rank */
    RK_FRAME_DIAL, /* body: the contact */
    RK_FRAME_CUT,
    RK_FRAME_END, /* number: how the child's work ended; the last */
    /* both ways */
    RK_FRAME_PACKET /* number: the channel */
} rk_frame_kind;

typedef struct rk_frame {
    uint32_t kind, link, number;
    uint32_t size; /* of the body */
} rk_frame;

enum {
    RK_TUBE_CREDIT = 16, /* packets of a link on a channel that have not left the rank */
    RK_MAX_FRAME = RK_PIECE_HEAD + RK_PIECE
};

typedef struct rk_tube_buffer {
    char *bytes;
    size_t begin, end, room;
} rk_tube_buffer;

typedef struct rk_tube {
    int fd; /* -1: closed */
    rk_tube_buffer out, in;
    bool broken; /* the other end is gone, or wrote what is no frame, or there was no memory */
} rk_tube;

/* Takes the socket. */
void rk_tube_init(rk_tube *tube, int fd);
/* Legal twice. */
void rk_tube_fini(rk_tube *tube);
/* Notes a frame, of two parts. RASK_ENOMEM, RASK_EIO: it is broken. */
int rk_tube_put(rk_tube *tube, rk_frame frame, const void *head, size_t head_size, const void *body,
                size_t body_size);
/* Writes what goes. */
void rk_tube_flush(rk_tube *tube);
/* Writes all, and blocks for so many milliseconds at most. */
void rk_tube_drain(rk_tube *tube, int milliseconds);
/* The next frame that is there; its body stays valid until the next call. */
bool rk_tube_next(rk_tube *tube, rk_frame *frame, const char **body);
/* The same, and blocks for it. False: the tube is broken. */
bool rk_tube_await(rk_tube *tube, rk_frame *frame, const char **body);

/* Bytes that were put and not written. */
static inline size_t rk_tube_waiting(const rk_tube *tube)
{
    return tube->out.end - tube->out.begin;
}

/* A body as a text: what is behind its capacity is cut. */
void rk_tube_text(const rk_frame *frame, const char *body, char *text, size_t capacity);

#endif
