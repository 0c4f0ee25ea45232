/* collections/table/arrow/buffers: a column as Arrow's buffers, for whoever gives it to others in memory or in a file.
 *
 * int64, float64, timestamps and text stay where they are; of numbered text the numbers become 32 bits; bools, dates and what says where nulls are become bits and 32-bit
 * numbers, in memory of their own, as does text that is not UTF-8: what is wrong in it becomes U+FFFD. */
#ifndef RASK_COLLECTIONS_TABLE_ARROW_BUFFERS_H
#define RASK_COLLECTIONS_TABLE_ARROW_BUFFERS_H

#include "collections/table/chunk.h"

typedef struct rk_arrow_buffer {
    const void *data; /* NULL: there is none, or it is empty */
    size_t size;      /* bytes */
    void *own;        /* data, when it was made here */
} rk_arrow_buffer;

typedef struct rk_arrow_buffers {
    uint32_t count;
    rk_arrow_buffer buffers[3]; /* where nulls are; values, or where text ends; bytes of text */
    uint64_t nulls;
} rk_arrow_buffers;

#define RK_ARROW_NULLS   "n" /* of a column without values, which has no buffers */
#define RK_ARROW_INDICES "i" /* format of what rk_arrow_indices_init() makes */

/* "l", … */
const char *rk_arrow_format_of(rask_column_type type);

/* RASK_OK, RASK_ENOMEM; RASK_ERANGE: a date that 32 bits do not hold. */
int rk_arrow_buffers_init(rk_arrow_buffers *b, const rask_column *column, uint64_t rows);
/* The same for the numbers of a column whose text is numbered, which are the indices of a dictionary, */
int rk_arrow_indices_init(rk_arrow_buffers *b, const rk_stored *stored, uint64_t rows);
/* and for that dictionary. */
int rk_arrow_texts_init(rk_arrow_buffers *b, const rk_stored *stored);
/* Puts memory of the same heap in place of a buffer. */
void rk_arrow_buffer_replace(rk_arrow_buffer *b, void *own, size_t size);
void rk_arrow_buffers_fini(rk_arrow_buffers *b); /* legal for zeroed ones */

#endif
