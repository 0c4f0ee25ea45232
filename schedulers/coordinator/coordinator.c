/* The coordinator's life, and what instructions come out of it. Read state.h first: it has the machines and the
 * invariants. Then news.c, what comes in; task.c, copy.c, worker.c, errand.c, the machines; lineage.c, what is made
 * again; room.c, memory; choose.c, policy. */
#include "schedulers/coordinator/state.h"

#include "core/base/alloc.h"
#include "core/base/limits.h"

#include <string.h>

enum {
    DEFAULT_DEATHS = 3,
    DEFAULT_WINDOW = 64,
    DEFAULT_LATENCY_NS = 50000,
    FIRST_TASK_NS = 1000000, /* guess of what a task takes */
    MOST_WINDOW = 1 << 16,
    MOST_WORKERS = 1 << 20,
    MOST_HOMES = 1 << 20,
};
#define DEFAULT_BYTES_PER_SECOND 1000000000u

static void set_defaults(rk_coordinator *c)
{
    rk_coordinator_options *o = &c->options;
    o->most_workers = o->most_workers ? o->most_workers : 1;
    o->most_homes = o->most_homes ? o->most_homes : 1;
    o->deaths = o->deaths ? o->deaths : DEFAULT_DEATHS;
    o->deaths = o->deaths < RK_MAX_DEATHS ? o->deaths : RK_MAX_DEATHS;
    o->window = o->window ? o->window : DEFAULT_WINDOW;
    o->latency_ns = o->latency_ns ? o->latency_ns : DEFAULT_LATENCY_NS;
    o->bytes_per_second = o->bytes_per_second ? o->bytes_per_second : DEFAULT_BYTES_PER_SECOND;
    c->bytes_per_ns = (double)o->bytes_per_second / 1e9;
    c->average_ns = FIRST_TASK_NS;
    for (uint32_t tag = 0; tag < o->tags; tag++)
        c->tags[tag] = o->tag_counts ? o->tag_counts[tag] : 0;
    o->tag_counts = c->tag_totals;
    memcpy(c->tag_totals, c->tags, sizeof c->tags);
    c->outbox = c->backlogged = c->recalls = c->answers = c->outgoing = RK_EMPTY_LIST;
    c->free_worker = c->free_errand = c->lost = c->spared = c->prompt = RK_NONE;
    c->plain[0] = c->plain[1] = RK_NONE;
    c->recall_ns = RK_NEVER;
    c->blames = (rk_array)RK_ARRAY(rk_instruction, RK_MAX_NODES);
    rk_co_vacate_init(c);
    c->free_number = c->script_pool.free = c->edge_pool.free = c->untidy = RK_NONE;
    c->done = c->stuck = c->forgotten = RK_EMPTY_LIST;
    c->numbers = c->number_room = c->graph.tasks;
    c->open = o->open;
}

static int check_limits(const rk_coordinator *c)
{
    const rk_coordinator_options *o = &c->options;
    return c->graph.tasks > RK_MAX_NODES || o->most_workers > MOST_WORKERS || o->most_homes > MOST_HOMES ||
                   o->tags > RK_MAX_TAGS || o->window > MOST_WINDOW ||
                   c->graph.input_start[c->graph.tasks] > UINT32_MAX
               ? RASK_ELIMIT
               : RASK_OK;
}

/* Tasks. */

static int read_task(rk_coordinator *c, uint32_t task)
{
    rk_co_task *t = &c->tasks[task];
    rk_traits traits;
    rk_co_describe(c, task, &traits);
    t->link = RK_NONE;
    t->target = traits.target;
    t->source = traits.source;
    t->uses += traits.target;
    c->target_count += traits.target;
    if (traits.group >= (c->options.groups ? c->options.groups : 1) || traits.retries > RK_MAX_RETRIES)
        return RASK_EINVAL;
    for (uint64_t at = c->graph.input_start[task]; at < c->graph.input_start[task + 1]; at++) {
        uint32_t word = c->graph.inputs[at], input = word & ~RK_INPUT_ORDER;
        if (input >= task || (traits.source && !(word & RK_INPUT_ORDER)))
            return RASK_EINVAL;
        c->succ_start[input + 1]++;
        c->tasks[input].uses += !(word & RK_INPUT_ORDER);
        t->waits++;
    }
    uint32_t class = 0;
    int status = rk_co_classify(c, &traits, &class);
    t->class = class & (RK_MAX_CLASSES - 1);
    return status;
}

/* succ_start counts successors, one place on; after this it is where they start, and they are there, ascending. */
static void link_successors(rk_coordinator *c)
{
    uint32_t *start = c->succ_start, tasks = c->graph.tasks;
    for (uint32_t i = 0; i < tasks; i++)
        start[i + 1] += start[i];
    for (uint32_t task = 0; task < tasks; task++)
        for (uint64_t at = c->graph.input_start[task]; at < c->graph.input_start[task + 1]; at++) {
            uint32_t word = c->graph.inputs[at], input = word & ~RK_INPUT_ORDER;
            c->succ[start[input]++] = task | (word & RK_INPUT_ORDER);
        }
    memmove(start + 1, start, tasks * sizeof *start);
    start[0] = 0;
}

static int read_graph(rk_coordinator *c)
{
    uint32_t tasks = c->graph.tasks, groups = c->options.groups ? c->options.groups : 1;
    uint64_t edges = c->graph.input_start[tasks];
    c->tasks = rk_calloc((size_t)tasks + 1, sizeof *c->tasks);
    c->succ_start = rk_calloc((size_t)tasks + 2, sizeof *c->succ_start);
    c->succ = rk_alloc_array(edges + 1, sizeof *c->succ);
    c->groups = rk_calloc(groups, sizeof *c->groups);
    c->group_count = groups;
    c->classes = rk_calloc(RK_MAX_CLASSES, sizeof *c->classes);
    if (!c->tasks || !c->succ_start || !c->succ || !c->groups || !c->classes)
        return RASK_ENOMEM;
    for (uint32_t task = 0; task < tasks; task++) {
        int status = read_task(c, task);
        if (status)
            return status;
    }
    link_successors(c);
    c->left = tasks;
    c->targets = rk_alloc_array((size_t)c->target_count + 1, sizeof *c->targets);
    if (!c->targets)
        return RASK_ENOMEM;
    for (uint32_t task = 0, at = 0; task < tasks; task++)
        if (c->tasks[task].target)
            c->targets[at++] = task;
    return RASK_OK;
}

static int make_places(rk_coordinator *c)
{
    uint64_t workers = c->options.most_workers, homes = c->options.most_homes;
    c->workers = rk_calloc(workers, sizeof *c->workers);
    c->worker_tags = rk_calloc(2 * workers * c->options.tags + 1, sizeof *c->worker_tags);
    c->homes = rk_calloc(homes, sizeof *c->homes);
    if (!c->workers || !c->worker_tags || !c->homes)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < homes; i++) {
        c->homes[i].copies = c->homes[i].blocked = c->homes[i].scored = RK_NONE;
        c->homes[i].busy_place[0] = c->homes[i].busy_place[1] = RK_NO_PLACE;
        c->homes[i].first_worker = RK_NOBODY;
    }
    return rk_bitmap_init(&c->look[RK_ROOM_NOW], c->options.most_homes) ||
                   rk_bitmap_init(&c->look[RK_ROOM_AHEAD], c->options.most_homes) ||
                   rk_bitmap_init(&c->blocked, c->options.most_homes) ||
                   rk_bitmap_init(&c->lacking, c->options.most_homes) ||
                   rk_bitmap_init(&c->answerable, c->options.most_homes) ||
                   rk_bitmap_init(&c->unsettled, c->options.most_homes) ||
                   rk_bitmap_init(&c->farewells, c->options.most_workers) ||
                   rk_heap_reserve(&c->busy[0], c->options.most_homes) ||
                   rk_heap_reserve(&c->busy[1], c->options.most_homes) || rk_co_copies_init(c)
               ? RASK_ENOMEM
               : RASK_OK;
}

int rk_coordinator_new(const rk_coordinator_graph *graph, const rk_coordinator_options *options,
                       rk_coordinator **out)
{
    rk_coordinator *c = rk_calloc(1, sizeof *c);
    if (!c)
        return RASK_ENOMEM;
    c->graph = *graph;
    c->options = *options;
    int status = check_limits(c);
    if (!status)
        set_defaults(c);
    if (!status && !(status = read_graph(c)))
        status = make_places(c);
    if (status) {
        rk_coordinator_free(c);
        return status;
    }
    for (uint32_t task = 0; task < graph->tasks; task++)
        if (!c->tasks[task].waits)
            rk_co_task_ready(c, task);
    *out = c;
    return RASK_OK;
}

void rk_coordinator_free(rk_coordinator *c)
{
    if (!c)
        return;
    for (uint32_t k = 0; k < c->class_count; k++) {
        rk_bitmap_fini(&c->classes[k].ready);
        rk_heap_fini(&c->classes[k].grown);
        for (int room = 0; room < RK_ROOMS; room++)
            rk_bitmap_fini(&c->classes[k].homes[room]);
    }
    for (uint32_t i = 0; c->homes && i < c->options.most_homes; i++) {
        for (int kind = 0; kind < RK_QUEUES; kind++)
            rk_heap_fini(&c->homes[i].queue[kind]);
        rk_heap_fini(&c->homes[i].cold);
        rk_heap_fini(&c->homes[i].asks);
    }
    for (int i = 0; i < 2; i++) {
        rk_bitmap_fini(&c->look[i]);
        rk_heap_fini(&c->busy[i]);
    }
    rk_bitmap_fini(&c->blocked);
    rk_bitmap_fini(&c->lacking);
    rk_bitmap_fini(&c->answerable);
    rk_bitmap_fini(&c->unsettled);
    rk_bitmap_fini(&c->farewells);
    rk_co_vacate_fini(c);
    rk_heap_fini(&c->deadlines);
    rk_heap_fini(&c->retries);
    rk_array_fini(&c->blames);
    void *memory[] = {c->tasks,   c->succ_start, c->succ,       c->targets,     c->groups, c->classes,
                      c->workers, c->seats,      c->seat_heads, c->worker_tags, c->homes,  c->copies,
                      c->hash,    c->errands,    c->more,       c->scripts,     c->edges};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        rk_free(memory[i]);
    rk_free(c);
}

/* Instructions. */

void rk_co_stop(rk_coordinator *c, int status)
{
    if (!c->stopping && (!c->status || !c->options.keep_going))
        c->status = status;
    c->stopping = true;
}

/* What is to be said of a copy; false: nothing any more. */
static bool say_copy(rk_coordinator *c, uint32_t i, rk_instruction *out)
{
    static const rk_instruction_kind kinds[] = {[RK_COPY_FETCHING] = RK_DO_FETCH,
                                                [RK_COPY_SPILLING] = RK_DO_SPILL,
                                                [RK_COPY_LOADING] = RK_DO_LOAD,
                                                [RK_COPY_GONE] = RK_DO_DROP};
    rk_co_copy *copy = &c->copies[i];
    bool gone = copy->state == RK_COPY_GONE;
    copy->linked = false;
    *out = (rk_instruction){.kind = kinds[copy->state],
                            .task = copy->task,
                            .home = copy->home,
                            .attempt = copy->attempt,
                            .from = copy->from,
                            .bytes = copy->bytes};
    if (gone)
        rk_co_copy_free(c, i);
    return gone ? c->homes[out->home].state == RK_HOME_HERE : rk_co_copy_moves(copy);
}

static bool next_copy(rk_coordinator *c, rk_instruction *out)
{
    while (c->outgoing.count) {
        uint32_t i = c->outgoing.first;
        c->outgoing.first = c->copies[i].link;
        c->outgoing.count--;
        if (say_copy(c, i, out))
            return true;
    }
    return false;
}

static void say_errand(const rk_coordinator *c, uint32_t i, rk_instruction_kind kind, rk_instruction *out)
{
    const rk_errand *e = &c->errands[i];
    *out = (rk_instruction){.kind = kind,
                            .worker = e->worker,
                            .epoch = c->workers[e->worker].epoch,
                            .task = e->task,
                            .attempt = e->attempt,
                            .home = e->home,
                            .bytes = e->reserved,
                            .grown = rk_co_is_grown(c, e->task),
                            .ends = e->abandoned};
}

static void say_run(rk_coordinator *c, uint32_t i, rk_instruction *out)
{
    rk_co_errand_send(c, i);
    say_errand(c, i, RK_DO_RUN, out);
    out->tries = c->tasks[out->task].retries;
    c->figures.decisions++;
}

static bool next_run(rk_coordinator *c, rk_instruction *out)
{
    while (c->outbox.count) {
        uint32_t i = c->workers[c->outbox.first].lists[RK_LIST_STAGED].first;
        if (c->stopping || !rk_co_is_needed(c, c->errands[i].task)) {
            rk_co_errand_undo(c, i);
            continue;
        }
        say_run(c, i, out);
        return true;
    }
    return false;
}

/* A decision, which is often to run something there and then. */
static bool decide(rk_coordinator *c, rk_instruction *out, bool *said)
{
    if (!rk_co_choose(c))
        return false;
    *said = c->prompt != RK_NONE;
    if (*said)
        say_run(c, c->prompt, out);
    c->prompt = RK_NONE;
    return true;
}

static bool next_recall(rk_coordinator *c, rk_instruction *out)
{
    while (c->stopping && c->backlogged.count)
        rk_co_recall_one(c, c->backlogged.first);
    if (c->stopping)
        rk_co_give_up_all(c);
    if (!c->recalls.count)
        return false;
    uint32_t i = c->recalls.first;
    RK_UNLINK(&c->recalls, c->errands, i, wait_next, wait_prev);
    c->errands[i].asking = false;
    say_errand(c, i, RK_DO_RECALL, out);
    out->gives_up = c->errands[i].gives_up;
    c->figures.recalls++;
    return true;
}

static bool next_answer(rk_coordinator *c, rk_instruction *out)
{
    if (!c->answers.count)
        return false;
    uint32_t i = c->answers.first;
    rk_errand *e = &c->errands[i];
    say_errand(c, i, e->refused ? RK_DO_REFUSE : RK_DO_GRANT, out);
    if (e->refused)
        rk_co_say_no_room(&c->homes[e->home], rk_co_asked_bytes(c, e), out);
    rk_co_ask_end(c, i);
    return true;
}

static bool next_farewell(rk_coordinator *c, rk_instruction *out)
{
    uint32_t worker = rk_bitmap_first(&c->farewells);
    if (worker == RK_NONE)
        return false;
    rk_bitmap_remove(&c->farewells, worker);
    const rk_co_worker *w = &c->workers[worker];
    bool kill = w->state == RK_WORKER_KILLED;
    *out = (rk_instruction){.kind = kill ? RK_DO_KILL : RK_DO_RETIRE,
                            .worker = worker,
                            .epoch = w->epoch,
                            .task = kill ? w->culprit : RK_NO_TASK,
                            .home = w->home};
    return true;
}

static bool next_blame(rk_coordinator *c, rk_instruction *out)
{
    if (c->told == c->blames.count)
        return false;
    *out = ((const rk_instruction *)c->blames.data)[c->told++];
    if (c->told == c->blames.count)
        c->told = c->blames.count = 0;
    return true;
}

static bool has_more(const rk_coordinator *c)
{
    return c->outgoing.count || c->recalls.count || c->answers.count || c->told < c->blames.count ||
           c->untidy != RK_NONE || c->forgotten.count || rk_bitmap_any(&c->look[RK_ROOM_NOW]) ||
           rk_bitmap_any(&c->look[RK_ROOM_AHEAD]);
}

static bool next_end(rk_coordinator *c, rk_instruction *out)
{
    bool over = c->stopping ? !c->sent && !c->moving
                            : !c->open && !c->done.count && !c->stuck.count && !c->awaited && rk_co_gather(c);
    if (!over || has_more(c))
        return false;
    c->ended = true;
    *out = (rk_instruction){.kind = RK_DO_END, .status = c->status};
    return true;
}

bool rk_coordinator_next(rk_coordinator *c, rk_instruction *out)
{
    for (bool said = false; !c->ended;) {
        if (next_blame(c, out) || next_copy(c, out) || next_farewell(c, out) || next_answer(c, out) ||
            next_run(c, out) || next_recall(c, out))
            return true;
        if (c->more && rk_co_tidy(c))
            continue;
        if (c->more && rk_co_say_of_added(c, out))
            return true;
        if (rk_co_serve(c))
            continue;
        if (c->look_at_loads && rk_co_vacate(c))
            continue;
        if (decide(c, out, &said) || has_more(c)) {
            if (said)
                return true;
            continue;
        }
        if (next_end(c, out))
            return true;
        if (!has_more(c) && !rk_co_settle_asks(c) && !rk_co_resolve(c))
            return false;
    }
    return false;
}

/* Questions. */

rk_outcome rk_coordinator_outcome(const rk_coordinator *c, uint32_t task)
{
    uint32_t state = c->tasks[task].state;
    return state == RK_TASK_FAILED    ? RK_FAILED
           : state == RK_TASK_SKIPPED ? RK_SKIPPED
           : state == RK_TASK_OVER    ? RK_FINISHED
                                      : RK_NOT_OVER;
}

rk_coordinator_figures rk_coordinator_get_figures(const rk_coordinator *c)
{
    return c->figures;
}

rk_home_figures rk_coordinator_get_home(const rk_coordinator *c, uint32_t home)
{
    const rk_co_home *h = &c->homes[home];
    return (rk_home_figures){.budget = h->budget,
                             .live = h->live,
                             .reserved = h->reserved,
                             .peak = h->peak,
                             .other = h->other,
                             .workers = h->workers,
                             .empty = h->copies == RK_NONE && !h->reserved};
}
