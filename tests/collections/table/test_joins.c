/* Joins, tables one after the other and distinct rows: what is refused, what comes, and what is left when memory ends. */
#include "../../failing_allocator.h"

#include <stdio.h>
#include <string.h>

static char folder[] = "/tmp/rask-joins-XXXXXX";
static char people[sizeof folder + 40], cities[sizeof folder + 40], out[sizeof folder + 40];

static void write_text(const char *file, const char *text)
{
    FILE *stream = fopen(file, "w");
    cr_assert(stream && fputs(text, stream) >= 0 && fclose(stream) == 0);
}

static void enter(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(people, sizeof people, "%s/people.csv", folder);
    snprintf(cities, sizeof cities, "%s/cities.csv", folder);
    snprintf(out, sizeof out, "%s/out.csv", folder);
    write_text(people, "name,city,size\nann,1,3\nbob,2,\ncat,,5\ndan,1,3\neve,9,1\n");
    write_text(cities, "id,name,country\n2,Bergen,no\n1,Oslo,no\n1,Kristiania,no\n5,Turku,fi\n,Atlantis,\n");
}

static void leave(void)
{
    unlink(people);
    unlink(cities);
    unlink(out);
    cr_expect_eq(rmdir(folder), 0, "something is left in %s", folder);
}

TestSuite(joins, .init = enter, .fini = leave);

static rask_table *read_blocks(rask_graph *g, const char *path, uint64_t bytes)
{
    rask_csv_options csv = RASK_CSV_OPTIONS_INIT;
    csv.block_bytes = bytes;
    return rask_read_csv(g, path, &csv);
}

static void expect_file(const char *text)
{
    char data[4096];
    FILE *in = fopen(out, "r");
    cr_assert(in, "%s is not there", out);
    data[fread(data, 1, sizeof data - 1, in)] = 0;
    fclose(in);
    cr_assert_str_eq(data, text);
}

static void expect_rows(rask_table *t, const char *text)
{
    rask_graph *g = rask_table_graph(t);
    cr_assert_not_null(t);
    cr_assert_eq(rask_table_write(t, out, RASK_TABLE_CSV, NULL), RASK_OK, "%s", rask_graph_error(g));
    expect_file(text);
}

/* -- Builders */

#define EXPECT_REFUSED(build, wanted, text)                                                                  \
    do {                                                                                                     \
        rask_graph *g = rask_graph_new();                                                                    \
        rask_table *t = rask_read_csv(g, people, NULL), *u = rask_read_csv(g, cities, NULL);                 \
        char place[80];                                                                                      \
        snprintf(place, sizeof place, "test_joins.c:%d", __LINE__);                                          \
        cr_assert(t &&u);                                                                                    \
        cr_assert_null(build);                                                                               \
        const char *error = rask_graph_error(g);                                                             \
        cr_assert_eq(rask_graph_status(g), wanted, "%s", error);                                             \
        cr_assert(strstr(error, text), "%s does not say %s", error, text);                                   \
        cr_assert(strstr(error, place), "%s does not say %s", error, place);                                 \
        cr_assert_null(rask_table_join(t, u, "city = id", RASK_JOIN_INNER));                                 \
        rask_graph_free(g);                                                                                  \
    } while (0)

Test(joins, errors_are_latched_with_their_place)
{
    rask_join_options unset = RASK_JOIN_OPTIONS_INIT, method = unset, suffix = unset;
    unset.size = 0;
    method.method = (rask_join_method)7;
    suffix.suffix = "";
    EXPECT_REFUSED(rask_table_join(t, u, "citi = id", RASK_JOIN_LEFT), RASK_EINVAL,
                   "left table: no column \"citi\": did you mean \"city\"?");
    EXPECT_REFUSED(rask_table_join(t, u, "city", RASK_JOIN_LEFT), RASK_EINVAL,
                   "right table: no column \"city\"");
    EXPECT_REFUSED(rask_table_join(t, u, "city = name", RASK_JOIN_LEFT), RASK_ETYPE,
                   "\"city\" of the left table is int64, and \"name\" of the right one string");
    EXPECT_REFUSED(rask_table_join(t, u, "", RASK_JOIN_LEFT), RASK_EINVAL, "no keys");
    EXPECT_REFUSED(rask_table_join(t, u, NULL, RASK_JOIN_LEFT), RASK_EINVAL, "no keys");
    EXPECT_REFUSED(rask_table_join(t, u, "city = id", (rask_join_how)17), RASK_EINVAL,
                   "17 is no way to join");
    EXPECT_REFUSED(rask_table_join_with(t, u, "city = id", RASK_JOIN_LEFT, &unset), RASK_EINVAL,
                   "options.size");
    EXPECT_REFUSED(rask_table_join_with(t, u, "city = id", RASK_JOIN_LEFT, &method), RASK_EINVAL, "method");
    EXPECT_REFUSED(rask_table_join_with(t, u, "city = id", RASK_JOIN_RIGHT, &suffix), RASK_EEXIST,
                   "two columns \"name\"");
    EXPECT_REFUSED(rask_table_distinct(t, "nam"), RASK_EINVAL, "did you mean \"name\"?");
    EXPECT_REFUSED(rask_table_concat(((rask_table *[]){t, u}), 2), RASK_EINVAL,
                   "table 2 has a column \"id\", the first has not");
    EXPECT_REFUSED(rask_table_concat(((rask_table *[]){t, rask_table_drop(t, "size")}), 2), RASK_EINVAL,
                   "table 2 has no column \"size\", the first has");
    EXPECT_REFUSED(rask_table_concat(((rask_table *[]){t, t, rask_table_with(t, "size", "name")}), 3),
                   RASK_ETYPE, "\"size\" is string in table 3, and int64 before");
}

Test(joins, tables_of_two_graphs_do_not_meet)
{
    rask_graph *g = rask_graph_new(), *h = rask_graph_new();
    rask_table *t = rask_read_csv(g, people, NULL), *u = rask_read_csv(h, people, NULL);
    cr_assert_null(rask_table_join(t, u, "name", RASK_JOIN_INNER));
    cr_assert_eq(rask_graph_status(g), RASK_EINVAL);
    rask_graph_free(g);
    rask_table *both[] = {u, NULL};
    g = rask_graph_new();
    both[1] = rask_read_csv(g, people, NULL);
    cr_assert_null(rask_table_concat(both, 2));
    cr_assert_eq(rask_graph_status(h), RASK_EINVAL);
    rask_graph_free(h);
    rask_graph_free(g);
}

Test(joins, no_table_gives_no_table)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_read_csv(g, people, NULL), *some[] = {t, NULL};
    cr_assert_null(rask_table_join(NULL, t, "name", RASK_JOIN_INNER));
    cr_assert_null(rask_table_join(t, NULL, "name", RASK_JOIN_INNER));
    cr_assert_null(rask_table_distinct(NULL, ""));
    cr_assert_null(rask_table_concat(NULL, 2));
    cr_assert_null(rask_table_concat(some, 2));
    cr_assert_null(rask_table_concat(some, 0));
    cr_assert_eq(rask_graph_status(g), RASK_OK);
    rask_graph_free(g);
}

Test(joins, tables_that_double_have_an_end)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_read_csv(g, people, NULL), *u = t;
    for (int i = 0; i < 40; i++)
        t = rask_table_join(t, t, "name", RASK_JOIN_SEMI);
    cr_assert_null(t);
    cr_assert_eq(rask_graph_status(g), RASK_ELIMIT, "%s", rask_graph_error(g));
    rask_graph_free(g);
    g = rask_graph_new();
    t = u = rask_read_csv(g, people, NULL);
    for (int i = 0; i < 150; i++)
        t = rask_table_join(t, u, "name", RASK_JOIN_SEMI);
    cr_assert_null(t);
    cr_assert_eq(rask_graph_status(g), RASK_ELIMIT, "%s", rask_graph_error(g));
    rask_graph_free(g);
}

/* -- Rows */

static rask_table *join(rask_graph *g, uint64_t block, rask_join_how how, rask_join_method method)
{
    rask_join_options options = RASK_JOIN_OPTIONS_INIT;
    options.method = method;
    return rask_table_join_with(read_blocks(g, people, block), read_blocks(g, cities, block), "city = id",
                                how, &options);
}

Test(joins, each_way_has_its_rows_in_order)
{
    static const char *const results[] = {
        [RASK_JOIN_INNER] = "name,city,size,name_right,country\nann,1,3,Oslo,no\nann,1,3,Kristiania,no\n"
                            "bob,2,,Bergen,no\ndan,1,3,Oslo,no\ndan,1,3,Kristiania,no\n",
        [RASK_JOIN_LEFT] = "name,city,size,name_right,country\nann,1,3,Oslo,no\nann,1,3,Kristiania,no\n"
                           "bob,2,,Bergen,no\ncat,,5,,\ndan,1,3,Oslo,no\ndan,1,3,Kristiania,no\neve,9,1,,\n",
        [RASK_JOIN_RIGHT] = "name,city,size,name_right,country\nbob,2,,Bergen,no\nann,1,3,Oslo,no\n"
                            "dan,1,3,Oslo,no\nann,1,3,Kristiania,no\ndan,1,3,Kristiania,no\n,5,,Turku,fi\n"
                            ",,,Atlantis,\n",
        [RASK_JOIN_OUTER] = "name,city,size,name_right,country\nann,1,3,Oslo,no\nann,1,3,Kristiania,no\n"
                            "bob,2,,Bergen,no\ncat,,5,,\ndan,1,3,Oslo,no\ndan,1,3,Kristiania,no\neve,9,1,,\n"
                            ",5,,Turku,fi\n,,,Atlantis,\n",
        [RASK_JOIN_SEMI] = "name,city,size\nann,1,3\nbob,2,\ndan,1,3\n",
        [RASK_JOIN_ANTI] = "name,city,size\ncat,,5\neve,9,1\n",
    };
    for (int how = RASK_JOIN_INNER; how <= RASK_JOIN_ANTI; how++)
        for (int method = RASK_JOIN_AUTO; method <= RASK_JOIN_PARTITIONED; method++)
            for (uint64_t block = 1; block < 100; block *= 8) {
                rask_graph *g = rask_graph_new();
                expect_rows(join(g, block, (rask_join_how)how, (rask_join_method)method), results[how]);
                rask_graph_free(g);
            }
}

/* More pairs than a batch has, so that rows come in several. */
Test(joins, rows_with_many_partners_come_one_after_the_other)
{
    FILE *stream = fopen(people, "w");
    cr_assert(stream && fputs("k,a\n", stream) >= 0);
    for (int i = 0; i < 300; i++)
        fprintf(stream, "%d,%d\n", i % 2, i);
    cr_assert_eq(fclose(stream), 0);
    for (int method = RASK_JOIN_BROADCAST; method <= RASK_JOIN_PARTITIONED; method++) {
        rask_graph *g = rask_graph_new();
        rask_join_options options = RASK_JOIN_OPTIONS_INIT;
        options.method = (rask_join_method)method;
        options.suffix = "_2";
        rask_table *t = read_blocks(g, people, 500);
        rask_table *twice =
            rask_table_join_with(rask_table_filter(t, "a % 3 == 0"), t, "k", RASK_JOIN_LEFT, &options);
        expect_rows(rask_table_groupby(twice, "", "count() as n, sum(a) as s, sum(a_2) as t, last(a_2) as l"),
                    "n,s,t,l\n15000,2227500,2242500,299\n");
        expect_rows(rask_table_limit(rask_table_filter(twice, "a == 3 and a_2 > 295"), 9),
                    "k,a,a_2\n1,3,297\n1,3,299\n");
        rask_table *thrice = rask_table_join_with(rask_table_select(twice, "k, a, a_2 as b"), t, "b = a, k",
                                                  RASK_JOIN_INNER, &options);
        expect_rows(rask_table_groupby(thrice, "", "count() as n, max(b) as m"), "n,m\n15000,299\n");
        rask_graph_free(g);
    }
}

Test(joins, numbers_meet_as_numbers)
{
    write_text(people, "k,a\n1,x\n9007199254740993,y\n-9223372036854775808,z\n0,w\n");
    write_text(cities, "k,b\n1.0,p\n9007199254740992.0,q\n-9223372036854775808.0,r\n-0.0,s\nnan,t\n");
    rask_graph *g = rask_graph_new();
    rask_table *t = rask_read_csv(g, people, NULL), *u = rask_read_csv(g, cities, NULL);
    cr_assert_eq(rask_table_type(u, 0), RASK_COL_F64);
    expect_rows(rask_table_join(t, u, "k", RASK_JOIN_INNER),
                "k,a,b\n1,x,p\n-9223372036854775808,z,r\n0,w,s\n");
    expect_rows(rask_table_join(u, t, "k", RASK_JOIN_ANTI), "k,b\n9007199254740992.0,q\n,t\n");
    rask_graph_free(g);
}

Test(joins, operations_go_on_above_joins)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = join(g, 7, RASK_JOIN_OUTER, RASK_JOIN_AUTO);
    t = rask_table_filter(rask_table_with(t, "n", "length(name_right)"), "n > 4 or is_null(n)");
    expect_rows(rask_table_sort(rask_table_groupby(t, "country", "count() as n, first(name) as f"), "n desc"),
                "country,n,f\nno,3,ann\n,3,cat\nfi,1,\n");
    expect_rows(rask_table_select(rask_table_distinct(t, "city"), "city, n"),
                "city,n\n1,10\n2,6\n,\n9,\n5,5\n");
    expect_rows(rask_table_groupby(t, "", "count() as n"), "n\n7\n");
    rask_graph_free(g);
}

/* What is done row by row between a join and groups goes along with the parts of the join. */
Test(joins, groups_take_the_rows_of_parts_as_they_come)
{
    static const char *const results[] = {
        [RASK_JOIN_INNER] = "country,n,s,t\nno,4,12,20\n",
        [RASK_JOIN_LEFT] = "country,n,s,t\nno,4,12,20\n,2,6,0\n",
        [RASK_JOIN_SEMI] = "city,n,s\n1,2,6\n",
        [RASK_JOIN_ANTI] = "city,n,s\n9,1,1\n,1,5\n",
    };
    for (int how = RASK_JOIN_INNER; how <= RASK_JOIN_ANTI; how++)
        for (uint64_t block = 1; results[how] && block < 100; block *= 8) {
            rask_graph *g = rask_graph_new();
            bool both = how == RASK_JOIN_INNER || how == RASK_JOIN_LEFT;
            rask_table *t = join(g, block, (rask_join_how)how, RASK_JOIN_PARTITIONED);
            t = rask_table_filter(t, "is_null(size) == false");
            if (both)
                t = rask_table_with(rask_table_drop(t, "name"), "m", "size + length(country)");
            t = both ? rask_table_groupby(t, "country", "count() as n, sum(size) as s, sum(m) as t")
                     : rask_table_groupby(t, "city", "count() as n, sum(size) as s");
            expect_rows(t, results[how]);
            rask_graph_free(g);
        }
}

/* -- One after the other */

Test(joins, tables_come_one_after_the_other)
{
    rask_graph *g = rask_graph_new();
    rask_table *t = read_blocks(g, people, 10);
    rask_table *u = rask_table_select(rask_table_with(t, "size", "size + 0.5"), "size, name, city");
    rask_table *both =
        rask_table_concat(((rask_table *[]){t, rask_table_limit(rask_table_sort(u, "name desc"), 2)}), 2);
    cr_assert_eq(rask_table_type(both, 2), RASK_COL_F64);
    expect_rows(both,
                "name,city,size\nann,1,3.0\nbob,2,\ncat,,5.0\ndan,1,3.0\neve,9,1.0\neve,9,1.5\ndan,1,3.5\n");
    expect_rows(rask_table_sort(rask_table_filter(both, "size > 2"), "name"),
                "name,city,size\nann,1,3.0\ncat,,5.0\ndan,1,3.0\ndan,1,3.5\n");
    expect_rows(rask_table_groupby(both, "name", "count() as n, last(size) as l"),
                "name,n,l\nann,1,3.0\nbob,1,\ncat,1,5.0\ndan,2,3.5\neve,2,1.5\n");
    expect_rows(rask_table_limit(both, 6),
                "name,city,size\nann,1,3.0\nbob,2,\ncat,,5.0\ndan,1,3.0\neve,9,1.0\neve,9,1.5\n");
    rask_table *cities_of = rask_table_join(both, read_blocks(g, cities, 20), "city = id", RASK_JOIN_LEFT);
    expect_rows(rask_table_groupby(cities_of, "name_right", "count() as n, sum(size) as s"),
                "name_right,n,s\nBergen,1,0.0\nKristiania,3,9.5\nOslo,3,9.5\n,3,7.5\n");
    rask_table *again = rask_table_concat(((rask_table *[]){both, t, both}), 3);
    expect_rows(rask_table_groupby(again, "", "count() as n, first(size) as f, last(name) as l"),
                "n,f,l\n19,3.0,dan\n");
    expect_rows(rask_table_distinct(rask_table_select(again, "name"), ""), "name\nann\nbob\ncat\ndan\neve\n");
    rask_graph_free(g);
}

/* -- Distinct rows */

Test(joins, the_first_row_of_each_key_stays)
{
    write_text(people, "a,b,c\n1,x,1\n,y,2\n1,x,3\n1.0,z,4\n,y,5\n-0.0,x,6\n0,x,7\n");
    for (uint64_t block = 1; block < 100; block *= 4) {
        rask_graph *g = rask_graph_new();
        rask_table *t = read_blocks(g, people, block);
        expect_rows(rask_table_distinct(t, "a"), "a,b,c\n1.0,x,1\n,y,2\n-0.0,x,6\n");
        expect_rows(rask_table_distinct(t, "b, a, b"), "a,b,c\n1.0,x,1\n,y,2\n1.0,z,4\n-0.0,x,6\n");
        expect_rows(rask_table_distinct(rask_table_drop(t, "c"), NULL), "a,b\n1.0,x\n,y\n1.0,z\n-0.0,x\n");
        expect_rows(rask_table_groupby(rask_table_distinct(t, "b"), "", "count() as n, sum(c) as s"),
                    "n,s\n3,7\n");
        rask_graph_free(g);
    }
}

Test(joins, many_distinct_rows_are_divided)
{
    FILE *stream = fopen(people, "w");
    cr_assert(stream && fputs("k,row\n", stream) >= 0);
    for (int i = 0; i < 60000; i++)
        fprintf(stream, "key number %d,%d\n", i * 7919 % 40000, i);
    cr_assert_eq(fclose(stream), 0);
    rask_graph *g = rask_graph_new();
    rask_options options = RASK_OPTIONS_INIT;
    options.memory = 8 << 20;
    options.workers = 2;
    rask_rows *rows = NULL;
    rask_table *t = rask_table_distinct(read_blocks(g, people, 50000), "k");
    rask_table *sums = rask_table_groupby(t, "", "count() as n, sum(row) as s, last(row) as l");
    cr_assert_eq(rask_table_compute(sums, &options, &rows), RASK_OK, "%s", rask_graph_error(g));
    static const int64_t wanted[] = {40000, (int64_t)40000 * 39999 / 2, 39999};
    for (uint32_t i = 0; i < 3; i++) {
        rask_column column;
        cr_assert_eq(rask_rows_column(rows, i, &column), RASK_OK);
        cr_assert_eq(column.as.i64[0], wanted[i], "%u: %lld", i, (long long)column.as.i64[0]);
    }
    rask_rows_free(rows);
    rask_graph_free(g);
}

/* -- Out of memory */

/* Written, when there is a table. */
static int write_rows(rask_graph *g, rask_table *t, const char *text)
{
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = "serial";
    int status = t ? rask_table_write(t, out, RASK_TABLE_CSV, &options) : rask_graph_status(g);
    rask_graph_free(g);
    if (!status)
        expect_file(text);
    unlink(out);
    return status;
}

static int write_broadcast(void)
{
    rask_graph *g = rask_graph_new();
    if (!g)
        return RASK_ENOMEM;
    rask_table *t = rask_table_filter(join(g, 60, RASK_JOIN_OUTER, RASK_JOIN_BROADCAST), "country != \"fi\"");
    t = rask_table_select(rask_table_distinct(t, "city"), "name, name_right");
    return write_rows(g, t, "name,name_right\nann,Oslo\nbob,Bergen\n");
}

static int write_partitioned(void)
{
    rask_graph *g = rask_graph_new();
    if (!g)
        return RASK_ENOMEM;
    rask_table *t = join(g, 100, RASK_JOIN_LEFT, RASK_JOIN_PARTITIONED);
    return write_rows(
        g, rask_table_select(t, "name, name_right"),
        "name,name_right\nann,Oslo\nann,Kristiania\nbob,Bergen\ncat,\ndan,Oslo\ndan,Kristiania\neve,\n");
}

Test(joins, no_memory_for_a_small_table_leaves_nothing)
{
    sweep(write_broadcast, 0);
}

Test(joins, no_memory_for_parts_leaves_nothing)
{
    sweep(write_partitioned, 0);
}
