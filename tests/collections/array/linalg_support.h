/* What tests of linear algebra and transforms write alike: matrices of small whole numbers, results as complex doubles. */
#ifndef RASK_TESTS_COLLECTIONS_ARRAY_LINALG_SUPPORT_H
#define RASK_TESTS_COLLECTIONS_ARRAY_LINALG_SUPPORT_H

#include <complex.h>
#include <criterion/criterion.h>
#include <math.h>
#include <rask/rask.h>
#include <stdlib.h>
#include <string.h>

#include <rask/array.h>

#define SHAPE(...) ((const int64_t[]){__VA_ARGS__})

/* A matrix in C order that test code owns. */
typedef struct dense {
    int64_t rows, columns;
    double complex *x;
} dense;

static inline double complex *at(const dense *d, int64_t i, int64_t j)
{
    return &d->x[i * d->columns + j];
}

static inline dense dense_new(int64_t rows, int64_t columns)
{
    dense d = {rows, columns, calloc((size_t)(rows * columns) + 1, sizeof *d.x)};
    cr_assert_not_null(d.x);
    return d;
}

/* -range … range, the same for the same seed. */
static inline int64_t whole_number(uint64_t seed, uint64_t i, int64_t range)
{
    uint64_t z = (seed + 1) * 0x9e3779b97f4a7c15u + i * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 30)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (int64_t)(z % (uint64_t)(2 * range + 1)) - range;
}

static inline bool is_complex(rask_dtype dtype)
{
    return dtype == RASK_DT_C64 || dtype == RASK_DT_C128;
}

static inline void store_element(rask_dtype dtype, void *data, int64_t i, double complex z)
{
    double re = creal(z), im = cimag(z);
    switch (dtype) {
    case RASK_DT_BOOL: ((bool *)data)[i] = re != 0; break;
    case RASK_DT_I8: ((int8_t *)data)[i] = (int8_t)re; break;
    case RASK_DT_I16: ((int16_t *)data)[i] = (int16_t)re; break;
    case RASK_DT_I32: ((int32_t *)data)[i] = (int32_t)re; break;
    case RASK_DT_I64: ((int64_t *)data)[i] = (int64_t)re; break;
    case RASK_DT_U8: ((uint8_t *)data)[i] = (uint8_t)(int64_t)re; break;
    case RASK_DT_U16: ((uint16_t *)data)[i] = (uint16_t)(int64_t)re; break;
    case RASK_DT_U32: ((uint32_t *)data)[i] = (uint32_t)(int64_t)re; break;
    case RASK_DT_U64: ((uint64_t *)data)[i] = (uint64_t)(int64_t)re; break;
    case RASK_DT_F32: ((float *)data)[i] = (float)re; break;
    case RASK_DT_F64: ((double *)data)[i] = re; break;
    case RASK_DT_C64: memcpy((float *)data + 2 * i, (float[]){(float)re, (float)im}, 8); break;
    default: memcpy((double *)data + 2 * i, (double[]){re, im}, 16); break;
    }
}

static inline double complex load_element(rask_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case RASK_DT_BOOL: return ((const bool *)data)[i];
    case RASK_DT_I8: return ((const int8_t *)data)[i];
    case RASK_DT_I16: return ((const int16_t *)data)[i];
    case RASK_DT_I32: return ((const int32_t *)data)[i];
    case RASK_DT_I64: return (double)((const int64_t *)data)[i];
    case RASK_DT_U8: return ((const uint8_t *)data)[i];
    case RASK_DT_U16: return ((const uint16_t *)data)[i];
    case RASK_DT_U32: return ((const uint32_t *)data)[i];
    case RASK_DT_U64: return (double)((const uint64_t *)data)[i];
    case RASK_DT_F32: return ((const float *)data)[i];
    case RASK_DT_F64: return ((const double *)data)[i];
    case RASK_DT_C64: return ((const float *)data)[2 * i] + I * ((const float *)data)[2 * i + 1];
    default: return ((const double *)data)[2 * i] + I * ((const double *)data)[2 * i + 1];
    }
}

static inline int64_t size_of(uint32_t ndim, const int64_t *shape)
{
    int64_t size = 1;
    for (uint32_t i = 0; i < ndim; i++)
        size *= shape[i];
    return size;
}

/* An array of these values in C order. */
static inline rask_array *array_of(rask_graph *g, rask_dtype dtype, uint32_t ndim, const int64_t *shape,
                                   const double complex *values)
{
    int64_t size = size_of(ndim, shape), stride = (int64_t)rask_dtype_size(dtype);
    rask_block block = {.dtype = dtype, .ndim = ndim, .data = malloc((size_t)(size * stride) + 1)};
    cr_assert_not_null(block.data);
    for (uint32_t i = ndim; i-- > 0; stride *= shape[i]) {
        block.shape[i] = shape[i];
        block.strides[i] = stride;
    }
    for (int64_t i = 0; i < size; i++)
        store_element(dtype, block.data, i, values[i]);
    rask_array *a = rask_array_from_block(g, &block, false);
    free(block.data);
    cr_assert_not_null(a, "%s", rask_graph_error(g));
    return a;
}

static inline rask_array *matrix_of(rask_graph *g, rask_dtype dtype, const dense *d)
{
    return array_of(g, dtype, 2, SHAPE(d->rows, d->columns), d->x);
}

/* A computation of a fails, which leaves the graph without an error of its own. */
static inline void fail_to_compute(rask_array *a)
{
    rask_block out = {.dtype = RASK_DT_BOOL, .data = &out};
    cr_assert_eq(rask_array_compute(&a, 1, NULL, &out), RASK_EINVAL);
}

/* Whole numbers; with imaginary parts for complex dtypes. */
static inline dense random_dense(uint64_t seed, int64_t rows, int64_t columns, rask_dtype dtype,
                                 int64_t range)
{
    dense d = dense_new(rows, columns);
    for (int64_t i = 0; i < rows * columns; i++)
        d.x[i] = (double)whole_number(seed, (uint64_t)i, range) +
                 (is_complex(dtype) ? I * (double)whole_number(seed + 1000, (uint64_t)i, range) : 0);
    return d;
}

static inline rask_options with(uint32_t workers, uint64_t memory)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.workers = workers;
    o.memory = memory;
    return o;
}

/* The block of an array, which must compute; to be ended with drop(). */
static inline rask_block computed(rask_array *a, const rask_options *o)
{
    rask_block out = {0};
    cr_assert_not_null(a);
    int status = rask_array_compute(&a, 1, o, &out);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(rask_array_graph(a)));
    return out;
}

static inline void drop(rask_block *block)
{
    if (block->release)
        block->release(block->owner);
}

/* The elements of an array, as a matrix of its last axis' length. */
static inline dense values_of(rask_array *a)
{
    rask_options o = with(2, 0);
    rask_block out = computed(a, &o);
    int64_t size = size_of(out.ndim, out.shape), columns = out.ndim ? out.shape[out.ndim - 1] : 1;
    dense d = dense_new(columns ? size / columns : 0, columns);
    for (int64_t i = 0; i < size; i++)
        d.x[i] = load_element(out.dtype, out.data, i);
    drop(&out);
    return d;
}

/* Whether the same bytes come with other budgets and numbers of workers. */
static inline void expect_same_bits_of(rask_array *(*build)(rask_graph *g), const char *name)
{
    const rask_options options[] = {with(2, 0), with(1, 0), with(5, 0), with(2, (uint64_t)256 << 20),
                                    with(3, (uint64_t)160 << 20)};
    rask_block first = {0};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        rask_graph *g = rask_graph_new();
        rask_block next = computed(build(g), &options[i]);
        size_t bytes = (size_t)size_of(next.ndim, next.shape) * rask_dtype_size(next.dtype);
        if (i)
            cr_expect_arr_eq(next.data, first.data, bytes, "%s: other bits with options %zu", name, i);
        if (i)
            drop(&next);
        else
            first = next;
        rask_graph_free(g);
    }
    drop(&first);
}
#define expect_same_bits(build) expect_same_bits_of(build, #build)

/* The largest |a - b|. */
static inline double distance(const dense *a, const dense *b)
{
    double most = 0;
    cr_assert_eq(a->rows * a->columns, b->rows * b->columns);
    for (int64_t i = 0; i < a->rows * a->columns; i++) {
        double d = cabs(a->x[i] - b->x[i]);
        most = d > most || isnan(d) ? d : most;
    }
    return most;
}

/* a b, with a conjugated and transposed when adjoint. */
/* c += z * b, by the letter: what C99 does for infinities takes ten times as long. */
static inline void add_multiple(double complex *c, double complex z, const double complex *b, int64_t n)
{
    double *to = (double *)c;
    const double *from = (const double *)b;
    const double re = creal(z), im = cimag(z);
    for (int64_t j = 0; j < 2 * n; j += 2) {
        to[j] += re * from[j] - im * from[j + 1];
        to[j + 1] += re * from[j + 1] + im * from[j];
    }
}

static inline dense times(const dense *a, bool adjoint, const dense *b)
{
    int64_t rows = adjoint ? a->columns : a->rows, inner = adjoint ? a->rows : a->columns;
    cr_assert_eq(inner, b->rows);
    dense c = dense_new(rows, b->columns);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < inner; k++) {
            double complex z = adjoint ? conj(*at(a, k, i)) : *at(a, i, k);
            if (z != 0)
                add_multiple(at(&c, i, 0), z, at(b, k, 0), b->columns);
        }
    return c;
}

static inline dense identity(int64_t n)
{
    dense d = dense_new(n, n);
    for (int64_t i = 0; i < n; i++)
        *at(&d, i, i) = 1;
    return d;
}

/* A graph, or a skipped test when the module that probe() needs was not built. */
static inline rask_graph *graph_with(rask_array *(*probe)(rask_graph *g), const char *module)
{
    rask_graph *g = rask_graph_new();
    if (!probe(g) && rask_graph_status(g) == RASK_EUNSUPPORTED) {
        rask_graph_free(g);
        cr_skip_test("no module %s", module);
    }
    cr_assert_eq(rask_graph_status(g), RASK_OK, "%s", rask_graph_error(g));
    return g;
}

static inline rask_array *probe_lapack(rask_graph *g)
{
    return rask_array_cholesky_at(array_of(g, RASK_DT_F64, 2, SHAPE(1, 1), (double complex[]){1}), __FILE__,
                                  __LINE__);
}

static inline rask_array *probe_fftw(rask_graph *g)
{
    return rask_array_fft_at(array_of(g, RASK_DT_F64, 1, SHAPE(1), (double complex[]){1}), 0, false, __FILE__,
                             __LINE__);
}

#define LAPACK_GRAPH() graph_with(probe_lapack, "rask-lapack")
#define FFTW_GRAPH()   graph_with(probe_fftw, "rask-fftw")

static inline double tolerance(rask_dtype dtype)
{
    return dtype == RASK_DT_F32 || dtype == RASK_DT_C64 ? 1e-4 : 1e-10;
}

#endif
