/* Records that are not in files, as bytes: those in memory with all they have, of those that others make how many there are. */
#include "collections/bag/held.h"

#include "collections/bag/made.h"
#include "core/base/limits.h"

#include <string.h>

static const rk_bag_site site = {.what = "records in memory"};

/* -- Writing */

static uint64_t bytes_of(const rk_bag_chunk *chunk, uint32_t field)
{
    const uint64_t *ends = chunk->columns[field].ends;
    return chunk->shape->types[field] != 'y' ? chunk->count * chunk->shape->sizes[field]
           : ends                            ? ends[chunk->count]
                                             : 0;
}

static void put_field(const rk_bag_chunk *chunk, uint32_t field, rk_pack_out *out)
{
    const uint8_t *absent = chunk->columns[field].absent;
    rk_pack_put_bytes(out, chunk->columns[field].data, bytes_of(chunk, field));
    if (chunk->count && chunk->shape->types[field] == 'y')
        rk_pack_put(out, chunk->columns[field].ends, (chunk->count + 1) * sizeof *chunk->columns[field].ends);
    rk_pack_put_u8(out, absent != NULL);
    if (absent)
        rk_pack_put(out, absent, chunk->count);
}

/* Of fields 'x', which are all alike. */
static uint64_t struct_size(const rk_shape *shape)
{
    const char *x = strchr(shape->types, RASK_SIG_STRUCT);
    return x ? shape->sizes[x - shape->types] : 0;
}

int rk_bag_held_put(const rask_bag *bag, rk_pack_out *out, rk_open_error *error)
{
    const rk_bag_chunk *chunk = bag->as.held;
    if (bag->bytes > RK_MAX_TRAVELLING) {
        rk_open_fail(error, RASK_EUNSUPPORTED,
                     "records in the program's memory have %llu bytes, and %zu can go: write them to a file "
                     "that workers see",
                     (unsigned long long)bag->bytes, RK_MAX_TRAVELLING);
        return error->status;
    }
    rk_pack_put_text(out, chunk->shape->types);
    rk_pack_put_u64(out, struct_size(chunk->shape));
    rk_pack_put_u64(out, chunk->count);
    for (uint32_t i = 0; i < chunk->shape->count; i++)
        put_field(chunk, i, out);
    return RASK_OK;
}

/* -- Reading */

/* A copy in the graph's memory of the next size bytes; NULL: they are not there (in->failed is set), or latched. */
static const void *take(rask_graph *graph, rk_pack_in *in, uint64_t size)
{
    const char *at = rk_pack_get(in, size);
    return !at ? NULL : size ? rk_bag_keep(graph, at, size, &site) : "";
}

/* Where each item ends, in order and within so many bytes. */
static bool get_ends(rask_graph *graph, rk_pack_in *in, rk_bag_chunk *chunk, uint32_t field, uint64_t bytes)
{
    const uint64_t *ends =
        chunk->count < RK_MAX_TRAVELLING ? take(graph, in, (chunk->count + 1) * sizeof *ends) : NULL;
    bool good = ends && !ends[0] && ends[chunk->count] == bytes;
    for (uint64_t i = 0; good && i < chunk->count; i++)
        good = ends[i] <= ends[i + 1];
    chunk->columns[field].ends = ends;
    return good;
}

static bool get_absent(rask_graph *graph, rk_pack_in *in, rk_bag_chunk *chunk, uint32_t field)
{
    const uint8_t *absent = take(graph, in, chunk->count);
    for (uint64_t i = 0; absent && i < chunk->count; i++)
        if (absent[i] > 1)
            return false;
    chunk->columns[field].absent = absent;
    return absent != NULL;
}

static bool get_field(rask_graph *graph, rk_pack_in *in, const rk_shape *shape, rk_bag_chunk *chunk,
                      uint32_t field)
{
    bool text = shape->types[field] == 'y';
    uint64_t bytes = rk_pack_get_u64(in), wanted = 0;
    bool over = __builtin_mul_overflow(chunk->count, (uint64_t)shape->sizes[field], &wanted);
    if (over || (!text && bytes != wanted) || (text && !chunk->count && bytes))
        return false;
    chunk->columns[field].data = take(graph, in, bytes);
    if (!chunk->columns[field].data)
        return false;
    if (text && chunk->count && !get_ends(graph, in, chunk, field, bytes))
        return false;
    return !rk_pack_get_u8(in) || get_absent(graph, in, chunk, field);
}

/* The fields that come next; false: there are none. */
static bool get_shape(rk_pack_in *in, rk_shape *shape)
{
    char *types = NULL;
    bool good = rk_pack_get_text(in, &types) && types;
    uint64_t size = rk_pack_get_u64(in);
    good = good && !rk_shape_init(shape, types, size);
    rk_free(types);
    return good && !in->failed;
}

rask_bag *rk_bag_held_get(rask_graph *graph, rk_pack_in *in)
{
    rk_shape shape;
    rk_bag_chunk chunk = {0};
    bool good = get_shape(in, &shape);
    chunk.count = rk_pack_get_u64(in);
    for (uint32_t i = 0; good && i < shape.count; i++)
        good = get_field(graph, in, &shape, &chunk, i);
    return good && !in->failed ? rk_bag_held_new(graph, &shape, &chunk, &site) : NULL;
}

/* -- What others make */

/* Nobody calls the tasks that these nodes are in, which are the program's. */
static void *begin(const void *what, const rk_bag_lowering *l)
{
    (void)what;
    return l->graph;
}

static rask_node *stand_in(void *begun, uint64_t first, uint64_t rows)
{
    (void)first;
    (void)rows;
    return rask_list(begun, NULL, 0);
}

static void end(void *begun)
{
    (void)begun;
}

rask_bag *rk_bag_fed_stand_in(rask_graph *graph, const char *types, uint64_t rows)
{
    const rk_bag_feed feed = {.rows = rows, .begin = begin, .node = stand_in, .end = end};
    rk_shape shape;
    return types && !rk_shape_init(&shape, types, 0) ? rk_bag_fed_new(graph, &feed, &shape, &site) : NULL;
}
