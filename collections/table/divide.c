/* Sizes first; then column by column: it is read once, from end to end, and each part is written from end to end. */
#include "collections/table/divide.h"

#include "collections/table/chunk_layout.h"

/* Of a part. */
typedef struct share {
    uint64_t rows;
    size_t size; /* of the chunk; then where the next column goes in it */
    size_t text; /* bytes of the text of a column */
    char *data;
    char *values, *bytes, *bytes_begin, *bytes_end; /* where the next value of a column goes, and its text */
} share;

typedef struct division {
    rk_chunk_builder *builder;
    const uint32_t *part; /* of each row */
    uint32_t parts;
    share *shares;
} division;

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
    for (uint64_t i = 0; i < b->rows; i++)
        d->shares[d->part[i]].rows++;
    for (uint32_t p = 0; p < d->parts; p++)
        d->shares[p].size = sizeof(rk_chunk_head) + b->count * sizeof(rk_chunk_part);
    for (uint32_t i = 0; i < b->count; i++) {
        const rk_chunk_column *c = &b->columns[i];
        if (c->type == RASK_COL_TEXT)
            count_text(d, c);
        for (uint32_t p = 0; p < d->parts; p++) {
            share *s = &d->shares[p];
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

/* Its values, and behind them which are there. */
static void divide_column(const division *d, uint32_t index)
{
    const rk_chunk_column *c = &d->builder->columns[index];
    place_column(d, index);
    if (c->type == RASK_COL_TEXT)
        divide_text(d, c);
    else if (c->type == RASK_COL_BOOL)
        divide_bytes(d, c->values.data);
    else
        divide_words(d, c);
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

int rk_chunk_divide(rk_chunk_builder *b, const uint32_t *part, uint32_t parts, rask_value *out)
{
    division d = {b, part, parts, rk_calloc(parts, sizeof *d.shares)};
    if (!d.shares)
        return RASK_ENOMEM;
    count_sizes(&d);
    int status = make_chunks(&d, out);
    for (uint32_t i = 0; i < b->count && !status; i++) {
        divide_column(&d, i);
        rk_array_fini(&b->columns[i].values);
        rk_array_fini(&b->columns[i].valid);
        rk_array_fini(&b->columns[i].bytes);
    }
    rk_free(d.shares);
    return status;
}
