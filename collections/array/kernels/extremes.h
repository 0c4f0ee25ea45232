/* collections/array/kernels/extremes: the least and the greatest element of a strip, by dtype.
 *
 * min and max give NaN when there is one, nanmin and nanmax when there is nothing else. Of equal zeros either. */
#ifndef RASK_COLLECTIONS_ARRAY_KERNELS_EXTREMES_H
#define RASK_COLLECTIONS_ARRAY_KERNELS_EXTREMES_H

#include "collections/array/kernels/reduce.h"

#define RK_EXTREME(op, D, T, ...) T rk_##op##_run_##D(size_t n, const void *in);
RK_BOOLS(RK_EXTREME, min)
RK_BOOLS(RK_EXTREME, max)
RK_INTEGERS(RK_EXTREME, min)
RK_INTEGERS(RK_EXTREME, max)
RK_FLOATS(RK_EXTREME, min)
RK_FLOATS(RK_EXTREME, max)
RK_FLOATS(RK_EXTREME, nanmin)
RK_FLOATS(RK_EXTREME, nanmax)
RK_COMPLEXES(RK_EXTREME, min)
RK_COMPLEXES(RK_EXTREME, max)
RK_COMPLEXES(RK_EXTREME, nanmin)
RK_COMPLEXES(RK_EXTREME, nanmax)
#undef RK_EXTREME

#endif
