/* Ten pictures that are downloaded, two at a time, and sharpened on the one GPU there is.
 * Shows: limits by name and by tag; calls that are repeated after a while, when it is worth it. */
#include <rask/rask.h>
#include <stdio.h>
#include <time.h>

enum { PICTURES = 10 };

/* Every third server is busy at first; one has no such picture, and asking again is no use. */
static int download(rask_task *t)
{
    int64_t picture = rask_arg_i64(t, 0);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    if (picture == 7)
        return rask_fail(t, RASK_ENOENT, "there is no picture 7");
    if (picture % 3 == 0 && !rask_task_attempt(t))
        return rask_fail(t, RASK_EIO, "the server is busy");
    return rask_return_i64(t, 1000 + picture);
}

static bool worth_it(int status, uint32_t attempt)
{
    (void)attempt;
    return status != RASK_ENOENT;
}
RASK_SLOTS_WITH(download, (.flags = RASK_IO, .retries = 3, .backoff = 0.01, .retry_if = worth_it));

static int64_t sharpen(int64_t picture)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return picture + 1;
}
RASK_TASK_WITH(sharpen, (.tags = "gpu"), i64, i64);

static int sharpen_all(const rask_options *o)
{
    rask_graph *g = rask_graph_new();
    rask_node *pictures[PICTURES];
    rask_value results[PICTURES];
    for (int i = 0; i < PICTURES; i++)
        pictures[i] = rask_delayed(g, sharpen, rask_delayed(g, download, i));
    int st = rask_compute_values(pictures, PICTURES, o, results);
    if (st)
        printf("not all: %s\n", rask_graph_error(g));
    for (int i = 0; i < PICTURES && !st; i++)
        rask_value_unref(&results[i]);
    rask_graph_free(g);
    return st;
}

int main(void)
{
    rask_report report;
    rask_options o = RASK_OPTIONS_INIT;
    o.limits = "download=2"; /* and not a word about the GPU that "sharpen" takes: a mistake, found at once */
    o.keep_going = true;
    o.report = &report;
    int forgotten = sharpen_all(&o);

    o.limits = "download=2,gpu=1";
    int st = sharpen_all(&o);
    printf("%u of %u tasks finished, after %llu more tries\n", report.finished, report.tasks,
           (unsigned long long)report.retries);
    return !(forgotten == RASK_EINVAL && st == RASK_ENOENT && report.finished == 18 && report.retries == 4);
}
