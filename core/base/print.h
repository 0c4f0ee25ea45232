/* core/base/print: text into a buffer of fixed size that goes on counting behind its end, as snprintf does.
 */
#ifndef RASK_CORE_BASE_PRINT_H
#define RASK_CORE_BASE_PRINT_H

#include <stddef.h>
#include <stdint.h>

typedef struct rk_print {
    char *buffer;    /* may be NULL when capacity is 0 */
    size_t capacity; /* with the NUL that is always there when capacity is not 0 */
    size_t len;      /* of the text, had there been room */
} rk_print;

void rk_print_add(rk_print *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "1.5 GiB" */
void rk_print_bytes(rk_print *out, uint64_t bytes);

/* Bytes of room that are left, with the NUL. */
static inline size_t rk_print_room(const rk_print *out)
{
    return out->len < out->capacity ? out->capacity - out->len : 0;
}

#endif
