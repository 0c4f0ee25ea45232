/* Random tables with all types, nulls, short and long texts, and results as bytes that can be compared. */
#ifndef RASK_TESTS_RANDOM_TABLE_H
#define RASK_TESTS_RANDOM_TABLE_H

#include "collections/table/column.h"

#include "../../failing_allocator.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TABLE_COLUMNS = 7, TEXT_ROOM = 48 };

static const rask_column_type table_types[TABLE_COLUMNS] = {RASK_COL_TEXT,     RASK_COL_I64,  RASK_COL_F64,
                                                            RASK_COL_BOOL,     RASK_COL_DATE, RASK_COL_F64,
                                                            RASK_COL_TIMESTAMP};
static const char *const table_names[TABLE_COLUMNS] = {"text", "int", "real", "bool", "date", "wide", "time"};

typedef struct random_table {
    uint32_t rows;
    rk_column columns[TABLE_COLUMNS];
    char *texts;
} random_table;

static uint64_t next_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* One of a few texts: empty, of every length up to 40, with bytes 0 and 255, alike but for the end. */
static rask_bytes random_text(char *room, uint64_t *state, uint32_t different)
{
    uint64_t which = next_random(state) % different;
    uint64_t seed = which;
    size_t len = next_random(&seed) % 41;
    memset(room, 'a', len);
    if (len > 2 && which % 3 == 0)
        room[len - 1] = (char)(which % 7 == 0 ? 0 : which % 5 == 0 ? 255 : 'a' + which % 26);
    if (len > 12 && which % 2)
        memcpy(room, &which, 2);
    return (rask_bytes){room, len};
}

static double random_real(uint64_t *state)
{
    static const double special[] = {0.0, -0.0, NAN, 1e300, -1e300, 0.25, -7, 1e-300};
    uint64_t r = next_random(state);
    return r % 16 < 2 ? special[r / 16 % 8] : (double)(int64_t)(r / 16 % 40) * 0.25 - 5;
}

static void random_value(rk_column *column, uint32_t row, char *room, uint64_t *state, uint32_t different,
                         int which)
{
    switch (column->type) {
    case RASK_COL_TEXT: column->text[row] = random_text(room, state, different); break;
    case RASK_COL_BOOL: column->boolean[row] = next_random(state) & 1; break;
    case RASK_COL_F64:
        column->f64[row] = which == 5
                               ? ldexp((double)(int64_t)next_random(state), (int)(next_random(state) % 90))
                               : random_real(state);
        break;
    default: column->i64[row] = (int64_t)(next_random(state) % different) - 20;
    }
}

/* Every ninth value is null, but in the column called wide. */
static random_table random_table_new(uint32_t rows, uint32_t different, uint64_t seed)
{
    random_table t = {.rows = rows, .texts = calloc(rows + 1, TEXT_ROOM)};
    for (int i = 0; i < TABLE_COLUMNS; i++) {
        rk_column *c = &t.columns[i];
        *c = (rk_column){.type = table_types[i], .nulls = i != 5};
        c->data = calloc(rows + 1, rk_column_size(c->type));
        c->valid = calloc(rows + 1, 1);
        for (uint32_t row = 0; row < rows; row++) {
            c->valid[row] = i == 5 || next_random(&seed) % 9 != 0;
            if (c->valid[row])
                random_value(c, row, t.texts + (size_t)row * TEXT_ROOM, &seed, different, i);
        }
    }
    return t;
}

static void random_table_free(random_table *t)
{
    for (int i = 0; i < TABLE_COLUMNS; i++) {
        free(t->columns[i].data);
        free(t->columns[i].valid);
    }
    free(t->texts);
}

/* Column i from a row on. */
static rk_column column_from(const random_table *t, uint32_t i, uint32_t row)
{
    rk_column c = t->columns[i];
    c.data = (char *)c.data + row * rk_column_size(c.type);
    c.valid += row;
    return c;
}

/* Bytes that grow. */
typedef struct text_bytes {
    char *data;
    size_t len, room;
} text_bytes;

static void put(text_bytes *out, const void *data, size_t len)
{
    if (out->len + len > out->room) {
        out->room = 2 * (out->len + len);
        out->data = realloc(out->data, out->room);
    }
    if (len)
        memcpy(out->data + out->len, data, len);
    out->len += len;
}

static void put_batch(text_bytes *out, const rk_batch *batch)
{
    for (uint32_t row = 0; row < batch->rows; row++) {
        for (uint32_t i = 0; i < batch->count; i++) {
            const rk_column *c = &batch->columns[i];
            uint8_t has = rk_column_has(c, row);
            put(out, &has, 1);
            if (c->type != RASK_COL_TEXT) {
                put(out, (const char *)c->data + row * rk_column_size(c->type), rk_column_size(c->type));
                continue;
            }
            put(out, &c->text[row].len, sizeof(size_t));
            put(out, c->text[row].data, c->text[row].len);
        }
    }
}

static inline void expect_same(const text_bytes *a, const text_bytes *b, const char *what)
{
    cr_assert_eq(a->len, b->len, "%s: %zu bytes, expected %zu", what, a->len, b->len);
    cr_assert(!a->len || memcmp(a->data, b->data, a->len) == 0, "%s: bytes differ", what);
}

/* < 0, 0, > 0 as order.h says, written down again. */
static inline int slow_compare(const rk_column *a, uint32_t i, const rk_column *b, uint32_t k,
                               bool descending)
{
    if (!rk_column_has(a, i) || !rk_column_has(b, k))
        return rk_column_has(b, k) - rk_column_has(a, i);
    int order = 0;
    if (a->type == RASK_COL_TEXT) {
        rask_bytes x = a->text[i], y = b->text[k];
        for (size_t at = 0; at < x.len && at < y.len && !order; at++)
            order = (unsigned char)x.data[at] - (unsigned char)y.data[at];
        if (!order)
            order = (x.len > y.len) - (x.len < y.len);
    } else if (a->type == RASK_COL_F64) {
        double x = a->f64[i], y = b->f64[k];
        if (isnan(x) || isnan(y))
            return !!isnan(x) - !!isnan(y);
        order = (x > y) - (x < y);
    } else if (a->type == RASK_COL_BOOL) {
        order = a->boolean[i] - b->boolean[k];
    } else {
        order = (a->i64[i] > b->i64[k]) - (a->i64[i] < b->i64[k]);
    }
    return descending ? -order : order;
}

#endif
