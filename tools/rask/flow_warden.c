/* The warden is a shell with few lines to run: a fork of this process would hold on to its memory and its connections.
 *
 * PR_SET_PDEATHSIG would be less, and do less: it tells the command alone, not what that started; it is sent when the thread
 * ends that made the child; and only Linux has it. */
#include "flow_warden.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* However often a group is named, it is there once it is added and gone once it is removed. */
static const char script[] =
    "groups=\n"
    "while read -r what group; do\n"
    "    case $what in\n"
    "    +) groups=\"$groups $group\" ;;\n"
    "    -)\n"
    "        left=\n"
    "        for one in $groups; do [ \"$one\" = \"$group\" ] || left=\"$left $one\"; done\n"
    "        groups=$left\n"
    "        ;;\n"
    "    esac\n"
    "done\n"
    "for group in $groups; do kill -s KILL -- \"-$group\"; done\n";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The number of every line to come: who starts a command uses it outside of the lock, and it must never be another file's. */
static int line = -1;
static unsigned number; /* of the warden at its other end */
static pid_t warden;
static bool gone = true; /* it does not hear any more, or was never there */
static flow_ward *wards;
static pid_t owner; /* a forked process has a warden of its own */

/* What a terminal tells, and who listens to this process, is not for the warden. 0, or an errno. */
static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *how, int end)
{
    int wrong = posix_spawn_file_actions_adddup2(actions, end, STDIN_FILENO);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO && !wrong; fd++)
        wrong = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_setpgroup(how, 0);
    posix_spawnattr_setflags(how, POSIX_SPAWN_SETPGROUP);
    return wrong;
}

static int start(int end)
{
    static char *const arguments[] = {"/bin/sh", "-c", (char *)script, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t how;
    pid_t pid;
    int wrong = posix_spawn_file_actions_init(&actions);
    if (wrong)
        return wrong;
    wrong = posix_spawnattr_init(&how);
    if (!wrong) {
        wrong = prepare(&actions, &how, end);
        wrong = wrong ? wrong : posix_spawn(&pid, arguments[0], &actions, &how, arguments, environ);
        posix_spawnattr_destroy(&how);
    }
    posix_spawn_file_actions_destroy(&actions);
    warden = wrong ? 0 : pid;
    return wrong;
}

/* One that hears no more is not to take the end of its line for this process's. */
static void bury(void)
{
    if (warden && waitpid(warden, NULL, WNOHANG) == 0) {
        kill(warden, SIGKILL);
        while (waitpid(warden, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    warden = 0;
}

static int open_line(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return errno;
    int wrong = start(ends[1]);
    close(ends[1]);
    if (!wrong && line < 0) {
        line = ends[0];
        return 0;
    }
    if (!wrong && dup3(ends[0], line, O_CLOEXEC) < 0)
        wrong = errno;
    close(ends[0]);
    return wrong;
}

/* " 123\n", without functions that signal handlers may not call. */
static bool say(int to, char what, pid_t group)
{
    char word[32];
    size_t at = sizeof word;
    ssize_t sent;
    word[--at] = '\n';
    for (; group; group /= 10)
        word[--at] = (char)('0' + group % 10);
    word[--at] = ' ';
    word[--at] = what;
    do
        sent = send(to, word + at, sizeof word - at, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)(sizeof word - at);
}

/* Under the lock. */
static void tell(char what, pid_t group)
{
    gone = gone || !say(line, what, group);
}

/* Under the lock. */
static int replace(void)
{
    bury();
    int wrong = open_line();
    if (wrong)
        return wrong;
    number++;
    gone = false;
    for (const flow_ward *ward = wards; ward; ward = ward->next)
        tell('+', ward->group);
    return 0;
}

/* What the parent had. */
static void disown(void)
{
    owner = getpid();
    warden = 0;
    wards = NULL;
    gone = true;
}

int flow_warden_begin(flow_ward *ward)
{
    int wrong = 0;
    pthread_mutex_lock(&lock);
    if (owner != getpid())
        disown();
    if (gone)
        wrong = replace();
    *ward = (flow_ward){.line = line, .warden = number};
    pthread_mutex_unlock(&lock);
    return wrong;
}

bool flow_warden_add(const flow_ward *ward, pid_t group)
{
    return say(ward->line, '+', group);
}

/* It may have told a warden that has a successor by now. */
void flow_warden_keep(flow_ward *ward, pid_t group)
{
    pthread_mutex_lock(&lock);
    ward->group = group;
    ward->next = wards;
    wards = ward;
    if (ward->warden != number)
        tell('+', group);
    pthread_mutex_unlock(&lock);
}

/* Under the lock. */
static bool has_died(void)
{
    pid_t ended = warden ? waitpid(warden, NULL, WNOHANG) : 0;
    bool died = ended > 0 || (ended < 0 && errno == ECHILD);
    if (died)
        warden = 0;
    return died;
}

void flow_warden_look(void)
{
    pthread_mutex_lock(&lock);
    gone = gone || has_died();
    if (gone)
        replace();
    pthread_mutex_unlock(&lock);
}

void flow_warden_remove(flow_ward *ward)
{
    pthread_mutex_lock(&lock);
    flow_ward **at = &wards;
    while (*at != ward)
        at = &(*at)->next;
    *at = ward->next;
    tell('-', ward->group);
    pthread_mutex_unlock(&lock);
}

void flow_warden_lost(const flow_ward *ward)
{
    pthread_mutex_lock(&lock);
    gone = gone || ward->warden == number;
    pthread_mutex_unlock(&lock);
}
