/* schedulers/processes/away: nodes that a unit came to, when workers have time for them: a client runs them
 * (include/rask/client.h), whose processes stand by for single calls, and its result becomes that of the unit's task. To the
 * coordinator the client is one more worker, and what the unit came to a task that only this one runs; if the unit has more
 * tasks, it grows into them when the result is there. So the worker that it ran at is free, and may end, and nothing is taken any more of
 * what is counted. What the nodes take of that the coordinator lends to the client's gate, when futures wait there.
 *
 * Called by the thread whose hands they are (hands.h), but for what the client's threads tell. */
#ifndef RASK_SCHEDULERS_PROCESSES_AWAY_H
#define RASK_SCHEDULERS_PROCESSES_AWAY_H

#include "schedulers/processes/hands.h"

/* News of nodes that answer an order: a status, and then the news are still to be answered for. */
int rk_away_take(rk_hands *h, const rk_staff *staff, rk_news *news, const rk_posted *posted);

/* Carries out what the coordinator says to this worker; false: it is said to another. */
bool rk_away_obey(rk_hands *h, const rk_instruction *in);

/* Those that are done; and when the run is being stopped, all are told to end. True: there was something. */
bool rk_away_hear(rk_hands *h);

/* The unit is over, whatever it was at. */
void rk_away_over(rk_hands *h, uint32_t unit);

/* Adds extents of workers that are in use here; false: no memory for some. */
bool rk_away_add_extents(const rk_hands *h, rk_array *extents);

/* An extent of what they came to is free; false: it is a worker's. */
bool rk_away_free(rk_hands *h, void *content);

/* Bytes of results that the client holds. */
uint64_t rk_away_bytes(const rk_hands *h);

/* Its calls that were repeated since this was asked last. */
uint64_t rk_away_take_retries(const rk_hands *h);

/* Everything that is left. NULL is legal. */
void rk_away_end(rk_away *away);

#endif
