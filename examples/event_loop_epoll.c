/* A program that lives in an event loop: a timer orders work, workers do it, and the loop, which never waits for anything but
 * events, takes the results between ticks.
 * Shows: rask_client_fd() and rask_client_next(), beside a timerfd in epoll. */
#include <rask/rask.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { ORDERS = 20, EVERY_MS = 5 };

/* How many numbers below limit are sums of two squares: work for some milliseconds. */
static int64_t sums_of_squares(int64_t limit)
{
    int64_t count = 0;
    for (int64_t n = 0; n < limit; n++)
        for (int64_t a = 0, b = limit; a <= b; a++) {
            while (b > a && a * a + b * b > n)
                b--;
            if (a * a + b * b == n && ++count)
                break;
        }
    return count;
}
RASK_TASK(sums_of_squares, i64, i64);

typedef struct office {
    rask_client *client;
    rask_graph *graph;
    int ordered, delivered, ticks;
    int64_t total;
} office;

static void order(office *o)
{
    if (o->ordered == ORDERS)
        return;
    rask_future *f = rask_submit(o->client, rask_delayed(o->graph, sums_of_squares, 500 + 25 * o->ordered));
    rask_future_unref(f); /* it comes back when it is done */
    o->ordered += f != NULL;
}

/* All there are. */
static void deliver(office *o)
{
    int64_t count;
    for (rask_future *f; (f = rask_client_next(o->client)); rask_future_unref(f)) {
        if (rask_future_get(f, &count))
            fprintf(stderr, "event_loop_epoll: %s\n", rask_future_error(f));
        else
            o->total += count;
        o->delivered++;
        printf("after %d ticks: %d of %d\n", o->ticks, o->delivered, o->ordered);
    }
}

static int timer_new(void)
{
    struct itimerspec every = {{0, EVERY_MS * 1000000}, {0, EVERY_MS * 1000000}};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (timer >= 0)
        timerfd_settime(timer, 0, &every, NULL);
    return timer;
}

static void watch(int loop, int fd)
{
    epoll_ctl(loop, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static void run(office *o, int loop, int timer)
{
    struct epoll_event event;
    while (o->delivered < ORDERS && epoll_wait(loop, &event, 1, 10000) == 1) {
        uint64_t expired;
        if (event.data.fd != timer) {
            deliver(o);
        } else if (read(timer, &expired, sizeof expired) == sizeof expired) {
            o->ticks += (int)expired;
            order(o);
        }
    }
}

int main(void)
{
    office o = {.graph = rask_graph_new()};
    if (rask_client_open(NULL, &o.client))
        return 1;
    int loop = epoll_create1(EPOLL_CLOEXEC), timer = timer_new();
    watch(loop, timer);
    watch(loop, rask_client_fd(o.client)); /* from here on results are remembered */
    run(&o, loop, timer);

    rask_client_close(o.client);
    rask_graph_free(o.graph);
    close(timer);
    close(loop);
    int64_t expected = 0;
    for (int i = 0; i < ORDERS; i++)
        expected += sums_of_squares(500 + 25 * i);
    printf("%lld sums of squares\n", (long long)o.total);
    return o.total == expected ? 0 : 1;
}
