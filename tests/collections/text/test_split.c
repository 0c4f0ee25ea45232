/* Cuts: parts that together are the file, each read alone, and every line in exactly one of them. */
#include "compress.h"

static bytes lines_of_parts(const rk_text_file *file, uint64_t block, const rk_text_options *options,
                            size_t *parts)
{
    rk_text_cuts cuts;
    rk_text_error error = {0};
    bytes have = {0};
    cr_assert_eq(rk_text_split(file, block, &cuts, &error), RASK_OK, "%s", error.message);
    cr_assert(cuts.parts >= 1 && cuts.at[0] == file->start && cuts.at[cuts.parts] == file->size);
    for (size_t i = 0; i < cuts.parts; i++) {
        cr_assert(cuts.at[i] < cuts.at[i + 1] || cuts.parts == 1);
        cr_assert_eq(read_lines(file, cuts.at[i], cuts.at[i + 1], options, &have, &error), RASK_OK, "%s",
                     error.message);
    }
    *parts = cuts.parts;
    rk_text_cuts_fini(&cuts);
    return have;
}

static size_t check_parts(bytes file, bytes want, uint64_t block)
{
    memory_file f;
    size_t parts;
    memory_file_init(&f, file.data, file.len);
    bytes have = lines_of_parts(f.file, block, NULL, &parts);
    assert_bytes(have, want);
    free(have.data);
    memory_file_fini(&f);
    return parts;
}

Test(split, cuts_plain_files_at_multiples)
{
    bytes text = some_text(300);
    for (uint64_t block = 1; block < 300; block += 1 + block / 4)
        cr_assert_eq(check_parts(text, text, block), (text.len + block - 1) / block);
    cr_assert_eq(check_parts(text, text, UINT64_MAX), 1);
    cr_assert_eq(check_parts((bytes){0}, (bytes){0}, 1), 1);
    free(text.data);
}

Test(split, leaves_other_compressions_whole)
{
    static const rk_compression whole[] = {RK_GZIP, RK_XZ, RK_BZIP2};
    bytes text = some_text(3000);
    for (size_t i = 0; i < COUNT(whole); i++) {
        bytes file = compressed(whole[i], text);
        cr_assert_eq(check_parts(file, text, 10), 1);
        free(file.data);
    }
    free(text.data);
}

Test(split, cuts_bgzf_between_blocks)
{
    bytes text = some_text(12000);
    static const size_t steps[] = {100, 60000};
    for (size_t i = 0; i < COUNT(steps); i++)
        for (uint64_t block = 5000; block < 400000; block *= 9) {
            bytes file = {0};
            add_bgzf(&file, text.data, text.len, steps[i], 6);
            size_t parts = check_parts(file, text, block);
            cr_assert(file.len < 2 * block || parts > 1, "%zu bytes in blocks of %zu: %zu parts", file.len,
                      (size_t)block, parts);
            free(file.data);
        }
    free(text.data);
}

Test(split, is_not_misled_by_bgzf_within_bgzf)
{
    bytes text = some_text(60000), inner = {0}, outer = {0};
    add_bgzf(&inner, text.data, text.len, 900, 6);
    add_bgzf(&outer, inner.data, inner.len, 60000, 0);
    check_parts(outer, inner, 70000);
    check_parts(outer, inner, 1000);
    free(outer.data);
    free(inner.data);
    free(text.data);
}

Test(split, cuts_zstd_between_frames)
{
    static const char skippable[] = "\x53\x2a\x4d\x18\x05\0\0\0hello";
    bytes text = some_text(20000), file = {0};
    size_t frames = 0;
    for (size_t i = 0; i < text.len; i += 10007, frames++) {
        add_member(&file, RK_ZSTD, text.data + i, text.len - i < 10007 ? text.len - i : 10007);
        append(&file, skippable, frames % 3 ? 0 : sizeof skippable - 1);
        if (frames % 5 == 0)
            add_member(&file, RK_ZSTD, "", 0);
    }
    cr_assert_gt(check_parts(file, text, 1), frames);
    cr_assert_gt(check_parts(file, text, 20000), 5);
    free(file.data);
    free(text.data);
}

Test(split, cuts_what_is_damaged_without_harm)
{
    bytes text = some_text(2000), file = {0};
    for (size_t i = 0; i < 10; i++)
        add_member(&file, RK_ZSTD, text.data, text.len);
    uint32_t random = 7;
    for (size_t i = 0; i < 300; i++) {
        random = random * 1664525 + 1013904223;
        size_t at = 4 + (random >> 8) % (file.len - 4);
        char was = file.data[at];
        file.data[at] = (char)random;
        memory_file f;
        rk_text_cuts cuts;
        rk_text_error error = {0};
        memory_file_init(&f, file.data, file.len);
        cr_assert_eq(rk_text_split(f.file, 100, &cuts, &error), RASK_OK);
        rk_text_cuts_fini(&cuts);
        memory_file_fini(&f);
        file.data[at] = was;
    }
    free(file.data);
    free(text.data);
}

Test(split, finds_a_wrong_cut_when_the_part_before_it_is_read)
{
    static const rk_compression cut[] = {RK_BGZF, RK_ZSTD};
    bytes text = some_text(3000);
    for (size_t c = 0; c < COUNT(cut); c++) {
        bytes file = compressed(cut[c], text), have = {0};
        memory_file f;
        rk_text_error error = {0};
        memory_file_init(&f, file.data, file.len);
        cr_assert_eq(read_part(f.file, 0, 100, 1000, &have, &error), RASK_EFORMAT);
        cr_assert(strstr(error.message, "truncated"), "%s", error.message);
        cr_assert_eq(read_part(f.file, 100, file.len, 1000, &have, &error), RASK_EFORMAT);
        cr_assert(strstr(error.message, "garbage"), "%s", error.message);
        memory_file_fini(&f);
        free(have.data);
        free(file.data);
    }
    free(text.data);
}

Test(split, follows_long_lines_over_many_parts)
{
    bytes text = {0}, file = {0};
    append(&text, "begin\n", 6);
    for (size_t i = 0; i < 30000; i++)
        append(&text, "0123456789", 10);
    append(&text, "\nend", 4);
    add_bgzf(&file, text.data, text.len, 700, 0);
    check_parts(file, text, 1000);
    check_parts(text, text, 1000);
    free(file.data);
    free(text.data);
}
