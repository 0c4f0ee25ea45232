/* Zarr arrays whose files are shards: many chunks and an index. */
#include <criterion/criterion.h>
#include <ftw.h>
#include <rask/array.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HERE __FILE__, __LINE__

static char folder[] = "/tmp/rask-shards-XXXXXX";
static rask_graph *g;
static char said[1000]; /* by load() */

static int remove_one(const char *path, const struct stat *file, int kind, struct FTW *walk)
{
    (void)file, (void)kind, (void)walk;
    return remove(path);
}

static void begin(void)
{
    g = rask_graph_new();
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}
static void end(void)
{
    rask_graph_free(g);
    cr_assert_eq(chdir("/"), 0);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
TestSuite(shards, .init = begin, .fini = end);

static void write_bytes(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, len, f), len);
    cr_assert_eq(fclose(f), 0);
}

static int store(rask_array *a, const char *compressor, const int64_t *chunks, const int64_t *shards)
{
    rask_store_options how = {
        .size = sizeof how, .format = "zarr3", .compressor = compressor, .chunks = chunks, .shards = shards};
    rask_store_target target = {.array = a, .path = "a.zarr", .options = &how};
    return rask_array_store(&target, 1, NULL);
}

/* The status of computing all of a.zarr; elements are out's. */
static int load(void *out, size_t bytes)
{
    rask_graph *own = rask_graph_new();
    rask_array *a = rask_array_open_at(own, "a.zarr", NULL, HERE);
    rask_block block = {.data = NULL};
    int status = a ? rask_array_compute(&a, 1, NULL, &block) : rask_graph_status(own);
    if (!status)
        memcpy(out, block.data, bytes);
    if (!status && block.release)
        block.release(block.owner);
    snprintf(said, sizeof said, "%s", status ? rask_graph_error(own) : "");
    rask_graph_free(own);
    return status;
}

enum { ROWS = 50, COLUMNS = 37 };

static rask_array *numbers(void)
{
    rask_array *a = rask_array_arange(g, 0, (double)(ROWS * COLUMNS), 1);
    return rask_array_reshape_at(a, 2, (const int64_t[]){ROWS, COLUMNS}, HERE);
}

static const int64_t chunks[] = {4, 5}, shards[] = {12, 10};

Test(shards, give_back_what_was_stored)
{
    static double found[ROWS * COLUMNS];
    const char *compressors[] = {"none", "zstd"};
    for (int i = 0; i < 2; i++) {
        int status = store(numbers(), compressors[i], chunks, shards);
        if (status == RASK_EUNSUPPORTED)
            cr_skip_test("no module rask-codecs");
        cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
        cr_assert_eq(load(found, sizeof found), RASK_OK, "%s", said);
        for (int k = 0; k < ROWS * COLUMNS; k++)
            cr_assert_eq(found[k], k, "%s, %d", compressors[i], k);
        cr_expect_eq(access("a.zarr/c/4/3", F_OK), 0);
        cr_expect_neq(access("a.zarr/c/5/0", F_OK), 0);
    }
}

Test(shards, longer_than_the_array_are_files_all_the_same)
{
    static double found[ROWS * COLUMNS];
    const int64_t large[] = {60, 40}, all[] = {120, 80};
    cr_assert_eq(store(numbers(), "none", large, all), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(load(found, sizeof found), RASK_OK, "%s", said);
    for (int k = 0; k < ROWS * COLUMNS; k++)
        cr_assert_eq(found[k], k, "%d", k);
}

Test(shards, of_no_whole_chunks_are_refused)
{
    const int64_t odd[] = {12, 9};
    cr_expect_eq(store(numbers(), "none", chunks, odd), RASK_EINVAL);
    cr_expect_not_null(strstr(rask_graph_error(g), "no whole chunks of 5"), "%s", rask_graph_error(g));
    cr_expect_eq(store(numbers(), "none", NULL, shards), RASK_EINVAL);
    cr_expect_neq(access("a.zarr", F_OK), 0);
}

static const char document[] =
    "{\"zarr_format\": 3, \"node_type\": \"array\", \"shape\": [4, 4], \"data_type\": \"uint8\", "
    "\"chunk_grid\": "
    "{\"name\": \"regular\", \"configuration\": {\"chunk_shape\": [4, 2]}}, \"chunk_key_encoding\": "
    "{\"name\": "
    "\"default\", \"configuration\": {\"separator\": \".\"}}, \"fill_value\": 7, \"codecs\": [{\"name\": "
    "\"sharding_indexed\", \"configuration\": {\"chunk_shape\": [%s], \"codecs\": [{\"name\": \"bytes\"}], "
    "\"index_codecs\": [{\"name\": \"bytes\", \"configuration\": {\"endian\": \"big\"}}], "
    "\"index_location\": "
    "\"start\"}}]}";

/* A store of two shards, of which one has a file; in that one one of two chunks is missing. */
static void write_by_hand(const char *chunk_shape, unsigned char place)
{
    char text[sizeof document + 10];
    unsigned char shard[36];
    memset(shard, 0xff, 16);
    memset(shard + 16, 0, 16);
    shard[23] = place;
    shard[31] = 4;
    memcpy(shard + 32, "\1\2\3\4", 4);
    mkdir("a.zarr", 0777);
    snprintf(text, sizeof text, document, chunk_shape);
    write_bytes("a.zarr/zarr.json", text, strlen(text));
    write_bytes("a.zarr/c.0.1", shard, sizeof shard);
}

Test(shards, have_an_index_and_what_it_lacks_is_fill_value)
{
    const unsigned char expected[] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 1, 2, 7, 7, 3, 4};
    unsigned char found[16];
    write_by_hand("2, 2", 32);
    cr_assert_eq(load(found, sizeof found), RASK_OK, "%s", said);
    cr_expect_arr_eq(found, expected, sizeof found);
}

static void expect_refusal(int status, const char *message)
{
    unsigned char found[16];
    cr_expect_eq(load(found, sizeof found), status);
    cr_expect_not_null(strstr(said, message), "%s", said);
}

Test(shards, that_are_damaged_are_errors)
{
    write_by_hand("2, 2", 33);
    expect_refusal(RASK_EFORMAT, "a.zarr/c.0.1: a chunk in it is not within the file");
    write_bytes("a.zarr/c.0.1", "short", 5);
    expect_refusal(RASK_EFORMAT, "too short for the index");
    write_by_hand("3, 2", 32);
    expect_refusal(RASK_EFORMAT, "element 0 does not divide that of shards");
    write_by_hand("2", 32);
    expect_refusal(RASK_EFORMAT, "shape has 2 axes, but chunk_shape of sharding 1");
}

Test(shards, with_a_wrong_checksum_are_errors)
{
    static double found[ROWS * COLUMNS];
    struct stat file;
    cr_assert_eq(store(numbers(), "none", chunks, shards), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(stat("a.zarr/c/1/1", &file), 0);
    cr_expect_eq(file.st_size, 6 * (4 * 5 * 8 + 16) + 4);
    FILE *f = fopen("a.zarr/c/1/1", "r+b");
    cr_assert_not_null(f);
    cr_assert_eq(fseek(f, -1, SEEK_END), 0);
    int last = fgetc(f);
    cr_assert_eq(fseek(f, -1, SEEK_END), 0);
    fputc(last ^ 1, f);
    cr_assert_eq(fclose(f), 0);
    cr_expect_eq(load(found, sizeof found), RASK_EFORMAT);
    cr_expect_not_null(strstr(said, "the checksum of its index does not fit"), "%s", said);
}
