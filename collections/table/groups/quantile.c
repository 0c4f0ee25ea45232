#include "collections/table/groups/quantile.h"

#include "collections/table/order.h"

#include <math.h>
#include <string.h>

enum { FEW = 24 };

/* Value number k of few, sorted by insertion. */
static double select_of_few(const double *values, size_t count, size_t k)
{
    double sorted[FEW] = {0};
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > values[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = values[i];
    }
    return sorted[k];
}

/* Value number k in ascending order, from 0: byte by byte of its rank, from the highest. */
static double select_value(const double *values, size_t count, size_t k)
{
    if (count <= FEW)
        return select_of_few(values, count, k);
    uint64_t known = 0;
    for (int shift = 56; shift >= 0; shift -= 8) {
        size_t histogram[256] = {0}, byte = 0;
        for (size_t i = 0; i < count; i++) {
            uint64_t rank = rk_rank_f64(values[i], false);
            histogram[rank >> shift & 255] += shift == 56 || (rank ^ known) >> shift >> 8 == 0;
        }
        while (k >= histogram[byte])
            k -= histogram[byte++];
        known |= (uint64_t)byte << shift;
    }
    return rk_unrank_f64(known);
}

size_t rk_quantile_place(size_t count, double q, double *t)
{
    double at = q * (double)(count - 1);
    size_t below = (size_t)at < count - 1 ? (size_t)at : count - 1;
    *t = at - (double)below;
    return below;
}

double rk_quantile_between(double a, double b, double t)
{
    if (t <= 0 || a == b)
        return a + 0.0;
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

double rk_quantile(const double *values, size_t count, double q)
{
    double t;
    for (size_t i = 0; i < count; i++)
        if (values[i] != values[i])
            return (double)NAN;
    size_t below = rk_quantile_place(count, q, &t);
    double a = select_value(values, count, below);
    return rk_quantile_between(a, t > 0 ? select_value(values, count, below + 1) : a, t);
}
