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
    for (uint32_t i = 0; i < count; i++)
        if (types[i] == RASK_COL_TEXT)
            rk_codes_init(&b->columns[i].codes);
    return RASK_OK;
}

void rk_chunk_builder_plain(rk_chunk_builder *b)
{
    assert(!b->rows);
    for (uint32_t i = 0; i < b->count; i++)
        rk_codes_fini(&b->columns[i].codes);
}

void rk_chunk_column_fini(rk_chunk_column *c)
{
    rk_array_fini(&c->values);
    rk_array_fini(&c->valid);
    rk_array_fini(&c->bytes);
    rk_codes_fini(&c->codes);
}

void rk_chunk_builder_fini(rk_chunk_builder *b)
{
    for (uint32_t i = 0; b->columns && i < b->count; i++)
        rk_chunk_column_fini(&b->columns[i]);
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

void rk_chunk_builder_divided(rk_chunk_builder *b, uint32_t key)
{
    for (uint32_t i = 0; i < b->count; i++)
        b->columns[i].codes.few = i != key;
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

static rask_bytes builder_text(const rk_chunk_column *c, uint64_t row)
{
    const uint16_t *codes = rk_codes_rows(&c->codes);
    return rk_text_at(c->values.data, c->bytes.data, codes ? codes[row] : row);
}

int rk_chunk_column_spell(rk_chunk_column *c)
{
    size_t rows = c->codes.rows.count;
    rk_chunk_column plain = {.values = {.element = 8, .ceiling = SIZE_MAX},
                             .bytes = {.element = 1, .ceiling = SIZE_MAX}};
    uint64_t *ends = rows ? grow_ends(&plain, rows) : NULL, end = 0;
    char *bytes = ends && c->codes.plain ? grow(&plain.bytes, c->codes.plain) : NULL;
    if ((!ends && rows) || (!bytes && c->codes.plain)) {
        rk_array_fini(&plain.values);
        return RASK_ENOMEM;
    }
    for (size_t i = 0; ends && i < rows; i++) {
        rask_bytes text = builder_text(c, i);
        if (text.len && bytes)
            memcpy(bytes + end, text.data, text.len);
        ends[i] = end += text.len;
    }
    rk_array_fini(&c->values);
    rk_array_fini(&c->bytes);
    rk_codes_fini(&c->codes);
    c->values = plain.values;
    c->bytes = plain.bytes;
    return RASK_OK;
}

/* Numbers the texts of rows up to the one at which that stops to pay: in *done how many. */
static int add_numbered(rk_chunk_column *c, const rk_column *from, const uint32_t *rows, uint32_t count,
                        uint32_t *done)
{
    int status = RASK_OK;
    *done = 0;
    while (*done < count && !status) {
        status = rk_codes_add(&c->codes, &c->values, &c->bytes, from->text[row_at(rows, *done)]);
        *done += !status;
    }
    return status == RASK_ELIMIT ? rk_chunk_column_spell(c) : status;
}

/* Rows from number first on. */
static int add_spelt(rk_chunk_column *c, const rk_column *from, const uint32_t *rows, uint32_t first,
                     uint32_t count)
{
    size_t total = 0, end = c->bytes.count;
    for (uint32_t i = first; i < count; i++)
        total += from->text[row_at(rows, i)].len;
    uint64_t *ends = grow_ends(c, count - first);
    char *bytes = ends && total ? grow(&c->bytes, total) : NULL;
    if (!ends || (!bytes && total))
        return RASK_ENOMEM;
    for (uint32_t i = first; i < count; i++) {
        rask_bytes text = from->text[row_at(rows, i)];
        *ends++ = end += text.len;
        if (text.len && bytes)
            bytes = (char *)memcpy(bytes, text.data, text.len) + text.len;
    }
    return RASK_OK;
}

static int add_text(rk_chunk_column *c, const rk_column *from, const uint32_t *rows, uint32_t count)
{
    uint32_t done = 0;
    int status = c->codes.there ? add_numbered(c, from, rows, count, &done) : RASK_OK;
    return status || done == count ? status : add_spelt(c, from, rows, done, count);
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

static int append_plain(rk_chunk_column *c, const rask_column *from, uint64_t first, uint64_t count)
{
    const uint64_t *old = from->as.offsets + first;
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

/* Each text of the dictionary that rows have is looked up once, in *done rows up to that at which numbering stops to pay. */
static int append_numbered(rk_chunk_column *c, const rk_stored *from, uint64_t first, uint64_t count,
                           uint64_t *done)
{
    uint32_t *numbers = rk_calloc(from->texts, sizeof *numbers); /* + 1 */
    int status = numbers ? rk_array_reserve(&c->codes.rows, count) : RASK_ENOMEM;
    for (*done = 0; *done < count && !status; *done += !status) {
        uint32_t *number = &numbers[from->codes[first + *done]];
        rask_bytes text = rk_stored_text(from, first + *done);
        if (*number) {
            rk_codes_repeat(&c->codes, (uint16_t)(*number - 1), text.len);
            continue;
        }
        status = rk_codes_add(&c->codes, &c->values, &c->bytes, text);
        if (!status)
            *number = rk_codes_rows(&c->codes)[c->codes.rows.count - 1] + 1u;
    }
    rk_free(numbers);
    return status == RASK_ELIMIT ? rk_chunk_column_spell(c) : status;
}

static int append_text(rk_chunk_column *c, const rk_stored *from, uint64_t first, uint64_t count)
{
    enum { PIECE = 256 };
    rask_bytes texts[PIECE];
    rk_column piece = {.type = RASK_COL_TEXT, .text = texts};
    uint64_t done = 0;
    int status = RASK_OK;
    if (!c->codes.there && !from->codes)
        return append_plain(c, &from->column, first, count);
    if (c->codes.there && from->codes && count >= from->texts)
        status = append_numbered(c, from, first, count, &done);
    for (uint32_t rows; done < count && !status; done += rows) {
        rows = count - done < PIECE ? (uint32_t)(count - done) : PIECE;
        for (uint32_t i = 0; i < rows; i++)
            texts[i] = rk_stored_text(from, first + done + i);
        status = add_text(c, &piece, NULL, rows);
    }
    return status;
}

static int append_column(rk_chunk_column *c, const rk_stored *stored, uint64_t before, uint64_t first,
                         uint64_t count)
{
    const rask_column *from = &stored->column;
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
        return append_text(c, stored, first, count);
    void *values = grow(&c->values, count);
    if (values)
        memcpy(values, from->as.boolean + first * c->values.element, count * c->values.element);
    return values ? RASK_OK : RASK_ENOMEM;
}

int rk_chunk_builder_add_chunk(rk_chunk_builder *b, const rk_chunk *chunk, uint64_t first, uint64_t count)
{
    int status = RASK_OK;
    for (uint32_t i = 0; i < b->count && count && !status; i++) {
        rk_stored from = rk_chunk_stored(chunk, i);
        assert(from.column.type == b->columns[i].type);
        status = append_column(&b->columns[i], &from, b->rows, first, count);
    }
    b->rows += status ? 0 : count;
    return status;
}

rk_stored rk_chunk_builder_stored(const rk_chunk_builder *b, uint32_t index)
{
    static const uint64_t none[1] = {0};
    const rk_chunk_column *c = &b->columns[index];
    rk_stored stored = {.column = {.type = c->type,
                                   .valid = c->nulls ? c->valid.data : NULL,
                                   .bytes = c->bytes.count ? c->bytes.data : ""},
                        .codes = rk_codes_rows(&c->codes),
                        .texts = c->codes.texts};
    stored.column.as.offsets = c->type == RASK_COL_TEXT && !c->values.count ? none : c->values.data;
    return stored;
}

bool rk_chunk_builder_keep(rk_chunk_builder *b, uint32_t index)
{
    rk_codes *codes = &b->columns[index].codes;
    codes->kept = codes->there;
    return codes->there;
}

int rk_chunk_builder_spell(rk_chunk_builder *b, uint32_t index)
{
    rk_chunk_column *c = &b->columns[index];
    return c->codes.there ? rk_chunk_column_spell(c) : RASK_OK;
}

uint64_t rk_chunk_builder_used(const rk_chunk_builder *b)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const rk_chunk_column *c = &b->columns[i];
        bytes += c->codes.there ? (b->rows + 1) * sizeof(uint64_t) + c->codes.plain
                                : c->values.count * c->values.element + c->bytes.count;
    }
    return bytes;
}

void rk_chunk_builder_clear(rk_chunk_builder *b)
{
    b->rows = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        rk_chunk_column *c = &b->columns[i];
        c->nulls = false;
        c->valid.count = 0;
        if (!c->codes.kept)
            c->values.count = c->bytes.count = 0;
        rk_codes_clear(&c->codes);
    }
}

uint64_t rk_chunk_builder_bytes(const rk_chunk_builder *b)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const rk_chunk_column *c = &b->columns[i];
        bytes += c->values.capacity * c->values.element + c->valid.capacity + c->bytes.capacity +
                 c->codes.rows.capacity * c->codes.rows.element + c->codes.slot_count * sizeof(uint64_t);
    }
    return bytes;
}

void rk_chunk_expect(rk_array *array, double part)
{
    double all = (double)array->count / part * 1.02;
    if (array->count && all < (double)(SIZE_MAX / 2 / array->element))
        rk_array_reserve(array, (size_t)all - array->count); /* else it grows as it goes */
}

/* Of numbered texts there will not be so many more. */
void rk_chunk_builder_expect(rk_chunk_builder *b, double part)
{
    for (uint32_t i = 0; i < b->count; i++) {
        rk_chunk_column *c = &b->columns[i];
        rk_chunk_expect(&c->valid, part);
        rk_chunk_expect(&c->codes.rows, part);
        if (c->codes.there)
            continue;
        rk_chunk_expect(&c->values, part);
        rk_chunk_expect(&c->bytes, part);
    }
}

/* Whether its numbers are what is packed. */
static bool is_numbered(const rk_chunk_column *c)
{
    return c->codes.there && rk_codes_pay(&c->codes, &c->bytes);
}

size_t rk_chunk_column_size(const rk_chunk_column *c, uint64_t rows)
{
    bool text = c->type == RASK_COL_TEXT, numbered = is_numbered(c);
    size_t size = c->nulls ? rk_chunk_padded(rows) : 0;
    if (numbered)
        return size + rk_chunk_padded(rows * sizeof(uint16_t)) + c->values.count * c->values.element +
               rk_chunk_padded(c->bytes.count);
    size += rk_chunk_padded(c->type == RASK_COL_BOOL ? rows : 8 * (rows + text));
    return size + rk_chunk_padded(c->codes.there ? c->codes.plain : c->bytes.count);
}

/* Copies size bytes to *at, which moves on; the rest up to a multiple of 8 is 0. */
static void put(char *data, size_t *at, const void *from, size_t size)
{
    if (size)
        memcpy(data + *at, from, size);
    memset(data + *at + size, 0, rk_chunk_padded(size) - size);
    *at += rk_chunk_padded(size);
}

/* The texts of rows whose numbers do not pay, or not yet; ends and bytes have their places. */
static void put_spelt(const rk_chunk_column *c, uint64_t rows, uint64_t *ends, char *bytes)
{
    uint64_t end = *ends++ = 0;
    for (uint64_t i = 0; i < rows; i++) {
        rask_bytes text = builder_text(c, i);
        if (text.len)
            memcpy(bytes + end, text.data, text.len);
        ends[i] = end += text.len;
    }
}

void rk_chunk_put_column(const rk_chunk_column *c, uint64_t rows, char *data, size_t *at, rk_chunk_part *part)
{
    bool numbered = is_numbered(c), spelt = c->codes.there && !numbered;
    size_t ends = sizeof(uint64_t) * (rows + 1);
    *part = (rk_chunk_part){.type = c->type, .values = *at, .texts = numbered ? c->codes.texts : 0};
    if (spelt)
        *at += ends;
    else if (c->type == RASK_COL_TEXT && !c->values.count)
        put(data, at, &(uint64_t){0}, sizeof(uint64_t));
    else
        put(data, at, c->values.data, c->values.count * c->values.element);
    part->codes = numbered ? *at : 0;
    put(data, at, c->codes.rows.data, numbered ? rows * sizeof(uint16_t) : 0);
    part->valid = c->nulls ? *at : 0;
    put(data, at, c->valid.data, c->nulls ? rows : 0);
    part->bytes = *at;
    if (!spelt) {
        put(data, at, c->bytes.data, c->bytes.count);
        return;
    }
    *at += rk_chunk_padded(c->codes.plain);
    rk_chunk_clear_padding(data, part->bytes, *at);
    put_spelt(c, rows, (uint64_t *)(data + part->values), data + part->bytes);
}

static size_t packed_size(const rk_chunk_builder *b)
{
    size_t size = sizeof(rk_chunk_head) + b->count * sizeof(rk_chunk_part);
    for (uint32_t i = 0; i < b->count; i++)
        size += rk_chunk_column_size(&b->columns[i], b->rows);
    return size;
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
        rk_chunk_put_column(&b->columns[i], b->rows, data, &at, &part);
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

rk_stored rk_chunk_stored(const rk_chunk *chunk, uint32_t index)
{
    rk_chunk_part part = part_at(chunk, index);
    rk_stored stored = {.column = {.type = (rask_column_type)part.type,
                                   .valid = part.valid ? (const uint8_t *)chunk->data + part.valid : NULL,
                                   .bytes = chunk->data + part.bytes},
                        .codes = part.codes ? (const uint16_t *)(chunk->data + part.codes) : NULL,
                        .texts = (uint32_t)part.texts};
    stored.column.as.boolean = (const uint8_t *)chunk->data + part.values;
    return stored;
}

rask_column rk_chunk_column_at(const rk_chunk *chunk, uint32_t index)
{
    rk_stored stored = rk_chunk_stored(chunk, index);
    assert(!stored.codes);
    return stored.column;
}

/* -- Gathering: sizes first, then values go where they belong */

/* A column to be: numbered holds its texts when they are worth a dictionary, and else is empty. */
typedef struct gathered {
    rk_chunk_part part;
    rk_chunk_column numbered;
} gathered;

typedef struct gathering {
    const rk_chunk *chunks;
    size_t chunk_count;
    const uint64_t *places;
    uint64_t count;
    rk_stored *columns; /* one column of each chunk */
    bool nulls;         /* some of them have */
} gathering;

static void open_column(gathering *g, uint32_t index)
{
    g->nulls = false;
    for (size_t i = 0; i < g->chunk_count; i++) {
        g->columns[i] = rk_chunk_stored(&g->chunks[i], index);
        g->nulls |= g->columns[i].column.valid != NULL;
    }
}

static rask_bytes text_at(const gathering *g, uint64_t place)
{
    return rk_stored_text(&g->columns[place >> 32], place & UINT32_MAX);
}

static size_t text_size(const gathering *g)
{
    size_t size = 0;
    for (uint64_t i = 0; i < g->count; i++)
        size += text_at(g, g->places[i]).len;
    return size;
}

static void gather_text(const gathering *g, uint64_t *ends, char *bytes)
{
    uint64_t end = *ends++ = 0;
    for (uint64_t i = 0; i < g->count; i++) {
        rask_bytes text = text_at(g, g->places[i]);
        memcpy(bytes + end, text.data, text.len);
        ends[i] = end += text.len;
    }
}

static void gather_words(const gathering *g, int64_t *values)
{
    for (uint64_t i = 0; i < g->count; i++)
        values[i] = g->columns[g->places[i] >> 32].column.as.i64[g->places[i] & UINT32_MAX];
}

static void gather_bytes(const gathering *g, uint8_t *values)
{
    for (uint64_t i = 0; i < g->count; i++)
        values[i] = g->columns[g->places[i] >> 32].column.as.boolean[g->places[i] & UINT32_MAX];
}

static void gather_valid(const gathering *g, uint8_t *valid)
{
    for (uint64_t i = 0; i < g->count; i++) {
        const uint8_t *from = g->columns[g->places[i] >> 32].column.valid;
        valid[i] = from ? from[g->places[i] & UINT32_MAX] : 1;
    }
}

/* Texts of all chunks; 0: some chunk has no dictionary, or they are many for what is taken of them. */
static uint64_t texts_together(const gathering *g)
{
    uint64_t texts = 0;
    for (size_t i = 0; i < g->chunk_count; i++) {
        if (!g->columns[i].codes && g->chunks[i].rows)
            return 0;
        texts += g->columns[i].texts;
    }
    return texts <= g->count ? texts : 0;
}

/* Each text of a chunk is looked up once: numbers[] has its number + 1 from then on, firsts[] where those of a chunk begin. */
static int number_rows(const gathering *g, const uint64_t *firsts, uint32_t *numbers, rk_chunk_column *out)
{
    uint16_t *rows = grow(&out->codes.rows, g->count);
    int status = rows ? RASK_OK : RASK_ENOMEM;
    out->codes.rows.count = 0; /* those that are numbered */
    for (uint64_t i = 0; i < g->count && !status; i++) {
        size_t chunk = g->places[i] >> 32;
        uint64_t value = rk_stored_value(&g->columns[chunk], g->places[i] & UINT32_MAX);
        uint32_t *number = &numbers[firsts[chunk] + value];
        rask_bytes text = text_at(g, g->places[i]);
        if (*number) {
            rk_codes_repeat(&out->codes, (uint16_t)(*number - 1), text.len);
            continue;
        }
        status = rk_codes_add(&out->codes, &out->values, &out->bytes, text);
        *number = status ? 0 : (uint32_t)rows[i] + 1;
    }
    return status;
}

/* The dictionary of the open column, unless it does not pay. */
static int number_column(const gathering *g, rk_chunk_column *out)
{
    uint64_t texts = texts_together(g), end = 0;
    if (!texts)
        return RASK_OK;
    uint64_t *firsts = rk_alloc_array(g->chunk_count, sizeof *firsts);
    uint32_t *numbers = rk_calloc(texts, sizeof *numbers);
    *out = (rk_chunk_column){.type = RASK_COL_TEXT,
                             .values = {.element = 8, .ceiling = SIZE_MAX},
                             .bytes = {.element = 1, .ceiling = SIZE_MAX}};
    rk_codes_init(&out->codes);
    for (size_t i = 0; firsts && i < g->chunk_count; i++) {
        firsts[i] = end;
        end += g->columns[i].texts;
    }
    int status = firsts && numbers ? number_rows(g, firsts, numbers, out) : RASK_ENOMEM;
    rk_free(firsts);
    rk_free(numbers);
    if (status || !rk_codes_pay(&out->codes, &out->bytes))
        rk_chunk_column_fini(out);
    return status == RASK_ELIMIT ? RASK_OK : status;
}

/* Sets where the parts of the open column go, from *at on, which moves behind them; those of a dictionary are set when it is put
 * there. */
static int place_column(const gathering *g, size_t *at, gathered *out)
{
    rask_column_type type = g->columns->column.type;
    bool text = type == RASK_COL_TEXT;
    int status = text ? number_column(g, &out->numbered) : RASK_OK;
    out->part = (rk_chunk_part){.type = type, .values = *at};
    if (status || out->numbered.codes.there) {
        *at += rk_chunk_column_size(&out->numbered, g->count) + (g->nulls ? rk_chunk_padded(g->count) : 0);
        return status;
    }
    *at += rk_chunk_padded(type == RASK_COL_BOOL ? g->count : 8 * (g->count + text));
    out->part.valid = g->nulls ? *at : 0;
    *at += g->nulls ? rk_chunk_padded(g->count) : 0;
    out->part.bytes = *at;
    *at += text ? rk_chunk_padded(text_size(g)) : 0;
    return RASK_OK;
}

/* Which are there stands behind the rest. */
static void gather_numbered(const gathering *g, gathered *out, char *data)
{
    size_t at = out->part.values;
    rk_chunk_put_column(&out->numbered, g->count, data, &at, &out->part);
    out->part.valid = g->nulls ? at : 0;
    if (!g->nulls)
        return;
    rk_chunk_clear_padding(data, at, at + rk_chunk_padded(g->count));
    gather_valid(g, (uint8_t *)data + at);
}

/* Parts lie one behind the other, up to end. */
static void gather_column(const gathering *g, gathered *out, size_t end, char *data)
{
    const rk_chunk_part *part = &out->part;
    if (out->numbered.codes.there) {
        gather_numbered(g, out, data);
        return;
    }
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

static int gather_all(gathering *g, gathered *all, rask_value *out)
{
    rk_chunk_head head = {g->count, g->chunks->count};
    size_t first = sizeof head + head.count * sizeof all->part, at = first;
    char *data;
    int status = RASK_OK;
    for (uint32_t i = 0; i < head.count && !status; i++) {
        open_column(g, i);
        status = place_column(g, &at, &all[i]);
    }
    if (!status)
        status = rask_value_bytes_alloc(at, &data, out);
    if (status)
        return status;
    memcpy(data, &head, sizeof head);
    for (uint32_t i = 0; i < head.count; i++) {
        open_column(g, i);
        gather_column(g, &all[i], i + 1 < head.count ? all[i + 1].part.values : at, data);
        memcpy(data + sizeof head + i * sizeof all->part, &all[i].part, sizeof all->part);
    }
    return RASK_OK;
}

int rk_chunk_gather(const rk_chunk *chunks, size_t chunk_count, const uint64_t *places, uint64_t count,
                    rask_value *out)
{
    assert(chunk_count);
    gathering g = {chunks, chunk_count, places, count, rk_alloc_array(chunk_count, sizeof *g.columns), false};
    gathered *all = rk_calloc(chunks->count + (size_t)1, sizeof *all);
    int status = g.columns && all ? gather_all(&g, all, out) : RASK_ENOMEM;
    for (uint32_t i = 0; all && i < chunks->count; i++)
        rk_chunk_column_fini(&all[i].numbered);
    rk_free(g.columns);
    rk_free(all);
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
        const uint64_t *ends = c->as.offsets + first + i;
        out->text[i] = (rask_bytes){c->bytes + ends[0], ends[1] - ends[0]};
    }
}

void rk_stored_read(const rk_stored *stored, uint64_t first, uint32_t rows, rk_column *out)
{
    const rask_column *c = &stored->column;
    if (!stored->codes) {
        rk_column_read(c, first, rows, out);
        return;
    }
    assert(out->type == c->type);
    out->nulls = c->valid != NULL;
    if (c->valid)
        memcpy(out->valid, c->valid + first, rows);
    for (uint32_t i = 0; i < rows; i++)
        out->text[i] = rk_stored_text(stored, first + i);
}

uint32_t rk_chunk_read(const rk_chunk *chunk, uint32_t index, uint64_t first, rk_column *out)
{
    rk_stored stored = rk_chunk_stored(chunk, index);
    uint64_t left = chunk->rows - first;
    uint32_t rows = left < RK_BATCH_ROWS ? (uint32_t)left : RK_BATCH_ROWS;
    rk_stored_read(&stored, first, rows, out);
    return rows;
}
