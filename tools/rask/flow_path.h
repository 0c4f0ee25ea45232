/* Paths of one file as one text, so that who reads it is known to come behind who writes it, however each spells it. */
#ifndef FLOW_PATH_H
#define FLOW_PATH_H

#include "flow_state.h"

#include <stddef.h>

/* Zeroed: none yet. */
typedef struct flow_paths {
    char folder[FLOW_PATH]; /* where relative ones begin; "": not looked for yet */
    char **made;            /* texts that are its own */
    size_t count, capacity;
    char *from, *to; /* the last folder, and what it is with links followed */
} flow_paths;

/* path itself, or a text that lives until flow_paths_fini(): relative to the working folder where it is in there, without "." and
 * "..", and with links followed as far as folders are there. The last part is not followed. NULL: no memory. */
const char *flow_paths_name(flow_paths *paths, const char *path);
void flow_paths_fini(flow_paths *paths);

#endif
