/* The integral of a function with a needle in it, by halving intervals until each is exact enough: many near the needle, few
 * elsewhere, which nobody knows beforehand.
 * Shows: a graph that grows as deep as it must, and comes to the same bits whatever the workers do. */
#include <math.h>
#include <rask/rask.h>
#include <stdatomic.h>
#include <stdio.h>

static const double PLACE = 0.3, WIDTH = 1e-4, TOLERANCE = 1e-6;

static atomic_int intervals, deepest;

static double needle(double x)
{
    return 1 / (WIDTH * WIDTH + (x - PLACE) * (x - PLACE));
}

static double simpson(double from, double to)
{
    return (to - from) / 6 * (needle(from) + 4 * needle((from + to) / 2) + needle(to));
}

static void note(int depth)
{
    int most = atomic_load(&deepest);
    atomic_fetch_add(&intervals, 1);
    while (depth > most && !atomic_compare_exchange_weak(&deepest, &most, depth)) {
    }
}

static int integral(rask_task *t);
RASK_SLOTS(integral);

/* (from, to, tolerance, depth): exact enough, or the sum of its halves. */
static int integral(rask_task *t)
{
    double from = rask_arg_f64(t, 0), to = rask_arg_f64(t, 1), tolerance = rask_arg_f64(t, 2),
           middle = (from + to) / 2;
    int64_t depth = rask_arg_i64(t, 3);
    double whole = simpson(from, to), halves = simpson(from, middle) + simpson(middle, to);
    note((int)depth);
    if (fabs(halves - whole) < 15 * tolerance && depth > 3)
        return rask_return_f64(t, halves + (halves - whole) / 15);
    rask_graph *g = rask_task_graph(t);
    rask_node *parts[2] = {rask_delayed(g, integral, from, middle, tolerance / 2, depth + 1),
                           rask_delayed(g, integral, middle, to, tolerance / 2, depth + 1)};
    return rask_return_node(t, rask_sum(rask_list(g, parts, 2)));
}

static int compute(const rask_options *o, double *area)
{
    rask_graph *g = rask_graph_new();
    int status = rask_compute_with(rask_delayed(g, integral, 0, 1, TOLERANCE, 0), o, area);
    if (status)
        fprintf(stderr, "grow_quadrature: %s\n", rask_graph_error(g));
    rask_graph_free(g);
    return status;
}

int main(void)
{
    double exact = (atan((1 - PLACE) / WIDTH) + atan(PLACE / WIDTH)) / WIDTH, area, again;
    rask_options serial = RASK_OPTIONS_INIT;
    serial.scheduler = "serial";
    if (compute(NULL, &area))
        return 1;
    printf("%.9f, %.1e from the truth, by %d intervals, down to 1/2^%d\n", area, fabs(area - exact),
           intervals, deepest);
    if (compute(&serial, &again))
        return 1;
    printf("the same bits on one thread: %s\n", area == again ? "yes" : "no");
    return area == again && fabs(area - exact) < 10 * TOLERANCE ? 0 : 1;
}
