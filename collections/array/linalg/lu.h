/* collections/array/linalg/lu: the packed factors that lu and solve are made of.
 *
 * Of a matrix a of rows × columns: an array of (columns, rows + 1), cut into panels of RK_LU_PANEL columns of a; each
 * panel is column-major as it lies, of leading dimension rows + 1. Column j has u above and on the diagonal and l below
 * it, as LAPACK packs them, with the rows in the order that panel's own pivoting left them, and in its last element the
 * bits of an int32_t: the row that was exchanged with row j. */
#ifndef RASK_COLLECTIONS_ARRAY_LINALG_LU_H
#define RASK_COLLECTIONS_ARRAY_LINALG_LU_H

#include "collections/array/linalg/linalg.h"

enum { RK_LU_PANEL = 256 };

/* a, a matrix as rk_linalg_matrix() gives it, factored. NULL, latched. */
rask_array *rk_lu_factors(rask_array *a, const char *file, int line);

/* Columns of panel number p that have pivots. */
static inline int64_t rk_lu_width(int64_t panel, int64_t pivots)
{
    return rk_most(0, rk_least(RK_LU_PANEL, pivots - panel * RK_LU_PANEL));
}

/* Argument index as a panel of so many columns. 0, or the task's status. */
int rk_lu_panel(rask_task *task, size_t index, rask_dtype dtype, int64_t rows, int64_t columns,
                rask_block *block);
/* The row exchanged with row `row` of that panel, whose first column is `first`. Never outside the matrix. */
int64_t rk_lu_pivot(const rask_block *panel, int64_t first, int64_t row);

/* Exchanges of panel number `number` (count of them) in columns of x, of leading dimension rows. */
void rk_lu_exchange(const rask_block *panel, int64_t number, int64_t count, void *x, int64_t rows,
                    int64_t columns);

#endif
