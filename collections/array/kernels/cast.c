/* Casts between all dtypes.
 *
 * What does not fit an integer is what x86-64 makes of it, on every machine and by every clone: a float is truncated to
 * 32 bits for integers of up to 32, to 64 for the others and for u32, where the smallest number stands for all that does
 * not fit and for NaN; then the lower bits are taken. u64 counts from 2^63 on. */
#include "collections/array/kernels/kernel.h"

#define TO_32(x)  (((x) >= -0x1p31f) & ((x) < 0x1p31f) ? (int32_t)(x) : INT32_MIN)
#define TO_64(x)  (((x) >= -0x1p63f) & ((x) < 0x1p63f) ? (int64_t)(x) : INT64_MIN)
#define TO_U64(x) ((x) >= 0x1p63f ? (uint64_t)TO_64((x)-0x1p63f) ^ 0x8000000000000000 : (uint64_t)TO_64(x))

/* from S_to_D(): source dtype and its type, target dtype and its type. */
#define CAST(S, IN, D, OUT, ...) RK_UNARY(RK_KERNEL, S##_to, D, OUT, IN, __VA_ARGS__)

/* real: the part of a that counts. */
#define TO_REALS(S, IN, real)                                                                                \
    CAST(S, IN, F32, float, (float)(real))                                                                   \
    CAST(S, IN, F64, double, (double)(real))
#define TO_COMPLEXES(S, IN, real)                                                                            \
    CAST(S, IN, C64, rk_c64, (rk_c64){(float)(real), 0})                                                     \
    CAST(S, IN, C128, rk_c128, (rk_c128){(double)(real), 0})

#define FROM_INTEGER(op, S, IN, W, U)                                                                        \
    CAST(S, IN, BOOL, bool, a != 0)                                                                          \
    CAST(S, IN, U8, uint8_t, (uint8_t)a)                                                                     \
    CAST(S, IN, U16, uint16_t, (uint16_t)a)                                                                  \
    CAST(S, IN, U32, uint32_t, (uint32_t)a)                                                                  \
    CAST(S, IN, U64, uint64_t, (uint64_t)a)                                                                  \
    TO_REALS(S, IN, a)                                                                                       \
    TO_COMPLEXES(S, IN, a)
RK_INTEGERS(FROM_INTEGER, )

CAST(BOOL, rk_bool, BOOL, bool, a != 0)
CAST(BOOL, rk_bool, U8, uint8_t, a != 0)
CAST(BOOL, rk_bool, U16, uint16_t, a != 0)
CAST(BOOL, rk_bool, U32, uint32_t, a != 0)
CAST(BOOL, rk_bool, U64, uint64_t, a != 0)
TO_REALS(BOOL, rk_bool, a != 0)
TO_COMPLEXES(BOOL, rk_bool, a != 0)

#define FROM_REAL(S, IN, real)                                                                               \
    CAST(S, IN, U8, uint8_t, (uint8_t)TO_32(real))                                                           \
    CAST(S, IN, U16, uint16_t, (uint16_t)TO_32(real))                                                        \
    CAST(S, IN, I32, int32_t, TO_32(real))                                                                   \
    CAST(S, IN, U32, uint32_t, (uint32_t)TO_64(real))                                                        \
    CAST(S, IN, I64, int64_t, TO_64(real))                                                                   \
    CAST(S, IN, U64, uint64_t, TO_U64(real))                                                                 \
    TO_REALS(S, IN, real)
#define FROM_FLOAT(op, S, IN, f, unused)                                                                     \
    CAST(S, IN, BOOL, bool, a != 0)                                                                          \
    FROM_REAL(S, IN, a)                                                                                      \
    TO_COMPLEXES(S, IN, a)
#define FROM_COMPLEX(op, S, IN, R, F)                                                                        \
    CAST(S, IN, BOOL, bool, (a.re != 0) | (a.im != 0))                                                       \
    FROM_REAL(S, IN, a.re)                                                                                   \
    CAST(S, IN, C64, rk_c64, (rk_c64){(float)a.re, (float)a.im})                                             \
    CAST(S, IN, C128, rk_c128, (rk_c128){a.re, a.im})
RK_FLOATS(FROM_FLOAT, )
RK_COMPLEXES(FROM_COMPLEX, )

#define ENTRY(S, D, function) [RASK_DT_##D] = S##_to_##function,
#define COMMON(S)                                                                                            \
    ENTRY(S, BOOL, BOOL)                                                                                     \
    ENTRY(S, I8, U8)                                                                                         \
    ENTRY(S, U8, U8)                                                                                         \
    ENTRY(S, I16, U16)                                                                                       \
    ENTRY(S, U16, U16)                                                                                       \
    ENTRY(S, U32, U32)                                                                                       \
    ENTRY(S, U64, U64)                                                                                       \
    ENTRY(S, F32, F32)                                                                                       \
    ENTRY(S, F64, F64)                                                                                       \
    ENTRY(S, C64, C64)                                                                                       \
    ENTRY(S, C128, C128)
#define WHOLE_ROW(op, S, ...)  [RASK_DT_##S] = {COMMON(S) ENTRY(S, I32, U32) ENTRY(S, I64, U64)},
#define BROKEN_ROW(op, S, ...) [RASK_DT_##S] = {COMMON(S) ENTRY(S, I32, I32) ENTRY(S, I64, I64)},

static const rk_unary_kernel casts[RASK_DT_COUNT][RASK_DT_COUNT] = {
    RK_BOOLS(WHOLE_ROW, ) RK_INTEGERS(WHOLE_ROW, ) RK_FLOATS(BROKEN_ROW, ) RK_COMPLEXES(BROKEN_ROW, )};

rk_unary_kernel rk_cast_find(rask_dtype from, rask_dtype to)
{
    return casts[from][to];
}
