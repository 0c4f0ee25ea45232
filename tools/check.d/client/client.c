#include <rask/rask.h>

/* A program of its own: built against the installed library and run, to see that what is installed is enough.
 */

static double half(double x)
{
    return x / 2;
}
RASK_TASK(half, f64, f64);

int main(void)
{
    double answer = 0;
    rask_graph *g = rask_graph_new();
    rask_status st = rask_compute(rask_delayed(g, half, 84.0), &answer);
    rask_graph_free(g);
    return st != RASK_OK || answer < 42 || answer > 42;
}
