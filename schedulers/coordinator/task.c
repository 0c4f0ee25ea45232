/* The machine of tasks (schedulers/coordinator/state.h), but for errands and lineage. */
#include "schedulers/coordinator/state.h"

#include "core/base/limits.h"

#include <string.h>

void rk_co_describe(const rk_coordinator *c, uint32_t task, rk_traits *out)
{
    *out = (rk_traits){0};
    if (!c->more || c->more[task].script == RK_NONE) {
        c->graph.describe(c->graph.context, task, out);
        return;
    }
    const rk_co_script *script = &c->scripts[c->more[task].script];
    const rk_class *class = &c->classes[script->class];
    *out = (rk_traits){.group = script->group,
                       .io = class->io,
                       .here = class->here,
                       .source = script->source,
                       .sure = script->sure,
                       .result_bytes = script->result_bytes,
                       .scratch_bytes = script->scratch_bytes,
                       .timeout_ns = script->timeout_ns,
                       .retries = script->retries,
                       .backoff_ns = script->backoff_ns,
                       .need_count = class->need_count};
    memcpy(out->needs, class->needs, sizeof out->needs);
}

/* Queues. */

/* The home that has most of what a task takes, if somebody there could run it; RK_NO_HOME: none has more than others. */
static uint32_t best_home(rk_coordinator *c, uint32_t task, const rk_class *class)
{
    uint32_t best = RK_NO_HOME;
    uint64_t most = 0;
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);) {
        uint32_t word = in.word;
        if (word & RK_INPUT_ORDER || c->tasks[word].link == RK_NONE)
            continue;
        const rk_co_copy *copy = &c->copies[c->tasks[word].link];
        rk_co_home *h = &c->homes[copy->home];
        h->score = (h->scored == task ? h->score : 0) + copy->bytes + 1;
        h->scored = task;
        if (h->plain[class->io] && h->score > most) {
            most = h->score;
            best = copy->home;
        }
    }
    for (rk_walk in = rk_co_inputs(c, task); best != RK_NO_HOME && rk_co_next_input(c, &in);) {
        uint32_t word = in.word;
        if (!(word & RK_INPUT_ORDER) && c->tasks[word].link != RK_NONE)
            c->homes[c->copies[c->tasks[word].link].home].scored = RK_NO_TASK;
    }
    return best;
}

/* The wait in a home's queue, per slot, in tasks. */
static uint64_t queue_key(const rk_co_home *h, uint32_t kind)
{
    return ~((uint64_t)h->queue[kind].count * 256 / (h->plain[kind] ? h->plain[kind] : 1));
}

static rk_places busy_places(rk_coordinator *c, uint32_t kind)
{
    return (rk_places){&c->homes->busy_place[kind], sizeof(rk_co_home) / sizeof(uint32_t)};
}

static void note_queue(rk_coordinator *c, uint32_t home, uint32_t kind)
{
    rk_co_home *h = &c->homes[home];
    if (kind == RK_QUEUE_BOUND)
        return;
    if (!h->queue[kind].count)
        rk_heap_remove(&c->busy[kind], busy_places(c, kind), h->busy_place[kind]);
    else if (h->busy_place[kind] != RK_NO_PLACE)
        rk_heap_change(&c->busy[kind], busy_places(c, kind), h->busy_place[kind], queue_key(h, kind));
    else
        (void)rk_heap_push(&c->busy[kind], busy_places(c, kind), queue_key(h, kind), home);
}

static void queue_for_anybody(rk_coordinator *c, uint32_t task)
{
    rk_co_task *t = &c->tasks[task];
    t->link = RK_NO_HOME;
    if (!rk_co_is_added(c, task))
        rk_bitmap_add(&c->classes[t->class].ready, task);
    else /* there is room: whoever added it saw to that */
        (void)rk_heap_push(&c->classes[t->class].grown, rk_co_queue_places(c), rk_co_rank(c, task), task);
    c->loose |= (uint64_t)1 << t->class;
    rk_co_wake(c, t->class, task);
}

static void queue_in_home(rk_coordinator *c, uint32_t task, uint32_t home, uint32_t kind)
{
    rk_co_task *t = &c->tasks[task];
    rk_co_home *h = &c->homes[home];
    if (rk_heap_push(&h->queue[kind], rk_co_queue_places(c), rk_co_rank(c, task), task)) {
        rk_co_stop(c, RASK_ENOMEM);
        queue_for_anybody(c, task);
        return;
    }
    t->link = home;
    t->bound = kind == RK_QUEUE_BOUND;
    note_queue(c, home, kind);
    if (h->blocked != RK_NO_TASK && rk_co_rank(c, task) < rk_co_rank(c, h->blocked))
        rk_co_unblock(c, home);
    for (int room = 0; room < RK_ROOMS; room++)
        if (h->open[room] >> t->class & 1)
            rk_bitmap_add(&c->look[room], home);
    if (kind != RK_QUEUE_BOUND && !(h->open[RK_ROOM_NOW] >> t->class & 1))
        rk_co_wake(c, t->class, task);
}

void rk_co_task_ready(rk_coordinator *c, uint32_t task)
{
    rk_co_task *t = &c->tasks[task];
    rk_class *class = &c->classes[t->class];
    uint32_t home = RK_NO_HOME;
    rk_co_task_move(c, task, RK_TASK_WAITING, RK_TASK_READY);
    if (c->options.most_homes > 1 && t->class == c->plain[class->io])
        home = best_home(c, task, class);
    if (home != RK_NO_HOME) {
        queue_in_home(c, task, home, class->io ? RK_QUEUE_LANES : RK_QUEUE_SLOTS);
        return;
    }
    queue_for_anybody(c, task);
}

/* Out of the tasks in nobody's queue. */
static void take_loose(rk_coordinator *c, uint32_t task)
{
    rk_co_task *t = &c->tasks[task];
    rk_class *class = &c->classes[t->class];
    if (!rk_co_is_added(c, task)) {
        rk_bitmap_remove(&class->ready, task);
    } else {
        rk_heap_remove(&class->grown, rk_co_queue_places(c), t->waits);
        t->waits = 0;
    }
    if (!rk_bitmap_any(&class->ready) && !class->grown.count)
        c->loose &= ~((uint64_t)1 << t->class);
}

void rk_co_task_unqueue(rk_coordinator *c, uint32_t task)
{
    rk_co_task *t = &c->tasks[task];
    rk_class *class = &c->classes[t->class];
    assert(t->state == RK_TASK_READY);
    if (t->link == RK_NO_HOME) {
        take_loose(c, task);
        return;
    }
    uint32_t kind = t->bound ? RK_QUEUE_BOUND : class->io ? RK_QUEUE_LANES : RK_QUEUE_SLOTS;
    rk_heap_remove(&c->homes[t->link].queue[kind], rk_co_queue_places(c), t->waits);
    note_queue(c, t->link, kind);
    if (c->homes[t->link].blocked == task)
        rk_co_unblock(c, t->link);
    t->waits = 0;
    t->bound = 0;
    t->link = RK_NONE;
}

void rk_co_task_bind(rk_coordinator *c, uint32_t task, uint32_t home)
{
    rk_co_task_unqueue(c, task);
    queue_in_home(c, task, home, RK_QUEUE_BOUND);
}

void rk_co_task_loosen(rk_coordinator *c, uint32_t task)
{
    rk_co_task_unqueue(c, task);
    queue_for_anybody(c, task);
}

void rk_co_home_deserted(rk_coordinator *c, uint32_t home)
{
    rk_co_home *h = &c->homes[home];
    for (uint32_t kind = 0; kind < RK_QUEUES; kind++) {
        if (kind == RK_QUEUE_BOUND ? h->width[0] + h->width[1] : h->plain[kind])
            continue;
        while (h->queue[kind].count)
            rk_co_task_loosen(c, h->queue[kind].entries[0].item);
    }
    if (!h->width[0] && !h->width[1])
        rk_co_unblock(c, home);
}

/* What a task waits for. */

static bool is_missing(const rk_coordinator *c, uint32_t word)
{
    const rk_co_task *input = &c->tasks[word & ~RK_INPUT_ORDER];
    return input->state != RK_TASK_OVER && !(word & RK_INPUT_ORDER && input->once_over);
}

static bool is_hopeless(const rk_coordinator *c, uint32_t word)
{
    return is_missing(c, word) && c->tasks[word & ~RK_INPUT_ORDER].state > RK_TASK_LOST;
}

/* A task that waits for the time of a retry is in a heap, with its place in link. */
static rk_places retry_places(rk_coordinator *c)
{
    return (rk_places){&c->tasks->link, sizeof(rk_co_task) / sizeof(uint32_t)};
}

static void forget_retry(rk_coordinator *c, uint32_t task)
{
    rk_co_task *t = &c->tasks[task];
    if (!t->delayed)
        return;
    rk_heap_remove(&c->retries, retry_places(c), t->link);
    t->delayed = 0;
    rk_co_tags_give(c, RK_NOBODY, &c->classes[t->class]);
}

void rk_co_let_inputs_go(rk_coordinator *c, uint32_t task)
{
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);) {
        uint32_t input = in.word & ~RK_INPUT_ORDER;
        if (!(in.word & RK_INPUT_ORDER)) {
            rk_co_release(c, input);
        } else if (c->more && c->more[task].script != RK_NONE) {
            c->more[input].followers--;
            rk_co_spare_unneeded(c, input);
        }
    }
}

/* A task is skipped: nothing that it takes is kept for it any more. The next of a list of such tasks: those behind it,
 * and rest. */
static uint32_t skip_one(rk_coordinator *c, uint32_t task, uint32_t rest)
{
    rk_co_task *t = &c->tasks[task];
    c->figures.skipped += t->state == RK_TASK_SKIPPED;
    rk_co_let_inputs_go(c, task);
    for (rk_walk out = rk_co_users(c, task); rk_co_next_user(c, &out);) {
        uint32_t user = out.word & ~RK_INPUT_ORDER;
        if (c->tasks[user].state != RK_TASK_WAITING || (out.word & RK_INPUT_ORDER && t->once_over))
            continue;
        forget_retry(c, user);
        rk_co_task_move(c, user, RK_TASK_WAITING, RK_TASK_SKIPPED);
        if (c->tasks[user].listed)
            continue;
        c->tasks[user].link = rest;
        rest = user;
    }
    t->link = RK_NONE;
    return rest;
}

void rk_co_task_spare(rk_coordinator *c, uint32_t task)
{
    rk_co_task *t = &c->tasks[task];
    if (t->state == RK_TASK_READY)
        rk_co_task_unqueue(c, task);
    else
        forget_retry(c, task);
    rk_co_task_move(c, task, (rk_task_state)t->state, RK_TASK_LOST);
    t->link = c->spared;
    c->spared = task;
}

/* What they would have taken is kept for them no more, either. */
void rk_co_let_spared_go(rk_coordinator *c)
{
    while (c->spared != RK_NONE) {
        uint32_t task = c->spared;
        c->spared = c->tasks[task].link;
        rk_co_task_move(c, task, RK_TASK_LOST, RK_TASK_OVER);
        c->tasks[task].link = RK_NONE;
        c->tasks[task].waits = 0;
        rk_co_let_inputs_go(c, task);
    }
}

/* A task that failed or is skipped, and whatever depends on it. */
void rk_co_skip_from(rk_coordinator *c, uint32_t task)
{
    uint32_t list = task;
    c->tasks[task].link = RK_NONE;
    while (list != RK_NONE) {
        task = list;
        list = c->tasks[task].link;
        list = skip_one(c, task, list);
    }
    rk_co_let_spared_go(c);
}

void rk_co_task_settle(rk_coordinator *c, uint32_t task, bool later)
{
    rk_co_task *t = &c->tasks[task];
    assert(t->state == RK_TASK_WAITING);
    t->waits = later;
    t->link = RK_NONE;
    if (!rk_co_is_needed(c, task)) { /* nobody waits for it any more */
        rk_co_task_spare(c, task);
        rk_co_let_spared_go(c);
        return;
    }
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);) {
        if (is_hopeless(c, in.word)) {
            rk_co_task_move(c, task, RK_TASK_WAITING, RK_TASK_SKIPPED);
            rk_co_skip_from(c, task);
            return;
        }
        t->waits += is_missing(c, in.word);
    }
    if (!t->waits)
        rk_co_task_ready(c, task);
}

/* The end of a task. */

/* Its result is in home, where it may be awaited from another one that was lost meanwhile. */
static uint32_t put_result(rk_coordinator *c, uint32_t task, uint32_t home, uint64_t bytes)
{
    uint32_t copy = rk_co_copy_find(c, task, home);
    if (copy == RK_NONE)
        return rk_co_copy_new(c, task, home, RK_COPY_HELD, bytes);
    rk_co_copy_unread(c, copy);
    rk_co_copy_resize(c, copy, bytes);
    rk_co_copy_move(c, copy, RK_COPY_FETCHING, RK_COPY_HELD);
    rk_co_errand_arrived(c, copy);
    rk_co_copy_came(c, task, home);
    return copy;
}

void rk_co_task_over(rk_coordinator *c, uint32_t task, uint32_t home, uint64_t bytes)
{
    rk_co_task *t = &c->tasks[task];
    bool again = t->once_over;
    rk_co_task_move(c, task, RK_TASK_SENT, RK_TASK_OVER);
    t->link = RK_NONE;
    t->once_over = 1;
    t->retries = 0; /* if it is run again, that is another matter */
    c->figures.finished += !again;
    uint32_t copy = put_result(c, task, home, bytes);
    rk_co_let_inputs_go(c, task);
    for (rk_walk out = rk_co_users(c, task); rk_co_next_user(c, &out);) {
        uint32_t word = out.word;
        rk_co_task *user = &c->tasks[word & ~RK_INPUT_ORDER];
        if (user->state == RK_TASK_WAITING && !(word & RK_INPUT_ORDER && again) && !--user->waits)
            rk_co_task_ready(c, word & ~RK_INPUT_ORDER);
    }
    if (copy != RK_NONE)
        rk_co_copy_leave(c, copy);
}

void rk_co_task_fail(rk_coordinator *c, uint32_t task, int status)
{
    bool was_over = c->tasks[task].state == RK_TASK_OVER; /* then what depends on it has run, or can */
    rk_co_task_move(c, task, (rk_task_state)c->tasks[task].state, RK_TASK_FAILED);
    c->figures.failed++;
    if (!was_over)
        rk_co_skip_from(c, task);
    if (!c->options.keep_going)
        rk_co_stop(c, status);
    else if (!c->status)
        c->status = status;
}

void rk_co_task_blame(rk_coordinator *c, uint32_t task, const rk_instruction *blame)
{
    rk_instruction *place = rk_array_push(&c->blames);
    if (place) {
        *place = *blame;
        place->kind = RK_DO_BLAME;
        place->task = task;
    }
    rk_co_task_fail(c, task, place ? blame->status : RASK_ENOMEM);
}

bool rk_co_task_died(rk_coordinator *c, uint32_t task, rk_reason why, int status)
{
    rk_co_task *t = &c->tasks[task];
    /* One that has returned before was most likely beside something else that ended the worker. */
    uint32_t most = why == RK_WHY_DEATHS && t->once_over ? RK_MAX_DEATHS : c->options.deaths;
    if (++t->deaths < most)
        return false;
    rk_co_task_blame(c, task, &(rk_instruction){.why = why, .status = status, .bytes = t->deaths});
    return true;
}

static uint64_t rest_before(const rk_traits *traits, uint32_t retries)
{
    uint64_t rest = traits->backoff_ns;
    for (; retries && rest && rest < RK_MAX_BACKOFF_NS; retries--)
        rest = 2 * rest < RK_MAX_BACKOFF_NS ? 2 * rest : RK_MAX_BACKOFF_NS;
    return rest;
}

void rk_co_task_retry(rk_coordinator *c, uint32_t task, int status, rk_reason why)
{
    rk_co_task *t = &c->tasks[task];
    rk_traits traits;
    rk_co_describe(c, task, &traits);
    if (t->retries >= traits.retries) {
        if (why == RK_WHY_NOTHING)
            rk_co_task_fail(c, task, status);
        else
            rk_co_task_blame(c, task,
                             &(rk_instruction){.why = why, .status = status, .bytes = traits.timeout_ns});
        return;
    }
    rk_co_task_rest(c, task, rest_before(&traits, t->retries));
}

/* What its errand has just given back is there; but it may have given it back long before. */
static bool may_keep_tags(const rk_coordinator *c, const rk_class *class)
{
    for (uint32_t i = 0; i < class->need_count; i++) {
        uint32_t tag = class->needs[i].tag;
        if (c->options.tag_counts[tag] && c->tags[tag] < class->needs[i].count)
            return false;
    }
    return true;
}

void rk_co_task_rest(rk_coordinator *c, uint32_t task, uint64_t rest_ns)
{
    rk_co_task *t = &c->tasks[task];
    uint64_t most = RK_NEVER - 1 - c->now;
    bool later = rest_ns && may_keep_tags(c, &c->classes[t->class]); /* else it waits for those */
    t->retries += t->retries < RK_MAX_RETRIES;
    c->figures.retries += !later;
    rk_co_task_settle(c, task, later);
    if (!later || t->state != RK_TASK_WAITING)
        return;
    if (rk_heap_push(&c->retries, retry_places(c), c->now + (rest_ns < most ? rest_ns : most), task)) {
        rk_co_stop(c, RASK_ENOMEM);
        return;
    }
    t->delayed = 1;
    rk_co_tags_take(c, RK_NOBODY, &c->classes[t->class]);
}

void rk_co_task_retry_now(rk_coordinator *c)
{
    uint32_t task = c->retries.entries[0].item;
    forget_retry(c, task);
    c->figures.retries++;
    c->tasks[task].link = RK_NONE;
    if (!--c->tasks[task].waits)
        rk_co_task_ready(c, task);
}
