/* collections/syntax/nearest: of the names that there are, the one that a misspelt name means. */
#ifndef RASK_COLLECTIONS_SYNTAX_NEAREST_H
#define RASK_COLLECTIONS_SYNTAX_NEAREST_H

#include <stddef.h>

typedef struct rk_nearest {
    const char *text; /* what was written */
    size_t len;
    const char *name; /* the nearest so far, NULL: none is near */
    size_t name_len;
    unsigned distance;
} rk_nearest;

/* Nothing considered yet. What is written longer than 32 bytes is near to nothing. */
rk_nearest rk_nearest_to(const char *text, size_t len);

/* Keeps name, which must outlive n, when it is nearer than those before. */
void rk_nearest_consider(rk_nearest *n, const char *name, size_t len);

#endif
