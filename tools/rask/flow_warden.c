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
#include <unistd.h>

extern char **environ;

/* Groups stand between blanks. */
static const char script[] = "groups=' '\n"
                             "while read -r what group; do\n"
                             "    case $what in\n"
                             "    +) groups=\"$groups$group \" ;;\n"
                             "    -) groups=\"${groups%% $group *} ${groups#* $group }\" ;;\n"
                             "    esac\n"
                             "done\n"
                             "for group in $groups; do kill -s KILL -- \"-$group\"; done\n";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int line = -1;
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
    pid_t warden;
    int wrong = posix_spawn_file_actions_init(&actions);
    if (wrong)
        return wrong;
    wrong = posix_spawnattr_init(&how);
    if (!wrong) {
        wrong = prepare(&actions, &how, end);
        wrong = wrong ? wrong : posix_spawn(&warden, arguments[0], &actions, &how, arguments, environ);
        posix_spawnattr_destroy(&how);
    }
    posix_spawn_file_actions_destroy(&actions);
    return wrong;
}

/* Under the lock. */
static int open_line(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return errno;
    int wrong = start(ends[1]);
    close(ends[1]);
    if (wrong)
        close(ends[0]);
    else
        line = ends[0];
    return wrong;
}

int flow_warden_line(void)
{
    int wrong = 0;
    pthread_mutex_lock(&lock);
    if (line >= 0 && owner != getpid()) { /* the parent's */
        close(line);
        line = -1;
    }
    owner = getpid();
    if (line < 0)
        wrong = open_line();
    int its = line;
    pthread_mutex_unlock(&lock);
    errno = wrong;
    return its;
}

/* " 123\n", without functions that signal handlers may not call. */
static bool say(int to, char what, pid_t group)
{
    char word[32];
    size_t at = sizeof word;
    word[--at] = '\n';
    for (; group; group /= 10)
        word[--at] = (char)('0' + group % 10);
    word[--at] = ' ';
    word[--at] = what;
    return send(to, word + at, sizeof word - at, MSG_NOSIGNAL) == (ssize_t)(sizeof word - at);
}

bool flow_warden_add(int to, pid_t group)
{
    return say(to, '+', group);
}

/* One that is gone has a successor with the next command. */
void flow_warden_remove(pid_t group)
{
    pthread_mutex_lock(&lock);
    if (line >= 0 && !say(line, '-', group)) {
        close(line);
        line = -1;
    }
    pthread_mutex_unlock(&lock);
}
