/* The tasks behind those that read: counts are added up, ranges are sorted, and from both comes what was asked. */
#include "collections/table/groups/quantile.h"
#include "collections/table/merge.h"
#include "collections/table/recipe.h"
#include "collections/table/summary/finish.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <stdlib.h>
#include <string.h>

static const rask_class plan_class = {RK_TABLE_SHARED("summary")};

/* -- Counts: (plan, counts …) */

static int run_counts(rask_task *task)
{
    const rk_table_sink_plan *plan = rk_shared_arg(task, 0, &plan_class);
    rask_value value;
    char *data;
    if (!plan)
        return RASK_ETYPE;
    size_t count = (size_t)plan->summary->count * (plan->splitter_count + 1);
    int status = rask_value_bytes_alloc(count * sizeof(uint64_t), &data, &value);
    if (status)
        return rask_fail(task, status, rask_status_text(status));
    uint64_t *sums = (uint64_t *)data;
    memset(sums, 0, count * sizeof *sums);
    for (size_t i = 1; i < rask_arg_count(task); i++) {
        const uint64_t *some = (const uint64_t *)rask_arg_bytes(task, i).data;
        for (size_t k = 0; k < count; k++)
            sums[k] += some[k];
    }
    return rask_return_value(task, value);
}

/* -- A range: (plan, number, counts, range of each part …) */

/* A value of the whole order that is looked for: number place, from 0. */
typedef struct target {
    uint64_t place;
    rk_found *out;
} target;

typedef struct ranging {
    const rk_table_sink_plan *plan;
    rask_task *task;
    size_t parts;
    size_t *ats; /* how far each part was read */
    target *wanted;
    rk_ranked *items, *scratch;
    size_t room; /* for items */
} ranging;

static int by_place(const void *a, const void *b)
{
    const target *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

/* The places of all quantiles that lie within count from begin on, ascending: how many. */
static size_t find_wanted(const ranging *r, rk_summary_place place, rk_found *found)
{
    const struct rk_summary *summary = r->plan->summary;
    size_t n = 0;
    for (uint32_t i = 0; i < summary->target_count && place.total; i++) {
        double t;
        uint64_t below = rk_quantile_place(place.total, summary->targets[i], &t);
        for (uint64_t k = 0; k < 2; k++)
            if ((!k || t > 0) && below + k - place.begin < place.count)
                r->wanted[n++] = (target){below + k, &found[2 * i + k]};
    }
    qsort(r->wanted, n, sizeof *r->wanted, by_place);
    return n;
}

static int compare_hashes(const void *context, uint64_t a, uint64_t b)
{
    (void)context;
    return (a > b) - (a < b);
}

static int make_room(ranging *r, size_t count)
{
    if (count <= r->room)
        return RASK_OK;
    rk_free(r->items);
    rk_free(r->scratch);
    r->items = rk_alloc_array(count, sizeof *r->items);
    r->scratch = rk_alloc_array(count, sizeof *r->scratch);
    r->room = r->items && r->scratch ? count : 0;
    return r->room ? RASK_OK : RASK_ENOMEM;
}

/* The entries of the next column, of all parts, in no order; unless wanted they are passed over. *count: of them. */
static int gather(ranging *r, bool wanted, size_t *count)
{
    size_t n = 0;
    for (int turn = 0; turn < 2; turn++) {
        n = 0;
        for (size_t i = 0; i < r->parts; i++) {
            size_t at = r->ats[i];
            rk_spread_column c = rk_spread_read(rask_arg_bytes(r->task, 3 + i), &at);
            for (uint64_t k = 0; turn && wanted && k < c.lone_count; k++)
                r->items[n + k] = (rk_ranked){c.lone[k], 1};
            if (turn && wanted && c.many_count)
                memcpy(r->items + n + c.lone_count, c.many, c.many_count * sizeof *c.many);
            n += c.lone_count + c.many_count;
            r->ats[i] = turn ? at : r->ats[i];
        }
        if (!turn && wanted && make_room(r, n ? n : 1))
            return RASK_ENOMEM;
    }
    *count = n;
    return RASK_OK;
}

/* Walks over sorted entries: different ones, and the values at the wanted places. */
static uint64_t walk(const ranging *r, bool text, size_t count, uint64_t place, size_t wanted_count)
{
    uint64_t different = 0;
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        const rk_ranked *item = &r->items[i];
        different += !i || item->rank != item[-1].rank || (text && item->item != item[-1].item);
        place += text ? 1 : item->item;
        for (; next < wanted_count && r->wanted[next].place < place; next++)
            *r->wanted[next].out = (rk_found){1, item->rank};
    }
    return different;
}

static int range_column(ranging *r, uint32_t column, rk_summary_place place, uint64_t *different,
                        rk_found *found)
{
    const struct rk_summary *summary = r->plan->summary;
    bool text = r->plan->schema->types[summary->columns[column]] == RASK_COL_TEXT;
    size_t wanted_count = text ? 0 : find_wanted(r, place, found), count;
    bool wanted = summary->facts || wanted_count;
    int status = gather(r, wanted, &count);
    if (status || !wanted)
        return status;
    rk_sort(r->items, r->scratch, count, text ? compare_hashes : NULL, NULL);
    *different = walk(r, text, count, place.begin, wanted_count);
    return RASK_OK;
}

static int range_columns(ranging *r, uint32_t number, const uint64_t *counts, char *out)
{
    const struct rk_summary *summary = r->plan->summary;
    int status = RASK_OK;
    memset(out, 0, rk_summary_size(summary));
    for (uint32_t i = 0; i < summary->count && !status; i++) {
        uint64_t *different = (uint64_t *)(out + i * rk_summary_column_size(summary));
        status = range_column(r, i, rk_summary_place_of(r->plan, counts, i, number), different,
                              (rk_found *)(different + 1));
    }
    return status;
}

static int run_range(rask_task *task)
{
    ranging r = {
        .plan = rk_shared_arg(task, 0, &plan_class), .task = task, .parts = rask_arg_count(task) - 3};
    rask_value value;
    char *out;
    if (!r.plan)
        return RASK_ETYPE;
    r.ats = rk_calloc(r.parts + 1, sizeof *r.ats);
    r.wanted = rk_alloc_array(2 * (size_t)r.plan->summary->target_count + 1, sizeof *r.wanted);
    int status = r.ats && r.wanted ? RASK_OK : RASK_ENOMEM;
    if (!status)
        status = rask_value_bytes_alloc(rk_summary_size(r.plan->summary), &out, &value);
    if (!status) {
        status = range_columns(&r, (uint32_t)rask_arg_i64(task, 1),
                               (const uint64_t *)rask_arg_bytes(task, 2).data, out);
        if (status)
            rask_value_unref(&value);
    }
    rk_free(r.ats);
    rk_free(r.wanted);
    rk_free(r.items);
    rk_free(r.scratch);
    return status ? rask_fail(task, status, rask_status_text(status)) : rask_return_value(task, value);
}

/* -- All together: (plan, counts, range …), and behind these the facts when there are */

static int run_finish(rask_task *task)
{
    const rk_table_sink_plan *plan = rk_shared_arg(task, 0, &plan_class);
    rask_value value;
    if (!plan)
        return RASK_ETYPE;
    uint32_t ranges = plan->splitter_count + 1;
    rk_summary_found all = {.plan = plan, .counts = (const uint64_t *)rask_arg_bytes(task, 1).data};
    all.ranges = rk_alloc_array(ranges, sizeof *all.ranges);
    if (!all.ranges)
        return rask_fail(task, RASK_ENOMEM, rask_status_text(RASK_ENOMEM));
    for (uint32_t i = 0; i < ranges; i++)
        all.ranges[i] = rask_arg_bytes(task, 2 + i).data;
    if (plan->summary->facts)
        rk_chunk_open(&all.facts, rask_arg_bytes(task, 2 + ranges));
    int status = rk_summary_finish(&all, &value);
    rk_free(all.ranges);
    return status ? rask_fail(task, status, rask_status_text(status)) : rask_return_value(task, value);
}

static const rask_task_def counts_def = {.size = sizeof counts_def, .name = "counts", .call = run_counts},
                           range_def = {.size = sizeof range_def, .name = "order", .call = run_range},
                           finish_def = {.size = sizeof finish_def, .name = "summary", .call = run_finish};

/* -- Lowering */

typedef struct lowering {
    const rk_table_lowering *l;
    const rk_table_sink_plan *plan;
    rask_value value; /* plan */
    rask_arg *args;   /* room for the most that there are */
    rk_nodes parts;
    uint32_t ranges, values, tasks; /* values of each task */
} lowering;

/* Value number index of every part behind the first count arguments. */
static size_t add_parts(const lowering *w, uint32_t index, size_t count)
{
    for (uint32_t i = 0; i < w->tasks; i++)
        w->args[count++] =
            (rask_arg){.kind = RASK_ARG_NODE, .as.node = w->parts.nodes[(size_t)i * w->values + index]};
    return count;
}

static rask_node *lower_range(const lowering *w, uint32_t number, rask_node *counts)
{
    uint64_t bytes = (uint64_t)((double)(w->parts.bytes * w->tasks) * w->plan->growth),
             most = w->l->budget / 4;
    w->args[1] = (rask_arg){.kind = RASK_ARG_I64, .as.i64 = number};
    w->args[2] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = counts};
    rask_node *node = rask_call_at(w->l->graph, &range_def, w->args, add_parts(w, number, 3), NULL, 0);
    rask_set_scratch_bytes(node, bytes < most ? bytes : most);
    return node;
}

static rask_node *lower_finish(const lowering *w, rask_node *facts)
{
    rask_graph *graph = w->l->graph;
    rask_node *counts = rask_call_at(graph, &counts_def, w->args, add_parts(w, w->ranges, 1), NULL, 0);
    rask_node **nodes = rk_table_memory(graph, (w->ranges + 1) * sizeof *nodes, NULL, 0);
    for (uint32_t i = 0; nodes && i < w->ranges; i++)
        nodes[i] = lower_range(w, i, counts);
    if (!nodes)
        return NULL;
    w->args[1] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = counts};
    for (uint32_t i = 0; i < w->ranges; i++)
        w->args[2 + i] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes[i]};
    w->args[2 + w->ranges] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = facts};
    return rask_call_at(graph, &finish_def, w->args, 2 + w->ranges + (facts != NULL), NULL, 0);
}

/* The facts of all parts as a chunk. */
static rask_node *lower_facts(const lowering *w)
{
    rk_table_sink_plan groups = *w->plan;
    rk_nodes packed = {.count = w->tasks};
    groups.kind = RK_SINK_GROUPS;
    groups.result = &w->plan->summary->facts->schema;
    groups.splitter_count = 0;
    packed.nodes = rk_table_memory(w->l->graph, (w->tasks + 1) * sizeof *packed.nodes, NULL, 0);
    for (uint32_t i = 0; packed.nodes && i < w->tasks; i++)
        packed.nodes[i] = w->parts.nodes[(size_t)i * w->values + w->ranges + 1];
    return packed.nodes ? rk_lower_merges(w->l, &groups, packed) : NULL;
}

rask_node *rk_summary_ranges(const rk_table_lowering *l, const rk_table_sink_plan *plan, rk_nodes parts)
{
    lowering w = {.l = l, .plan = rk_merge_keep(l->graph, plan), .parts = parts};
    rask_node *node = NULL;
    w.values = rk_table_sink_values(plan);
    w.ranges = plan->splitter_count + 1;
    w.tasks = parts.count / w.values;
    rask_node *facts = w.plan && plan->summary->facts ? lower_facts(&w) : NULL;
    w.args = rk_alloc_array((size_t)w.tasks + w.ranges + 4, sizeof *w.args);
    if (!w.args || !w.plan || rk_shared_value(l->graph, &plan_class, w.plan, &w.value)) {
        rk_free(w.args);
        return rk_graph_fail(l->graph, RASK_ENOMEM, NULL, 0, "no memory for tasks");
    }
    w.args[0] = (rask_arg){.kind = RASK_ARG_VALUE, .as.value = &w.value};
    if (!l->graph->status)
        node = lower_finish(&w, facts);
    rask_value_unref(&w.value);
    rk_free(w.args);
    return node;
}
