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

void rk_print_bytes(rk_print *out, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double shown = (double)bytes;
    size_t unit = 0;
    for (; shown >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
        shown /= 1024;
    rk_print_add(out, unit ? "%.1f %s" : "%.0f %s", shown, units[unit]);
}
