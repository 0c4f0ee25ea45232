/* Ends the commands of a process that was killed.
 *
 * Beside each process that runs commands there is another one, the warden, from its first command to its end. It knows the
 * process groups of the commands that run, and when its line ends, because the process did, it kills those that are left. One that
 * was killed has a successor, which is told of those that run, as soon as a command begins or whoever waits for one looks. */
#ifndef FLOW_WARDEN_H
#define FLOW_WARDEN_H

#include <stdbool.h>
#include <sys/types.h>

/* A command as the warden is to know it: the caller's, in place until it is removed. */
typedef struct flow_ward {
    int line;        /* to the warden, for the command to be; closed by exec */
    unsigned warden; /* which of this process's, one after the other */
    pid_t group;
    struct flow_ward *next;
} flow_ward;

/* Before the command is started. 0, or an errno: there is no warden, and none is to be had. Thread-safe, as are keep, look, remove
 * and lost. */
int flow_warden_begin(flow_ward *ward);
/* Whoever has the line names its own group before it becomes a command: the line is open as long as anybody has it, so none is
 * missed. False: the warden is gone. As safe as signal handlers have to be. */
bool flow_warden_add(const flow_ward *ward, pid_t group);
/* The group has been added: successors are told. */
void flow_warden_keep(flow_ward *ward, pid_t group);
/* While a command runs: one that has died has a successor, unless none is to be had just now. */
void flow_warden_look(void);
/* Of one that was kept: the group's leader has ended, and its parent does not know yet: the number is nobody else's. */
void flow_warden_remove(flow_ward *ward);
/* The group could not be added: who begins next has another warden. */
void flow_warden_lost(const flow_ward *ward);

#endif
