/* Executing units away from the scheduler.
 *
 * A unit's arguments are read from places and parcels into the table of a run of the process's own, the unit is executed there
 * as on any scheduler (schedulers/run.h), and its result is written into shared memory. An argument that several seats
 * need at once is read once: holds counts who needs it. What is still referred to when the unit is over, because a task
 * kept it, stays, and the program's process is told to keep what is behind it. */
#include "schedulers/processes/crew.h"

#include "core/base/clock.h"
#include "core/graph/wrap.h"
#include "core/task/grow.h"
#include "schedulers/growth.h"
#include "schedulers/processes/travel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct seat {
    rk_account account; /* of its unit; the first member, for ask_for_more() */
    bool denied;        /* the unit was given no more memory */
    rk_put_off put_off; /* the task of the unit that came to nodes, */
    rask_value wrapped; /* which are this (core/graph/wrap.h) */
    rk_squad *squad;
    rk_mailbox *box;
    rk_worker worker;
    pthread_t thread;
    bool started;
    rk_array parcels; /* const rk_parcel *: of the unit's arguments */
    rk_array told;    /* rask_task_info: of the unit's tasks, when somebody observes */
} seat;

struct rk_squad {
    const rk_crew *crew;
    rk_run *run; /* the process's own */
    uint32_t worker, seat_count;
    bool is_process;
    rk_shared_heap heap;
    pthread_mutex_t lock;    /* of holds */
    pthread_mutex_t reading; /* of the queue of freed addresses */
    uint32_t *holds;         /* by task: units under way that have it as an argument */
    rask_observer observer;  /* of the process's own run, to be told on */
    const rask_observer *observers[1];
    seat seats[];
};

/* Of a worker process; NULL elsewhere. */
static rk_squad *process;

/* Whose thread this is; NULL: it is a thread that some task started. */
static _Thread_local seat *sitting;

bool rk_squad_is_worker(void)
{
    return process != NULL;
}

/* -- Memory that results are written into */

/* One thread at a time reads the mailbox; who finds another at it goes on. */
static void take_freed(rk_squad *squad)
{
    uint64_t address;
    if (pthread_mutex_trylock(&squad->reading))
        return;
    while ((address = rk_mailbox_next_freed(squad->seats[0].box))) {
        rk_add_relaxed(&squad->seats[0].box->reclaimed, rk_extent_of((void *)(uintptr_t)address)->bytes);
        rk_shared_heap_free(&squad->heap, (void *)(uintptr_t)address);
    }
    pthread_mutex_unlock(&squad->reading);
}

static bool is_stopped(const rk_squad *squad)
{
    return rk_load_relaxed(&squad->crew->board->stop.cancelled);
}

/* The unit needs so many bytes: the program's process is asked, and makes room meanwhile. What was denied once is denied
 * from then on, for the unit is to end. */
static bool ask_for_more(rk_account *account, uint64_t bytes)
{
    seat *s = (seat *)account;
    if (s->denied)
        return false;
    rk_mailbox_ask(s->box, bytes);
    rk_watch_ring(&s->squad->crew->watch);
    while (rk_load_acquire(&s->box->asks) && !(is_stopped(s->squad) && rk_mailbox_unask(s->box)))
        rk_system_sleep(&s->box->asks, 1);
    account->allowed = is_stopped(s->squad) ? 0 : rk_load_relaxed(&s->box->granted);
    s->denied = account->allowed < bytes;
    return !s->denied;
}

/* Who a thread's memory counts with: its seat's unit; threads that tasks start are some unit's, and with one seat there is but
 * one. */
static rk_account *own_account(void)
{
    if (sitting)
        return &sitting->account;
    for (uint32_t i = 0; i < process->seat_count; i++)
        if (rk_load_relaxed(&process->seats[i].box->current))
            return &process->seats[i].account;
    return NULL;
}

static void *alloc_shared(size_t bytes)
{
    take_freed(process);
    return rk_shared_heap_alloc(&process->heap, own_account(), bytes);
}

static void free_shared(void *at)
{
    if (!rk_extent_of(at)->published)
        rk_shared_heap_free(&process->heap, at);
}

/* -- Telling */

enum { LONG_UNIT_NS = 20000, FEW_ORDERS = 32 };

/* Rings when it pays: the program's process is told by the last news before the seat runs dry, at the latest. */
static void tell(seat *s, const rk_news *news)
{
    const rk_crew *crew = s->squad->crew;
    while (!rk_mailbox_tell(s->box, news)) {
        rk_watch_ring(&crew->watch);
        rk_clock_sleep(50000);
    }
    if (rk_load_seq_cst(&crew->board->listening) &&
        (news->duration_ns >= LONG_UNIT_NS || rk_mailbox_waiting(s->box) <= FEW_ORDERS))
        rk_watch_ring(&crew->watch);
}

static uint64_t share_text(seat *s, const char *text)
{
    size_t len = strlen(text);
    char *copy = rk_shared_heap_alloc(&s->squad->heap, NULL, len + 1);
    if (copy) {
        memcpy(copy, text, len + 1);
        rk_extent_of(copy)->published = true;
    }
    return (uint64_t)(uintptr_t)copy;
}

/* -- Arguments */

/* A result that is missing, or a scalar, into the own table. */
static void hold_scalar(rk_squad *squad, uint32_t task, rask_value place)
{
    squad->run->results[task] = place;
    if (place.type == RASK_NONE && place.reserved)
        rk_store_relaxed(&squad->run->any_failed, 1);
}

static int hold(seat *s, uint32_t task)
{
    rk_squad *squad = s->squad;
    const rask_value *place = &squad->crew->places[task];
    rask_value *own = &squad->run->results[task];
    if (place->type != RK_PLACE_PARCEL) {
        if (!squad->holds[task]++)
            hold_scalar(squad, task, *place);
        return RASK_OK;
    }
    const rk_parcel *parcel = (const rk_parcel *)(uintptr_t)place->as.i64,
                    **noted = rk_array_push(&s->parcels);
    if (!noted)
        return RASK_ENOMEM;
    *noted = parcel;
    int status = RASK_OK;
    if (!squad->holds[task] &&
        !(status = rk_parcel_read(parcel, own, s->worker.message, sizeof s->worker.message)))
        rk_store_relaxed(&squad->run->uses[task], UINT32_MAX / 2); /* no task is the last to take it */
    squad->holds[task] += !status;
    return status;
}

/* Of who is only waited for, it matters whether there is a result. */
static void hold_order(seat *s, uint32_t task)
{
    const rask_value *place = &s->squad->crew->places[task];
    bool missing = place->type == RASK_NONE && place->reserved;
    if (!s->squad->holds[task])
        hold_scalar(s->squad, task, missing ? *place : rask_value_none());
}

/* False: somebody kept a reference. */
static bool let_go(rk_squad *squad, uint32_t task)
{
    rask_value *own = &squad->run->results[task];
    if (--squad->holds[task])
        return true;
    if (rk_value_is_object(own) && !rk_parcel_is_alone(own)) {
        squad->holds[task]++;
        return false;
    }
    rask_value_unref(own);
    return true;
}

/* Over every word of a unit's tasks, from the first that is to be run, that names a task before those. */
typedef struct word_walk {
    const rask_plan *plan;
    uint32_t first, task, end, at, args, words;
} word_walk;

static void enter_task(word_walk *w)
{
    w->at = 0;
    w->args = rk_plan_nargs(w->plan, w->task);
    w->words = w->plan->arg_start[w->task + 1] - w->plan->arg_start[w->task];
}

static word_walk walk_words(const rask_plan *plan, uint32_t unit, uint32_t first)
{
    word_walk w = {.plan = plan, .first = first, .task = first, .end = plan->unit_start[unit + 1]};
    enter_task(&w);
    return w;
}

/* The next; false: no more. *taken: its result is taken. */
static bool next_word(word_walk *w, uint32_t *task, bool *taken)
{
    for (;;) {
        while (w->at == w->words) {
            if (++w->task == w->end)
                return false;
            enter_task(w);
        }
        uint32_t word = w->plan->args[w->plan->arg_start[w->task] + w->at++];
        if (word & RK_CONSTANT || word >= w->first)
            continue;
        *task = word;
        *taken = w->at <= w->args;
        return true;
    }
}

/* *held: how many arguments. */
static int take_arguments(seat *s, uint32_t unit, uint32_t first, uint32_t *held)
{
    word_walk w = walk_words(s->squad->run->plan, unit, first);
    int status = RASK_OK;
    uint32_t task;
    bool taken;
    s->parcels.count = *held = 0;
    pthread_mutex_lock(&s->squad->lock);
    while (!status && next_word(&w, &task, &taken)) {
        if (taken)
            *held += !(status = hold(s, task));
        else
            hold_order(s, task);
    }
    pthread_mutex_unlock(&s->squad->lock);
    return status;
}

/* The first so many; true: somebody kept one. */
static bool give_arguments(seat *s, uint32_t unit, uint32_t first, uint32_t held)
{
    word_walk w = walk_words(s->squad->run->plan, unit, first);
    bool kept = false, taken;
    uint32_t task;
    pthread_mutex_lock(&s->squad->lock);
    while (held && next_word(&w, &task, &taken)) {
        if (!taken)
            continue;
        kept |= !let_go(s->squad, task);
        held--;
    }
    pthread_mutex_unlock(&s->squad->lock);
    return kept;
}

/* -- Units */

/* What takes long is told of before it is over. */
static void note_start(void *context, const rask_task_info *info)
{
    (void)context;
    if (info->task == RASK_NO_TASK)
        return;
    rk_store_relaxed(&sitting->box->task_ns, info->start_ns);
    rk_store_release(&sitting->box->task, info->task + 1);
}

static void note(void *context, const rask_task_info *info)
{
    (void)context;
    if (info->task == RASK_NO_TASK)
        return; /* its name may be this process's own */
    rask_task_info *told = rk_array_push(&sitting->told);
    if (told) {
        *told = *info;
        told->message = NULL; /* this process's own */
    }
}

/* What observers are to be told; 0 when there is nobody, or no memory. */
static uint64_t share_story(seat *s)
{
    if (!s->told.count)
        return 0;
    size_t bytes = s->told.count * sizeof(rask_task_info);
    rk_story *story = rk_shared_heap_alloc(&s->squad->heap, NULL, sizeof *story + bytes);
    if (story) {
        story->count = (uint32_t)s->told.count;
        memcpy(story->told, s->told.data, bytes);
        rk_extent_of(story)->published = true;
    }
    s->told.count = 0;
    return (uint64_t)(uintptr_t)story;
}

static void fail(seat *s, rk_news *news, uint32_t task, int status, const char *text)
{
    news->kind = RK_NEWS_FAILED;
    news->task = task;
    news->status = status;
    news->text = share_text(s, text);
}

static void share_result(seat *s, rk_news *news, uint32_t task, rask_value *own)
{
    rk_parcel *parcel;
    if (!rk_value_is_object(own)) {
        news->result = *own;
        return;
    }
    take_freed(s->squad);
    int status = rk_parcel_write(&s->squad->heap, &s->account, own, s->parcels.data, s->parcels.count,
                                 &parcel, s->worker.message, sizeof s->worker.message);
    if (status) {
        news->finished--;
        fail(s, news, task, status, s->worker.message);
    } else {
        news->parcel = (uint64_t)(uintptr_t)parcel;
    }
    rask_value_unref(own);
}

/* Whatever the unit made of it: it was given no more memory, and what it did without is no result. Observers are told when it is known what that means. */
static void give_up(seat *s, rk_news *news)
{
    news->kind = is_stopped(s->squad) ? RK_NEWS_SKIPPED : RK_NEWS_GIVEN_UP;
    news->finished = news->retries = 0;
    s->told.count = 0;
}

/* -- What units grow */

/* Some call has a time limit: who does not return is ended with its process, where others wait for it. */
static bool is_timed(const rask_node *node)
{
    const rask_task_def *const *defs = node->graph->definitions.data;
    const rk_extra *extras = node->graph->extras.data;
    bool timed = false;
    for (size_t i = 0; i < node->graph->definitions.count && !timed; i++)
        timed = defs[i]->timeout > 0;
    for (size_t i = 0; i < node->graph->extras.count && !timed; i++)
        timed = extras[i].own_timeout && extras[i].timeout > 0;
    return timed;
}

/* Others had better run it: for what it takes or how long it may, which is seen to there, since the time of the task that grew it is its
 * call's only, or because they have time for it. One call
 * that leads to one call is worth the way when something else waits for this seat. */
static bool is_others(const seat *s, uint32_t task, const rask_node *node)
{
    const rk_crew *crew = s->squad->crew;
    if (crew->counts || is_timed(node) || rk_run_timeout(s->squad->run, task))
        return true;
    return s->squad->is_process && rk_load_relaxed(&crew->board->hungry) &&
           (node->id || rk_mailbox_waiting(s->box));
}

/* A task of the unit that this seat is at came to nodes, which are sent to the program's process. */
static bool send_nodes(rk_worker *worker, uint32_t task, rask_value *result)
{
    seat *s = sitting;
    const rask_node *node = rk_grown_node(result);
    if (!s || !rk_load_relaxed(&s->box->current) || task == RASK_NO_TASK || !is_others(s, task, node) ||
        !rk_may_travel_node(s->squad->crew->modules, node) || rk_graph_wrap(node, &s->wrapped))
        return false;
    rask_value_unref(result);
    s->put_off.task = task;
    worker->put_off = &s->put_off;
    return true;
}

/* As observers see it, the task is over. */
static void tell_of_nodes(seat *s, rk_news *news)
{
    rask_task_info *told = s->squad->run->observed ? rk_array_push(&s->told) : NULL;
    if (told)
        *told = s->put_off.info;
    if (told)
        told->message = NULL;
    news->task = s->put_off.task;
    news->finished++;
    share_result(s, news, news->task, &s->wrapped);
    if (news->kind == RK_NEWS_FINISHED)
        news->kind = RK_NEWS_GROWN;
}

static void share_own(seat *s, rk_news *news, uint32_t last)
{
    rask_value *own = s->worker.put_off ? &s->wrapped : &s->squad->run->results[last];
    if (s->denied)
        rask_value_unref(own);
    else if (s->worker.put_off)
        tell_of_nodes(s, news);
    else
        share_result(s, news, last, own);
}

/* The unit was executed: what came of it. */
static void judge(seat *s, rk_news *news, uint32_t first, uint32_t last)
{
    rk_run *run = s->squad->run;
    rk_failure failure;
    const rask_value *own = &run->results[last];
    if (s->worker.put_off || own->type != RASK_NONE || !own->reserved) {
        share_own(s, news, last);
    } else if (rk_run_take_failure(run, first, last + 1, &failure)) {
        fail(s, news, failure.task, failure.status, failure.message ? failure.message : "");
        rk_free(failure.message);
    } else {
        news->kind = RK_NEWS_SKIPPED;
    }
    if (s->denied)
        give_up(s, news);
    if (news->kind != RK_NEWS_FINISHED)
        news->result = (rask_value){.reserved = 1};
}

/* For another unit, which may hold so many bytes. */
static void open_account(seat *s, uint64_t allowed)
{
    pthread_mutex_lock(&s->account.lock);
    s->account.number++;
    s->account.allowed = allowed;
    s->account.taken = 0;
    s->denied = false;
    pthread_mutex_unlock(&s->account.lock);
}

static void back_off(seat *s, rk_news *news, uint32_t tries, uint64_t rest_ns)
{
    news->kind = RK_NEWS_BACKS_OFF;
    news->result = (rask_value){.reserved = 1};
    news->tries = tries;
    news->rest_ns = rest_ns;
    if (s->told.count) {
        news->task = s->squad->run->plan->unit_start[news->unit];
        news->text = share_text(s, s->worker.message);
    }
    if (s->denied)
        give_up(s, news);
}

static void execute_from(seat *s, rk_news *news, uint32_t first)
{
    const rk_crew *crew = s->squad->crew;
    uint32_t unit = news->unit, tries = crew->tries ? rk_load_relaxed(&crew->tries[unit]) : 0;
    rk_worker_pause(&s->worker);
    uint64_t rest_ns = rk_run_unit_apart(&s->worker, unit, first, &tries);
    news->finished = s->worker.finished;
    news->retries = (uint32_t)(s->worker.retries + rk_growth_take_retries(s->squad->run));
    if (rest_ns)
        back_off(s, news, tries, rest_ns);
    else
        judge(s, news, first, crew->run->plan->unit_start[unit + 1] - 1);
}

static void execute(seat *s, uint32_t unit, uint64_t allowed)
{
    const rask_plan *plan = s->squad->run->plan;
    uint32_t next = rk_load_acquire(&s->squad->crew->next_tasks[unit]), held;
    uint32_t first = next ? next : plan->unit_start[unit], last = plan->unit_start[unit + 1] - 1;
    uint64_t start = rk_clock_now();
    rk_news news = {.kind = RK_NEWS_FINISHED, .unit = unit};
    rk_store_relaxed(&s->box->since_ns, start);
    rk_store_release(&s->box->current, (uint64_t)unit + 1);
    open_account(s, allowed);
    s->worker.finished = s->worker.skipped = 0;
    s->worker.retries = 0;
    int status = take_arguments(s, unit, first, &held);
    if (status)
        fail(s, &news, last, status, s->worker.message);
    else
        execute_from(s, &news, first);
    if (s->squad->is_process)
        fflush(stdout); /* what a task printed is not lost when a later one ends the worker */
    news.kept = give_arguments(s, unit, first, held);
    news.story = share_story(s);
    news.duration_ns = rk_clock_now() - start;
    rk_store_relaxed(&s->box->task, 0); /* before its news: who has read those does not take it for running */
    tell(s, &news);
    rk_store_release(&s->box->current, 0);
}

/* -- Single calls */

static int read_argument(seat *s, const rask_value *from, rask_value *to)
{
    if (from->type != RK_PLACE_PARCEL) {
        *to = *from;
        return RASK_OK;
    }
    return rk_parcel_read((const rk_parcel *)(uintptr_t)from->as.i64, to, s->worker.message,
                          sizeof s->worker.message);
}

/* True: what it returned may run anywhere, and is worth the way: not so one call that leads to one call. *wrapped: the nodes. */
static bool wrap_nodes(const seat *s, const rk_slip *slip, const rask_value *grown, rask_value *wrapped)
{
    const rask_node *node = rk_grown_node(grown);
    const rk_modules *modules = s->squad->crew->modules;
    bool is_others = (slip->spreads && node->id) || slip->counts || is_timed(node);
    return is_others && rk_may_travel_node(modules, node) && !rk_graph_wrap(node, wrapped);
}

/* With what it grows, or *news says that the result is nodes. */
static int make_call(seat *s, rk_slip *slip, const rask_value *args, const uint32_t *words, rk_news *news,
                     rask_value *result)
{
    rk_task_env env = {.constants = args, .cancel = &s->squad->crew->board->stop};
    rk_call_terms terms = slip->terms;
    uint64_t retries = 0;
    terms.began_ns = &s->box->since_ns;
    slip->task = (rask_task){.env = &env,
                             .args = words,
                             .nargs = slip->nargs,
                             .def = slip->def,
                             .worker = slip->worker,
                             .attempt = slip->attempt,
                             .message = s->worker.message};
    int status = rk_call_until_rest(&slip->task, &env, &terms, &retries, &slip->rest_ns);
    *result = status ? rask_value_none() : slip->task.result;
    if (!rk_grown_is(result))
        return status;
    rask_value wrapped;
    if (wrap_nodes(s, slip, result, &wrapped)) {
        rask_value_unref(result);
        *result = wrapped;
        news->kind = RK_NEWS_GROWN;
        return status;
    }
    status = rk_growth_finish(&s->worker, RASK_NO_TASK, false, result);
    news->retries = (uint32_t)rk_growth_take_retries(s->squad->run);
    rk_growth_end(s->squad->run);
    return status;
}

/* Reads the arguments, calls, and ends them; true: somebody kept one. */
static bool call_with_arguments(seat *s, rk_slip *slip, rask_value *args, uint32_t *words, rk_news *news)
{
    rask_value result = rask_value_none();
    int status = RASK_OK;
    bool kept = false;
    uint32_t read = 0;
    for (; read < slip->nargs && !status; read++) {
        words[read] = read | RK_CONSTANT;
        status = read_argument(s, &slip->args[read], &args[read]);
        read -= status != RASK_OK;
    }
    if (!status)
        status = make_call(s, slip, args, words, news, &result);
    if (status)
        fail(s, news, 0, status, s->worker.message);
    else if (!s->denied)
        share_result(s, news, 0, &result);
    if (s->denied) {
        rask_value_unref(&result);
        give_up(s, news);
    }
    while (read--) {
        kept |= rk_value_is_object(&args[read]) && !rk_parcel_is_alone(&args[read]);
        rask_value_unref(&args[read]);
    }
    return kept;
}

static void call(seat *s, uint64_t allowed)
{
    rk_slip *slip = (rk_slip *)(uintptr_t)s->squad->crew->places[0].as.i64;
    uint64_t start = rk_clock_now();
    rk_news news = {.kind = RK_NEWS_FINISHED};
    rk_store_relaxed(&s->box->since_ns, start);
    rk_store_release(&s->box->current, 1);
    open_account(s, allowed);
    rask_value *args = rk_alloc_array((size_t)slip->nargs + 1, sizeof *args);
    uint32_t *words = rk_alloc_array((size_t)slip->nargs + 1, sizeof *words);
    if (args && words)
        news.kept = call_with_arguments(s, slip, args, words, &news);
    else
        fail(s, &news, 0, RASK_ENOMEM, "no memory for its arguments");
    rk_free(args);
    rk_free(words);
    fflush(stdout);
    news.duration_ns = rk_clock_now() - start;
    rk_store_release(&s->box->current, 0);
    tell(s, &news);
}

/* -- Seats */

enum { SPINS = 200 };

/* Until there is an order. */
static void rest(seat *s)
{
    const rk_crew *crew = s->squad->crew;
    for (int i = 0; i < SPINS; i++) {
        if (rk_mailbox_waiting(s->box))
            return;
        rk_relax();
    }
    rk_store_seq_cst(&s->box->asleep, 1);
    if (rk_load_seq_cst(&crew->board->listening))
        rk_watch_ring(&crew->watch);
    if (!rk_mailbox_waiting(s->box))
        rk_system_sleep(&s->box->asleep, 1);
    rk_store_seq_cst(&s->box->asleep, 0);
}

static void *sit(void *context)
{
    seat *s = context;
    uint32_t unit = 0;
    uint64_t allowed = 0;
    sitting = s;
    rk_store_release(&s->box->present, 1);
    for (;;) {
        uint32_t kind = rk_mailbox_next(s->box, &unit, &allowed);
        if (kind == RK_ORDER_RUN)
            execute(s, unit, allowed);
        else if (kind == RK_ORDER_CALL)
            call(s, allowed);
        else if (kind == RK_ORDER_LEAVE)
            return NULL;
        else
            rest(s);
    }
}

uint32_t rk_crew_seat_number(const rk_crew *crew, uint32_t worker, uint32_t at)
{
    uint32_t cpu = crew->workers * crew->threads, lanes = crew->workers * crew->lanes;
    if (worker == crew->workers)
        return cpu + lanes + at;
    return at < crew->threads ? worker * crew->threads + at : cpu + worker * crew->lanes + at - crew->threads;
}

bool rk_crew_is_lane(const rk_crew *crew, uint32_t worker, uint32_t at)
{
    return worker != crew->workers && at >= crew->threads;
}

rk_squad *rk_squad_new(const rk_crew *crew, rk_run *apart, uint32_t worker, uint32_t life)
{
    bool here = worker == crew->workers;
    uint32_t seats = here ? crew->here : crew->threads + crew->lanes;
    rk_squad *squad = rk_calloc(1, sizeof *squad + seats * sizeof(seat));
    uint32_t *holds = rk_calloc((size_t)crew->run->plan->tasks + 1, sizeof *holds);
    if (!squad || !holds || rk_run_allow_rests(apart)) {
        rk_free(squad);
        rk_free(holds);
        return NULL;
    }
    *squad = (rk_squad){.crew = crew,
                        .run = apart,
                        .worker = worker,
                        .seat_count = seats,
                        .is_process = !here,
                        .holds = holds};
    apart->send_nodes = crew->modules ? send_nodes : NULL;
    apart->counted_elsewhere = true;
    rk_shared_heap_init(&squad->heap, crew->region, worker, life, &crew->used[worker], crew->kept);
    pthread_mutex_init(&squad->lock, NULL);
    pthread_mutex_init(&squad->reading, NULL);
    for (uint32_t i = 0; i < seats; i++) {
        seat *s = &squad->seats[i];
        s->account.ask = ask_for_more;
        pthread_mutex_init(&s->account.lock, NULL);
        s->squad = squad;
        s->box = rk_crew_mailbox(crew, worker, i);
        s->parcels = (rk_array)RK_ARRAY(const rk_parcel *, SIZE_MAX / sizeof(void *));
        s->told = (rk_array)RK_ARRAY(rask_task_info, SIZE_MAX / sizeof(rask_task_info));
        rk_worker_init(&s->worker, apart, rk_crew_seat_number(crew, worker, i));
        s->worker.lane = rk_crew_is_lane(crew, worker, i);
        s->worker.began_ns = &s->box->since_ns;
    }
    if (crew->run->observed) {
        squad->observer = (rask_observer){.size = sizeof squad->observer,
                                          .task_started = note_start,
                                          .task_finished = note,
                                          .task_rested = note};
        squad->observers[0] = &squad->observer;
        rk_run_observe_apart(apart, squad->observers);
    }
    return squad;
}

void rk_squad_free(rk_squad *squad)
{
    if (!squad)
        return;
    for (uint32_t i = 0; i < squad->seat_count; i++) {
        rk_array_fini(&squad->seats[i].parcels);
        rk_array_fini(&squad->seats[i].told);
        pthread_mutex_destroy(&squad->seats[i].account.lock);
    }
    rk_shared_heap_fini(&squad->heap);
    pthread_mutex_destroy(&squad->lock);
    pthread_mutex_destroy(&squad->reading);
    rk_free(squad->holds);
    rk_free(squad);
}

/* Threads for the seats from first on. */
static int start_from(rk_squad *squad, uint32_t first)
{
    for (uint32_t i = first; i < squad->seat_count; i++) {
        seat *s = &squad->seats[i];
        if (pthread_create(&s->thread, NULL, sit, s))
            return RASK_ENOMEM;
        s->started = true;
    }
    return RASK_OK;
}

int rk_squad_start(rk_squad *squad)
{
    return start_from(squad, 0);
}

void rk_squad_join(rk_squad *squad)
{
    for (uint32_t i = 0; i < squad->seat_count; i++)
        if (squad->seats[i].started)
            pthread_join(squad->seats[i].thread, NULL);
}

static void fail_set_up(rk_squad *squad, rk_news *news, int returned)
{
    char text[64];
    snprintf(text, sizeof text, "worker_init() returned %d", returned);
    fail(&squad->seats[0], news, 0, returned, text);
}

/* What the program wants done in every worker, and the threads, which may end the worker by a task as soon as they are there: so
 * it says first that it is ready. */
static bool set_up(rk_squad *squad)
{
    const rask_options *options = &squad->crew->run->options;
    rk_news news = {.kind = RK_NEWS_READY, .unit = RK_NO_UNIT, .duration_ns = LONG_UNIT_NS};
    int status =
        options->worker_init ? options->worker_init(options->worker_context, squad->worker) : RASK_OK;
    if (status)
        fail_set_up(squad, &news, status);
    tell(&squad->seats[0], &news);
    if (!status && (status = start_from(squad, 1))) {
        fail(&squad->seats[0], &news, 0, status, "no threads for the worker");
        tell(&squad->seats[0], &news);
    }
    return !status;
}

_Noreturn void rk_squad_work(rk_squad *squad)
{
    static rk_value_memory memory = {RK_PARCEL_LARGE, alloc_shared, free_shared};
    static rk_alloc_bound bound;
    process = squad;
    rk_value_use_memory(&memory);
    rk_alloc_bound_set(&bound, rk_alloc_mapped() + squad->crew->kept);
    if (!set_up(squad))
        _exit(1);
    sit(&squad->seats[0]);
    rk_squad_join(squad);
    fflush(stdout);
    _exit(0);
}
