/* collections/array/stream: tasks that take an array strip by strip, without holding it, and partial results put together.
 *
 * For operations whose results do not depend on where their input is cut: counting, selecting, sorting. Where to cut is
 * then a question of memory and caches alone. */
#ifndef RASK_COLLECTIONS_ARRAY_STREAM_H
#define RASK_COLLECTIONS_ARRAY_STREAM_H

#include "collections/array/job.h"

/* -- Lowering */

/* A box, cut along its axes. */
typedef struct rk_parts {
    rk_region box;
    int64_t length[RASK_MAX_DIMENSIONS]; /* of a part; the last of an axis may be shorter */
    int64_t count[RASK_MAX_DIMENSIONS];
    uint64_t total; /* at least 1: a box without elements is one part without elements */
} rk_parts;

/* Cuts box (NULL: all) of a as suits what it is made of, the budget and the workers. */
void rk_parts_cut(rk_lowering *l, rask_array *a, const rk_region *box, rk_parts *parts);
void rk_parts_region(const rk_parts *parts, uint64_t number, rk_region *region);
/* Elements of the largest part. */
int64_t rk_parts_largest(const rk_parts *parts);

/* A call of def that takes the elements of region of a. size: of params, a multiple of 8. with: a node whose value is the
 * last argument, or NULL. scratch_bytes: of its own, beside the stream's. NULL, latched. */
rask_node *rk_stream_call(rk_lowering *l, rask_array *a, const rask_task_def *def, const rk_region *region,
                          const void *params, size_t size, rask_node *with, uint64_t result_bytes,
                          uint64_t scratch_bytes);
/* The same with axis last: region, and what the task gets, count its axes in that order. */
rask_node *rk_stream_call_along(rk_lowering *l, rask_array *a, uint32_t axis, const rask_task_def *def,
                                const rk_region *region, const void *params, size_t size, rask_node *with,
                                uint64_t result_bytes, uint64_t scratch_bytes);

/* Such a call for each part, and a tree of calls merge(params, neighbours…), each of at most RK_FAN_IN, down to one node.
 * Bytes are a call's result and scratch. NULL, latched. */
typedef struct rk_gathering {
    const rask_task_def *part, *merge;
    const void *params; /* of both */
    size_t size;
    rask_node *with;
    uint64_t part_bytes, merge_bytes;
    uint64_t part_scratch, merge_scratch;
} rk_gathering;
enum { RK_FAN_IN = 8 };
rask_node *rk_gather_parts(rk_lowering *l, rask_array *a, const rk_parts *parts, const rk_gathering *how);

/* The region of all of a. */
void rk_region_all(const rask_array *a, rk_region *region);

/* A grid of one chunk, which is node. RASK_OK, or latched; node NULL: has failed and is latched. */
int rk_chunks_single(rk_lowering *l, const rask_array *a, rask_node *node, rk_chunks *chunks);

/* Lengths of chunks for work along one axis: runs of about `run` bytes behind the axis, then as much of the axis as
 * `bytes` allow, at least `least` elements of it, then more of the other axes. */
void rk_lengths_along(uint32_t ndim, const int64_t *shape, uint32_t axis, size_t element, uint64_t run,
                      uint64_t bytes, int64_t least, int64_t *lengths);

/* -- In the task */

typedef struct rk_stream {
    rk_job job;
    const void *params;
    uint32_t ndim;
    const int64_t *count; /* elements per axis */
    size_t size;          /* elements in all */
    rask_dtype dtype;
} rk_stream;

/* RASK_OK, or the task's status. */
int rk_stream_open(rask_task *task, size_t params_size, rk_stream *stream);
void rk_stream_close(rk_stream *stream);
/* take gets all elements, n at a time, at most RK_STRIP, in an order given by the region. RASK_OK, or the task's
 * status. */
int rk_stream_run(rask_task *task, rk_stream *stream,
                  void (*take)(void *context, size_t n, const void *elements), void *context);
/* All elements into memory, in C order. RASK_OK, or the task's status. */
int rk_stream_read(rask_task *task, rk_stream *stream, void *out);
/* The number of the argument that `with` is. */
size_t rk_stream_with(const rask_task *task);

#endif
