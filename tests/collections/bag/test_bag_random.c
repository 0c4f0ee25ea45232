/* Random texts, in random blocks, plain and compressed, on every scheduler and in little memory: against plain code. */
#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MOST = 20000, ROUNDS = 20 };
#else
enum { MOST = 20000, ROUNDS = 60 };
#endif

static uint64_t state = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

/* A text, its lines, and its words in the order of their bytes. */
typedef struct sample {
    char text[MOST + 1];
    size_t len;
    rask_bytes lines[MOST], words[MOST];
    size_t line_count, word_count;
} sample;

static int compare_bytes(const void *a, const void *b)
{
    const rask_bytes *x = a, *y = b;
    size_t least = x->len < y->len ? x->len : y->len;
    int order = least ? memcmp(x->data, y->data, least) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void find_lines(sample *s)
{
    s->line_count = 0;
    for (size_t at = 0; at < s->len;) {
        const char *newline = memchr(s->text + at, '\n', s->len - at);
        size_t n = newline ? (size_t)(newline - s->text) - at : s->len - at;
        s->lines[s->line_count++] =
            (rask_bytes){s->text + at, n - (newline && n && s->text[at + n - 1] == '\r')};
        at += n + 1;
    }
}

static void find_words(sample *s)
{
    s->word_count = 0;
    for (size_t at = 0; at < s->len;) {
        size_t n = strcspn(s->text + at, " \t\n\v\f\r");
        if (n)
            s->words[s->word_count++] = (rask_bytes){s->text + at, n};
        at += n + 1;
    }
    qsort(s->words, s->word_count, sizeof *s->words, compare_bytes);
}

static void make_text(sample *s)
{
    static const char letters[] = "aaaabcde \t\n\n\r\v\xc3\xa9";
    size_t most = draw(4) ? draw(300) : draw(MOST), shape = draw(sizeof letters - 2) + 1;
    for (s->len = 0; s->len < most; s->len++)
        s->text[s->len] = letters[draw(draw(3) ? shape : sizeof letters - 1)];
    s->text[s->len] = 0;
    find_lines(s);
    find_words(s);
}

static uint64_t count_of(const sample *s, rask_bytes word)
{
    uint64_t count = 0;
    for (size_t i = 0; i < s->word_count; i++)
        count += compare_bytes(&word, &s->words[i]) == 0;
    return count;
}

static rask_records *compute(rask_bag *bag)
{
    static const char *const schedulers[] = {"threads", "processes", "serial"};
    rask_options options = RASK_OPTIONS_INIT;
    rask_records *records = NULL;
    options.scheduler = schedulers[draw(sizeof schedulers / sizeof *schedulers)];
    options.workers = 1 + (uint32_t)draw(4);
    options.memory = (uint64_t)(draw(2) ? 16 : 512) << 20;
    cr_assert_eq(rask_bag_compute(bag, &options, &records), RASK_OK, "%s",
                 bag ? rask_graph_error(rask_bag_graph(bag)) : "no bag");
    return records;
}

static rask_bytes bytes_at(const rask_records *records, uint64_t index)
{
    rask_record record;
    cr_assert_eq(rask_records_get(records, index, &record), RASK_OK);
    return rask_record_bytes(&record, 0);
}

static void expect_lines(rask_bag *lines, const sample *s)
{
    rask_records *records = compute(lines), *count = compute(rask_bag_count(lines));
    rask_record record;
    cr_assert_eq(rask_records_count(records), s->line_count);
    for (size_t i = 0; i < s->line_count; i++) {
        rask_bytes line = bytes_at(records, i);
        cr_assert(compare_bytes(&line, &s->lines[i]) == 0, "line %zu", i + 1);
    }
    rask_records_get(count, 0, &record);
    cr_assert_eq(rask_record_i64(&record, 0), (int64_t)s->line_count);
    rask_records_free(records);
    rask_records_free(count);
}

static void expect_words(rask_bag *lines, const sample *s)
{
    rask_bag *words = rask_bag_words(lines);
    rask_records *found = compute(rask_bag_frequencies(words)), *count = compute(rask_bag_count(words));
    rask_record record;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < rask_records_count(found); i++) {
        rask_records_get(found, i, &record);
        cr_assert_eq((uint64_t)rask_record_i64(&record, 1), count_of(s, rask_record_bytes(&record, 0)));
        sum += (uint64_t)rask_record_i64(&record, 1);
    }
    cr_assert_eq(sum, s->word_count);
    rask_records_get(count, 0, &record);
    cr_assert_eq(rask_record_i64(&record, 0), (int64_t)s->word_count);
    rask_records_free(found);
    rask_records_free(count);
}

/* The same records, whatever made them. */
static void expect_same(rask_bag *a, rask_bag *b)
{
    rask_records *x = compute(a), *y = compute(b);
    cr_assert_eq(rask_records_count(x), rask_records_count(y));
    for (uint64_t i = 0; i < rask_records_count(x); i++) {
        rask_bytes p = bytes_at(x, i), q = bytes_at(y, i);
        cr_assert(compare_bytes(&p, &q) == 0, "record %llu", (unsigned long long)i);
    }
    rask_records_free(x);
    rask_records_free(y);
}

static rask_bag *read_blocks(rask_graph *g, const char *path)
{
    rask_read_text_options options = RASK_READ_TEXT_OPTIONS_INIT;
    options.block_bytes = draw(2) ? 1 + draw(100) : 1 + draw(MOST);
    return rask_read_text(g, path, &options);
}

static void compare_files(const char *one, const char *other, const sample *s)
{
    rask_graph *g = rask_graph_new();
    rask_bag *a = read_blocks(g, one), *b = read_blocks(g, other);
    expect_lines(b, s);
    expect_words(b, s);
    expect_same(rask_bag_sample(a, 0.3, 5), rask_bag_sample(b, 0.3, 5));
    expect_same(rask_bag_sample(rask_bag_words(a), 0.3, 5), rask_bag_sample(rask_bag_words(b), 0.3, 5));
    expect_same(rask_bag_distinct(a), rask_bag_distinct(b));
    expect_same(rask_bag_topk(a, 7), rask_bag_topk(b, 7));
    expect_same(rask_bag_take(rask_bag_words(a), 9), rask_bag_take(rask_bag_words(b), 9));
    expect_same(rask_bag_zip(a, rask_bag_words(a)), rask_bag_zip(b, rask_bag_words(b)));
    expect_same(rask_bag_join(a, rask_bag_frequencies(b), RASK_JOIN_LEFT),
                rask_bag_join(b, rask_bag_frequencies(a), RASK_JOIN_LEFT));
    rask_graph_free(g);
}

/* Lines written as they were read, with \n alone. */
static bool write_as(const char *from, const char *to)
{
    rask_graph *g = rask_graph_new();
    int status = rask_bag_write(read_blocks(g, from), to, NULL);
    cr_assert(status == RASK_OK || status == RASK_EUNSUPPORTED, "%s", rask_graph_error(g));
    rask_graph_free(g);
    return status == RASK_OK;
}

Test(bag_random, blocks_budgets_schedulers_and_compression_make_no_difference, .timeout = 100)
{
    static sample s;
    char folder[] = "/tmp/rask-bags-XXXXXX", names[3][40];
    static const char *const endings[] = {"plain.txt", "all.gz", "all.zst"};
    cr_assert(mkdtemp(folder));
    for (int i = 0; i < 3; i++)
        snprintf(names[i], sizeof names[i], "%s/%s", folder, endings[i]);
    for (int round = 0; round < ROUNDS; round++) {
        make_text(&s);
        FILE *file = fopen(names[0], "w");
        cr_assert(file && fwrite(s.text, 1, s.len, file) == s.len && fclose(file) == 0);
        compare_files(names[0], names[0], &s);
        if (strchr(s.text, '\r')) /* positions differ from those in the file that is written */
            continue;
        for (int i = 1; i < 3; i++)
            if (write_as(names[0], names[i]))
                compare_files(names[0], names[i], &s);
    }
    for (int i = 0; i < 3; i++)
        unlink(names[i]);
    cr_assert_eq(rmdir(folder), 0);
}
