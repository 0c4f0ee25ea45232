#include "collections/table/csv/convert.h"

#include <string.h>

enum { LOOK_RECORDS = 64, LOOK_BYTES = 256 << 10, LOOK_FIELDS = 64, SNIFF_RECORDS = 64 };

typedef struct view {
    const rk_csv_format *format;
    const rk_csv_schema *schema;
    rk_csv_text t;
    locale_t locale;
} view;

/* Whether the first fields of a record are of their columns' types. */
static bool has_types(const view *v, const char *record, const uint32_t *index)
{
    uint64_t value;
    for (uint32_t i = 0; i < v->schema->count && i < LOOK_FIELDS; i++) {
        uint32_t begin = index[i] + 1;
        rk_csv_field field =
            rk_csv_field_of(v->format, record + begin, index[i + 1] - begin, i + 1 == v->schema->count);
        if (v->schema->types[i] == RASK_COL_TEXT || rk_csv_is_null(v->format, &field))
            continue;
        field = rk_csv_trim(field);
        if (field.len && !rk_csv_parse(v->schema->types[i], field.data, field.len, v->locale, &value))
            return false;
    }
    return true;
}

/* How well records go from at on: the number of good ones up to the first that is not, and more when there is none. */
static uint32_t judge(const view *v, size_t at)
{
    uint32_t index[LOOK_FIELDS + 1] = {UINT32_MAX}, good = 0;
    for (; good < LOOK_RECORDS; good++) {
        bool part;
        rk_csv_record record;
        at += rk_csv_lines_skip(v->format, &v->t, at, v->schema->count > 1, &part);
        if (part || at == v->t.len)
            break;
        rk_csv_found found = rk_csv_record_read(v->format, &v->t, at, at, index + 1, LOOK_FIELDS, &record);
        if (found == RK_CSV_PART)
            break;
        if (found != RK_CSV_RECORD || record.fields != v->schema->count ||
            !has_types(v, v->t.text + at, index))
            return good;
        at += record.bytes;
    }
    return good ? good + LOOK_RECORDS : 0;
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

/* … when it begins where a field does. */
static size_t begin_field(const rk_csv_format *f, const rk_csv_text *t)
{
    rk_csv_record record;
    return rk_csv_record_read(f, t, 0, 0, NULL, 0, &record) == RK_CSV_RECORD ? record.bytes : t->len;
}

size_t rk_csv_resume(const rk_csv_format *format, const rk_csv_schema *schema, const char *text, size_t len)
{
    view v = {format, schema, {text, len < LOOK_BYTES ? len : LOOK_BYTES, false}, (locale_t)0};
    size_t places[3], count = 0, best = 0;
    uint32_t most = 0;
    v.locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    places[count++] = begin_outside(format, &v.t);
    if (format->quote && len && *text == format->quote)
        places[count++] = begin_field(format, &v.t);
    if (format->quote)
        places[count++] = begin_inside(format, &v.t);
    for (size_t i = 0; v.locale && i < count; i++) {
        uint32_t good = judge(&v, places[i]);
        best = good > most ? i : best;
        most = good > most ? good : most;
    }
    if (v.locale)
        freelocale(v.locale);
    return places[best] < v.t.len ? places[best] : len;
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
