/* The calls of rask/table.h: what they refuse, what they compute, and what is left when something fails. */
#include "table_support.h"

#include <pthread.h>
#include <sys/resource.h>

TestSuite(table, .init = enter, .fini = leave_folder);

/* -- Builders */

Test(table, a_file_says_names_and_types)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_read_csv(g, path, NULL);
    static const rask_column_type types[] = {RASK_COL_TEXT, RASK_COL_F64, RASK_COL_I64, RASK_COL_DATE};
    static const char *const names[] = {"name", "amount", "qty", "day"};
    cr_assert_eq(rask_table_columns(t), 4);
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert_str_eq(rask_table_name(t, i), names[i]);
        cr_assert_eq(rask_table_type(t, i), types[i]);
    }
    cr_assert_null(rask_table_name(t, 4));
    cr_assert_eq(rask_table_type(t, 4), RASK_COLUMN_TYPES);
    cr_assert_eq(rask_table_graph(t), g);
    rask_graph_free(g);
    cr_assert_str_eq(rask_column_type_name(RASK_COL_TIMESTAMP), "timestamp");
    cr_assert_str_eq(rask_column_type_name(RASK_COLUMN_TYPES), "?");
}

Test(table, builders_change_the_columns)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_read_csv(g, path, NULL);
    rask_table *with = rask_table_with(t, "total", "amount * qty");
    cr_assert_eq(rask_table_columns(with), 5);
    cr_assert_eq(rask_table_type(with, 4), RASK_COL_F64);
    cr_assert_eq(rask_table_columns(rask_table_with(t, "qty", "str(qty)")), 4);
    cr_assert_eq(rask_table_columns(rask_table_drop(with, "name, total")), 3);
    rask_table *chosen = rask_table_select(with, "total as t, name");
    cr_assert_str_eq(rask_table_name(chosen, 0), "t");
    rask_table *groups = rask_table_groupby(t, "name, day", "count(), mean(qty) as m");
    cr_assert_eq(rask_table_columns(groups), 4);
    cr_assert_str_eq(rask_table_name(groups, 2), "count()");
    cr_assert_str_eq(rask_table_name(groups, 3), "m");
    cr_assert_eq(rask_graph_status(g), RASK_OK);
    rask_graph_free(g);
}

/* The first error stays, says where it was made, and all that is built on it is NULL. */
#define EXPECT_REFUSED(build, wanted, text)                                                                  \
    do {                                                                                                     \
        rask_graph *g = rask_graph_new();                                                                    \
        rask_table *t = rask_read_csv(g, path, NULL);                                                        \
        char place[80];                                                                                      \
        snprintf(place, sizeof place, "test_table.c:%d", __LINE__);                                          \
        cr_assert_null(build);                                                                               \
        const char *error = rask_graph_error(g);                                                             \
        cr_assert_eq(rask_graph_status(g), wanted, "%s", error);                                             \
        cr_assert(strstr(error, text), "%s does not say %s", error, text);                                   \
        cr_assert(strstr(error, place), "%s does not say %s", error, place);                                 \
        char first[1000];                                                                                    \
        snprintf(first, sizeof first, "%s", error);                                                          \
        cr_assert_null(rask_table_filter(t, "nonsense"));                                                    \
        cr_assert_str_eq(rask_graph_error(g), first);                                                        \
        rask_rows *rows = (rask_rows *)&rows;                                                                \
        cr_assert_eq(rask_table_compute(t, NULL, &rows), t ? wanted : RASK_EGRAPH);                          \
        cr_assert_eq(rows, (rask_rows *)&rows);                                                              \
        rask_graph_free(g);                                                                                  \
    } while (0)

Test(table, errors_of_builders_are_latched_with_their_place)
{
    EXPECT_REFUSED(rask_table_filter(t, "amout > 1"), RASK_ENOENT, "did you mean \"amount\"?, at byte 1");
    EXPECT_REFUSED(rask_table_filter(t, "amount >"), RASK_EFORMAT, "at byte 9 of \"amount >\"");
    EXPECT_REFUSED(rask_table_filter(t, "amount"), RASK_ETYPE, "float64, not bool");
    EXPECT_REFUSED(rask_table_filter(t, NULL), RASK_EINVAL, "no expression");
    EXPECT_REFUSED(rask_table_with(t, "x", "name + 1"), RASK_ETYPE, "at byte 6");
    EXPECT_REFUSED(rask_table_with(t, "", "1"), RASK_EINVAL, "no name");
    EXPECT_REFUSED(rask_table_select(t, "nam"), RASK_EINVAL, "did you mean \"name\"?");
    EXPECT_REFUSED(rask_table_select(t, "name, day as name"), RASK_EINVAL, "two columns \"name\"");
    EXPECT_REFUSED(rask_table_select(t, NULL), RASK_EINVAL, "no columns");
    EXPECT_REFUSED(rask_table_drop(t, "name, x"), RASK_EINVAL, "no column \"x\"");
    EXPECT_REFUSED(rask_table_sort(t, "amount, x desc"), RASK_EINVAL, "no column \"x\"");
    EXPECT_REFUSED(rask_table_sort(t, "amount:down"), RASK_EINVAL,
                   "\"down\" is neither asc nor desc: write \"amount:desc\" for the largest first");
    EXPECT_REFUSED(rask_table_sort(t, "amount :x desc"), RASK_EINVAL, "no column \"amount :x\"");
    EXPECT_REFUSED(rask_table_sort(t, ""), RASK_EINVAL, "no columns");
    EXPECT_REFUSED(rask_table_groupby(t, "nam", "count()"), RASK_EINVAL, "did you mean \"name\"?");
    EXPECT_REFUSED(rask_table_groupby(t, "", "sum(name)"), RASK_ETYPE, "at byte 1");
    EXPECT_REFUSED(rask_table_groupby(t, "", "sum(qty * naem)"), RASK_ENOENT, "at byte 11");
    EXPECT_REFUSED(rask_table_groupby(t, "", "count(), count()"), RASK_EEXIST, "at byte 10");
    EXPECT_REFUSED(rask_table_groupby(t, "", "quantile(qty, 2)"), RASK_ERANGE, "rask_table_groupby");
    EXPECT_REFUSED(rask_table_groupby(t, "name", NULL), RASK_EINVAL, "no aggregates");
}

Test(table, what_is_null_alone_is_string_as_a_column_without_a_value_is)
{
    static const char *const names[] = {"z", "y", "e", "z"}, *const values[] = {"e", "null", "null", "z"};
    rask_graph *g = rask_graph_new();
    rask_rows *rows;
    write_text(path, "e,n\n,1\n,2\n");
    rask_table *t = rask_read_csv(g, path, NULL);
    for (int i = 0; i < 4; i++)
        t = rask_table_with(t, names[i], values[i]);
    cr_assert_eq(rask_table_columns(t), 4);
    for (uint32_t i = 0; i < 4; i++)
        cr_expect_eq(rask_table_type(t, i), i == 1 ? RASK_COL_I64 : RASK_COL_TEXT, "column %u", i);
    t = rask_table_with(rask_table_filter(t, "is_null(z)"), "x", "z + n");
    cr_expect_eq(rask_table_type(t, 4), RASK_COL_I64);
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_rows_count(rows), 2);
    for (uint32_t i = 0; i < 5; i++)
        cr_expect(i == 1 || !column_of(rows, i).valid[1], "column %u", i);
    rask_rows_free(rows);
    rask_graph_free(g);
}

Test(table, what_is_computed_of_a_column_without_a_value_is_no_name_either)
{
    static const char *const keys[] = {"e+1", "n+1", "e", "1+1"};
    for (int i = 0; i < 4; i++) {
        rask_graph *g = rask_graph_new();
        write_text(path, "e,n\n,1\n,2\n");
        rask_table *t = rask_table_sort(rask_read_csv(g, path, NULL), keys[i]);
        cr_expect_eq(t != NULL, i == 2, "%s", keys[i]);
        cr_expect_eq(strstr(rask_graph_error(g), "what is computed becomes a column first") != NULL, i < 2,
                     "%s: %s", keys[i], rask_graph_error(g));
        rask_graph_free(g);
    }
}

Test(table, errors_of_shorthands_are_latched_with_their_place)
{
    const double good[] = {0.5}, bad[] = {0.5, 1.5}, none[] = {__builtin_nan("")};
    EXPECT_REFUSED(rask_table_rename(t, "nam as n"), RASK_EINVAL, "did you mean \"name\"?");
    EXPECT_REFUSED(rask_table_rename(t, "name"), RASK_EINVAL, "gets no name");
    EXPECT_REFUSED(rask_table_rename(t, "name as day"), RASK_EINVAL, "two columns \"day\"");
    EXPECT_REFUSED(rask_table_rename(t, NULL), RASK_EINVAL, "no names");
    EXPECT_REFUSED(rask_table_drop_nulls(t, "x"), RASK_EINVAL, "no column \"x\"");
    EXPECT_REFUSED(rask_table_fill_nulls(t, "qty", "'x'"), RASK_ETYPE, "\"qty\" is int64");
    EXPECT_REFUSED(rask_table_fill_nulls(t, "qty", "1 +"), RASK_EFORMAT, "at byte 4");
    EXPECT_REFUSED(rask_table_fill_nulls(t, "x", "1"), RASK_EINVAL, "no column \"x\"");
    EXPECT_REFUSED(rask_table_fill_nulls(t, "day", "'2024'"), RASK_EFORMAT, "rask_table_fill_nulls");
    EXPECT_REFUSED(rask_table_fill_nulls(t, NULL, NULL), RASK_EINVAL, "no value");
    EXPECT_REFUSED(rask_table_value_counts(t, "x"), RASK_EINVAL, "rask_table_value_counts: no column \"x\"");
    EXPECT_REFUSED(rask_table_value_counts(t, " "), RASK_EINVAL, "no columns");
    EXPECT_REFUSED(rask_table_quantiles(t, "name", good, 1), RASK_ETYPE, "name");
    EXPECT_REFUSED(rask_table_quantiles(t, "qty, qty", good, 1), RASK_EINVAL, "two columns qty");
    EXPECT_REFUSED(rask_table_quantiles(t, "x", good, 1), RASK_EINVAL, "no column \"x\"");
    EXPECT_REFUSED(rask_table_quantiles(t, "qty", bad, 2), RASK_ERANGE, "from 0 to 1");
    EXPECT_REFUSED(rask_table_quantiles(t, "qty", none, 1), RASK_ERANGE, "from 0 to 1");
    EXPECT_REFUSED(rask_table_quantiles(t, "qty", NULL, 0), RASK_EINVAL, "quantiles expected");
    EXPECT_REFUSED(rask_table_quantiles(rask_table_select(t, "name"), NULL, good, 1), RASK_EINVAL,
                   "no column of numbers");
    EXPECT_REFUSED(rask_table_quantiles(rask_table_rename(t, "qty as quantile"), NULL, good, 1), RASK_EEXIST,
                   "quantile");
    EXPECT_REFUSED(rask_table_drop(t, "name, amount, qty, day"), RASK_EINVAL, "no column would be left");
}

Test(table, errors_of_reading_are_latched_with_their_place)
{
    rask_csv_options unset = RASK_CSV_OPTIONS_INIT, types = unset, clash = unset;
    unset.size = 0;
    types.types = "amount:number";
    clash.quote = clash.delimiter = ',';
    EXPECT_REFUSED(rask_read_csv(g, "none.csv", NULL), RASK_ENOENT, "none.csv");
    EXPECT_REFUSED(rask_read_csv(g, path, &unset), RASK_EINVAL, "size is not set");
    EXPECT_REFUSED(rask_read_csv(g, path, &types), RASK_EINVAL, "no type \"number\"");
    EXPECT_REFUSED(rask_read_csv(g, path, &clash), RASK_EINVAL, "delimiter");
    EXPECT_REFUSED(rask_read_csv_files(g, NULL, 0, NULL), RASK_EINVAL, "rask_read_csv");
    EXPECT_REFUSED((write_text(path, "a,b\n1,2,3\n"), rask_read_csv(g, path, NULL)), RASK_EFORMAT,
                   "in.csv:2: record has 3");
    EXPECT_REFUSED((write_text(path, "a,b\n1,\"2\n"), rask_read_csv(g, path, NULL)), RASK_EFORMAT,
                   "in.csv:2: ");
}

Test(table, no_table_gives_no_table)
{
    rask_rows *rows = NULL;
    cr_assert_null(rask_read_csv(NULL, path, NULL));
    cr_assert_null(rask_table_select(NULL, "a"));
    cr_assert_null(rask_table_drop(NULL, "a"));
    cr_assert_null(rask_table_with(NULL, "a", "1"));
    cr_assert_null(rask_table_filter(NULL, "true"));
    cr_assert_null(rask_table_groupby(NULL, "", "count()"));
    cr_assert_null(rask_table_sort(NULL, "a"));
    cr_assert_null(rask_table_limit(NULL, 1));
    cr_assert_null(rask_table_rename(NULL, "a as b"));
    cr_assert_null(rask_table_drop_nulls(NULL, NULL));
    cr_assert_null(rask_table_fill_nulls(NULL, NULL, "1"));
    cr_assert_null(rask_table_value_counts(NULL, "a"));
    cr_assert_null(rask_table_describe(NULL));
    cr_assert_null(rask_table_quantiles(NULL, NULL, &(double){0.5}, 1));
    cr_assert_null(rask_table_node(NULL, NULL));
    cr_assert_eq(rask_table_explain(NULL, NULL, NULL, 0), 0);
    cr_assert_null(rask_table_graph(NULL));
    cr_assert_eq(rask_table_columns(NULL), 0);
    cr_assert_eq(rask_table_compute(NULL, NULL, &rows), RASK_EGRAPH);
    cr_assert_eq(rask_table_write(NULL, other, RASK_TABLE_CSV, NULL), RASK_EGRAPH);
}

Test(table, a_tower_of_operations_has_a_height)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_read_csv(g, path, NULL);
    rask_rows *rows = NULL;
    for (int i = 0; i < 900; i++)
        t = rask_table_filter(t, "amount > 0");
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(rask_rows_count(rows), 3);
    rask_rows_free(rows);
    for (int i = 0; i < 200; i++)
        t = rask_table_limit(t, 2);
    cr_assert_null(t);
    cr_assert_eq(rask_graph_status(g), RASK_ELIMIT);
    rask_graph_free(g);
}

/* -- Rows */

static void expect_note(const rask_table *t, const char *column, const char *note)
{
    char text[512] = "";
    cr_assert_not_null(t);
    size_t len = rask_table_column_note(t, column, text, sizeof text);
    cr_assert(len == strlen(text) && (note ? strstr(text, note) != NULL : !len), "%s: \"%s\"", column, text);
}

Test(table, a_note_is_of_the_column_that_it_is_asked_for)
{
    static const char rows[] = "id,cost\n1,x\n2,5\n3,6\n4,7\n";
    static const char why[] =
        ":2: column \"cost\" is string for \"x\", the others are int64: RASK_MISFIT_NULL";
    rask_csv_options given = RASK_CSV_OPTIONS_INIT;
    rask_graph *g = rask_graph_new();
    write_text(path, rows);
    rask_table *t = rask_read_csv(g, path, NULL);
    given.types = "cost:string";
    expect_note(t, "cost", why);
    expect_note(t, "id", NULL);
    expect_note(t, "none", NULL);
    expect_note(rask_read_csv(g, path, &given), "cost", NULL);
    expect_note(rask_table_rename(t, "id as cost, cost as id"), "id", why);
    expect_note(rask_table_rename(t, "id as cost, cost as id"), "cost", NULL);
    expect_note(rask_table_with(t, "cost", "upper(cost)"), "cost", NULL);
    expect_note(rask_table_with(t, "more", "upper(cost)"), "cost", why);
    expect_note(rask_table_groupby(t, "id", "min(cost) as cost"), "cost", NULL);
    expect_note(rask_table_groupby(t, "cost", "count() as id"), "cost", why);
    rask_table *priced = rask_table_rename(t, "cost as price");
    rask_table *joined = rask_table_join(rask_table_select(t, "id"), priced, "id", RASK_JOIN_LEFT);
    expect_note(joined, "price", why);
    expect_note(joined, "cost", NULL);
    expect_note(rask_table_limit(rask_table_sort(rask_table_concat(((rask_table *[]){t, t}), 2), "id"), 1),
                "cost", why);
    rask_graph_free(g);
}

static void *ask_for_note(void *t)
{
    expect_note(t, "cost", "column \"cost\" is string for \"x\"");
    return NULL;
}

Test(table, several_threads_ask_for_notes_at_once)
{
    pthread_t threads[4];
    rask_graph *g = rask_graph_new();
    write_text(path, "id,cost\n1,x\n2,5\n3,6\n4,7\n");
    rask_table *t = rask_read_csv(g, path, NULL);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, ask_for_note, t), 0);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    rask_graph_free(g);
}

static void expect_message(rask_table *t, rask_graph *g, bool noted, const char *part)
{
    const char *message = rask_graph_error(g);
    cr_assert_null(t);
    cr_assert(strstr(message, part) && (strstr(message, "is string for") != NULL) == noted, "%s", message);
    rask_graph_free(g);
}

Test(table, a_refused_expression_is_explained_by_the_columns_that_it_speaks_of)
{
    static const struct {
        const char *condition;
        bool noted;
    } cases[] = {{"cost > 5", true},         {"`cost` > 5", true},
                 {"costs > 5", false},       {"costs > length('cost')", false},
                 {"cost(costs) > 5", false}, {"costs > 5 # cost", false}};
    write_text(path, "id,cost,costs\n1,x,a\n2,5,b\n3,6,c\n4,7,d\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rask_graph *g = rask_graph_new();
        rask_table *t = rask_table_filter(rask_read_csv(g, path, NULL), cases[i].condition);
        expect_message(t, g, cases[i].noted, cases[i].condition);
    }
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_groupby(rask_read_csv(g, path, NULL), "id", "sum(costs) as cost");
    expect_message(t, g, false, "sum takes numbers");
}

Test(table, a_column_that_is_not_there_is_the_nearest_one_or_a_computed_one)
{
    static const char *const cases[][2] = {
        {"cost(us)", "did you mean \"cost(usd)\"?"},
        {"id * number", "becomes a column first, with a name of its own: rask_table_with()"},
        {"month(birthday)", "; there are: id"},
        {"7/2", "; there are: id"}};
    write_text(path, "id,cost(usd),number\n1,2,3\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rask_graph *g = rask_graph_new();
        rask_table *t = rask_table_sort(rask_read_csv(g, path, NULL), cases[i][0]);
        expect_message(t, g, false, cases[i][1]);
    }
}

Test(table, rows_have_columns_with_nulls)
{
    rask_graph *g = rask_graph_new();
    rask_rows *rows = NULL;
    rask_column none = {.name = "untouched"};
    rask_table *t = rask_table_with(read_blocks(g, 5), "large", "amount > 5");
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
    rask_graph_free(g);
    cr_assert_eq(rask_rows_count(rows), 4);
    cr_assert_eq(rask_rows_columns(rows), 5);
    rask_column name = column_of(rows, 0), amount = column_of(rows, 1), qty = column_of(rows, 2),
                day = column_of(rows, 3), large = column_of(rows, 4);
    cr_assert_str_eq(name.name, "name");
    cr_assert(name.type == RASK_COL_TEXT && amount.type == RASK_COL_F64 && qty.type == RASK_COL_I64 &&
              day.type == RASK_COL_DATE && large.type == RASK_COL_BOOL);
    expect_text(&name, 2, "ann");
    expect_text(&name, 3, "");
    cr_assert(!name.valid || name.valid[3]);
    cr_assert_eq(amount.as.f64[2], 7.25);
    cr_assert(qty.valid && qty.valid[0] && !qty.valid[1]);
    cr_assert_eq(qty.as.i64[2], 4);
    cr_assert_eq(day.as.i64[0], 19753);
    cr_assert(!day.valid[2]);
    cr_assert(large.as.boolean[0] == 1 && large.as.boolean[1] == 0);
    cr_assert_eq(rask_rows_column(rows, 5, &none), RASK_EINVAL);
    cr_assert_str_eq(none.name, "untouched");
    rask_rows_free(rows);
    rask_rows_free(NULL);
    cr_assert_eq(rask_rows_count(NULL), 0);
    cr_assert_eq(rask_rows_columns(NULL), 0);
    cr_assert_eq(rask_rows_column(NULL, 0, &none), RASK_EINVAL);
}

Test(table, no_rows_have_columns_too)
{
    static const char *const lists[] = {"name", "amount", "qty", "day"};
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_filter(read_blocks(g, 9), "amount > 100");
    for (int i = 0; i < 12; i++) {
        const char *list = lists[i % 4];
        rask_table *asked = i < 4   ? rask_table_sort(t, list)
                            : i < 8 ? rask_table_groupby(t, list, "count()")
                                    : rask_table_limit(t, 2);
        rask_rows *rows = NULL;
        cr_assert_eq(rask_table_compute(asked, NULL, &rows), RASK_OK, "%s", rask_graph_error(g));
        cr_assert_eq(rask_rows_count(rows), 0);
        cr_assert_eq(rask_rows_columns(rows), rask_table_columns(asked));
        column_of(rows, 0);
        rask_rows_free(rows);
    }
    rask_graph_free(g);
}

Test(table, a_table_is_computed_again_and_again)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_groupby(read_blocks(g, 7), "", "sum(amount) as s");
    static const char *const schedulers[] = {"threads", "serial", "processes"};
    for (int i = 0; i < 6; i++) {
        rask_options options = RASK_OPTIONS_INIT;
        options.workers = (uint32_t)i + 1;
        options.scheduler = schedulers[i % 3];
        rask_rows *rows = NULL;
        cr_assert_eq(rask_table_compute(t, &options, &rows), RASK_OK, "%s", rask_graph_error(g));
        cr_assert_eq(column_of(rows, 0).as.f64[0], 19.75);
        rask_rows_free(rows);
    }
    rask_graph_free(g);
}

Test(table, a_failure_does_not_spoil_the_next_run)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_read_csv(g, path, NULL);
    rask_options options = RASK_OPTIONS_INIT;
    rask_rows *rows = NULL;
    options.memory = 1;
    cr_assert_eq(rask_table_compute(t, &options, &rows), RASK_EBUDGET);
    cr_assert(strstr(rask_graph_error(g), "budget"), "%s", rask_graph_error(g));
    cr_assert_null(rows);
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_OK);
    cr_assert_eq(rask_graph_status(g), RASK_OK);
    cr_assert_eq(rask_rows_count(rows), 4);
    rask_rows_free(rows);
    rask_graph_free(g);
}

Test(table, two_tables_of_a_graph_share_a_file)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = read_blocks(g, 11);
    rask_table *cheap = rask_table_filter(t, "amount < 5"), *dear = rask_table_filter(t, "amount >= 5");
    rask_rows *few = NULL, *rest = NULL;
    cr_assert_eq(rask_table_compute(dear, NULL, &rest), RASK_OK);
    cr_assert_eq(rask_table_compute(cheap, NULL, &few), RASK_OK);
    cr_assert_eq(rask_rows_count(few) + rask_rows_count(rest), 4);
    cr_assert_eq(column_of(few, 1).as.f64[1], -1.0);
    rask_rows_free(few);
    rask_rows_free(rest);
    rask_graph_free(g);
}

Test(table, a_value_that_does_not_fit_is_told_with_its_line)
{
    rask_csv_options csv = RASK_CSV_OPTIONS_INIT;
    csv.types = "amount:int64";
    for (csv.block_bytes = 1; csv.block_bytes < 40; csv.block_bytes += 13) {
        rask_graph *g = rask_graph_new();
        rask_rows *rows = NULL;
        cr_assert_eq(rask_table_compute(rask_read_csv(g, path, &csv), NULL, &rows), RASK_EFORMAT);
        cr_assert(strstr(rask_graph_error(g), "in.csv:2: column 2 (amount): \"10.5\" is no int64"), "%s",
                  rask_graph_error(g));
        csv.misfit = RASK_MISFIT_NULL;
        rask_table *sum = rask_table_groupby(rask_read_csv(g, path, &csv), "", "sum(amount) as s");
        cr_assert_eq(rask_table_compute(sum, NULL, &rows), RASK_OK);
        cr_assert_eq(column_of(rows, 0).as.i64[0], 2);
        rask_rows_free(rows);
        rask_graph_free(g);
        csv.misfit = RASK_MISFIT_FAIL;
    }
}

/* What stands behind a limit that is reached is nobody's business, whatever tasks found there. */
Test(table, a_limit_ends_before_text_that_is_wrong)
{
    enum { LINES = 4000, LINE = 120 };
    char *text = malloc(LINES * LINE);
    size_t len = (size_t)snprintf(text, LINE, "a,b\n");
    for (int i = 0; i + 2 < LINES; i++)
        len += (size_t)snprintf(text + len, LINE, "%d,%080d\n", i, i);
    snprintf(text + len, LINE, "1,2,3\n4,\"\n");
    write_text(path, text);
    free(text);
    rask_graph *g = rask_graph_new();
    rask_table *t = read_blocks(g, 5000);
    rask_rows *rows = NULL;
    cr_assert_eq(rask_table_compute(rask_table_limit(t, 10), NULL, &rows), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_assert_eq(rask_rows_count(rows), 10);
    rask_rows_free(rows);
    cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_EFORMAT);
    cr_assert(strstr(rask_graph_error(g), "in.csv:4000: record has 3 fields, 2 expected"), "%s",
              rask_graph_error(g));
    rask_graph_free(g);
}

/* Two files whose columns are a, b, c. */

/* Small files are read by one task as far as rows are wanted, and parts behind one that has enough of them are not read. */
Test(table, files_behind_a_limit_that_is_reached_are_not_opened)
{
    for (uint64_t block = 0; block < 25; block += 24) {
        rask_csv_options csv = RASK_CSV_OPTIONS_INIT;
        rask_options run = RASK_OPTIONS_INIT;
        rask_graph *g = rask_graph_new();
        rask_rows *rows = NULL;
        csv.block_bytes = block;
        run.scheduler = "serial";
        rask_table *t = read_both(g, "a,b,c\n1,2,3\n4,5,6\n7,8,9\n", "a,b,c\n1,2,3\n", &csv);
        unlink(other);
        cr_expect_eq(rask_table_compute(rask_table_limit(t, 2), &run, &rows), RASK_OK, "%s",
                     rask_graph_error(g));
        cr_expect_eq(rask_rows_count(rows), 2);
        rask_rows_free(rows);
        cr_expect_eq(rask_table_compute(rask_table_limit(t, 4), &run, &rows), RASK_ENOENT);
        rask_graph_free(g);
    }
}

/* -- Writing */

Test(table, a_file_is_written_in_the_format_of_its_ending)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_select(rask_table_limit(read_blocks(g, 3), 2), "qty, name");
    cr_assert_eq(rask_table_write(t, other, RASK_TABLE_BY_ENDING, NULL), RASK_OK, "%s", rask_graph_error(g));
    expect_file(other, "qty,name\n2,ann\n,bob\n");
    cr_assert_eq(rask_table_write(t, other, RASK_TABLE_JSON, NULL), RASK_OK);
    expect_file(other, "{\"qty\":2,\"name\":\"ann\"}\n{\"qty\":null,\"name\":\"bob\"}\n");
    cr_assert_eq(rask_table_write(t, path, RASK_TABLE_CSV, NULL), RASK_OK,
                 "a file is replaced while it is read");
    expect_file(path, "qty,name\n2,ann\n,bob\n");
    rask_graph_free(g);
}

Test(table, a_write_that_fails_leaves_what_there_was)
{
    rask_csv_options csv = RASK_CSV_OPTIONS_INIT;
    rask_graph *g = rask_graph_new();
    csv.types = "amount:int64";
    csv.block_bytes = 4;
    rask_table *t = rask_read_csv(g, path, &csv);
    cr_assert_eq(rask_table_write(t, other, RASK_TABLE_CSV, NULL), RASK_EFORMAT);
    cr_assert_eq(files(), 1);
    write_text(other, "kept\n");
    cr_assert_eq(rask_table_write(t, other, RASK_TABLE_CSV, NULL), RASK_EFORMAT);
    expect_file(other, "kept\n");
    cr_assert_eq(files(), 2);
    cr_assert_eq(rask_table_write(t, "/nowhere/x.csv", RASK_TABLE_CSV, NULL), RASK_ENOENT);
    cr_assert(strstr(rask_graph_error(g), "/nowhere/x.csv: "), "%s", rask_graph_error(g));
    cr_assert_eq(rask_table_write(t, folder, RASK_TABLE_CSV, NULL), RASK_EIO);
    cr_assert_eq(rask_table_write(t, NULL, RASK_TABLE_CSV, NULL), RASK_EINVAL);
    rask_graph_free(g);
}

static void write_many(int lines)
{
    FILE *out = fopen(path, "w");
    cr_assert(out && fputs("a,b\n", out) >= 0);
    for (int i = 0; i < lines; i++)
        fprintf(out, "%d,%d\n", i, i % 7);
    cr_assert_eq(fclose(out), 0);
}

/* Rows that the first call wrote would be written twice. The second file is read as a whole, and rows of it go out before its end. */
Test(table, what_fails_while_it_writes_is_not_called_again)
{
    struct rlimit most;
    write_many(200000);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &most), 0);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 16, most.rlim_max}), 0);
    for (uint64_t bytes = 0; bytes <= 1 << 16; bytes += 1 << 16) {
        rask_graph *g = rask_graph_new();
        rask_options options = RASK_OPTIONS_INIT;
        rask_report report;
        options.retries = 3;
        options.report = &report;
        cr_expect_neq(rask_table_write(read_blocks(g, bytes), other, RASK_TABLE_CSV, &options), RASK_OK);
        cr_expect(strstr(rask_graph_error(g), "too large"), "%s", rask_graph_error(g));
        cr_expect_eq(report.retries, 0);
        cr_expect_eq(files(), 1);
        rask_graph_free(g);
    }
}

/* -- Runs that end early */

Test(table, a_cancelled_run_gives_nothing)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_sort(read_blocks(g, 1), "amount");
    rask_options options = RASK_OPTIONS_INIT;
    rask_rows *rows = NULL;
    options.cancel = rask_cancel_token_new();
    rask_cancel(options.cancel);
    cr_assert_eq(rask_table_compute(t, &options, &rows), RASK_ECANCELLED);
    cr_assert_null(rows);
    cr_assert_eq(rask_table_write(t, other, RASK_TABLE_CSV, &options), RASK_ECANCELLED);
    cr_assert_eq(files(), 1);
    rask_cancel_token_free(options.cancel);
    rask_graph_free(g);
}

/* Cancelled when the first task is done. */
static void cancel_then(void *context, const rask_task_info *task)
{
    (void)task;
    rask_cancel(context);
}

Test(table, a_run_is_cancelled_in_its_middle)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_table_groupby(read_blocks(g, 1), "name", "median(amount)");
    rask_options options = RASK_OPTIONS_INIT;
    rask_rows *rows = NULL;
    options.cancel = rask_cancel_token_new();
    rask_observer observer = {
        .size = sizeof observer, .context = options.cancel, .task_finished = cancel_then};
    options.observers = (const rask_observer *const[]){&observer};
    options.observer_count = 1;
    cr_assert_eq(rask_table_compute(t, &options, &rows), RASK_ECANCELLED);
    cr_assert_null(rows);
    rask_cancel_token_free(options.cancel);
    rask_graph_free(g);
}

Test(table, a_file_that_shrinks_is_an_error)
{
    for (uint64_t bytes = 0; bytes <= 10000; bytes += 10000) {
        write_many(50000);
        rask_graph *g = rask_graph_new();
        rask_table *t = rask_table_groupby(read_blocks(g, bytes), "b", "sum(a)");
        rask_rows *rows = NULL;
        cr_assert_eq(truncate(path, 100003 - (off_t)bytes), 0);
        cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_EIO, "%s", rask_graph_error(g));
        cr_assert(strstr(rask_graph_error(g), "in.csv"), "%s", rask_graph_error(g));
        cr_assert_eq(unlink(path), 0);
        cr_assert_eq(rask_table_compute(t, NULL, &rows), RASK_ENOENT, "%s", rask_graph_error(g));
        cr_assert_null(rows);
        rask_graph_free(g);
    }
}
