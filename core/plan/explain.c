/* What a plan will do, in numbers and in words. */
#include "core/base/print.h"
#include "core/plan/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t result_bytes(const rask_plan *plan, uint32_t unit)
{
    uint32_t task = plan->unit_start[unit + 1] - 1;
    const rask_node *node = rk_graph_node(plan->graph, plan->node[task]);
    const rk_extra *extra = rk_node_extra(node);
    uint64_t bytes =
        extra && extra->own_result_bytes ? extra->result_bytes : rk_plan_def(plan, task)->result_bytes;
    return bytes ? bytes : sizeof(rask_value);
}

/* Tasks on the longest path, through units and joins in topological order: units come in plan order and joins
 * have larger numbers than what precedes them, but a unit behind a join has a smaller one. So lengths are
 * pulled along arguments instead of pushed along edges. */
static uint32_t longest_path(const rask_plan *plan)
{
    uint32_t *length = rk_alloc_array((size_t)plan->tasks + 1, sizeof *length), longest = 0;
    if (!length)
        return 0;
    for (uint32_t task = 0; task < plan->tasks; task++) {
        uint32_t before = 0;
        for (uint32_t i = plan->arg_start[task]; i < plan->arg_start[task + 1]; i++)
            if (!(plan->args[i] & RK_CONSTANT) && length[plan->args[i]] > before)
                before = length[plan->args[i]];
        length[task] = before + 1;
        longest = length[task] > longest ? length[task] : longest;
    }
    rk_free(length);
    return longest;
}

/* A run in rounds: in each, the first units of the plan that are ready run, one a worker. */
typedef struct rounds {
    const rask_plan *plan;
    uint32_t *join;      /* by unit of all: predecessors yet to come */
    uint32_t *consumers; /* by unit: arguments outside it that still need its result */
    uint32_t *ready;     /* a heap of units, smallest first */
    uint32_t ready_count;
    uint32_t *unit_of; /* by task */
    uint64_t live, peak;
} rounds;

static void push_ready(rounds *r, uint32_t unit)
{
    uint32_t at = r->ready_count++;
    for (; at && unit < r->ready[(at - 1) / 2]; at = (at - 1) / 2)
        r->ready[at] = r->ready[(at - 1) / 2];
    r->ready[at] = unit;
}

static uint32_t pop_ready(rounds *r)
{
    uint32_t top = r->ready[0], last = r->ready[--r->ready_count], at = 0;
    for (uint32_t child; (child = 2 * at + 1) < r->ready_count; at = child) {
        if (child + 1 < r->ready_count && r->ready[child + 1] < r->ready[child])
            child++;
        if (r->ready[child] >= last)
            break;
        r->ready[at] = r->ready[child];
    }
    r->ready[at] = last;
    return top;
}

/* Calls visit with the unit of every argument from outside of unit. */
static void each_input(rounds *r, uint32_t unit, void (*visit)(rounds *, uint32_t))
{
    const rask_plan *plan = r->plan;
    for (uint32_t task = plan->unit_start[unit]; task < plan->unit_start[unit + 1]; task++) {
        const uint32_t *args = plan->args + plan->arg_start[task];
        for (uint32_t i = 0, n = rk_plan_nargs(plan, task); i < n; i++)
            if (!(args[i] & RK_CONSTANT) && r->unit_of[args[i]] != unit)
                visit(r, r->unit_of[args[i]]);
    }
}

static void count_consumer(rounds *r, uint32_t unit)
{
    r->consumers[unit]++;
}

static void drop_consumer(rounds *r, uint32_t unit)
{
    if (!--r->consumers[unit])
        r->live -= result_bytes(r->plan, unit);
}

/* Counts down what follows a finished unit; joins pass the news on at once. */
static void count_down(rounds *r, uint32_t unit)
{
    const rask_plan *plan = r->plan;
    for (uint32_t e = plan->succ_start[unit]; e < plan->succ_start[unit + 1]; e++) {
        uint32_t next = plan->succ[e];
        while (next >= plan->units && next < plan->all_units - 1 && !--r->join[next])
            next = plan->succ[plan->succ_start[next]];
        if (next < plan->units && !--r->join[next])
            push_ready(r, next);
    }
}

static void run_round(rounds *r, uint32_t workers, uint32_t *running)
{
    uint32_t count = 0;
    if (r->live > r->peak)
        r->peak = r->live;
    while (count < workers && r->ready_count)
        running[count++] = pop_ready(r);
    for (uint32_t i = 0; i < count; i++) {
        each_input(r, running[i], drop_consumer);
        if (r->consumers[running[i]])
            r->live += result_bytes(r->plan, running[i]);
        count_down(r, running[i]);
    }
}

static int rounds_init(rounds *r, const rask_plan *plan)
{
    *r = (rounds){.plan = plan};
    r->join = rk_alloc_array(plan->all_units, sizeof *r->join);
    r->consumers = rk_calloc((size_t)plan->units + 1, sizeof *r->consumers);
    r->ready = rk_alloc_array((size_t)plan->units + 1, sizeof *r->ready);
    r->unit_of = rk_alloc_array((size_t)plan->tasks + 1, sizeof *r->unit_of);
    if (!r->join || !r->consumers || !r->ready || !r->unit_of)
        return RASK_ENOMEM;
    memcpy(r->join, plan->join, plan->all_units * sizeof *r->join);
    for (uint32_t u = 0; u < plan->units; u++)
        for (uint32_t task = plan->unit_start[u]; task < plan->unit_start[u + 1]; task++)
            r->unit_of[task] = u;
    for (uint32_t u = 0; u < plan->units; u++)
        each_input(r, u, count_consumer);
    for (uint32_t i = 0; i < plan->root_count; i++)
        push_ready(r, plan->roots[i]);
    return RASK_OK;
}

static void rounds_fini(rounds *r)
{
    rk_free(r->join);
    rk_free(r->consumers);
    rk_free(r->ready);
    rk_free(r->unit_of);
}

int rask_plan_expected_peak(const rask_plan *plan, uint32_t workers, uint64_t *bytes)
{
    if (!plan || !bytes || !workers || workers > RK_MAX_WORKERS)
        return RASK_EINVAL;
    rounds r;
    int status = rounds_init(&r, plan);
    if (!status) {
        uint32_t running[RK_MAX_WORKERS];
        while (r.ready_count)
            run_round(&r, workers, running);
        *bytes = r.peak;
    }
    rounds_fini(&r);
    return status;
}

static size_t plan_memory(const rask_plan *plan)
{
    size_t words = 4 * (size_t)plan->tasks + plan->arg_start[plan->tasks] + plan->units +
                   2 * (size_t)plan->all_units + plan->succ_start[plan->all_units] + plan->root_count;
    return sizeof *plan + words * sizeof(uint32_t);
}

rask_plan_stats rask_plan_get_stats(const rask_plan *plan)
{
    if (!plan)
        return (rask_plan_stats){0};
    rask_plan_stats stats = {.nodes = plan->graph->count,
                             .culled = plan->culled,
                             .merged = plan->merged,
                             .tasks = plan->tasks,
                             .units = plan->units,
                             .edges = plan->edges,
                             .longest_path = longest_path(plan),
                             .memory = plan_memory(plan)};
    rask_plan_expected_peak(plan, 1, &stats.peak_bytes);
    return stats;
}

/* One line a definition, in the order the graph first used them. */
static int add_names(rk_print *out, const rask_plan *plan)
{
    const rask_task_def *const *defs = plan->graph->definitions.data;
    size_t count = plan->graph->definitions.count;
    uint32_t *tasks = rk_calloc(count + 1, sizeof *tasks);
    if (!tasks)
        return RASK_ENOMEM;
    for (uint32_t task = 0; task < plan->tasks; task++)
        tasks[plan->def[task] & RK_TASK_DEF_MASK]++;
    for (size_t i = 0; i < count; i++)
        if (tasks[i])
            rk_print_add(out, "  %10" PRIu32 " x %s%s%s%s\n", tasks[i], defs[i]->name,
                         defs[i]->flags & RASK_IO ? " (I/O)" : "",
                         defs[i]->flags & RASK_HERE ? " (here)" : "",
                         defs[i]->flags & RASK_PURE ? " (pure)" : "");
    rk_free(tasks);
    return RASK_OK;
}

/* Some task's result has a size hint. */
static bool is_sized(const rask_plan *plan)
{
    for (uint32_t unit = 0; unit < plan->units; unit++)
        if (result_bytes(plan, unit) != sizeof(rask_value))
            return true;
    return false;
}

static void add_peak(rk_print *out, const rask_plan *plan, uint32_t workers, bool sized)
{
    uint64_t peak;
    if (rask_plan_expected_peak(plan, workers, &peak) || peak < sizeof(rask_value))
        return; /* nothing is known of results, or there is none that another task takes */
    rk_print_add(out, "expected peak: ");
    if (sized)
        rk_print_bytes(out, peak);
    else
        rk_print_add(out, "%" PRIu64 " results of unknown size", peak / sizeof(rask_value));
    rk_print_add(out, workers == 1 ? " on 1 worker\n" : " on %" PRIu32 " workers\n", workers);
}

size_t rask_plan_explain(const rask_plan *plan, uint32_t workers, char *buffer, size_t capacity)
{
    if (!plan)
        return 0;
    rk_print out = {buffer, capacity, 0};
    rask_plan_stats stats = rask_plan_get_stats(plan);
    rk_print_add(&out, "%" PRIu32 " tasks in %" PRIu32 " units, %" PRIu64 " edges, from %" PRIu32 " nodes\n",
                 stats.tasks, stats.units, stats.edges, stats.nodes);
    if (add_names(&out, plan))
        return 0;
    rk_print_add(&out, "not needed: %" PRIu32 "; merged into equal calls: %" PRIu32 "; fused: %" PRIu32 "\n",
                 stats.culled, stats.merged, stats.tasks - stats.units);
    rk_print_add(&out, "longest path: %" PRIu32 " tasks; parallelism: %.1f\n", stats.longest_path,
                 stats.longest_path ? (double)stats.tasks / stats.longest_path : 0);
    bool sized = is_sized(plan);
    add_peak(&out, plan, 1, sized);
    if (!workers)
        workers = rask_default_workers();
    if (workers > 1 && workers <= RK_MAX_WORKERS)
        add_peak(&out, plan, workers, sized);
    return out.len;
}

/* 0: not known. */
static uint64_t task_result_bytes(const rask_plan *plan, uint32_t task)
{
    const rk_extra *extra = rk_node_extra(rk_graph_node(plan->graph, plan->node[task]));
    return extra && extra->own_result_bytes ? extra->result_bytes : 0;
}

/* What one task takes at once: its arguments, its result and its scratch. */
static uint64_t task_bytes(const rask_plan *plan, uint32_t task)
{
    const rk_extra *extra = rk_node_extra(rk_graph_node(plan->graph, plan->node[task]));
    uint64_t bytes = task_result_bytes(plan, task) + (extra ? extra->scratch_bytes : 0);
    for (uint32_t i = 0, n = rk_plan_nargs(plan, task); i < n; i++) {
        uint32_t word = plan->args[plan->arg_start[task] + i];
        bytes += word & RK_CONSTANT ? 0 : task_result_bytes(plan, word);
    }
    return bytes;
}

static void add_largest(rk_print *out, const rask_plan *plan)
{
    uint64_t most = 0;
    uint32_t largest = 0;
    for (uint32_t task = 0; task < plan->tasks; task++)
        if (task_bytes(plan, task) > most) {
            largest = task;
            most = task_bytes(plan, task);
        }
    if (!most)
        return;
    rk_print_add(out, "largest task: %s, ", rk_plan_def(plan, largest)->name);
    rk_print_bytes(out, most);
    rk_print_add(out, "\n");
}

void rk_plan_explain(rk_print *out, const rask_plan *plan, const rask_options *options)
{
    size_t room = rk_print_room(out);
    out->len += rask_plan_explain(plan, options->workers, room ? out->buffer + out->len : NULL, room);
    add_largest(out, plan);
    rk_print_add(out, "memory budget: ");
    rk_print_bytes(out, options->memory);
    rk_print_add(out, "\n");
}
