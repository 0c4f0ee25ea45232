/* collections/text/shared: files that can only be read front to back (streams, what is compressed in one piece), read by
 * several tasks together: each takes the next piece of whole lines, or words, of any of them. So one task decompresses
 * while others look at what came before. In which order pieces are taken, and by whom, is not known. */
#ifndef RASK_COLLECTIONS_TEXT_SHARED_H
#define RASK_COLLECTIONS_TEXT_SHARED_H

#include "collections/text/lines.h"
#include "collections/text/parts.h"

typedef struct rk_text_shared rk_text_shared;

/* Nothing is opened yet. files and what ranges says of them outlive it. Of options: block, longest, words. RASK_ENOMEM. */
int rk_text_shared_new(const rk_text_files *files, const rk_text_range *ranges, uint32_t count,
                       const rk_text_options *options, rk_text_shared **out);
/* NULL is legal. Nobody is taking pieces. */
void rk_text_shared_free(rk_text_shared *shared);

/* Bytes that the reader of one of them takes, about, a piece included. */
size_t rk_text_shared_bytes(void);

/* A piece, in memory of the taker's: *piece is zeroed at first, used again and again, and ended with rk_free() of data. */
typedef struct rk_text_piece {
    char *data; /* with RK_TEXT_PADDING bytes behind len */
    size_t len, capacity;
} rk_text_piece;

/* Takes the next piece, of file first modulo their number as long as that has one and nobody else is reading it; len is 0
 * when all have ended. cancelled(context) is asked while it waits. For any number of threads. Errors as of
 * rk_text_lines_next(): the first one is everybody's. */
int rk_text_shared_take(rk_text_shared *shared, uint32_t first, bool (*cancelled)(void *context),
                        void *context, rk_text_piece *piece, rk_text_error *error);

#endif
