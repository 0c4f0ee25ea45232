/* collections/table/csv/numbers: many short numbers at once, where the processor has vectors.
 *
 * A number is the eight bytes from its first on, with whatever stands behind it, and its length. Results are those of parse.h,
 * bit for bit; what is no number, or too long for eight bytes behind a sign, is left to it. */
#ifndef RASK_COLLECTIONS_TABLE_CSV_NUMBERS_H
#define RASK_COLLECTIONS_TABLE_CSV_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

enum { RK_NUMBERS = 64 }; /* most at once */

/* Whether the calls below do anything on this processor; else they leave all to parse.h. */
bool rk_csv_numbers_there(void);

/* For i < count <= RK_NUMBERS, out[i] becomes the number of words[i] (as rk_load64() loads it) and lens[i]; out has room for
 * count. Returns a bit for each that was left out, whose out[i] means nothing. */
uint64_t rk_csv_doubles(const uint64_t *words, const uint64_t *lens, uint32_t count, double *out);
uint64_t rk_csv_integers(const uint64_t *words, const uint64_t *lens, uint32_t count, int64_t *out);

#endif
