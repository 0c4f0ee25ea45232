#include "cluster.h"
#include "commands.h"
#include "say.h"

typedef struct worker_options {
    worker_fields worker;
} worker_options;

static const option_row rows[] = {
    WORKER_ROWS(worker_options, "tasks at once (default: the cores there are)",
                "memory for results, such as 2G (default: 60 % of what is available)")};

/* What say_waiting() is to say. */
typedef struct wait_words {
    const char *command, *address;
} wait_words;

static void say_waiting(void *context, const char *why)
{
    const wait_words *words = context;
    say_error(words->command, "%s%s; waiting for one, such as a rask with --cluster ADDRESS",
              *why ? why : "no program is yet at ", *why ? "" : words->address);
}

rask_worker_options cluster_worker_options(const char *address, const worker_fields *fields)
{
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    o.address = address;
    o.key_file = fields->key_file;
    o.threads = (uint32_t)fields->threads;
    o.memory = fields->memory;
    o.scratch = fields->scratch;
    o.patience = fields->patience;
    return o;
}

int cluster_failed(const char *command, int status, const char *reason)
{
    say_error(command, "%s", *reason ? reason : rask_status_text(status));
    return status == RASK_EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

int cluster_work(const char *command, const char *address, const worker_fields *fields)
{
    char reason[512] = "";
    rask_worker_options o = cluster_worker_options(address, fields);
    wait_words words = {command, address};
    o.waiting = fields->quiet ? NULL : say_waiting;
    o.context = &words;
    int status = rask_cluster_worker(&o, reason, sizeof reason);
    return status ? cluster_failed(command, status, reason) : EXIT_DONE;
}

static int run(const tool_command *c, int argc, char **argv)
{
    worker_options o = {0};
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (argc - first != 1) {
        say_error(c->name, "one address is needed, such as tcp://127.0.0.1:7077");
        return EXIT_USAGE;
    }
    return cluster_work(c->name, argv[first], &o.worker);
}

const tool_command worker_command = {
    .name = "worker",
    .summary = "run tasks for a rask elsewhere",
    .arguments = "[OPTION]… ADDRESS",
    .text =
        "Runs tasks for the rask that computes with --scheduler cluster --cluster ADDRESS, and then for\n"
        "the next one. Both must be the same build. Ends when it is told to (SIGTERM), after others have\n"
        "what they need of it, or when nobody has been at ADDRESS for 30 seconds (--patience).\n",
    .example = "rask worker --key-file ~/.rask-keys --threads 8 tcp://head:7077\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
