/* Equal pure calls become one; every needed node gets its word.
 *
 * Nodes are visited oldest first, so that the arguments of a call already have their words when the call is
 * looked at: two calls are equal when they have the same function and equal words, where two constants are
 * equal when their values are. The table is keyed by XXH3-128 over the function's identity and the arguments;
 * a hit counts only after a comparison of what was hashed. Calls with order-only dependencies and inputs are
 * never merged. */
#include "core/plan/planner.h"
#include "core/task/task.h"
#include "core/value/value.h"

#include <string.h>
#include <xxhash.h>

typedef struct entry {
    XXH128_hash_t key;
    uint32_t node; /* UINT32_MAX: empty */
} entry;

enum { HEAD_WORDS = 5, LONG_BYTES = 1024, REMEMBERED = 64 };

typedef struct remembered {
    const char *data;
    uint64_t hash;
} remembered;

typedef struct merger {
    rk_planner *planner;
    entry *table;
    uint64_t mask;
    uint64_t *scratch; /* what is hashed: the function, then 8 bytes an argument */
    size_t capacity;
    rk_identity *identities; /* by definition; offset 0: not looked up yet */
    remembered remembered[REMEMBERED];
} merger;

/* Bytes that many calls share are hashed once, or nearly so: long ones are remembered by where they are. */
static uint64_t bytes_hash(merger *m, rask_bytes bytes)
{
    if (bytes.len < LONG_BYTES)
        return XXH3_64bits_withSeed(bytes.data, bytes.len, RASK_BYTES);
    remembered *place = &m->remembered[(uintptr_t)bytes.data / 64 % REMEMBERED];
    if (place->data != bytes.data)
        *place = (remembered){bytes.data, XXH3_64bits_withSeed(bytes.data, bytes.len, RASK_BYTES)};
    return place->hash;
}

/* 8 bytes that are equal for equal values and rarely for others. */
static uint64_t value_hash(merger *m, const rask_value *value)
{
    rask_bytes bytes;
    if (!rask_value_get_bytes(value, &bytes))
        return bytes_hash(m, bytes);
    return rk_value_hash(value);
}

static const rk_identity *identity(merger *m, const rask_node *node)
{
    rk_identity *known = &m->identities[node->def];
    const rask_task_def *def = rk_node_def(node);
    if (!known->offset)
        rk_identity_of(def->identity ? def->identity : (void (*)(void))def->call, known);
    return known;
}

static int make_room(merger *m, size_t words)
{
    if (words <= m->capacity)
        return RASK_OK;
    size_t capacity = 2 * words;
    uint64_t *grown = rk_realloc(m->scratch, capacity * sizeof *grown);
    if (!grown)
        return RASK_ENOMEM;
    m->scratch = grown;
    m->capacity = capacity;
    return RASK_OK;
}

static bool is_input(const rk_planner *p, uint32_t word)
{
    return !(word & RK_CONSTANT) && rk_graph_node(p->graph, word)->flags & RK_NODE_INPUT;
}

static int call_key(merger *m, const rask_node *node, XXH128_hash_t *key)
{
    int status = make_room(m, HEAD_WORDS + node->nargs);
    if (status)
        return status;
    memset(m->scratch, 0, HEAD_WORDS * sizeof *m->scratch);
    memcpy(m->scratch, identity(m, node), sizeof(rk_identity));
    m->scratch[HEAD_WORDS - 1] = node->nargs;
    const uint32_t *args = rk_node_args(node);
    for (uint32_t i = 0; i < node->nargs; i++) {
        uint32_t word = rk_word(m->planner, args[i]);
        bool content = word & RK_CONSTANT && !is_input(m->planner, args[i]);
        const rask_value *value = content ? rk_graph_constant(node->graph, word) : NULL;
        m->scratch[HEAD_WORDS + i] = value ? value_hash(m, value) : word;
    }
    *key = XXH3_128bits(m->scratch, (HEAD_WORDS + node->nargs) * sizeof *m->scratch);
    return RASK_OK;
}

/* Words of constants that are the same value; words of inputs are only equal to themselves. */
static bool words_equal(const merger *m, uint32_t a, uint32_t b)
{
    if (a == b)
        return true;
    if (!(a & b & RK_CONSTANT))
        return false;
    return rask_value_equal(rk_graph_constant(m->planner->graph, a), rk_graph_constant(m->planner->graph, b));
}

static bool calls_equal(const merger *m, const rask_node *a, const rask_node *b)
{
    const rask_task_def *f = rk_node_def(a), *g = rk_node_def(b);
    if (f->call != g->call || f->identity != g->identity || a->nargs != b->nargs)
        return false;
    const uint32_t *x = rk_node_args(a), *y = rk_node_args(b);
    for (uint32_t i = 0; i < a->nargs; i++) {
        if (x[i] == y[i])
            continue;
        if (is_input(m->planner, x[i]) || is_input(m->planner, y[i]))
            return false;
        if (!words_equal(m, rk_word(m->planner, x[i]), rk_word(m->planner, y[i])))
            return false;
    }
    return true;
}

/* The node that stands for this call: an equal one that came before, or itself. */
static int find_equal(merger *m, const rask_node *node, uint32_t *out)
{
    XXH128_hash_t key;
    int status = call_key(m, node, &key);
    if (status)
        return status;
    uint64_t at = key.low64 & m->mask;
    for (; m->table[at].node != UINT32_MAX; at = (at + 1) & m->mask)
        if (XXH128_isEqual(m->table[at].key, key) &&
            calls_equal(m, rk_graph_node(m->planner->graph, m->table[at].node), node)) {
            *out = m->table[at].node;
            return RASK_OK;
        }
    m->table[at] = (entry){key, node->id};
    *out = node->id;
    return RASK_OK;
}

static bool mergeable(const rask_node *node)
{
    return rk_node_def(node)->flags & RASK_PURE && !node->order_only;
}

static int table_init(merger *m)
{
    rk_planner *p = m->planner;
    uint64_t pure = 0, size = 16;
    for (uint32_t id = 0; id < p->nodes; id++)
        if (p->needed[id] & RK_CALL && mergeable(rk_graph_node(p->graph, id)))
            pure++;
    while (size < 2 * pure)
        size *= 2;
    m->mask = size - 1;
    m->table = rk_alloc_array(size, sizeof *m->table);
    m->identities = rk_calloc(p->graph->definitions.count, sizeof *m->identities);
    if (!m->table || !m->identities)
        return RASK_ENOMEM;
    for (uint64_t i = 0; i < size; i++)
        m->table[i].node = UINT32_MAX;
    return RASK_OK;
}

static int visit(merger *m, uint32_t id)
{
    rk_planner *p = m->planner;
    const rask_node *node = rk_graph_node(p->graph, id);
    p->word[id] = node->flags & RK_NODE_CONST ? rk_node_args(node)[0] : id;
    if (!m->table || !(p->needed[id] & RK_CALL) || !mergeable(node))
        return RASK_OK;
    int status = find_equal(m, node, &p->word[id]);
    if (status || p->word[id] == id)
        return status;
    p->needed[id] |= RK_MERGED;
    p->needed[p->word[id]] |= p->needed[id] & RK_TARGET;
    p->merged++;
    p->task_count--;
    return RASK_OK;
}

int rk_plan_merge(rk_planner *p)
{
    if (!p->pure && !p->constants)
        return RASK_OK;
    p->word = rk_alloc_array(p->nodes, sizeof *p->word);
    if (!p->word)
        return RASK_ENOMEM;
    merger m = {.planner = p};
    int status = p->pure ? table_init(&m) : RASK_OK;
    for (uint32_t id = 0; id < p->nodes && !status; id++)
        if (p->needed[id])
            status = visit(&m, id);
    rk_free(m.table);
    rk_free(m.identities);
    rk_free(m.scratch);
    return status;
}
