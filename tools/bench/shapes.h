/*
 * The nine task graphs that Rask and its peers are measured on.
 *
 * A shape is a list of n tasks and, for each, the tasks whose values it takes. Task ids are topological:
 * every predecessor has a smaller id than the task itself. Predecessors of a task are distinct and ascending.
 * Only the joins of map-reduce and fork-join take more than 8 of them.
 *
 * Each task's value is 1 plus the values of its predecessors, modulo 2^64, so an engine that loses an edge,
 * runs a task early or skips one ends with wrong values.
 *
 * | name        | tasks for a target of N         | predecessors                                     |
 * |-------------|---------------------------------|--------------------------------------------------|
 * | independent | N                               | none                                             |
 * | chain       | N                               | the task before                                  |
 * | tree-out    | least 2^k - 1 that is >= N      | the parent; the root is task 0                   |
 * | tree-in     | least 2^k - 1 that is >= N      | the two children; the root is the last task      |
 * | wavefront   | s * (N / s), s = isqrt(N)       | left and up                                      |
 * | stencil     | s * (N / s), s = isqrt(N)       | left, same and right of the row before           |
 * | layered     | s * (N / s), s = isqrt(N)       | 1 to 4 random tasks of the row before            |
 * | map-reduce  | N + 1                           | the last task takes all others                   |
 * | fork-join   | N / 1000 stages of 1 -> 998 -> 1 | a fork takes the join of the stage before        |
 *
 * Below 1000 tasks fork-join is one stage of at least 3 tasks.
 * Plain malloc and free only; nothing here prints. Usable from C17 and C++17.
 */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BENCH_SHAPE_COUNT = 9,
    BENCH_SHAPE_TASKS = 1000000,       /* the target when the user names none */
    BENCH_SHAPE_TASKS_MAX = 100000000, /* keeps every count of edges within 32 bits */
    BENCH_SHAPE_SEED = 1               /* so that all programs measure the same layered graph */
};

/* The names, in the order of the table above. */
extern const char *const bench_shape_names[BENCH_SHAPE_COUNT];

/* Task t takes the values of pred[pred_start[t]] .. pred[pred_start[t + 1] - 1]. */
typedef struct bench_shape {
    const char *name; /* one of bench_shape_names */
    uint32_t n;
    uint32_t *pred_start; /* n + 1 offsets into pred */
    uint32_t *pred;
} bench_shape;

/*
 * Makes the named shape with about `tasks` tasks; only layered uses the seed. The caller frees it with
 * bench_shape_free. EINVAL: no such name, or tasks is 0 or above BENCH_SHAPE_TASKS_MAX. ENOMEM: out of
 * memory.
 */
int bench_shape_make(const char *name, uint32_t tasks, uint64_t seed, bench_shape *out);
void bench_shape_free(bench_shape *shape);

static inline uint32_t bench_shape_pred_count(const bench_shape *shape, uint32_t task)
{
    return shape->pred_start[task + 1] - shape->pred_start[task];
}

/* How long a task takes where that is to be told before: from half of to one and a half of typical_ns, the same everywhere. */
static inline uint64_t bench_shape_duration_ns(uint32_t task, uint64_t typical_ns)
{
    uint64_t mixed = (task + 1) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 31;
    return typical_ns / 2 + mixed % (typical_ns + 1);
}

/* The value of a task for engines that keep all values in one array, indexed by task. */
static inline uint64_t bench_shape_value(const bench_shape *shape, const uint64_t *values, uint32_t task)
{
    uint64_t sum = 1;
    for (uint32_t i = shape->pred_start[task]; i < shape->pred_start[task + 1]; i++)
        sum += values[shape->pred[i]];
    return sum;
}

/* The tasks no other task takes, ascending, with the values a right run gives them. */
typedef struct bench_sinks {
    uint32_t count;
    uint32_t *task;
    uint64_t *value;
    uint64_t sum; /* of all values above, modulo 2^64 */
} bench_sinks;

/* Works out the sinks with a plain loop; the caller frees them with bench_sinks_free. ENOMEM, or 0. */
int bench_shape_check(const bench_shape *shape, bench_sinks *out);
void bench_sinks_free(bench_sinks *sinks);

/* How many sinks have another value than they should in an array of all tasks' values. */
uint32_t bench_sinks_wrong(const bench_sinks *sinks, const uint64_t *values);

#ifdef __cplusplus
}
#endif

#endif
