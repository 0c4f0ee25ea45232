/* Downloads that stall and fail, until all are done, the time is up, or Ctrl-C is pressed.
 * Shows: retries, keep_going, a timeout, and a cancel token in a signal handler; the report tells what came
 * of it. */
#include <rask/rask.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { DOWNLOADS = 12 };

static rask_cancel_token *interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    rask_cancel(interrupted); /* safe in a signal handler */
}

/* Some servers need a second try, one is gone, and one never answers. A task that waits asks now and then
 * whether it should go on. */
static int download(rask_task *t)
{
    int64_t server = rask_arg_i64(t, 0);
    if (server == 7)
        return rask_fail(t, RASK_ENOENT, "server 7 is gone");
    if (server % 3 == 1 && !rask_task_attempt(t))
        return rask_fail(t, RASK_EIO, "the connection broke");
    int milliseconds = server == 10 ? 60000 : 20;
    for (; milliseconds > 0 && !rask_task_cancelled(t); milliseconds--)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return rask_return_i64(t, 100 * server);
}
RASK_SLOTS_WITH(download, (.flags = RASK_IO, .retries = 2, .timeout = 5));

static int download_all(const rask_options *o)
{
    rask_graph *g = rask_graph_new();
    rask_node *parts[DOWNLOADS];
    long long bytes;
    for (int i = 0; i < DOWNLOADS; i++)
        parts[i] = rask_delayed(g, download, i);
    int st = rask_compute_with(rask_sum(rask_list(g, parts, DOWNLOADS)), o, &bytes);
    if (st)
        printf("not all: %s\n", rask_graph_error(g));
    else
        printf("%lld bytes\n", bytes);
    rask_graph_free(g);
    return st;
}

int main(void)
{
    interrupted = rask_cancel_token_new();
    signal(SIGINT, on_interrupt);

    rask_report report;
    rask_options o = RASK_OPTIONS_INIT;
    o.keep_going = true; /* a failure ends only what depends on it */
    o.timeout = 0.5;     /* seconds for the whole run */
    o.cancel = interrupted;
    o.report = &report;
    int st = download_all(&o);
    printf("%u tasks: %u finished, %u failed, %u skipped; %llu retries\n", report.tasks, report.finished,
           report.failed, report.skipped, (unsigned long long)report.retries);

    rask_cancel_token_free(interrupted);
    return st != RASK_ETIMEDOUT && st != RASK_ECANCELLED; /* server 10 never answers, so one of these it is */
}
