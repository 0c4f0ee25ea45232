/* schedulers/futures/holding: results of futures within the memory budget. A client's are its store's (core/store/store.h): large ones go
 * to the scratch file when there is no room for them, whoever holds the futures, and come back for a task that takes them, or for who
 * asks. What the tasks of a compute grow is counted in its store, and stays in memory. */
#ifndef RASK_SCHEDULERS_FUTURES_HOLDING_H
#define RASK_SCHEDULERS_FUTURES_HOLDING_H

#include "schedulers/futures/executor.h"

/* A call at the store's door: from before it takes its arguments until its result is kept. */
typedef struct rk_holding {
    bool open; /* there is something to give back; what follows is undefined otherwise */
    rk_store *store;
    rk_pass pass;
    rask_value **places;            /* of its arguments */
    const struct rk_holding *outer; /* of the call on the same thread that waits for this one */
} rk_holding;

/* Before the future is called: its arguments are in memory, and in future->args, from here on. Blocks until there is room for them, and
 * for the result as far as the definition says how large that is. A failure has a message (RK_MAX_MESSAGE + 1 bytes); then there are
 * none. */
int rk_holding_begin(rk_holding *holding, rask_future *future, char *message);
/* The call has returned, and its arguments are let go of. */
void rk_holding_release(rk_holding *holding);
/* Its result is kept, or there is none. Legal twice. */
void rk_holding_end(rk_holding *holding);

/* The calling thread is about to wait for futures, perhaps within a task: others are let in as if it had left; what it holds stays. The
 * answer is for the end of that. */
const rk_holding *rk_holding_pause(void);
void rk_holding_resume(const rk_holding *paused);

/* The result becomes the future's, counted; the caller's no more. holding: of its call. A failure (RASK_EBUDGET; RASK_EIO and
 * others of the scratch file) has a message, and leaves the result with the caller. */
int rk_future_hold_result(rask_future *future, const rask_value *result, rk_holding *holding, char *message);
/* It is one that may go to the scratch file, and so has to be a future's. */
bool rk_executor_is_large(const rk_executor *executor, const rask_value *result);
/* Counts the result of a call that is no future's, which is not large. Fails as above. */
int rk_executor_count_result(const rk_executor *executor, const rask_value *result, char *message);

/* The result of from, which is done and did not fail, is future's as well. */
void rk_future_share_result(rask_future *future, const rask_future *from);
/* The result of such a future, with a reference, in memory. A failure has a message (RK_MAX_MESSAGE + 1 bytes). May block. */
int rk_future_read_result(const rask_future *future, rask_value *value, char *message);
/* Nobody refers to the future any more. */
void rk_future_drop_result(rask_future *future);

#endif
