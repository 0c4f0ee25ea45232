#include "collections/table/chunk.h"

#include <assert.h>
#include <string.h>

typedef struct chunk_head {
    uint64_t rows, count;
} chunk_head;

typedef struct chunk_part {
    uint64_t type, values, valid, bytes; /* places; valid: 0, there are no nulls */
} chunk_part;

/* -- Making */

int rk_chunk_builder_init(rk_chunk_builder *b, const rask_column_type *types, uint32_t count)
{
    *b = (rk_chunk_builder){.count = count, .columns = rk_calloc(count ? count : 1, sizeof *b->columns)};
    if (!b->columns)
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        b->columns[i] =
            (rk_chunk_column){.type = types[i],
                              .values = {.element = types[i] == RASK_COL_BOOL ? 1 : 8, .ceiling = SIZE_MAX},
                              .valid = {.element = 1, .ceiling = SIZE_MAX},
                              .bytes = {.element = 1, .ceiling = SIZE_MAX}};
    return RASK_OK;
}

void rk_chunk_builder_fini(rk_chunk_builder *b)
{
    for (uint32_t i = 0; b->columns && i < b->count; i++) {
        rk_array_fini(&b->columns[i].values);
        rk_array_fini(&b->columns[i].valid);
        rk_array_fini(&b->columns[i].bytes);
    }
    rk_free(b->columns);
    *b = (rk_chunk_builder){0};
}

/* Room for count more elements, which count from here on; NULL: no memory. */
static void *grow(rk_array *array, size_t count)
{
    if (array->count + count > array->capacity && rk_array_reserve(array, count))
        return NULL;
    void *place = (char *)array->data + array->count * array->element;
    array->count += count;
    return place;
}

/* rows: numbers of the rows to take; NULL: the first count. */
static uint32_t row_at(const uint32_t *rows, uint32_t i)
{
    return rows ? rows[i] : i;
}

static int add_text(rk_chunk_column *c, const rk_column *from, const uint32_t *rows, uint32_t count)
{
    size_t total = 0, end = c->bytes.count;
    for (uint32_t i = 0; i < count; i++)
        total += from->text[row_at(rows, i)].len;
    uint64_t *ends = grow(&c->values, count);
    char *bytes = ends ? grow(&c->bytes, total) : NULL;
    if (!ends || (!bytes && total))
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        rask_bytes text = from->text[row_at(rows, i)];
        if (text.len)
            memcpy(bytes, text.data, text.len);
        bytes += text.len;
        ends[i] = end += text.len;
    }
    return RASK_OK;
}

static int add_numbers(rk_chunk_column *c, const rk_column *from, const uint32_t *rows, uint32_t count)
{
    size_t size = c->values.element;
    char *values = grow(&c->values, count);
    if (!values)
        return RASK_ENOMEM;
    if (!rows)
        memcpy(values, from->data, count * size);
    for (uint32_t i = 0; rows && size == 1 && i < count; i++)
        values[i] = (char)from->boolean[rows[i]];
    for (uint32_t i = 0; rows && size == 8 && i < count; i++)
        ((int64_t *)values)[i] = from->i64[rows[i]];
    return RASK_OK;
}

static int add_valid(rk_chunk_column *c, const rk_column *from, uint64_t before, const uint32_t *rows,
                     uint32_t count)
{
    if (!c->nulls && !from->nulls)
        return RASK_OK;
    size_t all = c->nulls ? count : (size_t)before + count;
    uint8_t *valid = grow(&c->valid, all);
    if (!valid)
        return RASK_ENOMEM;
    memset(valid, 1, all);
    for (uint32_t i = 0; from->nulls && i < count; i++)
        valid[all - count + i] = from->valid[row_at(rows, i)];
    c->nulls = true;
    return RASK_OK;
}

int rk_chunk_builder_add_rows(rk_chunk_builder *b, const rk_column *const *columns, const uint32_t *rows,
                              uint32_t count)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < b->count && count && !status; i++) {
        rk_chunk_column *c = &b->columns[i];
        assert(columns[i]->type == c->type);
        status = add_valid(c, columns[i], b->rows, rows, count);
        if (!status)
            status = c->type == RASK_COL_TEXT ? add_text(c, columns[i], rows, count)
                                              : add_numbers(c, columns[i], rows, count);
    }
    b->rows += status ? 0 : count;
    return status;
}

uint64_t rk_chunk_builder_bytes(const rk_chunk_builder *b)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const rk_chunk_column *c = &b->columns[i];
        bytes += c->values.capacity * c->values.element + c->valid.capacity + c->bytes.capacity;
    }
    return bytes;
}

static size_t padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static size_t values_size(const rk_chunk_column *c, uint64_t rows)
{
    return c->type == RASK_COL_BOOL ? rows : 8 * (rows + (c->type == RASK_COL_TEXT));
}

static size_t packed_size(const rk_chunk_builder *b)
{
    size_t size = sizeof(chunk_head) + b->count * sizeof(chunk_part);
    for (uint32_t i = 0; i < b->count; i++) {
        const rk_chunk_column *c = &b->columns[i];
        size += padded(values_size(c, b->rows)) + (c->nulls ? padded(b->rows) : 0) + padded(c->bytes.count);
    }
    return size;
}

/* Copies size bytes to *at, which moves on; the rest up to a multiple of 8 is 0. */
static void put(char *data, size_t *at, const void *from, size_t size)
{
    if (size)
        memcpy(data + *at, from, size);
    memset(data + *at + size, 0, padded(size) - size);
    *at += padded(size);
}

static void pack_column(const rk_chunk_column *c, uint64_t rows, char *data, size_t *at, chunk_part *part)
{
    *part = (chunk_part){.type = c->type, .values = *at};
    if (c->type == RASK_COL_TEXT)
        put(data, at, &(uint64_t){0}, sizeof(uint64_t));
    put(data, at, c->values.data, c->values.count * c->values.element);
    part->valid = c->nulls ? *at : 0;
    put(data, at, c->valid.data, c->nulls ? rows : 0);
    part->bytes = *at;
    put(data, at, c->bytes.data, c->bytes.count);
}

int rk_chunk_builder_pack(const rk_chunk_builder *b, rask_value *out)
{
    char *data;
    int status = rask_value_bytes_alloc(packed_size(b), &data, out);
    if (status)
        return status;
    chunk_head head = {b->rows, b->count};
    size_t at = sizeof head + b->count * sizeof(chunk_part);
    memcpy(data, &head, sizeof head);
    for (uint32_t i = 0; i < b->count; i++) {
        chunk_part part;
        pack_column(&b->columns[i], b->rows, data, &at, &part);
        memcpy(data + sizeof head + i * sizeof part, &part, sizeof part);
    }
    return RASK_OK;
}

/* -- Reading */

void rk_chunk_open(rk_chunk *chunk, rask_bytes bytes)
{
    chunk_head head;
    assert(bytes.len >= sizeof head);
    memcpy(&head, bytes.data, sizeof head);
    *chunk = (rk_chunk){.rows = head.rows, .count = (uint32_t)head.count, .data = bytes.data};
}

static chunk_part part_at(const rk_chunk *chunk, uint32_t index)
{
    chunk_part part;
    assert(index < chunk->count);
    memcpy(&part, chunk->data + sizeof(chunk_head) + index * sizeof part, sizeof part);
    return part;
}

rask_column rk_chunk_column_at(const rk_chunk *chunk, uint32_t index)
{
    chunk_part part = part_at(chunk, index);
    rask_column column = {.type = (rask_column_type)part.type,
                          .valid = part.valid ? (const uint8_t *)chunk->data + part.valid : NULL,
                          .bytes = chunk->data + part.bytes};
    column.as.boolean = (const uint8_t *)chunk->data + part.values;
    return column;
}

static int gather_text(const rk_chunk *chunks, uint32_t index, const uint64_t *places, uint64_t count,
                       rk_chunk_column *out)
{
    uint64_t *ends = grow(&out->values, count), end = out->bytes.count;
    if (!ends)
        return RASK_ENOMEM;
    for (uint64_t i = 0; i < count; i++) {
        rask_column c = rk_chunk_column_at(&chunks[places[i] >> 32], index);
        uint64_t row = places[i] & UINT32_MAX, len = c.as.ends[row + 1] - c.as.ends[row];
        char *bytes = len ? grow(&out->bytes, len) : NULL;
        if (len && !bytes)
            return RASK_ENOMEM;
        if (len)
            memcpy(bytes, c.bytes + c.as.ends[row], len);
        ends[i] = end += len;
    }
    return RASK_OK;
}

static int gather_numbers(const rk_chunk *chunks, uint32_t index, const uint64_t *places, uint64_t count,
                          rk_chunk_column *out)
{
    char *values = grow(&out->values, count);
    if (!values)
        return RASK_ENOMEM;
    for (uint64_t i = 0; i < count; i++) {
        rask_column c = rk_chunk_column_at(&chunks[places[i] >> 32], index);
        uint64_t row = places[i] & UINT32_MAX;
        if (out->values.element == 1)
            values[i] = (char)c.as.boolean[row];
        else
            ((int64_t *)values)[i] = c.as.i64[row];
    }
    return RASK_OK;
}

static int gather_column(const rk_chunk *chunks, uint32_t index, const uint64_t *places, uint64_t count,
                         uint64_t before, rk_chunk_column *out)
{
    bool nulls = out->nulls;
    for (uint64_t i = 0; i < count && !nulls; i++)
        nulls = rk_chunk_column_at(&chunks[places[i] >> 32], index).valid != NULL;
    size_t all = out->nulls ? count : before + count;
    uint8_t *valid = nulls ? grow(&out->valid, all) : NULL;
    if (nulls && !valid && all)
        return RASK_ENOMEM;
    if (nulls)
        memset(valid, 1, all);
    for (uint64_t i = 0; nulls && i < count; i++) {
        rask_column c = rk_chunk_column_at(&chunks[places[i] >> 32], index);
        valid[all - count + i] = c.valid ? c.valid[places[i] & UINT32_MAX] : 1;
    }
    out->nulls = nulls;
    return out->type == RASK_COL_TEXT ? gather_text(chunks, index, places, count, out)
                                      : gather_numbers(chunks, index, places, count, out);
}

int rk_chunk_gather(const rk_chunk *chunks, const uint64_t *places, uint64_t count, rk_chunk_builder *out)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < out->count && count && !status; i++)
        status = gather_column(chunks, i, places, count, out->rows, &out->columns[i]);
    out->rows += status ? 0 : count;
    return status;
}

uint32_t rk_chunk_read(const rk_chunk *chunk, uint32_t index, uint64_t first, rk_column *out)
{
    rask_column c = rk_chunk_column_at(chunk, index);
    uint64_t left = chunk->rows - first;
    uint32_t rows = left < RK_BATCH_ROWS ? (uint32_t)left : RK_BATCH_ROWS;
    assert(out->type == c.type);
    out->nulls = c.valid != NULL;
    if (c.valid)
        memcpy(out->valid, c.valid + first, rows);
    if (c.type == RASK_COL_BOOL)
        memcpy(out->boolean, c.as.boolean + first, rows);
    else if (c.type != RASK_COL_TEXT)
        memcpy(out->i64, c.as.i64 + first, rows * sizeof *out->i64);
    for (uint32_t i = 0; c.type == RASK_COL_TEXT && i < rows; i++) {
        const uint64_t *ends = c.as.ends + first + i;
        out->text[i] = (rask_bytes){c.bytes + ends[0], ends[1] - ends[0]};
    }
    return rows;
}
