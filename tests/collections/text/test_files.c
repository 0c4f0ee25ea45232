/* Files: what a name stands for, and an error that names what stands for nothing. */
#include "support.h"

#include <fcntl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/rask-files-XXXXXX";

static void put(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void set_up(void)
{
    cr_assert(mkdtemp(folder) && chdir(folder) == 0);
    put("b.csv", "bb\n");
    put("a.csv", "a\n");
    put("c[1].csv", "ccc\n");
    put("notes.txt", "");
    put(".hidden", "h");
    cr_assert(mkdir("empty", 0700) == 0 && mkdir("sub.csv", 0700) == 0 && mkdir("parent", 0700) == 0 &&
              mkdir("parent/child", 0700) == 0 && symlink("nowhere", "dangling") == 0 &&
              mkfifo("fifo", 0600) == 0);
}

static void tear_down(void)
{
    static const char *const names[] = {"b.csv",   "a.csv",    "c[1].csv", "notes.txt",
                                        ".hidden", "dangling", "fifo"};
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(names[i]);
    rmdir("empty");
    rmdir("parent/child");
    rmdir("parent");
    rmdir("sub.csv");
    cr_assert(chdir("/") == 0 && rmdir(folder) == 0);
}
TestSuite(files, .init = set_up, .fini = tear_down);

/* The paths found for names, with spaces between; or the error's message. */
static int list(const char *const *names, size_t count, char *text, size_t room)
{
    rk_text_files files;
    rk_text_error error = {0};
    int status = rk_text_files_init(&files, names, count, &error);
    *text = '\0';
    if (status) {
        cr_assert_eq(status, error.status);
        snprintf(text, room, "%s", error.message);
        return status;
    }
    for (size_t i = 0; i < files.count; i++)
        snprintf(text + strlen(text), room - strlen(text), "%s%s", i ? " " : "", files.files[i].path);
    rk_text_files_fini(&files);
    return status;
}

static void check(const char *name, int status, const char *want)
{
    char text[1000];
    cr_assert_eq(list(&name, 1, text, sizeof text), status, "%s: %s", name, text);
    cr_assert_str_eq(text, want);
}

Test(files, are_paths_patterns_and_folders)
{
    check("a.csv", RASK_OK, "a.csv");
    check("./b.csv", RASK_OK, "./b.csv");
    check("*.csv", RASK_OK, "a.csv b.csv c[1].csv");
    check("[b-z]*.csv", RASK_OK, "b.csv c[1].csv");
    check("c[1].csv", RASK_OK, "c[1].csv");
    check(".", RASK_OK, "./a.csv ./b.csv ./c[1].csv ./notes.txt");
    check("./", RASK_OK, "./a.csv ./b.csv ./c[1].csv ./notes.txt");
}

Test(files, keep_the_order_of_their_names)
{
    static const char *const names[] = {"notes.txt", "*.csv", "a.csv"};
    char text[1000];
    cr_assert_eq(list(names, 3, text, sizeof text), RASK_OK);
    cr_assert_str_eq(text, "notes.txt a.csv b.csv c[1].csv a.csv");
}

Test(files, that_are_not_there_are_named)
{
    check("missing", RASK_ENOENT, "missing: No such file or directory");
    check("missing/*.csv", RASK_ENOENT, "missing/*.csv: no file matches this pattern");
    check("sub*", RASK_ENOENT, "sub*: no file matches this pattern");
    check("empty", RASK_ENOENT, "empty: a folder without files");
    check("parent", RASK_ENOENT, "parent: a folder without files; folders in it are not entered");
    check("dangling", RASK_ENOENT, "dangling: No such file or directory");
    check("a.csv/x", RASK_EIO, "a.csv/x: Not a directory");
    check("", RASK_EINVAL, "\"\": an empty name of a file");
    char text[1000];
    cr_assert_eq(list(NULL, 0, text, sizeof text), RASK_EINVAL);
    cr_assert_str_eq(text, "input: no files are named");
}

Test(files, with_names_of_any_length_leave_room_for_the_reason)
{
    char name[4000];
    rk_text_files files;
    rk_text_error error = {0};
    const char *names = name;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cr_assert_eq(rk_text_files_init(&files, &names, 1, &error), RASK_EIO);
    cr_assert(strstr(error.message, "nnn: File name too long") && strncmp(error.message, "...n", 4) == 0);
}

Test(files, tell_their_size_and_whether_they_are_streams)
{
    static const char *const names[] = {"a.csv", "b.csv", "fifo"};
    rk_text_files files;
    rk_text_error error = {0};
    struct stat status;
    cr_assert_eq(rk_text_files_init(&files, names, 3, &error), RASK_OK, "%s", error.message);
    cr_assert_eq(stat("a.csv", &status), 0);
    cr_assert(files.files[0].size == 2 && !files.files[0].stream && files.files[0].compression == RK_PLAIN);
    cr_assert_eq(files.files[0].changed_ns, status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec);
    cr_assert(files.files[2].stream && files.files[2].size == RK_TEXT_UNKNOWN_SIZE);
    cr_assert_eq(files.bytes, 5);
    rk_text_files_fini(&files);
}

Test(files, that_may_not_be_read_are_named)
{
    if (geteuid() == 0)
        cr_skip_test("root reads everything");
    cr_assert_eq(chmod("a.csv", 0), 0);
    check("a.csv", RASK_EIO, "a.csv: Permission denied");
    check("*.csv", RASK_EIO, "a.csv: Permission denied");
    cr_assert_eq(chmod("fifo", 0), 0);
    check("fifo", RASK_EIO, "fifo: Permission denied");
}

Test(files, as_standard_input_are_read_from_where_it_stands)
{
    const char *name = "-";
    rk_text_files files;
    rk_text_error error = {0};
    bytes have = {0};
    int fd = open("b.csv", O_RDONLY);
    cr_assert(fd >= 0 && lseek(fd, 1, SEEK_SET) == 1 && dup2(fd, STDIN_FILENO) == 0);
    cr_assert_eq(rk_text_files_init(&files, &name, 1, &error), RASK_OK, "%s", error.message);
    cr_assert(files.files->start == 1 && files.files->size == 3 && files.bytes == 2);
    cr_assert_eq(read_lines(files.files, 1, 2, NULL, &have, &error), RASK_OK, "%s", error.message);
    cr_assert_str_eq(have.data, "b\n");
    put("b.csv", "changed\n");
    cr_assert_eq(read_lines(files.files, 1, 2, NULL, &have, &error), RASK_EIO);
    cr_assert_str_eq(error.message, "standard input: changed while it was read");
    free(have.data);
    rk_text_files_fini(&files);
}
