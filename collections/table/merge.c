#include "collections/table/merge.h"

#include "collections/table/csv_source.h"
#include "collections/table/groups/groups.h"
#include "collections/table/recipe.h"
#include "collections/table/row_order.h"
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

static const rask_class plan_class = {RK_TABLE_SHARED("merge")};

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

/* Parts of groups are put in order together, later. */
static rk_groups_order order_of(const rk_table_sink_plan *plan)
{
    return plan->parts ? RK_GROUPS_BY_POSITION : RK_GROUPS_BY_KEY;
}

/* Fails when a row that is wanted has a value that does not fit. */
static int check_top(rask_task *task, const rk_table_sink_plan *plan, const rk_top *top)
{
    rk_csv_wrong wrong;
    rk_text_error error = {0};
    uint64_t lines;
    rask_bytes bytes = rk_top_wrong(top);
    if (bytes.len != sizeof wrong || !plan->source)
        return RASK_OK;
    memcpy(&wrong, bytes.data, sizeof wrong);
    int status = rk_csv_source_lines(plan->source, &wrong, &lines, &error);
    if (status)
        return rk_task_fail(task, status, "%s", error.message);
    lines += wrong.line + 1;
    return rk_task_fail(task, RASK_EFORMAT, "%s:%llu: %s", plan->source->files.files[wrong.file].path,
                        (unsigned long long)lines, wrong.message);
}

/* Merges, and makes of it what is wanted: packed bytes, or a chunk. */
static int merge(rask_task *task, bool finish)
{
    const rk_table_sink_plan *plan = rk_shared_arg(task, 0, &plan_class);
    rk_groups *groups = NULL;
    rk_top *top = NULL;
    rask_value value;
    if (!plan)
        return RASK_ETYPE;
    int status =
        plan->kind == RK_SINK_GROUPS ? merge_groups(task, plan, &groups) : merge_top(task, plan, &top);
    if (!status && finish)
        status = groups ? rk_groups_finish(groups, order_of(plan)) : rk_top_finish(top);
    if (!status && !finish)
        status = groups ? rk_groups_pack(groups, &value) : rk_top_pack(top, &value);
    if (status)
        rk_task_fail(task, status, "%s", rask_status_text(status));
    else if (finish && top && (status = check_top(task, plan, top)))
        (void)0; /* told */
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

/* The result of the task, unless its status is a failure. */
static int return_gathered(rask_task *task, int status, rask_value value)
{
    return status ? rk_task_fail(task, status, "%s", rask_status_text(status))
                  : rask_return_value(task, value);
}

/* The first or the last rows of all chunks by place, in order. */
static int return_some(rask_task *task, bool last)
{
    size_t count;
    uint64_t all, limit = (uint64_t)rask_arg_i64(task, 0), n = 0;
    rask_value value;
    rk_chunk *chunks = open_chunks(task, &count, &all);
    uint64_t rows = all < limit ? all : limit, skipped = last ? all - rows : 0;
    uint64_t *places = chunks ? rk_alloc_array(rows + 1, sizeof *places) : NULL;
    for (size_t i = 0; places && i < count; i++) {
        uint64_t row = skipped < chunks[i].rows ? skipped : chunks[i].rows;
        skipped -= row;
        for (; row < chunks[i].rows && n < rows; row++)
            places[n++] = (uint64_t)i << 32 | row;
    }
    int status = places ? rk_chunk_gather(chunks, count, places, rows, &value) : RASK_ENOMEM;
    rk_free(places);
    rk_free(chunks);
    return return_gathered(task, status, value);
}

/* (limit, chunk …) */
static int run_first(rask_task *task)
{
    return return_some(task, false);
}

static int run_last(rask_task *task)
{
    return return_some(task, true);
}

/* -- Sorting */

static int sort_rows(const rk_table_sink_plan *plan, rk_chunk *chunks, size_t count, uint64_t rows,
                     rask_value *out)
{
    uint64_t *places;
    int status = rk_rows_sort(plan->keys, plan->key_count, chunks, count, rows, &places);
    if (status)
        return status;
    for (size_t i = 0; i < count; i++)
        chunks[i].count -= plan->dropped;
    status = rk_chunk_gather(chunks, count, places, rows, out);
    rk_free(places);
    return status;
}

static int run_sort(rask_task *task)
{
    uint64_t rows;
    size_t count;
    rask_value value;
    const rk_table_sink_plan *plan = rk_shared_arg(task, 0, &plan_class);
    if (!plan)
        return RASK_ETYPE;
    rk_chunk *chunks = open_chunks(task, &count, &rows);
    int status = chunks ? sort_rows(plan, chunks, count, rows, &value) : RASK_ENOMEM;
    rk_free(chunks);
    return return_gathered(task, status, value);
}

static const rask_task_def
    merge_def = {.size = sizeof merge_def, .name = "merge", .call = run_merge, .flags = RASK_PURE},
    finish_def = {.size = sizeof finish_def, .name = "finish", .call = run_finish, .flags = RASK_PURE},
    first_def = {.size = sizeof first_def, .name = "rows in order", .call = run_first, .flags = RASK_PURE},
    last_def = {.size = sizeof last_def, .name = "last rows", .call = run_last, .flags = RASK_PURE},
    sort_def = {.size = sizeof sort_def, .name = "sort", .call = run_sort, .flags = RASK_PURE};

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
    if (rk_shared_value(graph, &plan_class, plan, &value))
        return NULL;
    rask_node *node = call(graph, def, &(rask_arg){.kind = RASK_ARG_VALUE, .as.value = &value}, nodes, count);
    rask_value_unref(&value);
    return node;
}

rask_node *rk_merge_lower(rask_graph *graph, const rk_table_sink_plan *plan, rask_node *const *nodes,
                          uint32_t count)
{
    return call_plan(graph, &merge_def, plan, nodes, count);
}

static rask_node *tell(rask_node *node, uint64_t scratch, uint64_t result)
{
    if (node && result) {
        rask_set_scratch_bytes(node, scratch);
        rask_set_result_bytes(node, result);
    }
    return node;
}

/* Tables and rows that grow. */
rask_node *rk_merge_finish(rask_graph *graph, const rk_table_sink_plan *plan, rask_node *const *nodes,
                           uint32_t count, uint64_t bytes)
{
    return tell(call_plan(graph, &finish_def, plan, nodes, count), 3 * bytes, bytes);
}

/* Ranks and places of rows, which take no more than they do. */
rask_node *rk_merge_sort(rask_graph *graph, const rk_table_sink_plan *plan, rask_node *const *nodes,
                         uint32_t count, uint64_t bytes)
{
    return tell(call_plan(graph, &sort_def, plan, nodes, count), bytes, bytes);
}

static rask_node *call_limit(rask_graph *graph, const rask_task_def *def, uint64_t limit,
                             rask_node *const *nodes, uint32_t count)
{
    int64_t most = limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
    return call(graph, def, &(rask_arg){.kind = RASK_ARG_I64, .as.i64 = most}, nodes, count);
}

rask_node *rk_merge_first(rask_graph *graph, uint64_t limit, rask_node *const *nodes, uint32_t count)
{
    return call_limit(graph, &first_def, limit, nodes, count);
}

rask_node *rk_merge_last(rask_graph *graph, uint64_t limit, rask_node *const *nodes, uint32_t count)
{
    return call_limit(graph, &last_def, limit, nodes, count);
}

rask_node *rk_merge_chunks(rask_graph *graph, rask_node *const *nodes, uint32_t count, uint64_t bytes)
{
    if (count == 1)
        return nodes[0];
    return tell(rk_merge_first(graph, UINT64_MAX, nodes, count), bytes, bytes);
}
