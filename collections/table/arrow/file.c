/* Opening a file or stream: its messages, one after the other. */
#include "collections/table/arrow/messages.h"
#include "collections/table/arrow/walk.h"
#include "core/base/alloc.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

int rk_arrow_walk_fail(const rk_arrow_walk *w, int status, const char *what)
{
    rk_open_fail(w->error, status, "%s: at byte %" PRIu64 ": %s", w->file->path, w->at, what);
    return status;
}

int rk_arrow_walk_fail_memory(const rk_arrow_walk *w)
{
    return rk_arrow_walk_fail(w, RASK_ENOMEM, rask_status_text(RASK_ENOMEM));
}

int rk_arrow_walk_bytes(const rk_arrow_walk *w, void *data, size_t len, uint64_t place)
{
    int64_t got = rk_file_read(w->file->fd, data, len, (int64_t)place);
    if (got == (int64_t)len)
        return RASK_OK;
    return rk_arrow_walk_fail(w, RASK_EIO, got < 0 ? "cannot be read" : "the file ends");
}

/* -- Messages */

static int take_schema(const rk_arrow_walk *w, rk_unflat *f, const rk_unflat_table *schema)
{
    if (w->block)
        return rk_arrow_walk_compare(w, f, schema);
    return w->file->names ? rk_arrow_walk_fail(w, RASK_EFORMAT, "a second schema")
                          : rk_arrow_walk_schema(w, f, schema);
}

static int take_message(rk_arrow_walk *w, const unsigned char *data, size_t len)
{
    rk_unflat f = {.data = data, .len = len};
    rk_unflat_table message = rk_unflat_root(&f), header = rk_unflat_table_in(&f, &message, 2);
    uint64_t body = rk_unflat_field(&f, &message, 3, 8, 0), begin = w->at + RK_ARROW_HEAD + len,
             kind = rk_unflat_field(&f, &message, 1, 1, 0);
    if (f.wrong)
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "a message that is not whole");
    if (body > w->end - begin)
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "a message whose body ends behind the file");
    if (w->block &&
        (kind != w->block->kind || RK_ARROW_HEAD + len != w->block->metadata || body != w->block->body))
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "a message that is not what the footer says");
    int status;
    switch (kind) {
    case RK_ARROW_SCHEMA: status = take_schema(w, &f, &header); break;
    case RK_ARROW_RECORD_BATCH: status = rk_arrow_walk_batch(w, &f, &header, begin, body); break;
    case RK_ARROW_DICTIONARY: status = rk_arrow_walk_dictionary(w, &f, &header, begin, body); break;
    default: status = rk_arrow_walk_fail(w, RASK_EFORMAT, "a message of no known kind");
    }
    if (!status && f.wrong)
        status = rk_arrow_walk_fail(w, RASK_EFORMAT, "a message that is not whole");
    w->at = begin + body;
    return status;
}

int rk_arrow_walk_message(rk_arrow_walk *w, const uint32_t head[2])
{
    if (head[0] != UINT32_MAX || !head[1] || head[1] > RK_ARROW_METADATA ||
        head[1] > w->end - w->at - RK_ARROW_HEAD)
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "no message");
    unsigned char *data = rk_alloc(head[1]);
    if (!data)
        return rk_arrow_walk_fail_memory(w);
    int status = rk_arrow_walk_bytes(w, data, head[1], w->at + RK_ARROW_HEAD);
    if (!status)
        status = take_message(w, data, head[1]);
    rk_free(data);
    return status;
}

/* -- Streams: messages up to a mark, or up to the end of the file when there is a batch by then */

/* Whether what is left of a stream begins with its mark: a message of no bytes; once it was but four bytes of 0. */
static bool is_mark(const uint32_t head[2], uint64_t left)
{
    return !head[1] && (left < RK_ARROW_HEAD ? left == 4 && !head[0]
                                             : head[0] == UINT32_MAX || (left == RK_ARROW_HEAD && !head[0]));
}

static int end_stream(rk_arrow_walk *w, uint64_t left)
{
    if (left > RK_ARROW_HEAD) {
        w->at += RK_ARROW_HEAD;
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "bytes behind the end of the stream");
    }
    if (!w->file->names)
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "no schema");
    return left || w->file->batches.count
               ? RASK_OK
               : rk_arrow_walk_fail(w, RASK_EFORMAT,
                                    "the stream is cut: neither a batch nor the mark of its end");
}

static int read_stream(rk_arrow_walk *w)
{
    for (int status = RASK_OK; !status;) {
        uint32_t head[2] = {0};
        uint64_t left = w->end - w->at;
        status = rk_arrow_walk_bytes(w, head, left < RK_ARROW_HEAD ? left : RK_ARROW_HEAD, w->at);
        if (status)
            return status;
        if (!left || is_mark(head, left))
            return end_stream(w, left);
        if (left < RK_ARROW_HEAD)
            return rk_arrow_walk_fail(w, RASK_EFORMAT, "the stream is cut");
        if ((status = rk_arrow_walk_message(w, head)))
            return status;
    }
    return RASK_OK;
}

/* -- Both */

static int read_all(rk_arrow_walk *w, uint64_t size)
{
    char magic[RK_ARROW_AHEAD] = "";
    w->end = size;
    int64_t got = rk_file_read(w->file->fd, magic, sizeof magic, 0);
    if (got == sizeof magic && memcmp(magic, RK_ARROW_STREAM_BEGIN, 4) == 0)
        return read_stream(w);
    if (got != sizeof magic || memcmp(magic, RK_ARROW_FILE_BEGIN, RK_ARROW_MAGIC) != 0)
        return rk_arrow_walk_fail(w, RASK_EFORMAT, "no Arrow file (\"ARROW1\") or stream");
    return rk_arrow_walk_file(w, size);
}

int rk_arrow_file_open(rk_arrow_file *f, const char *path, rk_open_error *error)
{
    int64_t size;
    *f = (rk_arrow_file){.fd = rk_file_open(path, &size, error),
                         .batches = RK_ARRAY(rk_arrow_batch, RK_ARROW_BATCHES),
                         .chunks = RK_ARRAY(rk_arrow_chunk, SIZE_MAX),
                         .texts = RK_ARRAY(rk_arrow_range, SIZE_MAX)};
    if (f->fd < 0)
        return error->status;
    rk_arrow_walk w = {.file = f, .error = error};
    if (!(f->path = rk_strndup(path, strlen(path)))) {
        rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    return read_all(&w, (uint64_t)size);
}

int rk_arrow_file_rest(rk_arrow_file *f, rk_open_error *error)
{
    struct stat now;
    if (fstat(f->fd, &now)) {
        rk_open_fail_errno(error, f->path);
        return RASK_EIO;
    }
    f->size = (uint64_t)now.st_size;
    f->changed_ns = rk_arrow_changed_ns(&now);
    close(f->fd);
    f->fd = -1;
    return RASK_OK;
}

rask_column_type rk_arrow_file_type(const rk_arrow_file *f, uint32_t column)
{
    const rk_arrow_layout *layout = &f->layouts[column];
    if (f->dictionaries[column].used)
        return f->dictionaries[column].values.type;
    return rk_arrow_is_null(layout) ? RASK_COLUMN_TYPES : layout->type;
}

void rk_arrow_file_close(rk_arrow_file *f)
{
    for (uint32_t i = 0; f->dictionaries && i < f->count; i++) {
        rk_arrow_dictionary_fini(&f->dictionaries[i].layout);
        rk_free(f->dictionaries[i].own);
    }
    rk_free(f->dictionaries);
    for (uint32_t i = 0; f->names && i < f->count; i++)
        rk_free(f->names[i]);
    rk_free(f->names);
    rk_free(f->layouts);
    rk_free(f->path);
    rk_array_fini(&f->batches);
    rk_array_fini(&f->chunks);
    rk_array_fini(&f->texts);
    if (f->fd >= 0)
        close(f->fd);
    *f = (rk_arrow_file){.fd = -1};
}
