#include "schedulers/checkpoint/derive.h"

#include "core/base/limits.h"
#include "core/graph/derive.h"
#include "core/task/task.h"

#include <string.h>

/* -- Tasks of the journal's */

static void keep_journal(void *journal)
{
    (void)journal; /* who runs the plan has it */
}

static const rask_class journal_class = {.name = "checkpoint", .destroy = keep_journal};

static rk_key key_argument(rask_task *task)
{
    return (rk_key){(uint64_t)rask_arg_i64(task, 1), (uint64_t)rask_arg_i64(task, 2)};
}

static int run_read(rask_task *task)
{
    char message[RK_MAX_MESSAGE + 1];
    rask_value value;
    rk_journal *journal = rask_arg_custom(task, 0, &journal_class);
    if (!journal)
        return RASK_ETASK;
    int status = rk_journal_read(journal, key_argument(task), &value, message, sizeof message);
    return status ? rask_fail(task, status, message) : rask_return_value(task, value);
}

static int run_keep(rask_task *task)
{
    rk_journal *journal = rask_arg_custom(task, 0, &journal_class);
    if (journal)
        rk_journal_put(journal, key_argument(task), rask_arg_value(task, 3));
    return rask_return_none(task);
}

/* What is damaged does not get better. */
static bool never(int status, uint32_t attempt)
{
    (void)status;
    (void)attempt;
    return false;
}

static const rask_task_def read_def = {.size = sizeof read_def,
                                       .name = "from checkpoint",
                                       .call = run_read,
                                       .arguments = "vii",
                                       .flags = RASK_HERE | RASK_SOURCE,
                                       .retry_if = never};
static const rask_task_def keep_def = {.size = sizeof keep_def,
                                       .name = "to checkpoint",
                                       .call = run_keep,
                                       .arguments = "viiv",
                                       .result = RASK_SIG_NONE,
                                       .flags = RASK_HERE};

/* -- What is left */

static bool is_worth(const rask_plan *plan, uint32_t task)
{
    return !(rk_plan_def(plan, task)->flags & (RASK_CHEAP | RASK_SOURCE));
}

static void need(rk_left *left, uint32_t word)
{
    if (!(word & RK_CONSTANT))
        left->state[word] |= RK_LEFT_NEEDED;
}

static void look_for(rk_left *left, uint32_t task)
{
    const rask_plan *plan = left->plan;
    if (rk_key_is(left->keys[task]) && is_worth(plan, task) &&
        rk_journal_find(left->journal, left->keys[task], &left->bytes[task])) {
        left->state[task] |= RK_LEFT_FOUND;
        left->found++;
        return;
    }
    for (uint32_t at = plan->arg_start[task]; at < plan->arg_start[task + 1]; at++)
        need(left, plan->args[at]);
}

/* Of tasks that run one behind the other as a unit the last result is enough, and that before one that is called each time. */
static void choose_kept_of(rk_left *left, uint32_t unit)
{
    const rask_plan *plan = left->plan;
    bool covered = false;
    for (uint32_t task = plan->unit_start[unit + 1]; task-- > plan->unit_start[unit];) {
        bool keyed = rk_key_is(left->keys[task]);
        if (left->state[task] == RK_LEFT_NEEDED && keyed && !covered && is_worth(plan, task)) {
            left->state[task] |= RK_LEFT_KEPT;
            covered = true;
        }
        covered = covered && keyed;
    }
}

static void map_nodes(rk_left *left)
{
    memset(left->task_of, 0xff, ((size_t)left->nodes + 1) * sizeof *left->task_of);
    for (uint32_t task = 0; task < left->plan->tasks; task++)
        left->task_of[left->plan->node[task]] = task;
}

int rk_left_init(rk_left *left, const rask_plan *plan, rk_journal *journal, const rk_key *keys)
{
    *left = (rk_left){.plan = plan, .journal = journal, .keys = keys};
    for (uint32_t task = 0; task < plan->tasks; task++)
        if (plan->node[task] >= left->nodes)
            left->nodes = plan->node[task] + 1;
    left->state = rk_calloc((size_t)plan->tasks + 1, sizeof *left->state);
    left->bytes = rk_calloc((size_t)plan->tasks + 1, sizeof *left->bytes);
    left->task_of = rk_alloc_array((size_t)left->nodes + 1, sizeof *left->task_of);
    if (!left->state || !left->bytes || !left->task_of)
        return RASK_ENOMEM;
    map_nodes(left);
    for (uint32_t i = 0; i < plan->target_count; i++)
        need(left, plan->targets[i]);
    for (uint32_t task = plan->tasks; task-- > 0;)
        if (left->state[task])
            look_for(left, task);
    for (uint32_t unit = 0; unit < plan->units; unit++)
        choose_kept_of(left, unit);
    return RASK_OK;
}

void rk_left_fini(rk_left *left)
{
    rk_free(left->state);
    rk_free(left->bytes);
    rk_free(left->task_of);
    *left = (rk_left){0};
}

/* -- Its plan */

typedef struct deriving {
    const rk_left *left;
    rask_graph *graph;
    rask_value journal; /* as a constant */
    uint32_t *words;    /* of the call that is made */
    size_t capacity;
    rask_node **targets;
    size_t target_count;
} deriving;

static rask_arg i64_arg(uint64_t number)
{
    return (rask_arg){.kind = RASK_ARG_I64, .as.i64 = (int64_t)number};
}

/* A large result's buffer is told to the budget, as is its size. */
static rask_node *add_read(deriving *d, uint32_t task)
{
    const rk_left *left = d->left;
    const rk_key key = left->keys[task];
    const rask_arg args[] = {
        {.kind = RASK_ARG_VALUE, .as.value = &d->journal}, i64_arg(key.low), i64_arg(key.high)};
    rask_node *node = rask_call_at(d->graph, &read_def, args, 3, NULL, 0);
    if (node && left->bytes[task] >= RK_CHECKPOINT_SMALL)
        node = rask_set_scratch_bytes(rask_set_result_bytes(node, left->bytes[task]), left->bytes[task]);
    return node;
}

static rask_node *add_keep(deriving *d, uint32_t task)
{
    const rk_key key = d->left->keys[task];
    const rask_arg args[] = {
        {.kind = RASK_ARG_VALUE, .as.value = &d->journal},
        i64_arg(key.low),
        i64_arg(key.high),
        {.kind = RASK_ARG_NODE, .as.node = rk_graph_node(d->graph, d->left->plan->node[task])}};
    return rask_call_at(d->graph, &keep_def, args, 4, NULL, 0);
}

static bool make_room(deriving *d, size_t words)
{
    if (words <= d->capacity)
        return true;
    uint32_t *grown = rk_realloc(d->words, 2 * words * sizeof *grown);
    if (!grown)
        return false;
    d->words = grown;
    d->capacity = 2 * words;
    return true;
}

/* Arguments of the plan are tasks; here they are nodes again. */
static rask_node *add_call(deriving *d, uint32_t task)
{
    const rask_plan *plan = d->left->plan;
    uint32_t first = plan->arg_start[task], count = plan->arg_start[task + 1] - first;
    if (!make_room(d, (size_t)count + 1))
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t word = plan->args[first + i];
        d->words[i] = word & RK_CONSTANT ? word : plan->node[word];
    }
    return rk_derive_call(d->graph, rk_graph_node(plan->graph, plan->node[task]), d->words, count,
                          plan->def[task] & RK_TASK_CHECK);
}

static rask_node *add_node(deriving *d, uint32_t id)
{
    uint32_t task = d->left->task_of[id];
    uint8_t state = task == UINT32_MAX ? 0 : d->left->state[task];
    if (!state)
        return rk_derive_gap(d->graph, d->left->plan->constant_count);
    return state & RK_LEFT_FOUND ? add_read(d, task) : add_call(d, task);
}

static int add_all(deriving *d)
{
    const rk_left *left = d->left;
    int status = rk_derive_begin(d->graph, rk_plan_constants(left->plan), left->plan->constant_count);
    for (uint32_t id = 0; id < left->nodes && !status; id++)
        if (!add_node(d, id))
            status = d->graph->status ? d->graph->status : RASK_ENOMEM;
    return status;
}

/* Those that were asked for, but for constants; and what keeps results, where that is a task. */
static int add_targets(deriving *d, bool apart)
{
    const rask_plan *plan = d->left->plan;
    size_t most = (size_t)plan->target_count + (apart ? plan->tasks : 0);
    d->targets = rk_alloc_array(most + 1, sizeof(rask_node *));
    if (!d->targets)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < plan->target_count; i++)
        if (!(plan->targets[i] & RK_CONSTANT))
            d->targets[d->target_count++] = rk_graph_node(d->graph, plan->node[plan->targets[i]]);
    for (uint32_t task = 0; apart && task < plan->tasks; task++) {
        if (!(d->left->state[task] & RK_LEFT_KEPT))
            continue;
        rask_node *keep = add_keep(d, task);
        if (!keep)
            return d->graph->status ? d->graph->status : RASK_ENOMEM;
        d->targets[d->target_count++] = keep;
    }
    return RASK_OK;
}

static int derive(deriving *d, bool apart, rask_plan **out)
{
    d->graph = rask_graph_new();
    int status =
        d->graph ? rask_value_custom_new(&journal_class, d->left->journal, &d->journal) : RASK_ENOMEM;
    if (!status)
        status = add_all(d);
    if (!status)
        status = add_targets(d, apart);
    return status ? status : rask_plan_new(d->targets, d->target_count, out);
}

int rk_left_plan(const rk_left *left, bool apart, rask_plan **out)
{
    deriving d = {.left = left, .journal = rask_value_none()};
    int status = derive(&d, apart, out);
    rask_value_unref(&d.journal);
    rk_free(d.words);
    rk_free((void *)d.targets);
    rask_graph_free(d.graph);
    return status;
}

rk_key *rk_left_keys(const rk_left *left, const rask_plan *plan)
{
    rk_key *keys = rk_calloc((size_t)plan->tasks + 1, sizeof *keys);
    for (uint32_t i = 0; keys && i < plan->tasks; i++) {
        uint32_t node = plan->node[i], task = node < left->nodes ? left->task_of[node] : UINT32_MAX;
        if (task != UINT32_MAX && left->state[task] & RK_LEFT_KEPT)
            keys[i] = left->keys[task];
    }
    return keys;
}
