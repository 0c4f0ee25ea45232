#include "collections/table/chunk_layout.h"

#include <assert.h>
#include <string.h>

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

/* Room for the ends of count more texts; before the first of all stands a 0. */
static uint64_t *grow_ends(rk_chunk_column *c, size_t count)
{
    bool begins = !c->values.count;
    uint64_t *ends = grow(&c->values, count + begins);
    if (ends && begins)
        *ends++ = 0;
    return ends;
}

static int add_text(rk_chunk_column *c, const rk_column *from, const uint32_t *rows, uint32_t count)
{
    size_t total = 0, end = c->bytes.count;
    for (uint32_t i = 0; i < count; i++)
        total += from->text[row_at(rows, i)].len;
    uint64_t *ends = grow_ends(c, count);
    char *bytes = ends && total ? grow(&c->bytes, total) : NULL;
    if (!ends || (!bytes && total))
        return RASK_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        rask_bytes text = from->text[row_at(rows, i)];
        ends[i] = end += text.len;
        if (text.len && bytes)
            bytes = (char *)memcpy(bytes, text.data, text.len) + text.len;
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

/* -- Making one of others */

static int append_text(rk_chunk_column *c, const rask_column *from, uint64_t first, uint64_t count)
{
    const uint64_t *old = from->as.ends + first;
    size_t total = old[count] - old[0];
    uint64_t end = c->bytes.count, *ends = grow_ends(c, count);
    char *bytes = ends && total ? grow(&c->bytes, total) : NULL;
    if (!ends || (!bytes && total))
        return RASK_ENOMEM;
    for (uint64_t i = 0; i < count; i++)
        ends[i] = end + (old[i + 1] - old[0]);
    if (bytes)
        memcpy(bytes, from->bytes + old[0], total);
    return RASK_OK;
}

static int append_column(rk_chunk_column *c, const rask_column *from, uint64_t before, uint64_t first,
                         uint64_t count)
{
    if (c->nulls || from->valid) {
        size_t all = c->nulls ? count : before + count;
        uint8_t *valid = grow(&c->valid, all);
        if (!valid)
            return RASK_ENOMEM;
        memset(valid, 1, all);
        if (from->valid)
            memcpy(valid + all - count, from->valid + first, count);
        c->nulls = true;
    }
    if (c->type == RASK_COL_TEXT)
        return append_text(c, from, first, count);
    void *values = grow(&c->values, count);
    if (values)
        memcpy(values, from->as.boolean + first * c->values.element, count * c->values.element);
    return values ? RASK_OK : RASK_ENOMEM;
}

int rk_chunk_builder_add_chunk(rk_chunk_builder *b, const rk_chunk *chunk, uint64_t first, uint64_t count)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < b->count && count && !status; i++) {
        rask_column from = rk_chunk_column_at(chunk, i);
        assert(from.type == b->columns[i].type);
        status = append_column(&b->columns[i], &from, b->rows, first, count);
    }
    b->rows += status ? 0 : count;
    return status;
}

rask_column rk_chunk_builder_column(const rk_chunk_builder *b, uint32_t index)
{
    static const uint64_t none[1] = {0};
    const rk_chunk_column *c = &b->columns[index];
    rask_column column = {.type = c->type,
                          .valid = c->nulls ? c->valid.data : NULL,
                          .bytes = c->bytes.count ? c->bytes.data : ""};
    column.as.ends = c->type == RASK_COL_TEXT && !c->values.count ? none : c->values.data;
    return column;
}

uint64_t rk_chunk_builder_used(const rk_chunk_builder *b)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < b->count; i++)
        bytes += b->columns[i].values.count * b->columns[i].values.element + b->columns[i].bytes.count;
    return bytes;
}

void rk_chunk_builder_clear(rk_chunk_builder *b)
{
    b->rows = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        rk_chunk_column *c = &b->columns[i];
        c->nulls = false;
        c->values.count = c->valid.count = c->bytes.count = 0;
    }
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

static size_t values_size(const rk_chunk_column *c, uint64_t rows)
{
    return c->type == RASK_COL_BOOL ? rows : 8 * (rows + (c->type == RASK_COL_TEXT));
}

static size_t packed_size(const rk_chunk_builder *b)
{
    size_t size = sizeof(rk_chunk_head) + b->count * sizeof(rk_chunk_part);
    for (uint32_t i = 0; i < b->count; i++) {
        const rk_chunk_column *c = &b->columns[i];
        size += rk_chunk_padded(values_size(c, b->rows)) + (c->nulls ? rk_chunk_padded(b->rows) : 0) +
                rk_chunk_padded(c->bytes.count);
    }
    return size;
}

/* Copies size bytes to *at, which moves on; the rest up to a multiple of 8 is 0. */
static void put(char *data, size_t *at, const void *from, size_t size)
{
    if (size)
        memcpy(data + *at, from, size);
    memset(data + *at + size, 0, rk_chunk_padded(size) - size);
    *at += rk_chunk_padded(size);
}

static void pack_column(const rk_chunk_column *c, uint64_t rows, char *data, size_t *at, rk_chunk_part *part)
{
    *part = (rk_chunk_part){.type = c->type, .values = *at};
    if (c->type == RASK_COL_TEXT && !c->values.count)
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
    rk_chunk_head head = {b->rows, b->count};
    size_t at = sizeof head + b->count * sizeof(rk_chunk_part);
    memcpy(data, &head, sizeof head);
    for (uint32_t i = 0; i < b->count; i++) {
        rk_chunk_part part;
        pack_column(&b->columns[i], b->rows, data, &at, &part);
        memcpy(data + sizeof head + i * sizeof part, &part, sizeof part);
    }
    return RASK_OK;
}

/* -- Reading */

void rk_chunk_open(rk_chunk *chunk, rask_bytes bytes)
{
    rk_chunk_head head;
    assert(bytes.len >= sizeof head);
    memcpy(&head, bytes.data, sizeof head);
    *chunk = (rk_chunk){.rows = head.rows, .count = (uint32_t)head.count, .data = bytes.data};
}

static rk_chunk_part part_at(const rk_chunk *chunk, uint32_t index)
{
    rk_chunk_part part;
    assert(index < chunk->count);
    memcpy(&part, chunk->data + sizeof(rk_chunk_head) + index * sizeof part, sizeof part);
    return part;
}

rask_column rk_chunk_column_at(const rk_chunk *chunk, uint32_t index)
{
    rk_chunk_part part = part_at(chunk, index);
    rask_column column = {.type = (rask_column_type)part.type,
                          .valid = part.valid ? (const uint8_t *)chunk->data + part.valid : NULL,
                          .bytes = chunk->data + part.bytes};
    column.as.boolean = (const uint8_t *)chunk->data + part.values;
    return column;
}

/* -- Gathering: sizes first, then values go where they belong */

typedef struct gathering {
    const rk_chunk *chunks;
    size_t chunk_count;
    const uint64_t *places;
    uint64_t count;
    rask_column *columns; /* one column of each chunk */
    bool nulls;           /* some of them have */
} gathering;

static void open_column(gathering *g, uint32_t index)
{
    g->nulls = false;
    for (size_t i = 0; i < g->chunk_count; i++) {
        g->columns[i] = rk_chunk_column_at(&g->chunks[i], index);
        g->nulls |= g->columns[i].valid != NULL;
    }
}

static size_t text_size(const gathering *g)
{
    size_t size = 0;
    for (uint64_t i = 0; i < g->count; i++) {
        const uint64_t *ends = g->columns[g->places[i] >> 32].as.ends + (g->places[i] & UINT32_MAX);
        size += ends[1] - ends[0];
    }
    return size;
}

static void gather_text(const gathering *g, uint64_t *ends, char *bytes)
{
    uint64_t end = *ends++ = 0;
    for (uint64_t i = 0; i < g->count; i++) {
        const rask_column *c = &g->columns[g->places[i] >> 32];
        const uint64_t *from = c->as.ends + (g->places[i] & UINT32_MAX);
        uint64_t len = from[1] - from[0];
        memcpy(bytes + end, c->bytes + from[0], len);
        ends[i] = end += len;
    }
}

static void gather_words(const gathering *g, int64_t *values)
{
    for (uint64_t i = 0; i < g->count; i++)
        values[i] = g->columns[g->places[i] >> 32].as.i64[g->places[i] & UINT32_MAX];
}

static void gather_bytes(const gathering *g, uint8_t *values)
{
    for (uint64_t i = 0; i < g->count; i++)
        values[i] = g->columns[g->places[i] >> 32].as.boolean[g->places[i] & UINT32_MAX];
}

static void gather_valid(const gathering *g, uint8_t *valid)
{
    for (uint64_t i = 0; i < g->count; i++) {
        const uint8_t *from = g->columns[g->places[i] >> 32].valid;
        valid[i] = from ? from[g->places[i] & UINT32_MAX] : 1;
    }
}

/* Sets where the parts of the open column go, from *at on, which moves behind them. */
static void place_column(const gathering *g, size_t *at, rk_chunk_part *part)
{
    bool text = g->columns->type == RASK_COL_TEXT;
    *part = (rk_chunk_part){.type = g->columns->type, .values = *at};
    *at += rk_chunk_padded(g->columns->type == RASK_COL_BOOL ? g->count : 8 * (g->count + text));
    part->valid = g->nulls ? *at : 0;
    *at += g->nulls ? rk_chunk_padded(g->count) : 0;
    part->bytes = *at;
    *at += text ? rk_chunk_padded(text_size(g)) : 0;
}

/* Parts lie one behind the other, up to end. */
static void gather_column(const gathering *g, const rk_chunk_part *part, size_t end, char *data)
{
    rk_chunk_clear_padding(data, part->values, part->valid ? part->valid : part->bytes);
    rk_chunk_clear_padding(data, part->bytes, end);
    if (part->type == RASK_COL_TEXT)
        gather_text(g, (uint64_t *)(data + part->values), data + part->bytes);
    else if (part->type == RASK_COL_BOOL)
        gather_bytes(g, (uint8_t *)data + part->values);
    else
        gather_words(g, (int64_t *)(data + part->values));
    if (!part->valid)
        return;
    rk_chunk_clear_padding(data, part->valid, part->bytes);
    gather_valid(g, (uint8_t *)data + part->valid);
}

static int gather_all(gathering *g, rk_chunk_part *parts, rask_value *out)
{
    rk_chunk_head head = {g->count, g->chunks->count};
    size_t first = sizeof head + head.count * sizeof *parts, at = first;
    char *data;
    for (uint32_t i = 0; i < head.count; i++) {
        open_column(g, i);
        place_column(g, &at, &parts[i]);
    }
    int status = rask_value_bytes_alloc(at, &data, out);
    if (status)
        return status;
    memcpy(data, &head, sizeof head);
    memcpy(data + sizeof head, parts, first - sizeof head);
    for (uint32_t i = 0; i < head.count; i++) {
        open_column(g, i);
        gather_column(g, &parts[i], i + 1 < head.count ? parts[i + 1].values : at, data);
    }
    return RASK_OK;
}

int rk_chunk_gather(const rk_chunk *chunks, size_t chunk_count, const uint64_t *places, uint64_t count,
                    rask_value *out)
{
    assert(chunk_count);
    gathering g = {chunks, chunk_count, places, count, rk_alloc_array(chunk_count, sizeof *g.columns), false};
    rk_chunk_part *parts = rk_alloc_array(chunks->count + (size_t)1, sizeof *parts);
    int status = g.columns && parts ? gather_all(&g, parts, out) : RASK_ENOMEM;
    rk_free(g.columns);
    rk_free(parts);
    return status;
}

/* -- Reading by batches */

void rk_column_read(const rask_column *c, uint64_t first, uint32_t rows, rk_column *out)
{
    assert(out->type == c->type);
    out->nulls = c->valid != NULL;
    if (c->valid)
        memcpy(out->valid, c->valid + first, rows);
    if (c->type == RASK_COL_BOOL)
        memcpy(out->boolean, c->as.boolean + first, rows);
    else if (c->type != RASK_COL_TEXT)
        memcpy(out->i64, c->as.i64 + first, rows * sizeof *out->i64);
    for (uint32_t i = 0; c->type == RASK_COL_TEXT && i < rows; i++) {
        const uint64_t *ends = c->as.ends + first + i;
        out->text[i] = (rask_bytes){c->bytes + ends[0], ends[1] - ends[0]};
    }
}

uint32_t rk_chunk_read(const rk_chunk *chunk, uint32_t index, uint64_t first, rk_column *out)
{
    rask_column c = rk_chunk_column_at(chunk, index);
    uint64_t left = chunk->rows - first;
    uint32_t rows = left < RK_BATCH_ROWS ? (uint32_t)left : RK_BATCH_ROWS;
    rk_column_read(&c, first, rows, out);
    return rows;
}
