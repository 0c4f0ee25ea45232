/* What tests of scans, histograms, quantiles and sorting share: arrays over memory of the test's, and results of the
 * library's. Options make several budgets and numbers of workers. */
#ifndef TESTS_COLLECTIONS_ARRAY_STATISTICS_H
#define TESTS_COLLECTIONS_ARRAY_STATISTICS_H

#include <criterion/criterion.h>
#include <rask/array.h>
#include <rask/rask.h>
#include <stdlib.h>
#include <string.h>

#define HERE __FILE__, __LINE__

/* The elements at data, in C order, which must stay. */
static inline rask_array *array_of(rask_graph *g, rask_dtype dtype, const void *data, uint32_t ndim,
                                   const int64_t *shape)
{
    rask_block block = {.dtype = dtype, .ndim = ndim, .data = (void *)data};
    int64_t stride = (int64_t)rask_dtype_size(dtype);
    for (uint32_t i = ndim; i-- > 0; stride *= shape[i]) {
        block.shape[i] = shape[i];
        block.strides[i] = stride;
    }
    return rask_array_from_block_at(g, &block, true, HERE);
}

static inline rask_array *vector_of(rask_graph *g, rask_dtype dtype, const void *data, int64_t n)
{
    return array_of(g, dtype, data, 1, &n);
}

/* Small budgets cut arrays into many chunks. */
static inline rask_options options_of(uint64_t memory, uint32_t workers)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.memory = memory;
    o.workers = workers;
    return o;
}

/* The result in C order; the test fails when there is none. options may be NULL. */
static inline rask_block computed(rask_array *a, const rask_options *options)
{
    rask_block out = {.data = NULL};
    rask_options usual = options_of(256 << 20, 2);
    int status = rask_array_compute(&a, 1, options ? options : &usual, &out);
    cr_assert_eq(status, RASK_OK, "%s: %s", rask_status_name(status),
                 a ? rask_graph_error(rask_array_graph(a)) : "no array");
    return out;
}

static inline void release(rask_block *block)
{
    if (block->release)
        block->release(block->owner);
}

/* Whether a gives these bytes, whatever the budget (so many MiB at least) and the workers. */
static inline void expect_bytes_within(rask_array *a, uint64_t mib, const void *bytes, size_t size,
                                       const char *what)
{
    const struct {
        uint64_t times;
        uint32_t workers;
    } settings[] = {{16, 2}, {2, 3}, {1, 1}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        rask_options o = options_of((mib << 20) * settings[i].times, settings[i].workers);
        rask_block out = computed(a, &o);
        cr_expect(!memcmp(out.data, bytes, size), "%s, setting %zu", what, i);
        release(&out);
    }
}

static inline void expect_bytes(rask_array *a, const void *bytes, size_t size, const char *what)
{
    expect_bytes_within(a, 48, bytes, size, what);
}

/* A reproducible number below 2^32. */
static inline uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

/* In (-1, 1). */
static inline double next_real(uint64_t *state)
{
    return (double)next_random(state) / 0x1p31 - 1 + 0x1p-33;
}

#endif
