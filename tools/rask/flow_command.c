#include "flow_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
    LAST_LINES = 6,
    LAST_BYTES = 600,
    LEAST_LOOK_MS = 1, /* between two looks whether it has ended: longer and longer, */
    MOST_LOOK_MS = 20,
    GRACE_MS = 2000, /* between asking and making it end */
};

/* -- Starting */

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *how, const char *folder,
                   const char *out, const char *err)
{
    enum { NEW = O_WRONLY | O_CREAT | O_TRUNC };
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int wrong = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    wrong = wrong ? wrong : posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, out, NEW, 0666);
    wrong = wrong ? wrong : posix_spawn_file_actions_addopen(actions, STDERR_FILENO, err, NEW, 0666);
    if (folder)
        wrong = wrong ? wrong : posix_spawn_file_actions_addchdir_np(actions, folder);
    posix_spawnattr_setpgroup(how, 0);
    posix_spawnattr_setsigmask(how, &none);
    posix_spawnattr_setsigdefault(how, &all);
    posix_spawnattr_setflags(how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return wrong;
}

/* In a process group of its own, so that all it starts can be ended. 0, or an errno. */
static int start(const flow_task *what, const char *folder, const char *out, const char *err, pid_t *child)
{
    const char *shell[] = {"/bin/sh", "-c", what->shell, NULL};
    char *const *arguments = (char *const *)(what->shell ? shell : what->arguments);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t how;
    int wrong = posix_spawn_file_actions_init(&actions);
    if (wrong)
        return wrong;
    wrong = posix_spawnattr_init(&how);
    if (!wrong) {
        wrong = prepare(&actions, &how, folder, out, err);
        if (!wrong)
            wrong = posix_spawnp(child, arguments[0], &actions, &how, arguments, environ);
        posix_spawnattr_destroy(&how);
    }
    posix_spawn_file_actions_destroy(&actions);
    return wrong;
}

/* -- Waiting */

static void pause_ms(long ms)
{
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&rest, NULL);
}

/* How it ended; *stopped: because it was to. */
static int await(rask_task *task, pid_t child, bool *stopped)
{
    int how = 0;
    long look = LEAST_LOOK_MS, asked = -1;
    while (waitpid(child, &how, WNOHANG) == 0) {
        if (asked < 0 && rask_task_cancelled(task)) {
            kill(-child, SIGTERM);
            asked = 0;
        }
        if (asked >= GRACE_MS)
            kill(-child, SIGKILL);
        pause_ms(look);
        asked += asked >= 0 ? look : 0;
        look = look < MOST_LOOK_MS ? look + LEAST_LOOK_MS : MOST_LOOK_MS;
    }
    *stopped = asked >= 0;
    if (*stopped)
        kill(-child, SIGKILL); /* what is left of the group */
    return how;
}

/* -- Failures */

/* The end of a file, in text: at most LAST_LINES of LAST_BYTES. "" when there is nothing. */
static void read_end(const char *path, char text[LAST_BYTES + 1])
{
    FILE *file = fopen(path, "re");
    long from = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) - LAST_BYTES : 0;
    size_t len = 0;
    if (file && fseek(file, from > 0 ? from : 0, SEEK_SET) == 0)
        len = fread(text, 1, LAST_BYTES, file);
    if (file)
        fclose(file);
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    text[len] = 0;
    size_t begin = len;
    for (int lines = 0; begin && (text[begin - 1] != '\n' || ++lines < LAST_LINES);)
        begin--;
    memmove(text, text + begin, len - begin + 1);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t')
            *c = '?';
}

void flow_command_say_attempts(const rask_task *task, char text[FLOW_ATTEMPTS])
{
    uint32_t before = rask_task_attempt(task);
    text[0] = 0;
    if (before)
        snprintf(text, FLOW_ATTEMPTS, "tried %u times, the last: ", before + 1);
}

static int fail(rask_task *task, int how, const char *out, const char *err)
{
    char message[FLOW_ATTEMPTS + LAST_BYTES + 200], last[LAST_BYTES + 1], tried[FLOW_ATTEMPTS];
    flow_command_say_attempts(task, tried);
    read_end(err, last);
    if (!*last)
        read_end(out, last);
    if (WIFSIGNALED(how))
        snprintf(message, sizeof message, "%sended by signal %d (%s)%s%s", tried, WTERMSIG(how),
                 strsignal(WTERMSIG(how)), *last ? ":\n" : "", last);
    else
        snprintf(message, sizeof message, "%sexit status %d%s%s", tried, WEXITSTATUS(how), *last ? ":\n" : "",
                 last);
    return rask_fail(task, RASK_ETASK, message);
}

static int fail_to_start(rask_task *task, const flow_task *what, int wrong)
{
    char message[400], tried[FLOW_ATTEMPTS];
    flow_command_say_attempts(task, tried);
    snprintf(message, sizeof message, "%s%.200s: cannot be started: %s", tried,
             what->shell ? "/bin/sh" : what->arguments[0], strerror(wrong));
    return rask_fail(task, RASK_ESYSTEM, message);
}

int flow_command_run(rask_task *task, const flow_task *what, const char *folder, const char *out,
                     const char *err)
{
    pid_t child;
    bool stopped;
    int wrong = start(what, folder, out, err, &child);
    if (wrong)
        return fail_to_start(task, what, wrong);
    int how = await(task, child, &stopped);
    if (stopped)
        return rask_fail(task, RASK_ECANCELLED, "it was stopped");
    return WIFEXITED(how) && WEXITSTATUS(how) == 0 ? RASK_OK : fail(task, how, out, err);
}

int flow_command_sleep(rask_task *task, double seconds)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double end = (double)now.tv_sec + (double)now.tv_nsec / 1e9 + seconds, left = seconds;
    while (left > 0) {
        if (rask_task_cancelled(task))
            return rask_fail(task, RASK_ECANCELLED, "it was stopped");
        pause_ms(left < 0.02 ? (long)(left * 1000) + 1 : MOST_LOOK_MS);
        clock_gettime(CLOCK_MONOTONIC, &now);
        left = end - (double)now.tv_sec - (double)now.tv_nsec / 1e9;
    }
    return RASK_OK;
}
