/* Plans: made by the passes of planner.h, bound, asked and ended. Running them is the schedulers' work. */
#include "core/order/order.h"
#include "core/plan/planner.h"
#include "core/store/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Frees what is not NULL yet, for whoever allocates next. */
static void drop(void *array)
{
    rk_free(*(void **)array);
    *(void **)array = NULL;
}

void rk_planner_fini(rk_planner *p)
{
    drop(&p->needed);
    drop(&p->word);
    drop(&p->into);
    drop(&p->member_start);
    drop(&p->members);
    drop(&p->pred_start);
    drop(&p->pred);
    drop(&p->succ_start);
    drop(&p->succ);
    drop(&p->size);
    drop(&p->order);
}

static int find_order(rk_planner *p)
{
    rk_order_graph graph = {p->units, p->pred_start, p->pred, p->succ_start, p->succ, p->size};
    p->order = rk_alloc_array((size_t)p->units + 1, sizeof *p->order);
    return p->order ? rk_order(&graph, p->order) : RASK_ENOMEM;
}

static int run_passes(rk_planner *p, rask_plan *plan)
{
    int status = rk_plan_cull(p);
    if (!status)
        status = rk_plan_merge(p);
    if (!status)
        status = rk_plan_fuse(p);
    if (!status)
        status = rk_plan_unite(p);
    if (!status)
        status = find_order(p);
    if (!status)
        status = rk_plan_prioritise(p);
    drop(&p->needed);
    drop(&p->size);
    drop(&p->succ);
    if (!status)
        status = rk_plan_emit_tasks(p, plan);
    drop(&p->word);
    drop(&p->into);
    drop(&p->member_start);
    drop(&p->members);
    if (!status)
        status = rk_plan_emit_edges(p, plan);
    plan->culled = p->graph->count - p->needed_count;
    plan->merged = p->merged;
    plan->edges = p->edges;
    return status;
}

int rask_plan_new(rask_node *const *targets, size_t count, rask_plan **out)
{
    if (!out)
        return RASK_EINVAL;
    rask_graph *graph;
    int status = rk_graph_of(targets, count, &graph);
    if (status)
        return status;
    if (count > RK_MAX_NODES)
        return rk_graph_report(graph, RASK_ELIMIT, "plan: %zu targets, at most %u are possible", count,
                               RK_MAX_NODES);
    rask_plan *plan = rk_calloc(1, sizeof *plan);
    if (!plan)
        return rk_graph_report(graph, RASK_ENOMEM, "plan: out of memory");
    plan->graph = rk_graph_ref(graph);
    plan->constant_count = (uint32_t)graph->constants.count;
    plan->def_count = (uint32_t)graph->definitions.count;
    rk_planner planner = {.graph = graph, .targets = targets, .target_count = count};
    status = run_passes(&planner, plan);
    rk_planner_fini(&planner);
    if (status) {
        rask_plan_free(plan);
        return rk_graph_report(graph, status, "plan: %s, for %u nodes", rask_status_text(status),
                               graph->count);
    }
    *out = plan;
    return rk_graph_report(graph, RASK_OK, "%s", "");
}

void rask_plan_free(rask_plan *plan)
{
    if (!plan)
        return;
    for (uint32_t i = 0; plan->constants && i < plan->constant_count; i++)
        rask_value_unref(&plan->constants[i]);
    rk_free(plan->constants);
    rk_free(plan->targets);
    rk_free(plan->def);
    rk_free(plan->node);
    rk_free(plan->arg_start);
    rk_free(plan->args);
    rk_free(plan->uses);
    rk_free(plan->unit_start);
    rk_free(plan->join);
    rk_free(plan->succ_start);
    rk_free(plan->succ);
    rk_free(plan->roots);
    rk_plan_forget(plan);
    rk_free(plan->spare);
    rask_graph_free(plan->graph);
    rk_free(plan);
}

uint32_t rk_plan_nargs(const rask_plan *plan, uint32_t task)
{
    uint32_t words = plan->arg_start[task + 1] - plan->arg_start[task];
    return plan->def[task] & RK_TASK_EXTRA ? words - rk_graph_node(plan->graph, plan->node[task])->order_only
                                           : words;
}

uint32_t rk_plan_unit(const rask_plan *plan, uint32_t task)
{
    uint32_t low = 0, high = plan->units;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (plan->unit_start[middle] <= task)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void rk_plan_forget(rask_plan *plan)
{
    for (uint32_t i = 0; i < plan->failure_count; i++)
        rk_free((char *)plan->failures[i].message);
    rk_free(plan->failures);
    rk_free(plan->error);
    plan->failures = NULL;
    plan->failure_count = 0;
    plan->error = NULL;
}

uint32_t rask_plan_failures(const rask_plan *plan, const rask_failure **failures)
{
    if (!plan || !failures)
        return 0;
    *failures = plan->failures;
    return plan->failure_count;
}

/* A budget or a worker's death says nothing of the task. */
const char *rk_plan_own_message(const rask_plan *plan, int status)
{
    bool own =
        plan->failure_count && plan->failures[0].message && status != RASK_EBUDGET && status != RASK_EDIED;
    return own ? plan->failures[0].message : rask_plan_error(plan);
}

const char *rask_plan_error(const rask_plan *plan)
{
    return plan && plan->error ? plan->error : "";
}

int rk_plan_fail(rask_plan *plan, int status, const char *format, ...)
{
    char message[RK_MAX_ERROR];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rk_plan_forget(plan);
    plan->error = rk_strndup(message, strlen(message));
    return rk_graph_report(plan->graph, status, "%s", message);
}

/* Constants of the plan's own, each with a reference. */
static int copy_constants(rask_plan *plan)
{
    size_t count = plan->constant_count;
    const rask_value *from = plan->graph->constants.data;
    rask_value *copies = rk_alloc_array(count, sizeof *copies);
    if (!copies)
        return RASK_ENOMEM;
    for (size_t i = 0; i < count; i++)
        copies[i] = rask_value_ref(&from[i]);
    plan->constants = copies;
    return RASK_OK;
}

int rask_plan_bind(rask_plan *plan, const rask_node *input, const rask_value *value)
{
    if (!plan)
        return RASK_EINVAL;
    if (!input || !value || value->type > RASK_CUSTOM)
        return rk_plan_fail(plan, RASK_EINVAL, "bind: no input, or no value for it");
    rask_graph *graph = plan->graph;
    if (input->graph != graph || !(input->flags & RK_NODE_INPUT))
        return rk_plan_fail(plan, RASK_EINVAL, "bind: %s (node %u) is no input of the plan's graph",
                            rask_node_name(input), input->id);
    uint32_t word = rk_node_args(input)[0], index = word & ~RK_CONSTANT;
    const rask_value *old = rk_graph_constant(graph, word);
    if (old->type != value->type)
        return rk_plan_fail(plan, RASK_ETYPE, "bind: input %u is %s, not %s", input->id,
                            rask_type_name(old->type), rask_type_name(value->type));
    if (index >= plan->constant_count)
        return rk_plan_fail(plan, RASK_EINVAL, "bind: input %u was built after the plan", input->id);
    if (!plan->constants && copy_constants(plan))
        return rk_plan_fail(plan, RASK_ENOMEM, "bind: no memory for %u constants", plan->constant_count);
    rk_plan_forget(plan);
    rask_value fresh = rask_value_ref(value);
    rk_store_exempt(&fresh);
    rask_value_unref(&plan->constants[index]);
    plan->constants[index] = fresh;
    return RASK_OK;
}

int rk_out_put(const rask_value *value, rask_out_kind kind, void *out)
{
    switch (kind) {
    case RASK_OUT_BOOL: return rask_value_get_bool(value, out);
    case RASK_OUT_I64: return rask_value_get_i64(value, out);
    case RASK_OUT_F64: return rask_value_get_f64(value, out);
    case RASK_OUT_VALUE: *(rask_value *)out = rask_value_ref(value); return RASK_OK;
    default: return RASK_EINVAL;
    }
}
