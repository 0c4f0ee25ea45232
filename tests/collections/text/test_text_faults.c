/* Text when memory fails: whichever allocation it is, an error says so and nothing is left behind. */
#include "tests/failing_allocator.h"

#include "compress.h"

static bytes files[COUNT(compressions) + 1];
static char paths[COUNT(compressions) + 1][64];

static int read_one(const rk_text_file *file)
{
    rk_text_error error = {0};
    rk_text_cuts cuts;
    bytes have = {0};
    rk_text_options options = {.block = 64};
    int status = rk_text_split(file, 5000, &cuts, &error);
    if (status)
        return status;
    for (size_t i = 0; i < cuts.parts && !status; i++)
        status = read_lines(file, cuts.at[i], cuts.at[i + 1], &options, &have, &error);
    cr_assert(status || have.len == files[0].len);
    cr_assert(!status || strstr(error.message, "out of memory"), "%s", error.message);
    free(have.data);
    rk_text_cuts_fini(&cuts);
    return status;
}

static int read_all(void)
{
    const char *names[COUNT(paths)];
    rk_text_files list;
    rk_text_error error = {0};
    for (size_t i = 0; i < COUNT(paths); i++)
        names[i] = paths[i];
    int status = rk_text_files_init(&list, names, COUNT(names), &error);
    if (status)
        return status;
    for (size_t i = 0; i < list.count && !status; i++)
        status = read_one(&list.files[i]);
    rk_text_files_fini(&list);
    return status;
}

static int list_folder(void)
{
    const char *names[] = {"/etc", "/etc/pass*"};
    rk_text_files list;
    rk_text_error error = {0};
    int status = rk_text_files_init(&list, names, geteuid() == 0 ? 2 : 0, &error);
    if (geteuid() != 0) /* not everything there is for everybody */
        status = rk_text_files_init(&list, names + 1, 1, &error);
    if (!status)
        rk_text_files_fini(&list);
    return status;
}

Test(text_faults, end_in_an_error_wherever_memory_is_short)
{
    files[0] = some_text(300);
    for (size_t i = 0; i < COUNT(paths); i++) {
        if (i)
            files[i] = compressed(compressions[i - 1], files[0]);
        int fd = memfd_create("text", MFD_CLOEXEC);
        cr_assert_eq(write(fd, files[i].data, files[i].len), (ssize_t)files[i].len);
        snprintf(paths[i], sizeof paths[i], "/proc/self/fd/%d", fd);
    }
    sweep(read_all, 0);
    sweep(list_folder, 0);
}
