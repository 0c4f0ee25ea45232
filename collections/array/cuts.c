#include "collections/array/cuts.h"

#include <string.h>

static void cut_at(rk_cuts *c, int64_t place)
{
    int64_t *bound = rk_array_push(&c->bounds);
    if (bound)
        *bound = c->last = place;
    else
        c->failed = true;
}

void rk_cuts_init(rk_cuts *c, int64_t total, int64_t least, int64_t most)
{
    *c = (rk_cuts){.bounds = RK_ARRAY(int64_t, RK_MAX_NODES), .total = total, .least = least, .most = most};
    cut_at(c, 0);
}

/* Regular cuts where nothing better comes up to place. */
static void cut_until(rk_cuts *c, int64_t place)
{
    while (place - c->last > c->most + c->most / 2 && !c->failed)
        cut_at(c, c->last + c->most);
}

void rk_cuts_wish(rk_cuts *c, int64_t place)
{
    if (place <= 0 || place >= c->total)
        return;
    cut_until(c, place);
    if (place - c->last >= c->least)
        cut_at(c, place);
}

/* The end, without a sliver before it. */
static void cut_end(rk_cuts *c)
{
    cut_until(c, c->total);
    if (c->bounds.count > 1 && c->total - c->last < (c->least + 3) / 4)
        ((int64_t *)c->bounds.data)[c->bounds.count - 1] = c->total;
    else
        cut_at(c, c->total);
}

int rk_cuts_fini(rk_cuts *c, rk_lowering *lowering, int64_t *count, int64_t **bounds)
{
    cut_end(c);
    size_t bytes = c->bounds.count * sizeof(int64_t);
    *bounds = c->failed ? NULL : rk_lowering_memory(lowering, bytes);
    *count = (int64_t)c->bounds.count - 1;
    if (*bounds)
        memcpy(*bounds, c->bounds.data, bytes);
    else
        rk_graph_fail(rk_lowering_graph(lowering), RASK_ENOMEM, NULL, 0, "no memory for a grid");
    rk_array_fini(&c->bounds);
    return *bounds ? RASK_OK : RASK_ENOMEM;
}

int rk_grid_bounded(rk_lowering *lowering, rk_chunks *chunks, uint32_t ndim, const int64_t *count,
                    int64_t *const *bounds)
{
    int64_t total = 1;
    rk_chunks made = {.ndim = ndim}; /* count and bounds may be those of *chunks */
    for (uint32_t i = 0; i < ndim; i++) {
        made.count[i] = count[i];
        made.bounds[i] = bounds[i];
        if (__builtin_mul_overflow(total, count[i], &total) || total > RK_MAX_NODES) {
            rk_graph_fail(rk_lowering_graph(lowering), RASK_ELIMIT, NULL, 0,
                          "an array in more than %u chunks", RK_MAX_NODES);
            return RASK_ELIMIT;
        }
    }
    made.nodes = rk_lowering_memory(lowering, (size_t)total * sizeof *made.nodes);
    if (!made.nodes)
        return RASK_ENOMEM;
    memset(made.nodes, 0, (size_t)total * sizeof *made.nodes);
    *chunks = made;
    return RASK_OK;
}

int rk_grid_of(rk_lowering *lowering, rask_array *a, rk_chunks *grid)
{
    int64_t lengths[RASK_MAX_DIMENSIONS];
    if (a->kind == RK_OPAQUE) {
        const rk_chunks *own = rk_lower_chunks(lowering, a);
        if (!own)
            return rk_lowering_graph(lowering)->status;
        *grid = *own;
        return RASK_OK;
    }
    rk_grid_choose(lowering, a, lengths);
    return rk_grid_regular(lowering, grid, a->ndim, a->shape, lengths);
}

int64_t rk_grid_longest(const rk_chunks *grid, uint32_t axis)
{
    int64_t longest = 0;
    for (int64_t i = 0; i < grid->count[axis]; i++) {
        int64_t length = grid->bounds[axis][i + 1] - grid->bounds[axis][i];
        longest = longest > length ? longest : length;
    }
    return longest;
}
