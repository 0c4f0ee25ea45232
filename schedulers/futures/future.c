/* What becomes of a future: see the header for states and references. */
#include "schedulers/futures/future.h"

#include "core/base/clock.h"
#include "core/task/grow.h"
#include "schedulers/call.h"
#include "schedulers/chaos.h"
#include "schedulers/futures/circle.h"
#include "schedulers/futures/executor.h"
#include "schedulers/futures/holding.h"
#include "schedulers/futures/notice.h"
#include "schedulers/futures/piece.h"
#include "schedulers/futures/queue.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* -- Memory */

rask_future *rk_future_new(rk_executor *executor, const rask_task_def *def, uint32_t nargs, uint32_t edges,
                           uint32_t ways)
{
    size_t arguments = nargs * sizeof(rask_value) + edges * sizeof(rk_edge);
    size_t rest = rk_future_words_size(nargs) + ways * sizeof(rk_meeting);
    rask_future *future = rk_executor_alloc(executor, sizeof *future + arguments + rest);
    if (!future)
        return NULL;
    memset(future, 0, sizeof *future + arguments);
    rk_init(&future->refs, edges ? 3 : 2);
    rk_init(&future->pending, edges + 1);
    future->executor = executor;
    future->def = def;
    future->number = rk_executor_number(executor);
    future->nargs = nargs;
    future->edge_count = edges;
    for (uint32_t i = 0; nargs > RK_FUTURE_FEW && i < nargs; i++)
        rk_future_own_words(future)[i] = RK_CONSTANT | i;
    return future;
}

void rk_future_hold(rask_future *future)
{
    future->flags |= RK_FUTURE_HOLDS;
    rk_executor_ref(future->executor);
}

static void end_value(rask_value *value)
{
    if (rk_value_is_object(value))
        rask_value_unref(value);
}

/* The executor that it held, which is the caller's to let go of; NULL: none. */
static rk_executor *free_one(rask_future *future)
{
    rk_executor *executor = future->executor;
    uint32_t flags = future->flags;
    if (rk_load_relaxed(&future->listed))
        rk_meet_forget(&executor->meetings, future);
    for (uint32_t i = 0; i < future->nargs; i++)
        end_value(&future->args[i]);
    rk_future_drop_result(future);
    rk_admission_free(future->admission);
    rk_free(future->grown);
    rk_free(future->message);
    rk_free(rk_load_relaxed(&future->text));
    rk_slab_free(future);
    return flags & RK_FUTURE_HOLDS ? executor : NULL;
}

/* Who has the only reference to a future that is not met needs no exchange: nobody can come by another. */
static bool drop(rask_future *future)
{
    bool only = !rk_load_relaxed(&future->listed) && rk_load_acquire(&future->refs) == 1;
    return only || rk_sub_acq_rel(&future->refs, 1) == 1;
}

/* The last reference is gone; those to what it failed by go next, which may hold nothing. */
static void free_chain(rask_future *future)
{
    rk_executor *executor = NULL;
    do {
        rask_future *next = future->cause, *failed_by = rk_load_relaxed(&future->failed_by);
        rk_executor *held = free_one(future);
        assert(!next || !failed_by || failed_by == next);
        if (next && failed_by)
            rk_sub_relaxed(&failed_by->refs, 1); /* one that next still has another beside */
        future = next ? next : failed_by;
        if (held) {
            rk_executor_unref(executor);
            executor = held;
        }
    } while (future && drop(future));
    rk_executor_unref(executor);
}

void rask_future_unref(rask_future *future)
{
    if (future && drop(future))
        free_chain(future);
}

rask_future *rask_future_ref(rask_future *future)
{
    if (future)
        rk_add_relaxed(&future->refs, 1);
    return future;
}

static bool raise_unless_zero(rk_atomic_u32 *count)
{
    uint32_t seen = rk_load_relaxed(count);
    while (seen)
        if (rk_cas_acq_rel(count, &seen, seen + 1))
            return true;
    return false;
}

bool rk_future_try_ref(rask_future *future)
{
    return raise_unless_zero(&future->refs);
}

bool rk_future_want(rask_future *future)
{
    return raise_unless_zero(&future->wants);
}

/* -- Waiting */

bool rk_future_add_waiter(rask_future *future, rk_waiter *waiter)
{
    rk_waiter *first = rk_load_acquire(&future->waiters);
    do {
        if (first == RK_NO_MORE)
            return false;
        waiter->next = first;
    } while (!rk_cas_acq_rel_or_acquire(&future->waiters, &first, waiter));
    return true;
}

/* An edge has come, or all are there. True: the last, and it is to be queued. */
static bool count_down(rask_future *future)
{
    uint32_t waiting = RK_FUTURE_WAITING;
    if (rk_sub_acq_rel(&future->pending, 1) != 1)
        return false;
    bool ready = rk_cas_acq_rel(&future->state, &waiting, RK_FUTURE_READY);
    if (future->edge_count)
        rask_future_unref(future);
    return ready;
}

static void fail_by_argument(rask_future *owner, rk_endings *endings)
{
    rask_future *from = rk_load_seq_cst(&owner->failed_by);
    if (from && rk_load_seq_cst(&owner->started))
        rk_future_fail(owner, RK_FUTURE_WAITING, from->status, NULL, from, endings);
}

static void note_failure(rask_future *owner, rask_future *from, rk_endings *endings)
{
    rask_future *none = NULL;
    if (rk_cas_seq_cst(&owner->failed_by, &none, from))
        rask_future_ref(from);
    fail_by_argument(owner, endings);
}

static void add_ending(rk_endings *endings, rask_future *future)
{
    future->next_ending = endings->first;
    endings->first = future;
}

static void tell_edge(rk_waiter *waiter, rask_future *from, rk_endings *endings)
{
    rask_future *owner = ((rk_edge *)waiter)->owner;
    if (from->status)
        note_failure(owner, from, endings);
    if (count_down(owner))
        rk_queue_push_last(&endings->ready, owner);
}

/* As rk_future_add_waiter(). */
static void add_waiter_alone(rask_future *future, rk_waiter *waiter)
{
    waiter->next = rk_load_relaxed(&future->waiters);
    rk_store_relaxed(&future->waiters, waiter);
}

void rk_future_wait_for(rask_future *future, uint32_t edge, rask_future *from, uint32_t argument, bool alone)
{
    rk_edge *e = &rk_future_edges(future)[edge];
    *e = (rk_edge){.waiter.tell = tell_edge,
                   .owner = future,
                   .from = from,
                   .number = from->number,
                   .argument = argument};
    rk_count_up(&from->refs, alone);
    rk_count_up(&from->wants, alone);
    rk_endings endings = {0};
    if (alone)
        add_waiter_alone(from, &e->waiter);
    else if (!rk_future_add_waiter(from, &e->waiter))
        tell_edge(&e->waiter, from, &endings);
    rk_futures_end(&endings);
}

static bool start_alone(rask_future *future)
{
    rk_store_relaxed(&future->started, true);
    rk_count_down_alone(&future->pending);
    if (rk_load_relaxed(&future->pending))
        return false;
    rk_store_relaxed(&future->state, RK_FUTURE_READY);
    return true;
}

bool rk_future_start(rask_future *future, bool alone)
{
    rk_endings endings = {0};
    if (alone)
        return start_alone(future);
    rk_store_seq_cst(&future->started, true);
    fail_by_argument(future, &endings);
    bool ready = count_down(future);
    rk_futures_end(&endings);
    return ready;
}

void rk_future_start_running(rask_future *future)
{
    assert(rk_load_relaxed(&future->state) == RK_FUTURE_READY && !future->edge_count);
    rk_store_relaxed(&future->state, RK_FUTURE_RUNNING);
}

void rk_future_abandon(rask_future *future)
{
    rk_endings endings = {0};
    rk_future_fail(future, RK_FUTURE_WAITING, RASK_ECANCELLED, NULL, NULL, &endings);
    count_down(future);
    rk_futures_end(&endings);
    rask_future_unref(future);
}

/* -- Ending */

bool rk_future_fail(rask_future *future, uint32_t from, int status, const char *message, rask_future *cause,
                    rk_endings *endings)
{
    uint32_t state = from;
    if (from == RK_FUTURE_READY)
        rask_future_ref(future);
    if (!rk_cas_seq_cst(&future->state, &state, RK_FUTURE_ENDING)) {
        if (from == RK_FUTURE_READY)
            rask_future_unref(future);
        return false;
    }
    future->status = status;
    rk_free(future->message); /* of why it would have been refused */
    future->message = message ? rk_strndup(message, strlen(message)) : NULL;
    future->cause = rask_future_ref(cause);
    add_ending(endings, future);
    return true;
}

void rk_future_abort(rask_future *future, int status, const char *message, rk_endings *endings)
{
    uint32_t reason = RASK_OK;
    assert(status);
    if (!rk_cas_seq_cst(&future->reason, &reason, (uint32_t)status) && reason == RK_FUTURE_TOO_LATE)
        return;
    rask_cancel(&future->cancel);
    /* A state may be left for the next in the meantime, and RUNNING for READY when it rests: who makes it READY then, or GROWN, looks
     * at the reason afterwards (heed()). */
    if (!rk_future_fail(future, RK_FUTURE_WAITING, status, message, NULL, endings) &&
        !rk_future_fail(future, RK_FUTURE_READY, status, message, NULL, endings))
        rk_future_fail(future, RK_FUTURE_GROWN, status, message, NULL, endings);
}

void rk_future_unwant(rask_future *future, rk_endings *endings)
{
    if (rk_sub_acq_rel(&future->wants, 1) == 1 && !rk_future_is_done(future))
        rk_future_abort(future, RASK_ECANCELLED, NULL, endings);
}

/* It takes its arguments no more: those that nobody else wants end. */
static void let_go(rask_future **from, rk_endings *endings)
{
    rask_future *gone = *from;
    if (!gone)
        return;
    *from = NULL;
    if (!rk_future_is_done(gone))
        rk_future_unwant(gone, endings);
    rask_future_unref(gone);
}

/* Who grows in turn may be changing for whom it stands. */
static void let_go_of_grown(rask_future *future, rk_endings *endings)
{
    pthread_mutex_lock(&future->executor->lock);
    rask_future *from = future->grown->from;
    future->grown->from = NULL;
    pthread_mutex_unlock(&future->executor->lock);
    let_go(&from, endings);
}

static void let_go_of_all(rask_future *future, rk_endings *endings)
{
    rk_circle_await_looks(future);
    for (uint32_t i = 0; i < future->edge_count; i++)
        let_go(&rk_future_edges(future)[i].from, endings);
    if (future->grown)
        let_go_of_grown(future, endings);
}

static rk_waiter *reversed(rk_waiter *list)
{
    rk_waiter *first = NULL;
    while (list) {
        rk_waiter *next = list->next;
        list->next = first;
        first = list;
        list = next;
    }
    return first;
}

/* In the order in which they came. */
static void tell_all(rask_future *future, rk_endings *endings)
{
    rk_waiter *next, *waiter = reversed(rk_exchange_acq_rel(&future->waiters, RK_NO_MORE));
    for (; waiter; waiter = next) {
        next = waiter->next;
        waiter->tell(waiter, future, endings);
    }
}

/* Tasks that grow, and call each other in more ways than one, soon ask for the same number again. */
static bool may_be_asked_again(const rask_future *future)
{
    const uint32_t both = RK_FUTURE_PURE | RK_FUTURE_NESTED;
    return (future->flags & both) == both && !future->status && !future->cause &&
           !rk_value_is_object(&future->result);
}

static void end_one(rask_future *future, rk_endings *endings)
{
    rk_executor *executor = future->executor;
    if (future->admission)
        rk_executor_withdraw(executor, future);
    let_go_of_all(future, endings);
    rk_store_seq_cst(&future->state, RK_FUTURE_DONE);
    tell_all(future, endings);
    if (may_be_asked_again(future))
        rk_meet_keep(&executor->meetings, future);
    rk_executor_note_end(executor, rk_load_seq_cst(&future->watched));
    rask_future_unref(future);
}

static void end_all(rk_endings *endings)
{
    rask_future *future;
    while ((future = endings->first)) {
        endings->first = future->next_ending;
        end_one(future, endings);
    }
}

void rk_futures_end(rk_endings *endings)
{
    end_all(endings);
    if (endings->ready.first)
        rk_executor_push_all(endings->ready.first->executor, &endings->ready);
}

/* -- Running */

static void drop_arguments(rask_future *future)
{
    for (uint32_t i = 0; i < future->edge_count; i++) {
        const rk_edge *edge = &rk_future_edges(future)[i];
        if (edge->argument != UINT32_MAX)
            end_value(&future->args[edge->argument]);
    }
}

/* What tells two calls apart stays with a future that others may meet by its call. */
static void release_arguments(rask_future *future, rk_endings *endings)
{
    rk_circle_await_looks(future);
    drop_arguments(future);
    for (uint32_t i = 0; i < future->edge_count; i++)
        let_go(&rk_future_edges(future)[i].from, endings);
    if (future->flags & RK_FUTURE_PURE)
        return;
    for (uint32_t i = 0; i < future->nargs; i++)
        end_value(&future->args[i]);
}

rk_call_terms rk_future_terms(const rask_future *future)
{
    const rask_options *options = &future->executor->options;
    return (rk_call_terms){.retries = future->retries,
                           .backoff_ns = future->backoff_ns,
                           .limit_ns = future->limit_ns,
                           .check = future->flags & RK_FUTURE_CHECK,
                           .seed = options->seed,
                           .number = (uint32_t)future->number,
                           .failures = options->inject_failures,
                           .delays = options->inject_delays};
}

static const uint32_t few_words[RK_FUTURE_FEW] = {
    RK_CONSTANT,      RK_CONSTANT | 1,  RK_CONSTANT | 2,  RK_CONSTANT | 3, RK_CONSTANT | 4,  RK_CONSTANT | 5,
    RK_CONSTANT | 6,  RK_CONSTANT | 7,  RK_CONSTANT | 8,  RK_CONSTANT | 9, RK_CONSTANT | 10, RK_CONSTANT | 11,
    RK_CONSTANT | 12, RK_CONSTANT | 13, RK_CONSTANT | 14, RK_CONSTANT | 15};

static void call(rask_future *future, uint32_t worker, rk_call_outcome *outcome)
{
    rk_task_env env = {.constants = future->args, .cancel = &future->cancel, .outer = &future->executor->env};
    rk_call_terms terms = rk_future_terms(future);
    rask_task task = {.env = &env,
                      .args = future->nargs <= RK_FUTURE_FEW ? few_words : rk_future_own_words(future),
                      .nargs = future->nargs,
                      .def = future->def,
                      .worker = worker,
                      .attempt = rk_load_relaxed(&future->pending),
                      .message = outcome->message,
                      .spare = rk_executor_spare(future->executor),
                      .takes_nodes = !(future->flags & RK_FUTURE_LEAF)};
    uint64_t retries = 0;
    outcome->status = rk_call_until_rest(&task, &env, &terms, &retries, &outcome->rest_ns);
    outcome->attempt = task.attempt;
    if (outcome->status)
        return;
    outcome->result = task.result;
    outcome->node = task.grown;
}

static void take_node(rk_call_outcome *outcome)
{
    outcome->node = rk_grown_node(&outcome->result);
    rk_graph_ref(outcome->node->graph);
    rask_value_unref(&outcome->result);
}

static void call_apart(rask_future *future, uint32_t bench, rk_call_outcome *outcome)
{
    rk_executor *executor = future->executor;
    rk_executor_note_apart(executor, bench, future);
    executor->call_apart(future, outcome);
    rk_executor_note_apart(executor, bench, NULL);
    if (!outcome->status && rk_grown_is(&outcome->result))
        take_node(outcome);
}

static int stopped(const rask_future *future, char *message)
{
    int status = rk_executor_stopped(future->executor, message);
    if (status && rk_load_relaxed(&future->pending))
        snprintf(message, RK_MAX_MESSAGE, "it waited for its next call when its scheduler was stopped");
    return status;
}

static int refused(const rask_future *future, char *message)
{
    const rk_admission *admission = future->admission;
    bool at_once = future->flags & RK_FUTURE_REFUSED;
    int status = at_once ? future->status : admission ? admission->refused : RASK_OK;
    const char *why = at_once ? future->message : admission ? admission->why : NULL;
    if (status)
        snprintf(message, RK_MAX_MESSAGE, "%s", why ? why : rask_status_text(status));
    return status;
}

static const char *no_memory = "no memory for the nodes that it returned";

/* Whoever cancels it from here on is told that it is done. False: it has been cancelled. */
static bool is_too_late(rask_future *future)
{
    uint32_t none = RASK_OK;
    return rk_cas_acq_rel(&future->reason, &none, RK_FUTURE_TOO_LATE);
}

/* What it stands for is done: a reference of the owner's ends. Who cancels it from here on is told that it is done. */
static void tell_grown(rk_waiter *waiter, rask_future *from, rk_endings *endings)
{
    rask_future *owner = ((rk_edge *)waiter)->owner;
    uint32_t grown = RK_FUTURE_GROWN;
    int status = from->status || is_too_late(owner) ? from->status : (int)rk_load_acquire(&owner->reason);
    if (rk_cas_acq_rel(&owner->state, &grown, RK_FUTURE_ENDING)) {
        owner->status = status;
        if (from->status)
            owner->cause = rask_future_ref(from);
        else if (!status)
            rk_future_share_result(owner, from);
        add_ending(endings, owner);
    }
    rask_future_unref(owner);
}

/* Under the lock: root takes the place of future as what owner stands for. False: it stands for it no more. */
static bool replace(rask_future *owner, const rask_future *future, rask_future *root)
{
    if (rk_load_acquire(&owner->state) != RK_FUTURE_GROWN || owner->grown->from != future)
        return false;
    owner->grown->from = root;
    owner->grown->number = root->number;
    return true;
}

/* Who stands for its result, when nobody else knows it but the caller, who refers to it; NULL: others do. */
static rask_future *only_heir(rask_future *future, rk_waiter *waiter)
{
    if (!waiter || waiter->tell != tell_grown || waiter->next || rk_load_relaxed(&future->listed) ||
        rk_load_acquire(&future->refs) != 3)
        return NULL;
    return ((rk_edge *)waiter)->owner;
}

/* It stood only for the result of this one, which has grown in turn: now for what that has grown into. Else chains of tasks that
 * return one another would be as long as memory. Who that is, with a reference; NULL: nobody does only that. */
static rask_future *hand_over(rask_future *future, rask_future *root)
{
    rk_waiter *waiter = rk_load_acquire(&future->waiters);
    rask_future *owner = only_heir(future, waiter);
    if (!owner)
        return NULL;
    pthread_mutex_lock(&future->executor->lock);
    bool replaced = replace(owner, future, root);
    pthread_mutex_unlock(&future->executor->lock);
    if (!replaced)
        return NULL;
    rask_future_ref(owner); /* its own is gone when root is done */
    rk_store_relaxed(&future->waiters, NULL);
    rask_future_unref(future); /* the owner's */
    rk_endings endings = {0};
    if (!rk_future_add_waiter(root, waiter))
        waiter->tell(waiter, root, &endings);
    rk_futures_end(&endings);
    return owner;
}

static const char *const out_of_time = "its deadline passed";

/* It has just left RUNNING, and whoever told it to end may have looked at its state before: then it ends here. The token without
 * a reason: its executor closed (rk_executor_close()). */
static void heed(rask_future *future, rk_endings *endings)
{
    uint32_t reason = rk_load_seq_cst(&future->reason);
    if (!reason && rask_cancelled(&future->cancel))
        reason = RASK_ECANCELLED;
    if (reason && reason != RK_FUTURE_TOO_LATE)
        rk_future_abort(future, (int)reason, reason == RASK_ETIMEDOUT ? out_of_time : NULL, endings);
}

/* Its result will be that of root, of which a reference and a want are its own from now on. */
static void stand_for(rask_future *future, rask_future *root, rk_edge *edge, rk_endings *endings)
{
    *edge = (rk_edge){.waiter.tell = tell_grown,
                      .owner = rask_future_ref(future),
                      .from = root,
                      .number = root->number,
                      .argument = UINT32_MAX};
    future->grown = edge;
    rk_store_seq_cst(&future->state, RK_FUTURE_GROWN);
    rk_chaos();
    if (!rk_future_add_waiter(root, &edge->waiter))
        tell_grown(&edge->waiter, root, endings);
    heed(future, endings);
}

static void end_running(rask_future *future, int status, const char *message, rk_endings *endings)
{
    uint32_t reason = rk_load_acquire(&future->reason);
    reason = reason == RK_FUTURE_TOO_LATE ? RASK_OK : reason;
    if (reason)
        message = reason == RASK_ETIMEDOUT ? out_of_time : NULL;
    rk_future_fail(future, RK_FUTURE_RUNNING, reason ? (int)reason : status, message, NULL, endings);
}

void rk_future_become(rask_future *future, rask_future *root, rk_edge *edge, bool met, rk_endings *endings)
{
    rask_future_ref(future); /* it may be done, or be cancelled, at any moment from then on */
    rask_future_ref(root);   /* who it is given to may let go of it at once */
    if (future->flags & RK_FUTURE_PURE)
        rk_store_relaxed(&future->executor->may_circle, true);
    rask_future *heir = hand_over(future, root);
    if (heir) {
        rk_free(edge);
        rk_future_fail(future, RK_FUTURE_RUNNING, RASK_ECANCELLED, NULL, NULL, endings);
    } else {
        stand_for(future, root, edge, endings);
    }
    if (met)
        rk_circle_look(&future->executor->circles, heir ? heir : future, endings);
    rask_future_unref(heir);
    rask_future_unref(root);
}

/* The task has returned a node. */
static void grow(rask_future *future, rask_node *node, rk_endings *endings)
{
    rk_edge *edge = rk_alloc(sizeof *edge);
    rask_graph *graph = node->graph;
    bool met = false;
    rask_future *root = edge ? rk_executor_sow_grown(future->executor, node, &future->origin,
                                                     future->priority, &endings->ready, &met)
                             : NULL;
    rk_spare_put(rk_executor_spare(future->executor), graph);
    if (root) {
        rk_future_become(future, root, edge, met, endings);
        rask_future_unref(future);
        return;
    }
    end_running(future, RASK_ENOMEM, no_memory, endings);
    rk_free(edge);
}

static void keep(rask_future *future, rk_call_outcome *outcome, rk_holding *holding, rk_endings *endings)
{
    int status = is_too_late(future) ? RASK_OK : RASK_ECANCELLED;
    if (!status && outcome->counted)
        future->result = outcome->result;
    else if (!status)
        status = rk_future_hold_result(future, &outcome->result, holding, outcome->message);
    if (status) {
        rask_value_unref(&outcome->result);
        end_running(future, status, outcome->message, endings);
        return;
    }
    rk_store_release(&future->state, RK_FUTURE_ENDING);
    add_ending(endings, future);
}

void rk_future_settle(rask_future *future, const rask_value *value)
{
    rk_endings endings = {0};
    future->result = rask_value_ref(value);
    rk_store_relaxed(&future->state, RK_FUTURE_ENDING);
    add_ending(&endings, future);
    rk_futures_end(&endings);
}

/* Its call has come to this. */
static void conclude(rask_future *future, rk_call_outcome *outcome, rk_holding *holding, rk_endings *endings)
{
    if (!outcome->status && rk_load_acquire(&future->reason)) {
        rask_value_unref(&outcome->result);
        rask_graph_free(outcome->node ? outcome->node->graph : NULL);
        outcome->status = RASK_ECANCELLED;
    }
    if (outcome->status) {
        rask_value_unref(&outcome->result); /* there was no memory to go on with it */
        end_running(future, outcome->status, outcome->message, endings);
    } else if (outcome->node) {
        grow(future, outcome->node, endings);
    } else {
        keep(future, outcome, holding, endings);
    }
}

/* Its worker is free, and its arguments may leave memory meanwhile. False: there is no memory for that: it has failed for good. */
static bool rest(rask_future *future, rk_holding *holding, const rk_call_outcome *outcome,
                 rk_endings *endings)
{
    rk_executor *executor = future->executor;
    rk_holding_release(holding);
    drop_arguments(future);
    rk_holding_end(holding);
    rk_store_relaxed(&future->pending, outcome->attempt + 1);
    rask_future_ref(future); /* it may be called, and be done, at any moment from then on */
    bool rests = rk_executor_rest(executor, future, rk_clock_now() + outcome->rest_ns);
    rk_chaos();
    if (rests)
        heed(future, endings);
    rask_future_unref(future);
    return rests;
}

static void make_call(rask_future *future, const rk_seat *seat, rk_call_outcome *outcome)
{
    uint32_t first = outcome->attempt; /* not 0: it is repeated by this */
    if (future->executor->call_apart)
        call_apart(future, seat->bench, outcome);
    else
        call(future, seat->number, outcome);
    rk_executor_note_retries(future->executor, outcome->attempt - first + (first != 0));
}

/* From the call to its outcome, as observers see it. False: there is none yet: it rests, and may be anybody's. */
static bool carry_out(rask_future *future, const rk_seat *seat, rk_holding *holding, rk_call_outcome *outcome,
                      rk_endings *endings)
{
    rask_task_info info;
    rk_executor *executor = future->executor;
    bool observed = executor->options.observer_count;
    holding->open = false;
    outcome->status = stopped(future, outcome->message);
    if (!outcome->status)
        outcome->status = refused(future, outcome->message);
    if (!outcome->status)
        outcome->status = rk_holding_begin(holding, future, outcome->message);
    if (observed)
        rk_notice_started(future, seat->number, &info);
    if (!outcome->status)
        make_call(future, seat, outcome);
    if (outcome->rest_ns && observed)
        rk_notice_rested(future, outcome, &info);
    if (outcome->rest_ns && rest(future, holding, outcome, endings))
        return false;
    if (outcome->rest_ns && observed)
        rk_notice_started(future, seat->number, &info);
    if (observed)
        rk_notice_finished(future, outcome, &info);
    rk_executor_leave(executor, future);
    rk_holding_release(holding);
    release_arguments(future, endings);
    return true;
}

rask_future *rk_future_run(rask_future *future, const rk_seat *seat)
{
    uint32_t state = RK_FUTURE_READY;
    rk_executor *executor = future->executor;
    bool begins = rk_cas_seq_cst(&future->state, &state, RK_FUTURE_RUNNING), later = false;
    if (!begins && !(state == RK_FUTURE_RUNNING && future->put_off)) {
        rk_executor_leave(executor, future);
        rask_future_unref(future);
        return NULL;
    }
    rk_holding holding;
    rk_call_outcome outcome;
    holding.open = false;
    outcome.result = rask_value_none();
    outcome.node = NULL;
    outcome.attempt = rk_load_relaxed(&future->pending);
    outcome.rest_ns = 0;
    outcome.counted = false;
    outcome.message[0] = '\0';
    rk_endings endings = {0};
    if (begins && !carry_out(future, seat, &holding, &outcome, &endings)) {
        rk_futures_end(&endings);
        return NULL;
    }
    if (outcome.node)
        rk_holding_end(&holding);
    if (!begins || (outcome.node && rk_pile_may_take(seat, future, outcome.node)))
        future = rk_pile_run(seat, future, &outcome, &later);
    if (!later)
        conclude(future, &outcome, &holding, &endings);
    rk_holding_end(&holding);
    end_all(&endings);
    if (!later)
        return rk_executor_take_next(executor, &endings.ready);
    rk_executor_push_all(executor, &endings.ready);
    return future;
}

/* -- Calls elsewhere */

bool rk_future_depart(rask_future *future)
{
    uint32_t state = RK_FUTURE_READY;
    rk_holding holding;
    char message[RK_MAX_MESSAGE + 1];
    assert(!future->executor->own_store);
    rk_executor_leave(future->executor, future);
    if (!rk_cas_seq_cst(&future->state, &state, RK_FUTURE_RUNNING)) {
        rask_future_unref(future);
        return false;
    }
    (void)rk_holding_begin(&holding, future, message); /* of another's store there is no door */
    return true;
}

void rk_future_conclude(rask_future *future, int status, const char *message, const rask_value *result)
{
    rk_holding holding = {.open = false};
    rk_endings endings = {0};
    rk_call_outcome outcome = {.status = status, .result = *result};
    snprintf(outcome.message, sizeof outcome.message, "%s", message);
    release_arguments(future, &endings);
    conclude(future, &outcome, &holding, &endings);
    rk_futures_end(&endings);
}

void rk_future_come_home(rask_future *future)
{
    rk_endings endings = {0};
    rk_executor *executor = future->executor;
    drop_arguments(future);
    future->flags |= RK_FUTURE_STAYS;
    rk_admission_renew(future);
    rask_future_ref(future); /* it may be called, and be done, at any moment from then on */
    rk_store_seq_cst(&future->state, RK_FUTURE_READY);
    rk_executor_push(executor, future);
    heed(future, &endings);
    rk_futures_end(&endings);
    rask_future_unref(future);
}
