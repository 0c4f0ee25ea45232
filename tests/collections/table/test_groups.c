/* Groups and aggregates against slow code; the same bytes from any order, batches and merges. */
#include "../sums/slow_sum.h"
#include "random_table.h"

#include "collections/table/groups/groups.h"

static const char all_of_them[] =
    "sum(real) as total, mean(real), count(), count(text), count_distinct(text), count_distinct(real), "
    "min(real), "
    "max(real), min(text), max(text), min(int), max(int), min(bool), max(date), var(wide), std(wide), "
    "first(text), "
    "last(text), first(real), last(int), first(time), median(int), quantile(real, 0.9), sum(int), mean(int), "
    "var(int), sum(bool), mean(bool), sum(wide), mean(wide), count_distinct(int), count_distinct(bool), "
    "median(wide)";

static rk_aggregates parse(const char *text)
{
    rask_bytes names[TABLE_COLUMNS];
    rk_aggregates a = {0};
    char message[200] = "";
    rk_print error = {message, sizeof message, 0};
    for (int i = 0; i < TABLE_COLUMNS; i++)
        names[i] = (rask_bytes){table_names[i], strlen(table_names[i])};
    int status = rk_aggregates_parse((rask_bytes){text, strlen(text)}, names, table_types, TABLE_COLUMNS, &a,
                                     &error, NULL);
    cr_assert_eq(status, RASK_OK, "%s", message);
    return a;
}

/* Adds rows from … from + count - 1 of the table. */
static int add_rows(rk_groups *groups, const rk_aggregates *a, const random_table *t, const uint32_t *keys,
                    uint32_t key_count, uint32_t from, uint32_t count)
{
    rk_column columns[2 * TABLE_COLUMNS];
    const rk_column *pointers[2 * TABLE_COLUMNS];
    for (uint32_t i = 0; i < key_count; i++)
        columns[i] = column_from(t, keys[i], from);
    for (uint32_t i = 0; i < a->argument_count; i++)
        columns[key_count + i] = column_from(t, a->arguments[i].column, from);
    for (uint32_t i = 0; i < key_count + a->argument_count; i++)
        pointers[i] = &columns[i];
    return rk_groups_add(groups, pointers, pointers + key_count, count, 1000 + from);
}

static rk_groups *groups_of(const rk_aggregates *a, const uint32_t *keys, uint32_t key_count)
{
    rask_column_type types[TABLE_COLUMNS] = {RASK_COL_I64};
    rk_groups *groups = NULL;
    for (uint32_t i = 0; i < key_count; i++)
        types[i] = table_types[keys[i]];
    cr_assert_eq(rk_groups_new(types, key_count, a, 12345, &groups), RASK_OK);
    return groups;
}

/* Everything that comes out; frees the groups. */
static text_bytes results(rk_groups *groups, rk_groups_order order, uint32_t columns)
{
    rask_column_type types[64];
    rk_batch batch;
    text_bytes out = {0};
    rk_groups_types(groups, types);
    cr_assert_eq(rk_batch_init(&batch, types, columns), RASK_OK);
    cr_assert_eq(rk_groups_finish(groups, order), RASK_OK);
    do {
        cr_assert_eq(rk_groups_next(groups, &batch, NULL), RASK_OK);
        put_batch(&out, &batch);
    } while (batch.rows);
    rk_batch_fini(&batch);
    rk_groups_free(groups);
    return out;
}

/* Slow groups: the first row of the group of each row, found by comparing with all before. */
static void slow_groups(const random_table *t, const uint32_t *keys, uint32_t key_count, uint32_t *first)
{
    for (uint32_t row = 0; row < t->rows; row++) {
        first[row] = row;
        for (uint32_t other = 0; other < row && first[row] == row; other++) {
            bool same = first[other] == other;
            for (uint32_t k = 0; k < key_count && same; k++)
                same = slow_compare(&t->columns[keys[k]], row, &t->columns[keys[k]], other, false) == 0;
            if (same)
                first[row] = other;
        }
    }
}

static double as_number(const rk_column *c, uint32_t row)
{
    return c->type == RASK_COL_F64    ? c->f64[row]
           : c->type == RASK_COL_BOOL ? c->boolean[row]
                                      : (double)c->i64[row];
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A number that an aggregate of these rows is, by definition; false: null. */
static bool slow_number(const rk_aggregate *item, const rk_column *c, const uint32_t *rows, uint32_t count,
                        double *out)
{
    static double x[4096];
    uint32_t n = 0;
    long double m2 = 0;
    bool nan = false;
    if (item->argument == RK_NO_ARGUMENT)
        return *out = count, true;
    for (uint32_t i = 0; i < count; i++)
        if (rk_column_has(c, rows[i]))
            x[n++] = c->type == RASK_COL_TEXT ? 0 : as_number(c, rows[i]);
    for (uint32_t i = 0; i < n; i++)
        nan = nan || isnan(x[i]);
    long double sum = nan ? (long double)NAN : slow_sum(x, n);
    for (uint32_t i = 0; i < n; i++)
        m2 += (x[i] - sum / n) * (x[i] - sum / n);
    qsort(x, n, sizeof *x, ascending);
    double at = item->q * (n - 1.0), low = floor(at);
    switch (item->function) {
    case RK_AGGREGATE_SUM: return *out = (double)sum, true;
    case RK_AGGREGATE_MEAN: return *out = (double)(sum / n), n > 0;
    case RK_AGGREGATE_COUNT: return *out = n, true;
    case RK_AGGREGATE_VAR: return *out = (double)(m2 / (n - 1.0L)), n > 1;
    case RK_AGGREGATE_STD: return *out = (double)sqrtl(m2 / (n - 1.0L)), n > 1;
    default:
        if (n > 0)
            *out = nan ? (double)NAN : x[(int)low] + (at - low) * (x[(int)ceil(at)] - x[(int)low]);
        return n > 0;
    }
}

static uint32_t slow_distinct(const rk_column *c, const uint32_t *rows, uint32_t count)
{
    uint32_t different = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool fresh = rk_column_has(c, rows[i]);
        for (uint32_t k = 0; k < i && fresh; k++)
            fresh = slow_compare(c, rows[i], c, rows[k], false) != 0;
        different += fresh;
    }
    return different;
}

/* The row that min, max, first or last picks; UINT32_MAX: none. */
static uint32_t slow_pick(rk_function function, const rk_column *c, const uint32_t *rows, uint32_t count)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        if (!rk_column_has(c, row))
            continue;
        bool wins = best == UINT32_MAX || function == RK_AGGREGATE_LAST;
        if (!wins && function == RK_AGGREGATE_MIN)
            wins = slow_compare(c, row, c, best, false) < 0;
        if (!wins && function == RK_AGGREGATE_MAX)
            wins = slow_compare(c, row, c, best, true) < 0;
        if (wins)
            best = row;
    }
    return best;
}

static void check_result(const rk_aggregate *item, const rk_column *argument, const uint32_t *rows,
                         uint32_t count, const rk_column *result, uint32_t at)
{
    bool has = rk_column_has(result, at);
    double expected = 0;
    if (item->function == RK_AGGREGATE_DISTINCT) {
        cr_assert_eq(result->i64[at], slow_distinct(argument, rows, count));
        return;
    }
    if (item->function == RK_AGGREGATE_MIN || item->function == RK_AGGREGATE_MAX ||
        item->function == RK_AGGREGATE_FIRST || item->function == RK_AGGREGATE_LAST) {
        uint32_t row = slow_pick(item->function, argument, rows, count);
        cr_assert_eq(has, row != UINT32_MAX, "%.*s", (int)item->name.len, item->name.data);
        cr_assert(!has || slow_compare(argument, row, result, at, false) == 0, "%.*s", (int)item->name.len,
                  item->name.data);
        return;
    }
    cr_assert_eq(has, slow_number(item, argument, rows, count, &expected), "%.*s", (int)item->name.len,
                 item->name.data);
    double got = has ? as_number(result, at) : 0, scale = fabs(expected) + 1e-9;
    cr_assert(!has || got == expected || (isnan(got) && isnan(expected)) ||
                  fabs(got - expected) < 1e-9 * scale,
              "%.*s: %.17g, expected %.17g", (int)item->name.len, item->name.data, got, expected);
}

/* Finds the rows of a result by its keys and checks all aggregates. */
static void check_group(const random_table *t, const uint32_t *keys, uint32_t key_count,
                        const uint32_t *first, const rk_aggregates *a, const rk_batch *batch, uint32_t at)
{
    static uint32_t rows[4096];
    uint32_t count = 0, found = UINT32_MAX;
    for (uint32_t row = 0; row < t->rows && found == UINT32_MAX; row++) {
        bool same = first[row] == row;
        for (uint32_t k = 0; k < key_count && same; k++)
            same = slow_compare(&t->columns[keys[k]], row, &batch->columns[k], at, false) == 0;
        if (same)
            found = row;
    }
    cr_assert_neq(found, UINT32_MAX, "a group that is none");
    for (uint32_t row = 0; row < t->rows; row++)
        if (first[row] == found)
            rows[count++] = row;
    for (uint32_t i = 0; i < a->count; i++) {
        const rk_aggregate *item = &a->items[i];
        const rk_column *argument =
            item->argument == RK_NO_ARGUMENT ? NULL : &t->columns[a->arguments[item->argument].column];
        check_result(item, argument, rows, count, &batch->columns[key_count + i], at);
    }
}

static void check_groups(uint32_t rows, uint32_t different, const uint32_t *keys, uint32_t key_count,
                         uint64_t seed)
{
    random_table t = random_table_new(rows, different, seed);
    rk_aggregates a = parse(all_of_them);
    rk_groups *groups = groups_of(&a, keys, key_count);
    uint32_t *first = calloc(rows + 1, sizeof *first), expected = key_count ? 0 : 1;
    rask_column_type types[64];
    rk_batch batch;
    cr_assert_eq(add_rows(groups, &a, &t, keys, key_count, 0, rows), RASK_OK);
    slow_groups(&t, keys, key_count, first);
    for (uint32_t row = 0; row < rows && key_count; row++)
        expected += first[row] == row;
    cr_assert_eq(rk_groups_finish(groups, RK_GROUPS_BY_KEY), RASK_OK);
    cr_assert_eq(rk_groups_count(groups), expected);
    rk_groups_types(groups, types);
    cr_assert_eq(rk_batch_init(&batch, types, key_count + a.count), RASK_OK);
    cr_assert_eq(rk_groups_next(groups, &batch, NULL), RASK_OK);
    cr_assert_eq(batch.rows, expected);
    for (uint32_t i = 0; i < batch.rows && rows; i++) {
        int order = -1;
        if (i)
            order = 0;
        for (uint32_t k = 0; k < key_count && !order; k++)
            order = slow_compare(&batch.columns[k], i - 1, &batch.columns[k], i, false);
        cr_assert_lt(order, 0, "groups %u and %u are out of order", i - 1, i);
        check_group(&t, keys, key_count, first, &a, &batch, i);
    }
    rk_batch_fini(&batch);
    rk_groups_free(groups);
    rk_aggregates_fini(&a);
    random_table_free(&t);
    free(first);
}

Test(groups, aggregates_are_what_slow_code_computes)
{
    const uint32_t text[] = {0}, real[] = {2}, some[] = {3, 0}, many[] = {1, 2, 3, 4}, time[] = {6};
    check_groups(700, 30, text, 1, 1);
    check_groups(1, 30, text, 1, 2);
    check_groups(700, 30, real, 1, 3);
    check_groups(900, 12, some, 2, 4);
    check_groups(600, 3, many, 4, 5);
    check_groups(500, 400, time, 1, 6);
    check_groups(500, 30, NULL, 0, 7);
    check_groups(0, 30, text, 1, 8);
}

Test(groups, without_keys_and_rows_there_is_one_group)
{
    rk_aggregates a = parse("sum(real), count(), mean(real), min(text), median(int), count_distinct(int)");
    rk_groups *groups = groups_of(&a, NULL, 0);
    rask_column_type types[8];
    rk_batch batch;
    cr_assert_eq(rk_groups_finish(groups, RK_GROUPS_BY_KEY), RASK_OK);
    rk_groups_types(groups, types);
    cr_assert_eq(rk_batch_init(&batch, types, a.count), RASK_OK);
    cr_assert_eq(rk_groups_next(groups, &batch, NULL), RASK_OK);
    cr_assert_eq(batch.rows, 1);
    cr_assert(rk_column_has(&batch.columns[0], 0) && batch.columns[0].f64[0] == 0);
    cr_assert(rk_column_has(&batch.columns[1], 0) && batch.columns[1].i64[0] == 0);
    for (int i = 2; i < 5; i++)
        cr_assert_not(rk_column_has(&batch.columns[i], 0));
    cr_assert(rk_column_has(&batch.columns[5], 0) && batch.columns[5].i64[0] == 0);
    cr_assert_eq(rk_groups_next(groups, &batch, NULL), RASK_OK);
    cr_assert_eq(batch.rows, 0);
    rk_batch_fini(&batch);
    rk_groups_free(groups);
    rk_aggregates_fini(&a);
}

static void merge_value(rk_groups *into, rask_value *packed)
{
    rask_bytes bytes;
    cr_assert_eq(rask_value_get_bytes(packed, &bytes), RASK_OK);
    cr_assert_eq(rk_groups_merge(into, bytes), RASK_OK);
    rask_value_unref(packed);
}

enum { ROWS = 2500, WORKERS = 4 };

/* Batches of random lengths in random order go to random workers, who are merged in random order, in parts. */
static text_bytes shuffled(const random_table *t, const rk_aggregates *a, const uint32_t *keys,
                           uint32_t key_count, rk_groups_order order, uint32_t parts, uint64_t *seed)
{
    static uint32_t from[ROWS + 1], turn[ROWS];
    uint32_t count = 0;
    for (uint32_t row = 0; row < t->rows; row += 1 + (uint32_t)(next_random(seed) % 900))
        from[count++] = row;
    from[count] = t->rows;
    for (uint32_t i = 0; i < count; i++)
        turn[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t k = (uint32_t)(next_random(seed) % i), swap = turn[i - 1];
        turn[i - 1] = turn[k];
        turn[k] = swap;
    }
    rk_groups *workers[WORKERS], *whole = groups_of(a, keys, key_count);
    for (int w = 0; w < WORKERS; w++)
        workers[w] = groups_of(a, keys, key_count);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(add_rows(workers[next_random(seed) % WORKERS], a, t, keys, key_count, from[turn[i]],
                              from[turn[i] + 1] - from[turn[i]]),
                     RASK_OK);
    rask_value packed[WORKERS][16];
    for (int w = 0; w < WORKERS; w++) {
        cr_assert_eq(rk_groups_split(workers[w], parts, packed[w]), RASK_OK);
        rk_groups_free(workers[w]);
    }
    uint32_t groups_of_parts = 0;
    for (uint32_t p = 0; p < parts; p++) {
        rk_groups *part = groups_of(a, keys, key_count);
        for (int w = 0; w < WORKERS; w++)
            merge_value(part, &packed[(w + 2) % WORKERS][p]);
        groups_of_parts += rk_groups_count(part);
        rask_value again;
        cr_assert_eq(rk_groups_pack(part, &again), RASK_OK);
        rk_groups_free(part);
        merge_value(whole, &again);
    }
    cr_assert_eq(groups_of_parts, rk_groups_count(whole), "a group is in two parts");
    return results(whole, order, key_count + a->count);
}

Test(groups, any_batches_workers_and_merges_give_the_same_bytes)
{
    const uint32_t keys[][2] = {{0, 1}, {1, 3}, {6, 0}, {2, 2}};
    uint64_t seed = 99;
    rk_aggregates a = parse(all_of_them);
    for (uint32_t k = 0; k < 4; k++) {
        random_table t = random_table_new(ROWS, 40 + 900 * k, k);
        rk_groups_order order = k & 1 ? RK_GROUPS_BY_POSITION : RK_GROUPS_BY_KEY;
        for (uint32_t key_count = 0; key_count < 3; key_count++) {
            rk_groups *groups = groups_of(&a, keys[k], key_count);
            cr_assert_eq(add_rows(groups, &a, &t, keys[k], key_count, 0, ROWS), RASK_OK);
            text_bytes expected = results(groups, order, key_count + a.count);
            for (uint32_t parts = 1; parts <= 12; parts += 11) {
                text_bytes got = shuffled(&t, &a, keys[k], key_count, order, parts, &seed);
                expect_same(&got, &expected, "shuffled");
                free(got.data);
            }
            free(expected.data);
        }
        random_table_free(&t);
    }
    rk_aggregates_fini(&a);
}

Test(groups, many_groups_are_kept_apart_and_in_order_of_appearance)
{
    enum { N = 60000, DIFFERENT = 20000 };
    rk_aggregates a = parse("count()");
    const rask_column_type type = RASK_COL_I64;
    rk_groups *groups;
    static int64_t numbers[N];
    for (int i = 0; i < N; i++)
        numbers[i] = (int64_t)(((uint64_t)(i % DIFFERENT) * 0x9e3779b97f4a7c15u) << 20);
    rk_column column = {.type = type, .i64 = numbers};
    const rk_column *keys[] = {&column};
    cr_assert_eq(rk_groups_new(&type, 1, &a, 0, &groups), RASK_OK);
    cr_assert_eq(rk_groups_add(groups, keys, NULL, N, 0), RASK_OK);
    cr_assert_eq(rk_groups_count(groups), DIFFERENT);
    cr_assert_gt(rk_groups_bytes(groups), DIFFERENT * 16);
    cr_assert_eq(rk_groups_finish(groups, RK_GROUPS_BY_POSITION), RASK_OK);
    const rask_column_type types[] = {RASK_COL_I64, RASK_COL_I64};
    rk_batch batch;
    cr_assert_eq(rk_batch_init(&batch, types, 2), RASK_OK);
    for (uint32_t at = 0; at < DIFFERENT; at += batch.rows) {
        cr_assert_eq(rk_groups_next(groups, &batch, NULL), RASK_OK);
        cr_assert_gt(batch.rows, 0);
        for (uint32_t i = 0; i < batch.rows; i++) {
            cr_assert_eq(batch.columns[0].i64[i], numbers[at + i]);
            cr_assert_eq(batch.columns[1].i64[i], N / DIFFERENT);
        }
    }
    rk_batch_fini(&batch);
    rk_groups_free(groups);
    rk_aggregates_fini(&a);
}

Test(groups, a_sum_beyond_int64_is_an_error_that_names_it)
{
    rk_aggregates a = parse("sum(int) as total");
    rk_groups *groups = groups_of(&a, NULL, 0);
    int64_t numbers[] = {INT64_MAX, 1, -1};
    rk_column column = {.type = RASK_COL_I64, .i64 = numbers};
    const rk_column *arguments[] = {&column};
    cr_assert_eq(rk_groups_add(groups, NULL, arguments, 2, 0), RASK_OK);
    cr_assert_eq(rk_groups_finish(groups, RK_GROUPS_BY_KEY), RASK_OK);
    const rask_column_type type = RASK_COL_I64;
    rk_batch batch;
    char message[100] = "";
    rk_print error = {message, sizeof message, 0};
    cr_assert_eq(rk_batch_init(&batch, &type, 1), RASK_OK);
    cr_assert_eq(rk_groups_next(groups, &batch, &error), RASK_ERANGE);
    cr_assert_str_eq(message, "total is too large for an int64");
    rk_groups_free(groups);
    groups = groups_of(&a, NULL, 0);
    cr_assert_eq(rk_groups_add(groups, NULL, arguments, 3, 0), RASK_OK);
    cr_assert_eq(rk_groups_finish(groups, RK_GROUPS_BY_KEY), RASK_OK);
    cr_assert_eq(rk_groups_next(groups, &batch, NULL), RASK_OK);
    cr_assert_eq(batch.columns[0].i64[0], INT64_MAX);
    rk_groups_free(groups);
    rk_batch_fini(&batch);
    rk_aggregates_fini(&a);
}

/* The parser. */

static void expect_error(const char *text, int status, size_t at, const char *message)
{
    rask_bytes names[] = {{"x", 1}, {"name", 4}, {"unit price", 10}};
    const rask_column_type types[] = {RASK_COL_F64, RASK_COL_TEXT, RASK_COL_I64};
    char said[200] = "";
    rk_print error = {said, sizeof said, 0};
    rk_aggregates a = {0};
    size_t where = SIZE_MAX;
    int got = rk_aggregates_parse((rask_bytes){text, strlen(text)}, names, types, 3, &a, &error, &where);
    cr_assert_eq(got, status, "%s: %s", text, rask_status_name(got));
    cr_assert_eq(where, at, "%s: at %zu: %s", text, where, said);
    cr_assert_str_eq(said, message);
    cr_assert_null(a.items);
}

Test(aggregates, errors_say_what_is_wrong_and_where)
{
    expect_error("", RASK_EFORMAT, 0, "an aggregate such as sum(column) is expected");
    expect_error("sum(x),", RASK_EFORMAT, 7, "an aggregate such as sum(column) is expected");
    expect_error("sum(x) summe(x)", RASK_EFORMAT, 7, "a comma or 'as name' is expected");
    expect_error("summe(x)", RASK_EFORMAT, 0, "no aggregate is called 'summe'");
    expect_error("sum x", RASK_EFORMAT, 4, "( is expected behind sum");
    expect_error(" sum()", RASK_EFORMAT, 5, "sum of what? Its parentheses are empty");
    expect_error("sum((x)", RASK_EFORMAT, 3, "the parenthesis is not closed");
    expect_error("sum(x || ')", RASK_EFORMAT, 9, "' is not closed");
    expect_error("sum(name)", RASK_ETYPE, 0, "sum takes numbers, but 'name' is string");
    expect_error("sum(x), sum(x)", RASK_EEXIST, 8, "two results are called 'sum(x)'");
    expect_error("sum(x) as ", RASK_EFORMAT, 10, "a name is expected behind 'as'");
    expect_error("sum(x) as , min(x)", RASK_EFORMAT, 10, "a name is expected behind 'as'");
    expect_error("sum(x) as \"\"", RASK_EFORMAT, 10, "a name is expected behind 'as'");
    expect_error("quantile(x)", RASK_EFORMAT, 9, "quantile(column, q) needs a number from 0 to 1");
    expect_error("quantile(x, 1.5)", RASK_ERANGE, 12, "a quantile is from 0 to 1, not 1.5");
    expect_error("quantile(x, nan)", RASK_ERANGE, 12, "a quantile is from 0 to 1, not nan");
    expect_error("quantile(x, half)", RASK_EFORMAT, 12, "'half' is no number");
    expect_error("quantile(, 0.5)", RASK_EFORMAT, 9, "quantile of what? Its parentheses are empty");
}

Test(aggregates, arguments_are_columns_or_the_text_of_expressions)
{
    const char *text =
        " sum( unit price ) as total ,mean(x*(1, 2)+ ')' ) as \"a, b\",count(),quantile(x*(1, 2)+ ')',.9)"
        ", count( ) as n, max(unit price)";
    rask_bytes names[] = {{"x", 1}, {"unit price", 10}};
    rask_column_type types[] = {RASK_COL_F64, RASK_COL_I64};
    rk_aggregates a;
    size_t at = 0;
    cr_assert_eq(rk_aggregates_parse((rask_bytes){text, strlen(text)}, names, types, 2, &a, NULL, &at),
                 RASK_OK);
    const char *const expected[] = {"total", "a, b",           "count()", "quantile(x*(1, 2)+ ')',.9)",
                                    "n",     "max(unit price)"};
    cr_assert_eq(a.count, 6);
    for (uint32_t i = 0; i < 6; i++)
        cr_assert(a.items[i].name.len == strlen(expected[i]) &&
                      memcmp(a.items[i].name.data, expected[i], a.items[i].name.len) == 0,
                  "%u: %.*s", i, (int)a.items[i].name.len, a.items[i].name.data);
    cr_assert_eq(a.argument_count, 2);
    cr_assert_eq(a.arguments[0].column, 1);
    cr_assert_eq(a.arguments[1].column, RK_NO_COLUMN);
    cr_assert_eq(a.arguments[1].len, strlen("x*(1, 2)+ ')'"));
    cr_assert_eq(a.items[3].q, 0.9);
    a.arguments[1].type = RASK_COL_F64;
    cr_assert_eq(rk_aggregates_check(&a, NULL, NULL), RASK_OK);
    cr_assert_eq(a.items[0].type, RASK_COL_I64);
    cr_assert_eq(a.items[1].type, RASK_COL_F64);
    a.arguments[1].type = RASK_COL_TEXT;
    cr_assert_eq(rk_aggregates_check(&a, &(rk_print){0}, &at), RASK_ETYPE);
    cr_assert_eq(at, a.items[1].at);
    rk_aggregates_fini(&a);
}

/* Out of memory, everywhere. */

static const char swept_aggregates[] =
    "var(wide), min(text), last(text), count_distinct(text), median(int), sum(int), first(real), max(date)";
static random_table swept;

static int group_and_merge(void)
{
    rask_bytes names[TABLE_COLUMNS];
    rk_aggregates a = {0};
    rk_groups *one = NULL, *two = NULL;
    rask_value packed[2] = {{0}, {0}};
    const uint32_t keys[] = {0, 1};
    const rask_column_type types[] = {RASK_COL_TEXT, RASK_COL_I64};
    for (int i = 0; i < TABLE_COLUMNS; i++)
        names[i] = (rask_bytes){table_names[i], strlen(table_names[i])};
    int status = rk_aggregates_parse((rask_bytes){swept_aggregates, strlen(swept_aggregates)}, names,
                                     table_types, TABLE_COLUMNS, &a, NULL, NULL);
    if (!status)
        status = rk_groups_new(types, 2, &a, 1, &one);
    if (!status)
        status = rk_groups_new(types, 2, &a, 1, &two);
    if (!status)
        status = add_rows(one, &a, &swept, keys, 2, 0, swept.rows);
    if (!status)
        status = rk_groups_split(one, 2, packed);
    for (int i = 0; i < 2; i++) {
        rask_bytes bytes;
        if (!status && !(status = rask_value_get_bytes(&packed[i], &bytes)))
            status = rk_groups_merge(two, bytes);
    }
    if (!status)
        status = rk_groups_finish(two, RK_GROUPS_BY_KEY);
    for (int i = 0; i < 2; i++)
        rask_value_unref(&packed[i]);
    rk_groups_free(one);
    rk_groups_free(two);
    rk_aggregates_fini(&a);
    return status;
}

Test(groups, out_of_memory_is_an_error)
{
    swept = random_table_new(600, 60, 3);
    sweep(group_and_merge, 0);
    random_table_free(&swept);
}
