/* collections/search/travel: jobs as bytes, for tasks in other processes of a cluster.
 *
 * Files go as their absolute paths, with size and time of change, which whoever opens one compares; patterns go as texts and are
 * compiled again. Streams, and what writes, stay in the program's own process. */
#ifndef RASK_COLLECTIONS_SEARCH_TRAVEL_H
#define RASK_COLLECTIONS_SEARCH_TRAVEL_H

#include "collections/search/search.h"

/* RASK_OK, or a status with bytes as encode() of a class leaves them. */
int rk_search_job_encode(const rk_search_job *job, rask_value *bytes);
/* As decode(). What comes of it is ended with rk_search_guest_free(), which takes nothing else. */
int rk_search_job_decode(rask_bytes bytes, rk_search_job **job);
void rk_search_guest_free(rk_search_job *job);

#endif
