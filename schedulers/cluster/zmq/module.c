/* The module rask-transport-zmq. An endpoint looks only at those sockets of which its epoll descriptor has told since it took all
 * that they had, and at those that it sent by since: ZeroMQ's descriptors tell of a change once, and a call that sends may notice
 * the change in passing. */
#include "schedulers/cluster/zmq/zmq_wire.h"

#include "core/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    TAKEN_PACKETS = 256,
    TAKEN_PIECES = 16,
    YOUNG_MS = 50 /* between two looks at links that are no peers yet */
};

/* -- Waiting */

static int watch_descriptor(const rk_wire *wire, int fd, uint32_t look)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = look};
    return epoll_ctl(wire->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int watch_socket(const rk_wire *wire, void *socket, uint32_t look)
{
    int fd;
    size_t size = sizeof fd;
    return zmq_getsockopt(socket, ZMQ_FD, &fd, &size) || watch_descriptor(wire, fd, look);
}

static int open_descriptors(rk_wire *wire, char *reason, size_t capacity)
{
    const zmq_channel *channels = wire->channels;
    wire->epoll = epoll_create1(EPOLL_CLOEXEC);
    wire->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    wire->look = LOOK_CONTROL | LOOK_BULK | LOOK_WATCH | LOOK_DOOR;
    if (wire->epoll >= 0 && wire->timer >= 0 && !watch_descriptor(wire, wire->timer, LOOK_TIMER) &&
        !watch_socket(wire, channels[RK_CONTROL].socket, LOOK_CONTROL) &&
        !watch_socket(wire, channels[RK_BULK].socket, LOOK_BULK) &&
        !watch_socket(wire, channels[RK_CONTROL].watch, LOOK_WATCH) &&
        !watch_socket(wire, channels[RK_BULK].watch, LOOK_WATCH) &&
        (!wire->door.socket || !watch_socket(wire, wire->door.socket, LOOK_DOOR)))
        return RASK_OK;
    snprintf(reason, capacity, "no more descriptors: %s", strerror(errno));
    return RASK_ESYSTEM;
}

static void note_signals(rk_wire *wire)
{
    struct epoll_event events[8];
    int count = epoll_wait(wire->epoll, events, 8, 0);
    for (int i = 0; i < count; i++)
        wire->look |= events[i].data.u32;
}

static void set_timer(rk_wire *wire, int milliseconds)
{
    uint64_t due = rk_clock_now() + (uint64_t)milliseconds * 1000000;
    if (wire->due && wire->due <= due)
        return;
    const struct itimerspec in = {.it_value = {.tv_nsec = (long)milliseconds * 1000000}};
    if (!timerfd_settime(wire->timer, 0, &in, NULL))
        wire->due = due;
}

static void take_timer(rk_wire *wire)
{
    uint64_t times;
    if (read(wire->timer, &times, sizeof times) == (ssize_t)sizeof times)
        wire->due = 0;
    rk_zmq_look_after(wire);
}

/* -- Taking */

/* At most so many packets, so that sending gets its turn. */
static bool take_packets(rk_wire *wire, rk_channel channel, size_t most)
{
    rk_zmq_packet packet;
    size_t taken = 0;
    for (; taken < most && rk_zmq_receive(wire, channel, &packet); taken++) {
        rk_zmq_take(wire, channel, &packet);
        zmq_msg_close(&packet.message);
    }
    if (taken < most)
        wire->look &= ~(1u << channel);
    return taken;
}

static bool look_at(rk_wire *wire, uint32_t what)
{
    bool look = wire->look & what;
    if (what & ~(uint32_t)(LOOK_CONTROL | LOOK_BULK))
        wire->look &= ~what; /* these are taken whole */
    return look;
}

static bool wire_poll(rk_wire *wire)
{
    bool did = false;
    note_signals(wire);
    if (look_at(wire, LOOK_DOOR))
        did |= rk_door_answer(&wire->door, &wire->host);
    bool doomed = wire->links.gone != 0;
    if (doomed) { /* why, too, may be there and not be noticed yet */
        wire->look |= LOOK_CONTROL | LOOK_BULK;
        did |= rk_zmq_watch(wire);
    }
    if (look_at(wire, LOOK_CONTROL))
        did |= take_packets(wire, RK_CONTROL, TAKEN_PACKETS);
    if (look_at(wire, LOOK_BULK))
        did |= take_packets(wire, RK_BULK, TAKEN_PIECES);
    if (doomed && !(wire->look & (LOOK_CONTROL | LOOK_BULK)))
        did |= rk_zmq_bury(wire);
    if (look_at(wire, LOOK_WATCH))
        did |= rk_zmq_watch(wire);
    if (look_at(wire, LOOK_TIMER))
        take_timer(wire);
    return did;
}

static bool wire_settle(rk_wire *wire, bool waiting)
{
    if (waiting || wire->links.doubted)
        set_timer(wire, SOON_MS);
    else if (wire->links.young)
        set_timer(wire, YOUNG_MS);
    return wire->look || wire->links.gone;
}

/* -- The rest */

static bool has_peers(const rk_wire *wire)
{
    const rk_link *link = wire->links.first;
    while (link && link->state != LINK_UP)
        link = link->next;
    return link;
}

/* Until all peers have heard the last word, or the time is over. */
static void take_leave(rk_wire *wire, int milliseconds)
{
    uint64_t end = rk_clock_now() + (uint64_t)milliseconds * 1000000;
    for (rk_link *link = wire->links.first; link; link = link->next)
        if (link->state == LINK_UP)
            rk_zmq_leave(wire, link);
    while (has_peers(wire) && rk_clock_now() < end) {
        struct pollfd wait = {.fd = wire->epoll, .events = POLLIN};
        if (!wire_poll(wire) && !wire_settle(wire, false))
            poll(&wait, 1, SOON_MS);
    }
}

static void wire_close(rk_wire *wire, int milliseconds)
{
    if (!wire)
        return;
    take_leave(wire, milliseconds);
    rk_zmq_close_channels(wire);
    rk_door_close(&wire->door, &wire->host);
    while (wire->links.first)
        rk_link_free(&wire->host, &wire->links, wire->links.first);
    if (wire->context)
        zmq_ctx_term(wire->context);
    if (wire->epoll >= 0)
        close(wire->epoll);
    if (wire->timer >= 0)
        close(wire->timer);
    wire->host.free(wire);
}

static int wire_open(const rk_wire_host *host, const rk_transport_setup *setup, rk_wire **out, char *reason,
                     size_t capacity)
{
    rk_wire *wire = host->calloc(1, sizeof *wire);
    if (!wire)
        return RASK_ENOMEM;
    wire->host = *host;
    wire->epoll = wire->timer = -1;
    wire->context = zmq_ctx_new();
    int status = wire->context ? RASK_OK : RASK_ENOMEM;
    if (!status) /* one thread a channel: bulk, which is encrypted there, does not hold control up */
        zmq_ctx_set(wire->context, ZMQ_IO_THREADS, 2);
    if (!status)
        status = rk_door_open(&wire->door, host, wire->context, &setup->keys, reason, capacity);
    if (!status)
        status = rk_zmq_open_channels(wire, setup->listen, reason, capacity);
    if (!status)
        status = open_descriptors(wire, reason, capacity);
    if (status)
        wire_close(wire, 0);
    else
        *out = wire;
    return status;
}

static const char *wire_contact(const rk_wire *wire)
{
    return wire->contact;
}

static int wire_descriptor(const rk_wire *wire)
{
    return wire->epoll;
}

static int wire_allow(rk_wire *wire, const char *key)
{
    return rk_door_allow(&wire->door, &wire->host, key);
}

static bool is_dialled(const rk_wire *wire, const rk_address *address)
{
    for (const rk_link *link = wire->links.first; link; link = link->next)
        if (link->dialled && link->sides[RK_CONTROL].port == address->port &&
            !strcmp(link->address.host, address->host))
            return true;
    return false;
}

static int wire_dial(rk_wire *wire, const char *contact, uint32_t peer, rk_link **out)
{
    rk_address address;
    if (strlen(contact) > RK_MAX_CONTACT || !rk_address_read(contact, &address) || !address.port ||
        rk_address_is_any(&address) || address.has_key != wire->door.encrypted)
        return RASK_EINVAL;
    if (is_dialled(wire, &address))
        return RASK_EEXIST;
    rk_link *link = rk_link_new(&wire->host, &wire->links, peer, true);
    if (!link)
        return wire->links.count >= RK_MAX_PEERS ? RASK_ELIMIT : RASK_ENOMEM;
    link->address = address;
    link->sides[RK_CONTROL].port = address.port;
    int status = rk_zmq_connect(wire, link, RK_CONTROL);
    if (status) {
        rk_link_free(&wire->host, &wire->links, link);
        return status;
    }
    if (rk_zmq_greet(wire, link))
        rk_zmq_give_up(wire, link, RASK_ENOMEM, "there is no memory to greet it");
    *out = link;
    return RASK_OK;
}

static int wire_send(rk_wire *wire, rk_link *link, rk_channel channel, const void *head, size_t head_size,
                     const void *body, size_t body_size)
{
    return rk_zmq_send(wire, link, channel, PACKET_DATA, head, head_size, body, body_size);
}

static bool wire_has_room(const rk_wire *wire, const rk_link *link)
{
    return !link->gone && rk_load_relaxed(&wire->in_flight) < PIECES_BYTES;
}

RASK_API extern const rk_wire_module rask_module;
const rk_wire_module rask_module = {
    .head = RK_MODULE_HEAD(rk_wire_module),
    .open = wire_open,
    .contact = wire_contact,
    .descriptor = wire_descriptor,
    .allow = wire_allow,
    .make_secret = rk_door_make_secret,
    .public_key = rk_door_public_key,
    .close = wire_close,
    .dial = wire_dial,
    .send = wire_send,
    .has_room = wire_has_room,
    .cut = rk_zmq_hang_up,
    .poll = wire_poll,
    .settle = wire_settle,
};
