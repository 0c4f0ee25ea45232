/* core/store: counts the bytes of results from birth to last use, and admits tasks.
 *
 * What is counted is objects, not values: an object that a list and a result share counts once. An object
 * belongs to the first store that a task of it returned the object to; its bytes leave when it dies or when
 * the run hands it out. Scalars live in the run's own table of results and count nothing. All calls are
 * thread-safe and lock-free. */
#ifndef RASK_CORE_STORE_STORE_H
#define RASK_CORE_STORE_STORE_H

#include "core/value/value.h"

typedef struct rk_store rk_store;

/* budget: most bytes of results at once; 0: no bound. NULL when there is no memory. */
rk_store *rk_store_new(uint64_t budget);

/* The run ended. The memory goes when the last object it counts has died: a task may have kept a reference.
 */
void rk_store_end(rk_store *store);

/* May a task that is expected to produce so many bytes start now? The door for budgets: every task passes
 * here. Today the answer is no only when the budget is already used up: RASK_EBUDGET. */
int rk_store_admit(rk_store *store, uint64_t expected);

/* Counts a result, with what its lists hold and no store counts yet. RASK_EBUDGET when that went over the
 * budget (it is counted all the same). */
int rk_store_add(rk_store *store, const rask_value *result);

/* No longer counts what value holds: it is handed out. */
void rk_store_hand_out(rk_store *store, const rask_value *value);

/* A constant: what it holds belongs to the graph, and no run counts it. */
void rk_store_exempt(const rask_value *value);

/* An object that the store counted died. */
void rk_store_forget(rk_store *store, size_t bytes);

uint64_t rk_store_live(const rk_store *store);
uint64_t rk_store_peak(const rk_store *store);
uint64_t rk_store_budget(const rk_store *store);

#endif
