/* Running one shell command. */
#ifndef FLOW_COMMAND_H
#define FLOW_COMMAND_H

#include "flow.h"

enum { FLOW_ATTEMPTS = 48 };

/* "" at the first attempt, then "tried 3 times, the last: ". */
void flow_command_say_attempts(const rask_task *task, char text[FLOW_ATTEMPTS]);

/* The task fails: what it did cannot be noted in the folder, for errno. */
int flow_command_not_noted(rask_task *task, const char *folder);

/* Runs a task's command in a folder (NULL: the own one) with its output in the files out and err, until it ends or the task is to stop: then it and all it
 * started are asked to end, and after two seconds made to. RASK_OK: it ended with 0. Else the task has failed, with a
 * message that has the last lines it wrote. */
int flow_command_run(rask_task *task, const flow_task *what, const char *folder, const char *out,
                     const char *err);

/* Instead of running a command: sleeps so many seconds, or spins: computes until the calling thread has had a processor for so
 * long. No longer than until the task is to stop. RASK_OK, or it has failed. */
int flow_command_simulate(rask_task *task, double seconds, bool spins);

#endif
