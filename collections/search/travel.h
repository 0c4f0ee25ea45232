/* collections/search/travel: jobs as bytes, for tasks in other processes of a cluster.
 *
 * Files go as their absolute paths, with size and time of change, which whoever opens one compares; patterns go as texts and are
 * compiled again. Streams, and what writes, stay in the program's own process. */
#ifndef RASK_COLLECTIONS_SEARCH_TRAVEL_H
#define RASK_COLLECTIONS_SEARCH_TRAVEL_H

#include "collections/search/search.h"

/* As encode() and decode() of a class. What comes of the latter is ended with rk_search_guest_free(). */
int rk_search_job_encode(const void *job, rask_value *bytes);
int rk_search_job_decode(rask_bytes bytes, void **job);
/* Does nothing for a job that was made here. */
void rk_search_guest_free(void *job);

#endif
