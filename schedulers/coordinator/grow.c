/* Tasks that are added to a running graph, and how they are forgotten (schedulers/coordinator/state.h).
 *
 * Whatever follows from a change for tasks that were added is seen to later, task by task, when nothing else is to be said
 * (rk_co_tidy): so edges and numbers end while nobody walks over them, and a number is used again after every instruction
 * that names it was said. */
#include "schedulers/coordinator/state.h"

#include "core/base/alloc.h"
#include "core/base/limits.h"

enum { FIRST_ROOM = 64, MOST_SENDS = 16, MOST_GROUPS = 1 << 20 };

/* -- Room for what is added. All of it is there before anything is changed. */

/* False: over the limit of numbers. */
static bool enough(uint64_t needed, uint32_t room, uint32_t *larger)
{
    uint64_t size = room > FIRST_ROOM ? room : FIRST_ROOM;
    while (size < needed)
        size *= 2;
    *larger = (uint32_t)size;
    return size <= (uint64_t)2 * RK_MAX_NODES;
}

static int reserve(void **at, size_t element, rk_pool *pool, uint64_t more)
{
    uint64_t needed = pool->count + more - (more < pool->spare ? more : pool->spare);
    uint32_t room;
    if (needed <= pool->room)
        return RASK_OK;
    if (!enough(needed, pool->room, &room))
        return RASK_ELIMIT;
    void *moved = rk_realloc(*at, room * element);
    if (!moved)
        return RASK_ENOMEM;
    *at = moved;
    pool->room = room;
    return RASK_OK;
}

/* Of the graph's tasks, when the first ones are added. */
static int know_more(rk_coordinator *c)
{
    if (c->more)
        return RASK_OK;
    c->more = rk_calloc((size_t)c->number_room + 1, sizeof *c->more);
    if (!c->more)
        return RASK_ENOMEM;
    for (uint32_t task = 0; task < c->numbers; task++) {
        c->more[task].script = c->more[task].origin = RK_NONE;
        c->more[task].users = RK_EMPTY_LIST;
    }
    for (uint32_t i = 0; i < c->copy_count; i++)
        c->more[c->copies[i].task].copies += c->copies[i].state != RK_COPY_GONE;
    return RASK_OK;
}

static int reserve_queues(rk_coordinator *c, uint32_t added)
{
    for (uint32_t k = 0; k < c->class_count; k++)
        if (rk_heap_reserve(&c->classes[k].grown, added))
            return RASK_ENOMEM;
    return RASK_OK;
}

static int reserve_numbers(rk_coordinator *c, uint64_t more)
{
    uint64_t needed = c->numbers + more - (more < c->free_numbers ? more : c->free_numbers);
    uint32_t room;
    if (needed > RK_MAX_NODES || !enough(needed, c->number_room, &room))
        return RASK_ELIMIT;
    if (know_more(c))
        return RASK_ENOMEM;
    if (needed <= c->number_room)
        return RASK_OK;
    if (reserve_queues(c, room - c->graph.tasks))
        return RASK_ENOMEM;
    rk_co_task *tasks = rk_realloc(c->tasks, ((size_t)room + 1) * sizeof *tasks);
    if (!tasks)
        return RASK_ENOMEM;
    c->tasks = tasks;
    rk_co_more *known = rk_realloc(c->more, ((size_t)room + 1) * sizeof *known);
    if (!known)
        return RASK_ENOMEM;
    c->more = known;
    c->number_room = room;
    return RASK_OK;
}

static int reserve_groups(rk_coordinator *c, uint32_t group)
{
    uint32_t room = c->group_count;
    if (group < room)
        return RASK_OK;
    if (group >= MOST_GROUPS)
        return RASK_ELIMIT;
    while (room <= group)
        room *= 2;
    rk_group *groups = rk_realloc(c->groups, room * sizeof *groups);
    if (!groups)
        return RASK_ENOMEM;
    for (uint32_t k = c->group_count; k < room; k++)
        groups[k] = (rk_group){0};
    c->groups = groups;
    c->group_count = room;
    return RASK_OK;
}

static bool is_input(const rk_coordinator *c, uint32_t word, uint32_t index, uint32_t grower)
{
    uint32_t input = word & ~(RK_INPUT_ORDER | RK_INPUT_NEW);
    if (word & RK_INPUT_NEW)
        return input < index;
    return input < c->numbers && input != grower && c->tasks[input].state != RK_TASK_FREE &&
           (grower == RK_NO_TASK || c->tasks[input].once_over);
}

static int check_one(rk_coordinator *c, const rk_growth *growth, uint32_t index, uint32_t grower)
{
    const rk_traits *traits = &growth->traits[index];
    uint32_t class;
    if (traits->retries > RK_MAX_RETRIES || growth->input_start[index] > growth->input_start[index + 1])
        return RASK_EINVAL;
    for (uint64_t at = growth->input_start[index]; at < growth->input_start[index + 1]; at++)
        if (!is_input(c, growth->inputs[at], index, grower) ||
            (traits->source && !(growth->inputs[at] & RK_INPUT_ORDER)))
            return RASK_EINVAL;
    int status = reserve_groups(c, traits->group);
    return status ? status : rk_co_classify(c, traits, &class);
}

/* Everything that can go wrong does so here. */
static int prepare(rk_coordinator *c, const rk_growth *growth, uint32_t grower)
{
    if (!growth->tasks || growth->tasks > RK_MAX_NODES ||
        (grower != RK_NO_TASK && growth->result >= growth->tasks))
        return RASK_EINVAL;
    uint64_t edges = growth->input_start[growth->tasks] - growth->input_start[0];
    if (edges > RK_MAX_NODES)
        return RASK_ELIMIT;
    int status = reserve_numbers(c, growth->tasks);
    if (!status)
        status = reserve((void **)&c->scripts, sizeof *c->scripts, &c->script_pool, growth->tasks);
    if (!status)
        status = reserve((void **)&c->edges, sizeof *c->edges, &c->edge_pool, edges);
    for (uint32_t k = 0; k < growth->tasks && !status; k++)
        status = check_one(c, growth, k, grower);
    return status;
}

/* -- Scripts and their edges */

static uint32_t take_script(rk_coordinator *c)
{
    rk_pool *pool = &c->script_pool;
    uint32_t i = pool->free;
    if (i == RK_NONE)
        return pool->count++;
    pool->free = c->scripts[i].inputs;
    pool->spare--;
    return i;
}

static uint32_t take_edge(rk_coordinator *c)
{
    rk_pool *pool = &c->edge_pool;
    uint32_t i = pool->free;
    if (i == RK_NONE)
        return pool->count++;
    pool->free = c->edges[i].next_input;
    pool->spare--;
    return i;
}

static uint32_t write_script(rk_coordinator *c, const rk_traits *traits)
{
    uint32_t i = take_script(c), class = 0;
    (void)rk_co_classify(c, traits, &class); /* it is there: check_one() */
    c->scripts[i] = (rk_co_script){.result_bytes = traits->result_bytes,
                                   .scratch_bytes = traits->scratch_bytes,
                                   .timeout_ns = traits->timeout_ns,
                                   .backoff_ns = traits->backoff_ns,
                                   .group = traits->group,
                                   .class = class,
                                   .inputs = RK_NONE,
                                   .last_input = RK_NONE,
                                   .retries = (uint8_t)traits->retries,
                                   .sure = traits->sure,
                                   .source = traits->source};
    return i;
}

static void add_edge(rk_coordinator *c, uint32_t user, uint32_t script, uint32_t word)
{
    uint32_t i = take_edge(c), input = word & ~RK_INPUT_ORDER;
    rk_co_script *s = &c->scripts[script];
    rk_co_more *m = &c->more[input];
    c->edges[i] = (rk_co_edge){.word = word, .user = user, .script = script, .next_input = RK_NONE};
    *(s->inputs == RK_NONE ? &s->inputs : &c->edges[s->last_input].next_input) = i;
    s->last_input = i;
    RK_LINK_LAST(&m->users, c->edges, i, next, prev);
    if (word & RK_INPUT_ORDER)
        m->followers++;
    else
        c->tasks[input].uses++;
}

/* What they count as is the caller's. */
static void end_edges(rk_coordinator *c, uint32_t script)
{
    for (uint32_t i = c->scripts[script].inputs, next; i != RK_NONE; i = next) {
        uint32_t input = c->edges[i].word & ~RK_INPUT_ORDER;
        next = c->edges[i].next_input;
        RK_UNLINK(&c->more[input].users, c->edges, i, next, prev);
        rk_co_tidy_later(c, input);
        c->edges[i].next_input = c->edge_pool.free;
        c->edge_pool.free = i;
        c->edge_pool.spare++;
    }
    c->scripts[script].inputs = c->scripts[script].last_input = RK_NONE;
}

static void free_script(rk_coordinator *c, uint32_t script)
{
    end_edges(c, script);
    c->scripts[script].inputs = c->script_pool.free;
    c->script_pool.free = script;
    c->script_pool.spare++;
}

/* What follows from the script that is in force. */
static void set_kind(rk_coordinator *c, uint32_t task)
{
    rk_traits traits;
    uint32_t class = 0;
    rk_co_describe(c, task, &traits);
    (void)rk_co_classify(c, &traits, &class);
    c->tasks[task].class = class & (RK_MAX_CLASSES - 1);
    c->tasks[task].source = traits.source;
}

void rk_co_revert(rk_coordinator *c, uint32_t task)
{
    rk_co_more *m = &c->more[task];
    free_script(c, m->script);
    m->script = m->origin;
    set_kind(c, task);
}

/* -- Adding */

static uint32_t take_number(rk_coordinator *c, uint64_t rank)
{
    uint32_t number = c->free_number;
    if (number == RK_NONE) {
        number = c->numbers++;
    } else {
        c->free_number = c->more[number].done_next;
        c->free_numbers--;
    }
    c->tasks[number] = (rk_co_task){.state = RK_TASK_WAITING, .link = RK_NONE};
    c->more[number] = (rk_co_more){.rank = rank, .users = RK_EMPTY_LIST};
    c->left++;
    c->figures.added++;
    return number;
}

static uint64_t next_rank(rk_coordinator *c, uint32_t grower, uint64_t behind)
{
    const uint64_t mask = ((uint64_t)1 << RK_RANK_BITS) - 1;
    if (grower == RK_NO_TASK)
        return (c->graph.tasks + c->submitted++) << RK_RANK_BITS;
    return (rk_co_rank(c, grower) & ~mask) + mask - (c->grown + behind) % mask;
}

/* The script that grower is to have; RK_NONE: it is RK_NO_TASK. */
static uint32_t add_all(rk_coordinator *c, const rk_growth *growth, uint32_t grower, uint32_t *numbers)
{
    uint32_t becomes = RK_NONE;
    for (uint32_t k = 0; k < growth->tasks; k++) {
        bool self = grower != RK_NO_TASK && k == growth->result;
        uint32_t number = numbers[k] =
            self ? grower : take_number(c, next_rank(c, grower, growth->tasks - k));
        uint32_t script = write_script(c, &growth->traits[k]);
        for (uint64_t at = growth->input_start[k]; at < growth->input_start[k + 1]; at++) {
            uint32_t word = growth->inputs[at], index = word & ~(RK_INPUT_ORDER | RK_INPUT_NEW);
            add_edge(c, number, script,
                     (word & RK_INPUT_NEW ? numbers[index] : index) | (word & RK_INPUT_ORDER));
        }
        if (self) {
            becomes = script;
            continue;
        }
        c->more[number].script = c->more[number].origin = script;
        c->more[number].wants = c->tasks[number].uses = growth->traits[k].target;
        set_kind(c, number);
    }
    c->grown += grower == RK_NO_TASK ? 0 : growth->tasks;
    return becomes;
}

/* Results that the new ones take and that were let go of are made again. */
static void wake_inputs(rk_coordinator *c, const rk_growth *growth)
{
    for (uint64_t at = growth->input_start[0]; at < growth->input_start[growth->tasks]; at++) {
        uint32_t word = growth->inputs[at];
        if (!(word & (RK_INPUT_NEW | RK_INPUT_ORDER)) && rk_co_is_dropped(&c->tasks[word]) &&
            !c->tasks[word].source)
            rk_co_lineage_add(c, word);
    }
    rk_co_lineage_follow(c);
}

static void settle_all(rk_coordinator *c, const uint32_t *numbers, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        if (c->tasks[numbers[k]].state == RK_TASK_WAITING)
            rk_co_task_settle(c, numbers[k], false);
}

/* Its errand is over, and from here on it is what it returned. */
static void become(rk_coordinator *c, uint32_t errand, uint32_t task, uint32_t script)
{
    rk_co_task *t = &c->tasks[task];
    rk_co_more *m = &c->more[task];
    rk_co_errand_end(c, errand);
    rk_co_task_move(c, task, RK_TASK_SENT, RK_TASK_WAITING);
    rk_co_let_inputs_go(c, task);
    if (m->script != m->origin)
        free_script(c, m->script);
    m->script = script;
    t->retries = t->deaths = t->given_back = t->suspect = 0;
    set_kind(c, task);
}

int rk_coordinator_grown(rk_coordinator *c, uint64_t now, uint32_t worker, uint32_t epoch, uint32_t task,
                         uint32_t attempt, const rk_growth *growth, uint32_t *numbers)
{
    rk_co_pass_time(c, now);
    uint32_t i = rk_co_find_errand(c, worker, epoch, task, attempt);
    if (i == RK_NONE)
        return RASK_ECANCELLED;
    if (c->stopping || !rk_co_is_needed(c, task)) {
        rk_co_errand_undo(c, i);
        return RASK_ECANCELLED;
    }
    int status = prepare(c, growth, task);
    if (status)
        return status;
    become(c, i, task, add_all(c, growth, task, numbers));
    wake_inputs(c, growth);
    settle_all(c, numbers, growth->tasks);
    return RASK_OK;
}

int rk_coordinator_submit(rk_coordinator *c, uint64_t now, const rk_growth *growth, uint32_t *numbers)
{
    rk_co_pass_time(c, now);
    if (c->stopping || !c->open)
        return RASK_ECANCELLED;
    int status = prepare(c, growth, RK_NO_TASK);
    if (status)
        return status;
    (void)add_all(c, growth, RK_NO_TASK, numbers);
    wake_inputs(c, growth);
    settle_all(c, numbers, growth->tasks);
    return RASK_OK;
}

void rk_coordinator_close(rk_coordinator *c, uint64_t now)
{
    rk_co_pass_time(c, now);
    c->open = false;
}

/* -- Who wants what */

static bool is_wanted(const rk_coordinator *c, uint32_t task)
{
    return task < c->numbers && rk_co_is_added(c, task) && c->tasks[task].state != RK_TASK_FREE;
}

void rk_coordinator_want(rk_coordinator *c, uint64_t now, uint32_t task)
{
    rk_co_pass_time(c, now);
    if (!is_wanted(c, task) || !rk_co_is_needed(c, task))
        return;
    c->more[task].wants++;
    c->tasks[task].uses++;
    if (!c->tasks[task].source)
        (void)rk_co_lineage_wake(c, task);
    rk_co_tidy_later(c, task);
}

/* What was handed over counts again, as long as others take it. */
static void take_over_again(rk_coordinator *c, uint32_t task)
{
    uint32_t i = rk_co_copy_find(c, task, 0);
    c->more[task].told = false;
    if (i != RK_NONE && c->copies[i].state == RK_COPY_HANDED)
        rk_co_copy_move(c, i, RK_COPY_HANDED, RK_COPY_HELD);
}

void rk_coordinator_unwant(rk_coordinator *c, uint64_t now, uint32_t task)
{
    rk_co_pass_time(c, now);
    if (!is_wanted(c, task) || !c->more[task].wants)
        return;
    if (!--c->more[task].wants)
        take_over_again(c, task);
    rk_co_release(c, task);
    rk_co_let_spared_go(c);
    rk_co_relieve(c, 0);
}

void rk_co_copy_came(rk_coordinator *c, uint32_t task, uint32_t home)
{
    if (!c->more || home != 0 || !c->more[task].awaited)
        return;
    c->more[task].awaited = false;
    c->awaited--;
    rk_co_tidy_later(c, task);
}

/* -- Tidying up */

void rk_co_tidy_later(rk_coordinator *c, uint32_t task)
{
    rk_co_more *m = &c->more[task];
    if (m->untidy)
        return;
    m->untidy = true;
    m->tidy_next = c->untidy;
    c->untidy = task;
}

static void put_last(rk_coordinator *c, rk_list *list, uint32_t task)
{
    c->more[task].done_next = RK_NONE;
    *(list->count++ ? &c->more[list->last].done_next : &list->first) = task;
    list->last = task;
}

static uint32_t take_first(const rk_coordinator *c, rk_list *list)
{
    uint32_t task = list->first;
    list->first = c->more[task].done_next;
    list->count--;
    return task;
}

static bool has_ended(const rk_co_task *t)
{
    return t->state == RK_TASK_OVER || t->state == RK_TASK_FAILED || t->state == RK_TASK_SKIPPED;
}

static bool is_forgettable(const rk_coordinator *c, uint32_t task)
{
    const rk_co_more *m = &c->more[task];
    return rk_co_is_added(c, task) && !c->tasks[task].uses && !m->copies && !m->users.count && !m->queued &&
           !m->awaited;
}

static void forget(rk_coordinator *c, uint32_t task)
{
    c->figures.vanished += c->tasks[task].state == RK_TASK_OVER && !c->tasks[task].once_over;
    free_script(c, c->more[task].origin);
    rk_co_task_move(c, task, (rk_task_state)c->tasks[task].state, RK_TASK_FREE);
    put_last(c, &c->forgotten, task);
}

/* Nobody needs what it is at. What runs of the graph, to make a result again, may return. */
static void give_up_errand(rk_coordinator *c, uint32_t task)
{
    uint32_t state = c->tasks[task].state;
    if (state == RK_TASK_SENT && rk_co_is_added(c, task))
        rk_co_errand_abandon(c, c->tasks[task].link);
    else if (state == RK_TASK_STAGING || state == RK_TASK_STAGED)
        rk_co_errand_undo(c, c->tasks[task].link);
}

static void cut_off(rk_coordinator *c, uint32_t task)
{
    rk_co_more *m = &c->more[task];
    if (c->options.most_homes > 1 || m->cut || !rk_co_is_added(c, task) || c->tasks[task].source)
        return;
    end_edges(c, m->origin);
    m->cut = true;
}

static void tidy_one(rk_coordinator *c, uint32_t task)
{
    rk_co_more *m = &c->more[task];
    if (!has_ended(&c->tasks[task])) {
        if (!rk_co_is_needed(c, task))
            give_up_errand(c, task);
        return;
    }
    if (rk_co_is_grown(c, task))
        rk_co_revert(c, task);
    if (m->wants && !m->told && !m->queued && !m->awaited) {
        m->queued = true;
        put_last(c, &c->done, task);
    }
    if (c->tasks[task].state == RK_TASK_OVER)
        cut_off(c, task);
    if (is_forgettable(c, task))
        forget(c, task);
}

bool rk_co_tidy(rk_coordinator *c)
{
    bool any = c->untidy != RK_NONE;
    while (c->untidy != RK_NONE) {
        uint32_t task = c->untidy;
        c->untidy = c->more[task].tidy_next;
        c->more[task].untidy = false;
        tidy_one(c, task);
    }
    return any;
}

/* -- What is said of them */

static bool say_forgotten(rk_coordinator *c, rk_instruction *out)
{
    if (!c->forgotten.count)
        return false;
    uint32_t task = take_first(c, &c->forgotten);
    c->more[task].done_next = c->free_number;
    c->free_number = task;
    c->free_numbers++;
    *out = (rk_instruction){.kind = RK_DO_FORGET, .task = task};
    return true;
}

static void say_done(rk_coordinator *c, uint32_t task, rk_delivery delivery, rk_instruction *out)
{
    *out = (rk_instruction){.kind = RK_DO_DONE, .task = task};
    c->more[task].told = true;
    c->more[task].sends = 0;
    if (delivery == RK_NO_ROOM_EVER) {
        rk_co_say_no_room(&c->homes[0], c->copies[c->tasks[task].link].bytes, out);
    } else if (delivery == RK_ON_ITS_WAY) {
        out->why = RK_WHY_LOST;
        out->status = RASK_EIO;
    }
}

/* True: DONE is said of a wanted task. *stuck: there is no room for its result. */
static bool try_done(rk_coordinator *c, uint32_t task, rk_instruction *out, bool *stuck)
{
    rk_co_more *m = &c->more[task];
    *stuck = false;
    if (!m->wants || !has_ended(&c->tasks[task])) {
        rk_co_tidy_later(c, task);
        return false;
    }
    rk_delivery delivery = rk_co_deliver(c, task);
    if (delivery == RK_ON_ITS_WAY && m->sends < MOST_SENDS) {
        m->sends++;
        m->awaited = true;
        c->awaited++;
    }
    *stuck = delivery == RK_NO_ROOM_NOW;
    bool never = delivery == RK_NO_ROOM_EVER || (delivery == RK_ON_ITS_WAY && !m->awaited);
    if (delivery == RK_DELIVERED || never)
        say_done(c, task, delivery, out);
    return delivery == RK_DELIVERED || never;
}

bool rk_co_say_of_added(rk_coordinator *c, rk_instruction *out)
{
    if (say_forgotten(c, out))
        return true;
    while ((c->done.count || c->stuck.count) && !c->stopping) {
        rk_list *list = c->done.count ? &c->done : &c->stuck;
        uint32_t task = list->first;
        bool stuck, said = try_done(c, task, out, &stuck);
        if (stuck && list == &c->stuck)
            return false;
        (void)take_first(c, list);
        if (stuck)
            put_last(c, &c->stuck, task);
        else
            c->more[task].queued = false;
        if (said)
            return true;
    }
    return false;
}
