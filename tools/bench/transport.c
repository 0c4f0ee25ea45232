/* What a transport costs: round trips a second with one and with 32 outstanding, messages a second in groups of 16, and gigabytes a
 * second that are pulled, between two processes of one machine.
 *
 *   transport zmq|zmq-plain [SECONDS]          forks the second process
 *   mpirun -n 2 transport openmpi [SECONDS]    rank 1 is the second process; mpich alike */
#include "schedulers/cluster/transport.h"
#include "measure.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE = 200, GROUP = 16, OBJECT = 64 << 20 };

typedef struct side {
    const rk_transport_engine *engine;
    rk_transport *t;
    uint32_t peer;
    bool echoes, lost;
    size_t heard, pulled;
    char *object;
} side;

static void fail(const char *what)
{
    fprintf(stderr, "transport: %s\n", what);
    exit(1);
}

static void send_word(side *s, const void *bytes, size_t size)
{
    while (s->engine->send(s->t, s->peer, bytes, size))
        s->engine->progress(s->t);
}

static void on_joined(void *context, uint32_t peer, bool dialled)
{
    (void)dialled;
    ((side *)context)->peer = peer;
}

static void on_message(void *context, uint32_t peer, const void *bytes, size_t size)
{
    side *s = context;
    s->heard++;
    if (s->echoes)
        s->engine->send(s->t, peer, bytes, size);
}

static void on_lost(void *context, uint32_t peer, int status, const char *why)
{
    (void)peer, (void)status, (void)why;
    ((side *)context)->lost = true;
}

static const void *on_object(void *context, uint32_t peer, uint64_t object, uint64_t begin, size_t size,
                             uint64_t *total)
{
    (void)peer, (void)object, (void)size;
    *total = OBJECT;
    return ((side *)context)->object + begin;
}

static void on_pulled(void *context, uint64_t ticket, int status)
{
    (void)ticket;
    if (status)
        fail("a pull failed");
    ((side *)context)->pulled++;
}

static void open_side(side *s, const char *secret, const char *key)
{
    char reason[300] = "";
    const rk_transport_setup setup = {
        .listen = secret ? "tcp://127.0.0.1:*" : NULL,
        .keys = {.secret = secret, .allowed = &key, .allowed_count = secret != NULL, .open_door = !secret},
        .events = {.context = s,
                   .joined = on_joined,
                   .message = on_message,
                   .lost = on_lost,
                   .object = on_object,
                   .pulled = on_pulled}};
    s->peer = RK_NO_PEER;
    if (s->engine->open(s->engine, &setup, &s->t, reason, sizeof reason))
        fail(reason);
}

static void step(side *s)
{
    struct pollfd wait = {.fd = s->engine->descriptor(s->t), .events = POLLIN};
    if (!s->engine->progress(s->t) && wait.fd >= 0)
        poll(&wait, 1, 100);
}

/* The second process: dials, answers each message with the same, has an object, and goes when the first one has gone. */
static void serve(side *s, const char *contact)
{
    uint32_t peer;
    s->echoes = true;
    s->object = malloc(OBJECT);
    if (!s->object || s->engine->dial(s->t, contact, &peer))
        fail("no memory, or no contact");
    memset(s->object, 7, OBJECT);
    while (!s->lost)
        step(s);
    s->engine->close(s->t);
    free(s->object);
}

/* Messages there and back in a second, when so many are outstanding, sent so many at once. */
static double round_trips(side *s, size_t outstanding, size_t group, double seconds)
{
    static const char word[MESSAGE];
    double begin = bench_now_ns(), end = begin + seconds * 1e9;
    size_t sent = 0, first = s->heard;
    while (bench_now_ns() < end) {
        while (sent - (s->heard - first) + group <= outstanding)
            for (size_t i = 0; i < group; i++, sent++)
                send_word(s, word, sizeof word);
        step(s);
    }
    double rate = (double)(s->heard - first) / ((bench_now_ns() - begin) / 1e9);
    while (s->heard - first < sent)
        step(s);
    return rate;
}

static double gigabytes(side *s, double seconds)
{
    char *into = malloc(OBJECT);
    size_t pulls = 0, first = s->pulled;
    if (!into)
        fail("no memory");
    memset(into, 1, OBJECT);
    double begin = bench_now_ns(), end = begin + seconds * 1e9;
    for (; bench_now_ns() < end; pulls++) {
        uint64_t ticket;
        if (s->engine->pull(s->t, s->peer, 1, into, OBJECT, &ticket))
            fail("no pull");
        while (s->pulled - first <= pulls)
            step(s);
    }
    double rate = (double)pulls * OBJECT / (bench_now_ns() - begin);
    free(into);
    return rate;
}

static void lead(side *s, const char *name, double seconds)
{
    while (s->peer == RK_NO_PEER)
        step(s);
    printf("engine\tone\t32\t32 by 16\t512 by 16\tGB/s\n");
    double one = round_trips(s, 1, 1, seconds), many = round_trips(s, 32, 1, seconds);
    double grouped = round_trips(s, 2 * GROUP, GROUP, seconds),
           deep = round_trips(s, 32 * GROUP, GROUP, seconds);
    printf("%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.2f\n", name, one, many, grouped, deep, gigabytes(s, seconds));
    fflush(stdout);
    s->engine->close(s->t);
}

static void run_forked(side *s, const char *name, double seconds)
{
    char secret[RK_MAX_KEY + 1], key[RK_MAX_KEY + 1], contact[RK_MAX_CONTACT + 1] = "";
    bool plain = !strcmp(name, "zmq-plain");
    int ends[2];
    if (s->engine->make_secret(secret) || s->engine->public_key(secret, key) || pipe(ends))
        fail("no keys or no pipe");
    pid_t child = fork();
    if (child < 0)
        fail("no process");
    open_side(s, plain ? NULL : secret, key);
    if (!child) {
        if (read(ends[0], contact, sizeof contact) > 0)
            serve(s, contact);
        return;
    }
    snprintf(contact, sizeof contact, "%s", s->engine->contact(s->t));
    if (write(ends[1], contact, sizeof contact) < 0)
        fail("no pipe");
    lead(s, name, seconds);
    waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
    char reason[600] = "usage: transport zmq|zmq-plain|openmpi|mpich [SECONDS]";
    side s = {0};
    bool forked = argc > 1 && !strncmp(argv[1], "zmq", 3);
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 1;
    if (argc < 2 || rk_transport_find(forked ? "zmq" : argv[1], &s.engine, reason, sizeof reason))
        fail(reason);
    if (forked) {
        run_forked(&s, argv[1], seconds);
        return 0;
    }
    open_side(&s, NULL, NULL);
    if (!strcmp(s.engine->contact(s.t), "mpi:0"))
        lead(&s, argv[1], seconds);
    else
        serve(&s, "mpi:0");
    return 0;
}
