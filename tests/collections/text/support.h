/* Files that have no place on a disk, and all that can be read from them. */
#ifndef RASK_TESTS_COLLECTIONS_TEXT_SUPPORT_H
#define RASK_TESTS_COLLECTIONS_TEXT_SUPPORT_H

#include "collections/text/lines.h"
#include "collections/text/split.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct bytes {
    char *data;
    size_t len, room;
} bytes;

static inline void append(bytes *b, const void *data, size_t len)
{
    if (b->len + len >= b->room) {
        b->room = 2 * (b->len + len) + 64;
        b->data = realloc(b->data, b->room);
        cr_assert_not_null(b->data);
    }
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

/* Lines of many lengths, some of them empty, that compress a little. */
static inline bytes some_text(size_t lines)
{
    bytes text = {0};
    uint32_t random = 1;
    for (size_t i = 0; i < lines; i++) {
        char line[80];
        random = random * 1664525 + 1013904223;
        int n = i % 7 == 3 ? snprintf(line, sizeof line, "\n")
                           : snprintf(line, sizeof line, "%zu,%.*s,%x\n", i, (int)(random >> 27),
                                      "the quick brown fox jumps over the lazy dog", random);
        append(&text, line, (size_t)n);
    }
    return text;
}

typedef struct memory_file {
    int fd;
    char path[64];
    rk_text_files list;
    rk_text_file *file;
} memory_file;

static inline void memory_file_init(memory_file *f, const void *data, size_t len)
{
    *f = (memory_file){.fd = memfd_create("text", MFD_CLOEXEC)};
    rk_text_error error = {0};
    cr_assert(f->fd >= 0 && (len == 0 || write(f->fd, data, len) == (ssize_t)len));
    snprintf(f->path, sizeof f->path, "/proc/self/fd/%d", f->fd);
    const char *name = f->path;
    cr_assert_eq(rk_text_files_init(&f->list, &name, 1, &error), RASK_OK, "%s", error.message);
    cr_assert_eq(f->list.count, 1);
    f->file = f->list.files;
}

static inline void memory_file_fini(memory_file *f)
{
    rk_text_files_fini(&f->list);
    close(f->fd);
}

/* All that a reader of [begin, end) gives, asked for step bytes at a time. What was read before an error is in *out. */
static inline int read_part(const rk_text_file *file, uint64_t begin, uint64_t end, size_t step, bytes *out,
                            rk_text_error *error)
{
    rk_text_reader *reader;
    int status = rk_text_reader_new(file, begin, end, NULL, &reader, error);
    if (status)
        return status;
    char *buffer = malloc(step);
    size_t got = 1;
    while (!status && got) {
        got = 0;
        status = rk_text_reader_read(reader, buffer, step, &got, error);
        cr_assert(got <= step);
        if (!status)
            append(out, buffer, got);
    }
    free(buffer);
    rk_text_reader_free(reader);
    return status;
}

static inline int read_file(const rk_text_file *file, size_t step, bytes *out, rk_text_error *error)
{
    return read_part(file, file->start, UINT64_MAX, step, out, error);
}

/* All lines of [begin, end). */
static inline int read_lines(const rk_text_file *file, uint64_t begin, uint64_t end,
                             const rk_text_options *options, bytes *out, rk_text_error *error)
{
    rk_text_lines *lines;
    const char *text;
    size_t len = 1;
    int status = rk_text_lines_new(file, begin, end, options, &lines, error);
    if (status)
        return status;
    while (!status && len) {
        static const char zeros[RK_TEXT_PADDING];
        len = 0;
        status = rk_text_lines_next(lines, &text, &len, error);
        if (!status && len && text[len - 1] != '\n')
            cr_assert_arr_eq(text + len, zeros, sizeof zeros);
        if (!status)
            append(out, text, len);
    }
    rk_text_lines_free(lines);
    return status;
}

#define assert_bytes(have, want)                                                                             \
    do {                                                                                                     \
        cr_assert_eq((have).len, (want).len, "%zu bytes, not %zu", (have).len, (want).len);                  \
        cr_assert((want).len == 0 || memcmp((have).data, (want).data, (want).len) == 0);                     \
    } while (0)

#endif
