#include "collections/bag/lower.h"

#include "collections/bag/recipe.h"
#include "collections/bag/task.h"
#include "core/base/alloc.h"

#include <string.h>

enum {
    PARTS = 64,             /* of files that are not small */
    LEAST_PART = 2 << 20,   /* bytes */
    MOST_PART = 32 << 20,   /* what comes of them is in a cache, or was a moment ago */
    KEYED = 4,              /* times as large where keys are merged: fewer of them meet again and again */
    TINY_PART = 64 << 10,   /* however small the budget is */
    RECORDS = 1 << 17,      /* of memory, a part */
    NUMBERS = 1 << 20,      /* of a range, a part */
    FAN_IN = 8,             /* states that one task merges */
    RANGE_BYTES = 64 << 20, /* of records whose keys go to one range, where states are merged */
    SORTED_BYTES = 1 << 20, /* the same where records are put in order: in a cache that goes much faster */
    MOST_RANGES = 256,
    LINE = 48,
    WORD = 6,              /* bytes, about */
    FEW_RECORDS = 1 << 16, /* take no memory to speak of */
};

static const rk_bag_site no_site = {"compute", NULL, 0};

static void *memory(const rk_bag_lowering *l, size_t size)
{
    return rk_bag_keep(l->graph, NULL, size, &no_site);
}

int rk_bag_nodes_new(const rk_bag_lowering *l, uint32_t count, uint64_t bytes, rk_bag_nodes *out)
{
    *out = (rk_bag_nodes){
        .nodes = memory(l, ((size_t)count + 1) * sizeof *out->nodes), .count = count, .bytes = bytes};
    return out->nodes ? RASK_OK : RASK_ENOMEM;
}

/* -- Sizes */

uint32_t rk_bag_ranges(const rk_bag_lowering *l, uint64_t bytes, bool sorted)
{
    uint64_t some = bytes / (sorted ? SORTED_BYTES : RANGE_BYTES), needed = bytes / (l->budget / 24 + 1);
    uint64_t ranges = some > needed ? some : needed;
    return ranges < 1 ? 1 : ranges > MOST_RANGES ? MOST_RANGES : (uint32_t)ranges;
}

static uint64_t part_bytes(const rk_bag_lowering *l, const rk_bag_text *text, const rk_bag_sink_plan *sink)
{
    bool keyed = sink->kind == RK_BAG_SINK_STATE && sink->reduction->cls->keyed;
    uint64_t bytes = text->files.bytes / PARTS, most = l->budget / PARTS;
    uint64_t scale = keyed ? KEYED : 1;
    if (text->block_bytes)
        return text->block_bytes;
    bytes = bytes < LEAST_PART ? LEAST_PART : bytes > MOST_PART ? MOST_PART : bytes;
    bytes *= scale;
    bytes = bytes < most ? bytes : most;
    return bytes < TINY_PART ? TINY_PART : bytes;
}

/* Bytes that so many bytes of text take as records, about: beside the text, what stands beside every item. */
static uint64_t text_bytes(const rk_bag_job *job, uint64_t bytes)
{
    uint64_t beside = 0, length = LINE;
    for (uint32_t i = 0; i < job->sink.shape.count; i++)
        beside += job->sink.shape.sizes[i] ? job->sink.shape.sizes[i] : sizeof(uint64_t);
    for (uint32_t i = 0; i < job->step_count; i++)
        length = job->steps[i]->in_blocks ? WORD : length;
    return bytes + bytes / length * beside;
}

/* Bytes of a sink's values together, about, that were so many of the source; never so many that a task could not begin. */
static uint64_t kept_bytes(const rk_bag_lowering *l, const rk_bag_job *job, uint64_t bytes)
{
    const rk_bag_sink_plan *sink = &job->sink;
    bool state = sink->kind == RK_BAG_SINK_STATE;
    if ((state && !sink->reduction->cls->keyed) ||
        (sink->kind == RK_BAG_SINK_CHUNK && sink->limit < FEW_RECORDS))
        return 0;
    uint64_t most = l->budget / 16, kept = state                              ? bytes
                                           : job->source->kind == RK_BAG_TEXT ? text_bytes(job, bytes)
                                                                              : bytes / 2 * 3;
    return kept < most ? kept : most;
}

/* What a task uses to build values that are kept, which grow as they come. */
static uint64_t scratch_bytes(const rk_bag_job *job, uint64_t kept)
{
    return rk_bag_scan_bytes(job) + 2 * kept;
}

/* -- Jobs */

static void end_job(void *what)
{
    rk_bag_job *job = what;
    rk_text_parts_fini(&job->text);
    rk_free(job->parts);
}

/* A list of steps that grows upwards, from the source to the sink. */
typedef struct steps {
    const rk_bag_step *list[RK_BAG_STEPS];
    uint32_t count; /* at the end of the list */
} steps;

/* Those of bag, down to its base, before the ones there are. */
static rask_bag *add_steps(steps *s, rask_bag *bag)
{
    for (; bag->kind == RK_BAG_STEP; bag = bag->inputs[0])
        s->list[RK_BAG_STEPS - ++s->count] = bag->as.step;
    return bag;
}

/* NULL, latched. */
static rk_bag_job *new_job(const rk_bag_lowering *l, rask_bag *base, const steps *s,
                           const rk_bag_sink_plan *sink)
{
    rk_bag_job *job = memory(l, sizeof *job);
    if (!job)
        return NULL;
    *job = (rk_bag_job){.source = base, .step_count = s->count, .sink = *sink};
    job->steps = rk_bag_keep(l->graph, s->list + RK_BAG_STEPS - s->count,
                             s->count * sizeof(const rk_bag_step *), &no_site);
    if (!job->steps)
        return NULL;
    if (rk_graph_at_end(l->graph, end_job, job))
        return rk_bag_refuse(l->graph, RASK_ENOMEM, &no_site, "out of memory");
    return job;
}

static bool asks_for_places(const rk_bag_job *job)
{
    bool asks = false;
    for (uint32_t i = 0; i < job->step_count; i++)
        asks |= job->steps[i]->by_place;
    return asks;
}

/* -- Parts */

/* Records of memory in parts of at most some. RASK_OK, or latched. */
static int cut_records(const rk_bag_lowering *l, rk_bag_job *job, uint64_t count, uint64_t some)
{
    uint64_t least = count / RK_MAX_BAG_PARTS + 1;
    some = some > least ? some : least;
    uint64_t parts = count ? (count - 1) / some + 1 : 1;
    job->parts = rk_alloc_array(parts, sizeof *job->parts);
    if (!job->parts) {
        rk_bag_refuse(l->graph, RASK_ENOMEM, &no_site, "out of memory");
        return RASK_ENOMEM;
    }
    job->part_count = (uint32_t)parts;
    for (uint64_t i = 0; i < parts; i++)
        job->parts[i] =
            (rk_bag_slice){.begin = i * some, .end = count - i * some < some ? count : (i + 1) * some};
    return RASK_OK;
}

static rk_bag_grain grain_of(const rk_bag_job *job)
{
    bool first = job->step_count && job->steps[0]->in_blocks, direct = rk_bag_sink_takes_text(&job->sink);
    if (direct && job->step_count == (uint32_t)first)
        return first ? RK_BAG_WORDS : RK_BAG_LINES;
    return first && !asks_for_places(job) ? RK_BAG_BLOCKS : RK_BAG_RECORDS;
}

static int cut_text(const rk_bag_lowering *l, rk_bag_job *job, uint64_t bytes)
{
    const rk_text_cutting cutting = {.block_bytes = bytes, .whole = asks_for_places(job)};
    rk_text_error error = {0};
    int status = rk_text_parts_init(&job->text, &job->source->as.text->files, &cutting, &error);
    if (status)
        rk_bag_refuse(l->graph, status, &no_site, "%s", error.message);
    else
        job->part_count = job->text.count;
    return status;
}

/* The parts of a job over a source; bytes of one. RASK_OK, or latched. */
static int cut(const rk_bag_lowering *l, rk_bag_job *job, uint64_t *bytes)
{
    const rask_bag *source = job->source;
    if (source->kind != RK_BAG_TEXT) {
        bool held = source->kind == RK_BAG_HELD;
        int status = cut_records(l, job, held ? source->as.held->count : source->as.range.count,
                                 held ? RECORDS : NUMBERS);
        *bytes = job->part_count ? source->bytes / job->part_count : 0;
        return status;
    }
    job->grain = grain_of(job);
    *bytes = part_bytes(l, source->as.text, &job->sink);
    return cut_text(l, job, *bytes);
}

static bool is_source(const rask_bag *bag)
{
    return bag->kind == RK_BAG_TEXT || bag->kind == RK_BAG_HELD || bag->kind == RK_BAG_RANGE;
}

static int lower_source(const rk_bag_lowering *l, rk_bag_job *job, rk_bag_nodes *out)
{
    uint64_t bytes;
    uint32_t values = rk_bag_sink_values(&job->sink);
    int status = cut(l, job, &bytes);
    uint64_t kept = status ? 0 : kept_bytes(l, job, bytes);
    if (!status)
        status = rk_bag_nodes_new(l, job->part_count * values, kept / values, out);
    for (uint32_t i = 0; i < job->part_count && !status; i++)
        status = rk_bag_scan_parts(l->graph, job, i, i, scratch_bytes(job, kept), kept,
                                   out->nodes + (size_t)i * values);
    return status;
}

bool rk_bag_lower_first(const rk_bag_lowering *l, rask_bag *bag, uint64_t limit, rk_bag_nodes *out)
{
    const rk_bag_sink_plan sink = {.kind = RK_BAG_SINK_CHUNK, .shape = bag->shape, .limit = limit};
    steps s = {.count = 0};
    rask_bag *base = add_steps(&s, bag);
    uint64_t bytes;
    if (!is_source(base))
        return false;
    rk_bag_job *job = new_job(l, base, &s, &sink);
    if (!job || cut(l, job, &bytes) || rk_bag_nodes_new(l, 1, 0, out))
        return true;
    uint64_t kept = kept_bytes(l, job, bytes * job->part_count);
    rk_bag_scan_parts(l->graph, job, 0, job->part_count - 1, scratch_bytes(job, kept), kept, out->nodes);
    return true;
}

/* -- Stages */

/* NOLINTBEGIN(misc-no-recursion): as deep as operations that are no steps stand one above the other, RK_BAG_DEPTH */

static int lower_chunks(const rk_bag_lowering *l, rk_bag_job *job, rk_bag_nodes *out)
{
    rk_bag_nodes chunks = {0};
    bool parts = job->source->kind == RK_BAG_PARTS, fed = job->source->kind == RK_BAG_FED;
    bool places = (asks_for_places(job) || (fed && job->step_count)) && !parts;
    uint32_t values = rk_bag_sink_values(&job->sink);
    rask_node *number = NULL;
    int status = rk_bag_lower(l, parts ? job->source->inputs[0] : job->source, &chunks);
    uint64_t kept = status ? 0 : kept_bytes(l, job, chunks.bytes);
    if (!status)
        status = rk_bag_nodes_new(l, chunks.count * values, kept / values, out);
    for (uint32_t i = 0; i < chunks.count && !status; i++) {
        status = rk_bag_scan_chunk(l->graph, job, chunks.nodes[i], number, scratch_bytes(job, kept), kept,
                                   out->nodes + (size_t)i * values);
        if (places)
            number = rk_bag_scan_number(l->graph, number, chunks.nodes[i]);
    }
    return status;
}

static int lower_steps(const rk_bag_lowering *l, rask_bag *bag, const steps *above,
                       const rk_bag_sink_plan *sink, rk_bag_nodes *out);

/* The steps above go on with the inputs' own. */
static int lower_concat(const rk_bag_lowering *l, rask_bag *bag, const steps *above,
                        const rk_bag_sink_plan *sink, rk_bag_nodes *out)
{
    rk_bag_nodes *parts = memory(l, bag->input_count * sizeof *parts);
    uint64_t count = 0;
    int status = parts ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < bag->input_count && !status; i++) {
        status = lower_steps(l, bag->inputs[i], above, sink, &parts[i]);
        count += parts[i].count;
    }
    if (!status && count >= RK_MAX_NODES) {
        rk_bag_refuse(l->graph, RASK_ELIMIT, &no_site, "too many parts");
        status = RASK_ELIMIT;
    }
    if (!status)
        status = rk_bag_nodes_new(l, (uint32_t)count, 0, out);
    for (uint32_t i = 0, n = 0; i < bag->input_count && !status; n += parts[i++].count) {
        memcpy(out->nodes + n, parts[i].nodes, parts[i].count * sizeof *out->nodes);
        out->bytes = parts[i].bytes > out->bytes ? parts[i].bytes : out->bytes;
    }
    return status;
}

static int lower_steps(const rk_bag_lowering *l, rask_bag *bag, const steps *above,
                       const rk_bag_sink_plan *sink, rk_bag_nodes *out)
{
    steps s = *above;
    rask_bag *base = add_steps(&s, bag);
    if (base->kind == RK_BAG_CONCAT)
        return lower_concat(l, base, &s, sink, out);
    rk_bag_job *job = new_job(l, base, &s, sink);
    if (!job)
        return l->graph->status;
    return is_source(base) ? lower_source(l, job, out) : lower_chunks(l, job, out);
}

int rk_bag_lower_stage(const rk_bag_lowering *l, rask_bag *bag, const rk_bag_sink_plan *sink,
                       rk_bag_nodes *out)
{
    const steps none = {.count = 0};
    return lower_steps(l, bag, &none, sink, out);
}

/* -- Reductions */

static int lower_reduction(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out);

int rk_bag_lower(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out)
{
    switch (bag->kind) {
    case RK_BAG_FED: return rk_bag_lower_fed(l, bag, out);
    case RK_BAG_REDUCE: return lower_reduction(l, bag, out);
    case RK_BAG_GROUPS: return rk_bag_lower_groups(l, bag, out);
    case RK_BAG_JOIN: return rk_bag_lower_join(l, bag, out);
    case RK_BAG_TAKE: return rk_bag_lower_take(l, bag, out);
    case RK_BAG_ZIP: return rk_bag_lower_zip(l, bag, out);
    case RK_BAG_REPARTITION: return rk_bag_lower_repartition(l, bag, out);
    default: break;
    }
    const rk_bag_sink_plan sink = {.kind = RK_BAG_SINK_CHUNK, .shape = bag->shape, .limit = UINT64_MAX};
    return rk_bag_lower_stage(l, bag, &sink, out);
}

/* The states of the arguments, in order, in one; its value, or its records. */
static int merge(rask_task *task, bool last)
{
    const rk_bag_sink_plan *plan = rk_shared_arg(task, 0, &rk_bag_shared_class);
    rk_bag_state state = {0};
    rk_bag_builder records = {0};
    char message[RK_MAX_MESSAGE] = "";
    rask_value value;
    if (!plan)
        return RASK_ETYPE;
    int status = rk_bag_state_init(&state, plan->reduction, plan->seed, message);
    for (size_t i = 1; i < rask_arg_count(task) && !status; i++)
        status = plan->reduction->cls->take(&state, rask_arg_bytes(task, i));
    rk_bag_builder_init(&records, &plan->reduction->out);
    if (!status)
        status = last ? plan->reduction->cls->finish(&state, &records)
                      : plan->reduction->cls->pack(&state, 1, &value);
    rk_bag_state_fini(&state);
    if (!status && last)
        status = rk_bag_builder_value(&records, &value);
    rk_bag_builder_fini(&records);
    return status ? rk_bag_task_fail(task, status, message) : rask_return_value(task, value);
}

static int run_merge(rask_task *task)
{
    return merge(task, false);
}

static int run_finish(rask_task *task)
{
    return merge(task, true);
}

static const rask_task_def merge_def = {.size = sizeof merge_def, .name = "merge", .call = run_merge},
                           finish_def = {.size = sizeof finish_def, .name = "finish", .call = run_finish};

/* A tree over count nodes, which it overwrites; the shape goes by their number alone. NULL, latched. */
static rask_node *lower_tree(const rk_bag_lowering *l, const rk_bag_sink_plan *plan, rask_node **nodes,
                             uint32_t count, uint64_t bytes)
{
    uint64_t most = l->budget / 16;
    for (; count > FAN_IN && !l->graph->status; bytes = bytes * 2 < most ? bytes * 2 : most) {
        uint32_t made = 0;
        for (uint32_t i = 0; i < count; i += FAN_IN) {
            uint32_t some = count - i < FAN_IN ? count - i : FAN_IN;
            nodes[made++] = rk_bag_call_nodes(l->graph, &merge_def, plan, nodes + i, some, 3 * bytes, bytes);
        }
        count = made;
    }
    return rk_bag_call_nodes(l->graph, &finish_def, plan, nodes, count, 4 * bytes, bytes);
}

static int lower_reduction(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out)
{
    const rk_bag_reduction *r = bag->as.reduction;
    rk_bag_sink_plan sink = {.kind = RK_BAG_SINK_STATE,
                             .shape = bag->inputs[0]->shape,
                             .ranges = r->cls->keyed ? rk_bag_ranges(l, bag->bytes, false) : 1,
                             .reduction = r,
                             .seed = l->seed};
    const rk_bag_sink_plan *plan = rk_bag_keep(l->graph, &sink, sizeof sink, &no_site);
    rk_bag_nodes parts = {0};
    int status = plan ? rk_bag_lower_stage(l, bag->inputs[0], &sink, &parts) : RASK_ENOMEM;
    if (!status)
        status = rk_bag_nodes_new(l, sink.ranges, r->cls->keyed ? parts.bytes : 0, out);
    uint32_t tasks = status ? 0 : parts.count / sink.ranges;
    rask_node **of_range = status ? NULL : memory(l, ((size_t)tasks + 1) * sizeof *of_range);
    for (uint32_t i = 0; of_range && i < sink.ranges && !l->graph->status; i++) {
        for (uint32_t k = 0; k < tasks; k++)
            of_range[k] = parts.nodes[(size_t)k * sink.ranges + i];
        out->nodes[i] = lower_tree(l, plan, of_range, tasks, parts.bytes);
    }
    return l->graph->status ? l->graph->status : status;
}

/* NOLINTEND(misc-no-recursion) */
