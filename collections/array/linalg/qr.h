/* collections/array/linalg/qr: QR of tall matrices by a tree, for qr, svd and lstsq. */
#ifndef RASK_COLLECTIONS_ARRAY_LINALG_QR_H
#define RASK_COLLECTIONS_ARRAY_LINALG_QR_H

#include "collections/array/linalg/linalg.h"

/* a = q r of a matrix as rk_linalg_matrix() gives it: q has min(rows, columns) columns and r as many rows; the diagonal of
 * r is real and not negative. q may be NULL: then none is made. Either comes as NULL, latched. */
void rk_qr(rask_array *a, rask_array **q, rask_array **r, const char *file, int line);

#endif
