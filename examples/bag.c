/* Words of a folder of texts, and requests of a log in JSON Lines, as bags: larger than memory if need be. Makes its files first, in a
 * temporary folder. Shows: words and frequencies, a function of the program over lines, structures as records, folding by key,
 * a join, an error that names file and line. */
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 3, REQUESTS = 1000 };

static char folder[] = "/tmp/rask-bag-XXXXXX";

static const char *file_name(const char *name, int number)
{
    static char path[100];
    snprintf(path, sizeof path, "%s/%s-%d", folder, name, number);
    return path;
}

static void make_files(void)
{
    for (int i = 0; i < FILES; i++) {
        FILE *text = fopen(file_name("text", i), "w"), *log = fopen(file_name("log", i), "w");
        if (!text || !log)
            exit(EXIT_FAILURE);
        for (int k = 0; k < REQUESTS; k++) {
            fprintf(text, "the quick fox %d jumps over the lazy dog %d\n", k % 7, k % 5);
            fprintf(log, "{\"user\": {\"name\": \"u%d\"}, \"ms\": %d.5}\n", k % 4, (i + 1) * k % 90);
        }
        fclose(text);
        fclose(log);
    }
}

static void remove_files(void)
{
    for (int i = 0; i < FILES; i++) {
        unlink(file_name("text", i));
        unlink(file_name("log", i));
    }
    rmdir(folder);
}

/* Prints all records of a bag; 0, or what went wrong. */
static int show(const char *title, rask_bag *bag)
{
    rask_records *records;
    rask_record r;
    int status = rask_bag_compute(bag, NULL, &records);
    if (status) {
        printf("%s: %s\n", title, bag ? rask_graph_error(rask_bag_graph(bag)) : "not built");
        return status;
    }
    puts(title);
    for (uint64_t i = 0; i < rask_records_count(records); i++) {
        rask_records_get(records, i, &r);
        rask_bytes key = rask_record_bytes(&r, 0);
        printf("  %.*s", (int)key.len, key.data);
        for (uint32_t k = 1; k < r.count; k++)
            printf(" %g", rask_record_f64(&r, k));
        puts("");
    }
    rask_records_free(records);
    return RASK_OK;
}

/* Requests of a user. */
typedef struct tally {
    int64_t requests;
    double slowest;
} tally;

/* Takes (user, milliseconds). */
static int add(void *state, const rask_record *record, void *context)
{
    tally *t = state;
    double ms = rask_record_f64(record, 1);
    (void)context;
    t->requests++;
    t->slowest = ms > t->slowest ? ms : t->slowest;
    return RASK_OK;
}

static int combine(void *state, const void *other, void *context)
{
    tally *t = state;
    const tally *o = other;
    (void)context;
    t->requests += o->requests;
    t->slowest = o->slowest > t->slowest ? o->slowest : t->slowest;
    return RASK_OK;
}

/* (user, tally) as (user, requests, slowest). */
static int open_tally(rask_bag_out *out, const rask_record *record, void *context)
{
    const tally *t = (const void *)record->items[1].as.bytes.data;
    const rask_item items[] = {record->items[0], rask_item_i64(t->requests), rask_item_f64(t->slowest)};
    (void)context;
    return rask_bag_emit(out, items, 3);
}

/* The number that ends a line, which has to be there. */
static int last_number(rask_bag_out *out, const rask_record *record, void *context)
{
    rask_bytes line = rask_record_bytes(record, 0);
    (void)context;
    if (!line.len || line.data[line.len - 1] < '0' || line.data[line.len - 1] > '9')
        return rask_bag_fail(out, RASK_EFORMAT, "no number at the end");
    return rask_bag_emit_i64(out, line.data[line.len - 1] - '0');
}

static int run(rask_graph *g)
{
    char texts[100], logs[100];
    snprintf(texts, sizeof texts, "%s/text-*", folder);
    snprintf(logs, sizeof logs, "%s/log-*", folder);

    rask_bag *lines = rask_read_text(g, texts, NULL);
    rask_bag *words = rask_bag_words(lines);
    int status = show("most frequent words", rask_bag_topk(rask_bag_frequencies(words), 3));

    int64_t sum = 0;
    rask_bag *numbers = rask_bag_map(lines, last_number, .result = "i");
    if (!status && !(status = rask_compute(rask_bag_sum(numbers), &sum)))
        printf("numbers at the end of lines: %lld\n", (long long)sum);

    rask_bag *requests =
        rask_bag_json(rask_read_text(g, logs, NULL), "user.name, ms", "yd"); /* parsed once */
    rask_bag *tallies = rask_bag_foldby(requests, add, combine, .result = 'x', .struct_size = sizeof(tally));
    rask_bag *users = rask_bag_map(tallies, open_tally, .result = "yid");
    if (!status)
        status = show("requests and the slowest of each user", rask_bag_topk(users, 4));

    const rask_bytes names[] = {{"u1", 2}, {"u9", 2}};
    rask_bag *asked = rask_bag_from_bytes(g, names, 2);
    if (!status)
        status = show("who of u1 and u9 was there", rask_bag_join(users, asked, RASK_JOIN_SEMI));
    return status;
}

int main(void)
{
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    make_files();
    rask_graph *g = rask_graph_new();
    int status = run(g);
    if (status)
        fprintf(stderr, "bag: %s\n", rask_graph_error(g));
    rask_graph_free(g);
    remove_files();
    return status != RASK_OK;
}
