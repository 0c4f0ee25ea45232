/* How it is noticed that a peer is gone. ZeroMQ tells that some connection has ended, by its descriptor, which may be another
 * connection's by now. So links that are known by it are in doubt for a while, and probed: a packet without bytes finds out. Only
 * on that channel: a connection that was closed at the other end may still bring what was sent before, unless something is sent on
 * it. What had come of a peer is taken before it is lost. */
#include "schedulers/cluster/zmq/zmq_wire.h"

#include "core/base/clock.h"

#include <stdio.h>
#include <string.h>

typedef struct event {
    uint16_t what;
    uint32_t value;
    char endpoint[MAX_ENDPOINT + 1];
} event;

static bool receive(void *watch, event *e)
{
    uint8_t first[6];
    if (zmq_recv(watch, first, sizeof first, ZMQ_DONTWAIT) != (int)sizeof first)
        return false;
    memcpy(&e->what, first, sizeof e->what);
    memcpy(&e->value, first + sizeof e->what, sizeof e->value);
    int size = zmq_recv(watch, e->endpoint, MAX_ENDPOINT, ZMQ_DONTWAIT);
    if (size < 0)
        return false;
    e->endpoint[size < MAX_ENDPOINT ? size : MAX_ENDPOINT] = '\0';
    return true;
}

/* The link that was dialled there and is not known to be gone. */
static rk_link *find_dialled(const rk_wire *wire, rk_channel channel, const char *endpoint)
{
    char own[MAX_ENDPOINT + 1];
    for (rk_link *link = wire->links.first; link; link = link->next) {
        if (!link->dialled || link->gone || !link->sides[channel].port)
            continue;
        rk_address_endpoint(&link->address, link->sides[channel].port, own);
        if (!strcmp(own, endpoint))
            return link;
    }
    return NULL;
}

static void probe(rk_wire *wire, rk_link *link)
{
    for (int i = 0; i < 2; i++)
        if (link->probed & 1u << i)
            rk_zmq_probe(wire, link, (rk_channel)i);
}

static void doubt(rk_wire *wire, rk_channel channel, int fd)
{
    uint64_t until = rk_clock_now() + (uint64_t)DOUBT_MS * 1000000;
    for (rk_link *link = wire->links.first; link; link = link->next)
        if (link->sides[channel].fd == fd && !link->gone) {
            rk_link_doubt(&wire->links, link, until > link->doubt ? until : link->doubt);
            link->probed |= 1u << channel;
            probe(wire, link);
        }
}

static const char *why_failed(const rk_wire *wire, const event *e)
{
    if (e->what == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        return "it does not accept this endpoint's key";
    return wire->door.encrypted ? "it broke off the handshake: it has other keys or none, or it is no Rask"
                                : "it broke off the handshake: it has keys, or it is no Rask";
}

/* A stranger that speaks ZeroMQ's protocol, with another key or none. */
static int status_of(const event *e)
{
    bool another_key = e->what == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ||
                       (e->what == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL &&
                        (e->value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC ||
                         e->value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH));
    return another_key ? RASK_EINVAL : RASK_EFORMAT;
}

/* A greeting may have found the connection ended before it is told why. */
static rk_link *find_ungreeted(const rk_wire *wire, const char *endpoint)
{
    char own[MAX_ENDPOINT + 1];
    for (rk_link *link = wire->links.first; link && wire->links.gone; link = link->next) {
        if (!link->dialled || !link->gone || link->state != LINK_CALLING || link->status != RASK_EIO)
            continue;
        rk_address_endpoint(&link->address, link->sides[RK_CONTROL].port, own);
        if (!strcmp(own, endpoint))
            return link;
    }
    return NULL;
}

static void set_reason(rk_link *link, int status, const char *why)
{
    link->status = status;
    snprintf(link->why, sizeof link->why, "%s", why);
}

static void handshake_failed(rk_wire *wire, rk_channel channel, const event *e)
{
    rk_link *ended = channel == RK_CONTROL ? find_ungreeted(wire, e->endpoint) : NULL;
    rk_link *link = find_dialled(wire, channel, e->endpoint);
    if (ended) {
        set_reason(ended, RASK_EINVAL, why_failed(wire, e));
    } else if (link) {
        rk_zmq_give_up(wire, link, RASK_EINVAL, why_failed(wire, e));
    } else if (rk_address_port(e->endpoint) == wire->channels[channel].port) {
        char why[MAX_ENDPOINT + 120];
        snprintf(why, sizeof why,
                 "somebody came to %s and did not shake hands: it has another key, only one side has one, or "
                 "it is no Rask",
                 e->endpoint);
        if (e->what != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) /* of which the door has told, and better */
            wire->host.refused(wire->host.context, status_of(e), why);
    }
}

static void take(rk_wire *wire, rk_channel channel, const event *e)
{
    rk_link *link;
    switch (e->what) {
    case ZMQ_EVENT_CONNECTED:
        if ((link = find_dialled(wire, channel, e->endpoint)))
            link->sides[channel].fd = (int)e->value;
        break;
    case ZMQ_EVENT_CLOSED:
        if ((link = find_dialled(wire, channel, e->endpoint)) && link->sides[channel].fd < 0)
            rk_zmq_give_up(wire, link, RASK_EIO,
                           "it cannot be reached: nobody listens there, or no way leads there");
        break;
    case ZMQ_EVENT_DISCONNECTED: doubt(wire, channel, (int)e->value); break;
    default: handshake_failed(wire, channel, e);
    }
}

bool rk_zmq_watch(rk_wire *wire)
{
    bool did = false;
    for (int i = 0; i < 2; i++)
        for (event e; receive(wire->channels[i].watch, &e); did = true)
            take(wire, (rk_channel)i, &e);
    return did;
}

void rk_zmq_give_up(rk_wire *wire, rk_link *link, int status, const char *why)
{
    if (link->gone)
        return;
    rk_link_is_gone(&wire->links, link);
    set_reason(link, status, why);
}

void rk_zmq_limp(rk_wire *wire, rk_link *link)
{
    link->limps = true;
    rk_link_doubt(&wire->links, link, rk_clock_now() + (uint64_t)LIMP_MS * 1000000);
}

static void bury(rk_wire *wire, rk_link *link)
{
    uint32_t peer = link->peer;
    int status = link->status;
    char why[sizeof link->why];
    snprintf(why, sizeof why, "%s", link->why);
    rk_zmq_disconnect(wire, link);
    for (int i = 0; i < 2; i++)
        if (link->sides[i].id)
            rk_link_map_remove(&wire->channels[i].links, link, (rk_channel)i);
    rk_link_free(&wire->host, &wire->links, link);
    if (peer != RK_NO_PEER)
        wire->host.lost(wire->host.context, peer, status, why);
}

/* What is told may make more links, and more of them gone, but free none. */
bool rk_zmq_bury(rk_wire *wire)
{
    bool any = wire->links.gone != 0;
    for (rk_link *link = wire->links.first, *next; link && wire->links.gone; link = next) {
        next = link->next;
        if (link->gone)
            bury(wire, link);
    }
    return any;
}

static void look_after(rk_wire *wire, rk_link *link, uint64_t now)
{
    bool young = link->state == LINK_CALLING || link->state == LINK_GREETING;
    if (link->doubt)
        probe(wire, link);
    if (link->doubt && now > link->doubt) {
        if (link->limps)
            rk_zmq_give_up(wire, link, RASK_EIO, "one of its connections ended");
        rk_link_doubt(&wire->links, link, 0);
        link->probed = 0;
    }
    if (!young || now < link->deadline)
        return;
    if (link->dialled)
        rk_zmq_give_up(wire, link, RASK_EIO, "it did not answer");
    else
        rk_zmq_hang_up(wire, link);
}

void rk_zmq_look_after(rk_wire *wire)
{
    uint64_t now = rk_clock_now();
    if (wire->links.young || wire->links.doubted)
        for (rk_link *link = wire->links.first; link; link = link->next)
            look_after(wire, link, now);
}
