/* What a rank and its child are made of: frames on a socket, and children that have successors. */
#include "schedulers/cluster/ranks/nursery.h"
#include "schedulers/cluster/ranks/tube.h"

#include <criterion/criterion.h>
#include <rask/base.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
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
