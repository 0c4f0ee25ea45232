/* Elements by number, in a task: see take.c for which tasks there are and why. */
#include "collections/array/take_tasks.h"
#include "collections/array/kernels/kernels.h"
#include "collections/array/lowering.h"
#include "collections/array/take.h"
#include "core/task/task.h"

#include <assert.h>
#include <string.h>

/* n rows from row numbers at[] of in, which has in_rows of them, for each of outer; a row is inner bytes. Only numbers
 * that lie in first … first + in_rows - 1 are taken; other rows of out stay as they are. */
typedef struct picking {
    int64_t outer, inner, in_rows, first;
    int64_t n;
    const int64_t *at;
} picking;

#define PICK(bytes)                                                                                          \
    for (int64_t j = 0; j < p->n; j++, out += (bytes)) {                                                     \
        uint64_t row = (uint64_t)(p->at[j] - p->first);                                                      \
        if (row < (uint64_t)p->in_rows)                                                                      \
            memcpy(out, in + row * (bytes), (bytes));                                                        \
    }

static void pick(const picking *p, const char *in, char *out)
{
    size_t inner = (size_t)p->inner;
    for (int64_t o = 0; o < p->outer; o++, in += p->in_rows * p->inner) {
        switch (inner) { /* a copy of a known size is one instruction */
        case 1: PICK(1) break;
        case 2: PICK(2) break;
        case 4: PICK(4) break;
        case 8: PICK(8) break;
        case 16: PICK(16) break;
        default: PICK(inner)
        }
    }
}

static picking picking_of(const rk_take_params *params)
{
    uint32_t axis = (uint32_t)params->axis, ndim = (uint32_t)params->ndim;
    return (picking){.outer = rk_shape_size(params->shape, axis),
                     .inner = rk_shape_size(params->shape + axis + 1, ndim - axis - 1) *
                              (int64_t)rask_dtype_size((rask_dtype)params->dtype),
                     .n = params->shape[axis]};
}

/* Argument number `argument`: a cell of the input. Sets in_rows by it; NULL after failing the task. */
static const char *cell_of(rask_task *task, const rk_take_params *params, size_t argument, picking *p)
{
    rask_block cell;
    if (rask_arg_block(task, argument, &cell))
        return NULL;
    if (cell.ndim != params->ndim || cell.dtype != (rask_dtype)params->dtype) {
        rk_task_fail(task, RASK_EINVAL, "the input is not as it was planned");
        return NULL;
    }
    p->in_rows = cell.shape[params->axis];
    return cell.data;
}

static int new_result(rask_task *task, const rk_take_params *params, rask_block *block, rask_value *value)
{
    return rk_task_result(task, (rask_dtype)params->dtype, (uint32_t)params->ndim, params->shape, block,
                          value);
}

static int finish(rask_task *task, rask_value *value)
{
    if (!task->status)
        return rask_return_value(task, *value);
    rask_value_unref(value);
    return task->status;
}

/* The wanted numbers, argument 1, of which there are n where n is not negative. NULL after failing the task. */
static const int64_t *numbers_of(rask_task *task, int64_t n, rask_block *numbers)
{
    if (rask_arg_block(task, 1, numbers))
        return NULL;
    if (numbers->dtype == RASK_DT_I64 && numbers->ndim == 1 && (n < 0 || numbers->shape[0] == n))
        return numbers->data;
    rk_task_fail(task, RASK_EINVAL, "the numbers are not as they were planned");
    return NULL;
}

/* Rows one after another of those in the cell that are wanted. */
#define PACK(bytes)                                                                                          \
    for (int64_t j = 0; j < p->n; j++) {                                                                     \
        uint64_t row = (uint64_t)(p->at[j] - p->first);                                                      \
        if (row < (uint64_t)p->in_rows) {                                                                    \
            memcpy(out, in + row * (bytes), (bytes));                                                        \
            out += (bytes);                                                                                  \
        }                                                                                                    \
    }

static void pack(const picking *p, const char *in, char *out)
{
    size_t inner = (size_t)p->inner;
    for (int64_t o = 0; o < p->outer; o++, in += p->in_rows * p->inner) {
        switch (inner) {
        case 1: PACK(1) break;
        case 2: PACK(2) break;
        case 4: PACK(4) break;
        case 8: PACK(8) break;
        case 16: PACK(16) break;
        default: PACK(inner)
        }
    }
}

static int64_t count_within(const picking *p)
{
    int64_t count = 0;
    for (int64_t j = 0; j < p->n; j++)
        count += (uint64_t)(p->at[j] - p->first) < (uint64_t)p->in_rows;
    return count;
}

/* A cell of many, or what it has of the result. */
typedef struct origin {
    const char *data;
    int64_t rows, first; /* number of its first row */
} origin;

size_t rk_take_last_before(const int64_t *starts, size_t count, int64_t number)
{
    size_t low = 0;
    while (count > 1) {
        size_t half = count / 2;
        low += starts[low + half] <= number ? half : 0;
        count -= half;
    }
    return low;
}

static bool is_from_many(int64_t kind, size_t cells)
{
    return kind == RK_TAKE_PARTS || cells > RK_TAKE_FEW_CELLS;
}

uint64_t rk_take_scratch_bytes(rk_take_kind kind, size_t cells)
{
    return is_from_many(kind, cells) ? cells * sizeof(origin) : 0;
}

/* Each number's row, from the cell it lies in. parts: the rows of each come one after another. */
static void pick_each(const picking *p, const int64_t *starts, origin *cells, size_t count, bool parts,
                      char *out)
{
    size_t inner = (size_t)p->inner;
    for (int64_t j = 0; j < p->n; j++) {
        origin *from = &cells[rk_take_last_before(starts, count, p->at[j])];
        int64_t row = parts ? from->first++ : p->at[j] - from->first;
        assert(row >= 0 && row < from->rows);
        const char *in = from->data + (size_t)row * inner;
        char *to = out + (size_t)j * inner;
        for (int64_t o = 0; o < p->outer; o++, in += (size_t)from->rows * inner, to += (size_t)p->n * inner)
            memcpy(to, in, inner);
    }
}

static int take_from_many(rask_task *task, const rk_take_params *params, picking *p, char *out)
{
    const int64_t *starts = (const void *)(params + 1);
    bool parts = params->kind == RK_TAKE_PARTS;
    size_t count = (size_t)params->cells;
    origin *cells = rk_alloc_array(count, sizeof *cells);
    if (!cells)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for %zu cells", count);
    for (size_t i = 0; i < count && !task->status; i++) {
        cells[i].data = cell_of(task, params, 2 + i, p);
        cells[i].rows = p->in_rows;
        cells[i].first = parts ? 0 : starts[i];
    }
    if (!task->status)
        pick_each(p, starts, cells, count, parts, out);
    rk_free(cells);
    return task->status;
}

static int take_from_few(rask_task *task, const rk_take_params *params, picking *p, char *out)
{
    const int64_t *starts = (const void *)(params + 1);
    for (size_t i = 0; i < (size_t)params->cells && !task->status; i++) {
        const char *in = cell_of(task, params, 2 + i, p);
        p->first = starts[i];
        if (in && params->kind == RK_TAKE_CELLS)
            pick(p, in, out);
        else if (in && count_within(p) != params->shape[params->axis])
            return rk_task_fail(task, RASK_EINVAL, "the numbers are not as they were planned");
        else if (in)
            pack(p, in, out);
    }
    return task->status;
}

/* (params, numbers, cell…) */
static int call_take(rask_task *task)
{
    rask_bytes bytes = rask_arg_bytes(task, 0);
    const rk_take_params *params = (const void *)bytes.data;
    rask_block block, numbers;
    rask_value value;
    if (bytes.len < sizeof *params || bytes.len != sizeof *params + (size_t)params->cells * sizeof(int64_t))
        return rk_task_fail(task, RASK_EINVAL, "malformed parameters");
    picking p = picking_of(params);
    p.at = numbers_of(task, params->kind == RK_TAKE_PART ? -1 : p.n, &numbers);
    if (!p.at)
        return task->status;
    p.n = numbers.shape[0];
    int status = new_result(task, params, &block, &value);
    if (status)
        return status;
    if (is_from_many(params->kind, (size_t)params->cells))
        take_from_many(task, params, &p, block.data);
    else
        take_from_few(task, params, &p, block.data);
    return finish(task, &value);
}

int rk_take_fail(rask_task *task, int64_t number, int64_t place, int64_t axis, int64_t length)
{
    return rk_task_fail(task, RASK_ERANGE,
                        "index %lld, at place %lld, is out of bounds for axis %lld of %lld elements",
                        (long long)number, (long long)place, (long long)axis, (long long)length);
}

/* Makes at[] of n i64 numbers that may be negative: from 0 on, of the input's axis. How many of them lie in the cell; -1
 * after failing the task. */
static int64_t normalise(rask_task *task, const rk_take_params *params, const picking *p,
                         const int64_t *numbers, int64_t *at)
{
    int64_t found = 0;
    for (int64_t i = 0; i < p->n; i++) {
        at[i] = numbers[i] < 0 ? numbers[i] + params->length : numbers[i];
        if (at[i] < 0 || at[i] >= params->length) {
            rk_take_fail(task, numbers[i], params->position + i, params->axis, params->length);
            return -1;
        }
        found += (uint64_t)(at[i] - p->first) < (uint64_t)p->in_rows;
    }
    return found;
}

/* The result so far, with what the cell has of it. */
static int add_cell(rask_task *task, const rk_take_params *params, const picking *p, const char *in)
{
    rask_block before, block;
    rask_value value;
    bool is_first = rask_arg_count(task) < 4;
    if ((!is_first && rask_arg_block(task, 3, &before)) || new_result(task, params, &block, &value))
        return task->status;
    size_t size = (size_t)(p->outer * p->n * p->inner);
    if (!is_first)
        memcpy(block.data, before.data, size);
    else if (params->cells > 1)
        memset(block.data, 0, size);
    pick(p, in, block.data);
    return rask_return_value(task, value);
}

/* (params, numbers, cell, result so far): a cell that has nothing of the result leaves it as it is. */
static int call_take_computed(rask_task *task)
{
    const rk_take_params *params = rk_task_params(task, sizeof *params);
    rask_block numbers;
    if (!params)
        return task->status;
    picking p = picking_of(params);
    const char *in = cell_of(task, params, 2, &p);
    if (!in || !numbers_of(task, p.n, &numbers))
        return task->status;
    int64_t *at = rk_alloc_array(p.n ? (size_t)p.n : 1, sizeof *at);
    if (!at)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for %lld numbers", (long long)p.n);
    p.at = at;
    p.first = params->first;
    int64_t found = normalise(task, params, &p, numbers.data, at);
    int status = found < 0 ? task->status
                 : found == 0 && rask_arg_count(task) == 4
                     ? rask_return_value(task, rask_value_ref(rask_arg_value(task, 3)))
                     : add_cell(task, params, &p, in);
    rk_free(at);
    return status;
}

/* Known numbers: of the array's graph, where they live as long, or its own in another process. */
typedef struct index_list {
    const int64_t *at;
    int64_t count;
    int64_t own[];
} index_list;

static void free_numbers(void *data)
{
    rk_free(data);
}

static int encode_numbers(const void *data, rask_value *bytes)
{
    const index_list *n = data;
    return rask_value_bytes_new(n->at, (size_t)n->count * sizeof *n->at, bytes);
}

static int decode_numbers(rask_bytes bytes, void **data)
{
    index_list *n = bytes.len % sizeof *n->own ? NULL : rk_alloc(sizeof *n + bytes.len);
    if (!n)
        return bytes.len % sizeof *n->own ? RASK_EFORMAT : RASK_ENOMEM;
    *n = (index_list){.at = n->own, .count = (int64_t)(bytes.len / sizeof *n->own)};
    if (bytes.len)
        memcpy(n->own, bytes.data, bytes.len);
    *data = n;
    return RASK_OK;
}

static const rask_class numbers_class = {
    .name = "indices", .destroy = free_numbers, .encode = encode_numbers, .decode = decode_numbers};

rask_node *rk_take_numbers(rk_lowering *l, const int64_t *at, int64_t count)
{
    index_list *n = rk_alloc(sizeof *n);
    if (!n) {
        rk_lowering_fail(l, RASK_ENOMEM, "take: no memory for its numbers");
        return NULL;
    }
    *n = (index_list){.at = at, .count = count};
    return rk_lower_constant(l, &numbers_class, n);
}

/* Shown where they stay, else copied: results may outlive constants there. */
static int give_numbers(rask_task *task, const index_list *from, const rk_take_stretch *params,
                        rask_value *value)
{
    rask_block block = {.dtype = RASK_DT_I64,
                        .ndim = 1,
                        .shape = {params->n},
                        .strides = {sizeof(int64_t)},
                        .data = (void *)(from->at + params->first)};
    size_t bytes = (size_t)params->n * sizeof(int64_t);
    if (from->at != from->own)
        return rask_value_block_adopt(&block, bytes, value);
    int status = rk_task_result(task, RASK_DT_I64, 1, &params->n, &block, value);
    if (!status && bytes)
        memcpy(block.data, from->at + params->first, bytes);
    return status;
}

static int call_index(rask_task *task)
{
    const rk_take_stretch *params = rk_task_params(task, sizeof *params);
    const index_list *from = params ? rask_arg_custom(task, 1, &numbers_class) : NULL;
    rask_value value;
    if (!from)
        return task->status;
    int status = give_numbers(task, from, params, &value);
    return status ? rk_task_fail(task, status, "no memory for a block") : rask_return_value(task, value);
}

const rask_task_def rk_take_index_def = {
    .size = sizeof(rask_task_def), .name = "index", .call = call_index, .flags = RASK_PURE | RASK_SOURCE};
const rask_task_def rk_take_def = {
    .size = sizeof(rask_task_def), .name = "take", .call = call_take, .flags = RASK_PURE};
const rask_task_def rk_take_computed_def = {
    .size = sizeof(rask_task_def), .name = "take", .call = call_take_computed, .flags = RASK_PURE};
