#include "graphs.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

enum {
    MAKES_I64,
    MAKES_F64,
    MAKES_BYTES,
    MAKES_LIST,
    MAKES_CUSTOM,
    MAKES_KINDS,
    MOST_ARGS = 100,
    LONG_VALUE = 2000
};

uint32_t draw_below(uint64_t *state, uint32_t below)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 0x2545f4914f6cdd1du) >> 32) % below;
}

/* A custom value: a number on the heap, counted. */
static atomic_int live_customs;

static void custom_destroy(void *data)
{
    atomic_fetch_sub(&live_customs, 1);
    free(data);
}

static size_t custom_size(const void *data)
{
    (void)data;
    return sizeof(uint64_t);
}

static bool custom_equal(const void *a, const void *b)
{
    return *(const uint64_t *)a == *(const uint64_t *)b;
}

static int custom_encode(const void *data, rask_value *bytes)
{
    return rask_value_bytes_new(data, sizeof(uint64_t), bytes);
}

static int custom_decode(rask_bytes bytes, void **data)
{
    if (bytes.len != sizeof(uint64_t))
        return RASK_EFORMAT;
    *data = malloc(bytes.len);
    memcpy(*data, bytes.data, bytes.len);
    atomic_fetch_add(&live_customs, 1);
    return RASK_OK;
}

static const rask_class number_class = {.name = "number",
                                        .destroy = custom_destroy,
                                        .size = custom_size,
                                        .encode = custom_encode,
                                        .decode = custom_decode,
                                        .equal = custom_equal};

int random_graph_live_customs(void)
{
    return atomic_load(&live_customs);
}

static int custom_new(uint64_t number, rask_value *out)
{
    uint64_t *data = malloc(sizeof *data);
    *data = number;
    atomic_fetch_add(&live_customs, 1);
    int status = rask_value_custom_new(&number_class, data, out);
    if (status)
        custom_destroy(data);
    return status;
}

/* A number that tells values apart. Lists are not nested deeply: make_list() sees to that. */
static uint64_t digest(const rask_value *value)
{
    rask_bytes bytes;
    const rask_value *items;
    size_t count;
    void *data;
    if (!rask_value_get_bytes(value, &bytes))
        return XXH3_64bits_withSeed(bytes.data, bytes.len, RASK_BYTES);
    if (!rask_value_get_custom(value, &number_class, &data))
        return *(uint64_t *)data ^ RASK_CUSTOM;
    if (!rask_value_get_list(value, &items, &count)) {
        uint64_t sum = RASK_LIST;
        for (size_t i = 0; i < count; i++)
            sum = sum * 31 + digest(&items[i]);
        return sum;
    }
    return XXH3_64bits_withSeed(&value->as.i64, value->type == RASK_BOOL ? 1 : 8, value->type);
}

static int make_bytes(uint64_t number, rask_value *out)
{
    char *data;
    size_t len = number % 200;
    int status = rask_value_bytes_alloc(len, &data, out);
    for (size_t i = 0; !status && i < len; i++)
        data[i] = (char)(number >> (i % 8 * 8));
    return status;
}

/* Some of the arguments themselves, so that objects are shared, and a number. */
static int make_list(uint64_t number, const rask_value *args, size_t count, rask_value *out)
{
    rask_value items[5] = {rask_value_i64((int64_t)number)};
    size_t used = 1;
    for (size_t i = 0; i < count && used < 5; i++)
        if (rask_value_size(&args[i]) < LONG_VALUE)
            items[used++] = args[i];
    return rask_value_list_new(items, used, out);
}

/* What a call of kind makes of its arguments; salt is the call's own. */
static int make(uint32_t kind, uint64_t salt, const rask_value *args, size_t count, rask_value *out)
{
    uint64_t number = salt;
    for (size_t i = 0; i < count; i++)
        number = number * 0x9e3779b97f4a7c15u + digest(&args[i]);
    switch (kind) {
    case MAKES_I64: *out = rask_value_i64((int64_t)number); return RASK_OK;
    case MAKES_F64: *out = rask_value_f64((double)number / 3); return RASK_OK;
    case MAKES_BYTES: return make_bytes(number, out);
    case MAKES_LIST: return make_list(number, args, count, out);
    default: return custom_new(number, out);
    }
}

/* As many values as a call with several outputs has. */
static int make_outputs(uint64_t salt, uint32_t outputs, const rask_value *args, size_t count,
                        rask_value *out)
{
    rask_value items[MAKES_KINDS];
    int status = RASK_OK;
    uint32_t made = 0;
    for (; made < outputs && !status; made++)
        status = make(made, salt + made, args, count, &items[made]);
    if (!status)
        status = rask_value_list_new(items, made, out);
    for (uint32_t i = 0; i < made; i++)
        rask_value_unref(&items[i]);
    return status;
}

/* A step's kind: of what it makes, or with so many outputs. */
enum { OUTPUTS = 16 };

static int make_step(const graph_step *step, uint64_t salt, const rask_value *args, size_t count,
                     rask_value *out)
{
    return step->kind > OUTPUTS ? make_outputs(salt, step->kind - OUTPUTS, args, count, out)
                                : make(step->kind, salt, args, count, out);
}

static void sleep_us(uint32_t us)
{
    struct timespec rest = {0, (long)us * 1000};
    nanosleep(&rest, NULL);
}

/* -- Where graphs are: in memory that forked workers share, and by their address. */

static random_graph *take_shared(void)
{
    return shared_calloc(sizeof(random_graph));
}

static void give_shared(random_graph *g)
{
    shared_free(g, sizeof *g);
}

static int64_t name_by_address(const random_graph *g)
{
    return (int64_t)(intptr_t)g;
}

static random_graph *find_by_address(int64_t name)
{
    return (random_graph *)(intptr_t)name;
}

random_graph_place random_graphs = {take_shared, give_shared, name_by_address, find_by_address};

/* Every call: (name of the graph, number of the step, values…). */
static int call(rask_task *t)
{
    random_graph *g = random_graphs.find(rask_arg_i64(t, 0));
    uint64_t number = (uint64_t)rask_arg_i64(t, 1);
    graph_step *step = &g->steps[number];
    if (atomic_fetch_add(&step->calls, 1) < step->failures)
        return rask_fail(t, RASK_EIO, "drawn to fail");
    if (step->sleep_us)
        sleep_us(step->sleep_us);
    rask_value args[MOST_ARGS], result;
    size_t count = rask_arg_count(t) - 2;
    for (size_t i = 0; i < count; i++)
        args[i] = *rask_arg_value(t, i + 2);
    int status = make_step(step, number, args, count, &result);
    return status ? rask_fail(t, status, "no memory") : rask_return_value(t, result);
}

enum { PURE_DEFS = 3 };
static const rask_task_def defs[] = {
    {.size = sizeof(rask_task_def), .name = "pure", .call = call, .flags = RASK_PURE},
    {.size = sizeof(rask_task_def), .name = "pure_cheap", .call = call, .flags = RASK_PURE | RASK_CHEAP},
    {.size = sizeof(rask_task_def), .name = "pure_io", .call = call, .flags = RASK_PURE | RASK_IO},
    {.size = sizeof(rask_task_def), .name = "plain", .call = call},
    {.size = sizeof(rask_task_def), .name = "cheap", .call = call, .flags = RASK_CHEAP},
    {.size = sizeof(rask_task_def), .name = "io", .call = call, .flags = RASK_IO},
    {.size = sizeof(rask_task_def), .name = "hinted", .call = call, .result_bytes = 100, .priority = 3},
};

static uint32_t below(random_graph *g, uint32_t bound)
{
    return draw_below(&g->random, bound);
}

static bool one_in(random_graph *g, uint32_t n)
{
    return below(g, n) == 0;
}

static graph_step *add_step(random_graph *g, rask_node *node)
{
    cr_assert_not_null(node, "%s", rask_graph_error(g->graph));
    cr_assert_lt(g->count, GRAPH_MAX_STEPS);
    graph_step *step = &g->steps[g->count];
    *step = (graph_step){.node = node, .twin = g->count++, .args_at = (uint32_t)g->arg_count};
    return step;
}

static void add_arg(random_graph *g, uint32_t from)
{
    if (g->arg_count == g->arg_room) {
        g->arg_room = 2 * g->arg_room + 64;
        g->args = realloc(g->args, g->arg_room * sizeof *g->args);
    }
    g->args[g->arg_count++] = from;
    g->steps[g->count - 1].args++;
}

/* The step to take a value of: anywhere, near the end (long chains), or near the beginning (wide fans). */
static uint32_t draw_step(random_graph *g, uint32_t shape)
{
    uint32_t n = g->count;
    switch (shape) {
    case 0: return below(g, n);
    case 1: return n - 1 - below(g, n < 4 ? n : 4);
    default: return below(g, n) * below(g, n) / n;
    }
}

static void add_constant(random_graph *g)
{
    rask_value value;
    uint32_t kind = below(g, MAKES_KINDS - 1);
    cr_assert_eq(make(kind, g->random, NULL, 0, &value), RASK_OK);
    graph_step *step =
        add_step(g, one_in(g, 2) ? rask_const(g->graph, &value) : rask_input(g->graph, &value));
    step->expected = value;
}

/* The values of the last step's arguments. */
static void expect(random_graph *g, uint64_t salt, uint32_t taken)
{
    graph_step *step = &g->steps[g->count - 1];
    rask_value args[MOST_ARGS];
    for (uint32_t i = 0; i < taken; i++)
        args[i] = g->steps[g->args[step->args_at + i]].expected;
    cr_assert_eq(make_step(step, salt, args, taken, &step->expected), RASK_OK);
}

static size_t fill_args(random_graph *g, uint64_t salt, const uint32_t *from, uint32_t count, rask_arg *args)
{
    args[0] = rask_arg_of_i64(random_graphs.name(g));
    args[1] = rask_arg_of_i64((int64_t)salt);
    for (uint32_t i = 0; i < count; i++)
        args[i + 2] = rask_arg_of_node(g->steps[from[i]].node);
    return count + 2;
}

static void wait_for_others(random_graph *g, graph_step *step)
{
    uint32_t count = 1 + below(g, 3);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t dep = below(g, g->count - 1);
        cr_assert_not_null(rask_after(step->node, &g->steps[dep].node, 1));
        add_arg(g, dep);
    }
}

static void add_call(random_graph *g, uint32_t shape, uint32_t most_args)
{
    uint32_t from[MOST_ARGS], count = below(g, most_args + 1);
    for (uint32_t i = 0; i < count; i++)
        from[i] = draw_step(g, shape);
    uint32_t def = below(g, sizeof defs / sizeof *defs), number = g->count;
    rask_arg args[MOST_ARGS + 2];
    size_t given = fill_args(g, number, from, count, args);
    graph_step *step = add_step(g, rask_call(g->graph, &defs[def], args, given));
    step->kind = (uint8_t)below(g, MAKES_KINDS);
    step->counted = true;
    step->sleep_us = defs[def].flags & RASK_IO ? (uint8_t)below(g, 50) : 0;
    for (uint32_t i = 0; i < count; i++)
        add_arg(g, from[i]);
    expect(g, number, count);
    if (def >= PURE_DEFS && one_in(g, 6))
        wait_for_others(g, step);
}

/* A call with several outputs, each a step of its own behind it. The call is no node of ours, so it has the
 * place of its first output as its number. */
static void add_outputs(random_graph *g, uint32_t shape)
{
    uint32_t from[4], count = below(g, 4), number = g->count, outputs = 2 + below(g, MAKES_KINDS - 1);
    rask_arg args[6];
    rask_node *outs[MAKES_KINDS];
    for (uint32_t i = 0; i < count; i++)
        from[i] = draw_step(g, shape);
    size_t given = fill_args(g, number, from, count, args);
    cr_assert_not_null(rask_call_outputs(g->graph, &defs[3], args, given, outs, outputs));
    graph_step *whole = add_step(g, outs[0]);
    whole->kind = (uint8_t)(OUTPUTS + outputs);
    whole->counted = true;
    for (uint32_t i = 0; i < count; i++)
        add_arg(g, from[i]);
    expect(g, number, count);
    const rask_value *items;
    size_t made;
    rask_value list = whole->expected;
    cr_assert_eq(rask_value_get_list(&list, &items, &made), RASK_OK);
    for (uint32_t i = 1; i < outputs; i++) {
        add_step(g, outs[i])->expected = rask_value_ref(&items[i]);
        add_arg(g, number);
    }
    whole->expected = rask_value_ref(&items[0]);
    rask_value_unref(&list);
}

static void add_list(random_graph *g, uint32_t shape)
{
    rask_node *nodes[8];
    rask_value values[8];
    uint32_t from[8], count = 0, wanted = below(g, 9);
    for (uint32_t i = 0; i < wanted; i++) {
        uint32_t at = draw_step(g, shape);
        if (rask_value_size(&g->steps[at].expected) >= LONG_VALUE)
            continue;
        from[count] = at;
        nodes[count] = g->steps[at].node;
        values[count++] = g->steps[at].expected;
    }
    graph_step *step = add_step(g, rask_list(g->graph, nodes, count));
    cr_assert_eq(rask_value_list_new(values, count, &step->expected), RASK_OK);
    for (uint32_t i = 0; i < count; i++)
        add_arg(g, from[i]);
}

/* The same pure call once more; nothing when the step drawn is none. */
static void add_twin(random_graph *g)
{
    uint32_t of = below(g, g->count);
    const graph_step *old = &g->steps[of];
    rask_node *node = old->node;
    if (!old->counted || old->kind > OUTPUTS || strncmp(rask_node_name(node), "pure", 4))
        return;
    const rask_task_def *def = defs;
    while (strcmp(def->name, rask_node_name(node)))
        def++;
    rask_arg args[MOST_ARGS + 2];
    size_t given = fill_args(g, old->twin, g->args + old->args_at, old->args, args);
    graph_step *step = add_step(g, rask_call(g->graph, def, args, given));
    step->twin = old->twin;
    step->expected = rask_value_ref(&old->expected);
    for (uint32_t i = 0; i < old->args; i++)
        add_arg(g, g->args[old->args_at + i]);
}

static void draw_targets(random_graph *g)
{
    g->target_count = 1 + below(g, GRAPH_MAX_TARGETS);
    for (uint32_t i = 0; i < g->target_count; i++) {
        uint32_t at = i ? below(g, g->count) : g->count - 1;
        if (i && one_in(g, 4))
            at = g->target_steps[i - 1];
        g->target_steps[i] = at;
        g->targets[i] = g->steps[at].node;
    }
}

/* Needed: the targets, and what a needed step takes or waits for; twins are needed through the first of them.
 */
static void find_needed(random_graph *g)
{
    for (uint32_t i = 0; i < g->target_count; i++)
        g->steps[g->target_steps[i]].needed = true;
    for (uint32_t n = g->count; n-- > 0;) {
        const graph_step *step = &g->steps[n];
        if (!step->needed)
            continue;
        g->steps[step->twin].needed = true;
        for (uint32_t i = 0; i < step->args; i++)
            g->steps[g->args[step->args_at + i]].needed = true;
    }
}

static void add_random(random_graph *g, uint32_t shape, uint32_t most_args)
{
    switch (below(g, 16)) {
    case 0: add_constant(g); break;
    case 1: add_outputs(g, shape); break;
    case 2: add_list(g, shape); break;
    case 3:
    case 4: add_twin(g); break;
    default: add_call(g, shape, most_args);
    }
}

random_graph *random_graph_new(uint64_t seed)
{
    static const uint32_t sizes[] = {1, 2, 3, 5, 10, 30, 100, 300}, fans[] = {0, 1, 2, 3, 5, MOST_ARGS};
    random_graph *g = random_graphs.take();
    g->random = seed * 0x9e3779b97f4a7c15u + 1;
    g->graph = rask_graph_new();
    cr_assert_not_null(g->graph);
    uint32_t size = 1 + below(g, sizes[below(g, 8)]), shape = below(g, 3), most_args = fans[below(g, 6)];
    add_constant(g);
    while (g->count < size)
        add_random(g, shape, most_args);
    draw_targets(g);
    find_needed(g);
    return g;
}

void random_graph_free(random_graph *g)
{
    for (uint32_t i = 0; i < g->count; i++)
        rask_value_unref(&g->steps[i].expected);
    rask_graph_free(g->graph);
    free(g->args);
    random_graphs.give(g);
}

static bool fails_for_good(const graph_step *step)
{
    return step->failures == GRAPH_FAILS_ALWAYS;
}

/* Doomed is what takes or waits for a step that fails for good or is doomed itself. */
static void find_doomed(random_graph *g)
{
    for (uint32_t n = 0; n < g->count; n++) {
        graph_step *step = &g->steps[n];
        const graph_step *first = &g->steps[step->twin];
        for (uint32_t i = 0; i < step->args; i++) {
            uint32_t at = g->args[step->args_at + i];
            const graph_step *arg = &g->steps[at], *real = &g->steps[arg->twin];
            step->doomed |= real->doomed || fails_for_good(real);
        }
        step->doomed |= first->doomed;
    }
}

void random_graph_add_failures(random_graph *g, uint32_t rarity, uint32_t failures)
{
    for (uint32_t i = 0; i < g->count; i++)
        if (g->steps[i].counted && one_in(g, rarity))
            g->steps[i].failures = failures;
    find_doomed(g);
}

void random_graph_reset(random_graph *g)
{
    for (uint32_t i = 0; i < g->count; i++)
        atomic_store(&g->steps[i].calls, 0);
}

bool random_graph_equal(const random_graph *g, const rask_value *results)
{
    for (uint32_t i = 0; i < g->target_count; i++)
        if (!rask_value_equal(&results[i], &g->steps[g->target_steps[i]].expected))
            return false;
    return true;
}

static void must_add_up(const rask_report *report)
{
    cr_assert_eq(report->finished + report->failed + report->skipped, report->tasks,
                 "%u finished + %u failed + %u skipped, of %u tasks", report->finished, report->failed,
                 report->skipped, report->tasks);
    cr_assert_eq(report->live_bytes, 0, "%llu bytes are left", (unsigned long long)report->live_bytes);
}

void random_graph_must_compute(random_graph *g, rask_options options)
{
    rask_value results[GRAPH_MAX_TARGETS];
    rask_report report = {.tasks = UINT32_MAX};
    options.report = &report;
    int status = rask_compute_values(g->targets, g->target_count, &options, results);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g->graph));
    cr_assert(random_graph_equal(g, results), "another result");
    must_add_up(&report);
    cr_assert_eq(report.finished, report.tasks);
    for (uint32_t i = 0; i < g->count; i++) {
        const graph_step *step = &g->steps[i];
        unsigned calls = atomic_load(&step->calls),
                 wanted = step->counted && step->needed ? step->failures + 1 : 0;
        cr_assert_eq(calls, wanted, "step %u was called %u times, not %u", i, calls, wanted);
    }
    for (uint32_t i = 0; i < g->target_count; i++)
        rask_value_unref(&results[i]);
}

/* How often a step is called when all goes on: with retries as often as they allow. */
static unsigned calls_wanted(const graph_step *step, uint32_t retries)
{
    if (!step->counted || !step->needed || step->doomed)
        return 0;
    return step->failures > retries ? retries + 1 : step->failures + 1;
}

int random_graph_compute_with_failures(random_graph *g, rask_options options, rask_report *report)
{
    rask_value results[GRAPH_MAX_TARGETS];
    uint32_t failed = 0;
    options.report = report;
    int status = rask_compute_values(g->targets, g->target_count, &options, results);
    must_add_up(report);
    for (uint32_t i = 0; i < g->count; i++) {
        const graph_step *step = &g->steps[i];
        unsigned calls = atomic_load(&step->calls), wanted = calls_wanted(step, options.retries);
        failed += calls && step->failures > options.retries;
        if (options.keep_going)
            cr_assert_eq(calls, wanted, "step %u was called %u times, not %u", i, calls, wanted);
        else
            cr_assert_leq(calls, wanted, "step %u was called %u times, at most %u", i, calls, wanted);
    }
    cr_assert_eq(report->failed, failed, "%u failures reported, not %u", report->failed, failed);
    cr_assert_eq(status != RASK_OK, failed > 0, "%s", rask_graph_error(g->graph));
    for (uint32_t i = 0; !status && i < g->target_count; i++)
        rask_value_unref(&results[i]);
    return status;
}
