/* collections/table/expr/kernels/loops: how kernels run over rows. Operands that are fixed are loaded once. */
#ifndef RASK_COLLECTIONS_TABLE_EXPR_KERNELS_LOOPS_H
#define RASK_COLLECTIONS_TABLE_EXPR_KERNELS_LOOPS_H

#include "collections/table/expr/program.h"

/* A function compiled for what machines have: the loader picks the best when the program starts. Resolvers run before a
 * sanitizer's runtime is there, and need the loader of glibc. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) &&                 \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#    define RK_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#    define RK_CLONES
#endif

/* Kernel name: o[i] = the expression, of a. */
#define RK_MAP(name, OUT, IN, ...)                                                                           \
    RK_CLONES static void name##_loop(uint32_t rows, OUT *restrict o, const IN *restrict x)                  \
    {                                                                                                        \
        for (uint32_t i = 0; i < rows; i++) {                                                                \
            const IN a = x[i];                                                                               \
            o[i] = __VA_ARGS__;                                                                              \
        }                                                                                                    \
    }                                                                                                        \
    int rk_expr_##name(const rk_expr_call *c)                                                                \
    {                                                                                                        \
        name##_loop(c->fixed[0] ? 1 : c->rows, c->out->data, c->in[0]->data);                                \
        return RASK_OK;                                                                                      \
    }

/* Kernel name: o[i] = the expression, of a and b, of which one may be fixed, or both in a single row. */
#define RK_ZIP(name, OUT, IN, ...)                                                                           \
    RK_CLONES static void name##_vv(uint32_t rows, OUT *restrict o, const IN *restrict x,                    \
                                    const IN *restrict y)                                                    \
    {                                                                                                        \
        for (uint32_t i = 0; i < rows; i++) {                                                                \
            const IN a = x[i], b = y[i];                                                                     \
            o[i] = __VA_ARGS__;                                                                              \
        }                                                                                                    \
    }                                                                                                        \
    RK_CLONES static void name##_vs(uint32_t rows, OUT *restrict o, const IN *restrict x, const IN b)        \
    {                                                                                                        \
        for (uint32_t i = 0; i < rows; i++) {                                                                \
            const IN a = x[i];                                                                               \
            o[i] = __VA_ARGS__;                                                                              \
        }                                                                                                    \
    }                                                                                                        \
    RK_CLONES static void name##_sv(uint32_t rows, OUT *restrict o, const IN a, const IN *restrict y)        \
    {                                                                                                        \
        for (uint32_t i = 0; i < rows; i++) {                                                                \
            const IN b = y[i];                                                                               \
            o[i] = __VA_ARGS__;                                                                              \
        }                                                                                                    \
    }                                                                                                        \
    int rk_expr_##name(const rk_expr_call *c)                                                                \
    {                                                                                                        \
        const IN *x = c->in[0]->data, *y = c->in[1]->data;                                                   \
        if (c->fixed[1])                                                                                     \
            name##_vs(c->rows, c->out->data, x, *y);                                                         \
        else if (c->fixed[0])                                                                                \
            name##_sv(c->rows, c->out->data, *x, y);                                                         \
        else                                                                                                 \
            name##_vv(c->rows, c->out->data, x, y);                                                          \
        return RASK_OK;                                                                                      \
    }

#endif
