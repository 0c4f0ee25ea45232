/* collections/array/cuts: grids that are cut where it is good for whoever reads or writes them. */
#ifndef RASK_COLLECTIONS_ARRAY_CUTS_H
#define RASK_COLLECTIONS_ARRAY_CUTS_H

#include "collections/array/lower.h"

/* Bounds of one axis as they are found, from 0 on. Failures are remembered. */
typedef struct rk_cuts {
    rk_array bounds;           /* int64_t */
    int64_t last, least, most; /* a chunk has at least, and not much more than at most, so many elements */
    int64_t total;
    bool failed;
} rk_cuts;

void rk_cuts_init(rk_cuts *c, int64_t total, int64_t least, int64_t most);
/* A place where a cut would be good. They come in ascending order; what is outside of the axis is ignored. */
void rk_cuts_wish(rk_cuts *c, int64_t place);
/* Cuts the rest, and hands the bounds over in the lowering's memory: count chunks. RASK_OK, or latched. */
int rk_cuts_fini(rk_cuts *c, rk_lowering *lowering, int64_t *count, int64_t **bounds);

/* A grid without nodes, cut at bounds (count[i] + 1 of axis i, of the lowering's memory or longer lived). RASK_OK, or
 * latched. */
int rk_grid_bounded(rk_lowering *lowering, rk_chunks *chunks, uint32_t ndim, const int64_t *count,
                    int64_t *const *bounds);

/* Whether a holds its elements in chunks: an OPAQUE array, a reduction, a source with chunks; whether some array that a is
 * made of does; whether the user asked for chunks of a. */
bool rk_array_makes_chunks(const rask_array *a);
bool rk_array_is_chunked(const rask_array *a);
bool rk_array_has_wish(const rask_array *a);

/* The grid that a's elements come in: that of its chunks, or of what it is made of, seen through views; else that of
 * rk_grid_choose(). Without nodes. RASK_OK, or latched. */
int rk_grid_of(rk_lowering *lowering, rask_array *a, rk_chunks *grid);

/* The longest chunk of an axis of a grid. */
int64_t rk_grid_longest(const rk_chunks *grid, uint32_t axis);

#endif
