/* core/observe/write: JSON into a stream, so that it may stand in a page, too. */
#ifndef RASK_CORE_OBSERVE_WRITE_H
#define RASK_CORE_OBSERVE_WRITE_H

#include <stdint.h>
#include <stdio.h>

/* In quotes. Bytes that are not UTF-8 become question marks; '<' is escaped, so that no text ends a script. */
void rk_put_string(FILE *out, const char *text);

/* Nanoseconds as microseconds with three decimals, whatever the locale has for a point. */
void rk_put_us(FILE *out, uint64_t ns);

#endif
