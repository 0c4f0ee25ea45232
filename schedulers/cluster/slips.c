#include "schedulers/cluster/slips.h"

#include "schedulers/cluster/values.h"
#include "schedulers/processes/travel.h"

#include <stdio.h>
#include <string.h>

/* What stands first; behind it what it needs, places, and arguments. */
typedef struct head {
    uint64_t limit_ns, backoff_ns;
    uint32_t nargs, origin, retries, needs;
    uint32_t flags, node;
} head;

enum { CHECK = 1, LEAF = 2 };

_Static_assert(sizeof(head) == 40, "no byte of it is unset");

/* -- Writing */

static int put_places(rk_pack_out *out, const rask_task_def *def, char *message, size_t capacity)
{
    int status = rk_pack_put_place(out, (uintptr_t)def);
    if (!status)
        status = rk_pack_put_place(out, (uintptr_t)def->call);
    if (status)
        snprintf(message, capacity, "its function, or its definition, was made at run time");
    return status;
}

/* Where it grew that may be of use to it. */
static int put_argument(rk_pack_out *out, const rask_value *arg, char *message, size_t capacity)
{
    if (!rk_may_be_address(arg))
        return rk_pack_put_value(out, arg, message, capacity);
    snprintf(message, capacity, "a number that it takes may be an address");
    return RASK_EUNSUPPORTED;
}

int rk_pack_put_slip(rk_pack_out *out, const rk_lent_call *call, char *message, size_t capacity)
{
    const head h = {.limit_ns = call->limit_ns,
                    .backoff_ns = call->backoff_ns,
                    .nargs = call->nargs,
                    .origin = call->origin,
                    .node = call->node,
                    .retries = call->retries,
                    .needs = call->needs.count,
                    .flags = (call->check ? CHECK : 0) | (call->leaf ? LEAF : 0)};
    rk_pack_put(out, &h, sizeof h);
    rk_pack_put(out, call->needs.of, h.needs * sizeof call->needs.of[0]);
    int status = put_places(out, call->def, message, capacity);
    for (uint32_t i = 0; i < call->nargs && !status; i++)
        status = put_argument(out, &call->args[i], message, capacity);
    if (!status && out->failed) {
        snprintf(message, capacity, "no memory to write it");
        status = RASK_ENOMEM;
    }
    return status;
}

/* -- Reading */

static int refuse(char *message, size_t capacity)
{
    snprintf(message, capacity, "what was lent is no call that this program can make");
    return RASK_EFORMAT;
}

static bool get_needs(rk_pack_in *in, const rk_gate *gate, uint32_t count, rk_needs *needs)
{
    const size_t each = sizeof needs->of[0];
    const char *at = count <= RK_MAX_GATE_NEEDS ? rk_pack_get(in, count * each) : NULL;
    if (!count)
        return true;
    if (!at || !gate)
        return false;
    memcpy(needs->of, at, count * each);
    needs->count = count;
    return rk_gate_can_give(gate, needs);
}

/* A definition whose function is where the bytes say it is. */
static const rask_task_def *get_def(rk_pack_in *in)
{
    const rask_task_def *def =
        (const rask_task_def *)rk_pack_get_place(in, offsetof(rask_task_def, backoff), false);
    rask_function call = (rask_function)rk_pack_get_place(in, 1, true);
    return def && call && def->call == call ? def : NULL;
}

static int get_arguments(rk_pack_in *in, rk_lent_call *call, uint32_t count, char *message, size_t capacity)
{
    int status = RASK_OK;
    if (count > rk_pack_left(in))
        return refuse(message, capacity);
    call->args = rk_calloc((size_t)count + 1, sizeof *call->args);
    if (!call->args) {
        snprintf(message, capacity, "no memory for the arguments of a call");
        return RASK_ENOMEM;
    }
    for (; call->nargs < count && !status; call->nargs += !status)
        status = rk_pack_get_value(in, &call->args[call->nargs], message, capacity);
    return status;
}

int rk_pack_get_slip(rk_pack_in *in, const rk_gate *gate, rk_lent_call *call, char *message, size_t capacity)
{
    const char *at = rk_pack_get(in, sizeof(head));
    head h;
    *call = (rk_lent_call){0};
    if (!at)
        return refuse(message, capacity);
    memcpy(&h, at, sizeof h);
    *call = (rk_lent_call){.origin = h.origin,
                           .node = h.node,
                           .retries = h.retries,
                           .limit_ns = h.limit_ns,
                           .backoff_ns = h.backoff_ns,
                           .check = h.flags & CHECK,
                           .leaf = h.flags & LEAF};
    if (!get_needs(in, gate, h.needs, &call->needs) || !(call->def = get_def(in)))
        return refuse(message, capacity);
    int status = get_arguments(in, call, h.nargs, message, capacity);
    if (!status && (in->failed || in->at != in->end))
        status = refuse(message, capacity);
    if (status)
        rk_slip_fini(call);
    return status;
}

void rk_slip_fini(rk_lent_call *call)
{
    for (uint32_t i = 0; i < call->nargs; i++)
        rask_value_unref(&call->args[i]);
    rk_free(call->args);
    call->args = NULL;
    call->nargs = 0;
}
