/* One plan, run for many inputs: the area under a curve between two ends, which move from run to run.
 * Shows: rask_input and rask_plan_bind, merging of equal calls, what a plan says of itself, the report of a
 * run. */
#include <rask/rask.h>
#include <stdio.h>

enum { STRIPS = 64 };

static double curve(double x)
{
    return x * x * (4 - x);
}

/* The place of cut number i of STRIPS between two ends. */
static double cut(double from, double to, long long i)
{
    return from + (to - from) * (double)i / STRIPS;
}

static double strip(double left, double right)
{
    return (right - left) * (curve(left) + 4 * curve((left + right) / 2) + curve(right)) /
           6; /* Simpson's rule */
}

/* Pure: equal calls may be merged. Each cut is the right end of one strip and the left end of the next. */
RASK_TASK_WITH(cut, (.flags = RASK_PURE), f64, f64, f64, i64);
RASK_TASK_WITH(strip, (.flags = RASK_PURE), f64, f64, f64);

static rask_node *area(rask_graph *g, rask_node *from, rask_node *to)
{
    rask_node *strips[STRIPS];
    for (int i = 0; i < STRIPS; i++)
        strips[i] =
            rask_delayed(g, strip, rask_delayed(g, cut, from, to, i), rask_delayed(g, cut, from, to, i + 1));
    return rask_sum(rask_list(g, strips, STRIPS));
}

/* The area between from and to; the plan's answer. */
static int area_between(rask_plan *plan, rask_node *const ends[2], double from, double to, double *answer)
{
    rask_report report;
    rask_options o = RASK_OPTIONS_INIT;
    o.report = &report;
    rask_value left = rask_value_f64(from), right = rask_value_f64(to), result;
    int st = rask_plan_bind(plan, ends[0], &left);
    if (!st)
        st = rask_plan_bind(plan, ends[1], &right);
    if (!st)
        st = rask_plan_run(plan, &o, &result);
    if (st)
        return st;
    st = rask_value_get_f64(&result, answer);
    printf("%.1f … %.1f: %.6f (%u tasks, %u workers)\n", from, to, *answer, report.finished, report.workers);
    return st;
}

int main(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *ends[2] = {rask_input(g, 0.0), rask_input(g, 1.0)}, *sum = area(g, ends[0], ends[1]);
    rask_plan *plan = NULL;
    int st = rask_plan_new(&sum, 1, &plan);

    char words[4096];
    if (!st && rask_plan_explain(plan, 0, words, sizeof words))
        puts(words);
    double whole = 0, part, parts = 0;
    if (!st)
        st = area_between(plan, ends, 0, 4, &whole);
    for (int i = 0; i < 4 && !st; i++) {
        st = area_between(plan, ends, i, i + 1, &part);
        parts += part;
    }
    if (st)
        fprintf(stderr, "plan_again: %s\n", rask_graph_error(g));
    else
        printf("the parts together: %.6f\n", parts);
    rask_plan_free(plan);
    rask_graph_free(g);
    return st != RASK_OK || whole - parts > 1e-9 || parts - whole > 1e-9;
}
