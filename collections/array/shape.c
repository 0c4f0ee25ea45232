/* Shapes: in words, and what broadcasts with what. */
#include "collections/array/view.h"

#include "core/base/print.h"

#include <inttypes.h>
#include <string.h>

const char *rk_shape_text(const int64_t *shape, uint32_t ndim, char buffer[RK_SHAPE_TEXT])
{
    rk_print out = {buffer, RK_SHAPE_TEXT, 0};
    rk_print_add(&out, "(");
    for (uint32_t i = 0; i < ndim; i++)
        rk_print_add(&out, i ? ", %" PRId64 : "%" PRId64, shape[i]);
    rk_print_add(&out, ndim == 1 ? ",)" : ")");
    return buffer;
}

int rk_axis(rask_array *a, int axis, const char *who, const char *file, int line)
{
    int ndim = (int)a->ndim;
    if (axis >= -ndim && axis < ndim)
        return axis < 0 ? axis + ndim : axis;
    char text[RK_SHAPE_TEXT];
    rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: axis %d of an array of shape %s", who, axis,
                  rk_shape_text(a->shape, a->ndim, text));
    return -1;
}

bool rk_shape_given(rask_graph *graph, uint32_t ndim, const int64_t *shape, const char *who, const char *file,
                    int line)
{
    char text[RK_SHAPE_TEXT];
    if (ndim > RASK_MAX_DIMENSIONS) {
        rk_graph_fail(graph, RASK_ELIMIT, file, line, "%s: %" PRIu32 " dimensions: at most %d", who, ndim,
                      RASK_MAX_DIMENSIONS);
        return false;
    }
    if (ndim && !shape) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: no shape", who);
        return false;
    }
    for (uint32_t i = 0; i < ndim; i++)
        if (shape[i] < 0) {
            rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: shape %s has a negative length", who,
                          rk_shape_text(shape, ndim, text));
            return false;
        }
    return true;
}

int rk_broadcast(uint32_t a_ndim, const int64_t *a, uint32_t b_ndim, const int64_t *b, uint32_t *ndim,
                 int64_t *shape)
{
    uint32_t most = a_ndim > b_ndim ? a_ndim : b_ndim;
    int64_t both[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < most; i++) { /* from the last axis on */
        int64_t of_a = i < a_ndim ? a[a_ndim - 1 - i] : 1, of_b = i < b_ndim ? b[b_ndim - 1 - i] : 1;
        if (of_a != of_b && of_a != 1 && of_b != 1)
            return RASK_EINVAL;
        both[most - 1 - i] = of_a == 1 ? of_b : of_a;
    }
    if (most)
        memcpy(shape, both, most * sizeof *shape);
    *ndim = most;
    return RASK_OK;
}
