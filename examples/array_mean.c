/* The mean of an expression over two files of numbers that together are eight times the memory it may use.
 * Shows: arrays from files and into files, scalars mixed in, a memory budget, what a run reports. */
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 2000, COLUMNS = 4000 }; /* 61 MiB a file */

/* Two files of random numbers, written chunk by chunk, in one pass. */
static int make_files(rask_graph *g, const rask_options *o)
{
    const rask_store_target files[2] = {
        {.array = rask_array_uniform(g, 1, 0, 1, ROWS, COLUMNS), .path = "a.npy"},
        {.array = rask_array_normal(g, 2, 0, 1, ROWS, COLUMNS), .path = "b.npy"}};
    return rask_array_store(files, 2, o);
}

int main(void)
{
    rask_report report;
    rask_options o = RASK_OPTIONS_INIT;
    o.memory = 16 << 20;
    o.report = &report;

    char folder[] = "/tmp/rask-array-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder))
        return EXIT_FAILURE;
    rask_graph *g = rask_graph_new();
    int st = make_files(g, &o);

    rask_array *a = rask_array_open(g, "a.npy", NULL), *b = rask_array_open(g, "b.npy", NULL);
    rask_array *m = rask_array_mean(rask_array_square(rask_array_add(rask_array_mul(a, 2.5), b)), RASK_ALL);
    double mean = 0;
    if (!st)
        st = rask_compute_with(m, &o, &mean);
    if (st)
        fprintf(stderr, "array_mean: %s\n", rask_graph_error(g));
    else
        printf("mean %.6f, %u tasks, at most %.1f MiB of results and windows\n", mean, report.tasks,
               (double)report.peak_bytes / (1 << 20));
    rask_graph_free(g);
    remove("a.npy");
    remove("b.npy");
    rmdir(folder);
    /* (2.5 u + n)²: 6.25 / 3 + 1 on average, for u from 0 to 1 and n around 0 */
    return st != RASK_OK || mean < 3.07 || mean > 3.09;
}
