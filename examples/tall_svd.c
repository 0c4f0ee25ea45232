/* The principal directions of many points: a tall matrix, decomposed block by block without ever being in memory as a
 * whole. Shows: random numbers that are the same whatever the chunks, linear algebra, results as blocks. */
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <string.h>

enum { POINTS = 400000, FEATURES = 6 }; /* 18 MiB */

/* Points that spread ever less along the axes, and a little noise. */
static rask_array *points(rask_graph *g)
{
    static double spread[FEATURES] = {32, 16, 8, 4, 2, 1};
    rask_block widths = {
        .dtype = RASK_DT_F64, .ndim = 1, .shape = {FEATURES}, .strides = {sizeof(double)}, .data = spread};
    rask_array *noise = rask_array_normal(g, 7, 0, 1, POINTS, FEATURES);
    return rask_array_mul(noise, rask_array_from_block(g, &widths, false));
}

int main(void)
{
    rask_graph *g = rask_graph_new();
    rask_array *u, *s, *vt;
    rask_options o = RASK_OPTIONS_INIT;
    o.memory = 64 << 20;
    int st = rask_array_svd(points(g), &u, &s, &vt);
    double values[FEATURES], directions[FEATURES][FEATURES];
    rask_block out[2] = {
        {.dtype = RASK_DT_F64, .ndim = 1, .shape = {FEATURES}, .strides = {sizeof(double)}, .data = values},
        {.dtype = RASK_DT_F64,
         .ndim = 2,
         .shape = {FEATURES, FEATURES},
         .strides = {sizeof directions[0], sizeof(double)},
         .data = directions}};
    if (!st)
        st = rask_array_compute((rask_array *[]){s, vt}, 2, &o, out);
    if (st == RASK_EUNSUPPORTED) {
        printf("tall_svd: %s\n", rask_graph_error(g));
        rask_graph_free(g);
        return 0;
    }
    if (st)
        fprintf(stderr, "tall_svd: %s\n", rask_graph_error(g));
    bool right = !st;
    for (int i = 0; i < FEATURES && !st; i++) {
        double deviation = values[i] / sqrt(POINTS), expected = ldexp(32, -i);
        printf("direction %d: deviation %6.3f, mostly along axis %d (%.4f)\n", i, deviation, i,
               fabs(directions[i][i]));
        right &= fabs(deviation / expected - 1) < 0.01 && fabs(directions[i][i]) > 0.99;
    }
    rask_graph_free(g);
    return !right;
}
