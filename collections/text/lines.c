/* Design notes.
 *
 *   phase  does                                                            goes to
 *   SKIP   leaves out the line that the part begins in; for a plain file   BODY; at the end FINISHED: no line begins here
 *          reading begins one byte early, to see whether one begins here
 *   BODY   gives lines up to the end of the part                           TAIL, when a line runs on or may begin there
 *   TAIL   gives the last line, from behind the end                        FINISHED
 *
 * scanned: the bytes in the buffer, behind begin, that are known to hold no newline. */
#include "collections/text/lines.h"

#include "collections/text/spaces.h"
#include "core/base/alloc.h"

#include <string.h>

enum { TAIL_BYTES = 4 << 10 }; /* read first for the rest of the last line */

typedef enum lines_phase { SKIP, BODY, TAIL, FINISHED } lines_phase;

struct rk_text_lines {
    rk_text_buffer buffer;
    rk_text_reader *reader;
    lines_phase phase;
    size_t scanned;
    size_t given; /* bytes that the caller has */
    size_t tail;  /* bytes to read next in TAIL */
    uint64_t before;
    bool words;
    bool fresh; /* nothing was given yet, of a part that begins where its file does */
};

/* Bytes up to the first end of a line, itself included; 0: none ends. */
static size_t first_end(const rk_text_lines *lines, const char *text, size_t len)
{
    if (lines->words) {
        size_t space = rk_find_space(text, len);
        return space < len ? space + 1 : 0;
    }
    const char *newline = len ? memchr(text, '\n', len) : NULL;
    return newline ? (size_t)(newline - text) + 1 : 0;
}

/* Bytes up to the last one. */
static size_t last_end(const rk_text_lines *lines, const char *text, size_t len)
{
    if (lines->words)
        return rk_after_last_space(text, len);
    const char *newline = len ? memrchr(text, '\n', len) : NULL;
    return newline ? (size_t)(newline - text) + 1 : 0;
}

static void take(rk_text_lines *lines, size_t count)
{
    rk_text_buffer_take(&lines->buffer, count);
    lines->scanned = 0;
}

/* The part's lines as an error names them begin with 1. */
static int more(rk_text_lines *lines, size_t most, size_t *got, rk_text_error *error)
{
    rk_text_buffer *buffer = &lines->buffer;
    lines->scanned = rk_text_buffer_len(buffer);
    int status = rk_text_buffer_more(buffer, lines->reader, most, got, error);
    if (status == RASK_ELIMIT && lines->scanned == buffer->ceiling && lines->words)
        return rk_text_fail(error, RASK_ELIMIT, rk_text_reader_path(lines->reader),
                            "a word of more than %zu bytes, which is the limit", buffer->ceiling);
    if (status == RASK_ELIMIT && lines->scanned == buffer->ceiling)
        return rk_text_fail(
            error, RASK_ELIMIT, rk_text_reader_path(lines->reader),
            "line %llu of the part read, which begins at byte %llu, has more than %zu bytes, which is "
            "the limit",
            (unsigned long long)lines->before + 1, (unsigned long long)buffer->position, buffer->ceiling);
    return status;
}

static int skip_line(rk_text_lines *lines, size_t *given, rk_text_error *error)
{
    const char *data = rk_text_buffer_data(&lines->buffer);
    size_t len = rk_text_buffer_len(&lines->buffer), got;
    size_t end = first_end(lines, data, len);
    *given = 0;
    take(lines, end ? end : len);
    if (end) {
        lines->phase = BODY;
        return RASK_OK;
    }
    int status = more(lines, 0, &got, error);
    if (!status && got == 0)
        lines->phase = FINISHED;
    return status;
}

static void begin_tail(rk_text_lines *lines)
{
    bool runs_on = rk_text_buffer_len(&lines->buffer) > 0;
    lines->phase = runs_on || rk_text_reader_compressed(lines->reader) ? TAIL : FINISHED;
    rk_text_reader_extend(lines->reader, UINT64_MAX);
}

static int give_body(rk_text_lines *lines, size_t *given, rk_text_error *error)
{
    const char *data = rk_text_buffer_data(&lines->buffer);
    size_t len = rk_text_buffer_len(&lines->buffer), got;
    size_t end = last_end(lines, data + lines->scanned, len - lines->scanned);
    *given = end ? lines->scanned + end : 0;
    if (end)
        return RASK_OK;
    int status = more(lines, 0, &got, error);
    if (!status && got == 0)
        begin_tail(lines);
    return status;
}

static int give_tail(rk_text_lines *lines, size_t *given, rk_text_error *error)
{
    size_t got;
    int status = more(lines, lines->tail, &got, error);
    if (status)
        return status;
    const char *data = rk_text_buffer_data(&lines->buffer);
    size_t end = first_end(lines, data + lines->scanned, got);
    *given = end ? lines->scanned + end : 0;
    if (end || got == 0)
        lines->phase = FINISHED;
    if (got == 0)
        *given = rk_text_buffer_len(&lines->buffer);
    lines->tail *= 2;
    return RASK_OK;
}

/* Leaves out a byte order mark before what is to be given first. */
static size_t without_mark(rk_text_lines *lines, size_t given)
{
    static const char mark[] = {'\xef', '\xbb', '\xbf'};
    lines->fresh = false;
    if (given < sizeof mark || memcmp(rk_text_buffer_data(&lines->buffer), mark, sizeof mark) != 0)
        return given;
    take(lines, sizeof mark);
    return given - sizeof mark;
}

int rk_text_lines_next(rk_text_lines *lines, const char **text, size_t *len, rk_text_error *error)
{
    size_t given = 0;
    if (lines->given) {
        if (!lines->words)
            lines->before += rk_count_newlines(rk_text_buffer_data(&lines->buffer), lines->given);
        take(lines, lines->given);
        lines->given = 0;
    }
    while (given == 0 && lines->phase != FINISHED) {
        int status = lines->phase == SKIP   ? skip_line(lines, &given, error)
                     : lines->phase == BODY ? give_body(lines, &given, error)
                                            : give_tail(lines, &given, error);
        if (status)
            return status;
        if (given && lines->fresh)
            given = without_mark(lines, given);
    }
    lines->given = given;
    *text = rk_text_buffer_data(&lines->buffer);
    *len = given;
    return RASK_OK;
}

uint64_t rk_text_lines_position(const rk_text_lines *lines)
{
    return lines->buffer.position;
}

uint64_t rk_text_lines_before(const rk_text_lines *lines)
{
    return lines->before;
}

int rk_text_lines_new(const rk_text_file *file, uint64_t begin, uint64_t end, const rk_text_options *options,
                      rk_text_lines **out, rk_text_error *error)
{
    bool inside = begin > file->start && !file->stream, plain = file->compression == RK_PLAIN;
    if (inside && plain)
        begin--;
    rk_text_lines *lines = rk_alloc(sizeof *lines);
    if (!lines)
        return rk_text_fail_memory(error, file->path);
    *lines = (rk_text_lines){.phase = inside ? SKIP : BODY,
                             .tail = TAIL_BYTES,
                             .words = options && options->words,
                             .fresh = !inside};
    int status = rk_text_buffer_init(&lines->buffer, options ? options->block : 0,
                                     options ? options->longest : 0, plain ? begin : 0);
    if (status)
        rk_text_fail_memory(error, file->path);
    else
        status = rk_text_reader_new(file, begin, end, options, &lines->reader, error);
    if (status) {
        rk_text_lines_free(lines);
        return status;
    }
    *out = lines;
    return RASK_OK;
}

void rk_text_lines_free(rk_text_lines *lines)
{
    if (!lines)
        return;
    rk_text_reader_free(lines->reader);
    rk_text_buffer_fini(&lines->buffer);
    rk_free(lines);
}

uint64_t rk_text_lines_until(const rk_text_file *file, uint64_t begin)
{
    rk_text_lines *lines = NULL;
    rk_text_error error;
    const char *text;
    size_t len = 1;
    if (begin <= file->start || file->stream ||
        rk_text_lines_new(file, file->start, begin, NULL, &lines, &error) || !lines)
        return 0;
    while (len && !rk_text_lines_next(lines, &text, &len, &error)) {
    }
    uint64_t count = lines->before;
    rk_text_lines_free(lines);
    return count;
}
