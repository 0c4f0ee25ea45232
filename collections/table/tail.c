#include "collections/table/tail.h"

#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <string.h>
#include <unistd.h>

enum {
    BLOCK = 256 << 10,
    NEAR = 256 << 10, /* the beginning, where a header may stand behind comments */
};

/* A file being read from its end. */
typedef struct looking {
    const rk_csv_format *format;
    uint64_t wanted, found; /* lines with records */
    char next;              /* the byte behind a block; \n at the end */
    uint64_t at;            /* of the line found last */
    bool quoted;
} looking;

/* Whether a line that begins with this byte has a record for sure. */
static bool has_record(const looking *l, char first)
{
    return first != '\n' && first != '\r' && first != l->format->comment;
}

static bool is_found(const looking *l)
{
    return l->found >= l->wanted && l->at >= NEAR;
}

/* The lines that begin behind a newline of the block at place, from the last one on, as far as they are wanted. */
static void look_at(looking *l, const char *data, size_t len, uint64_t place)
{
    const char *newline;
    for (size_t end = len; !is_found(l) && (newline = memrchr(data, '\n', end));
         end = (size_t)(newline - data)) {
        size_t begin = (size_t)(newline - data) + 1;
        if (!has_record(l, begin < len ? data[begin] : l->next))
            continue;
        l->at = place + begin;
        l->found++;
    }
    size_t from = is_found(l) && l->at > place ? (size_t)(l->at - place) : 0;
    if (l->format->quote && from < len)
        l->quoted = memchr(data + from, l->format->quote, len - from);
    l->next = data[0];
}

/* From its end to where enough was found, or to its beginning: whether all that was needed could be read. */
static bool look_through(looking *l, int fd, uint64_t size, char *block)
{
    for (uint64_t end = size; end && !is_found(l) && !l->quoted;) {
        size_t len = end < BLOCK ? (size_t)end : BLOCK;
        if (rk_file_read(fd, block, len, (int64_t)(end - len)) != (int64_t)len)
            return false;
        end -= len;
        look_at(l, block, len, end);
    }
    return !l->quoted;
}

/* How many of the wanted rows files before this one have to give; *known: whether that could be told. */
static uint64_t look_into(const rk_csv_source *source, uint32_t number, uint64_t wanted, char *block,
                          rk_tail *tail, bool *known)
{
    const rk_text_file *file = &source->files.files[number];
    rk_open_error error;
    int64_t size;
    looking l = {.format = &source->format, .wanted = wanted, .next = '\n'};
    bool plain = file->compression == RK_PLAIN && !file->stream && file->size != RK_TEXT_UNKNOWN_SIZE;
    int fd = plain ? rk_file_open(file->path, &size, &error) : -1;
    *known = fd >= 0 && look_through(&l, fd, file->size, block);
    if (fd >= 0)
        close(fd);
    *tail = (rk_tail){number, is_found(&l) ? l.at : 0};
    if (tail->at)
        return 0;
    /* The header may be among what was found; a first line without one was not. */
    uint64_t rows = l.found - (source->format.header && l.found);
    return wanted > rows ? wanted - rows : 0;
}

rk_tail rk_tail_find(const rk_csv_source *source, uint64_t rows)
{
    rk_tail tail = {0};
    bool known = true;
    char *block = rk_alloc(BLOCK);
    for (size_t i = source->files.count; block && known && rows && i--;)
        rows = look_into(source, (uint32_t)i, rows, block, &tail, &known);
    rk_free(block);
    return known && block && !rows ? tail : (rk_tail){0};
}

void rk_tail_cut(rk_tail tail, rk_csv_part *parts, uint32_t *count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        bool before =
            parts[i].file < tail.file || (parts[i].file == tail.file && tail.at && parts[i].end < tail.at);
        if (!before)
            parts[kept++] = parts[i];
    }
    *count = kept;
    if (tail.at && parts->begin < tail.at) {
        parts->begin = tail.at;
        parts->first = false;
        parts->exact = true;
    }
}
