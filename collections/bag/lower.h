/* collections/bag/lower: from expressions over bags to tasks.
 *
 * A stage is a pipeline between two places where more than one record is needed: it reads parts of files or of memory, or chunks that
 * a stage before it made, and ends in sinks. How many parts and ranges there are depends on sizes and the budget, never
 * on workers. What a lowering makes lives as long as the graph that it makes nodes in. */
#ifndef RASK_COLLECTIONS_BAG_LOWER_H
#define RASK_COLLECTIONS_BAG_LOWER_H

#include "collections/bag/scan.h"

typedef struct rk_bag_lowering {
    rask_graph *graph; /* nodes go here, and errors */
    uint64_t budget;
    uint64_t seed;    /* of hash tables */
    uint32_t workers; /* for who makes blocks of arrays */
} rk_bag_lowering;

/* Nodes in order. */
typedef struct rk_bag_nodes {
    rask_node **nodes; /* in the graph's memory */
    uint32_t count;
    uint64_t bytes; /* of the value of one of them, about; 0: little, or not known */
} rk_bag_nodes;

/* What the sinks of a stage over bag end with: one after the other, rk_bag_sink_values() for each task. sink is copied.
 * RASK_OK, or latched. */
int rk_bag_lower_stage(const rk_bag_lowering *l, rask_bag *bag, const rk_bag_sink_plan *sink,
                       rk_bag_nodes *out);

/* The records of bag as chunks, in order. RASK_OK, or latched. */
int rk_bag_lower(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out);

/* The same of some kinds of bags: fed.c, rearrange.c, exchange.c. */
int rk_bag_lower_fed(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out);
int rk_bag_lower_take(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out);
int rk_bag_lower_zip(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out);
int rk_bag_lower_repartition(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out);
int rk_bag_lower_groups(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out);
int rk_bag_lower_join(const rk_bag_lowering *l, rask_bag *bag, rk_bag_nodes *out);

/* A node with all records as a value. NULL, latched. */
rask_node *rk_bag_lower_value(const rk_bag_lowering *l, rask_bag *bag);
/* The records as text, compressed as a path says (NULL: not). RASK_OK; latched; or a status with message. */
int rk_bag_lower_text(const rk_bag_lowering *l, rask_bag *bag, const char *path, rk_bag_nodes *texts,
                      char *message, size_t capacity);

/* Room for count nodes. RASK_OK, or latched. */
int rk_bag_nodes_new(const rk_bag_lowering *l, uint32_t count, uint64_t bytes, rk_bag_nodes *out);

/* The first limit records of all parts of a bag over a source, one after the other in one task; false: it is over no source. */
bool rk_bag_lower_first(const rk_bag_lowering *l, rask_bag *bag, uint64_t limit, rk_bag_nodes *out);

/* In how many ranges the keys of records go, of so many bytes; sorted: for tasks that put a range's records in order. */
uint32_t rk_bag_ranges(const rk_bag_lowering *l, uint64_t bytes, bool sorted);

#endif
