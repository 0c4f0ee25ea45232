#include "schedulers/cluster/ranks/relay.h"

#include "core/base/alloc.h"
#include "core/base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_BEHIND =
        32 << 20, /* bytes for the child that it has not read: what is large waits where it comes from, */
    MOST_KEPT = 2 * MOST_BEHIND, /* and with so many, of messages alone, it is of no use any more */
    LAST_MS = 1000               /* for what a child that has ended sent before */
};

#define ORPHAN_NS 5000000000u /* a child whose program has ended, and which does not return */

/* A packet that MPI had no room for. */
typedef struct packet {
    struct packet *next;
    size_t size;
    char bytes[];
} packet;

typedef struct way {
    packet *first, **last;
    uint32_t count;
} way;

typedef struct line_link {
    struct line_link *next;
    uint32_t number;
    rk_link *link;
    way ways[2]; /* by channel */
} line_link;

typedef struct relay {
    const rk_nursery *nursery;
    const rk_wire_module *calls; /* NULL: the child works elsewhere */
    rk_wire *wire;
    rk_tube child; /* broken: there is none */
    const char *order;
    size_t order_size;
    line_link *links;
    uint32_t last; /* number of a link that came */
    bool over, ended;
    int outcome;
    uint64_t orphaned_ns; /* since rank 0 has ended; 0: it has not */
} relay;

/* -- Links */

static line_link **find(relay *r, uint32_t number)
{
    line_link **at = &r->links;
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static line_link *add(relay *r, uint32_t number)
{
    line_link *l = rk_calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->number = number;
    l->next = r->links;
    for (int i = 0; i < 2; i++)
        l->ways[i].last = &l->ways[i].first;
    return r->links = l;
}

static void pop(way *w)
{
    packet *p = w->first;
    w->first = p->next;
    if (!w->first)
        w->last = &w->first;
    w->count--;
    rk_free(p);
}

static void remove_link(line_link **at)
{
    line_link *l = *at;
    *at = l->next;
    for (int i = 0; i < 2; i++)
        while (l->ways[i].first)
            pop(&l->ways[i]);
    rk_free(l);
}

/* Without memory for what it must be told the child is of no use. */
static void tell(relay *r, rk_frame_kind kind, uint32_t link, uint32_t number, const void *body, size_t size)
{
    rk_frame frame = {.kind = kind, .link = link, .number = number};
    if (rk_tube_put(&r->child, frame, body, size, NULL, 0) == RASK_ENOMEM ||
        rk_tube_waiting(&r->child) > MOST_KEPT)
        r->child.broken = true;
}

static void tell_loss(relay *r, uint32_t link, int status, const char *why)
{
    tell(r, RK_FRAME_LOST, link, (uint32_t)status, why, strlen(why));
    if (status == RASK_ENOENT && !r->orphaned_ns)
        r->orphaned_ns = rk_clock_now();
}

/* -- What MPI says */

static uint32_t on_came(void *context, rk_link *link)
{
    relay *r = context;
    char contact[RK_MAX_CONTACT + 1];
    line_link *l = r->child.broken ? NULL : add(r, (r->last += 2) + 1);
    if (!l)
        return RK_NO_PEER;
    l->link = link;
    r->calls->name(r->wire, link, contact);
    tell(r, RK_FRAME_CAME, l->number, 0, contact, strlen(contact));
    return l->number;
}

static void on_reached(void *context, uint32_t number)
{
    tell(context, RK_FRAME_REACHED, number, 0, NULL, 0);
}

static void on_packet(void *context, uint32_t number, rk_channel channel, const void *bytes, size_t size)
{
    tell(context, RK_FRAME_PACKET, number, (uint32_t)channel, bytes, size);
}

static void on_lost(void *context, uint32_t number, int status, const char *why)
{
    relay *r = context;
    line_link **at = find(r, number);
    if (*at)
        remove_link(at);
    tell_loss(r, number, status, why);
}

static void on_refused(void *context, int status, const char *why)
{
    (void)context, (void)status, (void)why;
}

/* MPI is heard all the time, so that nobody takes this rank for lost, and it hears of the end. */
static bool on_takes_bulk(void *context)
{
    return rk_tube_waiting(&((const relay *)context)->child) < MOST_BEHIND;
}

/* What the child says, and that it reads what waits for it, is heard at once. */
static void on_rest(void *context, uint64_t nanoseconds)
{
    const relay *r = context;
    const struct timespec most = {0, (long)nanoseconds};
    short what = rk_tube_waiting(&r->child) ? POLLIN | POLLOUT : POLLIN;
    struct pollfd child = {.fd = r->child.broken ? -1 : r->child.fd, .events = what};
    ppoll(&child, 1, &most, NULL);
}

/* -- What the child says */

static bool is_known(const relay *r, const rk_link *link)
{
    const line_link *l = r->links;
    while (l && l->link != link)
        l = l->next;
    return l;
}

/* One that came meanwhile the child takes for its answer when it hears of it. */
static void dial(relay *r, const rk_frame *frame, const char *body)
{
    char contact[RK_MAX_CONTACT + 1];
    rk_link *link = NULL;
    line_link *l = add(r, frame->link);
    rk_tube_text(frame, body, contact, sizeof contact);
    int status = l ? r->calls->dial(r->wire, contact, frame->link, &link) : RASK_ENOMEM;
    if (!status) {
        l->link = link;
        return;
    }
    if (l)
        remove_link(&r->links);
    if (status != RASK_EEXIST || !is_known(r, link))
        tell_loss(r, frame->link, status == RASK_EEXIST ? RASK_EIO : status,
                  status == RASK_ENOENT ? "it has ended" : "it cannot be dialled");
}

static bool pass(relay *r, line_link *l, rk_channel channel, const char *bytes, size_t size)
{
    int status = r->calls->send(r->wire, l->link, channel, bytes, size, NULL, 0);
    if (status == RASK_ELIMIT || status == RASK_ENOMEM)
        return false;
    tell(r, RK_FRAME_SENT, l->number, (uint32_t)channel, NULL, 0); /* of a link that is lost, too */
    return true;
}

static bool keep(way *w, const char *bytes, size_t size)
{
    packet *p = w->count < RK_TUBE_CREDIT ? rk_alloc(sizeof *p + size) : NULL;
    if (!p)
        return false;
    p->next = NULL;
    p->size = size;
    memcpy(p->bytes, bytes, size);
    *w->last = p;
    w->last = &p->next;
    w->count++;
    return true;
}

static void take_packet(relay *r, const rk_frame *frame, const char *body)
{
    line_link *l = *find(r, frame->link);
    rk_channel channel = (rk_channel)(frame->number & 1);
    if (!l)
        return;
    way *w = &l->ways[channel];
    if ((w->first || !pass(r, l, channel, body, frame->size)) && !keep(w, body, frame->size))
        r->child.broken = true; /* it does not keep to what it may, or there is no memory */
}

static void cut(relay *r, line_link **at)
{
    if (*at && (*at)->link)
        r->calls->cut(r->wire, (*at)->link);
    if (*at)
        remove_link(at);
}

static void take_frame(relay *r, const rk_frame *frame, const char *body)
{
    if (frame->kind == RK_FRAME_END) {
        r->ended = true;
        r->outcome = (int)frame->number;
    }
    if (!r->calls)
        return;
    switch (frame->kind) {
    case RK_FRAME_DIAL: dial(r, frame, body); break;
    case RK_FRAME_CUT: cut(r, find(r, frame->link)); break;
    case RK_FRAME_PACKET: take_packet(r, frame, body); break;
    default: break;
    }
}

static bool pass_kept(relay *r)
{
    bool left = false;
    for (line_link *l = r->links; l; l = l->next)
        for (int i = 0; i < 2; i++) {
            way *w = &l->ways[i];
            while (w->first && pass(r, l, (rk_channel)i, w->first->bytes, w->first->size))
                pop(w);
            left |= w->first != NULL;
        }
    return left;
}

/* -- The child's life */

static void greet(relay *r, int fd)
{
    rk_tube_init(&r->child, fd);
    if (r->calls) {
        const char *contact = r->calls->contact(r->wire);
        tell(r, RK_FRAME_CONTACT, 0, 0, contact, strlen(contact));
    } else {
        tell(r, RK_FRAME_ADDRESS, 0, 0, r->order, r->order_size);
    }
    rk_tube_flush(&r->child);
}

/* It has died, or ended; what it said before was heard. */
static void bury(relay *r)
{
    while (r->calls && r->links) /* there are links by MPI only */
        cut(r, &r->links);
    rk_tube_fini(&r->child);
    r->over = r->ended;
}

static void hear_child(relay *r)
{
    rk_frame frame;
    const char *body;
    while (!r->ended && rk_tube_next(&r->child, &frame, &body))
        take_frame(r, &frame, body);
    rk_tube_flush(&r->child);
}

/* False: there are no children any more. */
static bool take_child(relay *r, bool wait)
{
    bool over;
    int fd = rk_nursery_next(r->nursery, wait, &over);
    if (fd >= 0)
        greet(r, fd);
    return !over;
}

/* Lets what it sent leave, and its process end: it prints what it has to print. */
static void see_off(relay *r)
{
    uint64_t end = rk_clock_now() + (uint64_t)LAST_MS * 1000000;
    while (r->calls && pass_kept(r) && rk_clock_now() < end)
        r->calls->poll(r->wire);
    struct pollfd wait = {.fd = r->child.fd, .events = POLLIN};
    if (!r->child.broken)
        poll(&wait, 1, LAST_MS);
    bury(r);
}

static bool is_given_up(const relay *r)
{
    return r->orphaned_ns && rk_clock_now() - r->orphaned_ns > ORPHAN_NS;
}

static void turn(relay *r)
{
    pass_kept(r);
    if (!r->child.broken)
        hear_child(r);
    r->calls->poll(r->wire);
    if (!r->child.broken)
        rk_tube_flush(&r->child);
    if (r->ended)
        see_off(r);
    else if (r->child.broken && r->child.fd >= 0)
        bury(r);
    r->over |= is_given_up(r);
}

static int give_up(relay *r, char *reason, size_t capacity)
{
    snprintf(reason, capacity, "no processes that run tasks are to be had");
    r->over = true;
    return RASK_ESYSTEM;
}

int rk_relay_mpi(const rk_nursery *nursery, const rk_wire_module *calls, int *outcome, char *reason,
                 size_t capacity)
{
    relay r = {.nursery = nursery, .calls = calls};
    const rk_transport_setup setup = {.keys.open_door = true};
    const rk_wire_host host = {rk_alloc,   rk_calloc, rk_realloc, rk_free,    &r,      on_came,
                               on_reached, on_packet, on_lost,    on_refused, on_rest, on_takes_bulk};
    r.child = (rk_tube){.fd = -1, .broken = true};
    int status = calls->open(&host, &setup, &r.wire, reason, capacity);
    if (status)
        return status;
    rk_nursery_begin(nursery);
    while (!r.over) {
        if (r.child.fd < 0 && !take_child(&r, false))
            status = give_up(&r, reason, capacity);
        turn(&r);
    }
    bury(&r);
    calls->close(r.wire, LAST_MS);
    *outcome = r.outcome;
    return status;
}

int rk_relay_address(const rk_nursery *nursery, const char *order, size_t size, int *outcome, char *reason,
                     size_t capacity)
{
    relay r = {.nursery = nursery, .order = order, .order_size = size};
    rk_frame frame;
    const char *body;
    int status = RASK_OK;
    r.child = (rk_tube){.fd = -1, .broken = true};
    rk_nursery_begin(nursery);
    while (!r.over && !status) {
        if (!take_child(&r, true))
            status = give_up(&r, reason, capacity);
        while (!r.ended && rk_tube_await(&r.child, &frame, &body))
            take_frame(&r, &frame, body);
        see_off(&r);
    }
    *outcome = r.outcome;
    return status;
}
