/* Lowering: see lower.h. What was made is remembered by content, so that equal demands meet. */
#include "collections/array/lower.h"

#include "collections/array/cuts.h"
#include "collections/array/job.h"
#include "collections/array/lowering.h"
#include "collections/array/rechunk.h"
#include "core/base/alloc.h"
#include "core/base/array.h"
#include "core/graph/build.h"
#include "core/task/task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

typedef struct memo {
    uint64_t hash;
    const void *key; /* NULL: empty */
    size_t size;
    void *value;
} memo;

struct rk_lowering {
    rask_graph *graph;
    uint64_t budget;
    uint32_t workers;
    const char *scratch;
    rk_arena arena;
    memo *memos;
    size_t memo_room, memo_count;
    bool *reached; /* by an array's number: make_inputs() has come to it */
    size_t reached_room;
};

int rk_lowering_fail(rk_lowering *l, int status, const char *what)
{
    rk_graph_fail(l->graph, status, NULL, 0, "%s", what);
    return l->graph->status;
}

static void *no_memory(rk_lowering *l)
{
    rk_lowering_fail(l, RASK_ENOMEM, "no memory for the chunks of an array");
    return NULL;
}

rk_lowering *rk_lowering_new(rask_graph *graph, uint64_t budget, uint32_t workers)
{
    rk_lowering *l = rk_calloc(1, sizeof *l);
    if (l) {
        l->graph = graph;
        l->budget = budget;
        l->workers = workers;
    }
    return l;
}

rk_lowering *rk_lowering_for_nodes(rask_graph *graph, const rask_options *options, const char *who,
                                   const char *file, int line)
{
    rask_options effective;
    int status = rask_options_effective(options, &effective);
    rk_lowering *l = status ? NULL : rk_lowering_new(graph, effective.memory, effective.workers);
    if (!l) {
        status = status ? status : RASK_ENOMEM;
        rk_graph_fail(graph, status, file, line, "%s: %s", who, rask_status_text(status));
        return NULL;
    }
    if (options && rask_scheduler_sees_memory(effective.scheduler))
        rk_lowering_share_files(l, effective.scratch);
    return l;
}

/* Programs belong to the graph's constants, everything else to the arena. */
void rk_lowering_free(rk_lowering *l)
{
    if (!l)
        return;
    rk_arena_fini(&l->arena);
    rk_free(l->memos);
    rk_free(l->reached);
    rk_free(l);
}

rask_graph *rk_lowering_graph(const rk_lowering *l)
{
    return l->graph;
}

uint64_t rk_lowering_budget(const rk_lowering *l)
{
    return l->budget;
}

void rk_lowering_share_files(rk_lowering *l, const char *folder)
{
    l->scratch = folder;
}

const char *rk_lowering_scratch(const rk_lowering *l)
{
    return l->scratch;
}

uint32_t rk_lowering_workers(const rk_lowering *l)
{
    return l->workers;
}

enum { CHUNKS_A_WORKER = 8, LEAST_CHUNK = 64 << 10, MOST_CHUNK = 128 << 20 };

uint64_t rk_lowering_chunk_bytes(const rk_lowering *l)
{
    uint64_t bytes = l->budget / ((uint64_t)l->workers * CHUNKS_A_WORKER);
    return bytes > MOST_CHUNK ? MOST_CHUNK : bytes < LEAST_CHUNK ? LEAST_CHUNK : bytes;
}

void *rk_lowering_memory(rk_lowering *l, size_t size)
{
    void *memory = rk_arena_alloc(&l->arena, size ? size : 1);
    return memory ? memory : no_memory(l);
}

/* -- What was made -------------------------------------------------------------------------------------------- */

static memo *memo_slot(memo *memos, size_t room, uint64_t hash, const void *key, size_t size)
{
    size_t at = hash & (room - 1);
    while (memos[at].key &&
           (memos[at].hash != hash || memos[at].size != size || memcmp(memos[at].key, key, size)))
        at = (at + 1) & (room - 1);
    return &memos[at];
}

static bool memo_grow(rk_lowering *l)
{
    size_t room = l->memo_room ? 2 * l->memo_room : 256;
    memo *memos = rk_calloc(room, sizeof *memos);
    if (!memos)
        return false;
    for (size_t i = 0; i < l->memo_room; i++)
        if (l->memos[i].key)
            *memo_slot(memos, room, l->memos[i].hash, l->memos[i].key, l->memos[i].size) = l->memos[i];
    rk_free(l->memos);
    l->memos = memos;
    l->memo_room = room;
    return true;
}

/* The place for what this key stands for; NULL: no memory. Valid until the next call. */
static void **remember(rk_lowering *l, const void *key, size_t size)
{
    if (2 * (l->memo_count + 1) > l->memo_room && !memo_grow(l))
        return no_memory(l);
    uint64_t hash = XXH3_64bits(key, size);
    memo *m = memo_slot(l->memos, l->memo_room, hash, key, size);
    if (m->key)
        return &m->value;
    void *copy = rk_lowering_memory(l, size);
    if (!copy)
        return NULL;
    memcpy(copy, key, size);
    *m = (memo){.hash = hash, .key = copy, .size = size};
    l->memo_count++;
    return &m->value;
}

enum { KEY_PROGRAM, KEY_CONSTANT, KEY_CHUNKS, KEY_TURNED, KEY_REGION, KEY_SOURCE };

typedef struct program_key {
    uint64_t what, cut;
    const rask_array *array;
    uint8_t axes[RASK_MAX_DIMENSIONS];
} program_key;

rask_node *rk_lower_constant(rk_lowering *l, const rask_class *cls, void *data)
{
    rask_value value;
    if (rask_value_custom_new(cls, data, &value)) {
        cls->destroy(data);
        return no_memory(l);
    }
    rask_node *node =
        rask_const_at(l->graph, &(rask_arg){.kind = RASK_ARG_VALUE, .as.value = &value}, NULL, 0);
    rask_value_unref(&value);
    return node;
}

/* As a constant of the graph, which owns it. */
static rk_program *make_program(rk_lowering *l, rask_array *a, const uint8_t *axes, bool cut)
{
    rk_program *program;
    if (rk_program_new(a, axes, cut, &program))
        return no_memory(l);
    rk_execute_bound(program, rk_lowering_chunk_bytes(l));
    rask_node *node = rk_lower_constant(l, &rk_program_class, program);
    if (!node)
        return NULL;
    program->node = node;
    return program;
}

const rk_program *rk_lower_program(rk_lowering *l, rask_array *a, const uint8_t *axes, bool cut)
{
    program_key key;
    memset(&key, 0, sizeof key);
    key.what = KEY_PROGRAM;
    key.cut = cut;
    key.array = a;
    for (uint32_t i = 0; i < a->ndim; i++)
        key.axes[i] = axes ? axes[i] : (uint8_t)i;
    void **place = remember(l, &key, sizeof key);
    if (!place)
        return NULL;
    if (*place)
        return *place;
    rk_program *made = make_program(l, a, axes, cut);
    place = made ? remember(l, &key, sizeof key) : NULL;
    if (place)
        *place = made;
    return made;
}

/* -- Grids ---------------------------------------------------------------------------------------------------- */

bool rk_index_next(int64_t *index, const int64_t *count, uint32_t ndim)
{
    for (uint32_t i = ndim; i-- > 0;) {
        if (++index[i] < count[i])
            return true;
        index[i] = 0;
    }
    return false;
}

static int64_t *cut_axis(rk_lowering *l, int64_t length, int64_t step, int64_t *count)
{
    step = step < 1 ? 1 : step;
    *count = length > step ? (length + step - 1) / step : 1;
    int64_t *bounds = rk_lowering_memory(l, ((size_t)*count + 1) * sizeof *bounds);
    for (int64_t i = 0; bounds && i <= *count; i++)
        bounds[i] = i * step < length ? i * step : length;
    return bounds;
}

int rk_grid_regular(rk_lowering *l, rk_chunks *chunks, uint32_t ndim, const int64_t *shape,
                    const int64_t *lengths)
{
    memset(chunks, 0, sizeof *chunks);
    chunks->ndim = ndim;
    for (uint32_t i = 0; i < ndim; i++) {
        chunks->bounds[i] = cut_axis(l, shape[i], lengths[i], &chunks->count[i]);
        if (!chunks->bounds[i])
            return l->graph->status;
    }
    int64_t total = 1;
    for (uint32_t i = 0; i < ndim; i++)
        if (__builtin_mul_overflow(total, chunks->count[i], &total) || total > RASK_MAX_NODES)
            return rk_lowering_fail(l, RASK_ELIMIT,
                                    "an array would be cut into more chunks than a graph can hold");
    chunks->nodes = rk_lowering_memory(l, (size_t)total * sizeof *chunks->nodes);
    if (!chunks->nodes)
        return l->graph->status;
    memset(chunks->nodes, 0, (size_t)total * sizeof *chunks->nodes);
    return RASK_OK;
}

void rk_chunks_region(const rk_chunks *c, const int64_t *index, rk_region *region)
{
    region->ndim = c->ndim;
    for (uint32_t i = 0; i < c->ndim; i++) {
        region->start[i] = c->bounds[i][index[i]];
        region->count[i] = c->bounds[i][index[i] + 1] - region->start[i];
    }
}

void rk_grid_auto(uint64_t bytes, size_t element, uint32_t ndim, const int64_t *shape, const bool *whole,
                  int64_t *lengths)
{
    uint64_t rest = element;
    for (uint32_t i = 0; i < ndim; i++) {
        lengths[i] = shape[i] > 0 ? shape[i] : 1;
        rest *= (uint64_t)lengths[i]; /* shapes of arrays do not overflow */
    }
    for (uint32_t i = 0; i < ndim && rest > bytes; i++) {
        if (whole && whole[i])
            continue;
        uint64_t one = rest / (uint64_t)lengths[i];
        int64_t fit = (int64_t)(bytes / (one ? one : 1));
        lengths[i] = fit < 1 ? 1 : fit < lengths[i] ? fit : lengths[i];
        rest = one * (uint64_t)lengths[i];
    }
}

void rk_grid_multiply(uint64_t bytes, size_t element, uint32_t ndim, const int64_t *shape, int64_t *lengths)
{
    uint64_t size = element;
    for (uint32_t i = 0; i < ndim; i++)
        size *= (uint64_t)lengths[i];
    for (uint32_t i = ndim; i-- > 0 && size;) {
        int64_t times = (int64_t)(bytes / size), most = (shape[i] + lengths[i] - 1) / lengths[i];
        times = times < 1 ? 1 : times > most && most ? most : times;
        lengths[i] *= times;
        size *= (uint64_t)times;
    }
}

static bool has_lowering(const rask_array *a)
{
    return a->kind == RK_OPAQUE || a->kind == RK_REDUCE;
}

static bool makes_chunks(const rask_array *a)
{
    return has_lowering(a) || (a->kind == RK_SOURCE && a->as.source->kind == RK_SOURCE_CHUNKED);
}

/* An array of the same shape that a is made of element by element and that has chunks of its own; NULL: none. */
static rask_array *chunked_origin(rask_array *a)
{
    while (!makes_chunks(a)) {
        rask_array *next = NULL;
        for (uint32_t i = 0; a->kind == RK_ELEMENTWISE && i < a->input_count && !next; i++)
            if (a->inputs[i]->kind != RK_VIEW && a->inputs[i]->kind != RK_SCALAR && !a->inputs[i]->chunks)
                next = a->inputs[i];
        if (!next)
            return NULL;
        a = next;
    }
    return a;
}

/* NOLINTBEGIN(misc-no-recursion): what lowers an array asks for regions of its inputs, which are lowered by then:
 * find_chunks() sees to it, so that the calls are not nested however long a chain of arrays is. */

/* Whole multiples of the origin's chunks, up to bytes. */
static bool grid_of_origin(rk_lowering *l, rask_array *origin, uint64_t bytes, size_t element,
                           int64_t *lengths)
{
    if (origin->kind == RK_SOURCE) {
        memcpy(lengths, origin->as.source->chunk, origin->ndim * sizeof *lengths);
    } else {
        const rk_chunks *chunks = rk_lower_chunks(l, origin);
        if (!chunks)
            return false;
        for (uint32_t i = 0; i < origin->ndim; i++)
            lengths[i] = chunks->bounds[i][1] > 0 ? chunks->bounds[i][1] : 1;
    }
    rk_grid_multiply(bytes, element, origin->ndim, origin->shape, lengths);
    return true;
}

enum { LEAST_PART = 1 << 20, MOST_PART = 16 << 20, PARTS_A_WORKER = 8 };

uint64_t rk_lowering_part_bytes(const rk_lowering *l, uint64_t total)
{
    uint64_t bytes = total / ((uint64_t)l->workers * PARTS_A_WORKER), most = rk_lowering_chunk_bytes(l);
    bytes = bytes < LEAST_PART ? LEAST_PART : bytes > MOST_PART ? MOST_PART : bytes;
    return bytes < most ? bytes : most;
}

void rk_grid_choose(rk_lowering *l, rask_array *a, int64_t *lengths)
{
    size_t element = rask_dtype_size(a->dtype);
    uint64_t bytes = rk_lowering_part_bytes(l, (uint64_t)rk_shape_size(a->shape, a->ndim) * element);
    rask_array *origin = chunked_origin(a);
    if (!origin || origin == a || !grid_of_origin(l, origin, bytes, element, lengths))
        rk_grid_auto(bytes, element, a->ndim, a->shape, NULL, lengths);
    for (uint32_t i = 0; a->chunks && i < a->ndim; i++)
        if (a->chunks[i] > 0)
            lengths[i] = a->chunks[i];
}

/* -- Chunks and regions --------------------------------------------------------------------------------------- */

static int no_chunks(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    int64_t lengths[RASK_MAX_DIMENSIONS];
    if (a->kind == RK_SOURCE && a->as.source->kind == RK_SOURCE_CHUNKED)
        memcpy(lengths, a->as.source->chunk, a->ndim * sizeof *lengths);
    else
        rk_grid_choose(l, a, lengths);
    return rk_grid_regular(l, chunks, a->ndim, a->shape, lengths);
}

typedef struct chunks_key {
    uint64_t what;
    const rask_array *array;
} chunks_key;

/* Puts an array on the list, once a lowering. */
static bool reach(rk_lowering *l, rask_array *a, rk_array *list)
{
    if (a->number >= l->reached_room) {
        size_t room = 2 * ((size_t)a->number + 1);
        bool *reached = rk_realloc(l->reached, room * sizeof *reached);
        if (!reached)
            return false;
        memset(reached + l->reached_room, 0, (room - l->reached_room) * sizeof *reached);
        l->reached = reached;
        l->reached_room = room;
    }
    if (l->reached[a->number])
        return true;
    rask_array **place = rk_array_push(list);
    if (!place)
        return false;
    l->reached[a->number] = true;
    *place = a;
    return true;
}

static bool reach_inputs(rk_lowering *l, const rask_array *a, rk_array *list)
{
    for (uint32_t i = 0; i < a->input_count; i++)
        if (!reach(l, a->inputs[i], list))
            return false;
    return true;
}

static int oldest_first(const void *a, const void *b)
{
    const rask_array *x = *(rask_array *const *)a, *y = *(rask_array *const *)b;
    return (x->number > y->number) - (x->number < y->number);
}

static rk_chunks *find_chunks(rk_lowering *l, rask_array *a);

/* The chunks of all that a is made of, directly or not, oldest first. False, latched. */
static bool make_inputs(rk_lowering *l, const rask_array *a)
{
    rk_array list = RK_ARRAY(rask_array *, UINT32_MAX);
    bool good = reach_inputs(l, a, &list);
    for (size_t i = 0; i < list.count && good; i++)
        good = reach_inputs(l, ((rask_array **)list.data)[i], &list);
    if (!good)
        no_memory(l);
    else if (list.count)
        qsort(list.data, list.count, sizeof(rask_array *), oldest_first);
    for (size_t i = 0; i < list.count && good; i++) {
        rask_array *input = ((rask_array **)list.data)[i];
        good = !has_lowering(input) || find_chunks(l, input);
    }
    rk_array_fini(&list);
    return good;
}

/* With nodes where they are made at once, else on demand. */
static rk_chunks *find_chunks(rk_lowering *l, rask_array *a)
{
    chunks_key key = {KEY_CHUNKS, a};
    void **place = remember(l, &key, sizeof key);
    if (!place)
        return NULL;
    if (*place)
        return *place;
    if (!make_inputs(l, a))
        return NULL;
    rk_chunks *chunks = rk_lowering_memory(l, sizeof *chunks);
    if (!chunks)
        return NULL;
    int status = a->kind == RK_OPAQUE   ? a->as.opaque->lower(l, a, chunks)
                 : a->kind == RK_REDUCE ? rk_lower_reduce(l, a, chunks)
                                        : no_chunks(l, a, chunks);
    if (status || l->graph->status || !(place = remember(l, &key, sizeof key)))
        return NULL;
    return *place = chunks;
}

typedef struct region_key {
    uint64_t what;
    const rask_array *array;
    int64_t start[RASK_MAX_DIMENSIONS], count[RASK_MAX_DIMENSIONS];
} region_key;

static int run_region(rask_task *task);

static const rask_task_def elementwise_def = {
    .size = sizeof(rask_task_def), .name = "elementwise", .call = run_region, .flags = RASK_PURE};
static const rask_task_def region_def = {
    .size = sizeof(rask_task_def), .name = "region", .call = run_region, .flags = RASK_PURE};
static const rask_task_def read_def = {
    .size = sizeof(rask_task_def), .name = "read", .call = run_region, .flags = RASK_PURE | RASK_SOURCE};

static const rask_task_def *def_of(const rk_program *p)
{
    if (p->instruction_count)
        return &elementwise_def;
    rk_leaf_kind kind = p->leaves[p->result].kind;
    return kind == RK_LEAF_FILE || kind == RK_LEAF_MEMORY ? &read_def : &region_def;
}

static uint64_t block_bytes(rask_dtype dtype, uint32_t ndim, const int64_t *count)
{
    return (uint64_t)rk_shape_size(count, ndim) * rask_dtype_size(dtype);
}

static rask_node *make_region(rk_lowering *l, rask_array *a, const rk_region *region, bool cut)
{
    const rk_program *p = rk_lower_program(l, a, NULL, cut);
    if (!p)
        return NULL;
    return rk_job_call(l, def_of(p), p, region->start, region->count, NULL, 0,
                       block_bytes(a->dtype, a->ndim, region->count), rk_execute_scratch(p));
}

static rask_node *read_chunk(rk_lowering *l, rask_array *a, const int64_t *index, const rk_region *region);

/* A chunk's node, made when it is asked for the first time. */
static rask_node *chunk_node(rk_lowering *l, rask_array *a, rk_chunks *chunks, const int64_t *index)
{
    int64_t number = 0;
    for (uint32_t i = 0; i < chunks->ndim; i++)
        number = number * chunks->count[i] + index[i];
    if (chunks->nodes[number])
        return chunks->nodes[number];
    rk_region region = {0};
    rk_chunks_region(chunks, index, &region);
    rask_node *node = a->kind == RK_SOURCE && makes_chunks(a) ? read_chunk(l, a, index, &region)
                                                              : make_region(l, a, &region, false);
    return chunks->nodes[number] = node;
}

const rk_chunks *rk_lower_chunks(rk_lowering *l, rask_array *a)
{
    rk_chunks *chunks = find_chunks(l, a);
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    if (!chunks)
        return NULL;
    do {
        if (!chunk_node(l, a, chunks, index))
            return NULL;
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return chunks;
}

/* NOLINTEND(misc-no-recursion) */

/* The number of the chunk of axis k that holds position at. */
static int64_t chunk_at(const rk_chunks *c, uint32_t k, int64_t at)
{
    int64_t low = 0, high = c->count[k] - 1;
    while (low < high) {
        int64_t middle = (low + high + 1) / 2;
        if (c->bounds[k][middle] <= at)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* The chunk that a region is, exactly. */
static bool is_chunk(const rk_chunks *c, const rk_region *region, int64_t *index)
{
    for (uint32_t i = 0; i < c->ndim; i++) {
        index[i] = chunk_at(c, i, region->start[i]);
        if (c->bounds[i][index[i]] != region->start[i] ||
            c->bounds[i][index[i] + 1] - region->start[i] != region->count[i])
            return false;
    }
    return true;
}

static rask_node *find_region(rk_lowering *l, rask_array *a, const rk_region *region)
{
    int64_t index[RASK_MAX_DIMENSIONS];
    if (!makes_chunks(a))
        return make_region(l, a, region, false);
    rk_chunks *chunks = find_chunks(l, a);
    if (!chunks)
        return NULL;
    return is_chunk(chunks, region, index) ? chunk_node(l, a, chunks, index)
                                           : make_region(l, a, region, true);
}

rask_node *rk_lower_region(rk_lowering *l, rask_array *a, const rk_region *region)
{
    region_key key;
    if (!a || l->graph->status)
        return NULL;
    memset(&key, 0, sizeof key);
    key.what = KEY_REGION;
    key.array = a;
    memcpy(key.start, region->start, a->ndim * sizeof *key.start);
    memcpy(key.count, region->count, a->ndim * sizeof *key.count);
    void **place = remember(l, &key, sizeof key);
    if (!place)
        return NULL;
    if (*place)
        return *place;
    rask_node *node = find_region(l, a, region);
    place = node ? remember(l, &key, sizeof key) : NULL;
    if (place)
        *place = node;
    return node;
}

const rk_program *rk_lower_root_program(rk_lowering *l, rask_array *a)
{
    return rk_lower_program(l, a, NULL, makes_chunks(a));
}

int rk_lower_grid(rk_lowering *l, rask_array *a, rk_chunks *grid)
{
    int64_t lengths[RASK_MAX_DIMENSIONS];
    if (makes_chunks(a)) {
        const rk_chunks *chunks = find_chunks(l, a);
        if (chunks)
            *grid = *chunks;
        return chunks ? RASK_OK : l->graph->status;
    }
    rk_grid_choose(l, a, lengths);
    return rk_grid_regular(l, grid, a->ndim, a->shape, lengths);
}

rask_node *rk_lower_whole(rk_lowering *l, rask_array *a)
{
    rk_region whole = {.ndim = a->ndim};
    memcpy(whole.count, a->shape, sizeof whole.count);
    rk_chunks grid;
    if (makes_chunks(a) || l->graph->status)
        return rk_lower_region(l, a, &whole);
    if (rk_lower_grid(l, a, &grid))
        return NULL;
    return rk_chunks_total(&grid) == 1 ? rk_lower_region(l, a, &whole) : make_region(l, a, &whole, true);
}

/* -- Tasks ---------------------------------------------------------------------------------------------------- */

/* Where a region's strips go: rows of row_bytes, in each the strips one after another. */
typedef struct region_place {
    char *data;
    size_t row_bytes, strip_bytes;
} region_place;

static void *place_strip(void *context, const rk_strip_at *at)
{
    const region_place *p = context;
    return p->data + (size_t)at->row * p->row_bytes + (size_t)at->segment * p->strip_bytes;
}

static int run_region(rask_task *task)
{
    rk_job job;
    rask_block block;
    rask_value value;
    int status = rk_job_open(task, 0, &job);
    if (status)
        return status;
    const rk_program *p = job.execution.program;
    const int64_t *count = job.execution.count, one = 1;
    status = rk_task_result(task, p->dtype, p->ndim, count, &block, &value);
    if (!status) {
        size_t size = rask_dtype_size(p->dtype);
        rk_striping s = rk_striping_of(p->ndim ? count : &one, p->ndim ? p->ndim : 1, 0);
        region_place place = {.data = block.data,
                              .row_bytes = (size_t)((p->ndim ? count[s.segmented] : 1) * s.inner) * size,
                              .strip_bytes = (size_t)(s.segment * s.inner) * size};
        job.execution.taker = (rk_taker){.context = &place, .place = place_strip};
        status = rk_execute(task, &job.execution);
        if (status)
            rask_value_unref(&value);
        else
            status = rask_return_value(task, value);
    }
    rk_job_close(&job);
    return status;
}

/* What a reading task is given beside the source, its other argument. */
typedef struct chunk_params {
    int64_t index[RASK_MAX_DIMENSIONS], count[RASK_MAX_DIMENSIONS];
} chunk_params;

static int run_read_chunk(rask_task *task)
{
    const chunk_params *params = rk_task_params(task, sizeof *params);
    rask_block block;
    rask_value value;
    char message[RK_MAX_MESSAGE];
    rk_source *source = params ? rask_arg_custom(task, 1, &rk_source_class) : NULL;
    if (!source)
        return task->status;
    int status = rk_task_result(task, source->dtype, source->ndim, params->count, &block, &value);
    if (status)
        return status;
    status = source->read_chunk(source, params->index, params->count, block.data, message, sizeof message);
    if (!status)
        return rask_return_value(task, value);
    rask_value_unref(&value);
    return rask_fail(task, status, message);
}

static const rask_task_def read_chunk_def = {
    .size = sizeof(rask_task_def), .name = "read", .call = run_read_chunk, .flags = RASK_PURE | RASK_SOURCE};

/* The array's source as a constant, made once; NULL, latched. */
static rask_node *source_node(rk_lowering *l, rask_array *a)
{
    chunks_key key = {KEY_SOURCE, a};
    void **place = remember(l, &key, sizeof key);
    if (place && !*place)
        *place = rk_lower_constant(l, &rk_source_class, rk_source_ref(a->as.source));
    return place ? *place : NULL;
}

static rask_node *read_chunk(rk_lowering *l, rask_array *a, const int64_t *index, const rk_region *region)
{
    chunk_params params;
    rask_node *source = source_node(l, a);
    if (!source)
        return NULL;
    memset(&params, 0, sizeof params);
    memcpy(params.index, index, a->ndim * sizeof *index);
    memcpy(params.count, region->count, a->ndim * sizeof *index);
    return rk_lower_call(l, &read_chunk_def, &params, sizeof params, &source, 1,
                         block_bytes(a->dtype, region->ndim, region->count), a->as.source->chunk_scratch);
}

/* What a block takes beside its elements, at most. */
enum { BLOCK_BYTES = 512 };

static rask_node *sized(rask_node *node, uint64_t result_bytes, uint64_t scratch_bytes)
{
    if (!node)
        return NULL;
    node = rask_set_result_bytes(node, result_bytes + BLOCK_BYTES);
    return node && scratch_bytes ? rask_set_scratch_bytes(node, scratch_bytes) : node;
}

rask_node *rk_lower_call(rk_lowering *l, const rask_task_def *def, const void *params, size_t size,
                         rask_node *const *nodes, size_t count, uint64_t result_bytes, uint64_t scratch_bytes)
{
    if (l->graph->status)
        return NULL;
    rask_arg *args = rk_alloc_array(count + 1, sizeof *args);
    if (!args)
        return no_memory(l);
    args[0] = (rask_arg){.kind = RASK_ARG_BYTES, .as.bytes = {params ? params : "", size}};
    for (size_t i = 0; i < count; i++)
        args[i + 1] = (rask_arg){.kind = RASK_ARG_NODE, .as.node = nodes[i]};
    rask_node *node = rask_call_at(l->graph, def, args, count + 1, NULL, 0);
    rk_free(args);
    return sized(node, result_bytes, scratch_bytes);
}

const void *rk_task_params(rask_task *task, size_t size)
{
    rask_bytes bytes = rask_arg_bytes(task, 0);
    if (bytes.len == size)
        return bytes.data;
    rk_task_fail(task, RASK_EINVAL, "its parameters are %zu bytes, not %zu", bytes.len, size);
    return NULL;
}

int rk_task_result(rask_task *task, rask_dtype dtype, uint32_t ndim, const int64_t *shape, rask_block *block,
                   rask_value *value)
{
    int status = rask_value_block_alloc(dtype, ndim, shape, block, value);
    char text[RK_SHAPE_TEXT];
    return status ? rk_task_fail(task, status, "no memory for a block of %s of shape %s",
                                 rask_dtype_name(dtype), rk_shape_text(shape, ndim, text))
                  : RASK_OK;
}

/* -- Jobs ----------------------------------------------------------------------------------------------------- */

typedef struct job_maker {
    rk_lowering *l;
    rk_array words; /* int64_t */
    rk_array args;  /* rask_arg */
} job_maker;

static int add_words(job_maker *m, const int64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t *word = rk_array_push(&m->words);
        if (!word)
            return RASK_ENOMEM;
        *word = words[i];
    }
    return RASK_OK;
}

static int add_node(job_maker *m, rask_node *node)
{
    rask_arg *arg = node ? rk_array_push(&m->args) : NULL;
    if (!arg)
        return RASK_ENOMEM;
    *arg = (rask_arg){.kind = RASK_ARG_NODE, .as.node = node};
    return RASK_OK;
}

/* NOLINTBEGIN(misc-no-recursion): see find_chunks() */

/* One chunk as a piece of a leaf, unless steps jump over it. cut: only the part of it that is needed. */
static int add_piece(job_maker *m, const rk_leaf *leaf, rk_chunks *chunks, const int64_t *index,
                     const rk_run_of *runs, bool cut, int64_t *pieces)
{
    rk_region region, part = {.ndim = chunks->ndim};
    int64_t first, last;
    rk_chunks_region(chunks, index, &region);
    for (uint32_t i = 0; i < region.ndim; i++) {
        rk_run_within(runs[i], region.start[i], region.start[i] + region.count[i], &first, &last);
        if (first >= last)
            return RASK_OK;
        int64_t step = runs[i].step, a = runs[i].first + step * first, b = runs[i].first + step * (last - 1);
        part.start[i] = a < b ? a : b;
        part.count[i] = (a < b ? b - a : a - b) + 1;
    }
    ++*pieces;
    int status = add_node(m, cut ? make_region(m->l, leaf->array, &part, true)
                                 : chunk_node(m->l, leaf->array, chunks, index));
    region = cut ? part : region;
    if (!status)
        status = add_words(m, region.start, leaf->ndim);
    return status ? status : add_words(m, region.count, leaf->ndim);
}

/* The chunks that meet the runs: number[i] of axis i, from low[i] on. */
static void meet(const rk_leaf *leaf, const rk_chunks *chunks, const rk_run_of *runs, int64_t *low,
                 int64_t *number)
{
    for (uint32_t i = 0; i < leaf->ndim; i++) {
        int64_t first = runs[i].first, last = first + runs[i].step * (runs[i].count - 1);
        low[i] = chunk_at(chunks, i, last < first ? last : first);
        number[i] = chunk_at(chunks, i, last < first ? first : last) - low[i] + 1;
    }
}

/* They take more than half the budget. */
static bool are_too_many(const rk_lowering *l, const rk_leaf *leaf, const rk_chunks *chunks,
                         const int64_t *number)
{
    double bytes = (double)rask_dtype_size(leaf->dtype);
    int64_t count = 1;
    for (uint32_t i = 0; i < leaf->ndim; i++) {
        bytes *= (double)number[i] * (double)rk_grid_longest(chunks, i);
        count *= number[i];
    }
    return count > 1 && bytes > (double)l->budget / 2;
}

/* The leaf's array in chunks of the shape that was first asked for when its own were too many. NULL, latched. */
static rk_chunks *turned_chunks(rk_lowering *l, const rk_leaf *leaf, const rk_run_of *runs)
{
    chunks_key key = {KEY_TURNED, leaf->array};
    void **place = remember(l, &key, sizeof key);
    if (!place || *place)
        return place ? *place : NULL;
    int64_t lengths[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < leaf->ndim; i++) {
        int64_t step = runs[i].step < 0 ? -runs[i].step : runs[i].step;
        lengths[i] = step * (runs[i].count - 1) + 1;
    }
    rk_chunks *chunks = rk_lowering_memory(l, sizeof *chunks);
    if (!chunks || rk_rechunk_lower(l, leaf->array, lengths, chunks) ||
        !(place = remember(l, &key, sizeof key)))
        return NULL;
    return *place = chunks;
}

/* All chunks that a box of the program needs of a leaf. When they are too many for the budget, elements are moved to
 * other chunks first; where that is of no use, what is needed of each chunk is cut out before all meet in one task. */
static int add_pieces(job_maker *m, const rk_leaf *leaf, const int64_t *start, const int64_t *count)
{
    int64_t head[2] = {(int64_t)m->args.count, 0}, low[RASK_MAX_DIMENSIONS], number[RASK_MAX_DIMENSIONS],
            index[RASK_MAX_DIMENSIONS], walk[RASK_MAX_DIMENSIONS] = {0};
    rk_run_of runs[RASK_MAX_DIMENSIONS];
    size_t at = m->words.count;
    int status = add_words(m, head, 2);
    rk_chunks *chunks = leaf->kind == RK_LEAF_CHUNKS && !status ? find_chunks(m->l, leaf->array) : NULL;
    if (status || leaf->kind != RK_LEAF_CHUNKS || !chunks)
        return status ? status : leaf->kind == RK_LEAF_CHUNKS ? m->l->graph->status : RASK_OK;
    for (uint32_t i = 0; i < leaf->ndim; i++)
        runs[i] = rk_leaf_run(leaf, i, start, count);
    meet(leaf, chunks, runs, low, number);
    if (are_too_many(m->l, leaf, chunks, number)) {
        chunks = turned_chunks(m->l, leaf, runs);
        if (!chunks)
            return rk_lowering_failure(m->l);
        meet(leaf, chunks, runs, low, number);
    }
    bool cut = are_too_many(m->l, leaf, chunks, number);
    do {
        for (uint32_t i = 0; i < leaf->ndim; i++)
            index[i] = low[i] + walk[i];
        status = add_piece(m, leaf, chunks, index, runs, cut, &head[1]);
    } while (!status && rk_index_next(walk, number, leaf->ndim));
    ((int64_t *)m->words.data)[at + 1] = head[1];
    return status;
}

static bool is_empty(const int64_t *count, uint32_t ndim)
{
    for (uint32_t i = 0; i < ndim; i++)
        if (!count[i])
            return true;
    return false;
}

static int add_all(job_maker *m, const rk_program *p, const int64_t *start, const int64_t *count,
                   const int64_t *extra, size_t extra_count)
{
    int64_t none[2] = {0, 0};
    int status = add_words(m, start, p->ndim);
    if (!status)
        status = add_words(m, count, p->ndim);
    if (!status)
        status = add_words(m, extra, extra_count);
    for (uint32_t k = 0; k < p->leaf_count && !status; k++)
        status =
            is_empty(count, p->ndim) ? add_words(m, none, 2) : add_pieces(m, &p->leaves[k], start, count);
    return status;
}

rask_node *rk_job_call(rk_lowering *l, const rask_task_def *def, const rk_program *program,
                       const int64_t *start, const int64_t *count, const int64_t *extra, size_t extra_count,
                       uint64_t result_bytes, uint64_t scratch_bytes)
{
    return rk_job_call_with(l, def, program, start, count, extra, extra_count, NULL, 0, result_bytes,
                            scratch_bytes);
}

rask_node *rk_job_call_with(rk_lowering *l, const rask_task_def *def, const rk_program *program,
                            const int64_t *start, const int64_t *count, const int64_t *extra,
                            size_t extra_count, rask_node *const *with, size_t with_count,
                            uint64_t result_bytes, uint64_t scratch_bytes)
{
    job_maker m = {
        .l = l, .words = RK_ARRAY(int64_t, PTRDIFF_MAX / 8), .args = RK_ARRAY(rask_arg, UINT32_MAX)};
    rask_node *node = NULL;
    int status = add_node(&m, program->node);
    if (!status && !rk_array_push(&m.args))
        status = RASK_ENOMEM;
    if (!status)
        status = add_all(&m, program, start, count, extra, extra_count);
    for (size_t i = 0; i < with_count && !status; i++)
        status = add_node(&m, with[i]);
    if (status == RASK_ENOMEM && !l->graph->status)
        no_memory(l);
    if (!status) {
        rask_arg *args = m.args.data;
        args[1] = (rask_arg){.kind = RASK_ARG_BYTES,
                             .as.bytes = {m.words.data ? m.words.data : "", m.words.count * sizeof(int64_t)}};
        node = sized(rask_call_at(l->graph, def, args, m.args.count, NULL, 0), result_bytes, scratch_bytes);
    }
    rk_array_fini(&m.words);
    rk_array_fini(&m.args);
    return node;
}

/* NOLINTEND(misc-no-recursion) */

int rk_job_open(rask_task *task, size_t extra_count, rk_job *job)
{
    *job = (rk_job){0};
    const rk_program *p = rask_arg_custom(task, 0, &rk_program_class);
    rask_bytes bytes = rask_arg_bytes(task, 1);
    if (task->status)
        return task->status;
    assert(p);
    const int64_t *words = (const int64_t *)(const void *)bytes.data;
    job->pieces = rk_calloc(p->leaf_count, sizeof *job->pieces);
    job->execution =
        (rk_execution){.program = p, .start = words, .count = words + p->ndim, .pieces = job->pieces};
    if (!job->pieces)
        return rk_task_fail(task, RASK_ENOMEM, "no memory to start with");
    job->extra = words += 2 * (size_t)p->ndim;
    words += extra_count;
    for (uint32_t k = 0; k < p->leaf_count; k++) {
        job->pieces[k] = (rk_pieces){(uint32_t)words[0], (uint32_t)words[1], words + 2};
        words += 2 + 2 * words[1] * p->leaves[k].ndim;
    }
    assert((const char *)words == bytes.data + bytes.len);
    return RASK_OK;
}

void rk_job_close(rk_job *job)
{
    rk_free(job->pieces);
}
