/* A crew of one, on a plan without tasks.
 *
 *   - The mailbox carries one order at a time, RK_ORDER_CALL, whose slip (crew.h) is an extent of this process's range, and its
 *     answer. Arguments are extents of that range, too, and are freed when the answer has come.
 *   - What a result is made of is freed when nobody refers to it any more, in whatever thread that happens: such extents are put on
 *     a shelf, and the thread that the worker belongs to sends them home before its next call. The shelf ends with the last of
 *     them; the region with the shelf.
 *   - Memory that a worker allocated and never published is given back at its death when no result is in use. */
#include "schedulers/processes/standing.h"

#include "core/base/clock.h"
#include "core/graph/wrap.h"
#include "core/task/grow.h"
#include "schedulers/processes/hands.h"
#include "schedulers/processes/travel.h"
#include "schedulers/scheduler.h"

#include <sched.h>
#include <stdio.h>

enum {
    LOOKS = 50,
    ROUNDS = 20,
    LOOK_NS = 20000000,
    CANCEL_GRACE_NS = 2000000000,
    LATE_GRACE_NS = 500000000,
    FAILED_STARTS = 3
};

/* What outlives the worker: memory of results that somebody still has. */
typedef struct shelf {
    rk_atomic_u64 refs; /* the worker's, and one for each piece of content in use */
    rk_region *region;
    pthread_mutex_t lock;
    rk_array freed; /* void *: extents that nobody refers to any more */
    bool closed;    /* nobody will look */
} shelf;

typedef struct kept {
    shelf *shelf;
    void *extent;
} kept;

struct rk_standing {
    rask_graph *graph;
    rask_plan *plan;
    rk_run *run;
    rk_hands hands;
    rk_modules modules;  /* that the process has */
    uint64_t regions;    /* rk_region_next_number() when it was forked */
    rk_array pinned;     /* rask_value: arguments that it refers to, perhaps in memory of others */
    rk_shared_heap heap; /* of this process's range */
    bool has_heap;
    shelf *shelf;
    rk_slip *slip;          /* of the call under way */
    uint32_t failed_starts; /* in a row */
    bool unable;            /* its set-up failed, or it does not come up */
};

static rk_staff *worker_of(rk_standing *s)
{
    return s->hands.staff;
}

static rk_mailbox *box_of(rk_standing *s)
{
    return s->hands.staff->posts[0].box;
}

/* -- The shelf */

static shelf *shelf_new(rk_region *region)
{
    shelf *sh = rk_calloc(1, sizeof *sh);
    if (!sh)
        return NULL;
    rk_init(&sh->refs, 1);
    pthread_mutex_init(&sh->lock, NULL);
    sh->freed = (rk_array)RK_ARRAY(void *, SIZE_MAX / sizeof(void *));
    sh->region = region;
    rk_region_ref(region);
    return sh;
}

static void shelf_unref(shelf *sh)
{
    if (!sh || rk_sub_acq_rel(&sh->refs, 1) != 1)
        return;
    rk_region_unref(sh->region);
    rk_array_fini(&sh->freed);
    pthread_mutex_destroy(&sh->lock);
    rk_free(sh);
}

/* Nobody refers to it: in any thread. */
static void put_back(shelf *sh, void *extent)
{
    pthread_mutex_lock(&sh->lock);
    void **place = sh->closed ? NULL : rk_array_push(&sh->freed);
    if (place)
        *place = extent;
    pthread_mutex_unlock(&sh->lock);
    if (!place)
        rk_region_discard(extent, rk_extent_of(extent)->bytes);
}

static void send_home(rk_standing *s)
{
    shelf *sh = s->shelf;
    pthread_mutex_lock(&sh->lock);
    rk_array freed = sh->freed;
    sh->freed.data = NULL;
    sh->freed.count = sh->freed.capacity = 0;
    pthread_mutex_unlock(&sh->lock);
    for (size_t i = 0; i < freed.count; i++)
        rk_staff_send_freed(&s->hands, ((void **)freed.data)[i]);
    rk_array_fini(&freed);
}

static void shelf_close(shelf *sh)
{
    if (!sh)
        return;
    pthread_mutex_lock(&sh->lock);
    sh->closed = true;
    pthread_mutex_unlock(&sh->lock);
    shelf_unref(sh);
}

/* -- The process */

/* What it has noted is there when it comes up, or has not come up yet. */
static bool has_come(rk_standing *s)
{
    if (s->unable || s->failed_starts >= FAILED_STARTS)
        return false;
    if (worker_of(s)->child.pid)
        return true;
    s->regions = rk_region_next_number();
    if (rk_modules_note(&s->modules) || rk_staff_hire(&s->hands, 0)) {
        s->unable = true; /* the long way says why */
        return false;
    }
    return true;
}

/* Its last message has been read. What is in its range is nobody's, unless results are. */
static void bury(rk_standing *s)
{
    rk_staff *worker = worker_of(s);
    char how[96];
    s->failed_starts = worker->ready ? 0 : s->failed_starts + 1;
    s->unable |= worker->absent;
    rk_child_end(&worker->child, &s->hands.crew.watch, how, sizeof how);
    worker->unsent.count = 0;
    send_home(s);
    if (rk_load_acquire(&s->shelf->refs) == 1)
        rk_region_discard(rk_region_range(s->hands.crew.region, 0), rk_load_acquire(&s->hands.crew.used[0]));
}

static void unpin_all(rk_standing *s)
{
    for (size_t i = 0; i < s->pinned.count; i++)
        rask_value_unref(&((rask_value *)s->pinned.data)[i]);
    rk_array_fini(&s->pinned);
}

rk_standing *rk_standing_new(const rask_options *options)
{
    const rask_arg nothing = {.kind = RASK_ARG_I64};
    rk_standing *s = rk_calloc(1, sizeof *s);
    if (s)
        s->pinned = (rk_array)RK_ARRAY(rask_value, SIZE_MAX / sizeof(rask_value));
    if (!s || rk_squad_is_worker() || !(s->graph = rask_graph_new()) ||
        !(s->run = rk_calloc(1, sizeof *s->run)))
        goto failed;
    rask_node *node = rask_const_at(s->graph, &nothing, __FILE__, __LINE__);
    rask_options own = rk_options_within(options);
    own.workers = own.worker_threads = 1;
    if (!node || rask_plan_new(&node, 1, &s->plan) || rk_run_init(s->run, s->plan, &own, "processes"))
        goto failed;
    s->hands.run = s->run;
    if (rk_hands_assemble(&s->hands) || !(s->shelf = shelf_new(s->hands.crew.region)))
        goto failed;
    rk_shared_heap_init(&s->heap, s->hands.crew.region, 1, 1, &s->hands.crew.used[1], s->hands.crew.kept);
    s->has_heap = true;
    s->hands.crew.modules = &s->modules;
    has_come(s);
    return s;
failed:
    rk_standing_free(s);
    return NULL;
}

void rk_standing_free(rk_standing *s)
{
    rask_value none;
    if (!s)
        return;
    if (s->hands.run) {
        rk_hands_end(&s->hands);
        if (!rk_run_fini(s->run, s->plan, &none))
            rask_value_unref(&none);
    }
    if (s->has_heap)
        rk_shared_heap_fini(&s->heap);
    shelf_close(s->shelf);
    unpin_all(s);
    rk_modules_fini(&s->modules);
    rk_free(s->run);
    rask_plan_free(s->plan);
    rask_graph_free(s->graph);
    rk_free(s);
}

/* -- What goes there */

static void free_argument(rk_standing *s, const rask_value *arg)
{
    if (arg->type != RK_PLACE_PARCEL)
        return;
    rk_parcel *parcel = (rk_parcel *)(uintptr_t)arg->as.i64;
    for (uint64_t i = 0; i < parcel->extents; i++)
        rk_shared_heap_free(&s->heap, parcel->extent[i]);
    rk_shared_heap_free(&s->heap, parcel);
}

/* stay: the worker still refers to arguments. */
static void free_slip(rk_standing *s, bool stay)
{
    for (uint32_t i = 0; i < s->slip->nargs && !stay; i++)
        free_argument(s, &s->slip->args[i]);
    rk_shared_heap_free(&s->heap, s->slip);
    s->slip = NULL;
}

static bool write_argument(rk_standing *s, const rask_value *from, rask_value *to)
{
    char message[RK_MAX_MESSAGE + 1];
    rk_parcel *parcel;
    *to = *from;
    if (!rk_may_travel_value(&s->modules, from))
        return false;
    if (!rk_value_is_object(from))
        return true;
    if (rk_parcel_write_for(&s->heap, s->regions, from, &parcel, message, sizeof message))
        return false;
    *to = (rask_value){.type = RK_PLACE_PARCEL, .as.i64 = (int64_t)(uintptr_t)parcel};
    return true;
}

/* False: not all of it can go there. */
static bool write_slip(rk_standing *s, const rk_lone_call *call)
{
    s->slip = rk_shared_heap_alloc(&s->heap, NULL, sizeof *s->slip + call->nargs * sizeof *s->slip->args);
    if (!s->slip)
        return false;
    *s->slip = (rk_slip){.def = call->def,
                         .terms = call->terms,
                         .worker = call->worker,
                         .attempt = call->attempt,
                         .spreads = call->spreads,
                         .counts = call->counts};
    for (; s->slip->nargs < call->nargs; s->slip->nargs++)
        if (!write_argument(s, &call->args[s->slip->nargs], &s->slip->args[s->slip->nargs])) {
            free_slip(s, false);
            return false;
        }
    return true;
}

static void post(rk_standing *s)
{
    rk_mailbox *box = box_of(s);
    s->hands.crew.places[0].as.i64 = (int64_t)(uintptr_t)s->slip;
    rk_store_relaxed(&s->hands.crew.board->stop.cancelled, false);
    uint64_t budget = s->run->options.memory ? s->run->options.memory : rask_default_memory();
    rk_mailbox_order(box, RK_ORDER_CALL, 0, budget);
    if (rk_load_seq_cst(&box->asleep)) {
        rk_store_relaxed(&box->asleep, 0);
        rk_system_wake(&box->asleep);
    }
}

/* -- What comes back */

/* The answer; false: there is none yet. */
static bool hear(rk_standing *s, rk_news *news)
{
    while (rk_mailbox_read(box_of(s), news)) {
        if (news->kind == RK_NEWS_READY) {
            worker_of(s)->ready = true;
        } else if (news->unit == RK_NO_UNIT) {
            s->unable = true;
            rk_result_free_note(&s->hands, news->text);
        } else {
            return true;
        }
    }
    if (rk_mailbox_asked(
            box_of(s))) { /* it has the budget: what is more is refused elsewhere, with the figures */
        rk_mailbox_answer(box_of(s), 0);
        rk_system_wake(&box_of(s)->asks);
    }
    return false;
}

typedef enum verdict { ANSWERED, GIVEN_UP, LATE, CANCELLED } verdict;

/* Time and cancelling, while it is waited for. True: its process was killed for that. */
static bool look(rk_standing *s, const rk_lone_call *call, uint64_t *cancelled_ns, verdict *why)
{
    uint64_t now = s->hands.now = rk_clock_now(), since = rk_load_relaxed(&box_of(s)->since_ns);
    uint64_t limit = call->terms.limit_ns;
    bool begun = rk_load_acquire(&box_of(s)->current);
    if (!*cancelled_ns && call->cancel && rk_load_relaxed(&call->cancel->cancelled)) {
        rk_store_relaxed(&s->hands.crew.board->stop.cancelled, true);
        *cancelled_ns = now;
    }
    if (*cancelled_ns && now - *cancelled_ns > CANCEL_GRACE_NS)
        *why = CANCELLED;
    else if (begun && limit && now > since && now - since > limit + LATE_GRACE_NS)
        *why = LATE;
    if (*why == GIVEN_UP) {
        rk_staff_watch(&s->hands, worker_of(s));
        return false;
    }
    rk_staff_kill(worker_of(s));
    return true;
}

/* Sleeps until something happens, or it is time to look. */
static void rest(rk_standing *s)
{
    rk_board *board = s->hands.crew.board;
    const rk_mailbox *box = box_of(s);
    rk_store_seq_cst(&board->listening, 1);
    if (rk_load_relaxed(&box->news_begin) == rk_load_seq_cst(&box->news_end) && !rk_mailbox_asked(box))
        rk_watch_wait(&s->hands.crew.watch, LOOK_NS);
    rk_store_relaxed(&board->listening, 0);
}

/* GIVEN_UP: its process ended. */
static verdict await(rk_standing *s, const rk_lone_call *call, rk_news *news)
{
    verdict why = GIVEN_UP;
    uint64_t cancelled_ns = 0;
    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < LOOKS; k++) {
            if (hear(s, news))
                return ANSWERED;
            rk_relax();
        }
        sched_yield(); /* the worker may have no processor but this one */
    }
    for (;;) {
        rest(s);
        if (hear(s, news))
            return ANSWERED;
        bool killed = look(s, call, &cancelled_ns, &why);
        if (!killed && !rk_child_has_ended(&worker_of(s)->child))
            continue;
        bool told = !killed && hear(s, news); /* its last words count */
        bury(s);
        return told ? ANSWERED : why;
    }
}

static void release(void *owner)
{
    kept *k = owner;
    if (rk_sub_acq_rel(&rk_extent_of(k->extent)->refs, 1) == 1)
        put_back(k->shelf, k->extent);
    shelf_unref(k->shelf);
    rk_free(k);
}

typedef struct taking {
    shelf *shelf;
    const rk_parcel *parcel;
} taking;

static void *keep(void *context, const char *content, uint64_t bytes)
{
    const taking *t = context;
    (void)bytes;
    for (uint64_t i = 0; i < t->parcel->extents; i++) {
        char *extent = t->parcel->extent[i];
        if ((uintptr_t)content - (uintptr_t)extent >= rk_extent_of(extent)->bytes)
            continue;
        kept *owner = rk_alloc(sizeof *owner);
        if (!owner)
            return NULL;
        *owner = (kept){t->shelf, extent};
        rk_add_relaxed(&rk_extent_of(extent)->refs, 1);
        rk_add_relaxed(&t->shelf->refs, 1);
        return owner;
    }
    return NULL;
}

/* What nobody keeps goes home. An extent that the parcel names twice goes once: it is held while they are looked at. */
static void free_rest(rk_standing *s, rk_parcel *parcel)
{
    for (uint64_t i = 0; i < parcel->extents; i++)
        rk_add_relaxed(&rk_extent_of(parcel->extent[i])->refs, 1);
    for (uint64_t i = 0; i < parcel->extents; i++)
        if (rk_sub_acq_rel(&rk_extent_of(parcel->extent[i])->refs, 1) == 1)
            put_back(s->shelf, parcel->extent[i]);
    put_back(s->shelf, parcel);
}

static int take_result(rk_standing *s, const rk_news *news, rask_value *result, char *message)
{
    if (!news->parcel) {
        *result = news->result;
        return RASK_OK;
    }
    rk_parcel *parcel = (rk_parcel *)(uintptr_t)news->parcel;
    taking t = {s->shelf, parcel};
    const rk_parcel_keeper keeper = {.context = &t, .keep = keep, .release = release};
    int status = rk_parcel_take(parcel, &keeper, result, message, RK_MAX_MESSAGE + 1);
    free_rest(s, parcel);
    return status;
}

/* The result is the node that the task returned. */
static int take_nodes(rk_standing *s, const rk_news *news, rask_value *result, char *message)
{
    rask_value wrapped;
    rask_node *node;
    int status = take_result(s, news, &wrapped, message);
    if (status)
        return status;
    status = rk_graph_unwrap(&wrapped, &node);
    rask_value_unref(&wrapped);
    if (!status && (status = rk_grown_new(node, result)))
        rask_graph_free(node->graph);
    if (status)
        snprintf(message, RK_MAX_MESSAGE + 1, "no memory for the nodes that it returned");
    return status;
}

static void take_text(rk_standing *s, const rk_news *news, char *message)
{
    const char *text = (const char *)(uintptr_t)news->text;
    snprintf(message, RK_MAX_MESSAGE + 1, "%s", text ? text : rask_status_text(news->status));
    rk_result_free_note(&s->hands, news->text);
}

/* False: it is to be called elsewhere. */
static bool take_answer(rk_standing *s, const rk_news *news, int *status, rask_value *result, char *message)
{
    switch ((rk_news_kind)news->kind) {
    case RK_NEWS_FINISHED: *status = take_result(s, news, result, message); return true;
    case RK_NEWS_GROWN: *status = take_nodes(s, news, result, message); return true;
    case RK_NEWS_FAILED:
        *status = news->status;
        take_text(s, news, message);
        return true;
    case RK_NEWS_SKIPPED:
        *status = RASK_ECANCELLED;
        snprintf(message, RK_MAX_MESSAGE + 1, "it was cancelled");
        return true;
    default: return false;
    }
}

/* The attempt that the call has come to: what the slip was posted with, unless the worker noted a later one. */
static uint32_t attempt_of(const rk_slip *slip)
{
    return slip->task.attempt > slip->attempt ? slip->task.attempt : slip->attempt;
}

/* It was killed for its time: is it called again at once? */
static bool goes_on(rk_standing *s, rk_lone_call *call)
{
    rk_task_env env = {.cancel = call->cancel};
    call->attempt = attempt_of(s->slip);
    rask_task task = {.env = &env, .def = call->def, .status = RASK_ETIMEDOUT, .attempt = call->attempt};
    if (!rk_call_is_repeated(&task, &call->terms, &call->rest_ns) || call->rest_ns)
        return false;
    s->slip->attempt = call->attempt + 1;
    return true;
}

/* As often as its time is over and there is one more attempt at once. */
static bool call_in_time(rk_standing *s, rk_lone_call *call, rk_news *news, int *status, rask_value *result,
                         char *message)
{
    for (;;) {
        *news = (rk_news){0};
        post(s);
        switch (await(s, call, news)) {
        case ANSWERED:
            call->attempt = attempt_of(s->slip);
            call->rest_ns = news->kind == RK_NEWS_FAILED ? s->slip->rest_ns : 0;
            call->grown_retries = news->retries;
            return take_answer(s, news, status, result, message);
        case GIVEN_UP:
            call->attempt = attempt_of(s->slip);
            if (rk_load_acquire(&box_of(s)->current) || !has_come(s))
                return false;
            break; /* it had not begun with it */
        case CANCELLED:
            *status = RASK_ECANCELLED;
            snprintf(message, RK_MAX_MESSAGE + 1,
                     "it did not end when it was cancelled, and was ended with its worker");
            return true;
        case LATE:
            *status = RASK_ETIMEDOUT;
            rk_hands_say_late((double)call->terms.limit_ns / 1e9, message, RK_MAX_MESSAGE + 1);
            if (!goes_on(s, call))
                return true;
            call->attempt = s->slip->attempt;
            if (!has_come(s))
                return false;
            break;
        }
    }
}

/* Without memory for a note of it, it stays as long as the program. */
static void pin_arguments(rk_standing *s, const rk_lone_call *call)
{
    for (uint32_t i = 0; i < call->nargs; i++) {
        rask_value pinned = rask_value_ref(&call->args[i]), *place = rk_array_push(&s->pinned);
        if (place)
            *place = pinned;
    }
}

bool rk_standing_call(rk_standing *s, rk_lone_call *call, int *status, rask_value *result, char *message)
{
    rk_news news;
    call->rest_ns = call->grown_retries = 0;
    send_home(s);
    if (!has_come(s) || call->def->flags & RASK_HERE || !rk_may_travel_def(&s->modules, call->def) ||
        !write_slip(s, call))
        return false;
    bool made = call_in_time(s, call, &news, status, result, message);
    if (made && news.kept)
        pin_arguments(s, call);
    free_slip(s, made && news.kept);
    return made;
}
