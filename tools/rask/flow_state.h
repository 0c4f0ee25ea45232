/* What of a workflow has been done, so that it is not done again: a folder with a note for each task. */
#ifndef FLOW_STATE_H
#define FLOW_STATE_H

#include "flow.h"

enum { FLOW_PATH = 4096, FLOW_KEY = 33 };

/* Makes the folders. False: what is wrong is in error. */
bool flow_state_open(const char *folder, char error[FLOW_ERROR]);

/* A file of a task: kind is "out", "err" or "done". */
void flow_state_path(const char *folder, const flow_task *task, const char *kind, char path[FLOW_PATH]);

/* In all that follow scale is that of a simulation, where there are no files, or below 0, where commands are run. No folder, NULL:
 * nothing is noted, and nothing was. */

/* What the command is and what is in its inputs, or how long it is said to take, as text. False: an input is not there or cannot be
 * read, *which. */
bool flow_state_key(const flow_task *task, double scale, char key[FLOW_KEY], const char **which);

/* Was the task done with this key, and are its outputs as it left them? */
bool flow_state_is_done(const char *folder, const flow_task *task, double scale, const char *key);

/* Notes that it was. False: an output is not there, *which; or, NULL, the note cannot be written, for errno. */
bool flow_state_set_done(const char *folder, const flow_task *task, double scale, const char *key,
                         const char **which);

#endif
