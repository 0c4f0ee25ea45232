/* White space: all ways that this processor has find the same as by hand. */
#include "collections/text/spaces.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { LEN = 700, ROOM = LEN + 2 * RK_SPACE_CHUNK };

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

/* Of one kind more than of others, so that there are chunks with hardly any words, or with as many as can be; behind the
 * text what must not count. */
static void fill(char *text)
{
    static const char bytes[] = "ab\0\x08\x0e\x1f!\x80\x89\x8d\xa0\xff \t\n\v\f\r";
    uint32_t often = random_below(3);
    for (size_t i = 0; i < LEN; i++)
        text[i] = random_below(8) == 0 ? bytes[random_below(sizeof bytes - 1)]
                  : often == 0         ? 'x'
                  : often == 1         ? '\n'
                  : i % 2              ? ' '
                                       : 'y';
    memset(text + LEN, '\n', RK_SPACE_CHUNK / 2);
    memset(text + LEN + RK_SPACE_CHUNK / 2, 'z', RK_SPACE_CHUNK / 2);
}

static size_t edges_by_hand(const char *text, size_t from, size_t to, bool in_word, size_t *edges)
{
    size_t count = 0;
    for (size_t i = from; i < to; in_word = !rk_is_space(text[i++]))
        if (in_word == rk_is_space(text[i]))
            edges[count++] = i;
    return count;
}

static size_t newlines_by_hand(const char *text, size_t from, size_t to, size_t *places)
{
    size_t count = 0;
    for (size_t i = from; i < to; i++)
        if (text[i] == '\n')
            places[count++] = i;
    return count;
}

static void must_be(const char *way, const size_t *got, size_t got_count, const size_t *want,
                    size_t want_count)
{
    cr_assert_eq(got_count, want_count, "%s: %zu places, not %zu", way, got_count, want_count);
    for (size_t i = 0; i < want_count; i++)
        cr_assert_eq(got[i], want[i], "%s: place %zu is %zu, not %zu", way, i, got[i], want[i]);
}

/* Lists are as long as the contract says, for a sanitizer to see what is written behind them. */
static void must_find_all(const rk_spaces *way, const char *text, size_t from, size_t to)
{
    size_t want[LEN];
    for (int in_word = 0; in_word < 2; in_word++) {
        size_t count = edges_by_hand(text, from, to, in_word, want);
        size_t *got = malloc((count + RK_SPACE_CHUNK) * sizeof *got);
        must_be(way->name, got, way->word_edges(text, from, to, in_word, got), want, count);
        free(got);
    }
    size_t count = newlines_by_hand(text, from, to, want);
    size_t *got = malloc((count + RK_SPACE_CHUNK) * sizeof *got);
    must_be(way->name, got, way->newlines(text, from, to, got), want, count);
    free(got);
}

static void must_count_all(const rk_spaces *way, const char *text, size_t len)
{
    size_t places[LEN], chunks = len / RK_SPACE_CHUNK;
    size_t edges = edges_by_hand(text, 0, len, false, places);
    cr_assert_eq(way->count_words(text, len), (edges + 1) / 2, "%s: words of %zu bytes", way->name, len);
    cr_assert_eq(way->count_newlines(text, chunks),
                 newlines_by_hand(text, 0, chunks * RK_SPACE_CHUNK, places), "%s: newlines of %zu chunks",
                 way->name, chunks);
}

Test(spaces, all_ways_find_what_is_found_by_hand)
{
    char *text = malloc(ROOM);
    for (int round = 0; round < 300; round++) {
        fill(text);
        size_t from = random_below(LEN), to = from + random_below((uint32_t)(LEN - from + 1));
        for (const rk_spaces *const *way = rk_spaces_ways(); *way; way++) {
            must_find_all(*way, text, from, to);
            must_count_all(*way, text, to);
        }
    }
    free(text);
}

Test(spaces, newlines_are_counted_up_to_the_last_byte_and_no_further)
{
    size_t places[LEN];
    for (size_t len = 0; len < 3 * RK_SPACE_CHUNK; len++) {
        char *text = calloc(len + 1, 1);
        for (size_t i = 0; i < len; i++)
            text[i] = random_below(3) ? '\n' : 'x';
        cr_assert_eq(rk_count_newlines(text, len), newlines_by_hand(text, 0, len, places));
        free(text);
    }
}
