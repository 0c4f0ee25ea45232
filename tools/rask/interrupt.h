/* SIGINT, SIGTERM and SIGHUP end runs in good order. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <rask/options.h>

/* From here on the signals cancel the token returned, for one run at a time. NULL: no memory. */
rask_cancel_token *interrupt_begin(void);

/* The signals end the program at once again. True when one had come. */
bool interrupt_end(void);

#endif
