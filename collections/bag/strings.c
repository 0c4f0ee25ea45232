/* Frequencies and distinct ones of strings, which a counter (collections/counts) finds faster than other keys.
 *
 * Strings that come one by one are copied side by side, and counted some at a time. Packed, they are records as the result has
 * them. How a counter finds strings depends on the run's seed; the order that they come out in does not (keyed.h). */
#include "collections/bag/keyed.h"
#include "collections/bag/sink.h"
#include "collections/counts/counter.h"
#include "core/base/alloc.h"

#include <string.h>

enum { WAITING = 512, WAITING_BYTES = 64 << 10 };

typedef struct strings {
    rk_counter counter;
    int64_t nothing; /* records that are nothing */
    rk_array waiting;
    uint64_t ends[WAITING];
    uint32_t count; /* waiting */
} strings;

static int strings_init(rk_bag_state *state)
{
    strings *s = state->own;
    s->waiting = (rk_array)RK_ARRAY(char, SIZE_MAX / 2);
    return rk_counter_init(&s->counter, state->seed, 0);
}

static void strings_fini(rk_bag_state *state)
{
    strings *s = state->own;
    rk_counter_fini(&s->counter);
    rk_array_fini(&s->waiting);
}

/* -- In */

static int count_waiting(strings *s)
{
    int status = rk_array_reserve(&s->waiting, RK_COUNTS_PADDING);
    if (!status && s->count)
        status = rk_counter_add_all(&s->counter, s->waiting.data, 0, s->ends, NULL, s->count);
    s->waiting.count = s->count = 0;
    return status;
}

static int strings_add(rk_bag_state *state, const rask_record *record)
{
    strings *s = state->own;
    const rask_item *item = &record->items[0];
    if (item->type == 'n') {
        s->nothing++;
        return RASK_OK;
    }
    int status = rk_array_reserve(&s->waiting, item->as.bytes.len + 1);
    if (status)
        return status;
    if (item->as.bytes.len)
        memcpy((char *)s->waiting.data + s->waiting.count, item->as.bytes.data, item->as.bytes.len);
    s->waiting.count += item->as.bytes.len;
    s->ends[s->count++] = s->waiting.count;
    return s->count == WAITING || s->waiting.count > WAITING_BYTES ? count_waiting(s) : RASK_OK;
}

static int strings_add_text(rk_bag_state *state, rask_bytes text, bool words)
{
    strings *s = state->own;
    return words ? rk_counter_words(&s->counter, text.data, text.len)
                 : rk_counter_lines(&s->counter, text.data, text.len);
}

/* How many of count strings have as many others behind them as a counter may look at. */
static uint64_t padded(const uint64_t *ends, uint64_t count)
{
    uint64_t end = ends[count];
    while (count && end - ends[count] < RK_COUNTS_PADDING)
        count--;
    return count;
}

static int strings_take(rk_bag_state *state, rask_bytes packed)
{
    strings *s = state->own;
    rk_bag_chunk chunk;
    rk_bag_chunk_open(&chunk, packed);
    const char *text = chunk.columns[0].data;
    const uint64_t *ends = chunk.columns[0].ends;
    const uint8_t *absent = chunk.columns[0].absent;
    const int64_t *counts =
        chunk.shape->count > 1 ? (const int64_t *)(const void *)chunk.columns[1].data : NULL;
    int status = rk_counter_reserve(&s->counter, chunk.count);
    uint64_t some = absent ? 0 : padded(ends, chunk.count);
    if (!status && some)
        status = rk_counter_add_all(&s->counter, text, ends[0], ends + 1, counts, some);
    for (uint64_t i = some; i < chunk.count && !status; i++) {
        int64_t times = counts ? counts[i] : 1;
        if (absent && absent[i])
            s->nothing += times;
        else
            status = rk_counter_add(&s->counter, text + ends[i], ends[i + 1] - ends[i], (uint64_t)times);
    }
    return status;
}

/* -- Out */

static int put(rk_bag_builder *builders, uint32_t ranges, const rask_record *record)
{
    uint64_t hash = ranges > 1 ? rk_record_hash(record, 1, RK_BAG_ORDER_SEED) : 0;
    return rk_bag_builder_add(&builders[rk_bag_range_of(hash, ranges)], record);
}

/* All that was counted, to the ranges it belongs to. */
static int scatter(const rk_bag_state *state, uint32_t ranges, rk_bag_builder *builders)
{
    strings *s = state->own;
    rask_record record = {.count = state->reduction->out.count};
    int status = count_waiting(s);
    for (size_t i = 0; i <= s->counter.mask && !status; i++) {
        const rk_counts_entry *entry = &s->counter.slots[i];
        if (!entry->tally)
            continue;
        rask_bytes text = rk_counts_entry_text(&s->counter.arena, entry);
        record.items[0] = rask_item_bytes(text.data, text.len);
        record.items[1] = rask_item_i64((int64_t)rk_counts_entry_count(entry));
        status = put(builders, ranges, &record);
    }
    if (!status && s->nothing) {
        record.items[0] = rask_item_none();
        record.items[1] = rask_item_i64(s->nothing);
        status = put(builders, ranges, &record);
    }
    return status;
}

static int strings_pack(rk_bag_state *state, uint32_t ranges, rask_value *values)
{
    return rk_bag_pack_ranges(state, ranges, scatter, values);
}

static int strings_finish(rk_bag_state *state, rk_bag_builder *records)
{
    rk_bag_builder found;
    rk_bag_builder_init(&found, &records->shape);
    int status = scatter(state, 1, &found);
    if (!status)
        status = rk_bag_put_in_order(&found, 1, records);
    rk_bag_builder_fini(&found);
    return status;
}

const rk_bag_reduction_class rk_bag_reduce_strings = {.name = "strings",
                                                      .size = sizeof(strings),
                                                      .init = strings_init,
                                                      .fini = strings_fini,
                                                      .add = strings_add,
                                                      .add_text = strings_add_text,
                                                      .pack = strings_pack,
                                                      .take = strings_take,
                                                      .finish = strings_finish,
                                                      .keyed = true};
