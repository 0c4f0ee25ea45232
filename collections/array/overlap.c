/* A function of the user's over chunks with their surroundings.
 *
 * A chunk asks for its box and what is around it as one region of the input, which is read where it lies: nothing is
 * exchanged between chunks, and only chunks at the ends of the array are put together from parts. */
#include "collections/array/axes.h"
#include "collections/array/lowering.h"
#include "collections/array/map.h"
#include "collections/array/pad.h"

#include <string.h>

enum {
    CHUNK_BYTES =
        2 << 20, /* with its surroundings and its result a chunk stays in a core's share of the caches */
    LENGTH_FOR_DEPTH =
        16, /* a chunk is so many times longer than its surroundings are deep, if it is cut at all */
};

static const char who[] = "rask_array_map_overlap";
static const rask_task_def surroundings_def = RK_ASSEMBLE_DEF("surroundings");
static const rask_task_def overlap_def = {
    .size = sizeof(rask_task_def), .name = "map_overlap", .call = rk_map_call, .flags = RASK_PURE};

/* Params of the array. */
typedef struct overlap {
    rk_map map;
    int64_t boundary;
    uint64_t fill[2];
    int64_t depth[RASK_MAX_DIMENSIONS];
} overlap;

static rk_axis_kind kind_of(int64_t boundary)
{
    switch (boundary) {
    case RASK_BOUNDARY_NEAREST: return RK_AXIS_EDGE;
    case RASK_BOUNDARY_REFLECT: return RK_AXIS_SYMMETRIC;
    case RASK_BOUNDARY_PERIODIC: return RK_AXIS_WRAP;
    default: return RK_AXIS_CONSTANT;
    }
}

/* -- The grid */

/* Lengths of chunks that nobody else cuts: whole in the last axes, so that surroundings are few and runs long. */
static void choose_lengths(rk_lowering *l, const rask_array *a, const overlap *o, int64_t *lengths)
{
    size_t element = rask_dtype_size(a->dtype);
    uint64_t most = rk_lowering_chunk_bytes(l), bytes = CHUNK_BYTES;
    uint64_t part = rk_lowering_part_bytes(l, (uint64_t)rk_shape_size(a->shape, a->ndim) * element);
    bytes = bytes < part ? bytes : part;
    for (;; bytes *= 2) {
        bool good = true;
        rk_grid_auto(bytes, element, a->ndim, a->shape, NULL, lengths);
        for (uint32_t i = 0; i < a->ndim; i++)
            good &= lengths[i] >= a->shape[i] || lengths[i] >= LENGTH_FOR_DEPTH * o->depth[i];
        if (good || bytes > most / 2)
            return;
    }
}

static int make_grid(rk_lowering *l, rask_array *array, const overlap *o, rk_chunks *chunks)
{
    int64_t lengths[RASK_MAX_DIMENSIONS];
    rask_array *input = array->inputs[0];
    if (rk_array_has_wish(input) || rk_array_is_chunked(input))
        return rk_map_grid(l, array, chunks);
    choose_lengths(l, array, o, lengths);
    return rk_grid_regular(l, chunks, array->ndim, array->shape, lengths);
}

/* -- A chunk */

/* The chunk and what is around it, as far as the array goes; before and after: how far. */
static void clip(const rask_array *array, const overlap *o, const rk_region *chunk, rk_region *region,
                 rask_chunk *info)
{
    *region = *chunk;
    for (uint32_t i = 0; i < array->ndim; i++) {
        int64_t behind = array->shape[i] - chunk->start[i] - chunk->count[i];
        info->before[i] = o->depth[i] < chunk->start[i] ? o->depth[i] : chunk->start[i];
        info->after[i] = o->depth[i] < behind ? o->depth[i] : behind;
        region->start[i] -= info->before[i];
        region->count[i] += info->before[i] + info->after[i];
    }
}

/* The same, beyond the array: start counts from the first element around it. */
static void extend(const rask_array *array, const overlap *o, const rk_region *chunk, rk_region *region,
                   rask_chunk *info)
{
    *region = *chunk;
    for (uint32_t i = 0; i < array->ndim; i++) {
        info->before[i] = info->after[i] = o->depth[i];
        region->count[i] += 2 * o->depth[i];
    }
}

static rask_node *overlap_chunk(rk_lowering *l, rask_array *array, const rk_axes *axes, rask_node *function,
                                uint64_t number, const rk_region *chunk)
{
    const overlap *o = array->params;
    rask_array *input = array->inputs[0];
    rk_map_params params;
    rk_region region;
    rask_node *nodes[2] = {function};
    rk_map_params_init(&params, array, number, chunk);
    if (o->boundary == RASK_BOUNDARY_NONE || !rk_shape_size(array->shape, array->ndim)) {
        clip(array, o, chunk, &region, &params.chunk);
        nodes[1] = rk_lower_region(l, input, &region);
    } else {
        extend(array, o, chunk, &region, &params.chunk);
        nodes[1] = rk_axes_region(l, axes, array->inputs, input->dtype, array->ndim, &region);
    }
    return nodes[1] ? rk_lower_call(l, &overlap_def, &params, sizeof params, nodes, 2,
                                    rk_map_bytes(array, chunk), 0)
                    : NULL;
}

static int overlap_lower(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    const overlap *o = array->params;
    uint64_t number = 0;
    rk_axes axes = {.def = &surroundings_def, .fill = {o->fill[0], o->fill[1]}};
    rk_region region;
    rask_node *function = rk_map_node(l, &o->map);
    int status = function ? make_grid(l, array, o, chunks) : rk_lowering_failure(l);
    if (status)
        return status;
    for (uint32_t i = 0; i < array->ndim; i++)
        axes.maps[i] = (rk_axis_map){.kind = o->depth[i] ? kind_of(o->boundary) : RK_AXIS_CONSTANT,
                                     .length = array->shape[i],
                                     .before = o->depth[i]};
    do {
        rk_chunks_region(chunks, index, &region);
        chunks->nodes[number] = overlap_chunk(l, array, &axes, function, number, &region);
        if (!chunks->nodes[number++])
            return rk_lowering_graph(l)->status;
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

static const rk_opaque overlap_opaque = {.name = "map_overlap", .lower = overlap_lower};

/* -- Builder */

static bool check(rask_array *a, const int64_t *depth, rask_boundary boundary, const char *file, int line)
{
    if (boundary > RASK_BOUNDARY_PERIODIC) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: %d is no boundary", who, (int)boundary);
        return false;
    }
    for (uint32_t i = 0; i < a->ndim; i++)
        if (depth[i] < 0 || depth[i] > INT64_MAX / 4 - a->shape[i]) {
            rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: a depth of %lld along axis %u", who,
                          (long long)depth[i], i);
            return false;
        }
    return true;
}

rask_array *rask_array_map_overlap_at(rask_array *a, const int64_t *depth, rask_boundary boundary,
                                      double value, rask_array_map function, void *context, rask_dtype dtype,
                                      const char *file, int line)
{
    overlap o;
    if (!a || !check(a, depth, boundary, file, line) ||
        !rk_map_check(a->graph, function, dtype, who, file, line))
        return NULL;
    memset(&o, 0, sizeof o);
    o.map = (rk_map){function, context, rk_graph_context(a->graph, context).len};
    o.boundary = boundary;
    memcpy(o.depth, depth, a->ndim * sizeof *depth);
    if (boundary == RASK_BOUNDARY_CONSTANT)
        rk_operand_element(&(rask_operand){.kind = RASK_OPERAND_F64, .as.f64 = value}, a->dtype, o.fill);
    return rk_array_opaque(a->graph, &overlap_opaque, &o, sizeof o, dtype, a->ndim, a->shape, &a, 1, file,
                           line);
}
