#include "schedulers/cluster/wire/pulls.h"

#include <assert.h>

bool rk_pieces_push(rk_pieces *pieces, const rk_piece *piece)
{
    if (pieces->count == RK_MAX_PIECES)
        return false;
    pieces->ring[(pieces->first + pieces->count++) % RK_MAX_PIECES] = *piece;
    return true;
}

const rk_piece *rk_pieces_first(const rk_pieces *pieces)
{
    return pieces->count ? &pieces->ring[pieces->first] : NULL;
}

void rk_pieces_pop(rk_pieces *pieces)
{
    assert(pieces->count);
    pieces->first = (pieces->first + 1) % RK_MAX_PIECES;
    pieces->count--;
}

static void link_at(rk_pull **place, rk_pull *pull)
{
    pull->next = *place;
    pull->place = place;
    if (pull->next)
        pull->next->place = &pull->next;
    *place = pull;
}

static void take_out(rk_pulls *pulls, rk_pull *pull)
{
    *pull->place = pull->next;
    if (pull->next)
        pull->next->place = pull->place;
    else if (pulls->last_asking == &pull->next)
        pulls->last_asking = pull->place;
}

void rk_pulls_add(rk_pulls *pulls, rk_pull *pull)
{
    link_at(pulls->last_asking ? pulls->last_asking : &pulls->asking, pull);
    pulls->last_asking = &pull->next;
}

void rk_pulls_remove(rk_pulls *pulls, rk_pull *pull)
{
    take_out(pulls, pull);
}

bool rk_pulls_next(const rk_pulls *pulls, rk_piece *piece)
{
    const rk_pull *pull = pulls->asking;
    if (!pull || pulls->asked.count == RK_MAX_PIECES)
        return false;
    uint64_t rest = pull->size - pull->asked;
    *piece = (rk_piece){.kind = RK_PIECE_ASKED,
                        .size = rest < RK_PIECE ? (uint32_t)rest : RK_PIECE,
                        .ticket = pull->ticket,
                        .object = pull->object,
                        .total = pull->size,
                        .begin = pull->asked};
    return true;
}

void rk_pulls_asked(rk_pulls *pulls, const rk_piece *piece)
{
    rk_pull *pull = pulls->asking;
    assert(pull && pull->ticket == piece->ticket);
    rk_pieces_push(&pulls->asked, piece);
    pull->asked += piece->size;
    take_out(pulls, pull);
    if (pull->asked < pull->size)
        rk_pulls_add(pulls, pull);
    else
        link_at(&pulls->waiting, pull);
}
