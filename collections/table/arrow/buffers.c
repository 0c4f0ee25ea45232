#include "collections/table/arrow/buffers.h"

#include "collections/table/arrow/bits.h"
#include "core/base/alloc.h"
#include "core/json/json.h"

#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

const char *rk_arrow_format_of(rask_column_type type)
{
    static const char *const formats[] = {
        [RASK_COL_BOOL] = "b",   [RASK_COL_I64] = "l",          [RASK_COL_F64] = "g",
        [RASK_COL_DATE] = "tdD", [RASK_COL_TIMESTAMP] = "tsu:", [RASK_COL_TEXT] = "U"};
    return formats[type];
}

static void *make(rk_arrow_buffer *b, size_t size)
{
    b->own = rk_alloc(size ? size : 1);
    b->data = b->own;
    b->size = size;
    return b->own;
}

static void share(rk_arrow_buffer *b, const void *data, size_t size)
{
    *b = (rk_arrow_buffer){.data = data, .size = size};
}

/* -- Text */

static bool is_ascii(const char *text, size_t len)
{
    uint64_t word, high = 0;
    size_t i = 0;
    for (; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        high |= word;
    }
    for (; i < len; i++)
        high |= (uint64_t)(text[i] & 0x80);
    return !(high & 0x8080808080808080u);
}

/* Bytes that a value takes as UTF-8; to: where they go, NULL: nowhere. */
static size_t mend(const char *text, size_t len, char *to)
{
    size_t size = 0;
    for (size_t i = 0, n; i < len; i += n ? n : 1) {
        n = rk_utf8_length(text + i, text + len);
        if (to)
            memcpy(to + size, n ? text + i : replacement, n ? n : sizeof replacement - 1);
        size += n ? n : sizeof replacement - 1;
    }
    return size;
}

static uint64_t mended_size(const rask_column *c, uint64_t rows)
{
    uint64_t size = 0;
    for (uint64_t i = 0; i < rows; i++)
        size += mend(c->bytes + c->as.offsets[i], c->as.offsets[i + 1] - c->as.offsets[i], NULL);
    return size;
}

static int mend_text(rk_arrow_buffers *b, const rask_column *c, uint64_t rows, uint64_t size)
{
    uint64_t *ends = make(&b->buffers[1], (rows + 1) * sizeof *ends), end = 0;
    char *bytes = make(&b->buffers[2], size);
    if (!ends || !bytes)
        return RASK_ENOMEM;
    ends[0] = 0;
    for (uint64_t i = 0; i < rows; i++) {
        end += mend(c->bytes + c->as.offsets[i], c->as.offsets[i + 1] - c->as.offsets[i], bytes + end);
        ends[i + 1] = end;
    }
    return RASK_OK;
}

/* Value by value: bytes that are wrong in two may be right in both together. */
static bool is_right(const rask_column *c, uint64_t rows)
{
    if (is_ascii(c->bytes, c->as.offsets[rows]))
        return true;
    for (uint64_t i = 0; i < rows; i++)
        for (uint64_t at = c->as.offsets[i]; at < c->as.offsets[i + 1];) {
            size_t n = rk_utf8_length(c->bytes + at, c->bytes + c->as.offsets[i + 1]);
            if (!n)
                return false;
            at += n;
        }
    return true;
}

static int text_buffers(rk_arrow_buffers *b, const rask_column *c, uint64_t rows)
{
    b->count = 3;
    if (!is_right(c, rows))
        return mend_text(b, c, rows, mended_size(c, rows));
    share(&b->buffers[1], c->as.offsets, (rows + 1) * sizeof *c->as.offsets);
    share(&b->buffers[2], c->bytes, c->as.offsets[rows]);
    return RASK_OK;
}

/* -- Others */

static int date_buffer(rk_arrow_buffer *b, const rask_column *c, uint64_t rows)
{
    int32_t *days = make(b, rows * sizeof *days);
    for (uint64_t i = 0; days && i < rows; i++) {
        if (c->as.i64[i] != (int32_t)c->as.i64[i])
            return RASK_ERANGE;
        days[i] = (int32_t)c->as.i64[i];
    }
    return days ? RASK_OK : RASK_ENOMEM;
}

static int bit_buffer(rk_arrow_buffer *b, const uint8_t *bytes, uint64_t rows, uint64_t *zeros)
{
    uint8_t *bits = make(b, rk_bits_size(rows));
    if (bits)
        *zeros = rk_bits_write(bits, bytes, rows);
    return bits ? RASK_OK : RASK_ENOMEM;
}

/* The first of two buffers. */
static int begin(rk_arrow_buffers *b, const rask_column *c, uint64_t rows)
{
    *b = (rk_arrow_buffers){.count = 2};
    if (c->valid && memchr(c->valid, 0, rows)) /* else what came with other rows says nothing of these */
        return bit_buffer(&b->buffers[0], c->valid, rows, &b->nulls);
    return RASK_OK;
}

int rk_arrow_buffers_init(rk_arrow_buffers *b, const rask_column *c, uint64_t rows)
{
    uint64_t zeros;
    int status = begin(b, c, rows);
    if (status)
        return status;
    switch (c->type) {
    case RASK_COL_TEXT: status = text_buffers(b, c, rows); break;
    case RASK_COL_BOOL: status = bit_buffer(&b->buffers[1], c->as.boolean, rows, &zeros); break;
    case RASK_COL_DATE: status = date_buffer(&b->buffers[1], c, rows); break;
    default: share(&b->buffers[1], c->as.i64, rows * sizeof *c->as.i64);
    }
    if (status)
        rk_arrow_buffers_fini(b);
    return status;
}

int rk_arrow_indices_init(rk_arrow_buffers *b, const rk_stored *stored, uint64_t rows)
{
    int status = begin(b, &stored->column, rows);
    int32_t *indices = status ? NULL : make(&b->buffers[1], rows * sizeof *indices);
    for (uint64_t i = 0; indices && i < rows; i++)
        indices[i] = stored->codes[i];
    if (!status && !indices)
        rk_arrow_buffers_fini(b);
    return indices ? RASK_OK : RASK_ENOMEM;
}

int rk_arrow_texts_init(rk_arrow_buffers *b, const rk_stored *stored)
{
    rask_column texts = stored->column;
    texts.valid = NULL;
    return rk_arrow_buffers_init(b, &texts, stored->texts);
}

void rk_arrow_buffer_replace(rk_arrow_buffer *b, void *own, size_t size)
{
    rk_free(b->own);
    *b = (rk_arrow_buffer){.data = own, .size = size, .own = own};
}

void rk_arrow_buffers_fini(rk_arrow_buffers *b)
{
    for (uint32_t i = 0; i < 3; i++)
        rk_free(b->buffers[i].own);
    *b = (rk_arrow_buffers){0};
}
