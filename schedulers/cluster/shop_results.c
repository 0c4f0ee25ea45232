/* Results of units: as values, as bytes for others, and on disk. */
#include "schedulers/cluster/shop_parts.h"
#include "schedulers/cluster/values.h"

#include <string.h>

rask_value *rk_shop_result(rk_shop *shop, uint32_t unit)
{
    return &shop->run.results[rk_shop_last(shop, unit)];
}

static uint64_t count_encoded(const rask_value *value)
{
    char message[RK_MAX_MESSAGE + 1];
    rk_pack_out out = {.counting = true};
    return rk_pack_put_value(&out, value, message, sizeof message) ? 0 : out.size;
}

static int encode(rk_shop_form *f, const rask_value *value, char *message, size_t capacity)
{
    rk_pack_out out = {0};
    int status = rk_pack_put_value(&out, value, message, capacity);
    if (status) {
        rk_pack_out_fini(&out);
        return status;
    }
    f->encoded = out.data;
    f->size = out.size;
    return RASK_OK;
}

int rk_shop_measure(rk_shop *shop, uint32_t unit, char *message, size_t capacity)
{
    rk_shop_form *f = &shop->forms[unit];
    const rask_value *value = rk_shop_result(shop, unit);
    f->customs = rk_value_is_object(value) && rk_pack_has_customs(value);
    if (f->customs)
        return encode(f, value, message, capacity);
    f->size = count_encoded(value);
    return RASK_OK;
}

static void forget_form(rk_shop *shop, uint32_t unit)
{
    rk_shop_form *f = &shop->forms[unit];
    if (f->place != RK_NO_PLACE)
        rk_scratch_give(&shop->scratch, f->place, f->size);
    rk_free(f->encoded);
    *f = (rk_shop_form){.place = RK_NO_PLACE};
    if (shop->served == unit)
        shop->served = RK_NO_UNIT;
}

void rk_shop_drop(rk_shop *shop, uint32_t unit)
{
    rask_value *value = rk_shop_result(shop, unit);
    forget_form(shop, unit);
    rask_value_unref(value);
    *value = rask_value_none();
}

/* What encode() of a class made stays as it was, for others who have been told how large it is. */
static int keep_encoded(rk_shop *shop, uint32_t unit, const char *encoded, uint64_t size)
{
    rk_shop_form *f = &shop->forms[unit];
    const rask_value *value = rk_shop_result(shop, unit);
    if (!rk_value_is_object(value) || !rk_pack_has_customs(value))
        return RASK_OK;
    f->encoded = rk_alloc(size);
    if (!f->encoded) {
        rk_shop_drop(shop, unit);
        return RASK_ENOMEM;
    }
    memcpy(f->encoded, encoded, size);
    f->size = size;
    f->customs = true;
    return RASK_OK;
}

static void take_value(rk_shop *shop, uint32_t unit, rask_value value, uint64_t *bytes)
{
    rk_shop_drop(shop, unit);
    *rk_shop_result(shop, unit) = value;
    rk_store_relaxed(&shop->run.uses[rk_shop_last(shop, unit)], UINT32_MAX / 2);
    if (value.type == RASK_NONE && value.reserved)
        rk_store_relaxed(&shop->run.any_failed, 1);
    *bytes = rask_value_size(&value);
}

int rk_shop_take(rk_shop *shop, uint32_t unit, const char *encoded, uint64_t size, uint64_t *bytes,
                 char *message, size_t capacity)
{
    rk_pack_in in = {encoded, encoded + size, false, NULL};
    rask_value value;
    int status = rk_pack_get_value(&in, &value, message, capacity);
    if (status)
        return status;
    take_value(shop, unit, value, bytes);
    return keep_encoded(shop, unit, encoded, size);
}

int rk_shop_adopt(rk_shop *shop, uint32_t unit, char **encoded, uint64_t size, uint64_t *bytes, char *message,
                  size_t capacity)
{
    rask_value value;
    if (!rk_pack_adopt_value(*encoded, size, &value))
        return rk_shop_take(shop, unit, *encoded, size, bytes, message, capacity);
    take_value(shop, unit, value, bytes);
    *encoded = NULL;
    return RASK_OK;
}

void rk_shop_miss(rk_shop *shop, uint32_t unit)
{
    rk_shop_drop(shop, unit);
    rk_shop_result(shop, unit)->reserved = 1;
    rk_store_relaxed(&shop->run.any_failed, 1);
}

int rk_shop_put_result(rk_shop *shop, uint32_t unit, rk_pack_out *out)
{
    const rk_shop_form *f = &shop->forms[unit];
    if (!f->encoded)
        return rk_pack_put_value(out, rk_shop_result(shop, unit), shop->message, sizeof shop->message);
    rk_pack_put(out, f->encoded, f->size);
    return out->failed ? RASK_ENOMEM : RASK_OK;
}

/* What was read to its end is encoded no more, unless it was by encode(). */
static void forget_served(rk_shop *shop, uint32_t unit)
{
    if (shop->served == RK_NO_UNIT || shop->served == unit)
        return;
    rk_shop_form *f = &shop->forms[shop->served];
    shop->served = RK_NO_UNIT;
    if (f->customs)
        return;
    rk_free(f->encoded);
    f->encoded = NULL;
}

/* The encoded result, into memory. */
static int bring(rk_shop *shop, uint32_t unit)
{
    rk_shop_form *f = &shop->forms[unit];
    if (f->encoded)
        return RASK_OK;
    if (f->place == RK_NO_PLACE)
        return encode(f, rk_shop_result(shop, unit), shop->message, sizeof shop->message);
    char *encoded = rk_alloc(f->size);
    int status = encoded ? rk_scratch_read(&shop->scratch, f->place, encoded, f->size, shop->message,
                                           sizeof shop->message)
                         : RASK_ENOMEM;
    if (status)
        rk_free(encoded);
    else
        f->encoded = encoded;
    return status;
}

/* From the value itself; only what has the head in it is put together. NULL: it is no such value, not that large, or there is no
 * memory. */
static const char *flat_object(rk_shop *shop, uint32_t unit, uint64_t begin, uint64_t size, uint64_t *total)
{
    rask_bytes rest;
    rk_pack_out *piece = &shop->piece;
    piece->size = 0;
    piece->failed = false;
    if (!rk_pack_put_flat(piece, rk_shop_result(shop, unit), &rest))
        return NULL;
    uint64_t head = piece->size;
    *total = head + rest.len;
    if (begin > *total || size > *total - begin)
        return NULL;
    if (begin >= head)
        return rest.data + (begin - head);
    if (begin + size > head)
        rk_pack_put(piece, rest.data, begin + size - head);
    return piece->failed ? NULL : piece->data + begin;
}

const char *rk_shop_object(rk_shop *shop, uint32_t unit, uint64_t begin, uint64_t size, uint64_t *total)
{
    forget_served(shop, unit);
    if (unit >= shop->plan->units)
        return NULL;
    if (!shop->forms[unit].encoded && shop->forms[unit].place == RK_NO_PLACE) {
        const char *bytes = flat_object(shop, unit, begin, size, total);
        if (bytes)
            return bytes;
    }
    if (bring(shop, unit))
        return NULL;
    const rk_shop_form *f = &shop->forms[unit];
    *total = f->size;
    if (begin > f->size || size > f->size - begin)
        return NULL;
    if (begin + size == f->size)
        shop->served = unit;
    return f->encoded + begin;
}

int rk_shop_spill(rk_shop *shop, uint32_t unit, uint64_t *bytes)
{
    rk_shop_form *f = &shop->forms[unit];
    rask_value *value = rk_shop_result(shop, unit);
    if (!rk_value_is_object(value))
        return RASK_ENOENT;
    int status = rk_scratch_open(&shop->scratch, shop->message, sizeof shop->message);
    if (!status && f->place == RK_NO_PLACE && !(status = bring(shop, unit))) {
        f->place = rk_scratch_take(&shop->scratch, f->size);
        status = rk_scratch_write(&shop->scratch, f->place, f->encoded, f->size, shop->message,
                                  sizeof shop->message);
        shop->written += status ? 0 : f->size;
    }
    if (status) {
        if (f->place != RK_NO_PLACE)
            rk_scratch_give(&shop->scratch, f->place, f->size);
        f->place = RK_NO_PLACE;
        return status;
    }
    *bytes = rask_value_size(value);
    rk_free(f->encoded);
    f->encoded = NULL;
    rask_value_unref(value);
    *value = rask_value_none();
    return RASK_OK;
}

int rk_shop_load(rk_shop *shop, uint32_t unit)
{
    rk_shop_form *f = &shop->forms[unit];
    if (f->place == RK_NO_PLACE)
        return RASK_ENOENT;
    int status = bring(shop, unit);
    if (!status) {
        rk_pack_in in = {f->encoded, f->encoded + f->size, false, NULL};
        status = rk_pack_get_value(&in, rk_shop_result(shop, unit), shop->message, sizeof shop->message);
    }
    if (status) {
        rk_shop_drop(shop, unit);
        return status;
    }
    shop->read += f->size;
    rk_store_relaxed(&shop->run.uses[rk_shop_last(shop, unit)], UINT32_MAX / 2);
    rk_free(f->encoded);
    f->encoded = NULL;
    return RASK_OK;
}

const char *rk_shop_disk_message(const rk_shop *shop)
{
    return shop->message;
}

void rk_shop_disk_bytes(const rk_shop *shop, uint64_t *written, uint64_t *read)
{
    *written = shop->written;
    *read = shop->read;
}
