#include "core/base/print.h"

#include <stdarg.h>
#include <stdio.h>

void rk_print_add(rk_print *out, const char *format, ...)
{
    size_t room = rk_print_room(out);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(room ? out->buffer + out->len : NULL, room, format, args);
    va_end(args);
    out->len += n > 0 ? (size_t)n : 0;
}
