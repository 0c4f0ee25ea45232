/* Records of numbers that another room makes, block by block: a row is a record. */
#include "collections/bag/lower.h"
#include "collections/bag/made.h"
#include "collections/bag/recipe.h"
#include "collections/bag/task.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

enum { NUMBERS = 1 << 20 }; /* of a block, at most */

rask_bag *rk_bag_fed_new(rask_graph *graph, const rk_bag_feed *feed, const rk_shape *shape,
                         const rk_bag_site *site)
{
    rask_bag *bag = rk_bag_new(graph, RK_BAG_FED, NULL, 0, shape, site);
    if (!bag)
        return NULL;
    bag->as.feed = rk_bag_keep(graph, feed, sizeof *feed, site);
    uint64_t row = shape->count * sizeof(int64_t);
    bag->bytes = feed->rows < UINT64_MAX / row ? feed->rows * row : UINT64_MAX;
    return bag->as.feed ? rk_bag_note(bag, &(rk_builder_call){.builder = RK_BAG_MADE_FED,
                                                              .texts = {shape->types},
                                                              .numbers = {feed->rows}})
                        : NULL;
}

/* -- The task (block, number of its first row): a chunk */

/* The first row of a block of uint64 with a number that is no int64; the number of rows: none. */
static uint64_t find_too_large(const rask_block *block, uint64_t rows, uint32_t fields)
{
    const int64_t *numbers = block->data;
    for (uint64_t i = 0; block->dtype == RASK_DT_U64 && i < rows * fields; i++) {
        if (numbers[i] < 0)
            return i / fields;
    }
    return rows;
}

/* The numbers of a field, which all have 8 bytes. */
static int fill(rk_bag_builder *builder, const rask_block *block, uint32_t field)
{
    uint32_t fields = builder->shape.count;
    const int64_t *from = block->data;
    rk_array *data = &builder->columns[field].data;
    int status = rk_array_reserve(data, builder->count * sizeof *from);
    int64_t *to = data->data;
    for (uint64_t i = 0; i < builder->count && !status; i++)
        to[i] = from[i * fields + field];
    data->count = status ? 0 : builder->count * sizeof *from;
    return status;
}

static int return_records(rask_task *task, const rask_block *block, const rk_shape *shape, uint64_t rows)
{
    rk_bag_builder builder;
    rask_value value;
    int status = RASK_OK;
    rk_bag_builder_init(&builder, shape);
    builder.count = rows;
    for (uint32_t i = 0; i < shape->count && !status; i++)
        status = fill(&builder, block, i);
    if (!status)
        status = rk_bag_builder_value(&builder, &value);
    rk_bag_builder_fini(&builder);
    return status ? rk_bag_task_fail(task, status, "") : rask_return_value(task, value);
}

/* (shape, block, number of the first row) */
static int run_records(rask_task *task)
{
    const rk_shape *shape = rk_shared_arg(task, 0, &rk_bag_shared_class);
    rask_block block;
    if (!shape || rask_arg_block(task, 1, &block))
        return RASK_ETYPE;
    uint64_t rows = (uint64_t)block.shape[0], bad = find_too_large(&block, rows, shape->count);
    uint64_t record = (uint64_t)rask_arg_i64(task, 2) + bad + 1;
    if (bad < rows)
        return rk_task_fail(task, RASK_ERANGE, "record %llu: a uint64 of 2^63 or more is no int64",
                            (unsigned long long)record);
    return return_records(task, &block, shape, rows);
}

static const rask_task_def records_def = {.size = sizeof records_def, .name = "records", .call = run_records};

/* -- Lowering */

int rk_bag_lower_fed(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out)
{
    const rk_bag_feed *feed = bag->as.feed;
    uint64_t row = bag->shape.count * sizeof(int64_t), most = l->budget / 64 / row;
    uint64_t some = NUMBERS / bag->shape.count < most ? NUMBERS / bag->shape.count : most;
    uint64_t least = feed->rows / RK_MAX_BAG_PARTS + 1;
    some = some > least ? some : least;
    uint32_t parts = feed->rows ? (uint32_t)((feed->rows - 1) / some + 1) : 1;
    void *begun = feed->begin(feed->what, l);
    int status = begun ? rk_bag_nodes_new(l, parts, some * row, out) : l->graph->status;
    for (uint32_t i = 0; i < parts && !status; i++) {
        uint64_t first = i * some, rows = feed->rows - first < some ? feed->rows - first : some;
        rask_arg args[2] = {{.kind = RASK_ARG_NODE}, {.kind = RASK_ARG_I64, .as.i64 = (int64_t)first}};
        args[0].as.node = feed->node(begun, first, rows);
        out->nodes[i] = rk_bag_call(l->graph, &records_def, &bag->shape, args, 2, 2 * rows * row, rows * row);
        status = l->graph->status;
    }
    feed->end(begun);
    return status;
}
