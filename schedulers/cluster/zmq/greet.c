/* How two endpoints become peers:
 *
 *   who dialled          who was dialled
 *   CALLING  -- control: HELLO ------------>             a link, GREETING
 *            <-- WELCOME: bulk port, secret --
 *   GREETING -- bulk: HELLO, secret ------->   UP
 *            <-- WELCOME -----------------
 *   UP                                                   from here on DATA both ways, on both channels
 *
 * The secret says that both connections are of one peer. BYE, on control, is the last word: who was dialled asks the other one by it
 * to hang up, as ZeroMQ ends connections only there; who dialled and leaves asks to be asked, which says that all it sent has
 * come. Packets of no bytes are probes and mean nothing. */
#include "schedulers/cluster/zmq/zmq_wire.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Behind the first byte of HELLO and WELCOME. Magic and version stand here in all versions. */
typedef struct greeting {
    char magic[4];
    uint32_t version;
    uint32_t port; /* of bulk */
    uint32_t unused;
    rk_link_secret secret;
} greeting;

static const char magic[4] = {'R', 'a', 's', 'k'};

static greeting new_greeting(rk_link_secret secret, uint16_t port)
{
    greeting g = {.version = RK_WIRE_VERSION, .port = port, .secret = secret};
    memcpy(g.magic, magic, sizeof magic);
    return g;
}

static int send_greeting(rk_wire *wire, rk_link *link, rk_channel channel, uint8_t kind, const greeting *g)
{
    return rk_zmq_send(wire, link, channel, kind, g, sizeof *g, NULL, 0);
}

/* RASK_EFORMAT: it is none; RASK_EUNSUPPORTED: of another version, with that set. */
static int read_greeting(const uint8_t *bytes, size_t size, greeting *g)
{
    *g = (greeting){0};
    memcpy(g, bytes, size < sizeof *g ? size : sizeof *g);
    if (size < sizeof g->magic + sizeof g->version || memcmp(g->magic, magic, sizeof magic) != 0)
        return RASK_EFORMAT;
    if (g->version != RK_WIRE_VERSION)
        return RASK_EUNSUPPORTED;
    return size == sizeof *g ? RASK_OK : RASK_EFORMAT;
}

static void part_with(rk_wire *wire, rk_link *link, int status, const char *why)
{
    uint32_t peer = link->peer;
    rk_zmq_hang_up(wire, link);
    if (peer != RK_NO_PEER)
        wire->host.lost(wire->host.context, peer, status, why);
}

static void expel(rk_wire *wire, rk_link *link, const char *why)
{
    if (link->dialled)
        rk_zmq_give_up(wire, link, RASK_EFORMAT, why);
    else
        part_with(wire, link, RASK_EFORMAT, why);
}

void rk_zmq_hang_up(rk_wire *wire, rk_link *link)
{
    link->peer = RK_NO_PEER;
    if (link->dialled) {
        rk_zmq_disconnect(wire, link);
        rk_zmq_give_up(wire, link, RASK_OK, "");
    } else {
        rk_zmq_leave(wire, link);
    }
    rk_link_become(&wire->links, link, LINK_MUTE);
}

void rk_zmq_leave(rk_wire *wire, rk_link *link)
{
    rk_zmq_send(wire, link, RK_CONTROL, PACKET_BYE, NULL, 0, NULL, 0);
}

int rk_zmq_greet(rk_wire *wire, rk_link *link)
{
    greeting g = new_greeting((rk_link_secret){0}, 0);
    return send_greeting(wire, link, RK_CONTROL, PACKET_HELLO, &g);
}

/* Whoever has no such version gets to know ours, and says so to its user. */
static void welcome(rk_wire *wire, rk_link *link)
{
    greeting g = new_greeting(link->secret, wire->channels[RK_BULK].port);
    send_greeting(wire, link, RK_CONTROL, PACKET_WELCOME, &g);
}

static void take_stranger(rk_wire *wire, const rk_zmq_packet *packet, const uint8_t *bytes, size_t size)
{
    greeting g;
    if (size < 1 || *bytes != PACKET_HELLO || read_greeting(bytes + 1, size - 1, &g) == RASK_EFORMAT)
        return;
    rk_link *link = rk_link_new(&wire->host, &wire->links, RK_NO_PEER, false);
    if (!link)
        return;
    link->sides[RK_CONTROL].id = packet->id;
    link->sides[RK_CONTROL].fd = packet->fd;
    bool ok = getrandom(&link->secret, sizeof link->secret, 0) == (ssize_t)sizeof link->secret &&
              !rk_link_map_add(&wire->host, &wire->channels[RK_CONTROL].links, link, RK_CONTROL);
    if (!ok) {
        rk_link_free(&wire->host, &wire->links, link);
        return;
    }
    rk_link_become(&wire->links, link, LINK_GREETING);
    welcome(wire, link);
}

/* The answer to our HELLO on control. */
static void take_welcome(rk_wire *wire, rk_link *link, const greeting *g, int status)
{
    char why[120];
    if (status == RASK_EUNSUPPORTED) {
        snprintf(why, sizeof why, "it speaks version %u of the protocol, and this program version %d",
                 g->version, RK_WIRE_VERSION);
        rk_zmq_give_up(wire, link, status, why);
        return;
    }
    if (status || !g->port || g->port > UINT16_MAX) {
        expel(wire, link, "its greeting is malformed");
        return;
    }
    link->sides[RK_BULK].port = (uint16_t)g->port;
    greeting hello = new_greeting(g->secret, 0);
    status = rk_zmq_connect(wire, link, RK_BULK);
    if (!status)
        status = send_greeting(wire, link, RK_BULK, PACKET_HELLO, &hello);
    if (status)
        rk_zmq_give_up(wire, link, status, "its second port cannot be dialled");
    else
        rk_link_become(&wire->links, link, LINK_GREETING);
}

/* On either channel: WELCOME on bulk, or what the other side sent as soon as it was up, and that is faster. */
static void is_up(rk_wire *wire, rk_link *link)
{
    rk_link_become(&wire->links, link, LINK_UP);
    wire->host.reached(wire->host.context, link->peer);
}

static void take_control(rk_wire *wire, rk_link *link, const uint8_t *bytes, size_t size)
{
    greeting g;
    if (*bytes == PACKET_DATA && link->dialled && link->state == LINK_GREETING)
        is_up(wire, link);
    if (*bytes == PACKET_DATA && link->state >= LINK_UP)
        wire->host.packet(wire->host.context, link->peer, RK_CONTROL, bytes + 1, size - 1);
    else if (*bytes == PACKET_WELCOME && link->dialled && link->state == LINK_CALLING)
        take_welcome(wire, link, &g, read_greeting(bytes + 1, size - 1, &g));
    else if (*bytes == PACKET_BYE && link->dialled)
        rk_zmq_give_up(wire, link, RASK_EIO, "it hung up");
    else if (*bytes == PACKET_BYE)
        part_with(wire, link, RASK_EIO, "it left");
    else
        expel(wire, link, "it sent what no peer sends");
}

static bool awaits(const rk_link *link, const rk_link_secret *secret)
{
    return link->state == LINK_GREETING && !link->dialled && !memcmp(&link->secret, secret, sizeof *secret);
}

/* The first packet of a bulk connection that came: whose is it? */
static void take_bulk_stranger(rk_wire *wire, const rk_zmq_packet *packet, const uint8_t *bytes, size_t size)
{
    greeting g;
    if (size < 1 || *bytes != PACKET_HELLO || read_greeting(bytes + 1, size - 1, &g))
        return;
    rk_link *link = wire->links.first;
    while (link && !awaits(link, &g.secret))
        link = link->next;
    if (!link)
        return;
    link->sides[RK_BULK].id = packet->id;
    link->sides[RK_BULK].fd = packet->fd;
    if (rk_link_map_add(&wire->host, &wire->channels[RK_BULK].links, link, RK_BULK)) {
        link->sides[RK_BULK].id = 0;
        return;
    }
    rk_link_become(&wire->links, link, LINK_UP);
    greeting answer = new_greeting((rk_link_secret){0}, 0);
    if (send_greeting(wire, link, RK_BULK, PACKET_WELCOME, &answer))
        return; /* it is gone, and will be found to be */
    uint32_t peer = wire->host.came(wire->host.context, link);
    if (link->state == LINK_UP)
        link->peer = peer;
    if (peer == RK_NO_PEER)
        rk_link_become(&wire->links, link, LINK_MUTE);
}

static void take_bulk(rk_wire *wire, rk_link *link, const uint8_t *bytes, size_t size)
{
    bool welcome = *bytes == PACKET_WELCOME && link->dialled;
    if (*bytes == PACKET_DATA && link->state == LINK_UP)
        wire->host.packet(wire->host.context, link->peer, RK_BULK, bytes + 1, size - 1);
    else if (welcome && link->state == LINK_GREETING)
        is_up(wire, link);
    else if (!welcome)
        expel(wire, link, "it sent what no peer sends");
}

void rk_zmq_take(rk_wire *wire, rk_channel channel, const rk_zmq_packet *packet)
{
    const uint8_t *bytes = zmq_msg_data((zmq_msg_t *)&packet->message);
    size_t size = zmq_msg_size(&packet->message);
    rk_link *link = packet->id ? rk_link_map_get(&wire->channels[channel].links, packet->id, channel) : NULL;
    if (!link) {
        if (packet->id && channel == RK_CONTROL)
            take_stranger(wire, packet, bytes, size);
        else if (packet->id)
            take_bulk_stranger(wire, packet, bytes, size);
        return;
    }
    if (packet->fd >= 0)
        link->sides[channel].fd = packet->fd;
    if (!size || link->gone || link->state == LINK_MUTE)
        return;
    if (channel == RK_CONTROL)
        take_control(wire, link, bytes, size);
    else
        take_bulk(wire, link, bytes, size);
}
