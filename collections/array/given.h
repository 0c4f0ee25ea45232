/* collections/array/given: arrays over memory of the program's. */
#ifndef RASK_COLLECTIONS_ARRAY_GIVEN_H
#define RASK_COLLECTIONS_ARRAY_GIVEN_H

#include "collections/array/source.h"

/* Whether a block can be an array's elements; else that is latched. borrow: where they are. */
bool rk_block_fits(rask_graph *graph, const rask_block *block, bool borrow, const char *who, const char *file,
                   int line);

/* An array over such a block's memory, or over a copy of it. NULL, latched. */
rask_array *rk_array_from_memory(rask_graph *graph, const rask_block *block, bool copy, const char *who,
                                 const char *file, int line);

#endif
