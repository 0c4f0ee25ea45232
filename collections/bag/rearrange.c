/* Lowering of what keeps records as they are: take, zip, repartition. */
#include "collections/bag/keyed.h"
#include "collections/bag/lower.h"
#include "collections/bag/recipe.h"
#include "collections/bag/task.h"
#include "core/base/alloc.h"

#include <string.h>

/* -- What its tasks share */

/* Ends the builder: it is the task's result, unless status is a failure. */
static int return_builder(rask_task *task, rk_bag_builder *builder, int status)
{
    rask_value value;
    if (!status)
        status = rk_bag_builder_value(builder, &value);
    rk_bag_builder_fini(builder);
    return status ? rk_bag_task_fail(task, status, "") : rask_return_value(task, value);
}

static int copy(rk_bag_builder *to, const rk_bag_chunk *from, uint64_t begin, uint64_t end)
{
    int status = RASK_OK;
    for (uint64_t i = begin; i < end && !status; i++) {
        rask_record record;
        rk_bag_chunk_get(from, i, &record);
        status = rk_bag_builder_add(to, &record);
    }
    return status;
}

/* -- Take and put together: (bag, chunk …): their first records, as many as a limit says */

static int run_first(rask_task *task)
{
    const rask_bag *bag = rk_shared_arg(task, 0, &rk_bag_shared_class);
    rk_bag_builder builder;
    int status = RASK_OK;
    if (!bag)
        return RASK_ETYPE;
    uint64_t limit = bag->kind == RK_BAG_TAKE ? bag->as.limit : UINT64_MAX;
    rk_bag_builder_init(&builder, &bag->shape);
    for (size_t i = 1; i < rask_arg_count(task) && !status && builder.count < limit; i++) {
        rk_bag_chunk chunk;
        rk_bag_chunk_open(&chunk, rask_arg_bytes(task, i));
        uint64_t left = limit - builder.count;
        status = copy(&builder, &chunk, 0, chunk.count < left ? chunk.count : left);
    }
    return return_builder(task, &builder, status);
}

static const rask_task_def first_def = {.size = sizeof first_def, .name = "in order", .call = run_first};

static rask_node *lower_first(const rk_bag_lowering *l, const rask_bag *bag, rask_node *const *nodes,
                              uint32_t count, uint64_t bytes)
{
    uint64_t most = l->budget / 8, result = bytes * count < most ? bytes * count : most;
    return rk_bag_call_nodes(l->graph, &first_def, bag, nodes, count, 2 * result, result);
}

/* NOLINTBEGIN(misc-no-recursion): as deep as operations that are no steps stand one above the other, RK_BAG_DEPTH */

int rk_bag_lower_take(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out)
{
    rask_bag *input = bag->inputs[0];
    const rk_bag_sink_plan sink = {.kind = RK_BAG_SINK_CHUNK, .shape = bag->shape, .limit = bag->as.limit};
    rk_bag_nodes some;
    if (rk_bag_lower_first(l, input, bag->as.limit, out))
        return l->graph->status;
    int status = rk_bag_lower_stage(l, input, &sink, &some);
    if (status || (status = rk_bag_nodes_new(l, 1, some.bytes, out)))
        return status;
    rask_node *taken = some.nodes[0];
    for (uint32_t i = 1; i < some.count && !l->graph->status; i++)
        taken = lower_first(l, bag, (rask_node *const[]){taken, some.nodes[i]}, 2, some.bytes);
    out->nodes[0] = taken;
    return l->graph->status;
}

/* -- Repartition */

/* (bag, chunk, pieces): as many chunks, with about as many records each */
static int run_cut(rask_task *task)
{
    const rask_bag *bag = rk_shared_arg(task, 0, &rk_bag_shared_class);
    uint32_t pieces = (uint32_t)rask_arg_i64(task, 2), made = 0;
    rask_value *values = rk_calloc((size_t)pieces + 1, sizeof *values);
    rk_bag_chunk chunk;
    int status = bag && values ? RASK_OK : RASK_ENOMEM;
    if (!status)
        rk_bag_chunk_open(&chunk, rask_arg_bytes(task, 1));
    for (; made < pieces && !status; made += !status) {
        rk_bag_builder builder;
        rk_bag_builder_init(&builder, &bag->shape);
        status = copy(&builder, &chunk, (uint64_t)((unsigned __int128)chunk.count * made / pieces),
                      (uint64_t)((unsigned __int128)chunk.count * (made + 1) / pieces));
        if (!status)
            status = rk_bag_builder_value(&builder, &values[made]);
        rk_bag_builder_fini(&builder);
    }
    for (uint32_t i = 0; status && i < made; i++)
        rask_value_unref(&values[i]);
    status = status ? rk_bag_task_fail(task, status, "") : rk_bag_return(task, values, pieces);
    rk_free(values);
    return status;
}

static const rask_task_def cut_def = {.size = sizeof cut_def, .name = "cut", .call = run_cut};

static int lower_cuts(const rk_bag_lowering *l, const rask_bag *bag, const rk_bag_nodes *in, uint32_t pieces,
                      rk_bag_nodes *out)
{
    int status = rk_bag_nodes_new(l, in->count * pieces, in->bytes / pieces, out);
    for (uint32_t i = 0; i < in->count && !status; i++) {
        const rask_arg args[] = {{.kind = RASK_ARG_NODE, .as.node = in->nodes[i]},
                                 {.kind = RASK_ARG_I64, .as.i64 = pieces}};
        rask_node *node = rk_bag_call(l->graph, &cut_def, bag, args, 2, in->bytes, in->bytes);
        status = rk_bag_split(l->graph, node, pieces, in->bytes, out->nodes + (size_t)i * pieces);
    }
    return status;
}

int rk_bag_lower_repartition(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out)
{
    rk_bag_nodes in;
    uint32_t parts = bag->as.parts;
    int status = rk_bag_lower(l, bag->inputs[0], &in);
    if (status)
        return status;
    if (parts >= in.count)
        return lower_cuts(l, bag, &in, (parts - 1) / in.count + 1, out);
    status = rk_bag_nodes_new(l, parts, in.bytes * (in.count / parts + 1), out);
    for (uint32_t i = 0; i < parts && !status; i++) {
        uint32_t begin = (uint32_t)((uint64_t)in.count * i / parts),
                 end = (uint32_t)((uint64_t)in.count * (i + 1) / parts);
        out->nodes[i] = lower_first(l, bag, in.nodes + begin, end - begin, in.bytes);
        status = l->graph->status;
    }
    return status;
}

/* -- Zip
 *
 * Nobody knows before how many records chunks have. So one task after the other takes a chunk of either side, zips what there
 * is of both, and leaves the rest to the next one. */

/* What is left of a side, then a chunk more. */
typedef struct zip_side {
    rk_bag_chunk chunks[2];
    uint64_t count;
} zip_side;

static void open_side(zip_side *side, rask_bytes rest, rask_bytes more)
{
    *side = (zip_side){0};
    if (rest.len)
        rk_bag_chunk_open(&side->chunks[0], rest);
    if (more.len)
        rk_bag_chunk_open(&side->chunks[1], more);
    side->count = side->chunks[0].count + side->chunks[1].count;
}

static void get_side(const zip_side *side, uint64_t index, rask_record *out)
{
    bool first = index < side->chunks[0].count;
    rk_bag_chunk_get(&side->chunks[!first], first ? index : index - side->chunks[0].count, out);
}

static int zip(const zip_side *sides, uint64_t count, rk_bag_builder *to)
{
    int status = RASK_OK;
    for (uint64_t i = 0; i < count && !status; i++) {
        rask_record record, right;
        get_side(&sides[0], i, &record);
        get_side(&sides[1], i, &right);
        memcpy(record.items + record.count, right.items, right.count * sizeof *right.items);
        record.count += right.count;
        status = rk_bag_builder_add(to, &record);
    }
    return status;
}

static int keep_rest(const zip_side *side, uint64_t from, const rk_shape *shape, rask_value *value)
{
    rk_bag_builder rest;
    int status = RASK_OK;
    rk_bag_builder_init(&rest, shape);
    for (uint64_t i = from; i < side->count && !status; i++) {
        rask_record record;
        get_side(side, i, &record);
        status = rk_bag_builder_add(&rest, &record);
    }
    if (!status)
        status = rk_bag_builder_value(&rest, value);
    rk_bag_builder_fini(&rest);
    return status;
}

/* (bag, rest of the left side, of the right one, a chunk of the left, of the right); empty bytes where there is none. What was
 * zipped, and both rests. */
static int run_zip(rask_task *task)
{
    const rask_bag *bag = rk_shared_arg(task, 0, &rk_bag_shared_class);
    zip_side sides[2];
    rask_value values[3];
    rk_bag_builder builder;
    uint32_t made = 0;
    if (!bag)
        return RASK_ETYPE;
    for (uint32_t i = 0; i < 2; i++)
        open_side(&sides[i], rask_arg_bytes(task, 1 + i), rask_arg_bytes(task, 3 + i));
    uint64_t count = sides[0].count < sides[1].count ? sides[0].count : sides[1].count;
    rk_bag_builder_init(&builder, &bag->shape);
    int status = zip(sides, count, &builder);
    if (!status)
        status = rk_bag_builder_value(&builder, &values[made]);
    rk_bag_builder_fini(&builder);
    for (made += !status; made && made < 3 && !status; made += !status)
        status = keep_rest(&sides[made - 1], count, &bag->inputs[made - 1]->shape, &values[made]);
    for (uint32_t i = 0; status && i < made; i++)
        rask_value_unref(&values[i]);
    return status ? rk_bag_task_fail(task, status, "") : rk_bag_return(task, values, 3);
}

static const rask_task_def zip_def = {.size = sizeof zip_def, .name = "zip", .call = run_zip};

static rask_arg chunk_or_none(const rk_bag_nodes *nodes, uint32_t index)
{
    return index < nodes->count ? (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes->nodes[index]}
                                : (rask_arg){.kind = RASK_ARG_STR, .as.str = ""};
}

int rk_bag_lower_zip(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out)
{
    const rask_arg none = {.kind = RASK_ARG_STR, .as.str = ""};
    rask_arg args[4] = {none, none};
    rk_bag_nodes sides[2];
    int status = rk_bag_lower(l, bag->inputs[0], &sides[0]);
    if (!status)
        status = rk_bag_lower(l, bag->inputs[1], &sides[1]);
    if (status)
        return status;
    uint32_t count = sides[0].count > sides[1].count ? sides[0].count : sides[1].count;
    uint64_t bytes = 2 * (sides[0].bytes + sides[1].bytes);
    status = rk_bag_nodes_new(l, count, bytes / 2, out);
    for (uint32_t i = 0; i < count && !status; i++) {
        args[2] = chunk_or_none(&sides[0], i);
        args[3] = chunk_or_none(&sides[1], i);
        rask_node *list = rk_bag_call(l->graph, &zip_def, bag, args, 4, bytes, bytes);
        out->nodes[i] = rk_bag_take_item(l->graph, list, 0, bytes / 2);
        for (uint32_t k = 0; k < 2; k++)
            args[k] = (rask_arg){.kind = RASK_ARG_NODE,
                                 .as.node = rk_bag_take_item(l->graph, list, k + 1, bytes / 4)};
        status = l->graph->status;
    }
    return status;
}

/* NOLINTEND(misc-no-recursion) */
