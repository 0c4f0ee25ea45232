#include "schedulers/cluster/zmq/door.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum { Z85_ROOM = 41, FRAMES = 7 /* of a question */, FRAME_ROOM = 256 };

/* What a question is about, by its frames. */
enum { VERSION, REQUEST, DOMAIN, ADDRESS, IDENTITY, MECHANISM, KEY };

int rk_door_make_secret(char secret[RK_MAX_KEY + 1])
{
    char public85[Z85_ROOM], secret85[Z85_ROOM];
    uint8_t key[KEY_BYTES];
    if (zmq_curve_keypair(public85, secret85) || !zmq_z85_decode(key, secret85))
        return RASK_EUNSUPPORTED; /* ZeroMQ was built without it */
    rk_key_write(key, secret);
    return RASK_OK;
}

static int public_of(const uint8_t secret[KEY_BYTES], uint8_t key[KEY_BYTES])
{
    char public85[Z85_ROOM], secret85[Z85_ROOM];
    if (!zmq_z85_encode(secret85, secret, KEY_BYTES) || zmq_curve_public(public85, secret85) ||
        !zmq_z85_decode(key, public85))
        return RASK_EUNSUPPORTED;
    return RASK_OK;
}

int rk_door_public_key(const char *secret, char key[RK_MAX_KEY + 1])
{
    uint8_t bytes[KEY_BYTES], own[KEY_BYTES];
    if (!rk_key_read(secret, bytes))
        return RASK_EINVAL;
    int status = public_of(bytes, own);
    if (!status)
        rk_key_write(own, key);
    return status;
}

static int read_secret(rk_door *door, const char *given)
{
    char made[RK_MAX_KEY + 1];
    int status = given ? RASK_OK : rk_door_make_secret(made);
    if (status)
        return status;
    return rk_key_read(given ? given : made, door->secret) ? public_of(door->secret, door->own) : RASK_EINVAL;
}

int rk_door_allow(rk_door *door, const rk_wire_host *host, const char *text)
{
    uint8_t key[KEY_BYTES];
    if (!door->encrypted)
        return RASK_EUNSUPPORTED;
    if (!rk_key_read(text, key))
        return RASK_EINVAL;
    if (door->count == RK_MAX_PEERS)
        return RASK_ELIMIT;
    if (door->count == door->capacity) {
        size_t wanted = door->capacity ? door->capacity * 2 : 8;
        void *larger = host->realloc(door->allowed, wanted * sizeof *door->allowed);
        if (!larger)
            return RASK_ENOMEM;
        door->allowed = larger;
        door->capacity = wanted;
    }
    memcpy(door->allowed[door->count++], key, KEY_BYTES);
    return RASK_OK;
}

static int read_keys(rk_door *door, const rk_wire_host *host, const rk_transport_keys *keys, char *reason,
                     size_t capacity)
{
    int status = read_secret(door, keys->secret);
    if (status) {
        snprintf(reason, capacity, "%s",
                 status == RASK_EINVAL ? "the secret key is not 64 hexadecimal digits"
                                       : "this ZeroMQ was built without encryption (libsodium)");
        return status;
    }
    for (size_t i = 0; i < keys->allowed_count; i++) {
        status = rk_door_allow(door, host, keys->allowed[i]);
        if (status == RASK_EINVAL)
            snprintf(reason, capacity, "key %zu of those that are allowed is not 64 hexadecimal digits",
                     i + 1);
        if (status)
            return status;
    }
    return RASK_OK;
}

int rk_door_open(rk_door *door, const rk_wire_host *host, void *context, const rk_transport_keys *keys,
                 char *reason, size_t capacity)
{
    if (keys->open_door)
        return RASK_OK;
    door->encrypted = true;
    int status = read_keys(door, host, keys, reason, capacity);
    if (status)
        return status;
    door->socket = zmq_socket(context, ZMQ_REP);
    if (!door->socket || zmq_bind(door->socket, "inproc://zeromq.zap.01"))
        return RASK_ENOMEM;
    return RASK_OK;
}

void rk_door_close(rk_door *door, const rk_wire_host *host)
{
    const int none = 0;
    if (door->socket) {
        zmq_setsockopt(door->socket, ZMQ_LINGER, &none, sizeof none);
        zmq_close(door->socket);
    }
    host->free(door->allowed);
    explicit_bzero(door, sizeof *door);
}

static bool is_allowed(const rk_door *door, const uint8_t key[KEY_BYTES])
{
    for (size_t i = 0; i < door->count; i++)
        if (!memcmp(door->allowed[i], key, KEY_BYTES))
            return true;
    return false;
}

typedef struct question {
    char frames[FRAMES][FRAME_ROOM];
    size_t sizes[FRAMES], count;
} question;

/* All frames, of which those that are too many or too long count but are not kept. */
static bool receive(void *socket, question *q)
{
    int more = 1;
    size_t width = sizeof more;
    for (q->count = 0; more; q->count++) {
        char rest[FRAME_ROOM];
        bool kept = q->count < FRAMES;
        int size = zmq_recv(socket, kept ? q->frames[q->count] : rest, FRAME_ROOM, ZMQ_DONTWAIT);
        if (size < 0)
            return false;
        if (kept)
            q->sizes[q->count] = (size_t)size;
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &width))
            return false;
    }
    return true;
}

static void reply(void *socket, const question *q, bool yes)
{
    size_t len = q->sizes[REQUEST] < FRAME_ROOM ? q->sizes[REQUEST] : 0;
    zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(socket, q->frames[REQUEST], len, ZMQ_SNDMORE);
    zmq_send(socket, yes ? "200" : "400", 3, ZMQ_SNDMORE);
    zmq_send(socket, yes ? "" : "unknown key", yes ? 0 : 11, ZMQ_SNDMORE);
    zmq_send(socket, "", 0, ZMQ_SNDMORE);
    zmq_send(socket, "", 0, 0);
}

static void tell_refused(const rk_wire_host *host, const question *q)
{
    char key[KEY_DIGITS + 1] = "no key", why[FRAME_ROOM + 200];
    if (q->count == FRAMES && q->sizes[KEY] == KEY_BYTES)
        rk_key_write((const uint8_t *)q->frames[KEY], key);
    int len = q->count > ADDRESS && q->sizes[ADDRESS] < FRAME_ROOM ? (int)q->sizes[ADDRESS] : 0;
    snprintf(why, sizeof why, "%.*s came with a key that is not allowed: %s", len, q->frames[ADDRESS], key);
    host->refused(host->context, RASK_EINVAL, why);
}

bool rk_door_answer(rk_door *door, const rk_wire_host *host)
{
    bool did = false;
    question q = {0};
    while (door->socket && receive(door->socket, &q)) {
        bool curve = q.count == FRAMES && q.sizes[MECHANISM] == 5 && !memcmp(q.frames[MECHANISM], "CURVE", 5);
        bool yes = curve && q.sizes[KEY] == KEY_BYTES && is_allowed(door, (const uint8_t *)q.frames[KEY]);
        if (!yes)
            tell_refused(host, &q);
        reply(door->socket, &q, yes);
        did = true;
    }
    return did;
}
