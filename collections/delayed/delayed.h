/* collections/delayed: calls on lists that every program finds built in, and the trees that reductions make.
 */
#ifndef RASK_COLLECTIONS_DELAYED_DELAYED_H
#define RASK_COLLECTIONS_DELAYED_DELAYED_H

#include <rask/task.h>

/* The definitions behind rask_sum() and its like. */
extern const rask_task_def rk_sum_def, rk_min_def, rk_max_def, rk_concat_def;

#endif
