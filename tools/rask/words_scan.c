#include "words_scan.h"

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

uint64_t words_space_mask(const char *text)
{
    return mask16(text) | mask16(text + 16) << 16 | mask16(text + 32) << 32 | mask16(text + 48) << 48;
}
#else
uint64_t words_space_mask(const char *text)
{
    uint64_t mask = 0;
    for (int i = 0; i < WORDS_CHUNK; i++)
        mask |= (uint64_t)words_is_space(text[i]) << i;
    return mask;
}
#endif

size_t words_find_space(const char *text, size_t len)
{
    size_t i = 0;
    for (; i + WORDS_CHUNK <= len; i += WORDS_CHUNK) {
        uint64_t mask = words_space_mask(text + i);
        if (mask)
            return i + (size_t)__builtin_ctzll(mask);
    }
    while (i < len && !words_is_space(text[i]))
        i++;
    return i;
}

size_t words_after_last_space(const char *text, size_t len)
{
    while (len > 0 && !words_is_space(text[len - 1]))
        len--;
    return len;
}
