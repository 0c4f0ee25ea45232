/* Arrays whose elements follow from their index: full, arange, linspace, eye. */
#include "collections/array/fill.h"

#include "collections/array/operand.h"
#include "collections/array/view.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

rask_array *rk_array_fill(rask_graph *graph, rk_fill_function function, const void *params, size_t size,
                          rask_dtype dtype, uint32_t ndim, const int64_t *shape, const char *file, int line)
{
    rk_fill fill = {function, params, size};
    rask_array key = {.graph = graph, .kind = RK_FILL, .dtype = dtype, .ndim = ndim, .as.fill = &fill};
    if (ndim)
        memcpy(key.shape, shape, ndim * sizeof *shape);
    return rk_array_intern(&key, file, line);
}

static bool is_dtype(rask_graph *graph, rask_dtype dtype, const char *who, const char *file, int line)
{
    if ((unsigned)dtype < RASK_DT_COUNT)
        return true;
    rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: %d is no dtype", who, (int)dtype);
    return false;
}

static bool out_of_bounds(rask_graph *graph, const rask_operand *number, rask_dtype dtype, const char *who,
                          const char *file, int line)
{
    char text[64];
    rk_graph_fail(graph, RASK_ERANGE, file, line, "%s: %s is out of bounds for %s", who,
                  rk_operand_text(number, text, sizeof text), rask_dtype_name(dtype));
    return true;
}

/* -- full */

/* Whether a number can stand for dtype: complex ones are no real ones, and whole parts must fit. */
static bool stands_for(rask_graph *graph, const rask_operand *value, rask_dtype dtype, const char *file,
                       int line)
{
    static const char who[] = "rask_array_full";
    if (value->kind == RASK_OPERAND_C128 && !rk_dtype_is_complex(dtype)) {
        rk_graph_fail(graph, RASK_ETYPE, file, line, "%s: a complex number as %s", who,
                      rask_dtype_name(dtype));
        return false;
    }
    int64_t low;
    uint64_t high;
    bool whole = rk_integer_limits(dtype, &low, &high);
    if (whole && value->kind == RASK_OPERAND_F64) {
        double part = trunc(value->as.f64);
        if (!(part >= (double)low && part <= (double)high && fabs(part) < 0x1p63))
            return !out_of_bounds(graph, value, dtype, who, file, line);
    }
    return rk_operand_fits(value, dtype) || !out_of_bounds(graph, value, dtype, who, file, line);
}

rask_array *rask_array_full_at(rask_graph *graph, rask_dtype dtype, uint32_t ndim, const int64_t *shape,
                               rask_operand value, const char *file, int line)
{
    static const char who[] = "rask_array_full";
    if (!graph || graph->status || !is_dtype(graph, dtype, who, file, line) ||
        !rk_shape_given(graph, ndim, shape, who, file, line))
        return NULL;
    if (value.kind == RASK_OPERAND_ARRAY) {
        rask_array *array = rk_operand_array(graph, &value, dtype, who, file, line);
        return rask_array_broadcast_to_at(rk_array_cast(array, dtype, file, line), ndim, shape, file, line);
    }
    if (value.kind > RASK_OPERAND_C128) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "%s: a value of kind %" PRIu32, who, value.kind);
        return NULL;
    }
    if (!stands_for(graph, &value, dtype, file, line))
        return NULL;
    return rk_array_broadcast(rk_array_scalar(graph, &value, dtype, file, line), ndim, shape, file, line);
}

/* -- arange */

typedef struct arange_params {
    uint32_t dtype;
    union {
        struct {
            uint64_t start, step; /* integers, in two's complement */
        } whole;
        struct {
            double start, step;
        } real;
    } as;
} arange_params;

#define FILL_WHOLE(name, type)                                                                               \
    static void name(const arange_params *p, uint64_t index, size_t count, void *out)                        \
    {                                                                                                        \
        type *to = out;                                                                                      \
        for (size_t i = 0; i < count; i++)                                                                   \
            to[i] = (type)(p->as.whole.start + (index + i) * p->as.whole.step);                              \
    }
FILL_WHOLE(fill_8, uint8_t)
FILL_WHOLE(fill_16, uint16_t)
FILL_WHOLE(fill_32, uint32_t)
FILL_WHOLE(fill_64, uint64_t)

/* As NumPy: f32 counts in f32. */
#define FILL_REAL(name, type)                                                                                \
    static void name(const arange_params *p, int64_t index, size_t count, void *out)                         \
    {                                                                                                        \
        type *to = out, start = (type)p->as.real.start, step = (type)p->as.real.step;                        \
        for (size_t i = 0; i < count; i++) {                                                                 \
            type distance = (type)(index + (int64_t)i) * step;                                               \
            to[i] = start + distance;                                                                        \
        }                                                                                                    \
    }
FILL_REAL(fill_f32, float)
FILL_REAL(fill_f64, double)

static void fill_arange(const void *params, const int64_t *shape, uint32_t ndim, int64_t index, size_t count,
                        void *out)
{
    const arange_params *p = params;
    (void)shape, (void)ndim;
    switch (rask_dtype_size(p->dtype)) {
    case 1: fill_8(p, (uint64_t)index, count, out); return;
    case 2: fill_16(p, (uint64_t)index, count, out); return;
    case 4:
        if (p->dtype == RASK_DT_F32)
            fill_f32(p, index, count, out);
        else
            fill_32(p, (uint64_t)index, count, out);
        return;
    default:
        if (p->dtype == RASK_DT_F64)
            fill_f64(p, index, count, out);
        else
            fill_64(p, (uint64_t)index, count, out);
    }
}

typedef struct range {
    rask_graph *graph;
    const rask_operand *start, *stop, *step;
    bool whole; /* all three are integers */
    int64_t count;
    const char *file;
    int line;
} range;

static __int128 whole_of(const rask_operand *n)
{
    return n->kind == RASK_OPERAND_U64 ? (__int128)n->as.u64
                                       : (__int128)rk_operand_cast(n, RASK_DT_I64).as.i64;
}

static double real_of(const rask_operand *n)
{
    return rk_operand_cast(n, RASK_DT_F64).as.f64;
}

static bool range_fails(const range *r, int status, const char *what)
{
    rk_graph_fail(r->graph, status, r->file, r->line, "rask_array_arange: %s", what);
    return false;
}

static bool count_whole(range *r)
{
    __int128 reach = whole_of(r->stop) - whole_of(r->start), step = whole_of(r->step);
    if (step < 0)
        step = -step, reach = -reach;
    if (!step)
        return range_fails(r, RASK_EINVAL, "a step of 0");
    __int128 count = reach > 0 ? (reach - 1) / step + 1 : 0;
    r->count = (int64_t)count;
    return count <= INT64_MAX || range_fails(r, RASK_ELIMIT, "too many elements");
}

static bool count_real(range *r)
{
    double step = real_of(r->step), count = ceil((real_of(r->stop) - real_of(r->start)) / step);
    if (step == 0)
        return range_fails(r, RASK_EINVAL, "a step of 0");
    if (!(count < 0x1p62))
        return range_fails(r, RASK_ERANGE, "no finite number of elements");
    r->count = count > 0 ? (int64_t)count : 0;
    return true;
}

static bool is_negative(const rask_operand *n)
{
    return n->kind == RASK_OPERAND_I64 && n->as.i64 < 0;
}

static rask_dtype natural_dtype(const range *r)
{
    const rask_operand *all[] = {r->start, r->stop, r->step};
    if (!r->whole)
        return RASK_DT_F64;
    bool large = false, negative = false;
    for (int i = 0; i < 3; i++) {
        large |= all[i]->kind == RASK_OPERAND_U64 && all[i]->as.u64 > INT64_MAX;
        negative |= i < 2 && is_negative(all[i]);
    }
    return large && !negative ? RASK_DT_U64 : RASK_DT_I64;
}

/* Whether the first and the last element are among dtype's integers. */
static bool ends_fit(const range *r, rask_dtype dtype)
{
    int64_t low;
    uint64_t high;
    if (!r->whole || !r->count || !rk_integer_limits(dtype, &low, &high))
        return true;
    __int128 first = whole_of(r->start), last = first + whole_of(r->step) * (r->count - 1);
    __int128 least = first < last ? first : last, most = first < last ? last : first;
    return (least >= low && most <= high) ||
           range_fails(r, RASK_ERANGE, "its numbers are out of bounds for the dtype");
}

/* The first element, and the distance from it to the second as the dtype has both: what all others are counted from. */
static bool measure(const range *r, rask_dtype dtype, arange_params *p)
{
    memset(p, 0, sizeof *p);
    p->dtype = dtype;
    if (r->whole && rk_dtype_is_integer(dtype)) {
        p->as.whole.start = (uint64_t)whole_of(r->start);
        p->as.whole.step = (uint64_t)whole_of(r->step);
        return true;
    }
    double first = real_of(r->start), second = first + real_of(r->step);
    if (dtype == RASK_DT_F32) {
        p->as.real.start = (float)first;
        p->as.real.step = (float)second - (float)first;
    } else if (dtype == RASK_DT_F64) {
        p->as.real.start = first;
        p->as.real.step = second - first;
    } else {
        if (!(fabs(first) < 0x1p63 && fabs(second) < 0x1p63))
            return range_fails(r, RASK_ERANGE, "its numbers are out of bounds for the dtype");
        p->as.whole.start = (uint64_t)(int64_t)first;
        p->as.whole.step = (uint64_t)(int64_t)second - p->as.whole.start;
    }
    return true;
}

static bool is_whole(const rask_operand *n)
{
    return n->kind == RASK_OPERAND_BOOL || n->kind == RASK_OPERAND_I64 || n->kind == RASK_OPERAND_U64;
}

rask_array *rask_array_arange_at(rask_graph *graph, rask_operand start, rask_operand stop, rask_operand step,
                                 rask_dtype dtype, const char *file, int line)
{
    range r = {graph, &start, &stop, &step, is_whole(&start) && is_whole(&stop) && is_whole(&step),
               0,     file,   line};
    const rask_operand *all[] = {&start, &stop, &step};
    if (!graph || graph->status)
        return NULL;
    for (int i = 0; i < 3; i++)
        if (!is_whole(all[i]) && all[i]->kind != RASK_OPERAND_F64) {
            range_fails(&r, RASK_ETYPE, "start, stop and step are real numbers");
            return NULL;
        }
    if (dtype == RASK_DT_COUNT)
        dtype = natural_dtype(&r);
    if (!is_dtype(graph, dtype, "rask_array_arange", file, line))
        return NULL;
    if (dtype == RASK_DT_BOOL) {
        range_fails(&r, RASK_ETYPE, "not defined for bool");
        return NULL;
    }
    rask_dtype counted = dtype == RASK_DT_C64 ? RASK_DT_F32 : dtype == RASK_DT_C128 ? RASK_DT_F64 : dtype;
    arange_params params;
    if (!(r.whole ? count_whole(&r) : count_real(&r)) || !ends_fit(&r, counted) ||
        !measure(&r, counted, &params))
        return NULL;
    return rk_array_cast(
        rk_array_fill(graph, fill_arange, &params, sizeof params, counted, 1, &r.count, file, line), dtype,
        file, line);
}

/* -- linspace */

typedef struct linspace_params {
    double start, stop, delta, step, steps;
    bool endpoint;
} linspace_params;

/* In the order of operations that NumPy has. */
static void fill_linspace(const void *params, const int64_t *shape, uint32_t ndim, int64_t index,
                          size_t count, void *out)
{
    const linspace_params *p = params;
    double *to = out;
    (void)ndim;
    for (size_t i = 0; i < count; i++) {
        double at = (double)(index + (int64_t)i);
        double distance = p->step != 0   ? at * p->step
                          : p->steps > 0 ? at / p->steps * p->delta
                                         : at * p->delta;
        to[i] = distance + p->start;
    }
    if (p->endpoint && shape[0] > 1 && count && index + (int64_t)count == shape[0])
        to[count - 1] = p->stop;
}

rask_array *rask_array_linspace_at(rask_graph *graph, double start, double stop, int64_t count, bool endpoint,
                                   const char *file, int line)
{
    if (!graph || graph->status)
        return NULL;
    if (count < 0) {
        rk_graph_fail(graph, RASK_EINVAL, file, line, "rask_array_linspace: %" PRId64 " elements", count);
        return NULL;
    }
    linspace_params p;
    memset(&p, 0, sizeof p);
    p.start = start;
    p.stop = stop;
    p.delta = stop - start;
    p.steps = (double)(endpoint ? count - 1 : count);
    p.step = p.steps > 0 ? p.delta / p.steps : 0;
    p.endpoint = endpoint;
    return rk_array_fill(graph, fill_linspace, &p, sizeof p, RASK_DT_F64, 1, &count, file, line);
}

/* -- eye */

typedef struct eye_params {
    int64_t diagonal;
    uint32_t size; /* of an element */
    char one[16];
} eye_params;

/* A row of columns elements has its one at row + diagonal. */
static void fill_eye(const void *params, const int64_t *shape, uint32_t ndim, int64_t index, size_t count,
                     void *out)
{
    const eye_params *p = params;
    int64_t columns = shape[1], end = index + (int64_t)count;
    (void)ndim;
    memset(out, 0, count * p->size);
    for (int64_t row = count ? index / columns : 0; count && row * columns < end; row++) {
        int64_t column;
        if (__builtin_add_overflow(row, p->diagonal, &column) || column < 0 || column >= columns)
            continue;
        int64_t at = row * columns + column - index;
        if (at >= 0 && at < (int64_t)count)
            memcpy((char *)out + at * p->size, p->one, p->size);
    }
}

rask_array *rask_array_eye_at(rask_graph *graph, int64_t rows, int64_t columns, int64_t diagonal,
                              rask_dtype dtype, const char *file, int line)
{
    static const char who[] = "rask_array_eye";
    int64_t shape[] = {rows, columns};
    if (!graph || graph->status || !is_dtype(graph, dtype, who, file, line) ||
        !rk_shape_given(graph, 2, shape, who, file, line))
        return NULL;
    eye_params p;
    memset(&p, 0, sizeof p);
    p.diagonal = diagonal;
    p.size = (uint32_t)rask_dtype_size(dtype);
    rk_operand_store(&(rask_operand){.kind = RASK_OPERAND_BOOL, .as.boolean = true}, dtype, p.one);
    return rk_array_fill(graph, fill_eye, &p, sizeof p, dtype, 2, shape, file, line);
}
