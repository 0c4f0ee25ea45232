#include "commands.h"

#include "say.h"

#include <stdio.h>
#include <string.h>

const tool_command *const commands_all[] = {
    &csv_command,  &eval_command,  &text_command,    &words_command,  &run_command_of_flows, &draw_command,
    &info_command, &bench_command, &cluster_command, &worker_command, &help_command,         NULL,
};

const exit_meaning commands_exits[] = {
    {EXIT_DONE, "done"},
    {EXIT_FAILED, "an expression, a task or its data failed"},
    {EXIT_USAGE, "usage"},
    {EXIT_INTERRUPTED, "interrupted"},
    {0, NULL},
};

const char commands_manners[] =
    "Each command makes a graph of tasks of what it is asked for, and runs it on all cores, within the\n"
    "memory there is, whatever the size of the files: tables, arrays, text, or shell commands.\n"
    "\n"
    "Options may stand before and behind other arguments; what is behind -- is none. Long ones may be cut\n"
    "short as long as only one begins that way. An option counts before what the environment says, and of\n"
    "one that is given more than once the last counts, where its help does not say otherwise. Sizes are\n"
    "bytes, or have a unit: K, M, G and T are powers of 1024.\n"
    "\n"
    "Results are on standard output, everything else on standard error: messages begin with rask and the\n"
    "command. Files are written whole or not at all. SIGINT, SIGTERM and SIGHUP end a run in good order.\n";

const tool_command *commands_find(const char *name)
{
    for (size_t i = 0; commands_all[i]; i++)
        if (strcmp(commands_all[i]->name, name) == 0)
            return commands_all[i];
    return NULL;
}

int commands_say_unknown(const char *name)
{
    say_error(NULL, *name ? "%s: no such command" : "\"%s\": no such command", name);
    fputs("Try: rask help\n", stderr);
    return EXIT_USAGE;
}
