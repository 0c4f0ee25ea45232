/* Design notes.
 *
 * A leaf that knows the processor turns a chunk of text into masks, a few words per 64 bytes; plain C, compiled for the
 * same processor, goes over them. Bit i of a word is byte i of its block.
 *
 * Within quotes is what the prefix sums of the quotes say, which is right when every quote that opens stands where a
 * field begins or behind one that closes (a doubled one), and every quote that closes stands before a delimiter, an end
 * of line or one that opens. The first block in which this fails is not used, and what comes before it is right. */
#include "collections/table/csv/index.h"

#include "collections/table/csv/parse.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(RK_WITHOUT_CLONES)
#    include <immintrin.h>
#    define HAVE_AVX2 1
#    define FOR_AVX2  __attribute__((target("avx2,bmi,popcnt")))
#endif
#define INLINE static inline __attribute__((always_inline))

enum { BLOCK = 64, CHUNK_BLOCKS = 64, CHUNK = BLOCK * CHUNK_BLOCKS };

typedef struct masks {
    uint64_t delimiter, newline, quote, comment;
} masks;

typedef struct state {
    const rk_csv_format *format;
    const char *text;
    size_t len;
    uint64_t inside;    /* all ones: the block begins within quotes */
    uint64_t closed;    /* 1: the byte before it is a quote that closes */
    uint64_t separated; /* 1: … a separator, or it is the beginning */
    uint64_t newlines;  /* that end records in the block before; the beginning counts as one */
    uint32_t *ends;
    bool blanks;
    rk_csv_extent extent;
} state;

static uint64_t match_word(const char *text, char c)
{
    uint64_t x = rk_load64(text) ^ (UINT64_C(0x0101010101010101) * (uint8_t)c);
    uint64_t zero = ~(((x & UINT64_C(0x7f7f7f7f7f7f7f7f)) + UINT64_C(0x7f7f7f7f7f7f7f7f)) | x |
                      UINT64_C(0x7f7f7f7f7f7f7f7f));
    return ((zero >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

static uint64_t match_block(const char *text, char c)
{
    uint64_t mask = 0;
    for (int i = 0; i < 8; i++)
        mask |= match_word(text + 8 * (size_t)i, c) << 8 * i;
    return mask;
}

static void match_plain(const rk_csv_format *f, const char *text, size_t blocks, masks *out)
{
    for (size_t i = 0; i < blocks; i++, text += BLOCK) {
        out[i].delimiter = match_block(text, f->delimiter);
        out[i].newline = match_block(text, '\n');
        out[i].quote = f->quote ? match_block(text, f->quote) : 0;
        out[i].comment = f->comment ? match_block(text, f->comment) : 0;
    }
}

/* Prefix sums modulo 2: a bit is set when an odd number of bits up to and with it is. */
INLINE uint64_t prefix_xor(uint64_t bits)
{
    for (int i = 1; i < 64; i *= 2)
        bits ^= bits << i;
    return bits;
}

/* Whether quotes that close are followed by CRLF where behind says they are by neither separator nor quote. */
INLINE bool before_line_ends(const state *s, size_t at, uint64_t behind)
{
    for (; behind; behind &= behind - 1) {
        size_t i = at + (size_t)__builtin_ctzll(behind);
        if (s->text[i] != '\r' || i + 1 >= s->len || s->text[i + 1] != '\n')
            return false;
    }
    return true;
}

/* Takes separators within quotes out of m; false when the quotes are not what this file is made for. */
INLINE bool resolve_quotes(state *s, size_t at, masks *m)
{
    uint64_t inside = prefix_xor(m->quote) ^ s->inside;
    m->delimiter &= ~inside;
    m->newline &= ~inside;
    uint64_t separators = m->delimiter | m->newline;
    uint64_t closing = m->quote & ~inside, after = closing << 1 | s->closed;
    uint64_t valid = s->len - at < BLOCK ? ((uint64_t)1 << (s->len - at)) - 1 : UINT64_MAX;
    if ((m->quote & inside & ~(separators << 1 | s->separated | after)) ||
        !before_line_ends(s, at, after & ~(m->quote | separators) & valid))
        return false;
    s->inside = (uint64_t)((int64_t)inside >> 63);
    s->closed = closing >> 63;
    s->extent.quoted = true;
    return true;
}

/* Whether a line that ends in this block is empty, with or without a CR. */
INLINE bool has_blank(const state *s, size_t at, uint64_t newlines)
{
    uint64_t two = newlines & (newlines << 2 | s->newlines >> 62);
    for (; two; two &= two - 1)
        if (s->text[at + (size_t)__builtin_ctzll(two) - 1] == '\r')
            return true;
    return newlines & (newlines << 1 | s->newlines >> 63);
}

/* Some more ends than there are, so that how many there are is seldom mispredicted. */
INLINE uint64_t write_some(uint32_t *ends, uint32_t at, uint64_t bits, int count)
{
#pragma GCC unroll 12
    for (int i = 0; i < count; i++, bits &= bits - 1)
        ends[i] = at + (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 63);
    return bits;
}

/* The places of bits; up to 12 more are written over. */
INLINE void write_ends(uint32_t *ends, uint32_t at, uint64_t bits)
{
    bits = write_some(ends, at, bits, 12);
    for (ends += 12; __builtin_expect(bits != 0, 0); ends += 8)
        bits = write_some(ends, at, bits, 8);
}

INLINE bool take_block(state *s, size_t at, masks m, bool counting)
{
    if (__builtin_expect((m.quote | s->inside | s->closed) != 0, 0) && !resolve_quotes(s, at, &m))
        return false;
    if (m.comment & (m.newline << 1 | s->newlines >> 63))
        return false;
    uint64_t separators = m.delimiter | m.newline;
    if (counting) {
        if (s->blanks && has_blank(s, at, m.newline))
            return false;
        if (m.newline)
            s->extent.bytes = at + 64 - (size_t)__builtin_clzll(m.newline);
    } else {
        write_ends(s->ends + s->extent.ends, (uint32_t)at, separators);
        s->extent.ends += (size_t)__builtin_popcountll(separators);
    }
    s->extent.newlines += (size_t)__builtin_popcountll(m.newline);
    s->separated = separators >> 63;
    s->newlines = m.newline;
    return true;
}

/* One chunk from at on; false when it was broken off. */
INLINE bool take_chunk(state *s, size_t at, masks *m, bool counting)
{
    size_t bytes = s->len - at < CHUNK ? s->len - at : CHUNK, i = 0;
    if (bytes % BLOCK) {
        uint64_t valid = ((uint64_t)1 << bytes % BLOCK) - 1;
        masks *end = &m[bytes / BLOCK];
        *end =
            (masks){end->delimiter & valid, end->newline & valid, end->quote & valid, end->comment & valid};
    }
    for (; i < bytes; i += BLOCK)
        if (!take_block(s, at + i, m[i / BLOCK], counting))
            break;
    s->extent.broken = i < bytes;
    if (!counting)
        s->extent.bytes = at + (i < bytes ? i : bytes);
    return !s->extent.broken;
}

typedef void matcher(const rk_csv_format *f, const char *text, size_t blocks, masks *out);
INLINE void run(state *s, size_t enough, bool counting, matcher *match)
{
    masks m[CHUNK_BLOCKS];
    for (size_t at = 0; at < s->len && s->extent.ends < enough; at += CHUNK) {
        size_t bytes = s->len - at < CHUNK ? s->len - at : CHUNK;
        match(s->format, s->text + at, (bytes + BLOCK - 1) / BLOCK, m);
        if (!take_chunk(s, at, m, counting))
            return;
    }
}

#ifdef HAVE_AVX2
FOR_AVX2 static inline uint64_t match_avx2(__m256i a, __m256i b, __m256i c)
{
    uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, c));
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, c)) << 32 | low;
}

FOR_AVX2 static void match_all_avx2(const rk_csv_format *f, const char *text, size_t blocks, masks *out)
{
    __m256i delimiter = _mm256_set1_epi8(f->delimiter), newline = _mm256_set1_epi8('\n');
    __m256i quote = _mm256_set1_epi8(f->quote), comment = _mm256_set1_epi8(f->comment);
    uint64_t quotes = f->quote ? UINT64_MAX : 0;
    for (size_t i = 0; i < blocks; i++, text += BLOCK) {
        __m256i a = _mm256_loadu_si256((const __m256i *)text);
        __m256i b = _mm256_loadu_si256((const __m256i *)(text + BLOCK / 2));
        out[i].delimiter = match_avx2(a, b, delimiter);
        out[i].newline = match_avx2(a, b, newline);
        out[i].quote = match_avx2(a, b, quote) & quotes;
        out[i].comment = f->comment ? match_avx2(a, b, comment) : 0;
    }
}

FOR_AVX2 static void index_avx2(state *s, size_t enough)
{
    run(s, enough, false, match_all_avx2);
}

/* Counts from at on, where no quote is open, as long as whole blocks have no quote and no line in them that may be empty: to where
 * that was so. */
FOR_AVX2 static size_t count_plain_avx2(state *s, size_t at)
{
    __m256i newline = _mm256_set1_epi8('\n'),
            quote = _mm256_set1_epi8(s->format->quote ? s->format->quote : '\n');
    uint64_t before = s->newlines, lines = 0, wanted = s->format->quote ? UINT64_MAX : 0;
    uint64_t blanks = s->blanks ? UINT64_MAX : 0;
    size_t begin = at;
    for (; at + BLOCK <= s->len; at += BLOCK) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(s->text + at));
        __m256i b = _mm256_loadu_si256((const __m256i *)(s->text + at + BLOCK / 2));
        __m256i quotes = _mm256_or_si256(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote));
        uint64_t ends = match_avx2(a, b, newline);
        uint64_t near = ends & (ends << 1 | ends << 2 | before >> 63 | before >> 62);
        if (((uint32_t)_mm256_movemask_epi8(quotes) & wanted) | (near & blanks))
            break;
        lines += (uint64_t)__builtin_popcountll(ends);
        before = ends;
    }
    s->newlines = before;
    s->extent.newlines += lines;
    if (at > begin)
        s->separated = s->text[at - 1] == '\n' || s->text[at - 1] == s->format->delimiter;
    if (lines)
        s->extent.bytes = (size_t)((const char *)memrchr(s->text, '\n', at) - s->text) + 1;
    return at;
}

FOR_AVX2 static void count_avx2(state *s)
{
    masks m[CHUNK_BLOCKS];
    for (size_t at = 0; at < s->len; at += CHUNK) {
        if (!s->inside && !s->closed && !s->format->comment)
            at = count_plain_avx2(s, at);
        size_t bytes = s->len - at < CHUNK ? s->len - at : CHUNK;
        match_all_avx2(s->format, s->text + at, (bytes + BLOCK - 1) / BLOCK, m);
        if (!take_chunk(s, at, m, true))
            return;
    }
}

FOR_AVX2 static uint64_t newlines_avx2(const char *text, size_t blocks)
{
    uint64_t count = 0;
    __m256i newline = _mm256_set1_epi8('\n');
    for (size_t i = 0; i < blocks; i++, text += BLOCK)
        count += (uint64_t)__builtin_popcountll(
            match_avx2(_mm256_loadu_si256((const __m256i *)text),
                       _mm256_loadu_si256((const __m256i *)(text + BLOCK / 2)), newline));
    return count;
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}
#endif

static uint64_t newlines_plain(const char *text, size_t blocks)
{
    uint64_t count = 0;
    for (size_t i = 0; i < blocks * BLOCK; i++)
        count += text[i] == '\n';
    return count;
}

static state begin(const rk_csv_format *format, const char *text, size_t len)
{
    return (state){.format = format, .text = text, .len = len, .separated = 1, .newlines = (uint64_t)1 << 63};
}

rk_csv_extent rk_csv_index(const rk_csv_format *format, const char *text, size_t len, uint32_t *ends,
                           size_t enough)
{
    state s = begin(format, text, len);
    s.ends = ends;
#ifdef HAVE_AVX2
    if (has_avx2()) {
        index_avx2(&s, enough);
        return s.extent;
    }
#endif
    run(&s, enough, false, match_plain);
    return s.extent;
}

rk_csv_extent rk_csv_index_count(const rk_csv_format *format, const char *text, size_t len, bool blanks)
{
    state s = begin(format, text, len);
    s.blanks = blanks;
#ifdef HAVE_AVX2
    if (has_avx2()) {
        count_avx2(&s);
        return s.extent;
    }
#endif
    run(&s, SIZE_MAX, true, match_plain);
    return s.extent;
}

uint64_t rk_csv_newlines(const char *text, size_t len)
{
    size_t blocks = len / BLOCK;
    uint64_t count = 0;
    for (size_t i = blocks * BLOCK; i < len; i++)
        count += text[i] == '\n';
#ifdef HAVE_AVX2
    if (has_avx2())
        return count + newlines_avx2(text, blocks);
#endif
    return count + newlines_plain(text, blocks);
}
