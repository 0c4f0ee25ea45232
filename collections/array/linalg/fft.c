/* Fourier transforms along one axis: a task has whole lines of it.
 *
 * Each line is copied into an aligned buffer, transformed there by a plan for that length alone, and copied out: so a line
 * gives the same bits wherever it lies and whatever is transformed beside it. Real lines are transformed to half of
 * their result, whose other half is its mirror. */
#include "collections/array/kernels/kernels.h"
#include "collections/array/linalg/linalg.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

/* Lines across the axis that are copied together, so that whole cache lines are used. */
enum { LINES = 16, LEAST_LINES = 4, LINES_BYTES = 4 << 20, STRETCH = 128 };

/* What becomes of a line. */
typedef enum how {
    FORWARD,      /* complex to complex */
    BACKWARD,     /* the same, inverse */
    REAL_FORWARD, /* real to complex */
    REAL_BACKWARD,
    TO_HALF, /* real to half of the complex ones */
    TO_REAL, /* and back, inverse */
} how;

static const rk_fft_kind plan_kinds[] = {RK_FFT_FORWARD, RK_FFT_BACKWARD, RK_FFT_TO_HALF,
                                         RK_FFT_TO_HALF, RK_FFT_TO_HALF,  RK_FFT_TO_REAL};

typedef struct fft_params {
    uint32_t how, axis;
    uint32_t in, out; /* dtypes */
    int64_t n;        /* length of the transform */
} fft_params;

/* -- One line -- */

/* Of n numbers of a real dtype. */
static void scale(bool single, int64_t n, void *data, int64_t length)
{
    if (single) {
        const float factor = (float)(1.0 / (double)length);
        for (int64_t i = 0; i < n; i++)
            ((float *)data)[i] *= factor;
    } else {
        const double factor = 1.0 / (double)length;
        for (int64_t i = 0; i < n; i++)
            ((double *)data)[i] *= factor;
    }
}

#define MIRROR(T)                                                                                            \
    static void mirror_##T(int64_t n, T *x)                                                                  \
    {                                                                                                        \
        for (int64_t i = n / 2 + 1; i < n; i++) {                                                            \
            x[2 * i] = x[2 * (n - i)];                                                                       \
            x[2 * i + 1] = -x[2 * (n - i) + 1];                                                              \
        }                                                                                                    \
    }                                                                                                        \
    static void conjugate_##T(int64_t n, T *x)                                                               \
    {                                                                                                        \
        for (int64_t i = 0; i < n; i++)                                                                      \
            x[2 * i + 1] = -x[2 * i + 1];                                                                    \
    }                                                                                                        \
    static void make_ends_real_##T(int64_t n, T *x)                                                          \
    {                                                                                                        \
        x[1] = 0;                                                                                            \
        if (n % 2 == 0)                                                                                      \
            x[n + 1] = 0;                                                                                    \
    }
MIRROR(float)
MIRROR(double)

static void end_line(const fft_params *p, bool single, void *line)
{
    if (p->how == REAL_FORWARD || p->how == REAL_BACKWARD) {
        if (single)
            mirror_float(p->n, line);
        else
            mirror_double(p->n, line);
    }
    if (p->how == REAL_BACKWARD) {
        if (single)
            conjugate_float(p->n, line);
        else
            conjugate_double(p->n, line);
    }
    if (p->how == BACKWARD || p->how == REAL_BACKWARD)
        scale(single, 2 * p->n, line, p->n);
    else if (p->how == TO_REAL)
        scale(single, p->n, line, p->n);
}

/* given: elements that were copied to in; what a line of half a spectrum has too little is 0. */
static void run_line(const fft_params *p, const rk_fft_plan *plan, int64_t given, void *in, void *out)
{
    bool single = p->out == RASK_DT_F32 || p->out == RASK_DT_C64;
    if (p->how == TO_REAL) {
        size_t size = rask_dtype_size((rask_dtype)p->in);
        if (given < p->n / 2 + 1)
            memset(rk_at(in, given, size), 0, (size_t)(p->n / 2 + 1 - given) * size);
        if (single)
            make_ends_real_float(p->n, in);
        else
            make_ends_real_double(p->n, in);
    }
    rk_fftw()->run(plan, in, out);
    end_line(p, single, out);
}

/* -- All lines of a block -- */

/* Bytes from one line in a buffer to the next. */
static uint64_t pitch(int64_t elements, rask_dtype dtype)
{
    uint64_t bytes = (uint64_t)elements * rask_dtype_size(dtype);
    return (bytes + RK_FFT_ALIGNMENT - 1) / RK_FFT_ALIGNMENT * RK_FFT_ALIGNMENT;
}

/* Elements of a line of the input that count. */
static int64_t line_in(const fft_params *p, int64_t length)
{
    return p->how == TO_REAL ? rk_least(length, p->n / 2 + 1) : length;
}

static uint64_t pitch_in(const fft_params *p)
{
    return pitch(p->how == TO_REAL ? p->n / 2 + 1 : p->n, (rask_dtype)p->in);
}

static uint64_t pitch_out(const fft_params *p)
{
    return pitch(p->how == TO_HALF ? p->n / 2 + 1 : p->n, (rask_dtype)p->out);
}

/* inner: elements behind the axis. */
static int64_t lines_together(const fft_params *p, int64_t inner)
{
    int64_t fit = (int64_t)(LINES_BYTES / (pitch_in(p) + pitch_out(p)));
    return rk_least(inner, rk_most(LEAST_LINES, rk_least(LINES, fit)));
}

/* Buffers, and what FFTW keeps and takes: at worst, for long primes, four lines of their own. */
static uint64_t scratch_of(const fft_params *p, int64_t inner)
{
    return (uint64_t)lines_together(p, inner) * (pitch_in(p) + pitch_out(p)) + RK_FFT_ALIGNMENT +
           4 * pitch(p->n, RASK_DT_C128);
}

typedef struct lines {
    const fft_params *p;
    const rk_fft_plan *plan;
    int64_t inner, in_length, out_length; /* of the blocks */
    char *in, *out;                       /* buffers */
} lines;

/* Stretch by stretch, so that the cache lines that neighbours share are still there. */
static void copy_in(const lines *s, const char *from, int64_t count)
{
    size_t size = rask_dtype_size((rask_dtype)s->p->in);
    int64_t used = line_in(s->p, s->in_length);
    if (s->inner == 1) {
        memcpy(s->in, from, (size_t)used * size);
        return;
    }
    for (int64_t t = 0; t < used; t += STRETCH)
        for (int64_t i = 0; i < count; i++)
            rk_gather((size_t)rk_least(STRETCH, used - t), size,
                      s->in + (uint64_t)i * pitch_in(s->p) + (size_t)t * size,
                      rk_at(from, t * s->inner + i, size), s->inner * (int64_t)size);
}

static void copy_out(const lines *s, char *to, int64_t count)
{
    size_t size = rask_dtype_size((rask_dtype)s->p->out);
    if (s->inner == 1) {
        memcpy(to, s->out, (size_t)s->out_length * size);
        return;
    }
    for (int64_t t = 0; t < s->out_length; t++)
        rk_gather((size_t)count, size, rk_at(to, t * s->inner, size), s->out + (size_t)t * size,
                  (int64_t)pitch_out(s->p));
}

/* Lines first … first + count - 1 of those that begin at from and to. */
static void run_lines(const lines *s, const char *from, char *to, int64_t first, int64_t count)
{
    copy_in(s, rk_at(from, first, rask_dtype_size((rask_dtype)s->p->in)), count);
    for (int64_t i = 0; i < count; i++)
        run_line(s->p, s->plan, line_in(s->p, s->in_length), s->in + (uint64_t)i * pitch_in(s->p),
                 s->out + (uint64_t)i * pitch_out(s->p));
    copy_out(s, rk_at(to, first, rask_dtype_size((rask_dtype)s->p->out)), count);
}

static void run_all(rask_task *task, lines *s, const rask_block *in, const rask_block *out, char *scratch)
{
    int64_t outer = rk_shape_size(in->shape, s->p->axis), together = lines_together(s->p, s->inner);
    const char *from = in->data;
    char *to = out->data;
    s->in = (char *)(((uintptr_t)scratch + RK_FFT_ALIGNMENT - 1) / RK_FFT_ALIGNMENT * RK_FFT_ALIGNMENT);
    s->out = s->in + (uint64_t)together * pitch_in(s->p);
    for (int64_t i = 0; i < outer && !rask_task_cancelled(task); i++) {
        for (int64_t first = 0; first < s->inner; first += together)
            run_lines(s, from, to, first, rk_least(together, s->inner - first));
        from = rk_at(from, s->in_length * s->inner, rask_dtype_size(in->dtype));
        to = rk_at(to, s->out_length * s->inner, rask_dtype_size(out->dtype));
    }
}

static int64_t length_out(const fft_params *p)
{
    return p->how == TO_HALF ? p->n / 2 + 1 : p->n;
}

static int call_fft(rask_task *task)
{
    const fft_params *p = rk_task_params(task, sizeof *p);
    rask_block in, out;
    rask_value value;
    int64_t shape[RASK_MAX_DIMENSIONS];
    if (!p || rk_fftw_load(task) || rask_arg_block(task, 1, &in))
        return task->status;
    if (in.dtype != (rask_dtype)p->in || p->axis >= in.ndim ||
        (p->how != TO_REAL && in.shape[p->axis] != p->n))
        return rk_task_fail(task, RASK_EINVAL, "argument 1 does not have the lines to be transformed");
    memcpy(shape, in.shape, in.ndim * sizeof *shape);
    shape[p->axis] = length_out(p);
    if (rk_task_result(task, (rask_dtype)p->out, in.ndim, shape, &out, &value))
        return task->status;
    lines s = {.p = p,
               .inner = rk_shape_size(in.shape + p->axis + 1, in.ndim - p->axis - 1),
               .in_length = in.shape[p->axis],
               .out_length = shape[p->axis]};
    bool single = p->out == RASK_DT_F32 || p->out == RASK_DT_C64;
    rk_fft_plan *plan = rk_fftw()->open(plan_kinds[p->how], single, p->n);
    char *scratch = rk_linalg_scratch(task, scratch_of(p, s.inner));
    if (!plan)
        rk_task_fail(task, RASK_ENOMEM, "FFTW makes no plan for %lld elements", (long long)p->n);
    s.plan = plan;
    if (plan && scratch)
        run_all(task, &s, &in, &out, scratch);
    if (plan)
        rk_fftw()->close(plan);
    rk_free(scratch);
    return rask_return_value(task, value);
}

static const rask_task_def fft_def = {
    .size = sizeof fft_def, .name = "fft", .call = call_fft, .flags = RASK_PURE};

/* -- Lowering -- */

static rask_node *lower_chunk(rk_lowering *l, rask_array *a, rk_region *region)
{
    const fft_params *p = a->params;
    rask_array *in = a->inputs[0];
    uint64_t bytes = (uint64_t)rk_shape_size(region->count, a->ndim) * rask_dtype_size(a->dtype);
    int64_t inner = rk_shape_size(region->count + p->axis + 1, a->ndim - p->axis - 1);
    region->count[p->axis] = in->shape[p->axis];
    rask_node *lines_node = rk_lower_region(l, in, region);
    if (!lines_node)
        return NULL;
    return rk_lower_call(l, &fft_def, p, sizeof *p, &lines_node, 1, bytes, scratch_of(p, inner));
}

static int lower_fft(rk_lowering *l, rask_array *a, rk_chunks *c)
{
    const fft_params *p = a->params;
    bool whole[RASK_MAX_DIMENSIONS] = {false};
    int64_t lengths[RASK_MAX_DIMENSIONS], index[RASK_MAX_DIMENSIONS] = {0}, number = 0;
    whole[p->axis] = true;
    rk_grid_auto(rk_linalg_part(l, a), rask_dtype_size(a->dtype), a->ndim, a->shape, whole, lengths);
    int status = rk_grid_regular(l, c, a->ndim, a->shape, lengths);
    if (status)
        return status;
    do {
        rk_region region;
        rk_chunks_region(c, index, &region);
        c->nodes[number] = lower_chunk(l, a, &region);
        if (!c->nodes[number++])
            return rk_lowering_failure(l);
    } while (rk_index_next(index, c->count, c->ndim));
    return RASK_OK;
}

static const rk_opaque fft_class = {.name = "fft", .lower = lower_fft};

/* -- Builders -- */

/* f32 and c64 stay single, all others become double: their real and complex dtypes. */
static rask_dtype real_dtype(rask_dtype dtype)
{
    return dtype == RASK_DT_F32 || dtype == RASK_DT_C64 ? RASK_DT_F32 : RASK_DT_F64;
}

static rask_dtype complex_dtype(rask_dtype dtype)
{
    return real_dtype(dtype) == RASK_DT_F32 ? RASK_DT_C64 : RASK_DT_C128;
}

/* n: of the transform. */
static rask_array *build(rask_array *a, int axis, how what, int64_t n, const char *who, const char *file,
                         int line)
{
    int64_t shape[RASK_MAX_DIMENSIONS];
    bool real_in = what == REAL_FORWARD || what == REAL_BACKWARD || what == TO_HALF;
    if (n < 1) {
        rk_graph_fail(a->graph, RASK_EINVAL, file, line, "%s: %lld elements cannot be transformed", who,
                      (long long)n);
        return NULL;
    }
    if (rk_fftw_need(a->graph, who, file, line))
        return NULL;
    fft_params p = {.how = what,
                    .axis = (uint32_t)axis,
                    .in = real_in ? real_dtype(a->dtype) : complex_dtype(a->dtype),
                    .out = what == TO_REAL ? real_dtype(a->dtype) : complex_dtype(a->dtype),
                    .n = n};
    memcpy(shape, a->shape, a->ndim * sizeof *shape);
    shape[axis] = length_out(&p);
    a = rk_array_cast(a, (rask_dtype)p.in, file, line);
    if (!a)
        return NULL;
    return rk_array_opaque(a->graph, &fft_class, &p, sizeof p, (rask_dtype)p.out, a->ndim, shape, &a, 1, file,
                           line);
}

rask_array *rask_array_fft_at(rask_array *a, int axis, bool inverse, const char *file, int line)
{
    int found = a ? rk_axis(a, axis, "rask_array_fft", file, line) : -1;
    if (found < 0)
        return NULL;
    bool real = !rk_dtype_is_complex(a->dtype);
    how what = inverse ? (real ? REAL_BACKWARD : BACKWARD) : real ? REAL_FORWARD : FORWARD;
    return build(a, found, what, a->shape[found], "rask_array_fft", file, line);
}

rask_array *rask_array_rfft_at(rask_array *a, int axis, const char *file, int line)
{
    int found = a ? rk_axis(a, axis, "rask_array_rfft", file, line) : -1;
    if (found < 0)
        return NULL;
    if (rk_dtype_is_complex(a->dtype)) {
        rk_graph_fail(a->graph, RASK_ETYPE, file, line, "rask_array_rfft: %s is not real",
                      rask_dtype_name(a->dtype));
        return NULL;
    }
    return build(a, found, TO_HALF, a->shape[found], "rask_array_rfft", file, line);
}

rask_array *rask_array_irfft_at(rask_array *a, int axis, int64_t n, const char *file, int line)
{
    int found = a ? rk_axis(a, axis, "rask_array_irfft", file, line) : -1;
    if (found < 0)
        return NULL;
    return build(a, found, TO_REAL, n ? n : 2 * (a->shape[found] - 1), "rask_array_irfft", file, line);
}
