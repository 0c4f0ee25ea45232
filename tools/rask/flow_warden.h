/* Ends the commands of a process that was killed.
 *
 * Beside each process that runs commands there is another one, the warden, from its first command to its end. It knows the
 * process groups of the commands that run, and when its line ends, because the process did, it kills those that are left. */
#ifndef FLOW_WARDEN_H
#define FLOW_WARDEN_H

#include <stdbool.h>
#include <sys/types.h>

/* This process's line to its warden, which is started when there is none; closed by exec. -1: none is to be had, errno says why.
 * Thread-safe. */
int flow_warden_line(void);
/* Whoever has the line names its own group before it becomes a command: the line is open as long as anybody has it, so none is
 * missed. False: the warden is gone. As safe as signal handlers have to be. */
bool flow_warden_add(int line, pid_t group);
/* The group's leader has ended, and its parent does not know yet: the number is nobody else's. */
void flow_warden_remove(pid_t group);

#endif
