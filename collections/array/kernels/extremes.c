/* minimum and maximum, which are NaN when one of the two is, and fmin and fmax, which are only when both are. Of equal
 * ones the second is taken; of two NaNs the first. */
#include "collections/array/kernels/complexes.h"

#define MIN(op, D, T, ...) RK_BINARY(RK_KERNEL, op, D, T, T, a < b ? a : b)
#define MAX(op, D, T, ...) RK_BINARY(RK_KERNEL, op, D, T, T, a > b ? a : b)
RK_INTEGERS(MIN, minimum)
RK_INTEGERS(MAX, maximum)
RK_BINARY(RK_KERNEL, minimum, BOOL, rk_bool, rk_bool, (a != 0) & (b != 0))
RK_BINARY(RK_KERNEL, maximum, BOOL, rk_bool, rk_bool, (a | b) != 0)

#define FLOAT_MIN(op, D, T, ...)  RK_BINARY(RK_KERNEL, op, D, T, T, (a < b) | (a != a) ? a : b)
#define FLOAT_MAX(op, D, T, ...)  RK_BINARY(RK_KERNEL, op, D, T, T, (a > b) | (a != a) ? a : b)
#define FLOAT_FMIN(op, D, T, ...) RK_BINARY(RK_KERNEL, op, D, T, T, (a < b) | (b != b) ? a : b)
#define FLOAT_FMAX(op, D, T, ...) RK_BINARY(RK_KERNEL, op, D, T, T, (a > b) | (b != b) ? a : b)
RK_FLOATS(FLOAT_MIN, minimum)
RK_FLOATS(FLOAT_MAX, maximum)
RK_FLOATS(FLOAT_FMIN, fmin)
RK_FLOATS(FLOAT_FMAX, fmax)

#define COMPLEX_MIN(op, D, T, ...)                                                                           \
    RK_BINARY(RK_SCALAR, op, D, T, T, rk_isnan_##D(a) || rk_less_equal_##D(a, b) ? a : b)
#define COMPLEX_MAX(op, D, T, ...)                                                                           \
    RK_BINARY(RK_SCALAR, op, D, T, T, rk_isnan_##D(a) || rk_less_equal_##D(b, a) ? a : b)
#define COMPLEX_FMIN(op, D, T, ...)                                                                          \
    RK_BINARY(RK_SCALAR, op, D, T, T, rk_isnan_##D(b) || rk_less_equal_##D(a, b) ? a : b)
#define COMPLEX_FMAX(op, D, T, ...)                                                                          \
    RK_BINARY(RK_SCALAR, op, D, T, T, rk_isnan_##D(b) || rk_less_equal_##D(b, a) ? a : b)
RK_COMPLEXES(COMPLEX_MIN, minimum)
RK_COMPLEXES(COMPLEX_MAX, maximum)
RK_COMPLEXES(COMPLEX_FMIN, fmin)
RK_COMPLEXES(COMPLEX_FMAX, fmax)

#define ROW(NAME, op, whole)                                                                                 \
    RK_BINARY_ROW(NAME, RK_BOOLS(RK_BINARY_ENTRY, whole) RK_INTEGERS(RK_BINARY_ENTRY, whole)                 \
                            RK_FLOATS(RK_BINARY_ENTRY, op) RK_COMPLEXES(RK_BINARY_ENTRY, op))
ROW(MINIMUM, minimum, minimum)
ROW(MAXIMUM, maximum, maximum)
ROW(FMIN, fmin, minimum)
ROW(FMAX, fmax, maximum)
