/* From operations to rows. */
#include "collections/array/kernels/kernel.h"

#define UNARY(name, numpy)  [RASK_UNARY_##name] = &rk_unary_##name,
#define BINARY(name, numpy) [RASK_BINARY_##name] = &rk_binary_##name,
static const rk_unary_row *const unary_rows[RASK_UNARY_COUNT] = {RASK_UNARY_TABLE(UNARY)};
static const rk_binary_row *const binary_rows[RASK_BINARY_COUNT] = {RASK_BINARY_TABLE(BINARY)};

rk_unary_kernel rk_unary_find(rask_unary op, rask_dtype in)
{
    return unary_rows[op]->by[in];
}

const rk_binary_kernels *rk_binary_find(rask_binary op, rask_dtype in)
{
    return &binary_rows[op]->by[in];
}
