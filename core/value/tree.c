#include "core/value/tree.h"

#include <string.h>

/* -- Apart */

typedef struct frame {
    const rk_list *list;
    size_t next;
} frame;

void rk_tree_walk_init(rk_tree_walk *walk, const rask_value *root)
{
    *walk = (rk_tree_walk){.frames = RK_ARRAY(frame, SIZE_MAX / sizeof(frame)), .at = root};
}

int rk_tree_walk_on(rk_tree_walk *walk)
{
    bool down_there = walk->at->type == RASK_LIST && rk_value_list(walk->at)->count && !walk->stay;
    walk->stay = false;
    if (down_there) {
        frame *down = rk_array_push(&walk->frames);
        if (!down)
            return RASK_ENOMEM;
        *down = (frame){rk_value_list(walk->at), 0};
    }
    frame *frames = walk->frames.data;
    while (walk->frames.count &&
           frames[walk->frames.count - 1].next == frames[walk->frames.count - 1].list->count)
        walk->frames.count--;
    if (!walk->frames.count) {
        walk->at = NULL;
        return RASK_OK;
    }
    frame *top = &frames[walk->frames.count - 1];
    walk->at = &top->list->items[top->next++];
    return RASK_OK;
}

void rk_tree_walk_fini(rk_tree_walk *walk)
{
    rk_array_fini(&walk->frames);
}

/* -- Together */

typedef struct level {
    rask_value *items;
    uint64_t count, filled;
} level;

void rk_tree_growth_init(rk_tree_growth *growth)
{
    *growth = (rk_tree_growth){.levels = RK_ARRAY(level, SIZE_MAX / sizeof(level))};
}

static void end_level(level *l)
{
    for (uint64_t i = 0; i < l->filled; i++)
        rask_value_unref(&l->items[i]);
    rk_free(l->items);
}

void rk_tree_growth_fini(rk_tree_growth *growth)
{
    for (size_t i = 0; i < growth->levels.count; i++)
        end_level(&((level *)growth->levels.data)[i]);
    rk_array_fini(&growth->levels);
}

int rk_tree_begin_list(rk_tree_growth *growth, uint64_t count)
{
    level *down = rk_array_push(&growth->levels);
    if (!down)
        return RASK_ENOMEM;
    *down = (level){.count = count, .items = rk_alloc_array(count, sizeof *down->items)};
    return down->items ? RASK_OK : RASK_ENOMEM;
}

int rk_tree_put(rk_tree_growth *growth, rask_value value, rask_value *root)
{
    for (;;) {
        size_t depth = growth->levels.count;
        level *top = depth ? &((level *)growth->levels.data)[depth - 1] : NULL;
        if (!top) {
            *root = value;
            growth->whole = true;
            return RASK_OK;
        }
        top->items[top->filled++] = value;
        if (top->filled < top->count)
            return RASK_OK;
        if (rask_value_list_new(top->items, top->count, &value))
            return RASK_ENOMEM;
        end_level(top);
        growth->levels.count--;
    }
}

/* -- Blocks */

uint64_t rk_block_row_major(const rask_block *block, int64_t *strides)
{
    uint64_t step = rask_dtype_size(block->dtype);
    bool empty = false;
    for (uint32_t i = block->ndim; i-- > 0;) {
        strides[i] = (int64_t)step;
        empty |= !block->shape[i];
        step *= block->shape[i] ? (uint64_t)block->shape[i] : 1;
    }
    return empty ? 0 : step;
}

bool rk_block_is_contiguous(const rask_block *block)
{
    int64_t strides[RASK_MAX_DIMENSIONS];
    rk_block_row_major(block, strides);
    bool empty = false, in_row = true;
    for (uint32_t i = 0; i < block->ndim; i++) {
        empty |= !block->shape[i];
        in_row &= block->shape[i] <= 1 || block->strides[i] == strides[i];
    }
    return empty || in_row;
}

void rk_block_copy(const rask_block *block, char *to)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, strides[RASK_MAX_DIMENSIONS];
    size_t size = rask_dtype_size(block->dtype);
    if (!rk_block_row_major(block, strides))
        return;
    uint32_t last = block->ndim; /* dimensions from here on stand in a row already */
    while (last && block->strides[last - 1] == strides[last - 1])
        last--;
    size_t run = last == block->ndim ? size : (size_t)(strides[last] * block->shape[last]);
    for (const char *from = block->data;; to += run) {
        memcpy(to, from, run);
        uint32_t i = last;
        for (; i && ++index[i - 1] == block->shape[i - 1]; i--) {
            index[i - 1] = 0;
            from -= block->strides[i - 1] * (block->shape[i - 1] - 1);
        }
        if (!i)
            return;
        from += block->strides[i - 1];
    }
}
