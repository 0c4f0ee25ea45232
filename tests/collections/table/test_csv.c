/* CSV to batches: the corners of RFC 4180 and beyond it, cut anywhere. */
#include "csv_support.h"

#include "../../failing_allocator.h"

static void expect(const rk_csv_format *f, const char *letters, const char *text, const char *rows)
{
    scanned s = scan_every_way(f, letters, RK_CSV_FAIL, text, strlen(text));
    cr_assert_eq(s.status, RASK_OK, "%s: %s", text, s.error.message);
    cr_assert_str_eq(s.out, rows);
    free(s.out);
}

static void expect_plain(const char *letters, const char *text, const char *rows)
{
    expect(&plain_format, letters, text, rows);
}

static rk_csv_error expect_error(const char *letters, const char *text, const char *message)
{
    scanned s = scan_every_way(&plain_format, letters, RK_CSV_FAIL, text, strlen(text));
    cr_assert_eq(s.status, RASK_EFORMAT, "%s is no error", text);
    cr_assert_eq(s.error.status, RASK_EFORMAT);
    cr_assert_str_eq(s.error.message, message);
    free(s.out);
    return s.error;
}

Test(csv, records_end_with_lf_crlf_or_the_input)
{
    expect_plain("is", "1,a\n2,b\r\n3,c", "1 [a]\n2 [b]\n3 [c]\n");
    expect_plain("si", "a,1\r\nb,2\r\n", "[a] 1\n[b] 2\n");
    expect_plain("ss", "a,b\r", "[a] [b]\n");
    expect_plain("ss", "a,\"b\"\r\nc,\"d\"\r", "[a] [b]\n[c] [d]\n");
    expect_plain("ss", "a,b\rc\n", "[a] [b\rc]\n");
    expect_plain("ss", "a,\"b\r\"\r\n", "[a] [b\r]\n");
    expect_plain("s", "", "");
}

Test(csv, quoted_fields_hold_delimiters_newlines_and_quotes)
{
    expect_plain("ss", "\"a,b\",\"c\nd\"\n\"e\"\"f\",\"\"\"\"\n", "[a,b] [c\nd]\n[e\"f] [\"]\n");
    expect_plain("ss", "\"\"\"a\"\"\",\"\"\"\"\"\"\n", "[\"a\"] [\"\"]\n");
    expect_plain("if", "\"1\",\"2.5\"\n", "1 2.5\n");
    expect_plain("s", "\"a\r\nb\"\n", "[a\r\nb]\n");
}

Test(csv, quotes_within_unquoted_fields_are_text)
{
    expect_plain("ss", "a\"b,c\n5\" pipe,\"x\"\n", "[a\"b] [c]\n[5\" pipe] [x]\n");
    expect_plain("ss", "a\"\"b,c\"\nd, \"e\"\n", "[a\"\"b] [c\"]\n[d] [ \"e\"]\n");
}

Test(csv, without_a_quote_character_quotes_are_text)
{
    rk_csv_format f = {.delimiter = ';'};
    expect(&f, "ss", "\"a;b\"\n\";\"\n", "[\"a] [b\"]\n[\"] [\"]\n");
    rk_csv_format single = {.delimiter = '\t', .quote = '\''};
    expect(&single, "ss", "'a\tb'\t\"\n", "[a\tb] [\"]\n");
}

Test(csv, empty_lines_are_skipped_or_null_in_a_single_column)
{
    expect_plain("is", "\n1,a\n\n\r\n2,b\r\n\r\n", "1 [a]\n2 [b]\n");
    expect_plain("i", "\n1\n\r\n2\n", "~\n1\n~\n2\n");
    expect_plain("s", "a\n\n\"\"\n", "[a]\n~\n[]\n");
}

Test(csv, comments_are_skipped_wherever_a_record_may_begin)
{
    rk_csv_format f = {.delimiter = ',', .quote = '"', .comment = '#'};
    expect(&f, "is", "#x\n1,#a\n# \"unbalanced, \n2,\"\n#c\"\n#", "1 [#a]\n2 [\n#c]\n");
    expect(&f, "s", "#x\n#y\r\na\n#", "[a]\n");
}

Test(csv, empty_fields_are_null_but_quoted_ones_are_empty_text)
{
    expect_plain("bifdts", ",,,,,\n\"\",\"\",\"\",\"\",\"\",\"\"\n", "~ ~ ~ ~ ~ ~\n~ ~ ~ ~ ~ []\n");
    expect_plain("is", "  ,  \n", "~ [  ]\n");
}

Test(csv, texts_that_mean_null_do_so_unquoted)
{
    static const char *const nulls[] = {"NA", "-999"};
    rk_csv_format f = {.delimiter = ',', .quote = '"', .nulls = nulls, .null_count = 2};
    expect(&f, "isf", "NA,NA,NA\n-999,-999,-999\n\"-999\",\"NA\",1\n", "~ ~ ~\n~ ~ ~\n-999 [NA] 1\n");
}

Test(csv, numbers_may_have_spaces_signs_and_leading_zeros)
{
    expect_plain("if", " 1 , 2.5\n+007,+1e3\n-0,-.5\n9223372036854775807,5.\n-9223372036854775808,1E-2\n",
                 "1 2.5\n7 1000\n0 -0.5\n9223372036854775807 5\n-9223372036854775808 0.01\n");
    expect_plain("f", "inf\n-Infinity\n", "inf\n-inf\n");
}

Test(csv, bools_dates_and_timestamps)
{
    expect_plain("b", "true\nFALSE\nTrue\n", "1\n0\n1\n");
    expect_plain("d", "1970-01-01\n1969-12-31\n2000-02-29\n0000-01-01\n9999-12-31\n",
                 "0\n-1\n11016\n-719528\n2932896\n");
    expect_plain(
        "t",
        "1970-01-01 00:00\n1970-01-02T01:02:03Z\n1969-12-31 23:59:59.5\n1970-01-01T00:00:00.123456789Z\n",
        "0\n90123000000\n-500000\n123456\n");
}

Test(csv, bytes_that_are_no_text_pass_through)
{
    static const char text[] = "a\0b,\xff\xfe\n";
    scanned s = scan_every_way(&plain_format, "ss", RK_CSV_FAIL, text, sizeof text - 1);
    cr_assert_eq(s.status, RASK_OK);
    cr_assert(s.len == 11 && !memcmp(s.out, "[a\0b] [\xff\xfe]\n", s.len));
    free(s.out);
}

Test(csv, a_wrong_number_of_fields_is_an_error_with_its_line)
{
    cr_assert_eq(expect_error("iis", "1,2,a\n1,2\n", "record has 2 fields, 3 expected").line, 1);
    cr_assert_eq(expect_error("iis", "1,2,\"a\n\"\n1,2,3,4\n", "record has 4 fields, 3 expected").line, 2);
    cr_assert_eq(expect_error("ii", "1\n", "record has 1 field, 2 expected").line, 0);
    expect_error("ii", "1,2,3\n4\n5,6\n", "record has 3 fields, 2 expected");
}

Test(csv, quotes_that_go_wrong_are_errors_with_their_line)
{
    cr_assert_eq(expect_error("ss", "a,b\nc,\"d\n\n", "field 2: the quote is not closed").line, 1);
    cr_assert_eq(expect_error("ss", "a,b\nc,\"d\n\"e\n", "field 2: text behind the closing quote").line, 2);
    expect_error("ss", "\"a\"\rb,c\n", "field 1: text behind the closing quote");
    expect_error("ss", "a,\"b\" \n", "field 2: text behind the closing quote");
}

Test(csv, values_that_do_not_fit_are_errors_that_name_them)
{
    rk_csv_error e = expect_error("if", "1,2\n1,x\n", "column 2 (name): \"x\" is no float64");
    cr_assert(e.misfit && e.line == 1 && e.column == 1);
    expect_error("if", "1,2\n1,x\ny,3\n", "column 2 (name): \"x\" is no float64");
    expect_error("if", "1,2\n1,2\ny,z\n", "column 1 (name): \"y\" is no int64");
    expect_error("i", "9223372036854775808\n", "column 1 (name): \"9223372036854775808\" is no int64");
    expect_error("s"
                 "d",
                 "a,2023-02-29\n", "column 2 (name): \"2023-02-29\" is no date");
    expect_error("i", "1\n\"\t1\"\"\"\n", "column 1 (name): \"?1\"\"\" is no int64");
}

Test(csv, values_that_do_not_fit_are_null_when_asked_for)
{
    static const char text[] = "1,2\nx,1e\n--1,0x1\n1.5,.\n,nanx\n1 2,1_0\n";
    scanned s = scan_every_way(&plain_format, "if", RK_CSV_NULL, text, sizeof text - 1);
    cr_assert_str_eq(s.out, "1 2\n~ ~\n~ ~\n~ ~\n~ ~\n~ ~\n");
    free(s.out);
}

Test(csv, columns_come_in_the_order_they_are_wanted_and_more_than_once)
{
    static const char text[] = "1,a,2.5\n2,b,3.5\n";
    scanned s = scan_text(&plain_format, schema_of("isf"), (uint32_t[]){2, 0, 2}, 3, RK_CSV_FAIL, text,
                          sizeof text - 1, 5);
    cr_assert_str_eq(s.out, "2.5 1 2.5\n3.5 2 3.5\n");
    free(s.out);
    s = scan_text(&plain_format, schema_of("isf"), NULL, 0, RK_CSV_FAIL, text, sizeof text - 1, 5);
    cr_assert(s.rows == 2 && !s.len);
    free(s.out);
}

Test(csv, formats_and_columns_that_cannot_be_are_refused)
{
    rk_csv_scanner s;
    rk_csv_schema *schema = schema_of("is");
    static const rk_csv_format wrong[] = {{0},
                                          {.delimiter = ',', .quote = ','},
                                          {.delimiter = '\n'},
                                          {.delimiter = ',', .quote = '#', .comment = '#'},
                                          {.delimiter = ',', .comment = '\r'}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(rk_csv_scanner_init(&s, &wrong[i], schema, NULL, 0, RK_CSV_FAIL), RASK_EINVAL);
    cr_assert_eq(rk_csv_scanner_init(&s, &plain_format, schema, (uint32_t[]){2}, 1, RK_CSV_FAIL),
                 RASK_EINVAL);
    cr_assert_eq(rk_csv_scanner_init(&s, &plain_format, schema_of(""), NULL, 0, RK_CSV_FAIL), RASK_EINVAL);
}

static void skip_head(const rk_csv_format *f, const char *letters, const char *text, size_t len, bool whole,
                      size_t used)
{
    rk_csv_scanner s;
    rk_csv_error error;
    bool is = false;
    size_t bytes = SIZE_MAX;
    char *copy = padded(text, len);
    cr_assert_eq(rk_csv_scanner_init(&s, f, schema_of(letters), NULL, 0, RK_CSV_FAIL), RASK_OK);
    cr_assert_eq(rk_csv_skip_head(&s, copy, len, false, &is, &bytes, &error), RASK_OK);
    cr_assert(is == whole && bytes == used, "%.*s: %d, %zu bytes", (int)len, text, is, bytes);
    rk_csv_scanner_fini(&s);
    free(copy);
}

Test(csv, the_head_is_a_mark_and_the_first_record)
{
    rk_csv_format f = {.delimiter = ',', .quote = '"', .comment = '#'}, header = f;
    header.header = true;
    static const char text[] = "\xef\xbb\xbf#c\n\n\"a\n\",b\n1,2\n";
    for (size_t len = 0; len < sizeof text; len++) {
        skip_head(&f, "ss", text, len, len > 2, len > 2 ? 3 : 0);
        skip_head(&header, "ss", text, len, len >= 14, len >= 14 ? 14 : 0);
    }
    skip_head(&f, "ss", "1,2\n", 4, true, 0);
    skip_head(&header, "s", "\na\nb\n", 5, true, 3);
}

/* Rows rows[0 … count - 1] of text with the columns that letters say, of which the second and third are late. */
static char *fill_rows(rk_csv_scanner *s, rk_batch *b, const char *text, const uint32_t *rows, uint32_t count,
                       uint32_t *done, rk_csv_error *error)
{
    size_t len = strlen(text), used;
    char *copy = padded(text, len), *out = NULL;
    cr_assert_eq(rk_csv_scan(s, copy, len, true, b, &used, error), RASK_OK, "%s", error->message);
    uint32_t all = b->rows;
    int status = rk_csv_fill(s, b, rows, 0, count, done, error);
    cr_assert(status == RASK_OK || status == RASK_EFORMAT);
    FILE *file = open_memstream(&out, &used);
    for (uint32_t i = 0; i < *done; i++)
        for (uint32_t c = 0; c < b->count; c++) {
            print_value(file, &b->columns[c], c ? i : rows[i]);
            fputc(c + 1 < b->count ? ' ' : '\n', file);
        }
    fclose(file);
    free(copy);
    cr_assert_lt(rows[count - 1], all);
    return out;
}

Test(csv, late_columns_are_read_of_chosen_rows)
{
    static const char text[] = "1,a,1.5\n#no\n2,\"b\n\"\"\",\n3,c,x\n\n4,,4\r\n5,e,5\n";
    static const bool late[] = {false, true, true};
    static const uint32_t wanted[] = {0, 1, 2}, good[] = {0, 1, 3}, all[] = {0, 1, 2, 3, 4}, last[] = {4};
    rk_csv_format f = {.delimiter = ',', .quote = '"', .comment = '#'};
    rk_csv_schema *schema = schema_of("isf");
    rk_csv_scanner s;
    rk_csv_error error = {0};
    rk_batch b;
    uint32_t done = 0;
    cr_assert_eq(rk_csv_scanner_init(&s, &f, schema, wanted, 3, RK_CSV_FAIL), RASK_OK);
    cr_assert_eq(rk_csv_scanner_delay(&s, late), RASK_OK);
    cr_assert_eq(rk_batch_init(&b, schema->types, 3), RASK_OK);
    char *out = fill_rows(&s, &b, text, good, 3, &done, &error);
    cr_assert_str_eq(out, "1 [a] 1.5\n2 [b\n\"] ~\n4 ~ 4\n");
    free(out);
    s.lines = 0;
    out = fill_rows(&s, &b, text, all, 5, &done, &error);
    cr_assert_str_eq(out, "1 [a] 1.5\n2 [b\n\"] ~\n");
    cr_assert_str_eq(error.message, "column 3 (name): \"x\" is no float64");
    cr_assert_eq(error.line, 4);
    free(out);
    out = fill_rows(&s, &b, text, last, 1, &done, &error);
    cr_assert_str_eq(out, "5 [e] 5\n");
    free(out);
    rk_batch_fini(&b);
    rk_csv_scanner_fini(&s);
}

Test(csv, rows_before_what_is_wrong_are_there)
{
    static const struct {
        const char *text;
        uint32_t rows;
    } cases[] = {{"1,2\n3,4\n5,x\n7,8\n", 2},
                 {"1,2\n3\n", 1},
                 {"x,1\n", 0},
                 {"1,2\n3,4\n5,\"6\n", 2},
                 {"1,2\n3,4\ny,x\n", 2}};
    rk_csv_schema *schema = schema_of("ii");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rk_csv_scanner s;
        rk_csv_error error = {0};
        rk_batch b;
        size_t used = 0;
        char *copy = padded(cases[i].text, strlen(cases[i].text));
        cr_assert_eq(rk_csv_scanner_init(&s, &plain_format, schema, (uint32_t[]){0, 1}, 2, RK_CSV_FAIL),
                     RASK_OK);
        cr_assert_eq(rk_batch_init(&b, schema->types, 2), RASK_OK);
        cr_assert_eq(rk_csv_scan(&s, copy, strlen(cases[i].text), true, &b, &used, &error), RASK_EFORMAT);
        cr_assert_eq(b.rows, cases[i].rows, "case %zu", i);
        for (uint32_t r = 0; r < b.rows; r++)
            cr_assert(b.columns[0].i64[r] == 2 * r + 1 && b.columns[1].i64[r] == 2 * r + 2);
        rk_batch_fini(&b);
        rk_csv_scanner_fini(&s);
        free(copy);
    }
}

/* Short numbers, but for two rows that have another value. */
static void expect_among_short_numbers(const char *value, bool wrong, uint32_t at)
{
    enum { ROWS = 150 };
    char text[ROWS * 32], right[ROWS * 32];
    int len = 0, out = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        const char *cell = i == at || i == at + 9 ? value : "-0.5";
        len += sprintf(text + len, "%u,%s\n", i, cell);
        out += *cell ? sprintf(right + out, "%u %.17g\n", i, atof(cell)) : sprintf(right + out, "%u ~\n", i);
    }
    scanned s = scan_text(&plain_format, schema_of("if"), (uint32_t[]){0, 1}, 2, RK_CSV_FAIL, text,
                          (size_t)len, (size_t)len);
    cr_assert_eq(s.status, wrong ? RASK_EFORMAT : RASK_OK, "\"%s\" in row %u: %s", value, at,
                 s.error.message);
    if (wrong)
        cr_assert_eq(s.error.line, at);
    else
        cr_assert_str_eq(s.out, right);
    free(s.out);
}

Test(csv, numbers_that_are_long_missing_or_wrong_stand_anywhere_among_short_ones)
{
    static const char *const good[] = {"-1.5", "", "12345678901.25", "1e3", "7\r"}, *const wrong[] = {
                                                                                        "x", "-", "."};
    for (uint32_t at = 0; at < 150; at += 1 + at % 7) {
        for (size_t i = 0; i < sizeof good / sizeof *good; i++)
            expect_among_short_numbers(good[i], false, at);
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
            expect_among_short_numbers(wrong[i], true, at);
    }
}

static uint64_t count_rows(const rk_csv_format *f, const char *letters, const char *text, size_t len,
                           size_t cut)
{
    rk_csv_scanner s;
    rk_csv_error error;
    uint64_t total = 0, rows = 0;
    size_t at = 0, end = 0, used = 0;
    cr_assert_eq(rk_csv_scanner_init(&s, f, schema_of(letters), NULL, 0, RK_CSV_FAIL), RASK_OK);
    do {
        char *copy = padded(text + at, end - at);
        cr_assert_eq(rk_csv_count(&s, copy, end - at, end == len, &rows, &used, &error), RASK_OK, "%s",
                     error.message);
        free(copy);
        at += used;
        total += rows;
        if (!used && end < len)
            end = len - end < cut ? len : end + cut;
    } while (at < len);
    rk_csv_scanner_fini(&s);
    return total;
}

Test(csv, counting_agrees_with_scanning)
{
    rk_csv_format f = {.delimiter = ',', .quote = '"', .comment = '#'};
    static const char two[] = "a,b\n\n\"c\n\",d\r\n\r\n#e\n5\",\"\"\n\n,\n\"\"\"\",f";
    static const char one[] = "a\n\n\"c\n\"\r\n\r\n#e\n5\"\n\"\"\n";
    for (size_t cut = 1; cut <= sizeof two; cut++) {
        cr_assert_eq(count_rows(&f, "ss", two, sizeof two - 1, cut), 5);
        cr_assert_eq(count_rows(&f, "s", one, sizeof one - 1, cut), 6);
    }
}

/* Many lines without anything special, in which something special moves over all places of a block. */
Test(csv, counting_agrees_with_scanning_in_long_text)
{
    enum { LINES = 1000, LINE = 9 };
    static const char *const inserts[] = {"",       "\n",          "\r\n",        "\"x\ny\",1\n",
                                          "#5,6\n", "\"\",\"\"\n", "5,\"\n\n\"\n"};
    static const uint64_t more[] = {0, 0, 0, 1, 0, 1, 1};
    rk_csv_format f = {.delimiter = ',', .quote = '"'};
    char *text = malloc(LINES * LINE + 32);
    for (size_t k = 0; k < sizeof inserts / sizeof *inserts; k++)
        for (size_t line = 460; line < 540; line++) {
            size_t len = 0;
            for (size_t i = 0; i < LINES; i++) {
                len += (size_t)sprintf(text + len, "12345,%zu\n", i % 10);
                len += i == line ? (size_t)sprintf(text + len, "%s", inserts[k]) : 0;
            }
            f.comment = strchr(inserts[k], '#') ? '#' : 0;
            cr_assert_eq(count_rows(&f, "ss", text, len, len), LINES + more[k], "%zu behind line %zu", k,
                         line);
            cr_assert_eq(count_rows(&f, "ss", text, len, 777), LINES + more[k], "%zu behind line %zu", k,
                         line);
        }
    free(text);
}

Test(csv, records_longer_than_a_strip_and_wider_than_one_are_read)
{
    enum { LONG = 300000, WIDE = 60 };
    size_t len = 0;
    char *text = malloc(4 * LONG);
    for (int i = 0; i < 3; i++) {
        text[len++] = '"';
        memset(text + len, i ? 'a' : '\n', LONG);
        len += LONG;
        len += (size_t)sprintf(text + len, "\",%d\n", i);
    }
    for (size_t cut = 10000; cut < 1000000; cut = cut * 3 + 1) {
        scanned s =
            scan_text(&plain_format, schema_of("si"), (uint32_t[]){1}, 1, RK_CSV_FAIL, text, len, cut);
        cr_assert_eq(s.status, RASK_OK, "%s", s.error.message);
        cr_assert_str_eq(s.out, "0\n1\n2\n");
        cr_assert_eq(s.lines, LONG + 3);
        free(s.out);
    }
    free(text);
}

/* A parser as plain as can be: text columns only. What it writes is what scan_text() does; NULL: malformed. */
static char *reference(const char *text, size_t len, uint32_t columns)
{
    char *out;
    size_t size, i = 0;
    bool good = true;
    FILE *to = open_memstream(&out, &size);
    while (i < len && good) {
        uint32_t fields = 0;
        if (columns > 1 && (text[i] == '\n' || (text[i] == '\r' && (i + 1 == len || text[i + 1] == '\n')))) {
            i += 1 + (text[i] == '\r' && i + 1 < len);
            continue;
        }
        for (bool more = true; more && good; fields++) {
            size_t begin = i, carriage;
            bool quoted = i < len && text[i] == '"';
            fputs(fields ? " [" : "[", to);
            if (quoted)
                for (i++; i < len && (text[i] != '"' || (i + 1 < len && text[i + 1] == '"')); i++) {
                    i += text[i] == '"';
                    fputc(text[i], to);
                }
            good = !quoted || i++ < len;
            if (!quoted)
                while (i < len && text[i] != ',' && text[i] != '\n')
                    i++;
            carriage = quoted ? i < len && text[i] == '\r' && (i + 1 == len || text[i + 1] == '\n')
                              : i > begin && text[i - 1] == '\r' && (i == len || text[i] == '\n');
            if (quoted)
                i += carriage;
            else
                fwrite(text + begin, 1, i - begin - carriage, to);
            good = good && (i >= len || text[i] == ',' || text[i] == '\n');
            more = i < len && text[i] == ',';
            i++;
            if (!quoted && i - 1 - begin - carriage == 0)
                fputs("~", to);
            fputs("]", to);
        }
        fputc('\n', to);
        good = good && fields == columns;
    }
    fclose(to);
    if (good)
        return out;
    free(out);
    return NULL;
}

/* Nulls as the reference writes them. */
static void mark_nulls(scanned *s)
{
    char *out;
    size_t size;
    FILE *to = open_memstream(&out, &size);
    for (size_t i = 0; i < s->len; i++)
        fputs(s->out[i] == '~' ? "[~]" : (char[]){s->out[i], 0}, to);
    fclose(to);
    free(s->out);
    s->out = out;
    s->len = size;
}

static void compare_with_reference(const char *text, size_t len, const char *letters, size_t cut,
                                   unsigned seed)
{
    uint32_t wanted[] = {0, 1, 2, 3};
    scanned s = scan_text(&plain_format, schema_of(letters), wanted, (uint32_t)strlen(letters), RK_CSV_FAIL,
                          text, len, cut);
    char *right = reference(text, len, (uint32_t)strlen(letters));
    cr_assert_eq(s.status, right ? RASK_OK : RASK_EFORMAT, "seed %u: %.*s", seed, (int)len, text);
    mark_nulls(&s);
    if (right)
        cr_assert_str_eq(s.out, right, "seed %u", seed);
    free(s.out);
    free(right);
}

Test(csv, random_records_are_what_a_plain_parser_makes_of_them)
{
    static const char *const pieces[] = {"a",
                                         "bc",
                                         "12345678",
                                         "\"x\"",
                                         "\"\"",
                                         "\"a,b\"",
                                         "\"c\nd\"",
                                         "\"e\"\"f\"",
                                         "",
                                         "\"\"\"\"",
                                         "g\"h",
                                         "\r",
                                         "long text of some thirty bytes!",
                                         "\"\r\n\""};
    static char text[40000];
    for (unsigned seed = 0; seed < 300; seed++) {
        srand(seed);
        unsigned columns = 1 + seed % 4, kinds = 1 + (unsigned)rand() % 14, records = seed % 10 ? 40 : 400;
        size_t len = 0;
        for (unsigned i = 0; i < records; i++)
            for (unsigned c = 0; c < columns; c++) {
                const char *end = c + 1 < columns ? "," : rand() % 8 ? "\n" : "\r\n";
                len += (size_t)sprintf(text + len, "%s%s", pieces[(unsigned)rand() % kinds], end);
            }
        compare_with_reference(text, len - (seed % 3 == 0), &"ssss"[4 - columns], 1 + (size_t)rand() % 3000,
                               seed);
    }
}

Test(csv, any_bytes_are_records_or_an_error_as_for_a_plain_parser)
{
    static const char letters[] = "a,\"\n\r";
    char text[200];
    for (unsigned seed = 0; seed < 20000; seed++) {
        srand(seed);
        size_t len = (size_t)rand() % (seed % 16 ? 12 : 150);
        for (size_t i = 0; i < len; i++)
            text[i] = letters[rand() % 5];
        compare_with_reference(text, len, seed % 2 ? "ss" : "s", seed % 3 ? len + 1 : 1 + seed % 7, seed);
    }
}

Test(csv, damage_at_any_byte_is_an_error_or_a_value)
{
    static const char good[] = "1,\"a\"\"b\",2.5,2020-01-01\n-20,\"c\nd\",1e5,2021-12-31\r\n3,,,\n";
    static const char damage[] = "\",\n\r\0x9 ";
    char text[sizeof good];
    for (size_t i = 0; i < sizeof good - 1; i++)
        for (size_t d = 0; d < sizeof damage - 1; d++) {
            memcpy(text, good, sizeof good);
            text[i] = damage[d];
            scanned s = scan_text(&plain_format, schema_of("isfd"), (uint32_t[]){0, 1, 2, 3}, 4, RK_CSV_FAIL,
                                  text, sizeof good - 1, 1 + i % 9);
            cr_assert(s.status == RASK_OK || (s.status == RASK_EFORMAT && *s.error.message));
            free(s.out);
            scanned cut = scan_text(&plain_format, schema_of("isfd"), (uint32_t[]){0, 1, 2, 3}, 4,
                                    RK_CSV_NULL, text, i, 7);
            free(cut.out);
        }
}

Test(csv, resuming_finds_the_next_record_within_and_outside_of_quotes)
{
    static const char record[] = "12,\"some, \"\"text\"\"\nin two, lines\",3.5\n";
    enum { RECORDS = 20, LEN = RECORDS * (sizeof record - 1) };
    char text[LEN + 1];
    for (int i = 0; i < RECORDS; i++)
        strcpy(text + (size_t)i * (sizeof record - 1), record);
    for (size_t at = 0; at + 6 * sizeof record < LEN; at++) {
        char *copy = padded(text + at, LEN - at);
        size_t found = rk_csv_resume(&plain_format, schema_of("isf"), copy, LEN - at);
        cr_assert_eq((at + found) % (sizeof record - 1), 0, "from %zu: %zu", at, found);
        cr_assert(found && found < 2 * sizeof record);
        free(copy);
    }
    char *copy = padded("abc", 3);
    cr_assert_eq(rk_csv_resume(&plain_format, schema_of("isf"), copy, 3), 3);
    cr_assert_eq(rk_csv_resume(&plain_format, schema_of("isf"), copy, 0), 0);
    free(copy);
}

static int program_of_everything(void)
{
    static const char text[] = "n,n,\"m\"\"\"\n1,\"x\"\"y\",2.5\n2,\"z\"\"\",nan\n";
    rk_csv_format f = {.delimiter = ',', .quote = '"', .header = true};
    char *copy = padded(text, sizeof text - 1);
    rask_bytes sample = {copy, sizeof text - 1};
    rk_csv_schema schema = {0};
    rk_csv_error error;
    rk_csv_scanner s = {0};
    rk_batch b = {0};
    size_t used;
    bool whole;
    int status = rk_csv_infer(&f, &sample, 1, true, &schema, &error);
    if (!status)
        status = rk_csv_scanner_init(&s, &f, &schema, (uint32_t[]){0, 1, 2}, 3, RK_CSV_FAIL);
    if (!status)
        status = rk_batch_init(&b, schema.types, 3);
    if (!status)
        status = rk_csv_skip_head(&s, copy, sample.len, true, &whole, &used, &error);
    if (!status)
        status = rk_csv_scan(&s, copy + used, sample.len - used, true, &b, &used, &error);
    cr_assert(status || (b.rows == 2 && b.columns[1].text[1].len == 2));
    rk_csv_scanner_fini(&s);
    rk_batch_fini(&b);
    rk_csv_schema_fini(&schema);
    free(copy);
    return status;
}

Test(csv, every_allocation_may_fail)
{
    sweep(program_of_everything, 0);
}
