/* Design notes.
 *
 * A pattern is one of these:
 *   literal   bytes without a \r: looked for in all of the text (find.h)
 *   simple    a regular expression that finds in many lines what it would find in each of them, or begins to: compiled with
 *             RK_REGEX_LINES and searched for in all of the text. A match that runs over the end of its line may come
 *             of a part of it that crosses lines (\s, [^a]), so that line is matched again, alone.
 *   other     a regular expression that looks around, is atomic, or knows where the text begins: each line alone
 *
 * Why simple ones miss no line: what is left is concatenation, alternation, groups, back references, repetition that gives
 * back, ^, $ and \b. A match within a line is found by the search, too, unless one is found before it that begins no later:
 * then its line is looked at, and the search goes on behind that line.
 *
 * \r before \n belongs to the end of a line. In a text that has a \r, every line that is found is matched alone, without
 * it, and patterns with $ are matched line by line. */
#include "collections/search/matcher.h"

#include "collections/regex/regex.h"
#include "core/base/alloc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct rk_matcher {
    char *text; /* the pattern */
    bool literal;
    bool ends; /* it has a $ */
    rk_needle needle;
    rk_regex *line;  /* for a line alone; NULL: literal */
    rk_regex *lines; /* for many; NULL: must not be used */
};

struct rk_matching {
    const rk_matcher *matcher;
    rk_regex_memory *memory;
    const char *text;
    size_t len, at; /* everything before at was looked at */
    bool inverted;
    bool returns; /* the text has a \r */
    bool by_line;
};

/* -- Patterns */

static bool is_literal(const char *pattern, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strchr("\\^$.[]|()?*+{}\r", pattern[i]) && pattern[i])
            return false;
    return len > 0;
}

/* Whether what stands behind a \ leaves a pattern simple. */
static bool is_simple_escape(char letter)
{
    return !isalnum((unsigned char)letter) || strchr("dDwWsSbBhHvVtfrepPx123456789", letter);
}

static bool is_simple(const char *pattern)
{
    for (const char *p = pattern; *p; p++) {
        if (*p == '\\') {
            if (!p[1] || !is_simple_escape(p[1]))
                return false;
            p++;
        } else if (*p == '(' && (p[1] == '*' || (p[1] == '?' && p[2] != ':'))) {
            return false;
        } else if (strchr("*+?}", *p) && p[1] == '+') {
            return false; /* possessive */
        }
    }
    return true;
}

/* Every byte of a text that is to be found as it is, as a regular expression. NULL: no memory. */
static char *quote(const char *text)
{
    char *quoted = rk_alloc(2 * strlen(text) + 1), *out = quoted;
    for (const char *p = text; quoted && *p; p++) {
        if ((unsigned char)*p < 0x80 && !isalnum((unsigned char)*p))
            *out++ = '\\';
        *out++ = *p;
    }
    if (quoted)
        *out = 0;
    return quoted;
}

static int compile(rk_matcher *m, bool ignore_case, char *message, size_t capacity)
{
    size_t len = strlen(m->text);
    uint32_t flags = ignore_case ? RK_REGEX_IGNORE_CASE : 0;
    int status = rk_regex_new(m->text, len, flags, &m->line, message, capacity);
    if (status || !is_simple(m->text) || !rk_regex_is_fast(m->line))
        return status;
    m->ends = strchr(m->text, '$') != NULL;
    return rk_regex_new(m->text, len, flags | RK_REGEX_LINES, &m->lines, message, capacity);
}

static int prepare(rk_matcher *m, const char *pattern, bool fixed, bool ignore_case, char *message,
                   size_t capacity)
{
    size_t len = strlen(pattern);
    m->literal = !ignore_case && ((fixed && len && !strchr(pattern, '\r')) || is_literal(pattern, len));
    m->text = fixed && !m->literal ? quote(pattern) : rk_strndup(pattern, len);
    if (!m->text) {
        snprintf(message, capacity, "%s", rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    if (!m->literal)
        return compile(m, ignore_case, message, capacity);
    m->needle = rk_needle_of(m->text, len);
    return RASK_OK;
}

int rk_matcher_new(const char *pattern, bool fixed, bool ignore_case, rk_matcher **out, char *message,
                   size_t capacity)
{
    if (strchr(pattern, '\n')) {
        snprintf(message, capacity, "pattern, byte %zu: a newline, which no line has",
                 (size_t)(strchr(pattern, '\n') - pattern));
        return RASK_EINVAL;
    }
    rk_matcher *m = rk_calloc(1, sizeof *m);
    int status = m ? prepare(m, pattern, fixed, ignore_case, message, capacity) : RASK_ENOMEM;
    if (status)
        rk_matcher_free(m);
    else
        *out = m;
    return status;
}

void rk_matcher_free(rk_matcher *matcher)
{
    if (!matcher)
        return;
    rk_regex_free(matcher->line);
    rk_regex_free(matcher->lines);
    rk_free(matcher->text);
    rk_free(matcher);
}

int rk_matching_new(const rk_matcher *matcher, rk_matching **out)
{
    rk_matching *m = rk_calloc(1, sizeof *m);
    if (!m)
        return RASK_ENOMEM;
    m->matcher = matcher;
    if (matcher->line && !(m->memory = rk_regex_memory_new(0))) {
        rk_free(m);
        return RASK_ENOMEM;
    }
    *out = m;
    return RASK_OK;
}

void rk_matching_free(rk_matching *matching)
{
    if (!matching)
        return;
    rk_regex_memory_free(matching->memory);
    rk_free(matching);
}

/* -- Lines */

size_t rk_line_len(const char *line, size_t len)
{
    if (len == 0 || line[len - 1] != '\n')
        return len;
    return len - 1 - (len > 1 && line[len - 2] == '\r');
}

/* Behind the line that has byte at. */
static size_t line_end(const rk_matching *m, size_t at)
{
    const char *newline = memchr(m->text + at, '\n', m->len - at);
    return newline ? (size_t)(newline - m->text) + 1 : m->len;
}

static size_t line_begin(const rk_matching *m, size_t at)
{
    const char *newline = at > m->at ? memrchr(m->text + m->at, '\n', at - m->at) : NULL;
    return newline ? (size_t)(newline - m->text) + 1 : m->at;
}

/* 1, 0 or -1: whether a line matches that stands alone. */
static int match_alone(const rk_matching *m, const rk_run *run)
{
    const char *line = m->text + run->begin;
    return rk_regex_match(m->matcher->line, m->memory, line, rk_line_len(line, run->end - run->begin), 0,
                          NULL, NULL);
}

/* The next line, each alone. */
static int next_by_line(rk_matching *m, rk_run *run)
{
    int found = 0;
    while (!found && m->at < m->len) {
        *run = (rk_run){m->at, line_end(m, m->at)};
        found = match_alone(m, run);
        m->at = run->end;
    }
    return found;
}

static int next_literal(rk_matching *m, rk_run *run)
{
    size_t place = m->at + rk_find(&m->matcher->needle, m->text + m->at, m->len - m->at);
    if (place == m->len)
        return 0;
    *run = (rk_run){line_begin(m, place), line_end(m, place)};
    m->at = run->end;
    return 1;
}

/* The next line around a match in all of the text. */
static int next_by_search(rk_matching *m, rk_run *run)
{
    int found = 0;
    while (!found && m->at < m->len) {
        size_t from, to;
        found = rk_regex_search(m->matcher->lines, m->memory, m->text, m->len, m->at, false, &from, &to);
        if (found < 0) {
            m->by_line = true; /* lines alone may be easier */
            return next_by_line(m, run);
        }
        if (!found || (from == m->len && m->text[m->len - 1] == '\n'))
            return 0;
        *run = (rk_run){line_begin(m, from), line_end(m, from)};
        if (m->returns || to > run->begin + rk_line_len(m->text + run->begin, run->end - run->begin))
            found = match_alone(m, run);
        m->at = run->end;
    }
    return found;
}

static int next_match(rk_matching *m, rk_run *run)
{
    if (m->at >= m->len)
        return 0;
    if (m->matcher->literal)
        return next_literal(m, run);
    return m->by_line ? next_by_line(m, run) : next_by_search(m, run);
}

void rk_matching_begin(rk_matching *matching, const char *text, size_t len, bool inverted)
{
    matching->text = text;
    matching->len = len;
    matching->at = 0;
    matching->inverted = inverted;
    matching->returns = matching->matcher->lines && memchr(text, '\r', len);
    matching->by_line = !matching->matcher->lines || (matching->returns && matching->matcher->ends);
}

/* What lies between matching lines. */
static int next_between(rk_matching *m, rk_run *run)
{
    while (m->at < m->len) {
        rk_run match;
        size_t begin = m->at;
        int found = next_match(m, &match);
        if (found < 0) {
            *run = match;
            return found;
        }
        if (!found)
            match = (rk_run){m->len, m->len};
        m->at = match.end;
        if (match.begin > begin) {
            *run = (rk_run){begin, match.begin};
            return 1;
        }
    }
    return 0;
}

int rk_matching_next(rk_matching *matching, rk_run *run)
{
    return matching->inverted ? next_between(matching, run) : next_match(matching, run);
}

int rk_matching_find(rk_matching *matching, const char *line, size_t len, size_t *from, size_t *to)
{
    const rk_matcher *m = matching->matcher;
    if (*from >= len)
        return 0;
    if (!m->literal)
        return rk_regex_search(m->line, matching->memory, line, len, *from, true, from, to);
    size_t place = *from + rk_find(&m->needle, line + *from, len - *from);
    if (place == len)
        return 0;
    *from = place;
    *to = place + m->needle.len;
    return 1;
}
