/* schedulers/futures/queue: futures in a row, through themselves: each is in one queue at a time. Not thread-safe. */
#ifndef RASK_SCHEDULERS_FUTURES_QUEUE_H
#define RASK_SCHEDULERS_FUTURES_QUEUE_H

#include "schedulers/futures/future.h"

static inline void rk_queue_push_first(rk_queue *queue, rask_future *future)
{
    future->previous = NULL;
    future->next = queue->first;
    *(queue->first ? &queue->first->previous : &queue->last) = future;
    queue->first = future;
}

static inline void rk_queue_push_last(rk_queue *queue, rask_future *future)
{
    future->next = NULL;
    future->previous = queue->last;
    *(queue->last ? &queue->last->next : &queue->first) = future;
    queue->last = future;
}

/* All of more, which has some, comes before what is there, or behind it; more is of no use then. */
static inline void rk_queue_prepend(rk_queue *queue, const rk_queue *more)
{
    more->last->next = queue->first;
    *(queue->first ? &queue->first->previous : &queue->last) = more->last;
    queue->first = more->first;
}

static inline void rk_queue_append(rk_queue *queue, const rk_queue *more)
{
    more->first->previous = queue->last;
    *(queue->last ? &queue->last->next : &queue->first) = more->first;
    queue->last = more->last;
}

/* NULL: it is empty. */
static inline rask_future *rk_queue_pop_first(rk_queue *queue)
{
    rask_future *future = queue->first;
    if (!future)
        return NULL;
    queue->first = future->next;
    *(queue->first ? &queue->first->previous : &queue->last) = NULL;
    return future;
}

static inline rask_future *rk_queue_pop_last(rk_queue *queue)
{
    rask_future *future = queue->last;
    if (!future)
        return NULL;
    queue->last = future->previous;
    *(queue->last ? &queue->last->next : &queue->first) = NULL;
    return future;
}

/* It is in this one. */
static inline void rk_queue_remove(rk_queue *queue, rask_future *future)
{
    *(future->previous ? &future->previous->next : &queue->first) = future->next;
    *(future->next ? &future->next->previous : &queue->last) = future->previous;
}

#endif
