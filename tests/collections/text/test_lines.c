/* Lines: every line exactly once, however the file is cut and whatever the buffers hold. */
#include "support.h"

static void check_text(bytes text)
{
    memory_file f;
    memory_file_init(&f, text.data, text.len);
    for (size_t part = 1; part <= text.len + 1; part++) {
        rk_text_options options = {.block = part % 9 + 1};
        rk_text_error error = {0};
        bytes have = {0};
        for (size_t begin = 0; begin < text.len; begin += part) {
            size_t before = have.len, end = begin + part < text.len ? begin + part : text.len;
            cr_assert_eq(read_lines(f.file, begin, end, &options, &have, &error), RASK_OK, "%s",
                         error.message);
            cr_assert(have.len == before || (before >= begin && before < end),
                      "not a line that begins there");
        }
        assert_bytes(have, text);
        free(have.data);
    }
    memory_file_fini(&f);
}

Test(lines, are_given_once_by_parts_of_any_size)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        "a",
                                        "a\n",
                                        "\n\n\n",
                                        "a\nb",
                                        "a\r\nb\r\n",
                                        "\na\n\nbcd\n",
                                        "long line here\nx\n\n",
                                        "no end of it at all"};
    for (size_t i = 0; i < COUNT(texts); i++)
        check_text((bytes){.data = (char *)texts[i], .len = strlen(texts[i])});
    bytes text = some_text(20);
    check_text(text);
    free(text.data);
}

Test(lines, are_the_same_in_buffers_of_any_size)
{
    bytes text = some_text(400);
    memory_file f;
    memory_file_init(&f, text.data, text.len);
    for (size_t block = 1; block < 600; block += 1 + block / 40) {
        rk_text_options options = {.block = block};
        rk_text_error error = {0};
        bytes have = {0};
        cr_assert_eq(read_lines(f.file, 0, text.len, &options, &have, &error), RASK_OK, "%s", error.message);
        assert_bytes(have, text);
        free(have.data);
    }
    memory_file_fini(&f);
    free(text.data);
}

Test(lines, come_whole_with_their_place_and_number)
{
    bytes text = some_text(20000);
    memory_file f;
    memory_file_init(&f, text.data, text.len);
    rk_text_options options = {.block = 1000};
    rk_text_error error = {0};
    rk_text_lines *lines;
    const char *data;
    size_t len, number = 0;
    cr_assert_eq(rk_text_lines_new(f.file, 0, UINT64_MAX, &options, &lines, &error), RASK_OK);
    while (rk_text_lines_next(lines, &data, &len, &error) == RASK_OK && len) {
        cr_assert(data[len - 1] == '\n');
        cr_assert(memcmp(text.data + rk_text_lines_position(lines), data, len) == 0);
        cr_assert_eq(rk_text_lines_before(lines), number);
        for (size_t i = 0; i < len; i++)
            number += data[i] == '\n';
    }
    cr_assert_eq(number, 20000);
    rk_text_lines_free(lines);
    memory_file_fini(&f);
    free(text.data);
}

Test(lines, of_more_than_the_limit_are_refused_by_number)
{
    bytes text = {0};
    append(&text, "a\nb\n\n", 5);
    for (size_t i = 0; i < 1000; i++)
        append(&text, "x", 1);
    append(&text, "\nc\n", 3);
    memory_file f;
    memory_file_init(&f, text.data, text.len);
    for (size_t longest = 1; longest < 1200; longest += 37) {
        rk_text_options options = {.block = 16, .longest = longest};
        rk_text_error error = {0};
        bytes have = {0};
        int status = read_lines(f.file, 0, text.len, &options, &have, &error);
        cr_assert_eq(status, longest < 1001 ? RASK_ELIMIT : RASK_OK, "%zu: %s", longest, error.message);
        if (longest > 2 && status)
            cr_assert(strstr(error.message, "line 4 of the part") && strstr(error.message, "byte 5,"), "%s",
                      error.message);
        free(have.data);
    }
    memory_file_fini(&f);
    free(text.data);
}

Test(lines, of_a_long_line_cost_linear_time)
{
    size_t len = 24 << 20;
    bytes text = {.data = malloc(len), .len = len}, have = {0};
    memset(text.data, 'x', len);
    memory_file f;
    rk_text_error error = {0};
    rk_text_options options = {.block = 1};
    memory_file_init(&f, text.data, len);
    cr_assert_eq(read_lines(f.file, 0, len, &options, &have, &error), RASK_OK);
    assert_bytes(have, text);
    cr_assert_eq(read_lines(f.file, len / 2, len, NULL, &have, &error), RASK_OK);
    cr_assert_eq(have.len, len);
    memory_file_fini(&f);
    free(have.data);
    free(text.data);
}

Test(lines, are_read_from_files_that_do_not_tell_their_size)
{
    const char *name = "/proc/self/status";
    rk_text_files files;
    rk_text_error error = {0};
    bytes have = {0};
    cr_assert_eq(rk_text_files_init(&files, &name, 1, &error), RASK_OK, "%s", error.message);
    cr_assert_eq(files.files->size, RK_TEXT_UNKNOWN_SIZE);
    cr_assert_eq(read_lines(files.files, 0, UINT64_MAX, NULL, &have, &error), RASK_OK, "%s", error.message);
    cr_assert_not_null(strstr(have.data, "Pid:"));
    free(have.data);
    rk_text_files_fini(&files);
}

Test(buffer, keeps_what_is_not_taken_while_it_moves_and_grows)
{
    bytes text = some_text(3000);
    memory_file f;
    memory_file_init(&f, text.data, text.len);
    rk_text_error error = {0};
    rk_text_reader *reader;
    rk_text_buffer buffer;
    cr_assert_eq(rk_text_reader_new(f.file, 0, UINT64_MAX, NULL, &reader, &error), RASK_OK);
    cr_assert_eq(rk_text_buffer_init(&buffer, 64, 5000, 0), RASK_OK);
    uint32_t random = 3;
    size_t got = 1;
    while (got) {
        static const char zeros[RK_TEXT_PADDING];
        cr_assert_eq(rk_text_buffer_more(&buffer, reader, random >> 24, &got, &error), RASK_OK, "%s",
                     error.message);
        size_t len = rk_text_buffer_len(&buffer);
        cr_assert(memcmp(rk_text_buffer_data(&buffer), text.data + buffer.position, len) == 0);
        cr_assert_arr_eq(rk_text_buffer_data(&buffer) + len, zeros, sizeof zeros);
        random = random * 1664525 + 1013904223;
        rk_text_buffer_take(&buffer, len < 400 ? (random >> 8) % (len + 1) : len);
    }
    cr_assert_eq(buffer.position + rk_text_buffer_len(&buffer), text.len);
    rk_text_buffer_fini(&buffer);
    rk_text_reader_free(reader);
    memory_file_fini(&f);
    free(text.data);
}
