/* Random numbers by counting.
 *
 * The words of element i are half of a Philox block: the block number i / 2, whose half i % 2 is. So a run of elements
 * is a run of blocks, made LANES at a time in loops that compilers vectorise, and an element has the same words wherever
 * a run begins. A block's counter is
 *   0, 1   i / 2, low word first
 *   2      the attempt: 0, and for integers that were rejected 1, 2, …
 *   3      what the numbers are for, so that arrays of different kinds with one seed have nothing in common
 * and its key is the seed.
 *
 * Philox: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 * Normal quantiles: M. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics
 * 37 (1988), PPND16, whose relative error is about 1e-16.
 * Integers: D. Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019). */
#include "collections/array/fill.h"

#include "collections/array/kernels/kernel.h"
#include "collections/array/view.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LANES = 32, ROUNDS = 10 };
enum { FOR_UNIFORM, FOR_NORMAL, FOR_INTEGERS };

static const uint32_t multipliers[2] = {0xD2511F53, 0xCD9E8D57}, weyl[2] = {0x9E3779B9, 0xBB67AE85};

typedef struct blocks {
    uint32_t word[4][LANES];
} blocks;

/* One round of every lane. */
RK_INLINE void philox_round(blocks *b, uint32_t key0, uint32_t key1)
{
    RK_LOOP
    for (int i = 0; i < LANES; i++) {
        uint64_t first = (uint64_t)multipliers[0] * b->word[0][i],
                 second = (uint64_t)multipliers[1] * b->word[2][i];
        uint32_t x1 = b->word[1][i], x3 = b->word[3][i];
        b->word[0][i] = (uint32_t)(second >> 32) ^ x1 ^ key0;
        b->word[1][i] = (uint32_t)second;
        b->word[2][i] = (uint32_t)(first >> 32) ^ x3 ^ key1;
        b->word[3][i] = (uint32_t)first;
    }
}

RK_INLINE void philox(blocks *b, const uint32_t key[2])
{
    uint32_t key0 = key[0], key1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        philox_round(b, key0, key1);
        key0 += weyl[0];
        key1 += weyl[1];
    }
}

/* The 2 LANES words of 64 bits of LANES blocks from number first on. */
RK_KERNEL static void draw(uint64_t seed, uint32_t purpose, uint64_t first, uint64_t *words)
{
    blocks b;
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (int i = 0; i < LANES; i++) {
        b.word[0][i] = (uint32_t)(first + (uint64_t)i);
        b.word[1][i] = (uint32_t)((first + (uint64_t)i) >> 32);
        b.word[2][i] = 0;
        b.word[3][i] = purpose;
    }
    philox(&b, key);
    for (int i = 0; i < LANES; i++) {
        words[2 * i] = (uint64_t)b.word[1][i] << 32 | b.word[0][i];
        words[2 * i + 1] = (uint64_t)b.word[3][i] << 32 | b.word[2][i];
    }
}

void rk_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4])
{
    uint32_t x[4], key0 = key[0], key1 = key[1];
    memcpy(x, counter, sizeof x);
    for (int round = 0; round < ROUNDS; round++, key0 += weyl[0], key1 += weyl[1]) {
        uint64_t first = (uint64_t)multipliers[0] * x[0], second = (uint64_t)multipliers[1] * x[2];
        uint32_t x1 = x[1], x3 = x[3];
        x[0] = (uint32_t)(second >> 32) ^ x1 ^ key0;
        x[1] = (uint32_t)second;
        x[2] = (uint32_t)(first >> 32) ^ x3 ^ key1;
        x[3] = (uint32_t)first;
    }
    memcpy(words, x, sizeof x);
}

/* The word of one element at one attempt. */
static uint64_t word_of(uint64_t seed, uint32_t purpose, uint32_t attempt, uint64_t index)
{
    const uint32_t counter[4] = {(uint32_t)(index / 2), (uint32_t)(index / 2 >> 32), attempt, purpose};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t x[4], half = 2 * (index & 1);
    rk_philox(counter, key, x);
    return (uint64_t)x[half + 1] << 32 | x[half];
}

typedef struct random_params {
    uint64_t seed;
    union {
        struct {
            double low, scale, below; /* below: the largest number less than high */
        } uniform;
        struct {
            double mean, deviation;
        } normal;
        struct {
            int64_t low;
            uint64_t range, reject; /* words whose product with range has its lower half below reject are */
        } integers;
    } as;
} random_params;

/* Turns n words into elements; index: of the first, for those that need another attempt. */
typedef void (*transform)(const random_params *p, size_t n, uint64_t index, const uint64_t *words, void *out);

/* count elements of 8 bytes from index on. */
static void fill_by(transform make, uint32_t purpose, const random_params *p, uint64_t index, size_t count,
                    char *out)
{
    uint64_t words[2 * LANES];
    if (count == 1) { /* a column of a large array is made so */
        words[0] = word_of(p->seed, purpose, 0, index);
        make(p, 1, index, words, out);
        return;
    }
    while (count) {
        size_t skip = index & 1, n = 2 * LANES - skip < count ? 2 * LANES - skip : count;
        draw(p->seed, purpose, index / 2, words);
        make(p, n, index, words + skip, out);
        index += n;
        count -= n;
        out += n * 8;
    }
}

/* In [0, 1), a multiple of 2^-53. Written by way of two halves, which all machines convert in vectors. */
RK_INLINE double unit(uint64_t word)
{
    uint64_t bits = word >> 11;
    double high = (double)(int32_t)(bits >> 27), low = (double)(int32_t)(bits & 0x7ffffff);
    return (high * 0x1p27 + low) * 0x1p-53;
}

RK_KERNEL static void make_uniform(const random_params *p, size_t n, uint64_t index, const uint64_t *words,
                                   void *out)
{
    double *to = out, low = p->as.uniform.low, scale = p->as.uniform.scale, below = p->as.uniform.below;
    (void)index;
    RK_LOOP
    for (size_t i = 0; i < n; i++) {
        double x = low + unit(words[i]) * scale;
        to[i] = x < below ? x : below; /* rounding may reach the end, which is not in */
    }
}

RK_INLINE double polynomial(const double *c, double x)
{
    double y = c[7];
    for (int i = 6; i >= 0; i--)
        y = y * x + c[i];
    return y;
}

/* Coefficients, the constant first: near the middle, in the tails, far out. */
static const double middle_over[8] = {
    3.3871328727963666080,    1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
    4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
static const double middle_under[8] = {1.0,
                                       4.2313330701600911252e+1,
                                       6.8718700749205790830e+2,
                                       5.3941960214247511077e+3,
                                       2.1213794301586595867e+4,
                                       3.9307895800092710610e+4,
                                       2.8729085735721942674e+4,
                                       5.2264952788528545610e+3};
static const double tail_over[8] = {
    1.42343711074968357734, 4.63033784615654529590,    5.76949722146069140550,    3.64784832476320460504,
    1.27045825245236838258, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4};
static const double tail_under[8] = {1.0,
                                     2.05319162663775882187,
                                     1.67638483018380384940,
                                     6.89767334985100004550e-1,
                                     1.48103976427480074590e-1,
                                     1.51986665636164571966e-2,
                                     5.47593808499534494600e-4,
                                     1.05075007164441684324e-9};
static const double far_over[8] = {6.65790464350110377720,    5.46378491116411436990,
                                   1.78482653991729133580,    2.96560571828504891230e-1,
                                   2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                   2.71155556874348757815e-5, 2.01033439929228813265e-7};
static const double far_under[8] = {1.0,
                                    5.99832206555887937690e-1,
                                    1.36929880922735805310e-1,
                                    1.48753612908506148525e-2,
                                    7.86869131145613259100e-4,
                                    1.84631831751005468180e-5,
                                    1.42151175831644588870e-7,
                                    2.04426310338993978564e-15};

/* The natural logarithm of 0 < x < 1, normal: 2 atanh((m - 1) / (m + 1)) of the mantissa m, and what its exponent adds. Our
 * own, because that of the C library has other last bits on other machines. */
RK_INLINE double logarithm(double x)
{
    static const double reciprocals[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
                                         1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
    static const double ln2_head = 0x1.62e42fefa4000p-1, /* 40 bits: its multiples are exact */
        ln2_rest = -0x1.8432a1b0e2634p-43;
    static const uint64_t root_half = 0x3fe6a09e667f3bcd; /* as bits */
    union {
        double f64;
        uint64_t bits;
    } m = {.f64 = x};
    int exponent = (int)(m.bits >> 52) - 1022;
    m.bits = (m.bits & 0xfffffffffffff) | 0x3fe0000000000000;
    bool small = m.bits < root_half;
    m.bits += small ? 0x10000000000000 : 0; /* twice as much */
    double e = exponent - small;
    double s = (m.f64 - 1) / (m.f64 + 1), z = s * s, sum = 0;
    for (int i = 10; i >= 0; i--)
        sum = (sum + reciprocals[i]) * z;
    return e * ln2_head + (2 * s + (2 * s * sum + e * ln2_rest));
}

#define MIDDLE 0.425 /* of |p - 1/2| */

RK_INLINE double middle_quantile(double q)
{
    double r = MIDDLE * MIDDLE - q * q;
    return q * polynomial(middle_over, r) / polynomial(middle_under, r);
}

/* For p <= 1/2 - MIDDLE, without the sign: r is sqrt(-log(p)). */
RK_INLINE double near_tail(double r)
{
    return polynomial(tail_over, r - 1.6) / polynomial(tail_under, r - 1.6);
}

RK_INLINE double far_tail(double r)
{
    return polynomial(far_over, r - 5) / polynomial(far_under, r - 5);
}

double rk_normal_quantile(double p)
{
    double q = p - 0.5;
    if (fabs(q) <= MIDDLE)
        return middle_quantile(q);
    double r = sqrt(-logarithm(q < 0 ? p : 1 - p)), x = r <= 5 ? near_tail(r) : far_tail(r);
    return q < 0 ? -x : x;
}

/* An odd multiple of 2^-54, less 1/2: symmetric, and never an end of (-1/2, 1/2). */
RK_INLINE double centred(uint64_t word)
{
    return (unit(word) - 0.5) + 0x1p-54;
}

/* All as if in the middle, in vectors. Returns how many are not: which, and r of their tails. */
RK_KERNEL static size_t make_middles(size_t n, const uint64_t *words, double *out, uint8_t *which, double *r)
{
    size_t tails = 0;
    RK_LOOP
    for (size_t i = 0; i < n; i++)
        out[i] = middle_quantile(centred(words[i]));
    for (size_t i = 0; i < n; i++) {
        double q = fabs(centred(words[i]));
        which[tails] = (uint8_t)i;
        r[tails] = 0.5 - q;
        tails += q > MIDDLE;
    }
    assert(tails <= n);
    RK_LOOP
    for (size_t i = 0; i < tails; i++)
        r[i] = sqrt(-logarithm(r[i]));
    return tails;
}

RK_KERNEL static void make_tails(size_t tails, const double *r, double *out)
{
    RK_LOOP
    for (size_t i = 0; i < tails; i++)
        out[i] = near_tail(r[i]);
}

RK_KERNEL static void scale_normal(size_t n, double mean, double deviation, double *out)
{
    RK_LOOP
    for (size_t i = 0; i < n; i++)
        out[i] = mean + deviation * out[i];
}

static void make_normal(const random_params *p, size_t n, uint64_t index, const uint64_t *words, void *out)
{
    double *to = out, r[2 * LANES + 1], x[2 * LANES + 1];
    uint8_t which[2 * LANES + 1];
    (void)index;
    size_t tails = make_middles(n, words, to, which, r);
    make_tails(tails, r, x);
    for (size_t i = 0; i < tails; i++) {
        double size = r[i] > 5 ? far_tail(r[i]) : x[i];
        to[which[i]] = centred(words[which[i]]) < 0 ? -size : size;
    }
    scale_normal(n, p->as.normal.mean, p->as.normal.deviation, to);
}

static void make_integers(const random_params *p, size_t n, uint64_t index, const uint64_t *words, void *out)
{
    int64_t *to = out;
    uint64_t range = p->as.integers.range, low = (uint64_t)p->as.integers.low;
    for (size_t i = 0; i < n; i++) {
        unsigned __int128 product = (unsigned __int128)words[i] * range;
        for (uint32_t attempt = 1; (uint64_t)product < p->as.integers.reject; attempt++)
            product = (unsigned __int128)word_of(p->seed, FOR_INTEGERS, attempt, index + i) * range;
        to[i] = (int64_t)(low + (uint64_t)(product >> 64));
    }
}

#define FILL(name, purpose)                                                                                  \
    static void fill_##name(const void *params, const int64_t *shape, uint32_t ndim, int64_t index,          \
                            size_t count, void *out)                                                         \
    {                                                                                                        \
        (void)shape, (void)ndim;                                                                             \
        fill_by(make_##name, purpose, params, (uint64_t)index, count, out);                                  \
    }
FILL(uniform, FOR_UNIFORM)
FILL(normal, FOR_NORMAL)
FILL(integers, FOR_INTEGERS)

static random_params params_of(uint64_t seed)
{
    random_params p;
    memset(&p, 0, sizeof p);
    p.seed = seed;
    return p;
}

static bool may_build(rask_graph *graph, uint32_t ndim, const int64_t *shape, const char *who,
                      const char *file, int line)
{
    return graph && !graph->status && rk_shape_given(graph, ndim, shape, who, file, line);
}

rask_array *rask_array_uniform_at(rask_graph *graph, uint64_t seed, double low, double high, uint32_t ndim,
                                  const int64_t *shape, const char *file, int line)
{
    static const char who[] = "rask_array_uniform";
    if (!may_build(graph, ndim, shape, who, file, line))
        return NULL;
    if (!(low < high) || !isfinite(high - low)) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: from %g to below %g", who, low, high);
        return NULL;
    }
    random_params p = params_of(seed);
    p.as.uniform.low = low;
    p.as.uniform.scale = high - low;
    p.as.uniform.below = nextafter(high, low);
    return rk_array_fill(graph, fill_uniform, &p, sizeof p, RASK_DT_F64, ndim, shape, file, line);
}

rask_array *rask_array_normal_at(rask_graph *graph, uint64_t seed, double mean, double deviation,
                                 uint32_t ndim, const int64_t *shape, const char *file, int line)
{
    static const char who[] = "rask_array_normal";
    if (!may_build(graph, ndim, shape, who, file, line))
        return NULL;
    if (!isfinite(mean) || !isfinite(deviation) || deviation < 0) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: mean %g, deviation %g", who, mean, deviation);
        return NULL;
    }
    random_params p = params_of(seed);
    p.as.normal.mean = mean;
    p.as.normal.deviation = deviation;
    return rk_array_fill(graph, fill_normal, &p, sizeof p, RASK_DT_F64, ndim, shape, file, line);
}

rask_array *rask_array_integers_at(rask_graph *graph, uint64_t seed, int64_t low, int64_t high, uint32_t ndim,
                                   const int64_t *shape, const char *file, int line)
{
    static const char who[] = "rask_array_integers";
    if (!may_build(graph, ndim, shape, who, file, line))
        return NULL;
    if (low >= high) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: from %" PRId64 " to below %" PRId64, who, low,
                      high);
        return NULL;
    }
    random_params p = params_of(seed);
    p.as.integers.low = low;
    p.as.integers.range = (uint64_t)high - (uint64_t)low;
    p.as.integers.reject = (0 - p.as.integers.range) % p.as.integers.range;
    return rk_array_fill(graph, fill_integers, &p, sizeof p, RASK_DT_I64, ndim, shape, file, line);
}
