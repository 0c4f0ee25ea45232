/* map_blocks and map_overlap: what the function is given, and where. */
#include "shapes.h"

#define HERE __FILE__, __LINE__

/* out = the sum over the chunk's elements and their surroundings of depth 1 along axis 0 and 2 along axis 1. */
static int add_around(void *context, const rask_chunk *chunk, const rask_block *in, uint32_t count,
                      const rask_block *out, char *message, size_t capacity)
{
    const int64_t *from = in->data;
    int64_t *to = out->data, width = in->shape[1];
    (void)context, (void)message, (void)capacity;
    if (count != 1 || in->shape[0] != out->shape[0] + chunk->before[0] + chunk->after[0] ||
        width != out->shape[1] + chunk->before[1] + chunk->after[1])
        return RASK_EINVAL;
    for (int64_t i = 0; i < out->shape[0]; i++)
        for (int64_t j = 0; j < out->shape[1]; j++, to++) {
            *to = 0;
            for (int64_t y = i + chunk->before[0] - 1; y <= i + chunk->before[0] + 1; y++)
                for (int64_t x = j + chunk->before[1] - 2; x <= j + chunk->before[1] + 2; x++)
                    if (y >= 0 && y < in->shape[0] && x >= 0 && x < width)
                        *to += from[y * width + x];
        }
    return 0;
}

/* Which element of n is at place i; -1: none. */
static int64_t around(rask_boundary boundary, int64_t i, int64_t n)
{
    if (i >= 0 && i < n)
        return i;
    switch (boundary) {
    case RASK_BOUNDARY_NEAREST: return i < 0 ? 0 : n - 1;
    case RASK_BOUNDARY_PERIODIC: return (i % n + n) % n;
    case RASK_BOUNDARY_REFLECT: i = (i % (2 * n) + 2 * n) % (2 * n); return i < n ? i : 2 * n - 1 - i;
    default: return -1;
    }
}

static plain plain_around(const plain *p, rask_boundary boundary, int64_t value)
{
    plain q = plain_new(2, p->shape);
    for (int64_t i = 0; i < p->shape[0]; i++)
        for (int64_t j = 0; j < p->shape[1]; j++)
            for (int64_t y = i - 1; y <= i + 1; y++)
                for (int64_t x = j - 2; x <= j + 2; x++) {
                    int64_t from[2] = {around(boundary, y, p->shape[0]), around(boundary, x, p->shape[1])};
                    q.data[i * p->shape[1] + j] += from[0] >= 0 && from[1] >= 0 ? *plain_at(p, from) : value;
                }
    return q;
}

Test(overlap, every_boundary_any_chunks)
{
    static const int64_t shapes[][2] = {{7, 9}, {1, 1}, {2, 13}, {12, 3}};
    for (int boundary = RASK_BOUNDARY_NONE; boundary <= RASK_BOUNDARY_PERIODIC; boundary++)
        for (int k = 0; k < 4; k++)
            for (int64_t chunk = 0; chunk < 5; chunk++) {
                char what[100];
                rask_graph *g = rask_graph_new();
                plain p = plain_count(2, shapes[k]);
                rask_array *a = rask_array_map_overlap_at(array_of(g, &p, chunk), (int64_t[]){1, 2},
                                                          (rask_boundary)boundary, 5.0, add_around, NULL,
                                                          RASK_DT_I64, HERE);
                snprintf(what, sizeof what, "boundary %d, shape %d, chunks of %d", boundary, k, (int)chunk);
                expect(g, a,
                       plain_around(&p, (rask_boundary)boundary, boundary == RASK_BOUNDARY_CONSTANT ? 5 : 0),
                       what);
                free(p.data);
                rask_graph_free(g);
            }
}

Test(overlap, of_an_overlap_in_many_chunks_within_little_memory)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(2, (int64_t[]){1500, 400});
    plain q = plain_around(&p, RASK_BOUNDARY_PERIODIC, 0), r = plain_around(&q, RASK_BOUNDARY_NEAREST, 0);
    rask_array *a = array_of(g, &p, 0);
    a = rask_array_map_overlap_at(a, (int64_t[]){1, 2}, RASK_BOUNDARY_PERIODIC, 0, add_around, NULL,
                                  RASK_DT_I64, HERE);
    a = rask_array_map_overlap_at(a, (int64_t[]){1, 2}, RASK_BOUNDARY_NEAREST, 0, add_around, NULL,
                                  RASK_DT_I64, HERE);
    expect_in(12 << 20, g, a, r, "twice");
    free(p.data);
    free(q.data);
    rask_graph_free(g);
}

Test(overlap, depth_is_not_negative)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(1, (int64_t[]){5});
    cr_assert_null(rask_array_map_overlap_at(array_of(g, &p, 0), (int64_t[]){-1}, RASK_BOUNDARY_NONE, 0,
                                             add_around, NULL, RASK_DT_I64, HERE));
    cr_assert_eq(rask_graph_status(g), RASK_EINVAL);
    free(p.data);
    rask_graph_free(g);
}

/* out = first + 2 * second, and 1,000,000 for each chunk before. */
static int combine(void *context, const rask_chunk *chunk, const rask_block *in, uint32_t count,
                   const rask_block *out, char *message, size_t capacity)
{
    const int64_t *a = in[0].data, *b = in[1].data;
    int64_t size = 1;
    (void)message, (void)capacity;
    for (uint32_t i = 0; i < chunk->ndim; i++)
        size *= out->shape[i];
    for (int64_t i = 0; i < size; i++)
        ((int64_t *)out->data)[i] = a[i] + *(int64_t *)context * b[i] + (int64_t)chunk->number * 1000000;
    return count == 2 ? 0 : RASK_EINVAL;
}

Test(map_blocks, tells_where_a_chunk_is)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(2, (int64_t[]){5, 7}), q = plain_new(2, p.shape);
    int64_t two = 2;
    for (int64_t i = 0; i < 5; i++)
        for (int64_t j = 0; j < 7; j++)
            q.data[i * 7 + j] = 3 * p.data[i * 7 + j] + (i / 2 * 2 + j / 4) * 1000000;
    rask_array *a = rask_array_rechunk_at(array_of(g, &p, 0), (int64_t[]){2, 4}, 2, HERE);
    rask_array *both[2] = {array_of(g, &p, 0), a};
    expect(g, rask_array_map_blocks_at(both, 2, combine, &two, RASK_DT_I64, HERE), q, "map");
    free(p.data);
    rask_graph_free(g);
}

static int fail_at_third(void *context, const rask_chunk *chunk, const rask_block *in, uint32_t count,
                         const rask_block *out, char *message, size_t capacity)
{
    (void)context, (void)in, (void)count, (void)out;
    if (chunk->start[0] == 4)
        snprintf(message, capacity, "no luck");
    else
        memset(out->data, 0, (size_t)out->shape[0] * sizeof(int64_t));
    return chunk->start[0] == 4 ? RASK_EIO : 0;
}

Test(map_blocks, a_failure_names_the_chunk)
{
    rask_graph *g = rask_graph_new();
    rask_block out = {0};
    rask_options o = within(1 << 30);
    plain p = plain_count(1, (int64_t[]){7});
    rask_array *a = rask_array_rechunk_at(array_of(g, &p, 0), (int64_t[]){2}, 1, HERE);
    a = rask_array_map_blocks_at(&a, 1, fail_at_third, NULL, RASK_DT_I64, HERE);
    cr_assert_eq(rask_array_compute(&a, 1, &o, &out), RASK_EIO);
    cr_assert(strstr(rask_graph_error(g), "chunk 2, from (4,) on: no luck"), "%s", rask_graph_error(g));
    free(p.data);
    rask_graph_free(g);
}
