#include "collections/array/reshape.h"

#include "collections/array/assemble.h"
#include "collections/array/cuts.h"
#include "collections/array/lowering.h"
#include "collections/array/rechunk.h"
#include "collections/array/source.h"

#include <stdlib.h>
#include <string.h>

static const rask_task_def reshape_def = RK_ASSEMBLE_DEF("reshape");

/* -- Without a copy */

/* Old axes that one step walks through are one; those of one element are none. */
static uint32_t join_axes(uint32_t ndim, const int64_t *shape, const int64_t *strides, int64_t *lengths,
                          int64_t *steps)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ndim; i++) {
        if (shape[i] == 1)
            continue;
        if (kept && steps[kept - 1] == strides[i] * shape[i]) {
            lengths[kept - 1] *= shape[i];
            steps[kept - 1] = strides[i];
            continue;
        }
        lengths[kept] = shape[i];
        steps[kept++] = strides[i];
    }
    return kept;
}

/* Each joined axis must be a product of neighbouring new axes: they are found from the last one on. */
bool rk_reshape_strides(uint32_t ndim, const int64_t *shape, const int64_t *strides, uint32_t new_ndim,
                        const int64_t *new_shape, int64_t *new_strides)
{
    int64_t lengths[RASK_MAX_DIMENSIONS], steps[RASK_MAX_DIMENSIONS], done = 1;
    uint32_t left = join_axes(ndim, shape, strides, lengths, steps);
    for (uint32_t i = new_ndim; i-- > 0;) {
        if (new_shape[i] == 1) {
            new_strides[i] = 0;
            continue;
        }
        if (left && done == lengths[left - 1]) {
            left--;
            done = 1;
        }
        if (!left || lengths[left - 1] % (done * new_shape[i]))
            return false;
        new_strides[i] = done * steps[left - 1];
        done *= new_shape[i];
    }
    return true;
}

/* The elements of a view, or of views of views, of a linear source: where they are in it. */
typedef struct place {
    rk_source *source;
    int64_t offset; /* bytes */
    int64_t strides[RASK_MAX_DIMENSIONS];
} place;

static void look_through(const rask_array *view, place *p)
{
    const rk_view *v = view->as.view;
    int64_t strides[RASK_MAX_DIMENSIONS] = {0};
    for (uint32_t i = 0; i < view->inputs[0]->ndim; i++) {
        p->offset += v->start[i] * p->strides[i];
        if (v->from[i] >= 0)
            strides[v->from[i]] += v->step[i] * p->strides[i];
    }
    memcpy(p->strides, strides, sizeof strides);
}

static bool find_place(const rask_array *a, place *p)
{
    enum { FEW = 16 };
    const rask_array *views[FEW];
    uint32_t count = 0;
    for (; a->kind == RK_VIEW; a = a->inputs[0]) {
        if (count == FEW)
            return false;
        views[count++] = a;
    }
    if (a->kind != RK_SOURCE || a->as.source->kind == RK_SOURCE_CHUNKED)
        return false;
    *p = (place){.source = a->as.source};
    memcpy(p->strides, p->source->strides, sizeof p->strides);
    while (count > 0)
        look_through(views[--count], p);
    return true;
}

/* The file is the other source's, which is kept as long. */
static void close_alias(rk_source *alias)
{
    alias->fd = -1;
    rk_source_unref(alias->context);
}

/* A source of this shape over the elements of another one. */
static rask_array *alias(rask_array *a, const place *p, uint32_t ndim, const int64_t *shape,
                         const int64_t *strides, const char *file, int line)
{
    rk_source *s = rk_source_new(p->source->kind, p->source->path, a->dtype, ndim, shape);
    if (!s) {
        rk_graph_fail(a->graph, RASK_ENOMEM, file, line, "rask_array_reshape: no memory");
        return NULL;
    }
    memcpy(s->strides, strides, ndim * sizeof *strides);
    s->fd = p->source->fd;
    s->parts = p->source->parts;
    s->swapped = p->source->swapped;
    s->offset = p->source->offset;
    if (s->kind == RK_SOURCE_MEMORY)
        s->data = (const char *)p->source->data + p->offset;
    else
        s->offset += p->offset;
    s->context = rk_source_ref(p->source);
    s->close = close_alias;
    return rk_array_source(a->graph, s, NULL, file, line);
}

/* A number everywhere stays one. */
static bool is_number(const rask_array *a)
{
    while (a->kind == RK_VIEW)
        a = a->inputs[0];
    return a->kind == RK_SCALAR;
}

static rask_array *reshape_number(rask_array *a, uint32_t ndim, const int64_t *shape, const char *file,
                                  int line)
{
    while (a->kind == RK_VIEW)
        a = a->inputs[0];
    return rask_array_broadcast_to_at(a, ndim, shape, file, line);
}

/* An expression whose leaves all can have another shape for nothing can, too: operations are by element. It is walked
 * through in a list, without recursion; larger ones than this are not worth it. */
enum { MOST_ARRAYS = 128 };
typedef struct expression {
    uint32_t count;
    rask_array *old[MOST_ARRAYS], *made[MOST_ARRAYS];
} expression;

static bool leaf_is_free(const rask_array *a, uint32_t ndim, const int64_t *shape)
{
    place p;
    int64_t strides[RASK_MAX_DIMENSIONS];
    return is_number(a) ||
           (find_place(a, &p) && rk_reshape_strides(a->ndim, a->shape, p.strides, ndim, shape, strides));
}

static bool add_to(expression *e, rask_array *a)
{
    for (uint32_t i = 0; i < e->count; i++)
        if (e->old[i] == a)
            return true;
    if (e->count == MOST_ARRAYS)
        return false;
    e->old[e->count++] = a;
    return true;
}

static int by_age(const void *a, const void *b)
{
    const rask_array *x = *(rask_array *const *)a, *y = *(rask_array *const *)b;
    return (x->number > y->number) - (x->number < y->number);
}

/* All arrays of the expression, inputs first; false when it is too large or a leaf would have to be copied. */
static bool collect(expression *e, rask_array *a, uint32_t ndim, const int64_t *shape)
{
    e->count = 0;
    add_to(e, a);
    for (uint32_t at = 0; at < e->count; at++) {
        rask_array *next = e->old[at];
        if (next->kind != RK_ELEMENTWISE && !leaf_is_free(next, ndim, shape))
            return false;
        for (uint32_t i = 0; next->kind == RK_ELEMENTWISE && i < next->input_count; i++)
            if (!add_to(e, next->inputs[i]))
                return false;
    }
    qsort(e->old, e->count, sizeof *e->old, by_age);
    return true;
}

static rask_array *made_of(const expression *e, const rask_array *old)
{
    uint32_t i = 0;
    while (e->old[i] != old)
        i++;
    return e->made[i];
}

static rask_array *reshape_leaf(rask_array *a, uint32_t ndim, const int64_t *shape, const char *file,
                                int line)
{
    place p;
    int64_t strides[RASK_MAX_DIMENSIONS];
    if (is_number(a))
        return reshape_number(a, ndim, shape, file, line);
    if (!find_place(a, &p) || !rk_reshape_strides(a->ndim, a->shape, p.strides, ndim, shape, strides))
        return NULL;
    return alias(a, &p, ndim, shape, strides, file, line);
}

static rask_array *reshape_operation(const expression *e, const rask_array *a, uint32_t ndim,
                                     const int64_t *shape, const char *file, int line)
{
    enum { MOST_INPUTS = 3 };
    rask_array *inputs[MOST_INPUTS];
    for (uint32_t i = 0; i < a->input_count; i++)
        inputs[i] = made_of(e, a->inputs[i]);
    rask_array key = {.graph = a->graph,
                      .kind = RK_ELEMENTWISE,
                      .op = a->op,
                      .dtype = a->dtype,
                      .ndim = ndim,
                      .input_count = a->input_count,
                      .inputs = inputs};
    memcpy(key.shape, shape, ndim * sizeof *shape);
    return rk_array_intern(&key, file, line);
}

static rask_array *reshape_expression(expression *e, uint32_t ndim, const int64_t *shape, const char *file,
                                      int line)
{
    for (uint32_t i = 0; i < e->count; i++) {
        e->made[i] = e->old[i]->kind == RK_ELEMENTWISE
                         ? reshape_operation(e, e->old[i], ndim, shape, file, line)
                         : reshape_leaf(e->old[i], ndim, shape, file, line);
        if (!e->made[i])
            return NULL;
    }
    return e->made[e->count - 1];
}

/* -- With a copy: each chunk of the result is one run of elements, which few boxes of the input make up */

int64_t rk_flat_box(uint32_t ndim, const int64_t *shape, int64_t pos, int64_t end, int64_t *start,
                    int64_t *count)
{
    int64_t rest = pos, inside = rk_shape_size(shape, ndim), size = 1;
    bool open = true; /* no axis counted along yet */
    for (uint32_t i = 0; i < ndim; i++) {
        inside /= shape[i];
        start[i] = rest / inside;
        rest %= inside;
        count[i] = 1;
        if (!open) { /* whole: pos is at its first element */
            count[i] = shape[i];
        } else if (!rest && inside <= end - pos) {
            int64_t fit = (end - pos) / inside;
            count[i] = fit < shape[i] - start[i] ? fit : shape[i] - start[i];
            open = false;
        }
        size *= count[i];
    }
    return size;
}

static rask_node *copy_run(rk_lowering *l, rask_array *array, const rk_region *chunk)
{
    rask_array *input = array->inputs[0];
    rk_assembly a;
    rk_region box = {.ndim = input->ndim};
    int64_t pos = 0, size = rk_shape_size(chunk->count, chunk->ndim), done = 0;
    for (uint32_t i = 0; i < array->ndim; i++)
        pos = pos * array->shape[i] + chunk->start[i];
    rk_assembly_init(&a, l, &reshape_def, array->dtype, array->ndim, chunk->count, NULL);
    while (done < size && !a.failed) {
        rk_part part = {.ndim = 1, .out = done};
        int64_t more = rk_flat_box(input->ndim, input->shape, pos + done, pos + size, box.start, box.count);
        part.axes[0] = (rk_part_axis){more, 1, 1};
        part.source = rk_assembly_source(&a, rk_lower_region(l, input, &box));
        rk_assembly_part(&a, &part);
        done += more;
    }
    return rk_assembly_finish(&a);
}

/* The axis of a flat grid that is cut: axes before it have chunks of one element. */
static uint32_t cut_axis(const rask_array *array, const int64_t *lengths)
{
    uint32_t axis = 0;
    while (axis + 1 < array->ndim && lengths[axis] == 1)
        axis++;
    return axis;
}

/* Cuts the first axis that has more than one element where the input's chunks end, if it is the one to cut. */
static int cut_as_input(rk_lowering *l, const rask_array *array, const rk_chunks *input, uint32_t axis,
                        int64_t most, int64_t *count, int64_t **bounds)
{
    int64_t inside = rk_shape_size(array->shape + axis + 1, array->ndim - axis - 1), end = 0;
    int64_t index[RASK_MAX_DIMENSIONS] = {0};
    rk_region region;
    rk_cuts cuts;
    rk_cuts_init(&cuts, array->shape[axis], (most + 1) / 2, most);
    do {
        rk_chunks_region(input, index, &region);
        end += rk_shape_size(region.count, region.ndim);
        if (inside && end % inside == 0)
            rk_cuts_wish(&cuts, end / inside);
    } while (rk_index_next(index, input->count, input->ndim));
    return rk_cuts_fini(&cuts, l, count, bounds);
}

static int make_grid(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    size_t element = rask_dtype_size(array->dtype);
    int64_t lengths[RASK_MAX_DIMENSIONS];
    rk_chunks input;
    rk_grid_flat(rk_lowering_part_bytes(l, (uint64_t)rk_shape_size(array->shape, array->ndim) * element),
                 element, array->ndim, array->shape, lengths);
    int status = rk_grid_regular(l, chunks, array->ndim, array->shape, lengths);
    uint32_t axis = cut_axis(array, lengths);
    if (status || !array->ndim || array->inputs[0]->kind != RK_OPAQUE ||
        rk_shape_size(array->shape, axis) != 1)
        return status;
    status = rk_grid_of(l, array->inputs[0], &input);
    if (status || !rk_grid_is_flat(&input))
        return status;
    status = cut_as_input(l, array, &input, axis, lengths[axis], &chunks->count[axis], &chunks->bounds[axis]);
    return status ? status : rk_grid_bounded(l, chunks, array->ndim, chunks->count, chunks->bounds);
}

static int reshape_lower(rk_lowering *l, rask_array *array, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, number = 0;
    rk_region region;
    int status = make_grid(l, array, chunks);
    if (status)
        return status;
    do {
        rk_chunks_region(chunks, index, &region);
        chunks->nodes[number] = copy_run(l, array, &region);
        if (!chunks->nodes[number++])
            return rk_lowering_graph(l)->status;
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

static const rk_opaque reshape_opaque = {.name = "reshape", .lower = reshape_lower};

rask_array *rk_array_reshape_copy(rask_array *a, uint32_t ndim, const int64_t *shape, const char *file,
                                  int line)
{
    expression *e = NULL;
    rask_array *result = NULL;
    if (!a)
        return NULL;
    if (rk_shape_size(shape, ndim))
        e = rk_alloc(sizeof *e);
    bool free_of_cost = e && collect(e, a, ndim, shape);
    if (free_of_cost)
        result = reshape_expression(e, ndim, shape, file, line);
    rk_free(e);
    if (free_of_cost)
        return result;
    a = rk_rechunk_flat(a, file, line);
    return a ? rk_array_opaque(a->graph, &reshape_opaque, NULL, 0, a->dtype, ndim, shape, &a, 1, file, line)
             : NULL;
}
