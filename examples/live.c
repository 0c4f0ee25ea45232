/* A page that shows a run while it goes on: open the address that this prints. */
#include <rask/dashboard.h>
#include <rask/rask.h>

#include <stdio.h>
#include <unistd.h>

static int64_t weigh(int64_t part)
{
    usleep(2000 + 1000 * (useconds_t)(part % 5));
    return part % 7;
}
RASK_TASK(weigh, i64, i64);

enum { PARTS = 300 };

static rask_node *build(rask_graph *g)
{
    rask_node *parts[PARTS];
    for (int i = 0; i < PARTS; i++)
        parts[i] = rask_delayed(g, weigh, i);
    return rask_sum(rask_list(g, parts, PARTS));
}

int main(void)
{
    char error[400];
    int64_t answer = 0;
    rask_graph *g = rask_graph_new();
    rask_node *total = build(g);

    rask_dashboard *dashboard = NULL;
    rask_dashboard_options shown = RASK_DASHBOARD_OPTIONS_INIT;
    shown.title = "three hundred parts";
    shown.cancel = rask_cancel_token_new();
    if (rask_dashboard_open(&shown, &dashboard, error, sizeof error))
        fprintf(stderr, "not shown: %s\n", error);
    else
        fprintf(stderr, "shown at %s\n", rask_dashboard_url(dashboard));

    const rask_observer *observers[] = {rask_dashboard_observer(dashboard)};
    rask_options options = RASK_OPTIONS_INIT;
    options.observers = observers;
    options.observer_count = dashboard != NULL;
    options.cancel = shown.cancel;
    rask_status st = rask_compute_with(total, &options, &answer);
    rask_dashboard_close(dashboard);

    printf("%lld\n", (long long)answer);
    rask_cancel_token_free(shown.cancel);
    rask_graph_free(g);
    return st != RASK_OK || answer != 897;
}
