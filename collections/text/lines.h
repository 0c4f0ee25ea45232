/* collections/text/lines: whole lines of a part of a file, many at a time.
 *
 * Parts that together are a file, as rk_text_split() cuts it, give every line of it exactly once. Of a plain file
 * [begin, end) gives the lines that begin there; of a compressed one, where nobody knows what came before begin, the lines
 * that begin behind begin's own first byte and up to that at end. The last line is read to its end, wherever that is. Lines
 * end with \n; what else they end with (\r) is theirs; the last one of a file may end without. A byte order mark before the
 * first one is left out. For who counts words,
 * "lines" may end with any white space (options->words). */
#ifndef RASK_COLLECTIONS_TEXT_LINES_H
#define RASK_COLLECTIONS_TEXT_LINES_H

#include "collections/text/buffer.h"

typedef struct rk_text_lines rk_text_lines;

/* As rk_text_reader_new(). */
int rk_text_lines_new(const rk_text_file *file, uint64_t begin, uint64_t end, const rk_text_options *options,
                      rk_text_lines **out, rk_text_error *error);

/* The next lines: *len bytes at *text, until the next call, with RK_TEXT_PADDING bytes behind them that may be looked at;
 * *len is 0 at the end only. For one thread at a time. Errors as of rk_text_reader_read(), and RASK_ELIMIT with the
 * line's number: a line that is longer than options->longest. */
int rk_text_lines_next(rk_text_lines *lines, const char **text, size_t *len, rk_text_error *error);

/* Where the lines that were given last begin: the position as of rk_text_buffer, and how many lines of this part came
 * before. */
uint64_t rk_text_lines_position(const rk_text_lines *lines);
uint64_t rk_text_lines_before(const rk_text_lines *lines);

/* How many lines of a file come before a part that begins at begin, for messages: reads them all. 0 when it cannot, as of a
 * stream. */
uint64_t rk_text_lines_until(const rk_text_file *file, uint64_t begin);

/* NULL is legal. */
void rk_text_lines_free(rk_text_lines *lines);

#endif
