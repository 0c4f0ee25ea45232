#include "schedulers/cluster/mpi/mail.h"

#include <string.h>

/* Of all endpoints: MPI is one, and asked for threads that call it in turn (MPI_THREAD_SERIALIZED). */
static pthread_mutex_t inside = PTHREAD_MUTEX_INITIALIZER;

void rk_mail_enter(void)
{
    pthread_mutex_lock(&inside);
}

void rk_mail_leave(void)
{
    pthread_mutex_unlock(&inside);
}

static int post(rk_wire *wire, rk_channel channel, int place)
{
    mail_ring *ring = &wire->rings[channel];
    ring->done[place] = false;
    return MPI_Irecv(ring->buffers + (size_t)place * ring->room, (int)ring->room, MPI_BYTE, MPI_ANY_SOURCE,
                     (int)channel, wire->comm, &wire->requests[ring->begin + place]);
}

static int open_ring(rk_wire *wire, rk_channel channel, int begin, int count, size_t packet)
{
    mail_ring *ring = &wire->rings[channel];
    *ring = (mail_ring){.room = sizeof(mail_head) + packet, .begin = begin, .count = count};
    ring->buffers = wire->host.calloc((size_t)count, ring->room);
    if (!ring->buffers)
        return RASK_ENOMEM;
    for (int i = 0; i < count; i++)
        if (post(wire, channel, i))
            return RASK_EIO;
    return RASK_OK;
}

static int open_lists(rk_wire *wire)
{
    size_t sends = SENDS + (size_t)WORDS * (size_t)wire->ranks, all = RECEIVES + sends;
    wire->most_sends = (int)sends;
    wire->requests = wire->host.calloc(all, sizeof(MPI_Request));
    for (size_t i = 0; i < all && wire->requests; i++)
        wire->requests[i] = MPI_REQUEST_NULL;
    wire->sends = wire->host.calloc(sends, sizeof *wire->sends);
    wire->which = wire->host.calloc(all, sizeof *wire->which);
    wire->statuses = wire->host.calloc(all, sizeof *wire->statuses);
    if (!wire->requests || !wire->sends || !wire->which || !wire->statuses)
        return RASK_ENOMEM;
    return RASK_OK;
}

int rk_mail_open(rk_wire *wire)
{
    int status = open_lists(wire);
    if (!status)
        status = open_ring(wire, RK_CONTROL, 0, CONTROL_RECEIVES, RK_MAX_BATCH);
    if (!status)
        status = open_ring(wire, RK_BULK, CONTROL_RECEIVES, BULK_RECEIVES, RK_PIECE_HEAD + RK_PIECE);
    return status;
}

void rk_mail_close(rk_wire *wire)
{
    for (int i = 0; i < RECEIVES && wire->requests; i++)
        if (wire->requests[i] != MPI_REQUEST_NULL) {
            MPI_Cancel(&wire->requests[i]);
            MPI_Wait(&wire->requests[i], MPI_STATUS_IGNORE); /* of what was cancelled: at once */
        }
    for (int i = 0; i < 2; i++)
        wire->host.free(wire->rings[i].buffers);
    wire->host.free((void *)wire->requests);
    wire->host.free((void *)wire->sends);
    wire->host.free(wire->which);
    wire->host.free(wire->statuses);
}

static int free_place(rk_wire *wire)
{
    int place = 0;
    while (place < wire->sends_end && wire->sends[place])
        place++;
    return place;
}

static void fail(rk_wire *wire, rk_link *link)
{
    wire->failed += !link->failed;
    link->failed = true;
}

/* What waits at the other end is bounded: MPI buffers small messages there without a limit, unless their sender waits for each to
 * be received. Pieces are bounded by what is asked for. */
static int start(rk_wire *wire, const mail_send *send, size_t size, MPI_Request *request)
{
    if (send->channel == RK_CONTROL)
        return MPI_Issend(send->bytes, (int)size, MPI_BYTE, send->link->rank, (int)send->channel, wire->comm,
                          request);
    return MPI_Isend(send->bytes, (int)size, MPI_BYTE, send->link->rank, (int)send->channel, wire->comm,
                     request);
}

int rk_mail_send(rk_wire *wire, rk_link *link, rk_channel channel, enum mail_kind kind, const void *head,
                 size_t head_size, const void *body, size_t body_size)
{
    const mail_head first = {
        .kind = kind, .to = link->theirs, .from = link->life, .version = RK_WIRE_VERSION};
    size_t size = sizeof first + head_size + body_size;
    if (link->failed)
        return RASK_EIO;
    bool full = wire->sending >= (size_t)wire->most_sends ||
                (kind == MAIL_DATA && (wire->sending >= SENDS || link->sending[channel] >= SENDS_TO_ONE));
    if (full)
        return RASK_ELIMIT;
    mail_send *send = wire->host.alloc(sizeof *send + size);
    if (!send)
        return RASK_ENOMEM;
    *send = (mail_send){link, channel};
    memcpy(send->bytes, &first, sizeof first);
    if (head_size)
        memcpy(send->bytes + sizeof first, head, head_size);
    if (body_size)
        memcpy(send->bytes + sizeof first + head_size, body, body_size);
    int place = free_place(wire);
    if (start(wire, send, size, &wire->requests[RECEIVES + place])) {
        wire->requests[RECEIVES + place] = MPI_REQUEST_NULL;
        wire->host.free(send);
        fail(wire, link);
        return RASK_EIO;
    }
    wire->sends[place] = send;
    wire->sends_end += place == wire->sends_end;
    wire->sending++;
    link->sending[channel]++;
    return RASK_OK;
}

static void is_sent(rk_wire *wire, int place, bool failed)
{
    mail_send *send = wire->sends[place];
    if (failed)
        fail(wire, send->link);
    else if (send->channel == RK_CONTROL)
        send->link->heard_ns = wire->clock_ns;
    send->link->sending[send->channel]--;
    wire->host.free(send);
    wire->sends[place] = NULL;
    wire->sending--;
    while (wire->sends_end && !wire->sends[wire->sends_end - 1])
        wire->sends_end--;
}

/* Whoever it is from is heard now, whenever it is taken. */
static void has_come(rk_wire *wire, int request, MPI_Status *status, bool failed)
{
    rk_channel channel = request < CONTROL_RECEIVES ? RK_CONTROL : RK_BULK;
    mail_ring *ring = &wire->rings[channel];
    int place = request - ring->begin, source = failed ? -1 : status->MPI_SOURCE;
    ring->done[place] = true;
    ring->sources[place] = source;
    if (failed || MPI_Get_count(status, MPI_BYTE, &ring->sizes[place]))
        ring->sizes[place] = 0;
    if (source >= 0 && source < wire->ranks)
        wire->links[source].heard_ns = wire->clock_ns;
}

bool rk_mail_test(rk_wire *wire)
{
    int count = 0;
    int result =
        MPI_Testsome(RECEIVES + wire->sends_end, wire->requests, &count, wire->which, wire->statuses);
    if (count == MPI_UNDEFINED || (result && result != MPI_ERR_IN_STATUS))
        return false;
    for (int i = 0; i < count; i++) {
        int which = wire->which[i];
        bool failed = result == MPI_ERR_IN_STATUS && wire->statuses[i].MPI_ERROR != MPI_SUCCESS;
        if (which < RECEIVES)
            has_come(wire, which, &wire->statuses[i], failed);
        else
            is_sent(wire, which - RECEIVES, failed);
    }
    return count > 0;
}

bool rk_mail_poll(rk_wire *wire, bool takes_bulk,
                  void (*take)(rk_wire *wire, rk_link *link, rk_channel channel, const char *bytes,
                               size_t size))
{
    bool did = rk_mail_test(wire);
    for (int channel = 0; channel < 1 + takes_bulk; channel++) {
        mail_ring *ring = &wire->rings[channel];
        for (int i = 0; i < ring->count && ring->done[ring->next]; i++) {
            int place = ring->next, source = ring->sources[place];
            did = true;
            if (source >= 0 && source < wire->ranks)
                take(wire, &wire->links[source], (rk_channel)channel,
                     ring->buffers + (size_t)place * ring->room, (size_t)ring->sizes[place]);
            ring->next = (place + 1) % ring->count;
            post(wire, (rk_channel)channel, place);
        }
    }
    return did;
}
