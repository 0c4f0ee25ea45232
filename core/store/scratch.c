#include "core/store/scratch.h"

#include <rask/base.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void rk_scratch_init(rk_scratch *scratch, const char *folder)
{
    *scratch = (rk_scratch){.fd = -1, .folder = folder};
    pthread_mutex_init(&scratch->lock, NULL);
}

void rk_scratch_fini(rk_scratch *scratch)
{
    if (scratch->fd >= 0)
        close(scratch->fd);
    for (int i = 0; i < RK_SCRATCH_CLASSES; i++)
        rk_free(scratch->free_places[i]);
    pthread_mutex_destroy(&scratch->lock);
}

static int complain(const rk_scratch *scratch, const char *what, int error, char *message, size_t capacity)
{
    snprintf(message, capacity, "%s a scratch file in %.400s: %s", what, scratch->folder,
             error ? strerror(error) : "it ends too early");
    return RASK_EIO;
}

/* Where the system has no files without a name, the name is taken away at once. */
static int open_named(const char *folder)
{
    char name[4096];
    int len = snprintf(name, sizeof name, "%s/rask-XXXXXX", folder);
    if (len < 0 || (size_t)len >= sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

static int open_nameless(const char *folder)
{
    int fd = -1;
#ifdef O_TMPFILE
    fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
#endif
    return fd < 0 ? open_named(folder) : fd;
}

int rk_scratch_open(rk_scratch *scratch, char *message, size_t capacity)
{
    pthread_mutex_lock(&scratch->lock);
    if (scratch->fd < 0)
        scratch->fd = open_nameless(scratch->folder);
    int error = scratch->fd < 0 ? errno : 0;
    pthread_mutex_unlock(&scratch->lock);
    return error ? complain(scratch, "opening", error, message, capacity) : RASK_OK;
}

/* The least class that holds so many bytes; *size: what it holds. */
static int class_of(uint64_t bytes, uint64_t *size)
{
    int bit = RK_SCRATCH_LEAST_BIT;
    while (bit < 61 && bytes > (uint64_t)2 << bit)
        bit++;
    for (int quarter = 0; quarter < 4; quarter++) {
        *size = ((uint64_t)1 << bit) + (((uint64_t)1 << bit) / 4) * (uint64_t)quarter;
        if (bytes <= *size)
            return 4 * (bit - RK_SCRATCH_LEAST_BIT) + quarter;
    }
    *size = (uint64_t)2 << bit;
    return 4 * (bit + 1 - RK_SCRATCH_LEAST_BIT);
}

uint64_t rk_scratch_take(rk_scratch *scratch, uint64_t bytes)
{
    uint64_t size;
    int class = class_of(bytes, &size);
    pthread_mutex_lock(&scratch->lock);
    uint64_t place = scratch->end;
    if (scratch->free_count[class])
        place = scratch->free_places[class][--scratch->free_count[class]];
    else
        scratch->end += size;
    pthread_mutex_unlock(&scratch->lock);
    return place;
}

/* Notes a free place. Without memory for the note it is lost until the file ends. */
static void note_free(rk_scratch *scratch, int class, uint64_t place)
{
    uint32_t room = scratch->free_room[class];
    if (scratch->free_count[class] == room) {
        room = room ? 2 * room : 16;
        uint64_t *grown = rk_realloc(scratch->free_places[class], room * sizeof *grown);
        if (!grown)
            return;
        scratch->free_places[class] = grown;
        scratch->free_room[class] = room;
    }
    scratch->free_places[class][scratch->free_count[class]++] = place;
}

void rk_scratch_give(rk_scratch *scratch, uint64_t place, uint64_t bytes)
{
    uint64_t size;
    int class = class_of(bytes, &size);
    pthread_mutex_lock(&scratch->lock);
    if (place + size == scratch->end)
        scratch->end = place;
    else
        note_free(scratch, class, place);
    pthread_mutex_unlock(&scratch->lock);
}

static size_t piece_of(uint64_t left)
{
    return left < RK_SCRATCH_PIECE ? (size_t)left : RK_SCRATCH_PIECE;
}

int rk_scratch_write(const rk_scratch *scratch, uint64_t place, const void *data, uint64_t bytes,
                     char *message, size_t capacity)
{
    const char *at = data;
    for (uint64_t done = 0; done < bytes;) {
        ssize_t n = pwrite(scratch->fd, at + done, piece_of(bytes - done), (off_t)(place + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return complain(scratch, "writing to", n ? errno : ENOSPC, message, capacity);
        done += (uint64_t)n;
    }
    return RASK_OK;
}

int rk_scratch_read(const rk_scratch *scratch, uint64_t place, void *data, uint64_t bytes, char *message,
                    size_t capacity)
{
    char *at = data;
    for (uint64_t done = 0; done < bytes;) {
        ssize_t n = pread(scratch->fd, at + done, piece_of(bytes - done), (off_t)(place + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return complain(scratch, "reading from", n ? errno : 0, message, capacity);
        done += (uint64_t)n;
    }
    return RASK_OK;
}
