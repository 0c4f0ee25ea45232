/* Exchange of memory with other libraries by DLPack (dmlc.org), whose ABI is a struct. */
#include "collections/array/given.h"

#include <dlpack/dlpack.h>
#include <inttypes.h>
#include <string.h>

/* Since version 0.7; older headers lack it, and the number is what counts. */
enum { DL_BOOL = 6 };

static const struct {
    uint8_t code, bits;
} types[RASK_DT_COUNT] = {
    [RASK_DT_BOOL] = {DL_BOOL, 8},      [RASK_DT_I8] = {kDLInt, 8},     [RASK_DT_I16] = {kDLInt, 16},
    [RASK_DT_I32] = {kDLInt, 32},       [RASK_DT_I64] = {kDLInt, 64},   [RASK_DT_U8] = {kDLUInt, 8},
    [RASK_DT_U16] = {kDLUInt, 16},      [RASK_DT_U32] = {kDLUInt, 32},  [RASK_DT_U64] = {kDLUInt, 64},
    [RASK_DT_F32] = {kDLFloat, 32},     [RASK_DT_F64] = {kDLFloat, 64}, [RASK_DT_C64] = {kDLComplex, 64},
    [RASK_DT_C128] = {kDLComplex, 128},
};

static rask_dtype dtype_of(DLDataType type)
{
    for (unsigned i = 0; i < RASK_DT_COUNT; i++)
        if (type.lanes == 1 && types[i].code == type.code && types[i].bits == type.bits)
            return (rask_dtype)i;
    return RASK_DT_COUNT;
}

/* Strides in bytes, of what DLPack counts in elements, or in C order when it is silent; false when they overflow. */
static bool take_strides(rask_block *block, const int64_t *strides)
{
    int64_t dense = (int64_t)rask_dtype_size(block->dtype), element = dense;
    for (uint32_t i = block->ndim; i-- > 0;) {
        block->strides[i] = dense;
        if ((strides && __builtin_mul_overflow(strides[i], element, &block->strides[i])) ||
            __builtin_mul_overflow(dense, block->shape[i] > 0 ? block->shape[i] : 1, &dense))
            return false;
    }
    return true;
}

/* The tensor as a block; false, latched. */
static bool take(rask_graph *graph, const DLTensor *t, rask_block *block, const char *file, int line)
{
    static const char who[] = "rask_array_from_dlpack";
    if (t->device.device_type != kDLCPU) {
        rk_graph_fail(graph, RASK_EUNSUPPORTED, file, line, "%s: memory of device type %d, not of the CPU",
                      who, (int)t->device.device_type);
        return false;
    }
    *block = (rask_block){.dtype = dtype_of(t->dtype), .ndim = (uint32_t)t->ndim};
    if (block->dtype == RASK_DT_COUNT) {
        rk_graph_fail(graph, RASK_EUNSUPPORTED, file, line, "%s: elements of type code %d, %d bits, %d lanes",
                      who, t->dtype.code, t->dtype.bits, t->dtype.lanes);
        return false;
    }
    if (t->ndim < 0 || t->ndim > RASK_MAX_DIMENSIONS || (t->ndim && !t->shape)) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: a tensor of %d dimensions%s", who, t->ndim,
                      t->shape ? "" : " without a shape");
        return false;
    }
    for (uint32_t i = 0; i < block->ndim; i++)
        block->shape[i] = t->shape[i];
    block->data = t->data ? (char *)t->data + t->byte_offset : NULL;
    if (!take_strides(block, t->strides)) {
        rk_graph_fail(graph, RASK_ELIMIT, file, line, "%s: its strides are too large", who);
        return false;
    }
    return rk_block_fits(graph, block, true, who, file, line);
}

static void end_tensor(rk_source *source)
{
    DLManagedTensor *tensor = source->context;
    if (tensor->deleter)
        tensor->deleter(tensor);
}

rask_array *rask_array_from_dlpack_at(rask_graph *graph, struct DLManagedTensor *tensor, const char *file,
                                      int line)
{
    rask_block block;
    if (!graph || graph->status)
        return NULL;
    if (!tensor) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "rask_array_from_dlpack: no tensor");
        return NULL;
    }
    if (!take(graph, &tensor->dl_tensor, &block, file, line))
        return NULL;
    rask_array *array = rk_array_from_memory(graph, &block, false, "rask_array_from_dlpack", file, line);
    if (array) { /* from here on the tensor is the graph's */
        array->as.source->context = tensor;
        array->as.source->close = end_tensor;
    }
    return array;
}

/* A block that has become a tensor. */
typedef struct exported {
    DLManagedTensor tensor;
    rask_block block;
    int64_t shape[RASK_MAX_DIMENSIONS], strides[RASK_MAX_DIMENSIONS];
} exported;

static void end_exported(DLManagedTensor *tensor)
{
    exported *e = tensor->manager_ctx;
    if (e->block.release)
        e->block.release(e->block.owner);
    rk_free(e);
}

int rask_block_to_dlpack(rask_block *block, struct DLManagedTensor **out)
{
    if (!block || !out || block->ndim > RASK_MAX_DIMENSIONS)
        return RASK_EINVAL;
    int64_t element = (int64_t)rask_dtype_size(block->dtype);
    if (!element)
        return RASK_EUNSUPPORTED;
    for (uint32_t i = 0; i < block->ndim; i++)
        if (block->strides[i] % element)
            return RASK_EUNSUPPORTED; /* DLPack counts strides in elements */
    exported *e = rk_calloc(1, sizeof *e);
    if (!e)
        return RASK_ENOMEM;
    e->block = *block;
    for (uint32_t i = 0; i < block->ndim; i++) {
        e->shape[i] = block->shape[i];
        e->strides[i] = block->strides[i] / element;
    }
    e->tensor = (DLManagedTensor){.dl_tensor = {.data = block->data,
                                                .device = {.device_type = kDLCPU},
                                                .ndim = (int)block->ndim,
                                                .dtype = {.code = types[block->dtype].code,
                                                          .bits = types[block->dtype].bits,
                                                          .lanes = 1},
                                                .shape = e->shape,
                                                .strides = e->strides},
                                  .manager_ctx = e,
                                  .deleter = end_exported};
    block->release = NULL; /* the tensor's now */
    block->owner = NULL;
    *out = &e->tensor;
    return RASK_OK;
}
