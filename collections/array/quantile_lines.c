/* Quantiles of lines that fit a task: gathered whole, and the elements of the wanted ranks selected. */
#include "collections/array/keys.h"
#include "collections/array/quantile.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

enum { FEW_RANKS = 4 }; /* are selected; for more a line is sorted */

/* One line's work space. */
typedef struct line_keys {
    rask_dtype dtype;
    size_t n, width;
    char *keys, *scratch;
} line_keys;

static uint64_t key_at(const line_keys *line, size_t at)
{
    return line->width == 4 ? ((const uint32_t *)(const void *)line->keys)[at]
                            : ((const uint64_t *)(const void *)line->keys)[at];
}

static size_t count_nans(const line_keys *line)
{
    size_t nans = 0;
    if (line->dtype == RASK_DT_F32) {
        uint32_t nan = (uint32_t)rk_key_nan(line->dtype);
        for (size_t i = 0; i < line->n; i++)
            nans += ((const uint32_t *)(const void *)line->keys)[i] >= nan;
    } else if (line->dtype == RASK_DT_F64) {
        uint64_t nan = rk_key_nan(line->dtype);
        for (size_t i = 0; i < line->n; i++)
            nans += ((const uint64_t *)(const void *)line->keys)[i] >= nan;
    }
    return nans;
}

/* The key of a rank of a line that is sorted, or partly so after. from: smaller ranks are in place. */
static uint64_t key_of_rank(const line_keys *line, bool sorted, int64_t from, int64_t rank)
{
    if (!sorted)
        rk_keys_select(line->width, line->n - (size_t)from, line->keys + (size_t)from * line->width,
                       (size_t)(rank - from), line->scratch);
    return key_at(line, (size_t)rank);
}

/* Results of one line, `apart` bytes from one to the next. */
static void line_results(const rk_ranks *wanted, const line_keys *line, const void *elements, char *out,
                         size_t apart)
{
    rk_keys_make(line->dtype, line->n, elements, false, line->keys);
    size_t nans = count_nans(line);
    int64_t valid = (int64_t)(line->n - nans);
    bool sorted = wanted->count > FEW_RANKS;
    if (sorted)
        rk_keys_sort(line->width, line->n, line->keys, line->scratch);
    for (int64_t i = 0; i < wanted->count; i++, out += apart) {
        int64_t low, high;
        if (!valid || (nans && !wanted->skip_nan)) {
            rk_ranks_nan(wanted, out);
            continue;
        }
        rk_ranks_of(wanted, i, valid, &low, &high);
        uint64_t low_key = key_of_rank(line, sorted, 0, low);
        uint64_t high_key = high > low ? key_of_rank(line, sorted, high, high) : low_key;
        rk_ranks_result(wanted, i, valid, low_key, high_key, out);
    }
}

/* Elements of all lines, then work space, and what aligning takes. */
uint64_t rk_quantile_lines_scratch(rask_dtype dtype, uint64_t elements, uint64_t n)
{
    return ((elements * rask_dtype_size(dtype) + 15) & ~(uint64_t)15) + 2 * n * rk_key_width(dtype);
}

static int lines_of(rask_task *task, rk_stream *s, const rk_quantile_ending *e, char *memory)
{
    rask_dtype dtype = rk_ranks_dtype(e->wanted.median, s->dtype);
    size_t n = (size_t)e->head.n, size = rask_dtype_size(dtype);
    size_t lines = (size_t)(rk_shape_size(e->head.shape, (uint32_t)e->head.ndim) / e->wanted.count);
    line_keys work = {.dtype = s->dtype, .n = n, .width = rk_key_width(s->dtype)};
    work.scratch = memory + rk_quantile_lines_scratch(s->dtype, s->size, 0);
    work.keys = work.scratch + n * work.width;
    rask_block out;
    rask_value value;
    int status = rk_stream_read(task, s, memory);
    if (status || (status = rk_task_result(task, dtype, (uint32_t)e->head.ndim, e->head.shape, &out, &value)))
        return status;
    for (size_t i = 0; i < lines; i++)
        line_results(&e->wanted, &work, memory + i * n * rask_dtype_size(s->dtype),
                     (char *)out.data + i * size, lines * size);
    return rask_return_value(task, value);
}

/* A stream of whole lines, one after another, with an ending in bytes: results of all, the axis of quantiles first. */
static int call_quantile_lines(rask_task *task)
{
    rk_stream s;
    int status = rk_stream_open(task, 0, &s);
    if (status)
        return status;
    const rk_quantile_ending *e = rk_quantile_ending_of(task, rask_arg_bytes(task, rk_stream_with(task)));
    char *memory =
        e ? rk_alloc((size_t)rk_quantile_lines_scratch(s.dtype, s.size, (uint64_t)e->head.n) + 16) : NULL;
    if (memory)
        status = lines_of(task, &s, e, memory);
    else
        status = rk_task_fail(task, RASK_ENOMEM, "no memory for %zu elements", s.size);
    rk_free(memory);
    rk_stream_close(&s);
    return status;
}
RK_QUANTILE_DEF(quantile_lines, "quantiles");

rask_node *rk_quantile_lines(const rk_quantiles *q, const rk_region *box, int64_t n, const int64_t *shape)
{
    const void *params = rk_quantile_ending_for(q, shape, n);
    uint64_t elements = (uint64_t)rk_shape_size(box->count, box->ndim);
    uint64_t bytes = rk_quantile_bytes(q, shape),
             scratch = rk_quantile_lines_scratch(q->in->dtype, elements, (uint64_t)n) + 16;
    if (!params)
        return NULL;
    rask_arg arg = {.kind = RASK_ARG_BYTES, .as.bytes = {params, rk_quantile_ending_bytes(q->count)}};
    rask_node *with = rask_const_at(rk_lowering_graph(q->l), &arg, NULL, 0);
    if (!with)
        return NULL;
    if (q->p->axis == RASK_ALL)
        return rk_stream_call(q->l, q->in, &quantile_lines_def, box, NULL, 0, with, bytes, scratch);
    return rk_stream_call_along(q->l, q->in, (uint32_t)q->p->axis, &quantile_lines_def, box, NULL, 0, with,
                                bytes, scratch);
}
