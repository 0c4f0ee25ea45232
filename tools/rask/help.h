/* What rask says without a command. */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

/* The commands, a line each. */
void help_print_commands(FILE *out);

#endif
