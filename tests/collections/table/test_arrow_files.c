/* Tables in Arrow's files and streams: as they were written, and cut or damaged in any way. */
#include "../../folder.h"
#include "arrow_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const int64_t three[] = {1, 2, 3};

static void enter(void)
{
    enter_folder(".arrow", "");
}

TestSuite(arrow_files, .init = enter, .fini = leave_folder);

/* A file of these bytes; what is there already is replaced. */
static void write_file(const char *data, size_t size)
{
    FILE *out = fopen(path, "wb");
    cr_assert(out && fwrite(data, 1, size, out) == size && fclose(out) == 0);
}

/* All types in a small file or stream: its bytes are the caller's. */
static char *small_file(rask_table_format format, size_t *size)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = rows_of_all_types(g);
    cr_assert_eq(rask_table_write(rask_table_from_rows(g, rows), path, format, NULL), RASK_OK);
    rask_rows_free(rows);
    rask_graph_free(g);
    char *data = malloc(1 << 16);
    FILE *in = fopen(path, "rb");
    cr_assert(data && in);
    *size = fread(data, 1, 1 << 16, in);
    fclose(in);
    return data;
}

static int read_small_file(void)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = rask_read_arrow(g, path);
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "serial"; /* of thousands of small files */
    int status = t ? rask_table_compute(t, &o, &rows) : g ? rask_graph_status(g) : RASK_ENOMEM;
    cr_assert(!g || !status || *rask_graph_error(g));
    rask_rows_free(rows);
    rask_graph_free(g);
    return status == RASK_EGRAPH ? RASK_ENOMEM : status;
}

static void expect_as_written(rask_table_format format)
{
    char wanted[4096];
    size_t size;
    char *data = small_file(format, &size);
    rask_graph *g = rask_graph_new();
    rask_rows *rows = rows_of_all_types(g);
    strcpy(wanted, printed(rask_table_from_rows(g, rows)));
    cr_expect_str_eq(printed(rask_read_arrow(g, path)), wanted);
    const char *twice[] = {path, path};
    cr_expect_str_eq(printed(rask_table_groupby(rask_read_arrow_files(g, twice, 2), "", "sum(i), count()")),
                     "74 18");
    rask_rows_free(rows);
    rask_graph_free(g);
    free(data);
}

/* The last two need a module. */
static const rask_table_format formats[] = {RASK_TABLE_ARROW, RASK_TABLE_ARROW_STREAM, RASK_TABLE_ARROW_LZ4,
                                            RASK_TABLE_ARROW_ZSTD};

static size_t format_count(void)
{
    rk_open_error ignored;
    return rk_bodies_load("", &ignored) ? 4 : 2;
}

/* Of one column x, which is what an expression gives, in three rows. */
static char *file_of(const char *expression, rask_table_format format)
{
    const rask_column column = {.name = "x", .type = RASK_COL_I64, .as.i64 = three};
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_with(rask_table_from_columns(g, &column, 1, 3), "x", expression);
    char *name = malloc(64);
    snprintf(name, 64, "%s/%.4s.arrow", folder, expression);
    cr_assert_eq(rask_table_write(t, name, format, NULL), RASK_OK, "%s", rask_graph_error(g));
    rask_graph_free(g);
    return name;
}

static void expect_nulls(rask_table_format format)
{
    char *nulls = file_of("null", format), *numbers = file_of("x * 2", format),
         *dates = file_of("date(x)", format);
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_read_arrow(g, nulls);
    cr_expect_eq(rask_table_type(t, 0), RASK_COL_TEXT);
    cr_expect_str_eq(printed(rask_table_with(t, "y", "coalesce(x, 5)")), "~ 5 ~ 5 ~ 5");
    cr_expect_str_eq(printed(rask_table_groupby(t, "x", "sum(x), count()")), "~ 0 3");
    t = rask_read_arrow_files(g, ((const char *const[]){nulls, numbers, nulls}), 3);
    cr_expect_eq(rask_table_type(t, 0), RASK_COL_I64);
    cr_expect_str_eq(printed(t), "~ ~ ~ 2 4 6 ~ ~ ~");
    cr_expect_null(rask_read_arrow_files(g, ((const char *const[]){nulls, numbers, dates}), 3));
    cr_expect(
        strstr(rask_graph_error(g), "date.arrow: column \"x\" is date, and int64 in the files before it"),
        "%s", rask_graph_error(g));
    rask_graph_free(g);
    char *const names[] = {nulls, numbers, dates};
    for (int i = 0; i < 3; i++) {
        unlink(names[i]);
        free(names[i]);
    }
}

Test(arrow_files, columns_without_a_value_are_null_and_go_with_those_of_other_files)
{
    expect_nulls(RASK_TABLE_ARROW);
    expect_nulls(RASK_TABLE_ARROW_STREAM);
}

Test(arrow_files, files_and_streams_are_read_as_they_were_written)
{
    for (size_t i = 0; i < format_count(); i++)
        expect_as_written(formats[i]);
}

/* -- Many files */

/* NAME of the folder: count columns of three numbers; its name. */
static const char *numbers_file(const char *name, const char *const *columns, uint32_t count)
{
    static char file[sizeof folder + 40];
    rask_column list[3] = {{0}};
    for (uint32_t i = 0; i < count; i++)
        list[i] = (rask_column){.name = columns[i], .type = RASK_COL_I64, .as.i64 = three};
    rask_graph *g = rask_graph_new();
    snprintf(file, sizeof file, "%s/%s", folder, name);
    cr_assert_eq(rask_table_write(rask_table_from_columns(g, list, count, 3), file, RASK_TABLE_ARROW, NULL),
                 0);
    rask_graph_free(g);
    return file;
}

static void expect_mismatch(const char *const *columns, uint32_t count, const char *wanted)
{
    rask_graph *g = rask_graph_new();
    const char *name = numbers_file("z.arrow", columns, count);
    cr_expect_null(rask_read_table(g, folder, NULL));
    cr_expect_eq(rask_graph_status(g), RASK_EFORMAT);
    cr_expect(strstr(rask_graph_error(g), wanted), "%s", rask_graph_error(g));
    rask_graph_free(g);
    unlink(name);
}

Test(arrow_files, all_have_the_columns_of_the_first_in_its_order)
{
    static const char *const ab[] = {"a", "b"}, *const ba[] = {"b", "a"}, *const ac[] = {"a", "c"},
                             *const abc[] = {"a", "b", "c"};
    unlink(path);
    const char *first = numbers_file("in.arrow", ab, 2);
    expect_mismatch(ba, 2, "z.arrow: the columns are in another order than in ");
    expect_mismatch(ba, 2, "in.arrow: column 1 is \"b\", not \"a\"");
    expect_mismatch(ac, 2, "z.arrow: no column \"b\", which ");
    expect_mismatch(ab, 1, "z.arrow: no column \"b\", which ");
    expect_mismatch(abc, 3, "z.arrow: a column \"c\", which ");
    unlink(first);
}

static int count_open(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

/* And not all of them are open at once: a process may have but so many. */
Test(arrow_files, a_folder_of_many_files_is_one_table)
{
    enum { FILES = 80 };
    char name[20];
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    unlink(path);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "%02d.arrow", i);
        numbers_file(name, (const char *const[]){"a"}, 1);
    }
    int before = count_open();
    rask_table *t = rask_read_table(g, folder, NULL);
    cr_expect_lt(count_open() - before, 10);
    cr_expect_str_eq(printed(rask_table_groupby(t, "", "count(), sum(a)")), "240 480");
    snprintf(path, sizeof path, "%s/79.arrow", folder);
    numbers_file("79.arrow", (const char *const[]){"a", "b"}, 2);
    cr_expect_eq(rask_table_compute(t, NULL, &rows), RASK_EIO);
    cr_expect(strstr(rask_graph_error(g), "79.arrow: changed while it was read"), "%s", rask_graph_error(g));
    rask_graph_free(g);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "%s/%02d.arrow", folder, i);
        unlink(path);
    }
}

Test(arrow_files, files_of_both_kinds_are_refused_with_their_names)
{
    rask_graph *g = rask_graph_new();
    unlink(path);
    const char *arrow = numbers_file("a.arrow", (const char *const[]){"a"}, 1);
    snprintf(path, sizeof path, "%s/b.csv", folder);
    write_text(path, "a\n1\n");
    cr_expect_null(rask_read_table(g, folder, NULL));
    cr_expect_eq(rask_graph_status(g), RASK_EFORMAT);
    cr_expect(strstr(rask_graph_error(g), "a.arrow is an Arrow file and "), "%s", rask_graph_error(g));
    cr_expect(strstr(rask_graph_error(g), "b.csv is none: "), "%s", rask_graph_error(g));
    rask_graph_free(g);
    unlink(arrow);
    g = rask_graph_new();
    cr_expect_str_eq(printed(rask_read_table(g, folder, NULL)), "1");
    rask_graph_free(g);
}

/* What reading a file fails with when the length before its first compressed buffer is another. */
static void expect_length_refused(const char *data, size_t size, int64_t length, const char *wanted)
{
    char message[200];
    rk_arrow_file file;
    rk_open_error error = {0};
    write_file(data, size);
    cr_assert_eq(rk_arrow_file_open(&file, path, &error), RASK_OK, "%s", error.message);
    const rk_arrow_range *range = NULL;
    const rk_arrow_chunk *chunks = file.chunks.data;
    for (size_t i = 0; !range; i++)
        range = chunks[i].buffers[1].packed ? &chunks[i].buffers[1] : NULL;
    char *damaged = malloc(size);
    memcpy(damaged, data, size);
    memcpy(damaged + range->place - sizeof length, &length, sizeof length);
    rk_arrow_file_close(&file);
    write_file(damaged, size);
    free(damaged);
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = rask_read_arrow(g, path);
    cr_expect_neq(rask_table_compute(t, NULL, &rows), RASK_OK);
    snprintf(message, sizeof message, "%.199s", rask_graph_error(g));
    cr_expect(strstr(message, wanted), "%" PRId64 ": %s", length, message);
    rask_graph_free(g);
}

Test(arrow_files, lengths_of_compressed_buffers_are_not_believed)
{
    static const int64_t zeros[1000];
    for (size_t i = 2; i < format_count(); i++) {
        size_t size;
        char *data = malloc(1 << 16);
        const rask_column number = {.name = "i", .type = RASK_COL_I64, .as.i64 = zeros};
        rask_graph *g = rask_graph_new();
        cr_assert_eq(rask_table_write(rask_table_from_columns(g, &number, 1, 1000), path, formats[i], NULL),
                     0);
        FILE *in = fopen(path, "rb");
        size = fread(data, 1, 1 << 16, in);
        fclose(in);
        expect_length_refused(data, size, -2, "a batch whose columns are not in it");
        expect_length_refused(data, size, INT64_MAX, "a batch whose columns are not in it");
        expect_length_refused(data, size, 7999, "a batch whose buffers are too short");
        expect_length_refused(data, size, 8001, "holds more or fewer bytes than it says");
        rask_graph_free(g);
        free(data);
    }
}

/* Cut anywhere: a stream may end behind any message, a file nowhere but at its end. */
Test(arrow_files, files_that_are_cut_are_refused_or_streams_that_end)
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
}

Test(arrow_files, any_byte_of_a_file_may_be_another)
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
}

/* What is printed of the rows in the file, or of aggregates of them; "" when it is refused, or one of its rows is. */
static void print_file(const char *query, char out[4096])
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_table *t = rask_read_arrow(g, path);
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
    cr_assert_eq(rk_arrow_file_open(&file, path, &error), RASK_OK, "%s", error.message);
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
    FILE *file = fopen(path, "r+b");
    for (size_t at = 0; at < size; at = at + 1 == head ? footer : at + 1)
        for (size_t i = 0; i < count; i++) {
            char flipped = (char)((uint8_t)data[at] ^ flips[i]);
            cr_assert(pwrite(fileno(file), &flipped, 1, (off_t)at) == 1);
            print_file(query, got);
            cr_expect(!*got || strcmp(got, wanted) == 0, "byte %zu from %d to %d: %.200s", at, data[at],
                      flipped, got);
            cr_assert(pwrite(fileno(file), &data[at], 1, (off_t)at) == 1);
        }
    fclose(file);
    free(data);
}

Test(arrow_files, no_byte_of_head_and_footer_makes_other_rows)
{
    size_t size;
    static const uint8_t flips[] = {2, 26, 192};
    for (size_t i = 0; i < format_count(); i++)
        if (formats[i] != RASK_TABLE_ARROW_STREAM) {
            char *data = small_file(formats[i], &size);
            expect_no_other_rows(data, size, NULL, flips, sizeof flips);
        }
}

/* The file that a table was written to: its bytes are the caller's. */
static char *written(rask_table *t, rask_table_format format, size_t most, size_t *size)
{
    char *data = malloc(most);
    cr_assert_eq(rask_table_write(t, path, format, NULL), RASK_OK);
    FILE *in = fopen(path, "rb");
    cr_assert(data && in);
    *size = fread(data, 1, most, in);
    cr_assert(*size < most && fclose(in) == 0);
    return data;
}

Test(arrow_files, no_byte_of_a_file_with_a_dictionary_makes_other_rows)
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
        .name = "s", .type = RASK_COL_TEXT, .as.offsets = ends, .bytes = words, .valid = valid};
    rask_graph *g = rask_graph_new();
    char *data = written(rask_table_from_columns(g, &text, 1, ROWS), RASK_TABLE_ARROW, 1 << 16, &size);
    cr_assert_lt(size, ROWS * sizeof(uint64_t), "there is no dictionary");
    expect_no_other_rows(data, size, "count(), count(s), min(s), max(s)", flips, sizeof flips);
    rask_graph_free(g);
}

/* What a file of these bytes is refused with, at which byte. */
static void expect_bytes_refused(const char *data, size_t size, size_t at, const char *reason)
{
    char wanted[300];
    write_file(data, size);
    snprintf(wanted, sizeof wanted, "rask_read_arrow: %s: at byte %zu: %s", path, at, reason);
    rask_graph *g = rask_graph_new();
    cr_expect_null(rask_read_arrow(g, path));
    cr_expect_eq(rask_graph_status(g), RASK_EFORMAT);
    cr_expect(strstr(rask_graph_error(g), wanted), "%s, not %s", rask_graph_error(g), wanted);
    rask_graph_free(g);
}

Test(arrow_files, bytes_behind_the_end_are_told_with_their_place)
{
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        char *data = small_file(formats[i], &size);
        memcpy(data + size, "junk\n", 5);
        expect_bytes_refused(data, size + 5, size,
                             i ? "bytes behind the end of the stream" : "bytes behind the end of the file");
        free(data);
    }
}

Test(arrow_files, a_stream_that_is_cut_before_its_first_batch_is_not_empty)
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
}

/* Rows of a file, behind which stands the footer of the same columns without rows. */
Test(arrow_files, a_footer_that_leaves_batches_out_is_refused)
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
}

Test(arrow_files, reading_a_file_survives_every_failed_allocation)
{
    size_t size;
    free(small_file(RASK_TABLE_ARROW, &size));
    sweep(read_small_file, 60);
}

static int write_small_file(void)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = g ? rows_of_all_types(g) : NULL;
    rask_table *t = rask_table_from_rows(g, rows);
    int status = rows ? rask_table_write(t, path, RASK_TABLE_ARROW, NULL) : RASK_ENOMEM;
    if (!status) {
        char column[sizeof path + 10];
        snprintf(column, sizeof column, "%s-{column}", path);
        status = rask_table_write(rask_table_select(t, "f, d"), column, RASK_TABLE_NPY, NULL);
        for (const char *c = "fd"; *c; c++) {
            snprintf(column, sizeof column, "%s-%c", path, *c);
            unlink(column);
        }
    }
    rask_rows_free(rows);
    rask_graph_free(g);
    return status == RASK_EGRAPH ? RASK_ENOMEM : status;
}

Test(arrow_files, writing_files_survives_every_failed_allocation)
{
    size_t size;
    free(small_file(RASK_TABLE_ARROW, &size));
    sweep(write_small_file, 60);
}
