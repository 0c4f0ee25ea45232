/* Convolution of vectors. A chunk of the result asks for the elements of the longer vector that it is made of, as one region,
 * and for the shorter one. */
#include "collections/array/kernels/kernels.h"
#include "collections/array/lowering.h"
#include "core/task/task.h"

#include <string.h>

enum {
    LENGTHS = 16
}; /* a chunk is so many times as long as the shorter vector, where the budget allows it */

/* Of a chunk: elements of the full convolution, of vectors of n and m elements. */
typedef struct convolve_params {
    uint64_t dtype;
    int64_t start, count, n, m;
    int64_t from, given; /* elements of the longer vector that the task gets */
} convolve_params;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* -- Tasks -- */

/* n elements of the full convolution from s on. a: where element 0 of the longer vector is, or would be. Of those of v that some
 * of them need, most are needed by all: these go together. */
static void convolve_strip(const convolve_params *p, int64_t s, int64_t n, char *out, const char *a,
                           const char *v)
{
    rk_convolve_kernel run = rk_convolve_find((rask_dtype)p->dtype);
    int64_t size = (int64_t)rask_dtype_size((rask_dtype)p->dtype), last = least(p->m - 1, s + n - 1);
    memset(out, 0, (size_t)(n * size));
    for (int64_t k = most(0, s - p->n + 1); k <= last; k++) {
        int64_t low = most(0, k - s), high = least(n, p->n + k - s), together = 1;
        if (!low && high == n)
            together = least(p->m - 1, s) - k + 1;
        run((size_t)(high - low), out + low * size, a + (s + low - k) * size, (size_t)together, v + k * size);
        k += together - 1;
    }
}

static bool is_vector(const rask_block *block, const convolve_params *p, int64_t count)
{
    return block->dtype == (rask_dtype)p->dtype && block->ndim == 1 && block->shape[0] == count;
}

/* (params, elements of the longer vector, the shorter one) */
static int call_convolve(rask_task *task)
{
    const convolve_params *p = rk_task_params(task, sizeof *p);
    rask_block a, v, out;
    rask_value value;
    if (!p || rask_arg_block(task, 1, &a) || rask_arg_block(task, 2, &v))
        return task->status;
    if (!is_vector(&a, p, p->given) || !is_vector(&v, p, p->m))
        return rk_task_fail(task, RASK_EINVAL, "other vectors than expected");
    if (rk_task_result(task, a.dtype, 1, &p->count, &out, &value))
        return task->status;
    int64_t size = (int64_t)rask_dtype_size(a.dtype);
    for (int64_t at = 0; at < p->count && !rask_task_cancelled(task); at += RK_STRIP)
        convolve_strip(p, p->start + at, least(RK_STRIP, p->count - at), (char *)out.data + at * size,
                       (const char *)a.data - p->from * size, v.data);
    return rask_return_value(task, value);
}

static const rask_task_def convolve_def = {
    .size = sizeof(rask_task_def), .name = "convolve", .call = call_convolve, .flags = RASK_PURE};

/* -- Lowering -- */

/* Params of the array: which element of the full convolution is the first. */
typedef struct convolution {
    int64_t offset;
} convolution;

static int64_t chunk_length(rk_lowering *l, const rask_array *array)
{
    int64_t size = (int64_t)rask_dtype_size(array->dtype), m = array->inputs[1]->shape[0];
    int64_t part = (int64_t)rk_lowering_part_bytes(l, (uint64_t)(array->shape[0] * size)) / size;
    int64_t fits = (int64_t)rk_lowering_chunk_bytes(l) / size;
    return most(least(most(part, LENGTHS * m), fits), 1);
}

static rask_node *lower_chunk(rk_lowering *l, rask_array *array, int64_t start, int64_t count, rask_node *v)
{
    const convolution *c = array->params;
    rask_array *a = array->inputs[0];
    convolve_params p = {.dtype = array->dtype,
                         .start = start + c->offset,
                         .count = count,
                         .n = a->shape[0],
                         .m = array->inputs[1]->shape[0]};
    p.from = most(0, p.start - p.m + 1);
    p.given = least(p.n, p.start + count) - p.from;
    rask_node *nodes[2] = {
        rk_lower_region(l, a, &(rk_region){.ndim = 1, .start = {p.from}, .count = {p.given}}), v};
    uint64_t bytes = (uint64_t)count * rask_dtype_size(array->dtype);
    return nodes[0] ? rk_lower_call(l, &convolve_def, &p, sizeof p, nodes, 2, bytes, 0) : NULL;
}

static int lower_convolve(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    rask_array *shorter = array->inputs[1];
    int64_t length = chunk_length(l, array);
    int status = rk_grid_regular(l, chunks, 1, array->shape, &length);
    rask_node *v =
        status ? NULL : rk_lower_region(l, shorter, &(rk_region){.ndim = 1, .count = {shorter->shape[0]}});
    if (!v)
        return rk_lowering_failure(l);
    for (int64_t i = 0; i < chunks->count[0]; i++) {
        int64_t start = chunks->bounds[0][i];
        chunks->nodes[i] = lower_chunk(l, array, start, chunks->bounds[0][i + 1] - start, v);
        if (!chunks->nodes[i])
            return rk_lowering_failure(l);
    }
    return RASK_OK;
}

static const rk_opaque convolve_class = {.name = "convolve", .lower = lower_convolve};

/* -- Builder -- */

static bool check(rask_array *a, rask_array *v, rask_convolve_mode mode, const char *file, int line)
{
    static const char who[] = "rask_array_convolve";
    char left[RK_SHAPE_TEXT], right[RK_SHAPE_TEXT];
    if ((unsigned)mode > RASK_CONVOLVE_VALID)
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: %d is no mode", who, (int)mode);
    else if (a->graph != v->graph)
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: arrays of two graphs", who);
    else if (a->ndim != 1 || v->ndim != 1 || !a->shape[0] || !v->shape[0])
        rk_graph_fail(a->graph, RASK_EINVAL, file, line,
                      "%s: two vectors with elements expected, not shapes %s and %s", who,
                      rk_shape_text(a->shape, a->ndim, left), rk_shape_text(v->shape, v->ndim, right));
    else
        return true;
    return false;
}

rask_array *rask_array_convolve_at(rask_array *a, rask_array *v, rask_convolve_mode mode, const char *file,
                                   int line)
{
    if (!a || !v || a->graph->status || !check(a, v, mode, file, line))
        return NULL;
    rask_dtype dtype = rask_dtype_promote(a->dtype, v->dtype);
    bool turned = a->shape[0] < v->shape[0];
    rask_array *inputs[2] = {rk_array_cast(turned ? v : a, dtype, file, line),
                             rk_array_cast(turned ? a : v, dtype, file, line)};
    if (!inputs[0] || !inputs[1])
        return NULL;
    int64_t n = inputs[0]->shape[0], m = inputs[1]->shape[0];
    convolution c = {mode == RASK_CONVOLVE_SAME ? (m - 1) / 2 : mode == RASK_CONVOLVE_VALID ? m - 1 : 0};
    int64_t shape[1] = {mode == RASK_CONVOLVE_FULL ? n + m - 1 : mode == RASK_CONVOLVE_SAME ? n : n - m + 1};
    return rk_array_opaque(a->graph, &convolve_class, &c, sizeof c, dtype, 1, shape, inputs, 2, file, line);
}
