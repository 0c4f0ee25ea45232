#include "collections/table/csv/convert.h"

#include "collections/table/csv/numbers.h"
#include "collections/table/csv/parse.h"

#include <assert.h>
#include <string.h>

enum { ROOM = 64 << 10 };

bool rk_csv_parse(rask_column_type type, const char *data, size_t len, locale_t c, void *out)
{
    switch (type) {
    case RASK_COL_BOOL: return rk_parse_bool(data, len, out);
    case RASK_COL_I64: return rk_parse_i64(data, len, out);
    case RASK_COL_F64: return rk_parse_f64(data, len, c, out);
    case RASK_COL_DATE: return rk_parse_date(data, len, out);
    case RASK_COL_TIMESTAMP: return rk_parse_timestamp(data, len, out);
    default: return false;
    }
}

static void set_null(rk_column *column, uint32_t row)
{
    size_t size = rk_column_size(column->type);
    memset((char *)column->data + row * size, 0, size);
    if (column->type == RASK_COL_TEXT)
        column->text[row].data = "";
    column->valid[row] = 0;
    column->nulls = true;
}

/* Memory for len unescaped bytes. */
static char *take_room(rk_csv_scanner *s, size_t len)
{
    if (len > s->room_left) {
        size_t bytes = len > ROOM ? len : ROOM;
        char *room = rk_arena_alloc(&s->unescaped, bytes);
        if (!room)
            return NULL;
        s->room = room;
        s->room_left = bytes;
    }
    char *taken = s->room;
    s->room += len;
    s->room_left -= len;
    return taken;
}

/* A value that is no text and not in the plainest form, or null. */
static bool convert_value(rk_csv_scanner *s, const rk_csv_wanted *w, rask_bytes bytes, rk_column *column,
                          uint32_t row)
{
    rk_csv_field field = rk_csv_field_of(&s->format, bytes.data, bytes.len, w->last);
    void *out = (char *)column->data + row * rk_column_size(w->type);
    bool null = rk_csv_is_null(&s->format, &field);
    field = rk_csv_trim(field);
    if (!null && field.len && rk_csv_parse(w->type, field.data, field.len, s->locale, out))
        return true;
    s->misfits |= !null && field.len;
    if (!null && field.len && s->policy == RK_CSV_FAIL)
        return false;
    set_null(column, row);
    return true;
}

static int convert_text(rk_csv_scanner *s, const rk_csv_wanted *w, rask_bytes bytes, rk_column *column,
                        uint32_t row)
{
    rk_csv_field field = rk_csv_field_of(&s->format, bytes.data, bytes.len, w->last);
    if (!field.quoted && (!field.len || rk_csv_is_null(&s->format, &field))) {
        set_null(column, row);
        return RASK_OK;
    }
    column->text[row] = (rask_bytes){field.data, field.len};
    if (!field.quoted || !memchr(field.data, s->format.quote, field.len))
        return RASK_OK;
    char *room = take_room(s, field.len);
    if (!room)
        return RASK_ENOMEM;
    column->text[row] = (rask_bytes){room, rk_csv_unescape(s->format.quote, field.data, field.len, room)};
    return RASK_OK;
}

/* All of them are meant, unless they are chosen: then each has to be looked for. */
static inline __attribute__((always_inline)) uint32_t convert_all_texts(rk_csv_scanner *s,
                                                                        const rk_csv_wanted *w, rk_csv_run r,
                                                                        rk_column *column, uint32_t first,
                                                                        bool chosen, int *status)
{
    const bool last = w->last;
    const uint64_t nulls = w->nulls_first;
    const char quote = r.quoted ? s->format.quote : 0;
    const uint32_t *end = r.ends + w->field;
    rask_bytes *out = column->text + first;
    for (uint32_t i = 0; i < r.rows; i++, end += r.fields) {
        rask_bytes field = rk_csv_run_bytes(&r, chosen ? rk_csv_run_end(&r, i, w->field) : end);
        size_t len = field.len - (last && field.len && field.data[field.len - 1] == '\r');
        bool null = (nulls >> (len < 63 ? len : 63) & 1) & s->null_begins[(uint8_t)*field.data];
        out[i] = (rask_bytes){field.data, len};
        if (__builtin_expect(len && !null && (!quote || *field.data != quote), 1))
            continue;
        *status = convert_text(s, w, field, column, first + i);
        if (*status)
            return i;
    }
    return r.rows;
}

RK_PARSE_KERNEL static uint32_t convert_texts(rk_csv_scanner *s, const rk_csv_wanted *w,
                                              const rk_csv_run *run, rk_column *column, uint32_t first,
                                              int *status)
{
    return run->chosen ? convert_all_texts(s, w, *run, column, first, true, status)
                       : convert_all_texts(s, w, *run, column, first, false, status);
}

/* The fields of rows from … from + count - 1 of a run, as numbers.h takes them. */
static void load_words(const rk_csv_run *run, const rk_csv_wanted *w, uint32_t from, uint32_t count,
                       uint64_t *words, uint64_t *lens)
{
    const rk_csv_run r = *run;
    const uint32_t *end = r.ends + (size_t)from * r.fields + w->field;
    const bool last = w->last;
    for (uint32_t i = 0; i < count; i++, end += r.fields) {
        rask_bytes text = rk_csv_run_bytes(
            &r, __builtin_expect(!r.chosen, 1) ? end : rk_csv_run_end(&r, from + i, w->field));
        words[i] = rk_load64(text.data);
        lens[i] = text.len - (last && text.len && text.data[text.len - 1] == '\r');
    }
}

/* Rows from … to - 1 of a run, each of which is tried the short way first; up to which they are done. */
#define CONVERT(name, type, parse)                                                                           \
    RK_PARSE_KERNEL static uint32_t name(rk_csv_scanner *s, const rk_csv_wanted *w, const rk_csv_run *run,   \
                                         rk_column *column, uint32_t first, uint32_t from, uint32_t to)      \
    {                                                                                                        \
        const rk_csv_run r = *run;                                                                           \
        bool last = w->last;                                                                                 \
        type *out = (type *)column->data + first;                                                            \
        for (uint32_t i = from; i < to; i++) {                                                               \
            rask_bytes field = rk_csv_run_field(&r, rk_csv_run_row(&r, i), w->field);                        \
            size_t len = field.len - (last && field.len && field.data[field.len - 1] == '\r');               \
            bool direct = !(w->nulls_first & rk_csv_length_bit(len));                                        \
            if (__builtin_expect(direct && parse(field.data, len, &out[i]), 1))                              \
                continue;                                                                                    \
            if (!convert_value(s, w, field, column, first + i))                                              \
                return i;                                                                                    \
        }                                                                                                    \
        return to;                                                                                           \
    }
CONVERT(convert_integers, int64_t, rk_parse_i64_short)
#define PARSE_DOUBLE(data, len, out)                                                                         \
    (rk_parse_f64_short(data, len, out) || ((len) > 8 && rk_parse_f64_long(data, len, s->locale, out)))
CONVERT(convert_doubles, double, PARSE_DOUBLE)
CONVERT(convert_bools, uint8_t, rk_parse_bool)
CONVERT(convert_dates, int64_t, rk_parse_date)
CONVERT(convert_timestamps, int64_t, rk_parse_timestamp)

static uint32_t convert_one_by_one(rk_csv_scanner *s, const rk_csv_wanted *w, const rk_csv_run *run,
                                   rk_column *column, uint32_t first, uint32_t from, uint32_t to)
{
    switch (w->type) {
    case RASK_COL_BOOL: return convert_bools(s, w, run, column, first, from, to);
    case RASK_COL_I64: return convert_integers(s, w, run, column, first, from, to);
    case RASK_COL_F64: return convert_doubles(s, w, run, column, first, from, to);
    case RASK_COL_DATE: return convert_dates(s, w, run, column, first, from, to);
    default: return convert_timestamps(s, w, run, column, first, from, to);
    }
}

/* Count rows of numbers from row from on, many at once; a bit for each that was left out. */
static uint64_t convert_many(const rk_csv_wanted *w, const rk_csv_run *run, rk_column *column, uint32_t first,
                             uint32_t from, uint32_t count)
{
    uint64_t words[RK_NUMBERS], lens[RK_NUMBERS];
    load_words(run, w, from, count, words, lens);
    return w->type == RASK_COL_F64 ? rk_csv_doubles(words, lens, count, column->f64 + first + from)
                                   : rk_csv_integers(words, lens, count, column->i64 + first + from);
}

/* The rows from from on whose bits are set, one by one; up to which they are done: from + RK_NUMBERS when all are. */
static uint32_t convert_left(rk_csv_scanner *s, const rk_csv_wanted *w, const rk_csv_run *run,
                             rk_column *column, uint32_t first, uint32_t from, uint64_t left)
{
    while (left) {
        uint32_t at = (uint32_t)__builtin_ctzll(left);
        uint64_t behind = ~(left >> at);
        uint32_t to = behind ? at + (uint32_t)__builtin_ctzll(behind) : RK_NUMBERS;
        uint32_t done = convert_one_by_one(s, w, run, column, first, from + at, from + to);
        if (done < from + to)
            return done;
        left &= to < RK_NUMBERS ? UINT64_MAX << to : 0;
    }
    return from + RK_NUMBERS;
}

/* Most numbers are short. Where they are not, the rest of the run goes one by one. */
static uint32_t convert_numbers(rk_csv_scanner *s, const rk_csv_wanted *w, const rk_csv_run *run,
                                rk_column *column, uint32_t first)
{
    bool many = rk_csv_numbers_there() && !w->nulls_first;
    uint32_t i = 0;
    for (; many && i < run->rows; i += RK_NUMBERS) {
        uint32_t count = run->rows - i < RK_NUMBERS ? run->rows - i : RK_NUMBERS;
        uint64_t left = convert_many(w, run, column, first, i, count);
        uint32_t done = convert_left(s, w, run, column, first, i, left);
        if (done < i + RK_NUMBERS)
            return done;
        many = __builtin_popcountll(left) <= RK_NUMBERS / 2;
    }
    return i < run->rows ? convert_one_by_one(s, w, run, column, first, i, run->rows) : run->rows;
}

uint32_t rk_csv_convert(rk_csv_scanner *s, const rk_csv_wanted *wanted, const rk_csv_run *run,
                        rk_column *column, uint32_t first, int *status)
{
    assert(first + run->rows <= RK_BATCH_ROWS && column->type == wanted->type);
    switch (wanted->type) {
    case RASK_COL_TEXT: return convert_texts(s, wanted, run, column, first, status);
    case RASK_COL_I64:
    case RASK_COL_F64: return convert_numbers(s, wanted, run, column, first);
    default: return convert_one_by_one(s, wanted, run, column, first, 0, run->rows);
    }
}
