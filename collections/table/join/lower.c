#include "collections/table/join/join.h"

#include "collections/table/join/index.h"
#include "collections/table/merge.h"
#include "collections/table/recipe.h"
#include "collections/table/stage.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <assert.h>
#include <string.h>

enum {
    SMALL = 16, /* of the budget: a small table as text; its rows and their index take a few times as much */
    MOST_SMALL = 16 << 20, /* more are divided by all workers in less time than one makes an index */
    INDEX_GROWTH = 4,      /* bytes of rows with their index for a byte of text */
    PART_ROOM = 16 << 20,  /* most bytes of a part of the other table, with its index */
    MUCH_LARGER = 8,       /* times as many bytes */
    LEAST_PARTS = 4,
    MOST_PARTS = 1000,
};

bool rk_join_is_small(const rask_table *table, uint64_t room)
{
    const rk_join *join = table->as.join;
    uint64_t columns = join->key_count + join->payload_count, all = join->other->schema.count;
    if (join->method != RASK_JOIN_AUTO)
        return join->method == RASK_JOIN_BROADCAST;
    return join->other->bytes != RK_BYTES_UNKNOWN && join->other->bytes / all * columns <= room;
}

uint64_t rk_join_room(const rk_table_lowering *l)
{
    uint64_t room = l->budget / SMALL;
    return room < MOST_SMALL ? room : MOST_SMALL;
}

static int fail_memory(const rk_table_lowering *l)
{
    rk_graph_fail(l->graph, RASK_ENOMEM, NULL, 0, "no memory for a join");
    return RASK_ENOMEM;
}

static void *memory(const rk_table_lowering *l, size_t size)
{
    return rk_table_memory(l->graph, size, NULL, 0);
}

/* -- The index as a task: (what is compared, chunk) */

typedef struct indexing {
    rk_join_by by;
    bool lists;
} indexing;

static const rask_class indexing_class = {RK_TABLE_SHARED("index")};

static int run_index(rask_task *task)
{
    const indexing *i = rk_shared_arg(task, 0, &indexing_class);
    rk_chunk chunk;
    rask_value value;
    if (!i)
        return RASK_ETYPE;
    rk_chunk_open(&chunk, rask_arg_bytes(task, 1));
    int status = rk_join_index_build(&chunk, &i->by, i->lists, &value);
    if (status == RASK_ELIMIT)
        return rk_task_fail(task, status, "more than %u rows of a table in the memory of a join",
                            RK_JOIN_NONE - 2);
    return status ? rk_task_fail(task, status, "%s", rask_status_text(status))
                  : rask_return_value(task, value);
}

static const rask_task_def index_def = {
    .size = sizeof index_def, .name = "index", .call = run_index, .flags = RASK_PURE};

static bool has_payload(const rk_join *join)
{
    return join->how == RASK_JOIN_INNER || join->how == RASK_JOIN_LEFT;
}

/* bytes: of the index, about; 0: not known. NULL, latched. */
static rask_node *lower_index(const rk_table_lowering *l, const rk_join *join, rask_node *chunk,
                              uint64_t bytes)
{
    indexing *i = memory(l, sizeof *i);
    rask_value value;
    if (!i || !chunk)
        return NULL;
    *i = (indexing){{join->types, join->key_count, l->seed}, has_payload(join)};
    if (rk_shared_value(l->graph, &indexing_class, i, &value))
        return NULL;
    rask_arg args[] = {{.kind = RASK_ARG_VALUE, .as.value = &value},
                       {.kind = RASK_ARG_NODE, .as.node = chunk}};
    rask_node *node = rask_call_at(l->graph, &index_def, args, 2, NULL, 0);
    rask_value_unref(&value);
    if (node && bytes) {
        rask_set_scratch_bytes(node, bytes);
        rask_set_result_bytes(node, bytes);
    }
    return node;
}

/* -- Small tables */

/* The other table's keys, then these of its columns. NULL, latched. */
static rask_table *pick_other(const rk_table_lowering *l, const rk_join *join, const uint32_t *payload,
                              uint32_t count)
{
    uint32_t *pick = memory(l, (join->key_count + (size_t)count) * sizeof *pick);
    if (!pick)
        return NULL;
    memcpy(pick, join->other_keys, join->key_count * sizeof *pick);
    memcpy(pick + join->key_count, payload, count * sizeof *pick);
    return rk_table_pick(l->graph, join->other, pick, join->key_count + count, NULL, 0);
}

/* Where the input is by far the smaller one, only those rows of the other table, whose keys come first, that have a partner:
 * reading the input once more costs less than holding, or dividing, rows that nobody looks for. NULL, latched. */
static rask_table *leave_out(const rk_table_lowering *l, const rk_join *join, rask_table *other)
{
    uint64_t bytes = join->input->bytes;
    if (join->method != RASK_JOIN_AUTO || join->input->sources > 1 || bytes > rk_join_room(l) ||
        bytes > other->bytes / MUCH_LARGER)
        return other;
    rk_join *semi = memory(l, sizeof *semi);
    uint32_t *keys = memory(l, join->key_count * sizeof *keys);
    if (!semi || !keys)
        return NULL;
    for (uint32_t k = 0; k < join->key_count; k++)
        keys[k] = k;
    *semi = (rk_join){.how = RASK_JOIN_SEMI,
                      .method = RASK_JOIN_BROADCAST,
                      .input = other,
                      .other = join->input,
                      .key_count = join->key_count,
                      .keys = keys,
                      .other_keys = join->keys,
                      .types = join->types};
    return rk_join_table(l->graph, semi, NULL, 0);
}

/* A hint: it is known neither what filters leave nor what text becomes. Never so much that no task could begin. */
static uint64_t held_bytes(const rk_table_lowering *l, uint64_t text)
{
    uint64_t most = l->budget / 4;
    return text > most / INDEX_GROWTH ? most : text * INDEX_GROWTH;
}

/* The other table of a join that stands above several tables one after the other is read once. */
typedef struct rk_join_built {
    struct rk_join_built *next;
    const rk_join_step *step;
    rask_node *nodes[2];
} built;

static bool find_built(const rk_table_lowering *l, const rk_join_step *step, rask_node **nodes)
{
    for (const built *b = *l->built; b; b = b->next)
        if (b->step->join == step->join && b->step->payload_count == step->payload_count &&
            memcmp(b->step->payload, step->payload, step->payload_count * sizeof *step->payload) == 0) {
            memcpy(nodes, b->nodes, sizeof b->nodes);
            return true;
        }
    return false;
}

/* The step lives as long as the graph, as all that a lowering makes. */
static int keep_built(const rk_table_lowering *l, const rk_join_step *step, rask_node *const *nodes)
{
    built *b = memory(l, sizeof *b);
    if (!b)
        return RASK_ENOMEM;
    *b = (built){.next = *l->built, .step = step, .nodes = {nodes[0], nodes[1]}};
    *l->built = b;
    return l->graph->status;
}

/* The index of the other table goes to nodes[0], its rows to nodes[1]. */
static int lower_other(const rk_table_lowering *l, const rk_join_step *step, rask_node **nodes)
{
    if (find_built(l, step, nodes))
        return RASK_OK;
    rk_nodes chunks = {0};
    rask_table *other = pick_other(l, step->join, step->payload, step->payload_count);
    other = other ? leave_out(l, step->join, other) : NULL;
    int status = other ? rk_lower_rows(l, other, &chunks) : RASK_ENOMEM;
    if (status)
        return status;
    uint64_t bytes = other->bytes == RK_BYTES_UNKNOWN ? 0 : held_bytes(l, other->bytes);
    rask_node *chunk = rk_merge_chunks(l->graph, chunks.nodes, chunks.count, bytes / 2);
    nodes[0] = lower_index(l, step->join, chunk, bytes / 2);
    nodes[1] = step->payload_count ? chunk : nodes[0];
    return keep_built(l, step, nodes);
}

int rk_join_lower_others(const rk_table_lowering *l, rk_scan_job *job)
{
    const rk_pipeline *p = &job->pipeline;
    int status = RASK_OK;
    job->others = memory(l, (2 * (size_t)p->join_count + 1) * sizeof *job->others);
    for (uint32_t i = 0; job->others && i < p->step_count && !status; i++)
        if (p->steps[i].join)
            status = lower_other(l, p->steps[i].join, job->others + 2 * (size_t)p->steps[i].join->number);
    return job->others ? status : RASK_ENOMEM;
}

/* -- Large tables: columns */

/* A join being divided into parts. */
typedef struct parting {
    const rk_table_lowering *l;
    const rk_join *join;
    rask_table *table;
    const uint32_t *wanted;
    uint32_t wanted_count;
    uint32_t parts;
    bool positions;           /* blocks have the positions of their rows behind their columns */
    rask_table *left, *right; /* of the columns that are needed; the right one's keys come first */
    uint32_t *left_keys;      /* columns of left */
    uint32_t *
        outputs; /* the wanted columns, of left and, behind these and positions, of right; then the position */
    rk_nodes lefts, rights; /* chunks, block by block, of each part by part */
    rk_join_by by;
    rask_table *joined;             /* what is made of a block and a part */
    const rk_table_sink_plan *sink; /* where it goes */
    uint32_t values;                /* that such a sink ends with */
    uint32_t before;                /* pieces whose rows come before these */
} parting;

/* Columns of the input that are keys or wanted, and of the other table its keys and what is wanted. */
static int narrow(parting *p)
{
    const rk_join *join = p->join;
    uint32_t columns = p->table->input->schema.count, left_count = 0, right_count = 0;
    uint32_t *pick = memory(p->l, (p->wanted_count + (size_t)join->key_count) * sizeof *pick);
    uint32_t *payload = memory(p->l, (p->wanted_count + (size_t)1) * sizeof *payload);
    p->outputs = memory(p->l, (p->wanted_count + (size_t)1) * sizeof *p->outputs);
    p->left_keys = memory(p->l, join->key_count * sizeof *p->left_keys);
    if (!pick || !payload || !p->outputs || !p->left_keys)
        return RASK_ENOMEM;
    for (uint32_t k = 0; k < join->key_count; k++)
        p->left_keys[k] = rk_pick_add(pick, &left_count, join->keys[k]);
    for (uint32_t i = 0; i < p->wanted_count; i++)
        p->outputs[i] = p->wanted[i] < columns ? rk_pick_add(pick, &left_count, p->wanted[i]) : UINT32_MAX;
    for (uint32_t i = 0; i < p->wanted_count; i++)
        if (p->outputs[i] == UINT32_MAX) {
            payload[right_count] = join->payload[p->wanted[i] - columns];
            p->outputs[i] = left_count + p->positions + right_count++;
        }
    p->outputs[p->wanted_count] = left_count;
    p->left = rk_table_pick(p->l->graph, p->table->input, pick, left_count, NULL, 0);
    p->right = pick_other(p->l, join, payload, right_count);
    p->right = p->right ? leave_out(p->l, join, p->right) : NULL;
    return p->left && p->right ? RASK_OK : RASK_ENOMEM;
}

/* -- Parts */

static uint32_t part_count(const rk_table_lowering *l, uint64_t text)
{
    uint64_t room = l->budget / (8 * (uint64_t)l->workers);
    room = room < PART_ROOM ? room : PART_ROOM;
    uint64_t parts = text / (room / INDEX_GROWTH + 1) + LEAST_PARTS;
    return parts < MOST_PARTS ? (uint32_t)parts : MOST_PARTS;
}

static int divide(const parting *p, rask_table *table, const uint32_t *keys, bool positions, rk_nodes *out)
{
    rk_table_sink_plan sink = {.kind = RK_SINK_PARTS,
                               .schema = &table->schema,
                               .parts = p->parts,
                               .by = p->by,
                               .hashed = keys,
                               .positions = positions};
    return rk_lower_stage(p->l, table, &sink, out);
}

/* The columns of a block of the left table, and where its rows stood. */
static rask_table *left_block(const parting *p)
{
    const rk_schema *s = &p->left->schema;
    rask_table *block = rk_table_new(p->l->graph, RK_TABLE_CHUNKS, NULL, s->count + p->positions, NULL, 0);
    if (!block)
        return NULL;
    memcpy(block->schema.names, s->names, s->count * sizeof *s->names);
    memcpy(block->schema.types, s->types, s->count * sizeof *s->types);
    if (p->positions) {
        block->schema.names[s->count] = "";
        block->schema.types[s->count] = RASK_COL_I64;
    }
    return block;
}

/* What comes of a block and a part: the columns of the block, and those of the right table that are needed. */
static rask_table *joined_block(const parting *p)
{
    rask_table *block = left_block(p);
    uint32_t count = p->right->schema.count - p->join->key_count;
    rk_join *join = memory(p->l, sizeof *join);
    uint32_t *numbers = memory(p->l, (p->join->key_count + (size_t)count + 1) * sizeof *numbers);
    if (!block || !join || !numbers)
        return NULL;
    *join = *p->join;
    join->method = RASK_JOIN_BROADCAST;
    join->input = block;
    join->other = p->right;
    join->keys = p->left_keys;
    join->other_keys = numbers;
    join->payload = numbers + join->key_count;
    join->payload_count = count;
    for (uint32_t i = 0; i < join->key_count + count; i++)
        numbers[i] = i;
    return rk_join_table(p->l->graph, join, NULL, 0);
}

/* Of it the wanted columns, and the position. */
static rask_table *wanted_block(const parting *p)
{
    rask_table *joined = joined_block(p);
    return joined ? rk_table_pick(p->l->graph, joined, p->outputs, p->wanted_count + 1, NULL, 0) : NULL;
}

/* The same with all columns that the join has, of which those that are not wanted may be any. */
static rask_table *like_the_join(const parting *p)
{
    const rk_schema *s = &p->table->schema;
    rask_table *joined = joined_block(p);
    uint32_t *pick = memory(p->l, (s->count + (size_t)1) * sizeof *pick);
    if (!joined || !pick)
        return NULL;
    memset(pick, 0, s->count * sizeof *pick);
    for (uint32_t i = 0; i < p->wanted_count; i++)
        pick[p->wanted[i]] = p->outputs[i];
    rask_table *table = rk_table_pick(p->l->graph, joined, pick, s->count, NULL, 0);
    if (!table)
        return NULL;
    memcpy(table->schema.names, s->names, s->count * sizeof *s->names);
    memcpy(table->schema.types, s->types, s->count * sizeof *s->types);
    return table;
}

/* A table as it stands above source, above another with its columns. */
static rask_table *above(const parting *p, const rask_table *table, const rask_table *source,
                         rask_table *other)
{
    rask_table *top = other, **place = &top;
    for (; table != source; table = table->input) {
        rask_table *copy = memory(p->l, sizeof *copy);
        if (!copy)
            return NULL;
        *copy = *table;
        copy->input = other;
        *place = copy;
        place = &copy->input;
    }
    return top;
}

/* Nodes of a part out of those of all blocks, to of_part, which has room for them; values: nodes of a block and a part, of
 * which the first is taken. */
static uint32_t nodes_of_part(const parting *p, const rk_nodes *nodes, uint32_t values, uint32_t part,
                              rask_node **of_part)
{
    uint32_t blocks = nodes->count / (p->parts * values);
    for (uint32_t i = 0; i < blocks; i++)
        of_part[i] = nodes->nodes[((size_t)i * p->parts + part) * values];
    return blocks;
}

/* A part begins when one before it has ended, so that no more of them are in memory than workers have use for. */
static void wait_for_part(const parting *p, uint32_t part, const rk_nodes *joined, rask_node **room,
                          rask_node *node)
{
    if (part < p->l->workers)
        return;
    uint32_t blocks = nodes_of_part(p, joined, p->values, part - p->l->workers, room);
    rask_after_at(node, room, blocks, NULL, 0);
}

/* The rows and the index of a part of the right table, where the job of this part looks for them. */
static int lower_part(const parting *p, uint32_t part, const rk_nodes *joined, rk_scan_job *job)
{
    uint32_t blocks = p->rights.count / p->parts, most_blocks = p->lefts.count / p->parts;
    most_blocks = blocks > most_blocks ? blocks : most_blocks;
    rask_node **room = rk_alloc_array(most_blocks + (size_t)1, sizeof *room);
    job->others = memory(p->l, 2 * sizeof *job->others);
    if (!room || !job->others) {
        rk_free(room);
        return fail_memory(p->l);
    }
    uint64_t bytes = p->rights.bytes * blocks, most = p->l->budget / 8;
    bytes = bytes < most ? bytes : most;
    nodes_of_part(p, &p->rights, 1, part, room);
    rask_node *chunk = rk_merge_chunks(p->l->graph, room, blocks, bytes);
    job->others[0] = lower_index(p->l, p->join, chunk, bytes);
    job->others[1] = p->right->schema.count > p->join->key_count ? chunk : job->others[0];
    wait_for_part(p, part, joined, room, blocks > 1 ? chunk : job->others[0]);
    rk_free(room);
    return p->l->graph->status;
}

/* Of each block what comes of part number part, to nodes (block * parts + part) * values and those behind it. */
static int join_part(const parting *p, uint32_t part, const rk_nodes *out)
{
    rk_scan_job *job = rk_lower_job(p->l, p->joined, p->sink);
    uint32_t blocks = p->lefts.count / p->parts;
    int status = job ? lower_part(p, part, out, job) : RASK_ENOMEM;
    for (uint32_t i = 0; i < blocks && !status; i++) {
        uint32_t at = i * p->parts + part;
        job->before = p->before;
        status = rk_stage_lower(p->l->graph, job, at, p->lefts.nodes[at], out->bytes * p->values,
                                out->nodes + (size_t)at * p->values);
    }
    return status;
}

/* What the parts of each block come to, in the order of its rows. */
static int put_in_order(const parting *p, const rask_table *joined, rask_node *const *nodes, rk_nodes *out)
{
    rk_order *order = memory(p->l, sizeof *order);
    const rk_table_sink_plan plan = {.schema = &joined->schema, .keys = order, .key_count = 1, .dropped = 1};
    const rk_table_sink_plan *kept = order ? rk_merge_keep(p->l->graph, &plan) : NULL;
    assert(p->parts);
    if (!kept)
        return RASK_ENOMEM;
    *order = (rk_order){.column = p->wanted_count};
    out->count = p->lefts.count / p->parts;
    out->bytes = 2 * p->lefts.bytes * p->parts;
    out->nodes = memory(p->l, (out->count + (size_t)1) * sizeof *out->nodes);
    for (uint32_t i = 0; out->nodes && i < out->count; i++)
        out->nodes[i] = rk_merge_sort(p->l->graph, kept, nodes + (size_t)i * p->parts, p->parts, out->bytes);
    return p->l->graph->status;
}

/* The rows of both tables go to parts. */
static int divide_both(parting *p)
{
    uint32_t *first = memory(p->l, p->join->key_count * sizeof *first);
    if (!first)
        return RASK_ENOMEM;
    for (uint32_t k = 0; k < p->join->key_count; k++)
        first[k] = k;
    int status = divide(p, p->left, p->left_keys, p->positions, &p->lefts);
    return status ? status : divide(p, p->right, first, false, &p->rights);
}

/* p->joined and p->sink are set. bytes: of what comes of a block and a part; 0: little. */
static int join_parts(parting *p, uint64_t bytes, rk_nodes *out)
{
    p->values = rk_table_sink_values(p->sink);
    *out = (rk_nodes){.count = p->lefts.count * p->values, .bytes = bytes / p->values};
    out->nodes = memory(p->l, (out->count + (size_t)1) * sizeof *out->nodes);
    int status = p->joined && out->nodes ? RASK_OK : RASK_ENOMEM;
    for (uint32_t part = 0; part < p->parts && !status; part++)
        status = join_part(p, part, out);
    return status;
}

static int begin(parting *p, const rk_table_lowering *l, rask_table *table, const uint32_t *wanted,
                 uint32_t wanted_count, bool positions)
{
    const rk_join *join = table->as.join;
    *p = (parting){.l = l,
                   .join = join,
                   .table = table,
                   .wanted = wanted,
                   .wanted_count = wanted_count,
                   .positions = positions,
                   .by = {join->types, join->key_count, l->seed}};
    int status = narrow(p);
    if (status)
        return status;
    p->parts = part_count(l, p->right->bytes == RK_BYTES_UNKNOWN ? RK_BYTES_GUESS : p->right->bytes);
    return divide_both(p);
}

int rk_join_lower(const rk_table_lowering *l, rask_table *table, const uint32_t *wanted,
                  uint32_t wanted_count, bool ordered, rk_nodes *out)
{
    parting p;
    rk_nodes joined;
    int status = begin(&p, l, table, wanted, wanted_count, true);
    if (status)
        return status;
    p.joined = wanted_block(&p);
    if (!p.joined)
        return RASK_ENOMEM;
    const rk_table_sink_plan sink = {.kind = RK_SINK_CHUNK, .schema = &p.joined->schema, .limit = UINT64_MAX};
    p.sink = &sink;
    status = join_parts(&p, 2 * p.lefts.bytes, ordered ? &joined : out);
    return status || !ordered ? status : put_in_order(&p, p.joined, joined.nodes, out);
}

int rk_join_lower_into(const rk_table_lowering *l, const rask_table *table, rk_scan_job *job, bool keeps_rows,
                       rk_nodes *out)
{
    parting p;
    const rk_pipeline *pipeline = &job->pipeline;
    assert(!pipeline->join_count && !rk_table_sink_is_ordered(&job->sink));
    int status = begin(&p, l, pipeline->source, pipeline->wanted, pipeline->wanted_count, false);
    if (status)
        return status;
    p.joined = like_the_join(&p);
    p.joined = p.joined ? above(&p, table, pipeline->source, p.joined) : NULL;
    p.sink = &job->sink;
    p.before = job->before;
    job->part_count = p.lefts.count;
    return join_parts(&p, keeps_rows ? 2 * p.lefts.bytes : 0, out);
}
