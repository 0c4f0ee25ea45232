/* collections/array/kernels: what is done to strips: runs of up to RK_STRIP elements that stay in the first-level cache.
 *
 * Pure functions on contiguous memory, by operation and dtype, vectorised by the compiler for what the machine has
 * (target clones). All are thread-safe. What they compute is NumPy's: integers wrap; division of integers by zero gives
 * 0, of floats Inf or NaN; comparisons with NaN are false; minimum and maximum give NaN when one is, fmin and fmax do
 * not. No operation is contracted with another, so that the bits are those of one operation after another. */
#ifndef RASK_COLLECTIONS_ARRAY_KERNELS_H
#define RASK_COLLECTIONS_ARRAY_KERNELS_H

#include "collections/array/array.h"

#define RK_STRIP 512 /* elements; also the unit of reduction trees: changing it changes results */

typedef void (*rk_unary_kernel)(size_t n, void *out, const void *a);
typedef void (*rk_binary_kernel)(size_t n, void *out, const void *a, const void *b);
typedef void (*rk_where_kernel)(size_t n, void *out, const bool *condition, const void *a, const void *b);

/* vv: both are strips; vs: b is one element; sv: a is. out may be the same memory as a or b, never overlap otherwise. */
typedef struct rk_binary_kernels {
    rk_binary_kernel vv, vs, sv;
} rk_binary_kernels;

/* The dtypes an operation works in and gives, for arguments of dtype a (and b), by NumPy's rules: in: what arguments are
 * cast to first (for POWER, shifts and so on both the same); out: what comes. RASK_ETYPE when the operation is not
 * defined for them (bitwise_and of floats, remainder of complex, subtract of bool, …). */
int rk_unary_types(rask_unary op, rask_dtype a, rask_dtype *in, rask_dtype *out);
int rk_binary_types(rask_binary op, rask_dtype a, rask_dtype b, rask_dtype *in, rask_dtype *out);

/* By operation and the dtype of its arguments (in, above); never NULL for what the calls above give. */
rk_unary_kernel rk_unary_find(rask_unary op, rask_dtype in);
const rk_binary_kernels *rk_binary_find(rask_binary op, rask_dtype in);
rk_where_kernel rk_where_find(rask_dtype dtype);
/* As C casts and NumPy's astype: float to integer truncates, what does not fit wraps as the machine does; anything to
 * bool is != 0; complex to real drops the imaginary part. */
rk_unary_kernel rk_cast_find(rask_dtype from, rask_dtype to);

/* Bytes of each element turned around: in the machine's order from the other one. size: of an element; complex: of each
 * half. n elements in place. */
void rk_swap_bytes(size_t n, rask_dtype dtype, void *data);

/* n elements of size bytes, stride bytes apart (any sign, any alignment), made contiguous. */
void rk_gather(size_t n, size_t size, void *out, const void *in, int64_t stride);
/* A matrix transposed: out[c * rows + r] = in at r * row_stride + c * column_stride (bytes), in blocks that caches like. */
void rk_gather_2d(size_t rows, size_t columns, size_t size, void *out, const void *in, int64_t row_stride,
                  int64_t column_stride);

/* out[i] += in[i] v[0] + in[i - 1] v[1] + … + in[i - count + 1] v[count - 1], one product after the other: n elements of out
 * are the same bits in however many calls. out lies apart from in. Integers wrap; bools: and, then or. */
typedef void (*rk_convolve_kernel)(size_t n, void *out, const void *in, size_t count, const void *v);
rk_convolve_kernel rk_convolve_find(rask_dtype dtype);

/* -- Reductions ------------------------------------------------------------------------------------------------
 *
 * A reduction goes through states. The state of one result has some components (var: count, mean, sum of squares), each
 * an array of its own dtype over the results, one after another: component c of m states is m elements.
 *   strip   n elements, contiguous, into the one state at place `at` of m states. Pairwise by a fixed pattern that depends
 *           on n alone. index: of the first element, for arg reductions.
 *   add     one more element to each of n states, which are at `at` … at + n - 1 of m; index: that all of them get.
 *           Element after element in order, so that a column is added up from the top.
 *   merge   n states of b (at b_at … of b_m) into those of a: a comes first.
 *   finish  m states into results; count: elements that each one had (what strip and add were given), for var: with ddof.
 * init makes states that have seen nothing; merging with them changes nothing. Sums of f32 are made in f32, as in
 * NumPy. arg reductions take the first of equal ones and the first NaN; nanargmin of NaNs alone and min of nothing are
 * errors: finish returns RASK_EINVAL. MEAN of integers, ANY and the like: builders cast the input to what they take. */
enum { RK_MAX_COMPONENTS = 3 };

typedef struct rk_reducer {
    uint32_t components;
    rask_dtype component[RK_MAX_COMPONENTS];
    rask_dtype out;
    void (*init)(size_t m, void *const *states);
    void (*strip)(size_t n, const void *in, int64_t index, size_t at, void *const *states);
    void (*add)(size_t n, const void *in, int64_t index, size_t at, void *const *states);
    void (*merge)(size_t n, void *const *a, size_t a_at, void *const *b, size_t b_at);
    int (*finish)(size_t m, void *const *states, int64_t count, double ddof, void *out);
} rk_reducer;

/* The dtype that a reduction of dtype a is made in (builders cast to it) and the result's: sum of bool and small
 * integers in i64 or u64, mean of integers in f64, … as NumPy. RASK_ETYPE when it is not defined (min of complex is:
 * lexicographic). */
int rk_reduction_types(rask_reduction op, rask_dtype a, rask_dtype *in, rask_dtype *out);

/* For rk_reduction_types()' in; never NULL then. */
const rk_reducer *rk_reducer_find(rask_reduction op, rask_dtype in);

#endif
