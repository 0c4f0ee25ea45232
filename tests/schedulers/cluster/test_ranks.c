/* What a rank and its child are made of: frames on a socket, and children that have successors; the rank between the two. */
#include "schedulers/cluster/mpi/launcher.h"
#include "schedulers/cluster/ranks/nursery.h"
#include "schedulers/cluster/ranks/relay.h"
#include "schedulers/cluster/ranks/tube.h"

#include <criterion/criterion.h>
#include <rask/base.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void open_tubes(rk_tube tubes[2])
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    rk_tube_init(&tubes[0], ends[0]);
    rk_tube_init(&tubes[1], ends[1]);
}

static void close_tubes(rk_tube tubes[2])
{
    rk_tube_fini(&tubes[0]);
    rk_tube_fini(&tubes[1]);
    rk_tube_fini(&tubes[1]);
}

static size_t size_of(uint32_t number)
{
    return (size_t)number * 7919 % RK_MAX_FRAME;
}

Test(ranks, frames_arrive_whole_and_in_order)
{
    enum { FRAMES = 300 };
    static char body[RK_MAX_FRAME];
    rk_tube tubes[2];
    rk_frame frame;
    const char *got;
    uint32_t taken = 0;
    open_tubes(tubes);
    for (uint32_t i = 0; i < FRAMES; i++) {
        size_t size = size_of(i), half = size / 2;
        memset(body, (int)i, size);
        frame = (rk_frame){.kind = RK_FRAME_PACKET, .link = i, .number = 1};
        cr_assert_eq(rk_tube_put(&tubes[0], frame, body, half, body + half, size - half), RASK_OK);
        rk_tube_flush(&tubes[0]);
        for (; rk_tube_next(&tubes[1], &frame, &got); taken++) {
            cr_assert(frame.link == taken && frame.size == size_of(taken));
            cr_assert(!frame.size || (got[0] == (char)taken && got[frame.size - 1] == (char)taken));
        }
    }
    while (taken < FRAMES) {
        rk_tube_flush(&tubes[0]);
        while (rk_tube_next(&tubes[1], &frame, &got))
            cr_assert_eq(frame.link, taken++);
    }
    cr_assert_eq(rk_tube_waiting(&tubes[0]), 0);
    cr_assert_not(tubes[0].broken || tubes[1].broken);
    close_tubes(tubes);
}

Test(ranks, what_came_before_the_end_is_taken)
{
    rk_tube tubes[2];
    rk_frame frame = {.kind = RK_FRAME_END, .number = 3};
    const char *body;
    char text[4];
    open_tubes(tubes);
    rk_tube_put(&tubes[0], frame, "letter", 6, NULL, 0);
    rk_tube_drain(&tubes[0], 1000);
    rk_tube_fini(&tubes[0]);
    cr_assert(rk_tube_await(&tubes[1], &frame, &body));
    rk_tube_text(&frame, body, text, sizeof text);
    cr_assert_str_eq(text, "let");
    cr_assert_eq(frame.number, 3);
    cr_assert_not(rk_tube_await(&tubes[1], &frame, &body));
    cr_assert(tubes[1].broken);
    cr_assert_eq(rk_tube_put(&tubes[1], frame, NULL, 0, NULL, 0), RASK_EIO);
    close_tubes(tubes);
}

Test(ranks, a_frame_larger_than_any_breaks_the_tube)
{
    rk_tube tubes[2];
    rk_frame frame = {.kind = RK_FRAME_PACKET, .size = RK_MAX_FRAME + 1};
    const char *body;
    open_tubes(tubes);
    cr_assert_eq(write(tubes[0].fd, &frame, sizeof frame), (ssize_t)sizeof frame);
    cr_assert_not(rk_tube_next(&tubes[1], &frame, &body));
    cr_assert(tubes[1].broken);
    close_tubes(tubes);
}

/* Says that it is there, waits for a word, and dies of it. */
static void live(int fd)
{
    char word = 'h';
    if (write(fd, &word, 1) == 1 && read(fd, &word, 1) == 1)
        raise(SIGKILL);
    _exit(0);
}

Test(ranks, a_child_that_dies_has_a_successor)
{
    rk_nursery nursery;
    bool over;
    char word;
    cr_assert_eq(rk_nursery_open(&nursery, live), RASK_OK);
    cr_assert_eq(rk_nursery_next(&nursery, false, &over), -1);
    cr_assert_not(over);
    rk_nursery_begin(&nursery);
    for (int i = 0; i < 4; i++) {
        int fd = rk_nursery_next(&nursery, true, &over);
        cr_assert(fd >= 0 && !over);
        cr_assert_eq(read(fd, &word, 1), 1);
        cr_assert_eq(write(fd, "d", 1), 1);
        cr_assert_eq(read(fd, &word, 1), 0, "it has ended");
        close(fd);
    }
    rk_nursery_close(&nursery);
    rk_nursery_close(&nursery);
}

Test(ranks, a_nursery_that_is_ended_is_noticed)
{
    rk_nursery nursery;
    bool over = false;
    cr_assert_eq(rk_nursery_open(&nursery, live), RASK_OK);
    cr_assert_eq(kill(nursery.pid, SIGKILL), 0);
    cr_assert_eq(rk_nursery_next(&nursery, true, &over), -1);
    cr_assert(over);
    rk_nursery_close(&nursery);
}

/* -- A rank's relay, over a wire that the test plays: rank 0 sends what is large as long as that is taken. When it is not the child,
 * which has not read, is let go, and when it is again the child is told that this is the last. */

enum { PIECE = 512 << 10, ENOUGH_HELD = 5 };

static struct {
    rk_wire_host host;
    uint32_t peer;
    int pieces, held, flood; /* messages that the first child is sent until it is given up */
    bool floods, is_there, last, cut, closed;
} played;
static int release[2]; /* a pipe to the child */

static int played_open(const rk_wire_host *host, const rk_transport_setup *setup, rk_wire **out, char *reason,
                       size_t capacity)
{
    (void)setup, (void)reason, (void)capacity;
    played.host = *host;
    *out = NULL;
    return RASK_OK;
}

static const char *played_contact(const rk_wire *wire)
{
    (void)wire;
    return "mpi:1";
}

static void played_name(const rk_wire *wire, const rk_link *link, char contact[RK_MAX_CONTACT + 1])
{
    (void)wire, (void)link;
    memcpy(contact, "mpi:0", sizeof "mpi:0");
}

static void played_cut(rk_wire *wire, rk_link *link)
{
    (void)wire, (void)link;
    played.cut = true;
    if (!played.floods)
        return;
    played.floods = false;
    played.peer = 0; /* its successor comes */
    cr_assert_eq(write(release[1], "r", 1), 1);
}

static void played_close(rk_wire *wire, int milliseconds)
{
    (void)wire, (void)milliseconds;
    played.closed = true;
}

static bool played_poll(rk_wire *wire)
{
    static char piece[PIECE];
    const rk_wire_host *host = &played.host;
    (void)wire;
    if (played.peer == 0)
        played.peer = host->came(host->context, (rk_link *)piece);
    played.is_there = played.peer != RK_NO_PEER;
    if (!played.is_there) {
        played.peer = 0; /* there is no child yet */
    } else if (played.floods) {
        host->packet(host->context, played.peer, RK_CONTROL, piece, sizeof piece);
        played.flood++;
    } else if (!host->takes_bulk(host->context)) {
        host->packet(host->context, played.peer, RK_CONTROL, "beat", 4);
        if (++played.held == ENOUGH_HELD && write(release[1], "r", 1) != 1)
            played.held = 0;
    } else if (played.held && !played.last) {
        host->packet(host->context, played.peer, RK_CONTROL, "last", 4);
        played.last = true;
    } else if (!played.held) {
        host->packet(host->context, played.peer, RK_BULK, piece, sizeof piece);
        played.pieces++;
    }
    host->rest(host->context, 1000);
    return true;
}

/* Reads nothing until it is released; ends well when all came, and in order. */
static void read_late(int fd)
{
    rk_tube tube;
    rk_frame frame;
    const char *body = "";
    char word;
    int pieces = 0, messages = 0;
    bool last = false;
    rk_tube_init(&tube, fd);
    if (read(release[0], &word, 1) != 1)
        _exit(1);
    while (!last && rk_tube_await(&tube, &frame, &body)) {
        last = frame.size == 4 && !memcmp(body, "last", 4);
        pieces += frame.size == PIECE;
        messages += frame.size == 4;
    }
    uint32_t outcome = pieces > 32 && messages > ENOUGH_HELD ? 7 : 1;
    rk_tube_put(&tube, (rk_frame){.kind = RK_FRAME_END, .number = outcome}, NULL, 0, NULL, 0);
    rk_tube_drain(&tube, 1000);
    _exit(0);
}

static void relay_must_end_well(void)
{
    const rk_wire_module calls = {.open = played_open,
                                  .contact = played_contact,
                                  .name = played_name,
                                  .cut = played_cut,
                                  .close = played_close,
                                  .poll = played_poll};
    rk_nursery nursery;
    char reason[100] = "";
    int outcome = 0;
    cr_assert_eq(pipe(release), 0);
    cr_assert_eq(rk_nursery_open(&nursery, read_late), RASK_OK);
    cr_assert_eq(rk_relay_mpi(&nursery, &calls, &outcome, reason, sizeof reason), RASK_OK, "%s", reason);
    cr_assert_eq(outcome, 7);
    cr_assert(played.held >= ENOUGH_HELD && played.last && played.cut && played.closed);
    cr_assert_leq(played.pieces, (32 << 20) / PIECE + 1);
    rk_nursery_close(&nursery);
}

Test(ranks, while_a_child_does_not_read_its_rank_still_hears_messages_and_takes_nothing_large, .timeout = 60)
{
    relay_must_end_well();
    cr_assert_eq(played.flood, 0);
}

Test(ranks, a_child_that_reads_no_messages_either_has_a_successor, .timeout = 60)
{
    played.floods = true;
    relay_must_end_well();
    cr_assert(played.flood > (32 << 20) / PIECE && played.flood <= (64 << 20) / PIECE + 1, "%d",
              played.flood);
}

/* -- What started a job */

static bool finds_launcher(const char *name)
{
    int how = 0;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, name);
        pid_t own = getpid(), below = fork();
        if (below == 0)
            _exit(rk_launcher_find() != own);
        _exit(waitpid(below, &how, 0) != below || how);
    }
    cr_assert_eq(waitpid(pid, &how, 0), pid);
    return how == 0;
}

Test(ranks, launchers_are_known_by_their_names)
{
    static const char *const names[] = {"mpirun", "mpirun.openmpi", "mpiexec.hydra", "orterun",
                                        "orted",  "prte",           "prterun",       "prted"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert(finds_launcher(names[i]), "%s", names[i]);
    cr_assert_not(finds_launcher("bash"));
}
