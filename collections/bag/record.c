#include "collections/bag/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* -- Shapes */

static uint32_t size_of(char type, size_t struct_size)
{
    switch (type) {
    case 'i':
    case 'd': return sizeof(int64_t);
    case RASK_SIG_STRUCT:
        return struct_size > 0 && struct_size <= RK_MAX_BAG_STRUCT ? (uint32_t)struct_size : UINT32_MAX;
    default: return type == 'y' ? 0 : UINT32_MAX;
    }
}

int rk_shape_init(rk_shape *shape, const char *types, size_t struct_size)
{
    rk_shape made = {0};
    size_t len = types ? strnlen(types, RASK_MAX_FIELDS + 1) : 0;
    if (len == 0 || len > RASK_MAX_FIELDS)
        return RASK_EINVAL;
    for (size_t i = 0; i < len; i++) {
        made.types[i] = types[i];
        made.sizes[i] = size_of(types[i], struct_size);
        if (made.sizes[i] == UINT32_MAX)
            return RASK_EINVAL;
    }
    made.count = (uint32_t)len;
    *shape = made;
    return RASK_OK;
}

int rk_shape_append(rk_shape *shape, const rk_shape *other, uint32_t from, uint32_t count)
{
    if (count > RASK_MAX_FIELDS - shape->count)
        return RASK_ELIMIT;
    for (uint32_t i = 0; i < count; i++, shape->count++) {
        shape->types[shape->count] = other->types[from + i];
        shape->sizes[shape->count] = other->sizes[from + i];
    }
    shape->types[shape->count] = 0;
    return RASK_OK;
}

bool rk_shape_equal(const rk_shape *a, const rk_shape *b)
{
    return a->count == b->count && memcmp(a->types, b->types, a->count) == 0 &&
           memcmp(a->sizes, b->sizes, a->count * sizeof *a->sizes) == 0;
}

bool rk_shape_takes(const rk_shape *shape, const rask_item *items, uint32_t count)
{
    bool fits = count == shape->count;
    for (uint32_t i = 0; fits && i < count; i++)
        fits = items[i].type == 'n' ||
               (items[i].type == shape->types[i] &&
                (items[i].type != RASK_SIG_STRUCT || items[i].as.bytes.len == shape->sizes[i]));
    return fits;
}

/* -- Order */

static int compare_bytes(rask_bytes a, rask_bytes b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.data, b.data, least) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_f64(double a, double b)
{
    bool nans = isnan(a) || isnan(b);
    return nans ? isnan(a) - isnan(b) : (a > b) - (a < b);
}

int rk_item_compare(const rask_item *a, const rask_item *b)
{
    if (a->type != b->type)
        return (a->type == 'n') - (b->type == 'n');
    switch (a->type) {
    case 'n': return 0;
    case 'i': return (a->as.i64 > b->as.i64) - (a->as.i64 < b->as.i64);
    case 'd': return compare_f64(a->as.f64, b->as.f64);
    default: return compare_bytes(a->as.bytes, b->as.bytes);
    }
}

int rk_record_compare(const rask_record *a, const rask_record *b, uint32_t fields)
{
    int order = 0;
    for (uint32_t i = 0; i < fields && !order; i++)
        order = rk_item_compare(&a->items[i], &b->items[i]);
    return order;
}

/* -- Hashes */

static uint64_t hash_item(const rask_item *item, uint64_t seed)
{
    double f = item->as.f64;
    if (item->type == 'n')
        return XXH3_64bits_withSeed(NULL, 0, seed + 1);
    if (item->type == 'i')
        return XXH3_64bits_withSeed(&item->as.i64, sizeof item->as.i64, seed);
    if (item->type != 'd')
        return XXH3_64bits_withSeed(item->as.bytes.data, item->as.bytes.len, seed);
    f = isnan(f) ? (double)NAN : f == 0 ? 0 : f;
    return XXH3_64bits_withSeed(&f, sizeof f, seed);
}

uint64_t rk_record_hash(const rask_record *record, uint32_t fields, uint64_t seed)
{
    uint64_t hash = hash_item(&record->items[0], seed);
    for (uint32_t i = 1; i < fields; i++)
        hash = hash_item(&record->items[i], seed ^ (hash * 0x9e3779b97f4a7c15u));
    return hash;
}

/* -- Text */

static int append(rk_array *text, const void *data, size_t len)
{
    int status = rk_array_reserve(text, len);
    if (status)
        return status;
    if (len)
        memcpy((char *)text->data + text->count, data, len);
    text->count += len;
    return RASK_OK;
}

/* As few digits as bring back the same number. */
static size_t print_f64(double f, char *out, size_t capacity)
{
    int len = 0;
    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(out, capacity, "%.*g", digits, f);
        if (isnan(f) || strtod(out, NULL) == f)
            break;
    }
    return isnan(f) ? (size_t)snprintf(out, capacity, "nan") : (size_t)len;
}

static int print_hex(rk_array *text, rask_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    int status = rk_array_reserve(text, 2 * bytes.len);
    char *out = status ? NULL : (char *)text->data + text->count;
    for (size_t i = 0; out && i < bytes.len; i++) {
        uint8_t byte = (uint8_t)bytes.data[i];
        out[2 * i] = digits[byte >> 4];
        out[2 * i + 1] = digits[byte & 15];
    }
    text->count += status ? 0 : 2 * bytes.len;
    return status;
}

static int print_item(const rask_item *item, rk_array *text)
{
    char number[40];
    switch (item->type) {
    case 'n': return RASK_OK;
    case 'y': return append(text, item->as.bytes.data, item->as.bytes.len);
    case 'i':
        return append(text, number, (size_t)snprintf(number, sizeof number, "%lld", (long long)item->as.i64));
    case 'd': return append(text, number, print_f64(item->as.f64, number, sizeof number));
    default: return print_hex(text, item->as.bytes);
    }
}

int rk_record_print(const rask_record *record, rk_array *text)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < record->count && !status; i++) {
        status = i ? append(text, "\t", 1) : RASK_OK;
        if (!status)
            status = print_item(&record->items[i], text);
    }
    return status ? status : append(text, "\n", 1);
}
