/* Sorting lines whose keys do not fit memory: through a scratch file.
 *
 *   sort run   sorts a run, writes its pairs to the file, and gives a sample: the first key of each block of the run
 *   split      finds where a rank (a place in sorted order) is in each run: the sample of a run tells which block to read
 *   sort       reads a chunk's part of each run, between two splits, and sorts these once more
 * So the file is written once and read once, and beside a run or a chunk a task needs no more than a block of each run. In
 * the file there are for each line all keys, run after run, then all indices likewise. */
#include "collections/array/outside.h"
#include "collections/array/sort.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

enum { BLOCK = 512 }; /* keys */

/* -- The file */

/* A line in the file. */
typedef struct line {
    int64_t place;  /* byte */
    int64_t length; /* pairs */
    int64_t run;    /* pairs of a run; the last may have less */
    int64_t width, indices;
} line;

static size_t run_length(const line *w, size_t run)
{
    int64_t left = w->length - (int64_t)run * w->run;
    return (size_t)(left < w->run ? left : w->run);
}

static uint64_t key_place(const line *w, size_t run, size_t at)
{
    return (uint64_t)(w->place + ((int64_t)run * w->run + (int64_t)at) * w->width);
}

static uint64_t index_place(const line *w, size_t run, size_t at)
{
    return (uint64_t)(w->place + w->length * w->width) +
           ((uint64_t)run * (uint64_t)w->run + at) * sizeof(int64_t);
}

/* -- Runs */

typedef struct run_params {
    line line;
    int64_t run;
} run_params;

static int write_run(rask_task *task, const rk_outside *file, const run_params *p, const rk_pairs *run)
{
    int status =
        rk_outside_write(task, file, key_place(&p->line, (size_t)p->run, 0), run->keys, run->n * run->width);
    if (!status && run->indices)
        status = rk_outside_write(task, file, index_place(&p->line, (size_t)p->run, 0), run->indices,
                                  run->n * sizeof *run->indices);
    return status;
}

static int return_sample(rask_task *task, rask_dtype dtype, const rk_pairs *run)
{
    int64_t count = (int64_t)((run->n + BLOCK - 1) / BLOCK);
    rask_block out;
    rask_value value;
    if (rk_task_result(task, dtype, 1, &count, &out, &value))
        return task->status;
    for (int64_t i = 0; i < count; i++)
        memcpy((char *)out.data + (size_t)i * run->width, run->keys + (size_t)i * BLOCK * run->width,
               run->width);
    return rask_return_value(task, value);
}

/* (stream…, file): a sample. */
static int call_write_run(rask_task *task)
{
    rk_stream s;
    rk_sort_room r = {.p = {.n = 0}};
    int status = rk_stream_open(task, sizeof(run_params), &s);
    const run_params *p = s.params;
    const rk_outside *file = status ? NULL : rk_outside_arg(task, rk_stream_with(task));
    if (!status && !file)
        status = task->status;
    if (!status)
        status = rk_sort_room_read(task, &s, p->line.indices, p->run * p->line.run, &r);
    if (!status)
        status = write_run(task, file, p, &r.p);
    if (!status)
        status = return_sample(task, rk_key_dtype(s.dtype), &r.p);
    rk_sort_room_fini(&r);
    rk_stream_close(&s);
    return status;
}

/* -- Splits */

typedef struct split_params {
    line line;
    int64_t rank;
} split_params;

/* A run's sample, and the block that was looked at last. */
typedef struct sampled {
    const char *sample;
    size_t count;
    size_t block; /* its number and one; 0: none */
    char *keys;
} sampled;

typedef struct splitting {
    rask_task *task;
    const rk_outside *file;
    const line *line;
    sampled *runs;
    int status;
} splitting;

static void read_block(splitting *s, size_t run, size_t block)
{
    sampled *r = &s->runs[run];
    size_t first = block * BLOCK, left = run_length(s->line, run) - first, n = left < BLOCK ? left : BLOCK;
    if (r->block == block + 1 || s->status)
        return;
    s->status = rk_outside_read(s->task, s->file, key_place(s->line, run, first), r->keys,
                                n * (size_t)s->line->width);
    r->block = block + 1;
}

static size_t below(void *runs, size_t run, rk_u128 key)
{
    splitting *s = runs;
    const sampled *r = &s->runs[run];
    size_t width = (size_t)s->line->width, blocks = rk_keys_below(width, r->count, r->sample, key);
    if (!blocks)
        return 0;
    read_block(s, run, blocks - 1);
    size_t first = (blocks - 1) * BLOCK, left = run_length(s->line, run) - first;
    return s->status ? first : first + rk_keys_below(width, left < BLOCK ? left : BLOCK, r->keys, key);
}

/* The samples, and room for a block of each; the task's status. */
static int open_samples(rask_task *task, splitting *s, size_t count, char *blocks)
{
    size_t given, width = (size_t)s->line->width;
    const rask_value *samples = rask_arg_list(task, 2, &given);
    rask_block block;
    for (size_t i = 0; samples && i < count; i++) {
        if (given != count || rask_value_get_block(&samples[i], &block) ||
            (uint64_t)block.shape[0] != (run_length(s->line, i) + BLOCK - 1) / BLOCK ||
            rask_dtype_size(block.dtype) != width)
            return rk_task_fail(task, RASK_ETYPE, "argument 2 is no list of %zu samples", count);
        s->runs[i] = (sampled){
            .sample = block.data, .count = (size_t)block.shape[0], .keys = blocks + i * BLOCK * width};
    }
    return task->status;
}

static uint64_t split_bytes(const line *w, size_t count)
{
    return count * (sizeof(sampled) + (uint64_t)BLOCK * (uint64_t)w->width);
}

/* Where the rank is in each run, as a block. */
static int return_split(rask_task *task, splitting *s, const split_params *p, size_t count)
{
    int64_t n = (int64_t)count;
    rask_block out;
    rask_value value;
    if (rk_task_result(task, RASK_DT_I64, 1, &n, &out, &value))
        return task->status;
    _Static_assert(sizeof(size_t) == sizeof(int64_t), "places in runs are written as they are");
    size_t *ends = out.data;
    for (size_t i = 0; i < count; i++)
        ends[i] = run_length(&p->line, i);
    rk_sort_split((size_t)p->line.width, (uint64_t)p->rank, count, below, s, ends);
    if (!s->status)
        return rask_return_value(task, value);
    rask_value_unref(&value);
    return s->status;
}

/* (params, file, samples) */
static int call_split(rask_task *task)
{
    const split_params *p = rk_task_params(task, sizeof *p);
    const rk_outside *file = p ? rk_outside_arg(task, 1) : NULL;
    if (!file)
        return task->status;
    size_t count = (size_t)((p->line.length + p->line.run - 1) / p->line.run);
    char *memory = rk_alloc(split_bytes(&p->line, count));
    if (!memory)
        return rk_task_fail(task, RASK_ENOMEM, "no memory to split %zu runs", count);
    splitting s = {.task = task, .file = file, .line = &p->line, .runs = (sampled *)(void *)memory};
    if (!open_samples(task, &s, count, memory + count * sizeof(sampled)))
        return_split(task, &s, p, count);
    rk_free(memory);
    return task->status;
}

/* -- Chunks */

typedef struct chunk_params {
    line line;
    rk_sort_range range;
} chunk_params;

/* Pairs from … to of each run, one after another; the task's status. */
static int read_parts(rask_task *task, const rk_outside *file, const chunk_params *p, const int64_t *from,
                      const int64_t *to, const rk_pairs *out)
{
    size_t at = 0, count = (size_t)((p->line.length + p->line.run - 1) / p->line.run);
    for (size_t i = 0; i < count; i++) {
        size_t n = (size_t)(to[i] - from[i]), first = (size_t)from[i];
        int status = rk_outside_read(task, file, key_place(&p->line, i, first), out->keys + at * out->width,
                                     n * out->width);
        if (!status && out->indices)
            status = rk_outside_read(task, file, index_place(&p->line, i, first), out->indices + at,
                                     n * sizeof *out->indices);
        if (status)
            return status;
        at += n;
    }
    return RASK_OK;
}

/* (params, file, split, split) */
static int call_sort_parts(rask_task *task)
{
    const chunk_params *p = rk_task_params(task, sizeof *p);
    const rk_outside *file = p ? rk_outside_arg(task, 1) : NULL;
    rk_sort_room r = {.p = {.n = 0}};
    rask_block from, to;
    if (!file || rask_arg_block(task, 2, &from) || rask_arg_block(task, 3, &to))
        return task->status;
    int status =
        rk_sort_room_init(task, &r, (size_t)p->range.count, (size_t)p->line.width, p->range.indices != 0);
    if (!status)
        status = read_parts(task, file, p, from.data, to.data, &r.p);
    if (!status) {
        rk_sort_room_sort(&r);
        status = rk_sort_return(task, &p->range, &r.p);
    }
    rk_sort_room_fini(&r);
    return status;
}

static const rask_task_def write_run_def = {
    .size = sizeof(rask_task_def), .name = "sort run", .call = call_write_run, .flags = RASK_PURE};
static const rask_task_def split_def = {
    .size = sizeof(rask_task_def), .name = "sort split", .call = call_split, .flags = RASK_PURE};
static const rask_task_def sort_parts_def = {
    .size = sizeof(rask_task_def), .name = "sort", .call = call_sort_parts, .flags = RASK_PURE};

/* -- Lowering */

/* One line while it is lowered. */
typedef struct lowered {
    rk_lowering *l;
    rask_array *a;
    const rk_chunks *chunks;
    rask_node *file, *samples;
    rask_node **nodes; /* of samples */
    line line;
} lowered;

/* The runs of the line that begins at index; their samples. False: latched. */
static bool lower_runs(lowered *w, const int64_t *begin)
{
    uint32_t last = w->a->ndim - 1;
    int64_t index[RASK_MAX_DIMENSIONS];
    uint64_t pair = rk_pair_bytes((size_t)w->line.width, w->line.indices);
    memcpy(index, begin, w->a->ndim * sizeof *index);
    for (index[last] = 0; index[last] < w->chunks->count[last]; index[last]++) {
        rk_region region;
        rk_chunks_region(w->chunks, index, &region);
        run_params p = {.line = w->line, .run = index[last]};
        uint64_t n = (uint64_t)region.count[last];
        rask_node *run = rk_stream_call(w->l, w->a->inputs[0], &write_run_def, &region, &p, sizeof p, w->file,
                                        (n / BLOCK + 1) * (uint64_t)w->line.width, 2 * n * pair);
        if (!(w->nodes[index[last]] = run))
            return false;
    }
    w->samples = rask_list_at(rk_lowering_graph(w->l), w->nodes, (size_t)w->chunks->count[last], NULL, 0);
    return w->samples;
}

static rask_node *lower_split(const lowered *w, int64_t rank)
{
    split_params p = {.line = w->line, .rank = rank};
    rask_node *args[] = {w->file, w->samples};
    size_t runs = (size_t)w->chunks->count[w->a->ndim - 1];
    return rk_lower_call(w->l, &split_def, &p, sizeof p, args, 2, runs * sizeof(int64_t),
                         split_bytes(&w->line, runs));
}

static rask_node *lower_chunk(const lowered *w, const rk_region *region, rask_node *from, rask_node *to)
{
    chunk_params p = {.line = w->line, .range = rk_sort_range_of(w->a, region)};
    rask_node *args[] = {w->file, from, to};
    uint64_t n = (uint64_t)p.range.count;
    return from && to
               ? rk_lower_call(w->l, &sort_parts_def, &p, sizeof p, args, 3, n * rask_dtype_size(w->a->dtype),
                               2 * n * rk_pair_bytes((size_t)w->line.width, w->line.indices))
               : NULL;
}

/* The chunks of a line, from nodes[*at] on. False: latched. */
static bool lower_line(lowered *w, int64_t *index, size_t *at)
{
    uint32_t last = w->a->ndim - 1;
    rask_node *from, *to = lower_runs(w, index) ? lower_split(w, 0) : NULL;
    for (index[last] = 0; to && index[last] < w->chunks->count[last]; index[last]++) {
        rk_region region;
        rk_chunks_region(w->chunks, index, &region);
        from = to;
        to = lower_split(w, region.start[last] + region.count[last]);
        w->chunks->nodes[*at] = lower_chunk(w, &region, from, to);
        if (!w->chunks->nodes[(*at)++])
            return false;
    }
    return to;
}

int rk_sort_outside(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    uint32_t last = a->ndim - 1;
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, width = (int64_t)rk_key_width(a->inputs[0]->dtype);
    int status = rk_sort_grid(l, a, chunks);
    rask_node *file = status ? NULL : rk_outside_new(l, "sort", NULL, 0);
    lowered w = {.l = l, .a = a, .chunks = chunks, .file = file};
    w.nodes = file ? rk_lowering_memory(l, (size_t)chunks->count[last] * sizeof(rask_node *)) : NULL;
    w.line = (line){.length = a->shape[last],
                    .run = chunks->bounds[last][1],
                    .width = width,
                    .indices = ((const rk_sort_params *)a->params)->indices};
    size_t at = 0;
    if (!w.nodes)
        return rk_lowering_failure(l);
    do {
        if (!lower_line(&w, index, &at))
            return rk_lowering_failure(l);
        w.line.place += a->shape[last] * (int64_t)rk_pair_bytes((size_t)width, w.line.indices);
        index[last] = chunks->count[last] - 1;
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}
