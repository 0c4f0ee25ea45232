/* Other chunks: the plan of passes, and that nothing but the chunks changes. */
#include "collections/array/rechunk.h"
#include "shapes.h"

#define HERE __FILE__, __LINE__

/* Elements of the largest group of a plan, counted anew. */
static double group_of(const rk_rechunk_plan *plan, uint32_t ndim, const int64_t *shape)
{
    double largest = 0;
    for (uint32_t t = 0; t < plan->passes; t++) {
        double group = 1;
        for (uint32_t i = 0; i < ndim; i++) {
            int64_t a = plan->lengths[t][i], b = plan->lengths[t + 1][i], large = a > b ? a : b;
            double along = large % (a > b ? b : a) ? (double)(a + b) : (double)large;
            group *= along < (double)shape[i] ? along : (double)shape[i];
        }
        largest = group > largest ? group : largest;
    }
    return largest;
}

Test(rechunk_plan, one_pass_when_what_hangs_together_fits)
{
    rk_rechunk_plan plan;
    rk_rechunk_find(2, (int64_t[]){1000, 1000}, (int64_t[]){10, 1000}, (int64_t[]){1000, 10}, 1e6, &plan);
    cr_assert_eq(plan.passes, 1);
    rk_rechunk_find(2, (int64_t[]){100000, 100000}, (int64_t[]){10, 1000}, (int64_t[]){20, 1000}, 1e5, &plan);
    cr_assert_eq(plan.passes, 1);
}

Test(rechunk_plan, rows_to_columns_go_through_blocks)
{
    int64_t n = 1 << 14, shape[] = {n, n}, rows[] = {1, n}, columns[] = {n, 1};
    rk_rechunk_plan plan;
    rk_rechunk_find(2, shape, rows, columns, (double)n * 128, &plan);
    cr_assert_eq(plan.passes, 2);
    cr_assert_eq(plan.lengths[1][0], 128);
    cr_assert_eq(plan.lengths[1][1], 128);
    cr_assert_leq(group_of(&plan, 2, shape), (double)n * 128);
    rk_rechunk_find(2, shape, rows, columns, (double)n * 12, &plan); /* less memory: more passes */
    cr_assert_eq(plan.passes, 4);
    cr_assert_leq(group_of(&plan, 2, shape), (double)n * 12);
}

Test(rechunk_plan, starts_and_ends_as_asked)
{
    uint64_t seed = 1;
    for (int round = 0; round < 1000; round++) {
        int64_t shape[3], from[3], to[3];
        rk_rechunk_plan plan;
        for (int i = 0; i < 3; i++) {
            shape[i] = 1 + draw(&seed, 1000);
            from[i] = 1 + draw(&seed, shape[i]);
            to[i] = 1 + draw(&seed, shape[i]);
        }
        rk_rechunk_find(3, shape, from, to, (double)(1 + draw(&seed, 1000000)), &plan);
        cr_assert(plan.passes >= 1 && plan.passes <= RK_RECHUNK_PASSES);
        cr_assert_arr_eq(plan.lengths[0], from, sizeof from);
        cr_assert_arr_eq(plan.lengths[plan.passes], to, sizeof to);
        cr_assert_float_eq(plan.group, group_of(&plan, 3, shape), 0.5);
        for (uint32_t t = 0; t <= plan.passes; t++)
            for (int i = 0; i < 3; i++)
                cr_assert_geq(plan.lengths[t][i], 1);
    }
}

Test(rechunk, any_chunks_give_the_same)
{
    uint64_t seed = 2;
    for (int round = 0; round < 100; round++) {
        rask_graph *g = rask_graph_new();
        plain p = draw_plain(&seed, 0), q = plain_count(p.ndim, p.shape);
        int64_t lengths[MOST_AXES];
        for (uint32_t i = 0; i < p.ndim; i++)
            lengths[i] = draw(&seed, 4);
        rask_array *a = rask_array_rechunk_at(array_of(g, &p, draw(&seed, 4)), lengths, p.ndim, HERE);
        expect(g, a, q, "rechunk");
        free(p.data);
        rask_graph_free(g);
    }
}

Test(rechunk, rows_to_columns_within_little_memory)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(2, (int64_t[]){1024, 1024}), q = plain_count(2, p.shape);
    rask_array *a = rask_array_rechunk_at(array_of(g, &p, 0), (int64_t[]){16, 1024}, 2, HERE);
    a = rask_array_map_blocks_at(&a, 1, same_elements, NULL, RASK_DT_I64, HERE);
    a = rask_array_rechunk_at(a, (int64_t[]){1024, 16}, 2, HERE);
    a = rask_array_map_blocks_at(&a, 1, same_elements, NULL, RASK_DT_I64, HERE);
    expect_in(3 << 20, g, a, q, "rows to columns");
    free(p.data);
    rask_graph_free(g);
}

/* The lengths of chunks that a function sees. */
static int note_lengths(void *context, const rask_chunk *chunk, const rask_block *in, uint32_t count,
                        const rask_block *out, char *message, size_t capacity)
{
    int64_t *lengths = context;
    for (uint32_t i = 0; chunk->number == 0 && i < chunk->ndim; i++)
        lengths[i] = out->shape[i];
    return same_elements(NULL, chunk, in, count, out, message, capacity);
}

Test(rechunk, chunks_are_as_asked)
{
    for (int64_t chunk = 0; chunk < 4; chunk++) {
        rask_graph *g = rask_graph_new();
        int64_t lengths[2] = {0};
        plain p = plain_count(2, (int64_t[]){9, 8}), q = plain_count(2, p.shape);
        rask_array *a = rask_array_rechunk_at(array_of(g, &p, chunk), (int64_t[]){4, 0}, 2, HERE);
        expect(g, rask_array_map_blocks_at(&a, 1, note_lengths, lengths, RASK_DT_I64, HERE), q, "lengths");
        cr_assert_eq(lengths[0], 4);
        cr_assert_eq(lengths[1], 8);
        free(p.data);
        rask_graph_free(g);
    }
}

Test(rechunk, one_length_for_each_axis)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(2, (int64_t[]){9, 8});
    cr_assert_null(rask_array_rechunk_at(array_of(g, &p, 0), (int64_t[]){4}, 1, HERE));
    cr_assert_eq(rask_graph_status(g), RASK_EINVAL);
    free(p.data);
    rask_graph_free(g);
}
