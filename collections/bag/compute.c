#include "collections/bag/compute.h"

#include "collections/bag/recipe.h"
#include "collections/bag/records.h"
#include "collections/bag/task.h"
#include "core/base/alloc.h"
#include "core/plan/plan.h"
#include "core/task/task.h"

/* -- Runs */

int rk_bag_begin(rk_bag_computation *c, rask_bag *bag, const rask_options *options)
{
    int status = rk_own_run_begin(&c->run, bag ? bag->graph : NULL, options);
    c->lowering = (rk_bag_lowering){.graph = c->run.own,
                                    .budget = c->run.options.memory,
                                    .workers = c->run.options.workers,
                                    .seed = rk_draw_seed(c->run.options.seed, c->run.options.checkpoint)};
    return status;
}

/* -- Records */

static int lower_chunks(const rk_bag_computation *c, rask_bag *bag, rk_bag_nodes *chunks)
{
    rk_recipe *recipe = rk_bag_recipe_begin(&c->lowering, bag, RK_BAG_AS_CHUNKS, NULL);
    int status = rk_bag_lower(&c->lowering, bag, chunks);
    rk_recipe_end(recipe);
    return status;
}

static int compute_chunks(rk_bag_computation *c, const rk_shape *shape, const rk_bag_nodes *chunks,
                          rask_records **out)
{
    rask_value *values = rk_calloc((size_t)chunks->count + 1, sizeof *values);
    if (!values)
        return RASK_ENOMEM;
    int status = rk_own_run_nodes(&c->run, chunks->nodes, chunks->count, values);
    if (!status && !(*out = rk_bag_records_new(shape, values, chunks->count)))
        status = RASK_ENOMEM;
    for (uint32_t i = 0; i < chunks->count; i++)
        rask_value_unref(&values[i]);
    rk_free(values);
    return status;
}

int rask_bag_compute(rask_bag *bag, const rask_options *options, rask_records **out)
{
    rk_bag_computation c;
    rk_bag_nodes chunks;
    rask_records *records = NULL;
    int status = out ? rk_bag_begin(&c, bag, options) : RASK_EINVAL;
    if (!out)
        return status;
    if (!status)
        status = lower_chunks(&c, bag, &chunks);
    if (!status)
        status = compute_chunks(&c, &bag->shape, &chunks, &records);
    status = rk_own_run_end(&c.run, status);
    if (!status)
        *out = records;
    return status;
}

/* -- Nodes: (bag, chunk …) */

static int item_value(const rask_item *item, rask_value *out)
{
    switch (item->type) {
    case 'n': *out = rask_value_none(); return RASK_OK;
    case 'i': *out = rask_value_i64(item->as.i64); return RASK_OK;
    case 'd': *out = rask_value_f64(item->as.f64); return RASK_OK;
    default: return rask_value_bytes_new(item->as.bytes.data, item->as.bytes.len, out);
    }
}

static void unref_all(rask_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rask_value_unref(&values[i]);
}

static int record_value(const rask_record *record, rask_value *out)
{
    rask_value items[RASK_MAX_FIELDS];
    uint32_t made = 0;
    int status = RASK_OK;
    if (record->count == 1)
        return item_value(&record->items[0], out);
    for (; made < record->count && !status; made += !status)
        status = item_value(&record->items[made], &items[made]);
    if (!status)
        status = rask_value_list_new(items, made, out);
    unref_all(items, made);
    return status;
}

/* All records of the chunks as values, of which there is room for enough. */
static int list_values(rask_task *task, rk_array *values)
{
    int status = RASK_OK;
    for (size_t i = 1; i < rask_arg_count(task) && !status; i++) {
        rk_bag_chunk chunk;
        rk_bag_chunk_open(&chunk, rask_arg_bytes(task, i));
        status = rk_array_reserve(values, chunk.count);
        for (uint64_t k = 0; k < chunk.count && !status; k++) {
            rask_record record;
            rk_bag_chunk_get(&chunk, k, &record);
            status = record_value(&record, (rask_value *)values->data + values->count);
            values->count += !status;
        }
    }
    return status;
}

static int run_values(rask_task *task)
{
    const rask_bag *bag = rk_shared_arg(task, 0, &rk_bag_shared_class);
    rk_array values = RK_ARRAY(rask_value, SIZE_MAX / 32);
    if (!bag)
        return RASK_ETYPE;
    int status = list_values(task, &values);
    if (status)
        rk_bag_task_fail(task, status, "");
    else if (bag->single && values.count == 1)
        status = rask_return_value(task, rask_value_ref(values.data));
    else
        status = rask_return_list(task, values.data, values.count);
    unref_all(values.data, values.count);
    rk_array_fini(&values);
    return status;
}

static const rask_task_def values_def = {.size = sizeof values_def, .name = "bag", .call = run_values};

rask_node *rk_bag_lower_value(const rk_bag_lowering *l, rask_bag *bag)
{
    rk_bag_nodes chunks;
    if (rk_bag_lower(l, bag, &chunks))
        return NULL;
    return rk_bag_call_nodes(l->graph, &values_def, bag, chunks.nodes, chunks.count, 0, 0);
}

rask_node *rask_bag_node_at(rask_bag *bag, const rask_options *options, const char *file, int line)
{
    rask_options effective;
    if (!bag || bag->graph->status)
        return NULL;
    int status = rask_options_effective(options, &effective);
    if (status)
        return rk_graph_fail(bag->graph, status, file, line, "rask_bag_node: %s", rask_status_text(status));
    const rk_bag_lowering l = {.graph = bag->graph,
                               .budget = effective.memory,
                               .seed = rk_draw_seed(effective.seed, effective.checkpoint),
                               .workers = effective.workers};
    rk_recipe *recipe = rk_bag_recipe_begin(&l, bag, RK_BAG_AS_VALUE, NULL);
    rask_node *node = rk_bag_lower_value(&l, bag);
    rk_recipe_end(recipe);
    if (!node && !bag->graph->status)
        rk_graph_fail(bag->graph, RASK_ENOMEM, file, line, "rask_bag_node: out of memory");
    return node;
}

/* -- One number */

/* The only item of the only record. */
static int single_value(rk_bag_computation *c, const rask_records *records, rask_value *value)
{
    rask_record record;
    if (records->count == 1 && records->shape.count == 1) {
        rask_records_get(records, 0, &record);
        return item_value(&record.items[0], value);
    }
    return rk_graph_report(c->run.user, RASK_ETYPE,
                           "compute: a bag of %llu records \"%s\" is no single value",
                           (unsigned long long)records->count, records->shape.types);
}

int rask_bag_compute_out(rask_bag *bag, const rask_options *options, rask_out_kind kind, void *out)
{
    rk_bag_computation c;
    rk_bag_nodes chunks;
    rask_records *records = NULL;
    rask_value value = rask_value_none();
    if (!out)
        return RASK_EINVAL;
    int status = rk_bag_begin(&c, bag, options);
    if (!status)
        status = lower_chunks(&c, bag, &chunks);
    if (!status)
        status = compute_chunks(&c, &bag->shape, &chunks, &records);
    if (!status)
        status = single_value(&c, records, &value);
    if (!status && (status = rk_out_put(&value, kind, out)))
        rk_graph_report(c.run.user, status, "compute: the result is %s", rask_type_name(value.type));
    rask_value_unref(&value);
    rask_records_free(records);
    return rk_own_run_end(&c.run, status);
}
