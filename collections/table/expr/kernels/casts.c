/* From one type to another. What has no value there is null. */
#include "collections/table/expr/kernels/loops.h"
#include "collections/table/value_text.h"
#include "core/base/print.h"

#include <string.h>

RK_MAP(cast_i64_f64, double, int64_t, (double)a)
RK_MAP(cast_bool_i64, int64_t, uint8_t, a)
RK_MAP(cast_i64_bool, uint8_t, int64_t, a != 0)
RK_MAP(cast_f64_bool, uint8_t, double, a != 0)

/* Cut off towards 0. */
int rk_expr_cast_f64_i64(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++) {
        double a = c->in[0]->f64[rk_row(c, 0, i)];
        bool fits = a >= -0x1p63 && a < 0x1p63;
        c->out->i64[i] = fits ? (int64_t)a : 0;
        if (!fits)
            rk_expr_null(c, i);
    }
    return RASK_OK;
}

int rk_expr_cast_date_timestamp(const rk_expr_call *c)
{
    for (uint32_t i = 0; i < c->rows; i++) {
        if (__builtin_mul_overflow(c->in[0]->i64[rk_row(c, 0, i)], RK_DAY_MICROSECONDS, &c->out->i64[i]))
            rk_expr_null(c, i);
    }
    return RASK_OK;
}

/* --- from text */

#define PARSE(name, member, read)                                                                            \
    int rk_expr_##name(const rk_expr_call *c)                                                                \
    {                                                                                                        \
        for (uint32_t i = 0; i < c->rows; i++) {                                                             \
            c->out->member[i] = 0;                                                                           \
            if (!read(c->in[0]->text[rk_row(c, 0, i)], &c->out->member[i]))                                  \
                rk_expr_null(c, i);                                                                          \
        }                                                                                                    \
        return RASK_OK;                                                                                      \
    }
PARSE(parse_i64, i64, rk_text_i64)
PARSE(parse_f64, f64, rk_text_f64)
PARSE(parse_bool, boolean, rk_text_bool)
PARSE(parse_date, i64, rk_text_date)
PARSE(parse_timestamp, i64, rk_text_timestamp)

/* --- to text */

enum { ROW_TEXT = 64 };

/* The text of a row's value; 0: it has none. */
typedef size_t row_text(const rk_column *in, uint32_t row, char out[ROW_TEXT]);

static int write_rows(const rk_expr_call *c, row_text *write)
{
    char text[ROW_TEXT];
    int status = RASK_OK;
    for (uint32_t i = 0; i < c->rows; i++) {
        size_t len = write(c->in[0], rk_row(c, 0, i), text);
        c->out->text[i] = (rask_bytes){0};
        if (!len) {
            rk_expr_null(c, i);
            continue;
        }
        char *kept = rk_expr_text_alloc(c->run, len, &status);
        if (!kept)
            return status;
        memcpy(kept, text, len);
        c->out->text[i] = (rask_bytes){kept, len};
    }
    return status;
}

static size_t i64_text(const rk_column *in, uint32_t row, char out[ROW_TEXT])
{
    int64_t value = in->i64[row];
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    size_t at = ROW_TEXT;
    do
        out[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        out[--at] = '-';
    memmove(out, out + at, ROW_TEXT - at);
    return ROW_TEXT - at;
}

static size_t f64_text(const rk_column *in, uint32_t row, char out[ROW_TEXT])
{
    _Static_assert((int)ROW_TEXT >= (int)RK_F64_TEXT, "room for a float");
    return rk_f64_text(in->f64[row], out);
}

static size_t bool_text(const rk_column *in, uint32_t row, char out[ROW_TEXT])
{
    memcpy(out, in->boolean[row] ? "true" : "false", 5);
    return in->boolean[row] ? 4 : 5;
}

static void add_date(rk_print *out, int64_t days)
{
    rk_date date = rk_date_of(days);
    rk_print_add(out, "%s%04lld-%02u-%02u", date.year < 0 ? "-" : "",
                 (long long)(date.year < 0 ? -date.year : date.year), date.month, date.day);
}

static size_t date_text(const rk_column *in, uint32_t row, char text[ROW_TEXT])
{
    rk_print out = {.buffer = text, .capacity = ROW_TEXT};
    int64_t days = in->i64[row];
    if (days >= -RK_MAX_DATE && days <= RK_MAX_DATE)
        add_date(&out, days);
    return out.len;
}

/* With as much of a fraction as there is: none, milliseconds or microseconds. */
static size_t timestamp_text(const rk_column *in, uint32_t row, char text[ROW_TEXT])
{
    rk_print out = {.buffer = text, .capacity = ROW_TEXT};
    int64_t value = in->i64[row], micros = value % RK_DAY_MICROSECONDS;
    micros += micros < 0 ? RK_DAY_MICROSECONDS : 0;
    unsigned seconds = (unsigned)(micros / 1000000), fraction = (unsigned)(micros % 1000000);
    add_date(&out, value / RK_DAY_MICROSECONDS - (value % RK_DAY_MICROSECONDS < 0));
    rk_print_add(&out, " %02u:%02u:%02u", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (fraction % 1000)
        rk_print_add(&out, ".%06u", fraction);
    else if (fraction)
        rk_print_add(&out, ".%03u", fraction / 1000);
    return out.len;
}

int rk_expr_str_i64(const rk_expr_call *c)
{
    return write_rows(c, i64_text);
}

int rk_expr_str_f64(const rk_expr_call *c)
{
    return write_rows(c, f64_text);
}

int rk_expr_str_bool(const rk_expr_call *c)
{
    return write_rows(c, bool_text);
}

int rk_expr_str_date(const rk_expr_call *c)
{
    return write_rows(c, date_text);
}

int rk_expr_str_timestamp(const rk_expr_call *c)
{
    return write_rows(c, timestamp_text);
}
