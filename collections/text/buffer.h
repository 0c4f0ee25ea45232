/* collections/text/buffer: what was read and not yet taken, as whole as its consumer needs it.
 *
 * The bytes not taken are data[begin … used - 1]; RK_TEXT_PADDING zeroed bytes stand behind them, so that whoever looks at
 * them in large steps may look beyond. A consumer who finds no whole record there asks for more, and the buffer moves and
 * grows as it must: pointers into it hold until then. */
#ifndef RASK_COLLECTIONS_TEXT_BUFFER_H
#define RASK_COLLECTIONS_TEXT_BUFFER_H

#include "collections/text/reader.h"

#include <assert.h>

enum { RK_TEXT_PADDING = 64 };

typedef struct rk_text_buffer {
    char *data;
    size_t begin, used, capacity;
    size_t ceiling;    /* most bytes of capacity */
    uint64_t position; /* of data[begin]: in the file of a plain one, else in what the reader makes */
} rk_text_buffer;

/* A buffer of block bytes, 0: RK_TEXT_BLOCK, that grows to ceiling bytes, 0: RK_MAX_TEXT_LINE. RASK_ENOMEM. */
int rk_text_buffer_init(rk_text_buffer *buffer, size_t block, size_t ceiling, uint64_t position);
/* Legal for a zeroed buffer. */
void rk_text_buffer_fini(rk_text_buffer *buffer);

/* Reads at most most bytes behind those not taken (0: as many as fit), growing a buffer that is full or nearly so; *got is
 * 0 at the reader's end only. Errors are the reader's, and RASK_ELIMIT: the bytes not taken fill the ceiling. */
int rk_text_buffer_more(rk_text_buffer *buffer, rk_text_reader *reader, size_t most, size_t *got,
                        rk_text_error *error);

static inline const char *rk_text_buffer_data(const rk_text_buffer *buffer)
{
    return buffer->data + buffer->begin;
}

static inline size_t rk_text_buffer_len(const rk_text_buffer *buffer)
{
    return buffer->used - buffer->begin;
}

static inline void rk_text_buffer_take(rk_text_buffer *buffer, size_t count)
{
    assert(count <= buffer->used - buffer->begin);
    buffer->begin += count;
    buffer->position += count;
}

#endif
