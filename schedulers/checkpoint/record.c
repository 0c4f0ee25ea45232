#include "schedulers/checkpoint/record.h"

#include <errno.h>
#include <unistd.h>

#define XXH_STATIC_LINKING_ONLY /* states on the stack */
#include <xxhash.h>

/* Most bytes that one call moves. */
#define PIECE ((uint64_t)64 << 20)

static uint64_t self_of(const rk_record *record)
{
    return XXH3_64bits(record, offsetof(rk_record, self));
}

static uint64_t content_of(const rk_pieces *pieces)
{
    if (!pieces->tail_size)
        return XXH3_64bits(pieces->head, pieces->head_size);
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, pieces->head, pieces->head_size);
    XXH3_64bits_update(&state, pieces->tail, pieces->tail_size);
    return XXH3_64bits_digest(&state);
}

rk_record rk_record_of(uint64_t magic, rk_key key, const rk_pieces *pieces)
{
    rk_record record = {.magic = magic, .key = key, .length = pieces->head_size + pieces->tail_size};
    record.content = content_of(pieces);
    record.self = self_of(&record);
    return record;
}

bool rk_record_is(const rk_record *record, uint64_t magic)
{
    return record->magic == magic && record->self == self_of(record);
}

bool rk_record_fits(const rk_record *record, const void *bytes, uint64_t size)
{
    return record->length == size && record->content == XXH3_64bits(bytes, size);
}

bool rk_write_at(int fd, const void *bytes, uint64_t size, uint64_t offset)
{
    const char *from = bytes;
    while (size) {
        ssize_t done = pwrite(fd, from, size < PIECE ? size : PIECE, (off_t)offset);
        if (done < 0 && errno != EINTR)
            return false;
        if (done <= 0)
            continue;
        from += done;
        offset += (uint64_t)done;
        size -= (uint64_t)done;
    }
    return true;
}

bool rk_read_at(int fd, void *bytes, uint64_t size, uint64_t offset)
{
    char *to = bytes;
    while (size) {
        ssize_t done = pread(fd, to, size < PIECE ? size : PIECE, (off_t)offset);
        if (!done)
            errno = EIO;
        if (!done || (done < 0 && errno != EINTR))
            return false;
        if (done < 0)
            continue;
        to += done;
        offset += (uint64_t)done;
        size -= (uint64_t)done;
    }
    return true;
}
