#include "collections/array/files/dtype_text.h"

#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#    define NATIVE  "<"
#    define FOREIGN '>'
#else
#    define NATIVE  ">"
#    define FOREIGN '<'
#endif

static const char *const typestrs[RASK_DT_COUNT] = {
    [RASK_DT_BOOL] = "|b1",        [RASK_DT_I8] = "|i1",        [RASK_DT_I16] = NATIVE "i2",
    [RASK_DT_I32] = NATIVE "i4",   [RASK_DT_I64] = NATIVE "i8", [RASK_DT_U8] = "|u1",
    [RASK_DT_U16] = NATIVE "u2",   [RASK_DT_U32] = NATIVE "u4", [RASK_DT_U64] = NATIVE "u8",
    [RASK_DT_F32] = NATIVE "f4",   [RASK_DT_F64] = NATIVE "f8", [RASK_DT_C64] = NATIVE "c8",
    [RASK_DT_C128] = NATIVE "c16",
};

const char *rk_typestr(rask_dtype dtype)
{
    return typestrs[dtype];
}

bool rk_typestr_parse(const char *text, size_t len, rask_dtype *dtype, bool *swapped)
{
    static const char orders[] = {'<', '>', '=', '|'};
    bool ordered = len && memchr(orders, text[0], sizeof orders);
    const char *kind = text + ordered;
    len -= ordered;
    for (int i = 0; i < RASK_DT_COUNT; i++) {
        if (strlen(typestrs[i] + 1) != len || memcmp(typestrs[i] + 1, kind, len) != 0)
            continue;
        *dtype = (rask_dtype)i;
        *swapped = ordered && text[0] == FOREIGN && rask_dtype_size(*dtype) > 1;
        return true;
    }
    return false;
}
