/* One work over bags, for tools/bench/bags to compare: prints what comes out as lines.
 * usage: bags words|foldby|json|join FILE [FILE] */
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print(rask_bag *bag)
{
    int status = rask_bag_write(bag, "-", NULL);
    if (status)
        fprintf(stderr, "bags: %s\n", bag ? rask_graph_error(rask_bag_graph(bag)) : rask_status_text(status));
    return status;
}

/* "u17,250": the user, and the number of milliseconds. */
static int read_request(rask_bag_out *out, const rask_record *record, void *context)
{
    rask_bytes line = rask_record_bytes(record, 0);
    const char *comma = line.len ? memchr(line.data, ',', line.len) : NULL;
    int64_t ms = 0;
    (void)context;
    if (!comma)
        return rask_bag_fail(out, RASK_EFORMAT, "no comma");
    for (const char *at = comma + 1; at < line.data + line.len; at++)
        ms = 10 * ms + (*at - '0');
    const rask_item items[] = {rask_item_bytes(line.data, (size_t)(comma - line.data)), rask_item_i64(ms)};
    return rask_bag_emit(out, items, 2);
}

static int add(void *state, const rask_record *record, void *context)
{
    (void)context;
    *(int64_t *)state += rask_record_i64(record, 1);
    return 0;
}

static int combine(void *state, const void *other, void *context)
{
    (void)context;
    *(int64_t *)state += *(const int64_t *)other;
    return 0;
}

static rask_bag *requests(rask_graph *g, const char *path)
{
    return rask_bag_map(rask_read_text(g, path, NULL), read_request, .result = "yi");
}

static rask_bag *build(rask_graph *g, const char *work, const char *file, const char *other)
{
    rask_bag *lines = strcmp(work, "join") ? rask_read_text(g, file, NULL) : NULL;
    if (strcmp(work, "words") == 0)
        return rask_bag_topk(rask_bag_frequencies(rask_bag_words(lines)), 10);
    if (strcmp(work, "foldby") == 0)
        return rask_bag_topk(rask_bag_foldby(requests(g, file), add, combine, .result = 'i'), 10);
    if (strcmp(work, "json") == 0)
        return rask_bag_sum(rask_bag_json(lines, "request.ms", "i"));
    if (strcmp(work, "join") == 0 && other)
        return rask_bag_count(rask_bag_join(requests(g, file), requests(g, other), RASK_JOIN_INNER));
    return NULL;
}

int main(int argc, char **argv)
{
    rask_graph *g = rask_graph_new();
    rask_bag *bag = argc > 2 ? build(g, argv[1], argv[2], argv[3]) : NULL;
    if (!bag)
        fprintf(stderr, "usage: bags words|foldby|json|join FILE [FILE] %s\n", rask_graph_error(g));
    int status = bag ? print(bag) : RASK_EINVAL;
    rask_graph_free(g);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
