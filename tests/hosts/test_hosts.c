/* A cluster on several hosts (hosts.h), encrypted: workers that are killed, cut off, slow or late change no byte. How long it took
 * until a loss was noticed is printed, and not judged.
 *
 * RASK_HOSTS_KILLS=100: so many workers are killed, in one run. */
#include "../schedulers/support.h"
#include "hosts.h"

#include <pthread.h>
#include <rask/cluster.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 4, MOST_HIRED = 512, HEAD = 1, PIECE = 4096, FEW_KILLS = 10, MOST_PIECES = 8192 };

/* What tasks see, in whatever process. */
typedef struct shared {
    atomic_bool released;           /* tasks that hold return */
    atomic_bool worked[MOST_HIRED]; /* by the number of the worker */
    atomic_int begun[MOST_PIECES][2],
        ended[MOST_PIECES][2]; /* how often, by piece: it is made, it is mixed */
} shared;

/* A worker is known by a number, as the name of its host. */
typedef struct field {
    hosts h;
    char keys[64], address[64];
    pid_t pids[WORKERS];
    uint32_t numbers[WORKERS];
    uint32_t hired;
    _Atomic uint64_t killed_ns[MOST_HIRED], noticed_ns[MOST_HIRED], came_ns[MOST_HIRED];
    atomic_uint came[MOST_HIRED];
    atomic_bool over;
} field;

static shared *seen;
static uint32_t own_number; /* of the worker that this process is */

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* -- Workers */

static void be_worker(const field *f, uint32_t number, uint32_t host)
{
    char name[32], reason[512] = "";
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    own_number = number;
    snprintf(name, sizeof name, "worker-%u", number);
    if (unshare(CLONE_NEWUTS) || sethostname(name, strlen(name)) || !hosts_enter(&f->h, host))
        _exit(1);
    o.address = f->address;
    o.key_file = f->keys;
    o.threads = 1;
    o.memory = 256 << 20;
    int status = rask_cluster_worker(&o, reason, sizeof reason);
    if (status)
        fprintf(stderr, "%s: %s\n", name, reason);
    _exit(status);
}

/* Workers are on all hosts but the head, in turn. */
static void hire(field *f, uint32_t at)
{
    pid_t parent = getpid();
    cr_assert_lt(f->hired, MOST_HIRED);
    f->numbers[at] = f->hired++;
    f->pids[at] = fork();
    cr_assert_geq(f->pids[at], 0);
    if (f->pids[at])
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        be_worker(f, f->numbers[at], HEAD + 1 + at % (f->h.count - 1));
    _exit(1);
}

static field *begin(uint32_t host_count, uint32_t workers)
{
    char why[200] = "", address[16];
    field *f = calloc(1, sizeof *f);
    cr_assert_not_null(f);
    seen = shared_calloc(sizeof *seen);
    if (!hosts_begin(&f->h, host_count, why, sizeof why))
        cr_skip_test("%s", why);
    cr_assert(hosts_enter(&f->h, HEAD));
    snprintf(f->keys, sizeof f->keys, "/tmp/rask-test-hosts-%d", (int)getpid());
    snprintf(f->address, sizeof f->address, "tcp://%s:7077", hosts_address(HEAD, address));
    unlink(f->keys);
    cr_assert_eq(rask_cluster_make_keys(f->keys, why, sizeof why), RASK_OK, "%s", why);
    for (uint32_t i = 0; i < workers; i++)
        hire(f, i);
    return f;
}

static void end(field *f)
{
    rask_cluster_close();
    for (uint32_t i = 0; i < WORKERS; i++)
        if (f->pids[i] > 0) {
            kill(f->pids[i], SIGKILL);
            waitpid(f->pids[i], NULL, 0);
        }
    unlink(f->keys);
    hosts_end(&f->h);
    free(f);
    shared_free(seen, sizeof *seen);
}

/* The number of the worker that is told of. */
static void worker_changed(void *context, const rask_worker_info *info)
{
    field *f = context;
    unsigned number = MOST_HIRED;
    if (sscanf(info->host, "worker-%u", &number) != 1 || number >= MOST_HIRED)
        return;
    if (info->lost) {
        atomic_store(&f->noticed_ns[number], now_ns());
        return;
    }
    atomic_store(&f->came_ns[number], now_ns());
    atomic_fetch_add(&f->came[number], 1);
}

static bool has_come(const field *f, uint32_t number)
{
    return atomic_load(&f->came[number]) > 0;
}

/* Until the worker has come to the run, or the test is over. */
static void await_worker(const field *f, uint32_t number)
{
    while (!has_come(f, number) && !atomic_load(&f->over))
        sleep_ms(1);
}

static void await_work(const field *f, uint32_t number)
{
    while (!atomic_load(&seen->worked[number]) && !atomic_load(&f->over))
        sleep_ms(1);
}

static void await_notice(const field *f, uint32_t number)
{
    while (!atomic_load(&f->noticed_ns[number]) && !atomic_load(&f->over))
        sleep_ms(1);
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* How long it took from what happened to workers until that was noticed. */
static uint32_t print_notices(const field *f, const char *what)
{
    uint64_t took[MOST_HIRED];
    uint32_t count = 0;
    for (uint32_t i = 0; i < MOST_HIRED; i++)
        if (f->killed_ns[i] && f->noticed_ns[i] > f->killed_ns[i])
            took[count++] = f->noticed_ns[i] - f->killed_ns[i];
    qsort(took, count, sizeof *took, by_size);
    uint32_t middle = count / 2;
    if (count)
        fprintf(stderr, "# %s noticed after %.1f ms (median of %u), at most %.1f ms\n", what,
                (double)took[middle] / 1e6, count, (double)took[count - 1] / 1e6);
    return count;
}

/* -- Tasks */

/* Workers that hold a task let go when they are told to, or when their run has ended. */
static void hold(rask_task *t)
{
    while (!atomic_load(&seen->released) && !rask_task_cancelled(t))
        sleep_ms(1);
}

/* (seed, milliseconds): bytes; with a negative time it holds. */
static int make(rask_task *t)
{
    int64_t piece = rask_arg_i64(t, 0), ms = rask_arg_i64(t, 1);
    uint64_t x = (uint64_t)piece;
    char *data;
    rask_value value;
    if (rask_value_bytes_alloc(PIECE, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    atomic_fetch_add(&seen->begun[piece][0], 1);
    for (int i = 0; i < PIECE; i++)
        data[i] = (char)((x = x * 6364136223846793005u + 1442695040888963407u) >> 56);
    if (ms < 0) {
        atomic_store(&seen->worked[own_number], true);
        hold(t);
    }
    sleep_ms((long)(ms > 0 ? ms : 0));
    atomic_store(&seen->worked[own_number], true);
    atomic_fetch_add(&seen->ended[piece][0], 1);
    return rask_return_value(t, value);
}
RASK_SLOTS(make);

/* (bytes, bytes, which): bytes. */
static int mix(rask_task *t)
{
    rask_bytes a = rask_arg_bytes(t, 0), b = rask_arg_bytes(t, 1);
    int64_t piece = rask_arg_i64(t, 2);
    char *data;
    rask_value value;
    if (rask_value_bytes_alloc(PIECE, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    atomic_fetch_add(&seen->begun[piece][1], 1);
    for (size_t i = 0; i < PIECE; i++)
        data[i] = (char)(a.data[i] * 31 + b.data[PIECE - 1 - i]);
    atomic_store(&seen->worked[own_number], true);
    atomic_fetch_add(&seen->ended[piece][1], 1);
    return rask_return_value(t, value);
}
RASK_SLOTS(mix);

/* Each piece is taken with its neighbour, which another worker has made. */
static rask_node *pieces(rask_graph *g, int count, int64_t ms)
{
    rask_node **made = calloc((size_t)count * 2, sizeof *made), **mixed = made + count;
    for (int i = 0; i < count; i++)
        made[i] = rask_delayed(g, make, i, ms);
    for (int i = 0; i < count; i++)
        mixed[i] = rask_delayed(g, mix, made[i], made[(i + 7) % count], i);
    rask_node *list = rask_list(g, mixed, (size_t)count);
    free(made);
    return list;
}

/* The same as from a plain loop over the seeds, byte by byte. */
static void check_pieces(const rask_value *list, int count)
{
    const rask_value *items;
    size_t found;
    rask_value want;
    rask_graph *g = rask_graph_new();
    rask_options here = threads(2);
    rask_node *node = pieces(g, count, 0);
    cr_assert_eq(rask_compute_values(&node, 1, &here, &want), RASK_OK, "%s", rask_graph_error(g));
    const rask_value *wanted;
    cr_assert_eq(rask_value_get_list(list, &items, &found), RASK_OK);
    cr_assert_eq(rask_value_get_list(&want, &wanted, &found), RASK_OK);
    cr_assert_eq(found, count);
    for (size_t i = 0; i < found; i++) {
        rask_bytes a = {NULL, 0}, b = {NULL, 0};
        rask_value_get_bytes(&items[i], &a);
        rask_value_get_bytes(&wanted[i], &b);
        cr_assert(a.len == b.len && !memcmp(a.data, b.data, a.len), "piece %zu differs", i);
    }
    rask_value_unref(&want);
    rask_graph_free(g);
}

static void compute(field *f, int count, int64_t ms)
{
    rask_graph *g = rask_graph_new();
    rask_node *list = pieces(g, count, ms);
    rask_value result;
    rask_observer observer = {.size = sizeof observer, .context = f, .worker_changed = worker_changed};
    const rask_observer *observers[] = {&observer};
    rask_options o = RASK_OPTIONS_INIT;
    o.cluster = f->address;
    o.cluster_keys = f->keys;
    o.observers = observers;
    o.observer_count = 1;
    o.memory = 256 << 20;
    o.timeout = 90;
    cr_assert_eq(rask_compute_values(&list, 1, &o, &result), RASK_OK, "%s", rask_graph_error(g));
    check_pieces(&result, count);
    rask_value_unref(&result);
    rask_graph_free(g);
}

/* Computes while something else is done about the workers. */
static void compute_while(field *f, void *(*meanwhile)(void *), int count, int64_t ms)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, meanwhile, f), 0);
    compute(f, count, ms);
    atomic_store(&f->over, true);
    pthread_join(thread, NULL);
}

/* -- The tests */

Test(hosts, workers_on_other_hosts_give_the_same_bytes)
{
    field *f = begin(4, 3);
    compute(f, 60, 0);
    end(f);
}

static uint32_t wanted_kills(void)
{
    const char *kills = getenv("RASK_HOSTS_KILLS");
    return kills && atoi(kills) > 0 ? (uint32_t)atoi(kills) % (MOST_HIRED - WORKERS) : FEW_KILLS;
}

static bool runs_again(int piece)
{
    for (int kind = 0; kind < 2; kind++) {
        int ended = atomic_load(&seen->ended[piece][kind]);
        if (!ended && atomic_load(&seen->begun[piece][kind]) > 1)
            return true;
    }
    return false;
}

/* A task that ends three workers is blamed: until none runs that was hit before. */
static void await_unharmed(const field *f)
{
    for (int i = 0; i < MOST_PIECES; i++)
        while (runs_again(i) && !atomic_load(&f->over))
            sleep_ms(1);
}

/* One after the other, each with a successor, when it has returned from a task. Who hires outlives whom it hired. */
static void *kill_workers(void *context)
{
    field *f = context;
    unsigned seed = 1;
    for (uint32_t i = 0; i < wanted_kills() && !atomic_load(&f->over); i++) {
        uint32_t at = (uint32_t)rand_r(&seed) % WORKERS, number = f->numbers[at];
        await_work(f, number);
        sleep_ms(10 + rand_r(&seed) % 20);
        await_unharmed(f);
        atomic_store(&f->killed_ns[number], now_ns());
        kill(f->pids[at], SIGKILL);
        waitpid(f->pids[at], NULL, 0);
        await_notice(f, number);
        hire(f, at);
    }
    atomic_store(&seen->released, true);
    while (!atomic_load(&f->over))
        sleep_ms(2);
    return NULL;
}

/* What a killed worker had is lost with it: the run does not end before the killing does, unless there is little to do. */
Test(hosts, workers_that_are_killed_change_no_byte, .timeout = 300)
{
    field *f = begin(4, WORKERS);
    compute_while(f, kill_workers, 200 + 10 * (int)wanted_kills(), 3);
    cr_assert_gt(print_notices(f, "killed workers:"), 0);
    end(f);
}

/* Out, and in again when that was noticed; tasks go on when the worker has come again. */
static void *cut_cable(void *context)
{
    field *f = context;
    uint32_t number = f->numbers[0];
    await_worker(f, number);
    sleep_ms(30);
    atomic_store(&f->killed_ns[number], now_ns());
    hosts_plug(&f->h, HEAD + 1, false);
    await_notice(f, number);
    hosts_plug(&f->h, HEAD + 1, true);
    while (atomic_load(&f->came[number]) < 2 && !atomic_load(&f->over))
        sleep_ms(1);
    atomic_store(&seen->released, true);
    return NULL;
}

Test(hosts, a_cable_that_is_cut_is_noticed_and_its_worker_comes_again)
{
    field *f = begin(4, 3);
    compute_while(f, cut_cable, 40, -1);
    cr_assert_eq(print_notices(f, "a cut cable:"), 1);
    cr_assert_geq(f->came[f->numbers[0]], 2);
    end(f);
}

/* Tasks are held until the late one has worked. */
static void *come_late(void *context)
{
    field *f = context;
    await_worker(f, f->numbers[0]);
    hire(f, 1);
    uint32_t late = f->numbers[1];
    await_work(f, late);
    if (has_come(f, late))
        fprintf(stderr, "# a late worker had work after %.1f ms\n",
                (double)(now_ns() - f->came_ns[late]) / 1e6);
    atomic_store(&seen->released, true);
    while (!atomic_load(&f->over))
        sleep_ms(2);
    return NULL;
}

Test(hosts, a_worker_that_comes_late_is_used)
{
    field *f = begin(3, 1);
    compute_while(f, come_late, 40, -1);
    cr_assert(seen->worked[f->numbers[1]]);
    end(f);
}

Test(hosts, a_slow_link_changes_no_byte)
{
    field *f = begin(3, 2);
    const char *how = hosts_slow(&f->h, HEAD + 1);
    if (!how)
        cr_skip_test("the kernel has neither netem nor tbf, or there is no tc(8)");
    fprintf(stderr, "# slowed by %s\n", how);
    compute(f, 60, 0);
    end(f);
}

Test(hosts, workers_that_do_not_reach_each_other_change_no_byte)
{
    field *f = begin(3, 2);
    cr_assert(hosts_part(&f->h, HEAD + 1, HEAD + 2) && hosts_part(&f->h, HEAD + 2, HEAD + 1));
    compute(f, 60, 2);
    end(f);
}

/* -- The program rask, as a user starts it */

static pid_t start(const field *f, uint32_t host, const char *const *arguments)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (hosts_enter(&f->h, host))
        execv(arguments[0], (char *const *)arguments);
    _exit(126);
}

static int outcome(pid_t pid)
{
    int how = -1;
    waitpid(pid, &how, 0);
    return WIFEXITED(how) ? WEXITSTATUS(how) : 128;
}

static void check_same_files(const char *a, const char *b)
{
    char left[8192], right[8192];
    FILE *one = fopen(a, "rb"), *other = fopen(b, "rb");
    cr_assert(one && other);
    size_t n = fread(left, 1, sizeof left, one), m = fread(right, 1, sizeof right, other);
    cr_assert(n == m && n && !memcmp(left, right, n));
    fclose(one);
    fclose(other);
    unlink(a);
    unlink(b);
}

Test(hosts, workers_that_rask_starts_on_other_hosts_compute_for_it)
{
    static const char product[] =
        "sum((arange(250000.).reshape(500, 500) % 97) * (arange(250000.).reshape(500, 500) % 89), axis=0)";
    const char *rask = getenv("RASK_TEST_PROGRAM");
    if (!rask)
        cr_skip_test("no RASK_TEST_PROGRAM");
    field *f = begin(3, 0);
    char want[80], got[80];
    snprintf(want, sizeof want, "%s-want.npy", f->keys);
    snprintf(got, sizeof got, "%s-got.npy", f->keys);
    const char *many[] = {rask,       "cluster",  "start",      "--workers", "2",
                          "--listen", f->address, "--key-file", f->keys,     NULL};
    const char *one[] = {rask, "worker", "--threads", "1", "--key-file", f->keys, f->address, NULL};
    const char *there[] = {rask, "eval", product, "-o", got, "--cluster", f->address, NULL};
    const char *here[] = {rask, "eval", product, "-o", want, NULL};
    pid_t started[] = {start(f, 2, many), start(f, 3, one)};
    cr_assert_eq(outcome(start(f, HEAD, here)), 0);
    setenv("RASK_CLUSTER_KEYS", f->keys, 1);
    cr_assert_eq(outcome(start(f, HEAD, there)), 0);
    for (int i = 0; i < 2; i++) {
        kill(started[i], SIGTERM);
        cr_assert_eq(outcome(started[i]), 0);
    }
    check_same_files(want, got);
    end(f);
}
