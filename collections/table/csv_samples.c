/* Where samples are taken from, and how. */
#include "collections/table/csv_samples.h"

#include "core/base/alloc.h"

#include <string.h>

enum { FIRST_SAMPLE = 256 << 10, HEADS_BYTES = 1 << 20, LEAST_HEAD = 4 << 10 };

int rk_csv_sample_fill(rk_text_buffer *buffer, rk_text_reader *reader, size_t most, bool *whole,
                       rk_text_error *error)
{
    size_t got = 1;
    int status = RASK_OK;
    while (!status && got && rk_text_buffer_len(buffer) < most)
        status = rk_text_buffer_more(buffer, reader, most - rk_text_buffer_len(buffer), &got, error);
    *whole = !got;
    return status;
}

static int copy_sample(const char *text, size_t len, bool whole, rask_bytes *out)
{
    bool ends = !whole || !len || text[len - 1] == '\n';
    char *copy = rk_alloc(len + !ends + RK_CSV_PADDING);
    if (!copy)
        return RASK_ENOMEM;
    memcpy(copy, text, len);
    copy[len] = '\n';
    len += !ends;
    memset(copy + len, 0, RK_CSV_PADDING);
    *out = (rask_bytes){copy, len};
    return RASK_OK;
}

int rk_csv_sample_keep(rk_csv_source *source, rk_csv_place place, const char *text, size_t len, bool whole)
{
    if (copy_sample(text, len, whole, &source->samples[source->sample_count]))
        return RASK_ENOMEM;
    source->places[source->sample_count++] = place;
    return RASK_OK;
}

/* -- From the middle */

/* Whole records from a place in the middle of a plain file; no data: none begins there. */
static int read_sample(const rk_csv_source *s, const rk_text_file *file, uint64_t at, size_t bytes,
                       rask_bytes *out, size_t *skipped, rk_text_error *error)
{
    rk_text_reader *reader = NULL;
    rk_text_buffer buffer = {0};
    bool whole;
    *out = (rask_bytes){0};
    int status = rk_text_reader_new(file, at, file->size, NULL, &reader, error);
    if (!status && rk_text_buffer_init(&buffer, bytes, 0, at))
        status = rk_text_fail_memory(error, file->path);
    if (!status)
        status = rk_csv_sample_fill(&buffer, reader, bytes, &whole, error);
    if (!status) {
        const char *text = rk_text_buffer_data(&buffer);
        size_t len = rk_text_buffer_len(&buffer), begin = rk_csv_resume(&s->format, &s->schema, text, len);
        if (begin < len && copy_sample(text + begin, len - begin, false, out))
            status = rk_text_fail_memory(error, file->path);
        *skipped = begin;
    }
    rk_text_reader_free(reader);
    rk_text_buffer_fini(&buffer);
    return status;
}

static int take_later(rk_csv_source *s, const rk_text_file *file, uint64_t at, rk_text_error *error)
{
    rask_bytes sample;
    size_t skipped = 0;
    int status = read_sample(s, file, at, RK_CSV_LATER_SAMPLE, &sample, &skipped, error);
    if (!sample.data)
        return status;
    s->places[s->sample_count] = (rk_csv_place){(uint32_t)(file - s->files.files), at, skipped};
    s->samples[s->sample_count++] = sample;
    return RASK_OK;
}

static bool has_places(const rk_text_file *file)
{
    return file->compression == RK_PLAIN && !file->stream && file->size != RK_TEXT_UNKNOWN_SIZE;
}

static uint64_t bytes_with_places(const rk_text_files *files)
{
    uint64_t total = 0;
    for (size_t i = 0; i < files->count; i++)
        total += has_places(&files->files[i]) ? files->files[i].size : 0;
    return total;
}

uint32_t rk_csv_source_samples(const rk_csv_source *source, uint32_t most, size_t bytes, rask_bytes *out)
{
    const rk_text_files *files = &source->files;
    rk_text_error error;
    uint32_t count = 0;
    size_t skipped;
    uint64_t step = bytes_with_places(files) / most, next = step / 2, at = 0;
    for (size_t i = 0; i < files->count && step > bytes; i++) {
        const rk_text_file *file = &files->files[i];
        if (!has_places(file))
            continue;
        for (; next < at + file->size && count < most; next += step) {
            if (read_sample(source, file, next - at, bytes, &out[count], &skipped, &error))
                return count;
            count += out[count].data != NULL;
        }
        at += file->size;
    }
    return count;
}

int rk_csv_sample_places(rk_csv_source *source, rk_text_error *error)
{
    const rk_text_files *files = &source->files;
    uint64_t step = bytes_with_places(files) / (RK_CSV_LATER_SAMPLES + 1), next = step, at = 0;
    size_t most = source->sample_count + RK_CSV_LATER_SAMPLES;
    int status = RASK_OK;
    for (size_t i = 0; i < files->count && step > FIRST_SAMPLE && !status; i++) {
        const rk_text_file *file = &files->files[i];
        if (!has_places(file))
            continue;
        for (; next < at + file->size && source->sample_count < most && !status; next += step)
            status = take_later(source, file, next - at, error);
        at += file->size;
    }
    return status;
}

/* -- From the beginnings */

/* What a file begins with, behind its header. */
static int keep_head(rk_csv_source *s, const rk_text_file *file, const rk_text_buffer *buffer, bool whole)
{
    const char *text = rk_text_buffer_data(buffer);
    size_t len = rk_text_buffer_len(buffer), begin = 0;
    int status = len ? rk_csv_rows_begin(&s->format, &s->schema, text, len, whole, &begin) : RASK_OK;
    const rk_csv_place place = {(uint32_t)(file - s->files.files), file->start, begin};
    return status || begin == len ? status : rk_csv_sample_keep(s, place, text + begin, len - begin, whole);
}

static int take_head(rk_csv_source *s, const rk_text_file *file, size_t bytes, bool *whole)
{
    rk_text_error error = {0};
    rk_text_reader *reader = NULL;
    rk_text_buffer buffer = {0};
    bool all = false;
    int status = rk_text_buffer_init(&buffer, bytes, 0, 0);
    if (!status)
        status = rk_text_reader_new(file, file->start, UINT64_MAX, NULL, &reader, &error);
    if (!status)
        status = rk_csv_sample_fill(&buffer, reader, bytes, &all, &error);
    if (!status)
        status = keep_head(s, file, &buffer, all);
    *whole &= all && !status;
    rk_text_reader_free(reader);
    rk_text_buffer_fini(&buffer);
    return status == RASK_ENOMEM ? status : RASK_OK;
}

int rk_csv_sample_heads(rk_csv_source *source, bool *whole)
{
    const rk_text_files *files = &source->files;
    size_t from = source->first + 1, others = files->count - from,
           heads = others < RK_CSV_HEADS ? others : RK_CSV_HEADS;
    size_t bytes = heads ? HEADS_BYTES / heads : 0;
    int status = RASK_OK;
    bytes = bytes < LEAST_HEAD ? LEAST_HEAD : bytes > RK_CSV_LATER_SAMPLE ? RK_CSV_LATER_SAMPLE : bytes;
    *whole &= heads == others;
    for (size_t i = 0; i < heads && !status; i++) {
        const rk_text_file *file = &files->files[from + i * others / heads];
        if (file->stream)
            *whole = false;
        else
            status = take_head(source, file, bytes, whole);
    }
    return status;
}
