/* Workers of this machine, each a child that has a successor when it crashes; and keys. */
#include "cluster.h"
#include "commands.h"
#include "say.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS_MOST = 1024, RESTART_MS = 100 };

#define FOR_GOOD 1e9 /* seconds */

typedef struct cluster_options {
    worker_fields worker;
    uint64_t workers;
    const char *listen;
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
     .help = "start: of the programs that compute (default tcp://127.0.0.1:7077)",
     .environment = "RASK_CLUSTER"},
    WORKER_ROWS(cluster_options),
};

static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
    (void)number;
    told_to_end = 1;
}

static void hear_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* without SA_RESTART: waiting for children ends */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

/* 0: no process is to be had. */
static pid_t hire(const tool_command *c, const cluster_options *o)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(cluster_work(c->name, o->listen, &o->worker));
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

static void rest(void)
{
    struct timespec time = {0, RESTART_MS * 1000000L};
    nanosleep(&time, NULL);
}

/* Those that ended by a signal have successors; one that could not work at all ends them all. */
static int watch(const tool_command *c, const cluster_options *o, pid_t *pids)
{
    int how;
    while (!told_to_end) {
        pid_t pid = waitpid(-1, &how, 0);
        size_t at = pid > 0 ? find_worker(pids, o->workers, pid) : o->workers;
        if (at == o->workers)
            continue;
        pids[at] = 0;
        if (WIFEXITED(how) && WEXITSTATUS(how) != EXIT_DONE)
            return WEXITSTATUS(how);
        if (WIFSIGNALED(how))
            say_error(c->name, "worker %d was ended by signal %d; another takes its place", (int)pid,
                      WTERMSIG(how));
        rest();
        if (!told_to_end && !(pids[at] = hire(c, o)))
            return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static void dismiss(const cluster_options *o, const pid_t *pids)
{
    for (uint64_t i = 0; i < o->workers; i++)
        if (pids[i])
            kill(pids[i], SIGTERM);
    for (uint64_t i = 0; i < o->workers; i++)
        while (pids[i] && waitpid(pids[i], NULL, 0) < 0 && errno == EINTR) {
        }
}

static int start(const tool_command *c, cluster_options *o)
{
    pid_t pids[WORKERS_MOST] = {0};
    int outcome = EXIT_DONE;
    if (!o->workers)
        o->workers = rask_default_workers();
    if (!o->worker.threads)
        o->worker.threads = 1;
    if (!o->worker.memory)
        o->worker.memory = rask_default_memory() / o->workers;
    if (!o->worker.patience)
        o->worker.patience = FOR_GOOD;
    hear_signals();
    for (uint64_t i = 0; i < o->workers && outcome == EXIT_DONE; i++)
        if (!(pids[i] = hire(c, o)))
            outcome = EXIT_FAILED;
    if (outcome == EXIT_DONE)
        outcome = watch(c, o, pids);
    dismiss(o, pids);
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
    if (first + 1 == argc && !strcmp(argv[first], "start"))
        return start(c, &o);
    say_error(c->name, "start or keys FILE is needed");
    return EXIT_USAGE;
}

static const char *const words[] = {"start", "keys", NULL};

const tool_command cluster_command = {
    .name = "cluster",
    .summary = "workers of this machine, and keys",
    .arguments = "[OPTION]… start | keys FILE",
    .text = "start: keeps N workers of this machine that run tasks for whatever rask computes with\n"
            "--scheduler cluster --cluster ADDRESS, until it is told to end. One that crashes has a\n"
            "successor. keys: makes a key FILE; whoever has a copy belongs to the cluster.\n",
    .example = "rask cluster start --workers 4 --key-file ~/.rask-keys\n",
    .words = words,
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
