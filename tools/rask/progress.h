/* A line on stderr that tells how far a run is. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <rask/observe.h>

typedef struct progress progress;

/* Tells after a second, or from the start, five times a second. NULL: no memory or no thread, and no line. */
progress *progress_start(const char *command, bool at_once);

/* For the options of the run. */
const rask_observer *progress_observer(const progress *p);

/* Takes the line away again. NULL is legal. */
void progress_stop(progress *p);

#endif
