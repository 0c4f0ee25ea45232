/* schedulers/cluster/ranks/nursery: the process that a rank forks before MPI begins, and which makes the children that run tasks:
 * one at a time, each with a socket to the rank. A child that dies has a successor, and the rank, whose process MPI does not let
 * fork any more, lives on. */
#ifndef RASK_SCHEDULERS_CLUSTER_RANKS_NURSERY_H
#define RASK_SCHEDULERS_CLUSTER_RANKS_NURSERY_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct rk_nursery {
    pid_t pid;
    int line; /* -1: closed */
} rk_nursery;

/* live: what a child does, with its end of the socket; it does not return. Nothing is made before begin(). RASK_ESYSTEM. */
int rk_nursery_open(rk_nursery *nursery, void (*live)(int fd));
void rk_nursery_begin(const rk_nursery *nursery);
/* The rank's socket to a child that was made since; -1: there is none. The caller's. *over: the nursery has ended. wait: blocks
 * until there is one, or it has. */
int rk_nursery_next(const rk_nursery *nursery, bool wait, bool *over);
/* It ends, and its child with it. Legal twice. */
void rk_nursery_close(rk_nursery *nursery);

#endif
