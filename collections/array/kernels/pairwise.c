/* The order is NumPy's for contiguous arrays: up to 128 numbers go through 8 lanes that are put together as a tree, and
 * what is left behind the last 8 is added in turn; longer runs are halved, at a multiple of 8. So the error grows with
 * the logarithm of the length, the lanes are a vector unit's, and which clone runs makes no difference to a bit. Complex
 * numbers are runs of twice as many halves, whose lanes take turns. */
#include "collections/array/kernels/pairwise.h"

enum {
    LANES = 8,
    LEAF = 128, /* numbers that are not halved */
    LEAVES = 4, /* that are worked on at once where as many are full: a tree of them is one of 512 numbers */
    MOST_HALVES = 64, /* deep */
    AHEAD = 4096, /* bytes to the lines that are asked for early: the hardware does so within a page only */
};

/* Half of the lanes. In memory they are aligned as one number. */
typedef float half_float __attribute__((vector_size(16)));
typedef double half_double __attribute__((vector_size(32)));
typedef float stored_float __attribute__((vector_size(16), aligned(4), may_alias));
typedef double stored_double __attribute__((vector_size(32), aligned(8), may_alias));

/* name(n, x, c): JOIN over all MAP(x[i], c), by halves of numbers: W is 2 where x are complex numbers, and n counts twice
 * as many halves. JOIN and MAP take numbers and lanes; EMPTY is what nothing comes to. */
#define PAIRWISE(name, T, W, EMPTY, JOIN, MAP)                                                               \
    typedef struct name##_value {                                                                            \
        T part[W];                                                                                           \
    } name##_value;                                                                                          \
    /* The lanes as a tree; they are written over. */                                                        \
    RK_INLINE name##_value name##_tree(T *lane)                                                              \
    {                                                                                                        \
        name##_value value;                                                                                  \
        for (size_t half = W; half < LANES; half *= 2)                                                       \
            for (size_t k = 0; k < LANES; k += 2 * half)                                                     \
                for (size_t w = k; w < k + W; w++)                                                           \
                    lane[w] = JOIN(lane[w], lane[w + half]);                                                 \
        for (size_t w = 0; w < W; w++)                                                                       \
            value.part[w] = lane[w];                                                                         \
        return value;                                                                                        \
    }                                                                                                        \
    RK_INLINE name##_value name##_join(name##_value a, name##_value b)                                       \
    {                                                                                                        \
        for (size_t w = 0; w < W; w++)                                                                       \
            a.part[w] = JOIN(a.part[w], b.part[w]);                                                          \
        return a;                                                                                            \
    }                                                                                                        \
    RK_INLINE name##_value name##_leaf(size_t n, const T *x, T c)                                            \
    {                                                                                                        \
        const half_##T all_c = {c, c, c, c};                                                                 \
        name##_value value;                                                                                  \
        size_t i = 0;                                                                                        \
        (void)all_c;                                                                                         \
        for (size_t w = 0; w < W; w++)                                                                       \
            value.part[w] = EMPTY;                                                                           \
        if (n >= LANES) {                                                                                    \
            const stored_##T *p = (const stored_##T *)x;                                                     \
            half_##T low = MAP(p[0], all_c), high = MAP(p[1], all_c);                                        \
            for (i = LANES; i + LANES <= n; i += LANES) {                                                    \
                p += 2;                                                                                      \
                low = JOIN(low, MAP(p[0], all_c));                                                           \
                high = JOIN(high, MAP(p[1], all_c));                                                         \
            }                                                                                                \
            T lane[LANES] = {low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3]};            \
            value = name##_tree(lane);                                                                       \
        }                                                                                                    \
        for (; i < n; i++)                                                                                   \
            value.part[i % W] = JOIN(value.part[i % W], MAP(x[i], c));                                       \
        return value;                                                                                        \
    }                                                                                                        \
    /* What halving four full leaves comes to, with as many chains of operations. */                         \
    RK_INLINE name##_value name##_leaves(const T *x, T c)                                                    \
    {                                                                                                        \
        enum { NEXT = LEAF / 4 };                                                                            \
        const half_##T all_c = {c, c, c, c};                                                                 \
        const stored_##T *p = (const stored_##T *)x;                                                         \
        half_##T low0 = MAP(p[0], all_c), high0 = MAP(p[1], all_c);                                          \
        half_##T low1 = MAP(p[NEXT], all_c), high1 = MAP(p[NEXT + 1], all_c);                                \
        half_##T low2 = MAP(p[2 * NEXT], all_c), high2 = MAP(p[2 * NEXT + 1], all_c);                        \
        half_##T low3 = MAP(p[3 * NEXT], all_c), high3 = MAP(p[3 * NEXT + 1], all_c);                        \
        (void)all_c;                                                                                         \
        for (size_t i = 2; i < NEXT; i += 2) {                                                               \
            for (size_t k = 0; k < LEAVES; k++)                                                              \
                __builtin_prefetch((const char *)&p[i + k * NEXT] + AHEAD);                                  \
            low0 = JOIN(low0, MAP(p[i], all_c));                                                             \
            high0 = JOIN(high0, MAP(p[i + 1], all_c));                                                       \
            low1 = JOIN(low1, MAP(p[i + NEXT], all_c));                                                      \
            high1 = JOIN(high1, MAP(p[i + NEXT + 1], all_c));                                                \
            low2 = JOIN(low2, MAP(p[i + 2 * NEXT], all_c));                                                  \
            high2 = JOIN(high2, MAP(p[i + 2 * NEXT + 1], all_c));                                            \
            low3 = JOIN(low3, MAP(p[i + 3 * NEXT], all_c));                                                  \
            high3 = JOIN(high3, MAP(p[i + 3 * NEXT + 1], all_c));                                            \
        }                                                                                                    \
        T lane[LEAVES][LANES] = {                                                                            \
            {low0[0], low0[1], low0[2], low0[3], high0[0], high0[1], high0[2], high0[3]},                    \
            {low1[0], low1[1], low1[2], low1[3], high1[0], high1[1], high1[2], high1[3]},                    \
            {low2[0], low2[1], low2[2], low2[3], high2[0], high2[1], high2[2], high2[3]},                    \
            {low3[0], low3[1], low3[2], low3[3], high3[0], high3[1], high3[2], high3[3]}};                   \
        return name##_join(name##_join(name##_tree(lane[0]), name##_tree(lane[1])),                          \
                           name##_join(name##_tree(lane[2]), name##_tree(lane[3])));                         \
    }                                                                                                        \
    RK_KERNEL static name##_value name(size_t n, const T *x, T c)                                            \
    {                                                                                                        \
        size_t right[MOST_HALVES], depth = 0; /* of each halving: numbers of its right half, or, in it, 0 */ \
        name##_value left[MOST_HALVES];       /* and what the left one came to */                            \
        for (;;) {                                                                                           \
            for (; n > LEAF && n != LEAVES * LEAF; depth++) {                                                \
                size_t half = n / 2 - n / 2 % LANES;                                                         \
                right[depth] = n - half;                                                                     \
                n = half;                                                                                    \
            }                                                                                                \
            name##_value value = n > LEAF ? name##_leaves(x, c) : name##_leaf(n, x, c);                      \
            x += n;                                                                                          \
            for (; depth && !right[depth - 1]; depth--)                                                      \
                value = name##_join(left[depth - 1], value);                                                 \
            if (!depth)                                                                                      \
                return value;                                                                                \
            left[depth - 1] = value;                                                                         \
            n = right[depth - 1];                                                                            \
            right[depth - 1] = 0;                                                                            \
        }                                                                                                    \
    }

#define ADD_UP(a, b)     ((a) + (b))
#define MULTIPLY(a, b)   ((a) * (b))
#define ITSELF(x, c)     (x)
#define DEVIATION2(x, c) (((x) - (c)) * ((x) - (c)))

#define REAL(op, D, T, f, unused)                                                                            \
    PAIRWISE(sum_##D, T, 1, 0, ADD_UP, ITSELF)                                                               \
    PAIRWISE(product_##D, T, 1, 1, MULTIPLY, ITSELF)                                                         \
    PAIRWISE(squares_##D, T, 1, 0, ADD_UP, DEVIATION2)                                                       \
    T rk_sum_##D(size_t n, const void *x)                                                                    \
    {                                                                                                        \
        return sum_##D(n, x, 0).part[0];                                                                     \
    }                                                                                                        \
    T rk_product_##D(size_t n, const void *x)                                                                \
    {                                                                                                        \
        return product_##D(n, x, 0).part[0];                                                                 \
    }                                                                                                        \
    T rk_squares_##D(size_t n, const void *x, T mean)                                                        \
    {                                                                                                        \
        return squares_##D(n, x, mean).part[0];                                                              \
    }
RK_FLOATS(REAL, )

#define COMPLEX(op, D, T, R, F)                                                                              \
    PAIRWISE(sum_##D, F, 2, 0, ADD_UP, ITSELF)                                                               \
    T rk_sum_##D(size_t n, const void *x)                                                                    \
    {                                                                                                        \
        const sum_##D##_value sum = sum_##D(2 * n, x, 0);                                                    \
        return (T){sum.part[0], sum.part[1]};                                                                \
    }                                                                                                        \
    T rk_product_##D(size_t n, const void *in)                                                               \
    {                                                                                                        \
        const T *x = in;                                                                                     \
        T product = {1, 0};                                                                                  \
        for (size_t i = 0; i < n; i++)                                                                       \
            product = rk_multiply_##D(product, x[i]);                                                        \
        return product;                                                                                      \
    }
RK_COMPLEXES(COMPLEX, )

RK_KERNEL uint64_t rk_sum_U64(size_t n, const void *in)
{
    const uint64_t *x = in;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

RK_KERNEL uint64_t rk_product_U64(size_t n, const void *in)
{
    const uint64_t *x = in;
    uint64_t product = 1;
    for (size_t i = 0; i < n; i++)
        product *= x[i];
    return product;
}
