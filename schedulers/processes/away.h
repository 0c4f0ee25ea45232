/* schedulers/processes/away: nodes that a unit came to, when workers have time for them: a client runs them
 * (include/rask/client.h), whose processes stand by for single calls, and its result becomes that of the unit. To the
 * coordinator the unit runs meanwhile; the worker it ran at is free to do others.
 *
 * Called by the thread whose hands they are (hands.h), but for what the client's threads tell. */
#ifndef RASK_SCHEDULERS_PROCESSES_AWAY_H
#define RASK_SCHEDULERS_PROCESSES_AWAY_H

#include "schedulers/processes/hands.h"

/* News of nodes that answer an order: a status, and then the news are still to be answered for. */
int rk_away_take(rk_hands *h, const rk_staff *staff, const rk_news *news, const rk_posted *posted);

/* Those that are done; and when the run is being stopped, all are told to end. True: there was something. */
bool rk_away_hear(rk_hands *h);

/* The worker ended: its units run again. */
void rk_away_forget(rk_hands *h, const rk_staff *staff);

/* An extent of what they came to is free; false: it is a worker's. */
bool rk_away_free(rk_hands *h, void *content);

/* Bytes of results that the client holds. */
uint64_t rk_away_bytes(const rk_hands *h);

/* Everything that is left. NULL is legal. */
void rk_away_end(rk_away *away);

#endif
