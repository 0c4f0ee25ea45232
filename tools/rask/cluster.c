/* Workers of this machine, each a child that has a successor when it crashes; and keys. */
#include "cluster.h"
#include "cluster_status.h"
#include "commands.h"
#include "say.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __linux__
#    include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WORKERS_MOST = 1024,
    RESTART_MS = 100,
    LOOK_MS = 1000, /* for children, though no signal told of them */
    DISMISS_S = 15  /* longer than a worker takes that leaves */
};

typedef struct cluster_options {
    worker_fields worker;
    uint64_t workers;
    const char *listen;
    bool json;
} cluster_options;

static const option_row rows[] = {
    {.name = "workers",
     .letter = 'n',
     .kind = OPTION_NUMBER,
     .offset = offsetof(cluster_options, workers),
     .value = "N",
     .help = "start: how many (default: the cores there are)",
     .least = 1,
     .most = WORKERS_MOST},
    {.name = "listen",
     .kind = OPTION_TEXT,
     .offset = offsetof(cluster_options, listen),
     .value = "ADDRESS",
     .help = "start: the same as ADDRESS (default tcp://127.0.0.1:7077)",
     .environment = "RASK_CLUSTER"},
    WORKER_ROWS(cluster_options, "tasks at once of each worker (default: 1)",
                "memory of each worker (default: 60 % of what is available, shared out)"),
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(cluster_options, json),
     .help = "status: print JSON"},
};

/* What is heard, by waiting for it and no other way, so that none is missed between two looks; a worker that is not listening yet
 * just ends. */
typedef struct signals {
    sigset_t ends, all; /* all: of children, too */
    sigset_t before;
} signals;

static void hear_signals(signals *s)
{
    struct sigaction action = {.sa_handler = SIG_DFL}, hangup;
    sigaction(SIGCHLD, &action, NULL); /* where it is ignored children leave no word */
    sigemptyset(&s->ends);
    sigaddset(&s->ends, SIGTERM);
    sigaddset(&s->ends, SIGINT);
    if (!sigaction(SIGHUP, NULL, &hangup) &&
        hangup.sa_handler != SIG_IGN) /* nohup: it is to outlive its terminal */
        sigaddset(&s->ends, SIGHUP);
    s->all = s->ends;
    sigaddset(&s->all, SIGCHLD);
    sigprocmask(SIG_BLOCK, &s->all, &s->before);
}

/* 0: none came in that time. */
static int wait_for_signal(const sigset_t *set, int milliseconds)
{
    const struct timespec most = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    int number = sigtimedwait(set, NULL, &most);
    return number > 0 ? number : 0;
}

/* In a group of its own: what a terminal tells is heard by who started it, and told once. It does not outlive that. The first, and
 * whoever takes its place, says for all that they wait. */
static void be_worker(const tool_command *c, const cluster_options *o, const signals *s, pid_t starter,
                      bool is_first)
{
    worker_fields fields = o->worker;
    fields.quiet = !is_first;
    setpgid(0, 0);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody is left who would see to it that it leaves */
#endif
    sigprocmask(SIG_UNBLOCK, &s->all, NULL);
    if (getppid() == starter)
        _exit(cluster_work(c->name, o->listen, &fields));
    _exit(EXIT_FAILED);
}

/* 0: no process is to be had. */
static pid_t hire(const tool_command *c, const cluster_options *o, const signals *s, bool is_first)
{
    pid_t starter = getpid(), pid = fork();
    if (pid == 0)
        be_worker(c, o, s, starter, is_first);
    if (pid < 0)
        say_error(c->name, "a worker cannot be started: %s", strerror(errno));
    return pid < 0 ? 0 : pid;
}

static size_t find_worker(const pid_t *pids, uint64_t count, pid_t pid)
{
    size_t at = 0;
    while (at < count && pids[at] != pid)
        at++;
    return at;
}

/* One that ended: by a signal, then it has a successor; or it could not work at all, which ends them all. */
static int replace(const tool_command *c, const cluster_options *o, const signals *s, pid_t *place, int how,
                   bool is_first)
{
    pid_t pid = *place;
    *place = 0;
    if (WIFEXITED(how) && WEXITSTATUS(how) != EXIT_DONE)
        return WEXITSTATUS(how);
    if (WIFSIGNALED(how))
        say_error(c->name, "worker %d was ended by signal %d; another takes its place", (int)pid,
                  WTERMSIG(how));
    if (wait_for_signal(&s->ends, RESTART_MS)) {
        raise(SIGTERM); /* for who watches: it waits, as all that is heard */
        return EXIT_DONE;
    }
    *place = hire(c, o, s, is_first);
    return *place ? EXIT_DONE : EXIT_FAILED;
}

static int watch(const tool_command *c, const cluster_options *o, const signals *s, pid_t *pids)
{
    int how, outcome = EXIT_DONE;
    while (outcome == EXIT_DONE) {
        int number = wait_for_signal(&s->all, LOOK_MS);
        if (number && number != SIGCHLD)
            return EXIT_DONE;
        for (pid_t pid; outcome == EXIT_DONE && (pid = waitpid(-1, &how, WNOHANG)) > 0;) {
            size_t at = find_worker(pids, o->workers, pid);
            if (at < o->workers)
                outcome = replace(c, o, s, &pids[at], how, at == 0);
        }
    }
    return outcome;
}

static bool is_anybody_there(const cluster_options *o, pid_t *pids)
{
    bool any = false;
    for (uint64_t i = 0; i < o->workers; i++) {
        if (pids[i] && waitpid(pids[i], NULL, WNOHANG))
            pids[i] = 0;
        any |= pids[i] != 0;
    }
    return any;
}

static void tell_all(const cluster_options *o, const pid_t *pids, int number)
{
    for (uint64_t i = 0; i < o->workers; i++)
        if (pids[i])
            kill(pids[i], number);
}

/* They have the time that leaving takes, or do not take it when that is told once more. */
static void dismiss(const cluster_options *o, pid_t *pids, const signals *s)
{
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += DISMISS_S;
    tell_all(o, pids, SIGTERM);
    while (is_anybody_there(o, pids)) {
        int number = wait_for_signal(&s->all, RESTART_MS);
        if (number && number != SIGCHLD)
            tell_all(o, pids, SIGTERM);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= end.tv_sec)
            tell_all(o, pids, SIGKILL);
    }
    sigprocmask(SIG_SETMASK, &s->before, NULL);
}

/* Seen by children, too; NULL: each speaks for itself. */
static atomic_flag *share_flag(void)
{
    void *at = mmap(NULL, sizeof(atomic_flag), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static int start(const tool_command *c, cluster_options *o)
{
    pid_t pids[WORKERS_MOST] = {0};
    signals s;
    int outcome = EXIT_DONE;
    if (!o->workers)
        o->workers = rask_default_workers();
    if (!o->worker.threads)
        o->worker.threads = 1;
    if (!o->worker.memory)
        o->worker.memory = rask_default_memory() / o->workers;
    if (!o->worker.patience)
        o->worker.patience = HUGE_VAL; /* and whoever else comes, with another key */
    o->worker.said = share_flag();
    hear_signals(&s);
    for (uint64_t i = 0; i < o->workers && outcome == EXIT_DONE; i++)
        if (!(pids[i] = hire(c, o, &s, i == 0)))
            outcome = EXIT_FAILED;
    if (outcome == EXIT_DONE)
        outcome = watch(c, o, &s, pids);
    dismiss(o, pids, &s);
    return outcome;
}

static int make_keys(const tool_command *c, int argc, char **argv)
{
    char reason[512] = "";
    if (argc != 1) {
        say_error(c->name, "keys: one file is needed");
        return EXIT_USAGE;
    }
    int status = rask_cluster_make_keys(argv[0], reason, sizeof reason);
    if (!status)
        return EXIT_DONE;
    say_error(c->name, "%s", *reason ? reason : rask_status_text(status));
    return EXIT_FAILED;
}

static int run(const tool_command *c, int argc, char **argv)
{
    cluster_options o = {.listen = "tcp://127.0.0.1:7077"};
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (first < argc && !strcmp(argv[first], "keys"))
        return make_keys(c, argc - first - 1, argv + first + 1);
    if (first + 1 < argc)
        o.listen = argv[first + 1];
    if (first < argc && argc - first <= 2 && !strcmp(argv[first], "start"))
        return start(c, &o);
    if (first < argc && argc - first <= 2 && !strcmp(argv[first], "status"))
        return cluster_status(c->name, o.listen, &o.worker, o.json);
    say_error(c->name, "start [ADDRESS], keys FILE or status [ADDRESS] is needed");
    return EXIT_USAGE;
}

static const char *const words[] = {"start", "keys", "status", NULL};

const tool_command cluster_command = {
    .name = "cluster",
    .summary = "workers of this machine, keys, and how things stand",
    .arguments = "[OPTION]… start [ADDRESS] | keys FILE | status [ADDRESS]",
    .text = "start: keeps N workers of this machine that run tasks for whatever rask computes with\n"
            "--cluster ADDRESS, until it is told to end. One that crashes has a\n"
            "successor. keys: makes a key FILE; whoever has a copy belongs to the cluster. Keys that\n"
            "are not named are the user's own: who has the same home belongs to the same cluster.\n"
            "status: asks the program that computes at ADDRESS for its workers and runs; there is\n"
            "nobody to ask while none does.\n",
    .example = "rask cluster start --workers 4 --key-file ~/.rask-keys\n",
    .words = words,
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
