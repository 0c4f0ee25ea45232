/* collections/array: expressions over n-dimensional arrays, and their lowering to chunk tasks.
 *
 * An expression is a tree of rask_array, shared where the user shared it. Inputs are always older than what uses them.
 * Kinds, and who makes chunks of them:
 *   SOURCE       elements in memory or in a file (source.h)             read where they are used
 *   FILL         elements computed from their index (arange, random)    computed where they are used
 *   SCALAR       one number, 0-d
 *   ELEMENTWISE  one operation; inputs have the result's shape and the operation's dtypes: builders insert
 *                broadcasts and casts                                    fused into whoever uses them
 *   VIEW         another way to count the elements of its input: slice, transpose, broadcast, new axes
 *                                                                       vanish into whoever uses them
 *   REDUCE       reduce.h
 *   OPAQUE       anything else: a class of its own whose lower() makes chunks (lower.h)
 */
#ifndef RASK_COLLECTIONS_ARRAY_ARRAY_H
#define RASK_COLLECTIONS_ARRAY_ARRAY_H

#include "core/graph/graph.h"

#include <rask/array.h>

typedef enum rk_array_kind {
    RK_SOURCE,
    RK_FILL,
    RK_SCALAR,
    RK_ELEMENTWISE,
    RK_VIEW,
    RK_REDUCE,
    RK_OPAQUE,
} rk_array_kind;

/* Operations of ELEMENTWISE: unary, then binary ones, then these. */
enum {
    RK_OP_UNARY = 0,
    RK_OP_BINARY = RASK_UNARY_COUNT,
    RK_OP_WHERE = RASK_UNARY_COUNT + RASK_BINARY_COUNT, /* bool, T, T */
    RK_OP_CAST,                                         /* input's dtype to the array's */
    RK_OP_COUNT,
};

/* How a view finds an element of its input: input index i is start[i] + step[i] * (index along axis from[i]), or
 * start[i] alone where from[i] < 0. Output axes that no input axis comes from are broadcast. */
typedef struct rk_view {
    int8_t from[RASK_MAX_DIMENSIONS];
    int64_t start[RASK_MAX_DIMENSIONS], step[RASK_MAX_DIMENSIONS];
} rk_view;

/* Writes count elements from index on, counting in C order over the whole array. Thread-safe. */
typedef void (*rk_fill_function)(const void *params, const int64_t *shape, uint32_t ndim, int64_t index,
                                 size_t count, void *out);
typedef struct rk_fill {
    rk_fill_function function;
    const void *params; /* in the graph's arena; never changes */
    size_t params_size;
} rk_fill;

typedef struct rk_reduce {
    rask_reduction op;
    bool reduced[RASK_MAX_DIMENSIONS]; /* axes of the input */
    bool keepdims;
    double ddof;
    uint32_t fan_in;
} rk_reduce; /* the input has the dtype that is reduced in: builders cast */

struct rk_lowering;
struct rk_chunks;
struct rk_source;

/* An operation that makes its own chunks. */
typedef struct rk_opaque {
    const char *name;
    /* Fills in *chunks: a grid and a node for each chunk. RASK_OK, or a status latched in the graph. */
    int (*lower)(struct rk_lowering *lowering, rask_array *array, struct rk_chunks *chunks);
    bool own_graph; /* it uses nodes of the array's graph, so that it can only be lowered there */
} rk_opaque;

struct rask_array {
    rask_graph *graph;
    uint32_t kind; /* an rk_array_kind */
    uint32_t op;   /* of ELEMENTWISE */
    rask_dtype dtype;
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS];
    uint32_t input_count;
    rask_array **inputs;
    union {
        struct rk_source *source;
        const rk_fill *fill;
        rask_operand scalar;
        const rk_view *view;
        const rk_reduce *reduce;
        const rk_opaque *opaque;
    } as;
    const void *params; /* of OPAQUE: its own, in the graph's arena */
    size_t params_size;
    int64_t *chunks; /* elements per axis that the user asked for, 0: any; NULL: nothing asked */
    uint32_t number; /* 0, 1, 2, … in the order of building in this graph */
    uint32_t site;   /* rk_graph_site(): where the user built it */
};

/* A new array, like no other, in graph's memory, with room for input_count inputs (already set to inputs); NULL, latched, when there is
 * no memory or more than RASK_MAX_DIMENSIONS axes, or a shape whose bytes do not fit 62 bits, or when the graph is in
 * error or an input is NULL. Shape is copied. */
rask_array *rk_array_new(rask_graph *graph, rk_array_kind kind, rask_dtype dtype, uint32_t ndim,
                         const int64_t *shape, rask_array *const *inputs, uint32_t input_count,
                         const char *file, int line);

/* The array that is built as key is: the one that is there already, or a new one as above, so that equal expressions are
 * one and nothing is computed twice. Equal: all but number, site and chunks; what as and params point at (copied into
 * the graph's arena) byte by byte, so that bytes that mean nothing must be 0. Not for SOURCE. */
rask_array *rk_array_intern(const rask_array *key, const char *file, int line);

/* An OPAQUE array; params is copied into the graph's arena. Equal ones (class, params byte by byte, inputs, dtype,
 * shape) are one array, which must therefore not be written to: params say all there is to say. */
rask_array *rk_array_opaque(rask_graph *graph, const rk_opaque *opaque, const void *params,
                            size_t params_size, rask_dtype dtype, uint32_t ndim, const int64_t *shape,
                            rask_array *const *inputs, uint32_t input_count, const char *file, int line);

/* A VIEW of input with this shape; *view is copied. */
rask_array *rk_array_view(rask_array *input, const rk_view *view, uint32_t ndim, const int64_t *shape,
                          const char *file, int line);

/* Memory that ends with the graph; latches RASK_ENOMEM and returns NULL. */
void *rk_array_memory(rask_graph *graph, size_t size);

/* Calls end(what) when the graph ends. RASK_OK or, latched, RASK_ENOMEM; then end is called at once. */
int rk_array_at_end(rask_graph *graph, void (*end)(void *what), void *what);

/* "(3, 4)", "(5,)", "()" as NumPy prints shapes, for messages. Returns buffer. */
enum { RK_SHAPE_TEXT = 400 };
const char *rk_shape_text(const int64_t *shape, uint32_t ndim, char buffer[RK_SHAPE_TEXT]);

/* The axis counted from 0; -1, latched as RASK_EINVAL ("rask_array_sum: axis 3 of an array of shape (3, 4)"), when there
 * is none. */
int rk_axis(rask_array *a, int axis, const char *who, const char *file, int line);

/* An operand as an array of graph: a SCALAR when it is a number. with: the dtype it meets (weak promotion), or
 * RASK_DT_COUNT: its natural one. RASK_ERANGE when a number does not fit. */
rask_array *rk_operand_array(rask_graph *graph, const rask_operand *operand, rask_dtype with, const char *who,
                             const char *file, int line);

/* a with dtype; a itself when it has it. */
rask_array *rk_array_cast(rask_array *a, rask_dtype dtype, const char *file, int line);

/* The shape both broadcast to: RASK_OK, or RASK_EINVAL and nothing latched. */
int rk_broadcast(uint32_t a_ndim, const int64_t *a, uint32_t b_ndim, const int64_t *b, uint32_t *ndim,
                 int64_t *shape);

static inline bool rk_dtype_is_complex(rask_dtype t)
{
    return t >= RASK_DT_C64;
}
static inline bool rk_dtype_is_float(rask_dtype t)
{
    return t == RASK_DT_F32 || t == RASK_DT_F64;
}
static inline bool rk_dtype_is_signed(rask_dtype t)
{
    return t >= RASK_DT_I8 && t <= RASK_DT_I64;
}
static inline bool rk_dtype_is_unsigned(rask_dtype t)
{
    return t >= RASK_DT_U8 && t <= RASK_DT_U64;
}
static inline bool rk_dtype_is_integer(rask_dtype t)
{
    return t >= RASK_DT_I8 && t <= RASK_DT_U64;
}

/* All of a shape; 1 for no dimensions. Shapes of arrays never overflow it. */
static inline int64_t rk_shape_size(const int64_t *shape, uint32_t ndim)
{
    int64_t size = 1;
    for (uint32_t i = 0; i < ndim; i++)
        size *= shape[i];
    return size;
}

#endif
