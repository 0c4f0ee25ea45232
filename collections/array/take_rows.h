/* collections/array/take_rows: numbers in order of the cells they lie in, and the rows that are taken by them. */
#ifndef RASK_COLLECTIONS_ARRAY_TAKE_ROWS_H
#define RASK_COLLECTIONS_ARRAY_TAKE_ROWS_H

#include "collections/array/take.h"

/* What one number asks for: a row of its cell, for a place in its stretch. */
typedef struct rk_pair {
    uint32_t row, place;
} rk_pair;

/* A stretch of the numbers, and what they count. Zeroed before it is filled, as all params. */
typedef struct rk_numbers {
    int64_t first, count; /* of all numbers */
    int64_t cells;
    int64_t axis, length; /* of the input */
} rk_numbers;

rk_numbers rk_taken_numbers(const rk_taken *t, int64_t first, int64_t count);

/* The pairs of a stretch, cell after cell; those of one cell stay as they follow each other. */
typedef struct rk_ordering {
    rk_pair *pairs;
    uint32_t *cell; /* of each number */
    uint32_t *ends; /* cells + 1 or more; where those of the cell before end */
} rk_ordering;

uint64_t rk_ordering_bytes(const rk_numbers *n);
/* In a task whose argument 1 are the numbers. bounds: cells + 1. RASK_OK, or the task's status and nothing to end. */
int rk_ordering_init(rk_ordering *o, rask_task *task, const rk_numbers *n, const int64_t *bounds);
void rk_ordering_fini(rk_ordering *o);

/* How a row, that is an element of the axis, lies in a chunk: outer times inner bytes. */
typedef struct rk_rows {
    int64_t outer, inner;
} rk_rows;

/* In a chunk that covers this region. */
rk_rows rk_taken_rows(const rk_taken *t, const rk_region *region);

static inline uint64_t rk_row_bytes(const rk_rows *r)
{
    return (uint64_t)(r->outer * r->inner);
}

/* The rows of n pairs, one after the other, out of a cell of so many. */
void rk_rows_gather(const rk_rows *r, int64_t length, int64_t n, const rk_pair *pairs, const char *in,
                    char *out);
/* And into their places in a chunk of so many. */
void rk_rows_scatter(const rk_rows *r, int64_t length, int64_t n, const rk_pair *pairs, const char *in,
                     char *out);

#endif
