/* Bitwise operations and shifts. */
#include "collections/array/kernels/kernel.h"

#define AND(op, D, T, W, U) RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, T, T, a &b)
#define OR(op, D, T, W, U)  RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, T, T, a | b)
#define XOR(op, D, T, W, U) RK_BINARY_SYMMETRIC(RK_KERNEL, op, D, T, T, a ^ b)
#define NOT(op, D, T, W, U) RK_UNARY(RK_KERNEL, op, D, T, T, (T)~a)
RK_UNSIGNED(AND, and)
RK_UNSIGNED(OR, or)
RK_UNSIGNED(XOR, xor)
RK_UNSIGNED(NOT, not )
RK_BINARY_SYMMETRIC(RK_KERNEL, and, BOOL, rk_bool, rk_bool, (a != 0) & (b != 0))
RK_BINARY_SYMMETRIC(RK_KERNEL, or, BOOL, rk_bool, rk_bool, (a | b) != 0)
RK_BINARY_SYMMETRIC(RK_KERNEL, xor, BOOL, rk_bool, rk_bool, (a != 0) ^ (b != 0))
RK_UNARY(RK_KERNEL, not, BOOL, rk_bool, rk_bool, a == 0)

/* By more places than there are, or by a negative number: everything is shifted out, which leaves the sign. */
#define PLACES(b, U) ((U)(b) & (8 * sizeof(U) - 1))
#define LEFT(op, D, T, W, U)                                                                                 \
    RK_BINARY(RK_KERNEL, op, D, T, T, (T)(b < 8 * sizeof(T) ? 1u * a << PLACES(b, U) : 0u * a))
#define RIGHT(op, D, T, W, U)                                                                                \
    RK_BINARY(RK_KERNEL, op, D, T, T, (T)(b < 8 * sizeof(T) ? a >> PLACES(b, U) : 0))
#define SIGNED_RIGHT(op, D, T, W, U)                                                                         \
    RK_BINARY(RK_KERNEL, op, D, T, T, (T)(a >> ((U)b < 8 * sizeof(T) ? PLACES(b, U) : 8 * sizeof(T) - 1)))
RK_UNSIGNED(LEFT, left_shift)
RK_UNSIGNED(RIGHT, right_shift)
RK_SIGNED(SIGNED_RIGHT, right_shift)

RK_BINARY_ROW(BITWISE_AND, RK_BOOLS(RK_BINARY_ENTRY, and) RK_INTEGERS(RK_BINARY_SHARED, and))
RK_BINARY_ROW(BITWISE_OR, RK_BOOLS(RK_BINARY_ENTRY, or) RK_INTEGERS(RK_BINARY_SHARED, or))
RK_BINARY_ROW(BITWISE_XOR, RK_BOOLS(RK_BINARY_ENTRY, xor) RK_INTEGERS(RK_BINARY_SHARED, xor))
RK_BINARY_ROW(LEFT_SHIFT, RK_INTEGERS(RK_BINARY_SHARED, left_shift))
RK_BINARY_ROW(RIGHT_SHIFT, RK_INTEGERS(RK_BINARY_ENTRY, right_shift))
RK_UNARY_ROW(INVERT, RK_BOOLS(RK_UNARY_ENTRY, not ) RK_INTEGERS(RK_UNARY_SHARED, not ))
