/* a[…]: slices, and at most one array of integers or bools, by NumPy's rules. */
#include "collections/array/eval/value.h"

enum { MAX_SUBSCRIPTS = 2 * RASK_MAX_DIMENSIONS + 1 };

/* Subscripts sorted out. */
typedef struct plan {
    rask_slice slices[MAX_SUBSCRIPTS];
    uint32_t count;
    const rk_eval_value *array; /* the subscript that is an array; NULL: none */
    uint32_t place;             /* and its slice, which takes the whole axis */
    uint32_t taken;             /* axes of what is subscripted */
    bool ellipsis;
} plan;

static bool add_array(rk_eval *e, plan *p, const rk_eval_value *item)
{
    if (p->array) {
        rk_eval_fail(e, item->at, RASK_EUNSUPPORTED, "only one subscript may be an array");
        return false;
    }
    p->array = item;
    p->place = p->count;
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

/* The axis that the array's axis is after slicing. */
static int sliced_axis(const plan *p, uint32_t ndim)
{
    int axis = 0;
    for (uint32_t i = 0; i < p->place; i++) {
        if (p->slices[i].kind == RASK_SLICE_ELLIPSIS)
            axis += (int)ndim - (int)p->taken;
        else
            axis += p->slices[i].kind != RASK_SLICE_INDEX;
    }
    return axis;
}

/* NumPy counts integers beside an array as arrays; when others stand between them, their axes come first. */
static bool goes_first(const plan *p)
{
    uint32_t first = p->place, last = p->place;
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->slices[i].kind != RASK_SLICE_INDEX)
            continue;
        first = i < first ? i : first;
        last = i > last ? i : last;
    }
    for (uint32_t i = first; i <= last; i++) {
        if (p->slices[i].kind != RASK_SLICE_INDEX && i != p->place)
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
    return index->dtype == RASK_DT_BOOL && p->count == 1 && index->ndim == a->ndim && a->ndim > 0;
}

static rask_array *subscript_array(rk_eval *e, rask_array *a, const plan *p)
{
    rask_array *index = p->array ? index_array(e, p->array) : NULL;
    if (p->array && !index)
        return NULL;
    if (index && is_whole_mask(p, a, index))
        return rask_array_compress_at(a, index, a->ndim == 1 ? 0 : RASK_ALL, e->options, RK_EVAL_SITE(e));
    if (index && index->dtype == RASK_DT_BOOL && index->ndim != 1) {
        rk_eval_fail(
            e, p->array->at, RASK_EUNSUPPORTED,
            "a mask has one dimension, or all dimensions of the array and no other subscript beside it");
        return NULL;
    }
    rask_array *sliced = rask_array_slice_at(a, p->slices, p->count, RK_EVAL_SITE(e));
    if (!index || !sliced)
        return sliced;
    int axis = sliced_axis(p, a->ndim);
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
