/* collections/array/sort: what its parts share. */
#ifndef RASK_COLLECTIONS_ARRAY_SORT_H
#define RASK_COLLECTIONS_ARRAY_SORT_H

#include "collections/array/keys.h"
#include "collections/array/stream.h"

/* Of the array; its input is sorted along the last axis. */
typedef struct rk_sort_params {
    int64_t indices; /* a bool: where elements were, instead of elements */
} rk_sort_params;

/* Lowers lines of any length, each by several tasks: cut into runs, and the runs put together. Both make chunks on the same
 * grid, rk_sort_grid(). RASK_OK, or latched.
 * Long: a line's runs are in memory together. Outside: they are in a scratch file. */
int rk_sort_long(rk_lowering *l, rask_array *a, rk_chunks *chunks);
int rk_sort_outside(rk_lowering *l, rask_array *a, rk_chunks *chunks);

/* -- What both do with runs (sort_runs.c) */

/* Keys and, where asked for, indices: of a run, or room for a chunk. */
typedef struct rk_pairs {
    size_t n, width;
    char *keys;
    int64_t *indices; /* NULL: none */
} rk_pairs;

/* Memory for n of them, twice: to sort with. */
typedef struct rk_sort_room {
    rk_pairs p;
    char *key_scratch;
    int64_t *index_scratch;
} rk_sort_room;

/* Bytes of a pair. */
static inline uint64_t rk_pair_bytes(size_t width, bool indices)
{
    return width + (indices ? sizeof(int64_t) : 0);
}

/* RASK_OK, or the task's status. fini is legal after either, and for what is zeroed. */
int rk_sort_room_init(rask_task *task, rk_sort_room *room, size_t n, size_t width, bool indices);
void rk_sort_room_fini(rk_sort_room *room);
/* Equal keys stay in order. */
void rk_sort_room_sort(rk_sort_room *room);
/* The stream's elements, whose indices begin with first, sorted. RASK_OK, or the task's status. */
int rk_sort_room_read(rask_task *task, rk_stream *stream, bool indices, int64_t first, rk_sort_room *room);

/* How many keys of a sorted run are less than key. */
typedef size_t (*rk_keys_below_in)(void *runs, size_t run, rk_u128 key);
/* ends: the lengths of count sorted runs of keys of this width, and then where the first `rank` elements of all of them end
 * in each. Equal keys of one run come before those of the next. */
void rk_sort_split(size_t width, uint64_t rank, size_t count, rk_keys_below_in below, void *runs,
                   size_t *ends);

/* A chunk of the result. */
typedef struct rk_sort_range {
    int64_t indices, dtype;
    int64_t start, count; /* ranks */
    int64_t ndim;         /* of the chunk: all axes but the last have one element */
} rk_sort_range;

/* Sorted pairs as the chunk: the task's result. The task's status. */
int rk_sort_return(rask_task *task, const rk_sort_range *chunk, const rk_pairs *sorted);

/* The chunks of a: parts of lines, as long as runs, with room for nodes. RASK_OK, or latched. */
int rk_sort_grid(rk_lowering *l, rask_array *a, rk_chunks *chunks);
/* Of a chunk. */
rk_sort_range rk_sort_range_of(const rask_array *a, const rk_region *region);

#endif
