/* collections/table/arrow/bits: Arrow's bitmaps, a bit a row, the first in the lowest; and Rask's, a byte a row. */
#ifndef RASK_COLLECTIONS_TABLE_ARROW_BITS_H
#define RASK_COLLECTIONS_TABLE_ARROW_BITS_H

#include <stddef.h>
#include <stdint.h>

static inline size_t rk_bits_size(uint64_t count)
{
    return (size_t)(count / 8 + (count % 8 != 0));
}

/* 0 or 1. */
static inline uint8_t rk_bit(const uint8_t *bits, uint64_t i)
{
    return bits[i / 8] >> (i % 8) & 1;
}

/* Bits first … first + count - 1 as bytes of 0 and 1. */
static inline void rk_bits_read(const uint8_t *bits, uint64_t first, uint32_t count, uint8_t *bytes)
{
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = rk_bit(bits, first + i);
}

/* count bytes of 0 and 1 as rk_bits_size(count) bytes of bits; the last ones are 0. How many are 0. */
static inline uint64_t rk_bits_write(uint8_t *bits, const uint8_t *bytes, uint64_t count)
{
    uint64_t ones = 0;
    for (uint64_t i = 0; i < count; i += 8) {
        uint64_t n = count - i < 8 ? count - i : 8;
        uint8_t byte = 0;
        for (uint64_t k = 0; k < n; k++)
            byte = (uint8_t)(byte | (bytes[i + k] << k));
        bits[i / 8] = byte;
        ones += (uint64_t)__builtin_popcount(byte);
    }
    return count - ones;
}

#endif
