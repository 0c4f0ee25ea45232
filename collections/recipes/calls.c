/* Calls of builders: noted, written, read. */
#include "collections/recipes/recipe.h"
#include "core/base/alloc.h"
#include "core/base/atomic.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_MADE = 1 << 20 };

static rk_atomic_u64 turns;

/* -- Noting */

/* Memory of the graph's with what stands at from; NULL, latched. */
static void *keep(rask_graph *graph, const void *from, size_t size)
{
    void *own = rk_arena_alloc(&graph->arena, size ? size : 1);
    if (!own)
        return rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a collection");
    if (size)
        memcpy(own, from, size);
    return own;
}

void rk_builder_told(rk_builder_call *call, const rask_graph *graph, const void *context)
{
    call->context = rk_graph_context(graph, context);
    call->stays = context && !call->context.data;
}

rk_builder_call *rk_builder_note(rask_graph *graph, const rk_builder_call *call)
{
    rk_builder_call *own = keep(graph, call, sizeof *call);
    if (!own)
        return NULL;
    for (int i = 0; i < RK_CALL_TEXTS; i++)
        if (call->texts[i] && !(own->texts[i] = keep(graph, call->texts[i], strlen(call->texts[i]) + 1)))
            return NULL;
    own->bytes.data = keep(graph, call->bytes.data, call->bytes.len);
    own->inputs = keep(graph, call->inputs, call->input_count * sizeof *call->inputs);
    own->turn = rk_add_relaxed(&turns, 1) + 1;
    return own->bytes.data && own->inputs ? own : NULL;
}

/* -- Finding */

static int add(rk_builder_calls *calls, void *made, uint64_t now, rk_open_error *error)
{
    rk_builder_call *call = calls->call_of(made);
    if (!call || call->stays) {
        rk_open_fail(
            error, RASK_EUNSUPPORTED, "%s",
            call ? "the context of a function is memory of the program's: let rask_graph_context() make it"
                 : calls->why);
        return RASK_EUNSUPPORTED;
    }
    if (call->seen == now)
        return RASK_OK;
    void **place = rk_array_push(&calls->made);
    if (!place) {
        rk_open_fail(error, RASK_ENOMEM, "%s", rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    *place = made;
    call->seen = now;
    return RASK_OK;
}

typedef struct turned {
    uint64_t turn;
    void *made;
} turned;

static int by_turn(const void *a, const void *b)
{
    const turned *x = a, *y = b;
    return x->turn < y->turn ? -1 : x->turn > y->turn;
}

/* Inputs come before what is made of them. */
static int arrange(rk_builder_calls *calls, rk_open_error *error)
{
    void **made = calls->made.data;
    size_t count = calls->made.count;
    turned *all = rk_alloc_array(count + 1, sizeof *all);
    if (!all) {
        rk_open_fail(error, RASK_ENOMEM, "%s", rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        all[i] = (turned){calls->call_of(made[i])->turn, made[i]};
    qsort(all, count, sizeof *all, by_turn);
    for (size_t i = 0; i < count; i++) {
        made[i] = all[i].made;
        calls->call_of(made[i])->number = (uint32_t)i;
    }
    rk_free(all);
    return RASK_OK;
}

int rk_builder_calls_find(rk_builder_calls *calls, void *made, rk_open_error *error)
{
    uint64_t now = rk_add_relaxed(&turns, 1) + 1;
    calls->made = (rk_array)RK_ARRAY(void *, MOST_MADE);
    int status = add(calls, made, now, error);
    for (size_t i = 0; i < calls->made.count && !status; i++) {
        const rk_builder_call *call = calls->call_of(((void **)calls->made.data)[i]);
        for (size_t k = 0; k < call->input_count && !status; k++)
            status = add(calls, call->inputs[k], now, error);
    }
    return status ? status : arrange(calls, error);
}

/* -- Writing and reading */

int rk_builder_call_put(const rk_builder_calls *calls, const rk_builder_call *call, rk_pack_out *out,
                        rk_open_error *error)
{
    rk_pack_put_u32(out, call->builder);
    for (int i = 0; i < RK_CALL_TEXTS; i++)
        rk_pack_put_text(out, call->texts[i]);
    rk_pack_put(out, call->numbers, sizeof call->numbers);
    for (int i = 0; i < RK_CALL_FUNCTIONS; i++) {
        rk_pack_put_u8(out, call->functions[i] != NULL);
        if (call->functions[i] && rk_pack_put_place(out, (uintptr_t)call->functions[i])) {
            rk_open_fail(error, RASK_EUNSUPPORTED, "a function of it was made at run time");
            return RASK_EUNSUPPORTED;
        }
    }
    rk_pack_put_bytes(out, call->bytes.data, call->bytes.len);
    rk_pack_put_bytes(out, call->context.data, call->context.len);
    rk_pack_put_u32(out, (uint32_t)call->input_count);
    for (size_t i = 0; i < call->input_count; i++)
        rk_pack_put_u32(out, calls->call_of(call->inputs[i])->number);
    return RASK_OK;
}

static int get_inputs(rk_pack_in *in, void *const *made, uint32_t count, rk_builder_call *call)
{
    uint32_t inputs = rk_pack_get_u32(in);
    if (in->failed || inputs > rk_pack_left(in) / sizeof inputs)
        return RASK_EFORMAT;
    void **own = rk_alloc_array((size_t)inputs + 1, sizeof *own);
    call->inputs = own;
    if (!own)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < inputs; i++) {
        uint32_t number = rk_pack_get_u32(in);
        if (number >= count)
            return RASK_EFORMAT;
        own[i] = made[number];
        call->input_count++;
    }
    return RASK_OK;
}

/* A copy of bytes, aligned as memory is. */
static int get_bytes(rk_pack_in *in, rask_bytes *out)
{
    rask_bytes bytes = rk_pack_get_bytes(in);
    if (in->failed)
        return RASK_EFORMAT;
    char *own = rk_alloc(bytes.len + 1);
    if (!own)
        return RASK_ENOMEM;
    memcpy(own, bytes.data, bytes.len);
    *out = (rask_bytes){own, bytes.len};
    return RASK_OK;
}

int rk_builder_call_get(rk_pack_in *in, void *const *made, uint32_t count, rk_builder_call *call)
{
    *call = (rk_builder_call){.builder = rk_pack_get_u32(in)};
    for (int i = 0; i < RK_CALL_TEXTS; i++) {
        char *text = NULL;
        if (!rk_pack_get_text(in, &text))
            return in->failed ? RASK_EFORMAT : RASK_ENOMEM;
        call->texts[i] = text;
    }
    for (int i = 0; i < RK_CALL_NUMBERS; i++)
        call->numbers[i] = rk_pack_get_u64(in);
    for (int i = 0; i < RK_CALL_FUNCTIONS; i++)
        if (rk_pack_get_u8(in))
            call->functions[i] = (void (*)(void))rk_pack_get_place(in, 1, true);
    int status = get_bytes(in, &call->bytes);
    if (!status)
        status = get_bytes(in, &call->context);
    return status ? status : get_inputs(in, made, count, call);
}

void rk_builder_call_fini(rk_builder_call *call)
{
    for (int i = 0; i < RK_CALL_TEXTS; i++)
        rk_free((void *)call->texts[i]);
    rk_free((void *)call->bytes.data);
    rk_free((void *)call->context.data);
    rk_free((void *)call->inputs);
    *call = (rk_builder_call){0};
}
