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
    const flow_ward *ward;
    int report; /* where it says why it did not become the command */
} launch;

typedef enum stage { BEFORE_WARDEN, AT_WARDEN, AFTER_WARDEN } stage;

typedef struct failure {
    int wrong; /* an errno; 0: none */
    stage at;
} failure;

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

static bool prepare(const launch *l)
{
    enum { NEW = O_WRONLY | O_CREAT | O_TRUNC };
    return !setpgid(0, 0) && redirect(STDIN_FILENO, "/dev/null", O_RDONLY) &&
           redirect(STDOUT_FILENO, l->out, NEW) && redirect(STDERR_FILENO, l->err, NEW) &&
           (!l->folder || !chdir(l->folder));
}

/* The child, in a process group of its own, so that all it starts can be ended. It may be in its parent's memory, and does only what
 * signal handlers may do. */
static _Noreturn void become(const launch *l)
{
    failure why = {.at = BEFORE_WARDEN};
    if (prepare(l)) {
        why.at = AT_WARDEN;
        if (flow_warden_add(l->ward, getpid())) {
            why.at = AFTER_WARDEN;
            forget_signals();
            execvp(l->arguments[0], l->arguments);
        }
    }
    why.wrong = errno;
    ssize_t written = write(l->report, &why, sizeof why);
    _exit(written == sizeof why ? 127 : 126);
}

/* The child has become the command, or has said why not and ends. */
static failure hear_report(int report)
{
    failure why;
    ssize_t got;
    do
        got = read(report, &why, sizeof why);
    while (got < 0 && errno == EINTR);
    return got == sizeof why ? why : (failure){.at = AFTER_WARDEN};
}

/* The warden knows of those that run. */
static void note(const failure *why, flow_ward *ward, pid_t child)
{
    if (why->at == AFTER_WARDEN)
        flow_warden_keep(ward, child);
    if (!why->wrong)
        return;
    if (why->at == AFTER_WARDEN)
        flow_warden_remove(ward);
    if (why->at == AT_WARDEN)
        flow_warden_lost(ward);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
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

/* Of what and where l says; the rest is filled in. */
static failure start_once(launch *l, flow_ward *ward)
{
    int report[2];
    pid_t child;
    failure why = {flow_warden_begin(ward), BEFORE_WARDEN};
    if (why.wrong)
        return why;
    if (pipe2(report, O_CLOEXEC))
        return (failure){errno, BEFORE_WARDEN};
    l->ward = ward;
    l->report = report[1];
    why.wrong = launch_child(l, &child);
    close(report[1]);
    if (!why.wrong) {
        why = hear_report(report[0]);
        note(&why, ward, child);
    }
    close(report[0]);
    return why;
}

/* 0, and ward->group is the command; or an errno. A warden that somebody killed is no reason for a command to fail. */
static int start(const flow_task *what, const char *folder, const char *out, const char *err, flow_ward *ward)
{
    const char *shell[] = {"/bin/sh", "-c", what->shell, NULL};
    launch l = {.folder = folder, .out = out, .err = err};
    l.arguments = (char *const *)(what->shell ? shell : what->arguments);
    failure why = start_once(&l, ward);
    if (why.wrong && why.at == AT_WARDEN)
        why = start_once(&l, ward);
    return why.wrong;
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
static int await(rask_task *task, flow_ward *ward, bool *stopped)
{
    pid_t child = ward->group;
    int how = 0;
    long look = LEAST_LOOK_MS, asked = -1;
    while (!has_ended(child)) {
        if (asked < 0 && rask_task_cancelled(task)) {
            kill(-child, SIGTERM);
            asked = 0;
        }
        if (asked >= GRACE_MS)
            kill(-child, SIGKILL);
        flow_warden_look();
        pause_ms(look);
        asked += asked >= 0 ? look : 0;
        look = look < MOST_LOOK_MS ? look + LEAST_LOOK_MS : MOST_LOOK_MS;
    }
    *stopped = asked >= 0;
    if (*stopped)
        kill(-child, SIGKILL); /* what is left of the group */
    flow_warden_remove(ward);
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
    flow_ward ward;
    bool stopped;
    int wrong = start(what, folder, out, err, &ward);
    if (wrong)
        return fail_to_start(task, what, wrong);
    int how = await(task, &ward, &stopped);
    if (stopped)
        return rask_fail(task, RASK_ECANCELLED, "it was stopped");
    return WIFEXITED(how) && WEXITSTATUS(how) == 0 ? RASK_OK : fail(task, how, out, err);
}

static double read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int flow_command_simulate(rask_task *task, double seconds, bool spins)
{
    clockid_t clock = spins ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    double end = read_clock(clock) + seconds, left = seconds;
    while (left > 0) {
        if (rask_task_cancelled(task))
            return rask_fail(task, RASK_ECANCELLED, "it was stopped");
        if (!spins)
            pause_ms(left < 0.02 ? (long)(left * 1000) + 1 : MOST_LOOK_MS);
        left = end - read_clock(clock);
    }
    return RASK_OK;
}
