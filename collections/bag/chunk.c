/* Design notes. A chunk's value: a head, then for every column its data, its ends and what is absent, each at a multiple of 8
 * bytes. Offsets count from the value's first byte. */
#include "collections/bag/chunk.h"

#include "core/base/alloc.h"

#include <string.h>

typedef struct column_head {
    uint64_t data, ends, absent; /* offsets; 0: none */
} column_head;

typedef struct chunk_head {
    rk_shape shape;
    uint64_t count;
    column_head columns[RASK_MAX_FIELDS];
} chunk_head;

/* -- Views */

void rk_bag_chunk_open(rk_bag_chunk *chunk, rask_bytes value)
{
    const chunk_head *head = (const chunk_head *)(const void *)value.data;
    chunk->shape = &head->shape;
    chunk->count = head->count;
    for (uint32_t i = 0; i < head->shape.count; i++) {
        const column_head *c = &head->columns[i];
        chunk->columns[i].data = value.data + c->data;
        chunk->columns[i].ends = c->ends ? (const uint64_t *)(const void *)(value.data + c->ends) : NULL;
        chunk->columns[i].absent = c->absent ? (const uint8_t *)(value.data + c->absent) : NULL;
    }
}

static rask_item get_item(const rk_bag_chunk *chunk, uint32_t field, uint64_t index)
{
    const char *data = chunk->columns[field].data;
    const uint64_t *ends = chunk->columns[field].ends;
    uint32_t size = chunk->shape->sizes[field];
    rask_item item = {.type = chunk->shape->types[field]};
    if (chunk->columns[field].absent && chunk->columns[field].absent[index])
        return rask_item_none();
    if (item.type == 'y')
        item.as.bytes = (rask_bytes){data + ends[index], ends[index + 1] - ends[index]};
    else if (item.type == RASK_SIG_STRUCT)
        item.as.bytes = (rask_bytes){data + index * size, size};
    else
        memcpy(&item.as, data + index * sizeof(int64_t), sizeof(int64_t));
    return item;
}

void rk_bag_chunk_get_first(const rk_bag_chunk *chunk, uint64_t index, uint32_t fields, rask_record *out)
{
    out->count = fields;
    for (uint32_t i = 0; i < fields; i++)
        out->items[i] = get_item(chunk, i, index);
}

void rk_bag_chunk_get(const rk_bag_chunk *chunk, uint64_t index, rask_record *out)
{
    rk_bag_chunk_get_first(chunk, index, chunk->shape->count, out);
}

/* -- Builders */

void rk_bag_builder_init(rk_bag_builder *builder, const rk_shape *shape)
{
    *builder = (rk_bag_builder){.shape = *shape};
    for (uint32_t i = 0; i < shape->count; i++) {
        builder->columns[i].data = (rk_array)RK_ARRAY(char, SIZE_MAX / 2);
        builder->columns[i].ends = (rk_array)RK_ARRAY(uint64_t, SIZE_MAX / 16);
        builder->columns[i].absent = (rk_array)RK_ARRAY(uint8_t, SIZE_MAX / 2);
    }
}

void rk_bag_builder_fini(rk_bag_builder *builder)
{
    for (uint32_t i = 0; i < builder->shape.count; i++) {
        rk_array_fini(&builder->columns[i].data);
        rk_array_fini(&builder->columns[i].ends);
        rk_array_fini(&builder->columns[i].absent);
    }
}

void rk_bag_builder_clear(rk_bag_builder *builder)
{
    builder->count = 0;
    for (uint32_t i = 0; i < builder->shape.count; i++)
        builder->columns[i].data.count = builder->columns[i].ends.count = builder->columns[i].absent.count =
            0;
}

/* Room for one more item. */
static int reserve(rk_bag_builder *b, uint32_t field, const rask_item *item)
{
    bool bytes = b->shape.types[field] == 'y', absent = item->type == 'n';
    rk_array *marks = &b->columns[field].absent;
    size_t len = !bytes ? b->shape.sizes[field] : absent ? 0 : item->as.bytes.len;
    int status = rk_array_reserve(&b->columns[field].data, len);
    if (!status && bytes)
        status = rk_array_reserve(&b->columns[field].ends, 2);
    if (!status && (absent || marks->count))
        status = rk_array_reserve(marks, marks->count ? 1 : b->count + 1);
    return status;
}

static void mark(rk_bag_builder *b, uint32_t field, bool absent)
{
    rk_array *marks = &b->columns[field].absent;
    if (!absent && !marks->count)
        return;
    if (!marks->count)
        memset(marks->data, 0, b->count);
    ((uint8_t *)marks->data)[b->count] = absent;
    marks->count = b->count + 1;
}

static void put(rk_bag_builder *b, uint32_t field, const rask_item *item)
{
    rk_array *data = &b->columns[field].data, *ends = &b->columns[field].ends;
    bool bytes = b->shape.types[field] == 'y', absent = item->type == 'n';
    size_t len = !bytes ? b->shape.sizes[field] : absent ? 0 : item->as.bytes.len;
    bool inside = item->type == 'i' || item->type == 'd';
    if (absent && len)
        memset((char *)data->data + data->count, 0, len);
    else if (len)
        memcpy((char *)data->data + data->count, inside ? (const void *)&item->as : item->as.bytes.data, len);
    data->count += len;
    if (bytes) {
        ((uint64_t *)ends->data)[b->count] = data->count - len;
        ((uint64_t *)ends->data)[b->count + 1] = data->count;
        ends->count = b->count + 2;
    }
    mark(b, field, absent);
}

int rk_bag_builder_add(rk_bag_builder *builder, const rask_record *record)
{
    for (uint32_t i = 0; i < builder->shape.count; i++) {
        int status = reserve(builder, i, &record->items[i]);
        if (status)
            return status;
    }
    for (uint32_t i = 0; i < builder->shape.count; i++)
        put(builder, i, &record->items[i]);
    builder->count++;
    return RASK_OK;
}

void rk_bag_builder_view(const rk_bag_builder *builder, rk_bag_chunk *chunk)
{
    chunk->shape = &builder->shape;
    chunk->count = builder->count;
    for (uint32_t i = 0; i < builder->shape.count; i++) {
        chunk->columns[i].data = builder->columns[i].data.data;
        chunk->columns[i].ends = builder->columns[i].ends.data;
        chunk->columns[i].absent = builder->columns[i].absent.count ? builder->columns[i].absent.data : NULL;
    }
}

void rk_bag_builder_get(const rk_bag_builder *builder, uint64_t index, rask_record *out)
{
    rk_bag_chunk chunk;
    rk_bag_builder_view(builder, &chunk);
    rk_bag_chunk_get(&chunk, index, out);
}

void *rk_bag_builder_place(rk_bag_builder *builder, uint32_t field, uint64_t index)
{
    return (char *)builder->columns[field].data.data + index * builder->shape.sizes[field];
}

/* -- Values */

/* Where size more bytes go; total moves behind them. */
static uint64_t lay(uint64_t *total, size_t size)
{
    uint64_t at = *total;
    *total = (at + size + 7) & ~(uint64_t)7;
    return at;
}

static size_t ends_bytes(const rk_bag_builder *b, uint32_t field)
{
    return b->shape.types[field] == 'y' ? (b->count + 1) * sizeof(uint64_t) : 0;
}

/* With zeros up to a multiple of 8: equal chunks have equal bytes. */
static void copy(char *to, const void *from, size_t len)
{
    if (len)
        memcpy(to, from, len);
    memset(to + len, 0, -len & 7);
}

int rk_bag_builder_value(const rk_bag_builder *builder, rask_value *out)
{
    chunk_head head = {.shape = builder->shape, .count = builder->count};
    uint64_t total = sizeof head;
    char *data;
    for (uint32_t i = 0; i < builder->shape.count; i++) {
        head.columns[i].data = lay(&total, builder->columns[i].data.count);
        head.columns[i].ends = ends_bytes(builder, i) ? lay(&total, ends_bytes(builder, i)) : 0;
        head.columns[i].absent =
            builder->columns[i].absent.count ? lay(&total, builder->columns[i].absent.count) : 0;
    }
    int status = rask_value_bytes_alloc(total, &data, out);
    if (status)
        return status;
    memset(data, 0, sizeof head);
    memcpy(data, &head, sizeof head);
    for (uint32_t i = 0; i < builder->shape.count; i++) {
        copy(data + head.columns[i].data, builder->columns[i].data.data, builder->columns[i].data.count);
        if (head.columns[i].ends && builder->count)
            memcpy(data + head.columns[i].ends, builder->columns[i].ends.data, ends_bytes(builder, i));
        else if (head.columns[i].ends)
            memset(data + head.columns[i].ends, 0, sizeof(uint64_t));
        if (head.columns[i].absent)
            copy(data + head.columns[i].absent, builder->columns[i].absent.data,
                 builder->columns[i].absent.count);
    }
    return RASK_OK;
}
