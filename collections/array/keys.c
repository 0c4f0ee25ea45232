#include "collections/array/keys.h"

#include <assert.h>
#include <string.h>

#define KEY      uint32_t
#define FN(name) name##_32
#include "collections/array/keys_sorting.h"
#undef KEY
#undef FN
#define KEY      uint64_t
#define FN(name) name##_64
#include "collections/array/keys_sorting.h"
#undef KEY
#undef FN
#define KEY      rk_u128
#define FN(name) name##_128
#include "collections/array/keys_sorting.h"
#undef KEY
#undef FN

/* What complex numbers with NaN are in their upper half, after all others (whose upper half is a real part). */
enum { NAN_IN_IMAG = 1, NAN_IN_REAL = 2, NAN_IN_BOTH = 3 };

size_t rk_key_width(rask_dtype dtype)
{
    size_t size = rask_dtype_size(dtype);
    return size < 4 ? 4 : size;
}

rask_dtype rk_key_dtype(rask_dtype dtype)
{
    size_t width = rk_key_width(dtype);
    return width == 4 ? RASK_DT_U32 : width == 8 ? RASK_DT_U64 : RASK_DT_C128;
}

uint32_t rk_key_bits(rask_dtype dtype)
{
    return (uint32_t)rask_dtype_size(dtype) * 8;
}

#define NAN_32 0xffc00000u
#define NAN_64 0xfff8000000000000u

uint64_t rk_key_nan(rask_dtype dtype)
{
    switch (dtype) {
    case RASK_DT_F32: return NAN_32;
    case RASK_DT_F64: return NAN_64;
    case RASK_DT_C64: return ((uint64_t)NAN_32 + NAN_IN_IMAG) << 32;
    default: return UINT64_MAX >> (64 - rk_key_bits(dtype));
    }
}

static inline uint32_t key_of_f32(float f, bool one_zero)
{
    uint32_t bits;
    if (one_zero)
        f += 0.0f; /* -0 + 0 is +0 */
    memcpy(&bits, &f, sizeof bits);
    bits ^= (uint32_t)((int32_t)bits >> 31) | 0x80000000u;
    return f != f ? NAN_32 : bits;
}

static inline uint64_t key_of_f64(double f, bool one_zero)
{
    uint64_t bits;
    if (one_zero)
        f += 0.0;
    memcpy(&bits, &f, sizeof bits);
    bits ^= (uint64_t)((int64_t)bits >> 63) | 0x8000000000000000u;
    return f != f ? NAN_64 : bits;
}

static inline float f32_of_key(uint32_t key)
{
    float f;
    key ^= key >> 31 ? 0x80000000u : UINT32_MAX;
    memcpy(&f, &key, sizeof f);
    return f;
}

static inline double f64_of_key(uint64_t key)
{
    double f;
    key ^= key >> 63 ? 0x8000000000000000u : UINT64_MAX;
    memcpy(&f, &key, sizeof f);
    return f;
}

/* Halves of a complex key by which of them are NaN; at: the part that still tells them apart. */
static inline int nan_kind(bool real, bool imag)
{
    return (real ? NAN_IN_REAL : 0) + (imag ? NAN_IN_IMAG : 0);
}

static void make_c64(size_t n, const float *in, bool one_zero, uint64_t *keys)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t re = key_of_f32(in[2 * i], true), im = key_of_f32(in[2 * i + 1], one_zero);
        uint32_t kind = (uint32_t)nan_kind(re == NAN_32, im == NAN_32);
        uint32_t low = kind == NAN_IN_IMAG ? re : im;
        keys[i] = (uint64_t)(kind ? NAN_32 + kind : re) << 32 | low;
    }
}

static void make_c128(size_t n, const double *in, bool one_zero, rk_u128 *keys)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t re = key_of_f64(in[2 * i], true), im = key_of_f64(in[2 * i + 1], one_zero);
        uint64_t kind = (uint64_t)nan_kind(re == NAN_64, im == NAN_64);
        uint64_t low = kind == NAN_IN_IMAG ? re : im;
        keys[i] = (rk_u128)(kind ? NAN_64 + kind : re) << 64 | low;
    }
}

static void back_c64(size_t n, const uint64_t *keys, float *out)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t re = (uint32_t)(keys[i] >> 32), im = (uint32_t)keys[i];
        if (re == NAN_32 + NAN_IN_IMAG) {
            re = im;
            im = NAN_32;
        } else if (re > NAN_32)
            re = NAN_32;
        out[2 * i] = f32_of_key(re);
        out[2 * i + 1] = f32_of_key(im);
    }
}

static void back_c128(size_t n, const rk_u128 *keys, double *out)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t re = (uint64_t)(keys[i] >> 64), im = (uint64_t)keys[i];
        if (re == NAN_64 + NAN_IN_IMAG) {
            re = im;
            im = NAN_64;
        } else if (re > NAN_64)
            re = NAN_64;
        out[2 * i] = f64_of_key(re);
        out[2 * i + 1] = f64_of_key(im);
    }
}

/* Integers: the sign bit turned around, as a key of one width. */
#define INTEGER_KEYS(name, type, key_type, sign)                                                             \
    static void make_##name(size_t n, const type *in, key_type *keys)                                        \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++)                                                                       \
            keys[i] = (type)(in[i] ^ (type)(sign));                                                          \
    }                                                                                                        \
    static void back_##name(size_t n, const key_type *keys, type *out)                                       \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++)                                                                       \
            out[i] = (type)((type)keys[i] ^ (type)(sign));                                                   \
    }
INTEGER_KEYS(i8, uint8_t, uint32_t, 0x80)
INTEGER_KEYS(i16, uint16_t, uint32_t, 0x8000)
INTEGER_KEYS(i32, uint32_t, uint32_t, 0x80000000)
INTEGER_KEYS(i64, uint64_t, uint64_t, 0x8000000000000000)
INTEGER_KEYS(u8, uint8_t, uint32_t, 0)
INTEGER_KEYS(u16, uint16_t, uint32_t, 0)

static void make_f32(size_t n, const float *in, bool one_zero, uint32_t *keys)
{
    for (size_t i = 0; i < n; i++)
        keys[i] = key_of_f32(in[i], one_zero);
}

static void make_f64(size_t n, const double *in, bool one_zero, uint64_t *keys)
{
    for (size_t i = 0; i < n; i++)
        keys[i] = key_of_f64(in[i], one_zero);
}

static void back_f32(size_t n, const uint32_t *keys, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = f32_of_key(keys[i]);
}

static void back_f64(size_t n, const uint64_t *keys, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = f64_of_key(keys[i]);
}

void rk_keys_make(rask_dtype dtype, size_t n, const void *in, bool one_zero, void *keys)
{
    switch (dtype) {
    case RASK_DT_BOOL:
    case RASK_DT_U8: make_u8(n, in, keys); break;
    case RASK_DT_I8: make_i8(n, in, keys); break;
    case RASK_DT_I16: make_i16(n, in, keys); break;
    case RASK_DT_U16: make_u16(n, in, keys); break;
    case RASK_DT_I32: make_i32(n, in, keys); break;
    case RASK_DT_I64: make_i64(n, in, keys); break;
    case RASK_DT_U32:
    case RASK_DT_U64: memcpy(keys, in, n * rask_dtype_size(dtype)); break;
    case RASK_DT_F32: make_f32(n, in, one_zero, keys); break;
    case RASK_DT_F64: make_f64(n, in, one_zero, keys); break;
    case RASK_DT_C64: make_c64(n, in, one_zero, keys); break;
    case RASK_DT_C128: make_c128(n, in, one_zero, keys); break;
    default: assert(!"a dtype");
    }
}

void rk_keys_back(rask_dtype dtype, size_t n, const void *keys, void *out)
{
    switch (dtype) {
    case RASK_DT_BOOL:
    case RASK_DT_U8: back_u8(n, keys, out); break;
    case RASK_DT_I8: back_i8(n, keys, out); break;
    case RASK_DT_I16: back_i16(n, keys, out); break;
    case RASK_DT_U16: back_u16(n, keys, out); break;
    case RASK_DT_I32: back_i32(n, keys, out); break;
    case RASK_DT_I64: back_i64(n, keys, out); break;
    case RASK_DT_U32:
    case RASK_DT_U64: memcpy(out, keys, n * rask_dtype_size(dtype)); break;
    case RASK_DT_F32: back_f32(n, keys, out); break;
    case RASK_DT_F64: back_f64(n, keys, out); break;
    case RASK_DT_C64: back_c64(n, keys, out); break;
    case RASK_DT_C128: back_c128(n, keys, out); break;
    default: assert(!"a dtype");
    }
}

bool rk_key_is_nan(rask_dtype dtype, const void *key)
{
    switch (dtype) {
    case RASK_DT_F32: return *(const uint32_t *)key >= NAN_32;
    case RASK_DT_F64:
    case RASK_DT_C64: return *(const uint64_t *)key >= rk_key_nan(dtype);
    case RASK_DT_C128: return (uint64_t)(*(const rk_u128 *)key >> 64) > NAN_64;
    default: return false;
    }
}

void rk_keys_invert(size_t width, size_t n, void *keys)
{
    switch (width) {
    case 4: invert_32(n, keys); break;
    case 8: invert_64(n, keys); break;
    default: invert_128(n, keys);
    }
}

void rk_keys_sort(size_t width, size_t n, void *keys, void *scratch)
{
    rk_keys_sort_indices(width, n, keys, NULL, scratch, NULL);
}

void rk_keys_sort_indices(size_t width, size_t n, void *keys, int64_t *indices, void *key_scratch,
                          int64_t *index_scratch)
{
    switch (width) {
    case 4: sort_32(n, keys, key_scratch, indices, index_scratch); break;
    case 8: sort_64(n, keys, key_scratch, indices, index_scratch); break;
    default: sort_128(n, keys, key_scratch, indices, index_scratch);
    }
}

void rk_keys_select(size_t width, size_t n, void *keys, size_t k, void *scratch)
{
    switch (width) {
    case 4: select_32(n, keys, k, scratch); break;
    case 8: select_64(n, keys, k, scratch); break;
    default: select_128(n, keys, k, scratch);
    }
}

size_t rk_keys_unite(size_t width, size_t n, void *keys, const int64_t *weights, int64_t *counts)
{
    switch (width) {
    case 4: return unite_32(n, keys, weights, counts);
    case 8: return unite_64(n, keys, weights, counts);
    default: return unite_128(n, keys, weights, counts);
    }
}

size_t rk_keys_below(size_t width, size_t n, const void *keys, rk_u128 key)
{
    switch (width) {
    case 4: return below_32(n, keys, (uint32_t)key);
    case 8: return below_64(n, keys, (uint64_t)key);
    default: return below_128(n, keys, key);
    }
}

rk_u128 rk_key_at(size_t width, const void *keys, size_t k)
{
    switch (width) {
    case 4: return ((const uint32_t *)keys)[k];
    case 8: return ((const uint64_t *)keys)[k];
    default: return ((const rk_u128 *)keys)[k];
    }
}
