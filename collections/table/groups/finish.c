/* Groups put in order, and aggregates computed from their states. */
#include "collections/table/groups/inside.h"
#include "collections/table/groups/quantile.h"

#include <math.h>

static rask_bytes key_text(const uint64_t *word)
{
    return (rask_bytes){rk_key_text(word), word[0]};
}

static double bits_double(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The rank of one column of a key. */
static uint64_t key_rank(const rk_keys *keys, const uint64_t *row, uint32_t column, uint32_t at)
{
    if (keys->types[column] == RASK_COL_TEXT)
        return row[at] == RK_KEY_NULL ? RK_RANK_NULL : rk_rank_text(key_text(row + at), false);
    if (row[1] >> column & 1)
        return RK_RANK_NULL;
    if (keys->types[column] == RASK_COL_F64)
        return rk_rank_f64(bits_double(row[at]), false);
    return rk_rank_i64((int64_t)row[at], false);
}

uint64_t rk_groups_rank(const rk_groups *groups, size_t group)
{
    return key_rank(&groups->keys, rk_keys_row(&groups->keys, group), 0, 1 + groups->keys.mask);
}

static int compare_keys(const void *context, uint64_t a, uint64_t b)
{
    const rk_keys *keys = context;
    const uint64_t *row_a = rk_keys_row(keys, a), *row_b = rk_keys_row(keys, b);
    for (uint32_t i = 0, at = 1 + keys->mask; i < keys->columns; i++) {
        bool text = keys->types[i] == RASK_COL_TEXT;
        int null = rk_keys_is_null(keys, row_a, i) - rk_keys_is_null(keys, row_b, i);
        uint64_t rank_a = key_rank(keys, row_a, i, at), rank_b = key_rank(keys, row_b, i, at);
        if (null || rank_a != rank_b)
            return null ? null : rank_a < rank_b ? -1 : 1;
        int order = text && row_a[at] != RK_KEY_NULL
                        ? rk_text_compare(key_text(row_a + at), key_text(row_b + at))
                        : 0;
        if (order)
            return order;
        at += text ? 3 : 1;
    }
    return 0;
}

static void rank_groups(const rk_groups *groups, rk_groups_order order, rk_ranked *ranked)
{
    const rk_keys *keys = &groups->keys;
    const uint64_t *firsts = groups->firsts.data;
    for (size_t g = 0; g < keys->rows.count; g++) {
        uint64_t rank = 0;
        if (order == RK_GROUPS_BY_POSITION)
            rank = firsts[g];
        else if (keys->columns)
            rank = rk_groups_rank(groups, g);
        ranked[g] = (rk_ranked){rank, g};
    }
}

int rk_groups_finish(rk_groups *groups, rk_groups_order order)
{
    assert(!groups->order);
    int status = groups->keys.columns ? RASK_OK : rk_groups_add_only(groups);
    size_t count = groups->keys.rows.count;
    for (uint32_t i = 0; i < groups->state_count && !status; i++)
        status = rk_state_finish(&groups->states[i], count);
    rk_ranked *ranked = status ? NULL : rk_alloc_array(count + 1, sizeof *ranked);
    rk_ranked *scratch = status ? NULL : rk_alloc_array(count + 1, sizeof *scratch);
    if (ranked && scratch) {
        rank_groups(groups, order, ranked);
        rk_sort(ranked, scratch, count, order == RK_GROUPS_BY_KEY ? compare_keys : NULL, &groups->keys);
        groups->order = ranked;
    } else {
        rk_free(ranked);
        status = status ? status : RASK_ENOMEM;
    }
    rk_free(scratch);
    return status;
}

/* Results. */

typedef struct emission {
    const rk_groups *groups;
    const rk_aggregate *item;
    const rk_ranked *order;
    uint32_t rows;
    rk_column *out;
    rk_print *error;
    const rk_state *nulls; /* of the argument, where they matter */
} emission;

static const rk_state *state_of(const emission *e, rk_state_kind kind)
{
    const rk_state *state = rk_groups_state(e->groups, kind, e->item->argument);
    assert(state);
    return state;
}

/* Values of the argument in a group. */
static uint64_t count_of(const emission *e, uint64_t group)
{
    uint64_t rows = *(const uint64_t *)rk_state_cell(&e->groups->states[0], group);
    return e->nulls ? rows - *(const uint64_t *)rk_state_cell(e->nulls, group) : rows;
}

static void put_double(rk_column *out, uint32_t row, bool has, double x)
{
    out->valid[row] = has;
    out->nulls |= !has;
    out->f64[row] = has ? x : 0;
}

static void put_integer(rk_column *out, uint32_t row, int64_t x)
{
    out->valid[row] = true;
    out->i64[row] = x;
}

static int emit_sum(const emission *e)
{
    bool real = e->item->type == RASK_COL_F64;
    const rk_state *state = state_of(e, real ? RK_STATE_SUM : RK_STATE_INTEGERS);
    for (uint32_t i = 0; i < e->rows; i++) {
        if (real) {
            put_double(e->out, i, true, rk_sums_get(&state->sums, e->order[i].item));
            continue;
        }
        __int128 sum = *(const __int128 *)rk_state_cell(state, e->order[i].item);
        if (sum < INT64_MIN || sum > INT64_MAX) {
            rk_print_add(e->error, "%.*s is too large for an int64",
                         (int)(e->item->name.len < 200 ? e->item->name.len : 200), e->item->name.data);
            return RASK_ERANGE;
        }
        put_integer(e->out, i, (int64_t)sum);
    }
    return RASK_OK;
}

static int emit_mean(const emission *e)
{
    const rk_state *integers = rk_groups_state(e->groups, RK_STATE_INTEGERS, e->item->argument);
    const rk_state *sum = integers ? NULL : state_of(e, RK_STATE_SUM);
    for (uint32_t i = 0; i < e->rows; i++) {
        uint64_t group = e->order[i].item, n = count_of(e, group);
        double total = integers ? (double)*(const __int128 *)rk_state_cell(integers, group)
                                : rk_sums_get(&sum->sums, group);
        put_double(e->out, i, n > 0, total / (double)n);
    }
    return RASK_OK;
}

static int emit_variance(const emission *e)
{
    const rk_state *sum = state_of(e, RK_STATE_SUM), *squares = state_of(e, RK_STATE_SQUARES);
    for (uint32_t i = 0; i < e->rows; i++) {
        uint64_t group = e->order[i].item, n = count_of(e, group);
        double x = n > 1 ? rk_sums_variance(&sum->sums, &squares->sums, group, n) : 0;
        put_double(e->out, i, n > 1, e->item->function == RK_AGGREGATE_STD ? sqrt(x) : x);
    }
    return RASK_OK;
}

static int emit_count(const emission *e)
{
    for (uint32_t i = 0; i < e->rows; i++)
        put_integer(e->out, i, (int64_t)count_of(e, e->order[i].item));
    return RASK_OK;
}

static int emit_distinct(const emission *e)
{
    const rk_state *state = state_of(e, RK_STATE_DISTINCT);
    for (uint32_t i = 0; i < e->rows; i++)
        put_integer(e->out, i, (int64_t)state->counts[e->order[i].item]);
    return RASK_OK;
}

static int emit_quantile(const emission *e)
{
    const rk_state *state = state_of(e, RK_STATE_VALUES);
    for (uint32_t i = 0; i < e->rows; i++) {
        uint64_t from = state->counts[e->order[i].item], n = state->counts[e->order[i].item + 1] - from;
        const double *values = (const double *)state->values.data + from;
        put_double(e->out, i, n > 0, n ? rk_quantile(values, n, e->item->q) : 0);
    }
    return RASK_OK;
}

/* What stands for a number or a text, with its bits or its words. */
static void put_bits(rk_column *out, uint32_t row, bool has, uint64_t bits)
{
    out->valid[row] = has;
    out->nulls |= !has;
    if (out->type == RASK_COL_BOOL)
        out->boolean[row] = has && bits;
    else if (out->type == RASK_COL_F64)
        out->f64[row] = has ? bits_double(bits) : 0;
    else
        out->i64[row] = has ? (int64_t)bits : 0;
}

static void put_text(rk_column *out, uint32_t row, bool has, rask_bytes text)
{
    out->valid[row] = has;
    out->nulls |= !has;
    out->text[row] = has ? text : (rask_bytes){"", 0};
}

static int emit_pick(const emission *e, rk_state_kind kind)
{
    const rk_state *state = state_of(e, kind);
    for (uint32_t i = 0; i < e->rows; i++) {
        const rk_pick *pick = rk_state_cell(state, e->order[i].item);
        if (e->item->type == RASK_COL_TEXT)
            put_text(e->out, i, pick->has, (rask_bytes){(const char *)(uintptr_t)pick->bits, pick->len});
        else
            put_bits(e->out, i, pick->has, pick->bits);
    }
    return RASK_OK;
}

static int emit(const emission *e)
{
    e->out->nulls = false;
    switch (e->item->function) {
    case RK_AGGREGATE_SUM: return emit_sum(e);
    case RK_AGGREGATE_MEAN: return emit_mean(e);
    case RK_AGGREGATE_VAR:
    case RK_AGGREGATE_STD: return emit_variance(e);
    case RK_AGGREGATE_COUNT: return emit_count(e);
    case RK_AGGREGATE_DISTINCT: return emit_distinct(e);
    case RK_AGGREGATE_MIN: return emit_pick(e, RK_STATE_LEAST);
    case RK_AGGREGATE_MAX: return emit_pick(e, RK_STATE_MOST);
    case RK_AGGREGATE_FIRST: return emit_pick(e, RK_STATE_FIRST);
    case RK_AGGREGATE_LAST: return emit_pick(e, RK_STATE_LAST);
    default: return emit_quantile(e);
    }
}

static void emit_key(const rk_groups *groups, uint32_t column, const rk_ranked *order, uint32_t rows,
                     rk_column *out)
{
    uint32_t at = rk_keys_word(&groups->keys, column);
    out->nulls = false;
    for (uint32_t i = 0; i < rows; i++) {
        const uint64_t *row = rk_keys_row(&groups->keys, order[i].item);
        bool has = !rk_keys_is_null(&groups->keys, row, column);
        if (groups->types[column] == RASK_COL_TEXT)
            put_text(out, i, has, key_text(row + at));
        else
            put_bits(out, i, has, row[at]);
    }
}

int rk_groups_next(rk_groups *groups, rk_batch *batch, rk_print *error)
{
    assert(groups->order && batch->count == groups->keys.columns + groups->aggregates->count);
    const rk_ranked *order = groups->order + groups->next;
    size_t left = groups->keys.rows.count - groups->next;
    uint32_t rows = left < RK_BATCH_ROWS ? (uint32_t)left : RK_BATCH_ROWS, keys = groups->keys.columns;
    for (uint32_t i = 0; i < keys; i++)
        emit_key(groups, i, order, rows, &batch->columns[i]);
    int status = RASK_OK;
    for (uint32_t i = 0; i < groups->aggregates->count && !status; i++) {
        const rk_aggregate *item = &groups->aggregates->items[i];
        const rk_state *nulls = rk_groups_state(groups, RK_STATE_NULLS, item->argument);
        emission e = {groups, item, order, rows, &batch->columns[keys + i], error, nulls};
        status = emit(&e);
    }
    batch->rows = status ? 0 : rows;
    groups->next += batch->rows;
    return status;
}
