/* Adds up a column of ten CSV files at once, one task a file. The files are made first, in a temporary
 * folder. Shows: a plain function as a task, delayed calls, a built-in reduction, an error that names the
 * task. */
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES = 10, ROWS = 1000 };

/* The sum of the second column of a CSV file. A function that cannot fail takes and returns plain C types
 * (RASK_TASK); this one can, so it takes the task, from which it has its arguments and to which it answers. */
static int total_sales(rask_task *t)
{
    char line[256];
    double amount, total = 0;
    const char *path = rask_arg_str(t, 0);
    FILE *file = fopen(path, "r");
    if (!file)
        return rask_fail(t, RASK_ENOENT, path);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%*[^,],%lf", &amount) == 1)
            total += amount;
    fclose(file);
    return rask_return_f64(t, total);
}
RASK_SLOTS(total_sales); /* one line makes it a task */

static const char *file_name(const char *folder, int i)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/sales-%d.csv", folder, i);
    return path;
}

static int make_file(const char *path, int seed)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fputs("name,amount\n", file);
    for (int row = 0; row < ROWS; row++)
        fprintf(file, "customer %d,%d.25\n", row, (seed * 31 + row * 7) % 100);
    return fclose(file);
}

/* The whole of Rask in one function: build, compute, look at the one status, free. */
static int add_up(const char *folder)
{
    rask_graph *g = rask_graph_new();
    rask_node *parts[FILES];
    for (int i = 0; i < FILES; i++)
        parts[i] = rask_delayed(g, total_sales, file_name(folder, i)); /* nothing runs yet */
    rask_node *total = rask_sum(rask_list(g, parts, FILES));

    double answer;
    rask_status st = rask_compute(total, &answer); /* on threads, unless told otherwise */
    if (st)
        fprintf(stderr, "sales: %s\n", rask_graph_error(g));
    else
        printf("%.2f\n", answer);
    rask_graph_free(g); /* the one free: nodes belong to the graph */
    return st != RASK_OK;
}

int main(void)
{
    char folder[] = "/tmp/rask-sales-XXXXXX";
    int failed = !mkdtemp(folder);
    if (failed) {
        perror("sales");
        return 1;
    }
    for (int i = 0; i < FILES && !failed; i++)
        failed = make_file(file_name(folder, i), i);
    if (!failed)
        failed = add_up(folder);
    for (int i = 0; i < FILES; i++)
        unlink(file_name(folder, i));
    rmdir(folder);
    return failed != 0;
}
