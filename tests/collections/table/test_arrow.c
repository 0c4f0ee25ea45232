/* Tables from memory and to it: Arrow's C Data Interface in every format, columns of the program's, computed rows. */
#include "collections/table/arrow/file.h"

#include "../../failing_allocator.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* -- Structures as another library would make them: what is released is counted */

static int alive;

static void release_schema(struct ArrowSchema *s)
{
    for (int64_t i = 0; i < s->n_children; i++)
        if (s->children[i]->release)
            s->children[i]->release(s->children[i]);
    if (s->dictionary && s->dictionary->release)
        s->dictionary->release(s->dictionary);
    s->release = NULL;
    alive--;
}

static void release_array(struct ArrowArray *a)
{
    for (int64_t i = 0; i < a->n_children; i++)
        if (a->children[i]->release)
            a->children[i]->release(a->children[i]);
    if (a->dictionary && a->dictionary->release)
        a->dictionary->release(a->dictionary);
    a->release = NULL;
    alive--;
}

static struct ArrowSchema field(const char *name, const char *format)
{
    alive++;
    return (struct ArrowSchema){.name = name, .format = format, .release = release_schema};
}

/* buffers: as many as there are before the last NULL of three, but for the first. */
static struct ArrowArray values(int64_t length, const void *const *buffers, int64_t count)
{
    alive++;
    return (struct ArrowArray){.length = length,
                               .null_count = buffers && buffers[0] ? -1 : 0,
                               .n_buffers = count,
                               .buffers = (const void **)buffers,
                               .release = release_array};
}

/* A struct of one column. */
typedef struct one {
    struct ArrowSchema schema, field, *fields;
    struct ArrowArray array, column, *columns;
} one;

static const void *const no_nulls[] = {NULL};

static void wrap(one *o)
{
    o->fields = &o->field;
    o->columns = &o->column;
    o->schema = field("", "+s");
    o->schema.n_children = 1;
    o->schema.children = &o->fields;
    o->array = values(o->column.length, no_nulls, 1);
    o->array.n_children = 1;
    o->array.children = &o->columns;
}

static one column_of(const char *format, int64_t length, const void *const *buffers, int64_t count)
{
    one o = {.field = field("x", format), .column = values(length, buffers, count)};
    return o;
}

/* Rows of a table over it as text: values with spaces between, null as ~. */
static const char *printed(rask_table *t)
{
    static char text[4096];
    rask_rows *rows = NULL;
    rask_column c;
    size_t at = 0;
    int status = rask_table_compute(t, NULL, &rows);
    cr_assert_eq(status, RASK_OK, "%s", t ? rask_graph_error(rask_table_graph(t)) : "no table");
    for (uint64_t r = 0; r < rask_rows_count(rows); r++)
        for (uint32_t k = 0; k < rask_rows_columns(rows) && at < sizeof text - 100; k++) {
            cr_assert_eq(rask_rows_column(rows, k, &c), RASK_OK);
            at += (size_t)sprintf(text + at, "%s", r || k ? " " : "");
            if (c.valid && !c.valid[r])
                at += (size_t)sprintf(text + at, "~");
            else if (c.type == RASK_COL_TEXT)
                at += (size_t)sprintf(text + at, "%.*s", (int)(c.as.ends[r + 1] - c.as.ends[r]),
                                      c.bytes + c.as.ends[r]);
            else if (c.type == RASK_COL_F64)
                at += (size_t)sprintf(text + at, "%g", c.as.f64[r]);
            else
                at += (size_t)sprintf(text + at, "%lld",
                                      c.type == RASK_COL_BOOL ? (long long)c.as.boolean[r]
                                                              : (long long)c.as.i64[r]);
        }
    text[at] = 0;
    rask_rows_free(rows);
    return text;
}

static void expect_format(const char *format, int64_t length, const void *const *buffers, int64_t count,
                          rask_column_type type, const char *text)
{
    one o = column_of(format, length, buffers, count);
    rask_graph *g = rask_graph_new();
    wrap(&o);
    rask_table *t = rask_table_from_arrow(g, &o.schema, &o.array);
    cr_assert(t, "%s: %s", format, rask_graph_error(g));
    cr_expect_eq(rask_table_type(t, 0), type, "%s", format);
    cr_expect_null(o.schema.release);
    cr_expect_null(o.array.release);
    cr_expect_str_eq(printed(t), text, "%s: %s, not %s", format, printed(t), text);
    rask_graph_free(g);
    cr_expect_eq(alive, 0, "%s: %d structures are left", format, alive);
}

#define FORMAT(format, c_type, type, text, ...)                                                              \
    expect_format(format, (int64_t)(sizeof((c_type[]){__VA_ARGS__}) / sizeof(c_type)),                       \
                  (const void *const[]){NULL, (c_type[]){__VA_ARGS__}}, 2, type, text)

Test(arrow, numbers_of_all_widths_are_read)
{
    FORMAT("c", int8_t, RASK_COL_I64, "-128 0 127", -128, 0, 127);
    FORMAT("C", uint8_t, RASK_COL_I64, "0 255", 0, 255);
    FORMAT("s", int16_t, RASK_COL_I64, "-32768 32767", -32768, 32767);
    FORMAT("S", uint16_t, RASK_COL_I64, "65535", 65535);
    FORMAT("i", int32_t, RASK_COL_I64, "-2147483648 7", INT32_MIN, 7);
    FORMAT("I", uint32_t, RASK_COL_I64, "4294967295", UINT32_MAX);
    FORMAT("l", int64_t, RASK_COL_I64, "-9223372036854775808 1", INT64_MIN, 1);
    FORMAT("L", uint64_t, RASK_COL_I64, "9223372036854775807", INT64_MAX);
    FORMAT("f", float, RASK_COL_F64, "0.5 -2", 0.5f, -2);
    FORMAT("g", double, RASK_COL_F64, "0.1 inf", 0.1, INFINITY);
    FORMAT("e", uint16_t, RASK_COL_F64, "1 -2 65504 5.96046e-08 inf 0", 0x3c00, 0xc000, 0x7bff, 1, 0x7c00, 0);
}

Test(arrow, times_come_in_the_units_of_columns)
{
    FORMAT("tdD", int32_t, RASK_COL_DATE, "-1 19753", -1, 19753);
    FORMAT("tdm", int64_t, RASK_COL_DATE, "-1 0 1", -1, 86399999, 86400000);
    FORMAT("tss:", int64_t, RASK_COL_TIMESTAMP, "-1000000 2000000", -1, 2);
    FORMAT("tsm:UTC", int64_t, RASK_COL_TIMESTAMP, "3000", 3);
    FORMAT("tsu:", int64_t, RASK_COL_TIMESTAMP, "4", 4);
    FORMAT("tsn:Europe/Oslo", int64_t, RASK_COL_TIMESTAMP, "-1 0 1", -1, 999, 1000);
}

Test(arrow, text_in_all_layouts_is_read)
{
    const int32_t ends[] = {0, 1, 1, 4};
    const int64_t large[] = {0, 1, 1, 4};
    const uint8_t bits[] = {5};
    const int64_t sizes[] = {20};
    const char words[3][16] = {
        {3, 0, 0, 0, 'a', 'b', 'c'}, {0}, {14, 0, 0, 0, 't', 'h', 'e', ' ', 0, 0, 0, 0, 2}};
    expect_format("u", 3, (const void *const[]){NULL, ends, "abcd"}, 3, RASK_COL_TEXT, "a  bcd");
    expect_format("z", 3, (const void *const[]){bits, ends, "abcd"}, 3, RASK_COL_TEXT, "a ~ bcd");
    expect_format("U", 3, (const void *const[]){bits, large, "abcd"}, 3, RASK_COL_TEXT, "a ~ bcd");
    expect_format("Z", 3, (const void *const[]){NULL, large, "abcd"}, 3, RASK_COL_TEXT, "a  bcd");
    expect_format("w:2", 2, (const void *const[]){NULL, "abcd"}, 2, RASK_COL_TEXT, "ab cd");
    expect_format("w:0", 2, (const void *const[]){NULL, NULL}, 2, RASK_COL_TEXT, " ");
    expect_format("vu", 3, (const void *const[]){NULL, words, "..the long word....", sizes}, 4, RASK_COL_TEXT,
                  "abc  the long word.");
    expect_format("vz", 2, (const void *const[]){bits, words, NULL}, 3, RASK_COL_TEXT, "abc ~");
    expect_format("n", 2, NULL, 0, RASK_COL_TEXT, "~ ~");
    expect_format("u", 0, (const void *const[]){NULL, NULL, NULL}, 3, RASK_COL_TEXT, "");
}

Test(arrow, bits_become_bools_and_nulls)
{
    const uint8_t bits[] = {0x05, 0x02}, valid[] = {0xfe, 0x01};
    expect_format("b", 10, (const void *const[]){NULL, bits}, 2, RASK_COL_BOOL, "1 0 1 0 0 0 0 0 0 1");
    expect_format("b", 10, (const void *const[]){valid, bits}, 2, RASK_COL_BOOL, "~ 0 1 0 0 0 0 0 0 ~");
}

Test(arrow, offsets_of_struct_and_column_add_up)
{
    const int32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const uint8_t valid[] = {0xef};
    one o = column_of("i", 7, (const void *const[]){valid, numbers}, 2);
    rask_graph *g = rask_graph_new();
    o.column.offset = 1;
    wrap(&o);
    o.array.length = 3;
    o.array.offset = 2;
    cr_expect_str_eq(printed(rask_table_from_arrow(g, &o.schema, &o.array)), "3 ~ 5");
    rask_graph_free(g);
    cr_expect_eq(alive, 0);
}

Test(arrow, a_large_uint64_fails_the_run_with_column_and_row)
{
    const uint64_t numbers[] = {1, UINT64_MAX};
    const uint8_t valid[] = {1};
    one o = column_of("L", 2, (const void *const[]){NULL, numbers}, 2);
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    wrap(&o);
    rask_table *t = rask_table_from_arrow(g, &o.schema, &o.array);
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_ERANGE);
    cr_assert_str_eq(rask_graph_error(g), "column \"x\", row 2: 18446744073709551615 is no int64");
    cr_assert_null(rows);
    rask_graph_free(g);
    expect_format("L", 2, (const void *const[]){valid, numbers}, 2, RASK_COL_I64, "1 ~");
}

/* -- Dictionaries */

static void expect_dictionary(const char *format, const void *indices, int64_t count,
                              struct ArrowSchema *values_field, struct ArrowArray *dictionary, int wanted,
                              const char *text)
{
    one o = column_of(format, count, (const void *const[]){NULL, indices}, 2);
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    o.field.dictionary = values_field;
    o.column.dictionary = dictionary;
    wrap(&o);
    rask_table *t = rask_table_from_arrow(g, &o.schema, &o.array);
    cr_assert(t, "%s", rask_graph_error(g));
    if (wanted) {
        cr_assert_eq(rask_table_compute(t, NULL, &rows), wanted);
        cr_expect_str_eq(rask_graph_error(g), text);
    } else {
        cr_expect_str_eq(printed(t), text);
    }
    rask_graph_free(g);
    cr_expect_eq(alive, 0);
}

Test(arrow, dictionaries_are_looked_up)
{
    const int32_t ends[] = {0, 3, 6};
    const uint8_t valid[] = {1};
    struct ArrowSchema f = field(NULL, "u");
    struct ArrowArray d = values(2, (const void *const[]){NULL, ends, "annbob"}, 3);
    expect_dictionary("c", (int8_t[]){1, 0, 1}, 3, &f, &d, RASK_OK, "bob ann bob");
    f = field(NULL, "u");
    d = values(2, (const void *const[]){valid, ends, "annbob"}, 3);
    expect_dictionary("I", (uint32_t[]){1, 0, 1}, 3, &f, &d, RASK_OK, "~ ann ~");
    f = field(NULL, "f");
    d = values(2, (const void *const[]){NULL, (float[]){0.5, 2}}, 2);
    expect_dictionary("s", (int16_t[]){0, 0, 1}, 3, &f, &d, RASK_OK, "0.5 0.5 2");
    f = field(NULL, "u");
    d = values(2, (const void *const[]){NULL, ends, "annbob"}, 3);
    expect_dictionary("c", (int8_t[]){0, 2}, 2, &f, &d, RASK_EFORMAT,
                      "column \"x\", row 2: an index that is not in the dictionary");
}

/* -- What is refused: everything is released */

static void expect_refused(one *o, int wanted, const char *message)
{
    rask_graph *g = rask_graph_new();
    cr_expect_null(rask_table_from_arrow_at(g, &o->schema, &o->array, NULL, 0));
    cr_expect_eq(rask_graph_status(g), wanted, "%s", rask_graph_error(g));
    cr_expect_str_eq(rask_graph_error(g), message, "%s", rask_graph_error(g));
    cr_expect_null(o->schema.release);
    cr_expect_null(o->array.release);
    rask_graph_free(g);
    cr_expect_eq(alive, 0, "%s: %d are left", message, alive);
    alive = 0;
}

static const int64_t three[] = {1, 2, 3};
static const void *const numbers[] = {NULL, three};

static one three_of(const char *format)
{
    return column_of(format, 3, numbers, 2);
}

Test(arrow, formats_that_fit_no_column_are_refused_by_name)
{
    static const char *const formats[] = {"d:19,10", "+l", "tDs", "ttu", "w:x", "w:-1", "tsx:", "", "ll"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char message[200];
        one o = three_of(formats[i]);
        wrap(&o);
        snprintf(message, sizeof message, "rask_table_from_arrow: column \"x\": format \"%s\" fits no column",
                 formats[i]);
        expect_refused(&o, RASK_ETYPE, message);
    }
}

Test(arrow, structures_that_are_not_what_they_say_are_refused)
{
    one o = three_of("l");
    wrap(&o);
    o.schema.format = "l";
    expect_refused(&o, RASK_ETYPE,
                   "rask_table_from_arrow: no struct (\"+s\") whose children are the columns");
    o = three_of("l");
    wrap(&o);
    o.array.n_children = 0;
    o.column.release(&o.column);
    expect_refused(&o, RASK_EFORMAT, "rask_table_from_arrow: another number of columns than the schema has");
    o = three_of("l");
    wrap(&o);
    o.array.length = 4;
    expect_refused(&o, RASK_EFORMAT, "rask_table_from_arrow: column \"x\": fewer values than there are rows");
    o = three_of("u");
    wrap(&o);
    expect_refused(&o, RASK_EFORMAT,
                   "rask_table_from_arrow: column \"x\": another number of buffers than its format has");
    o = three_of("l");
    o.column.length = -1;
    wrap(&o);
    o.array.length = 0;
    expect_refused(&o, RASK_EFORMAT, "rask_table_from_arrow: column \"x\": no length");
    o = column_of("l", 3, (const void *const[]){NULL, NULL}, 2);
    wrap(&o);
    expect_refused(&o, RASK_EFORMAT, "rask_table_from_arrow: column \"x\": no values");
    o = three_of("l");
    wrap(&o);
    o.array.offset = INT64_MAX;
    expect_refused(&o, RASK_EFORMAT, "rask_table_from_arrow: no length");
    o = three_of("l");
    wrap(&o);
    o.array.null_count = -1;
    o.array.buffers = (const void *[]){(const uint8_t[]){5}};
    expect_refused(&o, RASK_EFORMAT, "rask_table_from_arrow: a row that is null as a whole");
    o = three_of("l");
    wrap(&o);
    o.schema.n_children = 0;
    o.array.n_children = 0;
    o.column.release(&o.column);
    o.field.release(&o.field);
    expect_refused(&o, RASK_EINVAL, "rask_table_from_arrow: no columns");
}

Test(arrow, released_structures_and_failed_graphs_are_refused)
{
    one o = three_of("l");
    rask_graph *g = rask_graph_new();
    wrap(&o);
    o.array.release(&o.array);
    cr_expect_null(rask_table_from_arrow(g, &o.schema, &o.array));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
    cr_expect_eq(alive, 0);
    o = three_of("l");
    wrap(&o);
    cr_expect_null(rask_table_from_arrow(g, &o.schema, &o.array));
    cr_expect_eq(alive, 0);
    rask_graph_free(g);
    cr_expect_null(rask_table_from_arrow(NULL, NULL, NULL));
}

Test(arrow, text_that_ends_before_it_begins_fails_the_run)
{
    const int32_t ends[] = {0, 3, 1};
    one o = column_of("u", 2, (const void *const[]){NULL, ends, "abc"}, 3);
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    wrap(&o);
    rask_table *t = rask_table_from_arrow(g, &o.schema, &o.array);
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_EFORMAT);
    cr_assert_str_eq(rask_graph_error(g), "column \"x\", row 2: text that ends before it begins");
    rask_graph_free(g);
}

/* -- Streams */

typedef struct stream_state {
    int given, fail_at;
    one parts[3];
} stream_state;

static const int64_t stream_numbers[] = {1, 2, 3, 4, 5, 6};
static const void *const stream_buffers[3][2] = {
    {NULL, stream_numbers}, {NULL, stream_numbers + 2}, {NULL, stream_numbers + 4}};

static int get_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    stream_state *state = s->private_data;
    one *o = &state->parts[0];
    o->field = field("x", "l");
    o->fields = &o->field;
    *out = field("", "+s");
    out->n_children = 1;
    out->children = &o->fields;
    return state->fail_at == -1 ? (out->release(out), 5) : 0;
}

static int get_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    stream_state *state = s->private_data;
    *out = (struct ArrowArray){0};
    if (state->given == state->fail_at)
        return 5;
    if (state->given == 3)
        return 0;
    one *o = &state->parts[state->given];
    o->column = values(2, stream_buffers[state->given++], 2);
    o->columns = &o->column;
    *out = values(2, no_nulls, 1);
    out->n_children = 1;
    out->children = &o->columns;
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *s)
{
    (void)s;
    return "the wire is cut";
}

static void release_stream(struct ArrowArrayStream *s)
{
    s->release = NULL;
}

static struct ArrowArrayStream stream_of(stream_state *state)
{
    return (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, state};
}

Test(arrow, a_stream_gives_its_arrays_in_order)
{
    stream_state state = {.fail_at = 99};
    struct ArrowArrayStream stream = stream_of(&state);
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_from_arrow_stream(g, &stream);
    cr_expect_null(stream.release);
    cr_expect_str_eq(printed(t), "1 2 3 4 5 6");
    cr_expect_str_eq(printed(rask_table_groupby(t, "", "sum(x), count()")), "21 6");
    rask_graph_free(g);
    cr_expect_eq(alive, 0);
}

Test(arrow, a_stream_without_arrays_is_a_table_without_rows)
{
    stream_state state = {.given = 3, .fail_at = 99};
    struct ArrowArrayStream stream = stream_of(&state);
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_from_arrow_stream(g, &stream);
    cr_expect_str_eq(printed(rask_table_sort(rask_table_filter(t, "x > 1"), "x")), "");
    cr_expect_str_eq(printed(rask_table_groupby(t, "", "count()")), "0");
    rask_graph_free(g);
    cr_expect_eq(alive, 0);
}

Test(arrow, a_stream_that_fails_is_an_error_with_its_words)
{
    for (int at = -1; at < 2; at++) {
        stream_state state = {.fail_at = at};
        struct ArrowArrayStream stream = stream_of(&state);
        rask_graph *g = rask_graph_new();
        cr_expect_null(rask_table_from_arrow_stream_at(g, &stream, NULL, 0));
        cr_expect_eq(rask_graph_status(g), RASK_EIO);
        cr_expect_str_eq(rask_graph_error(g), "rask_table_from_arrow_stream: the wire is cut");
        rask_graph_free(g);
        cr_expect_eq(alive, 0);
    }
}

/* -- Columns of the program's */

enum { MANY = 300000 };

/* A table of many rows: number, its remainder by 1000, and text. */
static rask_table *many_rows(rask_graph *g, int64_t *ids, int64_t *groups, uint64_t *ends, char *bytes)
{
    uint64_t end = ends[0] = 0;
    for (int64_t i = 0; i < MANY; i++) {
        ids[i] = (i * 7919) % MANY;
        groups[i] = ids[i] % 1000;
        end += (uint64_t)sprintf(bytes + end, "n%lld", (long long)(ids[i] % 10000));
        ends[i + 1] = end;
    }
    const rask_column columns[] = {{.name = "id", .type = RASK_COL_I64, .as.i64 = ids},
                                   {.name = "group", .type = RASK_COL_I64, .as.i64 = groups},
                                   {.name = "name", .type = RASK_COL_TEXT, .as.ends = ends, .bytes = bytes}};
    return rask_table_from_columns(g, columns, 3, MANY);
}

Test(arrow, columns_in_memory_are_filtered_grouped_and_sorted_in_parts)
{
    int64_t *ids = malloc(MANY * sizeof *ids), *groups = malloc(MANY * sizeof *groups);
    uint64_t *ends = malloc((MANY + 1) * sizeof *ends);
    char *bytes = malloc(MANY * 8);
    rask_graph *g = rask_graph_new();
    rask_table *t = many_rows(g, ids, groups, ends, bytes);
    cr_expect_str_eq(printed(rask_table_groupby(t, "", "sum(id), count(), count_distinct(name)")),
                     "44999850000 300000 10000");
    rask_table *by = rask_table_groupby(rask_table_filter(t, "id < 2000"), "group", "sum(id) as s");
    cr_expect_str_eq(printed(rask_table_limit(by, 3)), "0 1000 1 1002 2 1004");
    rask_table *sorted = rask_table_sort(t, "id desc");
    for (uint32_t workers = 1; workers < 4; workers++) {
        rask_options o = RASK_OPTIONS_INIT;
        rask_rows *rows = NULL;
        rask_column c;
        o.workers = workers;
        o.memory = 256u << 20;
        cr_assert_eq(rask_table_compute(sorted, &o, &rows), RASK_OK, "%s", rask_graph_error(g));
        cr_assert_eq(rask_rows_count(rows), MANY);
        cr_assert_eq(rask_rows_column(rows, 0, &c), RASK_OK);
        for (int64_t i = 0; i < MANY; i++)
            cr_assert_eq(c.as.i64[i], MANY - 1 - i);
        rask_rows_free(rows);
    }
    rask_graph_free(g);
    free(ids);
    free(groups);
    free(ends);
    free(bytes);
}

Test(arrow, columns_that_are_wrong_are_refused)
{
    const uint64_t ends[] = {0, 2, 1};
    const uint8_t two[] = {1, 2};
    const rask_column wrong[] = {
        {.name = "x", .type = RASK_COL_TEXT, .as.ends = ends, .bytes = "ab"},
        {.name = "x", .type = RASK_COL_BOOL, .as.boolean = two},
        {.name = "x", .type = RASK_COL_I64, .as.i64 = three, .valid = two},
        {.name = "x", .type = RASK_COL_I64},
        {.name = "x", .type = RASK_COLUMN_TYPES, .as.i64 = three},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        rask_graph *g = rask_graph_new();
        cr_expect_null(rask_table_from_columns(g, &wrong[i], 1, 2));
        cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
        rask_graph_free(g);
    }
    rask_graph *g = rask_graph_new();
    const rask_column x = {.name = "x", .type = RASK_COL_I64, .as.i64 = three};
    cr_expect_null(rask_table_from_columns_at(g, (const rask_column[]){x, x}, 2, 3, NULL, 0));
    cr_expect_str_eq(rask_graph_error(g), "rask_table_from_columns: two columns \"x\"");
    rask_graph_free(g);
}

/* What stands where a value is null is the program's business. */
Test(arrow, nulls_of_columns_in_memory_count_as_null_whatever_is_there)
{
    const uint8_t valid[] = {1, 0, 1};
    const rask_column x = {.name = "x", .type = RASK_COL_I64, .as.i64 = three, .valid = valid};
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_from_columns(g, &x, 1, 3);
    rask_rows *rows = NULL;
    rask_column c;
    cr_expect_str_eq(printed(rask_table_groupby(t, "", "sum(x), count(x)")), "4 2");
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_OK);
    cr_assert_eq(rask_rows_column(rows, 0, &c), RASK_OK);
    cr_expect_eq(c.as.i64[1], 0);
    rask_rows_free(rows);
    rask_graph_free(g);
}

Test(arrow, no_rows_are_a_table_too)
{
    const rask_column x = {.name = "x", .type = RASK_COL_I64};
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_from_columns(g, &x, 1, 0);
    cr_expect_str_eq(printed(t), "");
    cr_expect_str_eq(printed(rask_table_sort(t, "x")), "");
    cr_expect_str_eq(printed(rask_table_groupby(t, "", "count()")), "0");
    cr_expect_str_eq(printed(rask_table_groupby(t, "x", "count()")), "");
    rask_graph_free(g);
}

/* -- Out and in again */

static rask_rows *rows_of_all_types(rask_graph *g)
{
    static const uint8_t valid[] = {1, 0, 1, 1, 1, 1, 1, 1, 1}, bools[] = {1, 0, 0, 1, 0, 0, 0, 0, 1};
    static const int64_t numbers_of[] = {1, 0, -3, 4, 5, 6, 7, 8, 9};
    static const double reals[] = {0.5, 0, -1, 2, 3, 4, 5, 6, 7};
    static const uint64_t ends[] = {0, 1, 1, 3, 4, 5, 6, 7, 8, 9};
    const rask_column columns[] = {
        {.name = "b", .type = RASK_COL_BOOL, .as.boolean = bools, .valid = valid},
        {.name = "i", .type = RASK_COL_I64, .as.i64 = numbers_of, .valid = valid},
        {.name = "f", .type = RASK_COL_F64, .as.f64 = reals},
        {.name = "d", .type = RASK_COL_DATE, .as.i64 = numbers_of},
        {.name = "t", .type = RASK_COL_TIMESTAMP, .as.i64 = numbers_of, .valid = valid},
        {.name = "s", .type = RASK_COL_TEXT, .as.ends = ends, .bytes = "abcdefghi", .valid = valid},
    };
    rask_rows *rows = NULL;
    rask_table *t = rask_table_from_columns(g, columns, 6, 9);
    return rask_table_compute(t, NULL, &rows) ? NULL : rows;
}

Test(arrow, rows_go_out_without_a_copy_and_come_back_as_they_were)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    rask_column c;
    rask_graph *g = rask_graph_new();
    rask_rows *rows = rows_of_all_types(g);
    char wanted[4096];
    strcpy(wanted, printed(rask_table_from_rows(g, rows)));
    cr_assert_eq(rask_rows_arrow(rows, &schema, &array), RASK_OK);
    static const char *const formats[] = {"b", "l", "g", "tdD", "tsu:", "U"};
    for (int i = 0; i < 6; i++)
        cr_expect_str_eq(schema.children[i]->format, formats[i]);
    cr_expect_eq(array.children[0]->null_count, 1);
    cr_expect_eq(array.children[2]->null_count, 0);
    cr_assert_eq(rask_rows_column(rows, 2, &c), RASK_OK);
    cr_expect_eq(array.children[2]->buffers[1], c.as.f64);
    cr_assert_eq(rask_rows_column(rows, 5, &c), RASK_OK);
    cr_expect_eq(array.children[5]->buffers[1], c.as.ends);
    rask_rows_free(rows);
    cr_expect_str_eq(printed(rask_table_from_arrow(g, &schema, &array)), wanted);
    rask_graph_free(g);
}

Test(arrow, rows_go_out_as_a_stream_too)
{
    struct ArrowArrayStream stream;
    rask_graph *g = rask_graph_new();
    rask_rows *rows = rows_of_all_types(g);
    char wanted[4096];
    strcpy(wanted, printed(rask_table_from_rows(g, rows)));
    cr_assert_eq(rask_rows_arrow_stream(rows, &stream), RASK_OK);
    cr_expect_str_eq(printed(rask_table_from_arrow_stream(g, &stream)), wanted);
    cr_assert_eq(rask_rows_arrow_stream(rows, &stream), RASK_OK);
    stream.release(&stream);
    cr_expect_eq(rask_rows_arrow_stream(NULL, &stream), RASK_EINVAL);
    rask_rows_free(rows);
    rask_graph_free(g);
}

Test(arrow, children_may_be_moved_out_and_outlive_the_struct)
{
    struct ArrowSchema schema;
    struct ArrowArray array, child;
    rask_graph *g = rask_graph_new();
    rask_rows *rows = rows_of_all_types(g);
    rask_graph_free(g);
    cr_assert_eq(rask_rows_arrow(rows, &schema, &array), RASK_OK);
    rask_rows_free(rows);
    child = *array.children[1];
    array.children[1]->release = NULL;
    array.release(&array);
    schema.release(&schema);
    cr_expect_eq(((const int64_t *)child.buffers[1])[2], -3);
    child.release(&child);
    cr_expect_null(child.release);
}

Test(arrow, text_that_is_no_utf8_is_mended)
{
    const uint64_t ends[] = {0, 1, 2, 5};
    const rask_column c = {.name = "s",
                           .type = RASK_COL_TEXT,
                           .as.ends = ends,
                           .bytes = "\xc3\xa9"
                                    "a\xff"
                                    "b"};
    struct ArrowSchema schema;
    struct ArrowArray array;
    rask_rows *rows = NULL;
    rask_graph *g = rask_graph_new();
    cr_assert_eq(rask_table_compute(rask_table_from_columns(g, &c, 1, 3), NULL, &rows), RASK_OK);
    cr_assert_eq(rask_rows_arrow(rows, &schema, &array), RASK_OK);
    rask_rows_free(rows);
    cr_expect_str_eq(printed(rask_table_from_arrow(g, &schema, &array)),
                     "\xef\xbf\xbd \xef\xbf\xbd a\xef\xbf\xbd"
                     "b");
    rask_graph_free(g);
}

Test(arrow, dates_beyond_32_bits_do_not_go_out)
{
    const int64_t day = (int64_t)INT32_MAX + 1;
    const rask_column c = {.name = "d", .type = RASK_COL_DATE, .as.i64 = &day};
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    rask_rows *rows = NULL;
    rask_graph *g = rask_graph_new();
    cr_assert_eq(rask_table_compute(rask_table_from_columns(g, &c, 1, 1), NULL, &rows), RASK_OK);
    cr_expect_eq(rask_rows_arrow(rows, &schema, &array), RASK_ERANGE);
    cr_expect_null(schema.release);
    cr_expect_null(array.release);
    cr_expect_eq(rask_rows_arrow(NULL, &schema, &array), RASK_EINVAL);
    rask_rows_free(rows);
    rask_graph_free(g);
}

/* -- Files */

static char file_path[64];

/* A file of these bytes; what is there already is replaced. */
static void write_file(const char *data, size_t size)
{
    FILE *out = fopen(file_path, "wb");
    cr_assert(out && fwrite(data, 1, size, out) == size && fclose(out) == 0);
}

/* All types in a small file or stream: its bytes are the caller's. */
static char *small_file(rask_table_format format, size_t *size)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = rows_of_all_types(g);
    snprintf(file_path, sizeof file_path, "/tmp/rask-arrow-%d", (int)getpid());
    cr_assert_eq(rask_table_write(rask_table_from_rows(g, rows), file_path, format, NULL), RASK_OK);
    rask_rows_free(rows);
    rask_graph_free(g);
    char *data = malloc(1 << 16);
    FILE *in = fopen(file_path, "rb");
    cr_assert(data && in);
    *size = fread(data, 1, 1 << 16, in);
    fclose(in);
    return data;
}

static int read_small_file(void)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = rask_read_arrow(g, file_path);
    int status = t ? rask_table_compute(t, NULL, &rows) : g ? rask_graph_status(g) : RASK_ENOMEM;
    cr_assert(!g || !status || *rask_graph_error(g));
    rask_rows_free(rows);
    rask_graph_free(g);
    return status == RASK_EGRAPH ? RASK_ENOMEM : status;
}

static void expect_file(rask_table_format format)
{
    char wanted[4096];
    size_t size;
    char *data = small_file(format, &size);
    rask_graph *g = rask_graph_new();
    rask_rows *rows = rows_of_all_types(g);
    strcpy(wanted, printed(rask_table_from_rows(g, rows)));
    cr_expect_str_eq(printed(rask_read_arrow(g, file_path)), wanted);
    const char *twice[] = {file_path, file_path};
    cr_expect_str_eq(printed(rask_table_groupby(rask_read_arrow_files(g, twice, 2), "", "sum(i), count()")),
                     "74 18");
    rask_rows_free(rows);
    rask_graph_free(g);
    free(data);
    unlink(file_path);
}

/* The last two need a module. */
static const rask_table_format formats[] = {RASK_TABLE_ARROW, RASK_TABLE_ARROW_STREAM, RASK_TABLE_ARROW_LZ4,
                                            RASK_TABLE_ARROW_ZSTD};

static size_t format_count(void)
{
    rk_open_error ignored;
    return rk_bodies_load("", &ignored) ? 4 : 2;
}

Test(arrow, files_and_streams_are_read_as_they_were_written)
{
    for (size_t i = 0; i < format_count(); i++)
        expect_file(formats[i]);
}

/* What reading a file fails with when the length before its first compressed buffer is another. */
static void expect_length_refused(const char *data, size_t size, int64_t length, const char *wanted)
{
    char message[200];
    rk_arrow_file file;
    rk_open_error error = {0};
    write_file(data, size);
    cr_assert_eq(rk_arrow_file_open(&file, file_path, &error), RASK_OK, "%s", error.message);
    const rk_arrow_range *range = NULL;
    const rk_arrow_chunk *chunks = file.chunks.data;
    for (size_t i = 0; !range; i++)
        range = chunks[i].buffers[1].packed ? &chunks[i].buffers[1] : NULL;
    char *other = malloc(size);
    memcpy(other, data, size);
    memcpy(other + range->place - sizeof length, &length, sizeof length);
    rk_arrow_file_close(&file);
    write_file(other, size);
    free(other);
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = rask_read_arrow(g, file_path);
    cr_expect_neq(rask_table_compute(t, NULL, &rows), RASK_OK);
    snprintf(message, sizeof message, "%.199s", rask_graph_error(g));
    cr_expect(strstr(message, wanted), "%" PRId64 ": %s", length, message);
    rask_graph_free(g);
}

Test(arrow, lengths_of_compressed_buffers_are_not_believed)
{
    static const int64_t zeros[1000];
    for (size_t i = 2; i < format_count(); i++) {
        size_t size;
        char *data = malloc(1 << 16);
        const rask_column number = {.name = "i", .type = RASK_COL_I64, .as.i64 = zeros};
        rask_graph *g = rask_graph_new();
        snprintf(file_path, sizeof file_path, "/tmp/rask-arrow-%d", (int)getpid());
        cr_assert_eq(
            rask_table_write(rask_table_from_columns(g, &number, 1, 1000), file_path, formats[i], NULL), 0);
        FILE *in = fopen(file_path, "rb");
        size = fread(data, 1, 1 << 16, in);
        fclose(in);
        expect_length_refused(data, size, -2, "a batch whose columns are not in it");
        expect_length_refused(data, size, INT64_MAX, "a batch whose columns are not in it");
        expect_length_refused(data, size, 7999, "a batch whose buffers are too short");
        expect_length_refused(data, size, 8001, "holds more or fewer bytes than it says");
        rask_graph_free(g);
        free(data);
    }
    unlink(file_path);
}

/* Cut anywhere: a stream may end behind any message, a file nowhere but at its end. */
Test(arrow, files_that_are_cut_are_refused_or_streams_that_end)
{
    for (int stream = 0; stream < 2; stream++) {
        size_t size;
        char *data = small_file(stream ? RASK_TABLE_ARROW_STREAM : RASK_TABLE_ARROW, &size);
        int good = 0;
        for (size_t len = 0; len < size; len++) {
            write_file(data, len);
            good += read_small_file() == RASK_OK;
        }
        cr_expect(stream ? good < 24 : good == 0, "%d of %zu cut files are good", good, size);
        free(data);
    }
    unlink(file_path);
}

Test(arrow, any_byte_of_a_file_may_be_another)
{
    static const char others[] = {0, 1, 127, (char)128, (char)255};
    for (size_t i = 0; i < format_count(); i++) {
        size_t size;
        char *data = small_file(formats[i], &size);
        for (size_t at = 0; at < size; at++) {
            char was = data[at];
            data[at] = others[at % sizeof others];
            write_file(data, size);
            read_small_file();
            data[at] = was;
        }
        free(data);
    }
    unlink(file_path);
}

/* What is printed of the rows in the file, or of aggregates of them; "" when it is refused, or one of its rows is. */
static void print_file(const char *query, char out[4096])
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = rask_read_arrow(g, file_path);
    if (t && query)
        t = rask_table_groupby(t, "", query);
    out[0] = 0;
    if (t && rask_table_compute(t, NULL, &rows) == RASK_OK)
        strcpy(out, printed(t));
    else
        cr_expect(*rask_graph_error(g));
    rask_rows_free(rows);
    rask_graph_free(g);
}

/* Where the first body begins, and where the footer does. */
static void find_head_and_footer(const char *data, size_t size, size_t *head, size_t *footer)
{
    rk_arrow_file file;
    rk_open_error error = {0};
    uint32_t length;
    memcpy(&length, data + size - 10, sizeof length);
    *footer = size - 10 - length;
    cr_assert_eq(rk_arrow_file_open(&file, file_path, &error), RASK_OK, "%s", error.message);
    const rk_arrow_chunk *chunk = file.chunks.data;
    *head = chunk->buffers[chunk->nulls ? 0 : 1].place - (chunk->buffers[1].packed ? sizeof(int64_t) : 0);
    rk_arrow_file_close(&file);
}

/* A byte that does not matter may be another; one that does is an error, and never makes rows that are others or none. */
static void expect_no_other_rows(char *data, size_t size, const char *query, const uint8_t *flips,
                                 size_t count)
{
    char wanted[4096], got[4096];
    size_t head, footer;
    find_head_and_footer(data, size, &head, &footer);
    print_file(query, wanted);
    cr_assert(*wanted);
    FILE *file = fopen(file_path, "r+b");
    for (size_t at = 0; at < size; at = at + 1 == head ? footer : at + 1)
        for (size_t i = 0; i < count; i++) {
            char other = (char)((uint8_t)data[at] ^ flips[i]);
            cr_assert(pwrite(fileno(file), &other, 1, (off_t)at) == 1);
            print_file(query, got);
            cr_expect(!*got || strcmp(got, wanted) == 0, "byte %zu from %d to %d: %.200s", at, data[at],
                      other, got);
            cr_assert(pwrite(fileno(file), &data[at], 1, (off_t)at) == 1);
        }
    fclose(file);
    free(data);
}

Test(arrow, no_byte_of_head_and_footer_makes_other_rows)
{
    size_t size;
    static const uint8_t flips[] = {2, 26, 192};
    for (size_t i = 0; i < format_count(); i++)
        if (formats[i] != RASK_TABLE_ARROW_STREAM) {
            char *data = small_file(formats[i], &size);
            expect_no_other_rows(data, size, NULL, flips, sizeof flips);
        }
    unlink(file_path);
}

/* The file that a table was written to: its bytes are the caller's. */
static char *written(rask_table *t, rask_table_format format, size_t most, size_t *size)
{
    char *data = malloc(most);
    snprintf(file_path, sizeof file_path, "/tmp/rask-arrow-%d", (int)getpid());
    cr_assert_eq(rask_table_write(t, file_path, format, NULL), RASK_OK);
    FILE *in = fopen(file_path, "rb");
    cr_assert(data && in);
    *size = fread(data, 1, most, in);
    cr_assert(*size < most && fclose(in) == 0);
    return data;
}

Test(arrow, no_byte_of_a_file_with_a_dictionary_makes_other_rows)
{
    enum { ROWS = 1 << 12 };
    static char words[3 * ROWS];
    static uint64_t ends[ROWS + 1];
    static uint8_t valid[ROWS];
    static const uint8_t flips[] = {26};
    size_t size;
    for (size_t i = 0; i < ROWS; i++) {
        memcpy(words + 3 * i, i % 2 ? "ann" : "bob", 3);
        ends[i + 1] = 3 * (i + 1);
        valid[i] = i % 5 != 0;
    }
    const rask_column text = {
        .name = "s", .type = RASK_COL_TEXT, .as.ends = ends, .bytes = words, .valid = valid};
    rask_graph *g = rask_graph_new();
    char *data = written(rask_table_from_columns(g, &text, 1, ROWS), RASK_TABLE_ARROW, 1 << 16, &size);
    cr_assert_lt(size, ROWS * sizeof(uint64_t), "there is no dictionary");
    expect_no_other_rows(data, size, "count(), count(s), min(s), max(s)", flips, sizeof flips);
    rask_graph_free(g);
    unlink(file_path);
}

/* What a file of these bytes is refused with, at which byte. */
static void expect_bytes_refused(const char *data, size_t size, size_t at, const char *reason)
{
    char wanted[300];
    write_file(data, size);
    snprintf(wanted, sizeof wanted, "rask_read_arrow: %s: at byte %zu: %s", file_path, at, reason);
    rask_graph *g = rask_graph_new();
    cr_expect_null(rask_read_arrow(g, file_path));
    cr_expect_eq(rask_graph_status(g), RASK_EFORMAT);
    cr_expect(strstr(rask_graph_error(g), wanted), "%s, not %s", rask_graph_error(g), wanted);
    rask_graph_free(g);
}

Test(arrow, bytes_behind_the_end_are_told_with_their_place)
{
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        char *data = small_file(formats[i], &size);
        memcpy(data + size, "junk\n", 5);
        expect_bytes_refused(data, size + 5, size,
                             i ? "bytes behind the end of the stream" : "bytes behind the end of the file");
        free(data);
    }
    unlink(file_path);
}

Test(arrow, a_stream_that_is_cut_before_its_first_batch_is_not_empty)
{
    size_t size, after;
    uint32_t schema;
    char *data = small_file(RASK_TABLE_ARROW_STREAM, &size);
    memcpy(&schema, data + 4, sizeof schema);
    after = 8 + (size_t)schema;
    expect_bytes_refused(data, after, after, "the stream is cut: neither a batch nor the mark of its end");
    expect_bytes_refused(data, after + 4, after, "the stream is cut");
    memset(data + after + 4, 0, 4);
    expect_bytes_refused(data, size, after + 8, "bytes behind the end of the stream");
    write_file(data, after + 8);
    cr_expect_eq(read_small_file(), RASK_OK);
    free(data);
    unlink(file_path);
}

/* Rows of a file, behind which stands the footer of the same columns without rows. */
Test(arrow, a_footer_that_leaves_batches_out_is_refused)
{
    static const int64_t numbers_of[] = {1, 2, 3};
    const rask_column column = {.name = "i", .type = RASK_COL_I64, .as.i64 = numbers_of};
    size_t size, none;
    uint32_t length, tail;
    rask_graph *g = rask_graph_new();
    char *data = written(rask_table_from_columns(g, &column, 1, 3), RASK_TABLE_ARROW, 1 << 16, &size);
    char *empty = written(rask_table_from_columns(g, &column, 1, 0), RASK_TABLE_ARROW, 1 << 16, &none);
    cr_expect_eq(read_small_file(), RASK_OK);
    memcpy(&length, data + size - 10, sizeof length);
    memcpy(&tail, empty + none - 10, sizeof tail);
    size -= 10 + length;
    memcpy(data + size, empty + none - 10 - tail, tail + 10);
    memcpy(&length, data + 12, sizeof length);
    expect_bytes_refused(data, size + tail + 10, 16 + (size_t)length,
                         "bytes that the footer says nothing of");
    rask_graph_free(g);
    free(empty);
    free(data);
    unlink(file_path);
}

Test(arrow, reading_a_file_survives_every_failed_allocation)
{
    size_t size;
    free(small_file(RASK_TABLE_ARROW, &size));
    sweep(read_small_file, 60);
    unlink(file_path);
}

static int write_small_file(void)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = g ? rows_of_all_types(g) : NULL;
    rask_table *t = rask_table_from_rows(g, rows);
    int status = rows ? rask_table_write(t, file_path, RASK_TABLE_ARROW, NULL) : RASK_ENOMEM;
    if (!status) {
        char path[80];
        snprintf(path, sizeof path, "%s-{column}", file_path);
        status = rask_table_write(rask_table_select(t, "f, d"), path, RASK_TABLE_NPY, NULL);
        for (const char *c = "fd"; *c; c++) {
            snprintf(path, sizeof path, "%s-%c", file_path, *c);
            unlink(path);
        }
    }
    rask_rows_free(rows);
    rask_graph_free(g);
    return status == RASK_EGRAPH ? RASK_ENOMEM : status;
}

Test(arrow, writing_files_survives_every_failed_allocation)
{
    size_t size;
    free(small_file(RASK_TABLE_ARROW, &size));
    sweep(write_small_file, 60);
    unlink(file_path);
}

/* -- Out of memory */

static int round_trip(void)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    const int32_t ends[] = {0, 3, 6};
    rask_graph *g = rask_graph_new();
    rask_rows *rows = g ? rows_of_all_types(g) : NULL;
    struct ArrowSchema f = field(NULL, "u");
    struct ArrowArray d = values(2, (const void *const[]){NULL, ends, "annbob"}, 3);
    one o = column_of("c", 2, (const void *const[]){NULL, (int8_t[]){1, 0}}, 2);
    o.field.dictionary = &f;
    o.column.dictionary = &d;
    wrap(&o);
    rask_table_from_arrow(g, &o.schema, &o.array);
    int status = rows ? rask_rows_arrow(rows, &schema, &array) : RASK_ENOMEM;
    struct ArrowArrayStream stream = {0};
    if (rows && !status && rask_rows_arrow_stream(rows, &stream) == RASK_OK)
        rask_table_from_arrow_stream(g, &stream);
    rask_rows_free(rows);
    rows = NULL;
    if (!status)
        status = rask_table_compute(rask_table_from_arrow(g, &schema, &array), NULL, &rows);
    if (status == RASK_EGRAPH)
        status = RASK_ENOMEM;
    rask_rows_free(rows);
    rask_graph_free(g);
    cr_assert_eq(alive, 0);
    return status;
}

Test(arrow, a_round_trip_survives_every_failed_allocation)
{
    sweep(round_trip, 60);
}
