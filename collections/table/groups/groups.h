/* collections/table/groups: rows grouped by key, with aggregates of each group.
 *
 * A worker adds batches to groups of its own; groups are packed into flat bytes that can be kept, spilled and sent, and
 * merged into others; with many groups they are split by key, so that each part can be merged apart. What comes out at
 * the end depends on the rows and their positions alone, not on their order of arrival, batches, workers or merges.
 *
 * Not thread-safe. After a failure groups are good for rk_groups_free() only. */
#ifndef RASK_COLLECTIONS_TABLE_GROUPS_GROUPS_H
#define RASK_COLLECTIONS_TABLE_GROUPS_GROUPS_H

#include "collections/table/column.h"
#include "collections/table/groups/aggregates.h"

typedef struct rk_groups rk_groups;

typedef enum rk_groups_order {
    RK_GROUPS_BY_KEY,      /* as collections/table/order.h says, ascending */
    RK_GROUPS_BY_POSITION, /* of their first rows */
} rk_groups_order;

/* No groups yet, of key_count <= RK_MAX_KEYS columns of these types; without any all rows are one group. aggregates,
 * which have been checked, must outlive it. seed: best a secret of the run, so that nobody can choose keys that collide;
 * groups that meet must have the same one. RASK_OK, RASK_ENOMEM. */
int rk_groups_new(const rask_column_type *keys, uint32_t key_count, const rk_aggregates *aggregates,
                  uint64_t seed, rk_groups **out);
/* NULL is legal. */
void rk_groups_free(rk_groups *groups);

/* Takes in rows: their keys, and one column for each argument of the aggregates. position: of the first row in the whole
 * input, counted in whatever ascends from row to row and is unique. Nothing of the columns is kept.
 * RASK_ENOMEM; RASK_ELIMIT: over 2^32 - 2 groups. */
int rk_groups_add(rk_groups *groups, const rk_column *const *keys, const rk_column *const *arguments,
                  uint32_t rows, uint64_t position);

/* All of it as bytes. RASK_ENOMEM. */
int rk_groups_pack(const rk_groups *groups, rask_value *out);

/* As bytes in 1 to 65536 parts, by key: groups of one key are in the same part, whoever packs them. */
int rk_groups_split(const rk_groups *groups, uint32_t parts, rask_value *out);

/* As bytes in count + 1 parts, by the rank (order.h) of the first of one or more keys: part i + 1 begins at splitters[i],
 * which ascend. So parts that are put in order by key one after the other are in order together. */
int rk_groups_cut(const rk_groups *groups, const uint64_t *splitters, uint32_t count, rask_value *out);

/* Takes in what was packed by groups with the same keys, aggregates and seed. RASK_ENOMEM, RASK_ELIMIT. */
int rk_groups_merge(rk_groups *groups, rask_bytes packed);

/* Groups so far, and bytes held. */
uint32_t rk_groups_count(const rk_groups *groups);
size_t rk_groups_bytes(const rk_groups *groups);

/* The types of the results: keys, then aggregates; types has room for as many. */
void rk_groups_types(const rk_groups *groups, rask_column_type *types);

/* Nothing comes any more: puts the groups in order. Once. RASK_ENOMEM. */
int rk_groups_finish(rk_groups *groups, rk_groups_order order);

/* The next groups, up to RK_BATCH_ROWS, into a batch of these types; no rows: there are no more. Text belongs to groups.
 * RASK_ERANGE: a sum of integers is no int64, with a message in error that names it. */
int rk_groups_next(rk_groups *groups, rk_batch *batch, rk_print *error);

#endif
