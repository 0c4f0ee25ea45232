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
    MOST_KEPT = 64 * RK_BATCH_ROWS, /* ends of fields, for late columns */
    INDEX_SLACK = 128
};

/* A run of a batch some of whose columns are late. */
struct rk_csv_kept {
    const char *text;
    size_t index; /* of the end before its first one */
    uint64_t lines;
    uint32_t first, rows;
    bool quoted;
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
    for (size_t i = 0; i < s->format.null_count; i++) {
        s->null_begins[(uint8_t)*s->format.nulls[i]] = true;
        if (is_taken(s, out->type, s->format.nulls[i]))
            out->nulls_first |= rk_csv_length_bit(strlen(s->format.nulls[i]));
    }
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

/* Ends that runs of a batch may take which are kept. */
static size_t most_kept(const rk_csv_scanner *s)
{
    return s->late ? s->most_rows * ((size_t)s->schema->count + 1) : 0;
}

/* An index for strips of this many bytes; what is kept in the one before stays. */
static int make_index(rk_csv_scanner *s, size_t strip)
{
    size_t capacity = (strip > s->schema->count ? strip : s->schema->count) + INDEX_SLACK;
    uint32_t *index = rk_alloc_array(most_kept(s) + capacity, sizeof *index);
    if (!index)
        return RASK_ENOMEM;
    if (s->kept)
        memcpy(index, s->index, s->kept * sizeof *index);
    rk_free(s->index);
    index[s->kept] = UINT32_MAX; /* one behind it is 0 */
    s->index = index;
    s->capacity = capacity - INDEX_SLACK;
    s->strip = strip;
    return RASK_OK;
}

/* Where the ends of the next run go, behind one for the end before the first. */
static uint32_t *next_ends(const rk_csv_scanner *s)
{
    return s->index + s->kept + 1;
}

static uint32_t late_rows(const rk_csv_schema *schema)
{
    uint32_t rows = MOST_KEPT / schema->count;
    return rows < 1 ? 1 : rows < RK_BATCH_ROWS ? rows : RK_BATCH_ROWS;
}

uint64_t rk_csv_late_bytes(const rk_csv_schema *schema)
{
    return late_rows(schema) * ((uint64_t)schema->count + 1) * sizeof(uint32_t) +
           RK_BATCH_ROWS * sizeof(struct rk_csv_kept);
}

int rk_csv_scanner_delay(rk_csv_scanner *s, const bool *late)
{
    assert(!s->late);
    s->late = rk_alloc_array(s->wanted_count + (size_t)1, sizeof *s->late);
    s->runs = rk_alloc_array(RK_BATCH_ROWS, sizeof *s->runs);
    if (!s->late || !s->runs)
        return RASK_ENOMEM;
    memcpy(s->late, late, s->wanted_count * sizeof *late);
    s->most_rows = late_rows(s->schema);
    return make_index(s, s->strip);
}

int rk_csv_scanner_init(rk_csv_scanner *s, const rk_csv_format *format, const rk_csv_schema *schema,
                        const uint32_t *wanted, uint32_t wanted_count, rk_csv_policy policy)
{
    int status = check_scanner(format, schema, wanted, wanted_count);
    if (status)
        return status;
    rk_csv_scanner made = {.format = *format,
                           .schema = schema,
                           .policy = policy,
                           .wanted_count = wanted_count,
                           .most_rows = RK_BATCH_ROWS};
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
    rk_free(s->runs);
    rk_free(s->late);
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
        uint32_t *ends = next_ends(s);
        size_t rest = c->t.len - c->at, len = rest < s->strip ? rest : s->strip;
        rk_csv_extent x = rk_csv_index(&s->format, text, len, ends, (size_t)most * fields);
        uint32_t rows = count_regular(text, ends, x, fields, most);
        bool irregular = x.broken || rows < (x.ends / fields < most ? x.ends / fields : most);
        if (rows)
            *out = (found){rows, (size_t)ends[(size_t)rows * fields - 1] + 1, x.quoted};
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
        int is = find_record(c, at, next_ends(s) + (size_t)rows * fields, fields, &bytes, !rows);
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

/* lines: before the run. */
static int fail_value(const rk_csv_scanner *s, const rk_csv_wanted *w, const rk_csv_run *run, uint32_t row,
                      uint64_t lines, rk_csv_error *error)
{
    char shown[48];
    rask_bytes bytes = rk_csv_run_field(run, rk_csv_run_row(run, row), w->field);
    rk_csv_field field = rk_csv_field_of(&s->format, bytes.data, bytes.len, w->last);
    size_t len = field.len < sizeof shown ? field.len : sizeof shown - 1;
    for (size_t i = 0; i < len; i++)
        shown[i] = (char)((unsigned char)field.data[i] < ' ' || field.data[i] == 127 ? '?' : field.data[i]);
    lines += rk_csv_newlines(run->text, (size_t)(bytes.data - run->text));
    rk_csv_fail(error, RASK_EFORMAT, lines, w->field, "column %u (%.100s): \"%.*s\"%s is no %s", w->field + 1,
                s->schema->names ? s->schema->names[w->field] : "", (int)len, shown,
                len < field.len ? "…" : "", rask_column_type_name(w->type));
    error->misfit = true;
    return RASK_EFORMAT;
}

/* The values of a run in the columns that are late, or in those that are not, from row first of the batch on. Of values that
 * do not fit it is the first row's that counts; *done: rows that are there. */
static int convert_run(rk_csv_scanner *s, const rk_csv_run *all, bool late, rk_batch *batch, uint32_t first,
                       uint64_t lines, uint32_t *done, rk_csv_error *error)
{
    rk_csv_run run = *all;
    const rk_csv_wanted *wrong = NULL;
    for (uint32_t i = 0; i < s->wanted_count; i++) {
        int status = RASK_OK;
        if ((s->late && s->late[i]) != late)
            continue;
        uint32_t rows = rk_csv_convert(s, &s->wanted[i], &run, &batch->columns[i], first, &status);
        if (status)
            return rk_csv_fail(error, status, lines, s->wanted[i].field, "no memory for text");
        if (rows < run.rows) {
            wrong = &s->wanted[i];
            run.rows = rows;
        }
    }
    *done = run.rows;
    return wrong ? fail_value(s, wrong, &run, run.rows, lines, error) : RASK_OK;
}

/* What was found becomes rows, and stays there for late columns. */
static int take_run(scan *c, const found *f, rk_batch *batch)
{
    rk_csv_scanner *s = c->s;
    rk_csv_run run = {c->t.text + c->at, next_ends(s), s->schema->count, f->rows, f->quoted, NULL};
    uint32_t first = (uint32_t)c->rows, done = 0;
    int status = convert_run(s, &run, false, batch, first, c->lines, &done, c->error);
    if (s->late && s->eager && !status) {
        rk_csv_policy policy = s->policy;
        s->policy = RK_CSV_NULL;
        status = convert_run(s, &run, true, batch, first, c->lines, &done, c->error);
        s->policy = policy;
    } else if (s->late) {
        s->runs[s->run_count++] =
            (struct rk_csv_kept){run.text, s->kept, c->lines, first, f->rows, f->quoted};
        s->kept += 1 + (size_t)f->rows * s->schema->count;
        s->index[s->kept] = UINT32_MAX;
    }
    if (status)
        c->rows += done;
    return status;
}

/* Those of the rows rows[0 … count - 1] that are in a run, by number in it, which go to chosen. */
static uint32_t choose_in_run(const struct rk_csv_kept *k, const uint32_t *rows, uint32_t count,
                              uint32_t *chosen)
{
    uint32_t n = 0;
    for (; n < count && rows[n] < k->first + k->rows; n++)
        chosen[n] = rows[n] - k->first;
    return n;
}

int rk_csv_fill(rk_csv_scanner *s, rk_batch *batch, const uint32_t *rows, uint32_t from, uint32_t count,
                uint32_t *done, rk_csv_error *error)
{
    uint32_t chosen[RK_BATCH_ROWS], r = 0;
    int status = RASK_OK;
    for (uint32_t i = from, n; i < count && !status; i += n) {
        while (rows[i] >= s->runs[r].first + s->runs[r].rows)
            r++;
        const struct rk_csv_kept *k = &s->runs[r];
        n = choose_in_run(k, rows + i, count - i, chosen);
        rk_csv_run run = {k->text,   s->index + k->index + 1,    s->schema->count, n,
                          k->quoted, n < k->rows ? chosen : NULL};
        uint32_t made = 0;
        status = convert_run(s, &run, true, batch, i, k->lines, &made, error);
        *done = i + made;
    }
    return status;
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
    while (c->rows < c->s->most_rows && skip_lines(c, c->s->schema->count > 1)) {
        found f = {0};
        uint32_t most = (uint32_t)(c->s->most_rows - c->rows);
        int status = c->at < c->by_hand ? RASK_OK : find_fast(c, most, &f);
        if (!status && !f.rows)
            status = find_by_hand(c, c->s->schema->count, most, &f);
        if (!status && f.rows)
            status = take_run(c, &f, batch);
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
    s->kept = s->run_count = 0;
    s->misfits = false;
    *s->index = UINT32_MAX;
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
    batch->rows = status == RASK_ENOMEM ? 0 : (uint32_t)c.rows;
    if (status)
        return status;
    s->lines = c.lines;
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
    int status = find_by_hand(c, 0, 1, &f);
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
