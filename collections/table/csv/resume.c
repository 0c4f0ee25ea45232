#include "collections/table/csv/record.h"

#include <string.h>

enum { LOOK_RECORDS = 64, LOOK_BYTES = 256 << 10, SNIFF_RECORDS = 64 };

/* How well records go from at on: those that have the right number of fields; *wrong: one has not. */
static uint32_t judge(const rk_csv_format *f, const rk_csv_text *t, size_t at, uint32_t fields, bool *wrong)
{
    uint32_t good = 0;
    *wrong = false;
    for (; good < LOOK_RECORDS; good++) {
        bool part;
        rk_csv_record record;
        at += rk_csv_lines_skip(f, t, at, fields > 1, &part);
        if (part || at == t->len)
            break;
        rk_csv_found found = rk_csv_record_read(f, t, at, at, NULL, 0, &record);
        if (found == RK_CSV_PART)
            break;
        *wrong = found != RK_CSV_RECORD || record.fields != fields;
        if (*wrong)
            break;
        at += record.bytes;
    }
    return good;
}

/* Where the first record begins when text begins outside of quotes, in the middle of a field. */
static size_t begin_outside(const rk_csv_format *f, const rk_csv_text *t)
{
    rk_csv_record record;
    size_t i = 0;
    while (i < t->len && t->text[i] != f->delimiter && t->text[i] != '\n')
        i++;
    if (i == t->len || t->text[i] == '\n')
        return i + (i < t->len);
    rk_csv_found found = rk_csv_record_read(f, t, i + 1, i + 1, NULL, 0, &record);
    return found == RK_CSV_RECORD ? i + 1 + record.bytes : t->len;
}

/* … when it begins within quotes: behind the first one that closes the record goes on. */
static size_t begin_inside(const rk_csv_format *f, const rk_csv_text *t)
{
    size_t i = 0;
    for (;; i += 2) {
        const char *quote = memchr(t->text + i, f->quote, t->len - i);
        if (!quote)
            return t->len;
        i = (size_t)(quote - t->text);
        if (i + 1 >= t->len || t->text[i + 1] != f->quote)
            break;
    }
    i++;
    rk_csv_text rest = {t->text + i, t->len - i, t->last};
    if (rest.len && *rest.text != f->delimiter && *rest.text != '\n' && *rest.text != '\r')
        return t->len;
    return i + begin_outside(f, &rest);
}

size_t rk_csv_resume(const rk_csv_format *format, const rk_csv_schema *schema, const char *text, size_t len)
{
    rk_csv_text t = {text, len < LOOK_BYTES ? len : LOOK_BYTES, false};
    bool wrong = false, other_wrong;
    size_t outside = begin_outside(format, &t);
    uint32_t good = judge(format, &t, outside, schema->count, &wrong);
    if (format->quote && (wrong || !good)) {
        size_t inside = begin_inside(format, &t);
        uint32_t other = judge(format, &t, inside, schema->count, &other_wrong);
        if (inside < t.len && (other > good || (other == good && wrong && !other_wrong)))
            outside = inside;
    }
    return outside < t.len ? outside : len;
}

/* Fields of each of the first records, when they have the same number; else 0. */
static uint64_t common_fields(const rk_csv_format *f, const rk_csv_text *t)
{
    uint64_t fields = 0;
    bool part;
    size_t at = rk_csv_mark(t->text, t->len);
    for (int i = 0; i < SNIFF_RECORDS; i++) {
        rk_csv_record record;
        at += rk_csv_lines_skip(f, t, at, true, &part);
        rk_csv_found found =
            part || at == t->len ? RK_CSV_PART : rk_csv_record_read(f, t, at, at, NULL, 0, &record);
        if (found == RK_CSV_PART)
            break;
        if (found != RK_CSV_RECORD || (fields && record.fields != fields))
            return 0;
        fields = record.fields;
        at += record.bytes;
    }
    return fields;
}

char rk_csv_sniff_delimiter(const rk_csv_format *format, rask_bytes sample)
{
    static const char delimiters[] = {',', ';', '\t', '|'};
    rk_csv_text t = {sample.data, sample.len, false};
    uint64_t most = 1;
    char best = ',';
    for (size_t i = 0; i < sizeof delimiters; i++) {
        rk_csv_format f = *format;
        f.delimiter = delimiters[i];
        uint64_t fields = rk_csv_format_valid(&f) ? common_fields(&f, &t) : 0;
        if (fields > most) {
            most = fields;
            best = f.delimiter;
        }
    }
    return best;
}
