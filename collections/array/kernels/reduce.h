/* collections/array/kernels/reduce: what the files of reductions share.
 *
 * A reduction of a dtype is an rk_reducer in the table of its operation. Those whose state is one number that elements
 * are folded into are made by RK_FOLD from a handful of expressions. */
#ifndef RASK_COLLECTIONS_ARRAY_KERNELS_REDUCE_H
#define RASK_COLLECTIONS_ARRAY_KERNELS_REDUCE_H

#include "collections/array/kernels/complexes.h"

#include <assert.h>
#include <string.h>

/* rk_reduce_SUM.by[dtype] and so on. */
typedef struct rk_reducer_row {
    rk_reducer by[RASK_DT_COUNT];
} rk_reducer_row;
#define RK_REDUCE_EXTERN(name, numpy) extern const rk_reducer_row rk_reduce_##name;
RASK_REDUCTION_TABLE(RK_REDUCE_EXTERN)
#undef RK_REDUCE_EXTERN

/* Results that are the first component as it is. size: of one. */
RK_INLINE int rk_finish_copy(size_t m, const void *state, size_t size, void *out)
{
    memcpy(out, state, m * size);
    return RASK_OK;
}

/* op_dtype_init() … _finish() over states of one STATE. how: RK_KERNEL or RK_SCALAR.
 *   EMPTY         what nothing comes to
 *   JOIN(a, b)    two states as one, a comes first
 *   TAKE(x)       an element as a state
 *   strip(n, x)   JOIN over all elements, in an order of its own
 *   added         the function that adds states to states as if they were elements: what merging is
 *   NEEDS_ONE     finish refuses reductions of no elements */
#define RK_FOLD(how, op, dtype, STATE, IN, EMPTY, JOIN, TAKE, whole, added, NEEDS_ONE)                       \
    static void op##_##dtype##_init(size_t m, void *const *states)                                           \
    {                                                                                                        \
        STATE *s = states[0];                                                                                \
        const STATE empty = EMPTY;                                                                           \
        for (size_t i = 0; i < m; i++)                                                                       \
            s[i] = empty;                                                                                    \
    }                                                                                                        \
    static void op##_##dtype##_strip(size_t n, const void *in, int64_t index, size_t at,                     \
                                     void *const *states)                                                    \
    {                                                                                                        \
        STATE *s = (STATE *)states[0] + at;                                                                  \
        (void)index;                                                                                         \
        assert(n <= RK_STRIP);                                                                               \
        const STATE made = whole(n, in);                                                                     \
        *s = JOIN(*s, made);                                                                                 \
    }                                                                                                        \
    how static void op##_##dtype##_add(size_t n, const void *in, int64_t index, size_t at,                   \
                                       void *const *states)                                                  \
    {                                                                                                        \
        STATE *s = (STATE *)states[0] + at;                                                                  \
        const IN *x = in;                                                                                    \
        (void)index;                                                                                         \
        RK_LOOP                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                                     \
            const IN element = x[i];                                                                         \
            const STATE a = s[i], b = TAKE(element);                                                         \
            s[i] = JOIN(a, b);                                                                               \
        }                                                                                                    \
    }                                                                                                        \
    static void op##_##dtype##_merge(size_t n, void *const *to, size_t to_at, void *const *from,             \
                                     size_t from_at)                                                         \
    {                                                                                                        \
        added(n, (const STATE *)from[0] + from_at, 0, to_at, to);                                            \
    }                                                                                                        \
    static int op##_##dtype##_finish(size_t m, void *const *states, int64_t count, double ddof, void *out)   \
    {                                                                                                        \
        (void)ddof;                                                                                          \
        if (NEEDS_ONE && m && !count)                                                                        \
            return RASK_EINVAL;                                                                              \
        return rk_finish_copy(m, states[0], sizeof(STATE), out);                                             \
    }

#define RK_FUNCTIONS(op, dtype)                                                                              \
    .init = op##_##dtype##_init, .strip = op##_##dtype##_strip, .add = op##_##dtype##_add,                   \
    .merge = op##_##dtype##_merge, .finish = op##_##dtype##_finish

/* An entry of a table: states and results of the dtype itself. of: the dtype whose functions they are. */
#define RK_REDUCER(op, dtype, of)                                                                            \
    .by[RASK_DT_##dtype] = {1, {RASK_DT_##dtype}, RASK_DT_##dtype, RK_FUNCTIONS(op, of)},
#define RK_REDUCER_ENTRY(op, dtype, ...) RK_REDUCER(op, dtype, dtype)

#endif
