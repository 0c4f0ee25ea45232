/* collections/regex: regular expressions, through the module rask-pcre2, which is looked for when the first one is compiled.
 *
 * They are PCRE2's, over UTF-8; bytes that are none match nothing. All calls are thread-safe; a memory serves one thread at
 * a time. */
#ifndef RASK_COLLECTIONS_REGEX_REGEX_H
#define RASK_COLLECTIONS_REGEX_REGEX_H

#include "collections/regex/modules/pcre2.h"

/* Compiles a pattern; flags: of rk_regex_flag. RASK_ENOMEM; RASK_EFORMAT: with the byte of it; RASK_EUNSUPPORTED: the
 * module is not installed: message says so, and what to install. */
int rk_regex_new(const char *pattern, size_t len, uint32_t flags, rk_regex **out, char *message,
                 size_t capacity);
void rk_regex_free(rk_regex *regex); /* NULL is legal */
/* Groups in brackets. */
uint32_t rk_regex_groups(const rk_regex *regex);

/* For all patterns with at most groups groups. NULL: no memory. */
rk_regex_memory *rk_regex_memory_new(uint32_t groups);
void rk_regex_memory_free(rk_regex_memory *memory); /* NULL is legal */

/* As of rk_pcre2_module. */
int rk_regex_match(const rk_regex *regex, rk_regex_memory *memory, const char *text, size_t len,
                   uint32_t group, size_t *from, size_t *to);
int rk_regex_search(const rk_regex *regex, rk_regex_memory *memory, const char *text, size_t len,
                    size_t start, bool filled, size_t *from, size_t *to);
bool rk_regex_is_fast(const rk_regex *regex);

#endif
