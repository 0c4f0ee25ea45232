/* collections/text/magic: how compressed files begin. */
#ifndef RASK_COLLECTIONS_TEXT_MAGIC_H
#define RASK_COLLECTIONS_TEXT_MAGIC_H

#include "collections/text/modules/decompress.h"

enum {
    RK_MAGIC_BYTES = 18, /* are enough to tell */
    RK_BGZF_HEADER = 18,
};

/* What begins with these len bytes: RK_PLAIN where nothing else is known. */
rk_compression rk_magic_detect(const uint8_t *data, size_t len);

/* Whether more bytes behind these could make rk_magic_detect() find a compression. */
bool rk_magic_undecided(const uint8_t *data, size_t len);

/* Whether a member of a file of this compression could begin with these len bytes, of which there may be few. */
bool rk_magic_begins(rk_compression compression, const uint8_t *data, size_t len);

/* Bytes of the BGZF block that begins with these len bytes; 0: none does. */
size_t rk_magic_bgzf_block(const uint8_t *data, size_t len);

/* "gzip", "zstd", …; static. */
const char *rk_compression_name(rk_compression compression);

static inline uint32_t rk_load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#define RK_ZSTD_MAGIC     0xfd2fb528u
#define RK_ZSTD_SKIPPABLE 0x184d2a50u /* with any lowest four bits */

#endif
