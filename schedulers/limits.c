/* What units take. */
#include "schedulers/limits.h"

#include <stdio.h>
#include <string.h>

#define NOT_KNOWN UINT32_MAX

typedef struct maker {
    const rask_plan *plan;
    rk_limits *limits;
    uint32_t *class_of; /* by definition, for tasks without tags of their own; NOT_KNOWN: not asked for yet */
    char *reason;
    size_t capacity;
} maker;

/* Why a task cannot run, behind its name and place. */
static int complain(const maker *m, uint32_t task, int status, const char *why)
{
    const rask_node *node = rk_graph_node(m->plan->graph, m->plan->node[task]);
    rk_site site = rk_node_site(node);
    rk_print out = {m->reason, m->capacity, 0};
    rk_print_add(&out, "task %s (node %u", rask_node_name(node), node->id);
    if (site.file)
        rk_print_add(&out, ", %s:%d", site.file, site.line);
    rk_print_add(&out, "): %s", why);
    return status;
}

static int add_class(const maker *m, uint32_t task, const rk_needs *needs, uint32_t *class)
{
    int status = rk_gate_class(m->limits->gate, needs, class);
    return status ? complain(m, task, status, RK_TOO_MANY_NEED_KINDS) : RASK_OK;
}

_Static_assert(RK_MAX_GATE_NEEDS == 8, "a message says so");

static int class_of_task(maker *m, uint32_t task, uint32_t *class)
{
    const rask_node *node = rk_graph_node(m->plan->graph, m->plan->node[task]);
    const rask_task_def *def = rk_plan_def(m->plan, task);
    const rk_extra *extra = m->plan->def[task] & RK_TASK_EXTRA ? rk_node_extra(node) : NULL;
    const char *own = extra ? extra->tags : NULL;
    uint32_t *known = own ? class : &m->class_of[node->def];
    if (own || *known == NOT_KNOWN) {
        rk_needs needs;
        char why[RK_MAX_MESSAGE];
        int status =
            rk_gate_need(m->limits->gate, def->name, own ? own : rk_def_tags(def), &needs, why, sizeof why);
        if (status)
            return complain(m, task, status, why);
        if ((status = add_class(m, task, &needs, known)))
            return status;
    }
    *class = *known;
    return RASK_OK;
}

/* The class of a unit's first task becomes that of all of them. */
static int join_class(maker *m, uint32_t task, uint32_t *class, uint32_t other)
{
    rk_needs needs = *rk_gate_needs(m->limits->gate, *class);
    if (*class == other)
        return RASK_OK;
    int status = rk_needs_join(&needs, rk_gate_needs(m->limits->gate, other));
    if (status)
        return complain(m, task, status, "it runs right behind tasks with whom it has more than 8 limits");
    return add_class(m, task, &needs, class);
}

static int add_unit(maker *m, uint32_t unit)
{
    uint32_t first = m->plan->unit_start[unit], class = 0, other;
    rk_gate_waiter waiter = {.priority = INT32_MIN, .place = RK_UNIT_PLACE | unit};
    for (uint32_t task = first; task < m->plan->unit_start[unit + 1]; task++) {
        int status = class_of_task(m, task, &other);
        if (!status)
            status = join_class(m, task, &class, other);
        if (status)
            return status;
    }
    if (!class)
        return RASK_OK;
    for (uint32_t task = first; task < m->plan->unit_start[unit + 1]; task++) {
        int32_t priority = rk_node_priority(rk_graph_node(m->plan->graph, m->plan->node[task]));
        waiter.priority = priority > waiter.priority ? priority : waiter.priority;
    }
    rk_gate_waiter *place = rk_array_push(&m->limits->waiters);
    if (!place)
        return complain(m, first, RASK_ENOMEM, "no memory for what it takes");
    waiter.class = class;
    *place = waiter;
    return RASK_OK;
}

/* Some task of the graph may take something. */
static bool any_needs(const rask_plan *plan, const char *limits)
{
    const rask_task_def *const *defs = plan->graph->definitions.data;
    const rk_extra *extras = plan->graph->extras.data;
    bool any = *limits;
    for (uint32_t i = 0; i < plan->def_count && !any; i++)
        any = *rk_def_tags(defs[i]);
    for (size_t i = 0; i < plan->graph->extras.count && !any; i++)
        any = extras[i].tags && *extras[i].tags;
    return any;
}

static int add_units(maker *m)
{
    size_t count = m->plan->def_count;
    int status = RASK_OK;
    m->class_of = rk_alloc_array(count + 1, sizeof *m->class_of);
    if (!m->class_of)
        return complain(m, 0, RASK_ENOMEM, "no memory for what it takes");
    memset(m->class_of, 0xff, count * sizeof *m->class_of);
    for (uint32_t unit = 0; unit < m->plan->units && !status; unit++)
        status = add_unit(m, unit);
    rk_free(m->class_of);
    return status;
}

int rk_limits_new(const rask_plan *plan, const char *limits, rk_limits **out, char *reason, size_t capacity)
{
    *out = NULL;
    limits = limits ? limits : "";
    if (!any_needs(plan, limits))
        return RASK_OK;
    maker m = {
        .plan = plan, .limits = rk_calloc(1, sizeof *m.limits), .reason = reason, .capacity = capacity};
    if (!m.limits) {
        snprintf(reason, capacity, "limits: out of memory");
        return RASK_ENOMEM;
    }
    m.limits->waiters = (rk_array)RK_ARRAY(rk_gate_waiter, SIZE_MAX / sizeof(rk_gate_waiter));
    int status = rk_gate_new(limits, &m.limits->gate, reason, capacity);
    if (!status)
        status = add_units(&m);
    if (!status && m.limits->waiters.count)
        *out = m.limits;
    else
        rk_limits_free(m.limits);
    return status;
}

void rk_limits_free(rk_limits *limits)
{
    if (!limits)
        return;
    rk_gate_free(limits->gate);
    rk_array_fini(&limits->waiters);
    rk_free(limits);
}

uint32_t rk_limits_totals(const rk_limits *limits, uint32_t totals[RK_MAX_LIMITS])
{
    uint32_t counters = rk_gate_counters(limits->gate);
    for (uint32_t i = 0; i < counters; i++)
        totals[i] = rk_gate_total(limits->gate, i);
    return counters;
}

rk_gate_waiter *rk_limits_of(const rk_limits *limits, uint32_t unit)
{
    rk_gate_waiter *waiters = limits->waiters.data;
    size_t first = 0, end = limits->waiters.count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if ((uint32_t)waiters[middle].place < unit)
            first = middle + 1;
        else
            end = middle;
    }
    return first < limits->waiters.count && (uint32_t)waiters[first].place == unit ? &waiters[first] : NULL;
}
