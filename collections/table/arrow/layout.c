#include "collections/table/arrow/layout.h"

#include "collections/table/arrow/bits.h"
#include "core/base/alloc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_LEAST_3 = UINT32_MAX, INLINE_VIEW = 12 };

/* at: place of the value in the buffers. */
static uint64_t row_of(const rk_arrow_layout *l, uint64_t at)
{
    return l->row + at - l->offset + 1;
}

static int fail(rk_memory_error *error, uint64_t row, const char *what)
{
    snprintf(error->message, sizeof error->message, "row %" PRIu64 ": %s", row, what);
    return RASK_EFORMAT;
}

static bool is_null(const rk_column *c, uint32_t row)
{
    return c->nulls && !c->valid[row];
}

/* -- Numbers: buffers need not be aligned */

#define READ_NUMBERS(name, c_type, member)                                                                   \
    static int name(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,                 \
                    rk_memory_error *error)                                                                  \
    {                                                                                                        \
        const char *at = (const char *)l->values + first * sizeof(c_type);                                   \
        (void)error;                                                                                         \
        for (uint32_t i = 0; i < rows; i++) {                                                                \
            c_type value;                                                                                    \
            memcpy(&value, at + i * sizeof value, sizeof value);                                             \
            out->member[i] = value;                                                                          \
        }                                                                                                    \
        return RASK_OK;                                                                                      \
    }

READ_NUMBERS(read_i8, int8_t, i64)
READ_NUMBERS(read_i16, int16_t, i64)
READ_NUMBERS(read_i32, int32_t, i64)
READ_NUMBERS(read_i64, int64_t, i64)
READ_NUMBERS(read_u8, uint8_t, i64)
READ_NUMBERS(read_u16, uint16_t, i64)
READ_NUMBERS(read_u32, uint32_t, i64)
READ_NUMBERS(read_f32, float, f64)
READ_NUMBERS(read_f64, double, f64)

static int read_u64(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,
                    rk_memory_error *error)
{
    memcpy(out->i64, (const char *)l->values + first * sizeof *out->i64, rows * sizeof *out->i64);
    for (uint32_t i = 0; i < rows; i++)
        if (out->i64[i] < 0 && !is_null(out, i)) {
            snprintf(error->message, sizeof error->message, "row %" PRIu64 ": %" PRIu64 " is no int64",
                     row_of(l, first + i), (uint64_t)out->i64[i]);
            return RASK_ERANGE;
        }
    return RASK_OK;
}

/* IEEE 754 binary16: 5 bits of exponent, 10 of fraction. */
static double half_to_double(uint16_t half)
{
    uint64_t sign = (uint64_t)(half >> 15) << 63, exponent = half >> 10 & 31, fraction = half & 1023;
    double small = (double)fraction / (1 << 24), value;
    if (!exponent)
        return sign ? -small : small;
    uint64_t bits = sign | (exponent == 31 ? 2047 : exponent + 1023 - 15) << 52 | fraction << 42;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int read_f16(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,
                    rk_memory_error *error)
{
    (void)error;
    for (uint32_t i = 0; i < rows; i++) {
        uint16_t half;
        memcpy(&half, (const char *)l->values + (first + i) * sizeof half, sizeof half);
        out->f64[i] = half_to_double(half);
    }
    return RASK_OK;
}

static int read_bits(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,
                     rk_memory_error *error)
{
    (void)error;
    rk_bits_read(l->values, first, rows, out->boolean);
    return RASK_OK;
}

/* Times, in the unit that a column has. */
static int read_times(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,
                      rk_memory_error *error)
{
    read_i64(l, first, rows, out, error);
    for (uint32_t i = 0; i < rows; i++) {
        int64_t down = out->i64[i] / l->divide - (out->i64[i] % l->divide < 0);
        if (__builtin_mul_overflow(down, l->multiply, &out->i64[i]) && !is_null(out, i)) {
            fail(error, row_of(l, first + i), "a time that microseconds in 64 bits do not reach");
            return RASK_ERANGE;
        }
    }
    return RASK_OK;
}

/* -- Text */

/* Where values begin, one more than there are, is in 32 or 64 bits. */
#define READ_TEXT(name, c_type)                                                                              \
    static int name(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,                 \
                    rk_memory_error *error)                                                                  \
    {                                                                                                        \
        const char *at = (const char *)l->values + first * sizeof(c_type);                                   \
        for (uint32_t i = 0; i < rows; i++) {                                                                \
            c_type ends[2];                                                                                  \
            memcpy(ends, at + i * sizeof(c_type), sizeof ends);                                              \
            if (ends[0] < 0 || ends[1] < ends[0])                                                            \
                return fail(error, row_of(l, first + i), "text that ends before it begins");                 \
            out->text[i] = (rask_bytes){l->bytes ? (const char *)l->bytes + ends[0] : "",                    \
                                        l->bytes ? (size_t)(ends[1] - ends[0]) : 0};                         \
        }                                                                                                    \
        return RASK_OK;                                                                                      \
    }

READ_TEXT(read_text, int32_t)
READ_TEXT(read_large_text, int64_t)

static int read_fixed_text(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,
                           rk_memory_error *error)
{
    (void)error;
    for (uint32_t i = 0; i < rows; i++)
        out->text[i] =
            (rask_bytes){l->width ? (const char *)l->values + (first + i) * l->width : "", l->width};
    return RASK_OK;
}

/* Length; then up to 12 bytes of text, or 4 of them, a buffer and where in it. */
static bool read_view(const rk_arrow_layout *l, const char *view, rask_bytes *out)
{
    int32_t words[4];
    memcpy(words, view, sizeof words);
    if (words[0] < 0)
        return false;
    *out = (rask_bytes){view + 4, (size_t)words[0]};
    if (words[0] <= INLINE_VIEW)
        return true;
    if (words[2] < 0 || (uint64_t)words[2] >= l->view_count || words[3] < 0 || !l->views[words[2]] ||
        (int64_t)words[3] + words[0] > l->view_sizes[words[2]])
        return false;
    out->data = (const char *)l->views[words[2]] + words[3];
    return true;
}

static int read_views(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,
                      rk_memory_error *error)
{
    for (uint32_t i = 0; i < rows; i++)
        if (!is_null(out, i) && !read_view(l, (const char *)l->values + (first + i) * 16, &out->text[i]))
            return fail(error, row_of(l, first + i), "text that is not in its buffer");
    return RASK_OK;
}

static int read_nothing(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,
                        rk_memory_error *error)
{
    (void)l;
    (void)first;
    (void)error;
    out->nulls = true;
    memset(out->valid, 0, rows);
    return RASK_OK;
}

/* -- Formats */

static const struct format {
    const char *name; /* a format that ends in a colon may have a time zone behind it */
    rk_arrow_layout layout;
} formats[] = {
    {"n", {.read = read_nothing, .type = RASK_COL_TEXT}},
    {"b", {.read = read_bits, .type = RASK_COL_BOOL, .buffers = 2, .bits = 1}},
    {"c", {.read = read_i8, .type = RASK_COL_I64, .buffers = 2, .bits = 8}},
    {"C", {.read = read_u8, .type = RASK_COL_I64, .buffers = 2, .bits = 8}},
    {"s", {.read = read_i16, .type = RASK_COL_I64, .buffers = 2, .bits = 16}},
    {"S", {.read = read_u16, .type = RASK_COL_I64, .buffers = 2, .bits = 16}},
    {"i", {.read = read_i32, .type = RASK_COL_I64, .buffers = 2, .bits = 32}},
    {"I", {.read = read_u32, .type = RASK_COL_I64, .buffers = 2, .bits = 32}},
    {"l", {.read = read_i64, .type = RASK_COL_I64, .buffers = 2, .bits = 64}},
    {"L", {.read = read_u64, .type = RASK_COL_I64, .buffers = 2, .bits = 64}},
    {"e", {.read = read_f16, .type = RASK_COL_F64, .buffers = 2, .bits = 16}},
    {"f", {.read = read_f32, .type = RASK_COL_F64, .buffers = 2, .bits = 32}},
    {"g", {.read = read_f64, .type = RASK_COL_F64, .buffers = 2, .bits = 64}},
    {"u", {.read = read_text, .type = RASK_COL_TEXT, .buffers = 3, .bits = 32}},
    {"z", {.read = read_text, .type = RASK_COL_TEXT, .buffers = 3, .bits = 32}},
    {"U", {.read = read_large_text, .type = RASK_COL_TEXT, .buffers = 3, .bits = 64}},
    {"Z", {.read = read_large_text, .type = RASK_COL_TEXT, .buffers = 3, .bits = 64}},
    {"vu", {.read = read_views, .type = RASK_COL_TEXT, .buffers = AT_LEAST_3, .bits = 128}},
    {"vz", {.read = read_views, .type = RASK_COL_TEXT, .buffers = AT_LEAST_3, .bits = 128}},
    {"tdD", {.read = read_i32, .type = RASK_COL_DATE, .buffers = 2, .bits = 32}},
    {"tdm",
     {.read = read_times,
      .type = RASK_COL_DATE,
      .buffers = 2,
      .bits = 64,
      .multiply = 1,
      .divide = 86400000}},
    {"tss:",
     {.read = read_times,
      .type = RASK_COL_TIMESTAMP,
      .buffers = 2,
      .bits = 64,
      .multiply = 1000000,
      .divide = 1}},
    {"tsm:",
     {.read = read_times,
      .type = RASK_COL_TIMESTAMP,
      .buffers = 2,
      .bits = 64,
      .multiply = 1000,
      .divide = 1}},
    {"tsu:", {.read = read_i64, .type = RASK_COL_TIMESTAMP, .buffers = 2, .bits = 64}},
    {"tsn:",
     {.read = read_times,
      .type = RASK_COL_TIMESTAMP,
      .buffers = 2,
      .bits = 64,
      .multiply = 1,
      .divide = 1000}},
};

static bool read_width(const char *format, rk_arrow_layout *layout)
{
    char *end;
    long width = strtol(format + 2, &end, 10);
    *layout = (rk_arrow_layout){.read = read_fixed_text,
                                .type = RASK_COL_TEXT,
                                .buffers = 2,
                                .width = (uint64_t)width,
                                .bits = 8 * (uint64_t)width};
    return end > format + 2 && !*end && width >= 0 && width <= INT32_MAX;
}

bool rk_arrow_format(const char *format, rk_arrow_layout *layout)
{
    if (!format)
        return false;
    if (strncmp(format, "w:", 2) == 0)
        return read_width(format, layout);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const char *name = formats[i].name;
        size_t len = strlen(name);
        if (name[len - 1] == ':' ? strncmp(format, name, len) == 0 : strcmp(format, name) == 0) {
            *layout = formats[i].layout;
            return true;
        }
    }
    return false;
}

/* -- Arrays */

static bool has_length(const struct ArrowArray *a)
{
    int64_t end;
    return a->length >= 0 && a->offset >= 0 && !__builtin_add_overflow(a->length, a->offset, &end) &&
           end <= INT64_MAX / 16;
}

static void bind_views(rk_arrow_layout *l, const struct ArrowArray *a)
{
    l->view_count = (uint64_t)a->n_buffers - 3;
    l->views = a->buffers + 2;
    l->view_sizes = a->buffers[a->n_buffers - 1];
    l->view_count = l->view_sizes ? l->view_count : 0;
}

const char *rk_arrow_bind(rk_arrow_layout *l, const struct ArrowArray *a)
{
    bool views = l->buffers == AT_LEAST_3;
    if (!a || !has_length(a))
        return "no length";
    if (views ? a->n_buffers < 3 : a->n_buffers != (int64_t)l->buffers)
        return "another number of buffers than its format has";
    if (l->buffers && !a->buffers)
        return "no buffers";
    l->offset = (uint64_t)a->offset;
    l->length = (uint64_t)a->length;
    if (!l->buffers)
        return NULL;
    l->valid = a->null_count ? a->buffers[0] : NULL;
    l->values = a->buffers[1];
    l->bytes = l->buffers == 3 ? a->buffers[2] : NULL;
    if (views)
        bind_views(l, a);
    return l->values || !l->length || (l->read == read_fixed_text && !l->width) ? NULL : "no values";
}

/* Indices as values of the dictionary. */
static int read_dictionary(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,
                           rk_memory_error *error)
{
    int64_t indices[RK_BATCH_ROWS] = {0};
    rk_column numbers = {.type = RASK_COL_I64, .nulls = out->nulls, .i64 = indices, .valid = out->valid};
    const rk_column *d = &l->dictionary;
    int status = l->indices->read(l->indices, first, rows, &numbers, error);
    for (uint32_t i = 0; i < rows && !status; i++) {
        if (is_null(out, i))
            continue;
        if (indices[i] < 0 || (uint64_t)indices[i] >= l->dictionary_count)
            return fail(error, row_of(l, first + i), "an index that is not in the dictionary");
        if (out->type == RASK_COL_TEXT)
            out->text[i] = d->text[indices[i]];
        else if (out->type == RASK_COL_BOOL)
            out->boolean[i] = d->boolean[indices[i]];
        else
            out->i64[i] = d->i64[indices[i]];
        if (d->nulls && !d->valid[indices[i]]) {
            if (!out->nulls)
                memset(out->valid, 1, rows);
            out->nulls = true;
            out->valid[i] = 0;
        }
    }
    return status;
}

int rk_arrow_read_rows(const rk_memory_column *column, uint64_t first, uint32_t rows, rk_column *out,
                       rk_memory_error *error)
{
    const rk_arrow_layout *l = column->layout;
    out->nulls = l->valid != NULL;
    if (l->valid)
        rk_bits_read(l->valid, l->offset + first, rows, out->valid);
    return l->read(l, l->offset + first, rows, out, error);
}

/* -- Blocks */

static int read_bytes(const rk_arrow_layout *l, uint64_t first, uint32_t rows, rk_column *out,
                      rk_memory_error *error)
{
    (void)error;
    memcpy(out->boolean, (const uint8_t *)l->values + first, rows);
    return RASK_OK;
}

static const char *const dtype_formats[] = {
    [RASK_DT_I8] = "c",  [RASK_DT_I16] = "s", [RASK_DT_I32] = "i", [RASK_DT_I64] = "l", [RASK_DT_U8] = "C",
    [RASK_DT_U16] = "S", [RASK_DT_U32] = "I", [RASK_DT_U64] = "L", [RASK_DT_F32] = "f", [RASK_DT_F64] = "g",
};

static bool set_dtype(rk_arrow_layout *l, rask_dtype dtype)
{
    *l = (rk_arrow_layout){.read = read_bytes, .type = RASK_COL_BOOL};
    return dtype == RASK_DT_BOOL || (dtype <= RASK_DT_F64 && rk_arrow_format(dtype_formats[dtype], l));
}

rask_column_type rk_arrow_dtype(rask_dtype dtype)
{
    rk_arrow_layout l;
    return set_dtype(&l, dtype) ? l.type : RASK_COLUMN_TYPES;
}

void rk_arrow_layout_block(rk_arrow_layout *l, const rask_block *block)
{
    bool good = set_dtype(l, block->dtype);
    assert(good && block->ndim == 1);
    (void)good;
    l->values = block->data;
    l->length = (uint64_t)block->shape[0];
}

/* -- Dictionaries */

/* Values at … of a dictionary, as one column with room for all. */
static int read_values(rk_arrow_layout *l, const rk_arrow_layout *values, uint64_t at, uint32_t rows,
                       rk_memory_error *error)
{
    size_t size = rk_column_size(values->type);
    rk_column *all = &l->dictionary;
    rk_column some = {.type = values->type, .data = (char *)all->data + at * size, .valid = all->valid + at};
    int status = rk_arrow_read_rows(&(rk_memory_column){.layout = values}, at, rows, &some, error);
    if (!some.nulls)
        memset(some.valid, 1, rows);
    all->nulls |= some.nulls;
    return status;
}

int rk_arrow_dictionary_init(rk_arrow_layout *l, const rk_arrow_layout *values, rk_memory_error *error)
{
    int status = RASK_OK;
    l->read = read_dictionary;
    l->type = values->type;
    l->dictionary_count = values->length;
    l->dictionary.type = values->type;
    l->dictionary.data = rk_calloc(values->length + 1, rk_column_size(values->type));
    l->dictionary.valid = rk_calloc(values->length + 1, 1);
    if (!l->dictionary.data || !l->dictionary.valid)
        return RASK_ENOMEM;
    for (uint64_t at = 0; at < values->length && !status; at += RK_BATCH_ROWS) {
        uint64_t left = values->length - at;
        status = read_values(l, values, at, left < RK_BATCH_ROWS ? (uint32_t)left : RK_BATCH_ROWS, error);
    }
    return status;
}

void rk_arrow_dictionary_fini(rk_arrow_layout *l)
{
    rk_free(l->dictionary.data);
    rk_free(l->dictionary.valid);
    l->dictionary = (rk_column){0};
}
