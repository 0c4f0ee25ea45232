/* Element types: names and promotion. */
#include "collections/array/array.h"

#include <string.h>

static const char *const names[RASK_DT_COUNT] = {"bool",    "int8",      "int16",     "int32",  "int64",
                                                 "uint8",   "uint16",    "uint32",    "uint64", "float32",
                                                 "float64", "complex64", "complex128"};

/* Other spellings: bytes after a letter and NumPy's words and letters, then bits after a letter where that is not the same
 * as some number of bytes. */
static const struct {
    const char *text;
    rask_dtype dtype;
} spellings[] = {
    {"b1", RASK_DT_BOOL},   {"?", RASK_DT_BOOL},       {"bool_", RASK_DT_BOOL},    {"i1", RASK_DT_I8},
    {"b", RASK_DT_I8},      {"byte", RASK_DT_I8},      {"i2", RASK_DT_I16},        {"h", RASK_DT_I16},
    {"short", RASK_DT_I16}, {"i4", RASK_DT_I32},       {"i", RASK_DT_I32},         {"intc", RASK_DT_I32},
    {"i8", RASK_DT_I64},    {"l", RASK_DT_I64},        {"q", RASK_DT_I64},         {"int", RASK_DT_I64},
    {"int_", RASK_DT_I64},  {"intp", RASK_DT_I64},     {"long", RASK_DT_I64},      {"longlong", RASK_DT_I64},
    {"u1", RASK_DT_U8},     {"B", RASK_DT_U8},         {"ubyte", RASK_DT_U8},      {"u2", RASK_DT_U16},
    {"H", RASK_DT_U16},     {"ushort", RASK_DT_U16},   {"u4", RASK_DT_U32},        {"I", RASK_DT_U32},
    {"uintc", RASK_DT_U32}, {"u8", RASK_DT_U64},       {"L", RASK_DT_U64},         {"Q", RASK_DT_U64},
    {"uint", RASK_DT_U64},  {"uintp", RASK_DT_U64},    {"ulonglong", RASK_DT_U64}, {"ulong", RASK_DT_U64},
    {"f4", RASK_DT_F32},    {"f", RASK_DT_F32},        {"single", RASK_DT_F32},    {"f8", RASK_DT_F64},
    {"d", RASK_DT_F64},     {"double", RASK_DT_F64},   {"float", RASK_DT_F64},     {"float_", RASK_DT_F64},
    {"c8", RASK_DT_C64},    {"F", RASK_DT_C64},        {"csingle", RASK_DT_C64},   {"c16", RASK_DT_C128},
    {"D", RASK_DT_C128},    {"cdouble", RASK_DT_C128}, {"complex", RASK_DT_C128},  {"complex_", RASK_DT_C128},
    {"i16", RASK_DT_I16},   {"i32", RASK_DT_I32},      {"i64", RASK_DT_I64},       {"u16", RASK_DT_U16},
    {"u32", RASK_DT_U32},   {"u64", RASK_DT_U64},      {"f32", RASK_DT_F32},       {"f64", RASK_DT_F64},
    {"c64", RASK_DT_C64},   {"c128", RASK_DT_C128},
};

const char *rask_dtype_name(rask_dtype dtype)
{
    return (unsigned)dtype < RASK_DT_COUNT ? names[dtype] : NULL;
}

static rask_dtype find(const char *text)
{
    for (unsigned i = 0; i < RASK_DT_COUNT; i++)
        if (!strcmp(text, names[i]))
            return (rask_dtype)i;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (!strcmp(text, spellings[i].text))
            return spellings[i].dtype;
    return RASK_DT_COUNT;
}

int rask_dtype_parse(const char *text, rask_dtype *dtype)
{
    if (!text || !dtype)
        return RASK_EINVAL;
    const char *bare = text + (*text && strchr("<>=|", *text) != NULL);
    rask_dtype found = find(bare);
    bool foreign = *text == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '>' : '<');
    if (found == RASK_DT_COUNT || (foreign && rask_dtype_size(found) > 1))
        return RASK_EINVAL;
    *dtype = found;
    return RASK_OK;
}

static rask_dtype wider(rask_dtype a, rask_dtype b)
{
    return a > b ? a : b;
}

/* An integer type of each sign: the signed one that holds both, or f64 when there is none. */
static rask_dtype promote_signs(rask_dtype is_signed, rask_dtype is_unsigned)
{
    if (rask_dtype_size(is_signed) > rask_dtype_size(is_unsigned))
        return is_signed;
    return is_unsigned == RASK_DT_U64 ? RASK_DT_F64 : (rask_dtype)(is_unsigned - RASK_DT_U8 + RASK_DT_I8 + 1);
}

/* Whether f32, alone or as half of c64, holds every value. */
static bool fits_f32(rask_dtype t)
{
    return t == RASK_DT_F32 || t == RASK_DT_C64 || rask_dtype_size(t) <= 2;
}

rask_dtype rask_dtype_promote(rask_dtype a, rask_dtype b)
{
    if ((unsigned)a >= RASK_DT_COUNT || (unsigned)b >= RASK_DT_COUNT)
        return RASK_DT_COUNT;
    if (rk_dtype_is_complex(a) || rk_dtype_is_complex(b))
        return fits_f32(a) && fits_f32(b) ? RASK_DT_C64 : RASK_DT_C128;
    if (rk_dtype_is_float(a) || rk_dtype_is_float(b))
        return fits_f32(a) && fits_f32(b) ? RASK_DT_F32 : RASK_DT_F64;
    if (rk_dtype_is_signed(a) && rk_dtype_is_unsigned(b))
        return promote_signs(a, b);
    if (rk_dtype_is_unsigned(a) && rk_dtype_is_signed(b))
        return promote_signs(b, a);
    return wider(a, b);
}
