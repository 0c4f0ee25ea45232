/* The k largest or smallest elements: each part keeps the best k it has seen, a tree merges them.
 *
 * Elements are keys that compare as they do; for the largest keys are turned around, so that the best are always the
 * smallest. A part gathers candidates that are better than the worst of the best k so far, and now and then throws out
 * all but the best k. Partial results are sorted blocks of keys. */
#include "collections/array/keys.h"
#include "collections/array/stream.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

typedef struct topk_params {
    int64_t k;
    int64_t largest, dtype;
} topk_params;

/* The best so far, unsorted, and candidates behind them. */
typedef struct best {
    const topk_params *p;
    rask_dtype dtype;
    size_t width, k;
    size_t count, room; /* keys held; that fit */
    bool full;          /* k have been seen: limit holds */
    rk_u128 limit;      /* no key from this one on is among the best; of the key's width */
    char *keys, *scratch;
} best;

static size_t room_for(uint64_t k, uint64_t n)
{
    uint64_t room = 2 * k + 2 * RK_STRIP;
    return room < n + RK_STRIP ? (size_t)room : (size_t)n + RK_STRIP;
}

static bool best_init(best *b, const topk_params *p, uint64_t n)
{
    *b = (best){.p = p, .dtype = (rask_dtype)p->dtype, .k = (size_t)p->k};
    b->width = rk_key_width(b->dtype);
    b->room = room_for((uint64_t)p->k, n);
    b->keys = rk_alloc_array(b->room, b->width);
    b->scratch = rk_alloc_array(b->room, b->width);
    return b->keys && b->scratch;
}

static void best_fini(best *b)
{
    rk_free(b->keys);
    rk_free(b->scratch);
}

/* All but the best k are thrown out. */
static void best_shrink(best *b)
{
    if (!b->k)
        b->count = 0;
    if (b->count <= b->k)
        return;
    rk_keys_select(b->width, b->count, b->keys, b->k - 1, b->scratch);
    b->count = b->k;
    b->full = true;
    b->limit = rk_key_at(b->width, b->keys, b->k - 1);
}

/* Appends those of n keys that are below the limit; there is room for all. */
#define APPEND_BETTER(name, type)                                                                            \
    static size_t append_##name(type *to, size_t n, const type *keys, type limit)                            \
    {                                                                                                        \
        size_t count = 0;                                                                                    \
        for (size_t i = 0; i < n; i++) {                                                                     \
            to[count] = keys[i];                                                                             \
            count += keys[i] < limit;                                                                        \
        }                                                                                                    \
        return count;                                                                                        \
    }
APPEND_BETTER(32, uint32_t)
APPEND_BETTER(64, uint64_t)
APPEND_BETTER(128, rk_u128)

/* A strip of keys. */
static void best_push(best *b, size_t n, const void *keys)
{
    void *to = b->keys + b->count * b->width;
    if (!b->full) {
        memcpy(to, keys, n * b->width);
        b->count += n;
    } else
        switch (b->width) {
        case 4: b->count += append_32(to, n, keys, (uint32_t)b->limit); break;
        case 8: b->count += append_64(to, n, keys, (uint64_t)b->limit); break;
        default: b->count += append_128(to, n, keys, b->limit);
        }
    if (b->count + RK_STRIP > b->room)
        best_shrink(b);
}

static void take_strip(void *context, size_t n, const void *elements)
{
    best *b = context;
    rk_u128 keys[RK_STRIP];
    rk_keys_make(b->dtype, n, elements, false, keys);
    if (b->p->largest)
        rk_keys_invert(b->width, n, keys);
    best_push(b, n, keys);
}

/* Sorted, as a block of keys. */
static int return_best(rask_task *task, best *b)
{
    rask_block out;
    rask_value value;
    best_shrink(b);
    int64_t count = (int64_t)b->count;
    if (rk_task_result(task, rk_key_dtype(b->dtype), 1, &count, &out, &value))
        return task->status;
    rk_keys_sort(b->width, b->count, b->keys, b->scratch);
    memcpy(out.data, b->keys, b->count * b->width);
    return rask_return_value(task, value);
}

/* A stream: its best. */
static int call_topk(rask_task *task)
{
    rk_stream s;
    best b = {0};
    int status = rk_stream_open(task, sizeof(topk_params), &s);
    if (!status && !best_init(&b, s.params, s.size))
        status = rk_task_fail(task, RASK_ENOMEM, "no memory for %zu elements", b.room);
    if (!status)
        status = rk_stream_run(task, &s, take_strip, &b);
    if (!status)
        status = return_best(task, &b);
    best_fini(&b);
    rk_stream_close(&s);
    return status;
}

static size_t keys_in(rask_task *task)
{
    size_t total = 0;
    for (size_t i = 1; i < rask_arg_count(task); i++) {
        rask_block in;
        if (rask_arg_block(task, i, &in))
            return 0;
        total += (size_t)in.shape[0];
    }
    return total;
}

/* (params, blocks of keys…): the best of all. */
static int call_topk_merge(rask_task *task)
{
    const topk_params *p = rk_task_params(task, sizeof *p);
    size_t total = p ? keys_in(task) : 0;
    best b = {0};
    if (!p || task->status)
        return task->status;
    int status = best_init(&b, p, total)
                     ? RASK_OK
                     : rk_task_fail(task, RASK_ENOMEM, "no memory for %zu elements", b.room);
    for (size_t i = 1; i < rask_arg_count(task) && !status; i++) {
        rask_block in;
        status = rask_arg_block(task, i, &in);
        for (int64_t at = 0; !status && at < in.shape[0]; at += RK_STRIP) {
            int64_t n = in.shape[0] - at < RK_STRIP ? in.shape[0] - at : RK_STRIP;
            best_push(&b, (size_t)n, (const char *)in.data + (size_t)at * b.width);
        }
    }
    if (!status)
        status = return_best(task, &b);
    best_fini(&b);
    return status;
}

/* (params, keys): elements. */
static int call_topk_elements(rask_task *task)
{
    const topk_params *p = rk_task_params(task, sizeof *p);
    rask_block in, out;
    rask_value value;
    if (!p || rask_arg_block(task, 1, &in) ||
        rk_task_result(task, (rask_dtype)p->dtype, 1, in.shape, &out, &value))
        return task->status;
    rask_dtype dtype = (rask_dtype)p->dtype;
    size_t width = rk_key_width(dtype), size = rask_dtype_size(dtype);
    for (int64_t at = 0; at < in.shape[0]; at += RK_STRIP) {
        size_t n = (size_t)(in.shape[0] - at < RK_STRIP ? in.shape[0] - at : RK_STRIP);
        rk_u128 keys[RK_STRIP];
        memcpy(keys, (const char *)in.data + (size_t)at * width, n * width);
        if (p->largest)
            rk_keys_invert(width, n, keys);
        rk_keys_back(dtype, n, keys, (char *)out.data + (size_t)at * size);
    }
    return rask_return_value(task, value);
}

static const rask_task_def topk_def = {
    .size = sizeof(rask_task_def), .name = "topk", .call = call_topk, .flags = RASK_PURE};
static const rask_task_def topk_merge_def = {
    .size = sizeof(rask_task_def), .name = "topk merge", .call = call_topk_merge, .flags = RASK_PURE};
static const rask_task_def topk_elements_def = {
    .size = sizeof(rask_task_def), .name = "topk elements", .call = call_topk_elements, .flags = RASK_PURE};

static int lower_topk(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    const topk_params *p = a->params;
    uint64_t k = (uint64_t)a->shape[0], width = rk_key_width(a->dtype);
    rk_parts parts;
    rk_parts_cut(l, a->inputs[0], NULL, &parts);
    uint64_t largest = (uint64_t)rk_parts_largest(&parts), held = k < largest ? k : largest;
    rk_gathering how = {.part = &topk_def, .merge = &topk_merge_def, .params = p, .size = sizeof *p};
    how.part_bytes = held * width;
    how.merge_bytes = k * width;
    how.part_scratch = 2 * width * room_for(k, largest);
    how.merge_scratch = 2 * width * room_for(k, RK_FAN_IN * k);
    rask_node *keys = rk_gather_parts(l, a->inputs[0], &parts, &how);
    return rk_chunks_single(
        l, a,
        keys ? rk_lower_call(l, &topk_elements_def, p, sizeof *p, &keys, 1, k * rask_dtype_size(a->dtype), 0)
             : NULL,
        chunks);
}

static const rk_opaque topk_class = {.name = "topk", .lower = lower_topk};

rask_array *rask_array_topk_at(rask_array *a, int64_t k, const char *file, int line)
{
    if (!a)
        return NULL;
    if (a->ndim != 1) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "rask_array_topk: an array of %u dimensions, 1 is needed", a->ndim);
        return NULL;
    }
    topk_params params = {.k = k == INT64_MIN ? INT64_MAX
                               : k < 0        ? -k
                                              : k,
                          .largest = k > 0,
                          .dtype = a->dtype};
    if (params.k > a->shape[0])
        params.k = a->shape[0];
    return rk_array_opaque(a->graph, &topk_class, &params, sizeof params, a->dtype, 1, &params.k, &a, 1, file,
                           line);
}
