#include "collections/table/merge.h"

#include "collections/table/groups/groups.h"
#include "collections/table/top.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

const rk_table_sink_plan *rk_merge_keep(rask_graph *graph, const rk_table_sink_plan *plan)
{
    rk_table_sink_plan *copy = rk_table_memory(graph, sizeof *copy, NULL, 0);
    if (copy)
        *copy = *plan;
    return copy;
}

static void keep_plan(void *data)
{
    (void)data; /* the lowering's */
}

static const rask_class plan_class = {.name = "merge", .destroy = keep_plan};

/* -- Batches into a chunk */

typedef int next_batch(void *from, rk_batch *batch, rk_print *error);

static int next_groups(void *from, rk_batch *batch, rk_print *error)
{
    return rk_groups_next(from, batch, error);
}

static int next_top(void *from, rk_batch *batch, rk_print *error)
{
    (void)error;
    rk_top_next(from, batch);
    return RASK_OK;
}

static int add_batch(rk_chunk_builder *builder, const rk_batch *batch, const rk_column **columns)
{
    for (uint32_t i = 0; i < batch->count; i++)
        columns[i] = &batch->columns[i];
    return rk_chunk_builder_add_rows(builder, columns, NULL, batch->rows);
}

/* All batches as one chunk: the task's result. */
static int return_batches(rask_task *task, const rk_schema *schema, next_batch *next, void *from)
{
    rk_batch batch = {0};
    rk_chunk_builder builder = {0};
    char message[RK_MAX_MESSAGE] = "";
    rk_print error = {message, sizeof message, 0};
    rask_value value = rask_value_none();
    const rk_column **columns = rk_calloc(schema->count + 1, sizeof *columns);
    int status = columns ? rk_batch_init(&batch, schema->types, schema->count) : RASK_ENOMEM;
    if (!status)
        status = rk_chunk_builder_init(&builder, schema->types, schema->count);
    do {
        if (!status)
            status = next(from, &batch, &error);
        if (!status)
            status = add_batch(&builder, &batch, columns);
    } while (!status && batch.rows);
    if (!status)
        status = rk_chunk_builder_pack(&builder, &value);
    rk_chunk_builder_fini(&builder);
    rk_batch_fini(&batch);
    rk_free(columns);
    if (status)
        return rk_task_fail(task, status, "%s", *message ? message : rask_status_text(status));
    return rask_return_value(task, value);
}

/* -- Merging packed groups and first rows: (plan, packed …) */

static int merge_groups(rask_task *task, const rk_table_sink_plan *plan, rk_groups **out)
{
    int status;
    rk_groups *groups = rk_table_sink_new_groups(plan, &status);
    for (size_t i = 1; i < rask_arg_count(task) && !status; i++)
        status = rk_groups_merge(groups, rask_arg_bytes(task, i));
    if (!status)
        *out = groups;
    else
        rk_groups_free(groups);
    return status;
}

static int merge_top(rask_task *task, const rk_table_sink_plan *plan, rk_top **out)
{
    rk_top *top = NULL;
    int status =
        rk_top_new(plan->schema->types, plan->schema->count, plan->keys, plan->key_count, plan->limit, &top);
    for (size_t i = 1; i < rask_arg_count(task) && !status; i++)
        status = rk_top_merge(top, rask_arg_bytes(task, i));
    if (!status)
        *out = top;
    else
        rk_top_free(top);
    return status;
}

/* Merges, and makes of it what is wanted: packed bytes, or a chunk. */
static int merge(rask_task *task, bool finish)
{
    const rk_table_sink_plan *plan = rask_arg_custom(task, 0, &plan_class);
    rk_groups *groups = NULL;
    rk_top *top = NULL;
    rask_value value;
    if (!plan)
        return RASK_ETYPE;
    int status =
        plan->kind == RK_SINK_GROUPS ? merge_groups(task, plan, &groups) : merge_top(task, plan, &top);
    if (!status && finish)
        status = groups ? rk_groups_finish(groups, RK_GROUPS_BY_KEY) : rk_top_finish(top);
    if (!status && !finish)
        status = groups ? rk_groups_pack(groups, &value) : rk_top_pack(top, &value);
    if (status)
        rk_task_fail(task, status, "%s", rask_status_text(status));
    else if (finish)
        status = return_batches(task, plan->result, groups ? next_groups : next_top,
                                groups ? (void *)groups : top);
    else
        status = rask_return_value(task, value);
    rk_groups_free(groups);
    rk_top_free(top);
    return status;
}

static int run_merge(rask_task *task)
{
    return merge(task, false);
}

static int run_finish(rask_task *task)
{
    return merge(task, true);
}

/* -- Chunks: (limit, chunk …), (plan, chunk …) */

static int return_builder(rask_task *task, rk_chunk_builder *builder, int status)
{
    rask_value value;
    if (!status)
        status = rk_chunk_builder_pack(builder, &value);
    rk_chunk_builder_fini(builder);
    return status ? rk_task_fail(task, status, "%s", rask_status_text(status))
                  : rask_return_value(task, value);
}

/* Chunks of the arguments behind the first; in *rows how many rows they have together. NULL: no memory. */
static rk_chunk *open_chunks(rask_task *task, size_t *count, uint64_t *rows)
{
    *count = rask_arg_count(task) - 1;
    *rows = 0;
    rk_chunk *chunks = rk_alloc_array(*count + 1, sizeof *chunks);
    for (size_t i = 0; chunks && i < *count; i++) {
        rk_chunk_open(&chunks[i], rask_arg_bytes(task, i + 1));
        *rows += chunks[i].rows;
    }
    return chunks;
}

static int init_like(rk_chunk_builder *builder, const rk_chunk *chunk)
{
    rask_column_type *types = rk_alloc_array(chunk->count + 1, sizeof *types);
    for (uint32_t i = 0; types && i < chunk->count; i++)
        types[i] = rk_chunk_column_at(chunk, i).type;
    int status = types ? rk_chunk_builder_init(builder, types, chunk->count) : RASK_ENOMEM;
    rk_free(types);
    return status;
}

/* Rows of all chunks by place, in order. */
static int run_first(rask_task *task)
{
    size_t count;
    uint64_t rows, limit = (uint64_t)rask_arg_i64(task, 0), n = 0;
    rk_chunk_builder builder = {0};
    rk_chunk *chunks = open_chunks(task, &count, &rows);
    rows = rows < limit ? rows : limit;
    uint64_t *places = chunks ? rk_alloc_array(rows + 1, sizeof *places) : NULL;
    int status = places ? init_like(&builder, &chunks[0]) : RASK_ENOMEM;
    for (size_t i = 0; i < count && !status; i++)
        for (uint64_t row = 0; row < chunks[i].rows && n < rows; row++)
            places[n++] = (uint64_t)i << 32 | row;
    if (!status)
        status = rk_chunk_gather(chunks, places, rows, &builder);
    rk_free(places);
    rk_free(chunks);
    return return_builder(task, &builder, status);
}

/* A value of a chunk as a column of one row, for comparing. */
typedef struct lone {
    rk_column column;
    rask_bytes text;
    uint8_t valid;
} lone;

static const rk_column *lone_value(const rk_chunk *chunk, uint32_t index, uint64_t row, lone *l)
{
    rask_column c = rk_chunk_column_at(chunk, index);
    l->valid = c.valid ? c.valid[row] : 1;
    l->column = (rk_column){.type = c.type, .nulls = !l->valid, .valid = &l->valid};
    if (c.type == RASK_COL_TEXT) {
        l->text = (rask_bytes){c.bytes + c.as.ends[row], c.as.ends[row + 1] - c.as.ends[row]};
        l->column.text = &l->text;
    } else {
        l->column.data = c.type == RASK_COL_BOOL ? (void *)(c.as.boolean + row) : (void *)(c.as.i64 + row);
    }
    return &l->column;
}

typedef struct sorting {
    const rk_table_sink_plan *plan;
    const rk_chunk *chunks;
} sorting;

static int compare_rows(const void *context, uint64_t a, uint64_t b)
{
    const sorting *s = context;
    int order = 0;
    for (uint32_t i = 0; i < s->plan->key_count && !order; i++) {
        lone x, y;
        const rk_order *key = &s->plan->keys[i];
        order = rk_column_compare(lone_value(&s->chunks[a >> 32], key->column, a & UINT32_MAX, &x), 0,
                                  lone_value(&s->chunks[b >> 32], key->column, b & UINT32_MAX, &y), 0,
                                  key->descending);
    }
    return order;
}

/* Items of all rows, by the rank of the first key. */
static void rank_rows(const sorting *s, size_t count, rk_ranked *items)
{
    const rk_order *key = &s->plan->keys[0];
    uint64_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (uint64_t row = 0; row < s->chunks[i].rows; row++) {
            lone l;
            uint64_t rank = rk_rank(lone_value(&s->chunks[i], key->column, row, &l), 0, key->descending);
            items[n++] = (rk_ranked){rank, (uint64_t)i << 32 | row};
        }
}

static int run_sort(rask_task *task)
{
    size_t count;
    uint64_t rows;
    rk_chunk_builder builder = {0};
    const rk_table_sink_plan *plan = rask_arg_custom(task, 0, &plan_class);
    rk_chunk *chunks = plan ? open_chunks(task, &count, &rows) : NULL;
    rk_ranked *items = chunks ? rk_alloc_array(2 * rows + 2, sizeof *items) : NULL;
    int status =
        items ? rk_chunk_builder_init(&builder, plan->schema->types, plan->schema->count) : RASK_ENOMEM;
    if (!status) {
        sorting s = {plan, chunks};
        uint64_t *places = (uint64_t *)items;
        rank_rows(&s, count, items);
        rk_sort(items, items + rows, rows, compare_rows, &s);
        for (uint64_t i = 0; i < rows; i++)
            places[i] = items[i].item;
        status = rk_chunk_gather(chunks, places, rows, &builder);
    }
    rk_free(items);
    rk_free(chunks);
    return return_builder(task, &builder, status);
}

static const rask_task_def merge_def = {.size = sizeof merge_def, .name = "merge", .call = run_merge},
                           finish_def = {.size = sizeof finish_def, .name = "finish", .call = run_finish},
                           first_def = {.size = sizeof first_def, .name = "rows in order", .call = run_first},
                           sort_def = {.size = sizeof sort_def, .name = "sort", .call = run_sort};

/* -- Lowering */

/* A call with this before the nodes. */
static rask_node *call(rask_graph *graph, const rask_task_def *def, const rask_arg *first,
                       rask_node *const *nodes, uint32_t count)
{
    rask_arg *args = rk_alloc_array((size_t)count + 1, sizeof *args);
    if (!args)
        return rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    args[0] = *first;
    for (uint32_t i = 0; i < count; i++)
        args[i + 1] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes[i]};
    rask_node *node = rask_call_at(graph, def, args, (size_t)count + 1, NULL, 0);
    rk_free(args);
    return node;
}

static rask_node *call_plan(rask_graph *graph, const rask_task_def *def, const rk_table_sink_plan *plan,
                            rask_node *const *nodes, uint32_t count)
{
    rask_value value;
    if (rask_value_custom_new(&plan_class, (void *)plan, &value))
        return rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    rask_node *node = call(graph, def, &(rask_arg){.kind = RASK_ARG_VALUE, .as.value = &value}, nodes, count);
    rask_value_unref(&value);
    return node;
}

rask_node *rk_merge_lower(rask_graph *graph, const rk_table_sink_plan *plan, rask_node *const *nodes,
                          uint32_t count)
{
    return call_plan(graph, &merge_def, plan, nodes, count);
}

rask_node *rk_merge_finish(rask_graph *graph, const rk_table_sink_plan *plan, rask_node *const *nodes,
                           uint32_t count)
{
    return call_plan(graph, &finish_def, plan, nodes, count);
}

rask_node *rk_merge_sort(rask_graph *graph, const rk_table_sink_plan *plan, rask_node *const *nodes,
                         uint32_t count)
{
    return call_plan(graph, &sort_def, plan, nodes, count);
}

rask_node *rk_merge_first(rask_graph *graph, uint64_t limit, rask_node *const *nodes, uint32_t count)
{
    int64_t most = limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
    return call(graph, &first_def, &(rask_arg){.kind = RASK_ARG_I64, .as.i64 = most}, nodes, count);
}
