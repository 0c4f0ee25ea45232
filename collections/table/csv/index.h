/* collections/table/csv/index: where fields and records end, found 64 bytes at a time.
 *
 * The idea is that of Langdale and Lemire, "Parsing gigabytes of JSON per second": comparisons give a bit for each byte,
 * and the places within quotes are the prefix sums of the quotes' bits. It holds for text in which quotes only enclose
 * whole fields; where they do not, and where a comment begins, the index is broken off. */
#ifndef RASK_COLLECTIONS_TABLE_CSV_INDEX_H
#define RASK_COLLECTIONS_TABLE_CSV_INDEX_H

#include "collections/table/csv/csv.h"

typedef struct rk_csv_extent {
    size_t ends;     /* of fields, found */
    size_t newlines; /* among them */
    size_t bytes;    /* looked at; when counting: to where the last record ends */
    bool quoted;     /* there are quotes */
    bool broken;     /* text behind bytes needs a closer look */
} rk_csv_extent;

/* Writes the ends of fields in text, which begins where a record begins, to ends[0 …], with room for len + 64. Stops
 * when there are enough, or a little later. */
rk_csv_extent rk_csv_index(const rk_csv_format *format, const char *text, size_t len, uint32_t *ends,
                           size_t enough);

/* Only counts the newlines that end records; with blanks, an empty line breaks it off. */
rk_csv_extent rk_csv_index_count(const rk_csv_format *format, const char *text, size_t len, bool blanks);

/* Newlines in text, quoted or not. */
uint64_t rk_csv_newlines(const char *text, size_t len);

#endif
