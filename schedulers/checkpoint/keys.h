/* schedulers/checkpoint/keys: what makes two calls the same from run to run.
 *
 * The key of a call is a hash of its function, as module and offset (core/task/task.h: the module by its build-id, so that a
 * program that was built anew has other keys), and of its arguments: of constants their content, of other calls their keys. A
 * custom constant is known by what its class encodes of it: files by path, size and time of change. A call has no key when it is not
 * pure, waits for others beside its arguments, or takes something that has none. */
#ifndef RASK_SCHEDULERS_CHECKPOINT_KEYS_H
#define RASK_SCHEDULERS_CHECKPOINT_KEYS_H

#include "core/plan/plan.h"
#include "schedulers/checkpoint/key.h"

/* By task; to be ended with rk_free(). Linear in the plan, and in the bytes of its constants as far as
 * RK_MAX_CHECKPOINT_KEYED of them. RASK_ENOMEM. */
int rk_keys_new(const rask_plan *plan, rk_key **out);

#endif
