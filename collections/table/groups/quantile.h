/* collections/table/groups/quantile: of float64, as NumPy's "linear". */
#ifndef RASK_COLLECTIONS_TABLE_GROUPS_QUANTILE_H
#define RASK_COLLECTIONS_TABLE_GROUPS_QUANTILE_H

#include <stddef.h>

/* Of count > 0 values in any order, q from 0 to 1; NaN when one is. Linear in count, whatever the values. */
double rk_quantile(const double *values, size_t count, double q);

/* Which of count > 0 values in order, from 0, a quantile is; or *t > 0 of the way from there to the next one. */
size_t rk_quantile_place(size_t count, double q, double *t);
/* t of the way from a to b. */
double rk_quantile_between(double a, double b, double t);

#endif
