#include "collections/text/bytes.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    MOST = 1 << 20,  /* bytes between two questions whether to go on */
    AHEAD = 4 << 20, /* bytes that the system reads while what came before is looked at */
    POLL_MS = 100,   /* how soon somebody who waits for a stream notices that it was cancelled */
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool is_standard(const rk_text_file *file)
{
    return strcmp(file->path, "-") == 0;
}

static int check_unchanged(const rk_text_file *file, int fd, rk_text_error *error)
{
    struct stat now;
    if (file->stream || file->size == RK_TEXT_UNKNOWN_SIZE)
        return RASK_OK;
    if (fstat(fd, &now) != 0)
        return rk_text_fail_errno(error, file->path);
    int64_t changed_ns = (int64_t)now.st_mtim.tv_sec * 1000000000 + now.st_mtim.tv_nsec;
    if (!S_ISREG(now.st_mode) || (uint64_t)now.st_size != file->size || changed_ns != file->changed_ns)
        return rk_text_fail(error, RASK_EIO, file->path, "changed while it was read");
    return RASK_OK;
}

/* Without blocking: a pipe that nobody writes to yet must not keep who is cancelled. */
static int open_file(const rk_text_file *file, rk_text_error *error)
{
    if (is_standard(file))
        return STDIN_FILENO;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        rk_text_fail_errno(error, file->path);
    return fd;
}

static void close_file(const rk_text_file *file, int fd)
{
    if (!is_standard(file))
        close(fd);
}

int rk_text_bytes_open(rk_text_bytes *bytes, const rk_text_file *file, uint64_t begin, uint64_t end,
                       const rk_text_options *options, rk_text_error *error)
{
    assert(begin <= end);
    int fd = open_file(file, error);
    if (fd < 0)
        return error->status;
    int status = check_unchanged(file, fd, error);
    if (status) {
        close_file(file, fd);
        return status;
    }
    end = file->stream ? UINT64_MAX : least(end, file->size);
    *bytes = (rk_text_bytes){.file = file, .fd = fd, .at = least(begin, end), .end = end, .first_end = end};
    bytes->asked = bytes->at;
    if (options)
        bytes->options = *options;
    return RASK_OK;
}

void rk_text_bytes_close(rk_text_bytes *bytes)
{
    close_file(bytes->file, bytes->fd);
}

static int check_cancelled(const rk_text_bytes *bytes, rk_text_error *error)
{
    if (!bytes->options.cancelled || !bytes->options.cancelled(bytes->options.context))
        return RASK_OK;
    return rk_text_fail(error, RASK_ECANCELLED, bytes->file->path, "%s", rask_status_text(RASK_ECANCELLED));
}

/* Lets a cold disk work while the last bytes are looked at; not beyond the range that was asked for at first. */
static void ask_ahead(rk_text_bytes *bytes)
{
    uint64_t want = least(bytes->at + AHEAD, bytes->first_end);
    bytes->asked = bytes->asked > bytes->at ? bytes->asked : bytes->at;
    if (bytes->file->size == RK_TEXT_UNKNOWN_SIZE || bytes->asked >= want || want - bytes->asked < AHEAD / 2)
        return;
    posix_fadvise(bytes->fd, (off_t)bytes->asked, (off_t)(want - bytes->asked), POSIX_FADV_WILLNEED);
    bytes->asked = want;
}

/* What the system has in memory, or 0; the first time that this is not all, the disk is cold. */
static ssize_t read_cached(rk_text_bytes *bytes, void *data, size_t len)
{
    ssize_t n = -1;
#ifdef RWF_NOWAIT
    if (!bytes->cold)
        n = preadv2(bytes->fd, &(struct iovec){data, len}, 1, (off_t)bytes->at, RWF_NOWAIT);
#endif
    bytes->cold = n < (ssize_t)len;
    return n > 0 ? n : 0;
}

static int read_regular(rk_text_bytes *bytes, void *data, size_t len, size_t *got, rk_text_error *error)
{
    ssize_t n = read_cached(bytes, data, len);
    if (bytes->cold)
        ask_ahead(bytes);
    if (!n)
        do
            n = pread(bytes->fd, data, len, (off_t)bytes->at);
        while (n < 0 && errno == EINTR);
    if (n < 0)
        return rk_text_fail_errno(error, bytes->file->path);
    int status = check_unchanged(bytes->file, bytes->fd, error);
    if (status)
        return status;
    *got = (size_t)n;
    return RASK_OK;
}

static int wait_readable(const rk_text_bytes *bytes, rk_text_error *error)
{
    struct pollfd wait = {.fd = bytes->fd, .events = POLLIN};
    for (;;) {
        int ready = poll(&wait, 1, POLL_MS);
        if (ready > 0)
            return RASK_OK;
        if (ready < 0 && errno != EINTR)
            return rk_text_fail_errno(error, bytes->file->path);
        int status = check_cancelled(bytes, error);
        if (status)
            return status;
    }
}

static int read_stream(rk_text_bytes *bytes, void *data, size_t len, size_t *got, rk_text_error *error)
{
    for (;;) {
        int status = wait_readable(bytes, error);
        if (status)
            return status;
        ssize_t n = read(bytes->fd, data, len);
        if (n >= 0) {
            *got = (size_t)n;
            return RASK_OK;
        }
        if (errno != EINTR && errno != EAGAIN)
            return rk_text_fail_errno(error, bytes->file->path);
    }
}

int rk_text_bytes_read(rk_text_bytes *bytes, void *data, size_t len, size_t *got, rk_text_error *error)
{
    size_t n = 0;
    assert(len > 0);
    int status = check_cancelled(bytes, error);
    len = (size_t)least(least(len, MOST), bytes->end - bytes->at);
    if (!status && len > 0)
        status = bytes->file->stream ? read_stream(bytes, data, len, &n, error)
                                     : read_regular(bytes, data, len, &n, error);
    if (status)
        return status;
    bytes->at += n;
    *got = n;
    return RASK_OK;
}
