/* Arrays of a graph: how they are made, and made once.
 *
 * The graph's table holds every array but sources, by what it is. An array is written by whoever makes it and does not
 * change from then on. */
#include "collections/array/array.h"

#include "core/graph/build.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum { FIRST_SLOTS = 64 };

typedef struct slot {
    uint64_t hash;
    rask_array *array;
} slot;

/* Open addressing; at most half full. */
typedef struct array_table {
    slot *slots;
    size_t slot_count, used;
    uint32_t arrays; /* made so far, with sources */
} array_table;

static void table_end(void *what)
{
    array_table *table = what;
    rk_free(table->slots);
}

/* The graph's table; NULL, latched. */
static array_table *table_of(rask_graph *graph)
{
    if (graph->arrays)
        return graph->arrays;
    array_table *table = rk_array_memory(graph, sizeof *table);
    if (!table)
        return NULL;
    *table = (array_table){0};
    if (rk_array_at_end(graph, table_end, table))
        return NULL;
    graph->arrays = table;
    return table;
}

static void put(slot *slots, size_t slot_count, slot what)
{
    size_t at = what.hash & (slot_count - 1);
    while (slots[at].array)
        at = (at + 1) & (slot_count - 1);
    slots[at] = what;
}

/* Room for one more; false when there is no memory. */
static bool table_grow(array_table *table)
{
    if (2 * (table->used + 1) <= table->slot_count)
        return true;
    size_t grown_count = table->slot_count ? 2 * table->slot_count : FIRST_SLOTS;
    slot *grown = rk_calloc(grown_count, sizeof *grown);
    if (!grown)
        return false;
    for (size_t i = 0; i < table->slot_count; i++)
        if (table->slots[i].array)
            put(grown, grown_count, table->slots[i]);
    rk_free(table->slots);
    table->slots = grown;
    table->slot_count = grown_count;
    return true;
}

/* What an array is beyond its kind, dtype, shape and inputs: bytes, and something known by its address. */
typedef struct payload {
    const void *data;
    size_t size;
    const void *identity;
} payload;

static payload payload_of(const rask_array *a)
{
    switch ((rk_array_kind)a->kind) {
    case RK_FILL:
        /* A function's address is as good as any other here. */
        return (payload){a->as.fill->params, a->as.fill->params_size,
                         (const void *)(uintptr_t)a->as.fill->function};
    case RK_SCALAR: return (payload){&a->as.scalar, sizeof a->as.scalar, NULL};
    case RK_VIEW: return (payload){a->as.view, sizeof *a->as.view, NULL};
    case RK_REDUCE: return (payload){a->as.reduce, sizeof *a->as.reduce, NULL};
    case RK_OPAQUE: return (payload){a->params, a->params_size, a->as.opaque};
    default: return (payload){NULL, 0, NULL};
    }
}

static uint64_t hash_of(const rask_array *a, payload own)
{
    uint64_t head[] = {a->kind, a->op, a->dtype, a->ndim, a->input_count, (uintptr_t)own.identity};
    uint64_t hash = XXH3_64bits(head, sizeof head);
    hash = XXH3_64bits_withSeed(a->shape, a->ndim * sizeof *a->shape, hash);
    if (a->input_count)
        hash = XXH3_64bits_withSeed(a->inputs, a->input_count * sizeof *a->inputs, hash);
    return own.size ? XXH3_64bits_withSeed(own.data, own.size, hash) : hash;
}

static bool same_bytes(const void *a, const void *b, size_t size)
{
    return size == 0 || memcmp(a, b, size) == 0;
}

static bool equal(const rask_array *a, const rask_array *b)
{
    payload own = payload_of(a), other = payload_of(b);
    return a->kind == b->kind && a->op == b->op && a->dtype == b->dtype && a->ndim == b->ndim &&
           a->input_count == b->input_count && own.identity == other.identity && own.size == other.size &&
           same_bytes(a->shape, b->shape, a->ndim * sizeof *a->shape) &&
           same_bytes(a->inputs, b->inputs, a->input_count * sizeof *a->inputs) &&
           same_bytes(own.data, other.data, own.size);
}

static rask_array *table_find(const array_table *table, const rask_array *key, uint64_t hash)
{
    if (!table->slot_count)
        return NULL;
    for (size_t at = hash & (table->slot_count - 1); table->slots[at].array;
         at = (at + 1) & (table->slot_count - 1))
        if (table->slots[at].hash == hash && equal(key, table->slots[at].array))
            return table->slots[at].array;
    return NULL;
}

/* Whether an array of this shape can be; empty axes do not hide how long the others are. */
static bool shape_fits(rask_graph *graph, rask_dtype dtype, uint32_t ndim, const int64_t *shape,
                       const char *file, int line)
{
    char text[RK_SHAPE_TEXT];
    int64_t bytes = (int64_t)rask_dtype_size(dtype);
    if (!bytes) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%d is no dtype", (int)dtype);
        return false;
    }
    if (ndim > RASK_MAX_DIMENSIONS) {
        rk_graph_fail(graph, RASK_ELIMIT, file, line, "an array of %" PRIu32 " dimensions: at most %d", ndim,
                      RASK_MAX_DIMENSIONS);
        return false;
    }
    for (uint32_t i = 0; i < ndim; i++) {
        if (shape[i] < 0) {
            rk_graph_fail(graph, RASK_EINVAL, file, line, "shape %s has a negative length",
                          rk_shape_text(shape, ndim, text));
            return false;
        }
        if (shape[i] &&
            (__builtin_mul_overflow(bytes, shape[i], &bytes) || bytes > (int64_t)(UINT64_C(1) << 62) - 1)) {
            rk_graph_fail(graph, RASK_ELIMIT, file, line, "an array of %s with shape %s is too large",
                          rask_dtype_name(dtype), rk_shape_text(shape, ndim, text));
            return false;
        }
    }
    return true;
}

static bool inputs_fit(rask_graph *graph, rask_array *const *inputs, uint32_t count, const char *file,
                       int line)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!inputs[i])
            return false;
        if (inputs[i]->graph != graph) {
            rk_graph_fail(graph, RASK_EINVAL, file, line, "input %" PRIu32 " is an array of another graph",
                          i);
            return false;
        }
    }
    return true;
}

/* A copy of key, which has been checked, with inputs of its own. What as and params point at is still the caller's. */
static rask_array *make(array_table *table, const rask_array *key, const char *file, int line)
{
    size_t room = key->input_count * sizeof *key->inputs;
    rask_array *array = rk_array_memory(key->graph, sizeof *array + room);
    if (!array)
        return NULL;
    *array = *key;
    array->inputs = room ? (rask_array **)(array + 1) : NULL;
    if (room)
        memcpy(array->inputs, key->inputs, room);
    array->number = table->arrays++;
    array->site = rk_graph_site(key->graph, file, line);
    return array;
}

rask_array *rk_array_new(rask_graph *graph, rk_array_kind kind, rask_dtype dtype, uint32_t ndim,
                         const int64_t *shape, rask_array *const *inputs, uint32_t input_count,
                         const char *file, int line)
{
    if (!graph || graph->status || !inputs_fit(graph, inputs, input_count, file, line) ||
        !shape_fits(graph, dtype, ndim, shape, file, line))
        return NULL;
    rask_array key = {.graph = graph,
                      .kind = kind,
                      .dtype = dtype,
                      .ndim = ndim,
                      .input_count = input_count,
                      .inputs = (rask_array **)inputs};
    if (ndim)
        memcpy(key.shape, shape, ndim * sizeof *shape);
    array_table *table = table_of(graph);
    return table ? make(table, &key, file, line) : NULL;
}

/* size bytes copied into the graph's memory; NULL only, latched, when there is none. */
static const void *keep(rask_graph *graph, const void *data, size_t size)
{
    void *copy = rk_array_memory(graph, size ? size : 1);
    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

/* Gives array what its key only points at; false, latched, when there is no memory. */
static bool keep_payload(rask_array *array)
{
    rask_graph *graph = array->graph;
    payload own = payload_of(array);
    const void *data = NULL;
    if (array->kind != RK_SCALAR && array->kind != RK_ELEMENTWISE &&
        !(data = keep(graph, own.data, own.size)))
        return false;
    switch ((rk_array_kind)array->kind) {
    case RK_FILL: {
        rk_fill fill = {array->as.fill->function, data, own.size};
        return (array->as.fill = keep(graph, &fill, sizeof fill)) != NULL;
    }
    case RK_VIEW: array->as.view = data; return true;
    case RK_REDUCE: array->as.reduce = data; return true;
    case RK_OPAQUE: array->params = data; return true;
    default: return true;
    }
}

rask_array *rk_array_intern(const rask_array *key, const char *file, int line)
{
    rask_graph *graph = key->graph;
    if (!graph || graph->status || !inputs_fit(graph, key->inputs, key->input_count, file, line) ||
        !shape_fits(graph, key->dtype, key->ndim, key->shape, file, line))
        return NULL;
    array_table *table = table_of(graph);
    if (!table)
        return NULL;
    uint64_t hash = hash_of(key, payload_of(key));
    rask_array *array = table_find(table, key, hash);
    if (array)
        return array;
    if (!table_grow(table)) {
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "no memory for array %" PRIu32, table->arrays);
        return NULL;
    }
    array = make(table, key, file, line);
    if (!array || !keep_payload(array))
        return NULL;
    put(table->slots, table->slot_count, (slot){hash, array});
    table->used++;
    return array;
}

rask_array *rk_array_opaque(rask_graph *graph, const rk_opaque *opaque, const void *params,
                            size_t params_size, rask_dtype dtype, uint32_t ndim, const int64_t *shape,
                            rask_array *const *inputs, uint32_t input_count, const char *file, int line)
{
    if (!graph || graph->status || !shape_fits(graph, dtype, ndim, shape, file, line))
        return NULL;
    rask_array key = {.graph = graph,
                      .kind = RK_OPAQUE,
                      .dtype = dtype,
                      .ndim = ndim,
                      .input_count = input_count,
                      .inputs = (rask_array **)inputs,
                      .as.opaque = opaque,
                      .params = params,
                      .params_size = params_size};
    if (ndim)
        memcpy(key.shape, shape, ndim * sizeof *shape);
    return rk_array_intern(&key, file, line);
}

void *rk_array_memory(rask_graph *graph, size_t size)
{
    void *memory = rk_arena_alloc(&graph->arena, size);
    if (!memory)
        rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for %zu bytes of an array's description", size);
    return memory;
}

int rk_array_at_end(rask_graph *graph, void (*end)(void *what), void *what)
{
    int status = rk_graph_at_end(graph, end, what);
    if (status) {
        rk_graph_fail(graph, status, NULL, 0, "no memory for an array's description");
        end(what);
    }
    return status;
}

rask_graph *rask_array_graph(const rask_array *array)
{
    return array ? array->graph : NULL;
}

rask_dtype rask_array_dtype(const rask_array *array)
{
    return array ? array->dtype : RASK_DT_COUNT;
}

uint32_t rask_array_ndim(const rask_array *array)
{
    return array ? array->ndim : 0;
}

const int64_t *rask_array_shape(const rask_array *array)
{
    return array ? array->shape : NULL;
}

int64_t rask_array_size(const rask_array *array)
{
    return array ? rk_shape_size(array->shape, array->ndim) : 0;
}
