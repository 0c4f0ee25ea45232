/* A function of the user's over chunks. */
#include "collections/array/map.h"

#include "core/base/alloc.h"
#include "core/task/pack.h"
#include "core/task/task.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

/* -- The function as a value */

static void free_map(void *map)
{
    rk_free(map);
}

static int encode_map(const void *data, rask_value *bytes)
{
    static const char reason[] = "a function over chunks has a context, which is memory of the program's: "
                                 "let rask_graph_context() make it";
    const rk_map *map = data;
    rk_pack_out out = {0};
    bool goes = !map->context || map->bytes;
    if (goes && !rk_pack_put_place(&out, (uintptr_t)map->function)) {
        rk_pack_put_bytes(&out, map->context, map->bytes);
        return rk_pack_out_value(&out, bytes);
    }
    if (!goes)
        rask_value_bytes_new(reason, sizeof reason - 1, bytes);
    rk_pack_out_fini(&out);
    return RASK_EUNSUPPORTED;
}

/* In another process, with its context. */
typedef struct map_elsewhere {
    rk_map map; /* the first: who has one sees only this */
    alignas(max_align_t) char context[];
} map_elsewhere;

static int decode_map(rask_bytes bytes, void **data)
{
    rk_pack_in in = {bytes.data, bytes.data + bytes.len, false, NULL};
    uintptr_t function = rk_pack_get_place(&in, 1, true);
    rask_bytes context = rk_pack_get_bytes(&in);
    if (!function || in.failed)
        return RASK_EFORMAT;
    map_elsewhere *own = rk_alloc(sizeof *own + context.len);
    if (!own)
        return RASK_ENOMEM;
    own->map = (rk_map){(rask_array_map)function, context.len ? own->context : NULL, context.len};
    memcpy(own->context, context.data, context.len);
    *data = own;
    return RASK_OK;
}

static uint64_t hash_map(const void *data)
{
    const rk_map *map = data;
    return (uintptr_t)map->function ^ (uintptr_t)map->context;
}

static bool same_map(const void *a, const void *b)
{
    const rk_map *x = a, *y = b;
    return x->function == y->function && x->context == y->context;
}

static const rask_class map_class = {.name = "function over chunks",
                                     .destroy = free_map,
                                     .encode = encode_map,
                                     .decode = decode_map,
                                     .hash = hash_map,
                                     .equal = same_map};

rask_node *rk_map_node(rk_lowering *l, const rk_map *map)
{
    rk_map *own = rk_alloc(sizeof *own);
    if (!own) {
        rk_graph_fail(rk_lowering_graph(l), RASK_ENOMEM, NULL, 0, "no memory for a function over chunks");
        return NULL;
    }
    *own = *map;
    return rk_lower_constant(l, &map_class, own);
}

/* -- Tasks */

/* Fails the task with what the function said, in which chunk. */
static int function_failed(rask_task *task, const rask_chunk *chunk, int status, const char *message)
{
    char start[RK_SHAPE_TEXT];
    return rk_task_fail(task, status, "chunk %llu, from %s on: %s", (unsigned long long)chunk->number,
                        rk_shape_text(chunk->start, chunk->ndim, start),
                        message[0] ? message : rask_status_text(status));
}

static int get_inputs(rask_task *task, rask_block *in, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (rask_arg_block(task, 2 + (size_t)i, &in[i]))
            return task->status;
    return RASK_OK;
}

int rk_map_call(rask_task *task)
{
    const rk_map_params *params = rk_task_params(task, sizeof *params);
    const rk_map *map = params ? rask_arg_custom(task, 1, &map_class) : NULL;
    char message[RK_MAX_MESSAGE + 1] = "";
    rask_block few[4], *in = few, out;
    rask_value value;
    if (!map)
        return task->status;
    uint32_t count = (uint32_t)(rask_arg_count(task) - 2);
    if (count > sizeof few / sizeof *few)
        in = rk_alloc_array(count, sizeof *in);
    if (!in)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for %u blocks", count);
    int status = get_inputs(task, in, count);
    if (!status)
        status =
            rk_task_result(task, (rask_dtype)params->dtype, params->chunk.ndim, params->count, &out, &value);
    if (!status) {
        status = map->function(map->context, &params->chunk, in, count, &out, message, sizeof message);
        if (status)
            rask_value_unref(&value);
        status =
            status ? function_failed(task, &params->chunk, status, message) : rask_return_value(task, value);
    }
    if (in != few)
        rk_free(in);
    return status;
}

static const rask_task_def map_def = {
    .size = sizeof(rask_task_def), .name = "map_blocks", .call = rk_map_call, .flags = RASK_PURE};

void rk_map_params_init(rk_map_params *params, const rask_array *array, uint64_t number,
                        const rk_region *chunk)
{
    memset(params, 0, sizeof *params); /* compared byte by byte when equal calls are merged */
    params->dtype = array->dtype;
    params->chunk.number = number;
    params->chunk.ndim = array->ndim;
    memcpy(params->chunk.shape, array->shape, array->ndim * sizeof *array->shape);
    memcpy(params->chunk.start, chunk->start, array->ndim * sizeof *chunk->start);
    memcpy(params->count, chunk->count, array->ndim * sizeof *chunk->count);
}

uint64_t rk_map_bytes(const rask_array *array, const rk_region *chunk)
{
    return (uint64_t)rk_shape_size(chunk->count, chunk->ndim) * rask_dtype_size(array->dtype);
}

/* Whether chunks were asked for, of the array or of what it is made of by element. */
static rask_array *with_wish(rask_array *a)
{
    while (a && !a->chunks) {
        rask_array *next = NULL;
        for (uint32_t i = 0; a->kind == RK_ELEMENTWISE && i < a->input_count && !next; i++)
            if (a->inputs[i]->kind != RK_VIEW && a->inputs[i]->kind != RK_SCALAR)
                next = a->inputs[i];
        a = next;
    }
    return a;
}

int rk_map_grid(rk_lowering *l, rask_array *array, rk_chunks *grid)
{
    rask_array *of = NULL;
    for (uint32_t i = 0; i < array->input_count && !of; i++)
        of = with_wish(array->inputs[i]);
    for (uint32_t i = 0; i < array->input_count && !of; i++)
        of = rk_array_is_chunked(array->inputs[i]) ? array->inputs[i] : NULL;
    int status = rk_grid_of(l, of ? of : array->inputs[0], grid);
    return status ? status : rk_grid_bounded(l, grid, array->ndim, grid->count, grid->bounds);
}

/* nodes: the function, and room for the inputs. */
static rask_node *map_chunk(rk_lowering *l, rask_array *array, uint64_t number, const rk_region *chunk,
                            rask_node **nodes)
{
    rk_map_params params;
    for (uint32_t i = 0; i < array->input_count; i++) {
        nodes[1 + i] = rk_lower_region(l, array->inputs[i], chunk);
        if (!nodes[1 + i])
            return NULL;
    }
    rk_map_params_init(&params, array, number, chunk);
    return rk_lower_call(l, &map_def, &params, sizeof params, nodes, 1 + (size_t)array->input_count,
                         rk_map_bytes(array, chunk), 0);
}

static int map_lower(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    uint64_t number = 0;
    rk_region region;
    rask_node **nodes = rk_lowering_memory(l, (1 + (size_t)array->input_count) * sizeof(rask_node *));
    if (!nodes || !(nodes[0] = rk_map_node(l, array->params)))
        return rk_lowering_failure(l);
    int status = rk_map_grid(l, array, chunks);
    if (status)
        return status;
    do {
        rk_chunks_region(chunks, index, &region);
        chunks->nodes[number] = map_chunk(l, array, number, &region, nodes);
        if (!chunks->nodes[number++])
            return rk_lowering_graph(l)->status;
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

static const rk_opaque map_opaque = {.name = "map_blocks", .lower = map_lower};

rask_array *rask_array_map_blocks_at(rask_array *const *arrays, uint32_t count, rask_array_map function,
                                     void *context, rask_dtype dtype, const char *file, int line)
{
    static const char who[] = "rask_array_map_blocks";
    for (uint32_t i = 0; i < count; i++)
        if (!arrays || !arrays[i])
            return NULL;
    if (!count)
        return NULL;
    rask_array *a = arrays[0];
    for (uint32_t i = 1; i < count; i++)
        if (arrays[i]->ndim != a->ndim || memcmp(arrays[i]->shape, a->shape, a->ndim * sizeof *a->shape)) {
            char first[RK_SHAPE_TEXT], other[RK_SHAPE_TEXT];
            rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                          "%s: array 0 has shape %s and array %u has %s: they must be the same", who,
                          rk_shape_text(a->shape, a->ndim, first), i,
                          rk_shape_text(arrays[i]->shape, arrays[i]->ndim, other));
            return NULL;
        }
    if (!rk_map_check(a->graph, function, dtype, who, file, line))
        return NULL;
    rk_map map = {function, context, rk_graph_context(a->graph, context).len};
    return rk_array_opaque(a->graph, &map_opaque, &map, sizeof map, dtype, a->ndim, a->shape, arrays, count,
                           file, line);
}

bool rk_map_check(rask_graph *graph, rask_array_map function, rask_dtype dtype, const char *who,
                  const char *file, int line)
{
    if (!function)
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: no function", who);
    else if (dtype >= RASK_DT_COUNT)
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: %d is no dtype", who, (int)dtype);
    else
        return true;
    return false;
}
