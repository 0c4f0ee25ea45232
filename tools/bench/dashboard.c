/* What the live page costs a run: the same graph by turns without an observer, with one that does nothing, and with a page that
 * somebody reads all the time. Prints the least of all rounds, which strangers on the machine disturb least, of wall time and of
 * the CPU time of the whole process, and what each way adds to the run without an observer.
 * usage: dashboard [TASKS [WORK_NS [ROUNDS [WORKERS]]]] */
#include "measure.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <rask/dashboard.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ROUNDS = 99, WAYS = 3 };

static long turns; /* that a task takes */

static int64_t spin(int64_t n)
{
    for (long i = 0; i < turns; i++)
        __asm__ volatile("" : "+r"(n));
    return n;
}
RASK_TASK(spin, i64, i64);

/* The fastest of some tries says how many turns there are to a nanosecond. */
static long turns_of(double work_ns)
{
    enum { TRIES = 20, TURNS = 1000000 };
    double least = 1e18;
    turns = TURNS;
    for (int i = 0; i < TRIES; i++) {
        double begin = bench_now_ns();
        (void)spin(i);
        double ns = bench_now_ns() - begin;
        least = ns < least ? ns : least;
    }
    return (long)(work_ns * TURNS / least);
}

static void ignore(void *context, const rask_task_info *task)
{
    (void)context;
    (void)task;
}

/* Somebody who looks: takes whatever the stream of events brings. */
typedef struct guest {
    pthread_t thread;
    int fd;
    size_t bytes;
} guest;

static void *look(void *context)
{
    guest *g = context;
    char buffer[1 << 16];
    for (ssize_t got; (got = recv(g->fd, buffer, sizeof buffer, 0)) > 0;)
        g->bytes += (size_t)got;
    return NULL;
}

static bool enter(guest *g, const char *url)
{
    char request[400], path[200];
    unsigned port;
    struct sockaddr_in place = {.sin_family = AF_INET};
    if (sscanf(url, "http://127.0.0.1:%u%199s", &port, path) != 2)
        return false;
    place.sin_port = htons((uint16_t)port);
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g->bytes = 0;
    g->fd = socket(AF_INET, SOCK_STREAM, 0);
    int len = snprintf(request, sizeof request, "GET %sevents HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    return g->fd >= 0 && connect(g->fd, (struct sockaddr *)&place, sizeof place) == 0 &&
           send(g->fd, request, (size_t)len, 0) == len && pthread_create(&g->thread, NULL, look, g) == 0;
}

typedef struct times {
    double wall_ns, cpu_ns;
} times;

static double cpu_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static times run(rask_plan *plan, uint32_t workers, const rask_observer *observer)
{
    rask_options o = RASK_OPTIONS_INIT;
    rask_value result = rask_value_none();
    o.workers = workers;
    o.observers = &observer;
    o.observer_count = observer != NULL;
    double wall = bench_now_ns(), cpu = cpu_now_ns();
    int status = rask_plan_run(plan, &o, &result);
    times t = {bench_now_ns() - wall, cpu_now_ns() - cpu};
    rask_value_unref(&result);
    if (status) {
        fprintf(stderr, "dashboard: %s\n", rask_plan_error(plan));
        exit(1);
    }
    return t;
}

static times run_shown(rask_plan *plan, uint32_t workers, size_t *bytes)
{
    char error[400] = "";
    rask_dashboard *d = NULL;
    guest g;
    if (rask_dashboard_open(NULL, &d, error, sizeof error) || !enter(&g, rask_dashboard_url(d))) {
        fprintf(stderr, "dashboard: %s\n", *error ? error : "nobody can enter");
        exit(1);
    }
    times t = run(plan, workers, rask_dashboard_observer(d));
    rask_dashboard_close(d);
    pthread_join(g.thread, NULL);
    close(g.fd);
    *bytes = g.bytes;
    return t;
}

static rask_plan *plan_of(rask_graph *g, long tasks)
{
    rask_node **parts = malloc((size_t)tasks * sizeof *parts);
    rask_plan *plan = NULL;
    for (long i = 0; parts && i < tasks; i++)
        parts[i] = rask_delayed(g, spin, i);
    rask_node *all = parts ? rask_list(g, parts, (size_t)tasks) : NULL;
    free(parts);
    return all && !rask_plan_new(&all, 1, &plan) ? plan : NULL;
}

static long number(int argc, char **argv, int at, long otherwise)
{
    return argc > at ? strtol(argv[at], NULL, 10) : otherwise;
}

static double least_of(const double *list, size_t count)
{
    double least = list[0];
    for (size_t i = 1; i < count; i++)
        least = list[i] < least ? list[i] : least;
    return least;
}

static void tell(const char *what, double list[WAYS][MOST_ROUNDS], size_t rounds)
{
    double plain = least_of(list[0], rounds), observed = least_of(list[1], rounds),
           shown = least_of(list[2], rounds);
    printf("  %s %.1f ms; with an observer %.1f ms (%+.1f %%); with the page %.1f ms (%+.1f %%)\n", what,
           plain / 1e6, observed / 1e6, 100 * (observed / plain - 1), shown / 1e6, 100 * (shown / plain - 1));
}

static void compare(rask_plan *plan, uint32_t workers, size_t rounds)
{
    static double wall[WAYS][MOST_ROUNDS], cpu[WAYS][MOST_ROUNDS];
    const rask_observer least = {.size = sizeof least, .task_finished = ignore};
    size_t bytes = 0;
    run(plan, workers, NULL);
    for (size_t i = 0; i < rounds; i++) {
        const times t[WAYS] = {run(plan, workers, NULL), run(plan, workers, &least),
                               run_shown(plan, workers, &bytes)};
        for (size_t k = 0; k < WAYS; k++) {
            wall[k][i] = t[k].wall_ns;
            cpu[k][i] = t[k].cpu_ns;
        }
    }
    tell("wall", wall, rounds);
    tell("CPU ", cpu, rounds);
    printf("  %zu bytes were sent to who read the last page\n", bytes);
}

int main(int argc, char **argv)
{
    long tasks = number(argc, argv, 1, 1000000), work_ns = number(argc, argv, 2, 1000),
         rounds = number(argc, argv, 3, 5);
    uint32_t workers = (uint32_t)number(argc, argv, 4, 2);
    rask_graph *g = rask_graph_new();
    rask_plan *plan = tasks > 0 && rounds > 0 && rounds <= MOST_ROUNDS ? plan_of(g, tasks) : NULL;
    turns = turns_of((double)work_ns);
    if (plan) {
        printf("%ld tasks of %ld ns on %u workers:\n", tasks, work_ns, workers);
        compare(plan, workers, (size_t)rounds);
    }
    rask_plan_free(plan);
    rask_graph_free(g);
    return !plan;
}
