/* What brings records together by key: groups and joins. Tasks send records to ranges of their keys' hashes, and for every
 * range one task puts them in the order of keys (keyed.h). */
#include "collections/bag/keyed.h"
#include "collections/bag/lower.h"
#include "collections/bag/recipe.h"
#include "collections/bag/records.h"
#include "collections/bag/task.h"
#include "core/base/alloc.h"

#include <stdio.h>
#include <string.h>

enum {
    ORDERING = 5
}; /* bytes of memory for a byte of a range: places in order, and what comes of it, which grows */

/* -- The records of a range */

typedef struct side {
    rk_bag_chunk *chunks;
    uint64_t *places; /* in the order of keys */
    uint64_t count;
} side;

/* Of the arguments from first on. RASK_ENOMEM, RASK_ELIMIT; to be ended in either case. */
static int open_side(rask_task *task, side *s, size_t first, size_t count)
{
    *s = (side){.chunks = rk_alloc_array(count + 1, sizeof *s->chunks)};
    if (!s->chunks)
        return RASK_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        rk_bag_chunk_open(&s->chunks[i], rask_arg_bytes(task, first + i));
        s->count += s->chunks[i].count;
    }
    return rk_bag_order(s->chunks, (uint32_t)count, 1, &s->places);
}

static void close_side(side *s)
{
    rk_free(s->chunks);
    rk_free(s->places);
}

static void get(const side *s, uint64_t index, rask_record *out)
{
    rk_bag_at(s->chunks, s->places[index], out);
}

/* How many records from begin on have the same key. */
static uint64_t group_at(const side *s, uint64_t begin)
{
    uint64_t end = begin + 1;
    while (end < s->count && !(s->places[end] & RK_BAG_FIRST))
        end++;
    return end - begin;
}

/* -- Groups: (bag, chunk …) */

static int run_over_groups(rask_task *task, const rask_bag *bag, const side *s, rk_bag_run *run)
{
    rask_records records = {.chunks = s->chunks, .shape = bag->inputs[0]->shape};
    int status = RASK_OK;
    for (uint64_t i = 0; i < s->count && !status; i += records.count) {
        records.count = group_at(s, i);
        records.places = s->places + i;
        status = rask_task_cancelled(task) ? RASK_ECANCELLED
                                           : rk_bag_run_gather(run, bag->as.gathering, &bag->shape, &records);
    }
    return status;
}

static int run_groups(rask_task *task)
{
    const rask_bag *bag = rk_shared_arg(task, 0, &rk_bag_shared_class);
    rk_bag_sink sink = {0};
    rk_bag_run run = {0};
    rask_value value;
    side s = {0};
    if (!bag)
        return RASK_ETYPE;
    const rk_bag_sink_plan plan = {.kind = RK_BAG_SINK_CHUNK, .shape = bag->shape, .limit = UINT64_MAX};
    int status = rk_bag_sink_init(&sink, &plan);
    if (!status)
        status = rk_bag_run_init(&run, NULL, 0, &sink);
    if (!status)
        status = open_side(task, &s, 1, rask_arg_count(task) - 1);
    if (!status)
        status = run_over_groups(task, bag, &s, &run);
    if (!status)
        status = rk_bag_sink_end(&sink, &value);
    status = status ? rk_bag_task_fail(task, status, run.message) : rask_return_value(task, value);
    close_side(&s);
    rk_bag_run_fini(&run);
    rk_bag_sink_fini(&sink);
    return status;
}

/* -- Joins: (bag, chunks on the left, chunk …) */

typedef struct joining {
    const rask_bag *bag;
    side left, right;
    rk_bag_builder out;
} joining;

/* What stands in a join's record where one side has nothing. */
static int add_pair(joining *j, const rask_record *left, const rask_record *right)
{
    uint32_t lefts = j->bag->inputs[0]->shape.count, rights = j->bag->inputs[1]->shape.count;
    rask_record made;
    made.count = lefts + rights - 1;
    for (uint32_t i = 1; i < lefts; i++)
        made.items[i] = left ? left->items[i] : rask_item_none();
    for (uint32_t i = 1; i < rights; i++)
        made.items[lefts + i - 1] = right ? right->items[i] : rask_item_none();
    made.items[0] = left ? left->items[0] : right->items[0];
    return rk_bag_builder_add(&j->out, &made);
}

/* Groups of the same key, of which one may be empty. */
static int add_groups(joining *j, uint64_t left, uint64_t lefts, uint64_t right, uint64_t rights)
{
    rask_join_how how = j->bag->as.join;
    bool keep_left = how == RASK_JOIN_LEFT || how == RASK_JOIN_OUTER,
         keep_right = how == RASK_JOIN_RIGHT || how == RASK_JOIN_OUTER;
    bool alone = (how == RASK_JOIN_SEMI && rights) || (how == RASK_JOIN_ANTI && !rights);
    bool pairs = how != RASK_JOIN_SEMI && how != RASK_JOIN_ANTI;
    int status = RASK_OK;
    rask_record a, b;
    for (uint64_t i = left; i < left + lefts && !status; i++) {
        get(&j->left, i, &a);
        if (alone)
            status = rk_bag_builder_add(&j->out, &a);
        else if (keep_left && !rights)
            status = add_pair(j, &a, NULL);
        for (uint64_t k = right; k < right + rights && pairs && !status; k++) {
            get(&j->right, k, &b);
            status = add_pair(j, &a, &b);
        }
    }
    for (uint64_t k = right; k < right + rights && keep_right && !lefts && !status; k++) {
        get(&j->right, k, &b);
        status = add_pair(j, NULL, &b);
    }
    return status;
}

/* Below 0: the left record's key comes before the right one's, … A key that is nothing is never the same. */
static int compare_sides(const joining *j, uint64_t left, uint64_t right)
{
    rask_record a, b;
    if (left == j->left.count || right == j->right.count)
        return left == j->left.count ? 1 : -1;
    get(&j->left, left, &a);
    get(&j->right, right, &b);
    uint64_t x = rk_record_hash(&a, 1, RK_BAG_ORDER_SEED), y = rk_record_hash(&b, 1, RK_BAG_ORDER_SEED);
    int order = x != y ? (x > y) - (x < y) : rk_item_compare(&a.items[0], &b.items[0]);
    return order ? order : a.items[0].type == 'n' ? -1 : 0;
}

static int join(rask_task *task, joining *j)
{
    uint64_t left = 0, right = 0;
    int status = RASK_OK;
    while ((left < j->left.count || right < j->right.count) && !status) {
        int order = compare_sides(j, left, right);
        uint64_t lefts = order <= 0 ? group_at(&j->left, left) : 0,
                 rights = order >= 0 ? group_at(&j->right, right) : 0;
        status = rask_task_cancelled(task) ? RASK_ECANCELLED : add_groups(j, left, lefts, right, rights);
        left += lefts;
        right += rights;
    }
    return status;
}

static int run_join(rask_task *task)
{
    joining j = {.bag = rk_shared_arg(task, 0, &rk_bag_shared_class)};
    size_t count = rask_arg_count(task), lefts = (size_t)rask_arg_i64(task, 1);
    rask_value value;
    if (!j.bag)
        return RASK_ETYPE;
    rk_bag_builder_init(&j.out, &j.bag->shape);
    int status = open_side(task, &j.left, 2, lefts);
    if (!status)
        status = open_side(task, &j.right, 2 + lefts, count - 2 - lefts);
    if (!status)
        status = join(task, &j);
    if (!status)
        status = rk_bag_builder_value(&j.out, &value);
    close_side(&j.left);
    close_side(&j.right);
    rk_bag_builder_fini(&j.out);
    return status ? rk_bag_task_fail(task, status, "") : rask_return_value(task, value);
}

static const rask_task_def groups_def = {.size = sizeof groups_def, .name = "groups", .call = run_groups},
                           join_def = {.size = sizeof join_def, .name = "join", .call = run_join};

/* -- Lowering */

/* bag's records in ranges: for each task, one chunk a range. */
static int lower_ranges(const rk_bag_lowering *l, rask_bag *bag, uint32_t ranges, rk_bag_nodes *out)
{
    const rk_bag_sink_plan sink = {.kind = RK_BAG_SINK_RANGES, .shape = bag->shape, .ranges = ranges};
    return rk_bag_lower_stage(l, bag, &sink, out);
}

/* The chunks of a range as arguments; how many. */
static uint32_t add_range(rask_arg *args, const rk_bag_nodes *parts, uint32_t ranges, uint32_t range)
{
    uint32_t tasks = parts->count / ranges;
    for (uint32_t i = 0; i < tasks; i++)
        args[i] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = parts->nodes[(size_t)i * ranges + range]};
    return tasks;
}

/* Bytes of what comes of a range, about; never so many that its task could not begin. */
static uint64_t range_bytes(const rk_bag_lowering *l, uint64_t parts)
{
    return parts < l->budget / 16 ? parts : l->budget / 16;
}

int rk_bag_lower_groups(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out)
{
    uint32_t ranges = rk_bag_ranges(l, bag->bytes, true);
    rk_bag_nodes parts;
    int status = lower_ranges(l, bag->inputs[0], ranges, &parts);
    if (status)
        return status;
    uint64_t bytes = range_bytes(l, parts.bytes * (parts.count / ranges));
    rask_arg *args = rk_alloc_array((size_t)parts.count + 1, sizeof *args);
    status = args ? rk_bag_nodes_new(l, ranges, bytes, out) : RASK_ENOMEM;
    for (uint32_t r = 0; r < ranges && !status; r++) {
        uint32_t count = add_range(args, &parts, ranges, r);
        out->nodes[r] = rk_bag_call(l->graph, &groups_def, bag, args, count, ORDERING * bytes, bytes);
        status = l->graph->status;
    }
    rk_free(args);
    return status;
}

int rk_bag_lower_join(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out)
{
    uint32_t ranges = rk_bag_ranges(l, bag->bytes, true);
    rk_bag_nodes left, right;
    int status = lower_ranges(l, bag->inputs[0], ranges, &left);
    if (!status)
        status = lower_ranges(l, bag->inputs[1], ranges, &right);
    if (status)
        return status;
    uint64_t bytes =
        range_bytes(l, left.bytes * (left.count / ranges) + right.bytes * (right.count / ranges));
    rask_arg *args = rk_alloc_array((size_t)left.count + right.count + 1, sizeof *args);
    status = args ? rk_bag_nodes_new(l, ranges, bytes, out) : RASK_ENOMEM;
    for (uint32_t r = 0; r < ranges && !status; r++) {
        uint32_t lefts = add_range(args + 1, &left, ranges, r);
        uint32_t rights = add_range(args + 1 + lefts, &right, ranges, r);
        args[0] = (rask_arg){.kind = RASK_ARG_I64, .as.i64 = lefts};
        out->nodes[r] =
            rk_bag_call(l->graph, &join_def, bag, args, (size_t)1 + lefts + rights, ORDERING * bytes, bytes);
        status = l->graph->status;
    }
    rk_free(args);
    return status;
}
