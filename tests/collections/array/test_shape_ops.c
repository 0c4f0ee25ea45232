/* Concatenate, stack, block, pad, roll, repeat, tile, reshape, take, compress: against plain C, over inputs in memory and
 * in chunks. */
#include "shapes.h"

#include <stdatomic.h>

#define HERE __FILE__, __LINE__

/* -- concatenate, stack, block */

static plain plain_join(const plain *parts, uint32_t count, uint32_t axis)
{
    int64_t shape[MOST_AXES], offset = 0;
    memcpy(shape, parts[0].shape, sizeof shape);
    shape[axis] = 0;
    for (uint32_t i = 0; i < count; i++)
        shape[axis] += parts[i].shape[axis];
    plain whole = plain_new(parts[0].ndim, shape);
    for (uint32_t i = 0; i < count; offset += parts[i++].shape[axis]) {
        int64_t index[MOST_AXES] = {0}, to[MOST_AXES];
        if (!plain_size(&parts[i]))
            continue;
        do {
            memcpy(to, index, sizeof to);
            to[axis] += offset;
            *plain_at(&whole, to) = *plain_at(&parts[i], index);
        } while (plain_next(&parts[i], index));
    }
    return whole;
}

Test(concatenate, joins_arrays_along_any_axis)
{
    uint64_t seed = 1;
    for (int round = 0; round < 300; round++) {
        rask_graph *g = rask_graph_new();
        plain parts[4] = {draw_plain(&seed, 1)};
        rask_array *arrays[4];
        uint32_t count = 1 + (uint32_t)draw(&seed, 4), axis = (uint32_t)draw(&seed, parts[0].ndim);
        for (uint32_t i = 0; i < count; i++) {
            int64_t shape[MOST_AXES];
            memcpy(shape, parts[0].shape, sizeof shape);
            shape[axis] = draw(&seed, 6);
            if (i)
                parts[i] = plain_count(parts[0].ndim, shape);
            arrays[i] = array_of(g, &parts[i], draw(&seed, 3));
        }
        expect(
            g,
            rask_array_concatenate_at(arrays, count, (int)axis - (round % 2 ? (int)parts[0].ndim : 0), HERE),
            plain_join(parts, count, axis), "concatenate");
        for (uint32_t i = 0; i < count; i++)
            free(parts[i].data);
        rask_graph_free(g);
    }
}

Test(concatenate, many_small_arrays_become_few_chunks)
{
    rask_graph *g = rask_graph_new();
    plain one = plain_count(2, (int64_t[]){1, 3}), whole = plain_new(2, (int64_t[]){2000, 3});
    rask_array *arrays[2000];
    for (int i = 0; i < 2000; i++) {
        arrays[i] = array_of(g, &one, 0);
        memcpy(whole.data + 3 * i, one.data, 3 * sizeof *one.data);
    }
    expect(g, rask_array_concatenate_at(arrays, 2000, 0, HERE), whole, "many");
    free(one.data);
    rask_graph_free(g);
}

Test(concatenate, promotes_dtypes)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(1, (int64_t[]){3});
    rask_array *arrays[2] = {array_of(g, &p, 0)};
    arrays[1] = rask_array_astype_at(arrays[0], RASK_DT_F32, HERE);
    rask_array *both = rask_array_concatenate_at(arrays, 2, 0, HERE);
    cr_assert_eq(rask_array_dtype(both), RASK_DT_F64);
    plain twice = plain_join((plain[]){p, p}, 2, 0);
    expect(g, rask_array_astype_at(both, RASK_DT_I64, HERE), twice, "promoted");
    free(p.data);
    rask_graph_free(g);
}

Test(concatenate, other_axes_must_agree)
{
    rask_graph *g = rask_graph_new();
    plain a = plain_count(2, (int64_t[]){2, 3}), b = plain_count(2, (int64_t[]){2, 4});
    rask_array *arrays[2] = {array_of(g, &a, 0), array_of(g, &b, 0)};
    cr_assert_null(rask_array_concatenate_at(arrays, 2, 0, HERE));
    cr_assert_eq(rask_graph_status(g), RASK_EINVAL);
    cr_assert(strstr(rask_graph_error(g), "(2, 3)") && strstr(rask_graph_error(g), "(2, 4)"), "%s",
              rask_graph_error(g));
    free(a.data);
    free(b.data);
    rask_graph_free(g);
}

Test(stack, makes_an_axis)
{
    uint64_t seed = 2;
    for (int round = 0; round < 60; round++) {
        rask_graph *g = rask_graph_new();
        plain part = draw_plain(&seed, 1), parts[3];
        rask_array *arrays[3];
        int axis = (int)draw(&seed, part.ndim + 1);
        for (int i = 0; i < 3; i++) {
            parts[i] = (plain){.ndim = part.ndim + 1, .data = part.data};
            for (uint32_t k = 0; k <= part.ndim; k++)
                parts[i].shape[k] = (int)k == axis ? 1 : part.shape[(int)k > axis ? k - 1 : k];
            arrays[i] = array_of(g, &part, draw(&seed, 3));
        }
        expect(g, rask_array_stack_at(arrays, 3, round % 2 ? axis : axis - (int)part.ndim - 1, HERE),
               plain_join(parts, 3, (uint32_t)axis), "stack");
        free(part.data);
        rask_graph_free(g);
    }
}

Test(block, puts_rows_and_columns_together)
{
    rask_graph *g = rask_graph_new();
    plain p[4] = {plain_count(2, (int64_t[]){2, 3}), plain_count(2, (int64_t[]){2, 1}),
                  plain_count(2, (int64_t[]){4, 3}), plain_count(2, (int64_t[]){4, 1})};
    rask_array *arrays[4];
    for (int i = 0; i < 4; i++)
        arrays[i] = array_of(g, &p[i], i % 2);
    plain rows[2] = {plain_join(p, 2, 1), plain_join(p + 2, 2, 1)};
    expect(g, rask_array_block_at(arrays, 2, 2, HERE), plain_join(rows, 2, 0), "block");
    for (int i = 0; i < 4; i++)
        free(p[i].data);
    free(rows[0].data);
    free(rows[1].data);
    rask_graph_free(g);
}

/* -- pad, roll, repeat, tile */

/* Which element of n is at place i of an endless axis; -1: none. */
static int64_t padded(rask_pad_mode mode, int64_t i, int64_t n)
{
    if (i >= 0 && i < n)
        return i;
    switch (mode) {
    case RASK_PAD_CONSTANT: return -1;
    case RASK_PAD_EDGE: return i < 0 ? 0 : n - 1;
    case RASK_PAD_WRAP: return (i % n + n) % n;
    case RASK_PAD_SYMMETRIC: i = (i % (2 * n) + 2 * n) % (2 * n); return i < n ? i : 2 * n - 1 - i;
    default:
        if (n == 1)
            return 0;
        i = (i % (2 * n - 2) + 2 * n - 2) % (2 * n - 2);
        return i < n ? i : 2 * n - 2 - i;
    }
}

static plain plain_pad(const plain *p, const int64_t *before, const int64_t *after, rask_pad_mode mode,
                       int64_t value)
{
    int64_t shape[MOST_AXES], index[MOST_AXES] = {0}, from[MOST_AXES];
    for (uint32_t i = 0; i < p->ndim; i++)
        shape[i] = before[i] + p->shape[i] + after[i];
    plain whole = plain_new(p->ndim, shape);
    if (!plain_size(&whole))
        return whole;
    do {
        bool outside = false;
        for (uint32_t i = 0; i < p->ndim; i++) {
            from[i] = padded(mode, index[i] - before[i], p->shape[i]);
            outside |= from[i] < 0;
        }
        *plain_at(&whole, index) = outside ? value : *plain_at(p, from);
    } while (plain_next(&whole, index));
    return whole;
}

Test(pad, every_mode_any_width)
{
    uint64_t seed = 3;
    for (int round = 0; round < 600; round++) {
        rask_graph *g = rask_graph_new();
        rask_pad_mode mode = (rask_pad_mode)(round % 5);
        plain p = draw_plain(&seed, mode == RASK_PAD_CONSTANT ? 0 : 1);
        int64_t before[MOST_AXES], after[MOST_AXES];
        for (uint32_t i = 0; i < p.ndim; i++) {
            before[i] = draw(&seed, draw(&seed, 4) ? 4 : 20);
            after[i] = draw(&seed, draw(&seed, 4) ? 4 : 20);
        }
        char what[100];
        snprintf(what, sizeof what, "round %d: pad of %u axes, mode %d", round, p.ndim, (int)mode);
        expect(g,
               rask_array_pad_at(array_of(g, &p, draw(&seed, 4)), before, after, mode, OPERAND_I64(-7), HERE),
               plain_pad(&p, before, after, mode, -7), what);
        free(p.data);
        rask_graph_free(g);
    }
}

Test(pad, only_a_constant_fits_around_nothing)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(1, (int64_t[]){0});
    cr_assert_null(rask_array_pad_at(array_of(g, &p, 0), (int64_t[]){1}, (int64_t[]){1}, RASK_PAD_EDGE,
                                     OPERAND_I64(0), HERE));
    cr_assert(strstr(rask_graph_error(g), "empty"), "%s", rask_graph_error(g));
    free(p.data);
    rask_graph_free(g);
}

Test(roll, moves_around_the_end)
{
    uint64_t seed = 4;
    for (int round = 0; round < 100; round++) {
        rask_graph *g = rask_graph_new();
        plain p = draw_plain(&seed, 1), moved = plain_new(p.ndim, p.shape);
        uint32_t axis = (uint32_t)draw(&seed, p.ndim);
        int64_t shift = draw(&seed, 30) - 15, index[MOST_AXES] = {0}, to[MOST_AXES], n = p.shape[axis];
        do {
            memcpy(to, index, sizeof to);
            to[axis] = ((index[axis] + shift) % n + n) % n;
            *plain_at(&moved, to) = *plain_at(&p, index);
        } while (plain_next(&p, index));
        expect(g, rask_array_roll_at(array_of(g, &p, draw(&seed, 3)), shift, (int)axis, HERE), moved, "roll");
        free(p.data);
        rask_graph_free(g);
    }
}

Test(roll, all_axes_at_once_in_c_order)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(2, (int64_t[]){3, 4}), moved = plain_new(2, p.shape);
    for (int i = 0; i < 12; i++)
        moved.data[(i + 5) % 12] = p.data[i];
    expect(g, rask_array_roll_at(array_of(g, &p, 2), 5, RASK_ALL, HERE), moved, "roll");
    free(p.data);
    rask_graph_free(g);
}

Test(roll, chains_of_any_length)
{
    enum { TIMES = 5000 };
    rask_graph *g = rask_graph_new();
    plain p = plain_count(1, (int64_t[]){7}), moved = plain_new(1, p.shape);
    rask_array *a = array_of(g, &p, 0);
    for (int i = 0; i < TIMES; i++)
        a = rask_array_roll_at(a, 1, 0, HERE);
    for (int i = 0; i < 7; i++)
        moved.data[(i + TIMES) % 7] = p.data[i];
    expect(g, a, moved, "chain");
    free(p.data);
    rask_graph_free(g);
}

Test(repeat, each_element_some_times)
{
    uint64_t seed = 5;
    for (int round = 0; round < 200; round++) {
        rask_graph *g = rask_graph_new();
        plain p = draw_plain(&seed, 0);
        uint32_t axis = (uint32_t)draw(&seed, p.ndim);
        int64_t times = draw(&seed, 5), shape[MOST_AXES], index[MOST_AXES] = {0}, from[MOST_AXES];
        memcpy(shape, p.shape, sizeof shape);
        shape[axis] *= times;
        plain many = plain_new(p.ndim, shape);
        if (plain_size(&many))
            do {
                memcpy(from, index, sizeof from);
                from[axis] /= times;
                *plain_at(&many, index) = *plain_at(&p, from);
            } while (plain_next(&many, index));
        expect(g, rask_array_repeat_at(array_of(g, &p, draw(&seed, 3)), times, (int)axis, HERE), many,
               "repeat");
        free(p.data);
        rask_graph_free(g);
    }
}

Test(tile, the_whole_some_times)
{
    uint64_t seed = 6;
    for (int round = 0; round < 200; round++) {
        rask_graph *g = rask_graph_new();
        plain p = draw_plain(&seed, 0);
        uint32_t more = p.ndim < 3 ? (uint32_t)draw(&seed, 2) : 0, ndim = p.ndim + more;
        int64_t times[MOST_AXES], shape[MOST_AXES], index[MOST_AXES] = {0}, from[MOST_AXES];
        for (uint32_t i = 0; i < ndim; i++) {
            times[i] = draw(&seed, 4);
            shape[i] = times[i] * (i < more ? 1 : p.shape[i - more]);
        }
        plain many = plain_new(ndim, shape);
        if (plain_size(&many))
            do {
                for (uint32_t i = 0; i < p.ndim; i++)
                    from[i] = index[i + more] % p.shape[i];
                *plain_at(&many, index) = *plain_at(&p, from);
            } while (plain_next(&many, index));
        expect(g, rask_array_tile_at(array_of(g, &p, draw(&seed, 3)), times, ndim, HERE), many, "tile");
        free(p.data);
        rask_graph_free(g);
    }
}

Test(tile, a_short_row_very_often)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(1, (int64_t[]){3}), many = plain_new(1, (int64_t[]){900000});
    for (int64_t i = 0; i < 900000; i++)
        many.data[i] = p.data[i % 3];
    expect(g, rask_array_tile_at(array_of(g, &p, 0), (int64_t[]){300000}, 1, HERE), many, "tile");
    free(p.data);
    rask_graph_free(g);
}

/* -- reshape */

/* The same elements in another shape. */
static plain plain_reshape(const plain *p, uint32_t ndim, const int64_t *shape)
{
    plain q = plain_new(ndim, shape);
    cr_assert_eq(plain_size(p), plain_size(&q));
    memcpy(q.data, p->data, (size_t)plain_size(p) * sizeof *p->data);
    return q;
}

Test(reshape, keeps_the_order_of_elements)
{
    static const int64_t from[][4] = {{24, 1, 1, 1}, {2, 3, 4, 0},  {4, 6, 0, 0},
                                      {2, 2, 2, 3},  {1, 24, 0, 0}, {6, 4, 0, 0}};
    static const uint32_t axes[] = {4, 3, 2, 4, 2, 2};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            for (int64_t chunk = 0; chunk < 4; chunk++) {
                rask_graph *g = rask_graph_new();
                plain p = plain_count(axes[i], from[i]);
                expect(g, rask_array_reshape_at(array_of(g, &p, chunk), axes[j], from[j], HERE),
                       plain_reshape(&p, axes[j], from[j]), "reshape");
                free(p.data);
                rask_graph_free(g);
            }
}

Test(reshape, of_a_transposed_array)
{
    for (int64_t chunk = 0; chunk < 3; chunk++) {
        rask_graph *g = rask_graph_new();
        plain p = plain_count(2, (int64_t[]){4, 6}), q = plain_new(2, (int64_t[]){3, 8});
        for (int i = 0; i < 24; i++)
            q.data[i] = p.data[i % 4 * 6 + i / 4];
        rask_array *a = rask_array_transpose_at(array_of(g, &p, chunk), NULL, 0, HERE);
        expect(g, rask_array_reshape_at(a, 2, (int64_t[]){3, 8}, HERE), q, "transposed");
        free(p.data);
        rask_graph_free(g);
    }
}

Test(reshape, of_an_expression_is_an_expression)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(2, (int64_t[]){4, 6}), q = plain_new(1, (int64_t[]){24});
    rask_array *a = array_of(g, &p, 0);
    for (int i = 0; i < 24; i++)
        q.data[i] = 2 * p.data[i] + p.data[i] * p.data[i];
    rask_array *twice = rask_array_binary_at(
        RASK_BINARY_MUL, (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = a}, OPERAND_I64(2), HERE);
    rask_array *sum =
        rask_array_binary_at(RASK_BINARY_ADD, (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = twice},
                             (rask_operand){.kind = RASK_OPERAND_ARRAY,
                                            .as.array = rask_array_unary_at(RASK_UNARY_SQUARE, a, HERE)},
                             HERE);
    expect(g, rask_array_ravel_at(sum, HERE), q, "expression");
    free(p.data);
    rask_graph_free(g);
}

Test(reshape, of_many_chunks_within_little_memory)
{
    static const int64_t shapes[][3] = {{1000, 700, 1}, {7, 100000, 1}, {700000, 1, 1}, {10, 700, 100}};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            rask_graph *g = rask_graph_new();
            plain p = plain_count(3, shapes[i]);
            rask_array *a = rask_array_rechunk_at(array_of(g, &p, 0), (int64_t[]){100, 300, 30}, 3, HERE);
            a = rask_array_map_blocks_at(&a, 1, same_elements, NULL, RASK_DT_I64, HERE);
            expect_in(4 << 20, g, rask_array_reshape_at(a, 3, shapes[j], HERE),
                      plain_reshape(&p, 3, shapes[j]), "many");
            free(p.data);
            rask_graph_free(g);
        }
}

/* -- take, compress */

static plain plain_take(const plain *p, const int64_t *numbers, int64_t n, uint32_t axis)
{
    int64_t shape[MOST_AXES], index[MOST_AXES] = {0}, from[MOST_AXES];
    memcpy(shape, p->shape, sizeof shape);
    shape[axis] = n;
    plain q = plain_new(p->ndim, shape);
    if (plain_size(&q))
        do {
            memcpy(from, index, sizeof from);
            from[axis] = numbers[index[axis]] + (numbers[index[axis]] < 0 ? p->shape[axis] : 0);
            *plain_at(&q, index) = *plain_at(p, from);
        } while (plain_next(&q, index));
    return q;
}

Test(take, elements_by_number)
{
    uint64_t seed = 7;
    for (int round = 0; round < 300; round++) {
        rask_graph *g = rask_graph_new();
        plain p = draw_plain(&seed, 1);
        uint32_t axis = (uint32_t)draw(&seed, p.ndim);
        plain numbers = plain_new(1, (int64_t[]){draw(&seed, 9)});
        for (int64_t i = 0; i < numbers.shape[0]; i++)
            numbers.data[i] = draw(&seed, 2 * p.shape[axis]) - p.shape[axis];
        /* In memory they are read at once; in chunks they are computed. */
        rask_array *indices = array_of(g, &numbers, draw(&seed, 3));
        expect(g, rask_array_take_at(array_of(g, &p, draw(&seed, 3)), indices, (int)axis, HERE),
               plain_take(&p, numbers.data, numbers.shape[0], axis), "take");
        free(p.data);
        free(numbers.data);
        rask_graph_free(g);
    }
}

Test(take, far_apart_within_little_memory)
{
    uint64_t seed = 8;
    for (int computed = 0; computed < 2; computed++)
        for (int64_t chunk = 0; chunk <= 100000; chunk += 100000) {
            rask_graph *g = rask_graph_new();
            plain p = plain_count(1, (int64_t[]){1000000}), numbers = plain_new(1, (int64_t[]){30000});
            for (int64_t i = 0; i < numbers.shape[0]; i++)
                numbers.data[i] = draw(&seed, 1000000);
            expect_in(
                3 << 20, g,
                rask_array_take_at(array_of(g, &p, chunk), array_of(g, &numbers, computed * 7000), 0, HERE),
                plain_take(&p, numbers.data, numbers.shape[0], 0), "far apart");
            free(p.data);
            free(numbers.data);
            rask_graph_free(g);
        }
}

Test(take, cells_without_a_wanted_element_change_nothing)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(2, (int64_t[]){2000, 500}), numbers = plain_new(1, (int64_t[]){600});
    for (int64_t i = 0; i < 600; i++)
        numbers.data[i] = 1999 - i * i % 700;
    expect_in(4 << 20, g, rask_array_take_at(array_of(g, &p, 100), array_of(g, &numbers, 200), 0, HERE),
              plain_take(&p, numbers.data, 600, 0), "few cells");
    free(p.data);
    free(numbers.data);
    rask_graph_free(g);
}

Test(take, of_a_turned_array)
{
    uint64_t seed = 11;
    for (int round = 0; round < 100; round++) {
        rask_graph *g = rask_graph_new();
        plain p = draw_plain(&seed, 1), numbers = plain_new(1, (int64_t[]){1 + draw(&seed, 9)});
        uint32_t axis = (uint32_t)draw(&seed, p.ndim);
        for (int64_t i = 0; i < numbers.shape[0]; i++)
            numbers.data[i] = draw(&seed, p.shape[axis]);
        rask_array *turned = rask_array_transpose_at(array_of(g, &p, draw(&seed, 3)), NULL, 0, HERE);
        rask_array *taken =
            rask_array_take_at(turned, array_of(g, &numbers, draw(&seed, 3)), (int)(p.ndim - 1 - axis), HERE);
        expect(g, rask_array_transpose_at(taken, NULL, 0, HERE),
               plain_take(&p, numbers.data, numbers.shape[0], axis), "turned");
        free(p.data);
        free(numbers.data);
        rask_graph_free(g);
    }
}

/* Rows of many cells, each cut down to what is wanted of it before all meet. */
Test(take, from_many_cells_along_the_last_axis)
{
    uint64_t seed = 12;
    for (int64_t chunk = 0; chunk <= 1000; chunk += 1000) {
        rask_graph *g = rask_graph_new();
        plain p = plain_count(2, (int64_t[]){8, 60000}), numbers = plain_new(1, (int64_t[]){3000});
        for (int64_t i = 0; i < numbers.shape[0]; i++)
            numbers.data[i] = draw(&seed, 60000);
        expect_in(2 << 20, g, rask_array_take_at(array_of(g, &p, chunk), array_of(g, &numbers, 0), 1, HERE),
                  plain_take(&p, numbers.data, 3000, 1), "many cells");
        free(p.data);
        free(numbers.data);
        rask_graph_free(g);
    }
}

/* Each stretch of the result needs all of the input's chunks, which do not fit. */
Test(take, scattered_over_chunks)
{
    uint64_t seed = 13;
    rask_graph *g = rask_graph_new();
    plain p = plain_count(2, (int64_t[]){500, 2000}), numbers = plain_new(1, (int64_t[]){2500});
    for (int64_t i = 0; i < numbers.shape[0]; i++)
        numbers.data[i] = draw(&seed, 2000);
    expect_in(4 << 20, g, rask_array_take_at(array_of(g, &p, 250), array_of(g, &numbers, 0), 1, HERE),
              plain_take(&p, numbers.data, 2500, 1), "scattered");
    free(p.data);
    free(numbers.data);
    rask_graph_free(g);
}

/* -- of computed numbers and many cells: by way of a file */

/* Numbers of an axis of so many elements, every third of which is in the first hundred or negative. */
static plain draw_numbers(uint64_t *seed, int64_t n, int64_t length)
{
    plain numbers = plain_new(1, &n);
    for (int64_t i = 0; i < n; i++)
        numbers.data[i] = i % 3 == 0   ? draw(seed, 100)
                          : i % 3 == 1 ? draw(seed, length)
                                       : -1 - draw(seed, length);
    return numbers;
}

/* As it is lowered where tasks share no file, but run here. */
static void expect_apart(uint64_t memory, rask_graph *g, rask_array *a, plain p)
{
    rask_options o = within(memory), elsewhere = o;
    rask_value value;
    rask_block block;
    elsewhere.scheduler = "cluster";
    rask_node *node = rask_array_node_at(a, &elsewhere, HERE);
    o.memory = 64 << 20; /* for all of it at once */
    cr_assert_eq(rask_compute_value(node, &o, &value), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_value_get_block(&value, &block), RASK_OK);
    cr_expect_eq(memcmp(block.data, p.data, (size_t)plain_size(&p) * sizeof *p.data), 0);
    rask_value_unref(&value);
    free(p.data);
}

static void expect_many_taken(uint32_t ndim, const int64_t *shape, uint32_t axis, int64_t n, int64_t chunk)
{
    uint64_t seed = 14;
    rask_graph *g = rask_graph_new();
    plain p = plain_count(ndim, shape), numbers = draw_numbers(&seed, n, shape[axis]);
    rask_array *a = rask_array_take_at(array_of(g, &p, chunk), array_of(g, &numbers, 5000), (int)axis, HERE);
    expect_in(2 << 20, g, a, plain_take(&p, numbers.data, n, axis), "taken outside");
    expect_apart(2 << 20, g, a, plain_take(&p, numbers.data, n, axis));
    free(p.data);
    free(numbers.data);
    rask_graph_free(g);
}

Test(take, many_computed_numbers_from_many_cells)
{
    expect_many_taken(1, (int64_t[]){700000}, 0, 150000, 0);
    expect_many_taken(1, (int64_t[]){700000}, 0, 150000, 7001); /* cells that are chunks */
    expect_many_taken(2, (int64_t[]){3, 200001}, 1, 50000, 0);  /* several pieces in a row */
    expect_many_taken(2, (int64_t[]){40000, 5}, 0, 30000, 1000);
    expect_many_taken(2, (int64_t[]){500, 800}, 0, 900, 0); /* long rows */
    expect_many_taken(3, (int64_t[]){3, 300, 701}, 1, 500, 90);
}

Test(take, many_computed_numbers_without_a_folder_for_the_file)
{
    uint64_t seed = 15;
    rask_graph *g = rask_graph_new();
    plain p = plain_count(1, (int64_t[]){700000}), numbers = draw_numbers(&seed, 150000, 700000);
    plain wanted = plain_take(&p, numbers.data, 150000, 0), made = plain_new(1, wanted.shape);
    rask_block b = plain_block(&made);
    rask_options o = within(8 << 20);
    unsetenv("RASK_SCRATCH");
    setenv("TMPDIR", "/no such folder", 1); /* one that is named is looked at before anything runs */
    rask_array *a = rask_array_take_at(array_of(g, &p, 0), array_of(g, &numbers, 5000), 0, HERE);
    cr_assert_eq(rask_array_compute(&a, 1, &o, &b), RASK_OK, "%s", rask_graph_error(g));
    cr_expect_arr_eq(made.data, wanted.data, 150000 * sizeof *made.data);
    free(p.data);
    free(numbers.data);
    free(wanted.data);
    free(made.data);
    rask_graph_free(g);
}

/* Of elements of any size: here of 1, 2, 4, 16 bytes. */
Test(take, computed_numbers_of_any_dtype)
{
    const rask_dtype dtypes[] = {RASK_DT_U8, RASK_DT_I16, RASK_DT_F32, RASK_DT_C128};
    uint64_t seed = 15;
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        rask_graph *g = rask_graph_new();
        plain p = plain_count(1, (int64_t[]){900000}), numbers = draw_numbers(&seed, 120000, 900000);
        for (int64_t j = 0; j < 900000; j++)
            p.data[j] %= 100;
        rask_array *a = in_chunks(rask_array_astype_at(array_of(g, &p, 0), dtypes[i], HERE), 60000);
        rask_array *taken = rask_array_take_at(a, array_of(g, &numbers, 5000), 0, HERE);
        if (dtypes[i] == RASK_DT_C128)
            taken = rask_array_unary_at(RASK_UNARY_REAL, taken, HERE);
        expect_in(4 << 20, g, rask_array_astype_at(taken, RASK_DT_I64, HERE),
                  plain_take(&p, numbers.data, 120000, 0), rask_dtype_name(dtypes[i]));
        free(p.data);
        free(numbers.data);
        rask_graph_free(g);
    }
}

static atomic_int calls;

static int count_calls(void *context, const rask_chunk *chunk, const rask_block *in, uint32_t count,
                       const rask_block *out, char *message, size_t capacity)
{
    atomic_fetch_add(&calls, 1);
    return same_elements(context, chunk, in, count, out, message, capacity);
}

Test(take, computes_each_chunk_of_its_input_once)
{
    enum { CHUNK = 20000, COUNT = 50 };
    uint64_t seed = 16;
    rask_graph *g = rask_graph_new();
    plain p = plain_count(1, (int64_t[]){COUNT * CHUNK}),
          numbers = draw_numbers(&seed, 300000, COUNT * CHUNK);
    rask_array *a = rask_array_rechunk_at(array_of(g, &p, 0), (int64_t[]){CHUNK}, 1, HERE);
    a = rask_array_map_blocks_at(&a, 1, count_calls, NULL, RASK_DT_I64, HERE);
    expect_in(4 << 20, g, rask_array_take_at(a, array_of(g, &numbers, 5000), 0, HERE),
              plain_take(&p, numbers.data, 300000, 0), "counted");
    cr_expect_eq(atomic_load(&calls), COUNT, "%d calls", atomic_load(&calls));
    free(p.data);
    free(numbers.data);
    rask_graph_free(g);
}

Test(take, bounds_of_many_computed_numbers_name_the_index)
{
    uint64_t seed = 17;
    rask_graph *g = rask_graph_new();
    rask_block out = {0};
    rask_options o = within(2 << 20), elsewhere = o;
    rask_value value;
    plain p = plain_count(1, (int64_t[]){700000}), numbers = draw_numbers(&seed, 150000, 700000);
    numbers.data[123456] = 700000;
    rask_array *a = rask_array_take_at(array_of(g, &p, 0), array_of(g, &numbers, 5000), 0, HERE);
    a = rask_array_reduce_at(RASK_REDUCE_SUM, a, NULL, HERE);
    static const char wanted[] = "index 700000, at place 123456, is out of bounds for axis 0 of 700000";
    cr_assert_eq(rask_array_compute(&a, 1, &o, &out), RASK_ERANGE);
    cr_expect(strstr(rask_graph_error(g), wanted), "%s", rask_graph_error(g));
    elsewhere.scheduler = "cluster";
    cr_assert_eq(rask_compute_value(rask_array_node_at(a, &elsewhere, HERE), &o, &value), RASK_ERANGE);
    cr_expect(strstr(rask_graph_error(g), wanted), "%s", rask_graph_error(g));
    free(p.data);
    free(numbers.data);
    rask_graph_free(g);
}

Test(take, bounds_name_the_index)
{
    for (int64_t chunk = 0; chunk < 2; chunk++) {
        rask_graph *g = rask_graph_new();
        rask_block out = {0};
        rask_options o = within(1 << 30);
        plain p = plain_count(1, (int64_t[]){5}), numbers = plain_count(1, (int64_t[]){3});
        numbers.data[0] = 1;
        numbers.data[1] = -6;
        numbers.data[2] = 0;
        rask_array *a = rask_array_take_at(array_of(g, &p, 0), array_of(g, &numbers, chunk), 0, HERE);
        if (chunk)
            cr_assert_eq(rask_array_compute(&a, 1, &o, &out), RASK_ERANGE);
        cr_assert(strstr(rask_graph_error(g), "index -6, at place 1, is out of bounds for axis 0 of 5"), "%s",
                  rask_graph_error(g));
        free(p.data);
        free(numbers.data);
        rask_graph_free(g);
    }
}

Test(take, indices_are_integers)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(1, (int64_t[]){5});
    rask_array *a = array_of(g, &p, 0);
    cr_assert_null(rask_array_take_at(a, rask_array_astype_at(a, RASK_DT_F64, HERE), 0, HERE));
    cr_assert_eq(rask_graph_status(g), RASK_ETYPE);
    free(p.data);
    rask_graph_free(g);
}

/* The elements where number % 3 is 0, which compress finds by a computed mask. */
static rask_array *thirds(rask_graph *g, const plain *p, int64_t chunk)
{
    rask_array *rest = rask_array_binary_at(
        RASK_BINARY_REMAINDER, (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = array_of(g, p, chunk)},
        OPERAND_I64(3), HERE);
    return rask_array_binary_at(RASK_BINARY_EQUAL,
                                (rask_operand){.kind = RASK_OPERAND_ARRAY, .as.array = rest}, OPERAND_I64(0),
                                HERE);
}

Test(compress, elements_where_a_mask_is_true)
{
    uint64_t seed = 9;
    rask_options o = within(1 << 30);
    for (int round = 0; round < 150; round++) {
        rask_graph *g = rask_graph_new();
        plain p = draw_plain(&seed, 0);
        uint32_t axis = (uint32_t)draw(&seed, p.ndim);
        plain numbers = plain_count(1, &p.shape[axis]);
        int64_t found[16], n = 0;
        for (int64_t i = 0; i < p.shape[axis]; i++) {
            numbers.data[i] = draw(&seed, 9);
            if (numbers.data[i] % 3 == 0)
                found[n++] = i;
        }
        expect(g,
               rask_array_compress_at(array_of(g, &p, draw(&seed, 3)), thirds(g, &numbers, draw(&seed, 3)),
                                      (int)axis, &o, HERE),
               plain_take(&p, found, n, axis), "compress");
        free(p.data);
        free(numbers.data);
        rask_graph_free(g);
    }
}

Test(compress, along_the_last_axis_with_far_gaps)
{
    enum { ROWS = 40, LENGTH = 30000 };
    rask_options o = within(4 << 20);
    for (int64_t chunk = 0; chunk <= 500; chunk += 500) {
        rask_graph *g = rask_graph_new();
        plain p = plain_count(2, (int64_t[]){ROWS, LENGTH}), mask = plain_new(1, (int64_t[]){LENGTH});
        static int64_t found[LENGTH];
        int64_t n = 0;
        for (int64_t i = 0; i < LENGTH; i++) {
            mask.data[i] = i < 5000 || i == 17000 || i > 29000 ? i % 4 : 1; /* 17000 % 4 is 0 */
            if (mask.data[i] % 3 == 0)
                found[n++] = i;
        }
        expect_in(4 << 20, g,
                  rask_array_compress_at(array_of(g, &p, chunk), thirds(g, &mask, chunk), 1, &o, HERE),
                  plain_take(&p, found, n, 1), "gaps");
        free(p.data);
        free(mask.data);
        rask_graph_free(g);
    }
}

Test(compress, of_all_axes_gives_one)
{
    rask_options o = within(8 << 20);
    for (int64_t chunk = 0; chunk <= 300; chunk += 300) {
        rask_graph *g = rask_graph_new();
        plain p = plain_count(2, (int64_t[]){1000, 700}), q = plain_new(1, (int64_t[]){233333});
        for (int64_t i = 0, n = 0; i < 700000; i++)
            if (p.data[i] % 3 == 0)
                q.data[n++] = p.data[i];
        expect_in(8 << 20, g,
                  rask_array_compress_at(array_of(g, &p, chunk), thirds(g, &p, chunk), RASK_ALL, &o, HERE), q,
                  "compress");
        free(p.data);
        rask_graph_free(g);
    }
}

Test(compress, the_mask_is_as_long_as_the_axis)
{
    rask_graph *g = rask_graph_new();
    plain p = plain_count(1, (int64_t[]){5}), q = plain_count(1, (int64_t[]){4});
    cr_assert_null(rask_array_compress_at(array_of(g, &p, 0), thirds(g, &q, 0), 0, NULL, HERE));
    cr_assert(strstr(rask_graph_error(g), "a mask of shape (4,) for axis 0 of an array of shape (5,)"), "%s",
              rask_graph_error(g));
    free(p.data);
    free(q.data);
    rask_graph_free(g);
}
