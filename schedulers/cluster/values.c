#include "schedulers/cluster/values.h"

#include "core/value/tree.h"

#include <stdio.h>
#include <string.h>

enum {
    TYPE_MISSING = 0xff, /* in place of a rask_type */
    ALIGNMENT = 16,      /* as rk_alloc() gives it */
    LARGE_BYTES = 64 << 10
};

typedef struct note {
    char *text;
    size_t capacity;
} note;

static int complain(const note *n, int status, const char *format, const char *name)
{
    snprintf(n->text, n->capacity, format, name);
    return status;
}

/* -- Writing */

/* What comes next stands at a multiple of ALIGNMENT, so that it can be used where it is. */
static void put_gap(rk_pack_out *out)
{
    static const char zeroes[ALIGNMENT];
    uint8_t gap = (uint8_t)(-(out->size + 1) % ALIGNMENT);
    rk_pack_put_u8(out, gap);
    rk_pack_put(out, zeroes, gap);
}

static void put_block_head(rk_pack_out *out, const rask_block *block)
{
    rk_pack_put_u8(out, (uint8_t)block->dtype);
    rk_pack_put_u8(out, (uint8_t)block->ndim);
    rk_pack_put(out, block->shape, block->ndim * sizeof *block->shape);
    put_gap(out);
}

/* Tables and the like are bytes, too, and are used in place. */
static void put_bytes_head(rk_pack_out *out, uint64_t len)
{
    rk_pack_put_u64(out, len);
    if (len >= LARGE_BYTES)
        put_gap(out);
}

static void put_block(rk_pack_out *out, const rask_value *value)
{
    rask_block block;
    int64_t strides[RASK_MAX_DIMENSIONS];
    rask_value_get_block(value, &block);
    put_block_head(out, &block);
    char *room = rk_pack_put_room(out, rk_block_row_major(&block, strides));
    if (room)
        rk_block_copy(&block, room);
}

static bool put_flat_block(rk_pack_out *head, const rask_value *value, rask_bytes *rest)
{
    rask_block block;
    int64_t strides[RASK_MAX_DIMENSIONS];
    rask_value_get_block(value, &block);
    uint64_t size = rk_block_row_major(&block, strides);
    if (size < LARGE_BYTES || memcmp(strides, block.strides, block.ndim * sizeof *strides) != 0)
        return false;
    *rest = (rask_bytes){block.data, size};
    rk_pack_put_u8(head, RASK_BLOCK);
    put_block_head(head, &block);
    return !head->failed;
}

bool rk_pack_put_flat(rk_pack_out *head, const rask_value *value, rask_bytes *rest)
{
    if (value->type == RASK_BLOCK)
        return put_flat_block(head, value, rest);
    if (value->type != RASK_BYTES || rask_value_get_bytes(value, rest) || rest->len < LARGE_BYTES)
        return false;
    rk_pack_put_u8(head, RASK_BYTES);
    put_bytes_head(head, rest->len);
    return !head->failed;
}

/* With the reason that encode() left, if there is one. */
static void complain_of_encode(const note *n, int status, const rask_class *cls, const rask_value *reason)
{
    rask_bytes text = {NULL, 0};
    if (rask_value_get_bytes(reason, &text) || !text.len)
        complain(n, status, "encode() of %s failed", cls->name);
    else
        snprintf(n->text, n->capacity, "class %s: its values cannot go to another process: %.*s", cls->name,
                 text.len < n->capacity ? (int)text.len : (int)n->capacity, text.data);
}

static int put_custom(rk_pack_out *out, const rask_value *value, const note *n)
{
    const rask_class *cls = rk_value_class(value);
    rask_value encoded = rask_value_none();
    rask_bytes bytes = {NULL, 0};
    if (!cls->encode || !cls->decode)
        return complain(
            n, RASK_EUNSUPPORTED,
            "class %s: its values cannot go to another process, so the graph does not run on a cluster: "
            "the class has no encode() and decode()",
            cls->name);
    if (rk_pack_put_place(out, (uintptr_t)cls))
        return complain(n, RASK_EUNSUPPORTED,
                        "class %s: its values cannot go to another process: it was made at run time",
                        cls->name);
    int status = cls->encode(rk_value_custom_data(value), &encoded);
    if (!status && (status = rask_value_get_bytes(&encoded, &bytes)))
        complain(n, status, "encode() of %s gave no bytes", cls->name);
    else if (status)
        complain_of_encode(n, status, cls, &encoded);
    else
        rk_pack_put_bytes(out, bytes.data, bytes.len);
    rask_value_unref(&encoded);
    return status;
}

static int put_part(rk_pack_out *out, const rask_value *value, const note *n)
{
    rask_bytes bytes = {NULL, 0};
    bool missing = value->type == RASK_NONE && value->reserved;
    rk_pack_put_u8(out, missing ? TYPE_MISSING : (uint8_t)value->type);
    switch (value->type) {
    case RASK_NONE: return RASK_OK;
    case RASK_BOOL: rk_pack_put_u8(out, value->as.boolean); return RASK_OK;
    case RASK_I64:
    case RASK_F64: rk_pack_put(out, &value->as, sizeof value->as); return RASK_OK;
    case RASK_BYTES:
        rask_value_get_bytes(value, &bytes);
        put_bytes_head(out, bytes.len);
        rk_pack_put(out, bytes.data, bytes.len);
        return RASK_OK;
    case RASK_LIST: rk_pack_put_u64(out, rk_value_list(value)->count); return RASK_OK;
    case RASK_BLOCK: put_block(out, value); return RASK_OK;
    default: return put_custom(out, value, n);
    }
}

int rk_pack_put_value(rk_pack_out *out, const rask_value *value, char *message, size_t capacity)
{
    const note n = {message, capacity};
    rk_tree_walk walk;
    int status = RASK_OK;
    rk_tree_walk_init(&walk, value);
    while (walk.at && !status)
        if (!(status = put_part(out, walk.at, &n)) && (out->failed || rk_tree_walk_on(&walk)))
            status = complain(&n, RASK_ENOMEM, "no memory to send it to %s", "another process");
    rk_tree_walk_fini(&walk);
    return status;
}

bool rk_pack_has_customs(const rask_value *value)
{
    rk_tree_walk walk;
    bool found = false;
    rk_tree_walk_init(&walk, value);
    while (walk.at && !found)
        found = walk.at->type == RASK_CUSTOM || rk_tree_walk_on(&walk);
    rk_tree_walk_fini(&walk);
    return found;
}

/* -- Reading */

static int no_memory(const note *n)
{
    return complain(n, RASK_ENOMEM, "no memory for a value of %s", "another process");
}

static int no_value(const note *n)
{
    return complain(n, RASK_EFORMAT, "what came from another process is %s", "no value");
}

static rask_bytes get_bytes_in_place(rk_pack_in *in)
{
    uint64_t len = rk_pack_get_u64(in);
    if (len >= LARGE_BYTES)
        rk_pack_get(in, rk_pack_get_u8(in));
    const char *data = rk_pack_get(in, len);
    return (rask_bytes){data, data ? len : 0};
}

static int get_bytes(rk_pack_in *in, rask_value *value, const note *n)
{
    rask_bytes bytes = get_bytes_in_place(in);
    if (in->failed)
        return no_value(n);
    return rask_value_bytes_new(bytes.data, bytes.len, value) ? no_memory(n) : RASK_OK;
}

/* Elements as many as the shape says are there before memory is taken for them. */
static bool is_all_there(const rk_pack_in *in, uint8_t dtype, uint32_t ndim, const int64_t *shape)
{
    uint64_t bytes = rask_dtype_size((rask_dtype)dtype);
    bool empty = !bytes, over = false;
    for (uint32_t i = 0; i < ndim; i++) {
        if (shape[i] < 0)
            return false;
        empty |= !shape[i];
        over |= __builtin_mul_overflow(bytes, shape[i] ? (uint64_t)shape[i] : 1, &bytes);
    }
    return empty || (!over && bytes <= rk_pack_left(in));
}

/* All but the elements, which are there, and where they begin. */
static bool get_block_head(rk_pack_in *in, rask_block *block)
{
    uint8_t dtype = rk_pack_get_u8(in), ndim = rk_pack_get_u8(in);
    *block = (rask_block){.dtype = (rask_dtype)dtype, .ndim = ndim};
    bool fits = ndim <= RASK_MAX_DIMENSIONS;
    const char *lengths = fits ? rk_pack_get(in, block->ndim * sizeof *block->shape) : NULL;
    rk_pack_get(in, rk_pack_get_u8(in));
    if (!lengths || in->failed)
        return false;
    memcpy(block->shape, lengths, block->ndim * sizeof *block->shape);
    return is_all_there(in, (uint8_t)block->dtype, block->ndim, block->shape);
}

static int get_block(rk_pack_in *in, rask_value *value, const note *n)
{
    int64_t strides[RASK_MAX_DIMENSIONS];
    rask_block head, block;
    if (!get_block_head(in, &head))
        return no_value(n);
    int status = rask_value_block_alloc(head.dtype, head.ndim, head.shape, &block, value);
    if (status)
        return status == RASK_ENOMEM ? no_memory(n) : no_value(n);
    uint64_t bytes = rk_block_row_major(&block, strides);
    const char *data = rk_pack_get(in, bytes);
    if (bytes && data)
        memcpy(block.data, data, bytes);
    return RASK_OK;
}

static int get_custom(rk_pack_in *in, rask_value *value, const note *n)
{
    void *data;
    const rask_class *cls = (const rask_class *)rk_pack_get_place(in, sizeof *cls, false);
    rask_bytes bytes = rk_pack_get_bytes(in);
    if (in->failed || !cls || !cls->decode)
        return no_value(n);
    int status = cls->decode(bytes, &data);
    if (status)
        return complain(n, status, "decode() of %s failed", cls->name);
    if (!rask_value_custom_new(cls, data, value))
        return RASK_OK;
    cls->destroy(data);
    return no_memory(n);
}

static int get_part(rk_pack_in *in, uint8_t type, rask_value *value, const note *n)
{
    *value = rask_value_none();
    switch (type) {
    case RASK_NONE: break;
    case TYPE_MISSING: value->reserved = 1; break;
    case RASK_BOOL: *value = rask_value_bool(rk_pack_get_u8(in) != 0); break;
    case RASK_I64: *value = rask_value_i64((int64_t)rk_pack_get_u64(in)); break;
    case RASK_F64:
        value->type = RASK_F64;
        value->as.i64 = (int64_t)rk_pack_get_u64(in);
        break;
    case RASK_BYTES: return get_bytes(in, value, n);
    case RASK_LIST: return rask_value_list_new(NULL, 0, value) ? no_memory(n) : RASK_OK;
    case RASK_BLOCK: return get_block(in, value, n);
    case RASK_CUSTOM: return get_custom(in, value, n);
    default: return no_value(n);
    }
    return in->failed ? no_value(n) : RASK_OK;
}

/* *owed: values yet to come. Each takes a byte at least, so that all lists together are no longer than what is left. */
static int get_next(rk_pack_in *in, rk_tree_growth *growth, rask_value *root, uint64_t *owed, const note *n)
{
    uint8_t type = rk_pack_get_u8(in);
    uint64_t count = type == RASK_LIST ? rk_pack_get_u64(in) : 0;
    if (in->failed || count > rk_pack_left(in) || --*owed + count > rk_pack_left(in))
        return no_value(n);
    *owed += count;
    if (count)
        return rk_tree_begin_list(growth, count) ? no_memory(n) : RASK_OK;
    rask_value value;
    int status = get_part(in, type, &value, n);
    if (!status && rk_tree_put(growth, value, root))
        status = no_memory(n);
    return status;
}

int rk_pack_get_value(rk_pack_in *in, rask_value *value, char *message, size_t capacity)
{
    const note n = {message, capacity};
    rk_tree_growth growth;
    uint64_t owed = 1;
    int status = RASK_OK;
    rk_tree_growth_init(&growth);
    while (!growth.whole && !status)
        status = get_next(in, &growth, value, &owed, &n);
    rk_tree_growth_fini(&growth);
    return status;
}

/* These two not where the sender has put the content elsewhere than it does. */
static bool adopt_bytes(rk_pack_in *in, char *encoded, rask_value *value)
{
    rask_bytes bytes = get_bytes_in_place(in);
    return !in->failed && !rk_pack_left(in) && (bytes.data - encoded) % ALIGNMENT == 0 &&
           !rk_value_bytes_adopt(bytes.data, bytes.len, rk_free, encoded, value);
}

static bool adopt_block(rk_pack_in *in, char *encoded, rask_value *value)
{
    rask_block block;
    if (!get_block_head(in, &block) || (in->at - encoded) % ALIGNMENT != 0)
        return false;
    uint64_t bytes = rk_block_row_major(&block, block.strides);
    block.data = encoded + (in->at - encoded);
    block.release = rk_free;
    block.owner = encoded;
    return bytes == rk_pack_left(in) && !rask_value_block_adopt(&block, bytes, value);
}

bool rk_pack_adopt_value(char *encoded, uint64_t size, rask_value *value)
{
    rk_pack_in in = {encoded, encoded + size, false, NULL};
    if (size < LARGE_BYTES)
        return false;
    uint8_t type = rk_pack_get_u8(&in);
    return type == RASK_BYTES   ? adopt_bytes(&in, encoded, value)
           : type == RASK_BLOCK ? adopt_block(&in, encoded, value)
                                : false;
}
