/* Comparisons and logic: results are bools. Complex numbers are ordered by their real parts, then by the imaginary. */
#include "collections/array/kernels/complexes.h"

#define EQUAL(op, D, T, ...)     RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, bool, T, a == b)
#define NOT_EQUAL(op, D, T, ...) RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, bool, T, a != b)
#define LESS(op, D, T, ...)      RK_BINARY(RK_KERNEL, op, D, bool, T, a < b)
#define AT_MOST(op, D, T, ...)   RK_BINARY(RK_KERNEL, op, D, bool, T, a <= b)
RK_UNSIGNED(EQUAL, equal)
RK_FLOATS(EQUAL, equal)
RK_UNSIGNED(NOT_EQUAL, not_equal)
RK_FLOATS(NOT_EQUAL, not_equal)
RK_INTEGERS(LESS, less)
RK_FLOATS(LESS, less)
RK_INTEGERS(AT_MOST, less_equal)
RK_FLOATS(AT_MOST, less_equal)

#define BOTH_EQUAL(op, D, T, ...)                                                                            \
    RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, bool, T, (a.re == b.re) & (a.im == b.im))
#define ONE_DIFFERS(op, D, T, ...)                                                                           \
    RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, bool, T, (a.re != b.re) | (a.im != b.im))
#define COMPLEX_LESS(op, D, T, ...)    RK_BINARY(RK_KERNEL, op, D, bool, T, rk_less_##D(a, b))
#define COMPLEX_AT_MOST(op, D, T, ...) RK_BINARY(RK_KERNEL, op, D, bool, T, rk_less_equal_##D(a, b))
RK_COMPLEXES(BOTH_EQUAL, equal)
RK_COMPLEXES(ONE_DIFFERS, not_equal)
RK_COMPLEXES(COMPLEX_LESS, less)
RK_COMPLEXES(COMPLEX_AT_MOST, less_equal)

RK_BINARY_SYMMETRIC(RK_KERNEL, equal, BOOL, bool, rk_bool, (a == 0) == (b == 0))
RK_BINARY_SYMMETRIC(RK_KERNEL, not_equal, BOOL, bool, rk_bool, (a == 0) != (b == 0))
RK_BINARY(RK_KERNEL, less, BOOL, bool, rk_bool, (a == 0) & (b != 0))
RK_BINARY(RK_KERNEL, less_equal, BOOL, bool, rk_bool, (a == 0) | (b != 0))
RK_BINARY_SYMMETRIC(RK_KERNEL, and, BOOL, bool, rk_bool, (a != 0) & (b != 0))
RK_BINARY_SYMMETRIC(RK_KERNEL, or, BOOL, bool, rk_bool, (a | b) != 0)

/* a > b is b < a: the same loops with their arguments exchanged. */
#define TURNED(op, D, turned)                                                                                \
    static void op##_##D##_vv(size_t n, void *out, const void *left, const void *right)                      \
    {                                                                                                        \
        turned##_##D##_vv(n, out, right, left);                                                              \
    }                                                                                                        \
    static void op##_##D##_vs(size_t n, void *out, const void *left, const void *right)                      \
    {                                                                                                        \
        turned##_##D##_sv(n, out, right, left);                                                              \
    }                                                                                                        \
    static void op##_##D##_sv(size_t n, void *out, const void *left, const void *right)                      \
    {                                                                                                        \
        turned##_##D##_vs(n, out, right, left);                                                              \
    }
#define GREATER(op, D, ...)  TURNED(op, D, less)
#define AT_LEAST(op, D, ...) TURNED(op, D, less_equal)
#define ORDERED(X, op)       RK_BOOLS(X, op) RK_INTEGERS(X, op) RK_FLOATS(X, op) RK_COMPLEXES(X, op)
ORDERED(GREATER, greater)
ORDERED(AT_LEAST, greater_equal)

RK_BINARY_ROW(EQUAL, RK_BOOLS(RK_BINARY_ENTRY, equal) RK_INTEGERS(RK_BINARY_SHARED, equal)
                         RK_FLOATS(RK_BINARY_ENTRY, equal) RK_COMPLEXES(RK_BINARY_ENTRY, equal))
RK_BINARY_ROW(NOT_EQUAL, RK_BOOLS(RK_BINARY_ENTRY, not_equal) RK_INTEGERS(RK_BINARY_SHARED, not_equal)
                             RK_FLOATS(RK_BINARY_ENTRY, not_equal) RK_COMPLEXES(RK_BINARY_ENTRY, not_equal))
RK_BINARY_ROW(LESS, ORDERED(RK_BINARY_ENTRY, less))
RK_BINARY_ROW(LESS_EQUAL, ORDERED(RK_BINARY_ENTRY, less_equal))
RK_BINARY_ROW(GREATER, ORDERED(RK_BINARY_ENTRY, greater))
RK_BINARY_ROW(GREATER_EQUAL, ORDERED(RK_BINARY_ENTRY, greater_equal))
RK_BINARY_ROW(LOGICAL_AND, RK_BOOLS(RK_BINARY_ENTRY, and))
RK_BINARY_ROW(LOGICAL_OR, RK_BOOLS(RK_BINARY_ENTRY, or))
RK_BINARY_ROW(LOGICAL_XOR, RK_BOOLS(RK_BINARY_ENTRY, not_equal))
