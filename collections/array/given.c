/* Arrays whose elements the program gives: in memory, by a node, or by a function. */
#include "collections/array/given.h"
#include "collections/array/copy.h"
#include "collections/array/lower.h"
#include "collections/array/operand.h"
#include "collections/array/view.h"
#include "core/task/task.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* -- Memory */

static bool is_dtype(rask_graph *graph, rask_dtype dtype, const char *who, const char *file, int line)
{
    if (rask_dtype_size(dtype))
        return true;
    rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: %d is no dtype", who, (int)dtype);
    return false;
}

/* Bytes that numbers of dtype are aligned to. */
static uintptr_t alignment_of(rask_dtype dtype)
{
    return rask_dtype_size(dtype) / (rk_dtype_is_complex(dtype) ? 2 : 1);
}

static bool is_aligned(const rask_block *block)
{
    uintptr_t odd = (uintptr_t)block->data;
    for (uint32_t i = 0; i < block->ndim; i++)
        if (block->shape[i] > 1)
            odd |= (uintptr_t)block->strides[i];
    return odd % alignment_of(block->dtype) == 0;
}

bool rk_block_fits(rask_graph *graph, const rask_block *block, bool borrow, const char *who, const char *file,
                   int line)
{
    if (!block) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: no block", who);
        return false;
    }
    if (!is_dtype(graph, block->dtype, who, file, line) ||
        !rk_shape_given(graph, block->ndim, block->shape, who, file, line))
        return false;
    bool empty = false;
    for (uint32_t i = 0; i < block->ndim; i++)
        empty |= !block->shape[i];
    if (empty)
        return true;
    if (!block->data) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: a block without data", who);
        return false;
    }
    if (borrow && !is_aligned(block)) {
        rk_graph_fail(graph, RASK_EINVAL, file, line,
                      "%s: the elements are not aligned as %s must be: have them copied", who,
                      rask_dtype_name(block->dtype));
        return false;
    }
    return true;
}

static void free_copy(rk_source *source)
{
    rk_free(source->context);
}

/* Gives source a copy of block's elements, in C order. */
static int copy_into(rk_source *source, const rask_block *block)
{
    size_t element = rask_dtype_size(block->dtype),
           size = element * (size_t)rk_shape_size(block->shape, block->ndim);
    rk_dense_strides(block->ndim, block->shape, element, source->strides);
    source->context = rk_alloc(size ? size : 1);
    source->data = source->context;
    source->close = free_copy;
    if (!source->context)
        return RASK_ENOMEM;
    if (size)
        rk_copy_box(block->ndim, block->shape, element, source->context, source->strides, block->data,
                    block->strides);
    rk_source_mend(block->dtype, false, source->context, size);
    return RASK_OK;
}

rk_source *rk_source_copy(const rask_block *block)
{
    rk_source *source = rk_source_new(RK_SOURCE_MEMORY, NULL, block->dtype, block->ndim, block->shape);
    if (!source || !copy_into(source, block))
        return source;
    rk_source_unref(source);
    return NULL;
}

/* A source of the block's own memory. NULL: no memory. */
static rk_source *show(const rask_block *block)
{
    rk_source *source = rk_source_new(RK_SOURCE_MEMORY, NULL, block->dtype, block->ndim, block->shape);
    if (source && block->ndim)
        memcpy(source->strides, block->strides, block->ndim * sizeof *block->strides);
    if (source)
        source->data = block->data;
    return source;
}

/* Whether a shape has a size at all, before memory for it is asked for. */
static bool has_size(const rask_block *block)
{
    int64_t bytes = (int64_t)rask_dtype_size(block->dtype);
    for (uint32_t i = 0; i < block->ndim; i++)
        if (block->shape[i] && __builtin_mul_overflow(bytes, block->shape[i], &bytes))
            return false;
    return true;
}

rask_array *rk_array_from_memory(rask_graph *graph, const rask_block *block, bool copy, const char *who,
                                 const char *file, int line)
{
    rk_source *source = copy && has_size(block) ? rk_source_copy(block) : show(block);
    if (!source) {
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "%s: no memory for the elements", who);
        return NULL;
    }
    return rk_array_source(graph, source, NULL, file, line);
}

rask_array *rask_array_from_block_at(rask_graph *graph, const rask_block *block, bool borrow,
                                     const char *file, int line)
{
    static const char who[] = "rask_array_from_block";
    if (!graph || graph->status || !rk_block_fits(graph, block, borrow, who, file, line))
        return NULL;
    return rk_array_from_memory(graph, block, !borrow, who, file, line);
}

/* -- A node */

/* What a node is to give: words without anything between them, for they are compared. */
typedef struct expected {
    int64_t dtype, ndim;
    int64_t shape[RASK_MAX_DIMENSIONS];
} expected;

static bool is_dense(const rask_block *block)
{
    int64_t dense[RASK_MAX_DIMENSIONS];
    rk_dense_strides(block->ndim, block->shape, rask_dtype_size(block->dtype), dense);
    for (uint32_t i = 0; i < block->ndim; i++)
        if (block->shape[i] > 1 && block->strides[i] != dense[i])
            return false;
    return is_aligned(block);
}

/* A block as it was expected, or one made of it that lies in C order. */
static int check_block(rask_task *task, const expected *e, const rask_value *value)
{
    rask_block block, made;
    rask_value result;
    char is[RK_SHAPE_TEXT], wanted[RK_SHAPE_TEXT];
    rask_value_get_block(value, &block);
    if (block.dtype != (rask_dtype)e->dtype || block.ndim != e->ndim ||
        (e->ndim && memcmp(block.shape, e->shape, (size_t)e->ndim * sizeof *e->shape)))
        return rk_task_fail(task, RASK_ETYPE, "the node gave %s of shape %s instead of %s of shape %s",
                            rask_dtype_name(block.dtype), rk_shape_text(block.shape, block.ndim, is),
                            rask_dtype_name((rask_dtype)e->dtype),
                            rk_shape_text(e->shape, (uint32_t)e->ndim, wanted));
    if (is_dense(&block) && block.dtype != RASK_DT_BOOL)
        return rask_return_value(task, rask_value_ref(value));
    if (rk_task_result(task, block.dtype, block.ndim, block.shape, &made, &result))
        return task->status;
    size_t size = rask_dtype_size(block.dtype);
    rk_copy_box(block.ndim, block.shape, size, made.data, made.strides, block.data, block.strides);
    rk_source_mend(block.dtype, false, made.data, size * (size_t)rk_shape_size(block.shape, block.ndim));
    return rask_return_value(task, result);
}

/* The number as an operand; false when it is none. */
static bool number_of(const rask_value *value, rask_operand *number)
{
    memset(number, 0, sizeof *number);
    switch (value->type) {
    case RASK_BOOL:
        number->kind = RASK_OPERAND_BOOL;
        number->as.boolean = value->as.boolean;
        return true;
    case RASK_I64:
        number->kind = RASK_OPERAND_I64;
        number->as.i64 = value->as.i64;
        return true;
    case RASK_F64:
        number->kind = RASK_OPERAND_F64;
        number->as.f64 = value->as.f64;
        return true;
    default: return false;
    }
}

/* A block of one element: a number of a kind that dtype holds, and in its range. */
static int check_number(rask_task *task, const expected *e, const rask_operand *number)
{
    rask_dtype dtype = (rask_dtype)e->dtype;
    rask_block block;
    rask_value result;
    char text[64];
    if (e->ndim || rk_operand_dtype(number, dtype) != dtype || !rk_operand_fits(number, dtype))
        return rk_task_fail(task, RASK_ETYPE, "the node gave the number %s, which is no %s%s",
                            rk_operand_text(number, text, sizeof text), rask_dtype_name(dtype),
                            e->ndim ? " array" : "");
    if (rk_task_result(task, dtype, 0, NULL, &block, &result))
        return task->status;
    rk_operand_store(number, dtype, block.data);
    return rask_return_value(task, result);
}

static int check(rask_task *task)
{
    const expected *e = rk_task_params(task, sizeof *e);
    if (!e)
        return task->status;
    const rask_value *value = rask_arg_value(task, 1);
    rask_operand number;
    if (value->type == RASK_BLOCK)
        return check_block(task, e, value);
    if (number_of(value, &number))
        return check_number(task, e, &number);
    return rk_task_fail(task, RASK_ETYPE, "the node gave %s, not a block", rask_type_name(value->type));
}

static const rask_task_def check_def = {
    .size = sizeof(rask_task_def), .name = "from_node", .call = check, .flags = RASK_PURE};

/* One chunk: what the node gives. */
static int lower_node(rk_lowering *lowering, rask_array *array, rk_chunks *chunks)
{
    int64_t lengths[RASK_MAX_DIMENSIONS];
    expected e = {.dtype = array->dtype, .ndim = array->ndim};
    rask_node *node = *(rask_node *const *)array->params;
    for (uint32_t i = 0; i < array->ndim; i++) {
        e.shape[i] = array->shape[i];
        lengths[i] = array->shape[i] ? array->shape[i] : 1;
    }
    int status = rk_grid_regular(lowering, chunks, array->ndim, array->shape, lengths);
    if (status)
        return status;
    uint64_t bytes = rask_dtype_size(array->dtype) * (uint64_t)rk_shape_size(array->shape, array->ndim);
    chunks->nodes[0] = rk_lower_call(lowering, &check_def, &e, sizeof e, &node, 1, bytes, 0);
    return chunks->nodes[0] ? RASK_OK : array->graph->status;
}

static const rk_opaque node_class = {.name = "from_node", .lower = lower_node, .own_graph = true};

rask_array *rask_array_from_node_at(rask_node *node, rask_dtype dtype, uint32_t ndim, const int64_t *shape,
                                    const char *file, int line)
{
    static const char who[] = "rask_array_from_node";
    if (!node || node->graph->status || !is_dtype(node->graph, dtype, who, file, line) ||
        !rk_shape_given(node->graph, ndim, shape, who, file, line))
        return NULL;
    return rk_array_opaque(node->graph, &node_class, &node, sizeof node, dtype, ndim, shape, NULL, 0, file,
                           line);
}

/* -- A function */

typedef struct callback {
    rask_array_fill fill;
    void *context;
    uint64_t bytes;                  /* of context, where others can have a copy of it; else 0 */
    alignas(max_align_t) char own[]; /* in another process, the context */
} callback;

static int call_back(rk_source *source, const int64_t *index, const int64_t *count, void *data, char *message,
                     size_t capacity)
{
    const callback *c = source->context;
    int64_t start[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < source->ndim; i++)
        start[i] = index[i] * source->chunk[i];
    if (capacity)
        *message = '\0';
    int status = c->fill(c->context, start, count, data, message, capacity);
    if (status && capacity && !*message)
        snprintf(message, capacity, "the function that fills the array returned %d", status);
    return status;
}

static void end_callback(rk_source *source)
{
    rk_free(source->context);
}

/* As c says, which is copied, with room for so many bytes of its own. NULL: no memory. */
static rk_source *new_callback(const callback *like, uint64_t own, rask_dtype dtype, uint32_t ndim,
                               const int64_t *shape)
{
    rk_source *source = rk_source_new(RK_SOURCE_CHUNKED, NULL, dtype, ndim, shape);
    callback *c = source ? rk_alloc(sizeof *c + own) : NULL;
    if (!c) {
        rk_source_unref(source);
        return NULL;
    }
    *c = *like;
    source->context = c;
    source->close = end_callback;
    source->read_chunk = call_back;
    source->format = &rk_format_callback;
    return source;
}

/* Another process has the function, but none of the program's memory. */
static int put_callback(const rk_source *source, rk_pack_out *out, rk_open_error *error)
{
    const callback *c = source->context;
    bool goes = !c->context || c->bytes;
    if (goes && !rk_pack_put_place(out, (uintptr_t)c->fill)) {
        rk_pack_put_bytes(out, c->context, c->bytes);
        return RASK_OK;
    }
    rk_open_fail(error, RASK_EUNSUPPORTED, "the function that fills an array %s",
                 goes ? "was made at run time"
                      : "has a context, which is memory of the program's: let rask_graph_context() make it");
    return error->status;
}

static rk_source *get_callback(rk_pack_in *in, const rk_source *like, rk_open_error *error)
{
    uintptr_t fill = rk_pack_get_place(in, 1, true);
    rask_bytes context = rk_pack_get_bytes(in);
    if (!fill || in->failed)
        return rk_open_fail(error, RASK_EFORMAT, "the function that fills an array is not here");
    const callback told = {.fill = (rask_array_fill)fill, .bytes = context.len};
    rk_source *source = new_callback(&told, context.len, like->dtype, like->ndim, like->shape);
    if (!source)
        return rk_open_fail(error, RASK_ENOMEM, "no memory for a source");
    callback *c = source->context;
    if (context.len)
        c->context = memcpy(c->own, context.data, context.len);
    memcpy(source->chunk, like->chunk, sizeof source->chunk);
    return source;
}

const rk_source_format rk_format_callback = {put_callback, get_callback};

enum { CALLBACK_BYTES = 1 << 20 }; /* asked for at once, when the user does not mind: they stay in a cache */

static bool callback_fits(rask_graph *graph, rask_array_fill fill, const int64_t *chunks, rask_dtype dtype,
                          uint32_t ndim, const int64_t *shape, const char *file, int line)
{
    static const char who[] = "rask_array_from_callback";
    char text[RK_SHAPE_TEXT];
    if (!is_dtype(graph, dtype, who, file, line) || !rk_shape_given(graph, ndim, shape, who, file, line))
        return false;
    if (!fill) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: no function", who);
        return false;
    }
    for (uint32_t i = 0; chunks && i < ndim; i++)
        if (chunks[i] < 0) {
            rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: chunks %s have a negative length", who,
                          rk_shape_text(chunks, ndim, text));
            return false;
        }
    return true;
}

/* Chunk lengths: as asked for, where that is not 0, but not longer than an axis. */
static void cut(rk_source *source, const int64_t *chunks)
{
    static const bool none_whole[RASK_MAX_DIMENSIONS] = {false};
    rk_grid_auto(CALLBACK_BYTES, rask_dtype_size(source->dtype), source->ndim, source->shape, none_whole,
                 source->chunk);
    for (uint32_t i = 0; i < source->ndim; i++) {
        if (chunks && chunks[i])
            source->chunk[i] = chunks[i];
        if (source->chunk[i] > source->shape[i])
            source->chunk[i] = source->shape[i];
        if (source->chunk[i] < 1)
            source->chunk[i] = 1;
    }
}

rask_array *rask_array_from_callback_at(rask_graph *graph, rask_array_fill fill, void *context,
                                        rask_dtype dtype, uint32_t ndim, const int64_t *shape,
                                        const int64_t *chunks, const char *file, int line)
{
    if (!graph || graph->status || !callback_fits(graph, fill, chunks, dtype, ndim, shape, file, line))
        return NULL;
    const callback told = {.fill = fill, .context = context, .bytes = rk_graph_context(graph, context).len};
    rk_source *source = new_callback(&told, 0, dtype, ndim, shape);
    if (!source) {
        rk_graph_fail(graph, RASK_ENOMEM, file, line, "rask_array_from_callback: no memory");
        return NULL;
    }
    cut(source, chunks);
    return rk_array_source(graph, source, chunks, file, line);
}
