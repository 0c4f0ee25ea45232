#include "core/json/json.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The table of well-formed sequences in RFC 3629: what may follow a first byte, and between which bounds the
 * second must lie so that nothing is overlong, a surrogate, or above U+10FFFF. */
size_t rk_utf8_length(const char *at, const char *end)
{
    const unsigned char *s = (const unsigned char *)at;
    if (at == end)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    size_t len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if ((size_t)(end - at) < len)
        return 0;
    unsigned low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool rk_utf8_valid(const char *text, size_t len)
{
    const char *end = text + len;
    while (text < end) {
        size_t step = rk_utf8_length(text, end);
        if (!step)
            return false;
        text += step;
    }
    return true;
}

void rk_base64_encode(const void *data, size_t len, char *out)
{
    const unsigned char *s = data;
    for (; len >= 3; len -= 3, s += 3) {
        *out++ = digits[s[0] >> 2];
        *out++ = digits[(s[0] & 3) << 4 | s[1] >> 4];
        *out++ = digits[(s[1] & 15) << 2 | s[2] >> 6];
        *out++ = digits[s[2] & 63];
    }
    if (!len)
        return;
    unsigned second = len == 2 ? s[1] : 0;
    *out++ = digits[s[0] >> 2];
    *out++ = digits[(s[0] & 3) << 4 | second >> 4];
    *out++ = '=';
    *out = '=';
    if (len == 2)
        out[-1] = digits[(second & 15) << 2];
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of 4 characters, the last pad of which are '='. Bits that padding leaves over must be 0. */
static bool decode_group(const char *text, size_t pad, char *out)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - pad ? digit_value(text[i]) : 0;
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i < 3; i++) {
        char byte = (char)(bits >> (16 - 8 * i));
        if (i < 3 - pad)
            out[i] = byte;
        else if (byte)
            return false;
    }
    return true;
}

bool rk_base64_decode(const char *text, size_t len, char *out, size_t *out_len)
{
    if (len % 4)
        return false;
    size_t pad = 0;
    while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < len; i += 4)
        if (!decode_group(text + i, i + 4 == len ? pad : 0, out + i / 4 * 3))
            return false;
    *out_len = len / 4 * 3 - pad;
    return true;
}
