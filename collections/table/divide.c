/* Sizes first; then column by column: it is read once, from end to end, and each part is written from end to end. Of numbered texts
 * each part gets those that it has, numbered again; they are divided before there is memory for the parts, since their sizes are known
 * only then. */
#include "collections/table/divide.h"

#include "collections/table/chunk_layout.h"

/* Of a part. */
typedef struct share {
    uint64_t rows;
    size_t size; /* of the chunk; then where the next column goes in it */
    size_t text; /* bytes of the text of a column */
    char *data;
    char *values, *bytes, *bytes_begin, *bytes_end; /* where the next value of a column goes, and its text */
    rk_chunk_column *numbered;                      /* of each column, what the part has of it */
} share;

typedef struct division {
    rk_chunk_builder *builder;
    const uint32_t *part; /* of each row */
    uint32_t parts;
    share *shares;
    rk_chunk_column *numbered; /* columns of all parts */
} division;

/* -- Numbered texts */

/* Whether a column is divided before the others. */
static bool is_numbered(const rk_chunk_column *c)
{
    return c->codes.there;
}

static int begin_numbered(const division *d, uint32_t index)
{
    int status = RASK_OK;
    for (uint32_t p = 0; p < d->parts && !status; p++) {
        rk_chunk_column *own = &d->shares[p].numbered[index];
        *own = (rk_chunk_column){.type = RASK_COL_TEXT,
                                 .values = {.element = 8, .ceiling = SIZE_MAX},
                                 .bytes = {.element = 1, .ceiling = SIZE_MAX}};
        rk_codes_init(&own->codes);
        if (d->shares[p].rows)
            status = rk_array_reserve(&own->codes.rows, d->shares[p].rows);
    }
    return status;
}

/* numbers[part * texts + number in the column]: the number in the part + 1. RASK_ELIMIT: after an eighth of the rows most of
 * them are different within their parts: it does not pay. */
static int number_parts(const division *d, uint32_t index, uint32_t *numbers)
{
    const rk_chunk_column *c = &d->builder->columns[index];
    const uint16_t *rows = rk_codes_rows(&c->codes);
    uint64_t texts = c->codes.texts, count = d->builder->rows, different = 0;
    int status = RASK_OK;
    for (uint64_t i = 0; i < count && !status; i++) {
        rk_chunk_column *own = &d->shares[d->part[i]].numbered[index];
        uint32_t *number = &numbers[d->part[i] * texts + rows[i]];
        rask_bytes text = rk_text_at(c->values.data, c->bytes.data, rows[i]);
        if (!*number) {
            status = rk_codes_append(&own->codes, &own->values, &own->bytes, text);
            *number = own->codes.texts;
            different++;
        }
        if (!status)
            rk_codes_repeat(&own->codes, (uint16_t)(*number - 1), text.len);
        if (!status && i == count / 8 && different > i - i / 4)
            status = RASK_ELIMIT;
    }
    return status;
}

/* A part whose texts do not pay is spelt out when it is packed; a column whose texts do not is right now. */
static int divide_numbered(const division *d, uint32_t index)
{
    enum { MOST = 8 }; /* numbers for each row */
    rk_chunk_column *c = &d->builder->columns[index];
    uint64_t count = d->parts * (uint64_t)c->codes.texts;
    if (count > MOST * d->builder->rows)
        return rk_chunk_column_spell(c);
    uint32_t *numbers = rk_calloc(count + 1, sizeof *numbers);
    int status = numbers ? begin_numbered(d, index) : RASK_ENOMEM;
    if (!status)
        status = number_parts(d, index, numbers);
    rk_free(numbers);
    for (uint32_t p = 0; status == RASK_ELIMIT && p < d->parts; p++)
        rk_chunk_column_fini(&d->shares[p].numbered[index]);
    return status == RASK_ELIMIT ? rk_chunk_column_spell(c) : status;
}

/* -- All others */

static void count_text(const division *d, const rk_chunk_column *c)
{
    const uint64_t *ends = c->values.data;
    for (uint32_t p = 0; p < d->parts; p++)
        d->shares[p].text = 0;
    for (uint64_t i = 0; i < d->builder->rows; i++)
        d->shares[d->part[i]].text += ends[i + 1] - ends[i];
}

static size_t values_size(const rk_chunk_column *c, uint64_t rows)
{
    return rk_chunk_padded(c->type == RASK_COL_BOOL ? rows : 8 * (rows + (c->type == RASK_COL_TEXT)));
}

static void count_sizes(const division *d)
{
    const rk_chunk_builder *b = d->builder;
    for (uint32_t p = 0; p < d->parts; p++)
        d->shares[p].size = sizeof(rk_chunk_head) + b->count * sizeof(rk_chunk_part);
    for (uint32_t i = 0; i < b->count; i++) {
        const rk_chunk_column *c = &b->columns[i];
        if (c->type == RASK_COL_TEXT && !is_numbered(c))
            count_text(d, c);
        for (uint32_t p = 0; p < d->parts; p++) {
            share *s = &d->shares[p];
            if (is_numbered(c)) {
                s->size += rk_chunk_column_size(&s->numbered[i], s->rows) +
                           (c->nulls ? rk_chunk_padded(s->rows) : 0);
                continue;
            }
            s->size += values_size(c, s->rows) + (c->nulls ? rk_chunk_padded(s->rows) : 0) +
                       (c->type == RASK_COL_TEXT ? rk_chunk_padded(s->text) : 0);
        }
    }
}

static int make_chunks(const division *d, rask_value *out)
{
    const rk_chunk_builder *b = d->builder;
    int status = RASK_OK;
    uint32_t made = 0;
    for (; made < d->parts && !status; made += !status) {
        share *s = &d->shares[made];
        rk_chunk_head head = {s->rows, b->count};
        status = rask_value_bytes_alloc(s->size, &s->data, &out[made]);
        if (status)
            break;
        memcpy(s->data, &head, sizeof head);
        s->size = sizeof head + b->count * sizeof(rk_chunk_part);
    }
    for (uint32_t i = 0; status && i < made; i++)
        rask_value_unref(&out[i]);
    return status;
}

/* Numbered texts go to each part as they are; s->values is where it stands which are there. */
static void put_numbered(const division *d, uint32_t index)
{
    for (uint32_t p = 0; p < d->parts; p++) {
        rk_chunk_part part;
        share *s = &d->shares[p];
        rk_chunk_put_column(&s->numbered[index], s->rows, s->data, &s->size, &part);
        if (d->builder->columns[index].nulls) {
            part.valid = s->size;
            s->size += rk_chunk_padded(s->rows);
            rk_chunk_clear_padding(s->data, part.valid, s->size);
        }
        memcpy(s->data + sizeof(rk_chunk_head) + index * sizeof part, &part, sizeof part);
    }
}

/* Where the values of column number index go in each part. */
static void place_column(const division *d, uint32_t index)
{
    const rk_chunk_column *c = &d->builder->columns[index];
    bool text = c->type == RASK_COL_TEXT;
    if (text)
        count_text(d, c);
    for (uint32_t p = 0; p < d->parts; p++) {
        share *s = &d->shares[p];
        rk_chunk_part part = {.type = c->type, .values = s->size};
        s->size += values_size(c, s->rows);
        rk_chunk_clear_padding(s->data, part.values, s->size);
        part.valid = c->nulls ? s->size : 0;
        s->size += c->nulls ? rk_chunk_padded(s->rows) : 0;
        rk_chunk_clear_padding(s->data, part.valid ? part.valid : s->size, s->size);
        part.bytes = s->size;
        s->size += text ? rk_chunk_padded(s->text) : 0;
        rk_chunk_clear_padding(s->data, part.bytes, s->size);
        memcpy(s->data + sizeof(rk_chunk_head) + index * sizeof part, &part, sizeof part);
        s->values = s->data + part.values;
        s->bytes = s->bytes_begin = s->data + part.bytes;
        s->bytes_end = s->bytes_begin + s->text;
        if (text)
            s->values = (char *)memset(s->values, 0, sizeof(uint64_t)) + sizeof(uint64_t);
    }
}

static void divide_words(const division *d, const rk_chunk_column *c)
{
    const uint64_t *words = c->values.data;
    for (uint64_t i = 0; i < d->builder->rows; i++) {
        share *s = &d->shares[d->part[i]];
        memcpy(s->values, &words[i], sizeof *words);
        s->values += sizeof *words;
    }
}

static void divide_bytes(const division *d, const uint8_t *bytes)
{
    for (uint64_t i = 0; i < d->builder->rows; i++)
        *d->shares[d->part[i]].values++ = (char)bytes[i];
}

static void divide_text(const division *d, const rk_chunk_column *c)
{
    const uint64_t *ends = c->values.data;
    const char *text = c->bytes.data, *text_end = text ? text + c->bytes.count : text;
    for (uint64_t i = 0; i < d->builder->rows; i++) {
        share *s = &d->shares[d->part[i]];
        size_t len = ends[i + 1] - ends[i];
        if (len && text)
            s->bytes = rk_chunk_copy_text(s->bytes, s->bytes_end, text + ends[i], text_end, len);
        uint64_t end = (uint64_t)(s->bytes - s->bytes_begin);
        memcpy(s->values, &end, sizeof end);
        s->values += sizeof end;
    }
}

static void divide_values(const division *d, uint32_t index)
{
    const rk_chunk_column *c = &d->builder->columns[index];
    place_column(d, index);
    if (c->type == RASK_COL_TEXT)
        divide_text(d, c);
    else if (c->type == RASK_COL_BOOL)
        divide_bytes(d, c->values.data);
    else
        divide_words(d, c);
}

/* Its values, and behind them which are there. */
static void divide_column(const division *d, uint32_t index)
{
    const rk_chunk_column *c = &d->builder->columns[index];
    if (is_numbered(c))
        put_numbered(d, index);
    else
        divide_values(d, index);
    if (!c->nulls)
        return;
    for (uint32_t p = 0; p < d->parts; p++) {
        rk_chunk_part part;
        share *s = &d->shares[p];
        memcpy(&part, s->data + sizeof(rk_chunk_head) + index * sizeof part, sizeof part);
        s->values = s->data + part.valid;
    }
    divide_bytes(d, c->valid.data);
}

static int divide_rows(const division *d)
{
    const rk_chunk_builder *b = d->builder;
    int status = RASK_OK;
    for (uint64_t i = 0; i < b->rows; i++)
        d->shares[d->part[i]].rows++;
    for (uint32_t p = 0; p < d->parts; p++)
        d->shares[p].numbered = d->numbered + (size_t)p * b->count;
    for (uint32_t i = 0; i < b->count && !status; i++)
        if (is_numbered(&b->columns[i]))
            status = divide_numbered(d, i);
    return status;
}

int rk_chunk_divide(rk_chunk_builder *b, const uint32_t *part, uint32_t parts, rask_value *out)
{
    size_t columns = (size_t)parts * b->count;
    division d = {.builder = b,
                  .part = part,
                  .parts = parts,
                  .shares = rk_calloc(parts, sizeof *d.shares),
                  .numbered = rk_calloc(columns + 1, sizeof *d.numbered)};
    int status = d.shares && d.numbered ? divide_rows(&d) : RASK_ENOMEM;
    if (!status) {
        count_sizes(&d);
        status = make_chunks(&d, out);
    }
    for (uint32_t i = 0; i < b->count && !status; i++) {
        divide_column(&d, i);
        rk_chunk_column_fini(&b->columns[i]);
        for (uint32_t p = 0; p < parts; p++)
            rk_chunk_column_fini(&d.shares[p].numbered[i]);
    }
    for (size_t i = 0; d.numbered && i < columns; i++)
        rk_chunk_column_fini(&d.numbered[i]);
    rk_free(d.numbered);
    rk_free(d.shares);
    return status;
}
