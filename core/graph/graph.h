/* core/graph: what a graph is made of. Builders are public (rask/graph.h); this is for those who read graphs:
 * plan, json, draw.
 *
 * Nodes are numbered in the order of building, and a node's arguments are always older than the node: ids are
 * a topological order and no cycle can exist. A node is 32 bytes; its arguments are 32-bit words in one pool:
 *   word < RK_CONSTANT     the id of a node
 *   word & RK_CONSTANT     a constant: index word & ~RK_CONSTANT into constants
 * The first nargs words are the call's arguments, the order_only words behind them only wait. */
#ifndef RASK_CORE_GRAPH_GRAPH_H
#define RASK_CORE_GRAPH_GRAPH_H

#include "core/base/array.h"
#include "core/base/atomic.h"
#include "core/base/limits.h"

#include <pthread.h>
#include <rask/graph.h>

#define RK_CONSTANT ((uint32_t)1 << 31)

enum rk_node_flag {
    RK_NODE_CONST = 1 << 0, /* no call: its first word is its constant */
    RK_NODE_INPUT = 1 << 1, /* a constant that may be bound anew */
    RK_NODE_LIST = 1 << 2,  /* rask_list() */
    RK_NODE_CHECK = 1 << 3, /* argument types are not known to fit: check before each call */
    RK_NODE_EXTRA = 1 << 4, /* has an rk_extra */
    RK_NODE_ITEM = 1 << 5,  /* rask_item() */
};

struct rask_node {
    rask_graph *graph;
    uint32_t id;
    uint32_t def;  /* index into definitions; RK_NO_DEF for constants */
    uint32_t args; /* first word in the pool */
    uint32_t nargs;
    uint32_t site : 24; /* index into sites + 1; 0: unknown */
    uint32_t flags : 8;
    uint32_t order_only; /* words behind the arguments */
};

_Static_assert(sizeof(struct rask_node) == 32, "a node is half a cache line");

#define RK_NO_DEF UINT32_MAX

/* What few nodes have. */
typedef struct rk_extra {
    uint32_t node;
    int32_t priority;
    uint32_t retries;
    uint32_t attempt; /* that its first call is: others were made elsewhere */
    bool own_retries, own_timeout, own_priority, own_result_bytes, own_backoff;
    double timeout, backoff;
    uint64_t result_bytes, scratch_bytes;
    uint32_t room; /* words in the pool that belong to the node, from its first argument on; 0: no more than
                      used */
    const char *label; /* in the graph's arena, or "" */
    const char *tags;  /* the same; NULL: the definition's */
} rk_extra;

/* Of rask_graph_context(). */
typedef struct rk_context {
    void *data; /* in the graph's arena */
    uint64_t size;
} rk_context;

typedef struct rk_site {
    const char *file;
    int line;
} rk_site;

enum { RK_SEGMENT_FIRST = 8, RK_SEGMENTS = 31 - RK_SEGMENT_FIRST };

struct rask_graph {
    rk_atomic_u32 refs;
    uint32_t count;
    uint64_t serial;                         /* no two graphs of a process have the same */
    struct rask_node *segments[RK_SEGMENTS]; /* segment k holds 2^(k + RK_SEGMENT_FIRST) nodes */
    rk_array args;                           /* uint32_t */
    rk_array constants;                      /* rask_value */
    rk_array definitions;                    /* const rask_task_def * */
    rk_array sites;                          /* rk_site */
    rk_array extras;                         /* rk_extra, in the order they were made */
    rk_array contexts;                       /* rk_context, in the order they were made */
    rk_arena arena;                          /* labels and what belongs to a graph read from a file */
    uint32_t *def_slots, *extra_slots,
        *context_slots; /* hash tables over the arrays above: index + 1, 0 is empty */
    uint32_t def_slot_count, extra_slot_count, context_slot_count;
    int status;    /* latched by builders */
    char *message; /* of status, or of the last operation */
    int last_status;
    pthread_mutex_t lock;      /* guards message and last_status, which several computes may set */
    struct rk_graph_end *ends; /* of rk_graph_at_end(), the newest first */
    void *arrays;              /* the collection's own: its table of expressions */
    rask_graph *next_spare;    /* among those that lie ready to be used again */
};

static inline rask_node *rk_graph_node(const rask_graph *graph, uint32_t id)
{
    uint32_t place = id + (1u << RK_SEGMENT_FIRST);
    uint32_t segment = 31u - (uint32_t)__builtin_clz(place) - RK_SEGMENT_FIRST;
    return &graph->segments[segment][place - (1u << (segment + RK_SEGMENT_FIRST))];
}

static inline const uint32_t *rk_node_args(const rask_node *node)
{
    return (const uint32_t *)node->graph->args.data + node->args;
}

static inline const rask_value *rk_graph_constant(const rask_graph *graph, uint32_t word)
{
    return (const rask_value *)graph->constants.data + (word & ~RK_CONSTANT);
}

/* NULL for constants. */
static inline const rask_task_def *rk_node_def(const rask_node *node)
{
    return node->def == RK_NO_DEF ? NULL
                                  : ((const rask_task_def *const *)node->graph->definitions.data)[node->def];
}

/* Definitions of programs that were built with older headers end before what came later. */
#define RK_LEAST_DEF_SIZE offsetof(rask_task_def, backoff)
#define RK_DEF_HAS(def, field)                                                                               \
    ((def)->size >= offsetof(rask_task_def, field) + sizeof(((rask_task_def *)NULL)->field))

static inline double rk_def_backoff(const rask_task_def *def)
{
    return RK_DEF_HAS(def, backoff) ? def->backoff : 0;
}

static inline bool rk_def_would_retry(const rask_task_def *def, int status, uint32_t attempt)
{
    return !RK_DEF_HAS(def, retry_if) || !def->retry_if || def->retry_if(status, attempt);
}

/* "" when it takes nothing. */
static inline const char *rk_def_tags(const rask_task_def *def)
{
    return RK_DEF_HAS(def, tags) && def->tags ? def->tags : "";
}

/* NULL when the node has none. */
const rk_extra *rk_node_extra(const rask_node *node);

/* What a call takes while it runs: its own tags, or its definition's; "" when it takes nothing. */
static inline const char *rk_node_tags(const rask_node *node)
{
    const rk_extra *extra = rk_node_extra(node);
    return extra && extra->tags ? extra->tags : rk_def_tags(rk_node_def(node));
}

/* It waits before it is called again. */
static inline bool rk_node_backs_off(const rask_node *node)
{
    const rk_extra *extra = rk_node_extra(node);
    return (extra && extra->own_backoff ? extra->backoff : rk_def_backoff(rk_node_def(node))) > 0;
}

static inline int32_t rk_node_priority(const rask_node *node)
{
    const rk_extra *extra = rk_node_extra(node);
    return extra && extra->own_priority ? extra->priority : rk_node_def(node)->priority;
}

/* Where it was built; {NULL, 0} when that is not known. */
rk_site rk_node_site(const rask_node *node);

rask_graph *rk_graph_ref(rask_graph *graph);

/* Empties a graph that nobody else refers to, for what is built next: it is another graph from here on, in the same memory, which
 * knows definitions and source lines already. False: it is not fit for that, since others refer to it or it is large, and is as it
 * was. */
bool rk_graph_renew(rask_graph *graph);

/* Calls end(what) when the graph ends, the last one asked for first, while all nodes are still there. RASK_OK or
 * RASK_ENOMEM, not latched. */
int rk_graph_at_end(rask_graph *graph, void (*end)(void *what), void *what);

/* The bytes of a context that rask_graph_context() made of this graph; NULL: it did not make this one. */
rask_bytes rk_graph_context(const rask_graph *graph, const void *context);

/* Latches the first error of building and returns NULL for the builder to return. The message may hold
 * printf conversions. */
rask_node *rk_graph_fail(rask_graph *graph, int status, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Records the outcome of an operation on a finished graph (compute, draw, …); never hides a latched error.
 * Returns status. Thread-safe. */
int rk_graph_report(rask_graph *graph, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The graph of these targets, after the checks every operation on targets starts with. RASK_EGRAPH,
 * RASK_EINVAL, or the latched status. *graph is set whenever there is one to report to, else NULL. */
int rk_graph_of(rask_node *const *targets, size_t count, rask_graph **graph);

/* The definitions behind rask_list() and rask_item(). */
extern const rask_task_def rk_list_def, rk_item_def;

#endif
