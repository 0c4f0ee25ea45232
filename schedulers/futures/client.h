/* schedulers/futures/client: what the files of this room know of a client. */
#ifndef RASK_SCHEDULERS_FUTURES_CLIENT_H
#define RASK_SCHEDULERS_FUTURES_CLIENT_H

#include "schedulers/futures/executor.h"
#include "schedulers/scheduler.h"

rk_executor *rk_client_executor(rask_client *client);

/* A future that has failed already; NULL: no memory. */
rask_future *rk_client_failed(rask_client *client, int status, const char *message);

/* The moment in so many seconds; 0, which is none, when they are negative or more than a life. */
uint64_t rk_deadline_in(double seconds);

#endif
