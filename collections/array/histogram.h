/* collections/array/histogram: counts that are added up. */
#ifndef RASK_COLLECTIONS_ARRAY_HISTOGRAM_H
#define RASK_COLLECTIONS_ARRAY_HISTOGRAM_H

#include <rask/task.h>

/* (params, blocks of i64 of one shape…): their sum, element by element. */
extern const rask_task_def rk_add_counts_def;

#endif
