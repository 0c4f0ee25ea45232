#include "collections/text/magic.h"

#include <assert.h>
#include <string.h>

/* Behind "BZh" and the level: the first block, or the end of an empty stream. */
static const uint8_t bzip2_block[] = {0x31, 0x41, 0x59, 0x26, 0x53, 0x59};
static const uint8_t bzip2_end[] = {0x17, 0x72, 0x45, 0x38, 0x50, 0x90};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Whether what there is of len bytes agrees with the magic. */
static bool agrees(const uint8_t *data, size_t len, const void *magic, size_t magic_len)
{
    return memcmp(data, magic, least(len, magic_len)) == 0;
}

static bool agrees_bzip2(const uint8_t *data, size_t len)
{
    if (!agrees(data, len, "BZh", 3) || (len > 3 && (data[3] < '1' || data[3] > '9')))
        return false;
    return len <= 4 || agrees(data + 4, len - 4, bzip2_block, sizeof bzip2_block) ||
           agrees(data + 4, len - 4, bzip2_end, sizeof bzip2_end);
}

static bool agrees_zstd(const uint8_t *data, size_t len)
{
    if (len > 0 && (data[0] & 0xf0) == (RK_ZSTD_SKIPPABLE & 0xf0))
        return agrees(data + 1, len - 1, "\x2a\x4d\x18", 3);
    return agrees(data, len, "\x28\xb5\x2f\xfd", 4);
}

bool rk_magic_begins(rk_compression compression, const uint8_t *data, size_t len)
{
    switch (compression) {
    case RK_GZIP:
    case RK_BGZF: return agrees(data, len, "\x1f\x8b\x08", 3);
    case RK_ZSTD: return agrees_zstd(data, len);
    case RK_XZ: return agrees(data, len, "\xfd\x37\x7a\x58\x5a\x00", 6);
    case RK_BZIP2: return agrees_bzip2(data, len);
    default: return false;
    }
}

/* Bytes that a magic has. */
static size_t magic_len(rk_compression compression)
{
    static const uint8_t lens[RK_COMPRESSIONS] = {
        [RK_GZIP] = 3, [RK_BGZF] = 3, [RK_ZSTD] = 4, [RK_XZ] = 6, [RK_BZIP2] = 10};
    return lens[compression];
}

rk_compression rk_magic_detect(const uint8_t *data, size_t len)
{
    if (rk_magic_bgzf_block(data, len))
        return RK_BGZF;
    for (rk_compression c = RK_PLAIN + 1; c < RK_COMPRESSIONS; c++)
        if (c != RK_BGZF && len >= magic_len(c) && rk_magic_begins(c, data, len))
            return c;
    return RK_PLAIN;
}

bool rk_magic_undecided(const uint8_t *data, size_t len)
{
    for (rk_compression c = RK_PLAIN + 1; c < RK_COMPRESSIONS; c++)
        if (len < magic_len(c) && rk_magic_begins(c, data, len))
            return true;
    return len < RK_BGZF_HEADER && rk_magic_begins(RK_GZIP, data, len);
}

/* SAM/BAM specification, section 4.1: one extra field, "BC", that holds the block's bytes less one. */
size_t rk_magic_bgzf_block(const uint8_t *data, size_t len)
{
    static const uint8_t begin[] = {0x1f, 0x8b, 8, 4}, field[] = {6, 0, 'B', 'C', 2, 0};
    if (len < RK_BGZF_HEADER || memcmp(data, begin, sizeof begin) != 0 ||
        memcmp(data + 10, field, sizeof field) != 0)
        return 0;
    size_t block = ((size_t)data[16] | (size_t)data[17] << 8) + 1;
    return block > RK_BGZF_HEADER ? block : 0;
}

const char *rk_compression_name(rk_compression compression)
{
    static const char *const names[RK_COMPRESSIONS] = {"plain", "gzip", "gzip", "zstd", "xz", "bzip2"};
    assert(compression < RK_COMPRESSIONS);
    return names[compression];
}
