/* Functions that put several arrays together. */
#include "collections/array/eval/function.h"

static rask_array **arrays_of(rk_call *c, uint32_t *count)
{
    return rk_eval_to_arrays(c->eval, rk_call_value(c, "arrays"), count);
}

static rk_eval_value joined(rk_call *c, rask_array **arrays, uint32_t count, int axis)
{
    return rk_eval_array(arrays ? rask_array_concatenate_at(arrays, count, axis, RK_EVAL_SITE(c->eval))
                                : NULL);
}

/* axis None: of the arrays as rows. */
static rk_eval_value concatenate(rk_call *c)
{
    uint32_t count;
    rask_array **arrays = arrays_of(c, &count);
    const rk_eval_value *axis = rk_call_value(c, "axis");
    for (uint32_t i = 0; arrays && axis->kind == RK_EVAL_NONE && i < count; i++)
        arrays[i] = rask_array_ravel_at(arrays[i], RK_EVAL_SITE(c->eval));
    return joined(c, arrays, count, rk_call_axis(c, "axis", 0));
}

static rk_eval_value stack(rk_call *c)
{
    uint32_t count;
    rask_array **arrays = arrays_of(c, &count);
    int axis = rk_call_axis(c, "axis", 0);
    return rk_eval_array(arrays ? rask_array_stack_at(arrays, count, axis, RK_EVAL_SITE(c->eval)) : NULL);
}

/* Each with at least so many dimensions, new ones in front. */
static rask_array **widened(rk_call *c, uint32_t least, uint32_t *count)
{
    rask_array **arrays = arrays_of(c, count);
    for (uint32_t i = 0; arrays && i < *count; i++) {
        while (arrays[i] && arrays[i]->ndim < least)
            arrays[i] = rask_array_expand_dims_at(arrays[i], 0, RK_EVAL_SITE(c->eval));
        if (!arrays[i])
            return NULL;
    }
    return arrays;
}

static rk_eval_value vstack(rk_call *c)
{
    uint32_t count;
    rask_array **arrays = widened(c, 2, &count);
    return joined(c, arrays, count, 0);
}

static rk_eval_value hstack(rk_call *c)
{
    uint32_t count;
    rask_array **arrays = widened(c, 1, &count);
    return joined(c, arrays, count, arrays && arrays[0]->ndim > 1 ? 1 : 0);
}

/* Along a third axis, which is the last of what has fewer. */
static rk_eval_value dstack(rk_call *c)
{
    uint32_t count;
    rask_array **arrays = widened(c, 2, &count);
    for (uint32_t i = 0; arrays && i < count; i++) {
        if (arrays[i]->ndim == 2)
            arrays[i] = rask_array_expand_dims_at(arrays[i], 2, RK_EVAL_SITE(c->eval));
        if (!arrays[i])
            return (rk_eval_value){.kind = RK_EVAL_FAILED};
    }
    return joined(c, arrays, count, 2);
}

static rk_eval_value column_stack(rk_call *c)
{
    uint32_t count;
    rask_array **arrays = widened(c, 1, &count);
    for (uint32_t i = 0; arrays && i < count; i++) {
        if (arrays[i]->ndim == 1)
            arrays[i] = rask_array_expand_dims_at(arrays[i], 1, RK_EVAL_SITE(c->eval));
        if (!arrays[i])
            return (rk_eval_value){.kind = RK_EVAL_FAILED};
    }
    return joined(c, arrays, count, 1);
}

/* Blocks side by side, along the last axis. */
static rask_array *block_row(rk_call *c, const rk_eval_value *row)
{
    uint32_t count;
    rask_array **blocks = rk_eval_to_arrays(c->eval, row, &count);
    return blocks ? rask_array_block_at(blocks, 1, count, RK_EVAL_SITE(c->eval)) : NULL;
}

/* [[a, b], [c, d]], or one row [a, b]. Rows may have different numbers of blocks. */
static rk_eval_value block(rk_call *c)
{
    rk_eval *e = c->eval;
    const rk_eval_value *rows = rk_call_value(c, "arrays");
    if (!rk_eval_is_list(rows) || !rows->as.list.count || !rk_eval_is_list(rows->as.list.items))
        return rk_eval_array(block_row(c, rows));
    rask_array **joined_rows = rk_eval_memory(e, rows->as.list.count * sizeof *joined_rows);
    for (uint32_t i = 0; joined_rows && i < rows->as.list.count; i++) {
        joined_rows[i] = block_row(c, &rows->as.list.items[i]);
        if (!joined_rows[i])
            return (rk_eval_value){.kind = RK_EVAL_FAILED};
    }
    return rk_eval_array(
        joined_rows ? rask_array_block_at(joined_rows, rows->as.list.count, 1, RK_EVAL_SITE(e)) : NULL);
}

static const rk_eval_function rows[] = {
    {"block", "arrays", block, 0, 0},
    {"column_stack", "arrays|tup", column_stack, 0, 0},
    {"concat", "arrays; axis", concatenate, 0, 0},
    {"concatenate", "arrays; axis", concatenate, 0, 0},
    {"dstack", "arrays|tup", dstack, 0, 0},
    {"hstack", "arrays|tup", hstack, 0, 0},
    {"stack", "arrays; axis", stack, 0, 0},
    {"vstack", "arrays|tup", vstack, 0, 0},
};

const rk_eval_table rk_eval_joins = {rows, sizeof rows / sizeof *rows};
