#include "collections/table/csv/convert.h"
#include "collections/table/csv/guess.h"
#include "collections/table/csv/index.h"
#include "core/base/limits.h"
#include "core/json/json.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum { NAME_ROOM = 16 }; /* of a number behind a name */

/* In which types are preferred; text comes behind them. */
static const rask_column_type order[] = {RASK_COL_I64, RASK_COL_F64, RASK_COL_BOOL, RASK_COL_DATE,
                                         RASK_COL_TIMESTAMP};
enum { TYPES = sizeof order / sizeof *order };

/* Names that are taken, by hash: places of names from 1 on, 0: free. */
typedef struct names {
    char **list;
    uint32_t count;
    uint32_t *table, *next; /* next: the number to try when a name comes again */
    size_t mask;
} names;

typedef struct inference {
    const rk_csv_format *format;
    rk_csv_error *error;
    uint32_t fields;
    uint32_t *index; /* with one before the first end */
    rk_csv_guess *guesses;
    names names;
    locale_t locale;
    bool rest; /* there are records that were not looked at */
    size_t sample;
    struct search *searches;       /* by column; NULL: types are learned */
    const rask_column_type *types; /* with searches, which are in text alone */
} inference;

/* For values that a column has few of: how many there are, how many of each type, and the first that is not of it. */
typedef struct search {
    uint64_t seen, of[RASK_COL_TEXT];
    rk_csv_odd first[RASK_COL_TEXT];
} search;

static int fail_memory(rk_csv_error *error)
{
    return rk_csv_fail(error, RASK_ENOMEM, 0, UINT32_MAX, "no memory for a schema");
}

static uint32_t *names_find(const names *n, const char *name)
{
    size_t i = XXH3_64bits(name, strlen(name)) & n->mask;
    while (n->table[i] && strcmp(n->list[n->table[i] - 1], name))
        i = (i + 1) & n->mask;
    return &n->table[i];
}

/* Takes name, which becomes the list's; or another one, when it is taken. */
static int names_add(names *n, char *name)
{
    uint32_t *at = names_find(n, name);
    if (*at) {
        size_t room = strlen(name) + NAME_ROOM;
        char *numbered = rk_alloc(room);
        uint32_t *number = &n->next[*at - 1];
        for (; numbered && *at; at = names_find(n, numbered))
            snprintf(numbered, room, "%s_%u", name, ++*number);
        rk_free(name);
        name = numbered;
    }
    if (!name)
        return RASK_ENOMEM;
    n->next[n->count] = 1;
    n->list[n->count++] = name;
    *at = n->count;
    return RASK_OK;
}

static int names_init(names *n, uint32_t most)
{
    size_t size = 4;
    while (size < 2 * (size_t)most)
        size *= 2;
    n->mask = size - 1;
    n->list = rk_calloc(most, sizeof *n->list);
    n->table = rk_calloc(size, sizeof *n->table);
    n->next = rk_calloc(most, sizeof *n->next);
    return n->list && n->table && n->next ? RASK_OK : RASK_ENOMEM;
}

static rk_csv_field field_of(const inference *f, const char *record, uint32_t i)
{
    uint32_t begin = f->index[i] + 1;
    return rk_csv_field_of(f->format, record + begin, f->index[i + 1] - begin, i + 1 == f->fields);
}

static int fail_name(rk_csv_error *error, uint64_t line, uint32_t column)
{
    rk_csv_fail(error, RASK_EFORMAT, line, UINT32_MAX, "the name of column %u has a NUL byte", column + 1);
    error->advice = ": it is no text, or in UTF-16, which iconv -f UTF-16 -t UTF-8 converts";
    return RASK_EFORMAT;
}

/* record: the header, or NULL; line: where it is. */
static int name_columns(inference *f, const char *record, uint64_t line)
{
    for (uint32_t i = 0; i < f->fields; i++) {
        rk_csv_field field = record ? field_of(f, record, i) : (rk_csv_field){0};
        char numbered[32];
        if (!field.len)
            field = (rk_csv_field){numbered, (size_t)snprintf(numbered, sizeof numbered, "column_%u", i + 1),
                                   false};
        if (memchr(field.data, 0, field.len))
            return fail_name(f->error, line, i);
        char *name = rk_strndup(field.data, field.len);
        if (name && field.quoted)
            name[rk_csv_unescape(f->format->quote, field.data, field.len, name)] = 0;
        if (!name || names_add(&f->names, name))
            return fail_memory(f->error);
    }
    return RASK_OK;
}

/* Whether field is of a type: integers of int64 are of float64, too. */
static void narrow(rk_csv_guess *g, rk_csv_field field, locale_t c)
{
    enum { NUMBERS = 1 << RASK_COL_I64 | 1 << RASK_COL_F64 };
    uint64_t value;
    if (g->types >> RASK_COL_I64 & 1 && rk_csv_parse(RASK_COL_I64, field.data, field.len, c, &value)) {
        g->types &= NUMBERS;
        return;
    }
    g->types &= (uint8_t) ~(1 << RASK_COL_I64);
    for (int type = 0; type < RASK_COL_TEXT; type++)
        if (g->types >> type & 1 && !rk_csv_parse((rask_column_type)type, field.data, field.len, c, &value))
            g->types &= (uint8_t) ~(1 << type);
}

void rk_csv_guess_value(rk_csv_guess *guess, rk_csv_field field, locale_t c)
{
    guess->some |= field.len || field.quoted;
    field = rk_csv_trim(field);
    if (!field.len)
        return;
    guess->seen = true;
    if (guess->types)
        narrow(guess, field, c);
}

static void learn(const inference *f, rk_csv_guess *g, rk_csv_field field)
{
    if (!rk_csv_is_null(f->format, &field))
        rk_csv_guess_value(g, field, f->locale);
}

/* As much of a value as there is room for, in whole characters. */
static void show(rk_csv_field value, char *out, size_t room)
{
    const char *at = value.data, *end = at + value.len;
    for (size_t used = 0; at < end;) {
        size_t len = rk_utf8_length(at, end);
        bool plain = len > 1 || (len && *at >= ' ' && *at != 0x7f);
        if (used + (plain ? len : sizeof "\\x1b" - 1) >= room)
            return;
        used += (size_t)(plain ? snprintf(out + used, room - used, "%.*s", (int)len, at)
                               : snprintf(out + used, room - used, "\\x%02x", (unsigned char)*at));
        at += plain ? len : 1;
    }
}

static void search_in(search *s, const inference *f, rk_csv_field field, size_t at)
{
    rk_csv_guess guess = {.types = RK_CSV_ANY_TYPE};
    rk_csv_field trimmed = rk_csv_trim(field);
    if (!trimmed.len || rk_csv_is_null(f->format, &field))
        return;
    rk_csv_guess_value(&guess, field, f->locale);
    s->seen++;
    for (int type = 0; type < RASK_COL_TEXT; type++) {
        if (guess.types >> type & 1) {
            s->of[type]++;
        } else if (s->of[type] + 1 == s->seen) {
            s->first[type] = (rk_csv_odd){(rask_column_type)type, f->sample, at, ""};
            show(trimmed, s->first[type].text, sizeof s->first[type].text);
        }
    }
}

static void learn_record(inference *f, const rk_csv_text *t, size_t at)
{
    for (uint32_t i = 0; i < f->fields; i++) {
        if (f->searches && f->types[i] == RASK_COL_TEXT)
            search_in(&f->searches[i], f, field_of(f, t->text + at, i), at);
        else if (!f->searches && f->guesses[i].types)
            learn(f, &f->guesses[i], field_of(f, t->text + at, i));
    }
}

/* The records of t from at on. A malformed one ends them; when strict, it is an error. */
static int learn_records(inference *f, const rk_csv_text *t, size_t at, bool strict)
{
    for (;;) {
        bool part;
        rk_csv_record record;
        at += rk_csv_lines_skip(f->format, t, at, f->fields > 1, &part);
        f->rest |= part;
        if (part || at == t->len)
            return RASK_OK;
        rk_csv_found found = rk_csv_record_read(f->format, t, at, at, f->index + 1, f->fields, &record);
        bool wrong = found != RK_CSV_RECORD || record.fields != f->fields;
        f->rest |= wrong;
        if (wrong && (found == RK_CSV_PART || !strict))
            return RASK_OK;
        uint64_t line = wrong ? rk_csv_newlines(t->text, at) : 0;
        if (wrong)
            return found == RK_CSV_RECORD ? rk_csv_fail_fields(f->error, line, record.fields, f->fields)
                                          : rk_csv_fail_record(f->error, found, line, t, at, &record);
        learn_record(f, t, at);
        at += record.bytes;
    }
}

static int inference_init(inference *f, uint64_t fields)
{
    if (fields > RK_MAX_CSV_COLUMNS)
        return rk_csv_fail(f->error, RASK_ELIMIT, 0, UINT32_MAX, "more than %u columns", RK_MAX_CSV_COLUMNS);
    f->fields = (uint32_t)fields;
    f->index = rk_alloc_array(fields + 1, sizeof *f->index);
    f->guesses = rk_alloc_array(fields, sizeof *f->guesses);
    f->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!f->index || !f->guesses || !f->locale || names_init(&f->names, f->fields))
        return fail_memory(f->error);
    *f->index = UINT32_MAX;
    for (uint32_t i = 0; i < f->fields; i++)
        f->guesses[i] = (rk_csv_guess){.types = RK_CSV_ANY_TYPE};
    return RASK_OK;
}

static void inference_fini(inference *f)
{
    for (uint32_t i = 0; i < f->names.count; i++)
        rk_free(f->names.list[i]);
    rk_free(f->names.list);
    rk_free(f->names.table);
    rk_free(f->names.next);
    rk_free(f->index);
    rk_free(f->guesses);
    if (f->locale)
        freelocale(f->locale);
}

bool rk_csv_has_record(const rk_csv_format *format, const char *text, size_t len, bool last)
{
    const rk_csv_text t = {text, len, last};
    bool part;
    size_t at = rk_csv_mark(text, len);
    at += rk_csv_lines_skip(format, &t, at, true, &part);
    return !part && at < len;
}

/* Names from the first record, which says how many columns there are. *behind: where the rows begin. */
static int learn_first(inference *f, const rk_csv_text *t, size_t *behind)
{
    bool part;
    rk_csv_record record;
    size_t at = rk_csv_mark(t->text, t->len);
    at += rk_csv_lines_skip(f->format, t, at, true, &part);
    rk_csv_found found =
        part || at == t->len ? RK_CSV_PART : rk_csv_record_read(f->format, t, at, at, NULL, 0, &record);
    uint64_t line = rk_csv_newlines(t->text, at);
    if (found == RK_CSV_PART)
        return rk_csv_fail(f->error, RASK_EFORMAT, line, UINT32_MAX, "no record in the first %zu bytes",
                           t->len);
    if (found != RK_CSV_RECORD)
        return rk_csv_fail_record(f->error, found, line, t, at, &record);
    int status = inference_init(f, record.fields);
    if (status)
        return status;
    rk_csv_record_read(f->format, t, at, at, f->index + 1, f->fields, &record);
    *behind = f->format->header ? at + record.bytes : at;
    return name_columns(f, f->format->header ? t->text + at : NULL, line);
}

rask_column_type rk_csv_guess_type(rk_csv_guess guess)
{
    for (size_t i = 0; guess.seen && i < TYPES; i++)
        if (guess.types >> order[i] & 1)
            return order[i];
    return RASK_COL_TEXT;
}

static int make_schema(inference *f, rk_csv_schema *out)
{
    rask_column_type *types = rk_alloc_array(f->fields, sizeof *types);
    bool *empty = rk_alloc_array(f->fields, sizeof *empty);
    if (!types || !empty) {
        rk_free(types);
        rk_free(empty);
        return fail_memory(f->error);
    }
    for (uint32_t i = 0; i < f->fields; i++) {
        types[i] = rk_csv_guess_type(f->guesses[i]);
        empty[i] = !f->guesses[i].some;
    }
    *out = (rk_csv_schema){f->fields, f->names.list, types, empty, !f->rest};
    f->names.list = NULL;
    f->names.count = 0;
    return RASK_OK;
}

int rk_csv_infer(const rk_csv_format *format, const rask_bytes *samples, size_t count, bool last,
                 rk_csv_schema *out, rk_csv_error *error)
{
    inference f = {.format = format, .error = error};
    if (!count || !rk_csv_format_valid(format))
        return rk_csv_fail(error, RASK_EINVAL, 0, UINT32_MAX,
                           "no sample, or delimiter, quote and comment do not fit");
    size_t at = 0;
    int status = RASK_OK;
    for (size_t i = 0; !status && i < count; i++) {
        rk_csv_text t = {samples[i].data, samples[i].len, last && i + 1 == count};
        status = i ? RASK_OK : learn_first(&f, &t, &at);
        if (!status)
            status = learn_records(&f, &t, i ? 0 : at, !i);
    }
    if (!status)
        status = make_schema(&f, out);
    inference_fini(&f);
    return status;
}

/* Integers are of float64, too: they are the type of most values only where there are no others. */
static rk_csv_odd odd_of(const search *s)
{
    rask_column_type most = order[0];
    for (size_t i = 1; i < TYPES; i++)
        most = s->of[order[i]] > s->of[most] ? order[i] : most;
    bool found = s->of[most] < s->seen && 3 * s->of[most] >= 2 * s->seen;
    return found ? s->first[most] : (rk_csv_odd){.type = RASK_COL_TEXT};
}

int rk_csv_find_odds(const rk_csv_format *format, const rask_bytes *samples, size_t count,
                     const rk_csv_schema *schema, rk_csv_odd *out)
{
    rk_csv_error error = {0};
    inference f = {.format = format, .error = &error, .types = schema->types};
    search *searches = rk_calloc(schema->count, sizeof *searches);
    size_t at = 0;
    int status = searches ? RASK_OK : RASK_ENOMEM;
    for (; f.sample < count && !status; f.sample++) {
        rk_csv_text t = {samples[f.sample].data, samples[f.sample].len, false};
        status = f.sample ? RASK_OK : learn_first(&f, &t, &at);
        f.searches = searches;
        if (!status && f.fields == schema->count)
            status = learn_records(&f, &t, f.sample ? 0 : at, false);
    }
    inference_fini(&f);
    for (uint32_t i = 0; !status && i < schema->count; i++)
        out[i] = odd_of(&searches[i]);
    rk_free(searches);
    return status;
}

static bool has_name(const rk_csv_schema *schema, const char *name)
{
    for (uint32_t i = 0; i < schema->count; i++)
        if (!strcmp(schema->names[i], name))
            return true;
    return false;
}

/* Tells of the first column in which two schemas differ. */
static int compare_names(const rk_csv_schema *own, const rk_csv_schema *other, uint64_t line,
                         const char *first, rk_csv_error *error)
{
    uint32_t i = 0;
    while (i < own->count && i < other->count && !strcmp(own->names[i], other->names[i]))
        i++;
    if (i == own->count && i == other->count)
        return RASK_OK;
    if (i < own->count && !has_name(other, own->names[i]))
        return rk_csv_fail(error, RASK_EFORMAT, line, i,
                           "the header has no column \"%.80s\", which %.80s has", own->names[i], first);
    if (i < other->count && !has_name(own, other->names[i]))
        return rk_csv_fail(error, RASK_EFORMAT, line, i,
                           "the header has a column \"%.80s\", which %.80s has not", other->names[i], first);
    return rk_csv_fail(
        error, RASK_EFORMAT, line, i,
        "the header has the columns in another order than %.80s: column %u is \"%.80s\", not \"%.80s\"",
        first, i + 1, i < other->count ? other->names[i] : "", i < own->count ? own->names[i] : "");
}

int rk_csv_rows_begin(const rk_csv_format *format, const rk_csv_schema *schema, const char *text, size_t len,
                      bool last, size_t *begin)
{
    rk_csv_error error = {0};
    inference f = {.format = format, .error = &error};
    rk_csv_text t = {text, len, last};
    int status = learn_first(&f, &t, begin);
    const rk_csv_schema own = {.count = f.fields, .names = f.names.list};
    if (!status && format->header)
        status = compare_names(schema, &own, 0, "", &error);
    else if (!status && f.fields != schema->count)
        status = RASK_EFORMAT;
    inference_fini(&f);
    return status;
}

int rk_csv_check_head(const rk_csv_scanner *s, const char *text, size_t len, const char *first,
                      rk_csv_error *error)
{
    inference f = {.format = &s->format, .error = error};
    rk_csv_text t = {text, len, true};
    size_t behind = rk_csv_mark(text, len);
    bool part;
    behind += rk_csv_lines_skip(f.format, &t, behind, true, &part);
    if (behind == len || !f.format->header || !s->schema->names)
        return RASK_OK;
    uint64_t line = rk_csv_newlines(text, behind);
    int status = learn_first(&f, &t, &behind);
    if (!status && f.names.list)
        status = compare_names(s->schema, &(rk_csv_schema){.count = f.fields, .names = f.names.list}, line,
                               first, error);
    inference_fini(&f);
    return status;
}

void rk_csv_schema_fini(rk_csv_schema *schema)
{
    for (uint32_t i = 0; i < schema->count; i++)
        rk_free(schema->names[i]);
    rk_free(schema->names);
    rk_free(schema->types);
    rk_free(schema->empty);
    *schema = (rk_csv_schema){0};
}
