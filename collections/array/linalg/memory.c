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
    *matrix = (rk_matrix){.source = a->as.source,
                          .dtype = a->dtype,
                          .rows = rows,
                          .columns = columns,
                          .data = data,
                          .stride = outer / size,
                          .transposed = transposed};
    return true;
}

static void destroy(void *data)
{
    rk_source_unref(((rk_matrix *)data)->source);
    rk_free(data);
}

/* Its elements as they lie, one line of them behind the other: rows, or where it is transposed columns. */
static int encode(const void *data, rask_value *bytes)
{
    const rk_matrix *m = data;
    rk_source lines = {.kind = RK_SOURCE_MEMORY, .dtype = m->dtype, .ndim = 2, .data = m->data};
    rk_pack_out out = {0};
    rk_open_error error = {0};
    lines.shape[0] = m->transposed ? m->columns : m->rows;
    lines.shape[1] = m->transposed ? m->rows : m->columns;
    lines.strides[1] = (int64_t)rask_dtype_size(m->dtype);
    lines.strides[0] = m->stride * lines.strides[1];
    rk_pack_put_u8(&out, m->transposed);
    int status = rk_source_put(&lines, &out, &error);
    return rk_encoded(&out, status, &error, bytes);
}

static int decode(rask_bytes bytes, void **data)
{
    rk_pack_in in = {bytes.data, bytes.data + bytes.len, false, NULL};
    rk_open_error error = {0};
    bool transposed = rk_pack_get_u8(&in) != 0;
    rk_source *lines = rk_source_get(&in, &error);
    rk_matrix *m = lines ? rk_alloc(sizeof *m) : NULL;
    bool good = m && lines->kind == RK_SOURCE_MEMORY && lines->ndim == 2;
    if (!good) {
        int status = !lines ? error.status : m ? RASK_EFORMAT : RASK_ENOMEM;
        rk_source_unref(lines);
        rk_free(m);
        return status;
    }
    *m = (rk_matrix){.source = lines,
                     .dtype = lines->dtype,
                     .rows = lines->shape[transposed],
                     .columns = lines->shape[!transposed],
                     .data = lines->data,
                     .stride = lines->shape[1],
                     .transposed = transposed};
    *data = m;
    return RASK_OK;
}

const rask_class rk_matrix_class = {.name = "matrix", .destroy = destroy, .encode = encode, .decode = decode};

rask_node *rk_matrix_node(rk_lowering *l, const rk_matrix *matrix)
{
    rk_matrix *own = rk_alloc(sizeof *own);
    if (!own) {
        rk_graph_fail(rk_lowering_graph(l), RASK_ENOMEM, NULL, 0, "no memory for a matrix product");
        return NULL;
    }
    *own = *matrix;
    rk_source_ref(own->source);
    return rk_lower_constant(l, &rk_matrix_class, own);
}
