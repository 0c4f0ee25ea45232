#include "collections/table/groups/groups.h"

#include "collections/table/groups/inside.h"

/* States that an aggregate of a type is computed from, beside the number of rows; returns how many. */
static uint32_t needed_states(rk_function function, rask_column_type type, rk_state_kind *kinds)
{
    switch (function) {
    case RK_AGGREGATE_SUM: kinds[0] = type == RASK_COL_F64 ? RK_STATE_SUM : RK_STATE_INTEGERS; return 1;
    case RK_AGGREGATE_MEAN:
        kinds[0] = type == RASK_COL_F64 ? RK_STATE_SUM : RK_STATE_INTEGERS;
        kinds[1] = RK_STATE_NULLS;
        return 2;
    case RK_AGGREGATE_VAR:
    case RK_AGGREGATE_STD:
        kinds[0] = RK_STATE_SUM;
        kinds[1] = RK_STATE_SQUARES;
        kinds[2] = RK_STATE_NULLS;
        return 3;
    case RK_AGGREGATE_COUNT: kinds[0] = RK_STATE_NULLS; return 1;
    case RK_AGGREGATE_DISTINCT: kinds[0] = RK_STATE_DISTINCT; return 1;
    case RK_AGGREGATE_MIN: kinds[0] = RK_STATE_LEAST; return 1;
    case RK_AGGREGATE_MAX: kinds[0] = RK_STATE_MOST; return 1;
    case RK_AGGREGATE_FIRST: kinds[0] = RK_STATE_FIRST; return 1;
    case RK_AGGREGATE_LAST: kinds[0] = RK_STATE_LAST; return 1;
    default: kinds[0] = RK_STATE_VALUES; return 1;
    }
}

enum { MOST_NEEDED = 3 };

rk_state *rk_groups_state(const rk_groups *groups, rk_state_kind kind, uint32_t argument)
{
    for (uint32_t i = 0; i < groups->state_count; i++)
        if (groups->states[i].kind == kind && groups->states[i].argument == argument)
            return &groups->states[i];
    return NULL;
}

static int add_state(rk_groups *groups, rk_state_kind kind, uint32_t argument, rask_column_type type)
{
    if (rk_groups_state(groups, kind, argument))
        return RASK_OK;
    int status = rk_state_init(&groups->states[groups->state_count], kind, argument, type, groups->seed);
    groups->state_count += !status;
    return status;
}

static int add_states(rk_groups *groups)
{
    const rk_aggregates *a = groups->aggregates;
    groups->states = rk_calloc(1 + (size_t)a->count * MOST_NEEDED, sizeof *groups->states);
    if (!groups->states)
        return RASK_ENOMEM;
    int status = add_state(groups, RK_STATE_ROWS, RK_NO_ARGUMENT, RASK_COL_I64);
    for (uint32_t i = 0; i < a->count && !status; i++) {
        uint32_t argument = a->items[i].argument;
        rk_state_kind kinds[MOST_NEEDED];
        if (argument == RK_NO_ARGUMENT)
            continue;
        rask_column_type type = a->arguments[argument].type;
        uint32_t count = needed_states(a->items[i].function, type, kinds);
        for (uint32_t k = 0; k < count && !status; k++)
            status = add_state(groups, kinds[k], argument, type);
    }
    return status;
}

int rk_groups_new(const rask_column_type *keys, uint32_t key_count, const rk_aggregates *aggregates,
                  uint64_t seed, rk_groups **out)
{
    assert(key_count <= RK_MAX_KEYS);
    rk_groups *groups = rk_calloc(1, sizeof *groups);
    if (!groups)
        return RASK_ENOMEM;
    groups->aggregates = aggregates;
    groups->seed = seed;
    groups->firsts = (rk_array)RK_ARRAY(uint64_t, UINT32_MAX);
    if (key_count)
        memcpy(groups->types, keys, key_count * sizeof *keys);
    int status = rk_keys_init(&groups->keys, groups->types, key_count, seed);
    if (!status)
        status = add_states(groups);
    if (status)
        rk_groups_free(groups);
    else
        *out = groups;
    return status;
}

void rk_groups_free(rk_groups *groups)
{
    if (!groups)
        return;
    for (uint32_t i = 0; i < groups->state_count; i++)
        rk_state_fini(&groups->states[i]);
    rk_free(groups->states);
    rk_keys_fini(&groups->keys);
    rk_array_fini(&groups->firsts);
    rk_free(groups->order);
    rk_free(groups);
}

uint32_t rk_groups_count(const rk_groups *groups)
{
    return (uint32_t)groups->keys.rows.count;
}

size_t rk_groups_bytes(const rk_groups *groups)
{
    size_t bytes = sizeof *groups + rk_keys_bytes(&groups->keys) + groups->firsts.capacity * sizeof(uint64_t);
    for (uint32_t i = 0; i < groups->state_count; i++)
        bytes += sizeof *groups->states + rk_state_bytes(&groups->states[i]);
    return bytes;
}

int rk_groups_grow(rk_groups *groups)
{
    size_t had = groups->firsts.count, count = groups->keys.rows.count;
    int status = rk_array_reserve(&groups->firsts, count - had);
    if (status)
        return status;
    groups->firsts.count = count;
    for (size_t i = had; i < count; i++)
        ((uint64_t *)groups->firsts.data)[i] = UINT64_MAX;
    for (uint32_t i = 0; i < groups->state_count && !status; i++)
        status = rk_state_resize(&groups->states[i], count);
    return status;
}

int rk_groups_add_only(rk_groups *groups)
{
    uint32_t id;
    int status = groups->keys.rows.count ? RASK_OK : rk_keys_find(&groups->keys, NULL, 0, 1, &id);
    return status ? status : rk_groups_grow(groups);
}

/* Rows usually come in order: then only new groups have to learn their first position. */
static int note_positions(rk_groups *groups, const uint32_t *ids, uint32_t rows, uint64_t position)
{
    size_t had = groups->firsts.count;
    if (position >= groups->seen && had == groups->keys.rows.count) {
        groups->seen = position + rows;
        return RASK_OK;
    }
    int status = rk_groups_grow(groups);
    uint64_t *firsts = groups->firsts.data;
    for (uint32_t i = 0; i < rows && !status; i++)
        if (firsts[ids[i]] > position + i)
            firsts[ids[i]] = position + i;
    if (position + rows > groups->seen)
        groups->seen = position + rows;
    return status;
}

static int find_groups(rk_groups *groups, const rk_column *const *keys, uint32_t first, uint32_t rows,
                       uint32_t *ids)
{
    if (groups->keys.columns)
        return rk_keys_find(&groups->keys, keys, first, rows, ids);
    memset(ids, 0, rows * sizeof *ids);
    return rk_groups_add_only(groups);
}

int rk_groups_add(rk_groups *groups, const rk_column *const *keys, const rk_column *const *arguments,
                  uint32_t rows, uint64_t position)
{
    uint32_t ids[RK_KEYS_ROWS];
    assert(!groups->order);
    int status = RASK_OK;
    for (uint32_t first = 0, n; first < rows && !status; first += n, position += n) {
        n = rows - first < RK_KEYS_ROWS ? rows - first : RK_KEYS_ROWS;
        status = find_groups(groups, keys, first, n, ids);
        if (!status)
            status = note_positions(groups, ids, n, position);
        for (uint32_t i = 0; i < groups->state_count && !status; i++) {
            rk_state *state = &groups->states[i];
            const rk_column *column = state->argument == RK_NO_ARGUMENT ? NULL : arguments[state->argument];
            status = rk_state_add(state, ids, column, first, n, position);
        }
    }
    return status;
}

void rk_groups_types(const rk_groups *groups, rask_column_type *types)
{
    for (uint32_t i = 0; i < groups->keys.columns; i++)
        *types++ = groups->types[i];
    for (uint32_t i = 0; i < groups->aggregates->count; i++)
        *types++ = groups->aggregates->items[i].type;
}
