#include "collections/bag/sink.h"

#include "collections/bag/compressor.h"
#include "core/base/alloc.h"

#include <string.h>

static uint32_t builder_count(const rk_bag_sink_plan *plan)
{
    return plan->kind == RK_BAG_SINK_CHUNK ? 1 : plan->kind == RK_BAG_SINK_RANGES ? plan->ranges : 0;
}

int rk_bag_sink_init(rk_bag_sink *sink, const rk_bag_sink_plan *plan)
{
    uint32_t count = builder_count(plan);
    *sink = (rk_bag_sink){.plan = plan, .text = RK_ARRAY(char, SIZE_MAX / 2)};
    sink->builders = count ? rk_calloc(count, sizeof *sink->builders) : NULL;
    for (uint32_t i = 0; sink->builders && i < count; i++)
        rk_bag_builder_init(&sink->builders[i], &plan->shape);
    if (plan->kind == RK_BAG_SINK_STATE)
        return rk_bag_state_init(&sink->state, plan->reduction, plan->seed, sink->message);
    return count && !sink->builders ? RASK_ENOMEM : RASK_OK;
}

void rk_bag_sink_fini(rk_bag_sink *sink)
{
    for (uint32_t i = 0; sink->builders && i < builder_count(sink->plan); i++)
        rk_bag_builder_fini(&sink->builders[i]);
    rk_free(sink->builders);
    rk_array_fini(&sink->text);
    rk_bag_state_fini(&sink->state);
}

int rk_bag_sink_add(rk_bag_sink *sink, const rask_record *record)
{
    const rk_bag_sink_plan *plan = sink->plan;
    sink->taken++;
    switch (plan->kind) {
    case RK_BAG_SINK_CHUNK: return rk_bag_builder_add(sink->builders, record);
    case RK_BAG_SINK_PRINTED: return rk_record_print(record, &sink->text);
    case RK_BAG_SINK_STATE: return plan->reduction->cls->add(&sink->state, record);
    default: break;
    }
    uint64_t hash = plan->ranges > 1 ? rk_record_hash(record, 1, RK_BAG_ORDER_SEED) : 0;
    return rk_bag_builder_add(&sink->builders[rk_bag_range_of(hash, plan->ranges)], record);
}

bool rk_bag_sink_takes_text(const rk_bag_sink_plan *plan)
{
    return plan->kind == RK_BAG_SINK_STATE && plan->reduction->cls->add_text;
}

int rk_bag_sink_add_text(rk_bag_sink *sink, rask_bytes text, bool words)
{
    return sink->plan->reduction->cls->add_text(&sink->state, text, words);
}

/* -- Values */

uint32_t rk_bag_sink_values(const rk_bag_sink_plan *plan)
{
    bool ranges = plan->kind == RK_BAG_SINK_RANGES || plan->kind == RK_BAG_SINK_STATE;
    return ranges ? plan->ranges : 1;
}

static int end_chunks(rk_bag_sink *sink, rask_value *values)
{
    int status = RASK_OK;
    uint32_t made = 0, count = builder_count(sink->plan);
    for (; made < count && !status; made += !status) {
        status = rk_bag_builder_value(&sink->builders[made], &values[made]);
        if (!status)
            rk_bag_builder_fini(&sink->builders[made]);
        if (!status)
            rk_bag_builder_init(&sink->builders[made], &sink->plan->shape);
    }
    for (uint32_t i = 0; status && i < made; i++)
        rask_value_unref(&values[i]);
    return status;
}

static int end_text(rk_bag_sink *sink, rask_value *value)
{
    rask_bytes text = {sink->text.data, sink->text.count};
    if (sink->plan->compressor) /* nothing, too, is something */
        return rk_compressor_run(sink->plan->compressor, text, value, sink->message, sizeof sink->message);
    return rask_value_bytes_new(text.data, text.len, value);
}

int rk_bag_sink_end(rk_bag_sink *sink, rask_value *values)
{
    switch (sink->plan->kind) {
    case RK_BAG_SINK_PRINTED: return end_text(sink, values);
    case RK_BAG_SINK_STATE: return sink->plan->reduction->cls->pack(&sink->state, sink->plan->ranges, values);
    default: return end_chunks(sink, values);
    }
}
