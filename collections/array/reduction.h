/* collections/array/reduction: reductions of some elements, and from a first value on. */
#ifndef RASK_COLLECTIONS_ARRAY_REDUCTION_H
#define RASK_COLLECTIONS_ARRAY_REDUCTION_H

#include "collections/array/array.h"

/* rask_array_reduce_at() where o->where or o->initial is set; the rest of o has been looked at. who: the call, for messages. NULL,
 * latched. */
rask_array *rk_reduce_where(rask_reduction op, const char *who, rask_array *a, const rask_reduce_options *o,
                            const char *file, int line);

#endif
