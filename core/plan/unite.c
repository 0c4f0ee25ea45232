/* Units: numbered by their last member, with their members and the edges between them in both directions. */
#include "core/plan/planner.h"

/* unit_of over into, newest first: a member's unit is its consumer's, which is newer and already numbered. */
static void number_units(rk_planner *p)
{
    p->unit_of = p->into;
    uint32_t next = p->units;
    for (uint32_t id = p->nodes; id-- > 0;)
        if (rk_is_task(p, id))
            p->unit_of[id] = p->into[id] == id ? --next : p->unit_of[p->into[id]];
}

/* Calls visit for every edge from another unit into the members of unit. */
#define FOR_EDGES_INTO(p, unit, from)                                                                        \
    for (uint32_t m_ = (p)->member_start[unit]; m_ < (p)->member_start[(unit) + 1]; m_++)                    \
        for (edge_walk w_ = walk((p), (p)->members[m_]); w_.at < w_.end; w_.at++)                            \
            if ((from = source((p), *w_.at)) != UINT32_MAX && from != (unit))

typedef struct edge_walk {
    const uint32_t *at, *end;
} edge_walk;

static inline edge_walk walk(const rk_planner *p, uint32_t node_id)
{
    const rask_node *node = rk_graph_node(p->graph, node_id);
    const uint32_t *args = rk_node_args(node);
    return (edge_walk){args, args + rk_node_words(node)};
}

/* The unit an argument comes from; UINT32_MAX for constants. */
static inline uint32_t source(const rk_planner *p, uint32_t word)
{
    word = rk_word(p, word);
    return word & RK_CONSTANT ? UINT32_MAX : p->unit_of[word];
}

static void place_members(rk_planner *p)
{
    uint32_t *start = p->member_start;
    for (uint32_t id = 0; id < p->nodes; id++)
        if (rk_is_task(p, id))
            start[p->unit_of[id] + 1]++;
    for (uint32_t u = 0; u < p->units; u++)
        start[u + 1] += start[u];
    for (uint32_t id = p->nodes; id-- > 0;)
        if (rk_is_task(p, id))
            p->members[--start[p->unit_of[id] + 1]] = id;
    /* each start[u + 1] has moved down to the start of u */
    for (uint32_t u = 0; u < p->units; u++)
        start[u] = start[u + 1];
    start[p->units] = p->task_count;
}

static uint32_t count_edges(rk_planner *p)
{
    uint32_t edges = 0, from;
    for (uint32_t u = 0; u < p->units; u++) {
        p->pred_start[u] = edges;
        FOR_EDGES_INTO (p, u, from) {
            p->succ_start[from + 1]++;
            edges++;
        }
    }
    p->pred_start[p->units] = edges;
    return edges;
}

/* pred, and succ by counting: succ_start[u + 1] is the number of edges out of u on entry, and where they end at
 * last. */
static void place_edges(rk_planner *p)
{
    uint32_t *end = p->succ_start, from, at = 0, edges = 0;
    for (uint32_t u = 0; u < p->units; u++) {
        uint32_t count = end[u + 1];
        end[u + 1] = edges;
        edges += count;
    }
    for (uint32_t u = 0; u < p->units; u++)
        FOR_EDGES_INTO (p, u, from) {
            p->pred[at++] = from;
            p->succ[end[from + 1]++] = u;
        }
}

static uint64_t result_bytes(const rk_planner *p, uint32_t node_id)
{
    const rask_node *node = rk_graph_node(p->graph, node_id);
    const rk_extra *extra = rk_node_extra(node);
    return extra && extra->own_result_bytes ? extra->result_bytes : rk_node_def(node)->result_bytes;
}

/* Size of what each unit leaves behind; results of unknown size count like a scalar's 16 bytes. */
static int make_sizes(rk_planner *p)
{
    p->size = rk_alloc_array(p->units, sizeof *p->size);
    if (!p->size)
        return RASK_ENOMEM;
    for (uint32_t u = 0; u < p->units; u++) {
        uint64_t bytes = result_bytes(p, p->members[p->member_start[u + 1] - 1]);
        p->size[u] = bytes ? bytes : sizeof(rask_value);
    }
    return RASK_OK;
}

int rk_plan_unite(rk_planner *p)
{
    if (p->edges >= RK_MAX_ARGUMENTS)
        return RASK_ELIMIT;
    number_units(p);
    p->member_start = rk_calloc((size_t)p->units + 1, sizeof *p->member_start);
    p->members = rk_alloc_array((size_t)p->task_count + 1, sizeof *p->members);
    p->pred_start = rk_alloc_array((size_t)p->units + 1, sizeof *p->pred_start);
    p->succ_start = rk_calloc((size_t)p->units + 1, sizeof *p->succ_start);
    if (!p->member_start || !p->members || !p->pred_start || !p->succ_start)
        return RASK_ENOMEM;
    place_members(p);
    size_t edges = count_edges(p);
    p->pred = rk_alloc_array(edges + 1, sizeof *p->pred);
    p->succ = rk_alloc_array(edges + 1, sizeof *p->succ);
    if (!p->pred || !p->succ)
        return RASK_ENOMEM;
    place_edges(p);
    return p->sized ? make_sizes(p) : RASK_OK;
}
