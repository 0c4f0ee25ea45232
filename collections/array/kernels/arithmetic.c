/* add, subtract, multiply, divide. Integers wrap: they are added up as unsigned ones, at least as wide as unsigned int. */
#include "collections/array/kernels/complexes.h"

#define ADD(op, D, T, W, U) RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, T, T, (T)(1u * a + b))
#define SUB(op, D, T, W, U) RK_BINARY(RK_KERNEL, op, D, T, T, (T)(1u * a - b))
#define MUL(op, D, T, W, U) RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, T, T, (T)(1u * a * b))
RK_UNSIGNED(ADD, add)
RK_UNSIGNED(SUB, sub)
RK_UNSIGNED(MUL, mul)

#define FLOAT_ADD(op, D, T, suffix, unused) RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, T, T, a + b)
#define FLOAT_SUB(op, D, T, suffix, unused) RK_BINARY(RK_KERNEL, op, D, T, T, a - b)
#define FLOAT_MUL(op, D, T, suffix, unused) RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, T, T, a *b)
#define FLOAT_DIV(op, D, T, suffix, unused) RK_BINARY(RK_KERNEL, op, D, T, T, a / b)
RK_FLOATS(FLOAT_ADD, add)
RK_FLOATS(FLOAT_SUB, sub)
RK_FLOATS(FLOAT_MUL, mul)
RK_FLOATS(FLOAT_DIV, div)

#define COMPLEX_ADD(op, D, T, R, F) RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, T, T, (T){a.re + b.re, a.im + b.im})
#define COMPLEX_SUB(op, D, T, R, F) RK_BINARY(RK_KERNEL, op, D, T, T, (T){a.re - b.re, a.im - b.im})
#define COMPLEX_MUL(op, D, T, R, F)                                                                          \
    RK_BINARY_SYMMETRIC(RK_COMPLEX_KERNEL, op, D, T, T,                                                      \
                        (T){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re})
#define COMPLEX_DIV(op, D, T, R, F) RK_BINARY(RK_COMPLEX_KERNEL, op, D, T, T, rk_divide_##D(a, b))
RK_COMPLEXES(COMPLEX_ADD, add)
RK_COMPLEXES(COMPLEX_SUB, sub)
RK_COMPLEXES(COMPLEX_MUL, mul)
RK_COMPLEXES(COMPLEX_DIV, div)

/* Of truth values: or, and. */
RK_BINARY_SYMMETRIC(RK_KERNEL, add, BOOL, rk_bool, rk_bool, (a | b) != 0)
RK_BINARY_SYMMETRIC(RK_KERNEL, mul, BOOL, rk_bool, rk_bool, (a != 0) & (b != 0))

RK_BINARY_ROW(ADD, RK_BOOLS(RK_BINARY_ENTRY, add) RK_INTEGERS(RK_BINARY_SHARED, add)
                       RK_FLOATS(RK_BINARY_ENTRY, add) RK_COMPLEXES(RK_BINARY_ENTRY, add))
RK_BINARY_ROW(SUB, RK_INTEGERS(RK_BINARY_SHARED, sub) RK_FLOATS(RK_BINARY_ENTRY, sub)
                       RK_COMPLEXES(RK_BINARY_ENTRY, sub))
RK_BINARY_ROW(MUL, RK_BOOLS(RK_BINARY_ENTRY, mul) RK_INTEGERS(RK_BINARY_SHARED, mul)
                       RK_FLOATS(RK_BINARY_ENTRY, mul) RK_COMPLEXES(RK_BINARY_ENTRY, mul))
RK_BINARY_ROW(DIV, RK_FLOATS(RK_BINARY_ENTRY, div) RK_COMPLEXES(RK_BINARY_ENTRY, div))
