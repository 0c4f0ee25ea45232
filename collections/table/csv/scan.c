/* Design notes.
 *
 * A scan goes run by run: records that stand one behind the other and whose fields' ends are in the index. Most runs come
 * from the vectorised index, a strip of text at a time, as far as every record in it has the right number of fields.
 * Where that ends, or where the index was broken off, records are read byte by byte into the same index, and what is wrong
 * is found there: as many bytes that the index's work on what it could not use is paid for, whatever the text is like. The values of a run are converted column by column.
 *
 * Which error is reported does not depend on how the text is cut: it is the first record's that has one, and in it
 * malformed before misfit, and the column wanted first. */
#include "collections/table/csv/convert.h"
#include "collections/table/csv/index.h"
#include "collections/table/csv/parse.h"
#include "core/base/limits.h"

#include <assert.h>
#include <string.h>

enum {
    FIRST_STRIP = 16 << 10,
    MOST_STRIP = 1 << 20,
    BY_HAND = 32,
    COUNT_BY_HAND = 1024,
    WASTE = 4,
    INDEX_SLACK = 128
};

/* A call on its way. */
typedef struct scan {
    rk_csv_scanner *s;
    rk_csv_text t;
    size_t at;      /* bytes taken */
    uint64_t lines; /* newlines in them */
    uint64_t rows;
    size_t by_hand; /* records that begin before it are read byte by byte */
    rk_csv_error *error;
} scan;

/* Records found from at on. */
typedef struct found {
    uint32_t rows;
    size_t bytes;
    bool quoted;
} found;

/* Whether the short way to values of a type (convert.c) would take this text for one: of float64, words are left to the
 * long way, which looks for nulls first. */
static bool is_taken(const rk_csv_scanner *s, rask_column_type type, const char *text)
{
    enum { LONGEST_WORD = 8 }; /* infinity */
    int64_t value;
    char padded[RK_CSV_PADDING + 32] = {0};
    size_t len = strnlen(text, RK_CSV_PADDING);
    memcpy(padded, text, len);
    rk_csv_field field = rk_csv_trim((rk_csv_field){padded, len, false});
    bool word = type == RASK_COL_F64 && len <= LONGEST_WORD && !strpbrk(padded, "0123456789");
    return type == RASK_COL_TEXT ||
           (!word && field.len && rk_csv_parse(type, field.data, field.len, s->locale, &value));
}

static void want(rk_csv_scanner *s, uint32_t field, rk_csv_wanted *out)
{
    *out = (rk_csv_wanted){
        .field = field, .type = s->schema->types[field], .last = field + 1 == s->schema->count};
    for (size_t i = 0; i < s->format.null_count; i++)
        if (is_taken(s, out->type, s->format.nulls[i]))
            out->nulls_first |= rk_csv_length_bit(strlen(s->format.nulls[i]));
}

static int check_scanner(const rk_csv_format *format, const rk_csv_schema *schema, const uint32_t *wanted,
                         uint32_t wanted_count)
{
    if (!rk_csv_format_valid(format) || !schema->count)
        return RASK_EINVAL;
    for (uint32_t i = 0; i < wanted_count; i++)
        if (wanted[i] >= schema->count || (unsigned)schema->types[wanted[i]] >= RASK_COLUMN_TYPES)
            return RASK_EINVAL;
    return schema->count > RK_MAX_CSV_COLUMNS ? RASK_ELIMIT : RASK_OK;
}

/* An index for strips of this many bytes. */
static int make_index(rk_csv_scanner *s, size_t strip)
{
    size_t capacity = (strip > s->schema->count ? strip : s->schema->count) + INDEX_SLACK;
    uint32_t *index = rk_alloc_array(capacity, sizeof *index);
    if (!index)
        return RASK_ENOMEM;
    rk_free(s->index);
    *index = UINT32_MAX; /* one behind it is 0 */
    s->index = index;
    s->capacity = capacity - INDEX_SLACK;
    s->strip = strip;
    return RASK_OK;
}

int rk_csv_scanner_init(rk_csv_scanner *s, const rk_csv_format *format, const rk_csv_schema *schema,
                        const uint32_t *wanted, uint32_t wanted_count, rk_csv_policy policy)
{
    int status = check_scanner(format, schema, wanted, wanted_count);
    if (status)
        return status;
    rk_csv_scanner made = {
        .format = *format, .schema = schema, .policy = policy, .wanted_count = wanted_count};
    made.wanted = rk_calloc(wanted_count + (size_t)1, sizeof *made.wanted);
    made.locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    status = !made.wanted || !made.locale ? RASK_ENOMEM : make_index(&made, FIRST_STRIP);
    if (status) {
        rk_csv_scanner_fini(&made);
        return status;
    }
    for (uint32_t i = 0; i < wanted_count; i++)
        want(&made, wanted[i], &made.wanted[i]);
    *s = made;
    return RASK_OK;
}

void rk_csv_scanner_fini(rk_csv_scanner *s)
{
    rk_arena_fini(&s->unescaped);
    rk_free(s->wanted);
    rk_free(s->index);
    if (s->locale)
        freelocale(s->locale);
    *s = (rk_csv_scanner){0};
}

uint64_t rk_csv_lines(const rk_csv_scanner *s)
{
    return s->lines;
}

/* How many records from the first on have the right number of fields. All of them have when every so-manyth end is a
 * newline and there are no more newlines than that. */
static uint32_t count_regular(const char *text, const uint32_t *ends, rk_csv_extent x, uint32_t fields,
                              uint32_t most)
{
    size_t whole = x.ends / fields, rows = 0;
    while (rows < whole && text[ends[rows * fields + fields - 1]] == '\n')
        rows++;
    size_t limit = rows < most ? rows : most;
    if (rows == whole && x.newlines == whole)
        return (uint32_t)limit;
    for (size_t i = 0; i < limit * fields; i++)
        if (text[ends[i]] == '\n' && i % fields != fields - 1)
            return (uint32_t)(i / fields);
    return (uint32_t)limit;
}

/* Whole records in the next strip. None: read by hand. */
static int find_fast(scan *c, uint32_t most, found *out)
{
    rk_csv_scanner *s = c->s;
    uint32_t fields = s->schema->count;
    const char *text = c->t.text + c->at;
    for (;;) {
        size_t rest = c->t.len - c->at, len = rest < s->strip ? rest : s->strip;
        rk_csv_extent x = rk_csv_index(&s->format, text, len, s->index + 1, (size_t)most * fields);
        uint32_t rows = count_regular(text, s->index + 1, x, fields, most);
        bool irregular = x.broken || rows < (x.ends / fields < most ? x.ends / fields : most);
        if (rows)
            *out = (found){rows, (size_t)s->index[(size_t)rows * fields] + 1, x.quoted};
        if (irregular)
            c->by_hand = c->at + out->bytes + x.bytes / WASTE + 1;
        if (rows || irregular || len == rest || len == MOST_STRIP)
            return RASK_OK;
        int status = make_index(s, 2 * s->strip);
        if (status)
            return rk_csv_fail(c->error, status, c->lines, UINT32_MAX, "no memory for an index");
    }
}

static bool is_skipped(const scan *c, size_t at)
{
    bool part;
    return rk_csv_lines_skip(&c->s->format, &c->t, at, c->s->schema->count > 1, &part) || part;
}

/* The record at a place: 1 when it is there, 0 when the text ends before, -1 when something is wrong, which is told. */
static int find_record(scan *c, size_t at, uint32_t *ends, uint32_t fields, size_t *bytes, bool tell)
{
    rk_csv_record record;
    rk_csv_found result = rk_csv_record_read(&c->s->format, &c->t, at, c->at, ends, fields, &record);
    if (result == RK_CSV_PART)
        return 0;
    *bytes = record.bytes;
    if (result == RK_CSV_RECORD && (!fields || record.fields == fields))
        return 1;
    if (tell && result == RK_CSV_RECORD)
        rk_csv_fail_fields(c->error, c->lines, record.fields, fields);
    else if (tell)
        rk_csv_fail_record(c->error, result, c->lines, &c->t, at, &record);
    return -1;
}

/* A few records, byte by byte, as far as they are one behind the other and their ends have room; fields: 0 when their
 * number does not matter. None: the text ends before the first of them does. */
static int find_by_hand(scan *c, uint32_t fields, uint32_t most, found *out)
{
    rk_csv_scanner *s = c->s;
    size_t at = c->at, bytes = 0;
    uint32_t rows = 0;
    most = most < BY_HAND ? most : BY_HAND;
    while (rows < most && at < c->t.len && (rows + (size_t)1) * fields <= s->capacity &&
           at - c->at < MOST_STRIP) {
        if (rows && is_skipped(c, at))
            break;
        int is = find_record(c, at, s->index + 1 + (size_t)rows * fields, fields, &bytes, !rows);
        if (is < 0 && !rows)
            return c->error->status;
        if (is <= 0)
            break;
        at += bytes;
        rows++;
    }
    *out = (found){rows, at - c->at, true};
    return RASK_OK;
}

static int fail_value(scan *c, const rk_csv_wanted *w, const rk_csv_run *run, uint32_t row)
{
    char shown[48];
    rask_bytes bytes = rk_csv_run_field(run, row, w->field);
    rk_csv_field field = rk_csv_field_of(&c->s->format, bytes.data, bytes.len, w->last);
    size_t len = field.len < sizeof shown ? field.len : sizeof shown - 1;
    for (size_t i = 0; i < len; i++)
        shown[i] = (char)((unsigned char)field.data[i] < ' ' || field.data[i] == 127 ? '?' : field.data[i]);
    uint64_t line = c->lines + rk_csv_newlines(run->text, (size_t)(bytes.data - run->text));
    rk_csv_fail(c->error, RASK_EFORMAT, line, w->field, "column %u (%.100s): \"%.*s\"%s is no %s",
                w->field + 1, c->s->schema->names ? c->s->schema->names[w->field] : "", (int)len, shown,
                len < field.len ? "…" : "", rask_column_type_name(w->type));
    c->error->misfit = true;
    return RASK_EFORMAT;
}

/* The values of what was found. Of values that do not fit it is the first row's that counts. */
static int convert_run(scan *c, const found *f, rk_batch *batch)
{
    rk_csv_scanner *s = c->s;
    rk_csv_run run = {c->t.text + c->at, s->index + 1, s->schema->count, f->rows, f->quoted};
    const rk_csv_wanted *wrong = NULL;
    for (uint32_t i = 0; i < s->wanted_count; i++) {
        int status = RASK_OK;
        uint32_t done =
            rk_csv_convert(s, &s->wanted[i], &run, &batch->columns[i], (uint32_t)c->rows, &status);
        if (status)
            return rk_csv_fail(c->error, status, c->lines, s->wanted[i].field, "no memory for text");
        if (done < run.rows) {
            wrong = &s->wanted[i];
            run.rows = done;
        }
    }
    return wrong ? fail_value(c, wrong, &run, run.rows) : RASK_OK;
}

/* Goes over lines that are no records; false at the end, where no record begins. */
static bool skip_lines(scan *c, bool blanks)
{
    bool part;
    size_t bytes = rk_csv_lines_skip(&c->s->format, &c->t, c->at, blanks, &part);
    c->lines += bytes ? rk_csv_newlines(c->t.text + c->at, bytes) : 0;
    c->at += bytes;
    return !part && c->at < c->t.len;
}

static void step(scan *c, const found *f, uint64_t newlines)
{
    c->lines += newlines;
    c->at += f->bytes;
    c->rows += f->rows;
}

static int scan_records(scan *c, rk_batch *batch)
{
    while (c->rows < RK_BATCH_ROWS && skip_lines(c, c->s->schema->count > 1)) {
        found f = {0};
        uint32_t most = (uint32_t)(RK_BATCH_ROWS - c->rows);
        int status = c->at < c->by_hand ? RASK_OK : find_fast(c, most, &f);
        if (!status && !f.rows)
            status = find_by_hand(c, c->s->schema->count, most, &f);
        if (!status && f.rows)
            status = convert_run(c, &f, batch);
        if (status)
            return status;
        if (!f.rows)
            break;
        step(c, &f, f.quoted ? rk_csv_newlines(c->t.text + c->at, f.bytes) : f.rows);
    }
    return RASK_OK;
}

static void begin_batch(rk_csv_scanner *s, rk_batch *batch)
{
    assert(batch->count == s->wanted_count);
    rk_arena_fini(&s->unescaped);
    s->room_left = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->columns[i].nulls = false;
        memset(batch->columns[i].valid, 1, RK_BATCH_ROWS);
    }
}

int rk_csv_scan(rk_csv_scanner *s, const char *text, size_t len, bool last, rk_batch *batch, size_t *used,
                rk_csv_error *error)
{
    scan c = {.s = s, .t = {text, len, last}, .lines = s->lines, .error = error};
    begin_batch(s, batch);
    int status = scan_records(&c, batch);
    if (status)
        return status;
    s->lines = c.lines;
    batch->rows = (uint32_t)c.rows;
    *used = c.at;
    return RASK_OK;
}

int rk_csv_count(rk_csv_scanner *s, const char *text, size_t len, bool last, uint64_t *rows, size_t *used,
                 rk_csv_error *error)
{
    scan c = {.s = s, .t = {text, len, last}, .lines = s->lines, .error = error};
    while (skip_lines(&c, s->schema->count > 1)) {
        const char *from = text + c.at;
        rk_csv_extent x = {0};
        if (c.at >= c.by_hand)
            x = rk_csv_index_count(&s->format, from, len - c.at, s->schema->count > 1);
        if (x.broken)
            c.by_hand = c.at + x.bytes + COUNT_BY_HAND;
        if (x.newlines) {
            c.lines += x.quoted ? rk_csv_newlines(from, x.bytes) : x.newlines;
            c.at += x.bytes;
            c.rows += x.newlines;
            continue;
        }
        found f = {0};
        int status = find_by_hand(&c, 0, BY_HAND, &f);
        if (status)
            return status;
        if (!f.rows)
            break;
        step(&c, &f, rk_csv_newlines(from, f.bytes));
    }
    s->lines = c.lines;
    *rows = c.rows;
    *used = c.at;
    return RASK_OK;
}

/* Takes the header; *whole: it was there. */
static int skip_header(scan *c, bool *whole)
{
    found f = {0};
    *whole = false;
    if (!skip_lines(c, true))
        return RASK_OK;
    int status = find_by_hand(c, c->s->schema->count, 1, &f);
    if (status || !f.rows)
        return status;
    step(c, &f, rk_csv_newlines(c->t.text + c->at, f.bytes));
    *whole = true;
    return RASK_OK;
}

int rk_csv_skip_head(rk_csv_scanner *s, const char *text, size_t len, bool last, bool *whole, size_t *used,
                     rk_csv_error *error)
{
    size_t mark = rk_csv_mark(text, len);
    scan c = {.s = s, .t = {text, len, last}, .at = mark, .lines = s->lines, .error = error};
    bool found_all = last || len > 2;
    int status = s->format.header && found_all ? skip_header(&c, &found_all) : RASK_OK;
    if (status)
        return status;
    *whole = found_all || last;
    *used = *whole ? c.at : 0;
    s->lines = *whole ? c.lines : s->lines;
    return RASK_OK;
}
