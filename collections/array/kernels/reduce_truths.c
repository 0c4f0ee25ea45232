/* any, all and count_nonzero, of bools. */
#include "collections/array/kernels/reduce.h"

RK_KERNEL static int64_t count_true(size_t n, const void *in)
{
    const rk_bool *x = in;
    uint32_t count = 0; /* of a strip: narrow numbers are counted faster */
    for (size_t i = 0; i < n; i++)
        count += x[i] != 0;
    return count;
}

RK_KERNEL static rk_bool any_true(size_t n, const void *in)
{
    const rk_bool *x = in;
    rk_bool seen = 0;
    for (size_t i = 0; i < n; i++)
        seen |= x[i];
    return seen != 0;
}

RK_KERNEL static rk_bool all_true(size_t n, const void *in)
{
    const rk_bool *x = in;
    rk_bool missing = 0;
    for (size_t i = 0; i < n; i++)
        missing |= x[i] == 0;
    return !missing;
}

#define TRUTH(x)  ((x) != 0)
#define OR(a, b)  ((a) | (b))
#define AND(a, b) ((a) & (b))
#define SUM(a, b) ((a) + (b))
RK_FOLD(RK_KERNEL, any, BOOL, rk_bool, rk_bool, 0, OR, TRUTH, any_true, any_BOOL_add, false)
RK_FOLD(RK_KERNEL, all, BOOL, rk_bool, rk_bool, 1, AND, TRUTH, all_true, all_BOOL_add, false)

static void counts_add(size_t n, const int64_t *from, int64_t index, size_t at, void *const *states)
{
    int64_t *s = (int64_t *)states[0] + at;
    (void)index;
    for (size_t i = 0; i < n; i++)
        s[i] += from[i];
}
RK_FOLD(RK_KERNEL, count, BOOL, int64_t, rk_bool, 0, SUM, TRUTH, count_true, counts_add, false)

const rk_reducer_row rk_reduce_ANY = {RK_REDUCER(any, BOOL, BOOL)};
const rk_reducer_row rk_reduce_ALL = {RK_REDUCER(all, BOOL, BOOL)};
const rk_reducer_row rk_reduce_COUNT_NONZERO = {
    .by[RASK_DT_BOOL] = {1, {RASK_DT_I64}, RASK_DT_I64, RK_FUNCTIONS(count, BOOL)}};
