/* Comparing and printing values: bounded in depth, since lists may be nested without bound. */
#include "core/base/limits.h"
#include "core/base/print.h"
#include "core/value/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* NOLINTBEGIN(misc-no-recursion): at most RK_MAX_VALUE_DEPTH calls deep, and SHOWN_DEPTH when printing. */
static bool equal_within(const rask_value *a, const rask_value *b, int depth);

static bool lists_equal(const rask_value *a, const rask_value *b, int depth)
{
    const rk_list *x = rk_value_list(a), *y = rk_value_list(b);
    if (x->count != y->count || !depth)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (!equal_within(&x->items[i], &y->items[i], depth - 1))
            return false;
    return true;
}

static bool bytes_equal(const rask_value *a, const rask_value *b)
{
    rask_bytes x, y;
    rask_value_get_bytes(a, &x);
    rask_value_get_bytes(b, &y);
    return x.len == y.len && !memcmp(x.data, y.data, x.len);
}

/* Moves index to the next element in row-major order; false behind the last. */
static bool next_index(const rask_block *block, int64_t *index)
{
    for (uint32_t axis = block->ndim; axis-- > 0;) {
        if (++index[axis] < block->shape[axis])
            return true;
        index[axis] = 0;
    }
    return false;
}

static const char *element(const rask_block *block, const int64_t *index)
{
    const char *at = block->data;
    for (uint32_t axis = 0; axis < block->ndim; axis++)
        at += index[axis] * block->strides[axis];
    return at;
}

static bool blocks_equal(const rask_value *a, const rask_value *b)
{
    rask_block x, y;
    rask_value_get_block(a, &x);
    rask_value_get_block(b, &y);
    if (x.dtype != y.dtype || x.ndim != y.ndim || memcmp(x.shape, y.shape, x.ndim * sizeof *x.shape))
        return false;
    for (uint32_t axis = 0; axis < x.ndim; axis++)
        if (!x.shape[axis])
            return true;
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    do {
        if (memcmp(element(&x, index), element(&y, index), rask_dtype_size(x.dtype)))
            return false;
    } while (next_index(&x, index));
    return true;
}

static bool customs_equal(const rask_value *a, const rask_value *b)
{
    void *x, *y;
    const rask_class *cls = rk_value_class(a);
    if (rask_value_get_custom(a, cls, &x) || rask_value_get_custom(b, cls, &y) || !cls->equal)
        return false;
    return cls->equal(x, y);
}

static bool equal_within(const rask_value *a, const rask_value *b, int depth)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case RASK_NONE: return true;
    case RASK_BOOL: return a->as.boolean == b->as.boolean;
    case RASK_I64:
    case RASK_F64: return a->as.i64 == b->as.i64;
    default: break;
    }
    if (a->as.object == b->as.object)
        return true;
    switch (a->type) {
    case RASK_BYTES: return bytes_equal(a, b);
    case RASK_LIST: return lists_equal(a, b, depth);
    case RASK_BLOCK: return blocks_equal(a, b);
    default: return customs_equal(a, b);
    }
}

bool rask_value_equal(const rask_value *a, const rask_value *b)
{
    return equal_within(a, b, RK_MAX_VALUE_DEPTH);
}

enum { SHOWN_BYTES = 60, SHOWN_ITEMS = 8, SHOWN_DEPTH = 4 };

static void add_bytes(rk_print *out, const rask_value *value)
{
    rask_bytes bytes;
    rask_value_get_bytes(value, &bytes);
    rk_print_add(out, "\"");
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        bool inside = (c & 0xc0) == 0x80; /* of a UTF-8 character */
        if (i >= SHOWN_BYTES && (!inside || i >= SHOWN_BYTES + 3))
            break;
        if (c == '"' || c == '\\')
            rk_print_add(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            rk_print_add(out, "\\x%02x", c);
        else
            rk_print_add(out, "%c", c);
    }
    if (bytes.len > SHOWN_BYTES)
        rk_print_add(out, "…\" (%zu bytes)", bytes.len);
    else
        rk_print_add(out, "\"");
}

static void add_block(rk_print *out, const rask_value *value)
{
    static const char *const names[RASK_DT_COUNT] = {"bool", "i8",  "i16", "i32", "i64", "u8",  "u16",
                                                     "u32",  "u64", "f32", "f64", "c64", "c128"};
    rask_block block;
    rask_value_get_block(value, &block);
    rk_print_add(out, "%s[", names[block.dtype]);
    for (uint32_t axis = 0; axis < block.ndim; axis++)
        rk_print_add(out, "%s%" PRId64, axis ? ", " : "", block.shape[axis]);
    rk_print_add(out, "]");
}

static void add_custom(rk_print *out, const rask_value *value)
{
    const rask_class *cls = rk_value_class(value);
    void *data;
    rask_value_get_custom(value, cls, &data);
    if (!cls->print) {
        rk_print_add(out, "<%s>", cls->name);
        return;
    }
    size_t room = rk_print_room(out);
    out->len += cls->print(data, room ? out->buffer + out->len : NULL, room);
}

/* The shortest text that reads back as the same number. */
static void add_f64(rk_print *out, double f)
{
    char buffer[32];
    for (int digits = 15; digits <= 17; digits++) {
        double back;
        snprintf(buffer, sizeof buffer, "%.*g", digits, f);
        if (sscanf(buffer, "%lf", &back) == 1 && back == f)
            break;
    }
    rk_print_add(out, strpbrk(buffer, ".eni") ? "%s" : "%s.0", buffer);
}

static void add_value(rk_print *out, const rask_value *value, int depth);

static void add_list(rk_print *out, const rask_value *value, int depth)
{
    const rk_list *list = rk_value_list(value);
    rk_print_add(out, "[");
    for (size_t i = 0; i < list->count && i < SHOWN_ITEMS && depth; i++) {
        rk_print_add(out, i ? ", " : "");
        add_value(out, &list->items[i], depth - 1);
    }
    if (list->count > SHOWN_ITEMS || (!depth && list->count))
        rk_print_add(out, "…] (%zu items)", list->count);
    else
        rk_print_add(out, "]");
}

static void add_value(rk_print *out, const rask_value *value, int depth)
{
    switch (value->type) {
    case RASK_NONE: rk_print_add(out, "none"); break;
    case RASK_BOOL: rk_print_add(out, value->as.boolean ? "true" : "false"); break;
    case RASK_I64: rk_print_add(out, "%" PRId64, value->as.i64); break;
    case RASK_F64: add_f64(out, value->as.f64); break;
    case RASK_BYTES: add_bytes(out, value); break;
    case RASK_LIST: add_list(out, value, depth); break;
    case RASK_BLOCK: add_block(out, value); break;
    case RASK_CUSTOM: add_custom(out, value); break;
    default: rk_print_add(out, "?"); break;
    }
}

size_t rask_value_format(const rask_value *value, char *buffer, size_t capacity)
{
    rk_print out = {buffer, capacity, 0};
    add_value(&out, value, SHOWN_DEPTH);
    return out.len;
}
/* NOLINTEND(misc-no-recursion) */

uint64_t rk_value_hash(const rask_value *value)
{
    rask_bytes bytes;
    if (!rask_value_get_bytes(value, &bytes))
        return XXH3_64bits_withSeed(bytes.data, bytes.len, RASK_BYTES);
    if (value->type <= RASK_F64)
        return XXH3_64bits_withSeed(&value->as.i64, value->type == RASK_BOOL ? 1 : sizeof value->as.i64,
                                    value->type);
    const rask_class *cls = value->type == RASK_CUSTOM ? rk_value_class(value) : NULL;
    if (cls && cls->hash && cls->equal)
        return cls->hash(rk_value_custom_data(value));
    return XXH3_64bits_withSeed(&value->as.object, sizeof value->as.object, value->type);
}
