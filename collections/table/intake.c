#include "collections/table/intake.h"

#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

uint32_t rk_scan_others(const rk_scan_job *job)
{
    return 2 * job->pipeline.join_count;
}

int rk_scan_begin(rask_task *task, const rk_scan_job *job, rk_pipeline_run *run)
{
    uint32_t count = rk_scan_others(job);
    rask_bytes *others = rk_alloc_array(count + (size_t)1, sizeof *others);
    for (uint32_t i = 0; others && i < count; i++)
        others[i] = rask_arg_bytes(task, 2 + i);
    int status = others ? rk_pipeline_run_init(run, &job->pipeline, others) : RASK_ENOMEM;
    rk_free(others);
    return status;
}

rask_node *rk_scan_call(rask_graph *graph, const rask_task_def *def, const rk_scan_job *job,
                        const rask_arg *args, size_t count)
{
    uint32_t others = rk_scan_others(job);
    rask_arg *all = rk_alloc_array(count + others, sizeof *all);
    if (!all)
        return rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    memcpy(all, args, 2 * sizeof *args);
    for (uint32_t i = 0; i < others; i++)
        all[2 + i] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = job->others[i]};
    memcpy(all + 2 + others, args + 2, (count - 2) * sizeof *args);
    rask_node *node = rask_call_at(graph, def, all, count + others, NULL, 0);
    rk_free(all);
    return node;
}

int rk_intake_init(rk_intake *rows, rask_task *task, const rk_scan_job *job, uint32_t number)
{
    const rk_csv_source *source = job->source;
    const rk_pipeline *p = &job->pipeline;
    rask_column_type *types = rk_alloc_array(p->wanted_count + 1, sizeof *types);
    rk_csv_policy policy = source->misfit == RASK_MISFIT_NULL ? RK_CSV_NULL : RK_CSV_FAIL;
    int status = types ? RASK_OK : RASK_ENOMEM;
    *rows = (rk_intake){.job = job, .part = (uint64_t)job->before + number};
    for (uint32_t i = 0; types && i < p->wanted_count; i++)
        types[i] = source->schema.types[p->wanted[i]];
    if (!status)
        status = rk_batch_init(&rows->batch, types, p->wanted_count);
    if (!status)
        status = rk_csv_scanner_init(&rows->scanner, &source->format, &source->schema, p->wanted,
                                     p->wanted_count, policy);
    if (!status && p->late)
        status = rk_csv_scanner_delay(&rows->scanner, p->late);
    if (!status)
        status = rk_scan_begin(task, job, &rows->run);
    if (!status)
        status = rk_table_sink_init(&rows->sink, &job->sink);
    rk_free(types);
    return status;
}

void rk_intake_turn(rk_intake *rows, uint32_t number)
{
    rows->part = (uint64_t)rows->job->before + number;
    rows->sink.passed = 0;
}

void rk_intake_fini(rk_intake *rows)
{
    rk_table_sink_fini(&rows->sink);
    rk_pipeline_run_fini(&rows->run);
    rk_csv_scanner_fini(&rows->scanner);
    rk_batch_fini(&rows->batch);
    rk_free(rows->wrong);
    rk_arena_fini(&rows->wrong_texts);
    *rows = (rk_intake){0};
}

/* The late columns of the rows that are left. The row that has the first value that does not fit is not, and none behind it;
 * the status is that of the error, then. */
static int fill_all(rk_intake *rows, rk_csv_error *error)
{
    uint32_t done = 0;
    int status =
        rk_csv_fill(&rows->scanner, &rows->batch, rows->run.origins, 0, rows->run.rows, &done, error);
    rows->run.rows = status ? done : rows->run.rows;
    return status;
}

/* Notes what is wrong with a row, whose value becomes a null. */
static int note_wrong(rk_intake *rows, uint32_t row, const rk_csv_error *error)
{
    rk_csv_error none;
    uint32_t done;
    rk_csv_wrong *wrong = rk_arena_alloc(&rows->wrong_texts, sizeof *wrong);
    if (!rows->wrong)
        rows->wrong = rk_calloc(RK_BATCH_ROWS, sizeof *rows->wrong);
    if (!rows->wrong || !wrong)
        return RASK_ENOMEM;
    *wrong = rows->place;
    wrong->line = error->line;
    memcpy(wrong->message, error->message, sizeof wrong->message);
    rows->wrong[row] = (rask_bytes){(const char *)wrong, sizeof *wrong};
    rows->sink.wrong = rows->wrong;
    rows->scanner.policy = RK_CSV_NULL;
    int status = rk_csv_fill(&rows->scanner, &rows->batch, rows->run.origins, row, row + 1, &done, &none);
    rows->scanner.policy = RK_CSV_FAIL;
    return status;
}

/* The late columns of the rows that the sink may keep: what is wrong with them goes with them. */
static int fill_chosen(rk_intake *rows)
{
    uint32_t chosen[RK_BATCH_ROWS];
    rk_csv_error error;
    int status = RASK_OK;
    if (rows->sink.wrong)
        memset(rows->wrong, 0, RK_BATCH_ROWS * sizeof *rows->wrong);
    rows->sink.wrong = NULL;
    rk_arena_fini(&rows->wrong_texts);
    uint32_t count = rk_table_sink_choose(&rows->sink, &rows->run, chosen);
    rk_pipeline_choose(&rows->run, chosen, count);
    for (uint32_t from = 0, done = 0; from < count && !status; from = done + 1) {
        status = rk_csv_fill(&rows->scanner, &rows->batch, rows->run.origins, from, count, &done, &error);
        if (status == RASK_EFORMAT)
            status = note_wrong(rows, done, &error);
    }
    return status;
}

/* Of a value that does not fit *error tells, and rows before it were taken. */
static int take_batch(rk_intake *rows, rk_csv_error *error)
{
    int wrong = RASK_OK;
    if (!rows->batch.rows)
        return RASK_OK;
    int status = rk_pipeline_begin(&rows->run, &rows->batch);
    bool late = !status && rows->job->pipeline.late && !rows->run.eager && rows->run.rows;
    rows->most_stay = rows->run.rows > rows->batch.rows / 2;
    if (late && rk_table_sink_first(&rows->job->sink) != UINT32_MAX)
        status = fill_chosen(rows);
    else if (late)
        wrong = fill_all(rows, error);
    if (!status && wrong != RASK_ENOMEM)
        status = rk_pipeline_end(&rows->run, &rows->batch);
    if (!status && wrong != RASK_ENOMEM)
        status = rk_table_sink_pass(&rows->sink, &rows->run, rows->part);
    return status ? status : wrong;
}

/* Nothing of a record matters but that it is there. */
static bool only_counts(const rk_scan_job *job)
{
    return !job->pipeline.wanted_count && !job->pipeline.step_count && job->sink.kind == RK_SINK_GROUPS;
}

static int count_records(rk_intake *rows, const char *text, size_t len, bool last, size_t *used,
                         rk_csv_error *error)
{
    uint64_t count = 0;
    int status = rk_csv_count(&rows->scanner, text, len, last, &count, used, error);
    while (count && !status) {
        rows->batch.rows = count < RK_BATCH_ROWS ? (uint32_t)count : RK_BATCH_ROWS;
        count -= rows->batch.rows;
        status = take_batch(rows, error);
    }
    return status;
}

/* Where filters let most rows through, late columns are read with the others, unless a value in them does not fit: that
 * matters for the rows that are left only. */
static int scan_batch(rk_intake *rows, const char *text, size_t len, bool last, size_t *used,
                      rk_csv_error *error)
{
    rk_csv_scanner *s = &rows->scanner;
    uint64_t lines = s->lines;
    s->eager = rows->run.eager =
        s->late && rows->most_stay && rk_table_sink_first(&rows->job->sink) == UINT32_MAX;
    int status = rk_csv_scan(s, text, len, last, &rows->batch, used, error);
    if (!s->eager || !s->misfits || s->policy == RK_CSV_NULL)
        return status;
    s->eager = rows->run.eager = false;
    s->lines = lines;
    *error = (rk_csv_error){0};
    *used = 0;
    return rk_csv_scan(s, text, len, last, &rows->batch, used, error);
}

int rk_intake_take(rk_intake *rows, const char *text, size_t len, bool last, size_t *used,
                   rk_csv_error *error)
{
    *used = 0;
    if (rk_table_sink_is_full(&rows->sink))
        return RASK_OK;
    if (only_counts(rows->job))
        return count_records(rows, text, len, last, used, error);
    rk_csv_error late = {0};
    rows->batch.rows = 0;
    int wrong = scan_batch(rows, text, len, last, used, error);
    int status = take_batch(rows, &late);
    if (!status && !rk_table_sink_is_full(&rows->sink))
        return wrong;
    *error = late; /* its row comes before what is wrong with the text */
    return rk_table_sink_is_full(&rows->sink) ? RASK_OK : status;
}

uint64_t rk_intake_bytes(const rk_scan_job *job)
{
    uint64_t columns = job->pipeline.wanted_count;
    uint64_t late = job->pipeline.late ? rk_csv_late_bytes(&job->source->schema) : 0;
    return (1 << 20) + late + columns * RK_BATCH_ROWS * (sizeof(rask_bytes) + 1) +
           rk_pipeline_bytes(&job->pipeline);
}
