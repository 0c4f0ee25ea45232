/* collections/array/keys: elements as unsigned integers that compare as the elements do.
 *
 * The order is NumPy's ascending one, NaN last, with -0 before +0 where the two are told apart; complex numbers go by their
 * real part (in which -0 is +0), then the imaginary one, and those with a NaN after all others. All NaN are one key. Keys of elements of
 * up to 4 bytes take 4 bytes, of 8 bytes (c64, too) 8, of c128 16. Pure functions, thread-safe. */
#ifndef RASK_COLLECTIONS_ARRAY_KEYS_H
#define RASK_COLLECTIONS_ARRAY_KEYS_H

#include "collections/array/array.h"

__extension__ typedef unsigned __int128 rk_u128;

/* Bytes of a key: 4, 8 or 16; and a dtype of that size, for blocks of keys. */
size_t rk_key_width(rask_dtype dtype);
rask_dtype rk_key_dtype(rask_dtype dtype);
/* Keys are below 2 to this power; for dtypes of keys of 4 or 8 bytes. */
uint32_t rk_key_bits(rask_dtype dtype);
/* The key of NaN, which is larger than all others; of dtypes without one: the largest there can be. For keys of 4 or 8
 * bytes; c64 has several, this is the first. */
uint64_t rk_key_nan(rask_dtype dtype);

/* n elements to keys, and back. one_zero: -0 gets the key of +0. */
void rk_keys_make(rask_dtype dtype, size_t n, const void *in, bool one_zero, void *keys);
void rk_keys_back(rask_dtype dtype, size_t n, const void *keys, void *out);
/* Turns their order around. */
void rk_keys_invert(size_t width, size_t n, void *keys);
/* The key means NaN, or a complex number with one. */
bool rk_key_is_nan(rask_dtype dtype, const void *key);

/* Sorts n keys; scratch has room for as many. */
void rk_keys_sort(size_t width, size_t n, void *keys, void *scratch);
/* Sorts them with the indices that belong to them; equal keys stay in order. scratch: n keys, then n indices. */
void rk_keys_sort_indices(size_t width, size_t n, void *keys, int64_t *indices, void *key_scratch,
                          int64_t *index_scratch);
/* Moves keys such that the one at place k is the one that sorting would put there, smaller ones before it and larger
 * ones behind. scratch as for sorting. */
void rk_keys_select(size_t width, size_t n, void *keys, size_t k, void *scratch);
/* Sorted keys to the distinct ones, and how often each was there (in counts, when not NULL: NULL weights count 1). Returns
 * how many they are. In place. */
size_t rk_keys_unite(size_t width, size_t n, void *keys, const int64_t *weights, int64_t *counts);
/* How many of n sorted keys are less than key. */
size_t rk_keys_below(size_t width, size_t n, const void *keys, rk_u128 key);
/* The key at place k. */
rk_u128 rk_key_at(size_t width, const void *keys, size_t k);

#endif
