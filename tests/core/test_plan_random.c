/* Every pass of the planner against a slow and obvious computation of the same thing, on random graphs.
 *
 * A sketch is a graph in the test's own words. It is built twice: as a graph that is planned, and as the
 * expectations below, which look at the sketch alone: which spots are needed, which calls are equal, what may
 * be fused, what runs when, what it all computes. */
#include "core/plan/plan.h"

#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { MOST_SPOTS = 60, MOST_ARGS = 5, MOST_DEPS = 2, MOST_TARGETS = 12, GRAPHS = 400 };

static uint64_t random_state;

static int below(int limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (int)((random_state >> 33) % (unsigned)limit);
}

/* What all calls compute: something that depends on the function and every argument, in order. */

typedef struct number {
    int type; /* RASK_I64, RASK_F64 or RASK_BYTES */
    int64_t v;
} number;

static int64_t mix(int64_t sum, number n)
{
    return (int64_t)((uint64_t)sum * 1000003u + (uint64_t)n.v * 31u + (uint64_t)n.type);
}

static int mix_arguments(rask_task *t, int64_t sum)
{
    for (size_t i = 0; i < rask_arg_count(t); i++) {
        const rask_value *value = rask_arg_value(t, i);
        number n = {(int)value->type, 0};
        if (value->type == RASK_BYTES)
            n.v = rask_arg_bytes(t, i).data[0];
        else
            n.v = value->type == RASK_F64 ? (int64_t)rask_arg_f64(t, i) : rask_arg_i64(t, i);
        sum = mix(sum, n);
    }
    return rask_return_i64(t, sum);
}

#define FUNCTION(name, number, attributes)                                                                   \
    static int name(rask_task *t)                                                                            \
    {                                                                                                        \
        return mix_arguments(t, number);                                                                     \
    }                                                                                                        \
    RASK_SLOTS_WITH(name, attributes)
FUNCTION(pure, 0, (.flags = RASK_PURE));
FUNCTION(also_pure, 1, (.flags = RASK_PURE, .result_bytes = 100));
FUNCTION(impure, 2, (.flags = 0));
FUNCTION(cheap, 3, (.flags = RASK_CHEAP));
FUNCTION(cheap_pure, 4, (.flags = RASK_CHEAP | RASK_PURE));
FUNCTION(io, 5, (.flags = RASK_IO, .result_bytes = 5));
FUNCTION(cheap_io, 6, (.flags = RASK_IO | RASK_CHEAP));

static const rask_task_def *const functions[] = {RASK_DEF(pure),    RASK_DEF(also_pure),  RASK_DEF(impure),
                                                 RASK_DEF(cheap),   RASK_DEF(cheap_pure), RASK_DEF(io),
                                                 RASK_DEF(cheap_io)};

/* Sketches. */

typedef enum kind { CONSTANT, INPUT, CALL } kind;

typedef struct argument {
    int spot; /* -1: the constant */
    number constant;
} argument;

typedef struct spot {
    kind kind;
    number value; /* of constants and inputs */
    int function, args, deps;
    argument arg[MOST_ARGS];
    int dep[MOST_DEPS];
    int64_t bytes; /* of its own; -1: its function's */
    int priority;
    rask_node *node;
} spot;

typedef struct sketch {
    spot spots[MOST_SPOTS];
    int count, targets, target[MOST_TARGETS];
    bool prioritised;
    rask_graph *graph;
    rask_plan *plan;
    /* Expectations. */
    bool needed[MOST_SPOTS];
    int same[MOST_SPOTS]; /* the first needed spot that is equal */
    int task[MOST_SPOTS]; /* in the plan; -1: none */
    int64_t result[MOST_SPOTS];
} sketch;

static number random_number(void)
{
    static const int types[] = {RASK_I64, RASK_I64, RASK_F64, RASK_BYTES};
    return (number){types[below(4)], below(2)};
}

/* Half of the time one of the last few. */
static int random_older(int older)
{
    return older > 6 && below(2) ? older - 1 - below(6) : below(older);
}

static spot random_call(int older)
{
    spot s = {.kind = CALL, .function = below(COUNT(functions)), .args = below(MOST_ARGS + 1), .bytes = -1};
    for (int i = 0; i < s.args; i++)
        s.arg[i] = (argument){older && below(6) ? random_older(older) : -1, random_number()};
    if (older > 1 && !below(4)) /* close by, for chains */
        s.arg[0].spot = older - 1, s.args = s.args ? s.args : 1;
    s.deps = older && !below(8) ? 1 + below(MOST_DEPS) : 0;
    for (int i = 0; i < s.deps; i++)
        s.dep[i] = below(older);
    if (!below(5))
        s.bytes = below(1000);
    return s;
}

/* A quarter of the spots repeats an older one. */
static void sketch_random(sketch *s, uint64_t seed)
{
    random_state = seed * 0x9e3779b97f4a7c15u;
    *s = (sketch){.count = 1 + below(MOST_SPOTS)};
    s->prioritised = !below(4);
    for (int i = 0; i < s->count; i++) {
        int what = below(12);
        if (what == 0 || what == 1)
            s->spots[i] = (spot){.kind = what ? INPUT : CONSTANT, .value = random_number(), .bytes = -1};
        else if (what < 5 && i)
            s->spots[i] = s->spots[below(i)];
        else
            s->spots[i] = random_call(i);
        if (s->prioritised && s->spots[i].kind == CALL)
            s->spots[i].priority = below(5) - 2;
    }
    s->targets = 1 + below(MOST_TARGETS);
    for (int i = 0; i < s->targets; i++)
        s->target[i] = below(3) ? below(s->count) : s->count - 1;
}

static rask_arg arg_of(number n)
{
    if (n.type == RASK_I64)
        return rask_arg_of_i64(n.v);
    return n.type == RASK_F64 ? rask_arg_of_f64((double)n.v) : rask_arg_of_str(n.v ? "\1" : "");
}

static void build_spot(sketch *s, spot *made)
{
    rask_arg args[MOST_ARGS] = {{0}}, constant = arg_of(made->value);
    rask_node *deps[MOST_DEPS];
    if (made->kind != CALL) {
        made->node = made->kind == INPUT ? rask_input_at(s->graph, &constant, NULL, 0)
                                         : rask_const_at(s->graph, &constant, NULL, 0);
        return;
    }
    for (int i = 0; i < made->args; i++)
        args[i] = made->arg[i].spot < 0 ? arg_of(made->arg[i].constant)
                                        : rask_arg_of_node(s->spots[made->arg[i].spot].node);
    for (int i = 0; i < made->deps; i++)
        deps[i] = s->spots[made->dep[i]].node;
    made->node = rask_call(s->graph, functions[made->function], args, (size_t)made->args);
    if (made->deps)
        rask_after(made->node, deps, (size_t)made->deps);
    if (made->bytes >= 0)
        rask_set_result_bytes(made->node, (uint64_t)made->bytes);
    if (s->prioritised)
        rask_set_priority(made->node, made->priority);
}

static void build_and_plan(sketch *s)
{
    rask_node *targets[MOST_TARGETS];
    s->graph = rask_graph_new();
    for (int i = 0; i < s->count; i++)
        build_spot(s, &s->spots[i]);
    for (int i = 0; i < s->targets; i++)
        targets[i] = s->spots[s->target[i]].node;
    cr_assert_eq(rask_plan_new(targets, (size_t)s->targets, &s->plan), RASK_OK, "%s",
                 rask_graph_error(s->graph));
}

/* What is expected, from the sketch alone. */

static void need(sketch *s, int i)
{
    if (s->needed[i])
        return;
    s->needed[i] = true;
    for (int k = 0; k < s->spots[i].args; k++)
        if (s->spots[i].arg[k].spot >= 0)
            need(s, s->spots[i].arg[k].spot);
    for (int k = 0; k < s->spots[i].deps; k++)
        need(s, s->spots[i].dep[k]);
}

static bool numbers_equal(number a, number b)
{
    return a.type == b.type && a.v == b.v;
}

/* An argument as the constant it is, or false. */
static bool is_constant(const sketch *s, argument a, number *n)
{
    *n = a.spot < 0 ? a.constant : s->spots[a.spot].value;
    return a.spot < 0 || s->spots[a.spot].kind == CONSTANT;
}

static bool arguments_equal(const sketch *s, argument a, argument b)
{
    number x, y;
    bool first = is_constant(s, a, &x), second = is_constant(s, b, &y);
    if (first || second)
        return first && second && numbers_equal(x, y);
    return s->same[a.spot] == s->same[b.spot];
}

static bool calls_equal(const sketch *s, const spot *a, const spot *b)
{
    bool pure_calls = a->kind == CALL && b->kind == CALL && functions[a->function]->flags & RASK_PURE;
    if (!pure_calls || a->function != b->function || a->args != b->args || a->deps || b->deps)
        return false;
    for (int i = 0; i < a->args; i++)
        if (!arguments_equal(s, a->arg[i], b->arg[i]))
            return false;
    return true;
}

static number value_of(const sketch *s, int i)
{
    return s->spots[i].kind == CALL ? (number){RASK_I64, s->result[i]} : s->spots[i].value;
}

static void expect_from_sketch(sketch *s)
{
    for (int i = 0; i < s->targets; i++)
        need(s, s->target[i]);
    for (int i = 0; i < s->count; i++) {
        s->same[i] = i;
        for (int k = i - 1; k >= 0 && s->needed[i]; k--)
            if (s->needed[k] && calls_equal(s, &s->spots[k], &s->spots[i]))
                s->same[i] = s->same[k];
        s->result[i] = s->spots[i].function;
        for (int k = 0; k < s->spots[i].args; k++) {
            argument a = s->spots[i].arg[k];
            s->result[i] = mix(s->result[i], a.spot < 0 ? a.constant : value_of(s, a.spot));
        }
    }
}

static bool is_task(const sketch *s, int i)
{
    return s->needed[i] && s->spots[i].kind == CALL && s->same[i] == i;
}

/* Calls visit for every call that task i waits for, with repetitions: takes tells arguments from order-only
 * ones. */
static int each_pred(const sketch *s, int i, int *preds, bool arguments_only)
{
    int count = 0;
    const spot *p = &s->spots[i];
    for (int k = 0; k < p->args; k++)
        if (p->arg[k].spot >= 0 && s->spots[p->arg[k].spot].kind == CALL)
            preds[count++] = s->same[p->arg[k].spot];
    for (int k = 0; k < p->deps && !arguments_only; k++)
        if (s->spots[p->dep[k]].kind == CALL)
            preds[count++] = s->same[p->dep[k]];
    return count;
}

/* The only task that waits for i; -1: none, -2: several. */
static int only_consumer(const sketch *s, int i)
{
    int preds[MOST_ARGS + MOST_DEPS], only = -1;
    for (int c = 0; c < s->count; c++)
        for (int k = is_task(s, c) ? each_pred(s, c, preds, false) : 0; k-- > 0;)
            if (preds[k] == i)
                only = only == -1 || only == c ? c : -2;
    return only;
}

static bool has_only_pred(const sketch *s, int i, int pred)
{
    int preds[MOST_ARGS + MOST_DEPS];
    for (int k = each_pred(s, i, preds, false); k-- > 0;)
        if (preds[k] != pred)
            return false;
    return true;
}

/* The task that i runs right in front of, in the same unit; -1: none. */
static int fused_into(const sketch *s, int i)
{
    int c = only_consumer(s, i);
    if (c < 0)
        return -1;
    uint32_t flags = functions[s->spots[i].function]->flags, other = functions[s->spots[c].function]->flags;
    bool same_lane = !((flags ^ other) & RASK_IO);
    for (int t = 0; t < s->targets; t++)
        if (s->same[s->target[t]] == i)
            return -1;
    return same_lane && (flags & RASK_CHEAP || has_only_pred(s, c, i)) ? c : -1;
}

/* The checks. */

static void check_tasks(sketch *s)
{
    const rask_plan *plan = s->plan;
    int tasks = 0, needed = 0, calls = 0;
    for (int i = 0; i < s->count; i++) {
        tasks += is_task(s, i);
        needed += s->needed[i];
        calls += s->needed[i] && s->spots[i].kind == CALL;
        s->task[i] = -1;
    }
    cr_assert_eq(plan->tasks, (uint32_t)tasks);
    cr_assert_eq(plan->culled, (uint32_t)(s->count - needed));
    cr_assert_eq(plan->merged, (uint32_t)(calls - tasks));
    for (uint32_t t = 0; t < plan->tasks; t++) {
        int i = (int)plan->node[t];
        cr_assert(is_task(s, i), "spot %d is not to run itself", i);
        cr_assert_eq(s->task[i], -1, "spot %d runs twice", i);
        cr_assert_eq(rk_plan_def(plan, t), functions[s->spots[i].function]);
        s->task[i] = (int)t;
    }
}

static void check_word(const sketch *s, uint32_t word, argument a, uint32_t task)
{
    number n;
    bool constant = is_constant(s, a, &n) || s->spots[a.spot].kind == INPUT;
    cr_assert_eq((word & RK_CONSTANT) != 0, constant);
    if (!constant) {
        cr_assert_eq(word, (uint32_t)s->task[s->same[a.spot]]);
        cr_assert_lt(word, task, "a task takes the result of a later one");
        return;
    }
    const rask_value *value = &rk_plan_constants(s->plan)[word & ~RK_CONSTANT];
    cr_assert_eq(value->type, (uint32_t)n.type);
    cr_assert(n.type != RASK_I64 || value->as.i64 == n.v);
}

static void check_arguments(const sketch *s)
{
    const rask_plan *plan = s->plan;
    uint64_t edges = 0;
    for (uint32_t t = 0; t < plan->tasks; t++) {
        const spot *p = &s->spots[plan->node[t]];
        const uint32_t *words = plan->args + plan->arg_start[t];
        int preds[MOST_ARGS + MOST_DEPS];
        edges += (uint64_t)each_pred(s, (int)plan->node[t], preds, false);
        cr_assert_eq(rk_plan_nargs(plan, t), (uint32_t)p->args);
        cr_assert_eq(plan->arg_start[t + 1] - plan->arg_start[t], (uint32_t)(p->args + p->deps));
        for (int k = 0; k < p->args; k++)
            check_word(s, words[k], p->arg[k], t);
        for (int k = 0; k < p->deps; k++)
            check_word(s, words[p->args + k], (argument){.spot = p->dep[k]}, t);
    }
    cr_assert_eq(plan->edges, edges);
}

/* Every argument and target is one more that takes the result; who only waits takes nothing. */
static void check_uses(const sketch *s)
{
    uint32_t uses[MOST_SPOTS] = {0};
    int preds[MOST_ARGS + MOST_DEPS];
    for (int i = 0; i < s->count; i++)
        for (int k = is_task(s, i) ? each_pred(s, i, preds, true) : 0; k-- > 0;)
            uses[preds[k]]++;
    for (int i = 0; i < s->targets; i++)
        uses[s->same[s->target[i]]]++;
    for (uint32_t t = 0; t < s->plan->tasks; t++)
        cr_assert_eq(s->plan->uses[t], uses[s->plan->node[t]], "task %u", t);
}

static void check_targets(const sketch *s)
{
    cr_assert_eq(s->plan->target_count, (uint32_t)s->targets);
    for (int i = 0; i < s->targets; i++)
        check_word(s, s->plan->targets[i], (argument){.spot = s->target[i]}, UINT32_MAX);
}

static void check_fusion(const sketch *s)
{
    const rask_plan *plan = s->plan;
    uint32_t fused = 0;
    for (uint32_t t = 0; t < plan->tasks; t++) {
        uint32_t unit = rk_plan_unit(plan, t);
        bool last = t + 1 == plan->unit_start[unit + 1];
        int into = fused_into(s, (int)plan->node[t]);
        cr_assert_eq(into < 0, last, "task %u %s", t, last ? "could be fused" : "must not be fused");
        cr_assert(into < 0 || rk_plan_unit(plan, (uint32_t)s->task[into]) == unit);
        fused += into >= 0;
    }
    cr_assert_eq(plan->units, plan->tasks - fused);
}

/* waits[u][v]: unit u comes after unit v; takes[u][v]: and takes something of it. */
static bool waits[MOST_SPOTS][MOST_SPOTS], takes[MOST_SPOTS][MOST_SPOTS];

static void find_edges(const sketch *s, bool edges[MOST_SPOTS][MOST_SPOTS], bool arguments_only)
{
    int preds[MOST_ARGS + MOST_DEPS];
    memset(edges, 0, sizeof waits);
    for (int i = 0; i < s->count; i++)
        for (int k = is_task(s, i) ? each_pred(s, i, preds, arguments_only) : 0; k-- > 0;) {
            uint32_t unit = rk_plan_unit(s->plan, (uint32_t)s->task[i]),
                     from = rk_plan_unit(s->plan, (uint32_t)s->task[preds[k]]);
            edges[unit][from] |= unit != from;
        }
}

static void find_waits(const sketch *s)
{
    find_edges(s, waits, false);
    find_edges(s, takes, true);
}

/* Counts down everything from the roots on: each unit becomes ready once, after all before it, and the end
 * last. */
static void check_release(const rask_plan *plan, bool (*may_run)(const bool *done, uint32_t unit))
{
    uint32_t *join = malloc(plan->all_units * sizeof *join),
             *queue = malloc((plan->all_units + 1) * sizeof *queue);
    bool *done = calloc(plan->all_units, sizeof *done);
    uint32_t head = 0, tail = 0, end = plan->all_units - 1;
    memcpy(join, plan->join, plan->all_units * sizeof *join);
    for (uint32_t i = 0; i < plan->root_count; i++)
        queue[tail++] = plan->roots[i];
    if (!plan->units)
        queue[tail++] = end;
    for (; head < tail; head++) {
        uint32_t unit = queue[head];
        cr_assert(!done[unit], "unit %u became ready twice", unit);
        cr_assert(unit >= plan->units || !may_run || may_run(done, unit), "unit %u is ready too early", unit);
        done[unit] = true;
        for (uint32_t e = plan->succ_start[unit]; e < plan->succ_start[unit + 1]; e++) {
            cr_assert_gt(join[plan->succ[e]], 0, "unit %u is counted down too often", plan->succ[e]);
            if (!--join[plan->succ[e]])
                queue[tail++] = plan->succ[e];
        }
    }
    cr_assert_eq(tail, plan->all_units, "%u of %u units were released", tail, plan->all_units);
    cr_assert_eq(queue[tail - 1], end, "the end came before others");
    for (uint32_t u = 0; u < plan->all_units; u++)
        cr_assert_leq(plan->join[u], RK_JOIN_FAN_IN);
    free(join);
    free(queue);
    free(done);
}

static bool all_before_are_done(const bool *done, uint32_t unit)
{
    for (uint32_t u = 0; u < MOST_SPOTS; u++)
        if (waits[unit][u] && (!done[u] || u > unit))
            return false;
    return true;
}

static uint64_t unit_bytes(const sketch *s, uint32_t unit)
{
    const spot *last = &s->spots[s->plan->node[s->plan->unit_start[unit + 1] - 1]];
    uint64_t bytes = last->bytes >= 0 ? (uint64_t)last->bytes : functions[last->function]->result_bytes;
    return bytes ? bytes : sizeof(rask_value);
}

/* In rounds: the first so many units of the plan that can run do. Live before a round is what somebody still
 * needs. */
static uint64_t slow_peak(const sketch *s, uint32_t workers)
{
    bool done[MOST_SPOTS] = {false}, before[MOST_SPOTS];
    uint64_t peak = 0;
    for (uint32_t left = s->plan->units; left;) {
        uint64_t live = 0;
        for (uint32_t u = 0; u < s->plan->units; u++) {
            bool wanted = false;
            for (uint32_t c = 0; c < s->plan->units; c++)
                wanted |= takes[c][u] && !done[c];
            live += done[u] && wanted ? unit_bytes(s, u) : 0;
        }
        peak = live > peak ? live : peak;
        memcpy(before, done, sizeof done);
        for (uint32_t u = 0, ran = 0; u < s->plan->units && ran < workers; u++)
            if (!before[u] && all_before_are_done(before, u)) {
                done[u] = true;
                ran++;
                left--;
            }
    }
    return peak;
}

static void check_peaks(const sketch *s)
{
    const uint32_t workers[] = {1, 2, 3, 8, RK_MAX_WORKERS};
    for (size_t i = 0; i < COUNT(workers); i++) {
        uint64_t peak;
        cr_assert_eq(rask_plan_expected_peak(s->plan, workers[i], &peak), RASK_OK);
        cr_assert_eq(peak, slow_peak(s, workers[i]), "on %u workers", workers[i]);
    }
}

static uint32_t path_to(const sketch *s, int i)
{
    int preds[MOST_ARGS + MOST_DEPS];
    uint32_t longest = 0;
    for (int k = each_pred(s, i, preds, false); k-- > 0;) {
        uint32_t path = path_to(s, preds[k]);
        longest = path > longest ? path : longest;
    }
    return longest + 1;
}

static void check_stats(const sketch *s)
{
    rask_plan_stats stats = rask_plan_get_stats(s->plan);
    uint32_t longest = 0;
    for (int i = 0; i < s->count && i < 20; i++) /* the slow way is exponential */
        if (is_task(s, i) && path_to(s, i) > longest)
            longest = path_to(s, i);
    cr_assert(s->count > 20 ? stats.longest_path >= longest : stats.longest_path == longest);
    cr_assert_eq(stats.nodes, (uint32_t)s->count);
    cr_assert_eq(stats.peak_bytes, slow_peak(s, 1));
    cr_assert(stats.tasks == s->plan->tasks && stats.units == s->plan->units &&
              stats.edges == s->plan->edges && stats.merged == s->plan->merged &&
              stats.culled == s->plan->culled);
}

static int unit_priority(const sketch *s, uint32_t unit)
{
    int most = INT32_MIN;
    for (uint32_t t = s->plan->unit_start[unit]; t < s->plan->unit_start[unit + 1]; t++)
        if (s->spots[s->plan->node[t]].priority > most)
            most = s->spots[s->plan->node[t]].priority;
    return most;
}

/* At its turn no unit that could run has a larger priority. */
static void check_priorities(const sketch *s)
{
    bool done[MOST_SPOTS] = {false};
    for (uint32_t u = 0; u < s->plan->units && s->prioritised; u++) {
        for (uint32_t other = u + 1; other < s->plan->units; other++)
            cr_assert(!all_before_are_done(done, other) || unit_priority(s, other) <= unit_priority(s, u),
                      "unit %u goes before %u", u, other);
        done[u] = true;
    }
}

static void check_results(const sketch *s)
{
    static const char *const schedulers[] = {"serial", "threads"};
    rask_value results[MOST_TARGETS];
    for (size_t k = 0; k < COUNT(schedulers); k++) {
        const rask_options options = {.size = sizeof options, .scheduler = schedulers[k], .workers = 2};
        cr_assert_eq(rask_plan_run(s->plan, &options, results), RASK_OK, "%s", rask_plan_error(s->plan));
        for (int i = 0; i < s->targets; i++) {
            number n = value_of(s, s->target[i]);
            cr_assert_eq(results[i].type, (uint32_t)n.type);
            cr_assert(n.type != RASK_I64 || results[i].as.i64 == n.v, "target %d on %s", i, schedulers[k]);
            rask_value_unref(&results[i]);
        }
    }
}

static void for_random_graphs(void (*check)(sketch *s))
{
    static sketch s;
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        sketch_random(&s, seed);
        build_and_plan(&s);
        expect_from_sketch(&s);
        check_tasks(&s);
        find_waits(&s);
        check(&s);
        rask_plan_free(s.plan);
        rask_graph_free(s.graph);
    }
}

static void check_tasks_only(sketch *s)
{
    cr_assert_eq(rask_graph_size(s->graph), (uint32_t)s->count);
}
static void check_wiring(sketch *s)
{
    check_arguments(s);
    check_uses(s);
    check_targets(s);
}
static void check_units(sketch *s)
{
    check_fusion(s);
}
static void check_order(sketch *s)
{
    check_release(s->plan, all_before_are_done);
    check_priorities(s);
}
static void check_numbers(sketch *s)
{
    check_peaks(s);
    check_stats(s);
}
static void check_outcome(sketch *s)
{
    check_results(s);
}

Test(random_plans, hold_each_needed_and_different_call_once)
{
    for_random_graphs(check_tasks_only);
}
Test(random_plans, wire_arguments_targets_and_uses_as_the_graph_does)
{
    for_random_graphs(check_wiring);
}
Test(random_plans, fuse_what_may_be_fused_and_nothing_else)
{
    for_random_graphs(check_units);
}
Test(random_plans, release_every_unit_once_after_all_before_it_and_by_priority)
{
    for_random_graphs(check_order);
}
Test(random_plans, know_their_peaks_and_paths)
{
    for_random_graphs(check_numbers);
}
Test(random_plans, compute_what_the_graph_says)
{
    for_random_graphs(check_outcome);
}

/* Joins. */

static uint32_t joins_for(uint32_t preds)
{
    uint32_t joins = 0;
    for (; preds > RK_JOIN_FAN_IN; joins += preds)
        preds = (preds + RK_JOIN_FAN_IN - 1) / RK_JOIN_FAN_IN;
    return joins;
}

static const uint32_t widths[] = {1, 63, 64, 65, 128, 4095, 4096, 4097, 300000};

Test(joins, stand_between_a_call_and_its_many_predecessors)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        rask_graph *g = rask_graph_new();
        rask_node **nodes = malloc(widths[i] * sizeof *nodes);
        for (uint32_t k = 0; k < widths[i]; k++)
            nodes[k] = rask_delayed(g, impure, (int64_t)k);
        rask_node *last = rask_call_nodes(g, RASK_DEF(impure), nodes, widths[i]);
        rask_plan *plan;
        cr_assert_eq(rask_plan_new(&last, 1, &plan), RASK_OK);
        cr_expect_eq(plan->all_units, plan->units + joins_for(widths[i]) + 1, "%u predecessors", widths[i]);
        check_release(plan, NULL);
        rask_plan_free(plan);
        rask_graph_free(g);
        free(nodes);
    }
}

Test(joins, stand_between_the_end_and_many_results)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        rask_graph *g = rask_graph_new();
        rask_node **nodes = malloc(widths[i] * sizeof *nodes);
        rask_value *results = malloc(widths[i] * sizeof *results);
        rask_plan *plan;
        for (uint32_t k = 0; k < widths[i]; k++)
            nodes[k] = rask_delayed(g, impure, (int64_t)k);
        cr_assert_eq(rask_plan_new(nodes, widths[i], &plan), RASK_OK);
        cr_expect_eq(plan->all_units, plan->units + joins_for(widths[i]) + 1, "%u results", widths[i]);
        check_release(plan, NULL);
        cr_assert_eq(rask_plan_run(plan, NULL, results), RASK_OK);
        for (uint32_t k = 0; k < widths[i]; k++)
            cr_assert_eq(results[k].as.i64, mix(2, (number){RASK_I64, k}));
        rask_plan_free(plan);
        rask_graph_free(g);
        free(nodes);
        free(results);
    }
}
