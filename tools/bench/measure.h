/* tools/bench/measure: time, peak memory and medians, measured alike by every program that is compared. */
#ifndef RASK_TOOLS_BENCH_MEASURE_H
#define RASK_TOOLS_BENCH_MEASURE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Nanoseconds of the monotonic clock. */
double bench_now_ns(void);

/* The peak of resident memory in bytes (VmHWM); -1 where the system does not tell. */
double bench_memory_peak(void);

/* Makes the peak start over from what is resident now, and returns that. Where the kernel refuses, the mark stays at
 * the earlier peak, and what is measured from here on comes out too low by at most what came before. */
double bench_memory_mark(void);

/* Sorts list. The mean of the two in the middle when count is even; count is not 0. */
double bench_median(double *list, size_t count);

#ifdef __cplusplus
}
#endif

#endif
