#include "collections/table/distinct/distinct.h"

#include "collections/table/merge.h"
#include "collections/table/recipe.h"
#include "collections/table/splitters.h"
#include "collections/table/take.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <math.h>
#include <string.h>

enum {
    FAN_IN = 4,
    ROW = 48,       /* bytes of a key in a table, and of where its row stood, about */
    KEY = 24,       /* and for each of its columns */
    PART = 8 << 20, /* bytes of text that one task reads, about */
    POSITION = 8,
    ROOM_FOR_PART = 16, /* of the budget */
};

#define MOST_KINDS 0.7 /* of the rows of a part, for which it pays to look for those that are alike in it */

int rk_distinct_see(rk_keys *seen, const rk_column *const *keys, uint32_t rows, uint32_t *fresh,
                    uint64_t *hashes, uint32_t *count)
{
    uint32_t ids[RK_KEYS_ROWS];
    int status = RASK_OK;
    *count = 0;
    for (uint32_t at = 0, n; at < rows && !status; at += n) {
        size_t next = seen->rows.count; /* keys are numbered as they appear */
        n = rows - at < RK_KEYS_ROWS ? rows - at : RK_KEYS_ROWS;
        status = rk_keys_find(seen, keys, at, n, ids);
        for (uint32_t i = 0; i < n && !status; i++)
            if (ids[i] == next) {
                hashes[*count] = *rk_keys_row(seen, next++);
                fresh[(*count)++] = at + i;
            }
    }
    return status;
}

/* -- The task: (plan, blocks, chunk …): the first rows of the chunks, in order: as one chunk, or with blocks of each chunk */

static const rask_class plan_class = {RK_TABLE_SHARED("distinct")};

typedef struct finding {
    const rk_table_sink_plan *plan;
    rk_chunk *chunks;
    size_t count;
    rk_keys seen;
    rk_batch batch;
    const rk_column **keys;
    uint32_t *fresh;
    uint64_t *hashes;
    rk_array places;
    size_t *ends; /* of the places of each chunk */
} finding;

static int init_finding(finding *f)
{
    const rk_table_sink_plan *plan = f->plan;
    uint32_t count = plan->by.count;
    f->places = (rk_array)RK_ARRAY(uint64_t, UINT32_MAX);
    f->keys = rk_calloc(count, sizeof *f->keys);
    f->fresh = rk_alloc_array(RK_BATCH_ROWS, sizeof *f->fresh);
    f->hashes = rk_alloc_array(RK_BATCH_ROWS, sizeof *f->hashes);
    f->ends = rk_alloc_array(f->count + 1, sizeof *f->ends);
    int status = f->keys && f->fresh && f->hashes && f->ends ? rk_batch_init(&f->batch, plan->by.types, count)
                                                             : RASK_ENOMEM;
    for (uint32_t k = 0; k < count && !status; k++)
        f->keys[k] = &f->batch.columns[k];
    return status ? status : rk_keys_init(&f->seen, plan->by.types, count, plan->by.seed);
}

static void end_finding(finding *f)
{
    rk_batch_fini(&f->batch);
    rk_keys_fini(&f->seen);
    rk_array_fini(&f->places);
    rk_free(f->keys);
    rk_free(f->fresh);
    rk_free(f->hashes);
    rk_free(f->ends);
    rk_free(f->chunks);
}

static int find_in_batch(finding *f, size_t chunk, uint64_t row)
{
    uint32_t count;
    int status = rk_distinct_see(&f->seen, f->keys, f->batch.rows, f->fresh, f->hashes, &count);
    if (!status)
        status = rk_array_reserve(&f->places, count);
    for (uint32_t i = 0; i < count && !status; i++)
        *(uint64_t *)rk_array_push(&f->places) = (uint64_t)chunk << 32 | (row + f->fresh[i]);
    return status;
}

static int find_all(finding *f)
{
    int status = RASK_OK;
    for (size_t c = 0; c < f->count && !status; c++) {
        const rk_chunk *chunk = &f->chunks[c];
        for (uint64_t row = 0; row < chunk->rows && !status; row += f->batch.rows) {
            for (uint32_t k = 0; k < f->plan->by.count; k++)
                f->batch.rows = rk_chunk_read(chunk, f->plan->hashed[k], row, &f->batch.columns[k]);
            status = find_in_batch(f, c, row);
        }
        f->ends[c] = f->places.count;
    }
    return status;
}

/* The last columns of a result may have been there for the work only. */
static int return_one(rask_task *task, finding *f)
{
    rask_value value;
    for (size_t i = 0; i < f->count; i++)
        f->chunks[i].count -= f->plan->dropped;
    int status = rk_chunk_gather(f->chunks, f->count, f->places.data, f->places.count, &value);
    return status ? status : rask_return_value(task, value);
}

static int return_blocks(rask_task *task, finding *f)
{
    rask_value *values = rk_calloc(f->count, sizeof *values);
    int status = values ? RASK_OK : RASK_ENOMEM;
    uint64_t *places = f->places.data;
    for (size_t c = 0, from = 0; c < f->count && !status; from = f->ends[c++]) {
        for (size_t i = from; i < f->ends[c]; i++)
            places[i] &= UINT32_MAX;
        status = rk_chunk_gather(&f->chunks[c], 1, places + from, f->ends[c] - from, &values[c]);
    }
    return rk_return_values(task, status, values, f->count);
}

static int run_distinct(rask_task *task)
{
    finding f = {.plan = rk_shared_arg(task, 0, &plan_class), .count = rask_arg_count(task) - 2};
    bool blocks = rask_arg_bool(task, 1);
    if (!f.plan)
        return RASK_ETYPE;
    f.chunks = rk_alloc_array(f.count, sizeof *f.chunks);
    for (size_t i = 0; f.chunks && i < f.count; i++)
        rk_chunk_open(&f.chunks[i], rask_arg_bytes(task, 2 + i));
    int status = f.chunks ? init_finding(&f) : RASK_ENOMEM;
    if (!status)
        status = find_all(&f);
    if (!status)
        status = blocks ? return_blocks(task, &f) : return_one(task, &f);
    end_finding(&f);
    return status ? rk_task_fail(task, status, "%s", rask_status_text(status)) : RASK_OK;
}

static const rask_task_def distinct_def = {
    .size = sizeof distinct_def, .name = "distinct", .call = run_distinct, .flags = RASK_PURE};

/* -- Lowering */

typedef struct lowering {
    const rk_table_lowering *l;
    rask_table *narrow; /* the wanted columns, then keys that are none of them */
    uint32_t *keys;     /* columns of narrow */
    rask_column_type *types;
    uint32_t key_count, extra;
} lowering;

static void *memory(const lowering *d, size_t size)
{
    return rk_table_memory(d->l->graph, size, NULL, 0);
}

static int narrow(lowering *d, rask_table *table, const uint32_t *wanted, uint32_t wanted_count)
{
    uint32_t count = wanted_count;
    d->key_count = table->as.distinct.count;
    uint32_t *pick = memory(d, (wanted_count + (size_t)d->key_count) * sizeof *pick);
    d->keys = memory(d, d->key_count * sizeof *d->keys);
    d->types = memory(d, d->key_count * sizeof *d->types);
    if (!pick || !d->keys || !d->types)
        return RASK_ENOMEM;
    memcpy(pick, wanted, wanted_count * sizeof *pick);
    for (uint32_t k = 0; k < d->key_count; k++) {
        d->keys[k] = rk_pick_add(pick, &count, table->as.distinct.keys[k]);
        d->types[k] = table->schema.types[table->as.distinct.keys[k]];
    }
    d->extra = count - wanted_count;
    d->narrow = rk_table_pick(d->l->graph, table->input, pick, count, NULL, 0);
    return d->narrow ? RASK_OK : RASK_ENOMEM;
}

static rask_node *call(const lowering *d, const rk_table_sink_plan *plan, bool blocks,
                       rask_node *const *nodes, uint32_t count)
{
    rask_value value;
    rask_arg *args = rk_alloc_array((size_t)count + 2, sizeof *args);
    if (!args || rk_shared_value(d->l->graph, &plan_class, plan, &value)) {
        rk_free(args);
        return rk_graph_fail(d->l->graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    }
    args[0] = (rask_arg){.kind = RASK_ARG_VALUE, .as.value = &value};
    args[1] = (rask_arg){.kind = RASK_ARG_BOOL, .as.boolean = blocks};
    for (uint32_t i = 0; i < count; i++)
        args[i + 2] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes[i]};
    rask_node *node = rask_call_at(d->l->graph, &distinct_def, args, (size_t)count + 2, NULL, 0);
    rask_value_unref(&value);
    rk_free(args);
    return node;
}

/* Levels of merges; the last one drops what nobody wanted. */
static int merge_tree(const lowering *d, const rk_table_sink_plan *plan, rk_nodes parts, rk_nodes *out)
{
    rk_table_sink_plan last = *plan;
    last.dropped = d->extra;
    const rk_table_sink_plan *kept = rk_merge_keep(d->l->graph, plan),
                             *end = rk_merge_keep(d->l->graph, &last);
    while (kept && end && parts.count > FAN_IN && !d->l->graph->status) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < parts.count; i += FAN_IN) {
            uint32_t some = parts.count - i < FAN_IN ? parts.count - i : FAN_IN;
            parts.nodes[count++] = some == 1 ? parts.nodes[i] : call(d, kept, false, parts.nodes + i, some);
        }
        parts.count = count;
    }
    if (!kept || !end)
        return RASK_ENOMEM;
    *out = (rk_nodes){.nodes = memory(d, sizeof *out->nodes), .count = 1};
    if (!out->nodes)
        return RASK_ENOMEM;
    out->nodes[0] = call(d, end, false, parts.nodes, parts.count);
    return d->l->graph->status;
}

/* The task that finds the first rows of part number part; blocks: as one value for each block. NULL, latched. */
static rask_node *find_part(const lowering *d, const rk_table_sink_plan *kept, const rk_nodes *parts,
                            uint32_t part, bool blocks)
{
    uint32_t count = parts->count / kept->parts;
    uint64_t bytes = parts->bytes * count, most = d->l->budget / 8;
    bytes = bytes < most ? bytes : most;
    rask_node **of_part = rk_alloc_array(count, sizeof *of_part);
    if (!of_part)
        return rk_graph_fail(d->l->graph, RASK_ENOMEM, NULL, 0, "no memory for tasks");
    for (uint32_t b = 0; b < count; b++)
        of_part[b] = parts->nodes[(size_t)b * kept->parts + part];
    rask_node *node = call(d, kept, blocks, of_part, count);
    rask_set_scratch_bytes(node, 2 * bytes);
    rask_set_result_bytes(node, bytes);
    rk_free(of_part);
    return node;
}

/* The first rows of part number part, of each block to firsts[block * parts + part]. */
static int find_firsts(const lowering *d, const rk_table_sink_plan *kept, const rk_nodes *parts,
                       uint32_t part, rask_node **firsts)
{
    rask_node *list = find_part(d, kept, parts, part, true);
    for (uint32_t b = 0; b < parts->count / kept->parts; b++)
        firsts[(size_t)b * kept->parts + part] = rk_take_lower(d->l->graph, b, list, NULL, parts->bytes);
    return d->l->graph->status;
}

/* Part by part, each in one chunk. */
static int find_parts(const lowering *d, const rk_table_sink_plan *plan, const rk_nodes *parts, rk_nodes *out)
{
    rk_table_sink_plan last = *plan;
    last.dropped = d->extra + 1;
    const rk_table_sink_plan *kept = rk_merge_keep(d->l->graph, &last);
    *out = (rk_nodes){.nodes = memory(d, plan->parts * sizeof *out->nodes), .count = plan->parts};
    if (!kept || !out->nodes)
        return RASK_ENOMEM;
    out->bytes = parts->bytes * (parts->count / plan->parts);
    for (uint32_t p = 0; p < plan->parts; p++)
        out->nodes[p] = find_part(d, kept, parts, p, false);
    return d->l->graph->status;
}

/* The rows of each block in the order in which they stood there. */
static int put_in_order(const lowering *d, const rk_table_sink_plan *kept, const rk_nodes *parts,
                        rask_node *const *firsts, rk_nodes *out)
{
    rk_order *order = memory(d, sizeof *order);
    rk_table_sink_plan by_position = *kept;
    by_position.keys = order;
    by_position.key_count = 1;
    by_position.dropped = d->extra + 1;
    const rk_table_sink_plan *plan = order ? rk_merge_keep(d->l->graph, &by_position) : NULL;
    if (!plan)
        return RASK_ENOMEM;
    *order = (rk_order){.column = d->narrow->schema.count};
    out->count = parts->count / kept->parts;
    out->bytes = parts->bytes * kept->parts;
    out->nodes = memory(d, out->count * sizeof *out->nodes);
    for (uint32_t b = 0; out->nodes && b < out->count; b++)
        out->nodes[b] =
            rk_merge_sort(d->l->graph, plan, firsts + (size_t)b * kept->parts, kept->parts, out->bytes);
    return out->nodes ? d->l->graph->status : RASK_ENOMEM;
}

static int merge_parts(const lowering *d, const rk_table_sink_plan *plan, const rk_nodes *parts,
                       rk_nodes *out)
{
    const rk_table_sink_plan *kept = rk_merge_keep(d->l->graph, plan);
    rask_node **firsts = memory(d, (parts->count + (size_t)1) * sizeof *firsts);
    int status = kept && firsts ? RASK_OK : RASK_ENOMEM;
    for (uint32_t p = 0; p < plan->parts && !status; p++)
        status = find_firsts(d, kept, parts, p, firsts);
    return status ? status : put_in_order(d, kept, parts, firsts, out);
}

/* Whether to divide all rows: few of those that one task reads are alike, when kinds are spread evenly over all, and what goes
 * to a part takes little of the budget. bytes: of a row, text: that it comes of. */
static bool divides_all(const lowering *d, double kinds, double bytes, double text, uint32_t parts)
{
    uint64_t source = d->narrow->bytes;
    if (parts == 1 || text <= 0 || kinds <= 0 || source == RK_BYTES_UNKNOWN)
        return false;
    double rows = PART / text, all = (double)source / text;
    return -expm1(-rows / kinds) * kinds / rows > MOST_KINDS &&
           all * (bytes + POSITION) / parts < (double)d->l->budget / ROOM_FOR_PART;
}

int rk_distinct_lower(const rk_table_lowering *l, rask_table *table, const uint32_t *wanted,
                      uint32_t wanted_count, bool ordered, rk_nodes *out)
{
    lowering d = {.l = l};
    rk_nodes parts;
    double rows, bytes, text;
    int status = narrow(&d, table, wanted, wanted_count);
    if (!status)
        status = rk_splitters_different(l, d.narrow, d.keys, d.key_count, &rows, &bytes, &text);
    if (status)
        return status;
    uint32_t count = rk_splitters_parts(l, rows * (bytes + ROW + (double)KEY * d.key_count));
    bool divided = divides_all(&d, rows, bytes, text, count);
    const rk_table_sink_plan plan = {.kind = divided ? RK_SINK_PARTS : RK_SINK_DISTINCT,
                                     .schema = &d.narrow->schema,
                                     .parts = count,
                                     .by = {d.types, d.key_count, l->seed},
                                     .hashed = d.keys,
                                     .positions = count > 1};
    status = rk_lower_stage(l, d.narrow, &plan, &parts);
    if (status)
        return status;
    if (plan.parts == 1)
        return merge_tree(&d, &plan, parts, out);
    return ordered ? merge_parts(&d, &plan, &parts, out) : find_parts(&d, &plan, &parts, out);
}
