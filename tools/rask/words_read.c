#include "words_read.h"

#include "words_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TAIL = 4 << 10, /* read first for the rest of a word that a range ends in */
    POLL_MS = 100,  /* how soon a job that waits for a stream notices that it was cancelled */
    NO_DESCRIPTOR = -1,
};

static const char *path_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static int fail(words_job *job, int code, const char *path, const char *what)
{
    job->failure.code = code;
    snprintf(job->failure.text, sizeof job->failure.text, "%s: %s", path_name(path), what);
    return code;
}

/* Endless input without white space must not take all memory. */
#define LONGEST_WORD ((uint64_t)1 << 30)

static int fail_errno(words_job *job, const char *path)
{
    int code = errno == ENOENT ? RASK_ENOENT : errno == ENOMEM ? RASK_ENOMEM : RASK_EIO;
    return fail(job, code, path, strerror(errno));
}

/* What the counter's codes mean to whoever asked for words. */
static int fail_counter(words_job *job, int code, const char *path)
{
    char text[128];
    if (code != RASK_EBUDGET)
        return fail(job, code, path, rask_status_text(code));
    snprintf(text, sizeof text, "its words need more than %llu bytes, a task's share of the memory budget",
             (unsigned long long)job->ceiling);
    return fail(job, code, path, text);
}

static bool cancelled(const words_job *job)
{
    return job->cancelled && job->cancelled(job->context);
}

int words_job_init(words_job *job, uint64_t seed, uint64_t ceiling)
{
    *job = (words_job){.ceiling = ceiling ? ceiling : UINT64_MAX,
                       .longest = ceiling && ceiling < LONGEST_WORD ? ceiling : LONGEST_WORD};
    return words_counter_init(&job->counter, seed, ceiling);
}

void words_job_fini(words_job *job)
{
    words_counter_fini(&job->counter);
    free(job->buffer.data);
    job->buffer = (words_buffer){0};
}

/* Room for more bytes behind those used. Doubling, so that a word of any length is copied but a few times. */
static int buffer_reserve(words_buffer *buffer, size_t more)
{
    size_t need = buffer->used + more;
    if (need <= buffer->capacity)
        return RASK_OK;
    size_t capacity = need < 2 * buffer->capacity ? 2 * buffer->capacity : need;
    char *data = realloc(buffer->data, capacity + WORDS_PADDING);
    if (!data)
        return RASK_ENOMEM;
    memset(data + capacity, 0, WORDS_PADDING);
    buffer->data = data;
    buffer->capacity = capacity;
    return RASK_OK;
}

/* A buffer holds no more than a piece and the word it ends in, so that a buffer over the ceiling is one word.
 */
static int job_reserve(words_job *job, size_t more, const char *path)
{
    char text[128];
    if (job->buffer.used > job->longest) {
        snprintf(text, sizeof text, "a word of more than %llu bytes, %s", (unsigned long long)job->longest,
                 job->longest < LONGEST_WORD ? "a task's share of the memory budget" : "which is the limit");
        return fail(job, RASK_EBUDGET, path, text);
    }
    int status = buffer_reserve(&job->buffer, more);
    return status ? fail_counter(job, status, path) : RASK_OK;
}

/* Counts buffer[from …), whose first scanned bytes hold no white space, and keeps the word it ends in. */
static int count_buffer(words_job *job, size_t from, size_t scanned, const char *path)
{
    words_buffer *buffer = &job->buffer;
    int status = words_counter_text(&job->counter, buffer->data + from, buffer->used - from, &scanned);
    if (status)
        return fail_counter(job, status, path);
    if (scanned < buffer->used)
        memmove(buffer->data, buffer->data + buffer->used - scanned, scanned);
    buffer->used = scanned;
    return RASK_OK;
}

/* Counts the word that the buffer is. */
static int count_last_word(words_job *job, const char *path)
{
    if (job->buffer.used == 0)
        return RASK_OK;
    int status = words_counter_word(&job->counter, job->buffer.data, job->buffer.used);
    job->buffer.used = 0;
    return status ? fail_counter(job, status, path) : RASK_OK;
}

/* --- ranges of files */

static int64_t changed_ns(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

words_range words_range_of(const char *path, const struct stat *status)
{
    uint64_t size = status->st_size > 0 ? (uint64_t)status->st_size : WORDS_UNKNOWN_SIZE;
    return (words_range){.path = path, .end = size, .size = size, .changed_ns = changed_ns(status)};
}

static int check_unchanged(words_job *job, int fd, const words_range *range)
{
    struct stat now;
    if (fstat(fd, &now) != 0)
        return fail_errno(job, range->path);
    if (range->size == WORDS_UNKNOWN_SIZE)
        return RASK_OK;
    if (range->size != (uint64_t)now.st_size || range->changed_ns != changed_ns(&now))
        return fail(job, RASK_EIO, range->path, "changed while it was read");
    return RASK_OK;
}

static int open_path(words_job *job, const char *path, int flags)
{
    if (strcmp(path, "-") == 0)
        return STDIN_FILENO;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
    if (fd < 0)
        fail_errno(job, path);
    return fd;
}

static void close_path(int fd)
{
    if (fd > STDIN_FILENO)
        close(fd);
}

/* Appends at most want bytes from offset at; *got is 0 at the end of the file. */
static int read_at(words_job *job, int fd, uint64_t at, uint64_t want, const char *path, size_t *got)
{
    words_buffer *buffer = &job->buffer;
    ssize_t n;
    if (cancelled(job))
        return fail(job, RASK_ECANCELLED, path, rask_status_text(RASK_ECANCELLED));
    int status = job_reserve(job, (size_t)want, path);
    if (status)
        return status;
    do
        n = pread(fd, buffer->data + buffer->used, (size_t)want, (off_t)at);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail_errno(job, path);
    buffer->used += (size_t)n;
    *got = (size_t)n;
    return RASK_OK;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Leaves the word out that the buffer begins in; counts what comes after it. */
static int count_after_space(words_job *job, const char *path, bool *skipping)
{
    size_t space = words_find_space(job->buffer.data, job->buffer.used);
    *skipping = space == job->buffer.used;
    if (!*skipping)
        return count_buffer(job, space, 0, path);
    job->buffer.used = 0;
    return RASK_OK;
}

/* The rest of the word that the range ended in at offset at. */
static int read_last_word(words_job *job, int fd, const words_range *range, uint64_t at)
{
    words_buffer *buffer = &job->buffer;
    size_t got = buffer->used;
    for (uint64_t want = TAIL; got > 0 && buffer->used > 0 && at < range->size;
         want = least(2 * want, WORDS_PIECE)) {
        size_t before = buffer->used;
        int status = read_at(job, fd, at, least(want, range->size - at), range->path, &got);
        if (status)
            return status;
        at += got;
        size_t space = words_find_space(buffer->data + before, got);
        if (space < got) {
            buffer->used = before + space;
            break;
        }
    }
    return count_last_word(job, range->path);
}

/* A file that ends early is found out by check_unchanged(). */
static int count_range(words_job *job, int fd, const words_range *range)
{
    bool skipping = range->begin > range->start; /* until it is known that no word runs in */
    uint64_t at = range->begin - skipping;
    size_t got = 1;
    job->buffer.used = 0;
    while (at < range->end && got > 0) {
        size_t before = job->buffer.used;
        int status = read_at(job, fd, at, least(WORDS_PIECE, range->end - at), range->path, &got);
        if (status)
            return status;
        at += got;
        status = skipping ? count_after_space(job, range->path, &skipping)
                          : count_buffer(job, 0, before, range->path);
        if (status)
            return status;
    }
    return read_last_word(job, fd, range, at);
}

int words_read_range(words_job *job, const words_range *range)
{
    int fd = open_path(job, range->path, 0);
    if (fd < 0)
        return job->failure.code;
    int status = check_unchanged(job, fd, range);
    if (!status)
        status = count_range(job, fd, range);
    if (!status)
        status = check_unchanged(job, fd, range);
    close_path(fd);
    return status;
}

/* --- streams */

void words_stream_init(words_stream *stream, const char *const *paths, size_t count)
{
    *stream = (words_stream){.paths = paths, .count = count, .fd = NO_DESCRIPTOR};
    pthread_mutex_init(&stream->lock, NULL);
}

static void stream_close(words_stream *stream)
{
    close_path(stream->fd);
    stream->fd = NO_DESCRIPTOR;
    stream->carry.used = 0;
}

void words_stream_fini(words_stream *stream)
{
    stream_close(stream);
    free(stream->carry.data);
    pthread_mutex_destroy(&stream->lock);
}

static const char *stream_path(const words_stream *stream)
{
    return stream->paths[stream->next - 1];
}

/* Without blocking: a pipe that nobody writes to yet must not keep a cancelled run. */
static int stream_open_next(words_job *job, words_stream *stream)
{
    stream->next++;
    stream->fd = open_path(job, stream_path(stream), O_NONBLOCK);
    return stream->fd < 0 ? job->failure.code : RASK_OK;
}

static int wait_readable(words_job *job, int fd, const char *path)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    for (;;) {
        if (cancelled(job))
            return fail(job, RASK_ECANCELLED, path, rask_status_text(RASK_ECANCELLED));
        int ready = poll(&wait, 1, POLL_MS);
        if (ready > 0)
            return RASK_OK;
        if (ready < 0 && errno != EINTR)
            return fail_errno(job, path);
    }
}

/* Fills the buffer up to want bytes; *ended is set at the end of the input. */
static int stream_fill(words_job *job, words_stream *stream, size_t want, bool *ended)
{
    words_buffer *buffer = &job->buffer;
    const char *path = stream_path(stream);
    int status = job_reserve(job, want - buffer->used, path);
    while (!status && !*ended && buffer->used < want) {
        status = wait_readable(job, stream->fd, path);
        if (status)
            break;
        ssize_t n = read(stream->fd, buffer->data + buffer->used, want - buffer->used);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            status = fail_errno(job, path);
        *ended = n == 0;
        buffer->used += n > 0 ? (size_t)n : 0;
    }
    return status;
}

/* The next piece of the open input into the buffer, which begins with what the last piece left over and ends
 * with white space, or with the input. */
static int stream_take_piece(words_job *job, words_stream *stream)
{
    words_buffer *buffer = &job->buffer, *carry = &stream->carry;
    bool ended = false;
    size_t whole = 0;
    words_buffer swap = *buffer;
    *buffer = *carry;
    *carry = swap;
    carry->used = 0;
    while (whole == 0 && !ended) {
        size_t before = buffer->used;
        int status = stream_fill(job, stream, before + WORDS_PIECE, &ended);
        if (status)
            return status;
        size_t after = words_after_last_space(buffer->data + before, buffer->used - before);
        whole = after ? before + after : 0;
    }
    if (ended) {
        stream_close(stream);
        return RASK_OK;
    }
    if (buffer_reserve(carry, buffer->used - whole))
        return fail_counter(job, RASK_ENOMEM, stream_path(stream));
    carry->used = buffer->used - whole;
    if (carry->used)
        memcpy(carry->data, buffer->data + whole, carry->used);
    buffer->used = whole;
    return RASK_OK;
}

/* Fills the buffer with whole words; leaves it empty when all inputs have ended. */
static int stream_take(words_job *job, words_stream *stream)
{
    int status = RASK_OK;
    job->buffer.used = 0;
    pthread_mutex_lock(&stream->lock);
    while (!status && job->buffer.used == 0 && (stream->fd >= 0 || stream->next < stream->count)) {
        if (stream->fd < 0)
            status = stream_open_next(job, stream);
        if (!status)
            status = stream_take_piece(job, stream);
    }
    pthread_mutex_unlock(&stream->lock);
    return status;
}

int words_read_stream(words_job *job, words_stream *stream)
{
    for (;;) {
        int status = stream_take(job, stream);
        if (status || job->buffer.used == 0)
            return status;
        if ((status = count_buffer(job, 0, 0, "stream")) || (status = count_last_word(job, "stream")))
            return status;
    }
}
