/* The calls of rask/bag.h: what they refuse, what they compute, and what is left when something fails. */
#include "../../failing_allocator.h"
#include "../../folder.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char text[] = "the quick brown fox\n"
                           "jumps over the lazy dog\r\n"
                           "\n"
                           "the end\n"
                           "abc";

static void enter(void)
{
    enter_folder(".txt", text);
}

TestSuite(bag, .init = enter, .fini = leave_folder);

static rask_bag *read_blocks(rask_graph *g, uint64_t bytes)
{
    rask_read_text_options options = RASK_READ_TEXT_OPTIONS_INIT;
    options.block_bytes = bytes;
    return rask_read_text(g, path, &options);
}

/* -- Records as text: "a 1|b 2|" */

static size_t print_item(const rask_item *item, char *out, size_t room)
{
    switch (item->type) {
    case 'y': return (size_t)snprintf(out, room, "%.*s", (int)item->as.bytes.len, item->as.bytes.data);
    case 'i': return (size_t)snprintf(out, room, "%lld", (long long)item->as.i64);
    case 'd': return (size_t)snprintf(out, room, "%g", item->as.f64);
    case 'x': return (size_t)snprintf(out, room, "<%zu>", item->as.bytes.len);
    default: return (size_t)snprintf(out, room, "-");
    }
}

static void print_records(const rask_records *records, char *out, size_t room)
{
    size_t used = 0;
    *out = 0;
    for (uint64_t i = 0; i < rask_records_count(records); i++) {
        rask_record record;
        cr_assert_eq(rask_records_get(records, i, &record), RASK_OK);
        for (uint32_t k = 0; k < record.count; k++) {
            used += (size_t)snprintf(out + used, room - used, "%s", k ? " " : "");
            used += print_item(&record.items[k], out + used, room - used);
        }
        used += (size_t)snprintf(out + used, room - used, "|");
        cr_assert_lt(used, room);
    }
}

static void expect_bag_with(rask_bag *bag, const rask_options *options, const char *expected)
{
    char printed[4096];
    rask_records *records = NULL;
    int status = rask_bag_compute(bag, options, &records);
    cr_assert_eq(status, RASK_OK, "%s", bag ? rask_graph_error(rask_bag_graph(bag)) : "no bag");
    cr_assert_str_eq(rask_records_types(records), rask_bag_types(bag));
    print_records(records, printed, sizeof printed);
    rask_records_free(records);
    cr_assert_str_eq(printed, expected);
}

static void expect_bag(rask_bag *bag, const char *expected)
{
    expect_bag_with(bag, NULL, expected);
}

static void expect_failure(rask_bag *bag, int status, const char *message)
{
    rask_records *records = (rask_records *)&records;
    cr_assert_eq(rask_bag_compute(bag, NULL, &records), status, "%s", rask_graph_error(rask_bag_graph(bag)));
    cr_assert_eq(records, (rask_records *)&records);
    const char *error = rask_graph_error(rask_bag_graph(bag));
    cr_assert(strstr(error, message), "%s does not say %s", error, message);
}

/* -- Functions */

static int length(rask_bag_out *out, const rask_record *record, void *context)
{
    (void)context;
    return rask_bag_emit_i64(out, (int64_t)rask_record_bytes(record, 0).len);
}

static int half(rask_bag_out *out, const rask_record *record, void *context)
{
    (void)context;
    return rask_bag_emit_f64(out, rask_record_f64(record, 0) / 2);
}

static int twice(rask_bag_out *out, const rask_record *record, void *context)
{
    (void)context;
    int status = rask_bag_emit(out, record->items, record->count);
    return status ? status : rask_bag_emit(out, record->items, record->count);
}

static int with_length(rask_bag_out *out, const rask_record *record, void *context)
{
    const rask_item items[] = {
        record->items[0], rask_item_i64((int64_t)rask_record_bytes(record, 0).len + *(int64_t *)context)};
    return rask_bag_emit(out, items, 2);
}

typedef struct point {
    double x;
    int32_t n;
} point;

static int to_point(rask_bag_out *out, const rask_record *record, void *context)
{
    (void)context;
    point p;
    memset(&p, 0, sizeof p);
    p = (point){(double)record->items[0].as.i64, 7};
    return rask_bag_emit_struct(out, &p, sizeof p);
}

static int from_point(rask_bag_out *out, const rask_record *record, void *context)
{
    (void)context;
    const point *p = (const point *)(const void *)record->items[0].as.bytes.data;
    return rask_bag_emit_f64(out, p->x + p->n);
}

static int refuse_end(rask_bag_out *out, const rask_record *record, void *context)
{
    (void)context;
    rask_bytes line = rask_record_bytes(record, 0);
    return line.len >= 3 && !memcmp(line.data, "abc", 3)
               ? rask_bag_fail(out, RASK_ERANGE, "no letters please")
               : rask_bag_emit(out, record->items, 1);
}

static bool is_long(const rask_record *record, void *context)
{
    return rask_record_bytes(record, 0).len > *(size_t *)context;
}

static bool has_number(const rask_record *record, void *context)
{
    (void)context;
    return record->items[0].type == 'i';
}

static int add(void *state, const rask_record *record, void *context)
{
    (void)context;
    *(int64_t *)state += rask_record_i64(record, record->count - 1);
    return 0;
}

static int combine(void *state, const void *more, void *context)
{
    (void)context;
    *(int64_t *)state += *(const int64_t *)more;
    return 0;
}

/* The key of the first record, how many there are, and the last one's second field. */
static int describe(rask_bag_out *out, const rask_records *records, void *context)
{
    (void)context;
    rask_record first, last;
    cr_assert_eq(rask_records_get(records, rask_records_count(records), &first), RASK_EINVAL);
    if (!rask_records_count(records))
        return RASK_OK;
    rask_records_get(records, 0, &first);
    rask_records_get(records, rask_records_count(records) - 1, &last);
    const rask_item items[] = {first.items[0], rask_item_i64((int64_t)rask_records_count(records)),
                               rask_item_i64(rask_record_i64(&last, 1))};
    return rask_bag_emit(out, items, 3);
}

static int by_length(const rask_record *a, const rask_record *b, void *context)
{
    (void)context;
    size_t x = rask_record_bytes(a, 0).len, y = rask_record_bytes(b, 0).len;
    return (x < y) - (x > y);
}

/* -- Reading */

Test(bag, lines_have_no_ends)
{
    rask_graph *g = rask_graph_new();
    rask_bag *lines = rask_read_text(g, path, NULL);
    cr_assert_str_eq(rask_bag_types(lines), "y");
    cr_assert_eq(rask_bag_graph(lines), g);
    expect_bag(lines, "the quick brown fox|jumps over the lazy dog||the end|abc|");
    expect_bag(rask_bag_count(lines), "5|");
    rask_graph_free(g);
}

Test(bag, a_mark_is_no_part_of_the_first_line)
{
    rask_graph *g = rask_graph_new();
    write_text(path, "\xef\xbb\xbfone\n\xef\xbb\xbftwo");
    expect_bag(rask_read_text(g, path, NULL), "one|\xef\xbb\xbftwo|");
    expect_bag(rask_bag_count(rask_read_text(g, path, NULL)), "2|");
    write_text(path, "\xef\xbb\xbf");
    expect_bag(rask_read_text(g, path, NULL), "");
    expect_bag(rask_bag_count(rask_read_text(g, path, NULL)), "0|");
    write_text(path, "");
    expect_bag(rask_read_text(g, path, NULL), "");
    rask_graph_free(g);
}

/* Every block size gives what one block gives. */
Test(bag, blocks_make_no_difference)
{
    static const rask_options few = {.size = sizeof few, .workers = 1},
                              serial = {.size = sizeof serial, .scheduler = "serial"};
    rask_graph *g = rask_graph_new();
    for (uint64_t block = 1; block < 70; block += block < 8 ? 1 : 9) {
        rask_bag *lines = read_blocks(g, block), *words = rask_bag_words(lines);
        expect_bag(rask_bag_count(lines), "5|");
        expect_bag_with(lines, &few, "the quick brown fox|jumps over the lazy dog||the end|abc|");
        expect_bag_with(rask_bag_topk(rask_bag_frequencies(words), 3), &serial, "the 3|abc 1|brown 1|");
        expect_bag(rask_bag_frequencies(words),
                   "over 1|brown 1|abc 1|dog 1|jumps 1|quick 1|fox 1|the 3|end 1|lazy 1|");
        expect_bag(rask_bag_take(words, 4), "the|quick|brown|fox|");
        expect_bag(rask_bag_sample(words, 0.3, 4), "fox|over|dog|");
        expect_bag(rask_bag_zip(words, rask_bag_range(g, 0, 4, 1)), "the 0|quick 1|brown 2|fox 3|");
    }
    rask_graph_free(g);
}

Test(bag, small_files_are_read_in_order_by_one_task)
{
    rask_graph *g = rask_graph_new();
    write_text(other, "one more");
    rask_report report = {0};
    const rask_options options = {.size = sizeof options, .report = &report};
    const char *const both[] = {path, other};
    rask_bag *lines = rask_read_text_files(g, both, 2, NULL);
    expect_bag_with(lines, &options, "the quick brown fox|jumps over the lazy dog||the end|abc|one more|");
    cr_assert_eq(report.tasks, 1);
    expect_bag(rask_bag_count(rask_read_text(g, folder, NULL)), "6|");
    rask_graph_free(g);
}

/* -- Memory */

Test(bag, memory_is_a_source)
{
    static const int64_t whole[] = {3, -1, 4};
    static const double real[] = {0.5, 2};
    static const point points[] = {{1, 2}, {3, 4}};
    rask_graph *g = rask_graph_new();
    expect_bag(rask_bag_from_lines(g, "a\nb\r\n\nc", 7), "a|b||c|");
    expect_bag(rask_bag_from_lines(g, "", 0), "");
    const rask_bytes bytes[] = {{"x", 1}, {NULL, 0}, {"yz", 2}};
    expect_bag(rask_bag_from_bytes(g, bytes, 3), "x||yz|");
    expect_bag(rask_bag_from_i64(g, whole, 3, true), "3|-1|4|");
    expect_bag(rask_bag_from_i64(g, whole, 3, false), "3|-1|4|");
    expect_bag(rask_bag_from_f64(g, real, 2, true), "0.5|2|");
    expect_bag(
        rask_bag_map(rask_bag_from_structs(g, points, 2, sizeof *points, true), from_point, .result = "d"),
        "3|7|");
    expect_bag(rask_bag_range(g, 5, -6, -5), "5|0|-5|");
    expect_bag(rask_bag_range(g, 5, 5, 1), "");
    expect_bag(rask_bag_count(rask_bag_range(g, 0, 5000000, 2)), "2500000|");
    expect_bag(rask_bag_max(rask_bag_range(g, INT64_MIN, INT64_MAX, INT64_MAX)), "9223372036854775806|");
    rask_graph_free(g);
}

Test(bag, records_may_have_nothing_in_a_field)
{
    rask_graph *g = rask_graph_new();
    const rask_record records[] = {{2, {rask_item_bytes("a", 1), rask_item_i64(1)}},
                                   {2, {rask_item_none(), rask_item_i64(2)}},
                                   {2, {rask_item_bytes("b", 1), rask_item_none()}}};
    rask_bag *bag = rask_bag_from_records(g, records, 3, "yi", 0);
    expect_bag(bag, "a 1|- 2|b -|");
    expect_bag(rask_bag_pick(bag, ((const uint32_t[]){1, 0, 1}), 3), "1 a 1|2 - 2|- b -|");
    expect_bag(rask_bag_sum(rask_bag_pick(bag, ((const uint32_t[]){1}), 1)), "3|");
    expect_bag(rask_bag_count(rask_bag_distinct(bag)), "3|");
    expect_bag(rask_bag_topk(bag, 5), "- 2|a 1|b -|");
    expect_bag(rask_bag_count(rask_bag_join(bag, bag, RASK_JOIN_INNER)), "2|");
    expect_bag(rask_bag_count(rask_bag_join(bag, bag, RASK_JOIN_OUTER)), "4|");
    rask_graph_free(g);
}

/* -- Steps */

Test(bag, steps_go_record_by_record)
{
    rask_graph *g = rask_graph_new();
    size_t five = 5;
    int64_t hundred = 100;
    rask_bag *lines = rask_read_text(g, path, NULL), *words = rask_bag_words(lines);
    expect_bag(rask_bag_map(lines, length, .result = "i"), "19|23|0|7|3|");
    expect_bag(rask_bag_map(rask_bag_map(lines, length, .result = "i"), half, .result = "d"),
               "9.5|11.5|0|3.5|1.5|");
    expect_bag(rask_bag_flat_map(rask_bag_filter(lines, is_long, &five), twice),
               "the quick brown fox|the quick brown fox|jumps over the lazy dog|jumps over the lazy dog|the "
               "end|the end|");
    expect_bag(rask_bag_map(rask_bag_take(words, 2), with_length, .result = "yi", .context = &hundred),
               "the 103|quick 105|");
    expect_bag(rask_bag_pluck(lines, 1, ' '), "quick|over|-|end|-|");
    expect_bag(rask_bag_pluck(lines, 0, ' '), "the|jumps||the|abc|");
    rask_bag *points =
        rask_bag_map(rask_bag_range(g, 0, 3, 1), to_point, .result = "x", .struct_size = sizeof(point));
    expect_bag(points, "<16>|<16>|<16>|");
    expect_bag(rask_bag_map(points, from_point, .result = "d"), "7|8|9|");
    rask_graph_free(g);
}

Test(bag, a_failing_function_is_named_with_file_and_line)
{
    rask_graph *g = rask_graph_new();
    for (uint64_t block = 1; block < 60; block += 10) {
        rask_bag *lines = read_blocks(g, block);
        expect_failure(rask_bag_count(rask_bag_map(lines, refuse_end)), RASK_ERANGE,
                       "in.txt:5: refuse_end: no letters please");
        expect_failure(rask_bag_map(rask_bag_words(lines), refuse_end), RASK_ERANGE,
                       "in.txt:5: refuse_end: no letters please");
    }
    rask_bag *lines = rask_read_text(g, path, NULL);
    expect_failure(rask_bag_map(lines, twice), RASK_EINVAL, "in.txt:1: twice: made 2 records of one");
    expect_failure(rask_bag_map(lines, length), RASK_ETYPE, "length: made a record that is not \"y\"");
    expect_failure(rask_bag_map(rask_bag_range(g, 3, 9, 1), twice), RASK_EINVAL, "record 1: twice");
    rask_graph_free(g);
}

static int released;

static void release(void *context)
{
    released += *(int *)context;
}

Test(bag, contexts_are_released_when_the_graph_ends)
{
    int three = 3;
    rask_graph *g = rask_graph_new();
    rask_bag *lines = rask_read_text(g, path, NULL);
    rask_bag_map(lines, twice, .context = &three, .release = release);
    rask_bag_fold(lines, add, combine, .result = 'i', .context = &three, .release = release);
    rask_bag_groupby(lines, describe, .result = "yii", .context = &three, .release = release);
    cr_assert_eq(released, 0);
    rask_graph_free(g);
    cr_assert_eq(released, 9);
}

/* -- JSON */

static bool is_last(const rask_record *record, void *context)
{
    (void)context;
    return rask_record_bytes(record, 0).len == 28;
}

Test(bag, fields_of_json_lines)
{
    rask_graph *g = rask_graph_new();
    write_text(path,
               "{\"user\": {\"name\": \"ann\", \"tags\": [\"a\", {\"n\": 2}]}, \"amount\": 1.5, \"id\": 7}\n"
               "\n"
               "{\"user\": {\"name\": null, \"tags\": []}, \"amount\": 2, \"id\": -3}\r\n"
               "[1]\n");
    rask_bag *lines = rask_read_text(g, path, NULL);
    expect_bag(rask_bag_json_field(lines, "user.name"), "ann|-|-|");
    expect_bag(rask_bag_json(lines, "user.tags[1].n, amount , id,user.tags", "idiy"),
               "2 1.5 7 [\"a\",{\"n\":2}]|- 2 -3 []|- - - -|");
    expect_bag(rask_bag_sum(rask_bag_json_number(lines, "amount")), "3.5|");
    expect_bag(rask_bag_json_field(lines, "[0]"), "-|-|1|");
    expect_failure(rask_bag_json_number(lines, "user"), RASK_ETYPE, "in.txt:1: json: \"user\" is no number");
    expect_failure(rask_bag_json(lines, "amount", "i"), RASK_ERANGE, "in.txt:1: json: \"amount\" is 1.5");
    expect_failure(rask_bag_json(lines, "amount", "i"), RASK_ERANGE, "is 1.5, no int64");
    write_text(path, "{}\n{} x\n");
    expect_failure(rask_bag_json_field(rask_read_text(g, path, NULL), "a"), RASK_EFORMAT, "in.txt:2: json: ");
    rask_graph_free(g);
}

Test(bag, numbers_of_json_have_all_their_digits)
{
    static const char numbers[] =
        "{\"7 \\\" 8\": [-9007199254740993, {\"a\": 1}], \"id\": 9007199254740993, \"far\": 1e400, \"b\": "
        "2}\n"
        "{\"id\": 9223372036854775807, \"far\": 1e20, \"7 \\\" 8\": [1.50, 12345678901234567890]}\n"
        "{\"id\": -9223372036854775808, \"id\": 9007199254740995}\n"
        "{\"far\": 9223372036854775808}\n";
    rask_graph *g = rask_graph_new();
    write_text(path, numbers);
    rask_bag *lines = rask_read_text(g, path, NULL);
    expect_bag(rask_bag_json(lines, "id, b, id", "iiy"),
               "9007199254740993 2 9007199254740993|9223372036854775807 - 9223372036854775807|"
               "-9223372036854775808 - -9223372036854775808|- - -|");
    expect_bag(
        rask_bag_json(lines, "7 \" 8, far", "yy"),
        "[-9007199254740993,{\"a\":1}] 1e400|[1.5,12345678901234567890] 1e20|- -|- 9223372036854775808|");
    expect_bag(rask_bag_json(lines, "id, id", "di"),
               "9.0072e+15 9007199254740993|9.22337e+18 9223372036854775807|"
               "-9.22337e+18 -9223372036854775808|- -|");
    expect_failure(rask_bag_json_number(lines, "far"), RASK_ERANGE, "in.txt:1: json: \"far\" is too large");
    expect_failure(rask_bag_json(rask_bag_filter(lines, is_last, NULL), "far", "i"), RASK_ERANGE,
                   "in.txt:4: json: \"far\" is 9.2233720368547758e+18, no int64");
    const rask_bytes bare = {"[9007199254740993]", 18};
    expect_bag(rask_bag_json(rask_bag_from_bytes(g, &bare, 1), "[0]", "y"), "9007199254740993|");
    rask_graph_free(g);
}

/* -- Reductions */

Test(bag, numbers_of_all_records)
{
    static const double real[] = {1e308, 1e308, -1e308, 1, -1e308};
    static const int64_t whole[] = {INT64_MAX, 1, -5, 3};
    rask_graph *g = rask_graph_new();
    rask_bag *d = rask_bag_from_f64(g, real, 5, true), *i = rask_bag_from_i64(g, whole + 1, 3, true),
             *none = rask_bag_range(g, 0, 0, 1);
    expect_bag(rask_bag_sum(d), "1|");
    expect_bag(rask_bag_mean(i), "-0.333333|");
    expect_bag(rask_bag_std(i, 0), "3.39935|");
    expect_bag(rask_bag_std(i, 1), "4.16333|");
    expect_bag(rask_bag_sum(i), "-1|");
    expect_bag(rask_bag_min(i), "-5|");
    expect_bag(rask_bag_max(i), "3|");
    expect_bag(rask_bag_sum(none), "0|");
    expect_bag(rask_bag_min(none), "-|");
    expect_bag(rask_bag_count(none), "0|");
    expect_bag(rask_bag_max(rask_read_text(g, path, NULL)), "the quick brown fox|");
    rask_records *records = NULL;
    rask_record record;
    cr_assert_eq(rask_bag_compute(rask_bag_mean(none), NULL, &records), RASK_OK);
    cr_assert_eq(rask_records_get(records, 0, &record), RASK_OK);
    cr_assert(isnan(record.items[0].as.f64));
    rask_records_free(records);
    expect_failure(rask_bag_sum(rask_bag_from_i64(g, whole, 2, true)), RASK_ERANGE, "rask_bag_sum: the sum");
    rask_graph_free(g);
}

Test(bag, folds_begin_with_what_they_were_given)
{
    const int64_t initial = 0;
    rask_graph *g = rask_graph_new();
    rask_bag *lengths = rask_bag_map(rask_bag_words(read_blocks(g, 3)), length, .result = "i");
    expect_bag(rask_bag_fold(lengths, add, combine, .result = 'i', .initial = &initial), "44|");
    expect_bag(rask_bag_fold(rask_bag_range(g, 0, 0, 1), add, combine, .result = 'i'), "0|");
    rask_graph_free(g);
}

Test(bag, the_first_of_an_order)
{
    rask_graph *g = rask_graph_new();
    rask_bag *words = rask_bag_words(read_blocks(g, 9));
    expect_bag(rask_bag_topk_by(words, 4, by_length, NULL), "quick|brown|jumps|over|");
    expect_bag(rask_bag_topk(rask_bag_range(g, 0, 1000, 1), 3), "999|998|997|");
    expect_bag(rask_bag_topk(rask_bag_range(g, 0, 3, 1), 30), "2|1|0|");
    expect_bag(rask_bag_topk(rask_bag_range(g, 0, 3, 1), 0), "");
    expect_bag(rask_bag_topk(words, 2), "the|the|");
    expect_bag(rask_bag_take(rask_bag_frequencies(words), 2), "over 1|brown 1|");
    expect_bag(rask_bag_take(words, 0), "");
    rask_graph_free(g);
}

/* -- Keys */

Test(bag, records_come_together_by_key)
{
    rask_graph *g = rask_graph_new();
    rask_bag *words = rask_bag_words(read_blocks(g, 7)),
             *pairs = rask_bag_zip(words, rask_bag_range(g, 0, 99, 3));
    expect_bag(rask_bag_foldby(pairs, add, combine, .result = 'i'),
               "over 15|brown 6|abc 33|dog 24|jumps 12|quick 3|fox 9|the 45|end 30|lazy 21|");
    expect_bag(
        rask_bag_groupby(pairs, describe, .result = "yii"),
        "over 1 15|brown 1 6|abc 1 33|dog 1 24|jumps 1 12|quick 1 3|fox 1 9|the 3 27|end 1 30|lazy 1 21|");
    expect_bag(rask_bag_distinct(words), "over|brown|abc|dog|jumps|quick|fox|the|end|lazy|");
    rask_graph_free(g);
}

Test(bag, joins_of_every_kind)
{
    rask_graph *g = rask_graph_new();
    const rask_record l[] = {{2, {rask_item_i64(1), rask_item_bytes("a", 1)}},
                             {2, {rask_item_i64(2), rask_item_bytes("b", 1)}},
                             {2, {rask_item_i64(1), rask_item_bytes("c", 1)}}},
                      r[] = {{2, {rask_item_i64(1), rask_item_f64(0.5)}},
                             {2, {rask_item_i64(3), rask_item_f64(1.5)}},
                             {2, {rask_item_i64(1), rask_item_f64(2.5)}}};
    rask_bag *left = rask_bag_from_records(g, l, 3, "iy", 0);
    rask_bag *right = rask_bag_from_records(g, r, 3, "id", 0);
    expect_bag(rask_bag_join(left, right, RASK_JOIN_INNER), "1 a 0.5|1 a 2.5|1 c 0.5|1 c 2.5|");
    expect_bag(rask_bag_join(left, right, RASK_JOIN_SEMI), "1 a|1 c|");
    expect_bag(rask_bag_join(left, right, RASK_JOIN_ANTI), "2 b|");
    rask_bag *sides[] = {rask_bag_join(left, right, RASK_JOIN_LEFT),
                         rask_bag_join(left, right, RASK_JOIN_RIGHT),
                         rask_bag_join(left, right, RASK_JOIN_OUTER)};
    static const int counts[] = {5, 5, 6};
    for (int i = 0; i < 3; i++) {
        int64_t n = 0;
        cr_assert_eq(rask_compute(rask_bag_count(sides[i]), &n), RASK_OK);
        cr_assert_eq(n, counts[i]);
    }
    rask_graph_free(g);
}

/* (key, number) of a number: keys come back. */
static int scramble(rask_bag_out *out, const rask_record *record, void *context)
{
    uint64_t number = (uint64_t)record->items[0].as.i64;
    char key[24];
    (void)context;
    int len = snprintf(key, sizeof key, "key %llu", (unsigned long long)(number * 2654435761u % 20011));
    const rask_item items[] = {rask_item_bytes(key, (size_t)len), record->items[0]};
    return rask_bag_emit(out, items, 2);
}

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * 1099511628211u;
    return hash;
}

static uint64_t hash_of(rask_bag *bag, const rask_options *options)
{
    uint64_t hash = 14695981039346656037u;
    rask_records *records = NULL;
    cr_assert_eq(rask_bag_compute(bag, options, &records), RASK_OK, "%s",
                 rask_graph_error(rask_bag_graph(bag)));
    for (uint64_t i = 0; i < rask_records_count(records); i++) {
        rask_record record;
        rask_records_get(records, i, &record);
        for (uint32_t k = 0; k < record.count; k++) {
            const rask_item *item = &record.items[k];
            hash = item->type == 'y' ? mix(hash, item->as.bytes.data, item->as.bytes.len)
                                     : mix(hash, &item->as, sizeof(int64_t));
        }
    }
    rask_records_free(records);
    return hash;
}

/* What memory has no room for goes to disk and comes back; in how many ranges keys went does not show. */
Test(bag, budgets_make_no_difference)
{
    rask_report report = {0};
    const rask_options large = {.size = sizeof large, .memory = (uint64_t)1 << 30, .workers = 2},
                       small = {.size = sizeof small,
                                .memory = (uint64_t)12 << 20,
                                .workers = 2,
                                .report = &report};
    rask_graph *g = rask_graph_new();
    rask_bag *pairs = rask_bag_map(rask_bag_range(g, 0, 300000, 1), scramble, .result = "yi");
    rask_bag *some = rask_bag_map(rask_bag_range(g, 0, 30000, 1), scramble, .result = "yi");
    rask_bag *all[] = {rask_bag_groupby(pairs, describe, .result = "yii"),
                       rask_bag_join(pairs, some, RASK_JOIN_LEFT),
                       rask_bag_foldby(pairs, add, combine, .result = 'i'), rask_bag_frequencies(pairs),
                       rask_bag_distinct(rask_bag_pick(pairs, ((const uint32_t[]){0}), 1))};
    uint64_t spilled = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        rask_bag *counted = i == 1 ? rask_bag_topk(all[i], 1000) : all[i];
        cr_assert_eq(hash_of(counted, &large), hash_of(counted, &small), "of operation %zu", i);
        cr_assert_leq(report.peak_bytes, small.memory);
        spilled += report.spilled_bytes;
    }
    cr_assert_gt(spilled, 0);
    rask_graph_free(g);
}

/* -- Parts */

Test(bag, parts_are_put_together_and_cut)
{
    rask_graph *g = rask_graph_new();
    rask_bag *words = rask_bag_words(read_blocks(g, 5)), *numbers = rask_bag_range(g, 0, 4, 1);
    expect_bag(rask_bag_repartition(words, 2), "the|quick|brown|fox|jumps|over|the|lazy|dog|the|end|abc|");
    expect_bag(rask_bag_repartition(numbers, 3), "0|1|2|3|");
    expect_bag(rask_bag_concat(((rask_bag *[]){numbers, rask_bag_range(g, 9, 7, -1), numbers}), 3),
               "0|1|2|3|9|8|0|1|2|3|");
    rask_bag *all = rask_bag_concat(((rask_bag *[]){words, rask_read_text(g, path, NULL)}), 2);
    expect_bag(rask_bag_map(all, length, .result = "i"), "3|5|5|3|5|4|3|4|3|3|3|3|19|23|0|7|3|");
    rask_bag *pairs = rask_bag_zip(words, rask_bag_range(g, 0, 12, 1));
    expect_bag(rask_bag_map_partitions(rask_bag_repartition(pairs, 1), describe, .result = "yii"),
               "the 12 11|");
    expect_bag(rask_bag_sample(rask_bag_repartition(words, 40), 0.4, 1), "the|over|the|lazy|dog|end|");
    expect_bag(rask_bag_sample(rask_bag_repartition(words, 2), 0.4, 1), "the|over|the|lazy|dog|end|");
    rask_graph_free(g);
}

/* -- Results */

Test(bag, a_single_number_goes_into_a_variable)
{
    rask_graph *g = rask_graph_new();
    rask_bag *lines = rask_read_text(g, path, NULL);
    int64_t n = -1;
    double f = -1;
    bool b = true;
    cr_assert_eq(rask_compute(rask_bag_count(lines), &n), RASK_OK);
    cr_assert_eq(n, 5);
    cr_assert_eq(rask_compute(rask_bag_count(lines), &f), RASK_OK);
    cr_assert_eq(f, 5);
    cr_assert_eq(rask_compute(lines, &n), RASK_ETYPE);
    cr_assert(strstr(rask_graph_error(g), "5 records \"y\""), "%s", rask_graph_error(g));
    cr_assert_eq(rask_compute(rask_bag_mean(rask_bag_range(g, 0, 2, 1)), &b), RASK_ETYPE);
    cr_assert(b);
    rask_graph_free(g);
}

Test(bag, bags_are_nodes_of_their_graph)
{
    char printed[200];
    rask_graph *g = rask_graph_new();
    rask_bag *words = rask_bag_words(rask_read_text(g, path, NULL));
    rask_node *count = rask_bag_node(rask_bag_count(words), NULL);
    rask_node *sum = rask_sum(rask_list(g, ((rask_node *[]){count, count}), 2));
    int64_t n = 0;
    cr_assert_eq(rask_compute(sum, &n), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(n, 24);
    rask_value value;
    cr_assert_eq(rask_compute(rask_bag_node(rask_bag_topk(rask_bag_frequencies(words), 2), NULL), &value),
                 RASK_OK);
    rask_value_format(&value, printed, sizeof printed);
    rask_value_unref(&value);
    cr_assert_str_eq(printed, "[[\"the\", 3], [\"abc\", 1]]");
    rask_graph_free(g);
}

Test(bag, files_are_written_whole_and_in_order)
{
    rask_graph *g = rask_graph_new();
    rask_bag *words = rask_bag_words(read_blocks(g, 4));
    const rask_record mixed[] = {
        {4, {rask_item_f64(0.1), rask_item_none(), rask_item_struct("\x01\xff", 2), rask_item_i64(-4)}},
        {4, {rask_item_f64(1e300), rask_item_bytes("a", 1), rask_item_none(), rask_item_none()}}};
    cr_assert_eq(rask_bag_write(words, other, NULL), RASK_OK, "%s", rask_graph_error(g));
    expect_file(other, "the\nquick\nbrown\nfox\njumps\nover\nthe\nlazy\ndog\nthe\nend\nabc\n");
    cr_assert_eq(rask_bag_write(rask_bag_from_records(g, mixed, 2, "dyxi", 2), other, NULL), RASK_OK);
    expect_file(other, "0.1\t\t01ff\t-4\n1e+300\ta\t\t\n");
    cr_assert_eq(rask_bag_write(rask_bag_map(words, refuse_end), other, NULL), RASK_ERANGE);
    expect_file(other, "0.1\t\t01ff\t-4\n1e+300\ta\t\t\n");
    cr_assert_eq(rask_bag_write(words, "/nowhere/x", NULL), RASK_ENOENT);
    cr_assert(strstr(rask_graph_error(g), "/nowhere/x"), "%s", rask_graph_error(g));
    cr_assert_eq(rask_bag_write(words, "", NULL), RASK_EINVAL);
    cr_assert_eq(files(), 2);
    rask_graph_free(g);
}

/* What is written is read again, from one file or from many. */
Test(bag, what_is_written_compressed_is_read_again)
{
    static const char *const names[] = {"all.txt.gz", "all.txt.zst", "part-*.txt", "part-*.gz"};
    char name[sizeof folder + 60];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rask_graph *g = rask_graph_new();
        rask_bag *words = rask_bag_words(read_blocks(g, 4));
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        int status = rask_bag_write(rask_bag_repartition(words, 3), name, NULL);
        if (status == RASK_EUNSUPPORTED) {
            rask_graph_free(g);
            continue;
        }
        cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
        cr_assert_eq(files(), strchr(name, '*') ? 4 : 2);
        expect_bag(rask_read_text(g, name, NULL), "the|quick|brown|fox|jumps|over|the|lazy|dog|the|end|abc|");
        rask_graph_free(g);
        char *star = strchr(name, '*');
        for (int k = 0; star && k < 3; k++) {
            char part[sizeof name + 8];
            snprintf(part, sizeof part, "%.*s%03d%s", (int)(star - name), name, k, star + 1);
            cr_assert_eq(unlink(part), 0);
        }
        if (!star)
            unlink(name);
    }
}

Test(bag, nothing_written_compressed_is_a_file_of_its_kind)
{
    struct stat what;
    char name[sizeof folder + 20];
    rask_graph *g = rask_graph_new();
    rask_bag *none = rask_bag_from_lines(g, "", 0);
    snprintf(name, sizeof name, "%s/none.xz", folder);
    cr_assert_eq(rask_bag_write(none, name, NULL), RASK_EUNSUPPORTED);
    cr_assert(strstr(rask_graph_error(g), "none.xz: what is written can be compressed as .gz or .zst"));
    snprintf(name, sizeof name, "%s/none.gz", folder);
    int status = rask_bag_write(none, name, NULL);
    cr_assert(status == RASK_OK || status == RASK_EUNSUPPORTED);
    cr_assert(status || (stat(name, &what) == 0 && what.st_size >= 18));
    unlink(name);
    rask_graph_free(g);
}

/* -- What is refused */

/* The first error stays, says where it was made, and all that is built on it is NULL. */
#define EXPECT_REFUSED(build, wanted, said)                                                                  \
    do {                                                                                                     \
        rask_graph *g = rask_graph_new();                                                                    \
        rask_bag *b = rask_read_text(g, path, NULL), *n = rask_bag_range(g, 0, 3, 1);                        \
        char place[80];                                                                                      \
        (void)b, (void)n;                                                                                    \
        snprintf(place, sizeof place, "test_bag.c:%d", __LINE__);                                            \
        cr_assert_null(build);                                                                               \
        const char *error = rask_graph_error(g);                                                             \
        cr_assert_eq(rask_graph_status(g), wanted, "%s", error);                                             \
        cr_assert(strstr(error, said), "%s does not say %s", error, said);                                   \
        cr_assert(strstr(error, place), "%s does not say %s", error, place);                                 \
        cr_assert_null(rask_bag_count(b));                                                                   \
        rask_records *records = (rask_records *)&records;                                                    \
        cr_assert_eq(rask_bag_compute(b, NULL, &records), wanted);                                           \
        cr_assert_eq(records, (rask_records *)&records);                                                     \
        rask_graph_free(g);                                                                                  \
    } while (0)

Test(bag, errors_of_builders_are_latched_with_their_place)
{
    const rask_read_text_options unset = {0};
    const rask_bag_function no_call = {.size = sizeof no_call};
    const rask_record record = {1, {rask_item_i64(1)}};
    EXPECT_REFUSED(rask_read_text(g, "none.txt", NULL), RASK_ENOENT, "none.txt");
    EXPECT_REFUSED(rask_read_text(g, path, &unset), RASK_EINVAL, "size is not set");
    EXPECT_REFUSED(rask_bag_range(g, 0, 1, 0), RASK_EINVAL, "a step of 0");
    EXPECT_REFUSED(rask_bag_from_records(g, &record, 1, "y", 0), RASK_ETYPE, "record 1 is not \"y\"");
    EXPECT_REFUSED(rask_bag_from_records(g, &record, 1, "q", 0), RASK_EINVAL, "no such fields");
    EXPECT_REFUSED(rask_bag_from_structs(g, "", 1, 0, true), RASK_EINVAL, "no such fields");
    EXPECT_REFUSED(rask_bag_map_at(b, NULL, __FILE__, __LINE__), RASK_EINVAL, "no function");
    EXPECT_REFUSED(rask_bag_map_at(b, &no_call, __FILE__, __LINE__), RASK_EINVAL, "no function");
    EXPECT_REFUSED(rask_bag_map(b, length, .result = "z"), RASK_EINVAL, "\"z\"");
    EXPECT_REFUSED(rask_bag_map(b, length, .result = "x"), RASK_EINVAL, "of no size");
    EXPECT_REFUSED(rask_bag_filter(b, NULL, NULL), RASK_EINVAL, "no predicate");
    EXPECT_REFUSED(rask_bag_pick(b, ((const uint32_t[]){1}), 1), RASK_EINVAL, "no field 1");
    EXPECT_REFUSED(rask_bag_words(n), RASK_ETYPE, "\"i\"");
    EXPECT_REFUSED(rask_bag_pluck(n, 0, ','), RASK_ETYPE, "\"i\"");
    EXPECT_REFUSED(rask_bag_sample(b, NAN, 0), RASK_EINVAL, "nan");
    EXPECT_REFUSED(rask_bag_sum(b), RASK_ETYPE, "\"y\"");
    EXPECT_REFUSED(rask_bag_fold(b, add, combine, .result = 'y'), RASK_EINVAL, "result");
    EXPECT_REFUSED(rask_bag_fold(b, add, NULL, .result = 'i'), RASK_EINVAL, "no functions");
    EXPECT_REFUSED(rask_bag_json(b, "a,,b", "yyy"), RASK_EINVAL, "no path");
    EXPECT_REFUSED(rask_bag_json(b, "a[x]", "y"), RASK_EINVAL, "\"a[x]\"");
    EXPECT_REFUSED(rask_bag_json(b, "a, b", "y"), RASK_EINVAL, "2 paths");
    EXPECT_REFUSED(rask_bag_join(b, n, RASK_JOIN_INNER), RASK_ETYPE, "\"y\" and \"i\"");
    EXPECT_REFUSED(rask_bag_concat(((rask_bag *[]){b, n}), 2), RASK_ETYPE, "\"y\" and \"i\"");
    EXPECT_REFUSED(rask_bag_repartition(b, 0), RASK_EINVAL, "0 parts");
    EXPECT_REFUSED(rask_bag_topk_by(b, 3, NULL, NULL), RASK_EINVAL, "compare");
}

Test(bag, no_bag_gives_no_bag)
{
    rask_records *records = NULL;
    cr_assert_null(rask_read_text(NULL, path, NULL));
    cr_assert_null(rask_bag_range(NULL, 0, 1, 1));
    cr_assert_null(rask_bag_map(NULL, length, .result = "i"));
    cr_assert_null(rask_bag_filter(NULL, is_long, NULL));
    cr_assert_null(rask_bag_words(NULL));
    cr_assert_null(rask_bag_json_field(NULL, "a"));
    cr_assert_null(rask_bag_count(NULL));
    cr_assert_null(rask_bag_take(NULL, 1));
    cr_assert_null(rask_bag_frequencies(NULL));
    cr_assert_null(rask_bag_fold(NULL, add, combine, .result = 'i'));
    cr_assert_null(rask_bag_groupby(NULL, describe, .result = "yii"));
    cr_assert_null(rask_bag_join(NULL, NULL, RASK_JOIN_INNER));
    cr_assert_null(rask_bag_zip(NULL, NULL));
    cr_assert_null(rask_bag_concat(NULL, 0));
    cr_assert_null(rask_bag_node(NULL, NULL));
    cr_assert_null(rask_bag_graph(NULL));
    cr_assert_str_eq(rask_bag_types(NULL), "");
    cr_assert_eq(rask_bag_compute(NULL, NULL, &records), RASK_EGRAPH);
    cr_assert_eq(rask_bag_write(NULL, other, NULL), RASK_EGRAPH);
    cr_assert_eq(rask_records_count(NULL), 0);
    rask_records_free(NULL);
}

Test(bag, a_tower_of_operations_has_a_height)
{
    rask_graph *g = rask_graph_new();
    rask_bag *bag = rask_bag_range(g, 0, 3, 1);
    for (int i = 0; i < 100; i++)
        bag = rask_bag_flat_map(rask_bag_pick(bag, ((const uint32_t[]){0}), 1), twice) ? bag : NULL;
    cr_assert(bag, "%s", rask_graph_error(g));
    for (int i = 0; i < 90; i++)
        bag = rask_bag_take(bag, 3);
    for (int i = 0; i < 100; i++)
        bag = rask_bag_map(bag, half, .result = "d");
    expect_bag(bag, "0|7.88861e-31|1.57772e-30|");
    cr_assert_null(rask_bag_map(bag, half, .result = "d"));
    cr_assert_eq(rask_graph_status(g), RASK_ELIMIT);
    rask_graph_free(g);
}

/* -- Memory that is not there */

static int64_t no_context;

static int compute_to_nothing(rask_bag *bag)
{
    rask_records *records = NULL;
    int status = rask_bag_compute(bag, &(rask_options){.size = sizeof(rask_options), .workers = 1}, &records);
    rask_records_free(records);
    return status == RASK_EGRAPH ? RASK_ENOMEM : status;
}

static int program_of_words(void)
{
    rask_graph *g = rask_graph_new();
    rask_bag *lines = g ? read_blocks(g, 20) : NULL, *words = rask_bag_words(lines);
    rask_bag *pairs = rask_bag_map(words, with_length, .result = "yi", .context = &no_context);
    int status = compute_to_nothing(rask_bag_topk(rask_bag_frequencies(words), 3));
    if (!status)
        status = compute_to_nothing(rask_bag_groupby(pairs, describe, .result = "yii"));
    if (!status)
        status = compute_to_nothing(rask_bag_join(pairs, words, RASK_JOIN_OUTER));
    if (!status)
        status = compute_to_nothing(rask_bag_foldby(pairs, add, combine, .result = 'i'));
    int built = g ? rask_graph_status(g) : RASK_ENOMEM;
    rask_graph_free(g);
    return built ? built : status;
}

static int program_of_numbers(void)
{
    rask_graph *g = rask_graph_new();
    rask_bag *numbers = g ? rask_bag_range(g, 0, 9, 1) : NULL;
    int status = compute_to_nothing(rask_bag_std(rask_bag_map(numbers, half, .result = "d"), 1));
    if (!status)
        status = compute_to_nothing(rask_bag_zip(numbers, rask_bag_repartition(numbers, 2)));
    if (!status)
        status = compute_to_nothing(rask_bag_max(rask_bag_take(numbers, 5)));
    if (!status)
        status = rask_bag_write(numbers, other, &(rask_options){.size = sizeof(rask_options), .workers = 1});
    int built = g ? rask_graph_status(g) : RASK_ENOMEM;
    rask_graph_free(g);
    return built ? built : status == RASK_EGRAPH ? RASK_ENOMEM : status;
}

static int program_of_lines(void)
{
    static const char lines[] = "{\"a\": {\"b\": [1, 2]}, \"c\": \"x\"}\n{\"c\": null}\n";
    rask_graph *g = rask_graph_new();
    rask_bag *bag = rask_bag_json(rask_bag_from_lines(g, lines, sizeof lines - 1), "a.b[1], c", "iy");
    rask_bag *both[] = {bag, rask_bag_filter(rask_bag_repartition(bag, 3), has_number, NULL)};
    int status =
        compute_to_nothing(rask_bag_map_partitions(rask_bag_concat(both, 2), describe, .result = "iii"));
    if (!status)
        status = compute_to_nothing(rask_bag_distinct(bag));
    if (!status)
        status = compute_to_nothing(rask_bag_topk_by(rask_bag_sample(bag, 0.5, 1), 3, by_length, NULL));
    rask_value value = rask_value_none();
    if (!status)
        status = rask_compute_value(rask_bag_node(rask_bag_frequencies(bag), NULL),
                                    &(rask_options){.size = sizeof(rask_options), .workers = 1}, &value);
    rask_value_unref(&value);
    int built = g ? rask_graph_status(g) : RASK_ENOMEM;
    rask_graph_free(g);
    return built ? built : status == RASK_EGRAPH ? RASK_ENOMEM : status;
}

enum { KEPT = 100 }; /* blocks that the pool's threads hold */

Test(bag, memory_that_is_not_there_is_an_error_and_nothing_leaks)
{
    sweep(program_of_words, KEPT);
    sweep(program_of_numbers, KEPT);
    sweep(program_of_lines, KEPT);
}
