/* Tasks whose results are drawn from numbers, of every kind, and runs of them within a budget. */
#ifndef RASK_TESTS_BUDGET_SUPPORT_H
#define RASK_TESTS_BUDGET_SUPPORT_H

#include "support.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Values whose content is drawn from a number and can be told from any other. */

enum kind { BYTES, BLOCK, ADOPTED, BOX, LIST, NESTED, KINDS };

static inline uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

static inline void fill(void *data, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)data)[i] = (uint8_t)(seed >> (i % 8 * 8)) ^ (uint8_t)(i >> 8);
}

static inline uint64_t digest(const void *data, size_t len)
{
    uint64_t hash = len;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
    return hash;
}

typedef struct box {
    size_t len;
    uint8_t data[];
} box;

static atomic_int live_boxes;

static inline box *box_new(size_t len)
{
    box *b = malloc(sizeof *b + len);
    b->len = len;
    atomic_fetch_add(&live_boxes, 1);
    return b;
}

static inline void box_destroy(void *data)
{
    atomic_fetch_sub(&live_boxes, 1);
    free(data);
}

static inline size_t box_size(const void *data)
{
    return sizeof(box) + ((const box *)data)->len;
}

static inline int box_encode(const void *data, rask_value *bytes)
{
    const box *b = data;
    return rask_value_bytes_new(b->data, b->len, bytes);
}

static inline int box_decode(rask_bytes bytes, void **data)
{
    box *b = box_new(bytes.len);
    memcpy(b->data, bytes.data, bytes.len);
    *data = b;
    return RASK_OK;
}

static const rask_class box_class = {.name = "box",
                                     .destroy = box_destroy,
                                     .size = box_size,
                                     .encode = box_encode,
                                     .decode = box_decode},
                        fixed_class = {.name = "fixed box", .destroy = box_destroy, .size = box_size};

static inline rask_value bytes_of(size_t len, uint64_t seed)
{
    rask_value value;
    char *data;
    cr_assert_eq(rask_value_bytes_alloc(len, &data, &value), RASK_OK);
    fill(data, len, seed);
    return value;
}

static inline rask_value block_of(size_t len, uint64_t seed)
{
    int64_t shape[3] = {(int64_t)len / 8 / 4, 1, 4};
    rask_block block;
    rask_value value;
    cr_assert_eq(rask_value_block_alloc(RASK_DT_F64, 3, shape, &block, &value), RASK_OK);
    fill(block.data, len / 32 * 32, seed);
    return value;
}

static inline rask_value adopted_of(size_t len, uint64_t seed)
{
    char *data = malloc(len);
    rask_block block = {.dtype = RASK_DT_U8,
                        .ndim = 1,
                        .shape = {(int64_t)len},
                        .strides = {1},
                        .data = data,
                        .owner = data,
                        .release = free};
    rask_value value;
    fill(data, len, seed);
    cr_assert_eq(rask_value_block_adopt(&block, len, &value), RASK_OK);
    return value;
}

static inline rask_value box_of(const rask_class *cls, size_t len, uint64_t seed)
{
    rask_value value;
    box *b = box_new(len);
    fill(b->data, len, seed);
    cr_assert_eq(rask_value_custom_new(cls, b, &value), RASK_OK);
    return value;
}

static inline rask_value list_of(size_t len, uint64_t seed)
{
    rask_value value, items[4] = {bytes_of(len / 2, seed), rask_value_i64((int64_t)seed),
                                  block_of(len / 4, seed + 1), rask_value_none()};
    cr_assert_eq(rask_value_list_new(items, 4, &value), RASK_OK);
    for (int i = 0; i < 4; i++)
        rask_value_unref(&items[i]);
    return value;
}

/* Lists in lists, some of them empty, with numbers between them. */
static inline rask_value nested_of(size_t len, uint64_t seed)
{
    enum { NUMBERS = 20 };
    rask_value value, inner, numbers[NUMBERS], items[4] = {list_of(len / 2, seed)};
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = i % 2 ? rask_value_f64((double)(seed % 1000) + i) : rask_value_bool(i % 4);
    cr_assert_eq(rask_value_list_new(NULL, 0, &items[1]), RASK_OK);
    cr_assert_eq(rask_value_list_new(numbers, NUMBERS, &items[2]), RASK_OK);
    items[3] = box_of(&box_class, len / 4, seed + 2);
    cr_assert_eq(rask_value_list_new(items, 4, &inner), RASK_OK);
    for (int i = 0; i < 4; i++)
        rask_value_unref(&items[i]);
    items[0] = inner;
    items[1] = bytes_of(len / 8, seed + 3);
    cr_assert_eq(rask_value_list_new(items, 2, &value), RASK_OK);
    for (int i = 0; i < 2; i++)
        rask_value_unref(&items[i]);
    return value;
}

static inline rask_value value_of(uint32_t kind, size_t len, uint64_t seed)
{
    switch (kind) {
    case BYTES: return bytes_of(len, seed);
    case BLOCK: return block_of(len, seed);
    case ADOPTED: return adopted_of(len, seed);
    case BOX: return box_of(&box_class, len, seed);
    case LIST: return list_of(len, seed);
    default: return nested_of(len, seed);
    }
}

static inline uint64_t digest_of(const rask_value *value)
{
    rask_bytes bytes;
    rask_block block;
    const rask_value *items;
    void *data;
    size_t count;
    uint64_t hash = value->type;
    if (!rask_value_get_bytes(value, &bytes))
        return hash ^ digest(bytes.data, bytes.len);
    if (!rask_value_get_block(value, &block)) {
        size_t len = rask_dtype_size(block.dtype);
        for (uint32_t i = 0; i < block.ndim; i++)
            len *= (size_t)block.shape[i];
        return hash ^ digest(block.data, len) ^ block.ndim;
    }
    if (!rask_value_get_custom(value, NULL, &data))
        return hash ^ digest(((box *)data)->data, ((box *)data)->len);
    if (rask_value_get_list(value, &items, &count))
        return mix(hash ^ (uint64_t)value->as.i64);
    for (size_t i = 0; i < count; i++)
        hash = mix(hash) ^ digest_of(&items[i]);
    return hash;
}

/* Tasks. The first argument says what the result is to be: kind, length and a number; the digest of the others
 * goes into its content. */

static inline int64_t recipe(uint32_t kind, size_t len, uint32_t number)
{
    return (int64_t)((uint64_t)kind << 56 | (uint64_t)len << 24 | number);
}

static inline uint64_t digest_arguments(rask_task *t)
{
    uint64_t hash = mix((uint64_t)rask_arg_i64(t, 0));
    for (size_t i = 1; i < rask_arg_count(t); i++)
        hash = mix(hash ^ digest_of(rask_arg_value(t, i)));
    return hash;
}

static inline int make_some(rask_task *t)
{
    uint64_t what = (uint64_t)rask_arg_i64(t, 0);
    return rask_return_value(t, value_of(what >> 56, what >> 24 & 0xffffffff, digest_arguments(t)));
}

static inline int weigh(rask_task *t)
{
    return rask_return_i64(t, (int64_t)digest_arguments(t));
}

#define MAKER(id, ...)                                                                                       \
    {                                                                                                        \
        .size = sizeof(rask_task_def), .name = #id, .call = make_some, __VA_ARGS__                           \
    }
static const rask_task_def make = MAKER(make, ), make_io = MAKER(make_io, .flags = RASK_IO),
                           make_cheap = MAKER(make_cheap, .flags = RASK_CHEAP),
                           make_source = MAKER(make_source, .flags = RASK_SOURCE),
                           weigh_def = {.size = sizeof(rask_task_def), .name = "weigh", .call = weigh};

static inline rask_arg number_arg(int64_t number)
{
    return (rask_arg){.kind = RASK_ARG_I64, .as.i64 = number};
}

static inline rask_node *call(rask_graph *g, const rask_task_def *def, int64_t what, rask_node *const *nodes,
                              size_t count)
{
    rask_arg args[20] = {number_arg(what)};
    for (size_t i = 0; i < count; i++)
        args[i + 1] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes[i]};
    return rask_call(g, def, args, count + 1);
}

/* Waits for all of nodes, and is taken by those who are to come after them. */
static inline rask_node *gate(rask_graph *g, rask_node *const *nodes, size_t count)
{
    return rask_after(call(g, &weigh_def, 1, NULL, 0), nodes, count);
}

/* Everything is made before anything is used, in order or against it. */
static inline rask_node *make_then_weigh(rask_graph *g, const rask_task_def *def, uint32_t kind, size_t count,
                                         size_t len, bool backwards)
{
    rask_node **made = calloc(count, sizeof *made);
    for (size_t i = 0; i < count; i++)
        made[i] = call(g, def, recipe(kind == KINDS ? i % KINDS : kind, len, (uint32_t)i), NULL, 0);
    rask_node *sum = gate(g, made, count);
    for (size_t i = 0; i < count; i++) {
        rask_node *pair[2] = {made[backwards ? count - 1 - i : i], sum};
        sum = call(g, &weigh_def, (int64_t)i, pair, 2);
    }
    free(made);
    return sum;
}

/* So many threads; 0: serial. Or processes. */
enum { PROCESSES = 1000, SETUPS = 4 };
static const uint32_t setups[SETUPS] = {0, 1, 2, PROCESSES};

static inline rask_options budget(uint64_t bytes, uint32_t workers)
{
    rask_options o = workers == PROCESSES ? processes(2) : threads(workers);
    if (!workers)
        o.scheduler = "serial";
    o.memory = bytes;
    return o;
}

/* The node's value, within the budget. */
static inline int64_t must_give(rask_node *node, rask_options o, rask_report *report)
{
    int64_t value = 0;
    o.report = report;
    cr_assert_eq(rask_compute_with(node, &o, &value), RASK_OK, "%s", rask_graph_error(rask_node_graph(node)));
    cr_assert_leq(report->peak_bytes, o.memory ? o.memory : UINT64_MAX);
    cr_assert_eq(report->live_bytes, 0);
    return value;
}

/* Fails with the status, a message that has these words, and nothing left. */
static inline rask_report must_refuse(rask_node *node, rask_options o, int status, const char *words)
{
    int64_t value = 77;
    rask_report report;
    o.report = &report;
    rask_graph *g = rask_node_graph(node);
    int got = rask_compute_with(node, &o, &value);
    cr_assert_eq(got, status, "%s: %s", rask_status_name(got), rask_graph_error(g));
    cr_assert_not_null(strstr(rask_graph_error(g), words), "\"%s\" is not in: %s", words,
                       rask_graph_error(g));
    cr_assert_eq(value, 77);
    cr_assert_eq(report.live_bytes, 0);
    return report;
}

static inline void set_up(void)
{
    alarm(100);
}

static inline void tear_down(void)
{
    cr_assert_eq(atomic_load(&live_boxes), 0);
}

enum { LEN = 20000, MADE = 60, SMALL_BUDGET = 8 * (LEN + 1000) };

#endif
