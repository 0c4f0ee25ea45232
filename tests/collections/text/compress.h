/* Compressed files, as other programs make them. */
#ifndef RASK_TESTS_COLLECTIONS_TEXT_COMPRESS_H
#define RASK_TESTS_COLLECTIONS_TEXT_COMPRESS_H

#include "support.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

static const rk_compression compressions[] = {RK_GZIP, RK_BGZF, RK_ZSTD, RK_XZ, RK_BZIP2};

static inline size_t deflated(void *out, size_t room, const void *data, size_t len, int window, int level)
{
    z_stream z = {.next_in = (Bytef *)data, .avail_in = (uInt)len, .next_out = out, .avail_out = (uInt)room};
    cr_assert_eq(deflateInit2(&z, level, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

static inline void put32(uint8_t *out, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(n >> 8 * i);
}

/* A block of at most 60,000 bytes, with its length in the extra field. */
static inline void add_bgzf_block(bytes *out, const void *data, size_t len, int level)
{
    uint8_t block[1 << 16] = {0x1f, 0x8b, 8, 4, [9] = 255, [10] = 6, [12] = 'B', 'C', 2};
    size_t n = 18 + deflated(block + 18, sizeof block - 26, data, len, -15, level);
    put32(block + n, (uint32_t)crc32(0, data, (uInt)len));
    put32(block + n + 4, (uint32_t)len);
    block[16] = (uint8_t)(n + 7);
    block[17] = (uint8_t)((n + 7) >> 8);
    append(out, block, n + 8);
}

static inline void add_bgzf(bytes *out, const char *data, size_t len, size_t step, int level)
{
    for (size_t i = 0; i < len; i += step)
        add_bgzf_block(out, data + i, len - i < step ? len - i : step, level);
    add_bgzf_block(out, NULL, 0, level);
}

static inline size_t zstd_frame(void *out, size_t room, const void *data, size_t len)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    size_t n = ZSTD_compress2(c, out, room, data, len);
    cr_assert(!ZSTD_isError(n));
    ZSTD_freeCCtx(c);
    return n;
}

/* One member more (several blocks of BGZF). */
static inline void add_member(bytes *out, rk_compression compression, const char *data, size_t len)
{
    size_t room = len + len / 2 + 4096, n = 0;
    unsigned made = (unsigned)room;
    char *member = malloc(room);
    switch (compression) {
    case RK_GZIP: n = deflated(member, room, data, len, 31, 6); break;
    case RK_BGZF: add_bgzf(out, data, len, 1000, 6); break;
    case RK_ZSTD: n = zstd_frame(member, room, data, len); break;
    case RK_XZ:
        lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)data, len, (uint8_t *)member, &n,
                                room);
        break;
    case RK_BZIP2:
        BZ2_bzBuffToBuffCompress(member, &made, (char *)data, (unsigned)len, 1, 0, 0);
        n = made;
        break;
    default: break;
    }
    append(out, member, n);
    free(member);
}

static inline bytes compressed(rk_compression compression, bytes text)
{
    bytes out = {0};
    add_member(&out, compression, text.data ? text.data : "", text.len);
    return out;
}

#endif
