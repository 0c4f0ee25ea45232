/* A function that crashes on some inputs, as a parser of files from outside may. In worker processes a crash ends a worker,
 * not the program: the worker is replaced, and only the task that several workers died of fails.
 * Shows: the processes scheduler, keep_going, a large result that is read where it was written. */
#include <rask/rask.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <stdio.h>

enum { PAGES = 8, BROKEN = 5, PIXELS = 1 << 20 };

/* Draws a page: a million pixels, written into memory that the program will read. */
static int render(rask_task *t)
{
    int64_t page = rask_arg_i64(t, 0), shape[] = {PIXELS};
    rask_block block;
    rask_value picture;
    if (page == BROKEN)
        abort();
    int status = rask_value_block_alloc(RASK_DT_U8, 1, shape, &block, &picture);
    if (status)
        return rask_fail(t, status, "no memory for a picture");
    memset(block.data, (int)page, PIXELS);
    return rask_return_value(t, picture);
}
RASK_SLOTS(render);

static int darkness(rask_task *t)
{
    rask_block block;
    int64_t sum = 0;
    if (rask_arg_block(t, 0, &block))
        return RASK_ETYPE;
    for (int64_t i = 0; i < block.shape[0]; i++)
        sum += ((const uint8_t *)block.data)[i];
    printf("a page of darkness %lld\n", (long long)sum / PIXELS);
    return rask_return_i64(t, sum);
}
RASK_SLOTS_WITH(darkness, (.flags = RASK_HERE)); /* it prints: in the program itself */

static int no_core_files(void *context, uint32_t worker)
{
    (void)context, (void)worker;
    return setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

int main(void)
{
    rask_graph *g = rask_graph_new();
    rask_node *pages[PAGES];
    for (int i = 0; i < PAGES; i++)
        pages[i] = rask_delayed(g, darkness, rask_delayed(g, render, i));

    rask_report report;
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "processes";
    o.workers = 2;
    o.keep_going = true;
    o.worker_init = no_core_files;
    o.report = &report;
    int64_t sum;
    int st = rask_compute_with(rask_sum(rask_list(g, pages, PAGES)), &o, &sum);
    printf("%s\n%u of %u tasks finished\n", rask_graph_error(g), report.finished, report.tasks);
    rask_graph_free(g);
    return st == RASK_EDIED ? 0 : 1; /* page 5 is broken */
}
