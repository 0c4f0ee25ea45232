/* core/plan/planner: the passes that make a plan, and what they hand on.
 *
 *   cull     which nodes the targets need
 *   merge    one representative for every set of equal pure calls, and a word for every needed node
 *   fuse     which task runs right before another in the same unit
 *   unite    units numbered topologically, their members, and the edges between them
 *   order    (core/order) the order of units; priorities change it afterwards
 *   emit     everything renumbered in that order, in the plan's own arrays
 *
 * Each is linear in nodes + arguments and free of recursion. Every array is over the graph's node ids ("by
 * node") or over units numbered by their last member ("by unit"). */
#ifndef RASK_CORE_PLAN_PLANNER_H
#define RASK_CORE_PLAN_PLANNER_H

#include "core/plan/plan.h"

typedef struct rk_planner {
    rask_graph *graph;
    rask_node *const *targets;
    size_t target_count;
    uint32_t nodes;  /* ids below this matter: the newest target's + 1 */
    uint8_t *needed; /* by node: RK_NEEDED | RK_TASK … */
    uint32_t *word;  /* by node: its own id, that of the call it was merged into, or a constant's word;
                      * NULL: every node stands for itself */
    uint32_t needed_count, task_count, merged;
    uint64_t words;          /* arguments of all tasks, constants included; at least as many as there are */
    bool pure, cheap;        /* some needed call is */
    bool constants;          /* some needed node is a constant */
    bool sized, prioritised; /* some task has a size hint; some a priority */

    uint32_t *into;       /* by node: its only consumer, RK_NOBODY or RK_MANY */
    uint32_t *unit_of;    /* by node: its unit; shares memory with into */
    const uint32_t *pool; /* when every node is a unit of its own, nothing was merged, no word is a constant
                           * and the graph holds the words in the order of the nodes: all words; else NULL */
    uint32_t units;
    uint32_t *member_start; /* by unit, units + 1; NULL when every unit has one member */
    uint32_t *members;      /* nodes, ascending in each unit; NULL when they are 0, 1, 2, … */
    uint32_t *pred_start, *pred, *succ_start, *succ;
    uint64_t *size;  /* by unit; NULL: all equal */
    uint32_t *order; /* order[k]: the unit that runs k-th */
    uint64_t edges;  /* between tasks */
} rk_planner;

#define RK_NOBODY UINT32_MAX
#define RK_MANY   (UINT32_MAX - 1)

enum { RK_NEEDED = 1, RK_CALL = 2, RK_TARGET = 4, RK_MERGED = 8, RK_FUSED = 16 };

/* Frees everything, whatever passes have run. */
void rk_planner_fini(rk_planner *p);

/* Each returns RASK_OK, RASK_ENOMEM or RASK_ELIMIT and leaves what it made in the planner. */
int rk_plan_cull(rk_planner *p);
int rk_plan_merge(rk_planner *p);
int rk_plan_fuse(rk_planner *p);
int rk_plan_unite(rk_planner *p);
int rk_plan_prioritise(rk_planner *p);
int rk_plan_emit_tasks(rk_planner *p, rask_plan *plan);
int rk_plan_emit_edges(rk_planner *p, rask_plan *plan);

/* True for a node that will run itself. */
static inline bool rk_is_task(const rk_planner *p, uint32_t node)
{
    return (p->needed[node] & (RK_NEEDED | RK_CALL | RK_MERGED)) == (RK_NEEDED | RK_CALL);
}

/* What a node's argument word means after merging. */
static inline uint32_t rk_word(const rk_planner *p, uint32_t word)
{
    return word & RK_CONSTANT || !p->word ? word : p->word[word];
}

/* The place of a unit's first member, and of what is behind its last. */
static inline uint32_t rk_first_member(const rk_planner *p, uint32_t unit)
{
    return p->member_start ? p->member_start[unit] : unit;
}

static inline uint32_t rk_member(const rk_planner *p, uint32_t place)
{
    return p->members ? p->members[place] : place;
}

/* consumer takes the result of node. */
static inline void rk_note_consumer(rk_planner *p, uint32_t node, uint32_t consumer)
{
    uint32_t seen = p->into[node];
    p->into[node] = seen == RK_NOBODY || seen == consumer ? consumer : RK_MANY;
}

static inline uint32_t rk_node_words(const rask_node *node)
{
    return node->nargs + node->order_only;
}

#endif
