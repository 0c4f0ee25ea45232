/* Shards of Zarr arrays: the index in a file that holds many chunks.
 *
 * Each read of a chunk looks up its own entry alone. The checksum is one of the whole index, so it is checked when a shard is
 * met first; which ones were is kept in a small table without locks, where shards drive each other out: then one is
 * checked again. */
#include "collections/array/files/zarr.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <string.h>

int64_t rk_zarr_shard_of(const rk_zarr_meta *m, const int64_t *index, int64_t *shard)
{
    int64_t number = 0;
    for (uint32_t i = 0; i < m->ndim; i++) {
        int64_t chunks = m->shards.shape[i] / m->chunk[i];
        shard[i] = index[i] / chunks;
        number = number * chunks + index[i] % chunks;
    }
    return number;
}

static uint64_t get_u64(const unsigned char *bytes, bool big)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[big ? i : 7 - i];
    return value;
}

static void put_le(unsigned char *bytes, int count, uint64_t value)
{
    for (int i = 0; i < count; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
}

/* The shard's number over all shards of the array, and one; different shards may share it only beyond 2^64 of them. */
static uint64_t number_of(const rk_zarr_meta *m, const int64_t *shard)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < m->ndim; i++)
        number = number * (uint64_t)((m->shape[i] - 1) / m->shards.shape[i] + 1) + (uint64_t)shard[i];
    return number + 1;
}

static const char *check_sums(const rk_zarr_shards *s, const unsigned char *index)
{
    size_t len = rk_zarr_index_bytes(s);
    for (uint32_t i = 0; i < s->index_sums; i++) {
        unsigned char sum[RK_ZARR_SUM];
        len -= RK_ZARR_SUM;
        put_le(sum, RK_ZARR_SUM, rk_crc32c(index, len));
        if (memcmp(sum, index + len, RK_ZARR_SUM) != 0)
            return "the checksum of its index does not fit its content";
    }
    return NULL;
}

static int check_index(const rk_zarr_shards *s, int fd, int64_t place, const char **reason)
{
    size_t len = rk_zarr_index_bytes(s);
    unsigned char *index = rk_alloc(len);
    *reason = index ? rk_file_read(fd, index, len, place) == (int64_t)len ? check_sums(s, index)
                                                                          : "its index cannot be read"
                    : "no memory for its index";
    rk_free(index);
    return !*reason ? RASK_OK : index ? RASK_EFORMAT : RASK_ENOMEM;
}

int rk_zarr_shard_find(const rk_zarr_meta *m, rk_zarr_checked *checked, const int64_t *shard, int64_t chunk,
                       int fd, int64_t size, rk_zarr_part *part, const char **reason)
{
    const rk_zarr_shards *s = &m->shards;
    int64_t index_bytes = (int64_t)rk_zarr_index_bytes(s), place = s->index_first ? 0 : size - index_bytes;
    uint64_t number = number_of(m, shard);
    rk_atomic_u64 *known = &checked->shard[number % RK_ZARR_CHECKED];
    unsigned char entry[RK_ZARR_ENTRY];
    *reason = "is too short for the index of a shard";
    if (size < index_bytes)
        return RASK_EFORMAT;
    if (s->index_sums && rk_load_acquire(known) != number) {
        int status = check_index(s, fd, place, reason);
        if (status)
            return status;
        rk_store_release(known, number);
    }
    *reason = "its index cannot be read";
    if (rk_file_read(fd, entry, sizeof entry, place + chunk * RK_ZARR_ENTRY) != sizeof entry)
        return RASK_EIO;
    uint64_t offset = get_u64(entry, s->index_swapped), len = get_u64(entry + 8, s->index_swapped);
    *part = (rk_zarr_part){0};
    if (offset == UINT64_MAX && len == UINT64_MAX)
        return RASK_OK;
    *reason = "a chunk in it is not within the file";
    if (!len || len > (uint64_t)size || offset > (uint64_t)size - len)
        return RASK_EFORMAT;
    *part = (rk_zarr_part){(int64_t)offset, (size_t)len};
    return RASK_OK;
}

void rk_zarr_index_write(const rk_zarr_shards *s, const rk_zarr_part *parts, unsigned char *out)
{
    size_t len = (size_t)s->count * RK_ZARR_ENTRY;
    for (int64_t i = 0; i < s->count; i++) {
        bool there = parts[i].len > 0;
        put_le(out + i * RK_ZARR_ENTRY, 8, there ? (uint64_t)parts[i].offset : UINT64_MAX);
        put_le(out + i * RK_ZARR_ENTRY + 8, 8, there ? parts[i].len : UINT64_MAX);
    }
    for (uint32_t i = 0; i < s->index_sums; i++, len += RK_ZARR_SUM)
        put_le(out + len, RK_ZARR_SUM, rk_crc32c(out, len));
}
