/* tests/schedulers/graphs: random graphs that know what they should give.
 *
 * A random_graph is drawn from a seed and built through the public calls only: slot tasks whose results are
 * i64, f64, bytes, lists and custom values; pure ones (some of them twice, to be merged), cheap ones, I/O;
 * calls with several outputs, lists, items, constants, order-only dependencies; fans skewed in and out;
 * several targets, some twice, some constants. While it is built, every value is also worked out by hand, by
 * calling the same arithmetic in the order of building: what every scheduler must come to. Each call counts
 * its executions. */
#ifndef RASK_TESTS_SCHEDULERS_GRAPHS_H
#define RASK_TESTS_SCHEDULERS_GRAPHS_H

#include <rask/rask.h>
#include <stdatomic.h>

enum { GRAPH_MAX_TARGETS = 8, GRAPH_MAX_STEPS = 320, GRAPH_FAILS_ALWAYS = 1000000 };

/* What a node of the graph is, by its number: the order of building. */
typedef struct graph_step {
    rask_node *node;
    rask_value expected;
    uint32_t twin;          /* the pure call it repeats; itself when it repeats none */
    uint32_t args_at, args; /* in random_graph.args: steps it takes values of, then those it waits for */
    bool counted;           /* a call that counts itself, and not a constant or built-in */
    bool needed;            /* by a target */
    bool doomed;            /* a failing call comes before it: it must be skipped */
    uint8_t kind, sleep_us;
    uint32_t failures; /* how often it fails before it succeeds */
    atomic_uint calls; /* how often it was called; a twin's calls count for the first */
} graph_step;

typedef struct random_graph {
    rask_graph *graph;
    uint64_t random;
    graph_step steps[GRAPH_MAX_STEPS];
    uint32_t count;
    uint32_t *args;
    size_t arg_count, arg_room;
    rask_node *targets[GRAPH_MAX_TARGETS];
    uint32_t target_steps[GRAPH_MAX_TARGETS];
    uint32_t target_count;
} random_graph;

/* Where graphs are, zeroed, and how tasks find them that workers run. Until a program says otherwise that is memory which workers
 * share that it forks later. */
typedef struct random_graph_place {
    random_graph *(*take)(void);
    void (*give)(random_graph *g);
    int64_t (*name)(const random_graph *g);
    random_graph *(*find)(int64_t name); /* in whatever process */
} random_graph_place;
extern random_graph_place random_graphs;

/* Never NULL; the test fails when the graph cannot be built. */
random_graph *random_graph_new(uint64_t seed);
void random_graph_free(random_graph *g);

/* Draws about one call in so many to fail that many times, and works out what that dooms. For a graph to be
 * computed once; needs nothing reset. */
void random_graph_add_failures(random_graph *g, uint32_t one_in, uint32_t failures);

/* Calls counted so far are forgotten. */
void random_graph_reset(random_graph *g);

/* Computes all targets and fails the test unless the values are the expected ones, each needed call ran
 * exactly once and no other, and the report adds up. */
void random_graph_must_compute(random_graph *g, rask_options options);

/* Computes and fails the test unless, with keep_going, just the failing calls and what they doom are missing,
 * and in any case no call ran twice (but for retries) and the report adds up. Returns the status. */
int random_graph_compute_with_failures(random_graph *g, rask_options options, rask_report *report);

/* The targets' values are those expected. */
bool random_graph_equal(const random_graph *g, const rask_value *results);

/* Custom values alive now; 0 when none leaked. */
int random_graph_live_customs(void);

/* xorshift64*, for tests that draw more: *state is not 0. Below below, which is not 0. */
uint32_t draw_below(uint64_t *state, uint32_t below);

#endif
