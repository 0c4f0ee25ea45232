/* rask help: the commands, one of them, and the same as manual pages and as scripts for shells. */
#include "help.h"

#include "commands.h"
#include "completion.h"
#include "manual.h"
#include "say.h"

#include <cjson/cJSON.h>
#include <string.h>

typedef struct help_options {
    const char *completion;
    bool man, json;
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
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(help_options, json),
     .help = "print commands and their options as JSON"},
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

/* -- JSON */

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, name, text);
}

static cJSON *option_json(const option_row *row)
{
    cJSON *object = cJSON_CreateObject();
    const char letter[] = {row->letter, 0}, *const *choices = options_choices(row);
    add_text(object, "name", row->name);
    add_text(object, "letter", row->letter ? letter : NULL);
    add_text(object, "value", row->value);
    add_text(object, "help", row->help);
    add_text(object, "environment", row->environment);
    cJSON_AddBoolToObject(object, "value_needed", row->value && !options_may_be_bare(row));
    cJSON *list = choices ? cJSON_AddArrayToObject(object, "choices") : NULL;
    for (size_t i = 0; choices && choices[i]; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(choices[i]));
    return object;
}

static cJSON *command_json(const tool_command *c)
{
    cJSON *object = cJSON_CreateObject();
    add_text(object, "name", c->name);
    add_text(object, "summary", c->summary);
    add_text(object, "arguments", c->arguments);
    add_text(object, "example", c->example);
    cJSON *options = cJSON_AddArrayToObject(object, "options");
    for (size_t i = 0; i < c->row_count; i++)
        cJSON_AddItemToArray(options, option_json(&c->rows[i]));
    return object;
}

/* One command, or all; a list in any case. */
static int print_json(const tool_command *one)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; commands_all[i]; i++)
        if (!one || one == commands_all[i])
            cJSON_AddItemToArray(list, command_json(commands_all[i]));
    char *text = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    if (!text) {
        say_error("help", "%s", rask_status_text(RASK_ENOMEM));
        return EXIT_FAILED;
    }
    puts(text);
    cJSON_free(text);
    return say_done("help");
}

static int explain(const char *name, const help_options *o)
{
    const tool_command *c = name ? commands_find(name) : NULL;
    if (name && !c)
        return commands_say_unknown(name);
    if (o->json)
        return print_json(c);
    if (o->man)
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
    bool alone = o.completion != NULL;
    if (argc - first > (alone ? 0 : 1) || (alone && (o.man || o.json))) {
        say_error(c->name,
                  o.completion ? "--completion: nothing goes with it" : "more than one command given");
        return EXIT_USAGE;
    }
    return o.completion ? complete(o.completion) : explain(argv[first], &o);
}

const tool_command help_command = {
    .name = "help",
    .summary = "what a command does, its options and an example",
    .arguments = "[COMMAND] [--man | --json | --completion SHELL]",
    .text = "Lists the commands, or explains COMMAND, as COMMAND --help does.\n",
    .example = "rask help csv --man | man -l -\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .run = run,
};
