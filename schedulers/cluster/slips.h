/* schedulers/cluster/slips: a call that is lent (schedulers/futures/lend.h) as bytes, for another process of the same program. What comes
 * from elsewhere is hostile here. */
#ifndef RASK_SCHEDULERS_CLUSTER_SLIPS_H
#define RASK_SCHEDULERS_CLUSTER_SLIPS_H

#include "core/task/pack.h"
#include "schedulers/futures/lend.h"

/* Appends the call. RASK_ENOMEM; RASK_EUNSUPPORTED, or what encode() of an argument's class returned: it cannot go; with a message. */
int rk_pack_put_slip(rk_pack_out *out, const rk_lent_call *call, char *message, size_t capacity);

/* The call, whose arguments rk_slip_fini() ends. gate: of the executor that it is for; NULL: nothing is known to be counted. RASK_EFORMAT: the bytes
 * are none, or name a function that is not there; RASK_ENOMEM, or what decode() returned; with a message. */
int rk_pack_get_slip(rk_pack_in *in, const rk_gate *gate, rk_lent_call *call, char *message, size_t capacity);
void rk_slip_fini(rk_lent_call *call);

#endif
