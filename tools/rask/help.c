/* rask help: the commands, one of them, and the same as manual pages and as scripts for shells. */
#include "help.h"

#include "commands.h"
#include "completion.h"
#include "manual.h"
#include "say.h"

#include <string.h>

typedef struct help_options {
    const char *completion;
    bool man;
} help_options;

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

static const option_row rows[] = {
    {.name = "man",
     .kind = OPTION_FLAG,
     .offset = offsetof(help_options, man),
     .help = "print the manual page of COMMAND, or of rask, for man -l"},
    {.name = "completion",
     .kind = OPTION_TEXT,
     .offset = offsetof(help_options, completion),
     .value = "SHELL",
     .help = "print the script by which bash, zsh or fish completes a line",
     .choices = shells},
};

void help_print_commands(FILE *out)
{
    fputs("Usage: rask COMMAND [OPTION]… [ARGUMENT]…\n\nCommands:\n", out);
    for (size_t i = 0; commands_all[i]; i++)
        fprintf(out, "  %-8s %s\n", commands_all[i]->name, commands_all[i]->summary);
    fputs("\nExit status:", out);
    for (const exit_meaning *e = commands_exits; e->meaning; e++)
        fprintf(out, "%s %d %s", e == commands_exits ? "" : ",", e->status, e->meaning);
    fputs(".\nOf an option that is given twice the last counts.\n\nExample: rask words -n 5 book.txt\n", out);
}

static int complete(const char *shell)
{
    void (*const scripts[])(void) = {completion_bash, completion_zsh, completion_fish};
    int which = options_find(shells, shell);
    if (which < 0) {
        say_error("help", "--completion: neither bash, zsh nor fish: \"%s\"", shell);
        return EXIT_USAGE;
    }
    scripts[which]();
    return say_done("help");
}

static int explain(const char *name, bool man)
{
    const tool_command *c = name ? commands_find(name) : NULL;
    if (name && !c)
        return commands_say_unknown(name);
    if (man)
        manual_print(c);
    else if (c)
        options_help(c);
    else
        help_print_commands(stdout);
    return say_done("help");
}

static int run(const tool_command *c, int argc, char **argv)
{
    help_options o = {0};
    int first;
    options_outcome parsed = options_parse(c, argc, argv, &o, &first);
    if (parsed != OPTIONS_GOOD)
        return parsed == OPTIONS_HELP ? say_done(c->name) : EXIT_USAGE;
    if (argc - first > (o.completion ? 0 : 1) || (o.completion && o.man)) {
        say_error(c->name,
                  o.completion ? "--completion: nothing goes with it" : "more than one command given");
        return EXIT_USAGE;
    }
    return o.completion ? complete(o.completion) : explain(argv[first], o.man);
}

const tool_command help_command = {
    .name = "help",
    .summary = "what a command does, its options and an example",
    .arguments = "[COMMAND] [--man | --completion SHELL]",
    .text = "Lists the commands, or explains COMMAND, as COMMAND --help does.\n",
    .example = "rask help csv --man | man -l -\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
