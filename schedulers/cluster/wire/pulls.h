/* schedulers/cluster/wire/pulls: objects on their way to this endpoint, in pieces, and pieces that others want of it. */
#ifndef RASK_SCHEDULERS_CLUSTER_WIRE_PULLS_H
#define RASK_SCHEDULERS_CLUSTER_WIRE_PULLS_H

#include "schedulers/cluster/wire/slots.h"
#include "schedulers/cluster/wire/wire.h"

enum rk_piece_kind {
    RK_PIECE_ASKED = 1, /* please send it */
    RK_PIECE_SENT,      /* here it is: size bytes follow */
    RK_PIECE_MISSING    /* there is no such object, or its size is not total */
};

/* What a packet on RK_BULK begins with. Pieces are answered in the order in which they were asked for. */
typedef struct rk_piece {
    uint32_t kind, size;
    uint64_t ticket; /* whoever asked knows it by; comes back as it was */
    uint64_t object, total, begin;
} rk_piece;

_Static_assert(sizeof(rk_piece) == RK_PIECE_HEAD, "no holes");

/* A few pieces, first in, first out. Zeroed: empty. */
typedef struct rk_pieces {
    rk_piece ring[RK_MAX_PIECES];
    uint32_t first, count;
} rk_pieces;

/* False: it is full. */
bool rk_pieces_push(rk_pieces *pieces, const rk_piece *piece);
/* NULL: it is empty. */
const rk_piece *rk_pieces_first(const rk_pieces *pieces);
void rk_pieces_pop(rk_pieces *pieces);

typedef struct rk_pull {
    struct rk_pull *next, **place; /* of the list it is in */
    uint64_t ticket, object, size;
    uint64_t asked, got; /* bytes */
    char *into;
} rk_pull;

/* Of one peer. Zeroed: none. Those with pieces to ask for take turns. */
typedef struct rk_pulls {
    rk_pull *asking, **last_asking; /* last_asking: NULL as long as nobody ever was */
    rk_pull *waiting;
    rk_pieces asked;
} rk_pulls;

void rk_pulls_add(rk_pulls *pulls, rk_pull *pull);
void rk_pulls_remove(rk_pulls *pulls, rk_pull *pull);
/* The piece to ask for next; false: none, or as many as may be are asked for. It counts as asked for by rk_pulls_asked(). */
bool rk_pulls_next(const rk_pulls *pulls, rk_piece *piece);
void rk_pulls_asked(rk_pulls *pulls, const rk_piece *piece);

#endif
