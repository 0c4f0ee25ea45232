/* How many requests a log of a web server has for each hour and status, how many bytes went out, and what went wrong most.
 * Shows: a file of lines as a table of one column, regular expressions, groups, two results of one table. */
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINES = 200000 };

static int make_log(const char *path)
{
    static const int codes[] = {200, 200, 200, 304, 404, 500};
    FILE *out = fopen(path, "w");
    if (!out)
        return RASK_EIO;
    for (int i = 0; i < LINES; i++)
        fprintf(out, "10.0.%d.%d - - [31/Jan/2024:%02d:%02d:00 +0000] \"GET /page/%d HTTP/1.1\" %d %d\n",
                i % 7, i % 251, i / 10000 % 24, i % 60, i % 13, codes[i % 6], i % 1000);
    return fclose(out) ? RASK_EIO : RASK_OK;
}

/* Lines as they are: no header, no quotes, and a delimiter that none of them has. */
static rask_table *read_log(rask_graph *g, const char *path)
{
    rask_csv_options lines = RASK_CSV_OPTIONS_INIT;
    lines.delimiter = '\x1f';
    lines.no_header = lines.no_quotes = true;
    rask_table *t = rask_read_csv(g, path, &lines);
    t = rask_table_with(t, "hour", "int(extract(column_1, \"\\\\[[^:]*:([0-9]+):\"))");
    t = rask_table_with(t, "path", "extract(column_1, \"\\\"[A-Z]+ ([^ ]*)\")");
    t = rask_table_with(t, "status", "int(extract(column_1, \"\\\" ([0-9]{3}) \"))");
    return rask_table_with(t, "bytes", "int(extract(column_1, \" ([0-9]+)$\"))");
}

/* The first columns of rows. */
static int get_columns(const rask_rows *rows, rask_column *columns, uint32_t count)
{
    int st = RASK_OK;
    for (uint32_t i = 0; i < count && !st; i++)
        st = rask_rows_column(rows, i, &columns[i]);
    return st;
}

/* Rows of two keys of integers and two aggregates; what the counts add up to. */
static int print_hours(const rask_rows *rows, int64_t *total)
{
    rask_column c[4];
    int st = get_columns(rows, c, 4);
    if (st)
        return st;
    for (uint64_t row = 0; row < rask_rows_count(rows); row++) {
        printf("%02lld:00  %lld  %6lld requests  %9lld bytes\n", (long long)c[0].as.i64[row],
               (long long)c[1].as.i64[row], (long long)c[2].as.i64[row], (long long)c[3].as.i64[row]);
        *total += c[2].as.i64[row];
    }
    return RASK_OK;
}

/* Rows of a path and a number. */
static int print_worst(const rask_rows *rows)
{
    rask_column c[2];
    int st = get_columns(rows, c, 2);
    for (uint64_t row = 0; !st && row < rask_rows_count(rows); row++)
        printf("%.*s failed %lld times\n", (int)(c[0].as.offsets[row + 1] - c[0].as.offsets[row]),
               c[0].bytes + c[0].as.offsets[row], (long long)c[1].as.i64[row]);
    return st;
}

int main(void)
{
    char log[] = "/tmp/rask-log-XXXXXX";
    int fd = mkstemp(log);
    if (fd < 0 || close(fd))
        return EXIT_FAILURE;
    rask_graph *g = rask_graph_new();
    rask_rows *by_hour = NULL, *worst = NULL;
    int st = make_log(log);

    rask_table *requests = read_log(g, log);
    rask_table *hours =
        rask_table_groupby(requests, "hour, status", "count() as requests, sum(bytes) as bytes");
    rask_table *failed =
        rask_table_groupby(rask_table_filter(requests, "status >= 500"), "path", "count() as n");
    if (!st)
        st = rask_table_compute(hours, NULL, &by_hour);
    if (!st)
        st = rask_table_compute(rask_table_limit(rask_table_sort(failed, "n desc, path"), 3), NULL, &worst);
    int64_t total = 0;
    if (!st)
        st = print_hours(by_hour, &total);
    if (!st)
        st = print_worst(worst);
    if (st)
        fprintf(stderr, "log_report: %s\n",
                *rask_graph_error(g) ? rask_graph_error(g) : rask_status_text(st));
    bool no_patterns = rask_graph_status(g) == RASK_EUNSUPPORTED; /* they need a package of their own */
    rask_rows_free(by_hour);
    rask_rows_free(worst);
    rask_graph_free(g);
    remove(log);
    return !no_patterns && (st != RASK_OK || total != LINES);
}
