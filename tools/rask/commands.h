/* The commands, a file each. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "options.h"

extern const tool_command eval_command;
extern const tool_command csv_command;
extern const tool_command text_command;
extern const tool_command words_command;
extern const tool_command draw_command;
extern const tool_command run_command_of_flows;
extern const tool_command info_command;
extern const tool_command bench_command;
extern const tool_command cluster_command;
extern const tool_command worker_command;
extern const tool_command help_command;

/* All of them, as rask help lists them, NULL at the end. */
extern const tool_command *const commands_all[];

/* NULL: there is none of that name. */
const tool_command *commands_find(const char *name);

/* Says so on stderr. Returns EXIT_USAGE. */
int commands_say_unknown(const char *name);

/* What exit statuses mean; the meaning of the last is NULL. */
typedef struct exit_meaning {
    int status;
    const char *meaning;
} exit_meaning;
extern const exit_meaning commands_exits[];

/* What all commands have in common, for manuals: paragraphs between empty lines. */
extern const char commands_manners[];

#endif
