#include "peer.h"
#include "measure.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPEAT_MAX = 1000, THREADS_MAX = 1024 };

enum step { STEP_BUILD, STEP_RUN, STEP_AGAIN, STEP_FREE, STEP_TOTAL, STEP_COUNT };

typedef struct options {
    const char *shape;
    uint32_t threads;
    uint32_t tasks;
    uint32_t repeat;
} options;

typedef struct samples {
    double ns[STEP_COUNT][REPEAT_MAX];
    uint32_t count;
} samples;

void bench_peer_die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

void *bench_peer_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        bench_peer_die("out of memory");
    return memory;
}

static double timed(void (*step)(void *), void *self)
{
    double start = bench_now_ns();
    if (step)
        step(self);
    return bench_now_ns() - start;
}

static void verify(const bench_engine *engine, const bench_shape *shape, const bench_sinks *sinks, void *self)
{
    uint32_t wrong = bench_sinks_wrong(sinks, engine->values(self));
    if (wrong == 0)
        return;
    fprintf(stderr, "%s: %s: %u of %u results are wrong\n", engine->name, shape->name, wrong, sinks->count);
    exit(1);
}

static void measure_once(const bench_engine *engine, const bench_shape *shape, const bench_sinks *sinks,
                         void *self, samples *s)
{
    double ns[STEP_COUNT] = {0};
    ns[STEP_BUILD] = timed(engine->build, self);
    ns[STEP_RUN] = timed(engine->run, self);
    verify(engine, shape, sinks, self);
    if (engine->again) {
        memset(engine->values(self), 0, shape->n * sizeof(uint64_t));
        ns[STEP_AGAIN] = timed(engine->again, self);
        verify(engine, shape, sinks, self);
    }
    ns[STEP_FREE] = timed(engine->free, self);
    ns[STEP_TOTAL] = ns[STEP_BUILD] + ns[STEP_RUN] + ns[STEP_FREE];
    for (int step = 0; step < STEP_COUNT; step++)
        s->ns[step][s->count] = ns[step] / shape->n;
    s->count++;
}

static void print_column(bool known, double figure)
{
    if (known)
        printf("\t%.1f", figure);
    else
        printf("\t-");
}

static void print_line(const bench_engine *engine, const bench_shape *shape, uint32_t threads, samples *s,
                       double bytes)
{
    printf("%s\t%s\t%u\t%u", engine->name, shape->name, threads, shape->n);
    print_column(true, bench_median(s->ns[STEP_TOTAL], s->count));
    print_column(engine->build != NULL, bench_median(s->ns[STEP_BUILD], s->count));
    print_column(true, bench_median(s->ns[STEP_RUN], s->count));
    print_column(engine->again != NULL, bench_median(s->ns[STEP_AGAIN], s->count));
    print_column(true, bench_median(s->ns[STEP_FREE], s->count));
    print_column(bytes >= 0, bytes / shape->n);
    putchar('\n');
}

static void measure(const bench_engine *engine, const char *name, const options *o)
{
    static samples s;
    bench_shape shape;
    bench_sinks sinks;
    if (bench_shape_make(name, o->tasks, BENCH_SHAPE_SEED, &shape) || bench_shape_check(&shape, &sinks))
        bench_peer_die("out of memory");
    void *self = engine->open(&shape, o->threads);
    double before = bench_memory_mark();
    for (uint32_t i = 0; i < o->repeat; i++)
        measure_once(engine, &shape, &sinks, self, &s);
    double after = bench_memory_peak();
    engine->close(self);
    print_line(engine, &shape, o->threads, &s, before < 0 ? -1 : after - before);
    bench_sinks_free(&sinks);
    bench_shape_free(&shape);
}

/* True when the child measured the shape and verified its results. */
static bool measure_in_child(const bench_engine *engine, const char *name, const options *o)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        measure(engine, name, o);
        exit(0);
    }
    if (child < 0)
        bench_peer_die("fork failed");
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            bench_peer_die("waitpid failed");
    }
    if (!WIFEXITED(status))
        fprintf(stderr, "%s: %s: ended by a signal\n", engine->name, name);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool parse_count(const char *text, uint32_t most, uint32_t *out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end || value < 1 || value > most)
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool shape_known(const char *name)
{
    for (int i = 0; i < BENCH_SHAPE_COUNT; i++) {
        if (strcmp(name, bench_shape_names[i]) == 0)
            return true;
    }
    return strcmp(name, "all") == 0;
}

static bool parse_options(int argc, char **argv, options *o)
{
    static const struct option known[] = {
        {"shape", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 'p'},
        {"tasks", required_argument, NULL, 'n'},
        {"repeat", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    for (int c; good && (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (c) {
        case 's': good = shape_known(o->shape = optarg); break;
        case 'p': good = parse_count(optarg, THREADS_MAX, &o->threads); break;
        case 'n': good = parse_count(optarg, BENCH_SHAPE_TASKS_MAX, &o->tasks); break;
        case 'r': good = parse_count(optarg, REPEAT_MAX, &o->repeat); break;
        default: good = false; break;
        }
    }
    return good && optind == argc;
}

int bench_peer_main(const bench_engine *engine, int argc, char **argv)
{
    options o = {.shape = "all", .threads = 2, .tasks = BENCH_SHAPE_TASKS, .repeat = 5};
    bool good = true;
    if (!parse_options(argc, argv, &o)) {
        fprintf(stderr, "usage: %s [--shape NAME|all] [--threads N] [--tasks N] [--repeat R]\n", argv[0]);
        return 2;
    }
    puts(
        "#engine\tshape\tthreads\ttasks\ttotal_ns\tbuild_ns\trun_ns\tagain_ns\tfree_ns\tpeak_bytes_per_task");
    for (int i = 0; i < BENCH_SHAPE_COUNT; i++) {
        const char *name = bench_shape_names[i];
        if (strcmp(o.shape, "all") == 0 || strcmp(o.shape, name) == 0)
            good &= measure_in_child(engine, name, &o);
    }
    return good ? 0 : 1;
}
