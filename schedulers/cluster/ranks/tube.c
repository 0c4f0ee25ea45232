#include "schedulers/cluster/ranks/tube.h"

#include "core/base/alloc.h"
#include "core/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 256 << 10 };

void rk_tube_init(rk_tube *tube, int fd)
{
    *tube = (rk_tube){.fd = fd};
}

void rk_tube_fini(rk_tube *tube)
{
    if (tube->fd >= 0)
        close(tube->fd);
    rk_free(tube->out.bytes);
    rk_free(tube->in.bytes);
    *tube = (rk_tube){.fd = -1, .broken = true};
}

/* Room for so many bytes more behind the end; what was taken makes room first. */
static bool make_room(rk_tube_buffer *b, size_t more)
{
    if (b->room - b->end >= more)
        return true;
    if (b->begin) {
        memmove(b->bytes, b->bytes + b->begin, b->end - b->begin);
        b->end -= b->begin;
        b->begin = 0;
    }
    if (b->room - b->end >= more)
        return true;
    size_t room = 2 * b->room > b->end + more ? 2 * b->room : b->end + more;
    char *bytes = rk_realloc(b->bytes, room);
    if (!bytes)
        return false;
    b->bytes = bytes;
    b->room = room;
    return true;
}

static void append(rk_tube_buffer *b, const void *bytes, size_t size)
{
    if (size)
        memcpy(b->bytes + b->end, bytes, size);
    b->end += size;
}

int rk_tube_put(rk_tube *tube, rk_frame frame, const void *head, size_t head_size, const void *body,
                size_t body_size)
{
    frame.size = (uint32_t)(head_size + body_size);
    if (tube->broken)
        return RASK_EIO;
    if (!make_room(&tube->out, sizeof frame + frame.size))
        return RASK_ENOMEM;
    append(&tube->out, &frame, sizeof frame);
    append(&tube->out, head, head_size);
    append(&tube->out, body, body_size);
    return RASK_OK;
}

static bool may_come_again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

void rk_tube_flush(rk_tube *tube)
{
    rk_tube_buffer *b = &tube->out;
    while (b->begin < b->end && !tube->broken) {
        ssize_t sent = send(tube->fd, b->bytes + b->begin, b->end - b->begin, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            tube->broken = !may_come_again();
            return;
        }
        b->begin += (size_t)sent;
    }
    if (b->begin == b->end)
        b->begin = b->end = 0;
}

void rk_tube_drain(rk_tube *tube, int milliseconds)
{
    uint64_t end = rk_clock_now() + (uint64_t)milliseconds * 1000000;
    for (rk_tube_flush(tube); rk_tube_waiting(tube) && !tube->broken && rk_clock_now() < end;
         rk_tube_flush(tube)) {
        struct pollfd wait = {.fd = tube->fd, .events = POLLOUT};
        poll(&wait, 1, 10);
    }
}

/* False: nothing came. */
static bool fill(rk_tube *tube, int how)
{
    rk_tube_buffer *b = &tube->in;
    if (tube->broken)
        return false;
    if (!make_room(b, READ_BYTES)) {
        tube->broken = true;
        return false;
    }
    ssize_t got = recv(tube->fd, b->bytes + b->end, b->room - b->end, how);
    if (got > 0)
        b->end += (size_t)got;
    else
        tube->broken = got == 0 || !may_come_again();
    return got > 0;
}

/* What came before the tube broke is still good. */
static bool take(rk_tube *tube, rk_frame *frame, const char **body)
{
    rk_tube_buffer *b = &tube->in;
    if (b->end - b->begin < sizeof *frame)
        return false;
    memcpy(frame, b->bytes + b->begin, sizeof *frame);
    if (frame->size > RK_MAX_FRAME) {
        tube->broken = true;
        b->begin = b->end;
        return false;
    }
    if (b->end - b->begin < sizeof *frame + frame->size)
        return false;
    *body = b->bytes + b->begin + sizeof *frame;
    b->begin += sizeof *frame + frame->size;
    return true;
}

bool rk_tube_next(rk_tube *tube, rk_frame *frame, const char **body)
{
    return take(tube, frame, body) || (fill(tube, MSG_DONTWAIT) && take(tube, frame, body));
}

bool rk_tube_await(rk_tube *tube, rk_frame *frame, const char **body)
{
    bool got = take(tube, frame, body);
    while (!got && !tube->broken) {
        fill(tube, 0);
        got = take(tube, frame, body);
    }
    return got;
}

void rk_tube_text(const rk_frame *frame, const char *body, char *text, size_t capacity)
{
    size_t len = frame->size < capacity ? frame->size : capacity - 1;
    memcpy(text, body, len);
    text[len] = '\0';
}
