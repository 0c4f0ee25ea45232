#include "number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reads_back(const char *text, double value, bool single)
{
    return single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

/* What printf wrote with %e or %f, whatever the locale's decimal point is. */
static void take_text(const char *text, bool scientific, number_decimal *out)
{
    bool behind = false, any = false;
    out->count = 0;
    out->exponent = -1;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9') {
            behind |= *text != '-';
            continue;
        }
        any |= *text != '0';
        if (any && out->count < NUMBER_DIGITS)
            out->digits[out->count++] = *text;
        out->exponent += any ? !behind : -behind;
    }
    if (scientific)
        out->exponent = *text ? atoi(text + 1) : 0;
    while (out->count > 1 && out->digits[out->count - 1] == '0')
        out->count--;
    if (!any) {
        out->digits[out->count++] = '0';
        out->exponent = 0;
    }
}

/* The last digit of "d.ddde+xx" up by one, unless it is a 9. */
static bool step_up(char *text, int precision)
{
    char *last = text + precision + (precision > 0);
    if (*last == '9')
        return false;
    ++*last;
    return true;
}

/* At powers of two the numbers that read back reach further up than down: the nearest decimal of so many digits may lie
 * below them, and the next one among them. */
void number_shortest(double value, bool single, number_decimal *out)
{
    char text[64];
    double magnitude = fabs(value);
    int most = single ? 8 : 16;
    out->negative = signbit(value);
    for (int precision = 0; precision <= most; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, magnitude);
        if (reads_back(text, magnitude, single))
            break;
        if (step_up(text, precision) && reads_back(text, magnitude, single))
            break;
    }
    take_text(text, true, out);
}

void number_exact(double value, bool scientific, int digits, number_decimal *out)
{
    char text[NUMBER_DIGITS];
    out->negative = signbit(value);
    snprintf(text, sizeof text, scientific ? "%.*e" : "%.*f", digits, fabs(value));
    take_text(text, scientific, out);
}

void number_rounded(double value, bool single, bool scientific, int digits, number_decimal *out)
{
    number_shortest(value, single, out);
    int behind = out->count - 1 - (scientific ? 0 : out->exponent);
    if (behind > digits)
        number_exact(value, scientific, digits, out);
}

/* d.ddde+xx or ddd.ddd; whole: what stands behind a number without a fraction in positional notation. */
static size_t write_finite(double value, bool single, const char *whole, char *text)
{
    number_decimal n;
    number_shortest(value, single, &n);
    double magnitude = fabs(value);
    char *at = text;
    if (n.negative)
        *at++ = '-';
    if (magnitude != 0 && (magnitude < 1e-4 || n.exponent >= 16)) {
        *at++ = n.digits[0];
        if (n.count > 1)
            at += sprintf(at, ".%.*s", n.count - 1, n.digits + 1);
        at += sprintf(at, "e%c%02d", n.exponent < 0 ? '-' : '+', abs(n.exponent));
        return (size_t)(at - text);
    }
    if (n.exponent < 0)
        at += sprintf(at, "0.%.*s%.*s", -n.exponent - 1, "000", n.count, n.digits);
    for (int i = 0; n.exponent >= 0 && (i <= n.exponent || i < n.count); i++) {
        if (i == n.exponent + 1)
            *at++ = '.';
        *at++ = i < n.count ? n.digits[i] : '0';
    }
    if (n.exponent >= n.count - 1)
        at = stpcpy(at, whole);
    *at = 0;
    return (size_t)(at - text);
}

static size_t write_number(double value, bool single, const char *whole, char *text)
{
    if (isnan(value))
        return (size_t)sprintf(text, "nan");
    if (isinf(value))
        return (size_t)sprintf(text, value < 0 ? "-inf" : "inf");
    return write_finite(value, single, whole, text);
}

const char *number_text(double value, bool single, char text[NUMBER_TEXT])
{
    write_number(value, single, ".0", text);
    return text;
}

const char *number_complex_text(double real, double imaginary, bool single, char text[NUMBER_COMPLEX])
{
    bool alone = real == 0 && !signbit(real);
    char *at = text;
    if (!alone) {
        *at++ = '(';
        at += write_number(real, single, "", at);
        if (!signbit(imaginary) || isnan(imaginary))
            *at++ = '+';
    }
    at += write_number(imaginary, single, "", at);
    strcpy(at, alone ? "j" : "j)");
    return text;
}
