#include "collections/table/stage.h"

#include "collections/table/take.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

static int read_batch(const rk_pipeline *p, const rk_chunk *chunk, uint64_t row, rk_batch *batch)
{
    uint64_t left = chunk->rows - row;
    batch->rows = left < RK_BATCH_ROWS ? (uint32_t)left : RK_BATCH_ROWS;
    for (uint32_t i = 0; i < p->wanted_count; i++)
        rk_chunk_read(chunk, p->wanted[i], row, &batch->columns[i]);
    return RASK_OK;
}

static int init_batch(const rk_pipeline *p, rk_batch *batch)
{
    rask_column_type *types = rk_alloc_array(p->wanted_count + 1, sizeof *types);
    for (uint32_t i = 0; types && i < p->wanted_count; i++)
        types[i] = p->source->schema.types[p->wanted[i]];
    int status = types ? rk_batch_init(batch, types, p->wanted_count) : RASK_ENOMEM;
    rk_free(types);
    return status;
}

int rk_stage_run(const rk_pipeline *pipeline, rask_bytes bytes, uint64_t number, rk_table_sink *sink)
{
    rk_chunk chunk;
    rk_batch batch = {0};
    rk_pipeline_run run = {0};
    rk_chunk_open(&chunk, bytes);
    int status = init_batch(pipeline, &batch);
    if (!status)
        status = rk_pipeline_run_init(&run, pipeline);
    for (uint64_t row = 0; row < chunk.rows && !status && !rk_table_sink_is_full(sink); row += batch.rows) {
        status = read_batch(pipeline, &chunk, row, &batch);
        if (!status)
            status = rk_pipeline_take(&run, &batch);
        if (!status)
            status = rk_table_sink_add(sink, &run, number << 32 | row);
    }
    rk_pipeline_run_fini(&run);
    rk_batch_fini(&batch);
    return status;
}

/* -- The task: (job, number, chunk) */

static void keep_job(void *data)
{
    (void)data; /* the lowering's */
}

static const rask_class job_class = {.name = "stage", .destroy = keep_job};

static int return_values(rask_task *task, rk_table_sink *sink, uint32_t count)
{
    rask_value *values = rk_calloc(count, sizeof *values);
    int status = values ? rk_table_sink_end(sink, values) : RASK_ENOMEM;
    if (!status && count == 1)
        status = rask_return_value(task, rask_value_ref(&values[0]));
    else if (!status)
        status = rask_return_list(task, values, count);
    for (uint32_t i = 0; values && i < count; i++)
        rask_value_unref(&values[i]);
    rk_free(values);
    return status;
}

static int run_stage(rask_task *task)
{
    const rk_scan_job *job = rask_arg_custom(task, 0, &job_class);
    rk_table_sink sink = {0};
    if (!job)
        return RASK_ETYPE;
    int status = rk_table_sink_init(&sink, &job->sink);
    if (!status)
        status =
            rk_stage_run(&job->pipeline, rask_arg_bytes(task, 2), (uint64_t)rask_arg_i64(task, 1), &sink);
    if (!status)
        status = return_values(task, &sink, rk_table_sink_values(&job->sink));
    rk_table_sink_fini(&sink);
    return status ? rk_task_fail(task, status, "%s", rask_status_text(status)) : RASK_OK;
}

static const rask_task_def stage_def = {.size = sizeof stage_def, .name = "rows", .call = run_stage};

int rk_stage_lower(rask_graph *graph, rk_scan_job *job, uint32_t number, rask_node *chunk, uint64_t kept,
                   rask_node **nodes)
{
    rask_value value;
    uint32_t count = rk_table_sink_values(&job->sink);
    if (rask_value_custom_new(&job_class, job, &value)) {
        rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
        return RASK_ENOMEM;
    }
    rask_arg args[] = {{.kind = RASK_ARG_VALUE, .as.value = &value},
                       {.kind = RASK_ARG_I64, .as.i64 = number},
                       {.kind = RASK_ARG_NODE, .as.node = chunk}};
    rask_node *node = rask_call_at(graph, &stage_def, args, 3, NULL, 0);
    rask_set_scratch_bytes(node, rk_pipeline_bytes(&job->pipeline) + 2 * kept);
    if (kept)
        rask_set_result_bytes(node, kept);
    for (uint32_t i = 0; i < count; i++)
        nodes[i] = count > 1 ? rk_take_lower(graph, i, node, NULL, 0) : node;
    rask_value_unref(&value);
    return graph->status;
}
