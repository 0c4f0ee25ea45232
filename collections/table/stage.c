#include "collections/table/stage.h"

#include "collections/table/recipe.h"
#include "collections/table/sorted.h"
#include "collections/table/take.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

/* Where a task's rows come from: those from first on. */
typedef struct stage_input {
    uint64_t first, rows;
    const rk_chunk *chunk;   /* NULL: it is none */
    const rk_sorted *sorted; /* NULL: it is none */
    const rk_memory_source *memory;
    uint32_t part; /* of it */
    rk_memory_error error;
} stage_input;

static int read_batch(const rk_pipeline *p, stage_input *input, uint64_t row, rk_batch *batch)
{
    uint64_t left = input->rows - row;
    int status = RASK_OK;
    batch->rows = left < RK_BATCH_ROWS ? (uint32_t)left : RK_BATCH_ROWS;
    for (uint32_t i = 0; i < p->wanted_count && !status; i++)
        if (input->sorted)
            rk_sorted_read(input->sorted, i, row, batch->rows, &batch->columns[i]);
        else if (input->chunk)
            rk_chunk_read(input->chunk, rk_pipeline_column(p, i), input->first + row, &batch->columns[i]);
        else
            status = rk_memory_read_rows(input->memory, input->part, p->wanted[i], input->first + row,
                                         batch->rows, &batch->columns[i], &input->error);
    return status;
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

/* Rows through a pipeline into a sink; number: of those that belong together among others. */
static int pass_input(rk_pipeline_run *run, stage_input *input, uint64_t number, rk_table_sink *sink)
{
    rk_batch batch = {0};
    int status = init_batch(run->pipeline, &batch);
    for (uint64_t row = 0; row < input->rows && !status && !rk_table_sink_is_full(sink); row += batch.rows) {
        status = read_batch(run->pipeline, input, row, &batch);
        if (!status)
            status = rk_pipeline_take(run, &batch);
        if (!status)
            status = rk_table_sink_pass(sink, run, number);
        if (!status && !row)
            rk_table_sink_expect(sink, (double)batch.rows / (double)input->rows);
    }
    rk_batch_fini(&batch);
    return status;
}

/* -- The tasks: (job, number, what joins need, chunk), (job, number, what joins need, plan, chunk …), (job, number, what joins
 * need, part of memory, first row, rows) */

static const rask_class job_class = {RK_TABLE_SHARED("stage")};

static int return_values(rask_task *task, rk_table_sink *sink, uint32_t count)
{
    rask_value *values = rk_calloc(count, sizeof *values);
    int status = values ? rk_table_sink_end(sink, values) : RASK_ENOMEM;
    if (status || count > 1)
        return rk_return_values(task, status, values, count);
    status = rask_return_value(task, values[0]);
    rk_free(values);
    return status;
}

static int run_task(rask_task *task, const rk_scan_job *job, stage_input *input)
{
    rk_table_sink sink = {0};
    rk_pipeline_run run = {0};
    int status = rk_table_sink_init(&sink, &job->sink);
    if (!status)
        status = rk_scan_begin(task, job, &run);
    if (!status)
        status = pass_input(&run, input, (uint64_t)job->before + (uint64_t)rask_arg_i64(task, 1), &sink);
    if (!status)
        status = return_values(task, &sink, rk_table_sink_values(&job->sink));
    rk_pipeline_run_fini(&run);
    rk_table_sink_fini(&sink);
    const char *reason = *input->error.message ? input->error.message : rask_status_text(status);
    return status ? rk_task_fail(task, status, "%s", reason) : RASK_OK;
}

static int run_stage(rask_task *task)
{
    const rk_scan_job *job = rk_shared_arg(task, 0, &job_class);
    rk_chunk chunk;
    if (!job)
        return RASK_ETYPE;
    rk_chunk_open(&chunk, rask_arg_bytes(task, 2 + rk_scan_others(job)));
    return run_task(task, job, &(stage_input){.rows = chunk.rows, .chunk = &chunk});
}

static const rask_class plan_class = {RK_TABLE_SHARED("order")};

static int run_sorted(rask_task *task)
{
    const rk_scan_job *job = rk_shared_arg(task, 0, &job_class);
    size_t first = job ? 2 + rk_scan_others(job) : 0, count = rask_arg_count(task) - first - 1;
    const rk_table_sink_plan *plan = job ? rk_shared_arg(task, first, &plan_class) : NULL;
    rk_sorted sorted = {0};
    if (!plan)
        return RASK_ETYPE;
    rask_bytes *chunks = rk_alloc_array(count + 1, sizeof *chunks);
    for (size_t i = 0; chunks && i < count; i++)
        chunks[i] = rask_arg_bytes(task, first + 1 + i);
    int status = chunks ? rk_sorted_init(&sorted, plan, &job->pipeline, chunks, count) : RASK_ENOMEM;
    if (status)
        rk_task_fail(task, status, "%s", rask_status_text(status));
    else
        status = run_task(task, job, &(stage_input){.rows = sorted.rows, .sorted = &sorted});
    rk_sorted_fini(&sorted);
    rk_free(chunks);
    return status;
}

/* The slice of memory that a task is for comes behind what joins need, and behind it the blocks that a feed made, in the
 * order of the columns that are wanted. */
enum { SLICE = 3, BLOCKS = 2 + SLICE };

static rk_memory_slice slice_of(rask_task *task, const rk_scan_job *job)
{
    size_t at = 2 + rk_scan_others(job);
    return (rk_memory_slice){.part = (uint32_t)rask_arg_i64(task, at),
                             .first = (uint64_t)rask_arg_i64(task, at + 1),
                             .rows = (uint64_t)rask_arg_i64(task, at + 2)};
}

static int run_memory(rask_task *task)
{
    const rk_scan_job *job = rk_shared_arg(task, 0, &job_class);
    if (!job)
        return RASK_ETYPE;
    const rk_memory_slice slice = slice_of(task, job);
    return run_task(task, job,
                    &(stage_input){.memory = job->pipeline.source->as.memory,
                                   .part = slice.part,
                                   .first = slice.first,
                                   .rows = slice.rows});
}

/* Sets the columns that are wanted: of what a feed made, or of what a file has. */
static int fill(rask_task *task, const rk_scan_job *job, const rk_memory_slice *slice, rk_memory_fed *fed)
{
    const rk_pipeline *p = &job->pipeline;
    const rk_memory_source *source = p->source->as.memory;
    rk_memory_error error = {""};
    rask_block block;
    int status = rk_memory_fed_init(fed, source, slice->rows);
    for (uint32_t i = 0; i < p->wanted_count && !status; i++)
        if (source->loader)
            status = rk_memory_fed_load(fed, source, slice, p->wanted[i], &error);
        else if ((status = rask_arg_block(task, BLOCKS + rk_scan_others(job) + i, &block)))
            return status;
        else
            rk_memory_fed_set(fed, p->wanted[i], &block);
    const char *reason = *error.message ? error.message : rask_status_text(status);
    return status ? rk_task_fail(task, status, "%s", reason) : RASK_OK;
}

static int run_fed(rask_task *task)
{
    const rk_scan_job *job = rk_shared_arg(task, 0, &job_class);
    rk_memory_fed fed = {0};
    if (!job)
        return RASK_ETYPE;
    const rk_memory_slice slice = slice_of(task, job);
    int status = fill(task, job, &slice, &fed);
    if (!status)
        status = run_task(task, job, &(stage_input){.memory = &fed.source, .rows = slice.rows});
    rk_memory_fed_fini(&fed);
    return status;
}

static const rask_task_def
    stage_def = {.size = sizeof stage_def, .name = "rows", .call = run_stage, .flags = RASK_PURE},
    sorted_def = {.size = sizeof sorted_def, .name = "sort", .call = run_sorted, .flags = RASK_PURE},
    memory_def = {.size = sizeof memory_def, .name = "rows of memory", .call = run_memory},
    fed_def = {.size = sizeof fed_def, .name = "rows of arrays", .call = run_fed},
    load_def = {.size = sizeof load_def, .name = "read arrow", .call = run_fed};

/* args[0] is the job; scratch: bytes beside those that all such calls need. */
static int lower_call(rask_graph *graph, rk_scan_job *job, const rask_task_def *def, rask_arg *args,
                      size_t arg_count, uint64_t scratch, uint64_t kept, rask_node **nodes)
{
    rask_value value;
    uint32_t count = rk_table_sink_values(&job->sink);
    if (rk_shared_value(graph, &job_class, job, &value))
        return RASK_ENOMEM;
    args[0] = (rask_arg){.kind = RASK_ARG_VALUE, .as.value = &value};
    rask_node *node = rk_scan_call(graph, def, job, args, arg_count);
    rask_set_scratch_bytes(node, rk_pipeline_bytes(&job->pipeline) + rk_table_sink_bytes(&job->sink) +
                                     scratch + 2 * kept);
    if (kept)
        rask_set_result_bytes(node, kept);
    for (uint32_t i = 0; i < count; i++)
        nodes[i] = count > 1 ? rk_take_lower(graph, i, node, NULL, 0) : node;
    rask_value_unref(&value);
    return graph->status;
}

int rk_stage_lower(rask_graph *graph, rk_scan_job *job, uint32_t number, rask_node *chunk, uint64_t kept,
                   rask_node **nodes)
{
    rask_arg args[] = {
        {0}, {.kind = RASK_ARG_I64, .as.i64 = number}, {.kind = RASK_ARG_NODE, .as.node = chunk}};
    return lower_call(graph, job, &stage_def, args, 3, 0, kept, nodes);
}

int rk_stage_lower_sorted(rask_graph *graph, rk_scan_job *job, uint32_t number,
                          const rk_table_sink_plan *plan, const rk_nodes *chunks, uint64_t kept,
                          rask_node **nodes)
{
    enum { CHUNKS = 3 };
    rask_value value;
    rask_arg *args = rk_alloc_array(CHUNKS + (size_t)chunks->count, sizeof *args);
    if (!args || rk_shared_value(graph, &plan_class, plan, &value)) {
        rk_free(args);
        rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
        return RASK_ENOMEM;
    }
    args[1] = (rask_arg){.kind = RASK_ARG_I64, .as.i64 = number};
    args[2] = (rask_arg){.kind = RASK_ARG_VALUE, .as.value = &value};
    for (uint32_t i = 0; i < chunks->count; i++)
        args[CHUNKS + i] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = chunks->nodes[i]};
    int status =
        lower_call(graph, job, &sorted_def, args, CHUNKS + (size_t)chunks->count, chunks->bytes, kept, nodes);
    rask_value_unref(&value);
    rk_free(args);
    return status;
}

int rk_stage_lower_memory(rask_graph *graph, rk_scan_job *job, uint32_t number, const rk_memory_slice *slice,
                          void *begun, uint64_t kept, rask_node **nodes)
{
    const rk_pipeline *p = &job->pipeline;
    const rk_memory_source *source = p->source->as.memory;
    const rk_memory_feed *feed = source->feed;
    uint32_t fed = feed ? p->wanted_count : 0;
    rask_arg *args = rk_alloc_array(BLOCKS + (size_t)fed, sizeof *args);
    if (!args) {
        rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
        return RASK_ENOMEM;
    }
    args[1] = (rask_arg){.kind = RASK_ARG_I64, .as.i64 = number};
    args[2] = (rask_arg){.kind = RASK_ARG_I64, .as.i64 = slice->part};
    args[3] = (rask_arg){.kind = RASK_ARG_I64, .as.i64 = (int64_t)slice->first};
    args[4] = (rask_arg){.kind = RASK_ARG_I64, .as.i64 = (int64_t)slice->rows};
    for (uint32_t i = 0; i < fed; i++)
        args[BLOCKS + i] = (rask_arg){.kind = RASK_ARG_NODE,
                                      .as.node = feed->node(begun, p->wanted[i], slice->first, slice->rows)};
    const rask_task_def *def = feed ? &fed_def : source->loader ? &load_def : &memory_def;
    uint64_t loaded = source->loader ? source->bytes / (source->rows + 1) * slice->rows : 0;
    int status = lower_call(graph, job, def, args, BLOCKS + fed, loaded, kept, nodes);
    rk_free(args);
    return status;
}
