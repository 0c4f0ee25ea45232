/* collections/text/spaces: finding white space, 64 bytes at a time. */
#ifndef RASK_COLLECTIONS_TEXT_SPACES_H
#define RASK_COLLECTIONS_TEXT_SPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RK_SPACE_CHUNK = 64 };

/* Space, \t, \n, \v, \f, \r: nothing else parts words, whatever the locale. */
static inline bool rk_is_space(char byte)
{
    return byte == ' ' || (unsigned char)(byte - '\t') <= '\r' - '\t';
}

/* Bit i is set when text[i] is white space. All of RK_SPACE_CHUNK bytes are read. */
uint64_t rk_space_mask(const char *text);

/* The same of newlines. */
uint64_t rk_newline_mask(const char *text);

uint64_t rk_count_newlines(const char *text, size_t len);

/* How many words there are: runs of bytes that are no white space. RK_SPACE_CHUNK readable bytes are behind text. */
uint64_t rk_count_words(const char *text, size_t len);

/* Index of the first white space in text, len when there is none. Reads no byte beyond len. */
size_t rk_find_space(const char *text, size_t len);

/* The number of bytes up to the last white space in text, itself included; 0 when there is none. */
size_t rk_after_last_space(const char *text, size_t len);

#endif
