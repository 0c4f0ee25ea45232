/* The memory budget on worker processes: it holds for all of them together, whatever anybody knew of sizes before. */
#include "leftovers.h"
#include "support.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(processes_memory);

#define MIB ((int64_t)1 << 20)

typedef struct counts {
    atomic_int calls, arrived;
} counts;

static int64_t address_of(const counts *c)
{
    return (int64_t)(intptr_t)c;
}

/* (counts, bytes, number, so many of which come together): bytes of which nobody was told. */
static int make(rask_task *t)
{
    counts *c = (counts *)(intptr_t)rask_arg_i64(t, 0);
    size_t len = (size_t)rask_arg_i64(t, 1);
    char *data;
    rask_value value;
    atomic_fetch_add(&c->calls, 1);
    atomic_fetch_add(&c->arrived, 1);
    while (atomic_load(&c->arrived) < rask_arg_i64(t, 3))
        sleep_ms(1);
    if (rask_value_bytes_alloc(len, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    memset(data, (int)rask_arg_i64(t, 2), len);
    return rask_return_value(t, value);
}
RASK_SLOTS(make);

static int weigh(rask_task *t)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < rask_arg_count(t); i++)
        bytes += (int64_t)rask_arg_bytes(t, i).len;
    return rask_return_i64(t, bytes);
}
RASK_SLOTS(weigh);

/* -- What is resident */

/* Of a process and the processes that it forked: shared pages are shared out among those who share them. */
static uint64_t pss_of(long pid)
{
    char path[64], line[128];
    unsigned long kib, total = 0;
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %lu", &kib) == 1)
            total = kib;
    if (file)
        fclose(file);
    return (uint64_t)total << 10;
}

enum { MOST_CHILDREN = 16 };

static int find_children(long *pids)
{
    int count = 0;
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *at; (at = readdir(threads));) {
        char path[300];
        snprintf(path, sizeof path, "/proc/self/task/%s/children", at->d_name);
        FILE *file = fopen(path, "r");
        while (file && count < MOST_CHILDREN && fscanf(file, "%ld", &pids[count]) == 1)
            count++;
        if (file)
            fclose(file);
    }
    closedir(threads);
    return count;
}

static uint64_t pss_of_all(void)
{
    long pids[MOST_CHILDREN];
    uint64_t sum = pss_of(getpid());
    for (int i = find_children(pids); i-- > 0;)
        sum += pss_of(pids[i]);
    return sum;
}

typedef struct sampling {
    atomic_bool over;
    uint64_t most;
    int samples;
} sampling;

/* Processes are read one after the other, and pages that just moved count twice: of two looks the lower counts. */
static void *sample(void *context)
{
    sampling *s = context;
    for (uint64_t before = 0; !atomic_load(&s->over); s->samples++) {
        uint64_t now = pss_of_all(), lower = now < before ? now : before;
        s->most = lower > s->most ? lower : s->most;
        before = now;
        sleep_ms(1);
    }
    return NULL;
}

/* So many results of a size that nobody told, all made before any is used. */
static rask_node *make_then_weigh(rask_graph *g, counts *c, int many, int64_t bytes)
{
    rask_node *made[64], *weighed[64];
    cr_assert_leq(many, 64);
    for (int i = 0; i < many; i++)
        made[i] = rask_delayed(g, make, address_of(c), bytes + i % 3 * bytes / 2, i, 0);
    for (int i = 0; i < many; i++)
        weighed[i] = rask_after(rask_delayed(g, weigh, made[i]), made, (size_t)many);
    return rask_sum(rask_list(g, weighed, (size_t)many));
}

/* A process's own: its stack, its tables, what its allocator keeps. */
#define OWN_MEMORY (3 * (uint64_t)MIB)

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
Test(processes_memory, what_all_processes_hold_stays_within_the_budget)
{
    enum { WORKERS = 3, MANY = 60 };
    leftovers left = look_around();
    rask_graph *g = rask_graph_new();
    counts *c = shared_calloc(sizeof *c);
    rask_options o = processes(WORKERS);
    rask_report report;
    sampling s = {.most = 0};
    pthread_t id;
    int64_t sum;
    o.memory = (uint64_t)(32 * MIB);
    o.report = &report;
    rask_node *target = make_then_weigh(g, c, MANY, 3 * MIB);
    uint64_t before = pss_of_all();
    cr_assert_gt(before, 0, "this system does not tell what is resident");
    cr_assert_eq(pthread_create(&id, NULL, sample, &s), 0);
    cr_assert_eq(rask_compute_with(target, &o, &sum), RASK_OK, "%s", rask_graph_error(g));
    atomic_store(&s.over, true);
    pthread_join(id, NULL);
    cr_assert_eq(sum, MANY / 3 * 3 * MIB * 9 / 2);
    cr_assert_gt(s.samples, 10);
    cr_assert_gt(s.most, before + o.memory / 2, "it was worth the trouble");
    cr_assert_leq(s.most, before + o.memory + o.memory / 16 + (WORKERS + 1) * OWN_MEMORY,
                  "%llu KiB more than before", (unsigned long long)(s.most - before) >> 10);
    cr_assert_leq(report.peak_bytes, o.memory);
    cr_assert_gt(report.spilled_bytes, 3 * o.memory);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
    nothing_is_left_since(left);
}
#endif

/* -- What is counted */

Test(processes_memory, a_run_of_few_large_results_is_told_to_have_held_them_and_no_more)
{
    rask_graph *g = rask_graph_new();
    counts *c = shared_calloc(sizeof *c);
    rask_options o = processes(2);
    rask_report report;
    int64_t sum;
    o.memory = (uint64_t)(256 * MIB);
    o.report = &report;
    cr_assert_eq(rask_compute_with(make_then_weigh(g, c, 3, 2 * MIB), &o, &sum), RASK_OK);
    cr_assert_geq(report.peak_bytes, 9 * MIB, "all three were there at once");
    cr_assert_leq(report.peak_bytes, 9 * MIB + MIB / 16);
    cr_assert_eq(report.spilled_bytes, 0);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
}

static rask_value same(const rask_value *value)
{
    return rask_value_ref(value);
}
RASK_TASK(same, value, value);

/* A chain of tasks that return their argument holds it once; in twice its size they all have room, and what they share is
 * counted as long as one of them is there. */
Test(processes_memory, what_results_share_counts_once)
{
    rask_graph *g = rask_graph_new();
    counts *c = shared_calloc(sizeof *c);
    rask_options o = processes(2);
    rask_report report;
    rask_node *chain[8], *weighed[9];
    int64_t sum;
    o.memory = (uint64_t)(16 * MIB);
    o.report = &report;
    rask_node *made = chain[0] = rask_delayed(g, make, address_of(c), 8 * MIB, 1, 0);
    for (int i = 1; i < 8; i++)
        chain[i] = rask_delayed(g, same, chain[i - 1]);
    for (int i = 0; i < 8; i++)
        weighed[i] = rask_after(rask_delayed(g, weigh, chain[i]), chain, 8);
    weighed[8] =
        rask_delayed(g, weigh, rask_after(rask_delayed(g, make, address_of(c), 7 * MIB, 2, 0), &made, 1));
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, weighed, 9)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(sum, 64 * MIB + 7 * MIB);
    cr_assert_leq(report.peak_bytes, o.memory);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
}

/* -- Who waits for whom */

/* Each needs more than half of the budget, and both are under way when they find out. */
Test(processes_memory, of_tasks_that_do_not_fit_at_once_the_first_goes_on_and_the_last_runs_again)
{
    leftovers left = look_around();
    rask_graph *g = rask_graph_new();
    counts *c = shared_calloc(sizeof *c);
    rask_options o = processes(2);
    rask_report report;
    int64_t sum;
    o.memory = (uint64_t)(16 * MIB);
    o.report = &report;
    rask_node *nodes[2];
    for (int i = 0; i < 2; i++)
        nodes[i] = rask_delayed(g, weigh, rask_delayed(g, make, address_of(c), 15 * MIB, i, 2),
                                rask_delayed(g, make, address_of(c), 100 + i, i, 0));
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 2)), &o, &sum), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(sum, 30 * MIB + 201);
    cr_assert_leq(report.peak_bytes, o.memory);
    cr_assert_eq(report.finished, report.tasks);
    cr_assert_eq(report.retries, 0, "nothing failed");
    rask_graph_free(g);
    shared_free(c, sizeof *c);
    nothing_is_left_since(left);
}

/* (counts, bytes, pieces): takes them one by one, and gives how much they were. */
static int take_by_and_by(rask_task *t)
{
    rask_value pieces[64];
    int64_t many = rask_arg_i64(t, 2);
    char *data;
    int status = RASK_OK;
    for (int64_t i = 0; i < many; i++) {
        status = rask_value_bytes_alloc((size_t)rask_arg_i64(t, 1), &data, &pieces[i]);
        if (!status)
            memset(data, 1, (size_t)rask_arg_i64(t, 1));
        else
            many = i;
    }
    if (!status)
        status = rask_return_list(t, pieces, (size_t)many);
    for (int64_t i = 0; i < many; i++)
        rask_value_unref(&pieces[i]);
    return status;
}
RASK_SLOTS(take_by_and_by);

static int64_t count_items(const rask_value *value)
{
    const rask_value *items;
    size_t count;
    return rask_value_get_list(value, &items, &count) ? -1 : (int64_t)count;
}
RASK_TASK(count_items, i64, value);

/* On any number of workers, threads and lanes: whoever waits is helped in the end. */
Test(processes_memory, tasks_that_grow_side_by_side_all_come_to_their_results)
{
    static const struct {
        uint32_t workers, threads;
    } setups[] = {{1, 1}, {2, 1}, {1, 3}, {4, 2}};
    for (size_t k = 0; k < sizeof setups / sizeof *setups; k++) {
        rask_graph *g = rask_graph_new();
        counts *c = shared_calloc(sizeof *c);
        rask_options o = processes(setups[k].workers);
        rask_report report;
        rask_node *nodes[24];
        int64_t sum;
        o.worker_threads = setups[k].threads;
        o.memory = (uint64_t)(8 * MIB);
        o.report = &report;
        for (int i = 0; i < 24; i++)
            nodes[i] = rask_delayed(g, count_items,
                                    rask_delayed(g, take_by_and_by, address_of(c), 100000, 20 + i % 7 * 6));
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 24)), &o, &sum), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_assert_eq(sum, 20 * 24 + 6 * (3 * 21 + 0 + 1 + 2));
        cr_assert_leq(report.peak_bytes, o.memory);
        cr_assert_eq(report.finished, report.tasks);
        rask_graph_free(g);
        shared_free(c, sizeof *c);
    }
}

Test(processes_memory, a_result_that_never_fits_is_an_error_with_the_figures)
{
    for (int keep_going = 0; keep_going < 2; keep_going++) {
        leftovers left = look_around();
        rask_graph *g = rask_graph_new();
        counts *c = shared_calloc(sizeof *c);
        rask_options o = processes(2);
        rask_report report;
        int64_t sum;
        o.memory = (uint64_t)(16 * MIB);
        o.keep_going = keep_going;
        o.retries = 2;
        o.report = &report;
        rask_node *small = rask_delayed(g, make, address_of(c), MIB, 1, 0),
                  *large = rask_after(rask_delayed(g, make, address_of(c), 40 * MIB, 2, 0), &small, 1);
        cr_assert_eq(rask_compute_with(rask_delayed(g, weigh, small, large), &o, &sum), RASK_EBUDGET, "%s",
                     rask_graph_error(g));
        cr_assert(strstr(rask_graph_error(g), "task make (node "), "%s", rask_graph_error(g));
        cr_assert(strstr(rask_graph_error(g), "needs 41943"), "%s", rask_graph_error(g));
        cr_assert(strstr(rask_graph_error(g), "the memory budget is 16777216"), "%s", rask_graph_error(g));
        cr_assert_eq(report.failed, 1);
        cr_assert_leq(report.peak_bytes, o.memory);
        rask_graph_free(g);
        shared_free(c, sizeof *c);
        nothing_is_left_since(left);
    }
}

/* (bytes): does without what it cannot have. */
static int be_modest(rask_task *t)
{
    rask_value value;
    char *data;
    bool had = !rask_value_bytes_alloc((size_t)rask_arg_i64(t, 0), &data, &value);
    if (had)
        rask_value_unref(&value);
    return rask_return_i64(t, had);
}
RASK_SLOTS(be_modest);

/* What it gives would depend on what others hold. */
/* Not even to be found too many: nothing comes back from disk. */
Test(processes_memory, targets_that_do_not_fit_together_are_an_error_and_stay_on_disk)
{
    enum { COUNT = 6 };
    leftovers left = look_around();
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    rask_report report;
    rask_node *all[COUNT];
    rask_value values[COUNT];
    counts c = {0};
    o.memory = 16 * MIB;
    o.report = &report;
    for (int keep_going = 0; keep_going < 2; keep_going++) {
        for (int64_t i = 0; i < COUNT; i++)
            all[i] = rask_delayed(g, make, address_of(&c), 6 * MIB, i, 0);
        o.keep_going = keep_going;
        cr_assert_eq(rask_compute_values(all, COUNT, &o, values), RASK_EBUDGET, "%s", rask_graph_error(g));
        cr_expect(strstr(rask_graph_error(g), "take 3774"), "%s", rask_graph_error(g));
        cr_expect_leq(report.peak_bytes, (uint64_t)o.memory);
        cr_expect_gt(report.spilled_bytes, 0);
        cr_expect_eq(report.read_back_bytes, 0);
        nothing_is_left_since(left);
    }
    rask_graph_free(g);
}

Test(processes_memory, what_a_task_does_without_memory_that_it_asked_for_is_no_result)
{
    rask_graph *g = rask_graph_new();
    rask_options o = processes(4);
    rask_node *nodes[20];
    int64_t sum;
    o.memory = (uint64_t)(16 * MIB);
    for (int i = 0; i < 20; i++)
        nodes[i] = rask_delayed(g, be_modest, 12 * MIB);
    rask_node *all = rask_sum(rask_list(g, nodes, 20));
    cr_assert_eq(rask_compute_with(all, &o, &sum), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(sum, 20);
    o.memory = (uint64_t)(8 * MIB);
    cr_assert_eq(rask_compute_with(all, &o, &sum), RASK_EBUDGET);
    rask_graph_free(g);
}

/* Who waits for memory hears that the run is over. */
Test(processes_memory, a_run_out_of_time_ends_those_who_wait_for_memory)
{
    leftovers left = look_around();
    rask_graph *g = rask_graph_new();
    counts *c = shared_calloc(sizeof *c), *never = shared_calloc(sizeof *c);
    rask_options o = processes(2);
    rask_value result;
    o.memory = (uint64_t)(16 * MIB);
    o.timeout = 0.3;
    rask_node *held =
                  rask_set_result_bytes(rask_delayed(g, make, address_of(never), 14 * MIB, 1, 9), 14 * MIB),
              *waits = rask_delayed(g, make, address_of(c), 12 * MIB, 2, 0), *both[2] = {held, waits};
    cr_assert_eq(rask_compute_with(rask_list(g, both, 2), &o, &result), RASK_ETIMEDOUT, "%s",
                 rask_graph_error(g));
    rask_graph_free(g);
    shared_free(c, sizeof *c);
    shared_free(never, sizeof *never);
    nothing_is_left_since(left);
}

/* (counts): promised most of the budget, until it has ended the process that waits for the rest. */
static int hold_and_kill(rask_task *t)
{
    counts *c = (counts *)(intptr_t)rask_arg_i64(t, 0);
    while (!atomic_load(&c->arrived))
        sleep_ms(1);
    sleep_ms(100); /* by then it asks */
    kill(atomic_load(&c->arrived), SIGKILL);
    sleep_ms(100); /* what died would run again now, were there room for it */
    return rask_return_str(t, "kept");
}
RASK_SLOTS(hold_and_kill);

/* (counts, bytes): more than is left. */
static int want_more(rask_task *t)
{
    counts *c = (counts *)(intptr_t)rask_arg_i64(t, 0);
    char *data;
    rask_value value;
    if (!atomic_fetch_add(&c->calls, 1))
        atomic_store(&c->arrived, (int)getpid());
    if (rask_value_bytes_alloc((size_t)rask_arg_i64(t, 1), &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    memset(data, 1, (size_t)rask_arg_i64(t, 1));
    return rask_return_value(t, value);
}
RASK_SLOTS(want_more);

Test(processes_memory, a_worker_that_dies_while_it_waits_for_memory_is_replaced_and_its_task_runs_again)
{
    leftovers left = look_around();
    rask_graph *g = rask_graph_new();
    counts *c = shared_calloc(sizeof *c);
    rask_options o = processes(2);
    rask_report report;
    int64_t bytes;
    o.memory = (uint64_t)(16 * MIB);
    o.report = &report;
    rask_node *held = rask_set_result_bytes(rask_delayed(g, hold_and_kill, address_of(c)), 10 * MIB),
              *waits = rask_delayed(g, want_more, address_of(c), 12 * MIB);
    rask_node *both[2] = {rask_delayed(g, weigh, held), rask_delayed(g, weigh, waits)};
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &bytes), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(bytes, 12 * MIB + 4);
    cr_assert_leq(report.peak_bytes, o.memory);
    cr_assert_eq(report.finished, report.tasks);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
    nothing_is_left_since(left);
}
