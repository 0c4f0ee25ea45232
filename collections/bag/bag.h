/* collections/bag: expressions over bags, and what they are lowered from.
 *
 * A bag is a tree of operations down to files or memory. Steps, which go record by record, become one pipeline (run.h) in the
 * task that reads; the others need more of their input first (lower.h). */
#ifndef RASK_COLLECTIONS_BAG_BAG_H
#define RASK_COLLECTIONS_BAG_BAG_H

#include "collections/bag/chunk.h"
#include "core/graph/graph.h"

enum {
    RK_BAG_DEPTH = 100, /* most operations, one above the other, that are no steps */
    RK_BAG_STEPS = 100, /* most steps, one above the other */
};

typedef enum rk_bag_kind {
    RK_BAG_TEXT,
    RK_BAG_HELD,  /* in memory */
    RK_BAG_RANGE, /* numbers */
    RK_BAG_FED,   /* blocks of numbers that others make */
    RK_BAG_STEP,
    RK_BAG_REDUCE, /* of which parts come to states, that are merged */
    RK_BAG_GROUPS, /* the others bring records together by key */
    RK_BAG_JOIN,
    RK_BAG_TAKE,
    RK_BAG_ZIP,
    RK_BAG_CONCAT,
    RK_BAG_REPARTITION,
    RK_BAG_PARTS, /* a function of all records of a part */
} rk_bag_kind;

struct rk_bag_step;
struct rk_bag_reduction;
struct rk_bag_text;

/* Numbers from begin on. */
typedef struct rk_bag_range {
    int64_t begin, step;
    uint64_t count;
} rk_bag_range;

/* Rows of numbers that another room makes, when they are needed. */
struct rk_bag_lowering;
typedef struct rk_bag_feed {
    const void *what;
    uint64_t rows;
    /* What the calls below have in common, for one lowering; NULL, latched. */
    void *(*begin)(const void *what, const struct rk_bag_lowering *l);
    /* A node whose value is a block with these rows, in C order: int64 or uint64 for a bag of 'i', float64 for one of 'd'. NULL,
     * latched. */
    rask_node *(*node)(void *begun, uint64_t first, uint64_t rows);
    void (*end)(void *begun); /* NULL is legal */
} rk_bag_feed;

struct rask_bag {
    rask_graph *graph;
    rk_bag_kind kind;
    uint32_t depth, steps; /* operations beneath and with this one; steps that a record goes down to here */
    uint64_t bytes;        /* of the sources beneath, about */
    bool single;           /* one record, whatever the input has */
    rk_shape shape;
    uint32_t input_count;
    rask_bag **inputs;
    struct rk_builder_call *made; /* by which builder (made.h); NULL: by none that is known */
    union {
        struct rk_bag_text *text;
        const rk_bag_chunk *held;
        rk_bag_range range;
        const rk_bag_feed *feed;
        const struct rk_bag_step *step;
        const struct rk_bag_reduction *reduction;
        const rask_bag_gathering *gathering; /* GROUPS, PARTS */
        rask_join_how join;
        uint64_t limit; /* TAKE */
        uint32_t parts; /* REPARTITION */
    } as;
};

/* Where a builder was called: what it is called and by which line. */
typedef struct rk_bag_site {
    const char *what, *file;
    int line;
} rk_bag_site;

/* A new bag over inputs, all of one graph, whose fields are the first one's unless shape is there. NULL, latched: also when
 * the graph is in error. */
rask_bag *rk_bag_new(rask_graph *graph, rk_bag_kind kind, rask_bag *const *inputs, uint32_t count,
                     const rk_shape *shape, const rk_bag_site *site);

/* A bag of a chunk that lives as long as the graph; the chunk itself is copied. NULL, latched. */
rask_bag *rk_bag_held_new(rask_graph *graph, const rk_shape *shape, const rk_bag_chunk *chunk,
                          const rk_bag_site *site);

/* A bag of a feed, which is copied; shape has fields of one type, 'i' or 'd'. NULL, latched. */
rask_bag *rk_bag_fed_new(rask_graph *graph, const rk_bag_feed *feed, const rk_shape *shape,
                         const rk_bag_site *site);

/* Latches "WHAT: …"; returns NULL. */
void *rk_bag_refuse(rask_graph *graph, int status, const rk_bag_site *site, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Memory of the graph's, a copy of what is at data (NULL: zeros); NULL, latched. */
void *rk_bag_keep(rask_graph *graph, const void *data, size_t size, const rk_bag_site *site);
const char *rk_bag_keep_text(rask_graph *graph, const char *text, const rk_bag_site *site);

/* release(context) is called when the graph ends; release may be NULL. RASK_OK, or latched. */
int rk_bag_release_at_end(rask_graph *graph, void (*release)(void *), void *context, const rk_bag_site *site);

/* The fields of what a function of the program makes of records of this shape. RASK_OK, or latched. */
int rk_bag_result_shape(rask_graph *graph, const rk_shape *in, const char *result, size_t struct_size,
                        rk_shape *out, const rk_bag_site *site);

/* A copy, in the graph, of what the program says of a gathering, after checks. NULL, latched. */
const rask_bag_gathering *rk_bag_keep_gathering(rask_bag *bag, const rask_bag_gathering *g, rk_shape *shape,
                                                const rk_bag_site *site);

/* The bag beneath the steps. */
rask_bag *rk_bag_base(rask_bag *bag);

#endif
