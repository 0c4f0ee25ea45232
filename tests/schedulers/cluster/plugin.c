/* A library that the program of test_plugin.c loads while it runs, and that its workers have not. */
#include <rask/rask.h>
#include <stdlib.h>
#include <string.h>

typedef struct pair {
    int64_t a, b;
} pair;

static int encode(const void *data, rask_value *bytes)
{
    return rask_value_bytes_new(data, sizeof(pair), bytes);
}

static int decode(rask_bytes bytes, void **data)
{
    pair *p = malloc(sizeof *p);
    if (!p || bytes.len != sizeof *p) {
        free(p);
        return p ? RASK_EFORMAT : RASK_ENOMEM;
    }
    memcpy(p, bytes.data, sizeof *p);
    *data = p;
    return RASK_OK;
}

static const rask_class pair_class = {.name = "pair", .destroy = free, .encode = encode, .decode = decode};

static int make_pair(rask_task *t)
{
    pair *p = malloc(sizeof *p);
    if (!p)
        return rask_fail(t, RASK_ENOMEM, "no memory");
    *p = (pair){rask_arg_i64(t, 0), rask_arg_i64(t, 0) + 1};
    return rask_return_custom(t, &pair_class, p);
}
RASK_SLOTS(make_pair);

static int multiply(rask_task *t)
{
    const pair *p = rask_arg_custom(t, 0, &pair_class);
    return p ? rask_return_i64(t, p->a * p->b) : RASK_ETYPE;
}
RASK_SLOTS(multiply);

/* n * (n + 1), by two tasks with a value between them that only this library knows. */
rask_node *plugin_product(rask_graph *g, int64_t n);
rask_node *plugin_product(rask_graph *g, int64_t n)
{
    return rask_delayed(g, multiply, rask_delayed(g, make_pair, n));
}
