/*
 * oneTBB's flow graph: one continue_node a task, one edge a dependency, values in an array beside the graph.
 * The nodes without predecessors are put one by one, which is cheaper than a broadcast_node before them.
 */
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include "peer.h"

namespace
{

using tbb::flow::continue_msg;
using node = tbb::flow::continue_node<continue_msg>;

/* Nodes can be neither moved nor outlive their graph: a deque behind it keeps both rules. */
struct flow {
    tbb::flow::graph graph;
    std::deque<node> nodes;
};

struct engine {
    engine(const bench_shape *s, uint32_t threads)
        : shape(s), limit(tbb::global_control::max_allowed_parallelism, threads),
          arena(static_cast<int>(threads))
    {
        arena.initialize();
    }

    const bench_shape *shape;
    tbb::global_control limit;
    tbb::task_arena arena;
    std::optional<flow> made;
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

void make_nodes(engine *e)
{
    const bench_shape *shape = e->shape;
    uint64_t *values = e->values;
    flow &f = e->made.emplace();
    for (uint32_t task = 0; task < shape->n; task++) {
        f.nodes.emplace_back(f.graph, [shape, values, task](const continue_msg &) {
            values[task] = bench_shape_value(shape, values, task);
        });
        for (uint32_t i = shape->pred_start[task]; i < shape->pred_start[task + 1]; i++)
            tbb::flow::make_edge(f.nodes[shape->pred[i]], f.nodes[task]);
    }
}

/* A graph runs in the arena it was made in, so every step is taken inside. */
void engine_build(void *self)
{
    engine *e = cast(self);
    e->values = static_cast<uint64_t *>(bench_peer_zeroed(e->shape->n, sizeof *e->values));
    e->arena.execute([e] { make_nodes(e); });
}

void put_sources(engine *e)
{
    for (uint32_t task = 0; task < e->shape->n; task++) {
        if (bench_shape_pred_count(e->shape, task) == 0)
            e->made->nodes[task].try_put(continue_msg());
    }
    e->made->graph.wait_for_all();
}

void engine_run(void *self)
{
    engine *e = cast(self);
    e->arena.execute([e] { put_sources(e); });
}

void engine_free(void *self)
{
    engine *e = cast(self);
    e->arena.execute([e] { e->made.reset(); });
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
    const bench_engine tbb_flow = {"tbb",      engine_open, engine_build, engine_run,
                                   engine_run, engine_free, engine_close, engine_values};
    return bench_peer_main(&tbb_flow, argc, argv);
}
