/* collections/search/matcher: which lines of a text match a pattern, and where.
 *
 * A line is what stands before its \n or \r\n. Lines are not matched one by one: the text is searched for a match, and the
 * line around it is found, so that lines without a match cost next to nothing. */
#ifndef RASK_COLLECTIONS_SEARCH_MATCHER_H
#define RASK_COLLECTIONS_SEARCH_MATCHER_H

#include "collections/search/find.h"

#include <rask/base.h>

typedef struct rk_matcher rk_matcher; /* immutable, for any number of threads */

/* fixed: the pattern is the text to look for. RASK_EINVAL: it has a newline; RASK_EFORMAT, RASK_EUNSUPPORTED, RASK_ENOMEM: as
 * rk_regex_new(). Each with a message. */
int rk_matcher_new(const char *pattern, bool fixed, bool ignore_case, rk_matcher **out, char *message,
                   size_t capacity);
void rk_matcher_free(rk_matcher *matcher); /* NULL is legal */

/* What one thread needs. */
typedef struct rk_matching rk_matching;
/* RASK_OK, RASK_ENOMEM. matcher must outlive it. */
int rk_matching_new(const rk_matcher *matcher, rk_matching **out);
void rk_matching_free(rk_matching *matching); /* NULL is legal */

/* Lines next to each other, with what ends them. */
typedef struct rk_run {
    size_t begin, end;
} rk_run;

/* Begins with a text of whole lines, which must stay until all its runs were taken. inverted: lines without a match are
 * wanted. */
void rk_matching_begin(rk_matching *matching, const char *text, size_t len, bool inverted);

/* The next lines that are wanted (when not inverted, one): 1; 0: there are no more; -1: the pattern gave up on a line, which
 * begins at run->begin. */
int rk_matching_next(rk_matching *matching, rk_run *run);

/* The next match in a line, from *from on, that is not empty: 1 with [*from, *to), 0 or -1. line: without what ends it. */
int rk_matching_find(rk_matching *matching, const char *line, size_t len, size_t *from, size_t *to);

/* The length of a line, given with what ends it, without that. */
size_t rk_line_len(const char *line, size_t len);

#endif
