/* What builders, lowerings and tasks of linear algebra have in common. */
#include "collections/array/linalg/linalg.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <math.h>
#include <string.h>

/* -- Builders -- */

rask_dtype rk_linalg_dtype(rask_dtype dtype)
{
    return rk_dtype_is_float(dtype) || rk_dtype_is_complex(dtype) ? dtype : RASK_DT_F64;
}

rask_array *rk_linalg_matrix(rask_array *a, rask_dtype dtype, const char *who, const char *file, int line)
{
    char text[RK_SHAPE_TEXT];
    if (!a || rk_lapack_need(a->graph, who, file, line))
        return NULL;
    if (a->ndim != 2 || !a->shape[0] || !a->shape[1]) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: an array of shape %s is no matrix%s", who,
                      rk_shape_text(a->shape, a->ndim, text), a->ndim == 2 ? " with elements" : "");
        return NULL;
    }
    if (a->shape[0] > INT32_MAX / 2 || a->shape[1] > INT32_MAX / 2) {
        rk_graph_fail(a->graph, RASK_ELIMIT, file, line, "%s: a matrix of shape %s is too large for LAPACK",
                      who, rk_shape_text(a->shape, a->ndim, text));
        return NULL;
    }
    return rk_array_cast(a, dtype, file, line);
}

rask_array *rk_linalg_square(rask_array *a, const char *who, const char *file, int line)
{
    char text[RK_SHAPE_TEXT];
    a = a ? rk_linalg_matrix(a, rk_linalg_dtype(a->dtype), who, file, line) : NULL;
    if (!a || a->shape[0] == a->shape[1])
        return a;
    rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: a matrix of shape %s is not square", who,
                  rk_shape_text(a->shape, 2, text));
    return NULL;
}

rask_array *rk_linalg_array(const rk_opaque *opaque, const void *params, size_t size, rask_dtype dtype,
                            int64_t rows, int64_t columns, rask_array *const *inputs, uint32_t count,
                            const char *file, int line)
{
    for (uint32_t i = 0; i < count; i++)
        if (!inputs[i])
            return NULL;
    return rk_array_opaque(inputs[0]->graph, opaque, params, size, dtype, 2, (const int64_t[]){rows, columns},
                           inputs, count, file, line);
}

/* -- Lowering -- */

rask_node *rk_linalg_tile(rk_lowering *l, rask_array *a, int64_t row, int64_t rows, int64_t column,
                          int64_t columns)
{
    rk_region region = {.ndim = 2, .start = {row, column}, .count = {rows, columns}};
    return rk_lower_region(l, a, &region);
}

int rk_linalg_cut(rk_lowering *l, rk_chunks *chunks, int64_t rows, const int64_t *bounds, int64_t count)
{
    *chunks = (rk_chunks){.ndim = 2, .count = {1, count}};
    chunks->bounds[0] = rk_lowering_memory(l, 2 * sizeof(int64_t));
    chunks->bounds[1] = rk_lowering_memory(l, ((size_t)count + 1) * sizeof(int64_t));
    chunks->nodes = rk_lowering_memory(l, (size_t)count * sizeof *chunks->nodes);
    if (!chunks->bounds[0] || !chunks->bounds[1] || !chunks->nodes)
        return RASK_ENOMEM;
    chunks->bounds[0][0] = 0;
    chunks->bounds[0][1] = rows;
    memcpy(chunks->bounds[1], bounds, ((size_t)count + 1) * sizeof *bounds);
    memset(chunks->nodes, 0, (size_t)count * sizeof *chunks->nodes);
    return RASK_OK;
}

enum { PARTS_A_WORKER = 4, LEAST_PART = 256 << 10 };

uint64_t rk_linalg_part(rk_lowering *l, const rask_array *a)
{
    uint64_t total = (uint64_t)rk_shape_size(a->shape, a->ndim) * rask_dtype_size(a->dtype);
    uint64_t part = total / (rk_lowering_workers(l) * PARTS_A_WORKER), most = rk_lowering_chunk_bytes(l);
    part = part < LEAST_PART ? LEAST_PART : part;
    return part < most ? part : most;
}

int64_t rk_linalg_group(rk_lowering *l, uint64_t bytes, int64_t most)
{
    uint64_t fit = 2 * rk_lowering_chunk_bytes(l) / (bytes ? bytes : 1);
    return fit < 1 ? 1 : fit < (uint64_t)most ? (int64_t)fit : most;
}

/* -- Tasks -- */

static int fail_shape(rask_task *task, size_t index, rask_dtype dtype, int64_t rows, int64_t columns)
{
    return rk_task_fail(task, RASK_EINVAL, "argument %zu is no %s block of %lld rows and %lld columns", index,
                        rask_dtype_name(dtype), (long long)rows, (long long)columns);
}

int rk_linalg_rows(rask_task *task, size_t index, rask_dtype dtype, int64_t rows, rask_block *block)
{
    if (rask_arg_block(task, index, block))
        return task->status;
    if (block->dtype != dtype || block->ndim != 2 || block->shape[1] != rows)
        return fail_shape(task, index, dtype, block->shape[0], rows);
    return RASK_OK;
}

int rk_linalg_block(rask_task *task, size_t index, rask_dtype dtype, int64_t rows, int64_t columns,
                    rask_block *block)
{
    if (rask_arg_block(task, index, block))
        return task->status;
    if (block->dtype != dtype || block->ndim != 2 || block->shape[0] != rows || block->shape[1] != columns)
        return fail_shape(task, index, dtype, rows, columns);
    return RASK_OK;
}

int rk_linalg_result(rask_task *task, rask_dtype dtype, int64_t rows, int64_t columns, rask_block *block,
                     rask_value *value)
{
    if (task->status)
        return task->status;
    return rk_task_result(task, dtype, 2, (const int64_t[]){rows, columns}, block, value);
}

void *rk_linalg_scratch(rask_task *task, uint64_t bytes)
{
    void *memory = bytes <= SIZE_MAX - 1 ? rk_alloc((size_t)bytes + 1) : NULL;
    if (!memory)
        rk_task_fail(task, RASK_ENOMEM, "no memory to work in");
    return memory;
}

/* -- Elements -- */

double rk_element_real(rask_dtype dtype, const void *element)
{
    float single;
    double full;
    if (dtype == RASK_DT_F32 || dtype == RASK_DT_C64)
        return memcpy(&single, element, sizeof single), (double)single;
    return memcpy(&full, element, sizeof full), full;
}

/* The real dtype that one of floats or complex numbers is made of. */
static rask_dtype real_of(rask_dtype dtype)
{
    return dtype == RASK_DT_C64 ? RASK_DT_F32 : dtype == RASK_DT_C128 ? RASK_DT_F64 : dtype;
}

bool rk_element_is_zero(rask_dtype dtype, const void *element)
{
    size_t half = rask_dtype_size(real_of(dtype));
    return rk_element_real(dtype, element) == 0 &&
           (!rk_dtype_is_complex(dtype) || rk_element_real(dtype, (const char *)element + half) == 0);
}

int64_t rk_elements_finite(rask_dtype dtype, const void *first, int64_t count)
{
    int64_t parts = rk_dtype_is_complex(dtype) ? 2 : 1, i = 0;
    const float *singles = first;
    const double *doubles = first;
    if (real_of(dtype) == RASK_DT_F32)
        while (i < count * parts && isfinite(singles[i]))
            i++;
    else
        while (i < count * parts && isfinite(doubles[i]))
            i++;
    return i / parts;
}

void rk_element_set_one(rask_dtype dtype, void *element)
{
    float single = 1;
    double full = 1;
    if (real_of(dtype) == RASK_DT_F32)
        memcpy(element, &single, sizeof single);
    else
        memcpy(element, &full, sizeof full);
}

void rk_elements_negate(rask_dtype dtype, void *first, int64_t n, int64_t stride)
{
    int64_t parts = rk_dtype_is_complex(dtype) ? 2 : 1;
    for (int64_t i = 0; i < n; i++)
        for (int64_t part = 0; part < parts; part++) {
            int64_t at = i * stride * parts + part;
            if (real_of(dtype) == RASK_DT_F32)
                ((float *)first)[at] = -((float *)first)[at];
            else
                ((double *)first)[at] = -((double *)first)[at];
        }
}
