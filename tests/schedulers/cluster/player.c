#include "conformance.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <rask/base.h>

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static size_t place_of(const player *self, uint32_t peer)
{
    size_t i = 0;
    while (i < self->joined && self->peers[i] != peer)
        i++;
    return i;
}

static void on_joined(void *context, uint32_t peer, bool dialled)
{
    player *self = context;
    MUST(self->joined < MOST_PEERS);
    MUST(place_of(self, peer) == self->joined); /* numbers are not used again */
    self->dialled[self->joined] = dialled;
    self->peers[self->joined++] = peer;
}

static void on_message(void *context, uint32_t peer, const void *bytes, size_t size)
{
    player *self = context;
    size_t i = place_of(self, peer);
    MUST(i < self->joined && !self->is_lost[i]);
    self->messages++;
    if (self->on_message)
        self->on_message(self, peer, bytes, size);
}

static void on_lost(void *context, uint32_t peer, int status, const char *why)
{
    player *self = context;
    size_t i = place_of(self, peer);
    MUST(why && *why);
    snprintf(self->why, sizeof self->why, "%s", why);
    if (i == self->joined) {
        self->never_joined++;
        self->lost_status[MOST_PEERS - 1] = status;
        return;
    }
    MUST(!self->is_lost[i]);
    self->is_lost[i] = true;
    self->lost_status[i] = status;
    self->lost++;
}

static void on_refused(void *context, int status, const char *why)
{
    player *self = context;
    self->refused_status = status;
    snprintf(self->why, sizeof self->why, "%s", why);
    self->refused++;
}

enum { LARGEST = 80 << 20, UNKNOWN_OBJECT = 77777, PERIOD = 4093 };

/* Bytes of an object from begin on, as many as *size at most: a piece of a pattern that begins elsewhere in each object. */
static const char *pattern(uint64_t object, uint64_t begin, size_t *size)
{
    static char bytes[PERIOD];
    if (!bytes[1])
        for (size_t i = 0; i < PERIOD; i++)
            bytes[i] = (char)(i * 7 + (i >> 8));
    size_t at = (size_t)((object + begin) % PERIOD);
    if (*size > PERIOD - at)
        *size = PERIOD - at;
    return bytes + at;
}

/* Pieces are asked for one by one: each is made when it is wanted, in memory that lasts until the next. */
static const void *on_object(void *context, uint32_t peer, uint64_t object, uint64_t begin, size_t size,
                             uint64_t *total)
{
    static char piece[1 << 20];
    player *self = context;
    if (object == UNKNOWN_OBJECT || object > LARGEST)
        return NULL;
    MUST(size <= sizeof piece);
    for (size_t i = 0, n; i < size; i += n) {
        n = size - i;
        const char *bytes = pattern(object, begin + i, &n);
        memcpy(piece + i, bytes, n);
    }
    *total = object;
    self->served++;
    if (self->on_piece)
        self->on_piece(self, peer);
    return piece;
}

static void on_pulled(void *context, uint64_t ticket, int status)
{
    player *self = context;
    MUST(self->ended < MOST_TICKETS && status_of(self, ticket) == -1);
    self->tickets[self->ended] = ticket;
    self->statuses[self->ended++] = status;
}

int status_of(const player *self, uint64_t ticket)
{
    for (size_t i = 0; i < self->ended; i++)
        if (self->tickets[i] == ticket)
            return self->statuses[i];
    return -1;
}

void player_open_with(player *self, const rk_transport_engine *engine, const rk_transport_keys *keys,
                      const char *listen)
{
    char reason[300] = "";
    *self = (player){.engine = engine, .on_message = self->on_message, .on_piece = self->on_piece};
    const rk_transport_setup setup = {.listen = listen,
                                      .keys = *keys,
                                      .events = {.context = self,
                                                 .joined = on_joined,
                                                 .message = on_message,
                                                 .lost = on_lost,
                                                 .object = on_object,
                                                 .refused = on_refused,
                                                 .pulled = on_pulled}};
    if (engine->open(engine, &setup, &self->t, reason, sizeof reason))
        fprintf(stderr, "open: %s\n", reason);
    MUST(self->t);
}

void player_open(player *self, const rk_transport_engine *engine, const char *secret)
{
    char key[RK_MAX_KEY + 1];
    const char *allowed = key;
    rk_transport_keys keys = {.open_door = true};
    if (secret) {
        MUST(!engine->public_key(secret, key));
        keys = (rk_transport_keys){.secret = secret, .allowed = &allowed, .allowed_count = 1};
    }
    player_open_with(self, engine, &keys, engine->abilities.encrypted ? "tcp://127.0.0.1:*" : NULL);
}

void player_close(player *self)
{
    self->engine->close(self->t);
    self->t = NULL;
}

static bool step(player *self, player *other)
{
    bool did = self->engine->progress(self->t);
    if (other && other->t)
        did |= other->engine->progress(other->t);
    return did;
}

/* Nothing to do: sleeps until a descriptor tells, or a little while where there is none. */
static void rest(player *self, player *other)
{
    struct pollfd waits[2] = {{.fd = self->engine->descriptor(self->t), .events = POLLIN},
                              {.fd = -1, .events = POLLIN}};
    if (other && other->t)
        waits[1].fd = other->engine->descriptor(other->t);
    poll(waits, 2, waits[0].fd < 0 ? 0 : 100);
}

bool player_until(player *self, player *other, bool (*holds)(player *self, player *other))
{
    double end = now_ms() + PATIENCE_MS;
    while (!holds(self, other)) {
        if (!step(self, other))
            rest(self, other);
        if (now_ms() > end) {
            fprintf(stderr, "patience is over: %zu joined, %zu lost, %zu messages, %zu pulls ended; %s\n",
                    self->joined, self->lost + self->never_joined, self->messages, self->ended, self->why);
            return false;
        }
    }
    return true;
}

void player_pass(player *self, player *other, int milliseconds)
{
    double end = now_ms() + milliseconds;
    while (now_ms() < end)
        if (!step(self, other))
            poll(NULL, 0, 1);
}

bool has_joined(player *self, player *other)
{
    return self->joined && (!other || other->joined);
}

bool has_lost(player *self, player *other)
{
    (void)other;
    return self->lost || self->never_joined;
}

uint64_t pull(player *self, uint32_t peer, uint64_t object, uint64_t size, char **into)
{
    uint64_t ticket = 0;
    *into = malloc(size + 1);
    MUST(*into);
    MUST(!self->engine->pull(self->t, peer, object, *into, size, &ticket));
    return ticket;
}

bool holds_object(const char *bytes, uint64_t object)
{
    size_t n;
    for (uint64_t i = 0; i < object; i += n) {
        n = object - i;
        const char *wanted = pattern(object, i, &n);
        if (memcmp(bytes + i, wanted, n) != 0)
            return false;
    }
    return true;
}
