/* Chunks in which text is a dictionary against chunks in which it is not: whatever is done to them, the rows are the same. */
#include "../../folder.h"
#include "random_table.h"

#include "collections/table/arrow/file.h"
#include "collections/table/chunk.h"
#include "collections/table/divide.h"
#include "collections/table/expr/program.h"
#include "collections/table/memory_travel.h"
#include "collections/table/row_order.h"
#include "collections/table/rows.h"

#include <inttypes.h>
#include <pthread.h>
#include <rask/exchange.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { ROWS = 9000, PARTS = 3 };

static void enter(void)
{
    enter_folder(".arrow", "");
}

TestSuite(codes, .init = enter, .fini = leave_folder);

/* Of more texts than different ones no two are alike. */
static random_table table_of(uint32_t rows, uint32_t different, uint64_t seed)
{
    random_table t = random_table_new(rows, different, seed);
    for (uint32_t row = 0; row < rows && different > rows; row++) {
        char *room = t.texts + (size_t)row * TEXT_ROOM;
        if (t.columns[0].valid[row])
            t.columns[0].text[row] = (rask_bytes){room, (size_t)snprintf(room, TEXT_ROOM, "text a%u", row)};
    }
    return t;
}

static void add_all(rk_chunk_builder *b, const random_table *t, uint32_t step)
{
    for (uint32_t from = 0; from < t->rows; from += step) {
        rk_column columns[TABLE_COLUMNS];
        const rk_column *given[TABLE_COLUMNS];
        for (uint32_t i = 0; i < TABLE_COLUMNS; i++) {
            columns[i] = column_from(t, i, from);
            given[i] = &columns[i];
        }
        uint32_t count = t->rows - from < step ? t->rows - from : step;
        cr_assert_eq(rk_chunk_builder_add_rows(b, given, NULL, count), RASK_OK);
    }
}

static rk_chunk open_chunk(const rask_value *value)
{
    rask_bytes bytes;
    rk_chunk chunk;
    cr_assert_eq(rask_value_get_bytes(value, &bytes), RASK_OK);
    rk_chunk_open(&chunk, bytes);
    return chunk;
}

static rask_value make_chunk(const random_table *t, bool plain, uint32_t step)
{
    rk_chunk_builder b;
    rask_value value;
    cr_assert_eq(rk_chunk_builder_init(&b, table_types, TABLE_COLUMNS), RASK_OK);
    if (plain)
        rk_chunk_builder_plain(&b);
    add_all(&b, t, step);
    cr_assert_eq(rk_chunk_builder_pack(&b, &value), RASK_OK);
    rk_chunk_builder_fini(&b);
    return value;
}

static text_bytes rows_of(const rk_chunk *chunk)
{
    text_bytes out = {0};
    rk_batch batch;
    cr_assert_eq(rk_batch_init(&batch, table_types, TABLE_COLUMNS), RASK_OK);
    for (uint64_t row = 0; row < chunk->rows; row += batch.rows) {
        for (uint32_t i = 0; i < TABLE_COLUMNS; i++)
            batch.rows = rk_chunk_read(chunk, i, row, &batch.columns[i]);
        put_batch(&out, &batch);
    }
    rk_batch_fini(&batch);
    return out;
}

static void expect_rows(const rask_value *a, const rask_value *b, const char *what)
{
    rk_chunk chunk_a = open_chunk(a), chunk_b = open_chunk(b);
    text_bytes rows_a = rows_of(&chunk_a), rows_b = rows_of(&chunk_b);
    expect_same(&rows_a, &rows_b, what);
    free(rows_a.data);
    free(rows_b.data);
}

static bool has_codes(const rask_value *value)
{
    rk_chunk chunk = open_chunk(value);
    return rk_chunk_stored(&chunk, 0).codes != NULL;
}

/* Numbers of different texts, and whether a dictionary of them is smaller. */
static const struct {
    uint32_t different;
    bool pays;
} cases[] = {{1, true}, {7, true}, {300, true}, {5000, true}, {1u << 30, false}};

Test(codes, few_different_texts_are_kept_once_and_many_as_they_are)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        random_table t = table_of(ROWS, cases[i].different, i);
        rask_value plain = make_chunk(&t, true, 1000);
        for (uint32_t step = 1; step <= ROWS; step = 70 * step + 1) {
            rask_value value = make_chunk(&t, false, step);
            cr_assert_eq(has_codes(&value), cases[i].pays, "%u different texts", cases[i].different);
            expect_rows(&value, &plain, "packed");
            rask_value_unref(&value);
        }
        rask_value_unref(&plain);
        random_table_free(&t);
    }
}

Test(codes, a_chunk_of_few_rows_or_of_none_is_as_it_was)
{
    for (uint32_t rows = 0; rows < 4; rows++) {
        random_table t = table_of(rows, 1u << 30, rows);
        rask_value value = make_chunk(&t, false, 1), plain = make_chunk(&t, true, 1);
        cr_assert(!has_codes(&value));
        expect_rows(&value, &plain, "few rows");
        rask_value_unref(&value);
        rask_value_unref(&plain);
        random_table_free(&t);
    }
}

static void divide(const random_table *t, bool plain, uint32_t key, const uint32_t *part, rask_value *out)
{
    rk_chunk_builder b;
    cr_assert_eq(rk_chunk_builder_init(&b, table_types, TABLE_COLUMNS), RASK_OK);
    if (plain)
        rk_chunk_builder_plain(&b);
    else
        rk_chunk_builder_divided(&b, key);
    add_all(&b, t, 777);
    cr_assert_eq(rk_chunk_divide(&b, part, PARTS, out), RASK_OK);
    rk_chunk_builder_fini(&b);
}

/* Rows go to the parts by their text (key 0), or anyhow; the last part gets none. */
Test(codes, parts_of_a_chunk_have_the_same_rows)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        random_table t = table_of(ROWS, cases[i].different, i);
        uint32_t part[ROWS];
        for (uint32_t key = 0; key < 2; key++) {
            rask_value values[PARTS], plain[PARTS];
            for (uint32_t row = 0; row < ROWS; row++)
                part[row] = key ? row % 2 : t.columns[0].text[row].len % 2;
            divide(&t, false, key, part, values);
            divide(&t, true, key, part, plain);
            for (int p = 0; p < PARTS; p++) {
                expect_rows(&values[p], &plain[p], "parts");
                rask_value_unref(&values[p]);
                rask_value_unref(&plain[p]);
            }
        }
        random_table_free(&t);
    }
}

/* Every third row of three chunks, from the last to the first, and some rows twice. */
static rask_value gather(const rask_value *values)
{
    rk_chunk chunks[3];
    rask_value out;
    uint64_t *places = calloc(3 * ROWS, sizeof *places), count = 0;
    for (uint64_t i = 0; i < 3; i++) {
        chunks[i] = open_chunk(&values[i]);
        for (uint64_t row = chunks[i].rows; row-- > 0; row -= row > 1 ? 2 : 0) {
            places[count++] = i << 32 | row;
            if (row % 5 == 0)
                places[count++] = i << 32 | row;
        }
    }
    cr_assert_eq(rk_chunk_gather(chunks, 3, places, count, &out), RASK_OK);
    free(places);
    return out;
}

Test(codes, rows_of_chunks_with_dictionaries_of_their_own_are_gathered_into_one)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rask_value values[3], plain[3];
        for (int k = 0; k < 3; k++) {
            random_table t = table_of(ROWS, cases[k == 2 ? 0 : i].different, i + (uint64_t)k);
            values[k] = make_chunk(&t, false, 512);
            plain[k] = make_chunk(&t, true, 512);
            random_table_free(&t);
        }
        rask_value all = gather(values), expected = gather(plain);
        expect_rows(&all, &expected, "gathered");
        cr_assert(has_codes(&all) || cases[i].different > 300, "%u different texts", cases[i].different);
        for (int k = 0; k < 3; k++) {
            rask_value_unref(&values[k]);
            rask_value_unref(&plain[k]);
        }
        rask_value_unref(&all);
        rask_value_unref(&expected);
    }
}

/* Two chunks one behind the other, the second in pieces, in a builder that begins with a few rows of its own. */
static rask_value append(const rask_value *values, bool plain)
{
    rk_chunk_builder b;
    rask_value out;
    random_table own = table_of(10, 4, 9);
    cr_assert_eq(rk_chunk_builder_init(&b, table_types, TABLE_COLUMNS), RASK_OK);
    if (plain)
        rk_chunk_builder_plain(&b);
    add_all(&b, &own, 10);
    for (int i = 0; i < 2; i++) {
        rk_chunk chunk = open_chunk(&values[i]);
        uint64_t step = i ? 300 : chunk.rows;
        for (uint64_t row = 0; row < chunk.rows; row += step)
            cr_assert_eq(rk_chunk_builder_add_chunk(&b, &chunk, row,
                                                    chunk.rows - row < step ? chunk.rows - row : step),
                         RASK_OK);
    }
    cr_assert_eq(rk_chunk_builder_pack(&b, &out), RASK_OK);
    rk_chunk_builder_fini(&b);
    random_table_free(&own);
    return out;
}

Test(codes, rows_of_chunks_are_appended_whether_they_or_those_before_have_dictionaries)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        random_table t = table_of(ROWS, cases[i].different, i);
        for (int form = 0; form < 4; form++) {
            rask_value values[] = {make_chunk(&t, form & 1, 512), make_chunk(&t, form & 2, 512)};
            rask_value all = append(values, false), spelt = append(values, true);
            expect_rows(&all, &spelt, "appended");
            cr_assert_eq(has_codes(&all), cases[i].pays, "%u different texts", cases[i].different);
            rask_value_unref(&all);
            rask_value_unref(&spelt);
            rask_value_unref(&values[0]);
            rask_value_unref(&values[1]);
        }
        random_table_free(&t);
    }
}

/* Rows of chunks by some keys, each against the next; equal ones as they stand. */
static void expect_sorted(const rk_order *keys, uint32_t count, const rk_chunk *chunks, uint64_t rows)
{
    uint64_t *places;
    rk_row_order order;
    uint64_t different = 0;
    cr_assert_eq(rk_rows_sort(keys, count, chunks, 2, rows, &places), RASK_OK);
    cr_assert_eq(rk_row_order_init(&order, keys, count, chunks, 2), RASK_OK);
    for (uint64_t i = 1; i < rows; i++) {
        int found = rk_row_compare(&order, places[i - 1], places[i]);
        different += found != 0;
        cr_assert(found < 0 || (!found && places[i - 1] < places[i]), "%u keys, row %" PRIu64, count, i);
    }
    cr_assert_gt(different, 0);
    rk_row_order_fini(&order);
    rk_free(places);
}

Test(codes, rows_that_are_equal_in_a_key_go_by_the_next)
{
    static const rk_order keys[][4] = {{{3, false}, {0, true}, {2, false}, {1, true}},
                                       {{0, false}, {3, true}, {5, true}, {0, false}},
                                       {{4, true}, {3, false}, {3, true}, {6, false}},
                                       {{2, true}, {1, false}, {0, false}, {4, true}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        random_table t = table_of(ROWS, cases[i].different, i);
        for (int plain = 0; plain < 2; plain++) {
            rask_value values[] = {make_chunk(&t, plain, 512), make_chunk(&t, plain, 300)};
            const rk_chunk chunks[] = {open_chunk(&values[0]), open_chunk(&values[1])};
            for (uint32_t k = 0; k < 16; k++)
                expect_sorted(keys[k / 4], 1 + k % 4, chunks, 2 * ROWS);
            rask_value_unref(&values[0]);
            rask_value_unref(&values[1]);
        }
        random_table_free(&t);
    }
}

Test(codes, sorting_by_numbered_texts_gives_the_order_of_texts)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        random_table t = table_of(ROWS, cases[i].different, i);
        rask_value values[2] = {make_chunk(&t, false, 512), make_chunk(&t, true, 512)};
        for (uint32_t variant = 0; variant < 4; variant++) {
            const rk_order keys[] = {{0, variant & 1}, {2, true}};
            uint64_t *places[2];
            for (int k = 0; k < 2; k++) {
                rk_chunk chunks[2] = {open_chunk(&values[k]), open_chunk(&values[k])};
                cr_assert_eq(rk_rows_sort(keys, 1 + variant / 2, chunks, 2, 2 * ROWS, &places[k]), RASK_OK);
            }
            cr_assert(memcmp(places[0], places[1], 2 * ROWS * sizeof *places[0]) == 0);
            rk_free(places[0]);
            rk_free(places[1]);
        }
        rask_value_unref(&values[0]);
        rask_value_unref(&values[1]);
        random_table_free(&t);
    }
}

/* -- Where numbering ends */

typedef struct numbered {
    rk_codes codes;
    rk_array ends, bytes;
} numbered;

static numbered numbered_new(void)
{
    numbered n = {.ends = RK_ARRAY(uint64_t, SIZE_MAX), .bytes = RK_ARRAY(char, SIZE_MAX)};
    rk_codes_init(&n.codes);
    return n;
}

static int find_number(numbered *n, uint64_t i, uint32_t *number)
{
    return rk_codes_find(&n->codes, &n->ends, &n->bytes, (rask_bytes){(const char *)&i, sizeof i}, number);
}

static void numbered_free(numbered *n)
{
    rk_codes_fini(&n->codes);
    rk_array_fini(&n->ends);
    rk_array_fini(&n->bytes);
}

Test(codes, so_many_texts_are_numbered_and_no_more)
{
    numbered n = numbered_new();
    uint32_t number;
    for (uint64_t i = 0; i < RK_CODES_TEXTS; i++)
        cr_assert(find_number(&n, i, &number) == RASK_OK && number == i);
    cr_assert_eq(find_number(&n, RK_CODES_TEXTS, &number), RASK_ELIMIT);
    cr_assert_eq(n.codes.texts, RK_CODES_TEXTS);
    cr_assert_eq(find_number(&n, 77, &number), RASK_OK);
    cr_assert_eq(number, 77);
    numbered_free(&n);
}

Test(codes, texts_whose_hashes_collide_end_the_numbering)
{
    enum { SLOTS = 256, COLLIDING = SLOTS / 4 + 1 };
    numbered n = numbered_new();
    uint32_t number, count = 0;
    int status = RASK_OK;
    for (uint64_t i = 0; !status; i++) {
        if (XXH3_64bits(&i, sizeof i) % SLOTS)
            continue;
        status = find_number(&n, i, &number);
        count += !status;
    }
    cr_assert_eq(status, RASK_ELIMIT);
    cr_assert_eq(count, COLLIDING);
    numbered_free(&n);
}

/* Each text comes twice, so that it would pay. */
Test(codes, a_column_of_too_many_different_texts_is_spelt_out)
{
    enum { MANY = RK_CODES_TEXTS + RK_BATCH_ROWS, LEN = 24 };
    rask_bytes texts[RK_BATCH_ROWS];
    static char room[RK_BATCH_ROWS][LEN + 1];
    const rask_column_type type = RASK_COL_TEXT;
    const rk_column column = {.type = type, .text = texts}, *given = &column;
    rk_chunk_builder b;
    rask_value value;
    cr_assert_eq(rk_chunk_builder_init(&b, &type, 1), RASK_OK);
    for (uint32_t row = 0; row < 2 * MANY; row += RK_BATCH_ROWS) {
        for (uint32_t i = 0; i < RK_BATCH_ROWS; i++) {
            snprintf(room[i], sizeof room[i], "%0*u", LEN, (row + i) / 2);
            texts[i] = (rask_bytes){room[i], LEN};
        }
        cr_assert_eq(rk_chunk_builder_add_rows(&b, &given, NULL, RK_BATCH_ROWS), RASK_OK);
    }
    cr_assert(!b.columns->codes.there);
    cr_assert_eq(rk_chunk_builder_pack(&b, &value), RASK_OK);
    rk_chunk chunk = open_chunk(&value);
    rask_column all = rk_chunk_column_at(&chunk, 0);
    for (uint32_t row = 0; row < 2 * MANY; row++) {
        snprintf(room[0], sizeof room[0], "%0*u", LEN, row / 2);
        cr_assert(memcmp(all.bytes + all.as.offsets[row], room[0], LEN) == 0, "row %u", row);
    }
    rask_value_unref(&value);
    rk_chunk_builder_fini(&b);
}

/* -- Computed rows */

enum { THREADS = 4 };

typedef struct asker {
    const rask_rows *rows;
    rask_column column;
    int status;
} asker;

static void *ask(void *argument)
{
    asker *a = argument;
    a->status = rask_rows_column(a->rows, 0, &a->column);
    return NULL;
}

static void expect_texts(const rask_column *column, const random_table *t)
{
    for (uint32_t row = 0; row < t->rows; row++) {
        rask_bytes text = t->columns[0].text[row];
        uint64_t from = column->as.offsets[row], len = column->as.offsets[row + 1] - from;
        cr_assert(len == text.len && (!len || memcmp(column->bytes + from, text.data, len) == 0), "row %u",
                  row);
    }
}

Test(codes, a_column_of_computed_rows_is_laid_out_once_whoever_asks_first)
{
    random_table t = table_of(ROWS, 30, 1);
    const rk_schema schema = {.names = (const char **)table_names,
                              .types = (rask_column_type *)table_types,
                              .count = TABLE_COLUMNS};
    rask_rows *rows = rk_rows_new(&schema, make_chunk(&t, false, ROWS));
    asker askers[THREADS];
    pthread_t threads[THREADS];
    cr_assert(rows && rk_chunk_stored(&rows->chunk, 0).codes);
    for (int i = 0; i < THREADS; i++) {
        askers[i] = (asker){.rows = rows};
        cr_assert_eq(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
        cr_assert_eq(askers[i].status, RASK_OK);
        cr_assert_eq(askers[i].column.bytes, askers->column.bytes);
    }
    expect_texts(&askers->column, &t);
    rask_rows_free(rows);
    random_table_free(&t);
}

Test(codes, a_table_of_computed_rows_goes_on_with_their_dictionary)
{
    random_table t = table_of(ROWS, 30, 1);
    const rk_schema schema = {.names = (const char **)table_names,
                              .types = (rask_column_type *)table_types,
                              .count = TABLE_COLUMNS};
    rask_rows *rows = rk_rows_new(&schema, make_chunk(&t, false, ROWS)), *again;
    rask_graph *g = rask_graph_new();
    rask_column column;
    cr_assert_eq(rask_table_compute(rask_table_from_rows(g, rows), NULL, &again), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_null(rk_load_relaxed(&rows->spelt[0]));
    cr_assert(rk_chunk_stored(&again->chunk, 0).codes);
    cr_assert_eq(rask_rows_column(again, 0, &column), RASK_OK);
    expect_texts(&column, &t);
    rask_rows_free(again);
    rask_graph_free(g);
    rask_rows_free(rows);
    random_table_free(&t);
}

Test(codes, an_array_of_a_column_leaves_the_dictionaries_of_others_as_they_are)
{
    random_table t = table_of(ROWS, 30, 1);
    const rk_schema schema = {.names = (const char **)table_names,
                              .types = (rask_column_type *)table_types,
                              .count = TABLE_COLUMNS};
    rask_rows *rows = rk_rows_new(&schema, make_chunk(&t, false, ROWS));
    rask_graph *g = rask_graph_new();
    cr_assert_not_null(rask_rows_array(g, rows, "wide"), "%s", rask_graph_error(g));
    cr_assert_null(rask_rows_array(g, rows, "text"));
    cr_assert_null(rk_load_relaxed(&rows->spelt[0]));
    rask_graph_free(g);
    rask_rows_free(rows);
    random_table_free(&t);
}

static random_table divided_table;

static int divide_once(void)
{
    rk_chunk_builder b;
    rask_value out[PARTS];
    const rk_column *given[TABLE_COLUMNS];
    uint32_t part[RK_BATCH_ROWS];
    for (uint32_t i = 0; i < TABLE_COLUMNS; i++)
        given[i] = &divided_table.columns[i];
    for (uint32_t row = 0; row < RK_BATCH_ROWS; row++)
        part[row] = row % PARTS;
    int status = rk_chunk_builder_init(&b, table_types, TABLE_COLUMNS);
    if (!status)
        status = rk_chunk_builder_add_rows(&b, given, NULL, RK_BATCH_ROWS);
    if (!status)
        status = rk_chunk_divide(&b, part, PARTS, out);
    for (int p = 0; p < PARTS && !status; p++)
        rask_value_unref(&out[p]);
    rk_chunk_builder_fini(&b);
    return status;
}

Test(codes, what_fails_for_want_of_memory_leaves_nothing_behind)
{
    divided_table = table_of(ROWS, 300, 1);
    sweep(divide_once, 0);
    random_table_free(&divided_table);
}

/* Of few rows: with a dictionary, and without. */
static rask_value few[2];
static rk_chunk few_chunks[2];

static int gather_once(void)
{
    uint64_t places[200];
    for (uint64_t i = 0; i < 200; i++)
        places[i] = i % 2 << 32 | i / 2;
    const rk_chunk twice[] = {few_chunks[0], few_chunks[0]};
    rask_value out;
    int status = rk_chunk_gather(twice, 2, places, 200, &out);
    if (!status)
        rask_value_unref(&out);
    return status;
}

static int sort_once(void)
{
    const rk_order key = {0, false};
    uint64_t *places;
    int status = rk_rows_sort(&key, 1, few_chunks, 1, few_chunks->rows, &places);
    if (!status)
        rk_free(places);
    return status;
}

static int spell_once(void)
{
    const rk_schema schema = {.names = (const char **)table_names,
                              .types = (rask_column_type *)table_types,
                              .count = TABLE_COLUMNS};
    rask_column column;
    rask_value_ref(&few[0]);
    rask_rows *rows = rk_rows_new(&schema, few[0]);
    int status = rows ? rask_rows_column(rows, 0, &column) : RASK_ENOMEM;
    rask_rows_free(rows);
    return status;
}

static int append_once(void)
{
    rk_chunk_builder b;
    int status = rk_chunk_builder_init(&b, table_types, TABLE_COLUMNS);
    for (int i = 0; i < 2 && !status; i++)
        status = rk_chunk_builder_add_chunk(&b, &few_chunks[i], 0, few_chunks[i].rows);
    rk_chunk_builder_fini(&b);
    return status;
}

static rask_table *few_rows[2];

static int put_once(void)
{
    rk_pack_out out = {0};
    rk_open_error error = {0};
    int status = RASK_OK;
    for (int i = 0; i < 2 && !status; i++)
        status = rk_memory_table_put(few_rows[i], &out, &error);
    if (!status && out.failed)
        status = RASK_ENOMEM;
    rk_pack_out_fini(&out);
    return status;
}

Test(codes, dictionaries_fail_for_want_of_memory_and_leave_nothing_behind)
{
    const rk_schema schema = {.names = (const char **)table_names,
                              .types = (rask_column_type *)table_types,
                              .count = TABLE_COLUMNS};
    random_table t = table_of(100, 3, 1);
    rask_graph *g = rask_graph_new();
    for (int i = 0; i < 2; i++) {
        few[i] = make_chunk(&t, i, 100);
        few_chunks[i] = open_chunk(&few[i]);
        rask_value_ref(&few[i]);
        rask_rows *rows = rk_rows_new(&schema, few[i]);
        few_rows[i] = rask_table_from_rows(g, rows);
        cr_assert_not_null(few_rows[i], "%s", rask_graph_error(g));
        rask_rows_free(rows);
    }
    cr_assert(has_codes(&few[0]) && !has_codes(&few[1]));
    sweep(gather_once, 0);
    sweep(append_once, 0);
    sweep(sort_once, 0);
    sweep(spell_once, 0);
    sweep(put_once, 0);
    rask_graph_free(g);
    rask_value_unref(&few[0]);
    rask_value_unref(&few[1]);
    random_table_free(&t);
}

/* -- Arrow */

/* Rows of text: so many that are one of seven, then some that are all different. */
typedef struct growing {
    uint32_t alike, rows;
    uint64_t *ends;
    char *bytes;
} growing;

static growing grow(uint32_t alike, uint32_t many)
{
    enum { MOST = 16 };
    uint32_t rows = alike + many;
    growing w = {alike, rows, calloc(rows + (size_t)1, sizeof *w.ends), malloc(rows * (size_t)MOST)};
    cr_assert(w.ends && w.bytes);
    for (uint32_t i = 0; i < rows; i++) {
        const char *form = i < alike ? "text %u" : "%u";
        w.ends[i + 1] =
            w.ends[i] + (uint64_t)snprintf(w.bytes + w.ends[i], MOST, form, i < alike ? i % 7 : i);
    }
    return w;
}

static void shrink(growing *w)
{
    free(w->ends);
    free(w->bytes);
}

static rask_table *table_of_growing(rask_graph *g, const growing *w)
{
    const rask_column given = {.name = "s", .type = RASK_COL_TEXT, .as.offsets = w->ends, .bytes = w->bytes};
    return rask_table_from_columns(g, &given, 1, w->rows);
}

static void expect_growing(rask_table *table, const growing *w)
{
    rask_column column;
    rask_rows *rows = NULL;
    cr_assert_eq(rask_table_compute(table, NULL, &rows), RASK_OK);
    cr_assert_eq(rask_rows_count(rows), w->rows);
    cr_assert_eq(rask_rows_column(rows, 0, &column), RASK_OK);
    cr_assert_arr_eq(column.as.offsets, w->ends, (w->rows + 1) * sizeof *w->ends);
    cr_assert_arr_eq(column.bytes, w->bytes, w->ends[w->rows]);
    rask_rows_free(rows);
}

Test(codes, computed_rows_go_out_with_their_dictionary_and_come_back)
{
    growing w = grow(ROWS, 0);
    struct ArrowSchema schema;
    struct ArrowArray array;
    rask_rows *rows = NULL;
    rask_graph *g = rask_graph_new();
    cr_assert_eq(rask_table_compute(table_of_growing(g, &w), NULL, &rows), RASK_OK);
    cr_assert_eq(rask_rows_arrow(rows, &schema, &array), RASK_OK);
    cr_assert_str_eq(schema.children[0]->format, "i");
    cr_assert_str_eq(schema.children[0]->dictionary->format, "U");
    cr_assert_eq(array.children[0]->n_buffers, 2);
    cr_assert_eq(array.children[0]->dictionary->length, 7);
    cr_assert_null(rk_load_relaxed(&rows->spelt[0]), "nothing was spelt");
    rask_rows_free(rows);
    expect_growing(rask_table_from_arrow(g, &schema, &array), &w);
    rask_graph_free(g);
    shrink(&w);
}

/* Written and read again; whether the file has a dictionary. */
static bool goes_through_a_file(const growing *w, rask_table_format format)
{
    rk_open_error error = {0};
    rk_arrow_file file;
    rask_graph *g = rask_graph_new();
    int status = rask_table_write(table_of_growing(g, w), path, format, NULL);
    cr_assert_eq(status, RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rk_arrow_file_open(&file, path, &error), RASK_OK, "%s", error.message);
    bool coded = file.dictionaries[0].used;
    rk_arrow_file_close(&file);
    expect_growing(rask_read_arrow(g, path), w);
    rask_graph_free(g);
    return coded;
}

Test(codes, an_arrow_file_has_dictionaries_unless_they_grow_too_large)
{
    const struct {
        uint32_t few, many;
        rask_table_format format;
        bool coded;
    } files[] = {
        {100, 0, RASK_TABLE_ARROW, false},         {5000, 0, RASK_TABLE_ARROW, true},
        {5000, 0, RASK_TABLE_ARROW_STREAM, false}, {0, 5000, RASK_TABLE_ARROW, false},
        {65536, 1000, RASK_TABLE_ARROW, true},     {65536, 65536, RASK_TABLE_ARROW, false},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        growing w = grow(files[i].few, files[i].many);
        cr_expect_eq(goes_through_a_file(&w, files[i].format), files[i].coded, "file %zu", i);
        shrink(&w);
    }
}

/* Columns that are all the same: short texts, of which few are different, then long ones, so many of which are. */
enum { ALIKE_COLUMNS = 6, LONG_TEXT = 320 };

static growing grow_long(uint32_t alike, uint32_t many, uint32_t different)
{
    uint32_t rows = alike + many;
    growing w = {alike, rows, calloc(rows + (size_t)1, sizeof *w.ends),
                 calloc(rows + (size_t)1, LONG_TEXT + 1)};
    cr_assert(w.ends && w.bytes);
    for (uint32_t i = 0; i < rows; i++) {
        int len = i < alike ? 5 : LONG_TEXT;
        snprintf(w.bytes + w.ends[i], LONG_TEXT + 1, "%0*u", len, i % (i < alike ? 7 : different));
        w.ends[i + 1] = w.ends[i] + (uint64_t)len;
    }
    return w;
}

static rask_table *table_of_columns(rask_graph *g, const growing *w)
{
    static const char *const names[ALIKE_COLUMNS] = {"a", "b", "c", "d", "e", "f"};
    rask_column given[ALIKE_COLUMNS];
    for (int i = 0; i < ALIKE_COLUMNS; i++)
        given[i] =
            (rask_column){.name = names[i], .type = RASK_COL_TEXT, .as.offsets = w->ends, .bytes = w->bytes};
    return rask_table_from_columns(g, given, ALIKE_COLUMNS, w->rows);
}

/* What observers are told. */
typedef struct told {
    uint32_t runs, failed_runs, tasks, called, failed;
} told;

static void note_run(void *context, const rask_run_info *run)
{
    told *t = context;
    t->runs++;
    t->tasks += run->tasks;
    t->failed_runs += run->status != RASK_OK;
}

static void note_task(void *context, const rask_task_info *task)
{
    told *t = context;
    t->called += task->worker != UINT32_MAX;
    t->failed += task->worker != UINT32_MAX && (task->status || task->attempt);
}

/* With one worker, in pieces. How many columns have dictionaries. */
static uint32_t write_columns(const growing *w, rask_cancel_token *cancel, told *t)
{
    rask_options o = RASK_OPTIONS_INIT;
    const rask_observer observer = {
        .size = sizeof observer, .context = t, .task_finished = note_task, .run_ended = note_run};
    rk_open_error error = {0};
    rk_arrow_file file;
    rask_graph *g = rask_graph_new();
    uint32_t coded = 0;
    o.scheduler = "serial";
    o.memory = 256 << 20;
    o.retries = 3;
    o.cancel = cancel;
    o.observers = (const rask_observer *const[]){&observer};
    o.observer_count = 1;
    cr_assert_eq(rask_table_write(table_of_columns(g, w), path, RASK_TABLE_ARROW, &o), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(rk_arrow_file_open(&file, path, &error), RASK_OK, "%s", error.message);
    for (int i = 0; i < ALIKE_COLUMNS; i++)
        coded += file.dictionaries[i].used;
    rk_arrow_file_close(&file);
    expect_growing(rask_table_select(rask_read_arrow(g, path), "a"), w);
    expect_growing(rask_table_select(rask_read_arrow(g, path), "f"), w);
    rask_graph_free(g);
    return coded;
}

Test(codes, dictionaries_that_are_too_large_together_give_way_the_largest_first)
{
    const struct {
        uint32_t few, many, different, coded, runs;
    } files[] = {{0, 5000, 3000, 4, 1}, {65536, 2700, 2600, 2, 2}, {65536, 13300, 13300, 0, 3}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        told t = {0};
        growing w = grow_long(files[i].few, files[i].many, files[i].different);
        uint32_t coded = write_columns(&w, NULL, &t);
        cr_expect_eq(coded, files[i].coded, "file %zu: %u columns", i, coded);
        cr_expect_eq(t.runs, files[i].runs, "file %zu: %u runs", i, t.runs);
        shrink(&w);
    }
}

Test(codes, a_file_that_is_begun_anew_fails_for_nobody_and_is_left_at_once)
{
    told t = {0};
    growing w = grow_long(65536, 20000, 2600);
    rask_cancel_token *cancel = rask_cancel_token_new();
    write_columns(&w, cancel, &t);
    cr_expect_eq(t.runs, 2);
    cr_expect_eq(t.failed_runs, 0);
    cr_expect_eq(t.failed, 0);
    cr_expect_lt(t.called, t.tasks, "%u of %u", t.called, t.tasks);
    cr_expect(!rask_cancelled(cancel));
    rask_cancel_token_free(cancel);
    shrink(&w);
}

/* -- Expressions */

static const char *const expressions[] = {
    "matches(text, \"a[a-m]\")",
    "coalesce(extract(text, \"a+([b-z]?)\"), \"none\")",
    "int > 3 and matches(text, \"^a{3,9}$\") or matches(text, \"z\")",
    "length(replace(replace(replace(text, \"aa\", \"b\"), \"b\", \"\"), \"a\", \"aab\"))",
    "if(matches(text, \"^$\"), null, lower(upper(replace(replace(text, \"a\", \"xyz\"), \"y\", \"\"))))",
    "coalesce(int(text), float(extract(text, \"[0-9]\")), 7)",
    "is_null(extract(text, \"(b)?a\"))",
};

/* What an expression makes of all rows, batch by batch. */
static text_bytes evaluate(const random_table *t, const char *text, bool memos)
{
    rk_expr *e = NULL;
    rk_expr_run *run;
    uint64_t room = RK_EXPR_MEMO_BYTES;
    rk_syntax_error error = {0};
    text_bytes out = {0};
    cr_assert_eq(rk_expr_compile(text, strlen(text), table_names, table_types, TABLE_COLUMNS, &e, &error),
                 RASK_OK, "%s: %s", text, error.message);
    cr_assert(e->memos.count, "%s", text);
    if (!memos)
        e->memos.count = 0;
    cr_assert_eq(rk_expr_run_new(e, &room, &run), RASK_OK);
    for (uint32_t from = 0; from < t->rows; from += RK_BATCH_ROWS) {
        rk_column columns[TABLE_COLUMNS];
        const rk_column *given[TABLE_COLUMNS], *made;
        uint32_t rows = t->rows - from < RK_BATCH_ROWS ? t->rows - from : RK_BATCH_ROWS;
        for (uint32_t i = 0; i < TABLE_COLUMNS; i++) {
            columns[i] = column_from(t, i, from);
            given[i] = &columns[i];
        }
        cr_assert_eq(rk_expr_evaluate(e, run, given, rows, &made), RASK_OK);
        rk_column copy = *made;
        put_batch(&out, &(rk_batch){.rows = rows, .count = 1, .columns = &copy});
    }
    rk_expr_run_free(run);
    rk_expr_free(e);
    return out;
}

/* Of few texts each is looked at once; of many the memo ends after some batches. */
Test(codes, what_is_made_once_for_each_text_is_what_is_made_for_each_row)
{
    static const uint32_t different[] = {3, 2000, 1u << 30};
    for (size_t i = 0; i < 3; i++) {
        random_table t = table_of(5 * RK_BATCH_ROWS + 17, different[i], i);
        for (size_t k = 0; k < sizeof expressions / sizeof *expressions; k++) {
            text_bytes once = evaluate(&t, expressions[k], true), each = evaluate(&t, expressions[k], false);
            expect_same(&once, &each, expressions[k]);
            free(once.data);
            free(each.data);
        }
        random_table_free(&t);
    }
}

/* One batch of long texts, each another one. */
static char long_texts[RK_BATCH_ROWS][200];
static rask_bytes long_text[RK_BATCH_ROWS];

static rk_column long_column(void)
{
    for (uint32_t row = 0; row < RK_BATCH_ROWS; row++) {
        memset(long_texts[row], 'a', sizeof long_texts[row]);
        snprintf(long_texts[row], sizeof long_texts[row], "%u", row);
        long_text[row] = (rask_bytes){long_texts[row], sizeof long_texts[row]};
    }
    return (rk_column){.type = RASK_COL_TEXT, .text = long_text};
}

static rk_expr *compile_text(const char *text)
{
    static const char *const names[] = {"s"};
    static const rask_column_type types[] = {RASK_COL_TEXT};
    rk_syntax_error error = {0};
    rk_expr *e = NULL;
    cr_assert_eq(rk_expr_compile(text, strlen(text), names, types, 1, &e, &error), RASK_OK, "%s",
                 error.message);
    cr_assert_eq(e->memos.count, 1);
    return e;
}

static const char costly[] = "replace(replace(upper(lower(s)), \"A\", \"bc\"), \"b\", \"d\")";

/* The texts of a batch, and what is made of them, are larger than the room: nothing is kept, and what was begun is gone before the steps
 * are done row by row. */
Test(codes, what_is_kept_for_texts_never_passes_the_room_for_it)
{
    const rk_column column = long_column(), *given = &column, *made;
    for (int memos = 0; memos < 2; memos++) {
        static size_t total[2];
        const uint64_t all = RK_EXPR_MEMO_BYTES / 4;
        uint64_t room = all;
        rk_expr *e = compile_text(costly);
        rk_expr_run *run;
        cr_assert_eq(rk_expr_run_new(e, memos ? &room : NULL, &run), RASK_OK);
        cr_assert_eq(rk_expr_evaluate(e, run, &given, 30, &made), RASK_OK);
        cr_assert(memos ? room < all : room == all);
        cr_assert_eq(rk_expr_evaluate(e, run, &given, RK_BATCH_ROWS, &made), RASK_OK);
        cr_assert_eq(room, all);
        total[memos] = run->text.total;
        cr_assert_eq(total[memos], total[0]);
        rk_expr_run_free(run);
        rk_expr_free(e);
    }
}

Test(codes, expressions_share_the_room_and_leave_it_to_others)
{
    enum { SOME = 200 };
    const rk_column column = long_column(), *given = &column, *made;
    uint64_t room = RK_EXPR_MEMO_BYTES / 4, first;
    rk_expr *e = compile_text(costly);
    rk_expr_run *runs[2];
    for (int i = 0; i < 2; i++)
        cr_assert_eq(rk_expr_run_new(e, &room, &runs[i]), RASK_OK);
    cr_assert_eq(rk_expr_evaluate(e, runs[0], &given, SOME, &made), RASK_OK);
    first = room;
    cr_assert_lt(first, RK_EXPR_MEMO_BYTES / 8);
    cr_assert_eq(rk_expr_evaluate(e, runs[1], &given, SOME, &made), RASK_OK);
    cr_assert_eq(room, first, "the second keeps nothing");
    cr_assert_eq(made->text[7].len, 2 * sizeof *long_texts - 2);
    rk_expr_run_free(runs[0]);
    rk_expr_run_free(runs[1]);
    rk_expr_free(e);
}

Test(codes, text_without_end_is_refused_once_for_each_text_too)
{
    enum { LONG = 40000 };
    const rask_bytes text = {"n", 1};
    const rk_column column = {.type = RASK_COL_TEXT, .text = (rask_bytes *)&text}, *given = &column, *made;
    char *source = malloc(3 * LONG), *ns = malloc(LONG + 1);
    uint64_t room = RK_EXPR_MEMO_BYTES;
    rk_expr_run *run;
    memset(ns, 'n', LONG);
    ns[LONG] = 0;
    snprintf(source, (size_t)3 * LONG,
             "upper(replace(replace(lower(upper(lower(s))), 'n', '%s'), 'n', '%s'))", ns, ns);
    rk_expr *e = compile_text(source);
    cr_assert_eq(rk_expr_run_new(e, &room, &run), RASK_OK);
    cr_assert_eq(rk_expr_evaluate(e, run, &given, 1, &made), RASK_ELIMIT);
    cr_assert_eq(room, RK_EXPR_MEMO_BYTES);
    rk_expr_run_free(run);
    rk_expr_free(e);
    free(source);
    free(ns);
}

static rk_expr *swept;

static int evaluate_once(void)
{
    const rk_column column = {.type = RASK_COL_TEXT, .text = long_text}, *given = &column, *made;
    uint64_t room = RK_EXPR_MEMO_BYTES;
    rk_expr_run *run = NULL;
    int status = rk_expr_run_new(swept, &room, &run);
    for (uint32_t rows = 20; !status && rows <= 40; rows += 20)
        status = rk_expr_evaluate(swept, run, &given, rows, &made);
    rk_expr_run_free(run);
    return status;
}

Test(codes, what_is_kept_for_texts_fails_for_want_of_memory_and_leaves_nothing_behind)
{
    long_column();
    swept = compile_text(costly);
    sweep(evaluate_once, 0);
    rk_expr_free(swept);
}

/* Each of four patterns may keep what it found only where the budget has room for it. */
Test(codes, what_may_be_kept_for_texts_does_not_make_a_budget_too_small)
{
    static const uint64_t ends[] = {0, 2, 4};
    const rask_column column = {.name = "s", .type = RASK_COL_TEXT, .as.offsets = ends, .bytes = "abcd"};
    rask_options o = RASK_OPTIONS_INIT;
    rask_graph *g = rask_graph_new();
    rask_rows *rows;
    rask_table *t = rask_table_from_columns(g, &column, 1, 2);
    o.memory = 4 << 20;
    o.workers = 1;
    for (int i = 0; i < 4; i++)
        t = rask_table_filter(t,
                              "upper(replace(replace(lower(upper(lower(s))), 'n', 'm'), 'm', 'm')) > 'AC'");
    cr_assert_eq(rask_table_compute(t, &o, &rows), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_rows_count(rows), 1);
    rask_rows_free(rows);
    rask_graph_free(g);
}
