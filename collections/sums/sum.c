/* A term is an integer of 53 bits (106 for squares) at a position. The fast path adds it to a window it is well inside
 * of. Else the window moves, when all bits set so far and the new ones fit in one, or the sum becomes wide.
 *
 * A window of squares is an integer of 192 bits in two's complement. That of a sum is limbs of 64 bits, each signed and
 * 32 bits above the one before, so that a term touches two of them and nothing is carried until one of them passes
 * 2^62 (after Neal, "Fast exact summation using small and large superaccumulators"). What has room can take one more
 * term or window without overflow. */
#include "collections/sums/sum.h"

#include <rask/base.h>

#include <assert.h>
#include <math.h>
#include <string.h>

typedef unsigned __int128 wide_word;

enum {
    WINDOW = 192,
    SLACK = 4,         /* bits of a window beyond the span it is moved for */
    NEAR = 64,         /* positions of terms that the fast path takes: the top of one is at bit 117 of 126 */
    NEAR_SQUARES = 74, /* as above, 180 of 190 */
    SPECIAL = 0x7ff,   /* exponent of infinities and NaN */
    MOST_LIMBS = RK_SUM_SQUARES_LIMBS + 3,
};

static const uint64_t hidden = (uint64_t)1 << 52;

/* A magnitude at a position, of up to three limbs. */
typedef struct number {
    uint64_t limb[3];
    int low; /* position of the lowest bit of limb[0] */
    bool negative;
} number;

void rk_sums_init(rk_sums *sums, bool squares)
{
    size_t limbs = squares ? RK_SUM_SQUARES_LIMBS : RK_SUM_LIMBS;
    *sums = (rk_sums){
        .sums = RK_ARRAY(rk_sum, UINT32_MAX),
        .wide = {.element = limbs * sizeof(uint64_t), .ceiling = UINT32_MAX},
        .squares = squares,
    };
}

void rk_sums_fini(rk_sums *sums)
{
    rk_array_fini(&sums->sums);
    rk_array_fini(&sums->wide);
}

uint32_t rk_sums_limbs(const rk_sums *sums)
{
    return sums->squares ? RK_SUM_SQUARES_LIMBS : RK_SUM_LIMBS;
}

int rk_sums_resize(rk_sums *sums, size_t count)
{
    size_t had = sums->sums.count;
    assert(count >= had);
    int status = rk_array_reserve(&sums->sums, count - had);
    if (status)
        return status;
    sums->sums.count = count;
    rk_sum *s = sums->sums.data;
    for (size_t i = had; i < count; i++)
        s[i] = (rk_sum){.base = RK_SUM_EMPTY};
    return RASK_OK;
}

const uint64_t *rk_sums_wide(const rk_sums *sums, const rk_sum *sum)
{
    return sum->wide ? (const uint64_t *)sums->wide.data + (size_t)(sum->wide - 1) * rk_sums_limbs(sums)
                     : NULL;
}

static int highest_base(const rk_sums *sums)
{
    return sums->squares ? 2 * SPECIAL - 1 - NEAR_SQUARES : SPECIAL - NEAR; /* infinities are never near */
}

/* Integers of n limbs. */

static void shift_left(uint64_t *limb, int n, int bits)
{
    int whole = bits / 64, rest = bits % 64;
    for (int i = n - 1; i >= 0; i--) {
        uint64_t high = i >= whole ? limb[i - whole] << rest : 0;
        uint64_t low = i > whole ? limb[i - whole - 1] >> 1 >> (63 - rest) : 0;
        limb[i] = high | low;
    }
}

static void shift_right(uint64_t *limb, int n, int bits)
{
    int whole = bits / 64, rest = bits % 64;
    for (int i = 0; i < n; i++) {
        uint64_t low = i + whole < n ? limb[i + whole] >> rest : 0;
        uint64_t high = i + whole + 1 < n ? limb[i + whole + 1] << 1 << (63 - rest) : 0;
        limb[i] = high | low;
    }
}

static void negate(uint64_t *limb, int n)
{
    bool carry = true;
    for (int i = 0; i < n; i++) {
        limb[i] = ~limb[i] + carry;
        carry = carry && !limb[i];
    }
}

/* a += b * 2^(64 * at), or -= when minus; both of two's complement, but b is not negative. */
static void add_limbs(uint64_t *a, int n, const uint64_t *b, int count, int at, bool minus)
{
    uint64_t carry = minus;
    for (int i = at; i < n && (i < at + count || carry != minus); i++) {
        uint64_t term = i < at + count ? b[i - at] : 0;
        wide_word t = (wide_word)a[i] + (minus ? ~term : term) + carry;
        a[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
}

/* Bits up to the highest set one. */
static int bit_length(const uint64_t *limb, int n)
{
    for (int i = n - 1; i >= 0; i--)
        if (limb[i])
            return 64 * i + 64 - __builtin_clzll(limb[i]);
    return 0;
}

static int trailing_zeros(const uint64_t *limb, int n)
{
    for (int i = 0; i < n; i++)
        if (limb[i])
            return 64 * i + __builtin_ctzll(limb[i]);
    return 64 * n;
}

/* Windows. */

static int span(const rk_sums *sums)
{
    return sums->squares ? 176 : 112;
}

static inline bool is_small(uint64_t limb)
{
    return limb + ((uint64_t)1 << 62) < (uint64_t)1 << 63;
}

static bool has_room(const rk_sums *sums, const rk_sum *s)
{
    return is_small(s->limb[2]) && (sums->squares || (is_small(s->limb[0]) && is_small(s->limb[1])));
}

/* Adds a window of squares. */
static inline void add_carrying(rk_sum *s, uint64_t l0, uint64_t l1, uint64_t l2)
{
    uint64_t t, carry = __builtin_add_overflow(s->limb[0], l0, &s->limb[0]);
    uint64_t more = __builtin_add_overflow(s->limb[1], l1, &t);
    more += __builtin_add_overflow(t, carry, &s->limb[1]);
    s->limb[2] += l2 + more;
}

static void add_window(const rk_sums *sums, rk_sum *s, const rk_sum *term)
{
    if (sums->squares) {
        add_carrying(s, term->limb[0], term->limb[1], term->limb[2]);
        return;
    }
    for (int i = 0; i < 3; i++)
        s->limb[i] += term->limb[i];
}

/* The low bits without 1s move into low; false for 0. */
static bool normalise(number *x)
{
    int zeros = trailing_zeros(x->limb, 3);
    if (zeros == WINDOW)
        return false;
    shift_right(x->limb, 3, zeros);
    x->low += zeros;
    return true;
}

/* The limbs of a sum, each signed and 32 bits above the one before, as one integer. */
static void carry_limbs(const uint64_t *from, uint64_t *limb)
{
    __int128 low = (__int128)(int64_t)from[0] + (int64_t)from[1] * ((__int128)1 << 32);
    __int128 high = (int64_t)from[2] + (low >> 64);
    limb[0] = (uint64_t)low;
    limb[1] = (uint64_t)high;
    limb[2] = (uint64_t)(high >> 64);
}

static number window_number(const rk_sums *sums, const rk_sum *s)
{
    number x = {.low = s->base};
    if (sums->squares)
        memcpy(x.limb, s->limb, sizeof x.limb);
    else
        carry_limbs(s->limb, x.limb);
    x.negative = x.limb[2] >> 63;
    if (x.negative)
        negate(x.limb, 3);
    return x;
}

/* The window becomes that of x, shifted to base, which it fits. */
static void put_number(const rk_sums *sums, rk_sum *s, number x, int base)
{
    s->base = (int16_t)base;
    shift_left(x.limb, 3, x.low - base);
    if (x.negative)
        negate(x.limb, 3);
    memcpy(s->limb, x.limb, sizeof s->limb);
    if (!sums->squares) {
        s->limb[2] = x.limb[1];
        s->limb[1] = x.limb[0] >> 32;
        s->limb[0] = x.limb[0] & UINT32_MAX;
    }
}

/* Whether a number with bits from low to high can be added; carries first. */
static bool makes_room(const rk_sums *sums, rk_sum *s, int low, int high)
{
    put_number(sums, s, window_number(sums, s), s->base);
    return has_room(sums, s) && low >= s->base && high <= s->base + span(sums) + SLACK;
}

/* Moves the window so that it holds the bits from low to high as well; false when there is no such window. */
static bool move_window(const rk_sums *sums, rk_sum *s, int low, int high)
{
    number x = window_number(sums, s);
    bool empty = !normalise(&x);
    if (!empty) {
        int own = x.low + bit_length(x.limb, 3);
        low = low < x.low ? low : x.low;
        high = high > own ? high : own;
    }
    int free_bits = span(sums) - (high - low), base = low - free_bits / 2, highest = highest_base(sums);
    base = base < 1 ? 1 : base > highest ? highest : base;
    if (free_bits < 0 || high > base + span(sums) + SLACK)
        return false;
    if (empty)
        x.low = base;
    put_number(sums, s, x, base);
    return true;
}

/* Adds a number to the wide sum w, of n limbs. */
static void add_wide(uint64_t *w, int n, const number *x)
{
    uint64_t limb[4] = {x->limb[0], x->limb[1], x->limb[2], 0};
    shift_left(limb, 4, (x->low - 1) % 64);
    add_limbs(w, n, limb, 4, (x->low - 1) / 64, x->negative);
}

static int widen(rk_sums *sums, rk_sum *s)
{
    uint64_t *w = rk_array_push(&sums->wide);
    if (!w)
        return sums->wide.count == sums->wide.ceiling ? RASK_ELIMIT : RASK_ENOMEM;
    memset(w, 0, sums->wide.element);
    if (s->base != RK_SUM_EMPTY) {
        number x = window_number(sums, s);
        add_wide(w, (int)rk_sums_limbs(sums), &x);
    }
    *s = (rk_sum){.base = RK_SUM_EMPTY, .specials = s->specials, .wide = (uint32_t)sums->wide.count};
    return RASK_OK;
}

/* Adds a number other than 0, wherever it is. */
static int add_number(rk_sums *sums, rk_sum *s, number x)
{
    normalise(&x);
    int high = x.low + bit_length(x.limb, 3);
    if (!s->wide && s->base != RK_SUM_EMPTY &&
        (makes_room(sums, s, x.low, high) || move_window(sums, s, x.low, high))) {
        rk_sum term;
        put_number(sums, &term, x, s->base);
        add_window(sums, s, &term);
        return RASK_OK;
    }
    int status = s->wide ? RASK_OK : widen(sums, s);
    if (!status)
        add_wide((uint64_t *)rk_sums_wide(sums, s), (int)rk_sums_limbs(sums), &x);
    return status;
}

/* Where a first term with this exponent is near the middle; equal for exponents that are close. */
static int first_base(const rk_sums *sums, int position)
{
    int base = sums->squares ? (position - 30) & ~15 : (position - 24) & ~15, highest = highest_base(sums);
    return base < 1 ? 1 : base > highest ? highest : base;
}

static int add_far(rk_sums *sums, rk_sum *s, uint64_t bits)
{
    uint64_t m = bits & (hidden - 1);
    int exponent = (int)(bits >> 52 & SPECIAL);
    bool negative = bits >> 63 && !sums->squares;
    if (exponent == SPECIAL) {
        s->specials |= m ? RK_SUM_NAN : negative ? RK_SUM_MINUS : RK_SUM_PLUS;
        return RASK_OK;
    }
    if (exponent)
        m |= hidden;
    else
        exponent = 1;
    if (!m)
        return RASK_OK;
    wide_word product = (wide_word)m * (sums->squares ? m : 1);
    int position = sums->squares ? 2 * exponent - 1 : exponent;
    number x = {
        .limb = {(uint64_t)product, (uint64_t)(product >> 64)}, .low = position, .negative = negative};
    if (s->base == RK_SUM_EMPTY && !s->wide)
        s->base = (int16_t)first_base(sums, position);
    return add_number(sums, s, x);
}

/* Adds the term when it is well inside the window; else returns false. */
static inline bool add_near(rk_sum *s, uint64_t bits)
{
    unsigned at = (unsigned)(bits >> 52 & SPECIAL) - (unsigned)s->base, shift = at % 32;
    if (__builtin_expect(at >= NEAR, 0))
        return false;
    int64_t sign = (int64_t)bits >> 63, m = ((int64_t)((bits & (hidden - 1)) | hidden) ^ sign) - sign;
    uint64_t *limb = &s->limb[at / 32];
    uint64_t low = limb[0] + ((uint32_t)m << shift), high = limb[1] + (uint64_t)(m >> (32 - shift));
    const uint64_t small = (uint64_t)1 << 62;
    if (__builtin_expect(((low + small) | (high + small)) >> 63, 0))
        return false;
    limb[0] = low;
    limb[1] = high;
    return true;
}

static inline bool add_square_near(rk_sum *s, uint64_t bits)
{
    unsigned at = 2 * (unsigned)(bits >> 52 & SPECIAL) - 1 - (unsigned)s->base, shift = at % 64;
    if (__builtin_expect(at >= NEAR_SQUARES || !is_small(s->limb[2]), 0))
        return false;
    uint64_t m = (bits & (hidden - 1)) | hidden, up = -(uint64_t)(at / 64);
    wide_word square = (wide_word)m * m;
    uint64_t low = (uint64_t)square, high = (uint64_t)(square >> 64);
    uint64_t l0 = low << shift, l1 = high << shift | low >> 1 >> (63 - shift), l2 = high >> 1 >> (63 - shift);
    add_carrying(s, l0 & ~up, (l1 & ~up) | (l0 & up), (l2 & ~up) | (l1 & up));
    return true;
}

static inline __attribute__((always_inline)) int add_all(rk_sums *sums, const uint32_t *groups,
                                                         const double *x, const uint8_t *valid, uint32_t rows,
                                                         bool squares)
{
    rk_sum *s = sums->sums.data;
    int status = RASK_OK;
    for (uint32_t i = 0; i < rows && !status; i++) {
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        if (valid && !valid[i])
            continue;
        if (!(squares ? add_square_near(&s[groups[i]], bits) : add_near(&s[groups[i]], bits)))
            status = add_far(sums, &s[groups[i]], bits);
    }
    return status;
}

int rk_sums_add(rk_sums *sums, const uint32_t *groups, const double *x, const uint8_t *valid, uint32_t rows)
{
    if (sums->squares)
        return add_all(sums, groups, x, valid, rows, true);
    return valid ? add_all(sums, groups, x, valid, rows, false) : add_all(sums, groups, x, NULL, rows, false);
}

int rk_sums_merge(rk_sums *sums, size_t i, const rk_sum *from, const uint64_t *wide)
{
    rk_sum *s = (rk_sum *)sums->sums.data + i;
    s->specials |= from->specials;
    if (from->wide) {
        int status = s->wide ? RASK_OK : widen(sums, s), n = (int)rk_sums_limbs(sums);
        if (!status)
            add_limbs((uint64_t *)rk_sums_wide(sums, s), n, wide, n, 0, false);
        return status;
    }
    if (from->base == RK_SUM_EMPTY)
        return RASK_OK;
    if (!s->wide && s->base == from->base && has_room(sums, s) && has_room(sums, from)) {
        add_window(sums, s, from);
        return RASK_OK;
    }
    number x = window_number(sums, from);
    if (!bit_length(x.limb, 3))
        return RASK_OK;
    if (!s->wide && s->base == RK_SUM_EMPTY)
        s->base = from->base;
    return add_number(sums, s, x);
}

/* Results. */

/* The magnitude as n limbs from position 1 on; true when it is negative. */
static bool magnitude(const rk_sums *sums, const rk_sum *s, uint64_t *limb, int n)
{
    const uint64_t *wide = rk_sums_wide(sums, s);
    int own = (int)rk_sums_limbs(sums);
    memset(limb, 0, (size_t)n * sizeof *limb);
    if (!wide) {
        if (s->base == RK_SUM_EMPTY)
            return false;
        number x = window_number(sums, s);
        bool negative = x.negative;
        x.negative = false;
        add_wide(limb, n, &x);
        return negative;
    }
    memcpy(limb, wide, (size_t)own * sizeof *limb);
    bool negative = wide[own - 1] >> 63;
    if (negative)
        negate(limb, own);
    return negative;
}

/* The 53 highest bits, rounded to even, times 2^*exponent. */
static double leading_bits(uint64_t *limb, int n, int *exponent)
{
    int drop = bit_length(limb, n) - 53;
    *exponent = drop > 0 ? drop : 0;
    if (drop <= 0)
        return (double)limb[0];
    bool half = limb[(drop - 1) / 64] >> ((drop - 1) % 64) & 1, more = trailing_zeros(limb, n) < drop - 1;
    shift_right(limb, n, drop);
    return (double)(limb[0] + (half && (more || limb[0] & 1)));
}

double rk_sums_get(const rk_sums *sums, size_t i)
{
    const rk_sum *s = (const rk_sum *)sums->sums.data + i;
    uint64_t limb[RK_SUM_LIMBS + 2];
    int exponent;
    if (s->specials)
        return s->specials == RK_SUM_PLUS ? INFINITY : s->specials == RK_SUM_MINUS ? -INFINITY : (double)NAN;
    bool negative = magnitude(sums, s, limb, RK_SUM_LIMBS + 2);
    double sum = leading_bits(limb, RK_SUM_LIMBS + 2, &exponent);
    sum = ldexp(sum, exponent - 1074);
    return negative ? -sum : sum;
}

/* a -= b * b, where b has count limbs and a is large enough. */
static void subtract_square(uint64_t *a, int n, const uint64_t *b, int count)
{
    for (int i = 0; i < count; i++) {
        for (int k = 0; b[i] && k < count; k++) {
            wide_word product = (wide_word)b[i] * b[k];
            uint64_t term[2] = {(uint64_t)product, (uint64_t)(product >> 64)};
            if (product)
                add_limbs(a, n, term, 2, i + k, true);
        }
    }
}

double rk_sums_variance(const rk_sums *sums, const rk_sums *squares, size_t i, uint64_t n)
{
    const rk_sum *s = (const rk_sum *)sums->sums.data + i, *q = (const rk_sum *)squares->sums.data + i;
    uint64_t sum[RK_SUM_LIMBS + 2], limb[MOST_LIMBS], carry = 0;
    int exponent;
    if (s->specials || q->specials)
        return (double)NAN;
    magnitude(sums, s, sum, RK_SUM_LIMBS + 2);
    magnitude(squares, q, limb, MOST_LIMBS);
    for (int k = 0; k < MOST_LIMBS; k++) {
        wide_word t = (wide_word)limb[k] * n + carry;
        limb[k] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
    subtract_square(limb, MOST_LIMBS, sum, RK_SUM_LIMBS);
    double difference = leading_bits(limb, MOST_LIMBS, &exponent);
    return ldexp(difference / ((double)n * (double)(n - 1)), exponent - 2148);
}
