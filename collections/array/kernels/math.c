/* Functions of the C library, element by element, and rounding. What a transcendental function gives is the C library's
 * to the last bit; no clone has another one. */
#include "collections/array/kernels/complexes.h"

/* F32 and F64 through function(f), C64 and C128 through rk_function_dtype(). */
#define CALL(op, D, T, f, unused)    RK_UNARY(RK_SCALAR, op, D, T, T, op##f(a))
#define COMPLEX_CALL(op, D, T, R, F) RK_UNARY(RK_SCALAR, op, D, T, T, rk_##op##_##D(a))
#define ENTRIES(op)                  RK_FLOATS(RK_UNARY_ENTRY, op)
#define COMPLEX_ENTRIES(op)          ENTRIES(op) RK_COMPLEXES(RK_UNARY_ENTRY, op)
#define FUNCTION(NAME, op)                                                                                   \
    RK_FLOATS(CALL, op)                                                                                      \
    RK_COMPLEXES(COMPLEX_CALL, op)                                                                           \
    RK_UNARY_ROW(NAME, COMPLEX_ENTRIES(op))
FUNCTION(EXP, exp)
FUNCTION(EXP2, exp2)
FUNCTION(EXPM1, expm1)
FUNCTION(LOG, log)
FUNCTION(LOG2, log2)
FUNCTION(LOG10, log10)
FUNCTION(LOG1P, log1p)
FUNCTION(SIN, sin)
FUNCTION(COS, cos)
FUNCTION(TAN, tan)
FUNCTION(ARCSIN, asin)
FUNCTION(ARCCOS, acos)
FUNCTION(ARCTAN, atan)
FUNCTION(SINH, sinh)
FUNCTION(COSH, cosh)
FUNCTION(TANH, tanh)
FUNCTION(ARCSINH, asinh)
FUNCTION(ARCCOSH, acosh)
FUNCTION(ARCTANH, atanh)

RK_FLOATS(CALL, cbrt)
RK_UNARY_ROW(CBRT, ENTRIES(cbrt))

/* What machines have instructions for. */
#define EXACT(op, D, T, f, unused) RK_UNARY(RK_KERNEL, op, D, T, T, op##f(a))
RK_FLOATS(EXACT, sqrt)
RK_FLOATS(EXACT, floor)
RK_FLOATS(EXACT, ceil)
RK_FLOATS(EXACT, trunc)
RK_FLOATS(EXACT, rint)
RK_COMPLEXES(COMPLEX_CALL, sqrt)
RK_UNARY(RK_KERNEL, rint, C64, rk_c64, rk_c64, (rk_c64){rintf(a.re), rintf(a.im)})
RK_UNARY(RK_KERNEL, rint, C128, rk_c128, rk_c128, (rk_c128){rint(a.re), rint(a.im)})
RK_UNARY_ROW(SQRT, COMPLEX_ENTRIES(sqrt))
RK_UNARY_ROW(FLOOR, ENTRIES(floor))
RK_UNARY_ROW(CEIL, ENTRIES(ceil))
RK_UNARY_ROW(TRUNC, ENTRIES(trunc))
RK_UNARY_ROW(RINT, COMPLEX_ENTRIES(rint))

#define TO_RADIANS(op, D, T, f, unused) RK_UNARY(RK_KERNEL, op, D, T, T, a *((T)M_PI / 180))
#define TO_DEGREES(op, D, T, f, unused) RK_UNARY(RK_KERNEL, op, D, T, T, a *(180 / (T)M_PI))
RK_FLOATS(TO_RADIANS, deg2rad)
RK_FLOATS(TO_DEGREES, rad2deg)
RK_UNARY_ROW(DEG2RAD, ENTRIES(deg2rad))
RK_UNARY_ROW(RAD2DEG, ENTRIES(rad2deg))

#define CALL_TWO(op, D, T, f, unused)  RK_BINARY(RK_SCALAR, op, D, T, T, op##f(a, b))
#define EXACT_TWO(op, D, T, f, unused) RK_BINARY(RK_KERNEL, op, D, T, T, op##f(a, b))
RK_FLOATS(CALL_TWO, atan2)
RK_FLOATS(CALL_TWO, hypot)
RK_FLOATS(EXACT_TWO, copysign)
RK_BINARY_ROW(ARCTAN2, RK_FLOATS(RK_BINARY_ENTRY, atan2))
RK_BINARY_ROW(HYPOT, RK_FLOATS(RK_BINARY_ENTRY, hypot))
RK_BINARY_ROW(COPYSIGN, RK_FLOATS(RK_BINARY_ENTRY, copysign))
