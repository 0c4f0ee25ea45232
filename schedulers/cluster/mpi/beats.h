/* schedulers/cluster/mpi/beats: who is silent. MPI may not tell, and wait for good: of a machine that is down, or a cable that was
 * pulled. Rank 0 and each of the others say a word to each other now and then, so that of a job that is cut in two no part stays. */
#ifndef RASK_SCHEDULERS_CLUSTER_MPI_BEATS_H
#define RASK_SCHEDULERS_CLUSTER_MPI_BEATS_H

#include "schedulers/cluster/mpi/mail.h"

/* How long is too long, from RASK_MPI_SILENCE. RASK_EINVAL: it says neither 0 nor so many seconds as may be; with a reason. */
int rk_beats_read(rk_wire *wire, char *reason, size_t capacity);
/* From here on a thread stands in for the one that polls, whenever that is elsewhere for longer than a moment: it says words, lets
 * MPI go on, and ends the job when somebody is silent. What came waits. None where nobody is to be heard. RASK_ESYSTEM: no thread
 * is to be had; with a reason. */
int rk_beats_begin(rk_wire *wire, char *reason, size_t capacity);
/* Ends that thread. Legal without one. From outside MPI. */
void rk_beats_end(rk_wire *wire);

/* These two, inside MPI. Time passes, by the wire's clock; words that are due are said. Ends the process when somebody is silent. */
void rk_beats_pass(rk_wire *wire);
/* The same for who closes and says no more words: whoever an answer is due from is to be heard of. True: there is such a one. */
bool rk_beats_part(const rk_wire *wire);

#endif
