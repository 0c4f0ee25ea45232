/* core/value/tree: values of any shape, taken apart and put together without recursion: lists may be nested as deep as memory
 * allows. For who writes values somewhere else. */
#ifndef RASK_CORE_VALUE_TREE_H
#define RASK_CORE_VALUE_TREE_H

#include "core/base/array.h"
#include "core/value/value.h"

/* A value and all that is in it, in preorder. */
typedef struct rk_tree_walk {
    rk_array frames;
    const rask_value *at; /* NULL: behind the last */
    bool stay;            /* set by the caller: what is in *at is passed over */
} rk_tree_walk;

void rk_tree_walk_init(rk_tree_walk *walk, const rask_value *root);
/* To the next. RASK_ENOMEM. */
int rk_tree_walk_on(rk_tree_walk *walk);
void rk_tree_walk_fini(rk_tree_walk *walk);

/* The way back: a value under way, whose parts are told in preorder. */
typedef struct rk_tree_growth {
    rk_array levels;
    bool whole; /* the root has been put */
} rk_tree_growth;

void rk_tree_growth_init(rk_tree_growth *growth);
/* Ends what was put, when the root never was. */
void rk_tree_growth_fini(rk_tree_growth *growth);
/* The next values are the items of a list; count is not 0. RASK_ENOMEM. */
int rk_tree_begin_list(rk_tree_growth *growth, uint64_t count);
/* Takes value over, in any case. Lists that are complete by it become values, too; what belongs nowhere is the root, and goes
 * into *root. RASK_ENOMEM. */
int rk_tree_put(rk_tree_growth *growth, rask_value value, rask_value *root);

/* Bytes of a block's elements, and the strides they have when they stand in a row. */
uint64_t rk_block_row_major(const rask_block *block, int64_t *strides);
/* Do they stand in a row already? */
bool rk_block_is_contiguous(const rask_block *block);
/* Elements of a block into a row. */
void rk_block_copy(const rask_block *block, char *to);

#endif
