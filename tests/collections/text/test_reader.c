/* Readers: the right bytes of files of every compression, or an error that says what is wrong and where. */
#include "compress.h"

#include <fcntl.h>
#include <pthread.h>

static void check_file(bytes file, bytes want, size_t step)
{
    memory_file f;
    rk_text_error error = {0};
    bytes have = {0};
    memory_file_init(&f, file.data, file.len);
    cr_assert_eq(read_file(f.file, step, &have, &error), RASK_OK, "%s", error.message);
    assert_bytes(have, want);
    free(have.data);
    memory_file_fini(&f);
}

static int status_of(bytes file, rk_text_error *error, bytes *have)
{
    memory_file f;
    memory_file_init(&f, file.data, file.len);
    int status = read_file(f.file, 1 << 16, have, error);
    memory_file_fini(&f);
    return status;
}

static void check_refused(bytes file, const char *what)
{
    rk_text_error error = {0};
    bytes have = {0};
    cr_assert_eq(status_of(file, &error, &have), RASK_EFORMAT);
    cr_assert(strstr(error.message, what) && strstr(error.message, "/proc/self/fd/"), "%s", error.message);
    free(have.data);
}

Test(reader, gives_plain_bytes_in_steps_of_any_size)
{
    bytes text = some_text(3000);
    static const size_t steps[] = {1, 7, 4096, 1 << 20};
    for (size_t i = 0; i < COUNT(steps); i++)
        check_file(text, text, steps[i]);
    check_file((bytes){0}, (bytes){0}, 10);
    free(text.data);
}

Test(reader, decompresses_in_steps_of_any_size)
{
    bytes text = some_text(5000);
    static const size_t steps[] = {1, 7, 4096, 1 << 20};
    for (size_t c = 0; c < COUNT(compressions); c++) {
        bytes file = compressed(compressions[c], text);
        for (size_t i = 0; i < COUNT(steps); i++)
            check_file(file, text, steps[i]);
        free(file.data);
    }
    free(text.data);
}

Test(reader, tells_compressions_by_how_files_begin)
{
    bytes text = some_text(10);
    for (size_t c = 0; c < COUNT(compressions); c++) {
        bytes file = compressed(compressions[c], text);
        memory_file f;
        memory_file_init(&f, file.data, file.len);
        cr_assert_eq(f.file->compression, compressions[c]);
        memory_file_fini(&f);
        free(file.data);
    }
    free(text.data);
}

Test(reader, goes_on_with_the_next_member)
{
    for (size_t c = 0; c < COUNT(compressions); c++) {
        bytes file = {0}, want = {0};
        for (size_t i = 0; i < 60; i++) {
            bytes text = some_text(i % 5 * i); /* every fifth is empty, the first too */
            add_member(&file, compressions[c], text.data ? text.data : "", text.len);
            append(&want, text.data, text.len);
            free(text.data);
        }
        check_file(file, want, 4096);
        check_file(file, want, 1 << 20);
        free(file.data);
        free(want.data);
    }
}

Test(reader, reads_compressed_files_of_nothing)
{
    for (size_t c = 0; c < COUNT(compressions); c++) {
        bytes file = compressed(compressions[c], (bytes){0});
        check_file(file, (bytes){0}, 100);
        free(file.data);
    }
}

Test(reader, expands_without_bound_in_constant_memory)
{
    size_t len = 8 << 20;
    bytes text = {.data = calloc(1, len), .len = len};
    for (size_t c = 0; c < COUNT(compressions); c++) {
        if (compressions[c] == RK_BGZF)
            continue;
        bytes file = compressed(compressions[c], text);
        check_file(file, text, 1 << 20);
        free(file.data);
    }
    free(text.data);
}

/* Of two members, so that one cut falls between them. */
Test(reader, says_where_a_file_was_cut_short_at_any_byte)
{
    bytes text = some_text(20);
    for (size_t c = 0; c < COUNT(compressions); c++) {
        bytes one = compressed(compressions[c], text), file = {0};
        append(&file, one.data, one.len);
        append(&file, one.data, one.len);
        for (size_t len = 10; len < file.len; len++) {
            rk_text_error error = {0};
            bytes have = {0};
            int status = status_of((bytes){.data = file.data, .len = len}, &error, &have);
            if (status)
                cr_assert(status == RASK_EFORMAT && strstr(error.message, "truncated"), "%s", error.message);
            else if (compressions[c] != RK_BGZF)
                cr_assert(len == one.len && have.len == text.len, "%zu of %zu bytes", len, file.len);
            free(have.data);
        }
        free(file.data);
        free(one.data);
    }
    free(text.data);
}

Test(reader, finds_any_flipped_bit_or_gives_the_right_bytes)
{
    bytes text = some_text(5);
    for (size_t c = 0; c < COUNT(compressions); c++) {
        bytes file = compressed(compressions[c], text);
        for (size_t bit = 0; bit < 8 * file.len; bit++) {
            rk_text_error error = {0};
            bytes have = {0};
            file.data[bit / 8] ^= (char)(1 << bit % 8);
            int status = status_of(file, &error, &have);
            bool plain = have.len == file.len && memcmp(have.data, file.data, file.len) == 0;
            cr_assert(status || plain ||
                          (have.len == text.len && memcmp(have.data, text.data, text.len) == 0),
                      "%d: bit %zu", compressions[c], bit);
            file.data[bit / 8] ^= (char)(1 << bit % 8);
            free(have.data);
        }
        free(file.data);
    }
    free(text.data);
}

Test(reader, names_the_byte_of_a_bad_checksum)
{
    bytes text = some_text(25), file = compressed(RK_GZIP, text);
    file.data[file.len - 6] ^= 1;
    check_refused(file, "gzip: bad checksum or length at byte ");
    free(file.data);
    file = compressed(RK_ZSTD, text);
    file.data[file.len - 1] ^= 1;
    check_refused(file, "zstd: bad checksum at byte ");
    free(file.data);
    free(text.data);
}

static bytes with_tail(rk_compression compression, bytes text, const char *tail, size_t len)
{
    bytes file = compressed(compression, text);
    append(&file, tail, len);
    return file;
}

Test(reader, refuses_what_follows_a_compressed_file)
{
    bytes text = some_text(10);
    for (size_t c = 0; c < COUNT(compressions); c++) {
        static const char *const tails[] = {"x", "garbage", "\n", "garbage that is longer than any magic"};
        for (size_t i = 0; i < COUNT(tails); i++) {
            bytes file = with_tail(compressions[c], text, tails[i], strlen(tails[i]));
            check_refused(file, "garbage at byte ");
            free(file.data);
        }
    }
    free(text.data);
}

Test(reader, takes_zeros_behind_gzip_and_fours_of_them_behind_xz)
{
    static const char zeros[300000] = {0};
    bytes text = some_text(10), file = with_tail(RK_GZIP, text, zeros, sizeof zeros);
    check_file(file, text, 100);
    append(&file, "x", 1);
    check_refused(file, "garbage");
    free(file.data);
    file = with_tail(RK_XZ, text, zeros, 8);
    check_file(file, text, 100);
    add_member(&file, RK_XZ, "", 0);
    check_file(file, text, 100);
    append(&file, zeros, 3);
    check_refused(file, "garbage");
    free(file.data);
    file = with_tail(RK_ZSTD, text, zeros, 4);
    check_refused(file, "garbage");
    free(file.data);
    free(text.data);
}

Test(reader, leaves_skippable_frames_of_zstd_out)
{
    static const char frame[] = "\x53\x2a\x4d\x18\x05\0\0\0hello";
    bytes text = some_text(10), file = {0};
    append(&file, frame, sizeof frame - 1);
    add_member(&file, RK_ZSTD, text.data, text.len);
    append(&file, frame, sizeof frame - 1);
    check_file(file, text, 100);
    append(&file, frame, sizeof frame - 2);
    check_refused(file, "truncated");
    free(file.data);
    free(text.data);
}

/* -- streams -- */

/* One with everything that a header may have, so that any of it is cut in two. */
static bytes gzip_with_header(bytes text)
{
    bytes body = compressed(RK_GZIP, text), file = {0};
    static const char header[] = "\x1f\x8b\x08\x1e\0\0\0\0\0\x03\x05\0extraa long name\0a comment";
    append(&file, header, sizeof header);
    uint32_t checksum = (uint32_t)crc32(0, (const Bytef *)file.data, (uInt)file.len);
    append(&file, (uint8_t[]){(uint8_t)checksum, (uint8_t)(checksum >> 8)}, 2);
    append(&file, body.data + 10, body.len - 10);
    free(body.data);
    return file;
}

typedef struct writer {
    int fd;
    bytes data;
    size_t step;
} writer;

static void *write_all(void *context)
{
    writer *w = context;
    for (size_t i = 0; i < w->data.len; i += w->step) {
        size_t n = w->data.len - i < w->step ? w->data.len - i : w->step;
        cr_assert_eq(write(w->fd, w->data.data + i, n), (ssize_t)n);
    }
    close(w->fd);
    return NULL;
}

static void list_pipe(int fd, rk_text_files *files)
{
    char path[64];
    const char *name = path;
    rk_text_error error = {0};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    cr_assert_eq(rk_text_files_init(files, &name, 1, &error), RASK_OK, "%s", error.message);
    cr_assert(files->files->stream && files->files->compression == RK_UNKNOWN);
}

static void check_pipe(bytes data, bytes want, size_t step)
{
    int ends[2];
    pthread_t thread;
    rk_text_files files;
    rk_text_error error = {0};
    bytes have = {0};
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    list_pipe(ends[0], &files);
    writer w = {ends[1], data, step};
    cr_assert_eq(pthread_create(&thread, NULL, write_all, &w), 0);
    cr_assert_eq(read_file(files.files, 1000, &have, &error), RASK_OK, "%s", error.message);
    pthread_join(thread, NULL);
    assert_bytes(have, want);
    free(have.data);
    rk_text_files_fini(&files);
    close(ends[0]);
}

Test(reader, reads_pipes_of_every_compression)
{
    bytes text = some_text(2000), small = some_text(20);
    check_pipe(text, text, 777);
    check_pipe(small, small, 1);
    check_pipe((bytes){0}, (bytes){0}, 1);
    check_pipe((bytes){.data = "\x1f\x8b", .len = 2}, (bytes){.data = "\x1f\x8b", .len = 2}, 1);
    bytes header = gzip_with_header(small);
    check_pipe(header, small, 1);
    check_pipe(header, small, 7);
    free(header.data);
    for (size_t c = 0; c < COUNT(compressions); c++) {
        bytes file = compressed(compressions[c], text), tiny = compressed(compressions[c], small);
        check_pipe(file, text, 777);
        check_pipe(tiny, small, 1);
        free(file.data);
        free(tiny.data);
    }
    free(text.data);
    free(small.data);
}

static bool later(void *context)
{
    return ++*(int *)context > 2;
}

Test(reader, stops_waiting_for_a_pipe_when_cancelled)
{
    int ends[2], asked = 0;
    char buffer[10];
    size_t got = 77;
    rk_text_files files;
    rk_text_error error = {0};
    rk_text_reader *reader;
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    list_pipe(ends[0], &files);
    rk_text_options options = {.cancelled = later, .context = &asked};
    cr_assert_eq(rk_text_reader_new(files.files, 0, UINT64_MAX, &options, &reader, &error), RASK_OK);
    cr_assert_eq(rk_text_reader_read(reader, buffer, sizeof buffer, &got, &error), RASK_ECANCELLED);
    cr_assert_eq(got, 77);
    rk_text_reader_free(reader);
    rk_text_files_fini(&files);
    close(ends[0]);
    close(ends[1]);
}

Test(reader, stops_between_blocks_when_cancelled)
{
    bytes text = some_text(100000);
    static char buffer[1 << 16];
    memory_file f;
    memory_file_init(&f, text.data, text.len);
    int asked = 0, status = RASK_OK;
    size_t got, reads = 0;
    rk_text_error error = {0};
    rk_text_reader *reader;
    rk_text_options options = {.cancelled = later, .context = &asked};
    cr_assert_eq(rk_text_reader_new(f.file, 0, UINT64_MAX, &options, &reader, &error), RASK_OK);
    for (; !status; reads++)
        status = rk_text_reader_read(reader, buffer, sizeof buffer, &got, &error);
    cr_assert(status == RASK_ECANCELLED && reads == 3);
    rk_text_reader_free(reader);
    memory_file_fini(&f);
    free(text.data);
}

/* -- files that change -- */

Test(reader, notices_a_file_that_shrinks_or_grows_meanwhile)
{
    bytes text = some_text(1000);
    for (int grow = 0; grow < 2; grow++) {
        memory_file f;
        char buffer[100];
        size_t got;
        rk_text_error error = {0};
        rk_text_reader *reader;
        memory_file_init(&f, text.data, text.len);
        cr_assert_eq(rk_text_reader_new(f.file, 0, UINT64_MAX, NULL, &reader, &error), RASK_OK);
        cr_assert_eq(rk_text_reader_read(reader, buffer, sizeof buffer, &got, &error), RASK_OK);
        cr_assert_eq(ftruncate(f.fd, (off_t)(grow ? text.len + 1 : text.len / 2)), 0);
        cr_assert_eq(rk_text_reader_read(reader, buffer, sizeof buffer, &got, &error), RASK_EIO);
        cr_assert(strstr(error.message, "changed while it was read"), "%s", error.message);
        rk_text_reader_free(reader);
        cr_assert_eq(rk_text_reader_new(f.file, 0, UINT64_MAX, NULL, &reader, &error), RASK_EIO);
        memory_file_fini(&f);
    }
    free(text.data);
}

Test(reader, reads_parts_and_goes_on_behind_them)
{
    bytes text = some_text(100), have = {0};
    memory_file f;
    rk_text_error error = {0};
    rk_text_reader *reader;
    char buffer[4096];
    size_t got;
    memory_file_init(&f, text.data, text.len);
    cr_assert_eq(rk_text_reader_new(f.file, 10, 20, NULL, &reader, &error), RASK_OK);
    for (uint64_t end = 20; end <= 60; end += 20) {
        rk_text_reader_extend(reader, end);
        cr_assert_eq(rk_text_reader_read(reader, buffer, sizeof buffer, &got, &error), RASK_OK);
        append(&have, buffer, got);
        cr_assert_eq(rk_text_reader_read(reader, buffer, sizeof buffer, &got, &error), RASK_OK);
        cr_assert_eq(got, 0);
    }
    cr_assert(have.len == 50 && memcmp(have.data, text.data + 10, 50) == 0);
    rk_text_reader_free(reader);
    memory_file_fini(&f);
    free(have.data);
    free(text.data);
}

Test(reader, names_a_module_that_does_not_load)
{
    char folder[] = "/tmp/rask-reader-XXXXXX", path[100];
    bytes file = compressed(RK_GZIP, (bytes){0});
    rk_text_error error = {0};
    bytes have = {0};
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/" RK_DECOMPRESS_MODULE ".so", folder);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    setenv("RASK_MODULE_PATH", folder, 1);
    int status = status_of(file, &error, &have);
    unlink(path);
    rmdir(folder);
    cr_assert_eq(status, RASK_EUNSUPPORTED);
    cr_assert(strstr(error.message, RK_DECOMPRESS_MODULE), "%s", error.message);
    free(file.data);
}
