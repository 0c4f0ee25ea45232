/* The rank answers SENT for each packet that has left it; so many as RK_TUBE_CREDIT may be under way on a link's channel, so that what
 * waits for a slow peer waits here, where the endpoint sees it. */
#include "schedulers/cluster/ranks/indoor.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MOST_BULK_WAITING = 2 << 20 /* bytes in the tube that control does not wait behind */ };

struct rk_link {
    struct rk_link *next;
    uint32_t number, peer;
    bool reached;
    uint32_t sending[2]; /* packets, by channel */
    char contact[];
};

struct rk_wire {
    rk_wire_host host;
    rk_tube *tube;
    int epoll;
    bool wants_room; /* epoll tells when the tube has some */
    rk_link *links;
    uint32_t last; /* number that was given to a link */
};

static rk_tube *door;
static char own_contact[RK_MAX_CONTACT + 1];

void rk_indoor_enter(rk_tube *tube, const char *contact)
{
    door = tube;
    snprintf(own_contact, sizeof own_contact, "%s", contact);
}

bool rk_indoor_is(void)
{
    return door != NULL;
}

/* -- Links */

static rk_link **find(rk_wire *wire, uint32_t number)
{
    rk_link **at = &wire->links;
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static rk_link *find_contact(const rk_wire *wire, const char *contact)
{
    rk_link *link = wire->links;
    while (link && strcmp(link->contact, contact) != 0)
        link = link->next;
    return link;
}

static rk_link *add(rk_wire *wire, uint32_t number, uint32_t peer, const char *contact)
{
    size_t size = strlen(contact) + 1;
    rk_link *link = wire->host.calloc(1, sizeof *link + size);
    if (!link)
        return NULL;
    link->next = wire->links;
    link->number = number;
    link->peer = peer;
    memcpy(link->contact, contact, size);
    return wire->links = link;
}

static void remove_link(rk_wire *wire, rk_link **at)
{
    rk_link *link = *at;
    *at = link->next;
    wire->host.free(link);
}

static int tell(rk_wire *wire, rk_frame_kind kind, uint32_t link, const char *text)
{
    return rk_tube_put(wire->tube, (rk_frame){.kind = kind, .link = link}, text, strlen(text), NULL, 0);
}

static void wire_cut(rk_wire *wire, rk_link *link)
{
    tell(wire, RK_FRAME_CUT, link->number, "");
    remove_link(wire, find(wire, link->number));
}

/* -- What the rank says */

static void reach(rk_wire *wire, rk_link *link)
{
    link->reached = true;
    wire->host.reached(wire->host.context, link->peer);
}

/* Somebody dialled: while we dial, too, that is an answer. */
static void take_comer(rk_wire *wire, const rk_frame *frame, const char *body)
{
    char contact[RK_MAX_CONTACT + 1];
    rk_tube_text(frame, body, contact, sizeof contact);
    rk_link *link = find_contact(wire, contact);
    if (link && !link->reached) {
        link->number = frame->link;
        reach(wire, link);
        return;
    }
    link = link ? NULL : add(wire, frame->link, RK_NO_PEER, contact);
    if (!link) {
        tell(wire, RK_FRAME_CUT, frame->link, "");
        return;
    }
    link->reached = true;
    uint32_t peer = wire->host.came(wire->host.context, link);
    link = *find(wire, frame->link); /* it may have been cut */
    if (link && peer == RK_NO_PEER)
        wire_cut(wire, link);
    else if (link)
        link->peer = peer;
}

static void take_loss(rk_wire *wire, rk_link **at, int status, const char *why)
{
    uint32_t peer = (*at)->peer;
    remove_link(wire, at);
    wire->host.lost(wire->host.context, peer, status, why);
}

static void take_frame(rk_wire *wire, const rk_frame *frame, const char *body)
{
    char why[256];
    rk_link **at = find(wire, frame->link), *link = *at;
    if (frame->kind == RK_FRAME_CAME)
        take_comer(wire, frame, body);
    if (!link || frame->number > INT32_MAX)
        return;
    uint32_t channel = frame->number & 1;
    switch (frame->kind) {
    case RK_FRAME_REACHED: reach(wire, link); break;
    case RK_FRAME_SENT: link->sending[channel] -= link->sending[channel] > 0; break;
    case RK_FRAME_PACKET:
        wire->host.packet(wire->host.context, link->peer, (rk_channel)channel, body, frame->size);
        break;
    case RK_FRAME_LOST:
        rk_tube_text(frame, body, why, sizeof why);
        take_loss(wire, at, (int)frame->number, why);
        break;
    default: break;
    }
}

static bool wire_poll(rk_wire *wire)
{
    rk_frame frame;
    const char *body;
    bool did = false;
    while (rk_tube_next(wire->tube, &frame, &body)) {
        take_frame(wire, &frame, body);
        did = true;
    }
    while (wire->tube->broken && wire->links)
        take_loss(wire, &wire->links, RASK_ENOENT, "its own rank has ended");
    rk_tube_flush(wire->tube);
    return did;
}

static bool wire_settle(rk_wire *wire, bool waiting)
{
    (void)waiting;
    rk_tube_flush(wire->tube);
    bool wants_room = rk_tube_waiting(wire->tube) > 0;
    if (wants_room != wire->wants_room) {
        struct epoll_event what = {.events = EPOLLIN | (wants_room ? EPOLLOUT : 0u)};
        epoll_ctl(wire->epoll, EPOLL_CTL_MOD, wire->tube->fd, &what);
        wire->wants_room = wants_room;
    }
    return false;
}

/* -- What the endpoint asks for */

static int wire_dial(rk_wire *wire, const char *contact, uint32_t peer, rk_link **out)
{
    if (wire->tube->broken)
        return RASK_ENOENT;
    if (strlen(contact) > RK_MAX_CONTACT || !strcmp(contact, own_contact))
        return RASK_EINVAL;
    *out = find_contact(wire, contact);
    if (*out)
        return RASK_EEXIST;
    rk_link *link = add(wire, wire->last += 2, peer, contact);
    if (!link)
        return RASK_ENOMEM;
    tell(wire, RK_FRAME_DIAL, link->number, contact);
    *out = link;
    return RASK_OK;
}

static bool wire_has_room(const rk_wire *wire, const rk_link *link)
{
    return link->sending[RK_BULK] < RK_TUBE_CREDIT && rk_tube_waiting(wire->tube) < MOST_BULK_WAITING;
}

static int wire_send(rk_wire *wire, rk_link *link, rk_channel channel, const void *head, size_t head_size,
                     const void *body, size_t body_size)
{
    if (link->sending[channel] >= RK_TUBE_CREDIT || (channel == RK_BULK && !wire_has_room(wire, link)))
        return RASK_ELIMIT;
    int status = rk_tube_put(
        wire->tube, (rk_frame){.kind = RK_FRAME_PACKET, .link = link->number, .number = (uint32_t)channel},
        head, head_size, body, body_size);
    if (!status)
        link->sending[channel]++;
    return status;
}

/* -- Beginning and end */

/* What was sent leaves the rank before it parts from others. */
static void wire_close(rk_wire *wire, int milliseconds)
{
    if (!wire)
        return;
    rk_tube_drain(wire->tube, milliseconds);
    while (wire->links)
        remove_link(wire, &wire->links);
    close(wire->epoll);
    wire->host.free(wire);
}

static int wire_open(const rk_wire_host *host, const rk_transport_setup *setup, rk_wire **out, char *reason,
                     size_t capacity)
{
    (void)setup;
    rk_wire *wire = host->calloc(1, sizeof *wire);
    if (!wire)
        return RASK_ENOMEM;
    *wire = (rk_wire){.host = *host, .tube = door, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    struct epoll_event what = {.events = EPOLLIN};
    if (wire->epoll >= 0 && !epoll_ctl(wire->epoll, EPOLL_CTL_ADD, door->fd, &what)) {
        *out = wire;
        return RASK_OK;
    }
    if (wire->epoll >= 0)
        close(wire->epoll);
    host->free(wire);
    snprintf(reason, capacity, "no descriptor to wait for the own rank with");
    return RASK_ESYSTEM;
}

static const char *wire_contact(const rk_wire *wire)
{
    (void)wire;
    return own_contact;
}

static int wire_descriptor(const rk_wire *wire)
{
    return wire->epoll;
}

static int wire_allow(rk_wire *wire, const char *key)
{
    (void)wire, (void)key;
    return RASK_EUNSUPPORTED;
}

const rk_wire_module rk_indoor_wire = {
    .head = RK_MODULE_HEAD(rk_wire_module),
    .open = wire_open,
    .contact = wire_contact,
    .descriptor = wire_descriptor,
    .allow = wire_allow,
    .close = wire_close,
    .dial = wire_dial,
    .send = wire_send,
    .has_room = wire_has_room,
    .cut = wire_cut,
    .poll = wire_poll,
    .settle = wire_settle,
};
