/* Design notes.
 *
 * A place is looked at closely only where two bytes of the needle are where they should be: the two that text has least
 * often, so that this is rare. They are compared in 16 places at once. */
#include "collections/search/find.h"

#include <stdint.h>
#include <string.h>

/* How often text has a byte: more is more often. */
static int rank(unsigned char byte)
{
    static const char often[] = "zqxjkvbpygfwmucldrhsnioate ";
    const char *place = byte ? strchr(often, byte) : NULL;
    if (place)
        return 100 + (int)(place - often);
    if (byte >= '0' && byte <= '9')
        return 90;
    return byte < 0x80 ? 50 : byte < 0xc0 ? 80 : 40;
}

rk_needle rk_needle_of(const char *bytes, size_t len)
{
    rk_needle n = {.bytes = bytes, .len = len};
    for (size_t i = 1; i < len; i++)
        if (rank((unsigned char)bytes[i]) < rank((unsigned char)bytes[n.rare]))
            n.rare = i;
    n.other = n.rare ? 0 : len - 1;
    for (size_t i = 0; i < len; i++)
        if (i != n.rare && rank((unsigned char)bytes[i]) < rank((unsigned char)bytes[n.other]))
            n.other = i;
    return n;
}

#if defined(__SSE2__)
#    include <emmintrin.h>

/* Bit i is set when the two bytes are right for a needle at text + i. */
static uint32_t candidates(const rk_needle *n, const char *text, __m128i rare, __m128i other)
{
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(text + n->rare));
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(text + n->other));
    return (uint32_t)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, rare), _mm_cmpeq_epi8(b, other)));
}

/* Looks from *at on, as far as 16 places can be looked at together; *at: where that ended. True: found there. */
static int find_in_vectors(const rk_needle *n, const char *text, size_t len, size_t *at)
{
    const __m128i rare = _mm_set1_epi8(n->bytes[n->rare]), other = _mm_set1_epi8(n->bytes[n->other]);
    size_t i = *at;
    for (; i + n->len + 15 <= len; i += 16)
        for (uint32_t bits = candidates(n, text + i, rare, other); bits; bits &= bits - 1) {
            size_t place = i + (size_t)__builtin_ctz(bits);
            if (memcmp(text + place, n->bytes, n->len) == 0) {
                *at = place;
                return 1;
            }
        }
    *at = i;
    return 0;
}
#else
static int find_in_vectors(const rk_needle *n, const char *text, size_t len, size_t *at)
{
    (void)n;
    (void)text;
    (void)len;
    (void)at;
    return 0;
}
#endif

size_t rk_find(const rk_needle *needle, const char *text, size_t len)
{
    size_t at = 0;
    if (needle->len > len)
        return len;
    if (needle->len > 1 && find_in_vectors(needle, text, len, &at))
        return at;
    const char *place = memmem(text + at, len - at, needle->bytes, needle->len);
    return place ? (size_t)(place - text) : len;
}
