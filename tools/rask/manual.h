/* Manual pages, made of the tables by which commands and options are parsed. */
#ifndef MANUAL_H
#define MANUAL_H

#include "options.h"

/* Prints the page of a command, or of the program for NULL, as roff with the macros of man(7). */
void manual_print(const tool_command *command);

#endif
