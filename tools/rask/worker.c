#include "cluster.h"
#include "commands.h"
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct worker_options {
    worker_fields worker;
} worker_options;

static const option_row rows[] = {
    WORKER_ROWS(worker_options, "tasks at once (default: the cores there are)",
                "memory for results, such as 2G (default: 60 % of what is available)")};

/* What say_waiting() is to say. */
typedef struct wait_words {
    const char *command, *address;
    char keys[600]; /* which, when the user named none */
} wait_words;

static void say_waiting(void *context, const char *why)
{
    const wait_words *words = context;
    say_error(words->command, "%s%s; waiting for one, such as a rask with --cluster ADDRESS%s",
              *why ? why : "no program is yet at ", *why ? "" : words->address, words->keys);
}

/* As the library hears it for programs: what names keys comes before it. */
static bool is_said_around(void)
{
    const char *said = getenv("RASK_CLUSTER_INSECURE");
    return said && *said && strcmp(said, "0") != 0;
}

rask_worker_options cluster_worker_options(const char *address, const worker_fields *fields)
{
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    o.address = address;
    o.key_file = options_keys(fields->key_file, fields->insecure);
    o.insecure = fields->insecure || (!o.key_file && is_said_around());
    o.threads = (uint32_t)fields->threads;
    o.memory = fields->memory;
    o.scratch = fields->scratch;
    o.patience = fields->patience;
    return o;
}

static bool is_to_be_dialled(const char *address)
{
    static const char *const all[] = {"tcp://*:", "tcp://0.0.0.0:", "tcp://[::]:"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strncmp(address, all[i], strlen(all[i])))
            return false;
    return options_address(address);
}

/* What is no address, or none to dial, is wrong usage; keys that do not fit are not. */
static int outcome_at(const char *address)
{
    return is_to_be_dialled(address) ? EXIT_FAILED : EXIT_USAGE;
}

int cluster_failed(const char *command, const char *address, int status, const char *reason)
{
    say_error(command, "%s", *reason ? reason : rask_status_text(status));
    return outcome_at(address);
}

/* The keys that are not named are the user's own, which are to be known to whoever brings others of the cluster. */
static int find_keys(rask_worker_options *o, char *path, size_t room, wait_words *words, char *reason,
                     size_t capacity)
{
    bool named = o->key_file || o->insecure, tcp = !strncmp(o->address, "tcp://", strlen("tcp://"));
    int status = named || !tcp ? RASK_OK : rask_cluster_own_keys(path, room, reason, capacity);
    if (status || named || !tcp)
        return status;
    o->key_file = path;
    snprintf(words->keys, sizeof words->keys, " and the keys of %s", path);
    return RASK_OK;
}

int cluster_work(const char *command, const char *address, const worker_fields *fields)
{
    char reason[1024] = "", path[512];
    rask_worker_options o = cluster_worker_options(address, fields);
    wait_words words = {.command = command, .address = address};
    o.waiting = fields->quiet ? NULL : say_waiting;
    o.context = &words;
    int status = find_keys(&o, path, sizeof path, &words, reason, sizeof reason);
    if (!status)
        status = rask_cluster_worker(&o, reason, sizeof reason);
    if (!status)
        return EXIT_DONE;
    bool said = fields->said && atomic_flag_test_and_set(fields->said);
    return said ? outcome_at(address) : cluster_failed(command, address, status, reason);
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
        "what they need of it, or when nobody has been at ADDRESS for 30 seconds (--patience). Keys that\n"
        "are not named are the user's own: who has the same home belongs to the same cluster.\n",
    .example = "rask worker --key-file ~/.rask-keys --threads 8 tcp://head:7077\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
