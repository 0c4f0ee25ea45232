/* Matrices in memory, found behind views. */
#include "collections/array/linalg/memory.h"

#include "collections/array/source.h"
#include "core/base/alloc.h"

#include <assert.h>
#include <stdalign.h>
#include <string.h>

/* How an element (i, j) is found in an array: its index along axis x is offset[x] + i step[0][x] + j step[1][x]. */
typedef struct place {
    int64_t offset[RASK_MAX_DIMENSIONS], step[2][RASK_MAX_DIMENSIONS];
} place;

/* In the input of a view, from its place in the view. */
static void look_through(const rask_array *view, place *p)
{
    const rk_view *v = view->as.view;
    place in;
    memset(&in, 0, sizeof in);
    for (uint32_t x = 0; x < view->inputs[0]->ndim; x++) {
        int from = v->from[x];
        in.offset[x] = v->start[x] + (from >= 0 ? v->step[x] * p->offset[from] : 0);
        for (int k = 0; k < 2; k++)
            in.step[k][x] = from >= 0 ? v->step[x] * p->step[k][from] : 0;
    }
    *p = in;
}

bool rk_matrix_of(const rask_array *a, rk_matrix *matrix)
{
    place p = {.step = {{1, 0}, {0, 1}}};
    int64_t rows = a->shape[0], columns = a->shape[1], size = (int64_t)rask_dtype_size(a->dtype),
            stride[2] = {0, 0};
    assert(size > 0);
    for (; a->kind == RK_VIEW; a = a->inputs[0])
        look_through(a, &p);
    if (a->kind != RK_SOURCE || a->as.source->kind != RK_SOURCE_MEMORY)
        return false;
    const rk_source *source = a->as.source;
    const char *data = source->data;
    for (uint32_t x = 0; x < a->ndim; x++) {
        data += p.offset[x] * source->strides[x];
        for (int k = 0; k < 2; k++)
            stride[k] += p.step[k][x] * source->strides[x];
    }
    bool transposed = stride[1] != size;
    int64_t inner = transposed ? stride[0] : stride[1], outer = transposed ? stride[1] : stride[0];
    if (inner != size || outer % size || outer / size < (transposed ? rows : columns) ||
        outer / size > INT32_MAX || (uintptr_t)data % (uint64_t)rk_least(size, alignof(double)))
        return false;
    *matrix = (rk_matrix){a->as.source, data, outer / size, transposed};
    return true;
}

static void destroy(void *data)
{
    rk_source_unref(((rk_matrix *)data)->source);
    rk_free(data);
}

const rask_class rk_matrix_class = {.name = "matrix", .destroy = destroy};

rask_node *rk_matrix_node(rk_lowering *l, const rk_matrix *matrix)
{
    rask_graph *graph = rk_lowering_graph(l);
    rask_value value;
    rk_matrix *own = rk_alloc(sizeof *own);
    if (own) {
        *own = *matrix;
        rk_source_ref(own->source);
    }
    if (!own || rask_value_custom_new(&rk_matrix_class, own, &value)) {
        if (own)
            destroy(own);
        rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a matrix product");
        return NULL;
    }
    rask_node *node = rask_const_at(graph, &(rask_arg){.kind = RASK_ARG_VALUE, .as.value = &value}, NULL, 0);
    rask_value_unref(&value);
    return node;
}
