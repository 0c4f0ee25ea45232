#include "collections/text/spaces.h"

#if defined(__SSE2__)
#    include <emmintrin.h>

static uint64_t mask16(const char *text)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i from_tab = _mm_sub_epi8(bytes, _mm_set1_epi8('\t'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(from_tab, _mm_set1_epi8('\r' - '\t')), from_tab);
    __m128i blank = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(control, blank));
}

static uint64_t newlines16(const char *text)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
}

uint64_t rk_newline_mask(const char *text)
{
    return newlines16(text) | newlines16(text + 16) << 16 | newlines16(text + 32) << 32 |
           newlines16(text + 48) << 48;
}

uint64_t rk_space_mask(const char *text)
{
    return mask16(text) | mask16(text + 16) << 16 | mask16(text + 32) << 32 | mask16(text + 48) << 48;
}
/* Newlines of whole vectors; *done: bytes that these have. Each byte of sums counts those of its lane, for as many vectors
 * as a byte can. */
static uint64_t count_in_vectors(const char *text, size_t len, size_t *done)
{
    const __m128i newline = _mm_set1_epi8('\n');
    uint64_t count = 0;
    size_t i = 0;
    while (len - i >= 16) {
        size_t vectors = (len - i) / 16 < 255 ? (len - i) / 16 : 255;
        __m128i sums = _mm_setzero_si128();
        for (size_t end = i + 16 * vectors; i < end; i += 16)
            sums = _mm_sub_epi8(
                sums, _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)(text + i)), newline));
        __m128i halves = _mm_sad_epu8(sums, _mm_setzero_si128());
        count += (uint64_t)_mm_cvtsi128_si64(halves) +
                 (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves));
    }
    *done = i;
    return count;
}
#else
static uint64_t count_in_vectors(const char *text, size_t len, size_t *done)
{
    (void)text;
    (void)len;
    *done = 0;
    return 0;
}

uint64_t rk_space_mask(const char *text)
{
    uint64_t mask = 0;
    for (int i = 0; i < RK_SPACE_CHUNK; i++)
        mask |= (uint64_t)rk_is_space(text[i]) << i;
    return mask;
}

uint64_t rk_newline_mask(const char *text)
{
    uint64_t mask = 0;
    for (int i = 0; i < RK_SPACE_CHUNK; i++)
        mask |= (uint64_t)(text[i] == '\n') << i;
    return mask;
}
#endif

uint64_t rk_count_newlines(const char *text, size_t len)
{
    size_t i;
    uint64_t count = count_in_vectors(text, len, &i);
    for (; i < len; i++)
        count += text[i] == '\n';
    return count;
}

uint64_t rk_count_words(const char *text, size_t len)
{
    uint64_t count = 0, before = 0;
    for (size_t i = 0; i < len; i += RK_SPACE_CHUNK) {
        uint64_t word = ~rk_space_mask(text + i);
        if (len - i < RK_SPACE_CHUNK)
            word &= (UINT64_C(1) << (len - i)) - 1;
        count += (uint64_t)__builtin_popcountll(word & ~(word << 1 | before));
        before = word >> 63;
    }
    return count;
}

size_t rk_find_space(const char *text, size_t len)
{
    size_t i = 0;
    for (; i + RK_SPACE_CHUNK <= len; i += RK_SPACE_CHUNK) {
        uint64_t mask = rk_space_mask(text + i);
        if (mask)
            return i + (size_t)__builtin_ctzll(mask);
    }
    while (i < len && !rk_is_space(text[i]))
        i++;
    return i;
}

size_t rk_after_last_space(const char *text, size_t len)
{
    while (len > 0 && !rk_is_space(text[len - 1]))
        len--;
    return len;
}
