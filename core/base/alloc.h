/* core/base/alloc: the one door to memory.
 *
 * Everything the library allocates goes through these calls, and they go through the hook that
 * rask_set_allocator() installs. Blocks of RK_ALLOC_LARGE bytes and more come page-aligned straight
 * from the system when no hook is installed, so that million-node arrays get huge pages and large results are
 * used again without page faults.
 * All calls are thread-safe; none blocks longer than the allocator beneath. */
#ifndef RASK_CORE_BASE_ALLOC_H
#define RASK_CORE_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL when there is no memory or when size is 0. The memory is not zeroed. Free with rk_free(). */
void *rk_alloc(size_t size);

/* As rk_alloc() for count * size bytes, zeroed; NULL when the product overflows. */
void *rk_calloc(size_t count, size_t size);

/* As rk_alloc() for count * size bytes; NULL when the product overflows. */
void *rk_alloc_array(size_t count, size_t size);

/* Grows or shrinks ptr (NULL: allocates). On failure NULL is returned and ptr stays valid. */
void *rk_realloc(void *ptr, size_t size);

/* Frees what the calls above returned; NULL is legal. */
void rk_free(void *ptr);

/* Bytes of large blocks that are mapped and not freed. */
uint64_t rk_alloc_mapped(void);

/* Gives memory that small blocks left behind back to the system, where that goes; costs milliseconds. */
void rk_alloc_trim(void);

/* While some bound is set, freed large blocks are kept for reuse only as far as they and the live ones together stay
 * below the least of them; before a block is mapped, kept ones go. A zeroed bound is not set. */
typedef struct rk_alloc_bound {
    uint64_t most;
    bool known;
    struct rk_alloc_bound *next;
} rk_alloc_bound;

void rk_alloc_bound_set(rk_alloc_bound *bound, uint64_t most);
/* Legal for one that is not set. */
void rk_alloc_bound_end(rk_alloc_bound *bound);

/* A copy of len bytes with a NUL behind them; NULL when there is no memory. */
char *rk_strndup(const char *text, size_t len);

#endif
