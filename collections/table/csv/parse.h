/* collections/table/csv/parse: text becomes numbers and dates. No spaces, no quotes, no locale.
 *
 * Every call returns whether text is one of its kind, and else leaves *out untouched. 32 bytes from data on can be read,
 * whatever stands behind the text. */
#ifndef RASK_COLLECTIONS_TABLE_CSV_PARSE_H
#define RASK_COLLECTIONS_TABLE_CSV_PARSE_H

#include <endian.h>
#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A function compiled for what machines have, too; the loader picks. Shifts by variable numbers of bits, of which parsing
 * is made, take a third as long there. Resolvers run before a sanitizer's runtime is there, and need the loader of glibc. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) &&                 \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) && !defined(RK_WITHOUT_CLONES)
#    define RK_PARSE_KERNEL __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#    define RK_PARSE_KERNEL
#endif

/* [+-] digits; false when int64 does not hold it. */
bool rk_parse_i64(const char *data, size_t len, int64_t *out);
/* [+-] digits [. digits] [e [+-] digits], inf, infinity, nan; the nearest double, ties to even. c: of the locale C. */
bool rk_parse_f64(const char *data, size_t len, locale_t c, double *out);
/* The same without trying the short way below first. */
bool rk_parse_f64_long(const char *data, size_t len, locale_t c, double *out);
/* true, false; in any case. */
bool rk_parse_bool(const char *data, size_t len, uint8_t *out);
/* YYYY-MM-DD: days since 1970-01-01. */
bool rk_parse_date(const char *data, size_t len, int64_t *out);
/* A date, T or a space, HH:MM[:SS[.fraction]][Z]: microseconds since 1970-01-01; of fractions up to nine digits, those
 * behind the sixth are cut off. */
bool rk_parse_timestamp(const char *data, size_t len, int64_t *out);

extern const double rk_parse_powers[23]; /* of ten: all that are exact */

static inline uint64_t rk_load64(const char *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return le64toh(word);
}

/* The bytes of data, up to 8, as digits less '0', moved to the top; what is below them is 0. */
static inline uint64_t rk_digits_load(const char *data, size_t len)
{
    return (rk_load64(data) ^ UINT64_C(0x3030303030303030)) << (64 - 8 * len);
}

static inline bool rk_digits_valid(uint64_t digits)
{
    return !(((digits + UINT64_C(0x7676767676767676)) | digits) & UINT64_C(0x8080808080808080));
}

/* The number of eight digits, the first in the lowest byte: pairs, then fours, then all, three multiplications. */
static inline uint64_t rk_digits_value(uint64_t digits)
{
    digits = digits * 10 + (digits >> 8);
    uint64_t high = (digits & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064);
    uint64_t low = ((digits >> 16) & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001);
    return (high + low) >> 32;
}

/* A digit string of up to 16 with at most one sign: most integers. */
static inline bool rk_parse_i64_short(const char *data, size_t len, int64_t *out)
{
    bool negative = *data == '-';
    data += negative;
    len -= negative;
    if (len - 1 >= 16) /* 0 wraps */
        return false;
    size_t first = len > 8 ? len - 8 : len;
    uint64_t digits = rk_digits_load(data, first);
    uint64_t rest = len > 8 ? rk_digits_load(data + first, 8) : 0;
    if (!rk_digits_valid(digits) || !rk_digits_valid(rest))
        return false;
    uint64_t value = rk_digits_value(digits);
    if (len > 8)
        value = value * 100000000 + rk_digits_value(rest);
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* One of 9 to 16 characters without sign; value is not negative. */
bool rk_parse_f64_medium(const char *data, size_t len, double *out);

/* A decimal of up to 16 characters without exponent whose digits, as an integer, a double holds: one exact division
 * rounds it correctly (Clinger, "How to read floating point numbers accurately"). */
static inline bool rk_parse_f64_short(const char *data, size_t len, double *out)
{
    bool negative = *data == '-';
    data += negative;
    len -= negative;
    double value;
    if (__builtin_expect(len - 1 < 8, 1)) {
        uint64_t digits = rk_digits_load(data, len),
                 x = digits ^ UINT64_C(0x1e1e1e1e1e1e1e1e); /* the point */
        uint64_t points = (x - UINT64_C(0x0101010101010101)) & ~x & UINT64_C(0x8080808080808080);
        size_t decimals = 0;
        if (points && len > 1) {
            uint64_t point = (points & -points) >> 7; /* its lowest bit; what is before it moves up over it */
            decimals = 7 - (size_t)__builtin_ctzll(point) / 8;
            digits = ((digits & -point) ^ point * 0x1e) | (digits & (point - 1)) << 8;
        }
        if (!rk_digits_valid(digits))
            return false;
        value = (double)rk_digits_value(digits) / rk_parse_powers[decimals];
    } else if (!rk_parse_f64_medium(data, len, &value)) {
        return false;
    }
    *out = value * (1 - 2 * (int)negative); /* no jump on signs, which come in any order */
    return true;
}

#endif
