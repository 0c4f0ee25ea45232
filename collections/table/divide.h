/* collections/table/divide: the rows of a builder as several chunks. */
#ifndef RASK_COLLECTIONS_TABLE_DIVIDE_H
#define RASK_COLLECTIONS_TABLE_DIVIDE_H

#include "collections/table/chunk.h"

/* A chunk for each of the parts goes to out[0 … parts - 1]: the rows whose part[] it is, in their order. The memory of each column goes
 * once it is divided: the builder can only be ended. RASK_OK, or as rask_value_bytes_alloc() fails, and then there are none. */
int rk_chunk_divide(rk_chunk_builder *b, const uint32_t *part, uint32_t parts, rask_value *out);

#endif
