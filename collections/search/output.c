#include "collections/search/output.h"

#include "collections/text/spaces.h"
#include "core/base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    MUCH = 256 << 10, /* bytes that are written at once when it is their turn */
    COPY = 256 << 10, /* bytes read back at once */
};

/* -- The place */

int rk_text_output_init(rk_text_output *output, const char *path, const char *scratch, uint64_t limit,
                        size_t most)
{
    rk_open_error error = {0};
    *output = (rk_text_output){
        .standard = strcmp(path, "-") == 0, .limit = limit, .most = most, .file = {.fd = -1}};
    output->path = rk_strndup(path, strlen(path));
    output->scratch = rk_strndup(scratch, strlen(scratch));
    rk_store_release(&output->full, limit == 0);
    if (!output->path || !output->scratch) {
        snprintf(output->message, sizeof output->message, "%s", rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    if (output->standard || rk_temporary_open(&output->file, path, false, &error))
        return RASK_OK;
    snprintf(output->message, sizeof output->message, "%s", error.message);
    return error.status;
}

void rk_text_output_fini(rk_text_output *output)
{
    if (!output->standard && !output->closed)
        rk_temporary_abort(&output->file);
    rk_free(output->path);
    rk_free(output->scratch);
}

int rk_text_output_close(rk_text_output *output)
{
    output->closed = true;
    return output->standard ? RASK_OK
                            : rk_temporary_commit(&output->file, output->message, sizeof output->message);
}

/* Bytes of the first count lines of text, or all. */
static size_t first_lines(const char *text, size_t len, uint64_t count)
{
    size_t at = 0;
    for (; count > 0 && at < len; count--) {
        const char *newline = memchr(text + at, '\n', len - at);
        at = newline ? (size_t)(newline - text) + 1 : len;
    }
    return at;
}

/* Behind what was written before; no more lines than are wanted. The last one may go on in what comes next. */
static int write_text(rk_text_output *o, const char *text, size_t len, char *message, size_t capacity)
{
    uint64_t lines = rk_count_newlines(text, len);
    if (lines >= o->limit - o->lines) {
        lines = o->limit - o->lines;
        len = first_lines(text, len, lines);
    }
    int64_t place = o->end;
    o->end += (int64_t)len;
    o->lines += lines;
    rk_store_release(&o->full, o->lines == o->limit);
    if (!len || !(o->standard ? rk_standard_write(text, len) : rk_file_write(o->file.fd, text, len, place)))
        return RASK_OK;
    int number = errno;
    snprintf(message, capacity, "%s: %s", o->standard ? "standard output" : o->path, strerror(number));
    return rk_errno_status(number);
}

/* -- Parts */

void rk_lines_out_init(rk_lines_out *out, rk_text_output *output, uint32_t part)
{
    *out = (rk_lines_out){.output = output, .part = part, .text = RK_ARRAY(char, SIZE_MAX / 2)};
    rk_scratch_init(&out->waiting, output->scratch);
}

void rk_lines_out_fini(rk_lines_out *out)
{
    rk_array_fini(&out->text);
    rk_scratch_fini(&out->waiting);
}

bool rk_lines_out_is_full(const rk_lines_out *out)
{
    return out->lines >= out->output->limit || rk_load_acquire(&out->output->full);
}

static int append(rk_lines_out *out, const char *text, size_t len)
{
    rk_array *to = &out->text;
    if (len + 1 > to->capacity - to->count && rk_array_reserve(to, len + 1 + to->count / 2))
        return RASK_ENOMEM;
    memcpy((char *)to->data + to->count, text, len);
    to->count += len;
    if (text[len - 1] != '\n')
        ((char *)to->data)[to->count++] = '\n';
    return RASK_OK;
}

/* Moves the text to the file where it waits. */
static int put_aside(rk_lines_out *out, char *message, size_t capacity)
{
    int status = rk_scratch_open(&out->waiting, message, capacity);
    if (!status)
        status = rk_scratch_write(&out->waiting, out->waiting_bytes, out->text.data, out->text.count, message,
                                  capacity);
    out->waiting_bytes += status ? 0 : out->text.count;
    out->text.count = 0;
    return status;
}

static int write_waiting(rk_text_output *o, const rk_scratch *waiting, uint64_t bytes, char *message,
                         size_t capacity)
{
    char *buffer = bytes ? rk_alloc(COPY) : NULL;
    int status = bytes && !buffer ? RASK_ENOMEM : RASK_OK;
    if (status)
        snprintf(message, capacity, "%s", rask_status_text(status));
    for (uint64_t at = 0; at < bytes && !status && !rk_load_acquire(&o->full); at += COPY) {
        size_t len = bytes - at < COPY ? (size_t)(bytes - at) : COPY;
        status = rk_scratch_read(waiting, at, buffer, len, message, capacity);
        if (!status)
            status = write_text(o, buffer, len, message, capacity);
    }
    rk_free(buffer);
    return status;
}

int rk_lines_out_flush(rk_lines_out *out, char *message, size_t capacity)
{
    rk_text_output *o = out->output;
    if (rk_load_acquire(&o->turn) != out->part || (!out->text.count && !out->waiting_bytes))
        return RASK_OK;
    int status = write_waiting(o, &out->waiting, out->waiting_bytes, message, capacity);
    if (!status)
        status = write_text(o, out->text.data, out->text.count, message, capacity);
    out->text.count = 0;
    out->waiting_bytes = 0;
    return status;
}

int rk_lines_out_add(rk_lines_out *out, const char *text, size_t len, char *message, size_t capacity)
{
    uint64_t lines = rk_count_newlines(text, len) + (text[len - 1] != '\n');
    if (lines > out->output->limit - out->lines) {
        lines = out->output->limit - out->lines;
        len = first_lines(text, len, lines);
    }
    out->lines += lines;
    int status = len ? append(out, text, len) : RASK_OK;
    if (status)
        snprintf(message, capacity, "%s", rask_status_text(status));
    else if (out->text.count >= MUCH)
        status = rk_lines_out_flush(out, message, capacity);
    if (!status && out->text.count >= out->output->most)
        status = put_aside(out, message, capacity);
    return status;
}

/* -- Between tasks: bytes, or this where some are waiting in a file */

typedef struct waiting_text {
    rk_scratch file;
    uint64_t file_bytes;
    rk_array text;
} waiting_text;

static void free_waiting(void *data)
{
    waiting_text *w = data;
    rk_scratch_fini(&w->file);
    rk_array_fini(&w->text);
    rk_free(w);
}

static size_t size_waiting(const void *data)
{
    const waiting_text *w = data;
    return sizeof *w + w->text.capacity;
}

static const rask_class waiting_class = {.name = "lines", .destroy = free_waiting, .size = size_waiting};

static int end_waiting(rk_lines_out *out, rask_value *value)
{
    waiting_text *w = rk_alloc(sizeof *w);
    if (!w)
        return RASK_ENOMEM;
    *w = (waiting_text){.file_bytes = out->waiting_bytes, .text = out->text};
    rk_scratch_init(&w->file, out->output->scratch);
    w->file.fd = out->waiting.fd;
    out->waiting.fd = -1;
    out->text = (rk_array)RK_ARRAY(char, SIZE_MAX / 2);
    int status = rask_value_custom_new(&waiting_class, w, value);
    if (status)
        free_waiting(w);
    return status;
}

int rk_lines_out_end(rk_lines_out *out, rask_value *value)
{
    return out->waiting_bytes ? end_waiting(out, value)
                              : rask_value_bytes_new(out->text.data, out->text.count, value);
}

int rk_text_output_take(rk_text_output *output, uint32_t part, const rask_value *value, char *message,
                        size_t capacity)
{
    rask_bytes bytes;
    void *data = NULL;
    int status = RASK_OK;
    if (rk_load_acquire(&output->turn) != part) {
        snprintf(message, capacity, "%s: lines can be written but once", output->path);
        return RASK_EINVAL;
    }
    if (rask_value_get_bytes(value, &bytes) == RASK_OK) {
        status = write_text(output, bytes.data, bytes.len, message, capacity);
    } else if (rask_value_get_custom(value, &waiting_class, &data) == RASK_OK) {
        const waiting_text *w = data;
        status = write_waiting(output, &w->file, w->file_bytes, message, capacity);
        if (!status)
            status = write_text(output, w->text.data, w->text.count, message, capacity);
    }
    if (!status)
        rk_store_release(&output->turn, part + 1);
    return status;
}
