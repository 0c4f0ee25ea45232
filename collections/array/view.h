/* collections/array/view: what builders of views share. */
#ifndef RASK_COLLECTIONS_ARRAY_VIEW_H
#define RASK_COLLECTIONS_ARRAY_VIEW_H

#include "collections/array/array.h"

/* The view that leaves a as it is, to be changed. */
rk_view rk_view_whole(const rask_array *a);

/* a with this shape, which it is known to broadcast to; a itself when it has it. Takes NULL. */
rask_array *rk_array_broadcast(rask_array *a, uint32_t ndim, const int64_t *shape, const char *file,
                               int line);

/* Whether a shape came with its lengths, none negative, and not too many; else that is latched. */
bool rk_shape_given(rask_graph *graph, uint32_t ndim, const int64_t *shape, const char *who, const char *file,
                    int line);

#endif
