/* schedulers/futures/piece: what grew, called by the worker that it grew on, without a future for each node.
 *
 * A piece is a graph that a task returned a node of, when it is small and nothing in it needs more than a call: some nodes that need none
 * of the others, and then some of which each takes the one before. Its nodes are called in order, with their arguments where they
 * are: in the graph, or among the results beside it. What one of them grows is a piece again, on top of it.
 *
 * Such a pile belongs to a future that is RUNNING until the lowest piece has its result. Pieces can be sown at any time, from the
 * lowest up, also while a call goes on: their nodes that are not done become futures as others do, the one that is being called RUNNING, and
 * what remains of the pile belongs to that. Who has nothing to do does that for what is ready and waits here;
 * the worker does it when one of them fails, or grows what is no piece, so that errors are told as ever, and when a pile is high.
 *
 * Everything that others see is under the lock of the piles of a bench, which is held for a few steps, by no one who calls a task,
 * ends a value, or takes another lock. Who makes futures of a pile has it to himself: its worker may go on with the call,
 * and then waits until they are there. The order of locks: bench->sowing, of who does that, for as long as it takes; within it
 * bench->piles_lock, to begin and to end, and, while that is free, those of futures and executors. */
#ifndef RASK_SCHEDULERS_FUTURES_PIECE_H
#define RASK_SCHEDULERS_FUTURES_PIECE_H

#include "schedulers/futures/executor.h"

enum { RK_PIECE_NODES = 16, RK_PILE_PIECES = 64 };

typedef struct rk_piece {
    struct rk_piece *below, *above;
    rask_graph *graph;
    uint32_t root;                 /* the piece's result is its */
    uint32_t now;                  /* being called, or the next to be: all before are done */
    uint32_t left;                 /* how many after it need none of the others */
    uint16_t uses[RK_PIECE_NODES]; /* by those that are not done; 0: not needed */
    rask_value results[RK_PIECE_NODES];
} rk_piece;

/* The future has grown what may be a piece, or pieces of it were put off: calls them until a future has an outcome that is none:
 * that future, and *outcome. Else *later: it is to be queued, to go on then. */
rask_future *rk_pile_run(const rk_seat *seat, rask_future *future, rk_call_outcome *outcome, bool *later);

/* May be worth trying. */
bool rk_pile_may_take(const rk_seat *seat, const rask_future *future, const rask_node *node);

/* Sows pieces of the bench of this number until something is ready by that, in endings->ready, or nothing is left, or no memory.
 * What has ended by it is the caller's to tell in any case. */
void rk_piles_split(rk_executor *executor, uint32_t number, rk_endings *endings);

/* The bench's worker is no more. */
void rk_piles_fini(rk_bench *bench);

/* Futures for what is not done of a piece that is alone, as rk_executor_sow(): *running is the one that is being called, RUNNING. NULL:
 * no memory. */
rask_future *rk_executor_sow_piece(rk_executor *executor, const rk_piece *piece, const uint32_t *origin,
                                   rask_future **running, rk_queue *ready);

#endif
