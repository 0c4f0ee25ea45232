/* collections/table/tail: where the last rows of files begin, found from their end.
 *
 * Where a record begins can be known from behind only where no quotes are: a newline may stand between two of them. So this is
 * for what has none of them in its last rows. */
#ifndef RASK_COLLECTIONS_TABLE_TAIL_H
#define RASK_COLLECTIONS_TABLE_TAIL_H

#include "collections/table/csv_source.h"

typedef struct rk_tail {
    uint32_t file;
    uint64_t at; /* a record's beginning in it; 0: all of the file is needed */
} rk_tail;

/* The last rows records of all files are in this file from there on, and in the files behind it. Where nobody knows without
 * reading what is before, as with quotes, compressed files and streams, and where nothing can be read, it is the beginning of
 * the first file. */
rk_tail rk_tail_find(const rk_csv_source *source, uint64_t rows);

/* Leaves out the parts before it. Those that are left keep their numbers. */
void rk_tail_cut(rk_tail tail, rk_csv_part *parts, uint32_t *count);

#endif
