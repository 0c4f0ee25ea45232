/* Distinct elements and how often each occurs: each part is sorted and counted, a tree merges the results.
 *
 * Elements are keys that compare as they do (-0 as +0, all NaN as one); a partial result is a list of two blocks: distinct
 * keys in ascending order, and their counts. How large the whole is nobody knows before: arrays of it are made of what was
 * computed at once, nodes have values of any length. */
#include "collections/array/computation.h"
#include "collections/array/keys.h"
#include "collections/array/stream.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <stdio.h>
#include <string.h>

enum { TABLE_BITS = 16 }; /* keys of so many bits are counted in a table */

/* Keys with counts, and memory to sort them in. */
typedef struct tally {
    size_t n, width;
    char *keys, *key_scratch;
    int64_t *counts, *count_scratch;
} tally;

static void tally_fini(tally *t)
{
    rk_free(t->keys);
    rk_free(t->key_scratch);
    rk_free(t->counts);
    rk_free(t->count_scratch);
}

/* Room for n keys. False: no memory. */
static bool tally_init(tally *t, size_t n, size_t width)
{
    size_t room = n ? n : 1;
    *t = (tally){.width = width};
    t->keys = rk_alloc_array(room, width);
    t->key_scratch = rk_alloc_array(room, width);
    t->counts = rk_alloc_array(room, sizeof *t->counts);
    t->count_scratch = rk_alloc_array(room, sizeof *t->count_scratch);
    return t->keys && t->key_scratch && t->counts && t->count_scratch;
}

static uint64_t tally_bytes(uint64_t n, size_t width)
{
    return 2 * n * (width + sizeof(int64_t));
}

static int no_memory(rask_task *task, size_t n)
{
    return rk_task_fail(task, RASK_ENOMEM, "no memory to sort %zu elements", n);
}

/* The list. RASK_OK, or the task's status. */
static int return_tally(rask_task *task, rask_dtype key_dtype, const tally *t)
{
    int64_t n = (int64_t)t->n;
    rask_block keys, counts;
    rask_value list[2];
    int status = rk_task_result(task, key_dtype, 1, &n, &keys, &list[0]);
    if (status)
        return status;
    status = rk_task_result(task, RASK_DT_I64, 1, &n, &counts, &list[1]);
    if (!status) {
        memcpy(keys.data, t->keys, t->n * t->width);
        memcpy(counts.data, t->counts, t->n * sizeof *t->counts);
        status = rask_return_list(task, list, 2);
        rask_value_unref(&list[1]);
    }
    rask_value_unref(&list[0]);
    return status;
}

typedef struct gathering {
    rask_dtype dtype;
    tally t;
    int64_t *table; /* NULL: keys are gathered */
} gathering;

static void gather_strip(void *context, size_t n, const void *elements)
{
    gathering *g = context;
    rk_keys_make(g->dtype, n, elements, true, g->t.keys + g->t.n * g->t.width);
    g->t.n += n;
}

static void count_strip(void *context, size_t n, const void *elements)
{
    gathering *g = context;
    uint32_t keys[RK_STRIP];
    rk_keys_make(g->dtype, n, elements, true, keys);
    for (size_t i = 0; i < n; i++)
        g->table[keys[i]]++;
}

/* What was counted in the table becomes keys and counts. */
static void read_table(gathering *g)
{
    uint32_t *keys = (uint32_t *)(void *)g->t.keys;
    for (uint32_t key = 0; key < (uint32_t)1 << TABLE_BITS; key++)
        if (g->table[key]) {
            keys[g->t.n] = key;
            g->t.counts[g->t.n++] = g->table[key];
        }
}

static bool has_table(rask_dtype dtype)
{
    return rask_dtype_size(dtype) * 8 <= TABLE_BITS;
}

static size_t part_room(rask_dtype dtype, size_t n)
{
    return has_table(dtype) ? (size_t)1 << TABLE_BITS : n;
}

/* The distinct elements of the stream, in g. */
static int gather(rask_task *task, rk_stream *s, gathering *g)
{
    g->dtype = s->dtype;
    if (!tally_init(&g->t, part_room(s->dtype, s->size), rk_key_width(s->dtype)))
        return no_memory(task, s->size);
    if (has_table(s->dtype) && !(g->table = rk_calloc((size_t)1 << TABLE_BITS, sizeof *g->table)))
        return no_memory(task, s->size);
    int status = rk_stream_run(task, s, g->table ? count_strip : gather_strip, g);
    if (g->table) {
        read_table(g);
    } else if (!status) {
        rk_keys_sort(g->t.width, g->t.n, g->t.keys, g->t.key_scratch);
        g->t.n = rk_keys_unite(g->t.width, g->t.n, g->t.keys, NULL, g->t.counts);
    }
    return status;
}

static int call_unique(rask_task *task)
{
    rk_stream s;
    gathering g = {0};
    int status = rk_stream_open(task, 0, &s);
    if (!status)
        status = gather(task, &s, &g);
    if (!status)
        status = return_tally(task, rk_key_dtype(s.dtype), &g.t);
    rk_free(g.table);
    tally_fini(&g.t);
    rk_stream_close(&s);
    return status;
}

/* A list as its two blocks. RASK_OK, or RASK_ETYPE. */
static int open_list(const rask_value *value, rask_block *keys, rask_block *counts)
{
    const rask_value *items;
    size_t count;
    int status = rask_value_get_list(value, &items, &count);
    if (!status)
        status = count == 2 ? rask_value_get_block(&items[0], keys) : RASK_ETYPE;
    return status ? status : rask_value_get_block(&items[1], counts);
}

static int append_list(rask_task *task, size_t index, tally *t)
{
    rask_block keys, counts;
    if (open_list(rask_arg_value(task, index), &keys, &counts))
        return rk_task_fail(task, RASK_ETYPE, "argument %zu is no list of keys and counts", index);
    size_t n = (size_t)keys.shape[0];
    memcpy(t->keys + t->n * t->width, keys.data, n * t->width);
    memcpy(t->counts + t->n, counts.data, n * sizeof *t->counts);
    t->n += n;
    return RASK_OK;
}

/* (params, lists…): one. */
static int call_unique_merge(rask_task *task)
{
    rask_block keys = {0}, counts;
    size_t total = 0;
    tally t = {0};
    int status = RASK_OK;
    for (size_t i = 1; i < rask_arg_count(task) && !open_list(rask_arg_value(task, i), &keys, &counts); i++)
        total += (size_t)keys.shape[0];
    if (!tally_init(&t, total, rask_dtype_size(keys.dtype)))
        status = no_memory(task, total);
    for (size_t i = 1; i < rask_arg_count(task) && !status; i++)
        status = append_list(task, i, &t);
    if (!status) {
        rk_keys_sort_indices(t.width, t.n, t.keys, t.counts, t.key_scratch, t.count_scratch);
        t.n = rk_keys_unite(t.width, t.n, t.keys, t.counts, t.counts);
        status = return_tally(task, keys.dtype, &t);
    }
    tally_fini(&t);
    return status;
}

static const rask_task_def unique_def = {
    .size = sizeof(rask_task_def), .name = "unique", .call = call_unique, .flags = RASK_PURE};
static const rask_task_def unique_merge_def = {
    .size = sizeof(rask_task_def), .name = "unique merge", .call = call_unique_merge, .flags = RASK_PURE};

/* How large merged results get is not known: at most this share of the budget is set aside for each. */
enum { SHARE = 8 };

static rask_node *lower_unique(rk_lowering *l, rask_array *a)
{
    rk_parts parts;
    size_t width = rk_key_width(a->dtype);
    rk_parts_cut(l, a, NULL, &parts);
    uint64_t room = part_room(a->dtype, (size_t)rk_parts_largest(&parts)), merged = room * parts.total;
    uint64_t share = rk_lowering_budget(l) / SHARE, table = sizeof(int64_t) << TABLE_BITS;
    rk_gathering how = {.part = &unique_def, .merge = &unique_merge_def};
    how.part_bytes = room * (width + sizeof(int64_t));
    how.part_scratch = tally_bytes(room, width) + (has_table(a->dtype) ? table : 0);
    how.merge_bytes = merged * (width + sizeof(int64_t));
    how.merge_bytes = how.merge_bytes < share ? how.merge_bytes : share;
    how.merge_scratch = 2 * how.merge_bytes;
    return rk_gather_parts(l, a, &parts, &how);
}

/* -- The result */

/* Complex numbers with a NaN somewhere count as one, the first of them. Returns how many elements are left. */
static int64_t unite_nans(rask_dtype dtype, const rask_block *keys, int64_t *counts)
{
    int64_t n = keys->shape[0], width = (int64_t)rk_key_width(dtype), first = n;
    while (first && rk_key_is_nan(dtype, (const char *)keys->data + (first - 1) * width))
        first--;
    for (int64_t i = first + 1; i < n; i++)
        counts[first] += counts[i];
    return first < n ? first + 1 : n;
}

static void end_value(void *value)
{
    rask_value_unref(value);
}

/* The value of a block as an array of graph, which owns it from here on. NULL, latched. */
static rask_array *wrap(rask_graph *graph, const rask_block *block, rask_value *value, const char *file,
                        int line)
{
    rask_value *kept = rk_array_memory(graph, sizeof *kept);
    if (!kept) {
        rask_value_unref(value);
        return NULL;
    }
    *kept = *value;
    return rk_array_at_end(graph, end_value, kept) ? NULL
                                                   : rask_array_from_block_at(graph, block, true, file, line);
}

/* Latches a failure: with what the computation said of it, if it did. */
static rask_array *fail(rask_array *a, int status, const char *file, int line)
{
    char text[RK_MAX_ERROR];
    bool said = rask_graph_status(a->graph) == status;
    snprintf(text, sizeof text, "%s", said ? rask_graph_error(a->graph) : rask_status_text(status));
    rk_graph_fail(a->graph, status, file, line, "rask_array_unique: %s", text);
    return NULL;
}

/* A list of keys and counts as elements and how often each occurs: values, and the blocks they are. RASK_OK, or a status. */
static int finish(rask_dtype dtype, const rask_value *list, rask_value values[2], rask_block blocks[2])
{
    rask_block keys, counts;
    int status = open_list(list, &keys, &counts);
    if (!status)
        status = rask_value_block_alloc(RASK_DT_I64, 1, keys.shape, &blocks[1], &values[1]);
    if (status)
        return status;
    memcpy(blocks[1].data, counts.data, (size_t)keys.shape[0] * sizeof(int64_t));
    int64_t n = blocks[1].shape[0] = unite_nans(dtype, &keys, blocks[1].data);
    status = rask_value_block_alloc(dtype, 1, &n, &blocks[0], &values[0]);
    if (status)
        rask_value_unref(&values[1]);
    else
        rk_keys_back(dtype, (size_t)n, keys.data, blocks[0].data);
    return status;
}

/* keys and counts to arrays. */
static rask_array *arrays_of(rask_array *a, const rask_value *list, rask_array **counts, const char *file,
                             int line)
{
    rask_value values[2];
    rask_block blocks[2];
    int status = finish(a->dtype, list, values, blocks);
    if (status)
        return fail(a, status, file, line);
    rask_array *distinct = wrap(a->graph, &blocks[0], &values[0], file, line);
    rask_array *often = wrap(a->graph, &blocks[1], &values[1], file, line);
    if (counts && often)
        *counts = often;
    return often ? distinct : NULL;
}

rask_array *rask_array_unique_at(rask_array *a, rask_array **counts, const rask_options *options,
                                 const char *file, int line)
{
    rk_computation c;
    rask_value list = rask_value_none();
    if (!a || a->graph->status)
        return NULL;
    int status = rk_computation_begin(&c, &a, 1, options);
    if (!status) {
        rask_node *node = lower_unique(c.lowering, a);
        status = rask_compute_value(node, &c.options, &list);
    }
    status = rk_computation_end(&c, status);
    if (status)
        return fail(a, status, file, line);
    rask_array *distinct = arrays_of(a, &list, counts, file, line);
    rask_value_unref(&list);
    return distinct;
}

/* -- Later */

/* (params: dtype and which of the two, list): a block. */
typedef struct pick_params {
    int64_t dtype, which;
} pick_params;

static int call_pick(rask_task *task)
{
    const pick_params *p = rk_task_params(task, sizeof *p);
    rask_value values[2];
    rask_block blocks[2], out;
    if (!p)
        return task->status;
    int status = finish((rask_dtype)p->dtype, rask_arg_value(task, 1), values, blocks);
    if (status)
        return rk_task_fail(task, status, "the distinct elements: %s", rask_status_text(status));
    const rask_block *found = &blocks[p->which];
    rask_value value;
    if (!rk_task_result(task, found->dtype, 1, blocks[0].shape, &out, &value)) {
        memcpy(out.data, found->data, (size_t)blocks[0].shape[0] * rask_dtype_size(found->dtype));
        rask_return_value(task, value);
    }
    rask_value_unref(&values[0]);
    rask_value_unref(&values[1]);
    return task->status;
}

static const rask_task_def pick_def = {
    .size = sizeof(rask_task_def), .name = "unique elements", .call = call_pick, .flags = RASK_PURE};

static rask_node *lower_pick(rk_lowering *l, rask_array *a, rask_node *list, int64_t which)
{
    pick_params p = {.dtype = a->dtype, .which = which};
    uint64_t most = (uint64_t)rask_array_size(a) * rk_key_width(a->dtype),
             share = rk_lowering_budget(l) / SHARE;
    most = most < share ? most : share;
    return rk_lower_call(l, &pick_def, &p, sizeof p, &list, 1, most, 2 * most);
}

rask_node *rask_array_unique_node_at(rask_array *a, rask_node **counts, const rask_options *options,
                                     const char *file, int line)
{
    if (!a || a->graph->status)
        return NULL;
    rk_lowering *l = rk_lowering_for_nodes(a->graph, options, "rask_array_unique_node", file, line);
    if (!l)
        return NULL;
    rask_node *list = lower_unique(l, a), *often = list && counts ? lower_pick(l, a, list, 1) : NULL;
    rask_node *distinct = list && (often || !counts) ? lower_pick(l, a, list, 0) : NULL;
    if (distinct && counts)
        *counts = often;
    rk_lowering_free(l);
    return distinct;
}
