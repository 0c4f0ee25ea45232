/* Worker processes that die, hang, are stopped or cannot be had: the run goes on or says why, and leaves nothing. */
#include "leftovers.h"
#include "support.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static void no_core_files(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

TestSuite(processes, .init = no_core_files);

/* What tasks count, in memory that all processes share. */
enum { PLACES = 512 };

typedef struct counts {
    atomic_int calls[PLACES], total;
    atomic_llong seen;
} counts;

static counts *shared_counts(void)
{
    return shared_calloc(sizeof(counts));
}

static int count(counts *c, int64_t place)
{
    atomic_fetch_add(&c->total, 1);
    return atomic_fetch_add(&c->calls[place], 1);
}

/* Until so many have come here. */
static void meet(atomic_int *arrived, int wanted)
{
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < wanted)
        sleep_ms(1);
}

/* -- Deaths */

enum { SEGV, ABORT, EXIT, QUICK_EXIT, KILL, WAYS };

static const char *const words_of[WAYS] = {"SIGSEGV", "SIGABRT", "exit(0)", "exit(3)", "SIGKILL"};

static void die(int64_t how)
{
    static const int signals[WAYS] = {SIGSEGV, SIGABRT, 0, 0, SIGKILL};
    if (how == EXIT)
        exit(0);
    if (how == QUICK_EXIT)
        _exit(3);
    signal(signals[how], SIG_DFL);
    raise(signals[how]);
}

/* (counts, place, deaths, way): ends its worker in its first calls. */
static int die_at_first(rask_task *t)
{
    int64_t place = rask_arg_i64(t, 1);
    if (count((counts *)(intptr_t)rask_arg_i64(t, 0), place) < rask_arg_i64(t, 2))
        die(rask_arg_i64(t, 3));
    return rask_return_i64(t, place);
}
RASK_SLOTS(die_at_first);

/* (counts, place): a short task that counts its calls. */
static int quiet(rask_task *t)
{
    int64_t place = rask_arg_i64(t, 1);
    count((counts *)(intptr_t)rask_arg_i64(t, 0), place);
    sleep_ms(1);
    return rask_return_i64(t, place);
}
RASK_SLOTS(quiet);

static int64_t address_of(const counts *c)
{
    return (int64_t)(intptr_t)c;
}

static void add_quiet(rask_graph *g, counts *c, rask_node **nodes, int from, int to)
{
    for (int i = from; i < to; i++)
        nodes[i] = rask_delayed(g, quiet, address_of(c), i);
}

Test(processes, a_worker_that_dies_is_replaced_and_its_task_runs_again)
{
    for (int way = 0; way < WAYS; way++) {
        leftovers before = look_around();
        rask_graph *g = rask_graph_new();
        counts *c = shared_counts();
        rask_options o = processes(2);
        rask_report report;
        rask_node *nodes[40];
        int64_t answer;
        o.report = &report;
        add_quiet(g, c, nodes, 0, 40);
        nodes[5] = rask_delayed(g, die_at_first, address_of(c), 5, 1, way);
        nodes[23] = rask_delayed(g, die_at_first, address_of(c), 23, 2, way);
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 40)), &o, &answer), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_assert_eq(answer, 39 * 20);
        cr_assert_eq(report.finished, report.tasks);
        for (int i = 0; i < 40; i++)
            cr_assert_eq(c->calls[i], i == 5 ? 2 : i == 23 ? 3 : 1, "task %d: %d calls", i, c->calls[i]);
        rask_graph_free(g);
        shared_free(c, sizeof *c);
        nothing_is_left_since(before);
    }
}

/* (counts, values…): notes their sum. */
static int note_sum(rask_task *t)
{
    counts *c = (counts *)(intptr_t)rask_arg_i64(t, 0);
    long long sum = 0;
    for (size_t i = 1; i < rask_arg_count(t); i++)
        sum += rask_arg_i64(t, i);
    atomic_store(&c->seen, sum);
    return rask_return_i64(t, sum);
}
RASK_SLOTS(note_sum);

static rask_node *sum_of(rask_graph *g, const counts *c, rask_node **nodes, size_t many)
{
    rask_arg args[PLACES];
    args[0] = rask_arg_of_i64(address_of(c));
    for (size_t i = 0; i < many; i++)
        args[i + 1] = rask_arg_of_node(nodes[i]);
    return rask_call(g, RASK_DEF(note_sum), args, many + 1);
}

static void must_say(const rask_graph *g, const char *words)
{
    cr_assert(strstr(rask_graph_error(g), words), "\"%s\" is not in: %s", words, rask_graph_error(g));
}

Test(processes, a_task_that_always_ends_its_worker_is_blamed_and_others_are_not)
{
    for (int way = 0; way < WAYS; way++) {
        leftovers before = look_around();
        rask_graph *g = rask_graph_new();
        counts *c = shared_counts();
        rask_options o = processes(2);
        rask_report report;
        rask_node *nodes[30];
        rask_value results[2];
        o.report = &report;
        o.keep_going = true;
        add_quiet(g, c, nodes, 0, 30);
        rask_node *bad = rask_delayed(g, die_at_first, address_of(c), 40, 1000, way),
                  *targets[2] = {bad, sum_of(g, c, nodes, 30)};
        cr_assert_eq(rask_compute_values(targets, 2, &o, results), RASK_EDIED, "%s", rask_graph_error(g));
        must_say(g, "task die_at_first (node ");
        must_say(g, words_of[way]);
        must_say(g, "3 workers died of it");
        must_say(g, "messages go");
        cr_assert_eq(c->calls[40], 3);
        cr_assert_eq(c->seen, 29 * 15, "what does not depend on it has run");
        cr_assert_eq(report.failed, 1);
        cr_assert_eq(report.finished, report.tasks - 1);
        for (int i = 0; i < 30; i++)
            cr_assert_eq(c->calls[i], 1);
        rask_graph_free(g);
        shared_free(c, sizeof *c);
        nothing_is_left_since(before);
    }
}

/* (counts, place, milliseconds to sleep): counts and sleeps, told or not that it should stop. */
static int deaf(rask_task *t)
{
    count((counts *)(intptr_t)rask_arg_i64(t, 0), rask_arg_i64(t, 1));
    for (int64_t ms = rask_arg_i64(t, 2); ms > 0; ms--)
        sleep_ms(1);
    return rask_return_i64(t, rask_arg_i64(t, 1));
}
RASK_SLOTS(deaf);
RASK_UNUSED static const rask_task_def deaf_io = {
    .size = sizeof(rask_task_def), .name = "deaf_io", .call = deaf, .flags = RASK_IO};

/* A lane's task that ends the worker must not be mistaken for a long one that runs beside it. */
Test(processes, a_task_that_runs_beside_one_that_ends_the_worker_is_not_blamed)
{
    static const rask_task_def deadly_io = {
        .size = sizeof(rask_task_def), .name = "deadly_io", .call = die_at_first, .flags = RASK_IO};
    for (int way = 0; way < WAYS; way++) {
        rask_graph *g = rask_graph_new();
        counts *c = shared_counts();
        rask_options o = processes(1);
        rask_report report;
        rask_value results[6];
        o.report = &report;
        o.keep_going = true;
        o.io_lanes = 4;
        o.worker_threads = 2;
        const rask_arg args[] = {RASK_ARG(address_of(c)), RASK_ARG(40), RASK_ARG(1000), RASK_ARG(way)};
        rask_node *nodes[6];
        for (int i = 0; i < 5; i++) {
            const rask_arg others[] = {RASK_ARG(address_of(c)), RASK_ARG(i), RASK_ARG(60)};
            nodes[i] = rask_call(g, i < 2 ? RASK_DEF(deaf) : &deaf_io, others, 3);
        }
        nodes[5] = rask_call(g, &deadly_io, args, 4);
        cr_assert_eq(rask_compute_values(nodes, 6, &o, results), RASK_EDIED, "%s", rask_graph_error(g));
        must_say(g, "task deadly_io (node ");
        must_say(g, words_of[way]);
        cr_assert_eq(report.failed, 1, "%s", rask_graph_error(g));
        cr_assert_eq(report.finished, report.tasks - 1);
        rask_graph_free(g);
        shared_free(c, sizeof *c);
    }
}

/* -- Time */

Test(processes, a_task_over_its_time_is_ended_with_its_worker_and_others_go_on)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    counts *c = shared_counts();
    rask_options o = processes(2);
    rask_report report;
    rask_node *nodes[20];
    rask_value results[2];
    o.report = &report;
    o.keep_going = true;
    add_quiet(g, c, nodes, 0, 20);
    rask_node *late = rask_set_timeout(rask_delayed(g, deaf, address_of(c), 40, 60000), 0.05),
              *targets[2] = {late, sum_of(g, c, nodes, 20)};
    cr_assert_eq(rask_compute_values(targets, 2, &o, results), RASK_ETIMEDOUT, "%s", rask_graph_error(g));
    must_say(g, "task deaf (node ");
    must_say(g, "0.05 seconds");
    must_say(g, "ended with its worker");
    cr_assert_eq(report.failed, 1);
    cr_assert_eq(report.finished, report.tasks - 1);
    cr_assert_eq(c->seen, 19 * 10);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
    nothing_is_left_since(before);
}

/* (counts, place): hangs when it is called first. */
static int late_at_first(rask_task *t)
{
    if (!count((counts *)(intptr_t)rask_arg_i64(t, 0), rask_arg_i64(t, 1)))
        sleep_ms(60000);
    return rask_return_i64(t, 7);
}
RASK_SLOTS(late_at_first);

/* On a slow machine, later calls may be too late as well. */
Test(processes, a_task_over_its_time_is_called_again_when_it_may_be_retried)
{
    rask_graph *g = rask_graph_new();
    counts *c = shared_counts();
    rask_options o = processes(2);
    int64_t answer;
    o.retries = 9;
    rask_node *late = rask_set_timeout(rask_delayed(g, late_at_first, address_of(c), 0), 0.05);
    cr_assert_eq(rask_compute_with(late, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, 7);
    cr_assert_geq(c->calls[0], 2);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
}

/* (counts, place): fails in its first calls, in time, hangs in the third, and returns from the fourth. */
static int fail_then_hang(rask_task *t)
{
    int calls = count((counts *)(intptr_t)rask_arg_i64(t, 0), rask_arg_i64(t, 1));
    if (calls < 2) {
        sleep_ms(150);
        return rask_fail(t, RASK_EIO, "not yet");
    }
    if (calls == 2)
        sleep_ms(60000);
    return rask_return_i64(t, 7);
}
RASK_SLOTS(fail_then_hang);

/* The time of all retries together would be 25 seconds, and with no more than that of the first call the third would be ended
 * before it has had its own. */
Test(processes, a_hanging_call_is_ended_after_its_own_time_whatever_retries_are_left)
{
    rask_graph *g = rask_graph_new();
    counts *c = shared_counts();
    rask_options o = processes(1);
    int64_t answer;
    o.retries = 99;
    o.timeout = 20;
    rask_node *late = rask_set_timeout(rask_delayed(g, fail_then_hang, address_of(c), 0), 0.25);
    cr_assert_eq(rask_compute_with(late, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(answer, 7);
    cr_assert_geq(c->calls[0], 4); /* more on a slow machine */
    rask_graph_free(g);
    shared_free(c, sizeof *c);
}

/* (counts, place): is over a while after the time of its run, which it may know of before the program does. */
static int go_on(rask_task *t)
{
    count((counts *)(intptr_t)rask_arg_i64(t, 0), rask_arg_i64(t, 1));
    while (!rask_task_cancelled(t))
        sleep_ms(1);
    sleep_ms(400);
    return rask_return_i64(t, 0);
}
RASK_SLOTS(go_on);

/* A slow machine comes to no call in the shortest time, or looks too late. */
Test(processes, a_run_out_of_time_names_what_was_running)
{
    counts *c = shared_counts();
    bool named = false;
    for (double timeout = 0.1; !named && timeout < 20; timeout *= 2) {
        rask_graph *g = rask_graph_new();
        rask_options o = processes(2);
        rask_node *nodes[4];
        rask_value result;
        o.timeout = timeout;
        for (int i = 0; i < 4; i++)
            nodes[i] = rask_delayed(g, go_on, address_of(c), i);
        cr_assert_eq(rask_compute_with(rask_list(g, nodes, 4), &o, &result), RASK_ETIMEDOUT);
        named = strstr(rask_graph_error(g), "tasks finished; then there were running go_on (node ");
        cr_assert(named || !strstr(rask_graph_error(g), "running"), "%s", rask_graph_error(g));
        rask_graph_free(g);
    }
    cr_assert(named);
    shared_free(c, sizeof *c);
}

/* (counts, place): stops its process when it is called first. */
static int stop_at_first(rask_task *t)
{
    counts *c = (counts *)(intptr_t)rask_arg_i64(t, 0);
    if (!count(c, rask_arg_i64(t, 1))) {
        atomic_store(&c->seen, getpid());
        raise(SIGSTOP);
    }
    return rask_return_i64(t, getpid());
}
RASK_SLOTS(stop_at_first);

Test(processes, a_worker_that_stays_stopped_is_replaced)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    counts *c = shared_counts();
    rask_options o = processes(1);
    int64_t answer;
    cr_assert_eq(rask_compute_with(rask_delayed(g, stop_at_first, address_of(c), 0), &o, &answer), RASK_OK,
                 "%s", rask_graph_error(g));
    cr_assert_eq(c->calls[0], 2);
    cr_assert_neq(answer, c->seen);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
    nothing_is_left_since(before);
}

static void *continue_soon(void *context)
{
    counts *c = context;
    while (!atomic_load(&c->seen))
        sleep_ms(1);
    sleep_ms(300);
    kill((pid_t)atomic_load(&c->seen), SIGCONT);
    return NULL;
}

Test(processes, a_worker_that_was_stopped_for_a_moment_goes_on)
{
    rask_graph *g = rask_graph_new();
    counts *c = shared_counts();
    rask_options o = processes(1);
    pthread_t id;
    int64_t answer;
    cr_assert_eq(pthread_create(&id, NULL, continue_soon, c), 0);
    cr_assert_eq(rask_compute_with(rask_delayed(g, stop_at_first, address_of(c), 0), &o, &answer), RASK_OK);
    cr_assert_eq(c->calls[0], 1);
    cr_assert_eq(answer, c->seen);
    pthread_join(id, NULL);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
}

/* -- The program's own end */

/* What holds the writing end of a pipe is a process that was there when the program died. */
Test(processes, nobody_outlives_a_program_that_was_killed, .timeout = 100)
{
    counts *c = shared_counts();
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t program = fork();
    if (!program) {
        rask_graph *g = rask_graph_new();
        rask_options o = processes(3);
        rask_node *nodes[3];
        rask_value result;
        for (int i = 0; i < 3; i++)
            nodes[i] = rask_delayed(g, deaf, address_of(c), i, 60000);
        rask_compute_with(rask_list(g, nodes, 3), &o, &result);
        _exit(0);
    }
    close(ends[1]);
    while (atomic_load(&c->total) < 3)
        sleep_ms(1);
    kill(program, SIGKILL);
    struct pollfd end = {ends[0], POLLIN, 0};
    cr_assert_eq(poll(&end, 1, -1), 1);
    cr_assert(end.revents & POLLHUP);
    cr_assert_eq(waitpid(program, NULL, 0), program);
    close(ends[0]);
    shared_free(c, sizeof *c);
}

/* -- What there is too little of */

static int make_bytes(rask_task *t)
{
    char *data;
    rask_value value;
    size_t len = (size_t)rask_arg_i64(t, 0);
    if (rask_value_bytes_alloc(len, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    memset(data, (int)rask_arg_i64(t, 1), len);
    return rask_return_value(t, value);
}
RASK_SLOTS_WITH(make_bytes, (.result_bytes = 1 << 20));

static int weigh(rask_task *t)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < rask_arg_count(t); i++)
        bytes += (int64_t)rask_arg_bytes(t, i).len;
    return rask_return_i64(t, bytes);
}
RASK_SLOTS(weigh);

/* So many bytes, all to be there at once. */
static int weigh_megabytes(rask_graph *g, int many, rask_options o)
{
    rask_node *first[64], *second[64]; /* none of the second before all of the first */
    int64_t sum;
    for (int i = 0; i < many; i++)
        first[i] = rask_delayed(g, make_bytes, 1 << 20, i);
    for (int i = 0; i < many; i++)
        second[i] = rask_after(rask_delayed(g, weigh, first[i]), first, (size_t)many);
    int status = rask_compute_with(rask_sum(rask_list(g, second, (size_t)many)), &o, &sum);
    if (!status)
        cr_assert_eq(sum, (int64_t)many << 20);
    return status;
}

Test(processes, a_full_disk_is_an_error_with_the_folder)
{
    leftovers before = look_around();
    struct rlimit limit = {200000, RLIM_INFINITY};
    char folder[] = "/tmp/rask-test-processes-XXXXXX";
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    o.memory = 12 << 20;
    o.scratch = folder;
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(weigh_megabytes(g, 40, o), RASK_OK, "%s", rask_graph_error(g));
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_neq(weigh_megabytes(g, 40, o), RASK_OK);
    must_say(g, folder);
    cr_assert_eq(rmdir(folder), 0, "nothing was left behind");
    rask_graph_free(g);
    nothing_is_left_since(before);
}

Test(processes, too_few_descriptors_are_an_error_that_says_so)
{
    struct rlimit limit;
    rask_graph *g = rask_graph_new();
    int64_t answer;
    rask_options o = processes(2);
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t before = limit.rlim_cur;
    for (int more = 0; more < 4; more++) {
        limit.rlim_cur = (rlim_t)(dup(0) + more); /* the next free one, and some */
        close((int)limit.rlim_cur - more);
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        cr_assert_neq(rask_compute_with(rask_delayed(g, make_bytes, 1, 1), &o, &answer), RASK_OK);
        must_say(g, "processes: ");
        must_say(g, "Too many open files");
    }
    limit.rlim_cur = before;
    setrlimit(RLIMIT_NOFILE, &limit);
    rask_graph_free(g);
}

#ifdef RASK_TEST_WRAPS
/* The system gives no process: this program's calls of fork() end here, by the linker's --wrap. */
static atomic_int forks_left = 1000;

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t __wrap_fork(void)
{
    if (atomic_fetch_sub(&forks_left, 1) > 0)
        return __real_fork();
    errno = EAGAIN;
    return -1;
}

/* A thread that does not come up, as when it needs a lock that was taken at the fork: in the worker, the next to be created
 * sleeps for ever. */
static atomic_int *absent_threads;
static pid_t program;

/* Workers get so many threads between them, and none after that, when a task is under way. */
static atomic_int *threads_left;
static counts *under_way;

static bool is_refused(void)
{
    if (!threads_left || getpid() == program || atomic_fetch_sub(threads_left, 1) > 0)
        return false;
    while (under_way && !atomic_load(&under_way->total))
        sleep_ms(1);
    return true;
}

int __real_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*body)(void *), void *arg);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*body)(void *), void *arg);

static void *never_come(void *unused)
{
    for (;;)
        pause();
    return unused;
}

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*body)(void *), void *arg)
{
    if (is_refused())
        return EAGAIN;
    if (absent_threads && getpid() != program && atomic_fetch_sub(absent_threads, 1) > 0)
        return __real_pthread_create(id, attributes, never_come, NULL);
    return __real_pthread_create(id, attributes, body, arg);
}

Test(processes, a_worker_whose_threads_do_not_come_up_is_replaced)
{
    leftovers before = look_around();
    rask_graph *g = rask_graph_new();
    counts *c = shared_counts();
    rask_options o = processes(1);
    rask_node *nodes[40];
    int64_t answer;
    o.worker_threads = 2;
    program = getpid();
    absent_threads = &c->calls[PLACES - 1];
    atomic_store(absent_threads, 1);
    add_quiet(g, c, nodes, 0, 40);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 40)), &o, &answer), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(answer, 39 * 20);
    cr_assert_lt(atomic_load(absent_threads), 0, "another worker came in its place");
    rask_graph_free(g);
    shared_free(c, sizeof *c);
    nothing_is_left_since(before);
}

/* (counts, place): until the run is stopped. */
static int linger(rask_task *t)
{
    count((counts *)(intptr_t)rask_arg_i64(t, 0), rask_arg_i64(t, 1));
    while (!rask_task_cancelled(t))
        sleep_ms(1);
    return rask_return_i64(t, 0);
}
RASK_SLOTS(linger);

/* Seats that have no thread, the first of which is the worker's own, are given tasks all the same before it says so. */
Test(processes, a_worker_that_is_given_no_threads_is_an_error_that_says_so, .timeout = 60)
{
    for (int given = 0; given < 4; given++) {
        leftovers before = look_around();
        rask_graph *g = rask_graph_new();
        counts *c = shared_counts();
        rask_options o = processes(given < 2 ? 1 : 2);
        rask_value results[40];
        rask_node *nodes[40];
        o.worker_threads = 3;
        o.keep_going = given % 2;
        program = getpid();
        threads_left = &c->calls[PLACES - 1];
        atomic_store(threads_left, given);
        under_way = given ? c : NULL;
        for (int i = 0; i < 40; i++)
            nodes[i] = rask_delayed(g, linger, address_of(c), i);
        cr_assert_eq(rask_compute_values(nodes, 40, &o, results), RASK_ENOMEM, "%d given: %s", given,
                     rask_graph_error(g));
        must_say(g, "no threads for the worker");
        rask_graph_free(g);
        shared_free(c, sizeof *c);
        nothing_is_left_since(before);
    }
    threads_left = NULL;
}

Test(processes, a_system_without_processes_is_an_error_that_says_so)
{
    for (int given = 0; given < 4; given++) {
        leftovers before = look_around();
        rask_graph *g = rask_graph_new();
        counts *c = shared_counts();
        rask_options o = processes(2);
        rask_value result;
        rask_node *nodes[2] = {rask_delayed(g, die_at_first, address_of(c), 0, 9, SEGV),
                               rask_delayed(g, quiet, address_of(c), 1)};
        atomic_store(&forks_left, given);
        cr_assert_eq(rask_compute_with(rask_list(g, nodes, 2), &o, &result), RASK_ESYSTEM, "%s",
                     rask_graph_error(g));
        must_say(g, "a worker cannot be started");
        must_say(g, strerror(EAGAIN));
        rask_graph_free(g);
        shared_free(c, sizeof *c);
        nothing_is_left_since(before);
    }
}
#endif

/* -- Where tasks run */

static int64_t number_here;

/* (a number, another, bytes): adds to what only this process has; gives bytes of its own. */
static int add_here(rask_task *t)
{
    rask_bytes bytes = rask_arg_bytes(t, 2);
    number_here += rask_arg_i64(t, 1) + bytes.data[bytes.len - 1];
    return make_bytes(t);
}

static int64_t where(const rask_value *value)
{
    (void)value;
    return getpid();
}
RASK_TASK(where, i64, value);

Test(processes, tasks_that_run_here_see_and_change_the_programs_memory)
{
    static const rask_task_def add_def = {
        .size = sizeof(rask_task_def), .name = "add_here", .call = add_here, .flags = RASK_HERE};
    static const rask_task_def where_def = {
        .size = sizeof(rask_task_def), .name = "where_here", .call = rask_call_of_where, .flags = RASK_HERE};
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    rask_value results[3];
    rask_node *large = rask_delayed(g, make_bytes, 1 << 20, 5);
    rask_arg args[3] = {RASK_ARG(1 << 20), RASK_ARG(37), RASK_ARG(large)};
    rask_node *added = rask_call(g, &add_def, args, 3);
    rask_arg last = RASK_ARG(added);
    rask_node *targets[3] = {rask_delayed(g, weigh, added), rask_delayed(g, where, added),
                             rask_call(g, &where_def, &last, 1)};
    number_here = 100;
    cr_assert_eq(rask_compute_values(targets, 3, &o, results), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(number_here, 100 + 37 + 5);
    cr_assert_eq(results[0].as.i64, 1 << 20);
    cr_assert_neq(results[1].as.i64, getpid());
    cr_assert_eq(results[2].as.i64, getpid());
    rask_graph_free(g);
}

static int set_up(void *context, uint32_t worker)
{
    counts *c = context;
    cr_assert_lt(worker, 2);
    count(c, worker);
    return 0;
}

Test(processes, a_worker_is_set_up_once_in_each_life)
{
    rask_graph *g = rask_graph_new();
    counts *set_ups = shared_counts(), *c = shared_counts();
    rask_options o = processes(2);
    rask_node *nodes[12];
    int64_t answer;
    o.worker_init = set_up;
    o.worker_context = set_ups;
    add_quiet(g, c, nodes, 0, 12);
    nodes[3] = rask_delayed(g, die_at_first, address_of(c), 3, 2, SEGV);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 12)), &o, &answer), RASK_OK);
    cr_assert_eq(set_ups->total, 4);
    cr_assert_gt(set_ups->calls[0], 0);
    cr_assert_gt(set_ups->calls[1], 0);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
    shared_free(set_ups, sizeof *set_ups);
}

/* Fails from its third call on. */
static int set_up_badly(void *context, uint32_t worker)
{
    (void)worker;
    return count(context, 0) < 2 ? RASK_OK : RASK_EUNSUPPORTED;
}

static int set_up_as_programs_do(void *context, uint32_t worker)
{
    (void)worker;
    return *(int *)context;
}

Test(processes, what_a_set_up_returns_that_is_no_status_of_its_own_is_told_by_its_number)
{
    int returned[] = {-1, RASK_ECANCELLED, RASK_ETIMEDOUT, 1000};
    for (size_t i = 0; i < sizeof returned / sizeof *returned; i++) {
        rask_graph *g = rask_graph_new();
        counts *c = shared_counts();
        rask_options o = processes(2);
        rask_node *nodes[4];
        int64_t answer;
        char words[40];
        o.worker_init = set_up_as_programs_do;
        o.worker_context = &returned[i];
        add_quiet(g, c, nodes, 0, 4);
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 4)), &o, &answer), RASK_ESYSTEM, "%s",
                     rask_graph_error(g));
        snprintf(words, sizeof words, "worker_init() returned %d", returned[i]);
        must_say(g, words);
        rask_graph_free(g);
        shared_free(c, sizeof *c);
    }
}

/* Ends its worker before it is ready. */
static int set_up_deadly(void *context, uint32_t worker)
{
    (void)context, (void)worker;
    _exit(7);
}

Test(processes, a_set_up_that_fails_ends_the_run_with_a_message)
{
    for (int deadly = 0; deadly < 2; deadly++) {
        leftovers before = look_around();
        rask_graph *g = rask_graph_new();
        counts *set_ups = shared_counts(), *c = shared_counts();
        rask_options o = processes(2);
        rask_node *nodes[12];
        int64_t answer;
        o.worker_init = deadly ? set_up_deadly : set_up_badly;
        o.worker_context = set_ups;
        add_quiet(g, c, nodes, 0, 12);
        nodes[3] = rask_delayed(g, die_at_first, address_of(c), 3, 2, SEGV);
        cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 12)), &o, &answer),
                     deadly ? RASK_EDIED : RASK_EUNSUPPORTED, "%s", rask_graph_error(g));
        must_say(g, deadly ? "exit(7)" : "worker_init() returned");
        rask_graph_free(g);
        shared_free(c, sizeof *c);
        shared_free(set_ups, sizeof *set_ups);
        nothing_is_left_since(before);
    }
}

/* (counts, wanted): comes back when so many have been called. */
static int wait_for_others(rask_task *t)
{
    counts *c = (counts *)(intptr_t)rask_arg_i64(t, 0);
    meet(&c->total, (int)rask_arg_i64(t, 1));
    return rask_return_i64(t, getpid());
}
RASK_SLOTS(wait_for_others);
RASK_UNUSED static const rask_task_def wait_io = {
    .size = sizeof(rask_task_def), .name = "wait_io", .call = wait_for_others, .flags = RASK_IO};

/* Tasks that wait for each other: they return only when all run at once. */
static void must_run_at_once(int cpu, int io, rask_options o)
{
    rask_graph *g = rask_graph_new();
    counts *c = shared_counts();
    rask_node *nodes[16];
    rask_value result;
    const rask_value *pids;
    size_t many;
    const rask_arg args[2] = {RASK_ARG(address_of(c)), RASK_ARG(cpu + io)};
    for (int i = 0; i < cpu + io; i++)
        nodes[i] = rask_call(g, i < cpu ? RASK_DEF(wait_for_others) : &wait_io, args, 2);
    cr_assert_eq(rask_compute_with(rask_list(g, nodes, (size_t)(cpu + io)), &o, &result), RASK_OK);
    cr_assert_eq(rask_value_get_list(&result, &pids, &many), RASK_OK);
    for (size_t i = 0; i < many; i++)
        cr_assert_neq(pids[i].as.i64, getpid());
    rask_value_unref(&result);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
}

Test(processes, threads_of_workers_and_lanes_run_at_once)
{
    rask_options o = processes(1);
    o.worker_threads = 3;
    must_run_at_once(3, 0, o);
    o.workers = 2;
    must_run_at_once(6, 0, o);
    o.worker_threads = 0;
    o.io_lanes = 6;
    must_run_at_once(2, 6, o);
}

/* -- Runs inside tasks, and several at once */

static int64_t add(int64_t a, int64_t b)
{
    return a + b;
}
RASK_TASK(add, i64, i64, i64);

static int64_t add_many(const char *scheduler, int64_t from)
{
    rask_graph *g = rask_graph_new();
    rask_options o = RASK_OPTIONS_INIT;
    rask_node *nodes[50];
    int64_t sum = -1;
    o.scheduler = scheduler;
    o.workers = 2;
    for (int i = 0; i < 50; i++)
        nodes[i] = rask_delayed(g, add, from, i);
    if (rask_compute_with(rask_sum(rask_list(g, nodes, 50)), &o, &sum))
        sum = -2;
    rask_graph_free(g);
    return sum;
}

/* (whether on processes, from) */
static int compute_inside(rask_task *t)
{
    return rask_return_i64(t, add_many(rask_arg_i64(t, 0) ? "processes" : "threads", rask_arg_i64(t, 1)));
}
RASK_SLOTS(compute_inside);

#if !defined(__SANITIZE_THREAD__)
Test(processes, a_task_may_compute_on_threads_or_processes)
{
    rask_graph *g = rask_graph_new();
    rask_options o = processes(2);
    rask_node *nodes[20];
    int64_t answer;
    cr_assert_eq(add_many("threads", 0), 1225, "there are threads when workers are forked");
    for (int i = 0; i < 20; i++)
        nodes[i] = rask_delayed(g, compute_inside, i % 2, i);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 20)), &o, &answer), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(answer, 20 * 1225 + 50 * 190);
    rask_graph_free(g);
}
#endif

static void *compute_again_and_again(void *from)
{
    for (int i = 0; i < 20; i++)
        cr_assert_eq(add_many("processes", (intptr_t)from), 1225 + 50 * (intptr_t)from);
    return NULL;
}

Test(processes, several_threads_compute_at_once)
{
    leftovers before = look_around();
    pthread_t ids[4];
    for (intptr_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&ids[i], NULL, compute_again_and_again, (void *)i), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(ids[i], NULL);
    nothing_is_left_since(before);
}

/* -- Observers */

Test(processes, a_recording_has_every_task_once_though_workers_die)
{
    rask_graph *g = rask_graph_new();
    counts *c = shared_counts();
    rask_recording *recording = rask_recording_new();
    const rask_observer *observer = rask_recording_observer(recording);
    rask_options o = processes(2);
    rask_node *nodes[40];
    uint32_t many;
    int64_t answer;
    o.observers = &observer;
    o.observer_count = 1;
    add_quiet(g, c, nodes, 0, 40);
    nodes[11] = rask_delayed(g, die_at_first, address_of(c), 11, 2, ABORT);
    cr_assert_eq(rask_compute_with(rask_sum(rask_list(g, nodes, 40)), &o, &answer), RASK_OK);
    rask_run_info run = rask_recording_run(recording);
    const rask_task_info *tasks = rask_recording_tasks(recording, &many);
    cr_assert_eq(many, run.tasks);
    cr_assert_str_eq(run.scheduler, "processes");
    for (uint32_t i = 0; i < many; i++) {
        cr_assert_eq(tasks[i].status, RASK_OK);
        cr_assert_leq(run.start_ns, tasks[i].ready_ns);
        cr_assert_leq(tasks[i].ready_ns, tasks[i].start_ns, "task %u", i);
        cr_assert_leq(tasks[i].start_ns, tasks[i].end_ns);
        cr_assert_leq(tasks[i].end_ns, run.end_ns);
        cr_assert_lt(tasks[i].worker, 2);
    }
    rask_recording_free(recording);
    rask_graph_free(g);
    shared_free(c, sizeof *c);
}
