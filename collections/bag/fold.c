/* Reductions by functions of the program: one state of all records. */
#include "collections/bag/keyed.h"

#include <string.h>

/* The state is a field of the only record of a builder: aligned, and packed as it stands. */
static rk_bag_builder *builder_of(const rk_bag_state *state)
{
    return state->own;
}

rask_item rk_bag_folding_initial(const rk_bag_reduction *reduction)
{
    const rk_shape *out = &reduction->out;
    const void *initial = reduction->folding->initial;
    rask_item item = {.type = out->types[out->count - 1]};
    if (item.type == RASK_SIG_STRUCT)
        item.as.bytes = (rask_bytes){initial, out->sizes[out->count - 1]};
    else
        memcpy(&item.as, initial, sizeof(int64_t));
    return item;
}

int rk_bag_folding_fail(rk_bag_state *state, int status)
{
    return status && !*state->message ? rk_bag_state_fail(state, status, "%s", rask_status_text(status))
                                      : status;
}

static int fold_init(rk_bag_state *state)
{
    const rask_record initial = {.count = 1, .items = {rk_bag_folding_initial(state->reduction)}};
    rk_bag_builder_init(builder_of(state), &state->reduction->out);
    return rk_bag_builder_add(builder_of(state), &initial);
}

static void fold_fini(rk_bag_state *state)
{
    rk_bag_builder_fini(builder_of(state));
}

static int fold_add(rk_bag_state *state, const rask_record *record)
{
    const rask_bag_folding *f = state->reduction->folding;
    return rk_bag_folding_fail(state,
                               f->add(rk_bag_builder_place(builder_of(state), 0, 0), record, f->context));
}

static int fold_pack(rk_bag_state *state, uint32_t ranges, rask_value *values)
{
    (void)ranges;
    return rk_bag_builder_value(builder_of(state), values);
}

static int fold_take(rk_bag_state *state, rask_bytes packed)
{
    const rask_bag_folding *f = state->reduction->folding;
    rk_bag_chunk chunk;
    rk_bag_chunk_open(&chunk, packed);
    return rk_bag_folding_fail(
        state, f->combine(rk_bag_builder_place(builder_of(state), 0, 0), chunk.columns[0].data, f->context));
}

static int fold_finish(rk_bag_state *state, rk_bag_builder *records)
{
    rask_record record;
    rk_bag_builder_get(builder_of(state), 0, &record);
    return rk_bag_builder_add(records, &record);
}

const rk_bag_reduction_class rk_bag_reduce_fold = {.name = "fold",
                                                   .size = sizeof(rk_bag_builder),
                                                   .init = fold_init,
                                                   .fini = fold_fini,
                                                   .add = fold_add,
                                                   .pack = fold_pack,
                                                   .take = fold_take,
                                                   .finish = fold_finish};
