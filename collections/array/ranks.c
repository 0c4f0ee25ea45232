#include "collections/array/ranks.h"

#include "collections/array/keys.h"

#include <math.h>
#include <string.h>

/* An element as all it may be. */
typedef struct number {
    double real;
    uint64_t bits; /* of integers */
    float single;  /* of f32 */
} number;

static number number_of(rask_dtype dtype, uint64_t key)
{
    number n = {0};
    uint32_t narrow = (uint32_t)key;
    union {
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        float f32;
        double f64;
    } as;
    rk_keys_back(dtype, 1, rk_key_width(dtype) == 4 ? (const void *)&narrow : &key, &as);
    switch (dtype) {
    case RASK_DT_I8: n.real = (double)(int64_t)(n.bits = (uint64_t)as.i8); break;
    case RASK_DT_I16: n.real = (double)(int64_t)(n.bits = (uint64_t)as.i16); break;
    case RASK_DT_I32: n.real = (double)(int64_t)(n.bits = (uint64_t)as.i32); break;
    case RASK_DT_I64: n.real = (double)(int64_t)(n.bits = (uint64_t)as.i64); break;
    case RASK_DT_U16: n.real = (double)(n.bits = as.u16); break;
    case RASK_DT_U32: n.real = (double)(n.bits = as.u32); break;
    case RASK_DT_U64: n.real = (double)(n.bits = as.u64); break;
    case RASK_DT_F32: n.real = n.single = as.f32; break;
    case RASK_DT_F64: n.real = as.f64; break;
    default: n.real = (double)(n.bits = as.u8); /* bool, too */
    }
    return n;
}

/* b - a, in the elements' own kind of number. */
static double difference(rask_dtype dtype, const number *a, const number *b)
{
    if (dtype == RASK_DT_F32)
        return b->single - a->single;
    return dtype == RASK_DT_F64 ? b->real - a->real : (double)(b->bits - a->bits);
}

static double position(const rk_ranks *r, int64_t i, int64_t n)
{
    return (double)(n - 1) * r->q[i];
}

void rk_ranks_of(const rk_ranks *r, int64_t i, int64_t n, int64_t *low, int64_t *high)
{
    if (r->median) {
        *low = (n - 1) / 2;
        *high = n / 2;
        return;
    }
    double at = position(r, i, n);
    *low = at >= (double)(n - 1) ? n - 1 : (int64_t)floor(at);
    *high = *low < n - 1 ? *low + 1 : n - 1;
}

static double interpolate(const rk_ranks *r, double t, const number *a, const number *b)
{
    double difference_b_a = difference((rask_dtype)r->dtype, a, b);
    if (t == 0 || a->real == b->real)
        return a->real;
    return t >= 0.5 ? b->real - difference_b_a * (1 - t) : a->real + difference_b_a * t;
}

void rk_ranks_result(const rk_ranks *r, int64_t i, int64_t n, uint64_t low_key, uint64_t high_key, void *out)
{
    rask_dtype dtype = (rask_dtype)r->dtype;
    number a = number_of(dtype, low_key), b = number_of(dtype, high_key);
    int64_t low, high;
    double result;
    rk_ranks_of(r, i, n, &low, &high);
    if (r->median && dtype == RASK_DT_F32) {
        float mean = low == high ? a.single : (a.single + b.single) / 2;
        memcpy(out, &mean, sizeof mean);
        return;
    }
    if (r->median)
        result = low == high ? a.real : (a.real + b.real) / 2;
    else
        result = interpolate(r, position(r, i, n) - (double)low, &a, &b);
    memcpy(out, &result, sizeof result);
}

void rk_ranks_nan(const rk_ranks *r, void *out)
{
    double wide = NAN;
    float narrow = NAN;
    if (rk_ranks_dtype(r->median, (rask_dtype)r->dtype) == RASK_DT_F32)
        memcpy(out, &narrow, sizeof narrow);
    else
        memcpy(out, &wide, sizeof wide);
}
