/* collections/table/chunk_layout: how a chunk lies in memory (chunk.h), for the files that make some. */
#ifndef RASK_COLLECTIONS_TABLE_CHUNK_LAYOUT_H
#define RASK_COLLECTIONS_TABLE_CHUNK_LAYOUT_H

#include "collections/table/chunk.h"

typedef struct rk_chunk_head {
    uint64_t rows, count;
} rk_chunk_head;

typedef struct rk_chunk_part {
    uint64_t type, values, valid, bytes, codes,
        texts; /* places, but for texts; valid, codes: 0, there are none */
} rk_chunk_part;

static inline size_t rk_chunk_padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

void rk_chunk_column_fini(rk_chunk_column *c); /* legal for a zeroed one */
/* Gives each row of a column with numbered texts its own again. RASK_OK, RASK_ENOMEM. */
int rk_chunk_column_spell(rk_chunk_column *c);
/* Bytes of a column that rk_chunk_put_column() writes, padding and all. */
size_t rk_chunk_column_size(const rk_chunk_column *c, uint64_t rows);
/* Writes a column to *at of data, which moves on; *part says where. */
void rk_chunk_put_column(const rk_chunk_column *c, uint64_t rows, char *data, size_t *at,
                         rk_chunk_part *part);

/* The padding of what lies between from and to is in its last word. */
static inline void rk_chunk_clear_padding(char *data, size_t from, size_t to)
{
    if (to > from)
        memset(data + to - sizeof(uint64_t), 0, sizeof(uint64_t));
}

/* Copies a text to where others follow it, up to to_end; from_end: of the bytes that it is in. Short ones, which
 * most are, go in one piece. Where the next one goes. */
static inline char *rk_chunk_copy_text(char *to, const char *to_end, const char *from, const char *from_end,
                                       size_t len)
{
    enum { PIECE = 16 };
    if (len <= PIECE && to_end - to >= PIECE && from_end - from >= PIECE)
        memcpy(to, from, PIECE);
    else if (len)
        memcpy(to, from, len);
    return to + len;
}

#endif
