/* collections/array/storing: arrays on their way into files, for who runs that and who only says what it takes. */
#ifndef RASK_COLLECTIONS_ARRAY_STORING_H
#define RASK_COLLECTIONS_ARRAY_STORING_H

#include "collections/array/computation.h"
#include "collections/array/source.h"

typedef struct rk_storing {
    rk_computation computation; /* its targets are the tasks that write */
    rk_sink **sinks;            /* of each target; NULL: it could not be opened */
    uint32_t count;
    bool begun;
} rk_storing;

/* Opens a file for each of count (1 or more) targets, unseen under its name as yet, and lowers what writes them. RASK_OK,
 * or a status that the graph reports. End it in either case. */
int rk_storing_begin(rk_storing *s, const rask_store_target *targets, uint32_t count,
                     const rask_options *options);

/* Ends everything. ran: the computation was run, with this status: the files are put in place when it is RASK_OK. Else
 * nothing of them is left. Returns status, or that of a file that could not be put in place. */
int rk_storing_end(rk_storing *s, bool ran, int status);

#endif
