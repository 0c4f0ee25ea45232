/* Views against plain C: chains of random ones over an array in memory, element by element. */
#include "collections/array/array.h"
#include "collections/array/source.h"

#include "shapes.h"

#include <stdlib.h>

static uint64_t state = 1;

static int64_t below(int64_t end)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)end);
}

/* The element of a view of memory, by the definition of views. */
static int64_t element(const rask_array *a, const int64_t *index)
{
    int64_t own[RASK_MAX_DIMENSIONS];
    if (a->kind == RK_VIEW) {
        const rask_array *in = a->inputs[0];
        for (uint32_t i = 0; i < in->ndim; i++) {
            int from = a->as.view->from[i];
            own[i] = a->as.view->start[i] + (from < 0 ? 0 : a->as.view->step[i] * index[from]);
            cr_assert(own[i] >= 0 && own[i] < in->shape[i]);
        }
        a = in;
        index = own;
    }
    cr_assert_eq(a->kind, RK_SOURCE, "one view is enough");
    const char *at = a->as.source->data;
    for (uint32_t i = 0; i < a->ndim; i++)
        at += index[i] * a->as.source->strides[i];
    int64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static void expect_equal(const rask_array *a, const plain *p, const char *what)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    cr_assert_not_null(a, "%s", what);
    cr_assert_eq(a->ndim, p->ndim, "%s", what);
    for (uint32_t i = 0; i < a->ndim; i++)
        cr_assert_eq(a->shape[i], p->shape[i], "%s: axis %u", what, i);
    if (!plain_size(p))
        return;
    do
        cr_assert_eq(element(a, index), *plain_at(p, index), "%s", what);
    while (plain_next(p, index));
}

/* Python's range over an axis: slow and plain. Returns how many; places in order. */
static int64_t python_range(int64_t length, rask_slice s, int64_t *places)
{
    int64_t step = s.step == RASK_DEFAULT ? 1 : s.step, count = 0;
    int64_t low = step < 0 ? -1 : 0, high = step < 0 ? length - 1 : length;
    int64_t start = s.start == RASK_DEFAULT ? (step < 0 ? high : low)
                    : s.start < 0           ? s.start + length
                                            : s.start;
    int64_t stop = s.stop == RASK_DEFAULT ? (step < 0 ? low : high) : s.stop < 0 ? s.stop + length : s.stop;
    start = start < low ? low : start > high ? high : start;
    stop = stop < low ? low : stop > high ? high : stop;
    for (int64_t i = start; step < 0 ? i > stop : i < stop; i += step)
        places[count++] = i;
    return count;
}

/* p with one axis replaced by some of its places; ends p. */
static plain pick(plain p, uint32_t axis, const int64_t *places, int64_t count)
{
    int64_t shape[MOST_AXES], index[MOST_AXES] = {0};
    memcpy(shape, p.shape, sizeof shape);
    shape[axis] = count;
    plain out = plain_new(p.ndim, shape);
    if (plain_size(&out))
        do {
            int64_t from[MOST_AXES];
            memcpy(from, index, sizeof from);
            from[axis] = places[index[axis]];
            *plain_at(&out, index) = *plain_at(&p, from);
        } while (plain_next(&out, index));
    free(p.data);
    return out;
}

static int64_t bound(int64_t length)
{
    return below(4) ? below(2 * length + 6) - length - 3 : RASK_DEFAULT;
}

static rask_array *slice_one(rask_array *a, plain *p, uint32_t axis)
{
    int64_t length = p->shape[axis], places[64];
    rask_slice slices[MOST_AXES + 1];
    int64_t step = below(3) ? below(7) - 3 : RASK_DEFAULT;
    rask_slice s = {RASK_SLICE_RANGE, bound(length), bound(length), step ? step : 1};
    *p = pick(*p, axis, places, python_range(length, s, places));
    for (uint32_t i = 0; i < axis; i++)
        slices[i] = RASK_WHOLE;
    slices[axis] = s;
    return rask_array_slice_at(a, slices, axis + 1, NULL, 0);
}

static rask_array *index_one(rask_array *a, plain *p, uint32_t axis)
{
    int64_t length = p->shape[axis], place = below(length);
    rask_slice slices[2] = {RASK_ELLIPSIS, RASK_INDEX(below(2) ? place : place - length)};
    axis = p->ndim - 1; /* the one behind the ellipsis */
    length = p->shape[axis];
    place = below(length);
    slices[1].start = below(2) ? place : place - length;
    *p = pick(*p, axis, &place, 1);
    p->ndim--;
    return rask_array_slice_at(a, slices, 2, NULL, 0);
}

static rask_array *swap_two(rask_array *a, plain *p)
{
    uint32_t first = (uint32_t)below(p->ndim), second = (uint32_t)below(p->ndim);
    int64_t shape[MOST_AXES], index[MOST_AXES] = {0};
    memcpy(shape, p->shape, sizeof shape);
    shape[first] = p->shape[second];
    shape[second] = p->shape[first];
    plain out = plain_new(p->ndim, shape);
    if (plain_size(&out))
        do {
            int64_t from[MOST_AXES];
            memcpy(from, index, sizeof from);
            from[first] = index[second];
            from[second] = index[first];
            *plain_at(&out, index) = *plain_at(p, from);
        } while (plain_next(&out, index));
    free(p->data);
    *p = out;
    return rask_array_swapaxes(a, (int)first - (below(2) ? (int)p->ndim : 0), (int)second);
}

static rask_array *expand(rask_array *a, plain *p)
{
    uint32_t at = (uint32_t)below(p->ndim + 1);
    memmove(p->shape + at + 1, p->shape + at, (p->ndim - at) * sizeof *p->shape);
    p->shape[at] = 1;
    p->ndim++;
    return rask_array_expand_dims(a, (int)at - (below(2) ? (int)p->ndim : 0));
}

/* An axis of length 1 repeated. */
static rask_array *stretch(rask_array *a, plain *p, uint32_t axis)
{
    int64_t places[5] = {0}, shape[MOST_AXES];
    *p = pick(*p, axis, places, 1 + below(5));
    memcpy(shape, p->shape, sizeof shape);
    return rask_array_broadcast_to_at(a, p->ndim, shape, NULL, 0);
}

static rask_array *flip(rask_array *a, plain *p, uint32_t axis)
{
    int64_t places[64];
    for (int64_t i = 0; i < p->shape[axis]; i++)
        places[i] = p->shape[axis] - 1 - i;
    *p = pick(*p, axis, places, p->shape[axis]);
    return rask_array_flip(a, (int)axis);
}

static rask_array *any_view(rask_array *a, plain *p)
{
    uint32_t axis = p->ndim ? (uint32_t)below(p->ndim) : 0;
    int64_t which = below(6);
    if (p->ndim && which < 2)
        return slice_one(a, p, axis);
    if (which == 2 && p->ndim > 1 && plain_size(p))
        return index_one(a, p, axis);
    if (which == 3 && p->ndim)
        return swap_two(a, p);
    if (which == 4 && p->ndim)
        return p->shape[axis] == 1 ? stretch(a, p, axis) : flip(a, p, axis);
    return p->ndim < MOST_AXES ? expand(a, p) : a;
}

Test(views, chains_are_one_view_of_the_same_elements)
{
    for (int round = 0; round < 2000; round++) {
        rask_graph *g = rask_graph_new();
        int64_t shape[] = {1 + below(6), 1 + below(6), 1 + below(6)};
        plain p = plain_count((uint32_t)below(3) + 1, shape);
        rask_block block = {.dtype = RASK_DT_I64, .ndim = p.ndim, .data = p.data};
        int64_t stride = 8;
        for (uint32_t i = p.ndim; i-- > 0; stride *= p.shape[i]) {
            block.shape[i] = p.shape[i];
            block.strides[i] = stride;
        }
        rask_array *a = rask_array_from_block(g, &block, false);
        for (int step = 0; step < 6; step++) {
            a = any_view(a, &p);
            expect_equal(a, &p, rask_graph_error(g));
        }
        free(p.data);
        rask_graph_free(g);
    }
}

static void expect_error(rask_graph *g, rask_array *a, int status, const char *message)
{
    cr_assert_null(a);
    cr_assert_eq(rask_graph_status(g), status, "%s", rask_graph_error(g));
    cr_assert_not_null(strstr(rask_graph_error(g), message), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

#define EXPECT_ERROR(expression, status, message)                                                            \
    do {                                                                                                     \
        rask_graph *g = rask_graph_new();                                                                    \
        rask_array *a = rask_array_normal(g, 1, 0, 1, 5), *m = rask_array_normal(g, 1, 0, 1, 3, 4);          \
        (void)a, (void)m;                                                                                    \
        rask_array *made = (expression);                                                                     \
        expect_error(g, made, status, message);                                                              \
    } while (0)

Test(views, that_cannot_be_are_errors)
{
    EXPECT_ERROR(rask_array_slice(a, RASK_INDEX(7)), RASK_EINVAL,
                 "rask_array_slice: index 7 is out of bounds for axis 0 of shape (5,)");
    EXPECT_ERROR(rask_array_slice(m, RASK_WHOLE, RASK_INDEX(-5)), RASK_EINVAL,
                 "index -5 is out of bounds for axis 1 of shape (3, 4)");
    EXPECT_ERROR(rask_array_slice(a, RASK_EVERY(0)), RASK_EINVAL, "a step of 0 along axis 0 of shape (5,)");
    EXPECT_ERROR(rask_array_slice(a, RASK_WHOLE, RASK_INDEX(0)), RASK_EINVAL,
                 "2 indices for an array of shape (5,)");
    EXPECT_ERROR(rask_array_slice(m, RASK_ELLIPSIS, RASK_ELLIPSIS), RASK_EINVAL,
                 "2 ellipses for shape (3, 4)");
    EXPECT_ERROR(rask_array_permute(m, 0, 0), RASK_EINVAL, "rask_array_transpose: axis 0 is there twice");
    EXPECT_ERROR(rask_array_permute(m, 0), RASK_EINVAL, "1 axes for an array of shape (3, 4)");
    EXPECT_ERROR(rask_array_permute(m, 0, 2), RASK_EINVAL,
                 "rask_array_transpose: axis 2 of an array of shape (3, 4)");
    EXPECT_ERROR(rask_array_moveaxis(m, 0, 2), RASK_EINVAL, "rask_array_moveaxis: axis 2");
    EXPECT_ERROR(rask_array_squeeze(m, 0), RASK_EINVAL, "axis 0 of shape (3, 4) is not of length 1");
    EXPECT_ERROR(rask_array_expand_dims(m, 3), RASK_EINVAL, "no axis 3 can be new");
    EXPECT_ERROR(rask_array_broadcast_to(m, 3, 5), RASK_EINVAL, "shape (3, 4) does not broadcast to (3, 5)");
    EXPECT_ERROR(rask_array_broadcast_to(m, 4), RASK_EINVAL, "shape (3, 4) does not broadcast to (4,)");
    EXPECT_ERROR(rask_array_reshape(m, 5, 2), RASK_EINVAL,
                 "rask_array_reshape: an array of shape (3, 4), 12 elements, cannot have shape (5, 2)");
    EXPECT_ERROR(rask_array_reshape(m, -1, 5), RASK_EINVAL, "cannot have shape (-1, 5)");
    EXPECT_ERROR(rask_array_reshape(m, -1, -1), RASK_EINVAL, "cannot have shape (-1, -1)");
    EXPECT_ERROR(rask_array_reshape(m, -1, 0), RASK_EINVAL, "cannot have shape (-1, 0)");
    EXPECT_ERROR(rask_array_reshape(m, INT64_MAX, INT64_MAX), RASK_EINVAL, "cannot have shape");
}

Test(views, moveaxis_keeps_the_order_of_the_others)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_normal(g, 1, 0, 1, 2, 3, 4, 5);
    static const int64_t forth[] = {3, 4, 2, 5}, back[] = {5, 2, 3, 4};
    cr_assert_eq(memcmp(rask_array_moveaxis(a, 0, 2)->shape, forth, sizeof forth), 0);
    cr_assert_eq(memcmp(rask_array_moveaxis(a, -1, 0)->shape, back, sizeof back), 0);
    cr_assert_eq(rask_array_moveaxis(rask_array_moveaxis(a, 0, 2), 2, 0), a);
    rask_graph_free(g);
}

Test(views, huge_steps_and_bounds_do_not_overflow)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_normal(g, 1, 0, 1, 5);
    rask_array *one = rask_array_slice(a, RASK_STEPS(-INT64_MAX, INT64_MAX, INT64_MAX));
    cr_assert_eq(one->shape[0], 1);
    cr_assert_eq(rask_array_slice(one, RASK_STEPS(INT64_MAX, -INT64_MAX, -INT64_MAX))->shape[0], 1);
    cr_assert_eq(rask_array_slice(a, RASK_STEPS(10, 2, 1))->shape[0], 0);
    rask_array *none = rask_array_slice(a, RASK_RANGE(7, 9));
    cr_assert_eq(none->shape[0], 0);
    cr_assert_eq(rask_array_flip(none, 0)->shape[0], 0);
    rask_graph_free(g);
}
