#include "core/observe/write.h"

#include "core/json/json.h"

#include <inttypes.h>
#include <string.h>

static void put_escaped(FILE *out, unsigned char c)
{
    if (c == '"' || c == '\\')
        fprintf(out, "\\%c", c);
    else
        fprintf(out, "\\u%04x", c);
}

void rk_put_string(FILE *out, const char *text)
{
    const char *end = text + strlen(text);
    putc('"', out);
    while (text < end) {
        size_t step = rk_utf8_length(text, end);
        unsigned char c = (unsigned char)*text;
        if (!step)
            putc('?', out);
        else if (c < ' ' || c == '"' || c == '\\' || c == '<' || c == 0x7f)
            put_escaped(out, c);
        else
            (void)fwrite(text, 1, step, out);
        text += step ? step : 1;
    }
    putc('"', out);
}

void rk_put_us(FILE *out, uint64_t ns)
{
    fprintf(out, "%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));
}
