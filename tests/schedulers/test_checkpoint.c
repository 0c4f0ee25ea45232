/* Runs that keep what they finish, and go on where others ended. */
#include "graphs.h"
#include "journal.h"

#include "schedulers/checkpoint/folder.h"
#include "schedulers/checkpoint/journal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { LAYERS = 4, WIDTH = 8, STEPS = LAYERS * WIDTH };

static const char *const schedulers[] = {"serial", "threads", "processes"};

enum { SCHEDULERS = sizeof schedulers / sizeof *schedulers };

static rask_options under(const char *scheduler, rask_report *report)
{
    rask_options o = with_journal(threads(2), report);
    o.scheduler = scheduler;
    o.memory = 64 << 20;
    return o;
}

static char *file_of(const char *name)
{
    static char file[sizeof journal + 300];
    snprintf(file, sizeof file, "%s/%s", journal, name);
    return file;
}

static off_t size_of(const char *file)
{
    struct stat there;
    cr_assert_eq(stat(file, &there), 0, "%s", file);
    return there.st_size;
}

static void must_note(const rask_report *report, const char *part)
{
    cr_assert(strstr(report->checkpoint_note, part), "\"%s\" is not in \"%s\"", part,
              report->checkpoint_note);
}

/* -- What is found */

static void resume_whole(const char *scheduler)
{
    rask_report report;
    int64_t first, again;
    rask_options o = under(scheduler, &report);
    journal_begin();
    cr_assert_eq(compute_net(o, LAYERS, WIDTH, 0, &first), STEPS);
    cr_assert_eq(report.from_checkpoint, 0);
    cr_assert_geq(report.kept, STEPS);
    cr_assert_eq(compute_net(o, LAYERS, WIDTH, 0, &again), 0, "%s called what it had", scheduler);
    cr_assert_eq(report.from_checkpoint, 1, "the last result alone is read");
    cr_assert_eq(report.kept, 0);
    cr_assert_eq(first, again);
    cr_assert_str_eq(report.checkpoint_note, "");
    journal_end();
}

Test(checkpoint, what_was_computed_once_is_read)
{
    count_from_here();
    for (int i = 0; i < SCHEDULERS; i++)
        resume_whole(schedulers[i]);
}

Test(checkpoint, what_is_new_is_computed_and_nothing_else)
{
    rask_report report;
    int64_t value, alone, other;
    count_from_here();
    for (int i = 0; i < SCHEDULERS; i++) {
        rask_options o = under(schedulers[i], &report);
        journal_begin();
        compute_net(o, 2, WIDTH, 0, &value);
        cr_assert_eq(compute_net(o, 3, WIDTH, 0, &value), WIDTH, "one layer more");
        cr_assert_geq(report.from_checkpoint, WIDTH);
        cr_assert_eq(compute_net(o, 3, WIDTH, 1, &other), 3 * WIDTH, "other arguments");
        o.checkpoint = "";
        cr_assert_eq(compute_net(o, 3, WIDTH, 0, &alone), 3 * WIDTH, "no folder");
        cr_assert_eq(value, alone);
        journal_end();
    }
}

Test(checkpoint, random_graphs_come_to_the_same_each_time)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        rask_report report;
        rask_value results[GRAPH_MAX_TARGETS];
        rask_options o = under(schedulers[seed % SCHEDULERS], &report);
        random_graph *g = random_graph_new(seed);
        journal_begin();
        random_graph_must_compute(g, o);
        for (int again = 0; again < 2; again++) {
            cr_assert_eq(rask_compute_values(g->targets, g->target_count, &o, results), RASK_OK, "%s",
                         rask_graph_error(g->graph));
            cr_assert(random_graph_equal(g, results), "seed %llu: another result", (unsigned long long)seed);
            cr_assert_eq(report.failed + report.skipped, 0);
            for (uint32_t i = 0; i < g->target_count; i++)
                rask_value_unref(&results[i]);
        }
        random_graph_free(g);
        journal_end();
        cr_assert_eq(random_graph_live_customs(), 0);
    }
}

static atomic_int draws;

static int64_t draw(int64_t i)
{
    atomic_fetch_add(&draws, 1);
    return i;
}
RASK_TASK(draw, i64, i64);

Test(checkpoint, what_is_not_pure_is_called_each_time_and_so_is_what_takes_it)
{
    rask_report report;
    count_from_here();
    journal_begin();
    for (int again = 1; again <= 2; again++) {
        rask_options o = under("threads", &report);
        rask_graph *g = rask_graph_new();
        int64_t value;
        rask_node *node = rask_delayed(g, step, 1, rask_delayed(g, draw, 5));
        cr_assert_eq(rask_compute_with(node, &o, &value), RASK_OK);
        cr_assert_eq(atomic_load(&draws), again);
        cr_assert_eq(atomic_load(&counted->steps), again);
        cr_assert_eq(report.kept + report.from_checkpoint, 0);
        rask_graph_free(g);
    }
    journal_end();
}

static void end_thing(void *thing)
{
    (void)thing;
}

static const rask_class thing_class = {.name = "thing", .destroy = end_thing};

static int make_thing(rask_task *t)
{
    static int thing;
    atomic_fetch_add(&draws, 1);
    return rask_return_custom(t, &thing_class, &thing);
}
RASK_SLOTS_WITH(make_thing, (.flags = RASK_PURE));

static int64_t look(const rask_value *thing)
{
    return thing->type == RASK_CUSTOM;
}
RASK_TASK(look, i64, value);

Test(checkpoint, results_that_cannot_be_encoded_are_made_again)
{
    rask_report report;
    rask_options o = under("threads", &report);
    journal_begin();
    for (int again = 1; again <= 2; again++) {
        rask_graph *g = rask_graph_new();
        int64_t value;
        rask_node *thing = rask_call(g, RASK_DEF(make_thing), NULL, 0);
        rask_node *both[] = {rask_delayed(g, look, thing), rask_delayed(g, look, thing)};
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, both, 2)), &o, &value), RASK_OK);
        cr_assert_eq(value, 2);
        cr_assert_eq(atomic_load(&draws), again);
        rask_graph_free(g);
    }
    journal_end();
}

Test(checkpoint, an_input_that_is_bound_anew_is_another_argument)
{
    rask_report report;
    rask_options o = under("threads", &report);
    rask_graph *g = rask_graph_new();
    rask_node *input = rask_input(g, 1), *node = rask_delayed(g, step, 7, input);
    rask_value two = rask_value_i64(2), results[3];
    rask_plan *plan;
    count_from_here();
    journal_begin();
    cr_assert_eq(rask_plan_new(&node, 1, &plan), RASK_OK);
    cr_assert_eq(rask_plan_run(plan, &o, &results[0]), RASK_OK, "%s", rask_plan_error(plan));
    cr_assert_eq(rask_plan_bind(plan, input, &two), RASK_OK);
    cr_assert_eq(rask_plan_run(plan, &o, &results[1]), RASK_OK);
    cr_assert_eq(rask_plan_run(plan, &o, &results[2]), RASK_OK);
    cr_assert_eq(atomic_load(&counted->steps), 2);
    cr_assert_neq(results[0].as.i64, results[1].as.i64);
    cr_assert_eq(results[1].as.i64, results[2].as.i64);
    rask_plan_free(plan);
    rask_graph_free(g);
    journal_end();
}

static int fail_at_odd(rask_task *t)
{
    int64_t i = rask_arg_i64(t, 0);
    return i % 2 ? rask_fail(t, RASK_ETASK, "is odd") : rask_return_i64(t, i);
}
RASK_SLOTS_WITH(fail_at_odd, (.flags = RASK_PURE));

Test(checkpoint, a_failure_is_told_as_ever_and_what_was_done_before_is_kept)
{
    rask_report report;
    count_from_here();
    for (int i = 0; i < SCHEDULERS; i++) {
        const rask_failure *failures;
        int64_t whole;
        rask_value value;
        rask_plan *plan;
        rask_options o = under(schedulers[i], &report);
        o.keep_going = true;
        journal_begin();
        compute_net(o, 2, WIDTH, 0, &whole);
        rask_graph *g = rask_graph_new();
        rask_node *pair[] = {net(g, 2, WIDTH, 0), rask_set_label(rask_delayed(g, fail_at_odd, 3), "three")};
        rask_node *sum = rask_sum(rask_list(g, pair, 2));
        cr_assert_eq(rask_plan_new(&sum, 1, &plan), RASK_OK);
        cr_assert_eq(rask_plan_run(plan, &o, &value), RASK_ETASK);
        cr_assert(strstr(rask_plan_error(plan), "task fail_at_odd (node "), "%s", rask_plan_error(plan));
        cr_assert(strstr(rask_plan_error(plan), "is odd; needed by list < sum"), "%s", rask_plan_error(plan));
        cr_assert_eq(rask_plan_failures(plan, &failures), 1);
        cr_assert_eq(failures[0].node, rask_node_id(pair[1]));
        cr_assert_str_eq(failures[0].label, "three");
        cr_assert_str_eq(rask_graph_error(g), rask_plan_error(plan));
        rask_plan_free(plan);
        rask_graph_free(g);
        journal_end();
    }
}

/* -- Results that are large */

enum { LARGE = 1 << 20, MANY = 12 };

static int make_large(rask_task *t)
{
    char *data;
    rask_value value;
    if (counted)
        atomic_fetch_add(&counted->steps, 1);
    if (rask_value_bytes_alloc(LARGE, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    memset(data, (int)rask_arg_i64(t, 0), LARGE);
    return rask_return_value(t, value);
}
RASK_SLOTS_WITH(make_large, (.flags = RASK_PURE, .result_bytes = LARGE));

static int64_t weigh(rask_bytes bytes)
{
    return (unsigned char)bytes.data[0] + (unsigned char)bytes.data[bytes.len - 1];
}
RASK_TASK(weigh, i64, bytes);

static int compute_large(rask_options o, int64_t *sum)
{
    rask_graph *g = rask_graph_new();
    rask_node *parts[MANY];
    for (int i = 0; i < MANY; i++)
        parts[i] = rask_delayed(g, weigh, rask_delayed(g, make_large, i));
    int status = rask_compute_with(rask_sum(rask_list(g, parts, MANY)), &o, sum);
    rask_graph_free(g);
    return status;
}

Test(checkpoint, large_results_are_read_one_by_one_within_the_budget)
{
    rask_report report;
    int64_t sum;
    count_from_here();
    for (int i = 0; i < SCHEDULERS; i++) {
        rask_options o = under(schedulers[i], &report);
        o.memory = 6 * LARGE;
        journal_begin();
        long before = atomic_load(&counted->steps);
        cr_assert_eq(compute_large(o, &sum), RASK_OK);
        cr_assert_eq(sum, MANY * (MANY - 1));
        cr_assert_geq(report.kept_bytes, (uint64_t)MANY * LARGE);
        cr_assert_eq(compute_large(o, &sum), RASK_OK);
        cr_assert_eq(sum, MANY * (MANY - 1));
        cr_assert_eq(report.from_checkpoint, MANY);
        cr_assert_leq(report.peak_bytes, o.memory);
        cr_assert_eq(atomic_load(&counted->steps) - before, MANY, "%s made them twice", schedulers[i]);
        journal_end();
    }
}

/* The name of some large result. */
static char *some_large(void)
{
    static char name[300];
    DIR *folder = opendir(journal);
    struct dirent *entry;
    while ((entry = readdir(folder)))
        if (strlen(entry->d_name) == RK_FOLDER_KEY + strlen("." RK_FOLDER_VERSION))
            snprintf(name, sizeof name, "%s", entry->d_name);
    closedir(folder);
    return file_of(name);
}

static void flip(const char *file, off_t at)
{
    unsigned char byte;
    int fd = open(file, O_RDWR);
    cr_assert_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

Test(checkpoint, a_damaged_result_is_made_again_and_that_is_told)
{
    rask_report report;
    int64_t sum;
    count_from_here();
    for (int i = 0; i < SCHEDULERS; i++)
        for (int where = 0; where < 3; where++) {
            rask_options o = under(schedulers[i], &report);
            journal_begin();
            cr_assert_eq(compute_large(o, &sum), RASK_OK);
            long before = atomic_load(&counted->steps);
            if (where == 2)
                cr_assert_eq(truncate(some_large(), LARGE / 2), 0);
            else
                flip(some_large(), where ? LARGE / 2 : 20); /* its bytes, or what stands before them */
            cr_assert_eq(compute_large(o, &sum), RASK_OK);
            cr_assert_eq(sum, MANY * (MANY - 1));
            cr_assert_eq(atomic_load(&counted->steps) - before, 1);
            must_note(&report, "1 damaged results are made again");
            cr_assert_eq(compute_large(o, &sum), RASK_OK);
            cr_assert_eq(atomic_load(&counted->steps) - before, 1);
            cr_assert_str_eq(report.checkpoint_note, "");
            journal_end();
        }
}

/* -- Ends of processes */

static void resume_after_a_kill(const char *scheduler, uint64_t *seed)
{
    rask_report report;
    int64_t expected, value;
    rask_options o = under(scheduler, &report);
    journal_begin();
    o.checkpoint = "";
    compute_net(o, LAYERS, WIDTH, 0, &expected);
    o = under(scheduler, NULL);
    atomic_store(&counted->slow_us, 500);
    for (int kills = 0; kills < 2; kills++)
        compute_and_kill(o, LAYERS, WIDTH, 1 + (long)draw_below(seed, STEPS / 2));
    atomic_store(&counted->slow_us, 0);
    o.report = &report;
    compute_net(o, LAYERS, WIDTH, 0, &value);
    cr_assert_eq(value, expected, "%s: another result", scheduler);
    cr_assert_eq(compute_net(o, LAYERS, WIDTH, 0, &value), 0, "all of it is there");
    cr_assert_eq(value, expected);
    journal_end();
}

Test(checkpoint, a_run_that_was_killed_goes_on_to_the_same_result)
{
    count_from_here();
    for (uint64_t seed = 1; seed <= 9; seed++) {
        uint64_t random = seed * 0x9e3779b97f4a7c15u;
        resume_after_a_kill(schedulers[seed % SCHEDULERS], &random);
    }
}

Test(checkpoint, what_was_written_before_a_kill_is_not_computed_again)
{
    rask_report report;
    int64_t value;
    rask_options o = under("threads", NULL);
    count_from_here();
    journal_begin();
    compute_net(o, LAYERS - 1, WIDTH, 0, &value); /* what is done is written */
    atomic_store(&counted->slow_us, 500);
    compute_and_kill(o, LAYERS, WIDTH, 3);
    atomic_store(&counted->slow_us, 0);
    o.report = &report;
    cr_assert_leq(compute_net(o, LAYERS, WIDTH, 0, &value), WIDTH);
    cr_assert_geq(report.from_checkpoint, 1); /* a kill that comes late finds all of it done */
    journal_end();
}

Test(checkpoint, a_folder_is_for_one_process_at_a_time)
{
    char message[300] = "", process[40];
    int ready[2], go[2];
    char byte = 0;
    rask_report report;
    int64_t value;
    rk_journal *own;
    journal_begin();
    cr_assert_eq(pipe(ready) | pipe(go), 0);
    pid_t child = fork();
    if (!child) {
        byte = rk_journal_open(journal, &own, message, sizeof message) == RASK_OK;
        (void)!write(ready[1], &byte, 1);
        (void)!read(go[0], &byte, 1);
        rk_journal_close(own);
        _exit(0);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(byte, 1);
    rask_graph *g = rask_graph_new();
    rask_options o = under("threads", &report);
    snprintf(process, sizeof process, "process %ld uses it", (long)child);
    cr_assert_eq(rask_compute_with(rask_delayed(g, step, 1, 1), &o, &value), RASK_EIO);
    cr_assert(strstr(rask_graph_error(g), journal) && strstr(rask_graph_error(g), process), "%s",
              rask_graph_error(g));
    cr_assert_eq(write(go[1], &byte, 1), 1);
    waitpid(child, NULL, 0);
    cr_assert_eq(rask_compute_with(rask_delayed(g, step, 1, 1), &o, &value), RASK_OK, "%s",
                 rask_graph_error(g));
    rask_graph_free(g);
    journal_end();
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

static void *compute_some(void *seed)
{
    rask_report report;
    int64_t value;
    for (int i = 0; i < 6; i++)
        compute_net(under("threads", &report), 3, WIDTH, (intptr_t)seed + i, &value);
    return NULL;
}

Test(checkpoint, runs_of_one_process_share_a_folder)
{
    pthread_t others[3];
    rask_report report;
    int64_t value;
    count_from_here();
    journal_begin();
    for (intptr_t i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&others[i], NULL, compute_some, (void *)i), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(others[i], NULL);
    for (int64_t first = 0; first < 8; first++)
        cr_assert_eq(compute_net(under("threads", &report), 3, WIDTH, first, &value), 0);
    journal_end();
}

/* A run inside a task has the folder of the run around it, where it is in the same process. */
static int64_t nested(int64_t i)
{
    rask_graph *g = rask_graph_new();
    rask_options o = threads(1);
    int64_t value = -1;
    o.checkpoint = journal;
    if (rask_compute_with(rask_delayed(g, step, i, 1), &o, &value))
        value = -2;
    rask_graph_free(g);
    return value;
}
RASK_TASK(nested, i64, i64);

Test(checkpoint, a_run_within_a_task_may_name_the_same_folder)
{
    rask_report report;
    int64_t values[SCHEDULERS];
    count_from_here();
    for (int i = 0; i < SCHEDULERS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = under(schedulers[i], &report);
        journal_begin();
        cr_assert_eq(rask_compute_with(rask_delayed(g, nested, 5), &o, &values[i]), RASK_OK);
        cr_assert_gt(values[i], 0);
        cr_assert_eq(values[i], values[0]);
        rask_graph_free(g);
        journal_end();
    }
}

/* -- Files that are not what they should be */

Test(checkpoint, a_log_whose_end_is_torn_off_loses_that_and_says_so)
{
    rask_report report;
    int64_t first, value;
    count_from_here();
    for (int cut = 1; cut <= 101; cut += 20) {
        rask_options o = under("threads", &report);
        journal_begin();
        compute_net(o, LAYERS, WIDTH, 0, &first);
        char *log = file_of(RK_FOLDER_VERSION ".log");
        cr_assert_eq(truncate(log, size_of(log) - cut), 0);
        compute_net(o, LAYERS, WIDTH, 0, &value);
        cr_assert_eq(value, first);
        must_note(&report, "the log's end was torn off");
        cr_assert_eq(compute_net(o, LAYERS, WIDTH, 0, &value), 0);
        cr_assert_str_eq(report.checkpoint_note, "");
        journal_end();
    }
}

Test(checkpoint, no_byte_of_a_log_can_change_without_being_noticed)
{
    rask_report report;
    int64_t first, value;
    count_from_here();
    journal_begin();
    rask_options o = under("serial", &report);
    compute_net(o, 2, 4, 0, &first);
    char *log = file_of(RK_FOLDER_VERSION ".log");
    off_t size = size_of(log);
    for (off_t at = 0; at < size; at += 7) {
        flip(log, at);
        compute_net(o, 2, 4, 0, &value);
        cr_assert_eq(value, first, "byte %ld", (long)at);
        cr_assert_str_neq(report.checkpoint_note, "", "byte %ld", (long)at);
        cr_assert_eq(compute_net(o, 2, 4, 0, &value), 0, "byte %ld", (long)at);
    }
    journal_end();
}

Test(checkpoint, what_other_programs_put_there_is_not_trusted)
{
    rask_report report;
    int64_t first, value;
    count_from_here();
    rask_options o = under("threads", &report);
    journal_begin();
    FILE *foreign = fopen(file_of(RK_FOLDER_VERSION ".log"), "w");
    fputs("what a wonderful day for a walk by the sea\n", foreign);
    fclose(foreign);
    foreign = fopen(file_of("rask-1.head"), "w");
    fclose(foreign);
    compute_net(o, LAYERS, WIDTH, 0, &first);
    must_note(&report, "its log was none of this version");
    must_note(&report, "results of other versions of Rask are there");
    cr_assert_eq(compute_net(o, LAYERS, WIDTH, 0, &value), 0);
    cr_assert_eq(value, first);
    cr_assert_eq(size_of(file_of("rask-1.head")), 0, "it is left alone");
    journal_end();
}

static void must_refuse(const char *folder, const char *why)
{
    rask_graph *g = rask_graph_new();
    rask_options o = threads(1);
    int64_t value = 17;
    o.checkpoint = folder;
    cr_assert_eq(rask_compute_with(rask_delayed(g, step, 1, 1), &o, &value), RASK_EIO);
    cr_assert(strstr(rask_graph_error(g), why), "%s", rask_graph_error(g));
    cr_assert_eq(value, 17);
    rask_graph_free(g);
}

Test(checkpoint, a_folder_that_cannot_be_used_is_an_error_before_anything_runs)
{
    count_from_here();
    journal_begin();
    fclose(fopen(file_of("file"), "w"));
    must_refuse(file_of("file"), "is no folder");
    must_refuse(file_of("none/there"), "No such file");
    cr_assert_eq(chmod(journal, 0777), 0);
    must_refuse(journal, "everybody may write");
    cr_assert_eq(atomic_load(&counted->steps), 0);
    journal_end();
}

Test(checkpoint, a_full_disk_ends_the_keeping_and_not_the_run)
{
    struct rlimit limit = {4000, RLIM_INFINITY};
    rask_report report;
    int64_t first, value;
    count_from_here();
    rask_options o = under("threads", &report);
    o.checkpoint = "";
    compute_net(o, 20, WIDTH, 0, &first);
    o = under("threads", &report);
    journal_begin();
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    compute_net(o, 20, WIDTH, 0, &value);
    cr_assert_eq(value, first);
    must_note(&report, "nothing is kept any more: File too large");
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    compute_net(o, 20, WIDTH, 0, &value);
    cr_assert_eq(value, first);
    cr_assert_str_eq(report.checkpoint_note, "", "what is there is whole");
    cr_assert_eq(compute_net(o, 20, WIDTH, 0, &value), 0);
    journal_end();
}

Test(checkpoint, a_full_disk_leaves_no_half_of_a_large_result)
{
    struct rlimit limit = {LARGE / 2, RLIM_INFINITY};
    rask_report report;
    int64_t sum;
    count_from_here();
    rask_options o = under("threads", &report);
    journal_begin();
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_eq(compute_large(o, &sum), RASK_OK);
    cr_assert_eq(sum, MANY * (MANY - 1));
    must_note(&report, "nothing is kept any more");
    DIR *folder = opendir(journal);
    for (struct dirent *entry; (entry = readdir(folder));)
        cr_assert(entry->d_name[0] == '.' ? strlen(entry->d_name) < 3 : !strncmp(entry->d_name, "rask-2.", 7),
                  "%s", entry->d_name);
    closedir(folder);
    journal_end();
}
