/* collections/array/rechunk: chunks of another shape, within the budget.
 *
 * Design. Where elements can be read one by one (memory, files, what is computed from an index) chunks are only a wish,
 * and nothing moves. Else old chunks, each made once, are put together to new ones. A new chunk needs all old ones that
 * it meets; old and new chunks that hang together this way form a group, and while a group is worked on it is in memory.
 * When a group fits, one pass moves each byte once. When it does not (rows to columns: every new chunk meets every old
 * one), old chunks would be written to the scratch file and read back for each new chunk again. So there are passes in
 * between, with chunk lengths on the way from the old to the new ones in equal ratios: with p passes a group is as large
 * as a chunk times the p-th root of what it was, and each byte is written and read back at most p times. That is how
 * matrices are transposed in external memory: A. Aggarwal, J. Vitter, "The input/output complexity of sorting and
 * related problems", CACM 31 (1988): log min(M, rows, columns) / log(M / B) passes for memory M and blocks B. */
#ifndef RASK_COLLECTIONS_ARRAY_RECHUNK_H
#define RASK_COLLECTIONS_ARRAY_RECHUNK_H

#include "collections/array/lower.h"

enum { RK_RECHUNK_PASSES = 8 };

/* Lengths of chunks before and after each pass. */
typedef struct rk_rechunk_plan {
    uint32_t passes; /* 1 or more */
    double group;    /* elements of the largest group */
    int64_t lengths[RK_RECHUNK_PASSES + 1][RASK_MAX_DIMENSIONS];
} rk_rechunk_plan;

/* The fewest passes from one regular grid to another with groups of at most `most` elements; when there is no such plan,
 * the one with the smallest groups. Lengths are 1 or more. */
void rk_rechunk_find(uint32_t ndim, const int64_t *shape, const int64_t *from, const int64_t *to, double most,
                     rk_rechunk_plan *plan);

/* a's elements in chunks of these lengths (1 or more), whatever a's own. a has axes. RASK_OK, or latched. */
int rk_rechunk_lower(rk_lowering *lowering, rask_array *a, const int64_t *lengths, rk_chunks *chunks);

/* Elements per axis that the user wished a's chunks to have, 0: any: of a itself, or of what it is made of element by
 * element; NULL: nothing was wished. Belongs to the array. */
const int64_t *rk_rechunk_wish(const rask_array *a);

/* Whether each chunk is one run of elements, counting in C order over the whole array. */
bool rk_grid_is_flat(const rk_chunks *grid);
/* Lengths of such chunks for a shape, of about bytes. */
void rk_grid_flat(uint64_t bytes, size_t element, uint32_t ndim, const int64_t *shape, int64_t *lengths);

/* a in chunks that are one run each; a itself where its elements can be read one by one. */
rask_array *rk_rechunk_flat(rask_array *a, const char *file, int line);

#endif
