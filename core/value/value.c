#include "core/value/value.h"

#include "core/base/alloc.h"
#include "core/base/limits.h"
#include "core/store/store.h"
#include "core/value/tree.h"

#include <string.h>

/* The bytes stand behind the object, or elsewhere: then what releases them does. */
typedef struct bytes_object {
    rask_object head;
    size_t len;
    char *data;
    char own[];
} bytes_object;

typedef struct elsewhere {
    void (*release)(void *owner); /* NULL: nothing to do */
    void *owner;
} elsewhere;

typedef struct block_object {
    rask_object head;
    rask_block block;
} block_object;

typedef struct custom_object {
    rask_object head;
    const rask_class *cls;
    void *data;
} custom_object;

static const char *const type_names[] = {"none", "bool", "i64", "f64", "bytes", "list", "block", "custom"};

const char *rask_type_name(uint32_t type)
{
    return type < sizeof type_names / sizeof *type_names ? type_names[type] : "?";
}

rask_value rask_value_none(void)
{
    return (rask_value){.type = RASK_NONE};
}

rask_value rask_value_bool(bool b)
{
    return (rask_value){.type = RASK_BOOL, .as.boolean = b};
}

rask_value rask_value_i64(int64_t i)
{
    return (rask_value){.type = RASK_I64, .as.i64 = i};
}

rask_value rask_value_f64(double f)
{
    return (rask_value){.type = RASK_F64, .as.f64 = f};
}

static const rk_value_memory *memory; /* NULL: rk_alloc() */

void rk_value_use_memory(const rk_value_memory *use)
{
    memory = use;
}

static bool belongs_elsewhere(size_t bytes)
{
    return memory && bytes >= memory->least;
}

static void *object_new(rask_type type, size_t size)
{
    rask_object *object = rk_alloc(size);
    if (!object)
        return NULL;
    rk_init(&object->refs, 1);
    object->type = (uint16_t)type;
    object->fits = true;
    object->own = object->deep = size;
    rk_init(&object->store, NULL);
    object->next_dead = NULL;
    return object;
}

static int give(void *object, rask_value *out)
{
    *out = (rask_value){.type = ((rask_object *)object)->type, .as.object = object};
    return RASK_OK;
}

int rk_value_bytes_adopt(const char *data, size_t len, void (*release)(void *), void *owner, rask_value *out)
{
    bytes_object *bytes = object_new(RASK_BYTES, sizeof *bytes + sizeof(elsewhere));
    if (!bytes)
        return RASK_ENOMEM;
    bytes->len = len;
    bytes->data = (char *)data;
    bytes->head.own = bytes->head.deep = sizeof *bytes + len + 1; /* wherever they are */
    memcpy(bytes->own, &(elsewhere){release, owner}, sizeof(elsewhere));
    return give(bytes, out);
}

static int alloc_elsewhere(size_t len, char **data, rask_value *out)
{
    char *at = memory->alloc(len + 1);
    if (!at)
        return RASK_ENOMEM;
    at[len] = '\0';
    int status = rk_value_bytes_adopt(at, len, memory->free, at, out);
    if (status)
        memory->free(at);
    else
        *data = at;
    return status;
}

int rask_value_bytes_alloc(size_t len, char **data, rask_value *out)
{
    if (!data || !out)
        return RASK_EINVAL;
    if (len > PTRDIFF_MAX - sizeof(bytes_object) - sizeof(elsewhere) - 1)
        return RASK_ELIMIT;
    if (__builtin_expect(belongs_elsewhere(len), 0))
        return alloc_elsewhere(len, data, out);
    bytes_object *bytes = object_new(RASK_BYTES, sizeof *bytes + len + 1);
    if (!bytes)
        return RASK_ENOMEM;
    bytes->len = len;
    bytes->data = bytes->own;
    bytes->data[len] = '\0';
    *data = bytes->data;
    return give(bytes, out);
}

static void bytes_end(bytes_object *bytes)
{
    if (bytes->data == bytes->own)
        return;
    elsewhere where;
    memcpy(&where, bytes->own, sizeof where);
    if (where.release)
        where.release(where.owner);
}

int rask_value_bytes_new(const void *data, size_t len, rask_value *out)
{
    char *copy;
    if ((!data && len) || !out)
        return RASK_EINVAL;
    int status = rask_value_bytes_alloc(len, &copy, out);
    if (!status && len)
        memcpy(copy, data, len);
    return status;
}

int rask_value_list_new(const rask_value *values, size_t count, rask_value *out)
{
    if ((!values && count) || !out)
        return RASK_EINVAL;
    if (count > (PTRDIFF_MAX - sizeof(rk_list)) / sizeof *values)
        return RASK_ELIMIT;
    rk_list *list = object_new(RASK_LIST, sizeof *list + count * sizeof *values);
    if (!list)
        return RASK_ENOMEM;
    list->count = count;
    for (size_t i = 0; i < count; i++) {
        list->items[i] = rask_value_ref(&values[i]);
        list->head.fits &= !rk_value_is_object(&values[i]) || values[i].as.object->fits;
        if (__builtin_add_overflow(list->head.deep, rask_value_size(&values[i]), &list->head.deep))
            list->head.deep = SIZE_MAX;
    }
    return give(list, out);
}

static const uint8_t dtype_sizes[RASK_DT_COUNT] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 8, 16};

size_t rask_dtype_size(rask_dtype dtype)
{
    return (unsigned)dtype < RASK_DT_COUNT ? dtype_sizes[dtype] : 0;
}

/* Row-major strides and the total size. */
static int block_layout(rask_block *block, const int64_t *shape, size_t *bytes)
{
    size_t total = rask_dtype_size(block->dtype);
    bool empty = false;
    if (!total || block->ndim > RASK_MAX_DIMENSIONS || (block->ndim && !shape))
        return RASK_EINVAL;
    for (uint32_t i = block->ndim; i-- > 0;) {
        if (shape[i] < 0)
            return RASK_EINVAL;
        block->shape[i] = shape[i];
        block->strides[i] = (int64_t)total;
        empty |= !shape[i];
    }
    for (uint32_t i = block->ndim; i-- > 0 && !empty;) {
        block->strides[i] = (int64_t)total;
        if (__builtin_mul_overflow(total, (size_t)shape[i], &total) || total > PTRDIFF_MAX / 2)
            return RASK_ELIMIT;
    }
    *bytes = empty ? 0 : total;
    return RASK_OK;
}

int rask_value_block_adopt(const rask_block *block, size_t bytes, rask_value *out)
{
    if (!block || !out || !rask_dtype_size(block->dtype) || block->ndim > RASK_MAX_DIMENSIONS)
        return RASK_EINVAL;
    for (uint32_t i = 0; i < block->ndim; i++)
        if (block->shape[i] < 0)
            return RASK_EINVAL;
    if (bytes > PTRDIFF_MAX - sizeof(block_object))
        return RASK_ELIMIT;
    block_object *object = object_new(RASK_BLOCK, sizeof *object);
    if (!object)
        return RASK_ENOMEM;
    object->head.own = object->head.deep = sizeof *object + bytes;
    object->head.fits = rk_block_is_contiguous(block);
    object->block = *block;
    return give(object, out);
}

int rask_value_block_alloc(rask_dtype dtype, uint32_t ndim, const int64_t *shape, rask_block *block,
                           rask_value *out)
{
    if (!block || !out)
        return RASK_EINVAL;
    size_t bytes;
    rask_block made = {.dtype = dtype, .ndim = ndim, .release = rk_free};
    int status = block_layout(&made, shape, &bytes);
    if (status)
        return status;
    bool away = belongs_elsewhere(bytes);
    made.release = away ? memory->free : rk_free;
    made.data = made.owner = away ? memory->alloc(bytes) : rk_alloc(bytes ? bytes : 1);
    if (!made.data)
        return RASK_ENOMEM;
    status = rask_value_block_adopt(&made, bytes, out);
    if (status)
        made.release(made.data);
    else
        *block = made;
    return status;
}

int rask_value_custom_new(const rask_class *cls, void *data, rask_value *out)
{
    if (!cls || !cls->name || !cls->destroy || !out)
        return RASK_EINVAL;
    custom_object *custom = object_new(RASK_CUSTOM, sizeof *custom);
    if (!custom)
        return RASK_ENOMEM;
    custom->cls = cls;
    custom->data = data;
    custom->head.fits = cls->encode && cls->decode;
    if (cls->size)
        custom->head.own = custom->head.deep = sizeof *custom + cls->size(data);
    return give(custom, out);
}

rask_value rask_value_ref(const rask_value *value)
{
    if (rk_value_is_object(value))
        rk_add_relaxed(&value->as.object->refs, 1);
    return *value;
}

/* Drops a reference; true when it was the last. */
static bool object_drop(rask_object *object)
{
    return rk_sub_acq_rel(&object->refs, 1) == 1;
}

/* Puts the items that die with the list in front of dead. */
static rask_object *list_end(rk_list *list, rask_object *dead)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!rk_value_is_object(&list->items[i]) || !object_drop(list->items[i].as.object))
            continue;
        list->items[i].as.object->next_dead = dead;
        dead = list->items[i].as.object;
    }
    return dead;
}

/* Ends an object and returns the ones that are to be ended next: lists may be nested a million deep. */
static rask_object *object_end(rask_object *object, rask_object *dead)
{
    struct rk_store *store = rk_load_relaxed(&object->store);
    if (object->type == RASK_LIST) {
        dead = list_end((rk_list *)object, dead);
    } else if (object->type == RASK_BYTES) {
        bytes_end((bytes_object *)object);
    } else if (object->type == RASK_BLOCK) {
        rask_block *block = &((block_object *)object)->block;
        if (block->release)
            block->release(block->owner);
    } else if (object->type == RASK_CUSTOM) {
        custom_object *custom = (custom_object *)object;
        custom->cls->destroy(custom->data);
    }
    if (store)
        rk_store_forget(store, object->own);
    rk_free(object);
    return dead;
}

void rask_value_unref(rask_value *value)
{
    if (!value || !rk_value_is_object(value)) {
        if (value)
            value->type = RASK_NONE;
        return;
    }
    rask_object *object = value->as.object;
    *value = rask_value_none();
    if (!object_drop(object))
        return;
    rask_object *dead = object_end(object, NULL);
    while (dead) {
        object = dead;
        dead = object_end(object, object->next_dead);
    }
}

int rask_value_get_bool(const rask_value *value, bool *out)
{
    if (value->type == RASK_BOOL)
        *out = value->as.boolean;
    else if (value->type == RASK_I64 && (value->as.i64 == 0 || value->as.i64 == 1))
        *out = value->as.i64;
    else
        return RASK_ETYPE;
    return RASK_OK;
}

int rask_value_get_i64(const rask_value *value, int64_t *out)
{
    if (value->type == RASK_I64)
        *out = value->as.i64;
    else if (value->type == RASK_BOOL)
        *out = value->as.boolean;
    else
        return RASK_ETYPE;
    return RASK_OK;
}

int rask_value_get_f64(const rask_value *value, double *out)
{
    int64_t i;
    if (value->type == RASK_F64)
        *out = value->as.f64;
    else if (!rask_value_get_i64(value, &i))
        *out = (double)i;
    else
        return RASK_ETYPE;
    return RASK_OK;
}

int rask_value_get_bytes(const rask_value *value, rask_bytes *out)
{
    if (value->type != RASK_BYTES)
        return RASK_ETYPE;
    const bytes_object *bytes = (const bytes_object *)value->as.object;
    *out = (rask_bytes){bytes->data, bytes->len};
    return RASK_OK;
}

int rask_value_get_list(const rask_value *value, const rask_value **items, size_t *count)
{
    if (value->type != RASK_LIST)
        return RASK_ETYPE;
    *items = rk_value_list(value)->items;
    *count = rk_value_list(value)->count;
    return RASK_OK;
}

int rask_value_get_block(const rask_value *value, rask_block *out)
{
    if (value->type != RASK_BLOCK)
        return RASK_ETYPE;
    *out = ((const block_object *)value->as.object)->block;
    return RASK_OK;
}

int rask_value_get_custom(const rask_value *value, const rask_class *cls, void **out)
{
    if (value->type != RASK_CUSTOM || (cls && ((custom_object *)value->as.object)->cls != cls))
        return RASK_ETYPE;
    *out = ((custom_object *)value->as.object)->data;
    return RASK_OK;
}

bool rk_value_memory_of(const rask_value *value, void **at)
{
    void (*release)(void *) = NULL;
    void *owner = NULL;
    if (value->type == RASK_BLOCK) {
        const rask_block *block = &((const block_object *)value->as.object)->block;
        release = block->release;
        owner = block->owner;
    } else if (value->type == RASK_BYTES) {
        const bytes_object *bytes = (const bytes_object *)value->as.object;
        if (bytes->data != bytes->own) {
            elsewhere where;
            memcpy(&where, bytes->own, sizeof where);
            release = where.release;
            owner = where.owner;
        }
    }
    *at = owner;
    return memory && release == memory->free;
}

void *rk_value_custom_data(const rask_value *value)
{
    return ((custom_object *)value->as.object)->data;
}

const rask_class *rk_value_class(const rask_value *value)
{
    return ((custom_object *)value->as.object)->cls;
}

size_t rask_value_size(const rask_value *value)
{
    return rk_value_is_object(value) ? value->as.object->deep : 0;
}
