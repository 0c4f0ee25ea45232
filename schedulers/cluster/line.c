#include "schedulers/cluster/line.h"

#include "core/base/clock.h"
#include "schedulers/cluster/ranks/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- Waiting */

static bool set_up(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

int rk_bell_init(rk_bell *bell)
{
    int ends[2];
    *bell = (rk_bell){-1, -1};
    if (pipe(ends))
        return RASK_ESYSTEM;
    *bell = (rk_bell){ends[0], ends[1]};
    if (set_up(ends[0]) && set_up(ends[1]))
        return RASK_OK;
    rk_bell_fini(bell);
    return RASK_ESYSTEM;
}

void rk_bell_fini(rk_bell *bell)
{
    if (bell->read >= 0) {
        close(bell->read);
        close(bell->write);
    }
    *bell = (rk_bell){-1, -1};
}

/* A full pipe has been rung. */
void rk_bell_ring(const rk_bell *bell)
{
    int before = errno;
    ssize_t written = write(bell->write, "", 1);
    (void)written;
    errno = before;
}

static void hear_bell(const rk_bell *bell)
{
    char rung[64];
    while (read(bell->read, rung, sizeof rung) == sizeof rung) {
    }
}

enum { LOOK_OFTEN_NS = 50000 };

static void wait_for_something(const rk_line *line, uint64_t nanoseconds)
{
    int fd = line->engine->descriptor(line->transport);
    struct pollfd fds[2] = {{line->bell.read, POLLIN, 0}, {fd, POLLIN, 0}};
    if (fd < 0 && nanoseconds > LOOK_OFTEN_NS)
        nanoseconds = LOOK_OFTEN_NS;
    struct timespec most = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
    ppoll(fds, fd < 0 ? 1 : 2, &most, NULL);
    if (fds[0].revents)
        hear_bell(&line->bell);
}

void rk_line_turn(rk_line *line, uint64_t nanoseconds)
{
    bool any = false;
    while (line->engine->progress(line->transport))
        any = true;
    if (!any && nanoseconds)
        wait_for_something(line, nanoseconds);
}

/* -- An endpoint */

static const char *other_scheme;
static const rk_transport_engine *other_engine;

void rk_line_use(const char *scheme, const rk_transport_engine *engine)
{
    other_scheme = scheme;
    other_engine = engine;
}

static bool begins_with(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

int rk_line_engine(const char *address, const rk_transport_engine **engine, char *reason, size_t capacity)
{
    if (other_engine && begins_with(address, other_scheme)) {
        *engine = other_engine;
        return RASK_OK;
    }
    if (begins_with(address, "tcp://"))
        return rk_transport_find("zmq", engine, reason, capacity);
    if (begins_with(address, "mpi:"))
        return rk_launch_engine(engine, reason, capacity);
    snprintf(reason, capacity, "\"%.100s\" is no address such as tcp://127.0.0.1:7077, nor mpi:", address);
    return RASK_EINVAL;
}

static bool is_one_host(const char *host)
{
    return *host == '[' ? host[strlen(host) - 1] == ']' : !strchr(host, ':');
}

void rk_line_tell_unusable(const char *address, char *reason, size_t capacity)
{
    static const char *const all[] = {"*", "0.0.0.0", "[::]"};
    char host[128];
    const char *begin = begins_with(address, "tcp://") ? address + strlen("tcp://") : address,
               *colon = strrchr(begin, ':');
    size_t len = colon ? (size_t)(colon - begin) : 0;
    snprintf(host, sizeof host, "%.*s", (int)(len < sizeof host ? len : sizeof host - 1), begin);
    char *end = host;
    long port = colon ? strtol(colon + 1, &end, 10) : 0;
    if (!len || len >= sizeof host || *end || port < 1 || port > UINT16_MAX || !is_one_host(host))
        snprintf(reason, capacity,
                 "\"%.100s\" is no address of a program: tcp://HOST:PORT, the port from 1 to 65535", address);
    else if (!strcmp(host, all[0]) || !strcmp(host, all[1]) || !strcmp(host, all[2]))
        snprintf(
            reason, capacity,
            "%.100s is where a program waits, at all addresses of its machine; who looks for it names that "
            "machine",
            address);
    else
        snprintf(reason, capacity, "%.100s: the host \"%s\" is not known here", address, host);
}

int rk_line_open(rk_line *line, const rk_transport_setup *setup, char *reason, size_t capacity)
{
    line->transport = NULL;
    if (rk_bell_init(&line->bell)) {
        snprintf(reason, capacity, "no pipe to be woken by: %s", strerror(errno));
        return RASK_ESYSTEM;
    }
    int status = line->engine->open(line->engine, setup, &line->transport, reason, capacity);
    if (status)
        rk_bell_fini(&line->bell);
    return status;
}

void rk_line_close(rk_line *line)
{
    if (!line->transport)
        return;
    line->engine->close(line->transport);
    line->transport = NULL;
    rk_bell_fini(&line->bell);
}

/* -- Messages to a peer */

/* Of one peer, beside what the transport holds: more is not said to anybody who listens. */
#define MOST_KEPT ((uint64_t)256 << 20)

void rk_mouth_init(rk_mouth *mouth)
{
    *mouth = (rk_mouth){.kept = RK_ARRAY(rk_pack_out, SIZE_MAX / sizeof(rk_pack_out))};
}

void rk_mouth_fini(rk_mouth *mouth)
{
    rk_pack_out_fini(&mouth->words);
    for (size_t i = 0; i < mouth->kept.count; i++)
        rk_pack_out_fini(&((rk_pack_out *)mouth->kept.data)[i]);
    rk_array_fini(&mouth->kept);
}

static void send_kept(rk_mouth *mouth, const rk_line *line, uint32_t peer)
{
    rk_pack_out *kept = mouth->kept.data;
    size_t sent = 0;
    while (sent < mouth->kept.count &&
           !line->engine->send(line->transport, peer, kept[sent].data, kept[sent].size)) {
        mouth->kept_bytes -= kept[sent].size;
        rk_pack_out_fini(&kept[sent++]);
    }
    if (sent)
        memmove(kept, kept + sent, (mouth->kept.count - sent) * sizeof *kept);
    mouth->kept.count -= sent;
}

static void keep_words(rk_mouth *mouth)
{
    rk_pack_out *place = rk_array_push(&mouth->kept);
    mouth->kept_bytes += mouth->words.size;
    mouth->failed |= !place || mouth->kept_bytes > MOST_KEPT;
    if (!place)
        return;
    *place = mouth->words;
    mouth->words = (rk_pack_out){0};
}

void rk_mouth_flush(rk_mouth *mouth, const rk_line *line, uint32_t peer)
{
    mouth->failed |= mouth->words.failed;
    if (mouth->failed)
        return;
    if (mouth->kept.count)
        send_kept(mouth, line, peer);
    if (!mouth->words.size)
        return;
    if (mouth->kept.count || line->engine->send(line->transport, peer, mouth->words.data, mouth->words.size))
        keep_words(mouth);
    else
        mouth->words.size = 0;
}

void rk_mouth_say(rk_mouth *mouth, const rk_line *line, uint32_t peer, const rk_message *message)
{
    if (mouth->words.size + RK_MAX_MESSAGE_BYTES > RK_MAX_PARCEL)
        rk_mouth_flush(mouth, line, peer);
    rk_message_put(&mouth->words, message);
}

/* -- Objects from peers */

void rk_fetches_init(rk_fetches *fetches)
{
    fetches->all = (rk_array)RK_ARRAY(rk_fetch, SIZE_MAX / sizeof(rk_fetch));
}

void rk_fetches_fini(rk_fetches *fetches)
{
    for (size_t i = 0; i < fetches->all.count; i++)
        rk_free(((rk_fetch *)fetches->all.data)[i].into);
    rk_array_fini(&fetches->all);
}

int rk_fetches_add(rk_fetches *fetches, uint32_t peer, uint32_t run, uint32_t unit, uint32_t attempt,
                   uint64_t size)
{
    char *into = size < UINT64_MAX ? rk_alloc(size + 1) : NULL;
    rk_fetch *fetch = into ? rk_array_push(&fetches->all) : NULL;
    if (!fetch) {
        rk_free(into);
        return RASK_ENOMEM;
    }
    into[size] = '\0';
    *fetch = (rk_fetch){.peer = peer,
                        .run = run,
                        .unit = unit,
                        .attempt = attempt,
                        .size = size,
                        .into = into,
                        .began_ns = rk_clock_now()};
    return RASK_OK;
}

void rk_fetches_go(rk_fetches *fetches, const rk_line *line)
{
    rk_fetch *all = fetches->all.data;
    for (size_t i = 0; i < fetches->all.count; i++) {
        if (all[i].pulling)
            continue;
        int status = line->engine->pull(line->transport, all[i].peer, rk_object_of(all[i].run, all[i].unit),
                                        all[i].into, all[i].size, &all[i].ticket);
        if (status == RASK_ELIMIT)
            return;
        all[i].pulling = !status;
    }
}

static void take_out(rk_fetches *fetches, size_t index, int status, rk_fetch *out)
{
    rk_fetch *all = fetches->all.data;
    *out = all[index];
    out->status = status;
    all[index] = all[--fetches->all.count];
}

bool rk_fetches_end(rk_fetches *fetches, uint64_t ticket, int status, rk_fetch *out)
{
    const rk_fetch *all = fetches->all.data;
    for (size_t i = 0; i < fetches->all.count; i++)
        if (all[i].pulling && all[i].ticket == ticket) {
            take_out(fetches, i, status, out);
            return true;
        }
    return false;
}

bool rk_fetches_lose(rk_fetches *fetches, uint32_t peer, rk_fetch *out)
{
    const rk_fetch *all = fetches->all.data;
    for (size_t i = 0; i < fetches->all.count; i++)
        if (!all[i].pulling && all[i].peer == peer) {
            take_out(fetches, i, RASK_EIO, out);
            return true;
        }
    return false;
}
