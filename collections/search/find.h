/* collections/search/find: where a text has given bytes. */
#ifndef RASK_COLLECTIONS_SEARCH_FIND_H
#define RASK_COLLECTIONS_SEARCH_FIND_H

#include <stddef.h>

/* What to look for: at least one byte, which the user keeps. */
typedef struct rk_needle {
    const char *bytes;
    size_t len;
    size_t rare, other; /* places in it of the two bytes that text has least often */
} rk_needle;

rk_needle rk_needle_of(const char *bytes, size_t len);

/* The first place; len when there is none. */
size_t rk_find(const rk_needle *needle, const char *text, size_t len);

#endif
