/* collections/array/modules/fftw: what the module rask-fftw gives to the library: discrete Fourier transforms of one
 * line, by FFTW.
 *
 * A plan is for a length, a precision and a kind, and always for one contiguous line that begins at a multiple of
 * RK_FFT_ALIGNMENT bytes: how many lines a task has, and where they lie, must not change what is computed. */
#ifndef RASK_COLLECTIONS_ARRAY_MODULES_FFTW_H
#define RASK_COLLECTIONS_ARRAY_MODULES_FFTW_H

#include "core/base/module.h"

#define RK_FFTW_MODULE   "rask-fftw"
#define RK_FFT_ALIGNMENT 64

/* Transforms are not normalised. Lengths in elements, n being the plan's. */
typedef enum rk_fft_kind {
    RK_FFT_FORWARD,  /* n complex to n complex */
    RK_FFT_BACKWARD, /* the same, the other way */
    RK_FFT_TO_HALF,  /* n real to n / 2 + 1 complex */
    RK_FFT_TO_REAL,  /* n / 2 + 1 complex to n real */
    RK_FFT_KINDS
} rk_fft_kind;

typedef struct rk_fft_plan rk_fft_plan;

typedef struct rk_fftw_module {
    rk_module_head head;
    /* A plan for lines of n elements (1 or more); the same one for the same arguments, as long as it is remembered. Ended
     * by close(). NULL: FFTW has no memory for it. Thread-safe; waits while another plan is made. */
    rk_fft_plan *(*open)(rk_fft_kind kind, bool single, int64_t n);
    void (*close)(rk_fft_plan *plan);
    /* in and out are different memory; what is at in is lost. Thread-safe, also for one plan. */
    void (*run)(const rk_fft_plan *plan, void *in, void *out);
} rk_fftw_module;

#endif
