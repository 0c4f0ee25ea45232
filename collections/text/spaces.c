/* Design notes.
 *
 * Leaves that know the processor turn RK_SPACE_CHUNK bytes into a mask, bit i of which is byte i, and a mask into the positions
 * of its bits. What goes over a text is written once, and compiled with the leaves of each processor in it. */
#include "collections/text/spaces.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef uint64_t mask_of(const char *text);
/* Writes the positions of bits, counted from base. May write RK_SPACE_CHUNK of them, however few there are. */
typedef void write_positions(uint64_t bits, size_t base, size_t *out);

/* The bits of the bytes before to in a chunk that begins at from. */
INLINE uint64_t bits_before(size_t from, size_t to)
{
    return to - from < RK_SPACE_CHUNK ? (UINT64_C(1) << (to - from)) - 1 : UINT64_MAX;
}

INLINE size_t word_edges_by(mask_of *spaces, write_positions *write, const char *text, size_t from, size_t to,
                            bool in_word, size_t *edges)
{
    uint64_t before = in_word;
    size_t count = 0;
    for (; from < to; from += RK_SPACE_CHUNK) {
        uint64_t word = ~spaces(text + from);
        uint64_t bits = (word ^ (word << 1 | before)) & bits_before(from, to);
        before = word >> 63;
        write(bits, from, edges + count);
        count += (size_t)__builtin_popcountll(bits);
    }
    return count;
}

INLINE size_t newlines_by(mask_of *newlines, write_positions *write, const char *text, size_t from, size_t to,
                          size_t *places)
{
    size_t count = 0;
    for (; from < to; from += RK_SPACE_CHUNK) {
        uint64_t bits = newlines(text + from) & bits_before(from, to);
        write(bits, from, places + count);
        count += (size_t)__builtin_popcountll(bits);
    }
    return count;
}

INLINE uint64_t count_words_by(mask_of *spaces, const char *text, size_t len)
{
    uint64_t count = 0, before = 0;
    for (size_t i = 0; i < len; i += RK_SPACE_CHUNK) {
        uint64_t word = ~spaces(text + i) & bits_before(i, len);
        count += (uint64_t)__builtin_popcountll(word & ~(word << 1 | before));
        before = word >> 63;
    }
    return count;
}

INLINE uint64_t count_newlines_by(mask_of *newlines, const char *text, size_t chunks)
{
    uint64_t count = 0;
    for (size_t i = 0; i < chunks; i++)
        count += (uint64_t)__builtin_popcountll(newlines(text + i * RK_SPACE_CHUNK));
    return count;
}

/* A way called NAME of the leaves spaces_NAME, newlines_NAME and write_NAME. */
#define WAY(NAME, TARGET)                                                                                    \
    TARGET static size_t word_edges_##NAME(const char *text, size_t from, size_t to, bool in_word,           \
                                           size_t *edges)                                                    \
    {                                                                                                        \
        return word_edges_by(spaces_##NAME, write_##NAME, text, from, to, in_word, edges);                   \
    }                                                                                                        \
    TARGET static size_t newline_places_##NAME(const char *text, size_t from, size_t to, size_t *places)     \
    {                                                                                                        \
        return newlines_by(newlines_##NAME, write_##NAME, text, from, to, places);                           \
    }                                                                                                        \
    TARGET static uint64_t count_words_##NAME(const char *text, size_t len)                                  \
    {                                                                                                        \
        return count_words_by(spaces_##NAME, text, len);                                                     \
    }                                                                                                        \
    TARGET static uint64_t count_newlines_##NAME(const char *text, size_t chunks)                            \
    {                                                                                                        \
        return count_newlines_by(newlines_##NAME, text, chunks);                                             \
    }                                                                                                        \
    static const rk_spaces NAME##_way = {#NAME, word_edges_##NAME, newline_places_##NAME,                    \
                                         count_words_##NAME, count_newlines_##NAME};

/* Eight at a time: how many rounds that takes is seldom mispredicted. Where bits run out, positions have no meaning. */
INLINE void write_bits(uint64_t bits, size_t base, size_t *out)
{
    do {
        for (int i = 0; i < 8; i++, bits &= bits - 1)
            *out++ = base + (size_t)__builtin_ctzll(bits | UINT64_C(1) << 63);
    } while (bits);
}

/* --- what every processor has */

static inline void write_plain(uint64_t bits, size_t base, size_t *out)
{
    write_bits(bits, base, out);
}

#if defined(__SSE2__)
#    include <emmintrin.h>

static inline __m128i load16(const char *text)
{
    return _mm_loadu_si128((const __m128i *)(const void *)text);
}

static inline uint64_t spaces16(const char *text)
{
    __m128i bytes = load16(text), from_tab = _mm_sub_epi8(bytes, _mm_set1_epi8('\t'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(from_tab, _mm_set1_epi8('\r' - '\t')), from_tab);
    __m128i blank = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(control, blank));
}

static inline uint64_t newlines16(const char *text)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(load16(text), _mm_set1_epi8('\n')));
}

static inline uint64_t spaces_plain(const char *text)
{
    return spaces16(text) | spaces16(text + 16) << 16 | spaces16(text + 32) << 32 | spaces16(text + 48) << 48;
}

static inline uint64_t newlines_plain(const char *text)
{
    return newlines16(text) | newlines16(text + 16) << 16 | newlines16(text + 32) << 32 |
           newlines16(text + 48) << 48;
}
#else
static inline uint64_t spaces_plain(const char *text)
{
    uint64_t mask = 0;
    for (int i = 0; i < RK_SPACE_CHUNK; i++)
        mask |= (uint64_t)rk_is_space(text[i]) << i;
    return mask;
}

static inline uint64_t newlines_plain(const char *text)
{
    uint64_t mask = 0;
    for (int i = 0; i < RK_SPACE_CHUNK; i++)
        mask |= (uint64_t)(text[i] == '\n') << i;
    return mask;
}
#endif

WAY(plain, )

#if defined(__x86_64__) && defined(__GNUC__) && !defined(RK_WITHOUT_CLONES)
#    include <immintrin.h>

/* --- AVX2 */

#    define FOR_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))

FOR_AVX2 static inline uint64_t mask_of_halves(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

FOR_AVX2 static inline __m256i load32(const char *text)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)text);
}

FOR_AVX2 static inline __m256i spaces32(const char *text)
{
    __m256i bytes = load32(text), from_tab = _mm256_sub_epi8(bytes, _mm256_set1_epi8('\t'));
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(from_tab, _mm256_set1_epi8('\r' - '\t')), from_tab);
    return _mm256_or_si256(control, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(' ')));
}

FOR_AVX2 static inline uint64_t spaces_avx2(const char *text)
{
    return mask_of_halves(spaces32(text), spaces32(text + 32));
}

FOR_AVX2 static inline uint64_t newlines_avx2(const char *text)
{
    __m256i newline = _mm256_set1_epi8('\n');
    return mask_of_halves(_mm256_cmpeq_epi8(load32(text), newline),
                          _mm256_cmpeq_epi8(load32(text + 32), newline));
}

FOR_AVX2 static inline void write_avx2(uint64_t bits, size_t base, size_t *out)
{
    write_bits(bits, base, out);
}

WAY(avx2, FOR_AVX2)

/* --- AVX-512, of processors that can compress bytes */

#    define FOR_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi,bmi2,popcnt")))

FOR_AVX512 static inline uint64_t spaces_avx512(const char *text)
{
    __m512i bytes = _mm512_loadu_si512(text);
    return _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8('\t')),
                                  _mm512_set1_epi8('\r' - '\t')) |
           _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(' '));
}

FOR_AVX512 static inline uint64_t newlines_avx512(const char *text)
{
    return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(text), _mm512_set1_epi8('\n'));
}

/* Sixteen positions of bytes as such of a text. */
FOR_AVX512 static inline void write16(__m128i places, size_t base, size_t *out)
{
    __m512i from = _mm512_set1_epi64((long long)base);
    _mm512_storeu_si512(out, _mm512_add_epi64(_mm512_cvtepu8_epi64(places), from));
    _mm512_storeu_si512(out + 8,
                        _mm512_add_epi64(_mm512_cvtepu8_epi64(_mm_unpackhi_epi64(places, places)), from));
}

/* The bytes 0 … 63 of which bits are set, put together. More than 32 are rare in text. */
FOR_AVX512 static inline void write_avx512(uint64_t bits, size_t base, size_t *out)
{
    static const uint8_t all[RK_SPACE_CHUNK] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    __m512i places = _mm512_maskz_compress_epi8(bits, _mm512_loadu_si512(all));
    write16(_mm512_castsi512_si128(places), base, out);
    write16(_mm512_extracti32x4_epi32(places, 1), base, out + 16);
    if (__builtin_expect(__builtin_popcountll(bits) > 32, 0)) {
        write16(_mm512_extracti32x4_epi32(places, 2), base, out + 32);
        write16(_mm512_extracti32x4_epi32(places, 3), base, out + 48);
    }
}

WAY(avx512, FOR_AVX512)

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2");
}

const rk_spaces *const *rk_spaces_ways(void)
{
    static const rk_spaces *const ways[] = {&avx512_way, &avx2_way, &plain_way, NULL};
    return has_avx512() ? ways : has_avx2() ? ways + 1 : ways + 2;
}
#else
const rk_spaces *const *rk_spaces_ways(void)
{
    static const rk_spaces *const ways[] = {&plain_way, NULL};
    return ways;
}
#endif

uint64_t rk_count_newlines(const char *text, size_t len)
{
    size_t i = len - len % RK_SPACE_CHUNK;
    uint64_t count = rk_spaces_ways()[0]->count_newlines(text, len / RK_SPACE_CHUNK);
    for (; i < len; i++)
        count += text[i] == '\n';
    return count;
}

size_t rk_find_space(const char *text, size_t len)
{
    size_t i = 0;
    for (; i + RK_SPACE_CHUNK <= len; i += RK_SPACE_CHUNK) {
        uint64_t mask = spaces_plain(text + i);
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
