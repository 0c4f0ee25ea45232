#include "collections/table/codes.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    FIRST_SLOTS = 256,
    MOST_STEPS = 64, /* from slot to slot */
};

void rk_codes_init(rk_codes *codes)
{
    *codes = (rk_codes){.there = true, .rows = RK_ARRAY(uint16_t, SIZE_MAX)};
}

void rk_codes_fini(rk_codes *codes)
{
    rk_array_fini(&codes->rows);
    rk_free(codes->slots);
    *codes = (rk_codes){0};
}

void rk_codes_clear(rk_codes *codes)
{
    codes->rows.count = 0;
    codes->plain = 0;
    if (codes->kept)
        return;
    if (codes->slots)
        memset(codes->slots, 0, codes->slot_count * sizeof *codes->slots);
    codes->texts = 0;
}

static bool is_same(rask_bytes a, rask_bytes b)
{
    return a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

static uint64_t hash_of(rask_bytes text)
{
    return XXH3_64bits(text.len ? text.data : "", text.len);
}

/* Twice the slots; those of the texts that are there are found again by their bytes. */
static int grow(rk_codes *codes, const rk_array *ends, const rk_array *bytes)
{
    uint32_t count = codes->slot_count ? 2 * codes->slot_count : FIRST_SLOTS;
    uint64_t *slots = rk_calloc(count, sizeof *slots);
    if (!slots)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < codes->texts; i++) {
        uint64_t hash = hash_of(rk_text_at(ends->data, bytes->data, i));
        size_t at = hash & (count - 1);
        while (slots[at])
            at = (at + 1) & (count - 1);
        slots[at] = (hash >> 32 << 32) | (i + 1);
    }
    rk_free(codes->slots);
    codes->slots = slots;
    codes->slot_count = count;
    return RASK_OK;
}

static int add_text(rk_array *ends, rk_array *bytes, rask_bytes text)
{
    int status = rk_array_reserve(ends, 1 + !ends->count);
    if (!status && text.len)
        status = rk_array_reserve(bytes, text.len);
    if (status)
        return status;
    if (!ends->count)
        *(uint64_t *)rk_array_push(ends) = 0;
    if (text.len)
        memcpy((char *)bytes->data + bytes->count, text.data, text.len);
    bytes->count += text.len;
    *(uint64_t *)rk_array_push(ends) = bytes->count;
    return RASK_OK;
}

int rk_codes_find(rk_codes *codes, rk_array *ends, rk_array *bytes, rask_bytes text, uint32_t *number)
{
    if (2 * codes->texts >= codes->slot_count && grow(codes, ends, bytes))
        return RASK_ENOMEM;
    uint64_t hash = hash_of(text);
    size_t mask = codes->slot_count - (size_t)1, at = hash & mask, steps = 0;
    for (uint64_t slot; (slot = codes->slots[at]); at = (at + 1) & mask) {
        uint32_t text_number = (uint32_t)slot - 1;
        if (slot >> 32 == hash >> 32 && is_same(rk_text_at(ends->data, bytes->data, text_number), text)) {
            *number = text_number;
            return RASK_OK;
        }
        if (++steps > MOST_STEPS)
            return RASK_ELIMIT;
    }
    if (codes->texts == RK_CODES_TEXTS)
        return RASK_ELIMIT;
    int status = add_text(ends, bytes, text);
    if (status)
        return status;
    *number = codes->texts++;
    codes->slots[at] = (hash >> 32 << 32) | codes->texts;
    return RASK_OK;
}

int rk_codes_append(rk_codes *codes, rk_array *ends, rk_array *bytes, rask_bytes text)
{
    int status = add_text(ends, bytes, text);
    codes->texts += !status;
    return status;
}

bool rk_codes_pay(const rk_codes *codes, const rk_array *bytes)
{
    uint64_t rows = codes->rows.count;
    uint64_t numbered =
        sizeof(uint16_t) * rows + sizeof(uint64_t) * (codes->texts + (uint64_t)1) + bytes->count;
    return numbered < sizeof(uint64_t) * (rows + 1) + codes->plain;
}

int rk_codes_add(rk_codes *codes, rk_array *ends, rk_array *bytes, rask_bytes text)
{
    size_t rows = codes->rows.count;
    if (!codes->kept && rows >= RK_CODES_ROWS && (rows & (rows - 1)) == 0 && !rk_codes_pay(codes, bytes))
        return RASK_ELIMIT;
    if (codes->few && codes->texts > RK_CODES_FEW)
        return RASK_ELIMIT;
    if (rows == codes->rows.capacity && rk_array_reserve(&codes->rows, 1))
        return RASK_ENOMEM;
    uint32_t number;
    int status = rk_codes_find(codes, ends, bytes, text, &number);
    if (!status)
        rk_codes_repeat(codes, (uint16_t)number, text.len);
    return status;
}
