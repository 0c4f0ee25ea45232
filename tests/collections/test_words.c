/* Counting words: the same as by hand, wherever texts are cut and whoever counts. */
#include "collections/counts/counter.h"
#include "collections/text/lines.h"
#include "core/base/alloc.h"

#include <rask/plan.h>
#include <rask/text.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct text {
    char *data;
    size_t len;
} text;

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

/* Few letters, so that words repeat; every kind of white space; NUL and high bytes; now and then a long word.
 */
static text random_text(size_t len)
{
    static const char bytes[] = "aaab\0\x80\xff    \t\n\v\f\r";
    text t = {malloc(len + 1), len};
    for (size_t i = 0; i < len;) {
        size_t run = random_below(8) == 0 ? random_below(40) : 0;
        t.data[i++] = bytes[random_below(sizeof bytes - 1)];
        while (run-- > 0 && i < len)
            t.data[i++] = 'l';
    }
    return t;
}

/* --- by hand */

static bool is_space(char c)
{
    return strchr(" \t\n\v\f\r", c) != NULL && c != 0;
}

typedef struct pair {
    rask_bytes word;
    uint64_t count;
} pair;

static int by_bytes(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    size_t len = x->word.len < y->word.len ? x->word.len : y->word.len;
    int order = memcmp(x->word.data, y->word.data, len);
    return order ? order : (x->word.len > y->word.len) - (x->word.len < y->word.len);
}

static int by_count(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    return x->count != y->count ? (x->count > y->count ? -1 : 1) : by_bytes(a, b);
}

static size_t split(text t, pair *out)
{
    size_t count = 0;
    for (size_t i = 0; i < t.len;) {
        size_t begin = i;
        while (i < t.len && !is_space(t.data[i]))
            i++;
        if (i > begin)
            out[count++] = (pair){{t.data + begin, i - begin}, 1};
        i += i == begin;
    }
    return count;
}

static size_t unite(pair *pairs, size_t count)
{
    size_t kept = 0;
    qsort(pairs, count, sizeof *pairs, by_bytes);
    for (size_t i = 0; i < count; i++) {
        if (kept && by_bytes(&pairs[kept - 1], &pairs[i]) == 0)
            pairs[kept - 1].count++;
        else
            pairs[kept++] = pairs[i];
    }
    qsort(pairs, kept, sizeof *pairs, by_count);
    return kept;
}

static void write_pair(FILE *out, uint64_t count, rask_bytes word)
{
    fprintf(out, "%" PRIu64 "\t", count);
    fwrite(word.data, 1, word.len, out);
    fputc('\n', out);
}

/* What is expected: all words, "count<TAB>word" lines. */
static text count_by_hand(text t)
{
    text lines = {0};
    pair *pairs = malloc((t.len + 1) * sizeof *pairs);
    size_t count = unite(pairs, split(t, pairs));
    FILE *out = open_memstream(&lines.data, &lines.len);
    for (size_t i = 0; i < count; i++)
        write_pair(out, pairs[i].count, pairs[i].word);
    fclose(out);
    free(pairs);
    return lines;
}

static void must_equal(text got, text want, const char *what)
{
    cr_assert(got.len == want.len && memcmp(got.data, want.data, got.len) == 0,
              "%s: got %zu bytes, want %zu:\n%.*s", what, got.len, want.len,
              (int)(got.len < 200 ? got.len : 200), got.data);
}

/* --- the counter and its tables */

static text lines_of(const rk_counts *table)
{
    text lines = {0};
    rk_counts_entry *entries;
    size_t count;
    cr_assert_eq(rk_counts_top(table, UINT64_MAX, &entries, &count), RASK_OK);
    FILE *out = open_memstream(&lines.data, &lines.len);
    for (size_t i = 0; i < count; i++)
        write_pair(out, rk_counts_entry_count(&entries[i]), rk_counts_entry_text(&table->arena, &entries[i]));
    fclose(out);
    rk_free(entries);
    return lines;
}

static rk_counts *count_words(text t, uint64_t seed)
{
    rk_counter counter;
    rk_counts *table;
    char *buffer = malloc(t.len + RK_COUNTS_PADDING);
    memset(buffer, 'x', t.len + RK_COUNTS_PADDING);
    memcpy(buffer, t.data, t.len);
    cr_assert_eq(rk_counter_init(&counter, seed, 0), RASK_OK);
    cr_assert_eq(rk_counter_words(&counter, buffer, t.len), RASK_OK);
    cr_assert_eq(rk_counter_finish(&counter, &table), RASK_OK);
    rk_counter_fini(&counter);
    free(buffer);
    return table;
}

static void must_count(const rk_counts *table, text t, const char *what)
{
    text got = lines_of(table), want = count_by_hand(t);
    must_equal(got, want, what);
    free(got.data);
    free(want.data);
}

static void must_count_text(text t, uint64_t seed, const char *what)
{
    rk_counts *table = count_words(t, seed);
    must_count(table, t, what);
    rk_counts_free(table);
}

Test(words, random_texts_count_as_by_hand)
{
    for (uint32_t i = 0; i < 300; i++) {
        text t = random_text(random_below(5000));
        must_count_text(t, i, "whole text");
        free(t.data);
    }
}

/* Enough words that the table grows many times, some of them long, and wraps around its end. */
Test(words, hundred_thousand_different_words)
{
    text t = {0};
    FILE *out = open_memstream(&t.data, &t.len);
    for (int i = 0; i < 200000; i++)
        fprintf(out, i % 3 ? "w%d " : "a-rather-long-word-%d\n", i % 100000);
    fclose(out);
    for (uint64_t seed = 0; seed < 5; seed++)
        must_count_text(t, seed, "many words");
    free(t.data);
}

Test(words, words_of_every_length_and_trailing_nul_bytes)
{
    text t = {0};
    FILE *out = open_memstream(&t.data, &t.len);
    for (int len = 1; len < 70; len++) {
        for (int nul = 0; nul <= len; nul++) {
            for (int i = 0; i < len; i++)
                fputc(i < len - nul ? 'w' : 0, out);
            fputc(' ', out);
        }
    }
    fclose(out);
    must_count_text(t, 9, "lengths");
    free(t.data);
}

Test(words, any_grouping_of_merges_gives_the_same_table)
{
    text parts[5];
    rk_counts *tables[5], *all, *left, *right, *both;
    text whole = {0};
    FILE *out = open_memstream(&whole.data, &whole.len);
    for (int i = 0; i < 5; i++) {
        parts[i] = random_text(2000);
        tables[i] = count_words(parts[i], 7);
        fwrite(parts[i].data, 1, parts[i].len, out);
        fputc(' ', out);
    }
    fclose(out);
    cr_assert_eq(rk_counts_merge((const rk_counts *const *)tables, 5, &all), RASK_OK);
    cr_assert_eq(rk_counts_merge((const rk_counts *const *)tables, 2, &left), RASK_OK);
    cr_assert_eq(rk_counts_merge((const rk_counts *const *)tables + 2, 3, &right), RASK_OK);
    cr_assert_eq(rk_counts_merge((const rk_counts *const[]){right, left}, 2, &both), RASK_OK);
    must_count(all, whole, "merged at once");
    cr_assert(rk_counts_class.equal(all, both));
    cr_assert_not(rk_counts_class.equal(all, left));
    for (int i = 0; i < 5; i++) {
        rk_counts_free(tables[i]);
        free(parts[i].data);
    }
    rk_counts_free(all);
    rk_counts_free(left);
    rk_counts_free(right);
    rk_counts_free(both);
    free(whole.data);
}

Test(words, tables_of_different_seeds_are_not_merged)
{
    text t = {"a b", 3};
    rk_counts *a = count_words(t, 1), *b = count_words(t, 2), *out = NULL;
    cr_assert_eq(rk_counts_merge((const rk_counts *const[]){a, b}, 2, &out), RASK_EINVAL);
    cr_assert_eq(rk_counts_merge(NULL, 0, &out), RASK_EINVAL);
    cr_assert_null(out);
    rk_counts_free(a);
    rk_counts_free(b);
}

Test(words, different_words_of_one_hash_are_ordered_by_bytes)
{
    text t = {"b a", 3};
    rk_counts *table = count_words(t, 1);
    rk_counts_place first = rk_counts_place_of(table, 0), second = rk_counts_place_of(table, 1);
    cr_assert_lt(rk_counts_place_order(&first, &second), 0);
    first.hash = second.hash = 5;
    bool a_is_first = *rk_counts_entry_text(&table->arena, first.entry).data == 'a';
    cr_assert_eq(rk_counts_place_order(&first, &second) < 0, a_is_first);
    cr_assert_eq(rk_counts_place_order(&first, &first), 0);
    rk_counts_free(table);
}

Test(words, top_takes_the_first_by_count_then_bytes)
{
    text t = {"ab b a ab a abc c c c", 21};
    rk_counts *table = count_words(t, 1);
    rk_counts_entry *entries;
    size_t count;
    const char *want[] = {"c", "a", "ab", "abc", "b"};
    for (uint64_t k = 0; k <= 6; k++) {
        cr_assert_eq(rk_counts_top(table, k, &entries, &count), RASK_OK);
        cr_assert_eq(count, k < 5 ? k : 5);
        for (size_t i = 0; i < count; i++) {
            rask_bytes word = rk_counts_entry_text(&table->arena, &entries[i]);
            cr_assert(word.len == strlen(want[i]) && memcmp(word.data, want[i], word.len) == 0);
        }
        rk_free(entries);
    }
    rk_counts_free(table);
}

Test(words, tables_survive_encoding)
{
    text t = random_text(3000);
    rk_counts *table = count_words(t, 11);
    void *back;
    rask_value bytes;
    rask_bytes raw;
    cr_assert_eq(rk_counts_class.encode(table, &bytes), RASK_OK);
    cr_assert_eq(rask_value_get_bytes(&bytes, &raw), RASK_OK);
    cr_assert_eq(rk_counts_class.decode(raw, &back), RASK_OK);
    cr_assert(rk_counts_class.equal(table, back));
    rk_counts_class.destroy(back);
    rk_counts_free(table);
    rask_value_unref(&bytes);
    free(t.data);
}

/* Long ones are in several pieces of memory, and in one when they were encoded. */
Test(words, many_long_words_survive_encoding)
{
    enum { WORDS = 60000, LONG = 100, SIZE = WORDS * LONG };
    char *all = malloc(SIZE + RK_COUNTS_PADDING);
    uint64_t ends[WORDS];
    rk_counter counter;
    rk_counts *table, *merged;
    rask_value bytes;
    rask_bytes raw;
    void *back;
    cr_assert(all);
    memset(all, 'x', SIZE + RK_COUNTS_PADDING);
    for (int i = 0; i < WORDS; i++) {
        memcpy(all + i * LONG, &i, sizeof i);
        ends[i] = (uint64_t)(i + 1) * LONG;
    }
    cr_assert_eq(rk_counter_init(&counter, 5, 0), RASK_OK);
    cr_assert_eq(rk_counter_add_all(&counter, all, 0, ends, NULL, WORDS), RASK_OK);
    cr_assert_eq(rk_counter_finish(&counter, &table), RASK_OK);
    cr_assert_gt(table->arena.count, 2);
    cr_assert_eq(rk_counts_merge((const rk_counts *[]){table, table}, 2, &merged), RASK_OK);
    cr_assert_eq(merged->count, WORDS);
    cr_assert_eq(rk_counts_class.encode(merged, &bytes), RASK_OK);
    cr_assert_eq(rask_value_get_bytes(&bytes, &raw), RASK_OK);
    cr_assert_eq(rk_counts_class.decode(raw, &back), RASK_OK);
    cr_expect(rk_counts_class.equal(merged, back));
    cr_expect_not(rk_counts_class.equal(table, back));
    rk_counts_free(back);
    rask_value_unref(&bytes);
    rk_counts_free(merged);
    rk_counts_free(table);
    rk_counter_fini(&counter);
    free(all);
}

/* Whatever is decoded can be read to its end; what is cut short never can be decoded. */
Test(words, damaged_tables_are_refused_or_sound)
{
    text t = {"a a-long-word-to-have-one b c d e", 33};
    rk_counts *table = count_words(t, 11);
    rask_value bytes;
    rask_bytes raw;
    void *back;
    cr_assert_eq(rk_counts_class.encode(table, &bytes), RASK_OK);
    cr_assert_eq(rask_value_get_bytes(&bytes, &raw), RASK_OK);
    for (size_t len = 0; len < raw.len; len++)
        cr_assert_eq(rk_counts_class.decode((rask_bytes){raw.data, len}, &back), RASK_EFORMAT);
    for (size_t bit = 0; bit < 8 * raw.len; bit++) {
        char *copy = malloc(raw.len);
        memcpy(copy, raw.data, raw.len);
        copy[bit / 8] ^= (char)(1 << bit % 8);
        if (rk_counts_class.decode((rask_bytes){copy, raw.len}, &back) == RASK_OK) {
            free(lines_of(back).data);
            rk_counts_class.destroy(back);
        }
        free(copy);
    }
    rk_counts_free(table);
    rask_value_unref(&bytes);
}

Test(words, counter_stops_at_its_ceiling)
{
    rk_counter counter;
    char word[32], *big = malloc(100000);
    int status = RASK_OK, added = 0;
    cr_assert_eq(rk_counter_init(&counter, 1, 1 << 20), RASK_OK);
    memset(big, 'w', 100000);
    for (; !status && added < 100000; added++)
        status = rk_counter_add(&counter, word, (size_t)snprintf(word, sizeof word, "%d", added), 1);
    cr_assert_eq(status, RASK_EBUDGET);
    cr_assert_gt(added, 10000);
    rk_counter_fini(&counter);
    cr_assert_eq(rk_counter_init(&counter, 1, 100000), RASK_OK);
    cr_assert_eq(rk_counter_add(&counter, big, 100000, 1), RASK_EBUDGET);
    rk_counter_fini(&counter);
    free(big);
}

/* --- strings */

/* What "a" twice, "" three times and a long one, five times, come to. */
static void must_have_strings(rk_counter *counter, const char *what)
{
    rk_counts *table;
    cr_assert_eq(rk_counter_finish(counter, &table), RASK_OK);
    text got = lines_of(table), want = {"5\ta string of more than 16 bytes\n3\t\n2\ta\n", 40};
    must_equal(got, want, what);
    free(got.data);
    rk_counts_free(table);
    rk_counter_fini(counter);
}

Test(counter, strings_may_be_empty_and_come_several_times)
{
    static const char all[] = "aa"
                              "a string of more than 16 bytes"
                              "padding padding padding padding padding padding padding padding";
    static const uint64_t ends[] = {1, 1, 2, 2, 32, 32};
    rk_counter counter;
    cr_assert_eq(rk_counter_init(&counter, 3, 0), RASK_OK);
    cr_assert_eq(rk_counter_add_all(&counter, all, 0, ends, NULL, 6), RASK_OK);
    cr_assert_eq(rk_counter_add(&counter, all + 2, 30, 4), RASK_OK);
    must_have_strings(&counter, "given");
}

Test(counter, strings_from_any_place_on_count_as_often_as_is_said)
{
    static const char all[128] = "xaaa string of more than 16 bytes";
    static const uint64_t ends[] = {2, 3, 3, 33};
    static const int64_t times[] = {1, 1, 3, 5};
    rk_counter counter;
    cr_assert_eq(rk_counter_init(&counter, 3, 0), RASK_OK);
    cr_assert_eq(rk_counter_add_all(&counter, all, 1, ends, times, 4), RASK_OK);
    must_have_strings(&counter, "given");
}

Test(counter, lines_end_with_lf_crlf_or_the_text)
{
    static const char want[] = "4\ta\n2\t\n1\t\r\n1\tb\rc\n1\tline\n";
    static const char all[128] = "a\na\r\n\n\r\r\nb\rc\na\n\r\nline\na";
    rk_counter counter;
    rk_counts *table;
    cr_assert_eq(rk_counter_init(&counter, 3, 0), RASK_OK);
    cr_assert_eq(rk_counter_lines(&counter, all, strlen(all)), RASK_OK);
    cr_assert_eq(rk_counter_finish(&counter, &table), RASK_OK);
    text got = lines_of(table);
    must_equal(got, (text){(char *)want, strlen(want)}, "lines");
    free(got.data);
    rk_counts_free(table);
    rk_counter_fini(&counter);
}

Test(counter, many_lines_over_the_edges_of_batches)
{
    text t = {0};
    uint64_t state = random_state;
    FILE *out = open_memstream(&t.data, &t.len);
    for (int i = 0; i < 3000; i++)
        fprintf(out, "%.*s\n", (int)(random_below(4) ? random_below(3) : random_below(200)),
                "xxxxxxxxxxxxxxxxxxxxxxxxxx");
    fclose(out);
    random_state = state;
    uint64_t counts[27] = {0};
    for (int i = 0; i < 3000; i++) {
        uint32_t len = random_below(4) ? random_below(3) : random_below(200);
        counts[len < 26 ? len : 26]++;
    }
    t.data = realloc(t.data, t.len + RK_COUNTS_PADDING);
    rk_counter counter;
    rk_counts *table;
    cr_assert_eq(rk_counter_init(&counter, 3, 0), RASK_OK);
    cr_assert_eq(rk_counter_lines(&counter, t.data, t.len), RASK_OK);
    cr_assert_eq(rk_counter_finish(&counter, &table), RASK_OK);
    for (size_t i = 0; i < table->count; i++)
        cr_assert_eq(rk_counts_entry_count(&table->entries[i]),
                     counts[rk_counts_entry_text(&table->arena, &table->entries[i]).len]);
    rk_counts_free(table);
    rk_counter_fini(&counter);
    free(t.data);
}

Test(words, parts_by_hash_are_the_whole_and_the_same_in_every_table)
{
    text t = random_text(20000), half = {t.data, 10000};
    rk_counts *whole = count_words(t, 4), *first = count_words(half, 4), *cuts[7], *other, *again;
    size_t count = 0;
    for (uint32_t i = 0; i < 7; i++) {
        cr_assert_eq(rk_counts_cut(whole, i, 7, &cuts[i]), RASK_OK);
        cr_assert_eq(rk_counts_cut(first, i, 7, &other), RASK_OK);
        cr_assert_eq(rk_counts_merge((const rk_counts *const[]){cuts[i], other}, 2, &again), RASK_OK);
        count += again->count;
        rk_counts_free(other);
        rk_counts_free(again);
    }
    cr_assert_geq(count, whole->count);
    cr_assert_leq(count, whole->count + 1); /* the word that half ends in */
    cr_assert_eq(rk_counts_merge((const rk_counts *const *)cuts, 7, &again), RASK_OK);
    cr_assert(rk_counts_class.equal(whole, again));
    for (uint32_t i = 0; i < 7; i++)
        rk_counts_free(cuts[i]);
    rk_counts_free(again);
    rk_counts_free(whole);
    rk_counts_free(first);
    free(t.data);
}

/* Tables as full as they get. Some of the seeds must bring strings around the end, for this to be a test. */
Test(counter, strings_around_the_end_of_the_slots_are_in_order_of_hashes)
{
    enum { STRINGS = 1200, SEEDS = 60 };
    size_t around = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        rk_counter counter;
        rk_counts *table;
        char word[20];
        cr_assert_eq(rk_counter_init(&counter, seed, 0), RASK_OK);
        for (int i = 0; i < STRINGS; i++)
            cr_assert_eq(rk_counter_add(&counter, word, (size_t)snprintf(word, sizeof word, "%d", i), 1),
                         RASK_OK);
        const rk_counts_entry *first = &counter.slots[0];
        around += first->tally && rk_counts_entry_hash(&counter.key, first) >> counter.shift > 0;
        cr_assert_eq(rk_counter_finish(&counter, &table), RASK_OK);
        cr_assert_eq(table->count, STRINGS);
        for (size_t i = 1; i < STRINGS; i++)
            cr_assert_lt(rk_counts_place_of(table, i - 1).hash, rk_counts_place_of(table, i).hash);
        rk_counts_free(table);
        rk_counter_fini(&counter);
    }
    cr_assert_gt(around, 0);
}

/* --- files, cut anywhere */

static char path[] = "/tmp/rask-test-words-XXXXXX";

static void write_file(text t)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, t.data, t.len), (ssize_t)t.len);
    close(fd);
}

static void remove_file(void)
{
    unlink(path);
}

static const rk_text_file *list_file(rk_text_files *files)
{
    rk_text_error error;
    cr_assert_eq(rk_text_files_init(files, (const char *const[]){path}, 1, &error), RASK_OK);
    return files->files;
}

/* Reads the file block by block, words being what is read, and adds the blocks up. */
static rk_counts *read_blocks(uint64_t size)
{
    rk_text_files files;
    rk_text_options options = {.words = true};
    rk_text_error error = {0};
    rk_counter counter;
    rk_counts *table;
    const rk_text_file *file = list_file(&files);
    cr_assert_eq(rk_counter_init(&counter, 1, 0), RASK_OK);
    for (uint64_t begin = 0; begin < file->size; begin += size) {
        rk_text_lines *lines;
        const char *data;
        size_t len;
        uint64_t end = file->size - begin < size ? file->size : begin + size;
        cr_assert_eq(rk_text_lines_new(file, begin, end, &options, &lines, &error), RASK_OK);
        do {
            cr_assert_eq(rk_text_lines_next(lines, &data, &len, &error), RASK_OK, "%s", error.message);
            cr_assert_eq(rk_counter_words(&counter, data, len), RASK_OK);
        } while (len);
        rk_text_lines_free(lines);
    }
    cr_assert_eq(rk_counter_finish(&counter, &table), RASK_OK);
    rk_counter_fini(&counter);
    rk_text_files_fini(&files);
    return table;
}

static void must_count_in_blocks(text t, uint64_t size)
{
    rk_counts *table = read_blocks(size);
    must_count(table, t, "blocks");
    rk_counts_free(table);
}

Test(words, blocks_of_every_size_count_the_same, .fini = remove_file)
{
    text t = random_text(300);
    write_file(t);
    for (uint64_t size = 1; size <= t.len; size++)
        must_count_in_blocks(t, size);
    free(t.data);
}

/* A word, then white space, each in turn over the edge of what is read at once. */
Test(words, words_over_the_edges_of_pieces, .fini = remove_file)
{
    text t = {malloc(2 * RK_TEXT_BLOCK + 50), 2 * RK_TEXT_BLOCK + 50};
    write_file((text){t.data, 0});
    for (int shift = -20; shift <= 20; shift++) {
        for (size_t i = 0; i < t.len; i++)
            t.data[i] = i % 9 ? (char)('a' + i % 7) : ' ';
        memset(t.data + RK_TEXT_BLOCK + shift, shift % 2 ? 'x' : '\n', 7);
        memset(t.data + 2 * RK_TEXT_BLOCK + shift, shift % 2 ? '\t' : 'y', 5);
        int fd = open(path, O_WRONLY);
        cr_assert_eq(write(fd, t.data, t.len), (ssize_t)t.len);
        close(fd);
        must_count_in_blocks(t, t.len);
        must_count_in_blocks(t, RK_TEXT_BLOCK);
    }
    free(t.data);
}

Test(words, a_word_longer_than_many_blocks, .fini = remove_file)
{
    text t = {malloc(3 << 20), 3 << 20};
    memset(t.data, 'w', t.len);
    memcpy(t.data, "a b ", 4);
    memcpy(t.data + t.len - 4, " b a", 4);
    write_file(t);
    must_count_in_blocks(t, 64 << 10);
    must_count_in_blocks(t, 1 << 20);
    free(t.data);
}

/* --- graphs */

static text lines_of_list(const rask_value *list)
{
    text lines = {0};
    const rask_value *items;
    size_t count;
    cr_assert_eq(rask_value_get_list(list, &items, &count), RASK_OK);
    FILE *out = open_memstream(&lines.data, &lines.len);
    for (size_t i = 0; i < count; i += 2) {
        rask_bytes word;
        int64_t number;
        cr_assert_eq(rask_value_get_bytes(&items[i], &word), RASK_OK);
        cr_assert_eq(rask_value_get_i64(&items[i + 1], &number), RASK_OK);
        write_pair(out, (uint64_t)number, word);
    }
    fclose(out);
    return lines;
}

/* Builds the graph over paths and computes it. */
static void must_compute(const char *const *paths, size_t count, const rask_options *options,
                         uint64_t block_size, text want)
{
    rask_text_options how = RASK_TEXT_OPTIONS_INIT;
    rask_value list;
    how.block_bytes = block_size;
    how.workers = options ? options->workers : 0;
    how.seed = block_size;
    rask_graph *graph = rask_graph_new();
    rask_node *node =
        rask_text_frequencies(rask_text_open(graph, paths, count, &how), RASK_TEXT_WORDS, UINT64_MAX);
    cr_assert_eq(rask_compute_value(node, options, &list), RASK_OK, "%s", rask_graph_error(graph));
    text got = lines_of_list(&list);
    must_equal(got, want, "graph");
    free(got.data);
    rask_value_unref(&list);
    rask_graph_free(graph);
}

Test(words, every_scheduler_and_number_of_workers_gives_the_same, .fini = remove_file)
{
    static const uint32_t workers[] = {1, 2, 8};
    static const uint64_t sizes[] = {97, 4096, 65536, 1 << 30};
    text t = random_text(100000), want = count_by_hand(t);
    const char *const paths[] = {path};
    write_file(t);
    for (const char *const *name = rask_schedulers(); *name; name++) {
        if (!strcmp(*name, "cluster"))
            continue; /* has no workers here */
        for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
            for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
                rask_options options = RASK_OPTIONS_INIT;
                options.scheduler = *name;
                options.workers = workers[i];
                must_compute(paths, 1, &options, sizes[j], want);
            }
        }
    }
    free(want.data);
    free(t.data);
}

/* More files than descriptors. */
Test(words, many_small_files_are_read_a_few_at_a_time)
{
    enum { FILES = 200 };
    char directory[] = "/tmp/rask-test-words-XXXXXX", names[FILES][64];
    const char *paths[FILES];
    text all = {0};
    FILE *out = open_memstream(&all.data, &all.len);
    cr_assert_not_null(mkdtemp(directory));
    for (int i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof names[i], "%s/%d", directory, i);
        paths[i] = names[i];
        FILE *file = fopen(names[i], "w");
        if (i % 5)
            fprintf(file, "word%d and more", i % 7);
        fprintf(out, i % 5 ? "word%d and more " : "", i % 7);
        fclose(file);
    }
    fclose(out);
    struct rlimit few = {32, 32};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    text want = count_by_hand(all);
    must_compute(paths, FILES, NULL, 1 << 20, want);
    must_compute(paths, FILES, NULL, 100, want);
    must_compute(paths, FILES, NULL, 3, want);
    for (int i = 0; i < FILES; i++)
        unlink(names[i]);
    rmdir(directory);
    free(want.data);
    free(all.data);
}

typedef struct writer {
    text t;
    int fd;
} writer;

/* In pieces of odd sizes, as a slow program would. */
static void *write_slowly(void *context)
{
    writer *w = context;
    for (size_t at = 0; at < w->t.len;) {
        size_t n = 1 + random_below(100000);
        ssize_t written = write(w->fd, w->t.data + at, n < w->t.len - at ? n : w->t.len - at);
        cr_assert_gt(written, 0);
        at += (size_t)written;
    }
    close(w->fd);
    return NULL;
}

Test(words, pipes_are_shared_by_tasks)
{
    static const char *const names[] = {"serial", "threads"};
    text t = random_text(1500000), want = count_by_hand(t);
    for (int i = 0; i < 2; i++) {
        int ends[2];
        char name[32];
        const char *const paths[] = {name, "/dev/null"};
        rask_options options = RASK_OPTIONS_INIT;
        pthread_t thread;
        cr_assert_eq(pipe(ends), 0);
        writer w = {t, ends[1]};
        snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
        options.scheduler = names[i];
        options.workers = 4;
        cr_assert_eq(pthread_create(&thread, NULL, write_slowly, &w), 0);
        must_compute(paths, 2, &options, 1, want);
        pthread_join(thread, NULL);
        close(ends[0]);
    }
    free(want.data);
    free(t.data);
}

static void must_fail(const char *name, uint64_t memory, int code, const char *message)
{
    rask_text_options how = RASK_TEXT_OPTIONS_INIT;
    rask_options options = RASK_OPTIONS_INIT;
    rask_value list;
    how.memory = options.memory = memory;
    rask_graph *graph = rask_graph_new();
    rask_node *node = rask_text_frequencies(rask_text_open(graph, &name, 1, &how), RASK_TEXT_WORDS, 10);
    cr_assert_eq(node ? rask_compute_value(node, &options, &list) : rask_graph_status(graph), code);
    cr_assert(strstr(rask_graph_error(graph), message), "%s", rask_graph_error(graph));
    rask_graph_free(graph);
}

Test(words, a_file_that_changes_is_an_error, .fini = remove_file)
{
    rask_value list;
    const char *name = path;
    write_file((text){"some words here", 15});
    rask_graph *graph = rask_graph_new();
    rask_node *node = rask_text_frequencies(rask_text_open(graph, &name, 1, NULL), RASK_TEXT_WORDS, 10);
    cr_assert_eq(truncate(path, 9), 0);
    cr_assert_eq(rask_compute_value(node, NULL, &list), RASK_EIO);
    cr_assert(strstr(rask_graph_error(graph), "changed"), "%s", rask_graph_error(graph));
    rask_graph_free(graph);
    unlink(path);
    must_fail(path, 0, RASK_ENOENT, "No such file");
}

Test(words, a_word_over_the_memory_budget_is_an_error, .fini = remove_file)
{
    text t = {malloc(4 << 20), 4 << 20};
    memset(t.data, 'w', t.len);
    write_file(t);
    must_fail(path, 3 << 20, RASK_ELIMIT, "a word of more than");
    free(t.data);
}

Test(words, a_graph_is_computed_again, .fini = remove_file)
{
    rask_value list;
    const char *name = path;
    write_file((text){"a b a", 5});
    rask_graph *graph = rask_graph_new();
    rask_node *node = rask_text_frequencies(rask_text_open(graph, &name, 1, NULL), RASK_TEXT_WORDS, 10);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(rask_compute_value(node, NULL, &list), RASK_OK);
        text got = lines_of_list(&list);
        must_equal(got, (text){"2\ta\n1\tb\n", 8}, "again");
        free(got.data);
        rask_value_unref(&list);
    }
    rask_graph_free(graph);
}
