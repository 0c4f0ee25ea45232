/* collections/table/groups/quantile: of float64, as NumPy's "linear". */
#ifndef RASK_COLLECTIONS_TABLE_GROUPS_QUANTILE_H
#define RASK_COLLECTIONS_TABLE_GROUPS_QUANTILE_H

#include <stddef.h>

/* Of count > 0 values in any order, q from 0 to 1; NaN when one is. Linear in count, whatever the values. */
double rk_quantile(const double *values, size_t count, double q);

#endif
