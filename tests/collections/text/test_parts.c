/* Parts: together they are the files, each byte once; and files that tasks share, each piece of which one task gets. */
#include "collections/text/shared.h"
#include "core/base/alloc.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 12 };

static char folder[] = "/tmp/rask-test-parts-XXXXXX", names[FILES][64];
static const size_t sizes[FILES] = {10, 0, 20, 1000, 5, 5, 5, 0, 0, 300, 299, 1};

/* Lines of nine digits, cut where the size says. */
static void make_files(void)
{
    cr_assert_not_null(mkdtemp(folder));
    for (int i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof names[i], "%s/%02d", folder, i);
        FILE *file = fopen(names[i], "w");
        for (size_t j = 0; j < sizes[i]; j++)
            fputc(j % 10 == 9 ? '\n' : (int)('0' + j % 10), file);
        fclose(file);
    }
}

static void remove_files(void)
{
    for (int i = 0; i < FILES; i++)
        unlink(names[i]);
    rmdir(folder);
}

TestSuite(parts, .init = make_files, .fini = remove_files);
TestSuite(shared, .init = make_files, .fini = remove_files);

static void list_files(rk_text_files *files)
{
    const char *const name = folder;
    rk_text_error error;
    cr_assert_eq(rk_text_files_init(files, &name, 1, &error), RASK_OK);
    cr_assert_eq(files->count, FILES);
}

static void must_cover(const rk_text_parts *parts, const rk_text_files *files, uint64_t block)
{
    uint32_t file = 0;
    uint64_t at = 0;
    cr_assert_eq(parts->first[0], 0);
    for (uint32_t i = 0; i < parts->count; i++) {
        uint64_t bytes = 0;
        cr_assert_lt(parts->first[i], parts->first[i + 1]);
        for (uint32_t j = parts->first[i]; j < parts->first[i + 1]; j++) {
            const rk_text_range *range = &parts->ranges[j];
            cr_assert(range->file == file && range->begin == at && range->end >= at);
            bytes += range->end == RK_TEXT_UNKNOWN_SIZE
                         ? 0
                         : range->end - range->begin; /* empty: it may have none */
            at = range->end;
            if (at == files->files[file].size) {
                file++;
                at = 0;
            }
        }
        cr_assert_leq(bytes, block);
    }
    cr_assert_eq(file, FILES);
}

Test(parts, of_any_size_are_the_files)
{
    rk_text_files files;
    rk_text_error error;
    list_files(&files);
    uint32_t before = UINT32_MAX;
    for (uint64_t block = 1; block < 3000; block += 1 + block / 7) {
        rk_text_parts parts;
        rk_text_cutting cutting = {.block_bytes = block, .share = block % 2};
        cr_assert_eq(rk_text_parts_init(&parts, &files, &cutting, &error), RASK_OK);
        must_cover(&parts, &files, block);
        cr_assert_eq(parts.shared_count, 0);
        cr_assert_leq(parts.count, before);
        before = parts.count;
        rk_text_parts_fini(&parts);
    }
    cr_assert_eq(before, 1, "small files are put together");
    rk_text_files_fini(&files);
}

Test(parts, are_named_for_people)
{
    rk_text_files files;
    rk_text_parts parts;
    rk_text_error error;
    char label[100], want[100];
    list_files(&files);
    cr_assert_eq(rk_text_parts_init(&parts, &files, &(rk_text_cutting){.block_bytes = 400}, &error), RASK_OK);
    rk_text_part_label(&parts, 0, &files, label, sizeof label);
    cr_assert_str_eq(label, "3 files");
    snprintf(want, sizeof want, "%s from 400", names[3]);
    rk_text_part_label(&parts, 2, &files, label, sizeof label);
    cr_assert_str_eq(label, want);
    rk_text_parts_fini(&parts);
    rk_text_files_fini(&files);
}

/* -- Shared */

typedef struct taker {
    rk_text_shared *shared;
    uint32_t number;
    size_t bytes;
} taker;

static void *take_all(void *context)
{
    taker *t = context;
    rk_text_piece piece = {0};
    rk_text_error error;
    do {
        cr_assert_eq(rk_text_shared_take(t->shared, t->number, NULL, NULL, &piece, &error), RASK_OK);
        t->bytes += piece.len;
    } while (piece.len);
    rk_free(piece.data);
    return NULL;
}

Test(shared, every_piece_is_taken_once)
{
    rk_text_files files;
    rk_text_range ranges[FILES];
    rk_text_options options = {.block = 64};
    list_files(&files);
    size_t total = 0, got = 0;
    for (uint32_t i = 0; i < FILES; i++) {
        ranges[i] = (rk_text_range){i, 0, UINT64_MAX};
        total += sizes[i];
    }
    for (int round = 0; round < 50; round++) {
        pthread_t threads[4];
        taker takers[4];
        rk_text_shared *shared;
        cr_assert_eq(rk_text_shared_new(&files, ranges, FILES, &options, &shared), RASK_OK);
        for (uint32_t i = 0; i < 4; i++) {
            takers[i] = (taker){shared, i, 0};
            cr_assert_eq(pthread_create(&threads[i], NULL, take_all, &takers[i]), 0);
        }
        got = 0;
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            got += takers[i].bytes;
        }
        cr_assert_eq(got, total);
        rk_text_shared_free(shared);
    }
    rk_text_files_fini(&files);
}

Test(shared, a_file_that_is_gone_is_everybodys_error)
{
    rk_text_files files;
    rk_text_range range = {3, 0, UINT64_MAX};
    rk_text_options options = {0};
    rk_text_shared *shared;
    rk_text_piece piece = {0};
    rk_text_error error;
    list_files(&files);
    unlink(names[3]);
    cr_assert_eq(rk_text_shared_new(&files, &range, 1, &options, &shared), RASK_OK);
    cr_assert_eq(rk_text_shared_take(shared, 0, NULL, NULL, &piece, &error), RASK_ENOENT);
    cr_assert(strstr(error.message, names[3]), "%s", error.message);
    rk_text_shared_free(shared);
    rk_text_files_fini(&files);
}
