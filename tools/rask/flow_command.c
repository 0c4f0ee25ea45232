#include "flow_command.h"

#include "flow_warden.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    LAST_LINES = 6,
    LAST_BYTES = 600,
    LEAST_LOOK_MS = 1, /* between two looks whether it has ended: longer and longer, */
    MOST_LOOK_MS = 20,
    GRACE_MS = 2000, /* between asking and making it end */
};

/* -- Starting */

/* A copy of this process's memory would be dear where that holds large results. */
#ifdef __linux__
#    define FORK_TO_EXEC vfork
#else
#    define FORK_TO_EXEC fork
#endif

/* What the child needs, made ready before there is one. */
typedef struct launch {
    const char *folder, *out, *err;
    char *const *arguments;
    int line;   /* to the warden */
    int report; /* where it says why it did not become the command */
} launch;

static bool redirect(int to, const char *path, int how)
{
    int fd = open(path, how, 0666);
    return fd == to || (fd >= 0 && dup2(fd, to) == to && !close(fd));
}

/* Nothing that is ignored or blocked here is in the command. */
static void forget_signals(void)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &usual, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The child, in a process group of its own, so that all it starts can be ended. It may be in its parent's memory, and does only what
 * signal handlers may do. */
static _Noreturn void become(const launch *l)
{
    enum { NEW = O_WRONLY | O_CREAT | O_TRUNC };
    if (!setpgid(0, 0) && redirect(STDIN_FILENO, "/dev/null", O_RDONLY) &&
        redirect(STDOUT_FILENO, l->out, NEW) && redirect(STDERR_FILENO, l->err, NEW) &&
        (!l->folder || !chdir(l->folder)) && flow_warden_add(l->line, getpid())) {
        forget_signals();
        execvp(l->arguments[0], l->arguments);
    }
    int wrong = errno;
    ssize_t written = write(l->report, &wrong, sizeof wrong);
    _exit(written == sizeof wrong ? 127 : 126);
}

/* *child has become the command, or has ended and said why. */
static int hear_report(int report, pid_t child)
{
    int wrong = 0;
    if (read(report, &wrong, sizeof wrong) != sizeof wrong)
        return 0;
    flow_warden_remove(child);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return wrong;
}

/* No handler of this process runs in the child. */
static int launch_child(const launch *l, pid_t *child)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = FORK_TO_EXEC(); // NOLINT(clang-analyzer-security.insecureAPI.vfork)
    if (!pid)
        become(l); // NOLINT(clang-analyzer-unix.Vfork): nothing else
    int wrong = pid < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *child = pid;
    return wrong;
}

/* 0, or an errno. */
static int start(const flow_task *what, const char *folder, const char *out, const char *err, pid_t *child)
{
    const char *shell[] = {"/bin/sh", "-c", what->shell, NULL};
    char *const *arguments = (char *const *)(what->shell ? shell : what->arguments);
    int report[2], line = flow_warden_line();
    *child = 0;
    if (line < 0 || pipe2(report, O_CLOEXEC))
        return errno;
    const launch l = {folder, out, err, arguments, line, report[1]};
    int wrong = launch_child(&l, child);
    close(report[1]);
    if (!wrong)
        wrong = hear_report(report[0], *child);
    close(report[0]);
    return wrong;
}

/* -- Waiting */

static void pause_ms(long ms)
{
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&rest, NULL);
}

/* It stays the group's leader until somebody asks how. */
static bool has_ended(pid_t child)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid;
}

/* How it ended; *stopped: because it was to. */
static int await(rask_task *task, pid_t child, bool *stopped)
{
    int how = 0;
    long look = LEAST_LOOK_MS, asked = -1;
    while (!has_ended(child)) {
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
    flow_warden_remove(child);
    waitpid(child, &how, 0);
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

int flow_command_not_noted(rask_task *task, const char *folder)
{
    char message[400], tried[FLOW_ATTEMPTS];
    const char *reason = strerror(errno);
    flow_command_say_attempts(task, tried);
    snprintf(message, sizeof message, "%scannot be noted as done in %.200s: %s", tried, folder, reason);
    return rask_fail(task, RASK_EIO, message);
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
