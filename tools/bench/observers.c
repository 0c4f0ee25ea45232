/* What being watched costs a run: the same graph by turns without an observer, with one that does nothing, with a trace, with a
 * profile, and with a live page that somebody reads all the time. Each round runs every way, beginning with another one, and
 * compares it with the plain run of the same round: what a stranger on the machine takes from a round is in both. Prints the
 * median of these ratios, and the quartiles, of wall time and of the CPU time of the whole process.
 * usage: observers [TASKS [WORK_NS [ROUNDS [WORKERS [SCHEDULER]]]]] */
#include "measure.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <rask/dashboard.h>
#include <rask/rask.h>
#include <rask/trace.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ROUNDS = 999 };

typedef enum way { PLAIN, IDLE, TRACED, PROFILED, SHOWN, WAYS } way;

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
} guest;

static void *look(void *context)
{
    guest *g = context;
    char buffer[1 << 16];
    while (recv(g->fd, buffer, sizeof buffer, 0) > 0) {
    }
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

/* What all runs have in common. */
typedef struct setting {
    rask_plan *plan;
    rask_options options;
} setting;

static void stop(const char *message)
{
    fprintf(stderr, "observers: %s\n", message);
    exit(1);
}

static times run(const setting *s, const rask_observer *observer)
{
    rask_options o = s->options;
    rask_value result = rask_value_none();
    o.observers = &observer;
    o.observer_count = observer != NULL;
    double wall = bench_now_ns(), cpu = cpu_now_ns();
    int status = rask_plan_run(s->plan, &o, &result);
    times t = {bench_now_ns() - wall, cpu_now_ns() - cpu};
    rask_value_unref(&result);
    if (status)
        stop(rask_plan_error(s->plan));
    return t;
}

static times run_traced(const setting *s)
{
    rask_trace *trace = rask_trace_new(0);
    times t = run(s, rask_trace_observer(trace));
    rask_trace_free(trace);
    return t;
}

static times run_profiled(const setting *s)
{
    rask_profile *profile = rask_profile_new();
    times t = run(s, rask_profile_observer(profile));
    rask_profile_free(profile);
    return t;
}

static times run_shown(const setting *s)
{
    char error[400] = "";
    rask_dashboard *d = NULL;
    guest g;
    if (rask_dashboard_open(NULL, &d, error, sizeof error) || !enter(&g, rask_dashboard_url(d)))
        stop(*error ? error : "nobody can enter");
    times t = run(s, rask_dashboard_observer(d));
    rask_dashboard_close(d);
    pthread_join(g.thread, NULL);
    close(g.fd);
    return t;
}

static times run_in_a_way(const setting *s, way how)
{
    static const rask_observer idle = {.size = sizeof idle, .task_finished = ignore};
    switch (how) {
    case IDLE: return run(s, &idle);
    case TRACED: return run_traced(s);
    case PROFILED: return run_profiled(s);
    case SHOWN: return run_shown(s);
    default: return run(s, NULL);
    }
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

static void tell(const char *what, double list[WAYS][MOST_ROUNDS], size_t rounds)
{
    static const char *const names[WAYS] = {"plain", "an observer", "a trace", "a profile", "the live page"};
    for (size_t k = 1; k < WAYS; k++) {
        for (size_t i = 0; i < rounds; i++)
            list[k][i] = 100 * (list[k][i] / list[PLAIN][i] - 1);
        double median = bench_median(list[k], rounds); /* which sorts */
        printf("  %s  %-13s %+6.2f %%  (%+.2f … %+.2f)\n", what, names[k], median, list[k][rounds / 4],
               list[k][rounds - 1 - rounds / 4]);
    }
    printf("  %s  plain is %.1f ms\n", what, bench_median(list[PLAIN], rounds) / 1e6);
}

static void compare(const setting *s, size_t rounds)
{
    static double wall[WAYS][MOST_ROUNDS], cpu[WAYS][MOST_ROUNDS];
    run(s, NULL);
    for (size_t i = 0; i < rounds; i++)
        for (size_t k = 0; k < WAYS; k++) {
            size_t how = (k + i) % WAYS;
            times t = run_in_a_way(s, (way)how);
            wall[how][i] = t.wall_ns;
            cpu[how][i] = t.cpu_ns;
        }
    tell("wall", wall, rounds);
    tell("CPU ", cpu, rounds);
}

int main(int argc, char **argv)
{
    long tasks = number(argc, argv, 1, 1000000), work_ns = number(argc, argv, 2, 1000),
         rounds = number(argc, argv, 3, 5);
    setting s = {.options = RASK_OPTIONS_INIT};
    s.options.workers = (uint32_t)number(argc, argv, 4, 2);
    s.options.scheduler = argc > 5 ? argv[5] : "threads";
    if (tasks < 1 || work_ns < 0 || rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr,
                "usage: observers [TASKS [WORK_NS [ROUNDS [WORKERS [SCHEDULER]]]]], of at most %d rounds\n",
                MOST_ROUNDS);
        return 2;
    }
    rask_graph *g = rask_graph_new();
    s.plan = plan_of(g, tasks);
    turns = turns_of((double)work_ns);
    if (s.plan) {
        printf("%ld tasks of %ld ns on %u workers (%s), what is added in %ld rounds:\n", tasks, work_ns,
               s.options.workers, s.options.scheduler, rounds);
        compare(&s, (size_t)rounds);
    } else {
        fprintf(stderr, "%s\n", g ? rask_graph_error(g) : "no memory");
    }
    rask_plan_free(s.plan);
    rask_graph_free(g);
    return !s.plan;
}
