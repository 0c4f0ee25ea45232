#!/usr/bin/env python3
"""Dask's threaded scheduler on the shapes of shapes.h, with the options and the output of the other peers.

The graph is a plain dictionary of tasks, what `delayed` makes in the end. With --delayed it is built
through `delayed` itself, whose time and memory grow with the square of the depth: keep to a few thousand
tasks there.
"""

import argparse
import gc
import math
import os
import statistics
import sys
import time

SHAPES = (
    "independent",
    "chain",
    "tree-out",
    "tree-in",
    "wavefront",
    "stencil",
    "layered",
    "map-reduce",
    "fork-join",
)
HEADER = "#engine shape threads tasks total_ns build_ns run_ns again_ns free_ns peak_bytes_per_task"
WORD = (1 << 64) - 1
ARGUMENTS_MAX = 8  # a task with more predecessors takes them as one list
SEED = 1


def splitmix64(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) & WORD
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
        yield z ^ (z >> 31)


def chain(tasks):
    return [[task - 1] if task else [] for task in range(tasks)]


def tree_out(tasks):
    count = (1 << tasks.bit_length()) - 1 if tasks & (tasks + 1) else tasks
    return [[(task - 1) // 2] if task else [] for task in range(count)]


def tree_in(tasks):
    count = len(tree_out(tasks))
    places = reversed(range(count))
    return [[count - 3 - 2 * p, count - 2 - 2 * p] if p < count // 2 else [] for p in places]


def grid(tasks):
    side = math.isqrt(tasks)
    return [(task, task % side, side) for task in range(tasks // side * side)]


def wavefront(tasks):
    return [[t - side] * (t >= side) + [t - 1] * (x > 0) for t, x, side in grid(tasks)]


def stencil(tasks):
    return [
        list(range(t - side - (x > 0), t - side + 1 + (x + 1 < side))) if t >= side else []
        for t, x, side in grid(tasks)
    ]


def layered(tasks):
    random = splitmix64(SEED)
    shape = []
    for task, x, side in grid(tasks):
        chosen = set()
        if task >= side:
            wanted = min(1 + next(random) % 4, side)
            while len(chosen) < wanted:
                chosen.add(task - x - side + next(random) % side)
        shape.append(sorted(chosen))
    return shape


def fork_join(tasks):
    width = min(max(tasks, 3), 1000)
    shape = []
    for fork in range(0, max(tasks // width, 1) * width, width):
        shape.append([fork - 1] if fork else [])
        shape.extend([fork] for _ in range(width - 2))
        shape.append(list(range(fork + 1, fork + width - 1)))
    return shape


MAKERS = {
    "independent": lambda tasks: [[] for _ in range(tasks)],
    "chain": chain,
    "tree-out": tree_out,
    "tree-in": tree_in,
    "wavefront": wavefront,
    "stencil": stencil,
    "layered": layered,
    "map-reduce": lambda tasks: [[] for _ in range(tasks)] + [list(range(tasks))],
    "fork-join": fork_join,
}


def expected_sinks(shape):
    """The tasks nobody takes, and the values a right run gives them."""
    values = []
    taken = set()
    for preds in shape:
        values.append((sum(values[p] for p in preds) + 1) & WORD)
        taken.update(preds)
    sinks = [task for task in range(len(shape)) if task not in taken]
    return sinks, [values[task] for task in sinks]


def add(*values):
    return (sum(values) + 1) & WORD


def add_list(values):
    return (sum(values) + 1) & WORD


class Graph:
    """A dictionary of tasks for the threaded scheduler."""

    def __init__(self, shape, sinks, pool):
        from dask.threaded import get

        names = ["task-%d" % task for task in range(len(shape))]
        self.get, self.pool = get, pool
        self.sinks = [names[task] for task in sinks]
        self.tasks = {}
        for name, preds in zip(names, shape):
            inputs = [names[p] for p in preds]
            self.tasks[name] = (add, *inputs) if len(preds) <= ARGUMENTS_MAX else (add_list, inputs)

    def run(self):
        return self.get(self.tasks, self.sinks, pool=self.pool)


class Delayed:
    """The same through dask.delayed, as a user writes it."""

    def __init__(self, shape, sinks, pool):
        from dask import delayed

        few, many = delayed(add), delayed(add_list)
        tasks = []
        for preds in shape:
            inputs = [tasks[p] for p in preds]
            tasks.append(few(*inputs) if len(preds) <= ARGUMENTS_MAX else many(inputs))
        self.pool = pool
        self.sinks = [tasks[task] for task in sinks]

    def run(self):
        from dask import compute

        return compute(*self.sinks, scheduler="threads", pool=self.pool)


def memory_peak():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return None


def memory_mark():
    """Makes the peak start over from what is resident now, where the kernel allows it."""
    try:
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")
    except OSError:
        pass
    return memory_peak()


def timed(step):
    start = time.perf_counter_ns()
    result = step()
    return time.perf_counter_ns() - start, result


def measure_once(make, expected):
    build, graph = timed(make)
    run, values = timed(graph.run)
    again, values_again = timed(graph.run)
    if list(values) != expected or list(values_again) != expected:
        sys.exit("dask: results are wrong")
    holder = [graph]
    del graph
    free, _ = timed(lambda: (holder.clear(), gc.collect()))
    return build + run + free, build, run, again, free


def measure(name, options):
    from concurrent.futures import ThreadPoolExecutor

    import dask.delayed  # noqa: F401  so that no import falls into the timed part
    import dask.threaded  # noqa: F401

    shape = MAKERS[name](options.tasks)
    sinks, expected = expected_sinks(shape)
    kind = Delayed if options.delayed else Graph
    with ThreadPoolExecutor(options.threads) as pool:
        before = memory_mark()
        steps = [measure_once(lambda: kind(shape, sinks, pool), expected) for _ in range(options.repeat)]
        after = memory_peak()
    figures = ["%.1f" % (statistics.median(step) / len(shape)) for step in zip(*steps)]
    figures.append("-" if before is None else "%.1f" % ((after - before) / len(shape)))
    engine = "dask-delayed" if options.delayed else "dask"
    print(engine, name, options.threads, len(shape), *figures, sep="\t", flush=True)


def measure_in_child(name, options):
    """True when the child measured the shape and verified its results."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        measure(name, options)
        sys.exit(0)
    return os.waitpid(child, 0)[1] == 0


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("%s is not positive" % text)
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="all", choices=("all", *SHAPES))
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--tasks", type=positive, default=20000)
    parser.add_argument("--repeat", type=positive, default=3)
    parser.add_argument("--delayed", action="store_true", help="build the graph through dask.delayed")
    options = parser.parse_args()
    print(*HEADER.split(), sep="\t")
    names = SHAPES if options.shape == "all" else (options.shape,)
    results = [measure_in_child(name, options) for name in names]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
