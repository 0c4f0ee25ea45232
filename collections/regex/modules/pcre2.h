/* collections/regex/modules/pcre2: what the module rask-pcre2 gives to the library: regular expressions over UTF-8, in
 * which bytes that are none match nothing. All calls are thread-safe; a memory serves one thread at a time. */
#ifndef RASK_COLLECTIONS_REGEX_MODULES_PCRE2_H
#define RASK_COLLECTIONS_REGEX_MODULES_PCRE2_H

#include "core/base/module.h"

#define RK_PCRE2_MODULE "rask-pcre2"

typedef struct rk_regex rk_regex;               /* a pattern, immutable */
typedef struct rk_regex_memory rk_regex_memory; /* what matching needs */

typedef struct rk_regex_allocator {
    void *(*alloc)(size_t size);
    void (*free)(void *ptr);
} rk_regex_allocator;

enum rk_regex_flag {
    RK_REGEX_IGNORE_CASE = 1 << 0,
    RK_REGEX_LINES = 1 << 1, /* ^ and $ match at the newlines in a text, too */
};

typedef struct rk_pcre2_module {
    rk_module_head head;
    /* RASK_OK, RASK_ENOMEM, or RASK_EFORMAT with the byte of the pattern and a message. */
    int (*compile)(const rk_regex_allocator *allocator, const char *pattern, size_t len, uint32_t flags,
                   rk_regex **out, size_t *at, char *message, size_t capacity);
    void (*free)(rk_regex *regex);
    uint32_t (*groups)(const rk_regex *regex);
    /* NULL: no memory. Serves all patterns with at most groups groups. */
    rk_regex_memory *(*memory_new)(const rk_regex_allocator *allocator, uint32_t groups);
    void (*memory_free)(rk_regex_memory *memory);
    /* 1: text has a match; then, unless NULL, [*from, *to) of group, SIZE_MAX both when that took no part. 0: it has none.
     * -1: gave up, after a million steps or with no memory. */
    int (*match)(const rk_regex *regex, rk_regex_memory *memory, const char *text, size_t len, uint32_t group,
                 size_t *from, size_t *to);
    /* The same of the first match that begins at or behind start; filled: that is not empty. */
    int (*search)(const rk_regex *regex, rk_regex_memory *memory, const char *text, size_t len, size_t start,
                  bool filled, size_t *from, size_t *to);
    /* Whether a search through a text costs no more than the way to the match. */
    bool (*is_fast)(const rk_regex *regex);
} rk_pcre2_module;

#endif
