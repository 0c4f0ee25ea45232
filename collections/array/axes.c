#include "collections/array/axes.h"

#include "collections/array/lowering.h"
#include "core/base/ascending.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_CHUNK = 1 << 20, /* bytes: smaller chunks are joined, for a copy costs less than a task then */
    LEAST_RUN = 4 << 10, /* bytes in one run: narrower chunks are joined, which are slow to read and write */
};

/* -- Stretches */

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int push(rk_array *list, const rk_stretch *stretch)
{
    rk_stretch *place = rk_array_push(list);
    if (!place)
        return RASK_ENOMEM;
    *place = *stretch;
    return RASK_OK;
}

/* Those of places at … at + count - 1, which are elements in, in + step, …, that lie in start … end - 1. */
static int push_clipped(rk_array *list, int64_t start, int64_t end, const rk_stretch *whole)
{
    rk_stretch part = *whole;
    int64_t low = whole->out > start ? whole->out : start;
    int64_t high = whole->out + whole->count < end ? whole->out + whole->count : end;
    if (low >= high)
        return RASK_OK;
    part.in += (low - whole->out) * whole->step;
    part.out = low - start;
    part.count = high - low;
    part.reps = 1;
    return push(list, &part);
}

/* What is around the input's elements: the fill value, or the outer elements. */
static int stretches_around(const rk_axis_map *m, int64_t start, int64_t end, rk_array *list)
{
    bool edge = m->kind == RK_AXIS_EDGE;
    rk_stretch s[3] = {{.out = start, .count = -start, .source = edge ? 0 : RK_PART_FILL},
                       {.count = m->length, .step = 1},
                       {.out = m->length, .in = m->length - 1, .source = edge ? 0 : RK_PART_FILL}};
    s[2].count = end > m->length ? end - m->length : 0;
    for (int i = 0; i < 3; i++)
        if (push_clipped(list, start, end, &s[i]))
            return RASK_ENOMEM;
    return RASK_OK;
}

/* One period of a mirrored or wrapped axis, from place 0 on; its length. */
static int64_t period_of(const rk_axis_map *m, rk_stretch base[2])
{
    int64_t n = m->length;
    base[0] = (rk_stretch){.count = n, .step = 1, .reps = 1};
    base[1] = (rk_stretch){.out = n, .step = -1, .reps = 1};
    if (m->kind == RK_AXIS_SYMMETRIC) {
        base[1].count = n;
        base[1].in = n - 1;
    } else if (m->kind == RK_AXIS_REFLECT && n > 2) {
        base[1].count = n - 2;
        base[1].in = n - 2;
    }
    return n + base[1].count;
}

/* Whole periods in the middle are stretches that repeat; those cut at the ends are clipped. */
static int stretches_periodic(const rk_axis_map *m, int64_t start, int64_t end, rk_array *list)
{
    rk_stretch base[2];
    int64_t period = period_of(m, base);
    int64_t whole = -floor_divide(-start, period), reps = floor_divide(end, period) - whole;
    for (int64_t q = floor_divide(start, period); q * period < end;) {
        bool repeats = q == whole && reps > 1;
        for (int i = 0; i < 2; i++) {
            rk_stretch s = base[i];
            s.out += q * period;
            if (repeats && s.count) {
                s.out -= start;
                s.reps = reps;
                s.rep_out = period;
            }
            if (repeats ? s.count && push(list, &s) : push_clipped(list, start, end, &s))
                return RASK_ENOMEM;
        }
        q += repeats ? reps : 1;
    }
    return RASK_OK;
}

static int stretches_repeated(const rk_axis_map *m, int64_t start, int64_t end, rk_array *list)
{
    int64_t t = m->times, whole = -floor_divide(-start, t), reps = end / t - whole;
    for (int64_t i = start / t; i * t < end;) {
        rk_stretch s = {.out = i * t, .in = i, .count = t, .reps = 1};
        if (i == whole && reps > 1) {
            s = (rk_stretch){
                .out = i * t - start, .in = i, .count = t, .reps = reps, .rep_out = t, .rep_in = 1};
            if (push(list, &s))
                return RASK_ENOMEM;
            i += reps;
            continue;
        }
        if (push_clipped(list, start, end, &s))
            return RASK_ENOMEM;
        i++;
    }
    return RASK_OK;
}

static int stretches_joined(const rk_axis_map *m, int64_t start, int64_t end, rk_array *list)
{
    for (uint32_t i = (uint32_t)rk_last_at(m->joints, m->joint_count, start);
         i < m->joint_count && m->joints[i] < end; i++) {
        rk_stretch s = {
            .out = m->joints[i], .count = m->joints[i + 1] - m->joints[i], .step = 1, .source = i};
        if (push_clipped(list, start, end, &s))
            return RASK_ENOMEM;
    }
    return RASK_OK;
}

int rk_axis_stretches(const rk_axis_map *map, int64_t start, int64_t count, rk_array *list)
{
    int64_t from = start - map->before, end = from + count;
    if (!count)
        return RASK_OK;
    switch (map->kind) {
    case RK_AXIS_CONSTANT:
    case RK_AXIS_EDGE: return stretches_around(map, from, end, list);
    case RK_AXIS_REFLECT:
    case RK_AXIS_SYMMETRIC:
    case RK_AXIS_WRAP: return stretches_periodic(map, from, end, list);
    case RK_AXIS_REPEAT: return stretches_repeated(map, from, end, list);
    default: return stretches_joined(map, from, end, list);
    }
}

/* -- A region */

/* Elements of one axis of an input that are asked for together. */
typedef struct span {
    int64_t start, end;
    uint32_t source;
} span;

/* A region in the making: for each axis its stretches and the spans of the input that they need. */
typedef struct gathering {
    rk_lowering *lowering;
    const rk_axes *axes;
    rask_array *const *inputs;
    uint32_t ndim;
    const rk_region *region;
    rk_array stretches[RASK_MAX_DIMENSIONS]; /* rk_stretch */
    rk_array spans[RASK_MAX_DIMENSIONS];     /* span, ascending */
    uint32_t *numbers; /* source of each combination of spans; NONE: not asked for yet */
    rk_assembly assembly;
} gathering;

#define NONE UINT32_MAX

static span span_of(const rk_stretch *s)
{
    int64_t low = s->in, high = s->in, reach = (s->count - 1) * s->step, far = (s->reps - 1) * s->rep_in;
    *(reach < 0 ? &low : &high) += reach;
    *(far < 0 ? &low : &high) += far;
    return (span){low, high + 1, s->source};
}

static int compare_spans(const void *a, const void *b)
{
    const span *x = a, *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return (x->start > y->start) - (x->start < y->start);
}

/* Spans that touch become one. */
static void merge_spans(rk_array *spans)
{
    span *s = spans->data;
    size_t kept = 0;
    qsort(s, spans->count, sizeof *s, compare_spans);
    for (size_t i = 0; i < spans->count; i++) {
        if (kept && s[kept - 1].source == s[i].source && s[kept - 1].end >= s[i].start)
            s[kept - 1].end = s[kept - 1].end > s[i].end ? s[kept - 1].end : s[i].end;
        else
            s[kept++] = s[i];
    }
    spans->count = kept;
}

/* The span that holds the stretch: the last that starts at or before it. */
static uint32_t find_span(const rk_array *spans, const span *of)
{
    const span *s = spans->data;
    size_t low = 0, high = spans->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (compare_spans(&s[middle], of) <= 0)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

static int plan_axis(gathering *g, uint32_t axis)
{
    rk_array *list = &g->stretches[axis], *spans = &g->spans[axis];
    if (rk_axis_stretches(&g->axes->maps[axis], g->region->start[axis], g->region->count[axis], list))
        return RASK_ENOMEM;
    rk_stretch *s = list->data;
    for (size_t i = 0; i < list->count; i++) {
        span *place = s[i].source == RK_PART_FILL ? NULL : rk_array_push(spans);
        if (place)
            *place = span_of(&s[i]);
        else if (s[i].source != RK_PART_FILL)
            return RASK_ENOMEM;
    }
    if (!spans->count)
        return RASK_OK;
    merge_spans(spans);
    for (size_t i = 0; i < list->count; i++) {
        span own = span_of(&s[i]);
        s[i].span = find_span(spans, &own);
    }
    return RASK_OK;
}

/* The one box of the input that the region is, in order. */
static bool is_one_box(const gathering *g, rk_region *box, uint32_t *input)
{
    *input = 0;
    box->ndim = g->ndim;
    for (uint32_t i = 0; i < g->ndim; i++) {
        const rk_stretch *s = g->stretches[i].data;
        if (g->stretches[i].count != 1 || s->source == RK_PART_FILL || s->reps != 1 ||
            (s->step != 1 && s->count != 1))
            return false;
        *input += s->source;
        box->start[i] = s->in;
        box->count[i] = s->count;
    }
    return true;
}

/* An axis of the result, in two of the part: repetitions and elements. */
static void part_axis(rk_part *part, const rk_stretch *s, int64_t in_start, int64_t in_stride,
                      int64_t out_stride)
{
    part->axes[part->ndim++] = (rk_part_axis){s->reps, s->rep_in * in_stride, s->rep_out * out_stride};
    part->axes[part->ndim++] = (rk_part_axis){s->count, s->step * in_stride, out_stride};
    part->in += (s->in - in_start) * in_stride;
    part->out += s->out * out_stride;
}

static void strides_of(const int64_t *count, uint32_t ndim, int64_t *strides)
{
    int64_t stride = 1;
    for (uint32_t i = ndim; i-- > 0;) {
        strides[i] = stride;
        stride *= count[i];
    }
}

/* The number of the source for this combination of spans, whose box is *box; asks for it the first time. */
static uint32_t source_for(gathering *g, const rk_stretch *const *chosen, rk_region *box)
{
    size_t place = 0;
    uint32_t input = 0;
    box->ndim = g->ndim;
    for (uint32_t i = 0; i < g->ndim; i++) {
        const span *s = (const span *)g->spans[i].data + chosen[i]->span;
        place = place * g->spans[i].count + chosen[i]->span;
        box->start[i] = s->start;
        box->count[i] = s->end - s->start;
        input += s->source;
    }
    if (g->numbers[place] == NONE)
        g->numbers[place] =
            rk_assembly_source(&g->assembly, rk_lower_region(g->lowering, g->inputs[input], box));
    return g->numbers[place];
}

static void add_part(gathering *g, const rk_stretch *const *chosen, const int64_t *out_strides)
{
    rk_region box = {0};
    int64_t in_strides[RASK_MAX_DIMENSIONS];
    rk_part part = {.source = source_for(g, chosen, &box)};
    strides_of(box.count, g->ndim, in_strides);
    for (uint32_t i = 0; i < g->ndim; i++) {
        assert(chosen[i]);
        part_axis(&part, chosen[i], box.start[i], in_strides[i], out_strides[i]);
    }
    rk_assembly_part(&g->assembly, &part);
}

/* Parts for all combinations of stretches that have elements of the input. */
static void add_parts(gathering *g, const int64_t *out_strides)
{
    const rk_stretch *chosen[RASK_MAX_DIMENSIONS] = {NULL};
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, count[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < g->ndim; i++) {
        count[i] = (int64_t)g->stretches[i].count;
        if (!g->spans[i].count)
            return;
    }
    do {
        bool filled = false;
        for (uint32_t i = 0; i < g->ndim; i++) {
            chosen[i] = (const rk_stretch *)g->stretches[i].data + index[i];
            filled |= chosen[i]->source == RK_PART_FILL;
        }
        if (!filled)
            add_part(g, chosen, out_strides);
    } while (!g->assembly.failed && rk_index_next(index, count, g->ndim));
}

static void fill_box(gathering *g, const rk_region *box, const int64_t *out_strides)
{
    rk_part part = {.source = RK_PART_FILL, .ndim = g->ndim};
    for (uint32_t i = 0; i < g->ndim; i++) {
        part.axes[i] = (rk_part_axis){box->count[i], 0, out_strides[i]};
        part.out += box->start[i] * out_strides[i];
    }
    rk_assembly_part(&g->assembly, &part);
}

/* The fill value around the input's elements, axis after axis: of each what lies outside, over all that is left. */
static void add_fill(gathering *g, const int64_t *out_strides)
{
    rk_region left = {.ndim = g->ndim};
    memcpy(left.count, g->region->count, g->ndim * sizeof *left.count);
    for (uint32_t i = 0; i < g->ndim; i++) {
        const rk_stretch *s = g->stretches[i].data, *inner = NULL;
        for (size_t k = 0; k < g->stretches[i].count; k++) {
            if (s[k].source != RK_PART_FILL) {
                inner = &s[k];
                continue;
            }
            rk_region box = left;
            box.start[i] = s[k].out;
            box.count[i] = s[k].count;
            fill_box(g, &box, out_strides);
        }
        if (g->axes->maps[i].kind != RK_AXIS_CONSTANT)
            continue;
        if (!inner)
            return;
        left.start[i] = inner->out;
        left.count[i] = inner->count;
    }
}

static bool make_numbers(gathering *g)
{
    size_t total = 1;
    for (uint32_t i = 0; i < g->ndim; i++)
        if (__builtin_mul_overflow(total, g->spans[i].count ? g->spans[i].count : 1, &total))
            return false;
    g->numbers = rk_alloc_array(total, sizeof *g->numbers);
    if (g->numbers)
        memset(g->numbers, 0xff, total * sizeof *g->numbers);
    return g->numbers;
}

static rask_node *put_together(gathering *g, rask_dtype dtype)
{
    int64_t out_strides[RASK_MAX_DIMENSIONS] = {0};
    strides_of(g->region->count, g->ndim, out_strides);
    rk_assembly_init(&g->assembly, g->lowering, g->axes->def, dtype, g->ndim, g->region->count,
                     g->axes->fill);
    if (rk_shape_size(g->region->count, g->ndim)) {
        add_fill(g, out_strides);
        add_parts(g, out_strides);
    }
    return rk_assembly_finish(&g->assembly);
}

rask_node *rk_axes_region(rk_lowering *lowering, const rk_axes *axes, rask_array *const *inputs,
                          rask_dtype dtype, uint32_t ndim, const rk_region *region)
{
    gathering g = {.lowering = lowering, .axes = axes, .inputs = inputs, .ndim = ndim, .region = region};
    rask_node *node = NULL;
    rk_region box;
    uint32_t input;
    int status = RASK_OK;
    for (uint32_t i = 0; i < ndim; i++) {
        g.stretches[i] = (rk_array)RK_ARRAY(rk_stretch, UINT32_MAX);
        g.spans[i] = (rk_array)RK_ARRAY(span, UINT32_MAX);
        status = status ? status : plan_axis(&g, i);
    }
    if (!status && is_one_box(&g, &box, &input))
        node = rk_lower_region(lowering, inputs[input], &box);
    else if (!status && make_numbers(&g))
        node = put_together(&g, dtype);
    else
        rk_graph_fail(rk_lowering_graph(lowering), RASK_ENOMEM, NULL, 0, "%s: no memory to plan it",
                      axes->def->name);
    rk_free(g.numbers);
    for (uint32_t i = 0; i < ndim; i++) {
        rk_array_fini(&g.stretches[i]);
        rk_array_fini(&g.spans[i]);
    }
    return node;
}

/* -- The grid of such an operation: cut where its inputs are, so that most chunks are theirs as they are */

/* Where each period of a mirrored or wrapped axis is cut as the input is; or the one of another pad. Periods shorter
 * than a chunk are not worth it. */
static void wish_periods(rk_cuts *c, const rk_axis_map *m, const rk_chunks *grid, uint32_t axis)
{
    bool again = m->kind == RK_AXIS_WRAP && m->length > c->least;
    int64_t from = again ? m->before % m->length - m->length : m->before;
    for (; from < c->total && !c->failed; from += m->length) {
        for (int64_t i = 0; i <= grid->count[axis]; i++)
            rk_cuts_wish(c, from + grid->bounds[axis][i]);
        if (!again)
            break;
    }
}

static void wish_repeats(rk_cuts *c, const rk_axis_map *m, const rk_chunks *grid, uint32_t axis)
{
    for (int64_t i = 0; i <= grid->count[axis] && !c->failed; i++)
        rk_cuts_wish(c, m->times * grid->bounds[axis][i]);
}

/* The joints, and inside of long inputs where these are cut. */
static int wish_joints(rk_cuts *c, rk_lowering *lowering, const rk_axis_map *m, rask_array *const *inputs,
                       uint32_t axis)
{
    for (uint32_t k = 0; k < m->joint_count && !c->failed; k++) {
        rk_chunks grid;
        bool is_long = m->joints[k + 1] - m->joints[k] > c->least;
        int status = is_long ? rk_grid_of(lowering, inputs[k], &grid) : RASK_OK;
        if (status)
            return status;
        for (int64_t i = 1; is_long && i < grid.count[axis]; i++)
            rk_cuts_wish(c, m->joints[k] + grid.bounds[axis][i]);
        rk_cuts_wish(c, m->joints[k + 1]);
    }
    return RASK_OK;
}

/* Elements per axis that chunks of the result may have: as the input's have where it is cut, else as is good for the
 * result. */
static void lengths_of(rk_lowering *lowering, const rask_array *array, const rk_chunks *grid, int64_t *most)
{
    size_t element = rask_dtype_size(array->dtype);
    uint64_t total = (uint64_t)rk_shape_size(array->shape, array->ndim) * element;
    uint64_t limit = rk_lowering_chunk_bytes(lowering);
    double bytes = (double)element;
    int64_t shape[RASK_MAX_DIMENSIONS];
    bool whole[RASK_MAX_DIMENSIONS];
    for (uint32_t i = 0; i < array->ndim; i++) {
        int64_t longest = rk_grid_longest(grid, i);
        whole[i] = grid->count[i] > 1;
        shape[i] = whole[i] && longest < array->shape[i] ? longest : array->shape[i];
    }
    rk_grid_auto(rk_lowering_part_bytes(lowering, total), element, array->ndim, shape, whole, most);
    for (uint32_t i = 0; i < array->ndim; i++) {
        most[i] = most[i] > 0 ? most[i] : 1;
        bytes *= (double)(most[i] < array->shape[i] ? most[i] : array->shape[i]);
    }
    for (uint32_t i = 0; i < array->ndim; i++)
        for (; bytes > 1.5 * (double)limit && most[i] > 1; bytes /= 2)
            most[i] = (most[i] + 1) / 2;
}

/* The least length of chunks of a joined axis: not too few bytes, neither together nor in one run. */
static int64_t least_joined(const rask_array *array, uint32_t axis, const int64_t *most)
{
    double run = (double)rask_dtype_size(array->dtype), plane = run, least;
    for (uint32_t i = 0; i < array->ndim; i++) {
        double length = (double)(most[i] < array->shape[i] ? most[i] : array->shape[i]);
        run *= i > axis ? length : 1;
        plane *= i != axis ? length : 1;
    }
    least = plane > 0 ? LEAST_CHUNK / plane : 1;
    if (plane > run && run > 0 && least < LEAST_RUN / run)
        least = LEAST_RUN / run;
    return least < 1 ? 1 : least > (double)most[axis] ? most[axis] : (int64_t)least;
}

static int cut_axis(rk_lowering *lowering, const rask_array *array, const rk_axis_map *m,
                    const rk_chunks *grid, uint32_t axis, const int64_t *most, rk_chunks *chunks)
{
    rk_cuts c;
    int status = RASK_OK;
    int64_t least = m->kind == RK_AXIS_JOINED ? least_joined(array, axis, most) : (most[axis] + 1) / 2;
    rk_cuts_init(&c, array->shape[axis], least, most[axis]);
    if (m->kind == RK_AXIS_JOINED)
        status = wish_joints(&c, lowering, m, array->inputs, axis);
    else if (m->kind == RK_AXIS_REPEAT)
        wish_repeats(&c, m, grid, axis);
    else
        wish_periods(&c, m, grid, axis);
    int fini = rk_cuts_fini(&c, lowering, &chunks->count[axis], &chunks->bounds[axis]);
    return status ? status : fini;
}

static int make_grid(rk_lowering *lowering, rask_array *array, const rk_axes *axes, rk_chunks *chunks)
{
    rk_chunks grid, cut;
    int64_t most[RASK_MAX_DIMENSIONS];
    uint32_t chunked = 0; /* the first input that is; else the first */
    while (chunked + 1 < array->input_count && !rk_array_is_chunked(array->inputs[chunked]))
        chunked++;
    chunked = rk_array_is_chunked(array->inputs[chunked]) ? chunked : 0;
    int status = rk_grid_of(lowering, array->inputs[chunked], &grid);
    if (status)
        return status;
    lengths_of(lowering, array, &grid, most);
    for (uint32_t i = 0; i < array->ndim; i++) {
        status = cut_axis(lowering, array, &axes->maps[i], &grid, i, most, &cut);
        if (status)
            return status;
    }
    return rk_grid_bounded(lowering, chunks, array->ndim, cut.count, cut.bounds);
}

/* The places where inputs meet along a joined axis. NULL, latched. */
static int64_t *find_joints(rk_lowering *lowering, const rask_array *array, uint32_t axis)
{
    int64_t *joints = rk_lowering_memory(lowering, ((size_t)array->input_count + 1) * sizeof *joints);
    if (!joints)
        return NULL;
    joints[0] = 0;
    for (uint32_t i = 0; i < array->input_count; i++)
        joints[i + 1] = joints[i] + array->inputs[i]->shape[axis];
    return joints;
}

int rk_axes_lower(rk_lowering *lowering, rask_array *array, rk_chunks *chunks)
{
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, number = 0;
    rk_axes axes = *(const rk_axes *)array->params;
    rk_region region;
    int status;
    for (uint32_t i = 0; i < array->ndim; i++) {
        rk_axis_map *m = &axes.maps[i];
        if (m->kind == RK_AXIS_JOINED && !(m->joints = find_joints(lowering, array, i)))
            return RASK_ENOMEM;
    }
    status = make_grid(lowering, array, &axes, chunks);
    if (status)
        return status;
    do {
        rk_chunks_region(chunks, index, &region);
        chunks->nodes[number] =
            rk_axes_region(lowering, &axes, array->inputs, array->dtype, array->ndim, &region);
        if (!chunks->nodes[number++])
            return rk_lowering_graph(lowering)->status;
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}
