/* core/observe/write: JSON into a stream, so that it may stand in a page, too. */
#ifndef RASK_CORE_OBSERVE_WRITE_H
#define RASK_CORE_OBSERVE_WRITE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* In quotes. Bytes that are not UTF-8 become question marks; '<' is escaped, so that no text ends a script. */
void rk_put_string(FILE *out, const char *text);

/* Nanoseconds as microseconds with three decimals, whatever the locale has for a point. */
void rk_put_us(FILE *out, uint64_t ns);

/* The same for what is written a million times: by hand, into a buffer before the stream, which has its own place and order only
 * after rk_pen_flush(). Failures are the stream's. */
typedef struct rk_pen {
    FILE *out;
    size_t len;
    char bytes[1 << 14];
} rk_pen;

void rk_pen_flush(rk_pen *pen);
void rk_pen_add(rk_pen *pen, const char *bytes, size_t len);
void rk_pen_number(rk_pen *pen, uint64_t number);
void rk_pen_us(rk_pen *pen, uint64_t ns);
void rk_pen_string(rk_pen *pen, const char *text);

static inline void rk_pen_text(rk_pen *pen, const char *text)
{
    rk_pen_add(pen, text, strlen(text));
}

#endif
