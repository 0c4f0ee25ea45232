/*
 * What every peer program shares: options, timing, memory, verification and the line it prints.
 *
 * A peer describes its engine by the calls below; bench_peer_main does the rest. Each shape runs in a forked
 * child, so an engine meets every shape with a fresh heap and a fresh thread pool. The child opens the engine
 * once, then repeats build, run, run again, free. Only those four are timed; total is build + run + free.
 *
 * Usable from C17 and C++17.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "../shapes.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The calls take what open returned. A call that cannot go on prints why and exits with 1: the child is the
 * only one to end. NULL for build or again: the engine has no such step, and its column shows "-".
 */
typedef struct bench_engine {
    const char *name;
    /* Untimed: starts the threads, sets aside what the program would know before it starts. */
    void *(*open)(const bench_shape *shape, uint32_t threads);
    /* The graph, and the array of values, zeroed. */
    void (*build)(void *self);
    void (*run)(void *self);
    /* Runs the same graph once more; the values are zeroed before, untimed. */
    void (*again)(void *self);
    /* Everything build or run made. */
    void (*free)(void *self);
    void (*close)(void *self);
    /* The array of values, indexed by task, between run and free. */
    uint64_t *(*values)(void *self);
} bench_engine;

/* Runs the program; returns its exit status: 0, 1 when a shape failed or came out wrong, 2 for bad options.
 */
int bench_peer_main(const bench_engine *engine, int argc, char **argv);

/* Prints what went wrong and ends the program with 1. */
void bench_peer_die(const char *what);

/* calloc that ends the program when memory is out; free with free. */
void *bench_peer_zeroed(size_t count, size_t size);

#ifdef __cplusplus
}
#endif

#endif
