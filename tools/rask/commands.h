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

#endif
