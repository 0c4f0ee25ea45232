/* Arrays when memory or the disk fails: whichever allocation or call of the system goes wrong, an error says so, and
 * nothing is left behind, in memory or on the disk. */
#include "tests/failing_allocator.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { ROWS = 300, COLUMNS = 96 };

static char folder[] = "/tmp/rask-faults-XXXXXX";

/* -- Calls of the system that fail: the linker puts these in the way. Which one does is counted over all. -- */

typedef enum fault { NONE, BROKEN, SHORT, INTERRUPTED } fault;

static atomic_long calls;
static long fault_at;
static fault kind = NONE;

static bool strikes(void)
{
    return kind != NONE && atomic_fetch_add(&calls, 1) == fault_at;
}

/* -1 with errno; 0: nothing happens, or fewer bytes are asked for. */
static int strike(size_t *len, int error)
{
    if (!strikes())
        return 0;
    if (kind == SHORT && len && *len > 1) {
        *len /= 2;
        return 0;
    }
    errno = kind == INTERRUPTED ? EINTR : error;
    return kind == SHORT ? 0 : -1;
}

#ifdef RASK_TEST_WRAPS
ssize_t __real_pread64(int fd, void *data, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *data, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *data, size_t len, off_t at)
{
    return strike(&len, EIO) ? -1 : __real_pread64(fd, data, len, at);
}

ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at)
{
    return strike(&len, ENOSPC) ? -1 : __real_pwrite64(fd, data, len, at);
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    return kind == BROKEN && strike(NULL, EROFS) ? -1 : __real_mkdir(path, mode);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    return kind == BROKEN && strike(NULL, EROFS) ? -1 : __real_rename(from, to);
}
#endif

/* -- Programs. Each returns its status and checks its own result. -- */

static const char *path_of(const char *name)
{
    static char path[6][100];
    static int turn;
    char *place = path[turn++ % 6];
    snprintf(place, sizeof path[0], "%s/%s", folder, name);
    return place;
}

static int reason_of(const rask_graph *g, int status)
{
    return status == RASK_EGRAPH ? rask_graph_status(g) : status;
}

/* Files that are there beside a.npy and b.npy. */
static int count_others(void)
{
    DIR *d = opendir(folder);
    int count = -4;
    for (struct dirent *entry; d && (entry = readdir(d));)
        count++;
    closedir(d);
    return count;
}

static void remove_outputs(void)
{
    remove(path_of("out.npy"));
    for (int i = 0; i < 3; i++) {
        char name[30];
        snprintf(name, sizeof name, "out.zarr/%d.0", i);
        remove(path_of(name));
    }
    remove(path_of("out.zarr/.zarray"));
    rmdir(path_of("out.zarr"));
}

static rask_array *eval(rask_graph *g, const char *text)
{
    static const char *const names[] = {"a", "b"};
    rask_array *arrays[2];
    for (int i = 0; i < 2; i++)
        arrays[i] = rask_array_open_at(g, path_of(i ? "b.npy" : "a.npy"), NULL, __FILE__, __LINE__);
    return rask_eval(g, text, names, arrays, 2);
}

/* The message names a file when it was a file's fault. */
static int end(rask_graph *g, int status)
{
    status = reason_of(g, status);
    if (g && status)
        cr_assert_neq(*rask_graph_error(g), '\0', "%s without a message", rask_status_name(status));
    if (g && status == RASK_EIO)
        cr_assert_not_null(strstr(rask_graph_error(g), folder), "no path: %s", rask_graph_error(g));
    rask_graph_free(g);
    return status;
}

static rask_options serial(void)
{
    rask_options o = RASK_OPTIONS_INIT;
    o.scheduler = "serial";
    o.workers = 1;
    o.memory = 64 << 20;
    return o;
}

static int number_with(rask_options o, const char *text, double expected)
{
    rask_graph *g = rask_graph_new();
    if (!g)
        return RASK_ENOMEM;
    double result = 0;
    int status = rask_array_compute_out(eval(g, text), &o, RASK_OUT_F64, &result);
    if (!status)
        cr_assert_float_eq(result, expected, 1e-9 * fabs(expected), "%s: %.17g", text, result);
    return end(g, status);
}

static int number(const char *text, double expected)
{
    return number_with(serial(), text, expected);
}

/* a is 0, 1, 2, …, b is all 2. */
static int fused_mean(void)
{
    return number("mean((a - b * 2) ** 2 / 4)", 69087605.0416666667);
}

static int scan_and_sort(void)
{
    return number("max(cumsum(a, axis=0)) + median(a) + sort(a[:, ::-1], axis=1)[1, 0]", 4348595.5);
}

static int matrices(void)
{
    return number("sum(a @ b.T) + sum(cholesky(eye(3) * 4))", 2.0 * 300 * (28799.0 * 28800 / 2) + 6);
}

static int statistics(void)
{
    return number("histogram(a, 4)[0][1] + unique(b)[0] + sum(topk(ravel(a), 3))", 7200 + 2 + 3 * 28798.0);
}

static int taken(void)
{
    return number("take(a, [3, 1, 4, 1, 5], axis=1)[0].sum() + a.T[[7, 9, 90]][0, 0]", 14 + 7);
}

/* A function in the words of the language, and several arrays as subscripts. */
static int defined(void)
{
    return number("sum(cov(a[:3, :50])) + a[[0, 1], [2, 3]].sum()", 9 * 212.5 + 2 + 99);
}

/* So many computed numbers, of so many cells, go through a file. There is room for all else: a result that could not be
 * written might never be missed. */
static int taken_outside(void)
{
    rask_options o = serial();
    o.memory = 8 << 20;
    o.scratch = folder;
    return number_with(o, "take(arange(1200000.0), 1199999 - arange(110000) * 10).sum()", 71500440000.0);
}

/* And as it is where tasks share no file. */
static int taken_apart(void)
{
    rask_options o = serial(), elsewhere = o;
    rask_graph *g = rask_graph_new();
    double result = 0;
    if (!g)
        return RASK_ENOMEM;
    elsewhere.scheduler = "cluster";
    elsewhere.memory = 6 << 20;
    rask_array *sum = eval(g, "take(arange(1200000.0), 1199999 - arange(110000) * 10).sum()");
    rask_node *node = rask_array_node_at(sum, &elsewhere, __FILE__, __LINE__);
    int status = node ? rask_compute_with(node, &o, &result) : RASK_EGRAPH;
    if (!status)
        cr_assert_eq(result, 71500440000.0);
    return end(g, status);
}

static int masked(void)
{
    return number("a[:, a[0] > 47][0].sum()", 3432);
}

static int64_t size_of(const char *path)
{
    struct stat s;
    return stat(path, &s) ? -1 : (int64_t)s.st_size;
}

/* Two files of one pass: each is there, whole, or not at all, and nothing else. */
static int two_files(void)
{
    rask_graph *g = rask_graph_new();
    if (!g)
        return RASK_ENOMEM;
    rask_options o = serial();
    int64_t chunks[2] = {100, COLUMNS};
    rask_store_options zarr = {.size = sizeof zarr, .chunks = chunks};
    rask_store_target targets[2] = {
        {.array = eval(g, "a[2:] - 2 * a[1:-1] + a[:-2]"), .path = path_of("out.npy")},
        {.array = eval(g, "a.T.T + b"), .path = path_of("out.zarr"), .options = &zarr}};
    int status = reason_of(g, rask_array_store(targets, 2, &o));
    int64_t whole = 128 + (ROWS - 2) * COLUMNS * 8, first = size_of(path_of("out.npy"));
    cr_assert(first == whole || (first < 0 && status));
    cr_assert_eq(count_others(), (first > 0) + !status, "%s left files: %s", rask_status_name(status),
                 rask_graph_error(g));
    cr_assert_eq(size_of(path_of("out.zarr/2.0")) > 0, !status);
    remove_outputs();
    cr_assert_eq(count_others(), 0);
    return end(g, status);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    cr_assert_not_null(file, "%s", name);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

/* A folder in place of one that was there, which stays when that fails. */
static int folder_in_place(void)
{
    rask_graph *g = rask_graph_new();
    if (!g)
        return RASK_ENOMEM;
    rask_options o = serial();
    cr_assert_eq(mkdir(path_of("out.zarr"), 0700), 0);
    write_file("out.zarr/.zarray",
               "{\"chunks\": [1], \"compressor\": null, \"dtype\": \"<f8\", \"fill_value\": 0,"
               "\"filters\": null, \"order\": \"C\", \"shape\": [1], \"zarr_format\": 2}");
    write_file("out.zarr/0", "12345678");
    rask_store_target target = {.array = eval(g, "sum(b, axis=0)"), .path = path_of("out.zarr")};
    int status = reason_of(g, rask_array_store(&target, 1, &o));
    cr_assert_eq(size_of(path_of("out.zarr/0")) == 8, status != RASK_OK);
    cr_assert_eq(count_others(), 1);
    remove(path_of("out.zarr/0"));
    remove_outputs();
    return end(g, status);
}

/* Saying what storing would do leaves nothing. */
static int explained(void)
{
    rask_graph *g = rask_graph_new();
    if (!g)
        return RASK_ENOMEM;
    char text[2000];
    rask_options o = serial();
    rask_store_target targets[2] = {
        {.array = eval(g, "sort(a, axis=0).rechunk((100, 96))"), .path = path_of("out.zarr")},
        {.array = eval(g, "a + b"), .path = path_of("out.npy")}};
    size_t len = rask_array_store_explain(targets, 2, &o, text, sizeof text);
    cr_assert(!len || strstr(text, "out.zarr: float64 of shape (300, 96), 225.0 KiB, in chunks of (100, 96)"),
              "%s", text);
    cr_assert_eq(count_others(), 0);
    return end(g, len ? RASK_OK : RASK_ENOMEM);
}

static void make_inputs(void)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_eval(g, "arange(28800.0).reshape(300, 96)", NULL, NULL, 0);
    rask_array *b = rask_eval(g, "full((300, 96), 2.0)", NULL, NULL, 0);
    cr_assert_not_null(mkdtemp(folder));
    rask_store_target targets[2] = {{.array = a, .path = path_of("a.npy")},
                                    {.array = b, .path = path_of("b.npy")}};
    cr_assert_eq(rask_array_store(targets, 2, NULL), RASK_OK, "%s", rask_graph_error(g));
    rask_graph_free(g);
}

static void remove_inputs(void)
{
    kind = NONE;
    remove_outputs();
    remove(path_of("a.npy"));
    remove(path_of("b.npy"));
    rmdir(folder);
}

TestSuite(array_faults, .init = make_inputs, .fini = remove_inputs);

/* -- Memory -- */

Test(array_faults, no_memory_for_a_mean)
{
    sweep(fused_mean, 0);
}

Test(array_faults, no_memory_for_scans_and_sorting)
{
    sweep(scan_and_sort, 0);
}

Test(array_faults, no_memory_for_matrices)
{
    sweep(matrices, 0);
}

Test(array_faults, no_memory_for_statistics)
{
    sweep(statistics, 0);
}

Test(array_faults, no_memory_for_functions_in_words)
{
    sweep(defined, 0);
}

Test(array_faults, no_memory_for_taking)
{
    sweep(taken, 0);
}

Test(array_faults, no_memory_for_taking_by_way_of_a_file)
{
    sweep(taken_outside, 0);
}

Test(array_faults, no_memory_for_taking_where_no_file_is_shared)
{
    sweep(taken_apart, 0);
}

Test(array_faults, no_memory_for_masks)
{
    sweep(masked, 0);
}

Test(array_faults, no_memory_for_explaining)
{
    sweep(explained, 0);
}

Test(array_faults, no_memory_for_files)
{
    sweep(two_files, 0);
    sweep(folder_in_place, 0);
}

/* -- The disk -- */

#ifdef RASK_TEST_WRAPS
static void sweep_calls(program *run, fault what, bool survives)
{
    alarm(300);
    for (fault_at = 0;; fault_at++) {
        atomic_store(&calls, 0);
        kind = what;
        int status = run();
        kind = NONE;
        if (atomic_load(&calls) <= fault_at)
            break;
        cr_assert_eq(status, survives ? RASK_OK : RASK_EIO, "call %ld: %s", fault_at,
                     rask_status_name(status));
    }
    cr_assert_gt(fault_at, 1, "no calls: what is swept?");
    alarm(0);
}

Test(array_faults, a_disk_that_breaks_is_an_error_with_the_path)
{
    sweep_calls(fused_mean, BROKEN, false);
    sweep_calls(scan_and_sort, BROKEN, false);
    sweep_calls(matrices, BROKEN, false);
    sweep_calls(taken_outside, BROKEN, false);
    sweep_calls(two_files, BROKEN, false);
}

Test(array_faults, short_reads_and_writes_go_on)
{
    sweep_calls(fused_mean, SHORT, true);
    sweep_calls(matrices, SHORT, true);
    sweep_calls(taken_outside, SHORT, true);
    sweep_calls(two_files, SHORT, true);
}

Test(array_faults, interrupted_calls_are_made_again)
{
    sweep_calls(fused_mean, INTERRUPTED, true);
    sweep_calls(matrices, INTERRUPTED, true);
    sweep_calls(two_files, INTERRUPTED, true);
}
#endif

Test(array_faults, a_file_that_shrank_is_an_error)
{
    rask_graph *g = rask_graph_new();
    rask_array *mean = eval(g, "mean(a)");
    double result = 0;
    cr_assert_eq(truncate(path_of("a.npy"), 1000), 0);
    cr_assert_eq(rask_array_compute_out(mean, NULL, RASK_OUT_F64, &result), RASK_EIO);
    cr_assert_not_null(strstr(rask_graph_error(g), "a.npy"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(array_faults, what_was_there_stays_when_writing_fails)
{
    FILE *old = fopen(path_of("out.npy"), "w");
    fputs("old", old);
    fclose(old);
    rask_graph *g = rask_graph_new();
    rask_store_target target = {.array = eval(g, "cholesky(a[:96] - 1e6)"), .path = path_of("out.npy")};
    cr_assert_neq(rask_array_store(&target, 1, NULL), RASK_OK);
    cr_assert_eq(size_of(path_of("out.npy")), 3);
    cr_assert_eq(count_others(), 1);
    rask_graph_free(g);
}
