/* Tables from memory and to it: Arrow's C Data Interface in every format, columns of the program's, computed rows. */
#include "arrow_rows.h"

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

Test(arrow, a_column_of_nulls_goes_where_any_type_does)
{
    one o = column_of("n", 2, NULL, 0);
    rask_graph *g = rask_graph_new();
    wrap(&o);
    rask_table *t = rask_table_from_arrow(g, &o.schema, &o.array);
    cr_expect_str_eq(
        printed(rask_table_groupby(rask_table_filter(t, "is_null(x + 1)"), "x", "sum(x), count()")), "~ 0 2");
    rask_graph_free(g);
    cr_expect_eq(alive, 0);
}

/* Its values are none, and so are its indices' meanings. */
Test(arrow, a_dictionary_of_nulls_is_read_as_nulls)
{
    const int8_t indices[] = {0, 1, 0};
    one o = column_of("c", 3, (const void *const[]){NULL, indices}, 2);
    struct ArrowSchema nothing = field("", "n");
    struct ArrowArray nulls = values(2, NULL, 0);
    o.field.dictionary = &nothing;
    o.column.dictionary = &nulls;
    rask_graph *g = rask_graph_new();
    wrap(&o);
    cr_expect_str_eq(printed(rask_table_from_arrow(g, &o.schema, &o.array)), "~ ~ ~");
    rask_graph_free(g);
    cr_expect_eq(alive, 0);
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
    const rask_column columns[] = {
        {.name = "id", .type = RASK_COL_I64, .as.i64 = ids},
        {.name = "group", .type = RASK_COL_I64, .as.i64 = groups},
        {.name = "name", .type = RASK_COL_TEXT, .as.offsets = ends, .bytes = bytes}};
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
        {.name = "x", .type = RASK_COL_TEXT, .as.offsets = ends, .bytes = "ab"},
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
    cr_expect_eq(array.children[5]->buffers[1], c.as.offsets);
    rask_rows_free(rows);
    cr_expect_str_eq(printed(rask_table_from_arrow(g, &schema, &array)), wanted);
    rask_graph_free(g);
}

/* A column of nulls alone is of its expression's type, and of Arrow's null type where that has none. */
Test(arrow, columns_without_a_value_go_out_by_the_type_of_their_expression)
{
    static const char *const values[] = {"null", "float(null)", "x * null", "x > null", "date(null)"},
                             *const formats[] = {"l", "n", "g", "l", "b", "tdD"};
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    static const int64_t ones[] = {1, 2};
    const rask_column x = {.name = "x", .type = RASK_COL_I64, .as.i64 = ones};
    struct ArrowSchema schema;
    struct ArrowArray array;
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_from_columns(g, &x, 1, 2);
    rask_rows *rows = NULL;
    for (int i = 0; i < 5; i++)
        t = rask_table_with(t, names[i], values[i]);
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_rows_arrow(rows, &schema, &array), RASK_OK);
    for (int i = 0; i < 6; i++)
        cr_expect_str_eq(schema.children[i]->format, formats[i]);
    cr_expect_eq(array.children[1]->n_buffers, 0);
    cr_expect_eq(array.children[1]->null_count, 2);
    t = rask_table_select(rask_table_with(rask_table_from_arrow(g, &schema, &array), "y", "coalesce(a, x)"),
                          "a, y");
    cr_expect_str_eq(printed(t), "~ 1 ~ 2");
    t = rask_table_select(rask_table_with(rask_table_from_rows(g, rows), "y", "coalesce(a, x)"), "a, y");
    cr_expect_str_eq(printed(t), "~ 1 ~ 2", "a table of the rows has it without a type, too");
    rask_rows_free(rows);
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
                           .as.offsets = ends,
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
