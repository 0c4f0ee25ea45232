/* Lines that match: the same that match one by one, whatever the pattern, the text and the way that is taken. */
#include "collections/regex/regex.h"
#include "collections/search/matcher.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

static size_t random_text(char *text, size_t most)
{
    static const char bytes[] = "aaabbc  \n\n\r\n\x80\xc3\xa9x.\0";
    size_t len = random_below((uint32_t)most);
    for (size_t i = 0; i < len; i++)
        text[i] = bytes[random_below(sizeof bytes - 1)];
    return len;
}

/* -- Bytes */

Test(find, is_where_memmem_finds)
{
    char text[200], bytes[20];
    for (int i = 0; i < 100000; i++) {
        size_t len = random_text(text, sizeof text), needed = 1 + random_below(random_below(4) ? 3 : 18);
        for (size_t j = 0; j < needed; j++)
            bytes[j] = "abc\n"[random_below(4)];
        if (len > needed && random_below(2))
            memcpy(text + random_below((uint32_t)(len - needed + 1)), bytes, needed);
        rk_needle needle = rk_needle_of(bytes, needed);
        const char *want = memmem(text, len, bytes, needed);
        cr_assert_eq(rk_find(&needle, text, len), want ? (size_t)(want - text) : len);
    }
}

/* -- Lines */

static bool matches_alone(const rk_regex *regex, rk_regex_memory *memory, const char *line, size_t len)
{
    return rk_regex_match(regex, memory, line, rk_line_len(line, len), 0, NULL, NULL) > 0;
}

/* Marks the bytes of lines that match, or do not. */
static void mark_by_hand(const rk_regex *regex, const char *text, size_t len, bool inverted, char *marks)
{
    rk_regex_memory *memory = rk_regex_memory_new(0);
    memset(marks, 0, len);
    for (size_t at = 0; at < len;) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t end = newline ? (size_t)(newline - text) + 1 : len;
        if (matches_alone(regex, memory, text + at, end - at) != inverted)
            memset(marks + at, 1, end - at);
        at = end;
    }
    rk_regex_memory_free(memory);
}

static void mark(const rk_matcher *matcher, const char *text, size_t len, bool inverted, char *marks)
{
    rk_matching *matching;
    rk_run run;
    size_t before = 0;
    cr_assert_eq(rk_matching_new(matcher, &matching), RASK_OK);
    memset(marks, 0, len);
    rk_matching_begin(matching, text, len, inverted);
    for (int found; (found = rk_matching_next(matching, &run));) {
        cr_assert_eq(found, 1);
        cr_assert(run.begin >= before && run.end > run.begin && run.end <= len);
        memset(marks + run.begin, 1, run.end - run.begin);
        before = run.end;
    }
    rk_matching_free(matching);
}

static void must_agree(const rk_matcher *matcher, const rk_regex *regex, const char *pattern)
{
    char text[150], want[150], got[150];
    for (int i = 0; i < 800; i++) {
        size_t len = random_text(text, sizeof text);
        bool inverted = random_below(2);
        mark_by_hand(regex, text, len, inverted, want);
        mark(matcher, text, len, inverted, got);
        cr_assert(memcmp(want, got, len) == 0, "%s: text %d of %zu bytes", pattern, i, len);
    }
}

static bool have_patterns(void)
{
    char message[700];
    rk_regex *regex;
    if (rk_regex_new("a", 1, 0, &regex, message, sizeof message))
        return false;
    rk_regex_free(regex);
    return true;
}

Test(matcher, finds_the_lines_that_match_alone)
{
    static const char *const patterns[] = {"a",
                                           "ab",
                                           "a b",
                                           "",
                                           "a*",
                                           "^",
                                           "$",
                                           "^$",
                                           "^a",
                                           "a$",
                                           "^a.*b$",
                                           ".",
                                           "..",
                                           "a.b",
                                           "[^a]",
                                           "[^a]b",
                                           "\\s",
                                           "\\S\\s",
                                           "a\\s+b",
                                           "\\bb",
                                           "b\\b",
                                           "\\Ba",
                                           "(a|b)c",
                                           "(.)\\1",
                                           "a{2}",
                                           "a+?b",
                                           "(?:a|x).",
                                           "(?=b)",
                                           "a(?!b)",
                                           "(?<!a)b",
                                           "\\Ab",
                                           "b\\z",
                                           "b\\Z",
                                           "a++b",
                                           "(?>a+)b",
                                           "\\R",
                                           "\\n",
                                           "\\r",
                                           "a\r",
                                           "\\x{e9}",
                                           "\\W",
                                           "\\D+x",
                                           "[[:space:]]a",
                                           "\\x00",
                                           "(?i)A",
                                           "x|$",
                                           "^|b",
                                           "\\Gab",
                                           "(*ANYCRLF)a$",
                                           "\\Qa.\\E",
                                           "a\\.",
                                           "\\K"};
    char message[700];
    if (!have_patterns())
        cr_skip_test("no module rask-pcre2");
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        for (int ignore_case = 0; ignore_case < 2; ignore_case++) {
            rk_matcher *matcher;
            rk_regex *regex;
            cr_assert_eq(rk_matcher_new(patterns[i], false, ignore_case, &matcher, message, sizeof message),
                         RASK_OK, "%s: %s", patterns[i], message);
            cr_assert_eq(rk_regex_new(patterns[i], strlen(patterns[i]),
                                      ignore_case ? RK_REGEX_IGNORE_CASE : 0, &regex, message,
                                      sizeof message),
                         RASK_OK);
            must_agree(matcher, regex, patterns[i]);
            rk_matcher_free(matcher);
            rk_regex_free(regex);
        }
    }
}

Test(matcher, finds_fixed_text_as_it_is)
{
    static const char *const texts[][2] = {
        {"a", "a"}, {".", "\\."}, {"x.", "x\\."}, {"b ", "b "}, {"\xc3\xa9", "\xc3\xa9"}, {"", ""}};
    char message[700];
    if (!have_patterns())
        cr_skip_test("no module rask-pcre2");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (int ignore_case = 0; ignore_case < 2; ignore_case++) {
            rk_matcher *matcher;
            rk_regex *regex;
            cr_assert_eq(rk_matcher_new(texts[i][0], true, ignore_case, &matcher, message, sizeof message),
                         RASK_OK);
            cr_assert_eq(rk_regex_new(texts[i][1], strlen(texts[i][1]), 0, &regex, message, sizeof message),
                         RASK_OK);
            must_agree(matcher, regex, texts[i][0]);
            rk_matcher_free(matcher);
            rk_regex_free(regex);
        }
    }
}

Test(matcher, finds_every_match_in_a_line)
{
    char message[700];
    rk_matcher *matcher;
    rk_matching *matching;
    static const char line[] = "abab b xab";
    size_t from = 0, to, places[8], count = 0;
    cr_assert_eq(rk_matcher_new("ab", false, false, &matcher, message, sizeof message), RASK_OK);
    cr_assert_eq(rk_matching_new(matcher, &matching), RASK_OK);
    while (rk_matching_find(matching, line, strlen(line), &from, &to) > 0) {
        places[count++] = from;
        from = to;
    }
    cr_assert(count == 3 && places[0] == 0 && places[1] == 2 && places[2] == 8);
    rk_matching_free(matching);
    rk_matcher_free(matcher);
}

Test(matcher, refuses_newlines_and_what_is_no_pattern)
{
    char message[700] = "";
    rk_matcher *matcher = NULL;
    cr_assert_eq(rk_matcher_new("a\nb", true, false, &matcher, message, sizeof message), RASK_EINVAL);
    cr_assert_str_eq(message, "pattern, byte 1: a newline, which no line has");
    if (have_patterns())
        cr_assert_eq(rk_matcher_new("a(", false, false, &matcher, message, sizeof message), RASK_EFORMAT);
    cr_assert_null(matcher);
}
