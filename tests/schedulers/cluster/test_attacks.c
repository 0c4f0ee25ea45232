/* A run on a cluster with keys, while strangers do what they can from outside: it comes to its results, a worker with the key is
 * let in meanwhile, and the program's memory stays in bounds. What the transport does about each of them alone is in test_zmq.c. */
#include "schedulers/cluster/protocol.h"
#include "tasks.h"
#include "workers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <rask/cluster.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { PIECES = 24, PIECE = 100000, MOST_HALF_OPEN = 10000, MIB = 1 << 20 };

/* What strangers, workers and the program see. */
typedef struct scene {
    atomic_bool begun; /* tasks run */
    atomic_bool over;  /* the attack is; tasks return */
    atomic_bool late;  /* who came meanwhile has worked */
    atomic_int connections;
} scene;

static scene *stage;
static bool is_late;

/* -- Tasks */

/* (number): bytes, when the attack is over. */
static int endure(rask_task *t)
{
    char *data;
    rask_value value;
    if (rask_value_bytes_alloc(PIECE, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    memset(data, (int)rask_arg_i64(t, 0), PIECE);
    atomic_store(&stage->begun, true);
    if (is_late)
        atomic_store(&stage->late, true);
    while (!(atomic_load(&stage->over) && atomic_load(&stage->late)) && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_value(t, value);
}
RASK_SLOTS(endure);

/* -- Strangers */

static int dial(int port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Says it on a connection of its own, and stays for a moment. */
static void blurt(int port, const void *bytes, size_t size)
{
    int fd = dial(port);
    sleep_ms(5);
    if (fd < 0)
        return;
    (void)!send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    sleep_ms(5);
    close(fd);
}

/* Of ZeroMQ's protocol: without encryption, with it and then garbage, and a frame that promises exabytes. */
static const char plain_greeting[64] = "\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL";
static const char curve_greeting[64] = "\xff\0\0\0\0\0\0\0\1\x7f\3\0CURVE";

static void send_garbage(int port)
{
    char bytes[4096];
    uint32_t seed = 7;
    for (int i = 0; i < 20; i++) {
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
        if (i % 2)
            memcpy(bytes, curve_greeting, sizeof curve_greeting);
        blurt(port, bytes, sizeof bytes);
    }
}

static void send_without_key(int port)
{
    static const char ready[30] = "\4\x1c\5READY\x0bSocket-Type\0\0\0\6DEALER";
    char bytes[sizeof plain_greeting + sizeof ready];
    memcpy(bytes, plain_greeting, sizeof plain_greeting);
    memcpy(bytes + sizeof plain_greeting, ready, sizeof ready);
    blurt(port, bytes, sizeof bytes);
}

static void send_oversized(int port)
{
    static const char huge[15] = "\6\x7f\xff\xff\xff\xff\xff\xff\xff\5HELLO";
    char bytes[sizeof curve_greeting + sizeof huge];
    memcpy(bytes, curve_greeting, sizeof curve_greeting);
    memcpy(bytes + sizeof curve_greeting, huge, sizeof huge);
    blurt(port, bytes, sizeof bytes);
}

/* As a worker of somebody else would, until it gives up. */
static void come_with_another_key(const cluster *c)
{
    char path[80], reason[512] = "";
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    snprintf(path, sizeof path, "%s-other", c->key_file);
    if (rask_cluster_make_keys(path, reason, sizeof reason))
        _exit(1);
    o.address = c->address;
    o.key_file = path;
    o.threads = 1;
    o.patience = 0.5;
    int status = rask_cluster_worker(&o, reason, sizeof reason);
    unlink(path);
    if (status != RASK_EINVAL && status != RASK_EIO)
        _exit(1); /* it was let in */
}

/* So many connections that say nothing, as long as the late worker has not worked. */
static void hold_half_open(int port)
{
    struct rlimit files = {0, 0};
    getrlimit(RLIMIT_NOFILE, &files);
    int most = files.rlim_cur > MOST_HALF_OPEN + 200 ? MOST_HALF_OPEN : (int)files.rlim_cur - 200;
    if (most < MOST_HALF_OPEN)
        fprintf(stderr, "# %d connections instead of %d: more descriptors are not allowed\n", most,
                MOST_HALF_OPEN);
    for (int i = 0; i < most; i++)
        if (dial(port + i % 2) >= 0)
            atomic_fetch_add(&stage->connections, 1);
}

static pid_t attack(const cluster *c)
{
    pid_t parent = getpid(), pid = fork();
    if (pid)
        return pid;
    int port = atoi(strrchr(c->address, ':') + 1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!atomic_load(&stage->begun) && getppid() == parent)
        sleep_ms(1);
    for (int i = 0; i < 2; i++) {
        send_garbage(port + i);
        send_without_key(port + i);
        send_oversized(port + i);
    }
    come_with_another_key(c);
    hold_half_open(port);
    atomic_store(&stage->over, true);
    while (!atomic_load(&stage->late))
        sleep_ms(1);
    _exit(0);
}

/* -- The run */

/* A worker with the key that comes in the middle of it. */
static void hire_late(cluster *c)
{
    uint32_t at = c->count++;
    pid_t parent = getpid();
    c->pids[at] = fork();
    if (c->pids[at])
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!atomic_load(&stage->over) && getppid() == parent)
        sleep_ms(1);
    is_late = true;
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    char reason[512] = "";
    o.address = c->address;
    o.key_file = c->key_file;
    o.insecure = !c->key_file;
    o.threads = 1;
    int status = rask_cluster_worker(&o, reason, sizeof reason);
    if (status)
        fprintf(stderr, "worker: %s\n", reason);
    _exit(status);
}

static void allow_many_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* The most memory that this process has had, in bytes. */
static long peak_memory(void)
{
    char line[200];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "VmHWM: %ld", &kib);
    if (status)
        fclose(status);
    return kib * 1024;
}

Test(attacks, a_run_comes_to_its_results_whatever_strangers_do)
{
    cluster c;
    char path[64], reason[256] = "";
    int64_t answer = 0;
    int how = -1;
    rask_graph *g = rask_graph_new();
    rask_node *pieces[PIECES];
    stage = shared_calloc(sizeof *stage);
    allow_many_files();
    snprintf(path, sizeof path, "/tmp/rask-test-attack-%d", (int)getpid());
    unlink(path);
    cr_assert_eq(rask_cluster_make_keys(path, reason, sizeof reason), RASK_OK, "%s", reason);
    cluster_begin(&c, 0, 1);
    c.key_file = path;
    for (c.count = 0; c.count < 2; c.count++)
        cluster_hire(&c, c.count);
    hire_late(&c);
    pid_t stranger = attack(&c);
    for (int i = 0; i < PIECES; i++)
        pieces[i] = rask_delayed(g, endure, i);
    rask_options o = on(&c);
    o.cluster_keys = path;
    long before = peak_memory();
    int status = rask_compute_with(rask_delayed(g, add_up, rask_list(g, pieces, PIECES)), &o, &answer);
    long grown = peak_memory() - before;
    waitpid(stranger, &how, 0);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, (int64_t)PIECE * PIECES * (PIECES - 1) / 2);
    cr_assert_eq(how, 0, "a stranger was let in");
    fprintf(stderr, "# %d half-open connections; the program's memory grew by %ld MiB\n",
            atomic_load(&stage->connections), grown / MIB);
    cr_assert_lt(grown, 400L * MIB);
    cluster_end(&c);
    unlink(path);
    shared_free(stage, sizeof *stage);
    rask_graph_free(g);
}

/* -- Who may come, and is no worker of this program */

typedef struct comer {
    const rk_transport_engine *engine;
    rk_transport *t;
    uint32_t peer;
    bool joined, lost, told;
    char refused[RK_MAX_INLINE + 1];
} comer;

static void on_joined(void *context, uint32_t peer, bool dialled)
{
    comer *c = context;
    (void)peer, (void)dialled;
    c->joined = true;
}

static void on_message(void *context, uint32_t peer, const void *bytes, size_t size)
{
    comer *c = context;
    rk_pack_in in = {bytes, (const char *)bytes + size, false, NULL};
    rk_message m;
    (void)peer;
    while (rk_message_get(&in, &m)) {
        cr_assert_eq(m.kind, RK_SAY_REFUSED, "it was told %s", rk_message_name(m.kind));
        rk_word_copy(c->refused, sizeof c->refused, m.text);
        c->told = true;
    }
}

static void on_lost(void *context, uint32_t peer, int status, const char *why)
{
    comer *c = context;
    (void)peer, (void)status, (void)why;
    c->lost = true;
}

static void pass_until(comer *c, const bool *flag)
{
    for (int i = 0; i < 30000 && !*flag; i++)
        if (!c->engine->progress(c->t))
            sleep_ms(1);
    cr_assert(*flag);
}

/* Comes, says it, and is told why it is refused, or hung up on. */
static void come_and_say(comer *c, const char *address, const void *bytes, size_t size, bool is_told)
{
    char reason[300] = "";
    rk_transport_setup setup = {
        .keys.open_door = true,
        .events = {.context = c, .joined = on_joined, .message = on_message, .lost = on_lost}};
    *c = (comer){0};
    cr_assert_eq(rk_transport_find("zmq", &c->engine, reason, sizeof reason), RASK_OK, "%s", reason);
    cr_assert_eq(c->engine->open(c->engine, &setup, &c->t, reason, sizeof reason), RASK_OK, "%s", reason);
    cr_assert_eq(c->engine->dial(c->t, address, &c->peer), RASK_OK);
    pass_until(c, &c->joined);
    cr_assert_eq(c->engine->send(c->t, c->peer, bytes, size), RASK_OK);
    pass_until(c, is_told ? &c->told : &c->lost);
    c->engine->close(c->t);
}

static void must_be_refused(const char *address, rk_message hello, const char *because)
{
    comer c;
    rk_pack_out out = {0};
    rk_message_put(&out, &hello);
    come_and_say(&c, address, out.data, out.size, true);
    cr_assert(strstr(c.refused, because), "%s", c.refused);
    rk_pack_out_fini(&out);
}

static atomic_int refusals_told;

static void count_refusal(void *context, const rask_worker_info *who)
{
    (void)context;
    cr_expect(*who->reason && !*who->host && !who->process && !who->count);
    atomic_fetch_add(&refusals_told, 1);
}

static void *compute_endured(void *context)
{
    static const rask_observer counts = {.size = sizeof counts, .worker_refused = count_refusal};
    const rask_observer *observer = &counts;
    rask_graph *g = rask_graph_new();
    rask_node *pieces[4];
    rask_options o = on(context);
    int64_t answer = 0;
    o.observers = &observer;
    o.observer_count = 1;
    for (int i = 0; i < 4; i++)
        pieces[i] = rask_delayed(g, endure, i);
    int status = rask_compute_with(rask_delayed(g, add_up, rask_list(g, pieces, 4)), &o, &answer);
    rask_graph_free(g);
    return status || answer != (int64_t)PIECE * 6 ? "the run did not come to its result" : NULL;
}

static void dismiss(cluster *c)
{
    kill(c->pids[0], SIGKILL);
    waitpid(c->pids[0], NULL, 0);
    sleep_ms(50); /* mostly enough for the program to notice */
}

/* A run with a new worker, and after that has gone a run that begins while nobody is there. */
static void begin_without_workers(cluster *c)
{
    pthread_t thread;
    void *wrong;
    dismiss(c);
    cluster_hire(c, 0);
    wrong = compute_endured(c);
    cr_assert_null(wrong, "%s", (const char *)wrong);
    int told = atomic_load(&refusals_told);
    dismiss(c);
    cr_assert_eq(pthread_create(&thread, NULL, compute_endured, c), 0);
    sleep_ms(100);
    cluster_hire(c, 0);
    pthread_join(thread, &wrong);
    cr_assert_null(wrong, "%s", (const char *)wrong);
    cr_assert_eq(atomic_load(&refusals_told), told, "it was told of a refusal before the last worker came");
}

Test(attacks, who_is_no_worker_of_this_program_is_refused_and_the_run_goes_on)
{
    static const char id[20] = "another";
    cluster c;
    comer rude;
    pthread_t thread;
    void *wrong;
    stage = shared_calloc(sizeof *stage);
    atomic_store(&stage->late, true);
    cluster_begin(&c, 1, 1);
    cr_assert_eq(pthread_create(&thread, NULL, compute_endured, &c), 0);
    while (!atomic_load(&stage->begun))
        sleep_ms(1);
    rk_message hello = {.kind = RK_SAY_HELLO,
                        .version = RK_PROTOCOL_VERSION,
                        .threads = 1,
                        .bytes = MIB,
                        .program = {id, sizeof id},
                        .library = {id, sizeof id}};
    must_be_refused(c.address, hello, "not the same program");
    hello.threads = 0;
    must_be_refused(c.address, hello, "0 threads");
    hello.version++;
    must_be_refused(c.address, hello, "version");
    must_be_refused(c.address, (rk_message){.kind = RK_SAY_ASK, .version = RK_PROTOCOL_VERSION - 1},
                    "another version of the protocol");
    come_and_say(&rude, c.address, "\xff garbage", 9, false);
    come_and_say(&rude, c.address, &(char){RK_SAY_LEAVING}, 1, false);
    atomic_store(&stage->over, true);
    pthread_join(thread, &wrong);
    cr_assert_null(wrong, "%s", (const char *)wrong);
    cr_assert_eq(atomic_load(&refusals_told), 3);
    begin_without_workers(&c);
    cluster_end(&c);
    shared_free(stage, sizeof *stage);
}

/* -- Runs that never had a worker */

typedef struct waiting_run {
    cluster c;
    pthread_t thread;
    int status;
    atomic_int told; /* of workers that were refused */
    char why[512];
} waiting_run;

static void on_worker_refused(void *context, const rask_worker_info *worker)
{
    (void)worker;
    atomic_fetch_add(&((waiting_run *)context)->told, 1);
}

static void *wait_for_workers(void *context)
{
    waiting_run *r = context;
    rask_graph *g = rask_graph_new();
    rask_options o = on(&r->c);
    rask_node *pieces[] = {rask_delayed(g, endure, 0), rask_delayed(g, endure, 1)};
    int64_t answer;
    const rask_observer observer = {
        .size = sizeof observer, .context = r, .worker_refused = on_worker_refused};
    const rask_observer *observers[] = {&observer};
    o.cluster_keys = r->c.key_file;
    o.observers = observers;
    o.observer_count = 1;
    r->status = rask_compute_with(rask_delayed(g, add_up, rask_list(g, pieces, 2)), &o, &answer);
    snprintf(r->why, sizeof r->why, "%s", r->status ? rask_graph_error(g) : "");
    rask_graph_free(g);
    return NULL;
}

/* Its port, as soon as it listens there. */
static int begin_waiting(waiting_run *r, const char *key_file)
{
    cluster_begin(&r->c, 0, 1);
    r->c.key_file = key_file;
    cr_assert_eq(pthread_create(&r->thread, NULL, wait_for_workers, r), 0);
    int port = atoi(strrchr(r->c.address, ':') + 1);
    while (!is_listened_at(port) || !is_listened_at(port + 1))
        sleep_ms(1);
    return port;
}

/* A process that works computes nowhere else. */
static void send_another_key(const cluster *c)
{
    int how = -1;
    pid_t pid = fork();
    if (!pid) {
        come_with_another_key(c);
        _exit(0);
    }
    waitpid(pid, &how, 0);
    cr_assert_eq(how, 0, "it was let in");
}

static void must_have_failed(waiting_run *r, const char *because)
{
    pthread_join(r->thread, NULL);
    cr_assert_eq(r->status, RASK_EIO);
    cr_assert_eq(atomic_load(&r->told), 1, "a reason is told once, not %d times", atomic_load(&r->told));
    cr_assert(strstr(r->why, because) && !strstr(r->why, "30 seconds"), "%s", r->why);
}

Test(attacks, a_run_that_never_had_a_worker_fails_soon_when_one_has_another_key_or_build_and_not_for_garbage)
{
    static const char id[20] = "another";
    waiting_run keys = {0}, build = {0}, garbage = {0};
    char path[64], reason[256] = "";
    stage = shared_calloc(sizeof *stage);
    atomic_store(&stage->over, true);
    atomic_store(&stage->late, true);
    snprintf(path, sizeof path, "/tmp/rask-test-attack-keys-%d", (int)getpid());
    unlink(path);
    cr_assert_eq(rask_cluster_make_keys(path, reason, sizeof reason), RASK_OK, "%s", reason);
    send_garbage(begin_waiting(&garbage, path));
    begin_waiting(&keys, path);
    do
        send_another_key(&keys.c); /* which gives up before it has come, on a slow machine */
    while (!atomic_load(&keys.told));
    begin_waiting(&build, NULL);
    must_be_refused(build.c.address,
                    (rk_message){.kind = RK_SAY_HELLO,
                                 .version = RK_PROTOCOL_VERSION,
                                 .threads = 1,
                                 .bytes = MIB,
                                 .program = {id, sizeof id},
                                 .library = {id, sizeof id}},
                    "not the same program");
    must_have_failed(&keys, "another key");
    must_have_failed(&build, "not the same program");
    cluster_hire(&garbage.c, garbage.c.count++);
    pthread_join(garbage.thread, NULL);
    cr_assert_eq(garbage.status, RASK_OK, "%s", garbage.why);
    cluster_end(&garbage.c);
    unlink(path);
    shared_free(stage, sizeof *stage);
}
