/* a[…]: slices, and an array of integers or bools or several of integers, by NumPy's rules. */
#include "collections/array/eval/value.h"

#include <inttypes.h>

enum { MAX_SUBSCRIPTS = 2 * RASK_MAX_DIMENSIONS + 1 };

/* Subscripts sorted out. */
typedef struct plan {
    rask_slice slices[MAX_SUBSCRIPTS];
    uint32_t count;
    const rk_eval_value *arrays[RASK_MAX_DIMENSIONS]; /* the subscripts that are arrays, */
    uint32_t places[RASK_MAX_DIMENSIONS];             /* and their slices, which take the whole axis */
    uint32_t array_count;
    uint32_t taken; /* axes of what is subscripted */
    bool ellipsis;
} plan;

static bool add_array(rk_eval *e, plan *p, const rk_eval_value *item)
{
    if (p->array_count == RASK_MAX_DIMENSIONS) {
        rk_eval_fail(e, item->at, RASK_ELIMIT, "more than %d subscripts that are arrays",
                     RASK_MAX_DIMENSIONS);
        return false;
    }
    p->arrays[p->array_count] = item;
    p->places[p->array_count++] = p->count;
    p->slices[p->count++] = (rask_slice){RASK_SLICE_RANGE, RASK_DEFAULT, RASK_DEFAULT, RASK_DEFAULT};
    p->taken++;
    return true;
}

static bool add_ellipsis(rk_eval *e, plan *p, const rk_eval_value *item)
{
    if (p->ellipsis)
        rk_eval_fail(e, item->at, RASK_EINVAL, "only one subscript may be ...");
    p->ellipsis = true;
    p->slices[p->count++] = (rask_slice){.kind = RASK_SLICE_ELLIPSIS};
    return !e->graph->status;
}

static bool add_subscript(rk_eval *e, plan *p, const rk_eval_value *item)
{
    bool boolean = item->kind == RK_EVAL_NUMBER && item->as.number.kind == RASK_OPERAND_BOOL;
    if (item->kind == RK_EVAL_ARRAY || item->kind == RK_EVAL_LIST)
        return add_array(e, p, item);
    if (item->kind == RK_EVAL_ELLIPSIS)
        return add_ellipsis(e, p, item);
    if (item->kind == RK_EVAL_NONE) {
        p->slices[p->count++] = (rask_slice){.kind = RASK_SLICE_NEWAXIS};
        return true;
    }
    if (item->kind == RK_EVAL_SLICE) {
        p->slices[p->count++] = item->as.slice;
    } else if (rk_eval_is_integer(item) && !boolean) {
        p->slices[p->count++] = (rask_slice){.kind = RASK_SLICE_INDEX, .start = rk_eval_to_i64(e, item)};
    } else {
        rk_eval_fail(e, item->at, RASK_ETYPE,
                     "%s is no subscript: an integer, a slice, None, ... or an array is",
                     rk_eval_kind_text(item));
        return false;
    }
    p->taken++;
    return true;
}

static bool make_plan(rk_eval *e, plan *p, const rk_eval_value *items, uint32_t count)
{
    *p = (plan){0};
    if (count > MAX_SUBSCRIPTS) {
        rk_eval_fail(e, items[MAX_SUBSCRIPTS].at, RASK_ELIMIT, "more than %d subscripts", MAX_SUBSCRIPTS);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!add_subscript(e, p, &items[i]))
            return false;
    }
    return true;
}

/* The axis that the axis of an array, one of several, is after slicing. */
static int sliced_axis(const plan *p, uint32_t array, uint32_t ndim)
{
    int axis = 0;
    for (uint32_t i = 0; i < p->places[array]; i++) {
        if (p->slices[i].kind == RASK_SLICE_ELLIPSIS)
            axis += (int)ndim - (int)p->taken;
        else
            axis += p->slices[i].kind != RASK_SLICE_INDEX;
    }
    return axis;
}

static bool is_array(const plan *p, uint32_t subscript)
{
    for (uint32_t i = 0; i < p->array_count; i++)
        if (p->places[i] == subscript)
            return true;
    return false;
}

/* NumPy counts integers beside an array as arrays; when others stand between them, their axes come first. */
static bool goes_first(const plan *p)
{
    uint32_t first = p->places[0], last = p->places[p->array_count - 1];
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->slices[i].kind != RASK_SLICE_INDEX)
            continue;
        first = i < first ? i : first;
        last = i > last ? i : last;
    }
    for (uint32_t i = first; i <= last; i++) {
        if (p->slices[i].kind != RASK_SLICE_INDEX && !is_array(p, i))
            return true;
    }
    return false;
}

static rask_array *take_integers(rk_eval *e, rask_array *a, rask_array *indices, int axis, bool first)
{
    int64_t shape[2 * RASK_MAX_DIMENSIONS];
    uint32_t ndim = 0, own = indices->ndim, at = first ? 0 : (uint32_t)axis;
    rask_array *flat = own == 1 ? indices : rask_array_ravel_at(indices, RK_EVAL_SITE(e));
    rask_array *taken = rask_array_take_at(a, flat, axis, RK_EVAL_SITE(e));
    if (first && axis > 0)
        taken = rask_array_moveaxis_at(taken, axis, 0, RK_EVAL_SITE(e));
    if (!taken || own == 1)
        return taken;
    for (uint32_t i = 0; i < taken->ndim; i++) {
        for (uint32_t j = 0; i == at && j < own; j++)
            shape[ndim++] = indices->shape[j];
        if (i != at)
            shape[ndim++] = taken->shape[i];
    }
    return rask_array_reshape_at(taken, ndim, shape, RK_EVAL_SITE(e));
}

static rask_array *index_array(rk_eval *e, const rk_eval_value *item)
{
    rask_array *index = rk_eval_to_array(e, item);
    if (item->kind == RK_EVAL_LIST && item->as.list.count == 0)
        index = rask_array_astype_at(index, RASK_DT_I64, RK_EVAL_SITE(e));
    if (index && index->dtype != RASK_DT_BOOL && !rk_dtype_is_integer(index->dtype)) {
        rk_eval_fail(e, item->at, RASK_ETYPE, "a subscript of %s: integers or bools are subscripts",
                     rask_dtype_name(index->dtype));
        return NULL;
    }
    return index;
}

/* a[mask] where mask has all axes of a. */
static bool is_whole_mask(const plan *p, const rask_array *a, const rask_array *index)
{
    return index->dtype == RASK_DT_BOOL && p->count == 1 && p->array_count == 1 && index->ndim == a->ndim &&
           a->ndim > 0;
}

/* --- several arrays: their axes are taken for one, by one number for each place */

static rask_array *with(rk_eval *e, rask_binary op, rask_array *a, rask_array *b, int64_t number)
{
    rask_operand left = {.kind = RASK_OPERAND_ARRAY, .as.array = a}, right = {.kind = RASK_OPERAND_ARRAY};
    right.as.array = b;
    if (!b)
        right = (rask_operand){.kind = RASK_OPERAND_I64, .as.i64 = number};
    return rask_array_binary_at(op, left, right, RK_EVAL_SITE(e));
}

static rask_array *choose(rk_eval *e, rask_array *condition, rask_array *a, int64_t number, rask_array *b)
{
    rask_operand x = {.kind = RASK_OPERAND_ARRAY, .as.array = a},
                 y = {.kind = RASK_OPERAND_ARRAY, .as.array = b};
    if (!a)
        x = (rask_operand){.kind = RASK_OPERAND_I64, .as.i64 = number};
    return rask_array_where_at(condition, x, y, RK_EVAL_SITE(e));
}

/* Of what is written down, as deep as it became an array: computed ones are looked at when they are taken. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool are_inside(rk_eval *e, const rk_eval_value *item, uint32_t axis, int64_t length)
{
    bool good = true;
    for (uint32_t i = 0; rk_eval_is_list(item) && good && i < item->as.list.count; i++)
        good = are_inside(e, &item->as.list.items[i], axis, length);
    int64_t index = rk_eval_is_integer(item) ? rk_eval_to_i64(e, item) : 0;
    if (rk_eval_is_integer(item) && (index < -length || index >= length)) {
        rk_eval_fail(e, item->at, RASK_ERANGE,
                     "index %" PRId64 " is out of bounds for axis %" PRIu32 " of %" PRId64 " elements", index,
                     axis, length);
        return false;
    }
    return good;
}

/* Of the array that is subscripted. */
static uint32_t source_axis(const plan *p, uint32_t array, uint32_t ndim)
{
    uint32_t axis = 0;
    for (uint32_t i = 0; i < p->places[array]; i++)
        axis += p->slices[i].kind == RASK_SLICE_ELLIPSIS ? ndim - p->taken
                                                         : p->slices[i].kind != RASK_SLICE_NEWAXIS;
    return axis;
}

/* Numbers from 0 on of an axis of so many elements; *wrong becomes true where there are none. */
static rask_array *from_zero(rk_eval *e, const rk_eval_value *item, int64_t length, rask_array **wrong)
{
    rask_array *index = index_array(e, item);
    if (index && index->dtype == RASK_DT_BOOL) {
        rk_eval_fail(e, item->at, RASK_EUNSUPPORTED, "a mask is the only subscript that is an array");
        return NULL;
    }
    index = rask_array_astype_at(index, RASK_DT_I64, RK_EVAL_SITE(e));
    rask_array *negative = with(e, RASK_BINARY_LESS, index, NULL, 0);
    index = choose(e, negative, with(e, RASK_BINARY_ADD, index, NULL, length), 0, index);
    rask_array *outside = with(e, RASK_BINARY_BITWISE_OR, with(e, RASK_BINARY_LESS, index, NULL, 0),
                               with(e, RASK_BINARY_GREATER_EQUAL, index, NULL, length), 0);
    *wrong = *wrong ? with(e, RASK_BINARY_BITWISE_OR, *wrong, outside, 0) : outside;
    return index;
}

/* In C order over the axes from `axis` on of the sliced array; wrong ones are the first number behind all. */
static rask_array *number_places(rk_eval *e, const plan *p, const rask_array *sliced, int axis)
{
    rask_array *number = NULL, *wrong = NULL;
    for (uint32_t i = 0; i < p->array_count; i++) {
        int64_t length = sliced->shape[axis + (int)i];
        rask_array *index = from_zero(e, p->arrays[i], length, &wrong);
        number =
            i ? with(e, RASK_BINARY_ADD, with(e, RASK_BINARY_MUL, number, NULL, length), index, 0) : index;
        if (!index || !number)
            return NULL;
    }
    return choose(e, wrong, NULL, rk_shape_size(sliced->shape + axis, p->array_count), number);
}

/* The axes of the arrays side by side: where the first one is, or in front of all others. */
static rask_array *gather_axes(rk_eval *e, const plan *p, rask_array *a, bool first, uint32_t *axis)
{
    rask_array *sliced = rask_array_slice_at(a, p->slices, p->count, RK_EVAL_SITE(e));
    *axis = first ? 0 : (uint32_t)sliced_axis(p, 0, a->ndim);
    for (uint32_t i = 0; i < p->array_count && first; i++)
        sliced = rask_array_moveaxis_at(sliced, sliced_axis(p, i, a->ndim), (int)i, RK_EVAL_SITE(e));
    return sliced;
}

static rask_array *subscript_arrays(rk_eval *e, rask_array *a, const plan *p)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    uint32_t axis, more = p->array_count - 1;
    rask_array *sliced = gather_axes(e, p, a, goes_first(p), &axis);
    bool inside = sliced;
    for (uint32_t i = 0; i < p->array_count && inside; i++) {
        uint32_t own = source_axis(p, i, a->ndim);
        inside = are_inside(e, p->arrays[i], own, a->shape[own]);
    }
    rask_array *number = inside ? number_places(e, p, sliced, (int)axis) : NULL;
    if (!number)
        return NULL;
    for (uint32_t i = 0; i + more < sliced->ndim; i++)
        shape[i] = i == axis ? rk_shape_size(sliced->shape + axis, p->array_count)
                             : sliced->shape[i > axis ? i + more : i];
    rask_array *merged = rask_array_reshape_at(sliced, sliced->ndim - more, shape, RK_EVAL_SITE(e));
    return merged ? take_integers(e, merged, number, (int)axis, false) : NULL;
}

static rask_array *subscript_array(rk_eval *e, rask_array *a, const plan *p)
{
    if (p->array_count > 1)
        return subscript_arrays(e, a, p);
    rask_array *index = p->array_count ? index_array(e, p->arrays[0]) : NULL;
    if (p->array_count && !index)
        return NULL;
    if (index && is_whole_mask(p, a, index))
        return rask_array_compress_at(a, index, a->ndim == 1 ? 0 : RASK_ALL, e->options, RK_EVAL_SITE(e));
    if (index && index->dtype == RASK_DT_BOOL && index->ndim != 1) {
        rk_eval_fail(
            e, p->arrays[0]->at, RASK_EUNSUPPORTED,
            "a mask has one dimension, or all dimensions of the array and no other subscript beside it");
        return NULL;
    }
    rask_array *sliced = rask_array_slice_at(a, p->slices, p->count, RK_EVAL_SITE(e));
    if (!index || !sliced)
        return sliced;
    int axis = sliced_axis(p, 0, a->ndim);
    if (index->dtype != RASK_DT_BOOL)
        return take_integers(e, sliced, index, axis, goes_first(p));
    sliced = rask_array_compress_at(sliced, index, axis, e->options, RK_EVAL_SITE(e));
    return goes_first(p) && axis > 0 ? rask_array_moveaxis_at(sliced, axis, 0, RK_EVAL_SITE(e)) : sliced;
}

/* --- tuples and lists */

/* Where a part of a slice lies in count elements, as Python has it. */
static int64_t clipped(int64_t part, int64_t otherwise, int64_t count, bool down)
{
    int64_t least = down ? -1 : 0, most = down ? count - 1 : count;
    if (part == RASK_DEFAULT)
        return otherwise;
    if (part < 0)
        part += count;
    return part < least ? least : part > most ? most : part;
}

static rk_eval_value slice_list(rk_eval *e, const rk_eval_value *list, const rk_eval_value *item)
{
    const rask_slice *s = &item->as.slice;
    int64_t count = list->as.list.count, step = s->step == RASK_DEFAULT ? 1 : s->step;
    if (step == 0)
        return rk_eval_fail(e, item->at, RASK_EINVAL, "a slice with step 0");
    bool down = step < 0;
    int64_t start = clipped(s->start, down ? count - 1 : 0, count, down);
    int64_t stop = clipped(s->stop, down ? -1 : count, count, down);
    rk_eval_value *items = rk_eval_memory(e, (size_t)count * sizeof *items);
    uint32_t used = 0;
    if (!items)
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    step = step > count ? count + 1 : step < -count ? -count - 1 : step;
    for (int64_t i = start; down ? i > stop : i < stop; i += step)
        items[used++] = list->as.list.items[i];
    return (rk_eval_value){.kind = list->kind, .as.list = {items, used}};
}

static rk_eval_value subscript_list(rk_eval *e, const rk_eval_value *list, const rk_eval_value *item)
{
    int64_t count = list->as.list.count;
    if (item->kind == RK_EVAL_SLICE)
        return slice_list(e, list, item);
    int64_t index = rk_eval_to_i64(e, item);
    if (index < -count || index >= count)
        return rk_eval_fail(e, item->at, RASK_EINVAL, "element %lld of %s of %lld", (long long)index,
                            list->kind == RK_EVAL_LIST ? "a list" : "a tuple", (long long)count);
    return list->as.list.items[index < 0 ? index + count : index];
}

rk_eval_value rk_eval_subscript(rk_eval *e, const rk_eval_value *what, const rk_eval_value *items,
                                uint32_t count)
{
    plan p;
    if (rk_eval_is_list(what) && count == 1)
        return subscript_list(e, what, items);
    if (what->kind != RK_EVAL_ARRAY)
        return rk_eval_fail(e, e->at, RASK_ETYPE, "%s takes no %ssubscripts", rk_eval_kind_text(what),
                            rk_eval_is_list(what) ? "several " : "");
    if (count == 1 && items->kind == RK_EVAL_TUPLE) {
        count = items->as.list.count;
        items = items->as.list.items;
    }
    if (!make_plan(e, &p, items, count))
        return (rk_eval_value){.kind = RK_EVAL_FAILED};
    return rk_eval_array(subscript_array(e, what->as.array, &p));
}
