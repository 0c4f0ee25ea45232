/* Scripts by which shells complete lines, made of the tables by which commands and options are parsed. Each is printed. */
#ifndef COMPLETION_H
#define COMPLETION_H

void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);

#endif
