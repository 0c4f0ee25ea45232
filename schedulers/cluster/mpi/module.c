/* The modules rask-transport-openmpi and rask-transport-mpich: one source, compiled by each MPI's compiler. An endpoint's contact is
 * its rank. MPI is set up with the first endpoint, and ended with the process, for it cannot be set up again. */
#include "schedulers/cluster/mpi/beats.h"
#include "schedulers/cluster/mpi/farewell.h"

#include "core/base/clock.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char scheme[] = "mpi:";

/* Beside what close() was given, and where nobody is looked after: a rank that ends MPI while others have sent to it leaves them
 * hanging. Who is alive answers at once. */
enum { PART_MS = 10000 };

/* -- Peers
 *
 * All of this is inside MPI; upcalls are not, and may call the wire. */

static void lose(rk_wire *wire, rk_link *link, int status, const char *why)
{
    uint32_t peer = link->peer;
    link->state = LINK_NONE;
    link->peer = RK_NO_PEER;
    rk_mail_leave();
    wire->host.lost(wire->host.context, peer, status, why);
    rk_mail_enter();
}

static void say(rk_wire *wire, rk_link *link, enum mail_kind kind)
{
    rk_mail_send(wire, link, RK_CONTROL, kind, NULL, 0, NULL, 0);
}

/* The last word of this life, or of this endpoint, for which GONE is due. */
static void part(rk_link *link)
{
    link->due[RK_CONTROL]++;
    link->due[RK_BULK]++;
}

static void say_bye(rk_wire *wire, rk_link *link)
{
    part(link);
    say(wire, link, MAIL_BYE);
}

static bool is_due(const rk_link *link)
{
    return link->due[RK_CONTROL] || link->due[RK_BULK];
}

static void is_up(rk_wire *wire, rk_link *link, uint32_t theirs)
{
    link->state = LINK_UP;
    link->theirs = theirs;
    rk_mail_leave();
    wire->host.reached(wire->host.context, link->peer);
    rk_mail_enter();
}

static void cut(rk_wire *wire, rk_link *link)
{
    if (link->state == LINK_UP)
        say_bye(wire, link);
    link->state = LINK_NONE;
    link->peer = RK_NO_PEER;
}

static void begin_life(rk_link *link)
{
    link->life++;
    link->due[RK_CONTROL] = link->due[RK_BULK] =
        0; /* what is due to an earlier one comes before what will be to this */
}

/* Somebody dials: while we dial, too, that is an answer; while it is a peer, it has forgotten us. */
static void take_hello(rk_wire *wire, rk_link *link, const mail_head *head)
{
    if (link->state == LINK_CALLING) {
        link->theirs = head->from;
        say(wire, link, MAIL_WELCOME);
        is_up(wire, link, head->from);
        return;
    }
    if (link->state == LINK_UP)
        lose(wire, link, RASK_EIO, "it left and came again");
    if (link->state != LINK_NONE)
        return; /* dialled by whom that was told, or about to leave */
    begin_life(link);
    link->theirs = head->from;
    link->state = LINK_UP;
    say(wire, link, MAIL_WELCOME);
    uint32_t life = link->life;
    rk_mail_leave();
    uint32_t peer = wire->host.came(wire->host.context, link);
    rk_mail_enter();
    if (link->life == life && link->state == LINK_UP) {
        link->peer = peer;
        if (peer == RK_NO_PEER)
            cut(wire, link);
    }
}

static void say_gone(rk_wire *wire, rk_link *link)
{
    say(wire, link, MAIL_GONE);
    rk_mail_send(wire, link, RK_BULK, MAIL_GONE, NULL, 0, NULL, 0);
}

static void part_with(rk_wire *wire, rk_link *link)
{
    say_gone(wire, link);
    lose(wire, link, RASK_EIO, "it left, or the process that ran its tasks ended");
}

/* To us, who leave, or have cut the link; the other side may do so at the same time. */
static void take_parting(rk_wire *wire, rk_link *link, rk_channel channel, const mail_head *head)
{
    if (head->kind == MAIL_BYE) {
        link->theirs = head->from;
        say_gone(wire, link);
    } else if (head->kind == MAIL_GONE && link->due[channel]) {
        link->due[channel]--;
    }
    if (!is_due(link))
        link->state = LINK_NONE;
}

/* Whoever is there closes for good, whatever the state of the link. */
static void take_end(rk_wire *wire, rk_link *link, const mail_head *head)
{
    bool leaving = link->state == LINK_LEAVING;
    link->ended = true;
    link->theirs = head->from;
    say_gone(wire, link);
    if (!leaving && link->state != LINK_NONE)
        lose(wire, link, RASK_ENOENT, "it has ended");
}

static void take_data(rk_wire *wire, const rk_link *link, rk_channel channel, const char *bytes, size_t size)
{
    uint32_t peer = link->peer;
    rk_mail_leave();
    wire->host.packet(wire->host.context, peer, channel, bytes, size);
    rk_mail_enter();
}

static void take_mail(rk_wire *wire, rk_link *link, rk_channel channel, const char *bytes, size_t size)
{
    mail_head head;
    if (size < sizeof head)
        return;
    memcpy(&head, bytes, sizeof head);
    bool ours = head.to == link->life && head.version == RK_WIRE_VERSION;
    if (head.kind == MAIL_HELLO && head.version == RK_WIRE_VERSION)
        take_hello(wire, link, &head);
    if (head.kind == MAIL_END && head.version == RK_WIRE_VERSION) {
        take_end(wire, link, &head);
        return;
    }
    if (!ours)
        return;
    /* WELCOME, or what the other side sent on bulk as soon as it was up, and that is faster */
    if (link->state == LINK_CALLING && (head.kind == MAIL_WELCOME || head.kind == MAIL_DATA))
        is_up(wire, link, head.from);
    if (link->state == LINK_UP && head.kind == MAIL_DATA)
        take_data(wire, link, channel, bytes + sizeof head, size - sizeof head);
    else if (link->state == LINK_LEAVING || link->state == LINK_NONE)
        take_parting(wire, link, channel, &head);
    else if (link->state == LINK_UP && head.kind == MAIL_BYE)
        part_with(wire, link);
}

static void lose_failed(rk_wire *wire)
{
    for (int i = 0; i < wire->ranks && wire->failed; i++) {
        rk_link *link = &wire->links[i];
        if (!link->failed)
            continue;
        link->failed = false;
        link->due[RK_CONTROL] = link->due[RK_BULK] = 0;
        wire->failed--;
        if (link->state == LINK_LEAVING)
            link->state = LINK_NONE;
        if (link->state != LINK_NONE)
            lose(wire, link, RASK_EIO, "MPI could not send to it");
    }
}

static void rest(const rk_wire *wire, uint64_t nanoseconds)
{
    if (wire->host.rest)
        wire->host.rest(wire->host.context, nanoseconds);
    else
        rk_clock_sleep(nanoseconds);
}

static _Thread_local bool is_inside; /* MPI: what ends the process there, as its abort does, cannot end MPI */

static bool turn(rk_wire *wire, bool takes_bulk)
{
    rk_beats_pass(wire);
    wire->polled_ns = wire->passed_ns;
    is_inside = true;
    bool did = rk_mail_poll(wire, takes_bulk, take_mail);
    is_inside = false;
    if (wire->failed)
        lose_failed(wire);
    return did;
}

static bool wire_poll(rk_wire *wire)
{
    bool takes_bulk = !wire->host.takes_bulk || wire->host.takes_bulk(wire->host.context);
    rk_mail_enter();
    bool did = turn(wire, takes_bulk);
    rk_mail_leave();
    wire->empty = did ? 0 : wire->empty + (wire->empty <= IDLE_POLLS);
    if (wire->empty > EMPTY_POLLS)
        rest(wire, (wire->empty > IDLE_POLLS ? IDLE_SLEEP_US : EMPTY_SLEEP_US) * UINT64_C(1000));
    return did;
}

static bool wire_settle(rk_wire *wire, bool waiting)
{
    (void)waiting;
    rk_mail_enter();
    bool failed = wire->failed;
    rk_mail_leave();
    return failed;
}

static int read_contact(const rk_wire *wire, const char *contact)
{
    char *end;
    if (strncmp(contact, scheme, sizeof scheme - 1) != 0)
        return -1;
    const char *digits = contact + sizeof scheme - 1;
    if (*digits < '0' || *digits > '9')
        return -1;
    unsigned long rank = strtoul(digits, &end, 10);
    return *end || rank >= (unsigned long)wire->ranks ? -1 : (int)rank;
}

static int dial(rk_wire *wire, rk_link *link, uint32_t peer, rk_link **out)
{
    if (link->ended)
        return RASK_ENOENT;
    if (link->state != LINK_NONE) {
        *out = link->state == LINK_LEAVING ? NULL : link;
        return RASK_EEXIST;
    }
    begin_life(link);
    link->theirs = 0;
    int status = rk_mail_send(wire, link, RK_CONTROL, MAIL_HELLO, NULL, 0, NULL, 0);
    if (status)
        return status;
    link->state = LINK_CALLING;
    link->peer = peer;
    *out = link;
    return RASK_OK;
}

static int wire_dial(rk_wire *wire, const char *contact, uint32_t peer, rk_link **out)
{
    int rank = read_contact(wire, contact);
    if (rank < 0 || rank == wire->rank)
        return RASK_EINVAL;
    rk_mail_enter();
    int status = dial(wire, &wire->links[rank], peer, out);
    rk_mail_leave();
    return status;
}

static void wire_name(const rk_wire *wire, const rk_link *link, char contact[RK_MAX_CONTACT + 1])
{
    (void)wire;
    snprintf(contact, RK_MAX_CONTACT + 1, "%s%d", scheme, link->rank);
}

static int wire_send(rk_wire *wire, rk_link *link, rk_channel channel, const void *head, size_t head_size,
                     const void *body, size_t body_size)
{
    rk_mail_enter();
    int status = rk_mail_send(wire, link, channel, MAIL_DATA, head, head_size, body, body_size);
    rk_mail_leave();
    return status;
}

static bool wire_has_room(const rk_wire *wire, const rk_link *link)
{
    rk_mail_enter();
    bool room = wire->sending < SENDS && link->sending[RK_BULK] < SENDS_TO_ONE;
    rk_mail_leave();
    return room;
}

static void wire_cut(rk_wire *wire, rk_link *link)
{
    rk_mail_enter();
    cut(wire, link);
    rk_mail_leave();
}

/* -- Beginning and end */

static pid_t owner; /* of MPI; children of it that end do not end MPI */
static int level;   /* of threads, that MPI bears */

static void end_mpi(void)
{
    int ended = 0;
    if (getpid() != owner || is_inside || rk_farewell_is_said())
        return;
    rk_mail_enter();
    if (!MPI_Finalized(&ended) && !ended)
        MPI_Finalize();
    rk_mail_leave();
}

/* What MPI loads by itself looks for its names, which a module's libraries do not show. */
static void show_names(void)
{
    Dl_info info;
    if (dladdr((void *)(uintptr_t)&MPI_Init, &info) && info.dli_fname)
        dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

static int begin_mpi(char *reason, size_t capacity)
{
    int begun = 0, ended = 0;
    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    if (ended) {
        snprintf(reason, capacity, "MPI has been ended in this process, and cannot begin again");
        return RASK_EUNSUPPORTED;
    }
    if (begun) {
        MPI_Query_thread(&level);
        return RASK_OK;
    }
    show_names();
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level)) {
        snprintf(reason, capacity, "MPI_Init failed");
        return RASK_EUNSUPPORTED;
    }
    owner = getpid();
    atexit(end_mpi);
    return RASK_OK;
}

/* Processes that Slurm started and MPI does not know of each other would each do all the work. */
static int check_launch(int ranks, char *reason, size_t capacity)
{
    const char *tasks = getenv("SLURM_NTASKS");
    if (ranks > 1 || !tasks || atoi(tasks) < 2)
        return RASK_OK;
#ifdef OPEN_MPI
    const char *command = "srun --mpi=pmix, or mpirun";
#else
    const char *command = "srun --mpi=pmi2, or mpiexec.mpich";
#endif
    snprintf(reason, capacity,
             "Slurm has %.10s tasks for this program, but MPI sees one alone: start it by %s", tasks,
             command);
    return RASK_EUNSUPPORTED;
}

static void leave(rk_wire *wire, rk_link *link)
{
    bool first = (link->rank == 0) != (wire->rank == 0) && !link->ended;
    if (first)
        part(link);
    else if (link->state == LINK_UP)
        say_bye(wire, link);
    link->untold = first;
    link->state = is_due(link) ? LINK_LEAVING : LINK_NONE;
    link->peer = RK_NO_PEER;
}

/* As far as there is room for so many. */
static void tell_ends(rk_wire *wire)
{
    for (int i = 0; i < wire->ranks; i++) {
        rk_link *link = &wire->links[i];
        if (link->untold)
            link->untold = rk_mail_send(wire, link, RK_CONTROL, MAIL_END, NULL, 0, NULL, 0) == RASK_ELIMIT;
    }
}

static bool is_leaving(const rk_wire *wire)
{
    int i = 0;
    while (i < wire->ranks && wire->links[i].state != LINK_LEAVING)
        i++;
    return i < wire->ranks;
}

/* True: there is something to wait for; *looked_after: and that, or who it is of, comes, or the job ends. */
static bool has_to_wait(rk_wire *wire, bool *looked_after)
{
    rk_mail_enter();
    tell_ends(wire);
    *looked_after = rk_beats_part(wire);
    bool waits = wire->sending || is_leaving(wire);
    rk_mail_leave();
    return waits;
}

/* From here on nobody says more than it has to: others may be gone when it comes. */
static void begin_to_close(rk_wire *wire)
{
    rk_beats_end(wire);
    rk_mail_enter();
    wire->closing_ns = wire->clock_ns + 1;
    for (int i = 0; i < wire->ranks; i++)
        leave(wire, &wire->links[i]);
    rk_mail_leave();
}

static void wire_free(rk_wire *wire)
{
    rk_mail_close(wire);
    wire->host.free(wire->links);
    wire->host.free(wire);
}

/* MPI would wait for good for who is silent, when it ends: as long as somebody is waited for who may be, the time is not over. */
static void wire_close(rk_wire *wire, int milliseconds)
{
    if (!wire)
        return;
    uint64_t end = rk_clock_now() + (uint64_t)(milliseconds + PART_MS) * 1000000;
    bool looked_after = false;
    begin_to_close(wire);
    has_to_wait(wire, &looked_after);
    while ((wire_poll(wire) || has_to_wait(wire, &looked_after)) && (looked_after || rk_clock_now() < end)) {
    }
    rk_mail_enter();
    wire_free(wire);
    rk_mail_leave();
}

static int open_links(rk_wire *wire)
{
    wire->links = wire->host.calloc((size_t)wire->ranks, sizeof *wire->links);
    if (!wire->links)
        return RASK_ENOMEM;
    for (int i = 0; i < wire->ranks; i++)
        wire->links[i] = (rk_link){.rank = i, .peer = RK_NO_PEER};
    return RASK_OK;
}

/* The only collective call is here: a communicator of the endpoint's own, which is not given back, for that would be another. */
static int open_mail(rk_wire *wire, char *reason, size_t capacity)
{
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (MPI_Comm_dup(MPI_COMM_WORLD, &wire->comm) || MPI_Comm_set_errhandler(wire->comm, MPI_ERRORS_RETURN) ||
        MPI_Comm_rank(wire->comm, &wire->rank) || MPI_Comm_size(wire->comm, &wire->ranks)) {
        snprintf(reason, capacity, "MPI gives no communicator");
        return RASK_EIO;
    }
    int status = check_launch(wire->ranks, reason, capacity);
    if (!status)
        status = rk_beats_read(wire, reason, capacity);
    if (!status)
        status = open_links(wire);
    return status ? status : rk_mail_open(wire);
}

/* Where MPI, that others have begun, bears one thread only, nobody stands in for it. */
static int wire_open(const rk_wire_host *host, const rk_transport_setup *setup, rk_wire **out, char *reason,
                     size_t capacity)
{
    (void)setup;
    int status = begin_mpi(reason, capacity);
    if (status)
        return status;
    rk_wire *wire = host->calloc(1, sizeof *wire);
    if (!wire)
        return RASK_ENOMEM;
    wire->host = *host;
    rk_mail_enter();
    status = open_mail(wire, reason, capacity);
    if (!status && level >= MPI_THREAD_SERIALIZED)
        status = rk_beats_begin(wire, reason, capacity);
    if (status)
        wire_free(wire);
    rk_mail_leave();
    if (status)
        return status;
    snprintf(wire->contact, sizeof wire->contact, "%s%d", scheme, wire->rank);
    *out = wire;
    return RASK_OK;
}

static const char *wire_contact(const rk_wire *wire)
{
    return wire->contact;
}

static int wire_descriptor(const rk_wire *wire)
{
    (void)wire;
    return -1;
}

static int wire_allow(rk_wire *wire, const char *key)
{
    (void)wire, (void)key;
    return RASK_EUNSUPPORTED;
}

RASK_API extern const rk_wire_module rask_module;
const rk_wire_module rask_module = {
    .head = RK_MODULE_HEAD(rk_wire_module),
    .open = wire_open,
    .contact = wire_contact,
    .descriptor = wire_descriptor,
    .allow = wire_allow,
    .close = wire_close,
    .dial = wire_dial,
    .name = wire_name,
    .send = wire_send,
    .has_room = wire_has_room,
    .cut = wire_cut,
    .poll = wire_poll,
    .settle = wire_settle,
};
