/* Seeing what runs: a trace for a viewer, a profile by name, a page for a browser, and an observer of one's own. */
#include <rask/rask.h>

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static int64_t parse(int64_t part)
{
    usleep(500);
    return part % 7;
}
RASK_TASK(parse, i64, i64);

static int64_t merge(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK(merge, i64, i64, i64);

enum { PARTS = 200 };

/* The sum over all parts, as a tree. */
static rask_node *build(rask_graph *g)
{
    rask_node *nodes[PARTS];
    for (int i = 0; i < PARTS; i++)
        nodes[i] = rask_delayed(g, parse, i);
    for (int count = PARTS; count > 1; count = (count + 1) / 2)
        for (int i = 0; i < count; i += 2)
            nodes[i / 2] = i + 1 < count ? rask_delayed(g, merge, nodes[i], nodes[i + 1]) : nodes[i];
    return nodes[0];
}

static atomic_uint slow;

static void count_slow(void *context, const rask_task_info *task)
{
    uint64_t least_ns = *(const uint64_t *)context;
    if (task->status == RASK_OK && task->end_ns - task->start_ns >= least_ns)
        atomic_fetch_add(&slow, 1); /* called from all workers, at once */
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : NULL;
    char path[300], error[400], text[4000];
    rask_graph *g = rask_graph_new();
    rask_node *total = build(g);
    int64_t answer = 0;

    uint64_t least_ns = 100000;
    rask_observer own = {.size = sizeof own, .context = &least_ns, .task_finished = count_slow};
    rask_trace *trace = rask_trace_new(0);
    rask_profile *profile = rask_profile_new();
    const rask_observer *observers[] = {rask_trace_observer(trace), rask_profile_observer(profile), &own};
    rask_options options = RASK_OPTIONS_INIT;
    options.observers = observers;
    options.observer_count = 3;
    rask_status st = rask_compute_with(total, &options, &answer);

    printf("%lld, and %u tasks took 0.1 ms or more\n", (long long)answer, atomic_load(&slow));
    if (rask_profile_text(profile, text, sizeof text))
        fputs(text, stderr);
    if (!st && folder) {
        snprintf(path, sizeof path, "%s/trace.json", folder);
        st = rask_trace_write(trace, path, error, sizeof error);
        snprintf(path, sizeof path, "%s/report.html", folder);
        if (!st)
            st = rask_page_write(trace, profile, "two hundred parts", path, error, sizeof error);
        if (st)
            fprintf(stderr, "%s\n", error);
    }
    rask_trace_free(trace);
    rask_profile_free(profile);
    rask_graph_free(g);
    return st != RASK_OK || answer != 594;
}
