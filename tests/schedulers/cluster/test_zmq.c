/* What ZeroMQ's endpoints do about strangers: keys, and bytes that no peer would send. Endpoints are two of one process, or raw
 * sockets. Whatever comes, two good endpoints go on exchanging messages. */
#include "conformance.h"
#include "schedulers/cluster/wire/wire.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <rask/base.h>

static const rk_transport_engine *zmq(void)
{
    const rk_transport_engine *engine = NULL;
    char reason[600] = "";
    int status = rk_transport_find("zmq", &engine, reason, sizeof reason);
    cr_assert(status == RASK_OK, "%s", reason);
    return engine;
}

/* -- Endpoints */

static char secret[RK_MAX_KEY + 1], key[RK_MAX_KEY + 1];

static void open_good(player *self, bool plain)
{
    if (!plain && !*secret) {
        cr_assert(zmq()->make_secret(secret) == RASK_OK);
        cr_assert(zmq()->public_key(secret, key) == RASK_OK);
    }
    player_open(self, zmq(), plain ? NULL : secret);
}

static bool heard_all(player *self, player *other)
{
    return self->messages >= self->count && other->messages >= other->count;
}

/* Another endpoint comes, speaks with self and leaves: self is unharmed. */
static void check_goes_on(player *self, bool plain)
{
    static player guest;
    uint32_t peer;
    size_t joined = self->joined;
    guest = (player){0};
    open_good(&guest, plain);
    cr_assert(zmq()->dial(guest.t, zmq()->contact(self->t), &peer) == RASK_OK);
    cr_assert(player_until(&guest, self, has_joined));
    cr_assert(self->joined == joined + 1);
    cr_assert(zmq()->send(guest.t, peer, "hello", 5) == RASK_OK);
    cr_assert(zmq()->send(self->t, self->peers[joined], "hello", 5) == RASK_OK);
    self->count = self->messages + 1;
    guest.count = 1;
    cr_assert(player_until(self, &guest, heard_all));
    cr_assert(!self->is_lost[joined]);
    zmq()->drop(guest.t, peer);
    self->count = 0;
    player_close(&guest);
    player_pass(self, NULL, 50);
}

static void dial_and_lose(player *from, player *to, const char *contact, int status)
{
    uint32_t peer;
    cr_assert(zmq()->dial(from->t, contact, &peer) == RASK_OK);
    cr_assert(player_until(from, to, has_lost));
    cr_assert(from->never_joined == 1 && from->lost_status[MOST_PEERS - 1] == status, "%d: %s",
              from->lost_status[MOST_PEERS - 1], from->why);
}

static bool is_refused(player *self, player *other)
{
    (void)other;
    return self->refused > 0;
}

Test(zmq_keys, an_unknown_key_is_refused)
{
    player host = {0}, stranger = {0};
    char others[RK_MAX_KEY + 1], others_key[RK_MAX_KEY + 1];
    open_good(&host, false);
    cr_assert(zmq()->make_secret(others) == RASK_OK && zmq()->public_key(others, others_key) == RASK_OK);
    player_open(&stranger, zmq(), others);
    dial_and_lose(&stranger, &host, zmq()->contact(host.t), RASK_EINVAL);
    cr_assert(player_until(&host, NULL, is_refused));
    cr_assert(strstr(host.why, others_key), "%s", host.why);
    cr_assert_eq(host.refused_status, RASK_EINVAL);
    cr_assert(host.joined == 0);
    check_goes_on(&host, false);
    player_close(&stranger);
    player_close(&host);
}

Test(zmq_keys, a_key_that_is_allowed_later_is_let_in)
{
    player host = {0}, late = {0};
    char others[RK_MAX_KEY + 1], others_key[RK_MAX_KEY + 1];
    uint32_t peer;
    open_good(&host, false);
    cr_assert(zmq()->make_secret(others) == RASK_OK && zmq()->public_key(others, others_key) == RASK_OK);
    cr_assert(zmq()->allow(host.t, "1234") == RASK_EINVAL);
    cr_assert(zmq()->allow(host.t, others_key) == RASK_OK);
    player_open(&late, zmq(), others);
    cr_assert(zmq()->dial(late.t, zmq()->contact(host.t), &peer) == RASK_OK);
    cr_assert(player_until(&late, &host, has_joined));
    player_close(&late);
    player_close(&host);
}

Test(zmq_keys, nobody_is_let_in_where_no_key_is_allowed)
{
    player host = {0}, guest = {0};
    open_good(&guest, false);
    player_open_with(&host, zmq(), &(rk_transport_keys){0}, "tcp://127.0.0.1:*");
    dial_and_lose(&guest, &host, zmq()->contact(host.t), RASK_EINVAL);
    cr_assert(host.joined == 0);
    player_close(&guest);
    player_close(&host);
}

Test(zmq_keys, a_contact_with_another_key_is_not_reached)
{
    player host = {0}, guest = {0};
    char contact[RK_MAX_CONTACT + 1];
    open_good(&host, false);
    open_good(&guest, false);
    snprintf(contact, sizeof contact, "%s", zmq()->contact(host.t));
    char *last = contact + strlen(contact) - 1;
    *last = *last == '0' ? '1' : '0';
    dial_and_lose(&guest, &host, contact, RASK_EINVAL);
    cr_assert(host.joined == 0);
    check_goes_on(&host, false);
    player_close(&guest);
    player_close(&host);
}

Test(zmq_keys, encrypted_and_plain_do_not_mix)
{
    player host = {0}, guest = {0};
    char contact[RK_MAX_CONTACT + 1];
    uint32_t peer;
    open_good(&host, false);
    open_good(&guest, true);
    snprintf(contact, sizeof contact, "%s", zmq()->contact(host.t));
    cr_assert(zmq()->dial(guest.t, contact, &peer) == RASK_EINVAL);
    cr_assert(zmq()->dial(host.t, zmq()->contact(guest.t), &peer) == RASK_EINVAL);
    *strrchr(contact, '/') = '\0';
    cr_assert(zmq()->dial(guest.t, contact, &peer) == RASK_OK);
    cr_assert(player_until(&guest, &host, has_lost)); /* whether it was the handshake is not always known */
    cr_assert(guest.never_joined == 1);
    cr_assert(host.joined == 0);
    check_goes_on(&host, false);
    player_close(&guest);
    player_close(&host);
}

Test(zmq_keys, malformed_keys_and_addresses_are_named)
{
    rk_transport *t = NULL;
    char reason[300] = "";
    const char *bad = "zz";
    const rk_transport_setup setups[] = {
        {.keys = {.secret = "abc"}},         {.keys = {.allowed = &bad, .allowed_count = 1}},
        {.listen = "udp://127.0.0.1:1"},     {.listen = "tcp://127.0.0.1"},
        {.listen = "tcp://127.0.0.1:70000"}, {.listen = "tcp://127.0.0.1:65535"},
        {.listen = "tcp://no such host:1"},
    };
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        *reason = '\0';
        cr_expect(zmq()->open(zmq(), &setups[i], &t, reason, sizeof reason) == RASK_EINVAL, "%zu", i);
        cr_expect(*reason && !t, "%zu", i);
    }
    const rk_transport_setup elsewhere = {.listen = "tcp://192.0.2.1:4444"};
    cr_expect(zmq()->open(zmq(), &elsewhere, &t, reason, sizeof reason) == RASK_EIO);
    cr_expect(strstr(reason, "192.0.2.1"), "%s", reason);
}

Test(zmq_keys, an_open_door_is_on_loopback_only)
{
    player host = {0};
    player_open_with(&host, zmq(), &(rk_transport_keys){.open_door = true}, NULL);
    cr_assert(!strncmp(zmq()->contact(host.t), "tcp://127.0.0.1:", 16), "%s", zmq()->contact(host.t));
    player_close(&host);
}

/* -- Strangers */

static int port_of(const player *host)
{
    return atoi(strrchr(zmq()->contact(host->t), ':') + 1);
}

static int connect_raw(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof address));
    return fd;
}

Test(zmq_strangers, garbage_is_refused)
{
    player host = {0};
    char bytes[4096];
    uint32_t seed = 1;
    open_good(&host, false);
    for (int i = 0; i < 40; i++) {
        int fd = connect_raw(port_of(&host));
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
        if (i % 2) /* what ZeroMQ greets with, and then garbage */
            memcpy(bytes, "\xff\0\0\0\0\0\0\0\1\x7f\3\0CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 33);
        cr_assert(send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0);
        player_pass(&host, NULL, 2);
        close(fd);
    }
    cr_assert(host.joined == 0);
    cr_assert(player_until(&host, NULL, is_refused));
    cr_assert_eq(host.refused_status, RASK_EFORMAT);
    check_goes_on(&host, false);
    player_close(&host);
}

Test(zmq_strangers, half_open_connections_do_not_matter)
{
    enum { HALF = 300 };
    static int fds[HALF];
    player host = {0};
    open_good(&host, false);
    for (int i = 0; i < HALF; i++)
        fds[i] = connect_raw(port_of(&host));
    check_goes_on(&host, false);
    cr_assert(host.joined == 1);
    player_close(&host);
    for (int i = 0; i < HALF; i++)
        close(fds[i]);
}

/* Passes bytes between a guest and the host, and keeps those of the guest. */
typedef struct eavesdropper {
    int listener, guest, host;
    char bytes[8192];
    size_t count;
} eavesdropper;

static void pass_on(eavesdropper *e)
{
    char bytes[8192];
    ssize_t n;
    if (e->guest < 0)
        e->guest = accept4(e->listener, NULL, NULL, SOCK_NONBLOCK);
    if (e->guest < 0)
        return;
    while ((n = recv(e->guest, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        cr_assert(send(e->host, bytes, (size_t)n, MSG_NOSIGNAL) == n);
        if (e->count + (size_t)n <= sizeof e->bytes)
            memcpy(e->bytes + e->count, bytes, (size_t)n);
        e->count += (size_t)n;
    }
    while ((n = recv(e->host, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        cr_assert(send(e->guest, bytes, (size_t)n, MSG_NOSIGNAL) == n);
}

static void replay(eavesdropper *e, int port)
{
    int fd = connect_raw(port);
    size_t known = e->count < sizeof e->bytes ? e->count : sizeof e->bytes;
    cr_assert(send(fd, e->bytes, known, MSG_NOSIGNAL) > 0);
    e->host = fd;
}

Test(zmq_strangers, replayed_bytes_are_refused)
{
    player host = {0}, guest = {0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    eavesdropper e = {.guest = -1};
    char contact[RK_MAX_CONTACT + 1];
    uint32_t peer;
    open_good(&host, false);
    open_good(&guest, false);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    e.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert(!bind(e.listener, (struct sockaddr *)&address, sizeof address) && !listen(e.listener, 5) &&
              !getsockname(e.listener, (struct sockaddr *)&address, &size));
    e.host = connect_raw(port_of(&host));
    snprintf(contact, sizeof contact, "tcp://127.0.0.1:%d/%s", ntohs(address.sin_port), key);
    cr_assert(zmq()->dial(guest.t, contact, &peer) == RASK_OK);
    for (int i = 0; i < 5000 && !(host.joined && guest.joined); i++) {
        pass_on(&e);
        player_pass(&host, &guest, 1);
    }
    cr_assert(host.joined == 1 && guest.joined == 1, "%s", guest.why);
    zmq()->send(guest.t, peer, "hello", 5);
    for (int i = 0; i < 5000 && !host.messages; i++) {
        pass_on(&e);
        player_pass(&host, &guest, 1);
    }
    cr_assert(host.messages == 1 && e.count > 200);
    replay(&e, port_of(&host));
    player_pass(&host, &guest, 200);
    cr_assert(host.joined == 1 && host.messages == 1);
    check_goes_on(&host, false);
    player_close(&guest);
    player_close(&host);
}

/* -- Peers with an open door that break the protocol */

typedef struct rogue {
    void *context, *control, *bulk;
} rogue;

enum { HELLO = 1, WELCOME, BYE, DATA };

typedef struct hello {
    char magic[4];
    uint32_t version, port, unused;
    uint8_t secret[16];
} hello;

static void *open_dealer(void *context, int port)
{
    char endpoint[64];
    const int none = 0;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", port);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    cr_assert(socket && !zmq_connect(socket, endpoint));
    return socket;
}

static void send_kind(void *socket, char kind, const void *body, size_t size)
{
    char *bytes = malloc(size + 1);
    *bytes = kind;
    if (size)
        memcpy(bytes + 1, body, size);
    cr_assert(zmq_send(socket, bytes, size + 1, 0) == (int)size + 1);
    free(bytes);
}

/* Progress of the host until something comes. */
static int receive(player *host, void *socket, void *bytes, size_t size)
{
    int n = -1;
    for (int i = 0; i < 5000 && n < 0; i++) {
        player_pass(host, NULL, 1);
        n = zmq_recv(socket, bytes, size, ZMQ_DONTWAIT);
    }
    return n;
}

/* As a peer would. */
static void join_rogue(rogue *r, player *host)
{
    struct {
        char kind;
        hello h;
    } __attribute__((packed)) answer;
    hello h = {.magic = "Rask", .version = RK_WIRE_VERSION};
    *r = (rogue){.context = zmq_ctx_new()};
    r->control = open_dealer(r->context, port_of(host));
    send_kind(r->control, HELLO, &h, sizeof h);
    cr_assert(receive(host, r->control, &answer, sizeof answer) == (int)sizeof answer);
    cr_assert(answer.kind == WELCOME && answer.h.version == RK_WIRE_VERSION);
    r->bulk = open_dealer(r->context, (int)answer.h.port);
    memcpy(h.secret, answer.h.secret, sizeof h.secret);
    send_kind(r->bulk, HELLO, &h, sizeof h);
    cr_assert(receive(host, r->bulk, &answer, sizeof answer) > 0);
}

static void leave_rogue(rogue *r)
{
    zmq_close(r->control);
    if (r->bulk)
        zmq_close(r->bulk);
    zmq_ctx_term(r->context);
}

static bool lost_one(player *self, player *other)
{
    (void)other;
    return self->lost == 1;
}

static void check_expelled(player *host, rogue *r, int status)
{
    cr_assert(player_until(host, NULL, lost_one));
    cr_assert(host->lost_status[0] == status, "%d: %s", host->lost_status[0], host->why);
    check_goes_on(host, true);
    leave_rogue(r);
    player_close(host);
}

typedef struct piece {
    uint32_t kind, size;
    uint64_t ticket, object, total, begin;
} piece;

Test(zmq_rogues, messages_that_do_not_fit_their_packet)
{
    player host = {0};
    rogue r;
    open_good(&host, true);
    join_rogue(&r, &host);
    send_kind(r.control, DATA, "\xff\xff\xff\xff garbage", 12);
    check_expelled(&host, &r, RASK_EFORMAT);
}

Test(zmq_rogues, packets_of_unknown_kinds)
{
    player host = {0};
    rogue r;
    open_good(&host, true);
    join_rogue(&r, &host);
    send_kind(r.control, 99, NULL, 0);
    check_expelled(&host, &r, RASK_EFORMAT);
}

Test(zmq_rogues, pieces_that_nobody_asked_for)
{
    player host = {0};
    rogue r;
    char bytes[sizeof(piece) + 100] = "";
    const piece head = {.kind = 2, .size = 100};
    open_good(&host, true);
    join_rogue(&r, &host);
    memcpy(bytes, &head, sizeof head);
    send_kind(r.bulk, DATA, bytes, sizeof bytes);
    check_expelled(&host, &r, RASK_EFORMAT);
}

Test(zmq_rogues, pieces_larger_than_they_say)
{
    player host = {0};
    rogue r;
    char bytes[sizeof(piece) + 100] = "";
    const piece head = {.kind = 2, .size = 99};
    open_good(&host, true);
    join_rogue(&r, &host);
    memcpy(bytes, &head, sizeof head);
    send_kind(r.bulk, DATA, bytes, sizeof bytes);
    check_expelled(&host, &r, RASK_EFORMAT);
}

Test(zmq_rogues, packets_larger_than_any)
{
    player host = {0};
    rogue r;
    char *bytes = calloc(1, 1 << 20);
    open_good(&host, true);
    join_rogue(&r, &host);
    send_kind(r.control, DATA, bytes, 1 << 20);
    check_expelled(&host, &r, RASK_EIO);
    free(bytes);
}

/* Ranges beyond the object, and such that overflow, are missing; the rogue is as welcome as before. */
Test(zmq_rogues, impossible_ranges_are_missing)
{
    player host = {0};
    rogue r;
    const piece asks[] = {{.kind = 1, .size = 10, .object = 100, .total = 100, .begin = 95},
                          {.kind = 1, .size = 10, .object = 100, .total = 100, .begin = UINT64_MAX - 4},
                          {.kind = 1, .size = 10, .object = 100, .total = 101, .begin = 0}};
    open_good(&host, true);
    join_rogue(&r, &host);
    for (size_t i = 0; i < 3; i++) {
        char answer[1 + sizeof(piece) + 200];
        piece head;
        send_kind(r.bulk, DATA, &asks[i], sizeof asks[i]);
        cr_assert(receive(&host, r.bulk, answer, sizeof answer) == 1 + (int)sizeof head);
        memcpy(&head, answer + 1, sizeof head);
        cr_assert(head.kind == 3);
    }
    cr_assert(host.lost == 0);
    check_goes_on(&host, true);
    leave_rogue(&r);
    player_close(&host);
}

Test(zmq_rogues, more_pieces_at_once_than_allowed)
{
    player host = {0};
    rogue r;
    const piece ask = {.kind = 1, .size = 512 << 10, .object = 64 << 20, .total = 64 << 20};
    open_good(&host, true);
    join_rogue(&r, &host);
    for (int i = 0; i < 500; i++)
        send_kind(r.bulk, DATA, &ask, sizeof ask);
    check_expelled(&host, &r, RASK_EFORMAT);
}

Test(zmq_rogues, other_versions_are_told_ours)
{
    player host = {0};
    rogue r = {.context = zmq_ctx_new()};
    struct {
        char kind;
        hello h;
    } __attribute__((packed)) answer;
    const hello h = {.magic = "Rask", .version = 7};
    open_good(&host, true);
    r.control = open_dealer(r.context, port_of(&host));
    send_kind(r.control, HELLO, &h, sizeof h);
    cr_assert(receive(&host, r.control, &answer, sizeof answer) == (int)sizeof answer);
    cr_assert(answer.kind == WELCOME && answer.h.version == RK_WIRE_VERSION);
    cr_assert(host.joined == 0);
    check_goes_on(&host, true);
    leave_rogue(&r);
    player_close(&host);
}

Test(zmq_rogues, words_before_the_greeting_are_not_heard)
{
    player host = {0};
    rogue r = {.context = zmq_ctx_new()};
    open_good(&host, true);
    r.control = open_dealer(r.context, port_of(&host));
    send_kind(r.control, DATA, "\5\0\0\0hello", 9);
    send_kind(r.control, BYE, NULL, 0);
    player_pass(&host, NULL, 100);
    cr_assert(host.joined == 0 && host.messages == 0 && host.lost == 0);
    check_goes_on(&host, true);
    leave_rogue(&r);
    player_close(&host);
}

/* A host that is not there, and one that never answers. */
Test(zmq_strangers, who_cannot_be_reached_is_lost)
{
    player guest = {0};
    open_good(&guest, true);
    dial_and_lose(&guest, NULL, "tcp://127.0.0.1:1", RASK_EIO);
    player_close(&guest);
}
