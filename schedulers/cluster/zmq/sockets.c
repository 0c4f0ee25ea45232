/* Two ROUTERs, one a channel, that both take and dial connections, and know each by a number: of those that come, ZeroMQ makes one
 * up (five bytes, the first 0); to those that are dialled this file gives one (nine bytes, the first 1, the others random, so that
 * nobody who comes can have taken it: ZeroMQ would end the process). */
#include "schedulers/cluster/zmq/zmq_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { COMER_BYTES = 5, DIALLED_BYTES = 9 };

static const uint64_t dialled_mark = (uint64_t)1 << 63, comer_mark = (uint64_t)1 << 32;

static const char *const watch_names[2] = {"inproc://watch-control", "inproc://watch-bulk"};

/* -- Opening */

static int set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

static int set_limits(void *socket, rk_channel channel)
{
    bool control = channel == RK_CONTROL;
    int queued = control ? PACKETS_QUEUED : PIECES_QUEUED;
    int64_t largest = 64 + (control ? RK_MAX_BATCH : RK_PIECE_HEAD + RK_PIECE);
    uint64_t thread = (uint64_t)1 << channel;
    return set(socket, ZMQ_SNDHWM, queued) || set(socket, ZMQ_RCVHWM, queued) ||
           set(socket, ZMQ_BACKLOG, 1024) ||
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest) ||
           zmq_setsockopt(socket, ZMQ_AFFINITY, &thread, sizeof thread);
}

/* A connection that ended is not made again: its peer is lost. */
static int set_times(void *socket)
{
    return set(socket, ZMQ_LINGER, 0) || set(socket, ZMQ_RECONNECT_IVL, -1) ||
           set(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) || set(socket, ZMQ_CONNECT_TIMEOUT, GREETING_MS) ||
           set(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) || set(socket, ZMQ_HEARTBEAT_TIMEOUT, SILENCE_MS) ||
           set(socket, ZMQ_HEARTBEAT_TTL, HEARTBEAT_MS + SILENCE_MS);
}

static int set_keys(void *socket, const rk_door *door)
{
    if (!door->encrypted)
        return 0;
    return set(socket, ZMQ_CURVE_SERVER, 1) ||
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, door->secret, KEY_BYTES) ||
           zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, door->own, KEY_BYTES) ||
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "rask", 4);
}

static int open_watch(rk_wire *wire, rk_channel channel)
{
    zmq_channel *c = &wire->channels[channel];
    int events = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    c->watch = zmq_socket(wire->context, ZMQ_PAIR);
    return !c->watch || zmq_socket_monitor(c->socket, watch_names[channel], events) ||
           set(c->watch, ZMQ_LINGER, 0) || set(c->watch, ZMQ_RCVHWM, EVENTS_QUEUED) ||
           zmq_connect(c->watch, watch_names[channel]);
}

static int open_socket(rk_wire *wire, rk_channel channel, bool ipv6)
{
    zmq_channel *c = &wire->channels[channel];
    c->socket = zmq_socket(wire->context, ZMQ_ROUTER);
    if (!c->socket || set(c->socket, ZMQ_ROUTER_MANDATORY, 1) || set_limits(c->socket, channel) ||
        set_times(c->socket) || set_keys(c->socket, &wire->door) || set(c->socket, ZMQ_IPV6, ipv6) ||
        open_watch(wire, channel))
        return errno == ENOMEM ? RASK_ENOMEM : RASK_ESYSTEM;
    return RASK_OK;
}

static int bind_to(zmq_channel *channel, const rk_address *address, uint16_t port,
                   char bound[MAX_ENDPOINT + 1], char *reason, size_t capacity)
{
    char endpoint[MAX_ENDPOINT + 1];
    size_t size = MAX_ENDPOINT + 1;
    rk_address_endpoint(address, port, endpoint);
    if (zmq_bind(channel->socket, endpoint) ||
        zmq_getsockopt(channel->socket, ZMQ_LAST_ENDPOINT, bound, &size)) {
        snprintf(reason, capacity, "%s cannot be listened on: %s", endpoint, zmq_strerror(zmq_errno()));
        return RASK_EIO;
    }
    channel->port = rk_address_port(bound);
    return RASK_OK;
}

/* What others dial, by where the control channel is bound in fact. */
static void write_contact(rk_wire *wire, const char *bound)
{
    char endpoint[MAX_ENDPOINT + 1], key[KEY_DIGITS + 1];
    rk_address address;
    if (rk_address_read(bound, &address) && !rk_address_is_any(&address)) {
        rk_address_endpoint(&address, address.port, endpoint);
    } else {
        rk_address_own_host(address.host);
        rk_address_endpoint(&address, wire->channels[RK_CONTROL].port, endpoint);
    }
    rk_key_write(wire->door.own, key);
    snprintf(wire->contact, sizeof wire->contact, wire->door.encrypted ? "%s/%s" : "%s", endpoint, key);
}

/* Where to bind, if nobody says so: encrypted, everywhere. */
static int read_listen(const rk_wire *wire, const char *listen, rk_address *address, char *reason,
                       size_t capacity)
{
    if (!listen)
        listen = wire->door.encrypted ? "tcp://*:*" : "tcp://127.0.0.1:*";
    if (rk_address_read(listen, address) && !address->has_key && address->port < UINT16_MAX)
        return RASK_OK;
    snprintf(reason, capacity,
             "\"%.200s\" is no address to listen on, or a name in it is unknown: tcp://HOST:PORT", listen);
    return RASK_EINVAL;
}

int rk_zmq_open_channels(rk_wire *wire, const char *listen, char *reason, size_t capacity)
{
    char bound[MAX_ENDPOINT + 1], bulk_bound[MAX_ENDPOINT + 1];
    zmq_channel *control = &wire->channels[RK_CONTROL], *bulk = &wire->channels[RK_BULK];
    rk_address address;
    int status = read_listen(wire, listen, &address, reason, capacity);
    bool ipv6 = !status && rk_address_is_ipv6(&address);
    if (!status)
        status = open_socket(wire, RK_CONTROL, ipv6);
    if (!status)
        status = open_socket(wire, RK_BULK, ipv6);
    if (!status)
        status = bind_to(control, &address, address.port, bound, reason, capacity);
    if (!status)
        status = bind_to(bulk, &address, address.port ? (uint16_t)(address.port + 1) : 0, bulk_bound, reason,
                         capacity);
    if (!status)
        write_contact(wire, bound);
    return status;
}

void rk_zmq_close_channels(rk_wire *wire)
{
    for (int i = 0; i < 2; i++) {
        zmq_channel *c = &wire->channels[i];
        if (c->socket)
            zmq_socket_monitor(c->socket, NULL, 0); /* first: it waits for an event that nobody would take */
        if (c->watch)
            zmq_close(c->watch);
        if (c->socket)
            zmq_close(c->socket);
        rk_link_map_fini(&wire->host, &c->links);
    }
}

/* -- Dialling */

static int make_id(uint64_t *id)
{
    if (getrandom(id, sizeof *id, 0) != (ssize_t)sizeof *id)
        return RASK_ESYSTEM;
    *id |= dialled_mark;
    return RASK_OK;
}

static size_t write_id(uint64_t id, uint8_t bytes[DIALLED_BYTES])
{
    if (id & dialled_mark) {
        bytes[0] = 1;
        memcpy(bytes + 1, &id, sizeof id);
        return DIALLED_BYTES;
    }
    uint32_t number = htonl((uint32_t)id);
    bytes[0] = 0;
    memcpy(bytes + 1, &number, sizeof number);
    return COMER_BYTES;
}

/* 0: no connection that this endpoint takes seriously. */
static uint64_t read_id(const uint8_t *bytes, size_t size)
{
    uint64_t id = 0;
    uint32_t number;
    if (size == DIALLED_BYTES && bytes[0] == 1) {
        memcpy(&id, bytes + 1, sizeof id);
        return id & dialled_mark ? id : 0;
    }
    if (size != COMER_BYTES || bytes[0] != 0)
        return 0;
    memcpy(&number, bytes + 1, sizeof number);
    return comer_mark | ntohl(number);
}

int rk_zmq_connect(rk_wire *wire, rk_link *link, rk_channel channel)
{
    zmq_channel *c = &wire->channels[channel];
    link_side *side = &link->sides[channel];
    char endpoint[MAX_ENDPOINT + 1];
    uint8_t id[DIALLED_BYTES];
    int status = make_id(&side->id);
    if (!status)
        status = rk_link_map_add(&wire->host, &c->links, link, channel);
    if (status) {
        side->id = 0;
        return status;
    }
    rk_address_endpoint(&link->address, side->port, endpoint);
    size_t size = write_id(side->id, id);
    bool failed = zmq_setsockopt(c->socket, ZMQ_CONNECT_ROUTING_ID, id, size) ||
                  set(c->socket, ZMQ_IPV6, rk_address_is_ipv6(&link->address)) ||
                  (link->address.has_key &&
                   zmq_setsockopt(c->socket, ZMQ_CURVE_SERVERKEY, link->address.key, KEY_BYTES)) ||
                  zmq_connect(c->socket, endpoint);
    if (!failed)
        return RASK_OK;
    rk_link_map_remove(&c->links, link, channel);
    side->id = 0;
    return zmq_errno() == ENOMEM ? RASK_ENOMEM : RASK_EINVAL;
}

void rk_zmq_disconnect(rk_wire *wire, rk_link *link)
{
    char endpoint[MAX_ENDPOINT + 1];
    for (int i = 0; link->dialled && i < 2; i++) {
        link_side *side = &link->sides[i];
        rk_address_endpoint(&link->address, side->port, endpoint);
        if (side->id && side->port)
            zmq_disconnect(wire->channels[i].socket, endpoint); /* it may have ended by itself */
        side->port = 0;
        wire->look |= 1u << i;
    }
}

/* -- Packets */

/* The number of the connection, which the next part goes to. */
static int send_id(rk_wire *wire, rk_link *link, rk_channel channel)
{
    uint8_t id[DIALLED_BYTES];
    size_t size = write_id(link->sides[channel].id, id);
    wire->look |= 1u << channel; /* what came may have been noticed in passing, and its signal taken */
    if (link->gone || (link->limps && channel == RK_BULK))
        return RASK_EIO;
    if (zmq_send(wire->channels[channel].socket, id, size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        return RASK_OK;
    if (zmq_errno() == EAGAIN)
        return RASK_ELIMIT;
    if (channel == RK_BULK)
        rk_zmq_limp(wire, link);
    else
        rk_zmq_give_up(wire, link, RASK_EIO,
                       link->state == LINK_CALLING ? "the connection ended before it greeted"
                                                   : "the connection ended");
    return RASK_EIO;
}

typedef struct piece_buffer {
    rk_wire *wire;
    rk_atomic_u64 size; /* written again last, and read first, which orders all else for ZeroMQ's thread */
    uint8_t bytes[];
} piece_buffer;

/* Called by ZeroMQ's own thread. */
static void give_back(void *data, void *hint)
{
    piece_buffer *buffer = hint;
    uint64_t size = rk_load_acquire(&buffer->size);
    rk_wire *wire = buffer->wire;
    (void)data;
    rk_sub_acq_rel(&wire->in_flight, size);
    wire->host.free(buffer);
}

/* A message of so many bytes, which count as in flight if they are a piece's. */
static int make_message(rk_wire *wire, rk_channel channel, size_t size, zmq_msg_t *message)
{
    if (channel == RK_CONTROL)
        return zmq_msg_init_size(message, size) ? RASK_ENOMEM : RASK_OK;
    piece_buffer *buffer = wire->host.alloc(sizeof *buffer + size);
    if (!buffer)
        return RASK_ENOMEM;
    buffer->wire = wire;
    rk_init(&buffer->size, size);
    rk_add_relaxed(&wire->in_flight, size);
    if (!zmq_msg_init_data(message, buffer->bytes, size, give_back, buffer))
        return RASK_OK;
    give_back(NULL, buffer);
    return RASK_ENOMEM;
}

/* What was written to the message is for ZeroMQ's thread to read from here on. */
static void publish(rk_channel channel, zmq_msg_t *message)
{
    if (channel == RK_BULK) {
        piece_buffer *buffer =
            (piece_buffer *)((char *)zmq_msg_data(message) - offsetof(piece_buffer, bytes));
        rk_store_release(&buffer->size, zmq_msg_size(message));
    }
}

int rk_zmq_send(rk_wire *wire, rk_link *link, rk_channel channel, uint8_t kind, const void *head,
                size_t head_size, const void *body, size_t body_size)
{
    zmq_msg_t message;
    int status = make_message(wire, channel, 1 + head_size + body_size, &message);
    if (status)
        return status;
    uint8_t *to = zmq_msg_data(&message);
    *to = kind;
    if (head_size)
        memcpy(to + 1, head, head_size);
    if (body_size)
        memcpy(to + 1 + head_size, body, body_size);
    publish(channel, &message);
    status = send_id(wire, link, channel);
    if (!status && zmq_msg_send(&message, wire->channels[channel].socket, ZMQ_DONTWAIT) >= 0)
        return RASK_OK;
    zmq_msg_close(&message);
    return status ? status : RASK_EIO;
}

int rk_zmq_probe(rk_wire *wire, rk_link *link, rk_channel channel)
{
    int status = link->sides[channel].id ? send_id(wire, link, channel) : RASK_ELIMIT;
    if (!status)
        zmq_send(wire->channels[channel].socket, NULL, 0, ZMQ_DONTWAIT);
    return status;
}

/* Packets have one part behind the number: what has more is passed over. */
static bool skip_rest(void *socket, zmq_msg_t *message)
{
    bool skipped = false;
    while (zmq_msg_more(message)) {
        skipped = true;
        if (zmq_msg_recv(message, socket, ZMQ_DONTWAIT) < 0)
            break;
    }
    return skipped;
}

bool rk_zmq_receive(rk_wire *wire, rk_channel channel, rk_zmq_packet *packet)
{
    void *socket = wire->channels[channel].socket;
    uint8_t id[DIALLED_BYTES + 1];
    int size = zmq_recv(socket, id, sizeof id, ZMQ_DONTWAIT);
    if (size < 0)
        return false;
    packet->id = read_id(id, (size_t)size);
    zmq_msg_init(&packet->message);
    if (zmq_msg_recv(&packet->message, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&packet->message);
        return false;
    }
    packet->fd = zmq_msg_get(&packet->message, ZMQ_SRCFD);
    if (skip_rest(socket, &packet->message))
        packet->id = 0;
    return true;
}
