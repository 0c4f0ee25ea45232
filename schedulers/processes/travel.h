/* schedulers/processes/travel: what may go from one process to another that was forked from it, or from the same: functions,
 * definitions and classes that both have at the same address, and what values are made of. */
#ifndef RASK_SCHEDULERS_PROCESSES_TRAVEL_H
#define RASK_SCHEDULERS_PROCESSES_TRAVEL_H

#include "core/task/task.h"
#include "schedulers/processes/system.h"

/* modules: those that both processes have. */
bool rk_may_travel_def(const rk_modules *modules, const rask_task_def *def);

/* A number that may be an address of this process's memory: what is there may be something else in another. */
bool rk_may_be_address(const rask_value *value);

/* Not so numbers that may be addresses of this process's memory, and custom values that cannot be encoded. */
bool rk_may_travel_value(const rk_modules *modules, const rask_value *value);

/* Whether all may that the graph of this node has. */
bool rk_may_travel_node(const rk_modules *modules, const rask_node *node);

#endif
