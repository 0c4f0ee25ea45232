/* What a cluster costs: empty tasks, and results that go from worker to worker.
 *
 *   cluster_rask tasks COUNT plain|encrypted WORKERS    so many seconds for COUNT empty tasks
 *   cluster_rask bulk MIB plain|encrypted WORKERS       gigabytes a second, while one worker pulls what others made
 *   cluster_rask makespan:SHAPE:US COUNT plain|encrypted WORKERS
 *                                                       so many seconds for a shape (shapes.h) of COUNT tasks that sleep as long as
 *                                                       the bench coordinator says that they take with --task-us US
 *   mpirun -n 1+WORKERS cluster_rask tasks COUNT ranks  the same, on the ranks of a job
 *
 * Workers have a thread each. Prints the median of five rounds, after one that is not measured. */
#include "measure.h"
#include "shapes.h"

#include <rask/rask.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, MOST_WORKERS = 64, PIECES = 8, TRIES = 50 };

static void fail(const char *what)
{
    fprintf(stderr, "cluster_rask: %s\n", what);
    exit(1);
}

/* -- Workers */

typedef struct crew {
    char address[64], keys[64];
    pid_t pids[MOST_WORKERS];
    int count;
    bool encrypted, ranks;
} crew;

static void hire(crew *c)
{
    char reason[512] = "";
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        fail("no process for a worker");
    c->pids[c->count++] = pid;
    if (pid)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    o.address = c->address;
    o.key_file = c->encrypted ? c->keys : NULL;
    o.insecure = !c->encrypted;
    o.threads = 1;
    o.memory = 1ull << 30;
    int status = getppid() == parent ? rask_cluster_worker(&o, reason, sizeof reason) : RASK_OK;
    if (status)
        fprintf(stderr, "cluster_rask: worker: %s\n", reason);
    _exit(status);
}

static void begin(crew *c, const char *how, int workers)
{
    char reason[512] = "";
    *c = (crew){.encrypted = !strcmp(how, "encrypted"), .ranks = !strcmp(how, "ranks")};
    if (c->ranks)
        return;
    if (!c->encrypted && strcmp(how, "plain") != 0)
        fail("plain, encrypted or ranks");
    snprintf(c->address, sizeof c->address, "tcp://127.0.0.1:%d", 20000 + (int)getpid() % 6000 * 2);
    snprintf(c->keys, sizeof c->keys, "/tmp/rask-bench-keys-%d", (int)getpid());
    if (c->encrypted && rask_cluster_make_keys(c->keys, reason, sizeof reason))
        fail(reason);
    for (int i = 0; i < workers; i++)
        hire(c);
}

static void end(crew *c)
{
    rask_cluster_close();
    for (int i = 0; i < c->count; i++) {
        kill(c->pids[i], SIGTERM);
        waitpid(c->pids[i], NULL, 0);
    }
    if (c->encrypted)
        unlink(c->keys);
}

static rask_options options_of(const crew *c)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "cluster";
    o.memory = 2ull << 30;
    if (c->ranks)
        o.cluster = "mpi:";
    else
        o.cluster = c->address;
    o.cluster_keys = c->encrypted ? c->keys : NULL;
    o.cluster_insecure = !c->encrypted;
    return o;
}

/* -- Empty tasks */

static int nothing(rask_task *t)
{
    return rask_return_i64(t, 0);
}
RASK_SLOTS(nothing);

static int after(rask_task *t)
{
    return rask_return_i64(t, rask_arg_i64(t, 0));
}
RASK_SLOTS(after);

static double measure_tasks(const crew *c, size_t count)
{
    rask_options o = options_of(c);
    rask_graph *g = rask_graph_new();
    rask_node **nodes = calloc(count, sizeof *nodes);
    int64_t answer;
    double start = bench_now_ns();
    for (size_t i = 0; nodes && i < count; i++)
        nodes[i] = rask_delayed(g, nothing);
    rask_node *last = rask_delayed(g, after, 1);
    rask_after(last, nodes, count);
    if (rask_compute_with(last, &o, &answer))
        fail(rask_graph_error(g));
    double seconds = (bench_now_ns() - start) / 1e9;
    rask_graph_free(g);
    free(nodes);
    return seconds;
}

/* -- Bulk */

/* What a piece begins with. */
typedef struct mark {
    double made_ns;
    int64_t process;
} mark;

/* (bytes, number) */
static int make(rask_task *t)
{
    size_t len = (size_t)rask_arg_i64(t, 0);
    char *data;
    rask_value value;
    if (rask_value_bytes_alloc(len, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    memset(data, (int)rask_arg_i64(t, 1), len);
    mark m = {bench_now_ns(), getpid()};
    memcpy(data, &m, sizeof m);
    return rask_return_value(t, value);
}
RASK_SLOTS(make);

/* Gigabytes a second that came from other workers, since the last piece was made. */
static int touch(rask_task *t)
{
    double now = bench_now_ns(), last = 0;
    uint64_t bytes = 0;
    size_t count;
    const rask_value *items = rask_arg_list(t, 0, &count);
    for (size_t i = 0; i < count; i++) {
        rask_bytes piece = {NULL, 0};
        mark m;
        rask_value_get_bytes(&items[i], &piece);
        memcpy(&m, piece.data, sizeof m);
        last = m.made_ns > last ? m.made_ns : last;
        bytes += m.process == getpid() ? 0 : piece.len;
    }
    return rask_return_f64(t, (double)bytes / (double)(now - last));
}
RASK_SLOTS(touch);

/* 0: one worker made all pieces. */
static double pull_once(const crew *c, size_t mib)
{
    rask_options o = options_of(c);
    rask_graph *g = rask_graph_new();
    rask_node *pieces[PIECES];
    double rate = 0;
    for (int i = 0; i < PIECES; i++)
        pieces[i] = rask_delayed(g, make, (int64_t)(mib << 20) / PIECES, i);
    rask_node *last = rask_delayed(g, touch, rask_list(g, pieces, PIECES));
    if (rask_compute_with(last, &o, &rate))
        fail(rask_graph_error(g));
    rask_graph_free(g);
    return rate;
}

static double measure_bulk(const crew *c, size_t mib)
{
    double rate = 0;
    for (int tries = 0; tries < TRIES && rate <= 0; tries++)
        rate = pull_once(c, mib);
    if (rate <= 0)
        fail("one worker made all pieces, again and again");
    return rate;
}

/* -- Makespan */

/* (nanoseconds, what comes before…) */
static int rest(rask_task *t)
{
    int64_t ns = rask_arg_i64(t, 0);
    const struct timespec for_so_long = {ns / 1000000000, ns % 1000000000};
    nanosleep(&for_so_long, NULL);
    return rask_return_i64(t, 0);
}

static const rask_task_def rest_def = {.size = sizeof rest_def, .name = "rest", .call = rest};

static rask_node *add_rest(rask_graph *g, const bench_shape *shape, uint32_t task, uint64_t typical_ns,
                           rask_node *const *nodes)
{
    uint32_t count = bench_shape_pred_count(shape, task);
    const uint32_t *pred = shape->pred + shape->pred_start[task];
    rask_arg *args = malloc((count + 1) * sizeof *args);
    if (!args)
        fail("no memory");
    args[0] = (rask_arg){.kind = RASK_ARG_I64, .as.i64 = (int64_t)bench_shape_duration_ns(task, typical_ns)};
    for (uint32_t i = 0; i < count; i++)
        args[i + 1] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes[pred[i]]};
    rask_node *node = rask_call(g, &rest_def, args, count + 1);
    free(args);
    return node;
}

/* work: "makespan:SHAPE:US". */
static double measure_makespan(const crew *c, const char *work, size_t count)
{
    char name[32];
    unsigned typical_us;
    rask_options o = options_of(c);
    bench_shape shape;
    int64_t answer;
    if (sscanf(work, "makespan:%31[^:]:%u", name, &typical_us) != 2 || !typical_us ||
        bench_shape_make(name, (uint32_t)count, BENCH_SHAPE_SEED, &shape))
        fail("no such shape: makespan:SHAPE:MICROSECONDS");
    rask_graph *g = rask_graph_new();
    rask_node **nodes = calloc(shape.n, sizeof *nodes);
    for (uint32_t task = 0; nodes && task < shape.n; task++)
        nodes[task] = add_rest(g, &shape, task, typical_us * UINT64_C(1000), nodes);
    rask_node *last = rask_delayed(g, after, 1);
    rask_after(last, nodes, shape.n);
    double start = bench_now_ns();
    if (rask_compute_with(last, &o, &answer))
        fail(rask_graph_error(g));
    double seconds = (bench_now_ns() - start) / 1e9;
    rask_graph_free(g);
    free(nodes);
    bench_shape_free(&shape);
    return seconds;
}

static double measure(const crew *c, const char *work, size_t amount)
{
    if (!strcmp(work, "tasks"))
        return measure_tasks(c, amount);
    return !strcmp(work, "bulk") ? measure_bulk(c, amount) : measure_makespan(c, work, amount);
}

int main(int argc, char **argv)
{
    static const char usage[] =
        "usage: cluster_rask tasks COUNT|bulk MIB|makespan:SHAPE:US COUNT plain|encrypted|ranks [WORKERS]";
    double rounds[ROUNDS];
    crew c;
    if (rask_cluster_init(&argc, &argv))
        fail("the ranks of the job did not come together");
    if (argc < 4)
        fail(usage);
    bool bulk = !strcmp(argv[1], "bulk");
    size_t amount = strtoull(argv[2], NULL, 10);
    int workers = argc > 4 ? atoi(argv[4]) : 2;
    if (!amount || workers < 1 || workers > MOST_WORKERS)
        fail(usage);
    begin(&c, argv[3], workers);
    for (int i = -1; i < ROUNDS; i++) {
        double figure = measure(&c, argv[1], amount);
        if (i >= 0)
            rounds[i] = figure;
    }
    printf(bulk ? "%.3f\n" : "%.6f\n", bench_median(rounds, ROUNDS));
    end(&c);
    return 0;
}
