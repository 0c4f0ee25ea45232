/* Arrays on standard output, as NumPy prints them. */
#ifndef ARRAY_TEXT_H
#define ARRAY_TEXT_H

#include <rask/value.h>

#include <stdio.h>

enum {
    ARRAY_TEXT_ALL =
        1000,            /* elements that are printed all; of larger arrays those at the ends of each axis: */
    ARRAY_TEXT_EDGE = 3, /* so many at each */
};

/* What is printed of an array. */
typedef struct array_edges {
    rask_dtype dtype;
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS]; /* of the array */
    int64_t kept
        [RASK_MAX_DIMENSIONS]; /* elements per axis in data: shape's, or 2 * ARRAY_TEXT_EDGE where it is more */
    bool cut;                  /* there are more elements than in data */
    const void *data;          /* C order */
} array_edges;

/* Fills in kept and cut for an array's dtype and shape, and says how many elements data is to have; INT64_MAX: too
 * many to print. */
int64_t array_edges_init(array_edges *edges, rask_dtype dtype, uint32_t ndim, const int64_t *shape);

/* As str() of NumPy 2, with a newline: numbers so that they read back, elements of arrays to 8 digits. */
void array_text_print(FILE *out, const array_edges *edges);

/* All elements, nothing cut: {"dtype":"float64","shape":[2],"data":[1.5,"nan"]} with a newline. What JSON has no number
 * for is a string, a complex number a pair. */
void array_text_json(FILE *out, const array_edges *edges);

#endif
