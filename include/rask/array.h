/* rask/array.h: n-dimensional arrays larger than memory.
 *
 * A rask_array is an expression: where elements come from and what is done to them. Building one checks shapes, dtypes
 * and axes at once, by NumPy's rules, and reads at most the header of a file; nothing is computed. When a result is
 * asked for, the expression is simplified, element-wise operations are fused into one pass over cache-sized strips,
 * and chunk tasks are written into the graph, as large as the memory budget allows.
 *
 * Arrays belong to their graph and live as long. Builders take NULL and return NULL, and latch the first error in the
 * graph (rask/graph.h). An array is built by one thread at a time, with its graph.
 *
 * Most calls below end in _at and take the place that errors name. In C, rask/sugar.h, which rask/rask.h includes, has
 * a macro for each without that: rask_array_sum(a, axis), rask_array_zeros(…), rask_array_add(a, 2.5), slices such as
 * RASK_RANGE(1, -1), and rask_compute(array, &number).
 *
 * Types. Numbers given as C scalars are weak: an integer takes the dtype of the array it meets, a double at least f32's
 * kind of float, a complex number a complex one; 0-dimensional arrays are arrays. That is NumPy 2's promotion.
 *
 * Same bits. What is computed does not depend on chunks, scheduler, workers or budget: reductions are pairwise within
 * strips and go by a fixed tree across them, both given by the shape alone. */
#ifndef RASK_ARRAY_H
#define RASK_ARRAY_H

#include <limits.h>
#include <rask/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rask_array rask_array;

/* A node of a graph or a number, as an argument. */
typedef enum rask_operand_kind {
    RASK_OPERAND_ARRAY,
    RASK_OPERAND_BOOL,
    RASK_OPERAND_I64,
    RASK_OPERAND_U64,
    RASK_OPERAND_F64,
    RASK_OPERAND_C128,
} rask_operand_kind;

typedef struct rask_operand {
    uint32_t kind;
    union {
        rask_array *array;
        bool boolean;
        int64_t i64;
        uint64_t u64;
        double f64;
        double c128[2];
    } as;
} rask_operand;

/* Element-wise operations: enumerator, name as NumPy has it. Some functions of rask/sugar.h are shorter: abs for absolute. */
#define RASK_UNARY_TABLE(X)                                                                                  \
    X(NEGATIVE, negative)                                                                                    \
    X(POSITIVE, positive)                                                                                    \
    X(ABSOLUTE, absolute)                                                                                    \
    X(SIGN, sign)                                                                                            \
    X(SQUARE, square)                                                                                        \
    X(SQRT, sqrt)                                                                                            \
    X(CBRT, cbrt)                                                                                            \
    X(RECIPROCAL, reciprocal)                                                                                \
    X(EXP, exp)                                                                                              \
    X(EXP2, exp2)                                                                                            \
    X(EXPM1, expm1)                                                                                          \
    X(LOG, log)                                                                                              \
    X(LOG2, log2)                                                                                            \
    X(LOG10, log10)                                                                                          \
    X(LOG1P, log1p)                                                                                          \
    X(SIN, sin)                                                                                              \
    X(COS, cos)                                                                                              \
    X(TAN, tan)                                                                                              \
    X(ARCSIN, arcsin)                                                                                        \
    X(ARCCOS, arccos)                                                                                        \
    X(ARCTAN, arctan)                                                                                        \
    X(SINH, sinh)                                                                                            \
    X(COSH, cosh)                                                                                            \
    X(TANH, tanh)                                                                                            \
    X(ARCSINH, arcsinh)                                                                                      \
    X(ARCCOSH, arccosh)                                                                                      \
    X(ARCTANH, arctanh)                                                                                      \
    X(FLOOR, floor)                                                                                          \
    X(CEIL, ceil)                                                                                            \
    X(TRUNC, trunc)                                                                                          \
    X(RINT, rint)                                                                                            \
    X(INVERT, invert)                                                                                        \
    X(LOGICAL_NOT, logical_not)                                                                              \
    X(ISNAN, isnan)                                                                                          \
    X(ISINF, isinf)                                                                                          \
    X(ISFINITE, isfinite)                                                                                    \
    X(SIGNBIT, signbit)                                                                                      \
    X(REAL, real)                                                                                            \
    X(IMAG, imag)                                                                                            \
    X(CONJ, conj)                                                                                            \
    X(ANGLE, angle)                                                                                          \
    X(DEG2RAD, deg2rad)                                                                                      \
    X(RAD2DEG, rad2deg)

#define RASK_BINARY_TABLE(X)                                                                                 \
    X(ADD, add)                                                                                              \
    X(SUB, subtract)                                                                                         \
    X(MUL, multiply)                                                                                         \
    X(DIV, divide)                                                                                           \
    X(FLOOR_DIVIDE, floor_divide)                                                                            \
    X(REMAINDER, remainder)                                                                                  \
    X(FMOD, fmod)                                                                                            \
    X(POWER, power)                                                                                          \
    X(MINIMUM, minimum)                                                                                      \
    X(MAXIMUM, maximum)                                                                                      \
    X(FMIN, fmin)                                                                                            \
    X(FMAX, fmax)                                                                                            \
    X(ARCTAN2, arctan2)                                                                                      \
    X(HYPOT, hypot)                                                                                          \
    X(COPYSIGN, copysign)                                                                                    \
    X(EQUAL, equal)                                                                                          \
    X(NOT_EQUAL, not_equal)                                                                                  \
    X(LESS, less)                                                                                            \
    X(LESS_EQUAL, less_equal)                                                                                \
    X(GREATER, greater)                                                                                      \
    X(GREATER_EQUAL, greater_equal)                                                                          \
    X(LOGICAL_AND, logical_and)                                                                              \
    X(LOGICAL_OR, logical_or)                                                                                \
    X(LOGICAL_XOR, logical_xor)                                                                              \
    X(BITWISE_AND, bitwise_and)                                                                              \
    X(BITWISE_OR, bitwise_or)                                                                                \
    X(BITWISE_XOR, bitwise_xor)                                                                              \
    X(LEFT_SHIFT, left_shift)                                                                                \
    X(RIGHT_SHIFT, right_shift)

typedef enum rask_unary {
#define RASK_UNARY_ENUM(name, numpy) RASK_UNARY_##name,
    RASK_UNARY_TABLE(RASK_UNARY_ENUM)
#undef RASK_UNARY_ENUM
        RASK_UNARY_COUNT
} rask_unary;

typedef enum rask_binary {
#define RASK_BINARY_ENUM(name, numpy) RASK_BINARY_##name,
    RASK_BINARY_TABLE(RASK_BINARY_ENUM)
#undef RASK_BINARY_ENUM
        RASK_BINARY_COUNT
} rask_binary;

/* Asking. shape is valid as long as the array; NULL arrays have dtype RASK_DT_COUNT and no dimensions. */
RASK_API rask_graph *rask_array_graph(const rask_array *array);
RASK_API rask_dtype rask_array_dtype(const rask_array *array);
RASK_API uint32_t rask_array_ndim(const rask_array *array);
RASK_API const int64_t *rask_array_shape(const rask_array *array);
RASK_API int64_t rask_array_size(const rask_array *array); /* elements */

/* "float64", …; NULL for a number that is no dtype. And back, from NumPy's names, "f8", "<f8", "f64", "int", "?" and so on:
 * RASK_EINVAL. */
RASK_API const char *rask_dtype_name(rask_dtype dtype);
RASK_API int rask_dtype_parse(const char *text, rask_dtype *dtype);
/* The dtype that values of both fit into, as numpy.promote_types. */
RASK_API rask_dtype rask_dtype_promote(rask_dtype a, rask_dtype b);

/* -- Where elements come from ------------------------------------------------------------------------------- */

/* How a file is to be read. Zero: by its ending and header. */
typedef struct rask_open_options {
    size_t size;        /* sizeof(rask_open_options) */
    const char *format; /* "npy", "npz", "raw", "hdf5", "zarr"; NULL: by the path */
    const char
        *member; /* of an .npz ("x" or "x.npy"), path of a dataset in HDF5, of an array in a Zarr group */
    rask_dtype dtype; /* raw: of the elements */
    uint32_t ndim;    /* raw: 0: one dimension, as long as the file */
    const int64_t *shape;
    uint64_t offset; /* raw: bytes before the first element */
    bool big_endian; /* raw */
    bool fortran;    /* raw: first axis varies fastest */
    const int64_t
        *chunks; /* elements per axis of chunks, 0 or NULL: chosen; what rask_array_rechunk() takes */
    uint32_t chunk_count;
    int stack_axis; /* a glob: files are put together along this axis, or a new first one: RASK_STACK_NEW */
} rask_open_options;

#define RASK_STACK_NEW INT_MIN

/* In a call of the macro, options that are written in place stand in parentheses, as the commas in their braces would
 * part arguments: rask_array_open(g, path, (&(rask_open_options){.size = sizeof(rask_open_options), .member = "x"})).
 *
 * An array in a file: .npy, .npz (members stored uncompressed), .h5/.hdf5, .zarr (a folder), or raw binary; a glob
 * pattern of .npy files gives them stacked, in the order of their names. options may be NULL. The header is read now;
 * the file must stay as it is until the last compute: one that got shorter fails the run with RASK_EIO.
 * RASK_ENOENT, RASK_EIO, RASK_EFORMAT: with path and reason; RASK_EUNSUPPORTED: a module is missing. */
RASK_API rask_array *rask_array_open_at(rask_graph *graph, const char *path, const rask_open_options *options,
                                        const char *file, int line);
#define rask_array_open(graph, path, options) rask_array_open_at(graph, path, options, __FILE__, __LINE__)

/* The elements of block, which is copied, or borrowed: then its memory must stay unchanged until the last compute. */
RASK_API rask_array *rask_array_from_block_at(rask_graph *graph, const rask_block *block, bool borrow,
                                              const char *file, int line);
#define rask_array_from_block(graph, block, borrow)                                                          \
    rask_array_from_block_at(graph, block, borrow, __FILE__, __LINE__)

/* What a node will give: a block of this dtype and shape, or for no dimensions a number. Checked when it runs. */
RASK_API rask_array *rask_array_from_node_at(rask_node *node, rask_dtype dtype, uint32_t ndim,
                                             const int64_t *shape, const char *file, int line);
#define rask_array_from_node(node, dtype, ndim, shape)                                                       \
    rask_array_from_node_at(node, dtype, ndim, shape, __FILE__, __LINE__)

/* Fills count[0] × … elements from start on, in C order, at data. Returns 0 or a status, with a reason of at most
 * capacity bytes in message. Called from any worker, from several at once. */
typedef int (*rask_array_fill)(void *context, const int64_t *start, const int64_t *count, void *data,
                               char *message, size_t capacity);
/* chunks: elements per axis of the boxes that fill is asked for; 0, NULL: chosen. context must live until the last
 * compute. */
RASK_API rask_array *rask_array_from_callback_at(rask_graph *graph, rask_array_fill fill, void *context,
                                                 rask_dtype dtype, uint32_t ndim, const int64_t *shape,
                                                 const int64_t *chunks, const char *file, int line);
#define rask_array_from_callback(graph, fill, context, dtype, ndim, shape, chunks)                           \
    rask_array_from_callback_at(graph, fill, context, dtype, ndim, shape, chunks, __FILE__, __LINE__)

/* value, which may be an array that broadcasts to shape, cast to dtype. RASK_ERANGE: a number that does not fit. */
RASK_API rask_array *rask_array_full_at(rask_graph *graph, rask_dtype dtype, uint32_t ndim,
                                        const int64_t *shape, rask_operand value, const char *file, int line);
/* start, start + step, … below stop (above, when step is negative). Integers stay exact. dtype RASK_DT_COUNT: i64 (u64 where
 * i64 is too small) of integers, else f64. */
RASK_API rask_array *rask_array_arange_at(rask_graph *graph, rask_operand start, rask_operand stop,
                                          rask_operand step, rask_dtype dtype, const char *file, int line);
RASK_API rask_array *rask_array_linspace_at(rask_graph *graph, double start, double stop, int64_t count,
                                            bool endpoint, const char *file, int line);
/* Ones on the diagonal-th diagonal of rows × columns. */
RASK_API rask_array *rask_array_eye_at(rask_graph *graph, int64_t rows, int64_t columns, int64_t diagonal,
                                       rask_dtype dtype, const char *file, int line);

/* Random numbers by Philox 4x32-10 (J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), counted
 * by the element's index: the same whatever the chunks and workers. Elements are independent for different seeds.
 *   uniform   f64 in [low, high)
 *   normal    f64 of that mean and standard deviation
 *   integers  i64 in [low, high), unbiased */
RASK_API rask_array *rask_array_uniform_at(rask_graph *graph, uint64_t seed, double low, double high,
                                           uint32_t ndim, const int64_t *shape, const char *file, int line);
RASK_API rask_array *rask_array_normal_at(rask_graph *graph, uint64_t seed, double mean, double deviation,
                                          uint32_t ndim, const int64_t *shape, const char *file, int line);
RASK_API rask_array *rask_array_integers_at(rask_graph *graph, uint64_t seed, int64_t low, int64_t high,
                                            uint32_t ndim, const int64_t *shape, const char *file, int line);

/* -- Element by element ----------------------------------------------------------------------------------- */

RASK_API rask_array *rask_array_unary_at(rask_unary op, rask_array *a, const char *file, int line);
RASK_API rask_array *rask_array_binary_at(rask_binary op, rask_operand a, rask_operand b, const char *file,
                                          int line);
/* condition ? a : b. */
RASK_API rask_array *rask_array_where_at(rask_array *condition, rask_operand a, rask_operand b,
                                         const char *file, int line);
/* Rounded to so many decimals (may be negative), half to even. */
RASK_API rask_array *rask_array_round_at(rask_array *a, int decimals, const char *file, int line);
RASK_API rask_array *rask_array_astype_at(rask_array *a, rask_dtype dtype, const char *file, int line);

/* -- Reductions -------------------------------------------------------------------------------------------- */

/* Enumerator, NumPy's name. */
#define RASK_REDUCTION_TABLE(X)                                                                              \
    X(SUM, sum)                                                                                              \
    X(PROD, prod)                                                                                            \
    X(MIN, min)                                                                                              \
    X(MAX, max)                                                                                              \
    X(MEAN, mean)                                                                                            \
    X(VAR, var)                                                                                              \
    X(STD, std)                                                                                              \
    X(ANY, any)                                                                                              \
    X(ALL, all)                                                                                              \
    X(ARGMIN, argmin)                                                                                        \
    X(ARGMAX, argmax)                                                                                        \
    X(COUNT_NONZERO, count_nonzero)                                                                          \
    X(NANSUM, nansum)                                                                                        \
    X(NANPROD, nanprod)                                                                                      \
    X(NANMIN, nanmin)                                                                                        \
    X(NANMAX, nanmax)                                                                                        \
    X(NANMEAN, nanmean)                                                                                      \
    X(NANVAR, nanvar)                                                                                        \
    X(NANSTD, nanstd)                                                                                        \
    X(NANARGMIN, nanargmin)                                                                                  \
    X(NANARGMAX, nanargmax)

typedef enum rask_reduction {
#define RASK_REDUCTION_ENUM(name, numpy) RASK_REDUCE_##name,
    RASK_REDUCTION_TABLE(RASK_REDUCTION_ENUM)
#undef RASK_REDUCTION_ENUM
        RASK_REDUCE_COUNT
} rask_reduction;

#define RASK_ALL INT_MIN /* as an axis: all of them */

typedef struct rask_reduce_options {
    size_t size;         /* sizeof(rask_reduce_options) */
    const int *axes;     /* negative ones count from the last */
    uint32_t axis_count; /* 0: all */
    bool keepdims;
    double ddof;     /* var and std: the divisor is count - ddof */
    uint32_t fan_in; /* partial results combined by one task; 0: chosen. The bits do not depend on it */
    bool own_dtype;
    rask_dtype dtype; /* with own_dtype: that sums and products are made in */
    /* Elements where this is true alone, bools or integers that are not 0, of a shape that broadcasts to the array's; NULL: all. min and max then need initial; not
     * for arg reductions and count_nonzero. var and std take two passes then. */
    rask_array *where;
    /* Of sum, prod, min and max: one more value, a number or an array of one, which the dtype of the result can hold. RASK_ETYPE */
    const rask_operand *initial;
} rask_reduce_options;

/* NULL options: all axes. var and std take one pass (T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise
 * algorithm for computing sample variances", 1979). arg reductions: one axis, or all: then the index in C order. */
RASK_API rask_array *rask_array_reduce_at(rask_reduction op, rask_array *a,
                                          const rask_reduce_options *options, const char *file, int line);
/* Along one axis, or RASK_ALL. */
RASK_API rask_array *rask_array_reduce_axis_at(rask_reduction op, rask_array *a, int axis, const char *file,
                                               int line);

/* Along one axis; RASK_ALL: of the array in C order. One element after another, as NumPy; sums of floats over more than 2^20
 * elements along an axis, in fewer than 64 lines, by pieces of 4096, whose rounding differs. */
RASK_API rask_array *rask_array_cumsum_at(rask_array *a, int axis, const char *file, int line);
RASK_API rask_array *rask_array_cumprod_at(rask_array *a, int axis, const char *file, int line);

/* Counts of elements in bins between edges that are ascending, the last bin closed: i64[edge_count - 1]. As
 * numpy.histogram. */
RASK_API rask_array *rask_array_histogram_at(rask_array *a, const double *edges, size_t edge_count,
                                             const char *file, int line);
/* The same in bins of one width, over range[0] … range[1], or from the smallest to the largest element when range is
 * NULL; *edges (may be NULL) are set to where they begin and end, computed as NumPy does. */
RASK_API rask_array *rask_array_histogram_bins_at(rask_array *a, int64_t bins, const double *range,
                                                  rask_array **edges, const char *file, int line);
/* The q-th quantiles, 0 … 1, exact, by linear interpolation, in some passes over the data and little memory. axis:
 * one, or RASK_ALL. The result is f64 and has count elements as its first axis; with count 0 and one value in q, no such
 * axis. NaN when one is among the elements; nanquantile leaves them out. */
RASK_API rask_array *rask_array_quantile_at(rask_array *a, const double *q, size_t count, int axis,
                                            const char *file, int line);
RASK_API rask_array *rask_array_nanquantile_at(rask_array *a, const double *q, size_t count, int axis,
                                               const char *file, int line);
/* The same with q in 0 … 100. */
RASK_API rask_array *rask_array_percentile_at(rask_array *a, const double *q, size_t count, int axis,
                                              const char *file, int line);
/* The middle element, or the mean of the two: f32 of f32, else f64. */
RASK_API rask_array *rask_array_median_at(rask_array *a, int axis, const char *file, int line);
RASK_API rask_array *rask_array_nanmedian_at(rask_array *a, int axis, const char *file, int line);
/* The k largest elements of a 1-d array, largest first; with k negative the -k smallest, smallest first. All of them when
 * it has fewer. NaN counts as larger than any number, as in numpy.sort. */
RASK_API rask_array *rask_array_topk_at(rask_array *a, int64_t k, const char *file, int line);
/* Along one axis in ascending order, or RASK_ALL: all elements, 1-d. NaN come last; complex numbers go by their real part
 * first. argsort: where they were (i64), equal ones in order. A line that does not fit half of the memory budget, with its
 * indices, is sorted through a file in the folder for scratch files; on a cluster, and in nodes made without options, it must fit
 * the budget. */
RASK_API rask_array *rask_array_sort_at(rask_array *a, int axis, const char *file, int line);
RASK_API rask_array *rask_array_argsort_at(rask_array *a, int axis, const char *file, int line);
/* The distinct elements in ascending order, and, when counts is not NULL, how often each occurs. How many there are
 * must be known to build on, so that this computes a, now, with options (NULL: defaults). */
RASK_API rask_array *rask_array_unique_at(rask_array *a, rask_array **counts, const rask_options *options,
                                          const char *file, int line);
/* The same later: arrays have shapes, but the values of nodes may have any length. Nodes of a's graph that give 1-d blocks, for
 * tasks to take; *counts (counts may be NULL) gives i64. Lowered for the budget, the workers and the scheduler of options (NULL:
 * defaults, for any scheduler), as by rask_array_node_at(). NULL: failed, and the graph says why. */
RASK_API rask_node *rask_array_unique_node_at(rask_array *a, rask_node **counts, const rask_options *options,
                                              const char *file, int line);
/* As numpy.convolve, of two 1-d arrays with elements: result i is the sum of a[i - k] v[k], added up from k = 0 on, for
 *   FULL   all i where some are there: as many elements as both together, less one
 *   SAME   those in the middle: as many as the longer one has
 *   VALID  those of which none is missing
 * The shorter one must fit each task. RASK_EINVAL: not 1-d, or without elements. */
typedef enum rask_convolve_mode {
    RASK_CONVOLVE_FULL,
    RASK_CONVOLVE_SAME,
    RASK_CONVOLVE_VALID
} rask_convolve_mode;
RASK_API rask_array *rask_array_convolve_at(rask_array *a, rask_array *v, rask_convolve_mode mode,
                                            const char *file, int line);
/* As numpy.interp: the function that is fp at xp, and between two of them a line, at each element of x. What is left of all xp
 * has *left (NULL: fp's first element), right of them *right (NULL: its last). f64, or of complex fp c128. xp and fp are 1-d, as
 * long, and fit each task; an xp below the one before it fails when it runs: RASK_EINVAL, with its number. */
RASK_API rask_array *rask_array_interp_at(rask_array *x, rask_array *xp, rask_array *fp,
                                          const rask_operand *left, const rask_operand *right,
                                          const char *file, int line);
/* Vector norm over all elements or one axis; ord: 0, 1, 2, INFINITY, -INFINITY, or another p. */
RASK_API rask_array *rask_array_norm_at(rask_array *a, double ord, int axis, const char *file, int line);

/* -- Shape -------------------------------------------------------------------------------------------------- */

/* One axis of a slice. */
typedef struct rask_slice {
    uint32_t kind;             /* RASK_SLICE_… */
    int64_t start, stop, step; /* as in Python; RASK_DEFAULT: left out. INDEX: start alone */
} rask_slice;
enum { RASK_SLICE_RANGE, RASK_SLICE_INDEX, RASK_SLICE_NEWAXIS, RASK_SLICE_ELLIPSIS };
#define RASK_DEFAULT INT64_MIN

/* Basic slicing: axes beyond count are taken whole. An index out of bounds is an error, ranges are clipped. */
RASK_API rask_array *rask_array_slice_at(rask_array *a, const rask_slice *slices, uint32_t count,
                                         const char *file, int line);
/* axes NULL: reversed. */
RASK_API rask_array *rask_array_transpose_at(rask_array *a, const int *axes, uint32_t count, const char *file,
                                             int line);
RASK_API rask_array *rask_array_broadcast_to_at(rask_array *a, uint32_t ndim, const int64_t *shape,
                                                const char *file, int line);
/* One length may be -1. C order. */
RASK_API rask_array *rask_array_reshape_at(rask_array *a, uint32_t ndim, const int64_t *shape,
                                           const char *file, int line);
RASK_API rask_array *rask_array_ravel_at(rask_array *a, const char *file, int line);
RASK_API rask_array *rask_array_squeeze_at(rask_array *a, int axis, const char *file,
                                           int line); /* RASK_ALL */
RASK_API rask_array *rask_array_expand_dims_at(rask_array *a, int axis, const char *file, int line);
RASK_API rask_array *rask_array_flip_at(rask_array *a, int axis, const char *file, int line); /* RASK_ALL */
RASK_API rask_array *rask_array_swapaxes_at(rask_array *a, int first, int second, const char *file, int line);
RASK_API rask_array *rask_array_moveaxis_at(rask_array *a, int from, int to, const char *file, int line);
/* Elements (i, i + offset) of two axes, for all indices of the others, as the last axis. RASK_EINVAL: fewer than two axes, or one
 * twice. */
RASK_API rask_array *rask_array_diagonal_at(rask_array *a, int64_t offset, int axis1, int axis2,
                                            const char *file, int line);
/* Elements of one axis by number, negative ones from the end; indices: 1-d, integers. Where many computed numbers of a large a are
 * taken, a file in the scratch folder saves time, whatever memory there is; without one it goes as it can. */
RASK_API rask_array *rask_array_take_at(rask_array *a, rask_array *indices, int axis, const char *file,
                                        int line);
/* Elements of one axis where mask (1-d, bool, as long as the axis) is true; axis RASK_ALL: mask has a's shape and the
 * result is 1-d. How many they are must be known to build on: mask is computed now, with options (NULL: defaults). */
RASK_API rask_array *rask_array_compress_at(rask_array *a, rask_array *mask, int axis,
                                            const rask_options *options, const char *file, int line);
/* The elements where mask, of a's shape, is true, later: a node that gives a 1-d block, in C order, however many they are.
 * As rask_array_unique_node_at(). */
RASK_API rask_node *rask_array_compress_node_at(rask_array *a, rask_array *mask, const rask_options *options,
                                                const char *file, int line);
RASK_API rask_array *rask_array_concatenate_at(rask_array *const *arrays, uint32_t count, int axis,
                                               const char *file, int line);
RASK_API rask_array *rask_array_stack_at(rask_array *const *arrays, uint32_t count, int axis,
                                         const char *file, int line);
/* rows × columns arrays, in C order, put together along the last two axes. */
RASK_API rask_array *rask_array_block_at(rask_array *const *arrays, uint32_t rows, uint32_t columns,
                                         const char *file, int line);
RASK_API rask_array *rask_array_roll_at(rask_array *a, int64_t shift, int axis, const char *file, int line);
RASK_API rask_array *rask_array_repeat_at(rask_array *a, int64_t times, int axis, const char *file, int line);
RASK_API rask_array *rask_array_tile_at(rask_array *a, const int64_t *times, uint32_t count, const char *file,
                                        int line);
typedef enum rask_pad_mode {
    RASK_PAD_CONSTANT,
    RASK_PAD_EDGE,
    RASK_PAD_REFLECT,
    RASK_PAD_SYMMETRIC,
    RASK_PAD_WRAP
} rask_pad_mode;
/* before[i] and after[i] elements at the ends of axis i. */
RASK_API rask_array *rask_array_pad_at(rask_array *a, const int64_t *before, const int64_t *after,
                                       rask_pad_mode mode, rask_operand value, const char *file, int line);
/* Chunks of so many elements per axis; 0: chosen. What is computed stays the same; where chunks are held, and in files
 * with chunks that a or what is made of it element by element is written to, they have this shape. */
RASK_API rask_array *rask_array_rechunk_at(rask_array *a, const int64_t *chunks, uint32_t count,
                                           const char *file, int line);

/* Where a chunk is, for functions over chunks. */
typedef struct rask_chunk {
    uint64_t number; /* in C order over the chunks, from 0 */
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS]; /* of the whole array */
    int64_t start[RASK_MAX_DIMENSIONS]; /* of the chunk in it; out->shape says how long it is */
    int64_t
        before[RASK_MAX_DIMENSIONS]; /* elements of the surroundings in front of the chunk along each axis, */
    int64_t after[RASK_MAX_DIMENSIONS]; /* and behind it: 0 but for rask_array_map_overlap() */
} rask_chunk;

/* Computes one chunk: in[0 … count - 1] are the arrays' elements there, in C order, not to be written to; out has the
 * chunk's shape and the result's dtype, in C order, and every element of it must be set. The same input must give the
 * same output. Returns 0 or a status, with a reason of at most capacity bytes in message. Called from any worker, from
 * several at once; nothing given to it may be kept. */
typedef int (*rask_array_map)(void *context, const rask_chunk *chunk, const rask_block *in, uint32_t count,
                              const rask_block *out, char *message, size_t capacity);
/* function over the chunks of arrays of one shape, which the result has, too. The chunks are those of the first array
 * that has some (rask_array_rechunk()), else chosen. context must live until the last compute. */
RASK_API rask_array *rask_array_map_blocks_at(rask_array *const *arrays, uint32_t count,
                                              rask_array_map function, void *context, rask_dtype dtype,
                                              const char *file, int line);
typedef enum rask_boundary {
    RASK_BOUNDARY_NONE,
    RASK_BOUNDARY_CONSTANT,
    RASK_BOUNDARY_NEAREST,
    RASK_BOUNDARY_REFLECT,
    RASK_BOUNDARY_PERIODIC
} rask_boundary;
/* function sees each chunk with its surroundings: in[0] has depth[i] more elements at both ends of axis i, out has the
 * chunk's shape. Around the array there is
 *   NONE      nothing: chunks at the ends have less around them, as chunk->before and ->after say
 *   CONSTANT  value, as an element of a's dtype
 *   NEAREST   the outer elements again and again
 *   REFLECT   the array mirrored at its edges, outer elements first: b a | a b c
 *   PERIODIC  the array again */
RASK_API rask_array *rask_array_map_overlap_at(rask_array *a, const int64_t *depth, rask_boundary boundary,
                                               double value, rask_array_map function, void *context,
                                               rask_dtype dtype, const char *file, int line);

/* -- Linear algebra (module rask-lapack) and FFT (module rask-fftw) ------------------------------------------- */

/* As NumPy's: stacks of matrices broadcast, vectors lose their axis, products of integers wrap; integers, bools and
 * products with a vector need no module. A missing module is RASK_EUNSUPPORTED, with the packages it is in. */
RASK_API rask_array *rask_array_matmul_at(rask_array *a, rask_array *b, const char *file, int line);
RASK_API rask_array *rask_array_dot_at(rask_array *a, rask_array *b, const char *file, int line);
RASK_API rask_array *rask_array_tensordot_at(rask_array *a, rask_array *b, const int *a_axes,
                                             const int *b_axes, uint32_t count, const char *file, int line);
RASK_API rask_array *rask_array_outer_at(rask_array *a, rask_array *b, const char *file, int line);
/* As numpy.einsum: labels such as "ij,jk->ik" or, with the labels that stand once as the result's, "ij,jk"; "..." for axes that
 * broadcast. Made of matrix products where these serve, two arrays at a time: those after which the least is left. At most 32
 * arrays. RASK_EINVAL: with the labels and the shapes. RASK_ELIMIT: more arrays, labels, or axes of a product on the way than there
 * may be. */
RASK_API rask_array *rask_array_einsum_at(const char *labels, rask_array *const *arrays, uint32_t count,
                                          const char *file, int line);
/* Kronecker's product: every element of a, times all of b. RASK_ELIMIT: more than 8 axes. */
RASK_API rask_array *rask_array_kron_at(rask_array *a, rask_array *b, const char *file, int line);
/* Of vectors of 2 or 3 elements along an axis, which broadcast without it; of two of 2 elements the one element that is not 0,
 * without that axis. RASK_EINVAL: other lengths, or shapes that do not broadcast. */
RASK_API rask_array *rask_array_cross_at(rask_array *a, rask_array *b, int axis, const char *file, int line);
/* Factorisations take matrices with elements; integers become f64.
 *
 * Of a tall matrix (A. Benson, D. Gleich, J. Demmel, "Direct QR factorizations for tall-and-skinny matrices in
 * MapReduce architectures", 2013): a = q r; a = u diag(s) vt. q and r, and u, s and vt are set, or NULL; pass NULL for
 * what is not wanted. q has as many columns as a's shorter side. The diagonal of r is real and not negative. A wide matrix
 * must fit one task for qr; svd takes its transpose. NaN in a fails svd when it runs: RASK_ERANGE. */
RASK_API int rask_array_qr_at(rask_array *a, rask_array **q, rask_array **r, const char *file, int line);
RASK_API int rask_array_svd_at(rask_array *a, rask_array **u, rask_array **s, rask_array **vt,
                               const char *file, int line);
/* a = L Lᵀ (conjugated for complex), L lower; what is above a's diagonal is not looked at. A matrix that is not positive
 * definite fails when it runs: RASK_ERANGE, with the order of the minor. */
RASK_API rask_array *rask_array_cholesky_at(rask_array *a, const char *file, int line);
/* Eigenvalues and, as columns, eigenvectors of length 1: a v = v diag(w). *values or *vectors are set, or NULL; pass NULL for what
 * is not wanted. A matrix has to fit one task, with what it is worked on: about five times as much. One that is not finite fails
 * when it runs: RASK_ERANGE, with the row.
 *   eigh  of a symmetric or hermitian matrix, of which one triangle is looked at, the upper or the lower one: real values, in
 *         ascending order
 *   eig   of any square matrix: values and vectors are complex, also where all of them are real */
RASK_API int rask_array_eigh_at(rask_array *a, bool upper, rask_array **values, rask_array **vectors,
                                const char *file, int line);
RASK_API int rask_array_eig_at(rask_array *a, rask_array **values, rask_array **vectors, const char *file,
                               int line);
/* x with a x = b, b a vector or columns, by LU with partial pivoting; some columns of a (256) must fit one task. A singular
 * matrix fails when it runs: RASK_ERANGE, with the pivot. */
RASK_API rask_array *rask_array_solve_at(rask_array *a, rask_array *b, const char *file, int line);
/* p a = l u: the permutation as p[i], the row of a that is row i; l has ones on its diagonal. */
RASK_API int rask_array_lu_at(rask_array *a, rask_array **p, rask_array **l, rask_array **u, const char *file,
                              int line);
/* x that minimises |a x - b|, a tall and of full rank. A column that depends on others but for rounding fails when it runs:
 * RASK_ERANGE, with its number. */
RASK_API rask_array *rask_array_lstsq_at(rask_array *a, rask_array *b, const char *file, int line);
/* Complex, along one axis; real input gives complex output. inverse: with 1/n. */
RASK_API rask_array *rask_array_fft_at(rask_array *a, int axis, bool inverse, const char *file, int line);
/* Of real input: n/2 + 1 elements; and back to n real ones (n 0: 2 (m - 1)). */
RASK_API rask_array *rask_array_rfft_at(rask_array *a, int axis, const char *file, int line);
RASK_API rask_array *rask_array_irfft_at(rask_array *a, int axis, int64_t n, const char *file, int line);

/* -- Results ----------------------------------------------------------------------------------------------- */

/* A node that gives the array: a number (bool, i64, f64) where that is what a 0-d array holds, else a block in C order.
 * Chunk tasks are written into the graph now, for this memory budget, number of workers and scheduler (NULL: defaults, and
 * any scheduler), and once for each. */
RASK_API rask_node *rask_array_node_at(rask_array *array, const rask_options *options, const char *file,
                                       int line);
#define rask_array_node(array) rask_array_node_at(array, NULL, __FILE__, __LINE__)

/* Computes: into out, whose data and strides the caller provides (shape and dtype must be the array's), or with data
 * NULL into memory of the library: out->release(out->owner) ends it. Several arrays in one pass. Memory of the library
 * is taken from the budget, options->memory, before anything runs, and tasks have what is left of it. */
RASK_API int rask_array_compute(rask_array *const *arrays, uint32_t count, const rask_options *options,
                                rask_block *out);
/* One number: out points to a bool, int64_t, double by kind. What rask_compute() uses for arrays. */
RASK_API int rask_array_compute_out(rask_array *array, const rask_options *options, rask_out_kind kind,
                                    void *out);

/* How a file is to be written. Zero: by its ending. */
typedef struct rask_store_options {
    size_t size;            /* sizeof(rask_store_options) */
    const char *format;     /* "npy", "raw", "hdf5", "zarr" (version 2), "zarr3"; NULL: by the path */
    const char *member;     /* HDF5: path of the dataset; "data" */
    const char *compressor; /* Zarr: "zstd", "gzip", "blosc", "none"; NULL: zstd. HDF5: "gzip" or NULL */
    int level;              /* of the compressor, larger: smaller files, later; 0: its own choice */
    bool fortran;           /* .npy, raw */
    /* Zarr, HDF5: elements per axis; NULL: as rask_array_rechunk() says, else chosen. */
    const int64_t *chunks;
    /* "zarr3", with chunks: elements per axis that share a file, multiples of chunks; NULL: each chunk has its own. */
    const int64_t *shards;
} rask_store_options;

typedef struct rask_store_target {
    rask_array *array;
    const char *path;
    const rask_store_options *options; /* may be NULL */
} rask_store_target;

/* Computes all arrays in one pass and writes each as its chunks are made. A file appears under its name when all is
 * written, or not at all: what was there before stays until then. It is replaced; but an HDF5 file only when it holds the
 * dataset of this name and nothing else, a folder only when it is empty or holds one Zarr array and nothing else, not even
 * attributes. RASK_EEXIST, before anything is computed: something else is in the way, or two targets, of this call or of
 * others in this process that still run, have one path. */
RASK_API int rask_array_store(const rask_store_target *targets, uint32_t count, const rask_options *options);

/* The same of one array, as a file of the kind that the path's ending says. options may be NULL. */
RASK_API int rask_array_write(rask_array *array, const char *path, const rask_options *options);

/* What will be read, moved and held, in words. As rask_plan_explain(). */
RASK_API size_t rask_array_explain(rask_array *array, const rask_options *options, char *buffer,
                                   size_t capacity);

/* The same of rask_array_store(): what it would do, with what it would write. Files that are in place stay as they are;
 * room for the new ones is asked for, and given back. */
RASK_API size_t rask_array_store_explain(const rask_store_target *targets, uint32_t count,
                                         const rask_options *options, char *buffer, size_t capacity);

/* DLPack (dmlc.org), version 0.x: struct DLManagedTensor. In: the array refers to the tensor's memory, which must stay
 * unchanged until the last compute, and calls its deleter when the graph ends; on failure the tensor is still the
 * caller's. Out: block (of rask_array_compute()) becomes a tensor without a copy, whose deleter
 * releases it. RASK_EUNSUPPORTED: device or type. */
struct DLManagedTensor;
RASK_API rask_array *rask_array_from_dlpack_at(rask_graph *graph, struct DLManagedTensor *tensor,
                                               const char *file, int line);
RASK_API int rask_block_to_dlpack(rask_block *block, struct DLManagedTensor **out);

/* -- An expression as text ---------------------------------------------------------------------------------- */

/* NumPy's syntax (docs/eval.md): names[i] means arrays[i]. An error names the character: "1:7: …". */
RASK_API rask_array *rask_eval_at(rask_graph *graph, const char *text, const char *const *names,
                                  rask_array *const *arrays, size_t count, const char *file, int line);
#define rask_eval(graph, text, names, arrays, count)                                                         \
    rask_eval_at(graph, text, names, arrays, count, __FILE__, __LINE__)
/* The same; names may mean numbers, too, which are weak. options: for what has to be computed to know a shape or the
 * edges of bins (masks, unique, histogram); NULL: defaults. */
RASK_API rask_array *rask_eval_operands_at(rask_graph *graph, const char *text, const char *const *names,
                                           const rask_operand *operands, size_t count,
                                           const rask_options *options, const char *file, int line);
/* The same of a text that may give several arrays, such as "mean(a), std(a)" or "svd(a)": at most so many, to arrays. How many they
 * are; 0: failed, and what is in arrays means nothing. */
RASK_API uint32_t rask_eval_several_at(rask_graph *graph, const char *text, const char *const *names,
                                       const rask_operand *operands, size_t count,
                                       const rask_options *options, rask_array **arrays, uint32_t most,
                                       const char *file, int line);

#ifdef __cplusplus
}
#endif

#endif
