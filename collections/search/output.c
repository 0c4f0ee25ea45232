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
                        size_t most, uint32_t parts)
{
    rk_open_error error = {0};
    *output = (rk_text_output){
        .standard = strcmp(path, "-") == 0, .limit = limit, .most = most, .file = {.fd = -1}};
    output->path = rk_strndup(path, strlen(path));
    output->scratch = rk_strndup(scratch, strlen(scratch));
    output->asides = rk_calloc((size_t)parts + 1, sizeof *output->asides);
    rk_store_release(&output->full, limit == 0);
    if (!output->path || !output->scratch || !output->asides) {
        snprintf(output->message, sizeof output->message, "%s", rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    output->parts = parts;
    if (output->standard ||
        (rk_path_is_plain(path, &error) && rk_temporary_open(&output->file, path, false, &error)))
        return RASK_OK;
    snprintf(output->message, sizeof output->message, "%s", error.message);
    return error.status;
}

static void end_aside(rk_lines_aside *aside)
{
    if (aside->file)
        rk_scratch_fini(aside->file);
    rk_free(aside->file);
    *aside = (rk_lines_aside){0};
}

void rk_text_output_fini(rk_text_output *output)
{
    if (!output->standard && !output->closed)
        rk_temporary_abort(&output->file);
    for (uint32_t i = 0; i < output->parts; i++)
        end_aside(&output->asides[i]);
    rk_free(output->asides);
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

void rk_lines_out_init(rk_lines_out *out, rk_text_output *output, uint32_t part, bool here)
{
    *out = (rk_lines_out){.output = output, .part = part, .here = here, .text = RK_ARRAY(char, SIZE_MAX / 2)};
}

void rk_lines_out_fini(rk_lines_out *out)
{
    rk_array_fini(&out->text);
    end_aside(&out->aside);
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
    rk_lines_aside *aside = &out->aside;
    if (!aside->file) {
        aside->file = rk_alloc(sizeof *aside->file);
        if (!aside->file) {
            snprintf(message, capacity, "%s", rask_status_text(RASK_ENOMEM));
            return RASK_ENOMEM;
        }
        rk_scratch_init(aside->file, out->output->scratch);
    }
    int status = rk_scratch_open(aside->file, message, capacity);
    if (!status)
        status =
            rk_scratch_write(aside->file, aside->bytes, out->text.data, out->text.count, message, capacity);
    aside->bytes += status ? 0 : out->text.count;
    out->text.count = 0;
    return status;
}

/* And ends it. */
static int write_aside(rk_text_output *o, rk_lines_aside *aside, char *message, size_t capacity)
{
    uint64_t bytes = aside->bytes;
    char *buffer = bytes ? rk_alloc(COPY) : NULL;
    int status = bytes && !buffer ? RASK_ENOMEM : RASK_OK;
    if (status)
        snprintf(message, capacity, "%s", rask_status_text(status));
    for (uint64_t at = 0; at < bytes && !status && !rk_load_acquire(&o->full); at += COPY) {
        size_t len = bytes - at < COPY ? (size_t)(bytes - at) : COPY;
        status = rk_scratch_read(aside->file, at, buffer, len, message, capacity);
        if (!status)
            status = write_text(o, buffer, len, message, capacity);
    }
    rk_free(buffer);
    end_aside(aside);
    return status;
}

int rk_lines_out_flush(rk_lines_out *out, char *message, size_t capacity)
{
    rk_text_output *o = out->output;
    if (!out->here || rk_load_acquire(&o->turn) != out->part || (!out->text.count && !out->aside.bytes))
        return RASK_OK;
    int status = write_aside(o, &out->aside, message, capacity);
    if (!status)
        status = write_text(o, out->text.data, out->text.count, message, capacity);
    out->text.count = 0;
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
    if (!status && out->here && out->text.count >= out->output->most)
        status = put_aside(out, message, capacity);
    return status;
}

/* -- Between tasks */

int rk_lines_out_end(rk_lines_out *out, rask_value *value)
{
    int status = rask_value_bytes_new(out->text.data, out->text.count, value);
    if (!status && out->here) {
        out->output->asides[out->part] = out->aside;
        out->aside = (rk_lines_aside){0};
    }
    return status;
}

int rk_text_output_take(rk_text_output *output, uint32_t part, rask_bytes text, char *message,
                        size_t capacity)
{
    if (rk_load_acquire(&output->turn) != part) {
        snprintf(message, capacity, "%s: lines can be written but once", output->path);
        return RASK_EINVAL;
    }
    int status = write_aside(output, &output->asides[part], message, capacity);
    if (!status)
        status = write_text(output, text.data, text.len, message, capacity);
    if (!status)
        rk_store_release(&output->turn, part + 1);
    return status;
}
