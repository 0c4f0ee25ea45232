#include "collections/table/arrange.h"

#include "collections/table/merge.h"
#include "collections/table/recipe.h"
#include "collections/table/row_order.h"
#include "collections/table/splitters.h"
#include "collections/table/take.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

enum { SAMPLES = 100 }; /* rows of a chunk */

static const rask_class plan_class = {RK_TABLE_SHARED("arrange")};

static int fail(rask_task *task, int status)
{
    return rk_task_fail(task, status, "%s", rask_status_text(status));
}

/* -- Samples: (plan, chunk): the keys of some rows as a chunk */

/* Rows of a batch from row first of a chunk that are every so many: how many. */
static uint32_t choose_rows(uint64_t first, uint32_t rows, uint64_t step, uint32_t *chosen)
{
    uint32_t count = 0;
    for (uint64_t row = (first + step - 1) / step * step; row < first + rows; row += step)
        chosen[count++] = (uint32_t)(row - first);
    return count;
}

typedef struct taking {
    rk_batch batch;
    rk_chunk_builder builder;
    const rk_column **columns;
    uint32_t *chosen;
} taking;

static int init_taking(taking *t, const rk_table_sink_plan *plan)
{
    uint32_t count = plan->key_count;
    rask_column_type *types = rk_alloc_array(count, sizeof *types);
    t->columns = rk_alloc_array(count, sizeof *t->columns);
    t->chosen = rk_alloc_array(RK_BATCH_ROWS, sizeof *t->chosen);
    for (uint32_t k = 0; types && k < count; k++)
        types[k] = plan->schema->types[plan->keys[k].column];
    int status = types && t->columns && t->chosen ? rk_batch_init(&t->batch, types, count) : RASK_ENOMEM;
    if (!status)
        status = rk_chunk_builder_init(&t->builder, types, count);
    for (uint32_t k = 0; k < count && !status; k++)
        t->columns[k] = &t->batch.columns[k];
    rk_free(types);
    return status;
}

static int take_samples(taking *t, const rk_table_sink_plan *plan, const rk_chunk *chunk)
{
    uint64_t step = chunk->rows / SAMPLES + 1;
    int status = RASK_OK;
    for (uint64_t row = 0; row < chunk->rows && !status; row += t->batch.rows) {
        for (uint32_t k = 0; k < plan->key_count; k++)
            t->batch.rows = rk_chunk_read(chunk, plan->keys[k].column, row, &t->batch.columns[k]);
        status = rk_chunk_builder_add_rows(&t->builder, t->columns, t->chosen,
                                           choose_rows(row, t->batch.rows, step, t->chosen));
    }
    return status;
}

static int run_samples(rask_task *task)
{
    const rk_table_sink_plan *plan = rk_shared_arg(task, 0, &plan_class);
    taking t = {0};
    rk_chunk chunk;
    rask_value value;
    if (!plan)
        return RASK_ETYPE;
    rk_chunk_open(&chunk, rask_arg_bytes(task, 1));
    int status = init_taking(&t, plan);
    if (!status)
        status = take_samples(&t, plan, &chunk);
    if (!status)
        status = rk_chunk_builder_pack(&t.builder, &value);
    rk_chunk_builder_fini(&t.builder);
    rk_batch_fini(&t.batch);
    rk_free(t.columns);
    rk_free(t.chosen);
    return status ? fail(task, status) : rask_return_value(task, value);
}

/* -- Ranges: (plan, ranges, chunk, sorted samples): the chunk's rows by range */

/* Chunk 0 is the one that is cut, chunk 1 has the samples, whose columns are the keys. */
typedef struct cutting {
    rk_chunk chunks[2];
    rk_row_order order;
    uint32_t ranges;
    uint32_t *range;  /* of each row */
    uint64_t *ends;   /* rows of each range, and then where they end among the places */
    uint64_t *places; /* range by range */
    uint64_t *ranks;  /* of the rows that ranges begin with */
} cutting;

/* The sample that begins a range behind the first. */
static uint64_t splitter(const cutting *c, uint32_t range)
{
    return (uint64_t)1 << 32 | c->chunks[1].rows * range / c->ranges;
}

/* Whether a row comes before those of a range. */
static bool is_before(const cutting *c, uint64_t row, uint64_t rank, uint32_t range)
{
    if (rank != c->ranks[range])
        return rank < c->ranks[range];
    return rk_row_compare(&c->order, row, splitter(c, range)) < 0;
}

static uint32_t range_of(const cutting *c, uint64_t row)
{
    uint64_t rank = rk_row_rank(&c->order, row);
    uint32_t low = 1, high = c->ranges;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_before(c, row, rank, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low - 1;
}

static int open_cutting(rask_task *task, const rk_table_sink_plan *plan, cutting *c)
{
    uint32_t keys = plan->key_count;
    rk_chunk_open(&c->chunks[0], rask_arg_bytes(task, 2));
    rk_chunk_open(&c->chunks[1], rask_arg_bytes(task, 3));
    c->ranges = (uint32_t)rask_arg_i64(task, 1);
    uint64_t rows = c->chunks[0].rows;
    c->range = rk_alloc_array(rows + 1, sizeof *c->range);
    c->places = rk_alloc_array(rows + 1, sizeof *c->places);
    c->ends = rk_calloc(c->ranges + (size_t)1, sizeof *c->ends);
    c->ranks = rk_calloc(c->ranges + (size_t)1, sizeof *c->ranks);
    c->order = (rk_row_order){.keys = plan->keys,
                              .key_count = keys,
                              .chunk_count = 2,
                              .columns = rk_alloc_array(2 * (size_t)keys, sizeof *c->order.columns)};
    if (!c->range || !c->places || !c->ends || !c->ranks || !c->order.columns)
        return RASK_ENOMEM;
    for (uint32_t k = 0; k < keys; k++) {
        c->order.columns[2 * k] = rk_chunk_stored(&c->chunks[0], plan->keys[k].column);
        c->order.columns[2 * k + 1] = rk_chunk_stored(&c->chunks[1], k);
    }
    for (uint32_t r = 1; r < c->ranges && c->chunks[1].rows; r++)
        c->ranks[r] = rk_row_rank(&c->order, splitter(c, r));
    return RASK_OK;
}

static void divide_rows(cutting *c)
{
    uint64_t rows = c->chunks[0].rows;
    for (uint64_t row = 0; row < rows; row++)
        c->ends[(c->range[row] = range_of(c, row)) + 1]++;
    for (uint32_t r = 0; r < c->ranges; r++)
        c->ends[r + 1] += c->ends[r];
    for (uint64_t row = 0; row < rows; row++) /* ends[r] is where range r begins, and then where it ends */
        c->places[c->ends[c->range[row]]++] = row;
}

static int return_ranges(rask_task *task, cutting *c)
{
    rask_value *values = rk_calloc(c->ranges, sizeof *values);
    int status = values ? RASK_OK : RASK_ENOMEM;
    uint64_t from = 0;
    for (uint32_t r = 0; r < c->ranges && !status; from = c->ends[r++])
        status = rk_chunk_gather(c->chunks, 1, c->places + from, c->ends[r] - from, &values[r]);
    return rk_return_values(task, status, values, c->ranges);
}

static int run_cut(rask_task *task)
{
    const rk_table_sink_plan *plan = rk_shared_arg(task, 0, &plan_class);
    cutting c = {0};
    if (!plan)
        return RASK_ETYPE;
    int status = open_cutting(task, plan, &c);
    if (!status) {
        divide_rows(&c);
        status = return_ranges(task, &c);
    }
    rk_row_order_fini(&c.order);
    rk_free(c.range);
    rk_free(c.places);
    rk_free(c.ends);
    rk_free(c.ranks);
    return status ? fail(task, status) : RASK_OK;
}

static const rask_task_def samples_def = {.size = sizeof samples_def, .name = "samples", .call = run_samples},
                           cut_def = {.size = sizeof cut_def, .name = "cut", .call = run_cut};

/* -- Lowering */

typedef struct lowering {
    const rk_table_lowering *l;
    const rk_table_sink_plan *plan;
    const rask_value *value; /* of the plan */
    const rk_nodes *chunks;
    uint32_t ranges;
    uint64_t bytes; /* of a chunk, about */
} lowering;

static void *memory(const lowering *a, size_t size)
{
    return rk_table_memory(a->l->graph, size, NULL, 0);
}

/* The samples of all chunks in order. NULL, latched. */
static rask_node *lower_samples(const lowering *a)
{
    rask_node **samples = memory(a, (a->chunks->count + (size_t)1) * sizeof *samples);
    rk_order *keys = memory(a, a->plan->key_count * sizeof *keys);
    rk_table_sink_plan sorted = *a->plan;
    for (uint32_t i = 0; samples && i < a->chunks->count; i++) {
        const rask_arg args[] = {{.kind = RASK_ARG_VALUE, .as.value = a->value},
                                 {.kind = RASK_ARG_NODE, .as.node = a->chunks->nodes[i]}};
        samples[i] = rask_call_at(a->l->graph, &samples_def, args, 2, NULL, 0);
    }
    for (uint32_t k = 0; keys && k < a->plan->key_count; k++)
        keys[k] = (rk_order){.column = k, .descending = a->plan->keys[k].descending};
    sorted.keys = keys;
    const rk_table_sink_plan *kept = samples && keys ? rk_merge_keep(a->l->graph, &sorted) : NULL;
    return kept ? rk_merge_sort(a->l->graph, kept, samples, a->chunks->count, 0) : NULL;
}

/* The ranges of a chunk, to nodes. */
static void lower_cut(const lowering *a, rask_node *chunk, rask_node *samples, rask_node **nodes)
{
    const rask_arg args[] = {{.kind = RASK_ARG_VALUE, .as.value = a->value},
                             {.kind = RASK_ARG_I64, .as.i64 = a->ranges},
                             {.kind = RASK_ARG_NODE, .as.node = chunk},
                             {.kind = RASK_ARG_NODE, .as.node = samples}};
    rask_node *list = rask_call_at(a->l->graph, &cut_def, args, 4, NULL, 0);
    if (a->bytes) {
        rask_set_scratch_bytes(list, a->bytes / 2);
        rask_set_result_bytes(list, a->bytes);
    }
    for (uint32_t r = 0; r < a->ranges; r++)
        nodes[r] = rk_take_lower(a->l->graph, r, list, NULL, a->bytes / a->ranges);
}

static int sort_ranges(const lowering *a, rask_node *const *parts, uint64_t bytes, rk_nodes *out)
{
    rask_node **of_range = memory(a, (a->chunks->count + (size_t)1) * sizeof *of_range);
    uint64_t most = a->l->budget / 8;
    bytes = bytes / a->ranges < most ? bytes / a->ranges : most;
    *out = (rk_nodes){.nodes = memory(a, a->ranges * sizeof *out->nodes), .count = a->ranges, .bytes = bytes};
    if (!of_range || !out->nodes)
        return RASK_ENOMEM;
    for (uint32_t r = 0; r < a->ranges; r++) {
        for (uint32_t i = 0; i < a->chunks->count; i++)
            of_range[i] = parts[(size_t)i * a->ranges + r];
        out->nodes[r] = rk_merge_sort(a->l->graph, a->plan, of_range, a->chunks->count, bytes);
    }
    return a->l->graph->status;
}

static int arrange(const lowering *a, double bytes, rk_nodes *out)
{
    rask_node *samples = lower_samples(a);
    rask_node **parts = memory(a, ((size_t)a->chunks->count * a->ranges + 1) * sizeof *parts);
    if (!samples || !parts)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < a->chunks->count && !a->l->graph->status; i++)
        lower_cut(a, a->chunks->nodes[i], samples, parts + (size_t)i * a->ranges);
    return sort_ranges(a, parts, (uint64_t)bytes, out);
}

int rk_arrange_lower(const rk_table_lowering *l, const rk_table_sink_plan *plan, const rk_nodes *chunks,
                     double bytes, rk_nodes *out)
{
    rask_value value;
    const rk_table_sink_plan *kept = rk_merge_keep(l->graph, plan);
    lowering a = {.l = l, .plan = kept, .value = &value, .chunks = chunks, .bytes = chunks->bytes};
    a.ranges = rk_splitters_parts(l, bytes);
    if (!kept)
        return RASK_ENOMEM;
    if (a.ranges == 1 || chunks->count == 1) {
        *out = (rk_nodes){.nodes = memory(&a, sizeof *out->nodes), .count = 1};
        if (out->nodes)
            out->nodes[0] = rk_merge_sort(l->graph, kept, chunks->nodes, chunks->count, 0);
        return l->graph->status;
    }
    if (rk_shared_value(l->graph, &plan_class, kept, &value))
        return RASK_ENOMEM;
    int status = arrange(&a, bytes, out);
    rask_value_unref(&value);
    return status;
}
