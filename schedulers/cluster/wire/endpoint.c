/* Who is a peer, what waits for it, and what it waits for.
 *
 * A peer is reached (packets go both ways) or still dialled. Peers with something to do (messages, pieces to ask for, pieces to
 * send) are in a list, in which they take turns; who finds no room in the wire stays in it, until progress() comes by again.
 *
 * Events may drop any peer, even the one they are of, and end any pull. So nothing that was found is used behind an event: it
 * is looked up again, by its number. */
#include "schedulers/cluster/wire/endpoint.h"

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "schedulers/cluster/wire/outbox.h"
#include "schedulers/cluster/wire/pulls.h"

#include <poll.h>
#include <string.h>

typedef struct peer {
    uint32_t number;
    bool reached, dialled, busy;
    struct peer *next, *previous; /* of those that have something to do */
    rk_link *link;
    rk_outbox outbox;
    rk_pulls pulls;
    rk_pieces wanted; /* pieces that it asked for */
} peer;

struct rk_transport {
    const rk_wire_module *calls;
    rk_wire *wire;
    rk_transport_events events;
    rk_slots peers, pulls;
    peer *first, *last; /* that have something to do */
    size_t busy;
    bool closing; /* nothing is told any more */
};

enum { CLOSE_MS = 1000 };

static peer *find(const rk_transport *t, uint32_t number)
{
    return rk_slots_get(&t->peers, number);
}

/* -- Peers with something to do */

static bool has_work(const peer *p)
{
    rk_piece piece;
    return p->reached && (p->outbox.first || p->wanted.count || rk_pulls_next(&p->pulls, &piece));
}

static void enlist(rk_transport *t, peer *p)
{
    if (p->busy || !has_work(p))
        return;
    p->busy = true;
    p->next = NULL;
    p->previous = t->last;
    *(t->last ? &t->last->next : &t->first) = p;
    t->last = p;
    t->busy++;
}

static void delist(rk_transport *t, peer *p)
{
    if (!p->busy)
        return;
    p->busy = false;
    t->busy--;
    *(p->previous ? &p->previous->next : &t->first) = p->next;
    *(p->next ? &p->next->previous : &t->last) = p->previous;
}

/* -- How pulls and peers end */

static void end_pull(rk_transport *t, peer *p, rk_pull *pull, int status)
{
    uint64_t ticket = pull->ticket;
    rk_pulls_remove(&p->pulls, pull);
    rk_slots_remove(&t->pulls, ticket);
    rk_free(pull);
    if (t->events.pulled)
        t->events.pulled(t->events.context, ticket, status);
}

/* The peer is none any more: its link is gone already. */
static void bury(rk_transport *t, peer *p, int status)
{
    rk_pull *pull;
    delist(t, p);
    rk_slots_remove(&t->peers, p->number);
    while ((pull = p->pulls.asking) || (pull = p->pulls.waiting))
        end_pull(t, p, pull, status);
    rk_outbox_fini(&p->outbox);
    rk_free(p);
}

static void lose(rk_transport *t, peer *p, int status, const char *why)
{
    uint32_t number = p->number;
    bury(t, p, RASK_EIO);
    if (!t->closing && t->events.lost)
        t->events.lost(t->events.context, number, status, why);
}

/* It broke the protocol. */
static void expel(rk_transport *t, peer *p, const char *why)
{
    t->calls->cut(t->wire, p->link);
    lose(t, p, RASK_EFORMAT, why);
}

static peer *add_peer(rk_transport *t, int *status)
{
    uint64_t number;
    peer *p = rk_calloc(1, sizeof *p);
    *status = p ? rk_slots_add(&t->peers, p, &number) : RASK_ENOMEM;
    if (*status) {
        rk_free(p);
        return NULL;
    }
    p->number = (uint32_t)number;
    return p;
}

/* -- What comes from the wire */

static void tell_joined(rk_transport *t, peer *p, bool dialled)
{
    p->reached = true;
    if (!t->closing && t->events.joined)
        t->events.joined(t->events.context, p->number, dialled);
}

static uint32_t on_came(void *context, rk_link *link)
{
    rk_transport *t = context;
    int status;
    peer *p = add_peer(t, &status);
    if (!p)
        return RK_NO_PEER;
    uint32_t number = p->number;
    p->link = link;
    tell_joined(t, p, false);
    return number;
}

static void on_reached(void *context, uint32_t number)
{
    rk_transport *t = context;
    peer *p = find(t, number);
    if (p)
        tell_joined(t, p, true);
}

static void take_messages(rk_transport *t, uint32_t number, const char *packet, size_t size)
{
    size_t at = 0, len;
    const char *bytes;
    while (find(t, number) && rk_batch_next(packet, size, &at, &bytes, &len))
        if (!t->closing && t->events.message)
            t->events.message(t->events.context, number, bytes, len);
    peer *p = find(t, number);
    if (p && at < size)
        expel(t, p, "it sent messages whose sizes do not fit their packet");
}

/* The answer to the oldest piece that was asked for. */
static void take_piece(rk_transport *t, peer *p, const rk_piece *piece, const char *bytes)
{
    const rk_piece *asked = rk_pieces_first(&p->pulls.asked);
    bool right = asked && asked->ticket == piece->ticket && asked->begin == piece->begin &&
                 (piece->kind == RK_PIECE_MISSING || asked->size == piece->size);
    if (!right) {
        expel(t, p, "it sent a piece that was not asked for");
        return;
    }
    rk_pieces_pop(&p->pulls.asked);
    enlist(t, p);
    rk_pull *pull = rk_slots_get(&t->pulls, piece->ticket);
    if (!pull)
        return; /* ended when an earlier piece was missing */
    if (piece->kind == RK_PIECE_MISSING) {
        end_pull(t, p, pull, RASK_ENOENT);
        return;
    }
    if (piece->size)
        memcpy(pull->into + piece->begin, bytes, piece->size);
    pull->got += piece->size;
    if (pull->got == pull->size)
        end_pull(t, p, pull, RASK_OK);
}

static void take_bulk(rk_transport *t, peer *p, const char *packet, size_t size)
{
    rk_piece piece;
    if (size < sizeof piece) {
        expel(t, p, "it sent a piece without its head");
        return;
    }
    memcpy(&piece, packet, sizeof piece);
    size_t body = piece.kind == RK_PIECE_SENT ? piece.size : 0;
    if (piece.kind < RK_PIECE_ASKED || piece.kind > RK_PIECE_MISSING || piece.size > RK_PIECE ||
        size != sizeof piece + body)
        expel(t, p, "it sent a piece that is not what its head says");
    else if (piece.kind != RK_PIECE_ASKED)
        take_piece(t, p, &piece, packet + sizeof piece);
    else if (!rk_pieces_push(&p->wanted, &piece))
        expel(t, p, "it asked for more pieces at once than it may");
    else
        enlist(t, p);
}

static void on_packet(void *context, uint32_t number, rk_channel channel, const void *bytes, size_t size)
{
    rk_transport *t = context;
    peer *p = find(t, number);
    if (p && channel == RK_CONTROL)
        take_messages(t, number, bytes, size);
    else if (p)
        take_bulk(t, p, bytes, size);
}

static void on_lost(void *context, uint32_t number, int status, const char *why)
{
    rk_transport *t = context;
    peer *p = find(t, number);
    if (p)
        lose(t, p, status, why);
}

static void on_refused(void *context, int status, const char *why)
{
    rk_transport *t = context;
    if (!t->closing && t->events.refused)
        t->events.refused(t->events.context, status, why);
}

/* -- What goes to the wire. Each tells whether something went. */

static bool send_messages(rk_transport *t, peer *p)
{
    bool did = false;
    const rk_batch *batch;
    while ((batch = p->outbox.first) &&
           !t->calls->send(t->wire, p->link, RK_CONTROL, batch->bytes, batch->used, NULL, 0)) {
        rk_outbox_pop(&p->outbox);
        did = true;
    }
    return did;
}

static bool ask_for_pieces(rk_transport *t, peer *p)
{
    rk_piece piece;
    bool did = false;
    while (rk_pulls_next(&p->pulls, &piece) &&
           !t->calls->send(t->wire, p->link, RK_BULK, &piece, sizeof piece, NULL, 0)) {
        rk_pulls_asked(&p->pulls, &piece);
        did = true;
    }
    return did;
}

/* The bytes of the piece; NULL: it is missing. */
static const void *piece_bytes(rk_transport *t, uint32_t number, const rk_piece *piece)
{
    uint64_t total = 0;
    bool fits = piece->begin <= piece->total && piece->size <= piece->total - piece->begin;
    if (!fits || t->closing || !t->events.object)
        return NULL;
    const void *bytes =
        t->events.object(t->events.context, number, piece->object, piece->begin, piece->size, &total);
    return bytes && total == piece->total ? bytes : NULL;
}

static bool send_pieces(rk_transport *t, uint32_t number)
{
    bool did = false;
    peer *p = find(t, number);
    while (p && p->wanted.count && t->calls->has_room(t->wire, p->link)) {
        rk_piece piece = *rk_pieces_first(&p->wanted);
        const void *bytes = piece_bytes(t, number, &piece);
        p = find(t, number);
        if (!p)
            return true;
        piece.kind = bytes ? RK_PIECE_SENT : RK_PIECE_MISSING;
        if (t->calls->send(t->wire, p->link, RK_BULK, &piece, sizeof piece, bytes, bytes ? piece.size : 0))
            break;
        rk_pieces_pop(&p->wanted);
        did = true;
    }
    return did;
}

static bool work_for(rk_transport *t, peer *p)
{
    uint32_t number = p->number;
    delist(t, p);
    bool did = send_messages(t, p);
    did |= ask_for_pieces(t, p);
    did |= send_pieces(t, number);
    p = find(t, number);
    if (p)
        enlist(t, p);
    return did;
}

bool rk_endpoint_progress(rk_transport *transport)
{
    bool did = transport->calls->poll(transport->wire);
    for (size_t rest = transport->busy; transport->first && rest; rest--)
        did |= work_for(transport, transport->first);
    return transport->calls->settle(transport->wire, transport->first) || did;
}

/* -- The other calls */

int rk_endpoint_open(const rk_wire_module *wire, const rk_transport_setup *setup, rk_transport **out,
                     char *reason, size_t capacity)
{
    rk_transport *t = rk_calloc(1, sizeof *t);
    if (!t)
        return RASK_ENOMEM;
    *t = (rk_transport){.calls = wire, .events = setup->events};
    rk_slots_init(&t->peers, RK_MAX_PEERS, RK_NO_PEER);
    rk_slots_init(&t->pulls, RK_MAX_PULLS, UINT64_MAX);
    const rk_wire_host host = {.alloc = rk_alloc,
                               .calloc = rk_calloc,
                               .realloc = rk_realloc,
                               .free = rk_free,
                               .context = t,
                               .came = on_came,
                               .reached = on_reached,
                               .packet = on_packet,
                               .lost = on_lost,
                               .refused = on_refused};
    int status = wire->open(&host, setup, &t->wire, reason, capacity);
    if (status)
        rk_free(t);
    else
        *out = t;
    return status;
}

static bool has_unsent(const rk_transport *t)
{
    for (const peer *p = t->first; p; p = p->next)
        if (p->outbox.first)
            return true;
    return false;
}

/* Lets messages go that wait, for a second at most. Milliseconds that are left of it. */
static int send_rest(rk_transport *t)
{
    uint64_t begin = rk_clock_now(), spent = 0;
    while (spent < CLOSE_MS) {
        bool did = rk_endpoint_progress(t);
        if (!has_unsent(t))
            break;
        struct pollfd wait = {.fd = t->calls->descriptor(t->wire), .events = POLLIN};
        if (!did)
            poll(&wait, 1, 1); /* a descriptor of -1 is passed over */
        spent = (rk_clock_now() - begin) / 1000000;
    }
    return spent < CLOSE_MS ? CLOSE_MS - (int)spent : 0;
}

void rk_endpoint_close(rk_transport *transport)
{
    rk_transport *t = transport;
    if (!t)
        return;
    rk_pull *pull;
    size_t at = 0;
    t->closing = true;
    for (peer *p; (p = rk_slots_next(&t->peers, &at));)
        while ((pull = p->pulls.asking) || (pull = p->pulls.waiting))
            end_pull(t, p, pull, RASK_ECANCELLED);
    t->calls->close(t->wire, send_rest(t));
    at = 0;
    for (peer *p; (p = rk_slots_next(&t->peers, &at));)
        bury(t, p, RASK_ECANCELLED);
    rk_slots_fini(&t->peers);
    rk_slots_fini(&t->pulls);
    rk_free(t);
}

const char *rk_endpoint_contact(const rk_transport *transport)
{
    return transport->calls->contact(transport->wire);
}

/* Who is at the link and came by itself; NULL: nobody. */
static const peer *find_comer(const rk_transport *t, const rk_link *link)
{
    size_t at = 0;
    const peer *p = NULL;
    while (link && (p = rk_slots_next(&t->peers, &at)) && p->link != link) {
    }
    return p && !p->dialled ? p : NULL;
}

int rk_endpoint_dial(rk_transport *transport, const char *contact, uint32_t *number)
{
    rk_link *link = NULL;
    int status;
    peer *p = add_peer(transport, &status);
    if (!p)
        return status;
    status = transport->calls->dial(transport->wire, contact, p->number, &link);
    if (status) {
        bury(transport, p, status);
        const peer *comer = status == RASK_EEXIST ? find_comer(transport, link) : NULL;
        if (!comer)
            return status;
        *number = comer->number;
        return RASK_OK;
    }
    p->link = link;
    p->dialled = true;
    *number = p->number;
    return RASK_OK;
}

int rk_endpoint_send(rk_transport *transport, uint32_t number, const void *bytes, size_t size)
{
    peer *p = find(transport, number);
    if (!p || !p->reached)
        return RASK_ENOENT;
    int status = rk_outbox_push(&p->outbox, bytes, size);
    if (!status)
        enlist(transport, p);
    return status;
}

int rk_endpoint_pull(rk_transport *transport, uint32_t number, uint64_t object, void *into, uint64_t size,
                     uint64_t *ticket)
{
    peer *p = find(transport, number);
    if (!p || !p->reached)
        return RASK_ENOENT;
    rk_pull *pull = rk_calloc(1, sizeof *pull);
    int status = pull ? rk_slots_add(&transport->pulls, pull, ticket) : RASK_ENOMEM;
    if (status) {
        rk_free(pull);
        return status;
    }
    pull->ticket = *ticket;
    pull->object = object;
    pull->into = into;
    pull->size = size;
    rk_pulls_add(&p->pulls, pull);
    enlist(transport, p);
    return RASK_OK;
}

void rk_endpoint_drop(rk_transport *transport, uint32_t number)
{
    peer *p = find(transport, number);
    if (!p)
        return;
    transport->calls->cut(transport->wire, p->link);
    bury(transport, p, RASK_ECANCELLED);
}

int rk_endpoint_descriptor(const rk_transport *transport)
{
    return transport->calls->descriptor(transport->wire);
}

int rk_endpoint_allow(rk_transport *transport, const char *key)
{
    return transport->calls->allow(transport->wire, key);
}
