/* From reductions to rows. */
#include "collections/array/kernels/reduce.h"

#define ROW(name, numpy) [RASK_REDUCE_##name] = &rk_reduce_##name,
static const rk_reducer_row *const rows[RASK_REDUCE_COUNT] = {RASK_REDUCTION_TABLE(ROW)};

const rk_reducer *rk_reducer_find(rask_reduction op, rask_dtype in)
{
    return &rows[op]->by[in];
}
