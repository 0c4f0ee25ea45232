/* Finding white space, 64 bytes at a time. */
#ifndef WORDS_SCAN_H
#define WORDS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_CHUNK = 64 };

/* Space, \t, \n, \v, \f, \r: nothing else parts words, whatever the locale. */
static inline bool words_is_space(char byte)
{
    return byte == ' ' || (unsigned char)(byte - '\t') <= '\r' - '\t';
}

/* Bit i is set when text[i] is white space. All of WORDS_CHUNK bytes are read. */
uint64_t words_space_mask(const char *text);

/* Index of the first white space in text, len when there is none. Reads no byte beyond len. */
size_t words_find_space(const char *text, size_t len);

/* The number of bytes up to the last white space in text, itself included; 0 when there is none. */
size_t words_after_last_space(const char *text, size_t len);

#endif
