/* collections/array/linalg/contract: products of arrays of any number of axes, as products of matrices. */
#ifndef RASK_COLLECTIONS_ARRAY_LINALG_CONTRACT_H
#define RASK_COLLECTIONS_ARRAY_LINALG_CONTRACT_H

#include "collections/array/linalg/linalg.h"

/* The sum over inner axes of the products of a's elements and b's, one after the other for batch of axes that both have. a_order:
 * a's axes, first those of the batch, then its own, then the inner ones; b_order: batch, inner, own. Axes of the batch and inner
 * ones are as long in a as in b. The result has the axes of the batch, a's own, b's own. NULL, latched. */
rask_array *rk_contract(rask_array *a, const int *a_order, rask_array *b, const int *b_order, uint32_t batch,
                        uint32_t inner, const char *file, int line);

/* The sum along axes in a's own dtype: integers wrap, of bools it is whether any is true. NULL, latched. */
rask_array *rk_sum_as_products(rask_array *a, const int *axes, uint32_t count, bool keepdims,
                               const char *file, int line);

#endif
