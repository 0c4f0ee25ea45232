/* Bytes as a file that has no place on a disk. */
#ifndef RASK_TESTS_FUZZ_MEMORY_FILE_H
#define RASK_TESTS_FUZZ_MEMORY_FILE_H

#include "collections/array/files/layout.h"
#include "collections/array/source.h"
#include "collections/files/file.h"

#undef NDEBUG /* what is asserted here is what is tested */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct memory_file {
    int fd;
    char path[64];
} memory_file;

static inline memory_file memory_file_new(const uint8_t *data, size_t size)
{
    memory_file f = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};
    assert(f.fd >= 0 && rk_file_write(f.fd, data, size, 0) == 0);
    snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    return f;
}

/* Whoever refuses a file says why, and names it. */
static inline void check_refusal(const rk_open_error *error, const char *path)
{
    assert(error->status != RASK_OK && strlen(error->message) < sizeof error->message);
    assert(strncmp(error->message, path, strlen(path)) == 0);
}

/* What was accepted can be read to its last element; ends source. */
static inline void check_source(rk_source *source)
{
    enum { MOST = 1 << 20 };
    int64_t start[RASK_MAX_DIMENSIONS] = {0}, count[RASK_MAX_DIMENSIONS], strides[RASK_MAX_DIMENSIONS], bytes;
    char message[1000];
    for (uint32_t i = 0; i < source->ndim; i++) {
        count[i] = source->shape[i] < 3 ? source->shape[i] : 3;
        start[i] = source->shape[i] - count[i];
    }
    assert(rk_shape_bytes(source->dtype, source->ndim, count, &bytes) == RASK_OK);
    rk_file_strides(source->dtype, source->ndim, count, false, strides);
    if (bytes <= MOST) {
        void *out = malloc((size_t)bytes + 1);
        int status = rk_source_read(source, start, count, out, strides, message, sizeof message);
        assert(status == RASK_OK);
        free(out);
    }
    rk_source_unref(source);
}

#endif
