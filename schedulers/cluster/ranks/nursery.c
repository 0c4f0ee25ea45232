#include "schedulers/cluster/ranks/nursery.h"

#include <rask/base.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#    include <sys/prctl.h>
#endif

enum { REST_MS = 20 }; /* between a child and its successor */

/* -- A socket in a message */

typedef union control {
    struct cmsghdr head; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int))];
} control;

static bool send_socket(int line, int fd)
{
    control room = {0};
    char word = 'c';
    struct iovec part = {&word, 1};
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes};
    struct cmsghdr *head = CMSG_FIRSTHDR(&m);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    return sendmsg(line, &m, MSG_NOSIGNAL) == 1;
}

int rk_nursery_next(const rk_nursery *nursery, bool wait, bool *over)
{
    control room = {0};
    char word;
    int fd = -1;
    struct iovec part = {&word, 1};
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes};
    ssize_t got = recvmsg(nursery->line, &m, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    *over = got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
    struct cmsghdr *head = got > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (head && head->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

/* -- The nursery's process */

/* Ends with the process that made it. */
static void hang_on(pid_t parent)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent)
        _exit(1);
}

/* What ends a rank ends its nursery. */
static void set_signals(void (*what)(int))
{
    signal(SIGINT, what);
    signal(SIGTERM, what);
}

/* One child, from its birth to its death. False: none is to be had. */
static bool raise_child(int line, void (*live)(int fd))
{
    int ends[2];
    pid_t own = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return false;
    pid_t child = fork();
    if (child == 0) {
        hang_on(own);
        set_signals(SIG_DFL);
        close(line);
        close(ends[0]);
        live(ends[1]);
        _exit(1);
    }
    bool told = child > 0 && send_socket(line, ends[0]);
    close(ends[0]);
    close(ends[1]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    return told;
}

static void tend(int line, void (*live)(int fd))
{
    struct pollfd rest = {.fd = line, .events = POLLIN};
    char word;
    bool any = read(line, &word, 1) == 1;
    while (any && raise_child(line, live))
        any = poll(&rest, 1, REST_MS) == 0; /* it is told nothing more: the rank has hung up */
    _exit(0);
}

/* -- The rank's side */

int rk_nursery_open(rk_nursery *nursery, void (*live)(int fd))
{
    int ends[2];
    pid_t own = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return RASK_ESYSTEM;
    fflush(NULL); /* what was printed before is printed once */
    pid_t pid = fork();
    if (pid == 0) {
        hang_on(own);
        set_signals(SIG_IGN);
        close(ends[0]);
        tend(ends[1], live);
    }
    close(ends[1]);
    if (pid < 0)
        close(ends[0]);
    else
        *nursery = (rk_nursery){pid, ends[0]};
    return pid < 0 ? RASK_ESYSTEM : RASK_OK;
}

void rk_nursery_begin(const rk_nursery *nursery)
{
    ssize_t written = send(nursery->line, "b", 1, MSG_NOSIGNAL);
    (void)written;
}

void rk_nursery_close(rk_nursery *nursery)
{
    if (nursery->line < 0)
        return;
    kill(nursery->pid, SIGKILL);
    while (waitpid(nursery->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    close(nursery->line);
    nursery->line = -1;
}
