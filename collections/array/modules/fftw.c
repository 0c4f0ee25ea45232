/* rask-fftw: plans and their execution, by FFTW in both precisions.
 *
 * FFTW's planner is not thread-safe, its plans are. Plans that nobody uses are kept, RK_PLANS_KEPT at most, since tasks
 * of one array all want the same one; the lock guards the list, every plan's users, and the planner. */
#include "collections/array/modules/fftw.h"

#include "core/base/forks.h"

#include <fftw3.h>
#include <pthread.h>
#include <stdlib.h>

enum { RK_PLANS_KEPT = 16 };

struct rk_fft_plan {
    struct rk_fft_plan *next; /* latest first */
    rk_fft_kind kind;
    bool single;
    int64_t n;
    unsigned users;
    union {
        fftw_plan real64;
        fftwf_plan real32;
    } as;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
RK_KNOW_FORKS(lock)
static rk_fft_plan *plans;

/* Elements of the longer side, each counted as a complex number. */
static size_t line_bytes(const rk_fft_plan *p)
{
    return (size_t)p->n * (p->single ? sizeof(fftwf_complex) : sizeof(fftw_complex)) +
           2 * sizeof(fftw_complex);
}

static bool make_double(rk_fft_plan *p, void *in, void *out)
{
    fftw_iodim64 line = {.n = p->n, .is = 1, .os = 1};
    unsigned how = FFTW_ESTIMATE | FFTW_DESTROY_INPUT;
    if (p->kind == RK_FFT_TO_HALF)
        p->as.real64 = fftw_plan_guru64_dft_r2c(1, &line, 0, NULL, in, out, how);
    else if (p->kind == RK_FFT_TO_REAL)
        p->as.real64 = fftw_plan_guru64_dft_c2r(1, &line, 0, NULL, in, out, how);
    else
        p->as.real64 = fftw_plan_guru64_dft(1, &line, 0, NULL, in, out,
                                            p->kind == RK_FFT_FORWARD ? FFTW_FORWARD : FFTW_BACKWARD, how);
    return p->as.real64 != NULL;
}

static bool make_single(rk_fft_plan *p, void *in, void *out)
{
    fftwf_iodim64 line = {.n = p->n, .is = 1, .os = 1};
    unsigned how = FFTW_ESTIMATE | FFTW_DESTROY_INPUT;
    if (p->kind == RK_FFT_TO_HALF)
        p->as.real32 = fftwf_plan_guru64_dft_r2c(1, &line, 0, NULL, in, out, how);
    else if (p->kind == RK_FFT_TO_REAL)
        p->as.real32 = fftwf_plan_guru64_dft_c2r(1, &line, 0, NULL, in, out, how);
    else
        p->as.real32 = fftwf_plan_guru64_dft(1, &line, 0, NULL, in, out,
                                             p->kind == RK_FFT_FORWARD ? FFTW_FORWARD : FFTW_BACKWARD, how);
    return p->as.real32 != NULL;
}

/* FFTW_ESTIMATE looks at where buffers are, never at what is in them. */
static bool make(rk_fft_plan *p)
{
    void *in = aligned_alloc(RK_FFT_ALIGNMENT, (line_bytes(p) + 63) / 64 * 64);
    void *out = aligned_alloc(RK_FFT_ALIGNMENT, (line_bytes(p) + 63) / 64 * 64);
    bool made = in && out && (p->single ? make_single(p, in, out) : make_double(p, in, out));
    free(in);
    free(out);
    return made;
}

static void end(rk_fft_plan *p)
{
    if (p->single)
        fftwf_destroy_plan(p->as.real32);
    else
        fftw_destroy_plan(p->as.real64);
    free(p);
}

/* The oldest ones that nobody uses go. Called under the lock. */
static void trim(void)
{
    unsigned kept = 0;
    for (rk_fft_plan **place = &plans; *place;) {
        rk_fft_plan *p = *place;
        if (kept++ < RK_PLANS_KEPT || p->users) {
            place = &p->next;
        } else {
            *place = p->next;
            end(p);
        }
    }
}

static rk_fft_plan *find(rk_fft_kind kind, bool single, int64_t n)
{
    for (rk_fft_plan *p = plans; p; p = p->next)
        if (p->kind == kind && p->single == single && p->n == n)
            return p;
    return NULL;
}

static rk_fft_plan *add(rk_fft_kind kind, bool single, int64_t n)
{
    rk_fft_plan *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (rk_fft_plan){.kind = kind, .single = single, .n = n};
    if (!make(p)) {
        free(p);
        return NULL;
    }
    p->next = plans;
    plans = p;
    trim();
    return p;
}

static rk_fft_plan *open_plan(rk_fft_kind kind, bool single, int64_t n)
{
    know_forks();
    pthread_mutex_lock(&lock);
    rk_fft_plan *p = find(kind, single, n);
    if (!p)
        p = add(kind, single, n);
    if (p)
        p->users++;
    pthread_mutex_unlock(&lock);
    return p;
}

static void close_plan(rk_fft_plan *p)
{
    pthread_mutex_lock(&lock);
    p->users--;
    pthread_mutex_unlock(&lock);
}

static void run_single(const rk_fft_plan *p, void *in, void *out)
{
    if (p->kind == RK_FFT_TO_HALF)
        fftwf_execute_dft_r2c(p->as.real32, in, out);
    else if (p->kind == RK_FFT_TO_REAL)
        fftwf_execute_dft_c2r(p->as.real32, in, out);
    else
        fftwf_execute_dft(p->as.real32, in, out);
}

static void run_double(const rk_fft_plan *p, void *in, void *out)
{
    if (p->kind == RK_FFT_TO_HALF)
        fftw_execute_dft_r2c(p->as.real64, in, out);
    else if (p->kind == RK_FFT_TO_REAL)
        fftw_execute_dft_c2r(p->as.real64, in, out);
    else
        fftw_execute_dft(p->as.real64, in, out);
}

static void run(const rk_fft_plan *p, void *in, void *out)
{
    if (p->single)
        run_single(p, in, out);
    else
        run_double(p, in, out);
}

RASK_API extern const rk_fftw_module rask_module;
const rk_fftw_module rask_module = {
    .head = RK_MODULE_HEAD(rk_fftw_module),
    .open = open_plan,
    .close = close_plan,
    .run = run,
};
