/* What tests of CSV share: text scanned in pieces, and what comes out written as text. */
#ifndef RASK_TESTS_CSV_SUPPORT_H
#define RASK_TESTS_CSV_SUPPORT_H

#include "collections/table/csv/csv.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const rk_csv_format plain_format = {.delimiter = ',', .quote = '"'};

/* A copy with nothing but the padding behind it, which looks like CSV. */
static inline char *padded(const char *text, size_t len)
{
    char *copy = malloc(len + RK_CSV_PADDING);
    cr_assert(copy);
    memcpy(copy, text, len);
    for (size_t i = 0; i < RK_CSV_PADDING; i++)
        copy[len + i] = "\n\",\r1"[i % 5];
    return copy;
}

typedef struct scanned {
    char *out; /* a line per row: i64 … as numbers, text in [ ], null as ~ */
    size_t len;
    uint64_t rows, lines;
    int status;
    rk_csv_error error;
} scanned;

static inline void print_value(FILE *out, const rk_column *c, uint32_t r)
{
    if (!rk_column_has(c, r)) {
        cr_assert(c->type == RASK_COL_TEXT   ? !c->text[r].len
                  : c->type == RASK_COL_BOOL ? !c->boolean[r]
                                             : !c->i64[r]);
        fputc('~', out);
    } else if (c->type == RASK_COL_TEXT) {
        fputc('[', out);
        fwrite(c->text[r].data, 1, c->text[r].len, out);
        fputc(']', out);
    } else if (c->type == RASK_COL_F64) {
        fprintf(out, "%.17g", c->f64[r]);
    } else if (c->type == RASK_COL_BOOL) {
        fprintf(out, "%d", c->boolean[r]);
    } else {
        fprintf(out, "%" PRId64, c->i64[r]);
    }
}

static inline void print_batch(FILE *out, const rk_batch *b)
{
    for (uint32_t r = 0; r < b->rows; r++)
        for (uint32_t c = 0; c < b->count; c++) {
            print_value(out, &b->columns[c], r);
            fputc(c + 1 < b->count ? ' ' : '\n', out);
        }
}

/* Goes over text as a reader does that sees cut more bytes of it whenever it needs some. */
static inline void scan_pieces(rk_csv_scanner *s, rk_batch *b, FILE *out, const char *text, size_t len,
                               size_t cut, scanned *to)
{
    size_t at = 0, end = 0;
    while (!to->status) {
        size_t used = SIZE_MAX;
        bool last = end == len;
        char *copy = padded(text + at, end - at);
        to->status = rk_csv_scan(s, copy, end - at, last, b, &used, &to->error);
        if (to->status)
            cr_assert_eq(used, SIZE_MAX);
        else
            print_batch(out, b);
        free(copy);
        if (to->status || (last && !used))
            break;
        cr_assert_leq(used, end - at);
        to->rows += b->rows;
        at += used;
        if (!used)
            end = len - end < cut ? len : end + cut;
    }
    cr_assert(to->status || at == len, "%zu of %zu bytes are taken", at, len);
}

static inline scanned scan_text(const rk_csv_format *f, const rk_csv_schema *schema, const uint32_t *wanted,
                                uint32_t count, rk_csv_policy policy, const char *text, size_t len,
                                size_t cut)
{
    scanned to = {0};
    rk_csv_scanner s;
    rk_batch b;
    rask_column_type types[64];
    for (uint32_t i = 0; i < count; i++)
        types[i] = schema->types[wanted[i]];
    cr_assert_eq(rk_csv_scanner_init(&s, f, schema, wanted, count, policy), RASK_OK);
    cr_assert_eq(rk_batch_init(&b, types, count), RASK_OK);
    FILE *out = open_memstream(&to.out, &to.len);
    scan_pieces(&s, &b, out, text, len, cut, &to);
    fclose(out);
    to.lines = rk_csv_lines(&s);
    rk_csv_scanner_fini(&s);
    rk_batch_fini(&b);
    return to;
}

/* A schema of columns whose types are letters: b, i, f, d, t (timestamp), s. Lives until the next call. */
static inline rk_csv_schema *schema_of(const char *letters)
{
    static rask_column_type types[64];
    static char *names[64];
    static rk_csv_schema schema;
    static const char *const all = "bifdts";
    schema = (rk_csv_schema){.count = (uint32_t)strlen(letters), .names = names, .types = types};
    for (uint32_t i = 0; i < schema.count; i++) {
        types[i] = (rask_column_type)(strchr(all, letters[i]) - all);
        names[i] = "name";
    }
    return &schema;
}

/* All columns in every way to cut the text, which must not matter. */
static inline scanned scan_every_way(const rk_csv_format *f, const char *letters, rk_csv_policy policy,
                                     const char *text, size_t len)
{
    const rk_csv_schema *schema = schema_of(letters);
    uint32_t wanted[64];
    for (uint32_t i = 0; i < 64; i++)
        wanted[i] = i;
    scanned all = scan_text(f, schema, wanted, schema->count, policy, text, len, len);
    for (size_t cut = 1; cut < len; cut++) {
        scanned one = scan_text(f, schema, wanted, schema->count, policy, text, len, cut);
        cr_assert_eq(one.status, all.status, "cut %zu: %d, not %d", cut, one.status, all.status);
        if (all.status) {
            cr_assert_str_eq(one.error.message, all.error.message);
            cr_assert_eq(one.error.line, all.error.line, "line %" PRIu64 ", not %" PRIu64, one.error.line,
                         all.error.line);
        } else {
            cr_assert(one.len == all.len && !memcmp(one.out, all.out, all.len), "cut %zu: %s, not %s", cut,
                      one.out, all.out);
            cr_assert_eq(one.lines, all.lines);
        }
        free(one.out);
    }
    return all;
}

#endif
