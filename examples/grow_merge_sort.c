/* Sorts the lines of a file that is made first, in a temporary folder: a part that is too large to sort at once answers with a
 * merge of its halves.
 * Shows: a graph that cuts its work as it goes, results of bytes, and where they end: a part goes when it has been merged. */
#include <fcntl.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 100000, AT_ONCE = 1 << 16 };

/* Where the first line that begins at or behind offset begins; the end of the file when none does. */
static int64_t line_behind(int fd, int64_t offset, int64_t end)
{
    char text[256];
    for (ssize_t got; offset < end && (got = pread(fd, text, sizeof text, offset)) > 0; offset += got) {
        const char *newline = memchr(text, '\n', (size_t)got);
        if (newline)
            return offset + (newline - text) + 1;
    }
    return end;
}

static size_t line_length(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return (size_t)((newline ? newline + 1 : end) - at);
}

/* All lines end with a newline, which is less than whatever they have. */
static int by_line(const void *a, const void *b)
{
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;
    while (*left == *right && *left != '\n')
        left++, right++;
    return (unsigned char)*left - (unsigned char)*right;
}

/* Into out, in order, the lines of text, which has nothing behind its last newline. */
static bool sort_text(const char *text, size_t len, char *out)
{
    const char **lines = malloc((len + 1) * sizeof *lines), *end = text + len;
    size_t count = 0;
    if (!lines)
        return false;
    for (const char *at = text; at < end; at += line_length(at, end))
        lines[count++] = at;
    qsort(lines, count, sizeof *lines, by_line);
    for (size_t i = 0; i < count; i++) {
        size_t length = line_length(lines[i], end);
        memcpy(out, lines[i], length);
        out += length;
    }
    free(lines);
    return true;
}

/* The lines between two places of a file, in order. */
static int sort_at_once(rask_task *t, int fd, int64_t from, size_t len)
{
    rask_value sorted;
    char *out, *text = malloc(len + 1);
    if (!text || rask_value_bytes_alloc(len, &out, &sorted)) {
        free(text);
        return rask_fail(t, RASK_ENOMEM, "no memory for a part of the file");
    }
    bool done = pread(fd, text, len, from) == (ssize_t)len && sort_text(text, len, out);
    free(text);
    if (done)
        return rask_return_value(t, sorted);
    rask_value_unref(&sorted);
    return rask_fail(t, RASK_EIO, "a part of the file could not be read and sorted");
}

/* Two runs of lines → one. */
static int merge(rask_task *t)
{
    rask_bytes a = rask_arg_bytes(t, 0), b = rask_arg_bytes(t, 1);
    const char *left = a.data, *left_end = left + a.len, *right = b.data, *right_end = right + b.len;
    rask_value merged;
    char *out;
    if (rask_value_bytes_alloc(a.len + b.len, &out, &merged))
        return rask_fail(t, RASK_ENOMEM, "no memory for merged lines");
    while (left < left_end && right < right_end) {
        const char **least = by_line(&right, &left) < 0 ? &right : &left;
        size_t length = line_length(*least, least == &left ? left_end : right_end);
        memcpy(out, *least, length);
        out += length;
        *least += length;
    }
    memcpy(out, left, (size_t)(left_end - left));
    memcpy(out + (left_end - left), right, (size_t)(right_end - right));
    return rask_return_value(t, merged);
}
RASK_SLOTS(merge);

static int sort(rask_task *t);
RASK_SLOTS(sort);

/* (file, from, to): its lines in order, at once or by halves, cut where a line begins. */
static int sort(rask_task *t)
{
    int64_t from = rask_arg_i64(t, 1), to = rask_arg_i64(t, 2);
    int fd = (int)rask_arg_i64(t, 0);
    int64_t middle = line_behind(fd, from + (to - from) / 2, to);
    if (to - from <= AT_ONCE || middle == to)
        return sort_at_once(t, fd, from, (size_t)(to - from));
    rask_graph *g = rask_task_graph(t);
    return rask_return_node(t, rask_delayed(g, merge, rask_delayed(g, sort, fd, from, middle),
                                            rask_delayed(g, sort, fd, middle, to)));
}

/* Lines in no order, each of them once; the length of the file, or 0. */
static int64_t make_file(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return 0;
    for (long i = 0; i < LINES; i++)
        fprintf(file, "%08ld is line %ld\n", i * 7919 % LINES, i);
    long len = ftell(file);
    return fclose(file) ? 0 : len;
}

/* The number at the beginning of each line says where it belongs. */
static bool is_sorted(const rask_value *lines, int64_t len)
{
    rask_bytes text;
    if (rask_value_get_bytes(lines, &text) || text.len != (size_t)len)
        return false;
    const char *at = text.data, *end = at + text.len;
    for (long i = 0; i < LINES; i++, at += line_length(at, end))
        if (at == end || strtol(at, NULL, 10) != i)
            return false;
    return at == end;
}

static int sort_file(int fd, int64_t len)
{
    rask_report report;
    rask_options o = RASK_OPTIONS_INIT;
    o.report = &report;
    rask_graph *g = rask_graph_new();
    rask_value sorted;
    int status = rask_compute_with(rask_delayed(g, sort, fd, 0, len), &o, &sorted);
    bool right = !status && is_sorted(&sorted, len);
    if (status) {
        fprintf(stderr, "grow_merge_sort: %s\n", rask_graph_error(g));
    } else {
        printf("%d lines, %lld bytes, %s, in %.3f s\n", LINES, (long long)len,
               right ? "sorted" : "in disorder", report.seconds);
        rask_value_unref(&sorted);
    }
    rask_graph_free(g);
    return right ? 0 : 1;
}

int main(void)
{
    char folder[] = "/tmp/rask-sort-XXXXXX", path[sizeof folder + 8];
    if (!mkdtemp(folder)) {
        perror("grow_merge_sort");
        return 1;
    }
    snprintf(path, sizeof path, "%s/lines", folder);
    int64_t len = make_file(path);
    int fd = open(path, O_RDONLY), failed = 1;
    if (len && fd >= 0)
        failed = sort_file(fd, len);
    close(fd);
    unlink(path);
    rmdir(folder);
    return failed;
}
