/* Design notes.
 *
 * Four numbers lie side by side, eight bytes each. A sign is shifted out; then the digits move up to the top, with zeros below
 * them, and bytes become digits. The bytes before a decimal point move up over it. Three multiplications make the number of eight digits:
 * of pairs, of fours, of all. A double is that integer, divided by the power of ten that the point's place says: both are
 * exact, so the division rounds as it should. Four numbers one of which is none, or too long, are left out together. */
#include "collections/table/csv/numbers.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(RK_WITHOUT_CLONES)
#    include <immintrin.h>
#    define HAVE_AVX2
#    define FOR_AVX2 __attribute__((target("avx2,bmi,popcnt")))
#endif

enum { FOUR = 4 };

#ifdef HAVE_AVX2
/* Four numbers on their way. */
typedef struct four {
    __m256i digits;   /* of each, the first one lowest, the last one in the top byte */
    __m256i len;      /* without the sign */
    __m256i negative; /* all ones: it is */
} four;

FOR_AVX2 static inline four load_four(const uint64_t *words, const uint64_t *lens)
{
    __m256i word = _mm256_loadu_si256((const __m256i *)words), eight = _mm256_set1_epi64x(8);
    __m256i first = _mm256_and_si256(word, _mm256_set1_epi64x(0xff));
    four f = {.negative = _mm256_cmpeq_epi64(first, _mm256_set1_epi64x('-'))};
    f.len = _mm256_add_epi64(_mm256_loadu_si256((const __m256i *)lens), f.negative);
    word = _mm256_srlv_epi64(word, _mm256_and_si256(f.negative, eight));
    __m256i unused = _mm256_sub_epi64(_mm256_set1_epi64x(64), _mm256_slli_epi64(f.len, 3));
    f.digits = _mm256_sllv_epi64(_mm256_xor_si256(word, _mm256_set1_epi8('0')), unused);
    return f;
}

/* Whether all are digits, and one to eight of them; but: all ones where a number is none. */
FOR_AVX2 static inline bool are_numbers(const four *f, __m256i but)
{
    __m256i nine = _mm256_set1_epi8(9);
    __m256i valid = _mm256_cmpeq_epi8(_mm256_max_epu8(f->digits, nine), nine);
    __m256i wrong = _mm256_or_si256(_mm256_cmpgt_epi64(f->len, _mm256_set1_epi64x(8)),
                                    _mm256_cmpgt_epi64(_mm256_set1_epi64x(1), f->len));
    return _mm256_movemask_epi8(_mm256_andnot_si256(_mm256_or_si256(wrong, but), valid)) == -1;
}

/* The number of eight digits, in each of four lanes of 32 bits. */
FOR_AVX2 static inline __m128i values_of(__m256i digits)
{
    __m256i pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010a));
    __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00010064));
    __m256i packed = _mm256_packus_epi32(fours, fours);
    __m256i eights = _mm256_madd_epi16(packed, _mm256_set1_epi32(0x00012710));
    return _mm256_castsi256_si128(
        _mm256_permutevar8x32_epi32(eights, _mm256_setr_epi32(0, 1, 4, 5, 0, 1, 4, 5)));
}

/* Takes the points out; the decimals behind them as powers of ten. Numbers that are a point alone go to but. */
FOR_AVX2 static inline __m256d take_points(four *f, __m256i *but)
{
    const __m256i seven = _mm256_set1_epi64x(7);
    __m256i point = _mm256_cmpeq_epi8(f->digits, _mm256_set1_epi8('.' ^ '0'));
    __m256i lowest = _mm256_and_si256(point, _mm256_sub_epi64(_mm256_setzero_si256(), point));
    __m256i below = _mm256_sub_epi64(lowest, _mm256_set1_epi64x(1)); /* without a point: all */
    __m256i place =
        _mm256_sad_epu8(_mm256_and_si256(below, _mm256_set1_epi8(1)), _mm256_setzero_si256()); /* 8: none */
    __m256i none = _mm256_cmpgt_epi64(place, seven);
    __m256i with = _mm256_sub_epi64(_mm256_slli_epi64(lowest, 8), _mm256_set1_epi64x(1));
    __m256i moved = _mm256_slli_epi64(_mm256_and_si256(f->digits, below), 8);
    __m256i kept = _mm256_andnot_si256(with, f->digits);
    f->digits = _mm256_blendv_epi8(_mm256_or_si256(moved, kept), f->digits, none);
    *but = _mm256_andnot_si256(none, _mm256_cmpeq_epi64(f->len, _mm256_set1_epi64x(1)));
    const __m256 powers = _mm256_setr_ps(1e7F, 1e6F, 1e5F, 1e4F, 1e3F, 1e2F, 1e1F, 1e0F); /* exact */
    __m256i index = _mm256_permutevar8x32_epi32(_mm256_min_epi32(place, seven),
                                                _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
    return _mm256_cvtps_pd(_mm256_castps256_ps128(_mm256_permutevar8x32_ps(powers, index)));
}

FOR_AVX2 static uint64_t doubles_of_fours(const uint64_t *words, const uint64_t *lens, uint32_t count,
                                          double *out)
{
    uint64_t left = 0;
    for (uint32_t i = 0; i < count; i += FOUR) {
        __m256i but;
        four f = load_four(words + i, lens + i);
        __m256d powers = take_points(&f, &but);
        __m256d value = _mm256_div_pd(_mm256_cvtepi32_pd(values_of(f.digits)), powers);
        __m256d sign = _mm256_and_pd(_mm256_castsi256_pd(f.negative), _mm256_set1_pd(-0.0));
        _mm256_storeu_pd(out + i, _mm256_xor_pd(value, sign));
        left |= (uint64_t)(are_numbers(&f, but) ? 0 : 0xf) << i;
    }
    return left;
}

FOR_AVX2 static uint64_t integers_of_fours(const uint64_t *words, const uint64_t *lens, uint32_t count,
                                           int64_t *out)
{
    uint64_t left = 0;
    for (uint32_t i = 0; i < count; i += FOUR) {
        four f = load_four(words + i, lens + i);
        __m256i value = _mm256_cvtepi32_epi64(values_of(f.digits));
        value = _mm256_sub_epi64(_mm256_xor_si256(value, f.negative), f.negative);
        _mm256_storeu_si256((__m256i *)(out + i), value);
        left |= (uint64_t)(are_numbers(&f, _mm256_setzero_si256()) ? 0 : 0xf) << i;
    }
    return left;
}

static bool has_vectors(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}
#else
static uint64_t doubles_of_fours(const uint64_t *words, const uint64_t *lens, uint32_t count, double *out)
{
    (void)words, (void)lens, (void)count, (void)out;
    return 0;
}

static uint64_t integers_of_fours(const uint64_t *words, const uint64_t *lens, uint32_t count, int64_t *out)
{
    (void)words, (void)lens, (void)count, (void)out;
    return 0;
}

static bool has_vectors(void)
{
    return false;
}
#endif

bool rk_csv_numbers_there(void)
{
    return has_vectors();
}

/* How many can be taken of so many: a multiple of FOUR. */
static uint32_t whole_fours(uint32_t count)
{
    return has_vectors() ? count / FOUR * FOUR : 0;
}

/* The bits of numbers from first on, up to but without count. */
static uint64_t bits_between(uint32_t first, uint32_t count)
{
    return first < count ? UINT64_MAX >> (RK_NUMBERS - (count - first)) << first : 0;
}

uint64_t rk_csv_doubles(const uint64_t *words, const uint64_t *lens, uint32_t count, double *out)
{
    uint32_t whole = whole_fours(count);
    return doubles_of_fours(words, lens, whole, out) | bits_between(whole, count);
}

uint64_t rk_csv_integers(const uint64_t *words, const uint64_t *lens, uint32_t count, int64_t *out)
{
    uint32_t whole = whole_fours(count);
    return integers_of_fours(words, lens, whole, out) | bits_between(whole, count);
}
