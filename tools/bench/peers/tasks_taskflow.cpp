/*
 * Taskflow: one static task a task, one precede a dependency, values in an array beside the graph.
 * The executor's workers do all the work; the main thread waits, as in Taskflow's own benchmarks.
 */
#include <cstdlib>
#include <optional>
#include <vector>

#include <taskflow/taskflow.hpp>

#include "peer.h"

namespace
{

struct engine {
    engine(const bench_shape *s, uint32_t threads) : shape(s), executor(threads)
    {
    }

    const bench_shape *shape;
    tf::Executor executor;
    std::optional<tf::Taskflow> made;
    uint64_t *values = nullptr;
};

engine *cast(void *self)
{
    return static_cast<engine *>(self);
}

void *engine_open(const bench_shape *shape, uint32_t threads)
{
    return new engine(shape, threads);
}

void engine_close(void *self)
{
    delete cast(self);
}

void engine_build(void *self)
{
    engine *e = cast(self);
    const bench_shape *shape = e->shape;
    uint64_t *values = static_cast<uint64_t *>(bench_peer_zeroed(shape->n, sizeof *values));
    std::vector<tf::Task> handles(shape->n);
    tf::Taskflow &flow = e->made.emplace();
    e->values = values;
    for (uint32_t task = 0; task < shape->n; task++) {
        handles[task] =
            flow.emplace([shape, values, task]() { values[task] = bench_shape_value(shape, values, task); });
        for (uint32_t i = shape->pred_start[task]; i < shape->pred_start[task + 1]; i++)
            handles[shape->pred[i]].precede(handles[task]);
    }
}

void engine_run(void *self)
{
    engine *e = cast(self);
    e->executor.run(*e->made).wait();
}

/* The future of a run is ready a little before its worker lets go of the graph; wait_for_all outlasts that.
 */
void engine_free(void *self)
{
    engine *e = cast(self);
    e->executor.wait_for_all();
    e->made.reset();
    std::free(e->values);
    e->values = nullptr;
}

uint64_t *engine_values(void *self)
{
    return cast(self)->values;
}

} // namespace

int main(int argc, char **argv)
{
    const bench_engine taskflow = {"taskflow", engine_open, engine_build, engine_run,
                                   engine_run, engine_free, engine_close, engine_values};
    return bench_peer_main(&taskflow, argc, argv);
}
