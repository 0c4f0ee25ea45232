#include "collections/array/cuts.h"

#include "collections/array/lowering.h"
#include "collections/array/source.h"

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

/* -- The grid that elements come in */

/* The inputs through which elements come from an array with chunks, from a on; 0: there is none, or it is far. */
enum { FAR = 32 };
static uint32_t way_to_chunks(rask_array *a, rask_array **way)
{
    uint32_t count = 0;
    while (count < FAR && a && !rk_array_has_wish(a)) {
        way[count++] = a;
        if (rk_array_makes_chunks(a))
            return count;
        rask_array *next = NULL;
        for (uint32_t i = 0; i < a->input_count && !next; i++)
            if (rk_array_is_chunked(a->inputs[i]))
                next = a->inputs[i];
        a = next;
    }
    return 0;
}

/* Where the view's axis, which counts from start on in steps along one that is cut at bounds, is cut: in the lowering's
 * memory. NULL, latched. */
static int64_t *bounds_through(rk_lowering *l, int64_t start, int64_t step, int64_t length, int64_t *count,
                               const int64_t *bounds)
{
    int64_t *made = rk_lowering_memory(l, ((size_t)*count + 1) * sizeof *made), n = 0, old = *count;
    if (!made)
        return NULL;
    made[0] = 0;
    for (int64_t k = 1; k < old; k++) {
        int64_t bound = bounds[step > 0 ? k : old - k];
        int64_t ahead = step > 0 ? bound - start + step - 1 : start - bound;
        int64_t place = ahead < 0 ? 0 : ahead / (step > 0 ? step : -step) + (step < 0);
        if (place > made[n] && place < length)
            made[++n] = place;
    }
    made[++n] = length;
    *count = n;
    return made;
}

/* The grid of a view, from its input's. */
static int grid_through(rk_lowering *l, rask_array *view, const rk_chunks *input, rk_chunks *grid)
{
    const rk_view *v = view->as.view;
    int64_t lengths[RASK_MAX_DIMENSIONS];
    rk_grid_choose(l, view, lengths); /* for axes that no axis of the input is behind */
    int status = rk_grid_regular(l, grid, view->ndim, view->shape, lengths);
    for (uint32_t i = 0; i < input->ndim && !status; i++) {
        int8_t to = v->from[i];
        if (to < 0 || !v->step[i])
            continue;
        grid->count[to] = input->count[i];
        grid->bounds[to] =
            bounds_through(l, v->start[i], v->step[i], view->shape[to], &grid->count[to], input->bounds[i]);
        status = grid->bounds[to] ? RASK_OK : RASK_ENOMEM;
    }
    return status;
}

int rk_grid_of(rk_lowering *lowering, rask_array *a, rk_chunks *grid)
{
    rask_array *way[FAR];
    uint32_t count = way_to_chunks(a, way);
    if (!count)
        return rk_lower_grid(lowering, a, grid);
    int status = rk_lower_grid(lowering, way[--count], grid);
    while (count > 0 && !status) {
        rk_chunks input = *grid;
        if (way[--count]->kind == RK_VIEW)
            status = grid_through(lowering, way[count], &input, grid);
    }
    grid->nodes = NULL;
    return status;
}

bool rk_array_has_wish(const rask_array *a)
{
    for (uint32_t i = 0; a->chunks && i < a->ndim; i++)
        if (a->chunks[i] > 0)
            return true;
    return false;
}

bool rk_array_makes_chunks(const rask_array *a)
{
    return a->kind == RK_OPAQUE || a->kind == RK_REDUCE ||
           (a->kind == RK_SOURCE && a->as.source->kind == RK_SOURCE_CHUNKED);
}

/* Looks at a few arrays only: an expression of more counts as chunked, which is never wrong. */
bool rk_array_is_chunked(const rask_array *a)
{
    enum { FEW = 64 };
    const rask_array *seen[FEW] = {a};
    uint32_t count = 1;
    for (uint32_t at = 0; at < count; at++) {
        if (rk_array_makes_chunks(seen[at]))
            return true;
        for (uint32_t i = 0; i < seen[at]->input_count; i++) {
            if (count == FEW)
                return true;
            seen[count++] = seen[at]->inputs[i];
        }
    }
    return false;
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
