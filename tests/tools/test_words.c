/* Counting words: the same as by hand, wherever texts are cut and whoever counts. */
#include "words_graph.h"

#include <rask/plan.h>

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

static text lines_of(const words_table *table)
{
    text lines = {0};
    words_entry *entries;
    size_t count;
    cr_assert_eq(words_table_top(table, UINT64_MAX, &entries, &count), RASK_OK);
    FILE *out = open_memstream(&lines.data, &lines.len);
    for (size_t i = 0; i < count; i++)
        write_pair(out, words_entry_count(&entries[i]), words_entry_text(&table->arena, &entries[i]));
    fclose(out);
    free(entries);
    return lines;
}

/* Counts t, given to the counter in pieces of at most piece bytes as a reader would. */
static words_table *count_in_pieces(text t, size_t piece, uint64_t seed)
{
    words_counter counter;
    words_table *table;
    char *buffer = malloc(t.len + WORDS_PADDING);
    size_t scanned = 0;
    memset(buffer, 'x', t.len + WORDS_PADDING);
    cr_assert_eq(words_counter_init(&counter, seed, 0), RASK_OK);
    for (size_t at = 0; at < t.len;) {
        size_t n = t.len - at < piece ? t.len - at : piece, begin = at - scanned;
        memcpy(buffer, t.data + begin, scanned + n);
        cr_assert_eq(words_counter_text(&counter, buffer, scanned + n, &scanned), RASK_OK);
        at += n;
    }
    if (scanned)
        cr_assert_eq(words_counter_word(&counter, t.data + t.len - scanned, scanned), RASK_OK);
    cr_assert_eq(words_counter_finish(&counter, &table), RASK_OK);
    words_counter_fini(&counter);
    free(buffer);
    return table;
}

static void must_count(const words_table *table, text t, const char *what)
{
    text got = lines_of(table), want = count_by_hand(t);
    must_equal(got, want, what);
    free(got.data);
    free(want.data);
}

Test(words, random_texts_count_as_by_hand)
{
    for (uint32_t i = 0; i < 300; i++) {
        text t = random_text(random_below(5000));
        words_table *table = count_in_pieces(t, SIZE_MAX, i);
        must_count(table, t, "whole text");
        words_table_free(table);
        free(t.data);
    }
}

Test(words, pieces_of_every_size_count_the_same)
{
    text t = random_text(700);
    for (size_t piece = 1; piece <= t.len; piece++) {
        words_table *table = count_in_pieces(t, piece, 3);
        must_count(table, t, "pieces");
        words_table_free(table);
    }
    free(t.data);
}

/* Enough words that the table grows many times, some of them long, and wraps around its end. */
Test(words, hundred_thousand_different_words)
{
    text t = {0};
    FILE *out = open_memstream(&t.data, &t.len);
    for (int i = 0; i < 200000; i++)
        fprintf(out, i % 3 ? "w%d " : "a-rather-long-word-%d\n", i % 100000);
    fclose(out);
    for (uint64_t seed = 0; seed < 5; seed++) {
        words_table *table = count_in_pieces(t, 1 << 16, seed);
        must_count(table, t, "many words");
        words_table_free(table);
    }
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
    words_table *table = count_in_pieces(t, SIZE_MAX, 9);
    must_count(table, t, "lengths");
    words_table_free(table);
    free(t.data);
}

Test(words, any_grouping_of_merges_gives_the_same_table)
{
    text parts[5];
    words_table *tables[5], *all, *left, *right, *both;
    text whole = {0};
    FILE *out = open_memstream(&whole.data, &whole.len);
    for (int i = 0; i < 5; i++) {
        parts[i] = random_text(2000);
        tables[i] = count_in_pieces(parts[i], SIZE_MAX, 7);
        fwrite(parts[i].data, 1, parts[i].len, out);
        fputc(' ', out);
    }
    fclose(out);
    cr_assert_eq(words_table_merge((const words_table *const *)tables, 5, &all), RASK_OK);
    cr_assert_eq(words_table_merge((const words_table *const *)tables, 2, &left), RASK_OK);
    cr_assert_eq(words_table_merge((const words_table *const *)tables + 2, 3, &right), RASK_OK);
    cr_assert_eq(words_table_merge((const words_table *const[]){right, left}, 2, &both), RASK_OK);
    must_count(all, whole, "merged at once");
    cr_assert(words_table_class.equal(all, both));
    cr_assert_not(words_table_class.equal(all, left));
    for (int i = 0; i < 5; i++) {
        words_table_free(tables[i]);
        free(parts[i].data);
    }
    words_table_free(all);
    words_table_free(left);
    words_table_free(right);
    words_table_free(both);
    free(whole.data);
}

Test(words, tables_of_different_seeds_are_not_merged)
{
    text t = {"a b", 3};
    words_table *a = count_in_pieces(t, 3, 1), *b = count_in_pieces(t, 3, 2), *out = NULL;
    cr_assert_eq(words_table_merge((const words_table *const[]){a, b}, 2, &out), RASK_EINVAL);
    cr_assert_eq(words_table_merge(NULL, 0, &out), RASK_EINVAL);
    cr_assert_null(out);
    words_table_free(a);
    words_table_free(b);
}

Test(words, different_words_of_one_hash_are_ordered_by_bytes)
{
    text t = {"b a", 3};
    words_table *table = count_in_pieces(t, 3, 1);
    words_place first = words_place_of(table, 0), second = words_place_of(table, 1);
    cr_assert_lt(words_place_order(&first, &second), 0);
    first.hash = second.hash = 5;
    bool a_is_first = *words_entry_text(&table->arena, first.entry).data == 'a';
    cr_assert_eq(words_place_order(&first, &second) < 0, a_is_first);
    cr_assert_eq(words_place_order(&first, &first), 0);
    words_table_free(table);
}

Test(words, top_takes_the_first_by_count_then_bytes)
{
    text t = {"ab b a ab a abc c c c", 21};
    words_table *table = count_in_pieces(t, SIZE_MAX, 1);
    words_entry *entries;
    size_t count;
    const char *want[] = {"c", "a", "ab", "abc", "b"};
    for (uint64_t k = 0; k <= 6; k++) {
        cr_assert_eq(words_table_top(table, k, &entries, &count), RASK_OK);
        cr_assert_eq(count, k < 5 ? k : 5);
        for (size_t i = 0; i < count; i++) {
            rask_bytes word = words_entry_text(&table->arena, &entries[i]);
            cr_assert(word.len == strlen(want[i]) && memcmp(word.data, want[i], word.len) == 0);
        }
        free(entries);
    }
    words_table_free(table);
}

Test(words, tables_survive_encoding)
{
    text t = random_text(3000);
    words_table *table = count_in_pieces(t, SIZE_MAX, 11);
    void *back;
    rask_value bytes;
    rask_bytes raw;
    cr_assert_eq(words_table_class.encode(table, &bytes), RASK_OK);
    cr_assert_eq(rask_value_get_bytes(&bytes, &raw), RASK_OK);
    cr_assert_eq(words_table_class.decode(raw, &back), RASK_OK);
    cr_assert(words_table_class.equal(table, back));
    words_table_class.destroy(back);
    words_table_free(table);
    rask_value_unref(&bytes);
    free(t.data);
}

/* Whatever is decoded can be read to its end; what is cut short never can be decoded. */
Test(words, damaged_tables_are_refused_or_sound)
{
    text t = {"a a-long-word-to-have-one b c d e", 33};
    words_table *table = count_in_pieces(t, SIZE_MAX, 11);
    rask_value bytes;
    rask_bytes raw;
    void *back;
    cr_assert_eq(words_table_class.encode(table, &bytes), RASK_OK);
    cr_assert_eq(rask_value_get_bytes(&bytes, &raw), RASK_OK);
    for (size_t len = 0; len < raw.len; len++)
        cr_assert_eq(words_table_class.decode((rask_bytes){raw.data, len}, &back), RASK_EFORMAT);
    for (size_t bit = 0; bit < 8 * raw.len; bit++) {
        char *copy = malloc(raw.len);
        memcpy(copy, raw.data, raw.len);
        copy[bit / 8] ^= (char)(1 << bit % 8);
        if (words_table_class.decode((rask_bytes){copy, raw.len}, &back) == RASK_OK) {
            free(lines_of(back).data);
            words_table_class.destroy(back);
        }
        free(copy);
    }
    words_table_free(table);
    rask_value_unref(&bytes);
}

Test(words, counter_stops_at_its_ceiling)
{
    words_counter counter;
    char word[32], *big = malloc(100000);
    int status = RASK_OK, added = 0;
    cr_assert_eq(words_counter_init(&counter, 1, 1 << 20), RASK_OK);
    memset(big, 'w', 100000);
    for (; !status && added < 100000; added++)
        status = words_counter_word(&counter, word, (size_t)snprintf(word, sizeof word, "%d", added));
    cr_assert_eq(status, RASK_EBUDGET);
    cr_assert_gt(added, 10000);
    words_counter_fini(&counter);
    cr_assert_eq(words_counter_init(&counter, 1, 100000), RASK_OK);
    cr_assert_eq(words_counter_word(&counter, big, 100000), RASK_EBUDGET);
    words_counter_fini(&counter);
    free(big);
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

static words_range whole_file(void)
{
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    return words_range_of(path, &status);
}

static words_table *read_range(words_range range)
{
    words_job job;
    words_table *table;
    cr_assert_eq(words_job_init(&job, 1, 0), RASK_OK);
    int status = words_read_range(&job, &range);
    cr_assert_eq(status, RASK_OK, "%s", job.failure.text);
    cr_assert_eq(words_counter_finish(&job.counter, &table), RASK_OK);
    words_job_fini(&job);
    return table;
}

/* Reads the file block by block and adds the blocks up. */
static words_table *read_blocks(uint64_t size)
{
    words_table *sum = NULL, *merged;
    words_range whole = whole_file(), block = whole;
    for (; block.begin < whole.end; block.begin = block.end) {
        block.end = whole.end - block.begin < size ? whole.end : block.begin + size;
        words_table *table = read_range(block);
        if (sum) {
            cr_assert_eq(words_table_merge((const words_table *const[]){sum, table}, 2, &merged), RASK_OK);
            words_table_free(sum);
            words_table_free(table);
            table = merged;
        }
        sum = table;
    }
    return sum;
}

static void must_count_in_blocks(text t, uint64_t size)
{
    words_table *table = read_blocks(size);
    must_count(table, t, "blocks");
    words_table_free(table);
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
    text t = {malloc(2 * WORDS_PIECE + 50), 2 * WORDS_PIECE + 50};
    write_file((text){t.data, 0});
    for (int shift = -20; shift <= 20; shift++) {
        for (size_t i = 0; i < t.len; i++)
            t.data[i] = i % 9 ? (char)('a' + i % 7) : ' ';
        memset(t.data + WORDS_PIECE + shift, shift % 2 ? 'x' : '\n', 7);
        memset(t.data + 2 * WORDS_PIECE + shift, shift % 2 ? '\t' : 'y', 5);
        int fd = open(path, O_WRONLY);
        cr_assert_eq(write(fd, t.data, t.len), (ssize_t)t.len);
        close(fd);
        must_count_in_blocks(t, t.len);
        must_count_in_blocks(t, WORDS_PIECE);
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

static void must_fail(words_range range, uint64_t ceiling, int code, const char *message)
{
    words_job job;
    cr_assert_eq(words_job_init(&job, 1, ceiling), RASK_OK);
    cr_assert_eq(words_read_range(&job, &range), code);
    cr_assert_eq(job.failure.code, code);
    cr_assert(strstr(job.failure.text, path) && strstr(job.failure.text, message), "%s", job.failure.text);
    words_job_fini(&job);
}

Test(words, a_file_that_changes_is_an_error, .fini = remove_file)
{
    write_file((text){"some words here", 15});
    words_range range = whole_file();
    cr_assert_eq(truncate(path, 9), 0);
    must_fail(range, 0, RASK_EIO, "changed");
    cr_assert_eq(truncate(path, 20), 0);
    must_fail(range, 0, RASK_EIO, "changed");
    unlink(path);
    must_fail(range, 0, RASK_ENOENT, "No such file");
}

Test(words, a_word_over_the_memory_budget_is_an_error, .fini = remove_file)
{
    text t = {malloc(2 << 20), 2 << 20};
    memset(t.data, 'w', t.len);
    write_file(t);
    must_fail(whole_file(), 1 << 20, RASK_EBUDGET, "memory budget");
    free(t.data);
}

static bool always(void *context)
{
    (void)context;
    return true;
}

Test(words, a_cancelled_job_stops, .fini = remove_file)
{
    words_job job;
    write_file((text){"some words here", 15});
    words_range range = whole_file();
    cr_assert_eq(words_job_init(&job, 1, 0), RASK_OK);
    job.cancelled = always;
    cr_assert_eq(words_read_range(&job, &range), RASK_ECANCELLED);
    words_job_fini(&job);
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
    words_inputs inputs;
    words_stream stream;
    words_failure failure = {0};
    words_layout layout = {
        .block_size = block_size, .stream_tasks = 3, .seed = block_size, .top = UINT64_MAX};
    rask_value list;
    cr_assert_eq(words_inputs_init(&inputs, count), RASK_OK);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(words_inputs_add(&inputs, paths[i], &failure), RASK_OK, "%s", failure.text);
    words_stream_init(&stream, inputs.streams, inputs.stream_count);
    rask_graph *graph = rask_graph_new();
    rask_node *node = words_graph_build(graph, &inputs, &stream, &layout);
    cr_assert_eq(rask_compute_value(node, options, &list), RASK_OK, "%s", rask_graph_error(graph));
    text got = lines_of_list(&list);
    must_equal(got, want, "graph");
    free(got.data);
    rask_value_unref(&list);
    rask_graph_free(graph);
    words_stream_fini(&stream);
    words_inputs_fini(&inputs);
}

Test(words, every_scheduler_and_number_of_workers_gives_the_same, .fini = remove_file)
{
    static const uint32_t workers[] = {1, 2, 8};
    static const uint64_t sizes[] = {97, 4096, 65536, 1 << 30};
    text t = random_text(100000), want = count_by_hand(t);
    const char *const paths[] = {path};
    write_file(t);
    for (const char *const *name = rask_schedulers(); *name; name++) {
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

Test(words, inputs_that_cannot_be_read_are_named)
{
    words_inputs inputs;
    words_failure failure;
    cr_assert_eq(words_inputs_init(&inputs, 2), RASK_OK);
    cr_assert_eq(words_inputs_add(&inputs, "/no/such/file", &failure), RASK_ENOENT);
    cr_assert_str_eq(failure.text, "/no/such/file: No such file or directory");
    cr_assert_eq(words_inputs_add(&inputs, "/tmp", &failure), RASK_EIO);
    cr_assert_str_eq(failure.text, "/tmp: Is a directory");
    words_inputs_fini(&inputs);
}
