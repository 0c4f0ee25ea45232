/* collections/array/operand: numbers among arrays. */
#ifndef RASK_COLLECTIONS_ARRAY_OPERAND_H
#define RASK_COLLECTIONS_ARRAY_OPERAND_H

#include "collections/array/array.h"

/* The number as dtype has it: kind BOOL, I64, U64, F64 or C128 by dtype, rounded or wrapped, all other bytes 0. */
rask_operand rk_operand_cast(const rask_operand *number, rask_dtype dtype);

/* The number as one element of dtype. */
void rk_operand_store(const rask_operand *number, rask_dtype dtype, void *out);

/* A 0-d array that is a number. NULL, latched. */
rask_array *rk_array_scalar(rask_graph *graph, const rask_operand *number, rask_dtype dtype, const char *file,
                            int line);

/* The dtype of rk_operand_array()'s result: with only matters for numbers. RASK_DT_COUNT: NULL, or no operand. */
rask_dtype rk_operand_dtype(const rask_operand *operand, rask_dtype with);

/* Whether an integer is one of dtype's, where that is an integer; true for all other numbers and dtypes. */
bool rk_operand_fits(const rask_operand *number, rask_dtype dtype);

/* The smallest and largest integer; false when dtype is none of integers. */
bool rk_integer_limits(rask_dtype dtype, int64_t *low, uint64_t *high);

/* A number for messages. Returns buffer. */
const char *rk_operand_text(const rask_operand *number, char *buffer, size_t capacity);

#endif
