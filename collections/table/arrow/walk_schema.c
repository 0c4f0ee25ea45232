/* Schemas: columns by the names that the C interface has for their types. */
#include "collections/table/arrow/messages.h"
#include "collections/table/arrow/walk.h"
#include "core/base/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *int_format(uint64_t bits, bool is_signed)
{
    const char *const formats[] = {"C", "c", "S", "s", "I", "i", "L", "l"};
    for (uint32_t i = 0; i < 4; i++)
        if (bits == (uint64_t)8 << i)
            return formats[2 * i + is_signed];
    return "";
}

static const char *pick(const char *const *formats, size_t count, uint64_t which)
{
    return which < count ? formats[which] : "";
}

/* "" for types that no column holds. text: room for a format that is made here. */
static const char *format_of(rk_unflat *f, uint64_t type, const rk_unflat_table *t, char text[32])
{
    static const char *const reals[] = {"e", "f", "g"}, *const dates[] = {"tdD", "tdm"},
                             *const times[] = {"tss:", "tsm:", "tsu:", "tsn:"};
    switch (type) {
    case 1: return "n";
    case 2: return int_format(rk_unflat_field(f, t, 0, 4, 0), rk_unflat_field(f, t, 1, 1, 0));
    case 3: return pick(reals, 3, rk_unflat_field(f, t, 0, 2, 0));
    case 4: return "z";
    case 5: return "u";
    case 6: return "b";
    case 8: return pick(dates, 2, rk_unflat_field(f, t, 0, 2, 1));
    case 10: return pick(times, 4, rk_unflat_field(f, t, 0, 2, 0));
    case 15: snprintf(text, 32, "w:%" PRIu64, rk_unflat_field(f, t, 0, 4, 0)); return text;
    case 19: return "Z";
    case 20: return "U";
    case 23: return "vz";
    case 24: return "vu";
    default: return "";
    }
}

static const char *type_name(uint64_t type)
{
    static const char *const names[] = {"none",
                                        "null",
                                        "int",
                                        "float",
                                        "binary",
                                        "utf8",
                                        "bool",
                                        "decimal",
                                        "date",
                                        "time",
                                        "timestamp",
                                        "interval",
                                        "list",
                                        "struct",
                                        "union",
                                        "fixed-size binary",
                                        "fixed-size list",
                                        "map",
                                        "duration",
                                        "large binary",
                                        "large utf8"};
    return type < sizeof names / sizeof *names ? names[type] : "other";
}

/* Of a field with a dictionary, whose values have this format; every value takes some bytes, so that the file limits how many
 * there are. */
static bool read_indices(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *field, uint32_t column,
                         const char *format)
{
    rk_arrow_dictionary *d = &w->file->dictionaries[column];
    rk_unflat_table encoding = rk_unflat_table_in(f, field, 4), type = rk_unflat_table_in(f, &encoding, 1);
    uint64_t bits = rk_unflat_field(f, &type, 0, 4, 32),
             is_signed = rk_unflat_field(f, &type, 1, 1, !type.place);
    d->used = true;
    d->id = (int64_t)rk_unflat_field(f, &encoding, 0, 8, 0);
    return rk_arrow_format(int_format(bits, is_signed), &w->file->layouts[column]) &&
           rk_arrow_format(format, &d->values) && d->values.bits;
}

static int read_field(const rk_arrow_walk *w, rk_unflat *f, size_t place, uint32_t column)
{
    char text[32], reason[200];
    size_t len;
    rk_unflat_table field = rk_unflat_at(f, place), inner = rk_unflat_table_in(f, &field, 3);
    uint64_t type = rk_unflat_field(f, &field, 2, 1, 0);
    size_t name = rk_unflat_vector_in(f, &field, 0, 1, &len);
    const char *format = format_of(f, type, &inner, text);
    if (f->wrong)
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "a schema that is not whole");
    char *copy = w->file->names[column] = rk_strndup(len ? (const char *)f->data + name : "", len);
    if (!copy)
        return rk_arrow_walk_fail_memory(w);
    bool dictionary = rk_unflat_has(f, &field, 4);
    if (dictionary ? read_indices(w, f, &field, column, format)
                   : rk_arrow_format(format, &w->file->layouts[column]))
        return RASK_OK;
    snprintf(reason, sizeof reason, "column \"%.100s\" is %s%s, which is not read", copy,
             dictionary ? "a dictionary of " : "", type_name(type));
    return rk_arrow_walk_fail(w, RASK_EUNSUPPORTED, reason);
}

int rk_arrow_walk_schema(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *schema)
{
    size_t count, first = rk_unflat_vector_in(f, schema, 1, 4, &count);
    int status = RASK_OK;
    if (rk_unflat_field(f, schema, 0, 2, 0))
        return rk_arrow_walk_fail(w, RASK_EUNSUPPORTED, "big-endian numbers");
    if (f->wrong || !count || count > RK_TABLE_COLUMNS)
        return rk_arrow_walk_fail(w, RASK_EFORMAT,
                                  count ? "more columns than a table may have" : "a schema without columns");
    w->file->names = rk_calloc(count, sizeof *w->file->names);
    w->file->layouts = rk_calloc(count, sizeof *w->file->layouts);
    w->file->dictionaries = rk_calloc(count, sizeof *w->file->dictionaries);
    if (!w->file->names || !w->file->layouts || !w->file->dictionaries)
        return rk_arrow_walk_fail_memory(w);
    w->file->count = (uint32_t)count;
    for (uint32_t i = 0; i < count && !status; i++)
        status = read_field(w, f, first + 4 * (size_t)i, i);
    return status;
}

/* -- Two of one file */

static bool is_same_layout(const rk_arrow_layout *a, const rk_arrow_layout *b)
{
    return a->read == b->read && a->type == b->type && a->bits == b->bits && a->multiply == b->multiply &&
           a->divide == b->divide;
}

static bool is_same_column(const rk_arrow_file *a, const rk_arrow_file *b, uint32_t i)
{
    const rk_arrow_dictionary *d = &a->dictionaries[i], *e = &b->dictionaries[i];
    return strcmp(a->names[i], b->names[i]) == 0 && is_same_layout(&a->layouts[i], &b->layouts[i]) &&
           d->used == e->used && d->id == e->id && is_same_layout(&d->values, &e->values);
}

int rk_arrow_walk_compare(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *schema)
{
    rk_arrow_file other = {.fd = -1, .path = w->file->path};
    rk_arrow_walk inner = {.file = &other, .error = w->error, .at = w->at};
    int status = rk_arrow_walk_schema(&inner, f, schema);
    bool same = !status && other.count == w->file->count;
    for (uint32_t i = 0; same && i < other.count; i++)
        same = is_same_column(w->file, &other, i);
    if (!status && !same)
        status = rk_arrow_walk_fail(w, RASK_EFORMAT, "a schema that is not the footer's");
    other.path = NULL;
    rk_arrow_file_close(&other);
    return status;
}
