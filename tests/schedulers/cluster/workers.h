/* Worker processes of a test: children of it, which see the memory that it shares with them. They are forked when everything
 * that tasks use is there. */
#ifndef RASK_TESTS_SCHEDULERS_CLUSTER_WORKERS_H
#define RASK_TESTS_SCHEDULERS_CLUSTER_WORKERS_H

#include "../support.h"

#include <arpa/inet.h>
#include <rask/cluster.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLUSTER_MOST = 8 };

typedef struct cluster {
    char address[64];
    const char *key_file;     /* NULL: none, and nothing is encrypted, */
    bool own_keys;            /* unless the user's own count */
    pid_t pids[CLUSTER_MOST]; /* 0: nobody */
    uint32_t count, threads;
    uint64_t memory;
} cluster;

/* A socket at the port, shared with who shares it and does not listen yet, or for itself alone; -1: it cannot be had. */
static inline int hold_port(int port, int shared)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &shared, sizeof shared);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static inline bool is_listened_at(int port)
{
    int fd = hold_port(port, 1);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

/* So that no other test finds it, though nobody listens there yet: engines share what they listen at. Held until the test ends. */
static inline bool reserve_port(int port)
{
    int fd = hold_port(port, 0);
    return fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
}

/* A port that nobody else has, nor the one behind it. */
static inline int find_port(void)
{
    static unsigned int turn;
    for (;;) {
        int port = 20000 + (int)(((unsigned)getpid() * 7u + turn++ * 2u) % 10000u);
        if (reserve_port(port) && reserve_port(port + 1))
            return port;
    }
}

/* Another worker, in the place of number `at`. */
static inline void cluster_hire(cluster *c, uint32_t at)
{
    pid_t parent = getpid();
    c->pids[at] = fork();
    cr_assert_geq(c->pids[at], 0);
    if (c->pids[at])
        return;
    char reason[512] = "";
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    o.address = c->address;
    o.key_file = c->key_file;
    o.insecure = !c->key_file && !c->own_keys;
    o.threads = c->threads;
    o.memory = c->memory;
    int status = rask_cluster_worker(&o, reason, sizeof reason);
    if (status)
        fprintf(stderr, "worker: %s\n", reason);
    _exit(status);
}

static inline void cluster_begin(cluster *c, uint32_t count, uint32_t threads_each)
{
    *c = (cluster){.count = count, .threads = threads_each, .memory = 256 << 20};
    snprintf(c->address, sizeof c->address, "tcp://127.0.0.1:%d", find_port());
    for (uint32_t i = 0; i < count; i++)
        cluster_hire(c, i);
}

static inline void cluster_end(cluster *c)
{
    rask_cluster_close();
    for (uint32_t i = 0; i < c->count; i++)
        if (c->pids[i]) {
            kill(c->pids[i], SIGKILL);
            waitpid(c->pids[i], NULL, 0);
        }
}

static inline rask_options on(const cluster *c)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "cluster";
    o.cluster = c->address;
    o.cluster_keys = c->key_file;
    o.cluster_insecure = !c->key_file && !c->own_keys;
    o.workers = 2; /* threads of this process for what runs nowhere else */
    o.memory = 256 << 20;
    o.timeout = 60;
    return o;
}

#endif
