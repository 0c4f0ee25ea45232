/* collections/array/kernels/kernel: what the files of kernels share: how loops are compiled, the C types of dtypes, and
 * the rows that the calls of kernels.h look into.
 *
 * A family defines an operation once, as an expression of a and b, and lists the dtypes that have it. Nothing here may
 * be compiled with -ffast-math or with contraction of a * b + c: every clone of a kernel must give the same bits. */
#ifndef RASK_COLLECTIONS_ARRAY_KERNELS_KERNEL_H
#define RASK_COLLECTIONS_ARRAY_KERNELS_KERNEL_H

#include "collections/array/kernels/kernels.h"

/* A function compiled for what machines have: the loader picks the best when the program starts. Resolvers run before a
 * sanitizer's runtime is there, and need the loader of glibc. None of the clones may have fused multiplication and
 * addition in it, which the compiler takes for complex numbers even when told not to: so these stay below AVX-512,
 * which has it built in. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) &&                 \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) && !defined(RK_WITHOUT_CLONES)
#    define RK_KERNEL         __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#    define RK_COMPLEX_KERNEL __attribute__((target_clones("avx2", "default")))
#else
#    define RK_KERNEL
#    define RK_COMPLEX_KERNEL
#endif
/* One that calls the C library for each element, which no clone makes faster. */
#define RK_SCALAR

#if defined(__GNUC__)
#    define RK_INLINE static inline __attribute__((always_inline))
#else
#    define RK_INLINE static inline
#endif

/* Before a loop whose iterations do not depend on each other: out is one of the inputs, or apart from them. */
#if defined(__clang__)
#    define RK_LOOP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#    define RK_LOOP _Pragma("GCC ivdep")
#else
#    define RK_LOOP
#endif

typedef struct rk_c64 {
    float re, im;
} rk_c64;
typedef struct rk_c128 {
    double re, im;
} rk_c128;

/* Bools are read as bytes: what a file has need not be 0 or 1. */
typedef uint8_t rk_bool;

/* X(op, dtype, its type, unsigned dtype of that width, its type) */
#define RK_SIGNED(X, op)                                                                                     \
    X(op, I8, int8_t, U8, uint8_t)                                                                           \
    X(op, I16, int16_t, U16, uint16_t)                                                                       \
    X(op, I32, int32_t, U32, uint32_t)                                                                       \
    X(op, I64, int64_t, U64, uint64_t)
#define RK_UNSIGNED(X, op)                                                                                   \
    X(op, U8, uint8_t, U8, uint8_t)                                                                          \
    X(op, U16, uint16_t, U16, uint16_t)                                                                      \
    X(op, U32, uint32_t, U32, uint32_t)                                                                      \
    X(op, U64, uint64_t, U64, uint64_t)
#define RK_INTEGERS(X, op) RK_SIGNED(X, op) RK_UNSIGNED(X, op)
/* X(op, dtype, its type, suffix of its functions in the C library, unused) */
#define RK_FLOATS(X, op) X(op, F32, float, f, ) X(op, F64, double, , )
/* X(op, dtype, its type, real dtype, its type) */
#define RK_COMPLEXES(X, op) X(op, C64, rk_c64, F32, float) X(op, C128, rk_c128, F64, double)
#define RK_BOOLS(X, op)     X(op, BOOL, rk_bool, BOOL, rk_bool)

/* One operation by the dtype of its arguments; NULL where it is not defined. */
typedef struct rk_unary_row {
    rk_unary_kernel by[RASK_DT_COUNT];
} rk_unary_row;
typedef struct rk_binary_row {
    rk_binary_kernels by[RASK_DT_COUNT];
} rk_binary_row;

/* rk_unary_NEGATIVE, rk_binary_ADD, …: one for each operation of the tables in rask/array.h. */
#define RK_UNARY_EXTERN(name, numpy)  extern const rk_unary_row rk_unary_##name;
#define RK_BINARY_EXTERN(name, numpy) extern const rk_binary_row rk_binary_##name;
RASK_UNARY_TABLE(RK_UNARY_EXTERN)
RASK_BINARY_TABLE(RK_BINARY_EXTERN)
#undef RK_UNARY_EXTERN
#undef RK_BINARY_EXTERN

/* op_dtype(): out[i] = the expression, of a. how: RK_KERNEL or RK_SCALAR. */
#define RK_UNARY(how, op, dtype, OUT, IN, ...)                                                               \
    how static void op##_##dtype(size_t n, void *out, const void *in)                                        \
    {                                                                                                        \
        OUT *o = out;                                                                                        \
        const IN *x = in;                                                                                    \
        RK_LOOP                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                                     \
            const IN a = x[i];                                                                               \
            o[i] = __VA_ARGS__;                                                                              \
        }                                                                                                    \
    }

/* op_dtype_vv() and so on, whose loop has these for a and b; once: what is loaded before it. */
#define RK_BINARY_LOOP(how, name, OUT, IN, once, A, B, ...)                                                  \
    how static void name(size_t n, void *out, const void *left, const void *right)                           \
    {                                                                                                        \
        OUT *o = out;                                                                                        \
        const IN *x = left, *y = right;                                                                      \
        if (!n)                                                                                              \
            return;                                                                                          \
        once;                                                                                                \
        RK_LOOP                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                                     \
            const IN a = A, b = B;                                                                           \
            o[i] = __VA_ARGS__;                                                                              \
        }                                                                                                    \
    }
/* All three: out[i] = the expression, of a and b. */
#define RK_BINARY(how, op, dtype, OUT, IN, ...)                                                              \
    RK_BINARY_LOOP(how, op##_##dtype##_vv, OUT, IN, , x[i], y[i], __VA_ARGS__)                               \
    RK_BINARY_LOOP(how, op##_##dtype##_vs, OUT, IN, const IN one = *y, x[i], one, __VA_ARGS__)               \
    RK_BINARY_LOOP(how, op##_##dtype##_sv, OUT, IN, const IN one = *x, one, y[i], __VA_ARGS__)
/* Where a and b may change places. */
#define RK_BINARY_SYMMETRIC(how, op, dtype, OUT, IN, ...)                                                    \
    RK_BINARY_LOOP(how, op##_##dtype##_vv, OUT, IN, , x[i], y[i], __VA_ARGS__)                               \
    RK_BINARY_LOOP(how, op##_##dtype##_vs, OUT, IN, const IN one = *y, x[i], one, __VA_ARGS__)               \
    static void op##_##dtype##_sv(size_t n, void *out, const void *left, const void *right)                  \
    {                                                                                                        \
        op##_##dtype##_vs(n, out, right, left);                                                              \
    }

/* Entries of rows, for lists of dtypes: a function of its own, or the one of the unsigned dtype as wide. */
#define RK_UNARY_ENTRY(op, dtype, ...)         .by[RASK_DT_##dtype] = op##_##dtype,
#define RK_UNARY_SHARED(op, dtype, T, wide, U) .by[RASK_DT_##dtype] = op##_##wide,
#define RK_BINARY_ENTRY(op, dtype, ...)                                                                      \
    .by[RASK_DT_##dtype] = {op##_##dtype##_vv, op##_##dtype##_vs, op##_##dtype##_sv},
#define RK_BINARY_SHARED(op, dtype, T, wide, U)                                                              \
    .by[RASK_DT_##dtype] = {op##_##wide##_vv, op##_##wide##_vs, op##_##wide##_sv},

/* rk_unary_NAME and rk_binary_NAME from entries. */
#define RK_UNARY_ROW(name, ...)  const rk_unary_row rk_unary_##name = {__VA_ARGS__};
#define RK_BINARY_ROW(name, ...) const rk_binary_row rk_binary_##name = {__VA_ARGS__};

#endif
