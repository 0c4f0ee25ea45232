/* collections/array/execute: a program run over a box of its logical axes.
 *
 * Design. A box is cut into strips that stay in the first-level cache, and strips are grouped into macro blocks whose
 * windows stay in the second: what a leaf has to load from a file or to put together from chunks is loaded a macro block
 * at a time. How strips lie:
 *   a strip covers all of the last axes, as many as fit RK_STRIP elements, and a segment of the axis before them, the
 *   segmented axis; the axis before that is the row axis; axes before that are walked one index at a time.
 * For reductions the strips are those of the whole array's shape, whatever the box, so that trees of strips do not depend
 * on how the work is cut. For results they are those of the box. */
#ifndef RASK_COLLECTIONS_ARRAY_EXECUTE_H
#define RASK_COLLECTIONS_ARRAY_EXECUTE_H

#include "collections/array/program.h"

/* Axes behind `segmented` are inside a strip, inner elements in all; segment indices of axis `segmented` go into one,
 * less at its end. */
typedef struct rk_striping {
    uint32_t segmented;
    int64_t segment, inner;
} rk_striping;

/* Strips of a shape; axes before keep are not covered by strips. ndim may be 0, keep at most ndim - 1. */
rk_striping rk_striping_of(const int64_t *shape, uint32_t ndim, uint32_t keep);

/* A strip, for who takes it. */
typedef struct rk_strip_at {
    int64_t row;     /* index over all axes before the segmented one, in C order over the box */
    int64_t segment; /* number of the strip along the segmented axis, from the start of the box */
    size_t length;   /* elements */
} rk_strip_at;

/* Takes results, strip by strip. For each segment rows come in ascending order; when the run is ordered, strips come in
 * C order. */
typedef struct rk_taker {
    void *context;
    void *(*place)(void *context, const rk_strip_at *at); /* NULL, or: where to write the elements */
    void (*take)(void *context, const rk_strip_at *at, const void *elements); /* NULL when there is a place */
} rk_taker;

/* Where a task's chunk leaf finds its pieces: arguments first … first + count - 1 of the task; start and count of piece
 * i's box, in the leaf's array, are at boxes + 2 * i * ndim. */
typedef struct rk_pieces {
    uint32_t first, count;
    const int64_t *boxes;
} rk_pieces;

/* A run: program over the box start … start + count. pieces: by leaf. striping: NULL: the box's own. */
typedef struct rk_execution {
    const rk_program *program;
    const int64_t *start, *count;
    const rk_pieces *pieces;
    const rk_striping *striping;
    bool ordered;
    rk_taker taker;
} rk_execution;

/* RASK_OK, or the task's status. Asks rask_task_cancelled() now and then. */
int rk_execute(rask_task *task, const rk_execution *what);

/* Some leaf's elements lie in a file along another axis than strips: lines of so many elements are read from it when the
 * box has so many rows. */
enum { RK_TURNED_ROWS = 1024 };
bool rk_execute_turns(const rk_program *program);

/* Says what the program's tasks may hold of what they read: windows of at most bytes, no more than is of use, no less than
 * it takes; and parts of files in place, when bytes are many. */
void rk_execute_bound(rk_program *program, uint64_t bytes);

/* Bytes that rk_execute() takes at most. */
uint64_t rk_execute_scratch(const rk_program *program);

#endif
