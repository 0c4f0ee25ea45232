/* Saying that a run on a cluster waits for its workers, because none has come, or all are gone: on stderr, whether that is a terminal
 * or not. */
#ifndef WAITING_H
#define WAITING_H

#include <rask/options.h>

typedef struct waiting waiting;

/* For a run with these options; NULL: it waits for nobody, or there is no memory or thread. */
waiting *waiting_new(const char *command, const rask_options *run);
/* NULL is legal. */
const rask_observer *waiting_observer(const waiting *w);
void waiting_free(waiting *w);

#endif
