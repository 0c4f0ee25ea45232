/* Results of futures within the memory budget.
 *
 * A future's place for its result is what a run has in its table. Who takes results there goes through the store, for they
 * come and go. A future whose result is another's, because its task returned a node, refers to that one: an object has one place. */
#include "schedulers/futures/holding.h"

#include "core/base/print.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static _Thread_local const rk_holding *inside; /* the calling thread's innermost call, unless that waits */

/* The future that has it in its place. */
static rask_future *holder_of(const rask_future *future)
{
    assert(!future->status);
    return future->cause ? future->cause : (rask_future *)future;
}

/* -- Calls */

static const rask_value *place_of(const rk_edge *edge)
{
    return edge->argument == UINT32_MAX ? NULL : &holder_of(edge->from)->result;
}

static bool takes_managed(const rask_future *future)
{
    for (uint32_t i = 0; i < future->edge_count; i++) {
        const rask_value *place = place_of(&rk_future_edges(future)[i]);
        if (place && rk_store_is_managed(place))
            return true;
    }
    return false;
}

static bool needs_door(const rask_future *future)
{
    const rk_executor *e = future->executor;
    if (!e->own_store)
        return false;
    return future->def->result_bytes >= rk_store_threshold(e->store) ||
           (rk_store_has_managed(e->store) && takes_managed(future));
}

/* Results that it takes are there; scalars it has already. */
static void take_arguments(rask_future *future)
{
    for (uint32_t i = 0; i < future->edge_count; i++) {
        const rk_edge *edge = &rk_future_edges(future)[i];
        if (edge->argument == UINT32_MAX)
            continue;
        future->args[edge->argument] = rask_value_ref(&holder_of(edge->from)->result);
        future->args[edge->argument].reserved = 0;
    }
}

static void ask(rk_holding *holding, const rask_future *future)
{
    for (uint32_t i = 0; i < future->edge_count; i++)
        holding->places[i] = (rask_value *)place_of(&rk_future_edges(future)[i]);
    uint64_t result = future->def->result_bytes;
    holding->pass = (rk_pass){.task = (uint32_t)future->number,
                              .places = holding->places,
                              .count = future->edge_count,
                              .result = result,
                              .surely = result};
}

static int enter(rk_holding *holding, const rask_future *future, char *message)
{
    rk_executor *e = future->executor;
    holding->places = rk_alloc_array((size_t)future->edge_count + 1, sizeof *holding->places);
    if (!holding->places) {
        snprintf(message, RK_MAX_MESSAGE, "no memory to take its arguments");
        return RASK_ENOMEM;
    }
    ask(holding, future);
    *message = 0;
    int status = rk_store_enter(e->store, &holding->pass, message, RK_MAX_MESSAGE + 1);
    if (status) {
        rk_free(holding->places);
        if (!*message)
            rk_executor_stopped(e, message);
        return status;
    }
    holding->open = true;
    holding->store = e->store;
    holding->outer = inside;
    inside = holding;
    return RASK_OK;
}

int rk_holding_begin(rk_holding *holding, rask_future *future, char *message)
{
    holding->open = false;
    int status = __builtin_expect(needs_door(future), 0) ? enter(holding, future, message) : RASK_OK;
    if (!status)
        take_arguments(future);
    return status;
}

void rk_holding_release(rk_holding *holding)
{
    if (!holding->open)
        return;
    rk_store_unpin(holding->store, &holding->pass);
    rk_free(holding->places);
    holding->places = NULL;
}

void rk_holding_end(rk_holding *holding)
{
    if (!holding->open)
        return;
    holding->open = false;
    inside = holding->outer;
    rk_store_leave(holding->store, &holding->pass);
}

const rk_holding *rk_holding_pause(void)
{
    const rk_holding *paused = inside;
    inside = NULL;
    if (paused)
        rk_store_pause(paused->store, &paused->pass);
    return paused;
}

void rk_holding_resume(const rk_holding *paused)
{
    assert(!inside);
    inside = paused;
    if (paused)
        rk_store_resume(paused->store, &paused->pass);
}

/* -- Results */

static void say_over_budget(char *message, const rk_store *store, const rask_value *result)
{
    rk_print out = {message, RK_MAX_MESSAGE + 1, 0};
    rk_print_add(&out, "its result of ");
    rk_print_bytes(&out, ((const rask_object *)result->as.object)->deep);
    rk_print_add(&out, " goes over the memory budget of ");
    rk_print_bytes(&out, rk_store_budget(store));
    rk_print_add(&out, ", with what other futures hold");
}

/* In a store that is another's nothing of the executor's is managed: whose it is knows only tasks of its plan. */
static int keep(const rk_executor *e, rask_value *place, const rask_value *result, rk_pass *pass,
                char *message)
{
    uint64_t bytes;
    int status = RASK_OK;
    *place = *result;
    place->reserved = 0;
    if (!rk_value_is_object(result))
        return RASK_OK;
    if (e->own_store)
        status = rk_store_keep(e->store, pass, RASK_NO_TASK, false, place, result, &bytes, message,
                               RK_MAX_MESSAGE + 1);
    else if ((status = rk_store_add(e->store, result)))
        say_over_budget(message, e->store, result);
    if (status)
        *place = rask_value_none();
    return status;
}

int rk_future_hold_result(rask_future *future, const rask_value *result, rk_holding *holding, char *message)
{
    return keep(future->executor, &future->result, result, holding->open ? &holding->pass : NULL, message);
}

bool rk_executor_is_large(const rk_executor *e, const rask_value *result)
{
    return e->own_store && rk_value_is_object(result) &&
           ((const rask_object *)result->as.object)->deep >= rk_store_threshold(e->store);
}

int rk_executor_count_result(const rk_executor *e, const rask_value *result, char *message)
{
    rask_value nowhere;
    assert(!rk_executor_is_large(e, result));
    return keep(e, &nowhere, result, NULL, message);
}

void rk_future_share_result(rask_future *future, const rask_future *from)
{
    rask_future *holder = holder_of(from);
    if (rk_store_is_managed(&holder->result))
        future->cause = rask_future_ref(holder);
    else
        future->result = rask_value_ref(&holder->result);
}

int rk_future_read_result(const rask_future *future, rask_value *value, char *message)
{
    const rask_future *holder = holder_of(future);
    if (rk_store_is_managed(&holder->result))
        return rk_store_read(future->executor->store, &holder->result, value, message, RK_MAX_MESSAGE + 1);
    *value = rask_value_ref(&holder->result);
    return RASK_OK;
}

void rk_future_drop_result(rask_future *future)
{
    if (rk_store_is_managed(&future->result))
        rk_store_drop(future->executor->store, &future->result);
    else if (rk_value_is_object(&future->result))
        rask_value_unref(&future->result);
}
