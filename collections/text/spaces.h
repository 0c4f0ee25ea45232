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

/* Ways to go over text, for different processors; they all give the same. */
typedef struct rk_spaces {
    const char *name;
    /* Where words begin and end in text[from … to), by turns, as positions in text; the first one is an end when a word runs on
     * to from (in_word). How many; RK_SPACE_CHUNK more may be written over. RK_SPACE_CHUNK readable bytes are behind to. */
    size_t (*word_edges)(const char *text, size_t from, size_t to, bool in_word, size_t *edges);
    /* The same of newlines. */
    size_t (*newlines)(const char *text, size_t from, size_t to, size_t *places);
    /* How many words there are: runs of bytes that are no white space. RK_SPACE_CHUNK readable bytes are behind text. */
    uint64_t (*count_words)(const char *text, size_t len);
    /* How many newlines are in so many chunks of RK_SPACE_CHUNK bytes. */
    uint64_t (*count_newlines)(const char *text, size_t chunks);
} rk_spaces;

/* Those that this processor has, the fastest first; NULL ends them. */
const rk_spaces *const *rk_spaces_ways(void);

/* By the fastest. */
static inline size_t rk_word_edges(const char *text, size_t from, size_t to, bool in_word, size_t *edges)
{
    return rk_spaces_ways()[0]->word_edges(text, from, to, in_word, edges);
}

static inline size_t rk_newline_places(const char *text, size_t from, size_t to, size_t *places)
{
    return rk_spaces_ways()[0]->newlines(text, from, to, places);
}

static inline uint64_t rk_count_words(const char *text, size_t len)
{
    return rk_spaces_ways()[0]->count_words(text, len);
}

/* Reads no byte beyond len. */
uint64_t rk_count_newlines(const char *text, size_t len);

/* Index of the first white space in text, len when there is none. Reads no byte beyond len. */
size_t rk_find_space(const char *text, size_t len);

/* The number of bytes up to the last white space in text, itself included; 0 when there is none. */
size_t rk_after_last_space(const char *text, size_t len);

#endif
