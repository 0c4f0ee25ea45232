/* Parts of files read in place: what they hold, and that who writes to such a file ends no program. */
#include "core/base/mapped.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <rask/array.h>
#include <rask/rask.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ELEMENTS = 1 << 18, BYTES = ELEMENTS * 8 };

static char path[64];
static int fd = -1;
static rk_mappable file;

static void write_file(void)
{
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    for (int i = 0; i < ELEMENTS; i++)
        cr_assert_eq(fwrite(&(double){i}, sizeof(double), 1, f), 1);
    cr_assert_eq(fclose(f), 0);
}

static void set_up(void)
{
    snprintf(path, sizeof path, "/tmp/rask-mapped-%ld", (long)getpid());
    write_file();
    fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    rk_mappable_init(&file);
}
static void tear_down(void)
{
    close(fd);
    unlink(path);
}
TestSuite(mapped, .init = set_up, .fini = tear_down, .timeout = 120);

/* Not every system has leases, and not every file may be leased. */
static rk_mapped part_of(int64_t first, size_t len)
{
    rk_mapped part = {0};
    if (!rk_map(&file, fd, first, len, len, &part))
        cr_skip_test("parts of %s cannot be mapped here", path);
    return part;
}

static double number(const rk_mapped *part, size_t i)
{
    double x;
    memcpy(&x, part->data + i * sizeof x, sizeof x);
    return x;
}

Test(mapped, holds_the_bytes_asked_for)
{
    rk_mapped all = part_of(0, BYTES), some = part_of(8000, 80008);
    cr_expect_eq(number(&all, 0), 0);
    cr_expect_eq(number(&all, ELEMENTS - 1), ELEMENTS - 1);
    cr_expect_eq(number(&some, 0), 1000);
    cr_expect_eq(number(&some, 10000), 11000);
    rk_unmap(&all);
    cr_expect_eq(number(&some, 10000), 11000);
    rk_unmap(&some);
    rk_unmap(&some);
    cr_expect_eq(rk_load_relaxed(&file.users), 0);
}

/* The first and the last number of a part that moved to bytes first … first + len - 1. */
static void expect_moves(rk_mapped *part, int64_t first, size_t len, size_t reach)
{
    cr_assert(rk_map(&file, fd, first, len, reach, part), "to byte %lld", (long long)first);
    cr_expect_eq((int64_t)number(part, 0) * 8, first);
    cr_expect_eq((int64_t)number(part, len / 8 - 1) * 8, first + (int64_t)len - 8);
    cr_expect_eq(rk_load_relaxed(&file.users), 1);
}

Test(mapped, moves_on_within_its_reach_beyond_it_and_back)
{
    rk_mapped part = part_of(0, 8);
    expect_moves(&part, 0, 65536, BYTES);
    const char *range = part.range;
    expect_moves(&part, 4104, 65536, BYTES); /* overlaps */
    expect_moves(&part, 65536, 65536, BYTES - 65536);
    expect_moves(&part, 131072, 65536, BYTES - 131072);          /* follows */
    expect_moves(&part, 524288 + 8, 65536, BYTES - 524288 - 8);  /* jumps */
    expect_moves(&part, 262144 + 16, 8192, BYTES - 262144 - 16); /* back */
    expect_moves(&part, 262144 + 4096, 8, 8);                    /* into itself */
    expect_moves(&part, BYTES - 8, 8, 8);
    cr_expect_eq(part.range, range, "one range of addresses is enough");
    expect_moves(&part, 8, 40000, 40000);
    expect_moves(&part, BYTES - 40000, 40000, 40000);
    rk_unmap(&part);
    cr_expect_eq(rk_load_relaxed(&file.users), 0);
}

Test(mapped, is_gone_after_a_move_that_was_refused)
{
    rk_mapped part = part_of(0, BYTES);
    cr_expect_not(rk_map(&file, fd, 8, BYTES, BYTES, &part));
    cr_expect_null(part.file);
    cr_expect_eq(rk_load_relaxed(&file.users), 0);
}

Test(mapped, is_refused_beyond_the_end)
{
    rk_mapped part = part_of(0, BYTES);
    rk_unmap(&part);
    cr_expect_not(rk_map(&file, fd, 0, BYTES + 1, BYTES + 1, &part));
    cr_expect_not(rk_map(&file, fd, 1 << 30, 8, 8, &part));
    cr_expect_eq(rk_load_relaxed(&file.users), 0);
}

Test(mapped, is_refused_while_somebody_may_write)
{
    rk_mapped part = part_of(0, BYTES);
    rk_unmap(&part);
    int writer = open(path, O_WRONLY);
    cr_assert_geq(writer, 0);
    cr_expect_not(rk_map(&file, fd, 0, BYTES, BYTES, &part));
    close(writer);
    cr_expect(rk_map(&file, fd, 0, BYTES, BYTES, &part));
    rk_unmap(&part);
}

Test(mapped, is_refused_in_a_forked_process)
{
    rk_mapped part = part_of(0, BYTES);
    rk_unmap(&part);
    file.process++;
    cr_expect_not(rk_map(&file, fd, 0, BYTES, BYTES, &part));
}

static void *cut_short(void *unused)
{
    return truncate(path, 0) ? "failed" : unused;
}

Test(mapped, keeps_writers_waiting_and_lets_nobody_else_in)
{
    rk_mapped part = part_of(0, BYTES), other = {0};
    pthread_t writer;
    void *failed;
    cr_assert_eq(pthread_create(&writer, NULL, cut_short, NULL), 0);
    while (rk_map(&file, fd, 0, BYTES, BYTES, &other)) {
        rk_unmap(&other);
        sched_yield();
    }
    cr_expect_eq(number(&part, ELEMENTS - 1), ELEMENTS - 1);
    rk_unmap(&part);
    pthread_join(writer, &failed);
    cr_expect_null(failed);
    cr_expect_not(rk_map(&file, fd, 0, BYTES, BYTES, &part));
}

static double sum(int *status)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_open(
        g, path,
        (&(rask_open_options){.size = sizeof(rask_open_options), .format = "raw", .dtype = RASK_DT_F64}));
    rask_array *total = rask_array_sum(a, RASK_ALL);
    double answer = 0;
    rask_block out = {.dtype = RASK_DT_F64, .data = &answer};
    *status = rask_array_compute(&total, 1, NULL, &out);
    rask_graph_free(g);
    return answer;
}

static rk_atomic_bool done;

static void *cut_and_write(void *unused)
{
    while (!rk_load_acquire(&done)) {
        write_file();
        cut_short(NULL);
    }
    return unused;
}

Test(mapped, of_a_sum_while_the_file_is_cut_short_is_no_signal)
{
    pthread_t writer;
    int status;
    double all = sum(&status);
    cr_assert_eq(status, RASK_OK);
    cr_expect_eq(all, (double)ELEMENTS * (ELEMENTS - 1) / 2);
    cr_assert_eq(pthread_create(&writer, NULL, cut_and_write, NULL), 0);
    for (int i = 0; i < 50; i++) {
        double answer = sum(&status);
        cr_expect(status || answer <= all);
    }
    rk_store_release(&done, true);
    pthread_join(writer, NULL);
}
