#include "collections/files/npy_head.h"

#include <stdio.h>
#include <string.h>

enum { PREFIX = 10, ALIGNMENT = 64 };

size_t rk_npy_head(const char *descr, const char *shape, bool fortran, char header[RK_NPY_HEADER_ROOM])
{
    static const char magic[] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
    int len = snprintf(header + PREFIX, RK_NPY_HEADER_ROOM - PREFIX,
                       "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr,
                       fortran ? "True" : "False", shape);
    size_t used = PREFIX + (size_t)len + 1, whole = (used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    memset(header + used - 1, ' ', whole - used);
    header[whole - 1] = '\n';
    memcpy(header, magic, sizeof magic);
    header[8] = (char)((whole - PREFIX) & 0xff);
    header[9] = (char)((whole - PREFIX) >> 8);
    return whole;
}
