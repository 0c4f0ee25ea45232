#include "collections/bag/reduction.h"

#include "collections/bag/keyed.h"
#include "core/base/alloc.h"

#include <stdarg.h>
#include <stdio.h>

int rk_bag_state_init(rk_bag_state *state, const rk_bag_reduction *reduction, uint64_t seed, char *message)
{
    *state = (rk_bag_state){.reduction = reduction, .seed = seed, .message = message};
    state->own = rk_calloc(1, reduction->cls->size);
    return state->own ? reduction->cls->init(state) : RASK_ENOMEM;
}

void rk_bag_state_fini(rk_bag_state *state)
{
    if (!state->own)
        return;
    state->reduction->cls->fini(state);
    rk_free(state->own);
    state->own = NULL;
}

int rk_bag_state_fail(rk_bag_state *state, int status, const char *format, ...)
{
    va_list arguments;
    int len = snprintf(state->message, RK_MAX_MESSAGE, "%s: ", state->reduction->name);
    va_start(arguments, format);
    if (len >= 0 && len < RK_MAX_MESSAGE)
        vsnprintf(state->message + len, (size_t)(RK_MAX_MESSAGE - len), format, arguments);
    va_end(arguments);
    return status;
}

int rk_bag_pack_ranges(rk_bag_state *state, uint32_t ranges,
                       int (*scatter)(const rk_bag_state *state, uint32_t ranges, rk_bag_builder *builders),
                       rask_value *values)
{
    uint32_t made = 0;
    rk_bag_builder *builders = rk_calloc(ranges, sizeof *builders);
    if (!builders)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < ranges; i++)
        rk_bag_builder_init(&builders[i], &state->reduction->out);
    int status = scatter(state, ranges, builders);
    for (; made < ranges && !status; made += !status)
        status = rk_bag_builder_value(&builders[made], &values[made]);
    for (uint32_t i = 0; status && i < made; i++)
        rask_value_unref(&values[i]);
    for (uint32_t i = 0; i < ranges; i++)
        rk_bag_builder_fini(&builders[i]);
    rk_free(builders);
    return status;
}
