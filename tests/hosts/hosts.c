#include "hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- Commands */

static void become(const char *command, int space, int input)
{
    if (setns(space, CLONE_NEWNET) || dup2(input, STDIN_FILENO) < 0)
        _exit(126);
    execlp(command, command, "-batch", "-", (char *)NULL);
    _exit(127);
}

/* Lines for ip or tc, in one of the networks. */
static bool tell(const hosts *h, uint32_t at, const char *command, const char *lines)
{
    int ends[2], how = -1;
    if (pipe2(ends, O_CLOEXEC))
        return false;
    pid_t pid = fork();
    if (!pid)
        become(command, h->spaces[at], ends[0]);
    close(ends[0]);
    bool good = pid > 0 && write(ends[1], lines, strlen(lines)) == (ssize_t)strlen(lines);
    close(ends[1]);
    if (pid > 0)
        waitpid(pid, &how, 0);
    return good && WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

typedef struct script {
    char text[2000];
    size_t len;
} script;

static void add(script *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(s->text + s->len, sizeof s->text - s->len, format, arguments);
    va_end(arguments);
    if (len > 0 && s->len + (size_t)len < sizeof s->text)
        s->len += (size_t)len;
}

/* -- Networks */

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return good;
}

static bool may_make_networks(void)
{
    int how = -1;
    pid_t pid = fork();
    if (!pid)
        _exit(unshare(CLONE_NEWNET) != 0);
    return pid > 0 && waitpid(pid, &how, 0) == pid && how == 0;
}

/* Who may not is root in a user namespace, where that is allowed: before main(), for it takes a process with one thread. */
__attribute__((constructor)) static void become_able(void)
{
    char map[40];
    unsigned user = geteuid(), group = getegid();
    if (may_make_networks() || unshare(CLONE_NEWUSER))
        return;
    snprintf(map, sizeof map, "0 %u 1", user);
    if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/uid_map", map))
        return;
    snprintf(map, sizeof map, "0 %u 1", group);
    write_file("/proc/self/gid_map", map);
}

static bool make_spaces(hosts *h)
{
    for (uint32_t i = 0; i <= h->count; i++) {
        if (unshare(CLONE_NEWNET))
            return false;
        h->spaces[i] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        if (h->spaces[i] < 0)
            return false;
    }
    return hosts_enter(h, HOSTS_SWITCH);
}

static bool lay_cables(const hosts *h)
{
    script s = {.len = 0};
    add(&s, "link add switch type bridge forward_delay 0\nlink set switch up\n");
    for (uint32_t i = 1; i <= h->count; i++)
        add(&s,
            "link add port%u type veth peer name eth0 netns /proc/%d/fd/%d\n"
            "link set port%u master switch up\n",
            i, (int)getpid(), h->spaces[i], i);
    bool good = tell(h, HOSTS_SWITCH, "ip", s.text);
    for (uint32_t i = 1; good && i <= h->count; i++) {
        char address[16];
        s.len = 0;
        add(&s, "link set lo up\naddr add %s/24 dev eth0\nlink set eth0 up\n", hosts_address(i, address));
        good = tell(h, i, "ip", s.text);
    }
    return good;
}

bool hosts_begin(hosts *h, uint32_t count, char *why, size_t capacity)
{
    *h = (hosts){.count = count};
    for (uint32_t i = 0; i <= HOSTS_MOST; i++)
        h->spaces[i] = -1;
    if (!make_spaces(h))
        snprintf(why, capacity, "no networks of its own: %s", strerror(errno));
    else if (!lay_cables(h))
        snprintf(why, capacity, "no bridge with virtual cables, or no ip(8) to make them (iproute2)");
    else
        return true;
    hosts_end(h);
    return false;
}

void hosts_end(hosts *h)
{
    for (uint32_t i = 0; i <= h->count; i++)
        if (h->spaces[i] >= 0)
            close(h->spaces[i]);
}

bool hosts_enter(const hosts *h, uint32_t host)
{
    return !setns(h->spaces[host], CLONE_NEWNET);
}

const char *hosts_address(uint32_t host, char text[16])
{
    snprintf(text, 16, "10.77.0.%u", host % 250);
    return text;
}

/* -- What may happen to them */

bool hosts_plug(const hosts *h, uint32_t host, bool in)
{
    script s = {.len = 0};
    add(&s, in ? "link set port%u master switch\n" : "link set port%u nomaster\n", host);
    return tell(h, HOSTS_SWITCH, "ip", s.text);
}

bool hosts_part(const hosts *h, uint32_t from, uint32_t to)
{
    char address[16];
    script s = {.len = 0};
    add(&s, "route add blackhole %s/32\n", hosts_address(to, address));
    return tell(h, from, "ip", s.text);
}

const char *hosts_slow(const hosts *h, uint32_t host)
{
    static const char *const ways[][2] = {
        {"netem: 20 ms, 20 Mbit/s", "qdisc add dev eth0 root netem delay 20ms rate 20mbit\n"},
        {"tbf: 20 Mbit/s", "qdisc add dev eth0 root tbf rate 20mbit burst 64kb latency 2s\n"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (tell(h, host, "tc", ways[i][1]))
            return ways[i][0];
    return NULL;
}
