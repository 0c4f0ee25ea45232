/* The product of two square matrices of f64 in memory, by Rask and by one call of a multi-threaded BLAS, by turns; tells
 * the medians and their ratio, and the largest difference.
 * usage: matmul [SIDE [ROUNDS [THREADS]]] */
#include "measure.h"

#include <cblas.h>
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>

#include <rask/array.h>

enum { MOST_ROUNDS = 99 };

/* OpenBLAS has it; others take their number of threads from the environment. */
extern void openblas_set_num_threads(int count) __attribute__((weak));

/* Rask's module sets one thread a call for the whole process. */
static void set_threads(int count)
{
    if (openblas_set_num_threads)
        openblas_set_num_threads(count);
}

static rask_block block_of(double *data, int64_t side)
{
    return (rask_block){.dtype = RASK_DT_F64,
                        .ndim = 2,
                        .shape = {side, side},
                        .strides = {side * (int64_t)sizeof(double), sizeof(double)},
                        .data = data};
}

static double by_blas(double *a, double *b, double *c, int64_t side, int threads)
{
    set_threads(threads);
    double start = bench_now_ns();
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)side, (int)side, (int)side, 1, a, (int)side,
                b, (int)side, 0, c, (int)side);
    double end = bench_now_ns();
    set_threads(1);
    return end - start;
}

/* From the expression to the result in memory; negative after a failure. */
static double by_rask(double *a, double *b, double *c, int64_t side, int threads)
{
    rask_options options = RASK_OPTIONS_INIT;
    rask_block left = block_of(a, side), right = block_of(b, side), out = block_of(c, side);
    options.workers = (uint32_t)threads;
    double start = bench_now_ns();
    rask_graph *g = rask_graph_new();
    rask_array *product = rask_array_matmul_at(rask_array_from_block(g, &left, true),
                                               rask_array_from_block(g, &right, true), __FILE__, __LINE__);
    int status = rask_array_compute(&product, 1, &options, &out);
    if (status)
        fprintf(stderr, "matmul: %s\n", rask_graph_error(g));
    rask_graph_free(g);
    return status ? -1 : bench_now_ns() - start;
}

static double largest_difference(const double *a, const double *b, int64_t count)
{
    double most = 0;
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, fabs(a[i] - b[i]));
    return most;
}

static long number(int argc, char **argv, int index, long otherwise, long most)
{
    long n = argc > index ? strtol(argv[index], NULL, 10) : otherwise;
    return n < 1 ? otherwise : n > most ? most : n;
}

int main(int argc, char **argv)
{
    int64_t side = number(argc, argv, 1, 4096, 32768), count = side * side;
    int rounds = (int)number(argc, argv, 2, 5, MOST_ROUNDS), threads = (int)number(argc, argv, 3, 2, 1024);
    double *m[4], blas[MOST_ROUNDS], rask[MOST_ROUNDS];
    for (int k = 0; k < 4; k++) {
        m[k] = malloc((size_t)count * sizeof(double));
        if (!m[k])
            return 2;
        for (int64_t i = 0; i < count; i++)
            m[k][i] = (double)((i * 2654435761 + k) % 1000) / 500 - 1;
    }
    for (int i = 0; i < rounds; i++) {
        blas[i] = by_blas(m[0], m[1], m[2], side, threads);
        rask[i] = by_rask(m[0], m[1], m[3], side, threads);
        if (rask[i] < 0)
            return 1;
    }
    double blas_ns = bench_median(blas, (size_t)rounds), rask_ns = bench_median(rask, (size_t)rounds);
    printf("%lld x %lld f64, %d threads: BLAS %.3f s, Rask %.3f s, ratio %.2f, largest difference %.1e\n",
           (long long)side, (long long)side, threads, blas_ns * 1e-9, rask_ns * 1e-9, rask_ns / blas_ns,
           largest_difference(m[2], m[3], count));
    for (int k = 0; k < 4; k++)
        free(m[k]);
    return 0;
}
