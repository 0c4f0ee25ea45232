/* Pairs of a key and a number, brought together in every way, in random blocks, in little memory and on every scheduler: against
 * loops over all of them. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 120, ROUNDS = 8, LINE = 64, HOWS = 6 };

static uint64_t state = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

/* Lines "key number", key "-" being nothing, in a file of their own. */
typedef struct pairs {
    size_t count;
    char keys[MOST][4];
    int64_t numbers[MOST];
    char path[64];
} pairs;

static void make_pairs(pairs *p, int which)
{
    uint64_t different = draw(2) ? 3 : 60;
    p->count = draw(MOST + 1);
    snprintf(p->path, sizeof p->path, "/tmp/rask-bag-model-%d-%d", (int)getpid(), which);
    FILE *out = fopen(p->path, "w");
    cr_assert(out);
    for (size_t i = 0; i < p->count; i++) {
        snprintf(p->keys[i], sizeof p->keys[i], draw(9) ? "%u" : "-", (unsigned)draw(different));
        p->numbers[i] = (int64_t)draw(1000) - 500;
        fprintf(out, "%s %" PRId64 "\n", p->keys[i], p->numbers[i]);
    }
    cr_assert_eq(fclose(out), 0);
}

static int take_apart(rask_bag_out *out, const rask_record *line, void *context)
{
    (void)context;
    rask_bytes text = rask_record_bytes(line, 0);
    const char *space = text.data ? memchr(text.data, ' ', text.len) : NULL;
    if (!space)
        return rask_bag_fail(out, RASK_EFORMAT, "no pair");
    size_t len = (size_t)(space - text.data);
    const rask_item items[] = {*text.data == '-' ? rask_item_none() : rask_item_bytes(text.data, len),
                               rask_item_i64(strtoll(space, NULL, 10))};
    return rask_bag_emit(out, items, 2);
}

static rask_bag *read_pairs(rask_graph *g, const pairs *p)
{
    const rask_bag_function apart = {
        .size = sizeof apart, .name = "take_apart", .call = take_apart, .result = "yi"};
    rask_read_text_options options = RASK_READ_TEXT_OPTIONS_INIT;
    options.block_bytes = 1 + draw(400);
    rask_bag *bag = rask_bag_map_at(rask_read_text(g, p->path, &options), &apart, NULL, 0);
    return draw(2) ? bag : rask_bag_repartition(bag, 1 + (uint32_t)draw(9));
}

/* -- Records as lines, in order of their text */

typedef struct lines {
    size_t count;
    char (*text)[LINE];
} lines;

static char *add_line(lines *l)
{
    l->text = realloc(l->text, (l->count + 1) * sizeof *l->text);
    cr_assert(l->text);
    return l->text[l->count++];
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

static size_t print_item(const rask_item *item, char *out)
{
    return (size_t)(item->type == 'n' ? sprintf(out, "- ")
                    : item->type == 'i'
                        ? sprintf(out, "%" PRId64 " ", item->as.i64)
                        : sprintf(out, "%.*s ", (int)item->as.bytes.len, item->as.bytes.data));
}

static lines compute(rask_bag *bag)
{
    static const char *const schedulers[] = {"threads", "processes", "serial"};
    rask_options options = RASK_OPTIONS_INIT;
    rask_records *records = NULL;
    rask_record record;
    lines found = {0};
    options.scheduler = schedulers[draw(3)];
    options.workers = 1 + (uint32_t)draw(3);
    options.memory = (2 + draw(6)) << 20;
    cr_assert_eq(rask_bag_compute(bag, &options, &records), RASK_OK, "%s",
                 bag ? rask_graph_error(rask_bag_graph(bag)) : "no bag");
    for (uint64_t i = 0; i < rask_records_count(records); i++) {
        char *line = add_line(&found);
        cr_assert_eq(rask_records_get(records, i, &record), RASK_OK);
        for (uint32_t k = 0; k < record.count; k++)
            line += print_item(&record.items[k], line);
    }
    rask_records_free(records);
    return found;
}

static void expect_lines(rask_bag *bag, lines wanted, const char *what)
{
    lines found = compute(bag);
    cr_assert_eq(found.count, wanted.count, "%s: %zu records, not %zu", what, found.count, wanted.count);
    if (found.count) {
        qsort(found.text, found.count, LINE, compare_lines);
        qsort(wanted.text, wanted.count, LINE, compare_lines);
    }
    for (size_t i = 0; i < found.count; i++)
        cr_assert_str_eq(found.text[i], wanted.text[i], "%s: %s, not %s", what, found.text[i],
                         wanted.text[i]);
    free(found.text);
    free(wanted.text);
}

/* -- By key */

static int add(void *sum, const rask_record *record, void *context)
{
    (void)context;
    *(int64_t *)sum += rask_record_i64(record, 1);
    return 0;
}

static int add_up(void *sum, const void *other, void *context)
{
    (void)context;
    *(int64_t *)sum += *(const int64_t *)other;
    return 0;
}

/* Key, and a number that depends on the order of the key's records. */
static int chain(rask_bag_out *out, const rask_records *records, void *context)
{
    (void)context;
    rask_record record = {0};
    int64_t number = 0;
    for (uint64_t i = 0; i < rask_records_count(records); i++) {
        rask_records_get(records, i, &record);
        number = (number * 7 + record.items[1].as.i64) % 100003;
    }
    return rask_bag_emit(out, (const rask_item[]){record.items[0], rask_item_i64(number)}, 2);
}

static bool comes_first(const pairs *p, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(p->keys[k], p->keys[i]) == 0)
            return false;
    return true;
}

/* A line for each key: what its numbers come to, factor being 1 for a sum. */
static lines by_key(const pairs *p, int64_t factor)
{
    lines wanted = {0};
    for (size_t i = 0; i < p->count; i++) {
        int64_t number = 0;
        if (!comes_first(p, i))
            continue;
        for (size_t k = i; k < p->count; k++)
            if (strcmp(p->keys[k], p->keys[i]) == 0)
                number = (number * factor + p->numbers[k]) % 100003;
        sprintf(add_line(&wanted), "%s %" PRId64 " ", p->keys[i], number);
    }
    return wanted;
}

Test(bag_model, records_of_a_key_come_together_in_their_order, .timeout = 100)
{
    static pairs p;
    const rask_bag_folding sum = {
        .size = sizeof sum, .name = "sum", .add = add, .combine = add_up, .result = 'i'};
    const rask_bag_gathering chained = {
        .size = sizeof chained, .name = "chain", .call = chain, .result = "yi"};
    for (int round = 0; round < ROUNDS; round++) {
        rask_graph *g = rask_graph_new();
        make_pairs(&p, 0);
        expect_lines(rask_bag_foldby_at(read_pairs(g, &p), &sum, NULL, 0), by_key(&p, 1), "foldby");
        expect_lines(rask_bag_groupby_at(read_pairs(g, &p), &chained, NULL, 0), by_key(&p, 7), "groupby");
        rask_graph_free(g);
        unlink(p.path);
    }
}

/* -- Joins */

static bool has_partner(const char *key, const pairs *others)
{
    for (size_t i = 0; i < others->count && *key != '-'; i++)
        if (strcmp(key, others->keys[i]) == 0)
            return true;
    return false;
}

static void add_pairs(lines *wanted, const pairs *left, const pairs *right)
{
    for (size_t i = 0; i < left->count; i++)
        for (size_t k = 0; k < right->count; k++)
            if (*left->keys[i] != '-' && strcmp(left->keys[i], right->keys[k]) == 0)
                sprintf(add_line(wanted), "%s %" PRId64 " %" PRId64 " ", left->keys[i], left->numbers[i],
                        right->numbers[k]);
}

/* Those that have a partner, or have none, each as a format says. */
static void add_some(lines *wanted, const pairs *p, const pairs *others, bool partner, const char *format)
{
    for (size_t i = 0; i < p->count; i++)
        if (has_partner(p->keys[i], others) == partner) {
            char number[24];
            snprintf(number, sizeof number, "%" PRId64, p->numbers[i]);
            snprintf(add_line(wanted), LINE, format, p->keys[i], number);
        }
}

static lines joined(const pairs *left, const pairs *right, rask_join_how how)
{
    lines wanted = {0};
    if (how == RASK_JOIN_SEMI || how == RASK_JOIN_ANTI)
        add_some(&wanted, left, right, how == RASK_JOIN_SEMI, "%s %s ");
    else
        add_pairs(&wanted, left, right);
    if (how == RASK_JOIN_LEFT || how == RASK_JOIN_OUTER)
        add_some(&wanted, left, right, false, "%s %s - ");
    if (how == RASK_JOIN_RIGHT || how == RASK_JOIN_OUTER)
        add_some(&wanted, right, left, false, "%s - %s ");
    return wanted;
}

Test(bag_model, joins_have_each_pair_and_what_has_no_partner, .timeout = 100)
{
    static pairs left, right;
    static const char *const names[] = {"inner", "left", "right", "outer", "semi", "anti"};
    for (int round = 0; round < ROUNDS; round++) {
        rask_graph *g = rask_graph_new();
        make_pairs(&left, 0);
        make_pairs(&right, 1);
        for (int how = 0; how < HOWS; how++)
            expect_lines(rask_bag_join(read_pairs(g, &left), read_pairs(g, &right), (rask_join_how)how),
                         joined(&left, &right, (rask_join_how)how), names[how]);
        rask_graph_free(g);
        unlink(left.path);
        unlink(right.path);
    }
}
