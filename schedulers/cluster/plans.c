#include "schedulers/cluster/plans.h"

#include "core/graph/build.h"
#include "schedulers/cluster/values.h"

#include <stdio.h>
#include <string.h>

#define MAGIC   UINT64_C(0x6e616c706b736172)
#define VERSION 1u

/* What stands first. */
typedef struct head {
    uint64_t magic;
    uint32_t version;
    uint32_t tasks, units, words, io_tasks, definitions, constants;
    uint32_t extras;
    /* Options. */
    uint32_t retries, inject_failures, inject_delays, timed;
    uint64_t seed;
} head;

_Static_assert(sizeof(head) == 64, "no byte of it is unset");

/* Attributes of one call. */
typedef struct attributes {
    uint32_t task, order_only, retries;
    uint32_t own; /* OWN_… */
    double timeout, backoff;
} attributes;

enum { OWN_RETRIES = 1, OWN_TIMEOUT = 2, OWN_BACKOFF = 4, OWN_EXTRA = 8 };

/* What a definition is made of beside functions and texts. */
typedef struct definition {
    uint32_t flags, retries;
    double timeout, backoff;
    uint64_t result_bytes;
    char result;
    uint8_t here; /* nothing else is there */
    uint8_t has_identity, has_retry_if, has_arguments;
    char unused[3];
} definition;

/* -- Writing */

typedef struct writer {
    rk_pack_out *out;
    const rk_run *run;
    uint32_t *task; /* that cannot go */
    char *message;
    size_t capacity;
    uint32_t *number;   /* by constant */
    uint32_t *first;    /* by definition */
    uint32_t constants; /* that go */
} writer;

static int complain(const writer *w, uint32_t task, int status, const char *why)
{
    *w->task = task;
    snprintf(w->message, w->capacity, "%s", why);
    return status;
}

static bool is_here(const rask_plan *plan, uint32_t task)
{
    return rk_plan_def(plan, task)->flags & RASK_HERE;
}

static uint32_t count_extras(const rask_plan *plan)
{
    uint32_t count = 0;
    for (uint32_t task = 0; task < plan->tasks; task++)
        count += (plan->def[task] & RK_TASK_EXTRA) != 0;
    return count;
}

static void put_extras(const writer *w)
{
    const rask_plan *plan = w->run->plan;
    for (uint32_t task = 0; task < plan->tasks; task++) {
        if (!(plan->def[task] & RK_TASK_EXTRA))
            continue;
        const rk_extra *extra = rk_run_extra(w->run, task);
        attributes a = {.task = task, .order_only = rk_graph_node(plan->graph, plan->node[task])->order_only};
        if (extra) {
            a.own = OWN_EXTRA | (extra->own_retries ? OWN_RETRIES : 0) |
                    (extra->own_timeout ? OWN_TIMEOUT : 0) | (extra->own_backoff ? OWN_BACKOFF : 0);
            a.retries = extra->retries;
            a.timeout = extra->timeout;
            a.backoff = extra->backoff;
        }
        rk_pack_put(w->out, &a, sizeof a);
    }
}

/* By definition, the first of its tasks; plan->tasks: it has none. */
static uint32_t *find_first_tasks(const rask_plan *plan)
{
    uint32_t *first = rk_alloc_array((size_t)plan->def_count + 1, sizeof *first);
    for (uint32_t i = 0; first && i < plan->def_count; i++)
        first[i] = plan->tasks;
    for (uint32_t task = plan->tasks; first && task-- > 0;)
        first[plan->def[task] & RK_TASK_DEF_MASK] = task;
    return first;
}

static void put_text(rk_pack_out *out, const char *text)
{
    rk_pack_put_bytes(out, text, strlen(text) + 1);
}

static int put_functions(rk_pack_out *out, const rask_task_def *def, const definition *d)
{
    int status = rk_pack_put_place(out, (uintptr_t)def->call);
    if (!status && d->has_identity)
        status = rk_pack_put_place(out, (uintptr_t)def->identity);
    if (!status && d->has_retry_if)
        status = rk_pack_put_place(out, (uintptr_t)def->retry_if);
    return status;
}

/* What the plan has no task of is there by its number only, as what runs elsewhere. */
static int put_definition(const writer *w, uint32_t index)
{
    const rask_plan *plan = w->run->plan;
    const rask_task_def *def = ((const rask_task_def *const *)plan->graph->definitions.data)[index];
    uint32_t task = w->first[index];
    definition d = {.flags = def->flags,
                    .retries = def->retries,
                    .timeout = def->timeout,
                    .backoff = rk_def_backoff(def),
                    .result_bytes = def->result_bytes,
                    .result = def->result,
                    .here = task == plan->tasks || def->flags & RASK_HERE,
                    .has_identity = def->identity != NULL,
                    .has_retry_if = RK_DEF_HAS(def, retry_if) && def->retry_if,
                    .has_arguments = def->arguments != NULL};
    rk_pack_put(w->out, &d, sizeof d);
    if (d.here)
        return RASK_OK;
    put_text(w->out, def->name);
    if (d.has_arguments)
        put_text(w->out, def->arguments);
    if (!put_functions(w->out, def, &d))
        return RASK_OK;
    return complain(w, task, RASK_EUNSUPPORTED,
                    "cannot run in another process: its function was made at run time");
}

/* Constants are numbered by their first use; those that nobody takes elsewhere are all the one behind the last, which is none. */
static void number_constants(writer *w)
{
    const rask_plan *plan = w->run->plan;
    for (uint32_t i = 0; i < plan->constant_count; i++)
        w->number[i] = UINT32_MAX;
    for (uint32_t task = 0; task < plan->tasks; task++) {
        const uint32_t *words = plan->args + plan->arg_start[task];
        uint32_t taken = is_here(plan, task) ? 0 : rk_plan_nargs(plan, task);
        for (uint32_t i = 0; i < taken; i++) {
            uint32_t index = words[i] & ~RK_CONSTANT;
            if (words[i] & RK_CONSTANT && w->number[index] == UINT32_MAX)
                w->number[index] = w->constants++;
        }
    }
}

static void put_words(const writer *w)
{
    const rask_plan *plan = w->run->plan;
    for (uint32_t i = 0; i < plan->arg_start[plan->tasks]; i++) {
        uint32_t word = plan->args[i], index = word & ~RK_CONSTANT;
        if (word & RK_CONSTANT)
            word = RK_CONSTANT | (w->number[index] == UINT32_MAX ? w->constants : w->number[index]);
        rk_pack_put_u32(w->out, word);
    }
}

/* In the order of their numbers, which is that of their first uses. */
static int put_constants(const writer *w)
{
    const rask_plan *plan = w->run->plan;
    uint32_t next = 0;
    int status = RASK_OK;
    char why[RK_MAX_MESSAGE / 2];
    for (uint32_t task = 0; task < plan->tasks && !status; task++) {
        uint32_t at = plan->arg_start[task], end = at + rk_plan_nargs(plan, task);
        for (; at < end && !status && !is_here(plan, task); at++) {
            uint32_t index = plan->args[at] & ~RK_CONSTANT;
            if (!(plan->args[at] & RK_CONSTANT) || w->number[index] != next)
                continue;
            next++;
            status = rk_pack_put_value(w->out, &w->run->env.constants[index], why, sizeof why);
            if (status)
                complain(w, task, status, why);
        }
    }
    return status;
}

static head head_of(const rk_run *run)
{
    const rask_plan *plan = run->plan;
    const rask_options *o = &run->options;
    return (head){.magic = MAGIC,
                  .version = VERSION,
                  .tasks = plan->tasks,
                  .units = plan->units,
                  .words = plan->arg_start[plan->tasks],
                  .io_tasks = plan->io_tasks,
                  .definitions = plan->def_count,
                  .extras = count_extras(plan),
                  .retries = o->retries,
                  .inject_failures = o->inject_failures,
                  .inject_delays = o->inject_delays,
                  .timed = o->timeout > 0,
                  .seed = o->seed};
}

static void put_tasks(const writer *w)
{
    const rask_plan *plan = w->run->plan;
    rk_pack_put(w->out, plan->def, plan->tasks * sizeof *plan->def);
    rk_pack_put(w->out, plan->uses, plan->tasks * sizeof *plan->uses);
    rk_pack_put(w->out, plan->arg_start, ((uint64_t)plan->tasks + 1) * sizeof *plan->arg_start);
    put_words(w);
    rk_pack_put(w->out, plan->unit_start, ((uint64_t)plan->units + 1) * sizeof *plan->unit_start);
    put_extras(w);
}

static int put_all(writer *w)
{
    int status = RASK_OK;
    number_constants(w);
    head h = head_of(w->run);
    h.constants = w->constants;
    rk_pack_put(w->out, &h, sizeof h);
    put_tasks(w);
    for (uint32_t i = 0; i < h.definitions && !status; i++)
        status = put_definition(w, i);
    rk_pack_begin_together();
    status = status ? status : put_constants(w);
    rk_pack_end_together();
    return status;
}

int rk_pack_put_plan(rk_pack_out *out, const rk_run *run, uint32_t *task, char *message, size_t capacity)
{
    writer w = {.out = out, .run = run, .task = task, .message = message, .capacity = capacity};
    w.first = find_first_tasks(run->plan);
    w.number = rk_alloc_array((size_t)run->plan->constant_count + 1, sizeof *w.number);
    int status = w.first && w.number ? put_all(&w) : RASK_ENOMEM;
    rk_free(w.first);
    rk_free(w.number);
    if (status == RASK_ENOMEM || (!status && out->failed))
        status = complain(&w, 0, RASK_ENOMEM, "no memory to send the plan");
    return status;
}

/* -- Reading */

typedef struct reader {
    rk_pack_in in;
    rask_plan *plan;
    rask_graph *graph;
    head head;
    char *message;
    size_t capacity;
} reader;

static int refuse(const reader *r, const char *what)
{
    snprintf(r->message, r->capacity, "the plan that came is none that this program can run: %s", what);
    return RASK_EFORMAT;
}

static int no_memory(const reader *r)
{
    snprintf(r->message, r->capacity, "no memory for the plan of a run");
    return RASK_ENOMEM;
}

/* count numbers that are there, into memory of their own. */
static int get_numbers(reader *r, uint64_t count, uint32_t **out)
{
    const char *at = rk_pack_get(&r->in, count * sizeof **out);
    if (!at)
        return refuse(r, "it is cut off");
    *out = rk_alloc_array(count + 1, sizeof **out);
    if (!*out)
        return no_memory(r);
    memcpy(*out, at, count * sizeof **out);
    return RASK_OK;
}

/* From 0 to last; by 1 at least where strictly. */
static bool ascends(const uint32_t *start, uint32_t count, uint32_t last, bool strictly)
{
    if (start[0] || start[count] != last)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (start[i + 1] < start[i] + strictly)
            return false;
    return true;
}

/* Arguments are constants or tasks before, definitions are there. */
static bool are_tasks(const reader *r)
{
    const rask_plan *plan = r->plan;
    for (uint32_t task = 0; task < plan->tasks; task++) {
        if ((plan->def[task] & RK_TASK_DEF_MASK) >= r->head.definitions)
            return false;
        for (uint32_t at = plan->arg_start[task]; at < plan->arg_start[task + 1]; at++) {
            uint32_t word = plan->args[at], index = word & ~RK_CONSTANT;
            if (word & RK_CONSTANT ? index > r->head.constants : index >= task)
                return false;
        }
    }
    return true;
}

/* A result ends with its last use: no more are taken than are counted. */
static int check_uses(const reader *r)
{
    const rask_plan *plan = r->plan;
    uint32_t *taken = rk_calloc((size_t)plan->tasks + 1, sizeof *taken);
    bool good = true;
    if (!taken)
        return no_memory(r);
    for (uint32_t task = 0; task < plan->tasks; task++)
        for (uint32_t i = 0, n = rk_plan_nargs(plan, task); i < n; i++) {
            uint32_t word = plan->args[plan->arg_start[task] + i];
            if (!(word & RK_CONSTANT))
                good &= ++taken[word] <= plan->uses[word];
        }
    rk_free(taken);
    return good ? RASK_OK : refuse(r, "a result is taken more often than it says");
}

static int get_tasks(reader *r)
{
    rask_plan *plan = r->plan;
    const head *h = &r->head;
    plan->tasks = h->tasks;
    plan->units = h->units;
    plan->all_units = h->units + 1;
    plan->io_tasks = h->io_tasks;
    int status = get_numbers(r, h->tasks, &plan->def);
    if (!status)
        status = get_numbers(r, h->tasks, &plan->uses);
    if (!status)
        status = get_numbers(r, (uint64_t)h->tasks + 1, &plan->arg_start);
    if (!status)
        status = get_numbers(r, h->words, &plan->args);
    if (!status)
        status = get_numbers(r, (uint64_t)h->units + 1, &plan->unit_start);
    if (status)
        return status;
    if (!ascends(plan->arg_start, h->tasks, h->words, false) ||
        !ascends(plan->unit_start, h->units, h->tasks, true) || !are_tasks(r))
        return refuse(r, "its numbers make no sense");
    plan->node = rk_calloc((size_t)h->tasks + 1, sizeof *plan->node);
    return plan->node ? RASK_OK : no_memory(r);
}

static bool fill_extra(rask_node *node, const attributes *a)
{
    rk_extra *extra = a->own & OWN_EXTRA ? rk_graph_extra(node) : NULL;
    if (!extra)
        return !(a->own & OWN_EXTRA);
    extra->own_retries = a->own & OWN_RETRIES;
    extra->own_timeout = a->own & OWN_TIMEOUT && a->timeout >= 0;
    extra->own_backoff = a->own & OWN_BACKOFF && a->backoff >= 0;
    extra->retries = a->retries;
    extra->timeout = a->timeout;
    extra->backoff = a->backoff;
    return true;
}

/* Each is on a node of its own, that the task is said to come from; all others come from the first node. */
static int get_extra(reader *r)
{
    attributes a;
    rask_plan *plan = r->plan;
    const char *at = rk_pack_get(&r->in, sizeof a);
    if (!at)
        return refuse(r, "it is cut off");
    memcpy(&a, at, sizeof a);
    if (a.task >= plan->tasks || plan->node[a.task] || !(plan->def[a.task] & RK_TASK_EXTRA) ||
        a.order_only > plan->arg_start[a.task + 1] - plan->arg_start[a.task])
        return refuse(r, "attributes belong to no task");
    rask_node *node = rask_list(r->graph, NULL, 0);
    if (!node || !fill_extra(node, &a))
        return no_memory(r);
    node->order_only = a.order_only;
    plan->node[a.task] = node->id;
    return RASK_OK;
}

static int get_extras(reader *r)
{
    if (!rask_list(r->graph, NULL, 0))
        return no_memory(r);
    int status = RASK_OK;
    for (uint32_t i = 0; i < r->head.extras && !status; i++)
        status = get_extra(r);
    return status;
}

/* A text that ends where it says; NULL: it does not. */
static const char *get_text(reader *r)
{
    rask_bytes text = rk_pack_get_bytes(&r->in);
    if (!text.data || !text.len || strnlen(text.data, text.len) + 1 != text.len)
        return NULL;
    char *copy = rk_arena_alloc(&r->graph->arena, text.len);
    return copy ? memcpy(copy, text.data, text.len) : NULL;
}

static int be_elsewhere(rask_task *task)
{
    return rask_fail(task, RASK_EUNSUPPORTED, "runs in the program's own process only");
}

static const rask_task_def elsewhere = {
    .size = sizeof elsewhere, .name = "elsewhere", .call = be_elsewhere, .flags = RASK_HERE};

static int get_functions(reader *r, const definition *d, rask_task_def *def)
{
    def->call = (rask_function)rk_pack_get_place(&r->in, 1, true);
    if (d->has_identity)
        def->identity = (void (*)(void))rk_pack_get_place(&r->in, 1, true);
    if (d->has_retry_if)
        def->retry_if = (bool (*)(int, uint32_t))rk_pack_get_place(&r->in, 1, true);
    if (!r->in.failed)
        return RASK_OK;
    char why[512];
    rk_pack_tell_lacking(&r->in, why, sizeof why);
    return refuse(r, why);
}

static int get_definition(reader *r, uint32_t *number)
{
    definition d;
    rask_task_def *def = rk_arena_alloc(&r->graph->arena, sizeof *def);
    const char *at = rk_pack_get(&r->in, sizeof d);
    if (!def)
        return no_memory(r);
    if (!at)
        return refuse(r, "it is cut off");
    memcpy(&d, at, sizeof d);
    *def = elsewhere;
    if (!d.here) {
        *def = (rask_task_def){.size = sizeof *def,
                               .name = get_text(r),
                               .arguments = d.has_arguments ? get_text(r) : NULL,
                               .result = d.result,
                               .flags = d.flags,
                               .retries = d.retries,
                               .timeout = d.timeout,
                               .backoff = d.backoff,
                               .result_bytes = d.result_bytes};
        if (!def->name || (d.has_arguments && !def->arguments))
            return refuse(r, "a text of it does not end");
        int status = get_functions(r, &d, def);
        if (status)
            return status;
    }
    return rk_graph_add_def(r->graph, def, number) ? no_memory(r) : RASK_OK;
}

static int get_definitions(reader *r)
{
    int status = RASK_OK;
    uint32_t number;
    for (uint32_t i = 0; i < r->head.definitions && !status; i++)
        status = get_definition(r, &number);
    r->plan->def_count = r->head.definitions;
    return status;
}

/* One more than are sent is there, and none. */
static int get_constants(reader *r)
{
    int status = RASK_OK;
    rask_plan *plan = r->plan;
    if (r->head.constants > rk_pack_left(&r->in))
        return refuse(r, "it has fewer constants than it says");
    plan->constants = rk_calloc((size_t)r->head.constants + 1, sizeof *plan->constants);
    if (!plan->constants)
        return no_memory(r);
    while (plan->constant_count < r->head.constants && !status)
        if (!(status =
                  rk_pack_get_value(&r->in, &plan->constants[plan->constant_count], r->message, r->capacity)))
            plan->constant_count++;
    return status;
}

static int get_head(reader *r)
{
    const char *at = rk_pack_get(&r->in, sizeof r->head);
    if (!at)
        return refuse(r, "it is cut off");
    memcpy(&r->head, at, sizeof r->head);
    if (r->head.magic != MAGIC || r->head.version != VERSION)
        return refuse(r, "it is of another version");
    if (r->head.tasks > RK_MAX_NODES || r->head.units > r->head.tasks ||
        r->head.definitions > RK_MAX_DEFINITIONS)
        return refuse(r, "it is too large");
    return RASK_OK;
}

/* Definitions stand in the graph by their numbers before nodes add others. */
static int get_plan(reader *r)
{
    int status = get_head(r);
    if (!status)
        status = get_tasks(r);
    rk_pack_in extras = r->in;
    if (!status && !rk_pack_get(&r->in, (uint64_t)r->head.extras * sizeof(attributes)))
        status = r->head.extras ? refuse(r, "it is cut off") : RASK_OK;
    if (!status)
        status = get_definitions(r);
    rk_pack_in rest = r->in;
    r->in = extras;
    if (!status)
        status = get_extras(r);
    r->in = rest;
    if (!status)
        status = check_uses(r);
    return status ? status : get_constants(r);
}

static void make_model(rk_guest *guest, const head *h)
{
    guest->model = (rk_run){.plan = guest->plan, .scheduler = "cluster"};
    guest->model.options = (rask_options)RASK_OPTIONS_INIT;
    guest->model.options.retries = h->retries;
    guest->model.options.seed = h->seed;
    guest->model.options.inject_failures = h->inject_failures;
    guest->model.options.inject_delays = h->inject_delays;
    guest->model.options.timeout = h->timed ? 1e9 : 0;
    guest->model.env.constants = guest->plan->constants;
}

int rk_guest_init(rk_guest *guest, const char *bytes, uint64_t size, char *message, size_t capacity)
{
    reader r = {.in = {bytes, bytes + size, false, NULL}, .message = message, .capacity = capacity};
    *guest = (rk_guest){0};
    r.graph = rask_graph_new();
    r.plan = guest->plan = rk_calloc(1, sizeof *r.plan);
    if (!r.graph || !r.plan) {
        rask_graph_free(r.graph);
        rk_free(r.plan);
        guest->plan = NULL;
        return no_memory(&r);
    }
    r.plan->graph = r.graph;
    int status = get_plan(&r);
    if (status)
        rk_guest_fini(guest);
    else
        make_model(guest, &r.head);
    return status;
}

void rk_guest_fini(rk_guest *guest)
{
    rask_plan_free(guest->plan);
    *guest = (rk_guest){0};
}
