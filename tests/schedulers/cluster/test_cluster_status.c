/* Asking a program that computes on a cluster how things stand. */
#include "workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

typedef struct gate {
    atomic_int waiting;
    atomic_bool open;
} gate;

static gate *door;

static int64_t wait_at_the_door(int64_t i)
{
    atomic_fetch_add(&door->waiting, 1);
    while (!atomic_load(&door->open))
        sleep_ms(1);
    return i;
}
RASK_TASK(wait_at_the_door, i64, i64);

enum { TASKS = 20, BEFORE = 3 };

static int64_t at_once(int64_t i)
{
    return i;
}
RASK_TASK(at_once, i64, i64);

static void *compute(void *context)
{
    const cluster *c = context;
    rask_graph *g = rask_graph_new();
    rask_options o = on(c);
    rask_node *before[BEFORE], *parts[TASKS];
    int64_t sum = -1;
    for (int i = 0; i < BEFORE; i++)
        before[i] = rask_delayed(g, at_once, i);
    for (int i = 0; i < TASKS; i++)
        parts[i] = rask_after(rask_delayed(g, wait_at_the_door, i), before, BEFORE);
    if (rask_compute_with(rask_sum(rask_list(g, parts, TASKS)), &o, &sum))
        sum = -2;
    rask_graph_free(g);
    return (void *)(intptr_t)sum;
}

static rask_worker_options asker(const cluster *c)
{
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    o.address = c->address;
    o.key_file = c->key_file;
    o.insecure = !c->key_file;
    o.patience = 20;
    return o;
}

static void must_tell(const rask_cluster_state *s)
{
    cr_assert_eq(s->worker_count, 2);
    cr_assert_eq(s->run_count, 1);
    cr_assert_eq(strlen(s->program), 40);
    cr_assert_neq(s->workers[0].id, s->workers[1].id);
    uint32_t running = 0;
    uint64_t done = 0;
    for (uint32_t i = 0; i < 2; i++) {
        const rask_cluster_worker_state *w = &s->workers[i];
        cr_assert_eq(w->threads, 1);
        cr_assert_eq(w->memory, 256u << 20);
        cr_assert_leq(w->memory_used, w->memory);
        cr_assert_str_eq(w->host, s->host);
        cr_assert(!w->leaving);
        running += w->running;
        done += w->done;
    }
    const rask_cluster_run_state *r = &s->runs[0];
    cr_assert_eq(r->workers, 2);
    cr_assert_geq(r->tasks, (uint32_t)TASKS + BEFORE);
    cr_assert_eq(r->finished, BEFORE);
    cr_assert_eq(r->finished, done);
    cr_assert_eq(r->failed, 0);
    cr_assert_geq(r->running, 2);
    cr_assert_eq(r->running, running);
    cr_assert_eq(r->finished + r->running + r->queued, r->tasks);
}

/* Who has other keys, or none. */
static void must_be_refused(const cluster *c, const char *key_file, const char *because, const char *keys)
{
    char reason[512] = "";
    rask_cluster_state *state = NULL;
    rask_worker_options o = asker(c);
    o.key_file = key_file;
    o.insecure = !key_file;
    o.patience = 10;
    cr_assert_eq(rask_cluster_ask(&o, &state, reason, sizeof reason), RASK_EINVAL, "%s", reason);
    cr_assert_null(state);
    cr_assert(strstr(reason, because) && strstr(reason, keys), "%s", reason);
}

/* A run stands still, is asked about, and goes on. */
static void ask_a_run(const char *key_file, const char *other_keys)
{
    cluster c;
    pthread_t run;
    void *sum;
    char reason[512] = "";
    rask_cluster_state *state;
    door = shared_calloc(sizeof *door);
    cluster_begin(&c, 0, 1);
    c.key_file = key_file;
    c.count = 2;
    for (uint32_t i = 0; i < 2; i++)
        cluster_hire(&c, i);
    if (key_file)
        setenv("RASK_CLUSTER_KEYS", key_file, 1);
    cr_assert_eq(pthread_create(&run, NULL, compute, &c), 0);
    while (atomic_load(&door->waiting) < 2)
        sleep_ms(1);
    for (int times = 0; times < 3; times++) {
        rask_worker_options o = asker(&c);
        cr_assert_eq(rask_cluster_ask(&o, &state, reason, sizeof reason), RASK_OK, "%s", reason);
        must_tell(state);
        rask_cluster_state_free(state);
    }
    if (key_file) {
        must_be_refused(&c, other_keys, "it has other keys or none", other_keys);
        must_be_refused(&c, NULL, "it has keys", "there are no keys here (insecure)");
    } else {
        must_be_refused(&c, other_keys, "it has other keys or none", other_keys);
    }
    atomic_store(&door->open, true);
    pthread_join(run, &sum);
    cr_assert_eq((intptr_t)sum, TASKS * (TASKS - 1) / 2);
    rask_worker_options o = asker(&c);
    cr_assert_eq(rask_cluster_ask(&o, &state, reason, sizeof reason), RASK_OK, "%s", reason);
    cr_assert_eq(state->run_count, 0, "it is over");
    cr_assert_eq(state->worker_count, 2, "its workers stay");
    cr_assert_eq(state->workers[0].done + state->workers[1].done, TASKS + BEFORE + 2, "with list and sum");
    rask_cluster_state_free(state);
    cluster_end(&c);
    shared_free(door, sizeof *door);
}

static void ask_without_keys(const char *key_file, const char *other_keys)
{
    (void)key_file;
    ask_a_run(NULL, other_keys);
}

static void with_two_key_files(void (*ask)(const char *key_file, const char *other_keys))
{
    char keys[] = "/tmp/rask-test-status-keys-XXXXXX", others[] = "/tmp/rask-test-status-keys-XXXXXX";
    char reason[512] = "";
    int fd = mkstemp(keys);
    close(fd);
    unlink(keys);
    close(mkstemp(others));
    unlink(others);
    cr_assert_eq(rask_cluster_make_keys(keys, reason, sizeof reason), RASK_OK, "%s", reason);
    cr_assert_eq(rask_cluster_make_keys(others, reason, sizeof reason), RASK_OK, "%s", reason);
    ask(keys, others);
    unlink(keys);
    unlink(others);
}

Test(cluster_status, a_run_tells_of_its_workers_and_tasks)
{
    with_two_key_files(ask_without_keys);
}

Test(cluster_status, who_has_the_key_may_ask_and_nobody_else)
{
    with_two_key_files(ask_a_run);
}
Test(cluster_status, what_cannot_be_asked_is_said)
{
    char reason[512] = "";
    rask_cluster_state *state = NULL;
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    char address[64];
    cr_assert_eq(rask_cluster_ask(&o, &state, reason, sizeof reason), RASK_EINVAL);
    cr_assert(strstr(reason, "no address"), "%s", reason);
    o.address = "mpi:";
    cr_assert_eq(rask_cluster_ask(&o, &state, reason, sizeof reason), RASK_EUNSUPPORTED);
    o.insecure = true;
    o.address = "nowhere";
    cr_assert_eq(rask_cluster_ask(&o, &state, reason, sizeof reason), RASK_EINVAL);
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", find_port());
    o.address = address;
    o.patience = 0.1;
    cr_assert_eq(rask_cluster_ask(&o, &state, reason, sizeof reason), RASK_EIO);
    cr_assert(strstr(reason, "no program computes") && strstr(reason, address), "%s", reason);
    cr_assert(strstr(reason, "nobody listens there"), "%s", reason);
    cr_assert_null(state);
    rask_cluster_state_free(NULL);
}

Test(cluster_status, who_listens_and_is_no_program_is_not_taken_for_nobody)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    char reason[512] = "", address[64];
    rask_cluster_state *state = NULL;
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(!bind(fd, (struct sockaddr *)&at, size) && !listen(fd, 8) &&
              !getsockname(fd, (struct sockaddr *)&at, &size));
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
    o.address = address;
    o.insecure = true;
    o.patience = 0.1;
    cr_assert_eq(rask_cluster_ask(&o, &state, reason, sizeof reason), RASK_EIO);
    cr_assert(strstr(reason, "no program computes") && strstr(reason, "says nothing"), "%s", reason);
    close(fd);
}
