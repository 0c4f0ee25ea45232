/* The ten most frequent words of a file (by default words.c, this one): counted in blocks, merged in a tree,
 * no word cut. Shows: slot tasks, failures with a message, a value of the program's own type, rask_reduce. */
#include <ctype.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 2000, MAX_WORD = 31, SHOWN = 10, FAN_IN = 4 };

/* A value of our own: words with their counts, sorted by word. Rask passes it around and ends it. */
typedef struct tally {
    size_t count;
    struct {
        char word[MAX_WORD + 1];
        int64_t times;
    } entries[];
} tally;

static size_t tally_bytes(size_t count)
{
    return sizeof(tally) + count * sizeof(((tally *)0)->entries[0]);
}

static size_t tally_size(const void *data)
{
    return tally_bytes(((const tally *)data)->count);
}

static const rask_class tally_class = {.name = "tally", .destroy = free, .size = tally_size};

static int by_word(const void *a, const void *b)
{
    return strcmp(a, b); /* an entry begins with its word */
}

/* Equal neighbours of a sorted tally become one. */
static void unite(tally *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++)
        if (kept && !strcmp(t->entries[kept - 1].word, t->entries[i].word))
            t->entries[kept - 1].times += t->entries[i].times;
        else
            t->entries[kept++] = t->entries[i];
    t->count = kept;
}

static tally *tally_new(size_t most)
{
    tally *t = malloc(tally_bytes(most));
    if (t)
        t->count = 0;
    return t;
}

/* Sorts, and hands the tally over as the task's result. */
static int return_tally(rask_task *task, tally *t)
{
    qsort(t->entries, t->count, sizeof t->entries[0], by_word);
    unite(t);
    return rask_return_custom(task, &tally_class, t);
}

static void add_word(tally *t, const char *start, const char *end)
{
    size_t len = (size_t)(end - start) < MAX_WORD ? (size_t)(end - start) : MAX_WORD;
    memcpy(t->entries[t->count].word, start, len);
    t->entries[t->count].word[len] = '\0';
    t->entries[t->count++].times = 1;
}

/* A task: text → tally. */
static int count_words(rask_task *task)
{
    rask_bytes text = rask_arg_bytes(task, 0);
    const char *at = text.data, *end = at + text.len;
    tally *t = tally_new(text.len / 2 + 1);
    if (!t)
        return rask_fail(task, RASK_ENOMEM, "no memory to count words in");
    while (at < end) {
        const char *start = at;
        while (at < end && !isspace((unsigned char)*at))
            at++;
        if (at > start)
            add_word(t, start, at);
        else
            at++;
    }
    return return_tally(task, t);
}
RASK_SLOTS_WITH(count_words, (.flags = RASK_PURE));

/* A task: up to FAN_IN tallies → one. */
static int merge_tallies(rask_task *task)
{
    const tally *parts[FAN_IN];
    size_t total = 0, given = rask_arg_count(task);
    for (size_t i = 0; i < given; i++) {
        parts[i] = rask_arg_custom(task, i, &tally_class);
        total += parts[i] ? parts[i]->count : 0;
    }
    tally *t = tally_new(total);
    if (!t)
        return rask_fail(task, RASK_ENOMEM, "no memory to merge words in");
    for (size_t i = 0; i < given && parts[i]; i++) {
        memcpy(&t->entries[t->count], parts[i]->entries, parts[i]->count * sizeof t->entries[0]);
        t->count += parts[i]->count;
    }
    return return_tally(task, t);
}
RASK_SLOTS_WITH(merge_tallies, (.flags = RASK_PURE));

/* The file cut into blocks, each a call; a block that ends inside a word is given back to where the word
 * began. */
static rask_node *count_blocks(rask_graph *g, FILE *file)
{
    char block[BLOCK];
    size_t rest = 0, got, blocks = 0, room = 0;
    rask_node **nodes = NULL;
    while ((got = fread(block + rest, 1, sizeof block - rest, file)) + rest > 0) {
        size_t len = rest + got, cut = len;
        while (got && cut && !isspace((unsigned char)block[cut - 1]))
            cut--;
        cut = cut ? cut : len; /* one endless word */
        if (blocks == room) {
            rask_node **grown = realloc(nodes, (room = 2 * room + 16) * sizeof *nodes);
            if (!grown) {
                free(nodes);
                return NULL; /* which compute turns into an error */
            }
            nodes = grown;
        }
        nodes[blocks++] = rask_delayed(g, count_words, ((rask_bytes){block, cut}));
        memmove(block, block + cut, rest = len - cut);
    }
    if (!blocks) {
        free(nodes);
        return rask_delayed(g, count_words, ((rask_bytes){"", 0}));
    }
    rask_node *all = rask_reduce(rask_list(g, nodes, blocks), merge_tallies, FAN_IN);
    free(nodes);
    return all;
}

/* The most frequent first; among equals by word, which they are sorted by already. */
static void print_top(const tally *t)
{
    int64_t below = INT64_MAX;
    for (int shown = 0; shown < SHOWN;) {
        int64_t most = 0;
        for (size_t i = 0; i < t->count; i++)
            if (t->entries[i].times < below && t->entries[i].times > most)
                most = t->entries[i].times;
        for (size_t i = 0; i < t->count && shown < SHOWN; i++)
            if (t->entries[i].times == most && ++shown)
                printf("%lld\t%s\n", (long long)most, t->entries[i].word);
        if (!(below = most))
            return;
    }
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "words.c";
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return 1;
    }
    rask_graph *g = rask_graph_new();
    rask_node *all = count_blocks(g, file);
    fclose(file);

    rask_value result;
    void *counted;
    int st = rask_compute(all, &result);
    if (!st && !rask_value_get_custom(&result, &tally_class, &counted)) {
        print_top(counted);
        rask_value_unref(&result);
    } else {
        fprintf(stderr, "words: %s: %s\n", path, rask_graph_error(g));
    }
    rask_graph_free(g);
    return st != RASK_OK;
}
