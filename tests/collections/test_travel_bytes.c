/* Sources, programs and searches as bytes: what was written is read again, files that are others are told, and any other bytes
 * are refused. */
#include "collections/array/program.h"
#include "collections/bag/recipe.h"
#include "collections/search/travel.h"
#include "collections/table/memory_travel.h"
#include "collections/table/recipe.h"
#include "collections/text/travel.h"
#include "core/base/alloc.h"
#include "core/base/limits.h"
#include "paths.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char path[PATH];

static void set_up(void)
{
    enter_paths();
    snprintf(path, sizeof path, "%s/x.npy", folder);
}

TestSuite(travel_bytes, .init = set_up, .fini = leave_paths, .timeout = 60);

static void store(const char *text)
{
    const rask_store_target target = {.array = rask_eval(g, text, NULL, NULL, 0), .path = path};
    cr_assert_eq(rask_array_store(&target, 1, NULL), RASK_OK, "%s", rask_graph_error(g));
}

static rk_source *source_of(const char *text)
{
    store(text);
    rask_array *a = rask_array_open(g, path, NULL);
    cr_assert_not_null(a, "%s", rask_graph_error(g));
    return a->as.source;
}

static rk_source *again(const rk_source *source, rk_pack_out *out)
{
    rk_open_error error = {0};
    cr_assert_eq(rk_source_put(source, out, &error), RASK_OK, "%s", error.message);
    rk_pack_in in = {out->data, out->data + out->size, false, NULL};
    rk_source *got = rk_source_get(&in, &error);
    cr_assert_not_null(got, "%s", error.message);
    cr_assert_eq(in.at, in.end);
    return got;
}

static int read_all(const rk_source *source, double *out, char *message, size_t capacity)
{
    const int64_t start[1] = {0}, strides[1] = {sizeof *out};
    return rk_source_read(source, start, source->shape, out, strides, message, capacity);
}

Test(travel_bytes, a_file_is_opened_again)
{
    rk_pack_out out = {0};
    double elements[100];
    char message[1024];
    rk_source *got = again(source_of("arange(100.)"), &out);
    cr_assert_eq(read_all(got, elements, message, sizeof message), RASK_OK);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(elements[i], i);
    rk_source_unref(got);
    rk_pack_out_fini(&out);
}

/* Reading fails with the path and the machine. */
static void must_be_absent(rk_pack_out *out, const char *why)
{
    char host[256] = "", message[1024] = "";
    double elements[100];
    rk_open_error error = {0};
    rk_pack_in in = {out->data, out->data + out->size, false, NULL};
    rk_source *got = rk_source_get(&in, &error);
    cr_assert_not_null(got, "%s", error.message);
    gethostname(host, sizeof host - 1);
    cr_assert_eq(read_all(got, elements, message, sizeof message), RASK_EIO);
    cr_assert(strstr(message, path) && strstr(message, host) && strstr(message, why), "%s", message);
    rk_source_unref(got);
}

Test(travel_bytes, a_file_that_is_another_is_told_with_path_and_machine)
{
    rk_pack_out out = {0};
    rk_source_unref(again(source_of("arange(100.)"), &out));
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    must_be_absent(&out, "another time");
    cr_assert_eq(truncate(path, 500), 0);
    must_be_absent(&out, "it has 500 bytes, not 928");
    cr_assert_eq(unlink(path), 0);
    must_be_absent(&out, "No such file");
    rk_pack_out_fini(&out);
}

Test(travel_bytes, a_file_without_its_name_does_not_go)
{
    rk_pack_out out = {0};
    rk_open_error error = {0};
    rk_source *source = source_of("arange(100.)");
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rk_source_put(source, &out, &error), RASK_EUNSUPPORTED);
    cr_assert(strstr(error.message, path), "%s", error.message);
    rk_pack_out_fini(&out);
}

Test(travel_bytes, a_list_of_files_is_compared_with_what_is_there)
{
    char host[256] = "";
    rk_pack_out out = {0};
    rk_open_error error = {0};
    rk_text_error told;
    rk_text_files files, got;
    store("arange(100.)");
    cr_assert_eq(rk_text_files_init(&files, (const char *const[]){path}, 1, &told), RASK_OK);
    cr_assert_eq(rk_text_files_put(&files, &out, &error), RASK_OK);
    rk_pack_in in = {out.data, out.data + out.size, false, NULL};
    cr_assert_eq(rk_text_files_get(&in, &got), RASK_OK);
    cr_assert_eq(rk_text_files_check(&got, &error), RASK_OK, "%s", error.message);
    cr_assert_eq(truncate(path, 500), 0);
    gethostname(host, sizeof host - 1);
    cr_assert_eq(rk_text_files_check(&got, &error), RASK_EIO);
    cr_assert(strstr(error.message, path) && strstr(error.message, host), "%s", error.message);
    rk_text_files_fini(&files);
    rk_text_files_fini(&got);
    rk_pack_out_fini(&out);
}

/* -- Any bytes */

typedef void end_of(void *what);

static void end_source(void *source)
{
    rk_source_unref(source);
}

static void end_program(void *program)
{
    rk_program_free(program);
}

/* Cut off anywhere it is refused; with any byte changed it is refused or read, and nothing leaks. */
static void try_bytes(int (*decode)(rask_bytes, void **), const char *data, size_t size, end_of *end)
{
    for (size_t cut = 0; cut < size; cut += 1 + cut / 64) {
        void *what = NULL;
        char *own = rk_alloc(cut + 1);
        memcpy(own, data, cut);
        cr_assert_neq(decode((rask_bytes){own, cut}, &what), RASK_OK, "cut at %zu of %zu", cut, size);
        rk_free(own);
    }
    for (size_t at = 0; at < size; at++) {
        static const unsigned char changes[] = {1, 0x80, 0xff};
        void *what = NULL;
        char *own = rk_alloc(size);
        memcpy(own, data, size);
        own[at] = (char)(own[at] ^ changes[at % 3]);
        if (!decode((rask_bytes){own, size}, &what))
            end(what);
        rk_free(own);
    }
}

static void try_class(const rask_class *cls, const void *data, end_of *end)
{
    rask_value value;
    rask_bytes bytes;
    void *what = NULL;
    cr_assert_eq(cls->encode(data, &value), RASK_OK);
    cr_assert_eq(rask_value_get_bytes(&value, &bytes), RASK_OK);
    cr_assert_eq(cls->decode(bytes, &what), RASK_OK);
    end(what);
    try_bytes(cls->decode, bytes.data, bytes.len, end);
    rask_value_unref(&value);
}

Test(travel_bytes, what_is_no_source_is_refused)
{
    try_class(&rk_source_class, source_of("arange(100.)"), end_source);
    snprintf(path, sizeof path, "%s/x.zarr", folder);
    try_class(&rk_source_class, source_of("arange(100.)"), end_source);
}

Test(travel_bytes, what_is_no_program_is_refused)
{
    rk_program *p;
    store("arange(12.).reshape(3, 4)");
    rask_array *x = rask_array_open(g, path, NULL);
    rask_array *a = rask_eval(
        g, "where(x[::-1] > 1, sqrt(x) + 2.5, arange(4) * full((3, 4), 2) - random.uniform(0, 1, (3, 4)))",
        (const char *[]){"x"}, &x, 1);
    cr_assert_not_null(a, "%s", rask_graph_error(g));
    cr_assert_eq(rk_program_new(a, NULL, false, &p), RASK_OK);
    try_class(&rk_program_class, p, end_program);
    rk_program_free(p);
}

static int decode_search(rask_bytes bytes, void **job)
{
    return rk_search_job_decode(bytes, (rk_search_job **)job);
}

static void end_search(void *job)
{
    rk_search_guest_free(job);
}

Test(travel_bytes, what_is_no_search_is_refused)
{
    rask_text_options how = RASK_TEXT_OPTIONS_INIT;
    const rk_text_cutting cutting = {.block_bytes = 10};
    rask_value value;
    rask_bytes bytes;
    store("arange(12.)");
    how.pattern = "a[bc]+";
    rask_text *text = rask_text_open(g, (const char *const[]){path}, 1, &how);
    rk_search_job *job = text ? rk_search_job_new(text, "test", &cutting, NULL, 0) : NULL;
    cr_assert_not_null(job, "%s", rask_graph_error(g));
    cr_assert_eq(rk_search_job_encode(job, &value), RASK_OK);
    cr_assert_eq(rask_value_get_bytes(&value, &bytes), RASK_OK);
    try_bytes(decode_search, bytes.data, bytes.len, end_search);
    rask_value_unref(&value);
}

/* -- Tables */

static const rask_class thing_class = {RK_TABLE_SHARED("thing")};

/* A value that was shared while a table was lowered, and ends with it. */
static rask_value shared_of(rask_table *table, rask_graph *own)
{
    static const int thing;
    struct rk_join_built *built = NULL;
    const rk_table_lowering l = {
        .graph = own, .budget = 1 << 20, .workers = 1, .seed = 1, .apart = true, .built = &built};
    rask_value value;
    rk_recipe *recipe = rk_table_recipe_begin(&l, table, RK_ROOT_TABLE);
    cr_assert_not_null(rk_lower_table(&l, table), "%s", rask_graph_error(own));
    cr_assert_eq(rk_shared_value(own, &thing_class, &thing, &value), RASK_OK);
    rk_recipe_end(recipe);
    return value;
}

/* Takes over the value. */
static void try_shared(rask_value value)
{
    void *data;
    cr_assert_eq(rask_value_get_custom(&value, &thing_class, &data), RASK_OK);
    try_class(&thing_class, data, rk_shared_destroy);
    rask_value_unref(&value);
}

Test(travel_bytes, what_is_no_table_in_memory_is_refused)
{
    static const int64_t numbers[] = {3, 1, 2};
    static const uint8_t valid[] = {1, 0, 1};
    static const uint64_t ends[] = {0, 1, 1, 4};
    const rask_column columns[] = {
        {.name = "n", .type = RASK_COL_I64, .as.i64 = numbers},
        {.name = "s", .type = RASK_COL_TEXT, .valid = valid, .as.offsets = ends, .bytes = "abcd"}};
    rask_graph *own = rask_graph_new();
    rask_table *t = rask_table_from_columns(g, columns, 2, 3);
    try_shared(shared_of(rask_table_filter(t, "n > 1"), own));
    rask_graph_free(own);
}

enum { MANY = 600, LONG = 1000 };

/* Computed rows, of two texts in turn. */
static rask_table *table_of_two_texts(uint64_t rows, size_t len, rask_rows **computed)
{
    char *text = calloc(rows, len);
    uint64_t ends[MANY + 1] = {0};
    const rask_column column = {.name = "s", .type = RASK_COL_TEXT, .as.offsets = ends, .bytes = text};
    rask_graph *own = rask_graph_new();
    for (uint64_t i = 0; i < rows; i++) {
        memset(text + i * len, i % 2 ? 'x' : 'y', len);
        ends[i + 1] = (i + 1) * len;
    }
    rask_table *t = rask_table_filter(rask_table_from_columns(own, &column, 1, rows), "s > \"\"");
    cr_assert_eq(rask_table_compute(t, NULL, computed), RASK_OK, "%s", rask_graph_error(own));
    rask_graph_free(own);
    free(text);
    return rask_table_from_rows(g, *computed);
}

Test(travel_bytes, what_is_no_dictionary_is_refused)
{
    rask_rows *rows;
    rask_graph *own = rask_graph_new();
    try_shared(shared_of(rask_table_filter(table_of_two_texts(40, 3, &rows), "s > \"\""), own));
    rask_graph_free(own);
    rask_rows_free(rows);
}

static int encode_shared(rask_table *table, rask_value *bytes)
{
    void *data;
    rask_graph *own = rask_graph_new();
    rask_value shared = shared_of(rask_table_filter(table, "s > \"\""), own);
    cr_assert_eq(rask_value_get_custom(&shared, &thing_class, &data), RASK_OK);
    int status = thing_class.encode(data, bytes);
    rask_value_unref(&shared);
    rask_graph_free(own);
    return status;
}

Test(travel_bytes, a_dictionary_goes_as_it_is)
{
    rask_rows *rows;
    rask_value value;
    rask_bytes bytes;
    cr_assert_eq(encode_shared(table_of_two_texts(MANY, LONG, &rows), &value), RASK_OK);
    cr_assert_eq(rask_value_get_bytes(&value, &bytes), RASK_OK);
    cr_assert_lt(bytes.len, 10 * LONG);
    rask_value_unref(&value);
    rask_rows_free(rows);
}

static void forget_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void forget_array(struct ArrowArray *array)
{
    array->release = NULL;
}

/* Views of two rows, both of all that is there. */
static void expect_too_much_twice(const char *text, size_t len)
{
    const int32_t view[] = {(int32_t)len, 0, 0, 0, (int32_t)len, 0, 0, 0};
    const int64_t sizes[] = {(int64_t)len};
    const void *none[] = {NULL}, *buffers[] = {NULL, view, text, sizes};
    struct ArrowSchema child = {.format = "vu", .name = "s", .release = forget_schema},
                       *children[] = {&child};
    struct ArrowSchema schema = {
        .format = "+s", .name = "", .n_children = 1, .children = children, .release = forget_schema};
    struct ArrowArray values = {.length = 2, .n_buffers = 4, .buffers = buffers, .release = forget_array},
                      *arrays[] = {&values};
    struct ArrowArray array = {.length = 2,
                               .n_buffers = 1,
                               .buffers = none,
                               .n_children = 1,
                               .children = arrays,
                               .release = forget_array};
    rask_value value;
    rask_bytes bytes;
    rask_table *t = rask_table_from_arrow(g, &schema, &array);
    cr_assert_not_null(t, "%s", rask_graph_error(g));
    cr_assert_eq(encode_shared(t, &value), RASK_EUNSUPPORTED);
    cr_assert_eq(rask_value_get_bytes(&value, &bytes), RASK_OK);
    cr_assert(memmem(bytes.data, bytes.len, "can go", 6), "%.*s", (int)bytes.len, bytes.data);
    rask_value_unref(&value);
}

Test(travel_bytes, a_text_that_rows_share_does_not_pass_the_ceiling)
{
    size_t len = RK_MAX_TRAVELLING / 2 + 1;
    char *text = rk_calloc(len, 1);
    cr_assert_not_null(text);
    expect_too_much_twice(text, len);
    rk_free(text);
}

/* Columns that others make are one part: a message that says of many that they follow asks for memory that it has no bytes for. */
Test(travel_bytes, a_table_of_arrays_has_one_part)
{
    enum { AS_FED = 1 };
    const uint32_t heads[] = {1, 2}; /* columns, parts */
    rk_pack_out out = {0};
    rk_open_error error = {0};
    rk_pack_put_u8(&out, AS_FED);
    rk_pack_put(&out, heads, sizeof heads);
    rk_pack_put_text(&out, "n");
    rk_pack_put_u8(&out, RASK_COL_I64);
    for (int i = 0; i < 4; i++)
        rk_pack_put_u64(&out, 1);
    rk_pack_in in = {out.data, out.data + out.size, false, NULL};
    cr_assert_null(rk_memory_table_get(g, &in, &error));
    cr_assert_eq(rask_graph_status(g), RASK_OK);
    rk_pack_out_fini(&out);
}

Test(travel_bytes, what_is_no_recipe_is_refused)
{
    FILE *out = fopen(path, "w");
    fprintf(out, "a,b\n1,2\n3,x\n");
    fclose(out);
    rask_graph *own = rask_graph_new();
    rask_table *t = rask_read_csv(g, path, NULL);
    t = rask_table_groupby(rask_table_join(rask_table_filter(t, "a > 1"), t, "b", RASK_JOIN_OUTER), "b",
                           "sum(a) as s");
    cr_assert_not_null(t, "%s", rask_graph_error(g));
    try_shared(shared_of(t, own));
    rask_graph_free(own);
}

/* -- Bags */

static const rask_class bag_class = {RK_SHARED_CLASS("thing", rk_bag_shared_decode)};

static bool is_above(const rask_record *record, void *context)
{
    return record->items[1].as.i64 > *(const int64_t *)context;
}

Test(travel_bytes, what_are_no_records_in_memory_are_refused)
{
    static const int thing;
    const int64_t least = 2;
    const rask_record records[] = {{.count = 2, .items = {rask_item_bytes("a", 1), rask_item_i64(7)}},
                                   {.count = 2, .items = {rask_item_bytes("bcd", 3), rask_item_none()}}};
    rask_graph *own = rask_graph_new();
    rask_bag *bag = rask_bag_filter(rask_bag_from_records(g, records, 2, "yi", 0), is_above,
                                    rask_graph_context(g, &least, sizeof least));
    const rk_bag_lowering l = {.graph = own, .budget = 1 << 20, .workers = 1, .seed = 1};
    rk_bag_nodes nodes;
    rask_value value;
    void *data;
    rk_recipe *recipe = rk_bag_recipe_begin(&l, bag, RK_BAG_AS_CHUNKS, NULL);
    cr_assert_eq(rk_bag_lower(&l, bag, &nodes), RASK_OK, "%s", rask_graph_error(own));
    cr_assert_eq(rk_shared_value(own, &bag_class, &thing, &value), RASK_OK);
    rk_recipe_end(recipe);
    cr_assert_eq(rask_value_get_custom(&value, &bag_class, &data), RASK_OK);
    try_class(&bag_class, data, rk_shared_destroy);
    rask_value_unref(&value);
    rask_graph_free(own);
}
