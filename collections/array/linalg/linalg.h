/* collections/array/linalg: products, factorisations and Fourier transforms as OPAQUE arrays.
 *
 * What they share. A factorisation is a chain of internal arrays, each an OPAQUE one whose chunks its lower() makes by one
 * call on chunks of those before it, so that what several results need is made once, and `explain` shows the steps.
 *
 * Layout. LAPACK is column-major, chunks are in C order. Factorisations work on the transpose: the chunks of an internal
 * array of shape (columns, rows) are column-major matrices as they lie, and the transposing vanishes into the views that
 * builders put around.
 *
 * Same bits. How a matrix is cut into blocks that meet in one LAPACK call is given by its shape alone; the budget and
 * the workers only say how many of these steps go into one task. */
#ifndef RASK_COLLECTIONS_ARRAY_LINALG_LINALG_H
#define RASK_COLLECTIONS_ARRAY_LINALG_LINALG_H

#include "collections/array/lower.h"
#include "collections/array/modules/fftw.h"
#include "collections/array/modules/lapack.h"

/* -- Modules (module.c) -- */

/* NULL before rk_lapack_need() or the like of FFTW found it once in this process; then it is there for good. */
const rk_lapack_module *rk_lapack(void);
const rk_fftw_module *rk_fftw(void);

/* For builders. RASK_OK, or, latched, RASK_EUNSUPPORTED: "WHO needs the module rask-lapack (…): install …". */
int rk_lapack_need(rask_graph *graph, const char *who, const char *file, int line);
int rk_fftw_need(rask_graph *graph, const char *who, const char *file, int line);

/* For tasks, which may run in another process than built them. RASK_OK, or the task's status after failing it likewise. */
int rk_lapack_load(rask_task *task);
int rk_fftw_load(rask_task *task);

/* -- Builders (operand.c) -- */

/* The dtype that a is computed in: its own when it is a float or complex, else f64. */
rask_dtype rk_linalg_dtype(rask_dtype dtype);

/* a as a matrix of dtype whose sides fit LAPACK, after looking for the module. NULL, latched: "WHO: an array of shape
 * (3,) is no matrix". NULL when a is NULL. */
rask_array *rk_linalg_matrix(rask_array *a, rask_dtype dtype, const char *who, const char *file, int line);
/* The same of a matrix as wide as high, in the dtype that it is computed in. */
rask_array *rk_linalg_square(rask_array *a, const char *who, const char *file, int line);

/* -- Lowering (operand.c) -- */

/* Rows row … row + rows - 1 and so on of a 2-d array. */
rask_node *rk_linalg_tile(rk_lowering *l, rask_array *a, int64_t row, int64_t rows, int64_t column,
                          int64_t columns);
/* A grid of count chunks along axis 1, cut at bounds[0 … count], whose axis 0 is whole. RASK_OK, or latched. */
int rk_linalg_cut(rk_lowering *l, rk_chunks *chunks, int64_t rows, const int64_t *bounds, int64_t count);
/* An OPAQUE array of two axes. */
rask_array *rk_linalg_array(const rk_opaque *opaque, const void *params, size_t size, rask_dtype dtype,
                            int64_t rows, int64_t columns, rask_array *const *inputs, uint32_t count,
                            const char *file, int line);
/* Bytes of a chunk of a such that all workers have some. */
uint64_t rk_linalg_part(rk_lowering *l, const rask_array *a);
/* How many blocks of so many bytes a task may take beside its others: at least 1, at most most. */
int64_t rk_linalg_group(rk_lowering *l, uint64_t bytes, int64_t most);

static inline uint64_t rk_linalg_bytes(rask_dtype dtype, int64_t rows, int64_t columns)
{
    return (uint64_t)rows * (uint64_t)columns * rask_dtype_size(dtype);
}

static inline int64_t rk_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t rk_most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t rk_ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

/* -- Tasks (operand.c) -- */

/* Argument index as a block of dtype with rows × columns elements in C order; 0, or the task's status. */
int rk_linalg_block(rask_task *task, size_t index, rask_dtype dtype, int64_t rows, int64_t columns,
                    rask_block *block);
/* The same with any number of columns, which are columns of a matrix: block->shape tells. */
int rk_linalg_rows(rask_task *task, size_t index, rask_dtype dtype, int64_t rows, rask_block *block);
/* A new result of rows × columns. 0, or the task's status. */
int rk_linalg_result(rask_task *task, rask_dtype dtype, int64_t rows, int64_t columns, rask_block *block,
                     rask_value *value);
/* Scratch memory, to be ended with rk_free(); NULL after failing the task. */
void *rk_linalg_scratch(rask_task *task, uint64_t bytes);

static inline char *rk_at(const void *data, int64_t element, size_t size)
{
    return (char *)(uintptr_t)data + element * (int64_t)size;
}

/* Those of count elements that are finite come first: how many. */
int64_t rk_elements_finite(rask_dtype dtype, const void *first, int64_t count);
/* The real part of an element, and its magnitude's larger part: 0 only for 0. */
double rk_element_real(rask_dtype dtype, const void *element);
bool rk_element_is_zero(rask_dtype dtype, const void *element);
void rk_element_set_one(rask_dtype dtype, void *element); /* of zeroed memory */
/* n elements, stride elements apart, times -1; times i's sign: conjugated. */
void rk_elements_negate(rask_dtype dtype, void *first, int64_t n, int64_t stride);

/* -- Products (product.c): c = a b, or c + a b, in C order; strides of rows in elements; any dtype. Of floats and complex
 * numbers a and b may be transposed: then strides are those of columns -- */

/* Sides of the blocks that gemm takes, several of a row of them at once: what is added up in which order depends on their
 * places alone. Multiples of every BLAS's register blocks. */
enum { RK_PRODUCT_SIDE = 512, RK_PRODUCT_DEPTH = 1024 };

typedef struct rk_product {
    rask_dtype dtype;
    int64_t m, n, k;
    const void *a, *b;
    int64_t a_stride, b_stride;
    bool a_transposed, b_transposed;
    void *c;
    int64_t c_stride;
    bool accumulate;
} rk_product;

void rk_product_run(const rk_product *p);
/* Whether products of such elements go through LAPACK's module; integers and bool do not. */
static inline bool rk_product_is_fast(rask_dtype dtype)
{
    return rk_dtype_is_float(dtype) || rk_dtype_is_complex(dtype);
}

#endif
