/* Reductions to a number: count, sum, min and max, mean and std. */
#include "collections/bag/reduction.h"
#include "collections/sums/sum.h"
#include "collections/text/spaces.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int init_nothing(rk_bag_state *state)
{
    (void)state;
    return RASK_OK;
}

static void fini_nothing(rk_bag_state *state)
{
    (void)state;
}

static int finish_with(const rask_item *item, rk_bag_builder *records)
{
    rask_record record = {.count = 1, .items = {*item}};
    return rk_bag_builder_add(records, &record);
}

static const void *plain(rask_bytes packed, size_t size)
{
    assert(packed.len >= size);
    (void)size;
    return packed.data;
}

/* -- Count */

static int count_add(rk_bag_state *state, const rask_record *record)
{
    (void)record;
    ++*(uint64_t *)state->own;
    return RASK_OK;
}

static int count_add_text(rk_bag_state *state, rask_bytes text, bool words)
{
    *(uint64_t *)state->own +=
        words ? rk_count_words(text.data, text.len)
              : rk_count_newlines(text.data, text.len) + (text.len && text.data[text.len - 1] != '\n');
    return RASK_OK;
}

static int count_pack(rk_bag_state *state, uint32_t ranges, rask_value *values)
{
    (void)ranges;
    return rask_value_bytes_new(state->own, sizeof(uint64_t), values);
}

static int count_take(rk_bag_state *state, rask_bytes packed)
{
    *(uint64_t *)state->own += *(const uint64_t *)plain(packed, sizeof(uint64_t));
    return RASK_OK;
}

static int count_finish(rk_bag_state *state, rk_bag_builder *records)
{
    const rask_item item = rask_item_i64((int64_t) * (uint64_t *)state->own);
    return finish_with(&item, records);
}

const rk_bag_reduction_class rk_bag_reduce_count = {.name = "count",
                                                    .size = sizeof(uint64_t),
                                                    .init = init_nothing,
                                                    .fini = fini_nothing,
                                                    .add = count_add,
                                                    .pack = count_pack,
                                                    .take = count_take,
                                                    .finish = count_finish,
                                                    .add_text = count_add_text};

/* -- Extremes: the record is kept in a builder of one */

static bool is_nan(const rask_item *item)
{
    return item->type == 'd' && isnan(item->as.f64);
}

/* Whether an item takes the place of the one that was there first. */
static bool is_better(const rk_bag_reduction *r, const rask_item *item, const rask_item *than)
{
    if (is_nan(item) || is_nan(than))
        return !is_nan(than);
    int order = rk_item_compare(item, than);
    return r->largest ? order > 0 : order < 0;
}

static int extreme_init(rk_bag_state *state)
{
    rk_bag_builder_init(state->own, &state->reduction->in);
    return RASK_OK;
}

static void extreme_fini(rk_bag_state *state)
{
    rk_bag_builder_fini(state->own);
}

static int extreme_add(rk_bag_state *state, const rask_record *record)
{
    rk_bag_builder *best = state->own;
    rask_record held;
    if (record->items[0].type == 'n')
        return RASK_OK;
    if (best->count) {
        rk_bag_builder_get(best, 0, &held);
        if (!is_better(state->reduction, &record->items[0], &held.items[0]))
            return RASK_OK;
        rk_bag_builder_clear(best);
    }
    return rk_bag_builder_add(best, record);
}

static int extreme_pack(rk_bag_state *state, uint32_t ranges, rask_value *values)
{
    (void)ranges;
    return rk_bag_builder_value(state->own, values);
}

static int extreme_take(rk_bag_state *state, rask_bytes packed)
{
    rk_bag_chunk chunk;
    rask_record record;
    rk_bag_chunk_open(&chunk, packed);
    if (!chunk.count)
        return RASK_OK;
    rk_bag_chunk_get(&chunk, 0, &record);
    return extreme_add(state, &record);
}

static int extreme_finish(rk_bag_state *state, rk_bag_builder *records)
{
    rk_bag_builder *best = state->own;
    rask_record record = {.count = 1, .items = {rask_item_none()}};
    if (best->count)
        rk_bag_builder_get(best, 0, &record);
    return rk_bag_builder_add(records, &record);
}

const rk_bag_reduction_class rk_bag_reduce_extreme = {.name = "extreme",
                                                      .size = sizeof(rk_bag_builder),
                                                      .init = extreme_init,
                                                      .fini = extreme_fini,
                                                      .add = extreme_add,
                                                      .pack = extreme_pack,
                                                      .take = extreme_take,
                                                      .finish = extreme_finish};

/* -- Sums: of int64 in 128 bits, of float64 exactly, some terms at a time */

enum { TERMS = 256 };

typedef struct totals {
    uint64_t count;
    __int128 whole;
    rk_sums sums, squares; /* one of each */
    uint32_t waiting;
    double terms[TERMS];
} totals;

typedef struct packed_totals {
    __int128 whole;
    uint64_t count;
    rk_sum sum, square;
    uint64_t wide[RK_SUM_LIMBS], wide_square[RK_SUM_SQUARES_LIMBS];
} packed_totals;

static bool is_whole(const rk_bag_state *state)
{
    return state->reduction->cls == &rk_bag_reduce_sum && state->reduction->in.types[0] == 'i';
}

static int totals_init(rk_bag_state *state)
{
    totals *t = state->own;
    rk_sums_init(&t->sums, false);
    rk_sums_init(&t->squares, true);
    int status = rk_sums_resize(&t->sums, 1);
    return status ? status : rk_sums_resize(&t->squares, 1);
}

static void totals_fini(rk_bag_state *state)
{
    totals *t = state->own;
    rk_sums_fini(&t->sums);
    rk_sums_fini(&t->squares);
}

static int flush(rk_bag_state *state)
{
    static const uint32_t zeros[TERMS];
    totals *t = state->own;
    int status = rk_sums_add(&t->sums, zeros, t->terms, NULL, t->waiting);
    if (!status && state->reduction->cls == &rk_bag_reduce_std)
        status = rk_sums_add(&t->squares, zeros, t->terms, NULL, t->waiting);
    t->waiting = 0;
    return status;
}

static int totals_add(rk_bag_state *state, const rask_record *record)
{
    totals *t = state->own;
    if (record->items[0].type == 'n')
        return RASK_OK;
    t->count++;
    if (is_whole(state)) {
        t->whole += record->items[0].as.i64;
        return RASK_OK;
    }
    t->terms[t->waiting++] = rask_record_f64(record, 0);
    return t->waiting == TERMS ? flush(state) : RASK_OK;
}

static void pack_sum(const rk_sums *sums, rk_sum *sum, uint64_t *limbs)
{
    *sum = *(const rk_sum *)sums->sums.data;
    const uint64_t *wide = rk_sums_wide(sums, sum);
    if (wide)
        memcpy(limbs, wide, rk_sums_limbs(sums) * sizeof *wide);
}

static int totals_pack(rk_bag_state *state, uint32_t ranges, rask_value *values)
{
    totals *t = state->own;
    packed_totals packed;
    int status = flush(state);
    (void)ranges;
    if (status)
        return status;
    memset(&packed, 0, sizeof packed);
    packed.count = t->count;
    packed.whole = t->whole;
    pack_sum(&t->sums, &packed.sum, packed.wide);
    pack_sum(&t->squares, &packed.square, packed.wide_square);
    return rask_value_bytes_new(&packed, sizeof packed, values);
}

static int totals_take(rk_bag_state *state, rask_bytes bytes)
{
    totals *t = state->own;
    packed_totals packed;
    memcpy(&packed, plain(bytes, sizeof packed), sizeof packed);
    t->count += packed.count;
    t->whole += packed.whole;
    int status = rk_sums_merge(&t->sums, 0, &packed.sum, packed.sum.wide ? packed.wide : NULL);
    return status ? status
                  : rk_sums_merge(&t->squares, 0, &packed.square,
                                  packed.square.wide ? packed.wide_square : NULL);
}

static int sum_finish(rk_bag_state *state, rk_bag_builder *records)
{
    totals *t = state->own;
    int status = flush(state);
    if (status)
        return status;
    if (is_whole(state) && (t->whole > INT64_MAX || t->whole < INT64_MIN))
        return rk_bag_state_fail(state, RASK_ERANGE, "the sum is too large for int64");
    rask_item item =
        is_whole(state) ? rask_item_i64((int64_t)t->whole) : rask_item_f64(rk_sums_get(&t->sums, 0));
    return finish_with(&item, records);
}

static int mean_finish(rk_bag_state *state, rk_bag_builder *records)
{
    totals *t = state->own;
    int status = flush(state);
    rask_item item = rask_item_f64(t->count ? rk_sums_get(&t->sums, 0) / (double)t->count : (double)NAN);
    return status ? status : finish_with(&item, records);
}

static int std_finish(rk_bag_state *state, rk_bag_builder *records)
{
    totals *t = state->own;
    int status = flush(state);
    uint64_t n = t->count, ddof = state->reduction->ddof;
    double variance = n > 1 ? rk_sums_variance(&t->sums, &t->squares, 0, n) * (double)(n - 1) : 0;
    rask_item item = rask_item_f64(n > ddof ? sqrt(variance / (double)(n - ddof)) : (double)NAN);
    if (n == 1 && ddof == 0 && !isfinite(rk_sums_get(&t->sums, 0)))
        item = rask_item_f64((double)NAN);
    return status ? status : finish_with(&item, records);
}

#define TOTALS(name_, finish_)                                                                               \
    {                                                                                                        \
        .name = (name_), .size = sizeof(totals), .init = totals_init, .fini = totals_fini,                   \
        .add = totals_add, .pack = totals_pack, .take = totals_take, .finish = (finish_)                     \
    }

const rk_bag_reduction_class rk_bag_reduce_sum = TOTALS("sum", sum_finish);
const rk_bag_reduction_class rk_bag_reduce_mean = TOTALS("mean", mean_finish);
const rk_bag_reduction_class rk_bag_reduce_std = TOTALS("std", std_finish);
