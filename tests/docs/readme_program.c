/* The README's first program, and what it leaves to imagine. */
static const char *file_name(int number);

#include <rask/rask.h>
#include <stdio.h>

static double total_sales(const char *path); /* an ordinary function: adds up a column of a file */
RASK_TASK(total_sales, f64, str);            /* one line makes it a task: result, then arguments */

int main(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *parts[10];
    for (int i = 0; i < 10; i++)
        parts[i] = rask_delayed(g, total_sales, file_name(i)); /* nothing runs yet */
    rask_node *total = rask_sum(rask_list(g, parts, 10));

    double answer;
    rask_status st = rask_compute(total, &answer); /* now, on all cores */
    if (st)
        fprintf(stderr, "sales: %s\n", rask_graph_error(g)); /* names the task, why, and who needed it */
    else
        printf("%.2f\n", answer);
    rask_graph_free(g); /* the one free */
    return st != RASK_OK;
}

static const char *file_name(int number)
{
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    return names[number];
}

static double total_sales(const char *path)
{
    return path[0] - '0' + 0.25;
}
