/* Where results go: no two to one place, and none to memory that there is not. */
#include <criterion/criterion.h>
#include <rask/rask.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/rask-outputs-XXXXXX";
static rask_graph *g;

static void begin(void)
{
    g = rask_graph_new();
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void end(void)
{
    rask_graph_free(g);
    unlink("first.npy");
    unlink("link.npy");
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(rmdir(folder), 0, "something is left");
}

TestSuite(outputs, .init = begin, .fini = end);

static int store(const char *first, const char *second)
{
    rask_array *a = rask_array_arange(g, 0, 10.0, 1);
    rask_store_target targets[2] = {{.array = a, .path = first}, {.array = a, .path = second}};
    return rask_array_store(targets, second ? 2 : 1, NULL);
}

/* Nothing is there afterwards but what was before. */
static void refuses(const char *first, const char *second)
{
    cr_expect_eq(store(first, second), RASK_EEXIST, "%s, %s: %s", first, second, rask_graph_error(g));
    cr_expect_not_null(strstr(rask_graph_error(g), "is being written already"), "%s", rask_graph_error(g));
}

Test(outputs, of_one_path_in_any_spelling_are_refused)
{
    char whole[100];
    snprintf(whole, sizeof whole, "%s/./a.npy", folder);
    refuses("a.npy", "a.npy");
    refuses("a.npy", "./a.npy");
    refuses("a.npy", whole);
    refuses("a.zarr", ".//a.zarr");
    cr_expect_neq(access("a.npy", F_OK), 0);
}

Test(outputs, through_a_link_are_refused_too)
{
    cr_assert_eq(store("first.npy", NULL), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(symlink("first.npy", "link.npy"), 0);
    refuses("link.npy", "first.npy");
    cr_expect_eq(store("link.npy", NULL), RASK_OK, "a path is free again after a failure: %s",
                 rask_graph_error(g));
    struct stat file;
    cr_expect_eq(lstat("link.npy", &file), 0);
    cr_expect(S_ISLNK(file.st_mode));
}

Test(outputs, of_one_array_are_a_call_of_their_own)
{
    double sum;
    rask_array *a = rask_array_arange(g, 0, 10.0, 1);
    cr_assert_eq(rask_array_write(a, "first.npy", NULL), RASK_OK, "%s", rask_graph_error(g));
    rask_array *written = rask_array_open(g, "first.npy", NULL);
    cr_assert_eq(rask_compute(rask_array_sum(written, RASK_ALL), &sum), RASK_OK, "%s", rask_graph_error(g));
    cr_expect_eq(sum, 45);
    cr_expect_eq(rask_array_write(a, NULL, NULL), RASK_EINVAL);
    cr_expect_str_eq(rask_graph_error(g), "store: no path");
    cr_expect_eq(rask_array_write(a, "first.jpg", NULL), RASK_EINVAL, "%s", rask_graph_error(g));
    cr_expect_eq(rask_array_write(NULL, "none.npy", NULL), RASK_EGRAPH);
}

Test(outputs, in_a_folder_that_is_not_there_are_errors)
{
    cr_expect_eq(store("none/a.npy", NULL), RASK_ENOENT);
    cr_expect_eq(store("none/a.zarr", NULL), RASK_ENOENT);
}

Test(outputs, in_memory_are_named_when_too_little_is_left)
{
    rask_options options = RASK_OPTIONS_INIT;
    rask_array *sorted = rask_array_sort(rask_array_normal(g, 1, 0, 1, 500000), 0);
    rask_block block = {.data = NULL};
    options.memory = 4200000;
    cr_assert_eq(rask_array_compute(&sorted, 1, &options, &block), RASK_EBUDGET);
    cr_expect_not_null(strstr(rask_graph_error(g), "needs"), "%s", rask_graph_error(g));
    cr_expect_not_null(strstr(rask_graph_error(g),
                              "; the results in memory hold 4000000 bytes more, of a budget of 4200000"),
                       "%s", rask_graph_error(g));
    cr_expect_null(block.data);
}
