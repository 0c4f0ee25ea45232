/* What tests of shape operations write alike: arrays that count, in memory or in chunks, and plain references. */
#ifndef RASK_TESTS_ARRAY_SHAPES_H
#define RASK_TESTS_ARRAY_SHAPES_H

#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdio.h>
#include <string.h>

enum { MOST_AXES = 4, MOST_ELEMENTS = 1 << 21 };

/* A small array as plain C has it: i64, C order. */
typedef struct plain {
    uint32_t ndim;
    int64_t shape[MOST_AXES];
    int64_t *data;
} plain;

static inline int64_t plain_size(const plain *p)
{
    int64_t size = 1;
    for (uint32_t i = 0; i < p->ndim; i++)
        size *= p->shape[i];
    return size;
}

static inline plain plain_new(uint32_t ndim, const int64_t *shape)
{
    plain p = {.ndim = ndim};
    for (uint32_t i = 0; i < ndim; i++)
        p.shape[i] = shape[i];
    p.data = calloc((size_t)plain_size(&p) + 1, sizeof *p.data);
    return p;
}

/* Elements 1000, 1001, … */
static inline plain plain_count(uint32_t ndim, const int64_t *shape)
{
    plain p = plain_new(ndim, shape);
    for (int64_t i = 0, n = plain_size(&p); i < n; i++)
        p.data[i] = 1000 + i;
    return p;
}

static inline int64_t *plain_at(const plain *p, const int64_t *index)
{
    int64_t at = 0;
    for (uint32_t i = 0; i < p->ndim; i++)
        at = at * p->shape[i] + index[i];
    return &p->data[at];
}

static inline bool plain_next(const plain *p, int64_t *index)
{
    for (uint32_t i = p->ndim; i-- > 0;) {
        if (++index[i] < p->shape[i])
            return true;
        index[i] = 0;
    }
    return false;
}

static inline rask_block plain_block(const plain *p)
{
    rask_block b = {.dtype = RASK_DT_I64, .ndim = p->ndim, .data = p->data};
    int64_t stride = sizeof(int64_t);
    for (uint32_t i = p->ndim; i-- > 0;) {
        b.shape[i] = p->shape[i];
        b.strides[i] = stride;
        stride *= p->shape[i];
    }
    return b;
}

static inline int same_elements(void *context, const rask_chunk *chunk, const rask_block *in, uint32_t count,
                                const rask_block *out, char *message, size_t capacity)
{
    size_t size = rask_dtype_size(out->dtype);
    (void)context, (void)chunk, (void)count, (void)message, (void)capacity;
    for (uint32_t i = 0; i < out->ndim; i++)
        size *= (size_t)out->shape[i];
    memcpy(out->data, in->data, size);
    return 0;
}

/* a, whose elements come in chunks of this length along each axis from here on. */
static inline rask_array *in_chunks(rask_array *a, int64_t length)
{
    int64_t lengths[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < RASK_MAX_DIMENSIONS; i++)
        lengths[i] = length;
    a = rask_array_rechunk_at(a, lengths, rask_array_ndim(a), __FILE__, __LINE__);
    return rask_array_map_blocks_at(&a, 1, same_elements, NULL, rask_array_dtype(a), __FILE__, __LINE__);
}

/* p as an array: in memory, or with chunk > 0 in chunks. */
static inline rask_array *array_of(rask_graph *g, const plain *p, int64_t chunk)
{
    rask_block b = plain_block(p);
    rask_array *a = rask_array_from_block(g, &b, true);
    return chunk ? in_chunks(a, chunk) : a;
}

static inline rask_options within(uint64_t memory)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.memory = memory;
    return o;
}

/* Computes a within so much memory and compares it with p, which ends here. */
static inline void expect_in(uint64_t memory, rask_graph *g, rask_array *a, plain p, const char *what)
{
    plain made = plain_new(p.ndim, p.shape);
    rask_block b = plain_block(&made);
    rask_options o = within(memory);
    cr_assert(a, "%s: %s", what, rask_graph_error(g));
    cr_assert_eq(rask_array_ndim(a), p.ndim, "%s: %u axes", what, rask_array_ndim(a));
    for (uint32_t i = 0; i < p.ndim; i++)
        cr_assert_eq(rask_array_shape(a)[i], p.shape[i], "%s: axis %u has %lld elements, not %lld", what, i,
                     (long long)rask_array_shape(a)[i], (long long)p.shape[i]);
    cr_assert_eq(rask_array_compute(&a, 1, &o, &b), RASK_OK, "%s: %s", what, rask_graph_error(g));
    for (int64_t i = 0, n = plain_size(&p); i < n; i++)
        if (made.data[i] != p.data[i])
            cr_assert_fail("%s: element %lld is %lld, not %lld", what, (long long)i, (long long)made.data[i],
                           (long long)p.data[i]);
    free(made.data);
    free(p.data);
}

static inline void expect(rask_graph *g, rask_array *a, plain p, const char *what)
{
    expect_in(1 << 30, g, a, p, what);
}

/* Numbers for random cases: the same in each run. */
static inline int64_t draw(uint64_t *state, int64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((*state >> 33) % (uint64_t)below);
}

static inline plain draw_plain(uint64_t *state, int64_t least)
{
    int64_t shape[MOST_AXES];
    uint32_t ndim = 1 + (uint32_t)draw(state, 3);
    for (uint32_t i = 0; i < ndim; i++)
        shape[i] = least + draw(state, 7);
    return plain_count(ndim, shape);
}

#define OPERAND_I64(number) ((rask_operand){.kind = RASK_OPERAND_I64, .as.i64 = (number)})

#endif
