/* Traces, profiles and reports say what ran, on every scheduler. */
#include "core/observe/write.h"
#include "graphs.h"
#include "tests/failing_allocator.h"
#include "tests/folder.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

typedef struct seen {
    rask_trace *trace;
    rask_profile *profile;
    const rask_observer *observers[2];
    rask_report report;
} seen;

static void see(seen *s, rask_options *o, uint64_t tasks)
{
    *s = (seen){.trace = rask_trace_new(tasks), .profile = rask_profile_new()};
    s->observers[0] = rask_trace_observer(s->trace);
    s->observers[1] = rask_profile_observer(s->profile);
    o->observers = s->observers;
    o->observer_count = 2;
    o->report = &s->report;
}

static void unsee(seen *s)
{
    rask_trace_free(s->trace);
    rask_profile_free(s->profile);
}

static rask_options with(const char *scheduler, uint32_t workers)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = scheduler;
    o.workers = workers;
    return o;
}

enum { SETUPS = 4 };

static rask_options setup(size_t i)
{
    const rask_options all[SETUPS] = {with("serial", 1), with("threads", 1), with("threads", 4),
                                      with("processes", 2)};
    return all[i];
}

static char *read_all(const char *file)
{
    FILE *in = fopen(file, "r");
    char *text = NULL;
    size_t len = 0;
    cr_assert_not_null(in, "%s", file);
    cr_assert_geq(getdelim(&text, &len, 0, in), 0);
    fclose(in);
    return text;
}

/* The trace, written and read. */
static cJSON *written(const seen *s)
{
    char error[300] = "";
    cr_assert_eq(rask_trace_write(s->trace, other, error, sizeof error), RASK_OK, "%s", error);
    char *text = read_all(other);
    cJSON *root = cJSON_Parse(text);
    cr_assert_not_null(root, "no JSON: %.200s", text);
    free(text);
    return root;
}

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
    return text ? text : "";
}

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    cr_assert(cJSON_IsNumber(item), "%s is no number", name);
    return item->valuedouble;
}

static uint32_t events(const cJSON *root, const char *phase, const char *category)
{
    uint32_t count = 0;
    const cJSON *event;
    cJSON_ArrayForEach(event, cJSON_GetObjectItem(root, "traceEvents")) count +=
        !strcmp(text_of(event, "ph"), phase) && !strcmp(text_of(event, "cat"), category);
    return count;
}

static double counted(const cJSON *root, const char *name)
{
    return number_of(cJSON_GetObjectItem(root, "otherData"), name);
}

static cJSON *profiled(const seen *s)
{
    char text[20000];
    size_t len = rask_profile_json(s->profile, text, sizeof text);
    cr_assert(len && len < sizeof text);
    cJSON *root = cJSON_Parse(text);
    cr_assert_not_null(root, "no JSON: %.200s", text);
    return root;
}

static double sum_of_names(const cJSON *profile, const char *field)
{
    double sum = 0;
    const cJSON *name;
    cJSON_ArrayForEach(name, cJSON_GetObjectItem(profile, "names")) sum += number_of(name, field);
    return sum;
}

/* -- Traces */

Test(trace, has_every_task_that_ran_once_and_counts_the_others)
{
    enter_folder(".json", "");
    for (uint64_t seed = 0; seed < 24; seed++) {
        rask_options o = setup(seed % SETUPS);
        random_graph *g = random_graph_new(seed);
        seen s;
        see(&s, &o, 0);
        o.keep_going = seed % 3;
        if (seed % 2)
            random_graph_add_failures(g, 10, GRAPH_FAILS_ALWAYS);
        random_graph_compute_with_failures(g, o, &s.report);
        cJSON *root = written(&s), *profile = profiled(&s);
        uint32_t ran = s.report.finished + s.report.failed;
        cr_assert_eq(events(root, "X", "task") + events(root, "X", "failed"), ran);
        cr_assert_eq(events(root, "X", "failed"), s.report.failed);
        cr_assert_eq(events(root, "X", "run"), 1);
        cr_assert_eq(counted(root, "tasks"), ran);
        cr_assert_eq(counted(root, "skipped"), s.report.skipped);
        cr_assert_eq(sum_of_names(profile, "count"), ran);
        cr_assert_eq(sum_of_names(profile, "failed"), s.report.failed);
        cr_assert_eq(number_of(profile, "skipped"), s.report.skipped);
        cJSON_Delete(root);
        cJSON_Delete(profile);
        unsee(&s);
        random_graph_free(g);
    }
    leave_folder();
}

static rask_cancel_token *own_cancel;

static int cancel_its_run(rask_task *t)
{
    rask_cancel(own_cancel);
    return rask_return_i64(t, rask_task_cancelled(t));
}
RASK_SLOTS(cancel_its_run);

Test(trace, a_task_that_gave_way_to_the_end_of_its_run_did_not_fail)
{
    seen s;
    int64_t answer;
    rask_options o = with("threads", 1);
    rask_graph *g = rask_graph_new();
    enter_folder(".json", "");
    see(&s, &o, 0);
    o.cancel = own_cancel = rask_cancel_token_new();
    cr_assert_eq(rask_compute_with(rask_delayed(g, cancel_its_run), &o, &answer), RASK_ECANCELLED);
    cJSON *root = written(&s), *profile = profiled(&s);
    cr_expect_eq(events(root, "X", "task"), 1);
    cr_expect_eq(events(root, "X", "failed"), 0);
    cr_expect_eq(sum_of_names(profile, "failed"), 0);
    cr_expect_eq(s.report.failed, 0);
    cJSON_Delete(root);
    cJSON_Delete(profile);
    unsee(&s);
    rask_cancel_token_free(own_cancel);
    rask_graph_free(g);
    leave_folder();
}

static int by_start(const void *a, const void *b)
{
    double x = number_of(*(cJSON *const *)a, "ts"), y = number_of(*(cJSON *const *)b, "ts");
    return x < y ? -1 : x > y;
}

/* Slices of one track in viewers must not overlap. */
static void must_follow_each_other(const cJSON *root, int track)
{
    const cJSON *event, *all[4096];
    size_t count = 0;
    cJSON_ArrayForEach(event, cJSON_GetObjectItem(root, "traceEvents"))
    {
        if (!strcmp(text_of(event, "cat"), "task") && number_of(event, "tid") == track && count < 4096)
            all[count++] = event;
    }
    qsort(all, count, sizeof *all, by_start);
    for (size_t i = 0; i + 1 < count; i++)
        cr_assert_leq(number_of(all[i], "ts") + number_of(all[i], "dur"),
                      number_of(all[i + 1], "ts") + 0.002);
}

Test(trace, tasks_of_a_worker_follow_each_other)
{
    enter_folder(".json", "");
    for (uint64_t seed = 0; seed < 16; seed++) {
        rask_options o = setup(seed % SETUPS);
        random_graph *g = random_graph_new(seed);
        seen s;
        see(&s, &o, 0);
        random_graph_compute_with_failures(g, o, &s.report);
        cJSON *root = written(&s);
        for (int track = 1; track < 40; track++)
            must_follow_each_other(root, track);
        cJSON_Delete(root);
        unsee(&s);
        random_graph_free(g);
    }
    leave_folder();
}

static int64_t one(int64_t i)
{
    return i & 1;
}
RASK_TASK(one, i64, i64);

static rask_node *many(rask_graph *g, int count)
{
    rask_node **nodes = malloc((size_t)count * sizeof *nodes);
    for (int i = 0; i < count; i++)
        nodes[i] = rask_delayed(g, one, i);
    rask_node *list = rask_list(g, nodes, (size_t)count);
    free(nodes);
    return rask_sum(list);
}

/* The texts that a pen and a stream make of the same. */
typedef struct twice {
    char *by_hand, *printed;
    size_t lengths[2];
} twice;

static twice write_both(const uint64_t *numbers, size_t count, const char *text)
{
    twice b;
    FILE *hand = open_memstream(&b.by_hand, &b.lengths[0]),
         *print = open_memstream(&b.printed, &b.lengths[1]);
    rk_pen pen = {.out = hand};
    for (size_t i = 0; i < count; i++) {
        rk_pen_number(&pen, numbers[i]);
        rk_pen_us(&pen, numbers[i]);
        rk_pen_string(&pen, text);
        fprintf(print, "%llu", (unsigned long long)numbers[i]);
        rk_put_us(print, numbers[i]);
        rk_put_string(print, text);
    }
    rk_pen_flush(&pen);
    fclose(hand);
    fclose(print);
    return b;
}

Test(trace, what_is_written_by_hand_is_what_is_printed)
{
    static const uint64_t numbers[] = {0, 9, 10, 999, 1000, 1001, 123456789, UINT32_MAX, UINT64_MAX};
    char longest[40000]; /* than a pen holds */
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    const char *const texts[] = {"", "plain", "\"quoted\" \\ <b>\n\x7f", "\xff no character, \xc3\xa9 one",
                                 longest};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        twice b = write_both(numbers, sizeof numbers / sizeof *numbers, texts[i]);
        cr_expect_eq(b.lengths[0], b.lengths[1]);
        cr_expect_str_eq(b.by_hand, b.printed);
        free(b.by_hand);
        free(b.printed);
    }
}

Test(trace, keeps_so_many_tasks_and_counts_what_it_drops)
{
    enum { TASKS = 100000 };
    enter_folder(".json", "");
    rask_graph *g = rask_graph_new();
    rask_options o = with("threads", 2);
    int64_t sum;
    seen s;
    see(&s, &o, 1);
    cr_assert_eq(rask_compute_with(many(g, TASKS), &o, &sum), RASK_OK);
    rask_trace_counts counts = rask_trace_get_counts(s.trace);
    cr_assert_lt(counts.tasks, TASKS / 2);
    cr_assert_gt(counts.tasks, 0);
    cr_assert_eq(counts.tasks + counts.dropped, s.report.finished);
    cJSON *profile = profiled(&s);
    cr_assert_eq(number_of(profile, "tasks"), s.report.finished);
    cJSON_Delete(profile);
    unsee(&s);
    rask_graph_free(g);
    leave_folder();
}

static const char hostile[] = "</script><script>alert(1)</script>\"\\\n\xff'&";

static int nothing(rask_task *t)
{
    return rask_return_i64(t, 0);
}

Test(trace, names_and_labels_do_no_harm)
{
    const rask_task_def def = {.size = sizeof def, .name = hostile, .call = nothing};
    enter_folder(".json", "");
    rask_graph *g = rask_graph_new();
    rask_options o = with("threads", 2);
    rask_value result;
    seen s;
    see(&s, &o, 0);
    rask_node *node = rask_set_label(rask_call_nodes(g, &def, NULL, 0), hostile);
    cr_assert_eq(rask_compute_value(node, &o, &result), RASK_OK, "%s", rask_graph_error(g));
    rask_graph_free(g); /* what is written is the trace's own */
    cJSON *root = written(&s);
    cr_assert_eq(events(root, "X", "task"), 1);
    cJSON *profile = profiled(&s);
    char error[300] = "";
    cr_assert_eq(rask_page_write(s.trace, s.profile, hostile, other, error, sizeof error), RASK_OK, "%s",
                 error);
    char *page = read_all(other);
    cr_assert_null(strstr(page, "<script>alert"));
    cr_assert_null(strstr(page, "</script><script>alert"));
    cr_assert_not_null(strstr(page, "\\u003cscript>alert(1)"));
    free(page);
    cJSON_Delete(root);
    cJSON_Delete(profile);
    unsee(&s);
    leave_folder();
}

/* -- Memory */

enum { BLOCKS = 24, BLOCK_BYTES = 1 << 20 };

static int block(rask_task *t)
{
    char *bytes = malloc(BLOCK_BYTES);
    memset(bytes, (int)rask_arg_i64(t, 0), BLOCK_BYTES);
    int status = rask_return_bytes(t, bytes, BLOCK_BYTES);
    free(bytes);
    return status;
}
RASK_SLOTS(block);

static int length(rask_task *t)
{
    return rask_return_i64(t, (int64_t)rask_arg_bytes(t, 0).len);
}
RASK_SLOTS(length);

/* All blocks are made before any is used. */
static rask_node *blocks_then_lengths(rask_graph *g)
{
    rask_node *made[BLOCKS], *lengths[BLOCKS];
    for (int i = 0; i < BLOCKS; i++)
        made[i] = rask_delayed(g, block, i);
    for (int i = 0; i < BLOCKS; i++) {
        lengths[i] = rask_call_nodes(g, RASK_DEF(length), &made[i], 1);
        rask_after(lengths[i], made, BLOCKS);
    }
    return rask_sum(rask_list(g, lengths, BLOCKS));
}

Test(trace, tells_of_results_that_go_to_disk_and_come_back)
{
    enter_folder(".json", "");
    for (size_t i = 0; i < SETUPS; i++) {
        rask_graph *g = rask_graph_new();
        rask_options o = setup(i);
        int64_t sum;
        seen s;
        o.memory = 8 << 20;
        see(&s, &o, 0);
        cr_assert_eq(rask_compute_with(blocks_then_lengths(g), &o, &sum), RASK_OK, "%s", rask_graph_error(g));
        cr_assert_eq(sum, (int64_t)BLOCKS * BLOCK_BYTES);
        cJSON *root = written(&s), *profile = profiled(&s);
        cr_assert_gt(s.report.spilled_bytes, 0);
        cr_assert_gt(events(root, "b", "move"), 0, "%s", o.scheduler);
        cr_assert_eq(events(root, "b", "move"), events(root, "e", "move"));
        cr_assert_eq(number_of(profile, "moves"), counted(root, "moves"));
        cr_assert_eq(number_of(profile, "moved_bytes"), s.report.spilled_bytes + s.report.read_back_bytes);
        cr_assert_geq(sum_of_names(profile, "bytes_out"), (double)BLOCKS * BLOCK_BYTES);
        cr_assert_geq(sum_of_names(profile, "bytes_in"), (double)BLOCKS * BLOCK_BYTES);
        double most_live = 0, most_away = 0;
        const cJSON *event;
        cJSON_ArrayForEach(event, cJSON_GetObjectItem(root, "traceEvents"))
        {
            const cJSON *args = cJSON_GetObjectItem(event, "args");
            if (strcmp(text_of(event, "ph"), "C"))
                continue;
            most_live = number_of(args, "live") > most_live ? number_of(args, "live") : most_live;
            most_away = number_of(args, "spilled") > most_away ? number_of(args, "spilled") : most_away;
        }
        cr_assert_leq(most_live, (double)o.memory);
        cr_assert_geq(most_live, BLOCK_BYTES);
        cr_assert_geq(most_away, BLOCK_BYTES);
        cr_assert_leq(most_away, 1.1 * (double)s.report.spilled_bytes); /* in memory values have heads */
        cJSON_Delete(root);
        cJSON_Delete(profile);
        unsee(&s);
        rask_graph_free(g);
    }
    leave_folder();
}

/* -- Results that go from process to process */

static atomic_int *met; /* in memory that worker processes share */

enum { MET_BYTES = 100000, MOST_WAITS = 20000 };

/* Two of them run at once, so that no worker runs both. */
static int meet(rask_task *task)
{
    atomic_fetch_add(met, 1);
    for (int i = 0; i < MOST_WAITS && atomic_load(met) < 2; i++)
        usleep(1000);
    char *bytes = calloc(MET_BYTES, 1);
    int status = rask_return_bytes(task, bytes, MET_BYTES);
    free(bytes);
    return status;
}

static int part(rask_task *task)
{
    return rask_return_i64(task, (int64_t)(rask_arg_bytes(task, 0).len + rask_arg_bytes(task, 1).len));
}

/* Is the moment in a task of the track? */
static bool is_in_a_task(const cJSON *root, const cJSON *moment)
{
    const cJSON *event;
    double at = number_of(moment, "ts");
    cJSON_ArrayForEach(
        event,
        cJSON_GetObjectItem(root, "traceEvents")) if (!strcmp(text_of(event, "ph"), "X") &&
                                                      !strcmp(text_of(event, "cat"), "task") &&
                                                      number_of(event, "tid") == number_of(moment, "tid") &&
                                                      number_of(event, "ts") <= at &&
                                                      at <= number_of(event, "ts") +
                                                                number_of(event, "dur")) return true;
    return false;
}

Test(trace, results_that_another_process_takes_are_arrows_between_tasks)
{
    const rask_task_def made = {.size = sizeof made, .name = "meet", .call = meet},
                        taken = {.size = sizeof taken, .name = "part", .call = part};
    rask_graph *g = rask_graph_new();
    rask_options o = with("processes", 2);
    int64_t bytes;
    seen s;
    enter_folder(".json", "");
    met = mmap(NULL, sizeof *met, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)met, MAP_FAILED);
    see(&s, &o, 0);
    rask_node *both[] = {rask_call(g, &made, NULL, 0), rask_call(g, &made, NULL, 0)};
    cr_assert_eq(rask_compute_with(rask_call_nodes(g, &taken, both, 2), &o, &bytes), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(bytes, 2 * MET_BYTES);
    cJSON *root = written(&s);
    const cJSON *event;
    cr_expect_eq(events(root, "s", "result"), 1, "one of both was made elsewhere");
    cr_expect_eq(events(root, "f", "result"), 1);
    cJSON_ArrayForEach(event,
                       cJSON_GetObjectItem(root, "traceEvents")) if (!strcmp(text_of(event, "cat"), "result"))
        cr_expect(is_in_a_task(root, event), "an arrow ends nowhere");
    cJSON_Delete(root);
    unsee(&s);
    munmap((void *)met, sizeof *met);
    rask_graph_free(g);
    leave_folder();
}

/* -- Several runs */

Test(trace, runs_one_after_the_other_add_up)
{
    enter_folder(".json", "");
    rask_options o = with("threads", 2);
    uint64_t ran = 0;
    seen s;
    see(&s, &o, 0);
    for (int i = 1; i <= 3; i++) {
        rask_graph *g = rask_graph_new();
        int64_t sum;
        cr_assert_eq(rask_compute_with(many(g, 10 * i), &o, &sum), RASK_OK);
        ran += s.report.finished;
        rask_graph_free(g);
    }
    cJSON *root = written(&s), *profile = profiled(&s);
    cr_assert_eq(events(root, "X", "run"), 3);
    cr_assert_eq(events(root, "X", "task"), ran);
    cr_assert_eq(number_of(profile, "runs"), 3);
    cr_assert_eq(sum_of_names(profile, "count"), ran);
    cJSON_Delete(root);
    cJSON_Delete(profile);
    unsee(&s);
    leave_folder();
}

static rask_options inner;

static int run_another(rask_task *t)
{
    rask_graph *g = rask_graph_new();
    int64_t sum;
    int status = rask_compute_with(many(g, 10), &inner, &sum);
    rask_graph_free(g);
    return status ? status : rask_return_i64(t, sum);
}
RASK_SLOTS(run_another);

Test(trace, a_run_that_begins_in_another_is_left_out)
{
    rask_graph *g = rask_graph_new();
    rask_options o = with("threads", 2);
    rask_value result;
    seen s;
    see(&s, &o, 0);
    inner = o;
    inner.report = NULL;
    cr_assert_eq(rask_compute_value(rask_call_nodes(g, RASK_DEF(run_another), NULL, 0), &o, &result),
                 RASK_OK);
    rask_trace_counts counts = rask_trace_get_counts(s.trace);
    cr_assert_eq(counts.runs, 1);
    cr_assert_eq(counts.tasks, 1);
    cr_assert_eq(counts.left_out, 1);
    unsee(&s);
    rask_graph_free(g);
}

/* -- What goes wrong */

Test(trace, a_file_that_cannot_be_written_is_an_error_that_names_it)
{
    enter_folder(".json", "");
    char error[300], nowhere[200];
    rask_trace *trace = rask_trace_new(0);
    rask_profile *profile = rask_profile_new();
    snprintf(nowhere, sizeof nowhere, "%s/none/t.json", folder);
    cr_assert_eq(rask_trace_write(trace, nowhere, error, sizeof error), RASK_EIO);
    cr_assert_not_null(strstr(error, "none/t.json: No such file"));
    cr_assert_eq(rask_page_write(trace, profile, NULL, nowhere, NULL, 0), RASK_EIO);
    cr_assert_eq(rask_trace_write(trace, NULL, error, sizeof error), RASK_EINVAL);
    cr_assert_eq(rask_trace_write(NULL, other, error, sizeof error), RASK_EINVAL);
    cr_assert_eq(rask_page_write(trace, NULL, NULL, other, error, sizeof error), RASK_EINVAL);
    cr_assert_eq(rask_profile_write(profile, NULL, error, sizeof error), RASK_EINVAL);
    cr_assert_eq(rask_profile_write(NULL, other, error, sizeof error), RASK_EINVAL);
    cr_assert_eq(files(), 1);
    expect_file(path, "");
    rask_trace_free(trace);
    rask_profile_free(profile);
    leave_folder();
}

Test(profile, a_file_is_written_whole_or_stays_as_it_was)
{
    enter_folder(".json", "old");
    rask_graph *g = rask_graph_new();
    rask_options o = with("serial", 1);
    int64_t sum = 0;
    char error[300], nowhere[200];
    seen s;
    see(&s, &o, 0);
    cr_assert_eq(rask_compute_with(many(g, 20), &o, &sum), RASK_OK);
    snprintf(nowhere, sizeof nowhere, "%s/none/p.json", folder);
    cr_assert_eq(rask_profile_write(s.profile, nowhere, error, sizeof error), RASK_EIO);
    cr_assert_not_null(strstr(error, "none/p.json: No such file"), "%s", error);
    struct rlimit least = {.rlim_cur = 64, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &least), 0);
    cr_assert_eq(rask_profile_write(s.profile, path, error, sizeof error), RASK_EIO);
    least.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &least), 0);
    cr_assert_not_null(strstr(error, "File too large"), "%s", error);
    expect_file(path, "old");
    cr_assert_eq(files(), 1);
    cr_assert_eq(rask_profile_write(s.profile, path, NULL, 0), RASK_OK);
    char *text = read_all(path);
    cJSON *root = cJSON_Parse(text);
    cr_assert_eq(number_of(root, "runs"), 1);
    cJSON_Delete(root);
    free(text);
    unsee(&s);
    rask_graph_free(g);
    leave_folder();
}

Test(trace, without_a_run_there_is_little_to_tell)
{
    enter_folder(".json", "");
    seen s = {.trace = rask_trace_new(0), .profile = rask_profile_new()};
    cJSON *root = written(&s);
    cr_assert_eq(counted(root, "runs"), 0);
    cr_assert_eq(rask_profile_text(s.profile, NULL, 0), 0);
    cr_assert_eq(rask_profile_json(s.profile, NULL, 0), 0);
    cr_assert_eq(rask_profile_write(s.profile, other, NULL, 0), RASK_EINVAL);
    cr_assert_eq(rask_page_write(s.trace, s.profile, NULL, other, NULL, 0), RASK_OK);
    cr_assert_null(rask_trace_observer(NULL));
    cr_assert_null(rask_profile_observer(NULL));
    cJSON_Delete(root);
    unsee(&s);
    rask_trace_free(NULL);
    rask_profile_free(NULL);
    leave_folder();
}

static int traced(void)
{
    rask_graph *g = rask_graph_new();
    rask_options o = with("serial", 1);
    int64_t sum = 0;
    seen s;
    see(&s, &o, 0);
    int status = RASK_ENOMEM;
    if (s.trace && s.profile && g) {
        rask_node *node = many(g, 20);
        status = rask_compute_with(node, &o, &sum);
        status = status == RASK_EGRAPH ? rask_graph_status(g) : status;
        if (!status && rask_trace_write(s.trace, other, NULL, 0))
            status = RASK_EIO;
        int paged = status ? RASK_OK : rask_page_write(s.trace, s.profile, "x", other, NULL, 0);
        status = status ? status : paged;
        int profiled = status ? RASK_OK : rask_profile_write(s.profile, other, NULL, 0);
        status = status ? status : profiled;
    }
    unsee(&s);
    rask_graph_free(g);
    return status;
}

Test(trace, without_memory_less_is_told_and_nothing_leaks)
{
    enter_folder(".json", "");
    sweep(traced, 0);
    leave_folder();
}

/* -- Profiles */

/* As a cluster tells of it: worker 2 is the second one's thread, 3 its lane. */
static void tell_of_cluster(const rask_observer *o, const rask_run_info *run)
{
    static const struct {
        uint32_t worker;
        bool lane;
        int status;
    } told[] = {{0, false, RASK_OK}, {2, false, RASK_ECANCELLED}, {3, true, RASK_OK}, {2, false, RASK_EIO}};
    rask_run_info ended = *run;
    o->plan_made(o->context, run);
    for (uint32_t i = 0; i < 4; i++) {
        rask_task_info info = {.task = i,
                               .node = i,
                               .name = "some",
                               .label = "",
                               .worker = told[i].worker,
                               .lane = told[i].lane,
                               .status = told[i].status,
                               .start_ns = 1000 + 1000 * i,
                               .end_ns = 2000 + 1000 * i,
                               .run = run->run};
        o->task_finished(o->context, &info);
    }
    ended.end_ns = 5000;
    o->run_ended(o->context, &ended);
}

Test(profile, who_is_a_lane_is_known_from_tasks_and_not_from_numbers)
{
    const rask_run_info run = {.run = 1, .tasks = 4, .workers = 2, .scheduler = "cluster", .start_ns = 1000};
    seen s;
    rask_options o = with("threads", 1);
    char error[200], text[2000];
    enter_folder(".json", "");
    see(&s, &o, 0);
    tell_of_cluster(s.observers[0], &run);
    tell_of_cluster(s.observers[1], &run);
    cJSON *profile = profiled(&s), *root = written(&s);
    cr_expect_eq(number_of(profile, "busy_ns"), 3000);
    cr_expect_eq(number_of(profile, "lane_ns"), 1000);
    cr_expect_eq(number_of(profile, "cpu_ns"), -1, "what this process computed is not what workers did");
    cr_expect_eq(sum_of_names(profile, "failed"), 1);
    cr_expect_eq(events(root, "X", "failed"), 1);
    cJSON_Delete(profile);
    cJSON_Delete(root);
    char *trace = read_all(other);
    cr_expect(strstr(trace, "\"worker 2\"") && strstr(trace, "\"I/O lane 0\"") && !strstr(trace, "lane 1"));
    free(trace);
    cr_assert_eq(rask_page_write(s.trace, s.profile, NULL, other, error, sizeof error), RASK_OK, "%s", error);
    char *page = read_all(other);
    cr_expect_not_null(strstr(page, "\"lanes\":[3]"));
    snprintf(text, sizeof text, "\"%s\",\"\",0]", rask_status_text(RASK_ECANCELLED));
    cr_expect_not_null(strstr(page, text), "what was cancelled did not fail");
    snprintf(text, sizeof text, "\"%s\",\"\",1]", rask_status_text(RASK_EIO));
    cr_expect_not_null(strstr(page, text));
    free(page);
    rask_profile_text(s.profile, text, sizeof text);
    cr_expect_not_null(strstr(text, "held by one worker"));
    unsee(&s);
    leave_folder();
}

Test(profile, text_has_a_line_a_name_and_says_what_bounds)
{
    rask_graph *g = rask_graph_new();
    rask_options o = with("threads", 2);
    int64_t sum;
    char text[4000], part[50];
    seen s;
    see(&s, &o, 0);
    cr_assert_eq(rask_compute_with(many(g, 1000), &o, &sum), RASK_OK);
    size_t len = rask_profile_text(s.profile, text, sizeof text);
    cr_assert_eq(len, strlen(text));
    cr_assert_eq(rask_profile_text(s.profile, part, sizeof part), len);
    cr_assert_eq(strncmp(part, text, sizeof part - 1), 0);
    cr_assert_not_null(strstr(text, "\none "));
    cr_assert_not_null(strstr(text, "Bound by "));
    unsee(&s);
    rask_graph_free(g);
}

static int64_t nap(int64_t i)
{
    usleep(3000);
    return i + 1;
}
RASK_TASK(nap, i64, i64);

Test(profile, a_chain_is_its_own_critical_path)
{
    enum { LINKS = 10 };
    rask_graph *g = rask_graph_new();
    rask_options o = with("threads", 4);
    rask_node *last = rask_delayed(g, nap, 0);
    int64_t end;
    seen s;
    see(&s, &o, 0);
    for (int i = 1; i < LINKS; i++)
        last = rask_delayed(g, nap, last);
    cr_assert_eq(rask_compute_with(last, &o, &end), RASK_OK);
    cJSON *profile = profiled(&s);
    double total = sum_of_names(profile, "total_ns");
    cr_assert_geq(total, LINKS * 3e6);
    cr_assert_float_eq(number_of(profile, "critical_ns"), total, total / 1000);
    cJSON_Delete(profile);
    unsee(&s);
    rask_graph_free(g);
}
